/**
 * Tools read once and kept: a model's own memory of them, shared by its sessions. By a tool's text it keeps for good what
 * ranking needs, its rows and vector, and within a budget what calls need, a block of keys and values, least recently
 * used out first.
 */

import type { Host, Walk } from "../engine/host.ts";
import { mebibytes, type Region, type Space, writeWords } from "../engine/memory.ts";
import { planReader, type Scratch } from "../engine/sessionplan.ts";
import { CapacityError } from "../errors.ts";
import { Lru } from "../lru.ts";
import type { Geometry } from "../pack/pack.ts";
import { special, type Tokenizer } from "../text/tokenizer.ts";
import { type BlockPlan, keptBlockBytes, planBlock } from "./block.ts";
import { packBlock, unpackBlock } from "./form.ts";
import { readTools, rowsOf } from "./read.ts";

/** What is known of a tool for as long as the model is loaded. */
export interface Known {
  rows: number;
  /** f32 (contrastiveDim); null for a model without the head. */
  vector: Float32Array | null;
}

/** A tool as a file has it: keys and values in 8 bits (form.ts), at a multiple of 4 within their buffer. */
export interface KeptEntry {
  text: string;
  known: Known;
  form: Uint8Array;
}

/** A tool whose keys and values are in linear memory. */
export interface KeptTool extends BlockPlan {
  text: string;
  known: Known;
  at: number;
  bytes: number;
  /** Calls that use it now, or the reading that fills it: it is not forgotten meanwhile. */
  uses: number;
}

/** How reading goes on, in tools. */
export interface ReadProgress {
  read: number;
  total: number;
}

/** What a reading runs on, and what it listens to. */
export interface ReadOptions {
  walk: Walk;
  onProgress?: (progress: ReadProgress) => void;
  /** Gets the texts of the tools that are read. */
  read?: Set<string>;
}

/** A model, as far as reading needs it. */
export interface KeptModel extends Pick<Host, "kernels" | "memory" | "layout"> {
  geometry: Geometry;
  tokenizer: Tokenizer;
  space: Space;
  toolAt: number;
  threads: number;
  budgetBytes: number;
  /** Rows that one walk over the layers reads, unless one tool has more; memory has room for so many. */
  rowsATurn: number;
}

/** Memory may grow while no more than this lies about in pieces too small; then tools make room. */
const mostScatteredBytes = 2 ** 19;

/** Vectors kept, with their texts: some 36 MB at 128 numbers each (test/soak.ts). */
const mostKnown = 32_768;

/** Lists of ids kept: those of a few calls. */
const mostMeasured = 64;

export class Kept {
  /** From the least recently used on. */
  private readonly blocks = new Map<string, KeptTool>();
  private readonly known = new Lru<Known>(mostKnown);
  /** Of tools that were measured, which are read next. */
  private readonly ids = new Lru<readonly number[]>(mostMeasured);
  private usedBytes = 0;
  /** What reading runs in, for a walk of so many rows. */
  private reader: { rows: number; at: number; bytes: number; scratch: Scratch } | null = null;
  /** Readings go one after the other, so that no tool is read twice. */
  private reading: Promise<unknown> = Promise.resolve();

  /** Use one a model. */
  constructor(private readonly model: KeptModel) {}

  /** Bytes of linear memory that kept tools take. */
  get bytes(): number {
    return this.usedBytes;
  }

  /** Bytes that they may take while no call uses more. */
  get budgetBytes(): number {
    return this.model.budgetBytes;
  }

  /** Where kept tools are in linear memory, and what lies free between them and sessions. */
  get regions(): Region[] {
    const tools = [...this.blocks.values()].map(({ at, bytes }) => ({ name: "kept tool", offsetBytes: at, bytes }));
    const reader = this.reader ? [{ name: "reading", offsetBytes: this.reader.at, bytes: this.reader.bytes }] : [];
    return [...tools, ...reader, ...this.model.space.regions];
  }

  /** Rows of a tool, [<tools>] before its text; known or not. */
  rowsOf(text: string): number {
    return this.find(text)?.rows ?? this.idsOf(text).length;
  }

  private find(text: string): Known | undefined {
    return this.known.get(text) ?? this.blocks.get(text)?.known;
  }

  /** Reads those of the tools that are not kept; of more than the budget holds, the last ones stay. */
  keep(texts: readonly string[], options: ReadOptions): Promise<void> {
    return this.inTurn(() => {
      const missing = texts.filter((text) => !this.touch(text));
      return this.read(missing, options, false);
    });
  }

  /** What is known of the tools, those that nothing is known of read first. */
  learn(texts: readonly string[], options: ReadOptions): Promise<Known[]> {
    return this.inTurn(async () => {
      const unknown = texts.filter((text) => !this.find(text));
      await this.read(unknown, options, false);
      return texts.map((text) => this.find(text) as Known);
    });
  }

  /**
   * The tools with their keys and values in memory, those that are missing read first; `release` them after use.
   * Throws: CapacityError if memory cannot hold them together, what the walk throws. Then nothing is half kept.
   */
  use(texts: readonly string[], options: ReadOptions): Promise<KeptTool[]> {
    return this.inTurn(() => this.take(texts, options));
  }

  private async take(texts: readonly string[], options: ReadOptions): Promise<KeptTool[]> {
    const present = texts.flatMap((text) => this.blocks.get(text) ?? []);
    for (const tool of present) tool.uses++;
    try {
      const missing = texts.filter((text) => !this.blocks.has(text));
      await this.read(missing, options, true);
    } catch (error) {
      this.release(present);
      throw error;
    }
    return texts.map((text) => this.touch(text) as KeptTool);
  }

  /** A kept tool, which is the most recently used from now on. */
  private touch(text: string): KeptTool | undefined {
    const tool = this.blocks.get(text);
    if (!tool) return undefined;
    this.blocks.delete(text);
    this.blocks.set(text, tool);
    return tool;
  }

  /** Lets tools go that were in use; what calls made exceed the budget is forgotten. */
  release(tools: readonly KeptTool[]): void {
    for (const tool of tools) tool.uses--;
    while (this.usedBytes > this.model.budgetBytes && this.forget());
  }

  /** The tools with what is kept of them, for a file; those that are missing are read, each as its turn comes. */
  async entries(texts: readonly string[], options: ReadOptions): Promise<KeptEntry[]> {
    const { memory, geometry } = this.model;
    const entries: KeptEntry[] = [];
    for (const text of texts) {
      const [tool] = await this.use([text], { walk: options.walk });
      try {
        const { known } = tool;
        entries.push({ text, known, form: packBlock(memory, tool, geometry, known.rows) });
      } finally {
        this.release([tool]);
      }
      options.onProgress?.({ read: entries.length, total: texts.length });
    }
    return entries;
  }

  /** Keeps tools as a file has them; of more than the budget holds, the last ones stay. */
  restore(entries: readonly KeptEntry[]): Promise<void> {
    return this.inTurn(async () => {
      const { memory, geometry } = this.model;
      for (const { text, known, form } of entries) {
        if (this.touch(text)) continue;
        const tool = this.lay(text, known.rows);
        unpackBlock(memory, tool, geometry, known.rows, form);
        this.admit(tool, known);
        this.release([tool]);
      }
    });
  }

  /** Does work after what is queued, if memory had no room for it twice. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.reading.then(work).catch((error) => {
      if (!(error instanceof CapacityError)) throw error;
      // There may be room in pieces that these lie between: a second try begins without any.
      while (this.forget());
      this.closeReader();
      return work();
    });
    this.reading = result.catch(() => {});
    return result;
  }

  /** With `using`, the tools read are in use from then on. */
  private async read(texts: readonly string[], options: ReadOptions, using: boolean): Promise<void> {
    const queue = [...new Set(texts)].map((text) => ({ text, ids: this.idsOf(text) }));
    const total = queue.length;
    const done: KeptTool[] = [];
    try {
      while (queue.length) {
        let n = 1;
        while (n < queue.length && rowsOf(queue.slice(0, n + 1)) <= this.model.rowsATurn) n++;
        const part = queue.splice(0, n);
        const tools = await this.readTogether(part, options.walk);
        for (const { text } of tools) options.read?.add(text);
        if (using) done.push(...tools);
        else this.release(tools);
        options.onProgress?.({ read: total - queue.length, total });
      }
    } catch (error) {
      this.release(done);
      throw error;
    }
  }

  private async readTogether(part: { text: string; ids: readonly number[] }[], walk: Walk): Promise<KeptTool[]> {
    const { geometry, kernels, memory, layout, toolAt } = this.model;
    const tools: KeptTool[] = [];
    try {
      for (const { text, ids } of part) tools.push(this.lay(text, ids.length));
      // Behind the tools, where buffers that are given back leave no hole.
      const session = this.readerFor(rowsOf(part));
      const readings = part.map(({ ids }, i) => ({ ids, block: tools[i] }));
      const host = { kernels, memory, layout, walk, session };
      const vectors = await readTools(host, readings, toolAt, geometry.contrastiveDim);
      for (const [i, tool] of tools.entries()) this.admit(tool, { rows: tool.known.rows, vector: vectors[i] });
      return tools;
    } catch (error) {
      for (const tool of tools) this.drop(tool);
      throw error;
    } finally {
      if (this.reader && this.reader.rows > this.model.rowsATurn) this.closeReader();
    }
  }

  /** The buffers for reading so many rows: those there are, unless one tool has more than `rowsATurn`. */
  private readerFor(rows: number): Scratch {
    const { geometry, kernels, memory, space, toolAt, threads, rowsATurn } = this.model;
    const most = Math.max(rowsATurn, rows);
    if (this.reader && this.reader.rows >= most) return this.reader.scratch;
    const limits = { rows: most, keys: most, toolAt, threads };
    const { endBytes: bytes } = planReader(geometry, limits);
    this.closeReader();
    this.expectRoom(bytes);
    const at = space.take(bytes);
    const scratch = planReader(geometry, limits, at);
    writeWords(memory, scratch.words);
    kernels.rope_table(scratch.record, scratch.positions, geometry.ropeTheta);
    this.reader = { rows: most, at, bytes, scratch };
    return scratch;
  }

  /** Gives the buffers back, of which those for a long tool would be in others' way. */
  private closeReader(): void {
    if (this.reader) this.model.space.give(this.reader.at, this.reader.bytes);
    this.reader = null;
  }

  /** A block with its records written, in use, not yet among those kept. */
  private lay(text: string, rows: number): KeptTool {
    const { geometry, memory, space, budgetBytes } = this.model;
    const bytes = keptBlockBytes(geometry, rows);
    // What calls use now is no longer a matter of this budget: sessions' `toolRows` bound it.
    while (this.usedBytes + bytes > budgetBytes && this.forget());
    this.expectRoom(bytes);
    const at = space.take(bytes);
    this.usedBytes += bytes;
    const plan = planBlock(geometry, rows, at);
    writeWords(memory, plan.words);
    return { ...plan, text, known: { rows, vector: null }, at, bytes, uses: 1 };
  }

  private admit(tool: KeptTool, known: Known): void {
    tool.known = known;
    this.known.set(tool.text, known);
    this.blocks.set(tool.text, tool);
  }

  /** Forgets tools where what was given back is enough but lies in pieces, or where memory may not grow. */
  makeRoom(bytes: number): void {
    const { space } = this.model;
    const isScattered = () => space.holesBytes >= bytes + mostScatteredBytes;
    while (!space.hasHole(bytes) && (isScattered() || !space.hasRoom(bytes)) && this.forget());
  }

  private expectRoom(bytes: number): void {
    this.makeRoom(bytes);
    if (this.model.space.hasRoom(bytes)) return;
    const message = `expected room for ${mebibytes(bytes)} more, got none; bring fewer or shorter tools, or allow more memory`;
    throw new CapacityError("memory", bytes, 0, message);
  }

  /** Forgets the least recently used tool that is not in use; false if there is none. */
  private forget(): boolean {
    for (const tool of this.blocks.values()) {
      if (tool.uses) continue;
      this.drop(tool);
      return true;
    }
    return false;
  }

  private drop(tool: KeptTool): void {
    if (this.blocks.get(tool.text) === tool) this.blocks.delete(tool.text);
    this.model.space.give(tool.at, tool.bytes);
    this.usedBytes -= tool.bytes;
  }

  private idsOf(text: string): readonly number[] {
    const ids = this.ids.get(text) ?? [special.tools, ...this.model.tokenizer.tokenize(text)];
    this.ids.set(text, ids);
    return ids;
  }
}
