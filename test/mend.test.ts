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
  ["a doubled letter once, a letter twice", "gril, bakking, prreheat", "gril, baking, preheat"],
  ["a capital where a request begins", "Prehaet it", "preheat it"],
  ["all in capitals", "PREHAET IT", "preheat it"],
  ["before a mark", "start tiemr. ovne, baknig!", "start timer. oven, baking!"],
])("%s is read as the tools' word", (_, typed, meant) => {
  expect(read(typed)).toBe(meant);
});

test.each([
  ["words that the tools have", "preheat the oven"],
  ["words that begin theirs, or that theirs begin", "preheating, convect, timers"],
  ["another letter, one more or one less", "preheet grll ovens kithen tigers"],
  ["another first letter, two slips", "rpeheat perhaet"],
  ["names", "tell Tiemr and Ovne"],
  ["numbers, and words with digits", "1000 100000 10 000, ovne2, kitchne1"],
  ["addresses, names of files and parts of words", "tiemr.txt a@tiemr.com /tiemr tiemr's re-tiemr tiemr_1 “tiemr”"],
  ["other scripts, letters with marks", "ovné Ofen печь tiemr\u0303"],
])("%s stay", (_, typed) => {
  expect(read(typed)).toBe(readRequest(typed).text);
});

test("a word that the model knows stays, and one that might be two of the tools'", () => {
  expect(read("tiemr", (word) => word === "tiemr")).toBe("tiemr");
  const two = ToolSet.from([{ name: "open_acbde", description: "The abdce.", parameters: {} }]);
  expect(mended(readRequest("abcde acbed"), two, none).text).toBe("abcde acbde");
});

test("what is said rightly elsewhere in a request is meant there, and the other word is copied", () => {
  expect(read("a timer labelled tiemr")).toBe("a timer labelled tiemr");
  expect(read("a tiemr labelled timer")).toBe("a tiemr labelled timer");
  expect(read("a tiemr labelled tmier")).toBe("a timer labelled tmier");
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
  const isEither = (a: string, b: string) => isSlip(a, b) && isSlip(b, a);
  expect(isEither("oven", "ovne")).toBe(true);
  expect(isEither("coffee", "cofee")).toBe(true);
  expect(isEither("coffee", "cofffee")).toBe(true);
  expect(isEither("degrees", "degress")).toBe(false);
  for (const [a, b] of [
    ["garbage", "garage"],
    ["unblock", "unlock"],
    ["rewind", "remind"],
    ["massage", "message"],
    ["replay", "reply"],
    ["on", "no"],
    ["grill", "gril"],
    ["kitchen", "kithcne"],
    ["timer", "imter"],
  ])
    expect([a, isSlip(a, b), isSlip(b, a)]).toEqual([a, false, false]);
});

test("a long list and a long request cost little: as many words of the tools are looked at as begin alike", () => {
  const index = ToolSet.from([{ name: "a", description: "x".repeat(2000), parameters: {} }]);
  const long = "tiemr ".repeat(400).trim();
  expect(mended(readRequest(long), index, none).text).toBe(long);
  expect(read(long)).toBe(long);
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
