/** What the stages of a call run on. */
import type { Kernels } from "../../wasm/abi.ts";
import type { ModelPlan } from "./modelplan.ts";
import type { Scratch, SessionPlan } from "./sessionplan.ts";

/**
 * Runs work for each of the units by name, one after the other, when its bytes are in linear memory: `at` is its place,
 * valid within the work. Work is synchronous.
 */
export type Walk = (units: readonly string[], work: (at: number, index: number) => void) => Promise<void>;

/** What a stage runs on: kernels over a memory that holds a model's weights, or lets them pass, and a session's buffers. */
export interface Host<S extends Scratch = SessionPlan> {
  kernels: Kernels;
  memory: WebAssembly.Memory;
  layout: ModelPlan;
  session: S;
  walk: Walk;
}
