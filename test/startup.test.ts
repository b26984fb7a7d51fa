/** What a command loads before it does anything: `run` is as quick as its imports are few. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { detectBuild, kernelModule } from "../runtime/engine/kernels.ts";
import { buildNames } from "../wasm/abi.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const transpiler = new Bun.Transpiler({ loader: "ts" });

const read = (path: string) => readFileSync(join(root, path), "utf8").replace(/^#!.*/, "");

/** Modules that come with one before its first line runs: by path in the project, or a host's own. */
function comesWith(path: string, met = new Set<string>()): Set<string> {
  if (met.has(path)) return met;
  met.add(path);
  if (path.startsWith("node:")) return met;
  for (const { path: next, kind } of transpiler.scanImports(read(path))) {
    if (kind !== "import-statement") continue;
    comesWith(next.startsWith(".") ? relative(root, join(root, path, "..", next)) : next, met);
  }
  return met;
}

test("the command line loads no command before it is named", () => {
  expect([...comesWith("tools/cli.ts")].sort()).toEqual([
    "node:fs",
    "node:util",
    "tools/cli.ts",
    "tools/command.ts",
    "wasm/abi.ts",
  ]);
});

test("run loads what a call needs, no other command and not the wire, and this list says what", () => {
  const files: Record<string, string[]> = {};
  for (const path of [...comesWith("tools/run.ts")].sort()) {
    const room = path.startsWith("node:") ? "node" : path.slice(0, path.lastIndexOf("/"));
    files[room] = [
      ...(files[room] ?? []),
      path.slice(path.startsWith("node:") ? 5 : room.length + 1).replace(".ts", ""),
    ];
  }
  const list = Object.entries(files).map(([room, names]) => `${room}: ${names.join(" ")}`);
  expect(list).toEqual([
    "node: fs url util",
    "runtime/answer: answer arguments copy decision enums figures lean provenance rank repeat rules said taught toolcall trace",
    "runtime: clock default errors json limits lru msgpack session thimble turns",
    "runtime/engine: decoder embedding encoder kernels memory modelplan sessionplan threads trial tuningplan warm worker",
    "runtime/grammar: automaton grammar scalars state",
    "runtime/kept: block form kept read",
    "runtime/load: cache checksum files integrity loader patience ring source store stream tuning web weights",
    "runtime/pack: calibration pack quant renew xxh32",
    "runtime/prompt: apart joint prompt",
    "runtime/text: days extremes letters numbers request timeofday tokenizer trie units",
    "runtime/tools: bounds decimal forms keywords mend merge overlap pointer prompt reader schema shapes shortest tools typing words",
    "tools: command lines model run toollist",
    "wasm: abi",
    "wasm/built: bytes",
  ]);
});

test("run makes no class of Unicode's letters by itself: letters.ts does, for texts that have some", () => {
  const own = [...comesWith("tools/run.ts")]
    .filter((path) => !path.startsWith("node:"))
    .flatMap((path) =>
      read(path)
        .split("\n")
        .map((line) => `${path}: ${line.trim()}`),
    )
    .filter((line) => /\\p\{(L|N|M|P|sc=)/.test(line) && !/patternOf\(|^runtime\/text\/letters/.test(line));
  expect(own).toEqual([]);
});

test("the built run opens two files, and asks the host for its modules, which looks into those that are imported", () => {
  const loaded = [...comesWith("dist/tools/cli.js")];
  const asked = [...read("dist/tools/cli.js").matchAll(/getBuiltinModule\("([\w:]+)"\)/g)].map(([, name]) => name);
  expect([...new Set(asked)].sort()).toEqual(["node:fs", "node:url", "node:util", "node:v8"]);
  expect(loaded).toEqual(["dist/tools/cli.js", "dist/runtime/core.js"]);
  // A letter beyond ASCII makes a host keep all of a file at two bytes a character.
  for (const path of loaded) expect([path, /[\u0080-\uffff]/.test(read(path))]).toEqual([path, false]);
  // What it loads when asked for stands beside it.
  const imports = transpiler.scanImports(read("dist/tools/cli.js"));
  const later = imports.filter(({ kind, path }) => kind === "dynamic-import" && path.startsWith("."));
  for (const { path } of later) expect(existsSync(join(root, "dist/tools", path))).toBe(true);
  expect(later.length).toBeGreaterThan(8);
});

test("the kernels are the first of relaxed, simd and scalar that the host validates, or dot where both relaxed ones run", () => {
  const first = buildNames.slice(1).find((name) => WebAssembly.validate(kernelModule(name)));
  expect(first === "relaxed" ? ["dot", first] : [first]).toContain(detectBuild());
  const { stdout } = Bun.spawnSync(
    ["node", "--input-type=module", "--eval", 'console.log((await import("./dist/runtime/index.js")).detectBuild())'],
    { cwd: root },
  );
  const [major] = Bun.spawnSync(["node", "--version"]).stdout.toString().slice(1).split(".").map(Number);
  expect(major >= 22 ? ["dot", "relaxed"] : ["simd"]).toContain(stdout.toString().trim());
});
