/** A model's weights: those in linear memory or on their way there, and those that pass through a ring. */

import { nowMs } from "../clock.ts";
import type { Walk } from "../engine/host.ts";
import { writeWords } from "../engine/memory.ts";
import { type ModelPlan, pointersAt, type Unit } from "../engine/modelplan.ts";
import { checkSection, type PackHeader, packVersion } from "../pack/pack.ts";
import { renewSection } from "../pack/renew.ts";
import { Xxh32, xxh32 } from "../pack/xxh32.ts";
import type { SumOf } from "./checksum.ts";
import type { StreamOptions } from "./loader.ts";
import { Ring } from "./ring.ts";
import type { RandomAccess } from "./source.ts";

/** A quarter of a page's frame. Asking after every decoder layer would cost a browser as much as small layers do. */
const mostBusyMs = 4;

export class Weights {
  private readonly units: Map<string, Unit>;
  /** Of units that have not arrived; those for the ring have when their checksum can be told. */
  private readonly waiting: Map<string, ReturnType<typeof settling>>;
  private readonly checksums: Map<string, number>;
  /** Units for the ring that have been read and were right. */
  private readonly seen = new Set<string>();
  private readonly ring: Ring | null;
  /** When other events last had their turn. */
  private yieldedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly plan: ModelPlan,
    private readonly header: PackHeader,
    /** Null if every unit has its place. */
    private readonly source: RandomAccess | null,
    private readonly sum: SumOf,
  ) {
    this.units = new Map(plan.units.map((unit) => [unit.name, unit]));
    this.checksums = new Map(header.sections.map(({ name, checksum }) => [name, checksum]));
    const isComing = ({ at, name }: Unit) => at !== null || !this.checksums.has(name);
    this.waiting = new Map(plan.units.filter(isComing).map(({ name }) => [name, settling()]));
    this.ring = plan.ring && new Ring(plan.ring, (unit, at) => this.land(unit, at));
  }

  hasArrived(name: string): boolean {
    return !this.waiting.has(name);
  }

  arrive(name: string): void {
    this.waiting.get(name)?.resolve();
    this.waiting.delete(name);
  }

  /** Tells whoever waits. */
  fail(error: unknown): void {
    for (const { reject } of this.waiting.values()) reject(error);
  }

  close(): void {
    this.source?.close();
  }

  /** With a signal, other events come in between units now and then, so that it can be given. */
  async walk(names: readonly string[], work: Parameters<Walk>[1], signal?: AbortSignal): Promise<void> {
    const units = names.map((name) => this.units.get(name) as Unit);
    for (const [i, unit] of units.entries()) {
      if (signal && nowMs() - this.yieldedMs > mostBusyMs) {
        await otherEvents();
        this.yieldedMs = nowMs();
      }
      const arriving = this.waiting.get(unit.name);
      if (arriving) await arriving.promise;
      signal?.throwIfAborted();
      const following = this.ring ? units.slice(i + 1).filter(({ at }) => at === null) : [];
      if (unit.at === null) await (this.ring as Ring).use(unit, following, (at) => work(at, i), signal);
      else {
        this.ring?.ahead(following);
        work(unit.at, i);
      }
    }
  }

  /**
   * Reads what stays in memory, and once the parts of the embedding, whose checksum covers them all.
   * Throws: FormatError naming the section, what the source throws, the signal's reason on abort.
   */
  fill({ onProgress, signal }: StreamOptions): Promise<void> {
    const filled = this.readAll(onProgress, signal);
    return signal ? unlessAborted(filled, signal) : filled;
  }

  private async readAll(onProgress: StreamOptions["onProgress"], signal?: AbortSignal): Promise<void> {
    const coming = this.plan.units.filter(({ name }) => this.waiting.has(name));
    const startBytes = this.header.sections[0].offsetBytes;
    const totalBytes = coming.reduce((sum, { bytes }) => sum + bytes, startBytes);
    let loadedBytes = startBytes;
    const embedding = new Xxh32();
    const parts = this.plan.table.map(({ unit }) => unit);
    for (const unit of coming) {
      const isPart = parts.includes(unit.name);
      const take = (at: number) => {
        const bytes = new Uint8Array(this.memory.buffer, at, unit.bytes);
        if (!isPart) return this.arrive(unit.name);
        embedding.add(bytes);
        this.checksums.set(unit.name, this.sum(at, unit.bytes));
        if (unit.name !== parts.at(-1)) return;
        checkSection(this.header.sections[0], embedding.sum());
        for (const part of parts) this.arrive(part);
      };
      if (unit.at === null) await (this.ring as Ring).use(unit, [], take, signal);
      else {
        await this.land(unit, unit.at);
        take(unit.at);
      }
      signal?.throwIfAborted();
      loadedBytes += unit.bytes;
      onProgress?.({ loadedBytes, totalBytes });
    }
  }

  /** Reads a unit to its place, checks it at first sight, or always where the source may give other bytes next time. */
  private async land(unit: Unit, at: number): Promise<void> {
    const { source, header, memory, checksums, seen } = this;
    const section = header.sections.find(({ name }) => name === unit.name);
    const offsetBytes = section?.offsetBytes ?? header.sections[0].offsetBytes + unit.offsetBytes;
    const older = section && header.version !== packVersion ? new Uint8Array(section.bytes) : null;
    await source?.read(offsetBytes, older ?? new Uint8Array(memory.buffer, at, unit.bytes));
    const checksum = checksums.get(unit.name);
    if (checksum !== undefined && !(source?.steady && seen.has(unit.name))) {
      const sum = older ? xxh32(older) : this.sum(at, unit.bytes);
      checkSection({ name: unit.name, offsetBytes, checksum }, sum);
      seen.add(unit.name);
    }
    if (older) new Uint8Array(memory.buffer).set(renewSection(header, unit.name, older), at);
    writeWords(memory, pointersAt(unit.pointers, at));
  }
}

/** A promise and the means to settle it. A rejection that nobody waits for is no error: the loader reports it. */
function settling(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let [resolve, reject]: [() => void, (error: unknown) => void] = [() => {}, () => {}];
  const promise = new Promise<void>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/** Resolves after events that wait already. A timer of 0 would cost a browser 4 ms. */
function otherEvents(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** The work's result, or the signal's reason as soon as it is given; work that goes on by itself must end in time. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
