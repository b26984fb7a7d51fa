import { fileURLToPath } from "node:url";
import { mostThreads } from "../runtime/engine/threads.ts";
import { load } from "../runtime/thimble.ts";
import { buildNames } from "../wasm/abi.ts";
import { type Command, kernelsOf, print, readText, UsageError } from "./command.ts";
import { modelOf } from "./model.ts";

/** The watch tools that `run` offers unless told otherwise. */
export const watchTools = fileURLToPath(new URL("./watch.json", import.meta.url));
/** What the instruments ask of them: two calls. */
export const watchRequest = "tell anna i am running late and wake me at 7:15 tomorrow";

export const run: Command = {
  help: `thimble run REQUEST [--tools FILE] [--model PACK] [--kernels NAME] [--threads N] [--json] [--stream] [--free]

Prints one line a call: the tool's name, then its arguments as JSON.
REQUEST may come from standard input instead.

  --tools FILE    list of tools: native, JSON Schema, OpenAI or MCP; - for standard input (a watch's tools)
  --model PACK    a pack's path, URL or name, as thimble pull knows them (the model inside the package)
  --kernels NAME  ${buildNames.join(", ")} (the fastest that runs here)
  --threads N     threads of the prefill (1)
  --json          print one object: calls, text, tokens, timings
  --stream        print the answer's text while it is written
  --free          decode without the grammar

  thimble run "text anna I'm running late" --json`,
  options: {
    tools: { type: "string" },
    model: { type: "string" },
    kernels: { type: "string" },
    threads: { type: "string" },
    json: { type: "boolean" },
    stream: { type: "boolean" },
    free: { type: "boolean" },
  },
  async run(input) {
    const toolsPath = input.text("tools") ?? watchTools;
    const kernels = kernelsOf(input);
    const request = input.words.length ? input.words.join(" ") : requestFromInput(toolsPath);
    const tools = readText(toolsPath);
    const thimble = await load(await modelOf(input.text("model")), {
      cache: true,
      kernels,
      threads: input.integer("threads", 1, mostThreads),
      promptTokens: 1024,
      answerTokens: 512,
    });

    const [stream, json] = [input.flag("stream"), input.flag("json")];
    const onText = stream ? (text: string) => void (json ? process.stderr : process.stdout).write(text) : undefined;
    const result = await thimble.call(request, tools, { onText, grammar: !input.flag("free") });
    if (stream) (json ? process.stderr : process.stdout).write("\n");
    if (json) return print(JSON.stringify({ ...result, kernels: thimble.build, threads: thimble.threads }));

    if (!stream) {
      for (const call of result.calls) print(`${call.name} ${JSON.stringify(call.arguments)}`);
      if (!result.calls.length) print(input.flag("free") && result.text !== "[]" ? result.text : "no tool fits");
    }
    const { totalMs, promptTokens, answerTokens, forcedTokens } = result.timings;
    const cost = `${totalMs.toFixed(0)} ms, ${promptTokens} prompt tokens, ${answerTokens} answer tokens, ${forcedTokens} of them forced`;
    if (process.stderr.isTTY) process.stderr.write(`\x1b[2m${cost}, ${thimble.build} kernels\x1b[0m\n`);
    if (result.cutShort) process.stderr.write("thimble: the answer reached its token limit and was closed early\n");
  },
};

function requestFromInput(toolsPath: string): string {
  if (toolsPath === "-")
    throw new UsageError("run: expected a request beside --tools -, got none; standard input holds the tools");
  if (process.stdin.isTTY)
    throw new UsageError('run: expected a request, got none; try thimble run "wake me at 7:15 tomorrow"');
  return readText("-").trim();
}
