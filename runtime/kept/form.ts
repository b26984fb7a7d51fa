/**
 * A kept tool's keys and values in 8 bits, whatever the build, and back into a block's caches. What is kept is what this
 * form holds: a tool read now, one from a file and one on a microcontroller are the same to the bit.
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

/** One layer's keys or values in linear memory: where the integers of (head, position, dim) and the scales stand. */
interface Part {
  integers: Int16Array;
  scales: Float32Array;
  at(head: number, position: number, dim: number): number;
  capacity: number;
}

function* partsOf(memory: WebAssembly.Memory, block: BlockPlan, geometry: Geometry): Generator<Part> {
  const { nKvHeads, dModel, nHeads } = geometry;
  const headDim = dModel / nHeads;
  for (const record of [...block.encoder, ...block.cross]) {
    const [k, v, kScale, vScale, capacity] = new Uint32Array(memory.buffer, record, cacheRecord.length);
    const size = nKvHeads * capacity * headDim;
    const part = (integers: number, scales: number, at: Part["at"]): Part => ({
      integers: new Int16Array(memory.buffer, integers, size),
      scales: new Float32Array(memory.buffer, scales, nKvHeads * capacity),
      at,
      capacity,
    });
    yield part(
      k,
      kScale,
      (h, t, i) => h * capacity * headDim + (t >> 2) * headDim * 4 + (i >> 1) * 8 + (t & 3) * 2 + (i & 1),
    );
    yield part(
      v,
      vScale,
      (h, t, i) => h * capacity * headDim + (i >> 2) * capacity * 4 + (t >> 1) * 8 + (i & 3) * 2 + (t & 1),
    );
  }
}

/** Writes a block's caches in this form. */
export function packBlock(memory: WebAssembly.Memory, block: BlockPlan, geometry: Geometry, rows: number): Uint8Array {
  const { nKvHeads, dModel, nHeads } = geometry;
  const headDim = dModel / nHeads;
  const bytes = new Uint8Array(formBytes(geometry, rows));
  let start = 0;
  for (const { integers, scales, at, capacity } of partsOf(memory, block, geometry)) {
    const small = new Int8Array(bytes.buffer, start, nKvHeads * rows * headDim);
    const smallScales = new Float32Array(bytes.buffer, start + pad(small.length, 4), nKvHeads * rows);
    for (let h = 0; h < nKvHeads; h++) {
      for (let t = 0; t < rows; t++) {
        let most = 0;
        for (let i = 0; i < headDim; i++) most = Math.max(most, Math.abs(integers[at(h, t, i)]));
        const to = h * rows + t;
        // A row that came from this form is in it already: rounding it again must change nothing.
        const factor = most > 127 ? 127 / most : 1;
        for (let i = 0; i < headDim; i++) small[to * headDim + i] = Math.round(integers[at(h, t, i)] * factor);
        smallScales[to] = scales[h * capacity + t] / factor;
      }
    }
    start += pad(small.length, 4) + 4 * nKvHeads * rows;
  }
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
  const { nKvHeads, dModel, nHeads } = geometry;
  const headDim = dModel / nHeads;
  let start = bytes.byteOffset;
  for (const { integers, scales, at, capacity } of partsOf(memory, block, geometry)) {
    const small = new Int8Array(bytes.buffer, start, nKvHeads * rows * headDim);
    const smallScales = new Float32Array(bytes.buffer, start + pad(small.length, 4), nKvHeads * rows);
    for (let h = 0; h < nKvHeads; h++) {
      for (let t = 0; t < rows; t++) {
        const from = h * rows + t;
        for (let i = 0; i < headDim; i++) integers[at(h, t, i)] = small[from * headDim + i];
        scales[h * capacity + t] = smallScales[from];
      }
    }
    start += pad(small.length, 4) + 4 * nKvHeads * rows;
  }
}
