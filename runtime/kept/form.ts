/**
 * A kept tool's keys and values in 8 bits, whatever the build, and back into a block's caches. The kernels write integers of
 * 8 bits there: a tool read now, one from a file and one on a microcontroller are the same to the bit.
 *
 *   for every layer, the encoder's first, then the decoder's cross-attentions:
 *     k       int8 (nKvHeads, rows, headDim)      kScale  f32 (nKvHeads, rows): max|k| / 127
 *     v       int8 (nKvHeads, rows, headDim)      vScale  f32 (nKvHeads, rows): max|v| / 127
 *
 * Each part is padded with zeros to a multiple of 4 bytes.
 */
import { cacheRecord, pad } from "../../wasm/abi.ts";
import type { Geometry } from "../pack/pack.ts";
import type { BlockPlan } from "./block.ts";

/** Bytes of a tool of so many rows in this form. */
export function formBytes(geometry: Geometry, rows: number): number {
  const { nKvHeads, nEncoderLayers, nDecoderLayers, dModel, nHeads } = geometry;
  const part = pad(nKvHeads * rows * (dModel / nHeads), 4) + 4 * nKvHeads * rows;
  return 2 * part * (nEncoderLayers + nDecoderLayers);
}

/**
 * One layer's keys or values in linear memory. Dims come in turns: dim i of a position that begins at `start` stands at
 * start + turn · ⌊i / dims⌋ + spread · (i mod dims).
 */
interface Part {
  integers: Int16Array;
  scales: Float32Array;
  capacity: number;
  dims: number;
  turn: number;
  spread: number;
  start(head: number, position: number): number;
}

function* partsOf(memory: WebAssembly.Memory, records: readonly number[], geometry: Geometry): Generator<Part> {
  const { nKvHeads, dModel, nHeads } = geometry;
  const headDim = dModel / nHeads;
  for (const record of records) {
    const [k, v, kScale, vScale, capacity] = new Uint32Array(memory.buffer, record, cacheRecord.length);
    const headSize = capacity * headDim;
    const part = (at: number, scalesAt: number, layout: Pick<Part, "dims" | "turn" | "spread" | "start">): Part => ({
      integers: new Int16Array(memory.buffer, at, nKvHeads * headSize),
      scales: new Float32Array(memory.buffer, scalesAt, nKvHeads * capacity),
      capacity,
      ...layout,
    });
    // Layouts: `cacheRecord` in abi.ts.
    const keyStart = (h: number, t: number) => h * headSize + (t >> 2) * headDim * 4 + (t & 3) * 2;
    yield part(k, kScale, { dims: 2, turn: 8, spread: 1, start: keyStart });
    const valueStart = (h: number, t: number) => h * headSize + (t >> 1) * 8 + (t & 1);
    yield part(v, vScale, { dims: 4, turn: capacity * 4, spread: 2, start: valueStart });
  }
}

/** Runs `row` for each head and position of a part: where its integers and its scale stand. */
function eachRow(part: Part, nKvHeads: number, rows: number, row: (start: number, scale: number, i: number) => void) {
  for (let h = 0; h < nKvHeads; h++)
    for (let t = 0; t < rows; t++) row(part.start(h, t), h * part.capacity + t, h * rows + t);
}

/**
 * The keys and values of a cache's first positions as they were rounded: f32 (rows, nKvHeads · headDim) each, for who computes
 * with them outside the kernels.
 */
export function readCache(
  memory: WebAssembly.Memory,
  record: number,
  geometry: Geometry,
  rows: number,
): Float32Array[] {
  const { nKvHeads, dModel, nHeads } = geometry;
  const headDim = dModel / nHeads;
  return [...partsOf(memory, [record], geometry)].map((part) => {
    const wide = new Float32Array(rows * nKvHeads * headDim);
    const { integers, scales, dims, turn, spread, capacity } = part;
    for (let head = 0; head < nKvHeads; head++) {
      for (let t = 0; t < rows; t++) {
        const scale = scales[head * capacity + t];
        let to = (t * nKvHeads + head) * headDim;
        let from = part.start(head, t);
        for (const end = to + headDim; to < end; to += dims, from += turn)
          for (let d = 0; d < dims; d++) wide[to + d] = integers[from + spread * d] * scale;
      }
    }
    return wide;
  });
}

/** Writes a block's caches in this form. */
export function packBlock(memory: WebAssembly.Memory, block: BlockPlan, geometry: Geometry, rows: number): Uint8Array {
  const bytes = new Uint8Array(formBytes(geometry, rows));
  copyForm(memory, block, geometry, rows, bytes, (part, at, small, i) => {
    small[i] = part.integers[at];
  });
  return bytes;
}

/** Fills a block's caches from this form; the block's records are written. */
export function unpackBlock(
  memory: WebAssembly.Memory,
  block: BlockPlan,
  geometry: Geometry,
  rows: number,
  bytes: Uint8Array,
): void {
  copyForm(
    memory,
    block,
    geometry,
    rows,
    bytes,
    (part, at, small, i) => {
      part.integers[at] = small[i];
    },
    true,
  );
}

/** Goes over both forms side by side: `move` copies one integer, `restores` says which way the scales go. */
function copyForm(
  memory: WebAssembly.Memory,
  block: BlockPlan,
  geometry: Geometry,
  rows: number,
  bytes: Uint8Array,
  move: (part: Part, at: number, small: Int8Array, i: number) => void,
  restores = false,
): void {
  const { nKvHeads, dModel, nHeads } = geometry;
  const headDim = dModel / nHeads;
  let from = bytes.byteOffset;
  for (const part of partsOf(memory, [...block.encoder, ...block.cross], geometry)) {
    const small = new Int8Array(bytes.buffer, from, nKvHeads * rows * headDim);
    const scales = new Float32Array(bytes.buffer, from + pad(small.length, 4), nKvHeads * rows);
    const { dims, turn, spread } = part;
    eachRow(part, nKvHeads, rows, (start, scaleAt, row) => {
      for (let i = 0; i < headDim; i++)
        move(part, start + turn * Math.floor(i / dims) + spread * (i % dims), small, row * headDim + i);
      if (restores) part.scales[scaleAt] = scales[row];
      else scales[row] = part.scales[scaleAt];
    });
    from += pad(small.length, 4) + 4 * nKvHeads * rows;
  }
}
