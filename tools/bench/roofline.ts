/**
 * The roofline of a host: what its WebAssembly multiplies and reads at most, and each kernel's share of that.
 *
 * Kernels run alone, on the 26M geometry, out of the probe module (wasm/build.ts): the kernel module's own functions, all
 * exported, beside `nibble_peak`, `pair_peak` and `read_peak`. A kernel's bound is the roof that it reaches first: its
 * multiply-accumulates at the peak of the dot product it uses, or the bytes it must bring from beyond the caches.
 */
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { type BuildName, blockBytes, groupSize, matrixBytes, memoryImport, pad, runBytes } from "../../wasm/abi.ts";
import { table } from "../command.ts";
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

/** One thing to time. `bytes`: those that cannot be in a cache from the turn before. */
interface Job {
  name: string;
  macs?: number;
  peak?: "nibble" | "pair";
  bytes?: number;
  run(): void;
}

type Probe = Record<string, (...args: number[]) => number>;

/** The published 26M: rows of 512, heads of 64, 8,192 tokens, after 271 prompt tokens. */
const [dModel, headDim, vocabSize, keys] = [512, 64, 8192, 271];
const capacity = 384;
/** As many different matrices as a decode step of the 26M reads. */
const matrices = 40;
const stepBytes = matrices * matrixBytes(dModel, dModel);

// Places in the probe's memory.
const [places, x, a, y, q, scores, p] = [1024, 4096, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 3 << 18];
const [k, v, kScale, vScale, weights] = [1 << 20, 3 << 19, 1 << 21, (1 << 21) + 8192, 4 << 20];
const weightBytes = 8 << 20;

/** Measures one build. `runs`: rounds over all kernels; each kernel's best counts, since a busy host only adds. */
export async function roofline(build: BuildName, runs: number): Promise<Roofline> {
  const memory = new WebAssembly.Memory({ initial: 192, maximum: 65536 });
  const file = new URL(`../../wasm/built/probe/${build}.wasm.br`, import.meta.url);
  const bytes = Uint8Array.from(brotliDecompressSync(readFileSync(file)));
  const imports = { [memoryImport.module]: { [memoryImport.base]: memory } };
  const probe = (await WebAssembly.instantiate(bytes, imports)).instance.exports as unknown as Probe;
  const variants = [1, 2, 4].filter((rows) => `matmul_${rows}` in probe);
  const eachBytes = build === "scalar" ? 4 : 16;
  fill(memory, probe, variants.at(-1) as number, eachBytes);

  // A nibble dot of the relaxed build takes four inputs of four outputs, any other two.
  const macsOf = (dot: "nibble" | "pair") => 4 * (build === "relaxed" && dot === "nibble" ? 4 : 2);
  const turns = 4096;
  const peaks: Job[] = [
    ...(["nibble", "pair"] as const).map((dot) => ({
      name: dot,
      macs: 24 * macsOf(dot) * turns,
      run: () => void probe[`${dot}_peak`](places, turns),
    })),
    { name: "read", bytes: stepBytes, run: () => void probe.read_peak(weights, stepBytes) },
  ];
  const jobs = [...peaks, ...kernelJobs(probe, variants, eachBytes)];
  const micros = await times(jobs, runs);
  const rate = (amount: number | undefined, i: number) => (amount ? amount / micros[i] / 1000 : null);
  const [nibblePeak, pairPeak, readPeak] = peaks.map((peak, i) => rate(peak.macs ?? peak.bytes, i) as number);

  const kernels = jobs.map((job, i): KernelTime => {
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
    kernels: kernels.slice(peaks.length),
  };
}

/** Plausible numbers everywhere: floats that are denormal or not numbers would cost time of their own. */
function fill(memory: WebAssembly.Memory, probe: Probe, rows: number, eachBytes: number): void {
  const words = new Uint32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  let seed = 1;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  for (let i = 0; i < weightBytes / 4; i++) {
    const scale = i % (blockBytes / 4) >= runBytes;
    if (scale) floats[weights / 4 + i] = 0.01;
    else words[weights / 4 + i] = next();
  }
  const small = new Int16Array(memory.buffer);
  for (const [at, n] of [
    [q, 1 << 15],
    [k, capacity * headDim],
    [v, capacity * headDim],
  ]) {
    for (let i = 0; i < n; i++) small[at / 2 + i] = (next() >> 20) - 2048;
  }
  floats.fill(3e-4, kScale / 4, kScale / 4 + 4096);
  floats.fill(1, places / 4, places / 4 + 16);
  for (let i = 0; i < dModel * 2; i++) floats[x / 4 + i] = next() / 2 ** 32 - 0.5;
  for (let t = 0; t < rows; t++) probe.quantize(x, dModel, rows, a + t * eachBytes);
}

function kernelJobs(probe: Probe, variants: number[], eachBytes: number): Job[] {
  const matrix = matrixBytes(dModel, dModel);
  let turn = 0;
  const widest = variants.at(-1);
  return [
    ...variants.map((rows): Job => {
      const stage =
        rows === 1 ? "decode projection" : rows === widest ? "prefill projection" : "forced run's projection";
      return {
        name: `matmul_${rows}: ${stage}`,
        macs: rows * dModel * dModel,
        peak: "nibble",
        bytes: matrix,
        run() {
          turn = (turn + 1) % matrices;
          probe[`matmul_${rows}`](weights + turn * matrix, a, dModel / groupSize, dModel, y, 4 * dModel, 1, 0);
        },
      };
    }),
    ...variants.map(
      (rows): Job => ({
        name: `attention_${rows}: a head, ${keys} keys`,
        macs: rows * 2 * keys * headDim,
        peak: "pair",
        run() {
          const keyBytes = 4 * pad(keys, 8);
          probe[`scores_${rows}`](q, places, k, kScale, headDim, keyBytes, scores, 4 * capacity);
          for (let t = 0; t < rows; t++) {
            const row = scores + 4 * capacity * t;
            probe.softmax(row, keyBytes, vScale, p + t * eachBytes, rows * eachBytes, places + 64 + 4 * t);
          }
          probe[`values_${rows}`](p, places + 64, v, 8 * capacity, headDim, keyBytes, y, 2048, 0);
        },
      }),
    ),
    {
      name: "logit_rows: the vocabulary",
      macs: vocabSize * dModel,
      peak: "pair",
      bytes: vocabSize * (dModel + 4),
      run: () => void probe.logit_rows(weights, q, places, dModel, vocabSize, 0, y),
    },
    { name: "argmax: the vocabulary", run: () => void probe.argmax(y, vocabSize, places + 128) },
    {
      name: `softmax: a row of ${keys}`,
      run: () => void probe.softmax(scores, 4 * 272, vScale, p, 64, places + 64),
    },
    { name: `rms_norm: a row of ${dModel}`, run: () => void probe.rms_norm(x, x + 4 * dModel, dModel, y) },
    { name: `quantize: a row of ${dModel}`, run: () => void probe.quantize(x, dModel, 1, a) },
  ];
}

/** Best microseconds of each job, in rounds over all of them, after the host has compiled them for good. */
async function times(jobs: Job[], runs: number): Promise<number[]> {
  for (const job of jobs) {
    const end = performance.now() + 150;
    while (performance.now() < end) job.run();
    // Compilers work beside us.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const best = jobs.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < runs; round++) {
    for (const [i, job] of jobs.entries()) {
      const start = performance.now();
      let n = 0;
      let elapsed = 0;
      do {
        job.run();
        n++;
        elapsed = performance.now() - start;
      } while (elapsed < 8);
      best[i] = Math.min(best[i], (elapsed / n) * 1000);
    }
  }
  return best;
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
