/**
 * More examples from any OpenAI-compatible endpoint. Work is in numbered batches, each a list of tools and a plea for
 * requests; what comes back is checked by the law of ground.ts, and appended batch by batch, so that a run that stopped
 * goes on where it was. Nothing that an endpoint answers can make an example that the law refuses.
 */
import { existsSync, truncateSync } from "node:fs";
import { answerStates } from "../../runtime/grammar/automaton.ts";
import type { State } from "../../runtime/grammar/state.ts";
import { ToolSet } from "../../runtime/tools/tools.ts";
import { readBytes, writeBytes } from "../command.ts";
import { completionsAt, retryAfterMs } from "../completions.ts";
import { bare, type Call, checkCalls, type FlatTool, ungrounded } from "./ground.ts";
import { beyondLimits } from "./limits.ts";
import { flatTools, normalised, readLine } from "./line.ts";
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
  tools?: ToolSet;
  /** Ends the run; what is kept stays. */
  signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

export interface Progress {
  kept: number;
  wanted: number;
  refused: number;
  /** What was wrong with the first that was refused. */
  fault?: string;
  repeated: number;
  retried: number;
}

/** What a run came to, in one line. */
export function toldOf({ kept, refused, fault, repeated, retried }: Progress): string {
  const first = fault === undefined ? "" : ` (the first: ${fault})`;
  return `${kept} examples; ${refused} refused${first}, ${repeated} repeated, ${retried} tries again`;
}

/** Draws how far a run is over the terminal's line. */
export function drawAsking({ kept, wanted, refused }: Progress): void {
  const width = 30;
  const full = Math.round((width * Math.min(kept, wanted)) / wanted);
  process.stderr.write(`\r${"█".repeat(full)}${"░".repeat(width - full)} ${kept}/${wanted}, ${refused} refused\x1b[K`);
}

/** Asking again is useless: the endpoint says so, or failed as often as is allowed, or what it says cannot be kept. */
class Refusal extends Error {}

/** Batches in a row without a usable example after which an endpoint is given up. */
const patience = 5;

/** A request is no longer, in characters; an endpoint's whole answer, in bytes. */
const [mostRequest, mostBytes] = [300, 4 * 2 ** 20];

/** Tools that are shown at once: so many, and their JSON so long, as is trained on. */
const [mostShown, mostShownText] = [10, 2400];

/**
 * Asks until the file holds enough, or the signal ends it: then `kept` is less than `wanted`.
 * Throws: Error when the endpoint refuses, fails at every try, or answers nothing usable `patience` times in a row.
 */
export async function generate(options: GenerateOptions): Promise<Progress> {
  const done = resume(options.out);
  const progress: Progress = { kept: done.queries.size, wanted: options.count, refused: 0, repeated: 0, retried: 0 };
  const own = options.tools && { flat: flatTools(options.tools), states: answerStates(options.tools).start };
  const { signal } = options;
  let next = done.nextBatch;
  let failures = 0;
  let stopped: Error | null = null;
  options.onProgress?.(progress);

  const work = async () => {
    while (progress.kept < options.count && !stopped && !signal?.aborted) {
      const batch = next++;
      try {
        const before = progress.kept;
        const tools = own ? shownOf(own.flat, batch) : synthesize(options.seed, batch).tools;
        const states = own?.states ?? answerStates(ToolSet.from(JSON.stringify(tools))).start;
        const text = await complete(plea(tools, options.batch, batch), options, progress);
        keep(text, { tools, states }, batch, options, done.queries, progress);
        if (progress.kept === before) throw new Error(`expected usable examples, got ${got(progress)}`);
        failures = 0;
      } catch (error) {
        if (signal?.aborted) break;
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

const got = ({ fault }: Progress) => (fault === undefined ? "none" : `none; the first: ${fault}`);

/** Of many tools those whose turn it is, each as often as any other. */
function shownOf(tools: readonly FlatTool[], batch: number): FlatTool[] {
  const fits = (some: readonly FlatTool[]) => some.length <= mostShown && JSON.stringify(some).length <= mostShownText;
  if (fits(tools)) return [...tools];
  const shown = [tools[batch % tools.length]];
  for (let i = 1; i < tools.length; i++) {
    const more = [...shown, tools[(batch + i) % tools.length]];
    if (!fits(more)) break;
    shown.push(more[i]);
  }
  return shown;
}

/**
 * What the file holds already, which can then be written after: a line that a crash cut short is removed.
 * Throws: Error for a file of anything but examples, and leaves it as it is.
 */
function resume(path: string): { queries: Set<string>; nextBatch: number } {
  const queries = new Set<string>();
  let nextBatch = 0;
  const bytes = existsSync(path) ? readBytes(path) : new Uint8Array();
  const end = bytes.lastIndexOf(10) + 1;
  const lines = Buffer.from(bytes).toString("utf8").split("\n");
  const isCut = isCutShort(lines.at(-1) as string);
  for (const [i, line] of (isCut ? lines.slice(0, -1) : lines).entries()) {
    if (!line.trim()) continue;
    try {
      queries.add(normalised(readLine(line).query));
      const batch = Number(/^gen-\d+-(\d+)-\d+$/.exec(JSON.parse(line).id)?.[1] ?? -1);
      nextBatch = Math.max(nextBatch, batch + 1);
    } catch {
      throw new Error(
        `${path}:${i + 1}: expected an example to go on from, got ${JSON.stringify(line.slice(0, 40))}; name another file`,
      );
    }
  }
  if (isCut) truncateSync(path, end);
  writeBytes(path, isCut || end === bytes.length ? "" : "\n", "a");
  return { queries, nextBatch };
}

/** Whether a file's last line is the beginning of one that `keep` writes. */
function isCutShort(line: string): boolean {
  const start = '{"query":';
  if (!line || !(line.startsWith(start) || start.startsWith(line))) return false;
  try {
    return !JSON.parse(line);
  } catch {
    return true;
  }
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
  const { endpoint, model, apiKey, timeoutMs, retries, signal } = options;
  let pauseMs = options.pauseMs;
  for (let tries = 0; ; tries++) {
    let fault: string;
    let waitMs = pauseMs;
    try {
      const response = await fetch(completionsAt(endpoint), {
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
        body: JSON.stringify({ model, messages, temperature: 1 }),
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
      });
      const body = await bodyOf(response);
      if (response.ok) {
        const text = JSON.parse(body)?.choices?.[0]?.message?.content;
        if (typeof text === "string") return text;
        fault = "expected choices[0].message.content, got none";
      } else {
        fault = `HTTP ${response.status} ${body.slice(0, 120).replace(/\s+/g, " ")}`.trim();
        if (response.status < 500 && response.status !== 429 && response.status !== 408) throw new Refusal(fault);
        waitMs = retryAfterMs(response.headers.get("retry-after")) ?? pauseMs;
      }
    } catch (error) {
      if (error instanceof Refusal || signal?.aborted) throw error;
      fault = (error as Error).name === "TimeoutError" ? `no answer within ${timeoutMs} ms` : (error as Error).message;
    }
    if (tries >= retries) throw new Refusal(`${fault}, ${tries + 1} times in a row`);
    progress.retried++;
    await pause(Math.min(waitMs, 120_000), signal);
    pauseMs *= 2;
  }
}

/** The text of an answer, of so many bytes at most. */
async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Refusal(`expected an answer of at most ${mostBytes} bytes, got more`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Resolves after a time, or as soon as the signal says so. */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((wake) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      wake();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

function keep(
  text: string,
  { tools, states }: { tools: FlatTool[]; states: State },
  batch: number,
  options: GenerateOptions,
  queries: Set<string>,
  progress: Progress,
): void {
  const lines: string[] = [];
  for (const [i, { query, calls, kind }] of wholeObjects(text).entries()) {
    if (progress.kept + lines.length >= options.count) break;
    const fault = faultOf(query, calls, tools, states);
    if (fault !== null) {
      progress.refused++;
      progress.fault ??= fault;
      continue;
    }
    const key = normalised(query as string);
    if (queries.has(key)) {
      progress.repeated++;
      continue;
    }
    queries.add(key);
    const answers = (calls as Call[]).map(bare);
    const label = wishNames.includes(kind as keyof typeof kinds) ? { kind } : {};
    const id = `gen-${options.seed}-${batch}-${i}`;
    lines.push(`${JSON.stringify({ query, tools, answers, ...label, source: options.model, id })}\n`);
  }
  try {
    writeBytes(options.out, lines.join(""), "a");
  } catch (error) {
    throw new Refusal((error as Error).message);
  }
  progress.kept += lines.length;
}

/** What keeps an answer of an endpoint from being an example; null if nothing does. */
function faultOf(query: unknown, calls: unknown, tools: FlatTool[], states: State): string | null {
  if (typeof query !== "string" || !query.trim()) return `query: expected text, got ${brief(query)}`;
  if (query.length > mostRequest) return `query: expected ${mostRequest} characters at most, got ${query.length}`;
  if (!isCalls(calls)) return `calls: expected a list of {name, arguments}, got ${brief(calls)}`;
  try {
    checkCalls(calls, tools);
  } catch (error) {
    return (error as Error).message;
  }
  const loose = ungrounded(query, calls, tools);
  if (loose !== null) return loose;
  return beyondLimits(calls, states);
}

const isCalls = (calls: unknown): calls is Call[] =>
  Array.isArray(calls) &&
  calls.every(
    (call) => typeof call?.name === "string" && typeof call.arguments === "object" && call.arguments !== null,
  );

const brief = (value: unknown) => (JSON.stringify(value) ?? "nothing").slice(0, 80);

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
