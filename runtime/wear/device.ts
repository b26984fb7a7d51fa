/** The bus's end on a device, in TypeScript: for simulated devices, and for glasses whose code runs in a page. */
import { CapacityError, ToolError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { ToolSet } from "../tools/tools.ts";
import { hashTools } from "../wire/hash.ts";
import type { Plain } from "../wire/plain.ts";
import { packTools } from "../wire/wire.ts";
import { unpackCall, type WireCall } from "../wire/wirecall.ts";
import { type Clock, hostClock, type Limits, type Sending } from "./channel.ts";
import { DeviceLink } from "./devicelink.ts";
import { firstOutside } from "./fits.ts";
import { busVersion, confirming, type Ending, endings, MessageReader, says, writeMessage } from "./message.ts";

/** What became of a call, as the device tells its wearer. */
export interface CallReport {
  call: number;
  /** Without arguments where they could not be read. */
  name: string;
  arguments: Record<string, Json>;
  ending: Ending;
  /** A value, or the reason of another ending. */
  value: Plain;
  /** The companion knows. */
  heard: boolean;
}

export interface DeviceOptions {
  name: string;
  tools: ToolSet;
  /** By a tool's name. Gives what the wearer is told, or throws. */
  run: Record<string, (args: Record<string, Json>) => unknown>;
  /** Asks the wearer; the signal: nobody wants to know any more. Without it, calls to be confirmed are declined. */
  confirm?(call: WireCall, signal: AbortSignal): Promise<boolean>;
  /** Asks the wearer to choose; gives the option's place, or null. */
  choose?(text: string, options: string[], signal: AbortSignal): Promise<number | null>;
  /** Once for every call. */
  onReport?(report: CallReport): void;
  /** The companion's answer to a request: the calls it sent, its decision or what was wrong. */
  onDone?(request: number, calls: number, decision: string): void;
  onError?(code: string, text: string): void;
  clock?: Clock;
  random?: () => number;
  limits?: Limits;
}

/** As a watch has them; WEARABLES: the buffer for what arrives holds 1,024 bytes. */
const watchLimits: Limits = { payload: 121, window: 4, limit: 2048 };
const mostCalls = 4;

interface Running {
  report: CallReport;
  /** While the wearer is asked. */
  asking: AbortController | null;
  sending: Sending | null;
}

export class Device {
  readonly link: DeviceLink;
  private readonly set: Uint8Array;
  private readonly calls = new Map<number, Running>();
  private readonly questions = new Map<number, AbortController>();
  private lastCall = 0;
  private requests = 0;

  constructor(private readonly options: DeviceOptions) {
    this.set = packTools(options.tools);
    const events = {
      began: () => this.hello(),
      lost: () => this.lose(),
      message: (bytes: Uint8Array) => this.hear(bytes),
      overlong: () => this.complain(null, "message", `expected at most ${this.limits.limit} bytes, got more`),
      delivered: (sending: Sending) => this.settle(sending),
    };
    this.link = new DeviceLink(this.limits, events, options.clock ?? hostClock, options.random ?? Math.random);
  }

  private get limits(): Limits {
    return this.options.limits ?? watchLimits;
  }

  /** Sends a request to the companion; gives its number. Throws: Error without one. */
  request(text: string): number {
    if (!this.link.open) this.link.knock();
    this.link.send(writeMessage(says.request, ++this.requests, text));
    return this.requests;
  }

  cancel(request: number): void {
    this.link.send(writeMessage(says.cancel, request));
  }

  /** Tells facts that values may be taken from; null: no more. */
  tell(facts: Record<string, string | number | null>): void {
    this.link.send(writeMessage(says.state, ...Object.entries(facts).flat()));
  }

  private hello(): void {
    const { name } = this.options;
    this.link.send(writeMessage(says.hello, busVersion, name, hashTools(this.set), mostCalls));
  }

  /** The session is gone: nobody will hear of what is under way. */
  private lose(): void {
    this.lastCall = 0;
    for (const question of this.questions.values()) question.abort();
    this.questions.clear();
    for (const [id, running] of this.calls) {
      running.asking?.abort();
      if (running.sending) this.report(id, running, false);
    }
    this.calls.clear();
  }

  private hear(bytes: Uint8Array): void {
    try {
      this.understand(new MessageReader(bytes));
    } catch (error) {
      this.complain(null, "message", (error as Error).message);
    }
  }

  /** Messages of other kinds are skipped: a newer companion may have more to say. */
  private understand(message: MessageReader): void {
    switch (message.kind) {
      case says.hello:
        message.number("hello.version");
        message.text("hello.name", 64);
        if (message.value("hello.known") === false) this.link.send(writeMessage(says.tools, this.set));
        break;
      case says.call:
        this.called(message);
        break;
      case says.ask:
        this.asked(message);
        break;
      case says.cancel: {
        const id = message.number("cancel");
        this.calls.get(id)?.asking?.abort();
        this.questions.get(id)?.abort();
        break;
      }
      case says.done: {
        const request = message.number("done.request");
        this.options.onDone?.(request, message.number("done.calls"), message.text("done.decision", 16));
        break;
      }
      case says.error:
        message.value("error.about");
        this.options.onError?.(message.text("error.code", 32), message.text("error.text", 400));
    }
  }

  private called(message: MessageReader): void {
    const id = message.number("call");
    message.value("call.request");
    const who = message.number("call.confirm", confirming.given);
    if (id <= this.lastCall) return;
    this.lastCall = id;
    const report: CallReport = { call: id, name: "", arguments: {}, ending: "refused", value: null, heard: false };
    const running: Running = { report, asking: null, sending: null };
    const isBusy = [...this.calls.values()].filter(({ sending }) => !sending).length >= mostCalls;
    this.calls.set(id, running);
    try {
      if (isBusy) throw new Error("busy");
      const call = unpackCall(this.options.tools, message.bytesOf("call"));
      Object.assign(report, call);
      if (this.mayRun(call, who)) void this.run(running, call);
      else void this.confirm(running, call);
    } catch (error) {
      this.end(running, "refused", (error as Error).message);
    }
  }

  /** Whether a call needs no further word. Throws: ToolError for one that must not run at all. */
  private mayRun({ name, arguments: given }: WireCall, who: number): boolean {
    const tool = this.options.tools.tools.find((known) => known.name === name);
    if (!tool || !Object.hasOwn(this.options.run, name)) {
      throw new ToolError("call.name", `expected a tool that this device runs, got ${name}`);
    }
    const wrong = firstOutside(tool.parameters, given);
    if (wrong !== null)
      throw new ToolError(`call.arguments.${wrong}`, "expected a value within its limits, got another");
    if (who === confirming.ask || tool.risk === "danger") return false;
    return tool.risk === "safe" || who === confirming.given;
  }

  private async confirm(running: Running, call: WireCall): Promise<void> {
    const asking = new AbortController();
    running.asking = asking;
    let yes = false;
    try {
      yes = await unlessAborted(this.options.confirm?.(call, asking.signal) ?? false, asking.signal);
    } catch {}
    running.asking = null;
    if (yes && !asking.signal.aborted) await this.run(running, call);
    else this.end(running, "refused", asking.signal.aborted ? "cancelled" : "declined");
  }

  private async run(running: Running, call: WireCall): Promise<void> {
    try {
      const value = await this.options.run[call.name](call.arguments);
      this.end(running, "done", plain(value));
    } catch (error) {
      this.end(running, "failed", String((error as Error)?.message ?? error));
    }
  }

  /** Tells the companion how a call ended, or, where it is gone, only the wearer. */
  private end(running: Running, ending: Ending, value: Plain): void {
    const { report } = running;
    Object.assign(report, { ending, value });
    if (this.calls.get(report.call) !== running) {
      this.report(report.call, running, false);
      return;
    }
    const said = (what: Plain) => writeMessage(says.result, report.call, endings.indexOf(ending), what);
    try {
      running.sending = this.link.send(said(value), true);
    } catch (error) {
      if (!(error instanceof CapacityError)) throw error;
      running.sending = this.link.send(said(null), true);
    }
  }

  private settle(sending: Sending): void {
    for (const [id, running] of this.calls) if (running.sending === sending) this.report(id, running, true);
  }

  private report(id: number, running: Running, heard: boolean): void {
    if (this.calls.get(id) === running) this.calls.delete(id);
    running.report.heard = heard;
    this.options.onReport?.(running.report);
  }

  private asked(message: MessageReader): void {
    const id = message.number("ask");
    const text = message.text("ask.text", 400);
    const options = message.rest("ask.options").map(String);
    if (this.questions.size >= mostCalls) this.link.send(writeMessage(says.answer, id, null), true);
    else void this.choose(id, text, options);
  }

  private async choose(id: number, text: string, options: string[]): Promise<void> {
    const asking = new AbortController();
    this.questions.set(id, asking);
    let place: number | null = null;
    try {
      place = await unlessAborted(this.options.choose?.(text, options, asking.signal) ?? null, asking.signal);
    } catch {}
    if (this.questions.get(id) !== asking) return;
    this.questions.delete(id);
    this.link.send(writeMessage(says.answer, id, place), true);
  }

  private complain(about: number | null, code: string, text: string): void {
    try {
      this.link.send(writeMessage(says.error, about, code, text.slice(0, 200)));
    } catch {}
  }
}

/** What a tool gave, as the bus carries it: plain values as they are, all else as JSON text. */
export function plain(value: unknown): Plain {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  return JSON.stringify(value) ?? null;
}

export function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    Promise.resolve(work).then(resolve, reject);
  });
}
