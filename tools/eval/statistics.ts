/** Seeded resampling: intervals of one run, significance between two. */
import { type Counts, countNames, type Metric, metrics } from "./metrics.ts";

export interface Estimate {
  /** null where nothing was there to judge. */
  value: number | null;
  /** Ends of the 95% percentile bootstrap interval over examples. */
  low: number | null;
  high: number | null;
}

export interface Difference {
  key: string;
  label: string;
  a: number | null;
  b: number | null;
  /** b − a, with its 95% interval. */
  difference: Estimate;
  /** Two-sided. */
  p: number | null;
  test: "McNemar, exact" | "paired bootstrap";
}

const draws = 1000;
const seed = 20;

export function sum(rows: readonly Counts[]): Counts {
  return named(sumOf(matrix(rows), rows.length));
}

/** Every metric of a set of examples. */
export function estimates(rows: readonly Counts[]): Record<string, Estimate> {
  const total = sum(rows);
  const table = matrix(rows);
  const random = mulberry32(seed);
  const samples = Array.from({ length: draws }, () => named(sumOf(table, rows.length, picks(rows.length, random))));
  return Object.fromEntries(metrics.map((metric) => [metric.key, estimate(metric.of(total), samples.map(metric.of))]));
}

/**
 * Compares two runs on the same examples, row by row. `exact` is a yes or no per example, so McNemar's exact test judges
 * it; the other metrics are ratios of sums, so examples are resampled in pairs and p is twice the smaller share of
 * draws at or beyond zero. Swapping a and b changes signs only: the draws depend on the seed and the number alone.
 */
export function compareCounts(a: readonly Counts[], b: readonly Counts[]): Difference[] {
  const [first, second] = [matrix(a), matrix(b)];
  const random = mulberry32(seed);
  const samples = Array.from({ length: draws }, () => {
    const picked = picks(a.length, random);
    return [named(sumOf(first, a.length, picked)), named(sumOf(second, b.length, picked))];
  });
  const [sumA, sumB] = [sum(a), sum(b)];
  return metrics.map((metric) => {
    const [x, y] = [metric.of(sumA), metric.of(sumB)];
    const differences = samples.map(([one, other]) => metric.of(other) - metric.of(one));
    const difference = estimate(y - x, differences);
    const exact = metric.key === "exact";
    return {
      key: metric.key,
      label: metric.label,
      a: known(x),
      b: known(y),
      difference,
      p: difference.value === null ? null : exact ? mcnemar(a, b, metric) : bootstrapP(differences),
      test: exact ? "McNemar, exact" : "paired bootstrap",
    };
  });
}

/** Two-sided binomial test of the examples that only one of the two got right. */
function mcnemar(a: readonly Counts[], b: readonly Counts[], { of }: Metric): number {
  const onlyA = a.filter((row, i) => of(row) > of(b[i])).length;
  const onlyB = a.filter((row, i) => of(row) < of(b[i])).length;
  return binomialP(onlyA, onlyB);
}

/** Twice the smaller tail of a fair coin that fell m times on one side and n times on the other, at most 1. */
export function binomialP(m: number, n: number): number {
  const [least, total] = [Math.min(m, n), m + n];
  let logChoose = 0;
  let tail = 0;
  for (let k = 0; k <= least; k++) {
    if (k) logChoose += Math.log((total - k + 1) / k);
    tail += Math.exp(logChoose - total * Math.LN2);
  }
  return Math.min(1, 2 * tail);
}

function bootstrapP(differences: number[]): number {
  const real = differences.filter((d) => !Number.isNaN(d));
  const share = (of: (d: number) => boolean) => (real.filter(of).length + 1) / (real.length + 1);
  return Math.min(
    1,
    2 *
      Math.min(
        share((d) => d <= 0),
        share((d) => d >= 0),
      ),
  );
}

function estimate(value: number, samples: number[]): Estimate {
  const sorted = samples.filter((x) => !Number.isNaN(x)).sort((x, y) => x - y);
  const cut = Math.floor(sorted.length * 0.025);
  return { value: known(value), low: known(sorted[cut]), high: known(sorted.at(-1 - cut)) };
}

/** The value at a share of the sorted list, 0 ≤ share ≤ 1; null of an empty one. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((x, y) => x - y);
  return known(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
}

const known = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value);

/** Counts as rows of a matrix (examples, counts). */
function matrix(rows: readonly Counts[]): Float64Array {
  const table = new Float64Array(rows.length * countNames.length);
  for (const [i, row] of rows.entries())
    for (const [j, name] of countNames.entries()) table[i * countNames.length + j] = row[name];
  return table;
}

function sumOf(table: Float64Array, rows: number, picked?: Uint32Array): Float64Array {
  const width = countNames.length;
  const total = new Float64Array(width);
  for (let i = 0; i < rows; i++) {
    const start = (picked ? picked[i] : i) * width;
    for (let j = 0; j < width; j++) total[j] += table[start + j];
  }
  return total;
}

function named(row: Float64Array): Counts {
  return Object.fromEntries(countNames.map((name, i) => [name, row[i]])) as Counts;
}

function picks(length: number, random: () => number): Uint32Array {
  return Uint32Array.from({ length }, () => Math.floor(random() * length));
}

/** Uniform numbers in [0, 1). Source: mulberry32, Tommy Ettinger. */
function mulberry32(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
