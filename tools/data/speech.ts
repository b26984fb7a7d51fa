/** How people talk: politeness, fillers, corrections, and what a speech recogniser makes of it. */
import { commands } from "./actions.ts";
import { numberWords } from "./numerals.ts";
import type { Random } from "./random.ts";
import { fill, type Piece, type Request } from "./request.ts";
import type { Param } from "./tool.ts";
import { isTime, typeOfSlot, withoutDeterminer } from "./values.ts";

const imperatives = new Set(
  `set start make create add put turn switch call phone ring dial text send message tell write play open close lock unlock show list read take snap
  record film shoot capture find search look navigate guide bring get give cancel stop delete remove clear pause resume continue skip mute unmute book
  order reserve schedule move change remind wake snooze translate define spell convert calculate check log track begin end finish save share scan
  describe identify zoom join connect pair disconnect launch run pay transfer request buy rent brew preheat heat cool dim brighten vacuum announce
  broadcast water arm disarm shuffle repeat mark drop enable disable activate post reply answer decline reject ignore email video measure count
  magnify restart reboot flip roll pick charge honk unpair transcribe summarize recap tag label empty watch raise lower let keep kill hit pin
  bookmark route use apply point submit assign archive print plan compute review rate hire inspect calibrate dispatch sync return fetch renew
  reschedule push shift boil exchange feed warm wash dry steam toast microwave block freeze suggest recommend help grind
  ship transfer rename replace introduce swap trade forward fade queue choose hand look work map kick sign repair sort weigh`
    .split(/\s+/)
    .concat(commands),
);

const firstWord = ({ pieces }: Request) => (pieces[0]?.param ? "" : (/^[a-z]+/.exec(pieces[0]?.text ?? "")?.[0] ?? ""));
export const isImperative = (request: Request) => imperatives.has(firstWord(request));

const openSlots = new Set(
  "message note errand phrase anything topic purpose song show deed clause asked question issueTitle prTitle statusText homework".split(
    " ",
  ),
);
export const endsOpen = ({ pieces }: Request) => openSlots.has(pieces.at(-1)?.param?.slot ?? "");

export function before(request: Request, text: string): void {
  request.pieces.unshift({ text });
}

export function after(request: Request, text: string): void {
  request.pieces.push({ text });
}

export const courtesies = [
  "please ",
  "please ",
  "can you ",
  "can you ",
  "could you ",
  "could you ",
  "would you ",
  "can you please ",
  "could you please ",
  "I want you to ",
  "I'd like you to ",
  "go ahead and ",
  "I need you to ",
  "you can ",
  "just ",
  "quickly ",
  "will you ",
  "I was wondering if you could ",
  "do you think you could ",
  "would you be so kind as to ",
  "I'd love for you to ",
  "be so kind and ",
  "kindly ",
  "let's ",
  "time to ",
  "now ",
  "if you don't mind, ",
  "when you get a chance, ",
  "real quick, ",
  "do me a favor and ",
  "is it possible to ",
  "are you able to ",
  "how about you ",
];
const thanks = [
  " please",
  " please",
  " thanks",
  " for me",
  " please",
  " thank you",
  " right away",
  " now",
  " will you",
  " real quick",
];
const openThanks = [", please", ", thanks", " please", ", thank you", ", ok"];
const calls =
  "hey |ok |hey watch, |hi, |okay, |so |hey glasses, |hello, |alright, |yo |computer, |right, |listen, |hey there, |excuse me, ";

/** Asks nicely, before and after; what follows free text stays outside of it. */
export function polite(request: Request, random: Random): void {
  const imperative = isImperative(request);
  if (endsOpen(request) ? random.chance(0.06) : random.chance(0.12)) {
    const words = random.pick(endsOpen(request) ? openThanks : thanks);
    after(request, random.chance(0.3) && !words.startsWith(",") ? `,${words}` : words);
  }
  if (imperative && random.chance(0.24)) before(request, random.pick(courtesies));
  if (random.chance(0.08)) before(request, random.pick(calls.split("|")));
}

const plainMarks = /['"]/;

/** Sets apostrophes, quotes and dashes as keyboards of phones do. */
export function typeset({ pieces }: Request, random: Random): void {
  for (const piece of pieces) {
    if (plainMarks.test(piece.text))
      piece.text = piece.text
        .replace(/(^|[\s(])"/g, "$1“")
        .replaceAll('"', "”")
        .replaceAll("'", "’");
    if (!piece.param && random.chance(0.5))
      piece.text = piece.text.replace(/, (?=actually|no|sorry|then|also|plus)/, " — ");
  }
}

/** Puts circumstances before the request: "I'm off next week. Can you find me a flight". */
export function aside(request: Request, circumstances: string, random: Random): void {
  const ask = isImperative(request)
    ? random.pick(["", "", "can you ", "could you ", "please ", "can you help me and "])
    : "";
  before(request, `${circumstances}${random.pick([". ", ", ", " ", ". ", " so "])}${ask}`);
}

/** Writes as people do who type in a hurry. */
export function lower({ pieces }: Request): void {
  for (const piece of pieces) piece.text = piece.text.toLowerCase();
}

/** What people put before a remark. */
export function musing(request: Request, random: Random): void {
  if (random.chance(0.45)) {
    const leads =
      "well, |you know, |honestly, |oh no, |hey, |ugh, |so, |hmm, |oh, |look, |I guess |right, |man, |by the way, |wow, |okay, |I think ";
    before(request, random.pick(leads.split("|")));
  }
  if (random.chance(0.15))
    after(
      request,
      random.pick([
        " again",
        " today",
        ", really",
        ", you see",
        ", you know",
        " right now",
        ", I'm afraid",
        ", as usual",
      ]),
    );
}

const fillers = ["um", "uh", "er", "like", "you know", "uhm", "hmm", "well", "I mean", "let me think", "so"];

/** Fillers, repeated words and false starts, never inside a value. */
export function stumble(request: Request, random: Random): void {
  const smooth = request.pieces.map(({ text }) => text).join("");
  for (const [at, piece] of request.pieces.entries()) {
    if (piece.param) continue;
    const words = piece.text.split(" ");
    const out: string[] = [];
    for (const [i, word] of words.entries()) {
      // A piece that starts without a blank clings to the value before it.
      const free = /^[a-z]/i.test(word) && (i > 0 || at === 0);
      if (free && random.chance(0.13)) out.push(random.pick(fillers) + (random.chance(0.3) ? "," : ""));
      out.push(word);
      if (free && i < words.length - 1 && random.chance(0.07)) out.push(word);
    }
    piece.text = out.join(" ");
  }
  const fluent = request.pieces.map(({ text }) => text).join("") === smooth;
  if (fluent || random.chance(0.5))
    before(
      request,
      random.pick([
        "um ",
        "uh ",
        "so um ",
        "okay so ",
        "hmm ",
        "uh yeah ",
        "wait, ",
        "er, ",
        "right, so ",
        "oh, ",
        "listen, ",
      ]),
    );
  else if (random.chance(0.3)) {
    const start = request.pieces[0].param
      ? ""
      : request.pieces[0].text.split(" ").slice(0, random.between(1, 2)).join(" ");
    if (start.trim()) before(request, `${start.trim()}... `);
  }
}

const breaks = [", ", ", ", ", ", " ", " ", "... ", "… ", ". ", " - ", ", oh, ", ", uh, ", ", er, ", "? "];
const regrets =
  "no, |no, |no |no wait, |sorry, |sorry |I mean |I mean |I meant |actually |actually, |better |or rather |make it |make that |wait, |scratch that, |correction, |oh no, |not that, |hang on, ".split(
    "|",
  );
const hesitations = [", hmm, ", "... hmm, ", ", er, no, ", " or no, ", ", well, "];
const remarks = ["change that to ", "no, rather ", "let's say ", "I'd say ", "that should be "];
const tails = ["", "", "", "", "", "", " rather", " instead", " I mean", " after all"];

const regret = (random: Random, more: readonly string[] = []): string =>
  random.chance(0.12) ? random.pick(hesitations) : random.pick(breaks) + random.pick([...regrets, ...more]);

/** "from Rome, no, from Milan": what stands before a value is said again with it, now and then. */
function saidAgain(pieces: readonly Piece[], at: number, random: Random): string {
  const lead = at && !pieces[at - 1].param ? pieces[at - 1].text : "";
  const [again = ""] = /\b(?:to|from|at|in|on|for|with|by|into|as|until|of) (?:the |my |a )?$/.exec(lead) ?? [];
  return again && random.chance(0.35) ? again : "";
}

/** Says a wrong value first, then the right one. False where no value can be corrected. */
export function correct(request: Request, random: Random): boolean {
  const candidates = request.pieces.filter(
    (piece) => piece.param && !openSlots.has(piece.param.slot) && piece.param.slot !== "flag" && !piece.param.list,
  );
  if (!candidates.length) return false;
  const right = random.pick(candidates);
  const wrong = wrongFor(right, random);
  if (!wrong) return false;
  const at = request.pieces.indexOf(right);
  const again = saidAgain(request.pieces, at, random);
  // A verb that is a value: "open the blinds, I mean close them".
  if (at === 0 && right.param?.slot === "choice" && !endsOpen(request) && random.chance(0.6)) {
    request.pieces[0] = wrong;
    request.pieces.push({ text: regret(random) }, right, { text: random.pick([" it", " it", " them", " that", ""]) });
    return true;
  }
  // A remark at the end would leave open which of two like values it mends.
  const isAlone = !request.pieces.some(
    (piece) => piece !== right && piece.param && alike(piece.param, right.param as Param),
  );
  if (!isAlone || random.chance(0.5) || at === request.pieces.length - 1 || endsOpen(request)) {
    const isLast = at === request.pieces.length - 1;
    request.pieces.splice(at, 0, wrong, { text: regret(random) + again });
    if (isLast) request.pieces.push({ text: random.pick(tails) });
  } else {
    request.pieces.splice(at, 1, wrong);
    request.pieces.push({ text: regret(random, remarks) + again }, right, { text: random.pick(tails) });
  }
  return true;
}

/** Both times, both numbers, or both words. */
const alike = (a: Param, b: Param) => groupOf(a) === groupOf(b);
const groupOf = ({ slot }: Param) => (isTime(slot) ? "time" : typeOfSlot(slot) === "string" ? "words" : "number");

function wrongFor({ text, param }: Piece, random: Random): Piece | null {
  for (let tries = 0; param && tries < 5; tries++) {
    const [, wrong] = withoutDeterminer(param.slot, fill(param, random).text);
    if (!wrong.includes(text) && !text.includes(wrong)) return { text: wrong, param };
  }
  return null;
}

const homophones: Record<string, string[]> = {
  to: ["too", "two"],
  for: ["four", "fore"],
  the: ["da", "a"],
  my: ["mine"],
  weather: ["whether"],
  write: ["right"],
  know: ["no"],
  there: ["their"],
  light: ["lite"],
  lights: ["lites"],
  timer: ["time her", "timor"],
  alarm: ["a larm"],
  call: ["cal"],
  text: ["texts"],
  photo: ["foto"],
  picture: ["pitcher"],
  remind: ["rewind"],
  list: ["lest"],
  heart: ["hart"],
  rate: ["rait"],
  steps: ["step"],
  start: ["star"],
  workout: ["work out"],
  and: ["an"],
  play: ["plate", "pray"],
  song: ["songs"],
  what: ["watt", "wot"],
  hear: ["here"],
  new: ["knew"],
  set: ["said", "sit"],
  send: ["sent"],
  mail: ["male"],
  buy: ["by", "bye"],
  route: ["root"],
  break: ["brake"],
  our: ["are"],
  your: ["you're"],
  message: ["massage"],
  turn: ["torn"],
  battery: ["batteries"],
  read: ["reed"],
  note: ["known"],
  week: ["weak"],
  please: ["pleas"],
  add: ["ad"],
  volume: ["volumes"],
  camera: ["cameras"],
  find: ["fined"],
};

/** Spells the request as a recogniser would: no capitals, no punctuation, numbers in words, words that only sound right. */
export function heard(request: Request, random: Random): void {
  const words = random.chance(0.65);
  const sloppy = random.chance(0.6) ? 0.12 : 0;
  for (const piece of request.pieces) {
    // Numbers to dial and codes are heard digit by digit, and written so.
    const plain = respell(piece.text, words && !["phone", "code"].includes(piece.param?.slot ?? ""));
    piece.text = piece.param
      ? plain.trim()
      : plain
          .split(" ")
          .map((word) => (homophones[word] && random.chance(sloppy) ? random.pick(homophones[word]) : word))
          .filter((word) => !(["the", "a", "my"].includes(word) && random.chance(sloppy)))
          .join(" ");
  }
}

function respell(text: string, words: boolean): string {
  let out = text.toLowerCase().replace(/\s*[\n—]\s*|[“”]/g, " ");
  if (!out.includes("@"))
    out = out
      .replace(/([ap])\.m\.?/g, "$1m")
      .replace(/(\d),(\d)/g, "$1$2")
      .replace(/(?<!\w)[.]|[.](?!\w)/g, "")
      .replace(/[,!?;:"()](?!\d)|(?<!\d)[:+]/g, " ");
  out = out.replaceAll("%", " percent").replaceAll("&", "and").replaceAll("#", "");
  if (words && !out.includes("@")) {
    out = out
      .replace(
        /\b(\d{1,2}):(\d\d)\b/g,
        (_, h: string, m: string) =>
          `${numberWords(Number(h))} ${m === "00" ? "o'clock" : m[0] === "0" ? `oh ${numberWords(Number(m))}` : numberWords(Number(m))}`,
      )
      .replace(/(?<![\w.-])\d{1,4}(?![\w.:-]|\/)/g, (digits) =>
        digits[0] === "0" ? digits : numberWords(Number(digits)),
      );
  }
  return out.replace(/ {2,}/g, " ");
}
