/** Our msgpack beside msgpackr's, and beside bytes that nobody wrote. */
import { expect, test } from "bun:test";
import { pack, unpack } from "msgpackr";
import { FormatError } from "../runtime/errors.ts";
import { MsgpackReader, type Packable, writeMsgpack } from "../runtime/msgpack.ts";
import { seeded } from "./support.ts";

const read = (bytes: Uint8Array) => new MsgpackReader(bytes, true).value();

function randomValue(random: () => number, depth: number): Packable {
  const below = (n: number) => Math.floor(random() * n);
  const text = () =>
    "aü😀"
      .repeat(below(2) ? below(12) : below(90))
      .slice(below(3))
      .replace(/\p{Surrogate}/gu, "");
  const kinds = 5 + (depth > 0 ? 2 : 0);
  switch (below(kinds)) {
    case 0:
      return [null, true, false][below(3)];
    case 1:
      return Math.floor((random() - 0.5) * 2 ** below(70));
    case 2:
      return (random() - 0.5) * 2 ** below(70);
    case 5:
      return Array.from({ length: below(20) }, () => randomValue(random, depth - 1));
    case 6:
      return Object.fromEntries(Array.from({ length: below(20) }, () => [text(), randomValue(random, depth - 1)]));
    default:
      return text();
  }
}

test("2,000 random values have msgpackr's bytes, and each reads the other's", () => {
  const random = seeded(3);
  for (let run = 0; run < 2000; run++) {
    const value = randomValue(random, 3);
    const bytes = writeMsgpack(value);
    expect(Buffer.from(bytes).toString("hex")).toBe(Buffer.from(pack(value)).toString("hex"));
    expect(read(bytes)).toEqual(unpack(bytes));
  }
});

test("many short strings in a list read as they do one by one, and the one that is no UTF-8 is named by its place", () => {
  const random = seeded(7);
  const some = [
    "",
    "a",
    "ü",
    "▁the",
    "😀",
    "\ufeff",
    "é".repeat(15),
    "x".repeat(31),
    "y".repeat(32),
    "\0",
    "0".repeat(40),
  ];
  for (let run = 0; run < 300; run++) {
    const list: Packable[] = Array.from(
      { length: 15 + Math.floor(random() * 9) },
      () => some[Math.floor(random() * 11)],
    );
    if (run % 3 === 1) list.splice(Math.floor(random() * list.length), 0, 7, ["z"]);
    const bytes = writeMsgpack([list, "after"]);
    expect(read(bytes)).toEqual([list, "after"]);
    expect(() => read(bytes.subarray(0, bytes.length - 6 - (run % 5)))).toThrow(FormatError);
    const last = writeMsgpack(Array(20).fill("text"));
    expect(() => read(last.subarray(0, last.length - 1 - (run % 9)))).toThrow(FormatError);
  }
  // A character cut in two between strings is none.
  const cut = Uint8Array.of(0xdc, 0, 20, ...Array.from({ length: 19 }, () => [0xa1, 0x61]).flat(), 0xa1, 0xc3);
  const over = Uint8Array.of(
    0xdc,
    0,
    20,
    ...Array.from({ length: 18 }, () => [0xa1, 0x61]).flat(),
    0xa1,
    0xc3,
    0xa1,
    0xbc,
  );
  for (const [bytes, offset] of [
    [cut, 43],
    [over, 41],
  ] as const) {
    const error = (() => {
      try {
        return read(bytes);
      } catch (error) {
        return error;
      }
    })() as FormatError;
    expect([error.constructor, error.path, error.offset]).toEqual([FormatError, "string", offset]);
  }
});

test("a Buffer is only read", () => {
  const value = Array.from({ length: 40 }, (_, i) => `word ${i}`);
  const bytes = Buffer.from(writeMsgpack(value));
  const before = bytes.toString("hex");
  expect(read(bytes)).toEqual(value);
  expect(bytes.toString("hex")).toBe(before);
});

test("lengths and numbers at the limits of each form come back, in msgpackr's bytes", () => {
  const numbers = [0, 31, 32, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53].flatMap((n) => [
    n,
    -n,
    -n - 1,
  ]);
  const lengths = [0, 15, 16, 31, 32, 255, 256, 65535, 65536];
  const values: Packable[] = [
    ...numbers,
    0.1,
    -1e300,
    ...lengths.map((n) => "x".repeat(n)),
    ...lengths.map((n) => Array(n).fill(0)),
  ];
  for (const value of values) {
    expect(Buffer.compare(writeMsgpack(value), pack(value))).toBe(0);
    expect(read(writeMsgpack(value))).toEqual(value === 0 ? 0 : value);
  }
});

test("a key of any text is a property of its own, and what is undefined is left out", () => {
  const map = Object.fromEntries(["__proto__", "constructor", ""].map((key) => [key, key]));
  const back = read(writeMsgpack({ ...map, absent: undefined, __proto__: null })) as Record<string, unknown>;
  expect(Object.entries(back)).toEqual(Object.entries(map));
  expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
});

test("any bytes give a value or a FormatError: cut, random, extensions, keys that are no text, lists without end", () => {
  const random = seeded(4);
  const outcome = (bytes: Uint8Array) => {
    try {
      read(bytes);
      return "value";
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return "refused";
    }
  };
  const whole = writeMsgpack({ a: [1, -1, 0.5, "ü", null, true], b: { c: "d" } });
  for (let cut = 0; cut < whole.length; cut++) expect(outcome(whole.subarray(0, cut))).toBe("refused");
  let refused = 0;
  for (let run = 0; run < 20_000; run++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 30) }, () => random() * 256);
    if (outcome(bytes) === "refused") refused++;
  }
  expect(refused).toBeGreaterThan(5000);
  for (const bytes of [[0xc1], [0xd4, 1, 2], [0x81, 1, 2], [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], [0xa1, 0xff]])
    expect(outcome(Uint8Array.from(bytes))).toBe("refused");
  expect(outcome(new Uint8Array(100_000).fill(0x91))).toBe("refused");
  expect(outcome(Uint8Array.from([0xdd, 0xff, 0xff, 0xff, 0xff, 0]))).toBe("refused");
});
