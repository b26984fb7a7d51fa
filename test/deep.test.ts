/** Schemas and values within one another end alike wherever a tool list is packed, however small its stack. */
import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import * as thimble from "../runtime/index.ts";
import { endsOf } from "./deep.ts";
import { missing } from "./support.ts";

const executablePath = "/usr/bin/chromium";
const inChromium = missing(executablePath, "chromium") ? test.skip : test;
const folder = mkdtempSync(join(tmpdir(), "thimble-deep-"));
afterAll(() => rmSync(folder, { recursive: true }));

const here = endsOf(thimble);
/** The ends of another host, which runs a bundle of what is built. */
const script = bundle();

async function bundle(): Promise<string> {
  const at = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  const entry = join(folder, "entry.ts");
  writeFileSync(
    entry,
    `import { endsOf } from ${at("./deep.ts")}; import * as thimble from ${at("../dist/runtime/index.js")};
    const ends = endsOf(thimble); globalThis.postMessage ? postMessage(ends) : console.log(JSON.stringify(ends));`,
  );
  const built = await Bun.build({ entrypoints: [entry], target: "browser" });
  return built.outputs[0].text();
}

test("what is nested within the bounds goes to a watch and comes back, deeper is refused, and no stack overflows", () => {
  for (const [what, end] of Object.entries(here)) {
    const [kind, depth] = what.split(" ");
    if (Number(depth) < 128 && !what.includes("bytes")) expect([what, end]).toEqual([what, "well"]);
    if (Number(depth) === 5000) expect([what, end]).toEqual([what, expect.stringContaining("at most")]);
    expect([what, end]).toEqual([
      what,
      expect.stringMatching(/^(well|(ToolError|CapacityError|FormatError): expected)/),
    ]);
    if (kind === "object" && depth === "1500") expect(end).toBe("ToolError: expected at most 1024 values within one ");
  }
});

test("as here on Node", async () => {
  const path = join(folder, "bundle.mjs");
  writeFileSync(path, await script);
  const { stdout, stderr } = spawnSync("node", [path], { encoding: "utf8" });
  expect(JSON.parse(stdout || JSON.stringify(stderr))).toEqual(here);
});

inChromium("as here in a worker of Chromium", async () => {
  const text = await script;
  const server = Bun.serve({
    port: 0,
    fetch: ({ url }) => {
      const [body, type] = url.endsWith(".js") ? [text, "text/javascript"] : ["<!doctype html>", "text/html"];
      return new Response(body, { headers: { "content-type": type } });
    },
  });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://localhost:${server.port}/`);
    const ends = await tab.evaluate(
      () =>
        new Promise((resolve) => {
          const worker = new Worker("/worker.js", { type: "module" });
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => resolve(message);
        }),
    );
    expect(ends).toEqual(here);
  } finally {
    await browser.close();
    server.stop(true);
  }
});
