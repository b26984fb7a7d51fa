/** A call of the generated kernels, recorded: memory before, what they were asked and what JavaScript wrote between, memory after. */
import { readFileSync } from "node:fs";
import { kernelImports, kernelModule } from "../../runtime/engine/kernels.ts";
import { load } from "../../runtime/index.ts";
import type { Kernels } from "../../wasm/abi.ts";

export interface Recording {
  before: Uint8Array;
  after: Uint8Array;
  /** As test/mcu/replay.c draws it. */
  trace: Uint32Array;
  /** Names of the kernels, by their number in the trace. */
  names: string[];
  calls: number;
}

/** Records one call with tools that are read before. */
export async function record(request: string, tools: string): Promise<Recording> {
  const trace: number[] = [];
  let [shadow, before]: (Uint32Array | null)[] = [null, null];
  let isOn = false;
  let calls = 0;
  let names: string[] = [];
  const model = await load(undefined, {
    kernels: (given) => {
      const module = new WebAssembly.Module(kernelModule("scalar"));
      const { exports } = new WebAssembly.Instance(module, kernelImports(given));
      names = Object.keys(exports);
      const recorded = Object.entries(exports).map(([name, kernel]) => {
        const run = kernel as (...args: number[]) => number | undefined;
        const again = (...args: number[]) => {
          if (!isOn) return run(...args);
          const words = new Uint32Array(given.buffer);
          if (!shadow) before = words.slice();
          else if (words.length !== shadow.length) throw new Error("record: expected memory that stays, got more");
          else trace.push(...written(shadow, words));
          const result = run(...args);
          trace.push(2, names.indexOf(name), args.length, ...args.map((one) => one >>> 0), (result ?? 0) >>> 0);
          calls++;
          shadow = new Uint32Array(given.buffer).slice();
          return result;
        };
        return [name, again];
      });
      return Object.fromEntries(recorded) as unknown as Kernels;
    },
  });
  // All memory is there, and tools are read, once a call was answered.
  await model.call(request, tools);
  isOn = true;
  await model.call(request, tools);
  isOn = false;
  model.close();
  const [first, last] = [before, shadow] as unknown as [Uint32Array, Uint32Array];
  trace.push(0, last.byteLength, sumOf(last));
  return { before: bytesOf(first), after: bytesOf(last), trace: Uint32Array.from(trace), names, calls };
}

/** Runs of words that are others than before. */
function written(before: Uint32Array, after: Uint32Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < after.length; at++) {
    if (before[at] === after[at]) continue;
    const start = at;
    while (at < after.length && before[at] !== after[at]) at++;
    found.push(1, 4 * start, at - start, ...after.subarray(start, at));
  }
  return found;
}

function sumOf(words: Uint32Array): number {
  let sum = 0;
  for (const word of words) sum = Math.imul(sum ^ word, 16777619);
  return sum >>> 0;
}

const bytesOf = ({ buffer }: Uint32Array) => new Uint8Array(buffer);

/** Cases of a switch over the kernels, from the header that wasm2c writes of them. */
export function kernelCases(header: string, names: readonly string[]): string {
  const cases = [
    ...readFileSync(header, "utf8").matchAll(/^(u32|void) Z_thimbleZ_(\w+)\(Z_thimble_instance_t\*, (.*)\);/gm),
  ];
  return cases
    .map(([, result, name, parameters]) => {
      const given = parameters.split(", ").map((type, i) => `(${type})a[${i}]`);
      const call = `Z_thimbleZ_${name}(&instance, ${given.join(", ")})`;
      return `case ${names.indexOf(name)}: ${result === "u32" ? "r = " : ""}${call}; break;\n`;
    })
    .join("");
}
