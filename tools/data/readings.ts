/** Values of bodies, meters and machines: readings with a sign or a point, keys, versions, dates as computers write them. */
import { type Fill, type Maker, numberWords } from "./numerals.ts";
import type { Random } from "./random.ts";

const whole =
  (least: number, most: number, step = 1, inWords = 0.15): Maker =>
  (random): Fill => {
    const value = Math.round(random.between(least, most) / step) * step;
    return { text: random.chance(inWords) ? numberWords(value) : String(value), value };
  };

const point =
  (least: number, most: number, digits: number): Maker =>
  (random): Fill => {
    const text = (random.between(least * 10 ** digits, most * 10 ** digits) / 10 ** digits).toFixed(digits);
    return { text, value: Number(text) };
  };

/** "-4", "minus 4", "minus four", "4". */
const signed: Maker = (random): Fill => {
  const value = random.between(-25, 38);
  if (value >= 0) return { text: String(value), value };
  const size = -value;
  return { text: random.pick([`-${size}`, `-${size}`, `minus ${size}`, `minus ${numberWords(size)}`]), value };
};

const two = (n: number) => String(n).padStart(2, "0");
const isoDay = (random: Random, year = 2026) => `${year}-${two(random.between(1, 12))}-${two(random.between(1, 28))}`;
const isoTime = (random: Random, year?: number) =>
  `${isoDay(random, year)}T${two(random.between(7, 20))}:${random.pick(["00", "15", "30", "45"])}`;
const capitals = (random: Random, count: number) =>
  Array.from({ length: count }, () => random.pick([..."ABCDEGKLMNOPRSTVX"])).join("");

export const readings: Record<string, Maker> = {
  pounds: whole(95, 280),
  kilos: point(42, 120, 1),
  systolic: whole(105, 185),
  diastolic: whole(55, 104),
  bpm: whole(45, 190),
  sugar: whole(65, 260),
  millilitres: whole(100, 1000, 50),
  signed,
  fever: point(36, 40, 1),
  price: point(1, 250, 2),
  rate: point(1, 9, 2),
  hundreds: whole(100, 5000, 50),
  odometer: whole(8000, 190000),
  issueNumber: whole(2, 4200, 1, 0.05),
  portNumber: whole(1024, 9999, 1, 0),
  age: whole(1, 17),
  ticketKey: (random) => `${capitals(random, random.between(2, 4))}-${random.between(2, 2400)}`,
  commit: (random) => Array.from({ length: 7 }, () => random.pick([..."0123456789abcdef"])).join(""),
  version: (random) =>
    `${random.chance(0.4) ? "v" : ""}${random.between(0, 12)}.${random.between(0, 30)}${random.chance(0.6) ? `.${random.between(0, 20)}` : ""}`,
  isoDay: (random) => isoDay(random),
  isoTime: (random) => isoTime(random),
  /** Ends of spans: a year after any start. */
  isoDayLater: (random) => isoDay(random, 2027),
  isoTimeLater: (random) => isoTime(random, 2027),
  seat: (random) => `${random.between(1, 45)}${random.pick([..."ABCDEF"])}`,
};

/** Those that answer a number, not a text. */
export const wholeReadings =
  "pounds systolic diastolic bpm sugar millilitres signed hundreds odometer issueNumber portNumber age".split(" ");
export const fractionalReadings = "kilos fever price rate".split(" ");
