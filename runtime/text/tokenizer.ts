/**
 * Text to ids and back, as SentencePiece BPE does it with byte fallback, identity normaliser and dummy prefix.
 * Left out, since Needle's vocabularies have none of it: normalisation rules, sampling, unused pieces, other symbols.
 *
 *     "Hi  Bob ☕"  normalise  "▁Hi▁Bob▁☕"  BPE  ▁Hi ▁Bob ▁ ☕  byte fallback  ▁Hi ▁Bob ▁ <0xE2> <0x98> <0x95>
 *
 * Source: SentencePiece 0.2, normalizer.cc (Normalize), bpe_model.cc (SampleEncode), sentencepiece_processor.cc (Decode).
 */

/** Ids that every Needle vocabulary gives the same meaning. */
export const special = { pad: 0, eos: 1, bos: 2, unk: 3, toolCall: 4, tools: 5 } as const;

const specialPieces = ["<pad>", "</s>", "<s>", "<unk>", "<tool_call>", "<tools>"];
/** What a space becomes. */
const spacePiece = "▁";

const utf8 = new TextEncoder();

/** What the library writes for `<unk>`; byte fallback leaves no text that needs it, but a model may emit the id. */
const unkSurface = " \u2047 ";

/** Words end to end: the bytes of word i lie from starts[i] to starts[i + 1] − 1, where one that is nobody's follows. */
export interface Words {
  bytes: Uint8Array;
  starts: Uint32Array;
}

/** Turns ids into text as they come. `push` holds back the bytes of an unfinished character, `end` lets them go. */
export interface TextStream {
  push(id: number): string;
  end(): string;
}

/** Tokenizes and detokenizes with one vocabulary. Time: O(n log n) in the length of the text. */
export class Tokenizer {
  readonly pieces: readonly string[];
  /**
   * Ids of normal pieces by their text. The id is also the merge rank: in both vocabularies scores strictly fall with
   * the id, so no scores are kept (tools/sentencepiece.ts checks that of every vocabulary it reads).
   */
  readonly #idOf: Map<string, number>;
  readonly #byteIds: number[] = [];
  readonly #byteOf = new Map<number, number>();
  #words: Words | undefined;

  /**
   * Indexes the pieces, given in id order.
   * Throws: RangeError if a special id, a byte piece or the space is missing, or a piece is empty or comes twice.
   */
  constructor(pieces: readonly string[]) {
    this.pieces = pieces;
    this.#idOf = new Map();
    for (let id = 0; id < pieces.length; id++) {
      const piece = pieces[id];
      if (piece === "" || this.#idOf.set(piece, id).size === id) {
        const got =
          piece === "" ? "an empty one" : `${JSON.stringify(piece)}, which is id ${pieces.indexOf(piece)} already`;
        throw new RangeError(`pieces[${id}]: expected a new piece, got ${got}; pass the pieces in id order`);
      }
    }
    for (const [id, piece] of specialPieces.entries()) {
      if (pieces[id] !== piece) {
        const got = JSON.stringify(pieces[id]) ?? "nothing";
        throw new RangeError(`pieces[${id}]: expected "${piece}", got ${got}; pass a Needle vocabulary in id order`);
      }
      this.#idOf.delete(piece);
    }
    for (let byte = 0; byte < 256; byte++) {
      const piece = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
      const id = this.#idOf.get(piece);
      if (id === undefined) {
        throw new RangeError(
          `pieces: expected a byte piece "${piece}", got none; pass a vocabulary with byte fallback`,
        );
      }
      this.#byteIds.push(id);
      this.#byteOf.set(id, byte);
      // Text that spells a special or byte piece must not become one.
      this.#idOf.delete(piece);
    }
    if (!this.#idOf.has(spacePiece)) {
      throw new RangeError(`pieces: expected the piece "▁", a space, got none; pass a vocabulary that can write one`);
    }
  }

  get vocabSize(): number {
    return this.pieces.length;
  }

  /**
   * Tokenizes a query, a tool list or any text that stands alone.
   * Runs of U+0020 collapse and are trimmed, a dummy space goes in front. Unlike in the library `<tool_call>` and `<tools>`
   * are text like any other: what a user says is no mark.
   * Lone surrogates count as U+FFFD. A `▁` (U+2581) in the text reads back as a space, as in the library.
   */
  tokenize(text: string): number[] {
    const ids: number[] = [];
    this.#merge(normalise(text), ids);
    return ids;
  }

  /**
   * Tokenizes text that continues an answer: no dummy space, every space kept, no user-defined symbols.
   * `bytesOf` over the ids is exactly the UTF-8 of the text (lone surrogates count as U+FFFD).
   */
  tokenizeRaw(text: string): number[] {
    const ids: number[] = [];
    for (const [i, part] of wellFormed(text).split("▁").entries()) {
      // A real ▁ would read back as a space, so unlike the library it goes out as bytes.
      if (i > 0) this.#fallBack("▁", ids);
      this.#merge(part.replaceAll(" ", "▁"), ids);
    }
    return ids;
  }

  /**
   * Gives the UTF-8 bytes a piece writes into a text under way: `▁` as a space, a byte piece as its byte.
   * Special ids, user-defined symbols among them, have no bytes: no answer may spell one.
   * Throws: RangeError if the id is not in the vocabulary.
   */
  bytesOf(id: number): Uint8Array {
    this.#pieceOf(id);
    const { bytes, starts } = this.words;
    return bytes.subarray(starts[id], starts[id + 1] - 1);
  }

  /** `bytesOf` all pieces, made when first asked for. */
  get words(): Words {
    this.#words ??= this.#encode();
    return this.#words;
  }

  /** One call of the encoder: a fresh process takes longer over thousands. */
  #encode(): Words {
    const texts = this.pieces.map((piece, id) => {
      if (id < specialPieces.length) return "";
      return this.#byteOf.has(id) ? "?" : piece;
    });
    // With something between them, halves of a surrogate pair do not meet.
    const bytes = utf8.encode(texts.join("\n").replaceAll("▁", " "));
    const starts = new Uint32Array(texts.length + 1);
    let at = 0;
    for (let id = 0; id < texts.length; id++) {
      starts[id] = at;
      for (let units = texts[id].length; units > 0; units--) {
        const lead = bytes[at];
        at += lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (lead >= 0xf0) units--;
      }
      at++;
    }
    starts[texts.length] = at;
    for (const [id, byte] of this.#byteOf) bytes[starts[id]] = byte;
    return { bytes, starts };
  }

  /** The id of the piece that stands for a byte. */
  byteId(byte: number): number {
    return this.#byteIds[byte];
  }

  /**
   * Turns ids back into text; leading spaces go, bytes that are not UTF-8 become U+FFFD one by one.
   * Throws: RangeError if an id is not in the vocabulary.
   */
  detokenize(ids: readonly number[]): string {
    const stream = this.stream();
    let text = "";
    for (const id of ids) text += stream.push(id);
    return text + stream.end();
  }

  /** Starts a text. What `push` and then `end` give, joined, is `detokenize` of the same ids. */
  stream(): TextStream {
    const held: number[] = [];
    let atStart = true;
    const push = (id: number): string => {
      const piece = this.#pieceOf(id);
      const byte = this.#byteOf.get(id);
      if (byte !== undefined) held.push(byte);
      let text = takeCharacters(held, byte === undefined);
      atStart &&= text === "";
      if (byte === undefined) text += surfaceOf(id, piece, atStart);
      atStart &&= text === "";
      return text;
    };
    return { push, end: () => takeCharacters(held, true) };
  }

  #pieceOf(id: number): string {
    const piece = this.pieces[id];
    if (piece === undefined) {
      throw new RangeError(`id: expected 0 to ${this.vocabSize - 1}, got ${id}; use the vocabulary the ids come from`);
    }
    return piece;
  }

  /** Appends the ids of an escaped text: joins the pair of the lowest id, leftmost first, until none can be joined. */
  #merge(text: string, ids: number[]): void {
    // A symbol is [start, end[start]), named by its start; the next starts where it ends. An absorbed one has end 0.
    const end = new Uint32Array(text.length);
    const before = new Int32Array(text.length + 1).fill(-1);
    for (let start = 0; start < text.length; start = end[start]) {
      end[start] = start + (text.codePointAt(start)! > 0xffff ? 2 : 1);
      before[end[start]] = start;
    }

    const pairs = new MinHeap();
    const offer = (left: number) => {
      const right = end[left];
      if (right === text.length) return;
      const id = this.#idOf.get(text.slice(left, end[right]));
      // Id first, then position: both fit a float64 exactly while ids stay below 2^21.
      if (id !== undefined) pairs.push(id * 2 ** 32 + left);
    };
    for (let start = 0; start < text.length; start = end[start]) offer(start);

    for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
      const left = pair % 2 ** 32;
      const right = end[left];
      const length = this.pieces[Math.floor(pair / 2 ** 32)].length;
      // A neighbour may have been joined since the offer: then the pair no longer has the piece's length.
      if (right === 0 || right === text.length || end[right] - left !== length) continue;
      end[left] = end[right];
      end[right] = 0;
      before[end[left]] = left;
      offer(left);
      if (left > 0) offer(before[left]);
    }

    for (let start = 0; start < text.length; start = end[start]) {
      const symbol = text.slice(start, end[start]);
      const id = this.#idOf.get(symbol);
      if (id === undefined) this.#fallBack(symbol, ids);
      else ids.push(id);
    }
  }

  #fallBack(text: string, ids: number[]): void {
    for (const byte of utf8.encode(text)) ids.push(this.#byteIds[byte]);
  }
}

/** Collapses and trims U+0020, puts the dummy space in front, escapes spaces as `▁`. */
function normalise(text: string): string {
  const escaped = `▁${wellFormed(text).replace(/ +/g, " ").replace(/^ /, "")}`.replaceAll(" ", "▁");
  // The library trims the end after escaping, so a ▁ that the text itself ends in goes too; at the start one stays.
  let length = escaped.length;
  while (escaped[length - 1] === "▁") length--;
  return escaped.slice(0, length);
}

/** Replaces lone surrogates with U+FFFD, as UTF-8 encoders do. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** Gives the text of a piece that is no byte piece. While nothing has been written yet, its leading space goes. */
function surfaceOf(id: number, piece: string, atStart: boolean): string {
  if (id === special.unk) return unkSurface;
  if (id < special.unk) return "";
  return (atStart && piece.startsWith("▁") ? piece.slice(1) : piece).replaceAll("▁", " ");
}

/** Smallest code point that needs this many UTF-8 bytes; shorter spellings only are valid. */
const smallestOf = [Number.POSITIVE_INFINITY, 0, 0x80, 0x800, 0x10000];

/**
 * Takes the characters that are whole off the front of UTF-8 bytes; the rest stays unless it is the last.
 * Each byte of an invalid sequence becomes a U+FFFD of its own, as in SentencePiece; TextDecoder would write one for
 * a truncated sequence.
 */
function takeCharacters(bytes: number[], isLast: boolean): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    const size = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 0;
    let point = size === 1 ? lead : lead & (0x7f >> size);
    let read = 1;
    while (read < size && (bytes[at + read] & 0xc0) === 0x80) point = (point << 6) | (bytes[at + read++] & 0x3f);
    if (read < size && at + read === bytes.length && !isLast) break;
    const isSurrogate = point >= 0xd800 && point < 0xe000;
    const isValid = read === size && point >= smallestOf[size] && point <= 0x10ffff && !isSurrogate;
    text += isValid ? String.fromCodePoint(point) : "\ufffd";
    at += isValid ? size : 1;
  }
  bytes.splice(0, at);
  return text;
}

/** Keeps numbers so that the smallest comes out first: a binary heap, children of i at 2i + 1 and 2i + 2. */
class MinHeap {
  readonly #items: number[] = [];

  push(item: number): void {
    const items = this.#items;
    let i = items.length;
    while (i > 0 && items[(i - 1) >> 1] > item) {
      items[i] = items[(i - 1) >> 1];
      i = (i - 1) >> 1;
    }
    items[i] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child + 1 < items.length && items[child + 1] < items[child]) child++;
      if (child >= items.length || items[child] >= last) break;
      items[i] = items[child];
      i = child;
    }
    items[i] = last;
    return top;
  }
}
