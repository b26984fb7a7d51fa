/**
 * A seed and a number → one example. The walk: pick a kind, pick who is asked for, say it, dress the tools that are
 * offered, spell the request, write the answer, check it.
 */
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { accessibility } from "./domains/accessibility.ts";
import { appliances } from "./domains/appliances.ts";
import { banking } from "./domains/banking.ts";
import { bookings } from "./domains/bookings.ts";
import { calendar } from "./domains/calendar.ts";
import { calls } from "./domains/calls.ts";
import { camera } from "./domains/camera.ts";
import { cooking } from "./domains/cooking.ts";
import { device } from "./domains/device.ts";
import { fitness } from "./domains/fitness.ts";
import { health } from "./domains/health.ts";
import { home } from "./domains/home.ts";
import { information } from "./domains/information.ts";
import { lists } from "./domains/lists.ts";
import { media } from "./domains/media.ts";
import { messages } from "./domains/messages.ts";
import { money } from "./domains/money.ts";
import { navigation } from "./domains/navigation.ts";
import { notes } from "./domains/notes.ts";
import { time } from "./domains/time.ts";
import { translation } from "./domains/translation.ts";
import { transport } from "./domains/transport.ts";
import { travel } from "./domains/travel.ts";
import { vehicle } from "./domains/vehicle.ts";
import { answer, dress } from "./dress.ts";
import { type Call, checkCalls, type FlatTool, numbersIn, ungrounded } from "./ground.ts";
import { invent, type Kin, phraseFor } from "./invent.ts";
import { Random } from "./random.ts";
import { type Ask, ask, chatter, type Request, smooth, sorted } from "./request.ts";
import {
  after,
  aside,
  before,
  correct,
  endsOpen,
  heard,
  isImperative,
  lower,
  musing,
  polite,
  stumble,
} from "./speech.ts";
import { type Template, template } from "./template.ts";
import { type BaseTool, type Domain, readTool } from "./tool.ts";

export const kinds = {
  single: 38,
  several: 14,
  none: 8,
  near: 8,
  missing: 4,
  indirect: 7,
  disfluent: 7,
  heard: 7,
  negated: 3,
  corrected: 4,
};
export type Kind = keyof typeof kinds;

export interface Example {
  query: string;
  tools: FlatTool[];
  answers: Call[];
  kind: Kind;
  source: string;
  id: string;
}

const domains: Record<string, Domain> = {
  time,
  messages,
  calls,
  media,
  home,
  navigation,
  fitness,
  health,
  camera,
  translation,
  notes,
  lists,
  calendar,
  device,
  transport,
  money,
  cooking,
  accessibility,
  vehicle,
  information,
  travel,
  bookings,
  appliances,
  banking,
};
/** How often a domain is asked for. The real corpora have hardly any camera, workout, health or device requests. */
const domainWeights: Record<string, number> = {
  time: 8,
  messages: 6,
  calls: 5,
  media: 5,
  home: 5,
  navigation: 5,
  fitness: 9,
  health: 8,
  camera: 9,
  translation: 4,
  notes: 4,
  lists: 4,
  calendar: 4,
  device: 9,
  transport: 4,
  money: 4,
  cooking: 4,
  accessibility: 4,
  vehicle: 4,
  information: 4,
  travel: 12,
  bookings: 14,
  appliances: 12,
  banking: 8,
};

interface Known extends BaseTool {
  phrases: { full: Template[]; bare: Template[]; twin: Template[] };
}

export const baseTools: Record<string, Known[]> = Object.fromEntries(
  Object.entries(domains).map(([domain, { tools }]) => [
    domain,
    Object.entries(tools).map(([id, source]) => {
      const tool = readTool(id, domain, source);
      return { ...tool, phrases: sorted(tool) };
    }),
  ]),
);
const allTools = Object.values(baseTools).flat();
/** What is said before the request proper, by domain. */
export const asides: Record<string, string[]> = Object.fromEntries(
  Object.entries(domains).map(([name, domain]) => [name, domain.asides ?? []]),
);
const chat: Record<string, Template[]> = Object.fromEntries(
  Object.entries(domains).map(([name, domain]) => [name, domain.chat.map(template)]),
);

/** What people say to a watch that no tool is for. */
const outOfScope = [
  "how are you",
  "what is the meaning of life",
  "write me a poem( about {topic})",
  "why is the sky blue",
  "you are great",
  "thanks( a lot)",
  "never mind",
  "do you like {dish}",
  "I'm bored",
  "good night",
  "who are you",
  "hmm",
  "that's not what I meant",
  "what can you do",
  "are you listening",
  "ok",
  "sing me a song",
  "tell {noun} {plural}",
  "yes",
  "no",
  "the {adjective} {noun}",
  "{anything}",
  "is {first} older than {first}",
  "how do I change a tire",
  "what should I name my {animal}",
  "I think {first} likes {first}",
  "do aliens exist",
  "my {relation} says hello",
  "it's {weekday} already",
  "who would win, a {animal} or a {animal}",
  "can you keep a secret",
  "how old are you",
  "where do you come from",
  "what's your favorite color",
  "I love you",
  "you're useless",
  "help me write an essay on {topic}",
  "draw me a {noun}",
  "play dead",
  "set the record straight",
  "call me old fashioned",
  "turn over a new leaf",
  "time will tell",
  "what a lovely {noun}",
  "how do planes fly",
  "I want to learn {language} one day",
  "file my taxes",
  "water boils at a hundred degrees",
  "translate my feelings",
  "hello",
  "good morning",
  "{coined}",
  "{anything}",
  "{anything}",
  "who was the first president of {country}",
  "what side of the {noun} is the heaviest",
  "who moves first in {game}",
  "how many people live in {country}",
  "what is the capital of {country}",
  "why do {animal}s sleep so much",
  "what does {word} mean to you",
  "how long do {plural} live",
  "who discovered {topic}",
  "when did {country} become independent",
  "is it true that {first} likes {dish}",
  "what year was {city} founded",
  "can {plural} swim",
  "how far is the moon",
  "what is heavier, a {noun} or a {noun}",
  "what do you think of {city}",
  "have you ever been to {country}",
  "are you a robot",
  "what is your name",
  "tell me your secret",
  "how much does a {noun} weigh",
  "who is {first} {last}",
  "why did {first} {last} leave",
  "what is the difference between {dish} and {dish}",
  "do you have any hobbies",
  "where do {plural} come from",
  "can I change my name",
  "which {sport} player is the best",
  "how tall is {first} {last}",
  "what happened in {year}",
  "is {country} in Europe",
  "how do you spell love",
  "what would you do with a {noun}",
  "will it ever be {season} again",
  "who was the fastest {adjective} {animal}",
  "what rhymes with {noun}",
  "are we alone in the universe",
  "did you sleep well",
  "what should I do with my life",
  "what is the biggest {noun} in the world",
].map(template);

/** Makes example `index` of the stream that `seed` names. Throws: Error where the generator broke its own law. */
export function synthesize(seed: number, index: number): Example {
  const random = new Random(seed, index);
  const kind = random.weighted(kinds);
  let shown: ReturnType<typeof show>;
  do {
    const { request, offered, strict } = scenes[kind](random);
    shown = show(request, offered, strict, random, kind);
  } while (!shown);
  const { query, tools, answers } = shown;
  const id = `synth-${seed}-${index}`;
  try {
    checkCalls(answers, tools);
    const loose = ungrounded(query, answers, tools);
    if (loose) throw new Error(loose);
  } catch (error) {
    throw new Error(`${id}: ${(error as Error).message}, in ${JSON.stringify({ query, answers })}`);
  }
  return { query, tools, answers, kind, source: "synth", id };
}

/** A request and the tools it is shown with; the asks in it are what the answer holds. */
interface Scene {
  request: Request;
  offered: BaseTool[];
  /** Keep required what the tools require. */
  strict?: boolean;
}

const scenes: Record<Kind, (random: Random) => Scene> = {
  single: oneCall,
  several: severalCalls,
  none: nothingFits,
  near: nearMiss,
  missing: missingArgument,
  indirect(random) {
    const tool = pickTool(random, (known) => known.hint.length > 0);
    const request = ask(tool, random.pick(tool.hint), random);
    if (!endsOpen(request)) musing(request, random);
    return { request, offered: withOthers([tool], random) };
  },
  disfluent: spoken,
  heard: spoken,
  negated,
  corrected(random) {
    for (;;) {
      const scene = oneCall(random);
      if (correct(scene.request, random)) return scene;
    }
  },
};

function oneCall(random: Random): Scene {
  const { request, offered } = target(random);
  const lead = asides[offered[0].domain] ?? [];
  if (lead.length && random.chance(0.18)) aside(request, random.pick(lead), random);
  else polite(request, random);
  return { request, offered: withOthers(offered, random) };
}

function spoken(random: Random): Scene {
  return random.chance(0.85) ? oneCall(random) : severalCalls(random);
}

/** A request for one tool, known or invented, with the invented one's siblings. */
function target(random: Random): { request: Request; offered: BaseTool[]; kin?: Kin } {
  if (random.chance(0.34)) {
    const invention = invent(random);
    const { tool, kin } = invention;
    const siblings = Array.from({ length: random.between(0, 3) }, () => invent(random, kin).tool);
    return { request: ask(tool, phraseFor(invention, random), random), offered: [tool, ...siblings], kin };
  }
  const tool = pickTool(random, (known) => known.phrases.full.length > 0);
  return { request: inFull(tool, random), offered: [tool] };
}

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
];

function severalCalls(random: Random): Scene {
  if (random.chance(0.3)) {
    const tool = pickTool(random, (known) => known.phrases.twin.length > 0);
    const request = ask(tool, random.pick(tool.phrases.twin), random);
    polite(request, random);
    return { request, offered: withOthers([tool], random) };
  }
  const count = random.pick([2, 2, 2, 2, 3, 3, 4]);
  const request: Request = { pieces: [], asks: [] };
  const offered: BaseTool[] = [];
  while (request.asks.length < count) {
    const again = offered.length > 0 && random.chance(0.15) ? (offered[0] as Known) : null;
    const next = again?.phrases ? { request: inFull(again, random), offered: [] } : target(random);
    if (next.offered.some((tool) => offered.some((other) => overlap(tool, other)))) continue;
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
  return { request, offered: withOthers(offered, random) };
}

function nothingFits(random: Random): Scene {
  const way = random.next();
  if (way < 0.4) {
    const request = chatter(random.pick(way < 0.25 ? outOfScope : chat[random.weighted(domainWeights)]), random);
    musing(request, random);
    const offered = others([], random.between(1, 6), random, (tool) => tool.domain !== "information");
    return { request, offered };
  }
  const { request, offered: wanted } = target(random);
  polite(request, random);
  const offered = others(
    wanted,
    random.between(1, 6),
    random,
    (tool) => tool.domain !== wanted[0].domain && tool.domain !== "information",
  );
  return { request: { ...request, asks: [] }, offered };
}

/** The words are those of an offered tool, the wish is not. */
function nearMiss(random: Random): Scene {
  if (random.chance(0.3)) {
    const domain = random.weighted(domainWeights);
    const request = chatter(random.pick(chat[domain]), random);
    musing(request, random);
    const offered = [
      ...random.some(baseTools[domain], random.between(1, 3)),
      ...others([], random.between(0, 3), random, (tool) => !["information", domain].includes(tool.domain)),
    ];
    return { request, offered: domain === "information" ? random.some(baseTools.camera, 3) : offered };
  }
  const { request, offered: wanted, kin } = target(random);
  polite(request, random);
  const siblings = kin
    ? Array.from({ length: random.between(1, 3) }, () => invent(random, kin).tool)
    : random.some(
        baseTools[wanted[0].domain].filter((tool) => !overlap(tool, wanted[0])),
        random.between(1, 3),
      );
  const offered = [
    ...siblings,
    ...others([...wanted, ...siblings], random.between(0, 3), random, (tool) => tool.domain !== "information"),
  ];
  return { request: { ...request, asks: [] }, offered };
}

/** What a tool requires is not said: no call can be made. What it does not require may be left out. */
function missingArgument(random: Random): Scene {
  const tool = pickTool(random, (known) => known.phrases.bare.length > 0);
  const request = ask(tool, random.pick(tool.phrases.bare), random);
  polite(request, random);
  const strict = random.chance(0.6) && tool.params.some((param) => param.required && !request.asks[0].args.has(param));
  if (strict) return { request: { ...request, asks: [] }, offered: withOthers([tool], random), strict };
  return { request, offered: withOthers([tool], random) };
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

function negated(random: Random): Scene {
  for (;;) {
    const { request, offered } = target(random);
    const imperative = isImperative(request);
    if (imperative && random.chance(0.3)) {
      const instead = target(random);
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
        offered: withOthers([...offered, ...instead.offered], random),
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
    return { request: { ...request, asks: [] }, offered: withOthers(offered, random) };
  }
}

function pickTool(random: Random, suits: (tool: Known) => boolean): Known {
  for (;;) {
    const tool = random.pick(baseTools[random.weighted(domainWeights)]);
    if (suits(tool)) return tool;
  }
}

/** Tools that might answer each other's requests. */
function overlap(a: BaseTool, b: BaseTool): boolean {
  return a.like.some((word) => b.like.includes(word));
}

/** The tools that are asked for, among others: neighbours of the same domain, strangers, invented ones. */
function withOthers(wanted: readonly BaseTool[], random: Random): BaseTool[] {
  const count = Math.max(0, random.pick([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10]) - wanted.length);
  return [...wanted, ...others(wanted, count, random, () => true)];
}

function others(
  apartFrom: readonly BaseTool[],
  count: number,
  random: Random,
  suits: (tool: BaseTool) => boolean,
): BaseTool[] {
  const out: BaseTool[] = [];
  const neighbours = baseTools[apartFrom[0]?.domain];
  for (let tries = 0; out.length < count && tries < 8 * count; tries++) {
    const tool =
      neighbours && random.chance(0.4)
        ? random.pick(neighbours)
        : random.chance(0.25)
          ? invent(random).tool
          : random.pick(allTools);
    if (!suits(tool) || apartFrom.some((other) => overlap(other, tool)) || out.some((other) => overlap(other, tool)))
      continue;
    out.push(tool);
  }
  return out;
}

/** Dresses the tools, spells the request and writes the answer. Null where numbers in words ran into one. */
function show(
  request: Request,
  offered: readonly BaseTool[],
  strict = false,
  random: Random,
  kind: Kind,
): Pick<Example, "query" | "tools" | "answers"> | null {
  const names = new Set<string>();
  const dressed = new Map<BaseTool, ReturnType<typeof dress>>();
  for (const tool of offered) {
    const asks = request.asks.filter((one) => one.tool === tool);
    const worn = dress(tool, asks, random, strict);
    if (names.has(snakeCase(worn.flat.name)))
      worn.flat.name = asks.length || strict ? `${worn.flat.name}_${tool.domain}` : "";
    if (!worn.flat.name || names.has(snakeCase(worn.flat.name))) continue;
    names.add(snakeCase(worn.flat.name));
    dressed.set(tool, worn);
  }
  smooth(request);
  if (kind === "disfluent") stumble(request, random);
  if (kind === "heard") heard(request, random);
  else if (random.chance(0.12)) lower(request);
  const query = spell(request, kind, random);
  if (numbersMerge(request, query)) return null;
  const answers = request.asks.map((one: Ask) => {
    const worn = dressed.get(one.tool);
    if (!worn) throw new Error(`${one.tool.id}: asked for and not offered`);
    return { name: worn.flat.name, arguments: answer(worn, one) };
  });
  return { query, tools: random.shuffled([...dressed.values()]).map(({ flat }) => flat), answers };
}

/** "priced one hundred ninety" and "two centimeters high" are heard as 192, "record ninety for gas" as 94. */
function numbersMerge({ asks }: Request, query: string): boolean {
  const said = asks.flatMap(({ args }) => [...args.values()]).filter(({ value }) => typeof value === "number");
  const heardNumbers = numbersIn(query);
  return said.some(({ value }) => !heardNumbers.has(value as number));
}

/** Joins the pieces; now and then with a capital, a full stop, quotes around what is quoted. */
function spell({ pieces }: Request, kind: Kind, random: Random): string {
  const quoted = kind !== "heard" && random.chance(0.08) ? random.pick(['"', "'", '"']) : "";
  let text = "";
  for (const { text: said, param } of pieces) {
    const quotes =
      quoted && param && ["message", "note", "phrase", "song"].includes(param.slot) && !said.includes("'")
        ? quoted
        : "";
    const next = quotes + said + quotes;
    text += text.endsWith(" ") || !text ? next.replace(/^ +(?=.)/, "") : next;
  }
  text = text
    .replace(/ +$/, "")
    .replace(/ +(?=[,.?!](?: |$))/g, "")
    .replace(/,(?=,)/g, "");
  if (kind === "heard") return text.replace(/ {2,}/g, " ").trim();
  const style = random.next();
  const starts = !pieces.find(({ text: said }) => said.trim())?.param;
  if (style < 0.45 && starts && text) text = text[0].toUpperCase() + text.slice(1);
  const question = /^(what|how|where|when|who|which|is|are|do|does|did|can|could|would|will|am|any|have|has)\b/i.test(
    text,
  );
  if (style < 0.3 && !/[.?!]$/.test(text)) text += question ? "?" : random.chance(0.9) ? "." : "!";
  else if (style < 0.4 && question && !/[.?!]$/.test(text)) text += "?";
  return text;
}
