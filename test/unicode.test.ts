/** Tools in any script: enums, keys and names of all planes, driven by random tokens, with forced text and without. */
import { expect, test } from "bun:test";
import { Grammar } from "../runtime/grammar/grammar.ts";
import type { State } from "../runtime/grammar/state.ts";
import { load, ToolSet } from "../runtime/index.ts";
import { Tokenizer } from "../runtime/text/tokenizer.ts";
import { TokenTrie } from "../runtime/text/trie.ts";
import { seeded, somePieces } from "./support.ts";

const model = load();
const tokenizer = new Tokenizer(await somePieces(4096));
const trie = new TokenTrie(tokenizer);
const random = seeded(14);
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];

/** First and last code point of blocks, in all planes that have characters, private ones and none at all. */
const blocks: [number, number][] = [
  [0x00, 0x7f],
  [0x80, 0x2ff],
  [0x300, 0x36f], // combining marks
  [0x400, 0x4ff],
  [0x590, 0x6ff],
  [0xe00, 0xe7f],
  [0x2000, 0x206f], // spaces, joiners, marks of direction
  [0x20a0, 0x20bf],
  [0x2581, 0x2581], // the vocabulary's own space
  [0x4e00, 0x4eff],
  [0xd800, 0xdfff], // half a pair each
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff], // a byte order mark
  [0xfff0, 0xffff],
  [0x1f300, 0x1f64f],
  [0x20000, 0x2001f],
  [0x30000, 0x3001f],
  [0xe0100, 0xe01ef],
  [0xf0000, 0xf000f],
  [0x10fff0, 0x10ffff],
];
const oneOf = ([low, high]: [number, number]) => String.fromCodePoint(low + below(high - low + 1));
/** Texts of few blocks, so that many begin alike and part within a character. */
function texts(count: number): string[] {
  const some = [pick(blocks), pick(blocks)];
  return [
    ...new Set(Array.from({ length: count }, () => Array.from({ length: below(4) }, () => oneOf(pick(some))).join(""))),
  ];
}

/** The answer of random tokens, as the loop takes them: what is forced, if asked, else one that the mask allows. */
function drive(grammar: Grammar, forcing: boolean): string {
  const ids: number[] = [];
  let state = grammar.start;
  while (!state.atEnd) {
    const forced = forcing ? grammar.forced(state) : null;
    if (forced?.ids.length) {
      ids.push(...forced.ids);
      state = forced.state;
      continue;
    }
    if (ids.length > 60) {
      ids.push(...grammar.finish(state));
      break;
    }
    const { bits } = grammar.mask(state);
    const allowed = tokenizer.pieces.flatMap((_, id) => ((bits[id >> 5] >>> (id & 31)) & 1 ? [id] : []));
    const id = pick(allowed);
    ids.push(id);
    state = grammar.advance(state, id) as State;
  }
  const bytes = Uint8Array.from(ids.flatMap((id) => [...tokenizer.bytesOf(id)]));
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

test("whatever script enums, keys and names are of, every answer parses and holds their values, forced or not", () => {
  let [calls, values] = [0, 0];
  for (let run = 0; run < 400; run++) {
    const keys = ["do", ...texts(3)];
    const tools = ["one", ...texts(2)].map((name, i) => ({
      name: `${name} ${i}`,
      description: texts(1)[0],
      inputSchema: {
        type: "object",
        properties: Object.fromEntries(
          keys.map((key, j) => [key, j % 2 ? { type: "string", maxLength: 2 } : { type: "string", enum: texts(4) }]),
        ),
        required: keys.slice(0, 2),
      },
    }));
    const set = ToolSet.from(tools);
    const grammar = new Grammar(set, trie);
    for (const forcing of [true, false]) {
      for (const call of JSON.parse(drive(grammar, forcing))) {
        calls++;
        const { properties } = tools[set.tools.findIndex(({ promptName }) => promptName === call.name)].inputSchema;
        for (const key of keys.slice(0, 2)) expect(Object.keys(call.arguments)).toContain(key);
        for (const [key, value] of Object.entries<string>(call.arguments)) {
          const { enum: among } = properties[key] as { enum?: string[] };
          if (among) values++;
          if (among) expect(among).toContain(value);
          else expect([...value].length).toBeLessThanOrEqual(2);
        }
      }
    }
  }
  expect(calls).toBeGreaterThan(200);
  expect(values).toBeGreaterThan(200);
});

test.each<[string, string[]]>([
  ["set the mode to good", ["👍", "👎"]],
  ["今天很开心", ["开心", "难过"]],
  ["иди в дом", ["дом", "сад"]],
  ["pay in euros", ["₹", "€"]],
  ["no value", ["—", "…"]],
  ["a mark of order", ["\ufeffa", "\ufeffb"]],
])("the model that ships answers %p among %p, forced or not", async (request, among) => {
  const mode = { type: "string", enum: among };
  const tools = [
    { name: "set_mode", inputSchema: { type: "object", properties: { [among[0]]: mode }, required: [among[0]] } },
  ];
  for (const force of [true, false]) {
    const { calls } = await (await model).call(request, tools, { force });
    for (const call of calls) expect(among).toContain(call.arguments[among[0]] as string);
  }
});
