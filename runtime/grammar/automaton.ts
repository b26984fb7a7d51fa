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

import { constrained, scaledOf } from "../tools/decimal.ts";
import {
  type ArraySchema,
  itemSchema,
  type Leaf,
  leaves,
  type ObjectSchema,
  type Property,
  type Schema,
} from "../tools/schema.ts";
import { shapesOf } from "../tools/shapes.ts";
import { leastBytes, mostItems } from "../tools/shortest.ts";
import type { Tool, ToolSet } from "../tools/tools.ts";
import { keyState, limitedState, numberState, stringState } from "./scalars.ts";
import { type Alternative, type Begun, type Edge, literal, once, oneOf, State } from "./state.ts";

/** Whether what begins so must differ from what began before. */
export const mustDiffer = (of: Begun["of"]) => of.kind === "object" || of.unique === true;

const end = new State(() => [], -1);

/** `start`, and where a call has ended and another may begin: null without tools. `mustCall`: the list is not empty. */
export function answerStates(set: ToolSet, mustCall = false): { start: State; afterCall: State | null } {
  // A list that is not empty ends by the shortest call.
  const tools = mustCall ? [...set.tools].sort((a, b) => leastCall(a) - leastCall(b)) : set.tools;
  const names: () => State = once(() =>
    oneOf(
      tools.map((tool) => ({
        text: `${JSON.stringify(tool.promptName)},"arguments":{`,
        next: () => argumentStates(tool, afterCall),
      })),
    ),
  );
  const call: Alternative = { text: '{"name":', next: names };
  const close: Alternative = { text: "]", next: () => end };
  const afterCall: () => State = once(() => oneOf([close, { ...call, text: `,${call.text}` }]));
  const start = literal(" [", () => oneOf([...(mustCall ? [] : [close]), ...(set.tools.length ? [call] : [])]));
  return { start, afterCall: set.tools.length ? afterCall() : null };
}

const leastCall = (tool: Tool) => tool.promptName.length + Math.min(...shapesOf(tool).map(leastBytes));

/** A tool's arguments after their brace, with the brace of the call. */
export function argumentStates(tool: Tool, next: () => State): State {
  return union(shapesOf(tool).map((shape) => objectState(shape, "}}", next)));
}

/** Keys of an object that can be written, in the order in which the automaton takes them. */
export function possibleKeys(properties: readonly Property[]): Property[] {
  const possible = properties.filter((property) => Number.isFinite(leastBytes(property.schema)));
  // Required ones first, then the shortest: the way out goes through the first alternative.
  return possible.sort(
    (a, b) => Number(b.required) - Number(a.required) || leastBytes(a.schema) - leastBytes(b.schema),
  );
}

/** Pairs of a map beside its known keys, unless it asks for more. */
const mostPairs = 16;

/**
 * What follows an opening brace: keys, each at most once, the required ones present, then `close`. A map's keys are the
 * known ones or any others.
 */
function objectState(schema: ObjectSchema, close: string, next: () => State): State {
  const { more, minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema;
  const possible = possibleKeys(schema.properties);
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

/** Where a value begins; `next` follows it. */
export function valueState(schema: Schema, next: () => State): State {
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
