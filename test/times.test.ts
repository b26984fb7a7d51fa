/** Times of day and days of the week, as requests say them. */
import { expect, test } from "bun:test";
import { dayOf, groupIn } from "../runtime/text/days.ts";
import { numbersIn } from "../runtime/text/numbers.ts";
import { timesIn } from "../runtime/text/timeofday.ts";
import { fixture } from "./support.ts";

const times: { about: string; text: string; says: { hours: number[]; minute: number; isEither?: true }[] }[] =
  await Bun.file(fixture("timeofday.json")).json();
for (const { about, text, says } of times) {
  test(`times of day: ${about}: ${text}`, () => {
    for (const typed of [text, text.toUpperCase()]) {
      const found = timesIn(typed, numbersIn(typed)).map(({ parts: _, start: _s, end: _e, ...said }) => said);
      expect([typed, found]).toEqual([typed, says]);
    }
  });
}

const groups: { text: string; days: number[] | null }[] = await Bun.file(fixture("days.json")).json();
for (const { text, days } of groups)
  test(`groups of days: ${text}`, () => expect(groupIn(text.toLowerCase())).toEqual(days));

test("a day is said with or without its end and an s, from three letters on", () => {
  expect(["monday", "mondays", "mon", "mons", "tues", "thurs", "wednes", "sun"].map((word) => dayOf(word))).toEqual([
    0, 0, 0, 0, 1, 3, 2, 6,
  ]);
  expect(["mo", "monda", "money", "sunny", "fries", "s", ""].map((word) => dayOf(word))).toEqual([
    -1, 0, -1, -1, -1, -1, -1,
  ]);
  expect(["mo", "we", "su", "m"].map((word) => dayOf(word, 2))).toEqual([0, 2, 6, -1]);
});
