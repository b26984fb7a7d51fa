/** Units that numbers and keys of tools count: of time, mass, volume and length. */

/** What a number counts, in the least unit of its kind. Under a key of another kind it stands as it is. */
export interface Unit {
  kind: "time" | "mass" | "volume" | "length";
  size: number;
}

/** Units with their words, without an "s" at the end. */
const rows: readonly (readonly [Unit["kind"], size: number, words: string])[] = [
  ["time", 1, "ms millisecond"],
  ["time", 1000, "s sec second"],
  ["time", 60_000, "min minute"],
  ["time", 60_000, "m"],
  ["time", 3_600_000, "h hr hour"],
  ["time", 86_400_000, "day"],
  ["time", 604_800_000, "week"],
  ["time", 2_629_746_000, "month"],
  ["mass", 1, "mg milligram"],
  ["mass", 1000, "g gram"],
  ["mass", 28_350, "oz ounce"],
  ["mass", 453_592, "lb pound"],
  ["mass", 1_000_000, "kg kilo kilogram"],
  ["volume", 1, "ml mil milliliter millilitre"],
  ["volume", 10, "cl centiliter centilitre"],
  ["volume", 100, "dl deciliter decilitre"],
  ["volume", 1000, "l liter litre"],
  ["length", 10, "mm millimeter millimetre"],
  ["length", 100, "cm centimeter centimetre"],
  ["length", 254, "inch inche"],
  ["length", 3048, "ft foot feet"],
  ["length", 10_000, "meter metre"],
  ["length", 10_000_000, "km k kilometer kilometre"],
  ["length", 16_093_440, "mi mile"],
];
/** "10k", kilometres or thousands. */
export const kilo: Unit = { kind: "length", size: 10_000_000 };
export const units: readonly Unit[] = [...rows.map(([kind, size]) => ({ kind, size })), kilo];
const byWord = new Map(rows.flatMap(([, , words], i) => words.split(" ").map((word) => [word, units[i]] as const)));

/** By the word that a number counts, or the last word of a key. */
export const unitOf = (word: string) => byWord.get(word.replace(/(?<=..)s$/, ""));

/** "2 m" are minutes, or metres beside a length; so is a key that ends in "m". */
const beside = (unit: Unit | undefined, other: Unit | undefined) =>
  unit === byWord.get("m") && other?.kind === "length" ? byWord.get("meter") : unit;

/** What a number counts and a key counts, each beside the other. */
export function unitsBeside(said: Unit | undefined, ends: Unit | undefined) {
  const unit = beside(ends, said);
  const own = beside(said, unit);
  return { own, unit, isAlike: unit !== undefined && own?.kind === unit.kind };
}
