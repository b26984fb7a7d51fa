/** What is said, word by word: a transcript as a request, and the words that are about commands and go to no model. */

/** Sounds that say nothing. */
const fillers = new Set("um umm uh uhm erm er hmm hm mhm mm ah oh huh haha hahaha".split(" "));
/** What is said of oneself while others speak; alone it asks for nothing. */
const murmurs = new Set("okay ok yeah yes yep no nope right so well sure fine thanks please and cool great".split(" "));
/** Nobody ends with these. */
const unfinished = new Set(
  "a an the to for at in on of by from with until till about into and or but then that my your his her their our is are be saying called named as than".split(
    " ",
  ),
);
/** What begins with these goes on with what was said before. */
const continuing = new Set(
  [
    ...unfinished,
    ..."no wait sorry actually never i'm tomorrow today tonight every next because please".split(" "),
  ].filter((word) => !["i'm", "is", "are", "be", "my", "your"].includes(word)),
);
const lists = (text: string) => text.split(",").map((phrase) => phrase.trim().split(" "));
const answers = {
  yes: lists(
    "yes, yeah, yep, yup, sure, ok, okay, correct, confirm, go ahead, do it, please do, that's right, yes do it, yes go ahead, of course",
  ),
  no: lists("no, nope, nah, don't, no don't, do not, no thanks, no thank you, wrong, that's wrong, stop, cancel"),
  cancel: lists("never mind, nevermind, forget it, forget that, forget about it, no never mind, no forget it"),
  undo: lists("undo, undo that, undo it, undo the last one, take that back, take it back, cancel that, scratch that"),
  again: lists(
    "again, do that again, do it again, once more, one more time, repeat, repeat that, same again, the same again",
  ),
};
export type Word = keyof typeof answers;

/** What stands between a slip and what was meant. */
const repairs = lists(
  "no i meant, no i mean, sorry i meant, sorry i mean, i meant, i mean, no wait, wait no, no sorry, sorry no, no make that, no make it, make that, or rather, no actually, actually no",
).sort((a, b) => b.length - a.length);

/** A word as it is compared: small, without marks at its ends. */
export function bare(token: string): string {
  return token
    .toLowerCase()
    .replaceAll("’", "'")
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
}

export const tokensOf = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** The tokens that say something. */
export function withoutFillers(tokens: readonly string[]): string[] {
  return tokens.filter((token) => !fillers.has(bare(token)) && !/^\p{P}*$/u.test(token));
}

/** Where a phrase ends that stands in the tokens, the last time that it does; −1 if it does not. */
export function endOf(phrase: readonly string[], tokens: readonly string[]): number {
  const words = tokens.map(bare);
  for (let at = words.length - phrase.length; at >= 0; at--)
    if (phrase.every((word, i) => words[at + i] === word)) return at + phrase.length;
  return -1;
}

/** Which of the words about commands all of the tokens are; null: none. "please" and "thanks" change nothing. */
export function wordOf(tokens: readonly string[]): Word | null {
  const words = tokens.map(bare).filter((word) => word !== "please" && word !== "thanks");
  const said = words.join(" ");
  const found = Object.entries(answers).find(([, phrases]) => phrases.some((phrase) => phrase.join(" ") === said));
  return (found?.[0] as Word | undefined) ?? null;
}

/** Whether the tokens end by taking back what they say. */
export function isTakenBack(tokens: readonly string[]): boolean {
  const phrases = [...answers.cancel, ...answers.undo].filter(({ length }) => length > 1);
  return phrases.some((phrase) => endOf(phrase, tokens) === tokens.length);
}

/** Whether nothing but murmurs is said. */
export const isMurmur = (tokens: readonly string[]): boolean => tokens.every((token) => murmurs.has(bare(token)));

/** Whether it begins as a no does. */
export const isRefusal = (tokens: readonly string[]): boolean => /^(no|nope|nah|don't)$/.test(bare(tokens[0] ?? ""));

export const isUnfinished = (tokens: readonly string[]): boolean => unfinished.has(bare(tokens.at(-1) ?? ""));

export const goesOn = (tokens: readonly string[]): boolean => continuing.has(bare(tokens[0] ?? ""));

/** What was said before the last repair, and what was meant after it; null where nothing is repaired. */
export function repairIn(tokens: readonly string[]): { before: string[]; meant: string[] } | null {
  let best: { before: string[]; meant: string[] } | null = null;
  let last = -1;
  for (const phrase of repairs) {
    const end = endOf(phrase, tokens);
    if (end <= last || end >= tokens.length) continue;
    last = end;
    best = { before: tokens.slice(0, end - phrase.length), meant: tokens.slice(end) };
  }
  return best;
}

/** Utterances → one request. */
export function requestOf(utterances: readonly (readonly string[])[]): string {
  const parts = utterances.map((tokens, i) => {
    const said = withoutFillers(tokens);
    // A recogniser begins each of its utterances with a capital.
    const text = (i && goesOn(said) ? [said[0].toLowerCase(), ...said.slice(1)] : said).join(" ");
    return text.replace(/[\s.,;!?…]+$/u, "");
  });
  return parts.filter(Boolean).join(" ");
}

/** A word as the model reads it: recognisers differ in capitals and marks, and change them while they hear on. */
export const heardAs = (token: string): string =>
  token
    .toLowerCase()
    .replaceAll("’", "'")
    .replace(/^["“]+|[.,;:!?…"”]+$/gu, "");
