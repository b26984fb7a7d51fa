/** The wire form read: plain msgpack values → a tool set, or what is wrong with them. wire.ts draws and writes them. */
import { FormatError } from "../errors.ts";
import { describe, isObject, type Json } from "../json.ts";
import { mostSchemas } from "../tools/bounds.ts";
import { pythonJson, snakeCase } from "../tools/prompt.ts";
import type { ObjectSchema, Property, Schema, Warning } from "../tools/schema.ts";
import { united } from "../tools/shapes.ts";
import { leastBytes } from "../tools/shortest.ts";
import { risks, type Tool, ToolSet } from "../tools/tools.ts";
import { mostText, readPhrases } from "./phrases.ts";
import { type Plain, PlainReader } from "./plain.ts";
import { defaultBit, forms, kind, lateBit, mostKind, requiredBit, shapesBit, wireVersion } from "./wire.ts";

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
