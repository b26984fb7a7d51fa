/** The worker as the page asks it: promises, and a call that gives way to a newer one. */
import type { CallResult, Progress } from "../../../runtime/index.ts";
import type { Checked, Compared, Fault, FromWorker, ModelFacts, Side, Slot, ToWorker } from "./messages.ts";

/** What went wrong in the worker, with the part of the tools that is wrong. */
export class WorkerError extends Error {
  readonly path: string | undefined;
  constructor({ name, message, path }: Fault) {
    super(message);
    this.name = name;
    this.path = path;
  }
}

type Request<T> = T extends { id: number } ? Omit<T, "id"> : never;

const worker = new Worker(new URL("./worker.js", document.baseURI), { type: "module" });
let lastId = 0;
const waiting = new Map<number, { take: (message: FromWorker) => void; fail: (error: Error) => void }>();

worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
  const asked = waiting.get(data.id);
  if (data.kind === "failed") asked?.fail(new WorkerError(data.fault));
  else asked?.take(data);
});
worker.addEventListener("error", ({ message }) => {
  for (const { fail } of waiting.values()) fail(new Error(`worker: ${message || "expected to start, got an error"}`));
});

function ask<K extends FromWorker["kind"]>(
  request: Request<ToWorker>,
  kind: K,
  signal?: AbortSignal,
  onProgress?: (progress: Progress) => void,
): Promise<Extract<FromWorker, { kind: K }>> {
  signal?.throwIfAborted();
  const id = ++lastId;
  const answer = new Promise<Extract<FromWorker, { kind: K }>>((resolve, reject) => {
    waiting.set(id, {
      take: (message) => {
        if (message.kind === "progress") onProgress?.(message.progress);
        else if (message.kind === kind) resolve(message as Extract<FromWorker, { kind: K }>);
      },
      fail: reject,
    });
  });
  worker.postMessage({ ...request, id });
  const abort = () => {
    worker.postMessage({ kind: "abort", id });
    // A server that is asked answers when it likes.
    waiting.get(id)?.fail(signal?.reason);
  };
  signal?.addEventListener("abort", abort, { once: true });
  return answer.finally(() => waiting.delete(id));
}

export async function loadModel(
  slot: Slot,
  source: string | Blob,
  tuning?: Blob,
  onProgress?: (progress: Progress) => void,
): Promise<ModelFacts> {
  return (await ask({ kind: "load", slot, source, tuning }, "loaded", undefined, onProgress)).facts;
}

export async function call(
  slot: Slot,
  request: string,
  /** JSON text, or the wire form. */
  tools: string | Uint8Array,
  signal?: AbortSignal,
  trace = true,
): Promise<CallResult> {
  return (await ask({ kind: "call", slot, request, tools, trace }, "result", signal)).result;
}

export async function check(tools: string): Promise<Checked> {
  return (await ask({ kind: "check", tools }, "checked")).checked;
}

export async function compare(side: Side, example: string, signal: AbortSignal): Promise<Compared> {
  return (await ask({ kind: "compare", side, example }, "compared", signal)).compared;
}
