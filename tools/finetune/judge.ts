/** Before and after: what a tuning changed on its own tools and on everybody's. */

import { noTool } from "../data/measures.ts";
import type { Result } from "../eval/answers.ts";
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

/** Call F1 of all answers together. */
export function callF1(results: readonly Result[]): number {
  const { callHits, callExtra, callMissed } = sum(results.map(({ counts }) => counts));
  return (2 * callHits) / Math.max(1, 2 * callHits + callExtra + callMissed);
}

/** Share of the requests that nothing fits which were refused; null where there is none. */
export function refusals(results: readonly Result[]): number | null {
  const { noneRight, noneWanted } = sum(results.map(({ counts }) => counts));
  return noneWanted ? noneRight / noneWanted : null;
}

/** The change of one metric, null where nothing was there to judge. */
export const changeOf = ({ differences }: Judged, key: string) =>
  differences.find((one) => one.key === key)?.difference ?? { value: null, low: null, high: null };

/** Exact answers of a group of examples. */
export interface Group {
  name: string;
  examples: number;
  before: number;
  after: number;
}

export function grouped(groups: readonly string[], before: readonly Result[], after: readonly Result[]): Group[] {
  return [...new Set(groups)].sort().map((name) => {
    const own = (results: readonly Result[]) => results.filter((_, i) => groups[i] === name);
    const share = (results: readonly Result[]) =>
      own(results).filter(({ exact }) => exact).length / Math.max(1, own(results).length);
    return { name, examples: own(before).length, before: share(before), after: share(after) };
  });
}

/** The tool that a result is about. */
export const toolOf = ({ want }: Result): string => want[0]?.name ?? noTool;

/** A request that is still answered wrongly: what was wanted, and what came. */
export interface Wrong {
  request: string;
  wants: string;
  gets: string;
}

export function worst(results: readonly Result[], count: number): Wrong[] {
  const told = (calls: Result["got"]) =>
    calls === null
      ? "no call list"
      : calls.map(({ name, arguments: args }) => `${name} ${JSON.stringify(args)}`).join(", ") || "no call";
  return results
    .filter(({ exact }) => !exact)
    .sort((a, b) => b.faults.length - a.faults.length)
    .slice(0, count)
    .map(({ request, want, got }) => ({ request, wants: told(want), gets: told(got) }));
}
