/** Commands out of a transcript that grows: when one has ended, whether it was meant, and what it asks for. */

import type { ToolCall } from "../answer/toolcall.ts";
import { questionOf } from "../dispatch.ts";
import { describe } from "../json.ts";
import type { Tools } from "../session.ts";
import { ToolSet } from "../tools/tools.ts";
import { type Clock, hostClock } from "./channel.ts";
import { isFact } from "./facts.ts";
import { Reader, type Reading } from "./reading.ts";
import {
  bare,
  endOf,
  goesOn,
  isMurmur,
  isRefusal,
  isTakenBack,
  isUnfinished,
  repairIn,
  requestOf,
  tokensOf,
  type Word,
  withoutFillers,
  wordOf,
} from "./spoken.ts";
import type { Model } from "./wearable.ts";

/** What a command comes to. `text` is what was said, and `sources` of the calls are places in it. */
export type Action =
  /** Make these calls; `instead` of the last ones, where those were a slip. */
  | { kind: "call"; text: string; calls: ToolCall[]; instead: ToolCall[] }
  /** Show the question; yes and no are heard, or given to `answer`. */
  | { kind: "ask"; text: string; calls: ToolCall[]; question: string }
  /** The question is off: no, another command, or no answer. */
  | { kind: "drop"; text: string }
  /** Take these calls back. */
  | { kind: "undo"; calls: ToolCall[] }
  /** This was a command, and no tool fits. */
  | { kind: "none"; text: string }
  | { kind: "error"; error: Error };

/** Milliseconds of silence. */
export interface Waits {
  /** Before words that changed are read. */
  settle: number;
  /** After a final transcript, before the command has ended. */
  final: number;
  /** After a partial one that no final one follows. */
  partial: number;
  /** Where the words or the model say that there is more to come. */
  unfinished: number;
  /** For a command after the wake phrase, an answer to a question, "undo" and the like after a call. */
  attention: number;
}

export interface CommandOptions {
  model: Model;
  tools: Tools;
  onAction(action: Action): void;
  /** Only what follows one of these is a command. Without, all that is said may be one, and what the model is unsure of is not. */
  wake?: string | readonly string[];
  waits?: Partial<Waits>;
  clock?: Clock;
}

const usualWaits: Waits = { settle: 150, final: 700, partial: 1500, unfinished: 2500, attention: 10_000 };
/** More is no command; more words have more characters. */
const mostCharacters = 400;
const mostWords = 201;
const mostUtterances = 3;
/** Where nobody was addressed, a call must be half again as likely right as wrong to be asked about. */
const leastConfidence = 0.6;

export class CommandParser {
  /** What is around the wearer: see `tell`. */
  readonly facts = new Map<string, string | number>();
  private readonly tools: ToolSet;
  private readonly reader: Reader;
  private readonly waits: Waits;
  private readonly clock: Clock;
  private readonly wake: string[][];

  /** Utterances that have ended while the command may go on, and the one that is heard now. */
  private ended: string[][] = [];
  private current: string[] = [];
  /** How many words of the utterance heard now are over and done with, and where those that count begin. */
  private spent = 0;
  private start = 0;
  /** The words of the utterance heard now, and of those that are over and done with: as far as they are compared. */
  private words: string[] = [];
  private done: string[] = [];
  private isAddressed = false;
  private endTimer: unknown;
  private settleTimer: unknown;
  private attentionTimer: unknown;
  /** Aborts when other words are heard. */
  private reading = new AbortController();
  private ahead: Ahead | null = null;
  /** Counts beginnings of waiting: an end that was overtaken is none. */
  private turn = 0;

  private question: Reading | null = null;
  private instead: ToolCall[] = [];
  private last: Reading | null = null;
  /** Whether "undo" and the like are for us, though nobody is addressed. */
  private isFollowed = false;

  constructor(private readonly options: CommandOptions) {
    this.tools = ToolSet.from(options.tools);
    this.reader = new Reader(options.model, this.tools, this.facts);
    this.waits = { ...usualWaits, ...options.waits };
    this.clock = options.clock ?? hostClock;
    const wake = options.wake ?? [];
    this.wake = (typeof wake === "string" ? [wake] : wake).map((phrase) => {
      const words = tokensOf(phrase).map(bare).filter(Boolean);
      if (!words.length) throw new TypeError(`wake: expected words, got ${describe(phrase)}; leave it out for none`);
      return words;
    });
  }

  /** Takes the utterance that is heard, as far and as well as it is known; with `isFinal` the next call begins another. */
  hear(transcript: string, isFinal = false): void {
    if (typeof transcript !== "string")
      throw new TypeError(`transcript: expected text, got ${describe(transcript)}; pass what the recogniser wrote`);
    const before = keyOf(this.utterances);
    const wasAddressed = this.isAddressed;
    const isNew = !this.current.length;
    // A longer word is no command's either.
    const all = tokensOf(transcript).map((token) => token.slice(0, mostCharacters + 1));
    this.words = all.slice(0, mostWords).map(bare);
    if (this.spent && this.hasBegunAnew(all.length)) this.spent = 0;
    const from = Math.max(this.spent, all.length - mostWords);
    let tokens = all.slice(from);
    const woken = Math.max(0, ...this.wake.map((phrase) => endOf(phrase, tokens)));
    this.start = from + woken;
    tokens = tokens.slice(woken);
    if (isNew && this.ended.length) this.mayEnd(tokens, woken > 0);
    if (woken) {
      this.ended = [];
      this.attend();
    }
    this.current = tokens;
    if (isFinal) {
      this.spent = 0;
      this.current = [];
      if (withoutFillers(tokens).length) this.ended = [...this.ended, tokens].slice(-mostUtterances);
    }
    // The wake phrase may be heard late, before words that were known already.
    const isSame = keyOf(this.utterances) === before && (wasAddressed || !woken);
    if (!isSame) this.stopReading();
    if (!isSame || (isFinal && tokens.length)) this.waitForEnd(isFinal);
  }

  /** The next words are for this parser, as after the wake phrase: a button was pressed. */
  attend(): void {
    this.isAddressed = true;
    this.holdAttention();
  }

  /** Answers the question by hand. */
  answer(isYes: boolean): void {
    const { question } = this;
    if (!question) return;
    this.forget();
    this.isAddressed = false;
    if (isYes) this.act(question);
    else this.drop(question.text);
  }

  /** Forgets what was heard and what was done, and takes a question back: nothing follows, and no timer is left. */
  cancel(): void {
    this.takeBack();
    this.last = null;
    this.isFollowed = false;
    this.clock.clear(this.attentionTimer);
  }

  /**
   * Tells facts: `here`, `now`, `contact`, or your own ("photo" for "this photo"); null or nothing in it: no more. They become values of
   * arguments that a request points at, and nothing else.
   */
  tell(facts: Record<string, string | number | null>): void {
    for (const [name, value] of Object.entries(facts))
      if (isFact(value)) this.facts.set(name, value);
      else if (value === null || value === undefined || typeof value === "string" || typeof value === "number")
        this.facts.delete(name);
      else throw new TypeError(`tell: expected text or a number for ${name}, got ${describe(value)}`);
  }

  /**
   * Whether this is another utterance, though none was final: far shorter than the words that are done with, or of other
   * words. Nothing at all tells nothing, and words that were mended are the same utterance's: a command runs once.
   */
  private hasBegunAnew(length: number): boolean {
    if (!length) return false;
    if (2 * length < this.spent) return true;
    const words = this.words.slice(0, this.spent);
    const same = words.filter((word) => this.done.includes(word)).length;
    return 2 * same < words.length;
  }

  private get utterances(): string[][] {
    return [...this.ended, withoutFillers(this.current)].filter(({ length }) => length);
  }

  /** Another utterance has begun: what was heard before is a command of its own, if it is whole. */
  private mayEnd(tokens: readonly string[], isWoken: boolean): void {
    const { ahead } = this;
    if (ahead?.done?.decision !== "act" || ahead.key !== keyOf(this.ended)) return;
    if (isWoken || !(isUnfinished(this.ended.at(-1) as string[]) || goesOn(tokens))) this.conclude(ahead.done);
  }

  private waitForEnd(isFinal: boolean): void {
    this.stopWaiting();
    const { utterances } = this;
    if (!utterances.length) return;
    if (!this.isOurs(utterances)) {
      this.ended = [];
      return;
    }
    if (this.isAddressed) this.holdAttention();
    const { settle, unfinished, final, partial } = this.waits;
    if (this.isForModel(utterances)) this.settleTimer = this.clock.set(() => void this.read(), isFinal ? 0 : settle);
    const wait = isUnfinished(utterances.at(-1) as string[]) ? unfinished : isFinal ? final : partial;
    this.endTimer = this.clock.set(() => void this.end(wait < unfinished), wait);
  }

  /** Whether what is heard may be for us, as far as can be told without the model. */
  private isOurs(utterances: readonly string[][]): boolean {
    if (!this.wake.length || this.isAddressed) return true;
    const said = utterances.at(-1) as string[];
    const word = wordOf(said);
    const isSlip = repairIn(said)?.before.length === 0;
    if (this.question) return word !== null || isSlip;
    return this.isFollowed && (word === "undo" || word === "again" || isSlip);
  }

  private isForModel(utterances: readonly string[][]): boolean {
    const tokens = utterances.flat();
    const word = wordOf(tokens);
    // "stop" may be a command of a tool's.
    const isAboutCommands = word !== null && (word !== "no" || this.question !== null);
    return !isMurmur(tokens) && !isAboutCommands && requestOf(utterances).length <= mostCharacters;
  }

  /** Reads what is heard so far, once; null: other words were heard before it was done, or it cannot be read. */
  private read(): Promise<Reading | null> {
    const { utterances } = this;
    const { signal } = this.reading;
    const key = keyOf(utterances);
    if (this.ahead?.key === key) return this.ahead.reading;
    const ahead: Ahead = { key, done: null, reading: this.unlessStale(this.reader.read(utterances, signal), signal) };
    this.ahead = ahead;
    void ahead.reading.then((reading) => {
      ahead.done = reading;
    });
    return ahead.reading;
  }

  private async unlessStale(work: Promise<Reading>, signal: AbortSignal): Promise<Reading | null> {
    try {
      return await work;
    } catch (error) {
      if (signal.aborted) return null;
      this.forget();
      this.options.onAction({ kind: "error", error: error instanceof Error ? error : new Error(String(error)) });
      return null;
    }
  }

  /** Nothing more was said for a while. */
  private async end(mayWait: boolean): Promise<void> {
    const { turn, utterances } = this;
    const said = utterances.at(-1) as string[];
    const tokens = utterances.flat();
    const word = wordOf(said);
    if (word && this.heed(word)) return;
    if (isTakenBack(tokens)) return this.takeBack();
    const repair = repairIn(said);
    const slip = this.question ?? (this.isAddressed || this.isFollowed ? this.last : null);
    if (slip && repair?.before.length === 0) {
      const { signal } = this.reading;
      const meant = await this.unlessStale(this.reader.corrected(slip, repair.meant, signal), signal);
      if (meant && turn === this.turn) this.replace(slip, meant);
      return;
    }
    if (isMurmur(tokens)) return this.forget();
    if (!this.isForModel(utterances)) {
      this.conclude({ text: requestOf(utterances), calls: [], decision: "none", confidence: 0 });
      return;
    }
    const reading = await this.read();
    if (!reading || turn !== this.turn) return;
    if (this.question && isRefusal(said) && !isSure(reading)) return this.answer(false);
    if (!mayWait || isSure(reading)) return this.conclude(reading);
    this.endTimer = this.clock.set(() => void this.end(false), this.waits.unfinished);
  }

  /** Does what a word about commands says. Whether it was one, here and now. */
  private heed(word: Word): boolean {
    const { question, last } = this;
    if (question && word !== "again") this.answer(word === "yes");
    else if (word === "yes" || word === "no" || word === "cancel") {
      if (word === "no" || this.utterances.length > 1) return false;
      this.forget();
    } else if (this.utterances.length > 1) return false;
    else {
      const isFree = this.isAddressed || this.isFollowed;
      this.forget();
      this.isAddressed = false;
      if (!last || !isFree) return true;
      if (word === "again") this.offer(last);
      else {
        this.last = null;
        this.options.onAction({ kind: "undo", calls: last.calls });
      }
    }
    return true;
  }

  /** Has calls made in place of a slip's. */
  private replace(slip: Reading, meant: Reading): void {
    const instead = slip === this.question ? this.instead : slip.calls;
    this.takeBack();
    if (isSure(meant)) this.offer(meant, instead);
    else this.options.onAction({ kind: "none", text: meant.text });
  }

  /** The command has ended, and this is what was read of it. */
  private conclude(reading: Reading): void {
    const { isAddressed } = this;
    this.forget();
    this.isAddressed = false;
    const { text, calls } = reading;
    if (calls.length && (isAddressed || isSure(reading))) this.offer(reading);
    else if (isAddressed) this.options.onAction({ kind: "none", text });
  }

  /** Has calls made, or asks first. */
  private offer(reading: Reading, instead: ToolCall[] = []): void {
    if (this.question) this.drop(this.question.text);
    this.instead = instead;
    const { text, calls, decision } = reading;
    if (decision === "act") {
      this.act(reading);
      return;
    }
    this.question = reading;
    this.holdAttention();
    this.options.onAction({ kind: "ask", text, calls, question: `${calls.map(questionOf).join(", ")}?` });
  }

  private act(reading: Reading): void {
    const { text, calls } = reading;
    const { instead } = this;
    this.question = null;
    this.instead = [];
    this.last = reading;
    this.isFollowed = true;
    this.holdAttention();
    this.options.onAction({ kind: "call", text, calls, instead });
  }

  private takeBack(): void {
    this.forget();
    this.isAddressed = false;
    if (this.question) this.drop(this.question.text);
  }

  private drop(text: string): void {
    this.question = null;
    this.instead = [];
    this.options.onAction({ kind: "drop", text });
  }

  /** Lets attention end some time from now. */
  private holdAttention(): void {
    this.clock.clear(this.attentionTimer);
    this.attentionTimer = this.clock.set(() => {
      this.isAddressed = false;
      this.isFollowed = false;
      if (this.question) this.drop(this.question.text);
    }, this.waits.attention);
  }

  private stopReading(): void {
    this.reading.abort(new Error("command: other words were heard"));
    this.reading = new AbortController();
  }

  private stopWaiting(): void {
    this.turn++;
    this.clock.clear(this.endTimer);
    this.clock.clear(this.settleTimer);
  }

  /** What was heard until now is over and done with. */
  private forget(): void {
    this.stopReading();
    this.stopWaiting();
    if (this.current.length) {
      this.spent = this.start + this.current.length;
      this.done = this.words.slice(0, this.spent);
    }
    this.ended = [];
    this.current = [];
    this.ahead = null;
  }
}

interface Ahead {
  key: string;
  reading: Promise<Reading | null>;
  done: Reading | null;
}

/** Whether calls are made, or asked about, though nobody was addressed. */
function isSure({ decision, confidence }: Reading): boolean {
  return decision === "act" || (decision === "confirm" && confidence >= leastConfidence);
}

const keyOf = (utterances: readonly (readonly string[])[]): string =>
  utterances.map((tokens) => withoutFillers(tokens).join(" ")).join("\n");
