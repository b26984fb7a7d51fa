/** The decoder's gradients: against PyTorch, against central differences, and that rounding is the deployed one. */
import { expect, test } from "bun:test";
import { quantizeMatrix } from "../runtime/pack/quant.ts";
import { startTraining } from "../tools/finetune/arena.ts";
import type { Network } from "../tools/finetune/network.ts";
import { batch, distance, drawn, length, list, network, partOf, plain, rounded, size, whole } from "./decoder.ts";
import { seeded } from "./support.ts";

/** A gradient of the fixture by parameter, each with ours. */
function* pairs(base64: string, ours: Float32Array) {
  const theirs = new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
  let from = 0;
  for (const parameter of list) {
    const b = partOf(ours, parameter);
    yield { name: `${parameter.section}.${parameter.field}`, a: theirs.subarray(from, from + b.length), b };
    from += b.length;
  }
}

test.each([
  ["as they are", plain, false],
  ["rounded as deployed", rounded, true],
] as const)(
  "weights %s: every parameter's gradient within 1e-4 of PyTorch's (relative L2), the loss within 1e-5",
  (_, wanted, rounds) => {
    const net = network(rounds);
    const { entropy, rows } = net.run(batch, whole);
    expect(Math.abs(entropy / rows - wanted.entropy)).toBeLessThan(1e-5 * wanted.entropy);
    for (const { name, a, b } of pairs(wanted.gradient, net.gradient()))
      expect(`${name} ${distance(a, b) < 1e-4}`).toBe(`${name} true`);
  },
);

test("gradients equal central differences of the loss along seeded directions, within 1e-2", () => {
  const net = network(false);
  net.run(batch, whole);
  const gradient = net.gradient();
  const next = seeded(3);
  const weights = batch.map((sample) => ({ ...sample }));
  // The weighted loss, without its z part: cross-entropies by rows of one weight each.
  const loss = (parameters: Float32Array) => {
    const other = network(false, parameters);
    return weights.reduce((sum, sample) => {
      let own = 0;
      for (const [t, weight] of sample.weights.entries()) {
        const cut = {
          ...sample,
          given: sample.given.slice(0, t + 1),
          wanted: sample.wanted.slice(0, t + 1),
          weights: sample.weights.slice(0, t + 1),
        };
        const before = t
          ? other.run(
              [
                {
                  ...cut,
                  given: cut.given.slice(0, t),
                  wanted: cut.wanted.slice(0, t),
                  weights: cut.weights.slice(0, t),
                },
              ],
              whole,
              false,
            ).entropy
          : 0;
        own += (weight / whole.weight) * (other.run([cut], whole, false).entropy - before);
      }
      return sum + own;
    }, 0);
  };
  for (const { at, out, in: inputs, field } of list.filter(({ field }) => /gate|wq|decoderNorm/.test(field))) {
    const direction = new Float32Array(size);
    for (let i = 0; i < out * inputs; i++) direction[at + i] = next() < 0.5 ? 1 : -1;
    const step = field.endsWith("wq") ? 3e-3 : 2e-2;
    const along = (by: number) => loss(drawn.parameters.map((w, i) => w + by * direction[i]));
    const slope = (along(step) - along(-step)) / (2 * step);
    const ours = gradient.reduce((sum, g, i) => sum + g * direction[i], 0);
    expect(Math.abs(slope - ours)).toBeLessThan(
      1e-2 * length(gradient.subarray(at, at + out * inputs)) * Math.sqrt(out * inputs) + 2e-4,
    );
  }
});

test("a batch in shards adds up to the batch at once, and samples alone cost what they cost in company", () => {
  const net = network(true);
  const { entropy, exact, rows } = net.run(batch, whole);
  const together = net.gradient();
  net.clearGradient();
  const parts = batch.map((sample) => net.run([sample], whole));
  expect(distance(together, net.gradient())).toBeLessThan(1e-5);
  const sum = (of: (part: (typeof parts)[0]) => number) => parts.reduce((total, part) => total + of(part), 0);
  expect(Math.abs(sum((part) => part.entropy) - entropy)).toBeLessThan(1e-4);
  expect([sum((part) => part.exact), sum((part) => part.rows)]).toEqual([exact, rows]);
});

test("rounding gives the very numbers of the deployed quantisation", () => {
  const { arena, kernels } = startTraining();
  const next = seeded(5);
  const n = 64 * 96;
  const w = Float32Array.from({ length: n }, (_, i) =>
    i < 32 ? 0 : (next() - 0.5) * 10 ** Math.floor(6 * next() - 4),
  );
  const [from, to] = [arena.put(w), arena.take(n)];
  kernels.fake_int4(from, to, n);
  const { nibbles, scales } = quantizeMatrix(w, 64, 96);
  const restored = Float32Array.from(nibbles, (q, i) => Math.fround(q * scales[i >> 5]));
  expect(arena.floats(to, n).every((x, i) => x === restored[i])).toBe(true);
});

test("a hundred steps on three answers learn them by heart, and steps from a saved state are the same", () => {
  const run = (net: Network, from: number, to: number) => {
    let exact = 0;
    for (let step = from; step <= to; step++) {
      net.clearGradient();
      net.clearSum();
      exact = net.run(batch, whole).exact;
      net.addToSum();
      net.step(step, 0.02, Math.min(1, 1 / net.sumNorm()));
    }
    return exact;
  };
  const net = network(true);
  run(net, 1, 60);
  const saved = net.state();
  expect(run(net, 61, 100)).toBe(3);
  const other = network(true);
  other.restore(saved);
  run(other, 61, 100);
  expect(other.weights()).toEqual(net.weights());
});
