/**
 * Attacks on what comes from outside: packs, tool lists, servers, and calls and processes that are cut off. Each attempt
 * must end as promised; prints tries, survivals and the first failures as JSON, exit code 1 where one did not survive.
 *
 *   bun test/siege.ts                  all of it, some minutes; test/siege.test.ts runs a fiftieth
 *   bun test/siege.ts --only packs --share 0.1 --seed 2
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Ajv2020 as Ajv } from "ajv/dist/2020.js";
import { pageBytes } from "../runtime/engine/memory.ts";
import { CapacityError, FormatError, load, pull, ToolError, ToolSet } from "../runtime/index.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { writeMsgpack } from "../runtime/msgpack.ts";
import { prefixBytes } from "../runtime/pack/pack.ts";
import { xxh32 } from "../runtime/pack/xxh32.ts";
import {
  jointPack,
  oddGeometry,
  packOf,
  randomCheckpoint,
  randomObject,
  randomRefs,
  seeded,
  talkative,
} from "./support.ts";

const { values } = parseArgs({
  options: {
    share: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
  },
});
const share = Number(values.share);
const random = seeded(Number(values.seed));
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** How long anything may take that was not given a time of its own. */
const mostMs = 10_000;
const folder = mkdtempSync(join(tmpdir(), "thimble-siege-"));
const results: Record<string, Result> = {};

interface Result {
  tried: number;
  survived: number;
  /** How often each way of ending as promised came. */
  ended: Record<string, number>;
  failures: string[];
}

/** Tries an attack so many times; it says how it ended, and throws where that was not promised. */
async function attack(name: string, count: number, once: () => Promise<string>): Promise<void> {
  if (!new RegExp(values.only).test(name)) return;
  const result: Result = { tried: Math.ceil(share * count), survived: 0, ended: {}, failures: [] };
  for (let i = 0; i < result.tried; i++) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still running after ${mostMs} ms`)), mostMs);
    });
    try {
      const ended = await Promise.race([once(), late]);
      result.survived++;
      result.ended[ended] = (result.ended[ended] ?? 0) + 1;
    } catch (error) {
      if (result.failures.length < 3) result.failures.push(`try ${i}: ${error}`);
    } finally {
      clearTimeout(timer);
    }
  }
  results[name] = result;
}

/** What an attempt ends in: its value, or one of the errors that were promised. Throws: any other error. */
async function orPromised<T>(
  work: () => T | Promise<T>,
  ...promised: (abstract new (
    ...args: never
  ) => Error)[]
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (promised.some((kind) => error instanceof kind)) return null;
    throw error;
  }
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected ${what}`);
}

const pack = Uint8Array.from(await packOf(talkative(randomCheckpoint({ ...oddGeometry, dModel: 128 }, 10))));
const { header } = await PackStream.open(pack);
const limits = { promptTokens: 48, answerTokens: 32 };
const budget = { ...limits, memory: 6 * pageBytes };
const tools = [{ name: "f", parameters: { x: { type: "string" } } }];
const ask = async (bytes: Uint8Array, options: object) => (await load(bytes, options)).call("one two", tools);
const answers = [(await ask(pack, limits)).text, (await ask(pack, budget)).text];

function mutated(bytes: Uint8Array): Uint8Array {
  const [at, length] = [below(bytes.length), 1 + below(200)];
  const noise = Uint8Array.from({ length }, () => below(256));
  const around = (middle: Uint8Array, from: number) =>
    Uint8Array.from([...bytes.subarray(0, at), ...middle, ...bytes.subarray(from)]);
  switch (below(6)) {
    case 0: {
      const flipped = bytes.slice();
      flipped[at] ^= 1 << below(8);
      return flipped;
    }
    case 1:
      return bytes.slice(0, at);
    case 2:
      return around(noise, at);
    case 3:
      return around(new Uint8Array(0), at + length);
    case 4:
      return around(new Uint8Array(length), Math.min(bytes.length, at + length));
    default:
      return around(noise, Math.min(bytes.length, at + length));
  }
}

await attack("packs changed at random", 1000, async () => {
  const way = below(2);
  const answer = await orPromised(() => ask(mutated(pack), [limits, budget][way]), FormatError);
  expect(answer === null || answer.text === answers[way], "a FormatError or the right answer");
  return answer ? "answered" : "refused";
});

/** A pack with other weights or another header, whose checksums are right. */
function forged(): Uint8Array {
  const bytes = pack.slice();
  const [start] = header.sections;
  const sections = header.sections.map((section) => ({ ...section }));
  const section = pick(sections);
  for (let n = below(20); n >= 0; n--) bytes[section.offsetBytes + below(section.bytes)] = below(256);
  section.checksum = xxh32(bytes.subarray(section.offsetBytes, section.offsetBytes + section.bytes));
  const map = writeMsgpack({ ...header, sections } as never);
  if (random() < 0.5) map[below(map.length)] ^= 1 << below(8);
  bytes.set(map.subarray(0, start.offsetBytes - prefixBytes), prefixBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(12, map.length, true);
  view.setUint32(16, xxh32(bytes.subarray(prefixBytes, start.offsetBytes)), true);
  return bytes;
}

await attack("packs forged, with right checksums", 1000, async () => {
  // Weights that are no numbers say so.
  const work = ask(forged(), limits).catch((error) => {
    if (/logits are not numbers/.test(error.message)) return null;
    throw error;
  });
  const answer = await orPromised(() => work, FormatError, CapacityError);
  expect(answer === null || Array.isArray(JSON.parse(answer.text)), "an error or a list of calls");
  return answer ? "answered" : "refused";
});

const junk = (depth: number): unknown => {
  const words = [
    "type",
    "properties",
    "$ref",
    "enum",
    "anyOf",
    "__proto__",
    "items",
    "name",
    "constructor",
    "allOf",
    "required",
  ];
  const leaf = [null, true, 0, -1, 1e300, 2 ** 53, "", "string", "object", "#/a", "\ud800", "é", [], {}];
  if (depth === 0 || random() < 0.3) return pick(leaf);
  if (random() < 0.4) return Array.from({ length: below(4) }, () => junk(depth - 1));
  return Object.fromEntries(Array.from({ length: below(5) }, () => [pick(words), junk(depth - 1)]));
};
/** A plausible schema with one part of it replaced. */
const broken = (): unknown => {
  const schema = { ...randomObject(random, 2), $defs: randomRefs };
  if (random() < 0.5) return schema;
  const text = JSON.stringify(schema);
  const parts = [...text.matchAll(/"[^"\\]*"|\d+|true|false|null/g)];
  const { index, 0: part } = pick(parts);
  try {
    return JSON.parse(
      text.slice(0, index) +
        JSON.stringify(pick(["number", 0, null, [], {}, "#/$defs/tree"])) +
        text.slice(index + part.length),
    );
  } catch {
    return schema;
  }
};
const wild = await load(await jointPack(), { promptTokens: 1024, answerTokens: 64 });
const ajv = new Ajv({ strict: false, logger: false, ownProperties: true, validateFormats: false });

await attack("tool lists, junk and schemas broken at random", 10_000, async () => {
  const schema = random() < 0.3 ? junk(4) : broken();
  const list = [{ name: "do_it", inputSchema: schema }] as never;
  const set = await orPromised(() => ToolSet.from(random() < 0.1 ? (junk(4) as never) : list), ToolError);
  if (!set) return "refused";
  if (!set.tools.length || random() < 0.9) return "read";
  const answer = await orPromised(() => wild.call("do it with one and 2", set), CapacityError);
  if (!answer || set.warnings.length || set.tools[0].name !== "do_it") return "called";
  let isValid: ReturnType<Ajv["compile"]>;
  try {
    isValid = ajv.compile(schema as object);
  } catch {
    // What is no schema to others.
    return "called";
  }
  for (const call of answer.calls)
    expect(
      isValid(call.arguments),
      `valid arguments, got ${JSON.stringify(call.arguments)} of ${JSON.stringify(schema)}`,
    );
  return "called and found valid by Ajv";
});

const model = await load();
const request = "wake me at 7:15 tomorrow";
const alarm = [
  { name: "setAlarm", description: "Set an alarm.", parameters: { time: { type: "string", required: true } } },
];
const right = (await model.call(request, alarm)).text;

await attack("calls aborted at random times", 500, async () => {
  const controller = new AbortController();
  const reason = new Error("never mind");
  // One waits behind the other.
  const calls = [0, 1].map(() => model.call(request, alarm, { signal: controller.signal }));
  await pause(below(7));
  controller.abort(reason);
  const outcomes = await Promise.allSettled(calls);
  for (const outcome of outcomes)
    expect(
      outcome.status === "fulfilled" ? outcome.value.text === right : outcome.reason === reason,
      "the reason or the answer",
    );
  if (random() < 0.1) expect((await model.call(request, alarm)).text === right, "the right answer afterwards");
  const answered = outcomes.filter(({ status }) => status === "fulfilled").length;
  return ["both aborted", "one answered before", "both answered before"][answered];
});

/** What a server does with a connection: now as it should, now not. */
function serve(socket: Socket, from: number | null, to: number): void {
  const send = (status: string, lines: string[], body: Uint8Array) => {
    socket.write(`HTTP/1.1 ${status}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`);
    socket.write(body);
  };
  const begin = from ?? 0;
  const body = pack.subarray(begin, to);
  const range = `Content-Range: bytes ${begin}-${to - 1}/${pack.length}`;
  const lines = [`Content-Length: ${body.length}`, ...(from === null ? [] : [range])];
  const status = from === null ? "200 OK" : "206 Partial Content";
  const some = below(body.length + 1);
  switch (below(12)) {
    case 0:
      return;
    case 1:
      return void send(status, lines, body.subarray(0, some));
    case 2:
      send(status, lines, body.subarray(0, some));
      return void socket.destroy();
    case 3:
      return void socket.destroy();
    case 4:
      send(status, [`Content-Length: ${body.length + pick([-5, 7])}`, ...lines.slice(1)], body);
      return void socket.end();
    case 5:
      send(status, [lines[0], `Content-Range: bytes ${begin + 1}-${to}/${pack.length}`], body);
      return void socket.end();
    case 6:
      send(pick(["500 No", "404 No", "416 No", "302 Found", "204 No"]), ["Content-Length: 0"], new Uint8Array(0));
      return void socket.end();
    case 7:
      send("200 OK", [`Content-Length: ${pack.length}`], pack);
      return void socket.end();
    case 8: {
      const other = body.slice();
      if (other.length) other[below(other.length)] ^= 255;
      send(status, lines, other);
      return void socket.end();
    }
    case 9:
      return void socket.end("no HTTP at all\r\n\r\n");
    default:
      send(status, lines, body);
      socket.end();
  }
}

/** Slowly enough for a process to be killed midway. */
async function trickle(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 16_384) {
    socket.write(bytes.subarray(at, at + 16_384));
    if (bytes.length > 16_384) await pause(10);
  }
  socket.end();
}

const sockets = new Set<Socket>();
let isLying = true;
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on("error", () => {});
  socket.on("close", () => sockets.delete(socket));
  socket.on("data", (data) => {
    const [, from, to] = data.toString().match(/range: bytes=(\d+)-(\d*)/i) ?? [];
    const [begin, end] = [
      from === undefined ? null : Number(from),
      to ? Math.min(pack.length, Number(to) + 1) : pack.length,
    ];
    if (isLying) return serve(socket, begin, end);
    const range = begin === null ? "" : `Content-Range: bytes ${begin}-${end - 1}/${pack.length}\r\n`;
    socket.write(
      `HTTP/1.1 ${begin === null ? "200 OK" : "206 Partial Content"}\r\nContent-Length: ${end - (begin ?? 0)}\r\n${range}\r\n`,
    );
    void trickle(socket, pack.subarray(begin ?? 0, end));
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${(server.address() as { port: number }).port}/odd.thimble`;
const newCache = () => {
  process.env.XDG_CACHE_HOME = mkdtempSync(join(folder, "cache-"));
};

await attack("servers that stall, cut off, lie and refuse", 300, async () => {
  newCache();
  const way = below(3);
  const timeoutMs = 150;
  const bring = async () => {
    if (way < 2) return (await load(address, { ...[limits, budget][way], timeoutMs })).call("one two", tools);
    const bytes = readFileSync((await pull(address, { timeoutMs })) as string);
    expect(Buffer.compare(bytes, pack) === 0, "the pack's bytes");
    return null;
  };
  const answer = await bring().catch((error) => {
    expect(
      error instanceof FormatError || error.message.includes(address),
      `an error that names the server, got ${error}`,
    );
    return undefined;
  });
  if (answer) expect(answer.text === answers[way], "an error or the right answer");
  return answer === undefined ? "refused" : "answered";
});

isLying = false;
await attack("processes killed while they pull", 40, async () => {
  newCache();
  const code = `import { pull } from ${JSON.stringify(new URL("../runtime/index.ts", import.meta.url).pathname)}; await pull(${JSON.stringify(address)});`;
  const children = [0, 1].map(() =>
    Bun.spawn([process.execPath, "--eval", code], { env: { ...process.env }, stderr: "ignore" }),
  );
  const cache = join(process.env.XDG_CACHE_HOME as string, "thimble");
  // Mostly once one of them has begun.
  for (let waitedMs = 0; random() > 0.01 && waitedMs < 5000 && !existsSync(cache); waitedMs += 10) await pause(10);
  await pause(below(300));
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => child.exited));
  const names = existsSync(cache) ? readdirSync(cache) : [];
  const found = names.some((name) => name.endsWith(".thimble"))
    ? "after the end"
    : names.length
      ? "midway"
      : "before it began";
  const bytes = readFileSync((await pull(address)) as string);
  expect(Buffer.compare(bytes, pack) === 0, "the pack's bytes");
  const left = readdirSync(cache);
  expect(left.length === 1, `one file in the cache, got ${left.join(", ")}`);
  return found;
});

for (const socket of sockets) socket.destroy();
server.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(results, null, 2));
process.exit(Object.values(results).every(({ tried, survived }) => tried === survived) ? 0 : 1);
