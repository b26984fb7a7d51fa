import { Asm, type I4, Pairs, range } from "../asm.ts";

/**
 * A module of its own, for runtime/engine/trial.ts: trial(turns, four) takes turns · 8 dot products from registers to
 * registers, four products of bytes a lane as the dot build does, or, where `four` is 0, two as the relaxed one.
 *
 * Four at once takes more WebAssembly instructions, moves that compiled code does not have, so that an interpreter never finds
 * it faster; and both loops are one function, so that a compiler has been at both or at neither. Each sum is also its own next input: none is loop-invariant.
 */
export function assembleTrial(): Asm {
  const asm = new Asm("dot", false);
  asm.func(
    "trial",
    { turns: "i32", four: "i32" },
    (f, p) => {
      const totals = range(8).map((j) => f.i4(f.splatI(p.turns.add(j))));
      const input = f.pairs(new Pairs(f.splatI(p.turns).lanes));
      const loop = (step: (total: I4, own: Pairs) => I4) =>
        f.for(0, p.turns, 1, () => {
          for (const total of totals) total.set(step(total, new Pairs(total.lanes)));
        });
      f.if(
        p.four,
        () => loop((total, own) => f.i4(f.i4(f.i4(total.addFours(input, own))))),
        () => loop((total, own) => total.addTwos(input, own)),
      );
      return f.i32(totals.map((total) => total.lane(0)).reduce((sum, lane) => sum.add(lane)));
    },
    { exported: true },
  );
  return asm;
}
