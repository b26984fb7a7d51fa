/** Calls with few and many tools, known and new; a joint model beside one that reads tools apart, turn by turn. */
import type { Timings } from "../../runtime/session.ts";
import { type LoadOptions, load, type Thimble } from "../../runtime/thimble.ts";
import { type ToolInput, ToolSet } from "../../runtime/tools/tools.ts";
import { readText, table } from "../command.ts";
import { synthesize } from "../data/synth.ts";
import { watchTools } from "../run.ts";
import { middle, round } from "./runs.ts";

export interface CatalogueReport {
  isa: string;
  /** Medians of calls that write one call, tools known before; `beside` of the other model, where its prompt holds them. */
  calls: {
    tools: number;
    offered: number;
    callMs: number;
    prefillMs: number;
    decodeMs: number;
    besideMs: number | null;
  }[];
  decodeTokensPerSecond: { own: number; beside: number | null };
  /** The first call that brings a list of tools: milliseconds a token of theirs, the answer left out. */
  firstSightMicros: { own: number; beside: number | null };
  /** At 16 tools, kept tools included. */
  linearMemoryBytes: number;
  toolBytes: number;
}

const request = "set a timer for 10 minutes";
const warmCalls = 3;
/** The longest of the watch's tools has 236. */
const mostCharacters = 240;

/** So many tools: the watch's, then others of the generator's that are no longer than those. */
export function catalogue(count: number): ToolSet {
  const tools = new Map<string, ToolInput>();
  const take = (list: ToolInput[]) => {
    for (const tool of list) {
      const { promptName } = ToolSet.from([tool]).tools[0];
      const isUsual = JSON.stringify(tool).length <= mostCharacters && !tools.has(promptName);
      if (tools.size < count && isUsual) tools.set(promptName, tool);
    }
  };
  take(JSON.parse(readText(watchTools)));
  for (let i = 0; tools.size < count; i++) take(synthesize(1, i).tools as unknown as ToolInput[]);
  return ToolSet.from([...tools.values()]);
}

/** Measures a pack, and if given a joint one beside it. */
export async function measureCatalogue(
  path: string,
  beside: string | undefined,
  options: LoadOptions,
  runs: number,
): Promise<CatalogueReport> {
  const own = await load(path, options);
  const other = beside === undefined ? null : await load(beside, options);
  const lists = [7, 20, 100].map((count) => {
    const timings: Timings[] = [];
    const besides: number[] = [];
    return { count, tools: catalogue(count), timings, besides, isWithin: other !== null };
  });
  const rates: [number[], number[]] = [[], []];
  // Turn by turn: what slows the machine for a while slows all of them.
  for (let i = -warmCalls; i < runs; i++) {
    for (const list of lists) {
      const { count, tools, timings, besides } = list;
      const { timings: timed } = await own.call(request, tools);
      const rival = list.isWithin ? await other?.call(request, tools).catch(() => null) : null;
      list.isWithin &&= rival !== null;
      if (i < 0) continue;
      timings.push(timed);
      if (rival) besides.push(rival.timings.totalMs);
      if (count !== 7) continue;
      rates[0].push((timed.answerTokens / timed.decodeMs) * 1000);
      if (rival) rates[1].push((rival.timings.answerTokens / rival.timings.decodeMs) * 1000);
    }
  }
  const calls = lists.map(({ count, timings, besides }) => {
    const median = (of: (timed: Timings) => number) => round(middle(timings.map(of)), 2);
    return {
      tools: count,
      offered: timings[0].tools.offered,
      callMs: median(({ totalMs }) => totalMs),
      prefillMs: median(({ prefillMs }) => prefillMs),
      decodeMs: median(({ decodeMs }) => decodeMs),
      besideMs: besides.length ? round(middle(besides), 2) : null,
    };
  });
  const firstSightMicros = {
    own: await firstSight(own, runs),
    beside: other && (await firstSight(other, runs)),
  };
  const fresh = await load(path, options);
  await fresh.call(request, catalogue(16));
  return {
    isa: own.build,
    calls,
    decodeTokensPerSecond: {
      own: round(middle(rates[0])),
      beside: rates[1].length ? round(middle(rates[1])) : null,
    },
    firstSightMicros,
    linearMemoryBytes: fresh.linearMemoryBytes,
    toolBytes: fresh.toolBytes,
  };
}

/** Each turn's tools differ from those before in their descriptions. */
async function firstSight(model: Thimble, runs: number): Promise<number> {
  const micros: number[] = [];
  const tools: ToolInput[] = JSON.parse(readText(watchTools));
  for (let i = 0; i < runs; i++) {
    const set = ToolSet.from(tools.map((tool) => ({ ...tool, description: `${tool.description} ${i}` })));
    const tokens = set.texts.reduce((sum, text) => sum + 1 + model.tokenizer.tokenize(text).length, 0);
    const { timings } = await model.call(request, set);
    micros.push((timings.prefillMs / tokens) * 1000);
  }
  return round(middle(micros), 1);
}

export function renderCatalogue(report: CatalogueReport): string {
  const { calls, firstSightMicros: first, decodeTokensPerSecond: decode } = report;
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
  const cell = (value: number | null) => (value === null ? "" : String(value));
  return `${report.isa} kernels
${table([
  ["tools", "offered", "call ms", "prefill", "decode", "joint call ms", "times"],
  ...calls.map((row) => [
    ...[row.tools, row.offered, row.callMs, row.prefillMs, row.decodeMs].map(String),
    cell(row.besideMs),
    row.besideMs === null ? "" : (row.besideMs / row.callMs).toFixed(1),
  ]),
])}
decode, 7 tools: ${decode.own} tokens/s${decode.beside === null ? "" : `, joint ${decode.beside}`}
first sight of a tool: ${first.own} µs a token${first.beside === null ? "" : `, joint ${first.beside}`}
16 tools: ${mebibytes(report.linearMemoryBytes)} of linear memory, of them ${mebibytes(report.toolBytes)} kept tools`;
}
