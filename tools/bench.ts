import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultModel } from "../runtime/default.ts";
import { detectBuild, kernelModule } from "../runtime/engine/kernels.ts";
import { mostThreads } from "../runtime/engine/threads.ts";
import type { Grammar } from "../runtime/grammar/grammar.ts";
import type { State } from "../runtime/grammar/state.ts";
import { PackStream } from "../runtime/load/loader.ts";
import type { Geometry } from "../runtime/pack/pack.ts";
import type { CallResult } from "../runtime/session.ts";
import { type LoadOptions, load, type Thimble } from "../runtime/thimble.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { type BuildName, buildNames } from "../wasm/abi.ts";
import { measureArrival, renderArrival } from "./bench/arrival.ts";
import { measureBudgets, renderBudgets } from "./bench/budget.ts";
import { measureCatalogue, renderCatalogue } from "./bench/catalogue.ts";
import { measureCold, renderCold } from "./bench/cold.ts";
import { measureFinetune, renderFinetune } from "./bench/finetune.ts";
import { type Difference, margins, readReference, undecided } from "./bench/margins.ts";
import { overruled } from "./bench/replay.ts";
import { renderRoofline, roofline } from "./bench/roofline.ts";
import {
  fullGeometry,
  machineName,
  median,
  middle,
  randomPack,
  repeat,
  round,
  runDecode,
  runPrefill,
} from "./bench/runs.ts";
import { writeSubmission } from "./bench/submission.ts";
import { measureWasi, renderWasi } from "./bench/wasi.ts";
import { type Command, print, readText, refuseWords, table, UsageError } from "./command.ts";
import { watchRequest, watchTools } from "./run.ts";

interface Report {
  machine: string;
  isa: string;
  threads: number;
  /** Why it is one where --threads asked for more. */
  threadsMissing?: string;
  geometry: Geometry;
  packBytes: number;
  kernelBytes: number;
  loadMs: number;
  linearMemoryBytes: number;
  peakRssBytes: number;
  prefill: { promptTokens: number; tokensPerSecond: number; gmacPerSecond: number }[];
  decode: { free: number; grammar: number };
  /**
   * compileMs of ten new tools, maskMicros of a state met for the first time; of a call's decoding, the share that the
   * grammar takes for a new tool set and for one in use, the share of forced tokens and the gain over asking every step.
   */
  grammar: {
    compileMs: number;
    maskMicros: number;
    newShare: number;
    keptShare: number;
    forcedShare: number;
    speedup: number;
  };
  callMs: number;
}

export const bench: Command = {
  help: `thimble bench [--model PACK | --geometry full] [--kernels NAME,…] [--threads N] [--runs N] [--json]
thimble bench --budget MIB,… | --arrival | --cold [--model PACK | --geometry full]
thimble bench --catalogue [--model PACK] [--beside PACK]
thimble bench --finetune [--model PACK]
thimble bench --wasi [--model PACK]
thimble bench --roofline [--kernels NAME,…]
thimble bench --margins ANSWERS.json --model PACK [--kernels NAME,…]

Medians of several runs: load from disk, linear memory at 384/128 tokens, prefill at 32, 128, 271 and 512 prompt
tokens, decode free and under the grammar after 271 prompt tokens, a whole call with the watch tools.

  --model PACK     a pack's path (the model inside the package)
  --geometry full  the 26M geometry with seeded random weights
  --kernels NAMES  builds to measure, one report each (the fastest that runs here)
  --threads N      threads of the prefill (1)
  --budget MIB,…   instead: prefill, decode and calls with so many MiB of linear memory, and resident
  --arrival        instead: time to the first prefill from a server that sends 2 MB/s, as it arrives and afterwards
  --cold           instead: processes that start, load and answer once: CPU time and memory by phase, beside a bare one
                   and thimble run
  --catalogue      instead: calls with 7, 20 and 100 tools, first sight of a tool, memory at 16 tools
  --finetune       instead: examples a second of thimble finetune on one thread and on two
  --wasi           instead: calls by the command for WASI under @wasmer/wasi, turn by turn with the runtime
  --beside PACK    with --catalogue: a joint pack measured turn by turn with it
  --runs N         runs a figure (7)
  --json           one object a build, on a line of its own
  --roofline       the host's peaks of dot product and reading, and each kernel's share, in CPU time (wasm/README.md)
  --margins FILE   of a reference's greedy answers, {cases: [{encoder_ids, or query, query_ids and tools; int4: {ids, gaps}}]}, steps whose token differs from a reference's, with its top-2 gap; fails if one is ${undecided} logit or more
  --submit-file F  write the reports and the machine for a public table of boards

  thimble bench --geometry full --kernels simd,relaxed`,
  options: {
    model: { type: "string" },
    geometry: { type: "string" },
    kernels: { type: "string" },
    threads: { type: "string" },
    budget: { type: "string" },
    arrival: { type: "boolean" },
    cold: { type: "boolean" },
    wasi: { type: "boolean" },
    catalogue: { type: "boolean" },
    finetune: { type: "boolean" },
    beside: { type: "string" },
    runs: { type: "string" },
    json: { type: "boolean" },
    roofline: { type: "boolean" },
    margins: { type: "string" },
    "submit-file": { type: "string" },
  },
  async run(input) {
    refuseUnread((name) => input.has(name));
    refuseWords(input, "bench", "; a pack goes to --model");
    const runs = input.integer("runs", 1, 1000) ?? 7;
    const threads = input.integer("threads", 1, mostThreads);
    const geometry = input.text("geometry");
    if (geometry !== undefined && geometry !== "full")
      throw new UsageError(`--geometry: expected full, got ${JSON.stringify(geometry)}`);
    if (geometry && input.text("model")) throw new UsageError("bench: expected --model or --geometry, got both");
    const builds = input.text("kernels")?.split(",") ?? [undefined];
    for (const name of builds) {
      if (name !== undefined && !buildNames.includes(name as BuildName)) {
        throw new UsageError(`--kernels: expected names of ${buildNames.join(", ")}, got ${JSON.stringify(name)}`);
      }
    }
    const names = builds as (BuildName | undefined)[];
    const answers = input.text("margins");
    if (input.flag("roofline") || answers !== undefined) {
      for (const name of names) {
        const build = name ?? detectBuild();
        if (answers === undefined) await printRoofline(build, runs, input.flag("json"));
        else await printMargins(build, input.text("model"), answers, input.flag("json"));
      }
      return;
    }
    const budgets = input.text("budget")?.split(",").map(bytesOf);
    const folder = mkdtempSync(join(tmpdir(), "thimble-bench-"));
    try {
      let path = input.text("model") ?? fileURLToPath(defaultModel());
      if (geometry) {
        path = join(folder, "full.thimble");
        writeFileSync(path, await randomPack(fullGeometry));
      }
      const script = geometry ? await defaultScript() : null;
      const reports: Report[] = [];
      for (const [i, name] of names.entries()) {
        const options = { kernels: name, threads };
        if (budgets) {
          const reports = await measureBudgets(path, options, [...budgets, null], runs);
          print(input.flag("json") ? JSON.stringify({ machine: machineName(), reports }) : renderBudgets(reports));
          continue;
        }
        if (input.flag("arrival")) {
          const report = await measureArrival(path, options, runs);
          print(input.flag("json") ? JSON.stringify({ machine: machineName(), ...report }) : renderArrival(report));
          continue;
        }
        if (input.flag("wasi")) {
          const report = await measureWasi(path, runs);
          print(input.flag("json") ? JSON.stringify({ machine: machineName(), ...report }) : renderWasi(report));
          continue;
        }
        if (input.flag("cold")) {
          // The child's own words would be a stack.
          await (await PackStream.open(path)).close();
          const subject = { path, build: name, promptTokens: 384, request: watchRequest, tools: readText(watchTools) };
          const report = measureCold(subject, runs);
          const isa = name && { isa: name };
          if (name && !input.flag("json")) print(`${i ? "\n" : ""}${name} kernels`);
          print(
            input.flag("json") ? JSON.stringify({ machine: machineName(), ...isa, ...report }) : renderCold(report),
          );
          continue;
        }
        if (input.flag("catalogue")) {
          const report = await measureCatalogue(path, input.text("beside"), options, runs);
          print(input.flag("json") ? JSON.stringify({ machine: machineName(), ...report }) : renderCatalogue(report));
          continue;
        }
        if (input.flag("finetune")) {
          const reports = await measureFinetune(path, [1, 2], runs);
          print(input.flag("json") ? JSON.stringify({ machine: machineName(), reports }) : renderFinetune(reports));
          continue;
        }
        const report = await measure(path, options, runs, script);
        reports.push(report);
        print(input.flag("json") ? JSON.stringify(report) : (i ? "\n" : "") + render(report));
      }
      const file = input.text("submit-file");
      if (file) writeSubmission(file, reports);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** What each way of measuring reads, beside --json; the last where none is named. */
const reads: Record<string, readonly string[]> = {
  margins: ["model", "kernels"],
  roofline: ["kernels", "runs"],
  budget: ["model", "geometry", "kernels", "threads", "runs"],
  arrival: ["model", "geometry", "kernels", "threads", "runs"],
  wasi: ["model", "geometry", "runs"],
  cold: ["model", "geometry", "kernels", "runs"],
  catalogue: ["model", "geometry", "beside", "kernels", "threads", "runs"],
  finetune: ["model", "runs"],
  bench: ["model", "geometry", "kernels", "threads", "runs", "submit-file"],
};

/** Throws: UsageError for two ways at once, or an option that the way does not read. */
function refuseUnread(isGiven: (name: string) => boolean): void {
  const ways = Object.keys(reads).filter((name) => name !== "bench" && isGiven(name));
  if (ways.length > 1) throw new UsageError(`bench: expected one of --${ways.join(", --")}, got ${ways.length}`);
  const [way = "bench"] = ways;
  const unread = [...new Set(Object.values(reads).flat())].find((name) => isGiven(name) && !reads[way].includes(name));
  const told = way === "bench" ? "a plain bench" : `--${way}`;
  if (unread)
    throw new UsageError(
      `--${unread}: ${told} does not read it; expected at most --${reads[way].join(", --")}, --json`,
    );
}

function bytesOf(mebibytes: string): number {
  if (Number(mebibytes) > 0) return Number(mebibytes) * 2 ** 20;
  throw new UsageError(`--budget: expected numbers of MiB, got ${JSON.stringify(mebibytes)}`);
}

async function printRoofline(build: BuildName, runs: number, json: boolean): Promise<void> {
  const report = await roofline(build, runs);
  print(json ? JSON.stringify({ machine: machineName(), ...report }) : renderRoofline(report));
}

/** Throws: Error if a token differs where the reference was decided. */
async function printMargins(kernels: BuildName, model: string | undefined, path: string, json: boolean): Promise<void> {
  const thimble = await load(model ?? defaultModel(), { kernels });
  const reference = readReference(readText(path), path);
  const { steps, differences } = await margins(thimble, reference);
  if (json) print(JSON.stringify({ isa: kernels, steps, differences }));
  else print(`${kernels}: ${differences.length} of ${steps} steps differ${renderDifferences(thimble, differences)}`);
  const worst = Math.max(0, ...differences.map(({ gap }) => gap));
  if (worst >= undecided)
    throw new Error(`margins: expected gaps below ${undecided}, got ${worst}; rounding does not explain it`);
}

function renderDifferences({ tokenizer }: Thimble, differences: Difference[]): string {
  const piece = (id: number) => JSON.stringify(tokenizer.pieces[id]);
  const rows = differences.map(({ prompt, step, token, reference, gap }) => [
    `prompt ${prompt}`,
    `step ${step}`,
    `${piece(token)} for ${piece(reference)}`,
    `gap ${gap.toFixed(4)}`,
  ]);
  return rows.length ? `\n${table(rows)}` : "";
}

/** An answer to write whatever the weights: what to pick where the grammar leaves a choice, and all of its tokens. */
interface Script {
  choices: number[];
  tokens: number[];
}

/** How the model inside the package answers `watchRequest`. */
async function defaultScript(): Promise<Script> {
  const choices: number[] = [];
  const noting = overruled(await load(), (own) => {
    choices.push(own);
    return own;
  });
  const { tokens } = await noting.call(watchRequest, readText(watchTools));
  // The first token needs no logits in any way of decoding.
  return { choices, tokens: tokens.slice(1) };
}

/** `script`: the answer of the call instead of the model's own. */
async function measure(path: string, options: LoadOptions, runs: number, script: Script | null): Promise<Report> {
  let thimble = await load(path, options);
  const loads = await repeat(runs, async () => {
    thimble.close();
    thimble = await load(path, options);
  });
  const { linearMemoryBytes, build } = thimble;
  const { geometry } = thimble.header;
  const session = thimble.session({ promptTokens: 512, answerTokens: 128 });

  const prefills: Report["prefill"] = [];
  for (const promptTokens of [32, 128, 271, 512]) {
    const ms = await median(runs, () => runPrefill(thimble, session, promptTokens));
    const tokensPerSecond = (promptTokens / ms) * 1000;
    prefills.push({
      promptTokens,
      tokensPerSecond: round(tokensPerSecond),
      gmacPerSecond: round(prefillMacs(geometry, promptTokens) / ms / 1e6, 1),
    });
  }

  await runPrefill(thimble, session, 271);
  const steps = 64;
  const free = await median(runs, () => runDecode(thimble, session, steps, 271));

  const tools = readText(watchTools);
  let rest: number[] = [];
  const limits = { promptTokens: 512, answerTokens: 128 };
  const writer = script ? overruled(thimble, () => rest.shift() as number, limits) : thimble.session(limits);
  const call = (force = true) => {
    if (script) rest = [...(force ? script.choices : script.tokens)];
    return writer.call(watchRequest, tools, { force });
  };
  const calls: number[] = [];
  const rates: number[] = [];
  for (let i = 0; i < warmCalls; i++) await call();
  for (let i = 0; i < runs; i++) {
    const { timings } = await call();
    calls.push(timings.totalMs);
    rates.push((timings.answerTokens / timings.decodeMs) * 1000);
  }
  const report: Report = {
    machine: machineName(),
    isa: build,
    threads: thimble.threads,
    ...(thimble.threadsMissing && { threadsMissing: thimble.threadsMissing }),
    geometry,
    packBytes: statSync(path).size,
    kernelBytes: build === "custom" ? 0 : kernelModule(build).length,
    loadMs: round(middle(loads), 1),
    linearMemoryBytes,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    prefill: prefills,
    decode: { free: round((steps / free) * 1000), grammar: round(middle(rates)) },
    grammar: await measureGrammar(thimble, call, runs),
    callMs: round(middle(calls), 2),
  };
  thimble.close();
  return report;
}

async function measureGrammar(
  thimble: Thimble,
  call: (force?: boolean) => Promise<CallResult>,
  runs: number,
): Promise<Report["grammar"]> {
  const tools: { name: string; description: string }[] = JSON.parse(readText(watchTools));
  const { tokens, timings } = await call();
  const [compiles, masks, news, kepts, jumps, steps]: number[][] = [[], [], [], [], [], []];
  for (let i = 0; i < runs; i++) {
    // Another description is another tool set: nothing of it is cached.
    const described = (about: string) =>
      tools.map((tool) => ({ ...tool, description: `${tool.description} ${about}` }));
    const ten = [...described(`${i}`), ...described("").slice(0, 3)].map((tool, n) => ({
      ...tool,
      name: `${tool.name}${n}`,
    }));
    const started = performance.now();
    thimble.inside.grammarOf(ToolSet.from(ten));
    compiles.push(performance.now() - started);

    const grammar = thimble.inside.grammarOf(ToolSet.from(described(`a${i}`)));
    let state: State | null = grammar.start;
    for (const id of tokens.slice(1)) {
      if (!state) break;
      const before = performance.now();
      grammar.mask(state);
      masks.push((performance.now() - before) * 1000);
      state = grammar.advance(state, id);
    }
    const fresh = thimble.inside.grammarOf(ToolSet.from(described(`b${i}`)));
    news.push(replayMs(fresh, tokens));
    kepts.push(replayMs(fresh, tokens));
    jumps.push((await call()).timings.decodeMs);
    steps.push((await call(false)).timings.decodeMs);
  }
  return {
    compileMs: round(middle(compiles), 2),
    maskMicros: round(middle(masks), 1),
    newShare: round(middle(news) / middle(jumps), 4),
    keptShare: round(middle(kepts) / middle(jumps), 4),
    forcedShare: round(timings.forcedTokens / timings.answerTokens, 3),
    speedup: round(middle(steps) / middle(jumps), 2),
  };
}

/** What the grammar does for an answer (runtime/answer/answer.ts), without the model. */
function replayMs(grammar: Grammar, tokens: readonly number[]): number {
  const started = performance.now();
  let state = grammar.start;
  for (let i = 1; i < tokens.length && !state.atEnd; ) {
    const forced = grammar.forced(state);
    grammar.fits(forced.state, 128 - i);
    if (forced.ids.length) {
      i += forced.ids.length;
      state = forced.state;
      continue;
    }
    grammar.mask(state);
    const after = grammar.advance(state, tokens[i++]);
    if (!after) break;
    grammar.fits(after, 128 - i);
    state = after;
  }
  return performance.now() - started;
}

/** Multiply-accumulates of a prefill: projections and attention of the encoder, cross K and V. */
function prefillMacs(geometry: Geometry, tokens: number): number {
  const { dModel, nHeads, nKvHeads, nEncoderLayers, nDecoderLayers } = geometry;
  const kv = (dModel / nHeads) * nKvHeads;
  const projections = nEncoderLayers * (2 * dModel * dModel + 2 * dModel * kv) + nDecoderLayers * 2 * dModel * kv;
  return tokens * projections + nEncoderLayers * 2 * tokens * tokens * dModel;
}

/** Calls before the measured ones: the host compiles kernels and loop meanwhile, the grammar remembers its states. */
const warmCalls = 3;

function grammarLine(report: Report["grammar"]): string {
  const percent = (share: number, digits = 0) => `${(100 * share).toFixed(digits)}%`;
  const { compileMs, maskMicros, newShare, keptShare, forcedShare, speedup } = report;
  const costs = `ten new tools ${compileMs} ms, new mask ${maskMicros} µs, ${percent(newShare, 1)} of decoding, ${percent(keptShare, 1)} once known`;
  return `${costs}; ${percent(forcedShare)} of tokens forced, decoding ${speedup} times as fast for it`;
}

function threadsLine({ threads, threadsMissing }: Report): string {
  if (threadsMissing) return `1 thread: ${threadsMissing}`;
  return threads === 1 ? "1 thread" : `${threads} threads`;
}

function render(report: Report): string {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const { geometry } = report;
  const layers = `d ${geometry.dModel}, ${geometry.nEncoderLayers} + ${geometry.nDecoderLayers} layers, vocabulary ${geometry.vocabSize}`;
  const rows: (string | number)[][] = [
    ["machine", report.machine],
    ["kernels", `${report.isa}, ${report.kernelBytes} bytes, ${threadsLine(report)}`],
    ["model", `${layers}, pack ${mebibytes(report.packBytes)}`],
    ["load", `${report.loadMs} ms`],
    ["memory", `${mebibytes(report.linearMemoryBytes)} linear, ${mebibytes(report.peakRssBytes)} peak RSS`],
    ...report.prefill.map((p) => [
      `prefill ${p.promptTokens}`,
      `${p.tokensPerSecond} tokens/s, ${p.gmacPerSecond} GMAC/s`,
    ]),
    ["decode", `${report.decode.free} tokens/s free, ${report.decode.grammar} tokens/s under the grammar`],
    ["grammar", grammarLine(report.grammar)],
    ["call", `${report.callMs} ms, watch tools, two calls`],
  ];
  return table(rows);
}
