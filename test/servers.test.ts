/** Servers that stall, trickle, lie and refuse: every one ends in an answer or an error that names it, in every mode. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pageBytes } from "../runtime/engine/memory.ts";
import { FormatError, load, pull } from "../runtime/index.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { Patience } from "../runtime/load/patience.ts";
import { oddGeometry, packOf, randomCheckpoint } from "./support.ts";

const pack = Uint8Array.from(await packOf(randomCheckpoint({ ...oddGeometry, dModel: 128 }, 10)));
const { header } = await PackStream.open(pack);
const [start] = header.sections;
const folder = mkdtempSync(join(tmpdir(), "thimble-servers-"));
const home = process.env.XDG_CACHE_HOME;

/** Answers on a bare socket: what no well-kept HTTP server would say. */
type Answer = (socket: Socket, range: [from: number, to: number] | null, request: number) => void | Promise<void>;
let answer: Answer;
let requests = 0;
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on("error", () => {});
  socket.on("data", (data) => {
    const [, from, to] = data.toString().match(/range: bytes=(\d+)-(\d*)/i) ?? [];
    void answer(socket, from === undefined ? null : [Number(from), to ? Number(to) + 1 : pack.length], requests++);
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };
const address = `http://127.0.0.1:${port}/odd.thimble`;

beforeEach(() => {
  requests = 0;
  process.env.XDG_CACHE_HOME = mkdtempSync(join(folder, "cache-"));
});
afterAll(() => {
  if (home === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = home;
  for (const socket of sockets) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

const head = (socket: Socket, status: string, ...lines: string[]) =>
  socket.write(`HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The first lines of a right answer of so many bytes in all; returns the bytes that should follow. */
function begin(socket: Socket, range: [number, number] | null, total = pack.length): [from: number, to: number] {
  const [from, to] = range ? [range[0], Math.min(range[1], total)] : [0, total];
  const length = `Content-Length: ${to - from}`;
  if (range) head(socket, "206 Partial Content", length, `Content-Range: bytes ${from}-${to - 1}/${total}`);
  else head(socket, "200 OK", length);
  return [from, to];
}

/** As it should be, and then the connection is closed. */
const right: Answer = (socket, range) => socket.end(pack.subarray(...begin(socket, range))) as unknown as undefined;

const limits = { promptTokens: 16, answerTokens: 8 };
/** Every way in which a pack comes from an address. */
const modes: [string, (options: { timeoutMs?: number }) => Promise<unknown>][] = [
  ["load", (options) => load(address, { ...limits, ...options })],
  ["load under a budget", (options) => load(address, { ...limits, memory: 4 * pageBytes, ...options })],
  ["pull", (options) => pull(address, options)],
];

async function failure(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => null,
    (e) => e,
  );
  if (!(error instanceof Error)) throw new Error("expected an error, got an answer");
  return error;
}

describe.each(modes)("%s", (mode, bring) => {
  test("from a server that is right succeeds", async () => {
    answer = right;
    const source = await bring({});
    if (mode === "pull") expect(new Uint8Array(readFileSync(source as string))).toEqual(pack);
  });

  test("from a server that never answers fails within the time given, naming the address", async () => {
    answer = () => {};
    const { message } = await failure(bring({ timeoutMs: 200 }));
    expect(message).toStartWith(`${address}: expected bytes within 0.2 s`);
  });

  test("from one that stalls midway asks for the rest, and fails within the time given if that stalls too", async () => {
    answer = (socket, range, request) => {
      if (request > 1) return;
      const [from] = begin(socket, range);
      socket.write(pack.subarray(from, from + start.offsetBytes + 5000));
    };
    const { message } = await failure(bring({ timeoutMs: 400 }));
    expect(message).toStartWith(`${address}: expected bytes within 0.4 s`);
    expect(requests).toBeGreaterThan(2);
  });

  test("from one that stalls once goes on by Range and succeeds", async () => {
    let stalled = false;
    answer = (socket, range, request) => {
      if (stalled || (mode !== "load" && request === 0)) return right(socket, range, request);
      stalled = true;
      const [from] = begin(socket, range);
      socket.write(pack.subarray(from, from + 30_000));
    };
    await bring({ timeoutMs: 1000 });
    expect(stalled).toBe(true);
  });

  test.each([
    ["a byte at a time", false],
    ["a byte a connection", true],
  ])("from one that gives %s fails within the time given", async (_, closes) => {
    answer = async (socket, range) => {
      const [from, to] = begin(socket, range);
      for (let at = from; at < to && !socket.destroyed; at++) {
        socket.write(pack.subarray(at, at + 1));
        await pause(20);
        if (closes) return void socket.destroy();
      }
    };
    const { message } = await failure(bring({ timeoutMs: 300 }));
    expect(message).toStartWith(address);
  });

  test.each([
    ["and closes", true],
    ["and stays open", false],
  ])("from one that promises more than the whole file %s is a FormatError", async (_, closes) => {
    const more = pack.length + 100;
    answer = (socket, range) => {
      const [from, to] = begin(socket, range, more);
      socket.write(pack.subarray(from, to));
      // Bun's fetch drops what it has received and not handed on when a connection breaks: let it be read.
      if (closes || range) setTimeout(() => socket.end(), 50);
    };
    const error = await failure(bring({ timeoutMs: 2000 }));
    expect(error).toBeInstanceOf(FormatError);
    const what = `expected ${pack.length} bytes in the file, got ${more}: more follows its last section`;
    expect(error.message).toBe(`end: ${what} (at byte ${pack.length})`);
  });

  test.each([
    ["longer than its header says", pack.length + 64, "end"],
    ["cut in its last section", pack.length - 64, header.sections.at(-1)?.name as string],
    ["cut in its first section", start.offsetBytes + 9, start.name],
  ])("of a file that is %s is a FormatError", async (_, bytes, path) => {
    const file = new Uint8Array(bytes);
    file.set(pack.subarray(0, bytes));
    answer = (socket, range) => void socket.end(file.subarray(...begin(socket, range, bytes)));
    const error = await failure(bring({}));
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).path).toBe(path);
  });

  test("from one that is too busy three times asks again; from one that stays so fails", async () => {
    answer = (socket, range, request) => {
      if (request % 4) head(socket, "503 Service Unavailable", "Content-Length: 0");
      else if (request > 0 || mode !== "load") right(socket, range, request);
      else {
        begin(socket, range);
        socket.write(pack.subarray(0, 50_000));
        setTimeout(() => socket.destroy(), 50);
      }
    };
    await bring({});
    answer = (socket) => void head(socket, "503 Service Unavailable", "Content-Length: 0");
    if (mode === "pull") process.env.XDG_CACHE_HOME = mkdtempSync(join(folder, "cache-"));
    expect((await failure(bring({}))).message).toBe(`${address}: expected a pack, got HTTP 503; try again later`);
  });

  test("from an address where nobody listens, or that closes at once, names it and the cause", async () => {
    answer = (socket) => void socket.destroy();
    expect((await failure(bring({}))).message).toStartWith(`${address}: expected an answer, got `);
  });
});

test("a stream that stalls, or does not end after its last byte, is not waited for", async () => {
  const stream = (bytes: Uint8Array) => new ReadableStream({ start: (controller) => controller.enqueue(bytes) });
  await load(stream(pack), limits);
  await load(new Response(stream(pack)), limits);
  expect((await failure(load(stream(pack.subarray(0, 90_000)), { ...limits, timeoutMs: 100 }))).message).toStartWith(
    "stream: expected bytes within 0.1 s",
  );
  const longer = new Uint8Array(pack.length + 1);
  longer.set(pack);
  for (const source of [longer, new Blob([longer]), stream(longer), new Response(longer)]) {
    for (const memory of source instanceof Uint8Array || source instanceof Blob
      ? [undefined, 4 * pageBytes]
      : [undefined]) {
      expect(await failure(load(source, { ...limits, ...(memory && { memory }) }))).toBeInstanceOf(FormatError);
    }
  }
});

test("a server without lengths: a whole file loads, with bytes after it none does, kept open or not", async () => {
  for (const [more, closes] of [
    [0, true],
    [0, false],
    [500, true],
    [500, false],
  ] as const) {
    for (const [mode, bring] of modes.filter(([name]) => name !== "load under a budget")) {
      process.env.XDG_CACHE_HOME = mkdtempSync(join(folder, "cache-"));
      answer = (socket) => {
        head(socket, "200 OK", "Connection: close");
        socket.write(pack);
        if (more) socket.write(new Uint8Array(more));
        if (closes) socket.end();
      };
      const outcome = await bring({ timeoutMs: 3000 }).then(
        () => "loaded",
        (error) => error.path,
      );
      expect([mode, more, closes, outcome]).toEqual([mode, more, closes, more ? "end" : "loaded"]);
    }
  }
});

test("a server that packs every answer and cuts none out: a pack loads and is pulled, also once it broke off", async () => {
  const packed = gzipSync(pack);
  for (const breaks of [false, true])
    for (const [mode, bring] of modes.filter(([name]) => name !== "load under a budget")) {
      requests = 0;
      process.env.XDG_CACHE_HOME = mkdtempSync(join(folder, "cache-"));
      answer = (socket, _, request) => {
        head(socket, "200 OK", `Content-Length: ${packed.length}`, "Content-Encoding: gzip", "Connection: close");
        if (breaks && request === 1) socket.write(packed.subarray(0, packed.length / 2), () => socket.destroy());
        else socket.end(packed);
      };
      const outcome = await bring({ timeoutMs: 3000 }).then(() => "loaded", String);
      expect([mode, breaks, outcome]).toEqual([mode, breaks, "loaded"]);
    }
});

test("patience counts waiting alone, begins anew with what comes, and takes Infinity", async () => {
  const patience = new Patience("it", 100);
  for (let i = 0; i < 5; i++) await Promise.all([patience.wait(pause(1)), pause(40)]);
  patience.renew();
  await expect(patience.wait(pause(5000))).rejects.toThrow("it: expected bytes within 0.1 s");
  await new Patience("it", Number.POSITIVE_INFINITY).wait(pause(1));
  for (const wrong of [0, -1, Number.NaN]) expect(() => new Patience("it", wrong)).toThrow(RangeError);
});
