/** The training module's inner kernels against float64, named by their bounds. */
import { expect, test } from "bun:test";
import { startTraining } from "../tools/finetune/arena.ts";
import { leftTile, rightTile } from "../wasm/train/abi.ts";
import { seeded } from "./support.ts";

test.each([
  [1, 1, 1],
  [4, 8, 32],
  [7, 13, 100],
  [33, 5, 257],
])("gemm (%i, %i) over %i within k · 6e-8 · Σ|a||b| of float64, and added to what was there", (m, n, k) => {
  const random = seeded(m + n + k);
  const draw = (count: number) => Float32Array.from({ length: count }, () => 2 * random() - 1);
  const { arena, kernels } = startTraining();
  const [a, b] = [draw(m * k), draw(n * k)];
  const packed = (values: Float32Array, rows: number, tile: number) => {
    const [from, to] = [arena.put(values), arena.take(Math.ceil(rows / tile) * tile * k)];
    kernels.pack(from, rows, k, 4 * k, 4, tile, to);
    return to;
  };
  const [left, right] = [packed(a, m, leftTile), packed(b, n, rightTile)];
  const width = Math.ceil(n / rightTile) * rightTile;
  const rows = Math.ceil(m / leftTile) * leftTile;
  const c = arena.take(rows * width);
  for (const times of [1, 2]) {
    kernels.gemm(left, right, c, m, n, k, 4 * width, times - 1);
    const got = arena.floats(c, rows * width);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let [sum, sizes] = [0, 0];
        for (let l = 0; l < k; l++) {
          const product = a[i * k + l] * b[j * k + l];
          sum += product;
          sizes += Math.abs(product);
        }
        expect(Math.abs(got[i * width + j] - times * sum)).toBeLessThanOrEqual(times * k * 6e-8 * sizes);
      }
  }
});
