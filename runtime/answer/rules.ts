/**
 * What holds for an answer beyond its grammar, since it depends on the request or on what is written already:
 * free strings are copied (copy.ts), items that must differ do, a map has no key twice, and a list that says no maximum
 * ends some time: a model that has nothing to say would write the same items over and over.
 * Enums and numbers are the grammar's alone; where an enum stands beside a string, a value is one of it or copied.
 */
import { mustDiffer, partsOf, union } from "../grammar/automaton.ts";
import type { Grammar } from "../grammar/grammar.ts";
import type { State } from "../grammar/state.ts";
import type { Mask } from "../text/trie.ts";
import type { Schema } from "../tools/schema.ts";
import { Words } from "./copy.ts";

const quote = 0x22;
const [comma, colon, bracket, brace] = [0x2c, 0x3a, 0x5d, 0x7d];

/** The grammar for one answer. */
export class Rules {
  readonly start: Stand;

  constructor(
    readonly grammar: Grammar,
    /** The request as the prompt shows it; null to copy nothing. */
    request: string | null,
    /** Of a list that says no maximum, unless it asks for more. */
    readonly mostItems = Number.POSITIVE_INFINITY,
  ) {
    this.start = new Stand(this, grammar.start, request === null ? null : Words.of(request));
  }

  /** The grammar's tokens less those that would break a rule. */
  mask(stand: Stand): Mask {
    const { grammar } = this;
    const isFree =
      !stand.spans &&
      !stand.item &&
      !(stand.words && grammar.opensString(stand.state)) &&
      !(grammar.hasItems && grammar.opensItem(stand.state));
    if (isFree) return grammar.mask(stand.state);
    for (const from of eased(stand)) {
      const mask = grammar.tokens.allowed(from);
      if (mask.count) return mask;
    }
    return grammar.mask(stand.state);
  }

  /** Tokens that can only be so. Inside a string that is copied the mask says more than the grammar. */
  forced(stand: Stand): { id: number; after: Stand }[] {
    const forced: { id: number; after: Stand }[] = [];
    if (stand.spans) return forced;
    let after: Stand | null = stand;
    for (const id of this.grammar.forced(stand.state).ids) {
      after = this.through(after, id);
      if (!after) break;
      forced.push({ id, after });
    }
    return forced;
  }

  /** The stand after a token, null if it cannot follow. */
  advance(stand: Stand, id: number): Stand | null {
    for (const from of eased(stand)) {
      const next = this.through(from, id);
      if (next) return next.words || !stand.words ? next : next.moved(next.state, stand.words.fresh());
    }
    return this.through(stand, id, (at, byte) => at.stray(byte));
  }

  private through(from: Stand, id: number, step = (at: Stand, byte: number) => at.step(byte)): Stand | null {
    let stand: Stand | null = from;
    const bytes = this.grammar.tokens.vocabulary.bytesOf(id);
    for (let i = 0; stand && i < bytes.length; i++) stand = step(stand, bytes[i]);
    return bytes.length ? stand : null;
  }

  /** Whether the answer can still end validly within so many tokens of a stand. */
  fits(stand: Stand, room: number): boolean {
    return this.grammar.fits(stand.state, room) && (!this.grammar.hasDistinct || this.finish(stand).length <= room);
  }

  /** The tokens of a short way to a valid end, which closes a string where it stands. Only for a stand that `fits`. */
  finish(from: Stand): number[] {
    const { grammar } = this;
    if (!grammar.hasDistinct) return grammar.finish(from.state);
    const bytes: number[] = [];
    let stand: Stand | null = from.moved(from.state, null);
    while (stand && !stand.atEnd) {
      const next = wayOn(stand);
      if (next) bytes.push(next[0]);
      stand = next?.[1] ?? null;
    }
    return stand ? grammar.tokensOf(bytes) : grammar.finish(from.state);
  }
}

/** A stand, and with fewer rules for where no token keeps them: words may be copied again, then strings are anything. The grammar alone is left. */
function* eased(stand: Stand): Generator<Stand> {
  yield stand;
  yield stand.moved(stand.state, stand.words?.fresh());
  yield stand.moved(stand.state, null);
}

/** A text that must differ from others: an item of a list, or a key of a map. */
interface Item {
  of: Schema;
  /** Its bytes so far, a character each. */
  text: string;
}

/** Where an answer stands: a state of the grammar, and what the rules need to know of the text before. Made by steps alone. */
export class Stand {
  /** Places of the request where the string that is open may go on; null outside of those that are copied. */
  spans: readonly number[] | null = null;
  /** Bytes of the string that is open. */
  private length = 0;
  item: Item | null = null;
  /** The items before, as JSON. */
  seen: ReadonlyMap<Schema, ReadonlySet<string>> = none;
  /** Items of lists before the one that is open. */
  private counts: ReadonlyMap<Schema, number> = noCounts;
  /** Bytes before here, and where among them calls have ended. */
  private at = 0;
  callEnds: readonly number[] = [];

  constructor(
    private readonly rules: Rules,
    readonly state: State,
    /** What free strings are made of; null where they are anything. */
    readonly words: Words | null,
  ) {}

  get atEnd(): boolean {
    return this.state.atEnd;
  }

  step(byte: number): Stand | null {
    const next = this.reach(byte);
    if (!next?.item || !next.seen.get(next.item.of)?.size) return next;
    if (next.spans) return next.copyDiffers(next.spans) ? next : null;
    // Where another character may follow, another text may.
    const most = next.state.room?.most ?? 0;
    return most > 0 || canDiffer(next) ? next : null;
  }

  /** Whether the item that is open, copied on, can end unlike those before. */
  private copyDiffers(spans: readonly number[]): boolean {
    const { item, words, seen } = this;
    const others = seen.get((item as Item).of);
    const parts = partsOf(this.state);
    const differs = parts.some(({ room }) =>
      spans.some((at) => {
        for (const rest of room ? (words as Words).rests(at, room.least, room.most) : []) {
          const value = canonical(`${item?.text}${rest}"`);
          if (value !== undefined && !others?.has(value)) return true;
        }
        return false;
      }),
    );
    const beside = parts.filter(({ room }) => !room);
    return differs || (beside.length > 0 && canDiffer(this.moved(union(beside))));
  }

  /** The next stand, from which an item may have no way on that makes it differ. */
  reach(byte: number): Stand | null {
    const next = this.spans ? this.copy(byte, this.spans) : this.open(byte);
    const { grammar } = this.rules;
    if (!next || (grammar.hasDistinct && !next.distinguish(byte)) || (grammar.hasItems && !next.count())) return null;
    return next.noted();
  }

  /** The next stand by the grammar alone. */
  stray(byte: number): Stand | null {
    const state = this.state.step(byte);
    if (!state) return null;
    const next = this.moved(state, this.words, this.at + 1);
    next.item = null;
    return next.noted();
  }

  /** This stand, knowing of the call that ends here. */
  private noted(): Stand {
    if (this.state !== this.rules.grammar.afterCall) return this;
    const after = this.moved(this.state, this.words?.fresh() ?? null);
    after.callEnds = [...this.callEnds, this.at];
    return after;
  }

  /** This stand elsewhere: outside of any string that is copied. */
  moved(state: State, words = this.words, at = this.at): Stand {
    const next = new Stand(this.rules, state, words);
    next.item = this.item;
    next.seen = this.seen;
    next.counts = this.counts;
    next.at = at;
    next.callEnds = this.callEnds;
    return next;
  }

  /** A byte outside of what is copied: a quote may open a string that is. */
  private open(byte: number): Stand | null {
    const state = this.state.step(byte);
    if (!state) return null;
    if (!this.words || byte !== quote) return this.moved(state, this.words, this.at + 1);
    const rooms = partsOf(state).flatMap(({ room, inString }) => (room && inString ? [room] : []));
    if (!rooms.length) return this.moved(state, this.words, this.at + 1);
    const least = Math.min(...rooms.map((room) => room.least));
    const most = Math.max(...rooms.map((room) => room.most));
    const { words, places } = this.words.starts(least, most);
    if (!places.length) return this.moved(state, this.words, this.at + 1);
    // A list or a map that has something goes on only while the request has words for it.
    const isMore = this.item !== null && (this.seen.get(this.item.of)?.size ?? 0) > 0;
    if (words !== this.words && isMore) {
      const others = partsOf(state).filter(({ room }) => !room);
      return others.length ? this.moved(union(others), this.words, this.at + 1) : null;
    }
    const next = this.moved(state, words, this.at + 1);
    next.spans = places;
    return next;
  }

  /** A byte inside a string that is copied, or that is another value beside it. */
  private copy(byte: number, spans: readonly number[]): Stand | null {
    const words = this.words as Words;
    // Most bytes fall here: the request has them in few places, the grammar nearly everywhere.
    if (this.state.room && byte !== quote && !spans.some((at) => words.takes(at, byte))) return null;
    let kept: readonly number[] | null = null;
    const targets: State[] = [];
    for (const part of partsOf(this.state)) {
      const { room } = part;
      if (room?.isBetween && byte === quote) {
        if (!this.length || !spans.some((at) => words.endsAt(at))) continue;
      } else if (room) {
        const least = Math.max(1, room.least);
        const going = spans.filter(
          (at) => words.takes(at, byte) && (!room.isBetween || words.reaches(at, least, room.most)),
        );
        if (!going.length) continue;
        if (!kept || going.length > kept.length) kept = going.map((at) => at + 1);
      }
      const target = part.step(byte);
      if (target) targets.push(target);
    }
    if (!targets.length) return null;
    const state = targets.length === 1 ? targets[0] : union(targets);
    if (!kept) {
      const isCopied = this.length > 0 && byte === quote && spans.some((at) => words.endsAt(at));
      return this.moved(state, isCopied ? words.without(spans, this.length) : words, this.at + 1);
    }
    const next = this.moved(state, words, this.at + 1);
    next.spans = kept;
    next.length = this.length + 1;
    return next;
  }

  /** What the byte that led here does to the item that was open: it goes on, ends unlike all others, or another begins. */
  private distinguish(byte: number): boolean {
    const { item } = this;
    if (item) {
      const ends = byte === comma || byte === bracket || byte === colon;
      const value = ends ? canonical(item.text) : undefined;
      if (value !== undefined) {
        const others = this.seen.get(item.of);
        if (others?.has(value)) return false;
        this.seen = new Map(this.seen).set(item.of, new Set(others).add(value));
        this.item = null;
      } else if (!item.text && (byte === bracket || byte === brace)) this.item = null;
      else this.item = { ...item, text: item.text + String.fromCharCode(byte) };
    }
    const { begun } = this.state;
    if (begun && mustDiffer(begun.of)) {
      if (begun.isFirst) this.seen = new Map(this.seen).set(begun.of, new Set());
      this.item = { of: begun.of, text: "" };
    }
    return true;
  }

  /** Counts the item that begins here; false where it is one too many. */
  private count(): boolean {
    const { begun } = this.state;
    if (begun?.of.kind !== "array" || begun.of.maxItems < Number.POSITIVE_INFINITY) return true;
    const before = begun.isFirst ? 0 : (this.counts.get(begun.of) ?? 0) + 1;
    this.counts = new Map(this.counts).set(begun.of, before);
    return before < Math.max(begun.of.minItems, this.rules.mostItems, 1);
  }
}

const none: ReadonlyMap<Schema, ReadonlySet<string>> = new Map();
const noCounts: ReadonlyMap<Schema, number> = new Map();
const utf8 = new TextDecoder();

/** A value as JSON that equal values share, of its bytes; undefined if it is not whole. */
function canonical(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    return JSON.stringify(value === 0 ? 0 : value);
  } catch {
    return undefined;
  }
}

/** The byte that follows on a short way out, and where it leads: the state's own, else one that it may follow, or any. */
function wayOn(stand: Stand): [byte: number, stand: Stand] | null {
  const { edges, exit } = stand.state;
  const out = stand.step(exit);
  if (out) return [exit, out];
  let any: [number, Stand] | null = null;
  for (const [low, high] of edges) {
    for (let byte = low; byte <= high; byte++) {
      const next = byte === exit ? null : stand.step(byte);
      if (next?.step(next.state.exit)) return [byte, next];
      if (next) any ??= [byte, next];
    }
  }
  return any;
}

/** Steps of looking for another value before it is taken for granted that there is one. */
const mostSteps = 5000;

/** Whether the item that is open can end unlike those before. */
function canDiffer(start: Stand): boolean {
  const open = [start];
  for (let steps = 0; open.length && steps < mostSteps; steps++) {
    const stand = open.pop() as Stand;
    const { edges, exit } = stand.state;
    const on: Stand[] = [];
    for (const [low, high] of edges) {
      for (let byte = low; byte <= high; byte++) {
        const next = byte === exit ? null : stand.reach(byte);
        if (next && ended(stand, next)) return true;
        if (next) on.push(next);
      }
    }
    const out = stand.reach(exit);
    if (out && ended(stand, out)) return true;
    if (out) on.push(out);
    open.push(...on);
  }
  return open.length > 0;
}

/** Whether a step has ended the item that was open. */
function ended(before: Stand, after: Stand): boolean {
  return after.item?.of !== before.item?.of || after.item?.text === "" || after.item === null;
}
