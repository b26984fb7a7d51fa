import { FormatError } from "../errors.ts";
import { describe } from "../json.ts";

/**
 * The name of a packed set: FNV-1a of 64 bits over its bytes, as 16 hex digits. In four limbs of 16 bits no product passes
 * 2^26, so a host without BigInt or Math.imul computes it too. It tells sets apart; it does not stop a forger.
 * Throws: FormatError for what is no bytes.
 * Source: Fowler, Noll, Vo; draft-eastlake-fnv-21: offset basis cbf29ce484222325, prime 2^40 + 0x1b3.
 */
export function hashTools(bytes: Uint8Array): string {
  if (!(bytes instanceof Uint8Array))
    throw new FormatError("bytes", -1, `expected what packTools writes, got ${describe(bytes)}; pack the tools first`);
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  for (const byte of bytes) {
    const low = a ^ byte;
    const second = b * 0x1b3;
    const third = c * 0x1b3 + low * 0x100;
    const fourth = d * 0x1b3 + b * 0x100;
    const carryA = low * 0x1b3;
    const carryB = second + (carryA >>> 16);
    const carryC = third + (carryB >>> 16);
    a = carryA & 0xffff;
    b = carryB & 0xffff;
    c = carryC & 0xffff;
    d = (fourth + (carryC >>> 16)) & 0xffff;
  }
  return [d, c, b, a].map((limb) => limb.toString(16).padStart(4, "0")).join("");
}
