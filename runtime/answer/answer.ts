/** The only loop: while the grammar forces text, its tokens need no logits; else the model picks among what may follow. */

import { type Choice, decode, logits, pick } from "../engine/decoder.ts";
import { logitsIn } from "../engine/embedding.ts";
import type { Host } from "../engine/host.ts";
import { CapacityError } from "../errors.ts";
import type { State } from "../grammar/state.ts";
import { special, type Tokenizer } from "../text/tokenizer.ts";
import type { Enums } from "./enums.ts";
import type { Figures } from "./figures.ts";
import { idsIn, type Lean } from "./lean.ts";
import type { Calls } from "./repeat.ts";
import type { Rules, Stand } from "./rules.ts";
import type { Step, Written } from "./toolcall.ts";
import { type Chosen, Trace, type TracedToken } from "./trace.ts";

export interface Answer extends Written {
  tokens: number[];
  forcedTokens: number;
  trace?: TracedToken[];
}

/** What the loop runs on. */
export interface Scribe {
  host: Host;
  tokenizer: Tokenizer;
  /** Encoder states in the cross-attention caches. */
  keys: number;
  /** Which tools the request is likely about, where the calibration says what that counts. */
  lean?: Lean;
  /** The numbers that the request says, where the calibration says what others cost. */
  figures?: Figures;
  /** The same of enums' values. */
  enums?: Enums;
  onText?: (text: string) => void | Promise<void>;
  /** Keep what each token was chosen from. */
  trace?: boolean;
}

/**
 * Decodes under the grammar and the rules of its answer. `jump` false asks the logits for every token, also where text is
 * forced. `calls` says where the answer ends although the grammar would let it go on.
 * Throws: CapacityError where a call is asked for and none fits the session's answer tokens.
 */
export async function writeAnswer(scribe: Scribe, rules: Rules, calls: Calls, jump: boolean): Promise<Answer> {
  const out = new Output(scribe);
  const { answerTokens } = scribe.host.session;
  await out.add(special.toolCall);
  let stand = rules.start;
  if (!rules.fits(stand, answerTokens - out.tokens.length)) {
    const message = `expected a tool that can be called in ${answerTokens} tokens, got none; load with more answerTokens`;
    throw new CapacityError("answerTokens", answerTokens + 1, answerTokens, message);
  }
  /** Returns where the answer ends, if it has calls enough. */
  const take = async (id: number, after: Stand, choice?: Choice): Promise<number | undefined> => {
    const isNew = after.callEnds.length > stand.callEnds.length;
    stand = after;
    out.push(id, choice);
    const end = isNew ? calls.end(out.bytes, after.callEnds) : undefined;
    if (end === undefined && !calls.begins(out.bytes, after.callEnds)) await out.show();
    return end;
  };
  while (!stand.atEnd) {
    const room = answerTokens - out.tokens.length;
    const forced = jump ? rules.forced(stand) : [];
    if (forced.length && rules.fits(forced[forced.length - 1].after, room - forced.length)) {
      for (const { id, after } of forced) {
        const end = await take(id, after);
        if (end !== undefined) return out.answerUpTo(end);
      }
      continue;
    }
    const mask = rules.mask(stand);
    const choice =
      mask.count === 1 && jump ? undefined : await out.choose(mask.bits, stand.state, stand.callEnds.at(-1));
    const id = choice?.id ?? mask.some;
    const after = rules.advance(stand, id);
    if (!after) throw new Error(`decode step: expected an allowed token, got ${id}; the logits are not numbers`);
    if (!rules.fits(after, room - 1)) {
      for (const last of rules.finish(stand)) await out.add(last);
      return out.answer(true);
    }
    const end = await take(id, after, choice);
    if (end !== undefined) return out.answerUpTo(end);
  }
  return out.answer(false);
}

/** Decodes under the grammar as far as the name of the tool that is called first; undefined where none is. */
export async function firstName(scribe: Scribe, rules: Rules): Promise<string | undefined> {
  const { onText: _, ...silent } = { ...scribe, trace: false };
  const out = new Output(silent);
  await out.add(special.toolCall);
  for (let stand = rules.start; !stand.atEnd && out.tokens.length < scribe.host.session.answerTokens; ) {
    const mask = rules.mask(stand);
    const id = mask.count === 1 ? mask.some : (await out.choose(mask.bits, stand.state)).id;
    const after = rules.advance(stand, id);
    if (!after) return;
    out.push(id);
    stand = after;
    const [, name] = utf8.decode(Uint8Array.from(out.bytes)).match(/^\s*\[\{"name":"([^"]*)"/) ?? [];
    if (name !== undefined) return name;
  }
}

/** Whether a text leads from a state to where a number may end. */
function endsNumber(state: State | null, text: string): boolean {
  const end = [...text].reduce<State | null>((at, digit) => at?.step(digit.charCodeAt(0)) ?? null, state);
  return [...",]}"].some((byte) => end?.step(byte.charCodeAt(0)));
}

const utf8 = new TextDecoder();

/** Decodes as the model would without a grammar, up to its end token or the limit. */
export async function writeFreely(scribe: Scribe): Promise<Answer> {
  const out = new Output(scribe);
  while (out.tokens.length < scribe.host.session.answerTokens) {
    const choice = await out.choose(null, null);
    if (choice.id === special.eos) return out.answer(false);
    await out.add(choice.id, choice);
  }
  return out.answer(true);
}

/** Decided tokens, and those of them that have not been through the decoder. */
class Output {
  readonly tokens: number[] = [];
  readonly bytes: number[] = [];
  private steps: Step[] = [];
  /** Texts of the last tokens, which are not shown, since they may be taken back. */
  private held: string[] = [];
  private readonly text;
  private pending: number[] = [special.eos];
  private pos = 0;
  private readonly trace: Trace | null;
  /** What the last choice was made from. */
  private chosen: Chosen | undefined;

  constructor(private readonly scribe: Scribe) {
    this.text = scribe.tokenizer.stream();
    this.trace = scribe.trace ? new Trace(scribe.tokenizer) : null;
  }

  async add(id: number, choice?: Choice): Promise<void> {
    this.push(id, choice);
    await this.show();
  }

  push(id: number, choice?: Choice): void {
    const { tokenizer } = this.scribe;
    if (choice) this.steps.push({ ...choice, startByte: this.bytes.length, second: tokenizer.bytesOf(choice.second) });
    this.trace?.push(id, choice, choice && this.chosen);
    this.bytes.push(...tokenizer.bytesOf(id));
    this.tokens.push(id);
    this.pending.push(id);
    this.held.push(id === special.toolCall ? "" : this.text.push(id));
  }

  /** Shows the text that was held back. */
  async show(): Promise<void> {
    const text = this.held.join("");
    this.held = [];
    if (text) await this.scribe.onText?.(text);
  }

  /** Runs the pending tokens together, then picks among the rows that the mask of a state allows. `callEnd`: of the last call, or of the list's bracket. */
  async choose(mask: Uint32Array | null, state: State | null, callEnd = 1): Promise<Choice> {
    const { host, tokenizer, keys, lean, figures, enums } = this.scribe;
    const hidden = await decode(host, this.pending, this.pos, keys);
    this.pos += this.pending.length;
    this.pending = [];
    await logits(host, hidden, mask, tokenizer.vocabSize);
    const row = logitsIn(host, tokenizer.vocabSize);
    const bytesOf = (id: number) => tokenizer.bytesOf(id);
    const plain = mask && enums?.read(this.bytes, callEnd + 1) ? pick(host, tokenizer.vocabSize).id : undefined;
    if (mask) {
      lean?.add(row, mask, this.bytes, bytesOf);
      figures?.add(row, idsIn(mask), this.bytes, bytesOf, (text) => endsNumber(state, text));
      enums?.add(row, idsIn(mask), bytesOf);
    }
    const choice = pick(host, tokenizer.vocabSize);
    if (plain !== undefined) enums?.chose(choice.id, plain, bytesOf);
    this.chosen = await this.trace?.read(host, hidden, choice, row, mask !== null);
    return choice;
  }

  /** Closes the list after a call, and takes back what is written beyond it. */
  async answerUpTo(callEnd: number): Promise<Answer> {
    const { tokenizer } = this.scribe;
    let rest: number[] = [];
    while (this.bytes.length > callEnd) {
      const length = tokenizer.bytesOf(this.tokens.pop() as number).length;
      this.trace?.tokens.pop();
      this.held.pop();
      rest = this.bytes.splice(this.bytes.length - length).slice(0, callEnd - this.bytes.length);
    }
    const written = this.bytes.length;
    this.steps = this.steps.filter(({ startByte }) => startByte < written);
    for (const id of tokenizer.tokenizeRaw(`${String.fromCharCode(...rest)}]`)) await this.add(id);
    return this.answer(false);
  }

  async answer(cutShort: boolean): Promise<Answer> {
    const rest = this.held.join("") + this.text.end();
    if (rest) await this.scribe.onText?.(rest);
    const { tokens, steps, trace } = this;
    const forcedTokens = tokens.length - steps.length;
    const written = { tokens, bytes: Uint8Array.from(this.bytes), steps, forcedTokens, cutShort };
    return trace ? { ...written, trace: trace.tokens } : written;
  }
}
