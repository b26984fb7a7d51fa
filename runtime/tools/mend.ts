/**
 * A request with the tools' own words in place of what is none but a slip of the thumb away from one: "prehaet the ovne" reads "preheat
 * the oven" beside tools that say so. What is copied from there stays as it was typed. In C too: firmware/mcu/mend.c.
 */
import { isAscii } from "../text/letters.ts";
import { lowerCased, type Request } from "../text/request.ts";
import type { ToolSet } from "./tools.ts";
import { indexOf, isCommon, wordPattern } from "./words.ts";

/**
 * `isKnown`: whether a word, in small letters, is one that the model knows as it is. Left alone are those, words that the tools have or begin
 * or that begin theirs, words that might be two of theirs, names (what begins with a capital letter within the request), and all but plain letters.
 */
export function mended(request: Request, set: ToolSet, isKnown: (word: string) => boolean): Request {
  const index = indexOf(set);
  let [text, at] = ["", 0];
  const [starts, ends]: [number[], number[]] = [[], []];
  const add = (piece: string, start: number, end: number) => {
    const isSame = request.text.startsWith(piece, start);
    for (let i = 0; i < piece.length; i++) {
      starts.push(isSame ? start + i : start);
      ends.push(isSame ? start + i + 1 : end);
    }
    text += piece;
    at = end;
  };
  for (const { 0: word, index: start } of request.text.matchAll(wordPattern(request.text))) {
    const small = lowerCased(word);
    if (!letters.test(small) || (start && small !== word) || isCommon(small) || isKnown(small)) continue;
    const meant = index.begins(small) ? [] : [...index.words].filter((other) => isSlip(small, other) && isAscii(other));
    if (meant.length !== 1) continue;
    add(request.text.slice(at, start), at, start);
    add(meant[0], start, start + word.length);
  }
  if (!at) return request;
  add(request.text.slice(at), at, request.text.length);
  return { text, typed: request.typed, typedSpan: (start, end) => request.typedSpan(starts[start], ends[end - 1]) };
}

const letters = /^[a-z]+$/;

/** Letters that the shorter of two words has, where two are exchanged, one is left out or too many, or one is another. */
const [leastSwapped, leastMissing, leastOther] = [4, 5, 6];

/** Whether two words that begin alike are a slip apart. */
export function isSlip(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1 || short[0] !== long[0]) return false;
  let head = 1;
  while (head < short.length && short[head] === long[head]) head++;
  let tail = 0;
  while (tail < short.length - head && short.at(-1 - tail) === long.at(-1 - tail)) tail++;
  const left = short.slice(head, short.length - tail);
  const right = long.slice(head, long.length - tail);
  if (left.length === 2 && right.length === 2)
    return short.length >= leastSwapped && left[0] === right[1] && left[1] === right[0];
  return right.length === 1 && short.length >= (left ? leastOther : leastMissing);
}
