/** Stream → linear memory: each chunk is copied once, to its final place. Progress, abort, integrity. */

import type { ModelPlan } from "../engine/modelplan.ts";
import { FormatError } from "../errors.ts";
import { checkSection, type PackHeader, prefixBytes, readHeader, readPrefix } from "../pack/pack.ts";
import { xxh32 } from "../pack/xxh32.ts";
import { chunksOf, type Source } from "./source.ts";

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
    /** The file up to its first section. */
    readonly head: Uint8Array,
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
      return new PackStream(
        header,
        head.slice(0, prefix.bodyOffset),
        chunks,
        head.subarray(prefix.bodyOffset),
        options,
      );
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
   * Copies the sections to the places of a plan without a ring, checks each when it is whole, and calls `arrived`.
   * Throws: FormatError naming the section; the signal's reason on abort.
   */
  async copyInto(memory: WebAssembly.Memory, plan: ModelPlan, arrived: (section: string) => void): Promise<void> {
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
          const place = plan.units[index].at as number;
          // A fresh view each time: another session may have grown the memory meanwhile.
          new Uint8Array(memory.buffer).set(part, place + done);
          loadedBytes += part.length;
          chunk = chunk.subarray(part.length);
          if (done + part.length === section.bytes) {
            checkSection(section, xxh32(new Uint8Array(memory.buffer, place, section.bytes)));
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
