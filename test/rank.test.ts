import { expect, test } from "bun:test";
import { offered, ranking } from "../runtime/answer/rank.ts";
import { load } from "../runtime/index.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { lexicalScores } from "../runtime/tools/words.ts";
import { oddGeometry, packOf, randomCheckpoint } from "./support.ts";

const watch = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
const thimble = await load();

test("words rank the tool whose name, parameters or enums they are; equal scores keep their order", () => {
  const set = ToolSet.from(watch);
  const first = (request: string) => set.tools[ranking(lexicalScores(request, set))[0]].name;
  expect(first("start a timer")).toBe("set_timer");
  expect(first("lights please")).toBe("set_lights");
  expect(first("some music by an artist")).toBe("play_music");
  expect(ranking(lexicalScores("xyzzy", set))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(ranking([1, 3, 3, 2])).toEqual([1, 2, 3, 0]);
});

test("a word counts half where one begins the other and the shorter has four letters", () => {
  const scores = (request: string, name: string) => lexicalScores(request, ToolSet.from([{ name }]))[0];
  for (const [request, name] of [
    ["cards", "card"],
    ["card", "cards"],
  ])
    expect(scores(request, name)).toBe(scores(name, name) / 2);
  for (const [request, name] of [
    ["cars", "car"],
    ["car", "cars"],
    ["scar", "car"],
  ])
    expect(scores(request, name)).toBe(0);
});

test("an offer is the union of the rankings' first, the likeliest first, and twice as wide where they disagree", () => {
  const up = [0, 1, 2, 3, 4, 5, 6, 7];
  const near = [1, 0, 3, 2, 4, 5, 6, 7];
  const down = [7, 6, 5, 4, 3, 2, 1, 0];
  expect(offered(2, [up, near])).toEqual([0, 1, 2, 3]);
  expect(offered(1, [up, down])).toEqual([0, 7, 1, 6, 2, 5, 3, 4]);
  expect(offered(1, [up, near])).toEqual([0, 1]);
  expect(offered(1, [up])).toEqual([0, 1]);
  expect(offered(4, [near])).toEqual([1, 0, 3, 2, 4, 5]);
});

test("the contrastive head ranks the right watch tool first; so does a pack without it, by words", async () => {
  const requests = {
    "wake me at 7:15 tomorrow": "set_alarm",
    "will it rain in Oslo": "get_weather",
    "tell anna i'm late": "send_message",
  };
  for (const [request, name] of Object.entries(requests)) {
    const ranked = await thimble.rank(request, watch);
    expect(ranked[0].name).toBe(name);
    expect(ranked.map(({ score }) => score)).toEqual(ranked.map(({ score }) => score).sort((a, b) => b - a));
  }
  const plain = await load(
    await packOf(randomCheckpoint({ ...oddGeometry, contrastiveHidden: 0, contrastiveDim: 0 }, 1)),
  );
  expect((await plain.rank("turn the lights off", watch))[0].name).toBe("set_lights");
  await expect(plain.vectorOf("x")).rejects.toThrow("expected a pack with a contrastive head");
});

test("offering fewer tools keeps the answer; calls and ranking share a session without waiting for each other", async () => {
  const all = await thimble.call("wake me at 7:15 tomorrow", watch);
  const [few, ranked] = await Promise.all([
    thimble.call("wake me at 7:15 tomorrow", watch, { offer: 2 }),
    thimble.rank("wake me at 7:15 tomorrow", watch),
  ]);
  expect(few.calls).toMatchObject([{ name: "set_alarm", arguments: { time: "7:15", date: "tomorrow" } }]);
  expect(few.timings.tools.offered).toBeLessThan(all.timings.tools.offered);
  expect(ranked[0].name).toBe("set_alarm");
  await expect(thimble.call("x", watch, { offer: 0 })).rejects.toThrow("offer: expected an integer from 1");
});

test("the vector of a text is the same whatever was computed before", async () => {
  const first = await thimble.vectorOf("set a timer for 5 minutes");
  await thimble.call("tell anna i'm late", watch);
  expect(await thimble.vectorOf("set a timer for 5 minutes")).toEqual(first);
});
