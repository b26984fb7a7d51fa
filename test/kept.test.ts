/** Tools read once: PyTorch's tokens, and that neither company, order, place nor time changes a kept tool. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageBytes, Space } from "../runtime/engine/memory.ts";
import { defaultModel, FormatError, load } from "../runtime/index.ts";
import { xxh32 } from "../runtime/pack/xxh32.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { margins, undecided } from "../tools/bench/margins.ts";
import { readCheckpoint } from "../tools/checkpoint/checkpoint.ts";
import { convert } from "../tools/convert.ts";
import { readVocabulary } from "../tools/sentencepiece.ts";
import { buildNames } from "../wasm/abi.ts";
import { startReference } from "../wasm/reference.ts";
import { answerOf, apartPack, limits, shuffled, toolOf, toolsOf, words } from "./apart.ts";
import { distance, fixture, oddGeometry, packOf, randomCheckpoint, seeded, testWith } from "./support.ts";

testWith("model/apart.safetensors", "PyTorch's tokens, or its own top-2 gap is below half a logit", async (file) => {
  const checkpoint = readCheckpoint(await Bun.file(file).bytes(), "apart.safetensors");
  const pieces = readVocabulary(await Bun.file(fixture("nano.model")).bytes(), "nano.model");
  const pack = convert(checkpoint, pieces, { licence: "test", provenance: {}, prompt: "apart" });
  const oracle = await Bun.file(new URL("apart.oracle.json", file)).json();
  for (const kernels of buildNames) {
    const thimble = await load(pack, { kernels });
    for (const { query, query_ids, tools, tool_ids, scores } of oracle.cases) {
      expect(thimble.tokenizer.tokenize(query)).toEqual(query_ids);
      const set = ToolSet.from(tools);
      expect(set.texts.map((text) => [5, ...thimble.tokenizer.tokenize(text)])).toEqual(tool_ids);
      const ranked = await thimble.rank(query, tools);
      const got = set.tools.map(({ name }) => ranked.find((each) => each.name === name)?.score as number);
      expect(distance(got, scores)).toBeLessThan(0.02);
    }
    const { steps, differences } = await margins(thimble, oracle);
    expect(steps).toBeGreaterThan(1000);
    expect(differences.filter(({ gap }) => gap >= undecided)).toEqual([]);
    expect(differences.length).toBeLessThan(10);
  }
});

const pack = await apartPack();

describe.each(buildNames)("%s", (kernels) => {
  test("the same answer for a set of tools in any order, to the bit: 13 prompts, 52 of all builds", async () => {
    const random = seeded(50 + buildNames.indexOf(kernels));
    const model = await load(pack, { ...limits, kernels });
    for (let i = 0; i < 13; i++) {
      const tools = toolsOf(1 + (i % 6), Math.floor(random() * 30));
      const request = shuffled(words, random).slice(0, 4).join(" ");
      const want = await answerOf(model, request, tools);
      expect(await answerOf(model, request, shuffled(tools, random))).toEqual(want);
      expect(await answerOf(await load(pack, { ...limits, kernels }), request, shuffled(tools, random))).toEqual(want);
    }
  });
});

describe("a known tool is a newly read one", () => {
  const [request, tools] = ["set the lamp of room three", toolsOf(7)];

  async function wanted() {
    const model = await load(pack, limits);
    return answerOf(model, request, tools);
  }

  test("at the second call, in another session, and read in other company", async () => {
    const model = await load(pack, limits);
    const want = await wanted();
    await model.call(request, toolsOf(3, 2));
    expect(await answerOf(model, request, tools)).toEqual(want);
    expect(await answerOf(model, request, tools)).toEqual(want);
    expect(await answerOf(model.session(), request, tools)).toEqual(want);
    const { timings } = await model.call(request, toolsOf(8, 1));
    expect(timings.tools).toEqual({ given: 8, offered: 8, read: 2 });
  });

  test("after it was forgotten, and the budget is kept meanwhile", async () => {
    const model = await load(pack, { ...limits, toolMemory: 0 });
    const want = await wanted();
    for (let i = 0; i < 8; i++) await model.call(request, toolsOf(4, 10 * i));
    const { toolBytes } = model;
    const again = await model.call(request, tools);
    expect(again.timings.tools.read).toBeGreaterThan(0);
    expect(await answerOf(model, request, tools)).toEqual(want);
    expect(toolBytes).toBeLessThan(8 * 4 * 60_000);
  });

  test("with two threads", async () => {
    const model = await load(pack, { ...limits, threads: 2 });
    expect(model.threads).toBe(2);
    expect(await answerOf(model, request, tools)).toEqual(await wanted());
    model.close();
  });

  test("where weights pass through a ring", async () => {
    const small = { ...limits, promptTokens: 32, toolMemory: 0 };
    const { needed } = await load(pack, { ...small, memory: 65536 }).catch((e) => e);
    const memory = Math.ceil(needed / pageBytes) * pageBytes;
    const model = await load(pack, { ...small, memory });
    expect(model.inside.layout.ring).not.toBeNull();
    expect(await answerOf(model, request, tools)).toEqual(await wanted());
    expect(model.linearMemoryBytes).toBeLessThanOrEqual(memory);
    model.close();
  });

  test("from a file, whoever wrote it with whichever build", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thimble-"));
    const path = join(folder, "tools.kv");
    const files = [];
    for (const kernels of ["simd", "scalar"] as const) {
      const writer = await load(pack, { ...limits, kernels });
      files.push(await writer.readTools(shuffled(tools, seeded(3))));
      const reader = await load(pack, { ...limits, kernels });
      await Bun.write(path, files[files.length - 1]);
      await reader.prepare(path);
      const result = await reader.call(request, tools);
      expect(result.timings.tools).toEqual({ given: 7, offered: 7, read: 0 });
      expect(await answerOf(reader, request, tools)).toEqual(await answerOf(writer, request, tools));
    }
    // Both multiply the same integers; their float sums differ in the last bit at most.
    expect(files[0].length).toBe(files[1].length);
    const again = await load(pack, limits);
    await again.prepare(files[0]);
    expect(await again.readTools(tools)).toEqual(files[0]);
    rmSync(folder, { recursive: true });
  });

  test("from the user's cache folder, and a damaged file there is read anew", async () => {
    const home = mkdtempSync(join(tmpdir(), "thimble-"));
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = home;
    try {
      const want = await wanted();
      const read: number[] = [];
      for (const damage of [false, false, true, false]) {
        const [file] = [...new Bun.Glob("**/*.kv").scanSync(home)];
        if (damage) {
          const bytes = await Bun.file(join(home, file)).bytes();
          bytes[bytes.length >> 1] ^= 1;
          await Bun.write(join(home, file), bytes);
        }
        const model = await load(pack, limits);
        let count = 0;
        await model.prepare(tools, { cache: true, onProgress: () => count++ });
        read.push(count);
        expect(await answerOf(model, request, tools)).toEqual(want);
      }
      expect(read).toEqual([7, 0, 7, 0]);
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
      rmSync(home, { recursive: true });
    }
  });

  test("in the user's cache folder 64 stay at most, the newest, none for more than a month, and no part that was left", async () => {
    const home = mkdtempSync(join(tmpdir(), "thimble-"));
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = home;
    try {
      const cache = join(home, "thimble");
      mkdirSync(cache);
      const now = Date.now() / 1000;
      const put = (name: string, days: number) => {
        writeFileSync(join(cache, name), "");
        utimesSync(join(cache, name), now, now - days * 86_400);
      };
      for (let i = 0; i < 80; i++) put(`tools-${i}.kv`, i / 4);
      put("tools-old.kv", 31);
      put("tools-left.kv.free.part", 8);
      put("needle-0.thimble", 400);
      await (await load(pack, limits)).prepare(tools, { cache: true });
      const left = readdirSync(cache);
      const own = left.filter((name) => !/^tools-\d+\.kv$/.test(name)).sort();
      expect(own).toEqual(["needle-0.thimble", expect.stringMatching(/^tools-[0-9a-f]{16}\.kv$/)]);
      expect(left.length - own.length).toBe(63);
      expect(left).toContain("tools-62.kv");
      for (const name of left.filter((name) => name.startsWith("tools-"))) put(name, 31);
      const others = toolsOf(2);
      await (await load(pack, limits)).prepare(others, { cache: true });
      expect(readdirSync(cache).filter((name) => name.startsWith("tools-")).length).toBe(1);
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
      rmSync(home, { recursive: true });
    }
  });
});

test("a file of kept tools with any byte changed, cut or of another model is a FormatError, and tools are read as ever", async () => {
  const model = await load(pack, limits);
  const tools = toolsOf(3);
  const file = await model.readTools(tools);
  const random = seeded(8);
  const places = [
    0,
    8,
    12,
    16,
    20,
    24,
    28,
    32,
    36,
    44,
    51,
    ...Array.from({ length: 80 }, () => random() * file.length),
  ];
  const padding = new Set<number>();
  for (const at of places.map(Math.floor)) {
    const bytes = file.slice();
    bytes[at] ^= 1 << Math.floor(random() * 8);
    const other = await load(pack, limits);
    const error = await other.prepare(bytes).catch((e) => e);
    if (!(error instanceof FormatError)) padding.add(at);
    expect((await other.call("lamp", tools)).text).toBe((await model.call("lamp", tools)).text);
  }
  // Zeros between sections say nothing: the only bytes that may change unseen.
  for (const at of padding) expect(file[at]).toBe(0);
  expect(padding.size).toBeLessThan(3);
  for (const length of [0, 7, 31, 60, file.length - 20])
    await expect(model.prepare(file.subarray(0, length))).rejects.toThrow(FormatError);
  const before = file.slice();
  const view = new DataView(before.buffer);
  view.setUint32(8, 3, true);
  view.setUint32(28, 0, true);
  view.setUint32(28, xxh32(before.subarray(0, 48 + 20 * tools.length)), true);
  await expect(model.prepare(before)).rejects.toThrow("version: expected 5, got 3; read the tools again");
  const other = await load(
    await packOf(randomCheckpoint({ ...oddGeometry, vocabSize: 4096 }, 13), { prompt: "apart" }),
  );
  await expect(other.prepare(file)).rejects.toThrow("model: expected tools read by this model, got another's");
});

test("a piece of memory is zeros, whoever had it before", () => {
  const random = seeded(9);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const space = new Space(memory, 100, 64 * pageBytes);
  const pieces: { at: number; bytes: number }[] = [];
  for (let turn = 0; turn < 400; turn++) {
    if (pieces.length > 8 || (pieces.length && random() < 0.4)) {
      const [{ at, bytes }] = pieces.splice(Math.floor(random() * pieces.length), 1);
      space.give(at, bytes);
      continue;
    }
    const bytes = 1 + Math.floor(random() * 50_000);
    const at = space.take(bytes);
    expect(new Uint8Array(memory.buffer, at, bytes).every((byte) => byte === 0)).toBe(true);
    new Uint8Array(memory.buffer, at, bytes).fill(255);
    pieces.push({ at, bytes });
  }
});

test("a tool that is measured and read is tokenized once", async () => {
  const model = await load(pack, limits);
  const seen: string[] = [];
  const { tokenizer } = model;
  const tokenize = tokenizer.tokenize.bind(tokenizer);
  tokenizer.tokenize = (text) => {
    seen.push(text);
    return tokenize(text);
  };
  const tools = ToolSet.from(toolsOf(5));
  await model.call("open the window of room five", tools);
  for (const text of tools.texts) expect([text, seen.filter((one) => one === text).length]).toEqual([text, 1]);
});

test("an aborted reading leaves nothing half kept", async () => {
  const tools = toolsOf(12);
  const request = "open the window of room five";
  const want = await answerOf(await load(pack, limits), request, tools);
  const random = seeded(6);
  const model = await load(pack, limits);
  const bytesBefore = model.toolBytes;
  let aborted = 0;
  for (let i = 0; i < 40; i++) {
    const controller = new AbortController();
    let left = Math.floor(random() * 12);
    const { walk } = model.inside.weights;
    // Given in the middle of a walk over the layers.
    model.inside.weights.walk = (units, work, signal) =>
      walk.call(
        model.inside.weights,
        units,
        (at, j) => {
          if (left-- === 0) controller.abort(new Error("never mind"));
          work(at, j);
        },
        signal,
      );
    const outcome = await model.call(request, toolsOf(3, 20 + 3 * i), { signal: controller.signal }).catch((e) => e);
    model.inside.weights.walk = walk;
    if (outcome instanceof Error) {
      aborted++;
      expect(outcome.message).toBe("never mind");
    }
  }
  expect(aborted).toBeGreaterThan(10);
  expect(await answerOf(model, request, tools)).toEqual(want);
  expect(model.toolBytes).toBeGreaterThan(bytesBefore);
});

test("10,000 calls over 500 changing tools keep memory within the budget", async () => {
  const toolMemory = 2 * 2 ** 20;
  const plain = await packOf(randomCheckpoint(oddGeometry, 2), { prompt: "apart" });
  const model = await load(plain, { answerTokens: 8, toolRows: 256, promptTokens: 64, toolMemory });
  const random = seeded(500);
  const all = Array.from({ length: 500 }, (_, i) => ToolSet.from([toolOf(i)]));
  const start = model.linearMemoryBytes;
  for (let i = 0; i < 10_000; i++) {
    const set = all[Math.floor(random() ** 2 * 500)];
    await model.call("on", set, { grammar: false });
    if (i % 1000 === 0) model.session({ promptTokens: 16 + (i % 7) }).close();
    expect(model.toolBytes).toBeLessThanOrEqual(toolMemory);
  }
  // One more session at a time, and what reading takes for a moment.
  expect(model.linearMemoryBytes - start).toBeLessThan(toolMemory + 2 ** 20);
});

test("kernels of another's keep no tools for a file; they take one for good and read tools when they meet them", async () => {
  const kernels = (memory: WebAssembly.Memory) => startReference(memory, "int4");
  const [tools, request] = [toolsOf(2), "lamp"];
  const file = await (await load(pack, limits)).readTools(tools);
  const model = await load(pack, { ...limits, answerTokens: 8, kernels });
  await expect(model.readTools(tools)).rejects.toThrow("readTools: expected a build of thimble's kernels, got others");
  await model.prepare(file);
  await expect(model.prepare(file.slice(0, -20))).rejects.toThrow(FormatError);
  expect(model.toolBytes).toBe(0);
  expect((await model.call(request, tools)).timings.tools.read).toBe(2);
});

test("what belongs to the other way is refused: warm layers, files for a joint model", async () => {
  await expect(load(pack, { warmLayers: 1 })).rejects.toThrow(
    "warmLayers: expected 0 for a model that reads tools apart",
  );
  const joint = await load(await packOf(randomCheckpoint(oddGeometry, 1)));
  await expect(joint.readTools(toolsOf(1))).rejects.toThrow("readTools: expected a model that reads tools apart");
  await expect(joint.prepare(toolsOf(1))).resolves.toBeUndefined();
  await expect(joint.prepare(toolsOf(1), { cache: true })).resolves.toBeUndefined();
  expect(joint.toolBytes).toBe(0);
  await expect(joint.prepare(await (await load(pack, limits)).readTools(toolsOf(1)))).rejects.toThrow(
    "model: expected tools read by this model, got another's",
  );
  await expect(load(defaultModel(), { toolMemory: -1 })).rejects.toThrow("toolMemory: expected bytes, got -1");
});
