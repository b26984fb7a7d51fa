/**
 * A call as a few plain msgpack values: the tool's place in the set, then its arguments as their schemas have them.
 *
 *   call  ::= [tool, value…]      in declared order, nil for an absent one, none after the last; calls ::= [call…]
 *                                 of a map one more value: the list of its other keys, a value after each
 *   value ::= string, number or boolean as it is; an enum's place; an array's items; an object's values as a call's;
 *             anyOf: [option, value]
 *
 * null is always an enum's value, so nil is never a value.
 */
import { CapacityError, FormatError, ToolError } from "../errors.ts";
import { describe, isObject, type Json } from "../json.ts";
import { writeMsgpack } from "../msgpack.ts";
import { mostLevels } from "../tools/bounds.ts";
import { isBoolean, itemSchema, type Leaf, leaves, type ObjectSchema, type Schema } from "../tools/schema.ts";
import type { Tool, ToolSet } from "../tools/tools.ts";
import { torn } from "./phrases.ts";
import { type Plain, PlainReader } from "./plain.ts";

/** What the wire carries of a ToolCall. */
export interface WireCall {
  name: string;
  arguments: Record<string, Json>;
}

/**
 * Throws: ToolError for a tool that the set lacks, or an argument that does not fit its schema; CapacityError for values too
 * far within one another. Types are checked, limits are not: a number past its maximum is sent.
 */
export function packCall(set: ToolSet, call: WireCall): Uint8Array {
  return writeMsgpack(writeCall(set, call, "call"));
}

export function packCalls(set: ToolSet, calls: readonly WireCall[]): Uint8Array {
  return writeMsgpack(calls.map((call, i) => writeCall(set, call, `calls[${i}]`)));
}

/** Throws: FormatError for bytes that are no call of this set. */
export function unpackCall(set: ToolSet, bytes: Uint8Array): WireCall {
  return readCall(set, readList(bytes), "call");
}

export function unpackCalls(set: ToolSet, bytes: Uint8Array): WireCall[] {
  return readList(bytes).map((call, i) => readCall(set, call, `calls[${i}]`));
}

function writeCall(set: ToolSet, { name, arguments: given }: WireCall, path: string): Plain[] {
  const index = set.tools.findIndex((tool) => tool.name === name);
  if (index < 0) throw new ToolError(`${path}.name`, `expected a tool of the set, got ${describe(name)}`);
  checkLevels(given, `${path}.arguments`);
  const object = argumentsOf(set.tools[index]);
  const values = writeObject(object, given);
  if (values) return [index, ...values];
  const unfit = unfitArgument(object, given);
  const got = describe(Object.hasOwn(given, unfit) ? given[unfit] : undefined);
  throw new ToolError(`${path}.arguments.${unfit}`, `expected a value of its schema, got ${got}`);
}

/** Throws: CapacityError for values further within one another than a set's schemas, or that hold themselves. */
function checkLevels(given: object, path: string): void {
  let inside = new Set([given]);
  for (let level = 0; inside.size; level++) {
    if (level > mostLevels)
      throw new CapacityError(path, level, mostLevels, `expected at most ${mostLevels} levels, got more; flatten them`);
    inside = new Set([...inside].flatMap(Object.values).filter(isList));
  }
}

const isList = (value: unknown): value is object => typeof value === "object" && value !== null;

/** What all shapes of a tool's arguments know. */
function argumentsOf({ parameters, shapes }: Tool): ObjectSchema {
  const more = shapes?.find((shape) => shape.more)?.more;
  return { kind: "object", properties: parameters, ...(more && { more }) };
}

/** The first argument that has no place, is missing, or does not fit. */
function unfitArgument({ properties }: ObjectSchema, given: Record<string, Json>): string {
  const unfit = properties.find((property) => {
    const { name } = property;
    const alone: ObjectSchema = { kind: "object", properties: [property] };
    return !writeObject(alone, Object.hasOwn(given, name) ? Object.fromEntries([[name, given[name]]]) : {});
  });
  return unfit?.name ?? (Object.keys(given).find((key) => !properties.some(({ name }) => name === key)) as string);
}

/** What schemas made of the lists and objects of one call, so that options that share a schema write each value once. */
type Written = Map<Schema, Map<Json, Plain | undefined>>;

/** Values in declared order, nil for an absent one, none after the last but a map's pairs; undefined if they do not fit. */
function writeObject(
  { properties, more }: ObjectSchema,
  given: Record<string, Json>,
  known: Written = new Map(),
): Plain[] | undefined {
  const values: Plain[] = [];
  for (const [i, { name, schema, required }] of properties.entries()) {
    if (!Object.hasOwn(given, name)) {
      if (required) return undefined;
      continue;
    }
    const value = writeValue(schema, given[name], known);
    if (value === undefined) return undefined;
    while (values.length < i) values.push(null);
    values.push(value);
  }
  const others = Object.keys(given).filter((key) => !properties.some(({ name }) => name === key));
  if (!others.length) return values;
  if (!more) return undefined;
  const pairs: Plain[] = [];
  for (const key of others) {
    const value = writeValue(more, given[key], known);
    if (value === undefined || torn.test(key)) return undefined;
    pairs.push(key, value);
  }
  while (values.length < properties.length) values.push(null);
  return [...values, pairs];
}

/** A value as the first leaf of its schema that it fits has it, never nil; undefined if it fits none. */
function writeValue(schema: Schema, value: Json, known: Written): Plain | undefined {
  for (const { schema: leaf, options } of leaves(schema)) {
    const written = writeOnce(leaf, value, known);
    if (written !== undefined) return options.reduceRight<Plain>((inner, option) => [option, inner], written);
  }
  return undefined;
}

function writeOnce(schema: Leaf["schema"], value: Json, known: Written): Plain | undefined {
  if (typeof value !== "object") return writePlain(schema, value, known);
  const values = known.get(schema) ?? new Map<Json, Plain | undefined>();
  known.set(schema, values);
  if (!values.has(value)) values.set(value, writePlain(schema, value, known));
  return values.get(value);
}

function writePlain(schema: Leaf["schema"], value: Json, known: Written): Plain | undefined {
  switch (schema.kind) {
    case "string":
      return typeof value === "string" && !torn.test(value) ? value : undefined;
    case "number":
      return typeof value === "number" && (!schema.integer || Number.isInteger(value)) ? value : undefined;
    case "enum": {
      if (isBoolean(schema)) return typeof value === "boolean" ? value : undefined;
      const text = canonical(value);
      const index = schema.values.findIndex((item) => canonical(item) === text);
      return index < 0 ? undefined : index;
    }
    case "array": {
      if (!Array.isArray(value)) return undefined;
      const items = value.map((item, i) => writeValue(itemSchema(schema, i), item, known));
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case "object":
      return isObject(value) ? writeObject(schema, value as Record<string, Json>, known) : undefined;
  }
}

/** JSON with keys in order, so that equal values have equal texts. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_, inner) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function readList(bytes: Uint8Array): Plain[] {
  const reader = new PlainReader(bytes);
  const list: Plain[] = [];
  while (reader.left) list.push(reader.next("call"));
  reader.end();
  return list;
}

function readCall(set: ToolSet, list: Plain, path: string): WireCall {
  const [index, ...values] = Array.isArray(list) ? list : [];
  const tool = typeof index === "number" ? set.tools[index] : undefined;
  if (!tool) throw new FormatError(path, -1, `expected one of ${set.tools.length} tools, got ${describe(index)}`);
  return { name: tool.name, arguments: readObject(argumentsOf(tool), values, `${path}.arguments`) };
}

function readObject({ properties, more }: ObjectSchema, values: readonly Plain[], path: string): Record<string, Json> {
  const most = properties.length + Number(more !== undefined);
  if (values.length > most) throw new FormatError(path, -1, `expected at most ${most} values, got ${values.length}`);
  const entries = properties.flatMap(({ name, schema, required }, i): [string, Json][] => {
    const value = values[i] ?? null;
    if (value !== null) return [[name, readValue(schema, value, `${path}.${name}`, [])]];
    if (required) throw new FormatError(`${path}.${name}`, -1, "expected a value, got none");
    return [];
  });
  const pairs = values[properties.length] ?? [];
  if (!Array.isArray(pairs) || pairs.length % 2)
    throw new FormatError(path, -1, `expected keys and values, got ${describe(pairs)}`);
  for (let i = 0; more && i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key !== "string" || entries.some(([name]) => name === key))
      throw new FormatError(path, -1, `expected a key of its own, got ${describe(key)}`);
    entries.push([key, readValue(more, pairs[i + 1], `${path}.${key}`, [])]);
  }
  return Object.fromEntries(entries);
}

function readValue(schema: Schema, value: Plain, path: string, open: readonly Schema[]): Json {
  switch (schema.kind) {
    case "string":
      if (typeof value === "string") return value;
      break;
    case "number":
      if (typeof value === "number" && (!schema.integer || Number.isInteger(value))) return value;
      break;
    case "enum":
      if (isBoolean(schema)) {
        if (typeof value === "boolean") return value;
      } else if (typeof value === "number" && Object.hasOwn(schema.values, value)) return schema.values[value];
      break;
    case "array":
      if (Array.isArray(value))
        return value.map((item, i) => readValue(itemSchema(schema, i), item, `${path}[${i}]`, []));
      break;
    case "object":
      if (Array.isArray(value)) return readObject(schema, value, path);
      break;
    case "anyOf":
      if (Array.isArray(value) && value.length === 2) {
        const option = typeof value[0] === "number" ? schema.options[value[0]] : undefined;
        if (option) return readValue(option, value[1], path, []);
      }
      break;
    case "ref":
      if (schema.target && !open.includes(schema)) return readValue(schema.target, value, path, [...open, schema]);
  }
  throw new FormatError(path, -1, `expected a value of its schema, got ${describe(value)}`);
}
