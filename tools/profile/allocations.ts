import { percentile } from "../eval/statistics.ts";
import type { Report } from "./report.ts";

const allocationCalls = 20;

/** What a call leaves behind: on the JavaScript heap, for good, and in linear memory. */
export async function allocations(
  call: () => Promise<unknown>,
  memory: WebAssembly.Memory,
): Promise<Report["allocations"]> {
  const collect = await collector();
  const linearBefore = memory.buffer.byteLength;
  const [heapBytes, before]: [number[], number] = [[], collect()];
  for (let i = 0; i < allocationCalls; i++) {
    // Clean, or the host would collect during the call what others left.
    const usedBytes = collect();
    await call();
    heapBytes.push(heapUsed() - usedBytes);
  }
  return {
    calls: allocationCalls,
    // JavaScriptCore counts its heap only when it collects.
    heapBytes: process.versions.bun ? null : percentile(heapBytes, 0.5),
    retainedBytes: (collect() - before) / allocationCalls,
    linearBytes: memory.buffer.byteLength - linearBefore,
  };
}

function heapUsed(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Collects garbage, twice for what only a first collection frees, and tells what is left. */
async function collector(): Promise<() => number> {
  if (process.versions.bun) {
    return () => {
      for (let i = 0; i < 2; i++) Bun.gc(true);
      return heapUsed();
    };
  }
  const [{ setFlagsFromString }, { runInNewContext }] = [await import("node:v8"), await import("node:vm")];
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  return () => {
    for (let i = 0; i < 2; i++) gc();
    return heapUsed();
  };
}
