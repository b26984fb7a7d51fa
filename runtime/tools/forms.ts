/**
 * The forms that tools come in → the list, and of each entry its body and the part that says its parameters.
 *
 *   native                            parameters: {key: {type, …, required}}
 *   JSON Schema, OpenAI               parameters, in OpenAI's chat form within function: {…}
 *   MCP, Anthropic, Bedrock           inputSchema, input_schema, toolSpec: {inputSchema: {json}}
 *   Gemini, LangChain                 parametersJsonSchema within functionDeclarations; args_schema, args
 *   Cohere, smolagents                parameter_definitions: {key: {type: "List[str]", …}}; inputs: {key: {type, …, nullable}}
 *   AI SDK, by hand                   {name: {description, inputSchema}}; params, arguments; parameters: [{name, type, …}]
 *
 * A schema may be an object of a library that yields JSON Schema: Zod 4, Valibot, … Source: standardschema.dev, "Standard JSON Schema".
 */
import { ToolError } from "../errors.ts";
import { describe, isObject, type JsonObject } from "../json.ts";
import { checkCount } from "./bounds.ts";
import type { Warning } from "./schema.ts";
import { pythonSchema } from "./typing.ts";

/** How a key says parameters: as a JSON Schema, or as properties alone, of which smolagents' inputs are required. */
type Kind = "schema" | "properties" | "inputs";

export const kinds: Readonly<Record<string, Kind>> = {
  inputSchema: "schema",
  input_schema: "schema",
  parameters: "schema",
  parametersJsonSchema: "schema",
  parameters_json_schema: "schema",
  args_schema: "schema",
  schema: "schema",
  args: "properties",
  params: "properties",
  arguments: "properties",
  inputs: "inputs",
  parameter_definitions: "properties",
  parameterDefinitions: "properties",
};
const schemaKeys = Object.keys(kinds).filter((key) => kinds[key] === "schema");
/** Where no key says parameters, what of a schema a tool itself may be. */
export const schemaParts = ["type", "properties", "required", "additionalProperties", "$defs", "definitions"];

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
  list: unknown;
  entries: Entry[];
  /** What stands beside them and is none of them. */
  left: Warning[];
}

/** A text's JSON, or the list of its lines' where each is JSON by itself. Throws: ToolError for other text. */
export function parsed(text: string): unknown {
  // A mark of the byte order is white space.
  const trimmed = text.trim();
  try {
    return JSON.parse(trimmed);
  } catch (error) {
    const lines = linesOf(trimmed);
    if (lines) return lines;
    throw new ToolError("tools", `expected JSON, got ${describe(text.slice(0, 40))}; ${(error as Error).message}`);
  }
}

/** null where a line is no object. */
function linesOf(text: string): unknown[] | null {
  try {
    const lines = text.split(/[\r\n]+/).map((line) => JSON.parse(line));
    return lines.every(isObject) ? lines : null;
  } catch {
    return null;
  }
}

/** Throws: ToolError for what holds no list. */
export function entriesOf(given: unknown): Listed {
  const found = (Array.isArray(given) ? [[]] : lists).flatMap((keys) => {
    const holder = keys.slice(0, -1).reduce<unknown>((at, key) => (isObject(at) ? at[key] : undefined), given);
    const list = keys.length ? isObject(holder) && holder[keys[keys.length - 1]] : given;
    return Array.isArray(list) || isNamed(list) ? [{ keys, holder, list }] : [];
  });
  if (!found.length && isNamed(given)) found.push({ keys: [], holder: null, list: given });
  const [first, ...others] = found;
  if (first) {
    const { holder, list } = first;
    checkCount(Array.isArray(list) ? list.length : Object.keys(list).length);
    const declarations = Array.isArray(list)
      ? list.map((value, i) => declared(value, `tools[${i}]`))
      : Object.entries(list).map(([name, value]) => ({ entries: [named(name, value)], left: [] }));
    const left = [
      ...others.map(({ keys }) => unread(keys.join("."), keys[0])),
      ...declarations.flatMap((one) => one.left),
    ];
    if (isObject(holder) && typeof holder.nextCursor === "string")
      left.push({
        path: "nextCursor",
        keyword: "nextCursor",
        message: "says that there are more tools: ask the server for them too",
      });
    return { list, entries: declarations.flatMap(({ entries }) => entries), left };
  }
  const looksLikeTool = isObject(given) && isTool(given);
  const remedy = looksLikeTool ? "wrap it in [ ]" : "give the list of tools itself";
  throw new ToolError("tools", `expected a list of tools, got ${describe(given)}; ${remedy}`);
}

const isTool = (value: JsonObject) => ["name", "function", "toolSpec"].some((key) => value[key] !== undefined);
const hasParameters = (value: JsonObject) => Object.keys(kinds).some((key) => isObject(value[key]));

/** Whether an object holds tools by their names. */
function isNamed(given: unknown): given is JsonObject {
  if (!isObject(given) || isTool(given)) return false;
  const values = Object.values(given);
  const isOne = (value: unknown) => isObject(value) && (hasParameters(value) || typeof value.description === "string");
  return values.every(isOne) && values.some((value) => isObject(value) && hasParameters(value));
}

function named(name: string, value: unknown): Entry {
  return { path: `tools.${name}`, value: { name, ...(value as JsonObject) } };
}

function unread(path: string, keyword: string): Warning {
  return { path, keyword, message: "is not read: the model does not see it" };
}

/** Gemini's entries hold several tools. */
function declared(value: unknown, path: string): { entries: Entry[]; left: Warning[] } {
  const key = ["functionDeclarations", "function_declarations"].find(
    (name) => isObject(value) && Array.isArray(value[name]),
  );
  if (!isObject(value) || !key) return { entries: [{ path, value }], left: [] };
  const others = Object.keys(value).filter((name) => name !== key);
  return {
    entries: (value[key] as unknown[]).map((one, i) => ({ path: `${path}.${key}[${i}]`, value: one })),
    left: others.map((name) => unread(`${path}.${name}`, name)),
  };
}

export interface Form {
  body: JsonObject;
  /** Of the body. */
  path: string;
  schema: JsonObject;
  schemaPath: string;
  /** Whether `schema` is properties alone: `{key: {type, …, required}}`. */
  isBare: boolean;
  /** Whether the prompt shows the body as it stands: bare `parameters`. */
  isNative: boolean;
  /** Whether a provider seems to know its parameters, or to run it. */
  isForeign: boolean;
  /** What of the tool a call is not held to. */
  unread: Warning[];
}

/** Throws: ToolError for what is no tool. */
export function formOf({ path, value }: Entry): Form {
  if (!isObject(value)) throw new ToolError(path, `expected an object, got ${describe(value)}`);
  const wrapper = ["function", "toolSpec"].find((key) => isObject(value[key]));
  const body = wrapper ? { ...pick(value, ["risk", "annotations"]), ...(value[wrapper] as JsonObject) } : value;
  const at = wrapper ? `${path}.${wrapper}` : path;
  const key = Object.keys(kinds).find((one) => says(body, one));
  // A tool may itself be the schema of its parameters, as Pydantic writes it with its name as the title.
  const isWhole = !key && isObject(body.properties);
  const { schema, schemaPath } = isWhole
    ? { schema: pick(body, schemaParts), schemaPath: at }
    : parametersOf(body[key ?? "parameters"] ?? {}, `${at}.${key ?? "parameters"}`);
  const kind = kinds[key ?? "parameters"];
  const mayBeNative = (key ?? "parameters") === "parameters" && !wrapper && value.type !== "function";
  const isBare = !isWhole && isProperties(schema, kind !== "schema" || mayBeNative);
  const isNative = isBare && mayBeNative && !Array.isArray(body.parameters) && !Array.isArray(schema.required);

  const outside = Object.keys(wrapper ? value : {}).filter((name) => {
    const isTold = ["name", "description"].includes(name) ? value[name] === body[name] : silentKeys.has(name);
    return name !== wrapper && says(value, name) && !isTold;
  });
  const read = isWhole ? schemaParts : [key];
  const inside = Object.keys(body).filter(
    // Natively the prompt shows all; only what has parts may have meant to be parameters.
    (name) => !read.includes(name) && !silentKeys.has(name) && says(body, name) && (!isNative || hasParts(body[name])),
  );
  const isOther = says(value, "type") && !["function", "object"].includes(word(value.type));
  // Lists of OpenAI, Anthropic, Gemini and Bedrock also name what runs at their side.
  const isForeign = !key && !isWhole && !wrapper && (isOther || isHollow(value));
  return {
    body: isWhole && body.name === undefined ? { ...body, name: body.title } : body,
    path: at,
    schema: isBare ? bare(schema, kind) : schema,
    schemaPath,
    isBare,
    isNative,
    isForeign,
    unread: [
      ...outside.map((name) => unread(`${path}.${name}`, name)),
      ...inside.map((name) => (isNative ? aside(`${at}.${name}`, name) : unread(`${at}.${name}`, name))),
      ...(isForeign ? [foreign(at)] : []),
    ],
  };
}

/** A type as it is said in one word: "object", ["object"]. */
const word = (type: unknown) => `${[type].flat().find((one) => typeof one === "string")}`;
const says = (value: JsonObject, key: string) => (value[key] ?? null) !== null;
const isHollow = (value: JsonObject) => Object.keys(value).length > 0 && Object.values(value).every(isObject);
/** Whether a value may have meant to say parameters. */
const hasParts = (value: unknown) =>
  isObject(value) || (Array.isArray(value) && value.length > 0 && value.every(isObject));

function aside(path: string, keyword: string): Warning {
  const message = "asks nothing of a call: parameters stand under parameters or inputSchema";
  return { path, keyword, message };
}

function foreign(path: string): Warning {
  return {
    path: `${path}.type`,
    keyword: "type",
    message: "is no kind that is known here: the tool is offered without parameters",
  };
}

/** What a key says of parameters: an object, one within another, as Bedrock's, or a list of such that say their names. */
function parametersOf(given: unknown, path: string): { schema: JsonObject; schemaPath: string } {
  const inner = ["json", "jsonSchema"].find((key) => isObject(given) && isObject(given[key]) && isAlone(given, key));
  if (inner) return { schema: (given as JsonObject)[inner] as JsonObject, schemaPath: `${path}.${inner}` };
  const schema = Array.isArray(given) ? byName(given, path) : given;
  if (isObject(schema)) return { schema, schemaPath: path };
  const remedy = typeof schema === "string" ? "; give what its JSON says" : "";
  throw new ToolError(path, `expected an object, got ${describe(schema)}${remedy}`);
}

/** Whether an object has nothing but a schema at a key: a parameter of that name says its type in a word, and no properties. */
function isAlone(given: JsonObject, key: string): boolean {
  const { type, properties, description } = given[key] as JsonObject;
  const isSchema =
    isObject(properties) || isProperties(given[key] as JsonObject, false) || /^object$/i.test(word(type));
  return Object.keys(given).length === 1 && isSchema && description === undefined;
}

/** A list of parameters, also OpenAPI's, as properties. */
function byName(list: readonly unknown[], path: string): JsonObject {
  const properties = new Map<string, unknown>();
  for (const [i, one] of list.entries()) {
    const at = `${path}[${i}]`;
    if (!isObject(one)) throw new ToolError(at, `expected an object, got ${describe(one)}; write {name: …, type: …}`);
    const { name, schema, ...rest } = one;
    if (typeof name !== "string") throw new ToolError(`${at}.name`, `expected a string, got ${describe(name)}`);
    if (properties.has(name)) throw new ToolError(`${at}.name`, `expected a name of its own, got ${describe(name)}`);
    properties.set(name, isObject(schema) ? { ...schema, ...rest } : rest);
  }
  return Object.fromEntries(properties);
}

function pick(source: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (source[key] === undefined ? [] : [[key, source[key]]])));
}

/** What may stand in an object schema and is an object; a property of such a name has a type of its own. */
const schemaWords = new Set(
  "properties patternProperties dependentSchemas definitions items contains not if then else const default example".split(
    " ",
  ),
);
/** Likewise, with a type of its own either way. */
const valueWords = new Set(["additionalProperties", "propertyNames"]);

/**
 * Whether an object is properties alone, as in the native form, with a list of those that are required or without.
 * `isNative`: it is unless it is a schema for sure, so that what is wrong with a property can be said.
 */
function isProperties(schema: JsonObject, isNative: boolean): boolean {
  if (typeof schema.type === "string") return false;
  return Object.entries(schema).every(([key, value]) => {
    if (key.startsWith("$")) return false;
    if (isObject(value)) return !valueWords.has(key) && (!schemaWords.has(key) || typeof value.type === "string");
    if (Array.isArray(value)) return key === "required" && value.every((name) => Object.hasOwn(schema, word(name)));
    return isNative || value === null;
  });
}

/** Properties as the native form says them. Of smolagents' inputs those are required that nothing says may be missing. */
function bare({ required, ...others }: JsonObject, kind: Kind): JsonObject {
  const needed = Array.isArray(required) ? required : [];
  const properties = required === undefined || needed === required ? others : { ...others, required };
  const entries = Object.entries(properties).map(([name, value]): [string, unknown] => {
    if (!isObject(value)) return [name, value];
    const { type, ...rest } = value;
    const said = typeof type === "string" ? { ...pythonSchema(type), ...rest } : value;
    const isNeeded = kind === "inputs" ? rest.nullable !== true : needed.includes(name);
    return [name, isNeeded ? { required: true, ...said } : said];
  });
  return Object.fromEntries(entries);
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
