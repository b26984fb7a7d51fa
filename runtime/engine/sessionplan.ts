/** Arenas: one a session, with working buffers, RoPE table and KV caches; and a passing one for reading tools. */
import {
  cacheRecord,
  groupSize,
  inputBytes,
  pad,
  runsBytes,
  sessionRecord,
  sessionRecordBytes,
  tileRows,
} from "../../wasm/abi.ts";
import type { Geometry } from "../pack/pack.ts";
import { count, Planner, type Region } from "./memory.ts";

/** Decoder positions that go through one call at most: bounds the decoder's activations. */
export const stepRows = 32;

/** Rows of a cache come in octets, as the kernels take them. */
export const octet = 8;

/** What the encoder needs. Shapes: x f32 (rows, dModel); ids u32 (rows); rope: abi.ts. */
export interface Scratch {
  regions: Region[];
  record: number;
  ids: number;
  x: number;
  rope: number;
  /** Positions of the RoPE table. */
  positions: number;
  /** f32 (contrastiveDim). */
  contrastive: number;
  dModel: number;
  headDim: number;
  /** Session records, `sessionRecordBytes` apart from `record` on. */
  threads: number;
  endBytes: number;
  words: [offsetBytes: number, value: number][];
}

/** What a session is planned for. */
export interface SessionLimits {
  /** Rows of the prompt; where tools are read apart, of the request. */
  promptTokens: number;
  answerTokens: number;
  /** First encoder layers whose work on an unchanged tool list the session keeps (warm.ts). */
  warmLayers: number;
  /** Rows of kept tools that a request may see, each tool's in whole octets; 0 where tools are part of the prompt. */
  toolRows: number;
  threads: number;
}

/** Pointers of one session. Shapes: x f32 (prompt, dModel); step f32 (stepRows, dModel); logits f32 (vocabSize). */
export interface SessionPlan extends Scratch, SessionLimits {
  step: number;
  logits: number;
  mask: number;
  /** What `argmax` says beside the index. */
  choice: number;
  encoderCache: number;
  /** Caches of the first encoder layers and their output, f32 (prompt, dModel), where a session keeps them. */
  warmCaches: number[];
  warmX: number;
  selfCaches: number[];
  crossCaches: number[];
  /** Runs (abi.ts) of the offered tools' caches by layer; none where tools are part of the prompt. */
  encoderRuns: number[];
  crossRuns: number[];
}

/** Plans one session's arena from `startBytes` on. */
export function planSession(geometry: Geometry, limits: SessionLimits, startBytes = 0): SessionPlan {
  const { vocabSize, dModel, nEncoderLayers, nDecoderLayers } = geometry;
  const { promptTokens, answerTokens, warmLayers, toolRows, threads } = limits;
  const planner = new Planner(startBytes);
  // One position of the answer is the EOS that starts the decoder.
  const positions = Math.max(promptTokens, answerTokens + 1);
  const keys = Math.max(pad(promptTokens, octet) + toolRows, answerTokens + 1);
  const scratch = planScratch(planner, geometry, { rows: promptTokens, positions, keys, threads });
  const buffer = (name: string, bytes: number) => planner.region(`session ${name}`, bytes);
  const cache = (name: string, tokens: number) => planCache(planner, geometry, `session ${name}`, tokens);
  const runs = (name: string, layers: number) =>
    count(toolRows ? layers : 0, (i) => buffer(`${name}.${i} runs`, runsBytes(toolRows / octet)));
  return {
    ...scratch,
    promptTokens,
    answerTokens,
    warmLayers,
    toolRows,
    ids: buffer("ids", Math.max(promptTokens, stepRows) * 4),
    step: buffer("step", pad(stepRows, tileRows) * dModel * 4),
    logits: buffer("logits", pad(vocabSize, 4) * 4),
    mask: buffer("mask", pad(vocabSize, 32) / 8),
    choice: buffer("choice", 16),
    encoderCache: cache("encoder", promptTokens),
    warmCaches: count(warmLayers, (i) => cache(`encoder.${i}`, promptTokens)),
    warmX: warmLayers ? buffer("warm x", promptTokens * dModel * 4) : 0,
    selfCaches: count(nDecoderLayers, (i) => cache(`decoder.${i} self`, answerTokens + 1)),
    crossCaches: count(nDecoderLayers, (i) => cache(`decoder.${i} cross`, promptTokens)),
    encoderRuns: runs("encoder", nEncoderLayers),
    crossRuns: runs("cross", nDecoderLayers),
    endBytes: planner.endBytes,
  };
}

/** Plans a passing arena for reading tools, `rows` of them side by side, the longest of `keys` rows from `toolAt` on. */
export function planReader(
  geometry: Geometry,
  { rows, keys, toolAt, threads }: { rows: number; keys: number; toolAt: number; threads: number },
  startBytes = 0,
): Scratch {
  const planner = new Planner(startBytes);
  const scratch = planScratch(planner, geometry, { rows, positions: toolAt + keys, keys, threads });
  return { ...scratch, ids: planner.region("session ids", rows * 4), endBytes: planner.endBytes };
}

/** Records and working buffers of each thread, the RoPE table, x. */
function planScratch(
  planner: Planner,
  geometry: Geometry,
  { rows, positions, keys, threads }: { rows: number; positions: number; keys: number; threads: number },
): Omit<Scratch, "ids"> {
  const { vocabSize, dModel, nHeads, nKvHeads, contrastiveHidden, contrastiveDim } = geometry;
  const headDim = dModel / nHeads;
  const keyCapacity = pad(keys, octet);
  const yWidth = pad(Math.max(dModel, contrastiveHidden, contrastiveDim), groupSize);
  const buffer = (name: string, bytes: number) => planner.region(`session ${name}`, bytes);
  const record = buffer("records", threads * sessionRecordBytes);
  const rope = buffer("rope", positions * headDim * 4);
  for (let thread = 0; thread < threads; thread++) {
    const own = (name: string, bytes: number) => buffer(thread ? `thread ${thread} ${name}` : name, bytes);
    planner.set(record + thread * sessionRecordBytes, sessionRecord, {
      dModel,
      nHeads,
      nKvHeads,
      headDim,
      vocabSize,
      rope,
      yWidth,
      y: own("y", tileRows * yWidth * 4),
      a: own("a", inputBytes(tileRows, yWidth)),
      // A pair of 16-bit integers "each" takes 16 bytes.
      q: own("q", tileRows * dModel * 8),
      qScale: own("qScale", tileRows * nHeads * 4),
      keyCapacity,
      scores: own("scores", tileRows * keyCapacity * 4),
      p: own("p", tileRows * keyCapacity * 8),
      pScale: own("pScale", tileRows * 4),
      vScale: own("vScale", keyCapacity * 4),
      att: own("att", tileRows * yWidth * 4),
    });
  }
  return {
    regions: planner.regions,
    record,
    rope,
    positions,
    x: buffer("x", pad(rows, tileRows) * dModel * 4),
    contrastive: buffer("contrastive", pad(contrastiveDim, 8) * 4),
    dModel,
    headDim,
    threads,
    endBytes: planner.endBytes,
    words: planner.words,
  };
}

/** Plans keys and values of one layer for so many positions; returns the place of the `cacheRecord`. `most`: see there. */
export function planCache(planner: Planner, geometry: Geometry, name: string, tokens: number, most = 0): number {
  const { dModel, nHeads, nKvHeads } = geometry;
  const capacity = pad(tokens, octet);
  const integers = nKvHeads * capacity * (dModel / nHeads) * 2;
  const scales = nKvHeads * capacity * 4;
  return planner.record(`${name} record`, cacheRecord, {
    k: planner.region(`${name} k`, integers),
    v: planner.region(`${name} v`, integers),
    kScale: planner.region(`${name} kScale`, scales),
    vScale: planner.region(`${name} vScale`, scales),
    capacity,
    keys: tokens,
    most,
  });
}

/**
 * Moves every thread's start of the RoPE table so that the kernels, which index it by row, find row `start` at `position`.
 */
export function turnRope(memory: WebAssembly.Memory, scratch: Scratch, start: number, position: number): void {
  const view = new DataView(memory.buffer);
  for (let thread = 0; thread < scratch.threads; thread++) {
    const at = scratch.record + thread * sessionRecordBytes + 4 * sessionRecord.indexOf("rope");
    view.setUint32(at, scratch.rope + (position - start) * scratch.headDim * 4, true);
  }
}
