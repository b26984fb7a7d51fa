/** One suite over the reference and every build; each build's inner kernels against float64, named by their bounds. */
import { beforeAll, describe, expect, test } from "bun:test";
import { decode } from "../runtime/engine/decoder.ts";
import { encode, prefill } from "../runtime/engine/encoder.ts";
import { packEmbedding, packMatrix, quantizeMatrix } from "../runtime/pack/quant.ts";
import { buildNames, groupSize, matrixBytes, memoryImport, mostInputs, mostScale, pad, tileRows } from "../wasm/abi.ts";
import { assemble, emit } from "../wasm/build.ts";
import { unseen } from "../wasm/kernels/attention.ts";
import { exp, exp2, sigmoid } from "../wasm/kernels/exp.ts";
import { unpackEmbeddingRow, unpackMatrix } from "../wasm/reference.ts";
import {
  distance,
  greatest,
  type Host,
  host,
  kernelKinds,
  logitsOf,
  oddGeometry,
  packOf,
  randomCheckpoint,
  seeded,
} from "./support.ts";

const ids = (n: number, vocabSize = oddGeometry.vocabSize) =>
  Array.from({ length: n }, (_, i) => (i * 37 + 11) % vocabSize);

async function states(h: Host, tokens: number[]): Promise<Float32Array> {
  await encode(h, tokens);
  return h.floats(h.session.x, tokens.length * h.geometry.dModel);
}

/** The hidden state after every chunk of an answer. */
async function hiddens(h: Host, source: number[], answer: number[], chunk: number): Promise<Float32Array> {
  await prefill(h, source);
  const rows: number[] = [];
  for (let pos = 0; pos < answer.length; pos += chunk) {
    const last = await decode(h, answer.slice(pos, pos + chunk), pos, source.length);
    rows.push(...h.floats(last, h.geometry.dModel));
  }
  return Float32Array.from(rows);
}

describe.each(kernelKinds)("%s", (kind) => {
  let odd: Uint8Array;
  beforeAll(async () => {
    odd = await packOf(randomCheckpoint(oddGeometry, 1));
  });

  test("embeddings are int8 times scale times √d", async () => {
    const [h, want] = [await host(odd, kind), await host(odd, "reference")];
    for (const { kernels, session, layout, memory } of [h, want]) {
      new Uint32Array(memory.buffer, session.ids, 3).set([0, 150, 300]);
      kernels.embed(session.record, layout.units[0].at as number, session.ids, 3, session.x);
    }
    expect(distance(h.floats(h.session.x, 288), want.floats(want.session.x, 288))).toBeLessThan(1e-5);
  });

  test("an id outside the vocabulary traps", async () => {
    const { kernels, session, layout, memory } = await host(odd, kind);
    new Uint32Array(memory.buffer, session.ids, 1)[0] = oddGeometry.vocabSize;
    expect(() => kernels.embed(session.record, layout.units[0].at as number, session.ids, 1, session.x)).toThrow();
  });

  test.each([1, 2, 3, 4, 5, 8, 63, 64])("encoder states of %i tokens within 4e-2 of the reference", async (n) => {
    const [h, want] = [await host(odd, kind), await host(odd, "reference")];
    expect(distance(await states(h, ids(n)), await states(want, ids(n)))).toBeLessThan(4e-2);
  });

  test.each([1, 7, 33])("decoder states after %i prompt tokens within 4e-2 of the reference", async (n) => {
    const [h, want] = [await host(odd, kind), await host(odd, "reference")];
    const answer = ids(21);
    expect(distance(await hiddens(h, ids(n), answer, 1), await hiddens(want, ids(n), answer, 1))).toBeLessThan(4e-2);
  });

  test.each([
    [4, 2],
    [4, 1],
    [6, 2],
    [4, 4],
  ])(
    "stepping equals recomputing, bit for bit, with %i heads over %i: 1, 2, 3, 4, 5 or all positions a call",
    async (nHeads, nKvHeads) => {
      const geometry = { ...oddGeometry, nHeads, nKvHeads };
      const h = await host(await packOf(randomCheckpoint(geometry, 1)), kind, 64, 80);
      const answer = ids(70);
      const one = await hiddens(h, ids(13), answer, 1);
      // More than `stepRows` at once, too.
      for (const chunk of [2, 3, 4, 5, 70]) {
        const last = answer.flatMap((_, pos) => ((pos + 1) % chunk && pos + 1 < answer.length ? [] : [pos]));
        const rows = last.flatMap((pos) => [...one.subarray(pos * geometry.dModel, (pos + 1) * geometry.dModel)]);
        expect(await hiddens(h, ids(13), answer, chunk)).toEqual(Float32Array.from(rows));
      }
    },
  );

  test("a second prefill equals the first, also after a longer one", async () => {
    const h = await host(odd, kind);
    const first = await hiddens(h, ids(9), ids(4), 1);
    await hiddens(h, ids(61), ids(30), 30);
    expect(await hiddens(h, ids(9), ids(4), 1)).toEqual(first);
  });

  test("logits within 4e-2 of the reference; a mask leaves −Infinity elsewhere and the same numbers inside", async () => {
    const [h, want] = [await host(odd, kind), await host(odd, "reference")];
    const { vocabSize, dModel } = oddGeometry;
    const rows: Float32Array[] = [];
    for (const one of [h, want]) {
      const { memory, session } = one;
      await prefill(one, ids(9));
      const at = await decode(one, [5], 0, 9);
      const start = new Float32Array(memory.buffer, at, dModel);
      const hidden = start.slice();
      rows.push(await logitsOf(one, at, null, vocabSize));
      const padding = new Float32Array(memory.buffer, session.logits, pad(vocabSize, 4)).subarray(vocabSize);
      expect([...padding]).toEqual(Array(padding.length).fill(Number.NEGATIVE_INFINITY));
      for (const allowed of [[0], [300], [3, 4, 5, 299], Array.from({ length: 150 }, (_, i) => 2 * i)]) {
        const mask = new Uint32Array(pad(vocabSize, 32) / 32);
        for (const id of allowed) mask[id >> 5] |= 1 << (id & 31);
        start.set(hidden);
        const masked = await logitsOf(one, at, mask, vocabSize);
        const all = rows.at(-1) as Float32Array;
        for (let id = 0; id < vocabSize; id++) {
          expect(masked[id]).toBe(allowed.includes(id) ? all[id] : Number.NEGATIVE_INFINITY);
        }
      }
    }
    expect(distance(rows[0], rows[1])).toBeLessThan(4e-2);
  });

  test("argmax takes the first of equals, finds a lone finite value, and sums e^x within 1e-5", async () => {
    const { kernels, memory, session } = await host(odd, kind);
    const values = new Float32Array(memory.buffer, session.logits, 304).fill(Number.NEGATIVE_INFINITY);
    const argmax = () => {
      const best = kernels.argmax(session.logits, 304, session.choice);
      const view = new DataView(memory.buffer, session.choice, 16);
      return {
        best,
        greatest: view.getFloat32(0, true),
        next: view.getFloat32(4, true),
        second: view.getUint32(8, true),
        sum: view.getFloat32(12, true),
      };
    };
    values[303] = -1e30;
    expect(argmax()).toMatchObject({ best: 303, next: Number.NEGATIVE_INFINITY, sum: 1 });
    values[7] = values[200] = 2;
    expect(argmax()).toMatchObject({ best: 7, greatest: 2, next: 2, second: 200, sum: 2 });
    values[0] = 1.5;
    values[7] = Number.NEGATIVE_INFINITY;
    expect(argmax()).toMatchObject({ best: 200, next: 1.5, second: 0 });
    const random = seeded(12);
    for (const i of values.keys()) values[i] = random() * 20 - 10;
    const { best, greatest, second, sum } = argmax();
    expect(greatest).toBe(values[best]);
    const others = [...values].filter((_, i) => i !== best);
    expect(values[second]).toBe(Math.max(...others));
    const want = values.reduce((total, value) => total + Math.exp(value - greatest), 0);
    expect(Math.abs(sum / want - 1)).toBeLessThan(1e-5);
    // All of a chunk far below the greatest, near enough to count and too far to.
    values.fill(-40).fill(-6, 64, 128)[300] = 0;
    expect(argmax()).toMatchObject({ best: 300, next: -6, second: 64 });
    expect(Math.abs(argmax().sum / (1 + 64 * Math.exp(-6)) - 1)).toBeLessThan(1e-5);
  });

  test("contrastive vector within 1e-2 of the reference, of length 1", async () => {
    const vectors: Float32Array[] = [];
    for (const h of [await host(odd, kind), await host(odd, "reference")]) {
      await states(h, ids(17));
      h.kernels.contrastive(h.session.record, h.layout.contrastive, h.session.x, 17, h.session.contrastive);
      vectors.push(h.floats(h.session.contrastive, oddGeometry.contrastiveDim));
    }
    expect(distance(vectors[0], vectors[1])).toBeLessThan(1e-2);
    expect(Math.hypot(...vectors[0])).toBeCloseTo(1, 5);
  });

  test("RoPE table of 1,024 positions within 1e-6 of float64", async () => {
    const h = await host(odd, kind, 1024);
    const { floats, layout, session } = h;
    const rope = session.regions.find(({ name }) => name === "session rope")!.offsetBytes;
    const headDim = oddGeometry.dModel / oddGeometry.nHeads;
    const half = headDim / 2;
    const want = Array.from({ length: 1024 * headDim }, (_, i) => {
      const [pos, j] = [Math.floor(i / headDim), i % headDim];
      const angle = pos / 10000 ** ((2 * (j % half)) / headDim);
      return j < half ? Math.cos(angle) : Math.sin(angle);
    });
    expect(distance(floats(rope, want.length), want)).toBeLessThan(1e-6);
    expect(layout.endBytes).toBeLessThanOrEqual(session.record);
  });

  test("the longest prompt: 1,024 tokens within 4e-2 of the reference", async () => {
    const small = {
      ...oddGeometry,
      dModel: 32,
      nHeads: 2,
      nKvHeads: 1,
      nEncoderLayers: 1,
      contrastiveHidden: 0,
      contrastiveDim: 0,
    };
    const pack = await packOf(randomCheckpoint(small, 3));
    const [h, want] = [await host(pack, kind, 1024, 512), await host(pack, "reference", 1024, 512)];
    expect(distance(await states(h, ids(1024)), await states(want, ids(1024)))).toBeLessThan(4e-2);
  });

  test("all-zero weights leave the embedding as it is; huge weights stay finite", async () => {
    const zero = randomCheckpoint(oddGeometry, 4);
    for (const block of zero.encoder) for (const m of [block.q, block.k, block.v, block.o]) m.data.fill(0);
    const h = await host(await packOf(zero), kind);
    const out = await states(h, ids(6));
    const want = await host(await packOf(zero), "reference");
    expect(distance(out, await states(want, ids(6)))).toBeLessThan(1e-4);
    const huge = await host(await packOf(randomCheckpoint(oddGeometry, 5, 1e4)), kind);
    expect((await hiddens(huge, ids(11), ids(9), 9)).every(Number.isFinite)).toBe(true);
  });
});

describe.each(buildNames)("inner kernels of %s", (name) => {
  type Inner = Record<string, (...args: number[]) => void>;
  let inner: Inner;
  let variants: readonly number[];
  let eachBytes: number;
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536 });
  const floats = (at: number, n: number) => new Float32Array(memory.buffer, at, n);

  beforeAll(async () => {
    const asm = assemble(name);
    const i = "i32" as const;
    asm.func("exp_row", { x: i, n: i }, (f, p) => {
      f.for(0, p.n, 4, (at) => f.storeF4(p.x.add(at.shl(2)), exp(f, f.loadF4(p.x.add(at.shl(2))))));
    });
    asm.func("exp2_row", { x: i, n: i }, (f, p) => {
      const power = exp2(f, p.n.shr(31));
      f.for(0, p.n, 4, (at) => f.storeF4(p.x.add(at.shl(2)), power(f.loadF4(p.x.add(at.shl(2))))));
    });
    asm.func("sigmoid_row", { x: i, n: i }, (f, p) => {
      f.for(0, p.n, 1, (at) => f.storeF32(p.x.add(at.shl(2)), sigmoid(f, f.f32(f.loadF32(p.x.add(at.shl(2)))))));
    });
    ({ rowVariants: variants, eachBytes } = asm);
    const rows = variants.flatMap((n) => [`matmul_${n}`, `scores_${n}`, `values_${n}`]);
    const quantizers = ["quantize", "quantize_key", "quantize_query", "quantize_value"];
    for (const kernel of ["exp_row", "exp2_row", "sigmoid_row", ...rows, ...quantizers, "rms_norm", "softmax"])
      asm.m.addFunctionExport(kernel, kernel);
    const imports = { [memoryImport.module]: { [memoryImport.base]: memory } };
    inner = (await WebAssembly.instantiate(emit(asm), imports)).instance.exports as unknown as Inner;
  });

  test("exp within 2e-7 of float64, relative, on [−87, 87]; clamped beyond", () => {
    const x = Float32Array.from({ length: 4096 }, (_, i) => -87 + (174 * i) / 4095);
    floats(1024, 4096).set(x);
    inner.exp_row(1024, 4096);
    const got = floats(1024, 4096);
    for (let i = 0; i < x.length; i++) expect(Math.abs(got[i] / Math.exp(x[i]) - 1)).toBeLessThan(2e-7);
    floats(1024, 4).set([0, -0, -1e30, 1e30]);
    inner.exp_row(1024, 4);
    expect([...floats(1024, 2)]).toEqual([1, 1]);
    expect(floats(1024, 4)[2]).toBeLessThan(1e-37);
    expect(floats(1024, 4)[3]).toBeGreaterThan(1e37);
  });

  test("exp2 within 4e-6 of float64, relative, on [−126, 0]; clamped below", () => {
    const x = Float32Array.from({ length: 4096 }, (_, i) => (-126 * i) / 4095);
    floats(1024, 4096).set(x);
    inner.exp2_row(1024, 4096);
    const got = floats(1024, 4096);
    for (let i = 0; i < x.length; i++) expect(Math.abs(got[i] / 2 ** x[i] - 1)).toBeLessThan(4e-6);
    floats(1024, 4).set([0, -0, -1e30, -127]);
    inner.exp2_row(1024, 4);
    expect([...floats(1024, 4)].map((v) => Math.round(v * 1e5) / 1e5)).toEqual([1, 1, 0, 0]);
  });

  test("sigmoid within 1e-7 of float64", () => {
    const x = Float32Array.from({ length: 2001 }, (_, i) => (i - 1000) / 20);
    floats(1024, x.length).set(x);
    inner.sigmoid_row(1024, x.length);
    expect(
      distance(
        floats(1024, x.length),
        x.map((v) => 1 / (1 + Math.exp(-v))),
      ),
    ).toBeLessThan(1e-7);
  });

  test("rms_norm within 1e-6 of float64, relative to its greatest, also of zeros", () => {
    const random = seeded(6);
    const x = Float32Array.from({ length: 96 }, () => random() * 2 - 1);
    const g = Float32Array.from({ length: 96 }, () => random() - 0.5);
    floats(1024, 96).set(x);
    floats(2048, 96).set(g);
    inner.rms_norm(1024, 2048, 96, 4096);
    const inverse = 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / 96 + 1e-6);
    expect(
      distance(
        floats(4096, 96),
        x.map((v, i) => v * inverse * (1 + g[i])),
      ),
    ).toBeLessThan(1e-6 * 4);
    floats(1024, 96).fill(0);
    inner.rms_norm(1024, 2048, 96, 4096);
    expect(greatest(floats(4096, 96))).toBe(0);
  });

  /** The first n softmax weights of one row: pairs, `eachBytes` apart. */
  const weights = (n: number) =>
    Array.from({ length: n }, (_, j) => new Int16Array(memory.buffer, 16384 + (j >> 1) * eachBytes, 2)[j & 1]);

  test("softmax times value scales within 2⁻¹⁴ of the greatest, zero past the keys", () => {
    const random = seeded(7);
    for (const keys of [1, 5, 8, 271]) {
      const padded = pad(keys, 8);
      const scores = Float32Array.from({ length: padded }, () => random() * 12 - 6);
      const scale = Float32Array.from({ length: padded }, () => random());
      floats(4096, padded).fill(unseen).set(scores.subarray(0, keys));
      floats(8192, padded).set(scale);
      inner.softmax(4096, padded * 4, 8192, 16384, eachBytes, 1024);
      const e = scores.slice(0, keys).map((s) => 2 ** s);
      const sum = e.reduce((a, b) => a + b);
      const want = Array.from({ length: padded }, (_, j) => (j < keys ? (e[j] / sum) * scale[j] : 0));
      const [pScale] = floats(1024, 1);
      const got = weights(padded).map((p) => p * pScale);
      expect(distance(got, want)).toBeLessThan(2 ** -14 * Math.max(greatest(want), want.reduce((a, b) => a + b) / 32));
    }
  });

  test("softmax weights of 1,024 alike keys add up to at most 2²⁰, so that 32-bit sums with values hold", () => {
    floats(4096, 1024).fill(3);
    floats(8192, 1024).fill(1 / 2047);
    inner.softmax(4096, 4096, 8192, 16384, eachBytes, 1024);
    const sum = weights(1024).reduce((a, b) => a + b, 0);
    expect(sum).toBeGreaterThan(0.99 * 2 ** 20);
    expect(sum).toBeLessThanOrEqual(2 ** 20 + 512);
  });

  test.each([
    [8, 1, 0],
    [24, 5, 1],
    [64, 271, 0],
  ])(
    "attention over heads of %i, %i keys, step %i, within 2e-3 of float64, 1, 2 or 4 rows at once",
    (n, keys, step) => {
      const random = seeded(n + keys);
      const capacity = pad(keys + 3 * step, 8);
      const row = () => Float32Array.from({ length: n }, () => (random() * 2 - 1) * 3);
      const [k, v, q] = [capacity, capacity, tileRows].map((count) => Array.from({ length: count }, row));
      const [kAt, vAt, kScale, vScale] = [1 << 20, 3 << 19, 1 << 18, (1 << 18) + 8192];
      const [x, qAt, qScale, scores, p, pScale, out] = [1024, 1 << 16, 2048, 1 << 19, 3 << 17, 3072, 1 << 17];
      for (let pos = 0; pos < capacity; pos++) {
        floats(x, n).set(k[pos]);
        inner.quantize_key(x, n, kAt + (pos >> 2) * n * 8 + (pos & 3) * 4, 16, kScale + 4 * pos, 0);
        floats(x, n).set(v[pos]);
        inner.quantize_value(x, n, vAt + (pos >> 1) * 16 + (pos & 1) * 2, capacity * 8, vScale + 4 * pos, 2047);
      }
      for (const rows of variants) {
        for (let t = 0; t < rows; t++) {
          floats(x, n).set(q[t]);
          inner.quantize_query(x, n, qAt + t * eachBytes, rows * eachBytes, qScale + 4 * t, 0);
        }
        const keyBytes = 4 * pad(keys + (rows - 1) * step, 8);
        inner[`scores_${rows}`](qAt, qScale, kAt, kScale, n, keyBytes, scores, capacity * 4);
        for (let t = 0; t < rows; t++) {
          const row = scores + t * capacity * 4;
          floats(row, keyBytes / 4).fill(unseen, keys + t * step);
          inner.softmax(row, keyBytes, vScale, p + t * eachBytes, rows * eachBytes, pScale + 4 * t);
        }
        inner[`values_${rows}`](p, pScale, vAt, capacity * 8, n, keyBytes, out, n * 4, 0);
        for (let t = 0; t < rows; t++) {
          const e = k.slice(0, keys + t * step).map((key) => {
            return Math.exp(key.reduce((sum, value, i) => sum + value * q[t][i], 0) / Math.sqrt(n));
          });
          const sum = e.reduce((a, b) => a + b);
          const want = Array.from({ length: n }, (_, i) => e.reduce((acc, w, j) => acc + (w / sum) * v[j][i], 0));
          expect(distance(floats(out + t * n * 4, n), want)).toBeLessThan(2e-3);
        }
      }
    },
  );

  test("keys and values in 8 bits: integers up to 127, each within half a scale of its float", () => {
    const random = seeded(127);
    const n = 24;
    for (const size of [1e-6, 1, 300]) {
      const x = Float32Array.from({ length: n }, () => (random() * 2 - 1) * size);
      floats(1024, n).set(x);
      inner.quantize_key(1024, n, 4096, 4, 2048, 127);
      inner.quantize_value(1024, n, 8192, 16, 2052, 127);
      const [keyScale, valueScale] = floats(2048, 2);
      const keys = new Int16Array(memory.buffer, 4096, n);
      const values = Array.from(
        { length: n },
        (_, i) => new Int16Array(memory.buffer, 8192 + 16 * (i >> 2) + 4 * (i & 3), 1)[0],
      );
      for (const [integers, scale] of [
        [keys, keyScale],
        [values, valueScale],
      ] as const) {
        expect(greatest(integers)).toBe(127);
        for (const [i, q] of integers.entries()) expect(Math.abs(q * scale - x[i])).toBeLessThanOrEqual(0.5001 * scale);
      }
    }
  });

  test.each([
    [8, 32],
    [24, 96],
    [40, 512],
  ])("int4 matmul (%i, %i) within 1e-5 · Σ|w·x| of float64 over rows in int8, 1, 2 or 4 at once", (out, inputs) => {
    const random = seeded(out * inputs);
    const data = Float32Array.from({ length: out * inputs }, () => random() * 2 - 1);
    data.fill(0, inputs, inputs + groupSize); // a group of zeros
    data.fill(7, 0, groupSize); // a group of extremes
    const bytes = packMatrix({ out, in: inputs, data });
    const w = unpackMatrix(bytes, out, inputs);
    const [wAt, xAt, aAt, yAt] = [1 << 20, 1 << 16, 1 << 17, 1 << 19];
    new Uint8Array(memory.buffer).set(bytes, wAt);
    for (const rows of variants) {
      const x: Float32Array[] = Array.from({ length: rows }, (_, t) =>
        Float32Array.from({ length: inputs }, () => (t === 1 ? 0 : (random() * 2 - 1) * 10 ** t)),
      );
      for (const row of x) row.fill(1e4, 0, groupSize); // the greatest sum of the extreme weights
      for (const [t, row] of x.entries()) {
        floats(xAt, inputs).set(row);
        inner.quantize(xAt, inputs, rows, aAt + eachBytes * t);
      }
      inner[`matmul_${rows}`](wAt, aAt, inputs / groupSize, out, yAt, out * 4, 1, 0);
      for (const [t, row] of x.entries()) {
        const scale = greatest(row) / 127;
        const restored = row.map((v) => (scale ? Math.round(v / scale) * scale : 0));
        for (let o = 0; o < out; o++) {
          let [sum, size] = [0, 0];
          for (let j = 0; j < inputs; j++) {
            sum += w[o * inputs + j] * restored[j];
            size += Math.abs(w[o * inputs + j] * row[j]);
          }
          expect(Math.abs(floats(yAt + t * out * 4, out)[o] - sum)).toBeLessThanOrEqual(1e-5 * size);
        }
      }
    }
  });

  test("the greatest sum of the widest matrix does not overflow", () => {
    const [wAt, xAt, aAt, yAt] = [1 << 20, 1 << 16, 1 << 17, 1 << 19];
    const q4 = { nibbles: new Int8Array(8 * mostInputs).fill(-8), scales: new Float32Array(mostInputs / 4).fill(1) };
    const bytes = packMatrix({ out: 8, in: mostInputs, data: new Float32Array(0), q4 });
    new Uint8Array(memory.buffer).set(bytes, wAt);
    floats(xAt, mostInputs).fill(1);
    inner.quantize(xAt, mostInputs, 1, aAt);
    inner.matmul_1(wAt, aAt, mostInputs / groupSize, 8, yAt, 0, 1, 0);
    for (const y of floats(yAt, 8)) expect(Math.abs(y / (-8 * mostInputs) - 1)).toBeLessThan(1e-6);
  });

  test("projections are the same floats in every build", () => {
    const random = seeded(13);
    const [out, inputs] = [24, 160];
    const [wAt, xAt, aAt, yAt] = [1 << 20, 1 << 16, 1 << 17, 1 << 19];
    const data = Float32Array.from({ length: out * inputs }, () => random() * 2 - 1);
    new Uint8Array(memory.buffer).set(packMatrix({ out, in: inputs, data }), wAt);
    floats(xAt, inputs).set(Float32Array.from({ length: inputs }, () => random() * 2 - 1));
    inner.quantize(xAt, inputs, 1, aAt);
    inner.matmul_1(wAt, aAt, inputs / groupSize, out, yAt, 0, 0.7, 0);
    const got = [...floats(yAt, out)];
    firstProjection ??= got;
    expect(got).toEqual(firstProjection);
  });
});

/** Of the build that ran first. */
let firstProjection: number[] | undefined;

test("unpack(pack(w)) stays within half a scale and what rounding the scale adds, and integers are those of quantizeMatrix", () => {
  const random = seeded(8);
  for (const [out, inputs] of [
    [1, 1],
    [3, 16],
    [9, 33],
    [16, 128],
  ]) {
    const data = Float32Array.from({ length: out * inputs }, () => (random() * 2 - 1) * 10 ** (random() * 4 - 2));
    const { scales } = quantizeMatrix(data, out, inputs);
    const groups = Math.ceil(inputs / groupSize);
    const bytes = packMatrix({ out, in: inputs, data });
    expect(bytes.length).toBe(matrixBytes(out, inputs));
    const restored = unpackMatrix(bytes, out, inputs);
    for (let i = 0; i < data.length; i++) {
      const own = scales.subarray(Math.floor(i / inputs) * groups, (Math.floor(i / inputs) + 1) * groups);
      const scale = own[Math.floor((i % inputs) / groupSize)];
      const unit = Math.max(...own) / mostScale;
      expect(Math.abs(restored[i] - data[i])).toBeLessThanOrEqual((scale / 2 + (7 * unit) / 2) * 1.0001);
    }
  }
});

test("int4 and int8 round ties to even: scale max/7 and max/127", () => {
  const row = new Float32Array(32);
  row.set([7, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.49]);
  expect([...quantizeMatrix(row, 1, 32).nibbles.subarray(0, 8)]).toEqual([7, 0, 2, 2, 0, -2, -2, 3]);
  row.set([127, 0.5, 1.5, 2.5, -0.5, -1.5, -127, 3.49]);
  const restored = unpackEmbeddingRow(packEmbedding(row, 1, 32), 0, 32);
  expect([...restored.subarray(0, 8)]).toEqual([127, 0, 2, 2, 0, -2, -127, 3]);
});

test("dot and relaxed give the same floats, bit for bit: prefill, decode steps and logits, extremes included", async () => {
  for (const scale of [1, 1e4]) {
    const pack = await packOf(randomCheckpoint(oddGeometry, 21, scale));
    const results = [];
    for (const build of ["dot", "relaxed"] as const) {
      const h = await host(pack, build);
      const encoded = (await states(h, ids(37))).slice();
      const decoded = await hiddens(h, ids(37), ids(24), 1);
      const at = await decode(h, [7], 24, 37);
      results.push([encoded, decoded, await logitsOf(h, at, null, oddGeometry.vocabSize)]);
    }
    expect(results[0]).toEqual(results[1]);
  }
});
