/**
 * Sentences of hand-written tools that are like somebody's own, to be said of its values: how people ask for such a thing at
 * all. A sentence is taken where each of its values has a parameter here that takes the like.
 */
import { allTools } from "../catalogue.ts";
import type { Template } from "../template.ts";
import { type BaseTool, isBoolean, type Param } from "../tool.ts";
import { isTime, typeOfSlot } from "../values.ts";
import type { Fitted, FittedParam } from "./fit.ts";
import { type Kind, roleOf } from "./roles.ts";
import { baseVerb } from "./verbs.ts";

export interface Sentence {
  phrase: Template;
  /** The own parameter that a slot's value goes to. */
  places: ReadonlyMap<string, FittedParam>;
}

/** Least likeness of a tool whose sentences are taken, also beside the likest one's; most tools. */
const [leastLike, leastShare, mostTools] = [0.4, 0.75, 4];

const endings = /(?:ations?|at(?:es?|ing|ed)|ings?|ers?|ed|es|s|e|y)$/;

/** The word less its endings. */
function stem(word: string): string {
  const shorter = word.replace(endings, "");
  return shorter.length < 3 || shorter === word ? word : stem(shorter);
}

const common = new Set(
  "the and for with from set get make new one its out into was were that this which what how who when where some e.g".split(
    " ",
  ),
);

/** Stems of a text's words, without what it quotes. */
export const stemsOf = (text: string): string[] =>
  (
    text
      .replace(/"[^"]*"/g, "")
      .replace(/([a-z])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .match(/[a-z]{3,}/g) ?? []
  )
    .filter((word) => !common.has(word))
    .map(stem);

type Weights = Map<string, number>;

/** Words of names count twice those of sentences; parameters less than the tool itself. */
function weigh(texts: readonly [text: string, weight: number][]): Weights {
  const weights: Weights = new Map();
  for (const [text, weight] of texts)
    for (const word of stemsOf(text)) weights.set(word, Math.max(weight, weights.get(word) ?? 0));
  return weights;
}

const weightsOf = ({ names, about, params }: BaseTool): Weights =>
  weigh([
    ...names.map((text): [string, number] => [text, 2]),
    ...about.map((text): [string, number] => [text, 1]),
    ...params.flatMap(({ names, about }) => [
      ...names.map((text): [string, number] => [text, 1]),
      ...about.map((text): [string, number] => [text, 0.5]),
    ]),
  ]);

/** All hand-written tools, with how rare each stem is among them; made anew when domains were added. */
let library = { size: 0, tools: [] as { tool: BaseTool; weights: Weights }[], rarity: new Map<string, number>() };
function known(): typeof library {
  if (library.size === allTools.length) return library;
  const tools = allTools.map((tool) => ({ tool, weights: weightsOf(tool) }));
  const counts = new Map<string, number>();
  for (const { weights } of tools) for (const word of weights.keys()) counts.set(word, (counts.get(word) ?? 0) + 1);
  const rarity = new Map([...counts].map(([word, count]) => [word, Math.log(tools.length / count)]));
  library = { size: allTools.length, tools, rarity };
  return library;
}

/** Cosine of two tools' words, each by its rarity. */
function likeness(a: Weights, b: Weights, rarity: ReadonlyMap<string, number>): number {
  const size = (weights: Weights) =>
    Math.sqrt([...weights].reduce((sum, [word, weight]) => sum + (weight * (rarity.get(word) ?? 5)) ** 2, 0));
  let dot = 0;
  for (const [word, weight] of a) dot += weight * (b.get(word) ?? 0) * (rarity.get(word) ?? 5) ** 2;
  return dot / Math.max(1e-9, size(a) * size(b));
}

/** What a tool does, by the first word of its name and of its descriptions. */
const doesOf = ({ id, about }: BaseTool): string[] =>
  [id.split("_")[0], ...about.map((text) => text.split(/[ ,]/)[0].toLowerCase())].map((word) => baseVerb(word, null));

/** Tools that do the like, the likest first. */
export function kinOf({ flat, params, verbs, nounVerbs }: Fitted): { tool: BaseTool; like: number }[] {
  const { tools, rarity } = known();
  const own = weigh([
    [flat.name, 2],
    [flat.description ?? "", 1],
    ...params.flatMap(({ param, label }): [string, number][] => [
      [label, 1],
      [flat.parameters[param.name].description ?? "", 0.5],
    ]),
  ]);
  const does = new Set([...verbs, ...nounVerbs].map((verb) => verb.split(" ")[0]));
  const near = tools
    .filter(({ tool }) => doesOf(tool).every((verb, _, all) => !verb || all.some((one) => does.has(one))))
    .map(({ tool, weights }) => ({ tool, like: likeness(own, weights, rarity) }))
    .filter(({ like }) => like >= leastLike)
    .sort((a, b) => b.like - a.like)
    .slice(0, mostTools);
  return near.filter(({ like }) => like >= leastShare * near[0].like);
}

const openKinds = new Set<Kind>(["thing", "person", "place", "code", "text", "state", "quantity"]);

function kindOf({ name, names, slot, about, choices }: Param): Kind | null {
  if (choices.length) return "choice";
  if (isBoolean({ slot })) return "flag";
  if (slot === "duration" || slot === "day") return slot;
  if (isTime(slot)) return "time";
  if (/^(contact|person|first)$/.test(slot)) return "person";
  const type = typeOfSlot(slot);
  const description = about[0];
  return roleOf([name, ...names].find(Boolean) as string, { type, description }, null)?.kind ?? null;
}

/** How well a parameter's values stand for those of another: 0 where they do not. */
function fit(own: FittedParam, other: Param, description: string): number {
  const kind = kindOf(other);
  if (!kind || Boolean(own.param.list) !== Boolean(other.list)) return 0;
  const words = new Set(stemsOf([...other.names, ...other.about].join(" ")));
  const shared = stemsOf([...own.labels, description].join(" ")).some((word) => words.has(word));
  const mine = own.role.kind;
  if (mine === "choice" || kind === "choice") {
    const values = new Set(own.param.choices.map(({ value }) => value));
    const meet = other.choices.filter(({ value }) => values.has(value)).length;
    return mine === kind && (shared || meet > 1) ? 2 + meet : 0;
  }
  if (mine === "flag" || kind === "flag") return mine === kind && shared ? 2 : 0;
  if (mine === "number") {
    if (kind === "duration") return /^(minute|second)s$/.test(own.role.unit ?? "") ? 2 : 0;
    return kind === "number" && (shared || own.role.slots.includes(other.slot)) ? 3 : 0;
  }
  const isNear = mine === kind || (/^(time|day)$/.test(mine) && /^(time|day)$/.test(kind));
  const isOpen = openKinds.has(mine) && (openKinds.has(kind) || (kind === "number" && mine === "quantity"));
  return (isNear ? 2 : isOpen && shared ? 1 : 0) + Number(shared);
}

/** What the tools like it are asked for with. */
export function sentencesFor(fitted: Fitted): Sentence[] {
  const { flat, params, main } = fitted;
  const about = (own: FittedParam) => flat.parameters[own.param.name].description ?? "";
  return kinOf(fitted).flatMap(({ tool }) => {
    const scored = params
      .filter(({ isMinute }) => !isMinute)
      .flatMap((own) => tool.params.map((other) => ({ own, other, score: fit(own, other, about(own)) })))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score);
    const places = new Map<string, FittedParam>();
    for (const { own, other } of scored)
      if (!places.has(other.name) && ![...places.values()].includes(own)) places.set(other.name, own);
    const needed = [...places].find(([, own]) => own === main)?.[0];
    if (main?.param.required && !needed) return [];
    const told = new Set(stemsOf(flat.description ?? ""));
    return [...tool.say, ...tool.hint]
      .filter((phrase) => takes(phrase, tool, places, told, needed))
      .map((phrase) => ({ phrase, places }));
  });
}

/** Whether a sentence says nothing that the own tool does not take: what is only meant, its description must tell. */
function takes(
  phrase: Template,
  tool: BaseTool,
  places: Sentence["places"],
  told: ReadonlySet<string>,
  needed: string | undefined,
): boolean {
  const slots = [...phrase.source.matchAll(/\{(\w+)('?)(?:~\w+)?(?:=([^{}]+))?\}/g)];
  if (slots.some(([, , second]) => second)) return false;
  if (needed && !slots.some(([, name, , meant]) => name === needed && meant === undefined)) return false;
  return slots.every(([, name, , meant]) => {
    const own = places.get(name);
    if (meant === undefined) return own !== undefined || !tool.params.some((param) => param.name === name);
    if (own) return own.param.choices.some(({ value }) => value === meant);
    return stemsOf(meant.replaceAll("_", " ")).every((word) => told.has(word));
  });
}
