const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));
const round = (acc: number, word: number) => Math.imul(rotate((acc + Math.imul(word, p2)) | 0, 13), p1);

/**
 * XXH32 with seed 0, as an unsigned number. A change within one aligned word always changes it: each step is a bijection.
 * Source: xxHash specification, "XXH32 algorithm description".
 */
export function xxh32(bytes: Uint8Array): number {
  return new Xxh32().add(bytes).sum();
}

/** The same over bytes that come in parts, each but the last a multiple of 16 long. */
export class Xxh32 {
  private lanes = [(p1 + p2) | 0, p2 | 0, 0, -p1 | 0];
  private length = 0;
  /** Up to 15 bytes at the end. */
  private tail: Uint8Array = new Uint8Array(0);

  add(bytes: Uint8Array): this {
    if (this.tail.length) throw new RangeError("xxh32: expected parts of a multiple of 16 bytes, got another before");
    const stripes = bytes.length - (bytes.length % 16);
    const view = new DataView(bytes.buffer, bytes.byteOffset, stripes);
    // A word view reads four times faster than a DataView where the host and the alignment allow it.
    const words =
      littleEndian && bytes.byteOffset % 4 === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, stripes / 4) : null;
    let [a, b, c, d] = this.lanes;
    for (let at = 0; at < stripes; at += 16) {
      const i = at >> 2;
      a = round(a, words ? words[i] : view.getInt32(at, true));
      b = round(b, words ? words[i + 1] : view.getInt32(at + 4, true));
      c = round(c, words ? words[i + 2] : view.getInt32(at + 8, true));
      d = round(d, words ? words[i + 3] : view.getInt32(at + 12, true));
    }
    this.lanes = [a, b, c, d];
    this.length += bytes.length;
    this.tail = bytes.slice(stripes);
    return this;
  }

  sum(): number {
    const { tail } = this;
    const [a, b, c, d] = this.lanes;
    let hash = this.length >= 16 ? rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18) : p5;
    hash = (hash + this.length) | 0;
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
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
