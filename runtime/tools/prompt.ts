/** A tool → the text that the model was trained on: flat form, snake_case, JSON as Python writes it. Source: spec, "Prompt". */
import { isObject, type JsonObject } from "../json.ts";
import type { ArraySchema, Property, Schema } from "./schema.ts";

/** The flat form that training used: what the prompt shows of a tool that came as JSON Schema. */
export function flatForm(
  promptName: string,
  description: string | undefined,
  parameters: readonly Property[],
): JsonObject {
  const about = description === undefined ? {} : { description };
  return { name: promptName, ...about, parameters: flatProperties(parameters, [], { left: mostShown }) };
}

/** Nested where the schema nests. A schema within itself is shown as an object. */
function flatProperties(properties: readonly Property[], open: readonly Schema[], room: Room): JsonObject {
  const entries = properties.map(({ name, schema, required, description }) => {
    room.left -= name.length;
    return [name, { ...flatSchema(schema, description, open, room), required }];
  });
  return Object.fromEntries(entries);
}

/** References shown within references. */
const mostDepth = 4;

/** About how many characters are shown before references no longer are; the model reads a thousand tokens at most. */
const mostShown = 10_000;

interface Room {
  left: number;
}

function flatSchema(schema: Schema, description: string | undefined, open: readonly Schema[], room: Room): JsonObject {
  if (open.length > mostDepth) return { type: "object" };
  room.left -= 1 + (description?.length ?? 0);
  const about = description === undefined ? {} : { description };
  switch (schema.kind) {
    case "string":
      return { type: "string", ...about };
    case "number":
      return { type: schema.integer ? "integer" : "number", ...about };
    case "enum": {
      const [value] = schema.values;
      if (open.length) room.left -= JSON.stringify(schema.values).length;
      const type =
        value === null
          ? "null"
          : Array.isArray(value)
            ? "array"
            : typeof value === "number" && schema.values.every(Number.isInteger)
              ? "integer"
              : typeof value;
      return { type, ...about, ...(type !== "boolean" && type !== "null" && { enum: schema.values }) };
    }
    case "array":
      return { type: "array", ...about, items: flatItems(schema, open, room) };
    case "object": {
      const more = schema.more && { additionalProperties: flatSchema(schema.more, undefined, open, room) };
      return { type: "object", ...about, properties: flatProperties(schema.properties, open, room), ...more };
    }
    case "anyOf": {
      const told = schema.options.filter(
        (option) => !(option.kind === "enum" && option.values.length === 1 && option.values[0] === null),
      );
      if (told.length === 1) return flatSchema(told[0], description, open, room);
      return { ...about, anyOf: told.map((option) => flatSchema(option, undefined, open, room)) };
    }
    case "ref":
      if (open.includes(schema) || !schema.target || room.left < 0) return { type: "object", ...about };
      return flatSchema(schema.target, description, [...open, schema], room);
  }
}

/** Of a tuple, what its items may be. */
function flatItems({ first = [], items, maxItems }: ArraySchema, open: readonly Schema[], room: Room): JsonObject {
  const all = first.length && maxItems <= first.length ? first : [...first, items];
  const flat = all.map((item) => flatSchema(item, undefined, open, room));
  const distinct = [...new Map(flat.map((item) => [JSON.stringify(item), item])).values()];
  return distinct.length === 1 ? distinct[0] : { anyOf: distinct };
}

/** Spec, "snake_case": what the original does to tool names before they reach the model. */
export function snakeCase(name: string): string {
  return name
    .replace(/[^A-Za-z0-9_]+/g, "_")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .replace(/_+/g, "_")
    .toLowerCase()
    .replace(/^_+|_+$/g, "");
}

/**
 * JSON as Python's `json.dumps(value, separators=(",", ":"))` writes it: non-ASCII as \uXXXX, floats in Python's form.
 * A number that was written 1.0 arrives here as 1 and is written so: JavaScript cannot tell the two apart.
 */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(",")}]`;
  if (isObject(value)) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    return `{${entries.map(([key, v]) => `${pythonJson(key)}:${pythonJson(v)}`).join(",")}}`;
  }
  if (typeof value === "number") return pythonNumber(value);
  const text = JSON.stringify(value) ?? "null";
  return text.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Python writes floats below 1e-4 and from 1e16 with an exponent of at least two digits. */
function pythonNumber(x: number): string {
  const size = Math.abs(x);
  if (Number.isInteger(x) ? size < 1e21 : size >= 1e-4) return String(x);
  return x.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}
