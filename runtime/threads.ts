/**
 * Kernels on several threads over one shared memory.
 *
 * The kernels over rows are split into chunks of rows. Every thread, the calling one too, claims the next chunk from one
 * counter until none is left: a slow core takes fewer, and a worker that still sleeps holds nobody up. A chunk is
 * whole tiles, so that every float is what one thread would compute. A kernel returns when its chunks are finished;
 * the workers then look for more for a moment, and park.
 */
import { type BuildName, type Kernels, sessionRecordBytes, tileRows } from "../wasm/abi.ts";
import { compileKernels, kernelImports } from "./kernels.ts";

/** The kernels over n rows x at positions pos …, which take the same arguments. */
const rowKernels = ["encoder_kv", "encoder_attend", "cross_kv"] as const;
type RowKernel = Kernels["encoder_attend"];

/** Shared words, i32: chunks to claim (none below 1), then what a claimed chunk needs, which holds still until it is finished. */
const slots = {
  ...{ left: 0, finished: 1, failed: 2, chunks: 3, chunkRows: 4, rowBytes: 5, recordBytes: 6 },
  ...{ kernel: 7, session: 8, block: 9, cache: 10, x: 11, pos: 12, n: 13, keys: 14 },
};

export const mostThreads = 32;

/** How long a thread without work looks for some before it parks: about what waking it takes. */
const spinMs = 0.2;

/** A chunk takes milliseconds: a worker this late has died. */
const mostWaitMs = 10_000;

/** More chunks even out threads of unlike speed, fewer cost fewer claims. */
const chunksPerThread = 8;

/** Kernels, and how many threads they run on. */
export interface Threads {
  kernels: Kernels;
  count: number;
  /** Why it is one where more were asked for. */
  missing?: string;
  /** Ends the workers; the kernels go on alone. */
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
 * Starts kernels over a memory, on `count` threads if it is shared and workers start, else on one. dModel is the width of x.
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
    return alone(kernels(memory), count > 1 ? "expected thimble's own kernels" : undefined);
  }
  const module = await compileKernels(kernels, memory);
  const imports = kernelImports(memory);
  const own = (await WebAssembly.instantiate(module, imports)).exports as unknown as Kernels;
  if (count === 1) return alone(own);
  if (memory.buffer instanceof ArrayBuffer)
    return alone(own, whyAlone() ?? "expected a host that grants shared memory");

  const words = new Int32Array(new SharedArrayBuffer(4 * Object.keys(slots).length));
  words[slots.rowBytes] = 4 * dModel;
  words[slots.recordBytes] = sessionRecordBytes;
  const setup = { slots, words, rowKernels, module, imports, spinMs };
  const starts = Array.from({ length: count - 1 }, (_, i) => startWorker({ ...setup, thread: i + 1 }));
  const started = await Promise.allSettled(starts);
  const close = () => {
    for (const start of started) if (start.status === "fulfilled") start.value.terminate();
  };
  const failed = started.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
  if (!failed) return { kernels: splitRows(own, words, count), count, close };
  close();
  return alone(own, `expected workers to start: ${failed.reason.message}`);
}

/**
 * The same kernels, with those over rows on all threads.
 * Exported for its test, which waits for a dead worker less long.
 */
export function splitRows(own: Kernels, words: Int32Array, threads: number, waitMs = mostWaitMs): Kernels {
  const kernels = rowKernels.map((name) => own[name] as RowKernel);
  const parks = mayPark();
  let lost = false;

  function run(kernel: number, args: Parameters<RowKernel>): void {
    const tiles = Math.ceil(args[5] / tileRows);
    if (tiles < 2) kernels[kernel](...args);
    else if (!lost) {
      const chunkTiles = Math.ceil(tiles / (threads * chunksPerThread));
      const chunks = Math.ceil(tiles / chunkTiles);
      words.set([kernel, ...args], slots.kernel);
      words.set([0, 0, chunks, chunkTiles * tileRows], slots.finished);
      Atomics.store(words, slots.left, chunks);
      Atomics.notify(words, slots.left);
      const trap = takeChunks(words, slots, kernels, 0);
      lost = !finish(chunks);
      if (trap) throw trap;
      if (words[slots.failed])
        throw new Error(`threads: expected ${rowKernels[kernel]} to return, got a trap in a worker`);
    }
    if (lost) throw new Error("threads: expected an answer from every worker, got none from one; load the model again");
  }

  /** Waits until all chunks are finished; false if a worker has died over one. */
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

  const split = rowKernels.map((name, kernel) => [name, (...args: Parameters<RowKernel>) => run(kernel, args)]);
  return { ...own, ...Object.fromEntries(split) };
}

/** Whether this thread may wait for another: a page's own may not, and looks on. */
function mayPark(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Claims chunks and runs them until none is left; returns what a kernel threw.
 * Workers get this function and the next as text: they refer to nothing outside themselves.
 */
function takeChunks(words: Int32Array, at: typeof slots, kernels: RowKernel[], thread: number): unknown {
  let trap: unknown;
  while (Atomics.load(words, at.left) > 0) {
    const chunk = Atomics.sub(words, at.left, 1) - 1;
    if (chunk < 0) break;
    const start = chunk * words[at.chunkRows];
    const session = words[at.session] + thread * words[at.recordBytes];
    const x = words[at.x] + start * words[at.rowBytes];
    const n = Math.min(words[at.chunkRows], words[at.n] - start);
    try {
      kernels[words[at.kernel]](session, words[at.block], words[at.cache], x, words[at.pos] + start, n, words[at.keys]);
    } catch (error) {
      trap = error;
      Atomics.store(words, at.failed, 1);
    }
    if (Atomics.add(words, at.finished, 1) + 1 === words[at.chunks]) Atomics.notify(words, at.finished);
  }
  return trap;
}

interface Setup {
  slots: typeof slots;
  words: Int32Array;
  rowKernels: readonly string[];
  module: WebAssembly.Module;
  imports: WebAssembly.Imports;
  spinMs: number;
  thread: number;
}

/** A worker's life: starts the kernels, answers "" or what went wrong, then takes chunks until it is terminated. */
async function serve(setup: Setup, take: typeof takeChunks, answer: (problem: string) => void): Promise<void> {
  const { slots: at, words, rowKernels, module, imports, spinMs, thread } = setup;
  const kernels: RowKernel[] = [];
  try {
    const { exports } = await WebAssembly.instantiate(module, imports);
    for (const name of rowKernels) kernels.push(exports[name] as RowKernel);
  } catch (error) {
    return answer(String(error));
  }
  answer("");
  let busyMs = performance.now();
  for (;;) {
    const left = Atomics.load(words, at.left);
    if (left > 0) take(words, at, kernels, thread);
    else if (performance.now() - busyMs < spinMs) continue;
    else Atomics.wait(words, at.left, left);
    busyMs = performance.now();
  }
}

/** What the workers of all hosts have. */
interface HostWorker {
  postMessage(setup: Setup): void;
  terminate(): unknown;
  unref?(): void;
}

/** Opens a worker from source text, so that no bundler has another file to find, and waits until it looks for work. */
async function startWorker(setup: Setup): Promise<HostWorker> {
  const functions = `const take = ${takeChunks}; const serve = ${serve};`;
  let [answered, failed]: [(problem: string) => void, (error: { message?: string }) => void] = [() => {}, () => {}];
  const started = new Promise<void>((resolve, reject) => {
    answered = (problem) => (problem ? reject(new Error(problem)) : resolve());
    failed = ({ message }) => reject(new Error(message ?? "the host blocks workers from a Blob"));
  });
  started.catch(() => {});
  const worker = typeof Worker === "function" ? openWeb() : await openNode();
  try {
    worker.postMessage(setup);
    await started;
    // It keeps no process alive.
    worker.unref?.();
    return worker;
  } catch (error) {
    worker.terminate();
    throw error;
  }

  function openWeb(): HostWorker {
    const source = `${functions} onmessage = ({ data }) => serve(data, take, postMessage);`;
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const worker = new Worker(url);
    worker.onmessage = ({ data }) => answered(data);
    worker.onerror = failed;
    started.finally(() => URL.revokeObjectURL(url)).catch(() => {});
    return worker;
  }

  async function openNode(): Promise<HostWorker> {
    // The name stands in a variable so that bundlers for the web leave this import alone; only Node comes here.
    const name = "node:worker_threads";
    const { Worker } = (await import(name)) as typeof import("node:worker_threads");
    const source = `${functions} import("${name}").then(({ parentPort: port }) =>
      port.once("message", (data) => serve(data, take, (problem) => port.postMessage(problem))));`;
    // Without execArgv, the process's own --input-type would apply.
    const worker = new Worker(source, { eval: true, execArgv: [] });
    worker.on("message", answered);
    worker.on("error", failed);
    return worker;
  }
}
