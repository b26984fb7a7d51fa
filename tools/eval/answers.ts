/** Examples → answers, from whatever gives them; and each answer judged. */
import { CapacityError } from "../../runtime/errors.ts";
import type { CallOptions, Session } from "../../runtime/session.ts";
import type { Thimble } from "../../runtime/thimble.ts";
import { pythonJson, snakeCase } from "../../runtime/tools/prompt.ts";
import type { Example } from "./examples.ts";
import { type Call, type Counts, type Fault, judgeNearest, readCallList } from "./metrics.ts";

export interface Answer {
  /** null: the answer is no call list. undefined: there is no answer. */
  calls: Call[] | null | undefined;
  /** What was written, where it is no call list. */
  text?: string;
  /** Why there is no answer: "prompt too long", "timeout", "status 500" … */
  failure?: string;
  /** The answer reached its token limit. */
  cutShort?: boolean;
  promptTokens?: number;
  answerTokens?: number;
  prefillMs?: number;
  totalMs?: number;
  /** Least top-2 gap of the calls' decided tokens. */
  margin?: number;
  /** Requests sent again after a refusal. */
  retries?: number;
}

/** One example of one run; a report carries all of them. */
export interface Result extends Omit<Answer, "calls"> {
  key: string;
  file: string;
  line: number;
  id?: string;
  source?: string;
  kind?: string;
  /** Prompt names of the tools on offer. */
  tools: string[];
  request: string;
  /** Of the acceptable answers the one that `got` comes nearest to. */
  want: Call[];
  got: Call[] | null;
  exact: boolean;
  faults: Fault[];
  counts: Counts;
}

export type Answerer = (example: Example) => Promise<Answer>;

/** Answers with the packed model. A prompt beyond the limit has no answer; other errors are faults of ours and thrown. */
export function modelAnswerer(session: Pick<Session, "call">, options: CallOptions): Answerer {
  return async ({ request, tools }) => {
    try {
      const { calls, text, cutShort, timings } = await session.call(request, tools, options);
      const { promptTokens, answerTokens, prefillMs, totalMs } = timings;
      const margin = calls.length ? Math.min(...calls.map(({ certainty }) => certainty.call.margin)) : undefined;
      const measured = { cutShort, promptTokens, answerTokens, prefillMs, totalMs, margin };
      if (!readCallList(text)) return { calls: null, text, ...measured };
      return { calls: calls.map((call) => ({ name: call.name, arguments: call.arguments })), ...measured };
    } catch (error) {
      // A request, a joint prompt, or one tool of those read apart.
      if (!(error instanceof CapacityError) || !/^(prompt|request|tool .*)$/s.test(error.path)) throw error;
      return { calls: undefined, failure: "prompt too long", promptTokens: error.needed };
    }
  };
}

/** Answers from a session with warm layers, after another request, that of the example before, has warmed it for the tools. */
export function warmAnswerer(session: Pick<Session, "call">): Answerer {
  const answer = modelAnswerer(session, {});
  let other = "what can you do";
  return async (example) => {
    await answer({ ...example, request: other });
    other = example.request;
    return answer(example);
  };
}

/** Answers and judges all examples, `concurrency` at a time, in their order. */
export async function answerAll(
  examples: readonly Example[],
  answer: Answerer,
  concurrency: number,
  onDone: (done: number) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  let [next, done] = [0, 0];
  const worker = async () => {
    while (next < examples.length) {
      const i = next++;
      results[i] = result(examples[i], await answer(examples[i]));
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return results;
}

function result(example: Example, { calls, ...rest }: Answer): Result {
  const { tools, accept, ...known } = example;
  const { want, counts, faults } = judgeNearest(accept, calls, tools);
  const names = tools.tools.map(({ promptName }) => promptName);
  return { ...known, tools: names, ...rest, want, got: calls ?? null, exact: counts.exact === 1, faults, counts };
}

export interface Retrieval {
  /** Examples with a wanted tool on offer. */
  examples: number;
  /** null, as all below, where no example has one. */
  meanTools: number | null;
  /** Share of examples with a wanted tool among the first k. */
  recall: Record<"1" | "3" | "5", number | null>;
  /** Mean reciprocal rank of the first wanted tool. */
  mrr: number | null;
}

/**
 * Ranks each example's tools by the contrastive head: dot product of the request's vector and that of the tool's
 * compact JSON. Source: needle/training/eval.py, benchmark_retrieval.
 */
export async function retrieval(
  thimble: Pick<Thimble, "vectorOf">,
  examples: readonly Example[],
  onDone: (done: number) => void,
): Promise<Retrieval> {
  const vectors = new Map<string, Float32Array>();
  const embed = async (text: string) => {
    const vector = vectors.get(text) ?? (await thimble.vectorOf(text));
    vectors.set(text, vector);
    return vector;
  };
  const ranked: { rank: number; tools: number }[] = [];
  for (const [i, { request, tools, accept }] of examples.entries()) {
    const wanted = new Set(accept.flat().map(({ name }) => snakeCase(name)));
    if (tools.tools.some(({ promptName }) => wanted.has(promptName))) {
      const query = await embed(request);
      const scores: { name: string; score: number }[] = [];
      for (const tool of JSON.parse(tools.prompt)) {
        const vector = await embed(pythonJson(tool));
        scores.push({ name: tool.name, score: query.reduce((dot, x, j) => dot + x * vector[j], 0) });
      }
      scores.sort((a, b) => b.score - a.score);
      ranked.push({ rank: 1 + scores.findIndex(({ name }) => wanted.has(name)), tools: scores.length });
    }
    onDone(i + 1);
  }
  const mean = (of: (one: (typeof ranked)[0]) => number) =>
    ranked.length ? ranked.reduce((total, one) => total + of(one), 0) / ranked.length : null;
  const within = (k: number) => mean(({ rank }) => Number(rank <= k));
  return {
    examples: ranked.length,
    meanTools: mean(({ tools }) => tools),
    recall: { 1: within(1), 3: within(3), 5: within(5) },
    mrr: mean(({ rank }) => 1 / rank),
  };
}
