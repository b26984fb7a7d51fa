/**
 * Numbers with limits, digit by digit: whether some number that begins with a text keeps within them.
 * Numbers that share a beginning are runs of neighbours, so that takes a few comparisons and no table.
 */
import type { Bound, Schema } from "./schema.ts";

/** Digits of a number, before and after the point together: what a double holds exactly, so that it survives parsing. */
export const mostDigits = 15;

/** Digits after the point where neither multipleOf nor a limit asks for more. */
const usualDecimals = 6;

export type NumberSchema = Schema & { kind: "number" };

/** A number with limits, in whole units of 10^−decimals: least … most (null: none), and a multiple of step. */
export interface Scaled {
  decimals: number;
  least: bigint | null;
  most: bigint | null;
  step: bigint;
}

export function constrained(schema: NumberSchema): boolean {
  return schema.multipleOf !== null || Number.isFinite(schema.least.value) || Number.isFinite(schema.most.value);
}

/** The limits of a schema. */
export function scaledOf({ integer, least, most, multipleOf }: NumberSchema): Scaled {
  const asked = [least.value, most.value].filter(Number.isFinite).map((value) => decimalsOf(value));
  const fraction = multipleOf === null ? 0 : decimalsOf(multipleOf);
  const decimals = integer ? 0 : multipleOf === null ? Math.max(usualDecimals, ...asked) : fraction;
  const step = multipleOf === null ? 1n : units(multipleOf, fraction);
  return {
    decimals,
    least: limit(least, decimals, 1n),
    most: limit(most, decimals, -1n),
    // A whole multiple of p/q in lowest terms is a multiple of p.
    step: integer ? step / divisor(step, 10n ** BigInt(fraction)) : step,
  };
}

/** A limit in units, moved inwards to the next unit that keeps it; towards 1 for a least, −1 for a most. */
function limit({ value, exclusive }: Bound, decimals: number, inwards: 1n | -1n): bigint | null {
  if (!Number.isFinite(value)) return null;
  const exact = Math.max(decimals, decimalsOf(value));
  const fine = units(value, exact);
  const unit = 10n ** BigInt(exact - decimals);
  const low = floorDivide(fine, unit);
  const whole = low * unit === fine;
  if (whole) return exclusive ? low + inwards : low;
  return inwards === 1n ? low + 1n : low;
}

/** x · 10^decimals, exactly; decimals ≥ decimalsOf(x). */
function units(x: number, decimals: number): bigint {
  const [, sign, whole, fraction = "", power = "0"] = String(x).match(/^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/) ?? [];
  const shift = decimals + Number(power) - fraction.length;
  const digits = BigInt(whole + fraction) * (shift >= 0 ? 10n ** BigInt(shift) : 1n);
  return sign ? -digits : digits;
}

function decimalsOf(x: number): number {
  const [, fraction = "", power = "0"] = String(x).match(/^-?\d+(?:\.(\d+))?(?:e([+-]\d+))?$/) ?? [];
  return Math.max(0, fraction.length - Number(power));
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a >= 0n ? a / b : -((-a + b - 1n) / b);
}

function divisor(a: bigint, b: bigint): bigint {
  return b ? divisor(b, a % b) : a;
}

/** Whether a whole number, as JSON writes it, keeps within the limits. */
export function isFit({ decimals, least, most, step }: Scaled, text: string): boolean {
  const [, sign, whole, fraction = ""] = text.match(/^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/) ?? [];
  if (whole === undefined || fraction.length > decimals) return false;
  const size = BigInt(whole + fraction.padEnd(decimals, "0"));
  const value = sign ? -size : size;
  return (least === null || value >= least) && (most === null || value <= most) && value % step === 0n;
}

/** Whether some number that begins with a text keeps within the limits. */
export function someFits(limits: Scaled, text: string): boolean {
  const { decimals, step } = limits;
  const [, sign, whole, dot = "", fraction = ""] = text.match(/^(-?)(0|[1-9]\d*|)(?:(\.)(\d*))?$/) ?? [];
  if (sign === undefined || (dot && (!whole || !decimals || fraction.length > decimals))) return false;
  if (whole.length + fraction.length + (dot && !fraction ? 1 : 0) > mostDigits) return false;
  if (!whole) return text === "-" && [..."0123456789"].some((digit) => someFits(limits, text + digit));
  const base = BigInt(whole + fraction);
  // With the point written only fraction digits follow; "0" takes no further digit before it.
  const further = dot || whole === "0" ? 0 : mostDigits - whole.length;
  for (let more = 0; more <= further; more++) {
    // Digits that may still follow the point, out of what a double holds.
    const room = Math.min(decimals - fraction.length, mostDigits - whole.length - more - fraction.length);
    const unit = 10n ** BigInt(more + decimals - fraction.length);
    const grain = divisorUp(step, 10n ** BigInt(decimals - fraction.length - room));
    const [from, to] = [base * unit, (base + 1n) * unit - 1n];
    const [low, high] = sign ? [-to, -from] : [from, to];
    const least = limits.least !== null && limits.least > low ? limits.least : low;
    const most = limits.most !== null && limits.most < high ? limits.most : high;
    if (least <= most && floorDivide(most, grain) * grain >= least) return true;
  }
  return false;
}

/**
 * A key of what may follow a text: texts with equal keys go on alike. It says how many digits are written, what they leave
 * of a division by the step, and of each number of further digits whether such numbers keep within the limits; where only
 * some do, the key is the text, but then it is the beginning of a limit.
 */
export function standing({ decimals, least, most, step }: Scaled, text: string): string {
  const [, sign, whole = "", dot = "", fraction = ""] = text.match(/^(-?)(\d+)(?:(\.)(\d*))?$/) ?? [];
  if (!whole) return text;
  const base = BigInt(whole + fraction);
  const further = dot || whole === "0" ? 0 : mostDigits - whole.length;
  let within = "";
  for (let more = 0; more <= further; more++) {
    const unit = 10n ** BigInt(more + decimals - fraction.length);
    const [from, to] = [base * unit, (base + 1n) * unit - 1n];
    const [low, high] = sign ? [-to, -from] : [from, to];
    const isOutside = (least !== null && high < least) || (most !== null && low > most);
    const isInside = (least === null || low >= least) && (most === null || high <= most);
    if (!isOutside && !isInside) return text;
    within += Number(isInside);
  }
  return [within, whole === "0" ? "0" : "", whole.length, dot, fraction.length, base % step].join(" ");
}

/** The least common multiple: numbers of so coarse a grain are all that the digits left can write. */
function divisorUp(step: bigint, grain: bigint): bigint {
  return (step * grain) / divisor(step, grain);
}

/** Whether any number keeps within the limits. */
export function anyFits(limits: Scaled): boolean {
  return [..."-0123456789"].some((c) => someFits(limits, c));
}

/** What is expected of a number, in words, that a schema does not take. */
export function misfit(value: number, schema: NumberSchema): string | undefined {
  if (isFit(scaledOf(schema), String(value))) return undefined;
  const { integer, least, most, multipleOf } = schema;
  if (value < least.value || (least.exclusive && value === least.value))
    return `${least.exclusive ? "more than" : "at least"} ${least.value}`;
  if (value > most.value || (most.exclusive && value === most.value))
    return `${most.exclusive ? "less than" : "at most"} ${most.value}`;
  if (integer && !Number.isInteger(value)) return "a whole number";
  return multipleOf === null ? undefined : `a multiple of ${multipleOf}`;
}
