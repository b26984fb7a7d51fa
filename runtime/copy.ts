/**
 * Keeps free strings to the request: a value is a run of whole words of it, as models trained to copy write it.
 *
 *   request   wake me at 7:15 tomorrow        a value may begin at ^ and end at $
 *             ^    ^  ^  ^^^  ^
 *                 $  $  $ $$ $        $
 *
 * Enums, numbers, and strings whose length the schema limits or that stand beside an enum are the grammar's alone.
 */
import type { Grammar, State } from "./grammar.ts";
import type { Mask } from "./trie.ts";

/** Places in the request's bytes where what is written of a string may go on; null outside of free strings. */
export type Spans = readonly number[] | null;

const quote = 0x22;

export class Copy {
  /** The request as the prompt shows it, escaped as inside a JSON string. */
  readonly bytes: Uint8Array;
  readonly starts: readonly number[];
  private readonly ends: ReadonlySet<number>;

  constructor(
    request: string,
    private readonly grammar: Grammar,
  ) {
    const chars = [...request.replace(/ +/g, " ").trim()];
    const [bytes, starts, ends]: [number[], number[], number[]] = [[], [], []];
    for (const [i, char] of chars.entries()) {
      const inWord = isWord(chars[i - 1]) && isWord(char);
      if (!inWord && char !== " ") starts.push(bytes.length);
      if (!inWord && chars[i - 1] !== " ") ends.push(bytes.length);
      bytes.push(...utf8.encode(JSON.stringify(char).slice(1, -1)));
    }
    ends.push(bytes.length);
    [this.bytes, this.starts, this.ends] = [Uint8Array.from(bytes), starts, new Set(ends)];
  }

  /** The grammar's tokens less those that would leave the request. */
  mask(state: State, spans: Spans): Mask {
    return spans || this.grammar.opensString(state)
      ? this.grammar.tokens.allowed(new Place(this, state, spans))
      : this.grammar.mask(state);
  }

  /** Where a string stands after a token that `mask` allows. */
  advance(state: State, spans: Spans, id: number): Spans {
    let place: Place | null = new Place(this, state, spans);
    for (const byte of this.grammar.tokens.vocabulary.bytesOf(id)) place = place?.step(byte) ?? null;
    return place?.spans ?? null;
  }

  /** Whether a value may end at one of the spans; an empty one may not. */
  endsAt(spans: readonly number[]): boolean {
    return spans !== this.starts && spans.some((at) => this.ends.has(at));
  }
}

/** A state of the grammar and, inside a free string, of the request. */
class Place {
  constructor(
    private readonly copy: Copy,
    private readonly state: State,
    readonly spans: Spans,
  ) {}

  step(byte: number): Place | null {
    const { copy, spans } = this;
    // Escapes and long characters leave `inString` for a while: a string ends at a quote from within it, not before.
    const atQuote = this.state.inString && byte === quote;
    // Most bytes fall here: the request has them in few places, the grammar nearly everywhere.
    if (spans && !atQuote && !spans.some((at) => copy.bytes[at] === byte)) return null;
    const state = this.state.step(byte);
    if (!state) return null;
    if (!spans) return new Place(copy, state, state.inString && byte === quote ? copy.starts : null);
    if (atQuote) return copy.endsAt(spans) ? new Place(copy, state, null) : null;
    return new Place(
      copy,
      state,
      spans.filter((at) => copy.bytes[at] === byte).map((at) => at + 1),
    );
  }
}

/** Letters and digits of scripts that put spaces between words. */
function isWord(char: string | undefined): boolean {
  return (
    char !== undefined && /[\p{L}\p{N}]/u.test(char) && !/[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]/u.test(char)
  );
}

const utf8 = new TextEncoder();
