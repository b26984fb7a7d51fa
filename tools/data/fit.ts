/** Examples for somebody's own tools, made from their schema alone: seed, number and tools → one example. */
import { answerStates } from "../../runtime/grammar/automaton.ts";
import type { State } from "../../runtime/grammar/state.ts";
import type { ToolSet } from "../../runtime/tools/tools.ts";
import { allTools, chat, domainWeights, type Known } from "./catalogue.ts";
import type { Dressed } from "./dress.ts";
import { drawValue, type Fitted, fitTool, streamOf } from "./fit/fit.ts";
import { askFor } from "./fit/frames.ts";
import { past } from "./fit/verbs.ts";
import type { FlatTool } from "./ground.ts";
import type { Lexicon } from "./lexicon.ts";
import { beyondLimits } from "./limits.ts";
import { flatTools } from "./line.ts";
import type { Random } from "./random.ts";
import { ask, chatter, type Request } from "./request.ts";
import type { Kind } from "./scenes.ts";
import { smallTalk } from "./smalltalk.ts";
import { after, polite } from "./speech.ts";
import { checkLaw, type Example, show } from "./synth.ts";
import type { BaseTool } from "./tool.ts";

const ways = { single: 70, several: 8, none: 12, heard: 6, disfluent: 4 };

/** Most tools that a request is shown with. */
const mostOffered = 10;

export class ToolSynth {
  private readonly fitted: Fitted[];
  private readonly worn: Map<BaseTool, Dressed>;
  /** Tools of the generator's own that none of these resembles: what they are asked for, these cannot do. */
  private readonly strangers: Known[];

  /** Of an answer, as the grammar has it. */
  private readonly start: State;

  /** Throws: Error naming a tool that cannot be asked for by words alone. */
  constructor(
    set: ToolSet,
    private readonly lexicon: Lexicon | null,
  ) {
    const tools = flatTools(set);
    if (!tools.length) throw new Error("tools: expected one at least, got an empty list");
    this.start = answerStates(set).start;
    this.fitted = tools.map((tool, i) => fitTool(tool, lexicon, set.tools[i].parameters));
    this.worn = new Map(this.fitted.map((one) => [one.tool, wornAsIs(one)]));
    const own = new Set(tools.flatMap(stems));
    this.strangers = allTools.filter(
      (tool) =>
        tool.phrases.full.length &&
        ![...tool.names, ...tool.about].flatMap((text) => stemsOf(text)).some((stem) => own.has(stem)),
    );
  }

  /** Example `index` of the stream that `seed` names. `held`: values that are held out, or none of them; null: any. */
  make(seed: number, index: number, held: boolean | null = null): Example {
    const random = streamOf(seed, index);
    for (;;) {
      const way = random.weighted(ways);
      const request = way === "none" ? this.nothing(random, held) : this.asked(way === "several" ? 2 : 1, random, held);
      const offered = this.offered(request, random);
      const kind = way as Kind;
      const shown = show(request, offered, (tool) => this.worn.get(tool) as Dressed, random, kind);
      if (!shown?.query.trim() || !saysOnce(shown)) continue;
      const { query, tools, answers } = shown;
      // A value may have become another on its way into the request.
      if (beyondLimits(answers, this.start) !== null) continue;
      const id = `fit-${seed}-${index}`;
      try {
        checkLaw(id, shown);
      } catch {
        // What a recogniser or a seam made of a value may leave it unsaid: draw again.
        continue;
      }
      return { query, tools, answers, kind, source: "synth", id };
    }
  }

  private asked(count: number, random: Random, held: boolean | null): Request {
    const request = askFor(random.pick(this.fitted), random, this.lexicon, held);
    for (let i = 1; i < count; i++) {
      const next = askFor(random.pick(this.fitted), random, this.lexicon, held);
      after(request, random.pick([" and ", ", and ", " and then ", ". then ", ", also ", "; ", ". ", " and also "]));
      request.pieces.push(...next.pieces);
      request.asks.push(...next.asks);
    }
    polite(request, random);
    return request;
  }

  private nothing(random: Random, held: boolean | null): Request {
    if (random.chance(0.3)) return chatter(random.pick(smallTalk), random);
    if (random.chance(0.2)) return chatter(random.pick(chat[random.weighted(domainWeights)]), random);
    if (random.chance(0.12)) return this.question(random, held);
    const tool = random.pick(this.strangers.length ? this.strangers : allTools);
    const request = ask(tool, random.pick(tool.phrases.full), random);
    return { pieces: request.pieces, asks: [] };
  }

  /** Asks about what a tool is for, which no tool here tells. */
  private question(random: Random, held: boolean | null): Request {
    const { main, verbs, nouns } = random.pick(this.fitted);
    const thing = main ? drawValue(main, random, this.lexicon, held).text : (nouns[0] ?? verbs[0]);
    const verb = random.pick(verbs);
    const text = random.pick([
      `when did I last ${verb} the ${thing}`,
      `how do I ${verb} the ${thing}`,
      `how often should I ${verb} the ${thing}`,
      `who ${past(verb)} the ${thing} yesterday`,
      `what does the ${thing} cost`,
      `where can I buy the ${thing}`,
      `what is a ${thing}`,
      `tell me about the ${thing}`,
      `what do you know about the ${thing}`,
    ]);
    return { pieces: [{ text }], asks: [] };
  }

  private offered({ asks }: Request, random: Random): BaseTool[] {
    const wanted = [...new Set(asks.map(({ tool }) => tool))];
    const others = this.fitted.map(({ tool }) => tool).filter((tool) => !wanted.includes(tool));
    return [...wanted, ...random.some(others, mostOffered - wanted.length)];
  }
}

/** Strings of one call that stand within each other leave open where one ends. */
function saysOnce({ answers }: Pick<Example, "answers">): boolean {
  return answers.every(({ arguments: args }) => {
    const texts = Object.values(args).filter((value): value is string => typeof value === "string");
    return texts.every((text) => text.trim()) && new Set(texts).size === texts.length;
  });
}

/** The tool as it is: no other name, no other shape. */
function wornAsIs({ flat, params }: Fitted): Dressed {
  const worn = params.map(({ param, role, minute }) => {
    const shape = param.list
      ? ("list" as const)
      : role.kind === "choice"
        ? ("choice" as const)
        : role.kind === "flag"
          ? ("boolean" as const)
          : role.kind === "number" || minute
            ? ("number" as const)
            : ("text" as const);
    return { param, key: param.name, shape, upper: false };
  });
  return { flat, worn };
}

const stemsOf = (text: string): string[] =>
  (
    text
      .toLowerCase()
      .replaceAll("_", " ")
      .match(/[a-z]{4,}/g) ?? []
  ).map((word) => word.replace(/(ing|s|e)$/, ""));

const stems = ({ name, description = "" }: FlatTool): string[] =>
  stemsOf(`${name.replace(/([a-z])([A-Z])/g, "$1 $2")} ${description.replace(/"[^"]*"/g, "")}`);
