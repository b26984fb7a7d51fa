/** Times as people say them: of the clock, of the calendar, and how long. */
import { type Fill, type Maker, numberWords, ones } from "./numerals.ts";
import type { Random } from "./random.ts";
import { pools } from "./words.ts";

const minutesWord = ["00", "05", "10", "15", "20", "25", "30", "35", "40", "45", "50", "55"];
export const clock: Maker = (random) => {
  const hour = random.between(1, 12);
  const half = random.pick(["am", "pm", "am", "pm", "AM", "PM", "a.m.", "p.m."]);
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return `${hour}:${random.pick(minutesWord)} ${half}`;
    case 2:
      return `${hour} ${half}`;
    case 3:
      return `${hour}${half.replaceAll(".", "").toLowerCase()}`;
    case 4:
      return random.chance(0.5)
        ? `${random.between(0, 23)}:${random.pick(minutesWord)}`
        : `${hour}:${random.between(10, 59)}`;
    case 5:
      return random.pick(["noon", "midnight", "sunrise", "sunset", "midday"]);
    case 6:
      return `${random.pick(["half past", "quarter past", "quarter to", "ten to", "five past", "twenty past"])} ${ones[hour]}`;
    case 7:
      return `${ones[hour]} ${random.pick(["thirty", "fifteen", "forty five", "o'clock", "twenty", "oh five"])}`;
    case 8:
      return `${random.chance(0.5) ? ones[hour] : hour} ${random.pick(["in the morning", "in the evening", "in the afternoon", "at night", "o'clock"])}`;
    default:
      return `${ones[hour]} ${half.replaceAll(".", "").toLowerCase()}`;
  }
};

const ordinalEnd = (n: number) => (n > 3 && n < 21 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th"));
export const day: Maker = (random) => {
  const date = random.between(1, 28);
  const [month, weekday] = [random.pick(pools.month), random.pick(pools.weekday)];
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return random.pick(["tomorrow", "today", "tomorrow", "the day after tomorrow", "tonight"]);
    case 2:
    case 3:
      return weekday;
    case 4:
      return `${random.pick(["next", "this", "next"])} ${weekday}`;
    case 5:
      return random.pick([
        "next week",
        "this weekend",
        "next month",
        "this week",
        "next weekend",
        "in two days",
        "in a week",
      ]);
    case 6:
      return `${month} ${date}${random.chance(0.5) ? ordinalEnd(date) : ""}`;
    case 7:
      return `the ${date}${ordinalEnd(date)}${random.chance(0.6) ? ` of ${month}` : ""}`;
    case 8:
      return `${weekday} ${random.pick(["morning", "afternoon", "evening", "night"])}`;
    default:
      return random.pick([
        `${date}/${random.between(1, 12)}`,
        `${weekday} the ${date}${ordinalEnd(date)}`,
        `${date} ${month}`,
        `tomorrow morning`,
      ]);
  }
};

/** Earlier days first. */
const ranks = [
  /^last month$/,
  /^two weeks ago$/,
  /^last week$/,
  /^yesterday$/,
  /^(today|tonight)$/,
  /^tomorrow/,
  /^(the day after tomorrow|in two days)$/,
  /^this week/,
  /^(in a week|next week)/,
  /^next month$/,
];
/** Where a day stands among those that need no calendar to compare; -1 for others, such as "Friday". */
export const dayRank = (text: string): number => ranks.findIndex((rank) => rank.test(text));

export const counted = (n: number, unit: string) => `${n} ${unit}${n === 1 ? "" : "s"}`;
const units = ["second", "minute", "minute", "minute", "hour"];
export const duration: Maker = (random) => {
  const unit = random.pick(units);
  const most = unit === "hour" ? 12 : 59;
  const n = random.chance(0.5) ? Math.max(1, Math.round(random.between(1, most) / 5) * 5) : random.between(1, most);
  const said = random.chance(0.3) ? numberWords(n) : String(n);
  const plural = n === 1 ? "" : "s";
  switch (random.between(0, 9)) {
    case 0:
      return random.pick([
        "half an hour",
        "an hour",
        "a minute",
        "an hour and a half",
        "a quarter of an hour",
        "one and a half hours",
        "two and a half minutes",
        "45 min",
        "90 secs",
        "a couple of minutes",
      ]);
    case 1:
      return `${counted(random.between(1, 5), "hour")} and ${counted(random.between(1, 59), "minute")}`;
    case 2:
      return `${counted(random.between(1, 20), "minute")}${random.chance(0.5) ? " and" : ""} ${counted(random.between(1, 59), "second")}`;
    default:
      return `${said} ${unit}${plural}`;
  }
};

/** A length said in its own units, and what it is in the unit of so many seconds. */
export function lengthIn(unitSeconds: number, random: Random): Fill {
  const n = random.between(2, 9);
  const count = random.chance(0.6) ? numberWords(n) : String(n);
  const minutes = random.pick([5, 10, 15, 20, 30, 40, 45]);
  const long: [string, number][] = [
    ["half an hour", 1800],
    ["an hour and a half", 5400],
    ["a quarter of an hour", 900],
    ["three quarters of an hour", 2700],
    ["an hour", 3600],
    ["an hour and a quarter", 4500],
    [`${count} hours`, 3600 * n],
    [`${count} and a half hours`, 3600 * n + 1800],
    [`${count} hours and a half`, 3600 * n + 1800],
    ["one and a half hours", 5400],
    [`1 hour ${minutes} minutes`, 3600 + 60 * minutes],
    [`an hour and ${random.chance(0.5) ? numberWords(minutes) : minutes} minutes`, 3600 + 60 * minutes],
    ["a couple of hours", 7200],
    [`${minutes} minutes`, 60 * minutes],
    [`${count} minutes`, 60 * n],
  ];
  const short: [string, number][] = [
    ["half a minute", 30],
    ["a minute", 60],
    ["a minute and a half", 90],
    [`${count} minutes`, 60 * n],
    [`${count} and a half minutes`, 60 * n + 30],
    [`1 minute ${minutes} seconds`, 60 + minutes],
    [`a minute and ${minutes} seconds`, 60 + minutes],
    ["a quarter of an hour", 900],
    [`${minutes} seconds`, minutes],
    ["a couple of minutes", 120],
  ];
  const [text, seconds] = random.pick(unitSeconds === 1 ? short : unitSeconds === 60 ? long : long.slice(0, 10));
  return { text, value: seconds / unitSeconds };
}
