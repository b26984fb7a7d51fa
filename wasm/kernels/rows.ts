import { groupSize } from "../abi.ts";
import type { Asm, F32, Fn, I32 } from "../asm.ts";

const i = "i32" as const;

/**
 * rms_norm(x, g, n, y): y = (1 + g) · x / √(mean(x²) + 1e-6), n floats, in place if y = x.
 * Error: ≤ 4e-6 of the greatest |y| against float64 (test/kernels.test.ts). Source: spec, ZCRMSNorm.
 */
export function rmsNorm(asm: Asm): void {
  asm.func("rms_norm", { x: i, g: i, n: i, y: i }, (f, p) => {
    const bytes = f.i32(p.n.shl(2));
    const squares = f.f4(f.splatF(0));
    f.for(0, bytes, 16, (at) => {
      const x = f.f4(f.loadF4(p.x.add(at)));
      squares.set(x.madd(x, squares));
    });
    const inverse = f.f4(f.splatF(f.f32(f.constF32(1).div(squares.sum().div(p.n.toF32()).add(1e-6).sqrt()))));
    f.for(0, bytes, 16, (at) => {
      const gain = f.loadF4(p.g.add(at)).add(1);
      f.storeF4(p.y.add(at), f.loadF4(p.x.add(at)).mul(inverse).mul(gain));
    });
  });
}

/**
 * quantize(x, n, rows, a): one row of n floats to int8 for `matmul`, scale max|x|/127.
 * Layout: `inputBytes` in abi.ts, `a` at the row's scale; n is a multiple of 32.
 * Error: ≤ scale/2 an element.
 */
export function quantize(asm: Asm): void {
  asm.func("quantize", { x: i, n: i, rows: i, a: i }, (f, p) => {
    const step = f.i32(p.rows.mul(asm.eachBytes));
    const rowEnd = f.i32(p.x.add(p.n.shl(2)));
    const max = greatest(f, p.x, rowEnd);
    f.storeEachF(p.a, f.f32(max.mul(1 / 127)));
    const one = f.f32(0);
    f.if(max.gt(0), () => one.set(f.constF32(127).div(max)));
    const factor = f.f4(f.splatF(one));
    f.for(p.x, rowEnd, groupSize * 4, (group) => {
      p.a.set(p.a.add(step));
      const start = f.i32(p.a);
      const sum = f.i4(f.splatI(0));
      f.for(group, group.add(groupSize * 4), 32, (at) => {
        p.a.set(p.a.add(step));
        const [low, high] = [0, 16].map((o) => f.i4(f.loadF4(at, o).mul(factor).round()));
        sum.set(sum.add(low).add(high));
        f.storeRun(p.a, step, low, high);
        p.a.set(p.a.add(step.mul(asm.steps - 1)));
      });
      f.storeNibbleStart(start, f.i32(sum.sum()));
    });
  });
}

/**
 * quantize_key(x, n, a, stride, scale, most), quantize_query: one head of n floats to int16, scaled by 32767/‖x‖₂.
 * Pairs go to `a`, stride bytes apart; the query's stand for every lane. A product of a key and a query stays below 2³⁰
 * (Cauchy-Schwarz). A key is scaled by most/max|x| instead where `most` is above 0.
 */
export function quantizeHead(asm: Asm): void {
  for (const name of ["quantize_key", "quantize_query"]) {
    asm.func(name, { x: i, n: i, a: i, stride: i, scale: i, most: i }, (f, p) => {
      const end = f.i32(p.x.add(p.n.shl(2)));
      const squares = f.f4(f.splatF(0));
      f.for(p.x, end, 16, (at) => {
        const x = f.f4(f.loadF4(at));
        squares.set(x.madd(x, squares));
      });
      const norm = f.f32(squares.sum().sqrt());
      if (name === "quantize_key") f.if(p.most, () => norm.set(greatest(f, p.x, end).mul(32767).div(p.most.toF32())));
      f.storeF32(p.scale, norm.mul(1 / 32767));
      const factor = f.f32(0);
      f.if(norm.gt(0), () => factor.set(f.constF32(32767).div(norm)));
      f.for(p.x, end, 16, (at) => {
        const integers = f.i4(f.loadF4(at).mul(f.splatF(factor)).round());
        if (name === "quantize_key") f.storePairs(p.a, p.stride, integers);
        else f.storeEachPairs(p.a, p.stride, integers);
        p.a.set(p.a.add(p.stride.shl(1)));
      });
    });
  }
}

/** Emits max|x| of the floats up to `end`. */
function greatest(f: Fn, x: I32, end: I32): F32 {
  const most = f.f4(f.splatF(0));
  f.for(x, end, 16, (at) => most.set(most.max(f.loadF4(at).abs())));
  return f.f32(most.greatest());
}

/**
 * quantize_value(x, n, v, stride, scale, most): one head of n floats to int16, scaled by most/max|x|, for `attention`.
 * Four dims go to v, v + 4, v + 8, v + 12, the next four `stride` bytes on (layout: `cacheRecord`).
 */
export function quantizeValue(asm: Asm): void {
  asm.func("quantize_value", { x: i, n: i, v: i, stride: i, scale: i, most: i }, (f, p) => {
    const end = f.i32(p.x.add(p.n.shl(2)));
    const max = greatest(f, p.x, end);
    const most = f.f32(p.most.toF32());
    f.storeF32(p.scale, max.mul(f.constF32(1).div(most)));
    const factor = f.f32(0);
    f.if(max.gt(0), () => factor.set(most.div(max)));
    f.for(p.x, end, 16, (at) => {
      f.storeSpread16(p.v, f.i4(f.loadF4(at).mul(f.splatF(factor)).round()));
      p.v.set(p.v.add(p.stride));
    });
  });
}
