/** Matrix products of float32: panels, and the tile that multiplies them. */
import type { Asm } from "../asm.ts";
import { leftTile, rightTile } from "./abi.ts";

const i = "i32" as const;

/** See `TrainKernels.pack`. */
export function pack(asm: Asm): void {
  asm.func(
    "pack",
    { src: i, rows: i, cols: i, rowStride: i, colStride: i, tile: i, dst: i },
    (f, p) => {
      const to = f.i32(p.dst);
      f.for(0, p.rows, p.tile, (row) => {
        const count = f.i32(p.rows.sub(row));
        f.if(p.tile.lt(count), () => count.set(p.tile));
        const column = f.i32(p.src.add(row.mul(p.rowStride)));
        f.for(0, p.cols, 1, () => {
          const from = f.i32(column);
          f.for(0, count, 1, () => {
            f.storeF32(to, f.loadF32(from));
            to.set(to.add(4));
            from.set(from.add(p.rowStride));
          });
          f.for(count, p.tile, 1, () => {
            f.storeF32(to, 0);
            to.set(to.add(4));
          });
          column.set(column.add(p.colStride));
        });
      });
    },
    { exported: true },
  );
}

/**
 * See `TrainKernels.gemm`. Error: ≤ k · 6e-8 · Σ|a||b| against float64 (test/finetune.kernels.test.ts).
 * A tile of 4 × 8 takes eight accumulators: with two vectors of b and one of a they fit sixteen registers.
 */
export function gemm(asm: Asm): void {
  asm.func(
    "gemm",
    { a: i, b: i, c: i, m: i, n: i, k: i, stride: i, accumulate: i },
    (f, p) => {
      const depth = f.i32(p.k.shl(2));
      f.for(0, p.n, rightTile, (column) => {
        const right = f.i32(p.b.add(column.mul(depth)));
        f.for(0, p.m, leftTile, (row) => {
          const sums = Array.from({ length: leftTile }, () => [f.f4(f.splatF(0)), f.f4(f.splatF(0))]);
          const a = f.i32(p.a.add(row.mul(depth)));
          const end = f.i32(a.add(depth.mul(leftTile)));
          const b = f.i32(right);
          f.for(a, end, 4 * leftTile, (at) => {
            const [low, high] = [f.f4(f.loadF4(b)), f.f4(f.loadF4(b, 16))];
            const left = f.f4(f.loadF4(at));
            for (const [r, value] of left.spread().entries()) {
              const x = f.f4(value);
              sums[r][0].set(sums[r][0].add(x.mul(low)));
              sums[r][1].set(sums[r][1].add(x.mul(high)));
            }
            b.set(b.add(4 * rightTile));
          });
          const c = f.i32(p.c.add(row.mul(p.stride)).add(column.shl(2)));
          for (const [low, high] of sums) {
            f.if(p.accumulate, () => {
              low.set(low.add(f.loadF4(c)));
              high.set(high.add(f.loadF4(c, 16)));
            });
            f.storeF4(c, low);
            f.storeF4(c, high, 16);
            c.set(c.add(p.stride));
          }
        });
      });
    },
    { exported: true },
  );
}
