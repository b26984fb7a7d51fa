/**
 * A companion app's months in minutes, or in hours: calls over many tool sets with limits, enums and nesting, and sessions of
 * random limits opened and closed around them. Prints each sample of memory as it is taken, then what memory did as JSON; exit
 * code 1 where it was not flat.
 *
 *   bun test/soak.ts --calls 20000
 *   bun test/soak.ts --hours 8
 */
import { parseArgs } from "node:util";
import { CapacityError, ToolError } from "../runtime/errors.ts";
import type { Session } from "../runtime/session.ts";
import { load } from "../runtime/thimble.ts";
import type { ToolInput } from "../runtime/tools/tools.ts";
import { randomObject, randomRefs, seeded } from "./support.ts";

/** Growth of what is least in a window of samples that is no leak: the collector leaves this much either way. */
const mostGrowth = 0.05;
const sets = 200;
/** Samples of a run; the first half is warm-up: every cache fills and the compilers settle. */
const samples = 40;
const mostOpen = 4;

const { values } = parseArgs({
  options: { calls: { type: "string" }, hours: { type: "string" }, seed: { type: "string", default: "1" } },
});
const { hours, calls = hours ? Number.POSITIVE_INFINITY : 20_000 } = values;
const random = seeded(Number(values.seed));
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];

/** A tool set of one to three tools, unlike every other. */
function toolSet(set: number): ToolInput[] {
  return Array.from({ length: 1 + below(3) }, (_, i) => ({
    name: `${pick(["set", "get", "add", "send", "find"])}_${pick(["timer", "light", "note", "song", "route"])}_${set}_${i}`,
    description: `Do ${pick(["one", "another", "some"])} thing number ${set * 10 + i}.`,
    parameters: { ...randomObject(random, 2), $defs: randomRefs },
  }));
}

const toolSets = Array.from({ length: sets }, (_, set) => toolSet(set));
const words = "turn on the light add milk minutes and to anna play song at half past set degrees".split(" ");
/** Words and numbers: what a call keeps of a value shows in time, since numbers are new. */
const request = () =>
  Array.from({ length: 2 + below(20) }, () => (random() < 0.2 ? String(below(10 ** below(7))) : pick(words))).join(" ");

const model = await load(undefined, { toolMemory: 2 ** 22 });
const sessions: Session[] = [];
let [answered, refused, opened, made] = [0, 0, 0, sets];

async function turn(): Promise<void> {
  if (random() < 0.1 && sessions.length < mostOpen) {
    sessions.push(
      model.session({ promptTokens: 8 + below(1017), answerTokens: 8 + below(505), toolRows: 8 + below(2000) }),
    );
    opened++;
  }
  if (random() < 0.1 && sessions.length) sessions.splice(below(sessions.length), 1)[0].close();
  const session = sessions.length && random() < 0.5 ? pick(sessions) : model;
  try {
    const isNew = random() < 0.1;
    if (isNew) made++;
    await session.call(request(), isNew ? toolSet(made) : pick(toolSets));
    answered++;
  } catch (error) {
    // A small session cannot hold every tool set, and some random schemas fit nothing: each says so.
    if (!(error instanceof CapacityError || error instanceof ToolError)) throw error;
    refused++;
  }
}

/** Fills what fills last, the vectors of tools that were read (runtime/kept): calls alone would take some 160,000 for that. */
async function fill(vectors: number): Promise<void> {
  for (let tools = 0; tools < vectors; made++) {
    const set = toolSet(made);
    tools += set.length;
    await model.rank("x", set).catch((error) => {
      if (!(error instanceof CapacityError || error instanceof ToolError)) throw error;
    });
  }
}

/** Memory where it is least: after a full collection, with no session open. */
async function measure(): Promise<{ heap: number; linear: number; rss: number }> {
  for (const session of sessions.splice(0)) session.close();
  // Twice, with time for the allocator to give pages back.
  for (let i = 0; i < 2; i++) {
    Bun.gc(true);
    Bun.shrink();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, linear: model.linearMemoryBytes, rss };
}

if (hours) await fill(36_000);
const began = performance.now();
/** How much of the run is over, 0 to 1. */
const share = () =>
  Math.max((answered + refused) / Number(calls), hours ? (performance.now() - began) / (Number(hours) * 3_600_000) : 0);
const measured: Awaited<ReturnType<typeof measure>>[] = [];
console.error("calls, heap linear rss in MiB");
while (measured.length < samples) {
  while (share() < (measured.length + 1) / samples) await turn();
  const sample = await measure();
  measured.push(sample);
  console.error(answered + refused, ...Object.values(sample).map((bytes) => (bytes / 2 ** 20).toFixed(2)));
}

const growth = Object.fromEntries(
  (["heap", "linear", "rss"] as const).map((what) => {
    const half = measured.slice(samples / 2).map((sample) => sample[what]);
    const [before, after] = [half.slice(0, samples / 4), half.slice(-samples / 4)].map((window) => Math.min(...window));
    return [what, { before, after, growth: after / before - 1 }];
  }),
);
const flat = Object.values(growth).every((one) => one.growth <= mostGrowth);
const took = Number(((performance.now() - began) / 3_600_000).toFixed(2));
const did = { hours: took, calls: answered + refused, answered, refused, sessions: opened, sets: made };
console.log(JSON.stringify({ ...did, ...growth, flat }));
process.exitCode = flat ? 0 : 1;
