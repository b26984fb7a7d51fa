/** The bus's bytes and exchanges in fixtures/bus.json, for every device there is. Written here by other people's msgpack and CRC. */
import { describe, expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { pack, unpack } from "msgpackr";
import type { Json } from "../runtime/json.ts";
import { type ToolInput, ToolSet } from "../runtime/tools/tools.ts";
import { Device } from "../runtime/wear/device.ts";
import { isIntact, Scanner, writeFrame } from "../runtime/wear/frame.ts";
import type { Pipe } from "../runtime/wear/pipe.ts";
import { hashTools } from "../runtime/wire/hash.ts";
import { packTools } from "../runtime/wire/wire.ts";
import { fixture } from "./support.ts";
import { startQuickWatch } from "./wear/quick.ts";
import { library, minify, startWatch } from "./wear/watch.ts";
import { World } from "./wear/world.ts";

type Session = [companion: number, device: number];

/** Something that one side says; `bytes`: its frames. */
interface Said {
  open?: { session: Session; next: number; versions?: number };
  here?: { session: Session; next: number };
  /** here: the session that the `open` named. */
  tail?: Session;
  ack?: number;
  n?: number;
  message?: Json[];
  /** Instead: bytes that are no message. */
  raw?: string;
  session?: Session;
  /** Bytes a part; whole by default. */
  piece?: number;
  /** A bit of the frame that is flipped on the way. */
  flip?: number;
  bytes?: string[];
}

interface Step {
  to?: Said;
  from?: Said;
  attach?: true;
  pass?: number;
  /** A message of so many bytes, each part acknowledged. */
  long?: number;
  /** So many messages of an unknown kind, each acknowledged. */
  many?: number;
  request?: string;
  reply?: boolean;
  choose?: number;
  ran?: Json[];
  reports?: Json[];
  done?: Json[];
}

interface Corpus {
  about: string;
  tools: ToolInput[];
  set: string;
  hash: string;
  frames: { about: string; kind: number; n: number; payload: string; tail: string; bytes?: string }[];
  exchanges: { about: string; halves?: number[]; steps: Step[] }[];
}

const corpus: Corpus = await Bun.file(fixture("bus.json")).json();
const tools = ToolSet.from(corpus.tools);
const set = packTools(tools);
const minified = await minify(library);
const usual: Session = [0x0a0b0c, 0x0d0e0f];
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

/** PROTOCOL.md once more, by zlib and msgpackr. */
function frameOf(kind: number, n: number, payload: Uint8Array, tail: Uint8Array): string {
  const head = Buffer.concat([Uint8Array.of(0xa0 + kind, payload.length, n & 255), payload]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.concat([head, tail])));
  return hex(Buffer.concat([head, sum]));
}

function big(...values: [value: number, bytes: number][]): Uint8Array {
  return Buffer.concat(
    values.map(([value, bytes]) => {
      const part = Buffer.alloc(bytes);
      part.writeUIntBE(value, 0, bytes);
      return part;
    }),
  );
}

const nameOf = ([companion, device]: Session): [number, number][] => [
  [companion, 3],
  [device, 3],
];

function messageOf({ message, raw }: Said): Uint8Array {
  if (raw !== undefined) return fromHex(raw);
  if (message?.[1] === "SET") return Buffer.concat([Uint8Array.of(0x92, 1), set]);
  return pack(message?.map((value) => (value === "HASH" ? hashTools(set) : value)));
}

function framesOf(said: Said): string[] {
  const { open, here, tail = [0, 0], ack, n = 0, session = usual } = said;
  const tailFor = (number: number) => big(...nameOf(session), [number >> 8, 2]);
  if (open) {
    const { versions = 0x11 } = open;
    const payload = big([versions, 1], ...nameOf(open.session), [open.next, 3], [121, 1], [8, 1], [255, 1]);
    return [frameOf(3, 0, payload, new Uint8Array(0))];
  }
  if (here) {
    const payload = big([1, 1], ...nameOf(here.session), [here.next, 3], [121, 1], [4, 1], [7, 1]);
    return [frameOf(4, 0, payload, big(...nameOf(tail), [0, 2]))];
  }
  if (ack !== undefined) return [frameOf(2, ack, new Uint8Array(0), tailFor(ack))];
  const bytes = messageOf(said);
  const piece = said.piece ?? 121;
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; at += piece) {
    const isEnd = at + piece >= bytes.length;
    const number = n + frames.length;
    frames.push(frameOf(Number(isEnd), number, bytes.subarray(at, at + piece), tailFor(number)));
  }
  return frames;
}

const isOpenEnded = ({ message }: Said) => message?.includes("*") ?? false;

if (process.env.THIMBLE_WRITE) {
  Object.assign(corpus, { set: hex(set), hash: hashTools(set) });
  for (const frame of corpus.frames)
    frame.bytes = frameOf(frame.kind, frame.n, fromHex(frame.payload), fromHex(frame.tail));
  for (const { steps } of corpus.exchanges)
    for (const { to, from } of steps) {
      if (to) to.bytes = framesOf(to);
      if (from && !isOpenEnded(from)) from.bytes = framesOf(from);
    }
  await Bun.write(fixture("bus.json"), `${JSON.stringify(corpus, null, 1)}\n`);
}

test("the corpus holds what zlib and msgpackr make of PROTOCOL.md", () => {
  expect(corpus.set).toBe(hex(set));
  expect(corpus.hash).toBe(hashTools(set));
  for (const { steps } of corpus.exchanges)
    for (const { to, from } of steps) {
      if (to) expect(to.bytes).toEqual(framesOf(to));
      if (from && !isOpenEnded(from)) expect(from.bytes).toEqual(framesOf(from));
    }
});

describe("a frame", () => {
  test.each(corpus.frames.map((frame) => [frame.about, frame] as const))("%s: has the corpus's bytes", (_, frame) => {
    const [payload, tail] = [fromHex(frame.payload), fromHex(frame.tail)];
    expect(frame.bytes).toBe(frameOf(frame.kind, frame.n, payload, tail));
    expect(hex(writeFrame(frame.kind, frame.n, payload, tail))).toBe(frame.bytes as string);
  });

  test("is found however a stream is cut, amid other bytes and frames for others", () => {
    const tails = corpus.frames.map(({ tail }) => fromHex(tail));
    const stream = fromHex(corpus.frames.map(({ bytes }) => `a000ffa1${bytes}`).join("a2"));
    for (let piece = 1; piece < 40; piece++) {
      const scanner = new Scanner();
      const frames: Uint8Array[] = [];
      // As Node's streams do, which may fill a Buffer again.
      const read = Buffer.alloc(piece);
      for (let at = 0; at < stream.length; at += piece) {
        read.set(stream.subarray(at, at + piece));
        scanner.feed(read.subarray(0, Math.min(piece, stream.length - at)), (frame) => {
          if (!tails.some((tail) => isIntact(frame, tail))) return false;
          frames.push(frame.bytes);
          return true;
        });
      }
      const found = frames.map(hex);
      // What looks like a longer frame's head keeps the last bytes waiting for more.
      scanner.feed(new Uint8Array(300), (frame) => {
        const isOne = tails.some((tail) => isIntact(frame, tail));
        if (isOne) found.push(hex(frame.bytes));
        return isOne;
      });
      expect(found).toEqual(corpus.frames.map(({ bytes }) => bytes as string));
    }
  });
});

interface Subject {
  attach(pipe: Pipe): void;
  request(text: string): number;
  close?(): void;
}
interface Wearer {
  world: World;
  random: () => number;
  run: Record<string, (args: Record<string, unknown>) => unknown>;
  asked(then: (place: number) => void): void;
  report(report: [name: string, ending: string, heard: boolean]): void;
  done(done: [request: number, calls: number, decision: string]): void;
}

const makers: [string, (wearer: Wearer) => Subject][] = [
  [
    "in TypeScript",
    ({ world, random, run, asked, report, done }) => {
      const device = new Device({
        name: "corpus",
        tools,
        clock: world,
        random,
        run,
        confirm: () => new Promise((resolve) => asked((place) => resolve(place === 1))),
        choose: () => new Promise((resolve) => asked(resolve)),
        onReport: ({ name, ending, heard }) => report([name, ending, heard]),
        onDone: (...args) => done(args),
      });
      return { attach: (pipe) => device.link.attach(pipe), request: (text) => device.request(text) };
    },
  ],
  [
    "on the watch",
    ({ world, random, run, asked, report, done }) => {
      const { bus, attach } = startWatch({
        name: "corpus",
        tools,
        clock: world,
        random,
        run,
        prompt: (_text, _buttons, then) => {
          asked(then);
          return () => {};
        },
        report: (name, ending, _value, heard) => report([name, ending, heard]),
        done: (...args) => done(args),
      });
      return { attach, request: bus.request };
    },
  ],
  [
    "on the watch, minified, in QuickJS with 200 KB",
    ({ world, random, run, asked, report, done }) =>
      startQuickWatch(
        {
          name: "corpus",
          tools,
          clock: world,
          random,
          run,
          prompt: (_text, _buttons, then) => {
            asked(then);
            return () => {};
          },
          report: (name, ending, _value, heard) => report([name, ending, heard]),
          done: (...args) => done(args),
        },
        minified,
      ),
  ],
];

describe.each(makers)("the device %s", (_, make) => {
  test.each(corpus.exchanges.map((exchange) => [exchange.about, exchange] as const))("%s", async (_, exchange) => {
    const world = new World();
    const halves = [...(exchange.halves ?? [usual[1]])];
    const ran: Json[] = [];
    const reports: Json[] = [];
    const done: Json[] = [];
    let said: string[] = [];
    let answer: (place: number) => void = () => {};
    let take: (bytes: Uint8Array) => void = () => {};
    const handler = (name: string) => (args: Record<string, unknown>) => {
      ran.push([name, JSON.parse(JSON.stringify(args))]);
      if (name === "broken") throw new Error("broken: out of order");
      return [name, ...Object.values(args)].join(" ");
    };
    const device = make({
      world,
      random: () => ((halves.shift() ?? 1) - 0.5) / 0xffffff,
      run: Object.fromEntries(tools.tools.map(({ name }) => [name, handler(name)])),
      asked: (then) => {
        answer = then;
      },
      report: (report) => void reports.push(report),
      done: (args) => void done.push(args),
    });
    const give = async (frame: string, flip?: number) => {
      const bytes = fromHex(frame);
      if (flip !== undefined) bytes[flip >> 3] ^= 1 << (flip & 7);
      take(bytes);
      await world.pass(1);
    };
    const expectSaid = (wanted: Said, i: number) => {
      if (!isOpenEnded(wanted)) {
        for (const frame of framesOf(wanted)) {
          expect({ i, said }).toEqual({ i, said: expect.arrayContaining([frame]) });
          said.splice(said.indexOf(frame), 1);
        }
        return;
      }
      const place = said.findIndex((frame) => frame.startsWith("a1"));
      expect({ i, place }).not.toEqual({ i, place: -1 });
      const [frame] = said.splice(place, 1);
      const bytes = fromHex(frame);
      const message = unpack(bytes.subarray(3, -4)) as Json[];
      expect(frame).toBe(frameOf(1, wanted.n as number, bytes.subarray(3, -4), big(...nameOf(usual), [0, 2])));
      expect(message).toEqual(wanted.message?.map((value) => (value === "*" ? expect.any(String) : value)) as Json[]);
    };
    for (const [i, step] of exchange.steps.entries()) {
      if (!step.from) {
        expect({ i, said }).toEqual({ i, said: [] });
        said = [];
      }
      if (step.attach) {
        device.attach({
          mtu: 128,
          send: (bytes) => void said.push(hex(bytes)),
          receive: (taker) => {
            take = taker;
          },
        });
      }
      if (step.to) for (const frame of step.to.bytes as string[]) await give(frame, step.to.flip);
      if (step.from) expectSaid(step.from, i);
      if (step.pass) await world.pass(step.pass);
      if (step.request) device.request(step.request);
      if (step.reply !== undefined) answer(Number(step.reply));
      if (step.choose !== undefined) answer(step.choose);
      if (step.long) {
        const frames = framesOf({ n: 0, raw: "61".repeat(step.long) });
        for (const frame of frames) await give(frame);
        for (let n = 1; n <= frames.length; n++) expectSaid({ ack: n }, i);
      }
      for (let n = 0; n < (step.many ?? 0); n++) {
        const [frame] = framesOf({ n, message: [99] });
        await give(frame);
        expectSaid({ ack: n + 1 }, i);
      }
      await world.pass(0);
      if (step.ran) expect({ i, ran }).toEqual({ i, ran: step.ran });
      if (step.reports) expect({ i, reports }).toEqual({ i, reports: step.reports });
      if (step.done) expect({ i, done }).toEqual({ i, done: step.done });
    }
    expect(said).toEqual([]);
    device.close?.();
  });
});
