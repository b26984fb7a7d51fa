/** What the decoder does between its products, forward and backward. Meanings: `TrainKernels` in abi.ts. */
import type { Asm, F4, F32, Fn, I32 } from "../asm.ts";
import { exp, sigmoid } from "../kernels/exp.ts";

const i = "i32" as const;
const f32 = "f32" as const;
const exported = { exported: true };
const lowest = -3e38;

/** Runs body at each 16 bytes of so many. */
const each4 = (f: Fn, bytes: I32, body: (at: I32) => void) => f.for(0, bytes, 16, body);

const splat = (f: Fn, x: F32): F4 => f.f4(f.splatF(f.f32(x)));

/** 1 / √(mean(x²) + 1e-6) of one row. */
function inverseRoot(f: Fn, x: I32, bytes: I32, n: I32): F4 {
  const squares = f.f4(f.splatF(0));
  each4(f, bytes, (at) => {
    const value = f.f4(f.loadF4(x.add(at)));
    squares.set(squares.add(value.mul(value)));
  });
  return splat(f, f.constF32(1).div(squares.sum().div(n.toF32()).add(1e-6).sqrt()));
}

export function norm(asm: Asm): void {
  asm.func(
    "norm",
    { x: i, g: i, y: i, rows: i, n: i },
    (f, p) => {
      const bytes = f.i32(p.n.shl(2));
      f.for(0, p.rows, 1, () => {
        const inverse = inverseRoot(f, p.x, bytes, p.n);
        each4(f, bytes, (at) =>
          f.storeF4(
            p.y.add(at),
            f
              .loadF4(p.x.add(at))
              .mul(inverse)
              .mul(f.loadF4(p.g.add(at)).add(1)),
          ),
        );
        p.x.set(p.x.add(bytes));
        p.y.set(p.y.add(bytes));
      });
    },
    exported,
  );

  asm.func(
    "norm_back",
    { x: i, g: i, dy: i, dx: i, dg: i, rows: i, n: i },
    (f, p) => {
      const bytes = f.i32(p.n.shl(2));
      f.for(0, p.rows, 1, () => {
        const inverse = inverseRoot(f, p.x, bytes, p.n);
        // x̂ = x · inverse; dx = inverse · (dx̂ − x̂ · mean(dx̂ · x̂)) with dx̂ = (1 + g) · dy.
        const sum = f.f4(f.splatF(0));
        each4(f, bytes, (at) => {
          const hat = f.f4(f.loadF4(p.x.add(at)).mul(inverse));
          const dy = f.f4(f.loadF4(p.dy.add(at)));
          f.storeF4(p.dg.add(at), f.loadF4(p.dg.add(at)).add(dy.mul(hat)));
          sum.set(sum.add(dy.mul(f.loadF4(p.g.add(at)).add(1)).mul(hat)));
        });
        const mean = splat(f, sum.sum().div(p.n.toF32()));
        each4(f, bytes, (at) => {
          const hat = f.f4(f.loadF4(p.x.add(at)).mul(inverse));
          const dHat = f.loadF4(p.dy.add(at)).mul(f.loadF4(p.g.add(at)).add(1));
          f.storeF4(p.dx.add(at), f.loadF4(p.dx.add(at)).add(inverse.mul(dHat.sub(hat.mul(mean)))));
        });
        for (const pointer of [p.x, p.dy, p.dx]) pointer.set(pointer.add(bytes));
      });
    },
    exported,
  );
}

export function rotate(asm: Asm): void {
  asm.func(
    "rotate",
    { x: i, table: i, positions: i, rows: i, heads: i, headDim: i, sign: f32 },
    (f, p) => {
      const half = f.i32(p.headDim.shl(1));
      const sign = splat(f, p.sign);
      f.for(0, p.rows, 1, (t) => {
        const turn = f.i32(p.table.add(f.loadI32(p.positions.add(t.shl(2))).mul(half.shl(1))));
        f.for(0, p.heads, 1, () => {
          each4(f, half, (at) => {
            const low = f.i32(p.x.add(at));
            const high = f.i32(low.add(half));
            const cos = f.f4(f.loadF4(turn.add(at)));
            const sin = f.f4(f.loadF4(turn.add(half).add(at)).mul(sign));
            const [a, b] = [f.f4(f.loadF4(low)), f.f4(f.loadF4(high))];
            f.storeF4(low, a.mul(cos).sub(b.mul(sin)));
            f.storeF4(high, b.mul(cos).add(a.mul(sin)));
          });
          p.x.set(p.x.add(half.shl(1)));
        });
      });
    },
    exported,
  );
}

export function softmax(asm: Asm): void {
  asm.func(
    "softmax",
    { s: i, rows: i, width: i, length: i, step: i, scale: f32 },
    (f, p) => {
      const bytes = f.i32(p.width.shl(2));
      const end = f.i32(p.length.shl(2));
      f.for(0, p.rows, 1, () => {
        f.for(end, bytes, 4, (at) => f.storeF32(p.s.add(at), lowest));
        const most = greatest(f, p.s, bytes);
        const sum = f.f4(f.splatF(0));
        const scale = splat(f, p.scale);
        each4(f, bytes, (at) => {
          const e = f.f4(exp(f, f.loadF4(p.s.add(at)).sub(most).mul(scale)));
          f.storeF4(p.s.add(at), e);
          sum.set(sum.add(e));
        });
        const share = splat(f, f.constF32(1).div(sum.sum()));
        each4(f, bytes, (at) => f.storeF4(p.s.add(at), f.loadF4(p.s.add(at)).mul(share)));
        f.for(end, bytes, 4, (at) => f.storeF32(p.s.add(at), 0));
        p.s.set(p.s.add(bytes));
        end.set(end.add(p.step.shl(2)));
      });
    },
    exported,
  );

  asm.func(
    "softmax_back",
    { p: i, d: i, rows: i, width: i, scale: f32 },
    (f, p) => {
      const bytes = f.i32(p.width.shl(2));
      const scale = splat(f, p.scale);
      f.for(0, p.rows, 1, () => {
        const sum = f.f4(f.splatF(0));
        each4(f, bytes, (at) => sum.set(sum.add(f.loadF4(p.p.add(at)).mul(f.loadF4(p.d.add(at))))));
        const mean = splat(f, sum.sum());
        each4(f, bytes, (at) =>
          f.storeF4(
            p.d.add(at),
            f
              .loadF4(p.d.add(at))
              .sub(mean)
              .mul(f.loadF4(p.p.add(at)))
              .mul(scale),
          ),
        );
        p.p.set(p.p.add(bytes));
        p.d.set(p.d.add(bytes));
      });
    },
    exported,
  );
}

function greatest(f: Fn, row: I32, bytes: I32): F4 {
  const most = f.f4(f.splatF(lowest));
  each4(f, bytes, (at) => most.set(most.max(f.loadF4(row.add(at)))));
  return splat(f, most.greatest());
}

export function gated(asm: Asm): void {
  asm.func(
    "gated",
    { x: i, o: i, gate: i, y: i, n: i },
    (f, p) => {
      const gain = splat(f, sigmoid(f, f.f32(f.loadF32(p.gate))));
      each4(f, f.i32(p.n.shl(2)), (at) =>
        f.storeF4(p.y.add(at), f.loadF4(p.x.add(at)).add(gain.mul(f.loadF4(p.o.add(at))))),
      );
    },
    exported,
  );

  asm.func(
    "gated_back",
    { dy: i, o: i, gate: i, dout: i, dgate: i, n: i },
    (f, p) => {
      const gain = f.f32(sigmoid(f, f.f32(f.loadF32(p.gate))));
      const gains = splat(f, gain);
      const sum = f.f4(f.splatF(0));
      each4(f, f.i32(p.n.shl(2)), (at) => {
        const dy = f.f4(f.loadF4(p.dy.add(at)));
        sum.set(sum.add(dy.mul(f.loadF4(p.o.add(at)))));
        f.storeF4(p.dout.add(at), gains.mul(dy));
      });
      const slope = gain.mul(f.constF32(1).sub(gain));
      f.storeF32(p.dgate, f.loadF32(p.dgate).add(slope.mul(sum.sum())));
    },
    exported,
  );
}
