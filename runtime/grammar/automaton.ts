/**
 * ToolSet → an automaton over the bytes of its answers.
 *
 *   answer  ::= " [" (call ("," call)*)? "]"
 *   call    ::= {"name":"NAME","arguments":{ARGS}}      ARGS: known keys, each at most once, the required ones present
 *   value   ::= what its parameter's type or enum allows; a free string is any JSON string
 *
 * The text is compact JSON, as in training, after the space that a tokenizer puts before a text.
 * States are made when first reached.
 */

import { constrained, isFit, mostDigits, type Scaled, scaledOf, someFits, standing } from "../tools/decimal.ts";
import { type ArraySchema, itemSchema, type Leaf, leaves, type ObjectSchema, type Schema } from "../tools/schema.ts";
import { shapesOf } from "../tools/shapes.ts";
import { leastBytes, mostItems } from "../tools/shortest.ts";
import type { ToolSet } from "../tools/tools.ts";

type Edge = readonly [low: number, high: number, target: State];

/** How many characters a string still takes, between two of them or within one. */
export interface Room {
  least: number;
  most: number;
  isBetween: boolean;
}

const anyRoom: Room = { least: 0, most: Number.POSITIVE_INFINITY, isBetween: true };

/** What begins at a state is an item of a list or a key of a map, `isFirst` where that is new. */
export interface Begun {
  of: ArraySchema | ObjectSchema;
  isFirst: boolean;
}

/** Whether what begins so must differ from what began before. */
export const mustDiffer = (of: Begun["of"]) => of.kind === "object" || of.unique === true;

/** Where the text stands: the bytes that may follow. */
export class State {
  private made: Edge[] | null = null;
  begun: Begun | null = null;

  constructor(
    private readonly make: () => Edge[],
    /** The byte that leads to the end of the text by a short way, −1 at the end. */
    readonly exit: number,
    /** Within a string. */
    readonly room: Room | null = null,
  ) {}

  /** Whether a string may go on or end here: not from within a character or an escape. */
  get inString(): boolean {
    return this.room?.isBetween ?? false;
  }

  get edges(): Edge[] {
    this.made ??= this.make();
    return this.made;
  }

  step(byte: number): State | null {
    const { edges } = this;
    for (let i = 0; i < edges.length; i++) {
      const edge = edges[i];
      if (byte >= edge[0] && byte <= edge[1]) return edge[2];
    }
    return null;
  }

  /** The only byte that can follow, or −1. */
  get onlyByte(): number {
    const { edges } = this;
    return edges.length === 1 && edges[0][0] === edges[0][1] ? edges[0][0] : -1;
  }

  get atEnd(): boolean {
    return this.exit < 0;
  }
}

const utf8 = new TextEncoder();
const quote = 0x22;
const hyphen = 0x2d;
const backslash = 0x5c;

interface Alternative {
  text: string;
  next: () => State;
}

/** One of several texts, each with what follows it. The way out is the first. */
function oneOf(alternatives: Alternative[]): State {
  const items = alternatives.map(({ text, next }) => ({ bytes: utf8.encode(text), next }));
  return branch(items, 0);
}

function branch(items: { bytes: Uint8Array; next: () => State }[], at: number): State {
  const [first] = items;
  if (items.length === 1 && first.bytes.length === at) return first.next();
  const edges = () => {
    const groups = new Map<number, typeof items>();
    const ended: Edge[] = [];
    for (const item of items) {
      const group = groups.get(item.bytes[at]);
      if (item.bytes.length === at) ended.push(...item.next().edges);
      else if (group) group.push(item);
      else groups.set(item.bytes[at], [item]);
    }
    return [...ended, ...[...groups].map(([byte, group]): Edge => [byte, byte, branch(group, at + 1)])];
  };
  return new State(edges, first.bytes.length > at ? first.bytes[at] : first.next().exit);
}

const literal = (text: string, next: () => State) => oneOf([{ text, next }]);
const end = new State(() => [], -1);
const deadEnd = new State(() => [], -1);

/** The inside of a string that never ends. */
export const anyText = stringState(deadEnd);

/** Returns a function that computes once. */
function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}

/** `start`, and where a call has ended and another may begin: null without tools. */
export function answerStates(set: ToolSet): { start: State; afterCall: State | null } {
  const names: () => State = once(() =>
    oneOf(
      set.tools.map((tool) => ({
        text: `${JSON.stringify(tool.promptName)},"arguments":{`,
        next: () => union(shapesOf(tool).map((shape) => objectState(shape, "}}", afterCall))),
      })),
    ),
  );
  const call: Alternative = { text: '{"name":', next: names };
  const close: Alternative = { text: "]", next: () => end };
  const afterCall: () => State = once(() => oneOf([close, { ...call, text: `,${call.text}` }]));
  const start = literal(" [", () => oneOf(set.tools.length ? [close, call] : [close]));
  return { start, afterCall: set.tools.length ? afterCall() : null };
}

/** Pairs of a map beside its known keys, unless it asks for more. */
const mostPairs = 16;

/**
 * What follows an opening brace: keys, each at most once, the required ones present, then `close`. A map's keys are the
 * known ones or any others.
 */
function objectState(schema: ObjectSchema, close: string, next: () => State): State {
  const { more, minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema;
  const possible = schema.properties.filter((property) => Number.isFinite(leastBytes(property.schema)));
  // Required ones first, then the shortest: the way out goes through the first alternative.
  possible.sort((a, b) => Number(b.required) - Number(a.required) || leastBytes(a.schema) - leastBytes(b.schema));
  const others = more && Number.isFinite(leastBytes(more)) ? more : null;
  const most = Math.min(maxProperties, others ? Math.max(minProperties, possible.length + mostPairs) : maxProperties);
  const states = new Map<string, State>();
  const after = (used: boolean[], pairs: number): State => {
    const key = used.map(Number).join("") + pairs;
    const known = states.get(key);
    if (known) return known;
    const count = used.filter(Boolean).length + pairs;
    const left = possible.flatMap((property, i) => (used[i] ? [] : [{ property, i }]));
    const needed = left.filter(({ property }) => property.required);
    const open = count + needed.length < most ? left : needed;
    const mayClose = !needed.length && count >= minProperties;
    const keys = open.map(
      ({ property, i }): Alternative => ({
        text: `${JSON.stringify(property.name)}:`,
        next: once(() => valueState(property.schema, () => after(used.with(i, true), pairs))),
      }),
    );
    const ending: Alternative[] = mayClose ? [{ text: close, next }] : [];
    const comma = count ? "," : "";
    let state: State;
    if (!others || open !== left)
      state = oneOf([...ending, ...keys.map((one) => ({ ...one, text: comma + one.text }))]);
    else {
      const names = schema.properties.map(({ name }) => name);
      const pair = () => literal(":", () => valueState(others, () => after(used, pairs + 1)));
      const key = once(() =>
        union([...(keys.length ? [oneOf(keys)] : []), literal('"', () => keyState(names, pair()))]),
      );
      const marked = () => marking(key(), schema, !count);
      if (count) state = oneOf([...ending, { text: comma, next: once(marked) }]);
      else state = marking(union([...(mayClose ? [oneOf(ending)] : []), key()]), schema, true);
    }
    states.set(key, state);
    return state;
  };
  return after(
    possible.map(() => false),
    0,
  );
}

/** A map's key from its opening quote on: any but those of known names, as they stand, without escapes. */
function keyState(names: readonly string[], next: State): State {
  const edges = once((): Edge[] => [
    ...characterEdges(inside, false).filter(([low]) => low !== backslash),
    [quote, quote, next],
  ]);
  const inside = new State(edges, quote, anyRoom);
  return without(
    inside,
    names.map((name) => utf8.encode(JSON.stringify(name).slice(1))),
  );
}

/** A state less texts that would follow it. Of what leads to others there must be some beside each text. */
function without(state: State, texts: readonly Uint8Array[], at = 0): State {
  if (!texts.length) return state;
  const edges = () => {
    const bytes = [...new Set(texts.map((text) => text[at]))].sort((a, b) => a - b);
    return state.edges.flatMap(([low, high, target]): Edge[] => {
      const cut: Edge[] = [];
      let from = low;
      for (const byte of bytes.filter((one) => one >= low && one <= high)) {
        if (from < byte) cut.push([from, byte - 1, target]);
        const going = texts.filter((text) => text[at] === byte);
        if (going.every((text) => text.length > at + 1)) cut.push([byte, byte, without(target, going, at + 1)]);
        from = byte + 1;
      }
      if (from <= high) cut.push([from, high, target]);
      return cut;
    });
  };
  const ends = texts.some((text) => text.length === at + 1 && text[at] === state.exit);
  return new State(edges, ends ? hyphen : state.exit, state.room);
}

/** The lists that say no maximum or that their items differ, and the maps, within a value. */
export function* countedIn(schema: Schema, met: Set<Schema> = new Set()): Generator<Begun["of"]> {
  if (met.has(schema)) return;
  met.add(schema);
  switch (schema.kind) {
    case "array":
      if (isCounted(schema)) yield schema;
      for (const part of [...(schema.first ?? []), schema.items]) yield* countedIn(part, met);
      return;
    case "object":
      if (schema.more) yield schema;
      for (const property of schema.properties) yield* countedIn(property.schema, met);
      return;
    case "anyOf":
      for (const option of schema.options) yield* countedIn(option, met);
      return;
    case "ref":
      if (schema.target) yield* countedIn(schema.target, met);
  }
}

const isCounted = (list: ArraySchema) => list.unique === true || list.maxItems === Number.POSITIVE_INFINITY;

/** Says of a state that a key of a map or an item of a list begins there. */
function marking(state: State, of: Begun["of"], isFirst: boolean): State {
  const copy = new State(() => state.edges, state.exit, state.room);
  const either = eithers.get(state);
  if (either) eithers.set(copy, either);
  copy.begun = { of, isFirst };
  return copy;
}

/** A value's schema and what follows the value. */
interface Value {
  schema: Leaf["schema"];
  next: () => State;
}

function valueState(schema: Schema, next: () => State): State {
  // The way out goes through the shortest option.
  const options = [...leaves(schema)].map((option) => ({ ...option, bytes: leastBytes(option.schema) }));
  const possible = options.filter(({ bytes }) => Number.isFinite(bytes)).sort((a, b) => a.bytes - b.bytes);
  return union(possible.map((option) => beginning({ schema: option.schema, next })));
}

/** The value that begins at a state. */
const values = new WeakMap<State, Value>();

/** The state where a value begins. */
function beginning(value: Value): State {
  const state = firstState(value);
  values.set(state, value);
  return state;
}

function firstState({ schema, next }: Value): State {
  switch (schema.kind) {
    case "string":
      return literal('"', () => stringState(next(), schema.minLength, schema.maxLength));
    case "number":
      return constrained(schema) ? limitedState(scaledOf(schema), next) : numberState(schema.integer, next);
    case "enum":
      return oneOf([...new Set(schema.values.map((value) => JSON.stringify(value)))].map((text) => ({ text, next })));
    case "array":
      return literal("[", () => arrayState(schema, 0, next));
    case "object":
      return literal("{", () => objectState(schema, "}", next));
  }
}

function arrayState(schema: ArraySchema, count: number, next: () => State): State {
  const { minItems, first = [] } = schema;
  const most = mostItems(schema);
  const repeats = most === Number.POSITIVE_INFINITY && count > minItems && count > first.length;
  const after: () => State = once(() => (repeats ? state : arrayState(schema, count + 1, next)));
  const mark = (begun: State) => (isCounted(schema) ? marking(begun, schema, !count) : begun);
  const item = () => valueState(itemSchema(schema, count), after);
  const options: State[] = [];
  if (count >= minItems) options.push(literal("]", next));
  if (count < most && Number.isFinite(leastBytes(itemSchema(schema, count))))
    options.push(count ? literal(",", () => mark(item())) : item());
  const state = count ? union(options) : mark(union(options));
  return state;
}

/** The states that one is either of. */
const eithers = new WeakMap<State, readonly State[]>();

/** The states that one is either of: itself, where it is no union. */
export function partsOf(state: State): readonly State[] {
  return eithers.get(state) ?? [state];
}

/** Either of several states: bytes that two of them take lead to either of what follows. */
export function union(states: readonly State[]): State {
  if (states.length === 1) return states[0];
  const different = merged(states.flatMap(partsOf));
  const [first] = different;
  const begun = states.find((state) => state.begun)?.begun ?? null;
  if (different.length === 1) return begun ? marking(first, begun.of, begun.isFirst) : first;
  const edges = () => {
    const all = different.flatMap((state) => state.edges);
    // Cut the bytes where any edge begins or ends, so that each piece has the same targets throughout.
    const cuts = [...new Set(all.flatMap(([low, high]) => [low, high + 1]))].sort((a, b) => a - b);
    return cuts.flatMap((low, i): Edge[] => {
      const targets = all.filter((edge) => edge[0] <= low && low <= edge[1]).map(([, , target]) => target);
      return targets.length ? [[low, cuts[i + 1] - 1, union(targets)]] : [];
    });
  };
  const state = new State(edges, first.exit);
  eithers.set(state, different);
  state.begun = begun;
  return state;
}

/**
 * Equal values that begin here become one, and what follows any of them follows it: else each level of a union that
 * holds itself would double the states.
 */
function merged(states: readonly State[]): State[] {
  const groups = new Map<unknown, Set<State>>();
  for (const state of states) {
    const schema = values.get(state)?.schema;
    const key = schema?.kind === "string" || schema?.kind === "number" ? JSON.stringify(schema) : (schema ?? state);
    const group = groups.get(key);
    if (group) group.add(state);
    else groups.set(key, new Set([state]));
  }
  return [...groups.values()].map((group) => {
    const [first] = group;
    if (group.size === 1) return first;
    const { schema } = values.get(first) as Value;
    return beginning({
      schema,
      next: once(() => union([...group].map((state) => (values.get(state) as Value).next()))),
    });
  });
}

/**
 * The inside of a JSON string up to its closing quote: any escape, any valid UTF-8, from `least` to `most` characters.
 * Where characters count, an escaped surrogate, half a character, is left out.
 */
function stringState(next: State, least = 0, most = Number.POSITIVE_INFINITY): State {
  const free = least <= 0 && most === Number.POSITIVE_INFINITY;
  const edges = once(() => {
    const after = free ? inside : most > 0 ? stringState(next, Math.max(0, least - 1), most - 1) : null;
    const end: Edge[] = least <= 0 && next !== deadEnd ? [[quote, quote, next]] : [];
    return [...(after ? characterEdges(after, free) : []), ...end];
  });
  const inside = new State(edges, least > 0 ? hyphen : quote, free ? anyRoom : { least, most, isBetween: true });
  return inside;
}

/** One character of a string, raw or escaped, then `inside`. */
function characterEdges(inside: State, surrogates: boolean): Edge[] {
  const room = inside.room && { ...inside.room, isBetween: false };
  /** One byte of a range, then the given state. */
  const range = (low: number, high: number, target: State) => new State(() => [[low, high, target]], low, room);
  const digits: [number, number][] = [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ];
  const hex = (target: State) => new State(() => digits.map(([low, high]): Edge => [low, high, target]), 0x30, room);
  const three = hex(hex(hex(inside)));
  const low = new State(() => [[0x30, 0x37, hex(hex(inside))]], 0x30, room);
  const notD: [number, number][] = [
    [0x30, 0x39],
    [0x41, 0x43],
    [0x45, 0x46],
    [0x61, 0x63],
    [0x65, 0x66],
  ];
  const whole = (): Edge[] => [...notD.map(([a, b]): Edge => [a, b, three]), [0x44, 0x44, low], [0x64, 0x64, low]];
  const unicode = surrogates ? hex(three) : new State(whole, 0x30, room);
  const escaped = new State(
    () => [...[...'"\\/bfnrt'].map((c): Edge => [c.charCodeAt(0), c.charCodeAt(0), inside]), [0x75, 0x75, unicode]],
    0x6e,
    room,
  );
  const last = range(0x80, 0xbf, inside);
  const two = range(0x80, 0xbf, last);
  // Source: Unicode, table 3-7, "Well-Formed UTF-8 Byte Sequences".
  return [
    [0x20, 0x21, inside],
    [0x23, 0x5b, inside],
    [0x5d, 0x7f, inside],
    [0x5c, 0x5c, escaped],
    [0xc2, 0xdf, last],
    [0xe0, 0xe0, range(0xa0, 0xbf, last)],
    [0xe1, 0xec, two],
    [0xed, 0xed, range(0x80, 0x9f, last)],
    [0xee, 0xef, two],
    [0xf0, 0xf0, range(0x90, 0xbf, two)],
    [0xf1, 0xf3, range(0x80, 0xbf, two)],
    [0xf4, 0xf4, range(0x80, 0x8f, two)],
  ];
}

/** A JSON number; an integer has neither fraction nor exponent. It ends where what follows begins. */
function numberState(integer: boolean, next: () => State): State {
  const digits = (left: number, tail: () => Edge[]): State =>
    new State(() => [...(left ? [[0x30, 0x39, digits(left - 1, tail)] as Edge] : []), ...tail()], next().exit);
  const ended = () => next().edges;
  const exponent = once(() => {
    const first = new State(() => [[0x30, 0x39, digits(1, ended)]], 0x30);
    return new State(() => [[0x2b, 0x2b, first], [0x2d, 0x2d, first], ...first.edges], 0x30);
  });
  const power = (): Edge[] => [[0x45, 0x45, exponent()], [0x65, 0x65, exponent()], ...ended()];
  const fraction = once(() => new State(() => [[0x30, 0x39, digits(mostDigits - 1, power)]], 0x30));
  const tail = (): Edge[] => (integer ? ended() : [[0x2e, 0x2e, fraction()], ...power()]);
  const unsigned: Edge[] = [
    [0x30, 0x30, new State(tail, next().exit)],
    [0x31, 0x39, digits(mostDigits - 1, tail)],
  ];
  return new State(() => [[0x2d, 0x2d, new State(() => unsigned, 0x30)], ...unsigned], 0x30);
}

/** A number with limits: a byte may follow if some number that begins so fits. Texts that go on alike share a state. */
function limitedState(limits: Scaled, next: () => State): State {
  const states = new Map<string, State>();
  const after = (typed: string): State => {
    const key = standing(limits, typed);
    const known = states.get(key);
    if (known) return known;
    const continuations = [..."0123456789.-"].filter((c) => someFits(limits, typed + c));
    const complete = isFit(limits, typed);
    const edges = () => [
      ...continuations.map((c): Edge => [c.charCodeAt(0), c.charCodeAt(0), after(typed + c)]),
      ...(complete ? next().edges : []),
    ];
    const state = new State(edges, complete ? next().exit : continuations[0].charCodeAt(0));
    states.set(key, state);
    return state;
  };
  return after("");
}
