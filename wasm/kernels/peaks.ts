import { type Asm, Pairs, range } from "../asm.ts";

const i = "i32" as const;

/** Dot products that one turn of a peak takes: more than the latency of any, fewer than the registers. */
export const dotsATurn = 24;
const sums = dotsATurn / 2;

/**
 * What a host can do at most, for `thimble bench --roofline`: not part of the kernel module.
 *
 * nibble_peak(at, turns), pair_peak(at, turns): dot products alone, from registers to registers, of 8-bit or 16-bit
 * integers as `matmul` and as `attention` take them. Each sum is also its own next input, so that none is loop-invariant.
 * read_peak(at, bytes, out): reads memory in order, 128 bytes a turn; what it adds up goes to `out`.
 */
export function peaks(asm: Asm): void {
  for (const name of ["nibble_peak", "pair_peak"]) {
    asm.func(name, { at: i, turns: i }, (f, p) => {
      const totals = range(sums).map((j) => f.i4(f.loadEachI(p.at, asm.eachBytes * j)));
      const input = f.loadEachPair(p.at);
      f.for(0, p.turns, 1, () => {
        for (const total of [...totals, ...totals]) {
          const own = new Pairs(asm.vector ? total.lanes : total.lanes.flatMap((lane) => [lane, lane]));
          total.set(name === "pair_peak" ? total.addDot(own, input) : total.addNibbles(own, input));
        }
      });
      for (const total of totals) f.storeEachI(p.at, total.lane(0));
    });
  }
  asm.func("read_peak", { at: i, bytes: i, out: i }, (f, p) => {
    const totals = range(8).map(() => f.i4(f.splatI(0)));
    f.for(p.at, p.at.add(p.bytes), 128, (at) => {
      for (const [j, total] of totals.entries()) total.set(total.add(f.loadF4(at, 16 * j).asI4()));
    });
    for (const total of totals) f.storeEachI(p.out, total.sum());
  });
}
