import { blockBytes, outputTile, runBytes } from "../abi.ts";
import { type Asm, type Fn, type I4Var, type I32, range } from "../asm.ts";

/**
 * matmul(w, a, aScale, aSums, groups, outputs, y, yStride, rows, gain, add)
 *
 * Multiplies a group-wise int4 matrix by `rows` rows of int16 (tileRows of them, or 1).
 * y[t][o] (+)= gain · aScale[t] · Σ_g scale[o][g] · (Σ_{i in g} n[o][i] · a[t][i] − 8 · Σ_{i in g} a[t][i])
 * Shapes and layout: `matrixBytes` and `sessionRecord` in abi.ts; outputs a multiple of 8; y f32, rows yStride bytes apart.
 * The sums within a group are exact integers, |Σ| ≤ 32 · 15 · 32767 < 2²⁴, so every build rounds alike up to here.
 * Error: ≤ 1e-5 · Σ|w·x| against float64 over the quantised rows (test/kernels.test.ts).
 */
export function matmul(asm: Asm): void {
  for (const rows of asm.wide === 1 ? [1] : [1, asm.wide]) variant(asm, rows);
}

const i = "i32" as const;
const quartets = range(outputTile / 4);

function variant(asm: Asm, rows: number): void {
  const params = {
    w: i,
    a: i,
    aScale: i,
    aSums: i,
    groups: i,
    outputs: i,
    y: i,
    yStride: i,
    gain: "f32",
    add: i,
  } as const;
  asm.func(`matmul_${rows}`, params, (f, p) => {
    const end = f.i32(p.y.add(p.outputs.shl(2)));
    f.doWhile(
      () => {
        const total = quartets.map(() => range(rows).map(() => f.f4(f.splatF(0))));
        const a = f.i32(p.a);
        const sums = f.i32(p.aSums);
        const sumsEnd = f.i32(p.aSums.add(p.groups.mul(4 * rows)));
        f.doWhile(
          () => {
            const dot = quartets.map(() => range(rows).map((t) => f.i4(f.loadSplatI(sums, 4 * t))));
            const scales = f.i32(p.w.add(runBytes * 4));
            f.doWhile(
              () => {
                addRun(f, dot, p.w, a);
                p.w.set(p.w.add(runBytes));
                a.set(a.add(16 * rows));
              },
              () => p.w.lt(scales),
            );
            for (const j of quartets) {
              const scale = f.f4(f.loadF4(p.w, 16 * j));
              for (const [t, acc] of dot[j].entries()) total[j][t].set(acc.toF4().madd(scale, total[j][t]));
            }
            p.w.set(p.w.add(blockBytes - 4 * runBytes));
            sums.set(sums.add(4 * rows));
          },
          () => sums.lt(sumsEnd),
        );
        const y = f.i32(p.y);
        for (let t = 0; t < rows; t++) {
          const factor = f.f4(f.splatF(f.f32(f.loadF32(p.aScale, 4 * t).mul(p.gain))));
          for (const j of quartets) {
            const value = f.f4(total[j][t].mul(factor));
            f.if(p.add, () => value.set(value.add(f.loadF4(y, 16 * j))));
            f.storeF4(y, value, 16 * j);
          }
          if (t + 1 < rows) y.set(y.add(p.yStride));
        }
        p.y.set(p.y.add(4 * outputTile));
      },
      () => p.y.lt(end),
    );
  });
}

/** Adds one run: 8 inputs of all outputs of a block. */
function addRun(f: Fn, dot: I4Var[][], w: I32, a: I32): void {
  const rows = dot[0].length;
  const nibbles = dot.map((_, j) => f.loadNibbles(w, 16 * j));
  const single = rows === 1 ? f.loadFourPairs(a) : [];
  for (let s = 0; s < 4; s++) {
    const weights = nibbles.map((n) => (rows > 1 ? f.pairs(n[s]) : n[s]));
    for (let t = 0; t < rows; t += 4) {
      const inputs = rows === 1 ? [single[s]] : f.loadFourPairs(a, 4 * (s * rows + t));
      for (const [u, pair] of inputs.entries()) {
        const input = f.pairs(pair);
        for (const [j, weight] of weights.entries()) dot[j][t + u].set(dot[j][t + u].addDot(weight, input));
      }
    }
  }
}
