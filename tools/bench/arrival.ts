/** The first answer before the last byte: a prefill that runs as a slow download arrives, and one that waits for its end. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type LoadOptions, load } from "../../runtime/thimble.ts";
import { readBytes, table } from "../command.ts";
import { middle, repeat, round, runPrefill } from "./runs.ts";

export interface ArrivalReport {
  packBytes: number;
  bytesPerSecond: number;
  promptTokens: number;
  /** From the request for the file to cross-attention K and V of the whole prompt. */
  downloadThenRunMs: number;
  asItArrivesMs: number;
}

const promptTokens = 271;
const bytesPerSecond = 2_000_000;

/** Medians of downloads over loopback from a server that sends 2 MB a second. */
export async function measureArrival(path: string, options: LoadOptions, runs: number): Promise<ArrivalReport> {
  const bytes = readBytes(path);
  const server = await serveSlowly(bytes);
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const first = (early: boolean) => async () => {
    const thimble = await load(address, { ...options, early });
    await runPrefill(thimble, thimble.first, promptTokens);
  };
  try {
    const [downloadThenRunMs, asItArrivesMs] = [
      middle(await repeat(runs, first(false))),
      middle(await repeat(runs, first(true))),
    ].map((ms) => round(ms));
    return { packBytes: bytes.length, bytesPerSecond, promptTokens, downloadThenRunMs, asItArrivesMs };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Sends what the time since a request allows, every few milliseconds. */
async function serveSlowly(bytes: Uint8Array): Promise<Server> {
  const server = createServer((_, response) => {
    response.setHeader("content-length", bytes.length);
    const startMs = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      const due = Math.min(bytes.length, Math.floor(((performance.now() - startMs) / 1000) * bytesPerSecond));
      response.write(bytes.subarray(sent, due));
      sent = due;
      if (sent === bytes.length) response.end();
    }, 10);
    response.on("close", () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

export function renderArrival({ packBytes, downloadThenRunMs, asItArrivesMs, ...at }: ArrivalReport): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const saved = (100 * (1 - asItArrivesMs / downloadThenRunMs)).toFixed(0);
  return table([
    ["download", `${megabytes(packBytes)} at ${megabytes(at.bytesPerSecond)}/s, prefill of ${at.promptTokens} tokens`],
    ["then run", `${downloadThenRunMs} ms to the first prefill result`],
    ["as it arrives", `${asItArrivesMs} ms, ${saved}% sooner`],
  ]);
}
