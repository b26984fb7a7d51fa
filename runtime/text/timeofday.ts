/**
 * Times of day that an English text says by the words of a clock: "half past six", "ten to seven", "8 pm", "at 7", "noon".
 * Those of digits and of numbers side by side ("6:20", "six thirty") count where a part of the day goes with them.
 *
 * Cases, for implementations in other languages too: test/fixtures/timeofday.json.
 */
import type { SaidNumber } from "./numbers.ts";
import { lowerCased } from "./request.ts";

export interface TimeOfDay {
  /** Of 24; the second by a clock of twelve: 20 and 8 of "8 pm". */
  hours: readonly number[];
  /** The second may be meant by a clock of 24 too. */
  isEither?: true;
  minute: number;
  /** Its numbers. */
  parts: readonly SaidNumber[];
  /** UTF-16 offsets of those, or of its name. */
  start: number;
  end: number;
}

const joint = /^ (?:minutes? )?(past|after|to|before|till?) $/;
const pair = /^(?::| (?:oh? )?)$/;
const half = /^(?: o[^a-z]?clock(?![a-z]))? ?([ap])\.? ?m(?![a-z])/;
const clock = /^ ?o[^a-z]?clock(?![a-z])/;
const part =
  /^(?: o[^a-z]?clock(?![a-z]))?(?: (?:tomorrow|today))?(?: (?:in|at|this)(?: the)?)? (morning|afternoon|evening|night|tonight)(?![a-z])/;
const partBefore =
  /(?<![a-z])(morning|afternoon|evening|night|tonight),?(?: (?:at|by|around|about|from|until|till))? $/;
const at = /(?<![a-z])(?:at|by|around|about|until|till) $/;
const range = /(?<![a-z])(?:from|between) $/;
const through = /^(?: (?:to|and|until|till) | ?[-\u2013] ?)$/;
/** What may follow "at 7" where no noun does. */
const end = /^(?:$|[,.;!?](?!\d)| (?:tomorrow|today|tonight|in|on|every|please|and|sharp|this)(?![a-z]))/;
const late = /(?<![a-z])(?:evening|afternoon|tonight|night)(?![a-z])/;
const named = /(?<![a-z])(?:noon|midday|midnight)(?![a-z])/g;

/** Of "tonight" and "at night" the first hour before midnight. */
const firstOfNight = 5;

/** Half of the day of an hour of a clock of twelve: "a", "p", or "" where nothing at its place tells. */
function halfOf(hour: number, before: string, after: string): string {
  const sign = half.exec(after)?.[1];
  const day = part.exec(after)?.[1] ?? partBefore.exec(before)?.[1];
  if (sign || !day) return sign ?? "";
  if (!day.endsWith("night")) return day === "morning" ? "a" : "p";
  return hour >= firstOfNight && hour < 12 ? "p" : "a";
}

/** `numbers`: those of the text, in their order, none within another. */
export function timesIn(text: string, numbers: readonly SaidNumber[]): TimeOfDay[] {
  const small = lowerCased(text);
  const isLate = late.test(small);
  const times: TimeOfDay[] = [];
  const add = (hour: number, minute: number, parts: readonly SaidNumber[], signAt = parts[parts.length - 1].end) => {
    const [{ start }, { end }] = [parts[0], parts[parts.length - 1]];
    const sign = halfOf(hour, small.slice(0, start), small.slice(signAt));
    const other = (hour + 12) % 24;
    const isOther = hour < 12 ? sign === "p" : hour === 12 && sign === "a";
    const isEither = hour <= 12 && !sign && isLate;
    // By a clock of twelve midnight is 12.
    times.push({
      hours: isOther || isEither ? [other, hour] : [hour],
      minute,
      parts,
      start,
      end,
      ...(isEither && { isEither }),
    });
  };
  let isTaken = false;
  for (const [i, one] of numbers.entries()) {
    const next = numbers.at(i + 1);
    const [before, rest] = [small.slice(0, one.start), small.slice(one.end)];
    const between = next ? small.slice(one.end, next.start) : "";
    const word = joint.exec(between)?.[1];
    // "10 to 12" may be two hours, "ten to twelve" and "at 10 to 12" are one.
    const isOne = one.inWords || word === "past" || word === "after" || at.test(before);
    if (isTaken) isTaken = false;
    else if (next && word && isOne && isHour(next.value) && !range.test(before)) {
      const past = minuteOf(one, word);
      if (past === undefined) continue;
      add(past < 0 ? (next.value + 23) % 24 || 12 : next.value, (past + 60) % 60, [one, next]);
      isTaken = true;
    } else if (next && one.value === 0.5 && one.inWords && between === " " && isHour(next.value)) {
      add(next.value, 30, [one, next]);
      isTaken = true;
    } else if (!isHour(one.value)) continue;
    else if (next && pair.test(between) && isMinute(next.value)) {
      add(one.value, next.value, [one, next]);
      isTaken = true;
    } else if ([half, clock, part].some((after) => after.test(rest)) || (at.test(before) && end.test(rest)))
      add(one.value, 0, [one]);
    else if (
      next &&
      through.test(between) &&
      one.value < next.value &&
      next.value < 12 &&
      half.test(small.slice(next.end))
    )
      add(one.value, 0, [one], next.end);
  }
  for (const { 0: name, index: start } of small.matchAll(named)) {
    const noon = name === "midnight" ? 0 : 12;
    const one = numbers.find((number) => joint.test(small.slice(number.end, start)));
    const past = one && minuteOf(one, joint.exec(small.slice(one.end, start))?.[1]);
    const place = { start: past === undefined ? start : (one?.start ?? start), end: start + name.length };
    const hours = [past && past < 0 ? (noon + 23) % 24 : noon];
    times.push({ hours, minute: ((past ?? 0) + 60) % 60, parts: one && past !== undefined ? [one] : [], ...place });
  }
  return times;
}

/** Minutes past the hour, or less than none before it; undefined for what is no number of minutes. */
function minuteOf(one: SaidNumber, word: string | undefined): number | undefined {
  const minute = one.value < 1 ? one.value * 60 : one.value;
  const isPast = word === "past" || word === "after";
  // "Open 6 to 8" says two hours, "twenty to eight" one.
  if (!isMinute(minute) || !minute || (!isPast && minute % 5)) return undefined;
  return isPast ? minute : -minute;
}

const isHour = (value: number) => Number.isInteger(value) && value >= 0 && value <= 24;
const isMinute = (value: number) => Number.isInteger(value) && value >= 0 && value < 60;
