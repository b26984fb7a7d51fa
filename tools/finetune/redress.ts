/**
 * Shows an example with other values, beside other tools, in another order, under other names: so that request and schema must be
 * read, not remembered. Source: tools/train/data.py, `Redresser`, whose chances these are.
 */
import { snakeCase } from "../../runtime/tools/prompt.ts";
import type { Call, FlatParam, FlatTool } from "../data/ground.ts";
import type { Random } from "../data/random.ts";

/** An example as it is shown to the model: tools in flat form, under the names of the prompt. */
export interface Shown {
  query: string;
  tools: FlatTool[];
  answers: Call[];
}

const common = new Set(
  "the and for with from set get make new one its out into user given current that what which its this".split(" "),
);

/** The words of a name or a description, without its quoted examples and the common ones. */
const plainWords = (text: string): string[] =>
  (
    text
      .replace(/"[^"]*"/g, "")
      .toLowerCase()
      .match(/[a-z]{3,}/g) ?? []
  ).filter((word) => !common.has(word));

const stems = (text: string): Set<string> => new Set(plainWords(text).map((word) => word.replace(/(ing|s|e)$/, "")));

/** What one tool resembles another by: the stems in its name and description. */
const stemsOf = ({ name, description = "" }: FlatTool): Set<string> =>
  stems(`${name.replaceAll("_", " ")} ${description}`);

/** Whether a tool shares words with a request or the tools that answer it: it may then fit as well. */
export function resembles(tool: FlatTool, { query, tools, answers }: Shown): boolean {
  const called = new Set(answers.map(({ name }) => name));
  const near = [stems(query), ...tools.filter(({ name }) => called.has(name)).map(stemsOf)];
  return [...stemsOf(tool)].some((stem) => near.some((words) => words.has(stem)));
}

/** Where a value stands in a request, if it stands there exactly once as whole words. */
function once(value: string, query: string): number {
  if (!value) return -1;
  const whole = (at: number) =>
    !/[\p{L}\p{N}_]/u.test(query[at - 1] ?? " ") && !/[\p{L}\p{N}_]/u.test(query[at + value.length] ?? " ");
  let found = -1;
  for (let at = query.indexOf(value); at >= 0; at = query.indexOf(value, at + 1)) {
    if (!whole(at)) continue;
    if (found >= 0) return -1;
    found = at;
  }
  return found;
}

export class Redresser {
  /** Strings by key that stood in a request. */
  private readonly values = new Map<string, string[]>();
  private readonly queries: string[];
  private readonly strangers: { tool: FlatTool; stems: Set<string> }[];
  private readonly vocabulary: string[];
  /** Keys whose values hardly repeat: they also take a few words out of any request. */
  private readonly open: Set<string>;

  /** `own` gives values, `strangers` are offered beside; `strength` scales all chances. */
  constructor(
    own: readonly Shown[],
    strangers: readonly FlatTool[],
    queries: readonly string[],
    private readonly strength: number,
  ) {
    this.queries = [...own.map(({ query }) => query), ...queries];
    for (const { query, answers } of own)
      for (const call of answers)
        for (const [key, value] of Object.entries(call.arguments)) {
          if (typeof value !== "string" || once(value, query) < 0) continue;
          this.values.set(key, [...(this.values.get(key) ?? []), value]);
        }
    this.strangers = strangers.map((tool) => ({ tool, stems: stemsOf(tool) }));
    this.vocabulary = [...new Set([...strangers.flatMap(({ description = "" }) => plainWords(description)), "thing"])];
    const isOpen = (values: string[]) => values.length > 12 && new Set(values).size > 0.6 * values.length;
    this.open = new Set([...this.values].filter(([, values]) => isOpen(values)).map(([key]) => key));
  }

  redress({ query, tools, answers }: Shown, random: Random): Shown {
    const chance = (p: number) => random.chance(p * this.strength);
    let shown: Shown = { query, tools, answers };
    if (chance(0.6)) shown = this.swapValues(shown, random);
    const wanted = new Set(shown.answers.map(({ name }) => name));
    let right = shown.tools.filter(({ name }) => wanted.has(name));
    const rest = random.shuffled(shown.tools.filter(({ name }) => !wanted.has(name)));
    if (shown.answers.length && chance(0.5)) {
      const near = new Set(right.flatMap((tool) => [...stemsOf(tool)]));
      const taken = new Set(shown.tools.map(({ name }) => snakeCase(name)));
      for (const { tool, stems } of random.some(this.strangers, 4)) {
        const name = snakeCase(tool.name);
        if (taken.has(name) || [...stems].some((stem) => near.has(stem))) continue;
        taken.add(name);
        rest.splice(random.between(0, rest.length), 0, tool);
      }
    }
    // None fits: the right tool is gone.
    if (shown.answers.length === 1 && rest.length && random.chance(0.06)) {
      right = [];
      shown = { ...shown, answers: [] };
    }
    const some = rest.slice(
      0,
      random.pick(shown.answers.length ? [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 5] : [1, 2, 3, 3, 4, 5]),
    );
    const keep = random.shuffled([...right, ...some]);
    if (chance(0.2)) return this.rename({ ...shown, tools: keep }, random);
    if (chance(0.1)) return { ...shown, tools: keep.map(({ description: _, ...tool }) => tool) };
    if (chance(0.06)) return { ...shown, tools: keep.map((tool) => ({ ...tool, parameters: bare(tool.parameters) })) };
    return { ...shown, tools: keep };
  }

  /** Puts other values of the same key in the place of values that stand in the request word for word. */
  private swapValues({ query, tools, answers }: Shown, random: Random): Shown {
    const spans: { start: number; end: number; key: string; args: Record<string, unknown> }[] = [];
    const calls = answers.map(({ name, arguments: given }) => {
      const args = { ...given };
      const parameters = tools.find((tool) => tool.name === name)?.parameters ?? {};
      for (const [key, value] of Object.entries(args)) {
        if (typeof value !== "string" || parameters[key]?.enum) continue;
        const start = once(value, query);
        if (start >= 0) spans.push({ start, end: start + value.length, key, args });
      }
      return { name, arguments: args };
    });
    spans.sort((a, b) => b.start - a.start);
    if (spans.some(({ end }, i) => i > 0 && end > spans[i - 1].start)) return { query, tools, answers };
    let text = query;
    for (const { start, end, key, args } of spans) {
      if (!random.chance(0.6)) continue;
      let value = random.pick(this.values.get(key) ?? [args[key] as string]);
      if (this.open.has(key) && random.chance(0.4)) {
        const words = random.pick(this.queries).split(/\s+/);
        const at = random.between(0, words.length - 1);
        const taken = words.slice(at, at + random.between(1, 4)).join(" ");
        value = taken.replace(/^[\s.,?!:;'"]+|[\s.,?!:;'"]+$/g, "") || value;
      }
      text = text.slice(0, start) + value + text.slice(end);
      args[key] = value;
    }
    // A value that now stands there twice would leave open which is meant; the answer is the same text either way.
    return { query: text, tools, answers: calls };
  }

  /** Gives tools and arguments other names, mostly out of their own descriptions; the answer follows. */
  private rename({ query, tools, answers }: Shown, random: Random): Shown {
    const invent = (description: string, taken: Set<string>): string => {
      const own = plainWords(description);
      for (;;) {
        const words = own.length && random.chance(0.7) ? own : this.vocabulary;
        const name = random.some(words, random.pick([1, 2, 2, 3])).join("_");
        if (!taken.has(name)) {
          taken.add(name);
          return name;
        }
        taken.add(`${name} `);
        if (taken.size > 1000) return `${name}_${taken.size}`;
      }
    };
    const taken = new Set(tools.map(({ name }) => snakeCase(name)));
    const names = new Map<string, { name: string; keys: Map<string, string> }>();
    const renamed = tools.map((tool) => {
      const name = tool.description && random.chance(0.6) ? invent(tool.description, taken) : tool.name;
      const used = new Set(Object.keys(tool.parameters));
      const keys = new Map(
        Object.entries(tool.parameters).map(([key, { description }]) => [
          key,
          description && random.chance(0.35) ? invent(description, used) : key,
        ]),
      );
      names.set(tool.name, { name, keys });
      const parameters = Object.entries(tool.parameters).map(([key, value]) => [keys.get(key), value]);
      return { ...tool, name, parameters: Object.fromEntries(parameters) as Record<string, FlatParam> };
    });
    const calls = answers.map(({ name, arguments: args }) => {
      const to = names.get(name);
      const entries = Object.entries(args).map(([key, value]) => [to?.keys.get(key) ?? key, value]);
      return { name: to?.name ?? name, arguments: Object.fromEntries(entries) };
    });
    return { query, tools: renamed, answers: calls };
  }
}

const bare = (parameters: Record<string, FlatParam>): Record<string, FlatParam> =>
  Object.fromEntries(Object.entries(parameters).map(([key, { description: _, ...rest }]) => [key, rest]));
