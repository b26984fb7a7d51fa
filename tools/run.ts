import { fileURLToPath } from "node:url";
import { mostThreads } from "../runtime/engine/threads.ts";
import type { Source } from "../runtime/load/source.ts";
import type { CallResult } from "../runtime/session.ts";
import { load } from "../runtime/thimble.ts";
import { mostTools } from "../runtime/tools/bounds.ts";
import type { ToolSet } from "../runtime/tools/tools.ts";
import { buildNames } from "../wasm/abi.ts";
import {
  type Command,
  isTyped,
  isWatched,
  kernelsOf,
  oneLine,
  output,
  printNow,
  readText,
  UsageError,
  warn,
} from "./command.ts";
import { linesOf } from "./lines.ts";
import { modelOf } from "./model.ts";
import { readTools } from "./toollist.ts";

/** The watch tools that `run` offers unless told otherwise. */
export const watchTools = fileURLToPath(new URL("./watch.json", import.meta.url));
/** What the instruments ask of them: two calls. */
export const watchRequest = "text anna i am running late and wake me at 7:15 tomorrow";

export const run: Command = {
  help: `thimble run REQUEST [--tools FILE] [--model PACK] [--offer K] [--kernels NAME] [--tuning FILE] [--json] [--stream] [--free] [--wasi]

Prints one line a call: the tool's name, then its arguments as JSON. Without REQUEST, each line of standard input that is
not blank is a request, answered in one line as soon as it is there: its calls a tab apart, or "error: " and what is wrong with it.
Whether to act on a call, confirm it or ask again is said on a terminal and by --json.

  --tools FILE    list of tools: native, JSON Schema, OpenAI, MCP or packed; - for standard input (a watch's tools)
  --offer K       offer the likeliest K of the tools and their rivals (as many as fit)
  --model PACK    a pack's path, URL or name, as thimble pull knows them (the model inside the package)
  --tuning FILE   what thimble finetune wrote for this model: a path or URL
  --kernels NAME  ${buildNames.join(", ")} (the fastest that runs here)
  --threads N     threads of the prefill (1)
  --json          print one object a request: calls, decision, text, tokens, timings, warnings; or error
  --stream        print the answer's text while it is written
  --free          decode without the grammar
  --wasi          answer by the command for WASI, under @wasmer/wasi: requests are read whole before the first is answered;
                  of the options above it takes --tools and --model

  thimble run "text anna I'm running late" --json`,
  options: {
    tools: { type: "string" },
    offer: { type: "string" },
    model: { type: "string" },
    tuning: { type: "string" },
    kernels: { type: "string" },
    threads: { type: "string" },
    json: { type: "boolean" },
    stream: { type: "boolean" },
    free: { type: "boolean" },
    wasi: { type: "boolean" },
  },
  async run(input) {
    const toolsPath = input.text("tools") ?? watchTools;
    const kernels = kernelsOf(input);
    const typed = input.words.join(" ");
    if (input.words.length && !typed.trim()) throw noRequest("none");
    const fromInput = !input.words.length || typed === "-";
    if (fromInput && toolsPath === "-")
      throw new UsageError("run: expected a request beside --tools -, got none; standard input holds the tools");
    if (fromInput && isTyped()) throw noRequest("none");
    const tools = await readTools(toolsPath);
    const offer = input.integer("offer", 1, mostTools);
    const idle = ["offer", "tuning", "kernels", "threads", "json", "stream", "free"].find((name) => input.has(name));
    if (input.flag("wasi") && idle)
      throw new UsageError(`--wasi: expected no other option than --tools and --model, got --${idle}; leave one out`);
    if (input.flag("wasi")) return runByWasi(await modelOf(input.text("model")), tools, fromInput ? null : typed);
    if (!fromInput && tools.tools.length <= fewTools) optimizeLess();
    const threads = input.integer("threads", 1, mostThreads);
    const tuning = input.text("tuning");
    const thimble = await load(await modelOf(input.text("model")), {
      cache: true,
      kernels,
      threads,
      ...(tuning !== undefined && { tuning }),
      promptTokens: 1024,
      answerTokens: 512,
    });

    const [stream, json] = [input.flag("stream"), input.flag("json")];
    const { warnings } = tools;
    if (!json) for (const { path, message } of warnings) warn(`warning: ${path} ${message}`);
    const streamed = (text: string) => void (json ? process.stderr : output()).write(text);
    const answer = async (request: string, between: string): Promise<void> => {
      const onText = stream ? streamed : undefined;
      const result = await thimble.call(request, tools, {
        onText,
        grammar: !input.flag("free"),
        ...(offer && { offer }),
      });
      if (stream) streamed("\n");
      if (json) printNow(JSON.stringify({ ...result, warnings, kernels: thimble.build, threads: thimble.threads }));
      else if (!stream) printNow(said(result, input.flag("free")).join(between));
      if (!json) remark(result, thimble.build);
    };
    if (!fromInput) return answer(typed, "\n");

    let requests = 0;
    for await (const line of linesOf(process.stdin)) {
      requests++;
      try {
        if ("error" in line) throw line.error;
        await answer(line.text, "\t");
      } catch (error) {
        // The requests after it are answered all the same.
        const { message } = error as Error;
        printNow(json ? JSON.stringify({ error: message }) : `error: ${oneLine(message)}`);
        process.exitCode = 1;
      }
    }
    if (!requests) throw noRequest("an empty input");
  },
};

/** Of so many tools a process that answers once is at its end before optimised code has paid for its making. */
const fewTools = 64;

/**
 * Leaves JavaScript to V8's interpreter and its quick compiler: 26 of 165 ms of CPU on Node 24. Flags that V8 has had since
 * Node 20, since it complains of others on standard error.
 */
function optimizeLess(): void {
  if (process.versions.bun || !process.getBuiltinModule) return;
  for (const flag of ["--no-opt", "--no-maglev"]) process.getBuiltinModule("node:v8").setFlagsFromString(flag);
}

/** Answers one request, or the lines of standard input. */
async function runByWasi(model: Source | undefined, tools: ToolSet, typed: string | null): Promise<void> {
  // Its host is a package of its own, which nobody else loads.
  const { answerByWasi } = await import("./wasi.ts");
  for (const { path, message } of tools.warnings) warn(`warning: ${path} ${message}`);
  const requests =
    typed === null
      ? readText("-")
          .split(/\r?\n/)
          .filter((line) => line.trim())
      : [typed];
  if (!requests.length) throw noRequest("an empty input");
  for (const answer of await answerByWasi(model, tools, requests)) {
    if ("error" in answer) process.exitCode = 1;
    printNow("error" in answer ? `error: ${answer.error}` : calls(answer).join(typed === null ? "\t" : "\n"));
  }
}

/** A line each, or that there is none. */
function calls(list: readonly { name: string; arguments: object }[]): string[] {
  if (!list.length) return ["no tool fits"];
  return list.map(({ name, arguments: args }) => `${name} ${JSON.stringify(args)}`);
}

/** A call each, or that there is none. */
function said(result: CallResult, isFree: boolean): string[] {
  const isText = isFree && !result.calls.length && result.text !== "[]";
  return isText ? [oneLine(result.text)] : calls(result.calls);
}

/** What an answer cost and what to do about its calls, for who watches, and whether it is whole. */
function remark({ calls, decision, timings, cutShort }: CallResult, build: string): void {
  const { totalMs, promptTokens, answerTokens, forcedTokens } = timings;
  const cost = `${totalMs.toFixed(0)} ms, ${promptTokens} prompt tokens, ${answerTokens} answer tokens, ${forcedTokens} of them forced`;
  const sure = Math.min(...calls.map(({ confidence }) => confidence));
  const advice = calls.length ? `${decision}, ${Math.round(100 * sure)}% sure; ` : "";
  if (isWatched()) process.stderr.write(dim(`${advice}${cost}, ${build} kernels`));
  if (cutShort) warn("the answer reached its token limit and was closed early");
}

/** Source: no-color.org. */
const dim = (text: string) => (process.env.NO_COLOR ? `${text}\n` : `\x1b[2m${text}\x1b[0m\n`);

function noRequest(got: string): UsageError {
  return new UsageError(`run: expected a request, got ${got}; try thimble run "wake me at 7:15 tomorrow"`);
}
