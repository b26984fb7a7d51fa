/**
 * One stored array, whatever file it came from, and the only place where its bytes become numbers.
 * Everything is little-endian, as all three published formats are.
 */
import { FormatError } from "../../runtime/errors.ts";

/** Names element types as safetensors does; I4 is the needle-rs extension, two nibbles a byte. */
export type Dtype = "F16" | "BF16" | "F32" | "F64" | "I32" | "I64" | "U8" | "I4";

/** Bytes one unit of the shape takes. I4 counts bytes, not nibbles: needle-rs writes shape [in/2, out]. */
export const UNIT_BYTES: Readonly<Record<Dtype, number>> = {
  F16: 2,
  BF16: 2,
  F32: 4,
  F64: 8,
  I32: 4,
  I64: 8,
  U8: 1,
  I4: 1,
};

/** An array in place: `strides` count elements, so C order, Fortran order and a transposed view are one case. */
export interface Tensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  strides: number[];
  bytes: Uint8Array;
  /** Where it stands in the file, for errors. */
  offset: number;
}

const FLOATS: readonly Dtype[] = ["F16", "BF16", "F32", "F64"];

/** 2^(exponent - 25) for each half-precision exponent field; subnormals (0) share the scale of 1. */
const HALF_SCALE = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25));

/** Converts the 16 bits of an IEEE 754 half; exact, subnormals, infinities and NaN included. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 31 ? (fraction ? NaN : Infinity) : (exponent ? fraction + 1024 : fraction) * HALF_SCALE[exponent];
  return bits & 0x8000 ? -size : size;
}

const word = new Uint32Array(1);
const wordAsFloat = new Float32Array(word.buffer);

/** Converts a bfloat16: the upper half of a float32. */
function brain(bits: number): number {
  word[0] = bits << 16;
  return wordAsFloat[0];
}

/** Reads element `i` of an array. DataView, since pickled bytes start at any address. */
export const ELEMENT: Readonly<Record<Dtype, (view: DataView, i: number) => number>> = {
  F16: (view, i) => half(view.getUint16(2 * i, true)),
  BF16: (view, i) => brain(view.getUint16(2 * i, true)),
  F32: (view, i) => view.getFloat32(4 * i, true),
  F64: (view, i) => view.getFloat64(8 * i, true),
  I32: (view, i) => view.getInt32(4 * i, true),
  I64: (view, i) => Number(view.getBigInt64(8 * i, true)),
  U8: (view, i) => view.getUint8(i),
  I4: (view, i) => view.getUint8(i),
};

/** Lays out `shape` with the last axis fastest (C order), strides in elements. */
export function rowMajor(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Counts the elements of `shape`; NaN where a size is no whole number or the product leaves 2^53. */
export function volume(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) return NaN;
    count *= size;
  }
  return Number.isSafeInteger(count) ? count : NaN;
}

/**
 * Copies elements start + r * rowStride + c * colStride of a float tensor into a fresh (rows, cols) array: the only copy.
 * Throws: FormatError where the tensor holds something else than floats.
 */
export function gather(
  tensor: Tensor,
  start: number,
  rows: number,
  cols: number,
  rowStride: number,
  colStride: number,
): Float32Array {
  if (!FLOATS.includes(tensor.dtype))
    throw new FormatError(
      tensor.name,
      tensor.offset,
      `expected ${FLOATS.join(", ")}, got ${tensor.dtype}; is its scale missing?`,
    );
  const view = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength);
  const read = ELEMENT[tensor.dtype];
  const out = new Float32Array(rows * cols);
  for (let r = 0, to = 0; r < rows; r++)
    for (let c = 0, from = start + r * rowStride; c < cols; c++, from += colStride) out[to++] = read(view, from);
  return out;
}
