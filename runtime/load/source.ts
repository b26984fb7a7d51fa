/** Where a pack comes from: its bytes in order for the loader, or by offset for weights that never all fit. */
import type { Stats } from "node:fs";
import { fileSystem, hasFiles } from "./files.ts";
import { leastBytes, Patience } from "./patience.ts";
import { bodyOf, changed, Refused, streamChunks, tooShort, type WaitOptions } from "./stream.ts";
import { WebFile } from "./web.ts";

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

/** A source's bytes in order. */
export interface Chunks {
  /** Length of the whole, as far as the source has told it by now. */
  readonly totalBytes: number | undefined;
  /** Null at the end. Throws: Error if the source fails, the signal's reason on abort. */
  next(): Promise<Uint8Array | null>;
  /** Closes file or connection, also while `next` waits for it. */
  close(): Promise<void>;
}

/**
 * Opens a source for reading in order; a download that breaks off or stalls goes on by Range where it stopped.
 * Throws: Error if the source cannot be opened, TypeError for what is no source, the signal's reason on abort.
 */
export async function openChunks(source: Source, options: WaitOptions = {}): Promise<Chunks> {
  const { signal } = options;
  signal?.throwIfAborted();
  const ended = new AbortController();
  const stop = () => ended.abort(signal?.reason);
  signal?.addEventListener("abort", stop);
  const { chunks, total, close } = await chunksOf(source, { ...options, signal: ended.signal }).catch((error) => {
    signal?.removeEventListener("abort", stop);
    throw error;
  });
  let closed: Promise<void> | undefined;
  return {
    get totalBytes() {
      return total();
    },
    async next() {
      const { value, done } = await chunks.next();
      return done ? null : value;
    },
    close() {
      signal?.removeEventListener("abort", stop);
      ended.abort();
      closed ??= chunks
        .return(undefined)
        .catch(() => {})
        .then(close);
      return closed;
    },
  };
}

interface Opened {
  chunks: AsyncGenerator<Uint8Array, void>;
  total(): number | undefined;
  close?: () => Promise<void>;
}

async function chunksOf(source: Source, options: WaitOptions): Promise<Opened> {
  const of = (chunks: AsyncGenerator<Uint8Array, void>, bytes?: number): Opened => ({ chunks, total: () => bytes });
  // Paths first: Node loads its web client when a script names Response.
  if (typeof source === "string" || source instanceof URL) {
    const place = placeOf(source);
    if (place.isFile) return fileChunks(place.path, options.signal);
    const file = new WebFile(place.url, options);
    return { chunks: file.chunks(), total: () => file.totalBytes };
  }
  if (source instanceof Uint8Array) return of(once(source), source.length);
  if (source instanceof ArrayBuffer) return of(once(new Uint8Array(source)), source.byteLength);
  if (source instanceof Blob) return of(patiently(source.stream(), "blob", options), source.size);
  if (source instanceof ReadableStream) return of(patiently(source, "stream", options));
  if (source instanceof Response) {
    const name = source.url || "response";
    const length = source.headers.has("content-encoding") ? null : source.headers.get("content-length");
    return of(patiently(bodyOf(source, name), name, options), length === null ? undefined : Number(length));
  }
  throw noSource(source);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}

async function* patiently(
  stream: ReadableStream<Uint8Array>,
  name: string,
  { signal, timeoutMs }: WaitOptions,
): AsyncGenerator<Uint8Array, void> {
  const patience = new Patience(name, timeoutMs);
  let bytes = 0;
  for await (const chunk of streamChunks(stream, signal, (work) => patience.wait(work))) {
    bytes += chunk.length;
    if (bytes >= leastBytes) {
      bytes = 0;
      patience.renew();
    }
    yield chunk;
  }
}

/**
 * Opens a source for reading by offset.
 * Throws: TypeError for one that can be read only once, Error if it cannot be opened.
 */
export async function openRandom(source: Source, options?: WaitOptions): Promise<RandomAccess> {
  if (typeof source === "string" || source instanceof URL) {
    const place = placeOf(source);
    return place.isFile ? randomFile(place.path) : new WebFile(place.url, options);
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

/** All of a source's bytes, and meanwhile how many have come. Throws: as `openChunks`. */
export async function bytesOf(
  source: Source,
  options: WaitOptions = {},
  came: (loadedBytes: number, totalBytes: number | undefined) => void = () => {},
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks = await openChunks(source, options);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let loadedBytes = 0;
  try {
    for (let chunk = await chunks.next(); chunk; chunk = await chunks.next()) {
      // A file's next chunk takes the place of this one.
      parts.push(new Uint8Array(chunk));
      loadedBytes += chunk.length;
      came(loadedBytes, chunks.totalBytes);
    }
  } finally {
    await chunks.close();
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
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
    throw new Refused(`${path}: expected a readable pack, got ${cause.code}; check the path`, { cause });
  };
}

/** What a function of the file system calls back with. */
function called<T>(start: (done: (error: NodeJS.ErrnoException | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))));
}

/** By descriptor: the file system's promises take a fresh process some milliseconds to set up. */
async function fileChunks(path: string | URL, signal?: AbortSignal): Promise<Opened> {
  const { open, fstat, read, close } = await fileSystem();
  const descriptor = await called<number>((done) => open(path, done)).catch(unreadable(path));
  const stats = await called<Stats>((done) => fstat(descriptor, done));
  // A pipe's length is not known.
  const bytes = stats.isFile() ? stats.size : undefined;
  const chunks = async function* (): AsyncGenerator<Uint8Array, void> {
    const buffer = new Uint8Array(1 << 20);
    for (;;) {
      signal?.throwIfAborted();
      const bytesRead = await called<number>((done) => read(descriptor, buffer, 0, buffer.length, null, done)).catch(
        unreadable(path),
      );
      if (!bytesRead) return;
      yield buffer.subarray(0, bytesRead);
    }
  };
  return { chunks: chunks(), total: () => bytes, close: () => called<void>((done) => close(descriptor, done)) };
}

/**
 * A file that is replaced by another keeps its bytes for who has it open; one that is written to is found out.
 * Who forgets to close it leaves that to the garbage collector, which a FileHandle would call an error.
 */
async function randomFile(path: string | URL): Promise<RandomAccess> {
  const { open, read, fstatSync, closeSync } = await fileSystem();
  const descriptor = await called<number>((done) => open(path, done)).catch(unreadable(path));
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
        const more = await called<number>((done) => read(descriptor, target, got, bytes, from, done));
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
