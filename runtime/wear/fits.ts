/** What a device checks before it runs a call: the limits that the wire form of a call does not hold to. */
import type { Json } from "../json.ts";
import { misfit } from "../tools/decimal.ts";
import type { Property, Schema } from "../tools/schema.ts";

/** The path of the first value outside its schema's limits; null if all are within. */
export function firstOutside(properties: readonly Property[], given: Record<string, Json>): string | null {
  for (const { name, schema } of properties) {
    if (!Object.hasOwn(given, name)) continue;
    const path = outsideValue(schema, given[name], name);
    if (path !== null) return path;
  }
  return null;
}

function outsideValue(schema: Schema, value: Json, path: string): string | null {
  switch (schema.kind) {
    case "string": {
      const length = [...(value as string)].length;
      return length >= schema.minLength && length <= schema.maxLength ? null : path;
    }
    case "number":
      return misfit(value as number, schema) === undefined ? null : path;
    case "array": {
      const items = value as Json[];
      if (items.length < schema.minItems || items.length > schema.maxItems) return path;
      return first(items, (item, i) => outsideValue(schema.items, item, `${path}[${i}]`));
    }
    case "object": {
      const inner = firstOutside(schema.properties, value as Record<string, Json>);
      return inner === null ? null : `${path}.${inner}`;
    }
    default:
      return null;
  }
}

function first<T>(items: readonly T[], find: (item: T, i: number) => string | null): string | null {
  for (const [i, item] of items.entries()) {
    const found = find(item, i);
    if (found !== null) return found;
  }
  return null;
}
