/** Threads change how long a call takes, and nothing else. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { encode, prefill } from "../runtime/engine/encoder.ts";
import type { Host } from "../runtime/engine/host.ts";
import type { Region } from "../runtime/engine/memory.ts";
import type { SessionPlan } from "../runtime/engine/sessionplan.ts";
import { splitRows } from "../runtime/engine/threads.ts";
import { type HostWorker, slots } from "../runtime/engine/worker.ts";
import { defaultModel, load, type Thimble } from "../runtime/index.ts";
import { buildNames, type Kernels, sessionRecord, sessionRecordBytes, tileRows } from "../wasm/abi.ts";
import { startReference } from "../wasm/reference.ts";
import { host, jointPack, kernelKinds, oddGeometry, packOf, randomCheckpoint, thimble } from "./support.ts";

const tools = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
const requests = ["wake me at 7:15 tomorrow", "tell anna i'm running late", "what is the capital of france"];
const odd = await packOf(randomCheckpoint(oddGeometry, 21));
const ids = (n: number) => Array.from({ length: n }, (_, i) => (i * 37 + 11) % oddGeometry.vocabSize);

const open: Thimble[] = [];
afterEach(() => {
  for (const thimble of open.splice(0)) thimble.close();
});
async function loadOn(threads: number, kernels?: (typeof buildNames)[number]): Promise<Thimble> {
  const thimble = await load(defaultModel(), { threads, kernels });
  open.push(thimble);
  return thimble;
}

async function answers(thimble: Thimble): Promise<number[][]> {
  const all: number[][] = [];
  for (const request of requests) all.push((await thimble.call(request, tools)).tokens);
  return all;
}

test.each(kernelKinds)(
  "%s: layers over ranges of whole tiles equal the layer over all rows, bit for bit",
  async (kind) => {
    const [h, whole] = [await host(odd, kind), await host(odd, kind)];
    for (const n of [5, 8, 27, 64]) {
      await encode(whole, ids(n));
      const { kernels, layout, session } = h;
      new Uint32Array(h.memory.buffer, session.ids, n).set(ids(n));
      kernels.embed(session.record, layout.units[0].at as number, session.ids, n, session.x);
      for (const block of layout.encoder) {
        for (const name of ["encoder_kv", "encoder_attend"] as const) {
          for (let start = 0; start < n; start += 2 * tileRows) {
            const x = session.x + start * oddGeometry.dModel * 4;
            const rows = Math.min(2 * tileRows, n - start);
            kernels[name](session.record, block, session.encoderCache, x, start, rows, n, 0);
          }
        }
      }
      kernels.final_norm(session.record, layout.encoderNorm, session.x, n);
      const states = n * oddGeometry.dModel;
      expect(h.floats(session.x, states)).toEqual(whole.floats(whole.session.x, states));
    }
  },
);

function hostOf({ inside }: Thimble, session: SessionPlan): Host {
  const { kernels, memory, layout, weights } = inside;
  return { kernels, memory, layout, session, walk: (units, work) => weights.walk(units, work) };
}

/** Runs prefills until worker 1 has written to its working buffers: the calling thread may be through before it wakes. */
async function untilWorkerTakesPart(thimble: Thimble, plan: SessionPlan, n: number): Promise<void> {
  const { memory } = thimble.inside;
  const own = plan.regions.find(({ name }) => name === "session thread 1 y") as Region;
  for (let i = 0; i < 1000; i++) {
    await prefill(hostOf(thimble, plan), ids(n));
    if (new Uint32Array(memory.buffer, own.offsetBytes, own.bytes / 4).some((word) => word !== 0)) return;
  }
  throw new Error("expected the worker to take a chunk in 1,000 prefills, got none");
}

describe.each(buildNames)("%s", (build) => {
  test.each([2, 3])("%i threads leave the states, keys and values of one, bit for bit", async (threads) => {
    const results: Uint8Array[][] = [];
    for (const count of [1, threads]) {
      const thimble = await load(odd, { threads: count, kernels: build, promptTokens: 64, answerTokens: 16 });
      open.push(thimble);
      expect(thimble.threads).toBe(count);
      const { plan } = thimble.session();
      const { memory } = thimble.inside;
      const kept = plan.regions.filter(({ name }) =>
        /^session (x|(encoder|decoder.*cross) (k|v|kScale|vScale))$/.test(name),
      );
      expect(kept).toHaveLength(1 + 4 * (1 + oddGeometry.nDecoderLayers));
      if (count > 1) await untilWorkerTakesPart(thimble, plan, 64);
      const result: Uint8Array[] = [];
      for (const n of [64, 33, 9, 4, 1]) {
        await prefill(hostOf(thimble, plan), ids(n));
        for (const { offsetBytes, bytes } of kept)
          result.push(new Uint8Array(memory.buffer, offsetBytes, bytes).slice());
      }
      results.push(result);
    }
    expect(results[1]).toEqual(results[0]);
  });

  test("2 threads answer with the tokens of one", async () => {
    expect(await answers(await loadOn(2, build))).toEqual(await answers(await loadOn(1, build)));
  });
});

test("sessions side by side on 2 threads answer as alone", async () => {
  const thimble = await loadOn(2);
  const alone = await answers(thimble);
  const sessions = requests.map(() => thimble.session());
  const onText = () => new Promise<void>((resolve) => setTimeout(resolve));
  const together = await Promise.all(requests.map((request, i) => sessions[i].call(request, tools, { onText })));
  expect(together.map(({ tokens }) => tokens)).toEqual(alone);
});

test("2 threads answer with the tokens of one where the first layers' work on the tools is kept", async () => {
  const joint = await jointPack();
  const models = [await load(joint), await load(joint, { threads: 2 })];
  open.push(...models);
  const [one, two] = models.map((model) => model.session({ warmLayers: 2 }));
  for (const request of [...requests, ...requests]) {
    expect((await two.call(request, tools)).tokens).toEqual((await one.call(request, tools)).tokens);
  }
});

test("an aborted call leaves the workers idle, and the next one answers", async () => {
  const thimble = await loadOn(2);
  const alone = await answers(thimble);
  const controller = new AbortController();
  const onText = () => controller.abort(new Error("never mind"));
  await expect(thimble.call(requests[0], tools, { signal: controller.signal, onText })).rejects.toThrow("never mind");
  // Collects now what other tests left, rather than in the idle windows.
  Bun.gc(true);
  // The host's own collector and compiler may be busy for a while; a worker that looks for work is so in every window.
  const windows: number[] = [];
  for (let i = 0; i < 3; i++) {
    const cpu = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 600));
    const { user, system } = process.cpuUsage(cpu);
    windows.push((user + system) / 1000);
  }
  expect(Math.min(...windows)).toBeLessThan(100);
  expect(await answers(thimble)).toEqual(alone);
});

test("close ends the workers, also in the middle of a call; it goes on with one thread to the same tokens", async () => {
  const thimble = await loadOn(3);
  const alone = await answers(thimble);
  const onText = () => thimble.close();
  const { tokens } = await thimble.call(requests[0], tools, { onText });
  expect(tokens).toEqual(alone[0]);
  expect(thimble.threads).toBe(1);
  thimble.close();
  expect(await answers(thimble)).toEqual(alone);
});

test("50 models opened and closed leave no thread and no memory behind", async () => {
  const threads = () => (existsSync("/proc/self/task") ? readdirSync("/proc/self/task").length : 0);
  const settled = async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    Bun.gc(true);
    return { threads: threads(), mebibytes: process.memoryUsage().rss / 2 ** 20 };
  };
  const cycle = async () => {
    const thimble = await load(defaultModel(), { threads: 3 });
    await thimble.rank(requests[0], tools);
    thimble.close();
  };
  for (let i = 0; i < 10; i++) await cycle();
  const before = await settled();
  for (let i = 0; i < 50; i++) await cycle();
  const after = await settled();
  expect(after.threads).toBeLessThanOrEqual(before.threads + 2);
  expect(after.mebibytes).toBeLessThan(before.mebibytes + 60);
});

test("a trap in a worker is an error of the call, and the next one answers", async () => {
  const thimble = await load(odd, { threads: 2, promptTokens: 64 });
  open.push(thimble);
  const { plan } = thimble.session();
  await untilWorkerTakesPart(thimble, plan, 64);
  const record = new DataView(thimble.inside.memory.buffer, plan.record + sessionRecordBytes);
  const at = 4 * sessionRecord.indexOf("y");
  const y = record.getUint32(at, true);
  record.setUint32(at, 2 ** 31 - 64, true);
  const run = () => prefill(hostOf(thimble, plan), ids(64));
  const often = async () => {
    for (let i = 0; i < 1000; i++) await run();
  };
  await expect(often()).rejects.toThrow(/expected \w+ to return, got a trap in a worker/);
  record.setUint32(at, y, true);
  await run();
});

test("a worker that dies over its chunk is an error, not a hang; a closed one is not asked", () => {
  const words = new Int32Array(new SharedArrayBuffer(4 * Object.keys(slots).length));
  // Claims a chunk behind the calling thread's back and never finishes it.
  const kernel = () => void Atomics.sub(words, slots.left, 1);
  const own = { encoder_kv: kernel } as unknown as Kernels;
  const workers = [{} as HostWorker];
  const split = splitRows(own, words, workers, 20);
  for (let i = 0; i < 2; i++) {
    expect(() => split.encoder_kv(64, 0, 0, 0, 0, 64)).toThrow(
      "expected an answer from every worker, got none from one",
    );
  }
  workers.pop();
  expect(split.encoder_kv(64, 0, 0, 0, 0, 64)).toBeUndefined();
});

/** Runs with a global replaced, as on another host. */
async function on(globals: Record<string, unknown>, run: () => Promise<void>): Promise<void> {
  const was = Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  try {
    await run();
  } finally {
    for (const [name, descriptor] of was) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  }
}

class NoWorker {
  constructor() {
    throw new Error("no workers today");
  }
}
class DeafWorker {
  onerror: ((event: object) => void) | null = null;
  postMessage() {
    queueMicrotask(() => this.onerror?.({}));
  }
  terminate() {}
}
/** A host without threads: WebAssembly.Memory refuses `shared`. */
const unshared = {
  ...Object.fromEntries(Object.getOwnPropertyNames(WebAssembly).map((name) => [name, Reflect.get(WebAssembly, name)])),
  Memory: class extends WebAssembly.Memory {
    constructor(limits: WebAssembly.MemoryDescriptor) {
      if (limits.shared) throw new RangeError("no");
      super(limits);
    }
  },
};

test.each([
  ["without SharedArrayBuffer", { SharedArrayBuffer: undefined }, "expected a host with SharedArrayBuffer"],
  ["on a page that is not isolated", { crossOriginIsolated: false }, "COOP and COEP"],
  ["that refuses shared memory", { WebAssembly: unshared }, "expected a host that grants shared memory"],
  ["that refuses workers", { Worker: NoWorker }, "expected workers to start: no workers today"],
  ["whose workers never start", { Worker: DeafWorker }, "Content-Security-Policy"],
])("a host %s answers on one thread and says why", async (_, globals, why) => {
  await on(globals, async () => {
    const thimble = await loadOn(2);
    expect(thimble.threads).toBe(1);
    expect(thimble.threadsMissing).toContain(why);
    expect((await thimble.call(requests[0], tools)).calls[0].name).toBe("set_alarm");
  });
});

test("one thread is the default and says nothing; other kernels and numbers out of range are named", async () => {
  const thimble = await load();
  expect([thimble.threads, thimble.threadsMissing]).toEqual([1, undefined]);
  expect(thimble.inside.memory.buffer).toBeInstanceOf(ArrayBuffer);
  const custom = await load(odd, { threads: 2, promptTokens: 64, kernels: (memory) => startReference(memory, "int4") });
  expect([custom.threads, custom.threadsMissing]).toEqual([1, "expected a build of thimble's kernels"]);
  for (const threads of [0, 1.5, 33, "2" as never]) {
    await expect(load(defaultModel(), { threads })).rejects.toThrow("threads: expected an integer from 1 to 32, got");
  }
});

test("a load that fails ends its workers", async () => {
  let [opened, ended] = [0, 0];
  class CountedWorker extends Worker {
    constructor(url: string, options: WorkerOptions) {
      super(url, options);
      opened++;
    }
    override terminate() {
      super.terminate();
      ended++;
    }
  }
  const bytes = await Bun.file(defaultModel()).bytes();
  bytes[bytes.length - 100] ^= 1;
  await on({ Worker: CountedWorker }, async () => {
    await expect(load(bytes, { threads: 3 })).rejects.toThrow("checksum");
  });
  expect([opened, ended]).toEqual([2, 2]);
});

test("a process ends by itself with workers open", async () => {
  const { code, out, err } = await thimble(["run", requests[0], "--threads", "2"]);
  expect({ code, out, err }).toEqual({ code: 0, out: 'set_alarm {"time":"7:15","date":"tomorrow"}\n', err: "" });
});
