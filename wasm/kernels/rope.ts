import type { Asm, F64 } from "../asm.ts";

const i = "i32" as const;

/**
 * rope_rows(table, positions, headDim, theta): f32 (positions, headDim), cosines then sines of position · theta^(−2i/headDim).
 * All in float64: theta^(−2/headDim) by bisection, cos and sin of one step by series (its angle is at most 1), then one
 * rotation a position. Error: ≤ 1e-6 for 1,024 positions (test/kernels.test.ts); the float32 rounding of the result.
 * Source: spec, RoPE, split halves.
 */
export function ropeRows(asm: Asm): void {
  asm.func("rope_rows", { table: i, positions: i, headDim: i, theta: "f64" }, (f, p) => {
    const half = f.i32(p.headDim.shr(1));
    // ratio = theta^(−1/half): halve (0, 1] until ratio^half · theta = 1.
    const low = f.f64(0);
    const high = f.f64(1);
    f.for(0, 64, 1, () => {
      const middle = f.f64(low.add(high).mul(0.5));
      const power = f.f64(p.theta);
      f.for(0, half, 1, () => power.set(power.mul(middle)));
      f.if(
        power.gt(1),
        () => high.set(middle),
        () => low.set(middle),
      );
    });
    const angle = f.f64(1);
    const bytes = f.i32(half.shl(2));
    f.for(0, bytes, 4, (column) => {
      const square = f.f64(angle.mul(angle));
      const stepCos = f.f64(series(square, 0));
      const stepSin = f.f64(angle.mul(series(square, 1)));
      const cos = f.f64(1);
      const sin = f.f64(0);
      const at = f.i32(p.table.add(column));
      f.for(0, p.positions, 1, () => {
        f.storeF32(at, cos.toF32());
        f.storeF32(at.add(bytes), sin.toF32());
        const next = f.f64(cos.mul(stepCos).sub(sin.mul(stepSin)));
        sin.set(sin.mul(stepCos).add(cos.mul(stepSin)));
        cos.set(next);
        at.set(at.add(bytes.shl(1)));
      });
      angle.set(angle.mul(high));
    });
  });
}

/** 1 − x²/((k+1)(k+2)) · (1 − x²/((k+3)(k+4)) · …): cos x for k = 0, sin(x)/x for k = 1. */
function series(square: F64, k: number): F64 {
  const tail = k > 16 ? square : series(square, k + 2);
  const factor = square.mul(1 / ((k + 1) * (k + 2)));
  return k > 16 ? factor.mul(-1).add(1) : factor.mul(tail).mul(-1).add(1);
}

/** rope(x, row, headDim): rotates one head in place by one row of the table. */
export function rope(asm: Asm): void {
  asm.func("rope", { x: i, row: i, headDim: i }, (f, p) => {
    const bytes = f.i32(p.headDim.shl(1));
    f.for(0, bytes, 16, (at) => {
      const cos = f.f4(f.loadF4(p.row.add(at)));
      const sin = f.f4(f.loadF4(p.row.add(bytes).add(at)));
      const x = f.f4(f.loadF4(p.x.add(at)));
      const y = f.f4(f.loadF4(p.x.add(bytes).add(at)));
      f.storeF4(p.x.add(at), x.mul(cos).sub(y.mul(sin)));
      f.storeF4(p.x.add(bytes).add(at), y.mul(cos).add(x.mul(sin)));
    });
  });
}
