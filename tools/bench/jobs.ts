/**
 * The kernels of the probe module (wasm/build.ts), each with what it reads and a place of its own for what it writes: no
 * job's output is another's input, so that none is slowed by the bytes that one before it left.
 */
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { packScales } from "../../runtime/pack/quant.ts";
import {
  type BuildName,
  buildNames,
  embeddingBlockBytes,
  embeddingBytes,
  groupSize,
  inputBytes,
  matrixBytes,
  memoryImport,
  octetBytes,
  outputTile,
  pad,
  rowVariants,
} from "../../wasm/abi.ts";

/** One thing to time. `bytes`: those that cannot be in a cache from the turn before. */
export interface Job {
  name: string;
  macs?: number;
  peak?: "nibble" | "pair";
  bytes?: number;
  /** What it writes. */
  output: Place;
  run(): void;
}

/** Bytes of the probe's memory. */
interface Place {
  at: number;
  bytes: number;
}

type Probe = Record<string, (...args: number[]) => number>;

/** The published 26M: rows of 512, heads of 64, 8,192 tokens, after 271 prompt tokens. */
export const [dModel, headDim, vocabSize, keys] = [512, 64, 8192, 271];
const capacity = 384;
const keyBytes = 4 * pad(keys, 8);
/** As many different matrices as a decode step of the 26M reads. */
const matrices = 40;
const matrix = matrixBytes(dModel, dModel);
const stepBytes = matrices * matrix;
const groups = dModel / groupSize;
/** Dot products that a turn of a peak takes, and turns. Source: wasm/kernels/peaks.ts. */
const [dotsATurn, peakTurns] = [24, 4096];

export interface Jobs {
  memory: WebAssembly.Memory;
  inputs: Inputs;
  /** Dot products of 8 bits, of 16, and reading. */
  peaks: [Job, Job, Job];
  kernels: Job[];
}

/** What a job is made of. */
interface Parts {
  build: BuildName;
  memory: WebAssembly.Memory;
  probe: Probe;
  inputs: Inputs;
  /** Bytes of a value that stands for every lane. */
  eachBytes: number;
  take(bytes: number): Place;
}

/** Sets the kernels of one build up to run alone. */
export async function openJobs(build: BuildName): Promise<Jobs> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1024 });
  let end = 1024;
  const take = (bytes: number): Place => {
    const at = end;
    end = pad(end + bytes, 64);
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    return { at, bytes };
  };
  const inputs = placeInputs(take);
  fill(memory, inputs);
  const probe = await openProbe(build, memory);
  const parts: Parts = { build, memory, probe, inputs, eachBytes: build === "scalar" ? 4 : 16, take };
  const variants = rowVariants.filter((rows) => `matmul_${rows}` in probe);
  // First, so that all that is written lies after all inputs.
  const peaks = peakJobs(parts);
  const kernels = [
    ...variants.map((rows) => matmulJob(parts, rows)),
    ...variants.map((rows) => attentionJob(parts, rows)),
    ...otherJobs(parts),
  ];
  return { memory, inputs, peaks, kernels };
}

async function openProbe(build: BuildName, memory: WebAssembly.Memory): Promise<Probe> {
  // Lengths as u32, in the order of `buildNames`, then the modules.
  const all = Uint8Array.from(
    brotliDecompressSync(readFileSync(new URL("../../wasm/built/probes.br", import.meta.url))),
  );
  const lengths = [...new Uint32Array(all.buffer, 0, buildNames.length)];
  const n = buildNames.indexOf(build);
  const start = lengths.slice(0, n).reduce((sum, length) => sum + length, 4 * lengths.length);
  const bytes = all.slice(start, start + lengths[n]);
  const imports = { [memoryImport.module]: { [memoryImport.base]: memory } };
  return (await WebAssembly.instantiate(bytes, imports)).instance.exports as unknown as Probe;
}

/** Where the jobs read, and nothing writes. */
type Inputs = ReturnType<typeof placeInputs>;

function placeInputs(take: Parts["take"]) {
  return {
    /** `matrices` of them, dModel × dModel. */
    weights: take(stepBytes).at,
    /** The embedding: int8 (vocabSize, dModel). */
    table: take(embeddingBytes(vocabSize, dModel)).at,
    /** Four rows f32 (dModel), and the gains of a norm. */
    x: take(4 * 4 * dModel).at,
    gains: take(4 * dModel).at,
    /** Queries of four rows, or one as wide as the table; scales of 1. */
    q: take(16 * 4 * headDim).at,
    ones: take(16 * 4).at,
    k: take(2 * capacity * headDim).at,
    v: take(2 * capacity * headDim).at,
    kScale: take(4 * capacity).at,
    vScale: take(4 * capacity).at,
    values: take(4 * vocabSize).at,
  };
}

/** Plausible numbers: floats that are denormal or not numbers would cost time of their own. */
function fill(memory: WebAssembly.Memory, inputs: Inputs): void {
  const words = new Uint32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  let seed = 1;
  const next = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed;
  };
  const blocks = (at: number, bytes: number, block: number, isScale: (word: number) => boolean) => {
    for (let i = 0; i < bytes / 4; i++) {
      if (isScale(i % (block / 4))) floats[at / 4 + i] = 0.01;
      else words[at / 4 + i] = next();
    }
  };
  const { weights, table, x, gains, q, ones, k, v, kScale, vScale, values } = inputs;
  for (let at = weights; at < weights + stepBytes; at += 4) words[at / 4] = next();
  const scales = new Float32Array(outputTile * groups).fill(0.01);
  const all = new Uint8Array(memory.buffer);
  for (let octet = weights; octet < weights + stepBytes; octet += octetBytes(dModel))
    packScales(scales, groups, all, octet);
  blocks(table, embeddingBytes(vocabSize, dModel), embeddingBlockBytes(dModel), (word) => word < 4);
  const integers = new Int16Array(memory.buffer);
  for (const [at, n] of [
    [q, 8 * 4 * headDim],
    [k, capacity * headDim],
    [v, capacity * headDim],
  ])
    for (let i = 0; i < n; i++) integers[at / 2 + i] = (next() >> 20) - 2048;
  for (const [at, n] of [
    [x, 4 * dModel],
    [gains, dModel],
    [values, vocabSize],
  ])
    for (let i = 0; i < n; i++) floats[at / 4 + i] = next() / 2 ** 32 - 0.5;
  floats.fill(1, ones / 4, ones / 4 + 16);
  for (const at of [kScale, vScale]) floats.fill(3e-4, at / 4, at / 4 + capacity);
}

function peakJobs({ build, memory, probe, inputs, eachBytes, take }: Parts): [Job, Job, Job] {
  const dots = (["nibble", "pair"] as const).map((name): Job => {
    const output = take(16 * eachBytes);
    new Uint8Array(memory.buffer, output.at, output.bytes).fill(1);
    // A nibble dot of bytes takes four inputs of four outputs, any other two.
    const macs = 4 * ((build === "relaxed" || build === "dot") && name === "nibble" ? 4 : 2);
    const run = () => void probe[`${name}_peak`](output.at, peakTurns);
    return { name, macs: dotsATurn * macs * peakTurns, output, run };
  });
  const output = take(eachBytes);
  const run = () => void probe.read_peak(inputs.weights, stepBytes, output.at);
  return [dots[0], dots[1], { name: "read", bytes: stepBytes, output, run }];
}

function matmulJob({ probe, inputs, eachBytes, take }: Parts, rows: number): Job {
  const stages: Record<number, string> = { 1: "decode projection", 2: "forced run's projection" };
  const a = take(inputBytes(rows, dModel)).at;
  const output = take(4 * dModel * rows);
  for (let t = 0; t < rows; t++) probe.quantize(inputs.x + 4 * dModel * t, dModel, rows, a + eachBytes * t);
  let turn = 0;
  return {
    name: `matmul_${rows}: ${stages[rows] ?? "prefill projection"}`,
    macs: rows * dModel * dModel,
    peak: "nibble",
    bytes: matrix,
    output,
    run() {
      const w = inputs.weights + turn * matrix;
      turn = (turn + 1) % matrices;
      probe[`matmul_${rows}`](w, a, groups, dModel, output.at, 4 * dModel, 1, 0);
    },
  };
}

function attentionJob({ probe, inputs, eachBytes, take }: Parts, rows: number): Job {
  const { q, ones, k, kScale, v, vScale } = inputs;
  const scores = take(4 * capacity * rows).at;
  const p = take((eachBytes * capacity * rows) / 2).at;
  const pScale = take(4 * rows).at;
  const output = take(4 * headDim * rows);
  return {
    name: `attention_${rows}: a head, ${keys} keys`,
    macs: rows * 2 * keys * headDim,
    peak: "pair",
    output,
    run() {
      probe[`scores_${rows}`](q, ones, k, kScale, headDim, keyBytes, scores, 4 * capacity);
      for (let t = 0; t < rows; t++)
        probe.softmax(scores + 4 * capacity * t, keyBytes, vScale, p + eachBytes * t, eachBytes * rows, pScale + 4 * t);
      probe[`values_${rows}`](p, pScale, v, 8 * capacity, headDim, keyBytes, output.at, 4 * headDim, 0);
    },
  };
}

function otherJobs({ probe, inputs, eachBytes, take }: Parts): Job[] {
  const { table, x, gains, q, ones, k, kScale, vScale, values } = inputs;
  const job = (name: string, bytes: number, run: (at: number) => void, rest: Partial<Job> = {}): Job => {
    const output = take(bytes);
    return { name, output, run: () => run(output.at), ...rest };
  };
  // Softmax leaves its weights where the scores were: after its first turn it weighs those.
  const [row, pScale] = [take(keyBytes).at, take(4).at];
  probe.scores_1(q, ones, k, kScale, headDim, keyBytes, row, 0);
  return [
    job(
      "logit_rows: the vocabulary",
      4 * vocabSize,
      (at) => probe.logit_rows(table, q, ones, dModel, vocabSize, 0, at),
      { macs: vocabSize * dModel, peak: "pair", bytes: vocabSize * (dModel + 4) },
    ),
    job("argmax: the vocabulary", 16, (at) => probe.argmax(values, vocabSize, at)),
    job(`softmax: a row of ${keys}`, (eachBytes * pad(keys, 8)) / 2, (at) =>
      probe.softmax(row, keyBytes, vScale, at, eachBytes, pScale),
    ),
    job(`rms_norm: a row of ${dModel}`, 4 * dModel, (at) => probe.rms_norm(x, gains, dModel, at)),
    job(`quantize: a row of ${dModel}`, inputBytes(1, dModel), (at) => probe.quantize(x, dModel, 1, at)),
  ];
}
