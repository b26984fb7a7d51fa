/** A request's slips of the thumb beside the tools' own words. */
import { expect, test } from "bun:test";
import { load, ToolSet } from "../runtime/index.ts";
import { readRequest } from "../runtime/text/request.ts";
import { isSlip, mended } from "../runtime/tools/mend.ts";

const tools = ToolSet.from([
  {
    name: "preheat_oven",
    description: "Heats the oven to a temperature before baking.",
    parameters: {
      degrees: { type: "integer", minimum: 30, maximum: 10000, required: true },
      mode: { type: "string", enum: ["grill", "convection"] },
    },
  },
  { name: "set_timer", description: "Starts a kitchen timer.", parameters: { label: { type: "string" } } },
]);

const none = () => false;
const read = (text: string, isKnown: (word: string) => boolean = none) =>
  mended(readRequest(text), tools, isKnown).text;

test.each([
  ["two letters exchanged", "perheat the ovne", "preheat the oven"],
  ["a letter left out, or too many", "prehat to convecction", "preheat to convection"],
  ["another letter", "preheet it", "preheat it"],
  ["a capital where a request begins", "Prehaet it", "preheat it"],
  ["all in capitals", "PREHAET IT", "preheat it"],
])("%s is read as the tools' word", (_, typed, meant) => {
  expect(read(typed)).toBe(meant);
});

test.each([
  ["words that the tools have", "preheat the oven"],
  ["words that begin theirs, or that theirs begin", "preheating, convect, timers"],
  ["a short word with another letter", "the even, the over, times"],
  ["another first letter", "breheat the aven"],
  ["names", "tell Tiemr and Gril"],
  ["numbers, and words with digits", "1000 100000 10 000, ovne2, kitchen1"],
  ["two slips in one word", "perhaet it"],
  ["other scripts", "ovné Ofen печь"],
])("%s stay", (_, typed) => {
  expect(read(typed)).toBe(typed);
});

test("a word that the model knows stays, and one that might be two of the tools'", () => {
  expect(read("tiemr", (word) => word === "tiemr")).toBe("tiemr");
  const garden = ToolSet.from([{ name: "open_planner", description: "Moves a planter.", parameters: {} }]);
  expect(mended(readRequest("plannr, plante, plannter"), garden, none).text).toBe("planner, plante, plannter");
});

test("every part of what is read stands where it was typed", () => {
  const request = mended(readRequest("  prehaet   the  ovne to 200, tiemr “tea”"), tools, none);
  expect(request.text).toBe('preheat the oven to 200, timer "tea"');
  for (const [word, typed] of [
    ["preheat", "prehaet"],
    ["the", "the"],
    ["oven", "ovne"],
    ["200", "200"],
    ["timer", "tiemr"],
    ['"tea"', "“tea”"],
  ]) {
    const at = request.text.indexOf(word);
    const { start, end } = request.typedSpan(at, at + word.length);
    expect(request.typed.slice(start, end)).toBe(typed);
  }
});

test("a slip is one, in either word", () => {
  expect(isSlip("oven", "ovne") && isSlip("ovne", "oven")).toBe(true);
  expect(isSlip("kitchen", "kitchn") && isSlip("kitchn", "kitchen")).toBe(true);
  expect(isSlip("grill", "gril")).toBe(false);
  expect(isSlip("timers", "tigers")).toBe(true);
  expect(isSlip("timer", "tiger")).toBe(false);
  expect(isSlip("kitchen", "kithcne")).toBe(false);
  expect(isSlip("timer", "imter")).toBe(false);
});

test("a call has what was typed, and its sources stand there", async () => {
  const model = await load();
  const list = ToolSet.from([
    {
      name: "send_message",
      description: "Sends a message to a person.",
      parameters: { person: { type: "string", required: true }, text: { type: "string", required: true } },
    },
    {
      name: "set_brightness",
      description: "Sets the brightness of the screen.",
      parameters: { level: { type: "integer" } },
    },
  ]);
  const { calls } = await model.call("messgae anna that the brigtness is fine", list);
  expect(calls.map(({ name, arguments: args }) => [name, args])).toEqual([
    ["send_message", { person: "anna", text: "the brigtness is fine" }],
  ]);
  const { text } = calls[0].sources;
  expect("messgae anna that the brigtness is fine".slice(text.start, text.end)).toBe("the brigtness is fine");
  const dimmed = await model.call("brigtness 40", list);
  expect(dimmed.calls.map(({ name, arguments: args }) => [name, args])).toEqual([["set_brightness", { level: 40 }]]);
});
