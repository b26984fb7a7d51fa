#!/usr/bin/env node
/** Dispatch. Exit codes: 0 done, 1 failed (lint: findings), 2 wrong command line. */
import { readFileSync } from "node:fs";
import { bench } from "./bench.ts";
import { build } from "./build.ts";
import { calibrate } from "./calibrate.ts";
import { type Command, parse, print, UsageError } from "./command.ts";
import { companion } from "./companion.ts";
import { data } from "./data.ts";
import { evaluate } from "./eval.ts";
import { inspect } from "./inspect.ts";
import { lint } from "./lint.ts";
import { profile } from "./profile.ts";
import { pull } from "./pull.ts";
import { run } from "./run.ts";
import { tools } from "./tools.ts";

const commands: Command[] = [
  run,
  build,
  pull,
  inspect,
  bench,
  profile,
  lint,
  evaluate,
  calibrate,
  data,
  tools,
  companion,
];

const usage = `thimble: a request and a list of tools in, a tool call out, on device.

${commands.map(({ name, summary }) => `  thimble ${name.padEnd(10)} ${summary}`).join("\n")}

  thimble run "wake me at 7:15 tomorrow"

thimble COMMAND --help tells more. Exit codes: 0 done, 1 failed, 2 wrong command line.`;

async function main(args: string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") return print(usage);
  if (name === "--version") return print(packageVersion());
  const command = commands.find((known) => known.name === name);
  if (!command) {
    const names = commands.map((known) => known.name).join(", ");
    throw new UsageError(`expected a command, one of ${names}, got ${JSON.stringify(name)}`);
  }
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

// A reader that stops early, as in `thimble … | head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`thimble: ${error.message.split("\n")[0]}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
