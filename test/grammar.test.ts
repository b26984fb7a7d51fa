import { describe, expect, test } from "bun:test";
import { Ajv2020 as Ajv } from "ajv/dist/2020.js";
import { Rules, type Stand } from "../runtime/answer/rules.ts";
import { Grammar } from "../runtime/grammar/grammar.ts";
import type { State } from "../runtime/grammar/state.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { TokenTrie } from "../runtime/text/trie.ts";
import { constrained, isFit, scaledOf, someFits } from "../runtime/tools/decimal.ts";
import type { Schema } from "../runtime/tools/schema.ts";
import { type ToolInput, ToolSet } from "../runtime/tools/tools.ts";
import { grammarCases, randomObject, randomRefs, seeded, somePieces } from "./support.ts";

const tokenizer = new Tokenizer(await somePieces(4096));
const trie = new TokenTrie(tokenizer);
const grammarOf = (tools: readonly ToolInput[]) => new Grammar(ToolSet.from(tools), trie);

/** Where a text is refused, −1 if it is a whole answer, its length if it could go on. */
function refusedAt(grammar: Grammar, text: string): number {
  let state: State | null = grammar.start;
  const bytes = new TextEncoder().encode(` ${text}`);
  for (const [i, byte] of bytes.entries()) {
    state = state.step(byte);
    if (!state) return i - 1;
  }
  return state.atEnd ? -1 : bytes.length - 1;
}

const cases = await grammarCases();

describe.each(cases)("$about", ({ tools, accepted, rejected }) => {
  test.each(accepted.map((text) => [text]))("accepts %s", (text) => {
    expect(refusedAt(grammarOf(tools), text)).toBe(-1);
    expect(JSON.parse(text)).toBeArray();
  });
  test.each(rejected.map((text) => [text]))("rejects %s", (text) => {
    const at = text.indexOf("|");
    const whole = text.slice(0, at) + text.slice(at + 1);
    expect(refusedAt(grammarOf(tools), whole)).toBe(new TextEncoder().encode(text.slice(0, at)).length);
  });
});

const watch: ToolInput[] = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();

/** Follows random allowed tokens until the end. */
function randomWalk(rules: Rules, random: () => number, budget: number): number[] {
  const ids: number[] = [];
  let stand = rules.start;
  while (!stand.atEnd) {
    const { bits, count } = rules.mask(stand);
    expect(count).toBeGreaterThan(0);
    const allowed: number[] = [];
    for (let id = 0; id < tokenizer.vocabSize; id++) if ((bits[id >> 5] >>> (id & 31)) & 1) allowed.push(id);
    expect(allowed.length).toBe(count);
    const id = allowed[Math.floor(random() * allowed.length)];
    const next = rules.advance(stand, id) as Stand;
    if (!rules.fits(next, budget - ids.length - 1)) return [...ids, ...rules.finish(stand)];
    ids.push(id);
    stand = next;
  }
  return ids;
}

/** Strings with little room and much, beside other strings and beside numbers. */
const sized: ToolInput = {
  name: "sized",
  inputSchema: {
    properties: {
      code: { type: "string", minLength: 2, maxLength: 3 },
      note: { type: "string", maxLength: 18 },
      either: { anyOf: [{ type: "string", maxLength: 5 }, { enum: ["on the hour", 'say "hi"'] }, { type: "integer" }] },
      level: { type: "number", minimum: -1.5, maximum: 20 },
    },
  },
};

test.each([
  ["the watch's tools", watch],
  ["strings of counted characters", [sized]],
])("of %s, a mask allows exactly the tokens whose bytes the automaton takes", (_, tools) => {
  const grammar = grammarOf(tools);
  const random = seeded(1);
  for (let walk = 0; walk < 20; walk++) {
    let state = grammar.start;
    for (let step = 0; step < 30 && !state.atEnd; step++) {
      const { bits } = grammar.mask(state);
      const allowed: number[] = [];
      for (let id = 0; id < tokenizer.vocabSize; id++) {
        const takes = grammar.advance(state, id) !== null;
        if (takes !== Boolean((bits[id >> 5] >>> (id & 31)) & 1))
          throw new Error(`step ${step}: token ${id} ${tokenizer.pieces[id]}`);
        if (takes) allowed.push(id);
      }
      state = grammar.advance(state, allowed[Math.floor(random() * allowed.length)]) as State;
    }
  }
});

test("forced tokens are the only text that can follow, and the tokenizer's own for it", () => {
  const grammar = grammarOf(watch);
  const answers = [
    '[{"name":"set_timer","arguments":{"duration":"10 minutes"}}]',
    '[{"name":"set_lights","arguments":{"state":"on","room":"kitchen"}},{"name":"start_workout","arguments":{"activity":"yoga"}}]',
    '[{"name":"get_weather","arguments":{}}]',
    "[]",
  ];
  let forcedTokens = 0;
  for (const answer of answers) {
    const ids = tokenizer.tokenizeRaw(` ${answer}`);
    let state = grammar.start;
    for (let at = 0; at < ids.length; ) {
      const forced = grammar.forced(state);
      expect(forced.ids).toEqual(ids.slice(at, at + forced.ids.length));
      forcedTokens += forced.ids.length;
      at += forced.ids.length;
      state = forced.state;
      if (at < ids.length) state = grammar.advance(state, ids[at++]) as State;
    }
    expect(state.atEnd).toBe(true);
  }
  expect(forcedTokens).toBeGreaterThan(15);
});

test("from any state the way out ends the answer validly, also from within a character or an escape", () => {
  const grammar = grammarOf(watch);
  const prefixes = [
    "",
    " [",
    ' [{"name":"set_al',
    ' [{"name":"set_lights","arguments":{',
    ' [{"name":"set_lights","arguments":{"room":"caf\u00e9 \\',
    ' [{"name":"set_lights","arguments":{"room":"\\u00',
  ];
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const texts = [
    ...prefixes.map(bytesOf),
    bytesOf(' [{"name":"start_workout","arguments":{"activity":"🏃').subarray(0, -2),
  ];
  for (const bytes of texts) {
    const state = bytes.reduce<State>((at, byte) => at.step(byte) as State, grammar.start);
    const out = grammar.finish(state).flatMap((id) => [...tokenizer.bytesOf(id)]);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from([...bytes, ...out]));
    expect(refusedAt(grammar, text.slice(1))).toBe(-1);
  }
});

test("a string holds well-formed UTF-8 alone", () => {
  const grammar = grammarOf([{ name: "f", parameters: { s: { type: "string" } } }]);
  const start = new TextEncoder().encode(' [{"name":"f","arguments":{"s":"');
  const inside = start.reduce<State>((at, byte) => at.step(byte) as State, grammar.start);
  const takes = (bytes: number[]) => bytes.reduce<State | null>((at, byte) => at?.step(byte) ?? null, inside) !== null;
  for (const good of [
    [0xc2, 0x80],
    [0xe0, 0xa0, 0x80],
    [0xed, 0x9f, 0xbf],
    [0xef, 0xbf, 0xbd],
    [0xf0, 0x90, 0x80, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf],
  ]) {
    expect(takes(good)).toBe(true);
  }
  const overlong = [[0xc0, 0x80], [0xc1], [0xe0, 0x9f], [0xf0, 0x8f]];
  const surrogates = [[0xed, 0xa0]];
  const beyond = [[0xf4, 0x90], [0xf5], [0x80], [0xff]];
  for (const bad of [...overlong, ...surrogates, ...beyond]) expect(takes(bad)).toBe(false);
});

/** Runs over random tool sets; `THIMBLE_RUNS=100000` for the long proof, see the README. */
const runs = Number(process.env.THIMBLE_RUNS ?? 2000);

test(`every answer of random tokens over random schemas parses, validates (Ajv) and keeps within its budget: ${runs} runs`, () => {
  const random = seeded(3);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  let calls = 0;
  for (let run = 0; run < runs; ) {
    const tools: ToolInput[] = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => ({
      name: `${pick(["turnOn", "x", "get-it"])}${i}`,
      inputSchema: { ...randomObject(random, 2), $defs: randomRefs },
    }));
    const set = ToolSet.from(tools);
    // Ajv divides for multipleOf; 0.07 / 0.01 is no integer in floating point.
    const ajv = new Ajv({ multipleOfPrecision: 9, ownProperties: true, strict: false });
    const validators = new Map(
      tools.map((tool, i) => [set.tools[i].promptName, ajv.compile(tool.inputSchema as object)]),
    );
    const rules = new Rules(new Grammar(set, trie), null);
    if (!rules.fits(rules.start, 24)) continue;
    for (let again = 0; again < 20 && run < runs; again++, run++) {
      const budget = 24 + Math.floor(random() * 80);
      const ids = randomWalk(rules, random, budget);
      expect(ids.length).toBeLessThanOrEqual(budget);
      const bytes = Uint8Array.from(ids.flatMap((id) => [...tokenizer.bytesOf(id)]));
      for (const call of JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))) {
        const validate = validators.get(call.name)!;
        calls++;
        if (!validate(call.arguments)) {
          throw new Error(`${JSON.stringify(call)}: ${ajv.errorsText(validate.errors)} ${JSON.stringify(tools)}`);
        }
      }
    }
  }
  expect(calls).toBeGreaterThan(runs / 3);
}, 3_600_000);

test.each<[string, object, number]>([
  ["an integer with wide limits", { type: "integer", minimum: 0, maximum: 999_999_999 }, 100],
  ["an integer between odd limits", { type: "integer", minimum: -12_345, maximum: 9_876_543 }, 400],
  ["a number with a least", { type: "number", minimum: 0.5 }, 400],
  ["a multiple of 7", { type: "integer", minimum: 0, multipleOf: 7 }, 400],
])("%s has as many states as there are ways to go on, however many values are written", (_, schema, most) => {
  const grammar = grammarOf([
    { name: "f", inputSchema: { type: "object", properties: { n: schema }, required: ["n"] } },
  ]);
  const prefix = new TextEncoder().encode(' [{"name":"f","arguments":{"n":');
  const begin = prefix.reduce<State>((at, byte) => at.step(byte) as State, grammar.start);
  const random = seeded(2);
  const met = new Set<State>();
  let written = 0;
  for (let run = 0; run < 20_000; run++) {
    let state: State | null = begin;
    for (const digit of String(Math.floor(random() * 10 ** (1 + Math.floor(random() * 9))))) {
      state = state?.step(digit.charCodeAt(0)) ?? null;
      if (state) met.add(state);
    }
    if (state?.step(0x7d)) written++;
  }
  expect(written).toBeGreaterThan(1000);
  expect(met.size).toBeLessThan(most);
});

test("a number is taken byte by byte as long as some number that begins so fits, whatever was written before", () => {
  const random = seeded(5);
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)];
  let fits = 0;
  for (let run = 0; run < 100; run++) {
    const least = pick([-1000, -12.5, -1, 0, 0.25, 3, 99, 1234]) * pick([1, 1, 10, 1e6]);
    const schema = {
      type: pick(["integer", "number"]),
      ...(random() < 0.7 && { [pick(["minimum", "exclusiveMinimum"])]: least }),
      ...(random() < 0.7 && { [pick(["maximum", "exclusiveMaximum"])]: least + pick([1, 20, 300.5, 1e7]) }),
      ...(random() < 0.5 && { multipleOf: pick([1, 7, 0.25, 0.01, 12, 1000]) }),
    };
    let set: ToolSet;
    try {
      set = ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { n: schema }, required: ["n"] } }]);
    } catch {
      continue; // no number fits
    }
    const read = set.tools[0].parameters[0].schema as Schema & { kind: "number" };
    if (!constrained(read)) continue;
    const limits = scaledOf(read);
    const prefix = new TextEncoder().encode(' [{"name":"f","arguments":{"n":');
    const begin = prefix.reduce<State>((at, byte) => at.step(byte) as State, new Grammar(set, trie).start);
    for (let word = 0; word < 60; word++) {
      let [state, text]: [State, string] = [begin, ""];
      for (;;) {
        const next = pick([..."0123456789", ...(text.includes(".") ? [] : ["."]), ...(text ? [] : ["-"])]);
        const after: State | null = state.step(next.charCodeAt(0));
        const about = `${JSON.stringify(schema)} ${text}${next}`;
        if ((after !== null) !== someFits(limits, text + next)) throw new Error(`${about}: goes on?`);
        if (!after) break;
        [state, text] = [after, text + next];
        if ((state.step(0x7d) !== null) !== isFit(limits, text)) throw new Error(`${about}: ends?`);
        if (state.step(0x7d)) fits++;
      }
    }
  }
  expect(fits).toBeGreaterThan(1000);
});
