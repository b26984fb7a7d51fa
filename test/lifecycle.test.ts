/** What a model opens it closes, and what waits for a model can be called off. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FormatError, load } from "../runtime/index.ts";
import { Turns } from "../runtime/turns.ts";

const packPath = fileURLToPath(new URL("../runtime/model/default.thimble", import.meta.url));
const bytes = await Bun.file(packPath).bytes();
const tools = [
  { name: "setTimer", description: "Starts a timer.", parameters: { minutes: { type: "integer", required: true } } },
];
const request = "set a timer for 10 minutes";
const never = () => new Promise<void>(() => {});

const osThreads = () => readdirSync("/proc/self/task").length;
const openFiles = () => readdirSync("/proc/self/fd").length;
const linux = process.platform === "linux";

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; !holds() && i < 500; i++) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe.skipIf(!linux)("a load that fails leaves nothing open", () => {
  test("a calibration that is none: no file", async () => {
    const before = openFiles();
    for (let i = 0; i < 20; i++) {
      const options = { memory: 3 * 2 ** 20, calibration: {} as never };
      await expect(load(packPath, options)).rejects.toThrow("calibration: expected");
    }
    expect(openFiles()).toBeLessThan(before + 5);
  });

  test("memory or tools that find no room: no file", async () => {
    const before = openFiles();
    for (let i = 0; i < 20; i++) await load(packPath, { memory: 70_000 }).catch(() => {});
    expect(openFiles()).toBeLessThan(before + 5);
  });

  test("late, after an early answer: no thread and no file", async () => {
    const damaged = bytes.slice();
    damaged[damaged.length - 100] ^= 1;
    await load(bytes, { threads: 3 }).then((model) => model.close());
    await until(() => osThreads() < 60);
    const before = osThreads();
    for (let i = 0; i < 5; i++) {
      const model = await load(damaged, { threads: 3, early: true });
      expect(model.threads).toBeLessThanOrEqual(3);
      await expect(model.loaded).rejects.toThrow(FormatError);
      expect(model.threads).toBe(1);
    }
    await until(() => osThreads() <= before);
    expect(osThreads()).toBeLessThan(before + 4);
  });
});

describe("an abort", () => {
  test("reaches a call whose onText is pending, and the next one answers", async () => {
    const model = await load(bytes);
    const signal = AbortSignal.timeout(30);
    const error = await model.call(request, tools, { signal, onText: never }).catch((e) => e);
    expect(error).toBe(signal.reason);
    expect((await model.call(request, tools)).calls).toHaveLength(1);
  });

  test("reaches a call that waits behind another, which goes on", async () => {
    const model = await load(bytes);
    let resume = () => {};
    const paused = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const first = model.call(request, tools, { onText: () => paused });
    const signal = AbortSignal.timeout(30);
    const second = await model.call(request, tools, { signal }).catch((e) => e);
    expect(second).toBe(signal.reason);
    resume();
    expect((await first).calls).toHaveLength(1);
  });
});

describe("turns", () => {
  test("a call that may be what onText waits for is refused, and told so without blame; whoever else came goes on", async () => {
    const turns = new Turns(20);
    const ran: string[] = [];
    const onText = turns.guard(async () => {
      await null;
      await turns.take(undefined, async () => void ran.push("inner"));
    }, undefined);
    const outer = turns.take(undefined, () => Promise.resolve(onText("x")));
    await expect(outer).rejects.toThrow(
      "session: expected the running call's onText to end within 20 ms, which may wait for this call; open another session",
    );
    await turns.take(undefined, async () => void ran.push("after"));
    expect(ran).toEqual(["after"]);
    expect(turns.count).toBe(0);
  });

  test("calls that come while onText paints wait for it, and run in order", async () => {
    const turns = new Turns(10_000);
    const ran: number[] = [];
    const onText = turns.guard(() => new Promise((resolve) => setTimeout(resolve, 20)), undefined);
    const calls = [
      turns.take(undefined, async () => {
        await onText("");
        ran.push(0);
      }),
    ];
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const i of [1, 2, 3]) calls.push(turns.take(undefined, async () => void ran.push(i)));
    await Promise.all(calls);
    expect(ran).toEqual([0, 1, 2, 3]);
  });

  test("a call called off while it waits never runs, and holds nobody up", async () => {
    const turns = new Turns();
    const ran: string[] = [];
    const controller = new AbortController();
    const first = turns.take(undefined, () => new Promise<void>((resolve) => setTimeout(resolve, 20)));
    const second = turns.take(controller.signal, async () => void ran.push("second"));
    const third = turns.take(undefined, async () => void ran.push("third"));
    controller.abort(new Error("never mind"));
    await expect(second).rejects.toThrow("never mind");
    await Promise.all([first, third]);
    expect(ran).toEqual(["third"]);
  });
});
