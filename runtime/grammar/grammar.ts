/**
 * An automaton and a vocabulary → allowed tokens, forced tokens and a way out.
 * What was computed for a state is kept, so a grammar used twice costs once.
 */

import type { Mask, TokenTrie } from "../text/trie.ts";
import { shapesOf } from "../tools/shapes.ts";
import type { ToolSet } from "../tools/tools.ts";
import { answerStates, countedIn, mustDiffer } from "./automaton.ts";
import { anyText } from "./scalars.ts";
import type { State } from "./state.ts";

/** Tokens that can only be so, and the state after them. */
export interface Forced {
  ids: number[];
  state: State;
}

/** What was computed for a state. */
interface Notes {
  mask?: Mask;
  forced?: Forced;
  /** Bytes of the way out. */
  wayOut?: number;
  opensString?: boolean;
  opensItem?: boolean;
}

export class Grammar {
  private readonly notes = new WeakMap<State, Notes>();
  readonly start: State;
  /** Where a call has ended and another may begin; null without tools. */
  readonly afterCall: State | null;
  /** Whether there are lists whose items count, or maps: see `Begun`. */
  readonly hasItems: boolean;
  /** Whether there are any of which must differ. */
  readonly hasDistinct: boolean;

  constructor(
    tools: ToolSet,
    readonly tokens: TokenTrie,
    mustCall = false,
  ) {
    ({ start: this.start, afterCall: this.afterCall } = answerStates(tools, mustCall));
    const counted = tools.tools.flatMap((tool) => shapesOf(tool).flatMap((shape) => [...countedIn(shape)]));
    this.hasItems = counted.length > 0;
    this.hasDistinct = counted.some(mustDiffer);
  }

  /** The state after a token, null if it cannot follow. */
  advance(state: State, id: number): State | null {
    let at: State | null = state;
    const bytes = this.tokens.vocabulary.bytesOf(id);
    for (let i = 0; at && i < bytes.length; i++) at = at.step(bytes[i]);
    return bytes.length ? at : null;
  }

  /** Whether a token can lead from here into a free string and further. */
  opensString(state: State): boolean {
    const notes = this.notesOf(state);
    notes.opensString ??= !state.inString && this.tokens.leadsThrough(state, (next) => next.inString);
    return notes.opensString;
  }

  /** Whether a token can lead from here to where an item of a list or a key of a map begins. */
  opensItem(state: State): boolean {
    const notes = this.notesOf(state);
    notes.opensItem ??= this.tokens.leadsThrough(state, (next) => next.begun !== null);
    return notes.opensItem;
  }

  mask(state: State): Mask {
    const notes = this.notesOf(state);
    notes.mask ??= this.tokens.allowed(state, state.room?.isBetween ? state.room.most : 0, anyText);
    return notes.mask;
  }

  /**
   * Forced tokens from here, in the form that the tokenizer gives the text whatever follows: the text runs on while only
   * one byte can follow, and a token counts if it is the same before every piece that could reach across the text's end.
   */
  forced(state: State): Forced {
    const notes = this.notesOf(state);
    notes.forced ??= this.findForced(state);
    return notes.forced;
  }

  private findForced(state: State): Forced {
    // Within a character only its own bytes can follow, each a token; no text begins there.
    if ((state.onlyByte & 0xc0) === 0x80) return { ids: [], state };
    const bytes: number[] = [];
    for (let at = state; at.onlyByte >= 0; at = at.edges[0][2]) bytes.push(at.onlyByte);
    const text = wholeCharacters(bytes);
    if (!text) return { ids: [], state };
    bytes.length = utf8.encode(text).length;
    const end = bytes.reduce((at, byte) => at.step(byte) as State, state);
    const { vocabulary } = this.tokens;
    let ids = vocabulary.tokenizeRaw(text);
    const rests = new Set(this.tokens.reachingAcross(bytes, end).map(wholeCharacters));
    rests.delete("");
    for (const rest of rests) {
      const other = vocabulary.tokenizeRaw(text + rest);
      const differs = ids.findIndex((id, i) => id !== other[i]);
      if (differs >= 0) ids = ids.slice(0, differs);
    }
    let after: State = state;
    for (const id of ids) after = this.advance(after, id) as State;
    return { ids, state: after };
  }

  /** Whether the answer can still end validly within so many tokens of a state. */
  fits(state: State, room: number): boolean {
    if (room < 0) return false;
    const bytes = this.wayOut(state, room * mostPieceBytes);
    return bytes <= room || (Number.isFinite(bytes) && this.finish(state).length <= room);
  }

  /** Bytes of a state's way out, Infinity beyond `most`. */
  private wayOut(start: State, most: number): number {
    const path: Notes[] = [];
    let state = start;
    let notes = this.notesOf(state);
    while (!state.atEnd && notes.wayOut === undefined && path.length <= most) {
      path.push(notes);
      state = state.step(state.exit) as State;
      notes = this.notesOf(state);
    }
    if (!state.atEnd && notes.wayOut === undefined) return Number.POSITIVE_INFINITY;
    let bytes = notes.wayOut ?? 0;
    for (const passed of path.reverse()) passed.wayOut = ++bytes;
    return bytes;
  }

  private notesOf(state: State): Notes {
    let notes = this.notes.get(state);
    if (!notes) {
      notes = {};
      this.notes.set(state, notes);
    }
    return notes;
  }

  /** The tokens of the way out: a short text that ends the answer validly from here. Only for a state that `fits`. */
  finish(state: State): number[] {
    const bytes: number[] = [];
    for (let at = state; !at.atEnd; at = at.step(at.exit) as State) bytes.push(at.exit);
    return this.tokensOf(bytes);
  }

  /** The tokens of a text's rest. */
  tokensOf(bytes: readonly number[]): number[] {
    // The way out of an unfinished character begins with its missing bytes.
    const lead = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
    return [
      ...bytes.slice(0, lead).map((byte) => this.tokens.byteToken(byte)),
      ...this.tokens.vocabulary.tokenizeRaw(wholeCharacters(bytes.slice(lead))),
    ];
  }
}

/** No token writes more bytes: the longest pieces have 16 characters. */
const mostPieceBytes = 64;

const utf8 = new TextEncoder();
const text8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text of bytes, without an unfinished last character. */
function wholeCharacters(bytes: readonly number[]): string {
  let end = bytes.length;
  let lead = end - 1;
  while (lead >= 0 && (bytes[lead] & 0xc0) === 0x80) lead--;
  if (lead >= 0 && bytes[lead] >= 0xc0) {
    const length = bytes[lead] >= 0xf0 ? 4 : bytes[lead] >= 0xe0 ? 3 : 2;
    if (end - lead < length) end = lead;
  }
  return text8.decode(Uint8Array.from(bytes.slice(0, end)));
}
