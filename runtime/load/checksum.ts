/** Checksums of what lies in linear memory. */
import type { Kernels } from "../../wasm/abi.ts";
import { finish, firstSums, xxh32 } from "../pack/xxh32.ts";

/** XXH32 of bytes in linear memory. */
export type SumOf = (at: number, bytes: number) => number;

/** Where the kernels sum up: plans begin at 64. */
const sumsAt = 0;

/**
 * By the kernels, where they can: a fresh process has compiled them by now, and would take 5 ms longer over 2 MB in
 * JavaScript that it has not.
 */
export function sumsIn(memory: WebAssembly.Memory, kernels: Pick<Kernels, "xxh32_stripes">): SumOf {
  const { xxh32_stripes } = kernels;
  return (at, bytes) => {
    if (!xxh32_stripes || bytes % 16) return xxh32(new Uint8Array(memory.buffer, at, bytes));
    const sums = new Int32Array(memory.buffer, sumsAt, 4);
    sums.set(firstSums);
    xxh32_stripes(at, bytes, sumsAt);
    return finish(sums, bytes);
  };
}
