import type { Asm } from "../asm.ts";

const i = "i32" as const;

/**
 * xxh32_stripes(at, bytes, lanes): takes `bytes` from `at` on, a multiple of 16, into the four sums of XXH32 at `lanes`.
 * lane[j] = rotl13(lane[j] + word · p2) · p1 for the words j, j + 4, …
 * Source: xxHash specification, "XXH32 algorithm description", step 2; the other steps: runtime/pack/xxh32.ts.
 */
export function xxh32Stripes(asm: Asm): void {
  asm.func(
    "xxh32_stripes",
    { at: i, bytes: i, lanes: i },
    (f, p) => {
      const sums = f.i4(f.loadI4(p.lanes));
      f.for(p.at, p.at.add(p.bytes), 16, (at) => {
        sums.set(sums.add(f.loadI4(at).mul(0x85ebca77 | 0)));
        sums.set(sums.rotl(13).mul(0x9e3779b1 | 0));
      });
      f.storeI4(p.lanes, sums);
    },
    { exported: true },
  );
}
