/** A checkpoint and a vocabulary → a pack. */

import type { Calibration } from "../runtime/pack/calibration.ts";
import { checkGeometry, type Geometry, type WeightFormat, writePack } from "../runtime/pack/pack.ts";
import type { Matrix } from "../runtime/pack/quant.ts";
import { packEmbedding, packMatrix } from "../runtime/pack/quant.ts";
import type { Attention, Checkpoint } from "./checkpoint/checkpoint.ts";

export interface PackNotes {
  licence: string;
  provenance: Record<string, string>;
  /** float32 keeps the weights wide: such a pack runs on the reference kernels only, to measure what int4 costs. */
  format?: WeightFormat;
  /** How the model was trained to see tools; joint. */
  prompt?: "joint" | "apart";
  /** The model was trained to copy strings from the request. */
  copies?: boolean;
  calibration?: Calibration;
}

/** Where tools read apart stand in training. Source: spec/apart. */
const trainedToolAt = 128;

/**
 * Packs a checkpoint in the kernels' layout; weights that are int4 already keep their integers.
 * Throws: Error if the vocabulary does not match, FormatError for a geometry that the kernels cannot run.
 */
export function convert(checkpoint: Checkpoint, pieces: string[], notes: PackNotes): Uint8Array {
  const { config } = checkpoint;
  // Published checkpoints carry an untrained head of zeros: a vector of nothing would rank tools by chance.
  const contrastive = checkpoint.contrastive?.proj.data.some((w) => w !== 0) ? checkpoint.contrastive : undefined;
  const format = notes.format ?? "int4";
  const geometry: Geometry = {
    vocabSize: config.vocabSize,
    dModel: config.dModel,
    nHeads: config.nHeads,
    nKvHeads: config.nKvHeads,
    nEncoderLayers: config.nEncoderLayers,
    nDecoderLayers: config.nDecoderLayers,
    ropeTheta: config.ropeTheta,
    contrastiveHidden: contrastive?.hidden.out ?? 0,
    contrastiveDim: contrastive?.proj.out ?? 0,
  };
  checkGeometry(geometry, format);
  if (pieces.length !== geometry.vocabSize) {
    const remedy = "give the vocabulary that the checkpoint was trained with";
    throw new Error(`vocabulary: expected ${geometry.vocabSize} pieces, got ${pieces.length}; ${remedy}`);
  }
  const matrix = (m: Matrix) => {
    finite(m.data);
    return format === "float32" ? floats(m.data) : packMatrix(m);
  };
  const field = (section: string, name: string): Uint8Array => {
    const [kind, index] = section.split(".");
    if (kind === "embedding") {
      const { data } = checkpoint.embedding;
      finite(data);
      return format === "float32" ? floats(data) : packEmbedding(data, geometry.vocabSize, geometry.dModel);
    }
    if (kind === "norms") return floats(name === "encoderNorm" ? checkpoint.encoderNorm : checkpoint.decoderNorm);
    if (kind === "contrastive" && contrastive) {
      return name === "bias"
        ? floats(contrastive.bias)
        : matrix(name === "hidden" ? contrastive.hidden : contrastive.proj);
    }
    if (kind === "encoder") return blockField(checkpoint.encoder[Number(index)], name, matrix);
    const layer = checkpoint.decoder[Number(index)];
    if (kind === "cross") return blockField(layer.cross, name, matrix);
    const [half, inner] = name.split(".");
    return blockField(half === "self" ? layer.self : layer.cross, inner, matrix);
  };
  const { licence, provenance, prompt, copies, calibration } = notes;
  const apart = prompt === "apart" && ({ prompt, toolAt: trainedToolAt } as const);
  const extra = { ...apart, ...(copies && { copies }), ...(calibration && { calibration }) };
  return writePack({ geometry, format, pieces, licence, provenance, ...extra }, field);
}

function blockField(block: Attention, name: string, matrix: (m: Matrix) => Uint8Array): Uint8Array {
  switch (name) {
    case "wq":
      return matrix(block.q);
    case "wk":
      return matrix(block.k);
    case "wv":
      return matrix(block.v);
    case "wo":
      return matrix(block.o);
    case "gate":
      return floats(Float32Array.of(block.gate));
    default:
      return floats(block[name as "norm" | "qNorm" | "kNorm"]);
  }
}

function floats(data: Float32Array): Uint8Array {
  finite(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Throws: Error for NaN and infinities, of which each spoils a whole group's scale, or every state. */
function finite(data: Float32Array): void {
  const at = data.findIndex((w) => !Number.isFinite(w));
  if (at >= 0) throw new Error(`checkpoint: expected finite weights, got ${data[at]}; the training run diverged`);
}
