/** Which tools to offer: ranks by the contrastive head and by words, never by a threshold on either. */
import type { Schema } from "../tools/schema.ts";
import type { Tool, ToolSet } from "../tools/tools.ts";

export interface Ranked {
  name: string;
  /** Comparable within one ranking only. */
  score: number;
}

/** Words that say nothing about which tool is meant. */
const common = new Set(
  "a an the of to for in on at by with from and or as is it be my me i you your please can could would will what which how this that do does get set e g eg".split(
    " ",
  ),
);

/**
 * Scores each tool by the request's words in its name (3), its parameters and enums (1) and its description (1), each
 * word weighted by how few of the tools have it. A word also counts half where one begins the other: light, lights.
 */
export function lexicalScores(request: string, set: ToolSet): number[] {
  const tools = set.tools.map(toolWords);
  const said = new Set(wordsOf(request));
  const weightOf = (word: string) =>
    Math.log(1 + tools.length / (1 + tools.filter((words) => match(words, word) > 0).length));
  return tools.map((words) => [...said].reduce((sum, word) => sum + match(words, word) * weightOf(word), 0));
}

function match(words: Map<string, number>, word: string): number {
  const exact = words.get(word);
  if (exact) return exact;
  let best = 0;
  for (const [other, weight] of words) {
    const [short, long] = other.length < word.length ? [other, word] : [word, other];
    if (short.length >= 4 && long.startsWith(short)) best = Math.max(best, weight / 2);
  }
  return best;
}

function toolWords(tool: Tool): Map<string, number> {
  const words = new Map<string, number>();
  const add = (text: string, weight: number) => {
    for (const word of wordsOf(text)) words.set(word, Math.max(words.get(word) ?? 0, weight));
  };
  add(tool.promptName, 3);
  add(tool.description, 1);
  for (const { name, description, schema } of tool.parameters) {
    add(name, 1);
    add(description ?? "", 0.5);
    for (const value of enumWords(schema)) add(value, 1);
  }
  return words;
}

function enumWords(schema: Schema): string[] {
  if (schema.kind === "enum") return schema.values.filter((value) => typeof value === "string");
  return schema.kind === "anyOf" ? schema.options.flatMap(enumWords) : [];
}

function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word) => !common.has(word));
}

/** Places of the tools from the highest score down; equal scores keep their order. */
export function ranking(scores: readonly number[]): number[] {
  return scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
}

/**
 * Places of the tools to offer: the first k of each ranking, with half as many again for slack. All tools where the
 * rankings disagree about the first, since a tool that is not offered cannot be called.
 */
export function offered(k: number, rankings: readonly (readonly number[])[]): number[] {
  const [first] = rankings;
  const wide = Math.ceil(k * 1.5);
  if (wide >= first.length) return [...first];
  const agree = rankings.every((one) => rankings.every((other) => other.slice(0, wide).includes(one[0])));
  return agree ? [...new Set(rankings.flatMap((one) => one.slice(0, wide)))] : [...first];
}
