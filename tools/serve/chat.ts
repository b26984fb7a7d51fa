/** POST /v1/chat/completions. Source: OpenAI API reference, "Chat Completions", 2026-11. */

import type { CallResult } from "../../runtime/index.ts";
import { isObject, type JsonObject } from "../../runtime/json.ts";
import type { Desk } from "./desk.ts";
import { badField, countOf, flagOf, json, kindOf, newId } from "./http.ts";
import { eventStream, type Send } from "./sse.ts";
import { choiceOf, noCalls, type Turn, textOf, turnOf, type Unused, unusedOf } from "./turn.ts";
import { Writing } from "./written.ts";

/** JsonObject that have an effect. */
const known = [
  ...["model", "messages", "tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options"],
  ...["max_tokens", "max_completion_tokens", "n", "response_format"],
];
const roles = ["system", "developer", "user", "assistant", "tool"];

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** Answers a body whose `model` is one of ours. Throws: ApiError, and what a call throws. */
export async function chat(fields: JsonObject, model: string, desk: Desk, gone: AbortController): Promise<Response> {
  const turn = chatTurn(fields);
  const stream = flagOf(fields, "stream", false);
  const about = {
    id: newId("chatcmpl").replace("_", "-"),
    created: Math.floor(Date.now() / 1000),
    model,
    system_fingerprint: `thimble-${desk.model.build}`,
  };
  const unused = unusedOf(fields, known, turn);
  if (stream) {
    const isUsed = isObject(fields.stream_options) && fields.stream_options.include_usage === true;
    const work = (send: Send) => streamed(turn, about, unused, isUsed, desk, gone.signal, send);
    return eventStream(work, gone, (error, send) => send(error.body));
  }
  if ("say" in turn) return json(completion(about, turn.say, undefined, undefined, unused));
  const writing = new Writing(turn.ask.request, turn.ask.tools);
  const result = await desk.call(turn.ask, gone.signal);
  writing.push(result.text);
  return json(completion(about, noCalls(result), writing, result, unused));
}

function completion(
  about: object,
  text: string,
  writing: Writing | undefined,
  result: CallResult | undefined,
  unused: Unused,
): object {
  const calls = writing?.calls.map(({ name, arguments: args }) => ({
    id: newId("call"),
    type: "function",
    function: { name, arguments: args },
  }));
  const message = {
    role: "assistant",
    content: calls?.length ? null : text,
    refusal: null,
    ...(calls?.length && { tool_calls: calls }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: finishOf(result) };
  return { ...about, object: "chat.completion", choices: [choice], usage: usageOf(result), ...extra(result, unused) };
}

async function streamed(
  turn: Turn,
  about: object,
  unused: Unused,
  isUsed: boolean,
  desk: Desk,
  signal: AbortSignal,
  send: Send,
): Promise<void> {
  const head = { ...about, object: "chat.completion.chunk" };
  const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) =>
    send({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...(isUsed && { usage: null }),
      ...more,
    });
  let hasBegun = false;
  const begin = (content: null | "") => {
    if (!hasBegun) chunk({ role: "assistant", content, refusal: null });
    hasBegun = true;
  };
  let result: CallResult | undefined;
  let text = "say" in turn ? turn.say : "";
  if ("ask" in turn) {
    const writing = new Writing(turn.ask.request, turn.ask.tools, {
      begin: ({ name }, index) => {
        begin(null);
        chunk({ tool_calls: [{ index, id: newId("call"), type: "function", function: { name, arguments: "" } }] });
      },
      piece: (text, index) => chunk({ tool_calls: [{ index, function: { arguments: text } }] }),
    });
    result = await desk.call(turn.ask, signal, (piece) => writing.push(piece));
    if (!writing.calls.length) text = noCalls(result);
  }
  begin("");
  if (text) chunk({ content: text });
  chunk({}, finishOf(result), extra(result, unused));
  if (isUsed) send({ ...head, choices: [], usage: usageOf(result) });
  send("[DONE]");
}

function finishOf(result: CallResult | undefined): string {
  if (result?.cutShort) return "length";
  return result?.calls.length ? "tool_calls" : "stop";
}

function usageOf(result: CallResult | undefined): Usage {
  const { promptTokens = 0, answerTokens = 0 } = result?.timings ?? {};
  return { prompt_tokens: promptTokens, completion_tokens: answerTokens, total_tokens: promptTokens + answerTokens };
}

/** What the API has no field for: clients let it pass. */
export function extra(result: CallResult | undefined, unused: Unused): object {
  const calls = result?.calls.map(({ confidence, decision, sources }) => ({ confidence, decision, sources }));
  return { thimble: { ...(result && { decision: result.decision, calls, ms: result.timings.totalMs }), ...unused } };
}

/** Throws: ApiError for what cannot be kept. */
function chatTurn(fields: JsonObject): Turn {
  const { messages, n = 1, response_format: format, functions, function_call: oldCall, modalities } = fields;
  if (n !== 1 && n !== null)
    throw badField("n", `expected 1, got ${JSON.stringify(n)}; an answer is always the likeliest`);
  if (functions !== undefined || oldCall !== undefined)
    throw badField("functions", "expected tools and tool_choice, got their old forms; send those");
  if (Array.isArray(modalities) && modalities.includes("audio"))
    throw badField("modalities", 'expected ["text"], got audio');
  if (isObject(format) && format.type !== "text")
    throw badField("response_format", `expected text, got ${JSON.stringify(format.type)}; make a tool of the schema`);
  const answerTokens = countOf(fields, "max_completion_tokens") ?? countOf(fields, "max_tokens");
  const choice = choiceOf(fields.tool_choice);
  if (!Array.isArray(messages) || !messages.length)
    throw badField(
      "messages",
      `expected a list of messages, got ${Array.isArray(messages) ? "none" : kindOf(messages)}`,
    );
  for (const [i, message] of messages.entries()) {
    if (!isObject(message)) throw badField(`messages[${i}]`, `expected an object, got ${kindOf(message)}`);
    if (!roles.includes(message.role as string))
      throw badField(`messages[${i}].role`, `expected one of ${roles.join(", ")}, got ${JSON.stringify(message.role)}`);
  }
  const results = messages.slice(messages.findLastIndex(({ role }) => role !== "tool") + 1);
  // Another parse would make the same calls again, and a client's loop would never end.
  if (results.length) {
    const first = messages.length - results.length;
    return { say: results.map(({ content }, i) => textOf(content, `messages[${first + i}].content`)).join("\n") };
  }
  const last = messages.findLastIndex(({ role }) => role === "user");
  if (last < 0) throw badField("messages", "expected a user's message, got none; the request is its text");
  const param = `messages[${last}].content`;
  return turnOf(fields, textOf(messages[last].content, param), param, choice, answerTokens);
}
