/**
 * Where a call's time goes: each kernel call is timed, and what passes between two of them belongs to the host's work
 * there, so that the parts add up to the whole. The layer of a kernel call follows from its block pointer (memory.ts).
 */
import { kernelModule } from "../../runtime/engine/kernels.ts";
import type { ModelPlan } from "../../runtime/engine/modelplan.ts";
import type { SessionPlan } from "../../runtime/engine/sessionplan.ts";
import { type BuildName, type Kernels, memoryImport } from "../../wasm/abi.ts";

/** One line of a call's account. */
export interface Slot {
  part: "prefill" | "decode";
  /** A kernel's name, or what the host does. */
  stage: string;
  /** null for what belongs to no layer. */
  layer: string | null;
}

/**
 * Starts a build at once, as `load` wants it from a function. The result may be changed, unlike a module's exports, so
 * that a `Timeline` can step in.
 */
export function startNow(build: BuildName, memory: WebAssembly.Memory): Kernels {
  const module = new WebAssembly.Module(kernelModule(build));
  const { exports } = new WebAssembly.Instance(module, { [memoryImport.module]: { [memoryImport.base]: memory } });
  return { ...(exports as unknown as Kernels) };
}

export class Timeline {
  readonly slots: Slot[] = [];
  /** Kernel calls since `start`. */
  kernelCalls = 0;
  private readonly plain: Kernels;
  private readonly timed: Kernels;
  /** Places of the host's own work: before the first kernel, between kernels of the prefill, all of the rest. */
  private readonly prompt: number;
  private readonly prefillHost: number;
  private readonly decodeHost: number;
  private spentMs = new Float64Array(0);
  private lastMs = 0;

  /** `kernels`: what `load` got from `startNow`; untouched but between `start` and `stop`. */
  constructor(
    private readonly kernels: Kernels,
    layout: ModelPlan,
    session: SessionPlan,
    private readonly now = () => performance.now(),
  ) {
    const layers = (part: Slot["part"], stage: string, name: string, blocks: number[]) =>
      new Map(blocks.map((block, i) => [block, this.slot(part, stage, `${name}.${i}`)]));
    const self = layout.decoder.map((block) => block.self);
    const cross = layout.decoder.map((block) => block.cross);
    this.prompt = this.slot("prefill", "tools and tokenizer");
    const prefill = {
      embed: this.slot("prefill", "embed"),
      encoder_kv: layers("prefill", "encoder_kv", "encoder", layout.encoder),
      encoder_attend: layers("prefill", "encoder_attend", "encoder", layout.encoder),
      final_norm: this.slot("prefill", "final_norm"),
      cross_kv: layers("prefill", "cross_kv", "cross", cross),
    };
    this.prefillHost = this.slot("prefill", "between kernels");
    this.decodeHost = this.slot("decode", "grammar and text");
    const decode = {
      embed: this.slot("decode", "embed"),
      decoder_layer: layers("decode", "decoder_layer", "decoder", self),
      final_norm: this.slot("decode", "final_norm"),
      logits: this.slot("decode", "logits"),
      argmax: this.slot("decode", "argmax"),
    };
    this.plain = { ...kernels };
    this.timed = {
      ...kernels,
      embed: this.time(kernels.embed, (...[, , , , x]) => (x === session.step ? decode : prefill).embed),
      encoder_kv: this.time(kernels.encoder_kv, (_, block) => prefill.encoder_kv.get(block)),
      encoder_attend: this.time(kernels.encoder_attend, (_, block) => prefill.encoder_attend.get(block)),
      final_norm: this.time(
        kernels.final_norm,
        (_, norm) => (norm === layout.encoderNorm ? prefill : decode).final_norm,
      ),
      cross_kv: this.time(kernels.cross_kv, (_, block) => prefill.cross_kv.get(block)),
      decoder_layer: this.time(kernels.decoder_layer, (_, block) => decode.decoder_layer.get(block)),
      logits: this.time(kernels.logits, () => decode.logits),
      argmax: this.time(kernels.argmax, () => decode.argmax),
    };
  }

  /** Begins to time a call. */
  start(): void {
    this.spentMs = new Float64Array(this.slots.length);
    this.kernelCalls = 0;
    Object.assign(this.kernels, this.timed);
    this.lastMs = this.now();
  }

  /** Ends a call: the milliseconds of each slot, which add up to the time since `start`. */
  stop(): Float64Array {
    const endMs = this.now();
    Object.assign(this.kernels, this.plain);
    this.spentMs[this.decodeHost] += endMs - this.lastMs;
    return this.spentMs;
  }

  private slot(part: Slot["part"], stage: string, layer: string | null = null): number {
    return this.slots.push({ part, stage, layer }) - 1;
  }

  private time<A extends number[], R>(kernel: (...args: A) => R, slotOf: (...args: A) => number | undefined) {
    return (...args: A): R => {
      const startMs = this.now();
      const result = kernel(...args);
      const endMs = this.now();
      const slot = slotOf(...args);
      if (slot === undefined) throw new Error(`profile: expected a block of the model, got pointer ${args[1]}`);
      const prefillGap = this.kernelCalls++ ? this.prefillHost : this.prompt;
      this.spentMs[this.slots[slot].part === "decode" ? this.decodeHost : prefillGap] += startMs - this.lastMs;
      this.spentMs[slot] += endMs - startMs;
      this.lastMs = endMs;
      return result;
    };
  }
}
