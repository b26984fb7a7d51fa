/** Weights that never all fit: the same tokens from a ring, within the budget, and clear errors where the file fails. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageBytes } from "../runtime/engine/memory.ts";
import { planModel, type Unit } from "../runtime/engine/modelplan.ts";
import { planSession } from "../runtime/engine/sessionplan.ts";
import { CapacityError, defaultModel, FormatError, load, type Thimble } from "../runtime/index.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { Ring } from "../runtime/load/ring.ts";
import { fullGeometry } from "../tools/bench/runs.ts";
import { buildNames } from "../wasm/abi.ts";
import { oddGeometry, packOf, plain, randomCheckpoint, seeded, talkative, thimble } from "./support.ts";

const tools = await Bun.file(new URL("../tools/watch.json", import.meta.url)).json();
const requests = ["wake me at 7:15 tomorrow", "tell anna i'm running late", "what is the capital of france"];
const folder = mkdtempSync(join(tmpdir(), "thimble-budget-"));
afterAll(() => rmSync(folder, { recursive: true }));

const deep = { ...oddGeometry, nEncoderLayers: 3, nDecoderLayers: 3 };
let odd: Uint8Array;
let resident: Thimble;
let wanted: number[][];

beforeAll(async () => {
  odd = await packOf(talkative(randomCheckpoint(deep, 4)));
  resident = await load();
  wanted = [];
  for (const request of requests) wanted.push((await resident.call(request, tools)).tokens);
});

/** Names of the units that pass through the ring. */
function passing({ inside }: Thimble): string[] {
  return inside.layout.units.filter(({ at }) => at === null).map(({ name }) => name);
}

test("the least memory that inspect tells is enough for a call, and a page less is too little", async () => {
  for (const prompt of ["joint", "apart"] as const) {
    const path = join(folder, `${prompt}.thimble`);
    writeFileSync(path, await packOf(talkative(randomCheckpoint({ ...deep, vocabSize: 4096 }, 4)), { prompt }));
    const { memory } = JSON.parse((await thimble(["inspect", path, "--json"])).out);
    const model = await load(path, { memory: memory.leastBytes });
    expect((await model.call("open the door", [{ name: "open" }])).timings.tools.offered).toBe(1);
    model.close();
    await expect(load(path, { memory: memory.leastBytes - pageBytes })).rejects.toThrow(CapacityError);
  }
});

test.each([3, 3.5, 4, 4.5])("the default model in %d MiB gives the tokens of the resident one", async (mebibytes) => {
  const thimble = await load(undefined, { memory: mebibytes * 2 ** 20 });
  expect(passing(thimble).length).toBeGreaterThan(0);
  for (const [i, request] of requests.entries()) {
    expect((await thimble.call(request, tools)).tokens).toEqual(wanted[i]);
    expect((await thimble.call(request, tools, { signal: new AbortController().signal })).tokens).toEqual(wanted[i]);
  }
  expect(thimble.linearMemoryBytes).toBeLessThanOrEqual(mebibytes * 2 ** 20);
  thimble.close();
});

// Not the reference: it unpacks a matrix once, for good, where it first finds it.
describe.each(buildNames)("%s kernels", (kernels) => {
  test("every section in the ring: free text, vectors, warm layers and two sessions as from resident weights", async () => {
    const limits = { promptTokens: 40, answerTokens: 40, warmLayers: 1 };
    const ask = async (thimble: Thimble) => {
      const other = thimble.session();
      const both = await Promise.all([
        thimble.call("hi", [{ name: "f" }], { grammar: false }),
        other.call("hello there", [{ name: "f" }], { grammar: false }),
        thimble.call("ho", [{ name: "f" }], { grammar: false }),
      ]);
      const vector = await thimble.vectorOf("some text");
      thimble.close();
      return { tokens: both.map(({ tokens }) => tokens), vector };
    };
    const least = planModel((await PackStream.open(odd)).header, 0).endBytes;
    const session = planSession(deep, { ...plain, promptTokens: 40, answerTokens: 40, warmLayers: 1 }).endBytes + 64;
    const memory = Math.ceil((least + 2 * session) / pageBytes) * pageBytes;
    const whole = await load(odd, { ...limits, kernels });
    const small = await load(odd, { ...limits, kernels, memory, sessions: 2 });
    const got = await ask(small);
    expect(passing(small).length).toBeGreaterThan(0);
    expect(got).toEqual(await ask(whole));
    expect(new Set(got.tokens.flat()).size).toBeGreaterThan(8);
  });
});

test("a plan keeps within its room from the least on, keeps more with more room, and decoder layers first", () => {
  const header = { geometry: fullGeometry, format: "int4" as const };
  const least = planModel(header, 0).endBytes;
  const whole = planModel(header).endBytes;
  const kept = (units: Unit[], prefix: string) =>
    units.filter(({ at, name }) => at !== null && name.startsWith(prefix));
  let before = 0;
  for (let room = least; room < whole; room += 100_000) {
    const plan = planModel(header, room);
    expect(plan.endBytes).toBeLessThanOrEqual(room);
    let end = 0;
    for (const { name, offsetBytes, bytes } of plan.regions) {
      if (offsetBytes < end || offsetBytes % 64) throw new Error(`${name} begins at ${offsetBytes}, after ${end}`);
      end = offsetBytes + bytes;
    }
    for (const { at, bytes, name } of plan.units) {
      if (at === null && bytes > (plan.ring?.bytes ?? 0)) throw new Error(`${name} does not fit the ring`);
    }
    const count = plan.units.filter(({ at }) => at !== null).length;
    expect(count).toBeGreaterThanOrEqual(before);
    before = count;
    if (kept(plan.units, "embedding").length) expect(kept(plan.units, "decoder")).toHaveLength(8);
    if (kept(plan.units, "encoder").length) expect(kept(plan.units, "embedding")).toHaveLength(plan.table.length);
  }
  expect(planModel(header, whole).ring).toBeNull();
});

test("the parts of the embedding cover its rows, whole words of a mask each", () => {
  for (const geometry of [fullGeometry, deep, ...[32, 64, 128, 160].map((dModel) => ({ ...deep, dModel }))]) {
    const { table, units } = planModel({ geometry, format: "int4" }, 0);
    let row = 0;
    for (const { startRow, rows } of table) {
      expect(startRow).toBe(row);
      expect(startRow % 32).toBe(0);
      row += rows;
    }
    expect(row).toBe(geometry.vocabSize);
    const bytes = units.filter(({ name }) => name.startsWith("embedding")).reduce((sum, unit) => sum + unit.bytes, 0);
    expect(bytes).toBe(planModel({ geometry, format: "int4" }).units[0].bytes);
  }
});

test("the full geometry finds room in 8 MiB at 384/128 tokens; where it does not, the error says which prompt does", async () => {
  const header = { geometry: fullGeometry, format: "int4" as const };
  const session = planSession(fullGeometry, { ...plain, promptTokens: 384, answerTokens: 128 }).endBytes + 64;
  expect(planModel(header, 8 * 2 ** 20 - session).endBytes + session).toBeLessThanOrEqual(8 * 2 ** 20);
  const memory = 1.375 * 2 ** 20;
  const error = await load(defaultModel(), { memory }).catch((e) => e);
  expect(error).toBeInstanceOf(CapacityError);
  expect([error.path, error.available]).toEqual(["memory", memory]);
  const least = Math.ceil(error.needed / pageBytes) * pageBytes;
  await (await load(defaultModel(), { memory: least })).close();
  await expect(load(defaultModel(), { memory: least - pageBytes })).rejects.toThrow(CapacityError);
  const promptTokens = Number(error.message.match(/load with promptTokens (\d+)/)?.[1]);
  const thimble = await load(defaultModel(), { memory, promptTokens });
  expect((await thimble.call("wake me at 7:15 tomorrow", tools.slice(0, 2))).calls).toHaveLength(1);
  thimble.close();
  await expect(load(defaultModel(), { memory, promptTokens: promptTokens + 8 })).rejects.toThrow(CapacityError);
  await expect(load(defaultModel(), { memory: Number.NaN })).rejects.toThrow(RangeError);
});

test.each([
  ["sessions", { memory: 2.5e6, sessions: 8, promptTokens: 8, toolRows: 8 }],
  ["toolRows", { memory: 1.2e6 }],
  ["answerTokens", { memory: 1.2e6, toolRows: 8, answerTokens: 512 }],
])(
  "where memory is short even of prompts, the error advises fewer %s while there can be fewer",
  async (fewer, limits) => {
    await expect(load(defaultModel(), limits)).rejects.toThrow(new RegExp(`use a smaller model or fewer ${fewer}$`));
  },
);

test("a source that can be read only once is refused under a budget, and closed", async () => {
  const stream = () => new Response(odd as Uint8Array<ArrayBuffer>).body as ReadableStream<Uint8Array>;
  const limits = { promptTokens: 8, answerTokens: 8, memory: 3 * pageBytes };
  await expect(load(stream(), limits)).rejects.toThrow("can be read again and again, got a stream");
  await expect(load(new Response(stream()), limits)).rejects.toThrow(TypeError);
  const thimble = await load(odd, limits);
  expect(passing(thimble).length).toBeGreaterThan(0);
});

describe("a file under the feet of a call", () => {
  const path = join(folder, "moving.thimble");
  const open = async () => {
    writeFileSync(path, new Uint8Array(await Bun.file(defaultModel()).arrayBuffer()));
    return load(path, { memory: 3 * 2 ** 20 });
  };

  test("written to: the call says that it changed, and so does the next", async () => {
    const thimble = await open();
    expect((await thimble.call(requests[0], tools)).tokens).toEqual(wanted[0]);
    utimesSync(path, 1, 1);
    for (let i = 0; i < 2; i++) await expect(thimble.call(requests[0], tools)).rejects.toThrow("got a changed one");
    thimble.close();
  });

  test("cut short: the call says so", async () => {
    const thimble = await open();
    truncateSync(path, 1_000_000);
    await expect(thimble.call(requests[0], tools)).rejects.toThrow("got a changed one");
    thimble.close();
  });

  test("replaced by another: who has it open goes on as before", async () => {
    const thimble = await open();
    rmSync(path);
    writeFileSync(path, "something else");
    expect((await thimble.call(requests[0], tools)).tokens).toEqual(wanted[0]);
    thimble.close();
    await expect(thimble.call(requests[0], tools)).rejects.toThrow("expected an open file, got a closed one");
  });

  test.each([
    ["embedding", "load"],
    ["encoder.1", "call"],
    ["decoder.2", "either"],
  ])("damaged in %s: found at first sight, in %s", async (name) => {
    const bytes = new Uint8Array(await Bun.file(defaultModel()).arrayBuffer());
    const { header } = await PackStream.open(bytes);
    const section = header.sections.find((known) => known.name === name);
    bytes[(section?.offsetBytes ?? 0) + 1000] ^= 1;
    writeFileSync(path, bytes);
    const work = load(path, { memory: 3 * 2 ** 20 }).then((thimble) => thimble.call(requests[0], tools));
    const error = await work.catch((e) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.path).toBe(name);
    expect(error.offset).toBe(section?.offsetBytes ?? 0);
  });
});

test("two threads under a budget give the same tokens", async () => {
  const thimble = await load(undefined, { memory: 3.5 * 2 ** 20, threads: 2 });
  expect(thimble.threads).toBe(2);
  for (const [i, request] of requests.entries()) {
    expect((await thimble.call(request, tools)).tokens).toEqual(wanted[i]);
  }
  thimble.close();
});

test("early under a budget: a call waits for what stays, and gives the same tokens", async () => {
  const thimble = await load(undefined, { memory: 3.5 * 2 ** 20, early: true });
  expect((await thimble.call(requests[0], tools)).tokens).toEqual(wanted[0]);
  await thimble.loaded;
});

test("a ring waits for a read on its way before it reads something else to the same place", async () => {
  const [wide, left, right] = [512, 256, 256].map((bytes, i): Unit => {
    return { name: `u${i}`, offsetBytes: 0, bytes, at: null, pointers: [] };
  });
  const finish = new Map<Unit, () => void>();
  const ring = new Ring({ name: "ring", offsetBytes: 0, bytes: 512 }, (unit) => {
    return new Promise((resolve) => finish.set(unit, resolve));
  });
  const turns = () => new Promise((resolve) => setTimeout(resolve, 5));
  const first = ring.use(left, [right], () => {});
  await turns();
  finish.get(left)?.();
  await first;
  const last = ring.use(wide, [], () => {});
  await turns();
  expect([finish.has(right), finish.has(wide)]).toEqual([true, false]);
  finish.get(right)?.();
  await turns();
  finish.get(wide)?.();
  await last;
});

test("a ring reads ahead, never over what is in use, and a failed read spoils nothing", async () => {
  const random = seeded(4);
  const units = Array.from({ length: 9 }, (_, i): Unit => {
    return { name: `u${i}`, offsetBytes: 0, bytes: 64 * (1 + Math.floor(random() * 4)), at: null, pointers: [] };
  });
  const memory = new Uint8Array(64 + 512);
  let failing = -1;
  let reads = 0;
  let readingWhileUsed = 0;
  let pending = 0;
  const ring = new Ring({ name: "ring", offsetBytes: 64, bytes: 512 }, async (unit, at) => {
    reads++;
    pending++;
    const index = units.indexOf(unit);
    expect(at).toBeGreaterThanOrEqual(64);
    expect(at + unit.bytes).toBeLessThanOrEqual(memory.length);
    memory.fill(255, at, at + unit.bytes);
    await new Promise((resolve) => setTimeout(resolve, random() * 3));
    pending--;
    if (index === failing) throw new Error("no bytes");
    memory.fill(index, at, at + unit.bytes);
  });
  const walk = async (order: number[]) => {
    for (const [i, index] of order.entries()) {
      const following = order.slice(i + 1).map((next) => units[next]);
      await ring.use(units[index], following, (at) => {
        if (pending) readingWhileUsed++;
        expect(memory.subarray(at, at + units[index].bytes).every((byte) => byte === index)).toBe(true);
      });
    }
  };
  const orders = Array.from({ length: 4 }, () => Array.from({ length: 30 }, () => Math.floor(random() * units.length)));
  await Promise.all(orders.map(walk));
  expect(readingWhileUsed).toBeGreaterThan(20);
  expect(reads).toBeLessThanOrEqual(2 * 4 * 30);
  // Pushes unit 3 out.
  await walk([0, 1, 2, 4, 5, 6, 7, 8]);
  failing = 3;
  await expect(walk([0, 1, 2, 3, 4])).rejects.toThrow("no bytes");
  failing = -1;
  await walk([3, 0, 1, 2, 4]);
});
