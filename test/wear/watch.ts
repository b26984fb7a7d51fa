/** The watch's library in a plain context with stubs of what Espruino has: a device like runtime/wear's, for the same laws. */
import { createContext, runInContext } from "node:vm";
import { crc32 } from "node:zlib";
import { minify as terser } from "terser";
import type { ToolSet } from "../../runtime/tools/tools.ts";
import type { Clock } from "../../runtime/wear/channel.ts";
import type { Pipe } from "../../runtime/wear/pipe.ts";
import { packTools } from "../../runtime/wire/wire.ts";
import { watchModule } from "../../tools/watchset.ts";

export const library = await Bun.file(new URL("../../firmware/espruino/thimble.js", import.meta.url)).text();

/** As an app loader sends it: ES5, one byte a character. */
export async function minify(code: string): Promise<string> {
  const format = { ascii_only: true };
  const { code: small } = await terser(code, { ecma: 5, compress: { passes: 3 }, format, toplevel: true });
  return small as string;
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

export interface Bus {
  take(bytes: string): void;
  knock(): void;
  detach(): void;
  isOpen(): boolean;
  request(text: string): number;
  cancel(request: number): boolean;
  tell(facts: (string | number | null)[]): boolean;
  lose(): void;
}

/** What the library knows of a call. */
export interface WatchCall {
  request: number | null;
  args?: Record<string, unknown>;
  wire: unknown;
}

export interface WatchOptions {
  name: string;
  tools: ToolSet;
  clock: Clock;
  random: () => number;
  run: Record<string, (args: Record<string, unknown>) => unknown>;
  prompt(text: string, buttons: Record<string, number>, then: (value: number) => void): () => void;
  report?(name: string, ending: string, value: unknown, heard: boolean, call: WatchCall): void;
  done?(request: number, calls: number, decision: string): void;
  error?(code: string, text: string): void;
}

/** What the library asks of Espruino. */
export function espruino(clock: Clock): Record<string, unknown> {
  return {
    E: { CRC32: (bytes: string) => crc32(Buffer.from(bytes, "latin1")) },
    btoa,
    atob,
    setTimeout: (run: () => void, ms: number) => clock.set(run, ms),
    clearTimeout: (timer: unknown) => clock.clear(timer),
  };
}

export function startWatch(options: WatchOptions): { bus: Bus; attach(pipe: Pipe): void } {
  const { tools, clock } = options;
  const context = createContext({ ...espruino(clock), exports: {}, setModule: {} });
  runInContext(library, context);
  runInContext(`(function (exports) {${watchModule(packTools(tools))}})(setModule)`, context);
  let pipe: Pipe | null = null;
  const given = {
    ...options,
    set: context.setModule,
    write: (bytes: string) => void pipe?.send(Uint8Array.from(Buffer.from(bytes, "latin1"))),
  };
  const bus: Bus = context.exports.start(given);
  return {
    bus,
    attach(next) {
      pipe = next;
      next.receive(
        (bytes) => pipe === next && bus.take(latin1(bytes)),
        () => {
          if (pipe !== next) return;
          pipe = null;
          bus.detach();
        },
      );
      bus.detach();
      bus.knock();
    },
  };
}
