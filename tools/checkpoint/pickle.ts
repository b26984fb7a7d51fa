/**
 * Reads a pickle without executing it: a stack machine over plain data, protocols 0 to 5 as numpy and JAX use them.
 * Calls and globals go through the allow-list of numpy.ts; Python 2 strings, instances, sets, persistent ids and
 * out-of-band buffers are refused. Memory stays within a small multiple of the file: an opcode pushes at most one
 * value, byte strings are views, and decoded text has a budget.
 * Source: CPython, Lib/pickletools.py (the opcode table) and Modules/_pickle.c.
 */
import { FormatError } from "../../runtime/errors.ts";
import { build, CALLS, type Fail, Global, resolveGlobal, type Value } from "./numpy.ts";

/** Text may be decoded to at most this multiple of the file: a memoised string must not be encoded without end. */
const TEXT_BUDGET = 2;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Undoes raw-unicode-escape, the text form of protocol 0: latin1 with \uXXXX and \UXXXXXXXX. */
function unescapeText(line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})/g, (_, short, long) =>
    String.fromCodePoint(Number.parseInt(short ?? long, 16)),
  );
}

class Unpickler {
  private at = 0;
  private opcodeAt = 0;
  private stack: Value[] = [];
  /** Stack heights at which MARKs lie. */
  private marks: number[] = [];
  private memo = new Map<number, Value>();
  private textLeft: number;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly path: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.textLeft = TEXT_BUDGET * bytes.length;
  }

  private readonly fail: Fail = (message) => {
    throw new FormatError(this.path, this.opcodeAt, message);
  };

  /** Takes `count` bytes of the file as a view. */
  private take(count: number): Uint8Array {
    if (count > this.bytes.length - this.at)
      this.fail(`expected ${count} more bytes, got ${this.bytes.length - this.at}; is the download complete?`);
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  private u8 = () => this.take(1)[0];
  private u16 = () => this.view.getUint16(this.skip(2), true);
  private u32 = () => this.view.getUint32(this.skip(4), true);
  private u64 = () => Number(this.view.getBigUint64(this.skip(8), true));

  private skip(count: number): number {
    this.take(count);
    return this.at - count;
  }

  /** Takes a line of a text opcode, without its newline, as latin1. */
  private line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) this.fail("expected a newline, got the end of the file; is the download complete?");
    const taken = this.take(end - this.at + 1).subarray(0, -1);
    const parts: string[] = [];
    for (let i = 0; i < taken.length; i += 4096) parts.push(String.fromCharCode(...taken.subarray(i, i + 4096)));
    return parts.join("");
  }

  private text(count: number): string {
    const taken = this.take(count);
    try {
      return utf8.decode(taken);
    } catch {
      return this.fail("expected text in UTF-8, got other bytes");
    }
  }

  /** Reads a whole number written as text, as LONG and INT do; 00 and 01 are the booleans of protocol 0. */
  private textInteger(): number | boolean {
    const line = this.line().replace(/L$/, "");
    if (line === "00" || line === "01") return line === "01";
    const value = /^-?\d+$/.test(line) ? Number(line) : NaN;
    return Number.isSafeInteger(value) ? value : this.fail("expected a whole number below 2^53, got something else");
  }

  /** Reads a little-endian two's-complement number of `count` bytes. */
  private integer(count: number): number {
    if (count > 8) this.fail(`expected a number of at most 8 bytes, got ${count}`);
    let value = 0n;
    this.take(count).forEach((byte, i) => {
      value |= BigInt(byte) << BigInt(8 * i);
    });
    return Number(BigInt.asIntN(8 * count, value));
  }

  private pop(): Value {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) this.fail("expected a value on the stack, got none");
    return this.stack.pop() as Value;
  }

  private peek(): Value {
    const value = this.pop();
    this.stack.push(value);
    return value;
  }

  private popTuple(count: number): Value[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  private popToMark(): Value[] {
    const mark = this.marks.pop() ?? this.fail("expected a MARK on the stack, got none");
    return this.stack.splice(mark);
  }

  private append(items: Value[]): undefined {
    const list = this.peek();
    if (!Array.isArray(list)) return this.fail("expected a list to append to, got something else");
    for (const item of items) list.push(item);
  }

  /** Sets pairs of key and value on the dict on top of the stack, or on `fresh`, which it returns. */
  private setItems(pairs: Value[], fresh?: Map<Value, Value>): Map<Value, Value> | undefined {
    const map = fresh ?? this.peek();
    if (!(map instanceof Map) || pairs.length % 2)
      return this.fail("expected a dict and pairs of key and value, got something else");
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
    return fresh;
  }

  private put(index: number): undefined {
    this.memo.set(index, this.peek());
  }

  private get(index: number): Value {
    const value = this.memo.get(index);
    return value === undefined ? this.fail(`expected memo ${index} to be set, got nothing there`) : value;
  }

  private index(): number {
    const index = this.textInteger();
    return typeof index === "number" && index >= 0 ? index : this.fail("expected a memo index, got something else");
  }

  private stackGlobal(): Global {
    const [module, name] = this.popTuple(2);
    if (typeof module !== "string" || typeof name !== "string")
      return this.fail("expected a global of two strings, got something else");
    return resolveGlobal(module, name, this.fail);
  }

  private call(): Value {
    const [callee, args] = this.popTuple(2);
    const run = callee instanceof Global ? CALLS.get(callee.name) : undefined;
    if (!run || !Array.isArray(args)) return this.refuse("a call of something else");
    if (typeof args[0] === "string") this.textLeft -= args[0].length;
    if (this.textLeft < 0) return this.refuse("one text decoded over and over");
    return run(args, this.fail);
  }

  /** Applies a state to the object below it, which stays on the stack. */
  private build(): Value {
    const [target, state] = this.popTuple(2);
    return build(target, state, this.fail);
  }

  private protocol(): undefined {
    const protocol = this.u8();
    if (protocol > 5) this.fail(`expected pickle protocol 0 to 5, got ${protocol}; save it with protocol 5`);
  }

  private refuse(what: string): never {
    return this.fail(
      `expected arrays and plain containers, got ${what}; this reader executes nothing: convert the checkpoint to safetensors`,
    );
  }

  /** What each opcode does; a value it returns is pushed. The letter is its name in text, where it has one. */
  private readonly opcodes: Readonly<Record<number, () => Value | undefined>> = {
    128: () => this.protocol(), // PROTO
    149: () => void this.u64(), // FRAME, a length for readers of streams
    40: () => void this.marks.push(this.stack.length), // ( MARK
    48: () => void (this.marks.at(-1) === this.stack.length ? this.marks.pop() : this.pop()), // 0 POP, of a MARK too
    49: () => void this.popToMark(), // 1 POP_MARK
    50: () => this.peek(), // 2 DUP

    78: () => null, // N NONE
    136: () => true, // NEWTRUE
    137: () => false, // NEWFALSE
    73: () => this.textInteger(), // I INT
    76: () => this.textInteger(), // L LONG
    75: () => this.u8(), // K BININT1
    77: () => this.u16(), // M BININT2
    74: () => this.integer(4), // J BININT
    138: () => this.integer(this.u8()), // LONG1
    139: () => this.integer(this.u32()), // LONG4
    70: () => Number(this.line()), // F FLOAT
    71: () => this.view.getFloat64(this.skip(8), false), // G BINFLOAT, the one big-endian number

    86: () => unescapeText(this.line()), // V UNICODE
    140: () => this.text(this.u8()), // SHORT_BINUNICODE
    88: () => this.text(this.u32()), // X BINUNICODE
    141: () => this.text(this.u64()), // BINUNICODE8
    67: () => this.take(this.u8()), // C SHORT_BINBYTES
    66: () => this.take(this.u32()), // B BINBYTES
    142: () => this.take(this.u64()), // BINBYTES8
    150: () => this.take(this.u64()), // BYTEARRAY8

    41: () => [], // ) EMPTY_TUPLE
    93: () => [], // ] EMPTY_LIST
    125: () => new Map(), // } EMPTY_DICT
    133: () => this.popTuple(1), // TUPLE1
    134: () => this.popTuple(2), // TUPLE2
    135: () => this.popTuple(3), // TUPLE3
    116: () => this.popToMark(), // t TUPLE
    108: () => this.popToMark(), // l LIST
    100: () => this.setItems(this.popToMark(), new Map()), // d DICT
    97: () => this.append([this.pop()]), // a APPEND
    101: () => this.append(this.popToMark()), // e APPENDS
    115: () => this.setItems(this.popTuple(2)), // s SETITEM
    117: () => this.setItems(this.popToMark()), // u SETITEMS

    112: () => this.put(this.index()), // p PUT
    113: () => this.put(this.u8()), // q BINPUT
    114: () => this.put(this.u32()), // r LONG_BINPUT
    148: () => this.put(this.memo.size), // MEMOIZE
    103: () => this.get(this.index()), // g GET
    104: () => this.get(this.u8()), // h BINGET
    106: () => this.get(this.u32()), // j LONG_BINGET

    99: () => resolveGlobal(this.line(), this.line(), this.fail), // c GLOBAL
    147: () => this.stackGlobal(), // STACK_GLOBAL
    82: () => this.call(), // R REDUCE
    98: () => this.build(), // b BUILD

    105: () => this.refuse(`an instance of ${this.line()}.${this.line()}`), // i INST
    151: () => this.refuse("an out-of-band buffer; save it without buffer_callback"), // NEXT_BUFFER
  };

  /** Runs opcodes to STOP and returns what they built. Throws: FormatError with the offset of the opcode. */
  run(): Value {
    for (;;) {
      this.opcodeAt = this.at;
      const opcode = this.u8();
      if (opcode === 46) return this.pop(); // . STOP
      const execute = this.opcodes[opcode] ?? (() => this.refuse(`opcode 0x${opcode.toString(16)}`));
      const value = execute();
      if (value !== undefined) this.stack.push(value);
    }
  }
}

/** Reads the value a pickle holds; byte strings are views of `bytes`. Throws: FormatError with the opcode's offset. */
export function readPickle(bytes: Uint8Array, path: string): Value {
  return new Unpickler(bytes, path).run();
}
