/** One model and those who wait for it: calls run one at a time, in the order in which they came. */
import type { CallOptions, CallResult, Thimble, ToolSet } from "../../runtime/index.ts";
import { ApiError } from "./http.ts";
import type { Metrics } from "./metrics.ts";

/** Answer tokens of a call that says nothing of them: the most there are. */
export const mostAnswerTokens = 512;
const leastAnswerTokens = 8;

export interface Ask {
  request: string;
  tools: ToolSet;
  calls?: CallOptions["calls"];
  /** Most answer tokens; less than 8 counts as 8, which a call that is cut short needs to end. */
  answerTokens?: number;
}

export class Desk {
  /** Calls that run or wait. */
  count = 0;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly model: Thimble,
    readonly metrics: Metrics,
    private readonly most: number,
  ) {}

  /**
   * Answers, after all who came before.
   * Throws: ApiError 429 if too many wait; the signal's reason, at the latest on its turn; as `Session.call`.
   */
  async call(ask: Ask, signal: AbortSignal, onText?: (text: string) => void): Promise<CallResult> {
    if (this.count >= this.most) {
      const message = `server: expected at most ${this.most} calls at once, got one more; try again, or serve --queue more`;
      throw new ApiError(429, "rate_limit_exceeded", message, null, { "retry-after": "1" });
    }
    this.count++;
    const turn = this.queue.then(() => this.take(ask, signal, onText));
    this.queue = turn.catch(() => {});
    try {
      const result = await turn;
      this.metrics.answered(result);
      return result;
    } catch (error) {
      if (signal.aborted) this.metrics.aborted++;
      throw error;
    } finally {
      this.count--;
    }
  }

  private async take(ask: Ask, signal: AbortSignal, onText?: (text: string) => void): Promise<CallResult> {
    signal.throwIfAborted();
    const { request, tools, calls } = ask;
    const wanted = Math.max(leastAnswerTokens, Math.min(mostAnswerTokens, ask.answerTokens ?? mostAnswerTokens));
    const options = { signal, ...(calls && { calls }), ...(onText && { onText }) };
    if (wanted === mostAnswerTokens) return this.model.call(request, tools, options);
    const session = this.model.session({ answerTokens: wanted });
    try {
      return await session.call(request, tools, options);
    } finally {
      session.close();
    }
  }
}
