/** A thread beside this one, on any host: browsers and Bun have Worker, Node its module. */

export interface Thread<In, Out> {
  post(message: In): void;
  onMessage: (message: Out) => void;
  /** Called with what ended the thread; where nobody listens, it is thrown. */
  onError: (error: Error) => void;
  close(): void;
}

/** The thread's own end: what it was sent, and a way to answer. */
export interface Port<In, Out> {
  post(message: Out, transfer?: ArrayBuffer[]): void;
  onMessage(take: (message: In) => void): void;
}

/** What only Node has; asked for by name, so that no browser looks for it. */
const nodeThreads = () => process.getBuiltinModule("node:worker_threads");

/** Opens a module of this folder, named as this file is: .ts in the source, .js in the package. */
export function openThread<In, Out>(name: string): Thread<In, Out> {
  const url = new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url);
  const hooks = {
    onMessage: (_: Out) => {},
    onError: (error: Error) => {
      throw error;
    },
  };
  if (typeof Worker === "function") {
    const worker = new Worker(url, { type: "module" });
    worker.onmessage = ({ data }) => hooks.onMessage(data);
    worker.onerror = ({ message }) => hooks.onError(new Error(message || `${name}: expected to start, got an error`));
    return Object.assign(hooks, {
      post: (message: In) => worker.postMessage(message),
      close: () => worker.terminate(),
    });
  }
  // Without execArgv, an --input-type of the process would apply.
  const worker = new (nodeThreads().Worker)(url, { execArgv: [] });
  worker.on("message", (message) => hooks.onMessage(message));
  worker.on("error", (error) => hooks.onError(error as Error));
  return Object.assign(hooks, {
    post: (message: In) => worker.postMessage(message),
    close: () => void worker.terminate(),
  });
}

/** Called in a thread, at once: what is sent before someone listens, a browser drops. */
export function ownPort<In, Out>(): Port<In, Out> {
  if (typeof postMessage === "function") {
    return {
      post: (message, transfer = []) => postMessage(message, { transfer }),
      onMessage: (take) => addEventListener("message", ({ data }: MessageEvent<In>) => take(data)),
    };
  }
  const { parentPort } = nodeThreads();
  if (!parentPort) throw new Error("thread: expected to be started as one");
  return {
    post: (message, transfer = []) => parentPort.postMessage(message, transfer),
    onMessage: (take) => void parentPort.on("message", take),
  };
}
