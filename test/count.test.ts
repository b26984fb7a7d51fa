/** How many calls an answer has, where the caller says it. */
import { expect, test } from "bun:test";
import { type CallOptions, load, type ToolInput } from "../runtime/index.ts";
import watch from "../tools/watch.json" with { type: "json" };
import { oddGeometry, packOf, randomCheckpoint } from "./support.ts";

const tools: ToolInput[] = watch;
const requests = [
  "text anna i am running late and wake me at 7:15 tomorrow",
  "what is the meaning of life",
  "set a timer for 10 minutes, lights on, play jazz",
  "é ü",
];
const ranges = { any: [0, 99], some: [1, 99], one: [1, 1], "at most one": [0, 1] } as const;

test.each(Object.entries(ranges) as [CallOptions["calls"] & string, readonly [number, number]][])(
  "%s: as many calls, of the model inside and of one that writes at random, and what is shown is what is written",
  async (calls, [least, most]) => {
    const random = await load(await packOf(randomCheckpoint({ ...oddGeometry, vocabSize: 4096 }, 9)), {
      answerTokens: 64,
    });
    for (const model of [await load(), random]) {
      for (const request of requests) {
        for (const force of [true, false]) {
          let shown = "";
          const onText = (text: string) => {
            shown += text;
          };
          const answer = await model.call(request, tools, { calls, force, onText });
          expect(answer.calls.length).toBeGreaterThanOrEqual(least);
          expect(answer.calls.length).toBeLessThanOrEqual(most);
          expect(JSON.parse(answer.text)).toHaveLength(answer.calls.length);
          expect(shown).toBe(answer.text);
        }
      }
    }
  },
);

test("one call is the first of those that the model makes", async () => {
  const model = await load();
  const all = await model.call(requests[0], tools);
  expect(all.calls).toHaveLength(2);
  const { calls } = await model.call(requests[0], tools, { calls: "at most one" });
  expect(calls[0].arguments).toEqual(all.calls[0].arguments);
});

test("a call of no tools, and a count that is none, are refused", async () => {
  const model = await load();
  await expect(model.call("on", [], { calls: "some" })).rejects.toThrow("calls: expected tools of which to call some");
  await expect(model.call("on", tools, { calls: "two" as "one" })).rejects.toThrow('at most one, got "two"');
});

test("a call is never longer than the limit: the shortest ends the answer, and where none fits it is refused", async () => {
  const answerTokens = 64;
  const session = (await load()).session({ answerTokens });
  const wide = (name: string, schema: object) => ({
    name,
    parameters: { type: "object", required: ["x"], properties: { x: schema } },
  });
  const text = wide("write_text", { type: "string", minLength: 30_000 });
  const map = wide("write_map", { type: "object", minProperties: 3000, additionalProperties: { type: "integer" } });
  for (const calls of ["one", "some"] as const) {
    await expect(session.call("write this", [text, map], { calls })).rejects.toThrow(
      "answerTokens: expected a tool that can be called in 64 tokens, got none; load with more answerTokens",
    );
    const { tokens, cutShort, calls: made } = await session.call("write this", [text, map, tools[0]], { calls });
    expect(tokens.length).toBeLessThanOrEqual(answerTokens);
    expect(made).toHaveLength(1);
    if (cutShort) expect(made[0].decision).not.toBe("act");
  }
  const keys = wide("write_map", { type: "object", minProperties: 10, additionalProperties: { type: "integer" } });
  expect((await session.call("write this", [keys], { calls: "one" })).tokens.length).toBeLessThanOrEqual(answerTokens);
});
