/** A fitted tool → a request for it: who does what, and where each value stands. */
import type { Lexicon } from "../lexicon.ts";
import type { Random } from "../random.ts";
import type { Argument, Piece, Request } from "../request.ts";
import { courtesies } from "../speech.ts";
import { say } from "../template.ts";
import { article, make } from "../values.ts";
import { type Given, type Part, withRest } from "./clauses.ts";
import { drawValue, type Fitted, type FittedParam } from "./fit.ts";
import { turned } from "./turns.ts";
import { gerund, isVerb, participle, past, pastOf } from "./verbs.ts";

/** Share of requests that are a sentence of a tool like it, where there are any. */
const borrowShare = 0.4;

/** Asks for a tool with some of what it takes, all of what it requires. */
export function askFor(fitted: Fitted, random: Random, lexicon: Lexicon | null, held: boolean | null): Request {
  const draw = (one: FittedParam): Given => ({ ...one, value: drawValue(one, random, lexicon, held) });
  const some = (share: number, params: readonly FittedParam[]) =>
    params
      .filter(({ isMinute }) => !isMinute)
      .filter(({ param, role }) => param.required || random.chance(role.kind === "flag" ? 0.2 : share))
      .map(draw);
  const isBorrowed = fitted.sentences.length > 0 && random.chance(borrowShare);
  const parts = isBorrowed
    ? borrowed(fitted, random, draw, (params) => some(0.25, params))
    : sentence(fitted, some(0.55, fitted.params), random, lexicon);
  const args = new Map<Given["param"], Argument>();
  const pieces = parts.map((part): Piece => {
    if (typeof part === "string") return { text: part };
    const piece = { text: part.value.text, param: part.param };
    if (part.param.list && !Array.isArray(part.value.value)) args.set(part.param, { pieces: [piece] });
    else args.set(part.param, { value: part.value.value, piece });
    if (part.minute) args.set(part.minute.param, { value: part.value.minute });
    return piece;
  });
  return { pieces: pieces.filter(({ text }) => text), asks: [{ tool: fitted.tool, args }] };
}

/** A sentence of a tool like this one, with values that this one takes. */
function borrowed(
  { sentences, params }: Fitted,
  random: Random,
  draw: (one: FittedParam) => Given,
  some: (params: FittedParam[]) => Given[],
): Part[] {
  const { phrase, places } = random.pick(sentences);
  const used = new Set<FittedParam>();
  const parts = say(phrase, random).map((said): Part => {
    if (!("slot" in said)) return said.text;
    const own = places.get(said.slot);
    if (!own) return said.meant === undefined ? make(said.slot, random).text : "";
    used.add(own);
    return said.meant === undefined ? draw(own) : { ...own, value: { text: "", value: said.meant } };
  });
  for (const [i, part] of parts.entries()) {
    const next = parts[i + 1];
    // A length has its unit in it.
    if (typeof part !== "string" && part.value.isSpan && typeof next === "string")
      parts[i + 1] = next.replace(/^ (minute|min|second|sec|hour)s?\b/, "");
  }
  return withRest(parts, some(params.filter((one) => !used.has(one))), random);
}

function sentence(fitted: Fitted, given: Given[], random: Random, lexicon: Lexicon | null): Part[] {
  const main = given.find(({ param }) => param === fitted.main?.param);
  const state = given.find(({ role }) => role.kind === "state" && role !== main?.role);
  const quantity = given.find(({ role }) => role.kind === "quantity");
  const used = new Set<Given | undefined>([main]);
  let head: Part[];
  if (main && state && random.chance(0.72)) {
    used.add(state);
    head = stated(fitted, main, state, given, used, random);
  } else {
    const object = main ? objectOf(main, quantity, used, random) : [];
    head = headOf(fitted, main, object, given, used, random, lexicon);
  }
  return withRest(
    head,
    given.filter((one) => !used.has(one)),
    random,
  );
}

/** "the press leaks oil", "report that …", "there is a problem with …". */
function stated(fitted: Fitted, main: Given, state: Given, given: Given[], used: Set<unknown>, random: Random): Part[] {
  const thing: Part[] = [determiner(main, random), main];
  const verb = random.pick(fitted.nounVerbs);
  const noun = random.pick(fitted.nouns.length ? fitted.nouns : ["problem"]);
  const level = given.find(({ role }) => role.kind === "choice");
  const before = (): Part[] => {
    if (!level || !random.chance(0.35)) return [];
    used.add(level);
    return random.pick<Part[]>([
      [level, ": "],
      [level, ", "],
      [level, ` ${noun}: `],
      [level, " problem, "],
    ]);
  };
  const leading = (): Part[] => {
    if (!level || !random.chance(0.35)) return [`${article(noun)} ${noun}`];
    used.add(level);
    return [`${article(level.value.text)} `, level, ` ${noun}`];
  };
  if (state.value.isPredicate && random.chance(0.75)) {
    return random.pick<() => Part[]>([
      () => [...before(), ...thing, " ", state],
      () => [...before(), ...thing, " ", state],
      () => [`${courtesy(random)}${verb} that `, ...thing, " ", state],
      () => [
        random.pick([
          "tell them ",
          "let them know ",
          "say that ",
          "I noticed that ",
          "it looks like ",
          "looks like ",
          "I think ",
          "someone should know that ",
        ]),
        ...thing,
        " ",
        state,
      ],
      () => [
        random.pick([
          "there is something wrong with ",
          "something is wrong with ",
          "there's a problem with ",
          "I have a problem with ",
          "trouble with ",
          "we have an issue with ",
        ]),
        ...thing,
        random.pick([", it ", ": it ", ", ", ". it "]),
        state,
      ],
      () => [
        `${courtesy(random)}${verb} `,
        ...leading(),
        random.pick([" for ", " on ", " with ", " of ", ": "]),
        ...thing,
        random.pick([", it ", " because it ", ": ", ", ", " that "]),
        state,
      ],
      () => [
        random.pick([
          "can somebody look at ",
          "please have a look at ",
          "somebody needs to check ",
          "I need help with ",
          "could you get someone to see ",
          "we need somebody at ",
        ]),
        ...thing,
        random.pick([", it ", " because it ", ", ", " since it "]),
        state,
      ],
      () => [
        ...thing,
        " ",
        state,
        random.pick([
          `, ${verb} it`,
          `, please ${verb} it`,
          ` so ${verb} ${article(noun)} ${noun}`,
          ", can you report that",
        ]),
      ],
    ])();
  }
  const link = random.pick([": ", ", ", " - ", " with "]);
  return random.pick<() => Part[]>([
    () => [...before(), ...thing, random.pick([": ", ", ", " - "]), state],
    () => [
      `${courtesy(random)}${verb} `,
      ...leading(),
      random.pick([" for ", " on ", " with ", " of ", ": "]),
      ...thing,
      link,
      state,
    ],
    () => [`${noun} `, random.pick(["on ", "with ", "at ", "of "]), ...thing, random.pick([": ", ", "]), state],
    () => [`${courtesy(random)}${verb} `, ...thing, random.pick([": ", ", ", " as ", " with ", " for "]), state],
    () => [
      random.pick(["there is ", "there's ", "I see ", "I found ", "we have ", "I noticed "]),
      state,
      random.pick([" on ", " at ", " in ", " with "]),
      ...thing,
    ],
    () => [state, random.pick([" on ", " at ", ", ", " of "]), ...thing],
    () => [
      random.pick(["problem with ", "issue with ", "something is off with ", "bad news about "]),
      ...thing,
      random.pick([": ", ", ", ". "]),
      state,
    ],
  ])();
}

/** The thing that is asked about, with how much of it where that belongs before it. */
function objectOf(main: Given, quantity: Given | undefined, used: Set<unknown>, random: Random): Part[] {
  if (!quantity || !random.chance(0.7)) return [determiner(main, random), main];
  used.add(quantity);
  const bare = !/\s/.test(quantity.value.text) && !/[a-z]$/i.test(quantity.value.text.replace(/^[a-z]+$/i, ""));
  return [quantity, bare ? " " : random.pick([" of ", " of ", " ", " of my ", " of the "]), main];
}

/** A value of an enum in another form: it need not be said as it is written. */
const inForm = (one: Given, form: (verb: string) => string): Given => ({
  ...one,
  value: { ...one.value, text: form(one.value.text) },
});

function determiner({ role, value }: Given, random: Random): string {
  if (role.kind === "person" || role.kind === "code" || role.kind === "text" || /^(the|my|an?|\d)\b/.test(value.text))
    return "";
  return random.pick(["the ", "the ", "the ", "my ", "", "", "our ", "this "]);
}

export const courtesy = (random: Random): string => (random.chance(0.3) ? random.pick(courtesies) : "");

function headOf(
  fitted: Fitted,
  main: Given | undefined,
  object: Part[],
  given: Given[],
  used: Set<unknown>,
  random: Random,
  lexicon: Lexicon | null,
): Part[] {
  const verb = random.pick(fitted.verbs);
  const noun = random.pick(fitted.nouns.length ? fitted.nouns : [main?.label ?? "it"]);
  if (!main) {
    const choice = given.find(({ role }) => role.kind === "choice");
    const nounVerb = random.pick(fitted.nounVerbs);
    const ways: (() => Part[])[] = [
      () => [`${courtesy(random)}${nounVerb} ${random.pick(["the", "a", "my"])} ${noun}`],
      () => [`${courtesy(random)}${verb} ${noun}`],
      () => [`I ${random.pick(["need", "want", "would like"])} to ${verb} ${random.pick(["the ", "a ", ""])}${noun}`],
      () => [`${random.pick(["get ", "have ", "I want "])}the ${noun} ${participle(verb)}`],
      () => [`the ${noun} ${random.pick(["needs to be", "should be", "has to be"])} ${participle(verb)}`],
      () => [noun],
    ];
    // What is chosen may be all that is named: "a bisque firing".
    const chosen = (): Part[] => {
      if (!choice) return [noun];
      used.add(choice);
      const label = random.pick(["", "", ...choice.labels.map((one) => ` ${one}`), ` ${noun}`]);
      return random.pick<() => Part[]>([
        () => [`${courtesy(random)}${nounVerb} ${random.pick(["the ", "a ", ""])}`, choice, label],
        () => [`I ${random.pick(["need", "want", "would like"])} ${random.pick(["the ", "a ", ""])}`, choice, label],
        () => [choice, label],
        () => [`${noun} ${random.pick(["on", "to", "in", "with"])} ${random.pick(["the ", ""])}`, choice, label],
        () => [
          `${courtesy(random)}${random.pick(["set", "put", "switch"])} the ${noun} ${random.pick(["to", "on", "for"])} `,
          choice,
          label,
        ],
        () => [
          `${random.pick(["ready for ", "it is time for ", "time for ", "let's do "])}${random.pick(["the ", "a ", ""])}`,
          choice,
          label,
        ],
      ])();
    };
    return random.pick(choice ? [...ways, chosen, chosen, chosen, chosen] : ways)();
  }
  const level = given.find(
    ({ role, value }) => role.kind === "choice" && isVerb(value.text, lexicon) && !fitted.nouns.includes(value.text),
  );
  if (level && random.chance(0.3)) {
    used.add(level);
    return random.pick<() => Part[]>([
      () => [courtesy(random), level, " ", ...object],
      () => [
        `${courtesy(random)}${random.pick(["run", "start", "use", "put", "do", "turn on"])} ${random.pick(["the ", "a ", ""])}`,
        level,
        random.pick([" on ", " for ", " in ", " at "]),
        ...object,
      ],
      () => [`${courtesy(random)}give `, ...object, random.pick([" some ", " a ", " a bit of "]), level],
      () => [...object, random.pick([" needs ", " could use ", " wants ", ", "]), level],
      () => [random.pick(["start ", "begin ", "go on ", "try ", ""]), inForm(level, gerund), " ", ...object],
      () => [
        `${courtesy(random)}${verb} `,
        ...object,
        random.pick([" with a fine ", " with a light ", " with some ", " with a quick "]),
        level,
      ],
    ])();
  }
  const ways: (() => Part[])[] = [
    () => [`${courtesy(random)}${verb} `, ...object],
    () => [`${courtesy(random)}${verb} `, ...object],
    () => [`${courtesy(random)}${verb} `, ...object],
    () => [
      random.pick([
        "I need to ",
        "I want to ",
        "I have to ",
        "we need to ",
        "let me ",
        "help me ",
        "it is time to ",
        "don't forget to ",
        "remember to ",
      ]),
      `${verb} `,
      ...object,
    ],
    () => [
      random.pick(["get ", "have ", "I want ", "I need ", "I'd like ", "please have ", "can you get "]),
      ...object,
      ` ${participle(verb)}`,
    ],
    () => [
      ...object,
      ` ${random.pick(["needs to be", "should be", "has to be", "must be", "is to be", "wants to be"])} ${participle(verb)}`,
    ],
    () => [random.pick(["start ", "begin ", "go on ", "how about "]), `${gerund(verb)} `, ...object],
    () => [`${courtesy(random)}${random.pick(fitted.nounVerbs)} the ${main.label} `, main],
    () => object,
  ];
  ways.push(...turned(fitted, main, object, given, used, random));
  if (fitted.nouns.length) {
    const nounVerb = random.pick(fitted.nounVerbs);
    const link = random.pick([" of ", " for ", " on ", " of ", ": ", " with ", " to "]);
    const level = given.find(({ role }) => role.kind === "choice");
    ways.push(
      () => [`${courtesy(random)}${nounVerb} ${random.pick(["a", "the", "another", "my"])} ${noun}${link}`, ...object],
      () => [`${courtesy(random)}${nounVerb} ${random.pick(["a", "the", "one"])} ${noun}${link}`, ...object],
      () => [`${noun}${random.pick([": ", " ", ", ", " of ", " for "])}`, ...object],
      () => [
        `${courtesy(random)}${random.pick(["add", "put", "enter", verb])} `,
        ...object,
        ` ${random.pick(["to", "in", "into", "as"])} ${random.pick(["the", "my", "a", "our"])} ${noun}`,
      ],
    );
    if (level)
      ways.push(() => {
        used.add(level);
        return [`${courtesy(random)}${nounVerb} ${article(level.value.text)} `, level, ` ${noun}${link}`, ...object];
      });
  }
  if (fitted.done) {
    const did = pastOf(fitted.done);
    const own = (text: string): string =>
      random.chance(0.5) ? text : random.pick(["just ", "already ", "only "]) + text;
    const doing = (): Part[] => [
      random.pick([
        `I ${own(did)} `,
        `I've ${own(fitted.done as string)} `,
        `I have ${own(fitted.done as string)} `,
        `I ${own("had")} `,
        `I've ${own("had")} `,
        `${did} `,
        `I ${own("used")} `,
        "had ",
        `I ${own("did")} `,
      ]),
      ...object,
    ];
    ways.push(doing, doing, doing, doing, () => [
      random.pick([
        `${verb} that I ${did} `,
        `${verb} that I had `,
        `remember that I ${did} `,
        `can you ${verb} that I have ${fitted.done} `,
        `please ${verb} that I've ${fitted.done} `,
      ]),
      ...object,
    ]);
    ways.push(() => [
      ...object,
      random.pick([
        ` ${fitted.done}`,
        " done",
        ` was ${fitted.done}`,
        ` is ${fitted.done}`,
        ` has been ${fitted.done}`,
      ]),
    ]);
    ways.push(() => [
      `${random.pick(["mark", "note", "log", "put down", "check off"])} `,
      ...object,
      ` as ${fitted.done}`,
    ]);
    ways.push(() => [past(verb) === verb ? `${verb} ` : `${random.pick(["I ", ""])}${past(verb)} `, ...object]);
  }
  return random.pick(ways)();
}
