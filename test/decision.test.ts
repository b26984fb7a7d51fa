import { expect, test } from "bun:test";
import { confidenceOf, decide, featuresOf, together } from "../runtime/answer/decision.ts";
import { load } from "../runtime/index.ts";
import { checkProfile, type Feature, features, type Profile } from "../runtime/pack/profile.ts";
import { fit } from "../tools/calibrate.ts";
import { seeded } from "./support.ts";

const zeros = Object.fromEntries(features.map((name) => [name, 0])) as Record<Feature, number>;
const profile: Profile = { version: 1, weights: { ...zeros, bias: 0 }, act: 0.9, confirm: 0.6 };

test("risk raises the bar: safe acts from the threshold on, confirm from halfway to certainty, danger never", () => {
  const said = (confidence: number) =>
    (["safe", "confirm", "danger"] as const).map((risk) => decide(confidence, risk, profile));
  expect(said(0.97)).toEqual(["act", "act", "confirm"]);
  expect(said(0.92)).toEqual(["act", "confirm", "confirm"]);
  expect(said(0.7)).toEqual(["confirm", "confirm", "ask"]);
  expect(said(0.5)).toEqual(["ask", "ask", "ask"]);
});

test("an answer is as careful as its most doubtful call; without calls it is none", () => {
  expect(together(["act", "ask", "confirm"])).toBe("ask");
  expect(together(["act", "confirm"])).toBe("confirm");
  expect(together(["act"])).toBe("act");
  expect(together([])).toBe("none");
});

test("features are capped, so that an infinite margin stays a number", () => {
  const sure = { logProb: 0, margin: Number.POSITIVE_INFINITY };
  const values = featuresOf(
    { name: sure, call: { logProb: -50, margin: 0.5 }, runnerUp: null },
    { a: { from: "nowhere", grounded: false } },
    0,
  );
  expect(values).toEqual({
    bias: 1,
    nameMargin: 8,
    nameLogProb: 0,
    callMargin: 0.5,
    callLogProb: -8,
    ungrounded: 1,
    others: 0,
  });
});

test("a fit recovers how likely calls are right, and its thresholds keep their promise on other calls", () => {
  const random = seeded(1);
  const samples = Array.from({ length: 2000 }, () => {
    const values = { ...zeros, bias: 1, callMargin: random() * 8, ungrounded: random() < 0.2 ? 1 : 0 };
    const truth = 1 / (1 + Math.exp(-(values.callMargin - 2 - 3 * values.ungrounded)));
    return { values, truth, right: random() < truth };
  });
  const fitted = fit(samples.slice(0, 1000), 0.95, 0.7);
  const rest = samples.slice(1000);
  const off =
    rest.reduce((sum, { values, truth }) => sum + Math.abs(confidenceOf(values, fitted) - truth), 0) / rest.length;
  expect(off).toBeLessThan(0.05);
  const shareAbove = (threshold: number) => {
    const above = rest.filter(({ values }) => confidenceOf(values, fitted) >= threshold);
    return above.filter(({ right }) => right).length / above.length;
  };
  expect(shareAbove(fitted.act)).toBeGreaterThan(0.92);
  expect(shareAbove(fitted.confirm)).toBeGreaterThan(0.65);
  expect(fitted.act).toBeGreaterThan(fitted.confirm);
});

test("with too few calls to promise anything, a fit never acts", () => {
  const few = Array.from({ length: 10 }, () => ({ values: { ...zeros, bias: 1 }, right: true }));
  expect(fit(few, 0.95, 0.7)).toMatchObject({ act: 1, confirm: 1 });
});

test("what is no profile is refused", () => {
  expect(() => checkProfile({ version: 1, weights: {}, act: 1, confirm: 0 })).toThrow("calibrate again");
  expect(() => checkProfile({ ...profile, confirm: 0.95 })).toThrow(TypeError);
  expect(checkProfile(profile)).toBe(profile);
});

test("the model that ships acts on a clear request, is more careful with a dangerous tool, and a profile can be given", async () => {
  const watch = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
  const thimble = await load();
  const clear = await thimble.call("set a timer for 10 minutes", watch);
  expect(clear.decision).toBe("act");
  expect(clear.calls[0].confidence).toBeGreaterThan(thimble.profile.act);
  const danger = watch.map((tool: { name: string }) => ({ ...tool, annotations: { destructiveHint: true } }));
  const risky = await thimble.call(
    "set a timer for 10 minutes",
    danger.map(({ parameters, ...tool }: { parameters: unknown }) => ({ ...tool, parameters })),
  );
  expect(risky.decision).not.toBe("act");
  expect((await thimble.call("what is the capital of france", watch)).decision).toBe("none");
  const timid = await load(undefined, { profile: { ...profile, act: 1, confirm: 1 } });
  expect((await timid.call("set a timer for 10 minutes", watch)).decision).toBe("ask");
});
