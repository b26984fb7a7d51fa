/** The loss with its gradient, the rounding of weights, and the step. Meanings: `TrainKernels` in abi.ts. */
import { groupSize } from "../abi.ts";
import { type Asm, type F32, type Fn, type I32, roundingMagic } from "../asm.ts";
import { exp } from "../kernels/exp.ts";

const i = "i32" as const;
const f32 = "f32" as const;
const exported = { exported: true };
const lowest = -3e38;

const splat = (f: Fn, x: F32) => f.f4(f.splatF(f.f32(x)));

export function crossEntropy(asm: Asm): void {
  asm.func(
    "cross_entropy",
    { logits: i, rows: i, width: i, vocab: i, targets: i, weights: i, out: i },
    (f, p) => {
      const bytes = f.i32(p.width.shl(2));
      const end = f.i32(p.vocab.shl(2));
      const row = f.i32(p.logits);
      f.for(0, p.rows, 1, () => {
        f.for(end, bytes, 4, (at) => f.storeF32(row.add(at), lowest));
        const wanted = f.i32(row.add(f.loadI32(p.targets).shl(2)));
        const logit = f.f32(f.loadF32(wanted));
        const best = f.f4(f.splatF(lowest));
        f.for(0, bytes, 16, (at) => best.set(best.max(f.loadF4(row.add(at)))));
        const most = f.f32(best.greatest());
        const mosts = splat(f, most);
        const sums = f.f4(f.splatF(0));
        f.for(0, bytes, 16, (at) => {
          const e = f.f4(exp(f, f.loadF4(row.add(at)).sub(mosts)));
          f.storeF4(row.add(at), e);
          sums.set(sums.add(e));
        });
        const sum = f.f32(sums.sum());
        const total = f.f32(most.add(logarithm(f, sum)));
        const weight = f.f32(f.loadF32(p.weights));
        const factor = weight.add(f.loadF32(p.weights, 4).mul(2).mul(total));
        const share = splat(f, factor.div(sum));
        f.for(0, bytes, 16, (at) => f.storeF4(row.add(at), f.loadF4(row.add(at)).mul(share)));
        f.for(end, bytes, 4, (at) => f.storeF32(row.add(at), 0));
        f.storeF32(wanted, f.loadF32(wanted).sub(weight));
        f.storeF32(p.out, total.sub(logit));
        f.storeF32(p.out, 1, 4);
        f.if(most.gt(logit), () => f.storeF32(p.out, 0, 4));
        row.set(row.add(bytes));
        p.targets.set(p.targets.add(4));
        p.weights.set(p.weights.add(8));
        p.out.set(p.out.add(8));
      });
    },
    exported,
  );
}

/** ln x of x ≥ 1 by Newton on e^y = x, which converges from any side; absolute error ≤ 1e-6. */
function logarithm(f: Fn, x: F32): F32 {
  // A first guess out of the exponent: y = ln 2 · (bits / 2²³ − 127).
  const bits = f.f4(f.f4(f.splatF(x)).asI4().toF4());
  const y = f.f32(
    bits
      .lane(0)
      .mul(2 ** -23)
      .sub(127)
      .mul(Math.LN2),
  );
  for (let turn = 0; turn < 3; turn++) {
    const e = f.f32(exp(f, f.splatF(y.mul(-1))).lane(0));
    y.set(y.add(x.mul(e)).sub(1));
  }
  return y;
}

/** Integers as `quantizeMatrix` makes them, by the same float32 steps; the test compares all bits. */
export function fakeInt4(asm: Asm): void {
  asm.func(
    "fake_int4",
    { w: i, y: i, n: i },
    (f, p) => {
      const group = 4 * groupSize;
      f.for(0, p.n.shl(2), group, (start) => {
        const [from, to] = [f.i32(p.w.add(start)), f.i32(p.y.add(start))];
        const most = f.f4(f.splatF(0));
        f.for(0, group, 16, (at) => most.set(most.max(f.loadF4(from.add(at)).abs())));
        const scale = splat(f, f.f32(most.greatest().div(7)).max(1e-8));
        f.for(0, group, 16, (at) => {
          const q = f.f4(f.loadF4(from.add(at)).div(scale).add(roundingMagic)).sub(roundingMagic);
          f.storeF4(to.add(at), f.f4(q).max(-8).min(7).mul(scale));
        });
      });
    },
    exported,
  );
}

export function step(asm: Asm): void {
  asm.func(
    "add",
    { x: i, y: i, n: i },
    (f, p) =>
      f.for(0, p.n.shl(2), 16, (at) => f.storeF4(p.y.add(at), f.loadF4(p.y.add(at)).add(f.loadF4(p.x.add(at))))),
    exported,
  );

  asm.func(
    "square_sum",
    { x: i, n: i },
    (f, p) => {
      const sum = f.f4(f.splatF(0));
      f.for(0, p.n.shl(2), 16, (at) => {
        const x = f.f4(f.loadF4(p.x.add(at)));
        sum.set(sum.add(x.mul(x)));
      });
      return f.f32(sum.sum());
    },
    exported,
  );

  const numbers = { s: f32, rate: f32, b1: f32, b2: f32, c1: f32, c2: f32, decay: f32 };
  asm.func(
    "adamw",
    { w: i, g: i, m: i, v: i, n: i, ...numbers },
    (f, p) => {
      const one = f.constF32(1);
      const [s, rate, b1, b2, c1, c2, decay] = [p.s, p.rate, p.b1, p.b2, p.c1, p.c2, p.decay].map((x) => splat(f, x));
      const [rest1, rest2] = [splat(f, one.sub(p.b1)), splat(f, one.sub(p.b2))];
      f.for(0, p.n.shl(2), 16, (at: I32) => {
        const [wAt, gAt, mAt, vAt] = [p.w, p.g, p.m, p.v].map((start) => f.i32(start.add(at)));
        const g = f.f4(f.loadF4(gAt).mul(s));
        const m = f.f4(f.loadF4(mAt).mul(b1).add(g.mul(rest1)));
        const v = f.f4(f.loadF4(vAt).mul(b2).add(g.mul(g).mul(rest2)));
        f.storeF4(mAt, m);
        f.storeF4(vAt, v);
        const w = f.f4(f.loadF4(wAt));
        const way = m.mul(c1).div(v.mul(c2).sqrt().add(1e-8)).add(decay.mul(w));
        f.storeF4(wAt, w.sub(rate.mul(way)));
      });
    },
    exported,
  );
}
