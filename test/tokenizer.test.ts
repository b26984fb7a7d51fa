import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { special, Tokenizer } from "../runtime/text/tokenizer.ts";
import { readVocabulary } from "../tools/sentencepiece.ts";

const read = (path: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(new URL(path, import.meta.url)));
const utf8 = (text: string) => new TextEncoder().encode(text);

/** The text with U+FFFD for lone surrogates, by way of the platform's own encoder. */
const wellFormed = (text: string) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(utf8(text));

interface Fixture<Case> {
  cases: Case[];
}
const fixture = JSON.parse(new TextDecoder().decode(read("fixtures/tokenizer.json"))) as Fixture<{
  text: string;
  nano: number[];
  decodedNano: string;
}>;
const model = read("fixtures/nano.model");
const list = new TextDecoder().decode(read("fixtures/nano.vocab.txt"));
const nano = new Tokenizer(readVocabulary(model, "nano.model"));

/** Draws whole numbers below a bound, the same ones for the same seed (mulberry32). */
function seeded(seed: number): (bound: number) => number {
  return (bound) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** What random texts are made of: every kind of character and spelling that has a rule of its own. */
const scraps = [
  ..."abcdefghijklmnopqrstuvwxyzABCXYZ0123456789",
  ...[" ", " ", "  ", "   ", "▁", "\t", "\n", "\r\n", "\0", "\x7f", "\u00a0", "\u2003", "\u200b", "\ufeff", "\ufffd"],
  ...["é", "e\u0301", "日本", "Привет", "👩‍👩‍👧‍👦", "🍕", "\ud835\udd44", "\u{10ffff}", "\ud83c", "\udf55"],
  ...["<tools>", "<tool_call>", "<tools", "<s>", "</s>", "<pad>", "<unk>", "<0x41>", " \u2047 "],
  ...["the ", "weather", '{"name":"', '","arguments":{"', '":"', '"}}]', "\\u00e9", "get_", "aaaaaaa"],
];

function randomTexts(seed: number, count: number): string[] {
  const random = seeded(seed);
  const scrap = () => scraps[random(scraps.length)];
  return Array.from({ length: count }, () => Array.from({ length: random(40) }, scrap).join(""));
}

/** Random ids, half of them bytes, with runs of valid and of broken UTF-8 among them. */
function randomIds(seed: number, count: number, vocabSize: number): number[][] {
  const random = seeded(seed);
  const byte0 = nano.pieces.indexOf("<0x00>");
  const some = (): number[] => {
    if (random(3) === 0) return [random(vocabSize)];
    if (random(3) === 0) return [random(6)];
    if (random(3) === 0) return [byte0 + random(256)];
    const bytes = [...utf8(String.fromCodePoint(0x80 + random(0x10ff7f)))];
    if (random(2) === 0) bytes.splice(random(bytes.length), 1);
    return bytes.map((byte) => byte0 + byte);
  };
  return Array.from({ length: count }, () => Array.from({ length: random(12) }, some).flat());
}

/** The stated normalisation, as text: U+0020 collapsed, `▁` a space, both ends trimmed, lone surrogates replaced. */
function normalised(text: string): string {
  const spaced = wellFormed(text).replace(/ +/g, " ").replaceAll("▁", " ");
  return spaced.replace(/^ +/, "").replace(/ +$/, "");
}

function bytesOf(tokenizer: Tokenizer, ids: number[]): Uint8Array {
  return Uint8Array.from(ids.flatMap((id) => [...tokenizer.bytesOf(id)]));
}

/** What the library takes for a mark wherever it stands. */
const symbol = /<tool_call>|<tools>/;

const isHalf = (text: string) => text !== wellFormed(text);

function laws(name: string, tokenizer: Tokenizer, cases: { text: string; ids: number[]; decoded: string }[]): void {
  describe(name, () => {
    test("tokenize gives the ids of the SentencePiece library", () => {
      const plain = cases.filter(({ text }) => !symbol.test(text));
      expect(plain.length).toBeGreaterThan(cases.length / 2);
      for (const { text, ids } of plain) expect(tokenizer.tokenize(text), text).toEqual(ids);
    });

    test("a text that spells a mark is text: no id is special, and it reads back", () => {
      for (const text of ["<tools>", "a<tool_call>b", "<tools><tools> <tool_call>", ...randomTexts(9, 300)]) {
        const ids = tokenizer.tokenize(text);
        expect(ids.some((id) => id <= special.tools)).toBe(false);
        expect(tokenizer.detokenize(ids)).toBe(normalised(text));
      }
    });

    test("detokenize gives the text of the SentencePiece library", () => {
      for (const { ids, decoded } of cases) expect(tokenizer.detokenize(ids)).toBe(decoded);
    });

    test("detokenize after tokenize is the identity after the stated normalisation", () => {
      for (const text of [...cases.map((c) => c.text), ...randomTexts(1, 3000)]) {
        expect(tokenizer.detokenize(tokenizer.tokenize(text)), JSON.stringify(text)).toBe(normalised(text));
      }
    });

    test("the bytes of tokenizeRaw are the UTF-8 of the text, and no id is special", () => {
      for (const text of [...cases.map((c) => c.text), ...randomTexts(2, 3000)]) {
        const ids = tokenizer.tokenizeRaw(text);
        expect(bytesOf(tokenizer, ids), JSON.stringify(text)).toEqual(utf8(text));
        expect(ids.some((id) => id <= special.tools)).toBe(false);
      }
    });

    test("tokenizeRaw of a space and a text is tokenize of the text, where normalisation has nothing to change", () => {
      const texts = [...cases.map((c) => c.text), ...randomTexts(7, 1000)].filter((text) => !text.includes("▁"));
      for (const text of texts.map(normalised).filter((text) => text !== "")) {
        expect(tokenizer.tokenizeRaw(` ${text}`), JSON.stringify(text)).toEqual(tokenizer.tokenize(text));
      }
    });

    test("a stream joins up to detokenize and never shows half a character", () => {
      const ids = cases.map((c) => c.ids).concat(randomIds(3, 3000, tokenizer.vocabSize));
      for (const sequence of ids) {
        const stream = tokenizer.stream();
        const shown = sequence.map((id) => stream.push(id));
        shown.push(stream.end());
        expect(shown.join(""), sequence.join(" ")).toBe(tokenizer.detokenize(sequence));
        expect(shown.some(isHalf)).toBe(false);
      }
    });

    test("a stream shows a text of whole characters without U+FFFD, each once its last byte has come", () => {
      for (const text of randomTexts(4, 1000).map((t) => wellFormed(t).replaceAll("\ufffd", ""))) {
        const ids = tokenizer.tokenizeRaw(text);
        const stream = tokenizer.stream();
        const shown = ids.map((id) => stream.push(id));
        expect(shown.join("")).not.toContain("\ufffd");
        expect(stream.end()).toBe("");
      }
    });

    test("100 KB of one letter or pair keeps every byte, and 1,000 lines tokenize as each does alone", () => {
      // Each newline is a byte piece, which nothing joins, so lines cannot change each other.
      const line = `${"ab".repeat(50)}\n`;
      const rest = tokenizer.tokenizeRaw(line);
      expect(tokenizer.tokenizeRaw(line.repeat(1000))).toEqual(Array.from({ length: 1000 }, () => rest).flat());
      for (const unit of ["a", "A", "ab", "🍕", "\\", " ", "▁", '"}', "<tools>"]) {
        const text = unit.repeat(Math.floor(100_000 / unit.length));
        expect(bytesOf(tokenizer, tokenizer.tokenizeRaw(text))).toEqual(utf8(text));
        expect(tokenizer.detokenize(tokenizer.tokenize(text))).toBe(normalised(text));
      }
    });
  });
}

laws(
  "nano vocabulary",
  nano,
  fixture.cases.map(({ text, nano, decodedNano }) => ({ text, ids: nano, decoded: decodedNano })),
);

const shared = new URL("../../shared/", import.meta.url);
const official = ["model/needle.model", "model/needle.vocab.txt", "fixtures/tokenizer.json"];
const missing = official.filter((path) => !existsSync(new URL(path, shared)));
if (missing.length > 0) {
  const why = `official vocabulary: no ../shared/${missing.join(", no ../shared/")}`;
  console.warn(`skipped: ${why}`);
  test.skip(why, () => {});
} else {
  const [bytes, vocabulary, columns] = official.map((path) => read(new URL(path, shared).href));
  const pieces = readVocabulary(bytes, "needle.model");
  const { cases } = JSON.parse(new TextDecoder().decode(columns)) as Fixture<{
    text: string;
    needle: number[];
    decodedNeedle: string;
  }>;
  laws(
    "official vocabulary",
    new Tokenizer(pieces),
    cases.map(({ text, needle, decodedNeedle }) => ({ text, ids: needle, decoded: decodedNeedle })),
  );
  test("official vocabulary: the .model and the list give the same pieces", () => {
    expect(readVocabulary(vocabulary, "needle.vocab.txt")).toEqual(pieces);
  });
}

describe("Tokenizer", () => {
  test("each special id keeps its place and detokenizes as in the library", () => {
    expect(Object.values(special).map((id) => nano.detokenize([id]))).toEqual([
      "",
      "",
      "",
      " \u2047 ",
      "<tool_call>",
      "<tools>",
    ]);
    expect(bytesOf(nano, Object.values(special))).toHaveLength(0);
    expect(nano.vocabSize).toBe(4096);
  });

  test("bytes that are not UTF-8 become one U+FFFD each, whatever cuts them off", () => {
    const bytes = (...values: number[]) => values.map((value) => nano.pieces.indexOf("<0x00>") + value);
    expect(nano.detokenize(bytes(0xe2, 0x96))).toBe("\ufffd\ufffd");
    expect(nano.detokenize([...bytes(0xf0, 0x9f, 0x98), special.eos, ...bytes(0x80)])).toBe("\ufffd".repeat(4));
    expect(nano.detokenize(bytes(0xed, 0xa0, 0x80))).toBe("\ufffd".repeat(3)); // a surrogate
    expect(nano.detokenize(bytes(0xc0, 0x80))).toBe("\ufffd".repeat(2)); // an overlong NUL
    expect(nano.detokenize(bytes(0xf4, 0x90, 0x80, 0x80))).toBe("\ufffd".repeat(4)); // beyond U+10FFFF
    expect(nano.detokenize(bytes(0xef, 0xbb, 0xbf, 0xef, 0xbf, 0xbd))).toBe("\ufeff\ufffd");
  });

  test("a lone surrogate counts as U+FFFD, also where that is a piece", () => {
    const wider = new Tokenizer([...nano.pieces, "\ufffd"]);
    expect(wider.tokenize("a\ud83cb")).toEqual(wider.tokenize("a\ufffdb"));
    expect(wider.tokenizeRaw("\udf55")).toEqual([4096]);
    expect(nano.tokenize("a\ud83cb")).toEqual(nano.tokenize("a\ufffdb"));
    expect(nano.tokenizeRaw("\udf55")).toEqual(nano.tokenizeRaw("\ufffd"));
  });

  test("a piece of any characters has its own UTF-8, whatever stands beside it", () => {
    const odd = ["🍕", "a\ud83c", "\udf55b", "\n", "▁🍕▁", "日本\n", "\ufeff"];
    const tokenizer = new Tokenizer([...nano.pieces, ...odd]);
    for (const [i, piece] of odd.entries())
      expect([...tokenizer.bytesOf(nano.vocabSize + i)]).toEqual([...utf8(piece.replaceAll("▁", " "))]);
    expect([...tokenizer.bytesOf(tokenizer.pieces.indexOf("<0x0A>"))]).toEqual([10]);
    expect(tokenizer.bytesOf(special.tools).length).toBe(0);
  });

  test("an id outside the vocabulary is a RangeError", () => {
    for (const id of [-1, 4096, 0.5, Number.NaN]) {
      expect(() => nano.detokenize([id])).toThrow(
        new RangeError(`id: expected 0 to 4095, got ${id}; use the vocabulary the ids come from`),
      );
      expect(() => nano.bytesOf(id)).toThrow(RangeError);
    }
  });

  test("a vocabulary without specials or bytes, or with a piece twice, is a RangeError that names the piece", () => {
    const without = (piece: string) => nano.pieces.map((p) => (p === piece ? "no such" : p));
    expect(() => new Tokenizer([])).toThrow('pieces[0]: expected "<pad>", got nothing');
    expect(() => new Tokenizer(without("<tools>"))).toThrow('pieces[5]: expected "<tools>", got "no such"');
    expect(() => new Tokenizer(without("<0xFF>"))).toThrow('expected a byte piece "<0xFF>", got none');
    expect(() => new Tokenizer(without("▁"))).toThrow('pieces: expected the piece "▁", a space, got none');
    expect(() => new Tokenizer([...nano.pieces, "me"])).toThrow('got "me", which is id 266 already');
    expect(() => new Tokenizer([...nano.pieces, ""])).toThrow("pieces[4096]: expected a new piece, got an empty one");
    expect(() => new Tokenizer([])).toThrow(RangeError);
  });

  test("byte pieces are found by name, wherever they stand", () => {
    const pieces = nano.pieces.filter((piece) => !/^<0x..>$/.test(piece));
    const moved = new Tokenizer([...pieces, ...nano.pieces.filter((piece) => /^<0x..>$/.test(piece))]);
    for (const { text, decodedNano } of fixture.cases) expect(moved.detokenize(moved.tokenize(text))).toBe(decodedNano);
  });
});

describe("readVocabulary", () => {
  const twoColumns = list.replace(/^\d+\t/gm, "");

  test("the .model and both shapes of the list give the same pieces, with LF or CRLF, from a Buffer or not", () => {
    for (const text of [list, twoColumns, list.replaceAll("\n", "\r\n"), list.trimEnd()]) {
      expect(readVocabulary(utf8(text), "list")).toEqual([...nano.pieces]);
    }
    expect(readVocabulary(Buffer.from(model), "nano.model")).toEqual([...nano.pieces]);
  });

  test("a piece that is a tab, a newline or a carriage return is read from a list", () => {
    const odd = ["\t", "\n", "\r", "\t\t", "\n\n", "\u2028", "a\tb", "7"];
    const scored = odd.map((piece, i) => `${piece}\t-${4000 + i}\n`);
    const numbered = scored.map((record, i) => `${4096 + i}\t${record}`);
    expect(readVocabulary(utf8(twoColumns + scored.join("")), "list").slice(4096)).toEqual(odd);
    expect(readVocabulary(utf8(list + numbered.join("")), "list").slice(4096)).toEqual(odd);
  });

  test("an error in a list names its line, what was expected and what came", () => {
    const broken = (from: string | RegExp, to: string) => () => readVocabulary(utf8(list.replace(from, to)), "v.txt");
    expect(broken("266\tme\t-4\n", "266\tme\n")).toThrow(
      'v.txt line 267: expected id<TAB>piece<TAB>score, got "266\\tme"; use the vocabulary published with the model',
    );
    expect(broken("266\tme\t-4\n", "")).toThrow("v.txt line 267: expected id 266, got 267");
    expect(broken("266\tme\t-4", "266\tme\t-2")).toThrow(
      "v.txt line 267: expected a score below -3, that of the piece",
    );
    expect(broken("266\tme\t-4", "266\tme\t-.-")).toThrow("v.txt line 267: expected id<TAB>piece<TAB>score");
    expect(() => readVocabulary(utf8(twoColumns.replace(/\t.*$/gm, "")), "v.txt")).toThrow(
      "v.txt line 1: expected piece",
    );
    expect(() => readVocabulary(new Uint8Array(), "v.txt")).toThrow(
      "v.txt: expected a .model file or a vocabulary list",
    );
    expect(() => readVocabulary(Uint8Array.of(0xff, 0xfe), "v.txt")).toThrow("got bytes that are not UTF-8");
  });

  test("a .model cut anywhere is an Error or has all its pieces", () => {
    const random = seeded(5);
    const cuts = [...Array(100).keys(), ...Array.from({ length: 100 }, () => random(model.length))];
    const tail = Array.from({ length: 100 }, (_, i) => model.length - i);
    for (const length of [...cuts, ...tail]) {
      let pieces: string[] = [...nano.pieces];
      try {
        pieces = readVocabulary(model.subarray(0, length), "cut.model");
      } catch (error) {
        expect((error as Error).message).toMatch(/^cut\.model.*: expected .*, got .*; /);
      }
      expect(pieces.length).toBe(4096);
    }
    expect(() => readVocabulary(model.subarray(0, 20), "cut.model")).toThrow(
      "cut.model byte 18: expected 13 bytes of field 1, got 2; the file is cut short or damaged",
    );
  });

  test("a .model with a byte damaged is read or is an Error that names the file, never a crash", () => {
    const random = seeded(6);
    for (let i = 0; i < 300; i++) {
      const damaged = model.slice();
      damaged[i < 150 ? random(model.length) : model.length - 1 - (i % 150)] = random(256);
      try {
        readVocabulary(damaged, "bad.model");
      } catch (error) {
        expect((error as Error).message).toMatch(/^bad\.model/);
      }
    }
  });

  test("a .model of other settings is an Error that names the setting", () => {
    // Protobuf lets a later field replace an earlier one, so a message put after the file overrides it.
    const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >> 7)]);
    const field = (number: number, value: number | number[]): number[] =>
      typeof value === "number"
        ? [...varint(number << 3), ...varint(value)]
        : [...varint((number << 3) | 2), ...varint(value.length), ...value];
    const trainer = (...extra: number[]) => field(2, [...field(3, 2), ...field(35, 1), ...extra]);
    const ending =
      (...end: number[]) =>
      () =>
        readVocabulary(Uint8Array.from([...model, ...end]), "other.model");
    expect(ending(...trainer())).not.toThrow();
    expect(ending(...trainer(...field(3, 1)))).toThrow(
      "other.model: expected trainer_spec.model_type (2 is BPE) 2, got 1",
    );
    expect(ending(...trainer(...field(35, 0)))).toThrow("expected trainer_spec.byte_fallback 1, got 0");
    expect(ending(...trainer(...field(24, 1)))).toThrow("expected trainer_spec.treat_whitespace_as_suffix 0, got 1");
    expect(ending(...field(3, field(3, 0)))).toThrow("expected normalizer_spec.add_dummy_prefix 1, got 0");
    expect(ending(...field(3, field(4, 0)))).toThrow("expected normalizer_spec.remove_extra_whitespaces 1, got 0");
    expect(ending(...field(3, field(5, 0)))).toThrow("expected normalizer_spec.escape_whitespaces 1, got 0");
    const nfkc = [...field(1, [...utf8("nmt_nfkc")]), ...field(2, [1, 2, 3])];
    expect(ending(...field(3, nfkc))).toThrow(
      'expected the normaliser "identity", got "nmt_nfkc" with 3 bytes of rules',
    );
    const userDefined = [...field(1, [...utf8("<new>")]), ...field(3, 4)];
    expect(ending(...field(1, userDefined))).toThrow('other.model piece 4096: expected type 1 for "<new>", got 4');
    expect(ending(0x0b)).toThrow(/other\.model byte \d+: expected field 1 of wire type 0, 1, 2 or 5, got 3/);
    expect(ending(...Array(12).fill(0xff))).toThrow(
      "expected a varint of at most 10 bytes, got 10 bytes without its end",
    );
  });
});
