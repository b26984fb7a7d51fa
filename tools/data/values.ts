/** Values as people say them. A slot makes one; most are copied into the answer verbatim, numbers by what they mean. */
import { type Fill, type Maker, numberWords } from "./numerals.ts";
import type { Random } from "./random.ts";
import { fractionalReadings, readings, wholeReadings } from "./readings.ts";
import { say, template } from "./template.ts";
import { clock, counted, day, duration, lengthIn } from "./times.ts";
import { common, pools, syllables } from "./words.ts";

/** A whole number, mostly in digits. */
const whole =
  (least: number, most: number, step = 1): Maker =>
  (random) => {
    const value = Math.round(random.between(least, most) / step) * step;
    return { text: random.chance(0.25) ? numberWords(value) : String(value), value };
  };

const money: Maker = (random) => {
  const value = random.chance(0.35) ? random.between(100, 19999) / 100 : random.between(1, 400);
  return { text: String(value), value };
};

const decimal =
  (least: number, most: number): Maker =>
  (random) => {
    const value = random.chance(0.5) ? random.between(least, most) : random.between(least * 10, most * 10) / 10;
    return { text: String(value), value };
  };

function coined(random: Random): string {
  const word = Array.from({ length: random.between(2, 3) }, () => random.pick(syllables)).join("");
  return word[0].toUpperCase() + word.slice(1);
}

const letters = "ABCDEFGHJKLMNPRSTUVWXYZ";

const phone: Maker = (random) => {
  const digits = (n: number) => Array.from({ length: n }, () => random.between(0, 9)).join("");
  return random.pick([
    `555-${digits(4)}`,
    `+44 20 ${digits(4)} ${digits(4)}`,
    digits(10),
    `(${digits(3)}) ${digits(3)}-${digits(4)}`,
    `0${digits(3)} ${digits(6)}`,
    digits(3),
  ]);
};

const code: Maker = (random) => {
  const letter = () => random.pick([...letters]);
  return random.pick([
    `${letter()}${random.between(1, 99)}`,
    `${random.between(1000, 9999)}`,
    `${letter()}${letter()}-${random.between(100, 999)}`,
    `${random.between(1, 99)}${letter()}`,
    `${letter()}${random.between(1, 9)}${letter()}${random.between(1, 9)}`,
    `${random.between(100000, 999999)}`,
    `${letter()}${letter()}${letter()}-${random.between(10, 99)}-${letter()}`,
  ]);
};

/** Any run of words: nothing about it but its place in the request says what it is. */
export function anything(random: Random): string {
  const length = random.pick([1, 1, 2, 2, 3, 4, 5, 6]);
  const words = Array.from({ length }, () =>
    random.chance(0.15)
      ? coined(random)
      : random.chance(0.25)
        ? random.pick(random.chance(0.5) ? pools.noun : pools.adjective)
        : random.pick(common),
  );
  const text = words.join(" ");
  return random.chance(0.2) ? text.replace(/\b[a-z]/g, (c) => c.toUpperCase()) : text;
}

/** An entry of a pool, its own slots filled. */
function fromPool(name: string, random: Random): string {
  const entry = random.pick(pools[name]);
  if (!entry.includes("{")) return entry;
  return say(template(entry), random)
    .map((said) => ("slot" in said ? make(said.slot, random).text : said.text))
    .join("");
}

/** Titles stand mostly in capitals, now and then not. */
function title(name: string): Maker {
  return (random) => {
    const text = fromPool(name, random);
    return random.chance(0.25) ? text.toLowerCase() : text.replace(/(^|\s)[a-z]/g, (c) => c.toUpperCase());
  };
}

/** Open pools, whose values may be anything: now and then they are. */
const open = new Set(
  "message note errand song album playlist podcast show event purpose alarmLabel listName folder topic phrase item".split(
    " ",
  ),
);

/** Pools of names: now and then one that nobody has heard, but never a run of any words. */
const names = new Set("app contact person place artist".split(" "));

const makers: Record<string, Maker> = {
  ...readings,
  coined,
  digit: (random) => String(random.between(1, 9)),
  number: (random) => String(random.between(10, 199)),
  bigNumber: (random) => String(random.between(1000, 99999)),
  letter: (random) => random.pick([...letters]),
  count: (random) => numberWords(random.between(2, 12)),
  hour: clock,
  clock,
  day,
  when: (random) => {
    const [date, time] = [make("day", random).text, make("clock", random).text];
    if (/^(in|this|next) (a|two|week|month)/.test(date) || /morning|evening|night|afternoon/.test(date + time)) {
      return random.chance(0.5) ? date : time;
    }
    return random.pick([`${date} at ${time}`, `${time} ${date}`, date, time, `${date} ${time}`]);
  },
  duration,
  /** A city as it is named to a booking desk: "Delhi, India", "San Diego CA", "NYC". */
  town: (random) => {
    const way = random.next();
    if (way < 0.08) return fromPool("shortCity", random);
    if (way < 0.3) return fromPool("cityLand", random).replace("/", random.chance(0.6) ? ", " : " ");
    return fromPool("city", random);
  },
  /** Who comes along, by name. */
  companions: (random) => {
    const others = Array.from({ length: random.between(1, 3) }, () =>
      fromPool(random.chance(0.7) ? "first" : "relation", random),
    );
    const me = random.pick(["me", "myself", "me", ""]);
    const names = me ? [me, ...others] : others;
    const last = names.pop();
    return names.length ? `${names.join(", ")}${random.chance(0.2) ? "," : ""} and ${last}` : `${last}`;
  },
  /** When a table or a car is wanted. */
  slotTime: (random) =>
    random.chance(0.7)
      ? make("clock", random).text
      : random.pick([
          `in ${random.between(2, 30)} hours`,
          `in ${numberWords(random.between(2, 12))} hours`,
          `in ${random.between(5, 55)} minutes`,
          "in an hour",
          "lunch time",
          "dinner time",
          "breakfast",
          "around noon",
          "this evening",
        ]),
  /** A span as a recipe has it: "1 hour 30 minutes". */
  span: (random) =>
    random.chance(0.5)
      ? make("duration", random).text
      : `${counted(random.between(1, 4), "hour")} ${random.pick([10, 15, 20, 30, 45])} minutes`,
  spanMinutes: (random) => lengthIn(60, random),
  spanSeconds: (random) => lengthIn(1, random),
  spanHours: (random) => lengthIn(3600, random),
  /** "two and a half", "half a". */
  halves: (random) => {
    const n = random.between(1, 6);
    const count = random.chance(0.7) ? numberWords(n) : String(n);
    return random.pick([
      { text: `${count} and a half`, value: n + 0.5 },
      { text: `${count} and a quarter`, value: n + 0.25 },
      { text: `${n}.5`, value: n + 0.5 },
      { text: count, value: n },
    ]);
  },
  brief: (random) =>
    random.pick([
      `${random.between(10, 55)} seconds`,
      `${random.between(2, 12)} minutes`,
      `${numberWords(random.between(2, 12))} minutes`,
      `1 minute ${random.pick([10, 15, 20, 30, 45])} seconds`,
      `${random.between(2, 9)} minutes and ${random.pick([10, 20, 30, 45])} seconds`,
      "a minute",
    ]),
  repeat: (random) =>
    random
      .pick([
        "every day",
        "every morning",
        "weekdays",
        "every {weekday}",
        "daily",
        "weekly",
        "on weekends",
        "every {weekday} and {weekday}",
        "every other day",
        "monthly",
        "each night",
      ])
      .replace(/\{weekday\}/g, () => random.pick(pools.weekday)),
  person: (random) =>
    random.pick([
      fromPool("first", random),
      fromPool("first", random),
      `${fromPool("first", random)} ${fromPool("last", random)}`,
      `Dr. ${fromPool("last", random)}`,
    ]),
  contact: (random) => (random.chance(0.3) ? fromPool("relation", random) : make("person", random).text),
  phone,
  email: (random) =>
    `${random
      .pick([fromPool("first", random), coined(random)])
      .toLowerCase()
      .normalize("NFD")
      .replace(
        /[^a-z]/g,
        "",
      )}${random.pick(["", "", ".k", "22", "_w"])}@${random.pick(["example.com", "mail.example.org", "acme.example", "post.example.net"])}`,
  address: (random) =>
    `${random.between(1, 999)} ${fromPool("street", random)}${random.chance(0.25) ? `, ${fromPool("city", random)}` : ""}`,
  place: (random) => {
    const name = random.weighted({ landmark: 4, brandPlace: 3, city: 3, address: 3, placeKind: 3, home: 1 });
    if (name === "home")
      return random.pick([
        "home",
        "work",
        "the airport",
        "the train station",
        "school",
        "the hotel",
        "my car",
        "the trailhead",
        "mom's house",
      ]);
    if (name === "placeKind")
      return `${random.pick(["the nearest", "a", "the closest"])} ${fromPool("placeKind", random)}`;
    return make(name, random).text;
  },
  song: title("song"),
  artist: title("artist"),
  album: title("album"),
  podcast: title("podcast"),
  show: title("show"),
  movie: title("movie"),
  restaurant: title("restaurant"),
  hotelName: title("hotelName"),
  theater: title("theater"),
  salonName: title("salonName"),
  eventName: title("eventName"),
  code,
  smallInteger: whole(1, 12),
  fewInteger: whole(1, 5),
  stars: whole(2, 5),
  integer: whole(2, 120),
  minutes: whole(1, 90),
  minute: whole(5, 55, 5),
  seconds: whole(2, 60),
  percent: whole(5, 100, 5),
  degrees: whole(15, 30),
  ovenDegrees: whole(150, 450, 10),
  level: whole(1, 10),
  steps: whole(2000, 20000, 500),
  calories: whole(50, 1500, 10),
  year: (random) => {
    const value = random.between(1950, 2026);
    return { text: String(value), value };
  },
  distance: decimal(1, 42),
  weight: decimal(40, 120),
  quantity: decimal(1, 200),
  amount: money,
  dollars: money,
  expression: (random) => {
    const [a, b] = [random.between(2, 250), random.between(2, 99)];
    return random.pick([
      `${a} plus ${b}`,
      `${a} times ${b}`,
      `${a} divided by ${b}`,
      `${a} minus ${b}`,
      `${b} percent of ${a}`,
      `${a} + ${b}`,
      `${a} * ${b}`,
      `the square root of ${a}`,
      `${numberWords(a)} times ${numberWords(b)}`,
    ]);
  },
  unit: (random) =>
    random.pick(
      "miles kilometers meters feet inches kilograms pounds grams ounces liters gallons cups celsius fahrenheit stone yards tablespoons hectares acres".split(
        " ",
      ),
    ),
  anything,
};

/** Throws: RangeError for a slot that no pool and no maker knows. */
export function make(slot: string, random: Random): Fill {
  if (names.has(slot) ? random.chance(0.02) : open.has(slot) && random.chance(0.07))
    return { text: names.has(slot) ? coined(random) : anything(random) };
  const maker = makers[slot];
  if (!maker) {
    if (!pools[slot])
      throw new RangeError(
        `slot ${JSON.stringify(slot)}: expected a pool of words.ts or a maker of values.ts, got neither`,
      );
    return { text: fromPool(slot, random) };
  }
  const made = maker(random);
  return typeof made === "string" ? { text: made } : made;
}

/** Where "the" may be part of the value: titles, free text, times. */
const wholeSlots = new Set(
  `song artist album podcast show movie restaurant hotelName theater salonName eventName playlist station game brandPlace message note errand phrase topic
  anything deed clause asked question day when hour clock slotTime duration span brief minutes seconds pastDay expression billWord issueTitle prTitle statusText homework`.split(
    /\s+/,
  ),
);

/** "my wife" → "my ", "wife": who reads the request is told whom, not whose. */
export function withoutDeterminer(slot: string, text: string): [string, string] {
  const match = wholeSlots.has(slot) ? null : /^((?:the|my|an?|this|that|these) )(.+)$/.exec(text);
  return match ? [match[1], match[2]] : ["", text];
}

/** "an" before a vowel, but for a "u" that sounds "you". */
export const article = (word: string): string => (/^([aeio]|u(?!n[ai]|s[eu]|ti|k|ra|t[eo]))/i.test(word) ? "an" : "a");

export const isSlot = (name: string): boolean => Object.hasOwn(makers, name) || Object.hasOwn(pools, name);
const times = new Set("hour clock day when slotTime".split(" "));
export const isTime = (slot: string): boolean => times.has(slot);
const lengths = new Set("spanMinutes spanSeconds spanHours".split(" "));
/** Whether the slot's values are said in other units than they are answered in. */
export const isLength = (slot: string): boolean => lengths.has(slot) || slot === "halves";
const numeric = new Set([
  ...wholeReadings,
  ..."spanMinutes spanSeconds minute smallInteger fewInteger stars integer minutes seconds percent degrees ovenDegrees level steps calories year".split(
    " ",
  ),
]);
const fractional = new Set([
  ...fractionalReadings,
  ..."distance weight quantity amount dollars halves spanHours".split(" "),
]);
/** The JSON type of what a slot means. */
export const typeOfSlot = (name: string): "string" | "integer" | "number" =>
  numeric.has(name) ? "integer" : fractional.has(name) ? "number" : "string";
