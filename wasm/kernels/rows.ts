import { groupSize } from "../abi.ts";
import type { Asm } from "../asm.ts";

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
 * quantize(x, n, rows, a, scale, sums): one row of n floats to int16 with one scale, max|x|/32767, for `matmul`.
 * Pairs go to `a`, 4·rows bytes apart; group sums times −8 go to `sums`, 4·rows bytes apart; the scale to `scale`.
 * n is a multiple of 32. Error: ≤ scale/2 an element.
 */
export function quantize(asm: Asm): void {
  asm.func("quantize", { x: i, n: i, rows: i, a: i, scale: i, sums: i }, (f, p) => {
    const end = f.i32(p.x.add(p.n.shl(2)));
    const most = f.f4(f.splatF(0));
    f.for(p.x, end, 16, (at) => most.set(most.max(f.loadF4(at).abs())));
    const max = f.f32(most.greatest());
    f.storeF32(p.scale, max.mul(1 / 32767));
    const factor = f.f32(0);
    f.if(max.gt(0), () => factor.set(f.constF32(32767).div(max)));
    const stride = f.i32(p.rows.shl(2));
    f.for(p.x, end, groupSize * 4, (group) => {
      const sum = f.i4(f.splatI(0));
      f.for(group, group.add(groupSize * 4), 16, (at) => {
        const integers = f.i4(f.loadF4(at).mul(f.splatF(factor)).round());
        sum.set(sum.add(integers));
        f.storePairs(p.a, stride, integers);
        p.a.set(p.a.add(stride.shl(1)));
      });
      f.storeI32(p.sums, sum.sum().mul(-8));
      p.sums.set(p.sums.add(stride));
    });
  });
}

/**
 * quantize_key(x, n, a, stride, scale): one head of n floats to int16, scaled by 32767/‖x‖₂, for `attention`.
 * Pairs go to `a`, stride bytes apart. A product of two such rows stays below 2³⁰ (Cauchy-Schwarz).
 */
export function quantizeKey(asm: Asm): void {
  asm.func("quantize_key", { x: i, n: i, a: i, stride: i, scale: i }, (f, p) => {
    const end = f.i32(p.x.add(p.n.shl(2)));
    const squares = f.f4(f.splatF(0));
    f.for(p.x, end, 16, (at) => {
      const x = f.f4(f.loadF4(at));
      squares.set(x.madd(x, squares));
    });
    const norm = f.f32(squares.sum().sqrt());
    f.storeF32(p.scale, norm.mul(1 / 32767));
    const factor = f.f32(0);
    f.if(norm.gt(0), () => factor.set(f.constF32(32767).div(norm)));
    f.for(p.x, end, 16, (at) => {
      f.storePairs(p.a, p.stride, f.i4(f.loadF4(at).mul(f.splatF(factor)).round()));
      p.a.set(p.a.add(p.stride.shl(1)));
    });
  });
}

/**
 * quantize_value(x, n, v, stride, scale): one head of n floats to int16, scaled by 2047/max|x|, for `attention`.
 * Four dims go to v, v + 4, v + 8, v + 12, the next four `stride` bytes on (layout: `cacheRecord`).
 */
export function quantizeValue(asm: Asm): void {
  asm.func("quantize_value", { x: i, n: i, v: i, stride: i, scale: i }, (f, p) => {
    const end = f.i32(p.x.add(p.n.shl(2)));
    const most = f.f4(f.splatF(0));
    f.for(p.x, end, 16, (at) => most.set(most.max(f.loadF4(at).abs())));
    const max = f.f32(most.greatest());
    f.storeF32(p.scale, max.mul(1 / 2047));
    const factor = f.f32(0);
    f.if(max.gt(0), () => factor.set(f.constF32(2047).div(max)));
    f.for(p.x, end, 16, (at) => {
      f.storeSpread16(p.v, f.i4(f.loadF4(at).mul(f.splatF(factor)).round()));
      p.v.set(p.v.add(p.stride));
    });
  });
}
