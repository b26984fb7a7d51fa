/** POST /v1/responses. Source: OpenAI API reference, "Responses" and "Streaming events", 2026-11. */

import type { CallResult } from "../../runtime/index.ts";
import { isObject, type JsonObject } from "../../runtime/json.ts";
import { extra } from "./chat.ts";
import type { Desk } from "./desk.ts";
import { badField, countOf, flagOf, json, kindOf, newId } from "./http.ts";
import { eventStream, type Send } from "./sse.ts";
import { choiceOf, noCalls, type Turn, textOf, turnOf, type Unused, unusedOf } from "./turn.ts";
import { Writing } from "./written.ts";

const known = [
  ...["model", "input", "tools", "tool_choice", "parallel_tool_calls", "stream", "max_output_tokens", "text"],
  ...["previous_response_id", "conversation", "background"],
];

type Item = Record<string, unknown> & { id: string };

/** Answers a body whose `model` is one of ours. Throws: ApiError, and what a call throws. */
export async function responses(
  fields: JsonObject,
  model: string,
  desk: Desk,
  gone: AbortController,
): Promise<Response> {
  const turn = responsesTurn(fields);
  const head = headOf(fields, model);
  const unused = unusedOf(fields, known, turn);
  if (flagOf(fields, "stream", false)) {
    let count = 0;
    const numbered = (send: Send) => (type: string, more: object) =>
      send({ type, sequence_number: count++, ...more }, type);
    const work = (send: Send) => streamed(turn, head, unused, desk, gone.signal, numbered(send));
    return eventStream(work, gone, (error, send) => {
      const { message, code, param } = error.body.error;
      numbered(send)("error", { message, code, param });
    });
  }
  if ("say" in turn) return json(whole(head, [messageItem(turn.say)], undefined, unused));
  const writing = new Writing(turn.ask.request, turn.ask.tools);
  const result = await desk.call(turn.ask, gone.signal);
  writing.push(result.text);
  const items = writing.calls.map((call) => callItem(call.name, call.arguments));
  return json(whole(head, items.length ? items : [messageItem(noCalls(result))], result, unused));
}

async function streamed(
  turn: Turn,
  head: object,
  unused: Unused,
  desk: Desk,
  signal: AbortSignal,
  send: (type: string, more: object) => void,
): Promise<void> {
  const items: Item[] = [];
  const ended = new Set<number>();
  let hasBegun = false;
  const begin = () => {
    if (hasBegun) return;
    hasBegun = true;
    const response = { ...head, status: "in_progress", output: [], usage: null };
    send("response.created", { response });
    send("response.in_progress", { response });
  };
  const end = (output_index: number, args: string) => {
    if (output_index < 0 || ended.has(output_index)) return;
    ended.add(output_index);
    const item: Item = { ...items[output_index], status: "completed", arguments: args };
    items[output_index] = item;
    send("response.function_call_arguments.done", {
      item_id: item.id,
      output_index,
      name: item.name,
      arguments: args,
    });
    send("response.output_item.done", { output_index, item });
  };
  let result: CallResult | undefined;
  if ("ask" in turn) {
    const writing = new Writing(turn.ask.request, turn.ask.tools, {
      begin: ({ name }, output_index) => {
        begin();
        if (output_index) end(output_index - 1, writing.calls[output_index - 1].arguments);
        const item = { ...callItem(name, ""), status: "in_progress" };
        items.push(item);
        send("response.output_item.added", { output_index, item });
      },
      piece: (delta, output_index) =>
        send("response.function_call_arguments.delta", { item_id: items[output_index].id, output_index, delta }),
    });
    result = await desk.call(turn.ask, signal, (piece) => writing.push(piece));
    end(items.length - 1, writing.calls.at(-1)?.arguments ?? "");
  }
  begin();
  if (!items.length) items.push(sendMessage("say" in turn ? turn.say : noCalls(result), send));
  const response = whole(head, items, result, unused);
  send(result?.cutShort ? "response.incomplete" : "response.completed", { response });
}

/** The events of one text. */
function sendMessage(text: string, send: (type: string, more: object) => void): Item {
  const item = messageItem(text);
  const [part] = item.content as object[];
  const at = { item_id: item.id, output_index: 0, content_index: 0 };
  send("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } });
  send("response.content_part.added", { ...at, part: { ...part, text: "" } });
  if (text) send("response.output_text.delta", { ...at, delta: text, logprobs: [] });
  send("response.output_text.done", { ...at, text, logprobs: [] });
  send("response.content_part.done", { ...at, part });
  send("response.output_item.done", { output_index: 0, item });
  return item;
}

function callItem(name: string, args: string): Item {
  return {
    id: newId("fc"),
    type: "function_call",
    status: "completed",
    call_id: newId("call"),
    name,
    arguments: args,
  };
}

function messageItem(text: string): Item {
  const content = [{ type: "output_text", text, annotations: [], logprobs: [] }];
  return { id: newId("msg"), type: "message", status: "completed", role: "assistant", content };
}

/** What a response says from its first event on. */
function headOf(fields: JsonObject, model: string): object {
  return {
    id: newId("resp"),
    object: "response",
    created_at: Math.floor(Date.now() / 1000),
    error: null,
    incomplete_details: null,
    instructions: fields.instructions ?? null,
    max_output_tokens: fields.max_output_tokens ?? null,
    metadata: fields.metadata ?? {},
    model,
    parallel_tool_calls: fields.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: false,
    temperature: 0,
    text: { format: { type: "text" } },
    tool_choice: fields.tool_choice ?? "auto",
    tools: fields.tools ?? [],
    top_p: 1,
    truncation: "disabled",
    user: null,
  };
}

function whole(head: object, output: Item[], result: CallResult | undefined, unused: Unused): object {
  const { promptTokens = 0, answerTokens = 0 } = result?.timings ?? {};
  return {
    ...head,
    status: result?.cutShort ? "incomplete" : "completed",
    ...(result?.cutShort && { incomplete_details: { reason: "max_output_tokens" } }),
    output,
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: answerTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + answerTokens,
    },
    ...extra(result, unused),
  };
}

/** Throws: ApiError for what cannot be kept: nothing is stored from one response to the next. */
function responsesTurn(fields: JsonObject): Turn {
  for (const name of ["previous_response_id", "conversation"])
    if (fields[name] !== undefined && fields[name] !== null)
      throw badField(name, "expected none, got one; responses are not stored: send the conversation as input");
  if (flagOf(fields, "background", false))
    throw badField("background", "expected false, got true; wait for the answer");
  const format = isObject(fields.text) ? fields.text.format : undefined;
  if (isObject(format) && format.type !== "text")
    throw badField("text.format", `expected text, got ${JSON.stringify(format.type)}; make a tool of the schema`);
  const answerTokens = countOf(fields, "max_output_tokens");
  const choice = choiceOf(fields.tool_choice);
  const { input } = fields;
  if (typeof input === "string") return turnOf(fields, input, "input", choice, answerTokens);
  if (!Array.isArray(input) || !input.length)
    throw badField("input", `expected text or a list of items, got ${Array.isArray(input) ? "none" : kindOf(input)}`);
  for (const [i, item] of input.entries())
    if (!isObject(item)) throw badField(`input[${i}]`, `expected an object, got ${kindOf(item)}`);
  const results = input.slice(input.findLastIndex(({ type }) => type !== "function_call_output") + 1);
  if (results.length) {
    const first = input.length - results.length;
    return { say: results.map(({ output }, i) => textOf(output, `input[${first + i}].output`)).join("\n") };
  }
  const last = input.findLastIndex(({ role }) => role === "user");
  if (last < 0) throw badField("input", "expected a user's message, got none; the request is its text");
  const param = `input[${last}].content`;
  return turnOf(fields, textOf(input[last].content, param), param, choice, answerTokens);
}
