/**
 * Keeps free strings to the request: a value is a run of whole words of it, as models trained to copy write it, and no
 * two values of a call share a word while another is left. Of 18,000 calls of the corpora with two free strings or more, two did.
 *
 *   request   wake me at 7:15 tomorrow        a value may begin at ^ and end at $
 *             ^    ^  ^  ^^^  ^
 *                 $  $  $ $$ $        $
 *
 * Enums, numbers, and strings whose length the schema limits or that stand beside an enum are the grammar's alone.
 */
import type { State } from "../grammar/automaton.ts";
import type { Grammar } from "../grammar/grammar.ts";
import type { Mask } from "../text/trie.ts";

const quote = 0x22;

/** Follows one answer. */
export class Copy {
  /** The request as the prompt shows it, escaped as inside a JSON string. */
  private readonly bytes: Uint8Array;
  /** Where a word or a mark begins, and those of words. */
  private readonly firsts: readonly number[];
  private readonly words: ReadonlySet<number>;
  private readonly ends: ReadonlySet<number>;
  private readonly used: boolean[];
  /** By place: whether a value may go on with that byte, which nothing has used, and still come to an end. */
  private free: boolean[] = [];
  /** Where a value may begin. */
  starts: readonly number[] = [];
  /** Places where the string that is open may go on; null outside of free strings. */
  private spans: readonly number[] | null = null;
  /** Bytes of the string that is open. */
  private length = 0;

  constructor(
    request: string,
    private readonly grammar: Grammar,
  ) {
    const chars = [...request.replace(/ +/g, " ").trim()];
    const [bytes, starts, words, ends]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (const [i, char] of chars.entries()) {
      const inWord = isWord(chars[i - 1]) && isWord(char);
      if (!inWord && !/\s/.test(char)) starts.push(bytes.length);
      if (!inWord && wordCharacter.test(char)) words.push(bytes.length);
      if (!inWord && !/\s/.test(chars[i - 1])) ends.push(bytes.length);
      bytes.push(...utf8.encode(JSON.stringify(char).slice(1, -1)));
    }
    ends.push(bytes.length);
    [this.bytes, this.firsts] = [Uint8Array.from(bytes), starts];
    [this.words, this.ends] = [new Set(words), new Set(ends)];
    this.used = bytes.map(() => false);
    this.mark(false);
  }

  get inString(): boolean {
    return this.spans !== null;
  }

  /** The grammar's tokens from a state less those that would leave the request. */
  mask(state: State): Mask {
    return this.spans || this.grammar.opensString(state)
      ? this.grammar.tokens.allowed(new Place(this, state, this.spans))
      : this.grammar.mask(state);
  }

  /** Follows tokens that the grammar forces or `mask` allows, from the state before them. Throws: Error for others. */
  advance(state: State, ids: readonly number[]): void {
    let place = new Place(this, state, this.spans);
    for (const byte of ids.flatMap((id) => [...this.grammar.tokens.vocabulary.bytesOf(id)])) {
      if (place.closesAt(byte)) this.use(place.spans ?? []);
      this.length = place.spans ? this.length + 1 : 0;
      const next = place.step(byte);
      if (!next) throw new Error(`copy: expected tokens that the mask allows, got ${ids.join()}`);
      place = next;
      if (place.state === this.grammar.afterCall) this.mark(false);
    }
    this.spans = place.spans;
  }

  /** Whether a value may go on with a byte at a place of the request. */
  takes(at: number, byte: number): boolean {
    return this.bytes[at] === byte && this.free[at];
  }

  /** Whether a value may end at one of the spans; an empty one may not. */
  endsAt(spans: readonly number[]): boolean {
    return spans !== this.starts && spans.some((at) => this.ends.has(at));
  }

  /** Marks the words of the value that ends, if it is one place's alone. */
  private use(spans: readonly number[]): void {
    const ends = spans.filter((at) => this.ends.has(at));
    if (ends.length === 1) this.mark(true, ends[0] - this.length, ends[0]);
  }

  /** Says of bytes of the request, all by default, whether they are used, and finds what is free then. */
  private mark(isUsed: boolean, start = 0, end = this.used.length): void {
    const used = this.used.fill(isUsed, start, end);
    let ending = true;
    for (let at = used.length - 1; at >= 0; at--) {
      this.free[at] = !used[at] && ending;
      ending = this.free[at] || this.ends.has(at);
    }
    this.starts = this.firsts.filter((at) => this.free[at]);
    // A value must come from somewhere, and marks alone are none.
    if (used.includes(true) && !this.starts.some((at) => this.words.has(at))) this.mark(false);
  }
}

/** A state of the grammar and, inside a free string, of the request. */
class Place {
  constructor(
    private readonly copy: Copy,
    readonly state: State,
    readonly spans: readonly number[] | null,
    /** A string has closed since the token began: what it used is known only after the token. */
    private readonly hasClosed = false,
  ) {}

  /** Escapes and long characters leave `inString` for a while: a string ends at a quote from within it, not before. */
  closesAt(byte: number): boolean {
    return this.spans !== null && this.state.inString && byte === quote;
  }

  step(byte: number): Place | null {
    const { copy, spans } = this;
    const closes = this.closesAt(byte);
    if (spans && this.hasClosed) return null;
    // Most bytes fall here: the request has them in few places, the grammar nearly everywhere.
    if (spans && !closes && !spans.some((at) => copy.takes(at, byte))) return null;
    const state = this.state.step(byte);
    if (!state) return null;
    if (!spans) return new Place(copy, state, state.inString && byte === quote ? copy.starts : null, this.hasClosed);
    if (closes) return copy.endsAt(spans) ? new Place(copy, state, null, true) : null;
    return new Place(
      copy,
      state,
      spans.filter((at) => copy.takes(at, byte)).map((at) => at + 1),
    );
  }
}

const wordCharacter = /[\p{L}\p{N}]/u;

/** Letters and digits of scripts that put spaces between words. */
function isWord(char: string | undefined): boolean {
  return char !== undefined && wordCharacter.test(char) && !/[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]/u.test(char);
}

const utf8 = new TextEncoder();
