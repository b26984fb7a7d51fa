/**
 * JSON Schema → the part of it that the grammar keeps, and a list of what it does not.
 *
 * In three passes: $ref and allOf go (merge.ts), const becomes enum, then keywords are read by type.
 * An object gets its known properties, and others only where additionalProperties says what they are.
 * Source: JSON Schema 2020-12, core and validation, and what draft 4 wrote instead; nullable: OpenAPI 3.0.
 */

import { ToolError } from "../errors.ts";
import { describe, isObject, type Json, type JsonObject } from "../json.ts";
import { mostLevels, mostSchemas } from "./bounds.ts";
import { isFlag, isLimited, isOfType, isReadApart, keywords, oneValue, typesOf, withoutNulls } from "./keywords.ts";
import { both, mergeSchemas } from "./merge.ts";
import { mayOverlap } from "./overlap.ts";
import { pointed } from "./pointer.ts";
import {
  type Bound,
  farDown,
  leaves,
  notes,
  type ObjectSchema,
  type Property,
  type Schema,
  type Warning,
} from "./schema.ts";

type Ref = Schema & { kind: "ref" };

/** Reads the schemas of one tool; `root` is where local references point into. */
export class SchemaReader {
  readonly warnings: Warning[] = [];
  /** By their text; null where no value fits. */
  private readonly refs = new Map<string, Ref | null>();
  /** Merged schemas by their text before merging; null where no value fits. */
  private readonly merged = new Map<string, { schema: Schema | null; ref: Ref | null } | null>();
  private schemas = 0;
  private levels = 0;
  /** Parameters and their parts that are being read. */
  private parts = 0;

  constructor(private readonly root: JsonObject) {}

  /** Throws: ToolError naming the path of what is no schema at all, or of what is too many of them. */
  read(given: unknown, path: string): Schema {
    const schema = this.readIfPossible(given, path);
    if (schema) return schema;
    throw new ToolError(path, "expected a schema that some value fits, got one that none does");
  }

  /** Reads what a parameter or a part of it may be; null if no value fits. */
  readPart(given: unknown, path: string): Schema | null {
    this.parts++;
    try {
      return this.readIfPossible(given, path);
    } finally {
      this.parts--;
    }
  }

  private readIfPossible(schema: unknown, path: string): Schema | null {
    if (schema === false) return null;
    if (schema === true) return this.anything(path);
    if (!isObject(schema)) throw new ToolError(path, `expected a schema, got ${describe(schema)}`);
    const given = withoutNulls(schema);
    this.spend(path);
    this.levels++;
    try {
      if (given.$ref !== undefined && typeof given.$ref !== "string")
        throw new ToolError(`${path}.$ref`, `expected a reference, got ${describe(given.$ref)}`);
      if (typeof given.$ref === "string" && !isLimited(given, ["$ref"])) return this.reference(given.$ref, path);
      if (given.$ref === undefined && given.allOf === undefined) return this.readFlat(oneValue(given), path);
      return this.merge(given, path);
    } finally {
      this.levels--;
    }
  }

  /**
   * A schema with parts. Where one with references is met again, within itself or later, a reference to it stands:
   * what it warns of is then listed at the first place alone.
   */
  private merge(given: JsonObject, path: string): Schema | null {
    const text = JSON.stringify(given);
    if (!text.includes('"$ref"')) {
      const source = this.flattened(given, path, []);
      return source && this.readFlat(source, path);
    }
    const known = this.merged.get(text);
    if (known === null) return null;
    if (known) {
      known.ref ??= { kind: "ref", target: known.schema };
      return known.ref;
    }
    const entry: { schema: Schema | null; ref: Ref | null } = { schema: null, ref: null };
    const source = this.flattened(given, path, []);
    if (!source) return null;
    this.merged.set(text, entry);
    entry.schema = this.readFlat(source, path);
    if (!entry.schema) this.merged.set(text, null);
    if (!entry.ref) return entry.schema;
    entry.ref.target = entry.schema;
    return entry.ref;
  }

  /** A schema with its own $ref and allOf merged in; null if no value fits. `open` are the references on the way. */
  private flattened(schema: unknown, path: string, open: readonly string[]): JsonObject | null {
    if (schema === false) return null;
    if (schema === true) return {};
    if (!isObject(schema)) throw new ToolError(path, `expected a schema, got ${describe(schema)}`);
    this.spend(path);
    const { $ref, allOf, ...own } = withoutNulls(schema);
    const parts: unknown[] = [];
    if (typeof $ref === "string") {
      if (open.includes($ref))
        throw new ToolError(path, `expected a schema, got ${describe($ref)} that is defined by itself`);
      parts.push(this.target($ref, path));
    }
    if (allOf !== undefined && !Array.isArray(allOf))
      throw new ToolError(`${path}.allOf`, `expected a list, got ${describe(allOf)}`);
    parts.push(...(allOf ?? []));
    const inner = typeof $ref === "string" ? [...open, $ref] : open;
    const warn = (keyword: string) =>
      this.warn(`${path}.${keyword}`, "allOf", "differs between two parts; the first holds");
    return parts.reduce<JsonObject | null>((all, part, i) => {
      const next = all && this.flattened(part, `${path}.allOf[${i}]`, inner);
      return all && next && mergeSchemas(all, next, path, warn);
    }, oneValue(own));
  }

  /** A schema without $ref, allOf and const of its own; null if no value fits. */
  private readFlat(source: JsonObject, path: string): Schema | null {
    if (source.not === true || (isObject(source.not) && !isLimited(source.not, []))) return null;
    for (const key of ["anyOf", "oneOf"] as const) {
      if (source[key] !== undefined) return this.union(source, key, path);
    }
    const types = typesOf(source, path);
    if (source.enum !== undefined) return orNull(source, this.enumeration(source, types, path));
    this.warnUnread(
      source,
      types.flatMap((type) => keywords[type === "integer" ? "number" : type] ?? []),
      path,
    );
    const options = types.map((type) => this.typed(source, type, path));
    return orNull(source, options.length ? oneOf(options) : this.anything(path));
  }

  /** anyOf or oneOf: what stands beside the options holds for each of them. */
  private union(source: JsonObject, key: "anyOf" | "oneOf", path: string): Schema {
    const { [key]: options, nullable, ...rest } = source;
    if (!Array.isArray(options) || !options.length) {
      throw new ToolError(`${path}.${key}`, `expected a list of schemas, got ${describe(options)}`);
    }
    const read = options.flatMap((option, i): Schema[] => {
      const given = isLimited(rest, []) ? both(rest, option) : option;
      const possible = this.readIfPossible(given, `${path}.${key}[${i}]`);
      return possible ? [possible] : [];
    });
    if (!read.length)
      throw new ToolError(`${path}.${key}`, "expected an option that the rest of the schema allows, got none");
    if (key === "oneOf" && read.some((a, i) => read.some((b, j) => i < j && mayOverlap(a, b)))) {
      this.warn(path, "oneOf", "read as anyOf: two of its options may hold for the same value");
    }
    return orNull({ nullable }, oneOf(read));
  }

  private typed(source: JsonObject, type: string, path: string): Schema {
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
      case "array":
        return this.array(source, path);
      default:
        return this.object(source, path);
    }
  }

  /** A list, or a tuple: prefixItems, of which draft 4 wrote items and additionalItems. It is written whole. */
  private array(source: JsonObject, path: string): Schema {
    const draft4 = Array.isArray(source.items);
    const tuple = draft4 ? source.items : (source.prefixItems ?? []);
    if (!Array.isArray(tuple)) throw new ToolError(`${path}.prefixItems`, `expected a list, got ${describe(tuple)}`);
    const first = tuple.map((item, i) => this.read(item, `${path}.${draft4 ? "items" : "prefixItems"}[${i}]`));
    const maxItems = this.count(source, "maxItems", Number.POSITIVE_INFINITY, path);
    const minItems = this.count(source, "minItems", Math.min(first.length, maxItems), path);
    const rest = draft4 ? source.additionalItems : source.items;
    // A tuple's further items are written where the schema says what they are, or asks for them.
    const said = rest ?? (!first.length || minItems > first.length);
    const items = this.readIfPossible(said, `${path}.items`);
    const unique = source.uniqueItems === true;
    const all = items ? [...first, items] : first;
    if (unique && all.some((item) => [...leaves(item)].some(({ schema }) => /array|object/.test(schema.kind))))
      this.warn(`${path}.uniqueItems`, "uniqueItems", "is not held to: the items are lists or objects");
    return {
      kind: "array",
      // Where no further item may follow: not one of the tuple's own again, whose parts would count twice at each level.
      items: items ?? { kind: "enum", values: [null] },
      minItems,
      maxItems: items ? maxItems : Math.min(maxItems, first.length),
      ...(first.length && { first }),
      ...(unique && { unique }),
    };
  }

  private object(source: JsonObject, path: string): ObjectSchema {
    const minProperties = this.count(source, "minProperties", 0, path);
    const maxProperties = this.count(source, "maxProperties", Number.POSITIVE_INFINITY, path);
    const own = source.properties ?? {};
    if (!isObject(own)) throw new ToolError(`${path}.properties`, `expected an object, got ${describe(own)}`);
    const { additionalProperties: values, propertyNames } = source;
    const names = isObject(propertyNames) ? oneValue(propertyNames).enum : undefined;
    if (propertyNames !== undefined && !names && (!isObject(propertyNames) || isLimited(propertyNames, ["type"])))
      this.warn(`${path}.propertyNames`, "propertyNames", "is not held to: the grammar ignores it");
    const saysValues = isObject(values) && isLimited(values, []);
    if (isObject(values) && !saysValues)
      this.warn(`${path}.additionalProperties`, "additionalProperties", "further properties are never written");
    const known = new Map(Object.entries(own));
    // Keys that only a list of names tells of are properties like any other.
    for (const name of Array.isArray(names) && saysValues ? names : [])
      if (typeof name === "string" && !known.has(name)) known.set(name, values);
    const required = Array.isArray(source.required) ? source.required : [];
    if (source.required !== undefined && typeof source.required !== "boolean" && !Array.isArray(source.required))
      throw new ToolError(`${path}.required`, `expected a list, got ${describe(source.required)}`);
    for (const key of required) {
      if (known.has(key)) continue;
      if (typeof key !== "string" || !saysValues)
        throw new ToolError(
          `${path}.required`,
          `expected names of properties, got ${describe(key)}; say its type under properties, or leave it out here`,
        );
      known.set(key, values);
    }
    const needed = new Set(required);
    const properties = [...known].flatMap(([name, value]): Property[] => {
      const at = `${path}.properties.${name}`;
      const schema = this.readPart(value, at);
      // Draft 3 and many a hand write the flag at the property.
      const isNeeded = needed.has(name) || (isObject(value) && value.required === true);
      if (schema) return [{ name, schema, required: isNeeded, ...this.notes(value, at) }];
      if (isNeeded) throw new ToolError(at, "expected a schema that some value fits, got one that none does");
      this.warn(at, "properties", "no value fits: it is never written");
      return [];
    });
    const further = (saysValues && !names) || minProperties > properties.length;
    const more =
      further && values !== false
        ? this.readIfPossible(saysValues ? values : true, `${path}.additionalProperties`)
        : null;
    if (this.parts && !properties.length && !more && !isObject(values) && values !== false && maxProperties)
      this.warn(path, "properties", "says no keys: only an empty object is written");
    return {
      kind: "object",
      properties,
      ...(more && { more }),
      ...(minProperties > 0 && { minProperties }),
      ...(maxProperties < Number.POSITIVE_INFINITY && { maxProperties }),
    };
  }

  /** What a property says beside its type. */
  notes(value: unknown, path: string): Pick<Property, "description" | "default"> {
    const given = isObject(value) ? withoutNulls(value) : {};
    if (given.description !== undefined && typeof given.description !== "string")
      this.warn(`${path}.description`, "description", "is no text: it is not shown");
    if (given.required !== undefined && typeof given.required !== "boolean" && !Array.isArray(given.required))
      this.warn(`${path}.required`, "required", "is neither true nor false: read as false");
    return notes(value);
  }

  private number(source: JsonObject, integer: boolean, path: string): Schema {
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
    const [least, most] = [bound("Minimum", Number.NEGATIVE_INFINITY), bound("Maximum", Number.POSITIVE_INFINITY)];
    const { description } = source;
    const isOpen = !Number.isFinite(least.value) && most.value > 0;
    return {
      kind: "number",
      integer,
      least:
        isOpen && typeof description === "string" && isSigned(description)
          ? { value: farDown, exclusive: false }
          : least,
      most,
      multipleOf,
    };
  }

  private enumeration(source: JsonObject, stated: readonly string[], path: string): Schema {
    const values = source.enum;
    if (!Array.isArray(values) || !values.length)
      throw new ToolError(`${path}.enum`, `expected a list of values, got ${describe(values)}`);
    for (const [i, value] of values.entries()) {
      if (!isOfType(value, source, path))
        throw new ToolError(
          `${path}.enum[${i}]`,
          `expected a value of type ${stated.join(" or ")}, got ${describe(value)}; write it so, or say no type`,
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

  /** null if no value fits. */
  private reference(ref: string, path: string): Schema | null {
    const known = this.refs.get(ref);
    if (known !== undefined) return known;
    const made: Ref = { kind: "ref", target: null };
    this.refs.set(ref, made);
    made.target = this.readIfPossible(this.target(ref, path), ref);
    if (made.target) return made;
    this.refs.set(ref, null);
    return null;
  }

  /** What a local reference points to. */
  private target(ref: string, path: string): unknown {
    const target = pointed(this.root, ref);
    if (target !== undefined) return target;
    throw new ToolError(
      `${path}.$ref`,
      `expected a definition within this tool's schema, got ${describe(ref)}; put it there, under $defs`,
    );
  }

  /** A value of unknown shape: a string, a number or a boolean, which every such schema allows. */
  private anything(path: string): Schema {
    this.warn(path, "type", "says nothing; a string, number or boolean is written");
    return {
      kind: "anyOf",
      options: [
        { kind: "string", minLength: 0, maxLength: Number.POSITIVE_INFINITY },
        this.number({}, false, path),
        { kind: "enum", values: [true, false] },
      ],
    };
  }

  private count(source: JsonObject, key: string, none: number, path: string): number {
    const given = source[key];
    if (given === undefined) return none;
    // Gemini writes whole numbers as text, as JSON of protocol buffers does.
    const value = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : given;
    if (!Number.isInteger(value) || (value as number) < 0)
      throw new ToolError(`${path}.${key}`, `expected a whole number, got ${describe(given)}`);
    return value as number;
  }

  private warnUnread(source: JsonObject, read: readonly string[], path: string): void {
    for (const key of Object.keys(source)) {
      if (isFlag(source, key) || isReadApart(key) || read.includes(key)) continue;
      this.warn(`${path}.${key}`, key, "is not held to: the grammar ignores it");
    }
  }

  warn(path: string, keyword: string, message: string): void {
    this.warnings.push({ path, keyword, message });
  }
}

/** Whether a description says that a number goes below nothing. It counts as a minimum there. */
const isSigned = (text: string) => signed.test(text) && !/(?:\b(?:no|non|not|never|without|cannot)|n't)\b/i.test(text);
const signed =
  /\bnegative\b(?! (?:reviews?|feedback|comments?|prompts?|ratings?)\b)|\bminus (?:is|means|for|to|goes|moves|turns|takes)\b|\bbelow (?:0|zero|nothing)\b/i;

const oneOf = (options: Schema[]): Schema => (options.length === 1 ? options[0] : { kind: "anyOf", options });

/** A schema, or null where its source says nullable. */
function orNull(source: JsonObject, schema: Schema): Schema {
  if (source.nullable !== true) return schema;
  if (schema.kind === "enum")
    return schema.values.includes(null) ? schema : { kind: "enum", values: [...schema.values, null] };
  return { kind: "anyOf", options: [schema, { kind: "enum", values: [null] }] };
}
