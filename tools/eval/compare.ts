/** Two reports → paired differences over the examples that both have. */
import { readText } from "../command.ts";
import type { Report, Run } from "./report.ts";
import { compareCounts, type Difference } from "./statistics.ts";

export interface Comparison {
  /** Model and decoding of each side. */
  a: string;
  b: string;
  /** Examples that both runs answered, and those that only one of them has. */
  examples: number;
  onlyA: number;
  onlyB: number;
  differences: Difference[];
}

/**
 * Compares the first run of each file; of one file, its two runs.
 * Throws: Error for a file that no eval wrote, or if no example is in both.
 */
export function compareFiles(paths: string[]): Comparison {
  const reports = paths.map(readReport);
  const [a, b] = reports.length === 1 ? reports[0].runs : reports.map(({ runs }) => runs[0]);
  if (!b) throw new Error(`${paths[0]}: expected two runs to compare, got one; eval with --both, or name two files`);
  return compareRuns(a, b);
}

/** Pairs by key, in the order of keys, so that the sides may be swapped. */
export function compareRuns(a: Run, b: Run): Comparison {
  const other = new Map(b.results.map((result) => [result.key, result.counts]));
  const shared = a.results.filter(({ key }) => other.has(key)).sort((x, y) => (x.key < y.key ? -1 : 1));
  if (!shared.length) throw new Error("compare: expected two runs over the same examples, got none in common");
  return {
    a: describe(a),
    b: describe(b),
    examples: shared.length,
    onlyA: a.results.length - shared.length,
    onlyB: b.results.length - shared.length,
    differences: compareCounts(
      shared.map(({ counts }) => counts),
      shared.map(({ key }) => other.get(key) as (typeof shared)[0]["counts"]),
    ),
  };
}

const describe = ({ model, decoding }: Run) => (decoding === "endpoint" ? model : `${model}, ${decoding}`);

function readReport(path: string): Report {
  let report: Partial<Report> | null = null;
  try {
    report = JSON.parse(readText(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const whole = report?.runs?.length && report.runs.every(({ results }) => Array.isArray(results));
  if (!whole) throw new Error(`${path}: expected what thimble eval --json prints, got something else`);
  return report as Report;
}
