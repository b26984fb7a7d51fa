/** firmware/mcu, compiled for this machine: the same ids, texts, calls and bytes as the runtime, and no harm from bad files. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { unicodeHeader } from "../firmware/mcu/unicode.ts";
import { Enums } from "../runtime/answer/enums.ts";
import { Figures } from "../runtime/answer/figures.ts";
import { kernelImports, kernelModule } from "../runtime/engine/kernels.ts";
import { answerStates } from "../runtime/grammar/automaton.ts";
import type { State } from "../runtime/grammar/state.ts";
import { compileGrammar } from "../runtime/grammar/table.ts";
import { defaultModel, load, type ToolCall, ToolError, ToolSet } from "../runtime/index.ts";
import { xxh32 } from "../runtime/pack/xxh32.ts";
import { extremesIn } from "../runtime/text/extremes.ts";
import { numbersIn } from "../runtime/text/numbers.ts";
import { readRequest } from "../runtime/text/request.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { units } from "../runtime/text/units.ts";
import { packCalls } from "../runtime/wire/wirecall.ts";
import { readExamples } from "../tools/eval/examples.ts";
import type { Kernels } from "../wasm/abi.ts";
import { oddFiles } from "./mcu/odd.ts";
import { fixture, grammarCases, seeded, shared, somePieces, testWith } from "./support.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const source = join(root, "firmware/mcu");
const folder = mkdtempSync(join(tmpdir(), "thimble-mcu-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const hasCc = Bun.which("cc") !== null;
if (!hasCc) console.warn("skipped tests: cc is missing; apt-get install gcc libc6-dev");
const withCc = hasCc ? test : test.skip;

const strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2", "-fno-math-errno", "-fno-strict-aliasing"];
const flags = [...strict, "-ffp-contract=off", `-I${source}`];
/** Where laws.c looks in. */
const wrapped = ["-Wl,--wrap=engine_pick"];
const sanitizers = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
/** Answers by the thousand. No flag here lets sums be taken in another order. */
const fast = ["-O3", "-march=native", "-Wno-error"]; // gcc sees, at this level alone, what may be unset and is not
const timeoutMs = 300_000;

/** Compiles the engine with a program of its own; each once. */
const built = new Map<string, string>();
function program(main: string, more: readonly string[] = []): string {
  const key = [main, ...more].join(" ");
  const known = built.get(key);
  if (known) return known;
  const engine = readdirSync(source).filter((file) => file.endsWith(".c") && file !== "host.c");
  const out = join(folder, `program${built.size}`);
  const files = engine.map((file) => join(source, file));
  const { exitCode, stderr } = Bun.spawnSync(["cc", ...flags, ...more, "-o", out, ...files, join(root, main), "-lm"]);
  if (exitCode !== 0) throw new Error(`cc: ${stderr}`);
  built.set(key, out);
  return out;
}

/** With room for all tools of any list at once: a device offers them all. */
const model = hasCc ? await load(undefined, { toolRows: 8192 }) : null;
const pack = fileURLToPath(defaultModel());
const watch = readFileSync(join(root, "tools/watch.json"), "utf8");
let files = 0;

/** A file of kept tools, for a device. */
async function keep(set: ToolSet): Promise<string> {
  const path = join(folder, `${files++}.kv`);
  writeFileSync(path, (await model?.readTools(set, { device: true })) as Uint8Array);
  return path;
}

function runs(command: readonly string[], input: readonly string[]): { lines: string[]; error: string; code: number } {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command], { stdin: Buffer.from(`${input.join("\n")}\n`) });
  return { lines: linesOf(stdout.toString()), error: stderr.toString(), code: exitCode };
}

const linesOf = (text: string) => text.split("\n").slice(0, -1);

const hex = (text: string) => Buffer.from(text).toString("hex");

interface Answer {
  calls: { name: string; arguments: object }[];
  tokens: number[];
  msgpack: string;
  cutShort: boolean;
  decisions: number;
  decision: string;
  sure: Sureness[];
}

/** How sure C is of a call: of its name, then of the whole; 10⁹ for an infinite margin. */
interface Sureness {
  decision: string;
  ungrounded: number;
  runnerUp: number;
  confidence: number;
  logProbs: number[];
  margins: number[];
}

/** The same of the runtime's call. */
function surenessOf({ decision, confidence, certainty, sources }: ToolCall, set: ToolSet): Sureness {
  const { name, call, runnerUp } = certainty;
  return {
    decision,
    ungrounded: Object.values(sources).filter(({ grounded }) => !grounded).length,
    runnerUp: set.tools.findIndex((tool) => tool.name === runnerUp),
    confidence,
    logProbs: [name.logProb, call.logProb],
    margins: [name.margin, call.margin].map((margin) => Math.min(margin, 1e9)),
  };
}

/** Whether numbers are within 10⁻³ and all else is equal. */
function isNear(a: Sureness, b: Sureness): boolean {
  const numbers = ({ confidence, logProbs, margins }: Sureness) => [confidence, ...logProbs, ...margins];
  const rest = ({ decision, ungrounded, runnerUp }: Sureness) => [decision, ungrounded, runnerUp];
  return Bun.deepEquals(rest(a), rest(b)) && numbers(a).every((n, i) => Math.abs(n - numbers(b)[i]) < 1e-3);
}

/** Requests of one list, answered by C with so many bits, while other work goes on. */
async function answers(
  tools: string,
  requests: readonly string[],
  from = pack,
  most = 128,
  requestTokens = 64,
): Promise<(Answer | null)[]> {
  const host = Bun.spawn([program("firmware/mcu/host.c", fast), from, tools, `${requestTokens}`, `${most}`, "16"], {
    stdin: Buffer.from(`${requests.join("\n")}\n`),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, code] = await Promise.all([
    new Response(host.stdout).text(),
    new Response(host.stderr).text(),
    host.exited,
  ]);
  const lines = linesOf(out);
  if (lines.length !== requests.length) throw new Error(`host ${code}: ${error}`);
  return lines.map((line) => (line === "!" ? null : JSON.parse(line)));
}

/** Programs of C that answer at a time. */
const mostBeside = 3;

interface Case {
  query: string;
  tools: ToolSet;
}

const caseOf = ({ query, tools }: { query: string; tools: object | string }): Case => ({
  query,
  tools: ToolSet.from(tools as never),
});

/** How many of the cases C answers as the runtime, to the token; the others by their request. */
async function compare(cases: readonly Case[]): Promise<{ same: number; others: string[] }> {
  const session = model?.session({ promptTokens: 64, answerTokens: 128 });
  const lists = new Map<string, { set: ToolSet; requests: string[] }>();
  for (const { query, tools } of cases) {
    const list = lists.get(tools.key) ?? { set: tools.inOrder(), requests: [] };
    list.requests.push(query.replaceAll(/\s+/g, " "));
    lists.set(tools.key, list);
  }
  let same = 0;
  const others: string[] = [];
  const waiting = lists.values();
  const answerLists = async () => {
    for (const { set, requests } of waiting) {
      const path = await keep(set);
      for (const [i, got] of (await answers(path, requests)).entries()) {
        const wanted = await session?.call(requests[i], set, { offer: Math.max(1, set.tools.length) });
        const written: Answer["calls"] = JSON.parse(wanted?.text as string);
        const own = written.map(({ name, arguments: given }) => ({
          name: set.tools.find(({ promptName }) => promptName === name)?.name as string,
          arguments: given as Record<string, never>,
        }));
        const all = {
          calls: own,
          tokens: wanted?.tokens,
          msgpack: Buffer.from(packCalls(set, own)).toString("hex"),
          cutShort: wanted?.cutShort,
        };
        const sure = wanted?.calls.map((call) => surenessOf(call, set)) as Sureness[];
        const { calls, tokens, msgpack, cutShort } = got ?? {};
        const isSame = Bun.deepEquals({ calls, tokens, msgpack, cutShort }, all, false);
        const isAsSure = got?.decision === wanted?.decision && got?.sure.every((call, j) => isNear(call, sure[j]));
        if (isSame && isAsSure && got?.sure.length === sure.length) same++;
        else others.push(`${requests[i]}: ${JSON.stringify(got)} for ${JSON.stringify({ ...all, sure })}`);
      }
      rmSync(path);
    }
  };
  await Promise.all(Array.from({ length: mostBeside }, answerLists));
  session?.close();
  return { same, others };
}

/** C answers every request with these tools as the runtime, to the token. */
async function expectSame(queries: readonly string[], tools: object | string): Promise<void> {
  const { others, same } = await compare(queries.map((query) => caseOf({ query, tools })));
  expect([others, same]).toEqual([[], queries.length]);
}

describe("the same as the runtime", () => {
  withCc(
    "tokens, calls, msgpack, certainty and decisions of 200 commands over twelve lists, of which some read tools in groups of thirty",
    async () => {
      const cases = readExamples(fileURLToPath(fixture("commands.jsonl"))).filter((_, i) => i % 2 === 0);
      const { same, others } = await compare(cases.map(({ request, tools }) => ({ query: request, tools })));
      expect(others).toEqual([]);
      expect(same).toBe(200);
    },
    timeoutMs,
  );

  withCc(
    "tokens, calls, msgpack, certainty and decisions of 266 requests with slips of the thumb or of the ear",
    async () => {
      const all = readExamples(fileURLToPath(fixture("heard.jsonl"))).filter(({ kind }) => kind === "slip");
      const cases = all.filter((_, i) => i % 4 === 0).map(({ request, tools }) => ({ query: request, tools }));
      const { same, others } = await compare(cases);
      expect(others).toEqual([]);
      expect(same).toBe(266);
    },
    timeoutMs,
  );

  withCc(
    "calls of numbers below nothing, and of units of other kinds",
    async () => {
      const requests = [
        ..."shift the alarm back 10 minutes|rewind 30 seconds|dim by 20|cool to 19|down to about 5|-5 and 3|undo 2".split(
          "|",
        ),
        ..."pour 20 ounces|20 ml an hour|2000 a day|back half a litre|3 pounds less|6 feet off|x minus 3 y 4|2 cups|3 big glasses|1 to cup 2|5 less".split(
          "|",
        ),
        ..."a 20 km ride|2h 15m|until 5|for 5 pm in 10|a 5k run|an hour and 10 minutes|10 and 15".split("|"),
      ];
      const keys = ["minute", "minutes", "hours", "seconds", "amount_ml", "ml_per_hour", "step", "level", "weight_kg"];
      const cases = [
        {},
        { minimum: -59, maximum: 59 },
        { minimum: 0 },
        { description: "Negative goes back." },
        { multipleOf: 15 },
        { enum: [5, 10, 15] },
      ].flatMap((limits) => {
        const list = keys.map((key) => ({
          name: `set_${key}`,
          description: "Moves the alarm, or changes it.",
          parameters: { [key]: { type: "number", required: true, ...limits }, note: { type: "string" } },
        }));
        return list.flatMap((tool) => requests.map((query) => ({ query, tools: ToolSet.from([tool]) })));
      });
      expect((await compare(cases)).others).toEqual([]);
    },
    timeoutMs,
  );

  withCc(
    "calls that have a number twice",
    async () => {
      const pairs = [
        ["width", "height"],
        ["seconds", "rest_seconds"],
        ["start_hour", "end_hour"],
        ["hour", "minute"],
        ["minutes", "degrees"],
      ];
      const number = { type: "number", required: true };
      const known = [{ ...number, default: 5 }, { enum: [4, 5, 9], required: true }, number];
      const times = { type: "object", properties: { seconds: { type: "number", maximum: 99 } }, required: ["seconds"] };
      const tools = pairs.flatMap(([one, other]) =>
        known.map((first) => ({
          name: `set_${one}`,
          parameters: {
            [one]: first,
            [other]: number,
            sets: { type: "array", items: first === number ? times : { type: "number", maximum: 99 }, required: true },
          },
        })),
      );
      const requests =
        "720 pixels wide|720 by 720|wait two minutes|at midnight|quarter past three in the afternoon|60 for an hour|down 4, 4 times|-5|five and 5|9, so nine";
      const cases = tools.flatMap((tool) =>
        requests.split("|").map((query) => ({ query, tools: ToolSet.from([tool]) })),
      );
      expect((await compare(cases)).others).toEqual([]);
    },
    timeoutMs,
  );

  const devSets = ["clinc", "fbtod", "homeassistant", "hwu64", "join", "msbot", "sgd", "snips", "unseen"];
  testWith("model/apart.oracle.json", "tokens, calls, msgpack and decisions of the oracle's prompts", async (file) => {
    if (!hasCc) return;
    const { cases } = await Bun.file(file).json();
    expect((await compare(cases.map(caseOf))).others).toEqual([]);
  });
  testWith(
    "data/unseen.dev.jsonl.gz",
    "tokens, calls, msgpack and decisions of 1,000 dev examples",
    async () => {
      if (!hasCc) return;
      const cases: Case[] = devSets.flatMap((name) => {
        const bytes = readFileSync(new URL(`data/${name}.dev.jsonl.gz`, shared));
        const lines = gunzipSync(bytes).toString().trim().split("\n");
        const step = Math.max(1, Math.floor(lines.length / 130));
        return lines
          .filter((_, i) => i % step === 0)
          .slice(0, 130)
          .map((line) => caseOf(JSON.parse(line)));
      });
      const { same, others } = await compare(cases.slice(0, 1000));
      expect(others).toEqual([]);
      expect(same).toBe(1000);
    },
    2 * timeoutMs,
  );

  withCc("states before every decision, to the bit of the scalar build", async () => {
    const requests = [
      "wake me at 7:15 tomorrow",
      "tell anna i am running late and set a timer for ten minutes",
      "hello",
    ];
    const set = ToolSet.from(watch).inOrder();
    const wanted: string[] = [];
    let sum = 0;
    const scalar = await load(undefined, {
      kernels: (memory) => {
        const exports = new WebAssembly.Instance(new WebAssembly.Module(kernelModule("scalar")), kernelImports(memory))
          .exports as unknown as Kernels;
        const logits: Kernels["logits"] = (session, table, h, mask, out) => {
          const state = new Uint32Array(memory.buffer, h, 256);
          sum = state.reduce((all, bits) => (Math.imul(all, 31) + bits) >>> 0, sum);
          wanted.push(...[...state.slice(0, 8), sum].map((bits) => bits.toString(16).padStart(8, "0")));
          exports.logits(session, table, h, mask, out);
        };
        return { ...exports, logits };
      },
    });
    expect(scalar.header.geometry.dModel).toBe(256);
    const path = await keep(set);
    const lines = requests.map((request) => `a ${hex(request)}`);
    const got = runs([program("test/mcu/laws.c", wrapped), pack, path], lines).lines;
    for (const [i, request] of requests.entries()) {
      [wanted.length, sum] = [0, 0];
      await scalar.call(request, set, { offer: set.tools.length });
      expect(wanted.length).toBeGreaterThan(8);
      expect(got[i].trim().split(" ")).toEqual(wanted);
    }
    scalar.close();
  });

  withCc(
    "in any arena from the least to the most, with caches of 8 and of 16 bits, to the bit",
    async () => {
      const path = await keep(ToolSet.from(watch).inOrder());
      // As long as the limits allow, and answers of many calls: the least arena holds no row twice.
      const long = [
        "tell anna i am running late and set a timer for ten minutes",
        "turn off the lights in the bedroom and set an alarm for 6:30 and play the new album by nina simone and text mum",
        "text bob that i will be at the station by nine and that he should bring the red umbrella and the keys",
      ];
      const laws = program("test/mcu/laws.c", wrapped);
      const ask = (bits: string, lines: string[], arena: number[] = []) =>
        runs([laws, pack, path, "32", "64", bits, ...arena.map(String)], lines).lines;
      for (const bits of ["8", "16"]) {
        const [least, most] = ask(bits, ["s"])[0].split(" ").map(Number);
        expect(most).toBeGreaterThan(1.5 * least);
        const lines = long.map((request) => `a ${hex(request)}`);
        const wanted = ask(bits, lines, [most]);
        expect(wanted.join()).not.toContain("!");
        for (const arena of [least, least + 8000, Math.round((least + most) / 2), 2 * most])
          expect([arena, ask(bits, lines, [arena])]).toEqual([arena, wanted]);
        expect(ask(bits, lines, [least - 16])).toEqual(["!", "!", "!"]);
      }
    },
    timeoutMs,
  );

  withCc(
    "an arena of 64 KiB holds a request of 32 tokens and an answer of 64, with seven tools",
    async () => {
      const path = await keep(ToolSet.from(watch).inOrder());
      const { lines } = runs([program("test/mcu/laws.c", wrapped), pack, path, "32", "64", "8"], ["s"]);
      expect(Number(lines[0].split(" ")[0])).toBeLessThanOrEqual(64 * 1024);
    },
    timeoutMs,
  );

  withCc(
    "tokens of a model of another geometry, with unions, lists and limits among its tools",
    async () => {
      const requests = readExamples(fileURLToPath(fixture("commands.jsonl"))).flatMap(({ request }, i) =>
        i % 40 ? [] : [request.replaceAll(/\s+/g, " ")],
      );
      for (const [list, lean] of [
        ["calendar-mcp.json", undefined],
        ["travel-openai.json", undefined],
        // Lists that say no maximum, which such a model does not end by itself.
        [
          '[{"name":"pick","parameters":{"numbers":{"type":"array","items":{"type":"integer"},"required":true}}}]',
          undefined,
        ],
        // What the head says of tools, in the choice of the first.
        ["calendar-mcp.json", { tool: 40, none: 2 }],
        ["home.json", { tool: 20, none: 30 }],
      ] as const) {
        const odd = await oddFiles(folder, list, lean);
        const other = await load(odd.pack, { kernels: "scalar", toolRows: 8192 });
        const session = other.session({ promptTokens: 64, answerTokens: 128 });
        const got = await answers(odd.tools, requests, odd.pack);
        for (const [i, request] of requests.entries()) {
          const { tokens } = await session.call(request, odd.set, { offer: odd.set.tools.length });
          expect([list, request, got[i]?.tokens]).toEqual([list, request, tokens]);
        }
        other.close();
      }
    },
    timeoutMs,
  );

  withCc(
    "tuples and defaults: tokens, calls, msgpack and certainty",
    async () => {
      const point = { type: "array", prefixItems: [{ type: "integer" }, { enum: ["top", "side"] }], minItems: 2 };
      const tools = [
        {
          name: "paint",
          description: "Paint a wall.",
          inputSchema: {
            type: "object",
            properties: {
              at: { ...point, items: false, description: "Metres from the door, and which part." },
              color: { type: "string", default: "white" },
              coats: { type: "integer", default: 2 },
            },
            required: ["at", "color", "coats"],
          },
        },
        {
          name: "move",
          description: "Move a chair.",
          inputSchema: {
            type: "object",
            properties: { to: { ...point, items: { type: "string" }, maxItems: 4 } },
            required: ["to"],
          },
        },
      ];
      const queries = [
        "paint the top red 3 metres from the door",
        "paint the side",
        "move the chair 2 metres to the top",
      ];
      await expectSame(queries, tools);
    },
    timeoutMs,
  );

  withCc(
    "numbers at their most and least: tokens, calls, msgpack and certainty",
    async () => {
      const level = (name: string, description: string, minimum: number, maximum?: number, step?: number) => ({
        name,
        description,
        inputSchema: {
          type: "object",
          properties: {
            level: { type: "integer", minimum, ...(maximum && { maximum }), ...(step && { multipleOf: step }) },
          },
          required: ["level"],
        },
      });
      const tools = [
        level("set_volume", "Set the volume.", 0, 100),
        level("set_brightness", "Set the screen's brightness.", 10, 250, 10),
        level("set_fan", "Set the fan's speed.", 1, 5),
        level("set_freezer", "Cool the freezer, in degrees.", -30, -10),
        level("set_lamp", "Set the lamp's warmth, in kelvin.", 1000),
      ];
      const queries = [
        "full volume",
        "volume all the way down",
        "dim the screen all the way",
        "brightness to its maximum and fan to the lowest",
        "fan at full speed and volume to 30",
        "freezer as cold as it goes",
        "lamp to its warmest",
        "turn the volume down to 7, Max",
        "raise the volume by 5",
        "make the screen 20 percent brighter",
        "turn the volume up 5",
        "up 5",
        "by 5 volume",
        "volume 3 notches lower please",
        "fan setup 3",
        "fan at 3 after dinner",
        "volume at 50 percent power",
      ];
      await expectSame(queries, tools);
    },
    timeoutMs,
  );

  withCc(
    "requests that say what not to do, and some that only begin so: tokens, calls, msgpack, certainty and decisions",
    async () => {
      const starts = [
        "don't",
        "Don’t",
        "please do not",
        "hey, never",
        "do, not",
        "and dont",
        "do",
        "donut",
        "well no never",
        "hey siri, don't",
        "oh no please well don't",
      ];
      const asked = [
        "set a timer for 10 minutes",
        "forget to set a timer for 10 minutes",
        "let, 5 minutes",
        "forget,it: 5 minutes",
        "disturb 5 minutes",
        "disturb",
      ];
      await expectSame(
        starts.flatMap((start) => asked.map((one) => `${start} ${one}`)),
        watch,
      );
    },
    timeoutMs,
  );

  withCc(
    "calls made again: tokens, calls, msgpack and certainty",
    async () => {
      const tools = JSON.parse(readFileSync(fileURLToPath(fixture("commands/glasses.json")), "utf8"));
      const asked = [
        "5 seconds, then a photo",
        "take a photo twice",
        "a photo in 5 seconds and a photo now",
        "photo photo",
      ];
      await expectSame(asked, tools);
    },
    timeoutMs,
  );

  withCc(
    "numbers that a call before has: tokens, calls, msgpack and certainty",
    async () => {
      const level = (name: string, description: string, key: string) => ({
        name,
        description,
        inputSchema: { type: "object", properties: { [key]: { type: "integer", maximum: 100 } }, required: [key] },
      });
      const tools = [
        level("set_volume", "Set the speaker volume.", "volume"),
        level("set_brightness", "Set the screen brightness.", "brightness"),
        level("wait", "Wait for some seconds.", "seconds"),
        level("set_alarm", "Ring at an hour.", "hour"),
      ];
      const asked = [
        "brightness 80 then mute the speaker",
        "set volume and brightness to 50",
        "set the brightness to one hundred and five and the volume",
        "set the volume to 30, then set brightness to 30",
        "wait 2 minutes, then set the brightness and the volume",
        "ring at 7 am and wait, then set the volume to 7",
        "full volume and brightness",
        "volume to 20 and brightness too, please",
      ];
      await expectSame(asked, tools);
    },
    timeoutMs,
  );

  withCc(
    "requests that ask by their form, whose mark is no value's: tokens, calls, msgpack and certainty",
    async () => {
      const properties = { to: { type: "string" }, text: { type: "string" } };
      const inputSchema = { type: "object", properties, required: ["to", "text"] };
      const tools = [{ name: "send_text", description: "Send a text message.", inputSchema }];
      const asked = ["tell Ann that I'm late?", "text Ann: are you late??", "text Ann I'm ok ?", "text Ann why? now"];
      const forms = [
        "Could you",
        "hey, can I",
        "PLEASE WOULD YOU",
        "ok will, we",
        "can it",
        "can",
        "you can",
        "canopy you",
      ];
      await expectSame(
        forms.flatMap((form) => asked.map((one) => `${form} ${one}`)),
        tools,
      );
    },
    timeoutMs,
  );

  withCc(
    "tokens in any limit, and whether it cut the answer short",
    async () => {
      // Their first letters are decided, the rest is forced.
      const mode = { enum: ["xphoto", "zmusic", "kmedicine"] };
      const inputSchema = { type: "object", properties: { mode }, required: ["mode"] };
      const set = ToolSet.from([{ name: "setMode", description: "Set the mode of the camera.", inputSchema }]);
      const requests = ["set the camera mode to xphoto", "set the mode of the camera to zmusic"];
      const path = await keep(set);
      for (let most = 8; most < 24; most++) {
        const session = model?.session({ promptTokens: 64, answerTokens: most });
        const got = await answers(path, requests, pack, most, 16);
        for (const [i, request] of requests.entries()) {
          const { tokens, cutShort, decisions } = got[i] as Answer;
          const wanted = await session?.call(request, set, { trace: true });
          const decided = wanted?.trace?.filter(({ allowed }) => allowed > 1).length;
          expect([most, tokens, cutShort]).toEqual([most, wanted?.tokens, wanted?.cutShort] as never);
          // The trace has none of those that a cut took back.
          if (!cutShort) expect([most, decisions]).toEqual([most, decided as number]);
        }
        session?.close();
      }
    },
    timeoutMs,
  );

  withCc(
    "objects of a union, told apart by the keys that they require",
    async () => {
      const [note, zip, group] = [{ type: "string" }, { type: "integer" }, { type: "string" }];
      const first = { type: "object", properties: { note, zip }, required: ["note", "zip"] };
      const second = { type: "object", properties: { note, group }, required: ["note"] };
      const inputSchema = { type: "object", properties: { what: { anyOf: [first, second] } }, required: ["what"] };
      const set = ToolSet.from([{ name: "add_note", description: "Write a note.", inputSchema }] as never);
      const path = await keep(set);
      let short = 0;
      // Where the limit leaves no room for a zip, the note is of the second.
      for (let most = 14; most < 30; most++) {
        const session = model?.session({ promptTokens: 64, answerTokens: most });
        const [got] = await answers(path, ["take a note: buy eggs"], pack, most);
        const wanted = await session?.call("take a note: buy eggs", set);
        const calls = wanted?.calls ?? [];
        expect([most, got?.msgpack]).toEqual([most, Buffer.from(packCalls(set, calls)).toString("hex")]);
        short += Number(JSON.stringify(calls[0]?.arguments) === '{"what":{"note":"buy eggs"}}');
        session?.close();
      }
      expect(short).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  withCc("lists of a union: what an item's own option lists is accounted for", async () => {
    const list = (items: object) => ({ type: "array", items, maxItems: 4 });
    const tools = [
      {
        name: "remove-bus",
        description: "schedule user next upper message.",
        inputSchema: {
          type: "object",
          properties: { ride: { anyOf: [list({ const: 2 }), { enum: [true] }, list({ enum: ["heater"] })] } },
          required: ["ride"],
        },
      },
      {
        name: "dimRooms",
        description: "Dim the lights of rooms.",
        inputSchema: {
          type: "object",
          properties: { rooms: { anyOf: [list({ enum: ["all"] }), list({ type: "integer" })] } },
          required: ["rooms"],
        },
      },
    ];
    const queries = ["Remove Bus", "dim the lights of rooms 2 and 3", "dim the lights", "dim all rooms"];
    await expectSame(queries, tools);
  });

  withCc("strings beside enums, in lists", async () => {
    const part = {
      anyOf: [{ const: 6 }, { enum: ["fridge", "right mail", "dose", "red", "old"] }, { type: "string" }],
    };
    const tools = [
      {
        name: "openCar",
        description: "turn medicine close hour.",
        inputSchema: {
          type: "object",
          properties: {
            weekly_door: { type: "array", items: part, maxItems: 5 },
            gardenSeconds: { type: "array", items: { const: "fridge" }, maxItems: 5 },
            old: { type: "number", minimum: 0, maximum: 100, multipleOf: 0.5 },
          },
          required: ["weekly_door", "gardenSeconds"],
        },
      },
      {
        name: "showList",
        description: "play second second boat file.",
        inputSchema: { type: "object", properties: { small: { type: "integer" }, photo: part } },
      },
    ];
    const queries = ["open car to 6", "open the car", "open the red car", "show list to 6", "what a nice day"];
    await expectSame(queries, tools);
  });

  test("a key that a table cannot hold is refused, by tool", () => {
    const parameters = {
      ["k".repeat(40_000)]: { type: "object", properties: { ["k".repeat(40_000)]: { type: "string" } } },
    };
    const set = ToolSet.from([{ name: "long", inputSchema: { type: "object", properties: parameters } }] as never);
    expect(() => compileGrammar(set)).toThrow("tool long: expected for a device keys and values");
  });

  test("maps, lists whose items differ and schemas that hold themselves are refused for a device, by tool", async () => {
    const inner = {
      map: { type: "object", additionalProperties: { type: "string" } },
      list: { type: "array", items: { type: "string" }, uniqueItems: true },
      tree: { type: "object", properties: { next: { $ref: "#/$defs/tree" } } },
    };
    for (const [name, part] of Object.entries(inner)) {
      const inputSchema = { type: "object", properties: { [name]: part }, $defs: { tree: inner.tree } };
      const set = ToolSet.from([{ name, inputSchema }] as never);
      expect(() => compileGrammar(set)).toThrow(`tool ${name}: expected for a device`);
    }
  });

  withCc("ids of the tokenizer's fixtures, of texts that stand alone and of an answer's rest", async () => {
    const { cases } = await Bun.file(fixture("tokenizer.json")).json();
    const tokenizer = new Tokenizer(await somePieces(4096));
    const texts: string[] = cases
      .map(({ text }: { text: string }) => text)
      .filter((text: string) => !/\p{Surrogate}/u.test(text));
    const path = await keep(ToolSet.from("[]"));
    const ask = (kind: string) =>
      runs(
        [program("test/mcu/laws.c", wrapped), pack, path],
        texts.map((text) => `${kind} ${hex(text)}`),
      );
    const idsOf = (line: string) => line.split(" ").filter(Boolean).map(Number);
    expect(ask("t").lines.map(idsOf)).toEqual(texts.map((text) => tokenizer.tokenize(text)));
    expect(ask("c").lines.map(idsOf)).toEqual(texts.map((text) => tokenizer.tokenizeRaw(text)));
  });

  withCc("requests as read, typed in every way", async () => {
    const random = seeded(5);
    const parts = [
      "’",
      "“",
      "`",
      "Ａ５",
      "\u200f",
      "\u2066",
      "\u0085",
      "Turn Off",
      "It's",
      "—",
      "…",
      "\u200b",
      "\u00ad",
      "e\u0301",
      "u\u0308",
      "a\u0323\u0302",
      "\u212b",
      "ⅷ",
      " ",
      "  ",
      "\t\r\n",
      "\u00a0",
      "A",
      "É",
      "ĄŽ",
      "ДОМ",
      "b",
      "ß",
      "7:15",
      "日本",
      "각",
      "\ufb1d",
      "\ufb2c",
      "\ufb2d",
      "👩‍👧",
      "\uf900",
      "ǅ",
      "ʼ\u0301",
    ];
    const typed = Array.from(
      { length: 1000 },
      () => `${Array.from({ length: 1 + random() * 12 }, () => parts[Math.floor(random() * parts.length)]).join("")}x`,
    );
    const path = await keep(ToolSet.from("[]"));
    const { lines } = runs(
      [program("test/mcu/laws.c", wrapped), pack, path],
      typed.map((text) => `r ${hex(text)}`),
    );
    expect(lines.map((line) => Buffer.from(line, "hex").toString())).toEqual(
      typed.map((text) => readRequest(text).text),
    );
  });

  withCc("numbers of the cases, and of their words in any order", async () => {
    const random = seeded(7);
    const cases: { text: string }[] = await Bun.file(fixture("numbers.json")).json();
    const words = [...new Set(cases.flatMap(({ text }) => text.split(/\b/)))];
    const any = Array.from({ length: 2000 }, () =>
      Array.from({ length: 1 + random() * 9 }, () => words[Math.floor(random() * words.length)]).join(""),
    );
    const marks = Array.from({ length: 4000 }, () =>
      Array.from({ length: 1 + random() * 12 }, () => "1203.,/ -k5oOl:'zcn"[Math.floor(random() * 19)]).join(""),
    );
    const texts = [...cases.map(({ text }) => text), ...any, ...marks]
      .filter((text) => text.trim())
      .map((text) => readRequest(text).text);
    const wanted = texts.map((text) =>
      numbersIn(text).map(({ value, start, end, inWords, isCut }) => {
        const millionths = Math.round(value * 1e6);
        const isExact = Number.isSafeInteger(millionths) && millionths / 1e6 === value;
        const [from, to] = [start, end].map((at) => Buffer.byteLength(text.slice(0, at)));
        return `${isExact ? millionths + 0 : "x"}:${from}:${to}:${Number(inWords)}:${Number(isCut ?? false)}`;
      }),
    );
    const path = await keep(ToolSet.from("[]"));
    const { lines } = runs(
      [program("test/mcu/laws.c", wrapped), pack, path],
      texts.map((text) => `n ${hex(text)}`),
    );
    // In C a number of words comes before its digits.
    const sorted = (found: string[]) => found.filter(Boolean).sort();
    for (const [i, text] of texts.entries())
      expect([text, sorted(lines[i].split(" "))]).toEqual([text, sorted(wanted[i])]);
  });

  withCc(
    "figures of the cases, and of their words in any order: numbers, units, and hours and minutes of the day",
    async () => {
      const random = seeded(17);
      const cases: { text: string }[] = [
        ...(await Bun.file(fixture("timeofday.json")).json()),
        ...(await Bun.file(fixture("numbers.json")).json()),
      ];
      const counting =
        "ml mils l litre kilos kg g grams mg oz pounds mm cm m metres km k 10k 6500k K-cup $2k steps € feet ms months".split(
          " ",
        );
      const words = [...new Set([...cases.flatMap(({ text }) => text.split(/\b/)), ...counting])];
      const any = Array.from({ length: 3000 }, () =>
        Array.from({ length: 1 + random() * 9 }, () => words[Math.floor(random() * words.length)]).join(
          random() < 0.5 ? "" : " ",
        ),
      );
      const parts =
        "an a two 5 1.5 2,5 10.000 1/2 3k k hour hours minute minutes, minutes seconds day and less feet inches m".split(
          " ",
        );
      const lengths = Array.from({ length: 1500 }, () =>
        Array.from({ length: 3 + random() * 8 }, () => parts[Math.floor(random() * parts.length)]).join(" "),
      );
      const asked = (await Bun.file(fixture("extremes.json")).json()) as [string, string][];
      const whole =
        "all the way|all the way up|full volume|top speed|max|Max|maximum|as low as|the lowest|minimum".split("|");
      const bounds = [
        ...whole,
        ...whole,
        ..."of Of 10 up down not office it".split(" "),
        ...asked.flatMap(([text]) => text.split(/\b/)),
      ];
      const mixed = Array.from({ length: 1500 }, () =>
        Array.from({ length: 1 + random() * 7 }, () => bounds[Math.floor(random() * bounds.length)]).join(
          random() < 0.5 ? "" : " ",
        ),
      );
      const ways =
        "down off, to about just at back later put Set up less than then and 5 ten one two thirty five fifty over packs ml bars minutes. please but, é".split(
          " ",
        );
      const fallen = Array.from({ length: 1500 }, () =>
        Array.from({ length: 2 + random() * 8 }, () => ways[Math.floor(random() * ways.length)]).join(" "),
      );
      const texts = [
        ...cases.map(({ text }) => text),
        ...any,
        ...lengths,
        ...fallen,
        ...asked.map(([text]) => text),
        ...mixed,
      ]
        .filter((text) => text.trim())
        .map((text) => readRequest(text).text);
      const path = await keep(ToolSet.from("[]"));
      const { lines } = runs(
        [program("test/mcu/laws.c", wrapped), pack, path],
        texts.map((text) => `f ${hex(text)}`),
      );
      for (const [i, text] of texts.entries()) {
        const said = new Figures(text, 8).said.map(
          ({ millionths, unit, clock = 0, isTold = false, isPart = false, rather, mayFall = false }) => {
            const row = unit ? units.indexOf(unit) + 1 : 0;
            const hand = units.findIndex(({ kind, size }) => kind === "time" && size === clock) + 1;
            return `${millionths + 0}:${row}:${hand}:${Number(isTold)}:${Number(isPart)}:${Number(rather !== undefined)}:${Number(mayFall)}`;
          },
        );
        const { most, least } = extremesIn(text);
        const all = [...said, ...(most ? ["most"] : []), ...(least ? ["least"] : [])];
        expect([text, lines[i].trim()]).toEqual([text, all.join(" ")]);
      }
    },
  );

  withCc(
    "what each id costs for what a request says of enums, over requests and beginnings of answers of any words",
    async () => {
      const random = seeded(11);
      const any = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
      const words = [
        "car",
        "cars",
        "park",
        "Parking",
        "very",
        "Large",
        "café",
        "ÉCOLE",
        "ⱥbc",
        "the",
        "which",
        "no",
        "all",
      ].concat([
        "hallway",
        "hall",
        "two_words",
        "camelCase",
        'a"b',
        "x\\ny",
        "日本",
        "🍕",
        "12",
        "s",
        "bus stop",
        "bus",
        "kg",
        "ml",
        "mon",
        "Mondays",
        "TUES",
        "tuesday",
        "sun",
        "fri",
        "we",
        "mo",
        "sa",
        "to",
        "-",
        "–",
        "every",
        "day",
        "weekdays",
        "weekend",
        "all",
        "days",
        "not",
        "not",
        "a",
        "too",
        "why",
        "or",
        "enough",
        "has",
      ]);
      const days = [
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY"],
        ["mo", "tu", "we", "th", "fr", "12"],
      ];
      const value = () => Array.from({ length: 1 + random() * 2 }, () => any(words)).join(any([" ", "_", "-"]));
      const some = (most: number) => [...new Set(Array.from({ length: 2 + random() * most }, value))];
      const lists = Array.from({ length: 12 }, () => {
        const shared = { enum: some(3) };
        const properties = {
          kind: { enum: some(4) },
          size: { anyOf: [{ $ref: "#/$defs/shared" }, { type: "null" }] },
          'ke"y': { enum: [...some(2), null], default: null },
          note: { type: "string" },
          inner: { type: "object", properties: { kind: { enum: some(2) } } },
          list: { type: "array", items: { enum: some(2) }, maxItems: 3 },
          days: { type: "array", items: { enum: any(days) }, maxItems: 6 },
          level: { type: "integer" },
          hasCar: { type: "boolean" },
          park: { enum: [false, true] },
          [any(["bus-stop", "is_very_large", "allow", "the_12", "café"])]: { type: "boolean", default: true },
        };
        const inputSchema = { type: "object", properties, required: random() < 0.5 ? ["kind"] : [], $defs: { shared } };
        return [
          { name: "set_it", inputSchema },
          { name: "set_it_all", inputSchema: { type: "object", properties: { kind: { enum: some(2) } } } },
        ];
      });
      type Listed = { enum: string[] };
      const tokenizer = new Tokenizer(await somePieces(4096));
      let priced = 0;
      for (const tools of lists) {
        const set = ToolSet.from(tools as never).inOrder();
        const path = await keep(set);
        const values = [...JSON.stringify(tools).matchAll(/"enum":\[([^\]]*)\]/g)].flatMap(([, list]) =>
          (JSON.parse(`[${list}]`) as unknown[]).filter((one) => typeof one === "string"),
        ) as string[];
        const [whole] = tools as unknown as {
          inputSchema: { properties: { kind: Listed; list: { items: Listed } } };
        }[];
        const { kind, list } = whole.inputSchema.properties;
        const listed = list.items.enum;
        const cases = Array.from({ length: 60 }, () => {
          const from = any([values, listed]);
          const request = readRequest(
            Array.from({ length: 1 + random() * 4 }, () => any(random() < 0.7 ? from : words)).join(" "),
          ).text;
          const call = () => {
            const name = any(["set_it", "set_it", "set_it_all"]);
            const args = {
              kind: any(values),
              size: any(values),
              'ke"y': any(values),
              note: any(values),
              inner: { kind: any(values) },
              list: Array.from({ length: random() * 4 }, () => any(random() < 0.8 ? listed : values)),
              level: 3,
              hasCar: true,
            };
            const keys = Object.keys(args).filter(() => random() < 0.4) as (keyof typeof args)[];
            return `{"name":"${name}","arguments":${JSON.stringify(Object.fromEntries(keys.map((key) => [key, args[key]])))}}`;
          };
          const first = call();
          const text = [...` [${first},${random() < 0.3 ? first : call()}`];
          const [all, key] = [text.join(""), '"list":["'];
          const list = random() < 0.5 ? all.indexOf(key) : all.lastIndexOf(key);
          const cut = list > 0 && random() < 0.5 ? list + 8 + random() * 30 : 30 + random() * text.length;
          return { request, text: text.slice(0, cut).join("") };
        });
        // A second call, which random values seldom get to.
        const [item] = listed;
        const call = `{"name":"set_it","arguments":{"kind":${JSON.stringify(kind.enum[0])},"list":[${JSON.stringify(item)}`;
        for (const rest of ["", ",", ']}},{"name":"set_it","arguments":{"list":['])
          cases.push(
            { request: readRequest(item).text, text: ` [${call}${rest}` },
            { request: readRequest(item).text, text: ` [${call}]}},${call}${rest}` },
          );
        const week =
          "every day all days weekdays weekend mon friday sunday but except not only on and to wait - daily at".split(
            " ",
          );
        for (let i = 0; i < 40; i++) {
          const request = readRequest(Array.from({ length: 2 + random() * 6 }, () => any(week)).join(" ")).text;
          cases.push({
            request,
            text: ` [{"name":"set_it","arguments":{"days":["${any(values)}",`.slice(0, any([40, 99])),
          });
        }
        const { lines, error } = runs(
          [program("test/mcu/laws.c", [...sanitizers, ...wrapped]), pack, path],
          cases.map(({ request, text }) => `e ${hex(request)}00${hex(text)}`),
        );
        expect(error).toBe("");
        for (const [i, { request, text }] of cases.entries()) {
          const bytes = [...new TextEncoder().encode(text)];
          const { start, afterCall } = answerStates(set);
          let [state, end]: [State | null, number] = [start, 1];
          for (const [at, byte] of bytes.entries()) {
            state = state?.step(byte) ?? null;
            if (state && state === afterCall) end = at + 1;
          }
          const row = new Float32Array(tokenizer.vocabSize);
          const enums = new Enums(request, set.tools, 1);
          enums.read(bytes, end + 1);
          enums.add(row, row.keys(), (id) => tokenizer.bytesOf(id));
          const wanted = [...row].flatMap((cost, id) => (cost ? [`${id}:${-cost}`] : []));
          priced += Number(wanted.length > 0);
          expect([request, text, lines[i].split(" ").filter(Boolean)]).toEqual([request, text, wanted]);
        }
      }
      expect(priced).toBeGreaterThan(100);
    },
    timeoutMs,
  );

  withCc("numbers of any size: msgpack that the runtime reads, and whether they were said", async () => {
    const tools = [
      {
        name: "dial",
        description: "Dial a phone number.",
        parameters: { number: { type: "integer", description: "Phone number, digits.", required: true } },
      },
      { name: "shift", description: "Shift a value.", parameters: { by: { type: "number", required: true } } },
      {
        name: "weigh",
        description: "Weigh out flour.",
        // Of a union the first option that has the value: a whole number is an integer, a fraction none.
        inputSchema: {
          type: "object",
          properties: { cups: { anyOf: [{ type: "integer" }, { type: "number" }] } },
          required: ["cups"],
        },
      },
      {
        name: "ride",
        description: "Ride a bike.",
        parameters: { distance_m: { type: "integer", required: true }, load_g: { type: "integer", required: true } },
      },
      { name: "brew", description: "Brew tea.", parameters: { seconds: { type: "integer", required: true } } },
      {
        name: "wake",
        description: "Wake me up.",
        parameters: {
          hour: { type: "integer", minimum: 0, maximum: 23, required: true },
          minute: { type: "integer", required: true },
        },
      },
    ];
    const queries = ["dial 4294967295", "dial 5551234567", "dial 9175551234", "dial 491511234567812"].concat([
      "shift by -5551234567",
      "shift by -33",
      "shift by 0.30000001",
      "shift by 1,200",
      "weigh out 2.5 cups of flour",
      "weigh out 3 cups of flour",
      "ride a bike for 10 kilometres with half a kilo",
      "ride a bike for 5k",
      "ride a bike for 20 m and 300 mg",
      "brew tea for two minutes",
      "brew tea for an hour and 3 minutes",
      "wake me up at quarter to seven pm",
      "wake me up at noon",
      "wake me up at 9",
    ]);
    await expectSame(queries, tools);
  });

  withCc("bytes that the grammar takes, the only ones and the ways out, over the grammar's fixtures", async () => {
    let compiled = 0;
    for (const { about, tools, accepted, rejected } of await grammarCases()) {
      const set = ToolSet.from(tools).inOrder();
      try {
        compileGrammar(set);
      } catch (error) {
        expect(error).toBeInstanceOf(ToolError);
        continue;
      }
      compiled++;
      const texts = [...accepted, ...rejected.map((text) => text.replace("|", ""))].map((text) => ` ${text}`);
      const path = await keep(set);
      const { lines } = runs(
        [program("test/mcu/laws.c", wrapped), pack, path],
        texts.map((text) => `g ${hex(text)}`),
      );
      expect([about, lines]).toEqual([about, texts.map((text) => walked(answerStates(set).start, Buffer.from(text)))]);
      rmSync(path);
    }
    expect(compiled).toBeGreaterThan(20);
  });
});

/** What laws.c says of an answer, by the runtime's own automaton. */
function walked(start: State, bytes: Uint8Array): string {
  const found: number[] = [];
  let state = start;
  for (const byte of bytes) {
    const next = state.step(byte);
    if (!next) break;
    found.push(state.onlyByte & 0xff, state.exit & 0xff);
    state = next;
  }
  return [found.length / 2, Number(state.atEnd), ...found].join(" ");
}

withCc(
  "the example's main loop, with pack and tools from a header, answers as the host with files",
  async () => {
    const list = join(folder, "watch.json");
    writeFileSync(list, watch);
    const cli = (...words: string[]) => {
      const { exitCode, stderr } = Bun.spawnSync([
        process.execPath,
        join(root, "tools/cli.ts"),
        "tools",
        "read",
        ...words,
      ]);
      return { exitCode, error: stderr.toString() };
    };
    expect(cli(list, "-o", join(folder, "thimble_files.h"))).toEqual({ exitCode: 0, error: "" });
    const port = join(folder, "port.c");
    writeFileSync(
      port,
      `#include <stdio.h>
#include <stdlib.h>
int uart_read(void) { int byte = getchar(); if (byte == EOF) exit(0); return byte; }
void uart_write(const char *bytes, size_t count) { fwrite(bytes, 1, count, stdout); fflush(stdout); }
`,
    );
    const own = readdirSync(source).filter((file) => file.endsWith(".c") && file !== "host.c");
    const files = [...own, "example/uart.c"].map((file) => join(source, file));
    const out = join(folder, "uart");
    const { exitCode, stderr } = Bun.spawnSync(["cc", ...flags, `-I${folder}`, "-o", out, ...files, port, "-lm"]);
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    const long = `play some jazz${" ".repeat(300)}no wait, stop`;
    const requests = ["wake me at 7:15 tomorrow", "", long, "play some jazz"];
    const { lines } = runs([out], requests);
    expect(lines.map((line) => (line.startsWith("error") ? line : JSON.parse(line)))).toEqual([
      [{ name: "set_alarm", arguments: { time: "7:15", date: "tomorrow" } }],
      "error: request: expected text, got none; say what to do",
      "error: request: expected at most 256 bytes, got more; shorten it",
      [{ name: "play_music", arguments: { genre: "jazz" } }],
    ]);
    // A header is for devices alone: tools that have no tables make none.
    writeFileSync(
      list,
      '[{"name":"a","inputSchema":{"type":"object","properties":{"m":{"additionalProperties":{"type":"string"}}}}}]',
    );
    const refused = cli(list, "-o", join(folder, "none.h"));
    expect(refused.exitCode).toBe(1);
    expect(refused.error).toContain("tool a: expected for a device");
    expect(existsSync(join(folder, "none.h"))).toBe(false);
  },
  timeoutMs,
);

test("unicode.h is what unicode.ts writes", () => {
  expect(readFileSync(join(source, "unicode.h"), "utf8")).toBe(unicodeHeader());
});

withCc(
  "files changed anywhere are refused, or answer without a read outside",
  async () => {
    const random = seeded(11);
    const place = (length: number) => Math.floor(random() * length);
    const path = await keep(ToolSet.from(watch));
    const host = program("firmware/mcu/host.c", sanitizers);
    const [packBytes, toolBytes] = [readFileSync(pack), readFileSync(path)];
    let refused = 0;
    for (let turn = 0; turn < 40; turn++) {
      const whole = turn % 2 ? toolBytes : packBytes;
      // Heads are where places stand; a cut may come anywhere.
      const bytes = turn % 5 === 4 ? whole.subarray(0, place(whole.length)) : Uint8Array.from(whole);
      if (turn % 5 !== 4) bytes[place(turn % 3 ? 2000 : bytes.length)] ^= 1 << place(8);
      const changed = join(folder, "changed");
      writeFileSync(changed, bytes);
      const command = turn % 2 ? [host, pack, changed] : [host, changed, path];
      const { code, error } = runs(command, ["wake me at 7:15"]);
      expect(error).not.toContain("Sanitizer");
      expect(error).not.toContain("runtime error");
      refused += code === 1 ? 1 : 0;
    }
    expect(refused).toBe(40);
  },
  timeoutMs,
);

withCc(
  "a tools file whose sums are right is refused where its version is another's, a value or a key is no UTF-8, none or no JSON, or a call opens without arguments",
  async () => {
    const parameters = { meal: { type: "string", enum: ["breakfast", "dinner"] }, wifi_on: { type: "boolean" } };
    const path = await keep(ToolSet.from([{ name: "log_meal", description: "Log a meal.", parameters }]));
    const whole = readFileSync(path);
    const refused = (change: (bytes: Buffer, breakfast: number) => void) => {
      const bytes = Buffer.from(whole);
      change(bytes, bytes.lastIndexOf('"breakfast"'));
      const [at, length, tools] = [32, 36, 12].map((place) => bytes.readUInt32LE(place));
      bytes.writeUInt32LE(xxh32(bytes.subarray(at, at + length)), 40);
      const head = Buffer.from(bytes.subarray(0, 48 + 20 * tools));
      head.writeUInt32LE(0, 28);
      bytes.writeUInt32LE(xxh32(head), 28);
      const changed = join(folder, "signed");
      writeFileSync(changed, bytes);
      return runs(["timeout", "20", program("firmware/mcu/host.c", sanitizers), pack, changed], ["i had breakfast"]);
    };
    expect(refused(() => {}).code).toBe(0);
    for (const change of [
      (bytes: Buffer, at: number) => bytes.writeUInt8(0x80, at + 3),
      (bytes: Buffer, at: number) => bytes.writeUInt8(0xf0, at + 10),
      (bytes: Buffer, at: number) => bytes.writeUInt16LE(0, at - 2),
      (bytes: Buffer, at: number) => bytes.write("é", at),
      (bytes: Buffer, at: number) => bytes.write("é", bytes.indexOf('"wifi_on"', at)),
      (bytes: Buffer) => bytes.write("[", bytes.lastIndexOf(',"arguments":{') + 13),
    ]) {
      const { code, error } = refused(change);
      expect([code, error]).toEqual([1, expect.stringContaining("damaged")]);
    }
    const before = refused((bytes) => bytes.writeUInt32LE(3, 8));
    expect([before.code, before.error]).toEqual([1, expect.stringContaining("expected version 5, got another")]);
  },
  timeoutMs,
);

withCc(
  "what the fuzzer found, file and request: no crash, no read outside",
  async () => {
    const odd = await oddFiles(folder, undefined, { tool: 1, none: 1, word: 1, number: 8 });
    const inputs = readFileSync(fixture("mcu-corpus.txt"), "utf8")
      .trim()
      .split("\n")
      .map((line, i) => {
        const path = join(folder, `input${i}`);
        writeFileSync(path, Buffer.from(line, "hex"));
        return path;
      });
    expect(inputs.length).toBeGreaterThan(100);
    const fuzz = program("test/mcu/fuzz.c", [...sanitizers, "-DREPLAY"]);
    const { lines, error, code } = runs([fuzz, odd.pack, odd.tools, ...inputs], []);
    expect([code, error, lines]).toEqual([0, "", [`${inputs.length} inputs`]]);
  },
  timeoutMs,
);

withCc("requests that are none say so, none is answered by its beginning, and the next one is answered", async () => {
  const path = await keep(ToolSet.from(watch));
  const none = ["", "\u200b", "▁"];
  // Words of one token and thirteen bytes: within the limit's tokens, beyond its bytes.
  const long = ["a".repeat(5000), "wake me at 7:15 ".repeat(30), "notifications ".repeat(16)];
  const longer = `wake me at 7:15${" ".repeat(66_000)}no wait, do not`;
  const requests = [...none, ...long, longer, "wake me at 7:15"];
  const { lines, error } = runs([program("firmware/mcu/host.c", sanitizers), pack, path, "16", "64", "8"], requests);
  expect(lines.slice(0, -1)).toEqual(Array(7).fill("!"));
  expect(JSON.parse(lines[7]).calls).toEqual([{ name: "set_alarm", arguments: { time: "7:15" } }]);
  expect(error.match(/request: expected text, got none; say what to do/g)).toHaveLength(none.length);
  expect(error.match(/request: expected at most limits.requestTokens, and 8 bytes for each, got more/g)).toHaveLength(
    long.length,
  );
  expect(error.match(/request: expected at most 65536 bytes, got more/g)).toHaveLength(1);
});

withCc("a request goes on past a zero, in the host with files too", () =>
  expectSame(["set a timer for 5 minutes\0 no wait cancel that"], watch),
);

withCc("the host with files answers where memory comes at multiples of 8 alone", async () => {
  const eight = join(folder, "eight.c");
  writeFileSync(
    eight,
    `#include <stdint.h>
#include <stdlib.h>
void *__real_malloc(size_t);
void *__wrap_malloc(size_t bytes) {
  char *at = __real_malloc(bytes + 16);
  return at ? at + 8 + (uintptr_t)at % 16 : NULL;
}
`,
  );
  const host = program("firmware/mcu/host.c", ["-Wl,--wrap=malloc", eight]);
  const { lines, error } = runs([host, pack, await keep(ToolSet.from(watch))], ["wake me at 7:15"]);
  expect([error, lines.length]).toEqual(["", 1]);
});

test("no file of the engine is longer than 400 lines, and all of them are compiled", () => {
  for (const file of readdirSync(source).filter((name) => /\.[ch]$/.test(name) && name !== "unicode.h"))
    expect([file, readFileSync(join(source, file), "utf8").split("\n").length < 400]).toEqual([file, true]);
  expect(existsSync(join(source, "thimble.h"))).toBe(true);
});
