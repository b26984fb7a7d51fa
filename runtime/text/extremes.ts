/** Whether a text asks for the most or the least that there is: "full volume", "oven to the max", "as low as it goes". */

export interface Extremes {
  most: boolean;
  least: boolean;
  /** UTF-16 offsets of what asks for one of them alone. */
  place?: { start: number; end: number };
}

const word = (source: string) => new RegExp(`(?<![a-z])(?:${source})(?![a-z])`);

const most = word(
  "max|maximum|all the way up|(?:full|top) (?:speed|volume)|full (?:blast|brightness|power|heat|strength|marks)|" +
    "(?:high|loud|bright|hott|warm|strong|fast)est|as (?:high|loud|bright|hot|warm|strong|fast) as",
);
const least = word(
  "minimum|all the way down|(?:low|quiet|dimm|slow|cool|cold)est|as (?:low|quiet|dim|slow|cool|cold) as",
);
/** Which way tells only what is set. */
const either = word("all the way(?! (?:up|down)(?![a-z]))");
/** A person, where no sentence begins. */
const name = /(?<!^)(?<![A-Za-z])Max(?![A-Za-z])/g;

export function extremesIn(text: string): Extremes {
  const small = text.replace(name, "___").toLowerCase();
  const [high, low] = [most.exec(small), least.exec(small)];
  const isEither = either.test(small);
  const one = isEither || (high && low) ? null : (high ?? low);
  return {
    most: isEither || high !== null,
    least: isEither || low !== null,
    ...(one && { place: { start: one.index, end: one.index + one[0].length } }),
  };
}
