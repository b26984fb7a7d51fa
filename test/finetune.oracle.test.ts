/**
 * The decoder's loss written in jax-js from the specification alone, and differentiated by it: no line of it is ours but the
 * words of needle-v1.md, "Forward pass" and "int4 weights", and of the loss in tools/train/apart.py.
 */
import { expect, test } from "bun:test";
import type { numpy } from "@jax-js/jax";
import { batch, distance, drawn, geometry, list, network, partOf, whole } from "./decoder.ts";

type Array = numpy.Array;
type Tensors = { [name: string]: Array };

const jax = await import("@jax-js/jax").catch(() => null);
if (!jax) console.warn("skipped: @jax-js/jax is not installed; npm install brings it");

const { dModel, nHeads, nKvHeads, nDecoderLayers, ropeTheta, vocabSize } = geometry;
const headDim = dModel / nHeads;

/** q = clip(round_half_to_even(w / scale), −8, 7), w ≈ q · scale; scale = max(|w|) / 7 of 32 inputs, at least 1e-8. */
function fakeInt4(w: Float32Array): Float32Array {
  const even = (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  return w.map((value, i) => {
    const group = w.subarray(i - (i % 32), i - (i % 32) + 32);
    const scale = Math.fround(Math.max(Math.fround(Math.max(...group.map(Math.abs)) / 7), 1e-8));
    return Math.max(-8, Math.min(7, even(Math.fround(value / scale)))) * scale;
  });
}

/** Every operation takes what it is given: `.ref` is what is used again. */
function oracle({ numpy: np, nn, grad }: NonNullable<typeof jax>) {
  const tensor = (numbers: ArrayLike<number>, ...shape: number[]) =>
    np.array(Float32Array.from(numbers)).reshape(shape);

  /** The embedding, tied to the logits; it is not trained. */
  const table = tensor(drawn.table, vocabSize, dModel);

  /** (1 + g) x / sqrt(mean(x²) + 1e-6) over the last axis. */
  const norm = (x: Array, g: Array) => {
    const square = np.mean(np.square(x.ref), -1, { keepdims: true });
    return x.div(np.sqrt(square.add(1e-6))).mul(g.add(1));
  };

  /** y[i] = x[i] cos − x[i + half] sin; y[i + half] = x[i + half] cos + x[i] sin. x: (rows, heads, headDim) */
  const rotated = (x: Array) => {
    const [rows, half] = [x.shape[0], headDim / 2];
    const angles = Array.from(
      { length: rows * half },
      (_, i) => Math.floor(i / half) / ropeTheta ** ((2 * (i % half)) / headDim),
    );
    const [cos, sin] = [Math.cos, Math.sin].map((of) => tensor(angles.map(of), rows, 1, half));
    const [a, b] = np.split(x, 2, -1);
    const left = a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref));
    return np.concatenate([left, b.mul(cos).add(a.mul(sin))], -1);
  };

  /** Query head h sees KV head floor(h / (heads / kv_heads)). q: (rows, nHeads, headDim), k and v: (keys, nKvHeads, headDim) */
  const attention = (q: Array, k: Array, v: Array, causal: boolean) => {
    const [rows, keys] = [q.shape[0], k.shape[0]];
    const wide = (x: Array) => np.repeat(x, nHeads / nKvHeads, 1);
    let scores = np.einsum("thc,shc->hts", q, wide(k)).div(Math.sqrt(headDim));
    if (causal) {
      const hidden = Array.from({ length: rows * keys }, (_, i) => (i % keys > Math.floor(i / keys) ? -1e9 : 0));
      scores = scores.add(tensor(hidden, 1, rows, keys));
    }
    return np.einsum("hts,shc->thc", nn.softmax(scores, -1), wide(v)).reshape([rows, dModel]);
  };

  /** x (rows, in) by a matrix (out, in). */
  const linear = (x: Array, w: Array) => np.matmul(x, np.transpose(w));
  const heads = (x: Array, count: number) => x.reshape([x.shape[0], count, headDim]);

  /** (rows, vocabSize), of one answer. */
  const logits = (p: Tensors, { given, cross, keys }: (typeof batch)[number]) => {
    const rows = given.length;
    const ids = tensor(
      given.flatMap((id) => Array.from({ length: vocabSize }, (_, i) => Number(i === id))),
      rows,
      vocabSize,
    );
    let x = np.matmul(ids, table.ref).mul(Math.sqrt(dModel));
    for (let i = 0; i < nDecoderLayers; i++) {
      const of = (field: string) => p[`decoder.${i}.${field}`].ref;
      const own = norm(x.ref, of("self.norm"));
      const q = norm(heads(linear(own.ref, of("self.wq")), nHeads), of("self.qNorm"));
      const k = norm(heads(linear(own.ref, of("self.wk")), nKvHeads), of("self.kNorm"));
      const v = heads(linear(own, of("self.wv")), nKvHeads);
      const said = linear(attention(rotated(q), rotated(k), v, true), of("self.wo"));
      x = x.add(nn.sigmoid(of("self.gate")).mul(said));
      const query = norm(heads(linear(norm(x.ref, of("cross.norm")), of("cross.wq")), nHeads), of("cross.qNorm"));
      const [K, V] = [cross[i].k, cross[i].v].map((given) => tensor(given, keys, nKvHeads, headDim));
      const seen = linear(attention(query, K, V, false), of("cross.wo"));
      x = x.add(nn.sigmoid(of("cross.gate")).mul(seen));
    }
    return linear(norm(x, p["norms.decoderNorm"].ref), table.ref);
  };

  /** Σ weight · cross-entropy / Σ weight + 1e-4 · mean(lse²), over the rows of all answers. */
  const loss = (p: Tensors) => {
    let sum = np.array(0);
    for (const sample of batch) {
      const { wanted, weights } = sample;
      const rows = wanted.length;
      const all = logits(p, sample);
      const chosen = tensor(
        wanted.flatMap((id) => Array.from({ length: vocabSize }, (_, i) => Number(i === id))),
        rows,
        vocabSize,
      );
      const total = nn.logsumexp(all.ref, -1);
      const entropy = total.ref.sub(np.sum(all.mul(chosen), -1));
      const weighed = np.sum(entropy.mul(tensor(weights, rows))).div(whole.weight);
      sum = sum.add(weighed).add(np.sum(np.square(total)).mul(1e-4 / whole.rows));
    }
    for (const one of Object.values(p)) one.dispose();
    return sum;
  };

  return (rounds: boolean): Map<string, Float32Array> => {
    const given: Tensors = {};
    for (const parameter of list) {
      const numbers = partOf(drawn.parameters, parameter);
      const { section, field, out, in: inputs, isMatrix } = parameter;
      const shape = isMatrix ? [out, inputs] : [inputs];
      given[`${section}.${field}`] = tensor(rounds && isMatrix ? fakeInt4(numbers) : numbers, ...shape);
    }
    const gradient = grad(loss)(given);
    return new Map(Object.entries(gradient).map(([name, of]) => [name, of.dataSync() as Float32Array]));
  };
}

test.skipIf(!jax).each([
  ["as they are", false],
  ["rounded as deployed", true],
] as const)("weights %s: every parameter's gradient within 1e-4 of jax-js's (relative L2)", async (_, rounds) => {
  if (!jax) return;
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  const theirs = oracle(jax)(rounds);
  const net = network(rounds);
  net.run(batch, whole);
  const ours = net.gradient();
  const rows = list.map((parameter) => {
    const name = `${parameter.section}.${parameter.field}`;
    return { name, off: distance(theirs.get(name) as Float32Array, partOf(ours, parameter)) };
  });
  expect(rows.filter(({ off }) => !(off < 1e-4))).toEqual([]);
});
