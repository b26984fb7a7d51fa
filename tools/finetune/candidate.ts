/** The weights of a moment in the place of a decoder: answers as the finished file would give them. */

import type { Tuning } from "../../runtime/load/tuning.ts";
import type { Calibration } from "../../runtime/pack/calibration.ts";
import type { Session } from "../../runtime/session.ts";
import type { Thimble } from "../../runtime/thimble.ts";
import { ToolSet } from "../../runtime/tools/tools.ts";
import { answerAll, modelAnswerer, type Result } from "../eval/answers.ts";
import type { Example } from "../eval/examples.ts";
import { type Pack, tunedBody, writeTuning } from "./files.ts";
import type { Shown } from "./redress.ts";

export class Candidate {
  private constructor(
    private readonly model: Thimble,
    private readonly pack: Pack,
    private readonly tuning: Tuning,
    readonly session: Session,
  ) {}

  /** Opens a session of the model whose decoder can be written over. */
  static async open(
    model: Thimble,
    pack: Pack,
    weights: Float32Array,
    calibration: Calibration = model.calibration,
  ): Promise<Candidate> {
    const tuning = await model.tune(writeTuning(pack, weights, { provenance: {}, calibration }));
    return new Candidate(model, pack, tuning, model.session({ tuning }));
  }

  /** Puts other weights in the decoder's place. */
  take(weights: Float32Array): void {
    new Uint8Array(this.model.inside.memory.buffer, this.tuning.bodyAt).set(tunedBody(this.pack, weights));
  }

  /** Answers examples under the grammar, and judges each. */
  answer(examples: readonly Example[]): Promise<Result[]> {
    return answerAll(examples, modelAnswerer(this.session, {}), 1, () => {});
  }
}

/** An example as `eval` judges it. */
export function judged({ query, tools, answers }: Shown, i: number, file: string): Example {
  const set = ToolSet.from(JSON.stringify(tools));
  return { key: `${file}:${i}`, file, line: i + 1, request: query, tools: set, want: answers, accept: [answers] };
}
