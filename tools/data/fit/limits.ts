/** What a schema lets a number be: what is made for it stays within. */
import type { Schema } from "../../../runtime/tools/schema.ts";
import { numberWords } from "../numerals.ts";
import type { Random } from "../random.ts";

/** From least to most steps, both of them allowed; infinite where there is no limit. */
export interface Limits {
  step: number;
  least: number;
  most: number;
}

/** Null for no number, or one without limits. */
export function limitsOf(schema: Schema | undefined): Limits | null {
  if (schema?.kind === "anyOf") return limitsOf(schema.options.find(({ kind }) => kind === "number"));
  if (schema?.kind !== "number") return null;
  const { integer, least, most, multipleOf } = schema;
  if (multipleOf === null && !Number.isFinite(least.value) && !Number.isFinite(most.value)) return null;
  const step = multipleOf ?? (integer || most.value - least.value > 10 ? 1 : 0.1);
  const steps = ({ value, exclusive }: typeof least, inwards: 1 | -1): number => {
    const exact = Number((value / step).toFixed(6));
    const inside = inwards > 0 ? Math.ceil(exact) : Math.floor(exact);
    return exclusive && inside === exact ? inside + inwards : inside;
  };
  return { step, least: steps(least, 1), most: steps(most, -1) };
}

/** Steps from the one limit where there is no other. */
const usualSteps = 100;

/** What was made, or another number where the limits forbid it. */
export function limited<V extends { text: string; value?: unknown }>(
  made: V,
  { step, least, most }: Limits,
  random: Random,
): V | { text: string; value: number } {
  const steps = Number((Number(made.value) / step).toFixed(6));
  if (Number.isInteger(steps) && steps >= least && steps <= most) return made;
  const low = Number.isFinite(least) ? least : Math.min(0, most - usualSteps);
  const high = Number.isFinite(most) ? most : Math.max(0, low + usualSteps);
  const any = random.between(low, high);
  // Of many numbers people mostly say round ones.
  const round = 5 * Math.round(any / 5);
  const chosen = high - low > 20 && round >= low && round <= high && random.chance(0.6) ? round : any;
  const value = Number((chosen * step).toFixed(6));
  const isWord = Number.isInteger(value) && value >= 0 && random.chance(0.25);
  return { text: isWord ? numberWords(value) : String(value), value };
}
