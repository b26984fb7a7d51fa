/** The words of JSON Schema: which keyword belongs to which type, what types are called, what says nothing. */
import { ToolError } from "../errors.ts";
import { describe, type JsonObject } from "../json.ts";

/** What tells of a schema without limiting its values; the first holds. */
export const silent: ReadonlySet<string> = new Set([
  "$schema",
  "$id",
  "$defs",
  "definitions",
  "$comment",
  "title",
  "description",
  "default",
  "examples",
  "example",
  "deprecated",
  "readOnly",
  "writeOnly",
]);

/** Whether a keyword belongs to no type. */
export const isReadApart = (key: string) => silent.has(key) || /^(type|nullable)$|^x-/.test(key);

export const keywords: Record<string, readonly string[]> = {
  string: ["minLength", "maxLength"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  array: ["items", "minItems", "maxItems", "prefixItems", "additionalItems", "uniqueItems"],
  object: ["properties", "minProperties", "maxProperties", "propertyNames", "required", "additionalProperties"],
};
export const typeNames = ["string", "number", "integer", "boolean", "null", "array", "object"];
/** As Python names them. */
const synonyms: Record<string, string> = {
  str: "string",
  int: "integer",
  float: "number",
  bool: "boolean",
  list: "array",
  tuple: "array",
  dict: "object",
};
const misspelled: Record<string, string> = { strng: "string", text: "string", double: "number", long: "integer" };
/** Keywords of which null is a value; any other that is null says nothing, as some libraries write what they leave out. */
const nullable = new Set(["const", "default", "example", "examples"]);

/** Whether a keyword is the flag of a property, which is read, and warned of, where that is. */
export const isFlag = (source: JsonObject, key: string) => key === "required" && !Array.isArray(source.required);

/** Whether a schema limits its values by other keywords than some. */
export function isLimited(source: JsonObject, but: readonly string[]): boolean {
  return Object.keys(source).some(
    (key) => ![...but, "nullable"].includes(key) && !silent.has(key) && !key.startsWith("x-"),
  );
}

export function withoutNulls(source: JsonObject): JsonObject {
  const entries = Object.entries(source);
  if (entries.every(([, value]) => value !== null)) return source;
  return Object.fromEntries(entries.filter(([key, value]) => value !== null || nullable.has(key)));
}

/** const as the enum of one value, so that the two merge. */
export function oneValue(source: JsonObject): JsonObject {
  if (source.const === undefined) return source;
  const { const: value, ...rest } = source;
  return { ...rest, enum: [value] };
}

/**
 * The types of a schema, stated or else implied by a keyword; none where it may be anything. Gemini writes them in capitals, Python
 * in its own words.
 * Throws: ToolError for what is no type.
 */
export function typesOf(source: JsonObject, path: string): string[] {
  if (source.type === undefined) {
    const said = Object.keys(source).filter((key) => source[key] !== undefined && !isFlag(source, key));
    const implied = Object.keys(keywords).find((type) => keywords[type].some((key) => said.includes(key)));
    return implied ? [implied] : [];
  }
  return [source.type].flat().flatMap((type) => {
    const said = typeof type === "string" ? type.toLowerCase() : "";
    const word = Object.hasOwn(synonyms, said) ? synonyms[said] : said;
    if (typeNames.includes(word)) return word;
    if (word === "any") return [];
    const guess = Object.hasOwn(misspelled, word) ? misspelled[word] : undefined;
    const remedy = guess ? `did you mean ${JSON.stringify(guess)}?` : "say what the value is";
    throw new ToolError(`${path}.type`, `expected one of ${typeNames.join(", ")}, got ${describe(type)}; ${remedy}`);
  });
}

/** Whether a value is of the type that a schema states. Throws: ToolError for what is no type. */
export function isOfType(value: unknown, source: JsonObject, path: string): boolean {
  const types = source.type === undefined ? [] : typesOf(source, path);
  const is = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return (
    !types.length ||
    types.includes(is) ||
    (types.includes("integer") && Number.isInteger(value)) ||
    (value === null && source.nullable === true)
  );
}
