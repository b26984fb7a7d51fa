import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defaultModel } from "../runtime/index.ts";
import { bytesOf, type Source } from "../runtime/load/source.ts";
import { modelId } from "../runtime/pack/pack.ts";
import {
  type Command,
  checkOutput,
  type Input,
  numberOf,
  print,
  readBytes,
  serverOf,
  UsageError,
  warn,
  writeBytes,
} from "./command.ts";
import { lexiconFolder, readLexicon } from "./data/lexicon.ts";
import type { Line } from "./data/line.ts";
import { readLines } from "./data/lines.ts";
import { advisedExamples } from "./data/measures.ts";
import { readExamples } from "./eval/examples.ts";
import { usualReplay } from "./finetune/batches.ts";
import { teach } from "./finetune/course.ts";
import { Crew } from "./finetune/crew.ts";
import { askServer, type Server } from "./finetune/endpoint.ts";
import { fewTests, type Gathered, gather } from "./finetune/gather.ts";
import { reportText } from "./finetune/report.ts";
import { type Facts, readRun, saveRun } from "./finetune/runfile.ts";
import { cautious, type Progress, usual } from "./finetune/trainer.ts";
import { modelOf } from "./model.ts";
import { toolsIn } from "./toollist.ts";

const notBetter = "not better on its own tools: give more examples or --minutes";
const fewFound = "not seen to be better: the test is too small to tell; give more examples or --test";

export const finetune: Command = {
  help: `thimble finetune DATA… -o TUNING [--tools FILE] [--minutes N | --examples N] [--from PACK] [--merge]
thimble finetune --tools tools.json -o TUNING [--endpoint URL --model NAME]

Teaches a model your tools. DATA: lines of {query, tools, answers}; with --tools alone, or beside DATA, examples are made
from the tools' schema, and with --endpoint written by a server: what it writes counts as DATA where the calls fit the
tools and the request says their values; the rest is counted. Trains a decoder on the weights as they are deployed; keeps the
look that answered best; reports before and after on sentences and values that it never saw, and on general requests with your
tools in their lists. Writes a tuning, some 550 KB, for load(pack, { tuning }) and thimble run --tuning: it answers what calls
your tools, the model's own decoder all else. Exit code 3 where the tuning is no better.

  -o, --out FILE    the tuning, or with --merge the whole pack; FILE.run holds a run that was stopped
  --tools FILE      a list of tools to make examples for, in any form or packed
  --made N          how many they count beside DATA (4000): each is made anew whenever it is shown
  --endpoint URL    an OpenAI-compatible server (…/v1) that writes examples too; its key in THIMBLE_API_KEY
  --model NAME      the server's model
  --asked N         how many it is to write (${advisedExamples} a tool); FILE.asked.jsonl keeps them, and a stopped run goes on from it
  --timeout SECONDS to wait for an answer of it (60)
  --minutes N       of training at most (5)
  --examples N      to show at most, in place of minutes: same seed, same bytes
  --from PACK       what to start from: a pack's path, URL or name (the model inside the package)
  --merge           write a whole pack with one decoder for everything: learns less, since it must not forget
  --test FILE       examples to report on (kept from DATA, or made)
  --guard FILE      people's examples that must not get worse; with --merge half of 200 or more choose how much to keep (general ones, made)
  --replay SHARE    of general examples (${usualReplay(false)}, with --merge ${usualReplay(true)})
  --threads N       (one a core, at most ${usual.batch / 4})
  --seed S          of all that is random (1)
  --resume          go on with a run that was stopped
  --json            print one object instead of tables

  thimble finetune --tools tools.json -o mine.tuning`,
  options: {
    out: { type: "string", short: "o" },
    tools: { type: "string" },
    made: { type: "string" },
    minutes: { type: "string" },
    examples: { type: "string" },
    endpoint: { type: "string" },
    model: { type: "string" },
    asked: { type: "string" },
    timeout: { type: "string" },
    from: { type: "string" },
    merge: { type: "boolean" },
    test: { type: "string" },
    guard: { type: "string" },
    replay: { type: "string" },
    threads: { type: "string" },
    seed: { type: "string" },
    resume: { type: "boolean" },
    json: { type: "boolean" },
  },
  async run(input) {
    const asked = readAsked(input);
    const { out, facts, files, list, testPath, guardPath, merge, resume, server, seed } = asked;
    const tools = list ? await toolsIn(list.bytes, list.path) : null;
    if (server && tools) {
      const path = `${out}.asked.jsonl`;
      if (!(await askServer(server, tools, seed, path))) {
        process.exitCode = 130;
        return;
      }
      files.push(path);
    }
    // Once: a pipe has nothing to say again.
    const read = files.map((path) => ({ path, bytes: readBytes(path) }));
    facts.data = hashOf([...read, ...(list ? [list] : [])]);
    const folder = lexiconFolder();
    const lexicon = folder ? readLexicon(folder) : null;
    if (tools) warn(`finetune: making ${asked.made} examples`);
    const data = gather({
      ...asked,
      given: readGiven(read),
      tools,
      ...(testPath !== undefined && { test: readExamples(testPath) }),
      ...(guardPath !== undefined && { guard: readExamples(guardPath) }),
      lexicon,
      more: "--tools FILE makes some",
    });
    for (const warning of data.warnings) warn(`finetune: ${warning}`);
    const source = (await modelOf(input.text("from"))) ?? defaultModel();
    const pack = await bytesOf(source as Source);
    const crew = await Crew.start(pack, asked.threads);
    const began = performance.now();
    const { stopped, stop } = untilAsked();
    const bar = process.stderr.isTTY ? drawn() : null;
    try {
      Object.assign(facts, { model: modelId(crew.learner.pack.header) });
      const from = resume ? readRun(`${out}.run`, facts, crew.network.size) : null;
      const { replay, examples, budgetMs } = asked;
      const taught = await teach({
        ...{ crew, data, from, seed, replay, lexicon, merge, stopped },
        schedule: { ...(merge ? cautious : usual), examples, budgetMs },
        onStage(stage) {
          if (stage === "train") process.on("SIGINT", stop);
          const said = { base: measuring(data), train: training, choose: choosing, fit: fitting, score: "" }[stage];
          if (said) warn(`finetune: ${said}`);
        },
        onWarning: (text) => warn(`finetune: ${text}`),
        onProgress: (progress) => bar?.(progress),
        onLook({ examples: shown, loss, exact }, isBest) {
          const mark = isBest ? "" : ", not better";
          process.stderr.write(
            `${bar ? "\r\x1b[K" : ""}${shown} examples: loss ${loss.toFixed(3)}, exact ${exact.toFixed(3)}${mark}\n`,
          );
        },
        onSave: (saved) => saveRun(`${out}.run`, facts, saved),
        onTrained(result) {
          process.off("SIGINT", stop);
          // The phases after training take as long as those before: whoever stops one can go on from here.
          saveRun(`${out}.run`, facts, result);
          if (result.end !== "stopped") return true;
          print(`stopped after ${result.state.examples} examples; go on with --resume`);
          process.exitCode = 130;
          return false;
        },
      });
      if (!taught) return;
      const { bytes, report } = taught;
      writeBytes(out, bytes);
      if (existsSync(`${out}.run`)) rmSync(`${out}.run`);
      if (!report.isBetter || report.hasFallen) process.exitCode = 3;
      const figures = { out, bytes: bytes.length, elapsedMs: performance.now() - began };
      const { isBetter, hasFallen } = report;
      const doubts = [
        ...(isBetter ? [] : [report.own.examples < fewTests ? fewFound : notBetter]),
        ...(hasFallen ? ["worse on general requests: raise --replay"] : []),
      ];
      print(
        input.flag("json")
          ? JSON.stringify({ ...figures, ...report })
          : `${reportText(report)}\n${[`${out} ${bytes.length} bytes`, ...doubts].join("; ")}`,
      );
    } finally {
      process.off("SIGINT", stop);
      crew.close();
    }
  },
};

const measuring = ({ train }: Gathered) => `${train.length} examples to train on; measuring the model as it is`;
const training = "training; Ctrl-C keeps what is learned";
const choosing = "choosing how much of the change to keep";
const fitting = "fitting when to act, then measuring again";

/** Asks a run to stop; who asks twice does not want to wait. */
function untilAsked() {
  let stops = 0;
  return {
    stopped: () => stops > 0,
    stop() {
      stops++;
      if (stops > 1) process.exit(130);
      warn("finetune: stopping after this step; once more to leave at once");
    },
  };
}

/** Throws: Error for a line that is no example. */
function readGiven(files: readonly File[]): Line[] {
  const read = files.map(({ path, bytes }) => readLines(path, bytes));
  const faults = read.flatMap((one) => one.faults);
  if (faults.length) {
    const more = faults.length > 1 ? `; ${faults.length} errors in all, see thimble data check` : "";
    throw new Error(`${faults[0].place}: ${faults[0].message}${more}`);
  }
  return read.flatMap((one) => one.lines);
}

interface File {
  path: string;
  bytes: Uint8Array;
}

interface Asked {
  files: string[];
  out: string;
  /** Of tools to make examples for. */
  list: File | null;
  server: Server | null;
  testPath?: string;
  guardPath?: string;
  made: number;
  seed: number;
  replay: number;
  threads: number;
  merge: boolean;
  resume: boolean;
  examples: number;
  budgetMs: number;
  facts: Facts;
}

function readAsked(input: Input): Asked {
  const files = input.words;
  const [out, toolsPath, testPath, guardPath] = ["out", "tools", "test", "guard"].map((name) => input.text(name));
  if (!files.length && toolsPath === undefined)
    throw new UsageError(
      "finetune: expected data or --tools FILE, got neither; try thimble finetune --tools tools.json -o mine.tuning",
    );
  if (!out) throw new UsageError("finetune: expected -o FILE for the tuning, got none");
  checkOutput(out, [...files, toolsPath, testPath, guardPath, input.text("from")]);
  const given = input.integer("examples", 1, 1e7);
  const minutes = numberOf(input, "minutes", 0.05, 1e5);
  if (given !== undefined && minutes !== undefined)
    throw new UsageError("finetune: expected --minutes or --examples, got both");
  const merge = input.flag("merge");
  const seed = input.integer("seed", 0, 2 ** 31 - 1) ?? 1;
  const replay = numberOf(input, "replay", 0, 0.95) ?? usualReplay(merge);
  const threads = input.integer("threads", 1, 32) ?? Math.min(availableParallelism(), usual.batch / 4);
  const made = input.integer("made", 20, 1e6) ?? 4000;
  return {
    ...{
      files,
      out,
      list: toolsPath === undefined ? null : { path: toolsPath, bytes: readBytes(toolsPath) },
      server: serverAsked(input),
      testPath,
      guardPath,
      made,
      seed,
      replay,
      threads,
    },
    ...{ merge, resume: input.flag("resume") },
    examples: given ?? Number.POSITIVE_INFINITY,
    budgetMs: given === undefined ? 60_000 * (minutes ?? 5) : Number.POSITIVE_INFINITY,
    facts: { seed, replay, merge: Number(merge), made: toolsPath === undefined ? 0 : made },
  };
}

/** Throws: UsageError for a part of a server without the rest. */
function serverAsked(input: Input): Server | null {
  if (input.text("endpoint") === undefined) {
    const extra = ["model", "asked", "timeout"].find((name) => input.text(name) !== undefined);
    if (extra === undefined) return null;
    const remedy = extra === "model" ? "; the pack to start from is --from PACK" : "";
    throw new UsageError(`--${extra}: expected --endpoint URL beside it, got none${remedy}`);
  }
  if (input.text("tools") === undefined)
    throw new UsageError("--endpoint: expected --tools FILE beside it, whose calls are asked for; got none");
  const count = input.integer("asked", 1, 1e6);
  return { ...serverOf(input), ...(count !== undefined && { count }) };
}

/** What tells a run's data from another's. */
function hashOf(files: readonly File[]): string {
  const hash = createHash("sha256");
  for (const { bytes } of files) hash.update(bytes);
  return hash.digest("hex");
}

/** A line that says how far a run is, drawn again at most every 200 ms. */
function drawn(): (progress: Progress) => void {
  let [drawnMs, first] = [0, null as Progress | null];
  return (progress) => {
    first ??= progress;
    const nowMs = performance.now();
    if (nowMs - drawnMs < 200) return;
    drawnMs = nowMs;
    const { done, examples, spentMs, loss, exact } = progress;
    const rate = (examples - first.examples) / Math.max(1e-3, (spentMs - first.spentMs) / 1000);
    const left = done > 0 ? ((1 - done) / Math.max(1e-6, done)) * (spentMs / 1000) : 0;
    const full = Math.round(24 * done);
    const line = `${"█".repeat(full)}${"░".repeat(24 - full)} loss ${loss.toFixed(3)}, exact ${exact.toFixed(2)}, ${rate.toFixed(0)} examples/s, ${Math.ceil(left)} s left`;
    process.stderr.write(`\r\x1b[K${line}`);
  };
}
