/** Where a tuning lies in linear memory: records and weights of another decoder over the same encoder and embedding. */
import { blockRecord, pad } from "../../wasm/abi.ts";
import { layoutsOf, type PackHeader } from "../pack/pack.ts";
import { count, Planner } from "./memory.ts";
import type { ModelPlan } from "./modelplan.ts";

export interface TuningPlan {
  /** The model as its decoder's stages are to see it. */
  layout: ModelPlan;
  /** Where the sections of the tuning's file lie, as they follow each other there. */
  bodyAt: number;
  bodyBytes: number;
  endBytes: number;
  words: [offsetBytes: number, value: number][];
}

/** Plans a tuning of a model from `startBytes` on. */
export function planTuning(
  layout: ModelPlan,
  { geometry, format }: Pick<PackHeader, "geometry" | "format">,
  startBytes = 0,
): TuningPlan {
  const planner = new Planner(startBytes);
  const block = (name: string) => planner.record(`record tuning ${name}`, blockRecord, {});
  // Keys and values of the cross-attention are the model's own: nothing reads these pointers of a tuning's records.
  const decoder = count(geometry.nDecoderLayers, (i) => ({ self: block(`${i}.self`), cross: block(`${i}.cross`) }));
  const layouts = layoutsOf({ geometry, format, tunes: 0 });
  const bodyBytes = layouts.reduce((sum, { bytes }) => sum + bytes, 0);
  const bodyAt = planner.region("weights tuning", bodyBytes);
  let at = bodyAt;
  let { decoderNorm } = layout;
  for (const { name, bytes, fields } of layouts) {
    for (const { name: field, offsetBytes } of fields) {
      if (field === "decoderNorm") decoderNorm = at + offsetBytes;
      const [kind, inner] = field.split(".");
      const record = decoder[Number(name.split(".")[1])]?.[kind as "self" | "cross"];
      if (record) planner.set(record, blockRecord, { [inner]: at + offsetBytes });
    }
    at += bytes;
  }
  // Stages walk over units that arrive or pass through; the tuning is there, as the norms are.
  const layers = { ...layout.layers, decoder: layout.layers.decoder.map(() => "norms") };
  return {
    layout: { ...layout, decoder, decoderNorm, layers },
    bodyAt,
    bodyBytes,
    endBytes: pad(planner.endBytes, 64),
    words: planner.words,
  };
}
