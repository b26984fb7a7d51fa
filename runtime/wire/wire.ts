/**
 * The wire form: a tool set as a few plain msgpack values, small enough for a watch. WIRE.md draws the bytes;
 * test/fixtures/wire-decoder.js reads them in less than 1 KB of plain JavaScript.
 *
 *   set      ::= [1, text, codes, warnings, tool…]
 *   tool     ::= [name, head, description, prompt?, property…]
 *   property ::= [name, code, description, default?, body…]     schema ::= code | [code, body…]
 *
 * In a set an integer from 0 is the place of a string in the text, one below 0 is a number: −1 − n. These
 * lists do not end in nil: it is what is missing there.
 */
import { CapacityError, ToolError } from "../errors.ts";
import { describe, isObject, type Json } from "../json.ts";
import { writeMsgpack } from "../msgpack.ts";
import { mostLevels } from "../tools/bounds.ts";
import { flatForm, pythonJson } from "../tools/prompt.ts";
import { isBoolean, type Property, type Schema, type Warning } from "../tools/schema.ts";
import { risks, type Tool, ToolSet } from "../tools/tools.ts";
import { torn, writePhrases } from "./phrases.ts";
import type { Plain } from "./plain.ts";

export const wireVersion = 1;

/** Kinds of schema; a property's code is its kind, + 16 if it is required, + 32 if a default follows; kinds from 16 on + 48. */
export const kind = {
  string: 0,
  sizedString: 1,
  integer: 2,
  number: 3,
  limitedInteger: 4,
  limitedNumber: 5,
  boolean: 6,
  null: 7,
  words: 8,
  values: 9,
  array: 10,
  sizedArray: 11,
  object: 12,
  anyOf: 13,
  /** A reference that was met before in this tool, by its number. */
  known: 14,
  ref: 15,
  /** An array that is a tuple, or has no two equal items. */
  tuple: 16,
  /** An object with other keys, or a number of them. */
  map: 17,
} as const;
export const requiredBit = 16;
export const defaultBit = 32;
export const lateBit = 64;
export const mostKind = 17;
/** Of a tool's head: shapes follow instead of properties. */
export const shapesBit = 16;

/**
 * Ways in which the prompt's text follows from the tool; any other text is carried along. A tool's head is the place
 * here, or one more for a text that follows, times 4, + its risk: 0 … 2.
 */
export const forms: readonly ((tool: Tool) => string)[] = [flatText, nativeText];

function flatText({ promptName, description, parameters }: Tool): string {
  return pythonJson(flatForm(promptName, description || undefined, parameters));
}

/** As native lists are written: enum after required. */
function nativeText({ promptName, description, parameters }: Tool): string {
  const flat = flatForm(promptName, description || undefined, parameters);
  const properties = Object.entries(flat.parameters as Record<string, Record<string, unknown>>);
  const ordered = properties.map(([name, { enum: values, ...rest }]) => [name, { ...rest, enum: values }]);
  return pythonJson({ ...flat, parameters: Object.fromEntries(ordered) });
}

/**
 * Writes a tool set, or what ToolSet.from makes one of. Equal sets give equal bytes.
 * Throws: ToolError for what is no tools, or a string that is no well-formed text; CapacityError for schemas too deep or too wide.
 */
export function packTools(given: Parameters<typeof ToolSet.from>[0]): Uint8Array {
  const set = ToolSet.from(given);
  const writer = new Writer();
  const tools = set.tools.map((tool, i) => writer.tool(tool, set.texts[i], `tools[${i}]`));
  const warnings = set.warnings.flatMap((warning) => writer.warning(warning));
  const { text, codes } = writePhrases([...writer.places.keys()]);
  return writeMsgpack(trimmed([writer.number(wireVersion), text, codes, warnings.length ? warnings : null, ...tools]));
}

/** A list without the nils at its end. */
function trimmed(list: Plain[]): Plain[] {
  let { length } = list;
  while (list[length - 1] === null) length--;
  return list.slice(0, length);
}

class Writer {
  /** Strings in the order in which they are first met, each once. */
  readonly places = new Map<string, number>();
  private refs = new Map<Schema, number>();
  private path = "tools";

  tool(tool: Tool, text: string, path: string): Plain {
    const { name, description, risk, parameters, shapes } = tool;
    this.path = path;
    this.refs = new Map();
    const found = forms.findIndex((render) => render(tool) === text);
    const form = found < 0 ? forms.length : found;
    return trimmed([
      this.place(name),
      this.number(risks.indexOf(risk) + 4 * form + (shapes ? shapesBit : 0)),
      description ? this.place(description) : null,
      ...(found < 0 ? [this.json(JSON.parse(text), 0)] : []),
      ...(shapes ? shapes.map((shape) => this.schema(shape, 0)) : this.properties(parameters, 0)),
    ]);
  }

  warning({ path, keyword, message }: Warning): Plain[] {
    return [this.place(path), this.place(keyword), this.place(message)];
  }

  /** Throws: ToolError for half a surrogate pair, which UTF-8 cannot write. */
  private place(text: string): number {
    const known = this.places.get(text);
    if (known !== undefined) return known;
    if (torn.test(text)) throw new ToolError(this.path, `expected well-formed text, got ${describe(text)}`);
    this.places.set(text, this.places.size);
    return this.places.size - 1;
  }

  /** −1 − n, or a list of its text's place if it is below 0, has a fraction or needs more than 31 bits. */
  number(value: number): Plain {
    return Number.isInteger(value) && value >= 0 && value < 2 ** 31 ? -1 - value : [this.place(String(value))];
  }

  /** A list begins with nil and an object, key after value after key, with true, so that neither looks like a number. */
  private json(value: Json, depth: number): Plain {
    this.checkDepth(depth);
    if (typeof value === "string") return this.place(value);
    if (typeof value === "number") return this.number(value);
    if (Array.isArray(value)) return [null, ...value.map((item) => this.json(item, depth + 1))];
    if (!isObject(value)) return value;
    const entries = Object.entries(value);
    return [true, ...entries.flatMap(([key, item]) => [this.place(key), this.json(item as Json, depth + 1)])];
  }

  private properties(properties: readonly Property[], depth: number): Plain[] {
    return properties.map(({ name, schema, required, description, default: value }) => {
      const its = this.kindOf(schema);
      const bits = (required ? requiredBit : 0) + (value === undefined ? 0 : defaultBit);
      const code = (its % requiredBit) + bits + (its < requiredBit ? 0 : lateBit);
      return trimmed([
        this.place(name),
        this.number(code),
        description === undefined ? null : this.place(description),
        ...(value === undefined ? [] : [this.json(value, 0)]),
        ...this.body(schema, depth),
      ]);
    });
  }

  private schema(schema: Schema, depth: number): Plain {
    const code = this.number(this.kindOf(schema));
    const body = trimmed(this.body(schema, depth));
    return body.length ? [code, ...body] : code;
  }

  private kindOf(schema: Schema): number {
    switch (schema.kind) {
      case "string":
        return schema.minLength > 0 || schema.maxLength < Number.POSITIVE_INFINITY ? kind.sizedString : kind.string;
      case "number": {
        const { integer, least, most, multipleOf } = schema;
        const bounds = [least, most].some(({ value, exclusive }) => Number.isFinite(value) || exclusive);
        if (bounds || multipleOf !== null) return integer ? kind.limitedInteger : kind.limitedNumber;
        return integer ? kind.integer : kind.number;
      }
      case "enum":
        if (isBoolean(schema)) return kind.boolean;
        if (schema.values.length === 1 && schema.values[0] === null) return kind.null;
        return schema.values.every((value) => typeof value === "string") ? kind.words : kind.values;
      case "array":
        if (schema.first || schema.unique) return kind.tuple;
        return schema.minItems > 0 || schema.maxItems < Number.POSITIVE_INFINITY ? kind.sizedArray : kind.array;
      case "object":
        return schema.more || schema.minProperties || schema.maxProperties !== undefined ? kind.map : kind.object;
      case "anyOf":
        return kind.anyOf;
      case "ref":
        return this.refs.has(schema) ? kind.known : kind.ref;
    }
  }

  private body(schema: Schema, depth: number): Plain[] {
    this.checkDepth(depth);
    const limit = (value: number | null) => (value !== null && Number.isFinite(value) ? this.number(value) : null);
    const positive = (value: number) => limit(value || null);
    switch (schema.kind) {
      case "string":
        return [positive(schema.minLength), limit(schema.maxLength)];
      case "number": {
        const { least, most, multipleOf } = schema;
        const open = Number(least.exclusive) + 2 * Number(most.exclusive);
        return [limit(least.value), limit(most.value), limit(multipleOf), positive(open)];
      }
      case "enum":
        switch (this.kindOf(schema)) {
          case kind.words:
            return schema.values.map((value) => this.place(value as string));
          case kind.values:
            return [this.json(schema.values, 0)];
          default:
            return [];
        }
      case "array": {
        const { items, minItems, maxItems, unique, first } = schema;
        const sizes = [this.schema(items, depth + 1), positive(minItems), limit(maxItems)];
        if (!first && !unique) return sizes;
        return [...sizes, unique ?? null, ...(first ?? []).map((item) => this.schema(item, depth + 1))];
      }
      case "object": {
        const { more, minProperties, maxProperties, properties } = schema;
        const known = this.properties(properties, depth + 1);
        if (this.kindOf(schema) === kind.object) return known;
        const values = more ? this.schema(more, depth + 1) : null;
        return [values, positive(minProperties ?? 0), limit(maxProperties ?? null), ...known];
      }
      case "anyOf":
        return schema.options.map((option) => this.schema(option, depth + 1));
      case "ref": {
        const known = this.refs.get(schema);
        if (known !== undefined) return [this.number(known)];
        this.refs.set(schema, this.refs.size);
        return [this.schema(schema.target as Schema, depth + 1)];
      }
    }
  }

  private checkDepth(depth: number): void {
    if (depth <= mostLevels) return;
    throw new CapacityError(this.path, depth, mostLevels, `expected at most ${mostLevels} levels; flatten the schema`);
  }
}
