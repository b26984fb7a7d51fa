/** Schemas that hold themselves or each other many times over: each ends in the right grammar or in a ToolError, and soon. */
import { describe, expect, test } from "bun:test";
import { ground } from "../runtime/answer/provenance.ts";
import { ToolError } from "../runtime/errors.ts";
import { Grammar } from "../runtime/grammar/grammar.ts";
import type { State } from "../runtime/grammar/state.ts";
import { readRequest } from "../runtime/text/request.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { TokenTrie } from "../runtime/text/trie.ts";
import type { Schema } from "../runtime/tools/schema.ts";
import { leastBytes } from "../runtime/tools/shortest.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { packTools } from "../runtime/wire/wire.ts";
import { packCall, unpackCall } from "../runtime/wire/wirecall.ts";
import { unpackTools } from "../runtime/wire/wireread.ts";
import { seeded, somePieces } from "./support.ts";

const trie = new TokenTrie(new Tokenizer(await somePieces(4096)));
type Source = Record<string, unknown>;

/** d0, d1, …, each made from its number and a function that refers to another. */
function definitions(count: number, make: (i: number, to: (j: number) => Source) => Source): Source {
  const to = (j: number) => ({ $ref: `#/$defs/d${j}` });
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, make(i, to)]));
}

function setOf($defs: Source, v: unknown = { $ref: "#/$defs/d0" }): ToolSet {
  return ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { v }, required: ["v"], $defs } }]);
}

const object = (properties: Source, required = Object.keys(properties)) => ({ type: "object", properties, required });
const text = { type: "string" };

/** A grid of unions of objects that each hold another union: 30 ways on at each of 30 levels. */
const grid = (last: Source[]) =>
  definitions(30, (i, to) => ({
    anyOf: [...Array.from({ length: 30 }, (_, j) => object({ a: to(j) })), ...(i === 29 ? last : [])],
  }));
/** Which of two options a value is, only its end tells. */
const twins = definitions(1, (_, to) => ({
  anyOf: [{ type: "null" }, ...["x", "y"].map((k) => object({ a: to(0), k: { const: k } }))],
}));
const deepTwin = `${'{"a":'.repeat(40)}null${',"k":"y"}'.repeat(40)}`;

describe("a value", () => {
  const cases: [about: string, set: () => ToolSet, accepted: string[], rejected: string[]][] = [
    [
      "of a union that is itself or a string",
      () => setOf(definitions(1, (_, to) => ({ anyOf: [to(0), text] }))),
      ['"x"'],
      ["1", "null"],
    ],
    [
      "of two unions that are each other or a number",
      () => setOf(definitions(2, (i, to) => ({ anyOf: [to(1 - i), { const: i }] }))),
      ["0", "1"],
      ["2"],
    ],
    [
      "of a typed union that is itself or an object",
      () => setOf(definitions(1, (_, to) => ({ type: "object", anyOf: [to(0), { properties: { a: text } }] }))),
      ["{}", '{"a":"x"}'],
      ['{"b":"x"}', '"x"'],
    ],
    [
      "that holds itself by allOf, as Pydantic 1 writes it",
      () => setOf(definitions(1, (_, to) => object({ c: { allOf: [to(0)], description: "next" } }, []))),
      ["{}", '{"c":{"c":{}}}'],
      ['{"c":1}', '{"c":{"d":{}}}'],
    ],
    [
      "that holds itself beside another keyword",
      () => setOf(definitions(1, (_, to) => object({ c: { ...to(0), dependentRequired: {} } }, []))),
      ['{"c":{"c":{}}}'],
      ['{"c":[]}'],
    ],
    [
      "of options merged with what they hold, over and over",
      () =>
        setOf({
          d0: {
            ...object({ c: { $ref: "#/$defs/d0" } }, []),
            anyOf: ["d0", "d1"].map((name) => ({ properties: { c: { $ref: `#/$defs/${name}` } } })),
          },
          d1: object({ c: { $ref: "#/$defs/d0" } }, []),
        }),
      ["{}", '{"c":{"c":{"c":{}}}}'],
      ['{"c":0}'],
    ],
    ["of a grid of unions with one end", () => setOf(grid([{ type: "null" }])), ['{"a":{"a":null}}'], ["{}", "1"]],
    ["of twins 40 levels deep", () => setOf(twins), ["null", deepTwin], [deepTwin.replace('"y"', '"z"')]],
    [
      "of merged definitions that use each other twice, 20 times over",
      () =>
        setOf(
          definitions(20, (i, to) =>
            i < 19 ? object({ a: { allOf: [to(i + 1)] }, b: { allOf: [to(i + 1)] } }, []) : text,
          ),
        ),
      ['{"b":{"a":{}},"a":{}}'],
      ['{"a":"x"}'],
    ],
    [
      "of 5,000 words",
      () => setOf({}, { enum: Array.from({ length: 5000 }, (_, i) => `word ${i}`) }),
      ['"word 4999"'],
      ['"word 5000"'],
    ],
    [
      "of the finest and widest limits",
      () => setOf({}, { type: "number", minimum: -1e308, maximum: 1e308, multipleOf: 5e-324 }),
      ["0"],
      ["1e5"],
    ],
  ];

  test.each(cases)("%s: the grammar takes what fits and nothing else", (_, make, accepted, rejected) => {
    const grammar = new Grammar(make(), trie);
    const takes = (value: string) =>
      [...new TextEncoder().encode(` [{"name":"f","arguments":{"v":${value}}}]`)].reduce<State | null>(
        (state, byte) => state?.step(byte) ?? null,
        grammar.start,
      )?.atEnd === true;
    for (const value of accepted) expect([value, takes(value)]).toEqual([value, true]);
    for (const value of rejected) expect([value, takes(value)]).toEqual([value, false]);
  });

  test.each(cases)("%s: from any state that random tokens reach, the way out is short and valid", (_, make) => {
    const grammar = new Grammar(make(), trie);
    const random = seeded(1);
    for (let walk = 0; walk < 5; walk++) {
      let state = grammar.start;
      for (let step = 0; step < 40 && !state.atEnd; step++) {
        const { bits } = grammar.mask(state);
        const allowed = Array.from({ length: 4096 }, (_, id) => id).filter((id) => (bits[id >> 5] >>> (id & 31)) & 1);
        state = grammar.advance(state, allowed[Math.floor(random() * allowed.length)]) as State;
        const end = grammar.finish(state).reduce<State>((at, id) => grammar.advance(at, id) as State, state);
        expect(end.atEnd).toBe(true);
        expect(grammar.fits(state, 2000)).toBe(true);
      }
    }
  });

  test.each(cases)("%s: has its sources, and comes back whole on the wire with its set", (_, make, accepted) => {
    const set = make();
    expect(unpackTools(packTools(set)).prompt).toBe(set.prompt);
    for (const value of accepted) {
      const call = { name: "f", arguments: { v: JSON.parse(value) } };
      expect(unpackCall(set, packCall(set, call))).toEqual(call);
      const { sources } = ground(call.arguments, set.tools[0].parameters, readRequest("x"));
      expect(Object.values(sources)).not.toContain(undefined);
    }
    expect(() => packCall(set, { name: "f", arguments: { v: { z: { z: { z: [[{}]] } } } } })).toThrow(ToolError);
  });
});

test.each<[about: string, make: () => ToolSet, message: string]>([
  ["a grid of unions without an end", () => setOf(grid([])), "expected a schema that some finite value fits"],
  [
    "a union of itself alone",
    () => setOf(definitions(1, (_, to) => ({ anyOf: [to(0), to(0)] }))),
    "expected a schema that some finite value fits",
  ],
  [
    "parts that double 40 times",
    () => setOf(definitions(40, (i, to) => (i < 39 ? { allOf: [to(i + 1), to(i + 1)] } : text))),
    "expected at most 4096 schemas",
  ],
  [
    "lists within 5,000 lists",
    () =>
      setOf(
        {},
        Array.from({ length: 5000 }).reduce<Source>((items) => ({ type: "array", items }), text),
      ),
    "tools: expected at most 1024 values within one another",
  ],
  [
    "lists within 600 lists",
    () =>
      setOf(
        {},
        Array.from({ length: 600 }).reduce<Source>((items) => ({ type: "array", items }), text),
      ),
    "expected at most 128 schemas within one another",
  ],
  [
    "a chain of 5,000 references",
    () => setOf(definitions(5000, (i, to) => (i < 4999 ? to(i + 1) : text))),
    "expected at most 128 schemas within one another",
  ],
  [
    "5,000 options",
    () => setOf({}, { anyOf: Array.from({ length: 5000 }, (_, i) => ({ const: i })) }),
    "expected at most 4096 schemas",
  ],
  [
    "a reference that is no URI",
    () => setOf({}, { $ref: "#/$defs/%" }),
    "expected a definition within this tool's schema",
  ],
])("%s is refused with ToolError", (_, make, message) => {
  expect(make).toThrow(ToolError);
  expect(make).toThrow(message);
});

test("the least bytes of schemas that hold each other are those of their shortest text, whichever is asked first", () => {
  const ref = (): Schema & { kind: "ref" } => ({ kind: "ref", target: null });
  const held = (schema: Schema): Schema => ({
    kind: "object",
    properties: [{ name: "a", schema, required: true }],
  });
  for (const first of [0, 1, 2]) {
    const refs = [ref(), ref(), ref()];
    const [a, b, c] = refs;
    // a: {"a":b} or {"a":{"a":null}}; b: {"a":a} or {"a":c}; c: {"a":b} or 7.
    a.target = { kind: "anyOf", options: [held(b), held(held({ kind: "enum", values: [null] }))] };
    b.target = { kind: "anyOf", options: [held(a), held(c)] };
    c.target = { kind: "anyOf", options: [held(b), { kind: "enum", values: [7] }] };
    leastBytes(refs[first]);
    expect(refs.map((one) => leastBytes(one))).toEqual(['{"a":{"a":7}}'.length, '{"a":7}'.length, 1]);
  }
});
