/** What the contrastive head's scores do to the choice of a tool. */
import { expect, test } from "bun:test";
import { Lean } from "../runtime/answer/lean.ts";
import { load } from "../runtime/index.ts";
import { genericCalibration } from "../runtime/pack/calibration.ts";
import { apartPack, limits, toolsOf } from "./apart.ts";

const pack = await apartPack();
const requests = ["the oven of room nine", "zebra crossing", "play", "please heat it up to 12"];
const modelWith = (lean?: { tool: number; none: number }) =>
  load(pack, { ...limits, calibration: { ...genericCalibration, ...(lean && { lean }) } });

const texts = ["", "[]", '[{"', "name", '":"', "set", "_", "timer", "_one", '"', "call"];
const bytesOf = (id: number) => new TextEncoder().encode(texts[id]);
const maskOf = (...ids: number[]) => Uint32Array.of(ids.reduce((bits, id) => bits | (1 << id), 0));
/** Logits after a text, from zero. */
function leant(lean: Lean, text: string, ...ids: number[]): number[] {
  const row = new Float32Array(32);
  lean.add(row, maskOf(...ids), [...new TextEncoder().encode(text)], bytesOf);
  return [...row.slice(0, texts.length)];
}

test("a token gets the best of the tools that it can lead to, less the best of all; calling none has a weight of its own, at most the best", () => {
  const lean = new Lean(["set_timer", "set_timer_one", "call"], [0.25, 0.5, 0.75], [0, 0, 0], { tool: 8, none: 5 });
  expect(leant(lean, "", 1, 2)).toEqual([0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const doubtful = new Lean(["set_timer", "call"], [0.25, 0.125], [0, 0, 0], { tool: 8, none: 5 });
  expect(leant(doubtful, "", 1, 2)).toEqual(texts.map(() => 0));
  expect(leant(lean, '[{"name":"', 5, 10)).toEqual([0, 0, 0, 0, 0, -2, 0, 0, 0, 0, 0]);
  expect(leant(lean, '[{"name":"set_timer', 8, 9)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, -2, 0]);
});

test("only the first name is leant on, whether or not a space stands before all", () => {
  const lean = new Lean(["set_timer", "call"], [0.25, 0.75], [0, 0, 0], { tool: 8, none: 0 });
  const none = texts.map(() => 0);
  expect(leant(lean, ' [{"name":"', 5, 10)[5]).toBe(-4);
  for (const text of ['[{"name":"set_timer"', '[{"name":"call","arguments":{}},{"name":"', "[]"])
    expect(leant(lean, text, 5, 10)).toEqual(none);
});

test("with weight enough the tool that ranks first is called", async () => {
  const [usual, ranked] = [await modelWith(), await modelWith({ tool: 1e4, none: 0 })];
  const tools = toolsOf(7);
  let moved = 0;
  for (const request of requests) {
    const [first] = await ranked.rank(request, tools);
    const { calls } = await ranked.call(request, tools);
    expect(calls[0]?.name ?? (first.score < 0 ? first.name : "none")).toBe(first.name);
    moved += Number((await usual.call(request, tools)).calls[0]?.name !== first.name);
  }
  expect(moved).toBeGreaterThan(0);
});

test("of many tools the scores stay with the tools that are offered", async () => {
  const ranked = await modelWith({ tool: 1e4, none: -0 });
  for (const request of requests) {
    const tools = toolsOf(30);
    const [first] = await ranked.rank(request, tools);
    if (first.score > 0) expect((await ranked.call(request, tools)).calls[0].name).toBe(first.name);
  }
});

test("a calibration that says nothing changes no answer, nor does one in a free answer", async () => {
  const [usual, zero] = [await modelWith(), await modelWith({ tool: 0, none: 0 })];
  const strong = await modelWith({ tool: 1e4, none: 0 });
  for (const request of requests) {
    const tools = toolsOf(5);
    expect((await zero.call(request, tools)).tokens).toEqual((await usual.call(request, tools)).tokens);
    const free = { grammar: false } as const;
    expect((await strong.call(request, tools, free)).tokens).toEqual((await usual.call(request, tools, free)).tokens);
  }
});

test("a calibration with a weight that is no number from 0 is refused", async () => {
  for (const lean of [
    { tool: -1, none: 0 },
    { tool: 1, none: Number.NaN },
    { tool: 1 } as { tool: number; none: number },
  ])
    expect(modelWith(lean)).rejects.toThrow("calibration: expected what `thimble calibrate` writes");
});
