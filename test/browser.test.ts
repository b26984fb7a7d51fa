/** A real Chromium loads the runtime and the default pack from a local server and makes a call, on a page and in a worker. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { missing } from "./support.ts";

const executablePath = "/usr/bin/chromium";
const root = new URL("../", import.meta.url);
const importMap = { imports: { thimble: "/dist/runtime/index.js" } };
const page = `<!doctype html><meta charset="utf-8"><title>thimble</title>
<script type="importmap">${JSON.stringify(importMap)}</script><p id="answer">…</p>`;
/** What makes a page cross-origin isolated, which shared memory needs. */
const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
// Workers know no import maps: a bundler's job, here done by the server.
const types: Record<string, string> = {
  js: "text/javascript",
  json: "application/json",
  thimble: "application/octet-stream",
};

let browser: Browser;
let server: ReturnType<typeof Bun.serve>;
let packRequests = 0;

const absent = missing(executablePath, "chromium");
const inBrowser = absent ? test.skip : test;

beforeAll(async () => {
  if (absent) return;
  server = Bun.serve({
    port: 0,
    async fetch({ url }) {
      const { pathname } = new URL(url);
      if (pathname.endsWith(".thimble")) packRequests++;
      if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html" } });
      if (pathname === "/isolated")
        return new Response(page, { headers: { "content-type": "text/html", ...isolated } });
      if (pathname === "/worker.js") return bundle();
      const file = Bun.file(new URL(`.${pathname}`, root));
      if (!(await file.exists())) return new Response("no", { status: 404 });
      return new Response(file, {
        headers: { "content-type": types[pathname.split(".").pop() ?? ""] ?? "text/plain" },
      });
    },
  });
  browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});
afterAll(async () => {
  await browser?.close();
  server?.stop(true);
});

async function bundle(): Promise<Response> {
  const entry = `import { load } from ${JSON.stringify(new URL("./dist/runtime/index.js", root).pathname)};
    onmessage = async ({ data }) => {
      const model = await load("/dist/runtime/model/default.thimble", { threads: 2 });
      postMessage({ threads: model.threads, calls: (await model.call(data.request, data.tools)).calls });
    };`;
  const folder = mkdtempSync(join(tmpdir(), "thimble-browser-"));
  const path = join(folder, "worker.js");
  await Bun.write(path, entry);
  const built = await Bun.build({ entrypoints: [path], target: "browser", minify: true });
  rmSync(folder, { recursive: true });
  return new Response(await built.outputs[0].text(), { headers: { "content-type": "text/javascript", ...isolated } });
}

const tools = await Bun.file(new URL("tools/watch.json", root)).json();
const request = "wake me at 7:15 tomorrow";
const want = [{ name: "set_alarm", arguments: { time: "7:15", date: "tomorrow" } }];

inBrowser("a page loads the default model by its own address, with progress, and makes a call", async () => {
  const tab = await browser.newPage();
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(String(error)));
  await tab.goto(`http://localhost:${server.port}/`);
  const result = await tab.evaluate(
    async ({ request, tools }) => {
      const name = "thimble";
      const { load } = (await import(name)) as typeof import("../runtime/index.ts");
      let progress = 0;
      const model = await load(undefined, {
        onProgress: ({ loadedBytes, totalBytes }) => (progress = loadedBytes / totalBytes),
      });
      const { calls, timings } = await model.call(request, tools);
      (document.getElementById("answer") as HTMLElement).textContent = calls[0].name;
      return { calls, progress, build: model.build, ms: timings.totalMs };
    },
    { request, tools },
  );
  expect(errors).toEqual([]);
  expect(result).toMatchObject({ calls: want, progress: 1 });
  expect(["dot", "relaxed"]).toContain(result.build);
  expect(await tab.textContent("#answer")).toBe("set_alarm");
});

inBrowser(
  "OPFS keeps a pack: what an abort left is not fetched again, and its file serves a memory budget",
  async () => {
    const tab = await browser.newPage();
    await tab.goto(`http://localhost:${server.port}/`);
    const visit = (stopAt: number) =>
      tab.evaluate(
        async ({ request, tools, stopAt }) => {
          const name = "thimble";
          const { load, pull } = (await import(name)) as typeof import("../runtime/index.ts");
          const stop = new AbortController();
          const steps: number[] = [];
          const onProgress = ({ loadedBytes, totalBytes }: { loadedBytes: number; totalBytes: number }) => {
            steps.push(loadedBytes / totalBytes);
            if (loadedBytes > stopAt * totalBytes) stop.abort(new Error("enough"));
          };
          const address = "/dist/runtime/model/default.thimble";
          try {
            const file = await pull(address, { onProgress, signal: stop.signal });
            const model = await load(file, { memory: 2.5 * 2 ** 20 });
            const { calls } = await model.call(request, tools);
            const { calls: cached } = await (await load(address, { cache: true })).call(request, tools);
            return { calls, cached, memory: model.linearMemoryBytes, first: steps[0] };
          } catch (error) {
            return { error: String(error), first: steps[0] };
          }
        },
        { request, tools, stopAt },
      );
    const stopped = await visit(0.7);
    expect(stopped).toMatchObject({ error: "Error: enough" });
    expect(stopped.first).toBeLessThan(0.1);
    const resumed = await visit(2);
    expect(resumed).toMatchObject({ calls: want, cached: want, memory: 2.5 * 2 ** 20 });
    expect(resumed.first).toBeGreaterThan(0.5);
    packRequests = 0;
    expect(await visit(2)).toMatchObject({ calls: want, cached: want });
    expect(packRequests).toBe(0);
  },
);

inBrowser("OPFS keeps tools that were read: the next visit reads none, and a file of them can be fetched", async () => {
  // A page of its own would have private files of its own.
  const tab = await browser.newPage();
  const visit = async () => {
    await tab.goto(`http://localhost:${server.port}/`);
    return tab.evaluate(
      async ({ request, tools }) => {
        const name = "thimble";
        const { load } = (await import(name)) as typeof import("../runtime/index.ts");
        const model = await load();
        let read = 0;
        await model.prepare(tools, { cache: true, onProgress: () => read++ });
        const { calls, timings } = await model.call(request, tools);
        const file = await model.readTools(tools);
        const other = await load();
        await other.prepare(URL.createObjectURL(new Blob([file as Uint8Array<ArrayBuffer>])));
        const { timings: fetched } = await other.call(request, tools.toReversed());
        return { calls, read, later: timings.tools.read, fetched: fetched.tools.read };
      },
      { request, tools },
    );
  };
  expect(await visit()).toEqual({ calls: expect.anything(), read: 7, later: 0, fetched: 0 });
  expect(await visit()).toMatchObject({ calls: want, read: 0, later: 0, fetched: 0 });
});

inBrowser("a bundled, minified worker answers on threads of its own", async () => {
  const tab = await browser.newPage();
  await tab.goto(`http://localhost:${server.port}/isolated`);
  const answer = await tab.evaluate(
    ({ request, tools }) =>
      new Promise((resolve, reject) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage({ request, tools });
      }),
    { request, tools },
  );
  expect(answer).toMatchObject({ calls: want, threads: 2 });
});

for (const [path, threads, missing] of [
  ["/isolated", 2, undefined],
  ["/", 1, "expected a cross-origin isolated page; serve it with COOP and COEP headers"],
] as const) {
  inBrowser(`a page at ${path} that asks for 2 threads gets ${threads}, and answers`, async () => {
    const tab = await browser.newPage();
    await tab.goto(`http://localhost:${server.port}${path}`);
    const result = await tab.evaluate(
      async ({ request, tools }) => {
        const name = "thimble";
        const { load } = (await import(name)) as typeof import("../runtime/index.ts");
        const model = await load(undefined, { threads: 2 });
        const { threads, threadsMissing } = model;
        const tokens: number[][] = [];
        for (let i = 0; i < 5; i++) tokens.push((await model.call(request, tools)).tokens);
        model.close();
        tokens.push((await model.call(request, tools)).tokens);
        return { threads, threadsMissing, tokens, one: (await (await load()).call(request, tools)).tokens };
      },
      { request, tools },
    );
    expect(result).toMatchObject({ threads, tokens: Array(6).fill(result.one) });
    expect(result.threadsMissing).toBe(missing);
  });
}
