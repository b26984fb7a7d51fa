/** What a call's certainty is worth with one model: fitted by `thimble calibrate`, kept in the pack. */

/** What `thimble calibrate` writes: a logistic model of "this call is right", and two thresholds on it. */
export interface Calibration {
  /** 3 since `valueDoubt`, which those of version 1 have not; those of version 2 had another in its place, and never act. */
  version: 1 | 3;
  weights: Record<Exclude<Feature, "valueDoubt">, number> & { valueDoubt?: number };
  /** Least confidence to act on, and to offer for confirmation; below that the model is guessing: ask. */
  act: number;
  confirm: number;
  /** What the contrastive head's scores of tools count in the choice of one; nothing where absent. */
  lean?: Leaning;
}

/** What counts beside the decoder in what a call says, in logits: fitted on examples. None below 0. */
export interface Leaning {
  /** For the choice of the first call, each unit of the contrastive head's score of a tool. */
  tool: number;
  /** The same, of calling none. */
  none: number;
  /** The same, each unit of the score of a tool's words (tools/words.ts); 0 if absent. */
  word?: number;
  /**
   * Against a number in a call that the request does not say (answer/figures.ts), and half of it against what an enum's
   * values that it says speak against (answer/enums.ts); 0 if absent.
   */
  number?: number;
}

const isLeaning = ({ tool, none, word = 0, number = 0 }: Leaning): boolean =>
  [tool, none, word, number].every((weight) => weight >= 0 && weight < Infinity);

export const features = [
  "bias",
  "nameMargin",
  "nameLogProb",
  "callMargin",
  "callLogProb",
  "valueDoubt",
  "ungrounded",
  "others",
] as const;
export type Feature = (typeof features)[number];

/**
 * Which way each may move the confidence: what stands nowhere, and what had a close second, never raises it. A fit keeps to
 * that; weights of calibrations from before it that do not count as zero, so that their packs still load.
 */
const signs: Record<Feature, -1 | 0 | 1> = {
  bias: 0,
  nameMargin: 1,
  nameLogProb: 1,
  callMargin: 1,
  callLogProb: 1,
  valueDoubt: -1,
  ungrounded: -1,
  others: -1,
};

/** A weight, or 0 for one of the wrong sign or none. */
export function signedWeight(name: Feature, weight = 0): number {
  return weight * signs[name] < 0 ? 0 : weight;
}

/** For packs that nobody calibrated: always confirm, since what their certainty is worth is not known. */
export const genericCalibration: Calibration = {
  version: 3,
  weights: {
    bias: 0,
    nameMargin: 0,
    nameLogProb: 0,
    callMargin: 0,
    callLogProb: 1,
    valueDoubt: 0,
    ungrounded: -1,
    others: 0,
  },
  act: 1,
  confirm: 0,
};

/** Throws: TypeError for what is no calibration. */
export function checkCalibration(value: unknown): Calibration {
  const calibration = withoutCallDoubt(value as Calibration);
  const whole =
    (calibration?.version === 1 || calibration?.version === 3) &&
    features.every((name) =>
      name === "valueDoubt" && calibration.version === 1
        ? calibration.weights?.valueDoubt === undefined
        : Number.isFinite(calibration.weights?.[name]),
    ) &&
    calibration.confirm >= 0 &&
    calibration.act >= calibration.confirm &&
    calibration.act <= 1 &&
    (calibration.lean === undefined || isLeaning(calibration.lean));
  if (typeof value === "string")
    throw new TypeError(
      "calibration: expected what `thimble calibrate` wrote, parsed, got text; give JSON.parse of the file",
    );
  if (!whole) throw new TypeError("calibration: expected what `thimble calibrate` writes; calibrate again");
  return calibration;
}

/** One of version 2 as one of 3 that acts on nothing: what it weighed, a whole call's doubt, is no longer told. */
function withoutCallDoubt(calibration: Calibration): Calibration {
  if ((calibration?.version as number) !== 2 || !calibration.weights) return calibration;
  const { callDoubt, ...weights } = calibration.weights as Calibration["weights"] & { callDoubt?: number };
  return { ...calibration, version: 3, weights: { ...weights, valueDoubt: callDoubt }, act: 1 };
}
