/** Batches of lessons: own examples, redressed, among general ones that keep what the model knew. */
import type { Tokenizer } from "../../runtime/text/tokenizer.ts";
import type { FlatTool } from "../data/ground.ts";
import type { Lexicon } from "../data/lexicon.ts";
import { Random } from "../data/random.ts";
import { synthesize } from "../data/synth.ts";
import { type Lesson, mostAnswerTokens } from "./learner.ts";
import { Redresser, type Shown } from "./redress.ts";
import { inOrder, nameTarget, target } from "./target.ts";
import { strangersTo, taughtTools } from "./taught.ts";

/** Ids: longer examples are left out, as in tools/train. */
const most = { request: 110, answer: Math.min(110, mostAnswerTokens) };
/** Characters of tools that are shown at once, some 700 ids, and tools beside the called ones of a general example. */
const [mostToolText, mostOthers] = [2400, 3];
/** Ids of called tools that are longer: beside them a request finds room in the 1,024 that a model reads. */
const mostToolIds = 900;

/** Seeds of the generator whose examples replay, guard and lend their tools: apart from each other, whatever the run's seed. */
export const seeds = { replay: 0x7e91a7, guard: 0x60a2d, strangers: 0x57a96e, anchor: 0x51a7 };

/** Of the own examples shown: a few by hand say more than thousands that are made. */
const leastGiven = 1 / 3;

/** Share of general examples: more for a decoder that is to answer them, not only to tell them from its own. */
export const usualReplay = (merge: boolean) => (merge ? 0.35 : 0.12);

export interface BatchOptions {
  /** Makes an example like the last `made` of the own ones, to be shown in their place; null where they stay. */
  fresh?: ((index: number) => Shown) | null;
  made?: number;
  /** Share of general examples. */
  replay: number;
  /** The decoder is to answer general requests too, not only to leave them to the model's own. */
  merge?: boolean;
  /** Chances of redressing, 0 to 1. */
  redress: number;
  seed: number;
  lexicon: Lexicon | null;
}

const calledBy = ({ tools, answers }: Shown): FlatTool[] => {
  const called = new Set(answers.map(({ name }) => name));
  return tools.filter(({ name }) => called.has(name));
};

/** An example beside no other tools than it calls. */
export const alone = (shown: Shown): Shown => ({ ...shown, tools: calledBy(shown) });

/** Alone where the called tools take the room of a list. */
export const withRoom = (shown: Shown): Shown =>
  JSON.stringify(calledBy(shown)).length > mostToolText ? alone(shown) : shown;

/** The lesson of an example, of its whole answer or as `nameTarget`; null if it is longer than what is learned. */
export function lessonOf(shown: Shown, tokenizer: Tokenizer, learned = target): Lesson | null {
  const { query, tools, answers } = shown;
  const text = JSON.stringify(tools);
  const lesson = { query, tools: text, ...learned(inOrder(answers, tools), tokenizer) };
  const isShort =
    lesson.given.length <= most.answer &&
    tokenizer.tokenize(query).length <= most.request &&
    (text.length <= mostToolText ||
      (calledBy(shown).length === tools.length && tokenizer.tokenize(text).length <= mostToolIds));
  return isShort ? lesson : null;
}

/** With few tools beside the called ones: each tool that was never seen is read. */
function fewer({ query, tools, answers }: Shown): Shown {
  const called = new Set(answers.map(({ name }) => name));
  let others = 0;
  return { query, answers, tools: tools.filter(({ name }) => called.has(name) || others++ < mostOthers) };
}

export class Batches {
  private readonly redresser: Redresser;
  private readonly taught: FlatTool[];

  constructor(
    private readonly own: readonly Shown[],
    private readonly tokenizer: Tokenizer,
    private readonly options: BatchOptions,
  ) {
    const general = Array.from({ length: 60 }, (_, i) => synthesize(seeds.strangers, i, options.lexicon));
    const strangers = new Map<string, FlatTool>(general.flatMap(({ tools }) => tools.map((tool) => [tool.name, tool])));
    const queries = general.map(({ query }) => query);
    this.taught = taughtTools(own);
    this.redresser = new Redresser(own, [...strangers.values()].slice(0, 96), queries, options.redress);
  }

  /** An own example: as it was given, at least one in three where some were, or one made anew. */
  private pick(random: Random): Shown {
    const { fresh, made = 0 } = this.options;
    const given = this.own.length - (fresh ? made : 0);
    const isGiven = given > 0 && random.chance(Math.max(given / this.own.length, leastGiven));
    return isGiven || !fresh ? this.own[random.between(0, given - 1)] : fresh(random.between(0, 2 ** 31 - 1));
  }

  /** A general example: answered, or beside tools that are taught told from theirs. */
  private general(given: Shown, random: Random): Lesson | null {
    const shown = fewer(given);
    if (this.options.merge) return lessonOf(shown, this.tokenizer);
    const apart = strangersTo(shown, this.taught);
    if (!apart.length) return null;
    const some = random.some(apart, random.between(1, mostOthers + 1));
    return lessonOf({ ...shown, tools: random.shuffled([...shown.tools, ...some]) }, this.tokenizer, nameTarget);
  }

  /** Batch number `step`; the same however it came to it. */
  batch(step: number, size: number): Lesson[] {
    const { replay, seed, lexicon } = this.options;
    const lessons: Lesson[] = [];
    for (let i = 0; lessons.length < size; i++) {
      const random = new Random(seed, step * 4096 + i);
      const lesson = random.chance(replay)
        ? this.general(synthesize(seeds.replay + seed, step * 4096 + i, lexicon), random)
        : lessonOf(withRoom(this.redresser.redress(this.pick(random), random)), this.tokenizer);
      if (lesson) lessons.push(lesson);
    }
    return lessons;
  }
}
