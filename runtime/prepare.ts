/** Tools read ahead of the calls that bring them, from their list or from a file of kept ones. */
import { CacheError, FormatError } from "./errors.ts";
import { writeDevice } from "./kept/device.ts";
import { readKept, writeKept } from "./kept/file.ts";
import type { ReadProgress } from "./kept/kept.ts";
import { keepBytes, takingTurns } from "./load/cache.ts";
import { bytesOf, type Source } from "./load/source.ts";
import { openStore } from "./load/store.ts";
import { unlessAborted } from "./load/weights.ts";
import { modelId } from "./pack/pack.ts";
import { toolSizes } from "./prompt/apart.ts";
import { type Model, type Tools, walkOf } from "./session.ts";
import { ToolSet } from "./tools/tools.ts";
import { hashTools } from "./wire/hash.ts";

export interface PrepareOptions {
  /** In tools. */
  onProgress?: (progress: ReadProgress) => void;
  signal?: AbortSignal;
  /** Keep what was read in the user's cache folder, in browsers among the origin's private files (OPFS), for the next time. */
  cache?: boolean;
  /** Gets a sentence where the cache cannot keep them; console.warn. */
  onWarning?: (message: string) => void;
}

export interface ReadToolsOptions extends Omit<PrepareOptions, "cache"> {
  /** With what a device needs to answer by itself: vocabulary, grammar, positions (kept/device.ts). */
  device?: boolean;
}

/** `Thimble.prepare`. */
export async function prepare(model: Model, given: Tools | Source, options: PrepareOptions): Promise<void> {
  const work = isFile(given)
    ? takeFile(model, given, options)
    : readAhead(model, ToolSet.from(given as Tools), options);
  await promptly(work, options.signal);
}

/** `Thimble.readTools`. */
export async function readTools(model: Model, tools: Tools, options: ReadToolsOptions): Promise<Uint8Array> {
  if (model.header.prompt !== "apart")
    throw new TypeError("readTools: expected a model that reads tools apart, got one that has them in its prompt");
  if (model.kernels.wide) throw new TypeError("readTools: expected a build of thimble's kernels, got others");
  return promptly(toolFile(model, ToolSet.from(tools), options), options.signal);
}

/** A reading may have to wait for another, which has a signal of its own. */
function promptly<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal ? unlessAborted(work, signal) : work;
}

async function readAhead(model: Model, set: ToolSet, options: PrepareOptions): Promise<void> {
  const { header, kernels, kept } = model;
  if (header.prompt !== "apart") return;
  toolSizes(set, kept, model.toolRows);
  try {
    if (options.cache && !kernels.wide) return await takeCached(model, set, options);
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    const { onWarning = console.warn } = options;
    onWarning(`${error.message}; these tools are read anew next time`);
  }
  await kept.keep(set.texts, readOptions(model, options));
}

/** Takes tools from the cache, or reads them and leaves them there. Throws: CacheError where none can be kept. */
async function takeCached(model: Model, set: ToolSet, options: PrepareOptions): Promise<void> {
  const store = await openStore();
  const name = `tools-${hashTools(new TextEncoder().encode(`${modelId(model.header)} ${set.inOrder().texts.join()}`))}.kv`;
  await takingTurns(name, options.signal, async () => {
    const found = await store.find(name);
    try {
      if (found) return await takeFile(model, found, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof FormatError)) {
        const { message } = error as Error;
        throw new CacheError(store.place, `expected a file that can be read, got ${message}`, { cause: error });
      }
      await store.distrust(name);
    }
    await keepBytes(store, name, await toolFile(model, set, options));
    await store.sweep(name);
    await store.thin("tools-");
  });
}

async function toolFile(model: Model, given: ToolSet, options: ReadToolsOptions): Promise<Uint8Array> {
  const { header, kept, tokenizer, toolRows } = model;
  toolSizes(given, kept, toolRows);
  const set = given.inOrder();
  const device = options.device ? await writeDevice(header, tokenizer, set) : null;
  return writeKept(header, await kept.entries(set.texts, readOptions(model, options)), device);
}

async function takeFile({ header, kernels, kept }: Model, file: Source, options: PrepareOptions): Promise<void> {
  const entries = readKept(header, await bytesOf(file, options), (text) => kept.rowsOf(text));
  // Kernels that keep nothing in linear memory have nowhere to put them, and read tools when they meet them.
  if (!kernels.wide) await kept.restore(entries);
}

function readOptions({ weights }: Model, { onProgress, signal }: PrepareOptions) {
  return { walk: walkOf(weights, signal), ...(onProgress && { onProgress }) };
}

/** Tools come as a list, as an object that holds one, or as JSON text; all else is where a file is. */
function isFile(given: Tools | Source): given is Source {
  if (typeof given === "string") return !/^\s*[[{]/.test(given);
  return [URL, Response, ReadableStream, Blob, ArrayBuffer, Uint8Array].some((kind) => given instanceof kind);
}
