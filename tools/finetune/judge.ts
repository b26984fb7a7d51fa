/** Before and after: what a tuning changed on its own tools and on everybody's. */

import { table } from "../command.ts";
import { noTool } from "../data/measures.ts";
import type { Result } from "../eval/answers.ts";
import { metrics } from "../eval/metrics.ts";
import { compareCounts, type Difference, sum } from "../eval/statistics.ts";

export interface Judged {
  name: string;
  examples: number;
  differences: Difference[];
}

export function compare(name: string, before: readonly Result[], after: readonly Result[]): Judged {
  const counts = (results: readonly Result[]) => results.map((result) => result.counts);
  return { name, examples: before.length, differences: compareCounts(counts(before), counts(after)) };
}

const shown = ["exact", "callF1", "nameF1", "values", "noneRecall", "falseRefusals"];

/** A table of the figures that matter, with the difference's interval. */
export function tableOf({ name, examples, differences }: Judged): string {
  const share = (x: number | null) => (x === null ? "-" : x.toFixed(3));
  const signed = (x: number | null) => (x === null ? "-" : `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(3)}`);
  const rows = differences
    .filter(({ key, a, b }) => shown.includes(key) && (a !== null || b !== null))
    .sort((a, b) => shown.indexOf(a.key) - shown.indexOf(b.key))
    .map(({ label, a, b, difference: { value, low, high } }) => [
      label,
      share(a),
      share(b),
      signed(value),
      `${signed(low)} … ${signed(high)}`,
    ]);
  return table([[`${name}, ${examples}`, "before", "after", "change", "95%"], ...rows]);
}

/** Call F1 of all answers together. */
export function callF1(results: readonly Result[]): number {
  const { callHits, callExtra, callMissed } = sum(results.map(({ counts }) => counts));
  return (2 * callHits) / Math.max(1, 2 * callHits + callExtra + callMissed);
}

/** The change of one metric, null where nothing was there to judge. */
export const changeOf = ({ differences }: Judged, key: string) =>
  differences.find((one) => one.key === key)?.difference ?? { value: null, low: null, high: null };

/** Exact answers by group, before and after. */
export function groupTable(
  title: string,
  groups: readonly string[],
  before: readonly Result[],
  after: readonly Result[],
): string {
  const exact = metrics.find(({ key }) => key === "exact");
  const names = [...new Set(groups)].sort();
  const rows = names.map((name) => {
    const share = (results: readonly Result[]) =>
      exact?.of(sum(results.filter((_, i) => groups[i] === name).map(({ counts }) => counts))).toFixed(3) ?? "-";
    return [name, groups.filter((group) => group === name).length, share(before), share(after)];
  });
  return table([[title, "examples", "exact before", "after"], ...rows]);
}

/** The tool that a result is about. */
export const toolOf = ({ want }: Result): string => want[0]?.name ?? noTool;

/** Requests that are still answered wrongly, with what was wanted and what came. */
export function worst(results: readonly Result[], count: number): string {
  const told = (calls: Result["got"]) =>
    calls === null
      ? "no call list"
      : calls.map(({ name, arguments: args }) => `${name} ${JSON.stringify(args)}`).join(", ") || "no call";
  return results
    .filter(({ exact }) => !exact)
    .sort((a, b) => b.faults.length - a.faults.length)
    .slice(0, count)
    .map(({ request, want, got }) => `- ${JSON.stringify(request)}\n    wants ${told(want)}\n    gets  ${told(got)}`)
    .join("\n");
}
