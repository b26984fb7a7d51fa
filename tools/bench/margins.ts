/** Decisions of the model beside those of a reference: where they differ, and how undecided the reference was. */
import { decode, logits, pick } from "../../runtime/engine/decoder.ts";
import { prefill } from "../../runtime/engine/encoder.ts";
import { special } from "../../runtime/text/tokenizer.ts";
import type { Thimble } from "../../runtime/thimble.ts";
import { hostOf } from "./runs.ts";

/** The rule for rounding: it may turn a token only where the reference's own top-2 gap is below this. */
export const undecided = 0.5;

/** Greedy decodings by another implementation: prompts, answers, and its top-2 logit gap at each token. */
export interface Reference {
  cases: { encoder_ids: number[]; int4: { ids: number[]; gaps: number[] } }[];
}

export interface Difference {
  prompt: number;
  step: number;
  token: number;
  reference: number;
  /** The reference's top-2 gap there, in logits. */
  gap: number;
}

/**
 * Takes every step of every answer with the reference's own tokens before it, and lists those that pick another.
 * Throws: Error for a reference whose prompts or answers are longer than a session can be.
 */
export async function margins(
  thimble: Thimble,
  reference: Reference,
): Promise<{ steps: number; differences: Difference[] }> {
  const { geometry } = thimble.header;
  const longest = (lengths: number[]) => Math.max(8, ...lengths);
  const session = thimble.session({
    promptTokens: longest(reference.cases.map((c) => c.encoder_ids.length)),
    answerTokens: longest(reference.cases.map((c) => c.int4.ids.length)),
  });
  const host = hostOf(thimble, session);
  const differences: Difference[] = [];
  let steps = 0;
  for (const [prompt, { encoder_ids: source, int4 }] of reference.cases.entries()) {
    await prefill(host, source);
    for (const [step, want] of int4.ids.entries()) {
      const before = step ? int4.ids[step - 1] : special.eos;
      await logits(host, await decode(host, [before], step, source.length), null, geometry.vocabSize);
      const token = pick(host, geometry.vocabSize).id;
      if (token !== want) differences.push({ prompt, step, token, reference: want, gap: int4.gaps[step] });
      steps++;
    }
  }
  session.close();
  return { steps, differences };
}
