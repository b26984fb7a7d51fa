/**
 * What a call's arguments may be: an object, a map, or one of several objects, as a root with anyOf or oneOf says.
 * A tool's `parameters` are what all shapes together know.
 */
import { ToolError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { SchemaReader } from "./reader.ts";
import { leaves, type ObjectSchema, type Property, type Schema } from "./schema.ts";
import { leastBytes, noneFits } from "./shortest.ts";

/** Throws: ToolError for a schema of anything but objects, or of none that is finite. */
export function readShapes(reader: SchemaReader, schema: JsonObject, path: string): ObjectSchema[] {
  const read = [...leaves(reader.read({ ...schema, type: schema.type ?? "object" }, path))].map((leaf) => leaf.schema);
  const shapes = read.flatMap((leaf): ObjectSchema[] => {
    if (leaf.kind === "object") return [leaf];
    // A root that may be null says that the arguments may be left out.
    if (leaf.kind === "enum" && leaf.values.every((value) => value === null)) return [];
    const remedy = read.length > 1 ? "remove that option" : "name it: {type: object, properties: {value: …}}";
    throw new ToolError(path, `expected objects alone, got what may be of type ${leaf.kind}; ${remedy}`);
  });
  for (const { name, schema: value } of shapes.flatMap(({ properties }) => properties)) {
    if (Number.isFinite(leastBytes(value))) continue;
    throw new ToolError(`${path}.properties.${name}`, noneFits(value));
  }
  const possible = shapes.filter((shape) => Number.isFinite(leastBytes(shape)));
  if (possible.length) return possible;
  throw new ToolError(path, noneFits(null));
}

/** What a tool's arguments may be. */
export function shapesOf(tool: { parameters: Property[]; shapes?: ObjectSchema[] }): readonly ObjectSchema[] {
  return tool.shapes ?? [{ kind: "object", properties: tool.parameters }];
}

/** The properties of several shapes: each once, required if every shape requires it. */
export function united(shapes: readonly ObjectSchema[]): Property[] {
  if (shapes.length === 1) return shapes[0].properties;
  const names = new Set(shapes.flatMap(({ properties }) => properties.map(({ name }) => name)));
  return [...names].map((name) => {
    const all = shapes.flatMap(({ properties }) => properties.filter((property) => property.name === name));
    const required = all.length === shapes.length && all.every((property) => property.required);
    return { ...all[0], schema: either(all.map(({ schema }) => schema)), required };
  });
}

/** A schema of what any of some allow; those of constants become one. */
function either(schemas: readonly Schema[]): Schema {
  const options: Schema[] = [];
  for (const schema of schemas) {
    const enums = options.findIndex(({ kind }) => kind === "enum" && schema.kind === "enum");
    if (enums >= 0) options[enums] = joined(options[enums], schema);
    else if (!options.some((option) => same(option, schema))) options.push(schema);
  }
  return options.length === 1 ? options[0] : { kind: "anyOf", options };
}

function joined(a: Schema, b: Schema): Schema {
  if (a.kind !== "enum" || b.kind !== "enum") return a;
  const values = new Map([...a.values, ...b.values].map((value) => [JSON.stringify(value), value]));
  return { kind: "enum", values: [...values.values()] };
}

/** Whether two schemas are written alike; references are the same or not. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (a === b) return true;
  if ((a as Schema).kind === "ref" || (b as Schema).kind === "ref") return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  return left.length === right.length && left.every(([key, value]) => same(value, (b as JsonObject)[key]));
}
