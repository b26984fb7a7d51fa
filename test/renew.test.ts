/** Files of version 1, written by the last thimble that wrote them, are read as what today's writer makes of the same weights. */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "../runtime/engine/decoder.ts";
import { prefill } from "../runtime/engine/encoder.ts";
import { load } from "../runtime/index.ts";
import { checkFile, packVersion, sectionLayouts } from "../runtime/pack/pack.ts";
import { renewSection } from "../runtime/pack/renew.ts";
import { openPack, writeMerged, writeTuning } from "../tools/finetune/files.ts";
import { readParameters } from "../tools/finetune/parameters.ts";
import { runBytes } from "../wasm/abi.ts";
import { fixture, host, logitsOf, oddGeometry, packOf, randomCheckpoint, thimble } from "./support.ts";

const old = new Uint8Array(readFileSync(fixture("first.thimble")));
const oldTuning = new Uint8Array(readFileSync(fixture("first.tuning.thimble")));
/** `first.thimble` was packed from this, its tuning from its decoder with each number x(i) times 1 + 0.2 sin i. */
const now = await packOf(randomCheckpoint({ ...oddGeometry, dModel: 64, nEncoderLayers: 1, nDecoderLayers: 1 }, 31));
const tools = [{ name: "set_alarm", parameters: { time: { type: "string", required: true } } }];

test("its sections are byte for byte those that are packed today, and its header says its version", () => {
  const [first, second] = [checkFile(old), checkFile(now)];
  expect([first.version, second.version]).toEqual([1, packVersion]);
  for (const [i, { name, offsetBytes, bytes }] of first.sections.entries()) {
    const today = second.sections[i];
    expect([name, [...renewSection(first, name, old.subarray(offsetBytes, offsetBytes + bytes))]]).toEqual([
      today.name,
      [...now.subarray(today.offsetBytes, today.offsetBytes + today.bytes)],
    ]);
  }
});

test("it computes the same, streamed in chunks of any size", async () => {
  const results = [];
  for (const pack of [old, now]) {
    const h = await host(pack, "relaxed");
    await prefill(h, [5, 9, 40, 261]);
    results.push(await logitsOf(h, await decode(h, [7], 0, 4), null, oddGeometry.vocabSize));
  }
  expect(results[0]).toEqual(results[1]);
  const chunks = new ReadableStream({
    start(controller) {
      for (let at = 0; at < old.length; at += 1000) controller.enqueue(old.slice(at, at + 1000));
      controller.close();
    },
  });
  const [streamed, whole] = await Promise.all([load(chunks), load(now)]);
  expect((await streamed.call("wake me", tools)).tokens).toEqual((await whole.call("wake me", tools)).tokens);
});

test("it passes through a ring, and with a tuning of its own answers as the merged pack", async () => {
  const numbers = readParameters(checkFile(old).geometry, openPack(old).field).map(
    (x, i) => x * (1 + 0.2 * Math.sin(i)),
  );
  const want = (await (await load(writeMerged(openPack(old), numbers, { provenance: {} }))).call("wake me", tools))
    .tokens;
  expect((await (await load(old, { tuning: oldTuning })).call("wake me", tools)).tokens).toEqual(want);
  const path = join(mkdtempSync(join(tmpdir(), "renew-")), "old.thimble");
  writeFileSync(path, old);
  const limits = { promptTokens: 112, answerTokens: 32, toolRows: 8, warmLayers: 0 };
  const narrow = await load(path, { ...limits, memory: 131_072 });
  expect(narrow.inside.layout.ring).not.toBeNull();
  const wide = await load(now, limits);
  expect((await narrow.call("wake me", tools)).tokens).toEqual((await wide.call("wake me", tools)).tokens);
  narrow.close();
});

test("a byte of it that changed is refused, naming the section", async () => {
  const { sections } = checkFile(old);
  for (const { name, offsetBytes } of sections) {
    const damaged = old.slice();
    damaged[offsetBytes + 3] ^= 1;
    await expect(load(damaged)).rejects.toThrow(name);
  }
});

test("a tuning made of it today goes with it, and with no pack that `thimble build` made of it", async () => {
  const { header, field } = openPack(old);
  const numbers = readParameters(header.geometry, field).map((x, i) => x * (1 + 0.2 * Math.sin(i)));
  const tuning = writeTuning(openPack(old), numbers, { provenance: {} });
  const [asOld, asNew] = [oldTuning, tuning].map(async (one) => {
    const model = await load(old, { tuning: one });
    return (await model.call("wake me", tools)).tokens;
  });
  expect(await asNew).toEqual(await asOld);
  await expect(load(now, { tuning })).rejects.toThrow("beside the pack that it was made from, or tune anew");
});

test("scales below zero or without end are refused, naming the matrix", () => {
  const header = checkFile(old);
  const [{ fields }] = sectionLayouts(header.geometry, header.format, 1).filter(({ name }) => name === "decoder.0");
  const entry = header.sections.find(({ name }) => name === "decoder.0");
  if (!entry) throw new Error("first.thimble has a decoder");
  for (const scale of [-0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const section = old.slice(entry.offsetBytes, entry.offsetBytes + entry.bytes);
    const matrix = fields.find(({ name }) => name.endsWith("wo"));
    if (!matrix) throw new Error("a decoder has a matrix");
    new DataView(section.buffer).setFloat32(matrix.offsetBytes + 4 * runBytes, scale, true);
    expect(() => renewSection(header, "decoder.0", section)).toThrow(
      `decoder.0.${matrix.name}: expected finite scales of at least 0, got ${scale}`,
    );
  }
});

test("`thimble build` makes today's pack of it, byte for byte, and takes no option with it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "renew-"));
  const out = join(folder, "new.thimble");
  const path = join(folder, "old.thimble");
  writeFileSync(path, old);
  expect((await thimble(["build", path, "-o", out])).code).toBe(0);
  expect(Buffer.compare(readFileSync(out), now)).toBe(0);
  const refused = await thimble(["build", path, "-o", out, "--copies"]);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("expected no --copies for a pack")]);
});
