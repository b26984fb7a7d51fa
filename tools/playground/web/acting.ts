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
  /** A timer's length. */
  lengthMs?: number;
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
  const lengthMs = icon === "timer" ? lengthOf(args) : undefined;
  const scene: Scene = { title: wordsOf(name), lines: values, icon, ...(lengthMs && { lengthMs }) };
  return decision === "act" ? done(scene, nowMs) : { ...scene, asks: true };
}

/** The same once its wearer has said yes. */
export function confirm(scene: Scene, nowMs: number): Scene {
  const { asks: _, ...rest } = scene;
  return done(rest, nowMs);
}

/** No call: a device says so. */
export const refused: Scene = { title: "No tool fits", lines: [], icon: "none" };

function done(scene: Scene, nowMs: number): Scene {
  return scene.lengthMs ? { ...scene, endsAtMs: nowMs + scene.lengthMs } : scene;
}

/** Words of a length's key, and the unit of a number without one under it: in ms, and its name. */
const units: [pattern: RegExp, ms: number, name: string][] = [
  [/\b(ms|milli\w*)\b/, 1, ""],
  [/\b(s|sec|second)s?\b/, 1000, "seconds"],
  [/\b(m|min|minute)s?\b/, 60_000, "minutes"],
  [/\b(h|hr|hour)s?\b/, 3_600_000, "hours"],
  [/\b(duration|length)\b|^time$/, 60_000, ""],
];

/** 0 for what says none: "soon". */
function spokenMs(text: string): number {
  try {
    return spoken.duration(text);
  } catch {
    return 0;
  }
}

/** The length in ms that arguments say, {hours: 1, minutes: 30} or {duration: "10 minutes", label: "4 eggs"}. */
function lengthOf(args: ToolCall["arguments"]): number | undefined {
  let totalMs = 0;
  for (const [key, value] of Object.entries(args)) {
    const unit = units.find(([pattern]) => pattern.test(wordsOf(key).toLowerCase()));
    if (!unit) continue;
    const [, ms, name] = unit;
    const text = said(value);
    const count = Number(text);
    const isWhole = /sec|min|hour|hr/i.test(text);
    totalMs += Number.isNaN(count) ? spokenMs(isWhole ? text : `${text} ${name}`) : count * ms;
  }
  return totalMs > 0 ? totalMs : undefined;
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
