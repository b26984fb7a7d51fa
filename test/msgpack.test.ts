import { expect, test } from "bun:test";
import { pack, unpack } from "msgpackr";
import { readMsgpack, writeMsgpack } from "../runtime/pack/msgpack.ts";
import { seeded } from "./support.ts";

const random = seeded(5);
const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
const whole = [0, 1, 31, 32, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const numbers = [...whole, ...whole.map((n) => -n), -33, -129, -32_769, 0.5, -1.25, 1e300, Math.PI];
const letters = ["a", "▁the", "é", "☕", "👍", '"', "\0", "\ufeff", "__proto__"];
const text = () => Array.from({ length: pick([0, 1, 3, 31, 32, 300]) }, () => pick(letters)).join("");

function value(depth: number): unknown {
  const kinds = [() => null, () => random() < 0.5, () => pick(numbers), text];
  const nested = [
    () => Array.from({ length: pick([0, 2, 15, 16]) }, () => value(depth - 1)),
    () => Object.fromEntries(Array.from({ length: pick([0, 1, 16]) }, () => [text(), value(depth - 1)])),
  ];
  return pick(depth ? [...kinds, ...nested] : kinds)();
}

test("writes the same bytes as msgpackr and reads what both write, over 2,000 random values", () => {
  for (let turn = 0; turn < 2000; turn++) {
    const made = value(3);
    const bytes = writeMsgpack(made);
    const same = JSON.parse(JSON.stringify(made));
    // The other library renames one key, for safety.
    if (!JSON.stringify(made).includes('"__proto__":')) expect(Buffer.from(bytes)).toEqual(Buffer.from(pack(made)));
    expect(readMsgpack(bytes)).toEqual(same);
  }
  const long = Array.from({ length: 70_000 }, (_, i) => i);
  expect(Buffer.from(writeMsgpack(long))).toEqual(Buffer.from(pack(long)));
  expect(readMsgpack(writeMsgpack("é".repeat(70_000)))).toBe("é".repeat(70_000));
  expect(unpack(writeMsgpack({ a: undefined, b: 1 }))).toEqual({ b: 1 });
});

test("any bytes are read or refused, none without end", () => {
  for (let turn = 0; turn < 5000; turn++) {
    const bytes = Uint8Array.from({ length: random() * 40 }, () => random() * 256);
    try {
      readMsgpack(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  }
  for (const byte of [0x91, 0x81, 0xdd, 0xdf, 0xc7, 0xd4])
    expect(() => readMsgpack(new Uint8Array(100_000).fill(byte))).toThrow(RangeError);
  expect(() => readMsgpack(new Uint8Array(100_000).fill(0x91))).toThrow("at most 1100 lists within one another");
});

test("what JSON does not have is refused", () => {
  for (const wrong of [1n, () => 1, Symbol("x"), undefined]) expect(() => writeMsgpack([wrong])).toThrow(TypeError);
});
