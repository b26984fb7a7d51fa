/** Load, call: the walk from a file to a tool call. The call itself: session.ts; its loop: answer.ts. */
import type { BuildName, Kernels } from "../wasm/abi.ts";
import { checkProfile, genericProfile, type Profile } from "./answer/decision.ts";
import type { Ranked } from "./answer/rank.ts";
import { detectBuild } from "./engine/kernels.ts";
import {
  fitModel,
  type ModelPlan,
  mostMemoryBytes,
  pageBytes,
  planSession,
  reserve,
  type SessionPlan,
  writeWords,
} from "./engine/memory.ts";
import { mostThreads, startThreads, type Threads, whyAlone } from "./engine/threads.ts";
import { FormatError } from "./errors.ts";
import { Grammar } from "./grammar/grammar.ts";
import { pull } from "./load/cache.ts";
import { PackStream, type StreamOptions } from "./load/loader.ts";
import { isOnWeb, openRandom, type Source } from "./load/source.ts";
import { Weights } from "./load/weights.ts";
import { type PackHeader, prefixBytes } from "./pack/pack.ts";
import { type CallOptions, type CallResult, mostPromptTokens, Session, type Tools } from "./session.ts";
import { Tokenizer } from "./text/tokenizer.ts";
import { TokenTrie } from "./text/trie.ts";
import type { ToolSet } from "./tools/tools.ts";

export interface Limits {
  /** Prompt tokens, request and tools together; 384, up to 1,024. */
  promptTokens?: number;
  /** Answer tokens; 128, up to 512. */
  answerTokens?: number;
  /**
   * First encoder layers whose work on an unchanged tool list a session keeps; 0, since some answers change with it:
   * `thimble eval --decode grammar,warm=N` says how many.
   */
  warmLayers?: number;
}

export interface LoadOptions extends StreamOptions, Limits {
  /** A build of the kernels by name, or other kernels with the same exports; the fastest that the host runs. */
  kernels?: BuildName | ((memory: WebAssembly.Memory) => Kernels);
  /** What `thimble calibrate` wrote, instead of the pack's own. */
  profile?: Profile;
  /**
   * Keep a pack from the web in the user's cache folder, in browsers among the origin's private files (OPFS), and take it
   * from there from then on. It is whole before loading begins.
   */
  cache?: boolean;
  /** Resolve once the header is read; a call then waits for each section as it needs it. */
  early?: boolean;
  /** Threads of the prefill, the calling one included; 1, up to 32. One where there can be no more: `Thimble.threads`. */
  threads?: number;
  /**
   * Most bytes of linear memory, sessions included; 2 GiB, which is also the most there can be. Weights that find no
   * room beside the sessions are read from the source whenever a call needs them: same tokens, more slowly.
   */
  memory?: number;
  /** How many sessions of these limits find room in `memory`; 1. */
  sessions?: number;
}

const mostAnswerTokens = 512;
const mostToolSets = 64;

/** The model that ships with thimble. */
export const defaultModel = new URL("./model/default.thimble", import.meta.url);

/**
 * Loads a pack and plans its memory; every session's buffers exist before its first token.
 * Throws: FormatError for a bad file, CapacityError for one that memory cannot hold, the signal's reason on abort.
 */
export async function load(source: Source = defaultModel, options: LoadOptions = {}): Promise<Thimble> {
  if (options.cache && isOnWeb(source)) return load(await pull(source, options), { ...options, cache: false });
  const limits = limitsOf(options, {});
  const wanted = integer("threads", options.threads ?? 1, 1, mostThreads);
  const sessions = integer("sessions", options.sessions ?? 1, 1, 1024);
  const kernels = options.kernels ?? detectBuild();
  const build = typeof kernels === "function" ? "custom" : kernels;
  const stream = await PackStream.open(source, options);
  let threads: Threads | undefined;
  try {
    const { header } = stream;
    if (header.weights !== "int4" && build !== "custom") {
      throw new FormatError(
        "header.weights",
        prefixBytes,
        `expected int4, got ${header.weights}, which only the reference kernels run`,
      );
    }
    const sharing = wanted > 1 && build !== "custom" && !whyAlone();
    const mostBytes = mostBytesOf(options);
    const model = fitModel(header, { ...limits, threads: sharing ? wanted : 1 }, sessions, mostBytes);
    // Beside a ring nothing may grow the memory, and so move it while bytes are read into it.
    const memory = reserve(null, model.ring ? mostBytes : model.endBytes, mostBytes, sharing);
    writeWords(memory, model.words);
    threads = await startThreads(kernels, memory, wanted, header.geometry.dModel);
    const tokenizer = tokenizerOf(header);
    if (model.ring) await stream.close();
    const weights = new Weights(memory, model, header, model.ring && (await openRandom(source)));

    let loaded: Promise<void> = Promise.resolve();
    const thimble = new Thimble(header, build, threads, memory, model, tokenizer, weights, () => loaded, options);
    loaded = model.ring ? weights.fill(options) : stream.copyInto(memory, model, (name) => weights.arrive(name));
    loaded.catch((error) => {
      weights.fail(error);
      weights.close();
    });
    if (!options.early) await loaded;
    return thimble;
  } catch (error) {
    threads?.close();
    await stream.close();
    throw error;
  }
}

/** One set of weights in linear memory, and the sessions that share it. */
export class Thimble {
  readonly profile: Profile;
  /** Contrastive vectors of tools by their text. */
  readonly vectors = new Map<string, Float32Array>();
  private readonly trie: TokenTrie;
  private readonly known = new Map<string, { grammar: Grammar; ids: number[] }>();
  private readonly free: SessionPlan[] = [];
  /** The session of `call`, `contrast` and `rank`. */
  readonly first: Session;
  private endBytes: number;

  /** Use `load`. */
  constructor(
    readonly header: PackHeader,
    readonly build: BuildName | "custom",
    private readonly onThreads: Threads,
    readonly memory: WebAssembly.Memory,
    readonly model: ModelPlan,
    readonly tokenizer: Tokenizer,
    readonly weights: Weights,
    private readonly loading: () => Promise<void>,
    private readonly options: LoadOptions,
  ) {
    this.profile = options.profile ? checkProfile(options.profile) : (header.profile ?? genericProfile);
    this.trie = new TokenTrie(tokenizer);
    this.endBytes = model.endBytes;
    this.first = this.session();
  }

  /** Settles when the last section has arrived. */
  get loaded(): Promise<void> {
    return this.loading();
  }

  /**
   * Opens a session with buffers and KV caches of its own.
   * Throws: CapacityError if memory cannot hold it, RangeError for limits out of range.
   */
  session(limits: Limits = {}): Session {
    const { geometry } = this.header;
    const wanted = limitsOf(limits, this.options);
    if (wanted.warmLayers >= geometry.nEncoderLayers) {
      const most = geometry.nEncoderLayers - 1;
      throw new RangeError(`warmLayers: expected at most ${most} of this model's layers, got ${wanted.warmLayers}`);
    }
    const release = (plan: SessionPlan) => void this.free.push(plan);
    const names = Object.keys(wanted) as (keyof Limits)[];
    const same = this.free.findIndex((old) => names.every((name) => old[name] === wanted[name]));
    if (same >= 0) return new Session(this, this.free.splice(same, 1)[0], release);

    const { promptTokens, answerTokens, warmLayers } = wanted;
    const plan = planSession(geometry, promptTokens, answerTokens, this.endBytes, warmLayers, this.threads);
    reserve(this.memory, plan.endBytes, mostBytesOf(this.options));
    this.endBytes = plan.endBytes;
    writeWords(this.memory, plan.words);
    const positions = Math.max(promptTokens, answerTokens + 1);
    this.kernels.rope_table(plan.record, positions, geometry.ropeTheta);
    return new Session(this, plan, release);
  }

  /** Answers a request with calls of the tools: `Session.call` on the first session. */
  call(request: string, tools: Tools, options: CallOptions = {}): Promise<CallResult> {
    return this.first.call(request, tools, options);
  }

  /** The contrastive vector of a text: `Session.contrast` on the first session. */
  contrast(text: string): Promise<Float32Array> {
    return this.first.contrast(text);
  }

  /** Tools from the likeliest for a request down: `Session.rank` on the first session. */
  rank(request: string, tools: Tools): Promise<Ranked[]> {
    return this.first.rank(request, tools);
  }

  /** The compiled grammar of a tool set; equal tool sets share one. */
  grammarOf(set: ToolSet): Grammar {
    return this.compiled(set).grammar;
  }

  /** The ids of a tool set's text in the prompt; equal tool sets share them. */
  idsOf(set: ToolSet): readonly number[] {
    return this.compiled(set).ids;
  }

  private compiled(set: ToolSet): { grammar: Grammar; ids: number[] } {
    const known = this.known.get(set.key);
    if (known) return known;
    const made = { grammar: new Grammar(set, this.trie), ids: this.tokenizer.tokenize(set.prompt) };
    if (this.known.size >= mostToolSets) this.known.delete(this.known.keys().next().value as string);
    this.known.set(set.key, made);
    return made;
  }

  get linearMemoryBytes(): number {
    return this.memory.buffer.byteLength;
  }

  get kernels(): Kernels {
    return this.onThreads.kernels;
  }

  /** Threads that the prefill runs on. */
  get threads(): number {
    return this.onThreads.count;
  }

  /** Why `threads` is one although more were asked for. */
  get threadsMissing(): string | undefined {
    return this.onThreads.missing;
  }

  /**
   * Ends the worker threads, whenever: the model goes on with the calling one. Under a memory budget it also closes the
   * file that weights are read from, and no call may follow.
   */
  close(): void {
    this.onThreads.close();
    this.weights.close();
  }
}

/** Memory comes in pages: what does not fill one is left out. Throws: RangeError for a budget that is no number. */
function mostBytesOf({ memory = mostMemoryBytes }: LoadOptions): number {
  if (!(memory > 0)) throw new RangeError(`memory: expected bytes, got ${memory}`);
  return Math.floor(Math.min(memory, mostMemoryBytes) / pageBytes) * pageBytes;
}

/** Throws: RangeError for limits out of range. */
function limitsOf(limits: Limits, fallback: Limits): Required<Limits> {
  const check = (name: keyof Limits, usual: number, least: number, most: number): number =>
    integer(name, limits[name] ?? fallback[name] ?? usual, least, most);
  return {
    promptTokens: check("promptTokens", 384, 8, mostPromptTokens),
    answerTokens: check("answerTokens", 128, 8, mostAnswerTokens),
    warmLayers: check("warmLayers", 0, 0, 255),
  };
}

/** Throws: RangeError for a value that is none, or out of range. */
function integer(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name}: expected an integer from ${least} to ${most}, got ${value}`);
}

function tokenizerOf(header: PackHeader): Tokenizer {
  try {
    return new Tokenizer(header.pieces);
  } catch (error) {
    throw new FormatError("header.pieces", prefixBytes, (error as Error).message);
  }
}
