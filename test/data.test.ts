/** The laws of the data command. No endpoint but loopback stubs. */
import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { ToolSet } from "../runtime/tools/tools.ts";
import { type Options, parse } from "../tools/command.ts";
import { actions } from "../tools/data/actions.ts";
import { asides, baseTools } from "../tools/data/catalogue.ts";
import { type GenerateOptions, generate, wholeObjects } from "../tools/data/generate.ts";
import { checkCalls, type FlatParam, type FlatTool, numbersIn, ungrounded } from "../tools/data/ground.ts";
import { invent, phraseFor } from "../tools/data/invent.ts";
import { lexiconFolder, readLexicon } from "../tools/data/lexicon.ts";
import { normalised } from "../tools/data/line.ts";
import { readLines } from "../tools/data/lines.ts";
import { mean } from "../tools/data/meaning.ts";
import { leaks, split, toolCounts } from "../tools/data/measures.ts";
import { numberWords } from "../tools/data/numerals.ts";
import { Random } from "../tools/data/random.ts";
import { ask, type Request, sameKind, smooth } from "../tools/data/request.ts";
import { roleGroups } from "../tools/data/roles.ts";
import { kinds } from "../tools/data/scenes.ts";
import { correct } from "../tools/data/speech.ts";
import { type Example, synthesize } from "../tools/data/synth.ts";
import { readTemplate, say, template, ways } from "../tools/data/template.ts";
import { things } from "../tools/data/things.ts";
import { readTool } from "../tools/data/tool.ts";
import { typed } from "../tools/data/typed.ts";
import { make } from "../tools/data/values.ts";
import { data } from "../tools/data.ts";
import { fixture, thimble } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "thimble-data-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command and returns what it printed and its exit code. */
async function thimbleData(...args: string[]): Promise<{ out: string; code: number }> {
  const { write } = process.stdout;
  let out = "";
  process.exitCode = 0;
  process.stdout.write = (text) => {
    out += text;
    return true;
  };
  try {
    await data.run(parse(args, data.options));
    return { out, code: Number(process.exitCode) };
  } finally {
    process.stdout.write = write;
    process.exitCode = 0;
  }
}

const lexicon = readLexicon(lexiconFolder() as string);
const stream = (seed: number, count: number): Example[] =>
  Array.from({ length: count }, (_, i) => synthesize(seed, i, lexicon));
const many = stream(2026, 20000);

/** What a flat parameter says, as JSON Schema: what is required stands in a list. */
function jsonSchema({ required: _, properties, items, ...rest }: FlatParam): object {
  if (!properties) return { ...rest, ...(items && { items: jsonSchema(items) }) };
  const entries = Object.entries(properties);
  return {
    ...rest,
    properties: Object.fromEntries(entries.map(([key, param]) => [key, jsonSchema(param)])),
    required: entries.filter(([, param]) => param.required).map(([key]) => key),
    additionalProperties: false,
  };
}

describe("synth", () => {
  test("20,000 examples: every value stands in the request, or is an enum, a number said, or a boolean", () => {
    for (const { query, answers, tools } of many) expect(ungrounded(query, answers, tools)).toBeNull();
    // Not by the generator's own checker: strings without an enum are copied letter for letter.
    for (const { query, answers, tools } of many) {
      for (const call of answers) {
        const { parameters } = tools.find(({ name }) => name === call.name)!;
        for (const [key, value] of Object.entries(call.arguments)) {
          if (typeof value === "string" && !parameters[key].enum) expect(query).toContain(value);
        }
      }
    }
  });

  test("20,000 examples: every answer validates against its tools, by Ajv on a sample", () => {
    const ajv = new Ajv({ strict: false });
    for (const [i, { answers, tools }] of many.entries()) {
      checkCalls(answers, tools);
      if (i % 50) continue;
      for (const call of answers) {
        const { parameters } = tools.find(({ name }) => name === call.name)!;
        const schema = jsonSchema({ type: "object", properties: parameters });
        expect(ajv.validate(schema, call.arguments)).toBe(true);
      }
    }
  });

  test("20,000 examples: every tool set passes ToolSet.from, without a warning", () => {
    for (const { tools } of many) expect(ToolSet.from(tools as never).warnings).toEqual([]);
  }, 60_000);

  test("same seed, same bytes, from wherever one starts; another seed, other requests", () => {
    expect(JSON.stringify(stream(7, 300))).toBe(JSON.stringify(stream(7, 300)));
    expect(synthesize(7, 250, lexicon)).toEqual(stream(7, 300)[250]);
    const other = new Set(stream(8, 300).map(({ query }) => query));
    expect(stream(7, 300).filter(({ query }) => other.has(query)).length).toBeLessThan(15);
  });

  test("Node writes the bytes that Bun writes", async () => {
    const file = join(folder, "synth.jsonl");
    const built = await Bun.build({
      entrypoints: ["synth", "lexicon"].map((name) =>
        fileURLToPath(new URL(`../tools/data/${name}.ts`, import.meta.url)),
      ),
      outdir: folder,
      naming: "[name].mjs",
      target: "node",
    });
    expect(built.success).toBe(true);
    const module = (name: string) => JSON.stringify(pathToFileURL(join(folder, name)).href);
    const script = `import {synthesize} from ${module("synth.mjs")};
      import {readLexicon} from ${module("lexicon.mjs")};
      const lexicon = readLexicon(${JSON.stringify(lexiconFolder())});
      for (let i = 0; i < 500; i++) console.log(JSON.stringify(synthesize(5, i, lexicon)));`;
    await thimbleData("synth", "--count", "500", "--seed", "5", "-o", file);
    const node = spawnSync("node", ["--input-type=module", "-e", script], { encoding: "utf8", maxBuffer: 1 << 26 });
    expect(node.stderr).toBe("");
    expect(node.stdout).toBe(readFileSync(file, "utf8"));
  });

  test("the stream of seed 1 begins as test/fixtures/data-seed1.jsonl has it", () => {
    const lines = stream(1, 20).map((example) => `${JSON.stringify(example)}\n`);
    expect(lines.join("")).toBe(readFileSync(fixture("data-seed1.jsonl"), "utf8"));
  });

  test("all kinds occur in their shares, give or take a fifth", () => {
    const total = Object.values(kinds).reduce((sum, weight) => sum + weight, 0);
    for (const [kind, weight] of Object.entries(kinds)) {
      const share = many.filter((example) => example.kind === kind).length / many.length;
      expect(Math.abs(share / (weight / total) - 1), kind).toBeLessThan(0.2);
    }
  });

  test("kinds keep their promise: none and near call nothing, single and indirect once, several more than once", () => {
    for (const { kind, answers } of many) {
      if (kind === "none" || kind === "near") expect(answers).toEqual([]);
      if (["single", "indirect", "corrected"].includes(kind)) expect(answers.length).toBe(1);
      if (kind === "several") expect(answers.length).toBeGreaterThan(1);
      if (kind === "missing" || kind === "negated") expect(answers.length).toBeLessThan(2);
    }
  });

  test("about one in ten is refused, spoken like the others, before lists of every length, never before none", () => {
    const refused = many.filter(({ answers }) => !answers.length);
    const share = refused.length / many.length;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.13);
    for (const { tools } of many) expect(tools.length).toBeGreaterThan(0);
    const long = (examples: Example[]) => examples.filter(({ tools }) => tools.length > 10).length / examples.length;
    expect(long(refused)).toBeGreaterThan(0.02);
    expect(long(many)).toBeGreaterThan(0.02);
    expect(Math.max(...many.map(({ tools }) => tools.length))).toBeGreaterThan(24);
    const lower = (examples: Example[]) =>
      examples.filter(({ query }) => !/[A-Z.?!,]/.test(query)).length / examples.length;
    expect(Math.abs(lower(refused) - lower(many))).toBeLessThan(0.1);
  });

  test("no request ends in a joining word that has nothing to join", () => {
    for (const { query, kind } of many) if (kind === "single") expect(query).not.toMatch(/ (and|with the|,)[.!?]?$/);
  });

  test("20,000 examples: none says 'on tomorrow' or 'at in an hour'", () => {
    for (const { query } of many)
      expect(query).not.toMatch(/(?<!with \w+ )\b(on|at) (tomorrow|tonight|next (week|month)|in an hour)\b/i);
  });

  test("what a recogniser heard has no capitals and no full stops", () => {
    for (const { query, kind } of many)
      if (kind === "heard" && !query.includes("@")) expect(query).not.toMatch(/[A-Z?!]|\.$/);
  });

  test("at least 120 base tools in 19 domains, each asked for in at least three ways, each tool in many dresses", () => {
    const all = Object.values(baseTools).flat();
    expect(all.length).toBeGreaterThanOrEqual(120);
    expect(Object.keys(baseTools).length).toBeGreaterThanOrEqual(19);
    for (const tool of all) {
      const phrasings = tool.say.reduce((sum, phrase) => sum + ways(phrase), 0);
      expect(phrasings, tool.id).toBeGreaterThanOrEqual(3);
    }
    const dresses = new Set(many.flatMap(({ tools }) => tools.map((tool) => JSON.stringify(tool))));
    expect(dresses.size).toBeGreaterThan(40000);
  });

  test("a request rarely comes twice: above 87% of 20,000 are unlike all others", () => {
    expect(new Set(many.map(({ query }) => normalised(query))).size / many.length).toBeGreaterThan(0.87);
  });
});

describe("requests", () => {
  const smoothed = (request: Request) => {
    smooth(request);
    return request;
  };
  /** Every phrase of every base tool, filled thrice. */
  const allTools = Object.values(baseTools).flat();
  const filled = allTools.flatMap((tool) =>
    [...tool.phrases.full, ...tool.hint].flatMap((phrase, i) =>
      [1, 2, 3].map((seed) => ({ tool, phrase, request: smoothed(ask(tool, phrase, new Random(seed, i))) })),
    ),
  );
  const textOf = ({ pieces }: Request) => pieces.map(({ text }) => text).join("");
  /** What a phrase of a tool says under each of 3,000 seeds. */
  const sayings = (tool: Parameters<typeof ask>[0], phrase: string) =>
    Array.from({ length: 3000 }, (_, seed) => smoothed(ask(tool, template(phrase), new Random(seed))));
  const known = (id: string) => allTools.find((tool) => tool.id === id)!;

  test("roles of one kind hold different values: nobody flies from Rome to Rome", () => {
    let paired = 0;
    for (const { request, phrase } of filled) {
      for (const { args } of request.asks) {
        const said = [...args].filter(
          ([{ slot }, { piece, value }]) => piece && typeof value !== "number" && slot !== "flag",
        );
        for (const [i, [param, { piece }]] of said.entries()) {
          for (const [, arg] of said.slice(0, i).filter(([other]) => sameKind(other, param))) {
            expect(arg.piece!.text.toLowerCase(), phrase.source).not.toBe(piece!.text.toLowerCase());
            paired++;
          }
        }
      }
    }
    expect(paired).toBeGreaterThan(200);
    for (const request of sayings(known("exchange_rate"), "{from_currency}/{to_currency}")) {
      const [from, to] = textOf(request).toLowerCase().split("/");
      expect(from).not.toBe(to);
    }
  });

  test("enums of different lists may agree, and two of three values of an enum of two must", () => {
    const takes = {
      a: "<small|medium>! A.",
      b: "<medium|large>! A.",
      c: "<on|off>! A.",
      d: "<on|off>! A.",
      e: "<on|off>! A.",
    };
    const tool = readTool("t", "d", { names: "u", about: "A.", takes, say: ["{a}"] });
    const sizes = new Set(sayings(tool, "{a} {b}").map(textOf));
    expect([...sizes].sort()).toEqual(["medium large", "medium medium", "small large", "small medium"]);
    const states = sayings(tool, "{c} {d} {e}").map(textOf);
    for (const text of states) expect(text).toMatch(/^(on off|off on) (on|off)$/);
  });

  test("a span of days ends after it starts, where words tell: nobody leaves next week and returns today", () => {
    const order = ["today", "tomorrow", "the day after tomorrow", "next week", "next month"];
    let told = 0;
    for (const phrase of ["{departure_date}/{return_date}", "{return_date}/{departure_date}"]) {
      for (const request of sayings(known("search_return_flights"), phrase)) {
        const days = textOf(request)
          .split("/")
          .map((day) => order.indexOf(day));
        if (days.includes(-1)) continue;
        const [start, end] = phrase.startsWith("{return") ? days.reverse() : days;
        expect(start).toBeLessThan(end);
        told++;
      }
    }
    expect(told).toBeGreaterThan(50);
  });

  test("the least never exceeds the most", () => {
    for (const phrase of ["{min_price} {max_price}", "{max_price} {min_price}"]) {
      for (const { asks } of sayings(known("price_search"), phrase)) {
        const [low, high] = ["min_price", "max_price"].map(
          (name) => [...asks[0].args].find(([param]) => param.name === name)!,
        );
        expect(low[1].value as number).toBeLessThanOrEqual(high[1].value as number);
      }
    }
  });

  test("a group of roles says no two alike, and every order of them is asked for", () => {
    for (const { roles } of roleGroups) {
      const said = roles.flatMap((role) => role.said);
      expect(new Set(said).size).toBe(said.length);
    }
    const orders = new Set<string>();
    for (let seed = 0; seed < 20000; seed++) {
      const random = new Random(seed);
      const invention = invent(random, null);
      const names = ask(invention.tool, phraseFor(invention, random), random).asks[0].args.keys();
      const said = [...names].map(({ name }) => name).filter((name) => ["width", "height", "depth"].includes(name));
      if (said.length === 3) orders.add(said.join());
    }
    expect(orders.size).toBe(6);
  });

  test("within a class no two actions share a way, no two things a word, and a thing is said as it is not named", () => {
    for (const kind of Object.keys(things)) {
      const ways = actions.filter((action) => action.class === kind).flatMap((action) => action.ways);
      expect(ways.filter((way, i) => ways.indexOf(way) < i)).toEqual([]);
      const words = things[kind].flat();
      expect(words.filter((word, i) => words.indexOf(word) < i)).toEqual([]);
    }
    let other = 0;
    for (let seed = 0; seed < 2000; seed++) {
      const random = new Random(seed);
      const { tool, phrase } = mean(random);
      const text = textOf(ask(tool, phrase, random));
      if (!tool.id.split("_").some((word) => text.includes(word))) other++;
    }
    expect(other).toBeGreaterThan(500);
  });

  test("a neighbour in meaning never answers the request: it shares the thing or the action, not both", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const random = new Random(seed);
      const meaning = mean(random);
      const near = mean(random, meaning);
      expect([near.action === meaning.action, near.thing === meaning.thing]).not.toEqual([true, true]);
      expect(near.action === meaning.action || near.thing === meaning.thing).toBe(true);
    }
  });

  test("lexicon: a row has two words of one sense at least, and its near words are none of its contrary's", () => {
    expect(lexicon.verbs.length).toBeGreaterThan(200);
    expect(lexicon.nouns.length).toBeGreaterThan(500);
    for (const { words, near } of [...lexicon.verbs, ...lexicon.nouns]) {
      expect(new Set(words).size).toBeGreaterThan(1);
      for (const word of words) expect(near?.has(word)).toBe(true);
    }
    const row = lexicon.verbs.find(({ words }) => words.includes("phone"));
    expect(row?.words).toContain("telephone");
    for (const [kind, words] of Object.entries(lexicon.kinds)) expect(words.length, kind).toBeGreaterThan(1);
  });

  test("siblings of an invented tool share its verb or its noun and no word of the other", () => {
    const shares = (a: string[], b: string[]) => a.some((word) => b.includes(word));
    for (let seed = 0; seed < 2000; seed++) {
      const random = new Random(seed);
      const { kin } = invent(random, lexicon);
      const near = invent(random, lexicon, kin).kin;
      expect(near.noun === kin.noun).not.toBe(near.verb === kin.verb);
      if (near.verb !== kin.verb) expect(shares(near.verb.words, kin.verb.words)).toBe(false);
      if (near.noun !== kin.noun) expect(shares(near.noun.words, kin.noun.words)).toBe(false);
    }
  });

  test("values that tell themselves apart are of the kind their parameter names, and an enum names the value's kind", () => {
    for (let seed = 0; seed < 1000; seed++) {
      const random = new Random(seed);
      const { tool, phrase } = typed(random, lexicon);
      const [{ args }] = ask(tool, phrase, random).asks;
      for (const [{ slot, choices }, { value, piece }] of args) {
        const kind = choices.length ? String(value) : slot.replace("kind ", "");
        const word = choices.length ? [...args.values()].find((arg) => arg.piece)?.piece?.text : piece?.text;
        expect(lexicon.kinds[kind]).toContain(word ?? "");
      }
    }
  });

  test("without the lexicon examples are made all the same", () => {
    for (let i = 0; i < 300; i++) expect(synthesize(3, i).query).toBeTruthy();
  });

  test("reported speech ends where courtesy begins, and begins after its 'that' or 'to'", () => {
    for (const [id, phrase] of [
      ["tell_person", "tell {person} to {message~deed} please"],
      ["tell_person", "let {person} know that {message}, thanks"],
    ]) {
      for (const { asks } of sayings(known(id), phrase).slice(0, 500)) {
        const said = [...asks[0].args].find(([param]) => param.name === "message")![1].piece!.text;
        expect(said).not.toMatch(/^(that|to) |(please|thanks)$/);
      }
    }
  });

  test("values leave out 'my', and 'the' but for titles and days", () => {
    const values = many.flatMap(({ answers, tools }) =>
      answers.flatMap(({ name, arguments: args }) => {
        const { parameters } = tools.find((tool) => tool.name === name)!;
        return Object.entries(args).flatMap(([key, value]) => (parameters[key].enum ? [] : [String(value)]));
      }),
    );
    const share = (start: RegExp) => values.filter((value) => start.test(value)).length / values.length;
    expect(share(/^(my|this|that) /)).toBeLessThan(0.01);
    expect(share(/^the (?!\d)/)).toBeLessThan(0.02);
  });

  test("only times drop the preposition before 'this', 'next' and 'in': what's written on this letter", () => {
    const texts = sayings(known("read_text"), "what's written on {what}").map(textOf);
    for (const text of texts) expect(text).toStartWith("what's written on ");
    expect(texts).toContain("what's written on this letter");
    expect(sayings(known("search_hotels"), "a room on {check_in}").map(textOf)).toContain("a room this weekend");
  });

  test("spans of time count in the plural, but for one: no '1 hours', no '4 hour', no sprinklers in ten months", () => {
    for (const slot of ["duration", "span", "brief", "slotTime"]) {
      for (let seed = 0; seed < 3000; seed++) {
        const { text } = make(slot, new Random(seed));
        expect(text).not.toMatch(/\b1 (hour|minute|second)s\b|\b(?!1 )\d+ (hour|minute|second)\b|month/);
      }
    }
  });

  test("a wrong value and its right one both suit their article: 'a dentist, no, eye doctor'", () => {
    for (const phrase of ["an {what}", "a {what}"]) {
      const tool = readTool("t", "d", { names: "u", about: "A.", takes: { what: "attraction! A." }, say: [phrase] });
      for (let seed = 0; seed < 300; seed++) {
        const random = new Random(seed);
        const request = ask(tool, template(phrase), random);
        correct(request, random);
        expect(textOf(smoothed(request))).toMatch(/^(an [aeio]|a [^aeio])/);
      }
    }
  });

  test("filling mends what it leaves askew: no 'on tomorrow', no 'one tickets', no 'a espresso'", () => {
    for (const one of filled) {
      const text = textOf(one.request);
      expect(text).not.toMatch(/\b(on|at) (tomorrow|today|tonight|next (week|month)|in (an|\d+) )/);
      expect(text).not.toMatch(/(^| )(one|1) (bus )?(tickets|seats|rooms|cups|slices|portions|stars)\b/);
      for (const [i, { text: value, param }] of one.request.pieces.entries()) {
        if (param && /^[aeio]/i.test(value)) expect(one.request.pieces[i - 1]?.text ?? "").not.toMatch(/(^| )a $/);
      }
    }
  });

  test("a truth is only ever meant, and what is meant is true or false", () => {
    let meant = 0;
    for (const { request } of filled) {
      for (const [{ slot }, { piece, value }] of request.asks.flatMap(({ args }) => [...args])) {
        if (slot !== "truth") continue;
        expect(piece).toBeUndefined();
        expect(typeof value).toBe("boolean");
        meant++;
      }
    }
    expect(meant).toBeGreaterThan(30);
  });

  test("circumstances before a request hold no value: no slot, no number, no name", () => {
    const all = Object.values(asides).flat();
    expect(all.length).toBeGreaterThan(40);
    for (const aside of all) expect(aside.replace(/\bI\b/g, "i")).not.toMatch(/[{}\d[\]A-Z]/);
  });

  test("a key that says nothing has a description that does", () => {
    let opaque = 0;
    for (const { parameters } of many.flatMap(({ tools }) => tools)) {
      for (const [key, { description }] of Object.entries(parameters)) {
        if (!/^(arg|value_|p|param_|field|x|input_|slot)\d$/.test(key)) continue;
        expect(description).toBeTruthy();
        opaque++;
      }
    }
    expect(opaque).toBeGreaterThan(1000);
  });

  test("appliances, travel, bookings and banking are often asked for with nothing optional said", () => {
    const own = new Map(
      ["appliances", "travel", "bookings", "banking"].flatMap((domain) =>
        baseTools[domain].flatMap(({ names }) => names.map((name) => [name, domain] as const)),
      ),
    );
    const calls = many.flatMap(({ answers }) => answers).filter(({ name }) => own.has(name));
    const plain = calls.filter((call) => !Object.keys(call.arguments).length);
    expect(calls.length).toBeGreaterThan(1000);
    expect(plain.length / calls.length).toBeGreaterThan(0.12);
  });
});

describe("template", () => {
  test("choices, options and slots walk every way and no other", () => {
    const phrase = readTemplate("[set|start] a {x} timer( now)");
    const said = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const parts = say(phrase, new Random(1, i)).map((part) => ("slot" in part ? "5" : part.text));
      said.add(parts.join(""));
    }
    expect([...said].sort()).toEqual(["set a 5 timer", "set a 5 timer now", "start a 5 timer", "start a 5 timer now"]);
    expect(ways(phrase)).toBe(4);
  });

  test("a shuffle says all of its parts, in every order, and the first without its comma", () => {
    const phrase = readTemplate("book<, a|, b|( c)>");
    const said = new Set<string>();
    for (let i = 0; i < 300; i++) {
      said.add(
        say(phrase, new Random(2, i))
          .map((part) => ("text" in part ? part.text : ""))
          .join(""),
      );
    }
    const [both, three] = [
      ["book a, b", "book b, a"],
      ["book c, a, b", "book c, b, a", "book a c, b", "book b c, a", "book a, b c", "book b, a c"],
    ];
    expect([...said].sort()).toEqual([...both, ...three].sort());
    expect(ways(phrase)).toBe(12);
  });

  test.each(["<a", "a>", "[a", "a]", "(a", "{a", "a|b", "{a b}"])("%s is refused by name", (source) => {
    expect(() => readTemplate(source)).toThrow("template");
  });

  test("a phrase with an unknown slot, and an unreadable parameter, are refused by the tool's name", () => {
    expect(() => readTool("t", "d", { names: "u", about: "A.", say: ["do {nosuch}"] })).toThrow("t: ");
    expect(() => readTool("t", "d", { names: "u", about: "A.", takes: { a: "nosuch! A." }, say: ["do {a}"] })).toThrow(
      "t.a",
    );
    expect(() => readTool("t", "d", { names: "u", about: "A.", takes: { a: "clock A." }, say: ["do {a}"] })).toThrow(
      "t.a",
    );
  });

  test("a parameter that may go by another's name is refused: the schema would hold one key for two", () => {
    const takes = { "a/b": "clock! A.", b: "day! B." };
    expect(() => readTool("t", "d", { names: "u", about: "A.", takes, say: ["{a} {b}"] })).toThrow("t.a: ");
  });
});

describe("ground", () => {
  const tool = (parameters: FlatTool["parameters"]): FlatTool[] => [{ name: "t", parameters }];
  const text = tool({ a: { type: "string" } });

  test("a string must stand in the request as whole words, letter for letter", () => {
    const loose = (query: string, a: string) => ungrounded(query, [{ name: "t", arguments: { a } }], text) !== null;
    expect(loose("call Anna", "Anna")).toBe(false);
    expect(loose("call Anna's mom", "Anna")).toBe(false);
    expect(loose("call Anna", "anna")).toBe(true);
    expect(loose("call Annabel", "Anna")).toBe(true);
    expect(loose("call JoAnna", "Anna")).toBe(true);
    expect(loose("call Annabel or Anna", "Anna")).toBe(false);
    expect(loose("call Anna", "")).toBe(true);
  });

  test("lengths of time mean numbers: an hour and a half is 90 minutes, and 1 hour and 30 minutes", () => {
    const means: [string, number[]][] = [
      ["an hour and a half", [90, 1.5, 1, 30, 5400]],
      ["half an hour", [30, 0.5]],
      ["three quarters of an hour", [45]],
      ["2 and a half hours", [150, 2.5]],
      ["one hour thirty minutes", [90]],
      ["1 hour and 45 minutes", [105]],
      ["a minute and twenty seconds", [80]],
      ["thirty-five minutes", [2100]],
      ["half a minute", [30]],
      ["two and a quarter cups", [2.25]],
      ["one thirty five over ninety", [135, 90]],
    ];
    for (const [said, numbers] of means) for (const n of numbers) expect(numbersIn(said).has(n), said).toBe(true);
    expect(numbersIn("an hour in 5 minutes").has(65)).toBe(false);
    expect(numbersIn("the man hours").has(1)).toBe(false);
    for (const slot of ["spanMinutes", "spanSeconds", "spanHours", "halves"]) {
      for (let seed = 0; seed < 500; seed++) {
        const { text, value } = make(slot, new Random(seed));
        expect(numbersIn(`for ${text} now`).has(value as number), text).toBe(true);
      }
    }
  });

  test("lists and nested objects are looked into: what they hold must be said, required and of its type", () => {
    const tools = tool({
      to: { type: "array", items: { type: "string" } },
      options: { type: "object", properties: { n: { type: "integer", required: true }, s: { type: "string" } } },
    });
    const told = (args: Record<string, unknown>) => () => checkCalls([{ name: "t", arguments: args }], tools);
    const loose = (args: Record<string, unknown>) =>
      ungrounded("ask Anna and Bob for 3", [{ name: "t", arguments: args }], tools);
    expect(told({ to: ["Anna"], options: { n: 3 } })).not.toThrow();
    expect(told({ to: [3] })).toThrow("arguments.to: expected a list of strings");
    expect(told({ options: {} })).toThrow("arguments.options.n: required");
    expect(told({ options: { n: 3, x: 1 } })).toThrow("arguments.options.x: expected a parameter of options");
    expect(loose({ to: ["Anna", "Bob"], options: { n: 3 } })).toBeNull();
    expect(loose({ to: ["Anna", "Carl"] })).toContain('arguments.to.1: "Carl"');
    expect(loose({ options: { n: 4 } })).toContain("arguments.options.n");
    expect(loose({ options: { s: "Dan" } })).toContain("arguments.options.s");
  });

  test("lists, nested objects and long lists of parameters occur, and their values are the pieces in order", () => {
    const calls = many.flatMap(({ answers, query }) => answers.map((call) => ({ call, query })));
    const values = calls.flatMap(({ call, query }) => Object.values(call.arguments).map((value) => ({ value, query })));
    const lists = values.filter(({ value }) => Array.isArray(value)) as { value: string[]; query: string }[];
    expect(lists.length).toBeGreaterThan(100);
    for (const { value, query } of lists) {
      const places = value.map((text) => query.indexOf(text));
      expect(places).not.toContain(-1);
      expect(new Set(value).size).toBe(value.length);
    }
    expect(
      values.filter(({ value }) => value && typeof value === "object" && !Array.isArray(value)).length,
    ).toBeGreaterThan(150);
    const counts = many.flatMap(({ tools }) => tools.map(({ parameters }) => Object.keys(parameters).length));
    expect(Math.max(...counts)).toBeGreaterThan(10);
  });

  test("numbers are heard in digits and in words", () => {
    for (const n of [0, 7, 15, 20, 21, 99, 100, 105, 120, 345, 1000, 2500, 19999]) {
      expect(numbersIn(`it is ${numberWords(n)} now`).has(n), numberWords(n)).toBe(true);
    }
    expect([...numbersIn("$1,234.50 and a hundred and five")]).toEqual(expect.arrayContaining([1234.5, 105]));
    expect(numbersIn("twenty five").has(25)).toBe(true);
    expect(numbersIn("seven fifteen").has(22)).toBe(false);
    expect(numbersIn("no number").size).toBe(0);
  });

  test("unknown tools, unknown and missing arguments, wrong types and wrong enums are named by place", () => {
    const tools = tool({ n: { type: "integer", required: true }, m: { type: "string", enum: ["on", "off"] } });
    const told = (name: string, args: Record<string, unknown>) => () => checkCalls([{ name, arguments: args }], tools);
    expect(told("t", { n: 1, m: "on" })).not.toThrow();
    expect(told("u", {})).toThrow("answers[0].name: expected one of the tools");
    expect(told("t", {})).toThrow("answers[0].arguments.n: required");
    expect(told("t", { n: 1.5 })).toThrow("expected an integer");
    expect(told("t", { n: 1, m: "up" })).toThrow('one of ["on","off"]');
    expect(told("t", { n: 1, toString: "x" })).toThrow("one it lacks");
  });
});

/** A server whose answers are scripted: each entry answers one request, the last one all further ones. */
function stub(...script: ((prompt: string) => Response | Promise<Response>)[]) {
  const seen: { authorization: string | null; atMs: number }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      seen.push({ authorization: request.headers.get("authorization"), atMs: performance.now() });
      const { messages } = (await request.json()) as { messages: { content: string }[] };
      return script[Math.min(seen.length, script.length) - 1](messages[1].content);
    },
  });
  return { seen, url: `http://127.0.0.1:${server.port}/v1`, [Symbol.dispose]: () => void server.stop(true) };
}

const says = (content: string) => Response.json({ choices: [{ message: { role: "assistant", content } }] });
const timer: FlatTool[] = [{ name: "set_timer", parameters: { duration: { type: "string", required: true } } }];
let minutes = 0;
const fresh = () => {
  minutes++;
  return {
    query: `set a timer for ${minutes} minutes`,
    kind: "single",
    calls: [{ name: "set_timer", arguments: { duration: `${minutes} minutes` } }],
  };
};
const good = () => says(JSON.stringify([fresh(), fresh()]));

let files = 0;
const asking = (endpoint: string, more: Partial<GenerateOptions> = {}): GenerateOptions => ({
  endpoint,
  model: "stub",
  out: join(folder, `generated-${files++}.jsonl`),
  count: 4,
  seed: 1,
  batch: 2,
  parallel: 1,
  timeoutMs: 300,
  pauseMs: 5,
  retries: 3,
  tools: ToolSet.from(JSON.stringify(timer)),
  ...more,
});

describe("generate", () => {
  test("what it keeps passes check, carries kind, source and id, and the key goes in the header", async () => {
    using server = stub(good);
    const options = asking(server.url, { apiKey: "secret" });
    expect(await generate(options)).toMatchObject({ kept: 4, refused: 0, repeated: 0, retried: 0 });
    const { lines, faults } = readLines(options.out);
    expect(faults).toEqual([]);
    expect(lines.map(({ kind, source, warning }) => ({ kind, source, warning }))).toEqual(
      Array.from({ length: 4 }, () => ({ kind: "single", source: "stub", warning: undefined })),
    );
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(["Bearer secret", "Bearer secret"]);
    expect(readFileSync(options.out, "utf8")).not.toContain("secret");
  });

  test("a timeout, a dropped line and a 500 are tried again", async () => {
    using server = stub(
      () => new Promise<Response>((done) => setTimeout(() => done(good()), 900)),
      () => new Response("oops", { status: 500 }),
      () => new Response('{"choices":[{"mess'),
      good,
    );
    expect(await generate(asking(server.url))).toMatchObject({ kept: 4, retried: 3 });
  });

  test("429 waits as long as retry-after says", async () => {
    using server = stub(() => new Response("slow down", { status: 429, headers: { "retry-after": "0.4" } }), good);
    expect(await generate(asking(server.url))).toMatchObject({ kept: 4, retried: 1 });
    expect(server.seen[1].atMs - server.seen[0].atMs).toBeGreaterThanOrEqual(390);
  });

  test("half a JSON list gives its whole objects, in prose or fences", async () => {
    const text = JSON.stringify([fresh(), fresh(), fresh()]);
    expect(wholeObjects(`Here you are:\n\`\`\`json\n${text.slice(0, -30)}`)).toHaveLength(2);
    expect(wholeObjects('{"a":"}{"} {"b":{"c":1}} {"d"')).toEqual([{ a: "}{" }, { b: { c: 1 } }]);
    using server = stub(() => says(`Sure!\n\`\`\`json\n${JSON.stringify([fresh(), fresh()]).slice(0, -20)}`), good);
    expect(await generate(asking(server.url))).toMatchObject({ kept: 4 });
  });

  test("invented values, tools and arguments are refused; repeated requests are kept once", async () => {
    const bad = (calls: unknown, query = "set a timer for an hour") => ({ query, calls });
    const list = [
      bad([{ name: "set_timer", arguments: { duration: "60 minutes" } }]),
      bad([{ name: "launch", arguments: {} }]),
      bad([{ name: "set_timer", arguments: { duration: "an hour", loud: true } }]),
      bad([{ name: "set_timer", arguments: {} }]),
      bad("none"),
      bad([null]),
      bad([], ""),
      bad([], "never mind"),
      bad([], "Never mind!"),
    ];
    using server = stub(() => says(JSON.stringify(list)), good);
    expect(await generate(asking(server.url))).toMatchObject({ kept: 4, refused: 7, repeated: 1 });
  });

  test("a run that stopped goes on from its file, even when its last line is half written", async () => {
    using server = stub(good);
    const options = asking(server.url);
    await generate({ ...options, count: 2 });
    const first = readFileSync(options.out, "utf8");
    appendFileSync(options.out, '{"query":"set a ti');
    expect(await generate(options)).toMatchObject({ kept: 4 });
    const text = readFileSync(options.out, "utf8");
    expect(text.startsWith(first)).toBe(true);
    const ids = readLines(options.out).lines.map((line) => JSON.parse(line.text).id);
    expect(new Set(ids).size).toBe(4);
    expect(ids.at(-1)).toMatch(/^gen-1-1-/);
    expect(server.seen).toHaveLength(2);
    await generate(options);
    expect(server.seen).toHaveLength(2);
  });

  test("a file that is not all examples is refused and left as it is, before any server is asked", async () => {
    using server = stub(good);
    const example = JSON.stringify({ query: "stop", tools: timer, answers: [] });
    for (const text of [
      JSON.stringify(timer),
      JSON.stringify(timer, null, 2),
      `${JSON.stringify(timer)}\n`,
      `${example}\nnotes to myself`,
      `${example}\n{"query":"stop"}`,
    ]) {
      const options = asking(server.url);
      writeFileSync(options.out, text);
      await expect(generate(options)).rejects.toThrow("expected an example to go on from");
      expect(readFileSync(options.out, "utf8")).toBe(text);
    }
    expect(server.seen).toEqual([]);
  });

  test("a last example without a line's end is kept", async () => {
    using server = stub(good);
    const options = asking(server.url, { count: 3 });
    const example = JSON.stringify({ query: "stop", tools: timer, answers: [] });
    writeFileSync(options.out, example);
    await generate(options);
    expect(readFileSync(options.out, "utf8").startsWith(`${example}\n{`)).toBe(true);
    expect(readLines(options.out)).toMatchObject({ lines: { length: 3 }, faults: [] });
  });

  test("what cannot be written counts for nothing and ends the run; a file that cannot be is said before a server is asked", async () => {
    using server = stub(good, () => {
      rmSync(join(folder, "gone"), { recursive: true });
      return good();
    });
    const out = join(folder, "gone", "examples.jsonl");
    await expect(generate(asking(server.url, { out }))).rejects.toThrow(
      "expected a file that can be written, got ENOENT",
    );
    expect(server.seen).toEqual([]);
    mkdirSync(join(folder, "gone"));
    await expect(generate(asking(server.url, { out, count: 40 }))).rejects.toThrow(
      `got ENOENT; check the path and the disk; 2 examples are kept in ${out}`,
    );
    expect(server.seen).toHaveLength(2);
  });

  test("a refusal stops at once and names the endpoint; nothing usable stops after five batches", async () => {
    using closed = stub(() => new Response("bad key", { status: 401 }));
    await expect(generate(asking(closed.url))).rejects.toThrow("HTTP 401 bad key; 0 examples are kept");
    expect(closed.seen).toHaveLength(1);
    using mute = stub(() => says("I cannot do that."));
    await expect(generate(asking(mute.url))).rejects.toThrow("expected usable examples, got none");
    expect(mute.seen).toHaveLength(5);
  });

  test("several batches under way write whole lines and no more than asked for", async () => {
    using server = stub(good);
    const options = asking(server.url, { count: 21, parallel: 4 });
    expect(await generate(options)).toMatchObject({ kept: 21 });
    expect(readLines(options.out).lines).toHaveLength(21);
  });
});

describe("check, split, stats", () => {
  const write = (name: string, lines: unknown[]) => {
    const path = join(folder, name);
    const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
    writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
    return path;
  };
  const example = (query: string, duration: string) => ({
    query,
    tools: timer,
    answers: [{ name: "set_timer", arguments: { duration } }],
  });

  test("faults are named by file and line; values in strings and .gz are read", async () => {
    const fine = example("timer 5 minutes", "5 minutes");
    const path = write("mixed.jsonl.gz", [
      fine,
      {
        ...fine,
        query: "timer for 5 minutes",
        tools: JSON.stringify(fine.tools),
        answers: JSON.stringify(fine.answers),
      },
      "{",
      "",
      { ...fine, query: 5 },
      { ...fine, tools: "[{]" },
      { ...fine, answers: undefined },
      { ...fine, answers: [{ name: "nosuch", arguments: {} }] },
      example("timer", "5 minutes"),
    ]);
    const { lines, faults } = readLines(path);
    expect(lines).toHaveLength(3);
    expect(faults.map(({ place }) => place.slice(path.length))).toEqual([":3", ":5", ":6", ":7", ":8"]);
    expect(lines[2].warning).toContain('"5 minutes" is not in the request');
    const { out, code } = await thimbleData("check", path);
    expect(code).toBe(1);
    expect(out).toContain(`error: ${path}:3: line: expected JSON`);
    expect(out).toContain("3 examples, 5 errors, 1 ungrounded values, 0 leaks");
    const sound = write("sound.jsonl", [fine]);
    expect((await thimbleData("check", sound)).code).toBe(0);
    const ungroundedOnly = write("loose.jsonl", [example("timer", "5 minutes")]);
    expect((await thimbleData("check", ungroundedOnly)).code).toBe(0);
    expect((await thimbleData("check", ungroundedOnly, "--strict")).code).toBe(1);
  });

  test("what the grammar would never write is a fault: lengths, counts, and arguments that are a list", async () => {
    const tool = (code: object) => [{ name: "send", parameters: { code: { ...code, required: true } } }];
    const line = (code: object, args: unknown) => ({
      ...{ query: "send Z2B8", tools: tool(code) },
      answers: [{ name: "send", arguments: args }],
    });
    const path = write("beyond.jsonl", [
      line({ type: "string", maxLength: 1 }, { code: "Z2B8" }),
      line({ type: "array", items: { type: "string" }, minItems: 4 }, { code: ["Z2B8"] }),
      { ...line({ type: "string" }, []), tools: [{ name: "send", parameters: {} }] },
      line({ type: "string", minLength: 4 }, { code: "Z2B8" }),
    ]);
    const { code, out } = await thimbleData("check", path, "--json");
    expect([code, JSON.parse(out).errors.map(({ message }: { message: string }) => message)]).toEqual([
      1,
      [
        expect.stringContaining("answers: expected calls within the tools' limits, got "),
        expect.stringContaining("answers: expected calls within the tools' limits, got "),
        "answers[0].arguments: expected an object, got []",
      ],
    ]);
  });

  test("the same request in two files is a leak, whatever its capitals and commas", async () => {
    const [a, b] = [
      write("a.jsonl", [example("Timer, 5 minutes!", "5 minutes"), example("timer 6 minutes", "6 minutes")]),
      write("b.jsonl", [example("timer 5 minutes", "5 minutes")]),
    ];
    const { out, code } = await thimbleData("check", a, b, "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out).leaks).toEqual([{ query: "Timer, 5 minutes!", places: [`${a}:1`, `${b}:1`] }]);
  });

  test("120 examples of a tool split 100/10/10, seeded, every line in one part", async () => {
    const lines = ["a", "b"].flatMap((name) =>
      Array.from({ length: 120 }, (_, i) => ({
        query: `${name} ${i}`,
        tools: [{ name, parameters: {} }],
        answers: [{ name, arguments: {} }],
      })),
    );
    const path = write("even.jsonl", lines);
    const prefix = join(folder, "even");
    const { out } = await thimbleData("split", path, "-o", prefix, "--seed", "3");
    expect(out.match(/\d+ examples/g)).toEqual(["200 examples", "20 examples", "20 examples"]);
    const parts = ["train", "dev", "test"].map((part) => readLines(`${prefix}.${part}.jsonl`).lines);
    for (const [i, count] of [100, 10, 10].entries()) {
      expect(toolCounts(parts[i])).toEqual([
        ["a", count],
        ["b", count],
      ]);
    }
    expect(
      parts
        .flat()
        .map(({ text }) => text)
        .sort(),
    ).toEqual(lines.map((line) => JSON.stringify(line)).sort());
    const again = split(readLines(path).lines, 3);
    expect(again.dev.map(({ text }) => text)).toEqual(parts[1].map(({ text }) => text));
    expect(split(readLines(path).lines, 4).dev).not.toEqual(again.dev);
  });

  test("a split of generated data leaks nothing, and loses nothing", async () => {
    const twins = many.slice(0, 3000).flatMap((line) => [line, { ...line, query: `${line.query.toUpperCase()}!` }]);
    const path = write(
      "twins.jsonl",
      twins.map((line) => ({ ...line, answers: [] })),
    );
    const prefix = join(folder, "twins");
    await thimbleData("split", path, "-o", prefix);
    const parts = ["train", "dev", "test"].map((part) => readLines(`${prefix}.${part}.jsonl`).lines);
    expect(parts.flat()).toHaveLength(6000);
    expect(leaks(parts.flat())).toEqual([]);
  });

  test("stats counts tools, kinds and sources, and advises 120 a tool", async () => {
    const path = write("few.jsonl", many.slice(0, 500));
    const told = JSON.parse((await thimbleData("stats", path, "--json")).out);
    expect(told.examples).toBe(500);
    expect(told.sources).toEqual({ synth: 500 });
    expect(Object.values(told.kinds as Record<string, number>).reduce((a, b) => a + b)).toBe(500);
    const { out } = await thimbleData("stats", path);
    expect(out).toContain("fewer than 120 examples");
    expect(out).toContain("arguments a call");
    const { coverage, values } = told;
    const sum = (groups: Record<string, { examples: number; refused: number; calls: number; arguments: number }>) =>
      Object.values(groups).reduce(
        ([examples, refused, calls, args], group) => [
          examples + group.examples,
          refused + group.refused,
          calls + group.calls,
          args + group.arguments,
        ],
        [0, 0, 0, 0],
      );
    const some = many.slice(0, 500);
    const all = some.flatMap(({ answers }) => answers);
    const given = all.flatMap(({ arguments: args }) => Object.keys(args)).length;
    const expected = [500, some.filter(({ answers }) => !answers.length).length, all.length, given];
    expect(sum(coverage.kinds)).toEqual(expected);
    expect(sum(coverage.domains)).toEqual(expected);
    expect(Object.values(values as Record<string, number>).reduce((a, b) => a + b)).toBe(given);
  });
});

describe("command", () => {
  test("synth writes count lines to a file or to standard output, the same ones", async () => {
    const file = join(folder, "out.jsonl");
    await thimbleData("synth", "--count", "30", "--seed", "9", "-o", file);
    const { out } = await thimble(["data", "synth", "--count", "30", "--seed", "9"]);
    expect(out).toBe(readFileSync(file, "utf8"));
    expect(readLines(file)).toMatchObject({ faults: [], lines: { length: 30 } });
  });

  test.each([
    [["nosuch"], "expected one of synth"],
    [["toString"], "expected one of synth"],
    [["synth", "--count", "0"], "--count"],
    [["check"], "expected files"],
    [["split", "x.jsonl"], "expected -o PREFIX"],
    [["generate", "--endpoint", "nowhere"], "--endpoint: expected an http address"],
    [["generate", "--endpoint", "http://127.0.0.1:1"], "expected --model NAME"],
    [["generate", "--endpoint", "http://127.0.0.1:1", "--model", "m"], "expected -o FILE"],
  ])("%p is a usage error that says what is missing", async (args, message) => {
    await expect(data.run(parse(args as string[], data.options as Options))).rejects.toThrow(message as string);
  });
});
