/** Where a pack comes from: its bytes in order for the loader, or by offset for weights that never all fit. */
import { fileSystem, hasFiles } from "./files.ts";

/** A path (Node, Bun) or URL, or what a fetch, a file picker or a bundler gives. */
export type Source = string | URL | Response | ReadableStream<Uint8Array> | Blob | ArrayBuffer | Uint8Array;

/** A source that can be read anywhere, again and again. */
export interface RandomAccess {
  /** What was read once reads the same again, or `read` throws: a checksum need not be taken twice. */
  readonly steady: boolean;
  /** Fills the target from a byte of the file. Throws: Error if the source is gone, cut short or changed. */
  read(offsetBytes: number, target: Uint8Array): Promise<void>;
  close(): void;
}

/**
 * A source's bytes in order; a download that breaks off goes on by Range where it stopped.
 * Throws: Error if the source cannot be opened, TypeError for what is no source, the signal's reason on abort.
 */
export async function* chunksOf(source: Source, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  // Paths first: Node loads its web client when a script names Response.
  if (typeof source === "string" || source instanceof URL) {
    const place = placeOf(source);
    if (place.isFile) yield* fileChunks(place.path, signal);
    else yield* new WebFile(place.url, signal).chunks();
  } else if (source instanceof Uint8Array) yield source;
  else if (source instanceof ArrayBuffer) yield new Uint8Array(source);
  else if (source instanceof Blob) yield* streamChunks(source.stream(), signal);
  else if (source instanceof ReadableStream) yield* streamChunks(source, signal);
  else if (source instanceof Response) yield* streamChunks(bodyOf(source, source.url || "response"), signal);
  else throw noSource(source);
}

/**
 * Opens a source for reading by offset.
 * Throws: TypeError for one that can be read only once, Error if it cannot be opened.
 */
export async function openRandom(source: Source, signal?: AbortSignal): Promise<RandomAccess> {
  if (typeof source === "string" || source instanceof URL) {
    const place = placeOf(source);
    return place.isFile ? randomFile(place.path) : new WebFile(place.url, signal);
  }
  if (source instanceof Response || source instanceof ReadableStream) {
    const remedy = "give a path, URL, Blob or bytes, or allow more memory";
    throw new TypeError(`load: expected a source that can be read again and again, got a stream; ${remedy}`);
  }
  if (source instanceof Blob) return randomBlob(source);
  if (source instanceof Uint8Array) return randomBlob(new Blob([source as Uint8Array<ArrayBuffer>]));
  if (source instanceof ArrayBuffer) return randomBlob(new Blob([source]));
  throw noSource(source);
}

/** All of a source's bytes. Throws: as `chunksOf`. */
export async function bytesOf(source: Source, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksOf(source, signal)) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Whether a fetch brings the source. */
export function isOnWeb(source: Source): source is string | URL {
  return (typeof source === "string" || source instanceof URL) && !placeOf(source).isFile;
}

type Place = { isFile: true; path: string | URL } | { isFile: false; url: string | URL };

function noSource(got: never): TypeError {
  return new TypeError(`load: expected a path, URL, Response, ReadableStream, Blob or bytes, got ${String(got)}`);
}

function placeOf(source: string | URL): Place {
  // A scheme has two letters at least: C:\\model.thimble is a path.
  const place = typeof source === "string" && /^[a-z][a-z0-9+.-]+:/i.test(source) ? new URL(source) : source;
  const isFile = hasFiles() && (typeof place === "string" || place.protocol === "file:");
  return isFile ? { isFile, path: place } : { isFile, url: place };
}

function unreadable(path: string | URL): (error: NodeJS.ErrnoException) => never {
  return (cause) => {
    throw new Error(`${path}: expected a readable pack, got ${cause.code}; check the path`, { cause });
  };
}

async function* fileChunks(path: string | URL, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { promises } = await fileSystem();
  const file = await promises.open(path).catch(unreadable(path));
  try {
    const buffer = new Uint8Array(1 << 20);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (!bytesRead) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * A file that is replaced by another keeps its bytes for who has it open; one that is written to is found out.
 * Who forgets to close it leaves that to the garbage collector, which a FileHandle would call an error.
 */
async function randomFile(path: string | URL): Promise<RandomAccess> {
  const { open, read, fstatSync, closeSync } = await fileSystem();
  const call = <T>(start: (done: (error: NodeJS.ErrnoException | null, value: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
  const descriptor = await call<number>((done) => open(path, done)).catch(unreadable(path));
  const stamp = () => {
    const { mtimeNs, size } = fstatSync(descriptor, { bigint: true });
    return `${mtimeNs} ${size}`;
  };
  const opened = stamp();
  let isClosed = false;
  const file: RandomAccess = {
    steady: true,
    async read(offsetBytes, target) {
      // Another file may have got the descriptor since.
      if (isClosed) throw new Error(`${path}: expected an open file, got a closed one; load it again`);
      let got = 0;
      while (got < target.length) {
        const [from, bytes] = [offsetBytes + got, target.length - got];
        const more = await call<number>((done) => read(descriptor, target, got, bytes, from, done));
        if (!more) break;
        got += more;
      }
      if (stamp() !== opened) throw new Error(changed(String(path)));
      if (got < target.length) throw new Error(tooShort(String(path), offsetBytes + target.length, offsetBytes + got));
    },
    close() {
      isClosed = true;
      if (forgotten.unregister(file)) closeSync(descriptor);
    },
  };
  forgotten.register(file, () => closeSync(descriptor), file);
  return file;
}

const forgotten = new FinalizationRegistry<() => void>((close) => close());

/** A file from OPFS or a picker is a Blob too; a browser refuses to read it once it has changed. */
function randomBlob(blob: Blob): RandomAccess {
  return {
    steady: true,
    async read(offsetBytes, target) {
      const end = offsetBytes + target.length;
      if (end > blob.size) throw new Error(tooShort("blob", end, blob.size));
      const bytes = await blob
        .slice(offsetBytes, end)
        .arrayBuffer()
        .catch((error) => {
          throw new Error(changed("blob"), { cause: error });
        });
      target.set(new Uint8Array(bytes));
    },
    close() {},
  };
}

/** Answers in a row that may bring no byte before a server is given up. */
const mostIdle = 4;

/** A file on a web server, read by Range where the server allows it. */
export class WebFile implements RandomAccess {
  readonly steady = false;
  /** What the server called the file's version at the first answer. */
  private tag: string | undefined;
  /** Length of the file, once a server has told it. */
  totalBytes: number | undefined;
  private answered = false;

  constructor(
    private readonly url: string | URL,
    private readonly signal?: AbortSignal,
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
   * Bytes `start` to `end` in order; goes on by Range after a broken connection. `skip`: where the server ignores
   * Range, read up to the start and drop it.
   * Throws: Error for an answer that is no file or another file than before, the signal's reason on abort.
   */
  async *chunks(start = 0, end = Number.POSITIVE_INFINITY, skip = true): AsyncGenerator<Uint8Array> {
    let at = start;
    let idle = 0;
    while (at < Math.min(end, this.totalBytes ?? end)) {
      const before = at;
      let failure: unknown;
      try {
        for await (const chunk of this.request(at, end, skip)) {
          at += chunk.length;
          yield chunk;
        }
        if (this.totalBytes === undefined) return;
      } catch (error) {
        this.signal?.throwIfAborted();
        if (error instanceof Refused || !this.answered) throw error;
        failure = error;
      }
      idle = at > before ? 0 : idle + 1;
      if (idle === mostIdle) throw failure ?? new Error(tooShort(this.url, this.totalBytes ?? end, at));
      if (idle) await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** idle));
    }
  }

  private async *request(start: number, end: number, skip: boolean): AsyncGenerator<Uint8Array> {
    const isWhole = start === 0 && end === Number.POSITIVE_INFINITY;
    const range = `bytes=${start}-${end === Number.POSITIVE_INFINITY ? "" : end - 1}`;
    // Browsers ask for no encoding with a Range by themselves and ignore that header here.
    const headers: Record<string, string> = isWhole ? {} : { range, "accept-encoding": "identity" };
    const response = await fetch(this.url, { signal: this.signal, headers });
    try {
      const from = this.check(response, start, skip);
      let dropped = from;
      let left = end - start;
      for await (const chunk of streamChunks(bodyOf(response, String(this.url)), this.signal)) {
        const drop = Math.min(start - dropped, chunk.length);
        dropped += drop;
        const part = chunk.subarray(drop, drop + Math.min(left, chunk.length));
        left -= part.length;
        if (part.length) yield part;
        if (left <= 0) return;
      }
    } finally {
      await response.body?.cancel().catch(() => {});
    }
  }

  /** Holds an answer against the first one. Returns the byte of the file that its body starts with. */
  private check(response: Response, start: number, skip: boolean): number {
    const { headers, status } = response;
    if (status === 416) throw new Refused(changed(this.url));
    if (!response.ok) return 0;
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
    if (start > 0 && (isEncoded || !skip)) {
      const remedy = "load without a memory budget, or keep the pack in the cache";
      throw new Refused(`${this.url}: expected a server that answers Range requests, got HTTP ${status}; ${remedy}`);
    }
    return 0;
  }
}

/** An answer that trying again would not better. */
class Refused extends Error {}

const changed = (name: string | URL) =>
  `${name}: expected the file as it was at first, got a changed one; load it again`;
const tooShort = (name: string | URL, wanted: number, got: number) =>
  `${name}: expected ${wanted} bytes, got ${got}: the file is cut short`;

function bodyOf(response: Response, name: string): ReadableStream<Uint8Array> {
  if (response.ok && response.body) return response.body;
  throw new Refused(`${name}: expected a pack, got HTTP ${response.status}; check the address`);
}

async function* streamChunks(stream: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      signal?.throwIfAborted();
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    // Frees the connection when the reader stops early; a finished stream ignores it.
    await reader.cancel().catch(() => {});
  }
}
