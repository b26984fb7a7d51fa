/** Examples made for somebody's own tools, from their schema alone. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { numbersIn } from "../runtime/text/numbers.ts";
import { timesIn } from "../runtime/text/timeofday.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { fitTool, isHeld } from "../tools/data/fit/fit.ts";
import { kinOf } from "../tools/data/fit/kin.ts";
import { roleOf } from "../tools/data/fit/roles.ts";
import { gerund, otherVerbs, participle, pastOf } from "../tools/data/fit/verbs.ts";
import { ToolSynth } from "../tools/data/fit.ts";
import { checkCalls, type FlatParam, type FlatTool, ungrounded } from "../tools/data/ground.ts";
import { lexiconFolder, readLexicon } from "../tools/data/lexicon.ts";
import { flatTools, normalised } from "../tools/data/line.ts";
import { slotsOf } from "../tools/data/template.ts";
import { readExamples } from "../tools/eval/examples.ts";
import { skeleton } from "../tools/finetune/split.ts";
import { fixture } from "./support.ts";

const set = ToolSet.from(readFileSync(fixture("finetune/tools.json"), "utf8"));
const flat = flatTools(set);
/** Of flat tools. */
const synthOf = (...tools: readonly object[]) => new ToolSynth(ToolSet.from(JSON.stringify(tools)), null);
const folder = lexiconFolder();

describe.each([
  ["WordNet's words", folder ? readLexicon(folder) : null],
  ["the generator's own words alone", null],
])("with %s", (_, lexicon) => {
  const synth = new ToolSynth(set, lexicon);
  const examples = Array.from({ length: 600 }, (_, i) => synth.make(3, i));

  test("600 examples keep the law: calls fit their tools, every value stands in the request or in the schema", () => {
    for (const { query, tools, answers } of examples) {
      checkCalls(answers, tools);
      expect(ungrounded(query, answers, tools)).toBeNull();
    }
  });

  test("tools are shown as they are", () => {
    for (const tool of examples.flatMap(({ tools }) => tools)) expect(flat).toContainEqual(tool);
  });

  test("the same seed and number give the same example, whatever was made before", () => {
    expect(new ToolSynth(set, lexicon).make(3, 417)).toEqual(examples[417]);
  });

  test("every tool is asked for, one in ten requests for none, some for two; optional values are left out as often as given", () => {
    const calls = examples.flatMap(({ answers }) => answers);
    for (const { name } of flat) expect(calls.filter((call) => call.name === name).length).toBeGreaterThan(120);
    const none = examples.filter(({ answers }) => !answers.length).length;
    expect(none).toBeGreaterThan(40);
    expect(none).toBeLessThan(120);
    expect(examples.filter(({ answers }) => answers.length === 2).length).toBeGreaterThan(20);
    const modes = calls.filter(({ name, arguments: args }) => name === "irrigate_zone" && "mode" in args).length;
    const zones = calls.filter(({ name }) => name === "irrigate_zone").length;
    expect(modes / zones).toBeGreaterThan(0.35);
    expect(modes / zones).toBeLessThan(0.75);
  });

  test("of 600 requests nine in ten are sentences of their own", () => {
    expect(new Set(examples.map(skeleton)).size).toBeGreaterThan(540);
  });

  test("values that are held out are in no example that holds them out, and in all calls of those that want them", () => {
    const strings = (held: boolean) =>
      Array.from({ length: 200 }, (_, i) => synth.make(5, i, held)).flatMap(({ answers }) =>
        answers.filter(({ name }) => name === "irrigate_zone").map(({ arguments: { zone } }) => String(zone)),
      );
    expect(strings(false).some(isHeld)).toBe(false);
    // A recogniser may spell a value anew.
    const held = strings(true);
    expect(held.filter(isHeld).length).toBeGreaterThan(0.9 * held.length);
  });

  test("no request of the fixture that people wrote is among 3,000", () => {
    const people = new Set(
      readExamples(fixture("finetune/people.jsonl").pathname).map(({ request }) => normalised(request)),
    );
    const made = Array.from({ length: 3000 }, (_, i) => normalised(synth.make(7, i).query));
    expect(made.filter((query) => people.has(query))).toEqual([]);
  });
});

test("types of all kinds can be asked for: flags, lists, numbers, people, places, days, codes, free text", () => {
  const parameters: Record<string, FlatParam> = {
    guest: { type: "string", description: "Who comes.", required: true },
    urgent: { type: "boolean", description: "Do it now." },
    toppings: { type: "array", items: { type: "string" }, description: "What goes on it." },
    percent: { type: "integer", description: "How full, in percent." },
    price: { type: "number", description: "Price in dollars." },
    city: { type: "string", description: "Where." },
    due_date: { type: "string", description: "By when." },
    ticketNumber: { type: "string", description: "The ticket." },
    comment: { type: "string", description: "What to say." },
    level: { type: "string", enum: ["low", "extra_high"], description: "How much." },
  };
  const tool: FlatTool = { name: "placeOrder", description: "Places an order for a guest.", parameters };
  const synth = synthOf(tool, { name: "ping", parameters: {} });
  const seen = new Set<string>();
  for (let i = 0; i < 400; i++) {
    const { query, tools, answers } = synth.make(1, i);
    checkCalls(answers, tools);
    expect(ungrounded(query, answers, tools)).toBeNull();
    for (const { name, arguments: args } of answers) for (const key of [name, ...Object.keys(args)]) seen.add(key);
  }
  expect([...seen].sort()).toEqual([...Object.keys(parameters), "ping", "place_order"].sort());
});

test("numbers stay within their tool's limits, in any form of schema, and a list of an enum has what is said of it, each once", () => {
  const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
  const schema = (properties: object, required: string[] = []) => ({ type: "object", properties, required });
  const rate = { stars: { type: "integer", minimum: 1, maximum: 5 } };
  const zoom = { factor: { type: "number", exclusiveMinimum: 1, maximum: 4, description: "How near." } };
  const alarm = { time: { type: "string" }, days: { type: "array", items: { type: "string", enum: days } } };
  const step = { level: { type: "integer", minimum: -20, maximum: 40, multipleOf: 10 } };
  const synth = synthOf(
    { name: "rate", description: "Rate a song.", inputSchema: schema(rate, ["stars"]) },
    { name: "zoom", description: "Zoom the map.", inputSchema: schema(zoom, ["factor"]) },
    { name: "set_alarm", description: "Set an alarm.", inputSchema: schema(alarm, ["time", "days"]) },
    { name: "set_level", description: "Set the level.", parameters: { level: { ...step.level, required: true } } },
  );
  const [numbers, lists]: [Record<string, Set<number>>, string[][]] = [
    { stars: new Set(), factor: new Set(), level: new Set() },
    [],
  ];
  for (let i = 0; i < 600; i++) {
    const { query, answers } = synth.make(1, i);
    expect(query).not.toMatch(/undefined|\bn alarm/i);
    for (const { arguments: args } of answers) {
      for (const [key, value] of Object.entries(args)) numbers[key]?.add(value as number);
      if (!Array.isArray(args.days)) continue;
      lists.push(args.days);
      expect(new Set(args.days).size).toBe(args.days.length);
      if (!/week|every day/i.test(query)) for (const day of args.days) expect(query.toLowerCase()).toContain(day);
    }
  }
  expect([...numbers.stars].sort()).toEqual([1, 2, 3, 4, 5]);
  expect([...numbers.factor].every((factor) => factor > 1 && factor <= 4)).toBe(true);
  expect([...numbers.level].sort((a, b) => a - b)).toEqual([-20, -10, 0, 10, 20, 30, 40]);
  expect(numbers.factor.size).toBeGreaterThan(9);
  for (const length of [1, 2, 3, 5, 7]) expect(lists.some((list) => list.length === length)).toBe(true);
});

test("an hour and a minute are said as one time of day; a length in hours and minutes, or on a clock of twelve, is none", () => {
  const whole = { type: "integer", required: true };
  const synth = synthOf(
    {
      name: "set_alarm",
      description: "Sets an alarm",
      parameters: { hour: whole, minute: whole },
    },
    { name: "quiet", parameters: { start_hour: whole, startMinute: { type: "integer" } } },
  );
  const calls = Array.from({ length: 300 }, (_, i) => synth.make(8, i)).flatMap(({ query, answers }) =>
    answers.length === 1 ? [{ query, args: Object.entries(answers[0].arguments) }] : [],
  );
  expect(calls.length).toBeGreaterThan(150);
  for (const { query, args } of calls) {
    expect(query).not.toMatch(/\b(hours?|start|minute [a-z]+|[a-z]+ minutes) \d/i);
    const [hour, minute] = args.map(([, value]) => value as number);
    expect([query, timesIn(query, numbersIn(query)).map(({ hours, minute }) => [hours[0], minute])]).toEqual([
      query,
      [[hour, minute]],
    ]);
  }
  const pair = (parameters: FlatTool["parameters"]) =>
    fitTool(
      { name: "set", parameters },
      null,
      ToolSet.from([{ name: "set", parameters }] as never).tools[0].parameters,
    ).params.filter(({ isMinute }) => isMinute).length;
  expect(pair({ hour: whole, minute: whole })).toBe(1);
  expect(pair({ hours: whole, minutes: whole })).toBe(0);
  expect(pair({ hour: { ...whole, maximum: 12 } as FlatParam, minute: whole })).toBe(0);
  expect(pair({ start_hour: whole, end_minute: whole })).toBe(0);
});

test("limits hold behind a reference, however narrow; an enum keeps its type, a list its length; a sun is no Sunday", () => {
  const items = { type: "integer", enum: [1, 2, 3] };
  const properties = {
    stars: { $ref: "#/$defs/stars" },
    share: { type: "number", minimum: 0.01, maximum: 0.09 },
    rooms: { type: "array", items, minItems: 2, maxItems: 2 },
    light: { type: "string", enum: ["sun", "shade"] },
  };
  const $defs = { stars: { type: "integer", minimum: 1, maximum: 5 } };
  const inputSchema = { type: "object", properties, required: Object.keys(properties), $defs };
  const synth = synthOf({ name: "rate_plant", description: "Rate a plant.", inputSchema });
  const calls = Array.from({ length: 200 }, (_, i) => synth.make(1, i)).flatMap(({ query, answers }) => {
    expect(query).not.toMatch(/sunday/i);
    return answers.map(({ arguments: args }) => args as { stars: number; share: number; rooms: number[] });
  });
  expect(calls.length).toBeGreaterThan(100);
  for (const { stars, share, rooms } of calls) {
    expect(stars >= 1 && stars <= 5 && share >= 0.01 && share <= 0.09).toBe(true);
    expect([rooms.length, new Set(rooms).size, rooms.every(Number.isInteger)]).toEqual([2, 2, true]);
  }
});

test("texts have the length that is asked for and a lone number is itself; what nobody says is refused by its name", () => {
  const properties = {
    initials: { type: "string", maxLength: 4 },
    note: { type: "string", minLength: 12 },
    five: { type: "number", minimum: 5, maximum: 5 },
    share: { type: "number", minimum: 0.3, maximum: 0.3 },
    names: { type: "array", items: { type: "string", maxLength: 6 } },
  };
  const inputSchema = { type: "object", properties, required: ["initials", "note", "five", "share"] };
  const tool = { name: "label_jar", description: "Label a jar.", inputSchema };
  const synth = synthOf(tool);
  const ajv = new Ajv({ strict: false });
  const answers = Array.from({ length: 200 }, (_, i) => synth.make(1, i)).flatMap(({ answers }) => answers);
  expect(answers.length).toBeGreaterThan(100);
  expect(answers.filter(({ arguments: args }) => !ajv.validate(inputSchema, args))).toEqual([]);
  expect(answers.some(({ arguments: args }) => args.names)).toBe(true);
  const code = (code: object) => synthOf({ name: "send", parameters: { code: { ...code, required: true } } });
  expect(() => code({ type: "array", items: { type: "string" }, minItems: 4 })).toThrow(
    "got list of at least 4 string",
  );
  expect(() => code({ type: "string", minLength: 400 }).make(1, 1)).toThrow(
    "code: expected lengths that people's words",
  );
  expect(() => synthOf()).toThrow("tools: expected one at least, got an empty list");
});

test("an object that is required cannot be said, and the tool and parameter are named", () => {
  const tool = { name: "route", parameters: { via: { type: "object", properties: {}, required: true } } } as FlatTool;
  expect(() => synthOf(tool)).toThrow(
    "route.via: expected a string, number, boolean, enum, or list of strings or of an enum",
  );
  const optional = { name: "route", parameters: { via: { type: "object", properties: {} } } } as FlatTool;
  expect(synthOf(optional).make(1, 1).tools).toEqual([optional]);
});

test("what a parameter takes is read off its type, key, description and quoted example", () => {
  const kind = (key: string, type: string, description = "") => roleOf(key, { type, description }, null)?.kind;
  expect(kind("taken_at", "string", 'When, e.g. "8:30".')).toBe("time");
  expect(kind("how_much", "string", 'E.g. "two tablets".')).toBe("quantity");
  expect(kind("machine", "string", 'E.g. "press 4".')).toBe("thing");
  expect(kind("what", "string", 'E.g. "leaks oil".')).toBe("state");
  expect(kind("duration", "string", 'E.g. "10 minutes".')).toBe("duration");
  expect(kind("recipient", "string")).toBe("person");
  expect(kind("minutes", "integer")).toBe("number");
  expect(kind("payload", "object")).toBeUndefined();
});

const watch = flatTools(ToolSet.from(readFileSync(new URL("../tools/watch.json", import.meta.url), "utf8")));
const fitted = (name: string) => fitTool([...flat, ...watch].find((tool) => tool.name === name) as FlatTool, null);

test("tools that do the like lend their sentences, those that do something else to it none", () => {
  const kin = (name: string) => kinOf(fitted(name)).map(({ tool }) => tool.id);
  expect(kin("irrigate_zone")).toContain("irrigate");
  expect(kin("set_alarm")).toContain("set_alarm");
  expect(kin("set_alarm")).not.toContain("list_alarms");
  expect(kin("start_workout")).not.toContain("pause_workout");
  const told = { name: "frobnicate", description: "Frobnicates a thing.", parameters: {} };
  expect(fitTool(told, null).sentences).toEqual([]);
});

test("every value of a borrowed sentence has a parameter of the tool's own, and what must be said is in it", () => {
  const sentences = ["dose_log", "irrigate_zone"].flatMap((name) => fitted(name).sentences);
  expect(sentences.length).toBeGreaterThan(20);
  for (const { phrase, places } of sentences) {
    const said = slotsOf(phrase).flatMap((slot) => places.get(slot)?.param.name ?? []);
    expect(said.some((name) => name === "medicine" || name === "zone")).toBe(true);
    expect(new Set(places.values()).size).toBe(places.size);
  }
  // "skipped my pills" is no dose that was taken.
  expect(sentences.filter(({ phrase }) => /skipped|late/.test(phrase.source))).toEqual([]);
});

test("a description says how its value is put: whom from, when what comes back, who does", () => {
  const tool: FlatTool = {
    name: "restock",
    description: "Order more.",
    parameters: {
      supplier: { type: "string", description: "From whom." },
      due: { type: "string", description: 'When it comes back, e.g. "friday".' },
      borrower: { type: "string", description: "Who took it." },
      material: { type: "string", description: "The material." },
    },
  };
  const { params } = fitTool(tool, null);
  expect(params.map(({ told }) => told[0] ?? "")).toEqual([" from ~", ", comes back ~", "", ""]);
  expect(params.map(({ does }) => does ?? "")).toEqual(["", "", "took", ""]);
});

test("some requests begin with how much, some name what they are about and then say it, some tell who did it", () => {
  const lend: FlatTool = {
    name: "lend_item",
    description: "Note that an item was lent to somebody.",
    parameters: {
      item: { type: "string", description: "The item.", required: true },
      borrower: { type: "string", description: "Who took it.", required: true },
    },
  };
  const synth = synthOf(flat[1], lend);
  const made = Array.from({ length: 3000 }, (_, i) => synth.make(4, i));
  const some = (pattern: RegExp) => made.filter(({ query }) => pattern.test(query)).length;
  expect(some(/^[\w-]+( [\w-]+)? minutes of /i)).toBeGreaterThan(5);
  expect(
    some(/ is (next|due|ready|waiting|on the list).* (water|irrigate|soak|spray|wet|moisten|hose) (it|them)\b/i),
  ).toBeGreaterThan(2);
  const told = made.filter(({ query, answers: [call] }) =>
    query.toLowerCase().includes(`${String(call?.arguments.borrower).toLowerCase()} took `),
  );
  expect(told.length).toBeGreaterThan(10);
});

test("questions about what a tool is for call nothing", () => {
  const synth = new ToolSynth(set, null);
  const asked = Array.from({ length: 3000 }, (_, i) => synth.make(9, i)).filter(({ query }) =>
    /^(when did I last|how often should I|where can I buy) /.test(query),
  );
  expect(asked.length).toBeGreaterThan(3);
  for (const { answers } of asked) expect(answers).toEqual([]);
});

test("verbs have other words and other forms", () => {
  expect(otherVerbs("record", null)).toContain("note down");
  expect(otherVerbs("frobnicate", null)).toEqual(["frobnicate"]);
  expect([participle("take"), participle("write down"), participle("stop"), participle("carry")]).toEqual([
    "taken",
    "written down",
    "stopped",
    "carried",
  ]);
  expect([gerund("note down"), gerund("run"), pastOf("taken"), pastOf("watered")]).toEqual([
    "noting down",
    "running",
    "took",
    "watered",
  ]);
});
