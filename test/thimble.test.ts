/** The walk, end to end on the model that ships. */
import { beforeAll, expect, test } from "bun:test";
import { pageBytes } from "../runtime/engine/memory.ts";
import { CapacityError, defaultModel, kernelModule, load, type Thimble, ToolError } from "../runtime/index.ts";
import { buildNames, type Kernels, memoryImport } from "../wasm/abi.ts";
import { jointPack, oddGeometry, packOf, randomCheckpoint, seeded } from "./support.ts";

const tools = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
const requests = [
  "wake me at 7:15 tomorrow",
  "tell anna i'm running late",
  "set a timer for 10 minutes",
  "what is the capital of france",
];
let thimble: Thimble;

beforeAll(async () => {
  thimble = await load();
});

test("wake me at 7:15 tomorrow", async () => {
  const { calls, text, cutShort } = await thimble.call("wake me at 7:15 tomorrow", tools);
  expect(calls).toMatchObject([{ name: "set_alarm", arguments: { time: "7:15", date: "tomorrow" } }]);
  expect(text).toBe('[{"name":"set_alarm","arguments":{"time":"7:15","date":"tomorrow"}}]');
  expect(cutShort).toBe(false);
});

test("names come back as the user wrote them", async () => {
  const renamed = tools.map((tool: { name: string }) => ({
    ...tool,
    name: tool.name.replace(/_(.)/g, (_, c) => c.toUpperCase()),
  }));
  const { calls } = await thimble.call("wake me at 7:15 tomorrow", renamed);
  expect(calls[0].name).toBe("setAlarm");
});

test("a second call equals the first, whatever came between", async () => {
  const first = await thimble.call(requests[0], tools);
  for (const request of requests) await thimble.call(request, tools.slice(1));
  expect((await thimble.call(requests[0], tools)).tokens).toEqual(first.tokens);
});

test("sessions side by side answer as alone, and leave each other undisturbed", async () => {
  const alone = [];
  for (const request of requests) alone.push((await thimble.call(request, tools)).tokens);
  const sessions = requests.map(() => thimble.session());
  // Awaiting after every piece of text makes the calls take turns.
  const onText = () => new Promise<void>((resolve) => setTimeout(resolve));
  const together = await Promise.all(requests.map((request, i) => sessions[i].call(request, tools, { onText })));
  expect(together.map(({ tokens }) => tokens)).toEqual(alone);
  for (const session of sessions) session.close();
});

test("calls on one session queue up", async () => {
  const both = await Promise.all([thimble.call(requests[0], tools), thimble.call(requests[1], tools)]);
  expect(both.map(({ calls }) => calls[0].name)).toEqual(["set_alarm", "send_message"]);
});

test("a closed session's memory serves the next one; calling it is an error", async () => {
  const limits = { promptTokens: 400, answerTokens: 40 };
  const first = thimble.session(limits);
  first.close();
  expect(() => first.call("x", tools)).toThrow("expected an open session");
  await Promise.resolve();
  const before = thimble.linearMemoryBytes;
  for (let i = 0; i < 20; i++) {
    const session = thimble.session(limits);
    await session.call(requests[2], tools);
    session.close();
    await Promise.resolve();
  }
  expect(thimble.linearMemoryBytes).toBe(before);
});

test("linear memory is what the plan says, to the page, and calls do not grow it", async () => {
  const fresh = await load();
  expect(fresh.linearMemoryBytes).toBeLessThan(3 * 2 ** 20);
  await fresh.prepare(tools);
  const planned = fresh.linearMemoryBytes;
  for (const request of requests) await fresh.call(request, tools);
  expect(fresh.linearMemoryBytes).toBe(planned);
  expect(planned % pageBytes).toBe(0);
  expect(planned - fresh.toolBytes).toBeLessThan(3.5 * 2 ** 20);
});

test.each(buildNames)("%s kernels answer alike", async (kernels) => {
  const other = await load(defaultModel(), { kernels });
  expect(other.build).toBe(kernels);
  for (const request of requests.slice(0, 2)) {
    expect((await other.call(request, tools)).tokens).toEqual((await thimble.call(request, tools)).tokens);
  }
});

test("streamed text adds up to the answer, one piece at a time", async () => {
  const pieces: string[] = [];
  const { text } = await thimble.call("text mom I ❤️ you", tools, { onText: (piece) => void pieces.push(piece) });
  expect(pieces.join("")).toBe(text);
  expect(pieces.length).toBeGreaterThan(5);
});

test("abort stops a call between tokens, and the session goes on", async () => {
  const controller = new AbortController();
  const onText = () => controller.abort(new Error("never mind"));
  await expect(thimble.call(requests[0], tools, { signal: controller.signal, onText })).rejects.toThrow("never mind");
  expect((await thimble.call(requests[0], tools)).calls).toHaveLength(1);
});

test.each([
  ["encoder.1", 1_300_000],
  ["decoder.0", 1_800_000],
])("with sections still to come from %s on, layers run as they arrive and no sooner", async (section, cut) => {
  const bytes = await Bun.file(defaultModel()).bytes();
  let release = () => {};
  const rest = new Promise<void>((resolve) => {
    release = resolve;
  });
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(bytes.subarray(0, cut));
      await rest;
      controller.enqueue(bytes.subarray(cut));
      controller.close();
    },
  });
  const early = await load(stream, { early: true });
  const call = early.call(requests[0], tools);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(early.inside.weights.hasArrived("embedding")).toBe(true);
  expect(early.inside.weights.hasArrived(section)).toBe(false);
  release();
  expect((await call).calls[0].name).toBe("set_alarm");
  await expect(early.loaded).resolves.toBeUndefined();
});

test("a download that breaks off fails the call that waits for it, with the loader's error", async () => {
  const bytes = await Bun.file(defaultModel()).bytes();
  const early = await load(new Blob([bytes.subarray(0, 2_000_000)]).stream(), { early: true });
  early.loaded.catch(() => {});
  await expect(early.call(requests[0], tools)).rejects.toThrow("it is cut short");
});

test("bad input: empty request, tools that are none, prompts too long by so many tokens, limits out of range", async () => {
  await expect(thimble.call("", tools)).rejects.toThrow(RangeError);
  for (const blank of ["   ", "\n\t"])
    await expect(thimble.call(blank, tools)).rejects.toThrow("request: expected text, got none");
  await expect(thimble.call("hi", "nope" as never)).rejects.toThrow(ToolError);
  const joint = await load(await jointPack());
  const long = await joint.call("word ".repeat(900), tools).catch((error) => error);
  expect(long).toBeInstanceOf(CapacityError);
  expect(long.available).toBe(1024);
  expect(long.message).toContain(`got ${long.needed}, ${long.needed - 1024} over`);
  expect(long.message).toContain("call with { offer: 8 }, or fewer");
  const few = await joint.call("word ".repeat(900), tools, { offer: 1000 });
  expect(few.timings.tools.offered).toBeWithin(1, tools.length);
  const none = await joint.call("word ".repeat(1019), tools, { offer: 3 }).catch((error) => error);
  expect(none.message).toMatch(
    /^tool \w+: expected one of at most 2 tokens beside the request, got \d+; shorten it, or/,
  );
  const longer = await joint.call("word ".repeat(2000), tools).catch((error) => error);
  expect(longer.message).toBe("request: expected at most 1021 tokens, got 2000; shorten the request");
  expect(() => thimble.session({ promptTokens: 1025 })).toThrow("promptTokens: expected an integer from 8 to 1024");
  expect(() => thimble.session({ answerTokens: 0 })).toThrow(RangeError);
  await expect(load(defaultModel(), { memory: 1_000_000 })).rejects.toThrow(CapacityError);
});

test("without a grammar the model writes freely, and text that is no call list gives no calls", async () => {
  const { calls, text } = await thimble.call(requests[0], tools, { grammar: false });
  expect(calls).toMatchObject(JSON.parse(text));
  const wild = await load(await packOf(randomCheckpoint(oddGeometry, 9)), { promptTokens: 1024, answerTokens: 40 });
  const free = await wild.call("hi", [{ name: "f" }], { grammar: false });
  expect(free.calls).toEqual([]);
});

test("logits are computed for undecided tokens alone, and forced ones share a pass through the decoder", async () => {
  const count = { logits: 0, embed: 0 };
  const counting = (memory: WebAssembly.Memory): Kernels => {
    const imports = { [memoryImport.module]: { [memoryImport.base]: memory } };
    const kernels = new WebAssembly.Instance(new WebAssembly.Module(kernelModule("simd")), imports)
      .exports as unknown as Kernels;
    const counted = <K extends keyof typeof count>(name: K): Kernels[K] =>
      ((...args: [number, number, number, number, number]) => {
        count[name]++;
        return kernels[name](...args);
      }) as Kernels[K];
    return { ...kernels, logits: counted("logits"), embed: counted("embed") };
  };
  const watched = await load(defaultModel(), { kernels: counting });
  // The enum's values share two bytes of three: no character is forced, yet only one byte token can follow.
  const kanji = [{ name: "f", parameters: { a: { type: "string", enum: ["日", "旦"], required: true } } }];
  const other = await watched.call(requests[0], kanji);
  expect(count.logits).toBe(other.tokens.length - other.timings.forcedTokens);
  await watched.prepare(tools);
  Object.assign(count, { logits: 0, embed: 0 });
  const { timings, tokens } = await watched.call(requests[0], tools);
  expect(timings.forcedTokens).toBeGreaterThan(5);
  expect(count.logits).toBe(tokens.length - timings.forcedTokens);
  // The request is embedded alone for its vector, and for its prefill.
  expect(count.embed).toBe(2 + count.logits);
});

test("an empty tool list is answered with no call", async () => {
  expect((await thimble.call("wake me at 7", [])).text).toBe("[]");
});

/** Kernels that compute nothing and leave random logits. */
function randomKernels(memory: WebAssembly.Memory, vocabSize: number, random: () => number): Kernels {
  const nothing = () => {};
  return {
    rope_table: nothing,
    embed: nothing,
    encoder_kv: nothing,
    encoder_attend: nothing,
    final_norm: nothing,
    cross_kv: nothing,
    decoder_layer: nothing,
    contrastive: nothing,
    logits(_session, _table, _h, mask, out) {
      const bits = new Uint32Array(memory.buffer, mask, Math.ceil(vocabSize / 32));
      const row = new Float32Array(memory.buffer, out, vocabSize);
      for (let id = 0; id < vocabSize; id++)
        row[id] = (bits[id >> 5] >>> (id & 31)) & 1 ? random() : Number.NEGATIVE_INFINITY;
    },
    argmax(values, n) {
      const row = new Float32Array(memory.buffer, values, n);
      return row.indexOf(row.reduce((a, b) => Math.max(a, b)));
    }, // and leaves no summary: certainty is not what these tests look at
  };
}

test("whatever the logits, 500 answers parse, name known tools and keep within their tokens", async () => {
  const random = seeded(11);
  // Tools that all score nothing would lean every answer towards none.
  const { lean: _, ...calibration } = thimble.calibration;
  const wild = await load(defaultModel(), { kernels: (memory) => randomKernels(memory, 4096, random), calibration });
  let cut = 0;
  for (const answerTokens of [32, 128]) {
    const session = wild.session({ answerTokens });
    for (let i = 0; i < 250; i++) {
      const { text, tokens, cutShort } = await session.call("anything", tools);
      expect(tokens.length).toBeLessThanOrEqual(answerTokens);
      for (const call of JSON.parse(text)) {
        const tool = tools.find(({ name }: { name: string }) => name === call.name);
        for (const key of Object.keys(call.arguments)) expect(tool.parameters).toHaveProperty(key);
        for (const [key, { required }] of Object.entries<{ required: boolean }>(tool.parameters)) {
          if (required) expect(call.arguments).toHaveProperty(key);
        }
      }
      cut += Number(cutShort);
    }
  }
  expect(cut).toBeGreaterThan(0);
});

test("an answer keeps within its tokens where the shortest call is longer than the limit", async () => {
  const random = seeded(13);
  const wild = await load(defaultModel(), {
    kernels: (memory) => randomKernels(memory, 4096, random),
    answerTokens: 64,
  });
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`p${i}`, { type: "string", required: true }]));
  const list = {
    type: "object",
    properties: { a: { type: "array", items: { type: "integer" }, minItems: 200 } },
    required: ["a"],
  };
  const text = { type: "object", properties: { a: { type: "string", minLength: 1_000_000 } }, required: ["a"] };
  for (const tools of [
    [{ name: "f", parameters: many }],
    [{ name: "f", inputSchema: list }],
    [{ name: "f", inputSchema: text }],
  ]) {
    for (let i = 0; i < 20; i++) {
      const { text: answer, tokens } = await wild.call("anything", tools);
      expect(tokens.length).toBeLessThanOrEqual(64);
      expect(JSON.parse(answer)).toEqual([]);
    }
  }
});

test("a signal given by a timer stops a call between layers, and one that waits for a download", async () => {
  const signal = AbortSignal.timeout(1);
  const started = performance.now();
  const unread = Array.from({ length: 60 }, (_, i) => ({ name: `unread_${i}`, description: "word ".repeat(60) }));
  await expect(thimble.call(requests[0], unread, { signal })).rejects.toThrow();
  const stalled = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue((await Bun.file(defaultModel()).bytes()).subarray(0, 1_300_000));
    },
  });
  const early = await load(stalled, { early: true });
  early.loaded.catch(() => {});
  await expect(early.call(requests[0], tools, { signal: AbortSignal.timeout(20) })).rejects.toThrow();
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("a call from within its own onText is an error, not a wait for itself", async () => {
  const onText = async () => {
    await thimble.call(requests[1], tools);
  };
  await expect(thimble.call(requests[0], tools, { onText })).rejects.toThrow(
    "expected no call from within its own onText",
  );
  expect((await thimble.call(requests[0], tools)).calls).toHaveLength(1);
});

test("a wide pack, a wrong build and a load that fails midway are refused, and the source is closed", async () => {
  const wide = await packOf(randomCheckpoint(oddGeometry, 9), { format: "float32" });
  await expect(load(wide)).rejects.toThrow("header.weights: expected int4, got float32");
  await expect(load(defaultModel(), { kernels: "neon" as never })).rejects.toThrow(
    "kernels: expected one of dot, relaxed, simd, scalar, got neon",
  );
  let cancelled = false;
  const bytes = await Bun.file(defaultModel()).bytes();
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytes.subarray(0, 65536)),
    cancel: () => {
      cancelled = true;
    },
  });
  await expect(load(stream, { memory: 1_000_000 })).rejects.toThrow(CapacityError);
  expect(cancelled).toBe(true);
});
