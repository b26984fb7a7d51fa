/** What the playground's devices make of calls, without a browser. */
import { expect, test } from "bun:test";
import type { ToolCall } from "../runtime/index.ts";
import { act, confirm, left, wordsOf } from "../tools/playground/web/acting.ts";

const call = (name: string, args: ToolCall["arguments"], decision: ToolCall["decision"] = "act") =>
  ({ name, arguments: args, decision }) as ToolCall;

test("a timer ends when it is said to, once it is confirmed", () => {
  const duration = { duration: "an hour and a half" };
  expect(act(call("setTimer", duration), 1000)).toMatchObject({
    icon: "timer",
    title: "Set timer",
    endsAtMs: 5_401_000,
  });
  const asked = act(call("set_timer", duration, "confirm"), 1000);
  expect(asked).toMatchObject({ asks: true });
  expect(asked.endsAtMs).toBeUndefined();
  expect(confirm(asked, 2000)).toMatchObject({ endsAtMs: 5_402_000 });
  expect(confirm(asked, 2000).asks).toBeUndefined();
  expect(act(call("set_timer", { duration: "soon" }), 0).endsAtMs).toBeUndefined();
});

test("a timer's length is what its keys say, in their units, and no other value", () => {
  const lengthOf = (args: ToolCall["arguments"]) => act(call("start_timer", args), 0).endsAtMs;
  expect(lengthOf({ seconds: 300 })).toBe(300_000);
  expect(lengthOf({ hours: "one", minutes: "thirty" })).toBe(5_400_000);
  expect(lengthOf({ duration: "an hour and a half" })).toBe(5_400_000);
  expect(lengthOf({ durationSeconds: "90" })).toBe(90_000);
  expect(lengthOf({ duration_ms: 5000 })).toBe(5000);
  expect(lengthOf({ hours: 1, minutes: 30 })).toBe(5_400_000);
  expect(lengthOf({ label: "4 eggs", duration: "10 minutes" })).toBe(600_000);
  expect(lengthOf({ length: 5 })).toBe(300_000);
  expect(lengthOf({ timer_name: "2 hours of sleep", repeat: 3 })).toBeUndefined();
});

test("what is left of it is minutes, then hours, and never less than nothing", () => {
  expect([left(61_000, 0), left(3_600_000, 0), left(59_999, 0), left(0, 5000)]).toEqual([
    "1:01",
    "1:00:00",
    "1:00",
    "0:00",
  ]);
});

test("any tool has words, a picture and its values as text", () => {
  expect(wordsOf("lookUpWord")).toBe("Look up word");
  expect(act(call("set_lights", { state: "off", room: "hall" }), 0)).toMatchObject({
    icon: "dark",
    lines: ["off", "hall"],
  });
  const odd = act(call("frobnicate", { a: { b: [1] }, n: 3, no: false, nil: null }), 0);
  expect(odd).toMatchObject({ icon: "tool", lines: ['{"b":[1]}', "3", "false", "null"] });
});
