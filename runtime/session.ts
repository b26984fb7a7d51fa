/** Buffers for one call at a time over a model's weights: prompt, prefill, answer, ranking. */
import { type Scribe, writeAnswer, writeFreely } from "./answer/answer.ts";
import { type Decision, mostCareful } from "./answer/decision.ts";
import { Enums } from "./answer/enums.ts";
import { Figures } from "./answer/figures.ts";
import { Lean, late } from "./answer/lean.ts";
import { type Ranked, ranking } from "./answer/rank.ts";
import { Calls, mostItemsOf } from "./answer/repeat.ts";
import { Rules } from "./answer/rules.ts";
import { isTaught } from "./answer/taught.ts";
import { readCalls, type ToolCall } from "./answer/toolcall.ts";
import type { TracedToken } from "./answer/trace.ts";
import { nowMs } from "./clock.ts";
import type { Host } from "./engine/host.ts";
import type { SessionLimits, SessionPlan } from "./engine/sessionplan.ts";
import type { Grammar } from "./grammar/grammar.ts";
import type { Tuning } from "./load/tuning.ts";
import { unlessAborted, type Weights } from "./load/weights.ts";
import type { Calibration } from "./pack/calibration.ts";
import { Apart } from "./prompt/apart.ts";
import { Joint } from "./prompt/joint.ts";
import type { PromptModel, Shown, Way } from "./prompt/prompt.ts";
import { type Request, readRequest } from "./text/request.ts";
import { special } from "./text/tokenizer.ts";
import type { DefinedArguments, Definitions, TypedTools } from "./tools/define.ts";
import { mended } from "./tools/mend.ts";
import { ToolSet } from "./tools/tools.ts";
import { lexicalScores } from "./tools/words.ts";
import { Turns } from "./turns.ts";

/** How many calls an answer has. */
const counts = ["any", "some", "one", "at most one"] as const;

export interface CallOptions {
  /**
   * Gets each piece of the answer's text as it is decided; a promise is awaited, so that a page may paint. To call the
   * model from within it, open another session: this one is busy.
   */
  onText?: (text: string) => void | Promise<void>;
  /** Checked before every layer; with it, the call lets other events in every few milliseconds. */
  signal?: AbortSignal;
  /**
   * Offer about so many of the tools, the likeliest ones. By default all, and where tools are read apart of more than eight
   * the likeliest eight.
   */
  offer?: number;
  /** false: decode freely, as the model would without a grammar; the text may then be no call list. */
  grammar?: boolean;
  /** false: ask the logits for every token, also where the grammar forces text; to measure what that saves and changes. */
  force?: boolean;
  /** Under the grammar, how many calls the answer has: "any", "some", "one" or "at most one". */
  calls?: (typeof counts)[number];
  /** Say in the result what each token was chosen from; the same answer, more slowly. */
  trace?: boolean;
  /** Under the grammar, write free strings as whole words of the request; as the pack says its model was trained. */
  copy?: boolean;
}

export interface Timings {
  /** Rows of this call's prefill: request and tools, or where tools are read apart the request alone. */
  promptTokens: number;
  /** How many tools were brought, how many of them the model saw, and how many were read for this call. */
  tools: { given: number; offered: number; read: number };
  /** First encoder layers whose work on the tool list was kept from an earlier call; 0: an exact answer. */
  warmLayers: number;
  /** Ids of the answer, with those that no logits were computed for. */
  answerTokens: number;
  forcedTokens: number;
  /** From the request to the first decode step: ranking and reading tools, then the request. */
  prefillMs: number;
  decodeMs: number;
  totalMs: number;
}

export interface CallResult<C = ToolCall> {
  calls: C[];
  /** The most careful of the calls' decisions; none without calls. */
  decision: Decision;
  /** The answer as JSON text, as the model wrote it: in plain characters, where `calls` have the words as typed. */
  text: string;
  tokens: number[];
  /** The answer reached the token limit: under the grammar it was closed by a valid way out. */
  cutShort: boolean;
  timings: Timings;
  /** A token each, with `trace`. */
  trace?: TracedToken[];
  /** Of a session with a tuning: whether its decoder wrote the answer, or the model's own. */
  tuned?: boolean;
}

export type Tools = Parameters<typeof ToolSet.from>[0];

/** A call of one of the tools of a defined set, told by its name. */
export type CallOf<T> = T extends TypedTools<infer D extends Definitions> ? DefinedCall<D> : ToolCall;

export type DefinedCall<D extends Definitions> = {
  [N in keyof D & string]: ToolCall<N, DefinedArguments<D[N]>>;
}[keyof D & string];

/** Prompt tokens that a session's buffers grow by. */
const growthTokens = 64;

/** A model, as far as its sessions need it. */
export interface Model extends PromptModel, Pick<Host, "kernels" | "memory" | "layout"> {
  readonly weights: Weights;
  /** Of the model's own decoder. */
  readonly calibration: Calibration;
  /** Another decoder in the place of the model's. */
  readonly tuning?: Tuning;
  /** Rows of tools that a session's call sees, unless it was opened with others. */
  readonly toolRows: number;
  /** Plans an arena and sets it up. Throws: CapacityError if memory cannot hold it. */
  open(limits: SessionLimits): SessionPlan;
  /** Gives an arena back. */
  release(plan: SessionPlan): void;
  /** The compiled grammar of a tool set, with or without a way to call none; equal ones share one. */
  grammarOf(set: ToolSet, mustCall?: boolean): Grammar;
}

export class Session {
  private readonly turns = new Turns();
  private closed = false;
  private readonly way: Way;
  /** Where its buffers are. @internal */
  plan: SessionPlan;

  /** Use `Thimble.session`. @internal */
  constructor(
    private readonly owner: Model,
    limits: SessionLimits,
    /** Most prompt tokens that the buffers grow to. */
    readonly mostTokens: number,
  ) {
    this.plan = owner.open(limits);
    this.way = owner.header.prompt === "apart" ? new Apart(owner, this) : new Joint(owner, this, limits.warmLayers);
  }

  /**
   * Request + tools → tool calls. Calls on one session queue up.
   * Throws: ToolError for bad tools, RangeError for an empty request, CapacityError for what does not fit, the signal's
   * reason on abort.
   */
  call<D extends Definitions>(
    typed: string,
    tools: TypedTools<D>,
    options?: CallOptions,
  ): Promise<CallResult<DefinedCall<D>>>;
  call(typed: string, tools: Tools, options?: CallOptions): Promise<CallResult>;
  async call(typed: string, tools: Tools, options: CallOptions = {}): Promise<CallResult> {
    const set = ToolSet.from(tools);
    const request = this.read(typed, set);
    checkCount(options.calls, set);
    return this.next(options.signal, async (host) => {
      const startMs = nowMs();
      const { calibration, tuning } = this.owner;
      const leans = options.grammar !== false && (calibration.lean ?? tuning?.calibration?.lean) !== undefined;
      const shown = await this.way.show(request.text, set, options.offer, host, leans);
      try {
        return await this.answer(request, set, shown, startMs, options, host);
      } finally {
        shown.release();
      }
    });
  }

  /**
   * The contrastive vector of a text, f32 (contrastiveDim), for ranking tools by dot product.
   * Throws: Error for a pack without the head; as `call` for a text that is none, or too long; the signal's reason on abort.
   */
  async vectorOf(text: string, options: Pick<CallOptions, "signal"> = {}): Promise<Float32Array> {
    readRequest(text);
    return this.next(options.signal, (host) => {
      if (!host.layout.contrastive)
        throw new Error("vectorOf: expected a pack with a contrastive head, got one without");
      return this.way.vectorOf(text, host);
    });
  }

  /**
   * Tools from the likeliest for a request down: by the contrastive head, or by words for packs without one.
   * Each tool's vector is computed once and kept.
   */
  async rank(typed: string, tools: Tools, options: Pick<CallOptions, "signal"> = {}): Promise<Ranked[]> {
    const set = ToolSet.from(tools);
    const { text: request } = this.read(typed, set);
    return this.next(options.signal, async (host) => {
      const scores = (await this.way.scores(request, set, host)) ?? lexicalScores(request, set);
      return ranking(scores).map((place) => ({ name: set.tools[place].name, score: scores[place] }));
    });
  }

  private read(typed: string, set: ToolSet): Request {
    const { tokenizer } = this.owner;
    // A word of one piece is one that the model has often met.
    return mended(readRequest(typed), set, (word) => tokenizer.tokenizeRaw(` ${word}`).length === 1);
  }

  /** Gives the buffers back, at once where no call runs. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.turns.count) this.owner.release(this.plan);
    else void this.turns.done.then(() => this.owner.release(this.plan));
  }

  /** See `Buffers`. @internal */
  grow(host: Host, promptTokens: number): void {
    if (promptTokens <= this.plan.promptTokens) return;
    const { answerTokens, warmLayers, toolRows, threads } = this.plan;
    const limits = { answerTokens, warmLayers, toolRows, threads };
    const wanted = Math.min(this.mostTokens, Math.ceil(promptTokens / growthTokens) * growthTokens);
    const old = this.plan.promptTokens;
    this.owner.release(this.plan);
    try {
      this.plan = this.owner.open({ ...limits, promptTokens: wanted });
    } catch (error) {
      this.plan = this.owner.open({ ...limits, promptTokens: old });
      throw error;
    } finally {
      host.session = this.plan;
      this.way.moved();
    }
  }

  private async answer(
    request: Request,
    given: ToolSet,
    shown: Shown,
    startMs: number,
    options: CallOptions,
    host: Host,
  ): Promise<CallResult> {
    const { tokenizer, tuning } = this.owner;
    const prefillMs = nowMs() - startMs;
    const { set, keys, warmLayers, read } = shown;
    const { onText, signal, trace } = options;
    const rules = options.grammar === false ? null : this.rules(request.text, set, options);
    const own = this.writer(request.text, shown, this.owner.calibration, host);
    const learned =
      tuning &&
      this.writer(request.text, shown, tuning.calibration ?? own.calibration, { ...host, layout: tuning.layout });
    const tuned = learned !== undefined && (await isTaught(tuning?.taught, set, learned.scribe, rules));
    const { scribe, calibration } = tuned ? learned : own;
    const shows = { ...scribe, trace, ...(onText && { onText: this.turns.guard(onText, signal) }) };
    const most = options.calls?.endsWith("one") ? 1 : undefined;
    const answer = rules
      ? await writeAnswer(shows, rules, new Calls(request.text, most), options.force !== false)
      : await writeFreely(shows);
    const { tokens, forcedTokens, cutShort } = answer;
    const calls = readCalls(answer, set.tools, request, calibration, scribe.figures);
    const totalMs = nowMs() - startMs;
    return {
      calls,
      decision: mostCareful(
        calls.map(({ decision }) => decision),
        cutShort,
      ),
      text: tokenizer.detokenize(tokens.filter((id) => id !== special.toolCall)),
      tokens,
      cutShort,
      timings: {
        promptTokens: keys,
        tools: { given: given.tools.length, offered: set.tools.length, read },
        warmLayers,
        answerTokens: tokens.length,
        forcedTokens,
        prefillMs,
        decodeMs: totalMs - prefillMs,
        totalMs,
      },
      ...(answer.trace && { trace: answer.trace }),
      ...(learned && { tuned }),
    };
  }

  /** What writes an answer with a decoder, of the model or of a tuning, and by what its calls are judged. */
  private writer(request: string, { set, scores, keys }: Shown, calibration: Calibration, host: Host) {
    const names = set.tools.map(({ promptName }) => promptName);
    const { lean } = calibration;
    const words = lean?.word ? lexicalScores(request, set, late) : names.map(() => 0);
    const scribe: Scribe = {
      ...{ host, keys, tokenizer: this.owner.tokenizer },
      ...(lean && scores?.length && { lean: new Lean(names, scores, words, lean) }),
      ...(lean?.number && {
        figures: new Figures(request, lean.number),
        enums: new Enums(request, set.tools, lean.number / 2),
      }),
    };
    return { scribe, calibration };
  }

  private rules(request: string, set: ToolSet, { calls = "any", copy }: CallOptions): Rules {
    const grammar = this.owner.grammarOf(set, calls === "some" || calls === "one");
    const copies = copy ?? this.owner.header.copies ?? false;
    return new Rules(grammar, copies ? request : null, mostItemsOf(request));
  }

  /** Runs work after what is queued. */
  private async next<T>(signal: AbortSignal | undefined, work: (host: Host) => Promise<T>): Promise<T> {
    if (this.closed) throw new Error("session: expected an open session, got a closed one; open another");
    const { kernels, memory, layout, weights } = this.owner;
    const walk = walkOf(weights, signal);
    return this.turns.take(signal, () => work({ kernels, memory, layout, session: this.plan, walk }));
  }
}

/** Throws: RangeError for a count that is none, or that a list without tools cannot give. */
function checkCount(count: CallOptions["calls"] = "any", { tools }: ToolSet): void {
  if (!counts.includes(count))
    throw new RangeError(`calls: expected one of ${counts.join(", ")}, got ${JSON.stringify(count)}`);
  if ((count === "some" || count === "one") && !tools.length)
    throw new RangeError(`calls: expected tools of which to call ${count}, got none; bring one, or ask for any`);
}

/** Walks over weights until a signal is given. */
export function walkOf(weights: Weights, signal: AbortSignal | undefined): Host["walk"] {
  return (units, step) => {
    const walked = weights.walk(units, step, signal);
    return signal ? unlessAborted(walked, signal) : walked;
  };
}
