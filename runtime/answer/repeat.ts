/** How many of the same, and of calls: an identical call is written as often as the request asks for it, and a list has so many items. */
import type { Json } from "../json.ts";
import { isOfWord } from "../text/letters.ts";
import { unitOf } from "../text/units.ts";

/** The calls of an answer under way, by its bytes and where calls have ended among them. */
export class Calls {
  private readonly texts: string[] = [];

  constructor(
    private readonly request: string,
    private readonly most = Number.POSITIVE_INFINITY,
  ) {}

  /** Where the answer shall end, once a call has ended: before it if it is one too many, after it if it is the last. */
  end(bytes: readonly number[], callEnds: readonly number[]): number | undefined {
    if (this.isRepeat(bytes, callEnds)) return callEnds.at(-2);
    return callEnds.length >= this.most ? callEnds.at(-1) : undefined;
  }

  private isRepeat(bytes: readonly number[], callEnds: readonly number[]): boolean {
    const text = textOf(bytes, callEnds.at(-2), callEnds.at(-1));
    const before = this.texts.filter((other) => other === text).length;
    this.texts.push(text);
    return before > 0 && before >= timesAsked(this.request, text);
  }

  /** Whether what follows the last whole call is the beginning of one before. */
  begins(bytes: readonly number[], callEnds: readonly number[]): boolean {
    const last = callEnds.at(-1);
    if (last === undefined || bytes.length <= last) return false;
    const text = textOf(bytes, last);
    return this.texts.some((other) => other.startsWith(text));
  }
}

/** A call's text: after the space and the bracket, or after the comma that follows a call; without a last character that is not whole. */
function textOf(bytes: readonly number[], before = 1, end = bytes.length): string {
  return new TextDecoder().decode(Uint8Array.from(bytes.slice(before + 1, end)), { stream: true });
}

/** Of more nobody asks for by a number. */
const mostAsked = 12;

const counts: Readonly<Record<string, number>> = { two: 2, three: 3, four: 4, five: 5, six: 6 };

/**
 * How often a request asks for a call: as often as it says all of its values that it says at all, or the tool's name;
 * or as a number says that is none of its values: "two timers", "three times", "twice".
 */
export function timesAsked(request: string, call: string): number {
  const { name, arguments: values }: { name: string; arguments: Json } = JSON.parse(call);
  const text = request.toLowerCase();
  // Keys say nothing: "200 minutes" is one timer.
  const things = [name, ...scalars(values)].map((one) => one.toLowerCase());
  const said = scalars(values)
    .map((value) => occurrences(text, value.toLowerCase()))
    .filter((times) => times > 0);
  const named = name.split("_").map((word) => occurrences(text, word));
  const times = said.length ? Math.min(...said) : Math.max(1, ...named);
  const many = [...text.matchAll(/\b(twice|thrice)\b|\b(\d+|two|three|four|five|six) (\w+?)s\b/g)].map(
    ([, word, number, noun]) => {
      if (word) return word === "twice" ? 2 : 3;
      const isTold = noun === "time" || (!unitOf(noun) && things.some((thing) => thing.includes(noun)));
      const asked = counts[number] ?? Number(number);
      return isTold && asked <= mostAsked && !call.toLowerCase().includes(number) ? asked : 1;
    },
  );
  return Math.max(times, ...many);
}

/** Items of a list that says no maximum: one a word, or the twelve of "every month". */
export const mostItemsOf = (request: string) => Math.max(12, request.split(" ").length);

/** Strings and numbers within a value. */
function scalars(value: Json): string[] {
  if (typeof value === "string" || typeof value === "number") return value === "" ? [] : [String(value)];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(scalars) : [];
}

/** How often a text holds another as whole words. */
function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); part && at >= 0; at = text.indexOf(part, at + part.length)) {
    const end = at + part.length;
    if (!(isOfWord(text[at - 1]) && isOfWord(part[0])) && !(isOfWord(text[end]) && isOfWord(part.at(-1)))) count++;
  }
  return count;
}
