/** What a finding says and how its remedy is written: new names, texts and schemas. */
import { isObject, type Json } from "../../runtime/json.ts";
import { type Entry, type Field, type Keys, pathOf, type Unkept, valueAt } from "./sheet.ts";
import { exampleFor, hasExample, hasVerb, sentence, spaced, wordsOf } from "./words.ts";

/**
 * A change at one place of the tool list, which touches nothing beside it: its new JSON, its key's new name, its keys' order, of those that it
 * has; with none of these the key goes. Of several the deepest places come first.
 */
export interface Rewrite {
  at: Keys;
  value?: Json;
  key?: string;
  order?: readonly string[];
}

export interface Found {
  path: string;
  /** `expected X, got Y; remedy`. */
  message: string;
  /** Absent where only the tools' author can decide. */
  rewrites?: Rewrite[];
}

/** Another name, and what writes it. */
export type Rename = (name: string) => { to: string; rewrites: Rewrite[] };

/** A finding whose remedy is a new text, where there is one. */
export function found(keys: Keys, message: string, text?: string): Found[] {
  if (text === undefined) return [{ path: pathOf(keys), message }];
  return rewritten(message, keys, text);
}

/** Likewise a new value. */
export function rewritten(message: string, at: Keys, value: Json): Found[] {
  return [{ path: pathOf(at), message: `${message}; write ${JSON.stringify(value)}`, rewrites: [{ at, value }] }];
}

/** A finding whose remedy is another name. */
export function renamed(keys: Keys, message: string, rename: Rename, name: string): Found[] {
  if (!name) return [{ path: pathOf(keys), message: `${message}; write it in ASCII` }];
  const { to, rewrites } = rename(name);
  return [{ path: pathOf(keys), message: `${message}; write ${quote(to)}`, rewrites }];
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

/** Of a tool in the native form, as the model was trained. */
export const nativeOrder = ["name", "description", "parameters"];
export const inOrder = (at: Keys): Rewrite => ({ at, order: nativeOrder });

/** A property renamed, in `required` too. */
export function keyRenamed(list: unknown, keys: Keys, from: string, to: string): Rewrite[] {
  const at = [...keys.slice(0, -1), "required"];
  const required = keys.at(-1) === "properties" ? valueAt(list, at) : undefined;
  const names = Array.isArray(required) ? required : [];
  return [
    { at: [...keys, from], key: to },
    ...names.flatMap((name, i) => (name === from ? [{ at: [...at, i], value: to }] : [])),
  ];
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

interface Kept {
  /** The keyword, if it is told in other words. */
  got?: string;
  remedy: string;
  rewrites?: Rewrite[];
}

/** What to do about what the grammar does not hold to. */
export function keptForm(list: unknown, { keys, keyword, message, isWhole, meant }: Unkept): Kept {
  const holder = isWhole ? keys : keys?.slice(0, -1);
  const schema = holder && valueAt(list, holder);
  if (meant && keys) {
    const isNative = /^(is shown|asks)/.test(message);
    const rewrites = [{ at: keys, key: meant }, ...(isNative ? [inOrder(keys.slice(0, -1))] : [])];
    return { remedy: `write ${quote(meant)}`, rewrites };
  }
  if (keyword === "allOf") return { remedy: "write one schema in their place" };
  if (keyword === "type" && !isWhole) return { remedy: "leave the tool out, or say its parameters" };
  if (keyword === "type" && keys) {
    // Of an array that says no items they are to be said.
    const [at, value] = isObject(schema) ? [[...keys, "type"], "string"] : [keys, { type: "string" }];
    const key = String(at.at(-1));
    const got = valueAt(list, at) === undefined ? `no ${key}` : key;
    return { got, remedy: `write ${quote(key)}: ${JSON.stringify(value)}`, rewrites: [{ at, value }] };
  }
  if (keyword === "properties" && isWhole)
    return message.startsWith("says")
      ? { got: "no properties", remedy: "name its keys under properties" }
      : { remedy: "leave it out" };
  if (!holder || !isObject(schema) || !Object.hasOwn(schema, keyword))
    return { remedy: "say it in the description and check the argument" };
  const at = [...holder, keyword];
  const { [keyword]: asked, type, description } = schema;
  if (message.startsWith("further")) return { remedy: `write "${keyword}": false`, rewrites: [{ at, value: false }] };
  if (keyword === "oneOf" && !("anyOf" in schema)) return { remedy: 'write "anyOf"', rewrites: [{ at, key: "anyOf" }] };
  const isKnown = keyword === "format" && typeof asked === "string" && Object.hasOwn(formats, asked);
  const example = isKnown ? formats[asked] : undefined;
  const about = typeof description === "string" ? description : "";
  const isText = type === "string";
  const asSaid = isText && (keyword === "format" || keyword === "pattern") ? ", which is copied from the request" : "";
  if (!isText || !example || hasExample(about))
    return { remedy: `leave it out and check the argument${asSaid}`, rewrites: [{ at }] };
  const text = `${about.trim().replace(/[.\s]+$/, "") || sentence(String(holder.at(-1)))}, e.g. ${quote(example)}.`;
  return {
    remedy: `write an example in its place, ${quote(text)}; the argument is copied from the request`,
    rewrites: [{ at }, { at: [...holder, "description"], value: text }],
  };
}
