/** Commands out of what is said: when one is over, whether it was meant, and what words about commands do. */
import { describe, expect, test } from "bun:test";
import type { ToolCall } from "../runtime/answer/toolcall.ts";
import { type Action, type CommandOptions, CommandParser } from "../runtime/glasses.ts";
import type { CallResult } from "../runtime/session.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { readWithFacts } from "../runtime/wear/facts.ts";
import type { Model } from "../runtime/wear/wearable.ts";
import { seeded } from "./support.ts";
import { type Heard, Hearing } from "./wear/hearing.ts";

const tools = [
  { name: "timer", parameters: { duration: { type: "string", required: true }, note: { type: "string" } } },
  { name: "send", risk: "confirm" as const, parameters: { to: { type: "string" }, text: { type: "string" } } },
  { name: "weather", parameters: { place: { type: "string", maxLength: 12 } } },
  { name: "photo", parameters: {} },
  { name: "beacon", parameters: { at: { type: "string", enum: ["here", "home"] } } },
];

/** A call as a model gives it, whose values stand in the request. */
function callOf(request: string, [name, args = {}, confidence = 0.9]: Said): ToolCall {
  const sources = Object.entries(args).map(([key, value]) => {
    const start = request.indexOf(value);
    return [key, { from: "request", start, end: start + value.length, grounded: true }];
  });
  const sureness = { logProb: 0, margin: 9 };
  return {
    ...{ name, arguments: args, confidence, decision: confidence >= 0.8 ? "act" : "confirm" },
    certainty: { name: sureness, call: sureness, runnerUp: null },
    sources: Object.fromEntries(sources),
  } as ToolCall;
}
type Said = [name: string, args?: Record<string, string>, confidence?: number];

/** A model that knows what it is told, and takes durations out of "timer for …". */
function modelOf(knows: Record<string, Said> = {}): Model {
  return {
    call: async (request, _, options) => {
      await Bun.sleep(1);
      options?.signal?.throwIfAborted();
      const timer = /^(?:set a )?timer for (.+)$/.exec(request)?.[1];
      const said = knows[request] ?? (timer ? (["timer", { duration: timer }] satisfies Said) : null);
      const calls = said ? [callOf(request, said)] : [];
      return { calls, decision: calls[0]?.decision ?? "none" } as CallResult;
    },
  };
}

function hearing(knows: Record<string, Said> = {}, options: Partial<CommandOptions> = {}): Hearing {
  return new Hearing(modelOf(knows), { tools, ...options });
}

/** Actions, short: what kind, and values. */
const brief = (actions: Hearing["actions"]) =>
  actions.map((action) =>
    "calls" in action
      ? [action.kind, ...action.calls.flatMap(({ name, arguments: args }) => [name, ...Object.values(args)])].join(" ")
      : action.kind,
  );

const ten: Heard[] = [[0, "Timer for ten minutes.", true]];
const photo: Record<string, Said> = { "take a photo": ["photo"] };

describe("a command is over", () => {
  test("after a final transcript and silence, and what is said before goes on with it, as one text", async () => {
    const heard = hearing();
    expect(
      await heard.play(
        [
          [0, "set a timer"],
          [200, "Set a timer.", true],
        ],
        600,
      ),
    ).toEqual([]);
    const [action] = await heard.play([
      [0, "For ten"],
      [300, "For ten minutes.", true],
    ]);
    expect(brief([action])).toEqual(["call timer ten minutes"]);
    expect(action.kind === "call" && action.text).toBe("Set a timer for ten minutes");
  });

  test("later where its last word or the model asks for more", async () => {
    for (const first of ["Timer for", "Set a timer"]) {
      const heard = hearing({ "set a timer": ["timer", {}, 0.1] });
      expect(
        brief(
          await heard.play([
            [0, first, true],
            [2300, first.endsWith("for") ? "ten" : "for ten", true],
          ]),
        ),
      ).toEqual(["call timer ten"]);
    }
  });

  test("at once when another begins, if it was whole", async () => {
    const heard = hearing(photo);
    expect(brief(await heard.play([...ten, [100, "take"]], 0))).toEqual(["call timer ten minutes"]);
    expect(brief(await heard.play([[0, "Take a photo.", true]]))).toEqual(["call photo"]);
  });

  test("not when another begins and it was unsure; nor sooner than its last word allows, or later for words that come again", async () => {
    const heard = hearing({ "some timer": ["timer", {}, 0.6], "timer for": ["timer", { duration: "for" }] });
    expect(
      await heard.play(
        [
          [0, "Some timer.", true],
          [200, "photo"],
        ],
        0,
      ),
    ).toEqual([]);
    heard.parser.cancel();
    expect(
      await heard.play(
        [
          [0, "", true],
          [0, "Timer for", true],
        ],
        2000,
      ),
    ).toEqual([]);
    heard.parser.cancel();
    expect(
      brief(
        await heard.play(
          [
            [0, "timer for ten"],
            [1000, "timer for ten"],
          ],
          600,
        ),
      ),
    ).toEqual(["call timer ten"]);
  });

  test.each([
    ["something else", ["none"]],
    ["timer for ten", ["call timer ten"]],
  ])("once, though the model takes longer than the waits, and is asked once: %s", async (said, expected) => {
    const actions: Action[] = [];
    let calls = 0;
    const call: Model["call"] = async (...args) => {
      calls++;
      await Bun.sleep(80);
      return modelOf().call(...args);
    };
    const waits = { settle: 1, partial: 10, final: 20, unfinished: 60 };
    const parser = new CommandParser({ model: { call }, tools, waits, onAction: (action) => actions.push(action) });
    parser.attend();
    parser.hear(said);
    await Bun.sleep(20);
    parser.hear(said, true);
    await Bun.sleep(300);
    expect([brief(actions), calls]).toEqual([expected, 1]);
  });

  test("after a longer silence without a final transcript; that one, when it comes, is no second command", async () => {
    const heard = hearing(photo);
    expect(brief(await heard.play([[0, "timer for ten minutes"]], 1400))).toEqual([]);
    expect(brief(await heard.play([], 200))).toEqual(["call timer ten minutes"]);
    expect(
      brief(
        await heard.play([
          [0, "Timer for ten minutes."],
          [100, "Timer for ten minutes.", true],
        ]),
      ),
    ).toEqual([]);
    await heard.play([[0, "timer for ten minutes"]], 1600);
    expect(brief(await heard.play([[0, "timer for ten minutes take a photo", true]]))).toEqual(["call photo"]);
    expect(brief(await heard.play([[0, "timer for ten minutes", true]]))).toEqual(["call timer ten minutes"]);
  });

  test("of a recogniser that begins anew without a final transcript, the next is heard; mended words are no second command", async () => {
    const first: Heard[] = [
      [0, "timer"],
      [100, "timer for ten minutes"],
    ];
    for (const [next, expected] of [
      [
        [
          [0, "take"],
          [100, "take a photo"],
        ],
        ["call photo"],
      ],
      [[[0, "take a photo"]], ["call photo"]],
      [
        [
          [0, "take a photo now please ok"],
          [100, "take a photo", true],
        ],
        ["call photo"],
      ],
      // The very words, but growing anew.
      [
        [
          [0, "timer"],
          [100, "timer for five minutes"],
        ],
        ["call timer five minutes"],
      ],
      [
        [
          [0, ""],
          [50, "timer for ten minutes"],
        ],
        [],
      ],
      [[[0, "uh timer for ten minutes"]], []],
      [
        [
          [0, "timer for two minutes"],
          [50, "Timer for ten minutes.", true],
        ],
        [],
      ],
      [[[0, "timer ten minutes", true]], []],
      [[[0, "timer for ten minutes take a photo"]], ["call photo"]],
    ] as [Heard[], string[]][]) {
      const heard = hearing(photo);
      expect(brief(await heard.play(first, 1600))).toEqual(["call timer ten minutes"]);
      expect([next, brief(await heard.play(next, 1600))]).toEqual([next, expected]);
    }
    const woken = hearing(photo, { wake: "hey thimble" });
    expect(brief(await woken.play([[0, "hey thimble timer for ten minutes"]], 1600))).toEqual([
      "call timer ten minutes",
    ]);
    await woken.play([[0, "take a photo"]], 1600);
    expect(brief(await woken.play([[0, "it was hey thimble take a photo"]], 1600))).toEqual(["call photo"]);
  });

  test("with chatter before it, by itself where that is surer", async () => {
    const heard = hearing({ "it was fun take a photo": ["photo", {}, 0.6], ...photo });
    const actions = await heard.play([
      [0, "It was fun.", true],
      [500, "Take a photo.", true],
    ]);
    expect(actions.map((action) => action.kind === "call" && action.text)).toEqual(["Take a photo"]);
  });

  test("but never by itself what an unfinished one waited for", async () => {
    const heard = hearing({ "timer for photo": ["timer", { duration: "photo" }, 0.85], photo: ["photo", {}, 0.95] });
    expect(
      brief(
        await heard.play([
          [0, "Timer for", true],
          [1000, "photo", true],
        ]),
      ),
    ).toEqual(["call timer photo"]);
  });
});

describe("reading", () => {
  test("what changed is read, once: not the same words in capitals, with marks, or again", async () => {
    const heard = hearing();
    await heard.play([
      [0, "timer for ten"],
      [300, "Timer for ten"],
      [600, "Timer, for ten."],
      [900, "timer for ten", true],
    ]);
    expect(heard.read).toEqual(["timer for ten"]);
    await heard.play([[0, "um timer for uh ten", true]]);
    expect(heard.read).toEqual(["timer for ten"]);
    // What was read is kept for a while, not for ever.
    for (let i = 0; i < 20; i++) await heard.play([[0, `timer for ${i}`, true]]);
    await heard.play([[0, "timer for ten", true]]);
    expect(heard.read.filter((text) => text === "timer for ten").length).toBe(2);
  });

  test("words that are overtaken within a moment are not read, and a reading that is overtaken is aborted", async () => {
    const heard = hearing();
    await heard.play(
      [
        [0, "timer"],
        [50, "timer for"],
        [100, "timer for ten"],
      ],
      10_000,
    );
    expect(heard.read).toEqual(["timer for ten"]);

    let aborted = 0;
    const never: Model = {
      call: (_, __, options) => {
        const { signal } = options as { signal: AbortSignal };
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => {
            aborted++;
            reject(signal.reason);
          }),
        );
      },
    };
    const actions: unknown[] = [];
    const parser = new CommandParser({
      model: never,
      tools,
      onAction: (action) => actions.push(action),
      waits: { settle: 1 },
    });
    parser.hear("timer");
    await Bun.sleep(20);
    parser.hear("timer for");
    await Bun.sleep(20);
    expect(aborted).toBe(1);
    parser.cancel();
    await Bun.sleep(5);
    expect([aborted, actions]).toEqual([2, []]);
  });

  test("values are spelled as the last transcript spells them, and sources are places in the text of the action", async () => {
    const heard = hearing({ "text anna i'm late really": ["send", { to: "anna", text: "i'm late really" }] });
    const [action] = await heard.play([
      [0, "text anna i'm late, really"],
      [400, "Text Anna: I’m late, really!", true],
    ]);
    if (action.kind !== "call") throw new Error(action.kind);
    expect(action.calls[0].arguments).toEqual({ to: "Anna", text: "I’m late, really" });
    const { to, text } = action.calls[0].sources;
    expect([to, text].map(({ start, end }) => action.text.slice(start, end))).toEqual(["Anna", "I’m late, really"]);
  });

  test("an enum's value stays as the tool lists it, however the transcript spells it", async () => {
    const heard = hearing({ "beacon at home": ["beacon", { at: "home" }] });
    const [action] = await heard.play([[0, "Beacon at HOME.", true]]);
    if (action.kind !== "call") throw new Error(action.kind);
    expect(action.calls[0].arguments).toEqual({ at: "home" });
    expect(action.text.slice(action.calls[0].sources.at.start, action.calls[0].sources.at.end)).toBe("HOME");
  });

  test("a number that does not fit is named where the transcript says it", async () => {
    const call = async (request: string) => {
      const start = request.indexOf("500");
      const unfit = { said: 500, expected: "at most 120", start, end: start + 3 };
      const one = {
        ...callOf(request, ["timer", {}]),
        sources: { duration: { from: "nowhere", grounded: false, unfit } },
      };
      return { calls: [one], decision: "act" } as unknown as CallResult;
    };
    const heard = new Hearing({ call }, { tools });
    const [action] = await heard.play([[0, "Set a timer, um,  for 500 minutes!", true]]);
    if (action.kind !== "call") throw new Error(action.kind);
    const { start, end } = action.calls[0].sources.duration.unfit as { start: number; end: number };
    expect(action.text.slice(start, end)).toBe("500");
  });

  test("a model that throws gives an error, and the next command is read", async () => {
    let calls = 0;
    const inner = modelOf();
    const heard = new Hearing(
      {
        call: async (...args) => {
          if (!calls++) throw new Error("model: out of memory");
          return inner.call(...args);
        },
      },
      { tools },
    );
    const [failed] = await heard.play(ten);
    expect(failed.kind === "error" && failed.error.message).toBe("model: out of memory");
    expect(brief(await heard.play(ten))).toEqual(["call timer ten minutes"]);
  });
});

describe("what is not for it", () => {
  test("with a wake phrase only what follows it is read, wherever in the utterance it stands", async () => {
    const heard = hearing(photo, { wake: ["hey thimble", "glasses"] });
    expect(brief(await heard.play(ten))).toEqual([]);
    expect(heard.read).toEqual([]);
    expect(
      brief(
        await heard.play([
          [0, "so"],
          [200, "so hey"],
          [500, "so Hey, Thimble! Take a photo"],
        ]),
      ),
    ).toEqual(["call photo"]);
    expect(
      brief(
        await heard.play([
          [0, "", true],
          [0, "Glasses, timer for ten", true],
        ]),
      ),
    ).toEqual(["call timer ten"]);
    expect(heard.read.filter((text) => text.includes("so"))).toEqual([]);
  });

  test("a wake phrase is written as one likes, but has words", async () => {
    const heard = hearing(photo, { wake: "Hey, Thimble!" });
    expect(brief(await heard.play([[0, "so hey thimble take a photo", true]]))).toEqual(["call photo"]);
    for (const wake of ["", [" "], ["ok", "…"]]) expect(() => hearing(photo, { wake })).toThrow("wake: expected words");
  });

  test("words without end take no time", async () => {
    const heard = hearing(photo);
    const began = performance.now();
    const dots = `a${"!".repeat(300_000)}a`;
    expect(brief(await heard.play([[0, dots, true]]))).toEqual([]);
    expect(brief(await heard.play([[0, "take a photo", true]]))).toEqual(["call photo"]);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  test("the wake phrase begins anew, and words that a command was made of do not come again with it", async () => {
    const heard = hearing({ "show me timer for ten": ["photo", {}, 0.95], ten: ["photo"] }, { wake: "hey thimble" });
    expect(
      brief(
        await heard.play([
          [0, "Hey Thimble show me", true],
          [500, "Hey Thimble timer for ten", true],
        ]),
      ),
    ).toEqual(["call timer ten"]);
    await heard.play([[0, "hey thimble timer for ten"]], 1600);
    heard.parser.attend();
    expect(await heard.play([[0, "Hey Thimble timer for ten", true]])).toEqual([]);
  });

  test("attention lasts while a command goes on; no slip is for it before there was a call", async () => {
    const heard = hearing({ "i meant take a photo": ["photo"] }, { wake: "hey thimble" });
    const words = "timer for one two three four five six seven".split(" ");
    const slow = words.map((_, i): Heard => [1400 * i, words.slice(0, i + 1).join(" ")]);
    await heard.play([[0, "Hey Thimble.", true]], 500);
    expect(brief(await heard.play(slow))).toEqual(["call timer one two three four five six seven"]);
    const before = heard.read.length;
    expect(
      await heard.play([
        [0, "", true],
        [0, "I meant take a photo.", true],
      ]),
    ).toEqual([]);
    expect(heard.read.length).toBe(before);
  });

  test("the wake phrase alone opens attention for ten seconds, and each command closes it", async () => {
    const heard = hearing(photo, { wake: "hey thimble" });
    expect(
      brief(
        await heard.play([
          [0, "Hey Thimble.", true],
          [8000, "take a photo", true],
          [12_000, "take a photo", true],
        ]),
      ),
    ).toEqual(["call photo"]);
    expect(
      brief(
        await heard.play([
          [0, "Hey Thimble.", true],
          [10_500, "take a photo", true],
        ]),
      ),
    ).toEqual([]);
  });

  test("without one, what the model is unsure of is nothing; to someone who pressed a button it is a question, and nothing is said to be", async () => {
    const heard = hearing({ "something with a timer": ["timer", { duration: "timer" }, 0.4] });
    const unsure: Heard[] = [[0, "Something with a timer.", true]];
    expect(brief(await heard.play(unsure))).toEqual([]);
    heard.parser.attend();
    expect(brief(await heard.play(unsure))).toEqual(["ask timer timer", "drop"]);
    heard.parser.attend();
    expect(brief(await heard.play([[0, "What a nice day.", true]]))).toEqual(["none"]);
    expect(brief(await heard.play([[0, "What a nice day.", true]]))).toEqual([]);
  });

  test("murmurs and more than 400 characters go to no model, and what was heard is bounded", async () => {
    const heard = hearing(photo);
    await heard.play([
      [0, "Okay, yeah.", true],
      [3000, "Haha.", true],
    ]);
    const murmured = heard.read.length;
    heard.parser.hear(`timer for ${"ten ".repeat(1 << 18)}`, true);
    expect(await heard.play([])).toEqual([]);
    heard.parser.attend();
    heard.parser.hear("timer for ten ".repeat(50), true);
    expect(brief(await heard.play([]))).toEqual(["none"]);
    const words = Array.from({ length: 300 }, (_, i) => [10 * i, `words that go on ${i}`, true] as Heard);
    words.push([3100, "Take a photo.", true]);
    expect(brief(await heard.play(words))).toEqual(["call photo"]);
    expect(Math.max(...heard.read.map(({ length }) => length))).toBeLessThanOrEqual(400);
    expect(murmured).toBe(0);
    expect(() => heard.parser.hear(undefined as unknown as string)).toThrow(
      "transcript: expected text, got nothing; pass what the recogniser wrote",
    );
  });
});

const risky: Record<string, Said> = {
  "text anna hello": ["send", { to: "anna", text: "hello" }, 0.7],
  "text hanna hello": ["send", { to: "hanna", text: "hello" }, 0.7],
  ...photo,
};
const textAnna: Heard[] = [[0, "Text Anna hello.", true]];

describe("words about commands go to no model", () => {
  test.each([
    ["Yes, please.", ["ask send Anna hello", "call send Anna hello"]],
    ["Go ahead!", ["ask send Anna hello", "call send Anna hello"]],
    ["no", ["ask send Anna hello", "drop"]],
    ["Stop.", ["ask send Anna hello", "drop"]],
    ["Never mind.", ["ask send Anna hello", "drop"]],
    ["No, leave it be.", ["ask send Anna hello", "drop"]],
    ["No, wait, leave it be.", ["ask send Anna hello", "drop", "none"]],
    ["Take a photo.", ["ask send Anna hello", "drop", "call photo"]],
    ["No, I meant Hanna.", ["ask send Anna hello", "drop", "ask send Hanna hello", "drop"]],
    ["What a nice day.", ["ask send Anna hello", "drop"]],
  ])("a question is answered with %p", async (answer, actions) => {
    const heard = hearing(risky);
    const isChat = answer.startsWith("What");
    expect(brief(await heard.play([...textAnna, [4000, answer, true]], isChat ? 4000 : 20_000))).toEqual(
      isChat ? actions.slice(0, 1) : actions,
    );
    await heard.play([]);
    expect(brief(heard.actions)).toEqual(actions);
  });

  test("but stop is a tool's where nothing is asked", async () => {
    const heard = hearing({ stop: ["photo"] });
    expect(brief(await heard.play([[0, "Stop!", true]]))).toEqual(["call photo"]);
  });

  test("by hand as well; unanswered it is dropped after ten seconds", async () => {
    const heard = hearing(risky);
    await heard.play(textAnna, 3000);
    heard.parser.answer(true);
    await heard.play(textAnna, 3000);
    heard.parser.answer(false);
    heard.parser.answer(true);
    await heard.play(textAnna, 12_000);
    expect(brief(heard.actions)).toEqual([
      ...["ask send Anna hello", "call send Anna hello"],
      ...["ask send Anna hello", "drop"],
      ...["ask send Anna hello", "drop"],
    ]);
  });

  test("undo gives the calls to take back, once; again makes them again, and asks again where it asked", async () => {
    const heard = hearing(risky);
    expect(
      brief(
        await heard.play([
          [0, "Undo.", true],
          [3000, "Again.", true],
        ]),
      ),
    ).toEqual([]);
    expect(
      brief(
        await heard.play([...ten, [3000, "Do that again.", true], [6000, "Undo that.", true], [9000, "Undo.", true]]),
      ),
    ).toEqual([...["call timer ten minutes", "call timer ten minutes", "undo timer ten minutes"]]);
    expect(
      brief(await heard.play([...textAnna, [3000, "Yes.", true], [6000, "Once more.", true], [9000, "Yes.", true]])),
    ).toEqual([...["ask send Anna hello", "call send Anna hello", "ask send Anna hello", "call send Anna hello"]]);
    expect(brief(await heard.play([...ten, [12_000, "Undo.", true]]))).toEqual(["call timer ten minutes"]);
    expect(heard.read.filter((text) => /undo|again|more|yes/.test(text))).toEqual([]);
  });

  test("no, I meant: the part that was a slip is put in its place, and the calls say instead of which they are", async () => {
    const heard = hearing({ "twenty minutes": ["timer", { duration: "twenty minutes" }] });
    const [first, second] = await heard.play([...ten, [3000, "No, I meant twenty minutes.", true]]);
    expect(brief([first, second])).toEqual(["call timer ten minutes", "call timer twenty minutes"]);
    expect(second.kind === "call" && second.instead).toEqual(first.kind === "call" ? first.calls : []);
    expect(second.kind === "call" && second.text).toBe("Timer for twenty minutes");
    expect(await heard.play([[0, "I meant five minutes.", true]])).toEqual([]);
  });

  test("no, I meant, with a word that stands before the slip already", async () => {
    const heard = hearing({
      "weather in oslo": ["weather", { place: "oslo" }],
      "weather in bergen": ["weather", { place: "bergen" }],
    });
    const [, second] = await heard.play([
      [0, "Weather in Oslo.", true],
      [3000, "No, I meant in Bergen.", true],
    ]);
    expect(brief([second])).toEqual(["call weather Bergen"]);
  });

  test("no, I meant, with another whole command", async () => {
    const heard = hearing({ ...photo, "timer for take a photo": ["timer", { duration: "take a photo" }, 0.5] });
    const [, second] = await heard.play([...ten, [3000, "no i meant take a photo", true]]);
    expect(brief([second])).toEqual(["call photo"]);
  });

  test("a slip within the command is mended before anything is done", async () => {
    const knows: Record<string, Said> = {
      "timer for ten no wait twenty minutes": ["timer", { duration: "ten no" }, 0.3],
    };
    const heard = hearing(knows);
    expect(brief(await heard.play([[0, "Timer for ten. No, wait, twenty minutes.", true]]))).toEqual([
      "call timer twenty minutes",
    ]);
    const meant = hearing({ "text anna i mean it": ["send", { to: "anna", text: "i mean it" }] });
    expect(brief(await meant.play([[0, "Text Anna I mean it.", true]]))).toEqual(["call send Anna I mean it"]);
  });

  test("a command that is taken back is none; cancel() takes back what was heard and asked", async () => {
    const heard = hearing(risky);
    expect(await heard.play([[0, "Timer for ten minutes. Never mind.", true]])).toEqual([]);
    expect(await heard.play([...ten, [300, "No, never mind.", true]])).toEqual([]);
    await heard.play(ten, 100);
    heard.parser.cancel();
    expect(await heard.play([])).toEqual([]);
    await heard.play(textAnna, 3000);
    heard.parser.cancel();
    expect(brief(await heard.play([[0, "Yes.", true]]))).toEqual([]);
    expect(brief(heard.actions)).toEqual(["ask send Anna hello", "drop"]);
    await heard.play(ten, 3000);
    heard.parser.cancel();
    expect(await heard.play([[0, "Undo.", true]])).toEqual([]);
  });

  test("with a wake phrase they need none after a call or question, and chatter then is still none", async () => {
    const heard = hearing(risky, { wake: "hey thimble" });
    const woken: Heard[] = [[0, "Hey Thimble, text Anna hello.", true]];
    expect(
      brief(
        await heard.play([
          ...woken,
          [3000, "timer for ten", true],
          [5000, "Yes.", true],
          [8000, "take a photo", true],
          [10_000, "undo", true],
        ]),
      ),
    ).toEqual([...["ask send Anna hello", "call send Anna hello", "undo send Anna hello"]]);
  });
});

describe("facts", () => {
  const knows: Record<string, Said> = {
    "text her i'm here": ["send", { to: "her", text: "i'm here" }],
    "weather here": ["weather"],
    "beacon here": ["beacon", { at: "here" }],
    "weather in oslo": ["weather", { place: "oslo" }],
    "weather in take a photo": ["photo"],
    "weather at this place": ["weather", { place: "this place" }],
    "weather in nowhere": ["weather", {}, 0.4],
    "timer here for ten": ["timer", { duration: "ten" }],
    "timer in oslo for ten": ["timer", { duration: "ten", note: "oslo" }],
    "call it here": ["timer", { duration: "call it" }],
    "call it in oslo": ["timer", { duration: "oslo", note: "call it" }],
  };
  const callsOf = async (heard: Hearing, text: string) => {
    const [action] = await heard.play([[0, text, true]]);
    return action?.kind === "call" ? action.calls : [];
  };

  test("fill values that are nothing but a pointer, and sources say so; the speaker's own words stay", async () => {
    const heard = hearing(knows);
    heard.parser.tell({ contact: "Ingrid", here: "Oslo" });
    const [{ arguments: args, sources }] = await callsOf(heard, "Text her I'm here.");
    expect(args).toEqual({ to: "Ingrid", text: "I'm here" });
    expect(sources.to).toEqual({ from: "state", fact: "contact", start: 5, end: 8, grounded: true });
    expect(sources.text.from).toBe("request");
    // What a value holds already is not read again.
    expect(heard.read).toEqual(["text her i'm here"]);
    heard.parser.tell({ contact: null });
    expect((await callsOf(heard, "Text her I'm here."))[0].arguments.to).toBe("her");
  });

  test("are read where the request points and no value does", async () => {
    const heard = hearing(knows);
    heard.parser.tell({ here: "oslo" });
    const [{ arguments: args, sources }] = await callsOf(heard, "Weather here.");
    expect(args).toEqual({ place: "oslo" });
    expect(sources.place).toEqual({ from: "state", fact: "here", start: 8, end: 12, grounded: true });
    const [timer] = await callsOf(heard, "Timer here for ten.");
    expect(timer.sources).toMatchObject({
      duration: { start: 15, end: 18 },
      note: { fact: "here", start: 6, end: 10 },
    });
    heard.parser.tell({ here: "nowhere" });
    expect(await callsOf(heard, "Weather here.")).toMatchObject([{ name: "weather", arguments: {} }]);
  });

  test("how sure a call is, is asked of the fact and not of the word that points at it", async () => {
    const weather = { name: "weather", description: "Weather.", parameters: { place: { type: "string" as const } } };
    const read = async (text: string) => {
      const place = text.split(" ").at(-1) as string;
      const source = { from: "request" as const, start: text.length - place.length, end: text.length, grounded: true };
      const call = { name: "weather", arguments: { place }, sources: { place: source } } as unknown as ToolCall;
      return { calls: [call], decision: place === "here" ? ("confirm" as const) : ("act" as const) };
    };
    const ask = async (facts: [string, string][]) =>
      readWithFacts("weather here", read, ToolSet.from([weather]), new Map(facts));
    const { calls, decision } = await ask([["here", "Oslo"]]);
    expect([calls[0].arguments, decision]).toEqual([{ place: "Oslo" }, "act"]);
    expect(calls[0].sources.place).toEqual({ from: "state", fact: "here", start: 8, end: 12, grounded: true });
    expect((await ask([])).decision).toBe("confirm");
  });

  test("that say nothing are none, whatever their names; what is neither text nor a number is refused", async () => {
    const heard = hearing(knows);
    for (const here of ["", " ", Number.NaN, undefined as unknown as null]) {
      heard.parser.tell({ here: "oslo", constructor: "x", ["__proto__"]: "y" });
      heard.parser.tell({ here });
      expect(await callsOf(heard, "Weather here.")).toMatchObject([{ name: "weather", arguments: {} }]);
    }
    expect(() => heard.parser.tell({ here: { lat: 1 } as unknown as string })).toThrow("text or a number for here");
  });

  test("change no tool, no other value, and nothing that they do not fit", async () => {
    const heard = hearing(knows);
    heard.parser.tell({ here: "take a photo" });
    expect(await callsOf(heard, "Weather here.")).toMatchObject([{ name: "weather", arguments: {} }]);
    heard.parser.tell({ here: "oslo" });
    expect(await callsOf(heard, "call it here")).toMatchObject([{ name: "timer", arguments: { duration: "call it" } }]);
    heard.parser.tell({ here: "a place with a long name" });
    expect(await callsOf(heard, "weather at this place")).toMatchObject([{ arguments: { place: "this place" } }]);
    heard.parser.tell({ here: "oslo" });
    expect(await callsOf(heard, "beacon here")).toMatchObject([{ arguments: { at: "here" } }]);
    expect((await callsOf(heard, "timer for her sister"))[0].arguments).toEqual({ duration: "her sister" });
  });
});

test("over 500 random transcripts nothing throws, nothing is called that was not said, and nothing follows a cancel", async () => {
  const words =
    "timer for ten no i meant yes undo again take a photo hey thimble um okay Photo. never mind text anna hello".split(
      " ",
    );
  for (let seed = 0; seed < 500; seed++) {
    const random = seeded(seed);
    const pick = () => words[Math.floor(random() * words.length)];
    const isWoken = random() < 0.5;
    const heard = new Hearing(modelOf(risky), { tools, ...(isWoken && { wake: "hey thimble" }) });
    let said = "";
    let text = "";
    const script: Heard[] = [];
    for (let i = 0, ms = 0; i < 12; i++) {
      text = random() < 0.8 ? `${text} ${pick()}`.trim() : pick();
      said += ` ${text}`;
      ms += random() < 0.2 ? 4000 * random() : 300 * random();
      const isFinal = random() < 0.3;
      script.push([ms, text, isFinal]);
      if (isFinal) text = "";
    }
    await heard.play(script, random() < 0.5 ? 300 : 20_000);
    heard.parser.cancel();
    const count = heard.actions.length;
    expect((await heard.play([])).length + count).toBe(heard.actions.length);
    expect(heard.actions.slice(count)).toEqual([]);
    if (isWoken && !/hey thimble/.test(said)) expect(heard.actions).toEqual([]);
    for (const action of heard.actions) {
      expect(action.kind).not.toBe("error");
      if ("calls" in action)
        for (const { arguments: args } of action.calls)
          for (const value of Object.values(args))
            for (const word of String(value).split(" "))
              expect(said.toLowerCase()).toContain(word.toLowerCase().replace(/\W/g, ""));
    }
  }
}, 120_000);
