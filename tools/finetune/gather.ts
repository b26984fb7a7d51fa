/** Files and tools → what is trained, chosen and tested on, and what is wrong with it. */
import { ToolSet } from "../../runtime/tools/tools.ts";
import { readText } from "../command.ts";
import { ToolSynth } from "../data/fit.ts";
import type { FlatTool } from "../data/ground.ts";
import type { Lexicon } from "../data/lexicon.ts";
import { flatTools, readLines } from "../data/lines.ts";
import { advisedExamples, noTool, toolCounts } from "../data/measures.ts";
import { synthesize } from "../data/synth.ts";
import { type Example, readExamples } from "../eval/examples.ts";
import { seeds } from "./batches.ts";
import { judged } from "./candidate.ts";
import type { Shown } from "./redress.ts";
import { cells, splitParts } from "./split.ts";

export interface Asked {
  files: readonly string[];
  toolsPath?: string;
  testPath?: string;
  guardPath?: string;
  /** Examples to make from the tools. */
  made: number;
  seed: number;
  lexicon: Lexicon | null;
}

export interface Gathered {
  train: Shown[];
  dev: Shown[];
  /** With the group that each is reported in, where groups tell something. */
  test: Example[];
  cells: string[] | null;
  guard: Example[];
  /** General examples to choose by: not those that are reported. */
  choosing: Example[];
  warnings: string[];
}

const sizes = { dev: 96, test: 200, guard: 200, choosing: 100 };

/**
 * Reads and makes all examples. Throws: Error for a line that is no example, tools that cannot be asked for, or too few examples.
 */
export function gather({ files, toolsPath, testPath, guardPath, made, seed, lexicon }: Asked): Gathered {
  const warnings: string[] = [];
  const given = files.length ? readGiven(files, warnings) : [];
  const parts = splitParts(given, seed);
  const train: Shown[] = [...parts.train];
  const dev: Shown[] = [...parts.dev];
  let test = parts.test.map(({ example }, i) => judged(example, i, "test"));
  let groups: string[] | null = parts.test.map(({ cell }) => cell);
  if (toolsPath !== undefined) {
    const synth = new ToolSynth(flatTools(ToolSet.from(readText(toolsPath))), lexicon);
    const some = (count: number, from: number, held: boolean) =>
      Array.from({ length: count }, (_, i) => synth.make(seed + from, i, held));
    train.push(...some(made, 0, false));
    if (dev.length < sizes.dev) dev.push(...some(sizes.dev - dev.length, 1, true));
    if (!given.length) {
      test = some(sizes.test, 2, true).map((example, i) => judged(example, i, "made"));
      groups = null;
      if (testPath === undefined)
        warnings.push("the test is made by the same generator, of values that training never saw: people will differ");
    }
  }
  if (testPath !== undefined) [test, groups] = [readExamples(testPath), null];
  if (train.length < 20)
    throw new Error(`finetune: expected at least 20 examples to train on, got ${train.length}; add --tools`);
  if (!dev.length || !test.length)
    throw new Error("finetune: expected three different requests a tool at least, got fewer; add examples or --tools");
  if (groups && !groups.some((group) => group === cells[2] || group === cells[3]))
    warnings.push("no sentence could be kept for testing: the score tells nothing of other ways to ask");
  const general = Array.from({ length: sizes.guard + sizes.choosing }, (_, i) =>
    judged(synthesize(seeds.guard, i, lexicon), i, "general"),
  );
  const people = guardPath === undefined ? [] : readExamples(guardPath);
  return {
    train,
    dev,
    test,
    cells: groups,
    guard: people.length ? people : general.slice(0, sizes.guard),
    choosing: general.slice(sizes.guard),
    warnings,
  };
}

/** Throws: Error for a line that is no example. */
function readGiven(files: readonly string[], warnings: string[]): Shown[] {
  const read = files.map(readLines);
  const faults = read.flatMap((one) => one.faults);
  if (faults.length) {
    const more = faults.length > 1 ? `; ${faults.length} errors in all, see thimble data check` : "";
    throw new Error(`${faults[0].place}: ${faults[0].message}${more}`);
  }
  const lines = read.flatMap((one) => one.lines);
  const loose = lines.filter(({ warning }) => warning);
  if (loose.length)
    warnings.push(
      `${loose.length} examples are left out, whose values their requests do not say: ${loose[0].path}:${loose[0].number}: ${loose[0].warning}`,
    );
  const kept = lines.filter(({ warning }) => !warning);
  const scarce = toolCounts(kept).filter(([name, count]) => name !== noTool && count < advisedExamples);
  if (scarce.length) {
    const some = scarce.slice(-5).map(([name, count]) => `${name} ${count}`);
    warnings.push(
      `${scarce.length} tools have fewer than ${advisedExamples} examples: ${some.join(", ")}; --tools FILE adds made ones`,
    );
  }
  if (!kept.some(({ answers }) => !answers.length))
    warnings.push("no example calls nothing: refusals are learned from general examples alone");
  return kept.map(({ query, tools, answers }) => ({ query, tools: flatTools(tools) as FlatTool[], answers }));
}
