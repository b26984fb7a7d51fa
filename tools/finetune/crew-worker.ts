/** A thread of a crew: gradients of the shards that it is given, and the same steps as every other thread. */
import { Learner, type Lesson } from "./learner.ts";
import type { BatchWeight, Network, Outcome } from "./network.ts";
import { ownPort } from "./thread.ts";

export type Order =
  | { do: "start"; pack: Uint8Array }
  | { do: "shard"; lessons: Lesson[]; batch: BatchWeight }
  | { do: "step"; sum: Float32Array; step: number; rate: number; scale: number; draw: number }
  | { do: "hold"; base: Float32Array; importance: Float32Array }
  | { do: "restore"; state: ReturnType<Network["state"]> };

export interface Report {
  outcome: Outcome;
  gradient: Float32Array;
}

const port = ownPort<Order, Report>();
let learner: Learner;
let turn: Promise<unknown> = Promise.resolve();
port.onMessage((order) => {
  turn = turn.then(async () => {
    if (order.do === "start") {
      learner = await Learner.start(order.pack);
      return;
    }
    if (order.do === "restore") return learner.network.restore(order.state);
    if (order.do === "hold") return learner.network.hold(order.base, order.importance);
    if (order.do === "step") {
      learner.network.setSum(order.sum);
      return learner.network.step(order.step, order.rate, order.scale, order.draw);
    }
    const outcome = await learner.run(order.lessons, order.batch, true);
    const gradient = learner.network.gradient();
    port.post({ outcome, gradient }, [gradient.buffer as ArrayBuffer]);
  });
  // Told to whoever started the thread.
  turn.catch((error) => {
    throw error;
  });
});
