/**
 * One plan of linear memory, made before the first token: nothing is allocated while a call runs.
 *
 *   0        64 bytes that nothing points to, so that pointer 0 can mean "none"
 *   64       records of the model: blocks, contrastive head (wasm/abi.ts)
 *   ...      the weights, section after section as in the file; where room is short, those that stay
 *   ...      and a ring that the others pass through (ring.ts)
 *   ...      one arena a session: record, working buffers, RoPE table, KV caches; and blocks of kept tools (kept/)
 *
 * Every size follows from the geometry and from limits: modelplan.ts, sessionplan.ts, kept/block.ts.
 */
import { pad } from "../../wasm/abi.ts";
import { CapacityError } from "../errors.ts";

export const pageBytes = 65536;

/** The kernels compare pointers as signed numbers. */
export const mostMemoryBytes = 2 ** 31;

export interface Region {
  name: string;
  offsetBytes: number;
  bytes: number;
}

/** Hands out regions of linear memory, each at a multiple of 64. */
export class Planner {
  readonly regions: Region[] = [];
  readonly words: [number, number][] = [];
  constructor(public endBytes: number) {}

  region(name: string, bytes: number): number {
    const offsetBytes = pad(this.endBytes, 64);
    this.regions.push({ name, offsetBytes, bytes });
    this.endBytes = offsetBytes + bytes;
    return offsetBytes;
  }

  /** A record whose fields get their values later, from `set`. */
  record<F extends string>(name: string, fields: readonly F[], values: Partial<Record<F, number>>): number {
    const at = this.region(name, fields.length * 4);
    this.set(at, fields, values);
    return at;
  }

  set<F extends string>(record: number, fields: readonly F[], values: Partial<Record<F, number>>): void {
    for (const [field, value] of Object.entries(values))
      this.words.push([record + 4 * fields.indexOf(field as F), value as number]);
  }
}

/**
 * Linear memory past the model, lent out in pieces: sessions' arenas, blocks of kept tools. A piece is taken where one
 * was given back, if one there is large enough; else memory grows.
 */
export class Space {
  /** Given back and not taken again: in order, none beside another. */
  private readonly holes: { at: number; bytes: number }[] = [];

  constructor(
    private readonly memory: WebAssembly.Memory,
    /** Up to where pieces have reached. */
    private endBytes: number,
    private readonly mostBytes: number,
  ) {
    this.endBytes = pad(endBytes, 64);
  }

  /** What was given back and not taken again. */
  get regions(): Region[] {
    return this.holes.map(({ at, bytes }) => ({ name: "free", offsetBytes: at, bytes }));
  }

  /** Bytes of those. */
  get holesBytes(): number {
    return this.holes.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether a piece of so many bytes can be had without growing. */
  hasHole(bytes: number): boolean {
    return this.holes.some((hole) => hole.bytes >= pad(bytes, 64));
  }

  /** Whether a piece can be had at all, growing if need be. */
  hasRoom(bytes: number): boolean {
    const last = this.holes.at(-1);
    const start = last && last.at + last.bytes === this.endBytes ? last.at : this.endBytes;
    return this.hasHole(bytes) || start + bytes <= this.mostBytes;
  }

  /** A piece of zeros, at a multiple of 64. Throws: CapacityError if there is no room for it. */
  take(bytes: number): number {
    const wanted = pad(bytes, 64);
    const fitting = this.holes.filter((hole) => hole.bytes >= wanted).sort((a, b) => a.bytes - b.bytes)[0];
    // The last hole may reach to the end: then only what it lacks is new.
    const last = this.holes.at(-1);
    const hole = fitting ?? (last && last.at + last.bytes === this.endBytes ? last : undefined);
    const at = hole?.at ?? this.endBytes;
    reserve(this.memory, at + wanted, this.mostBytes);
    if (hole) {
      const left = { at: at + wanted, bytes: hole.bytes - wanted };
      this.holes.splice(this.holes.indexOf(hole), 1, ...(left.bytes > 0 ? [left] : []));
    }
    // What was there before might read as scales that are no numbers. What nobody had is zero, and no page of it is touched.
    new Uint8Array(this.memory.buffer, at, Math.min(wanted, this.endBytes - at)).fill(0);
    this.endBytes = Math.max(this.endBytes, at + wanted);
    return at;
  }

  /** Gives a piece back, of the bytes that were asked for. */
  give(at: number, bytes: number): void {
    const place = this.holes.findIndex((hole) => hole.at > at);
    this.holes.splice(place < 0 ? this.holes.length : place, 0, { at, bytes: pad(bytes, 64) });
    for (let i = this.holes.length - 1; i > 0; i--) {
      const [before, after] = [this.holes[i - 1], this.holes[i]];
      if (before.at + before.bytes < after.at) continue;
      before.bytes += after.bytes;
      this.holes.splice(i, 1);
    }
  }
}

/** Stores a plan's records. */
export function writeWords(memory: WebAssembly.Memory, words: readonly [number, number][]): void {
  const view = new DataView(memory.buffer);
  for (const [offsetBytes, value] of words) view.setUint32(offsetBytes, value, true);
}

/**
 * Makes a memory of at least `bytes`, or grows one to it. A new one is `shared` if the host grants that.
 * Throws: CapacityError if it passes `maxBytes` or the host refuses.
 */
export function reserve(
  memory: WebAssembly.Memory | null,
  bytes: number,
  maxBytes: number,
  shared = false,
): WebAssembly.Memory {
  const refuse = (available: number, why: string): never => {
    const remedy = "use a smaller model or fewer prompt and answer tokens";
    throw new CapacityError(
      "memory",
      bytes,
      available,
      `expected room for ${mebibytes(bytes)}, got ${why} ${mebibytes(available)}; ${remedy}`,
    );
  };
  if (bytes > Math.min(maxBytes, mostMemoryBytes)) refuse(Math.min(maxBytes, mostMemoryBytes), "a limit of");
  const pages = Math.ceil(bytes / pageBytes);
  try {
    if (!memory) return newMemory({ initial: pages, maximum: mostMemoryBytes / pageBytes }, shared);
    const missing = pages - memory.buffer.byteLength / pageBytes;
    if (missing > 0) memory.grow(missing);
    return memory;
  } catch {
    return refuse(memory?.buffer.byteLength ?? 0, "from the host only");
  }
}

function newMemory(limits: WebAssembly.MemoryDescriptor, shared: boolean): WebAssembly.Memory {
  try {
    if (shared) return new WebAssembly.Memory({ ...limits, shared });
  } catch {
    // A host may refuse to set the whole address space aside, as sharing needs.
  }
  return new WebAssembly.Memory(limits);
}

export function count<T>(n: number, each: (i: number) => T): T[] {
  return Array.from({ length: n }, (_, i) => each(i));
}

export function mebibytes(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
