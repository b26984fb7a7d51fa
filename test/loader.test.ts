import { afterAll, beforeAll, expect, test } from "bun:test";
import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { startKernels } from "../runtime/engine/kernels.ts";
import { reserve } from "../runtime/engine/memory.ts";
import { planModel } from "../runtime/engine/modelplan.ts";
import { planSession } from "../runtime/engine/sessionplan.ts";
import { CapacityError, defaultModel, FormatError, load, type Source } from "../runtime/index.ts";
import { sumsIn } from "../runtime/load/checksum.ts";
import { PackStream } from "../runtime/load/loader.ts";
import {
  checkFile,
  type Field,
  packVersion,
  prefixBytes,
  readHeader,
  readPrefix,
  type SectionEntry,
  sectionLayouts,
  writePack,
} from "../runtime/pack/pack.ts";
import { xxh32 } from "../runtime/pack/xxh32.ts";
import { fullGeometry } from "../tools/bench/runs.ts";
import { buildNames } from "../wasm/abi.ts";
import { oddGeometry, packOf, plain, randomCheckpoint, seeded } from "./support.ts";

const small = {
  ...oddGeometry,
  dModel: 32,
  nHeads: 2,
  nKvHeads: 1,
  nEncoderLayers: 1,
  nDecoderLayers: 1,
  contrastiveHidden: 8,
  contrastiveDim: 8,
};
const folder = mkdtempSync(join(tmpdir(), "thimble-loader-"));
const path = join(folder, "small.thimble");
let pack: Uint8Array<ArrayBuffer>;
let server: ReturnType<typeof Bun.serve>;

beforeAll(async () => {
  pack = Uint8Array.from(await packOf(randomCheckpoint(small, 1)));
  await Bun.write(path, pack);
  server = Bun.serve({
    port: 0,
    fetch: ({ url }) => (url.endsWith("pack") ? new Response(pack) : new Response("no", { status: 404 })),
  });
});
afterAll(() => {
  server.stop();
  rmSync(folder, { recursive: true });
});

/** The pack as a stream of chunks of the given sizes, over and over. */
function inChunks(sizes: number[]): ReadableStream<Uint8Array> {
  let [at, turn] = [0, 0];
  return new ReadableStream({
    pull(controller) {
      if (at >= pack.length) return controller.close();
      const size = sizes[turn++ % sizes.length];
      controller.enqueue(pack.subarray(at, at + size));
      at += size;
    },
  });
}

/** Every byte of the weights in linear memory. */
async function weights(source: Source): Promise<Uint8Array> {
  const { memory, layout } = (await load(source, { promptTokens: 16, answerTokens: 8 })).inside;
  const start = layout.units[0].at as number;
  return new Uint8Array(memory.buffer).slice(start, layout.endBytes);
}

test("every kind of source loads the same weights: bytes, buffer, blob, path, URLs, response, stream in any chunks", async () => {
  const want = await weights(pack);
  expect(want.some((byte) => byte !== 0)).toBe(true);
  const address = `http://localhost:${server.port}/pack`;
  const sources: Source[] = [
    pack.buffer,
    new Blob([pack]),
    path,
    pathToFileURL(path),
    address,
    new URL(address),
    await fetch(address),
    inChunks([1]),
    inChunks([23, 1, 4096, 7]),
    inChunks([pack.length]),
  ];
  for (const source of sources) expect(await weights(source)).toEqual(want);
});

test("a Buffer is only read, and may be filled again for a stream's next chunk", async () => {
  const want = await weights(pack);
  const own = Buffer.from(pack);
  for (let i = 0; i < 2; i++) expect(await weights(own)).toEqual(want);
  await expect(load(own.subarray(0, -1))).rejects.toThrow("cut short");
  expect(own.equals(pack)).toBe(true);

  const again = Buffer.alloc(20);
  let at = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= pack.length) return controller.close();
        const part = pack.subarray(at, at + again.length);
        again.set(part);
        at += part.length;
        controller.enqueue(again.subarray(0, part.length));
      },
    },
    { highWaterMark: 0 },
  );
  expect(await weights(stream)).toEqual(want);
});

test("corrupt any byte of a pack and it is refused", async () => {
  const random = seeded(2);
  const header = await PackStream.open(pack);
  const memory = reserve(null, planModel(header.header).endBytes, 2 ** 32);
  const damaged = pack.slice();
  for (let at = 0; at < pack.length; at++) {
    const bit = 1 << Math.floor(random() * 8);
    damaged[at] ^= bit;
    const refused = await PackStream.open(damaged)
      .then((stream) => stream.copyInto(memory, planModel(stream.header), () => {}))
      .then(
        () => null,
        (error) => error,
      );
    if (!(refused instanceof FormatError))
      throw new Error(`byte ${at}, bit ${bit}: expected a FormatError, got ${refused}`);
    damaged[at] ^= bit;
  }
});

test("a pack cut anywhere is refused, naming the section and the byte where it ends", async () => {
  const { header } = await PackStream.open(pack);
  const cuts = [
    0,
    7,
    prefixBytes,
    prefixBytes + 100,
    ...header.sections.flatMap(({ offsetBytes, bytes }) => [offsetBytes, offsetBytes + 1, offsetBytes + bytes - 1]),
  ];
  // Of a stream nobody knows the length before its end.
  for (const sourceOf of [
    (bytes: Uint8Array) => bytes,
    (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]).stream(),
  ])
    for (const cut of cuts) {
      const error = await load(sourceOf(pack.slice(0, cut))).then(
        () => null,
        (e) => e,
      );
      expect(error).toBeInstanceOf(FormatError);
      expect(error.offset).toBe(cut);
      const section = header.sections.findLast(({ offsetBytes }) => offsetBytes <= cut);
      expect(error.path).toBe(section ? section.name : cut < prefixBytes ? "prefix" : "header");
    }
  const longer = new Blob([pack as Uint8Array<ArrayBuffer>, "abc"]);
  const want = `end: expected ${pack.length} bytes in the file, got ${pack.length + 3}:`;
  for (const source of [longer, longer.stream()]) await expect(load(source)).rejects.toThrow(want);
});

test("a foreign file, a newer version, a wrong source and a missing file say so", async () => {
  const change = (at: number, value: number) => {
    const other = pack.slice();
    other[at] = value;
    return other;
  };
  await expect(load(new TextEncoder().encode("PK\u0003\u0004 something else entirely"))).rejects.toThrow(
    "magic: expected a thimble pack",
  );
  await expect(load(change(8, packVersion + 1))).rejects.toThrow(
    `version: expected 1 or ${packVersion}, got ${packVersion + 1}; update thimble`,
  );
  await expect(load(join(folder, "missing.thimble"))).rejects.toThrow("expected a readable pack, got ENOENT");
  await expect(load(`http://localhost:${server.port}/nothing`)).rejects.toThrow("got HTTP 404");
  await expect(load(42 as unknown as Source)).rejects.toThrow(TypeError);
});

test("progress ends at the file's size; abort stops with the signal's reason, before and between chunks", async () => {
  const seen: number[] = [];
  await load(inChunks([1000]), { onProgress: ({ loadedBytes, totalBytes }) => seen.push(loadedBytes / totalBytes) });
  expect(seen.at(-1)).toBe(1);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  await expect(load(pack, { signal: AbortSignal.abort(new Error("no time")) })).rejects.toThrow("no time");
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  await expect(load(inChunks([3000]), { signal: controller.signal, onProgress })).rejects.toThrow("enough");
});

test("a signal that outlives its loads, good or failed, is left as it was", async () => {
  const { signal } = new AbortController();
  for (const source of ["/nowhere.thimble", pack, 5 as never]) await load(source, { signal }).catch(() => {});
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

test("a geometry bigger than memory allows is refused before a byte of it is read, with needed and available bytes", async () => {
  const error = await load(pack, { memory: 70_000 }).then(
    () => null,
    (e) => e,
  );
  expect(error).toBeInstanceOf(CapacityError);
  expect(error.available).toBe(65_536);
  expect(error.needed).toBeGreaterThan(65_536);
  const huge = planModel({
    geometry: { ...fullGeometry, vocabSize: 1 << 20, nEncoderLayers: 256, nDecoderLayers: 256 },
    format: "int4",
  });
  expect(() => reserve(null, huge.endBytes * 16, 2 ** 32)).toThrow(CapacityError);
});

test("a header whose map is not ours is refused with its part's name", () => {
  const prefix = readPrefix(pack);
  const bytes = pack.slice(prefixBytes, prefix.bodyOffset);
  for (const [from, to, path] of [
    ["nHeads", "nHEADS", "geometry.nHeads"],
    ["int4", "int5", "header.weights"],
    ["encoder.0", "encoder.9", "header.sections[1]"],
  ]) {
    const text = Buffer.from(bytes).toString("latin1").replace(from, to);
    const changed = Uint8Array.from(Buffer.from(text, "latin1"));
    const read = () => readHeader(changed, { ...prefix, checksum: xxh32(changed) });
    expect(read).toThrow(FormatError);
    expect(read).toThrow(path);
  }
});

test("the model that ships is byte for byte what its header, read and written again, makes of its sections", async () => {
  const file = new Uint8Array(await Bun.file(defaultModel()).arrayBuffer());
  const { sections, fileBytes, ...head } = checkFile(file);
  const layouts = sectionLayouts(head.geometry, head.format);
  const again = writePack(head, (section, name) => {
    const field = layouts.find((one) => one.name === section)?.fields.find((one) => one.name === name) as Field;
    const start = (sections.find((one) => one.name === section) as SectionEntry).offsetBytes + field.offsetBytes;
    return file.subarray(start, start + field.bytes);
  });
  expect(Buffer.compare(again, file)).toBe(0);
});

test("a calibration that calibrate did not write is refused, naming it", async () => {
  const bad = await packOf(randomCheckpoint(oddGeometry, 2), { calibration: { version: 1, weights: {} } as never });
  await expect(load(bad)).rejects.toThrow(FormatError);
  await expect(load(bad)).rejects.toThrow("calibration: expected what `thimble calibrate` writes");
});

test("XXH32 gives the reference values of its specification, at any alignment", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  expect(xxh32(bytes(""))).toBe(0x02cc5d05);
  expect(xxh32(bytes("a"))).toBe(0x550d7456);
  expect(xxh32(bytes("abc"))).toBe(0x32d153ff);
  const long = bytes("Nobody inspects the spammish repetition");
  expect(xxh32(long)).toBe(0xe2293b2f);
  const shifted = new Uint8Array(long.length + 1);
  shifted.set(long, 1);
  expect(xxh32(shifted.subarray(1))).toBe(0xe2293b2f);
});

test.each(buildNames)("%s kernels sum as JavaScript does, in place, any whole stripes and others", async (build) => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const kernels = await startKernels(build, memory);
  let summed = 0;
  const sum = sumsIn(memory, {
    xxh32_stripes: (...given) => {
      summed++;
      kernels.xxh32_stripes?.(...given);
    },
  });
  const random = seeded(5);
  const bytes = new Uint8Array(memory.buffer, 64).map(() => 256 * random());
  new Uint8Array(memory.buffer).set(bytes, 64);
  for (const length of [0, 16, 32, 48, 64, 4096, 65472, 7, 100])
    expect(sum(64, length)).toBe(xxh32(bytes.subarray(0, length)));
  expect(summed).toBe(7);
  expect(new Uint8Array(memory.buffer, 64)).toEqual(bytes);
});

test("the full geometry's plan at 384/128 tokens fits 26 MiB, its regions neither overlap nor leave the plan", () => {
  const layout = planModel({ geometry: fullGeometry, format: "int4" });
  const session = planSession(fullGeometry, { ...plain, promptTokens: 384, answerTokens: 128 }, layout.endBytes);
  expect(session.endBytes).toBeLessThan(26 * 2 ** 20);
  let end = 0;
  for (const { name, offsetBytes, bytes } of [...layout.regions, ...session.regions]) {
    if (offsetBytes < end) throw new Error(`${name} begins at ${offsetBytes}, before ${end}`);
    expect(offsetBytes % 64).toBe(0);
    end = offsetBytes + bytes;
  }
  expect(end).toBe(session.endBytes);
});

test("sections come in the order that inference needs them", () => {
  const names = sectionLayouts({ ...fullGeometry, nEncoderLayers: 2, nDecoderLayers: 2 }, "int4").map(
    ({ name }) => name,
  );
  expect(names).toEqual([
    "embedding",
    "encoder.0",
    "encoder.1",
    "norms",
    "cross.0",
    "cross.1",
    "decoder.0",
    "decoder.1",
    "contrastive",
  ]);
});
