/**
 * Which weights general answers hang on: these are drawn back to where they were, while the others move.
 * Source: Kirkpatrick and others, Overcoming catastrophic forgetting in neural networks (elastic weight consolidation).
 */
import type { Learner, Lesson } from "./learner.ts";

/** Share of the weights whose importance is less than half. */
const lesser = 0.7;

/**
 * The importance of every weight, 0 … 1: its mean squared gradient on answers that the model knows, over the same and a
 * common one. Leaves the network's gradient as the last lesson's.
 */
export async function importance(learner: Learner, lessons: readonly Lesson[]): Promise<Float32Array> {
  const squares = new Float32Array(learner.network.size);
  for (const lesson of lessons) {
    await learner.run([lesson], { weight: 1, rows: 1 }, true);
    const gradient = learner.network.gradient();
    for (let i = 0; i < squares.length; i++) squares[i] += gradient[i] ** 2;
  }
  const sorted = squares.filter((x) => x > 0).sort();
  const common = sorted[Math.floor(lesser * sorted.length)] ?? 0;
  return squares.map((x) => (x ? x / (x + common) : 0));
}
