/** One handler under Bun's server or Node's. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as WebStream } from "node:stream/web";
import type { Handler } from "./handler.ts";
import { ApiError } from "./http.ts";
import { apiError } from "./sse.ts";

export interface Listening {
  port: number;
  /** Lets what is under way end, and takes no more. */
  close(): Promise<void>;
}

/** Throws: Error if the port is taken or the host is not this machine's. */
export function listen(handler: Handler, port: number, host: string): Promise<Listening> {
  // Either server takes "" for every address there is.
  if (!host) return Promise.reject(noAddress(host, "it is empty"));
  const taking = "Bun" in globalThis ? onBun(handler, port, host) : onNode(handler, port, host);
  return taking.catch(({ message, code = message }: NodeJS.ErrnoException) => {
    if (!/^E(ADDRINUSE|ACCES)/.test(code)) throw noAddress(host, code);
    throw new Error(`--port: expected a free port of ${host}, got ${port}: ${code}; give another`);
  });
}

function noAddress(host: string, why: string): Error {
  const remedy = "127.0.0.1 is this machine alone, 0.0.0.0 every address it has";
  return new Error(`--host: expected an address of this machine, got ${JSON.stringify(host)}: ${why}; ${remedy}`);
}

async function onBun(handler: Handler, port: number, hostname: string): Promise<Listening> {
  // Bodies are measured by the handler; a call of a large model may wait its turn for long.
  const fetch = async (request: Request) => {
    // Bun takes a Host that makes no URL, or none at all, and leaves only a path here.
    if (URL.canParse(request.url)) return handler(request);
    const got = JSON.stringify(request.headers.get("host"));
    return new ApiError(400, null, `request: expected a host that is one, got ${got}`).response();
  };
  // No page of the developer's, which shows source, for an error; without it Bun would share its port with others.
  const quiet = { development: false, reusePort: false, error: (error: Error) => apiError(error).response() };
  const server = Bun.serve({ port, hostname, fetch, maxRequestBodySize: 2 ** 30, idleTimeout: 255, ...quiet });
  return { port: server.port as number, close: () => server.stop() };
}

/** Under Node's own server. */
export function onNode(handler: Handler, port: number, host: string): Promise<Listening> {
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => outgoing.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done());
          server.closeIdleConnections();
        });
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}

async function answer(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort(new Error("the client went away"));
  });
  const response = await respond(handler, incoming, gone.signal);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (!response.body || incoming.method === "HEAD") {
    await response.body?.cancel();
    outgoing.end();
    return;
  }
  // A slow reader is waited for, so that little is held for it; one that goes away ends the body.
  await pipeline(Readable.fromWeb(response.body as unknown as WebStream), outgoing);
}

async function respond(handler: Handler, incoming: IncomingMessage, signal: AbortSignal): Promise<Response> {
  const { method = "GET", headers } = incoming;
  const hasBody = method !== "GET" && method !== "HEAD";
  let request: Request;
  try {
    const url = new URL(incoming.url ?? "/", `http://${headers.host ?? "localhost"}`);
    const pairs = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
    );
    const body = hasBody ? (Readable.toWeb(incoming) as unknown as ReadableStream) : null;
    request = new Request(url, { method, headers: pairs, body, signal, ...(hasBody && { duplex: "half" }) });
  } catch (error) {
    return new ApiError(400, null, `request: expected one of HTTP, got ${(error as Error).message}`).response();
  }
  return handler(request);
}

/** Ends the process on its signals: what is under way is answered, who does not end meanwhile is cut off. */
export function untilStopped(server: Listening, close?: () => Promise<void> | undefined): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, async () => {
      setTimeout(() => process.exit(), 5000).unref();
      await server.close();
      await close?.();
      process.exit();
    });
}
