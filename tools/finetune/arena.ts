/** Linear memory of the training module: regions that stay, then room that starts over with every shard. */
import { memoryImport, pad } from "../../wasm/abi.ts";
import { trainBytes } from "../../wasm/built/train.ts";
import type { TrainKernels } from "../../wasm/train/abi.ts";

const pageBytes = 65536;

export class Arena {
  private endBytes = 64;

  constructor(private readonly memory: WebAssembly.Memory) {}

  /** A region of so many numbers at a multiple of 64; what stands in it is not zero. */
  take(numbers: number): number {
    const at = this.endBytes;
    this.endBytes = pad(at + 4 * numbers, 64);
    const missing = this.endBytes - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / pageBytes) + 64);
    return at;
  }

  /** A region of zeros. */
  zeros(numbers: number): number {
    const at = this.take(numbers);
    this.floats(at, numbers).fill(0);
    return at;
  }

  put(values: Float32Array | readonly number[]): number {
    const at = this.take(values.length);
    this.floats(at, values.length).set(values);
    return at;
  }

  putIntegers(values: readonly number[]): number {
    const at = this.take(values.length);
    new Uint32Array(this.memory.buffer, at, values.length).set(values);
    return at;
  }

  /** A view that is valid until the next region is taken. */
  floats(at: number, numbers: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, numbers);
  }

  /** Where regions end now; `reset` gives up those taken since. */
  mark(): number {
    return this.endBytes;
  }

  reset(mark: number): void {
    this.endBytes = mark;
  }

  /** Runs body and gives up what it took. */
  within<T>(body: () => T): T {
    const mark = this.mark();
    const result = body();
    this.reset(mark);
    return result;
  }
}

/** Starts the training module on a memory of its own. Throws: Error on a host without SIMD. */
export function startTraining(): { arena: Arena; kernels: TrainKernels } {
  const bytes = Uint8Array.from(atob(trainBytes), (letter) => letter.charCodeAt(0));
  if (!WebAssembly.validate(bytes))
    throw new Error("finetune: expected a host with SIMD, got one without; use a newer one");
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 32768 });
  const imports = { [memoryImport.module]: { [memoryImport.base]: memory } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  return { arena: new Arena(memory), kernels: exports as unknown as TrainKernels };
}
