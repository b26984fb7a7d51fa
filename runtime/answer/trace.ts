/** What an answer was chosen from, token by token: for who wants to see why. */
import { nowMs } from "../clock.ts";
import type { Choice } from "../engine/decoder.ts";
import { logitsIn, multiplyTable } from "../engine/embedding.ts";
import type { Host } from "../engine/host.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

export interface Candidate {
  id: number;
  text: string;
  /** Natural logarithm of its share among what was allowed; of what was not, as many times the choice's share. */
  logProb: number;
}

/** A token of the answer. All of it is JSON. */
export interface TracedToken {
  id: number;
  /** Its bytes as text; a byte of a longer character shows as U+FFFD. */
  text: string;
  /** No logits were asked for: the grammar, or the end of an answer that has calls enough, left no choice. */
  forced: boolean;
  /** How many tokens the grammar and the request left to choose from; 1 where forced. */
  allowed: number;
  /** Of those the likeliest, itself first. Empty where forced. */
  top: Candidate[];
  /** Its logit less the second's; null where nothing else was allowed. */
  margin: number | null;
  /** What the model would have written without the grammar, and without leaning to likely tools; null where that is the same. */
  wanted: Candidate | null;
  /** Since the first decode step, when it was decided. */
  ms: number;
}

const mostCandidates = 5;

/** What one choice was made from, beside the choice. */
export type Chosen = Pick<TracedToken, "allowed" | "top" | "wanted">;

export class Trace {
  readonly tokens: TracedToken[] = [];
  private readonly startMs = nowMs();

  constructor(private readonly tokenizer: Tokenizer) {}

  push(id: number, choice?: Choice, chosen: Chosen = { allowed: 1, top: [], wanted: null }): void {
    const margin = choice && Number.isFinite(choice.margin) ? choice.margin : null;
    const ms = nowMs() - this.startMs;
    this.tokens.push({ id, text: this.textOf(id), forced: !choice, ...chosen, margin, ms });
  }

  /** Reads the logits that a choice was made from, then those of all tokens; they are overwritten by it. */
  async read(host: Host, hidden: number, choice: Choice, logits: Float32Array, isMasked: boolean): Promise<Chosen> {
    const under = (values: Float32Array, id: number): Candidate => ({
      id,
      text: this.textOf(id),
      logProb: values[id] - values[choice.id] + choice.logProb,
    });
    const [allowed, places] = greatest(logits);
    const top = [choice.id, ...places.filter((id) => id !== choice.id)].slice(0, mostCandidates);
    const chosen = { allowed, top: top.map((id) => under(logits, id)), wanted: null };
    if (!isMasked) return chosen;
    const { vocabSize } = this.tokenizer;
    await multiplyTable(host, hidden, null, vocabSize);
    const all = logitsIn(host, vocabSize);
    const [, [id]] = greatest(all);
    return id === choice.id ? chosen : { ...chosen, wanted: under(all, id) };
  }

  private textOf(id: number): string {
    return utf8.decode(this.tokenizer.bytesOf(id));
  }
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** How many values are allowed, and the places of the greatest, the lower one first where two are equal. */
function greatest(values: Float32Array): [count: number, places: number[]] {
  let count = 0;
  const places: number[] = [];
  for (let id = 0; id < values.length; id++) {
    if (values[id] === Number.NEGATIVE_INFINITY) continue;
    count++;
    let at = places.length;
    while (at > 0 && values[places[at - 1]] < values[id]) at--;
    if (at < mostCandidates) places.splice(at, 0, id);
    if (places.length > mostCandidates) places.pop();
  }
  return [count, places];
}
