/** The companion: several devices, decisions, what bad input does to it, its pipes, and the command that serves them. */
import { afterAll, describe, expect, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import {
  type BluetoothDeviceLike,
  Companion,
  connect,
  connectBluetooth,
  Device,
  overLines,
  type Pipe,
  socketPipe,
} from "../runtime/companion.ts";
import type { CallResult } from "../runtime/session.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import { DeviceLink } from "../runtime/wear/devicelink.ts";
import { kind, tailOf, writeFrame, writeOpening } from "../runtime/wear/frame.ts";
import { endings, MessageReader, says, writeMessage } from "../runtime/wear/message.ts";
import type { Outcome, Wearable } from "../runtime/wear/wearable.ts";
import { hashTools } from "../runtime/wire/hash.ts";
import { packTools } from "../runtime/wire/wire.ts";
import { serveSockets } from "../tools/companion/websocket.ts";
import { seeded } from "./support.ts";
import { startWatch } from "./wear/watch.ts";
import { pipeOf, World } from "./wear/world.ts";

const tools = ToolSet.from([
  { name: "safe", description: "Do it.", parameters: { n: { type: "integer" } } },
  { name: "risky", description: "Do it.", risk: "confirm", parameters: {} },
  { name: "dangerous", description: "Do it.", risk: "danger", parameters: {} },
]);
const calm = { lose: 0, repeat: 0, reorder: 0, flip: 0, mtu: 128, breakAfter: Number.POSITIVE_INFINITY };

function resultOf(calls: [name: string, args?: Record<string, unknown>][], decision: string): CallResult {
  const certainty = { name: { logProb: 0, margin: 9 }, call: { logProb: 0, margin: 9 }, runnerUp: null };
  return {
    calls: calls.map(([name, args = {}]) => ({
      ...{ name, arguments: args, decision, certainty, sources: {} },
      confidence: 0.9,
    })),
    ...{ decision, text: "", tokens: [], cutShort: false },
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
}

describe("a companion", () => {
  test("serves several devices at once, and asks for equal tools once", async () => {
    const world = new World();
    const ran: string[] = [];
    let toolsSent = 0;
    const companion = new Companion({
      clock: world,
      model: { call: async () => resultOf([["safe", { n: 1 }]], "act") },
    });
    const devices = ["left", "right", "watch"].map((name) => {
      const device = new Device({ name, tools, clock: world, run: { safe: () => void ran.push(name) } });
      const send = device.link.send.bind(device.link);
      device.link.send = (bytes, always) => {
        if (bytes[1] === says.tools) toolsSent++;
        return send(bytes, always);
      };
      const { ends } = pipeOf(world, Math.random, calm);
      companion.connect(ends[0]);
      device.link.attach(ends[1]);
      return device;
    });
    await world.pass(1000);
    const other = new Device({ name: "late", tools, clock: world, run: { safe: () => void ran.push("late") } });
    const { ends } = pipeOf(world, Math.random, calm);
    companion.connect(ends[0]);
    other.link.attach(ends[1]);
    await world.pass(1000);
    expect([...companion.devices].map(({ name }) => name).sort()).toEqual(["late", "left", "right", "watch"]);
    expect(toolsSent).toBe(3);
    for (const device of [...devices, other]) device.request("go");
    await world.pass(1000);
    expect(ran.sort()).toEqual(["late", "left", "right", "watch"]);
  });

  test.each([
    ["safe", "act", 0, 0],
    ["safe", "confirm", 0, 1],
    ["safe", "ask", 1, 0],
    ["risky", "act", 0, 1],
    ["risky", "confirm", 0, 1],
    ["risky", "ask", 1, 0],
    ["dangerous", "act", 0, 1],
    ["dangerous", "confirm", 0, 1],
    ["dangerous", "ask", 0, 1],
  ])(
    "%s, %s: the wearer is asked %p times to choose and %p times to confirm",
    async (name, decision, chosen, confirmed) => {
      const world = new World();
      const seen = { ran: 0, chosen: 0, confirmed: 0 };
      const device = new Device({
        name: "d",
        tools,
        clock: world,
        run: { safe: () => void seen.ran++, risky: () => void seen.ran++, dangerous: () => void seen.ran++ },
        confirm: async () => seen.confirmed++ >= 0,
        choose: async () => seen.chosen++,
      });
      const companion = new Companion({ clock: world, model: { call: async () => resultOf([[name]], decision) } });
      const { ends } = pipeOf(world, Math.random, calm);
      companion.connect(ends[0]);
      device.link.attach(ends[1]);
      await world.pass(1000);
      device.request("go");
      await world.pass(1000);
      expect(seen).toEqual({ ran: 1, chosen, confirmed });
    },
  );

  test("that approves for the user asks there instead, and the device only before danger", async () => {
    const world = new World();
    const asked: string[] = [];
    const device = new Device({
      name: "d",
      tools,
      clock: world,
      run: { safe: () => {}, risky: () => {}, dangerous: () => {} },
      confirm: async ({ name }) => asked.push(`device ${name}`) > 0,
    });
    let answer = true;
    const outcomes: Outcome[] = [];
    const companion = new Companion({
      clock: world,
      model: { call: async () => resultOf([["risky"], ["dangerous"], ["safe"]], "act") },
      approve: async (_, { name }) => asked.push(`user ${name}`) > 0 && answer,
      onAnswer: (_, answered) => void outcomes.push(...answered.outcomes.map(({ outcome }) => outcome)),
    });
    const { ends } = pipeOf(world, Math.random, calm);
    companion.connect(ends[0]);
    device.link.attach(ends[1]);
    await world.pass(1000);
    device.request("go");
    await world.pass(1000);
    expect(asked).toEqual(["user risky", "user dangerous", "device dangerous"]);
    expect(outcomes.map(({ ending }) => ending)).toEqual(["done", "done", "done"]);
    answer = false;
    device.request("go");
    await world.pass(1000);
    expect(outcomes.slice(3)).toEqual([{ ending: "refused", value: "declined" }]);
  });

  test("keeps what a device tells of its surroundings, bounded", async () => {
    const world = new World();
    const device = new Device({ name: "d", tools, clock: world, run: {} });
    const companion = new Companion({ clock: world });
    const { ends } = pipeOf(world, Math.random, calm);
    companion.connect(ends[0]);
    device.link.attach(ends[1]);
    await world.pass(1000);
    device.tell({ here: "Bern", now: 1795747200 });
    device.tell(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, "x".repeat(30)])));
    await world.pass(5000);
    const [wearable] = companion.devices;
    expect(wearable.facts.get("here")).toBe("Bern");
    expect(wearable.facts.size).toBe(16);
    device.tell({ here: null, now: " " });
    await world.pass(1000);
    expect(wearable.facts.has("here")).toBe(false);
    expect(wearable.facts.has("now")).toBe(false);
  });

  test("puts facts that a device tells where its requests point at them, as values alone", async () => {
    const world = new World();
    const told: Record<string, unknown>[] = [];
    const from = { from: "request", grounded: true, start: 0, end: 4 };
    const companion = new Companion({
      clock: world,
      model: {
        call: async (request) => {
          const result = resultOf([["note", { text: request }]], "act");
          result.calls[0].sources = { text: { ...from, end: request.length } } as never;
          return result;
        },
      },
    });
    const device = new Device({
      ...{ name: "watch", clock: world, random: Math.random },
      tools: ToolSet.from([{ name: "note", parameters: { text: { type: "string" } } }]),
      run: { note: (args) => void told.push(args) },
    });
    const { ends } = pipeOf(world, Math.random, calm);
    companion.connect(ends[0]);
    device.link.attach(ends[1]);
    await world.pass(3000);
    device.tell({ here: "Oslo" });
    for (const text of ["here", "so here we are", "there"]) device.request(text);
    await world.pass(3000);
    device.tell({ here: null });
    device.request("here");
    await world.pass(3000);
    expect(told.map(({ text }) => text)).toEqual(["Oslo", "so here we are", "there", "here"]);
  });

  test("gives the one device of a pipe with connect(pipe)", async () => {
    const world = new World();
    const device = new Device({ name: "d", tools, clock: world, run: { safe: ({ n }) => Number(n) + 1 } });
    const { ends } = pipeOf(world, Math.random, calm);
    device.link.attach(ends[1]);
    const connected = connect(ends[0], { clock: world });
    await world.pass(1000);
    const wearable = await connected;
    const outcome = wearable.call({ name: "safe", arguments: { n: 4 } });
    await world.pass(1000);
    expect(await outcome).toEqual({ ending: "done", value: 5 });
  });

  test("asks a question that is too long by its first 400 characters", async () => {
    const world = new World();
    const asked: string[] = [];
    const device = new Device({
      ...{ name: "d", tools, clock: world, run: {} },
      choose: async (text) => asked.push(text) - 1,
    });
    const companion = new Companion({ clock: world });
    const { ends } = pipeOf(world, Math.random, calm);
    companion.connect(ends[0]);
    device.link.attach(ends[1]);
    await world.pass(1000);
    const place = [...companion.devices][0].ask("x".repeat(401), ["Yes", "No"]);
    await world.pass(1000);
    expect([await place, asked]).toEqual([0, ["x".repeat(400)]]);
  });

  test("connect(pipe) says that the pipe closed before there was a device", async () => {
    const closing = (reason?: Error): Pipe => ({
      send: () => {},
      receive: (_, closed) => void setTimeout(closed, 1, reason),
    });
    expect(connect(closing(new Error("refused")))).rejects.toThrow("refused");
    expect(connect(closing())).rejects.toThrow("got a pipe that closed before its tools were known");
    await Bun.sleep(20);
  });
});

/** A device that says what it wants: the link is right, the messages are the test's. */
function liar(companion: Companion, world: World) {
  const heard: unknown[][] = [];
  const link = new DeviceLink(
    { payload: 255, window: 4, limit: 1 << 16 },
    {
      began: () => {},
      lost: () => {},
      delivered: () => {},
      overlong: () => {},
      message: (bytes) => {
        const message = new MessageReader(bytes);
        heard.push([message.kind, ...message.rest("message")]);
      },
    },
    world,
    Math.random,
  );
  const { ends } = pipeOf(world, Math.random, { ...calm, mtu: 262 });
  companion.connect(ends[0]);
  link.attach(ends[1]);
  return { link, heard, pipe: ends[1] };
}

describe("bad input gets an error on the bus, is logged once, and never ends the companion", () => {
  const hash = hashTools(packTools(tools));
  const hello = writeMessage(says.hello, 1, "liar", hash, 4);
  const cases: [string, Uint8Array[], string, RegExp][] = [
    [
      "a foreign tool hash",
      [writeMessage(says.hello, 1, "liar", "0123456789abcdef", 4), writeMessage(says.tools, packTools(tools))],
      "tools",
      /expected the tools named 0123456789abcdef, got [0-9a-f]{16}; pack the tools again/,
    ],
    [
      "tools that are none",
      [
        writeMessage(says.hello, 1, "liar", hashTools(Uint8Array.of(0x91, 1)), 4),
        writeMessage(says.tools, Uint8Array.of(0x91, 1)),
      ],
      "tools",
      /version: expected 1/,
    ],
    [
      "a result of no call",
      [hello, writeMessage(says.result, 77, 0, "x")],
      "call",
      /expected a call under way, got 77/,
    ],
    [
      "an answer to no question",
      [hello, writeMessage(says.answer, 78, 0)],
      "ask",
      /expected a question that was asked, got 78/,
    ],
    [
      "a version that is not the link's",
      [writeMessage(says.hello, 9, "liar", hash, 4)],
      "version",
      /expected 1, got 9; update/,
    ],
    ["no msgpack", [hello, Uint8Array.of(0xc1, 0xff)], "message", /list: expected a list in msgpack/],
    ["a map", [hello, Uint8Array.of(0x81, 1, 2)], "message", /expected a list/],
    ["a request that is a number", [hello, writeMessage(says.request, 1, 5)], "message", /request.text: expected text/],
    [
      "a request of 401 characters",
      [hello, writeMessage(says.request, 1, "x".repeat(401))],
      "message",
      /at most 400 characters/,
    ],
    [
      "an ending that is none",
      [hello, writeMessage(says.result, 1, 9)],
      "message",
      /result.ending: expected a whole number up to 2/,
    ],
    [
      "a request before its tools are known",
      [writeMessage(says.request, 1, "go")],
      "request",
      /expected a device whose tools are known/,
    ],
  ];
  test.each(cases)("%s", async (_, messages, code, text) => {
    const world = new World();
    const log: string[] = [];
    const companion = new Companion({
      clock: world,
      model: { call: async () => resultOf([], "none") },
      log: (line) => void log.push(line),
    });
    const { link, heard } = liar(companion, world);
    await world.pass(1000);
    for (let twice = 0; twice < 2; twice++) for (const message of messages) link.send(message);
    await world.pass(5000);
    const errors = heard.filter(([said]) => said === says.error);
    expect(errors.length).toBeGreaterThan(0);
    expect(errors[0][2]).toBe(code);
    expect(errors[0][3]).toMatch(text);
    expect(log.filter((line) => text.test(line)).length).toBe(1);
    // And all goes on.
    link.send(hello);
    link.send(writeMessage(says.tools, packTools(tools)));
    link.send(writeMessage(says.request, 500, "go"));
    await world.pass(5000);
    expect(heard).toContainEqual([says.done, 500, 0, "none"]);
  });

  test("waits longer than a host's timers can are asked of no clock", async () => {
    const world = new World();
    const asked: number[] = [];
    const set = (run: () => void, ms: number) => {
      asked.push(ms);
      return world.set(run, ms);
    };
    const clock = { set, clear: (timer: unknown) => world.clear(timer as never) };
    const devices: Wearable[] = [];
    const onDevice = (device: Wearable) => void devices.push(device);
    const companion = new Companion({ clock, answerMs: Infinity, patienceMs: 2 ** 31, onDevice, log: () => {} });
    const { link, pipe } = liar(companion, world);
    await world.pass(1000);
    for (const message of [hello, writeMessage(says.tools, packTools(tools))]) link.send(message);
    await world.pass(1000);
    void devices[0].ask("Tea?", ["Yes", "No"]);
    await world.pass(1000);
    pipe.close?.();
    await world.pass(1000);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter((ms) => !(ms < 2 ** 31))).toEqual([]);
  });

  test("a request waits for the tools that its device's hello named", async () => {
    const world = new World();
    const companion = new Companion({
      clock: world,
      model: { call: async () => resultOf([], "none") },
      log: () => {},
    });
    const { link, heard } = liar(companion, world);
    await world.pass(1000);
    for (const message of [hello, writeMessage(says.request, 1, "go")]) link.send(message);
    await world.pass(1000);
    expect(heard.map(([said]) => said)).not.toContain(says.error);
    link.send(writeMessage(says.tools, packTools(tools)));
    await world.pass(1000);
    expect(heard.at(-1)?.slice(0, 3)).toEqual([says.done, 1, 0]);
  });

  test("a call or question that a device takes and never answers is lost in a stated time of reach, and nothing waits for ever", async () => {
    for (const [answerMs, wait] of [
      [undefined, 600_000],
      [5000, 5000],
    ] as const) {
      const world = new World();
      const companion = new Companion({ clock: world, patienceMs: 3_600_000, ...(answerMs && { answerMs }) });
      const { link, heard, pipe } = liar(companion, world);
      await world.pass(1000);
      for (const message of [hello, writeMessage(says.tools, packTools(tools))]) link.send(message);
      await world.pass(1000);
      const [device] = [...companion.devices];
      const ends: unknown[] = [];
      const call = { name: "safe", arguments: {} };
      // Four are out at once, and the fifth gets the place of one that is lost.
      for (let i = 0; i < 5; i++) void device.call(call).then((outcome) => ends.push(outcome));
      void device.ask("Yes?", ["Yes"]).then((place) => ends.push(place));
      await world.pass(wait - 1000);
      expect(ends).toEqual([]);
      // Out of reach the device is waited for as long as its session is.
      pipe.close?.();
      await world.pass(2 * wait);
      expect(ends).toEqual([]);
      const again = pipeOf(world, Math.random, calm);
      companion.connect(again.ends[0]);
      link.attach(again.ends[1]);
      await world.pass(wait - 1000);
      expect(ends).toEqual([]);
      await world.pass(2000);
      const lost = { ending: "lost", value: "no result in time" };
      expect(ends).toEqual([lost, lost, lost, lost, null]);
      await world.pass(wait + 1000);
      expect(ends).toEqual([lost, lost, lost, lost, null, lost]);
      expect(heard.filter(([said]) => said === says.cancel).length).toBe(6);
      link.send(writeMessage(says.result, 1, 0, null));
      await world.pass(1000);
      expect(heard.at(-1)?.slice(0, 3)).toEqual([says.error, 1, "call"]);
    }
  });

  test("a call whose result holds what cannot be read has ended, as the result says", async () => {
    const world = new World();
    const companion = new Companion({ clock: world });
    const { link, heard } = liar(companion, world);
    await world.pass(1000);
    for (const message of [hello, writeMessage(says.tools, packTools(tools))]) link.send(message);
    await world.pass(1000);
    const outcome = [...companion.devices][0].call({ name: "safe", arguments: {} });
    await world.pass(1000);
    const halfALetter = Uint8Array.of(0xa1, 0xd0);
    link.send(writeMessage(says.result, 1, endings.indexOf("failed"), halfALetter));
    await world.pass(1000);
    expect(await outcome).toEqual({ ending: "failed", value: null });
    expect(heard.at(-1)).toEqual([says.error, null, "message", expect.stringContaining("expected UTF-8")]);
  });

  test("a call cancelled before its turn ends at once, and keeps nobody from theirs", async () => {
    const world = new World();
    const companion = new Companion({ clock: world });
    const { link, heard } = liar(companion, world);
    await world.pass(1000);
    const oneAtOnce = writeMessage(says.hello, 1, "one", hashTools(packTools(tools)), 1);
    for (const message of [oneAtOnce, writeMessage(says.tools, packTools(tools))]) link.send(message);
    await world.pass(1000);
    const [device] = [...companion.devices];
    const ends: unknown[] = [];
    const stop = new AbortController();
    for (const [i, signal] of [undefined, stop.signal, undefined].entries())
      void device.call({ name: "safe", arguments: { n: i } }, 0, signal).then(({ ending }) => ends.push([i, ending]));
    stop.abort();
    await world.pass(1000);
    expect(ends).toEqual([[1, "refused"]]);
    for (const id of [1, 2]) {
      expect(heard.filter(([said]) => said === says.call).length).toBe(id);
      link.send(writeMessage(says.result, id, 0, null));
      await world.pass(1000);
    }
    expect(ends.slice(1)).toEqual([
      [0, "done"],
      [2, "done"],
    ]);
  });

  test("devices beyond 32 wait until one has gone, and disturb none", async () => {
    const world = new World();
    const gone: string[] = [];
    const log: string[] = [];
    const companion = new Companion({
      clock: world,
      patienceMs: 1000,
      log: (line) => void log.push(line),
      onGone: ({ name }) => void gone.push(name),
    });
    const devices = Array.from({ length: 40 }, (_, i) => {
      const device = new Device({ name: `d${i}`, tools, clock: world, run: {} });
      return { device, ends: pipeOf(world, Math.random, calm).ends };
    });
    const connections = [];
    for (const { device, ends } of devices) {
      connections.push(companion.connect(ends[0]));
      device.link.attach(ends[1]);
      await world.pass(1000);
    }
    await world.pass(60_000);
    expect(gone).toEqual([]);
    expect(devices.map(({ device }) => device.link.open)).toEqual(devices.map((_, i) => i < 32));
    expect(log.length).toBe(1);
    connections[3].close();
    await world.pass(60_000);
    expect(gone).toEqual(["d3"]);
    expect([...companion.devices].filter(({ open }) => open).length).toBe(32);
  });

  test("tools after a hello of another version, or after none, are not taken", async () => {
    const set = packTools(tools);
    for (const before of [[writeMessage(says.hello, 9, "liar", hashTools(set), 4)], []]) {
      const world = new World();
      const companion = new Companion({ clock: world });
      const { link, heard } = liar(companion, world);
      await world.pass(1000);
      for (const message of [...before, writeMessage(says.tools, set)]) link.send(message);
      await world.pass(1000);
      expect(heard.at(-1)?.slice(0, 3)).toEqual([says.error, null, "tools"]);
      expect([...companion.devices][0].tools).toBeNull();
    }
  });

  test("a message of 1 MB", async () => {
    const world = new World();
    const log: string[] = [];
    const companion = new Companion({ clock: world, log: (line) => void log.push(line) });
    const { link, heard, pipe } = liar(companion, world);
    await world.pass(1000);
    // The channel would refuse to send it: frames by hand.
    const { companion: c, device: d } = [...companion.devices][0].channel;
    expect(() => link.send(new Uint8Array(1 << 20))).toThrow("expected at most 65536 bytes, got 1048576");
    const piece = new Uint8Array(255);
    const count = Math.ceil((1 << 20) / 255);
    for (let n = 0; n < count; n++) {
      pipe.send(writeFrame(n === count - 1 ? kind.end : kind.part, n, piece, tailOf(c, d, n)));
      if (n % 100 === 0) await world.pass(20);
      for (const { heldBytes } of companion.devices) expect(heldBytes).toBeLessThanOrEqual(1 << 16);
    }
    await world.pass(1000);
    expect(heard).toEqual([[says.error, null, "message", "expected at most 65536 bytes, got more"]]);
    expect(log.length).toBe(1);
  });

  test("one piece of 1 MB is dropped, and logged", async () => {
    const world = new World();
    const log: string[] = [];
    const companion = new Companion({ clock: world, log: (line) => void log.push(line) });
    let take: (bytes: Uint8Array) => void = () => {};
    companion.connect({
      send: () => {},
      receive: (taker) => {
        take = taker;
      },
    });
    take(new Uint8Array(1 << 20).fill(0xa0));
    take(new Uint8Array(1 << 20).fill(0xa0));
    expect(log).toEqual(["pipe: expected at most 65536 bytes at once, got 1048576; dropped"]);
  });

  test("a device of a version that there is not is left alone, until it speaks one that there is", async () => {
    const world = new World();
    const log: string[] = [];
    const companion = new Companion({ clock: world, log: (line) => void log.push(line) });
    let take: (bytes: Uint8Array) => void = () => {};
    let sent = 0;
    companion.connect({
      send: () => void sent++,
      receive: (taker) => {
        take = taker;
      },
    });
    const here = (versions: number) => {
      const opening = { versions, companion: 0, device: 0, next: 0, payload: 121, window: 4, limit: 2048 };
      take(writeFrame(kind.here, 0, writeOpening(opening), tailOf(0, 0)));
    };
    for (let i = 0; i < 5; i++) here(7);
    await world.pass(60_000);
    expect(sent).toBe(1);
    expect(log).toEqual(["device: expected bus version 1, got 7; update the older of the two"]);
    here(1);
    expect(sent).toBe(2);
  });

  test("10,000 random and 10,000 bent frames change nothing for the devices that behave", async () => {
    const world = new World();
    const random = seeded(3);
    const companion = new Companion({ clock: world, random, model: { call: async () => resultOf([], "none") } });
    const { link, heard, pipe } = liar(companion, world);
    await world.pass(1000);
    link.send(hello);
    const { companion: c, device: d } = [...companion.devices][0].channel;
    for (let i = 0; i < 10_000; i++) {
      const noise = Uint8Array.from({ length: random() * 60 }, () => random() * 256);
      noise[0] = 0xa0 + random() * 6;
      pipe.send(noise);
      const bent = writeFrame(
        Math.floor(random() * 5),
        random() * 300,
        noise.subarray(0, 40),
        tailOf(c, d, random() * 300),
      );
      if (random() < 0.5) bent[Math.floor(random() * bent.length)] ^= 1 << (random() * 8);
      // Right frames of this session but for their numbers' high bytes.
      else if (bent[0] === 0xa3)
        bent.set(writeFrame(kind.open, 0, noise.subarray(0, 13), new Uint8Array(0)).subarray(0, bent.length));
      else bent[1] = 255;
      pipe.send(bent);
      if (i % 500 === 0) await world.pass(100);
    }
    await world.pass(60_000);
    link.send(hello);
    link.send(writeMessage(says.tools, packTools(tools)));
    link.send(writeMessage(says.request, 9, "go"));
    await world.pass(10_000);
    expect(heard).toContainEqual([says.done, 9, 0, "none"]);
    expect(companion.devices.size).toBeLessThanOrEqual(2);
  });

  test("requests without end are answered with busy, and what waits is bounded", async () => {
    const world = new World();
    const companion = new Companion({ clock: world, model: { call: () => new Promise(() => {}) } });
    const { link, heard } = liar(companion, world);
    await world.pass(1000);
    link.send(hello);
    link.send(writeMessage(says.tools, packTools(tools)));
    await world.pass(1000);
    for (let i = 1; i <= 300; i++) {
      link.send(writeMessage(says.request, i, "go"), true);
      if (i % 20 === 0) await world.pass(2000);
    }
    await world.pass(60_000);
    const busy = heard.filter(([said, , code]) => said === says.error && code === "busy");
    expect(busy.length).toBe(296);
    expect([...companion.devices][0].heldBytes).toBeLessThan(1 << 16);
  });
});

describe("pipes", () => {
  /** The bytes of a watch with Espruino on Nordic UART, as navigator.bluetooth shows it. */
  function fakeBluetooth(packetBytes: number) {
    class Characteristic extends EventTarget {
      value?: DataView;
      constructor(private readonly take: (bytes: Uint8Array) => void) {
        super();
      }
      async writeValueWithoutResponse(bytes: Uint8Array) {
        if (bytes.length > packetBytes) throw new Error("too long");
        writes.push(bytes.length);
        this.take(bytes);
      }
      async startNotifications() {}
      notify(bytes: Uint8Array) {
        for (let at = 0; at < bytes.length; at += packetBytes) {
          const piece = bytes.slice(at, at + packetBytes);
          this.value = new DataView(piece.buffer);
          this.dispatchEvent(new Event("characteristicvaluechanged"));
        }
      }
    }
    const writes: number[] = [];
    let heard: (bytes: Uint8Array) => void = () => {};
    let connections = 0;
    const write = new Characteristic((bytes) => heard(bytes));
    const notify = new Characteristic(() => {});
    class FakeDevice extends EventTarget {
      name = "Bangle.js 1234";
      gatt = {
        connect: async () => {
          connections++;
          return {
            getPrimaryService: async () => ({
              getCharacteristic: async (uuid: string) => (uuid.startsWith("6e400002") ? write : notify),
            }),
          };
        },
        disconnect: () => void this.dispatchEvent(new Event("gattserverdisconnected")),
      };
    }
    const device = new FakeDevice();
    return {
      bluetooth: { requestDevice: async () => device as unknown as BluetoothDeviceLike },
      device,
      notify,
      writes,
      connections: () => connections,
      /** The watch's end: what its interpreter runs, and what it prints. */
      pipe: {
        send: (bytes: Uint8Array) => notify.notify(bytes),
        receive: (take: (bytes: Uint8Array) => void) => {
          heard = take;
        },
      } satisfies Pipe,
    };
  }

  test.each([20, 128])(
    "Web Bluetooth with packets of %p bytes: the watch answers, and is found again after a break",
    async (packetBytes) => {
      const radio = fakeBluetooth(packetBytes);
      const found: Wearable[] = [];
      const companion = new Companion({ onDevice: (device) => void found.push(device) });
      const clock = {
        set: (run: () => void, ms: number) => setTimeout(run, ms / 20),
        clear: (timer: unknown) => clearTimeout(timer as number),
      };
      const watch = startWatch({
        name: "Bangle.js",
        tools,
        clock,
        random: Math.random,
        run: { safe: ({ n }) => n },
        prompt: () => () => {},
      });
      watch.attach(overLines(radio.pipe, (frame) => `{"t":"thimble","f":"${frame}"}\r\n`));
      const served = await connectBluetooth(companion, radio.bluetooth);
      while (!found.length) await Bun.sleep(5);
      expect(await found[0].call({ name: "safe", arguments: { n: 3 } })).toEqual({ ending: "done", value: 3 });
      expect(radio.writes[0]).toBe(20);
      expect(Math.max(...radio.writes) > 20).toBe(packetBytes > 20);
      radio.device.gatt.disconnect();
      const outcome = found[0].call({ name: "safe", arguments: { n: 4 } });
      expect(await outcome).toEqual({ ending: "done", value: 4 });
      expect(radio.connections()).toBe(2);
      expect(found.length).toBe(1);
      served.close();
      expect(radio.connections()).toBe(2);
    },
  );

  test("a device that could not be connected to is let go: nothing is tried behind the back", async () => {
    let tries = 0;
    const device = Object.assign(new EventTarget(), {
      gatt: {
        connect: async () => {
          tries++;
          throw new Error("out of reach");
        },
        disconnect: () => {},
      },
    });
    const bluetooth = { requestDevice: async () => device as BluetoothDeviceLike };
    await expect(connectBluetooth(new Companion(), bluetooth)).rejects.toThrow("out of reach");
    device.dispatchEvent(new Event("gattserverdisconnected"));
    await Bun.sleep(5);
    expect(tries).toBe(1);
  });

  test("a link that fails while it is set up is let go and tried again, one attempt at a time", async () => {
    const { bluetooth, device, notify, connections } = fakeBluetooth(20);
    const companion = new Companion();
    let pipes = 0;
    companion.connect = () => {
      pipes++;
      return { close() {} };
    };
    const { disconnect } = device.gatt;
    let letGo = 0;
    device.gatt.disconnect = () => {
      letGo++;
      disconnect();
    };
    const fails = async () => Promise.reject(new Error("GATT operation failed"));
    const drops = async () => void device.dispatchEvent(new Event("gattserverdisconnected"));
    const works = notify.startNotifications;
    notify.startNotifications = fails;
    await expect(connectBluetooth(companion, bluetooth)).rejects.toThrow("GATT operation failed");
    expect([connections(), letGo, pipes]).toEqual([1, 1, 0]);

    notify.startNotifications = works;
    const served = await connectBluetooth(companion, bluetooth);
    const hangs = () => drops().then(() => new Promise<never>(() => {}));
    const ways = [() => drops().then(fails), drops, hangs];
    notify.startNotifications = () => (ways.shift() ?? works)();
    await drops();
    while (pipes < 2) await Bun.sleep(20);
    await Bun.sleep(50);
    expect([connections(), letGo, pipes]).toEqual([6, 4, 2]);
    served.close();
  }, 10_000);

  test("where there is no Web Bluetooth, the error says what to do", async () => {
    await expect(connectBluetooth(new Companion(), undefined)).rejects.toThrow(
      "bluetooth: expected a browser with Web Bluetooth, got one without; use Chrome or Edge",
    );
  });

  test("lines carry frames amid other text, whatever pieces they come in", () => {
    const frames: string[] = [];
    let take: (bytes: Uint8Array) => void = () => {};
    overLines({
      send: () => {},
      receive: (taker) => {
        take = taker;
      },
    }).receive(
      (bytes) => void frames.push(Buffer.from(bytes).toString()),
      () => {},
    );
    const text = `>{"t":"thimble","f":"${btoa("one")}"}\r\n>TB("${btoa("two")}")\nother {"f":"%%"}\n{"t":"intent","extra":{"f":"${btoa("three")}"}}\r\n`;
    for (let size = 1; size < 50; size++) {
      frames.length = 0;
      for (let at = 0; at < text.length; at += size) take(Buffer.from(text.slice(at, at + size)));
      expect(frames).toEqual(["one", "two", "three"]);
    }
    take(Buffer.from("x".repeat(1 << 20)));
    take(Buffer.from(`\nTB("${btoa("four")}")\n`));
    expect(frames[3]).toBe("four");
  });
});

describe("thimble companion", () => {
  const cli = fileURLToPath(new URL("../tools/cli.ts", import.meta.url));
  const children: { kill(): void }[] = [];
  afterAll(() => {
    for (const child of children) child.kill();
  });
  const start = (...args: string[]) => {
    const child = Bun.spawn([process.execPath, cli, "companion", ...args], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    children.push(child);
    return child;
  };
  /** What a script prints: Node resets connections, Bun does not. */
  const node = (script: string) => new Response(Bun.spawn(["node", "-e", script]).stdout).text();
  const timer = ToolSet.from([
    {
      name: "set_timer",
      description: "Start a countdown timer.",
      parameters: { duration: { type: "string", description: 'Length, e.g. "10 minutes".', required: true } },
    },
  ]);

  test("--simulate bangle: a request typed, the watch acts; it asks, and takes the answer", async () => {
    const child = start("--simulate", "bangle");
    child.stdin.write(
      "set a timer for 10 minutes\nyes\nerase all my notes\nno\nset a timer for 2 hours\ny\nno\nnote 🎉 müsli\n",
    );
    child.stdin.end();
    const lines = (await new Response(child.stdout).text()).trim().split("\n");
    expect(await child.exited).toBe(0);
    expect(lines[0]).toMatch(/^companion: Bangle.js 2, simulated, 12 tools, [0-9a-f]{16}$/);
    expect(lines).toContain('  schedules {"msg":"Timer","timer":600000,"appid":"thimble","del":true}');
    expect(lines).toContain("watch: timer 10:00");
    expect(lines).toContain("watch: erase notes? Yes / No");
    expect(lines).toContain("watch: erase_notes: declined");
    expect(lines).toContain("watch: timer 2:00:00");
    expect(lines).toContain('companion: "note 🎉 müsli"');
  }, 60_000);

  test("a socket takes no page of another origin, but one that it is told of, and what says no origin", async () => {
    const status = async (port: number, origin?: string) => {
      const upgrade = `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n${origin === undefined ? "" : `origin: ${origin}\r\n`}`;
      const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
      return node(`const s = require("net").connect(${port}, "127.0.0.1", () => s.write(${JSON.stringify(upgrade + key)}));
        s.once("data", (bytes) => { console.log(bytes.toString().replace(/[^]*\\r\\n\\r\\n(?=.)/, "")); s.destroy(); });`);
    };
    for (const [cors, allowed] of [
      [undefined, []],
      ["https://mine.example", ["https://mine.example"]],
      ["*", ["https://mine.example", "https://evil.example", "null"]],
    ] as const) {
      const pipes: Pipe[] = [];
      const server = await serveSockets({ port: 0, host: "127.0.0.1", ...(cors && { cors }) }, (pipe) =>
        pipes.push(pipe),
      );
      const { port } = server.address() as AddressInfo;
      for (const origin of [undefined, "https://mine.example", "https://evil.example", "null", ""]) {
        const before = pipes.length;
        const said = await status(port, origin);
        const isTaken =
          origin === undefined || (allowed as readonly string[]).includes(origin) || (cors === "*" && origin === "");
        expect([origin, pipes.length - before]).toEqual([origin, Number(isTaken)]);
        if (isTaken) expect(said).toStartWith("HTTP/1.1 101");
        else
          expect(said).toBe(
            `origin: expected none of a page, got ${JSON.stringify(origin)}; serve with --cors ${origin}\n\n`,
          );
      }
      server.close();
    }
  }, 60_000);

  test("a socket that hangs up without a close frame is out of reach at once", async () => {
    let closed = 0;
    const take = (pipe: Pipe) =>
      pipe.receive(
        () => {},
        () => closed++,
      );
    const server = await serveSockets({ port: 0, host: "127.0.0.1" }, take);
    const { port } = server.address() as AddressInfo;
    const key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n";
    const upgrade = `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n${key}`;
    const client = Bun.spawn([
      "node",
      "-e",
      `const net = require("net");
      const s = net.connect({ port: ${port}, host: "127.0.0.1", allowHalfOpen: true }, () => s.write(${JSON.stringify(upgrade)}));
      s.once("data", () => s.end());
      setInterval(() => {}, 1000);`,
    ]);
    for (let tries = 0; tries < 200 && !closed; tries++) await Bun.sleep(20);
    client.kill();
    server.close();
    expect(closed).toBe(1);
  });

  test("--ws: devices come by WebSocket, what is no frame is refused, and the next is served", async () => {
    const child = start("--ws", "0");
    const reader = child.stderr.getReader();
    let printed = "";
    while (!/ws:\/\/\S+\n/.test(printed)) printed += new TextDecoder().decode((await reader.read()).value);
    const url = /ws:\/\/\S+/.exec(printed)?.[0] as string;

    const bad = new WebSocket(url);
    const code = await new Promise((resolve) => {
      bad.onopen = () => bad.send("hello");
      bad.onclose = (event) => resolve(event.code);
    });
    expect(code).toBe(1003);
    const big = new WebSocket(url);
    expect(
      await new Promise((resolve) => {
        big.onopen = () => big.send(new Uint8Array(1 << 20));
        big.onclose = (event) => resolve(event.code);
      }),
    ).toBe(1009);
    expect((await fetch(url.replace("ws", "http"))).status).toBe(426);
    // Who hangs up before its refusal is written, and a message in 20,000 empty pieces.
    const port = Number(new URL(url).port);
    const shake = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n";
    await node(`for (let i = 0; i < 20; i++) {
      const s = require("net").connect(${port}, "127.0.0.1", () => {
        s.write(${JSON.stringify(`${shake}\r\n`)});
        if (i % 2) s.resetAndDestroy(); else setImmediate(() => s.resetAndDestroy());
      });
      s.on("error", () => {});
    }`);
    const close = await node(`const s = require("net").connect(${port}, "127.0.0.1", () => s.write(${JSON.stringify(
      `${shake}sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n`,
    )}));
    s.on("error", () => {});
    s.once("data", () => {
      s.write(Buffer.from([2, 0x81, 0, 0, 0, 0, 1]));
      s.write(Buffer.alloc(6 * 20_000, Buffer.from([0, 0x80, 0, 0, 0, 0])));
      let got = "";
      s.on("data", (bytes) => { got += bytes.toString("hex"); });
      s.once("end", () => { console.log(got); s.destroy(); });
    });`);
    expect(close).toEndWith("880203f1\n");

    const ran: unknown[] = [];
    const done: unknown[] = [];
    const device = new Device({
      name: "glasses\u001b[31m\nthimble: evil",
      tools: timer,
      run: { set_timer: (args) => void ran.push(args) },
      confirm: async () => true,
      choose: async () => 0,
      onDone: (...args) => void done.push(args),
    });
    device.link.attach(socketPipe(new WebSocket(url)));
    while (!device.link.open) await Bun.sleep(10);
    await Bun.sleep(200);
    device.request("set a timer for 10 minutes");
    while (!done.length) await Bun.sleep(10);
    expect(ran).toEqual([{ duration: "10 minutes" }]);
    while (!/confidence/.test(printed)) printed += new TextDecoder().decode((await reader.read()).value);
    expect(printed).toContain("companion: glasses [31m thimble: evil, 1 tools");
    child.kill();
  }, 60_000);

  test("--stdio: one device's lines in and out", async () => {
    const child = start("--stdio");
    const ran: unknown[] = [];
    const done: unknown[] = [];
    const device = new Device({
      name: "serial",
      tools: timer,
      run: { set_timer: (args) => void ran.push(args) },
      confirm: async () => true,
      choose: async () => 0,
      onDone: (...args) => void done.push(args),
    });
    const pipe: Pipe = {
      send: (bytes) => {
        child.stdin.write(bytes);
        child.stdin.flush();
      },
      receive: async (take) => {
        for await (const bytes of child.stdout) take(bytes);
      },
    };
    device.link.attach(overLines(pipe, (frame) => `{"t":"thimble","f":"${frame}"}\r\n`));
    while (!device.link.open) {
      await Bun.sleep(50);
      device.link.knock();
    }
    await Bun.sleep(500);
    device.request("set a timer for 10 minutes");
    while (!done.length) await Bun.sleep(10);
    expect(ran).toEqual([{ duration: "10 minutes" }]);
    child.stdin.end();
    expect(await child.exited).toBe(0);
  }, 60_000);

  test.each([
    [[], "expected --simulate bangle, --page PORT, --ws PORT, --bluetooth or --stdio, got none"],
    [["--simulate", "toaster"], '--simulate: expected one of bangle, got "toaster"'],
    [["--simulate", "bangle", "--stdio"], "each takes standard input"],
    [["--ws", "x"], '--ws: expected an integer from 0 to 65535, got "x"'],
    [["--ws", ""], '--ws: expected an integer from 0 to 65535, got ""'],
    [["now", "--stdio"], 'expected options alone, got "now"'],
  ])("%p is refused: %s", async (args, text) => {
    const child = start(...args);
    expect(await new Response(child.stderr).text()).toContain(text);
    expect(await child.exited).toBe(2);
  });
});
