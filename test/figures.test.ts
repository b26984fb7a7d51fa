/** Numbers that a request says, and what they cost to leave. Cases, for implementations in other languages too: fixtures/figures.json. */
import { expect, test } from "bun:test";
import { Figures, type Takes } from "../runtime/answer/figures.ts";
import { extremesIn } from "../runtime/text/extremes.ts";
import extremes from "./fixtures/extremes.json" with { type: "json" };
import cases from "./fixtures/figures.json" with { type: "json" };

for (const [request, keys] of cases as unknown as [string, Record<string, string[]>][])
  test(`"${request}": numbers that may stand under ${Object.keys(keys).join(", ")}`, () => {
    const figures = new Figures(request, 8);
    for (const [key, texts] of Object.entries(keys))
      expect([key, figures.under(key).toSorted()]).toEqual([key, texts.toSorted()]);
  });

/** What ids with some texts lose after a text. */
function losses(request: string, before: string, texts: string[], takes: Takes = () => true): number[] {
  const row = new Float32Array(texts.length);
  const bytesOf = (id: number) => new TextEncoder().encode(texts[id]);
  new Figures(request, 8).add(row, texts.keys(), [...new TextEncoder().encode(before)], bytesOf, takes);
  return [...row];
}

const placeOf = (figures: Figures, key: string, value: number) =>
  figures.placesOf(key, value)[0] ?? figures.boundOf(key, value);

test("what begins, goes on with or ends an unsaid number pays, where another leads to one that is said", () => {
  expect(losses("slept 6.5 hours", '{"hours":', ["6", "7", "60", "-", '"'])).toEqual([0, -8, -8, -8, 0]);
  expect(losses("slept 6.5 hours less", '{"hours":', ["6", "7", "-"])).toEqual([0, -8, 0]);
  expect(losses("slept 6.5 hours", '{"hours":-', ["6", "7"])).toEqual([0, -8]);
  expect(losses("at half past 6", '{"hour":', ["6", "7", "-"])).toEqual([0, -8, -8]);
  expect(losses("slept 6.5 hours", '{"hours":6', [".", "5", "}}]", ',"'])).toEqual([0, -8, 0, 0]);
  expect(losses("slept 6.5 hours", '{"amount":6', [".", "5", "}}]", ',"'])).toEqual([0, -8, -8, -8]);
  expect(losses("slept 6.5 hours", '{"amount":6.5', ["}}]", ',"', "0", "5"])).toEqual([0, 0, -8, -8]);
  expect(losses("at 7 and 19", '{"hours":[7,1', ["9]", "9", "]", "0"])).toEqual([0, 0, -8, -8]);
});

test("below nothing is what the request or the schema says so of", () => {
  const from = (least: number) => (text: string) => !/^(?:":)?-/.test(text) || Number(text.replace('":', "")) >= least;
  for (const before of ['{"gate', '{"gate":'])
    for (const [request, least, loss] of [
      ["the sixth gate", Number.NEGATIVE_INFINITY, -8],
      ["the sixth gate", -100, 0],
      ["6 gates back", Number.NEGATIVE_INFINITY, 0],
    ] as const) {
      const lead = before.endsWith(":") ? "" : '":';
      expect(losses(request, before, [`${lead}6`, `${lead}-`], from(least))).toEqual([0, loss]);
    }
});

test("a piece that ends the key may begin the number; one that only ends the key leads on", () => {
  expect(losses("minus 20 in here", '{"degrees', ['":', '":2', '":-', '":-2'])).toEqual([0, -8, 0, 0]);
});

test("nothing pays outside of numbers, in strings of digits, or where no id leads to what is said", () => {
  expect(losses("at 7", '{"time":"', ["8", "7"])).toEqual([0, 0]);
  expect(losses("at 7", '{"time":"1', ["8", "7"])).toEqual([0, 0]);
  expect(losses("at 7", '[{"name":"set_7', ["8", "7"])).toEqual([0, 0]);
  expect(losses("at 7", '{"hour":', ["8", "9"])).toEqual([0, 0]);
  expect(losses("play jazz", '{"hour":', ["8", "9"])).toEqual([0, 0]);
});

for (const [text, asked] of extremes)
  test(`${JSON.stringify(text)} asks for ${asked || "neither the most nor the least"}`, () => {
    const isEither = asked === "either";
    expect(extremesIn(text)).toMatchObject({
      most: isEither || asked === "most",
      least: isEither || asked === "least",
    });
  });

test("what is at its most or least is what the schema takes at that, beside numbers that are said", () => {
  const within = (least: number, most: number, before: string) => (text: string) => {
    const digits = (before + text).replace(/^":/, "");
    return /^-?[0-9]+(?:[.][0-9]+)?$/.test(digits) && Number(digits) >= least && Number(digits) <= most;
  };
  const figures = (request: string, least: number, most: number) => {
    const all = new Figures(request, 8);
    return (before: string, texts: string[]): number[] => {
      const row = new Float32Array(texts.length);
      const bytesOf = (id: number) => new TextEncoder().encode(texts[id]);
      const [, digits = ""] = /:(-?[0-9]*)$/.exec(before) ?? [];
      const takes = within(least, most, digits);
      all.add(row, texts.keys(), [...new TextEncoder().encode(before)], bytesOf, takes);
      return [...row];
    };
  };
  const loud = figures("full volume", 0, 100);
  expect(loud('{"level":', ["5", "1", "0"])).toEqual([-8, 0, -8]);
  expect(loud('{"level":1', ["0", "5", "}}]"])).toEqual([0, -8, -8]);
  expect(loud('{"level":10', ["0", "}}]"])).toEqual([0, -8]);
  expect(loud('{"level', ['":5', '":10', '":'])).toEqual([-8, 0, 0]);
  expect(figures("the coldest", -30, -10)('{"degrees":', ["-", "1", "0"])).toEqual([0, -8, -8]);
  expect(figures("turn it all the way", 0, 7)('{"level":', ["0", "3", "7"])).toEqual([0, -8, 0]);
  expect(figures("3 at the lowest", 1, 7)('{"level":', ["1", "3", "7"])).toEqual([0, 0, -8]);
  expect(figures("the coldest", -9, -5)('{"degrees":-', ["9", "5"])).toEqual([0, -8]);
  expect(figures("full heat", 1, 10.25)('{"heat":', ["1", "2"])).toEqual([0, 0]);
  const back = '{"seconds":';
  expect(figures("back ten seconds", -60, 60)(back, ["-", "1"])).toEqual([0, -8]);
  expect(figures("back ten seconds", -60, 60)(`${back}-`, ["10", "5"])).toEqual([0, -8]);
  expect(figures("back ten seconds", Number.NEGATIVE_INFINITY, 60)(back, ["-", "1"])).toEqual([0, 0]);
  expect(figures("back ten seconds", 0, 60)(back, ["-", "1"])).toEqual([-8, 0]);
  expect(figures("back to ten seconds", -60, 60)(back, ["-", "1"])).toEqual([0, 0]);
  expect(figures("undo and go on, ten", -60, 60)(back, ["-", "1"])).toEqual([0, 0]);
  expect(figures("undo and go on, ten", 0, 60)(back, ["-", "1"])).toEqual([-8, 0]);
  expect(figures("10 ahead, back 10", -60, 60)(back, ["-", "1"])).toEqual([0, 0]);
  const bright = new Figures("Make it as bright as it goes", 8);
  const ids = ["1", "5"].map((text) => new TextEncoder().encode(text));
  expect(placeOf(bright, "level", 100)).toBeUndefined();
  const before = [...new TextEncoder().encode('{"level":')];
  bright.add(new Float32Array(2), ids.keys(), before, (id) => ids[id], within(0, 100, ""));
  expect(placeOf(bright, "level", 100)).toMatchObject({ start: 8, end: 20 });
  expect(placeOf(bright, "level", 50)).toBeUndefined();
  // Where there is no bound, and where there is one number alone, nobody knows what is meant.
  expect(figures("full volume", 0, Number.POSITIVE_INFINITY)('{"level":', ["5", "1"])).toEqual([0, 0]);
  expect(figures("full volume", 0, 2000)('{"level":', ["2", "1"])).toEqual([0, 0]);
  expect(figures("full volume", 4, 4)('{"level":', ["4"])).toEqual([0]);
});

test("a number beside a unit says nothing under a key of another, of its kind or not", () => {
  const says = (request: string, key: string) => {
    const [digits] = /[0-9]+/.exec(request) ?? [""];
    const [figures, start] = [new Figures(request, 8), request.indexOf(digits)];
    return [
      !figures.countsOther(key, { start, end: start + digits.length }),
      placeOf(figures, key, Number(digits)) !== undefined,
    ];
  };
  for (const [request, key] of [
    ["pour 20 ounces", "amount_ml"],
    ["row 5 miles", "kilograms"],
    ["bake 200 g", "centimetres"],
    ["wait 30 seconds", "minutes"],
    ["drink 2 cups", "amount_ml"],
    ["drink 3 large glasses", "litres"],
    ["add 2 Spoons", "grams"],
  ])
    expect([request, ...says(request, key)]).toEqual([request, false, false]);
  for (const [request, key] of [
    ["pour 20 ml", "amount_ml"],
    ["pour 20 ounces", "amount"],
    ["pour 20", "amount_ml"],
    ["row 500 m", "meters"],
    ["run 20 ml an hour", "ml_per_hour"],
    ["drink 2000 a day", "goal_ml"],
    ["30 seconds more", "seconds"],
    ["drink 2 cups", "cups"],
    ["drink 2 cups", "count"],
    ["pour 200 into cup 2", "ml"],
    ["take 500 ml bottles", "ml"],
    ["rest for 2 cups", "minutes"],
  ])
    expect([request, ...says(request, key)]).toEqual([request, true, true]);
});

test("by how much is no level: a number after by, or before a comparative", () => {
  const counts = (request: string, key = "volume") => {
    const start = request.search(/[0-9]+/);
    return new Figures(request, 8).countsOther(key, { start, end: start + (/[0-9]+/.exec(request)?.[0].length ?? 0) });
  };
  for (const one of [
    "up by 5",
    "By 5 please",
    "10 percent brighter",
    "10% louder",
    "3 Higher",
    "volume up 5",
    "Down 3 degrees",
    "3 notches down",
    "brightness 20 more",
    "5% less",
    "10 percent more",
    "1 step",
  ])
    expect([one, counts(one)]).toEqual([one, true]);
  for (const one of [
    "volume 5",
    "standby 5",
    "to 10 percent",
    "10 percent, louder",
    "5 era",
    "up to 5",
    "countdown 5",
    "5 notched",
    "setup 5",
    "at 50% power",
    "at 50 percent power",
    "to 21 after dinner",
    "to 40 over night",
    "stars 4 or more",
    "to 20 or less",
    "to 30 no more",
  ])
    expect([one, counts(one)]).toEqual([one, false]);
  expect(counts("longer by 5 more", "seconds")).toBe(false);
  expect(placeOf(new Figures("raise the volume by 5", 8), "level", 5)).toBeUndefined();
  expect(placeOf(new Figures("raise the level to 5", 8), "level", 5)).toMatchObject({ start: 19, end: 20 });
  expect(placeOf(new Figures("wait for 5", 8), "seconds", 5)).toMatchObject({ start: 9, end: 10 });
});

test('what the schema does not take is none of those that are said; by a clock of 24 "8 pm" is 20 alone', () => {
  const most =
    (limit: number, from = "") =>
    (text: string) =>
      Number(from + text) <= limit;
  expect(losses("180 degrees, level 3", '{"level":', ["1", "3"], most(9))).toEqual([-8, 0]);
  expect(losses("level 180", '{"level":', ["1", "3"], most(9))).toEqual([0, 0]);
  expect(losses("wake me at 8 pm", '{"hour":', ["8", "2", "1"], most(23))).toEqual([-8, 0, -8]);
  expect(losses("wake me at 8 pm", '{"hour":', ["8", "2", "1"], most(12))).toEqual([0, -8, -8]);
  expect(losses("wake me at 1 pm", '{"hour":1', ["3", ","], most(23, "1"))).toEqual([0, -8]);
  expect(losses("wake me at 1 pm", '{"hour":1', ["3", ","], most(12, "1"))).toEqual([-8, 0]);
  const after = (text: string) => text.startsWith('":') && Number(text.slice(2)) <= 23;
  expect(losses("wake me at 8 pm", '{"hour', ['":', '":8', '":2', '":1'], after)).toEqual([0, -8, 0, -8]);
});
