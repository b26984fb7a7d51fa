import { blockBytes, outputTile, runBytes, unitsBytes } from "../abi.ts";
import { type Asm, type Fn, type I4, type I4Var, type I32, range } from "../asm.ts";

/**
 * matmul(w, a, groups, outputs, y, yStride, gain, add)
 *
 * Multiplies a group-wise int4 matrix by R rows of int8 (`rowVariants`).
 * y[t][o] (+)= gain · unit[o] · aScale[t] · Σ_g scale[o][g] · (Σ_{i in g} n[o][i] · a[t][i] − 8 · Σ_{i in g} a[t][i])
 * Layouts: `matrixBytes` and `inputBytes` in abi.ts; outputs a multiple of 8; y f32, rows yStride bytes apart.
 * Σ_g is an exact integer (bound: `mostInputs`), so every build gives the same floats.
 * Error: ≤ 1e-5 · Σ|w·x| against float64 over the quantised rows (test/kernels.test.ts).
 */
export function matmul(asm: Asm): void {
  for (const rows of asm.rowVariants) variant(asm, rows);
}

const i = "i32" as const;
const quartets = range(outputTile / 4);

function variant(asm: Asm, rows: number): void {
  const params = { w: i, a: i, groups: i, outputs: i, y: i, yStride: i, gain: "f32", add: i } as const;
  const each = asm.eachBytes;
  asm.func(`matmul_${rows}`, params, (f, p) => {
    const end = f.i32(p.y.add(p.outputs.shl(2)));
    const mask = f.nibbleMask(p.groups.shr(31));
    f.doWhile(
      () => {
        const total = quartets.map(() => range(rows).map(() => f.i4(f.splatI(0))));
        const a = f.i32(p.a.add(each * rows));
        const aEnd = f.i32(a.add(p.groups.mul(asm.inputBlockBytes * rows)));
        f.doWhile(
          () => {
            const dot = quartets.map(() => range(rows).map((t) => f.i4(f.loadEachI(a, each * t))));
            a.set(a.add(each * rows));
            const scales = f.i32(p.w.add(runBytes * 4));
            f.doWhile(
              () => {
                addRun(f, dot, p.w, a, mask);
                p.w.set(p.w.add(runBytes));
                a.set(a.add(asm.steps * each * rows));
              },
              () => p.w.lt(scales),
            );
            const groupScales = f.loadScales(p.w);
            for (const j of quartets) {
              for (const [t, acc] of dot[j].entries()) total[j][t].set(total[j][t].add(acc.scaled(groupScales[j])));
            }
            p.w.set(p.w.add(blockBytes - 4 * runBytes));
          },
          () => a.lt(aEnd),
        );
        const y = f.i32(p.y);
        const gain = f.f4(f.splatF(p.gain));
        const units = quartets.map((j) => f.f4(f.loadF4(p.w, 16 * j).mul(gain)));
        p.w.set(p.w.add(unitsBytes));
        for (let t = 0; t < rows; t++) {
          const scale = f.f4(f.loadEachF(p.a, each * t));
          for (const j of quartets) {
            const value = f.f4(total[j][t].toF4().mul(units[j].mul(scale)));
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
function addRun(f: Fn, dot: I4Var[][], w: I32, a: I32, mask: I4): void {
  const rows = dot[0].length;
  const nibbles = dot.map((_, j) => f.loadNibbles(w, mask, 16 * j));
  for (let s = 0; s < f.asm.steps; s++) {
    const weights = nibbles.map((n) => f.pairs(n[s]));
    for (let t = 0; t < rows; t++) {
      const input = f.loadEachPair(a, f.asm.eachBytes * (s * rows + t));
      for (const [j, weight] of weights.entries()) dot[j][t].set(dot[j][t].addNibbles(weight, input));
    }
  }
}
