/** Tools read ahead of the calls that bring them, from their list or from a file of kept ones. */
import { FormatError } from "./errors.ts";
import { readKept, writeKept } from "./kept/file.ts";
import type { ReadProgress } from "./kept/kept.ts";
import { keepBytes, takingTurns } from "./load/cache.ts";
import { bytesOf, type Source } from "./load/source.ts";
import { openStore } from "./load/store.ts";
import { modelId } from "./pack/pack.ts";
import { type Model, type Tools, walkOf } from "./session.ts";
import { ToolSet } from "./tools/tools.ts";
import { hashTools } from "./wire/wire.ts";

export interface PrepareOptions {
  /** In tools. */
  onProgress?: (progress: ReadProgress) => void;
  signal?: AbortSignal;
  /** Keep what was read in the user's cache folder, in browsers among the origin's private files (OPFS), for the next time. */
  cache?: boolean;
}

/** `Thimble.prepare`. */
export async function prepare(model: Model, given: Tools | Source, options: PrepareOptions): Promise<void> {
  if (isFile(given)) return keepFile(model, await bytesOf(given, options));
  const set = ToolSet.from(given as Tools);
  if (model.header.prompt !== "apart") return;
  if (!options.cache) {
    await model.kept.keep(set.texts, readOptions(model, options));
    return;
  }
  const store = await openStore();
  const name = `tools-${hashTools(new TextEncoder().encode(`${modelId(model.header)} ${set.inOrder().texts.join()}`))}.kv`;
  await takingTurns(name, options.signal, async () => {
    const found = await store.find(name);
    if (found) {
      try {
        return await keepFile(model, await bytesOf(found, options));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        await store.distrust(name);
      }
    }
    const file = await toolFile(model, set, options);
    await keepBytes(store, name, file);
  });
}

/** `Thimble.readTools`. */
export async function toolFile(model: Model, tools: Tools, options: PrepareOptions): Promise<Uint8Array> {
  if (model.header.prompt !== "apart")
    throw new TypeError("readTools: expected a model that reads tools apart, got one that has them in its prompt");
  if (model.kernels.wide) throw new TypeError("readTools: expected a build of thimble's kernels, got others");
  const { texts } = ToolSet.from(tools).inOrder();
  return writeKept(model.header, await model.kept.entries(texts, readOptions(model, options)));
}

async function keepFile({ header, kernels, kept }: Model, bytes: Uint8Array): Promise<void> {
  const entries = readKept(header, bytes);
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
