/** The published way: one prompt of the request and the whole list of tools, encoded together at every call. */
import { contrast, prefill } from "../engine/encoder.ts";
import type { Host } from "../engine/host.ts";
import { Warmth } from "../engine/warm.ts";
import { CapacityError } from "../errors.ts";
import { special } from "../text/tokenizer.ts";
import type { ToolSet } from "../tools/tools.ts";
import {
  type Buffers,
  checkOffer,
  chosen,
  dot,
  type PromptModel,
  requestIds,
  type Shown,
  type Way,
  withRoom,
} from "./prompt.ts";

/** What the contrastive head was trained on at most. */
const contrastTokens = 128;

/** `<tools>` and an empty list. */
const listTokens = 3;

export class Joint implements Way {
  private warmth: Warmth | null;

  constructor(
    private readonly model: PromptModel,
    private readonly buffers: Buffers,
    warmLayers: number,
  ) {
    this.warmth = warmLayers ? new Warmth(model.header.geometry) : null;
  }

  async show(request: string, all: ToolSet, k: number | undefined, host: Host): Promise<Shown> {
    const most = this.buffers.mostTokens;
    const query = requestIds(request, this.model.tokenizer, most - listTokens);
    const set = await this.offer(request, all, k, most - query.length, host);
    const list = [special.tools, ...this.model.idsOf(set)];
    const keys = query.length + list.length;
    if (keys > most) {
      // Where one tool would be too long, fewer do not help.
      this.withRoom(request, set, most - query.length);
      const parts = `request ${query.length}, tools ${list.length - 1}`;
      const over = `got ${keys}, ${keys - most} over (${parts}); call with { offer: 8 }, or fewer`;
      throw new CapacityError("prompt", keys, most, `expected at most ${most} tokens, ${over}`);
    }
    this.buffers.grow(host, keys);
    const warmLayers = this.warmth ? await this.warmth.prefill(host, query, list) : 0;
    if (!this.warmth) await prefill(host, [...query, ...list]);
    return { set, scores: null, keys, warmLayers, read: set.tools.length, release() {} };
  }

  async scores(request: string, set: ToolSet, host: Host): Promise<number[] | null> {
    if (!host.layout.contrastive) return null;
    const { vectors } = this.model;
    const query = await this.vectorOf(request, host);
    const scores: number[] = [];
    for (const text of set.texts) {
      const vector = vectors.get(text) ?? (await this.vectorOf(text, host));
      vectors.set(text, vector);
      scores.push(dot(vector, query));
    }
    return scores;
  }

  /** Of a text's first tokens. */
  vectorOf(text: string, host: Host): Promise<Float32Array> {
    const ids = this.model.tokenizer.tokenize(text).slice(0, Math.min(contrastTokens, this.buffers.mostTokens));
    this.buffers.grow(host, ids.length);
    return contrast(host, ids, this.model.header.geometry.contrastiveDim);
  }

  moved(): void {
    if (this.warmth) this.warmth = new Warmth(this.model.header.geometry);
  }

  private async offer(request: string, set: ToolSet, k: number | undefined, room: number, host: Host) {
    checkOffer(k);
    if (k === undefined || !set.tools.length) return set;
    if (k >= set.tools.length && this.model.idsOf(set).length < room) return set;
    const some = this.withRoom(request, set, room);
    const scores = await this.scores(request, some, host);
    return some.only(chosen(request, some, k, scores, this.sizesOf(some), room - listTokens));
  }

  /** Texts in a list are joined by commas, and begin as they do alone or shorter. */
  private sizesOf(set: ToolSet): number[] {
    return set.texts.map((text) => this.model.tokenizer.tokenize(text).length + 1);
  }

  /** Throws: CapacityError for a tool that is wanted and has no room beside the request. */
  private withRoom(request: string, set: ToolSet, room: number): ToolSet {
    const sizes = this.sizesOf(set);
    const most = room - listTokens;
    return withRoom(request, set, sizes, most, (place) => {
      const over = `expected one of at most ${most} tokens beside the request, got ${sizes[place]}`;
      const path = `tool ${set.tools[place].name}`;
      throw new CapacityError(path, sizes[place], most, `${over}; shorten it, or the request`);
    });
  }
}
