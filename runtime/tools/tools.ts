/**
 * Every tool format users bring → one ToolSet, and the prompt text that the model was trained on.
 * The formats: forms.ts. Source: spec, "Prompt".
 */
import { ToolError } from "../errors.ts";
import { describe, isObject, type JsonObject } from "../json.ts";
import { Lru } from "../lru.ts";
import { checkCount, checkSize, mostNameCharacters } from "./bounds.ts";
import { type Entry, entriesOf, formOf, parsed, withJsonSchema } from "./forms.ts";
import { flatForm, pythonJson, snakeCase } from "./prompt.ts";
import { SchemaReader } from "./reader.ts";
import type { ObjectSchema, Property, Warning } from "./schema.ts";
import { readShapes, united } from "./shapes.ts";
import { leastBytes, noneFits } from "./shortest.ts";

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
  /** What the arguments may be, where they are no object of the parameters alone: a map, or one of several objects. */
  shapes?: ObjectSchema[];
}

/** A tool in any of the four forms, or what JSON.parse gave. */
export type ToolInput = JsonObject;

export interface ToolOptions {
  /** Refuse tools whose schemas ask what the grammar does not hold to, instead of listing it in `warnings`. */
  strict?: boolean;
}

/** Throws: ToolError for what JSON cannot write. */
function textOf(list: unknown): string {
  try {
    checkSize(list);
    return JSON.stringify(list, withJsonSchema) ?? "null";
  } catch (error) {
    if (error instanceof ToolError) throw error;
    throw new ToolError("tools", `expected JSON values, got ${(error as Error).message}`);
  }
}

/** Lists read before, by their text. */
const recent = new Lru<ToolSet>(16);
const mostRecentCharacters = 2 ** 18;

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
    return this.pick(inOrder(places));
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
   * Reads a list of tools: JSON text, also a tool a line, an array, what holds one (`{tools: […]}`, a JSON-RPC result, …), or a ToolSet.
   * Throws: ToolError naming the offending part.
   */
  static from(
    input: string | readonly ToolInput[] | { tools: readonly ToolInput[] } | ToolInput | ToolSet,
    options: ToolOptions = {},
  ): ToolSet {
    if (input instanceof ToolSet) return input;
    if (input instanceof Uint8Array)
      throw new ToolError("tools", "expected a list of tools, got bytes; read packed tools with unpackTools");
    // As text: later changes to the caller's objects change nothing here.
    const text = typeof input === "string" ? input : textOf(input);
    // A call brings the list of the call before it, more often than not.
    const known = options.strict ? undefined : recent.get(text);
    if (known) return known;
    if (typeof input === "string") checkSize(text);
    const list = parsed(text);
    checkSize(list);
    const set = ToolSet.read(list, options);
    if (text.length <= mostRecentCharacters) recent.set(text, set);
    return set;
  }

  private static read(list: unknown, options: ToolOptions): ToolSet {
    const { entries, left } = entriesOf(list);
    checkCount(entries.length);
    const tools: Tool[] = [];
    const twins = new Map<string, number>();
    const warnings: Warning[] = [...left];
    const flat = entries.map((entry, i) => {
      const read = readTool(entry);
      const { name, promptName } = read.tool;
      const twin = twins.get(promptName);
      if (twin !== undefined) {
        const both = `${quote(tools[twin].name)} and ${quote(name)} both become ${quote(promptName)}`;
        throw new ToolError(`${entry.path}.name`, `expected a name unlike ${entries[twin].path}: ${both}; rename one`);
      }
      twins.set(promptName, i);
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
      entries.map(({ value }) => JSON.stringify(value)),
    );
  }
}

/** One tool, its flat form for the prompt, and what was left aside. */
function readTool(entry: Entry): { tool: Tool; flat: JsonObject; warnings: Warning[] } {
  const { body, path, schema, schemaPath, isBare, isNative, isForeign, unread } = formOf(entry);
  const { name } = body;
  if (typeof name !== "string") {
    const remedy =
      name === undefined && isForeign ? "leave out what a provider runs itself" : "every tool needs a name";
    throw new ToolError(`${path}.name`, `expected a string, got ${describe(name)}; ${remedy}`);
  }
  if (name.length > mostNameCharacters)
    throw new ToolError(`${path}.name`, `expected at most ${mostNameCharacters} characters, got ${name.length}`);
  const promptName = snakeCase(name);
  if (!promptName) throw new ToolError(`${path}.name`, `expected letters or digits of ASCII, got ${describe(name)}`);
  const description = body.description ?? "";
  if (typeof description !== "string")
    throw new ToolError(`${path}.description`, `expected a string, got ${describe(description)}`);

  const reader = new SchemaReader(schema);
  const shapes = isBare
    ? [{ kind: "object" as const, properties: readBare(reader, schema, schemaPath) }]
    : readShapes(reader, schema, schemaPath);
  const parameters = united(shapes);
  for (const { path: at, keyword, message } of unread) reader.warn(at, keyword, message);
  // What is said to thimble and not to the model stays out of the prompt.
  const { risk: _, annotations: __, ...shown } = body;
  const about = typeof body.description === "string" ? body.description : undefined;
  const flat = isNative ? { ...shown, name: promptName } : flatForm(promptName, about, parameters);
  const tool: Tool = { name, promptName, description, risk: readRisk(body, path), parameters };
  const isPlain = shapes.length === 1 && Object.keys(shapes[0]).length === 2;
  return { tool: isPlain ? tool : { ...tool, shapes }, flat, warnings: reader.warnings };
}

/** `risk` as the user says it; else destructiveHint of MCP is danger. Source: MCP 2025-06-18, ToolAnnotations. */
function readRisk(body: JsonObject, path: string): Risk {
  const { risk, annotations } = body;
  if ((risk ?? null) !== null) {
    if (risks.includes(risk as Risk)) return risk as Risk;
    throw new ToolError(`${path}.risk`, `expected one of ${risks.join(", ")}, got ${describe(risk)}`);
  }
  if (!isObject(annotations)) return "safe";
  // Where a tool says that it changes things, MCP's default is that it destroys some.
  const { destructiveHint = annotations.readOnlyHint === false } = annotations;
  return destructiveHint === true ? "danger" : "safe";
}

/** What a wrong call of a tool costs: `confirm` raises the bar for acting, `danger` never acts unasked. */
export type Risk = "safe" | "confirm" | "danger";

/** From harmless to harmful. */
export const risks: readonly Risk[] = ["safe", "confirm", "danger"];

/** Properties alone, each of which says whether it is required. */
function readBare(reader: SchemaReader, schema: JsonObject, path: string): Property[] {
  return Object.entries(schema).flatMap(([name, value]): Property[] => {
    const at = `${path}.${name}`;
    if (value === null) return [];
    if (!isObject(value)) {
      const remedy = "write {type: …}, or a JSON Schema with properties";
      throw new ToolError(at, `expected an object, got ${describe(value)}; ${remedy}`);
    }
    const read = reader.readPart(value, at);
    if (!read || !Number.isFinite(leastBytes(read))) throw new ToolError(at, noneFits(read));
    return [{ name, schema: read, required: value.required === true, ...reader.notes(value, at) }];
  });
}

const quote = (text: string) => JSON.stringify(text);

/** Places from the first on, each once: the order of what `ToolSet.only` gives. */
export function inOrder(places: readonly number[]): number[] {
  return [...new Set(places)].sort((a, b) => a - b);
}
