/**
 * The values of enums that a request says, put into the choice of what a call holds: "lunch was soup" is of the meal "lunch"
 * and not "breakfast", "business class to Doha" leaves no cabin out. What nobody said stays possible, at a price.
 *
 * A list of an enum has values that are said, each once and in the order said; it may end without some ("ham, no cheese"),
 * but not without one of "weekdays".
 *
 * A switch that may be left out is not, where its name's words are said: "with wifi" of "hasWifi" (2,900 of 2,920 in the data).
 * "Not the large one" says nothing of "large" (of 109 in the data that are said so alone 4 are meant).
 *
 * Of 13,373 arguments in tools/train/hand whose enum's values the request says in part, 98% are of that part; of 2,840 that
 * may be left out and of which one value is said, 98% are there.
 */

import type { Json } from "../json.ts";
import { dayOf, groupIn, taking } from "../text/days.ts";
import { patternOf } from "../text/letters.ts";
import { lowerCased } from "../text/request.ts";
import { unitOf } from "../text/units.ts";
import { isBoolean, type Property, type Schema } from "../tools/schema.ts";
import type { Tool } from "../tools/tools.ts";
import { isAkin, isCommon } from "../tools/words.ts";
import { Arguments } from "./arguments.ts";

/** What a device keeps a bit each of: of a tool the first parameters, of an enum the values. */
const mostProperties = 32;
const mostValues = 64;

/** Letters of a value: of "on", "no" and "am" a request has too many. */
const leastLetters = 3;

/** Prices of a value before its turn, of one that its list has already, and of a group's end before it is whole. */
const early = 0.5;
const again = 2;
const broken = 2;

/** Prices that a key costs where another is owed: more than any model would pay. */
const beyond = 5;

/** An enum of which the request says a part. Texts are JSON, a character a byte. */
interface Said {
  key: string;
  /** Whether it takes a list of the values: each once. */
  isList: boolean;
  values: readonly string[];
  /** A list of days that holds them all: "weekdays". */
  isGroup: boolean;
  /** A list that has them in this order. */
  isOrdered: boolean;
  /** Those, and values of which the request has a word in another form: "pausing" for "paused". All where a list has none said. */
  allowed: readonly string[];
  all: readonly string[];
  /** A call may do without it, and the request says one value, or some for a list. */
  isAlone: boolean;
}

/** The call that is open. */
interface Open {
  from: number;
  said: readonly Said[];
  before: Arguments;
  /** Keys without which it should not end. */
  due: readonly string[];
}

export class Enums {
  private readonly words: readonly string[];
  /** Of each word, whether a "not" takes it out. */
  private readonly denied: readonly boolean[];
  /** The days of a group, "weekdays", 0 for Monday; null where it is not sure which. */
  private readonly group: readonly number[] | null;
  /** The request takes something back, or out: what is said first may not come first. */
  private readonly isTurned: boolean;
  /** How a call of each tool begins. */
  private readonly openings: readonly { text: string; tool: Tool }[];
  private readonly byTool = new Map<Tool, readonly Said[]>();
  private open: Open | null = null;
  /** The call that was kept open by its price alone: what comes next, after so many keys, is one of those that it lacks. */
  private owing: Pick<Open, "from" | "due"> & { keys: number } = { from: -1, due: [], keys: 0 };

  /** `price`: of what is not said, in logits. */
  constructor(
    request: string,
    tools: readonly Tool[],
    private readonly price: number,
  ) {
    this.words = wordsOf(request);
    this.denied = this.words.map((_, at) => isDenied(this.words, at));
    this.isTurned = this.words.some((word) => taking.has(word));
    this.group = groupIn(lowerCased(request));
    this.openings = tools.map((tool) => ({ text: `{"name":${JSON.stringify(tool.promptName)},"arguments":{`, tool }));
  }

  /** Reads an answer's bytes, of which the call that is open begins at `from`; whether a price may keep it open. */
  read(bytes: readonly number[], from: number): boolean {
    this.open = this.openAt(textOf(bytes), from);
    return this.open !== null && this.open.due.length > 0;
  }

  /**
   * Takes the price from the logits of ids that lead, after what was read, to a value that is not said, or to the end of a
   * call without the one that is. `bytesOf`: of an id.
   */
  add(logits: Float32Array, ids: Iterable<number>, bytesOf: (id: number) => ArrayLike<number>): void {
    if (!this.open) return;
    const { from, said, before, due } = this.open;
    const owed = this.owing.from === from && this.owing.keys === before.keys.length ? this.owing.due : null;
    for (const id of ids) {
      const after = before.with(textOf(bytesOf(id)));
      const { keys, openKey, isClosed } = after;
      const begun = keys.at(before.keys.length) ?? openKey;
      const isLacking = isClosed && due.some((key) => !keys.includes(key));
      logits[id] -= this.price * Math.max(isLacking ? 1 : 0, pricesOf(after, said));
      if (owed && begun && !owed.some((key) => key.startsWith(begun))) logits[id] -= beyond * this.price;
    }
  }

  /** Notes which id was chosen, and which would have been without any price. */
  chose(id: number, plain: number, bytesOf: (id: number) => ArrayLike<number>): void {
    if (!this.open || id === plain) return;
    const { from, before, due } = this.open;
    const closes = (one: number) => before.with(textOf(bytesOf(one))).isClosed;
    if (due.length && closes(plain) && !closes(id)) this.owing = { from, due, keys: before.keys.length };
  }

  private openAt(text: string, from: number): Open | null {
    const opening = this.openings.find((one) => text.startsWith(one.text, from));
    const all = opening ? this.of(opening.tool) : [];
    if (!opening || !all.length) return null;
    const first = text.indexOf(opening.text);
    const [earlier, written] = [text.slice(first, from), text.slice(from + opening.text.length)];
    const before = new Arguments(written);
    // What stands in the call already, or in one before of the same tool, says nothing of what comes: of a list all in one before.
    const isSpent = ({ key, values, isList }: Said) =>
      values.length > 0 &&
      values.every((value) =>
        isList ? holds(earlier, value) : earlier.includes(`${key}:${value}`) || holds(written, value),
      );
    const isDue = ({ key, values, isAlone }: Said) =>
      isAlone &&
      !before.keys.includes(key) &&
      !(values.length ? values.some((value) => holds(text, value)) : earlier.includes(`${key}:`));
    return { from, before, said: all.filter((one) => !isSpent(one)), due: all.filter(isDue).map(({ key }) => key) };
  }

  private of(tool: Tool): readonly Said[] {
    let said = this.byTool.get(tool);
    if (!said) {
      said = tool.parameters.slice(0, mostProperties).flatMap((property) => this.saidOf(property));
      this.byTool.set(tool, said);
    }
    return said;
  }

  private saidOf({ name, schema, required }: Property): Said[] {
    const { values: enumerated, isList } = enumOf(schema);
    const key = binary(JSON.stringify(name));
    if (!isList && isBoolean({ values: enumerated }))
      return required || !this.names(name) ? [] : [{ ...nothingSaid, key, isAlone: true }];
    const texts = enumerated.map((value) => JSON.stringify(value));
    if (texts.length > mostValues) return [];
    const some = texts
      .filter((text) => text !== "null")
      .map((text) => ({ text: binary(text), spoken: wordsOf(parted(text)) }));
    const days = some.map(({ spoken }) => (spoken.length === 1 ? dayOf(spoken[0], leastOfDay) : -1));
    const hasDays = new Set(days.filter((day) => day >= 0)).size >= leastDays;
    const isDay = (place: number) => hasDays && days[place] >= 0;
    if (!some.every(({ text, spoken }, i) => text.startsWith('"') && (isDay(i) || isTelling(spoken)))) return [];
    const all = some.map(({ text }) => text);
    const anyOf = { ...nothingSaid, key, isList, allowed: all, all };
    const { group } = this;
    if (isList && group?.length !== 0 && some.every((_, i) => isDay(i))) {
      const values = some.filter((_, i) => group?.includes(days[i])).map(({ text }) => text);
      if (!values.length) return [anyOf];
      return [{ key, isList, isGroup: true, isOrdered: true, values, allowed: values, all, isAlone: !required }];
    }
    const places = some.map(({ spoken }, i) =>
      isDay(i) ? this.placeOfDay(days[i], spoken[0]) : this.placeOf(spoken, 0, isList),
    );
    // "Red, green, red": it may be a list that has them so.
    if (
      isList &&
      some.some(({ spoken }, i) => !isDay(i) && places[i] >= 0 && this.placeOf(spoken, places[i] + 1, isList) >= 0)
    )
      return [];
    const values = some
      .map(({ text }, i) => ({ text, place: places[i] }))
      .filter(({ place }) => place >= 0)
      .sort((a, b) => a.place - b.place)
      .map(({ text }) => text);
    if (!values.length || values.length === some.length) return isList && all.length ? [anyOf] : [];
    const allowed = some
      .filter((one) => values.includes(one.text) || this.hints(one.spoken, isList))
      .map(({ text }) => text);
    const isAlone = !required && (isList || values.length === 1);
    return [{ key, isList, isGroup: false, isOrdered: isList && !this.isTurned, values, allowed, all, isAlone }];
  }

  /** "Sun" and "sat" may be no days, where an enum does not write them so. */
  private placeOfDay(day: number, value: string): number {
    return this.words.findIndex((word) => (/^s.{0,2}$/.test(word) ? word === value : dayOf(word) === day));
  }

  /** Of a list also where a "not" stands before: it may be one of what is left out. */
  private placeOf(words: readonly string[], from: number, isList: boolean): number {
    return this.words.findIndex(
      (_, at) =>
        at >= from &&
        (isList || !this.denied[at]) &&
        words.every((word, i) => stem(word) === stem(this.words[at + i] ?? "")),
    );
  }

  /** Whether the request has the words of a switch's name: "with wifi" of "hasWifi", "no pets" of "pets_allowed". */
  private names(name: string): boolean {
    const words = wordsOf(parted(name)).filter((word) => !isCommon(word) && !ofSwitches.has(word));
    const isSaid = (word: string) => word.length >= leastLetters && this.words.some((one) => stem(one) === stem(word));
    return words.length > 0 && words.every(isSaid);
  }

  private hints(words: readonly string[], isList: boolean): boolean {
    return words.some((word) => this.words.some((other, at) => (isList || !this.denied[at]) && isAkin(word, other)));
  }
}

/** What a piece adds that is not said, in its list already or before its turn, or that breaks a group; in prices. */
function pricesOf({ values, ended }: Arguments, said: readonly Said[]): number {
  const prices = values.map(({ key, text, isWhole, before }) => {
    const one = said.find((other) => other.key === key);
    const fits = (value: string) => (isWhole ? value === text : value.startsWith(text));
    const left = (some: readonly string[] = []) => some.filter((value) => !before.includes(value));
    if (one?.all.some(fits) && !left(one.all).some(fits)) return again;
    if (one && !left(one.allowed).some(fits)) return 1;
    const [next] = one?.isOrdered ? left(one.values) : [];
    return next === undefined || fits(next) ? 0 : one?.isGroup ? 1 : early;
  });
  const ends = ended.map(({ key, items }) => {
    const group = said.find((one) => one.key === key && one.isGroup);
    return group?.values.some((value) => !items.includes(value)) ? broken : 0;
  });
  return Math.max(0, ...prices, ...ends);
}

/** The values of an enum, or of a list of them; of what may be null too. */
function enumOf(schema: Schema): { values: readonly Json[]; isList: boolean } {
  const own = orNull(followed(schema));
  const items = own.kind === "array" && !own.first?.length ? followed(own.items) : own;
  return { values: items.kind === "enum" ? items.values : [], isList: own.kind === "array" };
}

/** What a schema is beside null. */
function orNull(own: Schema): Schema {
  if (own.kind !== "anyOf" || own.options.length !== 2) return own;
  const isNull = (option: Schema) => option.kind === "enum" && option.values.length === 1 && option.values[0] === null;
  const [one, ...more] = own.options.map(followed).filter((option) => !isNull(option));
  return one && !more.length ? one : own;
}

const followed = (schema: Schema): Schema =>
  schema.kind === "ref" && schema.target ? followed(schema.target) : schema;

/** "Not road", "not the large one"; but "why not rock", "Friday or not", "not cool enough". */
function isDenied(words: readonly string[], at: number): boolean {
  const not = words[at - 1] === "not" ? at - 1 : /^(?:the|a|too|so)$/.test(words[at - 1] ?? "") ? at - 2 : -1;
  return words[not] === "not" && !/^(?:why|or)$/.test(words[not - 1] ?? "") && words[at + 1] !== "enough";
}

/** Words of a switch's name that say nothing of what it switches. */
const ofSwitches = new Set(
  "has have allow allows allowed include included includes add need needs want wants only enable enabled use may ok".split(
    " ",
  ),
);

const nothingSaid = {
  isList: false,
  isGroup: false,
  isOrdered: false,
  isAlone: false,
  values: [],
  allowed: [],
  all: [],
};

const parted = (name: string) => name.replace(/([a-z])(?=[A-Z])/g, "$1 ");

const wordPattern = patternOf(String.raw`[\p{L}\p{N}]+`, "gu");
const wordsOf = (text: string): readonly string[] => lowerCased(text).match(wordPattern(text)) ?? [];

/** Of an enum with fewer days none is one: sun, rain or snow. */
const leastDays = 5;
/** Letters of a day as a value: "mo". */
const leastOfDay = 2;

/** Without an "s" at its end: "parks" says "park", and "car" "cars". */
const stem = (word: string) => (word.length > 3 && word.endsWith("s") ? word.slice(0, -1) : word);

/** Units are telling with two letters: "kg". */
const isTelling = (words: readonly string[]): boolean =>
  words.join("").length < leastLetters
    ? words.length === 1 && words[0].length > 1 && unitOf(words[0]) !== undefined
    : !words.every((word) => isCommon(word));

/** Whether a text has a value's, letter case and underscores aside. */
const holds = (text: string, value: string): boolean => spaced(text).includes(spaced(value.slice(1, -1)));
const spaced = (text: string): string =>
  text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()).replaceAll("_", " ");

const utf8 = new TextEncoder();
const textOf = (bytes: ArrayLike<number>): string => String.fromCharCode(...Array.from(bytes));
const binary = (text: string): string => textOf(utf8.encode(text));
