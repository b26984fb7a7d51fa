/** Where a value stands in the request: character offsets, or that it came from an enum, a number word or a default. */
import type { Json } from "../json.ts";
import { leaves, type Property, type Schema } from "../tools/schema.ts";

export interface ValueSource {
  from: "request" | "number word" | "enum" | "default" | "nowhere";
  /** UTF-16 offsets into the request, where the value stands in it. */
  start?: number;
  end?: number;
  /** false: nothing in the request, the schema or its defaults accounts for the value. */
  grounded: boolean;
}

/** Sources of a call's arguments by path, leaf by leaf: `city`, `attendees[0]`, `start.date`. */
export function sourcesOf(
  args: Record<string, Json>,
  properties: readonly Property[],
  request: string,
): Record<string, ValueSource> {
  const sources: Record<string, ValueSource> = {};
  const visit = (value: Json, schema: Schema | undefined, fallback: Json | undefined, path: string): void => {
    const inner = schema && optionFor(value, schema);
    if (Array.isArray(value) && inner?.kind !== "enum") {
      for (const [i, item] of value.entries())
        visit(item, inner?.kind === "array" ? inner.items : undefined, undefined, `${path}[${i}]`);
    } else if (typeof value === "object" && value !== null && inner?.kind !== "enum") {
      for (const [key, item] of Object.entries(value)) {
        const property = inner?.kind === "object" ? inner.properties.find(({ name }) => name === key) : undefined;
        visit(item, property?.schema, property?.default, `${path}.${key}`);
      }
    } else sources[path] = sourceOf(value, inner, fallback, request);
  };
  for (const [key, value] of Object.entries(args)) {
    const property = properties.find(({ name }) => name === key);
    visit(value, property?.schema, property?.default, key);
  }
  return sources;
}

function sourceOf(value: Json, schema: Schema | undefined, fallback: Json | undefined, request: string): ValueSource {
  const span =
    typeof value === "string"
      ? findText(value, request)
      : typeof value === "number"
        ? findNumber(value, request)
        : null;
  if (span) return { ...span, grounded: true };
  if (schema?.kind === "enum" || typeof value === "boolean" || value === null) return { from: "enum", grounded: true };
  if (fallback !== undefined && JSON.stringify(fallback) === JSON.stringify(value))
    return { from: "default", grounded: true };
  return { from: "nowhere", grounded: false };
}

/** The option of a union that a value was written by, references followed. */
function optionFor(value: Json, schema: Schema): Schema {
  const options = [...leaves(schema)].map((option) => option.schema);
  const kind = value === null || typeof value === "boolean" ? "enum" : Array.isArray(value) ? "array" : typeof value;
  const listed = options.find(
    (option) => option.kind === "enum" && option.values.some((one) => JSON.stringify(one) === JSON.stringify(value)),
  );
  return listed ?? options.find((option) => option.kind === kind) ?? options[0];
}

type Span = Pick<ValueSource, "from" | "start" | "end">;

/** A text in the request: as it stands before letter case is ignored, as whole words before within them. */
function findText(text: string, request: string): Span | null {
  const words = text.trim();
  if (!words) return null;
  // White space counts as one space, and typographic quotes as plain ones; both keep their length.
  const plain = (s: string) => s.replace(/\s/g, " ").replace(/[‘’]/g, "'").replace(/[“”]/g, '"');
  const lower = (s: string) => [...s].map((c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join("");
  for (const [needle, hay] of [
    [plain(words), plain(request)],
    [lower(plain(words)), lower(plain(request))],
  ]) {
    let inside = -1;
    for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + 1)) {
      if (!isWord(hay[at - 1], needle[0]) && !isWord(needle.at(-1), hay[at + needle.length])) {
        return { from: "request", start: at, end: at + needle.length };
      }
      if (inside < 0) inside = at;
    }
    if (inside >= 0) return { from: "request", start: inside, end: inside + needle.length };
  }
  return null;
}

/** Whether two neighbours belong to one word. */
function isWord(a: string | undefined, b: string | undefined): boolean {
  const letter = /[\p{L}\p{N}]/u;
  return a !== undefined && b !== undefined && letter.test(a) && letter.test(b);
}

function findNumber(value: number, request: string): Span | null {
  for (const { 0: digits, index } of request.matchAll(/[-+]?\d[\d,]*(\.\d+)?|\.\d+/g)) {
    // A sign may also be a hyphen, as in "5-10".
    const plain = digits.replaceAll(",", "");
    if (Number(plain) === value || Math.abs(Number(plain)) === value)
      return { from: "request", start: index, end: index + digits.length };
  }
  const words = [...request.toLowerCase().matchAll(/[a-z]+/g)];
  // The longest run of number words first: "twenty five" before "twenty".
  for (let length = Math.min(6, words.length); length > 0; length--) {
    for (let i = 0; i + length <= words.length; i++) {
      if (wordsValue(words.slice(i, i + length).map(([word]) => word)) !== Math.abs(value)) continue;
      const last = words[i + length - 1];
      return { from: "number word", start: words[i].index, end: last.index + last[0].length };
    }
  }
  return null;
}

const small =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const ordinals: Record<string, number> = {
  first: 1,
  second: 2,
  third: 3,
  fourth: 4,
  fifth: 5,
  sixth: 6,
  seventh: 7,
  eighth: 8,
  ninth: 9,
  tenth: 10,
};
const others: Record<string, number> = {
  a: 1,
  an: 1,
  once: 1,
  single: 1,
  couple: 2,
  twice: 2,
  double: 2,
  pair: 2,
  thrice: 3,
  half: 0.5,
  quarter: 0.25,
  dozen: 12,
  ...ordinals,
};
const scales: Record<string, number> = { hundred: 100, thousand: 1000, million: 1_000_000 };

/** The number that English words say, null if they say none: "two hundred and five", "a dozen", "half". */
export function wordsValue(words: readonly string[]): number | null {
  let [total, part] = [0, 0];
  for (const [i, word] of words.entries()) {
    const unit = small.indexOf(word);
    if (unit >= 0) part += unit;
    else if (tens.includes(word)) part += 20 + 10 * tens.indexOf(word);
    else if (word in scales && Object.hasOwn(scales, word)) {
      part = (part || 1) * scales[word];
      if (scales[word] >= 1000) [total, part] = [total + part, 0];
    } else if (word === "dozen" && i > 0) part = (part || 1) * 12;
    else if (Object.hasOwn(others, word)) part += others[word];
    else if (word !== "and" || i === 0 || i === words.length - 1) return null;
  }
  return words.length ? total + part : null;
}
