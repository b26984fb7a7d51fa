/** Examples that a server writes, kept beside the tuning: a run that stops goes on from them. */
import { existsSync } from "node:fs";
import type { ToolSet } from "../../runtime/tools/tools.ts";
import { warn } from "../command.ts";
import { drawAsking, type GenerateOptions, generate, toldOf } from "../data/generate.ts";
import { flatTools } from "../data/line.ts";
import { readLines } from "../data/lines.ts";
import { advisedExamples } from "../data/measures.ts";

export interface Server {
  url: string;
  model: string;
  timeoutMs: number;
  /** Examples to ask for; the advised ones a tool if absent. */
  count?: number;
}

/**
 * Asks until the file holds enough. Ctrl-C keeps what there is, and says so: false.
 * Throws: Error for a file of other tools, or an endpoint that gives up.
 */
export async function askServer({ url, model, timeoutMs, count }: Server, tools: ToolSet, seed: number, out: string) {
  checkTools(out, tools);
  const asked = new AbortController();
  const stop = () => {
    if (asked.signal.aborted) process.exit(130);
    asked.abort();
  };
  const options: GenerateOptions = {
    ...{ endpoint: url, model, out, seed, tools, timeoutMs },
    count: count ?? advisedExamples * tools.tools.length,
    ...{ batch: 10, parallel: 2, pauseMs: 1000, retries: 5 },
    apiKey: process.env.THIMBLE_API_KEY,
    signal: asked.signal,
    onProgress: process.stderr.isTTY ? drawAsking : undefined,
  };
  warn(`finetune: asking ${model} at ${url} for ${options.count} examples; ${out} keeps them`);
  process.on("SIGINT", stop);
  try {
    const progress = await generate(options);
    if (process.stderr.isTTY) process.stderr.write("\n");
    const goOn = asked.signal.aborted ? "; stopped, the same command goes on" : "";
    warn(`finetune: ${out}: ${toldOf(progress)}${goOn}`);
    return !asked.signal.aborted;
  } finally {
    process.off("SIGINT", stop);
  }
}

/** Throws: Error where a file holds lines for other tools. */
function checkTools(path: string, tools: ToolSet): void {
  if (!existsSync(path)) return;
  const own = new Set(flatTools(tools).map((tool) => JSON.stringify(tool)));
  for (const line of readLines(path).lines) {
    const other = flatTools(line.tools).find((tool) => !own.has(JSON.stringify(tool)));
    if (other)
      throw new Error(
        `${path}:${line.number}: expected a tool of --tools, got another ${JSON.stringify(other.name)}; name another -o, or remove the file`,
      );
  }
}
