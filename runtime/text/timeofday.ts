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
const half = /^ ?([ap])\.? ?m(?![a-z])/;
const clock = /^ ?o[^a-z]?clock(?![a-z])/;
const part = /^ (?:(?:in|at) (?:the )?(?:morning|afternoon|evening|night)|tonight)(?![a-z])/;
const at = /(?<![a-z])(?:at|by|around|about|until|till) $/;
const range = /(?<![a-z])(?:from|between) $/;
/** What may follow "at 7" where no noun does. */
const end = /^(?:$|[,.;!?](?!\d)| (?:tomorrow|today|tonight|in|on|every|please|and|sharp|this)(?![a-z]))/;
const late = /(?<![a-z])(?:evening|afternoon|tonight|night)(?![a-z])/;
const early = /(?<![a-z])(?:morning|a\.?m)(?![a-z])/;
const named = /(?<![a-z])(?:noon|midday|midnight)(?![a-z])/g;

/** `numbers`: those of the text, in their order, none within another. */
export function timesIn(text: string, numbers: readonly SaidNumber[]): TimeOfDay[] {
  const small = lowerCased(text);
  const [isLate, isEarly] = [late.test(small), early.test(small)];
  const times: TimeOfDay[] = [];
  const add = (hour: number, minute: number, parts: readonly SaidNumber[]) => {
    const [{ start }, { end }] = [parts[0], parts[parts.length - 1]];
    const sign = half.exec(small.slice(end))?.[1];
    const isSecond = hour < 12 && (sign ? sign === "p" : isLate);
    const isNight = hour === 12 && !sign && isLate;
    const hours = isNight ? [0, 12] : isSecond ? [hour + 12, hour] : [hour];
    const isEither = isNight || (isSecond && !sign && isEarly);
    times.push({
      hours: hour === 12 && sign === "a" ? [0] : hours,
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
    if (isTaken) isTaken = false;
    else if (next && word && isHour(next.value) && !range.test(before)) {
      const minute = one.value < 1 ? one.value * 60 : one.value;
      const isPast = word === "past" || word === "after";
      // "Open 6 to 8" says two hours, "twenty to eight" one.
      if (!isMinute(minute) || !minute || (!isPast && minute % 5)) continue;
      if (isPast) add(next.value, minute, [one, next]);
      else add((next.value + 23) % 24 || 12, 60 - minute, [one, next]);
      isTaken = true;
    } else if (!isHour(one.value)) continue;
    else if (next && pair.test(between) && isMinute(next.value)) {
      add(one.value, next.value, [one, next]);
      isTaken = true;
    } else if ([half, clock, part].some((after) => after.test(rest)) || (at.test(before) && end.test(rest)))
      add(one.value, 0, [one]);
  }
  for (const { 0: name, index: start } of small.matchAll(named))
    times.push({ hours: [name === "midnight" ? 0 : 12], minute: 0, parts: [], start, end: start + name.length });
  return times;
}

const isHour = (value: number) => Number.isInteger(value) && value >= 0 && value <= 24;
const isMinute = (value: number) => Number.isInteger(value) && value >= 0 && value < 60;
