/** The numbers that a request says: what they count, lengths of several units, hours and minutes of its times of day. */
import { patternOf } from "../text/letters.ts";
import { numbersIn, type SaidNumber } from "../text/numbers.ts";
import { timesIn } from "../text/timeofday.ts";
import { kilo, type Unit, unitOf } from "../text/units.ts";

/** In which numbers are counted. */
export const million = 1e6;

/** Numbers of a request, hours and minutes of its times of day beside them: of one that says more none is preferred. */
export const mostSaid = 24;

const [minute, hour] = [60_000, 3_600_000];

/** UTF-16 offsets into a request. */
export interface Place {
  start: number;
  end: number;
}

/** A number of the request, and the unit that it counts. */
export interface Said extends Place {
  millionths: number;
  unit?: Unit;
  /** Of the hour or the minute of a time of day, the unit of the keys that it may stand under. */
  clock?: number;
  /** It tells a time of day, whose hour and minute stand by themselves. */
  isTold?: boolean;
  /** What is meant instead where that fits: 20 for the 8 of "8 pm". */
  rather?: number;
  inWords?: boolean;
  /** Of digits that a mark may cut. */
  isCut?: true;
  /** Where the word ends that it counts. */
  after?: number;
  /** Of a length in several units, "an hour and 5 minutes", which is said beside it as one. */
  isPart?: boolean;
  /** It says by how much. */
  isChange?: boolean;
  /** It may be less than nothing. */
  mayFall?: boolean;
  /** It counts cups or the like, which hold nobody knows how much. */
  isOfVessels?: boolean;
}

const aCounted = patternOf(String.raw`(?<![\p{L}\p{N}])an? ([\p{L}]+)`, "giu");
const halvedWord = patternOf(String.raw`([\p{L}]+) and a [\p{L}]+$`, "u");
const goesOn = patternOf(String.raw`^-?[\p{L}\p{N}]`, "u");
const nextWord = patternOf(String.raw`^[ -]?(?:of )?(?:an? )?([\p{L}]+)`, "u");

/** Numbers and what they count; of two that begin at one place the longer, "two hours and a half". */
export function saidIn(request: string): Said[] {
  const numbers = numbersIn(request).filter(
    (one, _, all) => !all.some((other) => other.start === one.start && other.end > one.end),
  );
  const times = timesIn(
    request,
    numbers.map((one) => (one.isCut ? { ...one, value: Number.NaN } : one)),
  );
  const told = new Set(times.flatMap(({ parts }) => parts.map(({ start }) => start)));
  const joints = [...request.matchAll(joint)].map(({ 1: text, index }) => ({ start: index, end: index + text.length }));
  const mayFall = (one: Place) => fallsWithin(request, one, joints);
  const said = numbers.map((one): Said => {
    const { unit: counted, after } = countedBy(request, one);
    const { start, end, isCut } = one;
    const inWords = one.inWords && !/\d/.test(request[start]);
    const isThousands = counted === kilo && (currency.test(request.slice(0, start)) || steps.test(request));
    const unit = isThousands ? undefined : counted;
    const isTold = told.has(start);
    return {
      start,
      end,
      inWords,
      after,
      millionths: exact(isThousands ? 1000 * one.value : one.value),
      ...(isCut && { isCut }),
      ...(unit && { unit }),
      ...(isTold && { isTold }),
      ...(isChange(request, one) && { isChange: true }),
      ...(mayFall(one) && { mayFall: true }),
      ...(countsVessels(request, one) && { isOfVessels: true }),
    };
  });
  for (const { 0: text, 1: word, index } of request.matchAll(aCounted(request))) {
    const unit = unitOf(word.toLowerCase());
    const isPart = numbers.some(({ start, end }) => start < index + text.length && end >= index - 4);
    const end = index + text.length;
    const place = { start: index, end };
    if (unit && !isPart)
      said.push({ ...place, after: end, millionths: million, unit, ...(mayFall(place) && { mayFall: true }) });
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
  const more = hundreds(request, numbers);
  return said.length + more.length > mostSaid ? said : [...said, ...more];
}

/** "One thirty five", as people say 135, beside 1:35 and 1 and 35: which of them nobody knows. */
function hundreds(request: string, numbers: readonly SaidNumber[]): Said[] {
  return numbers.flatMap((one, i) => {
    const next = numbers[i + 1];
    const isWhole = one.inWords && next?.inWords && Number.isInteger(one.value) && Number.isInteger(next.value);
    if (!isWhole || one.value < 1 || one.value > 9 || next.value < 10 || next.value > 99) return [];
    const place = { start: one.start, end: next.end };
    const { unit } = countedBy(request, place);
    if (request.slice(one.end, next.start) !== " " || !(unit ? afterUnit : after).test(request.slice(place.end)))
      return [];
    const millionths = (100 * one.value + next.value) * million;
    return [{ ...place, inWords: true, isTold: true, isPart: true, millionths, ...(unit && { unit }) }];
  });
}

/** "Two twenty packs" and "three fifty gram bars" are two and three. */
const closing = String.raw`(?:(?![ -]?[A-Za-z\u0080-\uffff])| (?:over|and|of|for|on|to|in|at|please|with|from|today)(?![A-Za-z]))`;
const after = new RegExp(`^${closing}`, "i");
const afterUnit = new RegExp(`^[ -]?[A-Za-z]+${closing}`, "i");

/**
 * Whether a clause has, around a number, a word by which it may be less than nothing: "volume down 10", "back ten seconds"; not
 * "down to about 10", "back to floor 3", "less than 5", nor what is pushed or given back, or also goes up. Of 356 such by hand 349 are.
 */
function fallsWithin(request: string, { start, end }: Place, joints: readonly Place[]): boolean {
  const last = joints.findLast((one) => one.end <= start);
  const before = request.slice(last ? last.start + 1 : 0, start);
  const rest = request.slice(end, joints.find((one) => one.start >= end)?.start);
  if (/(?:^| )(?:to|at|plus) (?:(?:about|around|roughly|just) )?$/i.test(before)) return false;
  const late = before.replace(/^.*(?<![a-z])(?:to|at|plus)(?![a-z])/is, "");
  const has = (words: RegExp, text = before) => words.test(text) || words.test(rest);
  return !has(rising) && (has(falling, late) || (has(backing, late) && !has(puts)));
}

const anyOf = (words: string) =>
  new RegExp(`(?<![a-z])(?:${words.replaceAll(" ", "|")})(?![a-z])(?! than(?![a-z]))`, "i");
const falling = anyOf(
  "down downwards rewind lower less fewer reduce decrease drop cut quieter softer darker darken cooler colder slower left " +
    "missed deduct subtract shorten counterclockwise ago",
);
const rising = anyOf("up raise louder higher brighter increase warmer hotter longer faster");
const backing = anyOf("back backwards off");
const puts = anyOf("push put hold set postpone delay tilt recline later give return add pay move bump shift");
const steps = anyOf("step steps");
const currency = /[$£€]$/;
/** Whether another clause begins at a place or after it. */
export const goesOnAfter = (request: string, end: number): boolean => request.slice(end).search(joint) >= 0;

/** What parts clauses, a mark before a space or a word that joins them; two may share a space. */
const joint = /(?=([,.;:!?] | (?:and|then|also|but) ))/gi;

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
    const [{ start, mayFall }, { end, unit }] = [head, parts[parts.length - 1]];
    const all = parts.reduce((sum, one) => sum + one.millionths * (one.unit?.size ?? 0), 0);
    if (parts.length < 2 || !unit || !Number.isSafeInteger(all) || all % unit.size) return [];
    for (const part of parts) part.isPart = true;
    return [{ start, end, millionths: all / unit.size, unit, ...(mayFall && { mayFall }) }];
  });
}

/** What a number counts, and where the word for it ends: "an hour and a half" has it within, "half an hour" after. */
export function countedBy(request: string, { start, end }: Place): { unit: Unit | undefined; after: number } {
  const [said, rest] = [request.slice(start, end), request.slice(end)];
  const within = halvedWord(said).exec(said)?.[1];
  const [text = "", word = ""] = (within === undefined && nextWord(rest).exec(rest)) || [];
  const counted = (within ?? word).toLowerCase();
  const after = end + text.length;
  if (counted !== "k") return { unit: unitOf(counted), after };
  // "5 K-cups" and "3 K2" count none of it, "6500k" are kelvins.
  const isOther = goesOn(rest).test(rest.slice(text.length)) || Number(said.replaceAll(",", "")) >= 1000;
  return { unit: isOther ? undefined : text === word ? kilo : unitOf(counted), after };
}

/** Whether a number counts vessels: "2 cups", "3 large glasses"; not "500 ml bottles" nor "200 into cup 2". */
export const countsVessels = (request: string, { end }: Place): boolean => vessels.test(request.slice(end));

const vessels =
  /^[ -]?(?:(?!(?:to|in|into|from|for|at) )[a-z]+ )?(?:cup|mug|glas|glasse|bottle|pint|spoon|tablespoon|teaspoon)s?(?![a-z])/i;

/** Whether a number says by how much: "up by 5", "up 5", "10 percent brighter", "3 notches". */
export function isChange(request: string, { start, end }: Place): boolean {
  return changing.test(request.slice(0, start)) || compared.test(request.slice(end));
}

const changing = /(?<![a-z])(?:by|up|down) $/i;
/** Not "50 percent power", "21 after dinner". */
const compared =
  /^%?(?: (?!(?:or|no) )[a-z]+)? (?:(?!(?:power|after|over|under|other|ever|forever|water|winter|summer|dinner|supper|timer|together)(?![a-z]))[a-z]+er|notch|notches|step|steps|more|less)(?![a-z])/i;

/** In millionths, NaN for what has more decimals. */
function exact(value: number): number {
  const millionths = Math.round(value * million);
  return millionths / million === value ? millionths : Number.NaN;
}
