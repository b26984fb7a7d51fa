/**
 * The forms that tools come in → the list, and of each entry its body and the part that says its parameters.
 *
 *   native                            parameters: {key: {type, …, required}}
 *   JSON Schema, OpenAI               parameters, in OpenAI's chat form within function: {…}
 *   MCP, Anthropic, Bedrock           inputSchema, input_schema, toolSpec: {inputSchema: {json}}
 *   Gemini, LangChain                 parametersJsonSchema within functionDeclarations; args_schema, args
 *   Cohere, smolagents                parameter_definitions: {key: {type: "str", …}}; inputs: {key: {type, …, nullable}}
 *
 * A schema may be an object of a library that yields JSON Schema: Zod 4, Valibot, … Source: standardschema.dev, "Standard JSON Schema".
 */
import { ToolError } from "../errors.ts";
import { describe, isObject, type JsonObject } from "../json.ts";

/** How a key says parameters: as a JSON Schema, as one or natively, as properties alone, or as a library of Python does. */
type Kind = "schema" | "either" | "properties" | "inputs" | "definitions";

const kinds: Readonly<Record<string, Kind>> = {
  inputSchema: "schema",
  input_schema: "schema",
  parameters: "either",
  parametersJsonSchema: "schema",
  parameters_json_schema: "schema",
  args_schema: "schema",
  schema: "schema",
  args: "properties",
  inputs: "inputs",
  parameter_definitions: "definitions",
  parameterDefinitions: "definitions",
};
const schemaKeys = Object.keys(kinds).filter((key) => /schema|either/.test(kinds[key]));

/** What stands beside a tool's parameters and asks nothing of a call. */
const silentKeys = new Set([
  ..."type name description risk annotations title icons _meta strict version execution cache_control".split(" "),
  ..."outputSchema output_schema output_type returns response responseJsonSchema".split(" "),
]);

/** Where a list of tools stands in what servers and libraries give. */
const lists = [
  ["tools"],
  ["functions"],
  ["result", "tools"],
  ["toolConfig", "tools"],
  ["functionDeclarations"],
  ["function_declarations"],
];

export interface Entry {
  path: string;
  value: unknown;
}

/** What is given as tools. */
export interface Listed {
  /** To which paths are relative: `tools[0]` is its first. */
  list: readonly unknown[];
  entries: Entry[];
  /** Parts that say there are tools elsewhere. */
  left: string[];
}

/** Throws: ToolError for what holds no list. */
export function entriesOf(given: unknown): Listed {
  for (const keys of Array.isArray(given) ? [[]] : lists) {
    const holder = keys.slice(0, -1).reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), given);
    const list = keys.length ? isObject(holder) && holder[keys[keys.length - 1]] : given;
    if (!Array.isArray(list)) continue;
    const left = isObject(holder) && typeof holder.nextCursor === "string" ? ["nextCursor"] : [];
    return { list, entries: list.flatMap((value, i) => declared(value, `tools[${i}]`)), left };
  }
  const looksLikeTool = isObject(given) && ["name", "function", "toolSpec"].some((key) => given[key] !== undefined);
  const remedy = looksLikeTool ? "wrap it in [ ]" : "give the list of tools itself";
  throw new ToolError("tools", `expected a list of tools, got ${describe(given)}; ${remedy}`);
}

/** Gemini's entries hold several tools. */
function declared(value: unknown, path: string): Entry[] {
  if (!isObject(value)) return [{ path, value }];
  const key = ["functionDeclarations", "function_declarations"].find((name) => Array.isArray(value[name]));
  if (!key) return [{ path, value }];
  return (value[key] as unknown[]).map((one, i) => ({ path: `${path}.${key}[${i}]`, value: one }));
}

export interface Form {
  body: JsonObject;
  /** Of the body. */
  path: string;
  schema: JsonObject;
  schemaPath: string;
  /** Whether `schema` is `{key: {type, …, required}}`, which the prompt shows as it stands. */
  isNative: boolean;
  /** Keys that are not read, by path. */
  unread: { path: string; key: string }[];
}

/** Throws: ToolError for what is no tool. */
export function formOf({ path, value }: Entry): Form {
  if (!isObject(value)) throw new ToolError(path, `expected an object, got ${describe(value)}`);
  const wrapper = ["function", "toolSpec"].find((key) => isObject(value[key]));
  const body = wrapper ? { ...pick(value, ["risk", "annotations"]), ...(value[wrapper] as JsonObject) } : value;
  const at = wrapper ? `${path}.${wrapper}` : path;
  const keys = Object.keys(kinds).filter((name) => body[name] !== undefined && body[name] !== null);
  const key = keys[0] ?? "parameters";
  const given = body[key] ?? {};
  const isBedrock = wrapper === "toolSpec" && isObject(given) && isObject(given.json);
  const schema = isBedrock ? given.json : given;
  const schemaPath = `${at}.${key}${isBedrock ? ".json" : ""}`;
  if (!isObject(schema)) throw new ToolError(schemaPath, `expected an object, got ${describe(schema)}`);

  const isSchema = kinds[key] === "schema" || looksLikeSchema(schema) || body !== value || value.type === "function";
  const isNative = kinds[key] === "either" && !isSchema;
  const form = {
    body,
    path: at,
    schema: isNative || isSchema ? schema : asSchema(schema, kinds[key]),
    schemaPath,
    isNative,
  };
  const outside = wrapper ? Object.keys(value).filter((name) => name !== wrapper) : [];
  const inside = isNative ? keys.slice(1) : Object.keys(body).filter((name) => name !== key);
  const unread = [
    ...outside.map((name) => ({ path: `${path}.${name}`, key: name })),
    ...inside.filter((name) => !outside.includes(name)).map((name) => ({ path: `${at}.${name}`, key: name })),
  ];
  const says = (name: string) => (body[name] ?? value[name] ?? null) !== null && !silentKeys.has(name);
  return { ...form, unread: unread.filter(({ key: name }) => says(name)) };
}

function pick(source: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]]])));
}

/** In the native form `type` and `properties` would be parameters, so objects with a type of their own. */
function looksLikeSchema({ type, properties }: JsonObject): boolean {
  return typeof type === "string" || (isObject(properties) && typeof properties.type !== "string");
}

const pythonTypes: Readonly<Record<string, string>> = {
  str: "string",
  int: "integer",
  float: "number",
  bool: "boolean",
  list: "array",
  dict: "object",
};

/** Properties alone as a JSON Schema. Of smolagents' inputs those are required that nothing says may be missing. */
function asSchema(properties: JsonObject, kind: Kind): JsonObject {
  if (kind === "properties") return { type: "object", properties };
  const entries = Object.entries(properties).map(([name, value]): [string, unknown] => {
    if (!isObject(value)) return [name, value];
    const { type, ...rest } = value;
    if (kind === "inputs")
      return [name, { ...(type !== "any" && { type }), required: rest.nullable !== true, ...rest }];
    const isPython = typeof type === "string" && Object.hasOwn(pythonTypes, type);
    return [name, { ...(type !== undefined && { type: isPython ? pythonTypes[type] : type }), ...rest }];
  });
  return { type: "object", properties: Object.fromEntries(entries) };
}

/** A replacer for JSON.stringify: objects of a schema library as JSON Schema of their input, which is what a call gives. */
export function withJsonSchema(key: string, value: unknown): unknown {
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
