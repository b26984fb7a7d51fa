/** A Bangle.js 2 in the terminal: the watch's own files in a plain context, its screen and motor as lines of text. */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { crc32 } from "node:zlib";
import type { Pipe } from "../../runtime/wear/pipe.ts";

/** The watch's files stand beside this one in the tree, and in the built package too. */
const folder = new URL("../../firmware/espruino/", import.meta.url);
const files: Record<string, string> = {
  thimble: "thimble.js",
  "thimble.tools": "thimble.tools.js",
  "thimble.actions": "actions.js",
  "thimble.spoken": "spoken.js",
};

interface Bus {
  take(bytes: string): void;
  knock(): void;
  request(text: string): number;
}

export interface SimulatedWatch {
  /** The phone's end of its Bluetooth. */
  pipe: Pipe;
  /** Types on the watch: a request, or the answer to what it asks. Resolves when it is done with it. */
  type(text: string): Promise<void>;
}

/** Starts a watch; `print` gets what its wearer sees and feels. */
export function simulateBangle(print: (line: string) => void): SimulatedWatch {
  // The watch's strings hold one byte a character.
  const show = (line: string) => print(Buffer.from(line, "latin1").toString());
  const kept = new Map<string, string>();
  let take: (bytes: Uint8Array) => void = () => {};
  let question: { buttons: Record<string, unknown>; answer: (value: unknown) => void } | null = null;
  let asked = 0;
  let idle: () => void = () => {};
  const done = () => {
    asked = 0;
    idle();
  };

  const storage = {
    readJSON: (name: string) => (kept.has(name) ? JSON.parse(kept.get(name) as string) : undefined),
    writeJSON: (name: string, value: unknown) => void kept.set(name, JSON.stringify(value)),
    open: (name: string) => ({
      write: (text: string) => {
        kept.set(name, (kept.get(name) ?? "") + text);
        show(`  writes ${name}: ${text.trim()}`);
      },
      erase: () => {
        kept.delete(name);
        show(`  erases ${name}`);
      },
    }),
  };
  const does = (what: string) => (value: unknown) => show(`  ${what} ${JSON.stringify(value)}`);
  const modules: Record<string, unknown> = {
    Storage: storage,
    sched: { setAlarm: (_: string, alarm: unknown) => does("schedules")(alarm), reload: () => {} },
  };
  const context = createContext({
    setTimeout,
    clearTimeout,
    btoa,
    atob,
    E: {
      CRC32: (bytes: string) => crc32(Buffer.from(bytes, "latin1")),
      showPrompt: (text?: string, options: { buttons?: Record<string, unknown> } = {}) => {
        question = null;
        if (text === undefined) return undefined;
        const buttons = options.buttons ?? { Yes: true, No: false };
        show(`watch: ${text.replaceAll("\n", " ").trim()}? ${Object.keys(buttons).join(" / ")}`);
        return new Promise((resolve) => {
          question = { buttons, answer: resolve };
          idle();
        });
      },
    },
    Bangle: {
      on: (_: string, listener: (value: unknown) => void) => void setTimeout(listener, 50, { bpm: 64, confidence: 95 }),
      removeListener: () => {},
      buzz: async (ms: number) => show(`  buzzes ${ms} ms`),
      getHealthStatus: () => ({ steps: 6120 }),
      setHRMPower: (on: number) => show(`  heart rate sensor ${on ? "on" : "off"}`),
      setLCDBrightness: does("sets the screen to"),
    },
    NRF: { on: () => {}, getSecurityStatus: () => ({ connected: true }) },
    Bluetooth: {
      println: (line: string) => {
        if (line && !line.startsWith('{"t":"thimble"')) show(`  tells the phone ${line}`);
        setTimeout(() => take(Buffer.from(`${line}\r\n`)), 0);
      },
    },
    WIDGETS: {
      recorder: {
        setRecording: async (isOn: boolean) => show(`  recorder ${isOn ? "on" : "off"}`),
      },
    },
    require: (name: string) => {
      modules[name] ??= module(name);
      return modules[name];
    },
  });
  const module = (name: string) => {
    const code = readFileSync(new URL(files[name], folder), "utf8");
    return runInContext(`(function () { var exports = {}; ${code}\n; return exports; })()`, context);
  };
  runInContext("var global = this;", context);
  const library = module("thimble") as { start(options: unknown): Bus };
  const bus = library.start({
    name: "Bangle.js 2, simulated",
    set: (context.require as (name: string) => unknown)("thimble.tools"),
    run: (context.require as (name: string) => unknown)("thimble.actions"),
    report: (name: string, ending: string, value: unknown) =>
      show(`watch: ${ending === "done" ? (value ?? name) : `${name}: ${value ?? ending}`}`),
    // A report comes when the companion has acknowledged it, a little after.
    done: (request: number, calls: number) => {
      if (!calls) show("watch: No tool fits.");
      if (request === asked) setTimeout(done, 50);
    },
    error: (_: string, text: string) => {
      show(`watch: ${text}`);
      done();
    },
  });

  let line = "";
  const pipe: Pipe = {
    mtu: 128,
    send: (bytes) => {
      const lines = (line + Buffer.from(bytes).toString("latin1")).split("\n");
      line = lines.pop() as string;
      for (const whole of lines) {
        const frame = /TB\("([^"]*)"\)$/.exec(whole)?.[1];
        if (frame) setTimeout(() => bus.take(atob(frame)), 0);
      }
    },
    receive: (taker) => {
      take = taker;
      bus.knock();
    },
  };
  const settled = () =>
    new Promise<void>((resolve) => {
      idle = resolve;
    });
  return {
    pipe,
    async type(text) {
      if (question) {
        const { buttons, answer } = question;
        const button = Object.keys(buttons).find((name) => name.toLowerCase().startsWith(text.trim().toLowerCase()));
        if (!text.trim() || button === undefined) {
          const untaken = text.trim() && ` Answer first: ${JSON.stringify(text)} was not taken.`;
          return show(`watch: ${Object.keys(buttons).join(" / ")}?${untaken}`);
        }
        question = null;
        const over = settled();
        answer(buttons[button]);
        return over;
      }
      const over = settled();
      asked = bus.request(Buffer.from(text).toString("latin1"));
      if (!asked) return show("watch: No phone.");
      return over;
    },
  };
}
