#!/usr/bin/env node
/** Dispatch. Exit codes: 0 done, 1 failed (lint: findings), 2 wrong command line. */
import { readFileSync } from "node:fs";
import { type Command, oneLine, parse, print, UsageError, warn } from "./command.ts";

/** Each command's line of the usage, and its module: loaded only to be run. */
const commands: Record<string, { summary: string; load: () => Promise<Command> }> = {
  run: {
    summary: "print the tool calls that answer a request",
    load: async () => (await import("./run.ts")).run,
  },
  build: {
    summary: "convert a checkpoint and its vocabulary to a pack",
    load: async () => (await import("./build.ts")).build,
  },
  pull: {
    summary: "fetch a pack, or a published checkpoint, into the cache",
    load: async () => (await import("./pull.ts")).pull,
  },
  inspect: {
    summary: "show what is inside a pack, and check every byte of it",
    load: async () => (await import("./inspect.ts")).inspect,
  },
  bench: {
    summary: "measure load, memory, prefill, decode and a whole call",
    load: async () => (await import("./bench.ts")).bench,
  },
  profile: {
    summary: "show where a call's time, memory and power go on this machine",
    load: async () => (await import("./profile.ts")).profile,
  },
  lint: {
    summary: "say what a list of tools costs and what makes it fail",
    load: async () => (await import("./lint.ts")).lint,
  },
  eval: {
    summary: "measure a model on examples: right calls, right names, refusals",
    load: async () => (await import("./eval.ts")).evaluate,
  },
  calibrate: {
    summary: "fit when to act, confirm or ask to your own data",
    load: async () => (await import("./calibrate.ts")).calibrate,
  },
  finetune: {
    summary: "teach the model your tools: from examples, or from the tools alone",
    load: async () => (await import("./finetune.ts")).finetune,
  },
  data: {
    summary: "make, check and split training examples",
    load: async () => (await import("./data.ts")).data,
  },
  tools: {
    summary: "pack a list of tools for a device, show or name a packed one; read one ahead of calls",
    load: async () => (await import("./tools.ts")).tools,
  },
  serve: {
    summary: "answer OpenAI's clients and hosts of MCP on this machine",
    load: async () => (await import("./serve.ts")).serve,
  },
  playground: {
    summary: "serve a page to try tools and requests on",
    load: async () => (await import("./playground.ts")).playground,
  },
  companion: {
    summary: "answer the requests of watches and glasses",
    load: async () => (await import("./companion.ts")).companion,
  },
};

const usage = `thimble: a request and a list of tools in, a tool call out, on device.

${Object.entries(commands)
  .map(([name, { summary }]) => `  thimble ${name.padEnd(10)} ${summary}`)
  .join("\n")}

  thimble run "wake me at 7:15 tomorrow"

thimble COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong command line.`;

async function main(args: string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") return print(usage);
  if (name === "--version") return print(packageVersion());
  if (!Object.hasOwn(commands, name)) {
    const names = Object.keys(commands).join(", ");
    throw new UsageError(`expected a command, one of ${names}, got ${JSON.stringify(name)}`);
  }
  const command = await commands[name].load();
  const input = parse(rest, { ...command.options, help: { type: "boolean", short: "h" } });
  if (input.flag("help")) return print(command.help);
  await command.run(input);
}

/** The nearest package.json above: the source tree and the built package nest this file differently. */
function packageVersion(): string {
  for (const up of ["../package.json", "../../package.json"]) {
    try {
      return JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")).version;
    } catch {}
  }
  return "unknown";
}

main(process.argv.slice(2)).catch((error: Error) => {
  warn(oneLine(error.message));
  // By name: the file that runs a command may have a class of its own.
  process.exitCode = error.name === "UsageError" ? 2 : 1;
});
