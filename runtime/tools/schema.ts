/**
 * JSON Schema → the part of it that the grammar keeps, and a list of what it does not.
 *
 * Kept: type, properties, required, items, minItems, maxItems, enum, const, nullable, anyOf, oneOf, local $ref
 * (recursive too), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength, default.
 * An object gets its known properties and no others, which every additionalProperties allows.
 * Source: JSON Schema 2020-12, core and validation; nullable: OpenAPI 3.0.
 */

import { ToolError } from "../errors.ts";
import { describe, isObject, type Json } from "../json.ts";
import { both, mergeSchemas, silent } from "./merge.ts";

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
  | { kind: "array"; items: Schema; minItems: number; maxItems: number }
  | { kind: "object"; properties: Property[] }
  | { kind: "anyOf"; options: Schema[] }
  /** A $ref; `target` is set once the definition has been read, so that a schema may hold itself. */
  | { kind: "ref"; target: Schema | null };

/** A limit of a number; Infinity for none. */
export interface Bound {
  value: number;
  exclusive: boolean;
}

/** Something that a schema asks and the grammar does not hold to. */
export interface Warning {
  path: string;
  keyword: string;
  message: string;
}

type Source = Record<string, unknown>;

/** Keywords that belong to no type, or to the object around a schema. */
const readApart = new Set([...silent, "required", "additionalProperties", "type", "nullable"]);
const keywords: Record<string, string[]> = {
  string: ["minLength", "maxLength"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  array: ["items", "minItems", "maxItems"],
  object: ["properties"],
};
const typeNames = ["string", "number", "integer", "boolean", "null", "array", "object"];
const misspelled: Record<string, string> = {
  str: "string",
  strng: "string",
  text: "string",
  int: "integer",
  float: "number",
  double: "number",
  bool: "boolean",
  list: "array",
  dict: "object",
};

type Ref = Schema & { kind: "ref" };

/** Schemas within one another, and schemas of one tool, merged ones included: no tool for this model needs a tenth. */
export const mostLevels = 500;
export const mostSchemas = 4096;

/** Reads the schemas of one tool; `root` is where local references point into. */
export class SchemaReader {
  readonly warnings: Warning[] = [];
  private readonly refs = new Map<string, Ref>();
  /** Merged schemas by their text before merging. */
  private readonly merged = new Map<string, { schema: Schema | null; ref: Ref | null }>();
  private schemas = 0;
  private levels = 0;

  constructor(private readonly root: Source) {}

  /** Throws: ToolError naming the path of what is no schema at all, or of what is too many of them. */
  read(given: unknown, path: string): Schema {
    const schema = this.readIfPossible(given, path);
    if (schema) return schema;
    throw new ToolError(path, "expected a schema that some value fits, got parts that exclude each other");
  }

  /** null if no value fits. */
  private readIfPossible(given: unknown, path: string): Schema | null {
    if (given === true) return this.anything(path);
    if (!isObject(given)) throw new ToolError(path, `expected a schema, got ${describe(given)}`);
    this.spend(path);
    this.levels++;
    try {
      if (typeof given.$ref === "string" && !limits(given, ["$ref"])) return this.reference(given.$ref, path);
      if (given.$ref === undefined && given.allOf === undefined) return this.readPlain(this.oneValue(given), path);
      return this.merge(given, path);
    } finally {
      this.levels--;
    }
  }

  /**
   * A schema with parts. Where one with references is met again, within itself or later, a reference to it stands:
   * what it warns of is then listed at the first place alone.
   */
  private merge(given: Source, path: string): Schema | null {
    const text = JSON.stringify(given);
    if (!text.includes('"$ref"')) {
      const source = this.plain(given, path, []);
      return source && this.readPlain(source, path);
    }
    const known = this.merged.get(text);
    if (known) {
      known.ref ??= { kind: "ref", target: known.schema };
      return known.ref;
    }
    const entry: { schema: Schema | null; ref: Ref | null } = { schema: null, ref: null };
    const source = this.plain(given, path, []);
    if (!source) return null;
    this.merged.set(text, entry);
    entry.schema = this.readPlain(source, path);
    if (!entry.ref) return entry.schema;
    entry.ref.target = entry.schema;
    return entry.ref;
  }

  /** A schema without $ref, allOf and const of its own. */
  private readPlain(source: Source, path: string): Schema {
    for (const key of ["anyOf", "oneOf"] as const) {
      if (source[key] !== undefined) return this.union(source, key, path);
    }
    if (source.enum !== undefined) return this.nullable(source, this.enumeration(source, path));
    if (source.type === undefined && guessType(source) === undefined) return this.nullable(source, this.anything(path));
    const types = Array.isArray(source.type) ? source.type : [source.type ?? guessType(source)];
    const options = types.map((type) => this.typed(source, type, path));
    this.warnUnread(
      source,
      types.flatMap((type) => keywords[type === "integer" ? "number" : String(type)] ?? []),
      path,
    );
    return this.nullable(source, options.length === 1 ? options[0] : { kind: "anyOf", options });
  }

  /** anyOf or oneOf: what stands beside the options holds for each of them. */
  private union(source: Source, key: "anyOf" | "oneOf", path: string): Schema {
    const { [key]: options, nullable, ...rest } = source;
    if (!Array.isArray(options) || !options.length) {
      throw new ToolError(`${path}.${key}`, `expected a list of schemas, got ${describe(options)}`);
    }
    const read = options.flatMap((option, i): Schema[] => {
      const at = `${path}.${key}[${i}]`;
      if (!limits(rest, [])) return [this.read(option, at)];
      const possible = this.readIfPossible(both(rest, option), at);
      return possible ? [possible] : [];
    });
    if (!read.length)
      throw new ToolError(`${path}.${key}`, "expected an option that the rest of the schema allows, got none");
    if (key === "oneOf" && read.some((a, i) => read.some((b, j) => i < j && mayOverlap(a, b)))) {
      this.warn(path, "oneOf", "read as anyOf: two of its options may hold for the same value");
    }
    return this.nullable({ nullable }, read.length === 1 ? read[0] : { kind: "anyOf", options: read });
  }

  /** A schema with its own $ref and allOf merged in; null if no value fits. `open` are the references on the way. */
  private plain(source: unknown, path: string, open: readonly string[]): Source | null {
    if (!isObject(source)) throw new ToolError(path, `expected a schema, got ${describe(source)}`);
    this.spend(path);
    const { $ref, allOf, ...own } = source;
    if ($ref === undefined && allOf === undefined) return this.oneValue(source);
    const parts: unknown[] = [];
    if (typeof $ref === "string") {
      if (open.includes($ref))
        throw new ToolError(path, `expected a schema, got ${describe($ref)} that is defined by itself`);
      parts.push(this.target($ref, path));
    }
    if (allOf !== undefined && !Array.isArray(allOf))
      throw new ToolError(`${path}.allOf`, `expected a list, got ${describe(allOf)}`);
    parts.push(...((allOf as unknown[]) ?? []));
    const inner = typeof $ref === "string" ? [...open, $ref] : open;
    return parts.reduce<Source | null>((all, part, i) => {
      const next = all && this.plain(part, `${path}.allOf[${i}]`, inner);
      return (
        all &&
        next &&
        mergeSchemas(all, next, (keyword) =>
          this.warn(`${path}.${keyword}`, "allOf", "differs between two parts; the first holds"),
        )
      );
    }, this.oneValue(own));
  }

  /** const as the enum of one value, so that the two merge. */
  private oneValue(source: Source): Source {
    if (source.const === undefined) return source;
    const { const: value, ...rest } = source;
    return { ...rest, enum: [value] };
  }

  private typed(source: Source, type: unknown, path: string): Schema {
    switch (type) {
      case "string":
        return {
          kind: "string",
          minLength: this.count(source, "minLength", 0, path),
          maxLength: this.count(source, "maxLength", Number.POSITIVE_INFINITY, path),
        };
      case "number":
      case "integer":
        return this.number(source, type === "integer", path);
      case "boolean":
        return { kind: "enum", values: [true, false] };
      case "null":
        return { kind: "enum", values: [null] };
      case "array": {
        const items =
          source.items === undefined ? this.anything(`${path}.items`) : this.read(source.items, `${path}.items`);
        return {
          kind: "array",
          items,
          minItems: this.count(source, "minItems", 0, path),
          maxItems: this.count(source, "maxItems", Number.POSITIVE_INFINITY, path),
        };
      }
      case "object":
        return { kind: "object", properties: this.properties(source, path) };
      default: {
        const word = String(type).toLowerCase();
        const guess = Object.hasOwn(misspelled, word) ? misspelled[word] : undefined;
        const remedy = guess ? `did you mean ${JSON.stringify(guess)}?` : "say what the value is";
        throw new ToolError(
          `${path}.type`,
          `expected one of ${typeNames.join(", ")}, got ${describe(type)}; ${remedy}`,
        );
      }
    }
  }

  /** Properties of an object schema. */
  properties(source: Source, path: string): Property[] {
    const properties = source.properties ?? {};
    if (!isObject(properties))
      throw new ToolError(`${path}.properties`, `expected an object, got ${describe(properties)}`);
    const required = source.required === undefined || typeof source.required === "boolean" ? [] : source.required;
    if (!Array.isArray(required)) throw new ToolError(`${path}.required`, `expected a list, got ${describe(required)}`);
    for (const key of required) {
      if (!Object.hasOwn(properties, key))
        throw new ToolError(`${path}.required`, `expected names of properties, got ${describe(key)}`);
    }
    return Object.entries(properties).map(([name, value]) => {
      const at = `${path}.properties.${name}`;
      const schema = this.read(value, at);
      return { name, schema, required: required.includes(name), ...notes(value) };
    });
  }

  private number(source: Source, integer: boolean, path: string): Schema {
    const limit = (key: string, none: number): number => {
      const value = source[key];
      // Draft 4 wrote exclusiveMinimum as a flag beside minimum.
      if (value === undefined || typeof value === "boolean") return none;
      if (typeof value !== "number" || !Number.isFinite(value))
        throw new ToolError(`${path}.${key}`, `expected a number, got ${describe(value)}`);
      return value;
    };
    const bound = (name: "Minimum" | "Maximum", none: number): Bound => {
      const inclusive = limit(name.toLowerCase(), none);
      const exclusive = limit(`exclusive${name}`, none);
      const tighter = name === "Minimum" ? exclusive >= inclusive : exclusive <= inclusive;
      if (exclusive !== none && tighter) return { value: exclusive, exclusive: true };
      return { value: inclusive, exclusive: source[`exclusive${name}`] === true };
    };
    const multipleOf = source.multipleOf === undefined ? null : limit("multipleOf", 0);
    if (multipleOf !== null && multipleOf <= 0)
      throw new ToolError(`${path}.multipleOf`, `expected a number above 0, got ${describe(source.multipleOf)}`);
    const schema: Schema = {
      kind: "number",
      integer,
      least: bound("Minimum", Number.NEGATIVE_INFINITY),
      most: bound("Maximum", Number.POSITIVE_INFINITY),
      multipleOf,
    };
    return schema;
  }

  private enumeration(source: Source, path: string): Schema {
    const values = source.enum;
    if (!Array.isArray(values) || !values.length)
      throw new ToolError(`${path}.enum`, `expected a list of values, got ${describe(values)}`);
    const types = source.type === undefined ? typeNames : [source.type].flat();
    for (const [i, value] of values.entries()) {
      const is = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
      const fits =
        types.includes(is) ||
        (types.includes("integer") && Number.isInteger(value)) ||
        (value === null && source.nullable === true);
      if (!fits)
        throw new ToolError(
          `${path}.enum[${i}]`,
          `expected a value of type ${types.join(" or ")}, got ${describe(value)}`,
        );
    }
    this.warnUnread(source, ["enum"], path);
    return { kind: "enum", values: values as Json[] };
  }

  /** Throws: ToolError for more schemas, or deeper ones, than can be read in a moment. */
  private spend(path: string): void {
    if (++this.schemas > mostSchemas)
      throw new ToolError(path, `expected at most ${mostSchemas} schemas with those that merging makes; simplify them`);
    if (this.levels > mostLevels)
      throw new ToolError(path, `expected at most ${mostLevels} schemas within one another; flatten them`);
  }

  private reference(ref: string, path: string): Schema {
    const known = this.refs.get(ref);
    if (known) return known;
    const made: Ref = { kind: "ref", target: null };
    this.refs.set(ref, made);
    made.target = this.read(this.target(ref, path), ref);
    return made;
  }

  /** What a local reference points to. */
  private target(ref: string, path: string): unknown {
    const [root, ...parts] = ref.split("/");
    let target: unknown = root === "#" ? this.root : undefined;
    for (const part of parts) {
      const key = unescaped(part);
      const inside = (isObject(target) || Array.isArray(target)) && Object.hasOwn(target, key);
      target = inside ? (target as Source)[key] : undefined;
    }
    if (target !== undefined) return target;
    throw new ToolError(`${path}.$ref`, `expected a definition within this tool's schema, got ${JSON.stringify(ref)}`);
  }

  /** A value of unknown shape: a string, a number or a boolean, which every such schema allows. */
  private anything(path: string): Schema {
    this.warn(path, "type", "says nothing; a string, number or boolean is written");
    const any = { value: Number.POSITIVE_INFINITY, exclusive: false };
    return {
      kind: "anyOf",
      options: [
        { kind: "string", minLength: 0, maxLength: Number.POSITIVE_INFINITY },
        {
          kind: "number",
          integer: false,
          least: { ...any, value: Number.NEGATIVE_INFINITY },
          most: any,
          multipleOf: null,
        },
        { kind: "enum", values: [true, false] },
      ],
    };
  }

  private nullable(source: Source, schema: Schema): Schema {
    if (source.nullable !== true) return schema;
    if (schema.kind === "enum")
      return schema.values.includes(null) ? schema : { kind: "enum", values: [...schema.values, null] };
    return { kind: "anyOf", options: [schema, { kind: "enum", values: [null] }] };
  }

  private count(source: Source, key: string, none: number, path: string): number {
    const value = source[key];
    if (value === undefined) return none;
    if (!Number.isInteger(value) || (value as number) < 0)
      throw new ToolError(`${path}.${key}`, `expected a whole number, got ${describe(value)}`);
    return value as number;
  }

  private warnUnread(source: Source, read: string[], path: string): void {
    for (const key of Object.keys(source)) {
      if (readApart.has(key) || read.includes(key) || key.startsWith("x-")) continue;
      this.warn(`${path}.${key}`, key, "is not held to: the grammar ignores it");
    }
    if (isObject(source.additionalProperties))
      this.warn(`${path}.additionalProperties`, "additionalProperties", "further properties are never written");
  }

  private warn(path: string, keyword: string, message: string): void {
    this.warnings.push({ path, keyword, message });
  }
}

/** Whether a schema limits its values by other keywords than some. */
function limits(source: Source, but: readonly string[]): boolean {
  return Object.keys(source).some(
    (key) => ![...but, "nullable"].includes(key) && !silent.has(key) && !key.startsWith("x-"),
  );
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

/** A step of a JSON pointer in a URI fragment; as it is where it is no percent encoding. */
function unescaped(part: string): string {
  let key = part;
  try {
    key = decodeURIComponent(part);
  } catch {}
  return key.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** The type that keywords imply where none is stated. */
function guessType(source: Source): string | undefined {
  return Object.keys(keywords).find((type) => keywords[type].some((key) => source[key] !== undefined));
}

/** Whether two schemas may allow the same value; errs towards yes. */
function mayOverlap(a: Schema, b: Schema): boolean {
  if (a.kind === "ref" || b.kind === "ref") return true;
  if (a.kind === "anyOf") return a.options.some((option) => mayOverlap(option, b));
  if (b.kind === "anyOf") return mayOverlap(b, a);
  if (a.kind === "enum") return a.values.some((value) => mayHold(b, value));
  if (b.kind === "enum") return mayOverlap(b, a);
  if (a.kind !== b.kind) return false;
  if (a.kind === "object" && b.kind === "object") {
    // Two objects differ for sure where a property that both require has disjoint values.
    return !a.properties.some(
      (p) => p.required && b.properties.some((q) => q.required && q.name === p.name && !mayOverlap(p.schema, q.schema)),
    );
  }
  return true;
}

function mayHold(schema: Schema, value: Json): boolean {
  if (schema.kind === "enum") return schema.values.some((other) => JSON.stringify(other) === JSON.stringify(value));
  if (schema.kind === "array") return Array.isArray(value);
  return schema.kind === (value !== null && !Array.isArray(value) ? typeof value : "null");
}
