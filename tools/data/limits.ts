/** What a schema lets a number be: what is made for it stays within, and what is not is no example. */
import type { Schema } from "../../runtime/tools/schema.ts";
import { numberWords } from "./numerals.ts";
import type { Random } from "./random.ts";

export type Limits = Extract<Schema, { kind: "number" }>;

/** Null for no number, or one without limits. */
export function limitsOf(schema: Schema | undefined): Limits | null {
  if (schema?.kind === "anyOf") return limitsOf(schema.options.find(({ kind }) => kind === "number"));
  if (schema?.kind !== "number") return null;
  const { least, most, multipleOf } = schema;
  return multipleOf === null && !Number.isFinite(least.value) && !Number.isFinite(most.value) ? null : schema;
}

export function isWithin(value: number, { least, most, multipleOf }: Limits): boolean {
  const isHigh = least.exclusive ? value > least.value : value >= least.value;
  const isLow = most.exclusive ? value < most.value : value <= most.value;
  return isHigh && isLow && (multipleOf === null || Number.isInteger(rounded(value / multipleOf)));
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

/** What was made, or another number where the limits forbid it; itself too where they forbid every one. */
export function limited<V extends { text: string; value?: unknown }>(
  made: V,
  limits: Limits,
  random: Random,
): V | { text: string; value: number } {
  if (isWithin(Number(made.value), limits)) return made;
  const { integer, least, most, multipleOf } = limits;
  const step = multipleOf ?? (integer || most.value - least.value > 10 ? 1 : 0.1);
  const from = Math.ceil(rounded(least.value / step));
  const to = Math.floor(rounded(most.value / step));
  const low = Number.isFinite(from) ? from : Math.min(0, to - usualSteps);
  const high = Number.isFinite(to) ? to : Math.max(0, low + usualSteps);
  for (let tries = 0; tries < 20; tries++) {
    const any = random.between(low, high);
    // Of many numbers people mostly say round ones.
    const chosen = high - low > 20 && random.chance(0.6) ? 5 * Math.round(any / 5) : any;
    const value = rounded(chosen * step);
    if (!isWithin(value, limits)) continue;
    const isWord = Number.isInteger(value) && value >= 0 && random.chance(0.25);
    return { text: isWord ? numberWords(value) : String(value), value };
  }
  return made;
}

/** Without what binary fractions leave. */
const rounded = (value: number): number => (Number.isFinite(value) ? Number(value.toFixed(6)) : value);
