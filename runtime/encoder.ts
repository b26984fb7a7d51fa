import type { Host } from "./memory.ts";

/** Waits for sections of the file by name; nothing to wait for once they have arrived. */
export type Arrival = (...sections: string[]) => Promise<void> | undefined;

/**
 * Prefill: ids (T) → encoder states x (T, dModel) → K and V of every decoder layer's cross-attention.
 * Layers run as their sections arrive.
 */
export async function prefill(host: Host, ids: readonly number[], arrived: Arrival): Promise<void> {
  await encode(host, ids, arrived);
  await crossKv(host, ids.length, arrived);
}

/** Cross-attention K and V of every decoder layer for the n states in `x`. */
export async function crossKv({ kernels, model, session }: Host, n: number, arrived: Arrival): Promise<void> {
  for (const [i, { cross }] of model.decoder.entries()) {
    await arrived(`cross.${i}`);
    kernels.cross_kv(session.record, cross, session.crossCaches[i], session.x, 0, n);
  }
}

/** The encoder alone: leaves the states after the final norm in `x`. */
export async function encode(host: Host, ids: readonly number[], arrived: Arrival): Promise<void> {
  const { kernels, memory, model, session } = host;
  await arrived("embedding");
  new Uint32Array(memory.buffer, session.ids, ids.length).set(ids);
  kernels.embed(session.record, model.table, session.ids, ids.length, session.x);
  for (const [i, block] of model.encoder.entries()) {
    await arrived(`encoder.${i}`);
    kernels.encoder_kv(session.record, block, session.encoderCache, session.x, 0, ids.length);
    kernels.encoder_attend(session.record, block, session.encoderCache, session.x, 0, ids.length, ids.length);
  }
  await arrived("norms");
  kernels.final_norm(session.record, model.encoderNorm, session.x, ids.length);
}

/** The contrastive vector of a text's ids: f32 (contrastiveDim), of length 1. */
export async function contrast(
  host: Host,
  ids: readonly number[],
  arrived: Arrival,
  dim: number,
): Promise<Float32Array> {
  await encode(host, ids, arrived);
  const { kernels, memory, model, session } = host;
  await arrived("contrastive");
  kernels.contrastive(session.record, model.contrastive, session.x, ids.length, session.embedding);
  return new Float32Array(memory.buffer, session.embedding, dim).slice();
}
