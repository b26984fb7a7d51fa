/**
 * A request with the tools' own words where it has none but for two letters exchanged or a doubled letter: "prehaet the ovne" reads "preheat
 * the oven" beside tools that say so. What is copied from there stays as it was typed. In C too: firmware/mcu/mend.c.
 *
 * Other slips are left to the model: "garbage" is a letter from "garage", and "rewind" from "remind", but no slip.
 */
import { lowerCased, type Request } from "../text/request.ts";
import type { ToolSet } from "./tools.ts";
import { indexOf } from "./words.ts";

/** Characters of a request that is mended: a device takes no more. */
const mostCharacters = 1040;

/** Words between spaces, before a mark at most: no part of an address, of a file's name, nor with a digit. */
const words = /(?:^| )([A-Za-z]+)(?=[!-/]?(?: |$))/g;

/**
 * `isKnown`: whether a word, in small letters, is one that the model knows as it is. Left alone are those, words that the tools have or begin
 * or that begin theirs, words that might be two of theirs, words that are said rightly elsewhere, and names: what has a capital letter within the request.
 */
export function mended(request: Request, set: ToolSet, isKnown: (word: string) => boolean): Request {
  if (request.text.length > mostCharacters) return request;
  const index = indexOf(set);
  const found = [...request.text.matchAll(words)].map(({ 0: piece, 1: word, index: at }) => {
    return { word, small: lowerCased(word), start: at + piece.length - word.length };
  });
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
  for (const { word, small, start } of found) {
    if ((start && small !== word) || isKnown(small) || index.begins(small)) continue;
    const meant = index.from(small[0]).filter((other) => isSlip(small, other));
    if (meant.length !== 1 || lowerCased(text + request.text.slice(at)).includes(meant[0])) continue;
    add(request.text.slice(at, start), at, start);
    add(meant[0], start, start + word.length);
  }
  if (!at) return request;
  add(request.text.slice(at), at, request.text.length);
  return { text, typed: request.typed, typedSpan: (start, end) => request.typedSpan(starts[start], ends[end - 1]) };
}

/** Letters that the shorter of two words has, where two are exchanged, or one is doubled. */
const [leastSwapped, leastDoubled] = [4, 5];

/** Whether two words that begin alike differ by two neighbouring letters exchanged, or by a letter that one has twice. */
export function isSlip(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  let head = 0;
  while (head < short.length && short[head] === long[head]) head++;
  if (!head) return false;
  if (long.length > short.length)
    return short.length >= leastDoubled && long[head] === long[head - 1] && long.slice(head + 1) === short.slice(head);
  const isSwapped = short[head] === long[head + 1] && short[head + 1] === long[head];
  return short.length >= leastSwapped && isSwapped && short.slice(head + 2) === long.slice(head + 2);
}
