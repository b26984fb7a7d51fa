/**
 * The int4 kernels of the Rust port (format 3): rows are input features, two rows to a byte, one scale per group and column.
 *
 *     packed (in/2, out) bytes:  byte[p][o] = q[2p][o] & 15  |  q[2p+1][o] << 4      q in -8..7, two's complement
 *     scale  (in/32, out) F32:   w[o][i] = q[i][o] * scale[floor(i / 32)][o]
 *
 * Source: quantize_int4 in tools/export.py of needle-rs, commit 23a638b (MIT); its dtype is called I4, ports write U8.
 */
import { FormatError } from "../../runtime/errors.ts";
import type { Matrix } from "./checkpoint.ts";
import { gather, type Tensor } from "./tensor.ts";

/** Input features that share a scale; fixed by the training (spec/needle-v1.md, "int4 weights"). */
export const GROUP_SIZE = 32;

/**
 * Restores a kernel and keeps its nibbles, so that packing need not quantise again.
 * Shapes: packed (in/2, out) bytes, scale (in/32, out), both already checked; result data (out, in).
 * Throws: FormatError where the packed array is not of a byte type, or a scale is below zero or not finite.
 */
export function readInt4(packed: Tensor, scale: Tensor, out: number, width: number): Matrix {
  if (packed.dtype !== "I4" && packed.dtype !== "U8")
    throw new FormatError(packed.name, packed.offset, `expected I4 or U8 beside ${scale.name}, got ${packed.dtype}`);
  const groups = width / GROUP_SIZE;
  const scales = gather(scale, 0, out, groups, 1, out);
  const wrong = scales.find((s) => !(s >= 0 && s < Number.POSITIVE_INFINITY));
  if (wrong !== undefined)
    throw new FormatError(
      scale.name,
      scale.offset,
      `expected finite scales of at least 0, got ${wrong}; quantise the checkpoint again`,
    );
  const nibbles = new Int8Array(out * width);
  const data = new Float32Array(out * width);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < width; i++) {
      const byte = packed.bytes[(i >> 1) * out + o];
      const to = o * width + i;
      // Shifting the nibble to the top of 32 bits and back extends its sign.
      nibbles[to] = (i & 1 ? byte << 24 : byte << 28) >> 28;
      data[to] = nibbles[to] * scales[o * groups + Math.floor(i / GROUP_SIZE)];
    }
  }
  return { out, in: width, data, q4: { nibbles, scales } };
}
