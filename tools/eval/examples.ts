/** Data files → examples. A line that is none stops the evaluation and is named by file and number. */
import { createHash } from "node:crypto";
import { basename, dirname, resolve } from "node:path";
import { snakeCase } from "../../runtime/tools/prompt.ts";
import { type ToolInput, ToolSet } from "../../runtime/tools/tools.ts";
import { readBytes, readText } from "../command.ts";
import { textOf } from "../data/lines.ts";
import { acceptable } from "./accept.ts";
import { type Call, callsOf } from "./metrics.ts";

export interface Example {
  /** The same for the same request, tools and answers in whatever file they stand: what `--compare` pairs by. */
  key: string;
  /** The file's name without folder and ending. */
  file: string;
  line: number;
  id?: string;
  source?: string;
  /** The data's own word for the kind of request. */
  kind?: string;
  request: string;
  tools: ToolSet;
  /** The reference calls; none where no tool fits. */
  want: Call[];
  /** Every acceptable answer, `want` the first. */
  accept: Call[][];
}

/**
 * Reads lines of `{query, tools, answers, source?, kind?, id?}`; tools and answers are values or JSON in strings.
 * `tools` may be the path of a .json file, seen from the data's folder: its name is the source of lines that have none.
 * `accept` (accept.ts) stands in place of `answers` where several are right. A path that ends in .gz is unpacked. With a limit, that many lines spread evenly over the file.
 * `twins` counts the examples of each key so far, where several files are one run.
 * Throws: Error naming file and line.
 */
export function readExamples(path: string, limit = Infinity, twins = new Map<string, number>()): Example[] {
  const file = (path.split(/[\\/]/).at(-1) as string).replace(/(\.jsonl|\.json)?(\.gz)?$/, "");
  const lines = textOf(readBytes(path), path)
    .split("\n")
    .map((text, i) => ({ text, line: i + 1 }))
    .filter(({ text }) => text.trim());
  if (!lines.length) throw new Error(`${path}: expected examples, one a line, got none`);
  const taken = Math.min(limit, lines.length);
  const sets = new Map<string, ToolSet>();
  const toolsAt = (name: string) => {
    const set = sets.get(name) ?? ToolSet.from(readText(resolve(dirname(path), name)));
    sets.set(name, set);
    return set;
  };
  return Array.from({ length: taken }, (_, i) => {
    const { text, line } = lines[Math.floor((i * lines.length) / taken)];
    try {
      const example = { ...readExample(text, toolsAt), file, line };
      const seen = twins.get(example.key) ?? 0;
      twins.set(example.key, seen + 1);
      return seen ? { ...example, key: `${example.key}.${seen + 1}` } : example;
    } catch (error) {
      throw new Error(`${path}:${line}: ${(error as Error).message}`);
    }
  });
}

/** The prompt names of all tools that a data file offers, for telling seen tools from unseen ones. */
export function toolNames(path: string): string[] {
  return readExamples(path).flatMap(({ tools }) => tools.tools.map((tool) => tool.promptName));
}

function readExample(text: string, toolsAt: (name: string) => ToolSet): Omit<Example, "file" | "line"> {
  const value = parse(text, "line") as Record<string, unknown>;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`expected an object with query, tools and answers, got ${text.slice(0, 40)}`);
  }
  const { query } = value;
  if (typeof query !== "string" || !query.trim())
    throw new Error(`query: expected text, got ${JSON.stringify(query) ?? "nothing"}`);
  if (value.tools === undefined) throw new Error("tools: expected a list of tools, got nothing");
  const toolFile = typeof value.tools === "string" && value.tools.endsWith(".json") ? value.tools : null;
  const tools = toolFile ? toolsAt(toolFile) : ToolSet.from(unpacked(value.tools, "tools") as ToolInput[]);
  const accept = readAnswers(value);
  const [want] = accept;
  const names = new Set(tools.tools.map(({ promptName }) => promptName));
  const stranger = accept.flat().find(({ name }) => !names.has(snakeCase(name)));
  if (stranger)
    throw new Error(
      `answers: expected calls of the line's tools, got ${JSON.stringify(stranger.name)}; add it or mend it`,
    );
  const word = (key: string) => (typeof value[key] === "string" ? { [key]: value[key] as string } : {});
  const source = toolFile ? { source: basename(toolFile, ".json") } : {};
  const key = createHash("sha256")
    .update(JSON.stringify([query, tools.prompt, ...accept]))
    .digest("hex")
    .slice(0, 16);
  return { key, ...word("id"), ...source, ...word("source"), ...word("kind"), request: query, tools, want, accept };
}

function readAnswers({ answers, accept }: Record<string, unknown>): Call[][] {
  if (accept !== undefined) {
    if (answers === undefined) return acceptable(accept);
    throw new Error("accept: expected it in place of answers, got both; leave one out");
  }
  const want = callsOf(unpacked(answers, "answers"));
  if (want) return [want];
  const got = JSON.stringify(answers)?.slice(0, 40) ?? "nothing";
  throw new Error(`answers: expected a list of {name, arguments}, got ${got}`);
}

/** The published files carry tools and answers as JSON in strings. */
function unpacked(value: unknown, place: string): unknown {
  return typeof value === "string" ? parse(value, place) : value;
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const end = text.length > 40 ? `…${text.slice(-40)}` : text;
    throw new Error(`${place}: expected JSON, got text that ends ${JSON.stringify(end)}: ${(error as Error).message}`);
  }
}
