/**
 * Kernels on several threads over one shared memory.
 *
 * The kernels over rows are split into chunks of rows. Every thread, the calling one too, claims the next chunk from one
 * counter until none is left: a slow core takes fewer, and a worker that still sleeps holds nobody up. A chunk is
 * whole tiles, so that every float is what one thread would compute. A kernel returns when its chunks are finished, so
 * that between calls no worker is at work; each looks for more for a moment, then parks.
 */
import { type BuildName, type Kernels, sessionRecordBytes, tileRows } from "../../wasm/abi.ts";
import { compileKernels, kernelImports } from "./kernels.ts";
import { type HostWorker, type RowKernel, slots, spinMs, startWorker, takeChunks } from "./worker.ts";

/** The kernels that are split. */
const names = ["encoder_kv", "encoder_attend", "cross_kv"] as const;

export const mostThreads = 32;

/** More chunks even out threads of unlike speed, fewer cost fewer claims. */
const chunksPerThread = 8;

/** A chunk takes milliseconds: a worker this late has died. */
const mostWaitMs = 10_000;

/** Kernels, and how many threads they run on. */
export interface Threads {
  readonly kernels: Kernels;
  readonly count: number;
  /** Why it is one where more were asked for. */
  readonly missing?: string;
  /** Ends the workers; the kernels go on with the calling thread. */
  close(): void;
}

/** Says why threads cannot share memory on this host; undefined where they can. */
export function whyAlone(): string | undefined {
  if ((globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false) {
    return "expected a cross-origin isolated page; serve it with COOP and COEP headers";
  }
  return typeof SharedArrayBuffer === "undefined" ? "expected a host with SharedArrayBuffer" : undefined;
}

/**
 * Starts kernels over a memory: on `count` threads if it is shared and workers start, else on one. dModel is the width of x.
 * Throws: as `compileKernels`.
 */
export async function startThreads(
  kernels: BuildName | ((memory: WebAssembly.Memory) => Kernels),
  memory: WebAssembly.Memory,
  count: number,
  dModel: number,
): Promise<Threads> {
  const alone = (own: Kernels, missing?: string): Threads => ({ kernels: own, count: 1, missing, close() {} });
  if (typeof kernels === "function") {
    return alone(kernels(memory), count > 1 ? "expected a build of thimble's kernels" : undefined);
  }
  const module = await compileKernels(kernels, memory);
  const imports = kernelImports(memory);
  const own = (await WebAssembly.instantiate(module, imports)).exports as unknown as Kernels;
  if (count === 1) return alone(own);
  const why = whyAlone() ?? (memory.buffer instanceof ArrayBuffer && "expected a host that grants shared memory");
  if (why) return alone(own, why);

  const words = new Int32Array(new SharedArrayBuffer(4 * Object.keys(slots).length));
  words[slots.rowBytes] = 4 * dModel;
  words[slots.recordBytes] = sessionRecordBytes;
  const starts = Array.from({ length: count - 1 }, (_, i) =>
    startWorker({ words, module, imports, names, thread: i + 1, slots, spinMs }),
  );
  const started = await Promise.allSettled(starts);
  const workers = started.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const close = () => {
    // Deno cannot end a worker that is parked: it wakes and ends itself. Another count, or it might park just then.
    Atomics.store(words, slots.ended, 1);
    Atomics.sub(words, slots.left, 1);
    Atomics.notify(words, slots.left);
    for (const worker of workers.splice(0)) worker.terminate();
  };
  const refused = started.find((start) => start.status === "rejected");
  if (refused) {
    close();
    return alone(own, `expected workers to start: ${refused.reason.message}`);
  }
  const split = splitRows(own, words, workers, mostWaitMs);
  return {
    kernels: split,
    close,
    get count() {
      return workers.length + 1;
    },
  };
}

/** The same kernels, those over rows split among the calling thread and the workers, which may become none. */
export function splitRows(own: Kernels, words: Int32Array, workers: readonly HostWorker[], waitMs: number): Kernels {
  const kernels = names.map((name) => own[name] as RowKernel);
  const parks = mayPark();
  let lost = false;
  return { ...own, encoder_kv: split(0), encoder_attend: split(1), cross_kv: split(2) };

  function split(kernel: number): RowKernel {
    return (session, block, cache, x, pos, n, keys = 0, runs = 0) => {
      const tiles = Math.ceil(n / tileRows);
      if (tiles < 2 || !workers.length) kernels[kernel](session, block, cache, x, pos, n, keys, runs);
      else run(tiles, [kernel, session, block, cache, x, pos, n, keys, runs]);
    };
  }

  /** `job`: the words from `kernel` on. */
  function run(tiles: number, job: number[]): void {
    const dead = "threads: expected an answer from every worker, got none from one; load the model again";
    if (lost) throw new Error(dead);
    const chunkTiles = Math.ceil(tiles / ((workers.length + 1) * chunksPerThread));
    const chunks = Math.ceil(tiles / chunkTiles);
    words.set(job, slots.kernel);
    words.set([0, 0, chunks, chunkTiles * tileRows], slots.finished);
    Atomics.store(words, slots.left, chunks);
    Atomics.notify(words, slots.left);
    const trap = takeChunks(words, slots, kernels, 0);
    lost = !finish(chunks);
    if (trap) throw trap;
    if (lost) throw new Error(dead);
    if (words[slots.failed]) throw new Error(`threads: expected ${names[job[0]]} to return, got a trap in a worker`);
  }

  /** Waits until all chunks are finished; false if a worker must have died over one. */
  function finish(chunks: number): boolean {
    const startMs = performance.now();
    for (;;) {
      const finished = Atomics.load(words, slots.finished);
      if (finished === chunks) return true;
      const elapsedMs = performance.now() - startMs;
      if (elapsedMs > waitMs) return false;
      if (elapsedMs > spinMs && parks) Atomics.wait(words, slots.finished, finished, waitMs);
    }
  }
}

/** Whether this thread may wait in place; a page's own may not, and goes on looking. */
function mayPark(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}
