const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));

/**
 * XXH32 with seed 0, as an unsigned number. A change within one aligned word always changes it: each step is a bijection.
 * Source: xxHash specification, "XXH32 algorithm description".
 */
export function xxh32(bytes: Uint8Array): number {
  return new Xxh32().add(bytes).sum();
}

/** What the four sums begin with. */
export const firstSums: readonly number[] = [(p1 + p2) | 0, p2 | 0, 0, -p1 | 0];

/** The same over bytes that come in parts, each but the last a multiple of 16 long. */
export class Xxh32 {
  private lanes = [...firstSums];
  private length = 0;
  /** Up to 15 bytes at the end. */
  private tail: Uint8Array = new Uint8Array(0);

  add(bytes: Uint8Array): this {
    if (this.tail.length) throw new RangeError("xxh32: expected parts of a multiple of 16 bytes, got another before");
    const stripes = bytes.length - (bytes.length % 16);
    const words = wordsOf(bytes, stripes);
    let [a, b, c, d] = this.lanes;
    // Written out, not as four calls: a pack is read once, before the host has inlined them (Node 20: 4 ms for 13).
    for (let i = 0; i < words.length; i += 4) {
      a = (a + Math.imul(words[i], p2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), p1);
      b = (b + Math.imul(words[i + 1], p2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), p1);
      c = (c + Math.imul(words[i + 2], p2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), p1);
      d = (d + Math.imul(words[i + 3], p2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), p1);
    }
    this.lanes = [a, b, c, d];
    this.length += bytes.length;
    this.tail = new Uint8Array(bytes.subarray(stripes));
    return this;
  }

  sum(): number {
    return finish(this.lanes, this.length, this.tail);
  }
}

/** XXH32 of bytes whose whole stripes of 16 gave four sums, at most 15 of them left over. */
export function finish(sums: ArrayLike<number>, length: number, tail: Uint8Array = new Uint8Array(0)): number {
  let hash = p5;
  if (length >= 16) hash = rotate(sums[0], 1) + rotate(sums[1], 7) + rotate(sums[2], 12) + rotate(sums[3], 18);
  hash = (hash + length) | 0;
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  let at = 0;
  for (; at + 4 <= tail.length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(view.getInt32(at, true), p3)) | 0, 17), p4);
  }
  for (; at < tail.length; at++) hash = Math.imul(rotate((hash + Math.imul(tail[at], p5)) | 0, 11), p1);
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whole words, as little-endian hosts read them; from a copy where the bytes are not at a multiple of 4. */
function wordsOf(bytes: Uint8Array, length: number): Int32Array {
  if (littleEndian && bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, length / 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  return Int32Array.from({ length: length / 4 }, (_, i) => view.getInt32(4 * i, true));
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
