/** How much of a request's words each tool has. */
import { patternOf } from "../text/letters.ts";
import { lowerCased } from "../text/request.ts";
import type { Schema } from "./schema.ts";
import type { Tool, ToolSet } from "./tools.ts";

/** Words that say nothing about which tool, or which value, is meant. In C too: firmware/mcu/rank.c. */
const common = new Set(
  "a an the of to for in on at by with from and or as is it be my me i you your please can could would will what which how this that do does get set e g eg".split(
    " ",
  ),
);

export const isCommon = (word: string): boolean => common.has(word);

/**
 * Scores each tool by the request's words in its name (2.5), its enums (2), its parameters and its description (1), each
 * word weighted by how few of the tools have it. A word also counts half where one begins the other: light, lights.
 * Words past the first clause count `late` as much.
 */
export function lexicalScores(request: string, set: ToolSet, late = 1): number[] {
  const index = indexOf(set);
  const scores = set.tools.map(() => 0);
  const early = new Set(wordsOf(firstClause(request)));
  for (const word of new Set(wordsOf(request))) {
    const matches = index.matches(word);
    const weight = weightOf(matches.size, scores.length) * (early.has(word) ? 1 : late);
    for (const [place, found] of matches) scores[place] += found * weight;
  }
  return scores;
}

/** What a word counts that matches some of all tools. */
export const weightOf = (matched: number, all: number): number => Math.log(1 + all / (1 + matched));

/** Up to the first mark, "and" or "then" that follows two words or more. */
const firstClause = (request: string): string => /^[^ ]+ .*?(?=(?:[,.;!?]| and| then) )/s.exec(request)?.[0] ?? request;

/** Which tools have a word, for all words of a set: as many look-ups for a word of a request as it has letters. */
class WordIndex {
  /** What each word counts for, by the places of the tools that have it. */
  private readonly tools = new Map<string, Map<number, number>>();
  private readonly sorted: string[];
  private readonly initials = new Map<string, readonly string[]>();

  constructor(set: ToolSet) {
    for (const [place, tool] of set.tools.entries())
      for (const [word, weight] of toolWords(tool)) {
        const known = this.tools.get(word);
        if (known) known.set(place, weight);
        else this.tools.set(word, new Map([[place, weight]]));
      }
    this.sorted = [...this.tools.keys()].sort();
  }

  /** Those with a first letter. */
  from(initial: string): readonly string[] {
    const known = this.initials.get(initial) ?? this.sorted.filter((word) => word[0] === initial);
    this.initials.set(initial, known);
    return known;
  }

  /** Whether a word is one of theirs, begins one, or is begun by one. */
  begins(word: string): boolean {
    return this.matches(word).size > 0;
  }

  /** What a word of a request counts for, by the places of the tools that it matches. */
  matches(word: string): Map<number, number> {
    const found = new Map<number, number>();
    for (const other of this.akin(word))
      for (const [place, weight] of this.tools.get(other) ?? [])
        found.set(place, Math.max(found.get(place) ?? 0, weight / 2));
    for (const [place, weight] of this.tools.get(word) ?? []) found.set(place, weight);
    return found;
  }

  /** Words that begin with a word, or with which it begins: the shorter of the two has four letters or more. */
  private *akin(word: string): Generator<string> {
    for (let length = leastStem; length < word.length; length++) yield word.slice(0, length);
    if (word.length < leastStem) return;
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle] <= word) low = middle + 1;
      else high = middle;
    }
    for (; low < this.sorted.length && this.sorted[low].startsWith(word); low++) yield this.sorted[low];
  }
}

const leastStem = 4;

/** The index of a set, made once. */
export function indexOf(set: ToolSet): WordIndex {
  const index = indexBySet.get(set) ?? new WordIndex(set);
  indexBySet.set(set, index);
  return index;
}

const indexBySet = new WeakMap<ToolSet, WordIndex>();

function toolWords(tool: Tool): Map<string, number> {
  const known = wordsByTool.get(tool);
  if (known) return known;
  const words = new Map<string, number>();
  wordsByTool.set(tool, words);
  const add = (text: string, weight: number) => {
    for (const word of wordsOf(text)) words.set(word, Math.max(words.get(word) ?? 0, weight));
  };
  add(tool.promptName, 2.5);
  add(tool.description, 1);
  for (const { name, description, schema } of tool.parameters) {
    add(name, 1);
    add(description ?? "", 0.5);
    for (const value of enumWords(schema)) add(value, 2);
  }
  return words;
}

const wordsByTool = new WeakMap<Tool, Map<string, number>>();

function enumWords(schema: Schema): string[] {
  if (schema.kind === "enum") return schema.values.filter((value) => typeof value === "string");
  if (schema.kind === "array") return enumWords(schema.items);
  return schema.kind === "anyOf" ? schema.options.flatMap(enumWords) : [];
}

/** What each tool's words count for, of all tools of a set. */
export const toolWordsOf = (set: ToolSet): readonly ReadonlyMap<string, number>[] => set.tools.map(toolWords);

/** Whether one word begins the other, and is no stub: light, lights. */
export const isAkin = (a: string, b: string): boolean =>
  Math.min(a.length, b.length) >= leastStem && (a.startsWith(b) || b.startsWith(a));

/** Letters of a word that count: nobody says more. */
const mostLetters = 64;

const wordPattern = patternOf(String.raw`[\p{L}\p{N}]+`, "gu");

function wordsOf(text: string): string[] {
  const words = lowerCased(text).match(wordPattern(text)) ?? [];
  return words.map((word) => word.slice(0, mostLetters)).filter((word) => !common.has(word));
}
