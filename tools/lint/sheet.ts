/** A list of tools as the rules read it: every tool that can be read, its values with their places, its tokens. */

import { octet } from "../../runtime/engine/sessionplan.ts";
import { ToolError } from "../../runtime/errors.ts";
import { describe, isObject, type Json } from "../../runtime/json.ts";
import type { Tokenizer } from "../../runtime/text/tokenizer.ts";
import { entriesOf, formOf, type Listed, parsed } from "../../runtime/tools/forms.ts";
import { stepsOf } from "../../runtime/tools/pointer.ts";
import type { Schema } from "../../runtime/tools/schema.ts";
import { type Tool, type ToolInput, ToolSet } from "../../runtime/tools/tools.ts";
import { pad } from "../../wasm/abi.ts";
import { meantFor } from "./slips.ts";

/** The way from the list to one of its parts. */
export type Keys = readonly (string | number)[];

/** A property, of the tool or of an object in it. */
export interface Field {
  /** Its schema's place, where its description stands too. */
  keys: Keys;
  name: string;
  /** Empty for none. */
  description: string;
  required: boolean;
  /** What its values may be, behind references, unions and lists; null counts as nothing. */
  kinds: Set<Schema["kind"] | "boolean">;
  enums: { keys: Keys; values: Json[] }[];
  schema: Schema;
  default?: Json;
}

/** What the grammar does not hold to, or the model was not trained on. */
export interface Unkept {
  path: string;
  /** Where it stands, or would. */
  keys?: Keys;
  keyword: string;
  message: string;
  /** It is said of a schema, others of one of its keys. */
  isWhole: boolean;
  /** The key that was meant. */
  meant?: string;
}

/** What is no tool. */
export interface Refused {
  path: string;
  keys?: Keys;
  message: string;
}

/** The properties of one object. */
export interface Group {
  keys: Keys;
  fields: Field[];
}

/** One tool that can be read. */
export interface Entry {
  /** Where name and description stand. */
  keys: Keys;
  source: Record<string, unknown>;
  /** In the flat form, which reaches the prompt with the keys in their order. */
  isNative: boolean;
  tool: Tool;
  /** Its text in the prompt. */
  text: string;
  /** The properties of the tool and of every object in them. */
  groups: Group[];
  fields: Field[];
  warnings: Unkept[];
}

export interface Sheet {
  list: unknown;
  entries: Entry[];
  /** What could not be read. */
  refused: Refused[];
  /** Of those that cannot be read too, but for what is said of a schema without the part that was refused. */
  unkept: Unkept[];
  /** How the model sees tools: in the prompt with the request, or each apart. */
  way: "joint" | "apart";
  /** Of a prompt, or where tools are read apart of the rows that one request may see. */
  promptLimit: number;
  /** Of all that can be read, the request not counted. */
  promptTokens: number;
  /** Of each entry; they add up to `promptTokens`. Apart: its rows, in whole octets. */
  shares: number[];
  /** Of a name, description or other text within the prompt. */
  tokensOf(text: string): number;
}

/** Throws nothing: what is no list of tools becomes one refusal. */
export function readSheet(text: string, tokenizer: Tokenizer, promptLimit: number, way: Sheet["way"] = "joint"): Sheet {
  let listed: Listed | undefined;
  const refused: Refused[] = [];
  const entries: Entry[] = [];
  const unkept: Unkept[] = [];
  try {
    listed = entriesOf(parsed(text));
  } catch (error) {
    refused.push(refusal(error, () => undefined));
  }
  if (listed && !listed.entries.length)
    refused.push({ path: "tools", message: "expected one at least, got an empty list" });
  const list = listed?.list;
  const whole = new Place(list, []);
  // Alone, so that one that cannot be read hides no other.
  for (const { path, value } of listed?.entries ?? []) {
    const { keys } = whole.at(path.slice("tools".length));
    const { entry, errors } = readAll(value, keys);
    refused.push(...errors);
    if (entry && !errors.length) entries.push(entry);
    unkept.push(...(entry?.warnings.filter(({ isWhole }) => !isWhole || !errors.length) ?? []));
  }
  const texts = entries.map((entry) => entry.text);
  const { promptTokens, shares } = (way === "joint" ? countTokens : countRows)(texts, tokenizer);
  const tokensOf = (part: string) => tokenizer.tokenizeRaw(part).length;
  return { list, entries, refused, unkept, way, promptLimit, promptTokens, shares, tokensOf };
}

/** Errors of one tool that are told. */
const mostErrors = 16;

/** A tool, and all that is wrong with it: each time the part that was refused is left out. */
function readAll(given: unknown, keys: Keys): { entry?: Entry; errors: Refused[] } {
  const errors: Refused[] = [];
  let value = given;
  for (;;) {
    const read = tried(value, keys, given);
    if (!("message" in read)) return { entry: read, errors };
    errors.push(read);
    const next = errors.length < mostErrors ? without(value, keys, read) : undefined;
    if (next === undefined) return { errors };
    value = next;
  }
}

function tried(value: unknown, keys: Keys, given = value): Entry | Refused {
  try {
    return readEntry(value, new Place(value, keys), given);
  } catch (error) {
    return refusal(error, (path) => placed(path, new Place(value, keys), value));
  }
}

function refusal(error: unknown, at: (path: string) => Placed | undefined): Refused {
  if (!(error instanceof ToolError)) throw error;
  const { path, message } = error;
  // A long path is shortened in the message.
  return { path, ...at(path), message: message.slice(Math.min(path.length, 161) + 2) };
}

/** The tool with another value, or none, in the place of what was refused; undefined where that brings an error of its own. */
function without(value: unknown, base: Keys, { keys = base, message }: Refused): unknown {
  const steps = keys.slice(base.length, keys.at(-2) === "enum" ? -1 : undefined);
  const place = pathOf([...base, ...steps]);
  const last = steps.pop();
  if (last === undefined) return undefined;
  const old = valueAt(value, [...steps, last]);
  // Of a list of names the one that is none.
  const names =
    Array.isArray(old) && last === "required" ? old.filter((name) => !message.includes(`got ${describe(name)};`)) : [];
  for (const other of [names, {}, undefined, "x"]) {
    const copy = structuredClone(value);
    const holder = valueAt(copy, steps) as Record<string, unknown>;
    holder[last] = other;
    if (other === undefined) delete holder[last];
    // Names of properties that were none.
    if (last === "properties") delete holder.required;
    const read = tried(copy, base);
    if (!("message" in read)) return copy;
    const isNext = other === names && names.length ? read.message !== message : read.path !== place;
    if (isNext && !read.path.startsWith(`${place}.`)) return copy;
  }
  return undefined;
}

interface Placed {
  path: string;
  keys?: Keys;
}

/** Where a path of the runtime leads: from the tool, which was read as the only one, or by a reference from its schema. */
function placed(path: string, base: Place, value: unknown): Placed {
  const [ref] = path.match(/^#[^.[]*/) ?? [];
  const at = ref === undefined ? base : rootOf(value, base).atReference(ref);
  const rest = path.slice(ref?.length ?? "tools[0]".length);
  const [, before = "", last = ""] = rest.match(/^(.*)\.(\w+)$/s) ?? [];
  const keys = (at.following(rest) ?? (last ? at.following(before)?.to(last) : undefined))?.keys;
  return { path: keys ? pathOf(keys) : `${pathOf(at.keys)}${rest}`, keys };
}

/** Where a tool's schema stands. */
function rootOf(value: unknown, base: Place): Place {
  return base.at(formOf({ path: "", value }).schemaPath);
}

/** `base`: where in the list it stands; `given`: with what was left out. */
function readEntry(value: unknown, base: Place, given: unknown): Entry {
  const set = ToolSet.from([value as ToolInput]);
  const [tool] = set.tools;
  const form = formOf({ path: "", value });
  const body = base.at(form.path);
  const { keys } = body;
  const root = rootOf(value, base);
  // The native form has a parameter for every key and nothing else.
  const names = tool.parameters.map(({ name }) => name);
  const isNative = JSON.stringify(Object.keys(root.source ?? {})) === JSON.stringify(names);

  const groups: Group[] = [];
  const group = (properties: Tool["parameters"], at: Place, open: readonly Schema[]) => {
    const made: Group = { keys: at.keys, fields: [] };
    groups.push(made);
    for (const { name, schema, required, description = "", default: usual } of properties) {
      const said = { name, description, required, schema, default: usual };
      const field: Field = { ...said, keys: [...at.keys, name], kinds: new Set(), enums: [] };
      made.fields.push(field);
      visit(field, schema, at.to(name), open);
    }
  };
  const visit = (field: Field, schema: Schema, at: Place, open: readonly Schema[]): void => {
    const here = at.resolved(root);
    switch (schema.kind) {
      case "ref":
        if (schema.target && !open.includes(schema)) visit(field, schema.target, here, [...open, schema]);
        return;
      case "anyOf": {
        const key = ["anyOf", "oneOf"].find((name) => here.listLength(name) === schema.options.length);
        for (const [i, option] of schema.options.entries()) visit(field, option, key ? here.to(key).to(i) : here, open);
        return;
      }
      case "array":
        field.kinds.add("array");
        visit(field, schema.items, here.to("items"), open);
        return;
      case "object":
        field.kinds.add("object");
        group(schema.properties, here.propertiesOf(root), open);
        return;
      case "enum": {
        const { values } = schema;
        if (values.every((value) => value === null)) return;
        if (values.every((value) => typeof value === "boolean") && !here.has("enum")) field.kinds.add("boolean");
        else {
          field.kinds.add("enum");
          field.enums.push({ keys: [...here.keys, here.has("enum") ? "enum" : "const"], values });
        }
        return;
      }
      default:
        field.kinds.add(schema.kind);
    }
  };
  group(tool.parameters, isNative ? root : root.resolved(root).propertiesOf(root), []);

  const meantAt = (at: Keys | undefined, key: string) => {
    const holder = at?.at(-1) === key ? valueAt(given, at.slice(base.keys.length, -1)) : undefined;
    return isObject(holder) ? meantFor(key, holder, at?.length === keys.length + 1) : undefined;
  };
  const warned = set.warnings.map(({ path, keyword, message }): Unkept => {
    const place = placed(path, base, value);
    const isWhole = /^(says|read|no value)/.test(message);
    return { ...place, keyword, message, isWhole, meant: isWhole ? undefined : meantAt(place.keys, keyword) };
  });
  // Natively the prompt shows all that a tool says.
  const shown = Object.keys(isNative ? form.body : {}).map((keyword): Unkept => {
    const at = [...keys, keyword];
    const message = "is shown to the model and asks nothing of a call";
    return { path: pathOf(at), keys: at, keyword, message, isWhole: false, meant: meantAt(at, keyword) };
  });
  const slips = shown.filter(({ meant, path }) => meant && !warned.some((one) => one.path === path));
  const warnings = [...warned, ...slips];
  const fields = groups.flatMap((made) => made.fields);
  return { keys, source: body.source as ToolInput, isNative, tool, text: set.texts[0], groups, fields, warnings };
}

/** A part of the JSON and the way to it. */
class Place {
  constructor(
    readonly source: unknown,
    readonly keys: Keys,
  ) {}

  has(key: string | number): boolean {
    return typeof this.source === "object" && this.source !== null && Object.hasOwn(this.source, key);
  }

  to(key: string | number): Place {
    const next = this.has(key) ? (this.source as Record<string | number, unknown>)[key] : undefined;
    return new Place(next, [...this.keys, key]);
  }

  listLength(key: string): number {
    const { source } = this.to(key);
    return Array.isArray(source) ? source.length : 0;
  }

  /** Behind a reference, a union of one, or what allOf holds alone. */
  resolved(root: Place): Place {
    const { source } = this.to("$ref");
    if (typeof source === "string") return root.atReference(source);
    const single = ["anyOf", "oneOf"].find((key) => this.listLength(key) === 1);
    return single ? this.to(single).to(0).resolved(root) : this;
  }

  atReference(ref: string): Place {
    return stepsOf(ref).reduce<Place>((at, name) => at.to(Array.isArray(at.source) ? Number(name) : name), this);
  }

  /** Where an object's properties stand; with allOf, where the first part has some. */
  propertiesOf(root: Place): Place {
    const parts = Array.from({ length: this.listLength("allOf") }, (_, i) => this.to("allOf").to(i).resolved(root));
    return ([this, ...parts].find((part) => part.has("properties")) ?? this).to("properties");
  }

  /** The same, or where it would stand: a tool need not say its parameters. */
  at(rest: string): Place {
    return this.following(rest) ?? this.to(rest.slice(1));
  }

  /** The part that the rest of a path leads to; keys may hold dots and brackets. */
  following(rest: string): Place | undefined {
    if (rest === "") return this;
    if (Array.isArray(this.source)) {
      const [step = "", index = ""] = rest.match(/^\[(\d+)\]/) ?? [];
      if (!step || !this.has(index)) return undefined;
      return this.to(Number(index)).following(rest.slice(step.length));
    }
    if (rest[0] !== ".") return undefined;
    for (const { index: end } of [...rest.slice(1).matchAll(/$|[.[]/g)]) {
      const key = rest.slice(1, 1 + end);
      const found = this.has(key) ? this.to(key).following(rest.slice(1 + end)) : undefined;
      if (found) return found;
    }
    return undefined;
  }
}

/**
 * Tokens of the tools' text and of each tool in it: a token counts for the tool in which it begins. The comma before
 * a tool counts as its own, both brackets for the tools beside them.
 */
function countTokens(texts: readonly string[], tokenizer: Tokenizer): { promptTokens: number; shares: number[] } {
  // As the tokenizer collapses them.
  const parts = texts.map((text) => text.replace(/ +/g, " "));
  const ids = tokenizer.tokenize(`[${parts.join(",")}]`);
  const shares = parts.map(() => 0);
  // Bytes and characters are the same here: the text is ASCII. The first token begins with a space of its own.
  let at = -1;
  let owner = 0;
  let end = (parts[0]?.length ?? 0) + 1;
  for (const id of ids) {
    while (at >= end && owner < parts.length - 1) end += parts[++owner].length + 1;
    if (parts.length) shares[owner]++;
    at += tokenizer.bytesOf(id).length || tokenizer.pieces[id].length;
  }
  return { promptTokens: ids.length, shares };
}

/** Rows of tools read apart: `<tools>` before each text, in whole octets. */
function countRows(texts: readonly string[], tokenizer: Tokenizer): { promptTokens: number; shares: number[] } {
  const shares = texts.map((text) => pad(1 + tokenizer.tokenize(text).length, octet));
  return { promptTokens: shares.reduce((sum, rows) => sum + rows, 0), shares };
}

/** As in `tools[2].parameters.city.enum[0]`. */
export function pathOf(keys: Keys): string {
  return `tools${keys.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("")}`;
}

/** The part of a value that keys lead to, undefined where they lead nowhere. */
export function valueAt(value: unknown, keys: Keys): unknown {
  let at = new Place(value, []);
  for (const key of keys) at = at.to(key);
  return at.source;
}
