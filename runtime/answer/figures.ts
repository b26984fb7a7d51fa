/**
 * The numbers that a request says, put into the choice of those that a call holds: "six point five hours" is 6.5 and not
 * 65, "two minutes" 120 under a key that ends in seconds, "quarter to seven" the hour 6 and the minute 45. A number that nobody
 * said stays possible, at a price.
 *
 * All are counted in millionths, so that an implementation without floating point finds the same ones (firmware/mcu).
 */
import { patternOf } from "../text/letters.ts";
import { numbersIn } from "../text/numbers.ts";
import { timesIn } from "../text/timeofday.ts";
import { type Unit, unitOf, unitsBeside } from "../text/units.ts";

const million = 1e6;
/** Numbers of a request, hours and minutes of its times of day beside them: of one that says more none is preferred. */
const mostSaid = 24;

const [second, minute, hour] = [1000, 60_000, 3_600_000];

/** UTF-16 offsets into a request. */
interface Place {
  start: number;
  end: number;
}

/** A number of the request, and the unit that it counts. */
interface Said extends Place {
  millionths: number;
  unit?: Unit;
  /** Of the hour or the minute of a time of day, the unit of the keys that it may stand under. */
  clock?: number;
  /** It tells a time of day, whose hour and minute stand by themselves. */
  isTold?: boolean;
  /** What is meant instead where that fits: 20 for the 8 of "8 pm". */
  rather?: number;
  inWords?: boolean;
  /** Where the word ends that it counts. */
  after?: number;
  /** Of a length in several units, "an hour and 5 minutes", which is said beside it as one. */
  isPart?: boolean;
}

/** What the last word of a key counts. */
interface Counted {
  unit?: Unit;
  /** "hour" and "minute" are of a time of day; "hours" and "minutes" may be of a length. */
  isHand: boolean;
}

/** A number that may stand under a key. */
interface Text {
  /** The one that is meant instead where that fits. */
  rather?: string;
  /** Where the request says what comes to all of it. */
  place?: Place;
}

/** Whether a text may come next, and end a number. */
export type Takes = (text: string) => boolean;

export class Figures {
  readonly said: readonly Said[];
  /** By the last word of a key: the numbers that may stand under it, as JSON. */
  private readonly texts = new Map<string, ReadonlyMap<string, Text>>();

  /** `price`: of a number that is not said, in logits. */
  constructor(
    private readonly request: string,
    private readonly price: number,
  ) {
    const said = saidIn(request);
    // What cannot be counted exactly might be what is meant.
    this.said = said.length <= mostSaid && said.every(({ millionths }) => Number.isSafeInteger(millionths)) ? said : [];
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
    if (!this.said.length) return;
    const before = String.fromCharCode(...bytes);
    const [, key, digits] = number.exec(before) ?? [];
    const isOpen = key !== undefined;
    const begun = isOpen ? key : number.exec(before + keyEnd)?.[1];
    const takesHere: Takes = isOpen ? takes : (text) => takes(keyEnd + text);
    const fitting = begun === undefined ? [] : this.fitting(begun, digits ?? "", takesHere);
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
    return (isKnown ? fitting : this.under(key)).some((one) => one.startsWith(digits));
  }

  /** The numbers that may stand under a key, as JSON. */
  under(key: string): readonly string[] {
    return [...this.meant(key).keys()];
  }

  /** Where the request says what comes to a number under a key: "two minutes" of 120 under "seconds". */
  placeOf(key: string, value: number): Place | undefined {
    return this.meant(escaped(key)).get(String(value))?.place;
  }

  /** Whether a number of the request counts another unit than a key of its kind: 30 of "30 seconds" under "minutes". */
  countsOther(key: string, place: Place): boolean {
    const said = unitOf(countedBy(this.request, place).word);
    const { own, unit, isAlike } = unitsBeside(said, unitOf(lastWord(escaped(key))));
    return isAlike && own?.size !== unit?.size;
  }

  /** Those that begin with some digits and that the schema takes. */
  private fitting(key: string, digits: string, takes: Takes): readonly string[] {
    const fits = (text?: string) => text?.startsWith(digits) === true && takes(text.slice(digits.length));
    return [...this.meant(key)].flatMap(([text, { rather }]) => (fits(text) && !fits(rather) ? [text] : []));
  }

  private meant(key: string): ReadonlyMap<string, Text> {
    const word = lastWord(key);
    const known = this.texts.get(word);
    if (known) return known;
    const texts = new Map<string, Text>();
    const under = { unit: unitOf(word), isHand: /^(?:hour|minute)$/.test(word) };
    for (const { value, rather, place } of valuesUnder(under, this.said)) {
      if (!Number.isSafeInteger(value)) continue;
      const text = decimal(value);
      const other = texts.get(text);
      const isMeant = rather === undefined || (other && other.rather === undefined);
      texts.set(text, { ...(!isMeant && { rather: decimal(rather) }), place: other?.place ?? place });
    }
    this.texts.set(word, texts);
    return texts;
  }
}

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
  place?: Place;
}

/** What may stand under a key: 90 minutes are also an hour and 30 minutes, half a litre 500 millilitres, a half 50 percent. */
function* valuesUnder({ unit: ends, isHand }: Counted, said: readonly Said[]): Generator<Meant> {
  // Which of several is meant nobody knows.
  const isOnly = said.filter((one) => !one.isPart && unitsBeside(one.unit, ends).isAlike).length === 1;
  for (const one of said) {
    const { millionths, clock, isTold, rather, isPart } = one;
    const { own, unit, isAlike } = unitsBeside(one.unit, ends);
    if (isHand && clock === unit?.size) yield { value: millionths, rather, place: one };
    if (clock || (isHand && isTold)) continue;
    // "An alarm for 9, please" is at nine sharp.
    if (isHand && unit?.size === minute && own?.kind !== "time") yield { value: 0, place: one };
    if (!unit || !own || !isAlike) {
      yield { value: millionths, place: one };
      if (!unit && !own && one.inWords && millionths > 0 && millionths < million) yield { value: 100 * millionths };
      continue;
    }
    if (isPart && own.size !== unit.size) continue;
    const place = (isOnly || own.size === unit.size) && { place: one };
    if (own.size % unit.size === 0) yield { value: millionths * (own.size / unit.size), ...place };
    const all = millionths * own.size;
    if (!Number.isSafeInteger(all)) continue;
    if (own.size % unit.size && all % unit.size === 0) yield { value: all / unit.size, ...place };
    if (unit.kind !== "time") continue;
    const [whole, rest] = [unit.size * million, all % (60 * unit.size * million)];
    if (all > whole) yield { value: (all - (all % whole)) / unit.size };
    const isWithin = unit.size === second || unit.size === minute;
    if (isWithin && rest > 0 && rest < all && rest % unit.size === 0) yield { value: rest / unit.size };
  }
}

function decimal(millionths: number): string {
  const size = Math.abs(millionths);
  const part = String(size % million)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return `${millionths < 0 ? "-" : ""}${Math.trunc(size / million)}${part && `.${part}`}`;
}

const aCounted = patternOf(String.raw`(?<![\p{L}\p{N}])an? ([\p{L}]+)`, "giu");
const halvedWord = patternOf(String.raw`([\p{L}]+) and a [\p{L}]+$`, "u");
const nextWord = patternOf(String.raw`^[ -]?(?:of )?(?:an? )?([\p{L}]+)`, "u");

/** Numbers and what they count; of two that begin at one place the longer, "two hours and a half". */
function saidIn(request: string): Said[] {
  const numbers = numbersIn(request).filter(
    (one, _, all) => !all.some((other) => other.start === one.start && other.end > one.end),
  );
  const times = timesIn(request, numbers);
  const told = new Set(times.flatMap(({ parts }) => parts));
  const said = numbers.map((one): Said => {
    const { word, after } = countedBy(request, one);
    const unit = unitOf(word);
    const { start, end, inWords } = one;
    const isTold = told.has(one);
    return {
      start,
      end,
      inWords,
      after,
      millionths: exact(one.value),
      ...(unit && { unit }),
      ...(isTold && { isTold }),
    };
  });
  for (const { 0: text, 1: word, index } of request.matchAll(aCounted(request))) {
    const unit = unitOf(word.toLowerCase());
    const isPart = numbers.some(({ start, end }) => start < index + text.length && end >= index - 4);
    const end = index + text.length;
    if (unit && !isPart) said.push({ start: index, end, after: end, millionths: million, unit });
  }
  said.push(...compounds(request, said));
  for (const { hours, minute: past, isEither, start, end } of times) {
    const [rather] = isEither ? [] : hours;
    for (const [i, one] of hours.entries()) {
      const other = i && rather !== undefined && { rather: rather * million };
      said.push({ start, end, millionths: one * million, clock: hour, ...other });
    }
    said.push({ start, end, millionths: past * million, clock: minute });
  }
  return said;
}

const adjoining = /^(?:,? and |, | )$/;

/** Lengths that are said in several units, the largest first, as one number of the last; their parts are marked. */
function compounds(request: string, said: readonly Said[]): Said[] {
  const goesOn = (one: Said, other: Said) =>
    one.unit?.kind === other.unit?.kind &&
    (one.unit?.size ?? 0) > (other.unit?.size ?? 0) &&
    adjoining.test(request.slice(one.after, other.start));
  const heads = said.filter((one) => !said.some((other) => goesOn(other, one)));
  return heads.flatMap((head) => {
    const parts: Said[] = [];
    for (let at: Said | undefined = head; at; ) {
      const last: Said = at;
      parts.push(last);
      at = said.find((other) => goesOn(last, other));
    }
    const [{ start }, { end, unit }] = [head, parts[parts.length - 1]];
    const all = parts.reduce((sum, one) => sum + one.millionths * (one.unit?.size ?? 0), 0);
    if (parts.length < 2 || !unit || !Number.isSafeInteger(all) || all % unit.size) return [];
    for (const part of parts) part.isPart = true;
    return [{ start, end, millionths: all / unit.size, unit }];
  });
}

/** The word that a number counts, and where that ends: "an hour and a half" has it within, "half an hour" after. */
function countedBy(request: string, { start, end }: Place): { word: string; after: number } {
  const [said, rest] = [request.slice(start, end), request.slice(end)];
  const within = halvedWord(said).exec(said)?.[1];
  const [text = "", word = ""] = (within === undefined && nextWord(rest).exec(rest)) || [];
  return { word: (within ?? word).toLowerCase(), after: end + text.length };
}

/** In millionths, NaN for what has more decimals. */
function exact(value: number): number {
  const millionths = Math.round(value * million);
  return millionths / million === value ? millionths : Number.NaN;
}
