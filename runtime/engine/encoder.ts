import { embed } from "./embedding.ts";
import type { Host } from "./host.ts";

/**
 * Prefill: ids (T) → encoder states x (T, dModel) → K and V of every decoder layer's cross-attention.
 * Layers run as their weights arrive. Where tools are read apart, the ids see those that the session's runs point to.
 */
export async function prefill(host: Host, ids: readonly number[]): Promise<void> {
  await encode(host, ids, host.session.encoderRuns);
  await crossKv(host, ids.length);
}

/** Cross-attention K and V of every decoder layer for the n states in `x`. */
export async function crossKv({ kernels, layout, session, walk }: Host, n: number): Promise<void> {
  await walk(layout.layers.cross, (_, i) => {
    kernels.cross_kv(session.record, layout.decoder[i].cross, session.crossCaches[i], session.x, 0, n);
  });
}

/** The encoder alone: leaves the states after the final norm in `x`. `runs` by layer; none: the ids see themselves alone. */
export async function encode(host: Host, ids: readonly number[], runs: readonly number[] = []): Promise<void> {
  const { kernels, layout, session, walk } = host;
  const { record, encoderCache, x } = session;
  await embed(host, ids, x);
  await walk(layout.layers.encoder, (_, i) => {
    kernels.encoder_kv(record, layout.encoder[i], encoderCache, x, 0, ids.length);
    kernels.encoder_attend(record, layout.encoder[i], encoderCache, x, 0, ids.length, ids.length, runs[i] ?? 0);
  });
  await walk(["norms"], () => kernels.final_norm(record, layout.encoderNorm, x, ids.length));
}

/** The contrastive vector of a text's ids: f32 (contrastiveDim), of length 1. */
export async function contrast(host: Host, ids: readonly number[], dim: number): Promise<Float32Array> {
  await encode(host, ids);
  const { kernels, memory, layout, session, walk } = host;
  await walk(["contrastive"], () => {
    kernels.contrastive(session.record, layout.contrastive, session.x, ids.length, session.contrastive);
  });
  return new Float32Array(memory.buffer, session.contrastive, dim).slice();
}
