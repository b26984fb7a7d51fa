/** What a trace says of an answer, and that the answer is the same with it. */
import { expect, test } from "bun:test";
import { type CallOptions, load } from "../runtime/index.ts";
import shipped from "../runtime/model/calibration.json" with { type: "json" };
import type { Calibration } from "../runtime/pack/calibration.ts";
import watch from "../tools/watch.json" with { type: "json" };
import { oddGeometry, packOf, randomCheckpoint } from "./support.ts";

const requests = [
  "tell anna i am running late and wake me at 7:15 tomorrow",
  "what is the meaning of life",
  "take a picture take a picture, text zoë “ça va”",
];
const ways: CallOptions[] = [{}, { force: false }, { grammar: false }, { calls: "one" }, { calls: "at most one" }];

test("answers are the same with a trace, which has a token each and is JSON", async () => {
  const random = await load(await packOf(randomCheckpoint({ ...oddGeometry, vocabSize: 4096 }, 9)), {
    answerTokens: 48,
  });
  for (const model of [await load(), random]) {
    for (const request of requests) {
      for (const way of ways) {
        const { timings: _, ...plain } = await model.call(request, watch, way);
        const { timings, trace = [], ...traced } = await model.call(request, watch, { ...way, trace: true });
        expect(traced).toEqual(plain);
        expect("trace" in plain).toBe(false);
        expect(trace.map(({ id }) => id)).toEqual(traced.tokens);
        expect(trace.filter(({ forced }) => forced)).toHaveLength(timings.forcedTokens);
        expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
      }
    }
  }
});

test("candidates: itself first, in order, with shares of what was allowed", async () => {
  // What leaning passed over was allowed, and wanted.
  const { lean: _, ...calibration } = shipped;
  const model = await load(undefined, { calibration: calibration as Calibration });
  for (const way of ways) {
    const { trace = [], calls } = await model.call(requests[0], watch, { ...way, trace: true });
    const decided = trace.filter(({ forced }) => !forced);
    expect(decided.length).toBeGreaterThan(3);
    for (const { id, top, allowed, margin, wanted, forced } of trace) {
      if (forced) expect({ top, allowed, margin, wanted }).toEqual({ top: [], allowed: 1, margin: null, wanted: null });
      else {
        expect(top[0].id).toBe(id);
        expect(top).toHaveLength(Math.min(5, allowed));
        const shares = top.map(({ logProb }) => Math.exp(logProb));
        expect(shares).toEqual(shares.toSorted((a, b) => b - a));
        const sum = shares.reduce((total, share) => total + share, 0);
        expect(sum).toBeLessThanOrEqual(1.0001);
        if (allowed <= 5) expect(sum).toBeCloseTo(1, 4);
        if (margin !== null) expect(margin).toBeCloseTo(top[0].logProb - top[1].logProb, 4);
        // Only what was not allowed can have been wanted more.
        if (wanted) expect(top.map((one) => one.id)).not.toContain(wanted.id);
        if (wanted) expect(wanted.logProb).toBeGreaterThanOrEqual(top[0].logProb);
        if (way.grammar === false) expect(wanted).toBeNull();
      }
    }
    const last = calls.at(-1);
    if (calls.length === 1 && last)
      expect(decided.reduce((sum, { top }) => sum + top[0].logProb, 0)).toBeLessThanOrEqual(
        last.certainty.call.logProb + 1e-4,
      );
  }
});

test("an answer and its trace are the same where memory grows under every await", async () => {
  const model = await load();
  const request = "start running for half an hour";
  const answer = async () => {
    const { text, calls, trace } = await model.call(request, watch, { trace: true });
    return { text, calls, trace: trace?.map(({ ms: _, ...token }) => token) };
  };
  const want = await answer();
  let isDone = false;
  const got = answer().finally(() => {
    isDone = true;
  });
  for (let turns = 0; !isDone && turns < 2000; turns++) {
    model.inside.memory.grow(1);
    await null;
  }
  expect(await got).toEqual(want);
});
