/** A request and its tools through the shipped encoder: the keys and values that the decoder will really see. */

import type { Host } from "../../runtime/engine/host.ts";
import { readCache } from "../../runtime/kept/form.ts";
import { mostPromptTokens } from "../../runtime/limits.ts";
import { Apart } from "../../runtime/prompt/apart.ts";
import { Joint } from "../../runtime/prompt/joint.ts";
import type { Way } from "../../runtime/prompt/prompt.ts";
import { walkOf } from "../../runtime/session.ts";
import { readRequest } from "../../runtime/text/request.ts";
import type { Thimble } from "../../runtime/thimble.ts";
import type { ToolSet } from "../../runtime/tools/tools.ts";
import { cacheRecord } from "../../wasm/abi.ts";
import type { Sample } from "./network.ts";

/** What the encoder of a model leaves of one request after another. */
export class Encoder {
  private readonly host: Host;
  private readonly way: Way;
  private readonly limits;

  constructor(private readonly model: Thimble) {
    const { inside } = model;
    const { threads, toolRows, answerTokens } = model.first.plan;
    this.limits = { threads, toolRows, answerTokens, warmLayers: 0 };
    const session = inside.open({ ...this.limits, promptTokens: 128 });
    const { kernels, memory, weights } = inside;
    this.host = { kernels, memory, layout: inside.layout, session, walk: walkOf(weights, undefined) };
    const buffers = { mostTokens: mostPromptTokens, grow: (host: Host, tokens: number) => this.grow(host, tokens) };
    this.way = model.header.prompt === "apart" ? new Apart(inside, buffers) : new Joint(inside, buffers, 0);
  }

  /** cos and sin of the first positions: f32 (positions, headDim), as the kernels turn by them. */
  rope(positions: number): Float32Array {
    const { memory, session } = this.host;
    return new Float32Array(memory.buffer, session.rope, positions * session.headDim).slice();
  }

  /** Throws: CapacityError for what does not fit. */
  async see(typed: string, tools: ToolSet): Promise<Pick<Sample, "cross" | "keys">> {
    const { host, model } = this;
    const shown = await this.way.show(readRequest(typed).text, tools, undefined, host);
    try {
      const { memory, session } = host;
      const { geometry } = model.header;
      const cross = session.crossCaches.map((own, i) => {
        const runs = session.crossRuns[i] ? new Uint32Array(memory.buffer, session.crossRuns[i]) : [0];
        const records = [own, ...[...runs.slice(1, 1 + runs[0])]];
        const parts = records.map((record, j) => {
          const rows = j ? new Uint32Array(memory.buffer, record)[cacheRecord.indexOf("keys")] : shown.keys;
          return readCache(memory, record, geometry, rows);
        });
        return { k: joined(parts.map(([k]) => k)), v: joined(parts.map(([, v]) => v)) };
      });
      const kv = (geometry.dModel / geometry.nHeads) * geometry.nKvHeads;
      return { cross, keys: cross[0].k.length / kv };
    } finally {
      shown.release();
    }
  }

  private grow(host: Host, promptTokens: number): void {
    if (promptTokens <= host.session.promptTokens) return;
    this.model.inside.release(host.session);
    host.session = this.model.inside.open({ ...this.limits, promptTokens });
    this.way.moved();
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
