import { blockBytes } from "../abi.ts";
import { type Asm, type Fn, type I4Var, type I32, range } from "../asm.ts";

/**
 * matmul(w, a, aScale, aSums, groups, outputs, y, yStride, rows, gain, add)
 *
 * Multiplies a group-wise int4 matrix by `rows` rows of int16 (tileRows of them, or 1).
 * y[t][o] (+)= gain · aScale[t] · Σ_g scale[o][g] · (Σ_{i in g} n[o][i] · a[t][i] − 8 · Σ_{i in g} a[t][i])
 * Shapes and layout: `matrixBytes` and `sessionRecord` in abi.ts; outputs a multiple of 8; y f32, rows yStride bytes apart.
 * The sums within a group are exact integers, |Σ| ≤ 32 · 15 · 32767 < 2²⁴, so every build rounds alike up to here.
 */
export function matmul(asm: Asm): void {
  // One row needs two output quartets at once, to use each pair of inputs twice; several rows use it often enough.
  const variants =
    asm.wide === 1
      ? [{ rows: 1, quartets: 2 }]
      : [
          { rows: 1, quartets: 2 },
          { rows: asm.wide, quartets: 2 },
        ];
  const i = "i32" as const;
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

  for (const { rows, quartets } of variants) {
    asm.func(`matmul_${rows}`, params, (f, p) => {
      const quartetBytes = f.i32(p.groups.mul(blockBytes));
      const end = f.i32(p.y.add(p.outputs.mul(4)));
      f.doWhile(
        () => {
          const total = range(rows * quartets).map(() => f.f4(f.splatF(0)));
          const a = f.i32(p.a);
          const sums = f.i32(p.aSums);
          const sumsEnd = f.i32(p.aSums.add(p.groups.mul(4 * rows)));
          const w = range(quartets).map((j) => f.i32(j ? p.w.add(quartetBytes) : p.w));
          f.doWhile(
            () => {
              const dot = range(rows * quartets).map((n) => f.i4(f.loadSplatI(sums, 4 * (n % rows))));
              const runEnd = f.i32(w[0].add(64));
              f.doWhile(
                () => {
                  addRun(f, dot, w, a, 0, rows);
                  for (const pointer of w) pointer.set(pointer.add(16));
                  a.set(a.add(16 * rows));
                },
                () => w[0].lt(runEnd),
              );
              for (const [n, acc] of dot.entries()) {
                const scale = f.loadF4(w[Math.floor(n / rows)]);
                total[n].set(acc.toF4().madd(scale, total[n]));
              }
              for (const pointer of w) pointer.set(pointer.add(16));
              sums.set(sums.add(4 * rows));
            },
            () => sums.lt(sumsEnd),
          );
          const y = f.i32(p.y);
          for (let t = 0; t < rows; t++) {
            const factor = f.f4(f.splatF(f.f32(f.loadF32(p.aScale, 4 * t).mul(p.gain))));
            for (let j = 0; j < quartets; j++) {
              const value = f.f4(total[j * rows + t].mul(factor));
              f.if(p.add, () => value.set(value.add(f.loadF4(y, 16 * j))));
              f.storeF4(y, value, 16 * j);
            }
            if (t + 1 < rows) y.set(y.add(p.yStride));
          }
          p.w.set(w[quartets - 1]);
          p.y.set(p.y.add(16 * quartets));
        },
        () => p.y.lt(end),
      );
    });
  }
}

/** Adds 8 inputs of each quartet's block: run 0–3 of the group. */
function addRun(f: Fn, dot: I4Var[], w: I32[], a: I32, run: number, rows: number): void {
  const nibbles = w.map((pointer) => f.loadNibbles(pointer, 16 * run));
  const single = rows === 1 ? f.loadFourPairs(a, 16 * run) : [];
  for (let s = 0; s < 4; s++) {
    const weights = nibbles.map((n) => (rows > 1 ? f.pairs(n[s]) : n[s]));
    for (let t = 0; t < rows; t += 4) {
      const inputs = rows === 1 ? [single[s]] : f.loadFourPairs(a, 4 * ((run * 4 + s) * rows + t));
      for (const [u, pair] of inputs.entries()) {
        const input = w.length > 1 ? f.pairs(pair) : pair;
        for (const [j, weight] of weights.entries())
          dot[j * rows + t + u].set(dot[j * rows + t + u].addDot(weight, input));
      }
    }
  }
}
