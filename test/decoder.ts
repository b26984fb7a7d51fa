/** The decoder that tools/train/gradients.py drew, and the answers that it is asked for: what gradients are compared on. */
import type { Geometry } from "../runtime/pack/pack.ts";
import { Network, type Sample } from "../tools/finetune/network.ts";
import { type Parameter, parametersOf } from "../tools/finetune/parameters.ts";
import { fixture, seeded } from "./support.ts";

type Answer = { given: number[]; wanted: number[]; weights: number[]; seen: number[] };

/** Gradients of all parameters, end to end, base64 of f32. */
interface Wanted {
  entropy: number;
  gradient: string;
}

const read: {
  seed: number;
  geometry: Geometry;
  keys: number;
  samples: Answer[];
  plain: Wanted;
  rounded: Wanted;
} = await Bun.file(fixture("gradients.json")).json();
export const { geometry, samples, plain, rounded } = read;
export const { list, size } = parametersOf(geometry);
const headDim = geometry.dModel / geometry.nHeads;
const kv = geometry.nKvHeads * headDim;

/** The numbers that tools/train/gradients.py drew; `memory` by layer: K and V of every key, (keys, 2 · kv). */
export const drawn = (() => {
  const next = seeded(read.seed);
  const fill = (count: number, width: number) => Float32Array.from({ length: count }, () => width * (next() - 0.5));
  const parameters = new Float32Array(size);
  for (const { at, out, in: inputs, isMatrix } of list) parameters.set(fill(out * inputs, isMatrix ? 0.35 : 0.8), at);
  const table = fill(geometry.vocabSize * geometry.dModel, 0.5);
  const memory = Array.from({ length: geometry.nDecoderLayers }, () => fill(read.keys * 2 * kv, 1.5));
  return { parameters, table, memory };
})();

/** cos and sin of pos / theta^(2i/headDim). */
const rope = Float32Array.from({ length: 16 * headDim }, (_, i) => {
  const [position, dim] = [Math.floor(i / headDim), i % headDim];
  const half = headDim / 2;
  const angle = position / geometry.ropeTheta ** ((2 * (dim % half)) / headDim);
  return dim < half ? Math.cos(angle) : Math.sin(angle);
});

export const batch: Sample[] = samples.map(({ given, wanted, weights, seen }) => ({
  ...{ given, wanted, weights, keys: seen.length },
  cross: drawn.memory.map((rows) => {
    const part = (from: number) =>
      Float32Array.from(seen.flatMap((row) => [...rows.subarray(2 * kv * row + from, 2 * kv * row + from + kv)]));
    return { k: part(0), v: part(kv) };
  }),
}));
export const whole = {
  weight: batch.flatMap(({ weights }) => weights).reduce((a, b) => a + b),
  rows: batch.reduce((sum, { given }) => sum + given.length, 0),
};

export const network = (rounds: boolean, parameters: Float32Array = drawn.parameters) =>
  new Network(geometry, parameters, drawn.table, rope, rounds);

/** A parameter's part of what lies end to end with room between. */
export const partOf = (numbers: Float32Array, { at, out, in: inputs }: Parameter) =>
  numbers.subarray(at, at + out * inputs);

export const length = (x: Iterable<number>) => Math.sqrt([...x].reduce((sum, v) => sum + v * v, 0));
/** Relative L2. */
export const distance = (a: Float32Array, b: Float32Array) => length(a.map((v, i) => v - b[i])) / length(a);
