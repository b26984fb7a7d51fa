/** What a parameter of somebody's tool takes, read off its type, key, description and the example quoted there. */
import type { FlatParam } from "../ground.ts";
import type { Lexicon } from "../lexicon.ts";
import { ones } from "../numerals.ts";
import type { Random } from "../random.ts";
import { isSlot, typeOfSlot } from "../values.ts";

export type Kind =
  | "choice"
  | "flag"
  | "number"
  | "time"
  | "day"
  | "quantity"
  | "state"
  | "text"
  | "person"
  | "place"
  | "duration"
  | "code"
  | "thing";

export interface Role {
  kind: Kind;
  /** Where its values come from: slots of values.ts; none of a choice, a flag and a thing of no known kind. */
  slots: string[];
  /** A unit that is said with a number: "minutes". */
  unit?: string;
  /** Examples quoted in the description. */
  examples: string[];
  /** Words of a kind of the lexicon that the key names. */
  words: readonly string[];
}

const has = (text: string, words: string): boolean => new RegExp(`(^|[^a-z])(${words})($|[^a-z])`).test(text);

/** Key and description in lower case, words parted by spaces. */
const said = (key: string, { description = "" }: FlatParam): string =>
  `${key.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll("_", " ")} | ${description.replace(/["“][^"”]*["”]/g, "")}`.toLowerCase();

const units: [words: string, slot: string, unit: string][] = [
  ["minutes?|mins?", "minutes", "minutes"],
  ["seconds?|secs?", "seconds", "seconds"],
  ["hours?", "fewInteger", "hours"],
  ["days?", "smallInteger", "days"],
  ["weeks?", "fewInteger", "weeks"],
  ["percent|percentage|brightness|volume", "percent", "percent"],
  ["degrees?|temperature|celsius|fahrenheit", "degrees", "degrees"],
  ["kilometers?|km|distance", "distance", "kilometers"],
  ["miles?", "distance", "miles"],
  ["kilos?|kg|weight", "weight", "kilos"],
  ["grams?", "integer", "grams"],
  ["liters?|litres?", "integer", "liters"],
  ["milliliters?|ml", "integer", "milliliters"],
  ["dollars?|price|cost|amount|euros?|money", "amount", "dollars"],
  ["level", "level", ""],
  ["year", "year", ""],
  ["count|copies|number of|how many|people|guests|quantity|persons", "smallInteger", ""],
];

const numberWord = new RegExp(`^(\\d+([.,]\\d+)?|${ones.slice(1).join("|")}|twenty|thirty|half|an?)\\b`);

const people =
  "person|contact|recipient|who|customer|patient|owner|assignee|guest|author|employee|member|name of|to|borrower|lender|supplier|vendor|sender|receiver|driver|client|doctor|teacher|student|user|buyer|seller";

/** What the first example looks like. */
function shapeOf(example: string): Kind | null {
  if (/^\d{1,2}:\d{2}|^\d{1,2} ?[ap]\.?m/i.test(example)) return "time";
  if (/^(today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday|next )|^\d{4}-\d\d/i.test(example))
    return "day";
  if (/^(\d+|[a-z]+) (seconds?|minutes?|hours?|days?|weeks?)$/.test(example)) return "duration";
  if (numberWord.test(example) && /\s\S/.test(example)) return "quantity";
  if (/^[A-Z]{1,4}-?\d+|^\d{3,}$/.test(example)) return "code";
  if (/^[a-z]*[^s'](s|n't|ing) [a-z]|^(is|has|does|won|will|keeps|no) |^[a-z]+ (is|are) /.test(example)) return "state";
  return example.split(" ").length > 4 ? "text" : null;
}

/** Reads a parameter. Null for one whose values nobody says: objects and lists of them. */
export function roleOf(key: string, param: FlatParam, lexicon: Lexicon | null): Role | null {
  const text = said(key, param);
  const [name] = text.split(" | ");
  const examples = [...(param.description ?? "").matchAll(/["“]([^"”]+)["”]/g)].map(([, example]) => example);
  const role = (kind: Kind, slots: string[], more: Partial<Role> = {}): Role => ({
    ...{ kind, slots, examples, words: [] },
    ...more,
  });
  if (param.enum ?? param.items?.enum) return role("choice", []);
  if (param.type === "boolean") return role("flag", []);
  if (param.type === "integer" || param.type === "number") {
    const found = units.find(([words]) => has(name, words)) ?? units.find(([words]) => has(text, words));
    const slot = found?.[1] ?? "integer";
    const isWhole = param.type === "integer" && typeOfSlot(slot) !== "integer";
    return role("number", [isWhole ? "integer" : slot], { unit: found?.[2] ?? "" });
  }
  const type = param.type === "array" ? (param.items?.type ?? "string") : param.type;
  if (type !== "string") return null;
  const shape = examples.length ? shapeOf(examples[0]) : null;
  if (shape === "time" || has(name, "time|clock|hour|taken at|starts? at|at") || / at$/.test(name))
    return role(
      "time",
      has(text, "took|taken|was|were|did|done|happened|ate|drank|had")
        ? ["clock", "earlier"]
        : ["clock", "clock", "when"],
    );
  if (shape === "day" || has(name, "date|day|when|deadline|due")) return role("day", ["day", "day", "when"]);
  if (shape === "duration" || has(name, "duration|length|how long")) return role("duration", ["duration"]);
  if (shape === "quantity" || has(name, "dose|dosage|portion|quantity|amount")) return role("quantity", ["portion"]);
  if (shape === "code" || has(name, "code|number|id|serial|reference|sku")) return role("code", ["code"]);
  if (shape === "state" || has(name, "symptom|problem|issue|fault|defect|error|complaint|malfunction"))
    return role("state", ["trouble"]);
  if (has(name, "email|e-mail")) return role("code", ["email"]);
  if (has(name, "phone|telephone")) return role("code", ["phone"]);
  if (/\b(who|whom|person|somebody|someone)\b/.test(text.slice(name.length)) || has(name, people))
    return role(
      "person",
      /supplier|vendor|shop|company|from/.test(text)
        ? ["company", "contact", "coined"]
        : ["contact", "person", "first"],
    );
  if (has(name, "city|town")) return role("place", ["city"]);
  if (has(name, "room")) return role("place", ["room"]);
  if (has(name, "place|location|destination|address|origin|where|from"))
    return role("place", ["place", "city", "room"]);
  if (shape === "text" || has(name, "message|text|note|comment|reason|content|body|description|summary|details|remark"))
    return role("text", ["note", "message", "anything", "clause"]);
  const keyed = name.trim().split(" ").at(-1) as string;
  const slots = [keyed, name.trim()].filter((slot) => isSlot(slot) && typeOfSlot(slot) === "string").slice(0, 1);
  return role("thing", slots, { words: lexicon?.familiar[keyed] ?? [] });
}

const quantities =
  "tablets pills capsules drops milliliters ml milligrams mg grams g spoons spoonfuls cups puffs units sprays sachets liters kilos pieces boxes bottles packs slices rolls sheets bags cans scoops doses bowls handfuls micrograms".split(
    " ",
  );

/** "two tablets", "400 mg", "half a spoon", "one". */
export function portion(random: Random): string {
  const unit = random.pick(quantities);
  const n = random.pick([
    1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 75, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000,
  ]);
  const count = n <= 20 && random.chance(0.5) && ones[n] ? ones[n] : String(n);
  if (random.chance(0.12))
    return `${random.pick(["half a", "a", "a quarter of a", "one and a half", "a couple of", "another"])} ${n > 1 ? unit.replace(/s$/, "") : unit.replace(/s$/, "")}`;
  if (random.chance(0.14)) return random.pick([count, "one", "two", "half", "three", "a half"]);
  const plain = n === 1 ? unit.replace(/s$/, "") : unit;
  return /^(ml|mg|g)$/.test(unit) && random.chance(0.4) && /\d/.test(count) ? `${count}${plain}` : `${count} ${plain}`;
}

const past =
  "this morning|last night|yesterday|an hour ago|two hours ago|just now|earlier today|half an hour ago|ten minutes ago|this afternoon|around noon|before bed|after lunch|before breakfast|after dinner|at lunch time|yesterday evening|a while ago|around eight|five minutes ago|with breakfast|on monday|last friday|three days ago|twenty minutes ago".split(
    "|",
  );
export const earlier = (random: Random): string => random.pick(past);
