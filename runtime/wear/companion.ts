/** The companion's end of the bus: sessions of many devices over pipes that come and go, and a model that answers them. */
import type { ToolSet } from "../tools/tools.ts";
import { type Clock, firstWaitMs, hostClock, type Limits } from "./channel.ts";
import { give, nonce } from "./devicelink.ts";
import {
  type Frame,
  frameBytes,
  isIntact,
  kind,
  mostPayload,
  openingBytes,
  readOpening,
  Scanner,
  tailOf,
  writeFrame,
  writeOpening,
} from "./frame.ts";
import { busVersion } from "./message.ts";
import type { Pipe } from "./pipe.ts";
import { type CompanionOptions, type Owner, Wearable } from "./wearable.ts";

const mostSessions = 32;
const mostToolSets = 64;
const mostLogged = 256;
const mostPieceBytes = 1 << 16;
const mostAskMs = 30_000;
const limits: Limits = { payload: mostPayload, window: 8, limit: 1 << 16 };

export class Companion implements Owner {
  /** Devices whose sessions are held, also while they are out of reach. */
  readonly devices = new Set<Wearable>();
  private readonly sets = new Map<string, ToolSet>();
  private readonly logged = new Set<string>();
  readonly clock: Clock;
  readonly random: () => number;

  constructor(readonly options: CompanionOptions = {}) {
    this.clock = options.clock ?? hostClock;
    this.random = options.random ?? Math.random;
  }

  /** Serves the device at the other end of a pipe, until the pipe closes or this closes it. */
  connect(pipe: Pipe): { close(): void } {
    return new Connection(this, pipe);
  }

  /** The session of a name, if it is held. */
  find(companion: number, device: number): Wearable | null {
    for (const held of this.devices)
      if (held.channel.companion === companion && held.channel.device === device) return held;
    return null;
  }

  /** Whether another session can be held: those in reach stay, or all would push each other out for ever. */
  get hasRoom(): boolean {
    return this.devices.size < mostSessions || [...this.devices].some(({ open }) => !open);
  }

  begin(companion: number, device: number): Wearable {
    if (this.devices.size >= mostSessions) {
      const idle = [...this.devices].find(({ open }) => !open);
      if (idle) this.lose(idle, "too many devices");
    }
    const wearable = new Wearable(this, companion, device, limits.limit);
    this.devices.add(wearable);
    return wearable;
  }

  lose(wearable: Wearable, reason: string): void {
    if (!this.devices.delete(wearable)) return;
    wearable.end(reason);
  }

  toolsOf(hash: string): ToolSet | undefined {
    return this.sets.get(hash);
  }

  /** Keeps a tool set by its hash, so that no device need send it again. */
  keep(hash: string, set: ToolSet): void {
    if (this.sets.size >= mostToolSets) this.sets.delete(this.sets.keys().next().value as string);
    this.sets.set(hash, set);
  }

  /** Says a thing once. */
  log(line: string): void {
    if (this.logged.has(line) || this.logged.size >= mostLogged) return;
    this.logged.add(line);
    this.options.log?.(line);
  }
}

/**
 * Serves the one device at the other end of a pipe; resolves once its tools are known. For several, or for one that
 * comes back on another pipe, keep a Companion.
 * Throws: the reason with which the pipe closed before that, or an Error.
 */
export function connect(pipe: Pipe, options: CompanionOptions = {}): Promise<Wearable> {
  return new Promise((resolve, reject) => {
    const onDevice = (device: Wearable) => {
      options.onDevice?.(device);
      resolve(device);
    };
    new Companion({ ...options, onDevice }).connect({
      get mtu() {
        return pipe.mtu ?? 20;
      },
      send: (bytes) => pipe.send(bytes),
      receive: (take, closed) =>
        pipe.receive(take, (reason) => {
          closed(reason);
          reject(reason ?? new Error("connect: expected a device, got a pipe that closed before its tools were known"));
        }),
      close: () => pipe.close?.(),
    });
  });
}

/** A pipe, and the session that it carries. */
class Connection {
  private wearable: Wearable | null = null;
  /** The session that this end asks for; 0, 0: which one is there? */
  private asked = { companion: 0, device: 0 };
  private isAsking = false;
  private waitMs = firstWaitMs;
  private timer: unknown;
  private isOver = false;
  private readonly scanner = new Scanner();

  constructor(
    private readonly owner: Companion,
    private readonly pipe: Pipe,
  ) {
    pipe.receive(
      (bytes) => this.hear(bytes),
      () => this.over(),
    );
    this.ask();
  }

  close(): void {
    this.over();
    this.pipe.close?.();
  }

  /** Asks for a session until it is answered. */
  ask(): void {
    this.waitMs = firstWaitMs;
    this.isAsking = true;
    this.askNow();
  }

  write(frame: Uint8Array): void {
    if (!this.isOver) give(this.pipe, frame);
  }

  private askNow(): void {
    this.owner.clock.clear(this.timer);
    if (this.isOver || !this.isAsking) return;
    const { companion, device } = this.asked;
    const versions = 16 * busVersion + busVersion;
    const payload = Math.max(openingBytes, Math.min(mostPayload, (this.pipe.mtu ?? 20) - frameBytes));
    const next = this.wearable?.channel.next ?? 0;
    const opening = writeOpening({ ...limits, versions, companion, device, next, payload });
    // The timer first: a pipe may answer while it is given the frame.
    this.timer = this.owner.clock.set(() => this.askNow(), this.waitMs);
    this.waitMs = Math.min(2 * this.waitMs, mostAskMs);
    this.write(writeFrame(kind.open, 0, opening, nothing));
  }

  private askFor(companion: number, device: number): void {
    this.asked = { companion, device };
    this.ask();
  }

  private hear(bytes: Uint8Array): void {
    if (this.isOver) return;
    if (bytes.length <= mostPieceBytes) this.scanner.feed(bytes, (frame) => this.take(frame));
    else this.owner.log(`pipe: expected at most ${mostPieceBytes} bytes at once, got ${bytes.length}; dropped`);
  }

  private take(frame: Frame): boolean {
    if (frame.kind !== kind.here) return this.wearable?.channel.take(frame) ?? false;
    const { companion, device } = this.asked;
    const isAnswer = isIntact(frame, tailOf(companion, device));
    if (!isAnswer && !isIntact(frame, tailOf(0, 0))) return false;
    const here = readOpening(frame.payload);
    if (!here) return true;
    if (here.versions !== busVersion) {
      this.owner.log(`device: expected bus version ${busVersion}, got ${here.versions}; update the older of the two`);
      this.isAsking = false;
      return true;
    }
    if (!isAnswer) this.ask();
    else if (this.isAsking) this.answered(here);
    else if (!companion) this.ask();
    return true;
  }

  private answered(here: Limits & { companion: number; device: number; next: number }): void {
    const { companion, device } = this.asked;
    const isIt = here.companion === companion;
    if (!companion) {
      const held = this.owner.find(here.companion, here.device);
      if (held) {
        this.bind(held);
        this.askFor(here.companion, here.device);
      } else this.renew();
    } else if (!device) {
      if (!isIt || !here.device) return;
      // It is asked again, ever less often, until another one is gone.
      if (this.owner.hasRoom) this.askFor(companion, here.device);
      else this.owner.log(`device: expected at most ${mostSessions} at once, got more; it waits`);
    } else if (isIt && here.device === device) {
      // Others may have come first.
      if (!this.wearable && !this.owner.hasRoom) {
        this.renew();
        return;
      }
      this.isAsking = false;
      this.owner.clock.clear(this.timer);
      const wearable = this.wearable ?? this.owner.begin(companion, device);
      if (!this.wearable) this.bind(wearable);
      const payload = Math.min(here.payload, Math.max(openingBytes, (this.pipe.mtu ?? 20) - frameBytes));
      wearable.resume({ ...here, payload }, here.next);
    } else {
      const { wearable } = this;
      this.wearable = null;
      if (wearable) this.owner.lose(wearable, "the device has begun anew");
      this.renew();
    }
  }

  private renew(): void {
    this.askFor(nonce(this.owner.random), 0);
  }

  private bind(wearable: Wearable): void {
    this.wearable = wearable;
    wearable.carriedBy({
      write: (frame) => this.write(frame),
      stalled: () => this.ask(),
      moved: () => {
        this.wearable = null;
        this.close();
      },
      ended: () => {
        if (this.wearable !== wearable) return;
        this.wearable = null;
        this.askFor(0, 0);
      },
    });
  }

  private over(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.owner.clock.clear(this.timer);
    const { wearable } = this;
    this.wearable = null;
    wearable?.outOfReach();
  }
}

const nothing = new Uint8Array(0);
