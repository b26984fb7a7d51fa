/** A list of tools as the rules read it: every tool that can be read, its values with their places, its tokens. */

import { octet } from "../../runtime/engine/sessionplan.ts";
import { ToolError } from "../../runtime/errors.ts";
import type { Json } from "../../runtime/json.ts";
import type { Tokenizer } from "../../runtime/text/tokenizer.ts";
import { entriesOf, formOf, type Entry as Given, type Listed, parsed } from "../../runtime/tools/forms.ts";
import { stepsOf } from "../../runtime/tools/pointer.ts";
import type { Schema } from "../../runtime/tools/schema.ts";
import { type Tool, type ToolInput, ToolSet } from "../../runtime/tools/tools.ts";
import { pad } from "../../wasm/abi.ts";

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
  /** What the grammar does not hold to. */
  warnings: { path: string; keys?: Keys; keyword: string; message: string }[];
}

export interface Sheet {
  list: unknown;
  entries: Entry[];
  /** What could not be read. */
  refused: ToolError[];
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
  const refused: ToolError[] = [];
  const entries: Entry[] = [];
  try {
    listed = entriesOf(parsed(text));
  } catch {
    collect(refused, "tools[0]", () => ToolSet.from(text));
  }
  if (listed && !listed.entries.length)
    refused.push(new ToolError("tools", "expected one at least, got an empty list"));
  const list = listed?.list;
  const whole = new Place(list, []);
  // Alone, so that one that cannot be read hides no other.
  for (const given of listed?.entries ?? [])
    collect(refused, given.path, () => entries.push(readEntry(given, whole.at(given.path.slice("tools".length)))));
  const texts = entries.map((entry) => entry.text);
  const { promptTokens, shares } = (way === "joint" ? countTokens : countRows)(texts, tokenizer);
  const tokensOf = (part: string) => tokenizer.tokenizeRaw(part).length;
  return { list, entries, refused, way, promptLimit, promptTokens, shares, tokensOf };
}

function collect(refused: ToolError[], at: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const path = error.path.replace(/^tools\[0\]/, () => at);
    refused.push(new ToolError(path, error.message.slice(error.path.length + 2)));
  }
}

/** `base`: where in the list it stands. */
function readEntry({ value }: Given, base: Place): Entry {
  const set = ToolSet.from([value as ToolInput]);
  const [tool] = set.tools;
  const form = formOf({ path: "", value });
  const body = base.at(form.path);
  const { keys } = body;
  const root = body.at(form.schemaPath.slice(form.path.length));
  // The native form has a parameter for every key and nothing else.
  const names = tool.parameters.map(({ name }) => name);
  const isNative = JSON.stringify(Object.keys(root.source ?? {})) === JSON.stringify(names);

  const groups: Group[] = [];
  const group = (properties: Tool["parameters"], at: Place, open: readonly Schema[]) => {
    const made: Group = { keys: at.keys, fields: [] };
    groups.push(made);
    for (const { name, schema, required, description = "" } of properties) {
      const field: Field = { keys: [...at.keys, name], name, description, required, kinds: new Set(), enums: [] };
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

  // A reference's path begins at the tool's schema, another with the tool, which was read as the only one.
  const warnings = set.warnings.map(({ path, keyword, message }) => {
    const [ref] = path.match(/^#[^.[]*/) ?? [];
    const at = ref === undefined ? base : root.atReference(ref);
    const rest = path.slice(ref?.length ?? "tools[0]".length);
    const keys = at.following(rest)?.keys;
    return { path: keys ? pathOf(keys) : `${pathOf(at.keys)}${rest}`, keys, keyword, message };
  });
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
