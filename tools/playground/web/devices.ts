/** Pixels: a scene as a watch's face of 176 × 176, and as two lines before the eyes, 640 × 200. */
import { type Icon, left, type Scene } from "./acting.ts";

export const watchSize = 176;
export const glassesSize = { width: 640, height: 200 };

type Context = CanvasRenderingContext2D;
const font = (px: number, weight = 400) => `${weight} ${px}px ui-sans-serif, system-ui, sans-serif`;

/** Of the eight colours that a Bangle.js 2 has. */
const [black, white, red, green, yellow, cyan] = ["#000", "#fff", "#f00", "#0f0", "#ff0", "#0ff"];

const tints: Record<Icon, string> = {
  ...{ clock: white, timer: cyan, alarm: yellow, message: green, weather: cyan, music: red },
  ...{ light: yellow, dark: white, workout: green, tool: cyan, none: white },
};

export function drawWatch(context: Context, scene: Scene, nowMs: number): void {
  const size = watchSize;
  context.fillStyle = black;
  context.fillRect(0, 0, size, size);
  context.textAlign = "center";
  context.textBaseline = "middle";
  const now = new Date(nowMs);
  if (scene.icon === "clock") {
    write(context, clockOf(now), size / 2, 84, font(50, 700), white, size - 12);
    write(context, now.toDateString().slice(0, 10), size / 2, 128, font(17), cyan, size - 12);
    return;
  }
  write(context, clockOf(now), size / 2, 13, font(15, 600), white, size);
  const tint = tints[scene.icon];
  picture(context, scene.icon, size / 2, 52, 22, tint);
  const [first, ...rest] = scene.endsAtMs === undefined ? scene.lines : [left(scene.endsAtMs, nowMs)];
  write(context, scene.title, size / 2, 90, font(16, 600), tint, size - 8);
  if (first !== undefined) write(context, first, size / 2, 114, font(22, 700), white, size - 8);
  if (scene.asks) {
    button(context, 4, "No", red);
    button(context, size / 2 + 2, "Yes", green);
  } else if (rest.length) write(context, rest.join(", "), size / 2, 140, font(16), white, size - 8);
}

function button(context: Context, x: number, text: string, colour: string): void {
  const width = watchSize / 2 - 6;
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, 138, width, 34, 6);
  context.fill();
  write(context, text, x + width / 2, 156, font(17, 700), black, width);
}

/** Green on nothing, as a waveguide shows it: no fills, two lines. */
export function drawGlasses(context: Context, scene: Scene, nowMs: number): void {
  const { width, height } = glassesSize;
  const ink = "#7dff9b";
  context.clearRect(0, 0, width, height);
  context.textAlign = "left";
  context.textBaseline = "middle";
  const now = new Date(nowMs);
  if (scene.icon === "clock") {
    write(context, clockOf(now), 32, height / 2, font(64, 300), ink, width - 64);
    return;
  }
  picture(context, scene.icon, 84, 84, 42, ink);
  const detail = scene.endsAtMs === undefined ? scene.lines.join(" · ") : left(scene.endsAtMs, nowMs);
  write(context, scene.title, 164, 62, font(34, 500), ink, width - 196);
  write(context, detail, 164, 112, font(40, 300), ink, width - 196);
  write(context, scene.asks ? "nod to confirm, shake to leave it" : clockOf(now), 164, 164, font(22), ink, width - 196);
}

function clockOf(now: Date): string {
  return `${now.getHours()}:${String(now.getMinutes()).padStart(2, "0")}`;
}

/** Text no wider than it may be: smaller first, then cut. */
function write(context: Context, text: string, x: number, y: number, face: string, colour: string, most: number): void {
  context.font = face;
  context.fillStyle = colour;
  const wide = context.measureText(text).width;
  if (wide > most)
    context.font = face.replace(/(\d+)px/, (_, px) => `${Math.max(Number(px) * 0.62, (Number(px) * most) / wide)}px`);
  let shown = text;
  while (shown.length > 1 && context.measureText(shown).width > most) shown = `${shown.slice(0, -2).trimEnd()}…`;
  context.fillText(shown, x, y);
}

/** An icon of strokes around a point, r its half height. */
function picture(context: Context, icon: Icon, x: number, y: number, r: number, colour: string): void {
  context.save();
  context.translate(x, y);
  context.scale(r / 20, r / 20);
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 3;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.stroke(new Path2D(strokes[icon]));
  context.restore();
}

/** Within ±20. */
const strokes: Record<Icon, string> = {
  clock: "M0-18a18 18 0 1 0 .1 0M0-10V0L8 6",
  timer: "M0-14a16 16 0 1 0 .1 0M-5-20H5M0-14V-18M0 2L7-5",
  alarm: "M0-14a16 16 0 1 0 .1 0M0-6V2H7M-18-12L-11-18M18-12L11-18",
  message: "M-18-13H18V10H-4L-12 18V10H-18ZM-10-4H10M-10 3H4",
  weather: "M-10 12H10a8 8 0 0 0 1-16a12 12 0 0 0-23-1a9 9 0 0 0 2 17M8-16L11-20M16-10L20-12",
  music: "M-8 12V-14L14-18V8M-8 12a5 5 0 1 1-5-5a5 5 0 0 1 5 5M14 8a5 5 0 1 1-5-5a5 5 0 0 1 5 5",
  light: "M-6 10a13 13 0 1 1 12 0V14H-6ZM-4 19H4",
  dark: "M-6 10a13 13 0 1 1 12 0V14H-6ZM-4 19H4M-18-18L18 18",
  workout: "M-10 0H10M-10-9V9M-15-6V6M10-9V9M15-6V6M-20 0H-15M15 0H20",
  tool: "M-16-8L-2 6M4-18L10-6L-8 12L-14 18L-18 14L-12 8L6-10L-2-16Z",
  none: "M0-18a18 18 0 1 0 .1 0M-12-12L12 12",
};
