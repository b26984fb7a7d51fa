import { describe, expect, test } from "bun:test";
import { Figures } from "../runtime/answer/figures.ts";
import { ground } from "../runtime/answer/provenance.ts";
import { readCalls, type Step } from "../runtime/answer/toolcall.ts";
import { load } from "../runtime/index.ts";
import { genericCalibration } from "../runtime/pack/calibration.ts";
import { readRequest } from "../runtime/text/request.ts";
import { ToolSet } from "../runtime/tools/tools.ts";

const watch = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();

/** An argument in the user's words, and its source. */
function grounded(value: unknown, schema: Record<string, unknown>, request: string) {
  const [{ parameters }] = ToolSet.from([
    { name: "f", inputSchema: { type: "object", properties: { v: schema } } },
  ]).tools;
  const { arguments: args, sources } = ground({ v: value as never }, parameters, readRequest(request));
  return { value: args.v, ...sources.v };
}

/** Source of one argument as "from words". */
function source(value: unknown, schema: Record<string, unknown>, request: string): string {
  const { from, start, end } = grounded(value, schema, request);
  return start === undefined ? from : `${from} ${request.slice(start, end)}`;
}

test("a copy keeps the user's letters where they are as many as the schema allows, and not one fewer", () => {
  const typed = (schema: object) => grounded("wait...", { type: "string", ...schema }, "say wait…").value;
  expect(typed({ minLength: 5, maxLength: 5 })).toBe("wait…");
  expect(typed({ minLength: 6 })).toBe("wait...");
  // An accent of its own is a character more than the one that the model reads.
  const accented = (schema: object) => grounded("zoé", { type: "string", ...schema }, "call zoe\u0301").value;
  expect(accented({ minLength: 4 })).toBe("zoe\u0301");
  expect(accented({ maxLength: 3 })).toBe("zoé");
});

test("the first place within a word is taken, also where the request begins with it", () => {
  expect(grounded("art", { type: "string" }, "artful starts")).toMatchObject({ start: 0, end: 3 });
});

test("what a number comes to under its key is said where the number is; a part of it is not", () => {
  const from = (request: string, values: Record<string, number>) => {
    const { sources } = ground(values, [], readRequest(request), new Figures(readRequest(request).text, 8));
    return Object.values(sources).map(({ start, end }) => (start === undefined ? "" : request.slice(start, end)));
  };
  expect(from("Timer: two minutes", { seconds: 120, minutes: 2, hours: 120 })).toEqual(["two", "two", ""]);
  expect(from("wake me at quarter to seven pm", { hour: 18, minute: 45 })).toEqual(Array(2).fill("quarter to seven"));
  expect(from("at noon", { hour: 12, minute: 0, level: 12 })).toEqual(["noon", "noon", ""]);
  expect(from("an hour and a half", { minutes: 90, rest_minutes: 30 })).toEqual(["an hour and a half", ""]);
  expect(from("1 hour 5 minutes", { seconds: 300, minutes: 65, steps: 5 })).toEqual(["", "1 hour 5", "5"]);
  expect(from("4 minutes, then an hour", { seconds: 240 })).toEqual([""]);
  expect(from("timer 30 seconds", { minutes: 30, seconds: 30, ms: 30000 })).toEqual(["", "30", "30"]);
  expect(from("move 2 m", { cm: 2, mm: 2000, minutes: 2 })).toEqual(["", "2", "2"]);
  expect(from("log 2,5 kg of 10.000 g", { kg: 2, rest: 5, grams: 10, g: 10_000 })).toEqual(["", "", "", ""]);
  expect(from("1/2 cup, 120/80", { cups: 0.5, parts: 1, systolic: 120, diastolic: 80 })).toEqual([
    "1/2",
    "",
    "120",
    "80",
  ]);
  expect(from("a 10k run", { goal: 10, total: 10_000, kg: 10, minutes: 10 })).toEqual(["", "", "", ""]);
  expect(from("a 10k run", { km: 10, meters: 10_000, steps: 7 })).toEqual(["10", "10", ""]);
  expect(from("a 10k run", { distance: 10 })).toEqual(["10"]);
  expect(from("a 10k step goal", { goal: 10_000, distance: 10 })).toEqual(["10", "10"]);
  expect(from("pay $10k", { amount: 10_000, total: 10 })).toEqual(["10", ""]);
  expect(from("5 k-cups, 3 K2 cells, 6500k", { cups: 5, count: 3, kelvin: 6500 })).toEqual(["5", "3", "6500"]);
  expect(from("half a pizza, dim to half", { count: 50, percent: 50, brightness: 0.5 })).toEqual(["", "", "half"]);
});

test("a number that is said once is one argument's, in whatever order; a list may have it again, and midnight is the hour and the minute", () => {
  const from = (request: string, values: Record<string, unknown>) => {
    const read = readRequest(request);
    const { sources } = ground(values as never, [], read, new Figures(read.text, 8));
    return Object.values(sources).map(({ grounded }) => Number(grounded));
  };
  expect(from("a frame of 720 pixels", { width: 720, height: 720 })).toEqual([1, 0]);
  expect(from("a frame of 720 by 720", { width: 720, height: 720 })).toEqual([1, 1]);
  expect(from("down 4, 4 times", { by: -4, times: 4 })).toEqual([1, 1]);
  expect(from("down 4", { by: -4, times: 4 })).toEqual([1, 0]);
  expect(from("wait two minutes", { seconds: 120, restSeconds: 120 })).toEqual([1, 0]);
  expect(from("60 degrees for an hour", { degrees: 60, minutes: 60 })).toEqual([1, 1]);
  expect(from("60 degrees for an hour", { minutes: 60, degrees: 60 })).toEqual([1, 1]);
  expect(from("heating to 21 at 9 pm", { hour: 21, temperature: 21 })).toEqual([1, 1]);
  expect(from("three sets of 8", { sets: 3, repeats: [8, 8, 8] })).toEqual([1, 1, 1, 1]);
  expect(from("two sets of 8", { sets: [{ repeats: 8 }, { repeats: 8 }], each: 8 })).toEqual([1, 1, 0]);
  expect(from("quiet at midnight", { hour: 0, minute: 0 })).toEqual([1, 1]);
  expect(from("all to the max", { volume: 9, power: 9 })).toEqual([0, 0]);
});

test("a number of one call is another's too where no clause follows it, or it is said again; a time of day is", () => {
  const second = (request: string, first: Record<string, number>, then: Record<string, number>) => {
    const read = readRequest(request);
    const [figures, spent] = [new Figures(read.text, 8), new Map<number, number>()];
    ground(first, [], read, figures, spent);
    return Object.values(ground(then, [], read, figures, spent).sources).map(({ grounded }) => Number(grounded));
  };
  expect(second("brightness 80 then mute", { brightness: 80 }, { volume: 80 })).toEqual([0]);
  expect(second("wait two minutes, then stop", { seconds: 120 }, { minutes: 2, pause: 120 })).toEqual([1, 0]);
  expect(second("volume and brightness to 50", { volume: 50 }, { brightness: 50 })).toEqual([1]);
  expect(second("volume 50 and brightness 50, then stop", { volume: 50 }, { brightness: 50 })).toEqual([1]);
  expect(second("one hundred and five for both", { volume: 105 }, { brightness: 105 })).toEqual([1]);
  expect(second("at 7 am ring and brew", { hour: 7 }, { hour: 7 })).toEqual([1]);
  expect(second("full volume and brightness", { volume: 100 }, { brightness: 100 })).toEqual([0]);
});

test("a number of more digits than one has is cut, and never acted on", async () => {
  const charge = {
    name: "charge",
    description: "Charge a card.",
    parameters: { card: { type: "integer", required: true } },
  };
  const { calls, decision } = await (await load()).call("charge card 4111111111111111", [charge]);
  expect(calls[0].arguments).toEqual({ card: 411111111111111 });
  expect([calls[0].sources.card, decision]).toEqual([{ from: "nowhere", grounded: false }, "ask"]);
});

test("what a default or an enum accounts for takes no number from another argument", () => {
  const [{ parameters }] = ToolSet.from([
    {
      name: "t",
      parameters: { level: { type: "number", default: 50 }, size: { enum: [50, 60] }, seconds: { type: "number" } },
    },
  ]).tools;
  const read = readRequest("50 seconds");
  const { sources } = ground({ level: 50, size: 50, seconds: 50 }, parameters, read, new Figures(read.text, 8));
  expect(Object.values(sources).map(({ grounded }) => grounded)).toEqual([true, true, true]);
});

test("an argument that no tool has: true, false and null need no place", () => {
  const { sources } = ground({ a: true, b: null, c: "x" }, [], readRequest("call anna"));
  expect(Object.values(sources).map(({ from }) => from)).toEqual(["enum", "enum", "nowhere"]);
});

describe("a value stands", () => {
  const text = { type: "string" };
  const integer = { type: "integer" };
  test.each([
    ["as written", "Anna", text, "call Anna", "request Anna"],
    ["in other letter case", "anna", text, "call ANNA now", "request ANNA"],
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
    ["as a dozen", 12, integer, "a dozen eggs", "number word a dozen"],
    ["nowhere, where an article is no number", 3, integer, "wait a second", "nowhere"],
    ["nowhere, where a couple is no article more", 3, integer, "a couple of minutes", "nowhere"],
    ["nowhere, where half a dozen is 6", 18, integer, "half a dozen eggs", "nowhere"],
    ["as half a dozen", 6, integer, "half a dozen eggs", "number word half a dozen"],
    ["nowhere, where seconds are counted", 22, integer, "set a twenty second timer", "nowhere"],
    ["as the seconds that are counted", 20, integer, "set a twenty second timer", "number word twenty"],
    ["nowhere, where it is a part of a number", 20, integer, "in twenty five minutes", "nowhere"],
    ["nowhere, where half of it is another unit's", 30, integer, "for an hour and a half", "nowhere"],
    ["as digits before as words", 2, integer, "two cups, then 2", "request 2"],
    ["as digits with a sign that may be a mark", 10, integer, "5 -10 minutes", "request -10"],
    ["as an enum's word in the request", "off", { enum: ["on", "off"] }, "lights off", "request off"],
    ["as an enum's choice otherwise", "on", { enum: ["on", "off"] }, "make it bright", "enum"],
    ["as a boolean", true, { type: "boolean" }, "do it", "enum"],
    ["as a default", "en", { type: "string", default: "en" }, "say hello", "default"],
  ])("%s", (_, value, schema, request, want) => {
    expect(source(value, schema, request)).toBe(want);
  });
});

test("as a whole word before within one", () => {
  expect(grounded("art", { type: "string" }, "start the art class")).toMatchObject({ start: 10, end: 13 });
});

describe("a copied value is", () => {
  const text = { type: "string" };
  test.each([
    ["what was typed", "it's - late", text, "say it’s — \tlate", "it’s — \tlate"],
    ["what was typed in capitals", "bob", text, "CALL BOB", "BOB"],
    ["what the model wrote, in other letter case", "Bob", text, "call bob", "Bob"],
    ["an enum's value, however it was typed", "it's", { enum: ["it's", "off"] }, "IT’S ON", "it's"],
    ["within its limits, which the typed words exceed", "a b", { type: "string", maxLength: 4 }, "do a   b", "a b"],
    ["within its limits, in characters", "👍 a", { type: "string", maxLength: 4 }, "do 👍\u00a0a", "👍\u00a0a"],
  ])("%s", (_, value, schema, request, want) => {
    expect(grounded(value, schema, request).value).toBe(want);
  });
});

test("every key has its source, and one path for two keys the doubtful one", () => {
  const keys = ["__proto__", "constructor", "toString", "a.b", "", "größe"];
  const properties = Object.fromEntries([...keys, "a"].map((key) => [key, key === "a" ? { type: "object" } : {}]));
  const [{ parameters }] = ToolSet.from([{ name: "f", inputSchema: { type: "object", properties } }]).tools;
  const values = JSON.parse('{"__proto__":"x","constructor":"call","toString":"y","a.b":"z","":"w","größe":"v"}');
  const { arguments: args, sources } = ground(values, parameters, readRequest("call anna"));
  expect(Object.keys(args)).toEqual(keys);
  expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
  expect(Object.keys(sources)).toEqual(keys);
  expect(Object.values(sources).filter(({ grounded }) => !grounded)).toHaveLength(5);
  const both = ground({ a: { b: "nobody" }, "a.b": "anna" }, [], readRequest("call anna")).sources;
  expect(both).toEqual({ "a.b": { from: "nowhere", grounded: false } });
});

test("of a union the option that has the value accounts for what is in it, not another's enum", () => {
  const list = (items: object) => ({ type: "array", items });
  const from = (value: unknown, schema: object): unknown => {
    const [{ parameters }] = ToolSet.from([
      { name: "f", inputSchema: { type: "object", properties: { v: schema } } },
    ] as never).tools;
    const { sources } = ground({ v: value as never }, parameters, readRequest("turn it on"));
    return Object.values(sources).map((source) => [source.from, source.grounded]);
  };
  const [enumerated, nowhere] = [
    ["enum", true],
    ["nowhere", false],
  ];
  const rooms = { anyOf: [list({ enum: ["all"] }), list({ type: "integer" })] };
  expect(from(["all"], rooms)).toEqual([enumerated]);
  expect(from([5], rooms)).toEqual([nowhere]);
  expect(from(["hall"], { anyOf: [list({ const: 2 }), list({ enum: ["hall"] })] })).toEqual([enumerated]);
  const pair = { type: "array", prefixItems: [{ type: "integer" }, { enum: ["top"] }], items: false, minItems: 2 };
  expect(from([3, "top"], pair)).toEqual([nowhere, enumerated]);
  const kind = (k: string, n: object) => ({ type: "object", properties: { k: { const: k }, n }, required: ["k"] });
  const kinds = { anyOf: [kind("a", { enum: [1, 2] }), kind("b", { type: "integer" })] };
  expect(from({ k: "b", n: 2 }, kinds)).toEqual([enumerated, nowhere]);
  expect(from({ k: "a", n: 2 }, kinds)).toEqual([enumerated, enumerated]);
});

test("lists within a union that holds itself are told in time", () => {
  const tree = { anyOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/b" }, { const: "leaf" }] };
  const node = { type: "object", properties: { next: tree }, required: ["next"] };
  const inputSchema = { type: "object", properties: { v: tree }, $defs: { a: node, b: node } };
  const [{ parameters }] = ToolSet.from([{ name: "f", inputSchema }] as never).tools;
  let value: object | string = "other";
  for (let depth = 0; depth < 60; depth++) value = { next: value };
  const { sources } = ground({ v: value as never }, parameters, readRequest("turn it on"));
  expect(Object.values(sources)).toEqual([{ from: "nowhere", grounded: false }]);
});

test("nested values are told by their paths", () => {
  const at = {
    type: "object",
    properties: { hour: { type: "integer" }, days: { type: "array", items: { type: "string" } } },
  };
  const [{ parameters }] = ToolSet.from([{ name: "f", inputSchema: { properties: { at } } }]).tools;
  const { sources } = ground(
    { at: { hour: 7, days: ["monday", "friday"] } },
    parameters,
    readRequest("at seven on Monday"),
  );
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
  const read = (decided: Step[], written = text) =>
    readCalls(
      { bytes: utf8.encode(written), steps: decided, cutShort: false },
      ToolSet.from(watch).tools,
      readRequest("at 7"),
      genericCalibration,
    );
  const [alarm, timer] = read(steps);
  expect(alarm.certainty.runnerUp).toBe("set_timer");
  expect(alarm.certainty.name).toEqual({ logProb: -0.6, margin: 1 });
  expect(alarm.certainty.call).toEqual({ logProb: -0.85, margin: 0.5 });
  expect(timer.certainty.runnerUp).toBe("set_lights");
  expect(timer.certainty.name.margin).toBe(3);
  // Another token may begin the name that was written all the same.
  const [same] = read([step("alarm", -0.5, 1, "al")], text);
  expect(same.certainty.runnerUp).toBeNull();
  const others =
    '[1,{"name":"set_alarm","arguments":"abc"},[],{"name":"set_timer","arguments":[1]},{"name":"set_timer"}]';
  expect(read(steps, others).map(({ name, arguments: args }) => [name, args])).toEqual([["set_timer", {}]]);
  const [sure] = read([]);
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
