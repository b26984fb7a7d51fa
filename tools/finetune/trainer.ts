/** The loop: batches, the rate's schedule, looks at the validation part, the best state kept, early stop. */
import type { Crew } from "./crew.ts";
import type { Lesson } from "./learner.ts";
import type { Network } from "./network.ts";

export interface Schedule {
  /** The peak of the rate, reached after `warm` steps; it then falls in a line to `last` of it. */
  rate: number;
  warm: number;
  last: number;
  batch: number;
  /** Of the way that a weight went, drawn back with a step at the peak of the rate, where general answers hang on it (anchor.ts). */
  draw: number;
  /** The end, whichever comes first: examples shown, milliseconds of training. */
  examples: number;
  budgetMs: number;
  /** Examples between looks. */
  every: number;
  /** Looks in a row without a better one that end the run. */
  patience: number;
}

/** As measured by test runs on three invented tools (tools/finetune/README.md). */
export const usual: Schedule = {
  rate: 3e-3,
  warm: 10,
  last: 0.02,
  batch: 8,
  draw: 0,
  examples: Number.POSITIVE_INFINITY,
  budgetMs: Number.POSITIVE_INFINITY,
  every: 2048,
  patience: 4,
};

/** For a decoder that is to answer everything, not its own tools alone. */
export const cautious: Schedule = { ...usual, draw: 0.03 };

/** How good the weights are as they would be deployed. */
export interface Look {
  examples: number;
  /** Mean cross-entropy of the validation answers, and share of them that the packed decoder answers exactly. */
  loss: number;
  exact: number;
  /** Standard error of that share. */
  error: number;
}

/** Where a run stands: with the weights, all it takes to go on. */
export interface RunState {
  step: number;
  examples: number;
  spentMs: number;
  looks: Look[];
  /** The look that was best so far. */
  best: Look | null;
}

export interface Progress extends Pick<RunState, "step" | "examples" | "spentMs"> {
  /** Of late: mean cross-entropy, and share of the answers that were right throughout, fed the right prefix. */
  loss: number;
  exact: number;
  /** Share of the run that is done. */
  done: number;
}

export interface Run {
  crew: Crew;
  schedule: Schedule;
  lessons(step: number, size: number): readonly Lesson[];
  /** Judges the weights as they stand. */
  look(examples: number): Promise<Look>;
  /** Awaited: a run that others speak to gives them their turn here. `saved`: what the run can go on from, now. */
  onProgress?(progress: Progress, saved: () => Saved): void | Promise<void>;
  onLook?(look: Look, isBest: boolean): void;
  /** Gets what the run can go on from, after every look. */
  onSave?(saved: Saved): void;
  /** Asked before every step; true ends the run where it stands. */
  stopped?(): boolean;
}

/** Why a run ended. */
export type End = "done" | "stopped" | "no better";

export interface Result {
  state: RunState;
  /** The weights of the best look. */
  best: Float32Array;
  weights: ReturnType<Network["state"]>;
  end: End;
}

/** What a run goes on from. */
export type Saved = Pick<Result, "state" | "best" | "weights">;

const newRun: RunState = { step: 0, examples: 0, spentMs: 0, looks: [], best: null };

/**
 * Trains from the crew's weights, or goes on from a state. Throws: Error where the loss is no number, naming the step; weights
 * are then those before it.
 */
export async function train(run: Run, from: { state: RunState; best: Float32Array } | null = null): Promise<Result> {
  const { crew, schedule, lessons } = run;
  const state: RunState = structuredClone(from?.state ?? newRun);
  let best = from?.best ?? crew.network.weights();
  let recent: { loss: number; exact: number }[] = [];
  let sinceLook = state.examples - (state.looks.at(-1)?.examples ?? 0);
  let atMs = performance.now();
  const look = async () => {
    const found = await run.look(state.examples);
    if (!Number.isFinite(found.loss))
      throw new Error("finetune: expected a loss of the examples to choose by, got none; shorten them");
    state.looks.push(found);
    const isBest = isBetter(found, state.best);
    if (isBest) {
      state.best = found;
      best = crew.network.weights();
    }
    sinceLook = 0;
    run.onLook?.(found, isBest);
  };
  if (!state.looks.length) await look();
  atMs = performance.now();
  const share = () => Math.min(1, Math.max(state.examples / schedule.examples, state.spentMs / schedule.budgetMs));
  const saved = (): Saved => ({ state, best, weights: crew.network.state() });
  let end: End = "done";
  while (share() < 1) {
    if (run.stopped?.()) {
      end = "stopped";
      break;
    }
    const size = Math.min(schedule.batch, schedule.examples - state.examples);
    const rising = Math.min(1, (state.step + 1) / schedule.warm);
    const rate = schedule.rate * rising * (1 - (1 - schedule.last) * share());
    const draw = (schedule.draw * rate) / schedule.rate;
    const { entropy, rows, exact } = await crew.step(lessons(state.step, size), state.step + 1, rate, draw);
    state.step++;
    state.examples += size;
    sinceLook += size;
    state.spentMs += performance.now() - atMs;
    atMs = performance.now();
    recent = [...recent.slice(-19), { loss: entropy / rows, exact: exact / size }];
    const mean = (of: (one: (typeof recent)[0]) => number) =>
      recent.reduce((sum, one) => sum + of(one), 0) / recent.length;
    const { step, examples, spentMs } = state;
    const progress = { step, examples, spentMs, done: share(), loss: mean(({ loss }) => loss) };
    await run.onProgress?.({ ...progress, exact: mean((one) => one.exact) }, saved);
    if (sinceLook < schedule.every && share() < 1) continue;
    await look();
    run.onSave?.(saved());
    state.spentMs += performance.now() - atMs;
    atMs = performance.now();
    if (sinceBest(state) >= schedule.patience && share() < 1) {
      end = "no better";
      break;
    }
  }
  return { ...saved(), end };
}

/** More answers exactly right than chance explains, or no fewer than it explains and less loss. */
function isBetter(a: Look, b: Look | null): boolean {
  return !b || a.exact > b.exact + a.error || (a.exact >= b.exact - a.error && a.loss < b.loss);
}

/** Looks since anything was better: exact answers, or the loss. */
function sinceBest({ looks }: RunState): number {
  const least = looks.reduce((at, { loss }, i) => (loss < looks[at].loss ? i : at), 0);
  const most = looks.reduce((at, { exact }, i) => (exact > looks[at].exact ? i : at), 0);
  return looks.length - 1 - Math.max(least, most);
}
