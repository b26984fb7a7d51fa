/**
 * The numbers that a request says, put into the choice of those that a call holds: "six point five hours" is 6.5 and not
 * 65, "two minutes" 120 under a key that ends in seconds, "quarter to seven" the hour 6 and the minute 45. A number that nobody
 * said stays possible, at a price.
 *
 * All are counted in millionths, so that an implementation without floating point finds the same ones (firmware/mcu).
 */
import { patternOf } from "../text/letters.ts";
import { numbersIn, type SaidNumber } from "../text/numbers.ts";
import { timesIn } from "../text/timeofday.ts";

/** Seconds of the units of time that a number may count, or the last word of a key name. */
const units: ReadonlyMap<string, number> = new Map(
  Object.entries({
    1: "s sec secs second seconds",
    60: "m min mins minute minutes",
    3600: "h hr hrs hour hours",
    86400: "day days",
    604800: "week weeks",
  }).flatMap(([seconds, words]) => words.split(" ").map((word) => [word, Number(seconds)] as const)),
);

const million = 1e6;
const colon = 0x3a;
/** Numbers of a request, hours and minutes of its times of day beside them: of one that says more none is preferred. */
const mostSaid = 24;

const [minute, hour] = [60, 3600];

/** A number of the request, and where it counts time the seconds of its unit. */
interface Said {
  millionths: number;
  unit?: number;
  /** Of the hour or the minute of a time of day, the unit of the keys that it may stand under. */
  clock?: number;
  /** It tells a time of day, whose hour and minute stand by themselves. */
  isTold?: boolean;
}

/** The last word of a key, and the seconds that it counts, 0 for none. */
interface Unit {
  seconds: number;
  /** "hour" and "minute" are of a time of day; "hours" and "minutes" may be of a length. */
  isHand: boolean;
}

export class Figures {
  readonly said: readonly Said[];
  /** By the last word of a key: the numbers that may stand under it, as JSON. */
  private readonly texts = new Map<string, readonly string[]>();

  /** `price`: of a number that is not said, in logits. */
  constructor(
    request: string,
    private readonly price: number,
  ) {
    const said = saidIn(request);
    // What cannot be counted exactly might be what is meant.
    this.said = said.length <= mostSaid && said.every(({ millionths }) => Number.isSafeInteger(millionths)) ? said : [];
  }

  /**
   * Takes the price from the logits of ids that lead, after these bytes, to a number that is not said, where another
   * leads to one that is. `bytesOf`: of an id.
   */
  add(
    logits: Float32Array,
    ids: Iterable<number>,
    bytes: readonly number[],
    bytesOf: (id: number) => ArrayLike<number>,
  ): void {
    if (!this.said.length) return;
    const before = String.fromCharCode(...bytes);
    const isOpen = number.test(before);
    const unsaid: number[] = [];
    let any = false;
    for (const id of ids) {
      const piece = Array.from(bytesOf(id));
      const leads = isOpen || piece.includes(colon) ? this.leads(before, String.fromCharCode(...piece)) : undefined;
      if (leads === false) unsaid.push(id);
      else any ||= leads === true;
    }
    if (any) for (const id of unsaid) logits[id] -= this.price;
  }

  /** Whether a piece begins, goes on with or ends a number that is said; undefined where it has to do with none. */
  private leads(before: string, piece: string): boolean | undefined {
    const open = number.exec(before);
    const [, key, digits] = open ?? number.exec(before + piece) ?? [];
    if (key === undefined) return undefined;
    const more = open ? (/^[-.\d]*/.exec(piece)?.[0] ?? "") : "";
    const text = digits + more;
    if (open && !text) return undefined;
    const texts = this.under(key);
    return open && more.length < piece.length ? texts.includes(text) : texts.some((one) => one.startsWith(text));
  }

  /** The numbers that may stand under a key, as JSON. */
  under(key: string): readonly string[] {
    const word = lastWord(key);
    let texts = this.texts.get(word);
    if (!texts) {
      const unit = { seconds: units.get(word) ?? 0, isHand: /^(?:hour|minute)$/.test(word) };
      texts = [...new Set([...valuesUnder(unit, this.said)].filter(Number.isSafeInteger).map(decimal))];
      this.texts.set(word, texts);
    }
    return texts;
  }
}

/** The end of a text within the value of a key, or of an item of its list: a number as far as it is written. */
const number = /"([^"\\]*)":(?:\[(?:[-.\d]+,)*)?([-.\d]*)$/;

/** "waitSeconds" → "seconds", "delay_minutes" → "minutes"; of one letter or two nothing, which may be anything. */
function lastWord(key: string): string {
  const word = (/[A-Za-z][a-z]*$/.exec(key)?.[0] ?? "").toLowerCase();
  return word.length > 2 ? word : "";
}

/** What may stand under a key of a unit, in millionths: 90 minutes are also an hour and 30 minutes, a half 50 percent. */
function* valuesUnder({ seconds: unit, isHand }: Unit, said: readonly Said[]): Generator<number> {
  let [sum, timed] = [0, 0];
  for (const { millionths, unit: counted, clock, isTold } of said) {
    if (isHand && clock === unit) yield millionths;
    if (clock || (isHand && isTold)) continue;
    // "An alarm for 9, please" is at nine sharp.
    if (isHand && unit === minute && !counted) yield 0;
    if (!unit || !counted) {
      yield millionths;
      if (!counted && millionths > 0 && millionths < million) yield 100 * millionths;
      continue;
    }
    const seconds = millionths * counted;
    if (!Number.isSafeInteger(seconds)) continue;
    const rest = seconds % (60 * unit * million);
    [sum, timed] = [sum + seconds, timed + 1];
    if (seconds % unit === 0) yield seconds / unit;
    if (seconds > unit * million) yield (seconds - (seconds % (unit * million))) / unit;
    if (unit <= 60 && rest > 0 && rest < seconds && rest % unit === 0) yield rest / unit;
  }
  if (timed > 1 && sum % unit === 0) yield sum / unit;
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
    const unit = units.get(countedBy(request, one));
    return { millionths: exact(one.value), ...(unit && { unit }), ...(told.has(one) && { isTold: true }) };
  });
  for (const { 0: text, 1: word, index } of request.matchAll(aCounted(request))) {
    const unit = units.get(word.toLowerCase());
    const isPart = numbers.some(({ start, end }) => start < index + text.length && end >= index - 4);
    if (unit && !isPart) said.push({ millionths: million, unit });
  }
  for (const { hours, minute: past } of times) {
    said.push(...hours.map((one) => ({ millionths: one * million, clock: hour })));
    said.push({ millionths: past * million, clock: minute });
  }
  return said;
}

/** The word that a number counts: "an hour and a half" has it within, "half an hour" after. */
function countedBy(request: string, { start, end }: Pick<SaidNumber, "start" | "end">): string {
  const [said, rest] = [request.slice(start, end), request.slice(end)];
  const within = halvedWord(said).exec(said)?.[1];
  const after = nextWord(rest).exec(rest)?.[1];
  return (within ?? after ?? "").toLowerCase();
}

/** In millionths, NaN for what has more decimals. */
function exact(value: number): number {
  const millionths = Math.round(value * million);
  return millionths / million === value ? millionths : Number.NaN;
}
