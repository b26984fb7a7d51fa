import { describe, expect, test } from "bun:test";
import { sourcesOf, wordsValue } from "../runtime/answer/provenance.ts";
import { readCalls, type Step } from "../runtime/answer/toolcall.ts";
import { load } from "../runtime/index.ts";
import { genericProfile } from "../runtime/pack/profile.ts";
import { ToolSet } from "../runtime/tools/tools.ts";

const watch = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();

/** Source of one argument as "from start-end". */
function source(value: unknown, schema: Record<string, unknown>, request: string): string {
  const [{ parameters }] = ToolSet.from([
    { name: "f", inputSchema: { type: "object", properties: { v: schema } } },
  ]).tools;
  const { v } = sourcesOf({ v: value as never }, parameters, request);
  return v.start === undefined ? v.from : `${v.from} ${request.slice(v.start, v.end)}`;
}

describe("a value stands", () => {
  const text = { type: "string" };
  const integer = { type: "integer" };
  test.each([
    ["as written", "Anna", text, "call Anna", "request Anna"],
    ["in other letter case", "anna", text, "call ANNA now", "request ANNA"],
    ["as a whole word before within one", "art", text, "start the art class", "request art"],
    ["within a word, if nowhere else", "park", text, "parking", "request park"],
    ["over white space and typographic quotes", "it's late", text, "say it’s\tlate", "request it’s\tlate"],
    ["nowhere", "Bob", text, "call Anna", "nowhere"],
    ["as digits", 12, integer, "for 12 minutes", "request 12"],
    ["as digits with a thousands comma", 1200, integer, "1,200 steps", "request 1,200"],
    ["as digits, not as part of a longer number", 1, integer, "in 12 minutes", "nowhere"],
    ["as a number word", 25, integer, "in twenty five minutes", "number word twenty five"],
    [
      "as a number word with others about it",
      205,
      integer,
      "walk two hundred and five steps",
      "number word two hundred and five",
    ],
    ["as a, half, dozen", 12, integer, "a dozen eggs", "number word a dozen"],
    ["as an enum's word in the request", "off", { enum: ["on", "off"] }, "lights off", "request off"],
    ["as an enum's choice otherwise", "on", { enum: ["on", "off"] }, "make it bright", "enum"],
    ["as a boolean", true, { type: "boolean" }, "do it", "enum"],
    ["as a default", "en", { type: "string", default: "en" }, "say hello", "default"],
  ])("%s", (_, value, schema, request, want) => {
    expect(source(value, schema, request)).toBe(want);
  });
});

test("number words mean what they say", () => {
  const said = {
    "forty two": 42,
    "one hundred": 100,
    "two thousand and six": 2006,
    "three million": 3e6,
    "two dozen": 24,
    half: 0.5,
    second: 2,
  };
  for (const [words, value] of Object.entries(said)) expect(wordsValue(words.split(" "))).toBe(value);
  for (const words of ["and five", "five and", "fast", "constructor"]) expect(wordsValue(words.split(" "))).toBeNull();
});

test("nested values are told by their paths", () => {
  const at = {
    type: "object",
    properties: { hour: { type: "integer" }, days: { type: "array", items: { type: "string" } } },
  };
  const [{ parameters }] = ToolSet.from([{ name: "f", inputSchema: { properties: { at } } }]).tools;
  const sources = sourcesOf({ at: { hour: 7, days: ["monday", "friday"] } }, parameters, "at seven on Monday");
  expect(Object.entries(sources).map(([path, { from }]) => [path, from])).toEqual([
    ["at.hour", "number word"],
    ["at.days[0]", "request"],
    ["at.days[1]", "nowhere"],
  ]);
});

test("certainty adds log-probabilities and takes the least margin, at the name and over each call, and names the runner-up", () => {
  const text = ' [{"name":"set_alarm","arguments":{"time":"7"}},{"name":"set_timer","arguments":{"duration":"5"}}]';
  const utf8 = new TextEncoder();
  const step = (at: string, logProb: number, margin: number, second: string): Step => ({
    startByte: text.indexOf(at),
    logProb,
    margin,
    second: utf8.encode(second),
  });
  const steps = [
    step("[{", -0.1, 5, "[]"),
    step("alarm", -0.5, 1, "timer"),
    step('7"', -0.25, 0.5, "8"),
    step(',{"name":"set_t', -0.01, 9, "]"),
    step("timer", -0.02, 3, "light"),
  ];
  const [alarm, timer] = readCalls(utf8.encode(text), ToolSet.from(watch).tools, "at 7", steps, genericProfile);
  expect(alarm.certainty.runnerUp).toBe("set_timer");
  expect(alarm.certainty.name).toEqual({ logProb: -0.6, margin: 1 });
  expect(alarm.certainty.call).toEqual({ logProb: -0.85, margin: 0.5 });
  expect(timer.certainty.runnerUp).toBe("set_lights");
  expect(timer.certainty.name.margin).toBe(3);
  const others =
    '[1,{"name":"set_alarm","arguments":"abc"},[],{"name":"set_timer","arguments":[1]},{"name":"set_timer"}]';
  const read = readCalls(utf8.encode(others), ToolSet.from(watch).tools, "at 7", steps, genericProfile);
  expect(read.map(({ name, arguments: args }) => [name, args])).toEqual([["set_timer", {}]]);
  const [sure] = readCalls(utf8.encode(text), ToolSet.from(watch).tools, "at 7", [], genericProfile);
  expect(sure.certainty).toEqual({
    name: { logProb: 0, margin: Number.POSITIVE_INFINITY },
    call: { logProb: 0, margin: Number.POSITIVE_INFINITY },
    runnerUp: null,
  });
});

test("on the model that ships: the log-probability of a forced choice is 0, of an open one the softmax over what was allowed", async () => {
  const thimble = await load();
  const { calls } = await thimble.call("wake me at 7:15 tomorrow", watch);
  expect(calls[0].sources).toEqual({
    time: { from: "request", start: 11, end: 15, grounded: true },
    date: { from: "request", start: 16, end: 24, grounded: true },
  });
  const { certainty } = calls[0];
  expect(certainty.name.logProb).toBeLessThan(0);
  expect(certainty.call.logProb).toBeLessThanOrEqual(certainty.name.logProb);
  expect(certainty.call.margin).toBeLessThanOrEqual(certainty.name.margin);
  expect(Math.exp(certainty.name.logProb)).toBeGreaterThan(0.9);
});
