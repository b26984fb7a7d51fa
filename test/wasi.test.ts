/** The command for WASI: what it is made of, and the runtime's answers in hosts with and without JavaScript. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultModel, load, ToolSet } from "../runtime/index.ts";
import { packVersion } from "../runtime/pack/pack.ts";
import { readExamples } from "../tools/eval/examples.ts";
import { answerByWasi, runCommand } from "../tools/wasi.ts";
import { compileHost } from "../wasm/wasi/build.ts";
import { oddFiles } from "./mcu/odd.ts";
import { fixture, thimble } from "./support.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-wasi-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const command = join(root, "wasm/built/thimble.wasi.wasm");
const pack = fileURLToPath(defaultModel());
const watch = readFileSync(join(root, "tools/watch.json"), "utf8");
const timeoutMs = 300_000;

/** Says aloud what is missing, for tests to skip. */
function skipping(isThere: boolean, remedy: string) {
  if (!isThere) console.warn(`skipped tests: ${remedy}`);
  return isThere ? test : test.skip;
}

const compiler = Bun.which("clang") && Bun.which("wasm-ld") && existsSync("/usr/include/wasm32-wasi");
const clang = compiler ? Bun.spawnSync(["clang", "--version"]).stdout.toString() : "";
const withClang = skipping(/ version 14\./.test(clang), "clang 14 is missing; apt-get install clang lld wasi-libc");
withClang(
  "host.wasm is what Debian 12's clang makes of its sources",
  () => {
    const out = join(folder, "host.wasm");
    compileHost(out);
    expect(readFileSync(out).equals(readFileSync(join(root, "wasm/wasi/host.wasm")))).toBe(true);
  },
  60_000,
);

test("the command has 96 KB at most, wants WASI preview 1 alone and gives memory of 2 GiB at most and _start", async () => {
  const bytes = readFileSync(command);
  expect(bytes.length).toBeLessThanOrEqual(96 * 1024);
  const module = await WebAssembly.compile(bytes);
  expect([...new Set(WebAssembly.Module.imports(module).map((one) => one.module))]).toEqual(["wasi_snapshot_preview1"]);
  expect(
    WebAssembly.Module.exports(module)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["_start", "memory"]);
  const nothing = new Proxy({}, { get: () => () => 0 });
  const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: nothing });
  const memory = exports.memory as WebAssembly.Memory;
  expect(() => memory.grow(2 ** 15 + 1 - memory.buffer.byteLength / 2 ** 16)).toThrow(RangeError);
});

/** 200 commands by their list of tools. */
const lists = new Map<string, { set: ToolSet; requests: string[] }>();
for (const [i, { request, tools }] of readExamples(fileURLToPath(fixture("commands.jsonl"))).entries()) {
  const list = lists.get(tools.key) ?? { set: tools.inOrder(), requests: [] };
  if (i % 2 === 1) list.requests.push(request);
  lists.set(tools.key, list);
}

/** A file of kept tools for each list, and what the runtime answers. */
async function expected(): Promise<{ tools: string; requests: string[]; answers: object[] }[]> {
  const model = await load();
  const session = model.session({ promptTokens: 128, answerTokens: 128 });
  const all = [];
  for (const { set, requests } of lists.values()) {
    const tools = join(folder, `${all.length}.kv`);
    writeFileSync(tools, await model.readTools(set, { device: true }));
    const answers = [];
    for (const request of requests) {
      const written: { name: string; arguments: object }[] = JSON.parse(
        (await session.call(request, set, { offer: set.tools.length })).text,
      );
      const nameOf = (name: string) => set.tools.find(({ promptName }) => promptName === name)?.name;
      answers.push(written.map((call) => ({ ...call, name: nameOf(call.name) })));
    }
    all.push({ tools, requests, answers });
  }
  model.close();
  return all;
}
const cases = await expected();
const linesOf = (text: string) =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe("200 commands over twelve lists are answered as by the runtime", () => {
  test(
    "under @wasmer/wasi, here",
    async () => {
      for (const { tools, requests, answers } of cases) {
        const run = await runCommand(readFileSync(pack), readFileSync(tools), `${requests.join("\n")}\n`);
        expect([run.code, linesOf(run.stdout)]).toEqual([0, answers]);
      }
      expect(cases.flatMap(({ requests }) => requests)).toHaveLength(200);
    },
    timeoutMs,
  );

  const withNode = skipping(Bun.which("node") !== null, "node is missing; install Node 20");
  withNode(
    "under @wasmer/wasi in Node, by the example of a few lines",
    () => {
      for (const { tools, requests, answers } of cases) {
        const { stdout, exitCode } = Bun.spawnSync(["node", "wasm/wasi/example.mjs", command, pack, tools], {
          cwd: root,
          stdin: Buffer.from(`${requests.join("\n")}\n`),
        });
        expect([exitCode, linesOf(stdout.toString())]).toEqual([0, answers]);
      }
    },
    timeoutMs,
  );

  const hasWasmtime = Bun.which("python3") && Bun.spawnSync(["python3", "-c", "import wasmtime"]).exitCode === 0;
  const withWasmtime = skipping(Boolean(hasWasmtime), "wasmtime for Python is missing; pip install wasmtime");
  withWasmtime(
    "under wasmtime, without JavaScript",
    () => {
      for (const [i, { tools, requests, answers }] of cases.entries()) {
        const work = join(folder, `work${i}`);
        mkdirSync(work);
        writeFileSync(join(work, "in"), `${requests.join("\n")}\n`);
        writeFileSync(join(work, "model.thimble"), readFileSync(pack));
        writeFileSync(join(work, "tools.kv"), readFileSync(tools));
        const { exitCode, stderr } = Bun.spawnSync(["python3", join(root, "test/wasi/independent.py"), command, work]);
        expect([exitCode, stderr.toString()]).toEqual([0, ""]);
        expect(linesOf(readFileSync(join(work, "out"), "utf8"))).toEqual(answers);
        rmSync(work, { recursive: true });
      }
    },
    timeoutMs,
  );
});

test("a request that is none gets a line of its own, and the exit code says so", async () => {
  const answers = await answerByWasi(undefined, ToolSet.from(watch), ["", "wake me\nat 7:15 tomorrow"]);
  expect(answers).toEqual([
    { error: "request: expected text, got none; say what to do" },
    [{ name: "set_alarm", arguments: { time: "7:15", date: "tomorrow" } }],
  ]);
});

test("a line longer than any request is an error, not answered by its beginning", async () => {
  const line = `set a timer for 5 minutes${" ".repeat(66_000)}no wait, cancel that\n`;
  const { code, stdout } = await runCommand(readFileSync(pack), readFileSync(cases[0].tools), line);
  expect([code, stdout]).toEqual([1, "error: request: expected at most 65536 bytes, got more; shorten it\n"]);
});

test("run --wasi refuses options that the command has not, and says what a tool asks in vain", async () => {
  const cli = (...words: string[]) => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, join(root, "tools/cli.ts"), "run", ...words]);
    return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
  };
  for (const option of [
    "--json",
    "--stream",
    "--offer=3",
    "--threads=2",
    "--tuning=none",
    "--free",
    "--kernels=simd",
  ]) {
    const { code, out, err } = cli("--wasi", option, "wake me");
    expect([code, out, err]).toEqual([2, "", expect.stringContaining(`got ${option.split("=")[0]}; leave one out`)]);
  }
  const list = join(folder, "pattern.json");
  writeFileSync(
    list,
    '[{"name":"note","parameters":{"type":"object","properties":{"note":{"type":"string","pattern":"^a"}}}}]',
  );
  expect(cli("--wasi", "--tools", list, "note apples").err).toContain("note.pattern is not held to");
});

test("run --wasi answers the lines that are not blank, and asks for one where there is none, as run does", async () => {
  const lines = await thimble(["run", "--wasi"], "\n  \nwake me at 7:15 tomorrow\r\n\nwake me at 8\n");
  expect({ ...lines, err: "" }).toEqual({
    ...{ code: 0, err: "" },
    out: 'set_alarm {"time":"7:15","date":"tomorrow"}\nset_alarm {"time":"8"}\n',
  });
  for (const input of ["", "\n \n"])
    expect(await thimble(["run", "--wasi"], input)).toEqual(await thimble(["run"], input));
  expect((await thimble(["run", "--wasi"])).code).toBe(2);
});

test("a model of another geometry whose calibration leans by the head's scores is answered as by the runtime", async () => {
  const odd = await oddFiles(folder, "calendar-mcp.json", { tool: 40, none: 2 });
  const model = await load(odd.pack, { kernels: "simd" });
  const session = model.session({ promptTokens: 128, answerTokens: 128 });
  const requests = ["book a meeting with anna", "what is on tomorrow", "delete it", "play some jazz"];
  const { stdout } = await runCommand(readFileSync(odd.pack), readFileSync(odd.tools), `${requests.join("\n")}\n`);
  const plain = (list: { arguments: object }[]) => list.map(({ arguments: given }) => given);
  for (const [i, line] of linesOf(stdout).entries()) {
    const { text } = await session.call(requests[i], odd.set, { offer: odd.set.tools.length });
    expect(plain(line)).toEqual(plain(JSON.parse(text)));
  }
  model.close();
});

test("files that are none fail with what is wrong, on standard error", async () => {
  const [{ tools }] = cases;
  const run = (model: Uint8Array, kept: Uint8Array) => runCommand(model, kept, "wake me\n");
  const bad = Uint8Array.from(readFileSync(pack));
  bad[bad.length - 100] ^= 1;
  expect(await run(bad, readFileSync(tools))).toEqual({
    code: 1,
    stdout: "",
    stderr: "thimble: pack: expected its checksums, got others; the file is damaged, copy it again\n",
  });
  expect((await run(readFileSync(pack), new Uint8Array(100))).stderr).toStartWith("thimble: tools: expected a file of");
  const version = async (file: Uint8Array) => (await run(file, readFileSync(tools))).stderr;
  expect(await version(readFileSync(fixture("first.thimble")))).toBe(
    "thimble: pack: expected version 2, got 1; make it one by `thimble build PACK -o NEW` and read its tools again\n",
  );
  const later = Uint8Array.from(readFileSync(pack));
  later[8] = packVersion + 1;
  expect(await version(later)).toStartWith("thimble: pack: expected version 2, got a newer one; ");
});
