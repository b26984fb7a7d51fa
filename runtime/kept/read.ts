/** Reads tools through the encoder, each on its own: keys, values and vector depend on a tool's text and the weights alone. */
import { pad, tileRows } from "../../wasm/abi.ts";
import { embed } from "../engine/embedding.ts";
import type { Host } from "../engine/host.ts";
import { type Scratch, turnRope } from "../engine/sessionplan.ts";
import type { BlockPlan } from "./block.ts";

/** A tool on its way: its ids, `<tools>` before its text, and the block that takes its keys and values. */
export interface Reading {
  ids: readonly number[];
  block: BlockPlan;
}

/** Rows that tools take in x side by side: a tile that is not full would write to the rows behind it. */
export function rowsOf(readings: readonly Pick<Reading, "ids">[]): number {
  return readings.reduce((sum, { ids }) => sum + pad(ids.length, tileRows), 0);
}

/**
 * Fills the blocks of tools in one walk over the layers, rows of all side by side; returns each tool's contrastive vector,
 * f32 (contrastiveDim), or null for a model without the head. Source: spec, "Tools read apart".
 */
export async function readTools(
  host: Host<Scratch>,
  readings: readonly Reading[],
  toolAt: number,
  contrastiveDim: number,
): Promise<(Float32Array | null)[]> {
  const { kernels, memory, layout, session, walk } = host;
  const { record, x } = session;
  const rowBytes = 4 * session.dModel;
  let start = 0;
  const tools = readings.map(({ ids, block }) => {
    const tool = { ids, block, at: x + start * rowBytes, n: ids.length };
    start += pad(ids.length, tileRows);
    return tool;
  });
  const rows = tools.flatMap(({ ids }) => [...ids, ...Array(pad(ids.length, tileRows) - ids.length).fill(ids[0])]);
  await embed(host, rows, x);
  await walk(layout.layers.encoder, (_, i) => {
    turnRope(memory, session, 0, toolAt);
    for (const { block, at, n } of tools) {
      kernels.encoder_kv(record, layout.encoder[i], block.encoder[i], at, 0, n);
      kernels.encoder_attend(record, layout.encoder[i], block.encoder[i], at, 0, n, n, 0);
    }
  });
  await walk(["norms"], () => kernels.final_norm(record, layout.encoderNorm, x, rows.length));
  await walk(layout.layers.cross, (_, i) => {
    for (const { block, at, n } of tools) kernels.cross_kv(record, layout.decoder[i].cross, block.cross[i], at, 0, n);
  });
  if (!layout.contrastive) return tools.map(() => null);
  const vectors: Float32Array[] = [];
  await walk(["contrastive"], () => {
    for (const { at, n } of tools) {
      kernels.contrastive(record, layout.contrastive, at, n, session.contrastive);
      vectors.push(new Float32Array(memory.buffer, session.contrastive, contrastiveDim).slice());
    }
  });
  return vectors;
}
