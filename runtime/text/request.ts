/**
 * A request as people type it → as the model reads it, and back to their own words.
 *
 *   typed   "TEXT  MUM:\tI’M ON MY WAY — SOON\r\n"
 *   read    "text mum: i'm on my way - soon"
 *
 * Typographic quotes, dashes and ellipses and full-width characters become plain ones, white space one space and none at the ends, a letter with
 * marks of its own one character (NFC), invisible characters nothing; capitals small letters where nearly all are capitals
 * or every word begins with one.
 */
import { CapacityError } from "../errors.ts";
import { patternOf } from "./letters.ts";

/** A request in both forms; offsets are UTF-16. */
export interface Request {
  /** As the model reads it. */
  readonly text: string;
  /** As it was typed, with U+FFFD for half a surrogate pair. */
  readonly typed: string;
  /** Where a part of `text` that is not empty stands in `typed`. */
  typedSpan(start: number, end: number): { start: number; end: number };
}

/** More than any prompt holds. */
export const mostRequestCharacters = 65_536;

/** White space and invisible characters, those that say which way to read among them. */
const spaces = String.raw`[\s\u0085\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]`;

const space = new RegExp(spaces);
/** Of those a run, a letter with its marks, or any other character. */
const pieces = patternOf(`${spaces}+|[\\p{L}][\\p{M}]+|.`, "gsu");
const capitals = patternOf(String.raw`[\p{Lu}]`, "gu");
const smallLetters = patternOf(String.raw`[\p{Ll}]`, "gu");
const initials = patternOf(String.raw`(?<![\p{L}\p{N}'])[\p{L}]`, "gu");

const plain = new Map(
  [
    ["'", "‘’‚‛ʼ′´`"],
    ['"', "“”„‟″«»"],
    ["-", "‐‑‒–—―−"],
    ["...", "…"],
  ].flatMap(([to, from]) => [...from].map((character) => [character, to])),
);

/** Throws: TypeError for what is no string, RangeError for no text, CapacityError for more than any prompt holds. */
export function readRequest(given: string): Request {
  if (typeof given !== "string") {
    const got = given === null ? "null" : typeof given;
    throw new TypeError(`request: expected text, got ${got}; pass what the user said as a string`);
  }
  const { length } = given;
  if (length > mostRequestCharacters) {
    const over = `expected at most ${mostRequestCharacters} characters, got ${length}; shorten the request`;
    throw new CapacityError("request", length, mostRequestCharacters, over);
  }
  // Half a pair, as of a text that was cut, is no character: no device could be told it.
  const typed = given.replace(/\p{Surrogate}/gu, "\ufffd");
  const { text, starts, ends } = read(typed);
  // A tokenizer writes a space as ▁.
  if (/^[ ▁]*$/.test(text)) throw new RangeError("request: expected text, got none; say what to do");
  return {
    text: isShouted(text) || isTitled(text) ? lowerCased(text) : text,
    typed,
    typedSpan: (start, end) => ({ start: starts[start], end: ends[end - 1] }),
  };
}

/** A text as a request would be read, in its own letter case. */
export function plainText(text: string): string {
  return read(text).text;
}

/** `starts` and `ends`, by character of the text as read: the piece that it was typed as. */
function read(typed: string): { text: string; starts: number[]; ends: number[] } {
  let text = "";
  const [starts, ends]: [number[], number[]] = [[], []];
  for (const { 0: piece, index } of typed.matchAll(pieces(typed))) {
    const end = index + piece.length;
    const isEdge = index === 0 || end === typed.length;
    const isSeen = !isEdge && /[\s\u0085]/.test(piece);
    const read = space.test(piece) ? (isSeen ? " " : "") : plainOf(piece);
    text += read;
    for (let i = 0; i < read.length; i++) {
      starts.push(index);
      ends.push(end);
    }
  }
  return { text, starts, ends };
}

/** Small letters, where those have the same length, so that offsets stay. */
export function lowerCased(text: string): string {
  return text.replace(capitals(text), (letter) => {
    const small = letter.toLowerCase();
    return small.length === letter.length ? small : letter;
  });
}

function plainOf(piece: string): string {
  // Full-width forms stand in the order of ASCII.
  if (/^[！-～]$/.test(piece)) return String.fromCharCode(piece.charCodeAt(0) - 0xfee0);
  return plain.get(piece) ?? piece.normalize();
}

/** A few small letters may stand between capitals: "SET A TIMER FOR 5 min". */
function isShouted(text: string): boolean {
  const [large, small] = [capitals, smallLetters].map((kind) => text.match(kind(text))?.length ?? 0);
  return large > 1 && 4 * small <= large;
}

/** "Turn Off The Lights": capitals that tell no name from another word. */
function isTitled(text: string): boolean {
  const words = text.match(initials(text)) ?? [];
  return words.length > 2 && words.every((first) => first.match(capitals(first)));
}
