/**
 * Days of the week as an English text says them: "mondays", "wed", and as a group "mon-fri", "weekdays", "daily".
 *
 * Cases, for implementations in other languages too: test/fixtures/days.json.
 */
import { patternOf } from "./letters.ts";

const week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const words = patternOf(String.raw`[\p{L}\p{N}]+`, "gu");
const upTo = /^(?:to|thru|through|till?|until)$/;
const every = /^(?:every|each)$/;
const dash = /^ ?[-\u2013\u2014] ?$/;
const outOf = /^(?:but|not|except|without|excluding|minus|apart|aside|other|save)$/;
const joining = /^(?:and|plus|also|or)$/;
const within = /^(?:on|the|at|every|each)$/;
const listing = /^(?:and|or|on|the|every)$/;
/** Days side by side that are a group: "monday, wednesday and friday". */
const leastListed = 3;
const onward = /^(?:for|on|the|and|or|from|than|at)$/;

/** Words from one day to another that is said elsewhere. */
const apart = 4;

/** Words that take something back, or out. */
export const taking: ReadonlySet<string> = new Set(
  "no not but except without actually sorry mean wait only move change".split(" "),
);

/** The day that a word names, with or without its end and an "s"; -1 for none. `least`: letters that it takes. */
export function dayOf(word: string, least = 3): number {
  const bare = word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word;
  return bare.length < least ? -1 : week.findIndex((day) => day.startsWith(bare));
}

/**
 * The days of a text in small letters, 0 for Monday, in the week's order, if it says a group of them, without those that it takes
 * out, "every day but sunday"; else none. Null: a group, of which something else is taken back.
 */
export function groupIn(text: string): number[] | null {
  const said = [...text.matchAll(words(text))].map(({ 0: word, index }) => ({ word, index, day: dayOf(word) }));
  const [days, out] = [new Set<number>(), new Set<number>()];
  let [isGroup, isDaily, isTurned] = [false, false, false];
  // Days are taken out, and whether a word that takes one is still without it.
  let [isOut, isHeld] = [false, false];
  let listed = 0;
  // "Only" takes something back where days are said in two places.
  let [isOnly, places, lastAt] = [false, 0, -apart];
  const isNear = ({ word }: { word: string }) => !within.test(word);
  const joins = (one: { word: string; day: number } | undefined) =>
    one !== undefined && (one.day >= 0 || joining.test(one.word) || upTo.test(one.word));
  for (const [i, { word, index, day }] of said.entries()) {
    const [last, next, third] = [said[i - 1]?.word ?? "", said.at(i + 1), said.at(i + 2)];
    const isEvery = every.test(last);
    const isDays = next?.word === "days" || (isEvery && next?.word === "day");
    const add = (from: number, to: number, isOne = false) => {
      for (let i = 0; i <= (to - from + 7) % 7; i++) (isOut ? out : days).add((from + i) % 7);
      isGroup ||= !isOut && !isOne;
    };
    if (day < 0 && !listing.test(word)) listed = 0;
    if (day >= 0) {
      listed++;
      add(day, day, listed < leastListed);
      if (next && next.day >= 0 && dash.test(text.slice(index + word.length, next.index))) add(day, next.day);
      else if (next && third && third.day >= 0 && upTo.test(next.word)) add(day, third.day);
      // "It's Sunday, wake me on weekdays", "never on Sunday".
      else if (!isOut && ![said.slice(0, i).findLast(isNear), said.slice(i + 1).find(isNear)].some(joins))
        isTurned = true;
    } else if (/^(?:weekdays?|workdays)$/.test(word)) add(0, 4);
    else if (isDays && /^(?:week|work|working|business)$/.test(word)) add(0, 4);
    else if (/^weekends?$/.test(word)) add(5, 6);
    else {
      const isWeek = isDays ? word === "all" : next?.word === "day" && every.test(word);
      const isAll =
        isWeek || (/^(?:daily|everyday)$/.test(word) && (!next || next.word === "at" || outOf.test(next.word)));
      isDaily ||= isAll;
      isOnly ||= word === "only";
      const goesOut = outOf.test(word);
      const goesOn = !goesOut && isOut && (onward.test(word) || upTo.test(word));
      const turns = isHeld || (taking.has(word) && word !== "only");
      if (!goesOn) [isTurned, isHeld, isOut] = [isTurned || (turns && !goesOut), turns && goesOut, goesOut];
      if (!isAll) continue;
    }
    if (i >= lastAt + apart) places++;
    [lastAt, isHeld] = [i, false];
  }
  isTurned ||= isHeld || (isOnly && places > 1);
  if (!isGroup && !isDaily) return [];
  if (isDaily && days.size && !isGroup) return isTurned || out.size ? null : [];
  const all = isGroup ? [...days].sort() : week.map((_, day) => day);
  const left = all.filter((day) => !out.has(day));
  return isTurned || !left.length || left.length + out.size > all.length ? null : left;
}
