/** Examples and tools → what is trained, chosen and tested on, and what is wrong with it. */
import type { ToolSet } from "../../runtime/tools/tools.ts";
import { ToolSynth } from "../data/fit.ts";
import type { Lexicon } from "../data/lexicon.ts";
import { flatTools, type Line } from "../data/line.ts";
import { advisedExamples, noTool, toolCounts } from "../data/measures.ts";
import { Random } from "../data/random.ts";
import { synthesize } from "../data/synth.ts";
import type { Example } from "../eval/examples.ts";
import { seeds } from "./batches.ts";
import { judged } from "./candidate.ts";
import type { Shown } from "./redress.ts";
import { cells, splitParts } from "./split.ts";
import { amongTaught, taughtTools } from "./taught.ts";

export interface Asked {
  given: readonly Line[];
  /** What examples are made for; null for none. */
  tools: ToolSet | null;
  /** To report on, in place of what is kept or made. */
  test?: Example[];
  guard?: Example[];
  /** The tuned decoder is to answer everything. */
  merge?: boolean;
  /** Examples to make from the tools. */
  made: number;
  seed: number;
  lexicon: Lexicon | null;
  /** How more examples come about, for messages. */
  more: string;
}

export interface Gathered {
  train: Shown[];
  /** Makes example `index` like those of `train` that were made; null where none were. */
  fresh: ((index: number) => Shown) | null;
  /** How many of `train`, its last, were made: each showing of one is another. */
  made: number;
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

/** Of fewer, one more right or wrong moves a score by five in a hundred. */
export const fewTests = 20;

/**
 * Splits and makes all examples. Throws: Error for tools that cannot be asked for, or too few examples.
 */
export function gather({ given: lines, tools, made, seed, lexicon, more, merge = false, ...asked }: Asked): Gathered {
  const warnings: string[] = [];
  const given = usable(lines, tools ? "made ones are learned beside them" : more, warnings);
  const parts = splitParts(given, seed);
  const train: Shown[] = [...parts.train];
  // Not tool by tool: looks take the first of them.
  const dev: Shown[] = new Random(seed, 0xdeb).shuffled(parts.dev);
  let test = parts.test.map(({ example }, i) => judged(example, i, "test"));
  let groups: string[] | null = parts.test.map(({ cell }) => cell);
  const synth = tools && new ToolSynth(tools, lexicon);
  if (synth) {
    const some = (count: number, from: number, held: boolean) =>
      Array.from({ length: count }, (_, i) => synth.make(seed + from, i, held));
    train.push(...some(made, 0, false));
    if (dev.length < sizes.dev) dev.push(...some(sizes.dev - dev.length, 1, true));
    if (!given.length) {
      test = some(sizes.test, 2, true).map((example, i) => judged(example, i, "made"));
      groups = null;
      if (!asked.test)
        warnings.push("the test is made by the same generator, of values that training never saw: people will differ");
    }
  }
  if (asked.test) [test, groups] = [asked.test, null];
  if (train.length < 20)
    throw new Error(`finetune: expected at least 20 examples to train on, got ${train.length}; ${more}`);
  if (!dev.length || !test.length)
    throw new Error(
      `finetune: expected three requests a tool at least that differ in more than their values, got fewer; ask in other words, or ${tools ? "give what to test with by --test FILE" : more}`,
    );
  if (test.length < fewTests)
    warnings.push(
      `the test has ${test.length} examples, which say next to nothing: give more${asked.test ? " of them" : ", or a file to --test"}`,
    );
  if (groups && !groups.some((group) => group === cells[2] || group === cells[3]))
    warnings.push("no sentence could be kept for testing: the score tells nothing of other ways to ask");
  const general = Array.from({ length: sizes.guard + sizes.choosing }, (_, i) =>
    judged(synthesize(seeds.guard, i, lexicon), i, "general"),
  );
  const taught = taughtTools(train);
  const judging = (examples: Example[]) => (merge ? examples : examples.map((one) => amongTaught(one, taught)));
  // People's own choose better than made ones, which are forgotten sooner: half of them, the others are reported.
  const people = asked.guard ?? [];
  const isChoosing = merge && people.length >= 2 * sizes.choosing;
  return {
    train,
    fresh: synth && ((index) => synth.make(seed, index, false)),
    made: synth ? made : 0,
    dev,
    test,
    cells: groups,
    guard: judging(people.length ? people.filter((_, i) => !isChoosing || i % 2) : general.slice(0, sizes.guard)),
    choosing: isChoosing ? people.filter((_, i) => i % 2 === 0) : general.slice(sizes.guard),
    warnings,
  };
}

/** Those whose strings their requests say, in the form of the prompt. A number may be meant: "close the blinds" is 0. */
function usable(lines: readonly Line[], more: string, warnings: string[]): Shown[] {
  const kept = lines.filter(({ isUnwritable }) => !isUnwritable);
  const tell = (some: readonly Line[], what: string) => {
    const [{ path, number, warning }] = some;
    warnings.push(`${some.length} examples ${what}: ${path}:${number}: ${warning}`);
  };
  const loose = lines.filter(({ isUnwritable }) => isUnwritable);
  const meant = kept.filter(({ warning }) => warning);
  if (loose.length) tell(loose, "are left out, whose values their requests do not say");
  if (meant.length) tell(meant, "teach numbers that their requests do not say, which are never acted on unasked");
  if (!kept.length) return [];
  const scarce = toolCounts(kept).filter(([name, count]) => name !== noTool && count < advisedExamples);
  if (scarce.length) {
    const some = scarce.slice(-5).map(([name, count]) => `${name} ${count}`);
    warnings.push(`${scarce.length} tools have fewer than ${advisedExamples} examples: ${some.join(", ")}; ${more}`);
  }
  if (!kept.some(({ answers }) => !answers.length))
    warnings.push("no example calls nothing: refusals are learned from general examples alone");
  return kept.map(({ query, tools, answers }) => ({ query, tools: flatTools(tools), answers }));
}
