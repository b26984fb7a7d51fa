/** Weights as training sees them in int4: rounded in groups of 32 with float32 scales, before a pack rounds the scales. */
import { type Matrix, packEmbedding, quantizeMatrix } from "../runtime/pack/quant.ts";
import type { Attention, Checkpoint } from "../tools/checkpoint/checkpoint.ts";
import { unpackEmbeddingRow } from "../wasm/reference.ts";

/** The same checkpoint with every projection quantised and restored. */
export function restored(checkpoint: Checkpoint): Checkpoint {
  const matrix = (m: Matrix): Matrix => {
    const { nibbles, scales } = quantizeMatrix(m.data, m.out, m.in);
    const groups = Math.ceil(m.in / 32);
    const data = m.data.map((_, i) => nibbles[i] * scales[Math.floor(i / m.in) * groups + Math.floor((i % m.in) / 32)]);
    return { out: m.out, in: m.in, data };
  };
  const block = (a: Attention): Attention => ({ ...a, q: matrix(a.q), k: matrix(a.k), v: matrix(a.v), o: matrix(a.o) });
  const { contrastive } = checkpoint;
  return {
    ...checkpoint,
    encoder: checkpoint.encoder.map(block),
    decoder: checkpoint.decoder.map(({ self, cross }) => ({ self: block(self), cross: block(cross) })),
    ...(contrastive && {
      contrastive: { ...contrastive, hidden: matrix(contrastive.hidden), proj: matrix(contrastive.proj) },
    }),
  };
}

/** The same table, its rows rounded to int8 and restored. */
export function restoredTable({ data, out, in: dModel }: Matrix): Matrix {
  const bytes = packEmbedding(data, out, dModel);
  const rows = Array.from({ length: out }, (_, id) => [...unpackEmbeddingRow(bytes, id, dModel)]);
  return { out, in: dModel, data: Float32Array.from(rows.flat()) };
}
