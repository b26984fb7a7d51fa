/**
 * Every tool format users bring → one ToolSet, and the prompt text that the model was trained on.
 *
 * Four forms: native `{name, description, parameters: {key: {type, …, required}}}`, JSON Schema `parameters`,
 * OpenAI `{type: "function", function: {…}}` and MCP `inputSchema`. Source: spec, "Prompt". In the last three the schema
 * may be an object of a library that yields JSON Schema: Zod 4, Valibot, … Source: standardschema.dev, "Standard JSON Schema".
 */
import type { Risk } from "../answer/decision.ts";
import { ToolError } from "../errors.ts";
import { describe, isObject } from "../json.ts";
import { leastBytes, notes, type Property, type Schema, SchemaReader, type Warning } from "./schema.ts";

export interface Tool {
  /** As the user wrote it; what a call carries. */
  name: string;
  /** In snake_case; what the model reads and writes. */
  promptName: string;
  /** Empty for none. */
  description: string;
  /** What a wrong call costs: the tool's `risk`, or its MCP annotations. */
  risk: Risk;
  parameters: Property[];
}

/** A tool in any of the four forms, or what JSON.parse gave. */
export type ToolInput = Record<string, unknown>;

export interface ToolOptions {
  /** Refuse tools whose schemas ask what the grammar does not hold to, instead of listing it in `warnings`. */
  strict?: boolean;
}

type Source = Record<string, unknown>;

export class ToolSet {
  private constructor(
    readonly tools: readonly Tool[],
    /** Compact JSON of each tool's flat form, as the prompt carries it. */
    readonly texts: readonly string[],
    /** What the schemas ask and the grammar does not hold to, by path. */
    readonly warnings: readonly Warning[],
    /** Equal keys accept equal answers to equal prompts. */
    readonly key: string,
  ) {}

  /** The tools' text in the prompt. */
  get prompt(): string {
    return `[${this.texts.join(",")}]`;
  }

  /** The tools at some places, in their old order. */
  only(places: readonly number[]): ToolSet {
    const kept = [...new Set(places)].sort((a, b) => a - b);
    const pick = <T>(list: readonly T[]) => kept.map((place) => list[place]);
    return new ToolSet(pick(this.tools), pick(this.texts), this.warnings, `${this.key} ${kept}`);
  }

  /** A set from its parts, as the wire form carries them. */
  static of(tools: readonly Tool[], texts: readonly string[], warnings: readonly Warning[], key: string): ToolSet {
    return new ToolSet(tools, texts, warnings, key);
  }

  /**
   * Reads a list of tools: JSON text, an array, an MCP `{tools: […]}` result, or a ToolSet.
   * Throws: ToolError naming the offending part.
   */
  static from(
    input: string | readonly ToolInput[] | { tools: readonly ToolInput[] } | ToolSet,
    options: ToolOptions = {},
  ): ToolSet {
    if (input instanceof ToolSet) return input;
    let list: unknown = input;
    if (typeof input === "string") {
      try {
        list = JSON.parse(input);
      } catch (error) {
        throw new ToolError("tools", `expected JSON, got ${quote(input.slice(0, 40))}: ${(error as Error).message}`);
      }
    }
    try {
      // A copy of plain JSON: later changes to the caller's objects change nothing here.
      list = JSON.parse(JSON.stringify(list, withJsonSchema) ?? "null");
    } catch (error) {
      if (error instanceof ToolError) throw error;
      throw new ToolError("tools", `expected JSON values, got ${(error as Error).message}`);
    }
    if (isObject(list) && Array.isArray(list.tools)) list = list.tools;
    if (!Array.isArray(list))
      throw new ToolError("tools", `expected a list of tools, got ${describe(list)}; wrap it in [ ]`);

    const tools: Tool[] = [];
    const warnings: Warning[] = [];
    const flat = list.map((entry, i) => {
      const read = readTool(entry, `tools[${i}]`);
      const twin = tools.findIndex((tool) => tool.promptName === read.tool.promptName);
      if (twin >= 0) {
        const both = `${quote(tools[twin].name)} and ${quote(read.tool.name)} both become ${quote(read.tool.promptName)}`;
        throw new ToolError(`tools[${i}].name`, `expected a name unlike tools[${twin}]: ${both}; rename one`);
      }
      tools.push(read.tool);
      warnings.push(...read.warnings);
      return read.flat;
    });
    if (options.strict && warnings.length) {
      const [{ path, keyword, message }] = warnings;
      throw new ToolError(path, `expected what the grammar can hold to, got ${keyword}: ${message}`);
    }
    return new ToolSet(tools, flat.map(pythonJson), warnings, JSON.stringify(list));
  }
}

const schemaKeys = ["inputSchema", "input_schema", "parameters"];

/** A replacer for JSON.stringify: objects of a schema library as JSON Schema of their input, which is what a call gives. */
function withJsonSchema(key: string, value: unknown): unknown {
  const standard = (value as { "~standard"?: StandardSchema } | null | undefined)?.["~standard"];
  if (typeof standard !== "object" || standard === null) return value;
  if (!schemaKeys.includes(key))
    throw new ToolError(key, `expected a schema of all parameters at ${schemaKeys.join(", ")}, got one of a part`);
  if (typeof standard.jsonSchema?.input !== "function") {
    const remedy = "Zod from 4.2 is one; wrap Valibot's in toStandardJsonSchema()";
    throw new ToolError(key, `expected a schema that yields JSON Schema, got ${standard.vendor}'s; ${remedy}`);
  }
  try {
    return standard.jsonSchema.input({ target: "draft-2020-12" });
  } catch (error) {
    throw new ToolError(
      key,
      `expected what JSON Schema can say, got from ${standard.vendor}: ${(error as Error).message}`,
    );
  }
}

/** Source: standardschema.dev, StandardJSONSchemaV1. */
interface StandardSchema {
  vendor?: string;
  jsonSchema?: { input?: (options: { target: string }) => unknown };
}

/** One tool, its flat form for the prompt, and what was left aside. */
function readTool(entry: unknown, path: string): { tool: Tool; flat: Source; warnings: Warning[] } {
  if (!isObject(entry)) throw new ToolError(path, `expected an object, got ${describe(entry)}`);
  const body = isObject(entry.function) ? entry.function : entry;
  const at = body === entry ? path : `${path}.function`;
  const { name } = body;
  if (typeof name !== "string")
    throw new ToolError(`${at}.name`, `expected a string, got ${describe(name)}; every tool needs a name`);
  const promptName = snakeCase(name);
  if (!promptName) throw new ToolError(`${at}.name`, `expected letters or digits of ASCII, got ${describe(name)}`);

  const schemaKey = schemaKeys.find((key) => body[key] !== undefined) ?? "parameters";
  const schema = body[schemaKey] ?? {};
  const schemaPath = `${at}.${schemaKey}`;
  if (!isObject(schema)) throw new ToolError(schemaPath, `expected an object, got ${describe(schema)}`);
  const reader = new SchemaReader(schema);

  // In the native form `type` and `properties` would be parameters, so objects with a type of their own.
  const isSchema =
    schemaKey !== "parameters" ||
    typeof schema.type === "string" ||
    (isObject(schema.properties) && typeof schema.properties.type !== "string") ||
    entry !== body ||
    entry.type === "function";
  const parameters = isSchema ? readSchema(reader, schema, schemaPath) : readNative(reader, schema, schemaPath);
  for (const { name: key, schema: value } of parameters) {
    if (Number.isFinite(leastBytes(value))) continue;
    throw new ToolError(
      `${schemaPath}.${key}`,
      "expected a schema that some finite value fits, got one that none does",
    );
  }
  const description = typeof body.description === "string" ? { description: body.description } : {};
  // What is said to thimble and not to the model stays out of the prompt.
  const { risk: _, annotations: __, ...shown } = body;
  const flat = isSchema ? flatForm(promptName, description.description, parameters) : { ...shown, name: promptName };
  const risk = readRisk(body, at);
  const tool = { name, promptName, description: description.description ?? "", risk, parameters };
  return { tool, flat, warnings: reader.warnings };
}

/** `risk` as the user says it; else destructiveHint of MCP is danger. */
function readRisk(body: Source, path: string): Risk {
  const { risk, annotations } = body;
  if (risk !== undefined) {
    if (risks.includes(risk as Risk)) return risk as Risk;
    throw new ToolError(`${path}.risk`, `expected one of ${risks.join(", ")}, got ${describe(risk)}`);
  }
  return isObject(annotations) && annotations.destructiveHint === true ? "danger" : "safe";
}

/** From harmless to harmful. */
export const risks: readonly Risk[] = ["safe", "confirm", "danger"];

function readNative(reader: SchemaReader, schema: Source, path: string): Property[] {
  return Object.entries(schema).map(([name, value]) => {
    if (!isObject(value)) throw new ToolError(`${path}.${name}`, `expected an object, got ${describe(value)}`);
    return { name, schema: reader.read(value, `${path}.${name}`), required: value.required === true, ...notes(value) };
  });
}

function readSchema(reader: SchemaReader, schema: Source, path: string): Property[] {
  const read = reader.read({ ...schema, type: schema.type ?? "object" }, path);
  if (read.kind !== "object") throw new ToolError(`${path}.type`, `expected "object", got ${describe(schema.type)}`);
  return read.properties;
}

/** The flat form that training used: what the prompt shows of a tool that came as JSON Schema. */
export function flatForm(promptName: string, description: string | undefined, parameters: readonly Property[]): Source {
  const about = description === undefined ? {} : { description };
  return { name: promptName, ...about, parameters: flatProperties(parameters, [], { left: mostShown }) };
}

/** Nested where the schema nests. A schema within itself is shown as an object. */
function flatProperties(properties: readonly Property[], open: readonly Schema[], room: Room): Source {
  const entries = properties.map(({ name, schema, required, description }) => {
    room.left -= name.length;
    return [name, { ...flatSchema(schema, description, open, room), required }];
  });
  return Object.fromEntries(entries);
}

/** References shown within references. */
const mostDepth = 4;

/** About how many characters are shown before references no longer are; the model reads a thousand tokens at most. */
const mostShown = 10_000;

interface Room {
  left: number;
}

function flatSchema(schema: Schema, description: string | undefined, open: readonly Schema[], room: Room): Source {
  if (open.length > mostDepth) return { type: "object" };
  room.left -= 1 + (description?.length ?? 0);
  const about = description === undefined ? {} : { description };
  switch (schema.kind) {
    case "string":
      return { type: "string", ...about };
    case "number":
      return { type: schema.integer ? "integer" : "number", ...about };
    case "enum": {
      const [value] = schema.values;
      if (open.length) room.left -= JSON.stringify(schema.values).length;
      const type =
        value === null
          ? "null"
          : Array.isArray(value)
            ? "array"
            : typeof value === "number" && schema.values.every(Number.isInteger)
              ? "integer"
              : typeof value;
      return { type, ...about, ...(type !== "boolean" && type !== "null" && { enum: schema.values }) };
    }
    case "array":
      return { type: "array", ...about, items: flatSchema(schema.items, undefined, open, room) };
    case "object":
      return { type: "object", ...about, properties: flatProperties(schema.properties, open, room) };
    case "anyOf": {
      const told = schema.options.filter(
        (option) => !(option.kind === "enum" && option.values.length === 1 && option.values[0] === null),
      );
      if (told.length === 1) return flatSchema(told[0], description, open, room);
      return { ...about, anyOf: told.map((option) => flatSchema(option, undefined, open, room)) };
    }
    case "ref":
      if (open.includes(schema) || !schema.target || room.left < 0) return { type: "object", ...about };
      return flatSchema(schema.target, description, [...open, schema], room);
  }
}

/** Spec, "snake_case": what the original does to tool names before they reach the model. */
export function snakeCase(name: string): string {
  return name
    .replace(/[^A-Za-z0-9_]+/g, "_")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replace(/_+/g, "_")
    .toLowerCase()
    .replace(/^_+|_+$/g, "");
}

/**
 * JSON as Python's `json.dumps(value, separators=(",", ":"))` writes it: non-ASCII as \uXXXX, floats in Python's form.
 * A number that was written 1.0 arrives here as 1 and is written so: JavaScript cannot tell the two apart.
 */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(",")}]`;
  if (isObject(value)) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    return `{${entries.map(([key, v]) => `${pythonJson(key)}:${pythonJson(v)}`).join(",")}}`;
  }
  if (typeof value === "number") return pythonNumber(value);
  const text = JSON.stringify(value) ?? "null";
  return text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Python writes floats below 1e-4 and from 1e16 with an exponent of at least two digits. */
function pythonNumber(x: number): string {
  const size = Math.abs(x);
  if (Number.isInteger(x) ? size < 1e21 : size >= 1e-4) return String(x);
  return x.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

const quote = (text: string) => JSON.stringify(text);
