/**
 * Two checkouts in turn in one process: bun test/bench/turn.ts OLD NEW ROUNDS [STAGES]. CPU time of each stage, medians, and the median (best) ratio OLD / NEW.
 * Both need their kernels built (`npm install`). STAGES is a pattern of names below; KERNELS=simd in the environment takes another build than the host would.
 */
import { join, resolve } from "node:path";
import { middle } from "../../tools/bench/runs.ts";

type Runs = typeof import("../../tools/bench/runs.ts");
type Runtime = typeof import("../../runtime/thimble.ts");

const [before, after, rounds = "9", only = ""] = process.argv.slice(2);
if (!before || !after)
  throw new Error("turn: expected two checkouts, got fewer; bun test/bench/turn.ts OLD NEW ROUNDS");

async function open(folder: string) {
  const { load }: Runtime = await import(join(resolve(folder), "runtime/thimble.ts"));
  const runs: Runs = await import(join(resolve(folder), "tools/bench/runs.ts"));
  const kernels = process.env.KERNELS ? { kernels: process.env.KERNELS as "simd" } : {};
  const models = {
    "26M": await load(await runs.randomPack(runs.fullGeometry), kernels),
    default: await load(undefined, kernels),
  };
  return { runs, models };
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const sides = [await open(before), await open(after)];
for (const name of ["26M", "default"] as const) {
  const sessions = sides.map(({ models }) => models[name].session({ promptTokens: 1024, answerTokens: 128 }));
  for (const [stage, tokens] of [
    ["prefill", 271],
    ["prefill", 1024],
    ["64 free steps after", 271],
  ] as const) {
    const told = `${name}, ${stage} ${tokens}`;
    if (!new RegExp(only).test(told)) continue;
    const run = async (i: number) => {
      const { runs, models } = sides[i];
      if (stage === "prefill") await runs.runPrefill(models[name], sessions[i], tokens);
      else await runs.runDecode(models[name], sessions[i], 64, tokens);
    };
    const times: [number[], number[]] = [[], []];
    for (let round = -3; round < Number(rounds); round++) {
      for (const i of round % 2 ? [1, 0] : [0, 1]) {
        const start = cpuMs();
        for (let n = name === "26M" ? 1 : 8; n; n--) await run(i);
        if (round >= 0) times[i].push(cpuMs() - start);
      }
    }
    const ratio = middle(times[0].map((ms, round) => ms / times[1][round]));
    const best = Math.min(...times[0]) / Math.min(...times[1]);
    console.log(
      `${told}: ${times.map((all) => middle(all).toFixed(1)).join(" → ")} ms, ${ratio.toFixed(3)} (${best.toFixed(3)})`,
    );
  }
}
process.exit(0);
