/** Load, call: the whole walk on one screen. */
import type { BuildName, Kernels } from "../wasm/abi.ts";
import { type Choice, decode, logits, pick } from "./decoder.ts";
import { type Arrival, contrast, prefill } from "./encoder.ts";
import { CapacityError } from "./errors.ts";
import { Grammar, type State, TokenTrie } from "./grammar.ts";
import { detectBuild, startKernels } from "./kernels.ts";
import { PackStream, type Source, type StreamOptions } from "./loader.ts";
import { type ModelPlan, planModel, planSession, reserve, type SessionPlan, writeWords } from "./memory.ts";
import type { PackHeader } from "./pack.ts";
import { lexicalScores, offered, type Ranked, ranking } from "./rank.ts";
import { special, Tokenizer } from "./tokenizer.ts";
import { readCalls, type Step, type ToolCall } from "./toolcall.ts";
import { ToolSet } from "./tools.ts";

export interface Limits {
  /** Prompt tokens, request and tools together; 384, up to 1,024. */
  promptTokens?: number;
  /** Answer tokens; 128, up to 512. */
  answerTokens?: number;
}

export interface LoadOptions extends StreamOptions, Limits {
  /** A build of the kernels by name, or other kernels with the same exports; the fastest that the host runs. */
  kernels?: BuildName | ((memory: WebAssembly.Memory) => Kernels);
  /** Resolve once the header is read; a call then waits for each section as it needs it. */
  early?: boolean;
  /** Most bytes of linear memory, sessions included; 4 GiB. */
  maxMemoryBytes?: number;
}

export interface CallOptions {
  /** Gets each piece of the answer's text as it is decided; a promise is awaited, so that a page may paint. */
  onText?: (text: string) => void | Promise<void>;
  signal?: AbortSignal;
  /** Offer about so many of the tools, the likeliest ones; all by default. */
  offer?: number;
  /**
   * false: decode freely, as the model would without a grammar; the text may then be no call list.
   * "step": ask the logits for every token, also where text is forced; to measure what forcing saves and changes.
   */
  grammar?: boolean | "step";
}

export interface Timings {
  promptTokens: number;
  /** Ids of the answer, with those that no logits were computed for. */
  answerTokens: number;
  forcedTokens: number;
  prefillMs: number;
  decodeMs: number;
  totalMs: number;
}

export interface CallResult {
  calls: ToolCall[];
  /** The answer as JSON text. */
  text: string;
  tokens: number[];
  /** The answer reached the token limit and was closed by the shortest valid way. */
  cutShort: boolean;
  timings: Timings;
}

export type Tools = Parameters<typeof ToolSet.from>[0];

const mostPromptTokens = 1024;
const mostAnswerTokens = 512;

/** The model that ships with thimble. */
export const defaultModel = new URL("./model/default.thimble", import.meta.url);

/**
 * Loads a pack and plans its memory; every session's buffers exist before its first token.
 * Throws: FormatError for a bad file, CapacityError for one that memory cannot hold, the signal's reason on abort.
 */
export async function load(source: Source = defaultModel, options: LoadOptions = {}): Promise<Thimble> {
  const stream = await PackStream.open(source, options);
  const model = planModel(stream.header);
  const memory = reserve(null, model.endBytes, options.maxMemoryBytes ?? 2 ** 32);
  writeWords(memory, model.words);
  const build = typeof options.kernels === "string" ? options.kernels : options.kernels ? "custom" : detectBuild();
  const kernels =
    build === "custom"
      ? (options.kernels as (m: WebAssembly.Memory) => Kernels)(memory)
      : await startKernels(build, memory);

  const waiting = new Map(stream.header.sections.map(({ name }) => [name, signal()]));
  const loaded = stream.copyInto(memory, model.sections, (name) => {
    waiting.get(name)?.resolve();
    waiting.delete(name);
  });
  loaded.catch((error) => {
    for (const { reject } of waiting.values()) reject(error);
  });
  const arrived: Arrival = (section) => waiting.get(section)?.promise;
  const thimble = new Thimble(stream.header, build, kernels, memory, model, arrived, loaded, options);
  if (!options.early) await loaded;
  return thimble;
}

/** One set of weights in linear memory, and the sessions that share it. */
export class Thimble {
  readonly tokenizer: Tokenizer;
  readonly trie: TokenTrie;
  private readonly grammars = new Map<string, Grammar>();
  /** Contrastive vectors of tools by their text. */
  readonly vectors = new Map<string, Float32Array>();
  private readonly free: SessionPlan[] = [];
  private readonly first: Session;
  private endBytes: number;

  /** Use `load`. */
  constructor(
    readonly header: PackHeader,
    readonly build: BuildName | "custom",
    readonly kernels: Kernels,
    readonly memory: WebAssembly.Memory,
    readonly model: ModelPlan,
    readonly arrived: Arrival,
    /** Settles when the last section has arrived. */
    readonly loaded: Promise<void>,
    private readonly options: LoadOptions,
  ) {
    this.tokenizer = new Tokenizer(header.pieces);
    this.trie = new TokenTrie(this.tokenizer);
    this.endBytes = model.endBytes;
    this.first = this.session();
  }

  /**
   * Opens a session with buffers and KV caches of its own.
   * Throws: CapacityError if memory cannot hold it, RangeError for limits out of range.
   */
  session(limits: Limits = {}): Session {
    const promptTokens = limits.promptTokens ?? this.options.promptTokens ?? 384;
    const answerTokens = limits.answerTokens ?? this.options.answerTokens ?? 128;
    check("promptTokens", promptTokens, 8, mostPromptTokens);
    check("answerTokens", answerTokens, 8, mostAnswerTokens);
    const same = this.free.findIndex((old) => old.promptTokens === promptTokens && old.answerTokens === answerTokens);
    if (same >= 0) return new Session(this, this.free.splice(same, 1)[0], this.free);

    const plan = planSession(this.header.geometry, promptTokens, answerTokens, this.endBytes);
    reserve(this.memory, plan.endBytes, this.options.maxMemoryBytes ?? 2 ** 32);
    this.endBytes = plan.endBytes;
    writeWords(this.memory, plan.words);
    const positions = Math.max(promptTokens, answerTokens + 1);
    this.kernels.rope_table(plan.record, positions, this.header.geometry.ropeTheta);
    return new Session(this, plan, this.free);
  }

  /** Answers a request with calls of the tools: `Session.call` on the first session. */
  call(request: string, tools: Tools, options: CallOptions = {}): Promise<CallResult> {
    return this.first.call(request, tools, options);
  }

  /** The contrastive vector of a text, f32 (contrastiveDim), for ranking tools by dot product. */
  contrast(text: string): Promise<Float32Array> {
    return this.first.contrast(text);
  }

  /** Tools from the likeliest for a request down: `Session.rank` on the first session. */
  rank(request: string, tools: Tools): Promise<Ranked[]> {
    return this.first.rank(request, tools);
  }

  /** The compiled grammar of a tool set; equal tool sets share one. */
  grammarOf(set: ToolSet): Grammar {
    const known = this.grammars.get(set.key);
    if (known) return known;
    const made = new Grammar(set, this.trie);
    if (this.grammars.size >= mostGrammars) this.grammars.delete(this.grammars.keys().next().value as string);
    this.grammars.set(set.key, made);
    return made;
  }

  get linearMemoryBytes(): number {
    return this.memory.buffer.byteLength;
  }
}

const mostGrammars = 64;
const mostVectors = 4096;
/** What the contrastive head was trained on at most. */
const contrastTokens = 128;

/** Buffers for one call at a time; calls on the same session queue up. */
export class Session {
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly owner: Thimble,
    readonly plan: SessionPlan,
    private readonly free: SessionPlan[],
  ) {}

  /**
   * Request + tools → tool calls.
   * Throws: ToolError for bad tools, RangeError for an empty request, CapacityError if the prompt is too long.
   */
  call(request: string, tools: Tools, options: CallOptions = {}): Promise<CallResult> {
    return this.next(async () => {
      const all = ToolSet.from(tools);
      return this.run(request, await this.offer(request, all, options.offer), options);
    });
  }

  contrast(text: string): Promise<Float32Array> {
    return this.next(() => this.vectorOf(text));
  }

  /**
   * Tools from the likeliest for a request down: by the contrastive head, or by words for packs without one.
   * Each tool's vector is computed once and kept.
   */
  rank(request: string, tools: Tools): Promise<Ranked[]> {
    return this.next(async () => {
      const set = ToolSet.from(tools);
      const scores = (await this.contrastiveScores(request, set)) ?? lexicalScores(request, set);
      return ranking(scores).map((place) => ({ name: set.tools[place].name, score: scores[place] }));
    });
  }

  /** Gives the buffers back for the next session of the same limits. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    void this.queue.then(() => this.free.push(this.plan));
  }

  private async offer(request: string, set: ToolSet, k: number | undefined): Promise<ToolSet> {
    if (k === undefined || k >= set.tools.length) return set;
    check("offer", k, 1, mostPromptTokens);
    const scores = await this.contrastiveScores(request, set);
    return set.only(offered(k, [lexicalScores(request, set), ...(scores ? [scores] : [])].map(ranking)));
  }

  /** Dot products of the request's vector with each tool's; null for a pack without the head. */
  private async contrastiveScores(request: string, set: ToolSet): Promise<number[] | null> {
    const { model, vectors } = this.owner;
    if (!model.contrastive) return null;
    const query = await this.vectorOf(request);
    const scores: number[] = [];
    for (const text of set.texts) {
      const vector = vectors.get(text) ?? (await this.vectorOf(text));
      if (vectors.size >= mostVectors) vectors.clear();
      vectors.set(text, vector);
      scores.push(vector.reduce((sum, x, i) => sum + x * query[i], 0));
    }
    return scores;
  }

  private vectorOf(text: string): Promise<Float32Array> {
    const { kernels, memory, model, arrived, header, tokenizer } = this.owner;
    if (!model.contrastive) throw new Error("contrast: expected a pack with a contrastive head, got one without");
    const ids = tokenizer.tokenize(text).slice(0, Math.min(contrastTokens, this.plan.promptTokens));
    if (!ids.length) throw new RangeError("contrast: expected text, got none");
    return contrast(kernels, memory, model, this.plan, ids, arrived, header.geometry.contrastiveDim);
  }

  private next<T>(work: () => Promise<T> | T): Promise<T> {
    if (this.closed) throw new Error("session: expected an open session, got a closed one; open another");
    const result = this.queue.then(work);
    this.queue = result.catch(() => {});
    return result;
  }

  private async run(request: string, set: ToolSet, options: CallOptions): Promise<CallResult> {
    const { kernels, memory, model, arrived, tokenizer, header } = this.owner;
    const { vocabSize, dModel } = header.geometry;
    const { plan } = this;
    options.signal?.throwIfAborted();
    const startMs = performance.now();
    const prompt = this.promptIds(request, set);
    await prefill(kernels, memory, model, plan, prompt, arrived);
    const prefillMs = performance.now() - startMs;

    const grammar = options.grammar === false ? null : this.owner.grammarOf(set);
    const text = tokenizer.stream();
    const tokens: number[] = [];
    // Ids that are decided but have not been through the decoder; the first two stand in every answer.
    let pending: number[] = [special.eos];
    let pos = 0;
    let forcedTokens = 0;
    let cutShort = false;
    const steps: Step[] = [];
    const bytes: number[] = [];
    const decide = async (id: number, choice?: Choice) => {
      if (choice) steps.push({ ...choice, startByte: bytes.length, second: tokenizer.bytesOf(choice.second) });
      bytes.push(...tokenizer.bytesOf(id));
      tokens.push(id);
      pending.push(id);
      if (id === special.toolCall) return;
      const piece = text.push(id);
      if (piece) await options.onText?.(piece);
      options.signal?.throwIfAborted();
    };
    const nextLogits = async (mask: Uint32Array | null) => {
      for (const i of model.decoder.keys()) await arrived(`decoder.${i}`);
      const hidden = decode(kernels, memory, model, plan, pending, pos, prompt.length, dModel);
      pos += pending.length;
      pending = [];
      logits(kernels, memory, model, plan, hidden, mask, vocabSize);
      return pick(kernels, memory, plan, vocabSize);
    };

    if (grammar) {
      await decide(special.toolCall);
      forcedTokens++;
      let state: State = grammar.start;
      while (!state.atEnd) {
        const forced = options.grammar === "step" ? null : grammar.forced(state);
        const room = plan.answerTokens - tokens.length;
        if (forced?.ids.length && fits(forced.state, room - forced.ids.length)) {
          for (const id of forced.ids) await decide(id);
          forcedTokens += forced.ids.length;
          state = forced.state;
          continue;
        }
        const mask = grammar.mask(state);
        const choice = mask.count === 1 && options.grammar !== "step" ? undefined : await nextLogits(mask.bits);
        const id = choice?.id ?? mask.some;
        const after = grammar.advance(state, id) as State;
        if (!fits(after, room - 1)) {
          for (const last of grammar.finish(state)) await decide(last);
          cutShort = true;
          break;
        }
        if (!choice) forcedTokens++;
        await decide(id, choice);
        state = after;
      }
    } else {
      while (tokens.length < plan.answerTokens) {
        const choice = await nextLogits(null);
        if (choice.id === special.eos) break;
        await decide(choice.id, choice);
      }
    }
    const rest = text.end();
    if (rest) await options.onText?.(rest);

    const answer = tokenizer.detokenize(tokens.filter((id) => id !== special.toolCall));
    const totalMs = performance.now() - startMs;
    const timings = {
      promptTokens: prompt.length,
      answerTokens: tokens.length,
      forcedTokens,
      prefillMs,
      decodeMs: totalMs - prefillMs,
      totalMs,
    };
    return {
      calls: readCalls(Uint8Array.from(bytes), set.tools, request, steps),
      text: answer,
      tokens,
      cutShort,
      timings,
    };

    /** Whether the answer can still end validly within `room` tokens of a state. */
    function fits(state: State, room: number): boolean {
      return room >= easyRoom || (grammar as Grammar).finish(state).length <= room;
    }
  }

  /** Spec, "Prompt": request, `<tools>`, tools. */
  private promptIds(request: string, set: ToolSet): number[] {
    const { tokenizer } = this.owner;
    const query = tokenizer.tokenize(request);
    if (!query.length) throw new RangeError("request: expected text, got none; say what to do");
    const prompt = [...query, special.tools, ...tokenizer.tokenize(set.prompt)];
    const room = this.plan.promptTokens;
    if (prompt.length > room) {
      const parts = `request ${query.length}, tools ${prompt.length - query.length - 1}`;
      const remedy = room < mostPromptTokens ? "offer fewer tools or load with more promptTokens" : "offer fewer tools";
      const over = `${prompt.length - room} over (${parts}); ${remedy}`;
      throw new CapacityError(
        "prompt",
        prompt.length,
        room,
        `expected at most ${room} tokens, got ${prompt.length}, ${over}`,
      );
    }
    return prompt;
  }
}

/** With so much room left the way out is not measured. */
const easyRoom = 96;

function check(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name}: expected an integer from ${least} to ${most}, got ${value}`);
  }
}

function signal(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<void>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
