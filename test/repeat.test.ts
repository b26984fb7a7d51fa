/** The same call again: as often as the request asks for it, and no part of more is ever shown. */
import { expect, test } from "bun:test";
import { mostItemsOf, timesAsked } from "../runtime/answer/repeat.ts";
import { Rules, type Stand } from "../runtime/answer/rules.ts";
import { Grammar } from "../runtime/grammar/grammar.ts";
import { load, type Session, type ToolInput, ToolSet } from "../runtime/index.ts";
import { TokenTrie } from "../runtime/text/trie.ts";
import { sessionWith } from "../tools/bench/replay.ts";

const model = await load();

/** A session whose choices are those of a text. */
function scripted(text: string): Session {
  const { kernels } = model.inside;
  const script = model.tokenizer.tokenizeRaw(text);
  let fed = 0;
  return sessionWith(model, {
    decoder_layer(...args: Parameters<typeof kernels.decoder_layer>) {
      fed = args[6] + args[7];
      kernels.decoder_layer(...args);
    },
    // After the end token and the marker of a tool call.
    argmax: () => script[fed - 2],
  });
}

const tools: ToolInput[] = [
  { name: "take_picture", parameters: {} },
  { name: "add_item", parameters: { item: { type: "string", required: true } } },
];
const picture = '{"name":"take_picture","arguments":{}}';
const add = (item: string) => `{"name":"add_item","arguments":{"item":"${item}"}}`;

test.each<[request: string, written: string[], kept: number]>([
  ["take a picture", [picture, picture, picture], 1],
  ["take a picture and another picture", [picture, picture, picture], 2],
  ["take a picture twice", [picture, picture, picture], 2],
  ["take three pictures", [picture, picture, picture, picture], 3],
  ["add milk and take a picture", [add("milk"), picture, add("milk")], 2],
  ["add milk and add milk", [add("milk"), add("milk"), picture], 3],
  ["add milk", [picture, picture, add("milk")], 1],
  ["add 🥛", [add("🥛"), add("🥛")], 1], // of several tokens, a byte each
])("%s: of %p the first %p stay", async (request, written, kept) => {
  for (const force of [true, false]) {
    const pieces: string[] = [];
    const onText = (piece: string) => void pieces.push(piece);
    const session = scripted(` [${written.join()}]`);
    const { text, calls, cutShort, tokens, timings } = await session.call(request, tools, {
      force,
      onText,
      copy: true,
    });
    expect(text).toBe(`[${written.slice(0, kept).join()}]`);
    expect(pieces.join("")).toBe(text);
    expect(calls).toHaveLength(kept);
    expect(cutShort).toBe(false);
    expect(timings.answerTokens).toBe(tokens.length);
    expect(timings.forcedTokens).toBeLessThanOrEqual(tokens.length);
  }
});

test.each<[request: string, call: string, times: number]>([
  ["set a timer for 5 minutes", '{"name":"set_timer","arguments":{"duration":"5 minutes"}}', 1],
  ["set two timers for 5 minutes", '{"name":"set_timer","arguments":{"duration":"5 minutes"}}', 2],
  ["set a timer for two minutes", '{"name":"set_timer","arguments":{"duration":"two minutes"}}', 1],
  ["timer for 200 minutes", '{"name":"set_timer","arguments":{"minutes":20}}', 1],
  ["add 200 minutes", '{"name":"add_minutes","arguments":{"minutes":20}}', 1],
  ["500 steps", '{"name":"log_steps","arguments":{"steps":50}}', 1],
  ["two coffees", '{"name":"order","arguments":{"drink":"coffee"}}', 2],
  ["Buzz three times", '{"name":"buzz","arguments":{}}', 3],
  ["text Anna hi and then text Anna hi", '{"name":"text","arguments":{"to":"Anna","body":"hi"}}', 2],
  ["text Anna hi and Anna bye", '{"name":"text","arguments":{"to":"Anna","body":"hi"}}', 1],
  ["go", '{"name":"stop","arguments":{"deep":[{"x":"nowhere"}]}}', 1],
])("%p asks for %p %p times", (request, call, times) => {
  expect(timesAsked(request, call)).toBe(times);
});

/** Whether a value of a schema can be written where a list that says no maximum has at most five items. */
function takes(schema: object, written: string): boolean {
  const set = ToolSet.from([{ name: "f", inputSchema: { type: "object", properties: { v: schema } } }]);
  const rules = new Rules(new Grammar(set, trie), null, 5);
  let stand: Stand | null = rules.start;
  const text = ` [{"name":"f","arguments":{"v":${written}}}]`;
  for (const byte of new TextEncoder().encode(text)) stand = stand?.step(byte) ?? null;
  return stand?.atEnd ?? false;
}

const takesItems = (schema: object, count: number, item: string) =>
  takes({ type: "array", items: { type: "boolean" }, ...schema }, `[${Array(count).fill(item).join()}]`);

const trie = new TokenTrie(model.tokenizer);
const booleans = { type: "array", items: { type: "boolean" } };
test.each<[schema: object, item: string, most: number]>([
  [{}, "true", 5],
  [{ minItems: 7 }, "true", 7],
  [{ maxItems: 9 }, "true", 9],
  [{ items: { type: "object", properties: {} } }, "{}", 5],
  [{ items: booleans }, "[true,false]", 5],
  [{ items: booleans }, "[true,true,true,true,true]", 5],
  [{ items: { anyOf: [{ type: "integer" }, booleans] } }, "7", 5],
])("of a list %p as many as %p fit as it or the request says", (schema, item, most) => {
  expect([most, most + 1].map((count) => takesItems(schema, count, item))).toEqual([true, false]);
});

const map = { type: "object", additionalProperties: { type: "integer" } };
const twoOf = { type: "array", items: { enum: ["a", "b"] }, uniqueItems: true, maxItems: 2 };
test.each<[about: string, schema: object, written: string, isTaken: boolean]>([
  ["items that differ, of a list with a maximum", twoOf, '["a","b"]', true],
  ["items that differ, of a list with a maximum", twoOf, '["a","a"]', false],
  ["a map's own keys", map, '{"a":1,"a":2}', false],
  ["keys of another map", { type: "array", items: map }, '[{"a":1},{"a":2}]', true],
])("%s: %p written as %s is taken or not: %p", (_, schema, written, isTaken) => {
  expect(takes(schema, written)).toBe(isTaken);
});

test("a request bounds lists by its words, and at least by twelve", () => {
  const [few, many] = ["go", "on ".repeat(15).trim()].map((request) => mostItemsOf(request));
  expect([few, many]).toEqual([12, 15]);
});
