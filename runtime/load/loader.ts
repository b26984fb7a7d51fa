/** Stream → linear memory: each chunk is copied once, to its final place, unless the file is of an older version. Progress, abort, integrity. */

import type { ModelPlan } from "../engine/modelplan.ts";
import { FormatError } from "../errors.ts";
import {
  checkLength,
  checkSection,
  type PackHeader,
  packVersion,
  prefixBytes,
  readHeader,
  readPrefix,
} from "../pack/pack.ts";
import { renewSection } from "../pack/renew.ts";
import { xxh32 } from "../pack/xxh32.ts";
import { sumsIn } from "./checksum.ts";
import { mostEndMs, within } from "./patience.ts";
import { type Chunks, openChunks, type Source } from "./source.ts";
import type { WaitOptions } from "./stream.ts";

export interface Progress {
  loadedBytes: number;
  totalBytes: number;
}

export interface StreamOptions extends WaitOptions {
  onProgress?: (progress: Progress) => void;
}

/** A pack whose header has been read and whose sections are still to come. */
export class PackStream {
  private constructor(
    readonly header: PackHeader,
    /** The file up to its first section. */
    readonly head: Uint8Array,
    private readonly chunks: Chunks,
    /** What has been read past the header. */
    private rest: Uint8Array,
    private readonly options: StreamOptions,
  ) {}

  /**
   * Reads a pack's header.
   * Throws: FormatError for a truncated, corrupt, foreign or newer file; Error if the source cannot be opened.
   */
  static async open(source: Source, options: StreamOptions = {}): Promise<PackStream> {
    const chunks = await openChunks(source, options);
    const parts: Uint8Array[] = [];
    let got = 0;
    /** The file's first bytes, joined once for each of its two lengths, however small the chunks. */
    const first = async (bytes: number, path: string): Promise<Uint8Array> => {
      while (got < bytes) {
        // What a source fills again for its next chunk is gone by then.
        const last = parts.pop();
        if (last) parts.push(new Uint8Array(last));
        const chunk = await chunks.next();
        if (!chunk) throw new FormatError(path, got, `expected ${bytes} bytes, got ${got}: the file is cut short`);
        parts.push(chunk);
        got += chunk.length;
      }
      if (parts.length === 1) return parts[0];
      const joined = new Uint8Array(got);
      let at = 0;
      for (const part of parts.splice(0)) {
        joined.set(part, at);
        at += part.length;
      }
      parts.push(joined);
      return joined;
    };
    try {
      const prefix = readPrefix(await first(prefixBytes, "prefix"));
      const head = await first(prefix.bodyOffset, "header");
      const header = readHeader(head.subarray(prefixBytes, prefix.bodyOffset), prefix);
      if (chunks.totalBytes !== undefined) checkLength(header, chunks.totalBytes);
      const rest = head.subarray(prefix.bodyOffset);
      return new PackStream(header, new Uint8Array(head.subarray(0, prefix.bodyOffset)), chunks, rest, options);
    } catch (error) {
      await chunks.close();
      throw error;
    }
  }

  /** Gives the source up: closes its file or connection. */
  async close(): Promise<void> {
    await this.chunks.close();
  }

  /**
   * Copies the sections to the places of a plan without a ring, checks each by `sum` when it is whole, and calls `arrived`.
   * Throws: FormatError naming the section; the signal's reason on abort.
   */
  async copyInto(
    memory: WebAssembly.Memory,
    plan: ModelPlan,
    arrived: (section: string) => void,
    sum = sumsIn(memory, {}),
  ): Promise<void> {
    const { sections, fileBytes } = this.header;
    const { onProgress, signal } = this.options;
    /** Sections of an older file are whole before they become what the kernels read. */
    const isOld = this.header.version !== packVersion;
    const older = new Uint8Array(isOld ? Math.max(...sections.map(({ bytes }) => bytes)) : 0);
    let loadedBytes = sections[0].offsetBytes;
    let index = 0;
    try {
      for (;;) {
        let chunk = this.rest;
        this.rest = new Uint8Array(0);
        if (!chunk.length) {
          const next = index < sections.length ? await this.chunks.next() : await this.end();
          if (!next) break;
          chunk = next;
        }
        while (chunk.length) {
          const section = sections[index];
          if (!section) return checkLength(this.header, loadedBytes + chunk.length);
          const done = loadedBytes - section.offsetBytes;
          const part = chunk.subarray(0, section.bytes - done);
          const place = plan.units[index].at as number;
          // A fresh view each time: another session may have grown the memory meanwhile.
          if (isOld) older.set(part, done);
          else new Uint8Array(memory.buffer).set(part, place + done);
          loadedBytes += part.length;
          chunk = chunk.subarray(part.length);
          if (done + part.length === section.bytes) {
            const whole = older.subarray(0, section.bytes);
            checkSection(section, isOld ? xxh32(whole) : sum(place, section.bytes));
            if (isOld) new Uint8Array(memory.buffer).set(renewSection(this.header, section.name, whole), place);
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
    checkLength(this.header, loadedBytes);
  }

  /** What follows the last section: nothing, if all is well. */
  private async end(): Promise<Uint8Array | null> {
    if (this.chunks.totalBytes !== undefined) return null;
    return within(mostEndMs, this.chunks.next());
  }
}
