/**
 * The roofline of a host: what its WebAssembly multiplies and reads at most, and each kernel's share of that.
 *
 * Kernels run alone, on the 26M geometry, out of the probe module (wasm/build.ts): the kernel module's own functions, all
 * exported, beside `nibble_peak`, `pair_peak` and `read_peak`. A kernel's bound is the roof that it reaches first: its
 * multiply-accumulates at the peak of the dot product it uses, or the bytes it must bring from beyond the caches.
 */
import type { BuildName } from "../../wasm/abi.ts";
import { table } from "../command.ts";
import { type Job, openJobs } from "./jobs.ts";
import { round } from "./runs.ts";

export interface Roofline {
  isa: BuildName;
  /** 10⁹ multiply-accumulates a second in registers: of int8 by nibbles, and of 16-bit integers. */
  nibblePeak: number;
  pairPeak: number;
  /** 10⁹ bytes a second, in order, out of as many as a decode step of the 26M reads: more than caches near a core hold. */
  readPeak: number;
  kernels: KernelTime[];
}

interface KernelTime {
  name: string;
  micros: number;
  gmacPerSecond: number | null;
  gigabytesPerSecond: number | null;
  /** Share of the nearer roof, which is `roof`. */
  share: number | null;
  roof: "dot" | "read" | null;
}

/** Measures one build. `runs`: rounds over all kernels; each kernel's best counts, since a busy host only adds. */
export async function roofline(build: BuildName, runs: number): Promise<Roofline> {
  const { peaks, kernels } = await openJobs(build);
  const jobs = [...peaks, ...kernels];
  const micros = await times(jobs, runs);
  const rate = (amount: number | undefined, i: number) => (amount ? amount / micros[i] / 1000 : null);
  const [nibblePeak, pairPeak, readPeak] = peaks.map((peak, i) => rate(peak.macs ?? peak.bytes, i) as number);

  const timed = jobs.map((job, i): KernelTime => {
    const [gmac, gigabytes] = [rate(job.macs, i), rate(job.bytes, i)];
    const shares = [
      ["dot", (gmac ?? 0) / (job.peak === "pair" ? pairPeak : nibblePeak)],
      ["read", (gigabytes ?? 0) / readPeak],
    ] as const;
    const [roof, share] = shares[0][1] >= shares[1][1] ? shares[0] : shares[1];
    return {
      name: job.name,
      micros: round(micros[i], 2),
      gmacPerSecond: gmac && round(gmac, 1),
      gigabytesPerSecond: gigabytes && round(gigabytes, 1),
      share: share ? round(share, 3) : null,
      roof: share ? roof : null,
    };
  });
  return {
    isa: build,
    nibblePeak: round(nibblePeak, 1),
    pairPeak: round(pairPeak, 1),
    readPeak: round(readPeak, 1),
    kernels: timed.slice(peaks.length),
  };
}

/** Least CPU time of a measurement: a thousand times what the clock tells apart. */
const leastMicros = 8000;

/**
 * Best microseconds of each job, in rounds over all of them, after the host has compiled them for good. Of CPU time, and
 * over many turns at once: other processes and the reading of the clock are no part of a kernel.
 */
async function times(jobs: Job[], runs: number): Promise<number[]> {
  for (const job of jobs) {
    const end = performance.now() + 150;
    while (performance.now() < end) job.run();
    // Compilers work beside us.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const turns = jobs.map((job) => {
    let n = 1;
    while (cpuMicros(job, n) < leastMicros) n *= 2;
    return n;
  });
  const best = jobs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < runs; round++) {
    for (const [i, job] of jobs.entries()) best[i] = Math.min(best[i], cpuMicros(job, turns[i]) / turns[i]);
  }
  return best;
}

function cpuMicros(job: Job, turns: number): number {
  const start = process.cpuUsage();
  for (let i = 0; i < turns; i++) job.run();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

export function renderRoofline({ isa, nibblePeak, pairPeak, readPeak, kernels }: Roofline): string {
  const number = (value: number | null, unit: string) => (value === null ? "" : `${value.toFixed(1)} ${unit}`);
  return table([
    [`${isa}: peaks`, "", `${nibblePeak} (8 bit), ${pairPeak} (16 bit) GMAC/s`, `${readPeak} GB/s`, ""],
    ...kernels.map(({ name, micros, gmacPerSecond, gigabytesPerSecond, share, roof }) => [
      name,
      `${micros.toFixed(2)} µs`,
      number(gmacPerSecond, "GMAC/s"),
      number(gigabytesPerSecond, "GB/s"),
      share === null ? "" : `${(100 * share).toFixed(0)}% of ${roof}`,
    ]),
  ]);
}
