/** The tool bus: its bytes, its laws over simulated pipes, and what bad input does to it. */
import { describe, expect, test } from "bun:test";
import { ToolSet } from "../runtime/tools/tools.ts";
import { Companion } from "../runtime/wear/companion.ts";
import { type CallReport, Device } from "../runtime/wear/device.ts";
import { confirming } from "../runtime/wear/message.ts";
import type { Outcome, Wearable } from "../runtime/wear/wearable.ts";
import { seeded } from "./support.ts";
import { type Faults, pipeOf, World } from "./wear/world.ts";

const tools = ToolSet.from([
  { name: "tick", description: "Count.", parameters: { n: { type: "integer", required: true, minimum: 0 } } },
  { name: "slow", description: "Count slowly.", parameters: { n: { type: "integer", required: true } } },
  { name: "fail", description: "Fail.", parameters: { n: { type: "integer", required: true } } },
  { name: "ask", description: "Ask first.", risk: "confirm", parameters: { n: { type: "integer", required: true } } },
]);

interface Told {
  n: number;
  outcome: Outcome | null;
}

/** One session or more: a device, a companion, calls at random moments, pipes that break. Gives both sides' accounts. */
async function simulate(
  seed: number,
  faults: Faults,
  options: { breaks: number; returns: boolean; patienceMs: number },
) {
  const random = seeded(seed);
  const world = new World();
  const runs: number[] = [];
  const reports: CallReport[] = [];
  const told: Told[] = [];
  let mostHeld = 0;
  const run = (n: unknown) => void runs.push(n as number);
  const device = new Device({
    name: "simulated",
    tools,
    clock: world,
    random,
    run: {
      tick: ({ n }) => run(n),
      slow: async ({ n }) => {
        run(n);
        await new Promise<void>((resolve) => void world.set(resolve, random() * 4000));
      },
      fail: ({ n }) => {
        run(n);
        throw new Error("out of order");
      },
      ask: ({ n }) => run(n),
    },
    confirm: () => new Promise((resolve) => void world.set(() => resolve(random() < 0.7), random() * 3000)),
    onReport: (report) => void reports.push({ ...report }),
  });
  const wearables: Wearable[] = [];
  const names = ["tick", "slow", "fail", "ask"];
  let sent = 0;
  const companion = new Companion({
    clock: world,
    random,
    patienceMs: options.patienceMs,
    onDevice(wearable) {
      wearables.push(wearable);
      for (let k = 0; k < 2 && sent < 6; k++) {
        const entry: Told = { n: sent++, outcome: null };
        told.push(entry);
        const stop = new AbortController();
        if (random() < 0.2) world.set(() => stop.abort(), random() * 4000);
        world.set(() => {
          const call = { name: names[Math.floor(random() * 4)], arguments: { n: entry.n } };
          void wearable.call(call, confirming.byRisk, stop.signal).then((outcome) => {
            entry.outcome = outcome;
          });
        }, random() * 2000);
      }
    },
  });

  let pipe = pipeOf(world, random, faults);
  const plug = () => {
    companion.connect(pipe.ends[0]);
    device.link.attach(pipe.ends[1]);
  };
  plug();
  const watch = () => {
    for (const held of companion.devices) mostHeld = Math.max(mostHeld, held.heldBytes);
    mostHeld = Math.max(mostHeld, device.link.heldBytes);
    return false;
  };
  const over = () => {
    watch();
    return told.length >= 2 && told.every(({ outcome }) => outcome) && reports.length + 0 >= 0 && device.link.idle;
  };
  for (let b = 0; b < options.breaks; b++) {
    await world.pass(60_000, over);
    if (over()) break;
    pipe.breakNow();
    await world.pass(random() * 20_000, watch);
    pipe = pipeOf(world, random, { ...faults, breakAfter: Number.POSITIVE_INFINITY });
    plug();
  }
  if (options.returns) await world.pass(600_000, over);
  else {
    pipe.breakNow();
    await world.pass(options.patienceMs + 60_000, watch);
    for (const held of [...companion.devices]) companion.lose(held, "the test is over");
    await world.pass(10_000, watch);
    device.link.forget();
    await world.pass(10_000, watch);
  }
  return { runs, reports, told, mostHeld, wearables };
}

/** Both sides' accounts of every call agree, and each ran at most once. */
function expectOneStory({ runs, reports, told }: Awaited<ReturnType<typeof simulate>>, seed: number): void {
  for (const { n, outcome } of told) {
    const ran = runs.filter((run) => run === n).length;
    const report = reports.filter((report) => report.arguments.n === n);
    const story = { seed, n, ran, ending: outcome?.ending, reports: report.map(({ ending }) => ending) };
    switch (outcome?.ending) {
      case "done":
      case "failed":
        expect(story).toEqual({ ...story, ran: 1, reports: [outcome.ending] });
        break;
      case "refused":
        if (ran || report.some(({ ending }) => ending !== "refused"))
          expect(story).toEqual({ ...story, ran: 0, reports: ["refused"] });
        break;
      case "lost":
        if (ran > 1 || report.length > 1 || report.some(({ heard }) => heard))
          expect(story).toEqual({ ...story, ran: 1, reports: ["unheard"] as never });
        break;
      default:
        expect(story).toEqual({ ...story, ending: "an outcome" as never });
    }
  }
}

const sessions = 5000;
/** 4 calls of 2 KiB, a message half received, and what waits. */
const mostHeldBytes = 4096;

function faultsOf(seed: number): Faults {
  const random = seeded(seed + 1e6);
  const mtus = [20, 23, 64, 128, 185, 262, 512];
  return {
    lose: random() < 0.3 ? 0 : random() * 0.3,
    repeat: random() < 0.3 ? 0 : random() * 0.3,
    reorder: random() < 0.3 ? 0 : random() * 0.3,
    flip: random() < 0.5 ? 0 : random() * 0.1,
    mtu: mtus[seed % mtus.length],
    breakAfter: 1 + (seed % 211),
  };
}

test(`over ${sessions} sessions whose pipes lose, repeat, reorder, cut, flip and break at every point but come back, every call runs exactly once or was refused, and both sides say the same`, async () => {
  const counts: Record<string, number> = {};
  for (let seed = 0; seed < sessions; seed++) {
    const story = await simulate(seed, faultsOf(seed), {
      breaks: 1 + (seed % 3),
      returns: true,
      patienceMs: 3_600_000,
    });
    expectOneStory(story, seed);
    for (const { outcome } of story.told)
      counts[outcome?.ending as string] = (counts[outcome?.ending as string] ?? 0) + 1;
    expect(story.mostHeld).toBeLessThan(mostHeldBytes);
  }
  console.log(counts);
  expect(counts.lost).toBeUndefined();
  expect(counts.done).toBeGreaterThan(sessions);
  expect(counts.refused).toBeGreaterThan(sessions / 20);
});

test(`over ${sessions} sessions that end before they are done, no call runs twice, and one that is lost to the companion is unheard to the device`, async () => {
  const counts: Record<string, number> = {};
  for (let seed = 0; seed < sessions; seed++) {
    const story = await simulate(seed, faultsOf(seed), { breaks: seed % 2, returns: false, patienceMs: 5_000 });
    expectOneStory(story, seed);
    for (const { outcome } of story.told)
      counts[outcome?.ending as string] = (counts[outcome?.ending as string] ?? 0) + 1;
    expect(story.mostHeld).toBeLessThan(mostHeldBytes);
  }
  console.log(counts);
  expect(counts.lost).toBeGreaterThan(sessions / 50);
});
