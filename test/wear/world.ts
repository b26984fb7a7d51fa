/** A simulated world for the bus: its own time, and a pipe that loses, repeats, reorders, cuts and breaks. */
import type { Clock } from "../../runtime/wear/channel.ts";
import type { Pipe } from "../../runtime/wear/pipe.ts";

/** Time that passes only when told to. */
export class World implements Clock {
  nowMs = 0;
  private readonly due: { atMs: number; order: number; run: () => void; dead: boolean }[] = [];
  private order = 0;

  /** `settle` waits for what goes on outside of this time. */
  constructor(private readonly settle = settled) {}

  set(run: () => void, ms: number): unknown {
    const event = { atMs: this.nowMs + ms, order: this.order++, run, dead: false };
    let i = this.due.length;
    while (i > 0 && this.due[i - 1].atMs > event.atMs) i--;
    this.due.splice(i, 0, event);
    return event;
  }

  clear(timer: unknown): void {
    if (timer) (timer as { dead: boolean }).dead = true;
  }

  /** Runs what is due, letting promises settle between, until nothing is or time is up. */
  async pass(ms: number, until: () => boolean = () => false): Promise<void> {
    const endMs = this.nowMs + ms;
    while (!until()) {
      await this.settle();
      const event = this.due[0];
      if (!event || event.atMs > endMs) break;
      this.due.shift();
      this.nowMs = event.atMs;
      if (!event.dead) event.run();
    }
    await this.settle();
    if (!until()) this.nowMs = Math.max(this.nowMs, endMs);
  }
}

/** Promises made of promises: some turns of the queue. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await null;
}

export interface Faults {
  lose: number;
  repeat: number;
  reorder: number;
  /** Share of frames whose bits are flipped. */
  flip: number;
  /** The longest piece in one go; frames are cut to it. */
  mtu: number;
  /** Pieces until the pipe breaks. */
  breakAfter: number;
}

/** Two ends of one pipe. */
export function pipeOf(
  world: World,
  random: () => number,
  faults: Faults,
): { ends: [Pipe, Pipe]; breakNow(): void; carried: () => number } {
  const takers: (((bytes: Uint8Array) => void) | null)[] = [null, null];
  const closers: ((reason?: Error) => void)[] = [];
  let carried = 0;
  let broken = false;
  const breakNow = () => {
    if (broken) return;
    broken = true;
    // Each end hears of it in its own time.
    for (const closed of closers) world.set(() => closed(), random() * 200);
  };
  const end = (side: number): Pipe => ({
    mtu: faults.mtu,
    send(bytes) {
      for (let at = 0; at < bytes.length; at += faults.mtu) {
        if (broken || ++carried > faults.breakAfter) return breakNow();
        const piece = bytes.slice(at, at + faults.mtu);
        if (random() < faults.flip) piece[Math.floor(random() * piece.length)] ^= 1 << Math.floor(random() * 8);
        const copies = random() < faults.lose ? 0 : random() < faults.repeat ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) {
          const late = random() < faults.reorder ? random() * 3000 : 0;
          world.set(() => broken || takers[1 - side]?.(piece), 10 + late);
        }
      }
    },
    receive(take, closed) {
      takers[side] = take;
      closers.push(closed);
    },
    close: breakNow,
  });
  return { ends: [end(0), end(1)], breakNow, carried: () => carried };
}
