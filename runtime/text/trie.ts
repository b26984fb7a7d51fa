/** The vocabulary as a trie over bytes → which tokens an automaton takes. Made once per tokenizer. */
import type { Words } from "./tokenizer.ts";

/** What the grammar needs of a tokenizer. */
export interface Vocabulary {
  readonly vocabSize: number;
  readonly words: Words;
  bytesOf(id: number): Uint8Array;
  tokenizeRaw(text: string): number[];
}

/** What the trie needs of an automaton's states: the grammar's own, or those of copy.ts. */
export interface Automaton<Self> {
  step(byte: number): Self | null;
}

/** Allowed tokens: a bitset over the vocabulary, their number, and one of them. */
export interface Mask {
  bits: Uint32Array;
  count: number;
  some: number;
}

/**
 * Nodes in the order of a walk, parents first, in flat arrays: node i has its byte, its depth from 0, the node after its
 * descendants, and its tokens from firstToken[i] up to firstToken[i + 1]. Source: llguidance, docs/toktrie.md.
 */
export class TokenTrie {
  private readonly bytes: Uint8Array;
  private readonly depths: Uint16Array;
  private readonly ends: Int32Array;
  private readonly firstToken: Int32Array;
  private readonly tokens: Int32Array;
  /** 1 for nodes whose bytes hold a quote or a backslash, which may leave a string. */
  private readonly leaving: Uint8Array;
  /** 1 for nodes without a token that may leave, there and below. */
  private readonly staying: Uint8Array;
  /** Masks of the tokens that stay within a string, by how many characters fit. */
  private readonly inside: Uint32Array[] = [];
  /** Characters that begin within each token, and within the longest. */
  private readonly characters: Uint16Array;
  private readonly mostCharacters: number;

  constructor(readonly vocabulary: Vocabulary) {
    const { vocabSize, words } = vocabulary;
    this.characters = new Uint16Array(vocabSize);
    // First as links from a root, node 0, in which 0 is none; then laid out.
    const most = 1 + words.bytes.length;
    const byte = new Uint8Array(most);
    const [child, sibling, lastToken] = [new Int32Array(most), new Int32Array(most), new Int32Array(most)];
    // The root has hundreds of children, any other node a few.
    const first = new Int32Array(256);
    const tokenBefore = new Int32Array(vocabSize);
    let made = 1;
    // A function, so that hosts compile it while it runs a first time.
    const link = (id: number): void => {
      let [node, characters] = [0, 0];
      const end = words.starts[id + 1] - 1;
      for (let at = words.starts[id]; at < end; at++) {
        const value = words.bytes[at];
        if ((value & 0xc0) !== 0x80) characters++;
        let next = node ? child[node] : first[value];
        while (next && byte[next] !== value) next = sibling[next];
        if (!next) {
          next = made++;
          byte[next] = value;
          sibling[next] = child[node];
          child[node] = next;
          if (!node) first[value] = next;
        }
        node = next;
      }
      this.characters[id] = characters;
      tokenBefore[id] = lastToken[node];
      lastToken[node] = id + 1;
    };
    for (let id = 0; id < vocabSize; id++) link(id);
    this.mostCharacters = this.characters.reduce((most, count) => Math.max(most, count), 0);

    this.bytes = new Uint8Array(made - 1);
    this.depths = new Uint16Array(made - 1);
    this.ends = new Int32Array(made - 1);
    this.firstToken = new Int32Array(made);
    this.tokens = new Int32Array(vocabSize);
    this.leaving = new Uint8Array(made - 1);
    this.staying = new Uint8Array(made - 1);
    let [laid, tokens] = [0, 0];
    const lay = (node: number, depth: number, inherited: boolean): boolean => {
      const at = laid++;
      const leaves = inherited || byte[node] === 0x22 || byte[node] === 0x5c;
      this.bytes[at] = byte[node];
      this.depths[at] = depth;
      this.leaving[at] = Number(leaves);
      this.firstToken[at] = tokens;
      for (let id = lastToken[node] - 1; id >= 0; id = tokenBefore[id] - 1) this.tokens[tokens++] = id;
      let below = leaves;
      for (let next = child[node]; next; next = sibling[next]) below = lay(next, depth + 1, leaves) || below;
      this.staying[at] = Number(!below);
      this.ends[at] = laid;
      return below;
    };
    for (let node = child[0]; node; node = sibling[node]) lay(node, 0, false);
    this.firstToken[laid] = tokens;
  }

  /**
   * The tokens that may follow a state. `stringRoom` is how many characters a string may take from there, 0 outside one:
   * tokens without quote and backslash are then those that `text`, any string, takes, as far as there is room.
   */
  allowed<S extends Automaton<S>>(state: S, stringRoom = 0, text = state): Mask {
    const bits = stringRoom
      ? this.collect(state, this.staying, this.insideString(stringRoom, text).slice())
      : this.collect(state, null, this.noTokens());
    let count = 0;
    let some = -1;
    for (let i = 0; i < bits.length; i++) {
      if (!bits[i]) continue;
      if (some < 0) some = i * 32 + (31 - Math.clz32(bits[i] & -bits[i]));
      count += ones(bits[i]);
    }
    return { bits, count, some };
  }

  private insideString<S extends Automaton<S>>(room: number, text: S): Uint32Array {
    const most = Math.min(room, this.mostCharacters);
    if (!this.inside[most]) {
      const bits = this.collect(text, this.leaving, this.noTokens());
      for (const id of this.tokens) {
        if (this.characters[id] > most) bits[id >> 5] &= ~(1 << (id & 31));
      }
      this.inside[most] = bits;
    }
    return this.inside[most];
  }

  private noTokens(): Uint32Array {
    return new Uint32Array(Math.ceil(this.vocabulary.vocabSize / 32));
  }

  /** Adds to a bitset what a state takes, but for the nodes to skip. */
  private collect<S extends Automaton<S>>(start: S, skip: Uint8Array | null, bits: Uint32Array): Uint32Array {
    this.walk(0, this.bytes.length, start, skip, (node) => {
      for (let i = this.firstToken[node]; i < this.firstToken[node + 1]; i++) {
        const id = this.tokens[i];
        bits[id >> 5] |= 1 << (id & 31);
      }
    });
    return bits;
  }

  /** Visits the nodes that lead from a state to another, from a node up to the end of its siblings and their descendants. */
  private walk<S extends Automaton<S>>(
    from: number,
    to: number,
    start: S,
    skip: Uint8Array | null,
    visit: (node: number, state: S) => void,
  ): void {
    const { bytes, depths, ends } = this;
    const states: S[] = [start];
    for (let node = from; node < to; ) {
      const depth = depths[node] - depths[from];
      const next = skip?.[node] ? null : states[depth].step(bytes[node]);
      if (next) {
        states[depth + 1] = next;
        visit(node, next);
        node++;
      } else node = ends[node];
    }
  }

  /** Whether a token leads from a state to one of a kind, and further. */
  leadsThrough<S extends Automaton<S>>(start: S, kind: (state: S) => boolean): boolean {
    let found = false;
    this.walk(0, this.bytes.length, start, null, (node, state) => {
      found ||= this.ends[node] > node + 1 && kind(state);
    });
    return found;
  }

  /** Bytes by which a piece can reach from within others past their end, as far as the state there lets them. */
  reachingAcross<S extends Automaton<S>>(bytes: readonly number[], end: S): number[][] {
    const rests: number[][] = [];
    for (let start = bytes.length - 1; start >= 0; start--) {
      const base = this.find(bytes, start);
      if (base < 0) continue;
      const rest: number[] = [];
      this.walk(base + 1, this.ends[base], end, null, (node) => {
        rest.length = this.depths[node] - this.depths[base] - 1;
        rest.push(this.bytes[node]);
        if (this.firstToken[node] < this.firstToken[node + 1]) rests.push([...rest]);
      });
    }
    return rests;
  }

  /** The node that bytes from a place on lead to, −1 for none. */
  private find(path: readonly number[], from: number): number {
    let node = -1;
    for (let i = from; i < path.length; i++) {
      const end = node < 0 ? this.bytes.length : this.ends[node];
      let child = node + 1;
      while (child < end && this.bytes[child] !== path[i]) child = this.ends[child];
      if (child === end) return -1;
      node = child;
    }
    return node;
  }

  /** The lowest token of a single byte: its own, which every vocabulary has. */
  byteToken(byte: number): number {
    const node = this.find([byte], 0);
    return this.tokens[this.firstToken[node + 1] - 1];
  }
}

/** Bits that are set. Source: Warren, Hacker's Delight, section 5-1. */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  return Math.imul(x, 0x01010101) >>> 24;
}
