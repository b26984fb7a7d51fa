/** The playground in a real Chromium: served by the built command on Node, and as files of any web server. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { defaultModel } from "../runtime/index.ts";
import { absent, built, editTools, Playground, picture, shows, startServer, type } from "./playground.ts";
import { until } from "./served.ts";
import { codeFiles } from "./wear/bangle.ts";
import { radio } from "./wear/radio.ts";

const watchTools = fileURLToPath(new URL("../tools/watch.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-playground-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(absent)("the playground", () => {
  let played: Playground;
  let browser: Browser;
  let address = "";
  let faults: string[] = [];

  beforeAll(async () => {
    played = await Playground.start();
    ({ browser, address, faults } = played);
  }, 60_000);
  afterAll(() => played?.stop());
  const open = (...asked: Parameters<Playground["open"]>): Promise<Page> => played.open(...asked);
  const close = (page: Page) => played.close(page);

  test("a request is answered as it is typed: calls, values by the words they are, tokens, times", async () => {
    const page = await open();
    await shows(page, "#call", "send_message");
    const marks = await page
      .locator("#words mark")
      .evaluateAll((all) => all.map((one) => [(one as HTMLElement).title, one.textContent]));
    expect(marks.map(([name]) => name)).toEqual(["recipient", "text", "time", "date"]);
    const calls = (await page.locator("#call").allTextContents()).join();
    for (const [name, words] of marks) expect(calls).toContain(`"${name}": "${words}"`);
    await type(page, "play some jazz");
    await shows(page, "#call", /^play_music \{ "genre": "jazz" \}$/);
    expect(await page.locator("#words").textContent()).toBe("play some jazz");
    const [, count, forced] =
      /(\d+), (\d+) forced/.exec((await page.getByRole("heading", { name: "Tokens" }).textContent()) ?? "") ?? [];
    expect(await page.locator(".token").count()).toBe(Number(count));
    expect(await page.locator(".token.forced").count()).toBe(Number(forced));
    expect(await page.locator(".times dt").allTextContents()).toEqual(["Prefill", "Decode"]);
    await type(page, "what is the meaning of life");
    await page.getByText("No tool fits.").waitFor();
    await type(page, "");
    await page.locator("#call").waitFor({ state: "detached" });
    await type(page, "x ".repeat(3000));
    await shows(page, "#fault", "shorten");
    await type(page, "turn the lights off");
    await shows(page, "#call", "set_lights");
    expect(await page.locator("#fault").textContent()).toBe("");
    await close(page);
  });

  test("a broken list is marked in its place, and the one before stays in force", async () => {
    const page = await open();
    await editTools(page, '[{"name": "feed_cat", "description": "Feed the cat."}');
    await shows(page, "#tools-fault", "The list before stays in force");
    await page.locator(".cm-lintPoint-error, .cm-lintRange-error").first().waitFor({ state: "attached" });
    await type(page, "play some jazz");
    await shows(page, "#call", "play_music");
    await editTools(page, '[\n {"name": "f"},\n {"name": "g", "parameters":\n  {"city": {"type": "strng"}}}\n]');
    await shows(page, "#tools-fault", "tools[1].parameters.city.type");
    await page.locator(".cm-lintRange-error", { hasText: '"strng"' }).waitFor();
    await editTools(page, '[{"name": "feed_cat", "description": "Feed the cat.", "parameters": {}}]');
    await type(page, "feed the cat");
    await shows(page, "#call", "feed_cat");
    expect(await page.locator("#tools-fault").textContent()).toBe("");
    await editTools(
      page,
      '[{"name": "mail", "inputSchema": {"properties": {"to": {"type": "string", "format": "email"}}}}]',
    );
    await page.locator(".cm-lintRange-warning", { hasText: '"email"' }).waitFor();
    await close(page);
  });

  test("a schema 400 or 1,500 deep is an error in its place, and the worker goes on", async () => {
    const page = await open();
    const deep = (open: string, close: string, levels = 1500) =>
      `${open.repeat(levels)}{"type":"string"}${close.repeat(levels)}`;
    for (const [schema, fault] of [
      [deep('{"type":"array","items":', "}", 400), "tools[0].parameters.a.items.items"],
      [deep('{"type":"array","items":', "}"), "values within one another"],
      [deep('{"anyOf":[{"type":"null"},', "]}"), "values within one another"],
      [deep('{"type":"object","properties":{"a":', "}}"), "values within one another"],
      [`{"default":${"[".repeat(3000)}${"]".repeat(3000)}}`, "values within one another"],
    ]) {
      await editTools(page, `[{"name": "f", "parameters": {"a": ${schema}}}]`);
      await shows(page, "#tools-fault", fault);
      await shows(page, "#tools-fault", "The list before stays in force");
      await type(page, "play some jazz");
      await shows(page, "#call", "play_music");
      await type(page, "");
    }
    await close(page);
  });

  test("the devices act a call out: a timer counts, what is unsure is asked", async () => {
    const page = await open();
    const watch = page.locator(".watch canvas");
    const told = async () => (await watch.getAttribute("aria-label")) ?? "";
    // What cannot be undone is asked, however sure the model is.
    const key = { type: "string", description: "Which door.", required: true };
    const unlock = { name: "unlock_door", description: "Unlock a door.", risk: "danger", parameters: { door: key } };
    await editTools(page, JSON.stringify([...JSON.parse(readFileSync(watchTools, "utf8")), unlock]));
    await type(page, "unlock the front door");
    await shows(page, "#call", "unlock_door");
    expect(await told()).toMatch(/^A watch shows: do this\?, Unlock door, .*front/);
    await page.getByRole("button", { name: "Yes, do it" }).click();
    expect(await told()).toMatch(/^A watch shows: Unlock door, .*front/);
    await type(page, "set a timer for 10 minutes");
    await shows(page, "#call", "set_timer");
    const yes = page.getByRole("button", { name: "Yes, do it" });
    if (await yes.isVisible()) await yes.click();
    await page.waitForFunction(() =>
      /Set timer, 9:5\d/.test(document.querySelector(".watch canvas")?.getAttribute("aria-label") ?? ""),
    );
    const lit = await watch.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((_, i) => i % 4 !== 3).reduce((sum, value) => sum + (value > 128 ? 1 : 0), 0);
    });
    expect(lit).toBeGreaterThan(1000);
    await picture(page, "timer");
    await close(page);
  });

  test("a link brings tools and request to another page; a damaged or swollen one brings nothing", async () => {
    const page = await open();
    await page.getByRole("button", { name: "Home" }).click();
    await type(page, "close the blinds in the “study”");
    await shows(page, "#call", "set_blinds");
    await page.waitForTimeout(200);
    const link = page.url();
    expect(new URL(link).hash).toMatch(/^#s=[\w-]+$/);
    await close(page);
    const other = await open({}, link);
    expect(await other.getByLabel("What do you want done?").inputValue()).toBe("close the blinds in the “study”");
    await shows(other, "#call", "set_blinds");
    const before = await other.evaluate(() => location.hash);
    await type(other, "turn the lights off");
    await shows(other, "#call", "set_lights");
    // Where the page is open already.
    await other.evaluate((hash) => {
      location.hash = hash;
    }, before);
    await shows(other, "#call", "set_blinds");
    await close(other);
    const bomb = Buffer.from(Bun.deflateSync(new Uint8Array(64 * 2 ** 20))).toString("base64url");
    for (const hash of ["#s=AAAA", "#s=%%", `#s=${bomb}`, "#else"]) {
      const odd = await open({}, `${address}${hash}`);
      await shows(odd, "#call", "send_message");
      await close(odd);
    }
  }, 120_000);

  test("a trace is saved, opened and replayed; another file is refused", async () => {
    const page = await open();
    await type(page, "play some jazz");
    await shows(page, "#call", "play_music");
    const count = await page.locator(".token").count();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save trace" }).click();
    const path = join(folder, "trace.json");
    await (await download).saveAs(path);
    const saved = JSON.parse(readFileSync(path, "utf8"));
    expect(saved).toMatchObject({ thimble: "trace", request: "play some jazz" });
    expect(saved.result.trace).toHaveLength(count);
    await type(page, "turn the lights off");
    await shows(page, "#call", "set_lights");
    await page.getByLabel("Open trace").setInputFiles(path);
    await page.getByText("from a file").waitFor();
    await page.waitForFunction((least) => document.querySelectorAll(".token").length < least, count);
    await page.waitForFunction((all) => document.querySelectorAll(".token").length === all, count);
    await shows(page, "#call", "play_music");
    for (const result of ["null", '{"trace":[1]}', '{"calls":[],"trace":[1]}', '{"calls":null,"trace":[]}']) {
      writeFileSync(path, `{"thimble":"trace","version":1,"request":"x","tools":[],"result":${result}}`);
      await page.getByLabel("Open trace").setInputFiles(path);
      await shows(page, "#fault", "expected a trace that this page saved");
      expect(await page.getByLabel("What do you want done?").inputValue()).toBe("play some jazz");
    }
    await close(page);
  });

  test("two packs, and a pack and a server, are compared on a file of examples", async () => {
    const page = await open();
    const duration = { type: "string", description: "Length.", required: true };
    const tools = [{ name: "set_timer", description: "Start a countdown timer.", parameters: { duration } }];
    const query = "set a timer for 10 minutes";
    const lines = [
      { query, tools, answers: [{ name: "set_timer", arguments: { duration: "10 minutes" } }] },
      { query, tools: JSON.stringify(tools), answers: "[]" },
      { query, tools },
    ];
    const path = join(folder, "examples.jsonl");
    writeFileSync(path, `${lines.map((line) => JSON.stringify(line)).join("\n")}\nnonsense\n`);
    await page.getByText("Compare two models").click();
    await page.getByLabel("Examples (JSONL)").setInputFiles(path);
    await page.getByLabel("Second pack").setInputFiles(fileURLToPath(defaultModel()));
    await shows(page, "#compared", "beside default.thimble");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await shows(page, "#compared", "4 answered; right: 1 and 1 of 2. 0 differ.");
    await picture(page, "compare");
    await page.getByLabel("or a server").fill(`${address}v1`);
    await page.getByRole("button", { name: "Use it" }).click();
    await shows(page, "#compared", "beside http");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await shows(page, "#compared", /beside http.* 4 answered; right: 1 and 1 of 2\. 0 differ/);
    await page.getByLabel("Second pack").setInputFiles(path);
    await page.locator(".compare .bad").filter({ hasText: "expected" }).first().waitFor();
    await close(page);
  });

  test("a server is asked by its model's name, and Stop is at once", async () => {
    const named: string[] = [];
    const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
    const server = Bun.serve({
      port: 0,
      async fetch(asked) {
        if (asked.method === "OPTIONS") return new Response(null, { headers });
        if (asked.url.endsWith("/v1/models")) return Response.json({ data: [{ id: "second" }] }, { headers });
        named.push((await asked.json()).model);
        await Bun.sleep(2 ** 30);
        return new Response();
      },
    });
    const page = await (await browser.newContext()).newPage();
    await page.goto(address);
    await page.locator("#words").waitFor();
    const path = join(folder, "queries.jsonl");
    writeFileSync(path, '{"query":"timer","tools":[{"name":"set_timer"}]}\n'.repeat(9));
    await page.getByText("Compare two models").click();
    await page.getByLabel("Examples (JSONL)").setInputFiles(path);
    await page.getByLabel("or a server").fill(`http://127.0.0.1:${server.port}/v1`);
    await page.getByRole("button", { name: "Use it" }).click();
    await shows(page, "#compared", "beside http");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await until(async () => named.length > 0);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Run", exact: true }).waitFor();
    expect(named).toEqual(["second"]);
    await page.getByLabel("or a server").fill(`${address}none`);
    await page.getByRole("button", { name: "Use it" }).click();
    await shows(page, ".compare .bad", "expected a server that lists its models, got status 404");
    await page.context().close();
    server.stop(true);
  });

  test("another pack is loaded in the place of the first; a file that is none changes nothing", async () => {
    const page = await open();
    await page.getByLabel("Load a pack").setInputFiles(join(folder, "examples.jsonl"));
    await shows(page, "#fault", "expected");
    await shows(page, "#state", "the model inside");
    await page.getByLabel("Load a pack").setInputFiles(fileURLToPath(defaultModel()));
    await shows(page, "#state", "default.thimble");
    await shows(page, "#call", "send_message");
    await close(page);
  });

  test("what tools and requests say is text, never markup", async () => {
    const page = await open();
    const evil = "<img src=x onerror=alert(1)>";
    await editTools(
      page,
      JSON.stringify([{ name: "say", description: evil, parameters: { words: { type: "string", required: true } } }]),
    );
    await type(page, `say ${evil}`);
    await page.waitForTimeout(500);
    expect(await page.locator("img").count()).toBe(0);
    await close(page);
  });

  test("it is all there by keyboard, and every control has a name", async () => {
    const page = await open();
    const seen: string[] = [];
    await page.locator("body").press("Tab");
    for (let i = 0; i < 40; i++) {
      seen.push(
        await page.evaluate(
          () =>
            document.activeElement?.getAttribute("aria-label") ||
            document.activeElement?.textContent ||
            document.activeElement?.id ||
            "",
        ),
      );
      await page.keyboard.press("Tab");
    }
    for (const name of ["Load a pack", "request", "Watch", "Tools, as JSON", "Send message", "Replay"])
      expect(seen).toContain(name);
    await page.locator('.token[tabindex="0"]').focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).getAttribute("aria-pressed"))).toBe(
      "true",
    );
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("button, input:not([hidden]), canvas, meter, textarea")]
        .filter(
          (one) =>
            !one.textContent?.trim() && !one.getAttribute("aria-label") && !(one as HTMLInputElement).labels?.length,
        )
        .map((one) => one.outerHTML),
    );
    expect(nameless).toEqual([]);
    await close(page);
  });

  test.each<[string, BrowserContextOptions]>([
    ["wide", { viewport: { width: 1600, height: 1000 } }],
    ["dark", { viewport: { width: 1360, height: 1000 }, colorScheme: "dark" }],
    ["narrow", { viewport: { width: 360, height: 760 }, colorScheme: "dark" }],
    ["still", { viewport: { width: 820, height: 1000 }, reducedMotion: "reduce" }],
  ])("%s: nothing is wider than the screen", async (name, options) => {
    const page = await open(options);
    await picture(page, name);
    const [wide, most] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(wide).toBeLessThanOrEqual(most);
    await close(page);
  });

  test("the same port answers OpenAI's clients; files outside of the page are none", async () => {
    expect((await (await fetch(`${address}v1/models`)).json()).data[0].id).toBe("thimble");
    for (const path of [
      "..%2f..%2fpackage.json",
      "tools/cli.js",
      "package.json",
      "runtime/..%2f..%2fLICENSE",
      "runtime/model/README.md",
    ])
      expect((await fetch(address + path)).status).toBe(404);
    const licences = await (await fetch(`${address}licences.txt`)).text();
    for (const name of ["preact", "@preact/signals", "@codemirror/view", "@lezer/json"])
      expect(licences).toContain(`${name}\n\n`);
    const { headers } = await fetch(address);
    expect(headers.get("content-security-policy")).toContain("default-src 'self'");
  });

  test.each(["--tools", "--connect"])("%s: it begins with the user's own tools", async (option) => {
    const path = join(folder, "own.json");
    const tools = [{ name: "get_weather", inputSchema: { properties: { location: { type: "string" } } } }];
    const house = {
      command: process.execPath,
      args: [fileURLToPath(new URL("./mcpserver.ts", import.meta.url)), "garden"],
    };
    writeFileSync(path, JSON.stringify(option === "--tools" ? { tools } : { mcpServers: { garden: house } }));
    const { address: at, child: own } = await startServer([option, path]);
    const page = await (await browser.newContext()).newPage();
    await page.goto(at);
    await page.getByRole("button", { name: "Yours", pressed: true }).waitFor();
    await type(page, "what is the weather in oslo");
    await shows(page, "#call", "get_weather");
    await page.context().close();
    own.kill();
  });

  test("a watch by Bluetooth brings its tools, and runs what is approved; no means no", async () => {
    const context = await browser.newContext({ viewport: { width: 1360, height: 1000 } });
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(String(error)));
    await page.addInitScript(radio(Object.fromEntries(codeFiles)));
    await page.goto(address);
    await page.locator("#words").waitFor();
    await page.getByRole("button", { name: "Connect a watch" }).click();
    await shows(page, "#watch-state", "Bangle.js 1234, 12 tools");
    await type(page, "screen by fifty");
    await shows(page, "#call", "set_brightness");
    await page.getByRole("button", { name: "Run on the watch" }).click();
    const dialog = page.getByRole("dialog", { name: "Do this on the watch?" });
    await dialog.waitFor();
    await picture(page, "approve");
    await page.keyboard.press("Escape");
    await shows(page, "#outcomes", "Set brightness: declined");
    expect(await page.evaluate("watchSaw")).toEqual([]);
    await page.getByRole("button", { name: "Run on the watch" }).click();
    await dialog.getByRole("button", { name: "Yes" }).click();
    await shows(page, "#outcomes", "brightness 50%");
    expect(await page.evaluate("watchSaw")).toEqual([0.5]);
    // Two requests at once: one question after the other, and a no to the second is none to the first.
    await page.evaluate(() => {
      const words = document.querySelector("#request") as HTMLInputElement;
      const run = [...document.querySelectorAll("button")].find((one) => one.textContent === "Run on the watch");
      for (const text of ["screen by fifty", "erase my notes"]) {
        words.value = text;
        words.dispatchEvent(new Event("input", { bubbles: true }));
        run?.click();
      }
    });
    await dialog.getByText("set_brightness").waitFor();
    await shows(page, "#call", "erase_notes");
    await dialog.getByRole("button", { name: "Yes" }).click();
    await dialog.getByText("erase_notes").waitFor();
    await page.keyboard.press("Escape");
    await shows(page, "#outcomes", "Erase notes: declined");
    expect(await page.evaluate("watchSaw")).toEqual([0.5, 0.5]);
    await close(page);
    const bare = await open();
    await bare.getByRole("button", { name: "Connect a watch" }).click();
    await bare
      .locator(".bad")
      .filter({ hasText: /Web Bluetooth|Bluetooth/ })
      .first()
      .waitFor();
    await close(bare);
  });

  test("exported, it is a folder for any web server, under any path", async () => {
    const out = join(folder, "site");
    const { exitCode } = Bun.spawnSync(["node", built, "playground", "--export", out]);
    expect(exitCode).toBe(0);
    const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html" };
    const server = Bun.serve({
      port: 0,
      async fetch({ url }) {
        const { pathname } = new URL(url);
        const path = pathname.replace(/^\/some\/where\//, "") || "index.html";
        const file = Bun.file(join(out, path));
        if (!(await file.exists())) return new Response("none", { status: 404 });
        return new Response(file, { headers: { "content-type": types[extname(path)] ?? "application/octet-stream" } });
      },
    });
    const page = await open({}, `http://127.0.0.1:${server.port}/some/where/`);
    await shows(page, "#call", "send_message");
    await close(page);
    await server.stop(true);
  });
});
