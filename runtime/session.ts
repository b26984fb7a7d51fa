/** Buffers for one call at a time over a model's weights: prompt, prefill, answer, ranking. */
import { type Answer, type Writer, writeAnswer, writeFreely } from "./answer/answer.ts";
import { Copy } from "./answer/copy.ts";
import { type Decision, together } from "./answer/decision.ts";
import { lexicalScores, offered, type Ranked, ranking } from "./answer/rank.ts";
import { readCalls, type ToolCall } from "./answer/toolcall.ts";
import { contrast, prefill } from "./engine/encoder.ts";
import type { Host, SessionPlan, Walk } from "./engine/memory.ts";
import { Warmth } from "./engine/warm.ts";
import { CapacityError } from "./errors.ts";
import { unlessAborted } from "./load/weights.ts";
import { special } from "./text/tokenizer.ts";
import type { Thimble } from "./thimble.ts";
import { ToolSet } from "./tools/tools.ts";

export interface CallOptions {
  /**
   * Gets each piece of the answer's text as it is decided; a promise is awaited, so that a page may paint. To call the
   * model from within it, open another session: this one is busy.
   */
  onText?: (text: string) => void | Promise<void>;
  /** Checked before every layer; with it, the call lets other events in every few milliseconds. */
  signal?: AbortSignal;
  /** Offer about so many of the tools, the likeliest ones; all by default. */
  offer?: number;
  /**
   * false: decode freely, as the model would without a grammar; the text may then be no call list.
   * "step": ask the logits for every token, also where text is forced; to measure what forcing saves and changes.
   */
  grammar?: boolean | "step";
  /** Under the grammar, write free strings as whole words of the request; as the pack says its model was trained. */
  copy?: boolean;
}

export interface Timings {
  promptTokens: number;
  /** First encoder layers whose work on the tool list was kept from an earlier call; 0: an exact answer. */
  warmLayers: number;
  /** Ids of the answer, with those that no logits were computed for. */
  answerTokens: number;
  forcedTokens: number;
  prefillMs: number;
  decodeMs: number;
  totalMs: number;
}

export interface CallResult {
  calls: ToolCall[];
  /** The most careful of the calls' decisions; none without calls. */
  decision: Decision;
  /** The answer as JSON text. */
  text: string;
  tokens: number[];
  /** The answer reached the token limit: under the grammar it was closed by a valid way out. */
  cutShort: boolean;
  timings: Timings;
}

export type Tools = Parameters<typeof ToolSet.from>[0];

export const mostPromptTokens = 1024;

export class Session {
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;
  private inCallback = false;
  private readonly warmth: Warmth | null;

  /** Use `Thimble.session`. */
  constructor(
    private readonly owner: Thimble,
    readonly plan: SessionPlan,
    private readonly release: (plan: SessionPlan) => void,
  ) {
    this.warmth = plan.warmLayers ? new Warmth(owner.header.geometry) : null;
  }

  /**
   * Request + tools → tool calls. Calls on one session queue up.
   * Throws: ToolError for bad tools, RangeError for an empty request, CapacityError if the prompt is too long, the
   * signal's reason on abort.
   */
  async call(request: string, tools: Tools, options: CallOptions = {}): Promise<CallResult> {
    const all = ToolSet.from(tools);
    return this.next(options.signal, async (host) => {
      const set = await this.offer(request, all, options.offer, host);
      return this.run(request, set, options, host);
    });
  }

  /** The contrastive vector of a text, f32 (contrastiveDim), for ranking tools by dot product. */
  contrast(text: string): Promise<Float32Array> {
    return this.next(undefined, (host) => this.vectorOf(text, host));
  }

  /**
   * Tools from the likeliest for a request down: by the contrastive head, or by words for packs without one.
   * Each tool's vector is computed once and kept.
   */
  async rank(request: string, tools: Tools): Promise<Ranked[]> {
    const set = ToolSet.from(tools);
    return this.next(undefined, async (host) => {
      const scores = (await this.contrastiveScores(request, set, host)) ?? lexicalScores(request, set);
      return ranking(scores).map((place) => ({ name: set.tools[place].name, score: scores[place] }));
    });
  }

  /** Gives the buffers back for the next session of the same limits. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    void this.queue.then(() => this.release(this.plan));
  }

  private async run(request: string, set: ToolSet, options: CallOptions, host: Host): Promise<CallResult> {
    const { tokenizer, profile } = this.owner;
    const startMs = performance.now();
    const [query, list] = this.promptIds(request, set);
    const promptTokens = query.length + list.length;
    const warmLayers = this.warmth ? await this.warmth.prefill(host, query, list) : 0;
    if (!this.warmth) await prefill(host, [...query, ...list]);
    const prefillMs = performance.now() - startMs;

    const writer: Writer = {
      host,
      tokenizer,
      promptTokens,
      ...(options.onText && { onText: this.guarded(options.onText) }),
    };
    const { grammar } = options;
    const answer = grammar === false ? await writeFreely(writer) : await this.write(writer, request, set, options);

    const { tokens, forcedTokens, cutShort } = answer;
    const calls = readCalls(answer.bytes, set.tools, request, answer.steps, profile);
    const totalMs = performance.now() - startMs;
    return {
      calls,
      decision: together(calls.map(({ decision }) => decision)),
      text: tokenizer.detokenize(tokens.filter((id) => id !== special.toolCall)),
      tokens,
      cutShort,
      timings: {
        promptTokens,
        warmLayers,
        answerTokens: tokens.length,
        forcedTokens,
        prefillMs,
        decodeMs: totalMs - prefillMs,
        totalMs,
      },
    };
  }

  private write(writer: Writer, request: string, set: ToolSet, options: CallOptions): Promise<Answer> {
    const grammar = this.owner.grammarOf(set);
    const copies = options.copy ?? this.owner.header.copies ?? false;
    return writeAnswer(writer, grammar, copies ? new Copy(request, grammar) : null, options.grammar !== "step");
  }

  /** Spec, "Prompt": ids of the request, and `<tools>` with those of the tools. */
  private promptIds(request: string, set: ToolSet): [query: number[], list: number[]] {
    const { tokenizer } = this.owner;
    const query = tokenizer.tokenize(request);
    if (!request.trim()) throw new RangeError("request: expected text, got none; say what to do");
    const list = [special.tools, ...this.owner.idsOf(set)];
    const length = query.length + list.length;
    const room = this.plan.promptTokens;
    if (length > room) {
      const parts = `request ${query.length}, tools ${list.length - 1}`;
      const remedy = room < mostPromptTokens ? "offer fewer tools or load with more promptTokens" : "offer fewer tools";
      const over = `got ${length}, ${length - room} over (${parts}); ${remedy}`;
      throw new CapacityError("prompt", length, room, `expected at most ${room} tokens, ${over}`);
    }
    return [query, list];
  }

  private async offer(request: string, set: ToolSet, k: number | undefined, host: Host): Promise<ToolSet> {
    if (k === undefined) return set;
    if (!Number.isInteger(k) || k < 1) throw new RangeError(`offer: expected an integer from 1, got ${k}`);
    if (k >= set.tools.length) return set;
    const scores = await this.contrastiveScores(request, set, host);
    return set.only(offered(k, [lexicalScores(request, set), ...(scores ? [scores] : [])].map(ranking)));
  }

  /** Dot products of the request's vector with each tool's; null for a pack without the head. */
  private async contrastiveScores(request: string, set: ToolSet, host: Host): Promise<number[] | null> {
    const { model, vectors } = this.owner;
    if (!model.contrastive) return null;
    const query = await this.vectorOf(request, host);
    const scores: number[] = [];
    for (const text of set.texts) {
      const vector = vectors.get(text) ?? (await this.vectorOf(text, host));
      if (vectors.size >= mostVectors) vectors.clear();
      vectors.set(text, vector);
      scores.push(vector.reduce((sum, x, i) => sum + x * query[i], 0));
    }
    return scores;
  }

  private vectorOf(text: string, host: Host): Promise<Float32Array> {
    const { model, header, tokenizer } = this.owner;
    if (!model.contrastive) throw new Error("contrast: expected a pack with a contrastive head, got one without");
    const ids = tokenizer.tokenize(text).slice(0, Math.min(contrastTokens, this.plan.promptTokens));
    if (!ids.length) throw new RangeError("contrast: expected text, got none");
    return contrast(host, ids, header.geometry.contrastiveDim);
  }

  /** Runs work after what is queued. */
  private async next<T>(signal: AbortSignal | undefined, work: (host: Host) => Promise<T>): Promise<T> {
    if (this.closed) throw new Error("session: expected an open session, got a closed one; open another");
    if (this.inCallback) {
      throw new Error(
        "session: expected no call from within its own onText, which would wait for itself; open another",
      );
    }
    const { kernels, memory, model, weights } = this.owner;
    const walk: Walk = (units, step) => {
      const walked = weights.walk(units, step, signal);
      return signal ? unlessAborted(walked, signal) : walked;
    };
    const result = this.queue.then(() => {
      signal?.throwIfAborted();
      return work({ kernels, memory, model, session: this.plan, walk });
    });
    this.queue = result.catch(() => {});
    return result;
  }

  /** Marks the time in which a call on this session would wait for itself. */
  private guarded(onText: NonNullable<CallOptions["onText"]>): NonNullable<CallOptions["onText"]> {
    return (text) => {
      this.inCallback = true;
      try {
        return onText(text);
      } finally {
        this.inCallback = false;
      }
    };
  }
}

const mostVectors = 4096;
/** What the contrastive head was trained on at most. */
const contrastTokens = 128;
