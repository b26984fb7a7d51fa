/** The model's own thread: loads packs, makes calls and says what is wrong with a tool list. */
import { load, type Thimble, ToolSet, unpackTools } from "../../../runtime/index.ts";
import { endpointAnswerer } from "../../eval/endpoint.ts";
import { type Call, callsOf, judge } from "../../eval/metrics.ts";
import type { Compared, Fault, FromWorker, ModelFacts, Side, Slot, ToWorker } from "./messages.ts";

const models = new Map<Slot, Thimble>();
const running = new Map<number, AbortController>();
const tell = (message: FromWorker) => postMessage(message);

addEventListener("message", async ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "abort") {
    running.get(data.id)?.abort(new DOMException("a newer request took its place", "AbortError"));
    return;
  }
  const control = new AbortController();
  running.set(data.id, control);
  try {
    await answer(data, control.signal);
  } catch (error) {
    tell({ kind: "failed", id: data.id, fault: faultOf(error as Error) });
  } finally {
    running.delete(data.id);
  }
});

async function answer(message: Exclude<ToWorker, { kind: "abort" }>, signal: AbortSignal): Promise<void> {
  const { id } = message;
  if (message.kind === "check") {
    const { tools, warnings } = ToolSet.from(message.tools);
    const shown = tools.map(({ name, risk, parameters }) => ({
      name,
      risk,
      parameters: parameters.map((one) => one.name),
    }));
    return tell({ kind: "checked", id, checked: { tools: shown, warnings: [...warnings] } });
  }
  if (message.kind === "load") {
    const source = typeof message.source === "string" ? new URL(message.source, location.href) : message.source;
    const model = await load(source, {
      promptTokens: 1024,
      answerTokens: 256,
      tuning: message.tuning,
      onProgress: (progress) => tell({ kind: "progress", id, progress }),
    });
    models.get(message.slot)?.close();
    models.set(message.slot, model);
    return tell({ kind: "loaded", id, facts: factsOf(model) });
  }
  if (message.kind === "compare")
    return tell({ kind: "compared", id, compared: await compare(message.side, message.example, signal) });
  const { request, tools, trace, slot } = message;
  const set = typeof tools === "string" ? tools : unpackTools(tools);
  tell({ kind: "result", id, result: await modelOf(slot).call(request, set, { signal, trace }) });
}

function modelOf(slot: Slot): Thimble {
  const model = models.get(slot);
  if (model) return model;
  throw new Error("model: expected one that is loaded, got none; wait for it, or choose a pack");
}

/** Answers a line of {query, tools, answers}: tools and answers are values, or JSON in strings. */
async function compare(side: Side, line: string, signal: AbortSignal): Promise<Compared> {
  const { query, tools, answers } = JSON.parse(line);
  if (typeof query !== "string") throw new Error("example: expected {query, tools, answers}, got no query");
  const set = ToolSet.from(tools);
  const want = answers === undefined ? null : callsOf(typeof answers === "string" ? JSON.parse(answers) : answers);
  const { calls, failure } = await answerOf(side, query, set, signal);
  const answer = calls?.map(({ name, arguments: args }) => `${name} ${JSON.stringify(args)}`).join("\n");
  return {
    request: query,
    answer: answer === undefined ? (failure ?? "no call list") : answer || "no tool fits",
    exact: want && judge(want, calls, set).counts.exact === 1,
  };
}

async function answerOf(
  side: Side,
  request: string,
  tools: ToolSet,
  signal: AbortSignal,
): Promise<{ calls?: Call[] | null; failure?: string }> {
  if (typeof side === "string") return modelOf(side).call(request, tools, { signal });
  const { url, model } = side;
  const example = { key: "", file: "", line: 0, request, tools, want: [], accept: [] };
  return endpointAnswerer({ url, model, timeoutMs: 30_000 })(example);
}

function factsOf(model: Thimble): ModelFacts {
  const { geometry, prompt = "joint", licence } = model.header;
  return {
    bytes: model.linearMemoryBytes,
    build: model.build,
    threads: model.threads,
    params: `${geometry.nEncoderLayers} + ${geometry.nDecoderLayers} layers of ${geometry.dModel}`,
    prompt,
    licence,
  };
}

function faultOf(error: Error & { path?: unknown }): Fault {
  const { name, message, path } = error;
  return { name, message, ...(typeof path === "string" && { path }) };
}
