/** One example as data has it: a query, tools and answers, as values or as JSON in strings. */
import { answerStates } from "../../runtime/grammar/automaton.ts";
import type { State } from "../../runtime/grammar/state.ts";
import { type ToolInput, ToolSet } from "../../runtime/tools/tools.ts";
import { type Call, checkCalls, type FlatTool, ungrounded } from "./ground.ts";
import { beyondLimits, forbidding, toldLimits } from "./limits.ts";

export interface Line {
  path: string;
  number: number;
  /** As it stands in the file. */
  text: string;
  query: string;
  tools: ToolSet;
  answers: Call[];
  kind?: string;
  domain?: string;
  source?: string;
  /** What is right but suspicious. */
  warning?: string;
  /** A string that the request does not say, which no model that copies writes. */
  isUnwritable?: true;
}

const toolsOf = (list: unknown) => ToolSet.from(list as ToolInput[]);

/** `readTools`: of lines that share a list, reads it once. Throws: Error that names the part which is wrong. */
export function readLine(text: string, readTools = toolsOf): Omit<Line, "path" | "number" | "text"> {
  const value = parse(text, "line") as Record<string, unknown>;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`expected an object with query, tools and answers, got ${text.slice(0, 40)}`);
  }
  const { query, kind, domain, source } = value;
  if (typeof query !== "string" || !query.trim())
    throw new Error(`query: expected text, got ${JSON.stringify(query) ?? "nothing"}`);
  const tools = readTools(unpack(value.tools, "tools"));
  const answers = unpack(value.answers, "answers");
  if (!Array.isArray(answers))
    throw new Error(`answers: expected a list of calls, got ${JSON.stringify(answers) ?? "nothing"}`);
  for (const [i, call] of answers.entries()) {
    if (typeof call?.name !== "string")
      throw new Error(`answers[${i}].name: expected a string, got ${JSON.stringify(call?.name) ?? "nothing"}`);
    call.arguments ??= {};
    if (typeof call.arguments !== "object" || Array.isArray(call.arguments))
      throw new Error(`answers[${i}].arguments: expected an object, got ${JSON.stringify(call.arguments)}`);
  }
  const flat = flatTools(tools);
  const calls = answers.map((call) => ({
    ...call,
    name: tools.tools.find(({ name }) => name === call.name)?.promptName ?? call.name,
  })) as Call[];
  checkCalls(calls, flat);
  checkLimits(calls, tools);
  const beyond = beyondLimits(calls, startOf(tools));
  if (beyond !== null) throw new Error(beyond);
  const loose = ungrounded(query, calls, flat);
  const unwritable = loose && ungrounded(query, calls, flat, true);
  const warning = unwritable ?? loose;
  return {
    query,
    tools,
    answers: calls,
    ...(typeof kind === "string" && { kind }),
    ...(typeof domain === "string" && { domain }),
    ...(typeof source === "string" && { source }),
    ...(warning && { warning }),
    ...(unwritable && { isUnwritable: true }),
  };
}

/** Of lists that lines share, once: the states that one answer went through serve the next. */
const starts = new WeakMap<ToolSet, State>();

function startOf(tools: ToolSet): State {
  const start = starts.get(tools) ?? answerStates(tools).start;
  starts.set(tools, start);
  return start;
}

/** Throws: Error for a number that its tool's limits forbid, which the grammar would never write. */
function checkLimits(calls: readonly Call[], { tools }: ToolSet): void {
  for (const [i, call] of calls.entries()) {
    for (const { name, schema } of tools.find(({ promptName }) => promptName === call.name)?.parameters ?? []) {
      const value = call.arguments[name];
      const limits = typeof value === "number" ? forbidding(value, schema) : null;
      if (!limits) continue;
      throw new Error(`answers[${i}].arguments.${name}: expected ${toldLimits(limits)}, got ${value}`);
    }
  }
}

/** The tools as the prompt shows them. */
export const flatTools = (tools: ToolSet): FlatTool[] =>
  (JSON.parse(tools.prompt) as FlatTool[]).map((tool) => ({ ...tool, parameters: tool.parameters ?? {} }));

function unpack(value: unknown, place: string): unknown {
  if (value === undefined) throw new Error(`${place}: expected a list, got nothing`);
  return typeof value === "string" ? parse(value, place) : value;
}

function parse(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${place}: expected JSON, got ${JSON.stringify(text.slice(0, 40))}: ${(error as Error).message}`);
  }
}

/** Requests that differ only in capitals, punctuation or blanks are the same request. */
export const normalised = (query: string): string =>
  query
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
