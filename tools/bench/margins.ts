/** Decisions of the model beside those of a reference: where they differ, and how undecided the reference was. */
import { decode, logits, pick } from "../../runtime/engine/decoder.ts";
import { prefill } from "../../runtime/engine/encoder.ts";
import { Apart } from "../../runtime/prompt/apart.ts";
import { special } from "../../runtime/text/tokenizer.ts";
import type { Thimble } from "../../runtime/thimble.ts";
import { type ToolInput, ToolSet } from "../../runtime/tools/tools.ts";
import { hostOf } from "./runs.ts";

/** The rule for rounding: it may turn a token only where the reference's own top-2 gap is below this. */
export const undecided = 0.5;

/**
 * Greedy decodings by another implementation: prompts, answers, and its top-2 logit gap at each token. A prompt is its ids,
 * or where tools are read apart a request and its tools.
 */
export interface Reference {
  cases: (Prompt & { int4: { ids: number[]; gaps: number[] } })[];
}

type Prompt = { encoder_ids: number[] } | { query: string; query_ids: number[]; tools: ToolInput[] };

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
    promptTokens: longest(reference.cases.map((c) => ("tools" in c ? c.query_ids : c.encoder_ids).length)),
    answerTokens: longest(reference.cases.map((c) => c.int4.ids.length)),
  });
  const host = hostOf(thimble, session, session.mostTokens);
  const differences: Difference[] = [];
  let steps = 0;
  const apart = new Apart(thimble.inside, session);
  for (const [prompt, { int4, ...source }] of reference.cases.entries()) {
    const shown =
      "tools" in source ? await apart.show(source.query, ToolSet.from(source.tools), undefined, host) : null;
    if ("encoder_ids" in source) await prefill(host, source.encoder_ids);
    const keys = "tools" in source ? source.query_ids.length : source.encoder_ids.length;
    for (const [step, want] of int4.ids.entries()) {
      const before = step ? int4.ids[step - 1] : special.eos;
      await logits(host, await decode(host, [before], step, keys), null, geometry.vocabSize);
      const token = pick(host, geometry.vocabSize).id;
      if (token !== want) differences.push({ prompt, step, token, reference: want, gap: int4.gaps[step] });
      steps++;
    }
    shown?.release();
  }
  session.close();
  return { steps, differences };
}
