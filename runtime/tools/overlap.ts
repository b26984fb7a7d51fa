/** Whether schemas exclude each other, as the options of oneOf must. */
import type { Json } from "../json.ts";
import type { Schema } from "./schema.ts";

/** Whether two schemas may allow the same value; errs towards yes. */
export function mayOverlap(a: Schema, b: Schema): boolean {
  if (a.kind === "ref" || b.kind === "ref") return true;
  if (a.kind === "anyOf") return a.options.some((option) => mayOverlap(option, b));
  if (b.kind === "anyOf") return mayOverlap(b, a);
  if (a.kind === "enum") return a.values.some((value) => mayHold(b, value));
  if (b.kind === "enum") return mayOverlap(b, a);
  if (a.kind !== b.kind) return false;
  if (a.kind === "object" && b.kind === "object") {
    // Two objects differ for sure where a property that both require has disjoint values.
    return !a.properties.some(
      (p) => p.required && b.properties.some((q) => q.required && q.name === p.name && !mayOverlap(p.schema, q.schema)),
    );
  }
  return true;
}

function mayHold(schema: Schema, value: Json): boolean {
  if (schema.kind === "enum") return schema.values.some((other) => JSON.stringify(other) === JSON.stringify(value));
  if (schema.kind === "array") return Array.isArray(value);
  return schema.kind === (value !== null && !Array.isArray(value) ? typeof value : "null");
}
