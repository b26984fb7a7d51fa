/**
 * Which tool the contrastive head means and which has the request's words, put into the choice of the first call's name.
 * The head ranks tools by what they are about, words by what they are called, the decoder by how requests are put: together
 * they choose better than any of them, and refuse less. Calls after the first are the decoder's alone: the others see the
 * request as a whole (tools/train/README.md has the figures).
 */
import type { Leaning } from "../pack/calibration.ts";

/** What a word counts that is said past the request's first clause, which the first call answers. */
export const late = 0.5;

/** An answer may begin so. */
interface Beginning {
  text: string;
  weight: number;
}

export class Lean {
  private readonly beginnings: Beginning[];
  private readonly longest: number;

  /** `names` as the answer writes them, with the contrastive head's score of each and that of its words. */
  constructor(
    names: readonly string[],
    scores: readonly number[],
    words: readonly number[],
    { tool, word = 0, none }: Leaning,
  ) {
    // Words say which tool is meant, never that one is: "the weather was better last year" asks for nothing.
    const likeliest = word * Math.max(...words);
    const weights = names.map((_, i) => tool * scores[i] + (word * words[i] - likeliest));
    const calls = names.map((name, i) => ({ text: `[{"name":"${name}"`, weight: weights[i] }));
    // Never more than the best: the head sees few words in an address or a number, and knows too little of them to refuse.
    const best = Math.max(...calls.map(({ weight }) => weight));
    this.beginnings = [...calls, { text: "[]", weight: Math.min(none, best) }];
    this.longest = Math.max(...this.beginnings.map(({ text }) => text.length));
  }

  /**
   * Adds to the logits of the tokens that a mask allows after these bytes, while the first name, or that there is none, is
   * open. The likeliest gets 0, the others less. `bytesOf`: of a token.
   */
  add(
    logits: Float32Array,
    mask: Uint32Array,
    bytes: readonly number[],
    bytesOf: (id: number) => ArrayLike<number>,
  ): void {
    if (bytes.length >= this.longest) return;
    const before = written(bytes);
    if (!this.beginnings.some(({ text }) => text.length > before.length && text.startsWith(before))) return;
    const led = [...idsIn(mask)].flatMap((id) => {
      const after = written([...bytes, ...Array.from(bytesOf(id))]);
      const some = this.beginnings.filter(({ text }) => text.startsWith(after) || after.startsWith(text));
      return some.length ? [{ id, weight: Math.max(...some.map(({ weight }) => weight)) }] : [];
    });
    const most = Math.max(...led.map(({ weight }) => weight));
    for (const { id, weight } of led) logits[id] += weight - most;
  }
}

/** Names are ASCII. A space may stand before all. */
const written = (bytes: readonly number[]): string => String.fromCharCode(...bytes).trimStart();

/** The ids that a mask allows. */
export function* idsIn(mask: Uint32Array): Generator<number> {
  for (const [word, all] of mask.entries()) {
    for (let bits = all; bits; bits &= bits - 1) yield word * 32 + 31 - Math.clz32(bits & -bits);
  }
}
