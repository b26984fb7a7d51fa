/** What a conversation asks for now, whichever of the two APIs it came by: a call of tools, or only words. */

import { type CallResult, ToolError, ToolSet, type Tools } from "../../runtime/index.ts";
import { isObject, type JsonObject } from "../../runtime/json.ts";
import { readRequest } from "../../runtime/text/request.ts";
import type { Ask } from "./desk.ts";
import { badField, flagOf, kindOf } from "./http.ts";

export type Turn = { ask: Ask } | { say: string };

/** Which tools may be called, and whether one must be. */
export interface Choice {
  mode: "none" | "auto" | "required";
  only?: string[];
}

export const noTools =
  "This model turns a request into calls of tools and does not chat: send tools, of which it calls those that fit.";
const noneFits = "None of the tools fits this request.";

/** What is said where no call came out. */
export function noCalls(result: CallResult | undefined): string {
  return result?.cutShort ? "" : noneFits;
}

/** The turn of a request with tools. Throws: ApiError naming the field that is wrong. */
export function turnOf(
  fields: JsonObject,
  request: string,
  param: string,
  choice: Choice,
  answerTokens: number | undefined,
): Turn {
  const isParallel = flagOf(fields, "parallel_tool_calls", true);
  const all = toolsOf(fields.tools);
  if (!all.tools.length) {
    if (choice.mode === "required")
      throw badField("tool_choice", "expected tools to choose from, got none; send tools");
    return { say: noTools };
  }
  const set = choice.only ? chosen(all, choice.only) : all;
  try {
    readRequest(request);
  } catch (error) {
    throw badField(param, (error as Error).message.replace(/^request: /, ""));
  }
  if (choice.mode === "none") return { say: "No tool was called, as tool_choice asks: this model does not chat." };
  const isNeeded = choice.mode === "required";
  const calls = isParallel ? (isNeeded ? "some" : "any") : isNeeded ? "one" : "at most one";
  return { ask: { request, tools: set, calls, ...(answerTokens && { answerTokens }) } };
}

/** Throws: ApiError for what is no list of functions. */
function toolsOf(list: unknown): ToolSet {
  if (list === undefined || list === null) return ToolSet.from([]);
  if (!Array.isArray(list)) throw badField("tools", `expected a list, got ${kindOf(list)}`);
  for (const [i, tool] of list.entries()) {
    if (!isObject(tool)) throw badField(`tools[${i}]`, `expected an object, got ${kindOf(tool)}`);
    if (tool.type !== "function")
      throw badField(
        `tools[${i}].type`,
        `expected "function", got ${JSON.stringify(tool.type)}; no other tool runs here`,
      );
  }
  return readTools(list.map(plain));
}

/** A tool of the Responses API without what is said to the API alone; one of chat completions as it is. */
function plain(tool: JsonObject): JsonObject {
  if (tool.function !== undefined) return tool;
  const { name, description, parameters } = tool;
  return { name, ...(description !== null && { description }), ...(parameters !== null && { parameters }) };
}

/** Throws: ApiError with the path of the part that is wrong. */
export function readTools(list: unknown): ToolSet {
  try {
    return ToolSet.from(list as Tools);
  } catch (error) {
    if (error instanceof ToolError) throw badField(error.path, error.message.slice(error.path.length + 2));
    throw error;
  }
}

function chosen(set: ToolSet, names: string[]): ToolSet {
  const places = names.map((name) => {
    const place = set.tools.findIndex((tool) => tool.name === name);
    if (place >= 0) return place;
    const known = set.tools.map((tool) => tool.name).join(", ");
    throw badField("tool_choice", `expected one of ${known}, got ${JSON.stringify(name)}; name a tool of the list`);
  });
  return set.only(places);
}

/** `tool_choice`: chat completions put names into `function`, the Responses API beside `type`. */
export function choiceOf(choice: unknown): Choice {
  if (choice === undefined || choice === null) return { mode: "auto" };
  if (choice === "none" || choice === "auto" || choice === "required") return { mode: choice };
  if (isObject(choice)) {
    if (choice.type === "function") return { mode: "required", only: [nameIn(choice)] };
    if (choice.type === "allowed_tools") {
      const allowed = isObject(choice.allowed_tools) ? choice.allowed_tools : choice;
      const { mode, tools } = allowed;
      if ((mode === "auto" || mode === "required") && Array.isArray(tools) && tools.length)
        return { mode, only: tools.map(nameIn) };
    }
  }
  const got = isObject(choice) ? `an object of type ${JSON.stringify(choice.type)}` : JSON.stringify(choice);
  throw badField("tool_choice", `expected "none", "auto", "required", a function's name or allowed_tools, got ${got}`);
}

function nameIn(choice: unknown): string {
  const name = isObject(choice) ? (isObject(choice.function) ? choice.function.name : choice.name) : undefined;
  if (typeof name === "string") return name;
  throw badField(
    "tool_choice",
    `expected a function's name, got ${kindOf(name)}; {"type":"function","function":{"name":…}}`,
  );
}

/** The text of a message: a string, or parts of text. Throws: ApiError for parts that are no text. */
export function textOf(content: unknown, param: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw badField(param, `expected text or a list of parts, got ${kindOf(content)}`);
  const texts = content.map((part, i) => {
    if (typeof part === "string") return part;
    if (isObject(part) && typeof part.text === "string") return part.text;
    const got = isObject(part) ? JSON.stringify(part.type) : kindOf(part);
    throw badField(`${param}[${i}]`, `expected text, got ${got}; the model reads text alone`);
  });
  return texts.join("\n");
}

/** What of a body changes nothing here, for the answer to name: fields, and what the tools' schemas ask. */
export interface Unused {
  ignored: string[];
  warnings: ToolSet["warnings"];
}

export function unusedOf(fields: JsonObject, known: readonly string[], turn: Turn): Unused {
  const ignored = Object.keys(fields).filter((name) => !known.includes(name) && fields[name] !== null);
  if ("ask" in turn) {
    for (const name of ["messages", "input"]) {
      const list = fields[name];
      if (Array.isArray(list) && list.length > 1) ignored.push(`${name} before the last of the user`);
    }
    return { ignored, warnings: turn.ask.tools.warnings };
  }
  // The results of calls are said again, even where another call must be made.
  if (choiceOf(fields.tool_choice).mode === "required") ignored.push("tool_choice");
  return { ignored, warnings: [] };
}
