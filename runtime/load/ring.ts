/** A ring of buffers in linear memory that weights pass through: read ahead while the kernels work, the oldest make room. */
import type { Region } from "../engine/memory.ts";
import type { Unit } from "../engine/modelplan.ts";

/** A unit in the ring. */
interface Held {
  unit: Unit;
  at: number;
  /** Settles when its bytes are there; undefined from then on. */
  reading?: Promise<void>;
}

export class Ring {
  /** The oldest first. */
  private held: Held[] = [];
  /** Where the next unit goes. */
  private head: number;
  private turn: Promise<unknown> = Promise.resolve();

  /** `read` brings a unit's bytes to a place in linear memory and points the records to it. */
  constructor(
    private readonly region: Region,
    private readonly read: (unit: Unit, at: number) => Promise<void>,
  ) {
    this.head = region.offsetBytes;
  }

  /**
   * Runs work on a unit as soon as its bytes are there, reading `following` ahead meanwhile. Work is synchronous and
   * sessions take turns, so that nothing moves beneath it.
   * Throws: what `read` and `work` throw, the signal's reason on abort.
   */
  use(unit: Unit, following: readonly Unit[], work: (at: number) => void, signal?: AbortSignal): Promise<void> {
    const done = this.turn.then(async () => {
      signal?.throwIfAborted();
      for (;;) {
        const held = this.find(unit);
        if (held && !held.reading) break;
        await (held?.reading ?? this.bring(unit));
      }
      signal?.throwIfAborted();
      this.ahead(following, unit);
      work((this.find(unit) as Held).at);
    });
    this.turn = done.catch(() => {});
    return done;
  }

  /** Starts reading what comes next, as far as that takes no room from what is read, in use or next itself. */
  ahead(following: readonly Unit[], current?: Unit): void {
    for (const [i, unit] of following.entries()) {
      if (this.find(unit)) continue;
      const inWay = this.inWayOf(unit);
      const needed = [current, ...following.slice(0, i)];
      if (inWay.some((held) => held.reading || needed.includes(held.unit))) return;
      // Whoever asks for the unit meets the error.
      this.start(unit).catch(() => {});
    }
  }

  private find(unit: Unit): Held | undefined {
    return this.held.find((held) => held.unit === unit);
  }

  /** Waits for room, then for the bytes. */
  private async bring(unit: Unit): Promise<void> {
    for (;;) {
      const busy = this.inWayOf(unit).find(({ reading }) => reading);
      if (!busy) break;
      await busy.reading?.catch(() => {});
    }
    await this.start(unit);
  }

  private start(unit: Unit): Promise<void> {
    const at = this.placeOf(unit);
    const inWay = this.inWayOf(unit);
    this.held = this.held.filter((held) => !inWay.includes(held));
    this.head = at + unit.bytes;
    const held: Held = { unit, at };
    this.held.push(held);
    held.reading = this.read(unit, at).then(
      () => {
        held.reading = undefined;
      },
      (error) => {
        this.held = this.held.filter((other) => other !== held);
        throw error;
      },
    );
    return held.reading;
  }

  /** A unit lies in one piece: what does not fit behind the head goes to the start. */
  private placeOf({ bytes }: Unit): number {
    const { offsetBytes, bytes: ringBytes } = this.region;
    return this.head + bytes > offsetBytes + ringBytes ? offsetBytes : this.head;
  }

  private inWayOf(unit: Unit): Held[] {
    const at = this.placeOf(unit);
    return this.held.filter((held) => held.at < at + unit.bytes && at < held.at + held.unit.bytes);
  }
}
