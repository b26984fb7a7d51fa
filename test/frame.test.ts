/** Frame and Halo: the device script in a real Lua, the host's link to it, and the page in Chromium with that Lua behind its Bluetooth. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
// @ts-expect-error written in JavaScript
import { connectGlasses } from "../firmware/glasses/frame/link.js";
import { missing, seeded } from "./support.ts";
import { Lens } from "./wear/lens.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const script = readFileSync(`${root}firmware/glasses/frame/main.lua`, "utf8");

/** The glasses as navigator.bluetooth shows them. */
function bluetoothOf(lens: Lens) {
  class Characteristic extends EventTarget {
    value?: DataView;
    async writeValueWithoutResponse(bytes: Uint8Array) {
      lens.write(bytes);
    }
    async startNotifications() {}
  }
  const [tx, rx] = [new Characteristic(), new Characteristic()];
  lens.notify = (bytes) => {
    rx.value = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    rx.dispatchEvent(new Event("characteristicvaluechanged"));
  };
  const service = { getCharacteristic: async (uuid: string) => (uuid.startsWith("7a230002") ? tx : rx) };
  const gatt = { connect: async () => ({ getPrimaryService: async () => service }) };
  return { requestDevice: async () => ({ gatt }) };
}

describe("the link", () => {
  test.each([64, 100, 244])(
    "uploads the script and shows texts in packets of %p bytes, each acknowledged",
    async (most) => {
      const lens = await Lens.start(most);
      const told: string[] = [];
      const glasses = await connectGlasses((data: string) => void told.push(data), bluetoothOf(lens));
      await glasses.upload("thimble", `${script}\n-- "quotes", \\ and ø in a line\r\n`);
      expect(lens.shown).toEqual(["Ready."]);
      for (const text of ["Note 1: milk", "ø".repeat(200), "two\nlines", "x".repeat(most - 4), "x".repeat(most - 3)]) {
        await glasses.show(text);
        expect(lens.shown.at(-1)).toBe(text);
      }
      // A byte of 01 stands before what is data.
      expect(Math.max(...lens.writes)).toBeLessThanOrEqual(most);
      lens.tap();
      await Bun.sleep(5);
      expect(told).toEqual(["tap"]);
      lens.close();
    },
  );

  test("of texts that come faster than they can be sent, the last is shown", async () => {
    const lens = await Lens.start(40);
    const glasses = await connectGlasses(() => {}, bluetoothOf(lens));
    await glasses.upload("thimble", script);
    await Promise.all(Array.from({ length: 50 }, (_, i) => glasses.show(`text ${i} ${"x".repeat(200)}`)));
    expect(lens.shown.at(-1)).toStartWith("text 49");
    expect(lens.shown.length).toBeLessThan(5);
    lens.close();
  });

  test("a message that the glasses refuse is an error, and the next one is shown", async () => {
    const lens = await Lens.start();
    const glasses = await connectGlasses(() => {}, bluetoothOf(lens));
    await glasses.upload("thimble", script);
    const { notify } = lens;
    lens.notify = (bytes) => notify(Uint8Array.of(1, 0, 1, bytes[3]));
    await expect(glasses.show("one")).rejects.toThrow("glasses: expected a message to be taken, got it refused");
    lens.notify = notify;
    await glasses.show("two");
    expect(lens.shown.at(-1)).toBe("two");
    lens.close();
  });

  test("after an answer that came too late, each text is shown", async () => {
    const lens = await Lens.start(40);
    const glasses = await connectGlasses(() => {}, bluetoothOf(lens), 500);
    await glasses.upload("thimble", script);
    const { notify } = lens;
    const late: Uint8Array[] = [];
    lens.notify = (bytes) => void late.push(bytes);
    await expect(glasses.show(`one ${"x".repeat(100)}`)).rejects.toThrow("expected an answer within 0.5 s");
    lens.notify = (bytes) => {
      for (const one of [...late.splice(0), bytes]) notify(one);
    };
    for (const text of ["two", `three ${"x".repeat(100)}`, "four"]) {
      await glasses.show(text);
      expect(lens.shown.at(-1)).toBe(text);
    }
    lens.close();
  });

  test("without Web Bluetooth, and without an answer, the error says so", async () => {
    await expect(connectGlasses(() => {}, undefined)).rejects.toThrow("expected a browser with Web Bluetooth");
    const lens = await Lens.start();
    const bluetooth = bluetoothOf(lens);
    lens.notify = () => {};
    await expect(connectGlasses(() => {}, bluetooth, 100)).rejects.toThrow("glasses: expected an answer within 0.1 s");
    lens.close();
  });
});

test("the script refuses packets that are wrong, and takes the next message; over 2,000 random packets it never fails", async () => {
  const lens = await Lens.start();
  const answers: string[] = [];
  lens.notify = (bytes) => void answers.push(Buffer.from(bytes).toString("hex"));
  lens.write(Buffer.from(`${script}\nstart()`));
  const packet = (...bytes: number[]) => lens.write(Uint8Array.of(1, ...bytes));
  packet(128, 0);
  packet(129, 0, 1, 65, 66);
  packet(130, 0, 2, 65);
  packet(3, 66, 67);
  packet(4, 66);
  packet(133, 0, 9, 65);
  packet(134, 0, 2, 79);
  packet(7, 75);
  await Bun.sleep(10);
  const expected = ["01000100", "01000101", "01000002", "01000103", "01000104", "01000005", "01000006", "01000007"];
  expect(answers).toEqual(expected);
  expect(lens.shown).toEqual(["Ready.", "OK"]);
  const random = seeded(1);
  for (let i = 0; i < 2000; i++) packet(...Array.from({ length: 1 + 30 * random() }, () => 256 * random()));
  await Bun.sleep(50);
  expect(answers.length).toBe(2008);
  lens.close();
});

const executablePath = "/usr/bin/chromium";
describe.skipIf(missing(executablePath, "chromium"))("the page", () => {
  let browser: Browser;
  let folder = "";
  let server: ReturnType<typeof Bun.serve>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thimble-frame-"));
    const command = ["build", "firmware/glasses/frame/index.html", "--target", "browser", "--outdir", folder];
    const built = Bun.spawnSync([process.execPath, ...command], { cwd: root });
    if (built.exitCode) throw new Error(built.stderr.toString());
    server = Bun.serve({
      port: 0,
      async fetch({ url }) {
        const file = Bun.file(join(folder, new URL(url).pathname.replace(/^\/$/, "/index.html")));
        return (await file.exists()) ? new Response(file) : new Response("no", { status: 404 });
      },
    });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic"] });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server.stop(true);
    rmSync(folder, { recursive: true });
  });

  test("connects, asks on the lens, and a tap on the glasses answers yes", async () => {
    const lens = await Lens.start();
    const page = await browser.newPage();
    await page.exposeFunction("toGlasses", (bytes: number[]) => lens.write(Uint8Array.from(bytes)));
    const tell = (bytes: number[]) =>
      page.evaluate((values) => (globalThis as never as { fromGlasses(b: number[]): void }).fromGlasses(values), bytes);
    // The glasses answer also what was sent last, when the page may be gone.
    lens.notify = (bytes) =>
      void tell([...bytes]).catch((error) => {
        if (!page.isClosed()) throw error;
      });
    await page.addInitScript(() => {
      class Characteristic extends EventTarget {
        value?: DataView;
        writeValueWithoutResponse(bytes: Uint8Array) {
          return (globalThis as never as { toGlasses(b: number[]): Promise<void> }).toGlasses([...bytes]);
        }
        async startNotifications() {}
      }
      const [tx, rx] = [new Characteristic(), new Characteristic()];
      const service = { getCharacteristic: async (uuid: string) => (uuid.startsWith("7a230002") ? tx : rx) };
      const gatt = { connect: async () => ({ getPrimaryService: async () => service }) };
      const value = { requestDevice: async () => ({ gatt }) };
      Object.defineProperty(navigator, "bluetooth", { value, configurable: true });
      Object.assign(globalThis, {
        fromGlasses(bytes: number[]) {
          rx.value = new DataView(Uint8Array.from(bytes).buffer);
          rx.dispatchEvent(new Event("characteristicvaluechanged"));
        },
      });
    });
    const until = async (is: (text: string) => boolean) => {
      for (let tries = 0; tries < 200 && !is(lens.shown.at(-1) ?? ""); tries++) await Bun.sleep(50);
      return lens.shown.at(-1) ?? "";
    };
    await page.goto(`http://127.0.0.1:${server.port}/`);
    await page.getByText("Ready.").waitFor();
    await page.getByRole("button", { name: "Connect glasses" }).click();
    await page.getByText("Glasses connected.").waitFor();
    const say = async (text: string) => {
      await page.getByLabel("Say it, or type it").fill(text);
      await page.keyboard.press("Enter");
    };
    // Whether it asks before a note is the model's to say.
    const note = "Note 1: call the garage\nabout the bike";
    await say("write down call the garage about the bike");
    if ((await until((text) => text === note || text.endsWith("yes or no"))) !== note) lens.tap();
    expect(await until((text) => text === note)).toBe(note);
    await say("erase all my notes");
    expect(await until((text) => text.startsWith("erase"))).toBe("erase notes?\nyes or no");
    lens.tap();
    expect(await until((text) => text.startsWith("1"))).toBe("1 notes erased");
    await page.close();
    lens.close();
  }, 60_000);
});
