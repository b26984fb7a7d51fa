/** Which tools to offer: ranks by the contrastive head and by words, never by a threshold on either. */

export interface Ranked {
  name: string;
  /** Comparable within one ranking only. */
  score: number;
}

/** Places of the tools from the highest score down; equal scores keep their order. */
export function ranking(scores: readonly number[]): number[] {
  return scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
}

/**
 * Places of the tools to offer, the likeliest first: the first k of each ranking with half as many again for slack, and
 * twice that where they disagree about the first, since a tool that is not offered cannot be called.
 */
export function offered(k: number, rankings: readonly (readonly number[])[]): number[] {
  const wide = Math.ceil(k * 1.5);
  const agree = rankings.every((one) => rankings.every((other) => other.slice(0, wide).includes(one[0])));
  const first = rankings.map((one) => one.slice(0, agree ? wide : 2 * wide));
  // Turn by turn from each ranking, so that what either thinks likeliest comes early.
  return [...new Set(first[0].flatMap((_, i) => first.map((one) => one[i])))];
}
