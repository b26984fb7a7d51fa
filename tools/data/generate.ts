/**
 * More examples from any OpenAI-compatible endpoint. Work is in numbered batches, each a list of tools and a plea for
 * requests; what comes back is checked by the law of ground.ts, and appended batch by batch, so that a run that stopped
 * goes on where it was. Nothing that an endpoint answers can make an example that the law refuses.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { type Call, checkCalls, type FlatTool, ungrounded } from "./ground.ts";
import { normalised } from "./line.ts";
import type { kinds } from "./scenes.ts";
import { synthesize } from "./synth.ts";

export interface GenerateOptions {
  endpoint: string;
  model: string;
  out: string;
  /** Examples the file shall hold in the end. */
  count: number;
  seed: number;
  /** Examples to ask for at once. */
  batch: number;
  /** Batches under way at once. */
  parallel: number;
  timeoutMs: number;
  /** The first pause after a failure; each further one is twice as long. */
  pauseMs: number;
  retries: number;
  apiKey?: string;
  /** Tools to write requests for; those of the generator's if absent. */
  tools?: FlatTool[];
  onProgress?(progress: Progress): void;
}

export interface Progress {
  kept: number;
  wanted: number;
  refused: number;
  repeated: number;
  retried: number;
}

/** The endpoint says that trying again is useless. */
class Refusal extends Error {}

/** Failed batches in a row after which an endpoint is given up. */
const patience = 5;

/** Throws: Error when the endpoint refuses, or answers nothing usable `patience` times in a row. */
export async function generate(options: GenerateOptions): Promise<Progress> {
  const done = resume(options.out);
  const progress: Progress = { kept: done.queries.size, wanted: options.count, refused: 0, repeated: 0, retried: 0 };
  let next = done.nextBatch;
  let failures = 0;
  let stopped: Error | null = null;
  options.onProgress?.(progress);

  const work = async () => {
    while (progress.kept < options.count && !stopped) {
      const batch = next++;
      try {
        const before = progress.kept;
        const tools = options.tools ?? synthesize(options.seed, batch).tools;
        const text = await complete(plea(tools, options.batch, batch), options, progress);
        keep(text, tools, batch, options, done.queries, progress);
        if (progress.kept === before) throw new Error("expected usable examples, got none");
        failures = 0;
      } catch (error) {
        failures++;
        if (error instanceof Refusal || failures >= patience) {
          stopped ??= new Error(
            `${options.endpoint}: ${(error as Error).message}; ${progress.kept} examples are kept in ${options.out}`,
          );
        }
      }
      options.onProgress?.(progress);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, work));
  if (stopped) throw stopped;
  return progress;
}

/** What the file holds already. A line cut short by a crash is removed. */
function resume(path: string): { queries: Set<string>; nextBatch: number } {
  const queries = new Set<string>();
  let nextBatch = 0;
  if (!existsSync(path)) return { queries, nextBatch };
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(10) + 1;
  if (end < bytes.length) truncateSync(path, end);
  for (const [i, line] of bytes.subarray(0, end).toString("utf8").split("\n").entries()) {
    if (!line.trim()) continue;
    try {
      const { query, id } = JSON.parse(line);
      queries.add(normalised(query));
      const batch = Number(/^gen-\d+-(\d+)-\d+$/.exec(id)?.[1] ?? -1);
      nextBatch = Math.max(nextBatch, batch + 1);
    } catch {
      throw new Error(
        `${path}:${i + 1}: expected an example to go on from, got ${JSON.stringify(line.slice(0, 40))}; name another file`,
      );
    }
  }
  return { queries, nextBatch };
}

const wishes: Record<keyof typeof kinds, string> = {
  single: "plain requests that one tool answers",
  several: "requests that need two or three calls",
  none: "requests that no tool can do; calls is []",
  near: "sentences that use a tool's words but want something it cannot do; calls is []",
  missing: "requests that leave out a required value; calls is []",
  indirect: "situations that only hint at what is wanted",
  disfluent: "spoken requests with fillers, repeated words, false starts",
  heard: "requests as a speech recogniser writes them: lower case, no punctuation, numbers in words",
  negated: "requests that say not to do it; calls is [] or only what is wanted instead",
  corrected: "requests where the speaker corrects a value; only the last one counts",
};
const wishNames = Object.keys(wishes) as (keyof typeof kinds)[];

function plea(tools: readonly FlatTool[], count: number, batch: number): { role: string; content: string }[] {
  const [one, other] = [wishNames[batch % wishNames.length], wishNames[(batch * 3 + 1) % wishNames.length]];
  const system = `You write what people say to a watch or to glasses, and the tool calls that answer it.
Answer with a JSON list and nothing else: [{"query":"…","kind":"…","calls":[{"name":"…","arguments":{…}}]}].
Rules: a string value is copied from the query letter for letter, unless the parameter has an enum; a number stands in the query in digits or in words; leave out optional arguments that are not said; use only the names given. Vary wording, length, names and numbers.`;
  const user = `Tools: ${JSON.stringify(tools)}
Write ${count} different examples. Half of kind "${one}" (${wishes[one]}), half of kind "${other}" (${wishes[other]}).`;
  return [
    { role: "system", content: system },
    { role: "user", content: user },
  ];
}

/** The text that the endpoint answers, after as many tries as are allowed. */
async function complete(messages: unknown, options: GenerateOptions, progress: Progress): Promise<string> {
  const { endpoint, model, apiKey, timeoutMs, retries } = options;
  const url = `${endpoint.replace(/\/+$/, "")}${/\/chat\/completions\/?$/.test(endpoint) ? "" : "/chat/completions"}`;
  let pauseMs = options.pauseMs;
  for (let tries = 0; ; tries++) {
    let fault: string;
    let waitMs = pauseMs;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify({ model, messages, temperature: 1 }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (response.ok) {
        const text = (await response.json())?.choices?.[0]?.message?.content;
        if (typeof text === "string") return text;
        fault = "expected choices[0].message.content, got none";
      } else {
        fault = `HTTP ${response.status} ${(await response.text()).slice(0, 120).replace(/\s+/g, " ")}`.trim();
        if (response.status < 500 && response.status !== 429 && response.status !== 408) throw new Refusal(fault);
        waitMs = retryAfterMs(response.headers.get("retry-after")) ?? pauseMs;
      }
    } catch (error) {
      if (error instanceof Refusal) throw error;
      fault = (error as Error).name === "TimeoutError" ? `no answer within ${timeoutMs} ms` : (error as Error).message;
    }
    if (tries >= retries) throw new Error(fault);
    progress.retried++;
    await new Promise((wake) => setTimeout(wake, Math.min(waitMs, 120_000)));
    pauseMs *= 2;
  }
}

/** Seconds or a date. Source: RFC 9110, 10.2.3. */
function retryAfterMs(header: string | null): number | null {
  if (!header) return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

function keep(
  text: string,
  tools: FlatTool[],
  batch: number,
  options: GenerateOptions,
  queries: Set<string>,
  progress: Progress,
): void {
  let lines = "";
  for (const [i, { query, calls, kind }] of wholeObjects(text).entries()) {
    if (progress.kept >= options.count) break;
    if (typeof query !== "string" || !query.trim() || !wellFormed(query, calls, tools)) {
      progress.refused++;
      continue;
    }
    const key = normalised(query);
    if (queries.has(key)) {
      progress.repeated++;
      continue;
    }
    queries.add(key);
    const label = wishNames.includes(kind as keyof typeof kinds) ? { kind } : {};
    const id = `gen-${options.seed}-${batch}-${i}`;
    lines += `${JSON.stringify({ query, tools, answers: calls, ...label, source: options.model, id })}\n`;
    progress.kept++;
  }
  if (lines) appendFileSync(options.out, lines);
}

function wellFormed(query: string, calls: unknown, tools: FlatTool[]): calls is Call[] {
  if (!Array.isArray(calls)) return false;
  if (!calls.every((call) => typeof call?.name === "string" && typeof call.arguments === "object" && call.arguments))
    return false;
  try {
    checkCalls(calls, tools);
    return ungrounded(query, calls, tools) === null;
  } catch {
    return false;
  }
}

/** The complete objects of a list, whatever stands around it and wherever it breaks off. */
export function wholeObjects(text: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  let depth = 0;
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at++;
      else if (char === '"') quoted = false;
    } else if (char === '"' && depth > 0) quoted = true;
    else if (char === "{" && depth++ === 0) start = at;
    else if (char === "}" && depth > 0 && --depth === 0) {
      try {
        found.push(JSON.parse(text.slice(start, at + 1)));
      } catch {}
    }
  }
  return found;
}
