/** Lengths of time as numbers: "an hour and a half" means 90 minutes, 1.5 hours, or 1 hour and 30 minutes. */

const ones = "one two three four five six seven eight nine".split(" ");
const teens = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(" ");
const tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const counts = new Map<string, number>([
  ["a", 1],
  ["an", 1],
  ["a couple of", 2],
  ["half a", 0.5],
  ["half an", 0.5],
  ["quarter of an", 0.25],
  ["a quarter of an", 0.25],
  ["three quarters of an", 0.75],
  ...[...ones, ...teens].map((word, i): [string, number] => [word, i + 1]),
  ...tens.flatMap((word, i): [string, number][] => [
    [word, 20 + 10 * i],
    ...ones.flatMap((one, j): [string, number][] => [
      [`${word} ${one}`, 21 + 10 * i + j],
      [`${word}-${one}`, 21 + 10 * i + j],
    ]),
  ]),
]);
const units: Record<string, number> = { h: 3600, m: 60, s: 1 };
const longestFirst = [...counts.keys()].sort((a, b) => b.length - a.length).join("|");
const part = new RegExp(
  `(?<![\\w.])(\\d+(?:\\.\\d+)?|${longestFirst})( and a (?:half|quarter))?[ -](hour|hr|minute|min|second|sec)s?( and a (?:half|quarter))?(?!\\w)`,
  "gi",
);

/** Every number that a length of time in the text means, in hours, minutes or seconds, whole or in parts. */
export function lengthsIn(text: string): number[] {
  const found: number[] = [];
  let seconds = 0;
  let end = -1;
  const close = () => {
    if (!seconds) return;
    found.push(seconds, seconds / 60, seconds / 3600);
    found.push(Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60);
    seconds = 0;
  };
  for (const match of text.matchAll(part)) {
    if (!/^,? (?:and )?$/.test(text.slice(end, match.index))) close();
    const [whole, count, before = "", unit, after = ""] = match;
    const more = /half/.test(before + after) ? 0.5 : before + after ? 0.25 : 0;
    seconds += ((counts.get(count.toLowerCase()) ?? Number(count)) + more) * units[unit[0].toLowerCase()];
    end = match.index + whole.length;
  }
  close();
  return found;
}

/** "two and a half", "3 and a quarter", "half a". */
const fraction = new RegExp(
  `(?<![\\w.])(?:(\\d+|${[...ones, ...teens].join("|")}) and a (half|quarter)|half an?)(?!\\w)`,
  "gi",
);

/** Every number that the text says with a half or a quarter. */
export function fractionsIn(text: string): number[] {
  return [...text.matchAll(fraction)].map(([, count, part]) => {
    if (!count) return 0.5;
    return (counts.get(count.toLowerCase()) ?? Number(count)) + (part.toLowerCase() === "half" ? 0.5 : 0.25);
  });
}
