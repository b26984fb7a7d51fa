/**
 * Where one kept tool lies in linear memory: a block of its own, so that it can be read, used and forgotten alone.
 *
 *   records   of every encoder layer's cache, then of every decoder layer's cross-attention (`cacheRecord`)
 *   caches    in the same order, `rows` positions each in whole octets
 */

import type { Host } from "../engine/host.ts";
import { count, Planner } from "../engine/memory.ts";
import { planCache } from "../engine/sessionplan.ts";
import type { Geometry } from "../pack/pack.ts";

export interface BlockPlan {
  /** Places of the `cacheRecord`s, by layer. */
  encoder: number[];
  cross: number[];
  endBytes: number;
  words: [offsetBytes: number, value: number][];
}

/** Keys and values of tools are kept in 8 bits (form.ts). */
const mostInteger = 127;

/** Plans the block of a tool of so many rows from `startBytes` on. */
export function planBlock(geometry: Geometry, rows: number, startBytes = 0): BlockPlan {
  const planner = new Planner(startBytes);
  const caches = (kind: string, layers: number) =>
    count(layers, (i) => planCache(planner, geometry, `tool ${kind}.${i}`, rows, mostInteger));
  return {
    encoder: caches("encoder", geometry.nEncoderLayers),
    cross: caches("cross", geometry.nDecoderLayers),
    endBytes: planner.endBytes,
    words: planner.words,
  };
}

/** Bytes of a tool of so many rows. */
export function keptBlockBytes(geometry: Geometry, rows: number): number {
  return planBlock(geometry, rows).endBytes;
}

/** Points a session's runs to the caches of tools, layer by layer, in the order given. */
export function showBlocks({ memory, session }: Host, blocks: readonly Pick<BlockPlan, "encoder" | "cross">[]): void {
  for (const kind of ["encoder", "cross"] as const) {
    for (const [i, at] of session[`${kind}Runs`].entries()) {
      const runs = new Uint32Array(memory.buffer, at, 1 + blocks.length);
      runs.set([blocks.length, ...blocks.map((block) => block[kind][i])]);
    }
  }
}
