/** From certainty to an honest answer: act on a call, confirm it, ask again, or none. Fitted by `thimble calibrate`. */

import type { Risk } from "../tools/tools.ts";
import type { ValueSource } from "./provenance.ts";
import type { Certainty } from "./toolcall.ts";

export type Decision = "act" | "confirm" | "ask" | "none";

/** What `thimble calibrate` writes: a logistic model of "this call is right", and two thresholds on it. */
export interface Profile {
  version: 1;
  weights: Record<Feature, number>;
  /** Least confidence to act on, and to offer for confirmation; below that, ask. */
  act: number;
  confirm: number;
}

export const features = [
  "bias",
  "nameMargin",
  "nameLogProb",
  "callMargin",
  "callLogProb",
  "ungrounded",
  "others",
] as const;
export type Feature = (typeof features)[number];

/** Margins above this many logits, and log-probabilities below minus this, say no more. */
const cap = 8;

/** What a call's confidence is read from; `others` is the number of further calls in the answer. */
export function featuresOf(
  certainty: Certainty,
  sources: Record<string, ValueSource>,
  others: number,
): Record<Feature, number> {
  return {
    bias: 1,
    nameMargin: Math.min(cap, certainty.name.margin),
    nameLogProb: Math.max(-cap, certainty.name.logProb),
    callMargin: Math.min(cap, certainty.call.margin),
    callLogProb: Math.max(-cap, certainty.call.logProb),
    ungrounded: Math.min(2, Object.values(sources).filter(({ grounded }) => !grounded).length),
    others: Math.min(2, others),
  };
}

/** Share of such calls that are right, by the profile: 0 … 1. */
export function confidenceOf(values: Record<Feature, number>, profile: Profile): number {
  const sum = features.reduce((total, name) => total + profile.weights[name] * values[name], 0);
  return 1 / (1 + Math.exp(-sum));
}

export function decide(confidence: number, risk: Risk, profile: Profile): Exclude<Decision, "none"> {
  const bar = risk === "safe" ? profile.act : (1 + profile.act) / 2;
  if (profile.act < 1 && confidence >= bar) return risk === "danger" ? "confirm" : "act";
  return confidence >= (risk === "danger" ? profile.act : profile.confirm) ? "confirm" : "ask";
}

/** The most careful of the calls' decisions; none without calls. */
export function together(decisions: readonly Exclude<Decision, "none">[]): Decision {
  return (["ask", "confirm", "act"] as const).find((decision) => decisions.includes(decision)) ?? "none";
}

/** For packs that nobody calibrated: always confirm, since what their certainty is worth is not known. */
export const genericProfile: Profile = {
  version: 1,
  weights: { bias: 0, nameMargin: 0, nameLogProb: 0, callMargin: 0, callLogProb: 1, ungrounded: -1, others: 0 },
  act: 1,
  confirm: 0,
};

/** Throws: TypeError for what is no profile. */
export function checkProfile(value: unknown): Profile {
  const profile = value as Profile;
  const whole =
    profile?.version === 1 &&
    features.every((name) => Number.isFinite(profile.weights?.[name])) &&
    profile.confirm >= 0 &&
    profile.act >= profile.confirm &&
    profile.act <= 1;
  if (!whole) throw new TypeError("profile: expected what `thimble calibrate` writes; calibrate again");
  return profile;
}
