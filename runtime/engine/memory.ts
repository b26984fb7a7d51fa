/**
 * One plan of linear memory, made before the first token: nothing is allocated while a call runs.
 *
 *   0        64 bytes that nothing points to, so that pointer 0 can mean "none"
 *   64       records of the model: blocks, contrastive head (wasm/abi.ts)
 *   ...      the weights, section after section as in the file; where room is short, those that stay
 *   ...      and a ring that the others pass through (ring.ts)
 *   ...      one arena a session: record, working buffers, RoPE table, KV caches
 *
 * Every size follows from the geometry and from two limits: prompt tokens and answer tokens.
 */
import type { Kernels } from "../../wasm/abi.ts";
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
} from "../../wasm/abi.ts";
import { CapacityError } from "../errors.ts";
import { type Geometry, type PackHeader, type SectionLayout, sectionLayouts, tableBytes } from "../pack/pack.ts";

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

/** What moves as one: a section of the file, or some rows of the embedding. */
export interface Unit {
  name: string;
  /** Counted from the first section of the file. */
  offsetBytes: number;
  bytes: number;
  /** Its place in linear memory; null: it passes through the ring. */
  at: number | null;
  /** The words of records that point into it, and where to. */
  pointers: [word: number, offsetBytes: number][];
}

/** Rows of the embedding that lie in one unit. */
export interface TablePart {
  unit: string;
  startRow: number;
  rows: number;
}

/** Pointers of the weights. A block pointer is the place of a `blockRecord`. */
export interface ModelPlan {
  regions: Region[];
  /** In file order. */
  units: Unit[];
  /** The embedding: whole, or in parts where it may pass through the ring. */
  table: TablePart[];
  /** What units without a place pass through; null if all have one. */
  ring: Region | null;
  encoder: number[];
  encoderNorm: number;
  decoder: { self: number; cross: number }[];
  decoderNorm: number;
  /** Names of the layers' units, for `Walk`. */
  layers: { encoder: string[]; cross: string[]; decoder: string[] };
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
  dModel: number;
  /** Session records, `sessionRecordBytes` apart from `record` on. */
  threads: number;
  endBytes: number;
  words: [offsetBytes: number, value: number][];
}

/**
 * Runs work for each of the units by name, one after the other, when its bytes are in linear memory: `at` is its place,
 * valid within the work. Work is synchronous.
 */
export type Walk = (units: readonly string[], work: (at: number, index: number) => void) => Promise<void>;

/** What a stage runs on: kernels over a memory that holds a model's weights, or lets them pass, and a session's buffers. */
export interface Host {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  model: ModelPlan;
  session: SessionPlan;
  walk: Walk;
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

/** Kinds of sections from the most used down: decoder layers run at every step, rows of the embedding at most steps. */
const mostUsedFirst = ["norms", "decoder", "embedding", "cross", "encoder", "contrastive"];

/**
 * Plans the records and weights of a model. If they do not all fit `roomBytes`, the most used stay and the others get
 * a ring: two of the largest in it, so that one is read while the other is used, or room for one where two do not fit.
 * The plan passes `roomBytes` where even that does not fit.
 */
export function planModel(
  header: Pick<PackHeader, "geometry" | "weights">,
  roomBytes: number = mostMemoryBytes,
): ModelPlan {
  const layouts = sectionLayouts(header.geometry, header.weights);
  const [embedding] = layouts;
  const { vocabSize } = header.geometry;
  const whole = placeModel(header, layouts, [{ unit: embedding.name, startRow: 0, rows: vocabSize }], layouts, 0);
  if (whole.endBytes <= roomBytes) return whole;

  const table = tableParts(header, layouts);
  const parts = table.map(({ unit, startRow, rows }, i): SectionLayout => {
    const bytes = (row: number) => tableBytes(row, header.geometry.dModel, header.weights);
    const end = i === table.length - 1 ? embedding.bytes : bytes(startRow + rows);
    return { name: unit, bytes: end - bytes(startRow), fields: [] };
  });
  const units = [...parts, ...layouts.slice(1)];
  const rank = ({ name }: SectionLayout) => mostUsedFirst.indexOf(name.split(/[.[]/)[0]);
  const byUse = [...units].sort((a, b) => rank(a) - rank(b));
  let plan = whole;
  for (const copies of [2, 1]) {
    // The norms always stay: the kernels get their places as arguments.
    for (let kept = byUse.length - 1; kept >= 1; kept--) {
      const ringBytes = copies * Math.max(...byUse.slice(kept).map(({ bytes }) => bytes));
      plan = placeModel(header, units, table, byUse.slice(0, kept), ringBytes);
      if (plan.endBytes <= roomBytes) return plan;
    }
  }
  return plan;
}

/**
 * Plans a model so that so many sessions of these limits find room beside it.
 * Throws: CapacityError with the least that they take, and the prompt that would fit.
 */
export function fitModel(
  header: Pick<PackHeader, "geometry" | "weights">,
  limits: Pick<SessionPlan, "promptTokens" | "answerTokens" | "warmLayers" | "threads">,
  sessions: number,
  mostBytes: number,
): ModelPlan {
  const { promptTokens, answerTokens, warmLayers, threads } = limits;
  const sessionBytes = (tokens: number) =>
    sessions * pad(planSession(header.geometry, tokens, answerTokens, 0, warmLayers, threads).endBytes, 64);
  const model = planModel(header, mostBytes - sessionBytes(promptTokens));
  const needed = pad(model.endBytes, 64) + sessionBytes(promptTokens);
  if (needed <= mostBytes) return model;
  let fitting = promptTokens;
  while (fitting > 0 && pad(model.endBytes, 64) + sessionBytes(fitting) > mostBytes) fitting -= 8;
  const least = `${mebibytes(model.endBytes)} for weights and ${mebibytes(sessionBytes(promptTokens))} for sessions`;
  const remedy = fitting >= 8 ? `load with promptTokens ${fitting}` : "use a smaller model or fewer answer tokens";
  const message = `expected at least ${mebibytes(needed)} (${least}), got a limit of ${mebibytes(mostBytes)}; ${remedy}`;
  throw new CapacityError("memory", needed, mostBytes, message);
}

/** Cuts the embedding for the ring: parts of at most a quarter of the largest section, whole words of a mask each. */
function tableParts({ geometry, weights }: Pick<PackHeader, "geometry" | "weights">, layouts: SectionLayout[]) {
  const { vocabSize, dModel } = geometry;
  const largest = Math.max(...layouts.slice(1).map(({ bytes }) => bytes));
  const most = Math.max(1, Math.floor(largest / 4 / tableBytes(maskRows, dModel, weights)));
  const parts: TablePart[] = [];
  for (let startRow = 0; startRow < vocabSize; startRow += most * maskRows) {
    const rows = Math.min(most * maskRows, vocabSize - startRow);
    parts.push({ unit: `embedding[${parts.length}]`, startRow, rows });
  }
  return parts;
}

/** Rows that one word of a mask stands for. */
const maskRows = 32;

/** Lays out the records, the resident of the units, and a ring for the others. */
function placeModel(
  { geometry }: Pick<PackHeader, "geometry">,
  layouts: SectionLayout[],
  table: TablePart[],
  resident: SectionLayout[],
  ringBytes: number,
): ModelPlan {
  const planner = new Planner(64);
  const block = (name: string) => planner.record(name, blockRecord, {});
  const encoder = count(geometry.nEncoderLayers, (i) => block(`record encoder.${i}`));
  const decoder = count(geometry.nDecoderLayers, (i) => ({
    self: block(`record decoder.${i}.self`),
    cross: block(`record decoder.${i}.cross`),
  }));
  const { contrastiveHidden: hiddenDim, contrastiveDim: outDim } = geometry;
  const contrastive = hiddenDim ? planner.record("record contrastive", headRecord, { hiddenDim, outDim }) : 0;

  /** The word that points to each field. */
  const words = new Map<string, number>();
  const point = (record: number, fields: readonly string[], prefix: string) => {
    for (const [i, field] of fields.entries()) words.set(`${prefix}.${field}`, record + 4 * i);
  };
  for (const [i, record] of encoder.entries()) point(record, blockRecord, `encoder.${i}`);
  for (const [i, { self, cross }] of decoder.entries()) {
    point(self, blockRecord, `decoder.${i}.self`);
    point(cross, blockRecord, `decoder.${i}.cross`);
    // The keys and values of the cross-attention travel in a section of their own, needed first.
    point(cross, blockRecord, `cross.${i}`);
  }
  if (contrastive) point(contrastive, headRecord, "contrastive");

  let offsetBytes = 0;
  const units = layouts.map((layout): Unit => {
    const { name, bytes, fields } = layout;
    const at = resident.includes(layout) ? planner.region(`weights ${name}`, bytes) : null;
    const pointers = fields.flatMap((field): Unit["pointers"] => {
      const word = words.get(`${name}.${field.name}`);
      return word === undefined ? [] : [[word, field.offsetBytes]];
    });
    if (at !== null) planner.words.push(...pointersAt(pointers, at));
    const unit = { name, offsetBytes, bytes, at, pointers };
    offsetBytes += bytes;
    return unit;
  });
  if (ringBytes) planner.region("ring", ringBytes);
  const norms = units.findIndex(({ name }) => name === "norms");
  const norm = (name: string) => {
    const field = layouts[norms].fields.find((known) => known.name === name);
    return (units[norms].at as number) + (field?.offsetBytes ?? 0);
  };
  return {
    regions: planner.regions,
    units,
    table,
    ring: planner.regions.find(({ name }) => name === "ring") ?? null,
    encoder,
    encoderNorm: norm("encoderNorm"),
    decoder,
    decoderNorm: norm("decoderNorm"),
    layers: {
      encoder: encoder.map((_, i) => `encoder.${i}`),
      cross: decoder.map((_, i) => `cross.${i}`),
      decoder: decoder.map((_, i) => `decoder.${i}`),
    },
    contrastive,
    endBytes: planner.endBytes,
    words: planner.words,
  };
}

/** The words that point into a unit which lies at `at`. */
export function pointersAt(pointers: Unit["pointers"], at: number): [offsetBytes: number, value: number][] {
  return pointers.map(([word, offsetBytes]) => [word, at + offsetBytes]);
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
    dModel,
    threads,
    endBytes: planner.endBytes,
    words: planner.words,
  };
}

/** Stores a plan's records. */
export function writeWords(memory: WebAssembly.Memory, words: readonly [number, number][]): void {
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

function mebibytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
