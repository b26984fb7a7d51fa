/** What the tool bus says: lists of plain msgpack, the kind first. firmware/PROTOCOL.md has the table. */
import { writeMsgpack } from "../msgpack.ts";
import { type Plain, PlainReader } from "../wire/plain.ts";
import { joined } from "./frame.ts";

export const busVersion = 1;

export const says = {
  /** From the device: [version, name, hash of its tools, calls at once]; from the companion: [version, name, whether it knows the tools]. */
  hello: 0,
  /** [the set in its wire form] */
  tools: 1,
  /** [request, text] */
  request: 2,
  /** [fact, value, fact, value …], nil for one that holds no more */
  state: 3,
  /** [call, request or nil, who confirms, the call in its wire form] */
  call: 4,
  /** [call, how it ended, value or reason] */
  result: 5,
  /** [request, calls sent, decision] */
  done: 6,
  /** [question, text, option …] and its answer, [question, the option's place or nil] */
  ask: 7,
  answer: 8,
  /** [request or question] from the device, [call or question] from the companion */
  cancel: 9,
  /** [what it is about or nil, code, text] */
  error: 10,
} as const;

/** How a call ended, by its place in a result. */
export const endings = ["done", "failed", "refused"] as const;
export type Ending = (typeof endings)[number];

/** Who confirms a call. */
export const confirming = {
  /** The device, if the tool's risk asks for it. */
  byRisk: 0,
  /** The device, whatever the risk. */
  ask: 1,
  /** The companion has done it; the device asks again only before danger. */
  given: 2,
} as const;

/** Values → a message; bytes among them are msgpack already. */
export function writeMessage(...values: (Plain | Uint8Array)[]): Uint8Array {
  const parts = values.map((value) => (value instanceof Uint8Array ? value : writeMsgpack(value)));
  const { length } = values;
  const head = length < 16 ? [0x90 + length] : [0xdc, length >> 8, length & 255];
  return joined(Uint8Array.from(head), ...parts);
}

/** A message's kind and values, one by one. */
export class MessageReader {
  readonly kind: Plain;
  private readonly source: PlainReader;

  /** Throws: FormatError for bytes that are no list of plain msgpack. */
  constructor(private readonly bytes: Uint8Array) {
    this.source = new PlainReader(bytes);
    this.kind = this.source.next("message");
  }

  /** nil where the message ends before. */
  value(path: string): Plain {
    return this.source.left ? this.source.next(path) : null;
  }

  number(path: string, most = 0xffffff): number {
    const value = this.value(path);
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most) return value;
    return this.source.wrong(path, `a whole number up to ${most}`, value);
  }

  text(path: string, mostCharacters: number): string {
    const value = this.value(path);
    if (typeof value === "string" && value.length <= mostCharacters) return value;
    return this.source.wrong(path, `text of at most ${mostCharacters} characters`, value);
  }

  /** The bytes of the next value. */
  bytesOf(path: string): Uint8Array {
    this.value(path);
    const from = this.source.offset;
    if (!this.source.left) return this.bytes.subarray(from);
    this.value("later");
    return this.bytes.subarray(from, this.source.offset);
  }

  /** The values that are left. */
  rest(path: string): Plain[] {
    const values: Plain[] = [];
    while (this.source.left) values.push(this.value(path));
    return values;
  }
}
