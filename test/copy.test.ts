import { expect, test } from "bun:test";
import { Rules, type Stand } from "../runtime/answer/rules.ts";
import { Grammar } from "../runtime/grammar/grammar.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { TokenTrie } from "../runtime/text/trie.ts";
import { load } from "../runtime/thimble.ts";
import { type ToolInput, ToolSet } from "../runtime/tools/tools.ts";
import { sessionWith } from "../tools/bench/replay.ts";
import { oddGeometry, packOf, randomCheckpoint, seeded, somePieces, talkative } from "./support.ts";

const tokenizer = new Tokenizer(await somePieces(4096));
const trie = new TokenTrie(tokenizer);

const tools: ToolInput[] = [
  { name: "say", parameters: { text: { type: "string", required: true }, to: { type: "string" } } },
  {
    name: "list",
    inputSchema: { type: "object", properties: { items: { type: "array", items: { type: "string" } } } },
  },
];
const requests = [
  "wake me at 7:15 tomorrow",
  'text anna "I\'m late" \\o/ and   say\n"hi"',
  "réveille Zoë à 7h, d'accord?",
  "打电话给妈妈 now 👩‍👩‍👧 ok",
  "x",
];

/** What may follow, by the mask; the same as by following every token's bytes. */
function allowed(rules: Rules, stand: Stand): number[] {
  const { bits, count } = rules.mask(stand);
  const ids = tokenizer.pieces.flatMap((_, id) => ((bits[id >> 5] >>> (id & 31)) & 1 ? [id] : []));
  expect(ids.length).toBe(count);
  expect(ids.every((id) => rules.grammar.advance(stand.state, id) !== null)).toBe(true);
  return ids;
}

/** Whether a value is a run of whole words, by a regular expression. */
function isRun(value: string, request: string): boolean {
  const text = value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const word = "[\\p{L}\\p{N}--[\\p{sc=Han}\\p{sc=Thai}]]";
  const [before, after] = [`(?:(?<!${word})|(?!${word}))`, `(?:(?!${word})|(?<!${word}))`];
  const whole = new RegExp(before + text + after, "v");
  return value.trim() === value && value !== "" && whole.test(request.replace(/ +/g, " "));
}

/** Whether a value may stand whole in a call for a request. */
function takes(grammar: Grammar, request: string, value: string): boolean {
  const bytes = new TextEncoder().encode(` [{"name":"say","arguments":{"text":"${value}"`);
  return bytes.reduce<Stand | null>((at, byte) => at?.step(byte) ?? null, new Rules(grammar, request).start) !== null;
}

test("the mark of a request that asks by its form is no value's, that of another may be", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  const ends = (request: string, written: string) => takes(grammar, request, written);
  for (const before of ["Could you", "please can I", "hey, Would you", "ok will we"]) {
    expect([before, ends(`${before} say we are late?`, "we are late?")]).toEqual([before, false]);
    expect([before, ends(`${before} say we are late?`, "we are late")]).toEqual([before, true]);
    expect([before, ends(`${before} say how? and we are late`, "how?")]).toEqual([before, true]);
  }
  for (const before of ["say", "you could", "could it", "couldn't you"])
    expect([before, ends(`${before} are we late?`, "are we late?")]).toEqual([before, true]);
});

test("no value begins or ends within a number", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  const request = "6:40 pay 3,000 at 7:15, 1/2 of 2.5 to B5-7 on 12. rooms 1,2,30 on 10.0.0.1:8080, 2 3/4 and 5,";
  for (const value of [
    "6:40",
    "3,000",
    "7:15",
    "7:15, 1/2",
    "2.5",
    "B5",
    "7",
    "12",
    "1",
    "30",
    "10.0.0.1",
    "8080",
    "2 3/4",
    "5",
  ])
    expect([value, takes(grammar, request, value)]).toEqual([value, true]);
  for (const value of [
    "6",
    "3",
    "pay 3,",
    "000",
    ",000",
    "7:",
    "15",
    "1/",
    "2 of",
    "5 to",
    "2.",
    "10.0",
    "0.1:8080",
    "3/4",
    "2 3",
  ])
    expect([value, takes(grammar, request, value)]).toEqual([value, false]);
});

test("whatever tokens are picked, a free string is a run of whole words of the request", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  const random = seeded(1);
  let [strings, ended] = [0, 0];
  for (let run = 0; run < 300; run++) {
    const request = requests[run % requests.length];
    const rules = new Rules(grammar, request);
    let stand = rules.start;
    const ids: number[] = [];
    while (!stand.atEnd && ids.length < 300) {
      const among = allowed(rules, stand);
      expect(among.length).toBeGreaterThan(0);
      const id = among[Math.floor(random() * among.length)];
      stand = rules.advance(stand, id) as Stand;
      ids.push(id);
    }
    if (!stand.atEnd) continue;
    ended++;
    const bytes = Uint8Array.from(ids.flatMap((id) => [...tokenizer.bytesOf(id)]));
    const calls: { arguments: Record<string, string | string[]> }[] = JSON.parse(new TextDecoder().decode(bytes));
    const values = calls.flatMap(({ arguments: args }) =>
      [args.text, args.to, args.items].flat().filter((value) => value !== undefined),
    );
    strings += values.length;
    for (const value of values) if (!isRun(value, request)) throw new Error(`${JSON.stringify(value)} in ${request}`);
  }
  expect(ended).toBeGreaterThan(250);
  expect(strings).toBeGreaterThan(300);
});

test("every run of whole words can be written, in the tokenizer's own form", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  for (const request of requests) {
    const rules = new Rules(grammar, request);
    const words = request.replace(/ +/g, " ").split(" ");
    for (let from = 0; from < words.length; from++) {
      for (let to = from + 1; to <= words.length; to++) {
        const value = words.slice(from, to).join(" ");
        const text = ` [{"name":"say","arguments":{"text":${JSON.stringify(value)}}}]`;
        let stand = rules.start;
        for (const id of tokenizer.tokenizeRaw(text)) {
          const { bits } = rules.mask(stand);
          if (!((bits[id >> 5] >>> (id & 31)) & 1))
            throw new Error(`${JSON.stringify(value)}: ${tokenizer.pieces[id]}`);
          stand = rules.advance(stand, id) as Stand;
        }
        expect(stand.atEnd).toBe(true);
      }
    }
  }
});

test("enums, numbers and strings of a length that no run of words has are the grammar's alone", () => {
  const limited: ToolInput[] = [
    {
      name: "f",
      inputSchema: {
        type: "object",
        properties: {
          mode: { enum: ["eco", "turbo"] },
          level: { type: "integer" },
          code: { type: "string", maxLength: 1 },
          long: { type: "string", minLength: 6 },
        },
      },
    },
  ];
  const rules = new Rules(new Grammar(ToolSet.from(limited), trie), "do it");
  let stand = rules.start;
  for (const id of tokenizer.tokenizeRaw(
    ' [{"name":"f","arguments":{"mode":"turbo","level":7,"code":"a","long":"zebras"}}]',
  )) {
    expect(rules.mask(stand)).toEqual(rules.grammar.mask(stand.state));
    stand = rules.advance(stand, id) as Stand;
  }
  expect(stand.atEnd).toBe(true);
});

/** One tool with one string. */
const oneString = (schema: object) =>
  new Grammar(
    ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { s: schema }, required: ["s"] } }]),
    trie,
  );
const f = (s: unknown) => `{"name":"f","arguments":${JSON.stringify({ s })}}`;

test("a string whose length is limited is a run of words of such a length, counted in code points", () => {
  const request = "open https://example.org/a?x=1&y=2 👍👍 now";
  const may1 = (schema: object, value: string) => may(request, oneString({ type: "string", ...schema }), f(value));
  for (const schema of [{}, { minLength: 1 }, { maxLength: 200 }, { minLength: 8, maxLength: 40 }]) {
    expect(may1(schema, "https://example.org/a?x=1&y=2")).toBe(true);
    expect(may1(schema, "https://example.org/a?x=2")).toBe(false);
  }
  expect(may1({ maxLength: 4 }, "open")).toBe(true);
  expect(may1({ maxLength: 3 }, "open")).toBe(false);
  expect(may1({ maxLength: 3 }, "ope")).toBe(false);
  expect(may1({ maxLength: 3 }, "now")).toBe(true);
  expect(may1({ minLength: 4 }, "now")).toBe(false);
  expect(may1({ minLength: 4, maxLength: 6 }, "👍👍 now")).toBe(true);
  expect(may1({ minLength: 2, maxLength: 2 }, "👍👍")).toBe(true);
  expect(may1({ minLength: 3, maxLength: 3 }, "👍👍")).toBe(false);
});

test("beside an enum a string is copied or one of it, and beside a string of other limits either", () => {
  const beside = oneString({ anyOf: [{ enum: ["auto", "on time"] }, { type: "string" }] });
  const request = "say on the hour";
  for (const value of ["auto", "on time", "on the hour", "hour"]) expect(may(request, beside, f(value))).toBe(true);
  for (const value of ["aut", "on tim", "zebra", "on time hour", "auto hour"])
    expect(may(request, beside, f(value))).toBe(false);
  const two = oneString({
    anyOf: [
      { type: "string", maxLength: 3 },
      { type: "string", minLength: 8 },
    ],
  });
  for (const value of ["say", "the hour", "say on the"]) expect(may(request, two, f(value))).toBe(true);
  for (const value of ["hour", "on the", "zebras are"]) expect(may(request, two, f(value))).toBe(false);
  const none = oneString({ type: ["string", "null"], minLength: 3 });
  for (const value of ["say", null]) expect(may(request, none, f(value))).toBe(true);
  expect(may(request, none, f("zebra"))).toBe(false);
});

/** Whether the mask allows every token of a text, as the tokenizer writes it. */
function may(request: string, grammar: Grammar, ...calls: string[]): boolean {
  const rules = new Rules(grammar, request);
  let stand = rules.start;
  return tokenizer.tokenizeRaw(` [${calls.join()}]`).every((id) => {
    const { bits } = rules.mask(stand);
    if (!((bits[id >> 5] >>> (id & 31)) & 1)) return false;
    stand = rules.advance(stand, id) as Stand;
    return true;
  });
}
const say = (text: string, to: string) => `{"name":"say","arguments":${JSON.stringify({ text, to })}}`;
const list = (...items: string[]) => `{"name":"list","arguments":{"items":${JSON.stringify(items)}}}`;

test("no two values of a call share a word; the next call may use it again", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  const late = "tell anna I am late";
  expect(may(late, grammar, say("I am late", "anna"))).toBe(true);
  expect(may(late, grammar, say("anna I am late", "anna"))).toBe(false);
  expect(may(late, grammar, say("anna", "tell anna I"))).toBe(false);
  expect(may(late, grammar, say("I am", "anna"), say("late", "anna"))).toBe(true);
  expect(may("buy milk and eggs", grammar, list("milk", "eggs"))).toBe(true);
  expect(may("buy milk and eggs", grammar, list("milk", "milk"))).toBe(false);
  expect(may("buy milk and eggs", grammar, list("milk"), list("milk"))).toBe(true);
  // Bytes, not characters; and a quote inside is no end.
  expect(may("tell Zoë I am late", grammar, say("Zoë", "I am late"))).toBe(true);
  expect(may("tell Zoë I am late", grammar, say("Zoë", "tell"))).toBe(true);
  expect(may("tell Zoë I am late", grammar, say("Zoë", "tell Zoë"))).toBe(false);
  expect(may('say "x" y to anna', grammar, say('"x" y', "anna"))).toBe(true);
  expect(may('say "x" y to anna', grammar, say('"x" y', "x"))).toBe(false);
  expect(may("call a éé now", grammar, say("a éé", "a"))).toBe(false);
  // Said twice, it can stand twice.
  expect(may("text anna to anna", grammar, say("anna", "anna"))).toBe(true);
});

test("a value may use words again once none is left, since it must come from somewhere and marks are nowhere", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  for (const request of ["hi", "hi.", "¿hi?"]) expect(may(request, grammar, say("hi", "hi"))).toBe(true);
  expect(may("打电话", grammar, say("打电话", "打"))).toBe(true);
});

test("a model that would write anything copies, whether forced text is asked for or not", async () => {
  const needy: ToolInput = { name: "say", parameters: { text: { type: "string", required: true } } };
  const words = "tell anna I am late and wake me at seven tomorrow please".split(" ");
  let written = 0;
  for (let seed = 0; seed < 3; seed++) {
    const checkpoint = randomCheckpoint({ ...oddGeometry, vocabSize: 4096 }, seed);
    const wild = await load(await packOf(talkative(checkpoint)), { promptTokens: 512 });
    for (let n = 1; n <= 12; n++) {
      const request = Array.from({ length: n }, (_, i) => words[(i * n + seed) % words.length]).join(" ");
      for (const force of [true, false]) {
        const { calls, cutShort } = await wild.call(request, [needy], { copy: true, force });
        // What the limit cuts is closed where it stands.
        if (cutShort) calls.pop();
        for (const call of calls)
          if (!isRun(call.arguments.text as string, request))
            throw new Error(`${JSON.stringify(call.arguments)} in ${request}`);
        written += calls.length;
      }
    }
  }
  expect(written).toBeGreaterThan(10);
});

test("forced text counts: a call that it ends lets the next use the words again", async () => {
  const model = await load();
  const { kernels } = model.inside;
  const text = ' [{"name":"say","arguments":{"text":"anna"}},{"name":"say","arguments":{"text":"tell anna"}}]';
  const script = model.tokenizer.tokenizeRaw(text);
  let fed = 0;
  const scripted = sessionWith(model, {
    decoder_layer(...args: Parameters<typeof kernels.decoder_layer>) {
      fed = args[6] + args[7];
      kernels.decoder_layer(...args);
    },
    // After the end token and the marker of a tool call.
    argmax: () => script[fed - 2],
  });
  const needy: ToolInput = { name: "say", parameters: { text: { type: "string", required: true } } };
  const result = await scripted.call("tell anna I am late", [needy], { copy: true });
  expect(result.timings.forcedTokens).toBeGreaterThan(5);
  expect(result.tokens.slice(1)).toEqual(script);
});

test("a token that closes a value and writes into the next knows the words that the first has used", async () => {
  const pieces = await somePieces(4096);
  const odd = new Tokenizer([...pieces.slice(0, -2), '","mi', '","al']);
  const grammar = new Grammar(ToolSet.from(tools), new TokenTrie(odd));
  const allows = (request: string, piece: number) => {
    const rules = new Rules(grammar, request);
    let stand = rules.start;
    for (const id of odd.tokenizeRaw(' [{"name":"list","arguments":{"items":["mint'))
      stand = rules.advance(stand, id) as Stand;
    return (rules.mask(stand).bits[piece >> 5] >>> (piece & 31)) & 1;
  };
  expect(allows("buy mint and ale", 4094)).toBe(0);
  expect(allows("buy mint and ale", 4095)).toBe(1);
  expect(allows("buy mint and milk", 4094)).toBe(1);
});

test.each<[about: string, schema: object, written: string]>([
  [
    "keys of a map",
    { type: "object", additionalProperties: { type: "boolean" } },
    '{"kitchen":true,"bedroom":true,"for":true,',
  ],
  ["items that differ", { type: "array", uniqueItems: true, items: { type: "string" } }, '["kitchen","bedroom","for",'],
  [
    "items that differ, of a length",
    { type: "array", uniqueItems: true, items: { type: "string", maxLength: 7 } },
    '["kitchen","bedroom","for",',
  ],
  [
    "items that differ, with an enum beside",
    { type: "array", uniqueItems: true, items: { anyOf: [{ type: "string" }, { enum: ["form", "on"] }] } },
    '["kitchen","bedroom","for",',
  ],
])("%s: no beginning of a copy leads only to one that is there", (_, schema, written) => {
  const set = ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { v: schema } } }]);
  const rules = new Rules(new Grammar(set, trie), "40 for kitchen and for bedroom");
  let first: Stand | null = rules.start;
  for (const byte of new TextEncoder().encode(` [{"name":"f","arguments":{"v":${written}`))
    first = first?.step(byte) ?? null;
  const open = [first as Stand];
  const ends = new Set<string>();
  for (let stand = open.pop(); stand; stand = open.pop()) {
    const { item } = stand;
    const on = Array.from({ length: 256 }, (_, byte) => stand?.step(byte) ?? null).filter((next) => next !== null);
    expect([item?.text, on.length > 0]).toEqual([item?.text, true]);
    for (const next of on) {
      if (next.item?.of === item?.of && next.item?.text.startsWith(item?.text ?? "")) open.push(next);
      else ends.add(item?.text ?? "");
    }
  }
  expect([...ends]).toContain('"40"');
  expect(ends.has('"form"')).toBe(JSON.stringify(schema).includes('"form"'));
  expect([...ends]).not.toContain('"for"');
});

test.each<[about: string, schema: object, most: number]>([
  ["items", { type: "array", uniqueItems: true, minItems: 4, items: { type: "string" } }, 9],
  ["keys of a map", { type: "object", minProperties: 5, additionalProperties: { type: "string" } }, 9],
  // There are three: the grammar alone is left.
  [
    "numbers",
    {
      type: "array",
      uniqueItems: true,
      minItems: 5,
      items: { type: "number", minimum: 0, maximum: 1, multipleOf: 0.5 },
    },
    3,
  ],
])(
  "%s that must differ and find no words left take them again, in other runs; the answer is JSON",
  async (_, tags, most) => {
    const tool = { name: "tag", parameters: { type: "object", required: ["tags"], properties: { tags } } };
    const model = await load();
    for (const calls of ["any", "one"] as const) {
      const { text } = await model.call("tag red blue", [tool], { calls });
      const [call, ...others] = JSON.parse(text);
      expect(others).toEqual([]);
      const { tags } = call.arguments;
      const written = Array.isArray(tags) ? tags : (text.match(/"[^"]*"(?=:)/g) ?? []);
      expect([text, new Set(written).size]).toEqual([text, Math.min(written.length, most)]);
    }
  },
);
