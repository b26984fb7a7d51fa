/** Verbs in other words, and in their other forms: what a tool does, as people ask for it. */
import type { Lexicon } from "../lexicon.ts";

/** Each row: verbs that ask for the same of a tool. A space parts particle from verb; the object follows. */
const rows = `
record, log, note, note down, write down, put down, jot down, track, register, enter, add, mark, save, keep track of, document, take down, capture
report, file, raise, submit, flag, announce, notify about, tell them about, let them know about, open a ticket for, log, escalate, bring up
water, irrigate, sprinkle, hose, hose down, soak, spray, moisten, wet, give water to, drench, wash down
open, open up, unlock, unseal
close, shut, seal, shut off
start, begin, launch, kick off, run, fire up, get going, switch on, turn on, activate, power up
stop, end, halt, cancel, shut down, switch off, turn off, kill, quit, finish
create, make, add, set up, new, put together, build, open, start
delete, remove, erase, get rid of, drop, clear, take off, throw away
update, change, modify, edit, adjust, alter, correct
find, search, look up, look for, locate, get, show me, where is, search for
list, show, display, give me, what are, tell me, let me see
get, fetch, retrieve, show, check, tell me, look up, pull up, give me
set, put, adjust, change, make, configure, switch, bring
send, dispatch, ship, forward, pass on, transmit, deliver, shoot over
order, buy, purchase, get, request, ask for
book, reserve, schedule, arrange, plan, set up, get me
schedule, plan, arrange, book, set up, put down
cancel, call off, drop, scrap, undo
assign, give, allocate, hand, delegate
move, shift, relocate, transfer, bring, carry, put
check, inspect, look at, examine, test, verify, go over, take a look at
measure, gauge, read, take, weigh
clean, wash, scrub, wipe, tidy up
repair, fix, mend, service, patch up
lock, secure, bolt, lock up
unlock, release, undo
pay, settle, transfer, send money to, wire
charge, bill, invoice, debit
rent, hire, lease, borrow
return, give back, bring back, send back, hand back
print, print out, put on paper, make a copy of
share, post, publish, pass around, send around
approve, okay, sign off, accept, confirm, clear
reject, decline, refuse, turn down, deny
remind, nudge, alert, notify, ping
call, phone, ring, dial, give a ring to
play, put on, start, throw on
pause, hold, suspend, freeze
resume, continue, carry on with, go on with
feed, give food to, nourish
heat, warm, warm up, preheat
cool, chill, cool down
fill, refill, top up, fill up, load
empty, drain, clear out, pour out
mix, blend, stir, combine
cook, make, prepare, bake
paint, coat, color
cut, trim, mow, chop, prune
plant, sow, put in
harvest, pick, gather, reap, collect
collect, pick up, gather, fetch, get
weigh, put on the scale, get the weight of
calibrate, tune, adjust, align, zero
translate, say, put, render
convert, turn, change, calculate
calculate, compute, work out, figure out
compare, contrast, weigh up
rate, score, grade, review, give a rating to
enroll, sign up, register, add
invite, ask, have over
join, enter, sign up for, get into
leave, exit, quit, get out of
upload, put up, load up, send up
download, save, pull down, get
back up, save, archive, copy
restore, bring back, recover
sync, synchronize, update
lend, loan, give out, hand out
inject, administer, give, take
monitor, watch, keep an eye on, follow, track
dim, lower, turn down, make darker
raise, lift, turn up, increase, bring up
lower, drop, turn down, decrease, reduce, bring down
rotate, turn, spin, swivel
tag, label, mark, name
dispense, give out, hand out, release
deploy, roll out, release, ship, push
restart, reboot, reset, power cycle`;

const table = rows
  .trim()
  .split("\n")
  .map((row) => row.split(",").map((word) => word.trim()));

/** Whether a word can be a verb at all. */
export function isVerb(word: string, lexicon: Lexicon | null): boolean {
  return table.some((row) => row.includes(word)) || Boolean(lexicon?.verbs.some(({ words }) => words.includes(word)));
}

/** "records" → "record"; nothing for what is no verb. */
export function baseVerb(word: string, lexicon: Lexicon | null): string {
  const base = isVerb(word, lexicon) ? word : word.replace(/(?<=[^s])s$/, "").replace(/(?<=sh|ch|x|z)e$/, "");
  return isVerb(base, lexicon) ? base : "";
}

/** The verb and what else it is called; the verb alone where nobody knows it. */
export function otherVerbs(verb: string, lexicon: Lexicon | null): string[] {
  const own = table.filter((row) => row[0] === verb);
  const near = own.length ? own : table.filter((row) => row.slice(0, 4).includes(verb)).slice(0, 1);
  const lexical = near.length ? [] : (lexicon?.verbs ?? []).filter(({ words }) => words[0] === verb).slice(0, 1);
  const words = [verb, ...near.flat(), ...lexical.flatMap((row) => row.words)];
  return [...new Set(words)].filter((word) => word !== "new" && !/^(where|what)\b/.test(word));
}

const irregular: Record<string, [past: string, participle: string]> = Object.fromEntries(
  `take took taken|give gave given|write wrote written|put put put|set set set|get got got|make made made|run ran run|begin began begun|send sent sent|
  find found found|tell told told|keep kept kept|bring brought brought|buy bought bought|pay paid paid|read read read|shut shut shut|cut cut cut|feed fed fed|
  eat ate eaten|drink drank drunk|see saw seen|do did done|have had had|hold held held|leave left left|let let let|lend lent lent|spray sprayed sprayed|wet wet wet|
  build built built|draw drew drawn|drive drove driven|break broke broken|choose chose chosen|sell sold sold|spend spent spent|speak spoke spoken|throw threw thrown|
  weave wove woven|freeze froze frozen|ride rode ridden|sow sowed sown|show showed shown|sleep slept slept|go went gone|inject injected injected`
    .split("|")
    .map((row) => {
      const [base, past, participle] = row.trim().split(" ");
      return [base, [past, participle]];
    }),
);

const doubles =
  /^(?:stop|plan|jot|log|drop|scrub|flag|chop|trim|cut|put|get|set|run|tag|swap|skip|shut|dim|rub|wrap|ship|submit|permit|begin|spin|snap|pin|zip|scan|nap|tip)$/;

/** A verb's own form in the place of its first word: "note down" → "noted down". */
const first = (verb: string, form: (word: string) => string): string => verb.replace(/^\S+/, form);

export const participle = (verb: string): string => first(verb, (word) => irregular[word]?.[1] ?? regular(word));

export const past = (verb: string): string => first(verb, (word) => irregular[word]?.[0] ?? regular(word));

function regular(word: string): string {
  if (word.endsWith("e")) return `${word}d`;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ied`;
  return doubles.test(word) ? `${word}${word.at(-1)}ed` : `${word}ed`;
}

export const gerund = (verb: string): string =>
  first(verb, (word) => {
    if (/[^e]e$/.test(word) && word.length > 2) return `${word.slice(0, -1)}ing`;
    return doubles.test(word) ? `${word}${word.at(-1)}ing` : `${word}ing`;
  });

/** The past tense of a participle: "taken" → "took". */
export const pastOf = (done: string): string =>
  Object.values(irregular).find(([, participle]) => participle === done)?.[0] ?? done;
