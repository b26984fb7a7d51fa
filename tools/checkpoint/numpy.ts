/**
 * The globals a numpy or JAX checkpoint names, as plain data: the whole allow-list of the pickle reader.
 * Nothing here calls anything outside this file. What a real checkpoint needs, seen in dumps of numpy 1.26 and 2.4,
 * JAX 0.10 and ml_dtypes 0.6 (test/fixtures/checkpoint/make.py):
 *
 *     array, protocol 0-4   _reconstruct(ndarray, (0,), b'b')   BUILD (1, shape, dtype, isFortran, bytes)
 *     array, protocol 5     _frombuffer(bytes, dtype, shape, 'C' | 'F' | 'K', axes of 'K')
 *     bytes, protocol 0-2   _codecs.encode(text, 'latin1')
 *     dtype                 dtype('f2' | ml_dtypes.bfloat16, False, True)   BUILD (3, '<', ...)
 *     number                scalar(dtype, bytes)
 *     jax.Array             _reconstruct_array(_reconstruct, its arguments, its BUILD state, {weak_type})
 */
import { type Dtype, ELEMENT, rowMajor, UNIT_BYTES, volume } from "./tensor.ts";

/** A named Python object that is only ever a token: to call one, the reader looks it up in `CALLS`. */
export class Global {
  constructor(readonly name: string) {}
}

export class NumpyDtype {
  constructor(readonly dtype: Dtype) {}
}

/** An ndarray; empty until its BUILD arrives. */
export class NumpyArray {
  dtype: Dtype = "U8";
  shape: number[] = [0];
  strides: number[] = [1];
  bytes: Uint8Array = new Uint8Array(0);
}

/** What a pickle can hold here. Lists and tuples are both arrays, dicts are Maps. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | Value[]
  | Map<Value, Value>
  | Global
  | NumpyDtype
  | NumpyArray;

/** Throws a FormatError at the current opcode. */
export type Fail = (message: string) => never;

const DTYPES = new Map<string, Dtype>([
  ["f2", "F16"],
  ["f4", "F32"],
  ["f8", "F64"],
  ["i4", "I32"],
  ["i8", "I64"],
  ["ml_dtypes.bfloat16", "BF16"],
]);

function dtype([code]: Value[], fail: Fail): NumpyDtype {
  // Never String(code): printing lists that hold each other twice over would take for ever.
  const key =
    code instanceof Global ? code.name : typeof code === "string" ? code.replace(/^[<=]/, "") : "another value";
  const found = DTYPES.get(key);
  return found ? new NumpyDtype(found) : fail(`expected a dtype of ${[...DTYPES.keys()].join(", ")}, got ${key}`);
}

/** Fills an array. Throws through `fail` where the bytes are not exactly the shape's. */
function fill(
  array: NumpyArray,
  kind: Value,
  shape: Value,
  bytes: Value,
  strides: (shape: number[]) => number[],
  fail: Fail,
) {
  if (!(kind instanceof NumpyDtype && Array.isArray(shape) && bytes instanceof Uint8Array))
    return fail("expected an array of dtype, shape and bytes, got something else");
  const sizes = shape.map((size) => (typeof size === "number" ? size : NaN));
  const wanted = volume(sizes) * UNIT_BYTES[kind.dtype];
  if (wanted !== bytes.length)
    return fail(`expected ${wanted} bytes for ${kind.dtype} [${sizes.join(", ")}], got ${bytes.length}`);
  Object.assign(array, { dtype: kind.dtype, shape: sizes, strides: strides(sizes), bytes });
  return array;
}

/** Lays out `shape` with the first axis fastest (Fortran order), strides in elements. */
const columnMajor = (shape: number[]) => rowMajor(shape.toReversed()).reverse();

function fromBuffer([bytes, kind, shape, order, axes]: Value[], fail: Fail): NumpyArray {
  const array = fill(new NumpyArray(), kind, shape, bytes, order === "F" ? columnMajor : rowMajor, fail);
  if (order !== "K" || axes === undefined || axes === null) return array;
  const rank = array.shape.length;
  if (!Array.isArray(axes) || axes.length !== rank || !array.shape.every((_, axis) => axes.includes(axis)))
    return fail(`expected the axes 0 to ${rank - 1} in some order, got others`);
  array.shape = axes.map((axis) => array.shape[Number(axis)]);
  array.strides = axes.map((axis) => array.strides[Number(axis)]);
  return array;
}

function scalar([kind, bytes]: Value[], fail: Fail): number {
  const { dtype, bytes: stored } = fill(new NumpyArray(), kind, [], bytes, rowMajor, fail);
  return ELEMENT[dtype](new DataView(stored.buffer, stored.byteOffset, stored.length), 0);
}

function encode([text, encoding]: Value[], fail: Fail): Uint8Array {
  if (typeof text !== "string" || encoding !== "latin1")
    return fail("expected text to encode as latin1, got something else");
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return fail(`expected latin1, got U+${code.toString(16)}`);
    bytes[i] = code;
  }
  return bytes;
}

function dict([from]: Value[], fail: Fail): Map<Value, Value> {
  if (from === undefined) return new Map();
  return from instanceof Map ? from : fail("expected a dict, got something else");
}

function jaxArray([rebuild, args, state]: Value[], fail: Fail): NumpyArray {
  if (!(rebuild instanceof Global && rebuild.name === "numpy.core.multiarray._reconstruct" && Array.isArray(args)))
    return fail("expected a jax.Array made of an ndarray, got something else");
  return build(new NumpyArray(), state, fail) as NumpyArray;
}

/** What may be called, and what it makes. */
export const CALLS = new Map<string, (args: Value[], fail: Fail) => Value>([
  ["numpy.dtype", dtype],
  ["numpy.core.multiarray._reconstruct", () => new NumpyArray()],
  ["numpy.core.multiarray.scalar", scalar],
  ["numpy.core.numeric._frombuffer", fromBuffer],
  ["_codecs.encode", encode],
  ["collections.OrderedDict", dict],
  ["flax.core.frozen_dict.FrozenDict", dict],
  ["jax._src.array._reconstruct_array", jaxArray],
]);

/** What may be named but not called. */
const NAMES = ["numpy.ndarray", "ml_dtypes.bfloat16"];

/**
 * Resolves a global against the allow-list. numpy 2 says `numpy._core` where numpy 1 said `numpy.core`.
 * Throws: through `fail`, for every other global.
 */
export function resolveGlobal(module: string, name: string, fail: Fail): Global {
  const path = `${module}.${name}`.replace(/^numpy\._core\./, "numpy.core.");
  if (CALLS.has(path) || NAMES.includes(path)) return new Global(path);
  return fail(
    `expected arrays and plain containers, got the global ${path}; ` +
      "this reader executes nothing: convert the checkpoint to safetensors where you trust it",
  );
}

/** Applies a BUILD opcode: the state of an array or of a dtype. Throws: through `fail`, for anything else. */
export function build(target: Value, state: Value, fail: Fail): Value {
  if (!Array.isArray(state)) return fail("expected a tuple as state, got something else");
  if (target instanceof NumpyDtype) {
    const order = state[1];
    return order === "<" || order === "=" || order === "|"
      ? target
      : fail(`expected little-endian numbers, got order ${typeof order === "string" ? order : "of another kind"}`);
  }
  if (!(target instanceof NumpyArray)) return fail("expected state for an array or a dtype, got it for something else");
  const [, shape, kind, isFortran, bytes] = state;
  return fill(target, kind, shape, bytes, isFortran ? columnMajor : rowMajor, fail);
}
