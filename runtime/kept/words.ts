/**
 * The words of a list of tools, for a device to score them by a request's (tools/words.ts). Little-endian:
 *
 *    0   4  W, words
 *    4   4  zero
 *    8 8·(N+1)  f64, for 0 … N: what a word counts that matches so many of the N tools
 *   .. 12·W  a row a word: u32 where its bytes are, u16 how many, u16 P of its places, u32 where those are
 *   ..      places, u16 a tool, u16 what the word counts for it in quarters; bytes of the words, UTF-8
 *
 * All from the start of the part.
 */
import { pad } from "../../wasm/abi.ts";
import type { ToolSet } from "../tools/tools.ts";
import { toolWordsOf, weightOf } from "../tools/words.ts";

const rowBytes = 12;

export function writeWords(set: ToolSet): Uint8Array {
  const places = new Map<string, [tool: number, quarters: number][]>();
  for (const [tool, words] of toolWordsOf(set).entries())
    for (const [word, weight] of words) {
      const known = places.get(word) ?? [];
      known.push([tool, 4 * weight]);
      places.set(word, known);
    }
  const words = [...places].map(([word, found]) => ({ bytes: utf8.encode(word), found }));
  const { length } = set.tools;
  const rowsAt = 8 + 8 * (length + 1);
  let placesAt = rowsAt + rowBytes * words.length;
  let textAt = placesAt + 4 * words.reduce((sum, { found }) => sum + found.length, 0);
  const out = new Uint8Array(pad(textAt + words.reduce((sum, { bytes }) => sum + bytes.length, 0), 4));
  const view = new DataView(out.buffer);
  view.setUint32(0, words.length, true);
  for (let matched = 0; matched <= length; matched++) view.setFloat64(8 + 8 * matched, weightOf(matched, length), true);
  for (const [i, { bytes, found }] of words.entries()) {
    const row = rowsAt + rowBytes * i;
    view.setUint32(row, textAt, true);
    view.setUint16(row + 4, bytes.length, true);
    view.setUint16(row + 6, found.length, true);
    view.setUint32(row + 8, placesAt, true);
    out.set(bytes, textAt);
    textAt += bytes.length;
    for (const [tool, quarters] of found) {
      view.setUint16(placesAt, tool, true);
      view.setUint16(placesAt + 2, quarters, true);
      placesAt += 4;
    }
  }
  return out;
}

const utf8 = new TextEncoder();
