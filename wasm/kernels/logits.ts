import type { Asm, F32, I32 } from "../asm.ts";
import { exp } from "./exp.ts";

const i = "i32" as const;

/**
 * logit_rows(table, a, aScale, dModel, rows, mask, out): out[r] = aScale · scale[r] · (a · E[r]), −Infinity where the mask is 0.
 * a: i16 (dModel/2, each 2), see `quantize_query`; table: `embeddingBytes` in abi.ts; out: rows padded to 4. Quartets of rows with an empty mask
 * are not read. Error: ≤ 1e-6 · Σ|h·E[r]|, the sums being exact integers.
 */
export function logitRows(asm: Asm): void {
  asm.func("logit_rows", { table: i, a: i, aScale: i, dModel: i, rows: i, mask: i, out: i }, (f, p) => {
    const factor = f.f4(f.splatF(f.f32(f.loadF32(p.aScale))));
    const nothing = f.f4(f.splatF(Number.NEGATIVE_INFINITY));
    const bits = f.i32(-1);
    f.for(0, p.rows, 4, (row) => {
      f.if(p.mask, () =>
        bits.set(
          f
            .loadI32(p.mask.add(row.shr(5).shl(2)))
            .shr(row.and(31))
            .and(15),
        ),
      );
      // The last quartet may reach past the vocabulary.
      const left = f.i32(p.rows.sub(row));
      f.if(left.lt(4), () => bits.set(bits.and(f.const32(1).shl(left).sub(1))));
      const next = f.i32(p.table.add(p.dModel.shl(2)).add(16));
      f.if(
        bits,
        () => {
          // One sum would hold each addition up until the one before is done: 1.5 times slower.
          const dots = [f.i4(f.splatI(0)), f.i4(f.splatI(0))];
          const a = f.i32(p.a);
          const w = f.i32(p.table.add(16));
          f.doWhile(
            () => {
              // Two quartets of dims a turn: dModel is a multiple of 32.
              for (let j = 0; j < 2; j++) {
                for (const [k, bytes] of f.loadBytes(w, 16 * j).entries()) {
                  dots[k].set(dots[k].addDot(bytes, f.loadEachPair(a, (2 * j + k) * asm.eachBytes)));
                }
              }
              w.set(w.add(32));
              a.set(a.add(4 * asm.eachBytes));
            },
            () => w.lt(next),
          );
          f.storeF4(p.out, dots[0].add(dots[1]).toF4().mul(f.loadF4(p.table)).mul(factor));
          f.if(bits.add(1).and(15), () => {
            f.for(0, 4, 1, (lane) => {
              f.if(bits.shr(lane).and(1).eq(0), () => f.storeF32(p.out.add(lane.shl(2)), Number.NEGATIVE_INFINITY));
            });
          });
        },
        () => f.storeF4(p.out, nothing),
      );
      p.table.set(next);
      p.out.set(p.out.add(16));
    });
  });
}

/**
 * argmax(values, n, summary): index of the greatest, the first of equals.
 * Writes to `summary` the greatest and the second greatest value as f32, the index of the second as u32, and
 * Σ e^(value − greatest) as f32, within 1e-5 of float64, relative: what log-probability and margin need.
 */
export function argmax(asm: Asm): void {
  asm.func(
    "argmax",
    { values: i, n: i, summary: i },
    (f, p) => {
      const best = f.i32(0);
      const second = f.i32(0);
      const most = f.f32(Number.NEGATIVE_INFINITY);
      const next = f.f32(Number.NEGATIVE_INFINITY);
      chunksFrom(next, (start, end) => {
        f.for(start, end, 4, (at) => {
          const value = f.f32(f.loadF32(at));
          f.if(value.gt(next), () => {
            f.if(
              value.gt(most),
              () => {
                second.set(best);
                next.set(most);
                best.set(at.sub(p.values).shr(2));
                most.set(value);
              },
              () => {
                second.set(at.sub(p.values).shr(2));
                next.set(value);
              },
            );
          });
        });
      });
      const sum = f.f4(f.splatF(0));
      const top = f.f4(f.splatF(most));
      // What is left out is below 4e-11 a value.
      chunksFrom(f.f32(most.sub(24)), (start, end) => {
        f.for(start, end, 16, (at) => sum.set(sum.add(exp(f, f.loadF4(at).sub(top)))));
      });
      f.storeF32(p.summary, most);
      f.storeF32(p.summary, next, 4);
      f.storeI32(p.summary, second, 8);
      f.storeF32(p.summary, sum.sum(), 12);
      return best;

      /** Runs the body for every 64 values that are not all less than `limit` by then. */
      function chunksFrom(limit: F32, body: (start: I32, end: I32) => void): void {
        const last = f.i32(p.values.add(p.n.shl(2)));
        f.for(p.values, last, 256, (start) => {
          const end = f.i32(start.add(256).min(last));
          const greatest = f.f4(f.splatF(Number.NEGATIVE_INFINITY));
          f.for(start, end, 16, (at) => greatest.set(greatest.max(f.loadF4(at))));
          f.if(limit.gt(greatest.greatest()).eq(0), () => body(start, end));
        });
      }
    },
    { exported: true },
  );
}
