import { type Asm, type Fn, type I4Var, type I32, range } from "../asm.ts";
import { exp2 } from "./exp.ts";

const i = "i32" as const;

/**
 * Attention of one query head of R rows against one KV head, out = softmax(q · k / √headDim) · v, in two halves with the
 * softmax between: over one cache or several side by side (`attention_rows` in layers.ts).
 * Layouts: `sessionRecord` and `cacheRecord` in abi.ts; out: f32 (R, headDim), rows outStride bytes apart.
 *
 * Softmax weights times the value scales are stored as int16, scaled by 32767 / max(max w, Σw / 32), so Σ ≤ 2²⁰.
 * Error: ≤ 2e-3 against float64 over wide q, k and v of up to 3 (test/kernels.test.ts).
 */
export function attention(asm: Asm): void {
  for (const rows of asm.rowVariants) {
    scores(asm, rows);
    values(asm, rows);
  }
}

/** Bytes of a row of scores for so many keys, in whole octets of keys. */
export function octetBytes(keys: I32): I32 {
  return keys.add(7).and(-8).shl(2);
}

/**
 * scores(q, qScale, k, kScale, headDim, keyBytes, scores, stride): scores[t] = log₂e · (q[t] · k) · qScale[t] · kScale /
 * √headDim for the keys that `keyBytes` of scores stand for; rows of scores `stride` bytes apart.
 */
function scores(asm: Asm, rows: number): void {
  const params = { q: i, qScale: i, k: i, kScale: i, headDim: i, keyBytes: i, scores: i, stride: i } as const;
  asm.func(`scores_${rows}`, params, (f, p) => {
    const root = f.f32(f.constF32(Math.LOG2E).div(p.headDim.toF32().sqrt()));
    const quartetBytes = f.i32(p.headDim.shl(3));
    f.for(0, p.keyBytes, 32, (at) => {
      const dot = dots(f, rows, p.k, quartetBytes, p.q);
      p.k.set(p.k.add(quartetBytes.shl(1)));
      const row = f.i32(p.scores.add(at));
      const scales = quartets.map((j) => f.f4(f.loadF4(p.kScale.add(at), 16 * j).mul(f.splatF(root))));
      for (let t = 0; t < rows; t++) {
        const qScale = f.f4(f.splatF(f.f32(f.loadF32(p.qScale, 4 * t))));
        for (const j of quartets) f.storeF4(row, dot[j][t].toF4().mul(scales[j]).mul(qScale), 16 * j);
        if (t + 1 < rows) row.set(row.add(p.stride));
      }
    });
  });
}

/**
 * values(p, pScale, v, vStride, headDim, keyBytes, out, outStride, add): out[t] = pScale[t] · (p[t] · v), or `add` it.
 * vStride: bytes of four dims' values over all positions of the cache.
 */
function values(asm: Asm, rows: number): void {
  const params = { p: i, pScale: i, v: i, vStride: i, headDim: i, keyBytes: i, out: i, outStride: i, add: i } as const;
  asm.func(`values_${rows}`, params, (f, p) => {
    const pairBytes = f.i32(p.keyBytes.shl(1));
    f.for(0, p.headDim.shl(2), 32, (at) => {
      const dot = dots(f, rows, p.v, pairBytes, p.p, p.vStride);
      p.v.set(p.v.add(p.vStride.shl(1)));
      const out = f.i32(p.out.add(at));
      for (let t = 0; t < rows; t++) {
        const scale = f.f4(f.splatF(f.f32(f.loadF32(p.pScale, 4 * t))));
        for (const j of quartets) {
          const y = f.f4(dot[j][t].toF4().mul(scale));
          f.if(p.add, () => y.set(y.add(f.loadF4(out, 16 * j))));
          f.storeF4(out, y, 16 * j);
        }
        if (t + 1 < rows) out.set(out.add(p.outStride));
      }
    });
  });
}

const quartets = [0, 1];

/**
 * Emits the dot products of R rows with two quartets of outputs, the second `next` bytes after the first:
 * `bytes` of each quartet, 16 a pair of inputs, against as many pairs of rows from `a` on.
 */
function dots(f: Fn, rows: number, w: I32, bytes: I32, a: I32, next = bytes): I4Var[][] {
  const dot = quartets.map(() => range(rows).map(() => f.i4(f.splatI(0))));
  // Keys and dims come in octets, so four pairs at least; more loads a turn than this and V8 spills the sums.
  const pairsATurn = 4 / rows;
  const at = [f.i32(w), f.i32(w.add(next))];
  const end = f.i32(w.add(bytes));
  const inputs = f.i32(a);
  f.doWhile(
    () => {
      for (let u = 0; u < pairsATurn; u++) {
        const weights = at.map((p) => f.pairs(f.loadPairs(p, 16 * u)));
        for (let t = 0; t < rows; t++) {
          const input = f.loadEachPair(inputs, (u * rows + t) * f.asm.eachBytes);
          for (const j of quartets) dot[j][t].set(dot[j][t].addDot(weights[j], input));
        }
      }
      for (const p of at) p.set(p.add(16 * pairsATurn));
      inputs.set(inputs.add(pairsATurn * rows * f.asm.eachBytes));
    },
    () => at[0].lt(end),
  );
  return dot;
}

/** The score of a key that a row does not see. */
export const unseen = -1e30;

/**
 * softmax(scores, bytes, vScale, p, stride, pScale): one row of scores to the base 2, whole octets of keys; those that the
 * row does not see are `unseen`.
 * Error: ≤ 2⁻¹⁴ · max(greatest weight, Σ/32) against float64 (test/kernels.test.ts).
 * Writes p (each pair, `stride` bytes apart) and pScale with softmax[j] · vScale[j] = p[j] · pScale; where unseen, p = 0.
 */
export function softmax(asm: Asm): void {
  asm.func("softmax", { scores: i, bytes: i, vScale: i, p: i, stride: i, pScale: i }, (f, p) => {
    const most = f.f4(f.splatF(unseen));
    f.for(0, p.bytes, 16, (at) => most.set(most.max(f.loadF4(p.scores.add(at)))));
    const max = f.f4(f.splatF(f.f32(most.greatest())));

    const sum = f.f4(f.splatF(0));
    const weightSum = f.f4(f.splatF(0));
    const weightMax = f.f4(f.splatF(0));
    const power = exp2(f, p.bytes.shr(31));
    f.for(0, p.bytes, 16, (at) => {
      const e = f.f4(power(f.loadF4(p.scores.add(at)).sub(max)));
      sum.set(sum.add(e));
      const weight = f.f4(e.mul(f.loadF4(p.vScale.add(at))));
      weightSum.set(weightSum.add(weight));
      weightMax.set(weightMax.max(weight));
      f.storeF4(p.scores.add(at), weight);
    });
    const most32 = f.f32(weightMax.greatest().max(weightSum.sum().mul(1 / 32)));
    f.storeF32(p.pScale, most32.div(sum.sum().mul(32767)));
    const factor = f.f32(0);
    f.if(most32.gt(0), () => factor.set(f.constF32(32767).div(most32)));
    f.for(0, p.bytes, 16, (at) => {
      f.storeEachPairs(p.p, p.stride, f.i4(f.loadF4(p.scores.add(at)).mul(f.splatF(factor)).round16()));
      p.p.set(p.p.add(p.stride.shl(1)));
    });
  });
}
