/**
 * The numbers that an English text says, in digits and in words. Words that stand side by side are one number only where
 * the grammar makes them one: "twenty five" says 25 and neither 20 nor 5, "half a dozen" 6, "a twenty second timer" 20.
 *
 *   number    = ("minus" | "negative")? quantity | ordinal | "once" | "double" | …
 *   quantity  = start (scale | "and"? below100 | "and" fraction | "point" digits)*     scales fall, see `goOn`
 *   start     = below100 | ("a" | nothing) before a scale | "couple" | fraction ("of"? "a"? before a scale)?
 *   counted   = (quantity | "a") noun "and a" fraction                                 an hour and a half: 1.5
 *
 * Cases, for implementations in other languages too: test/fixtures/numbers.json.
 */
import { patternOf } from "./letters.ts";

/** A number, and where the text says it: UTF-16 offsets. */
export interface SaidNumber {
  value: number;
  start: number;
  end: number;
  inWords: boolean;
  /** Of digits that a mark, a space or a letter may cut: "2,5", "1.299", "10 000", "4o". */
  isCut?: true;
}

const valuesOf = (text: string, first: number, step = 1) =>
  text.split(" ").map((word, i): [string, number] => [word, first + i * step]);
const units = new Map(valuesOf("zero one two three four five six seven eight nine", 0));
const teens = new Map(valuesOf("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen", 10));
const tens = new Map(valuesOf("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10));
const scales = new Map([
  ["dozen", 12],
  ["hundred", 100],
  ["thousand", 1e3],
  ["million", 1e6],
  ["billion", 1e9],
]);
const fractions = new Map([
  ["half", 0.5],
  ["quarter", 0.25],
]);
const signs = new Map([
  ["½", 0.5],
  ["¼", 0.25],
  ["¾", 0.75],
]);
const multiples = new Map([...valuesOf("once twice thrice", 1), ...valuesOf("single double", 1), ["pair", 2]]);
const ordinals = new Map([
  ...valuesOf("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", 1),
  ...valuesOf("thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth", 13),
  ["thirtieth", 30],
]);
/** "at this point five people": no decimal. */
const determiners = new Set(["a", "the", "this", "that", "one", "what", "some", "any"]);
const months = new Set(
  "january february march april may june july august september october november december".split(" "),
);

/** Groups of three take commas only where all of them do: "1,200" is one number, "1,2" two. */
const digitsPattern = String.raw`\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)|\d+(?:\.\d+)?|(?<!\d)\.\d+`;
const digits = new RegExp(digitsPattern, "g");
/** Digits with marks within, and those of them that are a number or a list whoever writes them; the "1.299" of some is a thousand times that of others. */
const marked = /(?<!\d)\.?\d+(?:[.,]\d+)+/g;
const plain =
  /^(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?![1-9]\d{0,2}\.\d{3}$)\d+\.\d+|(?!\d\d?(?:,\d\d)+,\d{3}$)\d+(?:,\d+){2,})$/;
/** Letters between digits or before them, and o's after, that a thumb or a scanner takes for 0 and 1; of "4l", "5oz" and "6 o'clock" they are no such. */
const taken = /(?:(?<=\d)[.,:])?(?<![A-Za-z\u0080-\uffff])(?:[oO]+|[lI])(?=\.?\d)/g;
const worded = "z c f n r ff unce unces ver ut ld clock 'clock ’clock".replace(
  /[a-z]/g,
  (one) => `[${one}${one.toUpperCase()}]`,
);
const zeros = new RegExp(`[.,:]?[oO]+(?![oO]|(?:${worded.replaceAll(" ", "|")})(?![A-Za-z]))`, "y");
const spaced = /(?<![\d.,])[1-9]\d{0,2}(?: \d{3})+(?!\d|[.,]\d)/g;
/** "1/2" is ½; no day of a month and no "120/80". */
export const fractionPattern = String.raw`(?<![\d/.,])(?:1/[2348]|2/3|3/[48])(?![\d/]|[.,]\d)`;
const signAtEnd = patternOf(String.raw`(^|[^\p{L}\p{N}])[-+\u2212]$`, "u");
const tokens = patternOf(String.raw`${fractionPattern}|${digitsPattern}|[\p{L}]+|[\u00bc-\u00be]`, "gu");

/** Finds every number, by its place; digits stand for themselves, unless words make another number of them. */
export function numbersIn(text: string): SaidNumber[] {
  const cut = cutsIn(text);
  const { said, parts } = new Reader(text, cut).phrases();
  for (const { 0: number, index } of text.matchAll(digits)) {
    if (parts.has(index)) continue;
    // In "5-10" the mark is no sign.
    const before = text.slice(Math.max(0, index - 3), index);
    const isSigned = signAtEnd(before).test(before);
    const start = isSigned ? index - 1 : index;
    const value = Number(number.replaceAll(",", "")) * (/[-−]/.test(text.slice(start, index)) ? -1 : 1);
    said.push({ value, start, end: index + number.length, inWords: false, ...(cut.has(index) && { isCut: true }) });
  }
  return said.sort((a, b) => a.start - b.start);
}

/** Offsets within digits that a mark, a space or a letter may cut. */
function cutsIn(text: string): Set<number> {
  const cuts = new Set<number>();
  const letters = new Set([...text.matchAll(taken)].flatMap(({ 0: run, index }) => [index, index + run.length]));
  for (const { 0: run, index } of text.matchAll(digits)) {
    zeros.lastIndex = index + run.length;
    if (letters.has(index) || letters.has(zeros.lastIndex) || zeros.test(text)) cuts.add(index);
  }
  for (const { 0: run, index } of [...text.matchAll(marked), ...text.matchAll(spaced)])
    if (!plain.test(run)) for (let at = 0; at < run.length; at++) cuts.add(index + at);
  return cuts;
}

const isFraction = (word: string) => word[1] === "/";
const isDigits = (word = "") => /^[\d.]/.test(word) && !isFraction(word);
/** ½ or 1/2. */
const signOf = (word = "") => (isFraction(word) ? Number(word[0]) / Number(word[2]) : signs.get(word));

/** Of arithmetic in binary what it means: 8.2 times a million is 8,200,000 and not 8,199,999.999999999. */
const decimal = (value: number): number => Number(value.toPrecision(15));

/** A value, and the place of the token after it. */
interface Read {
  value: number;
  next: number;
}

class Reader {
  private readonly words: string[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** What stands before each token, up to the last one. */
  private readonly gaps: string[] = [];

  constructor(
    text: string,
    private readonly cut: ReadonlySet<number>,
  ) {
    for (const { 0: word, index } of text.matchAll(tokens(text))) {
      this.gaps.push(text.slice(this.ends.at(-1) ?? 0, index));
      this.words.push(word.toLowerCase());
      this.starts.push(index);
      this.ends.push(index + word.length);
    }
  }

  /** Numbers that take a word to say, and where the digits in them begin. */
  phrases(): { said: SaidNumber[]; parts: Set<number> } {
    const said: SaidNumber[] = [];
    const parts = new Set<number>();
    for (let at = 0; at < this.words.length; ) {
      const number = this.number(at);
      const counted = this.counted(at, number);
      for (const { value, next } of [number, counted].filter((read) => read !== null)) {
        const isAlone = next === at + 1 && isDigits(this.words[at]);
        const [start, end] = [this.starts[at], this.ends[next - 1]];
        const isCut = this.starts
          .slice(at, next)
          .some((start, i) => this.cut.has(start) && isDigits(this.words[at + i]));
        if (!isAlone) said.push({ value: decimal(value), start, end, inWords: true, ...(isCut && { isCut }) });
      }
      for (let word = at; number && word < number.next; word++) {
        if (number.next > at + 1) parts.add(this.starts[word]);
        if (isFraction(this.words[word])) parts.add(this.starts[word]).add(this.ends[word] - 1);
      }
      at = (counted ?? number)?.next ?? at + 1;
    }
    return { said, parts };
  }

  private number(at: number): Read | null {
    const word = this.words[at];
    if (word === "minus" || word === "negative") {
      const number = this.joined(at + 1) ? this.quantity(at + 1) : null;
      return number && { value: -number.value, next: number.next };
    }
    const multiple = multiples.get(word);
    return this.ordinal(at) ?? (multiple ? { value: multiple, next: at + 1 } : this.quantity(at));
  }

  private ordinal(at: number): Read | null {
    const ten = tens.get(this.words[at]);
    const unit = this.joined(at + 1) ? (ordinals.get(this.words[at + 1]) ?? 10) : 10;
    // "twenty second" is most often a time: a day only in a date.
    const isDate = months.has(this.words[at - 1]) || this.words[at + 2] === "of";
    if (ten && unit < 10 && (unit !== 2 || isDate)) return { value: ten + unit, next: at + 2 };
    const value = ordinals.get(this.words[at]);
    return value === undefined || (value === 2 && this.isCounted(at)) ? null : { value, next: at + 1 };
  }

  /** "wait a second", "half a second", "ten second": the time and no ordinal. */
  private isCounted(at: number): boolean {
    const before = this.words[at - 1] ?? "";
    const isNumber = [units, teens, tens, scales, fractions].some((known) => known.has(before)) || /\d/.test(before);
    return this.joined(at) && (isNumber || ["a", "an", "per", "each", "split"].includes(before));
  }

  private quantity(at: number): Read | null {
    const start = this.start(at);
    if (!start) return null;
    let { value: part, next } = start;
    // `part` is below the least power so far, a thousand or more; `unit` is what the last word counts.
    let [total, unit, least] = [0, 1, Number.POSITIVE_INFINITY];
    for (;;) {
      const scale = next === at ? scales.get(this.words[at]) : this.scaleAt(next);
      if (scale && part && scale < least && scale !== unit) {
        [part, unit, next] = [part * scale, scale, next + 1];
        if (scale >= 1000) [total, part, least] = [total + part, 0, scale];
        continue;
      }
      const rest = this.rest(next, unit, least);
      if (!rest) return { value: total + part, next };
      [part, unit, next] = [part + rest.value, 1, rest.next];
    }
  }

  private start(at: number): Read | null {
    const word = this.words[at];
    const sign = signOf(word);
    if (sign) return { value: sign, next: at + 1 };
    const after = word === "a" && this.joined(at + 1) ? at + 1 : at;
    if (this.words[after] === "couple") {
      const next = this.words[after + 1] === "of" && this.scaleAt(after + 2) ? after + 2 : after + 1;
      return { value: 2, next };
    }
    if (scales.has(this.words[after])) return { value: 1, next: after };
    const fraction = this.fraction(at);
    if (fraction) {
      const article = this.words[fraction.next] === "of" ? fraction.next + 1 : fraction.next;
      const scale = this.words[article] === "a" ? article + 1 : article;
      return this.scaleAt(scale) ? { value: fraction.value, next: scale } : fraction;
    }
    if (word === "point" && !determiners.has(this.words[at - 1])) return this.decimals(at, 0);
    const whole = isDigits(word) ? { value: Number(word.replaceAll(",", "")), next: at + 1 } : this.below100(at);
    return whole && ((this.words[whole.next] === "point" && this.decimals(whole.next, whole.value)) || whole);
  }

  /** What is added to a number: "and five" after a hundred, "and a half" of what was counted, "½". */
  private rest(at: number, unit: number, least: number): Read | null {
    const isAnd = this.words[at] === "and";
    const joined = this.joined(at, unit >= 1000);
    const small = joined && unit >= 100 ? this.below100(isAnd ? at + 1 : at) : null;
    const after = small ? (scales.get(this.words[small.next]) ?? 0) : 0;
    // "a hundred and two hundred" are two numbers, and so are "a thousand and two dozen".
    if (small && after !== 12 && after !== unit && after < least) return small;
    const fraction = joined && isAnd ? this.fraction(at + 1) : null;
    if (fraction) return { value: fraction.value * unit, next: fraction.next };
    const sign = signOf(this.words[at]);
    // "Five 1/4 pound burgers" are five.
    const isMixed = !isFraction(this.words[at] ?? "") || isDigits(this.words[at - 1]);
    return sign && isMixed && /^(?:\s*|-)$/.test(this.gaps[at]) ? { value: sign, next: at + 1 } : null;
  }

  private below100(at: number): Read | null {
    const ten = tens.get(this.words[at]);
    const unit = ten && this.joined(at + 1) ? units.get(this.words[at + 1]) : undefined;
    if (ten) return unit ? { value: ten + unit, next: at + 2 } : { value: ten, next: at + 1 };
    const value = units.get(this.words[at]) ?? teens.get(this.words[at]);
    return value === undefined ? null : { value, next: at + 1 };
  }

  private fraction(at: number): Read | null {
    if (this.words[at] === "three" && this.words[at + 1] === "quarters") return { value: 0.75, next: at + 2 };
    const next = ["a", "one"].includes(this.words[at]) ? at + 1 : at;
    const value = fractions.get(this.words[next]);
    return value === undefined ? null : { value, next: next + 1 };
  }

  /** Digits in words after "point", one by one or as a number: "point two five", "three point twenty five". */
  private decimals(point: number, whole: number): Read | null {
    let [written, next] = ["", point + 1];
    for (;;) {
      const said = this.words[next] === "oh" ? { value: 0, next: next + 1 } : this.below100(next);
      if (!said || !this.joined(next)) break;
      [written, next] = [written + said.value, said.next];
    }
    return written ? { value: Number(`${whole}.${written}`), next } : null;
  }

  /** With the word that is counted before the fraction: "an hour and a half", "two hours and a quarter". */
  private counted(at: number, number: Read | null): Read | null {
    const isArticle = ["a", "an"].includes(this.words[at]);
    const counting = number ?? (isArticle ? { value: 1, next: at + 1 } : null);
    const and = counting ? counting.next + 1 : 0;
    if (!counting || this.words[and] !== "and" || this.words[and + 1] !== "a") return null;
    const fraction = this.joined(and - 1) && this.joined(and) ? this.fraction(and + 1) : null;
    return fraction && { value: counting.value + fraction.value, next: fraction.next };
  }

  private scaleAt(at: number): number | undefined {
    return this.joined(at) ? scales.get(this.words[at]) : undefined;
  }

  /** Whether a token goes on with the one before: over white space or a hyphen, after thousands also over a comma. */
  private joined(at: number, overComma = false): boolean {
    const gap = this.gaps[at] ?? "";
    return /^(\s+|\s*-\s*)$/.test(gap) || (overComma && /^,\s+$/.test(gap));
  }
}
