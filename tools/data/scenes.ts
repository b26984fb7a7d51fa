/** What is asked, of whom, and beside which tools: one scene for each kind of example. */
import { allTools, asides, baseTools, chat, domainWeights, type Known, overlap, pickTool } from "./catalogue.ts";
import { invent, phraseFor } from "./invent.ts";
import type { Lexicon } from "./lexicon.ts";
import { mean } from "./meaning.ts";
import type { Random } from "./random.ts";
import { ask, chatter, type Request } from "./request.ts";
import { smallTalk } from "./smalltalk.ts";
import { after, aside, before, correct, endsOpen, isImperative, musing, polite } from "./speech.ts";
import type { BaseTool } from "./tool.ts";
import { typed } from "./typed.ts";

export const kinds = {
  single: 43,
  several: 14,
  none: 3.5,
  near: 4.5,
  missing: 3,
  indirect: 8,
  disfluent: 7,
  heard: 8,
  negated: 2.5,
  corrected: 4.5,
};
export type Kind = keyof typeof kinds;

/** A request and the tools it is shown with; the asks in it are what the answer holds. */
export interface Scene {
  request: Request;
  offered: BaseTool[];
  /** Keep required what the tools require. */
  strict?: boolean;
  /** How it is spoken, where its kind does not say. */
  manner?: "heard" | "disfluent";
}

export const scenes: Record<Kind, (random: Random, lexicon: Lexicon | null) => Scene> = {
  single: oneCall,
  several: severalCalls,
  none: nothingFits,
  near: nearMiss,
  missing: missingArgument,
  indirect: hinted,
  disfluent: spoken,
  heard: spoken,
  negated,
  corrected(random, lexicon) {
    for (;;) {
      const scene = oneCall(random, lexicon);
      if (correct(scene.request, random)) return scene;
    }
  },
};

function hinted(random: Random, lexicon: Lexicon | null): Scene {
  const tool = pickTool(random, (known) => known.hint.length > 0);
  const request = ask(tool, random.pick(tool.hint), random);
  if (!endsOpen(request)) musing(request, random);
  return { request, offered: withOthers([tool], random, lexicon) };
}

function oneCall(random: Random, lexicon: Lexicon | null): Scene {
  const { request, offered } = target(random, lexicon);
  const lead = asides[offered[0].domain] ?? [];
  if (lead.length && random.chance(0.18)) aside(request, random.pick(lead), random);
  else polite(request, random);
  return { request, offered: withOthers(offered, random, lexicon) };
}

function spoken(random: Random, lexicon: Lexicon | null): Scene {
  return random.chance(0.85) ? oneCall(random, lexicon) : severalCalls(random, lexicon);
}

interface Target {
  request: Request;
  /** The tool that is asked for, then its siblings. */
  offered: BaseTool[];
  /** Makes a tool that shares the verb or the noun with it, and does something else. */
  sibling?(): BaseTool;
}

/** A request for one tool: known, invented, told in other words, or of values that tell themselves apart. */
function target(random: Random, lexicon: Lexicon | null): Target {
  const way = random.weighted({ known: 64, invented: 12, meant: 18, typed: 6 });
  if (way === "known") {
    const tool = pickTool(random, (known) => known.phrases.full.length > 0);
    return { request: inFull(tool, random), offered: [tool] };
  }
  if (way === "typed" && lexicon) {
    const { tool, phrase } = typed(random, lexicon);
    return { request: ask(tool, phrase, random), offered: [tool] };
  }
  if (way === "invented" || way === "typed") {
    const { tool, phrase, kin } = invented(random, lexicon);
    return withSiblings(ask(tool, phrase, random), () => invent(random, lexicon, kin).tool, random);
  }
  const meaning = mean(random);
  return withSiblings(ask(meaning.tool, meaning.phrase, random), () => mean(random, meaning).tool, random);
}

function invented(random: Random, lexicon: Lexicon | null) {
  const invention = invent(random, lexicon);
  return { ...invention, phrase: phraseFor(invention, random) };
}

function withSiblings(request: Request, sibling: () => BaseTool, random: Random): Target {
  const [{ tool }] = request.asks;
  const offered = [tool];
  for (let left = random.between(0, 3); left > 0; left--) {
    const next = sibling();
    if (!offered.some((other) => answersFor(other, next))) offered.push(next);
  }
  return { request, offered, sibling };
}

/** Tools of one class of meaning are told apart by what they cover, all others by `overlap`. */
const answersFor = (a: BaseTool, b: BaseTool) => a.like.some((word) => b.like.includes(word));

function inFull(tool: Known, random: Random): Request {
  for (;;) {
    const request = ask(tool, random.pick(tool.phrases.full), random);
    // An option of the phrase may have left out what the tool requires.
    if (tool.params.every((param) => !param.required || request.asks[0].args.has(param)) || random.chance(0.05))
      return request;
  }
}

const joints = [
  " and ",
  " and ",
  " and then ",
  ", then ",
  ", and ",
  " and also ",
  ", also ",
  ", plus ",
  ". Then ",
  ". Also ",
  " after that ",
  "; ",
  " — ",
  ".\n",
  "\n",
];

function severalCalls(random: Random, lexicon: Lexicon | null): Scene {
  if (random.chance(0.3)) {
    const tool = pickTool(random, (known) => known.phrases.twin.length > 0);
    const request = ask(tool, random.pick(tool.phrases.twin), random);
    polite(request, random);
    return { request, offered: withOthers([tool], random, lexicon) };
  }
  const count = random.pick([2, 2, 2, 2, 3, 3, 4]);
  const request: Request = { pieces: [], asks: [] };
  const offered: BaseTool[] = [];
  while (request.asks.length < count) {
    const again = offered.length > 0 && random.chance(0.15) ? (offered[0] as Known) : null;
    const near = offered.length > 0 && random.chance(0.5) ? neighbour(offered, random) : null;
    const next = again?.phrases
      ? { request: inFull(again, random), offered: [] }
      : near
        ? { request: inFull(near, random), offered: [near] }
        : target(random, lexicon);
    if (!near && next.offered.some((tool) => offered.some((other) => overlap(tool, other)))) continue;
    if (request.asks.length)
      after(
        request,
        endsOpen(request) ? random.pick([". Then ", ", and then ", ". And ", ", then "]) : random.pick(joints),
      );
    request.pieces.push(...next.request.pieces);
    request.asks.push(...next.request.asks);
    offered.push(...next.offered.slice(0, 2));
  }
  if (isImperative(request)) polite(request, random);
  return { request, offered: withOthers(offered, random, lexicon) };
}

/** A tool of the first one's domain that answers for none that is there: people ask one device for two things. */
function neighbour(offered: readonly BaseTool[], random: Random): Known | null {
  const [{ domain }] = offered;
  const others = (baseTools[domain] ?? []).filter(
    (tool) => tool.phrases.full.length > 0 && !offered.some((other) => answersFor(tool, other)),
  );
  return others.length ? random.pick(others) : null;
}

/** Nobody is asked for anything, or for what no tool of another trade can do. */
function nothingFits(random: Random, lexicon: Lexicon | null): Scene {
  const way = random.next();
  if (way > 0.4) return unserved(random, lexicon, (tool, wanted) => tool.domain !== wanted.domain && !answersAny(tool));
  const request = chatter(random.pick(way < 0.25 ? smallTalk : chat[random.weighted(domainWeights)]), random);
  musing(request, random);
  const offered = others([], listLength(random), random, lexicon, (tool) => !answersAny(tool));
  return { request, offered, manner: mannerOf(random) };
}

/** Whether it might answer whatever is asked. */
const answersAny = ({ domain, like }: BaseTool) =>
  domain === "information" || domain === "fact" || like.includes("knowing");

/** The words are those of an offered tool, the wish is not: its neighbours are there, the right one is not. */
function nearMiss(random: Random, lexicon: Lexicon | null): Scene {
  if (random.chance(0.7)) return unserved(random, lexicon, (tool) => !tool.like.includes("knowing"));
  const domain = random.weighted(domainWeights);
  const request = chatter(random.pick(chat[domain]), random);
  musing(request, random);
  if (domain === "information") return { request, offered: random.some(baseTools.camera, 3) };
  const offered = [
    ...random.some(baseTools[domain], random.between(1, 3)).filter((tool) => !answersAny(tool)),
    ...others([], listLength(random), random, lexicon, (tool) => tool.domain !== domain && !answersAny(tool)),
  ];
  return { request, offered, manner: mannerOf(random) };
}

/** A request that a list could serve, and that list without the tool that would. */
function unserved(
  random: Random,
  lexicon: Lexicon | null,
  suits: (tool: BaseTool, wanted: BaseTool) => boolean,
): Scene {
  const isHint = random.chance(0.2);
  const scene = (isHint ? hinted : oneCall)(random, lexicon);
  const wanted = scene.request.asks[0].tool;
  // Many a tool of the domain might answer a mere hint.
  const isOther = (tool: BaseTool) => suits(tool, wanted) && !(isHint && tool.domain === wanted.domain);
  const rest = scene.offered.filter((tool) => tool !== wanted && isOther(tool));
  const offered = rest.length
    ? rest
    : others([wanted], random.between(1, 4), random, lexicon, (tool) => isOther(tool) && !answersAny(tool));
  return { request: { ...scene.request, asks: [] }, offered, manner: mannerOf(random) };
}

/** What is refused is spoken as often so as what is answered. */
const mannerOf = (random: Random): Scene["manner"] =>
  random.chance(0.2) ? random.pick(["heard", "disfluent"] as const) : undefined;

/** What a tool requires is not said: no call can be made. What it does not require may be left out. */
function missingArgument(random: Random, lexicon: Lexicon | null): Scene {
  const tool = pickTool(random, (known) => known.phrases.bare.length > 0);
  const request = ask(tool, random.pick(tool.phrases.bare), random);
  polite(request, random);
  const strict = random.chance(0.6) && tool.params.some((param) => param.required && !request.asks[0].args.has(param));
  if (strict) return { request: { ...request, asks: [] }, offered: withOthers([tool], random, lexicon), strict };
  return { request, offered: withOthers([tool], random, lexicon) };
}

const retreats = [
  ", no, forget it",
  ", never mind",
  ", actually don't",
  " wait, don't",
  ", no, leave it",
  ". Oh, forget it",
  ", on second thought no",
  ", hmm, no, skip that",
  ", no wait, never mind",
  " actually no",
];

function negated(random: Random, lexicon: Lexicon | null): Scene {
  for (;;) {
    const { request, offered } = target(random, lexicon);
    const imperative = isImperative(request);
    if (imperative && random.chance(0.3)) {
      const instead = target(random, lexicon);
      if (instead.offered.some((tool) => offered.some((other) => overlap(tool, other)))) continue;
      if (!isImperative(instead.request)) continue;
      before(request, random.pick(["don't ", "do not ", "you shouldn't ", "please don't "]));
      const pieces = [
        ...request.pieces,
        { text: random.pick([", ", ", instead ", ", but ", ", just ", ". Rather "]) },
        ...instead.request.pieces,
      ];
      return {
        request: { pieces, asks: instead.request.asks },
        offered: withOthers([...offered, ...instead.offered], random, lexicon),
      };
    }
    if (imperative && random.chance(0.65))
      before(
        request,
        random.pick([
          "don't ",
          "do not ",
          "please don't ",
          "never ",
          "whatever you do, don't ",
          "I don't want you to ",
          "no need to ",
          "you don't have to ",
          "better not ",
        ]),
      );
    else after(request, random.pick(retreats));
    return { request: { ...request, asks: [] }, offered: withOthers(offered, random, lexicon) };
  }
}

/** How many tools people offer: a few, now and then all they have. */
const listLength = (random: Random): number =>
  random.chance(0.05) ? random.between(11, 30) : random.pick([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10]);

/** The tools that are asked for, among others: neighbours of the same domain, strangers, invented ones. */
function withOthers(wanted: readonly BaseTool[], random: Random, lexicon: Lexicon | null): BaseTool[] {
  const count = Math.max(0, listLength(random) - wanted.length);
  return [...wanted, ...others(wanted, count, random, lexicon, () => true)];
}

function others(
  apartFrom: readonly BaseTool[],
  count: number,
  random: Random,
  lexicon: Lexicon | null,
  suits: (tool: BaseTool) => boolean,
): BaseTool[] {
  const out: BaseTool[] = [];
  const neighbours = baseTools[apartFrom[0]?.domain];
  for (let tries = 0; out.length < count && tries < 20 + 8 * count; tries++) {
    const tool = neighbours && random.chance(0.4) ? random.pick(neighbours) : stranger(random, lexicon);
    if (!suits(tool) || apartFrom.some((other) => overlap(other, tool)) || out.some((other) => answersFor(other, tool)))
      continue;
    out.push(tool);
  }
  return out;
}

/** Any tool at all. */
function stranger(random: Random, lexicon: Lexicon | null): BaseTool {
  const way = random.weighted({ known: 65, invented: 18, meant: 17 });
  return way === "known"
    ? random.pick(allTools)
    : way === "invented"
      ? invent(random, lexicon).tool
      : mean(random).tool;
}
