/** Streams of bytes from servers and elsewhere, and what their errors say. */

export interface WaitOptions {
  signal?: AbortSignal;
  /**
   * Longest that a server or a stream may bring less than 4 KiB, tries and all; 30,000 ms. A server is asked for the rest
   * by Range in the meantime.
   */
  timeoutMs?: number;
}

/** No pack, and trying again would not better it. */
export class Refused extends Error {}

export const changed = (name: string | URL) =>
  `${name}: expected the file as it was at first, got a changed one; load it again`;
export const tooShort = (name: string | URL, wanted: number, got: number) =>
  `${name}: expected ${wanted} bytes, got ${got}: the file is cut short`;

export function bodyOf(response: Response, name: string): ReadableStream<Uint8Array> {
  if (response.ok && response.body) return response.body;
  throw new Refused(`${name}: expected a pack, got HTTP ${response.status}; check the address`);
}

/** A stream's chunks; `wait` bounds how long each may take. Throws: the signal's reason on abort. */
export async function* streamChunks(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
  wait: <T>(work: Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { value, done } = await wait(reader.read());
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    // Frees the connection when the reader stops early; a finished stream ignores it.
    void reader.cancel().catch(() => {});
  }
}
