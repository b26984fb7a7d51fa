/** Somebody's tool, as the generator can ask for it: verbs, nouns, and what each parameter takes. */
import { numbersIn } from "../../../runtime/text/numbers.ts";
import { timesIn } from "../../../runtime/text/timeofday.ts";
import type { Property } from "../../../runtime/tools/schema.ts";
import type { FlatTool } from "../ground.ts";
import type { Lexicon } from "../lexicon.ts";
import { anyLength, isWithin, type Limits, lengthsOf, limited, limitsOf } from "../limits.ts";
import { numberWords } from "../numerals.ts";
import { Random } from "../random.ts";
import type { BaseTool, Param } from "../tool.ts";
import { make, withoutDeterminer } from "../values.ts";
import { pools } from "../words.ts";
import { type Sentence, sentencesFor } from "./kin.ts";
import { earlier, portion, type Role, roleOf } from "./roles.ts";
import { thingName, trouble } from "./things.ts";
import { baseVerb, isVerb, otherVerbs } from "./verbs.ts";

export interface FittedParam {
  param: Param;
  role: Role;
  /** The key as words, and what else the description calls it. */
  label: string;
  labels: string[];
  /** Clauses of the description's words, `~` for the value: "from whom" → " from ~". */
  told: string[];
  /** Of a person: what the description says that they do or did. */
  does: string | null;
  /** Of a number. */
  limits: Limits | null;
  /** Of a string, how many characters it has at least and at most. */
  lengths: readonly [least: number, most: number];
  /** Of a choice, the values as the schema has them, by their text. */
  own: ReadonlyMap<string, Choice>;
  /** Of a list, how many items it has at least and at most. */
  items: readonly [least: number, most: number];
  /** Of the hour of a time of day, its minute: both are said by one time, "quarter to seven". */
  minute?: FittedParam;
  /** Such a minute: not said by itself. */
  isMinute?: boolean;
}

type Choice = string | number | boolean;

export interface Fitted {
  flat: FlatTool;
  tool: BaseTool;
  params: FittedParam[];
  /** What is asked about: the first thing that must be named, if anything is. */
  main: FittedParam | null;
  /** Verbs whose object is what is asked about, and verbs that want the tool's noun between. */
  verbs: string[];
  nounVerbs: string[];
  nouns: string[];
  /** The description says that something was done: people may just say that they did it. */
  done: string | null;
  /** Sentences of hand-written tools that are like it. */
  sentences: Sentence[];
}

const words = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);

/**
 * Reads a tool, of which `properties` have the limits. Throws: Error for a required parameter that nobody can say: an
 * object, or a list of them.
 */
export function fitTool(flat: FlatTool, lexicon: Lexicon | null, properties: readonly Property[] = []): Fitted {
  const params: FittedParam[] = [];
  for (const [key, given] of Object.entries(flat.parameters)) {
    const schema = properties.find(({ name }) => name === key)?.schema;
    const items = schema?.kind === "array" ? ([schema.minItems, schema.maxItems] as const) : anyLength;
    // Of a list that is no enum's one item is said.
    const isLong = items[0] > 1 && !given.items?.enum;
    const role = isLong ? null : roleOf(key, given, lexicon);
    if (!role) {
      if (!given.required) continue;
      const expected =
        "expected a string, number, boolean, enum, or list of strings or of an enum where it is required";
      const least = isLong ? `at least ${items[0]} ` : "";
      const got = given.type === "array" ? `list of ${least}${given.items?.type ?? "anything"}` : given.type;
      throw new Error(
        `${flat.name}.${key}: ${expected}, got ${got}; leave that tool out and write its examples by hand`,
      );
    }
    const values = (given.enum ?? given.items?.enum ?? []).filter((value) => value !== null) as Choice[];
    const own = new Map(values.map((value) => [String(value), value]));
    const choices = [...own.keys()].map((value) => ({ value, said: sayings(value, own.size >= leastDays) }));
    const slot = slotOf(role);
    const param: Param = {
      ...{ name: key, names: [key], slot, choices, about: [], required: given.required === true },
      ...(given.type === "array" && { list: true }),
    };
    const told = /^(?:the|a|an|which|what) ([a-z]+)(?: [a-z]+)?[.,]/i.exec(given.description ?? "")?.[1].toLowerCase();
    const label = words(key).join(" ");
    const labels = told && told !== label ? [label, told] : [label];
    const limits = schema ? limitsOf(schema) : null;
    const one = schema?.kind === "array" ? schema.items : schema;
    const lengths = one ? lengthsOf(one) : anyLength;
    params.push({ param, role, label, labels, ...clausesIn(given.description ?? ""), limits, lengths, own, items });
  }
  pairTimes(params);
  const openKinds = new Set(["thing", "person", "place", "code", "text", "state"]);
  const candidates = params.filter(({ role, param }) => openKinds.has(role.kind) && !param.list);
  const rank = ({ role, param }: FittedParam) =>
    Number(param.required) * 2 + Number(role.kind !== "text" && role.kind !== "state") * 3;
  const main = candidates.sort((a, b) => rank(b) - rank(a))[0] ?? null;
  const verbal = verbsOf(flat, main, lexicon);
  const tool: BaseTool = {
    ...{ id: flat.name, domain: "app", names: [flat.name], about: [flat.description ?? ""], like: [flat.name] },
    ...{ params: params.map(({ param }) => param), say: [], hint: [] },
  };
  const fitted = { flat, tool, params, main, ...verbal, sentences: [] };
  return { ...fitted, sentences: sentencesFor(fitted) };
}

/** Hours and minutes that are a time of day: "hour" and "minute", "start_hour" and "startMinute"; plural ones mean a length. */
function pairTimes(params: FittedParam[]): void {
  const takesAll = ({ limits }: FittedParam, most: number) =>
    !limits || (isWithin(0, limits) && isWithin(most, limits));
  for (const [i, one] of params.entries()) {
    const minute = params.find(({ label }) => label === one.label.replace(/hour$/, "minute"));
    if (!/(^| )hour$/.test(one.label) || !minute || one.role.kind !== "number" || minute.role.kind !== "number")
      continue;
    if (one.param.list || minute.param.list || !takesAll(one, 23) || !takesAll(minute, 59)) continue;
    const role: Role = { kind: "time", slots: ["clock"], examples: [], words: [] };
    params[i] = {
      ...one,
      role,
      param: { ...one.param, slot: slotOf(role) },
      minute: Object.assign(minute, { isMinute: true }),
    };
  }
}

/** What a parameter's description says of how its value is said. */
function clausesIn(description: string): Pick<FittedParam, "told" | "does"> {
  const linked = /^(from|to|for|with|by|at|in|on) (?:whom|which|what|where)\b/i.exec(description)?.[1].toLowerCase();
  const [, it, rest] = /^when (it|they) ([a-z ]+)[.,]/i.exec(description) ?? [];
  const told = [
    ...(linked ? [` ${linked} ~`] : []),
    ...(rest ? [`, ${rest} ~`, `, ${it} ${rest} ~`, ` and ${rest} ~`] : []),
  ];
  const does = /^who ([a-z]+) (?:it|them|the|a)\b/i.exec(description)?.[1] ?? null;
  return { told, does };
}

function verbsOf({ name, description = "", parameters }: FlatTool, main: FittedParam | null, lexicon: Lexicon | null) {
  const tokens = words(name);
  const stated = /^([A-Za-z]+)/.exec(description)?.[1].toLowerCase() ?? "";
  const told = baseVerb(stated, lexicon);
  const known = [tokens[0], tokens.at(-1) as string].find((token) => isVerb(token, lexicon));
  // Of several words the first is mostly what is done.
  const named = known ?? (tokens.length > 1 && !told ? tokens[0] : "");
  const rest = tokens.length > 1 && !known ? tokens.slice(1) : tokens.filter((token) => token !== named);
  // A verb that is a value of the tool's own would say that value.
  const values = new Set(Object.values(parameters).flatMap((param) => (param.enum ?? []).map(String)));
  const verbs = (told ? otherVerbs(told, lexicon) : named ? otherVerbs(named, lexicon) : []).filter(
    (verb) => !values.has(verb),
  );
  if (named && !verbs.includes(named) && !told) verbs.push(named);
  const nouns = [rest.join(" ")];
  const phrase =
    /^\w+ (?:(?:an?|the|some|your|my|one) )?([a-z ]+?)(?: (?:of|that|for|with|from|to|in|on|at|by|and|which)\b|[.,;]|$)/i.exec(
      description,
    );
  if (phrase && phrase[1].split(" ").length <= 3 && !/^(that|when|how|what|more|all)\b/.test(phrase[1]))
    nouns.push(phrase[1].toLowerCase());
  const label = main?.label ?? "";
  if (!verbs.length) verbs.push(tokens.join(" "));
  return {
    verbs,
    nounVerbs: [...new Set([...(named ? [named] : []), ...verbs.slice(0, 6)])],
    nouns: [...new Set(nouns)].filter((noun) => noun && noun !== label),
    done: doneIn.exec(description)?.[1] ?? null,
  };
}

/** "that was taken", "I lent": a participle in a description. */
const doneIn =
  /\b(?:was|were|has been|have been|i|you|user) (?:just )?([a-z]+(?:ed|en|ne|pt|ght|id|nt|ld|st|de|ung|ut))\b/i;

/** How an enum's value is said: its words, and their plain form; of a day's beginning the day. */
function sayings(value: string, hasDays: boolean): string[] {
  const plain = words(value).join(" ");
  const day = hasDays && plain.length > 2 && weekdays.find((whole) => whole.startsWith(plain));
  if (day) return [day, day, `${day}s`, ...(plain === day ? [] : [plain])];
  return plain && plain !== value ? [plain, plain, value] : [value];
}

/** Of fewer values none is a day's beginning: sun, rain or snow. */
const leastDays = 5;

const weekdays = pools.weekday.map((day) => day.toLowerCase());

/** Which day of the week a choice is; −1 for none. */
const dayOf = ({ said }: Param["choices"][number]): number => weekdays.indexOf(said[0]);

/** Whether a parameter takes some days of the week. */
export const takesDays = ({ list, choices }: Param): boolean =>
  list === true && choices.filter((one) => dayOf(one) >= 0).length >= weekdays.length;

/** Some of the choices, each once, as they are said together. */
function drawList(param: Param, [least, most]: FittedParam["items"], random: Random): Value {
  const hasGroups = param.choices.some(({ value }) => /^(weekdays?|weekends?|every_?day|daily)$/i.test(value));
  if (takesDays(param) && !hasGroups && most >= weekdays.length && random.chance(0.2)) {
    const [text, has] = random.pick<[string, (day: number) => boolean]>([
      ["weekdays", (day) => day < 5],
      ["weekends", (day) => day >= 5],
      ["every day", () => true],
    ]);
    const meant = param.choices.filter((one) => dayOf(one) >= 0 && has(dayOf(one)));
    if (meant.length >= least) return { text, value: meant.map(({ value }) => value) };
  }
  const wanted = Math.max(least, Math.min(most, random.pick([1, 1, 1, 2, 2, 3])));
  const some = random.some(param.choices, wanted);
  const said = some.map(({ said }) => random.pick(said));
  const last = said.pop() as string;
  const text = said.length ? `${said.join(", ")}${random.pick([" and ", " and ", ", and ", ", "])}${last}` : last;
  return { text, value: some.map(({ value }) => value) };
}

/** A slot that has the role's manners: where a determiner belongs, what may stand behind it. */
function slotOf({ kind, slots }: Role): string {
  if (kind === "choice") return "choice";
  if (kind === "flag") return "truth";
  if (kind === "time" || kind === "day") return "when";
  if (kind === "state" || kind === "text") return "clause";
  if (kind === "quantity" || kind === "duration") return "duration";
  if (kind === "number") return slots[0];
  return kind === "person" ? "contact" : "item";
}

export interface Value {
  text: string;
  value?: Choice | Choice[];
  /** Of a state: it makes a sentence behind the thing's name. */
  isPredicate?: boolean;
  /** Of a time's hour, its minute. */
  minute?: number;
  /** Of a number: its unit is said with it. */
  isSpan?: boolean;
}

/** Of the values of open keys, one in eight is never trained on where some are to be held out. */
const heldShare = 8;

/** Whether a value is one of those that may be held out. */
export function isHeld(text: string): boolean {
  let hash = 7;
  for (const letter of text.toLowerCase()) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) | 0;
  return (hash >>> 8) % heldShare === 0;
}

/** A value for a parameter; `held`: one of those held out, or none of them; null: any. */
export function drawValue(
  { param, role, limits, lengths, own, items, minute }: FittedParam,
  random: Random,
  lexicon: Lexicon | null,
  held: boolean | null,
): Value {
  if (role.kind === "choice") {
    const { text, value } = param.list ? drawList(param, items, random) : drawChoice(param, random);
    const typed = (one: Choice) => own.get(String(one)) ?? one;
    return { text, value: Array.isArray(value) ? value.map(typed) : typed(value as Choice) };
  }
  for (let tries = 0; tries < mostTries; tries++) {
    const drawn = minute ? drawTime(role, random) : draw(role, random, lexicon);
    const made = limits && role.kind === "number" ? limited(drawn, limits, random) : drawn;
    if (role.kind === "flag" || role.kind === "number") return made;
    const { length } = [...made.text];
    if (length < lengths[0] || length > lengths[1]) continue;
    if (held === null || isHeld(made.text) === held) return made;
  }
  throw new Error(
    `${param.name}: expected lengths that people's words have, got ${lengths[0]} to ${lengths[1]} characters; leave its tool out and write its examples by hand`,
  );
}

/** Of words that have a length, one in thousands may. */
const mostTries = 20_000;

/** A time of day as people say it, in figures: of two hours that it may be the later, since a part of the day says so. */
function drawTime({ slots }: Role, random: Random): Value {
  for (;;) {
    const { text } = make(random.pick(slots), random);
    const [time, ...more] = timesIn(text, numbersIn(text));
    // "Two at night" and "twelve in the evening" may be either.
    const isClear = time && (time.hours.length < 2 || time.hours[0] > 16 || !/night|evening/.test(text));
    if (isClear && !time.isEither && !more.length) return { text, value: time.hours[0], minute: time.minute };
  }
}

function drawChoice({ choices }: Param, random: Random): Value {
  const { value, said } = random.pick(choices);
  return { text: random.pick(said), value };
}

function draw(role: Role, random: Random, lexicon: Lexicon | null): Value {
  const { kind, slots, words: kin, examples } = role;
  if (kind === "flag") return { text: "", value: true };
  if (kind === "state") return random.chance(0.93) ? trouble(random) : { text: make("anything", random).text };
  if (kind === "quantity") return { text: portion(random) };
  if (kind === "thing") {
    // Any name at all now and then, and the pool that the key names, if one does.
    if (slots.length && random.chance(0.25)) return { text: withoutDeterminer("item", make(slots[0], random).text)[1] };
    if (examples.length && random.chance(0.03)) return { text: random.pick(examples) };
    return { text: thingName(random, kin, lexicon) };
  }
  // Lengths are also said in hours.
  const spans: Record<string, string> = { minutes: "spanMinutes", seconds: "spanSeconds" };
  const chosen = random.pick(slots);
  const slot = random.chance(0.35) ? (spans[chosen] ?? chosen) : chosen;
  if (slot === "earlier") return { text: earlier(random) };
  // Some numbers are of another size than people's usual ones.
  if (kind === "number" && chosen !== "percent" && random.chance(0.25)) {
    const value = Math.round(10 ** (1 + 2.3 * random.next()) / 5) * 5;
    return { text: random.chance(0.15) ? numberWords(value) : String(value), value };
  }
  const made: Value = make(slot, random);
  if (kind === "person" || kind === "place") made.text = withoutDeterminer(slot, made.text)[1];
  return { ...made, ...(spans[chosen] === slot && { isSpan: true }) };
}

/** A stream of choices for each tool, so that one more tool changes no other's requests. */
export const streamOf = (seed: number, index: number): Random => new Random(seed ^ 0x66697474, index);
