/** A worker thread of any host: claims chunks of rows from shared words and runs kernels over them. */
import type { Kernels } from "../../wasm/abi.ts";

/** A kernel over n rows x at positions pos …; not all take `keys` and `runs`. */
export type RowKernel = (...args: [...Parameters<Kernels["cross_kv"]>, keys?: number, runs?: number]) => void;

/**
 * Places of the shared words, i32: the number of chunks left to claim (or less than 1), of chunks finished, whether one
 * trapped; then what a claimed chunk needs, which holds still until it is finished; last, whether to end.
 */
export const slots = {
  ...{ left: 0, finished: 1, failed: 2, chunks: 3, chunkRows: 4, rowBytes: 5, recordBytes: 6 },
  ...{ kernel: 7, session: 8, block: 9, cache: 10, x: 11, pos: 12, n: 13, keys: 14, runs: 15, ended: 16 },
};

/** How long a thread without work looks for some before it parks: about what waking it takes. */
export const spinMs = 0.2;

/** What a worker is told. */
interface Setup {
  words: Int32Array;
  module: WebAssembly.Module;
  imports: WebAssembly.Imports;
  /** Exports by their number in the word `kernel`. */
  names: readonly string[];
  /** From 1; 0 is the thread that calls. */
  thread: number;
  slots: typeof slots;
  spinMs: number;
}

/** What the workers of all hosts have, as browsers spell it. */
export interface HostWorker {
  onmessage: ((event: { data: string }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  postMessage(setup: Setup): void;
  terminate(): unknown;
  unref?(): void;
}

/**
 * Claims chunks and runs them until none is left; returns what a kernel threw.
 * Workers get this function and the next as text, so they refer to nothing outside themselves.
 */
export function takeChunks(words: Int32Array, at: typeof slots, kernels: RowKernel[], thread: number): unknown {
  let trap: unknown;
  while (Atomics.load(words, at.left) > 0) {
    const chunk = Atomics.sub(words, at.left, 1) - 1;
    if (chunk < 0) break;
    const start = chunk * words[at.chunkRows];
    const session = words[at.session] + thread * words[at.recordBytes];
    const x = words[at.x] + start * words[at.rowBytes];
    const n = Math.min(words[at.chunkRows], words[at.n] - start);
    try {
      const [pos, keys, runs] = [words[at.pos] + start, words[at.keys], words[at.runs]];
      kernels[words[at.kernel]](session, words[at.block], words[at.cache], x, pos, n, keys, runs);
    } catch (error) {
      trap = error;
      Atomics.store(words, at.failed, 1);
    }
    if (Atomics.add(words, at.finished, 1) + 1 === words[at.chunks]) Atomics.notify(words, at.finished);
  }
  return trap;
}

/** Starts the kernels, answers "" or what went wrong, then takes chunks until the worker is terminated. */
async function serve(setup: Setup, take: typeof takeChunks, answer: (problem: string) => void): Promise<void> {
  const { words, module, imports, names, thread, slots: at, spinMs } = setup;
  const kernels: RowKernel[] = [];
  try {
    const { exports } = await WebAssembly.instantiate(module, imports);
    for (const name of names) kernels.push(exports[name] as RowKernel);
  } catch (error) {
    return answer(String(error));
  }
  answer("");
  let busyMs = performance.now();
  for (;;) {
    const left = Atomics.load(words, at.left);
    if (Atomics.load(words, at.ended)) return;
    if (left > 0) take(words, at, kernels, thread);
    else if (performance.now() - busyMs < spinMs) continue;
    else Atomics.wait(words, at.left, left);
    busyMs = performance.now();
  }
}

/**
 * Opens a worker and waits until it looks for work; from then on it keeps no process alive.
 * Throws: Error if the host refuses workers, or this one its kernels.
 */
export async function startWorker(setup: Setup): Promise<HostWorker> {
  const worker = typeof Worker === "function" ? openWeb() : await openNode();
  try {
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = ({ data: problem }) => (problem ? reject(new Error(problem)) : resolve());
      worker.onerror = ({ message }) => reject(new Error(message ?? "blocked, perhaps by a Content-Security-Policy"));
      worker.postMessage(setup);
    });
  } catch (error) {
    worker.terminate();
    throw error;
  }
  worker.unref?.();
  return worker;
}

/** From text, so that no bundler has another file to find. */
function openWeb(): HostWorker {
  sourceUrl ??= URL.createObjectURL(
    new Blob(
      [`onmessage = ({ data }) => (${serve})(data, ${takeChunks}, postMessage).then(() => globalThis.close?.());`],
      { type: "text/javascript" },
    ),
  );
  return new Worker(sourceUrl, { type: "module" }) as HostWorker;
}
let sourceUrl: string | undefined;

async function openNode(): Promise<HostWorker> {
  // The name stands in a variable so that bundlers for the web leave this import alone; only Node comes here.
  const name = "node:worker_threads";
  const { Worker } = (await import(name)) as typeof import("node:worker_threads");
  const source = `import("${name}").then(({ parentPort: port }) => port.once("message", (data) =>
    (${serve})(data, ${takeChunks}, (problem) => port.postMessage(problem))));`;
  // Without execArgv, an --input-type of the process would apply.
  const worker = new Worker(source, { eval: true, execArgv: [] });
  const host: HostWorker = Object.assign(worker, { onmessage: null, onerror: null });
  worker.on("message", (data) => host.onmessage?.({ data }));
  worker.on("error", (error: Error) => host.onerror?.(error));
  return host;
}
