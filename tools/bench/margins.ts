/** Decisions of the model beside those of a reference: where they differ, and how undecided the reference was. */
import { decode, logits, pick } from "../../runtime/engine/decoder.ts";
import { prefill } from "../../runtime/engine/encoder.ts";
import { showBlocks } from "../../runtime/kept/block.ts";
import { Apart } from "../../runtime/prompt/apart.ts";
import type { Shown } from "../../runtime/prompt/prompt.ts";
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
  let reference: Reference;
  try {
    reference = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path}: expected JSON, got ${(error as Error).message}`);
  }
  if (!Array.isArray(reference?.cases) || !reference.cases.length)
    throw new Error(`${path}: expected an object with cases, a list, got none`);
  for (const [i, c] of reference.cases.entries()) {
    const wrong = (form: string, got: unknown): never => {
      throw new Error(`${path}: case ${i}: expected ${form}, got ${JSON.stringify(got)?.slice(0, 60) ?? "nothing"}`);
    };
    if (typeof c !== "object" || c === null) wrong("an object", c);
    const isApart = "query_ids" in c;
    const prompt = isApart ? c.query_ids : c.encoder_ids;
    if (!Array.isArray(prompt) || !prompt.length)
      wrong("encoder_ids, or query_ids with query and tools, and int4 with ids and gaps", Object.keys(c));
    if (isApart && (typeof c.query !== "string" || !Array.isArray(c.tools))) wrong("query and tools", Object.keys(c));
    const { ids, gaps } = c.int4 ?? {};
    if (!Array.isArray(ids) || !ids.length) wrong("int4 with ids", c.int4);
    if (!Array.isArray(gaps) || gaps.length !== ids.length || !gaps.every((gap) => Number.isFinite(gap) && gap >= 0))
      wrong(`a gap for each of ${ids.length} ids, from 0 on`, gaps);
  }
  return reference;
}

/**
 * Takes every step of every answer with the reference's own tokens before it, and lists those that pick another.
 * Throws: Error for a reference of another vocabulary, or whose prompts or answers are longer than a session can be.
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
    const all = [...("query_ids" in source ? source.query_ids : source.encoder_ids), ...int4.ids];
    const stranger = all.find((id) => !(Number.isInteger(id) && id >= 0 && id < geometry.vocabSize));
    if (stranger !== undefined)
      throw new Error(
        `margins: case ${prompt}: expected ids below ${geometry.vocabSize}, the model's, got ${stranger}`,
      );
    let shown: Shown | null = null;
    let keys: number;
    if ("query_ids" in source) {
      const set = ToolSet.from(source.tools);
      shown = await apart.show(source.query, set, set.tools.length || undefined, host);
      keys = source.query_ids.length;
      if (shown.keys !== keys)
        throw new Error(
          `margins: case ${prompt}: expected ${shown.keys} query_ids, as this model reads it, got ${keys}`,
        );
    } else {
      showBlocks(host, []);
      await prefill(host, source.encoder_ids);
      keys = source.encoder_ids.length;
    }
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
