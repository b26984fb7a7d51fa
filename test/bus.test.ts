/** The tool bus: its bytes, its laws over simulated pipes, and what bad input does to it. */
import { describe, expect, test } from "bun:test";
import { ToolSet } from "../runtime/tools/tools.ts";
import { Companion } from "../runtime/wear/companion.ts";
import { Device } from "../runtime/wear/device.ts";
import { kind } from "../runtime/wear/frame.ts";
import { confirming } from "../runtime/wear/message.ts";
import type { Pipe } from "../runtime/wear/pipe.ts";
import type { Outcome, Wearable } from "../runtime/wear/wearable.ts";
import { seeded } from "./support.ts";
import { startWatch } from "./wear/watch.ts";
import { type Faults, pipeOf, World } from "./wear/world.ts";

const tools = ToolSet.from([
  { name: "tick", description: "Count.", parameters: { n: { type: "integer", required: true, minimum: 0 } } },
  { name: "slow", description: "Count slowly.", parameters: { n: { type: "integer", required: true } } },
  { name: "fail", description: "Fail.", parameters: { n: { type: "integer", required: true } } },
  { name: "ask", description: "Ask first.", risk: "confirm", parameters: { n: { type: "integer", required: true } } },
]);

interface Report {
  n: unknown;
  ending: string;
  heard: boolean;
}

/** A device under test: what the laws need of it. */
interface Subject {
  attach(pipe: Pipe): void;
  forget(): void;
  /** Bytes that its link holds. */
  held(): number;
}
interface Parts {
  world: World;
  random: () => number;
  run: Record<string, (args: Record<string, unknown>) => unknown>;
  /** Whether and when the wearer says yes. */
  asked(then: (yes: boolean) => void): void;
  report(report: Report): void;
}
type Maker = (parts: Parts) => Subject;

const inTypeScript: Maker = ({ world, random, run, asked, report }) => {
  const { link } = new Device({
    name: "simulated",
    tools,
    clock: world,
    random,
    run,
    confirm: () => new Promise((resolve) => asked(resolve)),
    onReport: ({ arguments: { n }, ending, heard }) => report({ n, ending, heard }),
  });
  return { attach: (pipe) => link.attach(pipe), forget: () => link.forget(), held: () => link.heldBytes };
};

const onTheWatch: Maker = ({ world, random, run, asked, report }) => {
  const { bus, attach } = startWatch({
    name: "simulated",
    tools,
    clock: world,
    random,
    run,
    prompt(_text, _buttons, then) {
      let isOver = false;
      asked((yes) => isOver || then(Number(yes)));
      return () => {
        isOver = true;
      };
    },
    report: (_name, ending, _value, heard, call) => report({ n: call.args?.n, ending, heard }),
  });
  return { attach, forget: bus.lose, held: () => 0 };
};

interface Told {
  n: number;
  outcome: Outcome | null;
}

interface Plan {
  breaks: number;
  returns: boolean;
  patienceMs: number;
  /** At each break one side forgets all that it knew. */
  restarts?: boolean;
}

/** A device and a companion, calls at random moments, pipes that break. Gives both sides' accounts. */
async function simulate(make: Maker, seed: number, faults: Faults, plan: Plan) {
  const random = seeded(seed);
  const world = new World();
  const runs: number[] = [];
  const reports: Report[] = [];
  const told: Told[] = [];
  let mostHeld = 0;
  const run = (n: unknown) => void runs.push(n as number);
  const device = () =>
    make({
      world,
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
      asked: (then) => void world.set(() => then(random() < 0.7), random() * 3000),
      report: (report) => void reports.push(report),
    });
  const names = ["tick", "slow", "fail", "ask"];
  const companion = () =>
    new Companion({
      clock: world,
      random,
      patienceMs: plan.patienceMs,
      onDevice(wearable) {
        for (let k = 0; k < 2 && told.length < 6; k++) {
          const entry: Told = { n: told.length, outcome: null };
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

  let ends = [companion(), device()] as const;
  let pipe = pipeOf(world, random, faults);
  const plug = () => {
    ends[0].connect(pipe.ends[0]);
    ends[1].attach(pipe.ends[1]);
  };
  const giveUp = () => {
    for (const held of [...ends[0].devices]) ends[0].lose(held, "it restarts");
  };
  const over = () => {
    for (const held of ends[0].devices) mostHeld = Math.max(mostHeld, held.heldBytes);
    mostHeld = Math.max(mostHeld, ends[1].held());
    return told.length >= 2 && told.every(({ outcome }) => outcome);
  };
  const watched = () => over() && false;
  plug();
  for (let b = 0; b < plan.breaks; b++) {
    await world.pass(random() * 60_000, over);
    pipe.breakNow();
    await world.pass(random() * 20_000, watched);
    if (plan.restarts && random() < 0.5) ends = [ends[0], device()];
    else if (plan.restarts) {
      giveUp();
      ends = [companion(), ends[1]];
    }
    pipe = pipeOf(world, random, { ...faults, breakAfter: Number.POSITIVE_INFINITY });
    plug();
  }
  if (plan.returns) await world.pass(600_000, over);
  else {
    await world.pass(random() * 20_000, watched);
    pipe.breakNow();
    await world.pass(plan.patienceMs + 60_000, watched);
    giveUp();
    await world.pass(10_000, watched);
    ends[1].forget();
  }
  await world.pass(120_000, watched);
  return { runs, reports, told, mostHeld };
}

/** Both sides' accounts of every call agree, and each ran at most once. */
function expectOneStory({ runs, reports, told }: Awaited<ReturnType<typeof simulate>>, seed: number): void {
  for (const { n, outcome } of told) {
    const ran = runs.filter((run) => run === n).length;
    const own = reports.filter((report) => report.n === n);
    const says = own.map(({ ending, heard }) => (heard ? ending : `${ending}, unheard`));
    const story = JSON.stringify({ seed, n, ran, companion: outcome?.ending, device: says });
    const { ending } = outcome ?? { ending: null };
    const fits =
      ending === "done" || ending === "failed"
        ? ran === 1 && own.length === 1 && own[0].ending === ending
        : ending === "refused"
          ? ran === 0 && own.length <= 1 && own.every((report) => report.ending === "refused")
          : ending === "lost" && ran <= 1 && own.length <= 1 && own.every(({ heard }) => !heard);
    if (!fits) throw new Error(`two stories: ${story}`);
  }
}

const faultless: Faults = {
  ...{ lose: 0, repeat: 0, reorder: 0, flip: 0 },
  ...{ mtu: 128, breakAfter: Number.POSITIVE_INFINITY },
};

function faultsOf(seed: number): Faults {
  const random = seeded(seed + 1e6);
  const mtus = [20, 23, 64, 128, 185, 262, 512];
  const share = (most: number) => (random() < 0.3 ? 0 : random() * most);
  return {
    lose: share(0.3),
    repeat: share(0.3),
    reorder: share(0.3),
    flip: share(0.1),
    mtu: mtus[seed % mtus.length],
    breakAfter: 1 + (seed % 211),
  };
}

/** 4 calls of 2 KiB, a message half received, and what waits. */
const mostHeldBytes = 4096;

async function law(make: Maker, from: number, sessions: number, plan: (seed: number) => Plan) {
  const counts = { done: 0, failed: 0, refused: 0, lost: 0 };
  for (let seed = from; seed < from + sessions; seed++) {
    const story = await simulate(make, seed, faultsOf(seed), plan(seed));
    if (!plan(seed).restarts) expectOneStory(story, seed);
    else expect(new Set(story.runs).size).toBe(story.runs.length);
    for (const { outcome } of story.told) if (outcome) counts[outcome.ending]++;
    expect(story.mostHeld).toBeLessThan(mostHeldBytes);
  }
  return counts;
}

describe.each([
  ["in TypeScript", inTypeScript, 8000],
  ["on the watch", onTheWatch, 2000],
] as const)("the bus %s", (_, make, sessions) => {
  const half = sessions / 2;
  test(`over ${half} sessions whose pipes lose, repeat, reorder, cut, flip, and break at every point but come back: each call runs once and both sides know how it ended, or it was refused on both`, async () => {
    const plan = (seed: number): Plan => ({ breaks: 1 + (seed % 3), returns: true, patienceMs: 3_600_000 });
    const counts = await law(make, 0, half, plan);
    expect(counts.lost).toBe(0);
    expect(counts.done).toBeGreaterThan(half);
    expect(counts.refused).toBeGreaterThan(half / 10);
  }, 300_000);

  test(`over ${half} sessions that end for good before they are done: no call runs twice, and what the companion counts as lost is unheard to the device`, async () => {
    const plan = (seed: number): Plan => ({ breaks: seed % 2, returns: false, patienceMs: 5_000 });
    const counts = await law(make, half, half, plan);
    expect(counts.lost).toBeGreaterThan(half / 50);
    expect(counts.done).toBeGreaterThan(half / 10);
  }, 300_000);

  test("a call that has ended leaves its place to the next one, also where the acknowledgement of its result is lost", async () => {
    const world = new World();
    const running: (() => void)[] = [];
    const device = make({
      world,
      random: seeded(1),
      run: { slow: () => new Promise<void>((resolve) => void running.push(resolve)) },
      asked: () => {},
      report: () => {},
    });
    const [near, far] = pipeOf(world, seeded(1), faultless).ends;
    let isLost = false;
    const losing = (frame: Uint8Array) => {
      if (isLost && frame[0] === 0xa0 + kind.ack) isLost = false;
      else near.send(frame);
    };
    const outcomes: Promise<Outcome>[] = [];
    const onDevice = (wearable: Wearable) => {
      for (let n = 0; n < 5; n++) outcomes.push(wearable.call({ name: "slow", arguments: { n } }));
    };
    new Companion({ clock: world, onDevice }).connect({ ...near, send: losing });
    device.attach(far);
    await world.pass(3000, () => running.length === 4);
    isLost = true;
    running[0]();
    await world.pass(3000, () => running.length === 5);
    for (const end of running) end();
    await world.pass(3000);
    expect((await Promise.all(outcomes)).map(({ ending }) => ending)).toEqual(Array(5).fill("done"));
  });

  test(`over ${half / 5} sessions in which either side forgets all it knew: no call runs twice`, async () => {
    const plan = (): Plan => ({ breaks: 2, returns: true, patienceMs: 60_000, restarts: true });
    const counts = await law(make, 1e6, half / 5, plan);
    expect(counts.lost).toBeGreaterThan(0);
  }, 300_000);
});
