/**
 * Numbers with limits, digit by digit: whether some number that begins with a text keeps within them.
 * Numbers that share a beginning are runs of neighbours, so that takes a few comparisons and no table.
 */
import type { Schema } from "./schema.ts";

/** Digits of an integer, or of each part of a number: what a double holds exactly, so that a value survives parsing. */
export const mostDigits = 15;

type NumberSchema = Schema & { kind: "number" };

/** A number with limits, as whole multiples of 10^−decimals: least … most, and of `step`. */
export interface Scaled {
  decimals: number;
  least: number;
  most: number;
  step: number;
}

export function constrained(schema: NumberSchema): boolean {
  return schema.multipleOf !== null || Number.isFinite(schema.least.value) || Number.isFinite(schema.most.value);
}

/** The limits of a schema; a number without multipleOf gets six decimals. */
export function scaledOf({ integer, least, most, multipleOf }: NumberSchema): Scaled {
  const decimals = integer ? 0 : multipleOf === null ? 6 : decimalsOf(multipleOf);
  const limit = 10 ** mostDigits - 1;
  const low = Math.ceil(shifted(least.value, decimals));
  const high = Math.floor(shifted(most.value, decimals));
  const lowExact = low === shifted(least.value, decimals);
  const highExact = high === shifted(most.value, decimals);
  return {
    decimals,
    least: Math.max(-limit, least.exclusive && lowExact ? low + 1 : low),
    most: Math.min(limit, most.exclusive && highExact ? high - 1 : high),
    step: multipleOf === null ? 1 : shifted(multipleOf, decimals),
  };
}

/** x · 10^decimals without the rounding of a product: 1.1 → 110 for two decimals. */
function shifted(x: number, decimals: number): number {
  if (!Number.isFinite(x)) return x;
  const [digits, power = "0"] = String(x).split("e");
  return Number(`${digits}e${Number(power) + decimals}`);
}

function decimalsOf(x: number): number {
  let decimals = 0;
  while (decimals < mostDigits && !Number.isInteger(shifted(x, decimals))) decimals++;
  return decimals;
}

/** Whether a whole number, as JSON writes it, keeps within the limits. */
export function isFit(limits: Scaled, text: string): boolean {
  if (!/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) return false;
  const value = shifted(Number(text), limits.decimals);
  return value >= limits.least && value <= limits.most && value % limits.step === 0;
}

/** Whether some number that begins with a text keeps within the limits. */
export function someFits(limits: Scaled, text: string): boolean {
  const [, sign, whole, dot = "", fraction = ""] = text.match(/^(-?)(0|[1-9]\d*|)(?:(\.)(\d*))?$/) ?? [];
  if (sign === undefined || (dot && (!whole || fraction.length > limits.decimals || !limits.decimals))) return false;
  const room = mostDigits - limits.decimals;
  if (whole.length > room) return false;
  if (!whole) return text === "-" && [..."0123456789"].some((digit) => someFits(limits, text + digit));
  const base = Number(whole + fraction);
  // With the point written only fraction digits follow; "0" takes no further digit before it.
  const extra = dot || whole === "0" ? 0 : room - whole.length;
  for (let more = 0; more <= extra; more++) {
    const unit = 10 ** (more + limits.decimals - fraction.length);
    const [from, to] = [base * unit, (base + 1) * unit - 1];
    const [low, high] = sign ? [-to, -from] : [from, to];
    const [least, most] = [Math.max(low, limits.least), Math.min(high, limits.most)];
    if (least <= most && Math.floor(most / limits.step) * limits.step >= least) return true;
  }
  return false;
}

/** Whether any number keeps within the limits. */
export function anyFits(limits: Scaled): boolean {
  return [..."-0123456789"].some((c) => someFits(limits, c));
}
