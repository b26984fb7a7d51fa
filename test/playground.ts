/** The playground in a real Chromium, for the tests that open its page. */

import { expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { missing } from "./support.ts";

const executablePath = "/usr/bin/chromium";
export const absent = missing(executablePath, "chromium");
/** Where pictures go that someone wants to look at. */
const pictures = process.env.THIMBLE_PICTURES;
export const built = fileURLToPath(new URL("../dist/tools/cli.js", import.meta.url));

/** The built command on Node, at a port that was free. */
export async function startServer(args: readonly string[] = []) {
  const child = Bun.spawn(["node", built, "playground", "--port", "0", ...args], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const { value } = await child.stderr.getReader().read();
  const address = /http:\S+/.exec(new TextDecoder().decode(value))?.[0] ?? "";
  return { address, child };
}

export class Playground {
  /** What pages complained of, and whom else they asked. */
  readonly faults: string[] = [];

  private constructor(
    readonly browser: Browser,
    readonly address: string,
    private readonly child: Bun.Subprocess,
  ) {}

  static async start(): Promise<Playground> {
    const { address, child } = await startServer();
    const args = ["--no-sandbox", "--disable-gpu", "--disable-quic"];
    if (pictures) mkdirSync(pictures, { recursive: true });
    return new Playground(await chromium.launch({ executablePath, args }), address, child);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    this.child.kill();
  }

  /** A page of its own that has answered. */
  async open(options: BrowserContextOptions = {}, at = this.address): Promise<Page> {
    const { faults } = this;
    const context = await this.browser.newContext({ viewport: { width: 1360, height: 1000 }, ...options });
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(String(error)));
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    // Those of workers, too.
    context.on("request", (request) => {
      const { protocol, origin, hash } = new URL(request.url());
      if (protocol !== "blob:" && protocol !== "data:" && origin !== new URL(at).origin) faults.push(request.url());
      if (hash && !request.isNavigationRequest()) faults.push(`fragment in ${request.url()}`);
    });
    await page.goto(at);
    await page.locator("#words").waitFor({ timeout: 30_000 });
    await page.locator(".cm-content").waitFor({ timeout: 30_000 });
    return page;
  }

  /** Closes a page that had no fault. */
  async close(page: Page): Promise<void> {
    await page.context().close();
    expect(this.faults.splice(0)).toEqual([]);
  }
}

export const type = (page: Page, text: string) => page.getByLabel("What do you want done?").fill(text);

export const shows = (page: Page, selector: string, text: string | RegExp, timeout = 20_000) =>
  page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout });

export async function editTools(page: Page, text: string): Promise<void> {
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

/** Of the whole page, or of a part of it. */
export async function picture(page: Page, name: string, part?: string): Promise<void> {
  if (!pictures) return;
  const path = join(pictures, `playground-${name}.png`);
  await (part ? page.locator(part).screenshot({ path }) : page.screenshot({ path, fullPage: true }));
}
