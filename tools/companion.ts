import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { type BluetoothLike, Companion, connectBluetooth, overLines, type Pipe } from "../runtime/companion.ts";
import { load } from "../runtime/index.ts";
import { type Command, output, print, refuseWords, UsageError } from "./command.ts";
import { openBluez } from "./companion/bluez.ts";
import { servePage } from "./companion/page.ts";
import { simulateBangle } from "./companion/simulate.ts";
import { serveSockets } from "./companion/websocket.ts";
import { modelOf } from "./model.ts";

const simulations = ["bangle"];

export const companion: Command = {
  help: `thimble companion [--simulate bangle] [--page PORT] [--ws PORT] [--cors ORIGIN] [--bluetooth] [--stdio] [--model PACK] [--tuning FILE]

Answers requests of devices that speak the tool bus (firmware/PROTOCOL.md) with calls of their own tools.

  --simulate bangle   a watch in the terminal: a request a line; yes or no where it asks
  --bluetooth         serves watches with Espruino in reach of a Linux board (BlueZ; npm install node-ble)
  --ws PORT           serves devices that connect by WebSocket, a frame a message
  --cors ORIGIN       lets pages of this origin connect to --ws, * for all (none)
  --page PORT         the companion as a web page, for a watch by Web Bluetooth; its model runs in the browser
  --host ADDRESS      where they listen (127.0.0.1)
  --stdio             serves one device whose lines come on standard input and go to standard output
  --model PACK        a pack's path, URL or name, as thimble pull knows them (the model inside the package)
  --tuning FILE       what thimble finetune made of that pack

What happens is told on standard error, of the simulation on standard output.

  echo "tea in ten minutes" | thimble companion --simulate bangle`,
  options: {
    simulate: { type: "string" },
    ws: { type: "string" },
    cors: { type: "string" },
    page: { type: "string" },
    bluetooth: { type: "boolean" },
    host: { type: "string" },
    stdio: { type: "boolean" },
    model: { type: "string" },
    tuning: { type: "string" },
  },
  async run(input) {
    const simulated = input.text("simulate");
    const port = input.integer("ws", 0, 65_535);
    const pagePort = input.integer("page", 0, 65_535);
    const isPiped = input.flag("stdio");
    const isRadio = input.flag("bluetooth");
    refuseWords(input, "companion");
    const serves = simulated !== undefined || port !== undefined || isRadio || isPiped;
    if (!serves && pagePort === undefined) {
      const ways = "--simulate bangle, --page PORT, --ws PORT, --bluetooth or --stdio";
      throw new UsageError(`companion: expected ${ways}, got none`);
    }
    if (simulated !== undefined && !simulations.includes(simulated))
      throw new UsageError(`--simulate: expected one of ${simulations.join(", ")}, got ${JSON.stringify(simulated)}`);
    if (simulated !== undefined && isPiped)
      throw new UsageError("companion: expected one of --simulate and --stdio, got both; each takes standard input");

    // A device's name and what it says must not steer the terminal.
    const tame = (line: string) => line.replace(/\p{Cc}+/gu, " ");
    const say = (line: string) => {
      if (simulated === undefined) process.stderr.write(`${tame(line)}\n`);
      else print(tame(line));
    };
    const host = input.text("host") ?? "127.0.0.1";
    const ends: Promise<unknown>[] = [];
    if (pagePort !== undefined) ends.push(listening("--page", "http", host, servePage(pagePort, host)));
    if (!serves) return void (await Promise.race(ends));
    const log = (line: string) => void process.stderr.write(`thimble: ${tame(line)}\n`);
    const radio = isRadio ? await openBluez(log) : null;

    const tuning = input.text("tuning");
    const model = await load(await modelOf(input.text("model")), {
      cache: true,
      ...(tuning !== undefined && { tuning }),
      promptTokens: 1024,
      answerTokens: 256,
    });
    let greet: () => void = () => {};
    const greeted = new Promise<void>((resolve) => {
      greet = resolve;
    });
    const served = new Companion({
      model,
      log,
      onDevice: (device) => {
        say(`companion: ${device.name}, ${device.tools?.tools.length} tools, ${device.hash}`);
        greet();
      },
      onGone: (device, reason) => say(`companion: ${device.name} is gone: ${reason}`),
      onRequest: (_, text) => say(`companion: ${JSON.stringify(text)}`),
      onResult: (_, __, { calls, decision }) => {
        for (const { name, arguments: args, confidence } of calls)
          say(`companion: ${name} ${JSON.stringify(args)} ${decision}, confidence ${confidence.toFixed(2)}`);
      },
    });
    if (port !== undefined) {
      const cors = input.text("cors");
      const server = serveSockets({ port, host, ...(cors && { cors }) }, (pipe) => void served.connect(pipe));
      ends.push(listening("--ws", "ws", host, server));
    }
    if (radio) ends.push(serveRadio(served, radio, log));
    if (isPiped) ends.push(serveStandard(served));
    if (simulated !== undefined) ends.push(simulate(served, greeted, say));
    await Promise.race(ends);
    model.close();
    process.exit();
  },
};

/** Says where a server listens; resolves when it no longer does. Throws: Error if it cannot. */
async function listening(option: string, scheme: string, host: string, starting: Promise<Server>): Promise<unknown> {
  const server = await starting.catch((error: Error) => {
    throw new Error(`${option}: expected a port to listen on, got ${error.message}`);
  });
  const { port } = server.address() as AddressInfo;
  process.stderr.write(`thimble: listening on ${scheme}://${host}:${port}\n`);
  return new Promise((resolve) => server.once("close", resolve));
}

/** One watch after another, as they come into reach. */
async function serveRadio(served: Companion, radio: BluetoothLike, log: (line: string) => void): Promise<never> {
  log("looking for watches");
  for (;;) await connectBluetooth(served, radio).catch((error: Error) => log(`--bluetooth: ${error.message}`));
}

/** One device on standard input and output; resolves when the input ends. */
function serveStandard(served: Companion): Promise<void> {
  return new Promise((resolve) => {
    const pipe: Pipe = {
      mtu: 128,
      send: (bytes) => void output().write(bytes),
      receive: (take, closed) => {
        process.stdin.on("data", take);
        process.stdin.once("end", () => {
          closed();
          resolve();
        });
      },
    };
    served.connect(overLines(pipe));
  });
}

/** A watch in the terminal; resolves when the input ends. */
async function simulate(served: Companion, greeted: Promise<void>, say: (line: string) => void): Promise<void> {
  const watch = simulateBangle(say);
  served.connect(overLines(watch.pipe));
  await greeted;
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({ input: process.stdin, ...(isTerminal && { output: output(), prompt: "> " }) });
  if (isTerminal) lines.prompt();
  for await (const line of lines) {
    if (line.trim()) await watch.type(line);
    if (isTerminal) lines.prompt();
  }
}
