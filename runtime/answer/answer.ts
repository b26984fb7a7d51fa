/** The only loop: while the grammar forces text, its tokens need no logits; else the model picks among what may follow. */

import { type Choice, decode, logits, pick } from "../engine/decoder.ts";
import type { Host } from "../engine/host.ts";
import type { State } from "../grammar/automaton.ts";
import type { Grammar } from "../grammar/grammar.ts";
import { special, type Tokenizer } from "../text/tokenizer.ts";
import type { Copy } from "./copy.ts";
import type { Step, Written } from "./toolcall.ts";

export interface Answer extends Written {
  tokens: number[];
  forcedTokens: number;
}

/** What the loop runs on. */
export interface Writer {
  host: Host;
  tokenizer: Tokenizer;
  /** Encoder states in the cross-attention caches. */
  keys: number;
  onText?: (text: string) => void | Promise<void>;
}

/**
 * Decodes under the grammar, and with `copy` writes free strings that the request has. `jump` false asks the logits for
 * every token, also where text is forced.
 */
export async function writeAnswer(writer: Writer, grammar: Grammar, copy: Copy | null, jump: boolean): Promise<Answer> {
  const out = new Output(writer);
  const { answerTokens } = writer.host.session;
  await out.add(special.toolCall);
  let forcedTokens = 1;
  let state: State = grammar.start;
  while (!state.atEnd) {
    const room = answerTokens - out.tokens.length;
    const forced = jump && !copy?.inString ? grammar.forced(state) : null;
    if (forced?.ids.length && grammar.fits(forced.state, room - forced.ids.length)) {
      for (const id of forced.ids) await out.add(id);
      forcedTokens += forced.ids.length;
      copy?.advance(state, forced.ids);
      state = forced.state;
      continue;
    }
    const mask = copy ? copy.mask(state) : grammar.mask(state);
    const choice = mask.count === 1 && jump ? undefined : await out.choose(mask.bits);
    const id = choice?.id ?? mask.some;
    const after = grammar.advance(state, id);
    if (!after) throw new Error(`decode step: expected an allowed token, got ${id}; the logits are not numbers`);
    if (!grammar.fits(after, room - 1)) {
      for (const last of grammar.finish(state)) await out.add(last);
      return out.answer(forcedTokens, true);
    }
    if (!choice) forcedTokens++;
    await out.add(id, choice);
    copy?.advance(state, [id]);
    state = after;
  }
  return out.answer(forcedTokens, false);
}

/** Decodes as the model would without a grammar, up to its end token or the limit. */
export async function writeFreely(writer: Writer): Promise<Answer> {
  const out = new Output(writer);
  while (out.tokens.length < writer.host.session.answerTokens) {
    const choice = await out.choose(null);
    if (choice.id === special.eos) return out.answer(0, false);
    await out.add(choice.id, choice);
  }
  return out.answer(0, true);
}

/** Decided tokens, and those of them that have not been through the decoder. */
class Output {
  readonly tokens: number[] = [];
  private readonly bytes: number[] = [];
  private readonly steps: Step[] = [];
  private readonly text;
  private pending: number[] = [special.eos];
  private pos = 0;

  constructor(private readonly writer: Writer) {
    this.text = writer.tokenizer.stream();
  }

  async add(id: number, choice?: Choice): Promise<void> {
    const { tokenizer, onText } = this.writer;
    if (choice) this.steps.push({ ...choice, startByte: this.bytes.length, second: tokenizer.bytesOf(choice.second) });
    this.bytes.push(...tokenizer.bytesOf(id));
    this.tokens.push(id);
    this.pending.push(id);
    const piece = id === special.toolCall ? "" : this.text.push(id);
    if (piece) await onText?.(piece);
  }

  /** Runs the pending tokens together, then picks among the rows that the mask allows. */
  async choose(mask: Uint32Array | null): Promise<Choice> {
    const { host, tokenizer, keys } = this.writer;
    const hidden = await decode(host, this.pending, this.pos, keys);
    this.pos += this.pending.length;
    this.pending = [];
    await logits(host, hidden, mask, tokenizer.vocabSize);
    return pick(host, tokenizer.vocabSize);
  }

  async answer(forcedTokens: number, cutShort: boolean): Promise<Answer> {
    const rest = this.text.end();
    if (rest) await this.writer.onText?.(rest);
    const { tokens, steps } = this;
    return { tokens, bytes: Uint8Array.from(this.bytes), steps, forcedTokens, cutShort };
  }
}
