/** Where kept tools lie and for how long: budgets, several sessions at once, what is aborted, forgotten, or waits. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageBytes } from "../runtime/engine/memory.ts";
import { CapacityError, FormatError, load, ToolSet } from "../runtime/index.ts";
import { readKept, writeKept } from "../runtime/kept/file.ts";
import { answerOf, apartPack, held, limits, longTool, type Model, toolOf, toolsOf } from "./apart.ts";
import { seeded } from "./support.ts";

const pack = await apartPack();
const request = "set the lamp of room three";
const tools = toolsOf(7);

const bytesOf = (model: Model, name: string) =>
  model.inside.kept.regions.filter((region) => region.name === name).reduce((sum, { bytes }) => sum + bytes, 0);

/** The least memory that a model loads into with such limits. */
async function leastMemory(options: object): Promise<number> {
  const { needed } = await load(pack, { ...options, memory: pageBytes }).catch((error) => error);
  return Math.ceil(needed / pageBytes) * pageBytes;
}

describe("timings say how many tools were read for a call", () => {
  test("of those that are ranked, none that is known, be it forgotten or not", async () => {
    const model = await load(pack, { ...limits, toolMemory: 0 });
    const many = toolsOf(60);
    expect((await model.call(request, many)).timings.tools).toMatchObject({ given: 60, read: 60 });
    for (const other of [request, "the heater", "play music"]) {
      const { offered, read } = (await model.call(other, many)).timings.tools;
      expect(read).toBeLessThanOrEqual(offered);
    }
  });

  test("of two calls at once that bring the same new ones, one", async () => {
    const model = await load(pack, limits);
    const results = await Promise.all([model.call(request, tools), model.session().call(request, tools)]);
    expect(results.map(({ timings }) => timings.tools.read).sort()).toEqual([0, 7]);
    expect(results[0].tokens).toEqual(results[1].tokens);
  });
});

describe("sessions at once", () => {
  test("each see tools of toolRows rows, whatever toolMemory says, which holds again when they are done", async () => {
    const model = await load(pack, { ...limits, toolMemory: 0 });
    const wanted = [0, 20, 40].map((from) => toolsOf(8, from));
    await model.call(request, wanted[0]);
    const most = model.inside.kept.budgetBytes;
    const calls = [];
    for (const each of wanted) calls.push(await held(model.session(), request, each));
    expect(model.toolBytes).toBeGreaterThan(most);
    for (const { letGo, result } of calls) {
      letGo();
      expect((await result).timings.tools.offered).toBe(8);
    }
    expect(model.toolBytes).toBeLessThanOrEqual(most);
    for (const [i, { result }] of calls.entries())
      expect((await result).tokens).toEqual((await (await load(pack, limits)).call(request, wanted[i])).tokens);
  });

  test("so many as were planned for find room within a memory budget", async () => {
    const options = { ...limits, promptTokens: 32, sessions: 3, toolMemory: 0 };
    const model = await load(pack, { ...options, memory: await leastMemory(options) });
    const sessions = [model.first, model.session(), model.session()];
    const calls = [];
    for (const [i, session] of sessions.entries()) calls.push(await held(session, request, toolsOf(8, 20 * i)));
    for (const { letGo } of calls) letGo();
    for (const { result } of calls) expect((await result).timings.tools.offered).toBe(8);
    model.close();
  });

  test("open where kept tools have taken all memory", async () => {
    const options = { ...limits, promptTokens: 32, toolMemory: 2 ** 30 };
    const model = await load(pack, { ...options, memory: (await leastMemory({ ...options, sessions: 2 })) + 2 ** 20 });
    for (let i = 0; i < 20; i++) await model.call(request, toolsOf(8, 8 * i));
    const before = model.toolBytes;
    const session = model.session();
    expect(model.toolBytes).toBeLessThan(before);
    expect((await session.call(request, tools)).timings.tools.offered).toBe(7);
    model.close();
  });
});

describe("memory", () => {
  test("buffers for one long tool are given back, and leave no hole behind each", async () => {
    const model = await load(pack, limits);
    await model.call(request, tools);
    const usual = bytesOf(model, "reading");
    for (const words of [100, 180, 260, 340, 420, 480]) {
      await model.call(request, [longTool(words, `verbose_${words}`)]);
      expect(bytesOf(model, "reading")).toBeLessThanOrEqual(usual);
    }
    expect(bytesOf(model, "free")).toBeLessThan(usual + 300_000);
    for (const list of [toolsOf(3, 30), [longTool(90, "first"), longTool(90, "second")]]) {
      await model.call(request, list);
      expect(bytesOf(model, "reading")).toBe(usual);
    }
  });

  test("a long tool finds room within a tight budget although the room lies in pieces", async () => {
    const options = { ...limits, promptTokens: 32, toolMemory: 0 };
    const memory = await leastMemory(options);
    const ways: ((model: Model) => Promise<unknown>)[] = [
      (model) => model.call(request, [longTool(340)]),
      (model) => model.prepare([longTool(340)]),
      (model) => model.rank(request, [longTool(340), toolOf(3)]),
    ];
    for (const way of ways) {
      const model = await load(pack, { ...options, memory });
      const random = seeded(4);
      // Behind this one lie the buffers for reading, in the middle of what there is.
      await model.call(request, [longTool(200, "earlier")]);
      for (let i = 0; i < 12; i++) await model.call(request, toolsOf(1 + Math.floor(random() * 8), 9 * i));
      await way(model);
      expect((await model.call(request, [longTool(340)])).timings.tools.read).toBe(0);
      model.close();
    }
  });

  test("of known tools those asked for last stay: by prepare, from a file, and by a call", async () => {
    const ways: ((model: Model, file: Uint8Array) => Promise<unknown>)[] = [
      (model) => model.prepare(toolsOf(2)),
      (model, file) => model.prepare(file),
      (model) => model.call(request, toolsOf(2)),
    ];
    const file = await (await load(pack, limits)).readTools(toolsOf(2));
    for (const way of ways) {
      const model = await load(pack, { ...limits, toolMemory: 0 });
      // There is room for eleven.
      await model.prepare(toolsOf(10));
      await way(model, file);
      await model.prepare(toolsOf(8, 20));
      expect((await model.call(request, toolsOf(2))).timings.tools.read).toBe(0);
    }
  });
});

describe("tools are in use", () => {
  test("while a call reads others, which take no room from them", async () => {
    const model = await load(pack, { ...limits, toolMemory: 0 });
    // As many as there is room for, the call's the oldest of them.
    await model.prepare(toolsOf(11));
    const { timings, tokens } = await model.call(request, [...tools, toolOf(50)]);
    expect(timings.tools).toEqual({ given: 8, offered: 8, read: 1 });
    expect(tokens).toEqual((await (await load(pack, limits)).call(request, [...tools, toolOf(50)])).tokens);
  });

  test("no longer than a call, a reading ahead or a file needs them, also where those end early", async () => {
    const aborted = new AbortController();
    aborted.abort(new Error("never mind"));
    const { signal } = aborted;
    const fails = () => {
      throw new Error("never mind");
    };
    const ways: ((model: Model, from: number) => Promise<unknown>)[] = [
      (model, from) => model.call(request, toolsOf(8, from)),
      (model, from) => model.rank(request, toolsOf(8, from)),
      (model, from) => model.prepare(toolsOf(8, from)),
      (model, from) => model.prepare(toolsOf(8, from), { onProgress: fails }),
      (model, from) => model.readTools(toolsOf(8, from)),
      (model, from) => model.readTools(toolsOf(8, from), { onProgress: fails }),
      (model, from) => model.call(request, toolsOf(8, from), { onText: fails }),
      async (model, from) => model.prepare(await (await load(pack, limits)).readTools(toolsOf(8, from))),
      async (model, from) => {
        await model.prepare(toolsOf(7, from));
        const { kept, weights } = model.inside;
        // Straight, since a call that is aborted before its turn asks for nothing.
        const walk = (names: readonly string[], work: (at: number, i: number) => void) =>
          weights.walk(names, work, signal);
        return kept.use(ToolSet.from(toolsOf(8, from)).texts, { walk });
      },
      async (model, from) => {
        await model.prepare(toolsOf(6, from));
        const stop = new AbortController();
        const { weights } = model.inside;
        const { walk } = weights;
        // All tools are known: the first walk is the request's.
        weights.walk = (...rest) => {
          stop.abort(new Error("never mind"));
          return walk.apply(weights, rest);
        };
        return model
          .call(request, toolsOf(6, from), { signal: stop.signal })
          .finally(() => Object.assign(weights, { walk }));
      },
    ];
    for (const way of ways) {
      const model = await load(pack, { ...limits, toolMemory: 0 });
      for (let i = 0; i < 6; i++) await way(model, 8 * i).catch((error) => expect(error.message).toBe("never mind"));
      // What were still in use would have its room.
      await model.prepare(toolsOf(8, 99));
      expect(model.toolBytes).toBeLessThanOrEqual(model.inside.kept.budgetBytes);
      expect((await model.call(request, toolsOf(8, 99))).timings.tools.read).toBe(0);
    }
  });
});

test("a reading that fails is not tried again", async () => {
  const model = await load(pack, limits);
  let count = 0;
  const onProgress = () => {
    count++;
    throw new Error("never mind");
  };
  await expect(model.prepare(tools, { onProgress })).rejects.toThrow("never mind");
  expect(count).toBe(1);
});

test("a file brings what ranking needs, too", async () => {
  const file = await (await load(pack, limits)).readTools(tools);
  const model = await load(pack, limits);
  await model.prepare(file);
  expect((await model.call(request, tools, { offer: 1 })).timings.tools.read).toBe(0);
  expect(await model.rank(request, tools)).toEqual(await (await load(pack, limits)).rank(request, tools));
});

describe("a reading that is waited for", () => {
  /** A model whose weights come no further until `go` is called. */
  async function stalled() {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    let sent = 0;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (sent > pack.length / 2) await gate;
        controller.enqueue(pack.subarray(sent, sent + 16384));
        sent += 16384;
        if (sent >= pack.length) controller.close();
      },
    });
    return { model: await load(stream, { ...limits, early: true }), go };
  }

  test("does not hold up who aborts meanwhile, and is not ended by them", async () => {
    const { model, go } = await stalled();
    const first = model.call(request, tools);
    const waits: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => model.prepare(toolsOf(3, 20), { signal }),
      (signal) => model.readTools(toolsOf(3, 20), { signal }),
      (signal) => model.session().call(request, tools, { signal }),
      (signal) => model.session().rank(request, tools, { signal }),
    ];
    for (const wait of waits) {
      const controller = new AbortController();
      const outcome = wait(controller.signal);
      setTimeout(() => controller.abort(new Error("never mind")), 5);
      await expect(outcome).rejects.toThrow("never mind");
    }
    go();
    expect((await first).timings.tools.read).toBe(7);
    expect(await answerOf(model, request, tools)).toEqual(await answerOf(await load(pack, limits), request, tools));
  });

  test("is taken over by who waits for the same tools when it is aborted", async () => {
    const { model, go } = await stalled();
    const controller = new AbortController();
    const [first, second] = [
      model.call(request, tools, { signal: controller.signal }),
      model.session().call(request, tools),
    ];
    setTimeout(() => controller.abort(new Error("never mind")), 5);
    await expect(first).rejects.toThrow("never mind");
    go();
    expect((await second).timings.tools.read).toBe(7);
    expect((await second).tokens).toEqual((await (await load(pack, limits)).call(request, tools)).tokens);
  });
});

describe("a tool that is too long", () => {
  test("is one by name, with a remedy that works, for a call, ranking, reading ahead and a file", async () => {
    const model = await load(pack, limits);
    const list = [toolOf(2), longTool(600)];
    for (const outcome of [
      model.call(request, list),
      model.rank(request, list),
      model.prepare(list),
      model.prepare(list, { cache: true }),
      model.readTools(list),
    ]) {
      const error = await outcome.catch((e) => e);
      expect(error).toBeInstanceOf(CapacityError);
      expect(error.message).toMatch(/^tool verbose: expected a tool of at most 512 rows, got \d+; .* toolRows \d+$/);
    }
    expect(model.toolBytes).toBe(0);
  });

  test("for any session is not told to load with more rows than there can be", async () => {
    const error = await (await load(pack, limits)).call(request, [longTool(20_000)]).catch((e) => e);
    expect(error).toBeInstanceOf(CapacityError);
    expect(error.message).toMatch(/^tool verbose: .*; say less in it$/);
  });
});

describe("a cache folder", () => {
  /** Runs with the user's cache in a folder of its own. */
  async function withCache(work: (home: string) => Promise<void>): Promise<void> {
    const home = mkdtempSync(join(tmpdir(), "thimble-"));
    const before = process.env.XDG_CACHE_HOME;
    process.env.XDG_CACHE_HOME = join(home, "cache");
    try {
      await work(join(home, "cache"));
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
      rmSync(home, { recursive: true });
    }
  }

  test("that cannot be written costs a warning, not the tools", async () => {
    await withCache(async (cache) => {
      writeFileSync(cache, "a file where the folder should be");
      const model = await load(pack, limits);
      const warnings: string[] = [];
      await model.prepare(tools, { cache: true, onWarning: (message) => warnings.push(message) });
      expect(warnings).toEqual([expect.stringMatching(/^cache: expected .*; these tools are read anew next time$/)]);
      expect((await model.call(request, tools)).timings.tools.read).toBe(0);
    });
  });

  test("is not blamed for what is not its fault, nor are tools read again then", async () => {
    await withCache(async () => {
      const model = await load(pack, limits);
      const warnings: string[] = [];
      let count = 0;
      const onProgress = () => {
        count++;
        throw new Error("never mind");
      };
      const onWarning = (message: string) => warnings.push(message);
      await expect(model.prepare(tools, { cache: true, onProgress, onWarning })).rejects.toThrow("never mind");
      expect([count, warnings]).toEqual([1, []]);
    });
  });

  test("that holds what cannot be read costs a warning, not the tools", async () => {
    await withCache(async (cache) => {
      const model = await load(pack, limits);
      await model.prepare(tools, { cache: true });
      const [file] = [...new Bun.Glob("**/*.kv").scanSync(cache)];
      rmSync(join(cache, file));
      mkdirSync(join(cache, file));
      const other = await load(pack, limits);
      const warnings: string[] = [];
      await other.prepare(tools, { cache: true, onWarning: (message) => warnings.push(message) });
      expect(warnings).toEqual([expect.stringMatching(/^cache: expected a file that can be read, got /)]);
      expect((await other.call(request, tools)).timings.tools.read).toBe(0);
    });
  });
});

test("a file whose rows are not those of its texts is a FormatError", async () => {
  const model = await load(pack, limits);
  const file = await model.readTools(toolsOf(2));
  const entries = readKept(model.header, file, (text) => model.inside.kept.rowsOf(text));
  const [text] = ToolSet.from([longTool(9)]).texts;
  const foreign = writeKept(model.header, [entries[0], { ...entries[1], text }]);
  const error = await model.prepare(foreign).catch((e) => e);
  expect(error).toBeInstanceOf(FormatError);
  expect(error.path).toBe("tools[1].rows");
});
