/** What a finding says and how its remedy is written: new names, texts and schemas. */
import { isObject, type Json } from "../../runtime/json.ts";
import { type Entry, type Field, type Keys, pathOf, valueAt } from "./sheet.ts";
import { exampleFor, hasExample, hasVerb, sentence, spaced, wordsOf } from "./words.ts";

/** New JSON for one place of the tool list. */
export interface Rewrite {
  at: Keys;
  value: Json;
}

export interface Found {
  path: string;
  /** `expected X, got Y; remedy`. */
  message: string;
  /** Absent where only the tools' author can decide. */
  rewrite?: Rewrite;
}

/** Another name, and what writes it. */
export type Rename = (name: string) => { to: string; rewrite?: Rewrite };

/** A finding whose remedy is a new text, where there is one. */
export function found(keys: Keys, message: string, text?: string): Found[] {
  if (text === undefined) return [{ path: pathOf(keys), message }];
  return rewritten(keys, `${message}; write ${quote(text)}`, text);
}

export function rewritten(at: Keys, message: string, value: Json): Found[] {
  return [{ path: pathOf(at), message, rewrite: { at, value } }];
}

/** A finding whose remedy is another name; a key's rewrite is that of the schema around it. */
export function renamed(keys: Keys, message: string, rename: Rename, name: string): Found[] {
  if (!name) return [{ path: pathOf(keys), message: `${message}; write it in ASCII` }];
  const { to, rewrite } = rename(name);
  return [{ path: pathOf(keys), message: `${message}; write ${quote(to)}`, ...(rewrite && { rewrite }) }];
}

export const quote = (text: string) => JSON.stringify(text);
export const lower = (text: string) => text.toLowerCase();
export const isForeign = (text: string) => /[^ -~]/.test(text);

const takenIn = new WeakMap<readonly Entry[], Set<string>>();

/** The name, numbered if another tool has it. */
export function freeName(entries: readonly Entry[], name: string): string {
  const taken = takenIn.get(entries) ?? new Set(entries.map(({ tool }) => tool.promptName));
  takenIn.set(entries, taken);
  for (let i = 2; ; i++) {
    const free = i === 2 ? name : `${name}_${i - 1}`;
    if (!taken.has(free)) return free;
  }
}

/** A word that one tool has and the other has not. */
export function ownWord(entry: Entry, twin: Entry): string {
  const wordsIn = ({ tool, fields }: Entry) =>
    [tool.promptName, tool.description, ...fields.map(({ name }) => name)].flatMap((text) => wordsOf(spaced(text)));
  const taken = wordsIn(twin);
  return wordsIn(entry).find((word) => word.length > 2 && /^[a-z]+$/.test(word) && !taken.includes(word)) ?? "other";
}

/** An enum's value with its parameter's name before it, joined as the value itself is. */
export function longer(text: string, { name }: Field): string {
  const gap = text.includes("_") ? "_" : text.includes("-") ? "-" : " ";
  return [...wordsOf(spaced(name)), text].join(gap);
}

export function draft(field: Field): string {
  const about = sentence(field.name);
  if (field.kinds.has("string")) return withExample(about, field);
  return field.kinds.has("boolean") && !hasVerb(field.name, "") ? `Whether to have ${lower(about)}.` : `${about}.`;
}

export function withExample(text: string, { name, description }: Field): string {
  return `${text.trim().replace(/[.\s]+$/, "")}, e.g. ${quote(exampleFor(name, description))}.`;
}

/** The schema around properties with one of them renamed, in `required` too. */
export function keyRenamed(list: unknown, keys: Keys, from: string, to: string): Rewrite {
  const isSchema = keys.at(-1) === "properties";
  const at = isSchema ? keys.slice(0, -1) : keys;
  const change = (key: string) => (key === from ? to : key);
  const source = valueAt(list, keys) as Record<string, Json>;
  const properties = Object.fromEntries(Object.entries(source).map(([key, value]) => [change(key), value]));
  if (!isSchema) return { at, value: properties };
  const schema = valueAt(list, at) as Record<string, Json>;
  const required = Array.isArray(schema.required) && { required: schema.required.map((key) => change(String(key))) };
  return { at, value: { ...schema, properties, ...required } };
}

export function picked(source: Record<string, unknown>, keys: readonly string[]): Json {
  return Object.fromEntries(keys.map((key) => [key, source[key] as Json]));
}

/**
 * Examples in the place of a format. Strings are copied from the request, so a date stays as it was said.
 * Source of the formats: JSON Schema validation, 7.3.
 */
const formats: Record<string, string> = {
  date: "tomorrow",
  time: "7:15 am",
  "date-time": "tomorrow at 7:15",
  duration: "10 minutes",
  email: "anna@example.com",
  uri: "https://example.com",
  uuid: "123e4567-e89b-12d3-a456-426614174000",
};

const least = { integer: "minimum", number: "minimum", string: "minLength", array: "minItems" };
const most = { integer: "maximum", number: "maximum", string: "maxLength", array: "maxItems" };
const listed = { integer: "enum", number: "enum", string: "enum" };
/** Keywords of other schema languages, and JSON Schema's for the same, by type. */
const misnamed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ...Object.fromEntries(["min", "minValue", "min_value", "gte", "ge"].map((keyword) => [keyword, least])),
  ...Object.fromEntries(["max", "maxValue", "max_value", "lte", "le"].map((keyword) => [keyword, most])),
  gt: { integer: "exclusiveMinimum", number: "exclusiveMinimum" },
  lt: { integer: "exclusiveMaximum", number: "exclusiveMaximum" },
  step: { integer: "multipleOf", number: "multipleOf" },
  ...Object.fromEntries(["values", "options", "choices"].map((keyword) => [keyword, listed])),
};

/** The schema without a keyword that the grammar ignores, and what else to do. */
export function keptForm(
  list: unknown,
  keys: Keys | undefined,
  keyword: string,
): { remedy: string; rewrite?: Rewrite } {
  const holder = keyword === keys?.at(-1) ? keys?.slice(0, -1) : keys;
  const schema = holder && valueAt(list, holder);
  if (!holder || !isObject(schema)) return { remedy: "say it in the description and check the argument" };
  const { [keyword]: asked, ...rest } = schema as Record<string, Json>;
  const rewrite = (remedy: string, value: Json) => ({ remedy, rewrite: { at: holder, value } });
  if (keyword === "type") return rewrite('write "type": "string"', { ...rest, type: "string" });
  if (keyword === "additionalProperties") return rewrite(`write "${keyword}": false`, { ...rest, [keyword]: false });
  if (keyword === "oneOf") return rewrite("write anyOf", { ...rest, anyOf: asked });
  if (keyword === "allOf") return { remedy: "write one schema in their place" };
  const meant = Object.hasOwn(misnamed, keyword) ? misnamed[keyword][String(rest.type)] : undefined;
  if (meant && !(meant in rest) && Array.isArray(asked) === (meant === "enum"))
    return rewrite(`write ${quote(meant)}`, { ...rest, [meant]: asked });
  const example = keyword === "format" ? formats[String(asked)] : undefined;
  const about = typeof rest.description === "string" ? rest.description : "";
  const isText = rest.type === "string";
  const asSaid = isText && (keyword === "format" || keyword === "pattern") ? ", which is copied from the request" : "";
  if (!isText || !example || hasExample(about)) return rewrite(`leave it out and check the argument${asSaid}`, rest);
  const text = `${about.trim().replace(/[.\s]+$/, "") || sentence(String(holder.at(-1)))}, e.g. ${quote(example)}.`;
  return rewrite(`write an example in its place, ${quote(text)}; the argument is copied from the request`, {
    ...rest,
    description: text,
  });
}
