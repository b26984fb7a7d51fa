/** The part of JSON Schema that the grammar keeps; reader.ts reads it. */
import { isObject, type Json } from "../json.ts";

export interface Property {
  name: string;
  schema: Schema;
  required: boolean;
  description?: string;
  default?: Json;
}

export type Schema =
  | { kind: "string"; minLength: number; maxLength: number }
  | { kind: "number"; integer: boolean; least: Bound; most: Bound; multipleOf: number | null }
  | { kind: "enum"; values: Json[] }
  | ArraySchema
  | ObjectSchema
  | { kind: "anyOf"; options: Schema[] }
  /** A $ref; `target` is set once the definition has been read, so that a schema may hold itself. */
  | { kind: "ref"; target: Schema | null };

/** The least of a number whose description says that it goes below nothing. Words like "back" turn such a number (answer/figures.ts). */
export const farDown = -999_999_999;

export interface ArraySchema {
  kind: "array";
  /** Of the items after those of `first`. */
  items: Schema;
  minItems: number;
  maxItems: number;
  /** Of a tuple, the schemas of its first items. */
  first?: Schema[];
  /** No two items are equal; of numbers, strings and enums alone. */
  unique?: boolean;
}

export interface ObjectSchema {
  kind: "object";
  properties: Property[];
  /** Of the values of a map, whose keys are any others. */
  more?: Schema;
  /** How many keys there are, those of `properties` included; 0 and Infinity by default. */
  minProperties?: number;
  maxProperties?: number;
}

/** A limit of a number; Infinity for none. */
export interface Bound {
  value: number;
  exclusive: boolean;
}

/** Whether an enum's values are JSON Schema's boolean. */
export const isBoolean = ({ values }: { values: readonly Json[] }) =>
  values.length === 2 && values[0] === true && values[1] === false;

/** Something that a schema asks and the grammar does not hold to. */
export interface Warning {
  path: string;
  keyword: string;
  message: string;
}

/** What a property says beside its type. */
export function notes(source: unknown): Pick<Property, "description" | "default"> {
  if (!isObject(source)) return {};
  return {
    ...(typeof source.description === "string" && { description: source.description }),
    ...(source.default !== undefined && { default: source.default as Json }),
  };
}

/** A schema that is neither a union nor a reference, and the options on the way there. */
export interface Leaf {
  schema: Exclude<Schema, { kind: "anyOf" | "ref" }>;
  options: readonly number[];
}

/** What a schema comes to through unions and references, in order; each reference once, since a union may hold itself. */
export function* leaves(
  schema: Schema,
  options: readonly number[] = [],
  met: Set<Schema> = new Set(),
): Generator<Leaf> {
  if (schema.kind === "anyOf") {
    for (const [i, option] of schema.options.entries()) yield* leaves(option, [...options, i], met);
  } else if (schema.kind === "ref") {
    if (met.has(schema) || !schema.target) return;
    met.add(schema);
    yield* leaves(schema.target, options, met);
  } else yield { schema, options };
}

/** The schema of an array's item. */
export function itemSchema({ first, items }: ArraySchema, place: number): Schema {
  return first?.[place] ?? items;
}
