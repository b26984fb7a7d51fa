/** Values of enums that a request says, and what it costs to leave them. */
import { expect, test } from "bun:test";
import { Arguments } from "../runtime/answer/arguments.ts";
import { Enums } from "../runtime/answer/enums.ts";
import { ToolSet } from "../runtime/tools/tools.ts";

const tools = [
  {
    name: "log_meal",
    parameters: {
      food: { type: "string", required: true },
      meal: { type: "string", enum: ["breakfast", "lunch", "dinner"] },
      size: { type: "string", enum: ["small", "veryLarge", "left_over"], required: true },
    },
  },
  { name: "light", parameters: { state: { type: "string", enum: ["on", "off"] }, room: { type: "string" } } },
  { name: "ask", parameters: { who: { type: "string", enum: ["which", "your"] } } },
  { name: "vote", parameters: { answer: { type: "integer", enum: [100, 200] } } },
  { name: "plant", parameters: { light: { type: "string", enum: ["sun", "shade"] } } },
  {
    name: "alarm",
    parameters: {
      days: { type: "array", items: { type: "string", enum: ["mon", "tue", "wed", "sat", "sun"] } },
      at: { type: "string", required: true },
      labels: { type: "array", items: { type: "string" } },
    },
  },
  { name: "blink", parameters: { colors: { type: "array", items: { enum: ["red", "green", "blue"] } } } },
  { name: "weigh", parameters: { kilos: { type: "number" }, unit: { type: "string", enum: ["kg", "lb"] } } },
  {
    name: "find_hotel",
    parameters: {
      city: { type: "string", required: true },
      hasWifi: { type: "boolean" },
      "kids-area": { type: "boolean" },
      is_quiet: { type: "boolean" },
      tv: { type: "boolean" },
      allowed: { type: "boolean" },
      free: { type: "boolean", required: true },
    },
  },
  { name: "cafe", parameters: { drink: { type: "string", enum: ["café crème", "thé vert"] } } },
];

/** What ids with some texts lose after the calls of a text. */
function losses(request: string, before: string, texts: string[], callEnd = 1): number[] {
  const row = new Float32Array(texts.length);
  const bytesOf = (id: number) => new TextEncoder().encode(texts[id]);
  const bytes = [...new TextEncoder().encode(before)];
  const enums = new Enums(request, ToolSet.from(tools).tools, 4);
  enums.read(bytes, callEnd + 1);
  enums.add(row, texts.keys(), bytesOf);
  return [...row];
}
const lunch = ' [{"name":"log_meal","arguments":{"food":"soup","meal":"';

test("what begins, goes on with or ends a value that is not said pays, where others are said", () => {
  expect(losses("lunch was soup", lunch, ["l", "lunch", "b", "dinner", "lunch]", 'lunch"'])).toEqual([
    0, 0, -4, -4, -4, 0,
  ]);
  expect(losses("lunch was soup", `${lunch}lun`, ["ch", 'ch"', "k", 'c"'])).toEqual([0, 0, -4, -4]);
  expect(losses("lunch was soup", lunch.slice(0, -1), ['"', '"l', '"br'])).toEqual([0, 0, -4]);
  expect(losses("lunch or dinner was soup", lunch, ["lunch", "dinner", "breakfast"])).toEqual([0, 0, -4]);
});

test("a call does not end without the only value that is said, if it may be left out and nothing holds it yet", () => {
  const food = ' [{"name":"log_meal","arguments":{"food":"soup","size":"small"';
  expect(losses("a small lunch, soup", food, ["}", "}}]", ',"'])).toEqual([-4, -4, 0]);
  expect(losses("a small lunch, soup", `${food},"meal":"lunch"`, ["}}]"])).toEqual([0]);
  expect(losses("lunch or dinner, a small soup", food, ["}}]"])).toEqual([0]);
  expect(losses("a small lunch soup", food.replace("soup", "Lunch soup"), ["}}]"])).toEqual([0]);
  expect(losses("a small soup", food, ["}}]"])).toEqual([0]);
});

test("a value's words count side by side, in any case, as keys and tools write them, and with or without an s", () => {
  const size = ' [{"name":"log_meal","arguments":{"size":"';
  expect(losses("A Very Large soup", size, ["very", "small"])).toEqual([0, -4]);
  expect(losses("left overs, please", size, ["left", "small"])).toEqual([0, -4]);
  expect(losses("large, very", size, ["very", "small"])).toEqual([0, 0]);
  expect(losses("what dinners", lunch, ["lunch", "dinner", "break"])).toEqual([-4, 0, -4]);
  const drink = ' [{"name":"cafe","arguments":{"drink":"';
  expect(losses("un Café Crème", drink, ["caf", "th"])).toEqual([0, -4]);
});

test("a unit tells a value with two letters, other words do not", () => {
  const kilos = ' [{"name":"weigh","arguments":{"kilos":64';
  expect(losses("weight 64 kg", kilos, ["}}]", ',"'])).toEqual([-4, 0]);
  expect(losses("weight 64", kilos, ["}}]", ',"'])).toEqual([0, 0]);
  expect(losses("weight 64 lb", `${kilos},"unit":"`, ["kg", "lb"])).toEqual([-4, 0]);
  expect(losses("turn it on", ' [{"name":"light","arguments":{"room":"hall"', ["}}]"])).toEqual([0]);
});

test("nothing pays where an enum has words that mean anything, numbers, or all or none of it is said", () => {
  expect(losses("the light on the porch", ' [{"name":"light","arguments":{"state":"', ["on", "off"])).toEqual([0, 0]);
  expect(losses("which one", ' [{"name":"ask","arguments":{"who":"', ["which", "your"])).toEqual([0, 0]);
  expect(losses("vote 100", ' [{"name":"vote","arguments":{"answer":', ["100", "200"])).toEqual([0, 0]);
  expect(losses("breakfast, lunch, dinner", lunch, ["l", "b", "}}]"])).toEqual([0, 0, 0]);
  expect(losses("soup", lunch, ["l", "b", "d"])).toEqual([0, 0, 0]);
});

test("what follows a not is not said, also after an article; said elsewhere it is, and in a list it may be meant", () => {
  const values = ["lunch", "dinner", "breakfast"];
  expect(losses("soup for lunch, not dinner", lunch, values)).toEqual([0, -4, -4]);
  expect(losses("not the dinner, the lunch: soup", lunch, values)).toEqual([0, -4, -4]);
  expect(losses("soup, not too dinner-like, lunch", lunch, values)).toEqual([0, -4, -4]);
  expect(losses("not dinner: soup", lunch, values)).toEqual([0, 0, 0]);
  expect(losses("dinner, not lunch, no, lunch it was: soup", lunch, values)).toEqual([0, 0, -4]);
  expect(losses("not that dinner or lunch", lunch, values)).toEqual([0, 0, -4]);
  for (const request of [
    "why not dinner, soup",
    "soup, whether or not dinner",
    "soup, it's not dinner enough",
    "or not the dinner",
  ])
    expect([request, ...losses(request, lunch, values)]).toEqual([request, -4, 0, -4]);
  expect(losses("in green, not red", ' [{"name":"blink","arguments":{"colors":["', ["green", "red", "blue"])).toEqual([
    0, 0, -4,
  ]);
});

test("a call does not end without a switch that may be left out and whose name's words are said", () => {
  const from = ' [{"name":"find_hotel","arguments":{"city":"Rome"';
  const owes = (request: string, before = from) => losses(request, before, ["}}]"])[0];
  for (const request of ["Rome with Wifi", "no wifi in Rome", "not the wifi", "kids area: Rome", "quiet in Rome"])
    expect([request, owes(request)]).toEqual([request, -4]);
  for (const request of ["Rome", "kids in Rome", "allowed in Rome", "Rome is ok", "free Rome", "tv"])
    expect([request, owes(request)]).toEqual([request, 0]);
  expect(owes("Rome with wifi", `${from},"hasWifi":false`)).toBe(0);
  const other = `${from},"hasWifi":true}}, {"name":"find_hotel","arguments":{"city":"Rome"`;
  expect(losses("wifi", other, ["}}]"], other.lastIndexOf('{"name') - 2)).toEqual([0]);
});

test("a list has values that are said, each once, in the order said, and may end without some", () => {
  const list = ' [{"name":"alarm","arguments":{"days":[';
  const said = "every Tuesday and on Sundays at 7";
  expect(losses(said, list, ['"t', '"s', '"m', '"sat"', '"tue"', "]"])).toEqual([0, -2, -4, -4, 0, 0]);
  expect(losses("sundays and tuesdays", list, ['"t', '"sun"', '"sun","t'])).toEqual([-2, 0, 0]);
  expect(losses("on tuesday, no, sunday", list, ['"t', '"s', '"m'])).toEqual([0, 0, -4]);
  expect(losses(said, `${list}"tue"`, ["]", ',"', ',"t', ',"sun"]', ',"sun","sun"'])).toEqual([0, 0, -8, 0, -8]);
  expect(losses(said, `${list}"tue","sun"`, ["]", ',"', ',"mon"'])).toEqual([0, -4, -4]);
  expect(losses("on monday", `${list}"mon"`, ["]", ',"', ","])).toEqual([0, -4, 0]);
  expect(losses("my money on monday", list, ['"m', '"t'])).toEqual([0, -4]);
  expect(losses("money, sunny, satellite", list, ['"mon"', '"tue"'])).toEqual([0, 0]);
  const call = ' [{"name":"alarm","arguments":{"at":"7"';
  expect(losses(said, call, ["}}]", ',"days":['])).toEqual([-4, 0]);
  expect(losses("at 7", call, ["}}]"])).toEqual([0]);
  const first = `${list}"tue","sun"],"at":"7"}}`;
  expect(losses(said, `${first},{"name":"alarm","arguments":{"days":[`, ['"m', '"t'], first.length)).toEqual([0, 0]);
  const nested = ' [{"name":"alarm","arguments":{"at":{"days":[';
  expect(losses(said, nested, ['"m', '"t', "]"])).toEqual([0, 0, 0]);
});

test("a list has no value twice, also where none is said", () => {
  const list = ' [{"name":"alarm","arguments":{"days":[';
  expect(losses("wake me at 7", `${list}"sat"`, ["]", ',"s', ',"sa', ',"sat"', ',"mon"'])).toEqual([0, 0, -8, -8, 0]);
  expect(losses("wake me on sunday", `${list}"sat"`, [',"sat"', ',"sun"', ',"mon"'])).toEqual([-8, 0, -4]);
  const pattern = ' [{"name":"blink","arguments":{"colors":["red","green"';
  expect(losses("blink red and green", pattern, [',"red"', ',"blue"'])).toEqual([-8, -4]);
  expect(losses("blink red, green, red", pattern, [',"red"', ',"blue"'])).toEqual([0, 0]);
  const free = ' [{"name":"alarm","arguments":{"labels":["tea"';
  expect(losses("wake me on sunday", free, ["]", ',"tea"', ',"sun"'])).toEqual([0, 0, 0]);
});

test("words of two letters are no days: we", () => {
  const days = { type: "array", items: { type: "string", enum: ["mo", "tu", "we", "th", "fr"] } };
  const enums = new Enums("wake us, we leave at 7", ToolSet.from([{ name: "alarm", parameters: { days } }]).tools, 4);
  const text = ' [{"name":"alarm","arguments":{"days":[';
  const row = new Float32Array(2);
  enums.read([...new TextEncoder().encode(text)], 2);
  enums.add(row, row.keys(), (id) => new TextEncoder().encode(['"we', '"mo'][id]));
  expect([...row]).toEqual([0, 0]);
});

test("a group of days has them all, in the enum's order, unless something is taken out", () => {
  const list = ' [{"name":"alarm","arguments":{"days":[';
  expect(losses("on weekdays at 7", list, ['"m', '"tue"', '"s', "]"])).toEqual([0, -4, -4, -8]);
  expect(losses("on weekdays at 7", `${list}"mon","tue"`, ["]", ',"wed"', ',"wed"]', ',"wed","sun"'])).toEqual([
    -8, 0, 0, -4,
  ]);
  expect(losses("saturday to monday", list, ['"mon","sat","sun"]', '"mon","sun"]', '"tue"'])).toEqual([0, -8, -4]);
  expect(losses("every day but sunday", list, ['"mon","tue","wed","sat"]', '"sun"', "]"])).toEqual([0, -4, -8]);
  for (const out of ["weekdays but saturday too", "daily, actually not", "weekdays, no, the weekend"])
    expect(losses(out, list, ['"m', '"s', "]"])).toEqual([0, 0, 0]);
  const call = ' [{"name":"alarm","arguments":{"at":"7"';
  expect(losses("every day at 7", call, ["}}]", ',"days":['])).toEqual([-4, 0]);
  const few = ' [{"name":"plant","arguments":{"light":"';
  expect(losses("sun on weekends", few, ["sun", "shade"])).toEqual([0, -4]);
});

test("the sun of a few values is no Sunday", () => {
  const weather = ' [{"name":"plant","arguments":{"light":"';
  expect(losses("water them on sunday", weather, ["sun", "shade"])).toEqual([0, 0]);
  expect(losses("water them in the sun", weather, ["sun", "shade"])).toEqual([0, -4]);
});

test("of several calls the one that is open counts; a value that stands in one before, or in a string, speaks no more", () => {
  const first = ' [{"name":"log_meal","arguments":{"food":"soup","meal":"lunch","size":"small"}}';
  const next = `${first},{"name":"log_meal","arguments":{"food":"tea","size":"small"`;
  const lunches = "lunch small soup, small tea";
  expect(losses(lunches, next, ["}}]"], first.length)).toEqual([0]);
  expect(losses(lunches, `${next},"meal":"`, ["lunch", "dinner"], first.length)).toEqual([0, 0]);
  const other = ' [{"name":"cafe","arguments":{"drink":"lunch"}}';
  const size = `${other},{"name":"log_meal","arguments":{"size":"`;
  expect(losses("a small lunch", size, ["small", "very"], other.length)).toEqual([0, -4]);
  expect(losses("Lunch soup", lunch.replace("soup", "Lunch soup"), ["l", "d"])).toEqual([0, 0]);
});

test("a word in another form keeps its value, and says none", () => {
  expect(losses("breakfasting at lunch", lunch, ["b", "l", "d"])).toEqual([0, 0, -4]);
  expect(losses("breakfasting", lunch, ["b", "l", "d"])).toEqual([0, 0, 0]);
});

test("a call that the price alone keeps open goes on with a key that it lacks", () => {
  const food = ' [{"name":"log_meal","arguments":{"size":"small"';
  const texts = ["}}]", ',"', ',"f', ',"m', "food", "meal", 'meal":"'];
  const bytesOf = (id: number) => new TextEncoder().encode(texts[id]);
  const enums = new Enums("a small lunch", ToolSet.from(tools).tools, 4);
  const lost = (text: string) => {
    const row = new Float32Array(texts.length);
    enums.read([...new TextEncoder().encode(text)], 2);
    enums.add(row, row.keys(), bytesOf);
    return [...row];
  };
  expect(lost(food)).toEqual([-4, 0, 0, 0, 0, 0, 0]);
  enums.chose(1, 1, bytesOf);
  expect(lost(`${food},"`).slice(4)).toEqual([0, 0, 0]);
  lost(food);
  enums.chose(1, 0, bytesOf);
  expect(lost(`${food},"`).slice(4)).toEqual([-20, 0, 0]);
  expect(lost(`${food},"food":"tea"`)).toEqual([-4, 0, 0, 0, 0, 0, 0]);
});

test("an enum behind a reference counts, and one that may be null", () => {
  const meal = { enum: ["breakfast", "lunch"] };
  for (const schema of [
    { $ref: "#/$defs/meal" },
    { anyOf: [{ $ref: "#/$defs/meal" }, { type: "null" }] },
    { ...meal, nullable: true },
  ]) {
    const inputSchema = { type: "object", properties: { meal: schema }, $defs: { meal } };
    const row = new Float32Array(2);
    const bytes = [...new TextEncoder().encode(' [{"name":"eat","arguments":{"meal":"')];
    const set = ToolSet.from([{ name: "eat", inputSchema }]);
    const enums = new Enums("lunch", set.tools, 4);
    enums.read(bytes, 2);
    enums.add(row, row.keys(), (id) => new TextEncoder().encode(["b", "l"][id]));
    expect([...row]).toEqual([-4, 0]);
  }
});

test("arguments are read alike in one piece and byte by byte: keys, strings under them, and their end", () => {
  const text = String.raw`"a":"x\"}","b":[{"c":"}"},["d"]],"e":{"f":"g","n":["o"]},"h":"i","j":["k",{"m":"n"},"l"]}}`;
  const whole = new Arguments(text);
  const keys = ['"a"', '"b"', '"e"', '"h"', '"j"'];
  expect([whole.keys, whole.isClosed]).toEqual([keys, true]);
  const under = [String.raw`"a""x\"}"`, '"h""i"', '"j""k"', '"j""l"'];
  expect(whole.values.map(({ key, text }) => key + text)).toEqual(under);
  expect(whole.values.map(({ before }) => before)).toEqual([[], [], [], ['"k"']]);
  let grown = new Arguments();
  const values: string[] = [];
  for (const char of text) {
    grown = grown.with(char);
    values.push(...grown.values.flatMap(({ key, text, isWhole }) => (isWhole ? [key + text] : [])));
  }
  expect([grown.keys, grown.isClosed, values]).toEqual([keys, true, under]);
});
