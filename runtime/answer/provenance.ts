/**
 * A call's values → the same in the user's own words, and where each comes from: a place of the request in characters or in
 * number words, an enum, a default, or nowhere.
 */
import { isObject, type Json } from "../json.ts";
import { isOfWord } from "../text/letters.ts";
import { numbersIn, type SaidNumber } from "../text/numbers.ts";
import { lowerCased, plainText, type Request } from "../text/request.ts";
import { misfit, type NumberSchema } from "../tools/decimal.ts";
import { itemSchema, type Leaf, leaves, type Property, type Schema } from "../tools/schema.ts";
import type { Figures } from "./figures.ts";
import { goesOnAfter, type Place } from "./said.ts";

export interface ValueSource {
  from: "request" | "number word" | "enum" | "default" | "state" | "nowhere";
  /** UTF-16 offsets into the request as it was typed, where the value stands in it. */
  start?: number;
  end?: number;
  /** The fact of the surroundings that the words at this place point at, where `from` is "state" (wear/facts.ts). */
  fact?: string;
  /** false: nothing in the request, the schema or its defaults accounts for the value. */
  grounded: boolean;
  /** Of a number from nowhere: the one that the request says, in the argument's unit, where, and why it is not that. */
  unfit?: { said: number; expected: string; start: number; end: number };
}

/** A source with its places as they are in another text. */
export function movedTo(source: ValueSource, move: (place: Place) => Place): ValueSource {
  const { start, end, unfit } = source;
  return {
    ...source,
    ...(start !== undefined && end !== undefined && move({ start, end })),
    ...(unfit && { unfit: { ...unfit, ...move(unfit) } }),
  };
}

export interface Grounded {
  /** Free strings that stand in the request as they were typed there. */
  arguments: Record<string, Json>;
  /** By path, leaf by leaf: `city`, `attendees[0]`, `start.date`. */
  sources: Record<string, ValueSource>;
}

/**
 * Finds a call's arguments, written from the request as the model read it, in the request as it was typed. `figures`: those of the
 * request, where what they come to counts as said, 120 under "seconds" for "two minutes". `spent`: by size, how many arguments of the
 * answer's calls before have a number; this call's are added.
 */
export function ground(
  args: Record<string, Json>,
  properties: readonly Property[],
  request: Request,
  figures?: Figures,
  spent = new Map<number, number>(),
): Grounded {
  const sources = new Map<string, ValueSource>();
  const options = new Options();
  let said: SaidNumber[] | undefined;
  /** By size: where the request says it, and paths by argument, of which a list is one. */
  const numbers = new Map<number, { places: Set<unknown>; paths: Map<string, string[]>; end: number }>();
  const written: { path: string; key: string; value: number; schema: Schema | undefined }[] = [];
  /** What the request says of values. */
  const held: Place[] = [];
  const placeOf = (value: Json, key: string, path: string, isKnown: boolean): Found | null => {
    if (typeof value === "string") return findText(value, request.text);
    if (typeof value !== "number") return null;
    said ??= numbersIn(request.text);
    const plain = saying(value, said).filter((one) => !figures?.countsOther(key, one));
    const figured = figures?.placesOf(key, value) ?? [];
    const place = plain[0] ?? figured[0];
    if (place && !isKnown) {
      const [size, argument] = [Math.abs(value), path.replace(/\[\d+\]/g, "")];
      const known = numbers.get(size) ?? { places: new Set(), paths: new Map<string, string[]>(), end: 0 };
      const { places, paths } = known;
      // A time of day is more calls' than one.
      const ends = [...plain, ...figured].map((one) => ("clock" in one ? Number.POSITIVE_INFINITY : one.end));
      paths.set(argument, [...(paths.get(argument) ?? []), path]);
      numbers.set(size, { places, paths, end: Math.max(known.end, ...ends) });
      // Midnight is the hour and the minute.
      for (const one of plain) places.add(one.start);
      for (const one of figured) places.add(one.clock === undefined ? one.start : one);
    }
    const { start, end } = place ?? figures?.boundOf(key, value) ?? {};
    if (start === undefined || end === undefined) return null;
    return { from: plain.length && !plain[0].inWords ? "request" : "number word", start, end };
  };
  const visit = (
    value: Json,
    schema: Schema | undefined,
    fallback: Json | undefined,
    path: string,
    key: string,
  ): Json => {
    const inner = schema && options.optionFor(value, schema);
    if (Array.isArray(value) && inner?.kind !== "enum") {
      const items = inner?.kind === "array" ? inner : undefined;
      return value.map((item, i) => visit(item, items && itemSchema(items, i), undefined, `${path}[${i}]`, key));
    }
    if (typeof value === "object" && value !== null && inner?.kind !== "enum")
      return visitAll(value as Record<string, Json>, inner?.kind === "object" ? inner.properties : [], `${path}.`);
    const unsaid = withoutPlace(value, inner, fallback, figures);
    const place = placeOf(value, key, path, unsaid.grounded || inner?.kind === "enum");
    if (place) held.push(place);
    const source = place ? { from: place.from, ...request.typedSpan(place.start, place.end), grounded: true } : unsaid;
    if (typeof value === "number") written.push({ path, key, value, schema });
    // Keys with dots may come to one path: there the doubtful value counts.
    if (sources.get(path)?.grounded !== false) sources.set(path, source);
    const isCopy = place && request.text.slice(place.start, place.end) === value;
    return isCopy ? asTyped(value as string, request.typed.slice(source.start, source.end), inner) : value;
  };
  // Made from entries, which keep any key, `__proto__` too.
  const visitAll = (values: Record<string, Json>, known: readonly Property[], path: string): Record<string, Json> =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => {
        const property = known.find(({ name }) => name === key);
        return [key, visit(value, property?.schema, property?.default, path + key, key)];
      }),
    );
  const read = visitAll(args, properties, "");
  // Said once, a number is no second argument's: of 471,000 calls in the data 22 have one twice, of 9,500 by the model 13, all wrong.
  // Nor is it another call's where a clause follows: "brightness 80 then mute" sets no volume to 80, "volume and brightness to 80" does.
  const again = new Set(
    [...numbers].flatMap(([size, { places, paths, end }]) => {
      const before = spent.get(size) ?? 0;
      spent.set(size, before + paths.size);
      const isSpent = before > 0 && before + paths.size > places.size && goesOnAfter(request.text, end);
      return [...paths.values()].slice(isSpent ? 0 : places.size).flat();
    }),
  );
  for (const path of again) sources.set(path, { from: "nowhere", grounded: false });
  const [alone, ...more] = written;
  // Of "2h 15m" neither is the length by itself.
  if (numbers.size && !more.length && figures?.isPart(alone.value))
    sources.set(alone.path, { from: "nowhere", grounded: false });
  for (const { path, key, schema } of written) {
    const one = schema && soleNumber(schema);
    if (!one || again.has(path) || sources.get(path)?.grounded !== false) continue;
    const isFree = ({ start, end }: Place) => !held.some((other) => start >= other.start && end <= other.end);
    for (const { value: said, place } of figures?.amountsUnder(key) ?? []) {
      const expected = isFree(place) && misfit(said, one);
      if (!expected) continue;
      held.push(place);
      const unfit = { said, expected, ...request.typedSpan(place.start, place.end) };
      sources.set(path, { from: "nowhere", grounded: false, unfit });
      break;
    }
  }
  return { arguments: read, sources: Object.fromEntries(sources) };
}

/** The only option of a schema that takes numbers. */
function soleNumber(schema: Schema): NumberSchema | undefined {
  const options = [...leaves(schema)].flatMap(({ schema }) => (schema.kind === "number" ? [schema] : []));
  return options.length === 1 ? options[0] : undefined;
}

/** A free string in the user's own words, unless the schema's limits forbid those. */
function asTyped(value: string, typed: string, schema: Schema | undefined): string {
  if (!schema) return typed;
  const length = [...typed].length;
  return schema.kind === "string" && length >= schema.minLength && length <= schema.maxLength ? typed : value;
}

function withoutPlace(
  value: Json,
  schema: Schema | undefined,
  fallback: Json | undefined,
  figures: Figures | undefined,
): ValueSource {
  // Where a number is said, one of an enum is no word's meaning: "timer for 500 minutes" of 5, 10 and 15.
  const isGuess =
    typeof value === "number" && schema?.kind === "enum" && schema.values.length > 1 && figures?.said.length;
  if ((schema?.kind === "enum" && !isGuess) || typeof value === "boolean" || value === null)
    return { from: "enum", grounded: true };
  if (fallback !== undefined && JSON.stringify(fallback) === JSON.stringify(value))
    return { from: "default", grounded: true };
  return { from: "nowhere", grounded: false };
}

/** Which options of unions values were written by. */
class Options {
  /** Of lists and objects, since each option of a union may hold the next union. */
  private readonly known = new Map<Schema, Map<Json, boolean>>();

  /** An enum that lists the value, else the first option that has it, references followed. */
  optionFor(value: Json, schema: Schema): Schema | undefined {
    const options = [...leaves(schema)].map((option) => option.schema);
    if (options.length === 1) return options[0];
    const having = options.filter((option) => this.has(option, value));
    return having.find(({ kind }) => kind === "enum") ?? having[0];
  }

  private has(schema: Leaf["schema"], value: Json): boolean {
    if (typeof value !== "object" || value === null) return this.holds(schema, value);
    const known = this.known.get(schema) ?? new Map<Json, boolean>();
    this.known.set(schema, known);
    const found = known.get(value) ?? this.holds(schema, value);
    known.set(value, found);
    return found;
  }

  private holds(schema: Leaf["schema"], value: Json): boolean {
    const inside = (part: Schema, inner: Json) => [...leaves(part)].some((option) => this.has(option.schema, inner));
    switch (schema.kind) {
      case "string":
        return typeof value === "string";
      case "number":
        return typeof value === "number" && (!schema.integer || Number.isInteger(value));
      case "enum":
        return schema.values.some((one) => JSON.stringify(one) === JSON.stringify(value));
      case "array":
        return Array.isArray(value) && value.every((item, i) => inside(itemSchema(schema, i), item));
      case "object": {
        const { properties, more } = schema;
        if (!isObject(value) || properties.some(({ name, required }) => required && !Object.hasOwn(value, name)))
          return false;
        return Object.entries(value).every(([key, inner]) => {
          const part = properties.find(({ name }) => name === key)?.schema ?? more;
          return part !== undefined && inside(part, inner as Json);
        });
      }
    }
  }
}

/** A value's place in the request as the model read it. */
interface Found {
  from: "request" | "number word";
  start: number;
  end: number;
}

/** A text in the request: as it stands before letter case is ignored, as whole words before within them. */
function findText(text: string, request: string): Found | null {
  const words = plainText(text);
  if (!words) return null;
  for (const [needle, hay] of [
    [words, request],
    [lowerCased(words), lowerCased(request)],
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
  return isOfWord(a) && isOfWord(b);
}

/** Where the request says a number, in digits before in words. A sign before digits may also be a mark. */
function saying(value: number, said: readonly SaidNumber[]): SaidNumber[] {
  const matching = said.filter(
    (one) => !one.isCut && (one.value === value || (!one.inWords && Math.abs(one.value) === value)),
  );
  return [...matching.filter(({ inWords }) => !inWords), ...matching.filter(({ inWords }) => inWords)];
}
