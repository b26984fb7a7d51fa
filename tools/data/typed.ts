/** Tools whose values are told apart by what they are: a bird, a river, a composer. No word of the request says which is which. */
import type { Lexicon } from "./lexicon.ts";
import { withObject } from "./meaning.ts";
import type { Random } from "./random.ts";
import { readTemplate, type Template } from "./template.ts";
import { type BaseTool, type Param, readParam } from "./tool.ts";
import { article } from "./values.ts";

/** Kinds of one row may share words: a tool takes at most one of each. */
const families =
  `animal bird fish insect dog_breed|tree flower|fruit vegetable|beverage wine|dish cheese bread sauce soup meat pastry candy|
  vehicle boat ship aircraft|garment hat shoe jewelry fabric|furniture tool appliance container bag toy|building room|instrument|metal gem|
  disease symptom drug organ bone|sport dance card_game|profession relative|country city river mountain island|language|field_of_study publication|
  color|holiday|currency|constellation|composer painter author scientist`
    .split("|")
    .map((row) => row.trim().split(/\s+/));

/** Verbs that suit any thing; the first name the tool. */
const verbs =
  `choose, select, pick, go for|record, log, note, jot down|order, request, ask for|combine, put together, bring together|
  compare, weigh up, contrast|register, enter, sign up|look up, search for, find out about|report, announce, make known|describe, tell me about, explain|
  draw, sketch, make a picture of|buy, get, purchase|remember, keep in mind|count, add up, tally|label, tag, mark`
    .split("|")
    .map((row) => row.split(",").map((verb) => verb.trim()));

const nouns = "entry set selection pair record choice item combination list theme".split(" ");
const human = (kind: string) => kind.replaceAll("_", " ");
const capital = (text: string) => text[0].toUpperCase() + text.slice(1);
const snake = (text: string) => text.replace(/[^a-z]+/g, "_");

/** A tool of two to four kinds, or one that asks of which kind the thing is. */
export function typed(random: Random, lexicon: Lexicon): { tool: BaseTool; phrase: Template } {
  const kinds = random.chance(0.7) ? lexicon.familiar : lexicon.kinds;
  const count = random.pick([2, 2, 3, 3, 4]);
  const some = random.some(families, count).map((family) => random.pick(family.filter((kind) => kinds[kind]?.length)));
  const verb = random.pick(verbs);
  const [named, told, said] = [random.pick(verb), random.pick(verb), random.pick(verb)];
  if (random.chance(0.35)) return sorting(some, kinds, verb, random);
  const params = some.map((kind) => {
    const key = random.pick([kind, kind, kind, `${kind}_name`, `which_${kind}`]);
    const about = random.pick([
      `${capital(article(kind))} ${human(kind)}.`,
      `Which ${human(kind)}.`,
      `Name of the ${human(kind)}.`,
    ]);
    return valued(key, kind, kinds[kind], about);
  });
  const slots = random.shuffled(params).map(({ name }) => `{${name}}`);
  const joined = [slots.slice(0, -1).join(", "), slots.at(-1)].join(
    random.pick([" and ", " and ", " with ", ", ", " "]),
  );
  const phrase = readTemplate(
    random.pick([`${said} ${joined}`, `${said} ${joined}`, `${joined}, ${withObject(said, "them")}`]),
  );
  const listed = some.map(human);
  const kindsTold = `${listed.slice(0, -1).join(", ")} and ${listed.at(-1)}`;
  const id = random.chance(0.5) ? `${snake(named)}_${some[0]}_and_${some[1]}` : `${snake(named)}_${random.pick(nouns)}`;
  const about = [`${capital(told)} ${article(kindsTold)} ${kindsTold}.`, `${capital(told)} something by ${kindsTold}.`];
  return { tool: base(id, about, params), phrase };
}

/** The kind is one of an enum, told by the thing alone. */
function sorting(
  some: string[],
  kinds: Record<string, string[]>,
  verb: string[],
  random: Random,
): { tool: BaseTool; phrase: Template } {
  const [kind] = some;
  const offered = random.shuffled(some);
  const key = random.pick(["kind", "category", "type", "group"]);
  const thing = random.pick(["name", "item", "what", "thing"]);
  const params = [
    readParam([key], `<${offered.join("|")}>! What kind of thing it is. | Its ${key}.`, key),
    valued(thing, kind, kinds[kind], "What it is called."),
  ];
  const said = random.pick(verb);
  const phrase = readTemplate(`${said} ${random.pick(["the ", "", "a ", "my "])}{${thing}}{${key}=${kind}}`);
  const about = [
    `${capital(random.pick(verb))} a thing of a kind.`,
    `${capital(random.pick(verb))} ${offered.map(human).join(", ")}.`,
  ];
  return { tool: base(`${snake(random.pick(verb))}_${random.pick(nouns)}`, about, params), phrase };
}

const valued = (key: string, kind: string, values: readonly string[], about: string): Param => ({
  ...readParam([key], `coined! ${about}`, kind),
  slot: `kind ${kind}`,
  values,
});

const base = (id: string, about: string[], params: Param[]): BaseTool => ({
  id,
  domain: "app",
  names: [id],
  about,
  params,
  say: [],
  hint: [],
  like: [id],
});
