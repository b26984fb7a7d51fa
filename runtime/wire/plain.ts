import { FormatError } from "../errors.ts";
import { describe } from "../json.ts";

export type Plain = null | boolean | number | string | Plain[];

/** Lists within one another: more than schemas and the values within them may be. */
const mostLists = 1100;

/**
 * Msgpack of plain types alone, a list's items one by one. A library would also follow extensions, some of which never
 * end on crafted bytes (CVE-2023-52079), and these bytes may come over the air.
 */
export class PlainReader {
  /** Where the last item began. */
  offset = 0;
  /** Items not yet read. */
  left: number;
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = bytes[this.take(1)];
    this.left = this.listLength(first);
    if (this.left < 0) this.wrong("list", "a list in msgpack", first);
  }

  next(path: string): Plain {
    this.offset = this.at;
    if (this.left-- < 1) this.wrong(path, "a value", undefined);
    return this.value(0);
  }

  /** Throws: FormatError if anything is left. */
  end(): void {
    this.offset = this.at;
    if (this.at < this.bytes.length) this.wrong("end", "the end", `${this.bytes.length - this.at} more bytes`);
  }

  wrong(path: string, expected: string, got: unknown): never {
    throw new FormatError(path, this.offset, `expected ${expected}, got ${describe(got)}`);
  }

  private take(count: number): number {
    const from = this.at;
    if (from + count > this.bytes.length) {
      const left = this.bytes.length - from;
      throw new FormatError("end", from, `expected ${count} more bytes, got ${left}; the rest is missing`);
    }
    this.at += count;
    return from;
  }

  /** Of a list whose first byte was read; −1 if that begins no list. */
  private listLength(head: number): number {
    if (head >> 4 === 9) return head & 15;
    if (head === 0xdc) return this.view.getUint16(this.take(2));
    return head === 0xdd ? this.view.getUint32(this.take(4)) : -1;
  }

  private value(depth: number): Plain {
    const { view } = this;
    const head = this.bytes[this.take(1)];
    const count = this.listLength(head);
    if (count >= 0) {
      if (depth > mostLists) this.wrong("list", `at most ${mostLists} lists within one another`, "more");
      const list: Plain[] = [];
      while (list.length < count) list.push(this.value(depth + 1));
      return list;
    }
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head >> 5 === 5) return this.utf8(head & 31);
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
      default:
        return this.wrong("type", "nil, a boolean, number, string or list", `type byte 0x${head.toString(16)}`);
    }
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

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
