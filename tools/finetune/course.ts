/**
 * A whole run, the same in a terminal, in a page and beside a server: measures the model as it is, trains, goes back as far as
 * general answers ask for, fits when to act, writes the file, and measures what was written.
 */
import { load } from "../../runtime/index.ts";
import type { Calibration } from "../../runtime/pack/calibration.ts";
import type { Session } from "../../runtime/session.ts";
import { fit, samplesOf } from "../calibrate/fit.ts";
import type { Lexicon } from "../data/lexicon.ts";
import { synthesize } from "../data/synth.ts";
import { type Result as Answered, answerAll, modelAnswerer } from "../eval/answers.ts";
import type { Example } from "../eval/examples.ts";
import { importance } from "./anchor.ts";
import { alone, Batches, lessonOf, seeds } from "./batches.ts";
import { blended, chosenShare, type General, isKept, shares, type Tried } from "./blend.ts";
import { Candidate, judged } from "./candidate.ts";
import type { Crew } from "./crew.ts";
import { writeMerged, writeTuning } from "./files.ts";
import type { Gathered } from "./gather.ts";
import {
  callF1,
  changeOf,
  compare,
  type Group,
  grouped,
  type Judged,
  refusals,
  toolOf,
  type Wrong,
  worst,
} from "./judge.ts";
import type { Lesson } from "./learner.ts";
import { readParameters } from "./parameters.ts";
import type { Shown } from "./redress.ts";
import { taughtTools } from "./taught.ts";
import { type End, type Look, type Result, type Run, type Saved, type Schedule, train } from "./trainer.ts";

export const stages = ["base", "train", "choose", "fit", "score"] as const;
export type Stage = (typeof stages)[number];

export interface Course extends Pick<Run, "onProgress" | "onLook" | "onSave" | "stopped"> {
  crew: Crew;
  data: Gathered;
  schedule: Schedule;
  replay: number;
  seed: number;
  lexicon: Lexicon | null;
  /** What to go on from. */
  from?: Saved | null;
  /** Whether to write the whole pack in place of the tuning. */
  merge?: boolean;
  /** Called as each begins. */
  onStage?(stage: Stage): void;
  onWarning?(text: string): void;
  /** Called as answers are measured, 0 … 1 of a stage. */
  onAnswered?(share: number): void;
  /** Called with the end of the training; false ends the course there. */
  onTrained?(result: Result): boolean;
}

/** What a run did, as figures. */
export interface Report {
  own: Judged;
  general: Judged;
  /** Exact answers by tool, and by what is new in a request where that is known. */
  tools: Group[];
  cells: Group[] | null;
  wrong: Wrong[];
  end: End;
  /** Shown, and how long and how fast. */
  examples: number;
  spentMs: number;
  perSecond: number;
  looks: Look[];
  /** Of what was learned; the rest is the model's own. */
  share: number;
  /** When to act was fitted anew. */
  calibration: boolean;
  /** More exact answers on its own tools; fewer right calls on general ones than chance explains. */
  isBetter: boolean;
  hasFallen: boolean;
}

export interface Taught {
  bytes: Uint8Array;
  report: Report;
  /** The same weights as a whole pack. */
  merged(): Uint8Array;
}

/** Runs a course; null where `onTrained` ended it. Throws: as `train`; Error where no example can be shown. */
export async function teach(asked: Course): Promise<Taught | null> {
  const course = { ...asked, data: shownOf(asked) };
  const { crew, data, seed } = course;
  const { learner } = crew;
  course.onStage?.("base");
  const before = await answers(learner.model, data, course);
  course.onStage?.("train");
  const result = await learn(course);
  if (course.onTrained?.(result) === false) return null;
  if (course.merge) course.onStage?.("choose");
  const { weights, share } = course.merge ? await kept(course, result.best) : { weights: result.best, share: 1 };
  const provenance = {
    tuned: `decoder, ${result.state.examples} examples of ${data.train.length}, share ${share}, seed ${seed}`,
  };
  course.onStage?.("fit");
  const taught = course.merge ? undefined : taughtTools(data.train).map(({ name }) => name);
  const fitted = await refitted(weights, course, taught);
  const notes = { provenance, calibration: fitted ?? usualCalibration(course) };
  const merged = () => writeMerged(learner.pack, weights, notes);
  const bytes = course.merge ? merged() : writeTuning(learner.pack, weights, { ...notes, ...(taught && { taught }) });
  course.onStage?.("score");
  // What was written is what is judged; a tuning over the encoder that has read the tools.
  const whole = course.merge ? await load(bytes) : null;
  const session = whole ?? learner.model.session({ tuning: await learner.model.tune(bytes) });
  const after = await answers(session, data, course);
  session.close();
  return { bytes, merged, report: reportOf(course, before, after, result, share, fitted !== undefined) };
}

/** Without the examples that are too long to be shown, even beside no other tools: their tools are not taught. */
function shownOf({ crew, data, onWarning }: Course): Gathered {
  const { tokenizer } = crew.learner.model;
  const isShort = (example: Shown) => lessonOf(alone(example), tokenizer) !== null;
  const train = data.train.filter(isShort);
  const long = data.train.length - train.length;
  if (!long) return data;
  const taught = new Set(taughtTools(train).map(({ name }) => name));
  const lost = taughtTools(data.train).flatMap(({ name }) => (taught.has(name) ? [] : [name]));
  const told = `${long} of ${data.train.length} examples are longer than what is learned${lost.length ? `, all of ${lost.join(", ")}` : ""}; say less in descriptions and enums, or in the requests`;
  if (!taught.size) throw new Error(`finetune: ${told}`);
  onWarning?.(told);
  const made = data.train.slice(data.train.length - data.made).filter(isShort).length;
  return { ...data, train, made, dev: data.dev.filter(isShort) };
}

/** General examples that tell which weights matter to them: 96 tell much the same as 256. */
const anchored = 128;
/** Validation examples that are answered at every look. */
const lookedAt = 96;

async function learn(course: Course): Promise<Result> {
  const { crew, data, schedule, onProgress, onLook, onSave, stopped } = course;
  const { learner, network } = crew;
  const { tokenizer } = learner.model;
  if (schedule.draw) {
    const general = Array.from({ length: anchored }, (_, i) => synthesize(seeds.anchor, i, course.lexicon));
    const known = general.flatMap((example) => lessonOf(example, tokenizer) ?? []);
    crew.hold(readParameters(learner.pack.header.geometry, learner.pack.field), await importance(learner, known));
  }
  if (course.from) crew.restore(course.from.weights);
  const batches = new Batches(data.train, tokenizer, { ...course, ...data, redress: 0.4 });
  const candidate = await Candidate.open(learner.model, learner.pack, network.weights(), usualCalibration(course));
  const choosing = data.dev.slice(0, lookedAt).map((example, i) => judged(example, i, "dev"));
  const lessons = data.dev
    .slice(0, 32)
    .map((one) => lessonOf(one, tokenizer) ?? (one.answers.length ? lessonOf(alone(one), tokenizer) : null))
    .filter((one): one is Lesson => one !== null);
  const look = async (shown: number): Promise<Look> => {
    candidate.take(network.weights());
    const answered = await candidate.answer(choosing);
    const { entropy, rows } = await learner.run(lessons, { weight: 1, rows: 1 }, false);
    const exact = answered.filter((one) => one.exact).length / answered.length;
    const error = Math.sqrt((exact * (1 - exact)) / answered.length);
    return { examples: shown, loss: entropy / rows, exact, error };
  };
  const next = (step: number, size: number) => batches.batch(step, size);
  try {
    return await train({ crew, schedule, lessons: next, look, onProgress, onLook, onSave, stopped }, course.from);
  } finally {
    candidate.session.close();
  }
}

interface Answers {
  test: Answered[];
  guard: Answered[];
}

async function answers(
  session: Pick<Session, "call">,
  { test, guard }: Pick<Gathered, "test" | "guard">,
  { onAnswered }: Course,
): Promise<Answers> {
  const of = test.length + guard.length;
  const all = (examples: readonly Example[], from: number) =>
    answerAll(examples, modelAnswerer(session, {}), 1, (done) => onAnswered?.((from + done) / of));
  return { test: await all(test, 0), guard: await all(guard, test.length) };
}

/** Goes back towards the model's own weights as far as general answers ask for it. */
async function kept({ crew, data: { dev, choosing }, onAnswered }: Course, learned: Float32Array) {
  const { learner } = crew;
  const base = readParameters(learner.pack.header.geometry, learner.pack.field);
  const candidate = await Candidate.open(learner.model, learner.pack, base);
  const own = dev.slice(0, lookedAt).map((example, i) => judged(example, i, "dev"));
  const general = async (): Promise<General> => {
    const answered = await candidate.answer(choosing);
    return { calls: callF1(answered), refusals: refusals(answered) };
  };
  const before = await general();
  const tried: Tried[] = [];
  for (const [i, share] of shares.entries()) {
    onAnswered?.(i / shares.length);
    candidate.take(blended(base, learned, share));
    const exact = (await candidate.answer(own)).filter((one) => one.exact).length / own.length;
    const now = await general();
    tried.push({ share, own: exact, ...now });
    // Further back own tools only lose.
    if (isKept(now, before)) break;
  }
  candidate.session.close();
  const chosen = chosenShare(tried, before);
  return { share: chosen.share, weights: blended(base, learned, chosen.share) };
}

/** The model's, without what its names lean on: a tuned decoder knows better which of its tools is meant. */
function usualCalibration({ crew, merge }: Course): Calibration {
  const { calibration } = crew.learner.model;
  const { lean } = calibration;
  return merge || !lean ? calibration : { ...calibration, lean: { tool: 0, none: 0, number: lean.number ?? 0 } };
}

/** A calibration fitted to what the tuned decoder does; undefined where there are too few calls to fit the base's anew. */
async function refitted(
  weights: Float32Array,
  course: Course,
  taught: string[] | undefined,
): Promise<Calibration | undefined> {
  const { crew, data, onAnswered } = course;
  const { model, pack } = crew.learner;
  onAnswered?.(0);
  const calibration = usualCalibration(course);
  const notes = { provenance: {}, calibration, ...(taught && { taught }) };
  const session = model.session({ tuning: await model.tune(writeTuning(pack, weights, notes)) });
  // What the model's own decoder answers is judged by the model's calibration.
  const tuned: Pick<Session, "call"> = {
    async call(...asked: Parameters<Session["call"]>) {
      const answer = await session.call(...asked);
      return answer.tuned ? answer : { ...answer, calls: [] };
    },
  };
  const samples = await samplesOf(tuned, [...data.dev.map((example, i) => judged(example, i, "dev")), ...data.guard]);
  session.close();
  const { lean } = calibration;
  const wrong = samples.filter(({ right }) => !right).length;
  return samples.length >= 60 && wrong >= 10 ? { ...fit(samples), ...(lean && { lean }) } : undefined;
}

function reportOf(
  { data, merge }: Course,
  before: Answers,
  after: Answers,
  { state, end }: Result,
  share: number,
  calibration: boolean,
): Report {
  const own = compare("own tools", before.test, after.test);
  const general = compare(merge ? "general" : "general, among these", before.guard, after.guard);
  const { examples, spentMs, looks } = state;
  return {
    own,
    general,
    tools: grouped(before.test.map(toolOf), before.test, after.test),
    cells: data.cells && grouped(data.cells, before.test, after.test),
    wrong: worst(after.test, 10),
    end,
    examples,
    spentMs,
    perSecond: examples / Math.max(1e-3, spentMs / 1000),
    looks,
    share,
    calibration,
    isBetter: (changeOf(own, "exact").value ?? 0) > 0,
    hasFallen: (changeOf(general, "callF1").high ?? 0) < 0,
  };
}
