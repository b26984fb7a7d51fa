/** A file on a web server, in order or by Range: broken, slow, stalled and changing servers. */
import { leastBytes, Patience } from "./patience.ts";
import { bodyOf, changed, Refused, streamChunks, tooShort, type WaitOptions } from "./stream.ts";

/** Tries in a row that may bring next to nothing before a server is given up. */
const mostTries = 4;

/** Answers that a later try may better. Source: RFC 9110, 15.5.9 and 15.6; RFC 6585, 4. */
const passing = (status: number) => status >= 500 || status === 408 || status === 429;

/** An answer that a later try may better. */
class Busy extends Error {}

/** Read by Range where the server allows it. */
export class WebFile {
  readonly steady = false;
  /** What the server called the file's version at the first answer. */
  private tag: string | undefined;
  /** Length of the file, once a server has told it. */
  totalBytes: number | undefined;
  private answered = false;

  constructor(
    private readonly url: string | URL,
    private readonly options: WaitOptions = {},
  ) {}

  async read(offsetBytes: number, target: Uint8Array): Promise<void> {
    let done = 0;
    for await (const chunk of this.chunks(offsetBytes, offsetBytes + target.length, false)) {
      target.set(chunk, done);
      done += chunk.length;
    }
    if (done < target.length) throw new Error(tooShort(this.url, offsetBytes + target.length, offsetBytes + done));
  }

  close(): void {}

  /**
   * Bytes `start` to `end` in order; goes on by Range after a broken or stalled connection. `skip`: where the server
   * ignores Range, read up to the start and drop it.
   * Throws: Error that names the address, for an answer that is no file or another file than before, and for a server
   * that brings less than 4 KiB in four tries or in `timeoutMs`, tries and all; the signal's reason on abort.
   */
  async *chunks(start = 0, end = Number.POSITIVE_INFINITY, skip = true): AsyncGenerator<Uint8Array> {
    const patience = new Patience(this.url, this.options.timeoutMs);
    let at = start;
    /** Where bytes last came that were enough. */
    let mark = start;
    let tries = 0;
    const isDone = () => at >= Math.min(end, this.totalBytes ?? end);
    while (!isDone()) {
      const before = mark;
      let failure: unknown;
      try {
        for await (const chunk of this.request(at, end, skip, patience)) {
          at += chunk.length;
          if (at - mark >= leastBytes) {
            mark = at;
            patience.renew();
          }
          yield chunk;
        }
        if (this.totalBytes === undefined || isDone()) return;
      } catch (error) {
        this.options.signal?.throwIfAborted();
        if (error instanceof Refused || !(this.answered || error instanceof Busy)) throw this.named(error, at);
        failure = error;
      }
      tries = mark > before ? 0 : tries + 1;
      if (tries === mostTries) throw this.named(failure, at);
      if (tries) await patience.pause(50 * 2 ** tries);
    }
  }

  /** What a host's fetch throws names neither the address nor, at first sight, the cause. */
  private named(failure: unknown, at: number): unknown {
    if (failure === undefined) return new Error(tooShort(this.url, this.totalBytes ?? at, at));
    const { message, code, cause } = failure as Error & { code?: unknown; cause?: Error & { code?: unknown } };
    if (message?.startsWith(String(this.url))) return failure;
    const why = cause?.code ?? cause?.message ?? code ?? message;
    const [expected, remedy] = this.answered
      ? [`${this.totalBytes ?? "more"} bytes`, `after byte ${at} the connection broke off; try again`]
      : ["an answer", "check the address and the network"];
    return new Error(`${this.url}: expected ${expected}, got ${why}; ${remedy}`, { cause: failure });
  }

  private async *request(start: number, end: number, skip: boolean, patience: Patience): AsyncGenerator<Uint8Array> {
    const isWhole = start === 0 && end === Number.POSITIVE_INFINITY;
    const range = `bytes=${start}-${end === Number.POSITIVE_INFINITY ? "" : end - 1}`;
    // Browsers ask for no encoding with a Range by themselves and ignore that header here.
    const headers: Record<string, string> = isWhole ? {} : { range, "accept-encoding": "identity" };
    const { signal } = this.options;
    const connection = new AbortController();
    const abort = () => connection.abort(signal?.reason);
    signal?.addEventListener("abort", abort);
    // A first answer may take all the time there is; later, half of it is left to who is asked next.
    const wait = <T>(work: Promise<T>) => patience.wait(work, this.answered ? 0.5 : 1);
    try {
      signal?.throwIfAborted();
      const response = await wait(fetch(this.url, { signal: connection.signal, headers }));
      const from = this.check(response, start, skip);
      if (from === null) return;
      let dropped = from;
      let left = end - start;
      for await (const chunk of streamChunks(bodyOf(response, String(this.url)), signal, wait)) {
        const drop = Math.min(start - dropped, chunk.length);
        dropped += drop;
        const part = chunk.subarray(drop, drop + Math.min(left, chunk.length));
        left -= part.length;
        if (part.length) yield part;
        if (left <= 0) return;
      }
    } catch (error) {
      // An answer that came whole leaves its connection to others.
      connection.abort();
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Holds an answer against the first one. Returns the byte of the file that its body starts with; null at its end. */
  private check(response: Response, start: number, skip: boolean): number | null {
    const { headers, status } = response;
    if (status === 416) {
      const [, length] = headers.get("content-range")?.match(/^bytes \*\/(\d+)$/) ?? [];
      // Nothing follows what has come: the file ends here, where its length was not told.
      if (this.totalBytes === undefined && (length === undefined || Number(length) === start)) return null;
      throw new Refused(changed(this.url));
    }
    if (!response.ok) {
      if (passing(status)) throw new Busy(`${this.url}: expected a pack, got HTTP ${status}; try again later`);
      return 0;
    }
    // An answer of another encoding has the same tag but for these marks.
    const tag = (headers.get("etag") ?? headers.get("last-modified"))?.replace(/^W\/|-(gzip|br)(?="$)/g, "");
    if (this.tag && tag && tag !== this.tag) throw new Refused(changed(this.url));
    const isEncoded = headers.has("content-encoding") && headers.get("content-encoding") !== "identity";
    const [, from, total] = headers.get("content-range")?.match(/^bytes (\d+)-\d+\/(\d+)/) ?? [];
    const length = status === 206 ? total : isEncoded ? null : headers.get("content-length");
    const totalBytes = length === null || length === undefined ? undefined : Number(length);
    if (this.totalBytes !== undefined && totalBytes !== undefined && totalBytes !== this.totalBytes) {
      throw new Refused(changed(this.url));
    }
    this.answered = true;
    this.tag ??= tag;
    this.totalBytes ??= totalBytes;
    if (status === 206) {
      // Without leave by CORS a page does not see Content-Range; the checksums then tell.
      if (from !== undefined && Number(from) !== start) {
        throw new Refused(
          `${this.url}: expected bytes from ${start} on, got them from ${from} on; the server is at fault`,
        );
      }
      return start;
    }
    if (start > 0 && !skip) {
      const remedy = "load without a memory budget, or keep the pack in the cache";
      throw new Refused(`${this.url}: expected a server that answers Range requests, got HTTP ${status}; ${remedy}`);
    }
    return 0;
  }
}
