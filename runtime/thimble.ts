/** Load, call: the walk from a file to a tool call. The call itself: session.ts; its loop: answer.ts. */
import type { BuildName, Kernels } from "../wasm/abi.ts";
import type { Ranked } from "./answer/rank.ts";
import { defaultModel, withoutModel } from "./default.ts";
import { detectBuild } from "./engine/kernels.ts";
import { reserve, Space, writeWords } from "./engine/memory.ts";
import { fitModel, type ModelPlan, planModel } from "./engine/modelplan.ts";
import { octet, planSession, type SessionLimits, type SessionPlan } from "./engine/sessionplan.ts";
import { mostThreads, startThreads, type Threads, whyAlone } from "./engine/threads.ts";
import { planTuning } from "./engine/tuningplan.ts";
import { FormatError } from "./errors.ts";
import { Grammar } from "./grammar/grammar.ts";
import { Kept } from "./kept/kept.ts";
import {
  type Budget,
  bytesBeside,
  firstLimits,
  integer,
  type Limits,
  limitsOf,
  mostBytesOf,
  mostRowsATurn,
  rowsWithin,
  toolBytes,
} from "./limits.ts";
import { pullOrPass } from "./load/cache.ts";
import { sumsIn } from "./load/checksum.ts";
import { checkIntegrity } from "./load/integrity.ts";
import { PackStream, type StreamOptions } from "./load/loader.ts";
import { isOnWeb, openRandom, type Source } from "./load/source.ts";
import { readTuning, type Tuning, type TuningFile } from "./load/tuning.ts";
import { Weights } from "./load/weights.ts";
import { Lru } from "./lru.ts";
import { type Calibration, checkCalibration, genericCalibration } from "./pack/calibration.ts";
import { type PackHeader, prefixBytes } from "./pack/pack.ts";
import type { PrepareOptions, ReadToolsOptions } from "./prepare.ts";
import { type CallOptions, type CallResult, type DefinedCall, type Model, Session, type Tools } from "./session.ts";
import { Tokenizer } from "./text/tokenizer.ts";
import { TokenTrie } from "./text/trie.ts";
import type { Definitions, TypedTools } from "./tools/define.ts";
import type { ToolSet } from "./tools/tools.ts";

export interface LoadOptions extends StreamOptions, Limits, Budget {
  /** A build of the kernels by name, or other kernels with the same exports; the fastest that the host runs. */
  kernels?: BuildName | ((memory: WebAssembly.Memory) => Kernels);
  /** What `thimble calibrate` wrote, instead of the pack's own. */
  calibration?: Calibration;
  /**
   * Keep a pack from the web in the user's cache folder, in browsers among the origin's private files (OPFS), and take it
   * from there from then on. It is whole before loading begins.
   */
  cache?: boolean;
  /** A file that `thimble finetune` wrote for this model: all sessions answer with its decoder unless they bring another. */
  tuning?: Source;
  /** Gets a sentence where `load` goes another way than asked for: the cache cannot keep a pack; console.warn. */
  onWarning?: (message: string) => void;
  /** What the file must be, as `sha256-` and base64 (Subresource Integrity). It is whole, and right, before loading begins. */
  integrity?: string;
  /** Resolve once the header is read; a call then waits for each section as it needs it. */
  early?: boolean;
  /** Threads of the prefill, the calling one included; 1, up to 32. One where there can be no more: `Thimble.threads`. */
  threads?: number;
}

const mostToolSets = 64;
/** Vectors of tools in joint prompts: some 2 MB. */
const mostVectors = 4096;

/**
 * Loads a pack and plans its memory; every session's buffers exist before its first token.
 * Throws: FormatError for a bad file, CapacityError for one that memory cannot hold, the signal's reason on abort.
 */
export async function load(source?: Source, options: LoadOptions = {}): Promise<Thimble> {
  if (source === undefined) return load(defaultModel(), options).catch(withoutModel);
  if (options.cache && isOnWeb(source)) return loadKept(source, options);
  const { integrity, onProgress, ...rest } = options;
  if (integrity !== undefined) return load(await checkIntegrity(source, integrity, options), rest);
  const wanted = integer("threads", options.threads ?? 1, 1, mostThreads);
  const sessions = integer("sessions", options.sessions ?? 1, 1, 1024);
  const given = options.calibration && checkCalibration(options.calibration);
  limitsOf(options, {});
  const kernels = options.kernels ?? detectBuild();
  const build: BuildName | "custom" = typeof kernels === "function" ? "custom" : kernels;
  const stream = await PackStream.open(source, options);
  const opened: { close(): unknown }[] = [stream];
  const close = () => Promise.all(opened.map((part) => part.close()));
  try {
    const { header } = stream;
    if (header.tunes !== undefined) {
      const got = "expected a whole pack, got a tuning of one; give it as { tuning } (--tuning) beside its model";
      throw new FormatError("header.tunes", prefixBytes, got);
    }
    if (header.format !== "int4" && build !== "custom") {
      throw new FormatError(
        "header.weights",
        prefixBytes,
        `expected int4, got ${header.format}, which only the reference kernels run`,
      );
    }
    const sharing = wanted > 1 && build !== "custom" && !whyAlone();
    const mostBytes = mostBytesOf(options);
    const tuning = options.tuning === undefined ? null : await readTuning(options.tuning, header, waits(options));
    const tuningBytes = tuning ? planTuning(planModel(header, 0), header).endBytes : 0;
    const first = { ...firstLimits(header, options, options), threads: sharing ? wanted : 1 };
    const toolRows = options.toolRows === undefined ? rowsWithin(header, first, sessions, mostBytes) : first.toolRows;
    const limits = { ...first, toolRows };
    const besides = (tokens: number) =>
      tuningBytes + bytesBeside(header, { ...limits, promptTokens: tokens }, sessions);
    const layout = fitModel(header, besides(limits.promptTokens), mostBytes, (leftBytes) => {
      let fitting = limits.promptTokens;
      while (fitting > 0 && besides(fitting) > leftBytes) fitting -= 8;
      if (fitting >= 8) return `load with promptTokens ${fitting}`;
      const fewer = sessions > 1 ? "sessions" : limits.toolRows > octet ? "toolRows" : "answerTokens";
      return `use a smaller model or fewer ${fewer}`;
    });
    // Beside a ring nothing may grow the memory, and so move it while bytes are read into it.
    const memory = reserve(null, layout.ring ? mostBytes : layout.endBytes, mostBytes, sharing);
    writeWords(memory, layout.words);
    const threads = await startThreads(kernels, memory, wanted, header.geometry.dModel);
    opened.push(threads);
    const tokenizer = tokenizerOf(header);
    if (layout.ring) await stream.close();
    const sum = sumsIn(memory, threads.kernels);
    const weights = new Weights(memory, layout, header, layout.ring && (await openRandom(source, options)), sum);
    opened.push(weights);

    let loaded: Promise<void> = Promise.resolve();
    const parts = { header, build, threads, memory, layout, tokenizer, weights, mostBytes, tuning };
    const calibration = given ?? header.calibration ?? genericCalibration;
    const usual = { ...options, ...(toolRows && { toolRows }), ...(given && { calibration: given }) };
    const thimble = new Thimble(parts, calibration, () => loaded, usual);
    const arrived = (name: string) => weights.arrive(name);
    loaded = layout.ring ? weights.fill(options) : stream.copyInto(memory, layout, arrived, sum);
    loaded.catch((error) => {
      weights.fail(error);
      void close();
    });
    if (!options.early) await loaded;
    return thimble;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Loads from the cache; tells of what was fetched into it once. */
async function loadKept(source: string | URL, { onProgress, ...options }: LoadOptions): Promise<Thimble> {
  let tell = onProgress;
  const kept = await pullOrPass(source, {
    ...options,
    onProgress(progress) {
      onProgress?.(progress);
      tell = undefined;
    },
  });
  return load(kept, { ...options, onProgress: kept === source ? onProgress : tell, cache: false });
}

/** What `load` made. */
interface Parts {
  header: PackHeader;
  build: BuildName | "custom";
  threads: Threads;
  memory: WebAssembly.Memory;
  layout: ModelPlan;
  tokenizer: Tokenizer;
  weights: Weights;
  mostBytes: number;
  tuning: TuningFile | null;
}

/** One set of weights in linear memory, and the sessions that share it. */
export class Thimble {
  private trie: TokenTrie | undefined;
  private readonly grammars = new Lru<Grammar>(mostToolSets);
  private readonly ids = new Lru<number[]>(mostToolSets);
  private readonly space: Space;
  private readonly kept: Kept;
  private readonly placed = new WeakSet<Tuning>();
  /** What sessions run on. @internal */
  readonly inside: Model;
  /** The session of `call`, `vectorOf` and `rank`. @internal */
  readonly first: Session;

  /** Use `load`. @internal */
  constructor(
    private readonly parts: Parts,
    calibration: Calibration,
    private readonly loading: () => Promise<void>,
    private readonly options: LoadOptions,
  ) {
    const { header, threads, memory, layout, tokenizer, weights, mostBytes, tuning } = parts;
    this.space = new Space(memory, layout.endBytes, mostBytes);
    const { geometry } = header;
    const { toolRows } = limitsOf(options, {});
    this.kept = new Kept({
      ...{ kernels: threads.kernels, memory, layout, geometry, tokenizer, space: this.space },
      toolAt: header.toolAt ?? 0,
      threads: threads.count,
      budgetBytes: toolBytes(header, options),
      rowsATurn: Math.min(mostRowsATurn, toolRows),
    });
    this.inside = {
      ...{
        kernels: threads.kernels,
        memory,
        layout,
        header,
        tokenizer,
        weights,
        calibration,
        kept: this.kept,
        toolRows,
      },
      vectors: new Lru(mostVectors),
      idsOf: (set) => remembered(this.ids, set.key, () => tokenizer.tokenize(set.prompt)),
      grammarOf: (set, mustCall = false) =>
        remembered(this.grammars, `${mustCall} ${set.key}`, () => this.compile(set, mustCall)),
      open: (limits) => this.open(limits),
      release: (plan) => this.space.give(plan.regions[0].offsetBytes, sizeOf(plan)),
      ...(tuning && { tuning: this.place(tuning) }),
    };
    this.first = this.session();
  }

  private compile(set: ToolSet, mustCall: boolean): Grammar {
    this.trie ??= new TokenTrie(this.parts.tokenizer);
    return new Grammar(set, this.trie, mustCall);
  }

  /** When `call` acts, confirms or asks: the tuning's where the model was loaded with one. */
  get calibration(): Calibration {
    return this.inside.tuning?.calibration ?? this.inside.calibration;
  }

  get header(): PackHeader {
    return this.parts.header;
  }

  get build(): BuildName | "custom" {
    return this.parts.build;
  }

  /** @internal */
  get tokenizer(): Tokenizer {
    return this.parts.tokenizer;
  }

  /** Settles when the last section has arrived. */
  get loaded(): Promise<void> {
    return this.loading();
  }

  /**
   * Opens a session with buffers and KV caches of its own.
   * Throws: CapacityError if memory cannot hold it, RangeError for limits out of range, TypeError for a tuning that this
   * model's `tune` did not give.
   */
  session(limits?: Limits & { tuning?: Tuning }): Session;
  /** With other insides than the model's own, to measure and test. @internal */
  session(limits: Limits | undefined, inside: Model): Session;
  session(limits: Limits & { tuning?: Tuning } = {}, given = this.inside): Session {
    const { header } = this.parts;
    const first = firstLimits(header, limits, this.options);
    const { promptTokens } = limitsOf(limits, this.options);
    const { tuning } = limits;
    if (tuning && !this.placed.has(tuning))
      throw new TypeError(
        "session: expected a tuning that this model's tune() gave, got another; pass await model.tune(file)",
      );
    const inside = tuning ? { ...given, tuning } : given;
    return new Session(inside, { ...first, threads: this.threads }, promptTokens);
  }

  /**
   * Brings a tuning of this model into memory, for `session({ tuning })`: sessions with tunings of their own share the encoder
   * and the tools that were read. It stays there as long as the model does.
   * Throws: FormatError for a file that is damaged or another model's, CapacityError if memory has no room for it.
   */
  async tune(source: Source, options: StreamOptions = {}): Promise<Tuning> {
    return this.place(await readTuning(source, this.header, waits(options)));
  }

  private place({ header, body, calibration }: TuningFile): Tuning {
    const { memory, layout } = this.parts;
    const bytes = planTuning(layout, header).endBytes;
    this.kept.makeRoom(bytes);
    const at = this.space.take(bytes);
    const plan = planTuning(layout, header, at);
    writeWords(memory, plan.words);
    new Uint8Array(memory.buffer, plan.bodyAt, plan.bodyBytes).set(body);
    const { taught } = header;
    const decides = this.options.calibration ?? calibration;
    const tuning: Tuning = {
      layout: plan.layout,
      bodyAt: plan.bodyAt,
      ...(taught && { taught: new Set(taught) }),
      ...(decides && { calibration: decides }),
    };
    this.placed.add(tuning);
    return tuning;
  }

  /** Plans an arena where there is room, and sets it up. */
  private open(limits: SessionLimits): SessionPlan {
    const { header, memory, threads } = this.parts;
    const { endBytes: bytes } = planSession(header.geometry, limits);
    this.kept.makeRoom(bytes);
    const at = this.space.take(bytes);
    const plan = planSession(header.geometry, limits, at);
    writeWords(memory, plan.words);
    threads.kernels.rope_table(plan.record, plan.positions, header.geometry.ropeTheta);
    return plan;
  }

  /**
   * Reads tools ahead of the first call that brings them, or takes them from a file that `readTools` wrote; where tools are
   * part of the prompt there is nothing to read.
   * Throws: ToolError for bad tools, FormatError for a file that is damaged or of another model, CapacityError for a tool of
   * more than `toolRows` rows or where memory cannot hold one, the signal's reason on abort.
   */
  async prepare(tools: Tools | Source, options: PrepareOptions = {}): Promise<void> {
    // Loaded when asked for: calls alone need neither stores nor the wire.
    const { prepare } = await import("./prepare.ts");
    return prepare(this.inside, tools, options);
  }

  /**
   * Reads tools and returns them as a file for `prepare`, wherever the same model runs (kept/file.ts draws it). With
   * `device`, also for what has no JavaScript (firmware/mcu).
   * Throws: as `prepare`; TypeError for a model that has tools in its prompt; for a device ToolError for schemas that its
   * grammar does not hold to.
   */
  async readTools(tools: Tools, options: ReadToolsOptions = {}): Promise<Uint8Array> {
    const { readTools } = await import("./prepare.ts");
    return readTools(this.inside, tools, options);
  }

  /** Answers a request with calls of the tools: `Session.call` on the first session. */
  call<D extends Definitions>(
    request: string,
    tools: TypedTools<D>,
    options?: CallOptions,
  ): Promise<CallResult<DefinedCall<D>>>;
  call(request: string, tools: Tools, options?: CallOptions): Promise<CallResult>;
  call(request: string, tools: Tools, options: CallOptions = {}): Promise<CallResult> {
    return this.first.call(request, tools, options);
  }

  /** The contrastive vector of a text: `Session.vectorOf` on the first session. */
  vectorOf(text: string, options: Pick<CallOptions, "signal"> = {}): Promise<Float32Array> {
    return this.first.vectorOf(text, options);
  }

  /** Tools from the likeliest for a request down: `Session.rank` on the first session. */
  rank(request: string, tools: Tools, options: Pick<CallOptions, "signal"> = {}): Promise<Ranked[]> {
    return this.first.rank(request, tools, options);
  }

  get linearMemoryBytes(): number {
    return this.parts.memory.buffer.byteLength;
  }

  /** Bytes of linear memory that kept tools take. */
  get toolBytes(): number {
    return this.kept.bytes;
  }

  /** Threads that the prefill runs on. */
  get threads(): number {
    return this.parts.threads.count;
  }

  /** Why `threads` is one although more were asked for. */
  get threadsMissing(): string | undefined {
    return this.parts.threads.missing;
  }

  /**
   * Ends the worker threads, whenever: the model goes on with the calling one. Under a memory budget it also closes the
   * file that weights are read from, and no call may follow.
   */
  close(): void {
    this.parts.threads.close();
    this.parts.weights.close();
  }
}

/** Of a load's options those about waiting: its progress is the pack's. */
const waits = ({ signal, timeoutMs }: StreamOptions) => ({ signal, timeoutMs });

function sizeOf({ regions, endBytes }: SessionPlan): number {
  return endBytes - regions[0].offsetBytes;
}

/** The value of a key, made where there is none. */
function remembered<V>(values: Lru<V>, key: string, make: () => V): V {
  const value = values.get(key) ?? make();
  values.set(key, value);
  return value;
}

function tokenizerOf(header: PackHeader): Tokenizer {
  try {
    return new Tokenizer(header.pieces);
  } catch (error) {
    throw new FormatError("header.pieces", prefixBytes, (error as Error).message);
  }
}
