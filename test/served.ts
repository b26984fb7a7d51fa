/** The server as its users start it: a process of its own, from the sources on Bun or as it is built on Node. */
import { fileURLToPath } from "node:url";
import { cli } from "./support.ts";

const built = fileURLToPath(new URL("../dist/tools/cli.js", import.meta.url));
const commands = { Bun: [process.execPath, cli], Node: ["node", built] };

export type Host = keyof typeof commands;
export const hosts = Object.keys(commands) as Host[];

export const commandOf = (host: Host, ...args: string[]): string[] => [...commands[host], "serve", ...args];

export interface Served extends AsyncDisposable {
  url: string;
  port: number;
  /** What it says on standard error, so far. */
  said(): string;
  /** A sample of /metrics by its name and labels. */
  metric(name: string): Promise<number>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
}

export async function startServer(host: Host, ...args: string[]): Promise<Served> {
  const child = Bun.spawn(commandOf(host, "--port", "0", ...args), {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { ...process.env, THIMBLE_API_KEY: undefined },
  });
  let said = "";
  let port: string | undefined;
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!port) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`serve: expected an address, got ${said}`);
    said += value;
    port = /http:\/\/\S+?:(\d+)\/v1/.exec(said)?.[1];
  }
  const rest = (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) said += part.value;
  })();
  const stop = async () => {
    child.kill();
    await rest;
    return child.exited;
  };
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port: Number(port),
    said: () => said,
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = text.split("\n").find((one) => one.startsWith(`thimble_${name} `));
      return line === undefined ? 0 : Number(line.split(" ").at(-1));
    },
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/** Asks until what is asked for holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await Bun.sleep(20);
}
