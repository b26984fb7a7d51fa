/** The watch's files: the language they keep to, their size, the app with a wearer of stubs, and where there is one the real firmware. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import type { CallResult } from "../runtime/session.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { Companion } from "../runtime/wear/companion.ts";
import { gadgetbridgePipe } from "../runtime/wear/gadgetbridge.ts";
import { overLines, type Pipe } from "../runtime/wear/pipe.ts";
import type { Answered, Outcome, Wearable } from "../runtime/wear/wearable.ts";
import { packTools } from "../runtime/wire/wire.ts";
import { watchModule } from "../tools/watchset.ts";
import { fixture } from "./support.ts";
import { Bangle, codeFiles, fileOf, metadata } from "./wear/bangle.ts";
import { Emulator } from "./wear/emulator.ts";
import { Gadgetbridge } from "./wear/gadgetbridge.ts";
import { outsideSubset } from "./wear/subset.ts";
import { library, minify } from "./wear/watch.ts";
import { World } from "./wear/world.ts";

const folder = new URL("../firmware/espruino/", import.meta.url);
const scripts = readdirSync(folder).filter((name) => name.endsWith(".js"));
const tools = ToolSet.from(fileOf("tools.json").toString());

interface Row {
  code: string;
  /** Whether Espruino gives what JavaScript gives. */
  runs: boolean;
}
/** At noon. */
const wednesday = "new Date(2026, 11, 2, 12)";
const rows: Row[] = await Bun.file(fixture("espruino.json")).json();

describe("the subset", () => {
  test.each(scripts)("%s keeps to it, as written and minified", async (name) => {
    const code = fileOf(name).toString();
    expect(outsideSubset(code)).toEqual([]);
    expect(outsideSubset(await minify(code))).toEqual([]);
  });

  test.each(rows.map((row) => [row.code, row.runs] as const))("%s: accepted %p", (code, runs) => {
    expect(outsideSubset(code).length === 0).toBe(runs);
  });
});

test("the library is at most 6 KB minified, of ASCII", async () => {
  const code = await minify(library);
  expect(code.length).toBeLessThanOrEqual(6144);
  expect(code).toMatch(/^[\x20-\x7e\n]*$/);
});

test("the tools on the watch are those of tools.json, as thimble tools pack writes them", () => {
  expect(fileOf("thimble.tools.js").toString()).toBe(watchModule(packTools(tools)));
  expect(tools.warnings).toEqual([]);
});

describe("metadata.json by the loader's rules", () => {
  test("names, files and versions are as the loader wants them", () => {
    expect(metadata.shortName !== undefined || metadata.name.length <= 20).toBe(true);
    expect(metadata.supports).toEqual(["BANGLEJS2"]);
    expect(metadata.tags).toMatch(/^[a-z]+(,[a-z]+)*$/);
    for (const { name } of [...metadata.storage, ...metadata.data]) {
      expect(name.length).toBeLessThanOrEqual(28);
      expect(name).toStartWith(metadata.id);
      expect(name).not.toMatch(/[,;]/);
    }
    const urls = [metadata.icon, metadata.readme, ...metadata.storage.map(({ url }) => url)];
    for (const url of [...urls, ...metadata.screenshots.map(({ url }) => url)])
      expect(fileOf(url).length).toBeGreaterThan(0);
    const [version] = fileOf("ChangeLog").toString().trim().split("\n").slice(-1);
    expect(version).toStartWith(`${metadata.version}: `);
    expect(fileOf("app-icon.js").toString()).toMatch(
      /^require\("heatshrink"\)\.decompress\(atob\("[A-Za-z0-9+/=]+"\)\)\n?$/,
    );
    const png = fileOf(metadata.icon);
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([48, 48]);
  });

  test("every file of the folder is installed, or is a part of the loader's folder", () => {
    const urls = metadata.storage.map(({ url }) => url);
    expect(scripts.filter((name) => !urls.includes(name))).toEqual([]);
  });
});

/** A model of a few sentences: what matters here is what follows. */
const answers: Record<string, [name: string, args: Record<string, unknown>, decision?: string][]> = {
  "wake me at 7:15 tomorrow": [["set_alarm", { time: "7:15", date: "tomorrow" }]],
  "tea in ten minutes": [["set_timer", { duration: "ten minutes" }]],
  "tea in a while": [["set_timer", { duration: "a while" }]],
  "how many steps": [["get_steps", {}]],
  "record my way": [["record_gps", { state: "on" }]],
  "erase my notes": [["erase_notes", {}]],
  "buy milk": [["take_note", { text: "buy milk" }, "ask"]],
  "note and steps": [
    ["take_note", { text: "x" }],
    ["get_steps", {}],
  ],
  "note, steps and stopwatch": [
    ["take_note", { text: "x" }],
    ["get_steps", {}],
    ["stopwatch", { action: "read" }],
  ],
};
const model = {
  async call(request: string): Promise<CallResult> {
    const calls = (answers[request] ?? []).map(([name, args, decision = "act"]) => ({
      ...{ name, arguments: args, decision, confidence: 0.9, sources: {} },
      certainty: { name: { logProb: 0, margin: 9 }, call: { logProb: 0, margin: 9 }, runnerUp: null },
    }));
    return {
      ...{ calls, decision: calls[0]?.decision ?? "none", text: "", tokens: [], cutShort: false },
      timings: {
        promptTokens: 0,
        warmLayers: 0,
        answerTokens: 0,
        forcedTokens: 0,
        prefillMs: 0,
        decodeMs: 0,
        totalMs: 0,
      },
    } as unknown as CallResult;
  },
};

function scene(files?: Map<string, string>) {
  const world = new World();
  const bangle = new Bangle(world, files);
  const log: string[] = [];
  const answered: Answered[] = [];
  const found: Wearable[] = [];
  const companion = new Companion({
    model,
    clock: world,
    log: (line) => void log.push(line),
    onDevice: (device) => void found.push(device),
    onAnswer: (_, one) => void answered.push(one),
  });
  return { world, bangle, companion, log, answered, found };
}

describe("the app", () => {
  async function opened(files?: Map<string, string>) {
    const all = scene(files);
    all.companion.connect(overLines(all.bangle.connect()));
    all.bangle.run("thimble.app.js");
    await all.world.pass(3000);
    return all;
  }

  test("is found by the companion with its tools, and runs a typed request's call", async () => {
    const { world, bangle, found, log } = await opened();
    expect(found.map(({ name, hash }) => [name, hash])).toEqual([["Bangle.js 2", found[0].hash]]);
    expect(found[0].tools?.prompt).toBe(tools.prompt);
    bangle.type("tea in ten minutes");
    await world.pass(2000);
    expect(bangle.asked).toEqual([
      ["setAlarm", expect.any(String), { msg: "Timer", timer: 600_000, appid: "thimble", del: true }],
      ["reload"],
    ]);
    expect(bangle.prompt?.text).toBe("timer 10:00");
    bangle.answer("OK");
    await world.pass(10);
    expect(Object.keys(bangle.menu)).toEqual(["", "Ask", "Again"]);
    expect(log).toEqual([]);
  });

  test("runs several calls, and shows what each gave", async () => {
    const { world, bangle } = await opened();
    bangle.type("note and steps");
    await world.pass(2000);
    expect(bangle.prompt?.text).toBe("noted\n4321 steps");
    expect(bangle.files.get("thimble.notes")).toEndWith(" x\n");
  });

  test("says that no tool fits, and what went wrong", async () => {
    const { world, bangle } = await opened();
    bangle.type("sing");
    await world.pass(2000);
    expect(bangle.prompt?.text).toBe("No tool fits.");
    bangle.answer("OK");
    await world.pass(10);
    bangle.type("tea in a while");
    await world.pass(2000);
    expect(bangle.prompt?.text).toBe("set_timer: no length in: a while");
    expect(bangle.asked).toEqual([]);
  });

  test("asks before a tool of risk; no means that nothing runs", async () => {
    const { world, bangle, answered } = await opened();
    bangle.type("record my way");
    await world.pass(2000);
    expect(bangle.prompt).toEqual({ text: "record gps\non", buttons: ["Yes", "No"] });
    bangle.answer("No");
    await world.pass(2000);
    expect(answered[0].outcomes[0].outcome).toEqual({ ending: "refused", value: "declined" });
    expect(bangle.asked).toEqual([]);
    bangle.answer("OK");
    await world.pass(10);
    bangle.type("record my way");
    await world.pass(2000);
    bangle.answer("Yes");
    await world.pass(2000);
    expect(bangle.asked).toEqual([["setRecording", true]]);
  });

  test("what asks at once is asked one after another, and of what is taken back only the own prompt goes", async () => {
    const { world, bangle, found } = await opened();
    const [shown, waiting] = [new AbortController(), new AbortController()];
    const call = (name: string, args: Record<string, string>, signal?: AbortSignal) =>
      found[0].call({ name, arguments: args }, undefined, signal);
    const outcomes = Promise.all([
      call("record_gps", { state: "off" }, shown.signal),
      call("record_gps", { state: "on" }),
      call("erase_notes", {}, waiting.signal),
      found[0].ask("Tea?", ["Milk", "Lemon"]),
    ]);
    await world.pass(1000);
    expect(bangle.prompt?.text).toBe("record gps\noff");
    waiting.abort();
    await world.pass(1000);
    expect(bangle.prompt?.text).toBe("record gps\noff");
    shown.abort();
    await world.pass(1000);
    expect(bangle.prompt?.text).toBe("record gps\non");
    bangle.answer("Yes");
    await world.pass(1000);
    expect(bangle.asked).toEqual([["setRecording", true]]);
    expect(bangle.prompt?.text).toBe("Tea?");
    bangle.answer("Lemon");
    await world.pass(1000);
    const cancelled: Outcome = { ending: "refused", value: "cancelled" };
    expect(await outcomes).toEqual([cancelled, { ending: "done", value: "GPS recording on" }, cancelled, 1]);
    expect(bangle.prompt).toBeNull();
  });

  test("a question that another screen covered comes up again with the next", async () => {
    const { world, bangle, found } = await opened();
    const first = found[0].call({ name: "record_gps", arguments: { state: "off" } });
    await world.pass(1000);
    bangle.evaluate('E.showPrompt("covered", { buttons: { OK: 1 } })');
    expect(bangle.prompt?.text).toBe("covered");
    const second = found[0].call({ name: "record_gps", arguments: { state: "on" } });
    await world.pass(1000);
    expect(bangle.prompt?.text).toBe("record gps\noff");
    bangle.answer("No");
    await world.pass(1000);
    expect(bangle.prompt?.text).toBe("record gps\non");
    bangle.answer("Yes");
    await world.pass(1000);
    expect((await Promise.all([first, second])).map(({ ending }) => ending)).toEqual(["refused", "done"]);
  });

  test("texts are counted and cut by characters, not bytes", async () => {
    const { world, bangle, companion, found } = await opened();
    const called = (name: string, args: Record<string, string>) =>
      ended(world, found[0].call({ name, arguments: args }));
    const letters = (count: number) => "ж".repeat(count);
    expect(await called("take_note", { text: letters(200) })).toEqual({ ending: "done", value: "noted" });
    expect((await called("take_note", { text: letters(201) }))?.ending).toBe("refused");
    const outcome = await called("set_timer", { duration: `x${letters(500)}` });
    expect(outcome).toEqual({ ending: "failed", value: `no length in: x${letters(500)}`.slice(0, 400) });
    const requests: string[] = [];
    companion.options.onRequest = (_, text) => void requests.push(text);
    bangle.type(Buffer.from(`x${letters(201)}`).toString("latin1"));
    await world.pass(1000);
    expect(requests).toEqual([`x${letters(201)}`]);
  });

  test("is asked by the companion when the model is unsure", async () => {
    const { world, bangle } = await opened();
    bangle.type("buy milk");
    await world.pass(2000);
    expect(bangle.prompt).toEqual({ text: "take note buy milk", buttons: ["Yes", "No"] });
    bangle.answer("Yes");
    await world.pass(2000);
    expect(bangle.prompt?.text).toBe("noted");
  });

  test("gives up after 30 seconds without an answer, and takes the request back", async () => {
    const { world, bangle, companion } = await opened();
    let aborted = false;
    companion.options.model = {
      call: (_request, _tools, options) =>
        new Promise((_, reject) => {
          options?.signal?.addEventListener("abort", () => {
            aborted = true;
            reject(options.signal?.reason);
          });
        }),
    };
    bangle.type("how many steps");
    await world.pass(31_000);
    expect(bangle.prompt?.text).toBe("No answer.");
    expect(aborted).toBe(true);
  });

  test("a request whose connection broke goes on when it is back", async () => {
    const { world, bangle, companion } = await opened();
    companion.options.model = {
      async call(request) {
        await new Promise<void>((resolve) => void world.set(resolve, 2000));
        return model.call(request);
      },
    };
    bangle.type("how many steps");
    await world.pass(1000);
    bangle.disconnect();
    await world.pass(5000);
    expect(bangle.message).toBe("how many steps\n...");
    companion.connect(overLines(bangle.connect()));
    await world.pass(5000);
    expect(bangle.prompt?.text).toBe("4321 steps");
  });

  test("through Gadgetbridge: a typed request goes out as intents, its call comes back as lines, also while no app runs", async () => {
    const { world, bangle, companion, found, answered, log } = scene();
    const phone = new Gadgetbridge(bangle);
    companion.connect(gadgetbridgePipe(phone));
    bangle.run("thimble.app.js");
    await world.pass(8000);
    bangle.type("how many steps");
    await world.pass(3000);
    expect(bangle.prompt?.text).toBe("4321 steps");
    expect(answered.length).toBe(1);
    expect([phone.dropped, log]).toEqual([[], []]);

    const other = scene();
    other.companion.connect(gadgetbridgePipe(new Gadgetbridge(other.bangle)));
    await other.world.pass(8000);
    expect(await ended(other.world, other.found[0].call({ name: "get_steps", arguments: {} }))).toEqual({
      ending: "done",
      value: "4321 steps",
    });
    expect(other.bangle.asked).toEqual([["buzz", 80]]);
    expect(found.length).toBe(1);
  });

  test("where Gadgetbridge is not allowed intents nothing arrives, and the app says that there is no phone", async () => {
    const { world, bangle, companion, found } = scene();
    companion.connect(gadgetbridgePipe(new Gadgetbridge(bangle, false)));
    bangle.run("thimble.app.js");
    await world.pass(8000);
    bangle.type("how many steps");
    await world.pass(100);
    expect([bangle.prompt?.text, found]).toEqual(["No phone, and not learned yet.", []]);
  });

  test("after Gadgetbridge a companion that connects itself is answered in short lines, and the other way round", async () => {
    const { world, bangle, companion, found } = scene();
    companion.connect(gadgetbridgePipe(new Gadgetbridge(bangle)));
    await world.pass(8000);
    for (const direct of [true, false]) {
      bangle.disconnect();
      const phone = direct ? null : new Gadgetbridge(bangle);
      companion.connect(phone ? gadgetbridgePipe(phone) : overLines(bangle.connect()));
      await world.pass(40_000);
      const outcome = await ended(world, found[0].call({ name: "get_steps", arguments: {} }));
      expect(outcome).toEqual({ ending: "done", value: "4321 steps" });
      expect(bangle.printed.at(-1)).toStartWith(direct ? '{"t":"thimble"' : '{"t":"intent"');
      // A new connection begins with what either can read.
      expect(phone?.dropped ?? []).toEqual([]);
    }
    expect(found.length).toBe(1);
  });

  /** What came of work, after a second of the world. */
  async function ended<T>(world: World, work: Promise<T>): Promise<T | undefined> {
    let value: T | undefined;
    void work.then((settled) => {
      value = settled;
    });
    await world.pass(1000);
    return value;
  }
});

describe("what the watch has learned", () => {
  const learning = () => new Map([["thimble.json", '{"learn":true}']]);

  async function taught(request: string, files = learning()) {
    const all = scene(files);
    all.companion.connect(overLines(all.bangle.connect()));
    all.bangle.run("thimble.app.js");
    await all.world.pass(3000);
    all.bangle.type(request);
    await all.world.pass(2000);
    return all;
  }

  test("runs without the phone, by the request's words alone", async () => {
    const { world, bangle } = await taught("how many steps");
    expect(bangle.prompt).toEqual({ text: "4321 steps\nRight?", buttons: ["Yes", "No"] });
    bangle.answer("Yes");
    await world.pass(10);
    bangle.disconnect();
    bangle.type("How many  steps, please!");
    await world.pass(10);
    expect(bangle.prompt?.text).toBe("4321 steps");
    bangle.answer("OK");
    await world.pass(10);
    bangle.type("tea in ten minutes");
    await world.pass(10);
    expect(bangle.prompt?.text).toBe("No phone, and not learned yet.");
  });

  test("is asked about where the tool has a risk, and is never of danger", async () => {
    const { world, bangle } = await taught("record my way");
    bangle.answer("Yes");
    await world.pass(2000);
    bangle.answer("Yes");
    await world.pass(10);
    bangle.disconnect();
    bangle.type("record my way");
    await world.pass(10);
    expect(bangle.prompt?.text).toBe("record gps\non");

    const other = await taught("erase my notes");
    other.bangle.answer("Yes");
    await other.world.pass(2000);
    other.bangle.answer("Yes");
    await other.world.pass(10);
    expect(other.bangle.files.has("thimble.learned.json")).toBe(false);
  });

  test("is kept only where the wearer has chosen so, and said that it was right", async () => {
    const off = await taught("how many steps", new Map());
    expect(off.bangle.prompt).toEqual({ text: "4321 steps", buttons: ["OK"] });
    const no = await taught("how many steps");
    no.bangle.answer("No");
    await no.world.pass(10);
    expect(no.bangle.files.has("thimble.learned.json")).toBe(false);
  });

  test.each(["note and steps", "note, steps and stopwatch"])(
    "is no part of a request of several calls: %s",
    async (request) => {
      const { world, bangle } = await taught(request);
      await world.pass(1000);
      expect(bangle.prompt?.buttons).toEqual(["OK"]);
    },
  );

  test("stands with the most used first, at most 40, of these tools alone, and can be erased", async () => {
    const { bangle } = scene(learning());
    const watch = 'require("thimble.watch")';
    for (let i = 0; i < 45; i++) bangle.evaluate(`${watch}.learn("request ${i}", [4])`);
    for (let i = 0; i < 3; i++) bangle.evaluate(`${watch}.recall("request 44")`);
    const kept = bangle.evaluate(`${watch}.learned()`) as unknown[];
    expect(kept.length).toBe(40);
    expect(JSON.stringify(kept[0])).toBe('["request 44",[4],4]');
    expect(bangle.evaluate(`${watch}.learn("erase", [11])`)).toBe(false);
    bangle.files.set("thimble.learned.json", JSON.stringify({ hash: "0", calls: kept }));
    expect(bangle.evaluate(`${watch}.learned().length`)).toBe(0);
    bangle.run("thimble.settings.js");
    bangle.evaluate(`(${codeFiles.get("thimble.settings.js")?.replace(/;\s*$/, "")})(function () {})`);
    bangle.choose("Forget all");
    bangle.answer("Yes");
    await null;
    await null;
    expect(bangle.files.has("thimble.learned.json")).toBe(false);
  });
});

describe("the watch's own tools", () => {
  const cases: [string, string, unknown, unknown[][]][] = [
    ["find_phone", "{}", "no phone", []],
    ["set_brightness", "{percent:30}", "brightness 30%", [["setLCDBrightness", 0.3]]],
    ["get_steps", "{}", "4321 steps", []],
    ["stopwatch", '{action:"read"}', "stopwatch 0:00", []],
    ["control_music", '{action:"louder"}', "no phone", []],
  ];
  test.each(cases)("%s %s: %s", (name, args, value, asked) => {
    const { bangle } = scene();
    let got: unknown;
    try {
      got = bangle.evaluate(`require("thimble.actions").${name}(${args})`);
    } catch (error) {
      got = (error as Error).message;
    }
    expect(got).toEqual(value);
    expect(bangle.asked).toEqual(asked);
  });

  test("what needs the phone is said to it", async () => {
    const { bangle } = scene();
    const { dropped } = new Gadgetbridge(bangle);
    for (const code of ["find_phone({})", 'control_music({action:"louder"})', 'control_music({action:"next"})']) {
      bangle.evaluate(`require("thimble.actions").${code}`);
      await null;
    }
    expect(bangle.asked).toEqual([
      ["phone", { t: "findPhone", n: true }],
      ["phone", { t: "music", n: "volumeup" }],
      ["phone", { t: "music", n: "next" }],
    ]);
    // Each reached Gadgetbridge as a line of its own, whatever the interpreter had printed before.
    expect(dropped.map((line) => JSON.parse(line).t)).toEqual(["findPhone", "music", "music"]);
  });

  test("the heart rate is measured until it is sure, or for 40 seconds", async () => {
    const { bangle, world } = scene();
    const measured = bangle.evaluate('require("thimble.actions").get_heart_rate({})') as Promise<string>;
    bangle.emit("HRM", { bpm: 50, confidence: 20 });
    bangle.emit("HRM", { bpm: 71, confidence: 90 });
    expect(await measured).toBe("71 beats a minute");
    const failed = (bangle.evaluate('require("thimble.actions").get_heart_rate({})') as Promise<string>).catch(
      ({ message }) => message,
    );
    await world.pass(41_000);
    expect(await failed).toBe("no pulse found");
    expect(bangle.asked.filter(([name]) => name === "setHRMPower").map(([, on]) => on)).toEqual([1, 0, 1, 0]);
  });

  const clock = (ms: number) => `${Math.floor(ms / 3_600_000)}:${(ms / 60_000) % 60}`;
  const spoken = (code: string) => scene().bangle.evaluate(`require("thimble.spoken").${code}`) as number;

  test.each([
    ["10 minutes", 10],
    ["an hour and a half", 90],
    ["half an hour", 30],
    ["1h 30min", 90],
    ["a quarter of an hour", 15],
    ["two and a half hours", 150],
    ["90 seconds", 1.5],
    ["twenty five minutes", 25],
    ["twenty-five minutes", 25],
    ["10min", 10],
    ["5", 5],
    ["1.5 hours", 90],
    ["seventy five minutes", 75],
    ["sixteen minutes", 16],
    ["a hundred and twenty seconds", 2],
    ["one hundred twenty seconds", 2],
    ["three quarters of an hour", 45],
    ["two and three quarter hours", 165],
    ["a couple of minutes", 2],
    ["two hours thirty", 150],
    ["1h30", 90],
    ["1:30", 1.5],
    ["1:30:00", 90],
    ["one and one half hours", 90],
    ["3 quarters of an hour", 45],
    ["2 1/2 hours", 150],
    ["minute and a half", 1.5],
    ["ten minutes from now", 10],
  ])("a length: %s is %p minutes", (text, minutes) => {
    expect(spoken(`duration(${JSON.stringify(text)})`) / 60_000).toBe(minutes);
  });

  test.each([
    ["7 am", "7:0"],
    ["7:15", "7:15"],
    ["19:30", "19:30"],
    ["half past seven pm", "19:30"],
    ["quarter to 8", "7:45"],
    ["noon", "12:0"],
    ["midnight", "0:0"],
    ["7 p.m.", "19:0"],
    ["seven thirty", "7:30"],
    ["seven thirty five", "7:35"],
    ["10 o'clock tonight", "22:0"],
    ["twenty past six", "6:20"],
    ["12 am", "0:0"],
    ["0730", "7:30"],
    ["7.15", "7:15"],
    ["twenty five past six tomorrow", "6:25"],
    ["ten minutes to seven", "6:50"],
    ["seven sixteen", "7:16"],
    ["six eighteen pm", "18:18"],
    ["seven oh five", "7:5"],
    ["twenty thirty", "20:30"],
    ["twenty one fifteen", "21:15"],
    ["20:05", "20:5"],
    ["nineteen hundred hours", "19:0"],
    ["half seven", "7:30"],
    ["10 at night", "22:0"],
    ["2 at night", "2:0"],
    ["12 midnight", "0:0"],
    ["quarter to midnight", "23:45"],
    ["12 noon", "12:0"],
    ["quarter of nine", "8:45"],
    ["seven o\u2019clock", "7:0"],
    ["0015", "0:15"],
    ["quarter to twelve in the morning", "11:45"],
    ["half past midnight", "0:30"],
  ])("a time: %s is %s", (text, time) => {
    expect(clock(spoken(`when(${JSON.stringify(text)}, "", ${wednesday}).ms`))).toBe(time);
  });

  test.each([
    ["7", "tomorrow morning", "7:0", 1],
    ["8", "tonight", "20:0", 0],
    ["7", "the day after tomorrow", "7:0", 2],
    ["7", "in two days", "7:0", 2],
    ["7", "wednesday", "7:0", 7],
    ["9 pm", "this wednesday", "21:0", 0],
    ["12:30", "wednesday night", "0:30", 1],
    ["12:30", "tonight", "0:30", 0],
    ["9 on friday", "", "9:0", 2],
    ["11", "friday night", "23:0", 2],
    ["12:30", "friday night", "0:30", 3],
    ["midnight", "tomorrow", "0:0", 2],
  ])("on a Wednesday %s, %s is %s in %p days", (time, day, at, days) => {
    const { ms, days: got } = scene().bangle.evaluate(
      `require("thimble.spoken").when(${JSON.stringify(time)}, ${JSON.stringify(day)}, ${wednesday})`,
    ) as { ms: number; days: number };
    expect([clock(ms), got]).toEqual([at, days]);
  });

  test("what is not understood whole is refused: no alarm rings at another time", () => {
    const lengths =
      "soon,,minutes,ten fifteen minutes,4 eggs,sixty umpteen minutes,until noon,half,-5 minutes,5-10 minutes,5 and 10 minutes";
    for (const text of [...lengths.split(","), "1,000 seconds", "1½ hours"])
      expect(() => spoken(`duration("${text}")`), text).toThrow(/^no length in: /);
    const times =
      "later,27:00,7:75,in ten minutes,in 120 minutes,5th of december at 7,7 8 9,sunset,7 to 8,7-8,21 at 9,before 7:15,quarter nine,15:00 am,two hours before noon,1.5";
    for (const text of times.split(","))
      expect(() => spoken(`when("${text}", "", ${wednesday})`), text).toThrow(/^no time in: /);
    const days = "december 5,friday in two weeks,monday wednesday,saturday 21,two days from friday,-1 days,2026-12-05";
    for (const day of days.split(","))
      expect(() => spoken(`when("7", "${day}", ${wednesday})`), day).toThrow(/^no (day|time) in: /);
    expect(() => spoken(`when("7 pm", "tomorrow morning", ${wednesday})`)).toThrow(/^no time in: /);
  });

  test("an alarm in some time is a timer; today's is not tomorrow's", () => {
    const alarm = (args: object) =>
      scene().bangle.evaluate(`require("thimble.actions").set_alarm(${JSON.stringify(args)})`);
    expect(alarm({ time: "in 120 minutes" })).toBe("timer 2:00:00");
    expect(alarm({ time: "in the morning at 7" })).toMatch(/^alarm 7:00/);
    expect(alarm({ time: "0:00" })).toBe("alarm 0:00 tomorrow");
    for (const [time, day] of ["11,today", "7,this morning", "3 this morning,", "11:59,"].map((one) => one.split(",")))
      if (day || /this/.test(time))
        expect(() => spoken(`when("${time}", "${day}", ${wednesday})`), time).toThrow(`passed: ${time}`);
      else expect(spoken(`when("${time}", "${day}", ${wednesday}).ms`)).toBe((11 * 60 + 59) * 60_000);
  });
});

const emulatorFolder = process.env.BANGLE_EMULATOR;
if (!emulatorFolder)
  console.warn("skipped: the app in the real firmware: BANGLE_EMULATOR names no folder with emulator_banglejs2.js");

describe.skipIf(!emulatorFolder)("in the Bangle.js 2 firmware, emulated", () => {
  let emulator: Emulator;
  const used = async () => (await emulator.value("process.memory().usage")) as number;
  /** What a wearer sees, noted while the real screens are drawn. */
  const watching = `
    var menuNow, promptNow, answerNow, typed, asked = [];
    var showMenu = E.showMenu, showPrompt = E.showPrompt;
    E.showMenu = function (m) { menuNow = m; return showMenu(m); };
    E.showPrompt = function (t, o) {
      if (!t) return showPrompt();
      promptNow = t; showPrompt(t, o);
      return new Promise(function (r) { answerNow = function (b) { r(o.buttons[b]); }; });
    };
    NRF.getSecurityStatus = function () { return { connected: true }; };
    Bluetooth = { println: function (s) { print(s); } };
    Modules.addCached("textinput", function () { exports.input = function () { return Promise.resolve(typed); }; });
    Modules.addCached("sched", function () {
      exports.setAlarm = function (id, alarm) { asked.push(alarm.timer || alarm.t); };
      exports.reload = function () {};
    });`;

  beforeAll(async () => {
    emulator = await Emulator.start(emulatorFolder as string);
    const files: Record<string, string> = {};
    for (const [name, code] of codeFiles) if (name !== "thimble.img") files[name] = await minify(code);
    files["thimble.stubs"] = watching;
    files["thimble.json"] = '{"learn":true}';
    await emulator.tell({ files });
    await emulator.tell({ say: 'eval(require("Storage").read("thimble.stubs"))' });
  }, 60_000);
  afterAll(() => emulator?.stop());

  test("the table of the subset says what the firmware does", async () => {
    const differ: string[] = [];
    for (const { code, runs } of rows) {
      if (/for\(;;\)/.test(code)) continue;
      let want: unknown;
      try {
        want = String(new Function(`return eval(${JSON.stringify(code)})`)());
      } catch (error) {
        want = `${error}`;
      }
      const { lines } = await emulator.tell({
        say: `try{print("@@"+eval(${JSON.stringify(code)}))}catch(e){print("@@error")}`,
      });
      const got = lines.find((line) => line.startsWith("@@"))?.slice(2);
      if ((got === want) !== runs) differ.push(`${code}: ${got}, JavaScript ${want}`);
    }
    expect(differ).toEqual([]);
  }, 60_000);

  test("lengths and times are understood as JavaScript does", async () => {
    const lengths = "an hour and a half|one hundred twenty seconds|2 1/2 hours|1h 30|1:30|half|4 eggs";
    const times =
      "half past seven pm|0730|twenty five past six on friday|7 to 8|12:30 friday night|quarter of nine|noon|7 p.m. the day after tomorrow|half past a";
    const codes = [
      ...lengths.split("|").map((text) => `duration(${JSON.stringify(text)})`),
      ...times.split("|").map((text) => `when(${JSON.stringify(text)},"",${wednesday})`),
    ];
    for (const code of codes) {
      const say = `try{print("@@"+JSON.stringify(require("thimble.spoken").${code}))}catch(e){print("@@"+e.message)}`;
      const { lines } = await emulator.tell({ say, waitMs: 100 });
      let want: string;
      try {
        want = JSON.stringify(scene().bangle.evaluate(`require("thimble.spoken").${code}`));
      } catch (error) {
        want = (error as Error).message;
      }
      expect(lines.find((line) => line.startsWith("@@"))?.slice(2), code).toBe(want);
    }
  }, 60_000);

  test("with twelve tools registered the bus takes at most 1,500 JsVars; what comes and goes leaves none behind", async () => {
    const before = await used();
    await emulator.tell({ say: 'eval(require("Storage").read("thimble.boot.js"))' });
    expect((await used()) - before).toBeLessThan(60);
    await emulator.tell({ say: 'var bus=require("thimble.watch").bus()', waitMs: 100 });
    const loaded = (await used()) - before;
    console.log(`JsVars: ${loaded} with the bus and twelve tools`);
    expect(loaded).toBeLessThanOrEqual(1500);
  }, 60_000);

  test("a typed request goes to the companion, its call is run, and a second one leaves the memory as it was", async () => {
    let isOver = false;
    let written = "";
    let take: (bytes: Uint8Array) => void = () => {};
    const pipe: Pipe = {
      mtu: 128,
      send: (bytes) => {
        written += Buffer.from(bytes).toString("latin1");
      },
      receive: (taker) => {
        take = taker;
      },
    };
    const tell = async (say?: string, waitMs = 30) => {
      const { lines } = await emulator.tell({ ...(say && { say }), waitMs });
      for (const line of lines) take(Buffer.from(`${line}\n`, "latin1"));
    };
    const turn = async () => {
      const lines = written.split("\n");
      written = lines.pop() as string;
      for (const line of lines) await tell(line.replace("\x10", ""));
      await tell();
    };
    const answered: Answered[] = [];
    const found: Wearable[] = [];
    const errors: string[] = [];
    const companion = new Companion({
      model,
      onDevice: (device) => void found.push(device),
      onAnswer: (_, one) => void answered.push(one),
      onError: (_, code, text) => void errors.push(`${code}: ${text}`),
    });
    companion.connect(overLines(pipe));
    const until = async (reached: () => boolean | Promise<boolean>, what: string) => {
      for (let i = 0; i < 200; i++) {
        if (await reached()) return;
        await turn();
      }
      throw new Error(`expected ${what}; ${errors}`);
    };
    const prompt = async () => String(await emulator.value("promptNow"));
    const ask = async (request: string) => {
      await tell(`typed=${JSON.stringify(request)};promptNow=undefined;menuNow["Ask"]()`);
    };
    try {
      await tell('eval(require("Storage").read("thimble.app.js"))', 200);
      await until(() => found.length > 0, "the device");
      expect(found[0].tools?.prompt).toBe(tools.prompt);
      const usage: number[] = [];
      for (let run = 0; run < 3; run++) {
        await ask("tea in ten minutes");
        await until(async () => (await prompt()).includes("Right?"), "an answer");
        expect(await prompt()).toBe("timer 10:00\nRight?");
        await tell('answerNow("No")', 300);
        await turn();
        await emulator.tell({ say: "asked=[]" });
        usage.push(await used());
      }
      console.log(`JsVars after each request: ${usage}`);
      expect(usage[2]).toBe(usage[1]);

      await ask("record my way");
      await until(async () => (await prompt()) === "record gps\non", "a question");
      const { screen } = await emulator.tell({ screen: true });
      if (process.env.THIMBLE_WRITE) await Bun.write(new URL("screenshot.png", folder), png(screen as string));
      await tell('answerNow("No")', 300);
      await until(() => answered.length === 4, "its result");
      expect(answered[3].outcomes[0].outcome).toEqual({ ending: "refused", value: "declined" });

      await until(async () => (await prompt()) === "record_gps: declined", "what came of it");
      await tell('answerNow("OK")', 300);
      const ends: unknown[] = [];
      const call = (name: string, args: Record<string, string>) =>
        found[0].call({ name, arguments: args }).then(({ ending, value }) => ends.push([ending, value]));
      for (const state of ["on", "off"]) void call("record_gps", { state });
      for (const state of ["on", "off"]) {
        await until(async () => (await prompt()) === `record gps\n${state}`, `a question of ${state}`);
        await tell('answerNow("No")', 300);
      }
      const letters = "ж".repeat(500);
      void call("set_timer", { duration: letters });
      void call("take_note", { text: letters.slice(0, 200) });
      await until(() => ends.length === 4, "four results");
      expect(ends).toEqual([
        ["refused", "declined"],
        ["refused", "declined"],
        ["failed", `no length in: ${letters}`.slice(0, 400)],
        ["done", "noted"],
      ]);
      expect(await used()).toBeLessThan(3000);
      expect(errors).toEqual([]);
    } finally {
      isOver = true;
      for (const device of [...companion.devices]) companion.lose(device, "over");
    }
    expect(isOver).toBe(true);
  }, 120_000);
});

/** The screen's bytes as a picture. */
function png(rgba: string): Buffer {
  const side = 176;
  const pixels = Buffer.from(rgba, "base64");
  const rows = Buffer.concat(
    Array.from({ length: side }, (_, y) =>
      Buffer.concat([Buffer.from([0]), pixels.subarray(y * side * 4, (y + 1) * side * 4)]),
    ),
  );
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
