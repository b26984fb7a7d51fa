/** A request and tools on their way into the model: what both ways of showing tools have in common. */

import { offered, ranking } from "../answer/rank.ts";
import type { Host } from "../engine/host.ts";
import { CapacityError } from "../errors.ts";
import type { Kept } from "../kept/kept.ts";
import type { Lru } from "../lru.ts";
import type { PackHeader } from "../pack/pack.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { ToolSet } from "../tools/tools.ts";
import { lexicalScores } from "../tools/words.ts";

/** A model, as far as prompts need it. */
export interface PromptModel {
  readonly header: PackHeader;
  readonly tokenizer: Tokenizer;
  /** Tools read apart. */
  readonly kept: Kept;
  /** Contrastive vectors of tools in joint prompts, by their text. */
  readonly vectors: Lru<Float32Array>;
  /** The ids of a tool set's text in a joint prompt. */
  idsOf(set: ToolSet): readonly number[];
}

/** A session's buffers, which grow to what a call needs. */
export interface Buffers {
  /** Most prompt tokens that they grow to. */
  readonly mostTokens: number;
  /** Makes room for so many prompt tokens. Throws: CapacityError if memory has none. */
  grow(host: Host, promptTokens: number): void;
}

/** What a prefill leaves for the answer. */
export interface Shown {
  /** The tools that the answer may call. */
  set: ToolSet;
  /** How well each of them fits by the contrastive head, where that was asked for. */
  scores: readonly number[] | null;
  /** Encoder states in the session's cross-attention caches. */
  keys: number;
  /** Encoder layers whose work on the tool list was kept from an earlier call. */
  warmLayers: number;
  /** Tools read for this call; the others of the set were known. */
  read: number;
  /** The tools' keys and values are no longer needed. */
  release(): void;
}

/** Joint or apart: how requests and tools meet. */
export interface Way {
  /**
   * Offers k of the tools (undefined: all, or as many as fit), and prefills the request against them; `rates` asks for
   * their scores, which only tools read apart have at hand.
   * Throws: CapacityError for what does not fit, what the walk throws.
   */
  show(request: string, set: ToolSet, k: number | undefined, host: Host, rates?: boolean): Promise<Shown>;
  /** How well each tool fits a request by the contrastive head; null for a pack without one. */
  scores(request: string, set: ToolSet, host: Host): Promise<number[] | null>;
  /** The contrastive vector of a text alone: f32 (contrastiveDim). Only for a model with the head. */
  vectorOf(text: string, host: Host): Promise<Float32Array>;
  /** The session's buffers have moved: what they held is gone. */
  moved(): void;
}

/** Ids of a request. Throws: CapacityError for more than `most`. */
export function requestIds(request: string, tokenizer: Tokenizer, most: number): number[] {
  const ids = tokenizer.tokenize(request);
  if (ids.length <= most) return ids;
  const message = `expected at most ${most} tokens, got ${ids.length}; shorten the request`;
  throw new CapacityError("request", ids.length, most, message);
}

/**
 * Places of the tools to offer of more than are wanted or fit: the likeliest k and their rivals, at most as many as fit.
 * `sizes`: what each tool takes of `room`.
 */
export function chosen(
  request: string,
  set: ToolSet,
  k: number | undefined,
  scores: readonly number[] | null,
  sizes: readonly number[],
  room: number,
): number[] {
  const rankings = [...(scores ? [scores] : []), lexicalScores(request, set)].map(ranking);
  const places: number[] = [];
  let left = room;
  for (const place of offered(k ?? set.tools.length, rankings)) {
    if (sizes[place] > left) continue;
    left -= sizes[place];
    places.push(place);
  }
  return places;
}

/**
 * Of tools of which a part is offered, those that have room alone: what does not fit is left aside as the unlikely are.
 * Calls `refuse` with the place of one that does not, where none does, or the request's words name it first.
 */
export function withRoom(
  request: string,
  set: ToolSet,
  sizes: readonly number[],
  room: number,
  refuse: (place: number) => never,
): ToolSet {
  const fitting = [...sizes.keys()].filter((place) => sizes[place] <= room);
  if (fitting.length === sizes.length) return set;
  const scores = lexicalScores(request, set);
  const [likeliest] = ranking(scores);
  if (!fitting.length) refuse(sizes.indexOf(Math.min(...sizes)));
  if (sizes[likeliest] > room && scores[likeliest] > 0) refuse(likeliest);
  return set.only(fitting);
}

/** Throws: RangeError for a number of tools that is none. */
export function checkOffer(k: number | undefined): void {
  if (k !== undefined && (!Number.isInteger(k) || k < 1))
    throw new RangeError(`offer: expected an integer from 1, got ${k}`);
}

/** The dot product of two vectors of one length. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
