/**
 * Prefill that keeps the first layers' work on a tool list: while the list stays, those layers run the request's rows alone.
 *
 *   row of x and of the caches    0 … n−1    the tool list         n … n+q−1   the request
 *   RoPE position                 S … S+n−1                        S−q … S−1               S = promptTokens − n
 *
 * Attention knows positions by their differences, so every row sees every other as in a plain prompt. One thing is not
 * exact: a kept row has seen the request that stood before it when it was kept. Hence some first layers, not all.
 * Source: the warm schema cache of MicroNeedle, which kept 4 of 12 layers.
 */
import { tileRows } from "../../wasm/abi.ts";
import type { Geometry } from "../pack/pack.ts";
import { embed } from "./embedding.ts";
import { crossKv } from "./encoder.ts";
import type { Host } from "./host.ts";
import { type SessionPlan, turnRope } from "./sessionplan.ts";

/** Consecutive rows: their first row, their number, and the RoPE position of the first. */
interface Rows {
  start: number;
  n: number;
  position: number;
}

export class Warmth {
  /** The tool list whose work the session's warm caches hold. */
  private kept: readonly number[] = [];

  /** Use one for each session with `warmLayers`, and for that session's memory alone. */
  constructor(private readonly geometry: Pick<Geometry, "dModel">) {}

  /**
   * Prefill of the request's ids and the tool list's, which begins with `<tools>`; leaves what `prefill` leaves.
   * Returns how many layers' work on the tool list was at hand: 0 the first time and where the list has changed.
   */
  async prefill(host: Host, request: readonly number[], tools: readonly number[]): Promise<number> {
    const { kernels, memory, layout, session, walk } = host;
    const { warmCaches, warmX, warmLayers, x, encoderCache } = session;
    const [n, q] = [tools.length, request.length];
    const position = session.promptTokens - n;
    const listed: Rows = { start: 0, n, position };
    const asked: Rows = { start: n, n: q, position: position - q };
    const warm = n === this.kept.length && tools.every((id, i) => id === this.kept[i]);
    const listBytes = n * this.geometry.dModel * 4;
    // Nothing counts as kept until all of it is.
    if (!warm) this.kept = [];

    try {
      await embed(host, request, this.rowAt(session, asked));
      if (!warm) await embed(host, tools, this.rowAt(session, listed));
      await walk(layout.layers.encoder, (_, i) => {
        if (i === warmLayers) {
          if (warm) new Uint8Array(memory.buffer).copyWithin(x, warmX, warmX + listBytes);
          else new Uint8Array(memory.buffer).copyWithin(warmX, x, x + listBytes);
        }
        const parts = warm && i < warmLayers ? [asked] : [listed, asked];
        const [block, cache] = [layout.encoder[i], warmCaches[i] ?? encoderCache];
        for (const rows of parts) {
          turnRope(memory, session, rows.start, rows.position);
          kernels.encoder_kv(session.record, block, cache, this.rowAt(session, rows), rows.start, rows.n);
        }
        for (const rows of parts) {
          turnRope(memory, session, rows.start, rows.position);
          for (const { start, n: count } of wholeTiles(rows))
            kernels.encoder_attend(
              session.record,
              block,
              cache,
              this.rowAt(session, { start }),
              start,
              count,
              n + q,
              0,
            );
        }
      });
    } finally {
      turnRope(memory, session, 0, 0);
    }
    await walk(["norms"], () => kernels.final_norm(session.record, layout.encoderNorm, x, n + q));
    await crossKv(host, n + q);
    this.kept = [...tools];
    return warm ? warmLayers : 0;
  }

  private rowAt({ x }: SessionPlan, { start }: Pick<Rows, "start">): number {
    return x + start * this.geometry.dModel * 4;
  }
}

/** Rows in whole tiles, then one by one: a tile that is not full would write to the rows behind it. */
function wholeTiles({ start, n }: Pick<Rows, "start" | "n">): Pick<Rows, "start" | "n">[] {
  const whole = n - (n % tileRows);
  const rest = Array.from({ length: n - whole }, (_, i) => ({ start: start + whole + i, n: 1 }));
  return whole ? [{ start, n: whole }, ...rest] : rest;
}
