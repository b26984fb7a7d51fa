import { describe, expect, test } from "bun:test";
import { Ajv } from "ajv";
import { Grammar, type State, TokenTrie } from "../runtime/grammar.ts";
import { Tokenizer } from "../runtime/tokenizer.ts";
import { type ToolInput, ToolSet } from "../runtime/tools.ts";
import { fixture, seeded, somePieces } from "./support.ts";

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

interface Case {
  about: string;
  tools: ToolInput[];
  accepted: string[];
  /** The text up to the byte that is refused, then a bar, then the rest. */
  rejected: string[];
}
const cases: Case[] = await Bun.file(fixture("grammar.json")).json();

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

/** Follows random allowed tokens, weighted towards none, until the end. */
function randomWalk(grammar: Grammar, random: () => number, budget: number): number[] {
  const ids: number[] = [];
  let state = grammar.start;
  while (!state.atEnd) {
    const { bits, count } = grammar.mask(state);
    expect(count).toBeGreaterThan(0);
    const allowed: number[] = [];
    for (let id = 0; id < tokenizer.vocabSize; id++) if ((bits[id >> 5] >>> (id & 31)) & 1) allowed.push(id);
    expect(allowed.length).toBe(count);
    const id = allowed[Math.floor(random() * allowed.length)];
    const next = grammar.advance(state, id) as State;
    if (ids.length + 1 + grammar.finish(next).length > budget) return [...ids, ...grammar.finish(state)];
    ids.push(id);
    state = next;
  }
  return ids;
}

test("a mask allows exactly the tokens whose bytes the automaton takes", () => {
  const grammar = grammarOf(watch);
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

/** Random JSON Schemas of every kept keyword, nested; some refer to themselves. */
function randomSchema(random: () => number, depth: number): Record<string, unknown> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const below = (n: number) => Math.floor(random() * n);
  const kinds = ["string", "string", "number", "integer", "boolean", "null", "enum", "const", "nullable", "types"];
  if (depth > 0) kinds.push("array", "array", "object", "object", "anyOf", "ref", "beside", "allOf");
  switch (pick(kinds)) {
    case "number":
    case "integer": {
      const integer = random() < 0.5;
      const schema: Record<string, unknown> = { type: integer ? "integer" : "number" };
      const minimum = pick([-1000, -7, 0, 1, 12, 99]);
      if (random() < 0.6)
        schema[pick(["minimum", "exclusiveMinimum"])] = integer ? minimum : minimum + pick([0, 0.5, 0.25]);
      if (random() < 0.6) schema[pick(["maximum", "exclusiveMaximum"])] = minimum + pick([20, 100, 12345]);
      if (random() < 0.3) schema.multipleOf = integer ? pick([2, 5, 7]) : pick([0.5, 0.25, 2, 0.01]);
      return schema;
    }
    case "boolean":
      return { type: "boolean" };
    case "null":
      return { type: "null" };
    case "enum":
      return { enum: [pick(["on", "o", 'q"']), 1, 12, null, "été", [1, "a"], { a: [true] }].slice(0, 1 + below(7)) };
    case "const":
      return { const: pick(["x", 3, false]) };
    case "nullable":
      return { type: "string", nullable: true, maxLength: below(4) };
    case "types":
      return { type: [pick(["string", "integer"]), "boolean", "null"] };
    case "array": {
      const minItems = below(3);
      return {
        type: "array",
        items: randomSchema(random, depth - 1),
        minItems,
        ...(random() < 0.6 && { maxItems: minItems + below(3) }),
      };
    }
    case "object":
      return randomObject(random, depth - 1);
    case "anyOf":
      return { anyOf: [randomSchema(random, depth - 1), randomSchema(random, depth - 1), randomSchema(random, 0)] };
    case "beside": {
      const own = {
        type: "object",
        properties: { a: { type: "integer", multipleOf: 2.5 }, b: { type: "string" } },
        required: ["a"],
      };
      return {
        ...own,
        [pick(["anyOf", "oneOf"])]: [
          { required: ["b"], properties: { b: { const: "x" } } },
          { properties: { b: { const: "y" } }, required: ["b"] },
        ],
      };
    }
    case "allOf":
      return { allOf: [{ $ref: "#/$defs/leaf" }, { minLength: below(4) }, { type: "string" }] };
    case "ref":
      return { $ref: pick(["#/$defs/leaf", "#/$defs/tree"]) };
    default: {
      const minLength = below(3);
      return {
        type: "string",
        ...(random() < 0.3 && { minLength }),
        ...(random() < 0.3 && { maxLength: minLength + below(5) }),
      };
    }
  }
}

function randomObject(random: () => number, depth: number): Record<string, unknown> {
  const names = ["city", "größe", "on off", 'say "hi"', "a", "ab", "naïve\\path", "🙂", "__proto__x", "constructor"];
  const properties: Record<string, unknown> = {};
  for (let n = Math.floor(random() * 4); n > 0; n--) {
    properties[names[Math.floor(random() * names.length)]] = randomSchema(random, depth);
  }
  return {
    type: "object",
    properties,
    required: Object.keys(properties).filter(() => random() < 0.5),
    additionalProperties: false,
  };
}

const tree = {
  type: "object",
  properties: { value: { type: "integer" }, children: { type: "array", items: { $ref: "#/$defs/tree" } } },
  required: ["value"],
  additionalProperties: false,
};
const $defs = { leaf: { type: "string", enum: ["leaf"] }, tree };

/** Runs over random tool sets; `THIMBLE_RUNS=100000` for the long proof, see the README. */
const runs = Number(process.env.THIMBLE_RUNS ?? 2000);

test(`every answer of random tokens over random schemas parses, validates (Ajv) and keeps within its budget: ${runs} runs`, () => {
  const random = seeded(3);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  let calls = 0;
  for (let run = 0; run < runs; ) {
    const tools: ToolInput[] = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => ({
      name: `${pick(["turnOn", "x", "get-it"])}${i}`,
      inputSchema: { ...randomObject(random, 2), $defs },
    }));
    const set = ToolSet.from(tools);
    // Ajv divides for multipleOf; 0.07 / 0.01 is no integer in floating point.
    const ajv = new Ajv({ multipleOfPrecision: 9, ownProperties: true, strict: false });
    const validators = new Map(
      tools.map((tool, i) => [set.tools[i].promptName, ajv.compile(tool.inputSchema as object)]),
    );
    const grammar = new Grammar(set, trie);
    for (let again = 0; again < 20 && run < runs; again++, run++) {
      const budget = 24 + Math.floor(random() * 80);
      const ids = randomWalk(grammar, random, budget);
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
