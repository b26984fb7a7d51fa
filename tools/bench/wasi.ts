/** The command for WASI beside the runtime, turn by turn: the same requests, kernels and tools. */
import { readFileSync } from "node:fs";
import { load } from "../../runtime/thimble.ts";
import { ToolSet } from "../../runtime/tools/tools.ts";
import { readText, table } from "../command.ts";
import { watchRequest, watchTools } from "../run.ts";
import { runCommand } from "../wasi.ts";
import { middle, round } from "./runs.ts";

export interface WasiReport {
  /** Medians: from the module's bytes to the first answer, a call more, and the runtime's call with simd kernels. */
  firstMs: number;
  callMs: number;
  runtimeMs: number;
}

/** Calls of one run of the command, beyond the first. */
const more = 20;

/** Measures a pack whose model reads tools apart. */
export async function measureWasi(path: string, runs: number): Promise<WasiReport> {
  const set = ToolSet.from(readText(watchTools));
  const pack = readFileSync(path);
  const model = await load(path, { kernels: "simd" });
  const tools = await model.readTools(set, { device: true });
  const input = (calls: number) => `${watchRequest}\n`.repeat(calls);
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await work();
    return performance.now() - startMs;
  };
  const [first, all, runtime]: number[][] = [[], [], []];
  for (let i = -1; i < runs; i++) {
    const once = await timed(() => runCommand(pack, tools, input(1)));
    const many = await timed(() => runCommand(pack, tools, input(1 + more)));
    const own = await timed(async () => {
      for (let call = 0; call < more; call++) await model.call(watchRequest, set);
    });
    if (i < 0) continue;
    first.push(once);
    all.push((many - once) / more);
    runtime.push(own / more);
  }
  model.close();
  return { firstMs: round(middle(first), 1), callMs: round(middle(all), 2), runtimeMs: round(middle(runtime), 2) };
}

export function renderWasi({ firstMs, callMs, runtimeMs }: WasiReport): string {
  return table([
    ["under @wasmer/wasi", "ms"],
    ["from bytes to the first answer", `${firstMs}`],
    ["a call more, 7 tools, two calls in the answer", `${callMs}`],
    ["the same by the runtime, simd", `${runtimeMs}`],
  ]);
}
