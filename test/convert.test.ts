/** Checkpoint → pack, for every published form. */
import { expect, test } from "bun:test";
import { PackStream } from "../runtime/load/loader.ts";
import { packMatrix, quantizeMatrix } from "../runtime/pack/quant.ts";
import { readCheckpoint } from "../tools/checkpoint/checkpoint.ts";
import { convert } from "../tools/convert.ts";
import { mostScale } from "../wasm/abi.ts";
import { unpackMatrix } from "../wasm/reference.ts";
import { distance, fixture, oddGeometry, randomCheckpoint, seeded, somePieces } from "./support.ts";

const notes = { licence: "test", provenance: { source: "test" } };

test("the original pickle and its safetensors twin give the same pack, byte for byte", async () => {
  const read = async (name: string) => readCheckpoint(await Bun.file(fixture(`checkpoint/${name}`)).bytes(), name);
  const packs = [];
  for (const name of ["p4-f16.pkl", "p2-f16-fortran.pkl", "p5-f16-axes.pkl"]) {
    const checkpoint = await read(name);
    packs.push(convert(checkpoint, await somePieces(checkpoint.config.vocabSize), notes));
  }
  expect(packs[1]).toEqual(packs[0]);
  expect(packs[2]).toEqual(packs[0]);
  const { header } = await PackStream.open(packs[0]);
  expect(header).toMatchObject({ licence: "test", provenance: { source: "test" }, format: "int4" });
});

test("weights that are int4 already keep their integers, and scales to half of a 255th of the output's greatest", () => {
  const random = seeded(1);
  const q4 = {
    nibbles: Int8Array.from({ length: 16 * 64 }, () => Math.floor(random() * 16) - 8),
    scales: Float32Array.from({ length: 16 * 2 }, () => random()),
  };
  const restored = unpackMatrix(packMatrix({ out: 16, in: 64, data: new Float32Array(16 * 64), q4 }), 16, 64);
  for (const [i, w] of restored.entries()) {
    const scale = w / q4.nibbles[i];
    const output = Math.floor(i / 64);
    const own = q4.scales.subarray(2 * output, 2 * output + 2);
    const off = q4.nibbles[i] ? Math.abs(scale - own[Math.floor((i % 64) / 32)]) : Math.abs(w);
    expect(off).toBeLessThanOrEqual(((Math.max(...own) / mostScale) * 1.0001) / 2);
  }
});

test("quantising restored weights again changes no integer, so that converting twice is converting once", () => {
  const { q } = randomCheckpoint(oddGeometry, 2).encoder[0];
  const restored = unpackMatrix(packMatrix(q), q.out, q.in);
  const twice = quantizeMatrix(restored, q.out, q.in);
  expect(twice.nibbles).toEqual(quantizeMatrix(q.data, q.out, q.in).nibbles);
  expect(distance(unpackMatrix(packMatrix({ ...q, data: restored }), q.out, q.in), restored)).toBeLessThan(1e-7);
});

test("a contrastive head of zeros, as published checkpoints carry it, is left out", async () => {
  const checkpoint = randomCheckpoint(oddGeometry, 3);
  checkpoint.contrastive?.proj.data.fill(0);
  const { header } = await PackStream.open(convert(checkpoint, await somePieces(oddGeometry.vocabSize), notes));
  expect(header.geometry).toMatchObject({ contrastiveHidden: 0, contrastiveDim: 0 });
  expect(header.sections.some(({ name }) => name === "contrastive")).toBe(false);
});

test("a vocabulary of another size, diverged weights and a geometry that the kernels cannot run are refused", async () => {
  const pieces = await somePieces(oddGeometry.vocabSize);
  expect(() => convert(randomCheckpoint(oddGeometry, 4), pieces.slice(1), notes)).toThrow(
    "vocabulary: expected 301 pieces, got 300",
  );
  const diverged = randomCheckpoint(oddGeometry, 4);
  diverged.decoder[1].cross.o.data[7] = Number.NaN;
  expect(() => convert(diverged, pieces, notes)).toThrow("expected finite weights, got NaN");
  const narrow = randomCheckpoint({ ...oddGeometry, dModel: 48, nHeads: 6, nKvHeads: 3 }, 5);
  expect(() => convert(narrow, pieces, notes)).toThrow("geometry.dModel: expected a multiple of 32 up to 512");
  const thin = randomCheckpoint({ ...oddGeometry, nHeads: 8, nKvHeads: 4 }, 5);
  expect(() => convert(thin, pieces, notes)).toThrow("geometry.headDim: expected a multiple of 8");
});
