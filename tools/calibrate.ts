import { writeFileSync } from "node:fs";
import { confidenceOf, featuresOf } from "../runtime/answer/decision.ts";
import { CapacityError, defaultModel, load, type Session, type Thimble } from "../runtime/index.ts";
import { PackStream } from "../runtime/load/loader.ts";
import {
  type Calibration,
  type Feature,
  features,
  genericCalibration,
  type Leaning,
  signedWeight,
} from "../runtime/pack/calibration.ts";
import { type Command, print, table, UsageError, warn } from "./command.ts";
import { type Example, readExamples } from "./eval/examples.ts";
import { normalValue } from "./eval/metrics.ts";

/** One call of the model: what it was read from, and whether the data has the same call. */
export interface Sample {
  values: Record<Feature, number>;
  right: boolean;
}

export const calibrate: Command = {
  help: `thimble calibrate DATA… [-o FILE] [--model PACK] [--limit N] [--act P] [--confirm P] [--svg FILE]

Runs the requests of JSONL files ({query, tools, answers}), fits how likely a call is right to its margins,
log-probabilities and grounding, and finds the least confidence above which a share P of calls is right.
Half of the data fits, the other half is reported.

  -o, --out FILE     the calibration to write, for load(…, { calibration })
  --model PACK       a pack's path (the model inside the package)
  --limit N          examples a file, spread evenly
  --act P            share of right calls among those acted on (0.95)
  --confirm P        share of right calls among those confirmed or acted on (0.7)
  --lean TOOL,NONE   how much the contrastive head's scores count in the choice of a tool, in logits for a score of 1
                     and for calling none (what the pack's calibration says; 0,0 for nothing)
  --svg FILE         a reliability plot

  thimble calibrate dev.jsonl -o calibration.json --svg reliability.svg`,
  options: {
    out: { type: "string", short: "o" },
    model: { type: "string" },
    limit: { type: "string" },
    act: { type: "string" },
    confirm: { type: "string" },
    lean: { type: "string" },
    svg: { type: "string" },
  },
  async run(input) {
    if (!input.words.length) throw new UsageError("calibrate: expected data files, got none");
    const share = (name: string, fallback: number) => {
      const value = Number(input.text(name) ?? fallback);
      if (!(value > 0 && value < 1))
        throw new UsageError(`--${name}: expected a share between 0 and 1, got ${input.text(name)}`);
      return value;
    };
    const [act, confirm] = [share("act", 0.95), share("confirm", 0.7)];
    const examples = input.words.flatMap((path) => readExamples(path, input.integer("limit", 2, 1e6)));
    const thimble = await open(input.text("model"), readLean(input.text("lean")));
    const samples = await samplesOf(thimble, examples);
    const half = (parity: number) => samples.filter((_, i) => i % 2 === parity);
    const { lean } = thimble.calibration;
    const calibration = { ...fit(half(0), act, confirm), ...(lean && { lean }) };
    if (calibration.act === 1) {
      const few = `${samples.length} calls promise no share of ${act}: the calibration never acts; give more data`;
      warn(`calibrate: ${few}`);
    }
    const out = input.text("out");
    if (out) writeFileSync(out, `${JSON.stringify(calibration, null, 2)}\n`);

    const bins = reliability(half(1), calibration);
    const svg = input.text("svg");
    if (svg) writeFileSync(svg, plot(bins));
    const shown = bins
      .filter(({ calls }) => calls)
      .map(({ from, calls, said, right }) => [
        `${from.toFixed(1)}–${(from + 0.1).toFixed(1)}`,
        calls,
        percent(said),
        percent(right),
      ]);
    print(`${samples.length} calls, half to fit and half reported

${table([["confidence", "calls", "said", "right"], ...shown])}

${table([["decision", "from", "calls", "right"], ...coverage(half(1), calibration)])}`);
  },
};

/** "8,3.6" → weights, null for none at all; undefined where nothing is said. Throws: UsageError. */
function readLean(text: string | undefined): Leaning | null | undefined {
  if (text === undefined) return undefined;
  const [tool, none, ...more] = text.split(",").map(Number);
  if (!(tool >= 0 && none >= 0 && Number.isFinite(tool + none)) || more.length)
    throw new UsageError(`--lean: expected two numbers from 0 such as 8,3.6, got ${text}`);
  return tool || none ? { tool, none } : null;
}

/** Loads the model, its calibration with another leaning if one is given: the header alone is read before. */
async function open(model: string | undefined, lean: Leaning | null | undefined): Promise<Thimble> {
  const limits = { promptTokens: 1024, answerTokens: 256 };
  if (lean === undefined) return load(model, limits);
  const stream = await PackStream.open(model ?? defaultModel());
  await stream.close();
  const { lean: _, ...calibration } = stream.header.calibration ?? genericCalibration;
  return load(model, { ...limits, calibration: lean ? { ...calibration, lean } : calibration });
}

/** The calls that the model makes of each example. A prompt that does not fit is left out. */
export async function samplesOf(session: Pick<Session, "call">, examples: readonly Example[]): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const { request, tools, accept } of examples) {
    const answer = await session.call(request, tools).catch((error) => {
      if (error instanceof CapacityError) return null;
      throw error;
    });
    const wanted = new Set(accept.flat().map((call) => identity(call.name, call.arguments)));
    for (const { name, arguments: args, certainty, sources } of answer?.calls ?? []) {
      const values = featuresOf(certainty, sources, (answer?.calls.length ?? 1) - 1);
      samples.push({ values, right: wanted.has(identity(name, args)) });
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
export function fit(samples: readonly Sample[], act: number, confirm: number): Calibration {
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
      if (i >= 19 && right / (i + 1) >= share) threshold = one.confidence;
    }
    return Number(threshold.toFixed(4));
  };
  calibration.act = least(act, sorted.filter(mayAct));
  calibration.confirm = Math.min(calibration.act, least(confirm));
  return calibration;
}

const mayAct = ({ values }: Sample) => values.ungrounded === 0;

interface Bin {
  from: number;
  calls: number;
  /** Mean confidence, and share that was right. */
  said: number;
  right: number;
}

function reliability(samples: readonly Sample[], calibration: Calibration): Bin[] {
  return Array.from({ length: 10 }, (_, i) => {
    const within = samples
      .map((one) => ({ p: confidenceOf(one.values, calibration), right: one.right }))
      .filter(({ p }) => Math.min(9, Math.floor(p * 10)) === i);
    const mean = (of: (one: (typeof within)[number]) => number) =>
      within.reduce((sum, one) => sum + of(one), 0) / (within.length || 1);
    return { from: i / 10, calls: within.length, said: mean(({ p }) => p), right: mean(({ right }) => Number(right)) };
  });
}

function coverage(samples: readonly Sample[], calibration: Calibration): (string | number)[][] {
  return (["act", "confirm"] as const).map((name) => {
    const above = samples.filter(
      (one) => confidenceOf(one.values, calibration) >= calibration[name] && (name === "confirm" || mayAct(one)),
    );
    const right = above.filter((one) => one.right).length / (above.length || 1);
    return [
      name === "act" ? "act" : "act or confirm",
      calibration[name],
      `${percent(above.length / (samples.length || 1))}`,
      percent(right),
    ];
  });
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

/** Reliability: confidence across, share right upwards; a circle's area is its number of calls. */
function plot(bins: readonly Bin[]): string {
  const size = 320;
  const at = (x: number) => (20 + x * (size - 40)).toFixed(1);
  const up = (y: number) => (size - 20 - y * (size - 40)).toFixed(1);
  const most = Math.max(...bins.map(({ calls }) => calls), 1);
  const circles = bins
    .filter(({ calls }) => calls)
    .map(
      ({ said, right, calls }) =>
        `<circle cx="${at(said)}" cy="${up(right)}" r="${(3 + 12 * Math.sqrt(calls / most)).toFixed(1)}"><title>${calls} calls, said ${percent(said)}, right ${percent(right)}</title></circle>`,
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" font-family="sans-serif" font-size="11">
<rect width="${size}" height="${size}" fill="#fff"/>
<path d="M${at(0)} ${up(0)}V${up(1)}M${at(0)} ${up(0)}H${at(1)}M${at(0)} ${up(0)}L${at(1)} ${up(1)}" stroke="#999" fill="none"/>
<g fill="#2563eb" fill-opacity="0.6">${circles.join("")}</g>
<text x="${size / 2}" y="${size - 5}" text-anchor="middle">confidence said, 0 to 1</text>
<text transform="translate(12 ${size / 2}) rotate(-90)" text-anchor="middle">share right</text>
</svg>
`;
}
