/** Bounded work: what comes from outside costs a constant share of work an item, and too much of it is refused before. */
import { expect, test } from "bun:test";
import { mostSaid, saidIn } from "../runtime/answer/said.ts";
import { FormatError } from "../runtime/errors.ts";
import { Grammar } from "../runtime/grammar/grammar.ts";
import type { JsonObject } from "../runtime/json.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { writeMsgpack } from "../runtime/msgpack.ts";
import { mostRequestCharacters, readRequest } from "../runtime/text/request.ts";
import { TokenTrie } from "../runtime/text/trie.ts";
import { load } from "../runtime/thimble.ts";
import { mostCharacters, mostNameCharacters, mostTools } from "../runtime/tools/bounds.ts";
import { snakeCase } from "../runtime/tools/prompt.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { lexicalScores } from "../runtime/tools/words.ts";
import { packTools } from "../runtime/wire/wire.ts";
import { unpackTools } from "../runtime/wire/wireread.ts";
import { findAll } from "../tools/lint/rules.ts";
import { readSheet } from "../tools/lint/sheet.ts";
import { oddGeometry, packOf, randomCheckpoint } from "./support.ts";
import { workOf } from "./work.ts";

const { tokenizer } = await load();
const trie = new TokenTrie(tokenizer);
const times = <T>(n: number, each: (i: number) => T) => Array.from({ length: n }, (_, i) => each(i));

/** A list read before is known. */
let made = 0;

/** Lists that grow in one way each. */
const lists: Record<string, (n: number) => JsonObject[]> = {
  "many tools": (n) =>
    times(n, (i) => ({
      name: `get_thing_${i}`,
      description: `Thing number ${i} of house ${7 * i}, ${made++}.`,
      parameters: { [`city${i}`]: { type: "string" }, level: { type: "integer", minimum: 0, maximum: i + 10 } },
    })),
  "many parameters": (n) => {
    const properties = times(n, (i) => [`key_${i}`, { type: "string", pattern: "^a", description: `word ${i}` }]);
    return [{ name: "f", inputSchema: { type: "object", properties: Object.fromEntries(properties) } }];
  },
  "many values": (n) => [{ name: "f", parameters: { value: { type: "string", enum: times(n, (i) => `value ${i}`) } } }],
  "long words": (n) => [{ name: "f", description: `${"A".repeat(100 * n)} ${"a".repeat(100 * n)}`, parameters: {} }],
};

/** What is done with them, by the sizes at which that is measured. */
const work: Record<string, { sizes: number[]; make: (list: JsonObject[]) => () => unknown }> = {
  "ToolSet.from": { sizes: [100, 200, 400], make: (list) => () => ToolSet.from(list) },
  lexicalScores: {
    sizes: [100, 200, 400],
    make: (list) => overSet(list, (set) => lexicalScores("get me thing 7 of the city", set)),
  },
  Grammar: { sizes: [100, 200, 400], make: (list) => overSet(list, (set) => new Grammar(set, trie)) },
  // Phrases are looked for among the first 8,192 characters: sizes of texts that are longer.
  packTools: { sizes: [1000, 2000], make: (list) => overSet(list, packTools) },
  "lint's sheet": {
    sizes: [100, 200, 400],
    make: (list) => {
      const text = JSON.stringify(list);
      return () => readSheet(text, tokenizer, 1024, "apart");
    },
  },
  // Values past 256 are not compared.
  "lint's rules": {
    sizes: [400, 1600],
    make: (list) => {
      const sheet = readSheet(JSON.stringify(list), tokenizer, 1024, "apart");
      return () => findAll(sheet);
    },
  },
};

function overSet(list: JsonObject[], run: (set: ToolSet) => unknown): () => unknown {
  const set = ToolSet.from(list);
  return () => run(set);
}

/** Expects that work an item does not grow as items double. */
async function expectLinear(sizes: number[], make: (n: number) => () => unknown): Promise<void> {
  const shares: number[] = [];
  for (const n of sizes) shares.push((await workOf(make(n))) / n);
  expect(Math.max(...shares) / shares[0], `work an item: ${shares.map(Math.round).join(", ")}`).toBeLessThan(1.25);
}

for (const [what, { sizes, make }] of Object.entries(work))
  for (const [kind, listOf] of Object.entries(lists))
    test(`${what} of ${kind}: work an item is flat within a quarter as they double`, () =>
      expectLinear(sizes, (n) => make(listOf(n))));

test("unpackTools: a character costs at most the codes that it may be, and as much in a text twice as long", () =>
  expectLinear([1000, 2000], (n) => {
    // As packTools writes it, with phrases of its own: all codes that there are, in every string.
    const codes = times(100, (i) => String.fromCharCode(i + 1)).join("");
    const phrases = [...codes].reverse().map((code, i) => `${code}x${i}`);
    const bytes = writeMsgpack([
      -2,
      `\0f${times(n, (i) => `\0${i}y`).join("")}${phrases.join("")}`,
      codes,
      null,
      [0, -1],
    ]);
    return () => unpackTools(bytes);
  }));

const set = ToolSet.from(lists["many tools"](100));
test("lexicalScores of twice the words of twice the tools: work an item is flat within a quarter", () =>
  expectLinear([100, 200, 400], (n) => {
    const request = times(n, (i) => `city${i}`).join(" ");
    return overSet(lists["many tools"](n), (set) => lexicalScores(request, set));
  }));

test("tuples within tuples are read and packed once at each level", async () => {
  const tuples = (n: number): JsonObject[] => {
    const tuple = times(n, () => 0).reduce<object>((inner) => ({ prefixItems: [inner], items: false }), {
      type: "null",
    });
    return [{ name: `f${made++}`, inputSchema: { type: "object", properties: { x: tuple } } }];
  };
  const work = async (n: number) => (await workOf(() => packTools(ToolSet.from(tuples(n))))) / n ** 2;
  // The path to each level is written out: the square, but no power of two.
  expect((await work(14)) / (await work(7))).toBeLessThan(1.25);
});

test("packTools looks for phrases among 8,192 characters, 128 times at most", async () => {
  const set = ToolSet.from(lists["many values"](4000));
  // Each time a suffix at each character is cut, to 64 characters, and sorted.
  expect(await workOf(() => packTools(set))).toBeLessThan(128 * 8192 * (64 + 2 * Math.log2(8192)));
});

test.each<[string, (n: number) => unknown]>([
  ["snakeCase of capitals", (n) => snakeCase("AB".repeat(n))],
  ["snakeCase of underscores", (n) => snakeCase(`${"_".repeat(n)}a`.repeat(2))],
  ["a request's characters", (n) => readRequest("IT’S  ONE—word ".repeat(n))],
  ["a request's tokens", (n) => tokenizer.tokenize("word one some ".repeat(n))],
  ["a request's words, ranked", (n) => lexicalScores(times(n, (i) => `word${i}`).join(" "), set)],
  ["a request's longest word, ranked", (n) => lexicalScores("a".repeat(n), set)],
])("%s: work an item is flat within a quarter as they double", (_, run) =>
  expectLinear([500, 1000, 2000], (n) => () => run(n)),
);

test("the numbers of the longest clause that a prompt holds are read in a moment", () => {
  // Not a minute, as where each number looks for its clause through all that stands before it.
  const request = `turn the volume down${" thermostat".repeat(330)}, ${"5 ".repeat(330)}`;
  expect(saidIn(request).length).toBeGreaterThan(mostSaid);
}, 10_000);

test("a header in chunks of 16 bytes costs what it costs in one", async () => {
  const provenance = { notes: "n".repeat(400_000) };
  const pack = await packOf(randomCheckpoint(oddGeometry, 3), { provenance });
  const open = async (chunkBytes: number) => {
    let at = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= pack.length) return controller.close();
        controller.enqueue(pack.subarray(at, at + chunkBytes));
        at += chunkBytes;
      },
    });
    const stream = await PackStream.open(source);
    expect(stream.header.provenance).toEqual(provenance);
    await stream.close();
  };
  const whole = await workOf(() => open(pack.length));
  // Each byte is copied out of its chunk, and once when all are there.
  expect((await workOf(() => open(16))) - whole).toBeLessThan(3 * provenance.notes.length);
});

/** How much is too much, and the most work that may be done to say so. */
test.each<[string, number, (over: number) => unknown, (input: never) => unknown, string, number]>([
  [
    "tools",
    mostTools,
    (n) => times(n, (i) => ({ name: `f${i}` })),
    ToolSet.from,
    `tools: expected at most ${mostTools}`,
    48 * mostTools,
  ],
  [
    "letters of a name",
    mostNameCharacters,
    (n) => [{ name: "a".repeat(64 * n) }],
    ToolSet.from,
    `at most ${mostNameCharacters}`,
    // The list as text is looked at once.
    128 * mostNameCharacters,
  ],
  [
    "characters of descriptions",
    mostCharacters,
    (n) => [{ name: "f", description: "A".repeat(n) }],
    ToolSet.from,
    `expected at most ${mostCharacters} characters`,
    200,
  ],
  [
    "characters of a request",
    mostRequestCharacters,
    (n) => "A".repeat(n),
    readRequest,
    `at most ${mostRequestCharacters}`,
    200,
  ],
])("more %s than %i are refused before they are read", async (_, most, make, read, message, mostWork) => {
  const input = make(most + 1) as never;
  let error: unknown;
  const work = await workOf(() => {
    try {
      read(input);
    } catch (caught) {
      error = caught;
    }
  });
  expect(String(error)).toContain(message);
  expect(work).toBeLessThan(mostWork);
});

test("a header of more than 1 MiB is refused by its length, before it comes", async () => {
  const pack = (await packOf(randomCheckpoint(oddGeometry, 3))).slice(0, 64);
  new DataView(pack.buffer).setUint32(12, 2 ** 20 + 1, true);
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(pack),
    pull: () => new Promise(() => {}),
  });
  const error = await PackStream.open(source).catch((caught) => caught);
  expect(error).toBeInstanceOf(FormatError);
  expect(error.message).toContain("header: expected at most 1048576 bytes, got 1048577");
});
