import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cli, fixture, thimble } from "./support.ts";

const watch = fileURLToPath(new URL("../tools/watch.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("run prints a line a call: name, then arguments", async () => {
  const { code, out, err } = await thimble(["run", "wake me at 7:15 tomorrow"]);
  expect({ code, out, err }).toEqual({ code: 0, out: 'set_alarm {"time":"7:15","date":"tomorrow"}\n', err: "" });
});

test("run --json prints one object with calls", async () => {
  const { code, out } = await thimble(["run", "set a timer for 10 minutes", "--json"]);
  expect(code).toBe(0);
  const result = JSON.parse(out);
  expect(result.calls).toMatchObject([{ name: "set_timer", arguments: { duration: "10 minutes" } }]);
  expect(result.timings.promptTokens).toBeGreaterThan(100);
});

test("the request, or the tools, may come from standard input; --stream writes the text", async () => {
  expect((await thimble(["run"], "wake me at 7:15 tomorrow\n")).out).toStartWith("set_alarm ");
  const tools = readFileSync(watch, "utf8");
  const { out } = await thimble(["run", "wake me at 7:15 tomorrow", "--tools", "-", "--stream"], tools);
  expect(out).toBe('[{"name":"set_alarm","arguments":{"time":"7:15","date":"tomorrow"}}]\n');
});

test("no tool fits is said in words", async () => {
  expect((await thimble(["run", "what is the capital of france"])).out).toBe("no tool fits\n");
});

test("build converts a checkpoint, inspect shows it, run runs it", async () => {
  const pack = join(folder, "tiny.thimble");
  const vocab = join(folder, "vocab.txt");
  const pieces = readFileSync(fixture("nano.vocab.txt"), "utf8").split("\n").slice(0, 96).join("\n");
  writeFileSync(vocab, pieces);
  const built = await thimble([
    "build",
    fileURLToPath(fixture("tiny.safetensors")),
    "-o",
    pack,
    "--vocab",
    vocab,
    "--licence",
    "Apache-2.0",
  ]);
  expect(built).toEqual({ code: 0, out: `${pack} ${readFileSync(pack).length} bytes\n`, err: "" });
  const { code, out } = await thimble(["inspect", pack, "--json"]);
  expect(code).toBe(0);
  const shown = JSON.parse(out);
  expect(shown.geometry).toMatchObject({ vocabSize: 96, dModel: 64, nEncoderLayers: 2, contrastiveDim: 16 });
  expect(shown.provenance).toEqual({
    source: "tiny.safetensors",
    vocabulary: "vocab.txt",
    note: "random weights, made for conformance tests",
  });
  expect(shown.threads).toEqual({ cores: availableParallelism(), missing: null });
  expect((await thimble(["inspect"])).out).toContain("every checksum right");
});

test("inspect says aloud what keeps threads away; run takes them where they are", async () => {
  const preload = join(folder, "unshared.js");
  writeFileSync(preload, "delete globalThis.SharedArrayBuffer;");
  const { stdout } = Bun.spawnSync([process.execPath, "--preload", preload, cli, "inspect"]);
  expect(stdout.toString()).toContain("no threads: expected a host with SharedArrayBuffer");
  const { out } = await thimble(["run", "wake me at 7:15 tomorrow", "--threads", "2", "--json"]);
  expect(JSON.parse(out)).toMatchObject({ threads: 2, calls: [{ name: "set_alarm" }] });
});

test("bench --json has the documented keys", async () => {
  const { code, out } = await thimble(["bench", "--json", "--runs", "1", "--kernels", "simd", "--threads", "2"]);
  expect(code).toBe(0);
  const report = JSON.parse(out);
  expect(Object.keys(report)).toEqual([
    ...[
      "machine",
      "isa",
      "threads",
      "geometry",
      "packBytes",
      "kernelBytes",
      "loadMs",
      "linearMemoryBytes",
      "peakRssBytes",
    ],
    ...["prefill", "decode", "grammar", "callMs"],
  ]);
  expect(report.threads).toBe(2);
  expect(report.prefill.map((p: { promptTokens: number }) => p.promptTokens)).toEqual([32, 128, 271, 512]);
  expect(Object.keys(report.prefill[0])).toEqual(["promptTokens", "tokensPerSecond", "gmacPerSecond"]);
  expect(Object.keys(report.decode)).toEqual(["free", "grammar"]);
});

test("bench --roofline --json: the host's peaks, and every kernel's share of one", async () => {
  const { code, out } = await thimble(["bench", "--roofline", "--json", "--runs", "1", "--kernels", "simd"]);
  expect(code).toBe(0);
  const report = JSON.parse(out);
  expect(Object.keys(report)).toEqual(["machine", "isa", "nibblePeak", "pairPeak", "readPeak", "kernels"]);
  for (const peak of [report.nibblePeak, report.pairPeak, report.readPeak]) expect(peak).toBeGreaterThan(0);
  const named = (name: string) => report.kernels.find((kernel: { name: string }) => kernel.name.startsWith(name));
  for (const name of ["matmul_1", "matmul_2", "matmul_4", "attention_1", "attention_2", "attention_4", "logit_rows"])
    expect(["dot", "read"]).toContain(named(name).roof);
  for (const name of ["argmax", "softmax", "rms_norm", "quantize"]) expect(named(name).micros).toBeGreaterThan(0);
});

test("bench --margins lists a token that the reference did not pick, and fails where its gap is 0.5 or more", async () => {
  const file = join(folder, "answers.json");
  const margins = async (ids: number[], gap: number) => {
    const cases = [{ encoder_ids: [300, 400, 5, 500], int4: { ids, gaps: ids.map(() => gap) } }];
    await Bun.write(file, JSON.stringify({ cases }));
    return thimble(["bench", "--margins", file, "--kernels", "simd", "--json"]);
  };
  const listed = await margins([7], 0.49);
  expect(listed.code).toBe(0);
  const [{ token, ...rest }] = JSON.parse(listed.out).differences;
  expect(rest).toEqual({ prompt: 0, step: 0, reference: 7, gap: 0.49 });
  expect((await margins([7], 0.5)).code).toBe(1);
  const own = await margins([token], 9);
  expect(own.code).toBe(0);
  expect(JSON.parse(own.out)).toEqual({ isa: "simd", steps: 1, differences: [] });
});

test.each(["run", "build", "pull", "inspect", "bench", "profile", "lint", "eval", "calibrate", "data"])(
  "%s --help shows the command and a real example",
  async (name) => {
    const { code, out } = await thimble([name, "--help"]);
    expect(code).toBe(0);
    expect(out).toStartWith(`thimble ${name}`);
    expect(out.trim().split("\n").at(-1)).toStartWith(`  thimble ${name} `);
  },
);

test.each([
  ["an unknown command", ["rum"], 2, "expected a command, one of run, build"],
  ["an unknown option", ["run", "x", "--speed"], 2, "--speed"],
  ["a missing output", ["build", "x"], 2, "expected -o PACK"],
  ["wrong kernels", ["run", "x", "--kernels", "neon"], 2, "expected one of relaxed, simd, scalar"],
  [
    "a missing pack",
    ["run", "x", "--model", "nowhere.thimble"],
    1,
    "nowhere.thimble: expected a readable pack, got ENOENT",
  ],
  ["a file that is no pack", ["inspect", cli], 1, "magic: expected a thimble pack"],
  ["missing tools", ["run", "x", "--tools", "nowhere.json"], 1, "nowhere.json: expected a readable file"],
  ["tools that are not JSON", ["run", "x", "--tools", cli], 1, "tools: expected JSON"],
  ["an empty request", ["run", " "], 1, "request: expected text, got none"],
  ["a checkpoint that is none", ["build", cli, "-o", join(folder, "x")], 1, "cli.ts"],
])("%s: exit code and one line", async (_, args, want, message) => {
  const { code, out, err } = await thimble(args);
  expect(err).toContain(message);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(err).toStartWith("thimble: ");
  expect({ code, out }).toEqual({ code: want, out: "" });
});

test("bench --budget measures each budget and resident weights; --arrival a prefill that does not wait for the download", async () => {
  const { code, out } = await thimble(["bench", "--budget", "2,2.5", "--runs", "1", "--json"]);
  expect(code).toBe(0);
  const { reports } = JSON.parse(out);
  expect(reports.map((report: { memoryBytes: number }) => report.memoryBytes)).toEqual([2 ** 21, 2.5 * 2 ** 20, null]);
  const stays = reports.map((report: { residentBytes: number }) => report.residentBytes);
  expect(stays).toEqual([...new Set<number>(stays)].sort((a, b) => a - b));
  for (const { linearMemoryBytes, memoryBytes } of reports.slice(0, 2)) {
    expect(linearMemoryBytes).toBeLessThanOrEqual(memoryBytes);
  }
  const arrival = JSON.parse((await thimble(["bench", "--arrival", "--runs", "1", "--json"])).out);
  // Paced by the server, so that no machine is too slow for it: the last half megabyte comes after the prefill.
  expect(arrival.downloadThenRunMs - arrival.asItArrivesMs).toBeGreaterThan(100);
  expect((await thimble(["bench", "--budget", "much"])).code).toBe(2);
});
