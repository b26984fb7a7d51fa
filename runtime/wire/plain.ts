/** A list in msgpack, its items one by one: these bytes may come over the air. */
import { MsgpackReader, type Plain } from "../msgpack.ts";

export type { Plain };

export class PlainReader extends MsgpackReader {
  /** Where the last item began. */
  offset = 0;
  /** Items not yet read. */
  left: number;

  constructor(bytes: Uint8Array) {
    super(bytes);
    const first = bytes[this.take(1)];
    this.left = this.listLength(first);
    if (this.left < 0) this.wrong("list", "a list in msgpack", first);
  }

  next(path: string): Plain {
    this.offset = this.at;
    if (this.left-- < 1) this.wrong(path, "a value", undefined);
    return this.value() as Plain;
  }

  /** Throws: FormatError if anything is left. */
  end(): void {
    this.offset = this.at;
    if (!this.isDone) this.wrong("end", "the end", `${this.bytes.length - this.at} more bytes`);
  }

  /** Throws: FormatError at where the last item began. */
  override wrong(path: string, expected: string, got: unknown): never {
    return super.wrong(path, expected, got, this.offset);
  }
}
