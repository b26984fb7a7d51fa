/** What a model's certainty is worth: logistic regression over calls that were right or wrong. */
import { confidenceOf, featuresOf } from "../../runtime/answer/decision.ts";
import { CapacityError } from "../../runtime/errors.ts";
import { type Calibration, type Feature, features, signedWeight } from "../../runtime/pack/calibration.ts";
import type { Session } from "../../runtime/session.ts";
import type { Example } from "../eval/examples.ts";
import { identity } from "../eval/metrics.ts";

/** One call of the model: what it was read from, and whether the data has the same call. */
export interface Sample {
  /** The number of the example that it was made of. */
  example: number;
  values: Record<Feature, number>;
  right: boolean;
}

/** The share of calls that are right among those acted on, and the least chance of one that is offered for confirmation. */
export const usual = { act: 0.95, confirm: 0.5 };

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
    const wanted = new Set(accept.flat().map(identity));
    for (const call of answer?.calls ?? []) {
      const { arguments: args, certainty, sources } = call;
      const values = featuresOf(certainty, sources, Object.keys(args).length, (answer?.calls.length ?? 1) - 1);
      samples.push({ example, values, right: wanted.has(identity(call)) });
    }
  }
  return samples;
}

/**
 * Logistic regression with a small penalty, each weight kept to its sign, then the least confidence to act: above which the share
 * `act` of calls is right, of those that may be acted on, whose values all come from somewhere. `confirm`: the least
 * to offer a call for confirmation. With too few calls for a threshold, it is 1: never act, never offer.
 */
export function fit(samples: readonly Judgeable[], { act, confirm } = usual): Calibration {
  const weights = regression(samples);
  const calibration: Calibration = { version: 3, weights, act: 1, confirm: 1 };
  const fewest = 20;
  const among = samples
    .filter(mayAct)
    .map((one) => ({ ...one, confidence: confidenceOf(one.values, calibration) }))
    .sort((a, b) => b.confidence - a.confidence);
  let right = 0;
  for (const [i, one] of among.entries()) {
    right += Number(one.right);
    // A threshold stands between two confidences, as they are written: calls that are as sure are all above it or below.
    const isLast = rounded(among[i + 1]?.confidence ?? -1) < rounded(one.confidence);
    if (isLast && i + 1 >= fewest && right / (i + 1) >= act) calibration.act = rounded(one.confidence);
  }
  if (samples.length >= fewest) calibration.confirm = Math.min(calibration.act, confirm);
  return calibration;
}

/** A step that no longer changes what is written, and how many turns at most: few calls whose features go together need hundreds. */
const [leastStep, mostTurns] = [1e-6, 20_000];

/**
 * One weight after the other by Newton's steps, halved where the likelihood would fall. Features go together: steps of all
 * along the gradient were far from the best after 3,000 turns.
 */
function regression(samples: readonly Judgeable[]): Record<Feature, number> {
  const weights = Object.fromEntries(features.map((name) => [name, 0])) as Record<Feature, number>;
  const penalty = 0.0001 * Math.max(1, samples.length);
  const sums = new Float64Array(samples.length);
  const columns = features.map((name) => Float64Array.from(samples, (sample) => sample.values[name]));
  /** Of one weight, the others as they are. */
  const likelihood = (weight: number, step: number, values: Float64Array) =>
    samples.reduce(
      (total, { right }, i) => {
        const sum = sums[i] + step * values[i];
        return total - Math.log1p(Math.exp(right ? -sum : sum));
      },
      (-penalty * weight ** 2) / 2,
    );
  for (let turn = 0, largest = 1; turn < mostTurns && largest > leastStep; turn++) {
    largest = 0;
    for (const [place, name] of features.entries()) {
      const values = columns[place];
      let [gradient, curvature] = [-penalty * weights[name], penalty];
      for (const [i, { right }] of samples.entries()) {
        const share = 1 / (1 + Math.exp(-sums[i]));
        gradient += (Number(right) - share) * values[i];
        curvature += share * (1 - share) * values[i] ** 2;
      }
      const before = likelihood(weights[name], 0, values);
      let next = signedWeight(name, weights[name] + gradient / curvature);
      while (likelihood(next, next - weights[name], values) < before - 1e-9) next = (next + weights[name]) / 2;
      const step = next - weights[name];
      weights[name] = next;
      for (let i = 0; i < sums.length; i++) sums[i] += step * values[i];
      largest = Math.max(largest, Math.abs(step));
    }
  }
  for (const name of features) weights[name] = Number(weights[name].toFixed(4));
  return weights;
}

/** Down, so that a call of that confidence is above it. */
const rounded = (confidence: number) => Math.floor(confidence * 1e4) / 1e4;

/** Whether a call may be acted on however sure it is: its values all come from somewhere. */
export const mayAct = ({ values }: Judgeable) => values.ungrounded === 0;
