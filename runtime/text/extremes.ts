/** Whether a text asks for the most or the least that there is: "full volume", "oven to the max", "as low as it goes". */

export interface Extremes {
  most: boolean;
  least: boolean;
  /** UTF-16 offsets of what asks for one of them alone. */
  place?: { start: number; end: number };
}

const word = (source: string, tail = "") => new RegExp(`(?<![a-z])(?:${source})(?![a-z]${tail})`);
/** "A maximum of 10", "as high as 20": a limit of what is said. */
const limit = "| of(?![a-z])| [0-9]";

const most = word(
  "max|maximum|all the way up|top speed|full (?:speed|volume|blast|brightness|power|heat|marks)|" +
    "(?:high|loud|bright|hott|warm|strong|fast)est|as (?:high|loud|bright|hot|strong|fast) as",
  limit,
);
const least = word(
  "minimum|all the way down|(?:low|quiet|dimm|slow|cool|cold)est|as (?:low|quiet|dim|slow|cold) as",
  limit,
);
/** Which way tells only what is set. */
const either = word("all the way(?! (?:up|down)(?![a-z]))", limit);
/** What is near, or turned away from, is not reached. */
const near = word("below|under|not|don|isn|doesn|won|never|without|than|less|from|half|halfway|almost|nearly|bit");
/** A person, but where the text begins. */
const name = /(?<!^)(?<![A-Za-z])Max(?![A-Za-z])/g;

export function extremesIn(text: string): Extremes {
  const small = text.replace(name, "___").replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  if (near.test(small)) return { most: false, least: false };
  const [high, low] = [most.exec(small), least.exec(small)];
  const isEither = either.test(small);
  const one = isEither || (high && low) ? null : (high ?? low);
  return {
    most: isEither || high !== null,
    least: isEither || low !== null,
    ...(one && { place: { start: one.index, end: one.index + one[0].length } }),
  };
}
