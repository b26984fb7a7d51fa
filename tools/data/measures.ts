/** What a set of examples holds: counts per tool, leakage between files, splits that do not leak. */
import { flatTools, type Line, normalised } from "./line.ts";
import { Random } from "./random.ts";

/** Published: finetuning wants this many examples a tool, of which 10 are kept for choosing and 10 for testing. */
export const advisedExamples = 120;
const [devShare, testShare] = [10 / advisedExamples, 10 / advisedExamples];

export const noTool = "(none fits)";

/** The tools an example is about: those it calls. */
const toolsOf = (line: Line): string[] =>
  line.answers.length ? [...new Set(line.answers.map(({ name }) => name))] : [noTool];

export function tally(keys: Iterable<string>): [string, number][] {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}

export const toolCounts = (lines: readonly Line[]): [string, number][] => tally(lines.flatMap(toolsOf));

export interface Coverage {
  examples: number;
  /** Answered by no call. */
  refused: number;
  calls: number;
  arguments: number;
  /** Tools in the longest list. */
  longest: number;
  /** Tools in all lists. */
  offered: number;
}

/** What the examples of each group hold, most examples first. */
export function coverage(lines: readonly Line[], groupOf: (line: Line) => string): [string, Coverage][] {
  const groups = new Map<string, Coverage>();
  for (const line of lines) {
    const group = groupOf(line);
    const sum = groups.get(group) ?? { examples: 0, refused: 0, calls: 0, arguments: 0, longest: 0, offered: 0 };
    const offered = line.tools.tools.length;
    sum.examples++;
    sum.refused += Number(!line.answers.length);
    sum.calls += line.answers.length;
    for (const call of line.answers) sum.arguments += Object.keys(call.arguments).length;
    sum.longest = Math.max(sum.longest, offered);
    sum.offered += offered;
    groups.set(group, sum);
  }
  return [...groups].sort(([a, m], [b, n]) => n.examples - m.examples || (a < b ? -1 : 1));
}

/** How the values of all answers are given: copied as text, told by an enum, as numbers, … */
export const valueKinds = (lines: readonly Line[]): [string, number][] =>
  tally(
    lines.flatMap(({ answers, tools }) => {
      const flat = flatTools(tools);
      return answers.flatMap(({ name, arguments: args }) => {
        const parameters = flat.find((tool) => tool.name === name)?.parameters ?? {};
        return Object.entries(args).map(([key, value]) =>
          parameters[key]?.enum
            ? "enum"
            : Array.isArray(value)
              ? "list"
              : typeof value === "string"
                ? "copied"
                : typeof value,
        );
      });
    }),
  );

/** Requests that occur in more than one file, each with its first place in each. */
export function leaks(lines: readonly Line[]): { query: string; places: string[] }[] {
  const seen = new Map<string, Map<string, Line>>();
  for (const line of lines) {
    const key = normalised(line.query);
    const files = seen.get(key) ?? new Map<string, Line>();
    if (!files.has(line.path)) files.set(line.path, line);
    seen.set(key, files);
  }
  return [...seen.values()]
    .filter((files) => files.size > 1)
    .map((files) => ({
      query: [...files.values()][0].query,
      places: [...files.values()].map(({ path, number }) => `${path}:${number}`),
    }));
}

export interface Split {
  train: Line[];
  dev: Line[];
  test: Line[];
}

/**
 * Of each tool's examples ten in 120 go to dev and ten to test, the rest to train. Examples with the same request stay
 * together and count for their first tool; a tool with fewer than three different requests stays in train.
 */
export function split(lines: readonly Line[], seed: number): Split {
  const groups = new Map<string, Line[]>();
  for (const line of lines) {
    const key = normalised(line.query);
    const group = groups.get(key);
    if (group) group.push(line);
    else groups.set(key, [line]);
  }
  const byTool = new Map<string, Line[][]>();
  for (const group of groups.values()) {
    const [tool] = toolsOf(group[0]);
    const same = byTool.get(tool);
    if (same) same.push(group);
    else byTool.set(tool, [group]);
  }
  const place = new Map<Line, keyof Split>();
  for (const [i, tool] of [...byTool.keys()].sort().entries()) {
    const shuffled = new Random(seed, i).shuffled(byTool.get(tool) as Line[][]);
    const share = (part: number) => (shuffled.length < 3 ? 0 : Math.max(1, Math.round(part * shuffled.length)));
    const [dev, test] = [share(devShare), share(testShare)];
    for (const [at, group] of shuffled.entries()) {
      for (const line of group) place.set(line, at < dev ? "dev" : at < dev + test ? "test" : "train");
    }
  }
  const part = (name: keyof Split) => lines.filter((line) => place.get(line) === name);
  return { train: part("train"), dev: part("dev"), test: part("test") };
}
