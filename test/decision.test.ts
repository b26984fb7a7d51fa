import { describe, expect, test } from "bun:test";
import { confidenceOf, decide, featuresOf, forbids, mostCareful } from "../runtime/answer/decision.ts";
import { readCalls } from "../runtime/answer/toolcall.ts";
import { questionOf } from "../runtime/dispatch.ts";
import { load } from "../runtime/index.ts";
import { type Calibration, checkCalibration, type Feature, features } from "../runtime/pack/calibration.ts";
import { readRequest } from "../runtime/text/request.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { fit, samplesOf } from "../tools/calibrate/fit.ts";
import { answerAll, modelAnswerer } from "../tools/eval/answers.ts";
import { oddGeometry, packOf, randomCheckpoint, seeded } from "./support.ts";

const zeros = Object.fromEntries(features.map((name) => [name, 0])) as Record<Feature, number>;
const calibration: Calibration = { version: 3, weights: { ...zeros, bias: 0 }, act: 0.9, confirm: 0.6 };

test("risk raises the bar: safe acts from the threshold on, confirm from halfway to certainty, danger never", () => {
  const said = (confidence: number) =>
    (["safe", "confirm", "danger"] as const).map((risk) => decide(confidence, risk, calibration));
  expect(said(0.97)).toEqual(["act", "act", "confirm"]);
  expect(said(0.92)).toEqual(["act", "confirm", "confirm"]);
  expect(said(0.7)).toEqual(["confirm", "confirm", "ask"]);
  expect(said(0.5)).toEqual(["ask", "ask", "ask"]);
});

test("an answer is as careful as its most doubtful call; without calls it is none", () => {
  expect(mostCareful(["act", "ask", "confirm"])).toBe("ask");
  expect(mostCareful(["act", "confirm"])).toBe("confirm");
  expect(mostCareful(["act"])).toBe("act");
  expect(mostCareful([])).toBe("none");
  expect(mostCareful([], true)).toBe("ask");
});

test("features are capped, so that an infinite margin stays a number", () => {
  const sure = { logProb: 0, margin: Number.POSITIVE_INFINITY };
  const values = featuresOf(
    { name: sure, call: { logProb: -50, margin: 0.5 }, runnerUp: null },
    { a: { from: "nowhere", grounded: false } },
    1,
    0,
  );
  expect(values).toEqual({
    bias: 1,
    nameMargin: 8,
    nameLogProb: 0,
    callMargin: 0.5,
    callLogProb: -8,
    valueDoubt: Math.log(4000),
    ungrounded: 1,
    others: 0,
  });
  const doubts = [0, -1e-300, -0.002, -0.004].map((logProb) => {
    const call = { logProb, margin: 1 };
    return featuresOf({ name: sure, call, runnerUp: null }, {}, 1, 0).valueDoubt;
  });
  expect(doubts).toEqual([0, 0, 0, Math.log(2)]);
});

test("a fit recovers how likely calls are right, and its thresholds keep their promise on other calls", () => {
  const random = seeded(1);
  const samples = Array.from({ length: 2000 }, () => {
    const values = { ...zeros, bias: 1, callMargin: random() * 8, ungrounded: random() < 0.2 ? 1 : 0 };
    const truth = 1 / (1 + Math.exp(-(values.callMargin - 2 - 3 * values.ungrounded)));
    return { values, truth, right: random() < truth };
  });
  const fitted = fit(samples.slice(0, 1000));
  const rest = samples.slice(1000);
  const off =
    rest.reduce((sum, { values, truth }) => sum + Math.abs(confidenceOf(values, fitted) - truth), 0) / rest.length;
  expect(off).toBeLessThan(0.05);
  const shareAbove = (threshold: number) => {
    const above = rest.filter(({ values }) => confidenceOf(values, fitted) >= threshold);
    return above.filter(({ right }) => right).length / above.length;
  };
  expect(shareAbove(fitted.act)).toBeGreaterThan(0.92);
  expect(fitted.confirm).toBe(0.5);
});

test("a call is right to a fit where eval finds it exact: by the prompt's names, whatever the order of keys", async () => {
  const model = await load();
  const parameters = { to: { type: "object", properties: { city: { type: "string" }, day: { type: "string" } } } };
  const tools = ToolSet.from([{ name: "flyTo", description: "Book a flight.", parameters }]);
  const request = "book a flight to Oslo on Friday";
  const { calls } = await model.call(request, tools);
  const turned = (value: unknown): unknown =>
    typeof value === "object" && value ? Object.fromEntries(Object.entries(value).reverse()) : value;
  const args = Object.entries(calls[0].arguments).map(([key, value]) => [key, turned(value)]);
  const want = [{ name: "fly_to", arguments: Object.fromEntries(args) }];
  const example = { key: "", file: "", line: 1, request, tools, want, accept: [want] };
  const [exact] = await answerAll([example], modelAnswerer(model, {}), 1, () => {});
  const samples = await samplesOf(model, [example]);
  expect([exact.exact, samples.map(({ right }) => right), Object.keys(calls[0].arguments.to as object)]).toEqual([
    true,
    [true],
    ["city", "day"],
  ]);
});

test("a fit finds which of two features that go together says it, and of no calls makes no weights", () => {
  const random = seeded(3);
  const samples = Array.from({ length: 4000 }, () => {
    const valueDoubt = random() * 8;
    const values = { ...zeros, bias: 1, valueDoubt, callMargin: Math.max(0, 6 - valueDoubt + 4 * random()) };
    return { values, right: random() < 1 / (1 + Math.exp(0.8 * valueDoubt - 4)) };
  });
  const { weights } = fit(samples);
  expect(Math.abs((weights.valueDoubt ?? 0) + 0.8)).toBeLessThan(0.1);
  expect(weights.callMargin).toBeLessThan(0.1);
  expect(Object.values(fit([]).weights)).toEqual(features.map(() => 0));
});

test("a calibration from before a call's doubt counts none, one of the whole call's never acts, and one that lacks a weight is refused", () => {
  const { valueDoubt: _, ...before } = zeros;
  const first = checkCalibration({ ...calibration, version: 1, weights: { ...before, bias: 1 } });
  expect(confidenceOf({ ...zeros, bias: 1, valueDoubt: 5 }, first)).toBe(1 / (1 + Math.exp(-1)));
  const second = checkCalibration({ ...calibration, version: 2, weights: { ...before, bias: 9, callDoubt: -1 } });
  expect(decide(confidenceOf({ ...zeros, bias: 1 }, second), "safe", second)).toBe("confirm");
  const { others: __, ...lacking } = zeros;
  for (const weights of [before, lacking, { ...zeros, valueDoubt: null }])
    expect(() => checkCalibration({ ...calibration, weights })).toThrow("calibrate again");
  for (const version of [1, 2, 4])
    expect(() => checkCalibration({ ...calibration, version })).toThrow("calibrate again");
});

test("a pack with a calibration of the whole call's doubt is read as one that never acts", async () => {
  const { valueDoubt: _, ...weights } = zeros;
  const second = { ...calibration, version: 2, weights: { ...weights, callDoubt: -1 } };
  const model = await load(await packOf(randomCheckpoint(oddGeometry, 2), { calibration: second as never }));
  expect(model.calibration).toMatchObject({ version: 3, act: 1 });
});

test("a fit never trusts a call more for a value from nowhere, a close second or further calls, whatever the data say", () => {
  const random = seeded(2);
  const samples = Array.from({ length: 600 }, () => {
    const values = {
      ...zeros,
      bias: 1,
      callMargin: random() * 8,
      callLogProb: -random() * 8,
      valueDoubt: random() * 8,
      ungrounded: random() < 0.3 ? 1 : 0,
      others: random() < 0.3 ? 1 : 0,
    };
    // Here what should count against a call is what makes it right.
    const sum = values.ungrounded + values.others + (values.valueDoubt - values.callMargin - values.callLogProb) / 8;
    return { values, right: random() < sum / 3 };
  });
  const { weights } = fit(samples, { act: 0.6, confirm: 0.4 });
  for (const name of ["nameMargin", "nameLogProb", "callMargin", "callLogProb"] as const)
    expect(weights[name]).toBeGreaterThanOrEqual(0);
  for (const name of ["valueDoubt", "ungrounded", "others"] as const) expect(weights[name]).toBeLessThanOrEqual(0);
});

test("a calibration's weight of the wrong sign counts as none", () => {
  const wrong: Calibration = {
    ...calibration,
    weights: { ...zeros, bias: 1, nameLogProb: -1, callMargin: -1, valueDoubt: 1, ungrounded: 2, others: 2 },
  };
  const values = { ...zeros, bias: 1, nameLogProb: -4, callMargin: 3, valueDoubt: 3, ungrounded: 2, others: 1 };
  expect(confidenceOf(values, checkCalibration(wrong))).toBe(confidenceOf({ ...zeros, bias: 1 }, wrong));
});

const toolSet = ToolSet.from([
  { name: "f", parameters: { minutes: { type: "integer" }, text: { type: "string", default: "none" } } },
]);
const sure: Calibration = { version: 3, weights: { ...zeros, bias: 9 }, act: 0.5, confirm: 0.1 };

function decisions(args: string, request: string, cutShort = false): string[] {
  const bytes = new TextEncoder().encode(` [{"name":"f","arguments":{}},{"name":"f","arguments":${args}}]`);
  const calls = readCalls({ bytes, steps: [], cutShort }, toolSet.tools, readRequest(request), sure);
  return calls.map(({ decision }) => decision);
}

test("a value out of nowhere is never acted on, however sure the model is; one that is said or a default may be", () => {
  expect(decisions('{"minutes":90}', "set a timer for an hour and a half")).toEqual(["act", "confirm"]);
  expect(decisions('{"minutes":30}', "set a timer for an hour and a half")).toEqual(["act", "confirm"]);
  expect(decisions('{"minutes":30}', "set a timer for thirty minutes")).toEqual(["act", "act"]);
  expect(decisions('{"text":"none"}', "go")).toEqual(["act", "act"]);
  expect(decisions('{"text":"bob"}', "go")).toEqual(["act", "confirm"]);
});

describe("a number from nowhere, where another is said that does not fit", () => {
  const within = (most: number) => ({ type: "integer", minimum: 1, maximum: most });
  const asked = async (request: string, properties: Record<string, object>) => {
    const inputSchema = { type: "object", properties, required: Object.keys(properties) };
    const tool = { name: "set_timer", description: "Start a timer.", inputSchema };
    const { calls, decision } = await (await load()).call(request, ToolSet.from([tool]));
    expect(decision).not.toBe("act");
    return { ...calls[0], question: questionOf(calls[0]) };
  };
  const unfitOf = async (request: string, minutes: object) => {
    const { sources } = await asked(request, { minutes });
    const { unfit, ...rest } = sources.minutes;
    expect(rest).toEqual({ from: "nowhere", grounded: false });
    return unfit && [unfit.said, unfit.expected, request.slice(unfit.start, unfit.end)];
  };

  test("its source and the question say which and why", async () => {
    expect(await unfitOf("timer for 500 minutes", within(120))).toEqual([500, "at most 120", "500"]);
    expect(await unfitOf("timer for 3 hours", within(120))).toEqual([180, "at most 120", "3"]);
    expect(await unfitOf("timer for zero minutes", within(120))).toEqual([0, "at least 1", "zero"]);
    expect(await unfitOf("timer for 2.5 minutes", { type: "integer" })).toEqual([2.5, "a whole number", "2.5"]);
    const half = [1.5, "a whole number", "1 and a half"];
    expect(await unfitOf("timer for 1 and a half minutes", { type: "integer" })).toEqual(half);
    const steps = { type: "integer", multipleOf: 5 };
    expect(await unfitOf("timer for 12 minutes", steps)).toEqual([12, "a multiple of 5", "12"]);
    expect(await unfitOf("timer for 500 minutes", { enum: [5, 10, 15] })).toBe(undefined);
    const { question } = await asked("timer for 500 minutes", { minutes: within(120) });
    expect(question).toMatch(/^set timer \d+ \(minutes at most 120, not 500\)$/);
  });

  test("none is named that another argument has, that a limit of another option takes, nor of half the whole number that it is", async () => {
    const baked = await asked("timer for 200 degrees", { degrees: within(250), minutes: within(120) });
    expect([baked.sources.degrees.grounded, baked.sources.minutes.unfit]).toEqual([true, undefined]);
    expect(await unfitOf("timer for 500 minutes", { anyOf: [within(120), { type: "integer", minimum: 600 }] })).toBe(
      undefined,
    );
    for (const request of ["set the timer to half", "timer of percent at its most in room 204"])
      expect((await asked(request, { percent: within(100) })).question).not.toContain("(");
    expect(await unfitOf("timer for one and a half minutes", { type: "integer" })).toBe(undefined);
  });
});

test("under a length of time a distance, a time of the day and a part of a longer one are no length", async () => {
  const properties = { minutes: { type: "integer", minimum: 1, maximum: 180 } };
  const inputSchema = { type: "object", properties, required: ["minutes"] };
  const tools = ToolSet.from([{ name: "start_timer", description: "Starts a timer.", inputSchema }]);
  const model = await load();
  const minutesOf = async (request: string) => {
    const { calls } = await model.call(request, tools);
    return calls[0] && [calls[0].arguments.minutes, calls[0].sources.minutes.grounded];
  };
  for (const request of [
    "timer for a 20 km ride",
    "set a timer until 5",
    "set a timer for 5 pm",
    "timer at 8",
    "timer 2h 15m",
  ])
    expect([request, (await minutesOf(request))?.[1] ?? false]).toEqual([request, false]);
  expect(await minutesOf("timer for 20 minutes")).toEqual([20, true]);
  const both = { hours: { type: "integer", default: 2 }, minutes: { type: "integer" } };
  const byBoth = {
    name: "start_timer",
    description: "Starts a timer.",
    inputSchema: { type: "object", properties: both },
  };
  const { calls } = await model.call("start a timer of 2 hours and 15 minutes", ToolSet.from([byBoth]));
  expect(calls[0].arguments).toEqual({ hours: 2, minutes: 15 });
  expect(Object.values(calls[0].sources).every(({ grounded }) => grounded)).toBe(true);
});

test("the call that a limit cut short is never acted on; those before it may be", () => {
  expect(decisions('{"minutes":5}', "for 5", true)).toEqual(["act", "confirm"]);
  expect(decide(1, "safe", sure, false)).toBe("confirm");
  expect(decide(1, "danger", sure, false)).toBe("confirm");
});

test("calls that are as sure are above the bar all or none, whatever their order", () => {
  const one = { ...zeros, bias: 1 };
  const lucky = Array.from({ length: 200 }, (_, i) => ({ values: one, right: i < 40 }));
  expect(fit(lucky)).toMatchObject({ act: 1, confirm: 0.5 });
  expect(fit(lucky, { act: 0.15, confirm: 0.1 }).act).toBeLessThan(0.25);
});

test("on the model that ships: an hour and a half is not half an hour, or the user is asked", async () => {
  const timer = {
    name: "HassStartTimer",
    description: "Start a timer",
    parameters: {
      type: "object",
      properties: {
        hours: { type: "integer", minimum: 0 },
        minutes: { type: "integer", minimum: 0 },
        seconds: { type: "integer", minimum: 0 },
        name: { type: "string" },
      },
    },
  };
  const { calls, decision } = await (await load()).call("set a timer for an hour and a half", [timer]);
  const right = ['{"minutes":90}', '{"hours":1,"minutes":30}'].includes(JSON.stringify(calls[0]?.arguments));
  expect(right || decision !== "act").toBe(true);
});

test("with too few calls to promise anything, a fit never acts", () => {
  const few = Array.from({ length: 10 }, () => ({ values: { ...zeros, bias: 1 }, right: true }));
  expect(fit(few)).toMatchObject({ act: 1, confirm: 1 });
});

test("what is no calibration is refused", () => {
  expect(() => checkCalibration({ version: 1, weights: {}, act: 1, confirm: 0 })).toThrow("calibrate again");
  expect(() => checkCalibration({ ...calibration, confirm: 0.95 })).toThrow(TypeError);
  expect(checkCalibration(calibration)).toBe(calibration);
});

test("the model that ships acts on a clear request, is more careful with a dangerous tool, and a calibration can be given", async () => {
  const watch = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
  const thimble = await load();
  const clear = await thimble.call("set a timer for 10 minutes", watch);
  expect(clear.decision).toBe("act");
  expect(clear.calls[0].confidence).toBeGreaterThan(thimble.calibration.act);
  const danger = watch.map((tool: { name: string }) => ({ ...tool, annotations: { destructiveHint: true } }));
  const risky = await thimble.call(
    "set a timer for 10 minutes",
    danger.map(({ parameters, ...tool }: { parameters: unknown }) => ({ ...tool, parameters })),
  );
  expect(risky.decision).not.toBe("act");
  expect((await thimble.call("what is the capital of france", watch)).decision).toBe("none");
  const timid = await load(undefined, { calibration: { ...calibration, act: 1, confirm: 1 } });
  expect((await timid.call("set a timer for 10 minutes", watch)).decision).toBe("ask");
});

test("what a request changes a level by grounds no level, so it is never acted on", async () => {
  const properties = { level: { type: "integer", minimum: 0, maximum: 10 } };
  const inputSchema = { type: "object", properties, required: ["level"] };
  const tools = [{ name: "set_volume", description: "Set the volume.", inputSchema }];
  const model = await load();
  const requests = ["set the volume to 5", "raise the volume by 5"];
  const answers = await Promise.all(requests.map((request) => model.call(request, tools)));
  expect(answers.map(({ calls }) => calls[0]?.sources.level?.grounded)).toEqual([true, false]);
  expect(answers[1].decision).not.toBe("act");
});

test("a request that says what not to do is never acted on, however sure the model is", async () => {
  for (const one of [
    "don't cancel it",
    "Please do not call Ann",
    "no, never lock it",
    "dont turn it off",
    "do not forget",
    "hey siri, don't stop",
    "you, I said don't stop",
  ])
    expect([one, forbids(one)]).toEqual([one, true]);
  for (const one of [
    "don't forget the milk",
    "do not let me sleep",
    "donuts for 9",
    "do it",
    "not now",
    "never",
    "do not disturb until 7",
    "please turn off do not disturb",
    "oh no please well don't stop",
  ])
    expect([one, forbids(one)]).toEqual([one, false]);
  const tools = [{ name: "cancel_alarm", parameters: { time: { type: "string", required: true } } }];
  const model = await load(undefined, { calibration: sure });
  const asked = ["cancel the alarm at 9", "don't cancel the alarm at 9"];
  const answers = await Promise.all(asked.map((one) => model.call(one, tools, { calls: "one" })));
  expect(answers.map(({ decision }) => decision)).toEqual(["act", "confirm"]);
});
