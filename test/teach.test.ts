/** Teaching in the playground, in a real Chromium: examples, a course in the page and on its server, what comes of it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { defaultModel, load, ToolSet } from "../runtime/index.ts";
import { ToolSynth } from "../tools/data/fit.ts";
import { firstTool, readCalls, writeCalls } from "../tools/playground/web/calls.ts";
import { absent, built, editTools, Playground, picture, shows, type } from "./playground.ts";
import { fixture, missing } from "./support.ts";

const axePath = new URL("../node_modules/axe-core/axe.min.js", import.meta.url).pathname;
const isAxeAbsent = missing(axePath, "axe-core");
const looks = [
  [1280, "light"],
  [1280, "dark"],
  [360, "light"],
  [360, "dark"],
] as const;

const toolsText = readFileSync(fixture("finetune/tools.json"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "thimble-teach-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("calls as they are typed are the calls: arguments of any form, none, several", () => {
  const calls = [
    { name: "a", arguments: { "x y": 'q"{\n}', n: 1.5, list: [{ deep: [] }] } },
    { name: "b.c-d", arguments: {} },
  ];
  expect(readCalls(writeCalls(calls))).toEqual(calls);
  expect([readCalls(""), readCalls("f"), readCalls("\n f {} \n")]).toEqual([
    [],
    [{ name: "f", arguments: {} }],
    [{ name: "f", arguments: {} }],
  ]);
  expect(() => readCalls('f {"a"')).toThrow("f: expected its arguments as a JSON object");
  expect(readCalls('set the timer {"a":1}')).toEqual([{ name: "set the timer", arguments: { a: 1 } }]);
  expect(() => readCalls('{"a":1}')).toThrow('expected a call such as name {"key": "value"}');
  expect(["f {}\ng {}", " two words{}", "f", "", "\n"].map(firstTool)).toEqual([
    "f",
    "two words",
    "f",
    undefined,
    undefined,
  ]);
});

describe.skipIf(absent)("teaching", () => {
  let played: Playground;
  beforeAll(async () => {
    played = await Playground.start();
  }, 60_000);
  afterAll(() => played?.stop());

  /** A page with the workshop's tools in its editor and Teach open. */
  async function open(options: BrowserContextOptions = {}, at?: string): Promise<Page> {
    const page = await played.open(options, at);
    await editTools(page, toolsText);
    await page.waitForFunction(() => document.querySelectorAll(".presets button[aria-pressed=true]").length === 0);
    await page.getByText("Teach the model these tools").click();
    await page.getByRole("button", { name: "Make examples" }).waitFor();
    return page;
  }
  const told = (page: Page, text: string | RegExp) => shows(page, "#example-count", text);
  async function make(page: Page, count: number): Promise<void> {
    await page.getByLabel("How many").fill(String(count));
    await page.getByRole("button", { name: "Make examples" }).click();
    await told(page, `${count} examples`);
  }
  const begin = async (page: Page, minutes: number) => {
    await page.getByLabel("Minutes").fill(String(minutes));
    await page.getByRole("button", { name: "Teach", exact: true }).click();
    await page.locator("#stage").waitFor();
  };
  const save = async (page: Page, name: RegExp | string, path: string) => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name }).click();
    await (await download).saveAs(join(folder, path));
    return join(folder, path);
  };

  /** What axe finds wrong with the page, and whether something is wider than the screen. */
  async function wrongIn(page: Page): Promise<string[]> {
    if (!isAxeAbsent) await page.evaluate(readFileSync(axePath, "utf8"));
    return page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe?: typeof import("axe-core") };
      const violations = (await axe?.run(document))?.violations ?? [];
      const wrong = violations.map(({ id, nodes }) => `${id}: ${nodes[0].target}`);
      const { scrollWidth } = document.documentElement;
      return scrollWidth > innerWidth ? [...wrong, `${scrollWidth} wide on ${innerWidth}`] : wrong;
    });
  }

  test("examples are made for the tools in the editor, found wrong in their place, edited, filtered, saved and opened again", async () => {
    const page = await open();
    await shows(page, "#why", "It takes 40 examples at least.");
    await make(page, 60);
    const teach = page.getByRole("button", { name: "Teach", exact: true });
    expect(await teach.isEnabled()).toBe(true);
    await page.getByLabel("Calls 1", { exact: true }).fill('irrigate_zone {"zone": "row 7"');
    await shows(page, ".examples .bad", "expected its arguments as a JSON object");
    expect(await teach.isDisabled()).toBe(true);
    await page.getByLabel("Calls 1", { exact: true }).fill('water {"zone": "row 7"}');
    await shows(page, ".examples .bad", 'name: expected one of the tools, got "water"');
    await page.getByLabel("Request 1", { exact: true }).fill("drip row 7 for 5 minutes");
    await page
      .getByLabel("Calls 1", { exact: true })
      .fill('irrigate_zone {"zone": "row 9", "minutes": 5, "mode": "drip"}');
    await shows(page, ".examples .warn", 'zone: "row 9" is not in the request');
    await told(page, "60 examples, 1 left out");
    await page.getByLabel("Request 2", { exact: true }).fill("");
    await shows(page, ".examples .bad", "query: expected text");
    await page.locator(".pager select").selectOption("!");
    expect(await page.locator(".examples tbody tr").count()).toBe(2);
    await page.getByRole("button", { name: "Remove example 2" }).click();
    await told(page, "59 examples, 1 left out");
    await page
      .getByLabel("Calls 1", { exact: true })
      .fill('irrigate_zone {"zone": "row 7", "minutes": 5, "mode": "drip"}');
    await told(page, /^59 examples\. /);
    // What was chosen stays while it is mended.
    expect(await page.locator(".examples tbody tr").count()).toBe(1);
    await page.locator(".pager select").selectOption("");
    await page.getByRole("button", { name: "Next page" }).click();
    expect(await page.locator(".examples tbody tr").count()).toBe(12);
    await page.getByRole("button", { name: "Add one" }).click();
    await page.keyboard.type("what a day");
    await told(page, /^60 examples\. /);
    await picture(page, "teach-examples");
    const path = await save(page, "Save as JSONL", "examples.jsonl");
    const lines = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toEqual({
      query: "drip row 7 for 5 minutes",
      tools: JSON.parse(toolsText),
      answers: [{ name: "irrigate_zone", arguments: { zone: "row 7", minutes: 5, mode: "drip" } }],
    });
    expect([lines.length, lines.at(-1).query, lines.at(-1).answers]).toEqual([60, "what a day", []]);
    await page.getByRole("button", { name: "Remove all" }).click();
    await told(page, "None yet");
    await page.getByLabel("Open examples").setInputFiles(path);
    await told(page, /^60 examples\. /);
    expect(await page.getByLabel("Request 1", { exact: true }).inputValue()).toBe("drip row 7 for 5 minutes");
    // Rows without tools of their own are the editor's: others there, and they fit no more.
    await page.getByRole("button", { name: "Home" }).click();
    await told(page, /^60 examples, \d\d to mend/);
    await played.close(page);
  }, 120_000);

  test("it is all there by keyboard: opened, made, mended, turned, cancelled", async () => {
    const page = await played.open();
    const focused = () =>
      page.evaluate(() => {
        const { activeElement: one } = document;
        const label = (one as HTMLInputElement | null)?.labels?.[0]?.textContent;
        return (one?.getAttribute("aria-label") ?? label ?? one?.textContent ?? "").trim();
      });
    const tabTo = async (name: RegExp) => {
      for (let i = 0; i < 60 && !name.test(await focused()); i++) await page.keyboard.press("Tab");
      expect(await focused()).toMatch(name);
    };
    await page.getByText("Teach the model these tools").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Make examples" }).waitFor();
    await tabTo(/^How many/);
    await page.keyboard.press("Control+a");
    await page.keyboard.type("60");
    await tabTo(/^Make examples/);
    await page.keyboard.press("Enter");
    await told(page, "60 examples");
    await tabTo(/^Show/);
    await tabTo(/^Next page$/);
    await page.keyboard.press("Enter");
    await tabTo(/^Calls 13$/);
    await page.keyboard.press("Control+a");
    await page.keyboard.type("nonsense");
    await told(page, "60 examples, 1 to mend");
    await tabTo(/^Remove example 13$/);
    await page.keyboard.press("Space");
    await told(page, /^59 examples\. /);
    await tabTo(/^Teach$/);
    await page.keyboard.press("Enter");
    await page.locator("#stage").waitFor();
    // Where the button goes that had the focus, its place has it.
    expect(await focused()).toBe("Cancel");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Teach", exact: true }).waitFor();
    expect(await focused()).toBe("Teach");
    await played.close(page);
  }, 120_000);

  test("lines are pasted with tools or without; those that are none are named, markup is text, what is there is not taken twice", async () => {
    const page = await open();
    const evil = "<img src=x onerror=alert(1)>";
    const own = [{ name: "say", parameters: { words: { type: "string" } } }];
    const lines = [
      { query: "5 minutes for row 7", answers: [{ name: "irrigate_zone", arguments: { zone: "row 7", minutes: 5 } }] },
      { query: `say ${evil}`, tools: own, answers: [{ name: "say", arguments: { words: evil } }] },
      { query: "say it", tools: JSON.stringify(own), answers: "[]" },
    ].map((line) => JSON.stringify(line));
    const add = async (text: string) => {
      const field = page.getByLabel("A line each");
      if (!(await field.isVisible())) await page.getByText("Paste examples").click();
      await field.fill(text);
      await page.getByRole("button", { name: "Add them" }).click();
    };
    await add(`${lines.join("\n")}\n{"query": 5}\nnonsense\n`);
    await told(page, /^3 examples\. /);
    await shows(page, "#examples-problem", /^line 4: expected \{query, answers\}.*; 2 are none in all$/);
    expect(await page.locator("img").count()).toBe(0);
    await add(`[${lines.join()}]`);
    await told(page, /^3 examples\. /);
    expect(await page.locator("#examples-problem").textContent()).toBe("");
    await editTools(page, "[");
    await shows(page, "#tools-fault", "The list before stays in force");
    await page.getByRole("button", { name: "Make examples" }).click();
    await told(page, /^1,00\d examples|^1,003 examples/);
    // Names are the tools' own, however the prompt has them.
    await page.getByRole("button", { name: "Remove all" }).click();
    const cat = {
      name: "feedCat",
      description: "Feed the cat.",
      parameters: { food: { type: "string", required: true } },
    };
    await editTools(page, JSON.stringify([cat]));
    await page.waitForFunction(() => document.querySelector("#tools-fault")?.textContent === "");
    await make(page, 40);
    await page.locator(".pager option", { hasText: /^feedCat, \d+$/ }).waitFor({ state: "attached" });
    await told(page, /^40 examples\. /);
    await played.close(page);
  }, 120_000);

  test("a course in the page: its curve, before and after, a tuning and a pack that load", async () => {
    const page = await open();
    await make(page, 80);
    await begin(page, 0.2);
    await shows(page, "#stage", "Training", 200_000);
    await page.locator(".curve canvas").waitFor();
    await picture(page, "teach-course");
    await page.locator("#outcome").waitFor({ timeout: 400_000 });
    const [own, general] = [page.locator("#outcome table").nth(0), page.locator("#outcome table").nth(1)];
    expect(await own.locator("th").first().textContent()).toMatch(/^Yours, held out: \d+$/);
    expect(await own.locator("td").first().textContent()).toBe("Whole answer right");
    expect(await general.locator("th").first().textContent()).toBe("Everybody's tools, yours beside them: 100");
    expect(await page.locator(".curve .u-legend .u-label").allTextContents()).toEqual([
      "Right, held out",
      "Loss, held out",
      "Loss",
    ]);
    // The curve is ink of the page's colours.
    const ink = await page.locator(".curve canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const found = new Set<string>();
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) found.add(data.slice(i, i + 3).join());
      return [...found];
    });
    for (const colour of ["27,122,61", "31,95,208"]) expect(ink).toContain(colour);
    await page.getByText("As a table").click();
    expect(await page.locator(".curve tbody tr").count()).toBeGreaterThanOrEqual(2);
    for (const [width, colorScheme] of looks) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      expect(await wrongIn(page)).toEqual([]);
      await picture(page, `teach-outcome-${width}-${colorScheme}`, width < 500 ? "#outcome" : undefined);
      if (width < 500) await picture(page, `teach-course-${width}-${colorScheme}`, ".curve");
    }
    const tuning = await save(page, /^Save the tuning, 5\d\d KB$/, "my.tuning");
    const whole = await save(page, /^Save the whole pack, 2\.\d MB$/, "my.thimble");
    const query = "drip row 7 for 5 minutes";
    await type(page, query);
    await page.getByRole("button", { name: "Use it in this page" }).click();
    await shows(page, "#state", "the model inside with what it learned");
    const models = [await load(defaultModel(), { tuning }), await load(whole)];
    const [{ calls, text }, other] = await Promise.all(models.map((model) => model.call(query, toolsText)));
    expect(other.text).toBe(text);
    const inPage = calls.map((one) => `${one.name} ${JSON.stringify(one.arguments, null, 1).replace(/\n\s*/g, " ")}`);
    await shows(page, "#words", query);
    const shown = async () => (await page.locator("#call").allTextContents()).join("\n");
    for (let i = 0; i < 50 && (await shown()) !== inPage.join("\n"); i++) await page.waitForTimeout(200);
    expect(await shown()).toBe(inPage.join("\n"));
    await page.getByRole("button", { name: "Back to the model before" }).click();
    await shows(page, "#state", /^the model inside,/);
    await page.getByLabel("Load a pack").setInputFiles(tuning);
    await shows(page, "#state", "the model inside with my.tuning");
    await page.getByLabel("Load a pack").setInputFiles(whole);
    await shows(page, "#state", /^my\.thimble,/);
    await page.getByText("Compare two models").click();
    await page.getByLabel("Second pack").setInputFiles(whole);
    await shows(page, "#compared", "my.thimble beside my.thimble");
    // A tuning of the model that is no longer there.
    await page.getByLabel("Load a pack").setInputFiles(tuning);
    await shows(page, "#fault", "expected a tuning of this model");
    await played.close(page);
  }, 600_000);

  /** The browser's own count: Playwright's keeps workers within workers that ended with the one around them. */
  async function countThreads(): Promise<number> {
    const session = await played.browser.newBrowserCDPSession();
    const { targetInfos } = await session.send("Target.getTargets", { filter: [{ type: "worker" }] });
    await session.detach();
    return targetInfos.length;
  }

  /** Waits till no more than `threads` are left: one ends when what it computes has. */
  async function ended(page: Page, threads: number): Promise<void> {
    for (let tries = 0; tries < 100 && (await countThreads()) > threads; tries++) await page.waitForTimeout(100);
    expect(await countThreads()).toBe(threads);
  }

  test("a course that is stopped keeps what it learned; one that is cancelled leaves nothing and no thread", async () => {
    const page = await open();
    await make(page, 60);
    const threads = await countThreads();
    await begin(page, 10);
    expect(await countThreads()).toBeGreaterThan(threads);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Teach", exact: true }).waitFor();
    expect(await page.locator("#outcome").count()).toBe(0);
    await ended(page, threads);
    await begin(page, 10);
    await shows(page, ".note", /examples, \d+ a second, loss/, 200_000);
    await page.getByRole("button", { name: "Stop, and keep what it learned" }).click();
    await page.locator("#outcome").waitFor({ timeout: 300_000 });
    expect(await page.locator("#outcome [role=status]").textContent()).toMatch(/\d+ examples shown in \d+ s\./);
    await ended(page, threads);
    await played.close(page);
  }, 600_000);

  /** What the page has kept of its course: how many examples it was shown; null for none. */
  const keptExamples = (page: Page) =>
    page.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const opening = indexedDB.open("thimble-course");
        opening.onsuccess = () => resolve(opening.result);
      });
      const facts = await new Promise<{ examples: number } | undefined>((resolve) => {
        const reading = database.transaction("thimble-course").objectStore("thimble-course").get("facts");
        reading.onsuccess = () => resolve(reading.result);
      });
      database.close();
      return facts?.examples ?? null;
    });
  async function keptSoon(page: Page): Promise<number> {
    for (let tries = 0; tries < 600; tries++) {
      const examples = await keptExamples(page);
      if (examples !== null) return examples;
      await page.waitForTimeout(200);
    }
    throw new Error("nothing was kept in 2 minutes");
  }
  async function reload(page: Page): Promise<void> {
    await page.reload();
    await page.locator("#words").waitFor({ timeout: 30_000 });
    await page.locator(".cm-content").waitFor({ timeout: 30_000 });
  }
  const goOn = (page: Page) => page.getByRole("button", { name: /^Go on with the course of \d\d:\d\d$/ });
  const isLeft = async (page: Page) => (await page.locator("#left").count()) > 0;
  const focusedText = (page: Page) =>
    page.evaluate(() => {
      const one = document.activeElement as HTMLInputElement | null;
      return (one?.labels?.[0]?.textContent ?? one?.textContent ?? "").trim();
    });

  test("a course goes on after a reload from where it was kept, with its examples, and is kept no more when it is done", async () => {
    const page = await open();
    await make(page, 60);
    await begin(page, 10);
    await keptSoon(page);
    await reload(page);
    await goOn(page).waitFor();
    const examples = (await keptExamples(page)) as number;
    await shows(page, "#left", new RegExp(`was left after ${examples.toLocaleString("en")} examples`));
    for (const [width, colorScheme] of looks) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      expect(await wrongIn(page)).toEqual([]);
      await picture(page, `teach-left-${width}-${colorScheme}`);
    }
    await goOn(page).focus();
    await page.keyboard.press("Enter");
    await shows(page, "#stage", "Training", 200_000);
    expect(await focusedText(page)).toBe("Cancel");
    await told(page, /^60 examples\. /);
    await shows(page, ".note", /examples, \d+ a second, loss/, 200_000);
    await page.getByRole("button", { name: "Stop, and keep what it learned" }).click();
    await shows(page, "#stage", "3 of 4: Fitting", 200_000);
    // What is left now is trained: it goes on with when to act, and learns no more.
    const trained = (await keptExamples(page)) as number;
    expect(trained).toBeGreaterThan(examples);
    await reload(page);
    await goOn(page).click();
    await page.locator("#outcome").waitFor({ timeout: 300_000 });
    await shows(page, "#outcome [role=status]", ` ${trained.toLocaleString("en")} examples shown in `);
    await page.waitForFunction(() => !document.querySelector("#stage"));
    expect([await keptExamples(page), await isLeft(page)]).toEqual([null, false]);
    await reload(page);
    expect(await page.locator("details.wide[open]").count()).toBe(0);
    await played.close(page);
  }, 900_000);

  test("a course that was left is dismissed by keyboard, kept from other pages while one gives it, and refused by another model", async () => {
    const page = await open();
    await make(page, 60);
    await begin(page, 10);
    await keptSoon(page);
    const other = await page.context().newPage();
    await other.goto(played.address);
    await other.locator("#words").waitFor({ timeout: 30_000 });
    await other.getByText("Teach the model these tools").click();
    await make(other, 60);
    expect(await isLeft(other)).toBe(false);
    await begin(other, 10);
    await shows(other, ".notes li", "Another page's course is kept: this one ends with its page.");
    await other.getByRole("button", { name: "Cancel" }).click();
    await other.close();
    expect(await keptExamples(page)).not.toBeNull();
    await reload(page);
    await goOn(page).waitFor();
    await page.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const opening = indexedDB.open("thimble-course");
        opening.onsuccess = () => resolve(opening.result);
      });
      const store = database.transaction("thimble-course", "readwrite").objectStore("thimble-course");
      await new Promise((resolve) => {
        const reading = store.get("course");
        reading.onsuccess = () => {
          reading.result.left.model ^= 1;
          store.put(reading.result, "course").onsuccess = resolve;
        };
      });
      database.close();
    });
    await goOn(page).click();
    await shows(page, "#trouble", "expected the model that the course began with, got another", 60_000);
    await goOn(page).focus();
    await page.keyboard.press("Tab");
    expect(await focusedText(page)).toBe("Dismiss it");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => !document.querySelector("#left"));
    expect([await keptExamples(page), await focusedText(page)]).toEqual([null, "Minutes"]);
    await begin(page, 10);
    await keptSoon(page);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Teach", exact: true }).waitFor();
    for (let tries = 0; tries < 50 && (await keptExamples(page)) !== null; tries++) await page.waitForTimeout(100);
    expect([await keptExamples(page), await isLeft(page)]).toEqual([null, false]);
    await played.close(page);
  }, 600_000);

  test("a course on the server: calls go on meanwhile, a page that is opened anew follows it, one is given at a time", async () => {
    const at = `${played.address}thimble/tunes`;
    const page = await open();
    await make(page, 60);
    await page.getByRole("button", { name: "On the machine that serves it" }).click();
    await begin(page, 0.05);
    await shows(page, "#stage", "on the machine that serves this page");
    await shows(page, "#stage", "Measuring the model as it is", 60_000);
    const { id } = await (await fetch(at)).json();
    const asked = { lists: [toolsText], examples: [], minutes: 1 };
    const again = await fetch(at, { method: "POST", body: JSON.stringify(asked) });
    expect([again.status, (await again.json()).error.code]).toEqual([409, "busy"]);
    const call = await fetch(`${played.address}thimble/call`, {
      method: "POST",
      body: JSON.stringify({ request: "set a timer for 10 minutes" }),
    });
    expect((await call.json()).calls[0].name).toBe("set_timer");
    await page.reload();
    await page.getByText("Teach the model these tools").click();
    await shows(page, "#stage", "on the machine that serves this page");
    await page.locator("#outcome").waitFor({ timeout: 400_000 });
    const tuning = await save(page, "Save the tuning", "server.tuning");
    expect(readFileSync(tuning)).toEqual(Buffer.from(await (await fetch(`${at}/${id}/tuning`)).arrayBuffer()));
    await load(defaultModel(), { tuning });
    // What is done is there for who comes later.
    await page.reload();
    await page.getByText("Teach the model these tools").click();
    await page.locator("#outcome").waitFor();
    const whole = await (await fetch(`${at}/${id}/events`)).text();
    const events = whole.trimEnd().split("\n\n");
    expect(events[0]).toMatch(/^id: 1\nevent: \w+\ndata: /);
    expect(events.at(-1)).toMatch(/^id: \d+\nevent: done\ndata: \{"event":"done","report":\{"own"/);
    const rest = await fetch(`${at}/${id}/events`, { headers: { "last-event-id": String(events.length - 1) } });
    expect((await rest.text()).trimEnd()).toBe(events.at(-1) as string);
    await played.close(page);
  }, 600_000);

  test("what is no course is refused with the field that is wrong; one that fails says why", async () => {
    const at = `${played.address}thimble/tunes`;
    const post = (body: unknown) => fetch(at, { method: "POST", body: JSON.stringify(body) });
    const some = { query: "x", answers: [], tools: 0 };
    for (const [body, param] of [
      [{ examples: [], minutes: 1 }, "lists"],
      [{ lists: ["[]"], minutes: 1 }, "examples"],
      [{ lists: ["[]"], examples: [some, { ...some, tools: 1 }], minutes: 1 }, "examples[1]"],
      [{ lists: ["[]"], examples: [some] }, "minutes"],
      [{ lists: ["[]"], examples: [some], minutes: -1 }, "minutes"],
      [{ lists: ["[]"], examples: [some], most: "9" }, "most"],
    ] as const) {
      const answer = await post(body);
      expect([answer.status, (await answer.json()).error.param]).toEqual([400, param]);
    }
    for (const path of ["tune_none/events", "tune_none"]) expect((await fetch(`${at}/${path}`)).status).toBe(404);
    const { id } = await (await post({ lists: [toolsText], examples: [some], minutes: 1 })).json();
    const events = await (await fetch(`${at}/${id}/events`)).text();
    expect(events).toContain("expected at least 20 examples to train on");
    for (const path of ["tuning", "pack", "other"]) expect((await fetch(`${at}/${id}/${path}`)).status).toBe(404);
    const synth = new ToolSynth(ToolSet.from(toolsText), null);
    const examples = Array.from({ length: 60 }, (_, i) => ({ ...synth.make(1, i), tools: 0 }));
    const cancelled = await (await post({ lists: [toolsText], examples, minutes: 9 })).json();
    const following = fetch(`${at}/${cancelled.id}/events`).then((answer) => answer.text());
    expect((await fetch(`${at}/${cancelled.id}`, { method: "DELETE" })).status).toBe(200);
    expect(await following).toContain('{"event":"failed","message":"cancelled"}');
    expect(await (await fetch(at)).json()).toEqual({ id: null });
  }, 120_000);

  test("exported, it makes examples and teaches in the page alone", async () => {
    const out = join(folder, "site");
    expect(Bun.spawnSync(["node", built, "playground", "--export", out]).exitCode).toBe(0);
    const types: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html" };
    const server = Bun.serve({
      port: 0,
      async fetch({ url }) {
        const path = new URL(url).pathname.slice(1) || "index.html";
        const file = Bun.file(join(out, path));
        if (!(await file.exists())) return new Response("none", { status: 404 });
        return new Response(file, { headers: { "content-type": types[extname(path)] ?? "application/octet-stream" } });
      },
    });
    const page = await open({}, `http://127.0.0.1:${server.port}/`);
    await make(page, 60);
    expect(await page.getByRole("button", { name: "In this page" }).count()).toBe(0);
    await begin(page, 1);
    await shows(page, "#stage", "Measuring the model as it is", 60_000);
    await page.getByRole("button", { name: "Cancel" }).click();
    // That there is no server is told by a file that is none.
    played.faults.splice(0, played.faults.length, ...played.faults.filter((one) => !one.includes("404")));
    await played.close(page);
    await server.stop(true);
  }, 120_000);

  test.each(looks)(
    "%i wide, %s: axe finds nothing wrong with examples that are, nothing is wider than the screen",
    async (width, colorScheme) => {
      const page = await open({ viewport: { width, height: 800 }, colorScheme });
      await page.getByText("Compare two models").click();
      await make(page, 60);
      await page.getByLabel("Calls 1", { exact: true }).fill("water");
      await page.getByLabel("Calls 2", { exact: true }).fill('irrigate_zone {"zone": "nowhere", "minutes": 5}');
      await page.locator(".examples .bad").waitFor();
      await page.locator(".examples .warn").waitFor();
      expect(await wrongIn(page)).toEqual([]);
      await picture(page, `teach-${width}-${colorScheme}`);
      await played.close(page);
    },
    60_000,
  );
});
