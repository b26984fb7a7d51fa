/** What a device checks before it runs a call: the limits that the wire form of a call does not hold to. */
import type { Json } from "../json.ts";
import type { Property, Schema } from "../tools/schema.ts";

/** The path of the first value outside its schema's limits; null if all are within. */
export function unfit(properties: readonly Property[], given: Record<string, Json>): string | null {
  for (const { name, schema } of properties) {
    if (!Object.hasOwn(given, name)) continue;
    const path = unfitValue(schema, given[name], name);
    if (path !== null) return path;
  }
  return null;
}

function unfitValue(schema: Schema, value: Json, path: string): string | null {
  switch (schema.kind) {
    case "string": {
      const length = [...(value as string)].length;
      return length >= schema.minLength && length <= schema.maxLength ? null : path;
    }
    case "number":
      return isWithin(schema, value as number) ? null : path;
    case "array": {
      const items = value as Json[];
      if (items.length < schema.minItems || items.length > schema.maxItems) return path;
      return first(items, (item, i) => unfitValue(schema.items, item, `${path}[${i}]`));
    }
    case "object": {
      const inner = unfit(schema.properties, value as Record<string, Json>);
      return inner === null ? null : `${path}.${inner}`;
    }
    default:
      return null;
  }
}

function isWithin({ least, most, multipleOf }: Schema & { kind: "number" }, value: number): boolean {
  if (least.exclusive ? value <= least.value : value < least.value) return false;
  if (most.exclusive ? value >= most.value : value > most.value) return false;
  if (multipleOf === null) return true;
  const times = value / multipleOf;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

function first<T>(items: readonly T[], find: (item: T, i: number) => string | null): string | null {
  for (const [i, item] of items.entries()) {
    const found = find(item, i);
    if (found !== null) return found;
  }
  return null;
}
