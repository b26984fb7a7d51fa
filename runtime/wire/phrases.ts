/** Strings → one text in which repeated phrases are single characters. WIRE.md draws it. */
import { CapacityError, FormatError } from "../errors.ts";
import { describe } from "../json.ts";

/** Characters of all strings together. */
export const mostText = 1 << 20;

/** Half a surrogate pair. */
export const torn = /\p{Surrogate}/u;

/** Longest phrase, in characters. */
const longest = 64;

/** Characters from the beginning of a text among which phrases are looked for, once for each code. */
const mostSearched = 1 << 13;

/**
 * Joins strings, a separator before each, and puts unused ASCII characters in the place of repeated phrases: each code
 * and its phrase then stand at the end of the text, so that a phrase may hold codes. Codes are listed last made first.
 * Greedy: the phrase that saves most, until none saves anything. Integers alone decide, so the bytes are the same everywhere.
 */
export function writePhrases(strings: readonly string[]): { text: string; codes: string } {
  if (!strings.length) return { text: "", codes: "" };
  const used = new Set(strings.join(""));
  const unused: string[] = [];
  for (let i = 0; i < 0x80 || (!unused.length && i < 0xd800); i++) {
    const character = String.fromCharCode(i);
    if (!used.has(character)) unused.push(character);
  }
  const [separator, ...unusedAscii] = unused;
  if (!separator) throw new CapacityError("tools", 1, 0, "expected a character that no string has");
  let text = strings.map((string) => separator + string).join("");
  if (text.length > mostText) {
    const over = `expected at most ${mostText} characters of text, got ${text.length}; leave out texts or tools`;
    throw new CapacityError("tools", text.length, mostText, over);
  }
  let codes = "";
  for (const code of unusedAscii) {
    const phrase = bestPhrase(text.slice(0, mostSearched));
    if (!phrase) break;
    text = text.split(phrase).join(code) + code + phrase;
    codes = code + codes;
  }
  return { text, codes };
}

/** The phrase that saves most characters, if any does: runs of suffixes, once sorted, that begin alike. */
function bestPhrase(text: string): string | null {
  const suffixes = Array.from({ length: text.length }, (_, i) => text.slice(i, i + longest)).sort((a, b) =>
    a < b ? -1 : a > b ? 1 : 0,
  );
  // One code in the list, one before the phrase, and the phrase itself.
  const saving = (length: number, count: number) => count * (length - 1) - length - 2;
  let best: string | null = null;
  let most = 0;
  const runs: { length: number; from: number }[] = [{ length: 0, from: 0 }];
  for (let i = 1; i <= suffixes.length; i++) {
    const length = i < suffixes.length ? common(suffixes[i - 1], suffixes[i]) : 0;
    let from = i - 1;
    for (let run = runs[runs.length - 1]; run.length > length; run = runs[runs.length - 1]) {
      runs.pop();
      from = run.from;
      // A run counts occurrences that overlap: at least as many as can be replaced.
      if (saving(run.length, i - from) <= most) continue;
      const phrase = suffixes[from].slice(0, run.length);
      const saved = torn.test(phrase) ? 0 : saving(run.length, text.split(phrase).length - 1);
      if (saved > most) [best, most] = [phrase, saved];
    }
    if (length > runs[runs.length - 1].length) runs.push({ length, from });
  }
  return best;
}

function common(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Undoes writePhrases. Throws: FormatError for codes that are not there, or more text than the limit. */
export function readPhrases(packed: string, codes: string, offset: number): string[] {
  if (codes.length > 0x80) throw new FormatError("codes", offset, `expected at most 128, got ${codes.length}`);
  let text = packed;
  for (const code of codes) {
    const parts = text.split(code);
    const phrase = parts.pop() as string;
    if (!parts.length) throw new FormatError("codes", offset, `expected codes of the text, got ${describe(code)}`);
    const length = text.length + phrase.length * (parts.length - 1);
    if (length > mostText) throw new FormatError("text", offset, `expected at most ${mostText} characters`);
    text = parts.join(phrase);
  }
  const [separator = ""] = text;
  if (separator.length > 1) throw new FormatError("text", offset, `expected a separator, got ${describe(separator)}`);
  return text ? text.split(separator).slice(1) : [];
}
