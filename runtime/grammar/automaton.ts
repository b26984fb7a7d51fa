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

import { constrained, isFit, mostDigits, type Scaled, scaledOf, someFits } from "../tools/decimal.ts";
import { type Leaf, leaves, type Property, type Schema } from "../tools/schema.ts";
import { leastBytes } from "../tools/shortest.ts";
import type { ToolSet } from "../tools/tools.ts";

type Edge = readonly [low: number, high: number, target: State];

/** Where the text stands: the bytes that may follow. */
export class State {
  private made: Edge[] | null = null;

  constructor(
    private readonly make: () => Edge[],
    /** The byte that leads to the end of the text by a short way, −1 at the end. */
    readonly exit: number,
    /** Characters that a string may still take here, whichever they are; 0 outside one. */
    readonly stringRoom = 0,
    /** Set where a free string goes on, one that nothing limits. */
    readonly inString = false,
  ) {}

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
        next: () => objectState(tool.parameters, "}}", afterCall),
      })),
    ),
  );
  const call: Alternative = { text: '{"name":', next: names };
  const close: Alternative = { text: "]", next: () => end };
  const afterCall: () => State = once(() => oneOf([close, { ...call, text: `,${call.text}` }]));
  const start = literal(" [", () => oneOf(set.tools.length ? [close, call] : [close]));
  return { start, afterCall: set.tools.length ? afterCall() : null };
}

/** What follows an opening brace: known keys, each at most once, the required ones present, then `close`. */
function objectState(properties: readonly Property[], close: string, next: () => State): State {
  const states = new Map<string, State>();
  const possible = properties.filter(({ schema }) => Number.isFinite(leastBytes(schema)));
  const after = (used: boolean[]): State => {
    const key = used.map(Number).join("");
    const known = states.get(key);
    if (known) return known;
    const left = possible.map((property, i) => ({ property, i })).filter(({ i }) => !used[i]);
    // Required ones first: the way out goes through the first alternative.
    left.sort((a, b) => Number(b.property.required) - Number(a.property.required));
    const alternatives: Alternative[] = left.map(({ property, i }) => ({
      text: `${used.includes(true) ? "," : ""}${JSON.stringify(property.name)}:`,
      next: once(() => valueState(property.schema, () => after(used.with(i, true)))),
    }));
    if (!left.some(({ property }) => property.required)) alternatives.unshift({ text: close, next });
    const state = oneOf(alternatives);
    states.set(key, state);
    return state;
  };
  return after(possible.map(() => false));
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
      return constrained(schema) ? boundedState(scaledOf(schema), "", next) : numberState(schema.integer, next);
    case "enum":
      return oneOf([...new Set(schema.values.map((value) => JSON.stringify(value)))].map((text) => ({ text, next })));
    case "array":
      return literal("[", () => arrayState(schema, 0, next));
    case "object":
      return literal("{", () => objectState(schema.properties, "}", next));
  }
}

function arrayState(schema: Schema & { kind: "array" }, count: number, next: () => State): State {
  const unbounded = schema.maxItems === Number.POSITIVE_INFINITY && count > schema.minItems;
  const after: () => State = once(() => (unbounded ? state : arrayState(schema, count + 1, next)));
  const item = () => valueState(schema.items, after);
  const more = () => (count ? literal(",", item) : item());
  const options: State[] = [];
  if (count >= schema.minItems) options.push(literal("]", next));
  if (count < schema.maxItems && Number.isFinite(leastBytes(schema.items))) options.push(more());
  const state = union(options);
  return state;
}

/** The states that one is either of. */
const eithers = new WeakMap<State, readonly State[]>();

/** Either of several states: bytes that two of them take lead to either of what follows. */
function union(states: readonly State[]): State {
  const different = merged(states.flatMap((state) => eithers.get(state) ?? [state]));
  const [first] = different;
  if (different.length === 1) return first;
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
    const after = free ? inside : most > 0 ? stringState(next, least - 1, most - 1) : null;
    const quote: Edge[] = least <= 0 && next !== deadEnd ? [[0x22, 0x22, next]] : [];
    return [...(after ? characterEdges(after, free) : []), ...quote];
  });
  const hyphen = 0x2d;
  const inside = new State(edges, least > 0 ? hyphen : 0x22, most, free);
  return inside;
}

/** One character of a string, raw or escaped, then `inside`. */
function characterEdges(inside: State, surrogates: boolean): Edge[] {
  /** One byte of a range, then the given state. */
  const range = (low: number, high: number, target: State) => new State(() => [[low, high, target]], low);
  const digits: [number, number][] = [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ];
  const hex = (target: State) => new State(() => digits.map(([low, high]): Edge => [low, high, target]), 0x30);
  const three = hex(hex(hex(inside)));
  const low = new State(() => [[0x30, 0x37, hex(hex(inside))]], 0x30);
  const notD: [number, number][] = [
    [0x30, 0x39],
    [0x41, 0x43],
    [0x45, 0x46],
    [0x61, 0x63],
    [0x65, 0x66],
  ];
  const whole = (): Edge[] => [...notD.map(([a, b]): Edge => [a, b, three]), [0x44, 0x44, low], [0x64, 0x64, low]];
  const unicode = surrogates ? hex(three) : new State(whole, 0x30);
  const escaped = new State(
    () => [...[...'"\\/bfnrt'].map((c): Edge => [c.charCodeAt(0), c.charCodeAt(0), inside]), [0x75, 0x75, unicode]],
    0x6e,
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

/**
 * The rest of a number of which `typed` is written. A byte may follow if some number that begins so fits.
 */
function boundedState(limits: Scaled, typed: string, next: () => State): State {
  const continuations = [..."0123456789.-"].filter((c) => someFits(limits, typed + c));
  const complete = isFit(limits, typed);
  const edges = () => [
    ...continuations.map((c): Edge => [c.charCodeAt(0), c.charCodeAt(0), boundedState(limits, typed + c, next)]),
    ...(complete ? next().edges : []),
  ];
  return new State(edges, complete ? next().exit : continuations[0].charCodeAt(0));
}
