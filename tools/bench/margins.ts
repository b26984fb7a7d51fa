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

/** Throws: Error naming `path` and the case that is none. */
export function readReference(text: string, path: string): Reference {
  const reference: Reference = JSON.parse(text);
  if (!Array.isArray(reference?.cases)) throw new Error(`${path}: expected an object with cases, a list, got none`);
  for (const [i, c] of reference.cases.entries()) {
    const prompt = "query_ids" in c ? c.query_ids : c.encoder_ids;
    if (![prompt, c.int4?.ids, c.int4?.gaps].every(Array.isArray))
      throw new Error(
        `${path}: case ${i}: expected encoder_ids, or query_ids with query and tools, and int4 with ids and gaps, got ${Object.keys(c)}`,
      );
  }
  return reference;
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
    promptTokens: longest(reference.cases.map((c) => ("query_ids" in c ? c.query_ids : c.encoder_ids).length)),
    answerTokens: longest(reference.cases.map((c) => c.int4.ids.length)),
  });
  const host = hostOf(thimble, session, session.mostTokens);
  const differences: Difference[] = [];
  let steps = 0;
  const apart = new Apart(thimble.inside, session);
  for (const [prompt, { int4, ...source }] of reference.cases.entries()) {
    const shown =
      "query_ids" in source ? await apart.show(source.query, ToolSet.from(source.tools), undefined, host) : null;
    if ("encoder_ids" in source) await prefill(host, source.encoder_ids);
    const keys = "query_ids" in source ? source.query_ids.length : source.encoder_ids.length;
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
