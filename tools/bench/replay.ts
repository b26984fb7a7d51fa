import type { Thimble } from "../../runtime/thimble.ts";

/**
 * The same model over the same memory, but what it picks at each decode step goes through `choose` (own id → id taken).
 * So random weights can be made to write the answer that a trained model wrote, at the cost of every step of it.
 * Open no session of the given model after one of the result's: both hand out the same memory.
 */
export function overruled(thimble: Thimble, choose: (own: number) => number): Thimble {
  const { kernels } = thimble;
  const argmax = (...args: Parameters<typeof kernels.argmax>) => choose(kernels.argmax(...args));
  return Object.create(thimble, { kernels: { value: { ...kernels, argmax } } });
}
