/** The Even Hub page, bundled as its README says: in Chromium with a double of the app's bridge, and in Even's own simulator. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { missing } from "./support.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const executablePath = "/usr/bin/chromium";
const simulator = `${root}node_modules/@evenrealities/evenhub-simulator/bin/index.js`;
const pictures = process.env.THIMBLE_PICTURES;
const readme = readFileSync(`${root}firmware/glasses/evenhub/README.md`, "utf8");

let folder = "";
let server: ReturnType<typeof Bun.serve>;
let address = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thimble-evenhub-"));
  const command =
    readme
      .match(/npx bun (build .*) --outdir out (.*?)`/)
      ?.slice(1)
      .join(" ")
      .split(" ") ?? [];
  const built = Bun.spawnSync([process.execPath, ...command, "--outdir", folder], { cwd: root });
  if (built.exitCode) throw new Error(built.stderr.toString());
  // What the page shows is told to whoever reads its console.
  const watch = `<script>new MutationObserver(() => console.log("shown: " + document.getElementById("shown")?.textContent))
    .observe(document, { subtree: true, childList: true });</script>`;
  server = Bun.serve({
    port: 0,
    async fetch({ url }) {
      const { pathname } = new URL(url);
      const file = Bun.file(join(folder, pathname));
      if (pathname !== "/") return (await file.exists()) ? new Response(file) : new Response("no", { status: 404 });
      const html = await Bun.file(join(folder, "index.html")).text();
      return new Response(watch + html, { headers: { "content-type": "text/html; charset=utf-8" } });
    },
  });
  address = `http://127.0.0.1:${server.port}/`;
  if (pictures) mkdirSync(pictures, { recursive: true });
}, 60_000);
afterAll(() => {
  server.stop(true);
  rmSync(folder, { recursive: true });
});

/** The bridge of the Even app, as far as its documentation and its package's types say; keeps what the glasses show. */
function bridge() {
  const asked: { method: string; data: Record<string, unknown> }[] = [];
  const callHandler = async (name: string, json: string) => {
    if (name !== "evenAppMessage") throw new Error(`no such handler: ${name}`);
    const { type, method, data } = JSON.parse(json);
    if (type !== "call_even_app_method") throw new Error(`no such type: ${type}`);
    asked.push({ method, data });
    return method === "createStartUpPageContainer" ? 0 : true;
  };
  Object.assign(globalThis, { flutter_inappwebview: { callHandler }, asked });
}

describe.skipIf(missing(executablePath, "chromium"))("with a double of the bridge", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
  }, 60_000);
  afterAll(() => browser?.close());

  async function open(hash = ""): Promise<Page> {
    const tab = await browser.newPage();
    tab.on("pageerror", (error) => {
      throw error;
    });
    await tab.addInitScript(bridge);
    await tab.goto(address + hash);
    await shown(tab, "Ready.");
    return tab;
  }
  /** Waits for a text on the glasses. */
  const shown = (tab: Page, text: string) =>
    tab.waitForFunction((wanted) => {
      const asked = (globalThis as unknown as { asked: { method: string; data: { content?: string } }[] }).asked;
      return asked.some(({ method, data }) => method === "textContainerUpgrade" && data.content?.includes(wanted));
    }, text);
  const event = (tab: Page, kind: string, data: object) =>
    tab.evaluate(
      ([type, jsonData]) =>
        (globalThis as unknown as { _listenEvenAppMessage(message: unknown): void })._listenEvenAppMessage({
          ...{ type: "listen_even_app_data", method: "evenHubEvent", data: { type, jsonData } },
        }),
      [kind, data] as const,
    );
  const say = async (tab: Page, text: string) => {
    await tab.getByLabel("Say it, or type it").fill(text);
    await tab.keyboard.press("Enter");
  };

  test("a typed request is done and shown on the lens; its one container takes the events", async () => {
    const tab = await open();
    const [{ method, data }] = await tab.evaluate<{ method: string; data: Record<string, unknown> }[]>("asked");
    expect([method, data.containerTotalNum]).toEqual(["createStartUpPageContainer", 1]);
    expect((data.textObject as { isEventCapture: number }[]).map(({ isEventCapture }) => isEventCapture)).toEqual([1]);
    await say(tab, "write down buy milk");
    // Whether it asks before a note is the model's to say.
    await tab.waitForFunction(() => /milk/.test(document.getElementById("shown")?.textContent ?? ""));
    await event(tab, "sysEvent", { eventSource: 1, eventType: 0 });
    await shown(tab, "Note 1: buy milk");
    await say(tab, "undo that");
    await shown(tab, "Note taken back: buy milk");
    await tab.close();
  }, 60_000);

  test("a risky call is asked about: tap is yes, double tap is no, a click without its type too", async () => {
    const tab = await open();
    await say(tab, "erase all my notes");
    await shown(tab, "erase notes?\nyes or no");
    await event(tab, "sysEvent", { eventSource: 1, eventType: 3 });
    // Sooner than the ten seconds after which it would be dropped by itself.
    await tab.waitForFunction(() => document.getElementById("shown")?.textContent === "", null, { timeout: 5000 });
    await say(tab, "erase all my notes");
    await tab.waitForFunction(() => document.getElementById("shown")?.textContent?.startsWith("erase"));
    await event(tab, "sysEvent", { eventSource: 1 });
    await shown(tab, "0 notes erased");
    await tab.close();
  }, 60_000);

  test("what is longer than a container takes is cut for it, in whole characters", async () => {
    const tab = await open();
    await say(tab, "日本語 ".repeat(130));
    await shown(tab, "No tool fits: 日本語");
    const asked = await tab.evaluate<{ data: { content?: string } }[]>("asked");
    const longest = Math.max(...asked.map(({ data }) => Buffer.byteLength(data.content ?? "")));
    expect(longest).toBeGreaterThan(500);
    expect(longest).toBeLessThanOrEqual(999);
    await tab.close();
  }, 60_000);
});

const absent =
  missing("/usr/bin/xvfb-run", "xvfb") ||
  missing("/usr/lib/x86_64-linux-gnu/libwebkit2gtk-4.1.so.0", "libwebkit2gtk-4.1-0") ||
  !existsSync(simulator);

describe.skipIf(absent)("in Even's simulator", () => {
  const port = 20_000 + (process.pid % 10_000);
  const api = `http://127.0.0.1:${port}/api`;
  let simulated: ReturnType<typeof Bun.spawn>;

  const until = async (is: () => Promise<boolean>) => {
    for (let tries = 0; tries < 300; tries++) {
      if (await is().catch(() => false)) return;
      await Bun.sleep(100);
    }
    throw new Error("simulator: it did not come to this within 30 s");
  };
  const said = async (text: string) => (await (await fetch(`${api}/console`)).text()).includes(text);
  const lens = async () => Buffer.from(await (await fetch(`${api}/screenshot/glasses`)).arrayBuffer());

  afterAll(() => simulated?.kill());

  test("the model answers within it, a click answers yes, and the lens changes", async () => {
    const command = ["xvfb-run", "-a", "node", simulator, "--no-aid", "--automation-port", `${port}`];
    const url = `${address}#erase%20all%20my%20notes`;
    simulated = Bun.spawn(["timeout", "120", ...command, url], { stdout: "ignore", stderr: "ignore" });
    await until(async () => (await fetch(`${api}/ping`)).ok);
    await until(() => said("shown: erase notes?"));
    const asked = await lens();
    await fetch(`${api}/input`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ action: "click" }),
    });
    await until(() => said("shown: 0 notes erased"));
    await until(async () => !(await lens()).equals(asked));
    if (pictures) {
      writeFileSync(`${pictures}/evenhub-asks.png`, asked);
      writeFileSync(`${pictures}/evenhub-done.png`, await lens());
    }
  }, 120_000);
});
