import type { Limits } from "../../runtime/limits.ts";
import type { Session } from "../../runtime/session.ts";
import type { Thimble } from "../../runtime/thimble.ts";
import type { Kernels } from "../../wasm/abi.ts";

/** A session of a model in which some of the kernels are others. */
export function sessionWith(thimble: Thimble, kernels: Partial<Kernels>, limits?: Limits): Session {
  const inside = { ...thimble.inside, kernels: { ...thimble.inside.kernels, ...kernels } };
  return thimble.session(limits, inside);
}

/**
 * What a session picks at each decode step goes through `choose` (own id → id taken). So random weights can be made to
 * write the answer that a trained model wrote, at the cost of every step of it.
 */
export function overruled(thimble: Thimble, choose: (own: number) => number, limits?: Limits): Session {
  const { kernels } = thimble.inside;
  return sessionWith(thimble, { argmax: (...args) => choose(kernels.argmax(...args)) }, limits);
}
