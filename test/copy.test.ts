import { expect, test } from "bun:test";
import { Copy } from "../runtime/copy.ts";
import { Grammar, type State } from "../runtime/grammar.ts";
import { Tokenizer } from "../runtime/tokenizer.ts";
import { type ToolInput, ToolSet } from "../runtime/tools.ts";
import { TokenTrie } from "../runtime/trie.ts";
import { seeded, somePieces } from "./support.ts";

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
function allowed(copy: Copy, grammar: Grammar, state: State): number[] {
  const { bits, count } = copy.mask(state);
  const ids = tokenizer.pieces.flatMap((_, id) => ((bits[id >> 5] >>> (id & 31)) & 1 ? [id] : []));
  expect(ids.length).toBe(count);
  expect(ids.every((id) => grammar.advance(state, id) !== null)).toBe(true);
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

test("whatever tokens are picked, a free string is a run of whole words of the request", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  const random = seeded(1);
  let [strings, ended] = [0, 0];
  for (let run = 0; run < 300; run++) {
    const request = requests[run % requests.length];
    const copy = new Copy(request, grammar);
    let state = grammar.start;
    const ids: number[] = [];
    while (!state.atEnd && ids.length < 300) {
      const among = allowed(copy, grammar, state);
      expect(among.length).toBeGreaterThan(0);
      const id = among[Math.floor(random() * among.length)];
      copy.advance(state, [id]);
      state = grammar.advance(state, id) as State;
      ids.push(id);
    }
    if (!state.atEnd) continue;
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
    const copy = new Copy(request, grammar);
    const words = request.replace(/ +/g, " ").split(" ");
    for (let from = 0; from < words.length; from++) {
      for (let to = from + 1; to <= words.length; to++) {
        const value = words.slice(from, to).join(" ");
        const text = ` [{"name":"say","arguments":{"text":${JSON.stringify(value)}}}]`;
        let state = grammar.start;
        for (const id of tokenizer.tokenizeRaw(text)) {
          const { bits } = copy.mask(state);
          if (!((bits[id >> 5] >>> (id & 31)) & 1))
            throw new Error(`${JSON.stringify(value)}: ${tokenizer.pieces[id]}`);
          copy.advance(state, [id]);
          state = grammar.advance(state, id) as State;
        }
        expect(state.atEnd).toBe(true);
      }
    }
  }
});

test("enums, numbers, strings of limited length or beside an enum are the grammar's alone", () => {
  const limited: ToolInput[] = [
    {
      name: "f",
      inputSchema: {
        type: "object",
        properties: {
          mode: { enum: ["eco", "turbo"] },
          level: { type: "integer" },
          code: { type: "string", maxLength: 4 },
          either: { anyOf: [{ enum: ["abc"] }, { type: "string" }] },
        },
      },
    },
  ];
  const grammar = new Grammar(ToolSet.from(limited), trie);
  const copy = new Copy("do it", grammar);
  let state = grammar.start;
  for (const id of tokenizer.tokenizeRaw(
    ' [{"name":"f","arguments":{"mode":"turbo","level":7,"code":"ab","either":"zebra"}}]',
  )) {
    expect(copy.mask(state)).toEqual(grammar.mask(state));
    copy.advance(state, [id]);
    state = grammar.advance(state, id) as State;
  }
  expect(state.atEnd).toBe(true);
});

/** Follows a text as the tokenizer writes it; whether the mask allowed every token, and the state before the last. */
function follow(copy: Copy, grammar: Grammar, text: string): { allowed: boolean; state: State } {
  let state = grammar.start;
  for (const id of tokenizer.tokenizeRaw(text)) {
    const { bits } = copy.mask(state);
    if (!((bits[id >> 5] >>> (id & 31)) & 1)) return { allowed: false, state };
    copy.advance(state, [id]);
    state = grammar.advance(state, id) as State;
  }
  return { allowed: true, state };
}

test("no two values of a call share a word; the next call may use it again", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  const say = (text: string, to: string) => `{"name":"say","arguments":{"text":"${text}","to":"${to}"}}`;
  const list = (...items: string[]) => `{"name":"list","arguments":{"items":${JSON.stringify(items)}}}`;
  const may = (request: string, ...calls: string[]) =>
    follow(new Copy(request, grammar), grammar, ` [${calls.join()}]`).allowed;
  expect(may("tell anna I am late", say("I am late", "anna"))).toBe(true);
  expect(may("tell anna I am late", say("anna I am late", "anna"))).toBe(false);
  expect(may("tell anna I am late", say("anna", "tell anna I"))).toBe(false);
  expect(may("tell anna I am late", say("I am", "anna"), say("late", "anna"))).toBe(true);
  expect(may("buy milk and eggs", list("milk", "eggs"))).toBe(true);
  expect(may("buy milk and eggs", list("milk", "milk"))).toBe(false);
  expect(may("buy milk and eggs", list("milk"), list("milk"))).toBe(true);
  // Said twice, it can stand twice.
  expect(may("text anna to anna", say("anna", "anna"))).toBe(true);
});

test("a value whose words are all used may use them again, since it must come from somewhere", () => {
  const grammar = new Grammar(ToolSet.from(tools), trie);
  const text = ' [{"name":"say","arguments":{"text":"hi","to":"hi"}}]';
  expect(follow(new Copy("hi", grammar), grammar, text).allowed).toBe(true);
});
