import { expect, test } from "bun:test";
import { numbersIn } from "../runtime/text/numbers.ts";
import { fixture, seeded } from "./support.ts";

interface NumberCase {
  about: string;
  text: string;
  says: number[];
}
const cases: NumberCase[] = await Bun.file(fixture("numbers.json")).json();

test.each(cases)("$about: $text", ({ text, says }) => {
  expect(numbersIn(text).map(({ value }) => value)).toEqual(says);
});

test("a number stands where its words stand", () => {
  const text = "Walk Two Hundred and five steps, 2 dozen × 1½, in −5 °C";
  expect(numbersIn(text).map(({ start, end, inWords }) => [text.slice(start, end), inWords])).toEqual([
    ["Two Hundred and five", true],
    ["2 dozen", true],
    ["1½", true],
    ["−5", false],
  ]);
});

test.each([
  ["log 2,5 kg", 2],
  ["1.500,5 and 10.000", 3],
  ["version 1.2.3", 2],
  ["1,2345", 2],
  [".5.3", 2],
  ["2,5 million", 2],
  ["10 000, 1 299 000", 5],
  ["1,50,000", 2],
  ["4o percent, 4OO, 13o/85, l5, I0, O5 and 4o5", 8],
  ["5opercent, 1,OOO, 5.o5, 1.l5, 5:oo, 4oo5, 4o's", 10],
  ["6oclock, 3o'clock, 3O’clock, 5oz, 20oC, 5on, 9off, 4l, 5 o, all5, 20ø", 0],
  ["1,234.5, 0.500, 1,2,3, 12.5, 1234.567, 12 5000, 1 2 3, 012 34, 1,000,000", 0],
])("of %p %p numbers may be cut by a mark, a space or a letter", (text, count) => {
  expect(numbersIn(text).filter(({ isCut }) => isCut)).toHaveLength(count);
});

test("letter case makes no difference", () => {
  for (const { text, says } of cases) expect(numbersIn(text.toUpperCase()).map(({ value }) => value)).toEqual(says);
});

test("any words in any order are read to their end, and numbers stand in order within the text", () => {
  const random = seeded(3);
  const words = [...new Set(cases.flatMap(({ text }) => text.split(/\b/)))];
  for (let turn = 0; turn < 3000; turn++) {
    const text = Array.from({ length: 1 + random() * 12 }, () => words[Math.floor(random() * words.length)]).join("");
    let before = 0;
    for (const { value, start, end } of numbersIn(text)) {
      expect(Number.isFinite(value)).toBe(true);
      expect(start).toBeGreaterThanOrEqual(before);
      expect(end).toBeGreaterThan(start);
      expect(end).toBeLessThanOrEqual(text.length);
      before = start;
    }
  }
});

test("the longest request of one word over and over is read to its end", () => {
  for (const word of [
    "two ",
    "hundred ",
    "a ",
    "and ",
    "half ",
    "point ",
    "1,",
    "1,234",
    "1",
    "1/2 ",
    "1 000 ",
    "and a half ",
  ])
    expect(numbersIn(word.repeat(65_536 / word.length))).toBeArray();
});
