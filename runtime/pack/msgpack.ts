/**
 * The part of msgpack that thimble's files use: nil, booleans, numbers, text, lists, and maps with text keys.
 *
 *   00…7f  integer 0 … 127    c0  nil           cb  float64   d0 d1 d2  int8, 16, 32      dc dd  list of 16, 32
 *   80…8f  map of 0 … 15      c2  false         cc  uint8     d9 da db  text of 8, 16,    de df  map of 16, 32
 *   90…9f  list of 0 … 15     c3  true          cd  uint16                       32       e0…ff  integer −32 … −1
 *   a0…bf  text of 0 … 31                       ce  uint32              bits of length
 *
 * Extensions and raw bytes are refused. Source: the msgpack specification, "Formats".
 */
import { isObject, type Json } from "../json.ts";

/** Lists and maps within one another: deeper than any file's. */
const mostLevels = 1100;

/** Reads one value, which must fill the bytes. Throws: RangeError for what is not such a value. */
export function readMsgpack(bytes: Uint8Array): Json {
  return new Reader(bytes).whole();
}

class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  whole(): Json {
    const value = this.value(0);
    if (this.at < this.bytes.length)
      throw new RangeError(`expected one value, got ${this.bytes.length - this.at} more bytes`);
    return value;
  }

  private value(level: number): Json {
    if (level > mostLevels) throw new RangeError(`expected at most ${mostLevels} lists within one another, got more`);
    const head = this.view.getUint8(this.take(1));
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head < 0x90) return this.map(head & 15, level);
    if (head < 0xa0) return this.list(head & 15, level);
    if (head < 0xc0) return this.text(head & 31);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xcb:
        return this.view.getFloat64(this.take(8));
      case 0xcc:
        return this.view.getUint8(this.take(1));
      case 0xcd:
        return this.view.getUint16(this.take(2));
      case 0xce:
        return this.view.getUint32(this.take(4));
      case 0xd0:
        return this.view.getInt8(this.take(1));
      case 0xd1:
        return this.view.getInt16(this.take(2));
      case 0xd2:
        return this.view.getInt32(this.take(4));
      case 0xd9:
        return this.text(this.view.getUint8(this.take(1)));
      case 0xda:
        return this.text(this.view.getUint16(this.take(2)));
      case 0xdb:
        return this.text(this.view.getUint32(this.take(4)));
      case 0xdc:
        return this.list(this.view.getUint16(this.take(2)), level);
      case 0xdd:
        return this.list(this.view.getUint32(this.take(4)), level);
      case 0xde:
        return this.map(this.view.getUint16(this.take(2)), level);
      case 0xdf:
        return this.map(this.view.getUint32(this.take(4)), level);
      default:
        throw new RangeError(`expected a value of msgpack, got the byte 0x${head.toString(16)}`);
    }
  }

  private list(length: number, level: number): Json[] {
    const items: Json[] = [];
    while (items.length < length) items.push(this.value(level + 1));
    return items;
  }

  private map(length: number, level: number): Record<string, Json> {
    const entries: [string, Json][] = [];
    while (entries.length < length) {
      const key = this.value(mostLevels);
      if (typeof key !== "string") throw new RangeError(`expected a key of text, got ${typeof key}`);
      entries.push([key, this.value(level + 1)]);
    }
    return Object.fromEntries(entries);
  }

  private text(length: number): string {
    const { bytes } = this;
    const start = this.take(length);
    // A decoder costs more than a short text's letters.
    let letters = "";
    for (let at = start; at < this.at && bytes[at] < 0x80; at++) letters += String.fromCharCode(bytes[at]);
    return letters.length === length ? letters : utf8.decode(bytes.subarray(start, this.at));
  }

  /** The place of so many bytes, which are read then. */
  private take(count: number): number {
    const from = this.at;
    if (count > this.bytes.length - from)
      throw new RangeError(`expected ${count} more bytes, got ${this.bytes.length - from}`);
    this.at += count;
    return from;
  }
}

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes a value; numbers in their shortest form, maps always with 16 bits of length, keys without a value left out.
 * Throws: TypeError for what JSON does not have.
 */
export function writeMsgpack(value: unknown): Uint8Array<ArrayBuffer> {
  const out = new Writer();
  out.value(value);
  return out.bytes.slice(0, out.length);
}

class Writer {
  bytes = new Uint8Array(1024);
  length = 0;
  private view = new DataView(this.bytes.buffer);

  value(value: unknown): void {
    // Enough for any first byte and number: their places are asked for after it.
    this.room(9);
    if (value === null) this.first(0xc0, 0);
    else if (typeof value === "boolean") this.first(value ? 0xc3 : 0xc2, 0);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "string") this.text(value);
    else if (Array.isArray(value)) {
      this.head(value.length, 0x90, 15, null, 0xdc, 0xdd);
      for (const item of value) this.value(item);
    } else if (isObject(value)) {
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      this.head(entries.length, 0x80, -1, null, 0xde, 0xdf);
      for (const [key, item] of entries) {
        this.room(9);
        this.text(key);
        this.value(item);
      }
    } else throw new TypeError(`msgpack: expected a value of JSON, got ${typeof value}`);
  }

  private number(value: number): void {
    if (!Number.isInteger(value) || value >= 2 ** 32 || value < -(2 ** 31)) {
      this.view.setFloat64(this.first(0xcb, 8), value);
    } else if (value >= 0) this.head(value, 0, 127, 0xcc, 0xcd, 0xce);
    else if (value >= -32) this.first(value + 0x100, 0);
    else if (value >= -128) this.view.setInt8(this.first(0xd0, 1), value);
    else if (value >= -32768) this.view.setInt16(this.first(0xd1, 2), value);
    else this.view.setInt32(this.first(0xd2, 4), value);
  }

  private text(text: string): void {
    const bytes = encoder.encode(text);
    this.head(bytes.length, 0xa0, 31, 0xd9, 0xda, 0xdb);
    this.room(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A number up to `most` within its first byte, or after a byte that says how wide it is. */
  private head(value: number, base: number, most: number, of8: number | null, of16: number, of32: number): void {
    if (value <= most) this.first(base + value, 0);
    else if (of8 !== null && value < 256) this.view.setUint8(this.first(of8, 1), value);
    else if (value < 65536) this.view.setUint16(this.first(of16, 2), value);
    else this.view.setUint32(this.first(of32, 4), value);
  }

  /** Writes a first byte, and gives the place of the so many bytes after it. */
  private first(value: number, more: number): number {
    this.bytes[this.length] = value;
    this.length += 1 + more;
    return this.length - more;
  }

  private room(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + count));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}
