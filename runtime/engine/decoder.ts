import { pad } from "../../wasm/abi.ts";
import { embed, multiplyTable } from "./embedding.ts";
import type { Host } from "./host.ts";
import { stepRows } from "./sessionplan.ts";

/**
 * Runs ids at positions pos … through the decoder, each seeing those before it, and leaves their K and V in the caches.
 * Returns a pointer to the hidden state (dModel) of the last, before the final norm. `keys` is the number of prompt tokens, or where tools are read apart
 * of the request's.
 */
export async function decode(host: Host, ids: readonly number[], pos: number, keys: number): Promise<number> {
  const { kernels, layout, session, walk } = host;
  const { record, step, selfCaches, crossCaches, crossRuns } = session;
  let last = 0;
  for (let start = 0; start < ids.length; start += stepRows) {
    const part = ids.slice(start, start + stepRows);
    const n = part.length;
    await embed(host, part, step);
    await walk(layout.layers.decoder, (_, i) => {
      const { self, cross } = layout.decoder[i];
      // Nothing reads what the last layer makes of earlier ids.
      const from = i + 1 < layout.decoder.length ? 0 : n - 1;
      const [own, runs] = [crossCaches[i], crossRuns[i] ?? 0];
      kernels.decoder_layer(record, self, selfCaches[i], cross, own, step, pos + start, n, keys, from, runs);
    });
    last = step + (n - 1) * session.dModel * 4;
  }
  return last;
}

/** Leaves the logits of a hidden state, as `multiplyTable` does. */
export function logits(host: Host, hidden: number, mask: Uint32Array | null, vocabSize: number): Promise<void> {
  const { kernels, layout, session } = host;
  kernels.final_norm(session.record, layout.decoderNorm, hidden, 1);
  return multiplyTable(host, hidden, mask, vocabSize);
}

/** The greatest of the logits that `logits` just left, how sure that is, and what came second. */
export interface Choice {
  id: number;
  /** Natural logarithm of its share among the allowed tokens. */
  logProb: number;
  /** Its logit less the second's, Infinity if no other token was allowed. */
  margin: number;
  second: number;
}

export function pick({ kernels, memory, session }: Host, vocabSize: number): Choice {
  const id = kernels.argmax(session.logits, pad(vocabSize, 4), session.choice);
  const view = new DataView(memory.buffer, session.choice, 16);
  const margin = view.getFloat32(0, true) - view.getFloat32(4, true);
  return { id, logProb: -Math.log(view.getFloat32(12, true)), margin, second: view.getUint32(8, true) };
}
