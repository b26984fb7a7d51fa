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
  const scores = tools.map(() => 0);
  for (const word of new Set(wordsOf(request))) {
    const matches = tools.map((words) => match(words, word));
    const weight = Math.log(1 + tools.length / (1 + matches.filter((found) => found > 0).length));
    for (const [i, found] of matches.entries()) scores[i] += found * weight;
  }
  return scores;
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
  const known = wordsByTool.get(tool);
  if (known) return known;
  const words = new Map<string, number>();
  wordsByTool.set(tool, words);
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

const wordsByTool = new WeakMap<Tool, Map<string, number>>();

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
 * Places of the tools to offer, the likeliest first: the first k of each ranking with half as many again for slack, and
 * twice that where they disagree about the first, since a tool that is not offered cannot be called.
 */
export function offered(k: number, rankings: readonly (readonly number[])[]): number[] {
  const wide = Math.ceil(k * 1.5);
  const agree = rankings.every((one) => rankings.every((other) => other.slice(0, wide).includes(one[0])));
  const first = rankings.map((one) => one.slice(0, agree ? wide : 2 * wide));
  // Turn by turn from each ranking, so that what either thinks likeliest comes early.
  return [...new Set(first[0].flatMap((_, i) => first.map((one) => one[i])))];
}
