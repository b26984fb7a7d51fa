/** A thread of a crew: gradients of the shards that it is given, and the same steps as every other thread. */
import { parentPort, workerData } from "node:worker_threads";
import { Learner, type Lesson } from "./learner.ts";
import type { BatchWeight, Network, Outcome } from "./network.ts";

export type Order =
  | { do: "shard"; lessons: Lesson[]; batch: BatchWeight }
  | { do: "step"; sum: Float32Array; step: number; rate: number; scale: number }
  | { do: "restore"; state: ReturnType<Network["state"]> };

export interface Report {
  outcome: Outcome;
  gradient: Float32Array;
}

if (parentPort) {
  const port = parentPort;
  const starting = Learner.start(workerData as Uint8Array);
  let turn: Promise<unknown> = starting;
  port.on("message", (order: Order) => {
    turn = turn.then(async () => {
      const learner = await starting;
      if (order.do === "restore") return learner.network.restore(order.state);
      if (order.do === "step") {
        learner.network.setSum(order.sum);
        return learner.network.step(order.step, order.rate, order.scale);
      }
      const outcome = await learner.run(order.lessons, order.batch, true);
      const gradient = learner.network.gradient();
      port.postMessage({ outcome, gradient } satisfies Report, [gradient.buffer as ArrayBuffer]);
    });
    turn.catch((error) => {
      throw error;
    });
  });
}
