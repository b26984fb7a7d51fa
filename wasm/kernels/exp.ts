import { type F4, type F32, type Fn, type I32, roundingMagic } from "../asm.ts";

/**
 * Emits e^x for four lanes, x clamped to [−87, 87]; relative error ≤ 2e-7 against float64 (test/kernels.test.ts).
 * e^x = 2^n · e^r with n = round(x / ln 2) and |r| ≤ ln 2 / 2; polynomial from Cephes `expf`.
 */
export function exp(f: Fn, value: F4): F4 {
  const x = f.f4(value.max(-87).min(87));
  const shifted = f.f4(x.madd(Math.LOG2E, roundingMagic));
  const n = f.f4(shifted.sub(roundingMagic));
  const r = f.f4(n.madd(2.1219444e-4, n.madd(-0.693359375, x)));
  let p: F4 = f.splatF(1.98756915e-4);
  for (const c of [1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1])
    p = p.madd(r, c);
  p = f.f4(p).madd(r.mul(r), r.add(1));
  const power = shifted
    .asI4()
    .sub(0x4b400000 - 127)
    .shl(23)
    .asF4();
  return p.mul(power);
}

/**
 * Emits the constants of 2^x, `zero` as in `Fn.held`, and returns what emits 2^x for four lanes of x ≤ 0, taken as −126 below
 * that; relative error ≤ 4e-6 against float64, enough for weights that become 16-bit integers.
 * 2^x = 2^n · 2^r with n = round(x); degree 4, fitted to the least greatest relative error.
 */
export function exp2(f: Fn, zero: I32): (value: F4) => F4 {
  const [least, magic, highest, ...others] = f.held(zero, [
    -126,
    roundingMagic,
    0.00966636837,
    0.0559219755,
    0.240223497,
    0.693121016,
    1,
  ]);
  return (value) => {
    const x = f.f4(value.max(least));
    const shifted = f.f4(x.add(magic));
    const r = f.f4(x.sub(shifted.sub(magic)));
    const p = others.reduce((sum, c) => sum.madd(r, c), highest);
    // The low mantissa bits of the shifted value are n; the rest leaves at the top.
    return f.f4(p).asI4().add(shifted.asI4().shl(23)).asF4();
  };
}

/** Emits 1 / (1 + e^−x); absolute error ≤ 1e-7. */
export function sigmoid(f: Fn, x: F32): F32 {
  return f.constF32(1).div(
    exp(f, f.splatF(x.mul(-1)))
      .lane(0)
      .add(1),
  );
}
