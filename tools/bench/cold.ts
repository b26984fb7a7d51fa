/** What a process costs that starts, loads and answers once: CPU time and memory by phase, beside a process that does nothing. */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { table } from "../command.ts";
import { startOnce } from "../profile/coldstart.ts";
import type { Subject } from "../profile/measure.ts";
import type { Taken } from "./oneshot-child.ts";
import { middle, round } from "./runs.ts";

export interface ColdReport {
  runs: number;
  /** A process of the same host that tells what it took and ends. */
  bare: Phase;
  /** In order; README.md of tools/profile says what each is. */
  phases: Phase[];
  /** CPU time from nothing to the first answer, and of the load alone: from the header to the weights. */
  cpuMs: number;
  loadCpuMs: number;
  /** The same request as `thimble run` answers it, which leaves out what measures and, on V8, what optimises JavaScript. */
  oneShot: Phase & { answer: string };
}

interface Phase {
  phase: string;
  /** CPU time, which other processes do not add to, and time by the clock. */
  cpuMs: number;
  ms: number;
  /** Resident at the end of it. */
  rssBytes: number;
}

const ownLoad = ["header", "kernels", "tokenizer and session", "weights"];

/** Medians of a number of starts, each beside a bare process. */
export function measureCold(subject: Subject, runs: number): ColdReport {
  const turns = Array.from({ length: runs }, () => ({
    bare: startBare(),
    phases: startOnce(subject),
    oneShot: runOnce(subject),
  }));
  const medians = (phase: string, of: (typeof turns)[number]["phases"]): Phase => ({
    phase,
    cpuMs: round(middle(of.map(({ cpuMs }) => cpuMs)), 1),
    ms: round(middle(of.map(({ ms }) => ms)), 1),
    rssBytes: middle(of.map(({ rssBytes }) => rssBytes)),
  });
  const sum = (names: readonly string[]) =>
    middle(
      turns.map(({ phases }) =>
        phases.filter(({ phase }) => names.includes(phase)).reduce((total, { cpuMs }) => total + cpuMs, 0),
      ),
    );
  const names = turns[0].phases.map(({ phase }) => phase);
  return {
    runs,
    bare: medians(
      "bare process",
      turns.map(({ bare }) => bare),
    ),
    phases: names.map((phase, i) =>
      medians(
        phase,
        turns.map(({ phases }) => phases[i]),
      ),
    ),
    cpuMs: round(sum(names), 1),
    loadCpuMs: round(sum(ownLoad), 1),
    oneShot: {
      ...medians(
        "thimble run",
        turns.map(({ oneShot }) => oneShot),
      ),
      answer: turns[0].oneShot.answer,
    },
  };
}

type Start = ReturnType<typeof startOnce>[number];

function startBare(): Start {
  const script = `const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() }));`;
  const startMs = performance.now();
  const told = JSON.parse(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" }));
  return { phase: "bare", ms: performance.now() - startMs, ...told };
}

/** Throws: Error with what the command says where it fails. */
function runOnce({ build, path, request, tools }: Subject): Start & { answer: string } {
  const child = fileURLToPath(new URL(`./oneshot-child${import.meta.url.slice(-3)}`, import.meta.url));
  const args = [child, "run", request, "--tools", "-", "--model", path, ...(build ? ["--kernels", build] : [])];
  const startMs = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: tools, encoding: "utf8" });
  const ms = performance.now() - startMs;
  if (status !== 0) throw new Error(`bench --cold: expected an answer of thimble run, got ${stderr.trim()}`);
  const taken: Taken = JSON.parse(stderr.slice(stderr.lastIndexOf("{")));
  return { phase: "run", ms, ...taken, answer: stdout.trim() };
}

export function renderCold({ runs, bare, phases, cpuMs, loadCpuMs, oneShot }: ColdReport): string {
  const row = ({ phase, cpuMs, ms, rssBytes }: Phase) => [
    phase,
    `${cpuMs.toFixed(1)} ms CPU`,
    `${ms.toFixed(1)} ms by the clock`,
    `${(rssBytes / 2 ** 20).toFixed(1)} MiB RSS`,
  ];
  return table([
    row(bare),
    ...phases.map(row),
    [`medians of ${runs}`, `${cpuMs.toFixed(1)} ms CPU`, `of which load ${loadCpuMs.toFixed(1)}`, ""],
    row(oneShot),
  ]);
}
