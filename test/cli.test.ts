import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { detectBuild, kernelModule } from "../runtime/engine/kernels.ts";
import { ToolSet } from "../runtime/index.ts";
import { convert } from "../tools/convert.ts";
import { cli, fixture, oddGeometry, randomCheckpoint, somePieces, thimble } from "./support.ts";

const watch = fileURLToPath(new URL("../tools/watch.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("run prints a line a call: name, then arguments", async () => {
  const { code, out, err } = await thimble(["run", "wake me at 7:15 tomorrow"]);
  expect({ code, out, err }).toEqual({ code: 0, out: 'set_alarm {"time":"7:15","date":"tomorrow"}\n', err: "" });
});

test("run --json prints one object with calls", async () => {
  const { code, out } = await thimble(["run", "set a timer for 10 minutes", "--json"]);
  expect(code).toBe(0);
  const result = JSON.parse(out);
  expect(result.calls).toMatchObject([{ name: "set_timer", arguments: { duration: "10 minutes" } }]);
  expect(result.timings).toMatchObject({ promptTokens: 6, tools: { given: 7, offered: 7, read: 7 } });
});

test("run --offer offers the likeliest tools and their rivals", async () => {
  const { out } = await thimble(["run", "set a timer for 10 minutes", "--offer", "1", "--json"]);
  const { calls, timings } = JSON.parse(out);
  expect(calls).toMatchObject([{ name: "set_timer", arguments: { duration: "10 minutes" } }]);
  expect(timings.tools.offered).toBeLessThan(timings.tools.given);
});

test("the request, or the tools, may come from standard input; --stream writes the text", async () => {
  expect((await thimble(["run"], "wake me at 7:15 tomorrow\n")).out).toStartWith("set_alarm ");
  const tools = readFileSync(watch, "utf8");
  const { out } = await thimble(["run", "wake me at 7:15 tomorrow", "--tools", "-", "--stream"], tools);
  expect(out).toBe('[{"name":"set_alarm","arguments":{"time":"7:15","date":"tomorrow"}}]\n');
});

test("run takes a packed list; where a list's words or places count a command asks for its JSON", async () => {
  const packed = join(folder, "watch.tools");
  await thimble(["tools", "pack", watch, "-o", packed]);
  expect((await thimble(["run", "wake me at 7:15 tomorrow", "--tools", packed])).out).toStartWith("set_alarm ");
  const commands = [["lint"], ["profile", "--tools"], ["playground", "--export", join(folder, "page"), "--tools"]];
  for (const command of commands) {
    const { code, out, err } = await thimble([...command, packed]);
    expect({ code, out, err }, command[0]).toEqual({
      ...{ code: 1, out: "" },
      err: `thimble: ${packed}: expected tools as JSON, got a packed list; give the JSON that it was packed from\n`,
    });
  }
});

test("a file of no tool, or of one that is none, is named by whatever reads it", async () => {
  const [none, odd] = [join(folder, "none.json"), join(folder, "odd.json")];
  writeFileSync(none, "[]");
  const limits = { n: { type: "integer", minimum: "no" } };
  writeFileSync(odd, JSON.stringify([{ name: "f", parameters: limits }]));
  const page = ["playground", "--export", join(folder, "page"), "--tools"];
  for (const command of [
    ["run", "hi", "--tools"],
    ["serve", "--tools"],
    ["tools", "show"],
    ["profile", "--tools"],
    page,
  ])
    for (const [file, message] of [
      [none, "expected one tool at least, got an empty list"],
      [odd, 'tools[0].parameters.n.minimum: expected a number, got "no"'],
    ]) {
      const { code, out, err } = await thimble([...command, file]);
      expect({ code, out, err }).toEqual({ code: 1, out: "", err: `thimble: ${file}: ${message}\n` });
    }
});

test("the playground is written to no folder of other files, and over itself", async () => {
  const [site, notes] = [join(folder, "site"), join(folder, "notes")];
  mkdirSync(notes);
  writeFileSync(join(notes, "diary"), "");
  symlinkSync(join(folder, "gone"), join(folder, "link"));
  for (const place of [notes, join(notes, "diary"), join(folder, "link")]) {
    const { code, err } = await thimble(["playground", "--export", place]);
    expect([code, err]).toEqual([
      1,
      `thimble: --export: expected a new folder, an empty one or one that it wrote before, got ${place}; name another\n`,
    ]);
  }
  expect(readdirSync(notes)).toEqual(["diary"]);
  mkdirSync(site);
  for (let i = 0; i < 2; i++) expect((await thimble(["playground", "--export", site])).code).toBe(0);
});

test("a calibration on few calls is written with a warning", async () => {
  const few = join(folder, "few.jsonl");
  const tools = JSON.parse(readFileSync(watch, "utf8"));
  const line = (n: number) => ({
    ...{ query: `set a timer for ${n} minutes`, tools },
    answers: [{ name: "set_timer", arguments: { duration: `${n} minutes` } }],
  });
  writeFileSync(few, Array.from({ length: 30 }, (_, i) => JSON.stringify(line(i + 2))).join("\n"));
  const { code, err } = await thimble(["calibrate", few, "-o", join(folder, "few.json")]);
  expect(code).toBe(0);
  expect(err).toContain("calibrate: 30 calls tell little of a share of 0.95; give more data, at best 200 calls");
});

test("the playground begins with the tools of a file in any form", async () => {
  const schema = { type: "object", properties: { kind: { type: "string" } } };
  const body = { description: "Soak beans.", parameters: schema };
  const forms = [
    JSON.stringify({ soak: body, rinse: body }),
    JSON.stringify({ result: { tools: ["soak", "rinse"].map((name) => ({ name, inputSchema: schema })) } }),
    JSON.stringify({ functionDeclarations: ["soak", "rinse"].map((name) => ({ name, ...body })) }),
    ["soak", "rinse"].map((name) => JSON.stringify({ name, ...body })).join("\n"),
  ];
  const [file, site] = [join(folder, "forms.json"), join(folder, "site")];
  for (const form of forms) {
    writeFileSync(file, form);
    expect(await thimble(["playground", "--export", site, "--tools", file])).toMatchObject({ code: 0, out: "" });
    const { tools } = ToolSet.from(readFileSync(join(site, "tools.json"), "utf8"));
    expect(tools.map(({ name, parameters }) => [name, parameters.length])).toEqual([
      ["soak", 1],
      ["rinse", 1],
    ]);
  }
}, 60_000);

test("each line of standard input is a request, answered in one line as soon as it is there", async () => {
  const child = Bun.spawn([process.execPath, cli, "run"], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const answers = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => {
    let text = "";
    while (!text.endsWith("\n")) text += (await answers.read()).value ?? "\n";
    return text;
  };
  child.stdin.write("wake me at 7:15 tomorrow\r\n\n  \n");
  child.stdin.flush();
  expect(await next()).toBe('set_alarm {"time":"7:15","date":"tomorrow"}\n');
  child.stdin.write("text anna i am running late and wake me at 7:15 tomorrow");
  child.stdin.end();
  const [first, second, end] = (await next()).split(/[\t\n]/);
  expect([first, second, end]).toEqual([
    'send_message {"recipient":"anna","text":"i am running late"}',
    'set_alarm {"time":"7:15","date":"tomorrow"}',
    "",
  ]);
  expect(await child.exited).toBe(0);
});

test("a line that is no request is answered with what is wrong with it, and the next one all the same", async () => {
  const lines = ["wake me at \xe9 7:15", "a".repeat(1_200_000), "set a timer for 10 minutes"].join("\n");
  const bytes = Buffer.from(lines, "latin1");
  const refused = [
    "standard input, line 1: expected UTF-8, got 0xe9 at byte 11; save it as UTF-8",
    "standard input, line 2: expected at most 1048576 bytes, got 1200000; shorten it",
  ];
  const plain = await thimble(["run"], bytes);
  expect(plain.code).toBe(1);
  expect(plain.out.trim().split("\n")).toEqual([
    ...refused.map((message) => `error: ${message}`),
    'set_timer {"duration":"10 minutes"}',
  ]);
  const json = (await thimble(["run", "--json"], bytes)).out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(json.slice(0, 2)).toEqual(refused.map((error) => ({ error })));
  expect(json[2].calls).toMatchObject([{ name: "set_timer" }]);
});

/** The built command on Node, under a shell: $thimble. */
async function shell(line: string): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, thimble: `node ${fileURLToPath(new URL("../dist/tools/cli.js", import.meta.url))}` };
  const child = Bun.spawn(["sh", "-c", line], { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test("a slow pipe, and a long one, are read to their end on Node", async () => {
  const alarm = { code: 0, out: 'set_alarm {"time":"7:15","date":"tomorrow"}\n', err: "" };
  expect(await shell('(sleep 1; echo "wake me at 7:15 tomorrow") | $thimble run')).toEqual(alarm);
  const slow = await shell(`(sleep 1; cat ${watch}) | $thimble run "wake me at 7:15 tomorrow" --tools -`);
  expect(slow).toEqual(alarm);
  const { code, out } = await shell(
    "yes 'x' | head -c 100000 | tr -d '\\n' | $thimble run --tools $PWD/tools/watch.json",
  );
  expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining("shorten the request") });
});

test("a full disk is said, a reader that stops early is no failure", async () => {
  expect(await shell('$thimble run "wake me at 7:15" > /dev/full')).toEqual({
    code: 1,
    out: "",
    err: "thimble: standard output: expected room for the answer, got ENOSPC\n",
  });
  // As many as it would make for hours.
  const { code, err } = await shell("$thimble data synth --count 1000000000 | head -1");
  expect({ code, err }).toEqual({ code: 0, err: "" });
});

test("an input is never written over, and a file that cannot be written is said, before the work for it", async () => {
  const [data, tools, other] = ["own.train.jsonl", "own.json", "own.svg"].map((name) => join(folder, name));
  writeFileSync(data, readFileSync(fixture("eval.jsonl")));
  writeFileSync(tools, readFileSync(watch));
  symlinkSync(data, other);
  const same = (path: string, input: string) => `${path}: expected another file than the input ${input}, got the same`;
  const none = (path: string) => `${path}: expected a file that can be written, got ENOENT`;
  const cases: [string[], number, string][] = [
    [["finetune", data, "-o", data], 2, same(data, data)],
    [["finetune", "--tools", tools, "-o", tools], 2, same(tools, tools)],
    [["finetune", "--tools", tools, "-o", "/none/x"], 1, none("/none/x")],
    [["calibrate", data, "-o", other], 2, same(other, data)],
    [["calibrate", data, "--svg", "/none/x"], 1, none("/none/x")],
    [["data", "split", data, "-o", join(folder, "own")], 2, same(data, data)],
    [["data", "synth", "--tools", tools, "-o", tools], 2, same(tools, tools)],
  ];
  for (const [args, code, message] of cases) {
    const got = await thimble(args);
    expect([got.code, got.out, got.err.trim().split("\n").at(-1)]).toEqual([
      code,
      "",
      expect.stringContaining(message),
    ]);
  }
  expect(readFileSync(data, "utf8")).toBe(readFileSync(fixture("eval.jsonl"), "utf8"));
  expect(readFileSync(tools, "utf8")).toBe(readFileSync(watch, "utf8"));
}, 60_000);

test("a file that cannot be written, or not whole, is said with its name", async () => {
  const data = join(folder, "cut.jsonl");
  const says = (path: string, got: string) => ({
    code: 1,
    out: "",
    err: `thimble: ${path}: expected a file that can be written, got ${got}; check the path and the disk\n`,
  });
  const read = "$thimble tools read $PWD/tools/watch.json -o";
  expect(await shell(`${read} /dev/full`)).toEqual(says("/dev/full", "ENOSPC"));
  expect(await shell(`${read} /none/tools.kv`)).toEqual(says("/none/tools.kv", "ENOENT"));
  expect(await shell(`${read} /tmp`)).toEqual(says("/tmp", "a folder"));
  // The system writes what still fits, and says how much.
  const cut = await shell(`trap '' XFSZ; ulimit -f 8; $thimble data synth --count 100 -o ${data}`);
  expect({ ...cut, err: cut.err.replace(/^data synth: .*\n/, "") }).toEqual(says(data, "EFBIG"));
});

test("a pack whose words would steer a terminal is refused, and nothing of them is printed", async () => {
  const path = join(folder, "escape.thimble");
  const checkpoint = randomCheckpoint(oddGeometry, 1);
  const provenance = { "note\x1b[2J": "red\x1b[31m\nred" };
  writeFileSync(path, convert(checkpoint, await somePieces(301), { licence: "te\x07st", provenance }));
  const { code, out, err } = await thimble(["inspect", path]);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err.trimEnd()).not.toMatch(/\p{Cc}/u);
  expect(err).toContain("header.licence: expected a line of text");
});

test("what a tool asks and the grammar does not hold to is shown by run, run --json and inspect --tools", async () => {
  const path = join(folder, "pattern.json");
  const note = { type: "string", pattern: "^a" };
  writeFileSync(path, JSON.stringify([{ name: "note", parameters: { type: "object", properties: { note } } }]));
  const warning = "parameters.properties.note.pattern is not held to";
  const plain = await thimble(["run", "note apples", "--tools", path]);
  expect(plain.err).toContain(warning);
  expect(plain.out).not.toContain(warning);
  const json = await thimble(["run", "note apples", "--tools", path, "--json"]);
  expect(JSON.parse(json.out).warnings).toMatchObject([{ keyword: "pattern" }]);
  expect((await thimble(["inspect", "--tools", path])).out).toContain(warning);
  const inspected = JSON.parse((await thimble(["inspect", "--tools", path, "--json"])).out);
  expect(inspected.tools).toMatchObject({ count: 1, warnings: [{ keyword: "pattern" }] });
  expect(inspected.tools.promptTokens).toBeGreaterThan(10);
});

test.each(["tools", "data", "eval"])(
  "a file that is not UTF-8 is refused by %s with the byte's place",
  async (name) => {
    const path = join(folder, "latin1.json");
    writeFileSync(path, Buffer.from('[{"name":"caf\xe9"}]', "latin1"));
    const args = { tools: ["tools", "show"], data: ["data", "check"], eval: ["eval"] }[name] as string[];
    const { code, err } = await thimble([...args, path]);
    expect(err).toContain(`${path}: expected UTF-8, got 0xe9 at byte 13; save it as UTF-8`);
    expect(code).toBe(1);
  },
);

test("no tool fits is said in words", async () => {
  expect((await thimble(["run", "what is the capital of france"])).out).toBe("no tool fits\n");
});

test("build converts a checkpoint, inspect shows it, run runs it", async () => {
  const pack = join(folder, "tiny.thimble");
  const vocab = join(folder, "vocab.txt");
  const pieces = readFileSync(fixture("nano.vocab.txt"), "utf8").split("\n").slice(0, 96).join("\n");
  writeFileSync(vocab, pieces);
  const built = await thimble([
    "build",
    fileURLToPath(fixture("tiny.safetensors")),
    "-o",
    pack,
    "--vocab",
    vocab,
    "--licence",
    "Apache-2.0",
  ]);
  expect(built).toEqual({ code: 0, out: `${pack} ${readFileSync(pack).length} bytes\n`, err: "" });
  const { code, out } = await thimble(["inspect", pack, "--json"]);
  expect(code).toBe(0);
  const shown = JSON.parse(out);
  expect(shown.geometry).toMatchObject({ vocabSize: 96, dModel: 64, nEncoderLayers: 2, contrastiveDim: 16 });
  expect(shown.provenance).toEqual({
    source: "tiny.safetensors",
    vocabulary: "vocab.txt",
    note: "random weights, made for conformance tests",
  });
  expect(shown.threads).toEqual({ cores: availableParallelism(), missing: null });
  expect((await thimble(["inspect"])).out).toContain("every checksum right");
});

test("inspect tells an old host which ones would be faster, and a new one nothing", async () => {
  expect(JSON.parse((await thimble(["inspect", "--json"])).out)).toMatchObject({
    kernels: detectBuild(),
    faster: null,
  });
  const withoutRelaxed = join(folder, "unrelaxed.js");
  const hide =
    "const { validate } = WebAssembly; WebAssembly.validate = (bytes) => bytes.length === SIMD && validate(bytes);";
  writeFileSync(withoutRelaxed, hide.replace("SIMD", String(kernelModule("simd").length)));
  const { stdout } = Bun.spawnSync([process.execPath, "--preload", withoutRelaxed, cli, "inspect"]);
  expect(stdout.toString()).toContain("here: simd kernels (relaxed ones prefill twice as fast: Node 22 and later");
});

test("inspect says aloud what keeps threads away; run takes them where they are", async () => {
  const preload = join(folder, "unshared.js");
  writeFileSync(preload, "delete globalThis.SharedArrayBuffer;");
  const { stdout } = Bun.spawnSync([process.execPath, "--preload", preload, cli, "inspect"]);
  expect(stdout.toString()).toContain("no threads: expected a host with SharedArrayBuffer");
  const { out } = await thimble(["run", "wake me at 7:15 tomorrow", "--threads", "2", "--json"]);
  expect(JSON.parse(out)).toMatchObject({ threads: 2, calls: [{ name: "set_alarm" }] });
});

test("bench --json has the documented keys", async () => {
  const { code, out } = await thimble(["bench", "--json", "--runs", "1", "--kernels", "simd", "--threads", "2"]);
  expect(code).toBe(0);
  const report = JSON.parse(out);
  expect(Object.keys(report)).toEqual([
    ...[
      "machine",
      "isa",
      "threads",
      "geometry",
      "packBytes",
      "kernelBytes",
      "loadMs",
      "linearMemoryBytes",
      "peakRssBytes",
    ],
    ...["prefill", "decode", "grammar", "callMs"],
  ]);
  expect(report.threads).toBe(2);
  expect(report.prefill.map((p: { promptTokens: number }) => p.promptTokens)).toEqual([32, 128, 271, 512]);
  expect(Object.keys(report.prefill[0])).toEqual(["promptTokens", "tokensPerSecond", "gmacPerSecond"]);
  expect(Object.keys(report.decode)).toEqual(["free", "grammar"]);
});

test("bench --roofline --json: the host's peaks, and every kernel's share of one", async () => {
  const { code, out } = await thimble(["bench", "--roofline", "--json", "--runs", "1", "--kernels", "simd"]);
  expect(code).toBe(0);
  const report = JSON.parse(out);
  expect(Object.keys(report)).toEqual(["machine", "isa", "nibblePeak", "pairPeak", "readPeak", "kernels"]);
  for (const peak of [report.nibblePeak, report.pairPeak, report.readPeak]) expect(peak).toBeGreaterThan(0);
  const named = (name: string) => report.kernels.find((kernel: { name: string }) => kernel.name.startsWith(name));
  for (const name of ["matmul_1", "matmul_2", "matmul_4", "attention_1", "attention_2", "attention_4", "logit_rows"])
    expect(["dot", "read"]).toContain(named(name).roof);
  for (const name of ["argmax", "softmax", "rms_norm", "quantize"]) expect(named(name).micros).toBeGreaterThan(0);
});

test("bench --cold --json: CPU time and memory of a start by phase, of the load and of thimble run, beside a bare process", async () => {
  const { code, out } = await thimble(["bench", "--cold", "--json", "--runs", "1", "--kernels", "simd"]);
  expect(code).toBe(0);
  const { bare, phases, cpuMs, loadCpuMs, oneShot } = JSON.parse(out);
  const names = ["process start", "import", "header", "kernels", "tokenizer and session", "weights", "first call"];
  expect(phases.map(({ phase }: { phase: string }) => phase)).toEqual(names);
  const sum = (some: { cpuMs: number }[]) => some.reduce((total, phase) => total + phase.cpuMs, 0);
  expect(sum(phases)).toBeCloseTo(cpuMs, 0);
  expect(sum(phases.slice(2, 6))).toBeCloseTo(loadCpuMs, 0);
  for (const { cpuMs, ms, rssBytes } of [bare, ...phases, oneShot]) {
    expect(Math.min(cpuMs, ms)).toBeGreaterThan(0);
    expect(rssBytes).toBeGreaterThan(1 << 20);
  }
  expect(oneShot.answer).toContain('set_alarm {"time":"7:15","date":"tomorrow"}');
});

test.each([
  [
    ["--roofline", "--threads", "2"],
    "--threads: --roofline does not read it; expected at most --kernels, --runs, --json",
  ],
  [["--cold", "--catalogue"], "bench: expected one of --cold, --catalogue, got 2"],
  [["--beside", "x.thimble"], "--beside: a plain bench does not read it"],
])("bench %p: an option that would be ignored is refused", async (words, says) => {
  const { err, code } = await thimble(["bench", ...words]);
  expect(err).toContain(says);
  expect(code).toBe(2);
});

test("bench --margins lists a token that the reference did not pick, and fails where its gap is 0.5 or more", async () => {
  const file = join(folder, "answers.json");
  const margins = async (ids: number[], gap: number) => {
    const cases = [
      { query: "hi", tools: [], encoder_ids: [300, 400, 5, 500], int4: { ids, gaps: ids.map(() => gap) } },
    ];
    await Bun.write(file, JSON.stringify({ cases }));
    return thimble(["bench", "--margins", file, "--kernels", "simd", "--json"]);
  };
  const listed = await margins([7], 0.49);
  expect(listed.code).toBe(0);
  const [{ token, ...rest }] = JSON.parse(listed.out).differences;
  expect(rest).toEqual({ prompt: 0, step: 0, reference: 7, gap: 0.49 });
  expect((await margins([7], 0.5)).code).toBe(1);
  const own = await margins([token], 9);
  expect(own.code).toBe(0);
  expect(JSON.parse(own.out)).toEqual({ isa: "simd", steps: 1, differences: [] });
  const says = async (one: object) => {
    await Bun.write(file, JSON.stringify({ cases: [one] }));
    return (await thimble(["bench", "--margins", file, "--kernels", "simd"])).err;
  };
  expect(await says({ query: "hi", tools: [] })).toContain("answers.json: case 0: expected encoder_ids");
  const int4 = { ids: [token], gaps: [9] };
  expect(await says({ encoder_ids: [300], int4: { ...int4, gaps: [null] } })).toContain("expected a gap for each of 1");
  expect(await says({ encoder_ids: [99999], int4 })).toContain("expected ids below 4096");
  expect(await says({ query: "hi", query_ids: [1, 2, 3, 4, 5, 6, 7], tools: [], int4 })).toContain(
    "query_ids, as this",
  );
});

test.each(["run", "build", "pull", "inspect", "bench", "profile", "lint", "eval", "calibrate", "data"])(
  "%s --help shows the command and a real example",
  async (name) => {
    const { code, out } = await thimble([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toStartWith(`thimble ${name}`);
    expect(out.trim().split("\n").at(-1)).toStartWith(`  thimble ${name} `);
  },
);

test.each([
  ["an unknown command", ["rum"], 2, "expected a command, one of run, build"],
  ["an option's missing value", ["run", "x", "--tools"], 2, "--tools: expected a value, got none"],
  ["an option in place of a value", ["run", "x", "--tools", "--json"], 2, "--tools: expected a value, got none"],
  ["a value that an option does not take", ["run", "x", "--json=3"], 2, "--json: expected no value, got one"],
  ["an unknown option", ["run", "x", "--tool", "t.json"], 2, "expected an option, one of --tools, --offer"],
  ["a missing output", ["build", "x"], 2, "expected -o PACK"],
  ["wrong kernels", ["run", "x", "--kernels", "neon"], 2, "expected one of dot, relaxed, simd, scalar"],
  [
    "a missing pack",
    ["run", "x", "--model", "nowhere.thimble"],
    1,
    "nowhere.thimble: expected a readable pack, got ENOENT",
  ],
  [
    "a missing tuning",
    ["run", "x", "--tuning", "nowhere.thimble"],
    1,
    "tuning: nowhere.thimble: expected a readable pack, got ENOENT; check the path\n",
  ],
  ["a file that is no pack", ["inspect", cli], 1, `${cli}: magic: expected a thimble pack`],
  ["missing tools", ["run", "x", "--tools", "nowhere.json"], 1, "nowhere.json: expected a readable file"],
  ["tools that are not JSON", ["run", "x", "--tools", cli], 1, "tools: expected JSON"],
  ["an empty request", ["run", " "], 2, "run: expected a request, got none"],
  [
    "own tools and no request to profile",
    ["profile", "--tools", watch],
    2,
    "expected a request for the tools of --tools, got none",
  ],
  ["no request at all", ["run"], 2, "run: expected a request, got an empty input"],
  ["a request and tools from one input", ["run", "--tools", "-"], 2, "standard input holds the tools"],
  ["a folder as a pack", ["run", "x", "--model", folder], 1, `model: expected a pack, got the folder ${folder}; give`],
  ["a pack to bench without --model", ["bench", cli], 2, "bench: expected options alone"],
  ["two packs to inspect", ["inspect", cli, cli], 2, "inspect: expected one pack, got 2"],
  ["a folder to inspect", ["inspect", folder], 1, `expected a pack, got the folder ${folder}`],
  ["a folder of tools", ["run", "x", "--tools", folder], 1, `${folder}: expected a readable file, got a folder`],
  ["a checkpoint that is none", ["build", cli, "-o", join(folder, "x")], 1, "cli.ts"],
])("%s: exit code and one line", async (_, args, want, message) => {
  const { code, out, err } = await thimble(args);
  expect(err).toContain(message);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(err).toStartWith("thimble: ");
  expect({ code, out }).toEqual({ code: want, out: "" });
});

test("bench --budget measures each budget and resident weights; --arrival a prefill that does not wait for the download", async () => {
  const { code, out } = await thimble(["bench", "--budget", "4.5,5", "--runs", "1", "--json"]);
  expect(code).toBe(0);
  const { reports } = JSON.parse(out);
  expect(reports.map((report: { memoryBytes: number }) => report.memoryBytes)).toEqual([
    4.5 * 2 ** 20,
    5 * 2 ** 20,
    null,
  ]);
  const stays = reports.map((report: { residentBytes: number }) => report.residentBytes);
  expect(stays).toEqual([...new Set<number>(stays)].sort((a, b) => a - b));
  for (const { linearMemoryBytes, memoryBytes } of reports.slice(0, 2)) {
    expect(linearMemoryBytes).toBeLessThanOrEqual(memoryBytes);
  }
  const arrival = JSON.parse((await thimble(["bench", "--arrival", "--runs", "1", "--json"])).out);
  // Paced by the server, so that no machine is too slow for it: the last half megabyte comes after the prefill.
  expect(arrival.downloadThenRunMs - arrival.asItArrivesMs).toBeGreaterThan(100);
  expect((await thimble(["bench", "--budget", "much"])).code).toBe(2);
});
