/** Answers that come as they are written: server-sent events. */
import { warn } from "../command.ts";
import { ApiError, wentAway } from "./http.ts";

/** `id`: what a reader that comes back says it has. */
export type Send = (data: unknown, event?: string, id?: string) => void;

/**
 * A response whose events `work` sends. It begins with the first one: what fails before is an answer with its own status,
 * what fails later the last event, which `failed` words. The reader's end aborts `gone`.
 */
export async function eventStream(
  work: (send: Send) => Promise<void>,
  gone: AbortController,
  failed: (error: ApiError, send: Send) => void,
): Promise<Response> {
  const utf8 = new TextEncoder();
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  let out: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      out = controller;
    },
    cancel: (reason) => gone.abort(reason),
  });
  let hasBegun = false;
  const send: Send = (data, event, id) => {
    hasBegun = true;
    begin();
    if (gone.signal.aborted) return;
    const text = typeof data === "string" ? data : JSON.stringify(data);
    const head = `${id ? `id: ${id}\n` : ""}${event ? `event: ${event}\n` : ""}`;
    out?.enqueue(utf8.encode(`${head}data: ${text}\n\n`));
  };
  const close = () => {
    // A stream that was cancelled is closed already.
    if (!gone.signal.aborted) out?.close();
  };
  const done = work(send).then(close, (error) => {
    if (!hasBegun) throw error;
    failed(told(error, gone.signal), send);
    close();
  });
  await Promise.race([begun, done]);
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no" },
  });
}

/** What is told to the client; of a fault of ours the log gets the rest. */
export function told(error: unknown, gone: AbortSignal): ApiError {
  if (gone.aborted) return wentAway();
  const said = apiError(error);
  if (said.status >= 500) warn((error as Error).stack ?? String(error));
  return said;
}

/** What an error says to the client. A fault of ours keeps its message to itself. */
export function apiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const { name, message } = error as Error & { path?: string };
  if (name === "CapacityError") return new ApiError(400, "context_length_exceeded", message, "messages");
  if (name === "ToolError") return new ApiError(400, null, message, (error as { path: string }).path);
  return new ApiError(500, "server_error", "server: expected an answer, got an error of its own; see the server's log");
}
