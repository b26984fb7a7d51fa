import { confidenceOf } from "../runtime/answer/decision.ts";
import { defaultModel, load, type Thimble } from "../runtime/index.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { type Calibration, genericCalibration, type Leaning } from "../runtime/pack/calibration.ts";
import { fit, mayAct, type Sample, samplesOf, usual } from "./calibrate/fit.ts";
import { type Command, checkOutput, print, table, UsageError, warn, writeBytes } from "./command.ts";
import { readExamples } from "./eval/examples.ts";

export const calibrate: Command = {
  help: `thimble calibrate DATA… [-o FILE] [--model PACK] [--limit N] [--act P] [--confirm P] [--svg FILE]

Runs the requests of JSONL files ({query, tools, answers}), fits how likely a call is right to its margins,
log-probabilities and grounding, and finds the least confidence above which a share P of calls is right.
All of the data fits what is written; what is reported is each half by a fit of the other.

  -o, --out FILE     the calibration to write, for load(…, { calibration })
  --model PACK       a pack's path (the model inside the package)
  --limit N          examples a file, spread evenly
  --act P            share of right calls among those acted on (${usual.act})
  --confirm P        least chance of being right to offer a call for a yes; below it, ask (${usual.confirm})
  --lean TOOL,NONE,WORD,NUMBER   what counts beside the decoder, in logits: in the choice of a tool the contrastive head's
                     score of 1, calling none and a score of 1 by words; against a number that nobody said (half
                     of it against an enum's value)
                     (what the pack's calibration says; 0,0,0,0 for nothing)
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
    const [act, confirm] = [share("act", usual.act), share("confirm", usual.confirm)];
    const [out, svg] = [input.text("out"), input.text("svg")];
    if (out && out === svg) throw new UsageError(`--svg: expected another file than -o, got ${svg}; name another`);
    for (const path of [out, svg]) if (path) checkOutput(path, [...input.words, input.text("model")]);
    const examples = input.words.flatMap((path) => readExamples(path, input.integer("limit", 2, 1e6)));
    const thimble = await open(input.text("model"), readLean(input.text("lean")));
    const samples = await samplesOf(thimble, examples);
    const { lean } = thimble.calibration;
    const calibration = { ...fit(samples, { act, confirm }), ...(lean && { lean }) };
    if (calibration.act === 1) {
      const never = calibration.confirm === 1 ? "never acts, and asks about all" : "never acts";
      const few = `${samples.length} calls promise no share of ${act}: the calibration ${never}`;
      warn(`calibrate: ${few}; give more data, at best ${fewCalls} calls`);
    } else if (samples.length < fewCalls)
      warn(
        `calibrate: ${samples.length} calls tell little of a share of ${act}; give more data, at best ${fewCalls} calls`,
      );
    if (out) writeBytes(out, `${JSON.stringify(calibration, null, 2)}\n`);

    const judged = [0, 1].flatMap((parity) => {
      const half = (side: number) => samples.filter(({ example }) => example % 2 === side);
      return half(parity).map(judgedBy(fit(half(1 - parity), { act, confirm })));
    });
    const bins = reliability(judged);
    if (svg) writeBytes(svg, plot(bins));
    const shown = bins
      .filter(({ calls }) => calls)
      .map(({ from, calls, said, right }) => [
        `${from.toFixed(1)}–${(from + 0.1).toFixed(1)}`,
        calls,
        percent(said),
        percent(right),
      ]);
    print(`${samples.length} calls, each half judged by a fit of the other

${table([["confidence", "calls", "said", "right"], ...shown])}

${table([["decision", "from", "calls", "right"], ...coverage(judged, calibration)])}`);
  },
};

/** "8,3.6,1,8" → weights, null for none at all; undefined where nothing is said. Throws: UsageError. */
function readLean(text: string | undefined): Leaning | null | undefined {
  if (text === undefined) return undefined;
  const [tool, none, word = 0, number = 0, ...more] = text.split(",").map(Number);
  const all = [tool, none, word, number];
  if (!all.every((weight) => weight >= 0 && weight < Infinity) || more.length)
    throw new UsageError(`--lean: expected two to four numbers from 0 such as 8,3.6,1,8, got ${text}`);
  return all.some((weight) => weight) ? { tool, none, word, number } : null;
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

/** Below so many a share of a hundredth is a call or two. */
const fewCalls = 200;

/** A call as a calibration that has not seen it judges it. */
interface Judged {
  confidence: number;
  act: boolean;
  confirm: boolean;
  right: boolean;
}

const judgedBy =
  (calibration: Calibration) =>
  (sample: Sample): Judged => {
    const confidence = confidenceOf(sample.values, calibration);
    return {
      confidence,
      act: confidence >= calibration.act && mayAct(sample),
      confirm: confidence >= calibration.confirm,
      right: sample.right,
    };
  };

interface Bin {
  from: number;
  calls: number;
  /** Mean confidence, and share that was right. */
  said: number;
  right: number;
}

function reliability(judged: readonly Judged[]): Bin[] {
  return Array.from({ length: 10 }, (_, i) => {
    const within = judged.filter(({ confidence }) => Math.min(9, Math.floor(confidence * 10)) === i);
    const mean = (of: (one: Judged) => number) => within.reduce((sum, one) => sum + of(one), 0) / (within.length || 1);
    return {
      from: i / 10,
      calls: within.length,
      said: mean(({ confidence }) => confidence),
      right: mean(({ right }) => Number(right)),
    };
  });
}

function coverage(judged: readonly Judged[], calibration: Calibration): (string | number)[][] {
  return (["act", "confirm"] as const).map((name) => {
    const above = judged.filter((one) => one[name]);
    const right = above.filter((one) => one.right).length / above.length;
    return [
      name === "act" ? "act" : "act or confirm",
      calibration[name] < 1 ? calibration[name] : "never",
      `${percent(above.length / (judged.length || 1))}`,
      above.length ? percent(right) : "–",
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
