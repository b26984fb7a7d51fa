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

/** The day that a word names, with or without its end and an "s"; -1 for none. `least`: letters that it takes. */
export function dayOf(word: string, least = 3): number {
  const bare = word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word;
  return bare.length < least ? -1 : week.findIndex((day) => day.startsWith(bare));
}

/**
 * The days of a text in small letters, 0 for Monday, in the week's order, if it says a group of them; else none. `isTurned`: it
 * takes something back or out, as "every day but sunday".
 */
export function groupIn(text: string, isTurned = false): number[] {
  const said = [...text.matchAll(words(text))].map(({ 0: word, index }) => ({ word, index, day: dayOf(word) }));
  const days = new Set<number>();
  let isGroup = false;
  const add = (from: number, to: number) => {
    isGroup = true;
    for (let i = 0; i <= (to - from + 7) % 7; i++) days.add((from + i) % 7);
  };
  let isDaily = false;
  for (const [i, { word, index, day }] of said.entries()) {
    const [last, next, third] = [said[i - 1]?.word ?? "", said.at(i + 1), said.at(i + 2)];
    const isEvery = every.test(last);
    const isDays = next?.word === "days" || (isEvery && next?.word === "day");
    if (day >= 0) {
      days.add(day);
      if (next && next.day >= 0 && dash.test(text.slice(index + word.length, next.index))) add(day, next.day);
      else if (next && third && third.day >= 0 && upTo.test(next.word)) add(day, third.day);
    } else if (/^(?:weekdays?|workdays)$/.test(word)) add(0, 4);
    else if (isDays && /^(?:week|work|working|business)$/.test(word)) add(0, 4);
    else if (/^weekends?$/.test(word)) add(5, 6);
    else if (
      (word === "daily" && (isTurned || !next || next.word === "at")) ||
      (next?.word === "day" && every.test(word))
    )
      isDaily = true;
    else if (word === "all" && isDays) isDaily = true;
  }
  // "The daily report, on Mondays" is of no group.
  if (isDaily) return days.size && !isTurned ? [] : week.map((_, day) => day);
  return isGroup ? [...days].sort() : [];
}
