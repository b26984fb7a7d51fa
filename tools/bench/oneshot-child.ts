/** A `thimble run` that tells on standard error, when it ends, what it took: HOST oneshot-child run REQUEST … */
import { writeSync } from "node:fs";

/** Of the whole process: its threads' CPU time, and what is resident at its end. */
export interface Taken {
  cpuMs: number;
  rssBytes: number;
}

process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  const taken: Taken = { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
  writeSync(2, JSON.stringify(taken));
});
await import("../cli.ts");
