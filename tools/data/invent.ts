/** Tools that exist nowhere else, made of verbs, nouns and attributes: only their schema says what they are. */

import { isPlural } from "./determiners.ts";
import type { Lexicon, Row } from "./lexicon.ts";
import type { Random } from "./random.ts";
import { roleGroups } from "./roles.ts";
import { readTemplate, type Template } from "./template.ts";
import { things } from "./things.ts";
import { type BaseTool, type Param, readParam } from "./tool.ts";
import { article, make } from "./values.ts";

/** Each row: verbs that mean the same. The first words may name the tool, any may ask for it. */
const verbs =
  `book,reserve|rent,hire|submit,hand in,send in|assign,allocate,give|archive,file away|print,print out|review,look over|measure,gauge|
  compute,work out,calculate|plan,map out|check,inspect,look at|start,launch,kick off,begin|stop,halt,shut down|cancel,call off|track,follow,monitor|
  update,change,modify|remove,delete,get rid of|find,look up,search for|list,show,display|share,pass on|report,flag|approve,sign off,okay|
  move,relocate,shift|repair,fix|sync,synchronize|calibrate,adjust|dispatch,send out|return,bring back|order,request|register,sign up|
  compare,contrast|merge,combine|export,download|load,bring up,fetch|lock,secure|rename,retitle|schedule,set up|pause,suspend|refill,top up|
  clean,wash|paint,coat|test,try out|unlock,release|invite,ask in|sort,arrange|reset,clear|weigh,put on the scale|pack,wrap up|label,tag|rotate,turn`
    .split("|")
    .map((row) => row.split(",").map((verb) => verb.trim()));

const nouns =
  `invoice ticket recipe table parcel package project sensor folder playlist article course lesson trip hotel bike seat document contract
  order customer patient prescription budget account card loan score match team plant pet garden drone robot printer oven washer blind heater pump valve
  station marker poll survey badge goal habit locker kayak canoe tent sauna greenhouse turbine conveyor crane forklift freezer aquarium telescope beehive
  compost kiln loom lathe orchard paddock pier pool court rink stage booth shelf pallet crate barrel tank pipe cable antenna beacon buoy sail anchor winch
  ski lift gondola tram locomotive satellite probe rover scooter wheelchair stretcher incubator microscope centrifuge vial specimen sample ledger voucher coupon
  warranty permit visa passport manuscript chapter poem mural sculpture exhibit costume prop spotlight amplifier synthesizer metronome trumpet quilt carpet mattress`
    .replace("ski lift", "ski_lift")
    .split(/\s+/);
const qualifiers =
  "spare main guest night weekly rental shared digital backup field summer staff travel loaner emergency garden office school client demo family".split(
    " ",
  );

const levels = [
  "low|medium|high",
  "slow|normal|fast",
  "small|medium|large",
  "daily|weekly|monthly",
  "public|private",
  "left|right|center",
  "draft|final",
  "eco|boost|silent",
  "red|amber|green",
  "north|south|east|west",
  "indoor|outdoor",
  "express|standard",
  "bronze|silver|gold",
  "open|closed|pending",
  "morning|afternoon|evening",
  "paper|digital",
  "single|double|suite",
  "mild|hot|extra_hot",
  "pdf|csv|html",
  "matte|glossy",
  "manual|automatic",
  "short|long",
  "sweet|salty|sour",
  "junior|senior|expert",
];
/** Name, slot and how it is said; {x} is the value. */
const attributes: [string, string, string][] = [
  ["name", "anything", "called {x}|named {x}"],
  ["title", "anything", "titled {x}|with the title {x}"],
  ["code", "code", "with code {x}|code {x}"],
  ["number", "code", "number {x}"],
  ["city", "city", "in {x}"],
  ["location", "place", "at {x}"],
  ["address", "address", "at {x}"],
  ["owner", "person", "for {x}|owned by {x}"],
  ["assignee", "person", "to {x}"],
  ["customer", "person", "for customer {x}|for {x}"],
  ["date", "day", "on {x}|for {x}"],
  ["due_date", "day", "by {x}|due {x}"],
  ["time", "clock", "at {x}"],
  ["start_time", "clock", "from {x}|starting at {x}"],
  ["duration", "duration", "for {x}"],
  ["color", "color", "in {x}"],
  ["reason", "anything", "because of {x}|reason {x}"],
  ["comment", "note", "with the comment {x}|comment: {x}"],
  ["message", "message", "saying {x}"],
  ["email", "email", "and send it to {x}|for {x}"],
  ["phone", "phone", "with phone number {x}"],
  ["count", "smallInteger", "times {x}|{x} of them"],
  ["amount", "amount", "for {x} dollars|over {x}"],
  ["price", "amount", "at a price of {x}|priced {x}"],
  ["weight", "weight", "weighing {x} kilos|weight {x}"],
  ["height", "integer", "{x} centimeters high|height {x}"],
  ["floor", "smallInteger", "on floor {x}"],
  ["row", "smallInteger", "in row {x}"],
  ["distance", "distance", "over {x} kilometers|distance {x}"],
  ["temperature", "degrees", "at {x} degrees"],
  ["percent", "percent", "at {x} percent|to {x}%"],
  ["topic", "topic", "about {x}"],
  ["category", "noun", "in category {x}|under {x}"],
  ["label", "adjective", "labeled {x}|with label {x}"],
  ["room", "room", "in the {x}"],
  ["language", "language", "in {x}"],
  ["country", "country", "in {x}|from {x}"],
  ["author", "person", "by {x}"],
  ["brand", "coined", "made by {x}|brand {x}"],
  ["model", "code", "model {x}"],
  ["species", "animal", "for the {x}"],
  ["material", "ingredient", "with {x}"],
  ["destination", "place", "to {x}"],
  ["origin", "city", "from {x}"],
  ["quantity", "integer", "quantity {x}|{x} pieces"],
  ["team", "plural", "for the {x}"],
  ["event", "event", "for {x}"],
  ["currency", "currency", "in {x}"],
  ["channel", "coined", "on {x}|via {x}"],
  ["group", "plural", "with the {x}"],
];
/** Values whose look says what they are: a request may name them without a word about them. */
const telling = new Set("clock day duration email phone city country language color currency".split(" "));
const freeText = new Set(["anything", "note", "message", "topic"]);
const switches = [
  "notify",
  "urgent",
  "insured",
  "shared",
  "recurring",
  "heated",
  "encrypted",
  "covered",
  "reverse",
  "overnight",
];

/** What siblings keep in common, so that telling them apart takes reading. */
export interface Kin {
  noun: Row;
  verb: Row;
}

export interface Invention {
  tool: BaseTool;
  kin: Kin;
  /** How each parameter is said, in their order. */
  clauses: string[];
}

/** A phrase that asks for an invented tool. */
export function phraseFor({ tool, kin, clauses }: Invention, random: Random): Template {
  const parts = tool.params.map((param, i) => ({
    // Free text comes last: nothing tells where it ends.
    rank: (freeText.has(param.slot) ? 2 : 0) + random.next(),
    text: ` ${clauses[i]}`,
    required: param.required,
  }));
  parts.sort((a, b) => a.rank - b.rank);
  const allSaid = parts.every(({ required }) => required);
  const joint = random.chance(0.1) ? "," : allSaid && random.chance(0.2) ? " and" : "";
  const tail = parts.map(({ text, required }, i) => {
    const clause = (i && !clauses[i].startsWith("and ") ? joint : "") + text;
    return required ? clause : `(${clause})`;
  });
  const noun = otherWord(kin.noun.words, tool.id, random);
  const determiner = random.pick(isPlural(noun) ? ["the", "my"] : ["the", article(noun), "my", "this", "that"]);
  return readTemplate(`${otherWord(kin.verb.words, tool.id, random)} ${determiner} ${noun}${tail.join("")}`);
}

/** A word of the row, mostly not the one that names the tool. */
function otherWord(words: readonly string[], id: string, random: Random): string {
  const others = words.filter((word) => !id.includes(word.replaceAll(" ", "_")));
  return random.pick(others.length && random.chance(0.6) ? others : words);
}

/** Words for a verb or a noun that others of `apart` cannot be mistaken for. */
function newRow(rows: readonly Row[], lexical: readonly Row[], apart: Row | undefined, random: Random): Row {
  if (apart?.opposite && random.chance(0.4)) return { words: apart.opposite };
  for (;;) {
    const row = random.pick(lexical.length && random.chance(0.5) ? lexical : rows);
    const isNear = (a: Row, b: Row) => a.words.some((word) => b.words.includes(word) || b.near?.has(word));
    if (!apart || !(isNear(row, apart) || isNear(apart, row))) return row;
  }
}

const verbRows: Row[] = verbs.map((words) => ({ words }));
const personRows: Row[] = things.person.map((words) => ({ words }));
/** Things that have several names, beside those of `nouns`. */
const thingRows: Row[] = [...things.thing, ...things.document, ...things.power].map((words) => ({ words }));

/** `near` shares its noun or its verb with the new tool, never both. */
export function invent(random: Random, lexicon: Lexicon | null, near?: Kin): Invention {
  const keepNoun = near && random.chance(0.6);
  const verb = near && !keepNoun ? near.verb : newRow(verbRows, lexicon?.verbs ?? [], near?.verb, random);
  const newest = () =>
    verb.personal
      ? newRow(personRows, [], near?.noun, random)
      : random.chance(0.45)
        ? newNoun(random)
        : newRow(thingRows, lexicon?.nouns ?? [], near?.noun, random);
  let noun = keepNoun ? near.noun : newest();
  while (near && !keepNoun && noun.words.some((word) => near.noun.words.includes(word))) noun = newest();
  const [shown, named] = [random.pick(verb.words), random.pick(noun.words)];
  const opaque = random.chance(0.08); // the description must do
  const name = opaque
    ? make("coined", random).text.toLowerCase()
    : random.chance(0.85)
      ? `${shown}_${named}`
      : `${named}_${shown}`;
  const [described, told] = [random.pick(verb.words), random.pick(noun.words)];
  const params = newParams(told, random);
  const about = [
    `${capital(described)} ${random.pick([isPlural(told) ? "some" : article(told), "the"])} ${told}.`,
    `Use this to ${described} ${isPlural(told) ? "the" : article(told)} ${told}.`,
  ];
  // A definition in the place of a word for it.
  if (verb.gloss && random.chance(0.5)) about.splice(random.between(0, 1), 1, `${capital(verb.gloss)}: the ${told}.`);
  else if (noun.gloss && random.chance(0.5))
    about.splice(random.between(0, 1), 1, `${capital(described)} ${noun.gloss}.`);
  const id = name.replace(/[^A-Za-z0-9]+/g, "_");
  const tool: BaseTool = {
    id,
    domain: "app",
    names: [id],
    about,
    params: params.map(({ param }) => param),
    say: [],
    hint: [],
    like: [id],
    opaque,
  };
  return { tool, kin: { noun, verb }, clauses: params.map(({ clause }) => clause) };
}

const capital = (text: string) => text[0].toUpperCase() + text.slice(1);

function newNoun(random: Random): Row {
  const base = random.chance(0.12)
    ? make("coined", random).text.toLowerCase()
    : random.pick(nouns).replaceAll("_", " ");
  return { words: [random.chance(0.3) ? `${random.pick(qualifiers)} ${base}` : base] };
}

/** Some roles of one group: values that look alike. */
function newGroup(noun: string, random: Random): { param: Param; clause: string }[] {
  const { roles } = random.pick(roleGroups);
  const prefix = random.chance(0.12) ? `${noun.split(/[^A-Za-z]+/).at(-1)}_` : "";
  return random.some(roles, random.between(2, roles.length)).map(({ name, said, slot }) => {
    const human = name.replaceAll("_", " ");
    const about = random.pick([
      `The ${human} of the ${noun}.`,
      `${human[0].toUpperCase()}${human.slice(1)}.`,
      `Which ${human}.`,
    ]);
    const mark = random.chance(0.8) ? "!" : "?";
    return {
      param: readParam([`${prefix}${name}`], `${slot}${mark} ${about}`, noun),
      clause: random.pick(said).replace("{x}", `{${prefix}${name}}`),
    };
  });
}

function newParams(noun: string, random: Random): { param: Param; clause: string }[] {
  const count = random.pick([0, 1, 1, 2, 2, 3, 3, 4]);
  const pair = random.chance(0.3) ? newGroup(noun, random) : [];
  const made = [...pair];
  for (const [name, slot, said] of random.some(attributes, pair.length ? random.pick([0, 0, 1, 2]) : count)) {
    // A third "from {x}" would leave open whose it is.
    if (pair.some(({ param, clause }) => param.slot === slot || said.includes(clause.split(" ")[0]))) continue;
    if (made.some(({ param }) => param.name === name)) continue;
    if (freeText.has(slot) && made.some(({ param }) => freeText.has(param.slot))) continue;
    const mark = random.chance(0.7) ? "!" : "?";
    const kind = random.next();
    if (kind < 0.14) {
      const values = random.pick(levels);
      const key = random.pick(["mode", "level", "type", "size", "class", "kind", "grade", "option"]);
      if (made.some(({ param }) => param.name === key)) continue;
      made.push({
        param: readParam([key], `<${values}>${mark} The ${key} of the ${noun}.`, noun),
        clause: random.pick([`with ${key} {${key}}`, `${key} {${key}}`, `in {${key}}`, `as {${key}}`]),
      });
    } else if (kind < 0.2) {
      const key = random.pick(switches);
      if (made.some(({ param }) => param.name === key)) continue;
      made.push({
        param: readParam([key], `flag${mark} Whether the ${noun} is ${key}.`, noun),
        clause: `with ${key} {${key}}`,
      });
    } else {
      const key = random.chance(0.15) ? `${noun.split(/[^A-Za-z]+/).at(-1)}_${name}` : name;
      const human = name.replaceAll("_", " ");
      const plain = [
        `with ${human} {x}`,
        `${human} {x}`,
        `the ${human} is {x}`,
        `using {x} as ${human}`,
        `and {x} as the ${human}`,
      ];
      const bare = telling.has(slot) && random.chance(0.15) && !made.some(({ param }) => telling.has(param.slot));
      const clause = (bare ? "{x}" : random.chance(0.6) ? random.pick(said.split("|")) : random.pick(plain)).replace(
        "{x}",
        `{${key}}`,
      );
      made.push({
        param: readParam(
          [key],
          `${slot}${mark} ${random.pick([`The ${human} of the ${noun}.`, `${human[0].toUpperCase()}${human.slice(1)}.`, `Which ${human}.`])}`,
          noun,
        ),
        clause,
      });
    }
  }
  return made;
}
