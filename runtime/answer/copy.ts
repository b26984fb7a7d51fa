/**
 * The request's words, of which free strings are made: a value is a run of whole words, as models trained to copy write it,
 * and no two values of a call share a word while another is left. Of 18,000 calls of the corpora with two free strings or
 * more, two did.
 *
 *   request   wake me at 7:15 tomorrow        a value may begin at ^ and end at $
 *             ^    ^  ^  ^^^  ^
 *                 $  $  $ $$ $        $
 *
 * Where a schema limits a string's length, the runs are those of such a length; where there is none, nothing is copied.
 */

import { isOfWord, patternOf } from "../text/letters.ts";
import { fractionPattern } from "../text/numbers.ts";

/** Of the request: its bytes as the prompt shows them, escaped as inside a JSON string, and places among them. */
interface Request {
  bytes: Uint8Array;
  /** Where a word or a mark begins, and those of words. */
  firsts: readonly number[];
  words: ReadonlySet<number>;
  ends: ReadonlySet<number>;
  /** Characters before each byte, and before the end. */
  characters: Int32Array;
  /** The first end that has at least so many characters before it. */
  endAfter: Int32Array;
}

/** The words that values may still be made of. */
export class Words {
  /** By place: the first byte from there on that a value has used. */
  private readonly limit: Int32Array;

  private constructor(
    private readonly request: Request,
    private readonly used: Uint8Array,
  ) {
    this.limit = new Int32Array(used.length + 1).fill(used.length);
    for (let at = used.length - 1; at >= 0; at--) this.limit[at] = used[at] ? at : this.limit[at + 1];
  }

  static of(text: string): Words {
    const chars = [...withoutMark(text.replace(/ +/g, " ").trim())];
    const [bytes, characters]: number[][] = [[], []];
    const [firsts, words, ends]: number[][] = [[], [], []];
    let wasInNumber = false;
    for (const [i, char] of chars.entries()) {
      const isInNumber = i > 0 && withinNumber.test(chars.slice(i - 1, i + 7).join(""));
      const inWord = (isWord(chars[i - 1]) && isWord(char)) || isInNumber || wasInNumber;
      wasInNumber = isInNumber;
      if (!inWord && !/\s/.test(char)) firsts.push(bytes.length);
      if (!inWord && isOfWord(char)) words.push(bytes.length);
      if (!inWord && i > 0 && !/\s/.test(chars[i - 1])) ends.push(bytes.length);
      for (const byte of utf8.encode(JSON.stringify(char).slice(1, -1))) {
        characters.push(i);
        bytes.push(byte);
      }
    }
    if (chars.length) ends.push(bytes.length);
    characters.push(chars.length);
    const endAfter = new Int32Array(chars.length + 1).fill(bytes.length);
    for (const end of [...ends].reverse()) endAfter.fill(end, 0, characters[end] + 1);
    const request: Request = {
      bytes: Uint8Array.from(bytes),
      firsts,
      words: new Set(words),
      ends: new Set(ends),
      characters: Int32Array.from(characters),
      endAfter,
    };
    return new Words(request, new Uint8Array(bytes.length));
  }

  /** All of them again. */
  fresh(): Words {
    return this.used.includes(1) ? new Words(this.request, new Uint8Array(this.used.length)) : this;
  }

  /** Those less the ones of a value that ends at some places, if it is one place's alone. */
  without(places: readonly number[], lengthBytes: number): Words {
    const ends = places.filter((at) => this.request.ends.has(at));
    if (ends.length !== 1) return this;
    return new Words(this.request, this.used.slice().fill(1, ends[0] - lengthBytes, ends[0]));
  }

  /** Where a value of so many characters may begin. A value must come from somewhere, and marks alone are none. */
  starts(least: number, most: number): { words: Words; places: readonly number[] } {
    const { firsts, words } = this.request;
    const places = firsts.filter((at) => this.reaches(at, Math.max(1, least), most));
    if (places.some((at) => words.has(at)) || !this.used.includes(1)) return { words: this, places };
    return this.fresh().starts(least, most);
  }

  /** Whether a value goes on with a byte at a place. */
  takes(at: number, byte: number): boolean {
    return this.request.bytes[at] === byte && !this.used[at];
  }

  /** Whether a value, between two characters at a place, comes to an end after `least` to `most` more. */
  reaches(at: number, least: number, most: number): boolean {
    const { characters, endAfter } = this.request;
    const before = characters[at];
    if (before + least >= endAfter.length) return false;
    const end = endAfter[before + least];
    return characters[end] <= before + most && end <= this.limit[at];
  }

  /** What a value may go on with from a place to an end, `least` to `most` characters, as bytes in a string. */
  *rests(at: number, least: number, most: number): Generator<string> {
    const { bytes, ends, characters } = this.request;
    let rest = "";
    for (let end = at; characters[end] <= characters[at] + most; end++) {
      if (ends.has(end) && characters[end] >= characters[at] + least) yield rest;
      if (end === this.limit[at] || end === bytes.length) return;
      rest += String.fromCharCode(bytes[end]);
    }
  }

  endsAt(place: number): boolean {
    return this.request.ends.has(place);
  }
}

const asking = /^(?:(?:please|hey|hi|ok|okay|so|and),? )?(?:can|could|would|will),? (?:you|i|we),? /i;

/** "Could you text Ann that I'm late?" has a mark that is no value's: of 1,520 requests of this form none has it in one. */
const withoutMark = (text: string) => (asking.test(text) ? text.replace(/[ ?]+$/, "") : text);

const unspaced = patternOf(String.raw`[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]`, "u");

/** Letters and digits of scripts that put spaces between words. */
function isWord(char: string | undefined): boolean {
  return char !== undefined && isOfWord(char) && !unspaced(char).test(char);
}

/** What stands within "3,000", "7:15", "2.5", "1 1/2", beside which none of 480,000 values of the data begins or ends; not in "rooms 1,2,3" or a port. */
const withinNumber = new RegExp(
  String.raw`^[0-9](?:[./][0-9]|:[0-9]{1,2}(?![0-9])|,[0-9]{3}(?![0-9])| (?:${fractionPattern}|[\u00bc-\u00be]))`,
);

const utf8 = new TextEncoder();
