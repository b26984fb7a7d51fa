/**
 * The decoder over whole answers, forward and backward, in float32. Keys and values of the cross-attention are given, as the
 * runtime's kernels left them: nothing before them is trained.
 *
 * No tape: the way back of each block stands beside its way there. Rows of a shard's answers lie end to end, each answer's in
 * whole tiles, so that a projection is one product; attention goes by example.
 * Source: spec, "Forward pass"; the gradients by the chain rule, checked in test/finetune.network.test.ts.
 */
import type { Geometry } from "../../runtime/pack/pack.ts";
import { pad } from "../../wasm/abi.ts";
import { leftTile, rightTile } from "../../wasm/train/abi.ts";
import { type Arena, startTraining } from "./arena.ts";
import { type Attention, attend, attendBack, widthOf } from "./attention.ts";
import { type Parameter, parametersOf } from "./parameters.ts";
import { type Panels, Products } from "./products.ts";

/** One answer to learn, with what the encoder left of its request and tools. */
export interface Sample {
  /** Ids that the decoder is given, and the id to say after each, with its weight in the loss. */
  given: readonly number[];
  wanted: readonly number[];
  weights: readonly number[];
  /** By decoder layer: K and V (keys, nKvHeads · headDim) of the cross-attention. */
  cross: readonly { k: Float32Array; v: Float32Array }[];
  keys: number;
}

/** What a shard says of its samples, fed the right prefix. */
export interface Outcome {
  /** Σ over rows of their cross-entropy, and how many rows. */
  entropy: number;
  rows: number;
  /** Samples whose every row was right. */
  exact: number;
}

/** What the whole batch weighs, so that shards of it add up. */
export interface BatchWeight {
  weight: number;
  rows: number;
}

/** Weight of lse² in the loss, as tools/train has it: keeps logits from drifting. */
const zWeight = 1e-4;

type Kind = "self" | "cross";

/** What the way back of a block needs, as pointers; shapes in rows of the shard. */
interface Saved {
  x: number;
  q: number;
  k: number;
  /** After head norm and rotation. */
  turnedQ: number;
  turnedK: number;
  v: number;
  out: number;
  projected: number;
  attentions: Attention[];
}

export class Network {
  readonly parameters: readonly Parameter[];
  /** Numbers of all parameters, with the room between them. */
  readonly size: number;
  private readonly arena: Arena;
  private readonly products: Products;
  private readonly at: { weights: number; rounded: number; gradient: number; sum: number; m: number; v: number };
  private readonly named: Map<string, Parameter>;
  /** Each matrix as right sides: to multiply inputs, and gradients. */
  private readonly panels = new Map<string, { forward: Panels; backward: Panels }>();
  private readonly embedding: { forward: Panels; backward: Panels };
  private readonly rope: number;
  private anchor: { base: Float32Array; importance: Float32Array } | null = null;
  private readonly headDim: number;
  private readonly kv: number;

  /**
   * Starts from parameters (see `readParameters`), with the embedding (vocabSize, dModel) and the rotation's table (positions, headDim).
   * `rounds`: weights as deployed in every pass, the gradient straight through.
   * Throws: RangeError for heads of a width that is no multiple of 8.
   */
  constructor(
    private readonly geometry: Geometry,
    parameters: Float32Array,
    private readonly table: Float32Array,
    rope: Float32Array,
    private readonly rounds = true,
  ) {
    const { vocabSize, dModel, nHeads, nKvHeads } = geometry;
    this.headDim = dModel / nHeads;
    this.kv = nKvHeads * this.headDim;
    if (this.headDim % rightTile)
      throw new RangeError(`finetune: expected heads of a multiple of ${rightTile} dims, got ${this.headDim}`);
    const { arena, kernels } = startTraining();
    this.arena = arena;
    this.products = new Products(kernels, arena);
    const { list, size } = parametersOf(geometry);
    this.parameters = list;
    this.size = size;
    this.named = new Map(list.map((one) => [`${one.section}.${one.field}`, one]));
    const weights = arena.put(parameters);
    const [rounded, gradient, sum, m, v] = [0, 1, 2, 3, 4].map(() => arena.zeros(size));
    this.at = { weights, rounded, gradient, sum, m, v };
    this.rope = arena.put(rope);
    const rows = arena.put(table);
    this.embedding = {
      forward: this.products.right(rows, vocabSize, dModel, 4 * dModel),
      backward: this.products.rightRows(rows, vocabSize, dModel, 4 * dModel),
    };
    for (const { section, field, out, in: inputs, isMatrix } of list) {
      if (!isMatrix) continue;
      const forward = { at: arena.take(out * inputs), rows: out, depth: inputs };
      const backward = { at: arena.take(out * inputs), rows: inputs, depth: out };
      this.panels.set(`${section}.${field}`, { forward, backward });
    }
    this.round();
  }

  /** The parameters, unrounded; a copy. */
  weights(): Float32Array {
    return this.arena.floats(this.at.weights, this.size).slice();
  }

  /** The sum of the gradients since it was last cleared; a copy. */
  gradient(): Float32Array {
    return this.arena.floats(this.at.gradient, this.size).slice();
  }

  /** Both moments and the parameters: what training goes on from. */
  state(): { weights: Float32Array; m: Float32Array; v: Float32Array } {
    const { m, v } = this.at;
    return {
      weights: this.weights(),
      m: this.arena.floats(m, this.size).slice(),
      v: this.arena.floats(v, this.size).slice(),
    };
  }

  restore({ weights, m, v }: ReturnType<Network["state"]>): void {
    for (const [at, values] of [
      [this.at.weights, weights],
      [this.at.m, m],
      [this.at.v, v],
    ] as const)
      this.arena.floats(at, this.size).set(values);
    this.round();
  }

  clearGradient(): void {
    this.arena.floats(this.at.gradient, this.size).fill(0);
  }

  /** Begins the sum of a batch. */
  clearSum(): void {
    this.arena.floats(this.at.sum, this.size).fill(0);
  }

  /** Adds a shard's gradient to the sum: its own, or one that another thread found. */
  addToSum(gradient?: Float32Array): void {
    if (gradient) this.arena.floats(this.at.gradient, this.size).set(gradient);
    this.products.kernels.add(this.at.gradient, this.at.sum, this.size);
  }

  /** The sum of a batch; a copy. */
  sum(): Float32Array {
    return this.arena.floats(this.at.sum, this.size).slice();
  }

  setSum(values: Float32Array): void {
    this.arena.floats(this.at.sum, this.size).set(values);
  }

  /** Length of the sum as one vector. */
  sumNorm(): number {
    return Math.sqrt(this.products.kernels.square_sum(this.at.sum, this.size));
  }

  /** Gives what steps draw the weights back to, and how much each of them matters, 0 … 1. */
  hold(base: Float32Array, importance: Float32Array): void {
    this.anchor = { base, importance };
  }

  /**
   * One step of AdamW, number `step` from 1 on, on `scale` times the sum; before it a weight that matters wholly goes the
   * share `draw` of its way back.
   */
  step(step: number, rate: number, scale: number, draw = 0): void {
    if (this.anchor && draw) {
      const { base, importance } = this.anchor;
      const w = this.arena.floats(this.at.weights, this.size);
      for (let i = 0; i < w.length; i++) w[i] -= draw * importance[i] * (w[i] - base[i]);
    }
    const { weights, sum, m, v } = this.at;
    const [b1, b2] = [0.9, 0.98];
    const [c1, c2] = [1 / (1 - b1 ** step), 1 / (1 - b2 ** step)];
    this.products.kernels.adamw(weights, sum, m, v, this.size, scale, rate, b1, b2, c1, c2, 0);
    this.round();
  }

  /** Forward and, if `learns`, backward over some samples of a batch; adds to the gradient. */
  run(samples: readonly Sample[], batch: BatchWeight, learns = true): Outcome {
    return this.arena.within(() => {
      const { dModel } = this.geometry;
      const { kernels } = this.products;
      const rows = samples.map(({ given }) => pad(given.length, leftTile));
      const starts = rows.map((_, i) => rows.slice(0, i).reduce((sum, n) => sum + n, 0));
      const n = rows.reduce((sum, count) => sum + count, 0);
      const shard: Shard = { samples, rows, starts, n, positions: this.positions(rows) };
      let x = this.embed(shard);
      const saved: { name: string; kind: Kind; saved: Saved }[] = [];
      for (let layer = 0; layer < this.geometry.nDecoderLayers; layer++) {
        for (const kind of ["self", "cross"] as const) {
          const block = this.forward(shard, layer, kind, x);
          saved.push({ name: `decoder.${layer}.${kind}`, kind, saved: block.saved });
          x = block.y;
        }
      }
      const normed = this.arena.take(n * dModel);
      kernels.norm(x, this.vector("norms.decoderNorm"), normed, n, dModel);
      const { outcome, dNormed } = this.loss(shard, normed, batch, learns);
      if (!learns) return outcome;
      const dx = this.arena.zeros(n * dModel);
      kernels.norm_back(x, this.vector("norms.decoderNorm"), dNormed, dx, this.slope("norms.decoderNorm"), n, dModel);
      for (const { name, kind, saved: block } of saved.reverse()) this.backward(shard, name, kind, block, dx);
      return outcome;
    });
  }

  /** x += sigmoid(gate) · Attention(norm(x)): y, and what the way back needs. */
  private forward(shard: Shard, layer: number, kind: Kind, x: number): { y: number; saved: Saved } {
    const { arena, products, kv, headDim } = this;
    const { kernels } = products;
    const { dModel, nHeads, nKvHeads } = this.geometry;
    const { n, positions } = shard;
    const name = `decoder.${layer}.${kind}`;
    const isOwn = kind === "self";
    const take = (width: number) => arena.take(n * width);
    const [q, turnedQ, out, projected, y] = [0, 1, 2, 3, 4].map(() => take(dModel));
    const [k, turnedK, v] = isOwn ? [0, 1, 2].map(() => take(kv)) : [0, 0, 0];
    const attentions = shard.samples.map((sample, i): Attention => {
      const keys = isOwn ? shard.rows[i] : sample.keys;
      const [start, kvStart] = [4 * shard.starts[i] * dModel, 4 * shard.starts[i] * kv];
      const own = isOwn
        ? { k: turnedK + kvStart, v: v + kvStart }
        : { k: arena.put(sample.cross[layer].k), v: arena.put(sample.cross[layer].v) };
      const weights = arena.take(nHeads * shard.rows[i] * widthOf(keys));
      return { q: turnedQ + start, ...own, out: out + start, rows: shard.rows[i], keys, causal: isOwn, weights };
    });
    arena.within(() => {
      const left = this.normed(name, x, n).left;
      this.project(left, `${name}.wq`, q, dModel);
      kernels.norm(q, this.vector(`${name}.qNorm`), turnedQ, n * nHeads, headDim);
      if (!isOwn) return;
      kernels.rotate(turnedQ, this.rope, positions, n, nHeads, headDim, 1);
      this.project(left, `${name}.wk`, k, kv);
      kernels.norm(k, this.vector(`${name}.kNorm`), turnedK, n * nKvHeads, headDim);
      kernels.rotate(turnedK, this.rope, positions, n, nKvHeads, headDim, 1);
      this.project(left, `${name}.wv`, v, kv);
    });
    for (const attention of attentions) attend(products, { nHeads, nKvHeads, headDim }, attention);
    arena.within(() => this.project(products.left(out, n, dModel, 4 * dModel), `${name}.wo`, projected, dModel));
    kernels.gated(x, projected, this.vector(`${name}.gate`), y, n * dModel);
    return { y, saved: { x, q, k, turnedQ, turnedK, v, out, projected, attentions } };
  }

  /** dx, given for the block's outputs, becomes that for its inputs; gradients of its parameters are added. */
  private backward({ n, positions }: Shard, name: string, kind: Kind, s: Saved, dx: number): void {
    const { arena, products, kv, headDim } = this;
    const { kernels } = products;
    const { dModel, nHeads, nKvHeads } = this.geometry;
    arena.within(() => {
      const isOwn = kind === "self";
      const d = arena.take(n * dModel);
      kernels.gated_back(dx, s.projected, this.vector(`${name}.gate`), d, this.slope(`${name}.gate`), n * dModel);
      this.learn(`${name}.wo`, d, s.out, n);
      const dout = arena.take(n * dModel);
      this.giveBack(`${name}.wo`, d, dout, n, false);
      const dq = arena.take(n * dModel);
      const [dk, dv] = isOwn ? [arena.zeros(n * kv), arena.zeros(n * kv)] : [0, 0];
      for (const attention of s.attentions) {
        const start = (attention.q - s.turnedQ) / (4 * dModel);
        const [at, kvAt] = [4 * start * dModel, 4 * start * kv];
        const back = { dout: dout + at, dq: dq + at, dk: dk && dk + kvAt, dv: dv && dv + kvAt };
        attendBack(products, { nHeads, nKvHeads, headDim }, attention, back);
      }
      const { normed } = this.normed(name, s.x, n);
      const dNormed = arena.take(n * dModel);
      const heads = (field: string, turned: number, x: number, count: number, width: number, norm: string) => {
        if (isOwn) kernels.rotate(turned, this.rope, positions, n, count, headDim, -1);
        const back = arena.zeros(n * width);
        const [gain, slope] = [this.vector(`${name}.${norm}`), this.slope(`${name}.${norm}`)];
        kernels.norm_back(x, gain, turned, back, slope, n * count, headDim);
        this.learn(`${name}.${field}`, back, normed, n);
        this.giveBack(`${name}.${field}`, back, dNormed, n, field !== "wq");
      };
      heads("wq", dq, s.q, nHeads, dModel, "qNorm");
      if (isOwn) {
        heads("wk", dk, s.k, nKvHeads, kv, "kNorm");
        this.learn(`${name}.wv`, dv, normed, n);
        this.giveBack(`${name}.wv`, dv, dNormed, n, true);
      }
      kernels.norm_back(s.x, this.vector(`${name}.norm`), dNormed, dx, this.slope(`${name}.norm`), n, dModel);
    });
  }

  private loss(
    shard: Shard,
    normed: number,
    batch: BatchWeight,
    learns: boolean,
  ): { outcome: Outcome; dNormed: number } {
    const { arena, products } = this;
    const { dModel, vocabSize } = this.geometry;
    const { n, samples, rows } = shard;
    const width = pad(vocabSize, rightTile);
    const logits = arena.take(n * width);
    arena.within(() =>
      products.multiply(products.left(normed, n, dModel, 4 * dModel), this.embedding.forward, logits, {
        stride: 4 * width,
      }),
    );
    const padded = (values: readonly number[], i: number) => [...values, ...Array(rows[i] - values.length).fill(0)];
    const targets = arena.putIntegers(samples.flatMap(({ wanted }, i) => padded(wanted, i)));
    const weights = samples.flatMap((sample, i) =>
      padded(sample.weights, i).flatMap((weight, t) =>
        t < sample.given.length ? [weight / batch.weight, zWeight / batch.rows] : [0, 0],
      ),
    );
    const out = arena.take(2 * n);
    products.kernels.cross_entropy(logits, n, width, vocabSize, targets, arena.put(weights), out);
    const said = arena.floats(out, 2 * n);
    const outcome: Outcome = { entropy: 0, rows: 0, exact: 0 };
    for (const [i, { given }] of samples.entries()) {
      let right = 1;
      for (let t = 0; t < given.length; t++) {
        const at = 2 * (shard.starts[i] + t);
        outcome.entropy += said[at];
        right *= said[at + 1];
      }
      outcome.rows += given.length;
      outcome.exact += right;
    }
    const dNormed = arena.take(n * dModel);
    if (learns)
      arena.within(() =>
        products.multiply(products.left(logits, n, vocabSize, 4 * width), this.embedding.backward, dNormed, {
          stride: 4 * dModel,
        }),
      );
    return { outcome, dNormed };
  }

  /** x (n, dModel) = √dModel · E[ids]. */
  private embed({ samples, rows, starts, n }: Shard): number {
    const { dModel } = this.geometry;
    const x = this.arena.zeros(n * dModel);
    const floats = this.arena.floats(x, n * dModel);
    const root = Math.fround(Math.sqrt(dModel));
    for (const [i, { given }] of samples.entries())
      for (let t = 0; t < rows[i]; t++) {
        const from = (given[t] ?? 0) * dModel;
        const to = (starts[i] + t) * dModel;
        for (let j = 0; j < dModel; j++) floats[to + j] = this.table[from + j] * root;
      }
    return x;
  }

  private positions(rows: readonly number[]): number {
    return this.arena.putIntegers(rows.flatMap((count) => Array.from({ length: count }, (_, t) => t)));
  }

  /** norm(x) by a block's own norm, and as a left side. */
  private normed(name: string, x: number, n: number): { normed: number; left: Panels } {
    const { dModel } = this.geometry;
    const normed = this.arena.take(n * dModel);
    this.products.kernels.norm(x, this.vector(`${name}.norm`), normed, n, dModel);
    return { normed, left: this.products.left(normed, n, dModel, 4 * dModel) };
  }

  /** y = x · wᵀ. */
  private project(left: Panels, name: string, y: number, width: number): void {
    this.products.multiply(left, this.panelsOf(name).forward, y, { stride: 4 * width });
  }

  /** dw += dyᵀ · x. */
  private learn(name: string, dy: number, x: number, n: number): void {
    const { out, in: inputs } = this.parameter(name);
    this.arena.within(() => {
      const left = this.products.leftTurned(dy, out, n, 4 * out);
      const right = this.products.rightRows(x, n, inputs, 4 * inputs);
      this.products.multiply(left, right, this.slope(name), { stride: 4 * inputs, accumulate: true });
    });
  }

  /** dx = or += dy · w. */
  private giveBack(name: string, dy: number, dx: number, n: number, accumulate: boolean): void {
    const { out, in: inputs } = this.parameter(name);
    this.arena.within(() => {
      const left = this.products.left(dy, n, out, 4 * out);
      this.products.multiply(left, this.panelsOf(name).backward, dx, { stride: 4 * inputs, accumulate });
    });
  }

  /** Rounds the weights and packs them anew. */
  private round(): void {
    const { kernels } = this.products;
    for (const { section, field, out, in: inputs, at, isMatrix } of this.parameters) {
      if (!isMatrix) continue;
      const [from, to] = [this.at.weights + 4 * at, this.at.rounded + 4 * at];
      if (this.rounds) kernels.fake_int4(from, to, out * inputs);
      const w = this.rounds ? to : from;
      const { forward, backward } = this.panelsOf(`${section}.${field}`);
      this.products.repack(forward, w, 4 * inputs, 4);
      this.products.repack(backward, w, 4, 4 * inputs);
    }
  }

  private panelsOf(name: string): { forward: Panels; backward: Panels } {
    return this.panels.get(name) as { forward: Panels; backward: Panels };
  }

  private parameter(name: string): Parameter {
    return this.named.get(name) as Parameter;
  }

  /** Where a vector of parameters lies. */
  private vector(name: string): number {
    return this.at.weights + 4 * this.parameter(name).at;
  }

  /** Where its gradient lies. */
  private slope(name: string): number {
    return this.at.gradient + 4 * this.parameter(name).at;
  }
}

/** Samples on their way through: rows of each in whole tiles, where they start, all together, and their positions (u32). */
interface Shard {
  samples: readonly Sample[];
  rows: readonly number[];
  starts: readonly number[];
  n: number;
  positions: number;
}
