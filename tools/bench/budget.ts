/** What a memory budget costs: one model at several budgets and resident, its weights streaming from a file. */

import { type LoadOptions, load } from "../../runtime/thimble.ts";
import { readText, table } from "../command.ts";
import { watchRequest, watchTools } from "../run.ts";
import { median, middle, round, runDecode, runPrefill } from "./runs.ts";

export interface BudgetReport {
  /** Null: as much memory as the model takes. */
  memoryBytes: number | null;
  linearMemoryBytes: number;
  /** Of the weights, those that stay in memory; the rest pass through the ring. */
  residentBytes: number;
  ringBytes: number;
  prefillTokensPerSecond: number;
  decodeTokensPerSecond: { free: number; grammar: number };
  callMs: number;
}

/** The longest prompt that leaves the full geometry room in 6 MiB. */
const limits = { promptTokens: 288, answerTokens: 128 };
const promptTokens = 271;
const steps = 64;

/** Medians at each budget, on a session of a model of its own. */
export async function measureBudgets(
  path: string,
  options: LoadOptions,
  budgets: (number | null)[],
  runs: number,
): Promise<BudgetReport[]> {
  const reports: BudgetReport[] = [];
  const tools = JSON.parse(readText(watchTools)).slice(0, 5);
  for (const memoryBytes of budgets) {
    const thimble = await load(path, { ...options, ...limits, ...(memoryBytes && { memory: memoryBytes }) });
    const { linearMemoryBytes } = thimble;
    const { layout } = thimble.inside;
    const { first: session } = thimble;
    const prefillMs = await median(runs, () => runPrefill(thimble, session, promptTokens));
    const decodeMs = await median(runs, () => runDecode(thimble, session, steps, promptTokens));
    const calls = [];
    await session.call(watchRequest, tools);
    for (let i = 0; i < runs; i++) calls.push((await session.call(watchRequest, tools)).timings);
    thimble.close();
    const resident = layout.units.filter(({ at }) => at !== null);
    reports.push({
      memoryBytes,
      linearMemoryBytes,
      residentBytes: resident.reduce((sum, { bytes }) => sum + bytes, 0),
      ringBytes: layout.ring?.bytes ?? 0,
      prefillTokensPerSecond: round((promptTokens / prefillMs) * 1000),
      decodeTokensPerSecond: {
        free: round((steps / decodeMs) * 1000),
        grammar: round(middle(calls.map((timings) => (timings.answerTokens / timings.decodeMs) * 1000))),
      },
      callMs: round(middle(calls.map(({ totalMs }) => totalMs)), 1),
    });
  }
  return reports;
}

export function renderBudgets(reports: BudgetReport[]): string {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const rows = reports.map((report) => [
    report.memoryBytes === null ? "resident" : `${mebibytes(report.memoryBytes)} MiB`,
    mebibytes(report.linearMemoryBytes),
    mebibytes(report.residentBytes),
    mebibytes(report.ringBytes),
    report.prefillTokensPerSecond,
    report.decodeTokensPerSecond.free,
    report.decodeTokensPerSecond.grammar,
    report.callMs,
  ]);
  return table([["budget", "linear", "stays", "ring", "prefill/s", "free/s", "grammar/s", "call ms"], ...rows]);
}
