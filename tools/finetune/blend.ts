/**
 * Between the weights that were learned and those it began with: on the way back what was forgotten returns sooner than what
 * was learned is lost. Source: Wortsman and others, Robust fine-tuning of zero-shot models (WiSE-FT).
 */

/** Shares of the learned weights that are tried, from all of them down. */
export const shares = [1, 0.85, 0.7, 0.55] as const;

/** How far general answers may fall before a share is passed over: call F1, and share of refusals where nothing fits, of which there are few. */
const [mostFall, mostRefusalsLost] = [0.02, 0.05];

/** General answers: call F1, and share of the requests that nothing fits which are refused; null for none. */
export interface General {
  calls: number;
  refusals: number | null;
}

export interface Tried extends General {
  share: number;
  /** Share of own validation answers that are exactly right. */
  own: number;
}

/** Whether general answers are as good as they were, chance aside. */
export const isKept = (now: General, before: General): boolean =>
  now.calls >= before.calls - mostFall && (now.refusals ?? 0) >= (before.refusals ?? 0) - mostRefusalsLost;

export function blended(base: Float32Array, learned: Float32Array, share: number): Float32Array {
  return share === 1 ? learned : learned.map((w, i) => base[i] + share * (w - base[i]));
}

/** The share that answers its own tools best, of those that keep what was known; where none does, the one that keeps most. */
export function chosenShare(tried: readonly Tried[], before: General): Tried {
  const keeping = tried.filter((one) => isKept(one, before));
  const better = (of: (one: Tried) => number) => (best: Tried, one: Tried) => (of(one) > of(best) ? one : best);
  return keeping.length ? keeping.reduce(better(({ own }) => own)) : [...tried].reduce(better(({ calls }) => calls));
}
