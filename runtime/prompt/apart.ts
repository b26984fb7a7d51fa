/** Tools read apart: each is encoded once and kept; a call prefills the request against those offered. Source: spec/apart. */

import { pad } from "../../wasm/abi.ts";
import { contrast, prefill } from "../engine/encoder.ts";
import type { Host } from "../engine/host.ts";
import { octet } from "../engine/sessionplan.ts";
import { CapacityError } from "../errors.ts";
import { showBlocks } from "../kept/block.ts";
import type { Kept, ReadOptions } from "../kept/kept.ts";
import { inOrder, type ToolSet } from "../tools/tools.ts";
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

/** Rows of tools that a session may be opened for. */
export const mostToolRows = 16_384;

/**
 * Of more tools than this a call sees the likeliest so many, unless it asks for others. Measured with the model inside, which was
 * trained on whole lists (tools/train/README.md, run 13): test/fixtures/commands.jsonl, lists of 10 to 30 tools, exact .775 with
 * the likeliest 5, .785 with 8, .773 with 12, .775 with all that fit; 360 dev requests among 100 tools .583 with 5, .592 with 8,
 * .572 with 16. Models before it did best with four to six.
 */
export const usualOffer = 8;

export class Apart implements Way {
  constructor(
    private readonly model: PromptModel,
    private readonly buffers: Buffers,
  ) {}

  async show(request: string, given: ToolSet, k: number | undefined, host: Host, rates = false): Promise<Shown> {
    const { kept, tokenizer } = this.model;
    const query = requestIds(request, tokenizer, this.buffers.mostTokens);
    this.buffers.grow(host, query.length);
    // One order for one set, whatever order it came in: sums over tools then run alike.
    const all = given.inOrder();
    const reading = { walk: host.walk, read: new Set<string>() };
    const { set, scores } = await this.offer(request, all, k, rates, host, reading);
    const tools = await kept.use(set.texts, reading);
    try {
      showBlocks(host, tools);
      await prefill(host, query);
    } catch (error) {
      kept.release(tools);
      throw error;
    }
    return {
      set,
      scores,
      keys: query.length,
      warmLayers: 0,
      read: reading.read.size,
      release: () => kept.release(tools),
    };
  }

  async scores(request: string, set: ToolSet, host: Host): Promise<number[] | null> {
    if (!host.layout.contrastive) return null;
    toolSizes(set, this.model.kept, host.session.toolRows);
    return this.rate(request, set, host, { walk: host.walk });
  }

  vectorOf(text: string, host: Host): Promise<Float32Array> {
    const { tokenizer, header } = this.model;
    const ids = requestIds(text, tokenizer, this.buffers.mostTokens);
    this.buffers.grow(host, ids.length);
    return contrast(host, ids, header.geometry.contrastiveDim);
  }

  moved(): void {}

  /** The set, or of more than fit, are wanted or do the model good the likeliest. */
  private async offer(
    request: string,
    given: ToolSet,
    k: number | undefined,
    rates: boolean,
    host: Host,
    reading: ReadOptions,
  ): Promise<Pick<Shown, "set" | "scores">> {
    checkOffer(k);
    const room = host.session.toolRows;
    const { kept } = this.model;
    const count = given.tools.length;
    // Of a part of the tools those are offered that have room.
    const isPart = k !== undefined || count > usualOffer;
    const all = isPart ? rowsOf(given, kept) : toolSizes(given, kept, room);
    const refuse = (place: number) => refuseTool(given.tools[place].name, all[place], room);
    const set = isPart ? withRoom(request, given, all, room, refuse) : given;
    const sizes = set === given ? all : rowsOf(set, kept);
    const fits = sizes.reduce((sum, rows) => sum + rows, 0) <= room;
    const isWhole = fits && (k ?? usualOffer) >= count;
    if (isWhole && !rates) return { set, scores: null };
    const scores = await this.rate(request, set, host, reading);
    if (isWhole) return { set, scores };
    const likeliest = chosen(request, set, k, scores, sizes, room);
    const places = k === undefined ? likeliest.slice(0, usualOffer) : likeliest;
    return { set: set.only(places), scores: scores && inOrder(places).map((place) => scores[place]) };
  }

  /** `scores`; `reading` hears which tools are read. */
  private async rate(request: string, set: ToolSet, host: Host, reading: ReadOptions): Promise<number[] | null> {
    if (!host.layout.contrastive) return null;
    const known = await this.model.kept.learn(set.texts, reading);
    const query = await this.vectorOf(request, host);
    return known.map(({ vector }) => dot(vector as Float32Array, query));
  }
}

/** Rows that each tool takes of a call's room, whole octets. Throws: CapacityError naming one that does not fit alone. */
export function toolSizes({ tools, texts }: ToolSet, kept: Kept, room: number): number[] {
  const sizes = rowsOf({ texts }, kept);
  const longest = sizes.findIndex((rows) => rows > room);
  return longest < 0 ? sizes : refuseTool(tools[longest].name, sizes[longest], room);
}

/** Rows that each tool takes, whole octets. */
function rowsOf({ texts }: Pick<ToolSet, "texts">, kept: Kept): number[] {
  return texts.map((text) => pad(kept.rowsOf(text), octet));
}

function refuseTool(name: string, rows: number, room: number): never {
  const remedy = `say less in it${rows > mostToolRows ? "" : ` or load with toolRows ${rows}`}`;
  const message = `expected a tool of at most ${room} rows, got ${rows}; ${remedy}`;
  throw new CapacityError(`tool ${name}`, rows, room, message);
}
