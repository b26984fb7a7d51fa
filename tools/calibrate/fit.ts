/** What a model's certainty is worth: logistic regression over calls that were right or wrong. */
import { confidenceOf, featuresOf } from "../../runtime/answer/decision.ts";
import { CapacityError } from "../../runtime/errors.ts";
import { type Calibration, type Feature, features, signedWeight } from "../../runtime/pack/calibration.ts";
import type { Session } from "../../runtime/session.ts";
import type { Example } from "../eval/examples.ts";
import { normalValue } from "../eval/metrics.ts";

/** One call of the model: what it was read from, and whether the data has the same call. */
export interface Sample {
  /** The number of the example that it was made of. */
  example: number;
  values: Record<Feature, number>;
  right: boolean;
}

/** What a fit takes of a sample. */
type Judgeable = Pick<Sample, "values" | "right">;

/** The calls that the model makes of each example. A prompt that does not fit is left out. */
export async function samplesOf(session: Pick<Session, "call">, examples: readonly Example[]): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const [example, { request, tools, accept }] of examples.entries()) {
    const answer = await session.call(request, tools).catch((error) => {
      if (error instanceof CapacityError) return null;
      throw error;
    });
    const wanted = new Set(accept.flat().map((call) => identity(call.name, call.arguments)));
    for (const { name, arguments: args, certainty, sources } of answer?.calls ?? []) {
      const values = featuresOf(certainty, sources, (answer?.calls.length ?? 1) - 1);
      samples.push({ example, values, right: wanted.has(identity(name, args)) });
    }
  }
  return samples;
}

function identity(name: string, args: Record<string, unknown>): string {
  const sorted = Object.entries(args).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, sorted.map(([key, value]) => [key, normalValue(value)])]);
}

/**
 * Logistic regression by gradient ascent with a small penalty, each weight kept to its sign, then the least confidence
 * above which the wanted share of calls is right; to act, of those that may be acted on, whose values all come from somewhere.
 * With too few calls for a threshold, it is 1: never act.
 */
export function fit(samples: readonly Judgeable[], act: number, confirm: number): Calibration {
  const weights = Object.fromEntries(features.map((name) => [name, 0])) as Record<Feature, number>;
  const calibration: Calibration = { version: 1, weights, act: 1, confirm: 1 };
  // Features are of the order of 1 to 8: a step of 0.05 converges within this many turns (test/decision.test.ts).
  for (let turn = 0; turn < 3000; turn++) {
    const gradient = Object.fromEntries(features.map((name) => [name, 0])) as Record<Feature, number>;
    for (const { values, right } of samples) {
      const error = Number(right) - confidenceOf(values, calibration);
      for (const name of features) gradient[name] += (error * values[name]) / samples.length;
    }
    for (const name of features)
      weights[name] = signedWeight(name, weights[name] + 0.05 * (gradient[name] - 0.0001 * weights[name]));
  }
  for (const name of features) weights[name] = Number(weights[name].toFixed(4));
  const sorted = samples
    .map((one) => ({ ...one, confidence: confidenceOf(one.values, calibration) }))
    .sort((a, b) => b.confidence - a.confidence);
  const least = (share: number, among = sorted): number => {
    let [right, threshold] = [0, 1];
    for (const [i, one] of among.entries()) {
      right += Number(one.right);
      // A threshold stands between two confidences, as they are written: calls that are as sure are all above it or below.
      const isLast = rounded(among[i + 1]?.confidence ?? -1) < rounded(one.confidence);
      if (isLast && i >= 19 && right / (i + 1) >= share) threshold = rounded(one.confidence);
    }
    return threshold;
  };
  calibration.act = least(act, sorted.filter(mayAct));
  calibration.confirm = Math.min(calibration.act, least(confirm));
  return calibration;
}

/** Down, so that a call of that confidence is above it. */
const rounded = (confidence: number) => Math.floor(confidence * 1e4) / 1e4;

/** Whether a call may be acted on however sure it is: its values all come from somewhere. */
export const mayAct = ({ values }: Judgeable) => values.ungrounded === 0;
