/**
 * Splits examples by sentence and by value: a random split measures what was shown with other words in it, twice what people
 * who speak otherwise will see. Requests that are one sentence with other values stay together, and some values of each open
 * key are never trained on.
 */

import { normalised } from "../data/line.ts";
import { noTool } from "../data/measures.ts";
import { Random } from "../data/random.ts";
import type { Shown } from "./redress.ts";

/** Which of an example's words training has seen. */
export const cells = [
  "known sentence, known values",
  "known sentence, new values",
  "new sentence, known values",
  "new sentence, new values",
] as const;
export type Cell = (typeof cells)[number];

export interface Parts<E> {
  train: E[];
  /** To choose by. */
  dev: E[];
  test: { example: E; cell: Cell }[];
}

/** Shares of sentences kept for choosing and for testing, and of values that are held out. */
const [devShare, testShare, heldShare] = [1 / 12, 1 / 12, 1 / 10];

/** Values of a key are held out where it has so many. */
const leastValues = 10;

export function splitParts<E extends Shown>(examples: readonly E[], seed: number): Parts<E> {
  const random = new Random(seed, 0x5917);
  const held = heldValues(examples, random);
  const isNew = (example: E) => stringsOf(example).some(([key, value]) => held.get(key)?.has(value));
  const groups = grouped(examples);
  const byTool = new Map<string, E[][]>();
  for (const group of groups.values()) {
    const tool = group[0].answers[0]?.name ?? noTool;
    byTool.set(tool, [...(byTool.get(tool) ?? []), group]);
  }
  const parts: Parts<E> = { train: [], dev: [], test: [] };
  for (const tool of [...byTool.keys()].sort()) {
    const sentences = random.shuffled(byTool.get(tool) as E[][]);
    const share = (part: number) => (sentences.length < 3 ? 0 : Math.max(1, Math.round(part * sentences.length)));
    const [dev, test] = [share(devShare), share(testShare)];
    for (const [i, group] of sentences.entries()) {
      for (const example of group) {
        if (i < dev) parts.dev.push(example);
        else if (i < dev + test) parts.test.push({ example, cell: isNew(example) ? cells[3] : cells[2] });
        else if (isNew(example)) parts.test.push({ example, cell: cells[1] });
        // Of a sentence with several examples one in twelve is tested on as it was trained.
        else if (group.length > 1 && random.chance(testShare)) parts.test.push({ example, cell: cells[0] });
        else parts.train.push(example);
      }
    }
  }
  return parts;
}

/** A request with its values replaced by their keys, capitals and punctuation dropped. */
export function skeleton(example: Shown): string {
  let text = ` ${normalised(example.query)} `;
  const values = stringsOf(example).sort(([, a], [, b]) => b.length - a.length);
  for (const [key, value] of values) text = text.replace(` ${normalised(value)} `, ` <${key}> `);
  return text.replace(/\d+/g, "#").trim();
}

const stringsOf = ({ answers }: Shown): [key: string, value: string][] =>
  answers.flatMap(({ arguments: args }) =>
    Object.entries(args).flatMap(([key, value]): [string, string][] =>
      typeof value === "string" || typeof value === "number" ? [[key, String(value)]] : [],
    ),
  );

function heldValues(examples: readonly Shown[], random: Random): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const [key, value] of examples.flatMap(stringsOf)) values.set(key, (values.get(key) ?? new Set()).add(value));
  const held = new Map<string, Set<string>>();
  for (const [key, all] of values)
    if (all.size >= leastValues) held.set(key, new Set(random.some([...all].sort(), Math.round(heldShare * all.size))));
  return held;
}

function grouped<E extends Shown>(examples: readonly E[]): Map<string, E[]> {
  const groups = new Map<string, E[]>();
  for (const example of examples) {
    const key = skeleton(example);
    groups.set(key, [...(groups.get(key) ?? []), example]);
  }
  return groups;
}
