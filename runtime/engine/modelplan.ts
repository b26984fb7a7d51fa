/** Where a model's records and weights lie in linear memory, or pass through a ring. */
import { blockRecord, headRecord, pad } from "../../wasm/abi.ts";
import { CapacityError } from "../errors.ts";
import { type PackHeader, type SectionLayout, sectionLayouts, tableBytes } from "../pack/pack.ts";
import { count, mebibytes, mostMemoryBytes, Planner, type Region } from "./memory.ts";

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

/** Kinds of sections from the most used down: decoder layers run at every step, rows of the embedding at most steps. */
const mostUsedFirst = ["norms", "decoder", "embedding", "cross", "encoder", "contrastive"];

/**
 * Plans the records and weights of a model. If they do not all fit `roomBytes`, the most used stay and the others get
 * a ring: two of the largest in it, so that one is read while the other is used, or room for one where two do not fit.
 * The plan passes `roomBytes` where even that does not fit.
 */
export function planModel(
  header: Pick<PackHeader, "geometry" | "format">,
  roomBytes: number = mostMemoryBytes,
): ModelPlan {
  const layouts = sectionLayouts(header.geometry, header.format);
  const [embedding] = layouts;
  const { vocabSize } = header.geometry;
  const whole = placeModel(header, layouts, [{ unit: embedding.name, startRow: 0, rows: vocabSize }], layouts, 0);
  if (whole.endBytes <= roomBytes) return whole;

  const table = tableParts(header, layouts);
  const parts = table.map(({ unit, startRow, rows }, i): SectionLayout => {
    const bytes = (row: number) => tableBytes(row, header.geometry.dModel, header.format);
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
 * Plans a model so that `besides` bytes find room beside it, sessions and kept tools.
 * Throws: CapacityError with the least that they take, and what `remedy` says of the bytes that are left for `besides`.
 */
export function fitModel(
  header: Pick<PackHeader, "geometry" | "format">,
  besides: number,
  mostBytes: number,
  remedy: (leftBytes: number) => string,
): ModelPlan {
  const layout = planModel(header, mostBytes - besides);
  const needed = pad(layout.endBytes, 64) + besides;
  if (needed <= mostBytes) return layout;
  const least = `${mebibytes(layout.endBytes)} for weights and ${mebibytes(besides)} for sessions`;
  const got = `got a limit of ${mebibytes(mostBytes)}; ${remedy(mostBytes - pad(layout.endBytes, 64))}`;
  throw new CapacityError("memory", needed, mostBytes, `expected at least ${mebibytes(needed)} (${least}), ${got}`);
}

/** Cuts the embedding for the ring: parts of at most a quarter of the largest section, whole words of a mask each. */
function tableParts({ geometry, format }: Pick<PackHeader, "geometry" | "format">, layouts: SectionLayout[]) {
  const { vocabSize, dModel } = geometry;
  const largest = Math.max(...layouts.slice(1).map(({ bytes }) => bytes));
  const most = Math.max(1, Math.floor(largest / 4 / tableBytes(maskRows, dModel, format)));
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
