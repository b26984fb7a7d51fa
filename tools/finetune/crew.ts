/**
 * Data-parallel threads. Each has a model, a decoder and its moments of its own; a batch goes out in shards of a fixed size,
 * their gradients are added in the shards' order, and all threads make the same step: so the numbers do not depend on how
 * many threads there are, and nothing needs shared memory.
 */
import type { Order, Report } from "./crew-worker.ts";
import { Learner, type Lesson } from "./learner.ts";
import type { Network, Outcome } from "./network.ts";
import { openThread, type Thread } from "./thread.ts";

type Hand = Thread<Order, Report>;

/** Examples of a shard: enough rows for a product to pay. */
export const shardSize = 4;

export class Crew {
  private constructor(
    /** The calling thread's own. */
    readonly learner: Learner,
    private readonly workers: Hand[],
  ) {}

  /** Starts `threads`, the calling one included, from a pack's weights. */
  static async start(pack: Uint8Array, threads: number): Promise<Crew> {
    const workers = Array.from({ length: threads - 1 }, () => openThread<Order, Report>("crew-worker"));
    for (const worker of workers) worker.post({ do: "start", pack });
    return new Crew(await Learner.start(pack), workers);
  }

  get network(): Network {
    return this.learner.network;
  }

  /** As `Network.hold`, in every thread. */
  hold(base: Float32Array, importance: Float32Array): void {
    this.network.hold(base, importance);
    for (const worker of this.workers) worker.post({ do: "hold", base, importance });
  }

  /** One step on a batch, as `Network.step`. Throws: Error where the loss is no number; nothing was changed then. */
  async step(lessons: readonly Lesson[], step: number, rate: number, draw = 0): Promise<Outcome> {
    const batch = {
      weight: lessons.flatMap(({ weights }) => weights).reduce((sum, weight) => sum + weight, 0),
      rows: lessons.reduce((sum, { given }) => sum + given.length, 0),
    };
    const shards = Array.from({ length: Math.ceil(lessons.length / shardSize) }, (_, i) =>
      lessons.slice(i * shardSize, (i + 1) * shardSize),
    );
    const crew = 1 + this.workers.length;
    const away = this.workers.map((worker, w) =>
      reports(
        worker,
        shards.filter((_, i) => i % crew === w + 1).map((part): Order => ({ do: "shard", lessons: part, batch })),
      ),
    );
    const { network, learner } = this;
    network.clearSum();
    const outcome: Outcome = { entropy: 0, rows: 0, exact: 0 };
    const count = (part: Outcome) => {
      for (const key of ["entropy", "rows", "exact"] as const) outcome[key] += part[key];
    };
    // A lone thread keeps its gradients where they are; among several they wait for their turn in the sum.
    const own: Report[] = [];
    for (const part of shards.filter((_, i) => i % crew === 0)) {
      const found = await learner.run(part, batch, true);
      if (crew > 1) own.push({ outcome: found, gradient: network.gradient() });
      else {
        network.addToSum();
        count(found);
      }
    }
    if (crew > 1) {
      const all = [own, ...(await Promise.all(away))];
      for (const i of shards.keys()) {
        const part = all[i % crew][Math.floor(i / crew)];
        network.addToSum(part.gradient);
        count(part.outcome);
      }
    }
    const norm = network.sumNorm();
    if (!Number.isFinite(norm + outcome.entropy)) throw new Error("the loss is no number");
    const scale = Math.min(1, 1 / norm);
    if (this.workers.length) {
      const sum = network.sum();
      for (const worker of this.workers) worker.post({ do: "step", sum, step, rate, scale, draw });
    }
    network.step(step, rate, scale, draw);
    return outcome;
  }

  restore(state: ReturnType<Network["state"]>): void {
    this.network.restore(state);
    for (const worker of this.workers) worker.post({ do: "restore", state });
  }

  close(): void {
    this.learner.model.close();
    for (const worker of this.workers) worker.close();
  }
}

/** A worker's reports on some orders, in their order. */
async function reports(worker: Hand, orders: readonly Order[]): Promise<Report[]> {
  const got: Report[] = [];
  if (!orders.length) return got;
  const { onError } = worker;
  return new Promise((resolve, reject) => {
    worker.onMessage = (report) => {
      got.push(report);
      if (got.length < orders.length) return;
      worker.onError = onError;
      resolve(got);
    };
    worker.onError = reject;
    for (const order of orders) worker.post(order);
  });
}
