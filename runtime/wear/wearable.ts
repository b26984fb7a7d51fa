/** One device as its companion sees it, for as long as their session lasts. */

import type { Decision } from "../answer/decision.ts";
import type { ToolCall } from "../answer/toolcall.ts";
import { questionOf } from "../dispatch.ts";
import { describe } from "../json.ts";
import type { CallOptions, CallResult } from "../session.ts";
import type { ToolSet } from "../tools/tools.ts";
import { hashTools } from "../wire/hash.ts";
import type { Plain } from "../wire/plain.ts";
import { packCall, type WireCall } from "../wire/wirecall.ts";
import { unpackTools } from "../wire/wireread.ts";
import { Channel, type Clock, type Limits, type Sending } from "./channel.ts";
import { isFact, readWithFacts } from "./facts.ts";
import { busVersion, confirming, type Ending, endings, MessageReader, says, writeMessage } from "./message.ts";

/** Answers requests: a Thimble, a Session, or anything that calls like them. */
export interface Model {
  call(request: string, tools: ToolSet, options?: CallOptions): Promise<CallResult>;
}

/**
 * How a call ended. refused: it did not run. failed: it ran, and says so. lost: the session ended first, or no result came
 * in time; whether it ran nobody knows here.
 */
export interface Outcome {
  ending: Ending | "lost";
  /** What the tool gave; of other endings the reason. */
  value: Plain;
}

/** A request and what came of it. */
export interface Answered {
  text: string;
  result: CallResult;
  outcomes: { call: ToolCall; outcome: Outcome }[];
}

export interface WearableEvents {
  /** Without it, requests are refused. */
  model?: Model;
  /** A device's tools are known: it can be asked and called. */
  onDevice?(device: Wearable): void;
  onGone?(device: Wearable, reason: string): void;
  onRequest?(device: Wearable, text: string): void;
  /** Gets the model's answer as it is written. */
  onText?(device: Wearable, text: string): void;
  /** The model has answered, and its calls are about to be sent. */
  onResult?(device: Wearable, text: string, result: CallResult): void;
  /** The calls have ended. */
  onAnswer?(device: Wearable, answered: Answered): void;
  /** A device's complaint, or what was wrong with its messages. */
  onError?(device: Wearable, code: string, text: string): void;
  /**
   * Asks the user here before a call whose decision is not to act, or whose tool has a risk; the device asks otherwise,
   * and before danger always.
   */
  approve?(device: Wearable, call: ToolCall): Promise<boolean>;
}

export interface CompanionOptions extends WearableEvents {
  /** How devices see this companion. */
  name?: string;
  /** How long a device may be out of reach before its session is given up; 5 minutes. */
  patienceMs?: number;
  /**
   * How long a device in reach may owe a result or an answer until that counts as lost; 10 minutes, since a wearer may be
   * asked meanwhile.
   */
  answerMs?: number;
  /** What went wrong, each thing once. */
  log?(line: string): void;
  clock?: Clock;
  random?: () => number;
}

/** What holds the sessions of all devices, as far as one of them needs it. */
export interface Owner {
  readonly clock: Clock;
  readonly options: CompanionOptions;
  toolsOf(hash: string): ToolSet | undefined;
  keep(hash: string, set: ToolSet): void;
  lose(wearable: Wearable, reason: string): void;
  log(line: string): void;
}

/** The pipe that carries a session at the moment. */
export interface Carrier {
  write(frame: Uint8Array): void;
  stalled(): void;
  /** Another pipe carries the session now. */
  moved(): void;
  /** There is no such session any more. */
  ended(): void;
}

const mostRequests = 4;
const mostCalls = 64;
const mostFacts = 16;
const mostCharacters = 400;

interface Pending<T> {
  settle(value: T): void;
  sending: Sending;
  /** Runs while the device has it and is in reach. */
  timer?: unknown;
  /** No answer came in time. */
  expire(): void;
}

export class Wearable {
  /** As it says; empty before its hello. */
  name = "";
  hash = "";
  tools: ToolSet | null = null;
  /** What it told of its surroundings. */
  readonly facts = new Map<string, string | number>();
  readonly channel: Channel;
  private carrier: Carrier | null = null;
  private patience: unknown;
  private isOver = false;
  private callId = 0;
  private mostAtOnce = 1;
  private readonly calls = new Map<number, Pending<Outcome>>();
  private readonly waiting: (() => void)[] = [];
  private readonly questions = new Map<number, Pending<number | null>>();
  private readonly requests = new Map<number, AbortController>();
  /** Requests that wait for the tools that a hello named. */
  private readonly early: (() => void)[] = [];

  /** Use `Companion.connect`. */
  constructor(
    private readonly owner: Owner,
    companion: number,
    device: number,
    private readonly mostBytes: number,
  ) {
    this.channel = new Channel(companion, device, mostBytes, owner.clock, {
      write: (frame) => this.carrier?.write(frame),
      message: (bytes) => this.hear(bytes),
      overlong: () => this.complain(null, "message", `expected at most ${this.mostBytes} bytes, got more`),
      delivered: (sending) => {
        for (const pending of this.pending()) if (pending.sending === sending) this.expect(pending);
      },
      stalled: () => {
        this.wait();
        this.carrier?.stalled();
      },
    });
  }

  get open(): boolean {
    return this.channel.open;
  }

  get heldBytes(): number {
    return this.channel.heldBytes;
  }

  carriedBy(carrier: Carrier): void {
    const before = this.carrier;
    this.carrier = carrier;
    before?.moved();
  }

  resume(theirs: Limits, next: number): void {
    this.owner.clock.clear(this.patience);
    for (const pending of this.pending()) if (pending.sending.delivered) this.expect(pending);
    this.channel.resume(theirs, next);
  }

  outOfReach(): void {
    this.carrier = null;
    this.channel.pause();
    this.wait();
  }

  private wait(): void {
    for (const { timer } of this.pending()) this.owner.clock.clear(timer);
    this.owner.clock.clear(this.patience);
    const ms = this.owner.options.patienceMs ?? 300_000;
    this.patience = this.after(ms, () => this.owner.lose(this, `out of reach for ${ms / 1000} s`));
  }

  /** A longer timer would be over at once: beyond 24.8 days nothing ends. */
  private after(ms: number, run: () => void): unknown {
    return ms < 2 ** 31 ? this.owner.clock.set(run, ms) : undefined;
  }

  private pending(): Pending<never>[] {
    return [...this.calls.values(), ...this.questions.values()];
  }

  /** Lets an answer be late from some time on. */
  private expect(pending: Pending<never>): void {
    this.owner.clock.clear(pending.timer);
    pending.timer = this.after(this.owner.options.answerMs ?? 600_000, () => pending.expire());
  }

  /** The session is over. */
  end(reason: string): void {
    this.isOver = true;
    for (const { timer } of this.pending()) this.owner.clock.clear(timer);
    this.owner.clock.clear(this.patience);
    this.channel.pause();
    const carrier = this.carrier;
    this.carrier = null;
    for (const { settle, sending } of this.calls.values())
      settle(sending.begun ? { ending: "lost", value: reason } : { ending: "refused", value: reason });
    this.calls.clear();
    for (const { settle } of this.questions.values()) settle(null);
    this.questions.clear();
    for (const request of this.requests.values()) request.abort(new Error(reason));
    this.requests.clear();
    for (const next of this.waiting.splice(0)) next();
    carrier?.ended();
    this.owner.options.onGone?.(this, reason);
  }

  /**
   * Has the device run a call; an outcome comes within `answerMs` of reach, `patienceMs` out of it.
   * Throws: ToolError for one that its tools do not allow; Error before they are known.
   */
  async call(
    call: WireCall,
    confirm: number = confirming.byRisk,
    signal?: AbortSignal,
    request?: number,
  ): Promise<Outcome> {
    if (!this.tools) throw new Error(`${this.name}: expected a device whose tools are known; wait for onDevice`);
    const bytes = packCall(this.tools, { name: call.name, arguments: call.arguments });
    if (this.waiting.length >= mostCalls) return { ending: "refused", value: "busy" };
    while (!this.isOver && !signal?.aborted && this.calls.size >= this.mostAtOnce) await this.turn(signal);
    if (this.isOver) return { ending: "refused", value: "the device is gone" };
    if (signal?.aborted) {
      this.next();
      return { ending: "refused", value: "cancelled" };
    }

    const id = ++this.callId;
    const stop = () => this.calls.has(id) && this.say(says.cancel, id);
    signal?.addEventListener("abort", stop, { once: true });
    try {
      const message = writeMessage(says.call, id, request ?? null, confirm, bytes);
      return await this.pend(this.calls, id, message, { ending: "lost", value: "no result in time" });
    } finally {
      signal?.removeEventListener("abort", stop);
      this.next();
    }
  }

  /** Waits for one of the calls that are out to end, or for an abort. */
  private turn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const stop = () => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        resolve();
      };
      const go = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      this.waiting.push(go);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** Gives a place that is free to the call that waits longest. */
  private next(): void {
    if (this.calls.size < this.mostAtOnce) this.waiting.shift()?.();
  }

  /** Asks the wearer to choose, in at most 400 characters; null: no answer. */
  async ask(text: string, options: readonly string[]): Promise<number | null> {
    if (this.isOver || this.questions.size >= mostRequests) return null;
    const id = ++this.callId;
    return this.pend(this.questions, id, writeMessage(says.ask, id, text.slice(0, mostCharacters), ...options), null);
  }

  /** Sends what has an answer. It is awaited first: a pipe may bring the answer while it is given the question. */
  private pend<T>(pending: Map<number, Pending<T>>, id: number, message: Uint8Array, late: T): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (value: T) => {
        pending.delete(id);
        this.owner.clock.clear(entry.timer);
        resolve(value);
      };
      const expire = () => {
        settle(late);
        this.say(says.cancel, id);
      };
      const entry: Pending<T> = { settle, expire, sending: { begun: true, delivered: false } };
      pending.set(id, entry);
      try {
        entry.sending = this.channel.send(message, true);
        if (entry.sending.delivered && pending.get(id) === entry) this.expect(entry as Pending<never>);
      } catch (error) {
        pending.delete(id);
        reject(error);
      }
    });
  }

  /**
   * Answers a request that was made here, as if the device had sent it.
   * Throws: Error without a model or tools, and what the model throws.
   */
  async request(text: string, signal?: AbortSignal, request?: number): Promise<Answered> {
    const { model, onText, onAnswer, onRequest, onResult } = this.owner.options;
    if (!model) throw new Error("companion: expected a model to answer with, got none; give one to Companion");
    if (!this.tools) throw new Error(`${this.name}: expected a device whose tools are known; wait for onDevice`);
    onRequest?.(this, text);
    const options: CallOptions = {
      ...(signal && { signal }),
      ...(onText && { onText: (piece) => onText(this, piece) }),
    };
    const { tools } = this;
    const result = await readWithFacts(text, (words) => model.call(words, tools, options), tools, this.facts);
    onResult?.(this, text, result);
    const answered: Answered = { text, result, outcomes: [] };
    for (const call of result.calls) {
      const confirm = await this.leave(call, result.decision);
      const outcome: Outcome =
        confirm === null ? { ending: "refused", value: "declined" } : await this.call(call, confirm, signal, request);
      answered.outcomes.push({ call, outcome });
      if (outcome.ending !== "done") break;
    }
    onAnswer?.(this, answered);
    return answered;
  }

  /** Who confirms a call; null: it was declined. */
  private async leave(call: ToolCall, decision: Decision): Promise<number | null> {
    const risk = this.tools?.tools.find(({ name }) => name === call.name)?.risk ?? "danger";
    if (decision === "act" && risk === "safe") return confirming.byRisk;
    const { approve } = this.owner.options;
    if (approve) return (await approve(this, call)) ? confirming.given : null;
    // Before danger the device asks by itself.
    if (decision !== "ask" || risk === "danger") return decision === "confirm" ? confirming.ask : confirming.byRisk;
    return (await this.ask(questionOf(call), ["Yes", "No"])) === 0 ? confirming.given : null;
  }

  private hear(bytes: Uint8Array): void {
    try {
      this.understand(new MessageReader(bytes));
    } catch (error) {
      const { about, code } = error instanceof Objection ? error : { about: null, code: "message" };
      this.complain(about, code, (error as Error).message);
    }
  }

  private understand(message: MessageReader): void {
    switch (message.kind) {
      case says.hello: {
        const version = message.number("hello.version");
        this.name = message.text("hello.name", 64);
        const hash = message.text("hello.hash", 16);
        const atOnce = Math.max(1, message.number("hello.calls", mostCalls));
        if (version !== busVersion)
          throw new Objection(null, "version", `expected ${busVersion}, got ${version}; update the older of the two`);
        this.hash = hash;
        this.mostAtOnce = atOnce;
        const known = this.owner.toolsOf(this.hash);
        this.say(says.hello, busVersion, this.owner.options.name ?? "thimble", known !== undefined);
        if (known) this.ready(known);
        break;
      }
      case says.tools:
        try {
          this.learn(message.bytesOf("tools"));
        } finally {
          for (const go of this.early.splice(0)) go();
        }
        break;
      case says.request:
        void this.requested(message.number("request"), message.text("request.text", mostCharacters));
        break;
      case says.state:
        this.note(message.rest("state"));
        break;
      case says.result: {
        const id = message.number("result");
        const ending = endings[message.number("result.ending", endings.length - 1)];
        const call = this.calls.get(id);
        if (!call) throw new Objection(id, "call", `expected a call under way, got ${id}`);
        let value: Plain = null;
        try {
          value = message.value("result.value");
        } finally {
          call.settle({ ending, value });
        }
        break;
      }
      case says.answer: {
        const id = message.number("answer");
        const place = message.value("answer.place");
        const question = this.questions.get(id);
        if (!question) throw new Objection(id, "ask", `expected a question that was asked, got ${id}`);
        question.settle(typeof place === "number" ? place : null);
        break;
      }
      case says.cancel:
        this.requests.get(message.number("cancel"))?.abort(new Error("cancelled"));
        break;
      case says.error: {
        message.value("error.about");
        const code = message.text("error.code", 32);
        this.owner.options.onError?.(this, code, message.text("error.text", mostCharacters));
        break;
      }
      default:
        this.owner.log(`${this.name}: skipped a message of kind ${describe(message.kind)}, unknown to bus version 1`);
    }
  }

  /** Takes the tools that the device names; others are refused. */
  private learn(bytes: Uint8Array): void {
    const hash = hashTools(bytes);
    if (hash !== this.hash) {
      const remedy = "pack the tools again";
      throw new Objection(
        null,
        "tools",
        `expected the tools named ${this.hash || "in a hello"}, got ${hash}; ${remedy}`,
      );
    }
    const set = toolsOf(bytes);
    this.owner.keep(hash, set);
    this.ready(set);
  }

  private ready(set: ToolSet): void {
    if (this.tools === set) return;
    this.tools = set;
    this.owner.options.onDevice?.(this);
  }

  private async requested(id: number, text: string): Promise<void> {
    if (this.requests.has(id)) return;
    if (this.requests.size >= mostRequests) {
      this.complain(id, "busy", `expected at most ${mostRequests} requests at once; wait for an answer`);
      return;
    }
    const controller = new AbortController();
    this.requests.set(id, controller);
    try {
      if (!this.tools && this.hash) await new Promise<void>((go) => this.early.push(go));
      const { result, outcomes } = await this.request(text, controller.signal, id);
      if (this.requests.get(id) === controller) this.say(says.done, id, outcomes.length, result.decision);
    } catch (error) {
      if (!this.isOver) this.complain(id, "request", (error as Error).message);
    }
    if (this.requests.get(id) === controller) this.requests.delete(id);
  }

  private note(values: Plain[]): void {
    for (let i = 0; i + 1 < values.length; i += 2) {
      const [name, value] = [values[i], values[i + 1]];
      if (typeof name !== "string" || name.length > 32) continue;
      if (!isFact(value)) {
        this.facts.delete(name);
        continue;
      }
      if (this.facts.size < mostFacts || this.facts.has(name))
        this.facts.set(name, typeof value === "string" ? value.slice(0, mostCharacters) : value);
    }
  }

  /** Tells the device and, once, the log. An error about an error is never sent. */
  private complain(about: number | null, code: string, text: string): void {
    this.owner.log(`${this.name || "device"}: ${code}: ${text}`);
    this.owner.options.onError?.(this, code, text);
    this.say(says.error, about, code, text.slice(0, 200));
  }

  /** Sends what may be dropped where too much waits: what the device did not take cannot be told anyway. */
  private say(...values: Plain[]): void {
    try {
      this.channel.send(writeMessage(...values));
    } catch (error) {
      this.owner.log(`${this.name || "device"}: ${(error as Error).message}`);
    }
  }
}

/** What is wrong with a message, as it is told to its sender. */
class Objection extends Error {
  constructor(
    readonly about: number | null,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

function toolsOf(bytes: Uint8Array): ToolSet {
  try {
    return unpackTools(bytes);
  } catch (error) {
    throw new Objection(null, "tools", (error as Error).message);
  }
}
