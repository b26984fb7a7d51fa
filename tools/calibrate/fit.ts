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
 * Logistic regression with a small penalty, each weight kept to its sign, then the least confidence
 * above which the wanted share of calls is right; to act, of those that may be acted on, whose values all come from somewhere.
 * With too few calls for a threshold, it is 1: never act.
 */
export function fit(samples: readonly Judgeable[], act: number, confirm: number): Calibration {
  const weights = regression(samples);
  const calibration: Calibration = { version: 1, weights, act: 1, confirm: 1 };
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

/**
 * One weight after the other to where a parabola below the likelihood has its top: no step overshoots. A logistic curve
 * bends by a quarter at most, so that the parabola's curvature is Σ values² / 4. Features go together; steps of all along the
 * gradient were far from the best after 3,000 turns.
 */
function regression(samples: readonly Judgeable[]): Record<Feature, number> {
  const weights = Object.fromEntries(features.map((name) => [name, 0])) as Record<Feature, number>;
  const penalty = 0.0001 * Math.max(1, samples.length);
  const columns = features.map((name) => {
    const values = Float64Array.from(samples, (sample) => sample.values[name]);
    return { name, values, curvature: penalty + values.reduce((sum, value) => sum + value ** 2, 0) / 4 };
  });
  const sums = new Float64Array(samples.length);
  for (let turn = 0; turn < 1000; turn++) {
    for (const { name, values, curvature } of columns) {
      const gradient = samples.reduce(
        (sum, { right }, i) => sum + (Number(right) - 1 / (1 + Math.exp(-sums[i]))) * values[i],
        -penalty * weights[name],
      );
      const step = signedWeight(name, weights[name] + gradient / curvature) - weights[name];
      weights[name] += step;
      for (let i = 0; i < sums.length; i++) sums[i] += step * values[i];
    }
  }
  for (const name of features) weights[name] = Number(weights[name].toFixed(4));
  return weights;
}

/** Down, so that a call of that confidence is above it. */
const rounded = (confidence: number) => Math.floor(confidence * 1e4) / 1e4;

/** Whether a call may be acted on however sure it is: its values all come from somewhere. */
export const mayAct = ({ values }: Judgeable) => values.ungrounded === 0;
