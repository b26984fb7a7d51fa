/**
 * Every tool format users bring → one ToolSet, and the prompt text that the model was trained on.
 *
 * Four forms: native `{name, description, parameters: {key: {type, …, required}}}`, JSON Schema `parameters`,
 * OpenAI `{type: "function", function: {…}}` and MCP `inputSchema`. Source: spec, "Prompt". In the last three the schema
 * may be an object of a library that yields JSON Schema: Zod 4, Valibot, … Source: standardschema.dev, "Standard JSON Schema".
 */
import { ToolError } from "../errors.ts";
import { describe, isObject } from "../json.ts";
import { flatForm, pythonJson, snakeCase } from "./prompt.ts";
import { notes, type Property, SchemaReader, type Warning } from "./schema.ts";
import { leastBytes } from "./shortest.ts";

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
  private ordered: ToolSet | null = null;

  private constructor(
    readonly tools: readonly Tool[],
    /** Compact JSON of each tool's flat form, as the prompt carries it. */
    readonly texts: readonly string[],
    /** What the schemas ask and the grammar does not hold to, by path. */
    readonly warnings: readonly Warning[],
    /** Of each tool; equal ones accept equal calls and read alike. */
    private readonly keys: readonly string[],
    /** Equal keys accept equal answers to equal prompts. */
    readonly key = keys.join(),
  ) {}

  /** The tools' text in the prompt. */
  get prompt(): string {
    return `[${this.texts.join(",")}]`;
  }

  /** The tools at some places, in their old order. */
  only(places: readonly number[]): ToolSet {
    return this.pick([...new Set(places)].sort((a, b) => a - b));
  }

  /** The same tools by their names, so that one set has one order. */
  inOrder(): ToolSet {
    const name = (place: number) => this.tools[place].promptName;
    this.ordered ??= this.pick([...this.tools.keys()].sort((a, b) => (name(a) < name(b) ? -1 : 1)));
    return this.ordered;
  }

  private pick(places: readonly number[]): ToolSet {
    const pick = <T>(list: readonly T[]) => places.map((place) => list[place]);
    return new ToolSet(pick(this.tools), pick(this.texts), this.warnings, pick(this.keys));
  }

  /** A set from its parts, as the wire form carries them. */
  static of(tools: readonly Tool[], texts: readonly string[], warnings: readonly Warning[], key: string): ToolSet {
    const keys = tools.map((_, i) => `${key} ${i}`);
    return new ToolSet(tools, texts, warnings, keys);
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
    return new ToolSet(
      tools,
      flat.map(pythonJson),
      warnings,
      list.map((entry) => JSON.stringify(entry)),
    );
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

/** What a wrong call of a tool costs: `confirm` raises the bar for acting, `danger` never acts unasked. */
export type Risk = "safe" | "confirm" | "danger";

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

const quote = (text: string) => JSON.stringify(text);
