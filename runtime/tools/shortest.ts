/** How short a value of a schema can be, and so whether any value fits: the way out goes by it. */
import { anyFits, constrained, mostDigits, scaledOf } from "./decimal.ts";
import { type ArraySchema, leaves, type Schema } from "./schema.ts";

/** What a schema is refused with whose shortest value has no end: the limits of a number, the lengths of a text or a list. */
export function noneFits(schema: Schema | null): string {
  const told = schema ? limitsOf(schema).filter(([, value]) => value !== null && Number.isFinite(value)) : [];
  const limits = told.map(([keyword, value]) => ` ${keyword} ${value}`).join(",");
  const got = limits ? `;${limits} leave none` : "";
  return `expected a schema that some finite value fits, numbers of at most ${mostDigits} digits, got one that none does${got}`;
}

function limitsOf(schema: Schema): [keyword: string, value: number | null][] {
  switch (schema.kind) {
    case "string":
      return [
        ["minLength", schema.minLength],
        ["maxLength", schema.maxLength],
      ];
    case "number": {
      const { least, most, multipleOf } = schema;
      return [
        [least.exclusive ? "exclusiveMinimum" : "minimum", least.value],
        [most.exclusive ? "exclusiveMaximum" : "maximum", most.value],
        ["multipleOf", multipleOf],
      ];
    }
    case "array":
      return [
        ["minItems", schema.minItems],
        ["maxItems", schema.maxItems],
      ];
    default:
      return [];
  }
}

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
      return schema.minItems ? [...(schema.first ?? []), schema.items] : [];
    case "object": {
      const { properties, more, minProperties } = schema;
      const held = minProperties ? properties : properties.filter(({ required }) => required);
      return [...held.map((property) => property.schema), ...(minProperties && more ? [more] : [])];
    }
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
    case "array": {
      const { minItems, first = [], items } = schema;
      if (minItems > mostItems(schema)) return none;
      const heads = first.slice(0, minItems).map((item) => measure(item, refs));
      const others = minItems - heads.length;
      return 2 + Math.max(0, minItems - 1) + sum(heads) + (others && others * measure(items, refs));
    }
    case "object": {
      const { properties, more, minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema;
      // A quoted name, a colon, a value; commas between.
      const bytes = properties.map(({ name, schema: value }) => JSON.stringify(name).length + 1 + measure(value, refs));
      const needed = bytes.filter((_, i) => properties[i].required);
      const further = Math.max(0, minProperties - needed.length);
      const cheapest = bytes.filter((_, i) => !properties[i].required).sort((a, b) => a - b);
      const known = cheapest.slice(0, further).filter(Number.isFinite);
      const pairs = further - known.length;
      if (needed.length + further > maxProperties || (pairs && !more)) return none;
      const count = needed.length + further;
      // A map's keys are counted as empty.
      const rest = pairs && more ? pairs * (3 + measure(more, refs)) : 0;
      return 2 + Math.max(0, count - 1) + sum(needed) + sum(known) + rest;
    }
    case "anyOf":
      return schema.options.reduce((least, option) => Math.min(least, measure(option, refs)), none);
    case "ref":
      return refs.get(schema) ?? none;
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);

/** Items that an array may have: where no two are equal, no more than there are values. */
export function mostItems({ maxItems, unique, first, items }: ArraySchema): number {
  return unique && !first ? Math.min(maxItems, values(items)) : maxItems;
}

/** How many values fit a schema, or more. */
function values(schema: Schema): number {
  return sum(
    [...leaves(schema)].map(({ schema: leaf }) => {
      if (leaf.kind === "enum") return new Set(leaf.values.map((value) => JSON.stringify(value))).size;
      if (leaf.kind === "string" && leaf.maxLength === 0) return 1;
      if (leaf.kind !== "number" || !leaf.integer) return Number.POSITIVE_INFINITY;
      const { least, most, step } = scaledOf(leaf);
      return least === null || most === null ? Number.POSITIVE_INFINITY : Number((most - least) / step) + 1;
    }),
  );
}
