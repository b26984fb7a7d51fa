/** Packs over real HTTP: broken, slow, changing and simple servers; the cache that several processes share. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageBytes } from "../runtime/engine/memory.ts";
import { FormatError, load, type Progress, pull } from "../runtime/index.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { cacheFolder } from "../runtime/load/store.ts";
import { cli, fixture, oddGeometry, packOf, randomCheckpoint, talkative } from "./support.ts";

const geometry = { ...oddGeometry, dModel: 128 };
const pack = Uint8Array.from(await packOf(talkative(randomCheckpoint(geometry, 13))));
const other = Uint8Array.from(await packOf(talkative(randomCheckpoint(geometry, 9))));
const { header } = await PackStream.open(pack);

/** How the server behaves; a test changes what it needs. */
const usual = {
  bytes: pack,
  ranges: true,
  tag: '"one"' as string | null,
  /** Bytes that one answer may bring before the connection is cut. */
  cutAfter: Number.POSITIVE_INFINITY,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  /** Called when an answer has been cut. */
  onCut: () => {},
};
let server = { ...usual };
let asked: string[] = [];
let sentBytes = 0;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { bytes, ranges, tag, cutAfter, bytesPerSecond } = server;
  asked.push(request.headers.range ?? "all");
  const [, from, to] = request.headers.range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
  const isPart = ranges && from !== undefined;
  const [start, end] = isPart
    ? [Number(from), Math.min(bytes.length, to ? Number(to) + 1 : bytes.length)]
    : [0, bytes.length];
  if (start >= bytes.length) return void response.writeHead(416).end();
  response.writeHead(isPart ? 206 : 200, {
    "content-length": end - start,
    ...(tag && { etag: tag }),
    ...(isPart && { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` }),
  });
  const stop = Math.min(end, start + cutAfter);
  for (let at = start; at < stop && !response.destroyed; ) {
    const next = Math.min(stop, at + 4096);
    response.write(bytes.subarray(at, next));
    sentBytes += next - at;
    if (Number.isFinite(bytesPerSecond)) await new Promise((done) => setTimeout(done, (4096 / bytesPerSecond) * 1000));
    at = next;
  }
  if (stop === end) return void response.end();
  // Bun's fetch drops what it has received and not handed on when a connection breaks: let it be read.
  await new Promise((done) => setTimeout(done, 50));
  response.destroy();
  server.onCut();
}

const http = createServer((request, response) => void answer(request, response));
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
const { port } = http.address() as AddressInfo;
const address = `http://127.0.0.1:${port}/odd.thimble`;
const folder = mkdtempSync(join(tmpdir(), "thimble-web-"));
const home = process.env.XDG_CACHE_HOME;

beforeEach(() => {
  server = { ...usual };
  [asked, sentBytes] = [[], 0];
  process.env.XDG_CACHE_HOME = mkdtempSync(join(folder, "cache-"));
});
afterAll(() => {
  if (home === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = home;
  http.closeAllConnections();
  http.close();
  rmSync(folder, { recursive: true });
});

const limits = { promptTokens: 32, answerTokens: 16 };
const budget = { ...limits, memory: 4 * pageBytes };
const free = { grammar: false };
const tools = [{ name: "f" }];

async function weights(source: string): Promise<Uint8Array> {
  const { memory, layout } = (await load(source, limits)).inside;
  return new Uint8Array(memory.buffer).slice(layout.units[0].at as number, layout.endBytes);
}

describe("a download that breaks off", () => {
  test("goes on by Range where it stopped", async () => {
    const want = await weights(address);
    expect(asked).toEqual(["all"]);
    server.cutAfter = 60_000;
    expect(await weights(address)).toEqual(want);
    expect(asked.length).toBeGreaterThanOrEqual(2 + Math.floor(pack.length / 60_000));
    expect(asked.slice(2).every((range) => /^bytes=\d+-$/.test(range))).toBe(true);
  });

  test("from a server that ignores Range: what is there already is read again and dropped", async () => {
    const want = await weights(address);
    server = { ...usual, ranges: false, cutAfter: 60_000 };
    server.onCut = () => (server.cutAfter = Number.POSITIVE_INFINITY);
    expect(await weights(address)).toEqual(want);
    expect(asked.at(-1)).toMatch(/^bytes=\d+-$/);
  });

  test("and finds another file, or none of its bytes four times, is an error", async () => {
    server.cutAfter = 60_000;
    server.onCut = () => (server = { ...usual, bytes: other, tag: '"two"' });
    await expect(weights(address)).rejects.toThrow("got a changed one");
    server = { ...usual, cutAfter: 60_000, onCut: () => (server.cutAfter = 0) };
    asked = [];
    await expect(weights(address)).rejects.toThrow();
    // One that brought bytes, and as many as may bring none.
    expect(asked).toHaveLength(1 + 4);
  });
});

describe("under a memory budget", () => {
  test("sections come by Range, with the tokens of resident weights", async () => {
    const want = (await (await load(pack, limits)).call("hi", tools, free)).tokens;
    expect(new Set(want).size).toBeGreaterThan(5);
    const thimble = await load(address, budget);
    expect(asked.slice(1).every((range) => /^bytes=\d+-\d+$/.test(range))).toBe(true);
    expect((await thimble.call("hi", tools, free)).tokens).toEqual(want);
    server.cutAfter = 25_000;
    expect((await thimble.call("hi", tools, free)).tokens).toEqual(want);
  });

  test("a server that ignores Range is refused with a remedy", async () => {
    server.ranges = false;
    await expect(load(address, budget)).rejects.toThrow(
      "answers Range requests, got HTTP 200; load without a memory budget",
    );
  });

  test.each([
    ["another version by its tag", { bytes: other, tag: '"two"' }, "got a changed one"],
    ["another version without a tag", { bytes: other, tag: null }, "checksum does not match"],
    ["another length", { bytes: pack.subarray(0, pack.length - 64) }, "got a changed one"],
    ["damage on the way", { bytes: pack.map((byte) => byte ^ 1) }, "checksum does not match"],
    ["no answers", { cutAfter: 0 }, ""],
  ])("%s midway fails the call, and the session answers once the server does", async (_, change, message) => {
    const thimble = await load(address, budget);
    const want = (await thimble.call("hi", tools, free)).tokens;
    server = { ...usual, ...change };
    await expect(thimble.call("hi", tools, free)).rejects.toThrow(message);
    server = { ...usual };
    expect((await thimble.call("hi", tools, free)).tokens).toEqual(want);
  });

  test("an abort ends a call that waits for a server that hangs", async () => {
    const thimble = await load(address, budget);
    server.bytesPerSecond = 1;
    const signal = AbortSignal.timeout(30);
    const error = await thimble.call("hi", tools, { ...free, signal }).catch((e) => e);
    expect(error).toBe(signal.reason);
    server = { ...usual };
    http.closeAllConnections();
    expect((await thimble.call("hi", tools, free)).tokens).toHaveLength(16);
  });
});

/** What the cache folder holds. */
const cached = () => readdirSync(join(process.env.XDG_CACHE_HOME as string, "thimble")).sort();

describe("the cache", () => {
  test("keeps a pack: fetched once, whole, at a path that load takes", async () => {
    const path = (await pull(address)) as string;
    expect(new Uint8Array(readFileSync(path))).toEqual(pack);
    asked = [];
    expect(await pull(address)).toBe(path);
    await load(address, { ...limits, cache: true });
    expect(asked).toEqual([]);
    expect(await pull(address, { refresh: true })).toBe(path);
    expect(asked.length).toBeGreaterThan(0);
    expect(cached()).toHaveLength(1);
    await pull(`${address}?other`);
    expect(cached()).toHaveLength(2);
  });

  test("is filled in one run of progress, and read in one", async () => {
    for (const _ of ["fetched", "found"]) {
      const seen: number[] = [];
      const onProgress = ({ loadedBytes }: Progress) => seen.push(loadedBytes);
      await load(address, { ...limits, cache: true, onProgress });
      expect(seen.indexOf(pack.length)).toBe(seen.length - 1);
    }
  });

  test("a local path is no business of the cache", async () => {
    const path = join(folder, "local.thimble");
    writeFileSync(path, pack);
    expect((await load(path, { ...limits, cache: true })).header.fileBytes).toBe(pack.length);
    expect(() => cached()).toThrow();
  });

  test.each([
    ["in a section", header.sections[2].offsetBytes + 5],
    ["in the header", 100],
    ["at its end, cut off", null],
  ])("damaged %s, a pack is thrown away and fetched again", async (_, at) => {
    const path = (await pull(address)) as string;
    const bytes = new Uint8Array(readFileSync(path));
    if (at !== null) bytes[at] ^= 1;
    writeFileSync(path, at === null ? bytes.subarray(0, 200_000) : bytes);
    expect(await pull(address)).toBe(path);
    expect(new Uint8Array(readFileSync(path))).toEqual(pack);
  });

  test("goes on with what a broken download left, and trusts its sections by their checksums alone", async () => {
    const controller = new AbortController();
    const stopAt = header.sections[4].offsetBytes;
    const onProgress = ({ loadedBytes }: { loadedBytes: number }) => {
      if (loadedBytes >= stopAt) controller.abort(new Error("gone"));
    };
    await expect(pull(address, { signal: controller.signal, onProgress })).rejects.toThrow("gone");
    const [left] = cached();
    expect(left).toEndWith(".free.part");
    const path = join(process.env.XDG_CACHE_HOME as string, "thimble", left);
    const bytes = readFileSync(path);
    const { offsetBytes, bytes: damagedBytes } = header.sections[1];
    bytes[offsetBytes] ^= 1;
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(pack.length)]));

    [asked, sentBytes] = [[], 0];
    const steps: number[] = [];
    const whole = (await pull(address, { onProgress: (progress) => steps.push(progress.loadedBytes) })) as string;
    expect(new Uint8Array(readFileSync(whole))).toEqual(pack);
    expect(asked.slice(1)).toEqual([
      `bytes=${offsetBytes}-${offsetBytes + damagedBytes - 1}`,
      `bytes=${stopAt}-${pack.length - 1}`,
    ]);
    expect(steps[0]).toBe(stopAt - damagedBytes);
    expect(steps.at(-1)).toBe(pack.length);
    expect(cached()).toHaveLength(1);
  });

  test("a server that sends damaged bytes leaves nothing to load", async () => {
    const bytes = pack.slice();
    bytes[header.sections[3].offsetBytes] ^= 1;
    server.bytes = bytes;
    const error = await pull(address).catch((e) => e);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.path).toBe(header.sections[3].name);
    expect(cached().every((file) => file.endsWith(".part"))).toBe(true);
    server = { ...usual };
    expect(new Uint8Array(readFileSync((await pull(address)) as string))).toEqual(pack);
  });

  test("its folder: XDG_CACHE_HOME where it is absolute, else each system's own", () => {
    expect(cacheFolder({ XDG_CACHE_HOME: "/x", HOME: "/h" }, "linux")).toBe("/x/thimble");
    expect(cacheFolder({ XDG_CACHE_HOME: "x", HOME: "/h" }, "linux")).toBe("/h/.cache/thimble");
    expect(cacheFolder({ HOME: "/h" }, "darwin")).toBe("/h/Library/Caches/thimble");
    expect(cacheFolder({ LOCALAPPDATA: "C:\\l", USERPROFILE: "C:\\u" }, "win32")).toBe("C:\\l/thimble");
    expect(() => cacheFolder({}, "linux")).toThrow("expected HOME or XDG_CACHE_HOME");
  });
});

/** `thimble pull` in a process of its own. */
function pulling(what: string, env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, cli, "pull", what], {
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  });
  const done = Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { child, done: done.then(([out, err, code]) => ({ out: out.trim(), err, code })) };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe("thimble pull", () => {
  test("by two processes at once: both succeed, one file is there, and it is whole", async () => {
    server.bytesPerSecond = 400_000;
    const both = await Promise.all([pulling(address).done, pulling(address).done]);
    for (const { code, out, err } of both) {
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(new Uint8Array(readFileSync(out))).toEqual(pack);
    }
    expect(cached()).toHaveLength(1);
  });

  test("killed, it leaves to the next process what it had", async () => {
    server.bytesPerSecond = 200_000;
    const { child, done } = pulling(address);
    await until(() => sentBytes > header.sections[4].offsetBytes + 60_000);
    child.kill(9);
    await done;
    expect(cached()[0]).toMatch(/\.\d+-[\da-f-]+\.part$/);
    server = { ...usual };
    [asked, sentBytes] = [[], 0];
    const { code, out } = await pulling(address).done;
    expect(code).toBe(0);
    expect(new Uint8Array(readFileSync(out))).toEqual(pack);
    expect(asked.at(-1)).not.toBe(`bytes=${header.sections[0].offsetBytes}-${pack.length - 1}`);
    expect(cached()).toHaveLength(1);
  });

  test("a known name is fetched from the hub and converted; --model finds it by that name without the network", async () => {
    const pieces = readFileSync(fixture("nano.vocab.txt"), "utf8").split("\n").slice(0, 96).join("\n");
    const files: Record<string, Uint8Array> = {
      "/Cactus-Compute/needle/resolve/main/needle.pkl": readFileSync(fixture("tiny.safetensors")),
      "/Cactus-Compute/needle/resolve/main/tokenizer/needle.model": Buffer.from(pieces),
    };
    const hub = createServer(({ url }, response) => {
      const file = files[url ?? ""];
      response.writeHead(file ? 200 : 404).end(file);
    });
    await new Promise<void>((resolve) => hub.listen(0, "127.0.0.1", resolve));
    const env = { HF_ENDPOINT: `http://127.0.0.1:${(hub.address() as AddressInfo).port}` };
    const { code, out, err } = await pulling("needle", env).done;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { licence, provenance } = (await PackStream.open(readFileSync(out))).header;
    expect({ licence, source: provenance.source }).toEqual({
      licence: "MIT",
      source: "Cactus-Compute/needle/needle.pkl",
    });
    hub.closeAllConnections();
    hub.close();
    expect((await pulling("needle", env).done).out).toBe(out);
    const run = Bun.spawn([process.execPath, cli, "run", "hi", "--model", "needle"], {
      env: { ...process.env, ...env },
      stderr: "pipe",
    });
    // The fixture's 96 pieces write no call: that they are met at all shows the pack.
    expect(await new Response(run.stderr).text()).toContain("pass a vocabulary with byte fallback");
  });

  test("what is neither an address nor a name is a wrong command line", async () => {
    const { code, err } = await pulling("nedle").done;
    expect(code).toBe(2);
    expect(err).toContain("expected an http(s) URL or one of needle, needle-bf16, needle-rs");
  });
});
