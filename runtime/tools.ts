/**
 * Every tool format users bring → one ToolSet, and the prompt text that the model was trained on.
 *
 * Four forms: native `{name, description, parameters: {key: {type, …, required}}}`, JSON Schema `parameters`,
 * OpenAI `{type: "function", function: {…}}` and MCP `inputSchema`. Source: spec, "Prompt".
 */
import { ToolError } from "./errors.ts";

export type ParameterType = "string" | "number" | "integer" | "boolean";
export type Scalar = string | number | boolean;

export interface Parameter {
  name: string;
  type: ParameterType;
  enum?: Scalar[];
  required: boolean;
}

export interface Tool {
  /** As the user wrote it; what a call carries. */
  name: string;
  /** In snake_case; what the model reads and writes. */
  promptName: string;
  parameters: Parameter[];
}

/** A tool in any of the four forms, or what JSON.parse gave. */
export type ToolInput = Record<string, unknown>;

type Json = Record<string, unknown>;

const types: ParameterType[] = ["string", "number", "integer", "boolean"];
const misspelled: Record<string, ParameterType> = {
  str: "string",
  strng: "string",
  text: "string",
  int: "integer",
  float: "number",
  double: "number",
  bool: "boolean",
};

export class ToolSet {
  private constructor(
    readonly tools: readonly Tool[],
    /** Compact JSON of the flat form, as the prompt carries it. Equal prompts accept equal answers. */
    readonly prompt: string,
  ) {}

  /**
   * Reads a list of tools: JSON text, an array, an MCP `{tools: […]}` result, or a ToolSet.
   * Throws: ToolError naming the offending part.
   */
  static from(input: string | readonly ToolInput[] | { tools: readonly ToolInput[] } | ToolSet): ToolSet {
    if (input instanceof ToolSet) return input;
    let list: unknown = input;
    if (typeof input === "string") {
      try {
        list = JSON.parse(input);
      } catch (error) {
        throw new ToolError("tools", `expected JSON, got ${quote(input.slice(0, 40))}: ${(error as Error).message}`);
      }
    }
    if (isObject(list) && Array.isArray(list.tools)) list = list.tools;
    if (!Array.isArray(list))
      throw new ToolError("tools", `expected a list of tools, got ${describe(list)}; wrap it in [ ]`);

    const tools: Tool[] = [];
    const flat = list.map((entry, i) => {
      const read = readTool(entry, `tools[${i}]`);
      const twin = tools.findIndex((tool) => tool.promptName === read.tool.promptName);
      if (twin >= 0) {
        const both = `${quote(tools[twin].name)} and ${quote(read.tool.name)} both become ${quote(read.tool.promptName)}`;
        throw new ToolError(`tools[${i}].name`, `expected a name unlike tools[${twin}]: ${both}; rename one`);
      }
      tools.push(read.tool);
      return read.flat;
    });
    return new ToolSet(tools, pythonJson(flat));
  }
}

/** One tool and its flat form for the prompt. */
function readTool(entry: unknown, path: string): { tool: Tool; flat: Json } {
  if (!isObject(entry)) throw new ToolError(path, `expected an object, got ${describe(entry)}`);
  let body: Json = entry;
  let at = path;
  if (isObject(entry.function)) {
    body = entry.function;
    at = `${path}.function`;
  }
  const { name } = body;
  if (typeof name !== "string")
    throw new ToolError(`${at}.name`, `expected a string, got ${describe(name)}; every tool needs a name`);
  const promptName = snakeCase(name);
  if (!promptName) throw new ToolError(`${at}.name`, `expected letters or digits of ASCII, got ${quote(name)}`);

  const schemaKey = body.inputSchema !== undefined ? "inputSchema" : "parameters";
  const schema = body[schemaKey] ?? {};
  const schemaPath = `${at}.${schemaKey}`;
  if (!isObject(schema)) throw new ToolError(schemaPath, `expected an object, got ${describe(schema)}`);

  // In the native form `type` would be a parameter, so an object; in JSON Schema it is the word "object".
  const isSchema =
    schemaKey === "inputSchema" || typeof schema.type === "string" || entry !== body || entry.type === "function";
  if (!isSchema) {
    const parameters = Object.entries(schema).map(([key, value]) => {
      const parameterPath = `${schemaPath}.${key}`;
      if (!isObject(value)) throw new ToolError(parameterPath, `expected an object, got ${describe(value)}`);
      return readParameter(key, value, value.required === true, parameterPath);
    });
    return { tool: { name, promptName, parameters }, flat: { ...body, name: promptName } };
  }

  if (schema.type !== undefined && schema.type !== "object") {
    throw new ToolError(`${schemaPath}.type`, `expected "object", got ${describe(schema.type)}`);
  }
  const properties = schema.properties ?? {};
  if (!isObject(properties))
    throw new ToolError(`${schemaPath}.properties`, `expected an object, got ${describe(properties)}`);
  const required = schema.required ?? [];
  if (!Array.isArray(required))
    throw new ToolError(`${schemaPath}.required`, `expected a list, got ${describe(required)}`);
  for (const key of required) {
    if (!(key in properties))
      throw new ToolError(`${schemaPath}.required`, `expected names of properties, got ${describe(key)}`);
  }
  const parameters: Parameter[] = [];
  const flatParameters: Json = {};
  for (const [key, value] of Object.entries(properties)) {
    const parameterPath = `${schemaPath}.properties.${key}`;
    if (!isObject(value)) throw new ToolError(parameterPath, `expected an object, got ${describe(value)}`);
    const parameter = readParameter(key, value, required.includes(key), parameterPath);
    parameters.push(parameter);
    flatParameters[key] = {
      type: parameter.type,
      ...(typeof value.description === "string" && { description: value.description }),
      ...(parameter.enum && { enum: parameter.enum }),
      required: parameter.required,
    };
  }
  const description = typeof body.description === "string" ? { description: body.description } : {};
  return {
    tool: { name, promptName, parameters },
    flat: { name: promptName, ...description, parameters: flatParameters },
  };
}

function readParameter(name: string, schema: Json, required: boolean, path: string): Parameter {
  const values = schema.const !== undefined ? [schema.const] : schema.enum;
  let allowed: Scalar[] | undefined;
  if (values !== undefined) {
    if (!Array.isArray(values) || !values.length)
      throw new ToolError(`${path}.enum`, `expected a list of values, got ${describe(values)}`);
    const odd = values.findIndex((value) => !["string", "number", "boolean"].includes(typeof value));
    if (odd >= 0)
      throw new ToolError(`${path}.enum[${odd}]`, `expected a string, number or boolean, got ${describe(values[odd])}`);
    allowed = values as Scalar[];
  }
  const type = schema.type ?? (allowed ? typeof allowed[0] : undefined);
  if (!types.includes(type as ParameterType)) {
    const guess = misspelled[String(type).toLowerCase()];
    const remedy = guess ? `did you mean ${quote(guess)}?` : "give each value a parameter of its own";
    throw new ToolError(`${path}.type`, `expected one of ${types.join(", ")}, got ${describe(type)}; ${remedy}`);
  }
  for (const [i, value] of (allowed ?? []).entries()) {
    const fits = type === "integer" ? Number.isInteger(value) : typeof value === type;
    if (!fits) throw new ToolError(`${path}.enum[${i}]`, `expected a value of type ${type}, got ${describe(value)}`);
  }
  return { name, type: type as ParameterType, ...(allowed && { enum: allowed }), required };
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

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const quote = (text: string) => JSON.stringify(text);
