/** Tools read apart: each is encoded once and kept; a call prefills the request against those offered. Source: spec/apart. */

import { pad } from "../../wasm/abi.ts";
import { contrast, prefill } from "../engine/encoder.ts";
import type { Host } from "../engine/host.ts";
import { octet } from "../engine/sessionplan.ts";
import { CapacityError } from "../errors.ts";
import { showBlocks } from "../kept/block.ts";
import type { ToolSet } from "../tools/tools.ts";
import { type Buffers, checkOffer, chosen, dot, type PromptModel, requestIds, type Shown, type Way } from "./prompt.ts";

export class Apart implements Way {
  constructor(
    private readonly model: PromptModel,
    private readonly buffers: Buffers,
  ) {}

  async show(request: string, given: ToolSet, k: number | undefined, host: Host): Promise<Shown> {
    const { kept, tokenizer } = this.model;
    const query = requestIds(request, tokenizer, this.buffers.mostTokens);
    this.buffers.grow(host, query.length);
    // One order for one set, whatever order it came in: sums over tools then run alike.
    const all = given.inOrder();
    const learned = all.texts.filter((text) => !kept.has(text)).length;
    const set = await this.offer(request, all, k, host);
    const tools = await kept.use(set.texts, { walk: host.walk });
    try {
      showBlocks(host, tools);
      await prefill(host, query);
    } catch (error) {
      kept.release(tools);
      throw error;
    }
    return { set, keys: query.length, warmLayers: 0, read: learned, release: () => kept.release(tools) };
  }

  async scores(request: string, set: ToolSet, host: Host): Promise<number[] | null> {
    if (!host.model.contrastive) return null;
    const { kept } = this.model;
    await kept.learn(set.texts, { walk: host.walk });
    const query = await this.vectorOf(request, host);
    return set.texts.map((text) => dot(kept.find(text)?.vector as Float32Array, query));
  }

  vectorOf(text: string, host: Host): Promise<Float32Array> {
    const { tokenizer, header } = this.model;
    const ids = requestIds(text, tokenizer, this.buffers.mostTokens);
    this.buffers.grow(host, ids.length);
    return contrast(host, ids, header.geometry.contrastiveDim);
  }

  moved(): void {}

  /** The set, or of more than fit or are wanted the likeliest. */
  private async offer(request: string, set: ToolSet, k: number | undefined, host: Host): Promise<ToolSet> {
    checkOffer(k);
    const room = host.session.toolRows;
    const sizes = set.texts.map((text) => pad(this.model.kept.rowsOf(text), octet));
    const longest = sizes.findIndex((rows) => rows > room);
    if (longest >= 0) {
      const remedy = `shorten its description or load with toolRows ${sizes[longest]}`;
      const message = `expected a tool of at most ${room} rows, got ${sizes[longest]}; ${remedy}`;
      throw new CapacityError(`tool ${set.tools[longest].name}`, sizes[longest], room, message);
    }
    const fits = sizes.reduce((sum, rows) => sum + rows, 0) <= room;
    if (fits && (k === undefined || k >= set.tools.length)) return set;
    const scores = await this.scores(request, set, host);
    return set.only(chosen(request, set, k, scores, sizes, room));
  }
}
