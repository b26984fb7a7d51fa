/** The vocabulary as a trie over bytes → which tokens an automaton takes. Made once per tokenizer. */

/** What the grammar needs of a tokenizer. */
export interface Vocabulary {
  readonly vocabSize: number;
  bytesOf(id: number): Uint8Array;
  tokenizeRaw(text: string): number[];
}

/** What the trie needs of an automaton's states. */
export interface Walk {
  step(byte: number): Walk | null;
}

/** Allowed tokens: a bitset over the vocabulary, their number, and one of them. */
export interface Mask {
  bits: Uint32Array;
  count: number;
  some: number;
}

const quote = 0x22;
const backslash = 0x5c;

export class TokenTrie {
  private readonly all: Trie;
  /** Tokens with a quote or a backslash, which may leave a string; the others stay within. */
  private readonly leaving: Trie;
  private readonly staying: Trie;
  /** Masks of the tokens that stay within a string, by how many characters fit. */
  private readonly inside: Uint32Array[] = [];
  /** Tokens of a single byte, by it. */
  private readonly byteTokens: number[] = [];

  constructor(readonly vocabulary: Vocabulary) {
    const tokens = Array.from({ length: vocabulary.vocabSize }, (_, id) => ({ id, bytes: vocabulary.bytesOf(id) }))
      .filter(({ bytes }) => bytes.length)
      .sort((a, b) => inOrder(a.bytes, b.bytes) || a.id - b.id);
    const leaves = ({ bytes }: Token) => bytes.includes(quote) || bytes.includes(backslash);
    this.all = new Trie(tokens);
    this.leaving = new Trie(tokens.filter(leaves));
    this.staying = new Trie(tokens.filter((token) => !leaves(token)));
    for (const { id, bytes } of tokens) if (bytes.length === 1) this.byteTokens[bytes[0]] ??= id;
  }

  /**
   * The tokens that may follow a state. `stringRoom` is how many characters a string may take from there, 0 outside one:
   * tokens without quote and backslash are then those that `text`, any string, takes, as far as there is room.
   */
  allowed(state: Walk, stringRoom: number, text: Walk): Mask {
    const bits = stringRoom
      ? this.collect(this.leaving, state, this.insideString(stringRoom, text).slice())
      : this.collect(this.all, state, this.noTokens());
    let count = 0;
    let some = -1;
    for (let i = 0; i < bits.length; i++) {
      if (!bits[i]) continue;
      if (some < 0) some = i * 32 + (31 - Math.clz32(bits[i] & -bits[i]));
      count += ones(bits[i]);
    }
    return { bits, count, some };
  }

  private insideString(room: number, text: Walk): Uint32Array {
    const { staying } = this;
    const most = Math.min(room, staying.mostCharacters);
    if (!this.inside[most]) {
      const bits = this.collect(staying, text, this.noTokens());
      for (const id of staying.tokens) {
        if (characters(this.vocabulary.bytesOf(id)) > most) bits[id >> 5] &= ~(1 << (id & 31));
      }
      this.inside[most] = bits;
    }
    return this.inside[most];
  }

  private noTokens(): Uint32Array {
    return new Uint32Array(Math.ceil(this.vocabulary.vocabSize / 32));
  }

  private collect(trie: Trie, start: Walk, bits: Uint32Array): Uint32Array {
    trie.walk(0, trie.length, start, (node) => {
      for (let i = trie.firstToken[node]; i < trie.firstToken[node + 1]; i++) {
        const id = trie.tokens[i];
        bits[id >> 5] |= 1 << (id & 31);
      }
    });
    return bits;
  }

  /** Bytes by which a piece can reach from within `bytes` past their end, as far as `end` lets them. */
  reachingAcross(bytes: readonly number[], end: Walk): number[][] {
    const { all } = this;
    const rests: number[][] = [];
    for (let start = bytes.length - 1; start >= 0; start--) {
      const base = all.find(bytes.slice(start));
      if (base < 0) continue;
      const rest: number[] = [];
      all.walk(base + 1, all.ends[base], end, (node) => {
        const depth = all.depths[node] - all.depths[base];
        rest.length = depth - 1;
        rest.push(all.bytes[node]);
        if (all.firstToken[node] < all.firstToken[node + 1]) rests.push([...rest]);
      });
    }
    return rests;
  }

  byteToken(byte: number): number {
    return this.byteTokens[byte];
  }
}

interface Token {
  id: number;
  bytes: Uint8Array;
}

/**
 * Nodes in the order of a walk, parents first, in flat arrays: node i has its byte, its depth from 0, the node after its
 * descendants, and its tokens from firstToken[i] up to firstToken[i + 1].
 * Source: the token trie of llguidance (docs/toktrie.md).
 */
class Trie {
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly firstToken: Int32Array;
  readonly tokens: Int32Array;
  readonly mostCharacters: number;

  /** Tokens in the order of their bytes. */
  constructor(sorted: readonly Token[]) {
    const nodes: { byte: number; depth: number; firstToken: number }[] = [];
    let before: Uint8Array = new Uint8Array();
    for (const [i, { bytes }] of sorted.entries()) {
      let depth = 0;
      while (depth < before.length && before[depth] === bytes[depth]) depth++;
      for (; depth < bytes.length; depth++) {
        // A node's tokens come before its descendants', so those on the way to this one have none.
        nodes.push({ byte: bytes[depth], depth, firstToken: i });
      }
      before = bytes;
    }
    this.length = nodes.length;
    this.bytes = Uint8Array.from(nodes, ({ byte }) => byte);
    this.depths = Uint16Array.from(nodes, ({ depth }) => depth);
    this.tokens = Int32Array.from(sorted, ({ id }) => id);
    this.mostCharacters = sorted.reduce((most, { bytes }) => Math.max(most, characters(bytes)), 0);
    this.firstToken = Int32Array.from([...nodes.map(({ firstToken }) => firstToken), sorted.length]);
    this.ends = new Int32Array(nodes.length);
    const open: number[] = [];
    for (let i = nodes.length - 1; i >= 0; i--) {
      while (open.length && nodes[open[open.length - 1]].depth > nodes[i].depth) open.pop();
      this.ends[i] = open.length ? open[open.length - 1] : nodes.length;
      open.push(i);
    }
  }

  /** Visits the nodes from one to another, siblings and their descendants, that lead from a state to another. */
  walk(from: number, to: number, start: Walk, visit: (node: number) => void): void {
    const { bytes, depths, ends } = this;
    const base = from < to ? depths[from] : 0;
    const states: Walk[] = [start];
    for (let node = from; node < to; ) {
      const depth = depths[node] - base;
      const next = states[depth].step(bytes[node]);
      if (next) {
        states[depth + 1] = next;
        visit(node);
        node++;
      } else node = ends[node];
    }
  }

  /** The node that bytes lead to, −1 for none. */
  find(path: readonly number[]): number {
    let node = -1;
    for (const byte of path) {
      const end = node < 0 ? this.length : this.ends[node];
      let child = node + 1;
      while (child < end && this.bytes[child] !== byte) child = this.ends[child];
      if (child >= end) return -1;
      node = child;
    }
    return node;
  }
}

function inOrder(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Characters that begin within UTF-8 bytes. */
function characters(bytes: Uint8Array): number {
  return bytes.reduce((count, byte) => count + Number((byte & 0xc0) !== 0x80), 0);
}

/** Bits that are set. Source: Warren, Hacker's Delight, section 5-1. */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  return Math.imul(x, 0x01010101) >>> 24;
}
