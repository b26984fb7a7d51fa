/** The run: cold starts, then calls in pairs, one as it is and one timed kernel by kernel, with the system read in between. */
import { basename } from "node:path";
import { detectBuild } from "../../runtime/engine/kernels.ts";
import type { Session } from "../../runtime/session.ts";
import { load } from "../../runtime/thimble.ts";
import type { BuildName, Kernels } from "../../wasm/abi.ts";
import { percentile } from "../eval/statistics.ts";
import { allocations } from "./allocations.ts";
import { describeBoard } from "./board.ts";
import { coldStart } from "./coldstart.ts";
import type { Line, Percentiles, Report } from "./report.ts";
import { findSensors, type Sensors } from "./system.ts";
import { type Slot, startNow, Timeline } from "./timeline.ts";
import { Watch } from "./watch.ts";

/** What is measured. */
export interface Subject {
  /** The pack's path. */
  path: string;
  /** The fastest that the host runs unless named. */
  build: BuildName | undefined;
  promptTokens: number;
  request: string;
  /** The tools' text. */
  tools: string;
}

export interface Extent {
  /** Calls that count, at least. */
  calls: number;
  /** Seconds of calls, at least. */
  seconds: number;
  coldStarts: number;
  /** Gets the share that is done, 0 to 1. */
  onProgress?: (share: number) => void;
}

const warmUpCalls = 5;
const driftWindows = 10;
const answerTokens = 128;

/** Measures a pack. Throws: what `load` and `call` throw; Error for a pack that only the reference kernels run. */
export async function measure(subject: Subject, extent: Extent, command: string, root = "/"): Promise<Report> {
  const build = subject.build ?? detectBuild();
  let kernels = {} as Kernels;
  const thimble = await load(subject.path, {
    promptTokens: subject.promptTokens,
    answerTokens,
    kernels: (memory) => {
      kernels = startNow(build, memory);
      return kernels;
    },
  });
  const { header } = thimble;
  const { layout, memory } = thimble.inside;
  if (header.format !== "int4")
    throw new Error(`header.weights: expected int4, got ${header.format}, which only the reference kernels run`);
  // A request or tools that cannot be answered fail here, with their own error.
  const { first: session } = thimble;
  await session.call(subject.request, subject.tools);
  const starts = coldStart(extent.coldStarts, subject);
  const { plan } = session;
  const timeline = new Timeline(kernels, layout, plan);
  for (let i = 0; i < warmUpCalls; i++) await session.call(subject.request, subject.tools);

  const run = await runCalls(session, timeline, subject, extent, findSensors(root));
  const { calls, timed, series, unavailable, answer } = run;
  const p50 = percentile(calls.totalMs, 0.5) as number;
  return {
    format: 1,
    date: new Date().toISOString(),
    command,
    board: describeBoard(root),
    model: {
      name: basename(subject.path),
      packBytes: header.fileBytes,
      geometry: header.geometry,
      kernels: build,
    },
    request: { text: subject.request, ...answer },
    coldStart: starts,
    calls: {
      count: calls.totalMs.length,
      total: percentiles(calls.totalMs),
      prefill: percentiles(calls.prefillMs),
      decode: percentiles(calls.decodeMs),
      prefillTokensPerSecond: perSecond(answer.promptTokens, percentile(calls.prefillMs, 0.5)),
      decodeTokensPerSecond: perSecond(answer.answerTokens, percentile(calls.decodeMs, 0.5)),
      startMs: calls.startMs,
      totalMs: calls.totalMs,
    },
    timing: {
      ...clockFacts(),
      calls: timed.accounts.length,
      kernelCalls: timed.kernelCalls,
      overhead: (percentile(timed.extraMs, 0.5) as number) / p50,
    },
    stages: lines(timeline.slots, timed.accounts, ({ stage }) => stage),
    layers: lines(timeline.slots, timed.accounts, ({ layer }) => layer),
    memory: {
      linearBytes: thimble.linearMemoryBytes,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      regions: [...layout.regions, ...plan.regions, ...thimble.inside.kept.regions].sort(
        (a, b) => a.offsetBytes - b.offsetBytes,
      ),
    },
    allocations: await allocations(() => session.call(subject.request, subject.tools), memory),
    system: { ...series, unavailable },
    drift: drift(calls),
    energy: series.powerW.flatMap(({ name, values }) => {
      const known = values.filter((value) => value !== null);
      const meanW = known.reduce((sum, value) => sum + value, 0) / known.length;
      return known.length ? [{ name, meanW, millijoulesPerCall: meanW * p50 }] : [];
    }),
  };
}

interface Calls {
  /** Since the first call. */
  startMs: number[];
  totalMs: number[];
  prefillMs: number[];
  decodeMs: number[];
}

/** Calls until both of the extent's ends are reached. */
async function runCalls(
  session: Session,
  timeline: Timeline,
  { request, tools }: Subject,
  extent: Extent,
  sensors: Sensors,
) {
  const calls: Calls = { startMs: [], totalMs: [], prefillMs: [], decodeMs: [] };
  const timed = { totalMs: [] as number[], extraMs: [] as number[], accounts: [] as Float64Array[], kernelCalls: 0 };
  const watch = new Watch(sensors, extent.seconds);
  const answer = { promptTokens: 0, answerTokens: 0, forcedTokens: 0, calls: 0 };
  const originMs = performance.now();
  watch.read(0);
  const plainCall = async () => {
    const startMs = performance.now();
    const { timings } = await session.call(request, tools);
    const endMs = performance.now();
    calls.startMs.push(startMs - originMs);
    calls.totalMs.push(endMs - startMs);
    calls.prefillMs.push(timings.prefillMs);
    calls.decodeMs.push(timings.decodeMs);
  };
  const timedCall = async () => {
    timeline.start();
    const startMs = performance.now();
    const { timings, calls: answered } = await session.call(request, tools);
    timed.totalMs.push(performance.now() - startMs);
    timed.accounts.push(timeline.stop());
    timed.kernelCalls = timeline.kernelCalls;
    const { promptTokens, answerTokens, forcedTokens } = timings;
    Object.assign(answer, { promptTokens, answerTokens, forcedTokens, calls: answered.length });
  };
  for (let pair = 0; ; pair++) {
    // Now the one first, now the other: what one leaves to the next, such as garbage, falls on both.
    for (const call of pair % 2 ? [timedCall, plainCall] : [plainCall, timedCall]) await call();
    timed.extraMs.push(timed.totalMs[pair] - calls.totalMs[pair]);
    const elapsedMs = performance.now() - originMs;
    watch.readIfDue(elapsedMs);
    const done = Math.min((pair + 1) / extent.calls, extent.seconds ? elapsedMs / extent.seconds / 1000 : 1);
    extent.onProgress?.(Math.min(1, done));
    if (done >= 1) break;
  }
  watch.read(performance.now() - originMs);
  return { calls, timed, answer, series: watch.series, unavailable: sensors.unavailable };
}

function drift({ startMs, totalMs }: Calls): Report["drift"] {
  const spanMs = (startMs.at(-1) as number) + (totalMs.at(-1) as number);
  const windows = Array.from({ length: driftWindows }, (_, i) => {
    const [fromMs, toMs] = [(spanMs * i) / driftWindows, (spanMs * (i + 1)) / driftWindows];
    const within = totalMs.filter((_, call) => startMs[call] >= fromMs && startMs[call] < toMs);
    return { fromMs, toMs, calls: within.length, p50Ms: percentile(within, 0.5) };
  }).filter(({ calls }) => calls);
  const [first, last] = [windows[0].p50Ms as number, windows.at(-1)?.p50Ms as number];
  return { seconds: spanMs / 1000, change: last / first - 1, windows };
}

/** Medians and shares of the slots that have the same name within a part. */
function lines(slots: Slot[], accounts: Float64Array[], nameOf: (slot: Slot) => string | null): Line[] {
  const wholeMs = accounts.reduce((sum, account) => sum + account.reduce((a, b) => a + b, 0), 0);
  const members = new Map<string, { part: Slot["part"]; name: string; places: number[] }>();
  for (const [place, slot] of slots.entries()) {
    const name = nameOf(slot);
    if (name === null) continue;
    const key = `${slot.part} ${name}`;
    const group = members.get(key) ?? { part: slot.part, name, places: [] };
    group.places.push(place);
    members.set(key, group);
  }
  return [...members.values()].map(({ part, name, places }) => {
    const ms = accounts.map((account) => places.reduce((sum, place) => sum + account[place], 0));
    return { part, name, p50Ms: percentile(ms, 0.5) as number, share: ms.reduce((a, b) => a + b, 0) / wholeMs };
  });
}

/** How fine the host's clock is, and what reading it costs: the median of some batches, so that a pause spoils one. */
function clockFacts(): { resolutionMicros: number; readNanos: number } {
  const [batches, reads] = [21, 1000];
  let resolutionMs = Number.POSITIVE_INFINITY;
  const batchMs = Array.from({ length: batches }, () => {
    const startMs = performance.now();
    let lastMs = startMs;
    for (let i = 0; i < reads; i++) {
      const nowMs = performance.now();
      if (nowMs > lastMs) resolutionMs = Math.min(resolutionMs, nowMs - lastMs);
      lastMs = nowMs;
    }
    return lastMs - startMs;
  });
  return { resolutionMicros: resolutionMs * 1000, readNanos: ((percentile(batchMs, 0.5) as number) / reads) * 1e6 };
}

function percentiles(values: number[]): Percentiles {
  const at = (share: number) => percentile(values, share) as number;
  return {
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    leastMs: at(0),
    mostMs: at(1),
  };
}

function perSecond(tokens: number, ms: number | null): number {
  return (tokens / (ms as number)) * 1000;
}
