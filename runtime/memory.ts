/**
 * One plan of linear memory, made before the first token: nothing is allocated while a call runs.
 *
 *   0        64 bytes that nothing points to, so that pointer 0 can mean "none"
 *   64       records of the model: blocks, contrastive head (wasm/abi.ts)
 *   ...      the weights, section after section as in the file
 *   ...      one arena a session: record, working buffers, RoPE table, KV caches
 *
 * Every size follows from the geometry and from two limits: prompt tokens and answer tokens.
 */
import type { Kernels } from "../wasm/abi.ts";
import {
  blockRecord,
  cacheRecord,
  groupSize,
  headRecord,
  inputBlockBytes,
  pad,
  sessionRecord,
  sessionRecordBytes,
  tileRows,
} from "../wasm/abi.ts";
import { CapacityError } from "./errors.ts";
import { type Geometry, type PackHeader, sectionLayouts } from "./pack.ts";

export const pageBytes = 65536;

/** The kernels compare pointers as signed numbers. */
export const mostMemoryBytes = 2 ** 31;

/** Decoder positions that go through one call at most: bounds the decoder's activations. */
export const stepRows = 32;

export interface Region {
  name: string;
  offsetBytes: number;
  bytes: number;
}

/** Pointers of the weights. A block pointer is the place of a `blockRecord`. */
export interface ModelPlan {
  regions: Region[];
  /** Place of each section of the file, in file order. */
  sections: number[];
  table: number;
  encoder: number[];
  encoderNorm: number;
  decoder: { self: number; cross: number }[];
  decoderNorm: number;
  /** Place of the `headRecord`, 0 for none. */
  contrastive: number;
  endBytes: number;
  /** Record words to store, by byte offset. */
  words: [offsetBytes: number, value: number][];
}

/** Pointers of one session. Shapes: x f32 (prompt, dModel); step f32 (stepRows, dModel); logits f32 (vocabSize). */
export interface SessionPlan {
  regions: Region[];
  record: number;
  ids: number;
  x: number;
  step: number;
  logits: number;
  mask: number;
  /** What `argmax` says beside the index. */
  choice: number;
  embedding: number;
  rope: number;
  encoderCache: number;
  /** Caches of the first encoder layers and their output, f32 (prompt, dModel), where a session keeps them (warm.ts). */
  warmCaches: number[];
  warmX: number;
  selfCaches: number[];
  crossCaches: number[];
  promptTokens: number;
  answerTokens: number;
  warmLayers: number;
  /** Session records, `sessionRecordBytes` apart from `record` on. */
  threads: number;
  endBytes: number;
  words: [offsetBytes: number, value: number][];
}

/** What a stage runs on: kernels over a memory that holds a model's weights and a session's buffers. */
export interface Host {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  model: ModelPlan;
  session: SessionPlan;
}

/** Hands out regions of linear memory, each at a multiple of 64. */
class Planner {
  readonly regions: Region[] = [];
  readonly words: [number, number][] = [];
  constructor(public endBytes: number) {}

  region(name: string, bytes: number): number {
    const offsetBytes = pad(this.endBytes, 64);
    this.regions.push({ name, offsetBytes, bytes });
    this.endBytes = offsetBytes + bytes;
    return offsetBytes;
  }

  /** A record whose fields get their values later, from `set`. */
  record<F extends string>(name: string, fields: readonly F[], values: Partial<Record<F, number>>): number {
    const at = this.region(name, fields.length * 4);
    this.set(at, fields, values);
    return at;
  }

  set<F extends string>(record: number, fields: readonly F[], values: Partial<Record<F, number>>): void {
    for (const [field, value] of Object.entries(values))
      this.words.push([record + 4 * fields.indexOf(field as F), value as number]);
  }
}

/** Plans the records and weights of a model. */
export function planModel(header: Pick<PackHeader, "geometry" | "weights">): ModelPlan {
  const { geometry } = header;
  const planner = new Planner(64);
  const block = (name: string) => planner.record(name, blockRecord, {});
  const encoder = count(geometry.nEncoderLayers, (i) => block(`record encoder.${i}`));
  const decoder = count(geometry.nDecoderLayers, (i) => ({
    self: block(`record decoder.${i}.self`),
    cross: block(`record decoder.${i}.cross`),
  }));
  const contrastive = geometry.contrastiveHidden ? planner.record("record contrastive", headRecord, {}) : 0;

  const sections: number[] = [];
  const fields = new Map<string, number>();
  for (const layout of sectionLayouts(geometry, header.weights)) {
    const at = planner.region(`weights ${layout.name}`, layout.bytes);
    sections.push(at);
    for (const field of layout.fields) fields.set(`${layout.name}.${field.name}`, at + field.offsetBytes);
  }
  const place = (name: string) => fields.get(name) as number;

  for (const [i, record] of encoder.entries()) {
    planner.set(
      record,
      blockRecord,
      pick(blockRecord, (name) => place(`encoder.${i}.${name}`)),
    );
  }
  for (const [i, { self, cross }] of decoder.entries()) {
    planner.set(
      self,
      blockRecord,
      pick(blockRecord, (name) => place(`decoder.${i}.self.${name}`)),
    );
    // The keys and values of the cross-attention travel in a section of their own, needed first.
    const crossField = (name: string) => fields.get(`cross.${i}.${name}`) ?? place(`decoder.${i}.cross.${name}`);
    planner.set(cross, blockRecord, pick(blockRecord, crossField));
  }
  if (contrastive) {
    const at = (name: string) => place(`contrastive.${name}`);
    const sizes = { hiddenDim: geometry.contrastiveHidden, outDim: geometry.contrastiveDim };
    planner.set(contrastive, headRecord, { hidden: at("hidden"), bias: at("bias"), proj: at("proj"), ...sizes });
  }
  return {
    regions: planner.regions,
    sections,
    table: place("embedding.table"),
    encoder,
    encoderNorm: place("norms.encoderNorm"),
    decoder,
    decoderNorm: place("norms.decoderNorm"),
    contrastive,
    endBytes: planner.endBytes,
    words: planner.words,
  };
}

/**
 * Plans one session's arena from `startBytes` on, with working buffers for each thread. `warmLayers`: how many encoder
 * layers it keeps the work of.
 */
export function planSession(
  geometry: Geometry,
  promptTokens: number,
  answerTokens: number,
  startBytes: number,
  warmLayers = 0,
  threads = 1,
): SessionPlan {
  const { vocabSize, dModel, nHeads, nKvHeads, nDecoderLayers, contrastiveHidden, contrastiveDim } = geometry;
  const headDim = dModel / nHeads;
  const planner = new Planner(startBytes);
  // One position of the answer is the EOS that starts the decoder.
  const positions = Math.max(promptTokens, answerTokens + 1);
  const keyCapacity = pad(positions, 8);
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
      a: own("a", tileRows * (yWidth / groupSize) * inputBlockBytes),
      // A pair of 16-bit integers "each" takes 16 bytes.
      q: own("q", tileRows * dModel * 8),
      qScale: own("qScale", tileRows * nHeads * 4),
      keyCapacity,
      scores: own("scores", tileRows * keyCapacity * 4),
      p: own("p", tileRows * keyCapacity * 8),
      pScale: own("pScale", tileRows * 4),
      att: own("att", tileRows * yWidth * 4),
    });
  }

  const cache = (name: string, tokens: number): number => {
    const capacity = pad(tokens, 8);
    const integers = nKvHeads * capacity * headDim * 2;
    const scales = nKvHeads * capacity * 4;
    return planner.record(`session ${name} record`, cacheRecord, {
      k: buffer(`${name} k`, integers),
      v: buffer(`${name} v`, integers),
      kScale: buffer(`${name} kScale`, scales),
      vScale: buffer(`${name} vScale`, scales),
      capacity,
    });
  };
  return {
    regions: planner.regions,
    record,
    ids: buffer("ids", Math.max(promptTokens, stepRows) * 4),
    x: buffer("x", pad(promptTokens, tileRows) * dModel * 4),
    step: buffer("step", pad(stepRows, tileRows) * dModel * 4),
    logits: buffer("logits", pad(vocabSize, 4) * 4),
    mask: buffer("mask", pad(vocabSize, 32) / 8),
    choice: buffer("choice", 16),
    embedding: buffer("contrastive", pad(contrastiveDim, 8) * 4),
    rope,
    encoderCache: cache("encoder", promptTokens),
    warmCaches: count(warmLayers, (i) => cache(`encoder.${i}`, promptTokens)),
    warmX: warmLayers ? buffer("warm x", promptTokens * dModel * 4) : 0,
    selfCaches: count(nDecoderLayers, (i) => cache(`decoder.${i} self`, answerTokens + 1)),
    crossCaches: count(nDecoderLayers, (i) => cache(`decoder.${i} cross`, promptTokens)),
    promptTokens,
    answerTokens,
    warmLayers,
    threads,
    endBytes: planner.endBytes,
    words: planner.words,
  };
}

/** Stores a plan's records. */
export function writeWords(memory: WebAssembly.Memory, words: [number, number][]): void {
  const view = new DataView(memory.buffer);
  for (const [offsetBytes, value] of words) view.setUint32(offsetBytes, value, true);
}

/**
 * Makes a memory of at least `bytes`, or grows one to it. A new one is `shared` if the host grants that.
 * Throws: CapacityError if it passes `maxBytes` or the host refuses.
 */
export function reserve(
  memory: WebAssembly.Memory | null,
  bytes: number,
  maxBytes: number,
  shared = false,
): WebAssembly.Memory {
  const refuse = (available: number, why: string): never => {
    const mebibytes = (n: number) => (n < 2 ** 20 ? `${n} bytes` : `${(n / 2 ** 20).toFixed(1)} MiB`);
    const remedy = "use a smaller model or fewer prompt and answer tokens";
    throw new CapacityError(
      "memory",
      bytes,
      available,
      `expected room for ${mebibytes(bytes)}, got ${why} ${mebibytes(available)}; ${remedy}`,
    );
  };
  if (bytes > Math.min(maxBytes, mostMemoryBytes)) refuse(Math.min(maxBytes, mostMemoryBytes), "a limit of");
  const pages = Math.ceil(bytes / pageBytes);
  try {
    if (!memory) return newMemory({ initial: pages, maximum: mostMemoryBytes / pageBytes }, shared);
    const missing = pages - memory.buffer.byteLength / pageBytes;
    if (missing > 0) memory.grow(missing);
    return memory;
  } catch {
    return refuse(memory?.buffer.byteLength ?? 0, "from the host only");
  }
}

function newMemory(limits: WebAssembly.MemoryDescriptor, shared: boolean): WebAssembly.Memory {
  try {
    if (shared) return new WebAssembly.Memory({ ...limits, shared });
  } catch {
    // A host may refuse to set the whole address space aside, as sharing needs.
  }
  return new WebAssembly.Memory(limits);
}

function count<T>(n: number, each: (i: number) => T): T[] {
  return Array.from({ length: n }, (_, i) => each(i));
}

function pick<F extends string>(names: readonly F[], value: (name: F) => number): Record<F, number> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<F, number>;
}
