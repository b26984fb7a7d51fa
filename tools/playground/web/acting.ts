/** What a call does on a watch and on glasses: (state, call) → state. No pixels here, and no clock but the one given. */
import spoken from "../../../firmware/espruino/spoken.js";
import type { Json, ToolCall } from "../../../runtime/index.ts";

/** What a device shows. */
export interface Scene {
  /** What happens, in a word or two. */
  title: string;
  /** What it is about. */
  lines: string[];
  icon: Icon;
  /** When a timer is over, in ms since the epoch. */
  endsAtMs?: number;
  /** The device asks before it does this. */
  asks?: boolean;
}

export type Icon =
  | "clock"
  | "timer"
  | "alarm"
  | "message"
  | "weather"
  | "music"
  | "light"
  | "dark"
  | "workout"
  | "tool"
  | "none";

/** What makes a tool one of those a device has a picture for: words of its name. */
const icons: [pattern: RegExp, icon: Icon][] = [
  [/timer|countdown/, "timer"],
  [/alarm|wake|remind/, "alarm"],
  [/message|text|mail|send/, "message"],
  [/weather|forecast/, "weather"],
  [/music|song|radio|play/, "music"],
  [/light|lamp/, "light"],
  [/workout|run|exercise/, "workout"],
];

export const idle: Scene = { title: "", lines: [], icon: "clock" };

/** Shows a call; where the decision is not to act, as a question. */
export function act(call: ToolCall, nowMs: number): Scene {
  const { name, arguments: args, decision } = call;
  const values = Object.values(args).map(said);
  const found = icons.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1] ?? "tool";
  const icon = found === "light" && values.includes("off") ? "dark" : found;
  const scene: Scene = { title: wordsOf(name), lines: values, icon };
  if (decision !== "act") return { ...scene, asks: true };
  return icon === "timer" ? { ...scene, ...timerOf(values, nowMs) } : scene;
}

/** The same once its wearer has said yes. */
export function confirm(scene: Scene, nowMs: number): Scene {
  const { asks: _, ...done } = scene;
  return done.icon === "timer" ? { ...done, ...timerOf(done.lines, nowMs) } : done;
}

/** No call: a device says so. */
export const refused: Scene = { title: "No tool fits", lines: [], icon: "none" };

function timerOf(values: string[], nowMs: number): Partial<Scene> {
  for (const value of values) {
    try {
      return { endsAtMs: nowMs + spoken.duration(value) };
    } catch {
      // Some other value than the length.
    }
  }
  return {};
}

/** What is left of a timer: m:ss, or h:mm:ss. */
export function left(endsAtMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.ceil((endsAtMs - nowMs) / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** set_timer, setTimer → Set timer. */
export function wordsOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function said(value: Json): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
