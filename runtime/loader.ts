/** Stream → linear memory: each chunk is copied once, to its final place. Progress, abort, integrity. */
import { FormatError } from "./errors.ts";
import { type PackHeader, prefixBytes, readHeader, readPrefix } from "./pack.ts";
import { xxh32 } from "./xxh32.ts";

/** A path (Node, Bun) or URL, or what a fetch, a file picker or a bundler gives. */
export type Source = string | URL | Response | ReadableStream<Uint8Array> | Blob | ArrayBuffer | Uint8Array;

export interface Progress {
  loadedBytes: number;
  totalBytes: number;
}

export interface StreamOptions {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

/** A pack whose header has been read and whose sections are still to come. */
export class PackStream {
  private constructor(
    readonly header: PackHeader,
    private readonly chunks: AsyncIterator<Uint8Array>,
    /** What has been read past the header. */
    private rest: Uint8Array,
    private readonly options: StreamOptions,
  ) {}

  /**
   * Reads a pack's header.
   * Throws: FormatError for a truncated, corrupt, foreign or newer file; Error if the source cannot be opened.
   */
  static async open(source: Source, options: StreamOptions = {}): Promise<PackStream> {
    const chunks = chunksOf(source, options.signal)[Symbol.asyncIterator]();
    let head: Uint8Array = new Uint8Array(0);
    const need = async (bytes: number, path: string) => {
      while (head.length < bytes) {
        const { value, done } = await chunks.next();
        if (done)
          throw new FormatError(
            path,
            head.length,
            `expected ${bytes} bytes, got ${head.length}: the file is cut short`,
          );
        const joined = new Uint8Array(head.length + value.length);
        joined.set(head);
        joined.set(value, head.length);
        head = joined;
      }
    };
    try {
      await need(prefixBytes, "prefix");
      const prefix = readPrefix(head);
      await need(prefix.bodyOffset, "header");
      const header = readHeader(head.subarray(prefixBytes, prefix.bodyOffset), prefix);
      return new PackStream(header, chunks, head.subarray(prefix.bodyOffset), options);
    } catch (error) {
      await chunks.return?.(undefined);
      throw error;
    }
  }

  /** Gives the source up: closes its file or connection. */
  async close(): Promise<void> {
    await this.chunks.return?.(undefined);
  }

  /**
   * Copies the sections to their places in linear memory, checks each when it is whole, and calls `arrived`.
   * Throws: FormatError naming the section; the signal's reason on abort.
   */
  async copyInto(memory: WebAssembly.Memory, places: number[], arrived: (section: string) => void): Promise<void> {
    const { sections, fileBytes } = this.header;
    const { onProgress, signal } = this.options;
    let loadedBytes = sections[0].offsetBytes;
    let index = 0;
    try {
      for (;;) {
        let chunk = this.rest;
        this.rest = new Uint8Array(0);
        if (!chunk.length) {
          const next = await this.chunks.next();
          if (next.done) break;
          chunk = next.value;
        }
        while (chunk.length) {
          const section = sections[index];
          if (!section) throw new FormatError("end", fileBytes, `expected ${fileBytes} bytes, got more`);
          const done = loadedBytes - section.offsetBytes;
          const part = chunk.subarray(0, section.bytes - done);
          // A fresh view each time: another session may have grown the memory meanwhile.
          new Uint8Array(memory.buffer).set(part, places[index] + done);
          loadedBytes += part.length;
          chunk = chunk.subarray(part.length);
          if (done + part.length === section.bytes) {
            if (xxh32(new Uint8Array(memory.buffer, places[index], section.bytes)) !== section.checksum) {
              throw new FormatError(
                section.name,
                section.offsetBytes,
                "checksum does not match; the file is damaged, fetch it again",
              );
            }
            arrived(section.name);
            index++;
          }
        }
        onProgress?.({ loadedBytes, totalBytes: fileBytes });
        signal?.throwIfAborted();
      }
    } finally {
      await this.close();
    }
    if (index < sections.length) {
      const { name } = sections[index];
      throw new FormatError(
        name,
        loadedBytes,
        `expected ${fileBytes} bytes in the file, got ${loadedBytes}: it is cut short`,
      );
    }
  }
}

async function* chunksOf(source: Source, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  if (source instanceof Uint8Array) yield source;
  else if (source instanceof ArrayBuffer) yield new Uint8Array(source);
  else if (source instanceof Blob) yield* streamChunks(source.stream(), signal);
  else if (source instanceof ReadableStream) yield* streamChunks(source, signal);
  else if (source instanceof Response) yield* responseChunks(source, signal);
  else if (typeof source === "string" || source instanceof URL) yield* placeChunks(source, signal);
  else
    throw new TypeError(`load: expected a path, URL, Response, ReadableStream, Blob or bytes, got ${String(source)}`);
}

async function* placeChunks(source: string | URL, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  // A scheme has two letters at least: C:\\model.thimble is a path.
  const place = typeof source === "string" && /^[a-z][a-z0-9+.-]+:/i.test(source) ? new URL(source) : source;
  const isFile = typeof place === "string" || place.protocol === "file:";
  if (isFile && hasFiles()) yield* fileChunks(place, signal);
  else yield* responseChunks(await fetch(place, { signal }), signal);
}

function hasFiles(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}

async function* fileChunks(path: string | URL, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  // The name stands in a variable so that bundlers for the web leave this import alone; only Node and Bun come here.
  const name = "node:fs/promises";
  const { open } = (await import(name)) as typeof import("node:fs/promises");
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${path}: expected a readable pack, got ${error.code}; check the path`, { cause: error });
  });
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

async function* responseChunks(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!response.ok || !response.body) {
    throw new Error(`${response.url || "response"}: expected a pack, got HTTP ${response.status}; check the address`);
  }
  yield* streamChunks(response.body, signal);
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
