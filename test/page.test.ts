/** The companion page in a real Chromium, with a watch behind a fake Bluetooth that runs the watch's own library. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import type { BluetoothDeviceLike } from "../runtime/companion.ts";
import { servePage } from "../tools/companion/page.ts";
import { missing } from "./support.ts";
import { codeFiles } from "./wear/bangle.ts";
import { radio } from "./wear/radio.ts";

const executablePath = "/usr/bin/chromium";
const absent = missing(executablePath, "chromium");
/** Where pictures go that someone wants to look at. */
const pictures = process.env.THIMBLE_PICTURES;

describe.skipIf(absent)("the companion page", () => {
  let browser: Browser;
  let server: Server;
  let address = "";
  const files = Object.fromEntries(codeFiles);

  beforeAll(async () => {
    server = await servePage(0, "127.0.0.1");
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
    if (pictures) mkdirSync(pictures, { recursive: true });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function open(
    options: { colorScheme?: "dark" | "light"; isBare?: boolean; hasClock?: boolean } = {},
  ): Promise<Page> {
    const { colorScheme = "light", isBare, hasClock } = options;
    const context = await browser.newContext({ colorScheme, viewport: { width: 360, height: 640 } });
    const page = await context.newPage();
    page.on("pageerror", (error) => {
      throw error;
    });
    if (hasClock) await page.clock.install();
    if (!isBare) await page.addInitScript(radio(files));
    await page.goto(address);
    await page.waitForFunction(() => document.getElementById("state")?.textContent?.startsWith("Ready"), null, {
      timeout: 30_000,
    });
    return page;
  }

  const lastEntry = (page: Page) => page.locator("#log li").first();

  async function ask(page: Page, text: string): Promise<void> {
    await page.getByLabel("What shall the watch do?").fill(text);
    await page.keyboard.press("Enter");
  }

  async function connected(page: Page): Promise<void> {
    await page.getByRole("button", { name: "Connect a watch" }).click();
    await page.getByText("Bangle.js 1234, 12 tools").waitFor();
  }

  test.each(["light", "dark"] as const)(
    "%s, 360 px wide: a watch is connected, a request typed, its call shown with its confidence, approved, and run by the watch",
    async (colorScheme) => {
      const page = await open({ colorScheme });
      await connected(page);
      await ask(page, "screen by fifty");
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      expect(await dialog.textContent()).toContain("set brightness 50");
      if (pictures) await page.screenshot({ path: `${pictures}/companion-${colorScheme}-ask.png` });
      await dialog.getByRole("button", { name: "Yes" }).click();
      await lastEntry(page).getByText("brightness 50%").waitFor();
      expect(await page.evaluate("watchSaw")).toEqual([0.5]);
      expect(await lastEntry(page).getByRole("meter").getAttribute("aria-label")).toMatch(/^Confidence \d+%$/);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(360);
      if (pictures) await page.screenshot({ path: `${pictures}/companion-${colorScheme}.png` });
      await page.context().close();
    },
    60_000,
  );

  test("danger is asked about here and on the watch; no and Escape mean that nothing runs", async () => {
    const page = await open();
    await connected(page);
    await ask(page, "erase all my notes");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    expect(await dialog.textContent()).toContain("cannot simply be undone");
    await page.keyboard.press("Escape");
    await lastEntry(page).getByText("erase notes: refused, declined").waitFor();
    expect(await page.evaluate("watchSaw")).toEqual([]);
    await ask(page, "erase all my notes");
    await dialog.waitFor();
    await dialog.getByRole("button", { name: "Yes" }).click();
    await lastEntry(page).getByText("notes erased").waitFor();
    expect(await page.evaluate("watchSaw")).toEqual(["asked: erase notes\n", "erased"]);
    await page.context().close();
  }, 60_000);

  test("all of it by keyboard, with names for a screen reader", async () => {
    const page = await open();
    const focused = () => page.evaluate(() => (document.activeElement as HTMLElement).id);
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("connect");
    await page.keyboard.press("Enter");
    await page.getByText("12 tools").waitFor();
    expect(await focused()).toBe("request");
    await page.keyboard.type("screen by fifty");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await lastEntry(page).getByText("brightness 50%").waitFor();
    for (const role of ["main", "status", "alert", "list"] as const)
      expect(await page.getByRole(role).count()).toBeGreaterThan(0);
    const unnamed = await page.evaluate(
      () =>
        [...document.querySelectorAll("button, input, dialog, ol, section")].filter((one) => {
          const label = one.getAttribute("aria-label") ?? one.getAttribute("aria-labelledby");
          const text = one.textContent?.trim() || document.querySelector(`label[for="${one.id}"]`)?.textContent;
          return !label && !text;
        }).length,
    );
    expect(unnamed).toBe(0);
    await page.context().close();
  }, 60_000);

  test("without Bluetooth it says what to do, and works with a simulated watch", async () => {
    const page = await open({ isBare: true });
    await page.getByRole("button", { name: "Connect a watch" }).click();
    await page.getByText("use Chrome or Edge").waitFor();
    await page.getByRole("button", { name: "Try without one" }).click();
    await page.getByText("Simulated watch, 5 tools").waitFor();
    await ask(page, "what a nice day");
    await lastEntry(page).getByText("No tool fits.").waitFor();
    await page.context().close();
  }, 60_000);

  test("of two watches the one that stays is asked when the other is gone", async () => {
    const page = await open({ hasClock: true });
    await page.getByRole("button", { name: "Try without one" }).click();
    await page.getByText("Simulated watch, 5 tools").waitFor();
    await connected(page);
    await page.evaluate(async () => {
      // The watch of wear/radio.ts, which is out of reach from now on.
      const { bluetooth } = navigator as unknown as { bluetooth: { requestDevice(): Promise<BluetoothDeviceLike> } };
      const { gatt } = await bluetooth.requestDevice();
      if (!gatt) return;
      gatt.connect = () => Promise.reject(new Error("out of reach"));
      gatt.disconnect();
    });
    await page.clock.fastForward("05:30");
    await page.getByText("Simulated watch, 5 tools").waitFor();
    await ask(page, "what a nice day");
    await lastEntry(page).getByText("No tool fits.").waitFor();
    await page.context().close();
  }, 60_000);

  test("opens and answers without a network after the first visit", async () => {
    const page = await open({ isBare: true });
    await page.getByText("Ready, also offline.").waitFor();
    server.close();
    server.closeAllConnections();
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForFunction(() => document.getElementById("state")?.textContent?.startsWith("Ready"));
    await page.getByRole("button", { name: "Try without one" }).click();
    await page.getByText("Simulated watch, 5 tools").waitFor();
    await ask(page, "what a nice day");
    await lastEntry(page).getByText("No tool fits.").waitFor();
    await page.context().close();
  }, 60_000);
});
