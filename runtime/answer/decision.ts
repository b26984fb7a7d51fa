/** From certainty to an honest answer: act on a call, confirm it, ask again, or none. Fitted by `thimble calibrate`. */

import { type Calibration, type Feature, features, signedWeight } from "../pack/calibration.ts";
import type { Risk } from "../tools/tools.ts";
import type { ValueSource } from "./provenance.ts";

export type Decision = "act" | "confirm" | "ask" | "none";

/** Over decided tokens, those that the grammar left open: logProb ≤ 0 is their sum, margin their least top-2 gap in logits. */
export interface Sureness {
  logProb: number;
  margin: number;
}

export interface Certainty {
  /** From the choice to call at all up to the end of the tool's name. */
  name: Sureness;
  /** The whole call. */
  call: Sureness;
  /** The tool that the closest other token of the name led to; null for no call, or where nothing was left open. */
  runnerUp: string | null;
}

/** Margins above this many logits, and log-probabilities below minus this, say no more. */
const cap = 8;

/**
 * What a call's confidence is read from: `args` is the number of its arguments, `others` that of further calls in the answer.
 * `valueDoubt` is the logarithm of what -callLogProb is a choice, of the tool and of each argument, in thousandths, of less
 * than one 0: it tells .001, .01 and .1 from each other, which a line through all takes for the same.
 */
export function featuresOf(
  certainty: Certainty,
  sources: Record<string, ValueSource>,
  args: number,
  others: number,
): Record<Feature, number> {
  const surprise = Math.min(cap, -certainty.call.logProb);
  return {
    bias: 1,
    nameMargin: Math.min(cap, certainty.name.margin),
    nameLogProb: Math.max(-cap, certainty.name.logProb),
    callMargin: Math.min(cap, certainty.call.margin),
    callLogProb: Math.max(-cap, certainty.call.logProb),
    valueDoubt: Math.log(Math.max(1, (1000 * surprise) / (1 + args))),
    ungrounded: Math.min(2, Object.values(sources).filter(({ grounded }) => !grounded).length),
    others: Math.min(2, others),
  };
}

/** Share of such calls that are right, by the calibration: 0 … 1. */
export function confidenceOf(values: Record<Feature, number>, calibration: Calibration): number {
  const sum = features.reduce((total, name) => total + signedWeight(name, calibration.weights[name]) * values[name], 0);
  return 1 / (1 + Math.exp(-sum));
}

const forbidding = /^(?:[^ ]+ ){0,3}(?:don't|dont|never|do,? not),? (?!(?:forget|let|disturb|worry),? |disturb$)/i;

/**
 * Whether a request says within its first words what not to do: "hey, don't cancel my 9 am alarm". Not so "don't forget the milk",
 * "don't let me oversleep", "do not disturb until 7", "turn off do not disturb".
 */
export const forbids = (request: string): boolean => forbidding.test(request);

/**
 * `mayAct` false: a value came from nowhere, the call was cut short, or the request says what not to do; then never act, however
 * sure the model was.
 */
export function decide(
  confidence: number,
  risk: Risk,
  calibration: Calibration,
  mayAct = true,
): Exclude<Decision, "none"> {
  const bar = risk === "safe" ? calibration.act : (1 + calibration.act) / 2;
  if (mayAct && calibration.act < 1 && confidence >= bar) return risk === "danger" ? "confirm" : "act";
  return confidence >= (risk === "danger" ? calibration.act : calibration.confirm) ? "confirm" : "ask";
}

/** The most careful of the calls' decisions; without calls none, unless the first was cut short. */
export function mostCareful(decisions: readonly Exclude<Decision, "none">[], cutShort = false): Decision {
  const careful = (["ask", "confirm", "act"] as const).find((decision) => decisions.includes(decision));
  return careful ?? (cutShort ? "ask" : "none");
}
