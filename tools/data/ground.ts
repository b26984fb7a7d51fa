/** The law of the data: an answer fits its tools, and every value in it stands in the request or in the schema. */

import { million, saidIn } from "../../runtime/answer/said.ts";
import { fractionsIn, lengthsIn } from "./lengths.ts";

export interface Call {
  name: string;
  arguments: Record<string, unknown>;
}

/** A call without what else came with it. */
export const bare = ({ name, arguments: args }: Call): Call => ({ name, arguments: args });

export interface FlatTool {
  name: string;
  description?: string;
  parameters: Record<string, FlatParam>;
}

export interface FlatParam {
  type: string;
  description?: string;
  enum?: unknown[];
  items?: FlatParam;
  properties?: Record<string, FlatParam>;
  required?: boolean;
}

/** Throws: Error that names the answer's part which does not fit. */
export function checkCalls(calls: readonly Call[], tools: readonly FlatTool[]): void {
  for (const [i, call] of calls.entries()) {
    const at = `answers[${i}]`;
    const tool = tools.find(({ name }) => name === call.name);
    if (!tool) throw new Error(`${at}.name: expected one of the tools, got ${JSON.stringify(call.name)}`);
    checkArguments(call.arguments, tool.parameters, `${at}.arguments`, call.name);
  }
}

function checkArguments(
  args: Record<string, unknown>,
  parameters: Record<string, FlatParam>,
  at: string,
  owner: string,
): void {
  for (const [key, param] of Object.entries(parameters)) {
    if (param.required === true && !(key in args)) throw new Error(`${at}.${key}: required, got nothing`);
  }
  for (const [key, value] of Object.entries(args)) {
    const param = Object.hasOwn(parameters, key) ? parameters[key] : undefined;
    if (!param) throw new Error(`${at}.${key}: expected a parameter of ${owner}, got one it lacks`);
    if (!fits(value, param)) {
      throw new Error(`${at}.${key}: expected ${wantedOf(param)}, got ${JSON.stringify(value)}`);
    }
    if (param.properties) checkArguments(value as Record<string, unknown>, param.properties, `${at}.${key}`, key);
  }
}

function wantedOf({ type, enum: values, items }: FlatParam): string {
  if (values) return `one of ${JSON.stringify(values)}`;
  if (items?.enum) return `a list of some of ${JSON.stringify(items.enum)}`;
  if (type === "array" && items?.type) return `a list of ${items.type}s`;
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

function fits(value: unknown, { type, enum: values, items }: FlatParam): boolean {
  if (values && !values.includes(value)) return false;
  if (type === "integer") return Number.isInteger(value);
  if (type === "array") return Array.isArray(value) && (!items || value.every((item) => fits(item, items)));
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type || !["string", "number", "boolean"].includes(type);
}

/**
 * The first value that the request does not hold: a string must stand there as whole words, letter for letter; a number
 * in digits or in words. Enums and booleans need not. Null when all do. `ofTexts`: of strings alone, which nothing could copy.
 */
export function ungrounded(
  query: string,
  calls: readonly Call[],
  tools: readonly FlatTool[],
  ofTexts = false,
): string | null {
  let numbers: Set<number> | null = null;
  const loose = (value: unknown, param: FlatParam | undefined, at: string): string | null => {
    if (param?.enum) return null;
    if (typeof value === "string" && !standsIn(query, value))
      return `${at}: ${JSON.stringify(value)} is not in the request`;
    if (typeof value === "number" && !ofTexts) {
      numbers ??= numbersIn(query);
      if (!numbers.has(Math.abs(value))) return `${at}: the request does not say ${value}`;
    }
    if (typeof value !== "object" || value === null) return null;
    for (const [key, part] of Object.entries(value)) {
      const fault = loose(part, Array.isArray(value) ? param?.items : param?.properties?.[key], `${at}.${key}`);
      if (fault) return fault;
    }
    return null;
  };
  for (const [i, call] of calls.entries()) {
    const properties = tools.find(({ name }) => name === call.name)?.parameters ?? {};
    const fault = loose(call.arguments, { type: "object", properties }, `answers[${i}].arguments`);
    if (fault) return fault;
  }
  return null;
}

const wordChar = /[\p{L}\p{N}]/u;

function standsIn(query: string, value: string): boolean {
  if (!value) return false;
  for (let at = query.indexOf(value); at >= 0; at = query.indexOf(value, at + 1)) {
    const [before, after] = [query[at - 1] ?? " ", query[at + value.length] ?? " "];
    const whole = (outside: string, inside: string) => !wordChar.test(outside) || !wordChar.test(inside);
    if (whole(before, value[0]) && whole(after, value[value.length - 1])) return true;
  }
  return false;
}

const small = new Map(
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    .split(" ")
    .map((word, i) => [word, i]),
);
const tens = new Map(
  "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((word, i) => [word, 20 + 10 * i]),
);
const whole = new Map([
  ["a", 1],
  ["an", 1],
  ["single", 1],
  ["once", 1],
  ["couple", 2],
  ["pair", 2],
  ["twice", 2],
  ["both", 2],
  ["dozen", 12],
  ["half", 0.5],
  ["quarter", 15],
]);

/**
 * Every number that a text says, in digits or in words: "one hundred and five" is 105, and also 1, 100 and 5; and those that
 * its lengths of time mean, "an hour and a half" is 90 minutes, and its times of day: 20 and 45 of "quarter to nine pm".
 */
export function numbersIn(text: string): Set<number> {
  const found = new Set<number>();
  for (const match of text.matchAll(/\d[\d,]*(?:\.\d+)?/g)) {
    found.add(Number(match[0].replaceAll(",", "")));
    for (const part of match[0].split(/[,.]/)) if (part) found.add(Number(part));
  }
  let total = 0; // thousands and hundreds that are complete
  let group = 0; // below a thousand
  let open = false;
  let ended: "small" | "ten" | "hundred" | "" = "";
  const close = () => {
    if (open) found.add(total + group);
    total = group = 0;
    open = false;
    ended = "";
  };
  for (const word of text.toLowerCase().split(/[^\p{L}]+/u)) {
    const one = small.get(word);
    const ten = tens.get(word);
    if (one !== undefined) {
      found.add(one);
      if (ended === "small" || (ended === "ten" && one > 9)) close();
      group += one;
      ended = "small";
      open = true;
    } else if (ten !== undefined) {
      found.add(ten);
      if (ended === "small" || ended === "ten") close();
      group += ten;
      ended = "ten";
      open = true;
    } else if (word === "hundred") {
      group = (group || 1) * 100;
      found.add(total + group);
      ended = "hundred";
      open = true;
    } else if (word === "thousand") {
      total += (group || 1) * 1000;
      found.add(total);
      group = 0;
      ended = "hundred";
      open = true;
    } else if (!(word === "and" && ended === "hundred")) {
      close();
      const other = whole.get(word);
      if (other !== undefined) found.add(other);
    }
  }
  close();
  for (const number of [...lengthsIn(text), ...fractionsIn(text)]) found.add(number);
  for (const { millionths } of saidIn(text)) found.add(millionths / million);
  return found;
}
