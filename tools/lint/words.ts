/** What the rules know about words: how names split, what an example or a verb looks like. */
import type { Json } from "../../runtime/json.ts";
import { pythonJson } from "../../runtime/tools/prompt.ts";

/** A name's words with spaces between: setAlarm, set_alarm, set-alarm. */
export function spaced(name: string): string {
  return name.replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2").replace(/[_\-.]+/g, " ");
}

export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** "start_minutes" as "Start minutes". */
export function sentence(name: string): string {
  const words = spaced(name).trim().toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Values of an enum that are alike read the same: the runtime looks past letter case, spaces and underscores. */
export function alikeForm(value: Json): string {
  return JSON.stringify(value)
    .toLowerCase()
    .replace(/[\s_]+/g, " ")
    .replace(/" | "/g, '"');
}

/** A form of the same word hides nothing: "curtains" means "curtain". */
export function isInflected(word: string, value: string): boolean {
  return word.startsWith(value) && /^(s|es|ed|d|ing)$/.test(word.slice(value.length));
}

/** Letters without their marks; what has no letter in ASCII goes. */
export function plainAscii(text: string): string {
  const letters: Record<string, string> = {
    ß: "ss",
    æ: "ae",
    Æ: "Ae",
    ø: "o",
    Ø: "O",
    œ: "oe",
    Œ: "Oe",
    ł: "l",
    Ł: "L",
  };
  const known = text.replace(/[ßæÆøØœŒłŁ]/g, (letter) => letters[letter]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what stays.
  return known.normalize("NFKD").replace(/[^\u0000-\u007f]+/g, "");
}

/** As the prompt has it, without quotes. */
export function escaped(text: string): string {
  return pythonJson(text).slice(1, -1);
}

export function hasExample(description: string): boolean {
  return /\be\.?g\b|\bfor (example|instance)\b|\bsuch as\b|\blike\b|["“”'‘`]\S/i.test(description);
}

const verbs = new Set(
  [
    "is are has have can should will was do does use with without include exclude enable disable allow keep show hide",
    "send turn set make add only want need repeat play ask skip force wait open close start stop save confirm notify",
    "get create delete remove list find search cancel update change read write call take pause resume move mute book",
    "log track record check count note lock unlock raise lower dim navigate order reply dial wake scan print rate tell text",
  ].flatMap((line) => line.split(" ")),
);

/** Whether a word is one that names of tools and of switches begin with. */
export function isVerb(word: string | undefined): boolean {
  return word !== undefined && verbs.has(word);
}

/** Whether a boolean's name or description says what true does. */
export function hasVerb(name: string, description: string): boolean {
  const [first] = wordsOf(spaced(name));
  const [opening] = wordsOf(description);
  return isVerb(first) || isVerb(opening) || /\b(whether|if|true|false|when)\b/i.test(description);
}

/** What people say for values of such a name. */
const examples: [words: string, example: string][] = [
  ["time start end at", "7 am"],
  ["date day when deadline", "tomorrow"],
  ["duration length", "10 minutes"],
  ["repeat recurrence often frequency", "every weekday"],
  ["city location place destination origin where address town departure", "Paris"],
  ["room area", "kitchen"],
  ["recipient contact person who callee attendees attendee to", "Anna"],
  ["message text body note", "I'm running late"],
  ["song track", "Yesterday"],
  ["album", "Kind of Blue"],
  ["year", "1999"],
  ["floor", "upstairs"],
  ["app service", "Spotify"],
  ["playlist label", "workout"],
  ["artist band", "Miles Davis"],
  ["genre", "jazz"],
  ["language", "French"],
  ["query search keywords", "pizza nearby"],
  ["device appliance", "fan"],
  ["activity workout exercise", "running"],
  ["list", "shopping"],
  ["item product", "milk"],
  ["title event subject", "dentist"],
  ["colour color", "blue"],
];

/** An example for a free text, by its name, else by its description; "..." where nothing is known. */
export function exampleFor(name: string, description: string): string {
  for (const said of [wordsOf(spaced(name)), wordsOf(description)]) {
    for (const [words, example] of examples) if (words.split(" ").some((word) => said.includes(word))) return example;
  }
  return "...";
}
