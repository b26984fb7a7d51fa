/** Two JSON Schemas that hold for the same value → one schema, before it is read. For allOf and what stands beside $ref or anyOf. */
import { isObject, type JsonObject } from "../json.ts";
import { isOfType, silent } from "./keywords.ts";

/** Keywords that a value must meet the tighter of. */
const greater = new Set(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]);
const smaller = new Set(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]);

/**
 * Merges two schemas without $ref or allOf of their own; null if no value meets both.
 * `conflict` hears of keywords that cannot be merged, of which the first holds.
 * Throws: ToolError for what is no type.
 */
export function mergeSchemas(
  a: JsonObject,
  b: JsonObject,
  path: string,
  conflict: (keyword: string) => void,
): JsonObject | null {
  const all: JsonObject = Object.assign(Object.create(null), a);
  for (const [key, value] of Object.entries(b)) {
    const own = all[key];
    if (own === undefined) all[key] = value;
    else if (key === "properties" && isObject(own) && isObject(value)) all.properties = mergeProperties(own, value);
    else if (key === "items") all.items = both(own, value);
    else if (key === "required" && Array.isArray(own) && Array.isArray(value))
      all.required = [...new Set([...own, ...value])];
    else if (key === "type") all.type = commonTypes(own, value);
    else if (greater.has(key) && typeof own === "number" && typeof value === "number") all[key] = Math.max(own, value);
    else if (smaller.has(key) && typeof own === "number" && typeof value === "number") all[key] = Math.min(own, value);
    else if (key === "enum" && Array.isArray(own) && Array.isArray(value)) all.enum = common(own, value);
    else if (key === "nullable") all.nullable = own === true && value === true;
    else if (key === "additionalProperties")
      all.additionalProperties =
        own === false || value === true ? own : value && own !== true ? both(own, value) : value;
    else if (!silent.has(key) && JSON.stringify(own) !== JSON.stringify(value)) conflict(key);
  }
  for (const [one, other] of [
    [a, b],
    [b, a],
  ]) {
    if (Array.isArray(one.enum) && Array.isArray(all.enum))
      all.enum = all.enum.filter((value) => isOfType(value, other, path));
    if (one.additionalProperties !== false || !isObject(all.properties)) continue;
    const known = isObject(one.properties) ? one.properties : {};
    all.properties = Object.fromEntries(Object.entries(all.properties).filter(([name]) => Object.hasOwn(known, name)));
    if (Array.isArray(other.required) && other.required.some((name) => !Object.hasOwn(known, String(name))))
      return null;
  }
  if (Array.isArray(all.type) && !all.type.length) return null;
  if (Array.isArray(all.enum) && !all.enum.length) return null;
  return all;
}

function mergeProperties(a: JsonObject, b: JsonObject): JsonObject {
  const all = new Map(Object.entries(a));
  for (const [name, value] of Object.entries(b)) all.set(name, all.has(name) ? both(all.get(name), value) : value);
  return Object.fromEntries(all);
}

/** A schema that holds where two do, not yet merged. Each part once: what merges with itself over and over stays as it is. */
export function both(a: unknown, b: unknown): unknown {
  const parts = [a, b].flatMap((one) => (isObject(one) && isParts(one) ? one.allOf : [one]));
  const distinct = [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()];
  return distinct.length > 1 ? { allOf: distinct } : distinct[0];
}

function isParts(source: JsonObject): source is { allOf: unknown[] } {
  return Array.isArray(source.allOf) && Object.keys(source).length === 1;
}

/** Types that both allow; an integer is a number too. */
function commonTypes(a: unknown, b: unknown): unknown {
  const [left, right] = [[a].flat(), [b].flat()];
  const both = left.flatMap((type) => {
    if (right.includes(type)) return [type];
    if (type === "number" && right.includes("integer")) return ["integer"];
    return type === "integer" && right.includes("number") ? ["integer"] : [];
  });
  return both.length === 1 ? both[0] : both;
}

function common(a: readonly unknown[], b: readonly unknown[]): unknown[] {
  const texts = new Set(b.map((value) => JSON.stringify(value)));
  return a.filter((value) => texts.has(JSON.stringify(value)));
}
