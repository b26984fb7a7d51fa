/**
 * Msgpack, as far as packs and the wire need it: nil, booleans, numbers, strings, lists, and maps with keys of text. A
 * library would also follow extensions, some of which never end on crafted bytes (CVE-2023-52079), and bring builds of its
 * own for each host. Source: the msgpack specification, "Formats".
 */
import { CapacityError, FormatError } from "./errors.ts";
import { describe } from "./json.ts";

/** What a device understands: no maps. */
export type Plain = null | boolean | number | string | Plain[];
/** What a pack's header holds besides. A property that is undefined is left out. */
export type Packable = Plain | Packable[] | { [key: string]: Packable | undefined };

/** Lists within one another: more than schemas and the values within them may be. */
const mostLists = 512;

/**
 * Each number in the fewest bytes that hold it, a fraction as float64; a map always with two bytes of length.
 * Throws: CapacityError for more within one another than a reader takes.
 */
export function writeMsgpack(value: Packable): Uint8Array {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes.slice(0, writer.at);
}

class Writer {
  bytes = new Uint8Array(256);
  at = 0;
  private view = new DataView(this.bytes.buffer);

  value(value: Packable, depth = 0): void {
    if (value === null) this.byte(0xc0);
    else if (typeof value === "boolean") this.byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "string") this.text(value);
    else if (depth > mostLists) {
      const message = `expected at most ${mostLists} lists within one another, got more; flatten the value`;
      throw new CapacityError("list", depth, mostLists, message);
    } else if (Array.isArray(value)) {
      this.head(value.length, 0x90, 16, [0, 0xdc, 0xdd]);
      for (const item of value) this.value(item, depth + 1);
    } else this.map(value, depth);
  }

  private number(value: number): void {
    if (Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32) {
      if (value >= 0) this.head(value, 0, 128, [0xcc, 0xcd, 0xce]);
      else if (value >= -32) this.byte(value + 0x100);
      else if (value >= -(2 ** 7)) this.wide(0xd0, 1, value + 2 ** 8);
      else if (value >= -(2 ** 15)) this.wide(0xd1, 2, value + 2 ** 16);
      else this.wide(0xd2, 4, value + 2 ** 32);
      return;
    }
    this.room(9);
    this.byte(0xcb);
    this.view.setFloat64(this.at, value);
    this.at += 8;
  }

  private text(value: string): void {
    const utf8 = encoder.encode(value);
    this.head(utf8.length, 0xa0, 32, [0xd9, 0xda, 0xdb]);
    this.room(utf8.length);
    this.bytes.set(utf8, this.at);
    this.at += utf8.length;
  }

  private map(value: { [key: string]: Packable | undefined }, depth: number): void {
    const entries = Object.entries(value).filter((entry): entry is [string, Packable] => entry[1] !== undefined);
    this.wide(0xde, 2, entries.length);
    for (const [key, item] of entries) {
      this.text(key);
      this.value(item, depth + 1);
    }
  }

  /** A count, or a whole number: within its first byte up to a limit, else after 1, 2 or 4 bytes' code; 0: not of 1. */
  private head(count: number, base: number, limit: number, [one, two, four]: number[]): void {
    if (count < limit) this.byte(base + count);
    else if (one && count < 2 ** 8) this.wide(one, 1, count);
    else if (count < 2 ** 16) this.wide(two, 2, count);
    else this.wide(four, 4, count);
  }

  private wide(code: number, width: 1 | 2 | 4, value: number): void {
    this.room(5);
    this.byte(code);
    if (width === 1) this.view.setUint8(this.at, value);
    else if (width === 2) this.view.setUint16(this.at, value);
    else this.view.setUint32(this.at, value);
    this.at += width;
  }

  private byte(value: number): void {
    this.room(1);
    this.bytes[this.at++] = value;
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const grown = new Uint8Array(2 * (this.at + bytes));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads values one by one. Throws: FormatError for other types, and for bytes that end too soon. */
export class MsgpackReader {
  protected at = 0;
  private readonly view: DataView;

  constructor(
    protected readonly bytes: Uint8Array,
    private readonly mayMap = false,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether all has been read. */
  get isDone(): boolean {
    return this.at === this.bytes.length;
  }

  protected take(count: number): number {
    const from = this.at;
    if (from + count > this.bytes.length) {
      const left = this.bytes.length - from;
      throw new FormatError("end", from, `expected ${count} more bytes, got ${left}; the rest is missing`);
    }
    this.at += count;
    return from;
  }

  protected wrong(path: string, expected: string, got: unknown, offset = this.at): never {
    throw new FormatError(path, offset, `expected ${expected}, got ${describe(got)}`);
  }

  /** Of a list whose first byte was read; −1 if that begins no list. */
  protected listLength(head: number): number {
    if (head >> 4 === 9) return head & 15;
    if (head === 0xdc) return this.view.getUint16(this.take(2));
    return head === 0xdd ? this.view.getUint32(this.take(4)) : -1;
  }

  value(depth = 0): Packable {
    const { view } = this;
    const head = this.bytes[this.take(1)];
    const count = this.listLength(head);
    if (count >= 0) {
      this.checkDepth(depth);
      const list: Packable[] = this.shortStrings(count);
      while (list.length < count) list.push(this.value(depth + 1));
      return list;
    }
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head >> 5 === 5) return this.utf8(head & 31);
    if (this.mayMap && head >> 4 === 8) return this.map(head & 15, depth);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xcb: {
        const value = view.getFloat64(this.take(8));
        return Number.isFinite(value) ? value : this.wrong("number", "a finite number", String(value));
      }
      case 0xcc:
        return view.getUint8(this.take(1));
      case 0xcd:
        return view.getUint16(this.take(2));
      case 0xce:
        return view.getUint32(this.take(4));
      case 0xd0:
        return view.getInt8(this.take(1));
      case 0xd1:
        return view.getInt16(this.take(2));
      case 0xd2:
        return view.getInt32(this.take(4));
      case 0xd9:
        return this.utf8(view.getUint8(this.take(1)));
      case 0xda:
        return this.utf8(view.getUint16(this.take(2)));
      case 0xdb:
        return this.utf8(view.getUint32(this.take(4)));
      case 0xde:
        if (this.mayMap) return this.map(view.getUint16(this.take(2)), depth);
    }
    return this.wrong("type", "nil, a boolean, number, string or list", `type byte 0x${head.toString(16)}`);
  }

  /**
   * The strings of up to 31 bytes that a list begins with, decoded as one where they are many: a pack's header has
   * thousands, and a fresh process takes longer over each call of a decoder than over its bytes. None where one is no
   * UTF-8, or holds the character that parts them here: the list's reader takes them one by one.
   */
  private shortStrings(most: number): string[] {
    const heads: number[] = [];
    let end = this.at;
    while (heads.length < most && this.bytes[end] >> 5 === 5) {
      heads.push(end);
      end += 1 + (this.bytes[end] & 31);
    }
    if (heads.length < fewStrings || end > this.bytes.length) return [];
    // A copy also of a Buffer, whose `slice` is none.
    const parted = new Uint8Array(this.bytes.subarray(this.at, end));
    for (const head of heads) parted[head - this.at] = 0;
    try {
      const [, ...strings] = strictUtf8.decode(parted).split("\0");
      if (strings.length !== heads.length) return [];
      this.at = end;
      return strings;
    } catch {
      return [];
    }
  }

  private map(count: number, depth: number): Packable {
    this.checkDepth(depth);
    const entries: [string, Packable][] = [];
    while (entries.length < count) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") return this.wrong("map", "a key of text", key);
      entries.push([key, this.value(depth + 1)]);
    }
    return Object.fromEntries(entries);
  }

  private checkDepth(depth: number): void {
    if (depth > mostLists) this.wrong("list", `at most ${mostLists} lists within one another`, "more");
  }

  private utf8(count: number): string {
    const from = this.take(count);
    try {
      return strictUtf8.decode(this.bytes.subarray(from, from + count));
    } catch {
      return this.wrong("string", "UTF-8", "other bytes");
    }
  }
}

/** Fewer are as quick one by one. */
const fewStrings = 16;

const encoder = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
