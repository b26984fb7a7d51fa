/** Tools defined in code: what the compiler knows of their calls, and what is done with these. */
import { expect, test } from "bun:test";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import * as z from "zod";
import type { ToolCall } from "../runtime/answer/toolcall.ts";
import {
  type CallOf,
  type CallResult,
  type Decision,
  defineTools,
  dispatch,
  load,
  questionOf,
} from "../runtime/index.ts";
import type { ArgumentsOf, ValueOf } from "../runtime/tools/infer.ts";

/** Compiles only if both are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

const lights = {
  type: "object",
  properties: {
    room: { type: "string" },
    level: { type: "integer", minimum: 0, maximum: 100 },
    mode: { enum: ["warm", "cold"] },
    scenes: { type: "array", items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } },
  },
  required: ["level", "mode"],
} as const;

const tools = defineTools({
  setTimer: {
    description: "Start a countdown timer.",
    parameters: {
      minutes: { type: "integer", required: true },
      label: { type: "string" },
    },
  },
  setLights: { description: "Change the lights.", risk: "confirm", parameters: lights },
  mcp: { inputSchema: lights },
  stop: { description: "Stop the music." },
  zod: { parameters: z.strictObject({ to: z.string(), at: z.number().optional() }) },
  valibot: { parameters: toStandardJsonSchema(v.strictObject({ to: v.string(), at: v.optional(v.number()) })) },
});
type Call = CallOf<typeof tools>;
type Args<N extends Call["name"]> = Extract<Call, { name: N }>["arguments"];

test("arguments have the types of native parameters, JSON Schemas in const, Zod and Valibot", () => {
  same<Call["name"], "setTimer" | "setLights" | "mcp" | "stop" | "zod" | "valibot">(true);
  same<Args<"setTimer">, { minutes: number; label?: string }>(true);
  same<Args<"setLights">["level"], number>(true);
  same<Args<"setLights">["mode"], "warm" | "cold">(true);
  same<Args<"setLights">["scenes"], { name: string }[] | undefined>(true);
  same<Args<"mcp">, Args<"setLights">>(true);
  same<Args<"stop">, Record<string, never>>(true);
  same<Args<"zod">["to"], string>(true);
  same<Args<"zod">["at"], number | undefined>(true);
  same<Args<"valibot">["to"], string>(true);
  same<Args<"valibot">["at"], number | undefined>(true);

  same<ValueOf<{ type: ["string", "null"] }>, string | null>(true);
  same<ValueOf<{ type: "number"; nullable: true }>, number | null>(true);
  same<ValueOf<{ anyOf: [{ const: 1 }, { type: "boolean" }] }>, 1 | boolean>(true);
  same<
    ValueOf<{ type: "array"; prefixItems: [{ type: "string" }, { type: "number" }]; items: false }>,
    [string, number]
  >(true);
  same<ValueOf<{ type: "object"; additionalProperties: { type: "integer" } }>, { [key: string]: number }>(true);
  same<ArgumentsOf<unknown>, ToolCall["arguments"]>(true);
  // @ts-expect-error minutes are no text
  same<Args<"setTimer">["minutes"], string>(true);
  expect(tools.tools.map(({ name, risk }) => [name, risk])).toEqual([
    ["setTimer", "safe"],
    ["setLights", "confirm"],
    ["mcp", "safe"],
    ["stop", "safe"],
    ["zod", "safe"],
    ["valibot", "safe"],
  ]);
  expect(tools.tools[2].parameters).toEqual(tools.tools[1].parameters);
  expect(tools.warnings).toEqual([]);
});

test("a call's name tells its arguments; other tool sets give calls as before", async () => {
  const model = await load();
  const timer = defineTools({
    setTimer: {
      description: "Start a countdown timer.",
      parameters: { duration: { type: "string", description: 'Length, e.g. "10 minutes".', required: true } },
    },
    stop: { description: "Stop the music." },
  });
  const { calls } = await model.call("set a timer for 10 minutes", timer);
  const [call] = calls;
  if (call.name === "setTimer") same<typeof call.arguments, { duration: string }>(true);
  expect(call.arguments).toEqual({ duration: "10 minutes" });
  const untyped = await model.call("set a timer for 10 minutes", [{ name: "setTimer" }]);
  same<typeof untyped, CallResult>(true);
  same<(typeof untyped.calls)[0], ToolCall>(true);

  const done = await dispatch({ calls }, { setTimer: ({ duration }) => duration.toUpperCase(), stop: () => 0 });
  expect(done).toMatchObject([{ ending: "done", value: "10 MINUTES" }]);
});

/** A call as the model gives it, with a decision. */
function made(name: Call["name"], decision: Exclude<Decision, "none">, args: object = {}): Call {
  const sure = { logProb: 0, margin: 9 };
  const certainty = { name: sure, call: sure, runnerUp: null };
  return { name, arguments: args, certainty, sources: {}, confidence: 1, decision } as unknown as Call;
}

const ran: string[] = [];
const handlers = {
  setTimer: ({ minutes }: { minutes: number }) => ran.push(`timer ${minutes}`),
  setLights: () => ran.push("lights"),
  mcp: () => {},
  stop: () => {
    throw new Error("no music");
  },
  zod: async () => "later",
  valibot: () => {},
};

test("what is to act runs at once, what is to confirm after a yes, what is unsure after a yes to that", async () => {
  ran.length = 0;
  const calls = [
    made("setTimer", "act", { minutes: 5 }),
    made("setLights", "confirm", { level: 5 }),
    made("zod", "ask"),
  ];
  const asked: string[] = [];
  const confirm = (_: Call, question: string) => asked.push(question) > 0;
  const deeds = await dispatch({ calls }, handlers, { confirm, ask: async () => true });
  expect(deeds.map(({ ending }) => ending)).toEqual(["done", "done", "done"]);
  expect(deeds[2]).toMatchObject({ value: "later" });
  expect([ran, asked]).toEqual([["timer 5", "lights"], ["set lights 5"]]);
});

test.each<[string, Exclude<Decision, "none">, object, string]>([
  ["declined", "confirm", { confirm: () => false }, "declined"],
  ["to be confirmed, with nobody to ask", "confirm", { ask: () => true }, "unconfirmed"],
  ["unsure, with nobody to ask about that", "ask", { confirm: () => true }, "unsure"],
  ["unsure, and not meant", "ask", { ask: () => false }, "declined"],
])("what is %s does not run, nor what follows", async (_, decision, options, ending) => {
  ran.length = 0;
  const calls = [made("setTimer", decision, { minutes: 5 }), made("setTimer", "act", { minutes: 6 })];
  const deeds = await dispatch({ calls }, handlers, options);
  expect(deeds.map((deed) => deed.ending as string)).toEqual([ending, "left"]);
  expect(ran).toEqual([]);
});

test("a handler that throws is a failure with its error, and what follows is left", async () => {
  ran.length = 0;
  const deeds = await dispatch({ calls: [made("stop", "act"), made("setTimer", "act")] }, handlers);
  expect(deeds).toMatchObject([{ ending: "failed", error: new Error("no music") }, { ending: "left" }]);
  expect(ran).toEqual([]);
});

test("without a handler of its own for every call nothing runs, and the abort's reason comes through", async () => {
  ran.length = 0;
  const calls = [made("setTimer", "act", { minutes: 1 }), made("constructor" as "stop", "act")];
  await expect(dispatch({ calls }, handlers)).rejects.toThrow("handlers: expected a function for constructor");
  const signal = AbortSignal.abort(new Error("never mind"));
  await expect(dispatch({ calls: calls.slice(0, 1) }, handlers, { signal })).rejects.toThrow("never mind");
  expect(ran).toEqual([]);
});

test("a question is the call in words, of bounded length", () => {
  expect(questionOf(made("setLights", "confirm", { room: "hall", level: 5, mode: null }))).toBe(
    "set lights hall 5 null",
  );
  expect(questionOf(made("setLights", "confirm", { room: "x".repeat(999) })).length).toBe(200);
});
