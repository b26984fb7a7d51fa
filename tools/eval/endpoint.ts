/** The same examples against any OpenAI-compatible server. What goes wrong on the way is an answer too: it is counted. */
import { completionsAt, retryAfterMs } from "../completions.ts";
import type { Answer, Answerer } from "./answers.ts";
import type { Example } from "./examples.ts";
import { callsOf, readCallList } from "./metrics.ts";

export interface Endpoint {
  /** The server's base, …/v1, or the whole address of its chat completions. */
  url: string;
  model: string;
  key?: string;
  timeoutMs: number;
}

const mostTries = 5;
const mostWaitMs = 60_000;
const answerTokens = 256;

type Reply = { answer: Answer } | { again: string; afterMs?: number };

/** Sends request and tools, temperature 0. 429, 5xx and lost connections are tried again, a timeout is not. */
export function endpointAnswerer(endpoint: Endpoint): Answerer {
  return async (example) => {
    for (let tries = 1; ; tries++) {
      const start = performance.now();
      const reply = await send(endpoint, example);
      const retries = tries - 1;
      if ("answer" in reply) {
        const timed = reply.answer.failure ? {} : { totalMs: performance.now() - start };
        return { ...reply.answer, ...timed, retries };
      }
      if (tries === mostTries) return { calls: undefined, failure: reply.again, retries };
      const waitMs = Math.min(reply.afterMs ?? 250 * 2 ** tries, mostWaitMs);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  };
}

async function send({ url, model, key, timeoutMs }: Endpoint, { request, tools }: Example): Promise<Reply> {
  const body = {
    model,
    messages: [{ role: "user", content: request }],
    tools: openAiTools(tools.prompt),
    temperature: 0,
    max_tokens: answerTokens,
  };
  let text: string;
  try {
    const response = await fetch(completionsAt(url), {
      method: "POST",
      headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const again = response.status === 429 || response.status >= 500;
    if (again)
      return { again: `status ${response.status}`, afterMs: retryAfterMs(response.headers.get("retry-after")) };
    if (!response.ok) return failed(`status ${response.status}`);
    text = await response.text();
  } catch (error) {
    return (error as Error).name === "TimeoutError" ? failed("timeout") : { again: "no connection" };
  }
  try {
    return { answer: readMessage(JSON.parse(text)) };
  } catch {
    return failed("bad JSON");
  }
}

const failed = (failure: string): Reply => ({ answer: { calls: undefined, failure } });

/**
 * The calls of a completion. A server that does not know its model's call form leaves it in the text, so text that is a
 * call list counts as one; other text, with no call, is a refusal.
 */
function readMessage(completion: unknown): Answer {
  const message = (completion as { choices?: { message?: Record<string, unknown> }[] } | null)?.choices?.[0]?.message;
  if (!message) return { calls: undefined, failure: "no message" };
  const { tool_calls: list, content } = message;
  const answerTokens = (completion as { usage?: { completion_tokens?: number } }).usage?.completion_tokens;
  const measured = answerTokens === undefined ? {} : { answerTokens };
  if (!Array.isArray(list) || !list.length) {
    const text = typeof content === "string" ? content.trim() : "";
    return { calls: readCallList(text) ?? [], ...measured };
  }
  const calls = callsOf(list.map((entry) => readCall(entry?.function)));
  return calls ? { calls, ...measured } : { calls: null, text: JSON.stringify(list), ...measured };
}

/** `arguments` is JSON in a string; some servers send the object. */
function readCall(call: { name?: unknown; arguments?: unknown } | undefined): unknown {
  if (typeof call?.arguments !== "string") return call;
  try {
    return { name: call.name, arguments: JSON.parse(call.arguments || "{}") };
  } catch {
    return null;
  }
}

/** A schema of the prompt's flat form: each property says itself whether it is required. */
interface FlatSchema {
  required?: boolean;
  properties?: Record<string, FlatSchema>;
  items?: FlatSchema;
  anyOf?: FlatSchema[];
}

/** The tools of the prompt, in the form of the API. */
export function openAiTools(prompt: string): unknown[] {
  const tools: { name: string; description?: string; parameters?: FlatSchema["properties"] }[] = JSON.parse(prompt);
  return tools.map(({ name, description, parameters = {} }) => ({
    type: "function",
    function: { name, description, parameters: { type: "object", ...members(parameters) } },
  }));
}

function jsonSchema({ required: _, properties, items, anyOf, ...rest }: FlatSchema): object {
  return {
    ...rest,
    ...(properties && members(properties)),
    ...(items && { items: jsonSchema(items) }),
    ...(anyOf && { anyOf: anyOf.map(jsonSchema) }),
  };
}

function members(properties: Record<string, FlatSchema>): object {
  return {
    properties: Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, jsonSchema(schema)])),
    required: Object.keys(properties).filter((key) => properties[key].required === true),
  };
}
