/** Cold starts: a process each, from nothing to the first answer. Pack and code come from the system's file cache. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { percentile } from "../eval/statistics.ts";
import type { Mark } from "./coldstart-child.ts";
import type { Subject } from "./measure.ts";
import type { Report } from "./report.ts";

/** One start, phase by phase; `cpuMs` of each phase. */
export function startOnce({
  build,
  path,
  promptTokens,
  request,
  tools,
}: Subject): (Omit<Mark, "endMs"> & { ms: number })[] {
  // The child is named as this file is: .ts in the source, .js in the package.
  const child = fileURLToPath(new URL(`./coldstart-child${import.meta.url.slice(-3)}`, import.meta.url));
  const args = [child, build ?? "", path, String(promptTokens), request];
  const startMs = performance.timeOrigin + performance.now();
  const marks: Mark[] = JSON.parse(execFileSync(process.execPath, args, { input: tools, encoding: "utf8" }));
  return marks.map(({ phase, endMs, cpuMs, rssBytes }, i) => ({
    phase,
    ms: endMs - (marks[i - 1]?.endMs ?? startMs),
    cpuMs: cpuMs - (marks[i - 1]?.cpuMs ?? 0),
    rssBytes,
  }));
}

/** Medians of a number of starts, phase by phase. */
export function coldStart(runs: number, subject: Subject): Report["coldStart"] {
  const starts = Array.from({ length: runs }, () => startOnce(subject));
  const median = (values: number[]) => percentile(values, 0.5) as number;
  return {
    runs,
    totalMs: median(starts.map((phases) => phases.reduce((sum, { ms }) => sum + ms, 0))),
    phases: starts[0].map(({ phase }, i) => ({
      phase,
      ms: median(starts.map((phases) => phases[i].ms)),
      rssBytes: median(starts.map((phases) => phases[i].rssBytes)),
    })),
  };
}
