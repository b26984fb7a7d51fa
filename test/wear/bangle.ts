/** A Bangle.js 2 of stubs: the app's files in a plain context, a wearer who answers, a phone that may come and go. */
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import type { Clock } from "../../runtime/wear/channel.ts";
import type { Pipe } from "../../runtime/wear/pipe.ts";
import { espruino } from "./watch.ts";

const folder = new URL("../../firmware/espruino/", import.meta.url);

interface StorageFile {
  name: string;
  url: string;
}
export interface Metadata {
  id: string;
  name: string;
  shortName?: string;
  version: string;
  author: string;
  description: string;
  icon: string;
  type: string;
  tags: string;
  supports: string[];
  dependencies: Record<string, string>;
  screenshots: { url: string }[];
  readme: string;
  storage: (StorageFile & { evaluate?: boolean })[];
  data: { name: string }[];
}
export const metadata: Metadata = JSON.parse(readFileSync(new URL("metadata.json", folder), "utf8"));
export const fileOf = (url: string): Buffer => readFileSync(new URL(url, folder));
/** Code by its name in Storage. */
export const codeFiles = new Map(
  metadata.storage.filter(({ url }) => url.endsWith(".js")).map(({ name, url }) => [name, fileOf(url).toString()]),
);

type Listener = (...args: never[]) => void;
type Menu = Record<string, unknown>;

export class Bangle {
  /** What the app asked of the watch and the phone. */
  readonly asked: unknown[][] = [];
  readonly files = new Map<string, string>();
  /** Lines that it printed to Bluetooth. */
  readonly printed: string[] = [];
  menu: Menu = {};
  /** The prompt on the screen, and its buttons. */
  prompt: { text: string; buttons: string[] } | null = null;
  message = "";
  private answerPrompt: (value: unknown) => void = () => {};
  private typed = "";
  private connected = false;
  private take: ((bytes: Uint8Array) => void) | null = null;
  private gone: () => void = () => {};
  private readonly listeners = new Map<string, Listener[]>();
  private readonly context;

  constructor(clock: Clock, files: Map<string, string> = new Map()) {
    for (const [name, text] of files) this.files.set(name, text);
    const modules: Record<string, unknown> = {
      Storage: this.storage(),
      sched: { setAlarm: this.ask("setAlarm"), reload: this.ask("reload") },
      textinput: { input: async () => this.typed },
    };
    const on = (event: string, listener: Listener) =>
      void this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
    const stubs = espruino(clock);
    this.context = createContext({
      ...stubs,
      E: {
        ...(stubs.E as object),
        showMenu: (menu?: Menu) => {
          this.menu = menu ?? {};
          this.prompt = null;
        },
        showMessage: (text: string) => {
          this.message = text;
        },
        showPrompt: (text?: string, options: { buttons?: Record<string, unknown> } = {}) => {
          if (text === undefined) {
            this.prompt = null;
            return undefined;
          }
          const buttons = options.buttons ?? { Yes: true, No: false };
          this.prompt = { text, buttons: Object.keys(buttons) };
          return new Promise((resolve) => {
            this.answerPrompt = (button) => resolve(buttons[button as string]);
          });
        },
      },
      Bangle: {
        on,
        removeListener: (event: string, listener: Listener) =>
          void this.listeners.set(
            event,
            (this.listeners.get(event) ?? []).filter((known) => known !== listener),
          ),
        loadWidgets: () => {},
        buzz: async (ms: number) => void this.asked.push(["buzz", ms]),
        getHealthStatus: () => ({ steps: 4321 }),
        setHRMPower: this.ask("setHRMPower"),
        setLCDBrightness: this.ask("setLCDBrightness"),
      },
      NRF: {
        on: (event: string, listener: Listener) => on(`NRF ${event}`, listener),
        getSecurityStatus: () => ({ connected: this.connected }),
      },
      Bluetooth: { println: (line: string) => this.print(line) },
      WIDGETS: {
        recorder: {
          setRecording: async (isOn: boolean) => void this.asked.push(["setRecording", isOn]),
        },
      },
      load: () => {},
      require: (name: string) => {
        modules[name] ??= this.module(name);
        return modules[name];
      },
    });
    runInContext("var global = this;", this.context);
    this.run("thimble.boot.js");
  }

  /** Runs a file of Storage, as the boot or the launcher does. */
  run(name: string): unknown {
    return runInContext(codeFiles.get(name) as string, this.context);
  }

  evaluate(code: string): unknown {
    return runInContext(code, this.context);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(event) ?? []) listener(...(args as never[]));
  }

  /** The phone's end of Bluetooth; `interpreter` takes what is written there, as the REPL does. */
  connect(): Pipe {
    const latin1 = new TextDecoder("latin1");
    let kept = "";
    return {
      mtu: 128,
      send: (bytes) => {
        if (!this.connected) return;
        // Ctrl-C clears the line.
        const lines = ((kept + latin1.decode(bytes)).split("\x03").at(-1) as string).split("\n");
        kept = lines.pop() as string;
        for (const line of lines) this.evaluate(line.replace("\x10", ""));
      },
      receive: (take, closed) => {
        this.take = take;
        this.gone = closed;
        this.connected = true;
        this.emit("NRF connect", "address");
      },
      close: () => this.disconnect(),
    };
  }

  disconnect(): void {
    if (!this.connected) return;
    this.connected = false;
    this.take = null;
    this.emit("NRF disconnect", 0);
    this.gone();
  }

  /** Types into the keyboard that the menu's Ask opens. */
  type(text: string): void {
    this.typed = text;
    this.choose("Ask");
  }

  choose(item: string): void {
    (this.menu[item] as () => void)();
  }

  answer(button: string): void {
    this.prompt = null;
    this.answerPrompt(button);
  }

  private ask(name: string) {
    return (...args: unknown[]) => void this.asked.push([name, ...args]);
  }

  private print(line: string): void {
    this.printed.push(line);
    const message = line ? JSON.parse(line) : { t: "thimble" };
    if (message.t !== "thimble" && message.action !== "thimble.frame") this.asked.push(["phone", message]);
    this.take?.(new TextEncoder().encode(`${line}\r\n`));
    // The interpreter's prompt comes when it is idle.
    queueMicrotask(() => this.take?.(new TextEncoder().encode(">")));
  }

  private module(name: string): unknown {
    const code = codeFiles.get(name);
    if (code === undefined) throw new Error(`Module ${name} not found`);
    return runInContext(`(function () { var exports = {}; ${code}\n; return exports; })()`, this.context);
  }

  private storage() {
    const { files } = this;
    return {
      readJSON: (name: string) => {
        const text = files.get(name);
        return text === undefined ? undefined : runInContext(`JSON.parse(${JSON.stringify(text)})`, this.context);
      },
      writeJSON: (name: string, value: unknown) => void files.set(name, JSON.stringify(value)),
      erase: (name: string) => void files.delete(name),
      open: (name: string) => ({
        write: (text: string) => void files.set(name, (files.get(name) ?? "") + text),
        erase: () => void files.delete(name),
      }),
    };
  }
}
