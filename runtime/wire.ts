/**
 * The wire form: a tool set or a call as a few plain msgpack values, small enough for a watch. WIRE.md draws the bytes;
 * test/fixtures/wire-decoder.js reads them in less than 1 KB of plain JavaScript.
 *
 *   set      ::= [1, text, codes, count, tool…, warning…]    one flat list; strings by their place in the text
 *   tool     ::= name head [description] count property… [prompt]
 *   property ::= name head [description] body [default]
 *   call     ::= [tool, value…]                              in declared order, nil for an absent one
 */
import { pack as msgpack } from "msgpackr";
import { CapacityError, FormatError, ToolError } from "./errors.ts";
import { describe, isObject, type Json } from "./json.ts";
import { leastBytes, type Property, type Schema, type Warning } from "./schema.ts";
import { flatForm, pythonJson, risks, snakeCase, type Tool, ToolSet } from "./tools.ts";

export const wireVersion = 1;

/** Schemas or values within one another. */
const mostDepth = 100;
/** Characters of all strings, and of what the prompt shows of one tool with its references written out. */
const mostText = 1 << 20;

/** A property's head: its kind of schema, and which fields follow. */
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
} as const;
const has = { required: 16, description: 32, default: 64 } as const;

/** A tool's head: risk 0 … 2, whether a description follows, and how the prompt shows the tool. */
const toolHas = { description: 4 } as const;
const formUnit = 8;
/** Ways in which the prompt's text follows from the tool; any other text is carried along after the properties. */
const forms: readonly ((tool: Tool) => string)[] = [flatText, nativeText];

type Plain = null | boolean | number | string | Plain[];

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
  for (const [i, tool] of set.tools.entries()) writer.tool(tool, set.texts[i], `tools[${i}]`);
  for (const { path, keyword, message } of set.warnings) {
    writer.values.push(writer.place(path), writer.place(keyword), writer.place(message));
  }
  const { text, codes } = writePhrases([...writer.places.keys()]);
  return msgpack([wireVersion, text, codes, set.tools.length, ...writer.values] satisfies Plain);
}

class Writer {
  readonly values: Plain[] = [];
  /** Strings in the order in which they are first met, each once. */
  readonly places = new Map<string, number>();
  private refs = new Map<Schema, number>();
  private path = "";

  tool(tool: Tool, text: string, path: string): void {
    const { name, description, risk, parameters } = tool;
    this.path = path;
    this.refs = new Map();
    const size = sizeOf({ kind: "object", properties: parameters });
    if (size > mostText)
      throw new CapacityError(path, size, mostText, `expected at most ${mostText} characters, its references written out`);
    const form = forms.findIndex((render) => render(tool) === text);
    const formCode = form < 0 ? forms.length : form;
    this.values.push(
      this.place(name),
      risks.indexOf(risk) + (description ? toolHas.description : 0) + formCode * formUnit,
    );
    if (description) this.values.push(this.place(description));
    this.properties(parameters, 0);
    if (form < 0) this.values.push(this.json(JSON.parse(text), 0));
  }

  /** Throws: ToolError for half a surrogate pair, which UTF-8 cannot write. */
  place(text: string): number {
    const known = this.places.get(text);
    if (known !== undefined) return known;
    if (torn.test(text)) throw new ToolError(this.path, `expected well-formed text, got ${describe(text)}`);
    this.places.set(text, this.places.size);
    return this.places.size - 1;
  }

  private properties(properties: readonly Property[], depth: number): void {
    this.values.push(properties.length);
    for (const { name, schema, required, description, default: value } of properties) {
      const code = this.kindOf(schema);
      this.values.push(
        this.place(name),
        code +
          (required ? has.required : 0) +
          (description === undefined ? 0 : has.description) +
          (value === undefined ? 0 : has.default),
      );
      if (description !== undefined) this.values.push(this.place(description));
      this.body(schema, code, depth);
      if (value !== undefined) this.values.push(this.json(value, depth));
    }
  }

  private schema(schema: Schema, depth: number): void {
    const code = this.kindOf(schema);
    this.values.push(code);
    this.body(schema, code, depth);
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
        return schema.minItems > 0 || schema.maxItems < Number.POSITIVE_INFINITY ? kind.sizedArray : kind.array;
      case "object":
        return kind.object;
      case "anyOf":
        return kind.anyOf;
      case "ref":
        return this.refs.has(schema) ? kind.known : kind.ref;
    }
  }

  private body(schema: Schema, code: number, depth: number): void {
    if (depth > mostDepth) {
      const message = `expected at most ${mostDepth} schemas within one another; flatten them`;
      throw new CapacityError(this.path, depth, mostDepth, message);
    }
    const limit = (value: number) => (Number.isFinite(value) ? value : null);
    const { values } = this;
    switch (schema.kind) {
      case "string":
        if (code === kind.sizedString) values.push(schema.minLength, limit(schema.maxLength));
        return;
      case "number": {
        const { least, most, multipleOf } = schema;
        if (code !== kind.limitedInteger && code !== kind.limitedNumber) return;
        const open = Number(least.exclusive) + 2 * Number(most.exclusive);
        values.push(limit(least.value), limit(most.value), multipleOf, open);
        return;
      }
      case "enum":
        if (code === kind.boolean || code === kind.null) return;
        values.push(schema.values.length);
        for (const value of schema.values) {
          values.push(code === kind.words ? this.place(value as string) : this.json(value, depth));
        }
        return;
      case "array":
        if (code === kind.sizedArray) values.push(schema.minItems, limit(schema.maxItems));
        this.schema(schema.items, depth + 1);
        return;
      case "object":
        this.properties(schema.properties, depth + 1);
        return;
      case "anyOf":
        values.push(schema.options.length);
        for (const option of schema.options) this.schema(option, depth + 1);
        return;
      case "ref": {
        const known = this.refs.get(schema);
        if (known !== undefined) {
          values.push(known);
          return;
        }
        this.refs.set(schema, this.refs.size);
        this.schema(schema.target as Schema, depth + 1);
        return;
      }
    }
  }

  /** A value with its strings by place: [place], a list as [nil, …], an object as [true, key, value, …]. */
  private json(value: Json, depth: number): Plain {
    if (depth > mostDepth) {
      const message = `expected at most ${mostDepth} values within one another; flatten them`;
      throw new CapacityError(this.path, depth, mostDepth, message);
    }
    if (typeof value === "string") return [this.place(value)];
    if (Array.isArray(value)) return [null, ...value.map((item) => this.json(item, depth + 1))];
    if (isObject(value)) {
      const entries = Object.entries(value);
      return [true, ...entries.flatMap(([key, item]) => [this.place(key), this.json(item as Json, depth + 1)])];
    }
    return value;
  }
}

/** Half a surrogate pair. */
const torn = /\p{Surrogate}/u;

const isBoolean = ({ values }: Schema & { kind: "enum" }) =>
  values.length === 2 && values[0] === true && values[1] === false;

/** About how many characters the prompt would take if every reference were written out, counted little beyond the limit. */
function sizeOf(schema: Schema, open: readonly Schema[] = [], room = mostText): number {
  switch (schema.kind) {
    case "enum":
      return JSON.stringify(schema.values).length;
    case "array":
      return 1 + sizeOf(schema.items, open, room - 1);
    case "object": {
      let size = 1;
      for (const { name, description = "", schema: value } of schema.properties) {
        if (size > room) break;
        size += name.length + description.length + sizeOf(value, open, room - size);
      }
      return size;
    }
    case "anyOf": {
      let size = 1;
      for (const option of schema.options) if (size <= room) size += sizeOf(option, open, room - size);
      return size;
    }
    case "ref":
      if (open.includes(schema) || !schema.target) return 1;
      return 1 + sizeOf(schema.target, [...open, schema], room - 1);
    default:
      return 1;
  }
}

// Phrases: repeated text as one character.

/** Longest phrase, in characters. */
const longest = 64;

/**
 * Joins strings, a separator before each, and puts unused ASCII characters in the place of repeated phrases: each code
 * and its phrase then stand at the end of the text, so that a phrase may hold codes. Codes are listed last made first.
 * Greedy: the phrase that saves most, until none saves anything. Integers alone decide, so the bytes are the same everywhere.
 */
function writePhrases(strings: readonly string[]): { text: string; codes: string } {
  if (!strings.length) return { text: "", codes: "" };
  const used = new Set(strings.join(""));
  const unused = Array.from({ length: mostText }, (_, i) => i).find((i) => !used.has(String.fromCharCode(i))) as number;
  const separator = String.fromCharCode(unused);
  let text = strings.map((string) => separator + string).join("");
  if (text.length > mostText) {
    throw new CapacityError("tools", text.length, mostText, `expected at most ${mostText} characters of text`);
  }
  let codes = "";
  for (let i = unused + 1; i < 0x80; i++) {
    const code = String.fromCharCode(i);
    if (used.has(code)) continue;
    const phrase = bestPhrase(text);
    if (!phrase) break;
    text = text.replaceAll(phrase, code) + code + phrase;
    codes = code + codes;
  }
  return { text, codes };
}

/** The phrase that saves most characters, if any does: runs of suffixes, once sorted, that begin alike. */
function bestPhrase(text: string): string | null {
  const suffixes = Array.from(text, (_, i) => text.slice(i, i + longest)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  // One code in the list, one before the phrase, and the phrase itself.
  const saving = (length: number, count: number) => count * (length - 1) - length - 2;
  let best: string | null = null;
  let most = 0;
  const runs: { length: number; from: number }[] = [{ length: 0, from: 0 }];
  for (let i = 1; i <= suffixes.length; i++) {
    const length = i < suffixes.length ? common(suffixes[i - 1], suffixes[i]) : 0;
    let from = i - 1;
    for (let run = runs[runs.length - 1]; run.length > length; run = runs[runs.length - 1]) {
      runs.pop();
      from = run.from;
      // A run counts occurrences that overlap: at least as many as can be replaced.
      if (saving(run.length, i - from) <= most) continue;
      const phrase = suffixes[from].slice(0, run.length);
      const saved = torn.test(phrase) ? 0 : saving(run.length, text.split(phrase).length - 1);
      if (saved > most) [best, most] = [phrase, saved];
    }
    if (length > runs[runs.length - 1].length) runs.push({ length, from });
  }
  return best;
}

function common(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Undoes writePhrases. Throws: FormatError for codes that are not there, or more text than the limit. */
function readPhrases(packed: string, codes: string, offset: number): string[] {
  if (codes.length > 0x80) throw new FormatError("codes", offset, `expected at most 128, got ${codes.length}`);
  let text = packed;
  for (const code of codes) {
    const parts = text.split(code);
    const phrase = parts.pop() as string;
    if (!parts.length) throw new FormatError("codes", offset, `expected codes of the text, got ${describe(code)}`);
    const length = text.length + phrase.length * (parts.length - 1);
    if (length > mostText) throw new FormatError("text", offset, `expected at most ${mostText} characters`);
    text = parts.join(phrase);
  }
  return text ? text.split(text[0]).slice(1) : [];
}

/**
 * Reads what packTools wrote.
 * Throws: FormatError naming the part that is wrong; never anything else, whatever the bytes.
 */
export function unpackTools(bytes: Uint8Array): ToolSet {
  const reader = new Reader(bytes);
  const version = reader.integer("version");
  if (version !== wireVersion) {
    const remedy = version > wireVersion ? "update thimble" : "pack the tools again";
    throw new FormatError("version", reader.offset, `expected ${wireVersion}, got ${version}; ${remedy}`);
  }
  const text = reader.text("text");
  reader.strings = readPhrases(text, reader.text("codes"), reader.offset);

  const tools: Tool[] = [];
  const texts: string[] = [];
  const names = new Set<string>();
  for (let count = reader.integer("tools"); count > 0; count--) {
    const { tool, text } = reader.tool(`tools[${tools.length}]`);
    if (names.has(tool.promptName)) reader.wrong(`tools[${tools.length}]`, "a name of its own", tool.name);
    names.add(tool.promptName);
    tools.push(tool);
    texts.push(text);
  }
  const warnings: Warning[] = [];
  while (reader.left > 0) {
    const path = `warnings[${warnings.length}]`;
    warnings.push({ path: reader.string(path), keyword: reader.string(path), message: reader.string(path) });
  }
  reader.end();
  return ToolSet.of(tools, texts, warnings, new TextDecoder("latin1").decode(bytes));
}

/**
 * Msgpack of plain types alone, a list's items one by one. A library would also follow extensions, some of which never
 * end on crafted bytes (CVE-2023-52079), and these bytes may come over the air.
 */
class Reader {
  strings: readonly string[] = [];
  /** Where the last value began. */
  offset = 0;
  /** Items of the list not yet read. */
  left: number;
  private at = 0;
  private readonly view: DataView;
  private refs: (Schema & { kind: "ref" })[] = [];
  private spent = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = this.take(1);
    this.left = this.listLength(bytes[first]);
    if (this.left < 0) this.wrong("list", "a list in msgpack", bytes[first]);
  }

  wrong(path: string, expected: string, got: unknown): never {
    throw new FormatError(path, this.offset, `expected ${expected}, got ${describe(got)}`);
  }

  /** Throws: FormatError if anything is left. */
  end(): void {
    const more = this.bytes.length - this.at;
    if (this.left || more) this.wrong("end", "the end", `${this.left} more values, ${more} more bytes`);
  }

  next(path: string): Plain {
    if (this.left-- < 1) this.wrong(path, "a value", undefined);
    this.offset = this.at;
    return this.value(0);
  }

  integer(path: string, most = 2 ** 53): number {
    const value = this.next(path);
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most) return value;
    return this.wrong(path, `a whole number up to ${most}`, value);
  }

  text(path: string): string {
    const value = this.next(path);
    return typeof value === "string" ? value : this.wrong(path, "a string", value);
  }

  string(path: string): string {
    return this.at_(this.next(path), path);
  }

  tool(path: string): { tool: Tool; text: string } {
    this.refs = [];
    const name = this.string(path);
    const head = this.integer(path, (forms.length + 1) * formUnit - 1);
    const [risk, form] = [risks[head % toolHas.description], forms[Math.floor(head / formUnit)]];
    const promptName = snakeCase(name);
    if (!risk || !promptName) this.wrong(path, "a tool's name and risk", [name, head]);
    const description = head & toolHas.description ? this.string(path) : "";
    const tool = { name, promptName, description, risk, parameters: this.properties(path, 0) };
    if (sizeOf({ kind: "object", properties: tool.parameters }) > mostText) {
      this.wrong(path, `at most ${mostText} characters`, "more, its references written out");
    }
    for (const { name: key, schema } of tool.parameters) {
      if (!Number.isFinite(leastBytes(schema))) this.wrong(`${path}.${key}`, "a schema that some value fits", undefined);
    }
    if (form) return { tool, text: form(tool) };
    const shown = this.json(this.next(path), path);
    return { tool, text: isObject(shown) ? pythonJson(shown) : this.wrong(path, "an object to show", shown) };
  }

  private properties(path: string, depth: number): Property[] {
    const properties: Property[] = [];
    const names = new Set<string>();
    for (let count = this.integer(path); count > 0; count--) {
      const name = this.string(path);
      const at = `${path}.${name}`;
      if (names.has(name)) this.wrong(at, "a name of its own", name);
      names.add(name);
      const head = this.integer(at, 127);
      const description = head & has.description ? { description: this.string(at) } : {};
      const schema = this.schema(head & 15, at, depth);
      const value = head & has.default ? { default: this.json(this.next(at), at) } : {};
      properties.push({ name, schema, required: (head & has.required) > 0, ...description, ...value });
    }
    return properties;
  }

  private schema(code: number, path: string, depth: number): Schema {
    if (depth > mostDepth) this.wrong(path, `at most ${mostDepth} schemas within one another`, "more");
    const inner = () => this.schema(this.integer(path, 15), path, depth + 1);
    const some = () => this.integer(path) || this.wrong(path, "at least one", 0);
    switch (code) {
      case kind.string:
        return { kind: "string", minLength: 0, maxLength: Number.POSITIVE_INFINITY };
      case kind.sizedString:
        return { kind: "string", minLength: this.integer(path), maxLength: this.most(path) };
      case kind.integer:
      case kind.number: {
        const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        const bound = (value: number) => ({ value, exclusive: false });
        return {
          kind: "number",
          integer: code === kind.integer,
          least: bound(least),
          most: bound(most),
          multipleOf: null,
        };
      }
      case kind.limitedInteger:
      case kind.limitedNumber: {
        const least = this.limit(path) ?? Number.NEGATIVE_INFINITY;
        const most = this.limit(path) ?? Number.POSITIVE_INFINITY;
        const multipleOf = this.limit(path);
        if (multipleOf !== null && multipleOf <= 0) this.wrong(path, "a number above 0", multipleOf);
        const open = this.integer(path, 3);
        return {
          kind: "number",
          integer: code === kind.limitedInteger,
          least: { value: least, exclusive: (open & 1) > 0 },
          most: { value: most, exclusive: (open & 2) > 0 },
          multipleOf,
        };
      }
      case kind.boolean:
        return { kind: "enum", values: [true, false] };
      case kind.null:
        return { kind: "enum", values: [null] };
      case kind.words:
        return { kind: "enum", values: this.several(some(), () => this.string(path)) };
      case kind.values:
        return { kind: "enum", values: this.several(some(), () => this.json(this.next(path), path)) };
      case kind.array:
        return { kind: "array", items: inner(), minItems: 0, maxItems: Number.POSITIVE_INFINITY };
      case kind.sizedArray: {
        const [minItems, maxItems] = [this.integer(path), this.most(path)];
        return { kind: "array", items: inner(), minItems, maxItems };
      }
      case kind.object:
        return { kind: "object", properties: this.properties(path, depth + 1) };
      case kind.anyOf:
        return { kind: "anyOf", options: this.several(some(), inner) };
      case kind.known: {
        const place = this.integer(path);
        return this.refs[place] ?? this.wrong(path, "a reference met before", place);
      }
      default: {
        const ref: Schema & { kind: "ref" } = { kind: "ref", target: null };
        this.refs.push(ref);
        ref.target = inner();
        return ref;
      }
    }
  }

  /** Stops at the first that is not there, so a large count costs nothing. */
  private several<T>(count: number, read: () => T): T[] {
    const all: T[] = [];
    while (all.length < count) all.push(read());
    return all;
  }

  private limit(path: string): number | null {
    const value = this.next(path);
    return value === null || typeof value === "number" ? value : this.wrong(path, "a number or nil", value);
  }

  private most(path: string): number {
    const value = this.limit(path) ?? Number.POSITIVE_INFINITY;
    if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value >= 0)) return value;
    return this.wrong(path, "a whole number or nil", value);
  }

  private json(value: Plain, path: string): Json {
    if (!Array.isArray(value)) return typeof value === "string" ? this.wrong(path, "a string's place", value) : value;
    const [first, ...rest] = value;
    if (first === null) return rest.map((item) => this.json(item, path));
    if (first !== true) return rest.length ? this.wrong(path, "one string's place", value) : this.at_(first, path);
    const entries: [string, Json][] = [];
    for (let i = 0; i < rest.length; i += 2) {
      if (i + 1 === rest.length) this.wrong(path, "a value for every key", value);
      entries.push([this.at_(rest[i], path), this.json(rest[i + 1], path)]);
    }
    return Object.fromEntries(entries);
  }

  /** The string at a place. A long one may be named many times: what they come to together is limited. */
  private at_(place: Plain, path: string): string {
    const string = typeof place === "number" ? this.strings[place] : undefined;
    if (string === undefined) return this.wrong(path, `a string's place below ${this.strings.length}`, place);
    this.spent += string.length;
    return this.spent > mostText ? this.wrong(path, `at most ${mostText} characters`, "more") : string;
  }

  private take(count: number): number {
    const from = this.at;
    if (from + count > this.bytes.length) {
      const left = this.bytes.length - from;
      throw new FormatError("end", from, `expected ${count} more bytes, got ${left}; the rest is missing`);
    }
    this.at += count;
    return from;
  }

  /** Of a list whose first byte was read; −1 if that begins no list. */
  private listLength(head: number): number {
    if (head >> 4 === 9) return head & 15;
    if (head === 0xdc) return this.view.getUint16(this.take(2));
    return head === 0xdd ? this.view.getUint32(this.take(4)) : -1;
  }

  private value(depth: number): Plain {
    const { view } = this;
    const head = this.bytes[this.take(1)];
    const count = this.listLength(head);
    if (count >= 0) {
      if (depth > mostDepth) this.wrong("list", `at most ${mostDepth} lists within one another`, "more");
      return this.several(count, () => this.value(depth + 1));
    }
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head >> 5 === 5) return this.utf8(head & 31);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xcb: {
        const value = view.getFloat64(this.take(8));
        return Number.isFinite(value) ? value : this.wrong("number", "a finite number", String(value));
      }
      case 0xcc:
        return view.getUint8(this.take(1));
      case 0xcd:
        return view.getUint16(this.take(2));
      case 0xce:
        return view.getUint32(this.take(4));
      case 0xd0:
        return view.getInt8(this.take(1));
      case 0xd1:
        return view.getInt16(this.take(2));
      case 0xd2:
        return view.getInt32(this.take(4));
      case 0xd9:
        return this.utf8(view.getUint8(this.take(1)));
      case 0xda:
        return this.utf8(view.getUint16(this.take(2)));
      case 0xdb:
        return this.utf8(view.getUint32(this.take(4)));
      default:
        return this.wrong("type", "nil, a boolean, number, string or list", `type byte 0x${head.toString(16)}`);
    }
  }

  private utf8(count: number): string {
    const from = this.take(count);
    try {
      return strictUtf8.decode(this.bytes.subarray(from, from + count));
    } catch {
      return this.wrong("string", "UTF-8", "other bytes");
    }
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The name of a packed set: FNV-1a of 64 bits over its bytes, as 16 hex digits. In four limbs of 16 bits no product passes
 * 2^26, so a host without BigInt or Math.imul computes it too. It tells sets apart; it does not stop a forger.
 * Source: Fowler, Noll, Vo; RFC 9923: offset basis cbf29ce484222325, prime 2^40 + 0x1b3.
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

// Calls.

/** What the wire carries of a ToolCall. */
export interface WireCall {
  name: string;
  arguments: Record<string, Json>;
}

/** Throws: ToolError for a tool that the set lacks, or an argument that does not fit its schema. */
export function packCall(set: ToolSet, call: WireCall): Uint8Array {
  return msgpack(writeCall(set, call, "call"));
}

export function packCalls(set: ToolSet, calls: readonly WireCall[]): Uint8Array {
  return msgpack(calls.map((call, i) => writeCall(set, call, `calls[${i}]`)));
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
  const { parameters } = set.tools[index];
  const unfit = unfitArgument(parameters, given);
  if (unfit !== undefined) {
    const value = Object.hasOwn(given, unfit) ? given[unfit] : undefined;
    throw new ToolError(`${path}.arguments.${unfit}`, `expected a value of its schema, got ${describe(value)}`);
  }
  return [index, ...(writeObject(parameters, given) as Plain[])];
}

/** The first argument that has no place, is missing, or does not fit. */
function unfitArgument(properties: readonly Property[], given: Record<string, Json>): string | undefined {
  const known = new Set(properties.map(({ name }) => name));
  const foreign = Object.keys(given).find((name) => !known.has(name));
  if (foreign !== undefined) return foreign;
  return properties.find((property) => writeObject([property], pickOne(given, property.name)) === undefined)?.name;
}

const pickOne = (given: Record<string, Json>, name: string): Record<string, Json> =>
  Object.hasOwn(given, name) ? Object.fromEntries([[name, given[name]]]) : {};

/** Values in declared order, nil for an absent one, none after the last; undefined if they do not fit. */
function writeObject(properties: readonly Property[], given: Record<string, Json>): Plain[] | undefined {
  const values: Plain[] = [];
  let found = 0;
  for (const [i, { name, schema, required }] of properties.entries()) {
    if (!Object.hasOwn(given, name)) {
      if (required) return undefined;
      continue;
    }
    const value = writeValue(schema, given[name], []);
    if (value === undefined) return undefined;
    while (values.length < i) values.push(null);
    values.push(value);
    found++;
  }
  return found === Object.keys(given).length ? values : undefined;
}

/** A value as its schema has it, never nil; undefined if it does not fit. `open` are the references since the last step inwards. */
function writeValue(schema: Schema, value: Json, open: readonly Schema[]): Plain | undefined {
  switch (schema.kind) {
    case "string":
      return typeof value === "string" && !torn.test(value) ? value : undefined;
    case "number":
      return typeof value === "number" && (!schema.integer || Number.isInteger(value)) ? value : undefined;
    case "enum": {
      if (isBoolean(schema)) return typeof value === "boolean" ? value : undefined;
      const text = canonical(value);
      const index = schema.values.findIndex((known) => canonical(known) === text);
      return index < 0 ? undefined : index;
    }
    case "array": {
      if (!Array.isArray(value)) return undefined;
      const items = value.map((item) => writeValue(schema.items, item, []));
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case "object":
      return isObject(value) ? writeObject(schema.properties, value as Record<string, Json>) : undefined;
    case "anyOf":
      for (const [i, option] of schema.options.entries()) {
        const written = writeValue(option, value, open);
        if (written !== undefined) return [i, written];
      }
      return undefined;
    case "ref":
      if (open.includes(schema) || !schema.target) return undefined;
      return writeValue(schema.target, value, [...open, schema]);
  }
}

/** JSON with keys in order, so that equal values have equal texts. */
function canonical(value: Json): string {
  return JSON.stringify(value, (_, inner) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function readList(bytes: Uint8Array): Plain[] {
  const reader = new Reader(bytes);
  const list: Plain[] = [];
  while (reader.left > 0) list.push(reader.next("call"));
  reader.end();
  return list;
}

function readCall(set: ToolSet, list: Plain, path: string): WireCall {
  const [index, ...values] = Array.isArray(list) ? list : [];
  const tool = typeof index === "number" ? set.tools[index] : undefined;
  if (!tool) throw new FormatError(path, -1, `expected one of ${set.tools.length} tools, got ${describe(index)}`);
  return { name: tool.name, arguments: readObject(tool.parameters, values, `${path}.arguments`) };
}

function readObject(properties: readonly Property[], values: readonly Plain[], path: string): Record<string, Json> {
  if (values.length > properties.length) {
    throw new FormatError(path, -1, `expected at most ${properties.length} values, got ${values.length}`);
  }
  const entries = properties.flatMap(({ name, schema, required }, i): [string, Json][] => {
    const value = values[i] ?? null;
    if (value !== null) return [[name, readValue(schema, value, `${path}.${name}`, [])]];
    if (required) throw new FormatError(`${path}.${name}`, -1, "expected a value, got none");
    return [];
  });
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
      if (Array.isArray(value)) return value.map((item, i) => readValue(schema.items, item, `${path}[${i}]`, []));
      break;
    case "object":
      if (Array.isArray(value)) return readObject(schema.properties, value, path);
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
