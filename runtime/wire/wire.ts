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
import { CapacityError, FormatError, ToolError } from "../errors.ts";
import { describe, isObject, type Json } from "../json.ts";
import { writeMsgpack } from "../msgpack.ts";
import { mostLevels, mostSchemas } from "../tools/bounds.ts";
import { flatForm, pythonJson, snakeCase } from "../tools/prompt.ts";
import type { ObjectSchema, Property, Schema, Warning } from "../tools/schema.ts";
import { united } from "../tools/shapes.ts";
import { leastBytes } from "../tools/shortest.ts";
import { risks, type Tool, ToolSet } from "../tools/tools.ts";
import { mostText, readPhrases, torn, writePhrases } from "./phrases.ts";
import { type Plain, PlainReader } from "./plain.ts";

export const wireVersion = 1;

/** Kinds of schema; a property's code is its kind, + 16 if it is required, + 32 if a default follows; kinds from 16 on + 48. */
const kind = {
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
const requiredBit = 16;
const defaultBit = 32;
const lateBit = 64;
const mostKind = 17;
/** Of a tool's head: shapes follow instead of properties. */
const shapesBit = 16;

/**
 * Ways in which the prompt's text follows from the tool; any other text is carried along. A tool's head is the place
 * here, or one more for a text that follows, times 4, + its risk: 0 … 2.
 */
const forms: readonly ((tool: Tool) => string)[] = [flatText, nativeText];

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
 * Writes a tool set. Equal sets give equal bytes.
 * Throws: ToolError for a string that is no well-formed text; CapacityError for schemas too deep or too wide.
 */
export function packTools(set: ToolSet): Uint8Array {
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

/** Whether an enum is JSON Schema's boolean. */
export const isBoolean = ({ values }: Schema & { kind: "enum" }) =>
  values.length === 2 && values[0] === true && values[1] === false;

/**
 * Reads what packTools wrote.
 * Throws: FormatError naming the part that is wrong.
 */
export function unpackTools(bytes: Uint8Array): ToolSet {
  const source = new PlainReader(bytes);
  const version = source.next("version");
  if (version !== -1 - wireVersion) {
    const newer = typeof version === "number" && version < -1 - wireVersion;
    const got = typeof version === "number" ? -1 - version : describe(version);
    const remedy = newer ? "update thimble" : "pack the tools again";
    throw new FormatError("version", source.offset, `expected ${wireVersion}, got ${got}; ${remedy}`);
  }
  const [text, codes] = [source.next("text"), source.next("codes")];
  if (typeof text !== "string" || typeof codes !== "string") return source.wrong("text", "two strings", [text, codes]);
  const reader = new ToolReader(source, readPhrases(text, codes, source.offset));
  const warnings = source.left ? reader.warnings(source.next("warnings")) : [];
  const tools: Tool[] = [];
  const texts: string[] = [];
  const names = new Set<string>();
  while (source.left) {
    const path = `tools[${tools.length}]`;
    const { tool, text: shown } = reader.tool(source.next(path), path);
    if (names.has(tool.promptName)) source.wrong(path, "a name of its own", tool.name);
    names.add(tool.promptName);
    tools.push(tool);
    texts.push(shown);
  }
  source.end();
  return ToolSet.of(tools, texts, warnings, new TextDecoder("latin1").decode(bytes));
}

/** Values of a set → what they say. */
class ToolReader {
  private refs: (Schema & { kind: "ref" })[] = [];
  private spent = 0;
  private schemas = 0;

  constructor(
    private readonly source: PlainReader,
    private readonly strings: readonly string[],
  ) {}

  warnings(value: Plain): Warning[] {
    if (value === null) return [];
    const list = this.list(value, "warnings", 3);
    const texts = list.map((place) => this.string(place, "warnings"));
    if (texts.length % 3) this.source.wrong("warnings", "three strings each", list);
    return texts.flatMap((path, i) => (i % 3 ? [] : [{ path, keyword: texts[i + 1], message: texts[i + 2] }]));
  }

  tool(value: Plain, path: string): { tool: Tool; text: string } {
    this.refs = [];
    this.schemas = 0;
    const [place, code, about = null, ...rest] = this.list(value, path, 2);
    const name = this.string(place, path);
    const bits = this.whole(code, path, shapesBit + 4 * forms.length + 3);
    const head = bits % shapesBit;
    const [risk, form] = [risks[head % 4], forms.at(head >> 2)];
    const promptName = snakeCase(name);
    if (!risk || !promptName) return this.source.wrong(path, "a tool's name and risk", [name, head]);
    const description = about === null ? "" : this.string(about, path);
    const shown = form ? undefined : this.json(rest.shift() ?? null, path);
    const shapes = bits < shapesBit ? undefined : rest.map((shape) => this.shape(shape, path));
    const parameters = shapes ? united(shapes) : this.properties(rest, path);
    const tool: Tool = { name, promptName, description, risk, parameters, ...(shapes && { shapes }) };
    for (const { name: key, schema } of tool.parameters) {
      if (!Number.isFinite(leastBytes(schema)))
        this.source.wrong(`${path}.${key}`, "a schema that some value fits", code);
    }
    if (form) return { tool, text: form(tool) };
    return { tool, text: isObject(shown) ? pythonJson(shown) : this.source.wrong(path, "an object to show", shown) };
  }

  private shape(value: Plain, path: string): ObjectSchema {
    const schema = this.schema(value, path);
    if (schema.kind === "object" && Number.isFinite(leastBytes(schema))) return schema;
    return this.source.wrong(path, "an object that some value fits", value);
  }

  private properties(list: readonly Plain[], path: string): Property[] {
    const names = new Set<string>();
    return list.map((value) => {
      const [place, code, about = null, ...rest] = this.list(value, path, 2);
      const name = this.string(place, path);
      const at = `${path}.${name}`;
      if (names.has(name)) this.source.wrong(at, "a name of its own", name);
      names.add(name);
      const head = this.whole(code, at, 2 * lateBit - 1);
      const description = about === null ? {} : { description: this.string(about, at) };
      const fallback = head & defaultBit ? { default: this.json(rest.shift() ?? null, at) } : {};
      const schema = this.body((head % requiredBit) + (head & lateBit ? requiredBit : 0), rest, at);
      return { name, schema, required: (head & requiredBit) > 0, ...description, ...fallback };
    });
  }

  private schema(value: Plain, path: string): Schema {
    const [code, ...body] = Array.isArray(value) ? value : [value];
    return this.body(this.whole(code, path, mostKind), body, path);
  }

  private body(code: number, body: readonly Plain[], path: string): Schema {
    if (++this.schemas > mostSchemas) this.source.wrong(path, `at most ${mostSchemas} schemas a tool`, "more");
    const [first = null, second = null, third = null, fourth = null] = body;
    const expectAtMost = (count: number) => body.length > count && this.source.wrong(path, `${count} values`, body);
    const some = () => (body.length ? body : this.source.wrong(path, "at least one value", body));
    const most = (value: Plain) => (value === null ? Number.POSITIVE_INFINITY : this.whole(value, path));
    switch (code) {
      case kind.string:
      case kind.sizedString:
        expectAtMost(code === kind.string ? 0 : 2);
        return { kind: "string", minLength: this.whole(first ?? -1, path), maxLength: most(second) };
      case kind.integer:
      case kind.number:
      case kind.limitedInteger:
      case kind.limitedNumber: {
        const limited = code === kind.limitedInteger || code === kind.limitedNumber;
        expectAtMost(limited ? 4 : 0);
        const open = this.whole(fourth ?? -1, path, 3);
        const multipleOf = third === null ? null : this.number(third, path);
        if (multipleOf !== null && multipleOf <= 0) this.source.wrong(path, "a number above 0", multipleOf);
        return {
          kind: "number",
          integer: code === kind.integer || code === kind.limitedInteger,
          least: {
            value: first === null ? Number.NEGATIVE_INFINITY : this.number(first, path),
            exclusive: open % 2 > 0,
          },
          most: { value: second === null ? Number.POSITIVE_INFINITY : this.number(second, path), exclusive: open > 1 },
          multipleOf,
        };
      }
      case kind.boolean:
      case kind.null:
        expectAtMost(0);
        return { kind: "enum", values: code === kind.boolean ? [true, false] : [null] };
      case kind.words:
        return { kind: "enum", values: some().map((place) => this.string(place, path)) };
      case kind.values: {
        expectAtMost(1);
        const values = this.json(first, path);
        if (!Array.isArray(values) || !values.length) return this.source.wrong(path, "a list of values", values);
        return { kind: "enum", values };
      }
      case kind.array:
      case kind.sizedArray: {
        expectAtMost(code === kind.array ? 1 : 3);
        const items = this.schema(first, path);
        return { kind: "array", items, minItems: this.whole(second ?? -1, path), maxItems: most(third) };
      }
      case kind.tuple: {
        const items = this.schema(first, path);
        const heads = body.slice(4).map((item) => this.schema(item, path));
        if (fourth !== null && fourth !== true) this.source.wrong(path, "true or nil", fourth);
        if (!fourth && !heads.length) this.source.wrong(path, "a tuple, or items that differ", body);
        return {
          kind: "array",
          items,
          minItems: this.whole(second ?? -1, path),
          maxItems: most(third),
          ...(heads.length && { first: heads }),
          ...(fourth && { unique: true }),
        };
      }
      case kind.object:
        return { kind: "object", properties: this.properties(body, path) };
      case kind.map: {
        const minProperties = this.whole(second ?? -1, path);
        return {
          kind: "object",
          properties: this.properties(body.slice(3), path),
          ...(first !== null && { more: this.schema(first, path) }),
          ...(minProperties && { minProperties }),
          ...(third !== null && { maxProperties: this.whole(third, path) }),
        };
      }
      case kind.anyOf:
        return { kind: "anyOf", options: some().map((option) => this.schema(option, path)) };
      case kind.known:
        expectAtMost(1);
        return this.refs[this.whole(first, path)] ?? this.source.wrong(path, "a reference met before", first);
      default: {
        expectAtMost(1);
        const ref: Schema & { kind: "ref" } = { kind: "ref", target: null };
        this.refs.push(ref);
        ref.target = this.schema(first, path);
        return ref;
      }
    }
  }

  private list(value: Plain, path: string, least: number): Plain[] {
    if (Array.isArray(value) && value.length >= least) return value;
    return this.source.wrong(path, `a list of at least ${least}`, value);
  }

  /** The string at a place. A long one may be named many times, so what they come to together is limited. */
  private string(place: Plain | undefined, path: string): string {
    const string = typeof place === "number" ? this.strings[place] : undefined;
    if (string === undefined) return this.source.wrong(path, `a place below ${this.strings.length}`, place);
    this.spent += string.length;
    return this.spent > mostText ? this.source.wrong(path, `at most ${mostText} characters`, "more") : string;
  }

  private number(value: Plain, path: string): number {
    if (typeof value === "number" && Number.isInteger(value) && value < 0) return -1 - value;
    if (!Array.isArray(value) || value.length !== 1) return this.source.wrong(path, "a number", value);
    const text = this.string(value[0], path);
    const number = Number(text);
    return Number.isFinite(number) && String(number) === text ? number : this.source.wrong(path, "a number", text);
  }

  private whole(value: Plain, path: string, most = Number.POSITIVE_INFINITY): number {
    const number = this.number(value, path);
    if (Number.isInteger(number) && number >= 0 && number <= most) return number;
    return this.source.wrong(path, `a whole number up to ${most}`, number);
  }

  private json(value: Plain, path: string): Json {
    if (typeof value === "number") return value < 0 ? this.number(value, path) : this.string(value, path);
    if (!Array.isArray(value)) return typeof value === "string" ? this.source.wrong(path, "a place", value) : value;
    const [first, ...rest] = value;
    if (first === null) return rest.map((item) => this.json(item, path));
    if (first !== true) return this.number(value, path);
    if (rest.length % 2) this.source.wrong(path, "a value for every key", value);
    const entries = rest.flatMap((key, i): [string, Json][] =>
      i % 2 ? [] : [[this.string(key, path), this.json(rest[i + 1], path)]],
    );
    return Object.fromEntries(entries);
  }
}

/**
 * The name of a packed set: FNV-1a of 64 bits over its bytes, as 16 hex digits. In four limbs of 16 bits no product passes
 * 2^26, so a host without BigInt or Math.imul computes it too. It tells sets apart; it does not stop a forger.
 * Source: Fowler, Noll, Vo; draft-eastlake-fnv-21: offset basis cbf29ce484222325, prime 2^40 + 0x1b3.
 */
export function hashTools(bytes: Uint8Array): string {
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  for (const byte of bytes) {
    const low = a ^ byte;
    const second = b * 0x1b3;
    const third = c * 0x1b3 + low * 0x100;
    const fourth = d * 0x1b3 + b * 0x100;
    const carryA = low * 0x1b3;
    const carryB = second + (carryA >>> 16);
    const carryC = third + (carryB >>> 16);
    a = carryA & 0xffff;
    b = carryB & 0xffff;
    c = carryC & 0xffff;
    d = (fourth + (carryC >>> 16)) & 0xffff;
  }
  return [d, c, b, a].map((limb) => limb.toString(16).padStart(4, "0")).join("");
}
