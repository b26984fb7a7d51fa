/** The package as a stranger gets it: packed, installed in an empty folder, on Node alone. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installInto } from "./support.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-package-"));
const installed = join(folder, "node_modules", "thimble");
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string[], cwd: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, stdout: "pipe", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit code ${exitCode}: ${stderr}`);
  return stdout.toString();
}

beforeAll(() => installInto(folder), 120_000);

function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

test("unpacks to at most 4 MB with the default model, without Bun and binaryen", () => {
  expect(sizeOf(installed)).toBeLessThanOrEqual(4_000_000);
  for (const name of ["bun", "binaryen"]) expect(existsSync(join(folder, "node_modules", name))).toBe(false);
  for (const name of ["LICENSE", "README.md", "runtime/model/README.md"])
    expect(existsSync(join(installed, name))).toBe(true);
});

test("what its pages link to is there, but for what only the repository has: training, C, how figures were measured, pictures", () => {
  const absent: string[] = [];
  for (const page of ["README.md", "runtime/README.md"])
    for (const [, link] of readFileSync(join(installed, page), "utf8").matchAll(/\]\(([^):#]+)\)/g))
      if (!existsSync(join(installed, page, "..", link))) absent.push(link);
  expect(absent.filter((link) => !/^(test|tools\/train|tools\/bench|firmware\/mcu)\/|\.png$/.test(link))).toEqual([]);
});

test("installing it runs no script of its own, and brings no other package", () => {
  const { scripts, dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  for (const name of ["preinstall", "install", "postinstall", "prepare"]) expect(scripts).not.toHaveProperty(name);
  expect(dependencies).toBeUndefined();
});

test("npx thimble runs the main job on Node", () => {
  expect(run(["npx", "thimble", "run", "wake me at 7:15 tomorrow"], folder)).toBe(
    'set_alarm {"time":"7:15","date":"tomorrow"}\n',
  );
});

test("npx thimble serve answers on Node; what only MCP needs is named where it is not installed", async () => {
  for (const [args, name] of [
    [["--mcp"], "@modelcontextprotocol/server"],
    [["--mcp", "--stdio"], "@modelcontextprotocol/server"],
  ] as const) {
    const { exitCode, stderr } = Bun.spawnSync(["npx", "thimble", "serve", ...args], { cwd: folder, stderr: "pipe" });
    expect(exitCode).toBe(1);
    expect(stderr.toString()).toContain(`npm install ${name}`);
  }
  const child = Bun.spawn(["node", join(installed, "dist/tools/cli.js"), "serve", "--port", "0"], { stderr: "pipe" });
  const { value } = await child.stderr.getReader().read();
  const [address] = /http:\S+/.exec(new TextDecoder().decode(value)) ?? [];
  expect((await (await fetch(`${address}/models`)).json()).data[0].id).toBe("thimble");
  child.kill();
  expect(await child.exited).toBe(0);
});

test("npx thimble profile runs on Node with cold starts, allocations and the page", () => {
  const html = join(folder, "profile.html");
  const report = JSON.parse(
    run(["npx", "thimble", "profile", "--json", "--calls", "2", "--cold", "1", "--html", html], folder),
  );
  expect(report.board.host).toStartWith("Node ");
  expect(report.coldStart.phases).toHaveLength(7);
  expect(report.allocations.heapBytes).toBeGreaterThan(10_000);
  expect(readFileSync(html, "utf8")).toContain("uPlot=function");
});

test("the library call works on Node, kernels and model are exported, types ship", () => {
  const script = `
    import { load } from "thimble";
    import { readFileSync } from "node:fs";
    import { fileURLToPath } from "node:url";
    const file = (name) => readFileSync(fileURLToPath(import.meta.resolve(name)));
    const model = await load(file("thimble/model"), { kernels: "simd" });
    await import("thimble/companion");
    const { calls } = await model.call("start a yoga workout", [
      { name: "startWorkout", description: "Start tracking a workout.", parameters: { activity: { type: "string", required: true } } },
    ]);
    console.log(JSON.stringify([calls.map(({ name, arguments: args }) => [name, args]), WebAssembly.validate(file("thimble/kernels/scalar.wasm")), file("thimble/espruino/thimble.js").length > 1000]));`;
  writeFileSync(join(folder, "call.js"), script);
  expect(JSON.parse(run(["node", "call.js"], folder))).toEqual([[["startWorkout", { activity: "yoga" }]], true, true]);
  expect(readFileSync(join(installed, "dist/runtime/index.d.ts"), "utf8")).toContain("export");
});

test("two threads answer on Node as one does, and the process ends by itself", () => {
  const script = `
    import { load } from "thimble";
    const tools = [{ name: "startWorkout", parameters: { activity: { type: "string", required: true } } }];
    const models = [await load(), await load(undefined, { threads: 2 })];
    const answers = [];
    for (let i = 0; i < 5; i++) for (const model of models) answers.push((await model.call("start a yoga workout", tools)).text);
    console.log(JSON.stringify([models.map(({ threads }) => threads), new Set(answers).size]));`;
  expect(JSON.parse(run(["node", "--input-type=module", "--eval", script], folder))).toEqual([[1, 2], 1]);
});

test.each([
  ["a page's types", "es2022,dom", ""],
  ["Node's types and not the DOM's", "es2022", "node"],
  ["the language's types alone", "es2022", ""],
])("its types serve a strict project that checks its libraries, with %s", (_, lib, types) => {
  const source = `
    import { type CallResult, defineTools, dispatch, load } from "thimble";
    import { connect } from "thimble/companion";
    import pack from "thimble/model";
    export const address: string = pack;
    export const bytes = new Uint8Array(pack);
    const model = await load(undefined, { kernels: "simd" });
    const { calls }: CallResult = await model.call("x", [{ name: "f" }]);
    export const name: string = calls[0].name;
    // @ts-expect-error a name is no number
    export const wrong: number = calls[0].name;
    const tools = defineTools({
      setTimer: { parameters: { minutes: { type: "integer", required: true }, label: { type: "string" } } },
      stop: {},
    });
    const result = await model.call("x", tools);
    await dispatch(result, { setTimer: ({ minutes, label }) => minutes.toFixed() + label?.length, stop: () => {} });
    // @ts-expect-error a handler is missing
    await dispatch(result, { stop: () => {} });
    // @ts-expect-error minutes are no text
    await dispatch(result, { setTimer: ({ minutes }) => minutes.trim(), stop: () => {} });
    // @ts-expect-error what sessions run on is no part of the surface
    model.inside;
    // @ts-expect-error nor is the session of call
    model.first;
    connect;`;
  writeFileSync(join(folder, "strict.ts"), source);
  const options = `--ignoreConfig --strict --noEmit --module nodenext --target es2022 --lib ${lib}`.split(" ");
  const roots = ["--typeRoots", join(root, "node_modules/@types"), "--types", types];
  run([join(root, "node_modules/.bin/tsc"), ...options, ...roots, "strict.ts"], folder);
});

test("the runtime imports no Node built-in, but where only Node and Bun come: to read paths, and Node to open workers", () => {
  const named = new Set<string>();
  for (const path of readdirSync(join(installed, "dist/runtime"), { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".js")) continue;
    const text = readFileSync(join(installed, "dist/runtime", path), "utf8");
    expect(text).not.toMatch(/(from|import|require)\s*\(?\s*["'](node:|fs|path|url|os)/);
    for (const [name] of text.matchAll(/node:\w+/g)) named.add(name);
  }
  expect([...named].sort()).toEqual(["node:fs", "node:worker_threads"]);
});

test("every file of it is reached: the runtime's by its exports, the tools' by the command line", () => {
  const met = new Set<string>();
  const visit = (path: string) => {
    if (met.has(path)) return;
    met.add(path);
    for (const [, from] of readFileSync(path, "utf8").matchAll(/["'`](\.\.?\/[\w./-]+\.js)["'`]/g)) {
      const next = join(path, "..", from);
      if (existsSync(next)) visit(next);
    }
  };
  const { exports, bin } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  for (const one of Object.values<string | { default: string }>({ ...exports, ...bin })) {
    const entry = typeof one === "string" ? one : one.default;
    if (/^(\.\/)?dist\/(runtime|tools)\/\w+\.js$/.test(entry)) visit(join(installed, entry));
  }
  const files = ["dist/runtime", "dist/tools"].flatMap((folder) =>
    readdirSync(join(installed, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
  );
  // Cold starts run their children, and training its threads, by a path they make; the charts' library goes into a page.
  const own = files.filter(
    (path) => path.endsWith(".js") && !/uPlot|coldstart-child|oneshot-child|crew-worker|teacher/.test(path),
  );
  expect(own.filter((path) => !met.has(join(installed, path)))).toEqual([]);
});
