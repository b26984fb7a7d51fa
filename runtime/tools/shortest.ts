/** How short a value of a schema can be, and so whether any value fits: the way out goes by it. */
import { anyFits, constrained, scaledOf } from "./decimal.ts";
import type { Schema } from "./schema.ts";

const measured = new WeakMap<Schema, number>();

/**
 * Bytes of the shortest JSON text of a value, if all is ASCII; Infinity if no finite value fits.
 * References may hold each other, so they are measured together, from Infinity down: a shortest text holds no reference
 * within itself, so each round but the last settles one more. Source: Knuth 1977, "A generalization of Dijkstra's algorithm".
 */
export function leastBytes(schema: Schema): number {
  const known = measured.get(schema);
  if (known !== undefined) return known;
  const refs = new Map<Schema, number>();
  const find = (inner: Schema): void => {
    if (inner.kind !== "ref") for (const part of parts(inner)) find(part);
    else if (!refs.has(inner)) refs.set(inner, Number.POSITIVE_INFINITY);
  };
  find(schema);
  // A map's walk comes to what is added on the way.
  for (const [ref] of refs) for (const target of parts(ref)) find(target);
  // Those found last are used by the others.
  const order = [...refs.keys()].reverse();
  for (let changed = true; changed; ) {
    changed = false;
    for (const ref of order) {
      const bytes = Math.min(...parts(ref).map((target) => measure(target, refs)));
      if (bytes >= (refs.get(ref) as number)) continue;
      refs.set(ref, bytes);
      changed = true;
    }
  }
  for (const [ref, bytes] of refs) measured.set(ref, bytes);
  const bytes = measure(schema, refs);
  measured.set(schema, bytes);
  return bytes;
}

/** The schemas that the shortest value of another holds, or may hold. */
function parts(schema: Schema): Schema[] {
  switch (schema.kind) {
    case "array":
      return schema.minItems ? [schema.items] : [];
    case "object":
      return schema.properties.filter(({ required }) => required).map((property) => property.schema);
    case "anyOf":
      return schema.options;
    case "ref":
      return schema.target ? [schema.target] : [];
    default:
      return [];
  }
}

/** Bytes of a schema's shortest text, by those of the references in it. */
function measure(schema: Schema, refs: ReadonlyMap<Schema, number>): number {
  const none = Number.POSITIVE_INFINITY;
  switch (schema.kind) {
    case "string":
      return schema.minLength <= schema.maxLength ? 2 + schema.minLength : none;
    case "number":
      return !constrained(schema) || anyFits(scaledOf(schema)) ? 1 : none;
    case "enum":
      return schema.values.reduce<number>((least, value) => Math.min(least, JSON.stringify(value).length), none);
    case "array":
      if (schema.minItems > schema.maxItems) return none;
      return 2 + (schema.minItems ? schema.minItems * (measure(schema.items, refs) + 1) - 1 : 0);
    case "object": {
      // A quoted name, a colon, a value; commas between.
      const needed = schema.properties.filter(({ required }) => required);
      const bytes = needed.map(({ name, schema: value }) => JSON.stringify(name).length + 1 + measure(value, refs));
      return bytes.reduce((sum, one) => sum + one, 2 + Math.max(0, needed.length - 1));
    }
    case "anyOf":
      return schema.options.reduce((least, option) => Math.min(least, measure(option, refs)), none);
    case "ref":
      return refs.get(schema) ?? none;
  }
}
