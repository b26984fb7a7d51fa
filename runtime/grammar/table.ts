/**
 * A tool set's grammar as tables, for decoders that have no schemas: firmware/mcu/grammar.c walks them byte by byte.
 *
 * An answer is calls of tools; a tool's arguments are known keys, each at most once, and each key's value is an automaton of
 * its own, common to all keys of equal schemas. What follows a value depends on the keys written before it: the walker
 * knows them, so the table ends a value in `returns` and needs no states for sets of keys.
 *
 *   answer     " [" then "]" or {"name":OPENING…, after each call "]" or ,{"name":OPENING…      OPENING: of one tool
 *   arguments  KEY VALUE, a comma between, required keys at least, then "}}"
 *
 * All numbers little-endian; a text is two u32: its offset among the texts and its bytes.
 *
 *   tools       28 bytes each: OPENING text; name text, as JSON; u32 first property; u16 properties;
 *               u16 arguments: `native` where they are keys and values, else the state where they begin, "}}" included;
 *               u32 offset of its schema among the schemas
 *   properties  12 bytes each, required ones first: KEY text, with its colon; u16 state of the value; u16 1 if required
 *   atoms       12 bytes each: u32 first edge; u16 edges; u8 the byte of a short way to the end; u8 flags; u16 least and
 *               u16 most characters that a string still takes, 65535 for no limit
 *               flags: 1 what follows the value may come here, 2 so does the way out, 4 within a string, 8 between two
 *               of its characters, 16 an item begins here of a list that says no maximum: then least is the list's minimum,
 *               and most its number among the value's lists, + 256 for its first item
 *   edges       4 bytes each: u8 lowest and u8 highest byte, u16 target
 *   unions      12 bytes each: u32 first member; u16 members; u16 16 for an item as above; u16 least; u16 most: a state that is
 *               either of several atoms, the way out the first's
 *   members     u16 each
 *   targets     below 32768 an atom; from there a union; 65535 `returns`: the value has ended
 *   schemas     what a value is, for its msgpack form (runtime/wire/WIRE.md): a byte, then
 *                 0 string, 1 number, 2 boolean, 9 integer      nothing
 *                 3 enum     u16 values, each a u16 length and JSON
 *                 4 array    the items' schema
 *                 5 object   u16 properties, each a u16 length, + 32768 where it is required, and a key as JSON, then its schema;
 *                            arguments are one
 *                 6 anyOf    u16 options, each a schema
 *                 7 default  u16 length and JSON of a property's default, then its schema
 *                 8 tuple    u16 items, each a schema, then the schema of those that follow
 */
import { ToolError } from "../errors.ts";
import { isBoolean, type Schema } from "../tools/schema.ts";
import { shapesOf } from "../tools/shapes.ts";
import type { Tool, ToolSet } from "../tools/tools.ts";
import { argumentStates, countedIn, mustDiffer, partsOf, possibleKeys, valueState } from "./automaton.ts";
import { State } from "./state.ts";

/** The tables, by name, in the order in which a file has them. */
export const tableNames = ["tools", "properties", "atoms", "edges", "unions", "members", "schemas", "texts"] as const;
export type GrammarTable = Record<(typeof tableNames)[number], Uint8Array>;

const firstUnion = 0x8000;
const returns = 0xffff;
const native = 0xffff;
const noLimit = 0xffff;
/** Of the length of a key. */
const isRequired = 0x8000;
/** A byte that no text has: what follows the value. */
const afterValue = 0x100;
/** Keys of native arguments: a bit each of what the walker remembers. */
const mostKeys = 32;
/** Lists that say no maximum, within one value: a counter each of what the walker remembers. */
const mostLists = 8;
/** Levels of lists and objects of the arguments: what a device's recursion may cost. */
const mostDepth = 16;

/** Compiles a tool set. Throws: ToolError for one that has no tables: texts that must differ, or schemas without end. */
export function compileGrammar(set: ToolSet): GrammarTable {
  return new Compiler(set).tables;
}

class Compiler {
  readonly tables: GrammarTable;
  private readonly end: State = new State(() => [[afterValue, afterValue, this.end]], afterValue);
  private readonly places = new Map<State, number>();
  private readonly atoms: State[] = [];
  private readonly unions: State[] = [];
  /** Where values begin, by their schemas' JSON. */
  private readonly values = new Map<string, number>();
  private readonly texts: number[] = [];
  private readonly textPlaces = new Map<string, number[]>();
  /** Lists that say no maximum, by their places within their value. */
  private readonly lists = new Map<Schema, number>();

  constructor(set: ToolSet) {
    const [tools, properties, schemas]: number[][] = [[], [], []];
    for (const tool of set.tools) {
      for (const shape of shapesOf(tool)) {
        if ([...countedIn(shape)].some(mustDiffer))
          this.refuse(tool, "no maps and no lists whose items differ, which only a runtime with schemas keeps");
      }
      const keys = possibleKeys(tool.parameters);
      const shapes = tool.shapes?.map((shape): Schema => shape) ?? [];
      for (const value of [...shapes, ...keys.map(({ schema }) => schema)]) this.number([value], tool);
      if (shapes.length > 1) this.number(shapes, tool);
      const isNative = tool.shapes === undefined && keys.length <= mostKeys;
      tools.push(
        ...this.text(`${JSON.stringify(tool.promptName)},"arguments":{`),
        ...this.text(JSON.stringify(tool.name)),
        ...u32(properties.length / 12),
        ...u16(isNative ? keys.length : 0),
        ...u16(isNative ? native : this.place(argumentStates(tool, () => this.end))),
        ...u32(schemas.length),
      );
      if (isNative)
        for (const { name, schema, required } of keys)
          properties.push(
            ...this.text(`${JSON.stringify(name)}:`),
            ...u16(this.value(schema, tool)),
            ...u16(Number(required)),
          );
      schemas.push(...this.schema({ kind: "object", properties: tool.parameters }, tool, 0));
      this.settle(tool);
    }
    const [atoms, edges, unions, members]: number[][] = [[], [], [], []];
    for (const state of this.atoms) this.writeAtom(state, atoms, edges);
    for (const union of this.unions) {
      const parts = partsOf(union);
      const [flags, least, most] = this.begun(union);
      unions.push(...u32(members.length / 2), ...u16(parts.length), ...u16(flags), ...u16(least), ...u16(most));
      for (const part of parts) members.push(...u16(this.place(part)));
    }
    const bytes = { tools, properties, atoms, edges, unions, members, schemas, texts: this.texts };
    this.tables = Object.fromEntries(
      tableNames.map((name) => [name, Uint8Array.from(bytes[name])]),
    ) as unknown as GrammarTable;
  }

  /** Gives the lists within values that are open together their numbers. */
  private number(values: readonly Schema[], tool: Tool): void {
    const lists = new Set(values.flatMap((value) => [...countedIn(value)]));
    if (lists.size > mostLists) this.refuse(tool, `at most ${mostLists} lists without a maximum in one value`);
    for (const [place, list] of [...lists].entries()) this.lists.set(list, place);
  }

  private refuse(tool: Tool, expected: string): never {
    throw new ToolError(`tool ${tool.name}`, `expected for a device ${expected}; simplify its schema`);
  }

  private text(text: string): number[] {
    const known = this.textPlaces.get(text);
    if (known) return known;
    const bytes = utf8.encode(text);
    const place = [...u32(this.texts.length), ...u32(bytes.length)];
    for (const byte of bytes) this.texts.push(byte);
    this.textPlaces.set(text, place);
    return place;
  }

  private value(schema: Schema, tool: Tool): number {
    const key = JSON.stringify(this.schema(schema, tool, 0)) + JSON.stringify(schema, (_, x) => x ?? null);
    const place = this.values.get(key) ?? this.place(valueState(schema, () => this.end));
    this.values.set(key, place);
    return place;
  }

  private place(state: State): number {
    if (state === this.end) return returns;
    const known = this.places.get(state);
    if (known !== undefined) return known;
    const parts = partsOf(state);
    const isAtom = parts.length === 1 && parts[0] === state;
    const place = isAtom ? this.atoms.push(state) - 1 : firstUnion + this.unions.push(state) - 1;
    this.places.set(state, place);
    return place;
  }

  /** Reaches all that is reached from what has places. */
  private settle(tool: Tool): void {
    for (let [atom, union] = [this.settled[0], this.settled[1]]; ; ) {
      if (this.atoms.length >= firstUnion || this.unions.length >= native - firstUnion)
        this.refuse(tool, `fewer than ${firstUnion} states for all tools`);
      if (atom < this.atoms.length) for (const [, , target] of this.atoms[atom++].edges) this.place(target);
      else if (union < this.unions.length) for (const part of partsOf(this.unions[union++])) this.place(part);
      else {
        this.settled = [atom, union];
        return;
      }
    }
  }
  private settled = [0, 0];

  private writeAtom(state: State, atoms: number[], edges: number[]): void {
    const { room, exit } = state;
    const own = state.edges.filter(([low]) => low !== afterValue);
    const flags =
      Number(own.length < state.edges.length) +
      2 * Number(exit === afterValue) +
      4 * Number(room !== null) +
      8 * Number(room?.isBetween ?? false);
    const item = this.begun(state);
    const [least, most] = (item[0] ? item.slice(1) : [room?.least ?? 0, room?.most ?? 0]).map((n) =>
      Math.min(n, noLimit),
    );
    atoms.push(...u32(edges.length / 4), ...u16(own.length), exit & 0xff, flags + item[0], ...u16(least), ...u16(most));
    for (const [low, high, target] of own) edges.push(low, high, ...u16(this.place(target)));
  }

  /** Flag, minimum and number where an item begins of a list that says no maximum. */
  private begun({ begun }: State): [flag: number, least: number, most: number] {
    if (begun?.of.kind !== "array" || begun.of.maxItems < Number.POSITIVE_INFINITY) return [0, 0, 0];
    return [16, begun.of.minItems, (this.lists.get(begun.of) ?? 0) + (begun.isFirst ? 256 : 0)];
  }

  private schema(schema: Schema, tool: Tool, depth: number): number[] {
    if (depth > mostDepth)
      this.refuse(tool, `at most ${mostDepth} values within one another, and none that holds itself`);
    const inner = (part: Schema) => this.schema(part, tool, depth + 1);
    const text = (json: string, flag = 0) => {
      const bytes = utf8.encode(json);
      if (bytes.length >= isRequired) this.refuse(tool, "keys and values that it lists of less than 32,768 bytes");
      return [...u16(bytes.length + flag), ...bytes];
    };
    switch (schema.kind) {
      case "string":
        return [0];
      case "number":
        return [schema.integer ? 9 : 1];
      case "enum": {
        return isBoolean(schema)
          ? [2]
          : [3, ...u16(schema.values.length), ...schema.values.flatMap((value) => text(JSON.stringify(value)))];
      }
      case "array":
        return schema.first?.length
          ? [8, ...u16(schema.first.length), ...schema.first.flatMap(inner), ...inner(schema.items)]
          : [4, ...inner(schema.items)];
      case "object": {
        const { properties } = schema;
        return [
          5,
          ...u16(properties.length),
          ...properties.flatMap(({ name, schema, required, default: usual }) => [
            ...text(JSON.stringify(name), required ? isRequired : 0),
            ...(usual === undefined ? [] : [7, ...text(JSON.stringify(usual))]),
            ...inner(schema),
          ]),
        ];
      }
      case "anyOf":
        return [6, ...u16(schema.options.length), ...schema.options.flatMap(inner)];
      case "ref":
        return schema.target ? inner(schema.target) : this.refuse(tool, "references to what there is");
    }
  }
}

const utf8 = new TextEncoder();
const u16 = (n: number) => [n & 0xff, (n >> 8) & 0xff];
const u32 = (n: number) => [...u16(n), ...u16(n >>> 16)];
