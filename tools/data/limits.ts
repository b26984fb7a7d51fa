/** What a schema lets a value be: what is made for it stays within, and what is not is no example. */
import type { State } from "../../runtime/grammar/state.ts";
import { leaves, type Schema } from "../../runtime/tools/schema.ts";
import { bare, type Call } from "./ground.ts";
import { numberWords } from "./numerals.ts";
import type { Random } from "./random.ts";

export type Limits = Extract<Schema, { kind: "number" }>;

/**
 * What keeps calls from being an answer that the grammar begins with `start`: limits, lengths, nested shapes and all else it
 * holds to; null if nothing does.
 */
export function beyondLimits(calls: readonly Call[], start: State): string | null {
  let state: State | null = start;
  const text = JSON.stringify(calls.map(bare));
  for (const byte of new TextEncoder().encode(` ${text}`)) state = state?.step(byte) ?? null;
  return state?.atEnd ? null : `answers: expected calls within the tools' limits, got ${text.slice(0, 80)}`;
}

export const anyLength = [0, Infinity] as const;

/** Of the first string that a schema allows, its least and most characters. */
export function lengthsOf(schema: Schema): readonly [least: number, most: number] {
  for (const { schema: leaf } of leaves(schema)) if (leaf.kind === "string") return [leaf.minLength, leaf.maxLength];
  return anyLength;
}

/** Of the first number that a schema allows; null for none, or one without limits. */
export function limitsOf(schema: Schema): Limits | null {
  for (const { schema: leaf } of leaves(schema)) if (leaf.kind === "number") return isLimited(leaf) ? leaf : null;
  return null;
}

/** The limits that forbid a number, whatever else a schema allows; null where it is allowed, or no number is. */
export function forbidding(value: number, schema: Schema): Limits | null {
  const all = [...leaves(schema)].map((leaf) => leaf.schema);
  const isAllowed = all.some((leaf) =>
    leaf.kind === "number" ? isWithin(value, leaf) : leaf.kind === "enum" && leaf.values.includes(value),
  );
  return isAllowed ? null : (all.find((leaf): leaf is Limits => leaf.kind === "number" && isLimited(leaf)) ?? null);
}

const isLimited = ({ least, most, multipleOf }: Limits): boolean =>
  multipleOf !== null || Number.isFinite(least.value) || Number.isFinite(most.value);

export function isWithin(value: number, { least, most, multipleOf }: Limits): boolean {
  const isHigh = least.exclusive ? value > least.value : value >= least.value;
  const isLow = most.exclusive ? value < most.value : value <= most.value;
  const times = value / (multipleOf ?? 1);
  // Binary fractions: 0.3 is a multiple of 0.1.
  const isMultiple = multipleOf === null || Math.abs(times - Math.round(times)) <= 1e-9 * Math.max(1, Math.abs(times));
  return isHigh && isLow && isMultiple;
}

/** "a number from 0, up to 100", as an error says it. */
export function toldLimits({ least, most, multipleOf }: Limits): string {
  const ends = [
    ...(Number.isFinite(least.value) ? [`${least.exclusive ? "above" : "from"} ${least.value}`] : []),
    ...(Number.isFinite(most.value) ? [`${most.exclusive ? "below" : "up to"} ${most.value}`] : []),
    ...(multipleOf === null ? [] : [`a multiple of ${multipleOf}`]),
  ];
  return `a number ${ends.join(", ")}`;
}

/** Steps from the one limit where there is no other. */
const usualSteps = 100;

/** A tenth of a range at most, in powers of ten, of whole numbers one, and of a lone number itself. */
const stepOf = ({ integer, least, most }: Limits): number =>
  least.value === most.value
    ? Math.abs(most.value) || 1
    : integer
      ? 1
      : 10 ** Math.min(0, Math.floor(Math.log10(most.value - least.value) - 1));

/** What was made, or another number where the limits forbid it. Throws: Error where they forbid every number. */
export function limited<V extends { text: string; value?: unknown }>(
  made: V,
  limits: Limits,
  random: Random,
): V | { text: string; value: number } {
  if (isWithin(Number(made.value), limits)) return made;
  const { integer, least, most, multipleOf } = limits;
  const step = multipleOf ?? stepOf(limits);
  const [from, to] = [Math.ceil(least.value / step - 1e-9), Math.floor(most.value / step + 1e-9)];
  const low = Number.isFinite(from) ? from : Math.min(0, to - usualSteps);
  const high = Number.isFinite(to) ? to : Math.max(0, low + usualSteps);
  for (let tries = 0; tries < 100; tries++) {
    const any = random.between(low, high);
    // Of many numbers people mostly say round ones.
    const chosen = high - low > 20 && random.chance(0.6) ? 5 * Math.round(any / 5) : any;
    const value = Number((chosen * step).toPrecision(12));
    if (!isWithin(value, limits) || (integer && !Number.isInteger(value))) continue;
    const isWord = Number.isInteger(value) && value >= 0 && value < 1e6 && random.chance(0.25);
    return { text: isWord ? numberWords(value) : String(value), value };
  }
  throw new Error(`expected limits that allow a number, got ${toldLimits(limits)}; mend the schema`);
}
