import { type Asm, type Fn, type I4Var, type I32Var, range } from "../asm.ts";
import { exp } from "./exp.ts";

const i = "i32" as const;

/**
 * attention(count, q, qScale, k, v, kScale, vScale, headDim, keys, step, capacity, scores, p, pScale, out, outStride)
 *
 * One query head of R rows against one KV head: out[t] = softmax(q[t] · k / √headDim) · v over the first
 * keys + t · step positions (step 1 is the causal mask, 0 none); only the first `count` rows are meant.
 * Layouts: `sessionRecord` and `cacheRecord` in abi.ts; out: f32 (R, headDim), rows outStride bytes apart.
 *
 * Softmax weights times the value scales are stored as int16, scaled by 32767 / max(max w, Σw / 32), so Σ ≤ 2²⁰.
 * Error of the whole layer: ≤ 2e-3 against the float64 reference, states of order 1 (test/kernels.test.ts).
 */
export function attention(asm: Asm): void {
  for (const rows of asm.wide === 1 ? [1] : [1, asm.wide]) variant(asm, rows);
}

function variant(asm: Asm, rows: number): void {
  const params = {
    count: i, q: i, qScale: i, k: i, v: i, kScale: i, vScale: i, headDim: i, keys: i, step: i, capacity: i,
    scores: i, p: i, pScale: i, out: i, outStride: i,
  } as const; // biome-ignore format: one argument list

  asm.func(`attention_${rows}`, params, (f, p) => {
    const lastKeys = f.i32(p.keys.add(p.step.mul(p.count.sub(1))));
    // Whole octets of keys: the inner loops take four pairs a turn.
    const keyBytes = f.i32(lastKeys.add(7).and(-8).shl(2));
    const stride = f.i32(p.capacity.shl(2));
    const root = f.f32(f.constF32(1).div(p.headDim.toF32().sqrt()));

    // scores[t] = (q[t] · k) · qScale[t] · kScale / √headDim, four keys at a time
    const k = f.i32(p.k);
    f.for(0, keyBytes, 16, (at) => {
      const dot = range(rows).map(() => f.i4(f.splatI(0)));
      const q = f.i32(p.q);
      const end = f.i32(k.add(p.headDim.shl(3)));
      f.doWhile(
        () => addFourPairs(f, dot, k, q),
        () => k.lt(end),
      );
      const scale = f.f4(f.loadF4(p.kScale.add(at)).mul(f.splatF(root)));
      const row = f.i32(p.scores.add(at));
      for (let t = 0; t < rows; t++) {
        f.storeF4(
          row,
          dot[t]
            .toF4()
            .mul(scale)
            .mul(f.loadSplatF(p.qScale, 4 * t)),
        );
        if (t + 1 < rows) row.set(row.add(stride));
      }
    });

    f.for(0, p.count, 1, (t) => {
      f.call(
        "softmax",
        p.scores.add(t.mul(stride)),
        p.keys.add(p.step.mul(t)),
        keyBytes,
        p.vScale,
        p.p.add(t.shl(2)),
        4 * rows,
        p.pScale.add(t.shl(2)),
      );
    });

    // out[t] = pScale[t] · (p[t] · v), four dims at a time
    const pairsEnd = f.i32(p.p.add(keyBytes.shr(1).mul(rows)));
    f.for(0, p.headDim.shl(2), 16, (at) => {
      const dot = range(rows).map(() => f.i4(f.splatI(0)));
      const v = f.i32(p.v.add(at.mul(p.capacity.shr(1))));
      const weights = f.i32(p.p);
      f.doWhile(
        () => addFourPairs(f, dot, v, weights),
        () => weights.lt(pairsEnd),
      );
      const out = f.i32(p.out.add(at));
      for (let t = 0; t < rows; t++) {
        f.storeF4(out, dot[t].toF4().mul(f.loadSplatF(p.pScale, 4 * t)));
        if (t + 1 < rows) out.set(out.add(p.outStride));
      }
    });
  });
}

/** Adds four pairs of inputs of four outputs, and moves both pointers past them. */
function addFourPairs(f: Fn, dot: I4Var[], w: I32Var, a: I32Var): void {
  const rows = dot.length;
  const single = rows === 1 ? f.loadFourPairs(a) : [];
  for (let j = 0; j < 4; j++) {
    const weights = rows === 1 ? f.loadPairs(w, 16 * j) : f.pairs(f.loadPairs(w, 16 * j));
    const inputs = rows === 1 ? [single[j]] : f.loadFourPairs(a, 16 * j);
    for (const [t, input] of inputs.entries()) dot[t].set(dot[t].addDot(weights, input));
  }
  w.set(w.add(64));
  a.set(a.add(16 * rows));
}

/**
 * softmax(scores, keys, bytes, vScale, p, stride, pScale): one row; `bytes` covers the keys rounded up to octets.
 * Error: ≤ 2⁻¹⁴ · max(greatest weight, Σ/32) against float64 (test/kernels.test.ts).
 * Writes p (pairs `stride` bytes apart) and pScale with softmax[j] · vScale[j] = p[j] · pScale; past `keys`, p = 0.
 */
export function softmax(asm: Asm): void {
  asm.func("softmax", { scores: i, keys: i, bytes: i, vScale: i, p: i, stride: i, pScale: i }, (f, p) => {
    f.for(p.keys.shl(2), p.bytes, 4, (at) => f.storeF32(p.scores.add(at), -1e30));
    const most = f.f4(f.splatF(-1e30));
    f.for(0, p.bytes, 16, (at) => most.set(most.max(f.loadF4(p.scores.add(at)))));
    const max = f.f4(f.splatF(f.f32(most.greatest())));

    const sum = f.f4(f.splatF(0));
    const weightSum = f.f4(f.splatF(0));
    const weightMax = f.f4(f.splatF(0));
    f.for(0, p.bytes, 16, (at) => {
      const e = f.f4(exp(f, f.loadF4(p.scores.add(at)).sub(max)));
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
      f.storePairs(p.p, p.stride, f.i4(f.loadF4(p.scores.add(at)).mul(f.splatF(factor)).round()));
      p.p.set(p.p.add(p.stride.shl(1)));
    });
  });
}
