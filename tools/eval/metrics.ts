/**
 * Wanted calls and given calls → counts → rates.
 *
 * The definitions are those of the original (cactus-compute/needle, needle/training/eval.py), with three departures:
 * a call is compared with the wanted call of the same tool that it agrees with most, where the original takes the first;
 * only a list of calls counts as parsed, where the original lets any JSON pass; an example without an answer (prompt
 * too long, server down) stays in and counts as one without calls. Rates over a set divide summed counts (micro-average).
 * Where several answers are acceptable, the one that the given answer comes nearest to is the wanted one.
 *
 *   call F1     over sets of (tool, arguments) of an example      name F1   over sets of tool names of an example
 *   exact       the same calls as often, in any order; or [] twice
 *   arguments   given calls of wanted tools whose arguments all agree
 *   values      values that agree, of the parameters that both calls have
 *   missing     wanted parameters that the call lacks             extra     written ones that the wanted call lacks
 *   hallucinated  written parameters that the tool does not have
 */
import { snakeCase } from "../../runtime/tools/prompt.ts";
import type { ToolSet } from "../../runtime/tools/tools.ts";

export interface Call {
  name: string;
  arguments: Record<string, unknown>;
}

/** What is summed over examples, in the order of a row of counts. */
export const countNames = [
  ...["examples", "answered", "parsed", "exact"],
  ...["callHits", "callExtra", "callMissed", "nameHits", "nameExtra", "nameMissed"],
  ...["callsJudged", "argumentsRight", "valuesJudged", "valuesRight"],
  ...["written", "hallucinated", "extra", "wanted", "missing"],
  ...["noneWanted", "noneRight", "someWanted", "falseRefusals"],
] as const;
export type Counts = Record<(typeof countNames)[number], number>;

export const faultNames = [
  "no answer",
  "no call list",
  "refused",
  "should refuse",
  "wrong tool",
  "missing tool",
  "extra tool",
  "missing call",
  "repeated call",
  "hallucinated parameter",
  "missing parameter",
  "extra parameter",
  "wrong value",
] as const;

export interface Fault {
  fault: (typeof faultNames)[number];
  /** The tool, or tool.parameter. */
  at?: string;
  got?: unknown;
  want?: unknown;
}

export interface Judgement {
  counts: Counts;
  faults: Fault[];
}

export interface Metric {
  key: string;
  label: string;
  /** NaN where nothing was there to judge. */
  of(counts: Counts): number;
}

const f1 = (hits: number, extra: number, missed: number) => (2 * hits) / (2 * hits + extra + missed);

export const metrics: Metric[] = [
  { key: "callF1", label: "call F1", of: (c) => f1(c.callHits, c.callExtra, c.callMissed) },
  { key: "nameF1", label: "name F1", of: (c) => f1(c.nameHits, c.nameExtra, c.nameMissed) },
  { key: "exact", label: "exact", of: (c) => c.exact / c.examples },
  { key: "arguments", label: "arguments", of: (c) => c.argumentsRight / c.callsJudged },
  { key: "values", label: "values", of: (c) => c.valuesRight / c.valuesJudged },
  { key: "hallucinated", label: "hallucinated", of: (c) => c.hallucinated / c.written },
  { key: "missing", label: "missing", of: (c) => c.missing / c.wanted },
  { key: "extra", label: "extra", of: (c) => c.extra / c.written },
  { key: "parsed", label: "parsed", of: (c) => c.parsed / c.answered },
  { key: "noneRecall", label: "none recall", of: (c) => c.noneRight / c.noneWanted },
  { key: "falseRefusals", label: "false refusals", of: (c) => c.falseRefusals / c.someWanted },
];

/** A value as a list of calls, null if it is none. */
export function callsOf(value: unknown): Call[] | null {
  if (!Array.isArray(value)) return null;
  const calls: Call[] = [];
  for (const entry of value) {
    const { name, arguments: args = {} } = entry ?? {};
    if (typeof name !== "string" || typeof args !== "object" || args === null || Array.isArray(args)) return null;
    calls.push({ name, arguments: args });
  }
  return calls;
}

/** Text as a list of calls, null if it is none. */
export function readCallList(text: string): Call[] | null {
  try {
    return callsOf(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Judges one example. `got` is null if the answer was no call list, undefined if there was no answer. */
export function judge(want: readonly Call[], got: readonly Call[] | null | undefined, tools: ToolSet): Judgement {
  const counts = Object.fromEntries(countNames.map((name) => [name, 0])) as Counts;
  const faults: Fault[] = [];
  const wanted = want.map(normal);
  const given = (got ?? []).map(normal);
  counts.examples = 1;
  counts.answered = Number(got !== undefined);
  counts.parsed = Number(Boolean(got));
  const same = given.map(text).sort().join("\n") === wanted.map(text).sort().join("\n");
  counts.exact = Number(Boolean(got) && same);

  const none = Boolean(got) && !given.length;
  if (want.length) {
    counts.someWanted = 1;
    counts.falseRefusals = Number(none);
  } else {
    counts.noneWanted = 1;
    counts.noneRight = Number(none);
  }
  if (got === undefined) faults.push({ fault: "no answer" });
  else if (got === null) faults.push({ fault: "no call list" });
  else if (none && want.length) faults.push({ fault: "refused", want: names(wanted).join(", ") });

  const calls = compareSets(new Set(given.map(text)), new Set(wanted.map(text)));
  [counts.callHits, counts.callExtra, counts.callMissed] = [calls.hits, calls.extra.length, calls.missed.length];
  const tally = compareSets(new Set(names(given)), new Set(names(wanted)));
  [counts.nameHits, counts.nameExtra, counts.nameMissed] = [tally.hits, tally.extra.length, tally.missed.length];
  if (given.length) faults.push(...toolFaults(tally.extra, tally.missed, want.length));

  for (const call of given) {
    const tool = tools.tools.find(({ promptName }) => promptName === call.name);
    const twin = closest(call, wanted);
    const keys = Object.keys(call.arguments);
    if (tool) {
      const invented = keys.filter((key) => !tool.parameters.some(({ name }) => name === key));
      counts.written += keys.length;
      counts.hallucinated += invented.length;
      for (const key of invented) faults.push({ fault: "hallucinated parameter", at: `${call.name}.${key}` });
    }
    if (!twin) continue;
    counts.callsJudged++;
    counts.argumentsRight += Number(text(call) === text(twin));
    const wantedKeys = Object.keys(twin.arguments);
    counts.wanted += wantedKeys.length;
    for (const key of wantedKeys) {
      const [at, value] = [`${call.name}.${key}`, twin.arguments[key]];
      if (!Object.hasOwn(call.arguments, key)) {
        counts.missing++;
        faults.push({ fault: "missing parameter", at, want: value });
        continue;
      }
      counts.valuesJudged++;
      if (canonical(call.arguments[key]) === canonical(value)) counts.valuesRight++;
      else faults.push({ fault: "wrong value", at, got: call.arguments[key], want: value });
    }
    for (const key of keys) {
      const known = tool?.parameters.some(({ name }) => name === key);
      if (Object.hasOwn(twin.arguments, key) || !known) continue;
      counts.extra++;
      faults.push({ fault: "extra parameter", at: `${call.name}.${key}`, got: call.arguments[key] });
    }
  }
  for (const name of new Set(names(wanted))) {
    const of = (list: Call[]) => list.filter((call) => call.name === name).length;
    if (!of(given) || of(given) === of(wanted)) continue;
    faults.push({ fault: of(given) < of(wanted) ? "missing call" : "repeated call", at: name });
  }
  return { counts, faults };
}

/**
 * Judges one example by the acceptable answer that the given one comes nearest to: the same, else with most calls right,
 * then most tools, then fewest faults; of equals the first.
 */
export function judgeNearest(
  accept: readonly Call[][],
  got: readonly Call[] | null | undefined,
  tools: ToolSet,
): Judgement & { want: Call[] } {
  const judged = accept.map((want) => ({ want, ...judge(want, got, tools) }));
  const nearness = ({ counts: { exact, callHits, nameHits }, faults }: Judgement) => [
    exact,
    callHits,
    nameHits,
    -faults.length,
  ];
  return judged.reduce((best, other) => (isNearer(nearness(other), nearness(best)) ? other : best));
}

function isNearer(a: number[], b: number[]): boolean {
  const first = a.findIndex((value, i) => value !== b[i]);
  return first >= 0 && a[first] > b[first];
}

function toolFaults(extra: string[], missed: string[], wanted: number): Fault[] {
  if (!wanted) return extra.map((name) => ({ fault: "should refuse", at: name }));
  const faults: Fault[] = [];
  for (let i = 0; i < Math.max(extra.length, missed.length); i++) {
    if (i >= missed.length) faults.push({ fault: "extra tool", at: extra[i] });
    else if (i >= extra.length) faults.push({ fault: "missing tool", at: missed[i] });
    else faults.push({ fault: "wrong tool", at: missed[i], got: extra[i] });
  }
  return faults;
}

/** The wanted call of the same tool that agrees in most values, and of those the one with fewest parameters besides. */
function closest(call: Call, wanted: Call[]): Call | undefined {
  const score = (other: Call) => {
    const keys = Object.keys(other.arguments);
    const equal = keys.filter(
      (key) => Object.hasOwn(call.arguments, key) && canonical(call.arguments[key]) === canonical(other.arguments[key]),
    );
    return equal.length * 1000 - keys.length;
  };
  let best: Call | undefined;
  for (const other of wanted) if (other.name === call.name && (!best || score(other) > score(best))) best = other;
  return best;
}

function compareSets(given: Set<string>, wanted: Set<string>): { hits: number; extra: string[]; missed: string[] } {
  const extra = [...given].filter((item) => !wanted.has(item));
  return { hits: given.size - extra.length, extra, missed: [...wanted].filter((item) => !given.has(item)) };
}

/** The same for calls that count as the same. */
export const identity = (call: Call): string => text(normal(call));

/** A call with the tool's prompt name and comparable values. */
function normal(call: Call): Call {
  const values = Object.entries(call.arguments).map(([key, value]) => [key, normalValue(value)]);
  return { name: snakeCase(call.name), arguments: Object.fromEntries(values) };
}

/**
 * Text that says the same: case, runs of spaces, "at" before a time, "today at" before an hour, and the zeros
 * of a number ("74.0060" is "74.006") do not count. A number in quotes is not a number.
 */
export function normalValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalValue);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, normalValue(v)]));
  if (typeof value !== "string") return value;
  const said = value
    .trim()
    .replace(/\s+/g, " ")
    .toLowerCase()
    .replace(/^(today )?at /, "");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(said) ? String(Number(said)) : said;
}

const names = (calls: Call[]) => calls.map((call) => call.name);
const text = (call: Call) => canonical([call.name, call.arguments]);

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, v]) => `${JSON.stringify(key)}:${canonical(v)}`).join(",")}}`;
}
