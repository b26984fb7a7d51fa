/** How numbers are said, and what a value is: its text and what it means. */
import type { Random } from "./random.ts";

/** What is said, and what the answer holds: the same text where `value` is absent. */
export interface Fill {
  text: string;
  value?: string | number | boolean;
}

export type Maker = (random: Random) => string | Fill;

export const ones =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const tens = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** 0 to 999,999 in words: "a hundred and five" is said "one hundred five". */
export function numberWords(n: number): string {
  if (n < 20) return ones[n];
  if (n < 100) return tens[Math.floor(n / 10)] + (n % 10 ? ` ${ones[n % 10]}` : "");
  const [unit, word] = n < 1000 ? [100, "hundred"] : [1000, "thousand"];
  return `${numberWords(Math.floor(n / unit))} ${word}${n % unit ? ` ${numberWords(n % unit)}` : ""}`;
}
