/**
 * One cold start, told in marks, alone in its process: HOST coldstart-child KERNELS PACK PROMPT REQUEST, tools on
 * standard input, KERNELS empty for the fastest.
 */
import { readFileSync } from "node:fs";
import type { BuildName } from "../../wasm/abi.ts";

/** The end of a phase. */
export interface Mark {
  phase: string;
  /** Milliseconds since 1970, by the clock that the parent shares. */
  endMs: number;
  /** CPU time of the whole process until then, its compilers' threads included. */
  cpuMs: number;
  rssBytes: number;
}

const marks: Mark[] = [];
function mark(phase: string): void {
  const { user, system } = process.cpuUsage();
  const endMs = performance.timeOrigin + performance.now();
  marks.push({ phase, endMs, cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() });
}

mark("process start");
const [kernels, pack, promptTokens, request] = process.argv.slice(2);
const { load } = await import("../../runtime/index.ts");
const { detectBuild } = await import("../../runtime/engine/kernels.ts");
const { startNow } = await import("./timeline.ts");
mark("import");
const thimble = await load(pack, {
  promptTokens: Number(promptTokens),
  early: true,
  kernels: (memory) => {
    mark("header");
    const started = startNow((kernels as BuildName) || detectBuild(), memory);
    mark("kernels");
    return started;
  },
});
mark("tokenizer and session");
await thimble.loaded;
mark("weights");
await thimble.call(request, readFileSync(0, "utf8"));
mark("first call");
process.stdout.write(JSON.stringify(marks));
