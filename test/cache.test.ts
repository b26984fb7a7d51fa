/** The cache folder in bad times: full, unwritable, shared by threads, littered, tampered with. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CacheError, FormatError, load, pull } from "../runtime/index.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { cli, oddGeometry, packOf, randomCheckpoint } from "./support.ts";

const geometry = { ...oddGeometry, dModel: 128 };
const pack = Uint8Array.from(await packOf(randomCheckpoint(geometry, 10)));
const { header } = await PackStream.open(pack);
const sum = async (bytes: Uint8Array<ArrayBuffer>) =>
  `sha256-${Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("base64")}`;

let served = pack;
let isUp = true;
let sentBytes = 0;
let waitMs = 0;
const server = Bun.serve({
  port: 0,
  async fetch(request) {
    if (waitMs) await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (!isUp) return new Response("no", { status: 404 });
    const [, from, to] = request.headers.get("range")?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
    if (from === undefined) return new Response(served);
    const end = to ? Number(to) + 1 : served.length;
    sentBytes += end - Number(from);
    const headers = { "content-range": `bytes ${from}-${end - 1}/${served.length}` };
    return new Response(served.slice(Number(from), end), { status: 206, headers });
  },
});
const address = `http://127.0.0.1:${server.port}/odd.thimble`;
const folder = mkdtempSync(join(tmpdir(), "thimble-cache-"));
const home = process.env.XDG_CACHE_HOME;
let own = mkdtempSync(join(folder, "cache-"));
const cached = () => readdirSync(join(own, "thimble")).sort();

beforeEach(() => {
  [served, isUp, sentBytes, waitMs] = [pack, true, 0, 0];
  own = mkdtempSync(join(folder, "cache-"));
  process.env.XDG_CACHE_HOME = own;
});
afterAll(() => {
  if (home === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = home;
  server.stop(true);
  rmSync(folder, { recursive: true });
});

const limits = { promptTokens: 16, answerTokens: 8 };

/** A cache on a disk of so many KiB, in a namespace of its own; what the shell script says there. */
async function onSmallDisk(kibibytes: number, script: string): Promise<{ out: string; err: string; code: number }> {
  const inside = `mount -t tmpfs -o size=${kibibytes}k tmpfs "$XDG_CACHE_HOME" && ${script}`;
  const child = Bun.spawn(["unshare", "-Urm", "sh", "-c", inside], {
    env: { ...process.env, XDG_CACHE_HOME: own },
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}
const mayMount = Bun.which("unshare") !== null && (await onSmallDisk(64, "true")).code === 0;
if (!mayMount) console.warn("skipped: a disk that fills: this host lets nobody mount a small one");

describe.skipIf(!mayMount)("a disk that fills", () => {
  const kibibytes = Math.ceil(pack.length / 1024);
  const run = [process.execPath, cli, "pull", address].join(" ");
  // Pages of 4 KiB, and some for the folder itself.
  const sizes = Array.from({ length: 5 }, (_, i) => kibibytes - 8 + 4 * i);

  test.each(sizes)("at %d KiB: pull says so and names no file, or the file is whole", async (size) => {
    const { out, err, code } = await onSmallDisk(
      size,
      `{ ${run}; } ; echo "code $?"; cat "$XDG_CACHE_HOME"/thimble/*.thimble 2>/dev/null | sha256sum`,
    );
    const [path, status, digest] = out.startsWith("code") ? ["", ...out.split("\n")] : out.split("\n");
    expect(code).toBe(0);
    if (status === "code 0") {
      const hex = Buffer.from(await crypto.subtle.digest("SHA-256", pack)).toString("hex");
      expect([path === "", digest]).toEqual([false, `${hex}  -`]);
    } else {
      expect(status).toBe("code 1");
      expect(err).toContain(`cache: expected ${own}/thimble to keep packs, got ENOSPC; make room`);
      // Of no bytes: no file has the pack's name.
      expect(digest).toStartWith("e3b0c44298fc1c14");
    }
  });

  test("load goes on without the cache, and warns", async () => {
    const script = `import { load } from ${JSON.stringify(join(import.meta.dir, "../runtime/index.ts"))};
      const model = await load(${JSON.stringify(address)}, { cache: true, promptTokens: 16, answerTokens: 8 });
      console.log(model.header.fileBytes);`;
    const file = join(own, "..", "load.ts");
    writeFileSync(file, script);
    const { out, err } = await onSmallDisk(100, `${process.execPath} ${file}`);
    expect(out).toBe(`${pack.length}\n`);
    expect(err).toContain("got ENOSPC");
    expect(err).toContain("loaded from the web instead");
  });
});

describe("a folder that keeps nothing", () => {
  test.each([
    ["a file stands in its place", () => writeFileSync(join(own, "thimble"), "")],
    ["its parent is a file", () => (process.env.XDG_CACHE_HOME = join(own, "file"))],
    ["its parent takes no folders, ever", () => (process.env.XDG_CACHE_HOME = "/proc/nope")],
    [
      "a folder stands in the pack's place",
      async () => {
        const path = (await pull(address)) as string;
        rmSync(path);
        mkdirSync(path);
      },
    ],
  ])("%s: pull says so, load warns and takes the web", async (_, spoil) => {
    writeFileSync(join(own, "file"), "");
    await spoil();
    const error = await pull(address).catch((e) => e);
    expect(error).toBeInstanceOf(CacheError);
    expect(error.message).toMatch(/^cache: expected .*, got .*/);
    const warnings: string[] = [];
    const model = await load(address, { ...limits, cache: true, onWarning: (message) => warnings.push(message) });
    expect(model.header.fileBytes).toBe(pack.length);
    expect(warnings).toEqual([`${error.message}; loaded from the web instead`]);
  });
});

test("many threads and calls that pull one address all succeed, and one file is there", async () => {
  const worker = `
    import { pull } from ${JSON.stringify(join(import.meta.dir, "../runtime/index.ts"))};
    onmessage = async ({ data: [folder, address] }) => {
      process.env.XDG_CACHE_HOME = folder;
      postMessage(await pull(address).then(String, (error) => "FAILED " + error));
    };`;
  const url = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
  const inThread = () =>
    new Promise<string>((resolve, reject) => {
      const thread = new Worker(url);
      thread.onmessage = ({ data }) => {
        thread.terminate();
        resolve(data);
      };
      thread.onerror = ({ message }) => reject(new Error(message));
      thread.postMessage([own, address]);
    });
  // All have begun before one ends.
  waitMs = 300;
  const paths = await Promise.all([inThread(), inThread(), inThread(), pull(address), pull(address)]);
  expect(new Set(paths).size).toBe(1);
  expect(new Uint8Array(readFileSync(paths[0] as string))).toEqual(pack);
  expect(cached()).toHaveLength(1);
});

describe("what others left", () => {
  const dead = Bun.spawnSync(["sh", "-c", "echo $$"]).stdout.toString().trim();
  const leave = (name: string, ageDays = 0) => {
    const path = join(own, "thimble", name);
    writeFileSync(path, "left");
    const then = Date.now() / 1000 - ageDays * 24 * 60 * 60;
    utimesSync(path, then, then);
  };

  test("of this pack goes once the whole is there, found or fetched; of others when it is a week old", async () => {
    const name = ((await pull(address)) as string).split("/").at(-1) as string;
    const living = `${name}.${process.pid}-0.part`;
    for (const refresh of [false, true]) {
      leave(`${name}.free.part`);
      leave(`${name}.${dead}-1.part`);
      leave(living);
      leave("other.thimble.free.part", 6);
      leave("old.thimble.free.part", 8);
      leave(`older.thimble.${process.pid}-2.part`, 8);
      await pull(address, { refresh });
      expect(cached()).toEqual([name, living, "other.thimble.free.part"].sort());
    }
  });

  test("by a process whose number another has today is taken over after a day", async () => {
    const name = ((await pull(address)) as string).split("/").at(-1) as string;
    rmSync(join(own, "thimble", name));
    const left = join(own, "thimble", `${name}.${process.pid}-0.part`);
    writeFileSync(left, pack);
    utimesSync(left, 1e9, 1e9);
    sentBytes = 0;
    await pull(address);
    expect(sentBytes).toBe(0);
    expect(cached()).toEqual([name]);
  });
});

test("a damaged pack is gone before its repair begins, and only what is damaged is fetched again", async () => {
  const path = (await pull(address)) as string;
  const bytes = new Uint8Array(readFileSync(path));
  const section = header.sections[2];
  bytes[section.offsetBytes + 5] ^= 1;
  writeFileSync(path, bytes);
  isUp = false;
  await expect(pull(address)).rejects.toThrow("got HTTP 404");
  expect(cached().filter((file) => !file.endsWith(".part"))).toEqual([]);
  isUp = true;
  sentBytes = 0;
  expect(await pull(address)).toBe(path);
  expect(new Uint8Array(readFileSync(path))).toEqual(pack);
  expect(sentBytes).toBe(section.bytes);
});

test("an address with a name longer than a file may have is kept", async () => {
  const path = (await pull(`http://127.0.0.1:${server.port}/${"n".repeat(300)}.thimble`)) as string;
  expect(new Uint8Array(readFileSync(path))).toEqual(pack);
});

describe("integrity", () => {
  const other = Uint8Array.from(pack);

  test("lets the file meant through, from bytes, a path, the web and the cache", async () => {
    const integrity = await sum(pack);
    const path = join(own, "local.thimble");
    writeFileSync(path, pack);
    const options = { ...limits, integrity };
    const steps: number[] = [];
    for (const source of [pack, path, new Blob([pack]), address]) await load(source, options);
    await load(address, { ...options, cache: true, onProgress: ({ loadedBytes }) => steps.push(loadedBytes) });
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    await load(pack, { ...options, integrity: `sha512-AAAA ${integrity}` });
  });

  test("refuses another, whose own checksums are right, and keeps none in the cache", async () => {
    const integrity = await sum(other.fill(0));
    for (const cache of [false, true]) {
      const error = await load(address, { ...limits, integrity, cache }).catch((e) => e);
      expect(error).toBeInstanceOf(FormatError);
      expect(error.path).toBe("integrity");
    }
    expect(cached().every((file) => file.endsWith(".part"))).toBe(true);
  });

  test("says of what is no digest that it is none, also where the cache holds the pack", async () => {
    await pull(address);
    const integrity = "md5-AAAA";
    for (const bring of [() => load(pack, { ...limits, integrity }), () => pull(address, { integrity })])
      await expect(bring()).rejects.toThrow(/^integrity: expected sha256-/);
  });

  test("fetches a pack again that the cache holds and that is not the one meant", async () => {
    const before = Uint8Array.from(await packOf(randomCheckpoint(geometry, 11)));
    served = before;
    await pull(address);
    served = pack;
    const path = (await pull(address, { integrity: await sum(pack) })) as string;
    expect(new Uint8Array(readFileSync(path))).toEqual(pack);
  });
});
