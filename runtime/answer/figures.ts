/**
 * The numbers that a request says, put into the choice of those that a call holds: "six point five hours" is 6.5 and not
 * 65, "two minutes" 120 under a key that ends in seconds, "quarter to seven" the hour 6 and the minute 45. A number that nobody
 * said stays possible, at a price.
 *
 * All are counted in millionths, so that an implementation without floating point finds the same ones (firmware/mcu).
 */
import { type Extremes, extremesIn } from "../text/extremes.ts";
import { kilo, type Unit, unitOf, unitsBeside } from "../text/units.ts";
import { countedBy, countsVessels, isChange, million, mostSaid, type Place, type Said, saidIn } from "./said.ts";

/** Bounds of an answer that count as said. */
const mostReached = 4;

const [second, minute] = [1000, 60_000];

/** What the last word of a key counts. */
interface Counted {
  unit?: Unit;
  /** "hour" and "minute" are of a time of day; "hours" and "minutes" may be of a length. */
  isHand: boolean;
  /** "hours" and "minutes" count time, whatever stands before: no "ml_per_hour". */
  isLength: boolean;
  /** It may be of kilometres that nobody named. */
  isDistance: boolean;
}

/** A number that may stand under a key. */
interface Text {
  /** The one that is meant instead where that fits. */
  rather?: string;
  /** The one below nothing that is meant instead where the schema says how far below numbers go. */
  below?: string;
}

/** Whether a text may come next, and end a number. */
export type Takes = (text: string) => boolean;

export class Figures {
  readonly said: readonly Said[];
  /** By the last word of a key: the numbers that may stand under it, as JSON. */
  private readonly texts = new Map<string, ReadonlyMap<string, Text>>();
  private readonly asks: Extremes;
  /** Of the number that was begun last: where that was, and what it is at the most or the least, where that is asked for. */
  private bounds: { start: number; texts: readonly string[] } = { start: -1, texts: [] };
  /** Bounds of numbers that this answer began, where the request asks for one way alone and says no number. */
  private readonly reached = new Set<string>();

  /** `price`: of a number that is not said, in logits. */
  constructor(
    private readonly request: string,
    private readonly price: number,
  ) {
    const said = saidIn(request);
    // What cannot be counted exactly might be what is meant.
    this.said = said.length <= mostSaid && said.every(({ millionths }) => Number.isSafeInteger(millionths)) ? said : [];
    this.asks = extremesIn(request);
  }

  /**
   * Takes the price from the logits of ids that lead, after these bytes, to a number that is not said, where another
   * leads to one that is, and that the schema takes. `bytesOf`: of an id.
   */
  add(
    logits: Float32Array,
    ids: Iterable<number>,
    bytes: readonly number[],
    bytesOf: (id: number) => ArrayLike<number>,
    takes: Takes,
  ): void {
    if (!this.said.length && !this.asks.most && !this.asks.least) return;
    const before = String.fromCharCode(...bytes);
    const [, key, digits] = number.exec(before) ?? [];
    const isOpen = key !== undefined;
    const begun = isOpen ? key : number.exec(before + keyEnd)?.[1];
    const takesHere: Takes = isOpen ? takes : (text) => takes(keyEnd + text);
    const start = before.length + (isOpen ? -digits.length : keyEnd.length);
    const fitting = begun === undefined ? [] : this.fitting(begun, start, digits ?? "", takesHere);
    const unsaid: number[] = [];
    let any = false;
    for (const id of ids) {
      const piece = String.fromCharCode(...Array.from(bytesOf(id)));
      const leads = isOpen
        ? goesOn(fitting, digits, piece)
        : piece.includes(":")
          ? this.begins(before, piece, fitting)
          : undefined;
      if (leads === false) unsaid.push(id);
      else any ||= leads === true;
    }
    if (any) for (const id of unsaid) logits[id] -= this.price;
  }

  /** Whether a piece that ends a key, and begins its number, leads to one that is said; undefined for another. */
  private begins(before: string, piece: string, fitting: readonly string[]): boolean | undefined {
    const [, key, digits] = number.exec(before + piece) ?? [];
    if (key === undefined) return undefined;
    const isKnown = piece.length === keyEnd.length + digits.length;
    return (isKnown ? fitting : this.signed(key)).some((one) => one.startsWith(digits));
  }

  /** The numbers that may stand under a key as the request says them, as JSON. */
  under(key: string): readonly string[] {
    return [...this.meant(key).keys()];
  }

  /**
   * Those and the same below nothing: that it goes back, out or off a request may say in more words than we know, and the
   * model weighs them. Not so hours and minutes of a day.
   */
  private signed(key: string): readonly string[] {
    const texts = this.under(key);
    return isHand(lastWord(key))
      ? texts
      : texts.flatMap((text) => (/^[^-]*[1-9]/.test(text) ? [text, `-${text}`] : text));
  }

  /** Where the request says what comes to a number under a key: "two minutes" of 120 under "seconds". */
  placesOf(key: string, value: number): Said[] {
    const [text, word] = [String(value), lastWord(escaped(key))];
    const isOfLevel = levels.has(word);
    return [...valuesUnder(countedUnder(word), this.said)].flatMap(({ value: meant, place }) => {
      const isIt = place !== undefined && Number.isSafeInteger(meant) && decimal(meant) === text;
      return isIt && !place.isCut && !(isOfLevel && place.isChange) ? [place] : [];
    });
  }

  /** What amounts of the request come to under a key, in its unit: "to 150", "500 minutes"; no "room 204", no half. */
  amountsUnder(key: string): { value: number; place: Place }[] {
    const counted = countedUnder(lastWord(escaped(key)));
    return [...valuesUnder(counted, this.said)].flatMap(({ value, place }) => {
      // What may fall is there a second time.
      if (!place || place.isCut || place.isTold || value < 0 !== place.millionths < 0) return [];
      if (place.unit && !unitsBeside(place.unit, counted.unit).isAlike) return [];
      const [, before = "to"] = /([a-z]+) $/i.exec(this.request.slice(0, place.start)) ?? [];
      const isAmount = introducing.test(before) || key.toLowerCase().includes(before.toLowerCase());
      const isWhole = !place.inWords || value % million === 0;
      return (place.unit || isAmount) && isWhole ? [{ value: value / million, place }] : [];
    });
  }

  /** Where it asks for the most or the least that a number under a key may be: "full volume". */
  boundOf(key: string, value: number): Place | undefined {
    return isLevel(escaped(key)) && this.reached.has(String(value)) ? this.asks.place : undefined;
  }

  /** Whether a number of the request counts another unit than a key: 30 of "30 seconds" under "minutes", 20 of "20 ounces" under "ml". */
  countsOther(key: string, place: Place): boolean {
    const said = countedBy(this.request, place).unit;
    const counted = countedUnder(lastWord(escaped(key)));
    const { own, unit, isAlike } = unitsBeside(said, counted.unit);
    const isTold = this.said.some((one) => one.isTold && one.start === place.start);
    return (
      isOther({ own, isTold, isOfVessels: countsVessels(this.request, place) }, unit, counted) ||
      (isAlike && own?.size !== unit?.size) ||
      (isLevel(escaped(key)) && isChange(this.request, place))
    );
  }

  /** Whether a number is said as a part of a length alone: 15 of "2h 15m". */
  isPart(value: number): boolean {
    const size = Math.round(Math.abs(value) * million);
    const same = this.said.filter(({ millionths }) => Math.abs(millionths) === size);
    return same.length > 0 && same.every(({ isPart, isTold }) => isPart && !isTold);
  }

  /** Those that begin with some digits, written from `start` of the answer on, and that the schema takes. */
  private fitting(key: string, start: number, digits: string, takes: Takes): readonly string[] {
    const fits = (text?: string) => text?.startsWith(digits) === true && takes(text.slice(digits.length));
    const meant = this.meant(key);
    const said = this.signed(key).filter((text) => {
      const { rather, below } = meant.get(text) ?? {};
      // Below nothing is what the request or the schema says so of: "gate -6" is none.
      if (!digits && text.startsWith("-") && !meant.has(text) && fits(farBelow)) return false;
      return fits(text) && !fits(rather) && !(fits(below) && !fits(farBelow));
    });
    return [...said, ...this.boundsFrom(key, start, digits, takes)];
  }

  private boundsFrom(key: string, start: number, digits: string, takes: Takes): readonly string[] {
    if (start !== this.bounds.start) {
      // A sign or a digit that is forced stands there already.
      const takesWhole: Takes = (text) => text.startsWith(digits) && takes(text.slice(digits.length));
      this.bounds = { start, texts: isLevel(key) ? boundsOf(takesWhole, this.asks) : [] };
      for (const text of this.asks.place && !this.said.length ? this.bounds.texts : [])
        if (this.reached.size < mostReached) this.reached.add(text);
    }
    return start === this.bounds.start ? this.bounds.texts.filter((text) => text.startsWith(digits)) : [];
  }

  private meant(key: string): ReadonlyMap<string, Text> {
    const word = lastWord(key);
    const known = this.texts.get(word);
    if (known) return known;
    const texts = new Map<string, Text>();
    for (const { value, rather, falls } of valuesUnder(countedUnder(word), this.said)) {
      if (!Number.isSafeInteger(value)) continue;
      const text = decimal(value);
      const other = texts.get(text);
      const isMeant = rather === undefined || (other && other.rather === undefined);
      texts.set(text, {
        ...(!isMeant && { rather: decimal(rather) }),
        ...(falls && (!other || other.below) && { below: decimal(-value) }),
      });
    }
    this.texts.set(word, texts);
    return texts;
  }
}

/** Words before an amount of nothing that is named. */
const introducing = /^(?:to|at|for|by|of)$/i;

function countedUnder(word: string): Counted {
  const unit = unitOf(word);
  const isLength = unit?.kind === "time" && /..s$/.test(word);
  return { unit, isHand: isHand(word), isLength, isDistance: /^(?:distance|length|radius|range)$/.test(word) };
}

/** Of a word that ends a key of a time of day. */
const isHand = (word: string) => /^(?:hour|minute)$/.test(word);

/** Below `farDown` (tools/schema.ts): what a schema without a minimum takes, be it a multiple of whatever up to 16. */
const farBelow = "-1081080000";

/** Whether a piece goes on with or ends one of some numbers, of which digits are written; undefined where it begins none. */
function goesOn(texts: readonly string[], digits: string, piece: string): boolean | undefined {
  const more = /^[-.\d]*/.exec(piece)?.[0] ?? "";
  const text = digits + more;
  if (!text) return undefined;
  return more.length < piece.length ? texts.includes(text) : texts.some((one) => one.startsWith(text));
}

/** A key as answers have it. */
const escaped = (key: string) => JSON.stringify(key).slice(1, -1);

/** How the pieces go on that end a key and begin its number. */
const keyEnd = '":';

/** The end of a text within the value of a key, or of an item of its list: a number as far as it is written. */
const number = /"([^"\\]*)":(?:\[(?:[-.\d]+,)*)?([-.\d]*)$/;

/** "waitSeconds" → "seconds", "delay_ml" → "ml"; nothing of a "day" of a month, nor of few letters that are no unit. */
function lastWord(key: string): string {
  const word = (/[A-Za-z][a-z]*$/.exec(key)?.[0] ?? "").toLowerCase();
  return (word.length > 2 && !/^(?:day|week|month)$/.test(word)) || (word.length < 3 && unitOf(word)) ? word : "";
}

/** A number that may stand under a key, in millionths; of a part of what is said without a place. */
interface Meant {
  value: number;
  rather?: number;
  /** It may be less than nothing. */
  falls?: boolean;
  place?: Said;
}

/** What may stand under a key, below nothing too where the request may mean that. */
function* valuesUnder(counted: Counted, said: readonly Said[]): Generator<Meant> {
  // Which of several is meant nobody knows.
  const isOnly = said.filter((one) => !one.isPart && unitsBeside(one.unit, counted.unit).isAlike).length === 1;
  for (const one of said)
    for (const meant of amountsOf(one, counted, isOnly)) {
      const falls = one.mayFall && meant.value > 0;
      yield { ...meant, falls };
      if (falls) yield { ...meant, value: -meant.value };
    }
}

/** What a number may be under a key: 90 minutes are also an hour and 30 minutes, half a litre 500 millilitres, a half 50 percent. */
function* amountsOf(one: Said, counted: Counted, isOnly: boolean): Generator<Meant> {
  const { unit: ends, isHand } = counted;
  const { millionths, clock, isTold, rather, isPart, isOfVessels } = one;
  const { own, unit, isAlike } = unitsBeside(one.unit, ends);
  if (isHand && clock === unit?.size) yield { value: millionths, rather, place: one };
  if (clock || (isHand && isTold)) return;
  // "An alarm for 9, please" is at nine sharp.
  if (isHand && unit?.size === minute && own?.kind !== "time") yield { value: 0, place: one };
  if (!unit || !own || !isAlike) {
    yield { value: millionths, ...(!isOther({ own, isTold, isOfVessels }, unit, counted) && { place: one }) };
    if (!unit && own === kilo) yield { value: 1000 * millionths };
    if (!unit && !own && one.inWords && millionths > 0 && millionths < million) yield { value: 100 * millionths };
    return;
  }
  if (isPart && own.size !== unit.size) return;
  const place = (isOnly || own.size === unit.size) && { place: one };
  if (own.size % unit.size === 0) yield { value: millionths * (own.size / unit.size), ...place };
  const all = millionths * own.size;
  if (!Number.isSafeInteger(all)) return;
  if (own.size % unit.size && all % unit.size === 0) yield { value: all / unit.size, ...place };
  if (unit.kind !== "time") return;
  const [whole, rest] = [unit.size * million, all % (60 * unit.size * million)];
  if (all > whole) yield { value: (all - (all % whole)) / unit.size };
  const isWithin = unit.size === second || unit.size === minute;
  if (isWithin && rest > 0 && rest < all && rest % unit.size === 0) yield { value: rest / unit.size };
}

/**
 * Mass, volume or length, and another of these or vessels: times also say how often, "20 ml an hour" under "ml_per_hour". Under a
 * length of time these, and the time of a day: "a 20 km ride", "a timer until 5". Of "10k" nobody knows whether these are thousands.
 */
function isOther(
  { own, isTold, isOfVessels }: { own?: Unit; isTold?: boolean; isOfVessels?: boolean },
  unit: Unit | undefined,
  { isLength, isDistance }: Counted,
): boolean {
  if (isLength) return isAmount(own) || (!own && isTold === true);
  if (!unit) return own === kilo && !isDistance;
  return isAmount(unit) && (own ? isAmount(own) && own.kind !== unit.kind : isOfVessels === true);
}
const isAmount = (unit: Unit | undefined) => unit !== undefined && unit.kind !== "time";

/** What may be at its most or least, by the last word of a key: not hours, cups or ids. */
const levels = new Set(
  (
    "level volume brightness percent percentage intensity speed strength power heat temperature degrees celsius setting " +
    "position stars rating zoom bass treble warmth contrast"
  ).split(" "),
);
const isLevel = (key: string) => levels.has(lastWord(key));

/** Whole numbers between which a bound is looked for; of those beyond up to `beyond` the hundreds, of those between tenths and quarters. */
const [least, most, beyond] = [-100, 1000, 9900];
const parts = [0.1, 0.25, 0.5];

/** The most and the least that a number may be, of those that are asked for; of one number alone neither is told. */
function boundsOf(takes: Takes, asks: Extremes): string[] {
  if (!asks.most && !asks.least) return [];
  let [first, last]: (number | undefined)[] = [];
  for (let value = beyond; value >= least - 100; value -= value > most + 100 ? 100 : 1) {
    if (!takes(String(value))) continue;
    last ??= value;
    first = value;
  }
  if (first === undefined || last === undefined || first === last) return [];
  const isBound = (value: number, way: number) =>
    value >= least && value <= most && !parts.some((part) => takes(decimal((value + way * part) * million)));
  const texts = [];
  if (asks.most && isBound(last, 1)) texts.push(String(last));
  if (asks.least && isBound(first, -1)) texts.push(String(first));
  return texts;
}

function decimal(millionths: number): string {
  const size = Math.abs(millionths);
  const part = String(size % million)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return `${millionths < 0 ? "-" : ""}${Math.trunc(size / million)}${part && `.${part}`}`;
}
