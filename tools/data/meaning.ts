/** Tools that the request names in other words: an action of actions.ts on a thing of things.ts. */
import { type Action, actions, details } from "./actions.ts";
import { determiners, isPlural } from "./determiners.ts";
import type { Random } from "./random.ts";
import { readTemplate, type Template } from "./template.ts";
import { things } from "./things.ts";
import { type BaseTool, type Param, readParam } from "./tool.ts";
import { article } from "./values.ts";

export interface Meaning {
  tool: BaseTool;
  /** A request for the tool. */
  phrase: Template;
  action: Action;
  thing: string[];
}

/** What stands for any thing of a class, and the parameter that names one. */
const anyThing: Record<string, [string[], string[]]> = {
  level: [
    ["setting", "level", "control"],
    ["setting", "what", "property", "control"],
  ],
  power: [
    ["device", "appliance", "feature"],
    ["device", "name", "what", "appliance"],
  ],
  opening: [
    ["opening", "entry", "cover"],
    ["what", "name", "which", "entry"],
  ],
  sound: [
    ["audio", "sound", "device_sound"],
    ["device", "source", "what"],
  ],
  document: [
    ["document", "item", "file"],
    ["document", "item", "what", "title"],
  ],
  person: [
    ["person", "contact", "friend"],
    ["contact", "person", "who", "name", "recipient_name"],
  ],
  event: [
    ["event", "appointment", "activity"],
    ["event", "title", "what", "name"],
  ],
  thing: [
    ["item", "object", "article"],
    ["item", "what", "object", "thing"],
  ],
  media: [
    ["media", "audio", "content"],
    ["content", "what", "media", "item"],
  ],
  fact: [
    ["information", "data", "value"],
    ["topic", "what", "quantity", "subject"],
  ],
  task: [
    ["task", "todo", "job"],
    ["task", "what", "job", "title"],
  ],
};

/** Domains of the catalogue whose tools might answer a request of the class. */
const related: Record<string, string> = {
  level:
    "reported lasting servers media device home accessibility appliances vehicle camera ends sides health cooking power sound media app wrist lenses house yard driving hob body tunes gadgets sweat pictures standing",
  power:
    "reported lasting servers home device appliances vehicle accessibility camera time media navigation level sound media opening thing app wrist lenses house yard driving hob office tunes opsdesk gadgets pictures errandry standing deskwork",
  opening:
    "reported lasting servers home vehicle appliances device power thing app house yard driving gadgets standing",
  sound:
    "reported lasting servers media device home calls accessibility messages level power media app wrist house driving office tunes chats ringing gadgets tongues pictures standing",
  document:
    "reported lasting servers notes messages camera lists ends translation calendar cooking health money sides information task media event app lenses hob journeys office body tunes chats ringing purse kin bulletin memory repos opsdesk gadgets outings tongues diary sweat pictures errandry standing paths deskwork",
  person:
    "reported lasting servers calls messages money navigation ends sides calendar banking bookings time device event app lenses yard journeys office body chats ringing purse kin bulletin memory repos opsdesk outings diary errandry standing deskwork",
  event:
    "reported lasting servers calendar bookings travel transport fitness media messages ends sides health time calls task media document app wrist lenses house yard driving hob journeys office body tunes chats ringing purse kin bulletin memory repos opsdesk outings tongues diary sweat pictures errandry standing paths deskwork",
  thing:
    "reported lasting servers lists device camera cooking vehicle money ends bookings transport accessibility health home appliances travel sides task power opening document app wrist lenses house yard driving hob journeys office body tunes chats ringing purse kin bulletin memory repos opsdesk gadgets outings tongues diary sweat pictures errandry standing paths deskwork",
  media:
    "reported lasting servers media bookings sides camera information home notes device cooking sound power document event app wrist lenses house hob journeys office tunes chats ringing purse kin bulletin memory gadgets outings tongues diary sweat pictures errandry standing",
  fact: "reported lasting servers information money banking health fitness navigation transport appliances home vehicle sides time travel device bookings media level app wrist lenses house yard driving hob journeys office body tunes ringing purse kin bulletin memory opsdesk gadgets outings tongues diary sweat pictures errandry standing deskwork",
  task: "reported lasting servers lists calendar time notes messages ends home bookings event document thing app wrist yard hob journeys office body chats ringing purse kin memory repos opsdesk outings diary errandry standing paths deskwork",
};

/** Whether a tool of the domain might answer a request of the class. */
export const isRelated = (kind: string, domain: string): boolean => related[kind]?.split(" ").includes(domain) ?? false;

export const isClass = (kind: string): boolean => kind in related;

const kinds = Object.keys(things);
const snake = (words: string) => words.toLowerCase().replace(/[^a-z0-9]+/g, "_");
/** "turn on", "it" → "turn it on". */
export const withObject = (verb: string, object: string): string =>
  verb.replace(
    /^(\w+)(?: (on|off|up|down|out|away|back|over|forward|together|in|aloud|offline))?$/,
    (_, one: string, particle?: string) => [one, object, particle].filter(Boolean).join(" "),
  );
const named = (noun: string) => noun.replaceAll("_", " ");
const capital = (text: string) => text[0].toUpperCase() + text.slice(1);

/** A tool for an action on a thing; `near` gives a neighbour that shares one of them, never both. */
export function mean(random: Random, near?: Meaning): Meaning {
  const kind = near?.action.class ?? random.pick(kinds);
  const suited = actions.filter((action) => action.class === kind);
  const keepThing = near && random.chance(0.6);
  const action = near && !keepThing ? near.action : random.pick(suited.filter((one) => one !== near?.action));
  const thing = keepThing ? near.thing : random.pick(things[kind].filter((one) => one !== near?.thing));
  const form = random.weighted({ plain: 5, generic: 2.5, control: kind === "person" ? 0 : 1.2, listed: 1.2 });
  const made = forms[form]({ kind, action, thing, random });
  const way = wayFor(action, made, random);
  const beside = withDetails(action, way, made.params, random);
  const determiner = random.pick(determiners(made.object, kind));
  const phrase = readTemplate(way.replace("~", `${determiner}${made.said}`) + beside.said);
  const [id] = made.names;
  const tool: BaseTool = {
    id,
    domain: kind,
    names: made.names,
    about: made.about,
    params: [...made.params, ...beside.params],
    say: [phrase],
    hint: [],
    like: made.covers.map(([does, what]) => `${kind} ${does.verbs[0]} ${what[0]}`),
  };
  return { tool, phrase, action, thing };
}

/** Mostly not the verb of the tool's name. */
function wayFor({ ways }: Action, { names, object }: Form, random: Random): string {
  const agreeing = isPlural(object) ? ways.filter((way) => !/\b(is|isn't|it|its|comes|does|can't)\b/.test(way)) : ways;
  const other = agreeing.filter((way) => !names[0].includes(snake(way.replace(/ ?~.*/, ""))));
  return random.pick(other.length && random.chance(0.75) ? other : agreeing);
}

/** A word for the thing, mostly not the one that its tool uses. */
function otherWord(thing: string[], used: string, random: Random): string {
  const others = thing.filter((word) => word !== used);
  return random.pick(others.length && random.chance(0.7) ? others : thing);
}

interface Form {
  names: string[];
  about: string[];
  params: Param[];
  /** The object as it is said, and as the phrase has it: a slot where it is a value. */
  object: string;
  said: string;
  covers: [Action, string[]][];
}

interface Seed {
  kind: string;
  action: Action;
  thing: string[];
  random: Random;
}

const forms: Record<string, (seed: Seed) => Form> = {
  /** increase_volume */
  plain({ action, thing, random }) {
    const [verb, named, told] = [random.pick(action.verbs), random.pick(thing), random.pick(thing)];
    const object = otherWord(thing, named, random);
    const describing = random.pick(action.verbs);
    const names = [`${snake(verb)}_${snake(named)}`];
    if (random.chance(0.12)) names[0] = `${snake(named)}_${snake(verb)}`;
    const about = [
      `${capital(describing)} the ${told}.`,
      `${capital(describing)} ${told}.`,
      `Lets the user ${describing} the ${told}.`,
      `${capital(told)}: ${withObject(describing, "it")}.`,
    ];
    return { names, about, params: [], object, said: object, covers: [[action, thing]] };
  },
  /** increase_setting: the thing is a value. */
  generic({ kind, action, thing, random }) {
    const [any, keys] = anyThing[kind];
    const [noun, object] = [random.pick(any), random.pick(thing)];
    const about = [
      `${capital(random.pick(action.verbs))} ${article(noun)} ${named(noun)}.`,
      `${capital(random.pick(action.verbs))} the ${named(noun)} that is named.`,
    ];
    const param = {
      ...readParam(keys, `coined! Which ${named(noun)}. | Name of the ${named(noun)}.`, noun),
      slot: `any ${kind}`,
      values: [object],
    };
    const covers = things[kind].map((one): [Action, string[]] => [action, one]);
    return {
      names: [`${snake(random.pick(action.verbs))}_${noun}`],
      about,
      params: [param],
      object,
      said: `{${keys[0]}}`,
      covers,
    };
  },
  /** control_volume: the action is one of an enum, told by how it is asked. */
  control({ kind, action, thing, random }) {
    const rest = actions.filter((one) => one.class === kind && one !== action);
    const some = random.shuffled([action, ...random.some(rest, random.between(1, 4))]);
    const named = random.pick(thing);
    const object = otherWord(thing, named, random);
    const key = random.pick(["action", "operation", "command", "what_to_do"]);
    const words = new Map(some.map((one) => [one, snake(random.pick(one.verbs))]));
    const param = readParam(
      [key],
      `<${[...words.values()].join("|")}>! What to do with the ${named}. | The action.`,
      named,
    );
    const name = random.pick([
      `control_${snake(named)}`,
      `${snake(named)}_control`,
      `manage_${snake(named)}`,
      snake(named),
    ]);
    const about = [`Control the ${named}.`, `${capital(named)}: ${some.map(({ verbs }) => verbs[0]).join(", ")}.`];
    const said = `${object}{${key}=${words.get(action)}}`;
    const covers = some.map((one): [Action, string[]] => [one, thing]);
    return { names: [name], about, params: [param], object, said, covers };
  },
  /** increase_setting with an enum of settings, of which the request names one in other words. */
  listed({ kind, action, thing, random }) {
    const [any, keys] = anyThing[kind];
    const some = random.shuffled([
      thing,
      ...random.some(
        things[kind].filter((one) => one !== thing),
        random.between(1, 5),
      ),
    ]);
    const [noun, object] = [random.pick(any), otherWord(thing, thing[0], random)];
    const value = (one: string[]) => snake(one[0]);
    const param = readParam([random.pick(keys)], `<${some.map(value).join("|")}>! Which ${named(noun)}.`, noun);
    const about = [
      `${capital(random.pick(action.verbs))} one of the ${named(noun)}s.`,
      `${capital(random.pick(action.verbs))} ${article(noun)} ${named(noun)}.`,
    ];
    const said = `${object}{${param.name}=${value(thing)}}`;
    const covers = some.map((one): [Action, string[]] => [action, one]);
    return { names: [`${snake(random.pick(action.verbs))}_${noun}`], about, params: [param], object, said, covers };
  },
};

/** Up to two details; a question and a remark take none. */
function withDetails(action: Action, way: string, taken: Param[], random: Random): { params: Param[]; said: string } {
  const params: Param[] = [];
  let said = "";
  const silent = /^(what|how|where|is|did|who|when|that|~|I|count|see|make sure|don't|as)\b|~ is|'s? it|please$/.test(
    way,
  );
  for (const key of random.shuffled(action.details)) {
    const { takes, said: ways } = details[key];
    const [names, spec] = takes.split(": ");
    const free = names.split("/").filter((name) => !taken.some((param) => param.names.includes(name)));
    if (!free.length || random.chance(0.35)) continue;
    const name = random.pick(free);
    params.push(readParam([name], spec, key));
    if (!silent && random.chance(0.6)) said += ` ${random.pick(ways).replace("{x}", `{${name}}`)}`;
  }
  return { params, said };
}
