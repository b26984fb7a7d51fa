/** Assembles the training module: one build, with vectors, since whoever trains has them. */
import { Asm } from "../asm.ts";
import { crossEntropy, fakeInt4, step } from "./loss.ts";
import { gemm, pack } from "./products.ts";
import { gated, norm, rotate, softmax } from "./rows.ts";

/** All functions, before optimisation. */
export function assembleTrain(): Asm {
  // No relaxed instruction: hosts may round its sums as they like, and one seed is to give the same bytes everywhere.
  const asm = new Asm("simd");
  for (const kernel of [pack, gemm, norm, rotate, softmax, gated, crossEntropy, fakeInt4, step]) kernel(asm);
  return asm;
}
