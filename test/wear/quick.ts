/** The watch's library in QuickJS with a watch's memory: a device for the corpus. */

import { crc32 } from "node:zlib";
import { getQuickJS, type QuickJSContext, type QuickJSWASMModule } from "quickjs-emscripten";
import type { Pipe } from "../../runtime/wear/pipe.ts";
import { packTools } from "../../runtime/wire/wire.ts";
import { watchModule } from "../../tools/watchset.ts";
import { library, type WatchOptions } from "./watch.ts";

const module: QuickJSWASMModule = await getQuickJS();

/** Bytes: 12,000 JsVars of 14. */
export const watchMemory = 200 * 1024;

/** As startWatch; `code` may be the library minified. Throws: Error when it runs out of memory. */
export function startQuickWatch(
  options: WatchOptions,
  code = library,
): { attach(pipe: Pipe): void; request(text: string): number; close(): void } {
  const { clock, tools, run } = options;
  const vm = module.newContext();
  vm.runtime.setMemoryLimit(watchMemory);
  vm.runtime.setMaxStackSize(32 * 1024);
  let pipe: Pipe | null = null;
  const timers = new Map<number, unknown>();
  let lastTimer = 0;
  const evaluate = (source: string) => vm.dump(vm.unwrapResult(vm.evalCode(source)));
  const call = (name: string, ...args: unknown[]) =>
    evaluate(`${name}(${args.map((arg) => asciiJson(arg)).join(",")})`);

  // A string that crosses over ends at its first NUL: bytes go as hex.
  give(vm, "crc", (hex: string) => crc32(Buffer.from(hex, "hex")));
  give(vm, "write", (hex: string) => void pipe?.send(Uint8Array.from(Buffer.from(hex, "hex"))));
  give(vm, "after", (ms: number) => {
    const id = ++lastTimer;
    timers.set(
      id,
      clock.set(() => {
        timers.delete(id);
        call("due", id);
      }, ms),
    );
    return id;
  });
  give(vm, "never", (id: number) => {
    clock.clear(timers.get(id));
    timers.delete(id);
  });
  give(vm, "unbase", (base64: string) => Buffer.from(base64, "base64").toString("hex"));
  give(vm, "random", () => options.random());
  give(vm, "runTool", (name: string, args: string) => {
    try {
      return JSON.stringify([0, run[name](JSON.parse(args))]);
    } catch (error) {
      return JSON.stringify([1, (error as Error).message]);
    }
  });
  give(vm, "ask", (words: string, buttons: string) => {
    options.prompt(words, JSON.parse(buttons), (value) => void call("answer", value));
  });
  give(vm, "report", (...args: unknown[]) =>
    options.report?.(args[0] as string, args[1] as string, args[2], args[3] as boolean, JSON.parse(args[4] as string)),
  );
  give(vm, "done", (...args: unknown[]) => options.done?.(args[0] as number, args[1] as number, args[2] as string));
  evaluate(`
    function hex(bytes) {
      var s = "";
      for (var i = 0; i < bytes.length; i++) s += (256 + bytes.charCodeAt(i)).toString(16).substr(1);
      return s;
    }
    function unhex(s) {
      return s.replace(/../g, function (two) { return String.fromCharCode(parseInt(two, 16)); });
    }
    function atob(base64) { return unhex(unbase(base64)); }
    var E = { CRC32: function (bytes) { return crc(hex(bytes)); } };
    var waiting = {};
    var answer;
    function setTimeout(run, ms) { var id = after(ms); waiting[id] = run; return id; }
    function clearTimeout(id) { never(id); delete waiting[id]; }
    function due(id) { var run = waiting[id]; delete waiting[id]; run(); }
    var exports = {};
    ${watchModule(packTools(tools))}
    var set = exports;
    exports = {};
    ${code}
    var tools = {};
    ${JSON.stringify(tools.tools.map(({ name }) => name))}.forEach(function (name) {
      tools[name] = function (args) {
        var got = JSON.parse(runTool(name, JSON.stringify(args)));
        if (got[0]) throw new Error(got[1]);
        return got[1];
      };
    });
    var bus = exports.start({
      name: ${JSON.stringify(options.name)}, set: set, run: tools, write: function (bytes) { write(hex(bytes)); }, random: random, done: done,
      prompt: function (text, buttons, then) { answer = then; ask(text, JSON.stringify(buttons)); return function () {}; },
      report: function (name, ending, value, heard, call) { report(name, ending, value, heard, JSON.stringify(call)); }
    });
    function take(s) { bus.take(unhex(s)); }
    0`);
  return {
    attach(next) {
      pipe = next;
      next.receive(
        (bytes) => void (pipe === next && call("take", Buffer.from(bytes).toString("hex"))),
        () => {},
      );
      call("bus.detach");
      call("bus.knock");
    },
    request: (words) => call("bus.request", words) as number,
    close: () => vm.dispose(),
  };
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value) ?? "undefined";
}

/** A function of the host, of plain values, by name. */
function give(vm: QuickJSContext, name: string, run: (...args: never[]) => unknown): void {
  const handle = vm.newFunction(name, (...args) => {
    const value = run(...(args.map((arg) => vm.dump(arg)) as never[]));
    if (typeof value === "string") return vm.newString(value);
    return typeof value === "number" ? vm.newNumber(value) : vm.undefined;
  });
  vm.setProp(vm.global, name, handle);
  handle.dispose();
}
