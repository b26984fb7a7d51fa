import { expect, test } from "bun:test";
import { numbersIn } from "../runtime/text/numbers.ts";
import { fixture, seeded } from "./support.ts";

interface NumberCase {
  about: string;
  text: string;
  /** null: NaN. */
  says: (number | null)[];
}
const written = (values: number[]) => values.map((value) => (Number.isNaN(value) ? null : value));
const cases: NumberCase[] = await Bun.file(fixture("numbers.json")).json();

test.each(cases)("$about: $text", ({ text, says }) => {
  expect(written(numbersIn(text).map(({ value }) => value))).toEqual(says);
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

test("letter case makes no difference", () => {
  for (const { text, says } of cases)
    expect(written(numbersIn(text.toUpperCase()).map(({ value }) => value))).toEqual(says);
});

test("any words in any order are read to their end, and numbers stand in order within the text", () => {
  const random = seeded(3);
  const words = [...new Set(cases.flatMap(({ text }) => text.split(/\b/)))];
  for (let turn = 0; turn < 3000; turn++) {
    const text = Array.from({ length: 1 + random() * 12 }, () => words[Math.floor(random() * words.length)]).join("");
    let before = 0;
    for (const { value, start, end } of numbersIn(text)) {
      expect(Math.abs(value)).not.toBe(Number.POSITIVE_INFINITY);
      expect(start).toBeGreaterThanOrEqual(before);
      expect(end).toBeGreaterThan(start);
      expect(end).toBeLessThanOrEqual(text.length);
      before = start;
    }
  }
});

test("the longest request of one word over and over is read to its end", () => {
  for (const word of ["two ", "hundred ", "a ", "and ", "half ", "point ", "1,", "1,234", "and a half "])
    expect(numbersIn(word.repeat(65_536 / word.length))).toBeArray();
});
