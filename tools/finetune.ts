import { createHash } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defaultModel, load, type Session } from "../runtime/index.ts";
import { bytesOf, type Source } from "../runtime/load/source.ts";
import type { Calibration } from "../runtime/pack/calibration.ts";
import { modelId } from "../runtime/pack/pack.ts";
import { fit, samplesOf } from "./calibrate.ts";
import { type Command, type Input, numberOf, print, readText, UsageError, warn } from "./command.ts";
import { lexiconFolder, readLexicon } from "./data/lexicon.ts";
import { type Result as Answered, answerAll, modelAnswerer } from "./eval/answers.ts";
import type { Example } from "./eval/examples.ts";
import { Batches, lessonOf } from "./finetune/batches.ts";
import { blended, chosenShare, mostFall, shares, type Tried } from "./finetune/blend.ts";
import { Candidate, judged } from "./finetune/candidate.ts";
import { Crew } from "./finetune/crew.ts";
import { writeMerged, writeTuning } from "./finetune/files.ts";
import { type Gathered, gather } from "./finetune/gather.ts";
import { callF1, changeOf, compare, groupTable, tableOf, toolOf, worst } from "./finetune/judge.ts";
import type { Lesson } from "./finetune/learner.ts";
import { readParameters } from "./finetune/parameters.ts";
import { type Facts, readRun, saveRun } from "./finetune/runfile.ts";
import { type Progress, type Result, train, usual } from "./finetune/trainer.ts";
import { modelOf } from "./model.ts";

export const finetune: Command = {
  help: `thimble finetune DATA… -o TUNING [--tools FILE] [--minutes N | --examples N] [--model PACK] [--merge]
thimble finetune --tools tools.json -o TUNING

Teaches a model your tools. DATA: lines of {query, tools, answers}; with --tools alone, or beside DATA, examples are made
from the tools' schema. Trains the decoder on the weights as they are deployed, among general examples against
forgetting; keeps the look that answered best; reports before and after on sentences and values that it never saw.
Writes a tuning, some 600 KB, for load(pack, { tuning }) and thimble run --tuning. Exit code 3 where the tuning is no better.

  -o, --out FILE    the tuning, or with --merge the whole pack; FILE.run holds a run that was stopped
  --tools FILE      a list of tools to make examples for
  --made N          how many to make (4000)
  --minutes N       of training at most (5)
  --examples N      to show at most, in place of minutes: same seed, same bytes
  --model PACK      what to start from: a pack's path, URL or name (the model inside the package)
  --merge           write a whole pack with the tuned decoder in it
  --test FILE       examples to report on (kept from DATA, or made)
  --guard FILE      people's examples that must not get worse (general ones, made)
  --replay SHARE    of general examples (0.35)
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
    model: { type: "string" },
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
    const { out, facts } = asked;
    const folder = lexiconFolder();
    const lexicon = folder ? readLexicon(folder) : null;
    if (asked.toolsPath !== undefined) warn(`finetune: making ${asked.made} examples`);
    const data = gather({ ...asked, lexicon });
    for (const warning of data.warnings) warn(`finetune: ${warning}`);
    const source = (await modelOf(input.text("model"))) ?? defaultModel();
    const pack = await bytesOf(source as Source);
    const crew = await Crew.start(pack, asked.threads);
    const began = performance.now();
    try {
      const { learner, network } = crew;
      const { tokenizer } = learner.model;
      Object.assign(facts, { model: modelId(learner.pack.header) });
      warn(`finetune: ${data.train.length} examples to train on; measuring the model as it is`);
      const before = await answers(learner.model, data);
      const batches = new Batches(data.train, tokenizer, { ...asked, redress: 0.4, lexicon });
      const from = asked.resume ? readRun(`${out}.run`, facts, network.size) : null;
      if (from) crew.restore(from.weights);
      warn("finetune: training; Ctrl-C keeps what is learned");
      const result = await learn(crew, data, batches, asked, from);
      if (result.end === "stopped") {
        saveRun(`${out}.run`, facts, result);
        print(`stopped after ${result.state.examples} examples; go on with --resume`);
        process.exitCode = 130;
        return;
      }
      // The phases after training take as long as those before: whoever stops one can go on from here.
      saveRun(`${out}.run`, facts, result);
      warn("finetune: choosing how much of the change to keep, then measuring again");
      const { weights, chosen } = await kept(crew, data, result.best);
      const provenance = {
        tuned: `decoder, ${result.state.examples} examples of ${data.train.length}, share ${chosen.share}, seed ${asked.seed}`,
      };
      const notes = { provenance, ...(await refitted(pack, learner.pack, weights, data)) };
      const bytes = (asked.merge ? writeMerged : writeTuning)(learner.pack, weights, notes);
      writeFileSync(out, bytes);
      if (existsSync(`${out}.run`)) rmSync(`${out}.run`);
      // What was written is what is judged, opened anew.
      const tuned = asked.merge ? await load(out) : await load(pack, { tuning: out });
      const after = await answers(tuned, data);
      report(input, {
        data,
        before,
        after,
        result,
        share: chosen.share,
        bytes: bytes.length,
        out,
        elapsedMs: performance.now() - began,
        calibration: Boolean(notes.calibration),
      });
    } finally {
      await crew.close();
    }
  },
};

interface Asked {
  files: string[];
  out: string;
  toolsPath?: string;
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
  const given = input.integer("examples", 1, 1e7);
  const minutes = numberOf(input, "minutes", 0.05, 1e5);
  if (given !== undefined && minutes !== undefined)
    throw new UsageError("finetune: expected --minutes or --examples, got both");
  const [seed, replay] = [input.integer("seed", 0, 2 ** 31 - 1) ?? 1, numberOf(input, "replay", 0, 0.95) ?? 0.35];
  const threads = input.integer("threads", 1, 32) ?? Math.min(availableParallelism(), usual.batch / 4);
  const made = input.integer("made", 20, 1e6) ?? 4000;
  const hash = createHash("sha256");
  for (const path of [...files, ...(toolsPath === undefined ? [] : [toolsPath])]) hash.update(readText(path));
  return {
    ...{ files, out, toolsPath, testPath, guardPath, made, seed, replay, threads },
    ...{ merge: input.flag("merge"), resume: input.flag("resume") },
    examples: given ?? Number.POSITIVE_INFINITY,
    budgetMs: given === undefined ? 60_000 * (minutes ?? 5) : Number.POSITIVE_INFINITY,
    facts: { data: hash.digest("hex"), seed, replay, made: toolsPath === undefined ? 0 : made },
  };
}

/** Validation examples that are answered at every look. */
const lookedAt = 96;

/** Trains, and shows how far it is. */
async function learn(
  crew: Crew,
  data: Gathered,
  batches: Batches,
  { examples, budgetMs, out, facts }: Asked,
  from: Parameters<typeof train>[1],
): Promise<Result> {
  const { learner, network } = crew;
  const { tokenizer } = learner.model;
  const candidate = await Candidate.open(learner.model, learner.pack, network.weights());
  const choosing = data.dev.slice(0, lookedAt).map((example, i) => judged(example, i, "dev"));
  const lessons = data.dev
    .slice(0, 32)
    .map((example) => lessonOf(example, tokenizer))
    .filter((one): one is Lesson => one !== null);
  let stops = 0;
  const stop = () => {
    stops++;
    // Who asks twice does not want to wait.
    if (stops > 1) process.exit(130);
    warn("finetune: stopping after this step; once more to leave at once");
  };
  process.on("SIGINT", stop);
  const bar = process.stderr.isTTY ? drawn() : null;
  try {
    return await train(
      {
        crew,
        schedule: { ...usual, examples, budgetMs },
        lessons: (step, size) => batches.batch(step, size),
        async look(shown) {
          candidate.take(network.weights());
          const answered = await candidate.answer(choosing);
          const { entropy, rows } = await learner.run(lessons, { weight: 1, rows: 1 }, false);
          const exact = answered.filter((one) => one.exact).length / answered.length;
          const error = Math.sqrt((exact * (1 - exact)) / answered.length);
          return { examples: shown, loss: entropy / rows, exact, error };
        },
        onProgress: (progress) => bar?.(progress),
        onLook: ({ examples: shown, loss, exact }, isBest) => {
          const mark = isBest ? "" : ", not better";
          process.stderr.write(
            `${bar ? "\r\x1b[K" : ""}${shown} examples: loss ${loss.toFixed(3)}, exact ${exact.toFixed(3)}${mark}\n`,
          );
        },
        onSave: (saved) => saveRun(`${out}.run`, facts, saved),
        stopped: () => stops > 0,
      },
      from,
    );
  } finally {
    process.off("SIGINT", stop);
    candidate.session.close();
  }
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

interface Answers {
  test: Answered[];
  guard: Answered[];
}

async function answers(
  session: Pick<Session, "call">,
  { test, guard }: Pick<Gathered, "test" | "guard">,
): Promise<Answers> {
  const all = (examples: readonly Example[]) => answerAll(examples, modelAnswerer(session, {}), 1, () => {});
  return { test: await all(test), guard: await all(guard) };
}

/** Goes back towards the model's own weights as far as general answers ask for it. */
async function kept(crew: Crew, { dev, choosing }: Gathered, learned: Float32Array) {
  const { learner } = crew;
  const base = readParameters(learner.pack.header.geometry, learner.pack.field);
  const candidate = await Candidate.open(learner.model, learner.pack, base);
  const own = dev.slice(0, lookedAt).map((example, i) => judged(example, i, "dev"));
  const generalF1 = async () => callF1(await candidate.answer(choosing));
  const before = await generalF1();
  const tried: Tried[] = [];
  for (const share of shares) {
    candidate.take(blended(base, learned, share));
    const exact = (await candidate.answer(own)).filter((one) => one.exact).length / own.length;
    tried.push({ share, own: exact, general: await generalF1() });
    // Further back own tools only lose.
    if (tried[tried.length - 1].general >= before - mostFall) break;
  }
  candidate.session.close();
  const chosen = chosenShare(tried, before);
  return { chosen, weights: blended(base, learned, chosen.share) };
}

/** A calibration fitted to what the tuned decoder does, where there is enough of it: else the base's own is kept. */
async function refitted(
  pack: Uint8Array,
  base: Parameters<typeof writeTuning>[0],
  best: Float32Array,
  { dev, guard }: Gathered,
): Promise<{ calibration?: Calibration }> {
  const tuned = await load(pack, { tuning: writeTuning(base, best, { provenance: {} }) });
  const examples = [...dev.map((example, i) => judged(example, i, "dev")), ...guard];
  const samples = await samplesOf(tuned, examples);
  const { lean } = tuned.calibration;
  const wrong = samples.filter(({ right }) => !right).length;
  return samples.length >= 60 && wrong >= 10
    ? { calibration: { ...fit(samples, 0.95, 0.7), ...(lean && { lean }) } }
    : {};
}

interface Reported {
  data: Gathered;
  before: Answers;
  after: Answers;
  result: Result;
  /** Of what was learned; the rest is the model's own. */
  share: number;
  bytes: number;
  out: string;
  elapsedMs: number;
  calibration: boolean;
}

function report(
  input: Input,
  { data, before, after, result, share, bytes, out, elapsedMs, calibration }: Reported,
): void {
  const own = compare("own tools", before.test, after.test);
  const general = compare("general", before.guard, after.guard);
  const { state, end } = result;
  const isBetter = (changeOf(own, "exact").value ?? 0) > 0;
  const fell = (changeOf(general, "callF1").high ?? 0) < 0;
  const perSecond = state.examples / Math.max(1e-3, state.spentMs / 1000);
  if (!isBetter || fell) process.exitCode = 3;
  if (input.flag("json")) {
    print(
      JSON.stringify({
        out,
        bytes,
        end,
        examples: state.examples,
        perSecond,
        elapsedMs,
        looks: state.looks,
        share,
        own,
        general,
        calibration,
      }),
    );
    return;
  }
  print(`${tableOf(own)}

${tableOf(general)}

${groupTable("tool", before.test.map(toolOf), before.test, after.test)}
${data.cells ? `\n${groupTable("what is new", data.cells, before.test, after.test)}\n` : ""}
${worst(after.test, 10)}

${state.examples} examples in ${(state.spentMs / 1000).toFixed(0)} s, ${perSecond.toFixed(1)} a second${end === "no better" ? "; ended early: no look was better" : ""}
${share < 1 ? `went back to ${share} of what was learned, to keep what was known\n` : ""}${calibration ? "when to act was fitted anew" : "when to act is the model's own: too few calls to fit it anew"}
${out} ${bytes} bytes${isBetter ? "" : "; not better on its own tools"}${fell ? "; worse on general requests" : ""}`);
}
