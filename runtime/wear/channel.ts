/** Messages of one session, in order and once each, over a pipe that may lose, repeat, reorder, and come and go. */
import { CapacityError } from "../errors.ts";
import { type Frame, isIntact, joined, kind, tailOf, writeFrame } from "./frame.ts";

/** Where time comes from; tests bring their own. */
export interface Clock {
  set(run: () => void, ms: number): unknown;
  clear(timer: unknown): void;
}

export const hostClock: Clock = {
  set: (run, ms) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

export const firstWaitMs = 500;
export const mostWaitMs = 8000;
/** Sendings of the same frames, 24 s in all, before the other end counts as gone. */
const mostTries = 6;
const numbers = 1 << 24;

/** A message on its way. */
export interface Sending {
  /** A frame of it was given to a pipe. */
  begun: boolean;
  /** The other end has all of it. */
  delivered: boolean;
}

export interface Limits {
  payload: number;
  window: number;
  limit: number;
}

export interface ChannelEvents {
  write(frame: Uint8Array): void;
  message(bytes: Uint8Array): void;
  /** A message was longer than this end takes, and is gone. */
  overlong(): void;
  delivered(sending: Sending): void;
  /** Nothing was acknowledged for long: open the session again. */
  stalled(): void;
}

/** Messages that wait for the window. */
export const mostWaiting = 32;

export class Channel {
  private isOpen = false;
  /** What the other end takes. */
  private theirs: Limits = { payload: 13, window: 1, limit: 256 };

  /** Sent, from number `base` on, and not acknowledged; a number's payload never changes. */
  private readonly flying: { kind: number; payload: Uint8Array; sending: Sending }[] = [];
  private base = 0;
  private readonly waiting: { bytes: Uint8Array; at: number; sending: Sending }[] = [];
  private tries = 0;
  private timer: unknown;

  /** The number expected next. */
  next = 0;
  private pieces: Uint8Array[] = [];
  private piecesBytes = 0;

  constructor(
    readonly companion: number,
    readonly device: number,
    private readonly mostBytes: number,
    private readonly clock: Clock,
    private readonly events: ChannelEvents,
  ) {}

  get open(): boolean {
    return this.isOpen;
  }

  get idle(): boolean {
    return !this.flying.length && !this.waiting.length;
  }

  /** Bytes that this end holds for the session; bounded by its limits. */
  get heldBytes(): number {
    const held = [this.pieces, this.flying.map(({ payload }) => payload), this.waiting.map(({ bytes }) => bytes)];
    return held.flat().reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Throws: CapacityError if the other end takes no message so long, or too many wait; `always` queues it then too, for
   * answers whose number something else bounds.
   */
  send(bytes: Uint8Array, always = false): Sending {
    const { limit } = this.theirs;
    if (bytes.length > limit) {
      throw new CapacityError("message", bytes.length, limit, `expected at most ${limit} bytes, got ${bytes.length}`);
    }
    if (this.waiting.length >= mostWaiting && !always) {
      const remedy = "wait until some are delivered";
      throw new CapacityError(
        "bus",
        mostWaiting + 1,
        mostWaiting,
        `expected at most ${mostWaiting} messages at once; ${remedy}`,
      );
    }
    const sending = { begun: false, delivered: false };
    this.waiting.push({ bytes, at: 0, sending });
    this.pump();
    return sending;
  }

  /** Goes on where the other end stands. */
  resume(theirs: Limits, next: number): void {
    this.theirs = theirs;
    this.isOpen = true;
    this.tries = 0;
    this.drop(next);
    this.repeat();
    this.pump();
    this.arm();
  }

  /** Stops sending until `resume`. */
  pause(): void {
    this.isOpen = false;
    this.clock.clear(this.timer);
  }

  /** Takes a part, end or ack of this session. False: it is none. */
  take(frame: Frame): boolean {
    if (frame.kind === kind.ack) {
      const n = this.base + signed(frame.low - this.base);
      if (!isIntact(frame, this.tail(n))) return false;
      if (this.isOpen && this.drop(n)) {
        this.tries = 0;
        this.pump();
        this.arm();
      }
      return true;
    }
    if (frame.kind > kind.end) return false;
    const ahead = signed(frame.low - this.next);
    if (!isIntact(frame, this.tail(this.next + ahead))) return false;
    if (!this.isOpen) return true;
    if (ahead === 0) this.receive(frame);
    if (this.isOpen) this.events.write(writeFrame(kind.ack, this.next, empty, this.tail(this.next)));
    return true;
  }

  private receive({ kind: found, payload }: Frame): void {
    this.next = (this.next + 1) % numbers;
    this.piecesBytes += payload.length;
    const fits = this.piecesBytes <= this.mostBytes;
    if (fits) this.pieces.push(payload);
    else this.pieces = [];
    if (found !== kind.end) return;
    const message = joined(...this.pieces);
    this.pieces = [];
    this.piecesBytes = 0;
    if (fits) this.events.message(message);
    else this.events.overlong();
  }

  /** Forgets frames before number n. False: n acknowledges none. */
  private drop(n: number): boolean {
    const count = (n - this.base + numbers) % numbers;
    if (count < 1 || count > this.flying.length) return false;
    this.base = n % numbers;
    for (const { kind: sent, sending } of this.flying.splice(0, count)) {
      if (sent !== kind.end) continue;
      sending.delivered = true;
      this.events.delivered(sending);
    }
    return true;
  }

  private pump(): void {
    const { payload, window } = this.theirs;
    const wasIdle = !this.flying.length;
    while (this.isOpen && this.waiting.length && this.flying.length < window) {
      const message = this.waiting[0];
      const { bytes, at, sending } = message;
      message.at = Math.min(at + payload, bytes.length);
      const isLast = message.at === bytes.length;
      if (isLast) this.waiting.shift();
      this.flying.push({ kind: isLast ? kind.end : kind.part, payload: bytes.subarray(at, message.at), sending });
      sending.begun = true;
      this.events.write(this.frame(this.flying.length - 1));
    }
    if (wasIdle) this.arm();
  }

  private frame(i: number): Uint8Array {
    const { kind: sent, payload } = this.flying[i];
    const n = (this.base + i) % numbers;
    return writeFrame(sent, n, payload, this.tail(n));
  }

  private arm(): void {
    this.clock.clear(this.timer);
    if (!this.isOpen || !this.flying.length) return;
    this.timer = this.clock.set(() => this.again(), Math.min(firstWaitMs << this.tries, mostWaitMs));
  }

  private again(): void {
    if (++this.tries >= mostTries) {
      this.pause();
      this.events.stalled();
      return;
    }
    this.repeat();
    this.arm();
  }

  /** Sends what is not acknowledged anew. All is written first: a pipe may answer while it is given the first frame. */
  private repeat(): void {
    for (const frame of this.flying.map((_, i) => this.frame(i))) this.events.write(frame);
  }

  private tail(n: number): Uint8Array {
    return tailOf(this.companion, this.device, (n + numbers) % numbers);
  }
}

const empty = new Uint8Array(0);

/** A difference of low bytes, −128 … 127. */
function signed(difference: number): number {
  return ((difference + 128) & 255) - 128;
}
