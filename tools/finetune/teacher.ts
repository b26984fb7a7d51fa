/** A thread that teaches, in a page or beside a server: makes and checks examples, runs a course, says how far it is. */
import { modelId } from "../../runtime/pack/pack.ts";
import { ToolSet } from "../../runtime/tools/tools.ts";
import { ToolSynth } from "../data/fit.ts";
import type { Call } from "../data/ground.ts";
import { type Line, normalised, readLine } from "../data/line.ts";
import { usualReplay } from "./batches.ts";
import { type Report, type Stage, teach } from "./course.ts";
import { Crew } from "./crew.ts";
import { type Gathered, gather } from "./gather.ts";
import { ownPort } from "./thread.ts";
import { type Look, type Saved, usual } from "./trainer.ts";

/** An example as somebody edits it. */
export interface Given {
  query: string;
  answers: Call[];
  /** Place of its tools among the lists. */
  tools: number;
}

export interface Asked {
  /** Tool lists in any form, as JSON. */
  lists: string[];
  examples: Given[];
  seed: number;
  threads: number;
  /** The end of the training, whichever comes first; null for none. */
  minutes: number | null;
  most: number | null;
}

export type Order =
  | { do: "make"; id: number; tools: string; count: number; seed: number }
  | { do: "check"; id: number; lists: string[]; examples: Given[] }
  /** `keeps`: what the course can go on from is said every now and then; `left`: what one goes on from. */
  | { do: "teach"; pack: Uint8Array; asked: Asked; keeps?: boolean; left?: Left }
  /** Ends the training; what was learned is kept. */
  | { do: "stop" };

/** A course that was left, as it can be gone on with. */
export interface Left {
  /** Whose weights they are. */
  model: number;
  saved: Saved;
  /** The training is over; choosing and measuring are not. */
  isTrained: boolean;
}

/** What is wrong with an example, and where; `isOut`: it may stay, and is not learned. */
export interface Fault {
  field: "query" | "calls";
  message: string;
  isOut?: true;
}

/** How far a course is. */
export type Progress =
  | { event: "stage"; stage: Stage }
  | { event: "note"; text: string }
  | { event: "answered"; share: number }
  | { event: "step"; examples: number; loss: number; exact: number; done: number; perSecond: number; leftS: number }
  | { event: "look"; look: Look; isBest: boolean }
  | { event: "failed"; message: string };

export type Said =
  | Progress
  | { event: "made"; id: number; examples: Given[] }
  | { event: "checked"; id: number; faults: (Fault | null)[] }
  | { event: "refused"; id: number; message: string }
  | { event: "left"; left: Left }
  | { event: "done"; report: Report; tuning: Uint8Array; pack: Uint8Array };

/** Test examples that are answered before and after, spread over all that were kept; and general ones. Somebody waits. */
const [mostTested, mostGeneral] = [300, 100];
/** Milliseconds between words about steps; of long courses a thousandth, so that a day's are some thousand. */
const everyMs = 200;
/** Milliseconds between what can be gone on from, some 19 MB: of long courses a twentieth, so that a day's are no strain on a disk. */
const keepMs = 10_000;

const port = ownPort<Order, Said>();
let isStopped = false;

port.onMessage((order) => {
  if (order.do === "stop") isStopped = true;
  else if (order.do === "teach") {
    run(order).catch(({ message }: Error) => port.post({ event: "failed", message }));
  } else {
    const { id } = order;
    try {
      port.post(
        order.do === "make"
          ? { event: "made", id, examples: make(order.tools, order.count, order.seed) }
          : { event: "checked", id, faults: order.examples.map((one) => faultOf(one, order.lists)) },
      );
    } catch (error) {
      port.post({ event: "refused", id, message: (error as Error).message });
    }
  }
});

/** Examples made for tools, each request once. Throws: ToolError, or Error for a tool that words cannot ask for. */
function make(list: string, count: number, seed: number): Given[] {
  const set = ToolSet.from(list);
  const synth = new ToolSynth(set, null);
  const names = new Map(set.tools.map(({ promptName, name }) => [promptName, name]));
  const made = new Map<string, Given>();
  // Few tools without values have few sentences.
  for (let i = 0; made.size < count && i < 4 * count; i++) {
    const { query, answers } = synth.make(seed, i);
    const named = answers.map((call) => ({ ...call, name: names.get(call.name) ?? call.name }));
    made.set(normalised(query), { query, answers: named, tools: 0 });
  }
  return [...made.values()];
}

function lineOf({ query, answers, tools }: Given, lists: readonly string[]): Omit<Line, "path" | "number" | "text"> {
  return readLine(JSON.stringify({ query, answers, tools: lists[tools] }));
}

function faultOf(given: Given, lists: readonly string[]): Fault | null {
  try {
    const { warning = "", isUnwritable } = lineOf(given, lists);
    return isUnwritable ? { field: "calls", message: besides(warning), isOut: true } : null;
  } catch (error) {
    const { message } = error as Error;
    return { field: message.startsWith("query") ? "query" : "calls", message: besides(message) };
  }
}

/** What stands beside the calls need not name them. */
const besides = (message: string) => message.replace(/^answers\[\d+\]\.(arguments\.)?/, "");

/**
 * Leaves the crew to whoever ends this thread, and its threads with it: where a thread ends one of its own while it is ended itself,
 * Chromium now and then ends neither. Throws: Error for an example that is none, and as `gather` and `teach`.
 */
async function run({ pack, asked, keeps, left }: Extract<Order, { do: "teach" }>): Promise<void> {
  const { lists, examples, seed, threads, minutes, most } = asked;
  isStopped = left?.isTrained ?? false;
  const given = examples.map((one, i): Line => {
    const place = { path: "example", number: i + 1, text: "" };
    try {
      return { ...place, ...lineOf(one, lists) };
    } catch (error) {
      throw new Error(`example ${i + 1}: ${(error as Error).message}; mend or remove it`);
    }
  });
  const more = "make more examples";
  const data = fewer(gather({ given, tools: null, made: 0, seed, lexicon: null, more }));
  for (const text of data.warnings) port.post({ event: "note", text });
  const crew = await Crew.start(pack, threads);
  const model = modelId(crew.learner.pack.header);
  let [saidMs, keptMs] = [0, performance.now()];
  const keep = ({ state, best, weights }: Saved, isTrained: boolean) => {
    keptMs = performance.now();
    if (keeps) port.post({ event: "left", left: { model, saved: { state, best, weights }, isTrained } });
  };
  let first: { examples: number; spentMs: number } | null = null;
  if (left && (left.model !== model || left.saved.best.length !== crew.network.size))
    throw new Error(`expected the model that the course began with, got another; load that one, or begin anew`);
  const taught = await teach({
    ...{ crew, data, seed, replay: usualReplay(false), lexicon: null, from: left?.saved },
    schedule: {
      ...usual,
      examples: most ?? Number.POSITIVE_INFINITY,
      budgetMs: minutes === null ? Number.POSITIVE_INFINITY : 60_000 * minutes,
    },
    onStage: (stage) => port.post({ event: "stage", stage }),
    onWarning: (text) => port.post({ event: "note", text }),
    onAnswered: (share) => {
      if (performance.now() - saidMs < everyMs) return;
      saidMs = performance.now();
      port.post({ event: "answered", share });
    },
    onLook: (look, isBest) => port.post({ event: "look", look, isBest }),
    async onProgress({ examples: shown, spentMs, loss, exact, done }, saved) {
      if (performance.now() - keptMs > Math.max(keepMs, spentMs / 20)) keep(saved(), false);
      first ??= { examples: shown, spentMs };
      // The turn of whoever wants to stop.
      await new Promise((resolve) => setTimeout(resolve));
      if (performance.now() - saidMs < Math.max(everyMs, spentMs / 1000)) return;
      saidMs = performance.now();
      const perSecond = (shown - first.examples) / Math.max(1e-3, (spentMs - first.spentMs) / 1000);
      const leftS = ((1 - done) / Math.max(1e-6, done)) * (spentMs / 1000);
      port.post({ event: "step", examples: shown, loss, exact, done, perSecond, leftS });
    },
    onTrained(result) {
      keep(result, true);
      return true;
    },
    stopped: () => isStopped,
  });
  if (!taught) return;
  const [tuning, whole] = [taught.bytes, taught.merged()];
  port.post({ event: "done", report: taught.report, tuning, pack: whole }, [
    tuning.buffer as ArrayBuffer,
    whole.buffer as ArrayBuffer,
  ]);
}

function fewer(data: Gathered): Gathered {
  const every = Math.ceil(data.test.length / mostTested);
  const some = <T>(list: T[]) => list.filter((_, i) => i % every === 0);
  return {
    ...data,
    test: some(data.test),
    cells: data.cells && some(data.cells),
    guard: data.guard.slice(0, mostGeneral),
  };
}
