/** The device's half of a link: it says which session it has, and takes the one that the companion opens. */
import { Channel, type Clock, firstWaitMs, type Limits, type Sending } from "./channel.ts";
import {
  type Frame,
  isIntact,
  kind,
  openingBytes,
  readOpening,
  Scanner,
  tailOf,
  writeFrame,
  writeOpening,
} from "./frame.ts";
import { busVersion } from "./message.ts";
import type { Pipe } from "./pipe.ts";

/** Times, over a minute and a half, that a device says it is here before it waits for its next need. */
const mostCalls = 8;

export interface LinkEvents {
  /** A session begins; messages of the one before are gone. */
  began(): void;
  lost(): void;
  message(bytes: Uint8Array): void;
  overlong(): void;
  delivered(sending: Sending): void;
}

export class DeviceLink {
  private pipe: Pipe | null = null;
  private channel: Channel | null = null;
  /** A session that a companion was offered and has not confirmed. */
  private offered: { companion: number; device: number } | null = null;
  private called = 0;
  private timer: unknown;
  private scanner = new Scanner();

  constructor(
    private readonly limits: Limits,
    private readonly events: LinkEvents,
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  /** Whether a session is open over a pipe. */
  get open(): boolean {
    return this.channel?.open ?? false;
  }

  /** Whether all that was sent has arrived. */
  get idle(): boolean {
    return this.channel?.idle ?? true;
  }

  get heldBytes(): number {
    return this.channel?.heldBytes ?? 0;
  }

  /** Takes a pipe instead of the one before, and says that the device is here. */
  attach(pipe: Pipe): void {
    this.detach();
    this.pipe = pipe;
    this.scanner = new Scanner();
    const gone = () => this.pipe === pipe && this.detach();
    pipe.receive((bytes) => {
      if (this.pipe === pipe) this.scanner.feed(bytes, (frame) => this.take(frame));
    }, gone);
    this.knock();
  }

  /** Asks the companion to open a session. */
  knock(): void {
    this.called = 0;
    this.callOut();
  }

  detach(): void {
    this.pipe = null;
    this.channel?.pause();
    this.clock.clear(this.timer);
  }

  /** Gives up the session. */
  forget(): void {
    const { channel } = this;
    this.channel = null;
    channel?.pause();
    if (channel) this.events.lost();
  }

  /** Throws: Error without a session, CapacityError for what it does not take. */
  send(bytes: Uint8Array, always = false): Sending {
    if (!this.channel) throw new Error("bus: expected a companion, got none so far; connect one");
    return this.channel.send(bytes, always);
  }

  private take(frame: Frame): boolean {
    if (frame.kind !== kind.open) return this.channel?.take(frame) ?? false;
    const asked = readOpening(frame.payload);
    if (!asked || !isIntact(frame, nothing)) return false;
    const { companion, device, versions } = asked;
    const tail = tailOf(companion, device);
    if (versions >> 4 > busVersion || (versions & 15) < busVersion) {
      this.say(0, 0, 0, tail);
      return true;
    }
    const { channel, offered } = this;
    const payload = Math.min(asked.payload, this.limits.payload);
    if (channel && companion === channel.companion && device === channel.device) {
      this.say(companion, device, channel.next, tail);
      this.opened(channel, { ...asked, payload }, asked.next);
    } else if (offered && companion === offered.companion && device === offered.device) {
      this.forget();
      this.offered = null;
      const begun = this.begin(companion, device);
      this.say(companion, device, 0, tail);
      this.opened(begun, { ...asked, payload }, 0);
      this.events.began();
    } else if (companion && !device) {
      if (offered?.companion !== companion) this.offered = { companion, device: nonce(this.random) };
      this.say(companion, this.offered?.device as number, 0, tail);
    } else this.say(channel?.companion ?? 0, channel?.device ?? 0, channel?.next ?? 0, tail);
    return true;
  }

  private begin(companion: number, device: number): Channel {
    const { message, overlong, delivered } = this.events;
    const channel = new Channel(companion, device, this.limits.limit, this.clock, {
      write: (frame) => this.write(frame),
      message,
      overlong,
      delivered,
      stalled: () => this.knock(),
    });
    this.channel = channel;
    return channel;
  }

  private opened(channel: Channel, theirs: Limits, next: number): void {
    this.clock.clear(this.timer);
    channel.resume(theirs, next);
  }

  /** Says that the device is here, until the companion opens the session. */
  private callOut(): void {
    this.clock.clear(this.timer);
    if (!this.pipe || this.called >= mostCalls) return;
    this.say(this.channel?.companion ?? 0, this.channel?.device ?? 0, this.channel?.next ?? 0, tailOf(0, 0));
    this.timer = this.clock.set(() => this.callOut(), firstWaitMs << this.called++);
  }

  private say(companion: number, device: number, next: number, tail: Uint8Array): void {
    const versions = busVersion;
    const opening = writeOpening({ versions, companion, device, next, ...this.limits });
    this.write(writeFrame(kind.here, 0, opening.subarray(0, openingBytes), tail));
  }

  private write(frame: Uint8Array): void {
    give(this.pipe, frame);
  }
}

const nothing = new Uint8Array(0);

/** Half a session's name: 1 … 2^24 − 1. */
export function nonce(random: () => number): number {
  return 1 + Math.floor(random() * 0xffffff);
}

/** Gives a frame to a pipe, or loses it. */
export function give(pipe: Pipe | null, frame: Uint8Array): void {
  try {
    pipe?.send(frame)?.catch(() => {});
  } catch {}
}
