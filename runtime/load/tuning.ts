/** A tuning: a file with a decoder that learned some tools, for whoever has the model that it comes from. */
import type { ModelPlan } from "../engine/modelplan.ts";
import { FormatError } from "../errors.ts";
import type { Calibration } from "../pack/calibration.ts";
import { checkFile, modelId, type PackHeader, prefixBytes } from "../pack/pack.ts";
import { renewSection } from "../pack/renew.ts";
import { bytesOf, type Source } from "./source.ts";
import { Refused, type WaitOptions } from "./stream.ts";

/** A tuning in linear memory, for sessions of its model. */
export interface Tuning {
  /** The model as its decoder's stages see it. @internal */
  readonly layout: ModelPlan;
  /** Where its sections lie. @internal */
  readonly bodyAt: number;
  /** Tools that its decoder learned: it answers what calls one of them, the model's own decoder the rest. Absent: it answers everything. */
  readonly taught?: ReadonlySet<string>;
  /** When to act, confirm or ask with it; the model's own where it has none. */
  readonly calibration?: Calibration;
}

/** A tuning's file, every byte of it checked. */
export interface TuningFile {
  header: PackHeader;
  /** Its sections as they follow each other, in the layout of today. */
  body: Uint8Array;
  calibration?: Calibration;
}

/**
 * Reads a tuning of the model whose header is `base`.
 * Rejects: FormatError for a file that is damaged, a whole pack, or another model's; Error for one that cannot be read.
 */
export async function readTuning(source: Source, base: PackHeader, options: WaitOptions = {}): Promise<TuningFile> {
  const bytes = await bytesOf(source, options).catch((error) => {
    throw error instanceof Refused ? new Error(`tuning: ${error.message}`, { cause: error }) : error;
  });
  const header = checkFile(bytes);
  const wrong = (got: string, remedy: string) => {
    throw new FormatError("header.tunes", prefixBytes, `expected a tuning of this model, got ${got}; ${remedy}`);
  };
  if (header.tunes === undefined) wrong("a whole pack", "load that in the place of the model");
  if (header.tunes !== modelId(base))
    wrong("another model's", "load it beside the pack that it was made from, or tune anew");
  const sections = header.sections.map(({ name, offsetBytes, bytes: length }) =>
    renewSection(header, name, bytes.subarray(offsetBytes, offsetBytes + length)),
  );
  const body = new Uint8Array(sections.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const section of sections) {
    body.set(section, at);
    at += section.length;
  }
  const { calibration } = header;
  return { header, body, ...(calibration && { calibration }) };
}
