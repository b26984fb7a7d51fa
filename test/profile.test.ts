import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { chromium } from "playwright-core";
import { defaultModel } from "../runtime/default.ts";
import { planModel } from "../runtime/engine/modelplan.ts";
import { planSession } from "../runtime/engine/sessionplan.ts";
import { PackStream } from "../runtime/load/loader.ts";
import { measure } from "../tools/profile/measure.ts";
import { page } from "../tools/profile/page.ts";
import type { Report } from "../tools/profile/report.ts";
import { caveats, render, renderComparison } from "../tools/profile/tables.ts";
import { Timeline } from "../tools/profile/timeline.ts";
import type { Kernels } from "../wasm/abi.ts";
import { missing, plain, thimble } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "thimble-profile-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const schema = JSON.parse(read("../tools/profile/schema.json"));
const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
ajv.addSchema(schema, "../profile/schema.json");

/** What keeps a value from the schema; empty if nothing does. */
function faults(kind: object, value: unknown): string[] {
  const validate = ajv.compile(kind);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const subject = {
  path: fileURLToPath(defaultModel()),
  build: undefined,
  promptTokens: 384,
  request: "wake me at 7:15 </script><script src=//nowhere.test/x></script>",
  tools: read("../tools/watch.json"),
};
const once = { calls: 12, seconds: 0, coldStarts: 1 };
/** A report of a machine with every kind of sensor. */
let full: Report;
beforeAll(async () => {
  const root = join(folder, "root");
  const files: Record<string, string> = {
    "sys/class/thermal/thermal_zone0/type": "cpu</script>",
    "sys/class/thermal/thermal_zone0/temp": "51062",
    "sys/class/hwmon/hwmon0/name": "ina226",
    "sys/class/hwmon/hwmon0/power1_input": "2500000",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1800000",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq": "600000",
    "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000",
    "proc/self/stat": `1 (x) S ${"0 ".repeat(35)}0 0`,
    "proc/device-tree/model": "Board <b>1</b>",
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, ".."), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  full = await measure(subject, once, "thimble profile", root);
}, 60_000);

test("each kernel call's time goes to its layer, the host's to what it does there, and nothing is lost", async () => {
  const stream = await PackStream.open(defaultModel());
  await stream.close();
  const { header } = stream;
  const layout = planModel(header);
  const session = planSession(header.geometry, { ...plain, promptTokens: 64, answerTokens: 32 }, layout.endBytes);
  let nowMs = 0;
  const takes = (ms: number) => (): number => {
    nowMs += ms;
    return 0;
  };
  const kernels = {
    ...{ embed: takes(1), encoder_kv: takes(20), encoder_attend: takes(300), final_norm: takes(4000) },
    ...{ cross_kv: takes(5), decoder_layer: takes(60), logits: takes(700), argmax: takes(8000) },
  } as unknown as Kernels;
  const before = { ...kernels };
  const timeline = new Timeline(kernels, layout, session, () => nowMs);
  expect(kernels).toEqual(before);
  timeline.start();
  nowMs += 0.5;
  kernels.embed(0, 0, 0, 1, session.x);
  nowMs += 0.25;
  kernels.encoder_kv(0, layout.encoder[1], 0, 0, 0, 1);
  kernels.encoder_attend(0, layout.encoder[1], 0, 0, 0, 1, 1, 0);
  kernels.final_norm(0, layout.encoderNorm, 0, 1);
  kernels.cross_kv(0, layout.decoder[2].cross, 0, 0, 0, 1);
  nowMs += 0.125;
  kernels.embed(0, 0, 0, 1, session.step);
  for (let i = 0; i < 2; i++) kernels.decoder_layer(0, layout.decoder[2].self, 0, 0, 0, 0, 0, 1, 1, 0, 0);
  for (let i = 0; i < 2; i++) kernels.final_norm(0, layout.decoderNorm, 0, 1);
  kernels.logits(0, 0, 0, 0, 0);
  kernels.argmax(0, 0, 0);
  nowMs += 0.0625;
  const account = timeline.stop();
  const spent = timeline.slots.flatMap(({ part, stage, layer }, i) =>
    account[i] ? [[part, stage, layer, account[i]]] : [],
  );
  expect(spent).toEqual([
    ["prefill", "tools and tokenizer", null, 0.5],
    ["prefill", "embed", null, 1],
    ["prefill", "encoder_kv", "encoder.1", 20],
    ["prefill", "encoder_attend", "encoder.1", 300],
    ["prefill", "final_norm", null, 4000],
    ["prefill", "cross_kv", "cross.2", 5],
    ["prefill", "between kernels", null, 0.25],
    ["decode", "grammar and text", null, 0.1875],
    ["decode", "embed", null, 1],
    ["decode", "decoder_layer", "decoder.2", 120],
    ["decode", "final_norm", null, 8000],
    ["decode", "logits", null, 700],
    ["decode", "argmax", null, 8000],
  ] as typeof spent);
  expect(account.reduce((sum, ms) => sum + ms, 0)).toBe(nowMs);
  expect(timeline.kernelCalls).toBe(12);
  expect(kernels).toEqual(before);
});

test("a report holds what its schema says, with every sensor and with none", async () => {
  expect(faults(schema, full)).toEqual([]);
  const bare = await measure(
    { ...subject, build: "simd" },
    { ...once, calls: 1 },
    "thimble profile",
    join(folder, "no"),
  );
  expect(faults(schema, bare)).toEqual([]);
  expect([bare.system.temperatureC, bare.system.powerW, bare.energy]).toEqual([[], [], []]);
  expect(Object.values(bare.system.unavailable).filter((reason) => reason === null)).toEqual([]);
  expect([bare.model.kernels, full.system.unavailable.power]).toEqual(["simd", null]);
});

test("a report's parts add up: stages to a call, layers within it, regions within linear memory", () => {
  const { stages, layers, memory, model, energy, calls, coldStart, system } = full;
  const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0);
  expect(sum(stages.map(({ share }) => share))).toBeCloseTo(1, 9);
  const kernels = ["encoder_kv", "encoder_attend", "cross_kv", "decoder_layer"];
  const inLayers = stages.filter(({ name }) => kernels.includes(name));
  expect(sum(layers.map(({ share }) => share))).toBeCloseTo(sum(inLayers.map(({ share }) => share)), 9);
  const { nEncoderLayers, nDecoderLayers } = model.geometry;
  expect(layers.map(({ name }) => name)).toEqual([
    ...Array.from({ length: nEncoderLayers }, (_, i) => `encoder.${i}`),
    ...Array.from({ length: nDecoderLayers }, (_, i) => `cross.${i}`),
    ...Array.from({ length: nDecoderLayers }, (_, i) => `decoder.${i}`),
  ]);
  for (const { p50Ms } of [...stages, ...layers]) expect(p50Ms).toBeGreaterThan(0);
  let endBytes = 0;
  for (const { offsetBytes, bytes } of memory.regions) {
    expect(offsetBytes).toBeGreaterThanOrEqual(endBytes);
    endBytes = offsetBytes + bytes;
  }
  expect(endBytes).toBeLessThanOrEqual(memory.linearBytes);
  expect(endBytes).toBeGreaterThan(memory.linearBytes - 65536);
  expect(energy).toEqual([{ name: "ina226 power1", meanW: 2.5, millijoulesPerCall: 2.5 * calls.total.p50Ms }]);
  expect(sum(coldStart.phases.map(({ ms }) => ms))).toBeCloseTo(coldStart.totalMs, 6);
  for (const { ms } of coldStart.phases) expect(ms).toBeGreaterThan(0);
  for (const { values } of [...system.temperatureC, ...system.powerW]) expect(values).toHaveLength(system.atMs.length);
  expect(full.allocations.linearBytes).toBe(0);
  const { windows, change } = full.drift;
  expect(sum(windows.map((window) => window.calls))).toBe(calls.count);
  expect(change).toBe((windows.at(-1)?.p50Ms as number) / (windows[0].p50Ms as number) - 1);
  const { leastMs, p50Ms, p95Ms, p99Ms, mostMs } = calls.total;
  const sorted = [...calls.totalMs].sort((a, b) => a - b);
  expect([leastMs, p50Ms, p95Ms, p99Ms, mostMs]).toEqual([0, 6, 11, 11, 11].map((place) => sorted[place]));
  expect(calls.prefill.p50Ms + calls.decode.p50Ms).toBeLessThan(calls.total.mostMs);
});

/** The field table of tools/profile/README.md. */
function fieldTable(schema: Field): string {
  const lines: string[] = [];
  const walk = (path: string, { type, description, properties, items, const: only, enum: names }: Field): void => {
    const kind = names?.join(", ") ?? (only === undefined ? [type].flat().join(" or ") : String(only));
    const list = items && !items.properties ? ` of ${[items.type].flat().join(" or ")}` : "";
    if (path) lines.push(`| \`${path}\` | ${kind}${list} | ${description} |`);
    for (const [name, field] of Object.entries(items?.properties ?? properties ?? {}))
      walk(`${path}${items ? "[]" : ""}${path ? "." : ""}${name}`, field);
  };
  walk("", schema);
  return ["| field | type | meaning |", "| --- | --- | --- |", ...lines].join("\n");
}
interface Field {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Field>;
  items?: Field;
  const?: unknown;
  enum?: string[];
}

test("the page about profile lists every field of the schema, as the schema describes it", () => {
  expect(read("../tools/profile/README.md")).toContain(fieldTable(schema));
});

test("a terminal shows the same numbers, and says what is not available", () => {
  const text = render(full);
  for (const { name } of [...full.stages, ...full.layers]) expect(text).toContain(name);
  expect(text).toContain(full.calls.total.p50Ms.toFixed(2));
  expect(text).toMatch(/temperature +51\.1 → 51\.1, 51\.1 to 51\.1 °C, cpu<\/script>/);
  const without = { ...full.system, powerW: [], unavailable: { ...full.system.unavailable, power: "no meter" } };
  expect(render({ ...full, system: without })).toMatch(/power +not available: no meter/);
});

test("compare sets two reports side by side and says what else differs, or that the difference may be noise", () => {
  const twice = structuredClone(full);
  for (const stage of twice.stages) stage.p50Ms *= 2;
  twice.calls.total.p50Ms *= 2;
  expect(renderComparison(full, twice)).toMatch(/whole call p50, ms .* 2\.00\n/);
  expect(renderComparison(full, twice)).toMatch(/prefill encoder_attend, ms .* 2\.00\n/);
  expect(caveats(full, twice)).toEqual([expect.stringContaining("may be noise")]);
  twice.calls.totalMs = full.calls.totalMs.map((ms) => ms + 1e6);
  twice.board.host = "Node 99";
  twice.request.text = "something else";
  expect(caveats(full, twice)).toEqual(["a and b differ in the host", "a and b differ in the request"]);
});

test("profile writes JSON and a page; compare reads the JSON and refuses another file", async () => {
  const [json, html] = [join(folder, "a.json"), join(folder, "a.html")];
  const { code, out, err } = await thimble(["profile", "--json", "--calls", "1", "--cold", "1", "--html", html]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(faults(schema, JSON.parse(out))).toEqual([]);
  expect(JSON.parse(out).command).toBe(`thimble profile --json --calls 1 --cold 1 --html ${html}`);
  expect(readFileSync(html, "utf8")).toStartWith("<!doctype html>");
  writeFileSync(json, out);
  expect((await thimble(["profile", "--compare", json, json])).out).toMatch(/whole call p50, ms .* 1\.00\n/);
  const refused = await thimble([
    "profile",
    "--compare",
    json,
    fileURLToPath(new URL("../package.json", import.meta.url)),
  ]);
  expect(refused).toMatchObject({ code: 1, out: "" });
  expect(refused.err).toContain("package.json: expected the output of thimble profile --json");
  expect((await thimble(["profile", "--compare", json])).err).toContain("--compare: expected two files, got 1");
  expect((await thimble(["profile", "--compare", json, json, "--json"])).code).toBe(2);
});

test("bench --submit-file writes what its schema says", async () => {
  const path = join(folder, "board.json");
  const { code } = await thimble(["bench", "--runs", "1", "--kernels", "simd,relaxed", "--submit-file", path]);
  expect(code).toBe(0);
  const submission = JSON.parse(readFileSync(path, "utf8"));
  expect(faults(JSON.parse(read("../tools/bench/submission.schema.json")), submission)).toEqual([]);
  expect(submission.reports.map(({ isa }: { isa: string }) => isa)).toEqual(["simd", "relaxed"]);
});

const executablePath = "/usr/bin/chromium";
const inBrowser = missing(executablePath, "chromium") ? test.skip : test;
inBrowser.each(["light", "dark"] as const)(
  "the page draws every chart in Chromium without a request, an error or anything too wide: %s",
  async (colorScheme) => {
    const path = join(folder, `${colorScheme}.html`);
    writeFileSync(path, page(full));
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
    try {
      for (const width of [1200, 390]) {
        const tab = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
        const noise: string[] = [];
        tab.on("console", (message) => noise.push(message.text()));
        tab.on("pageerror", (error) => noise.push(String(error)));
        tab.on("request", (request) => noise.push(request.url()));
        await tab.goto(`file://${path}`);
        const seen = await tab.evaluate(() => {
          const inked = (canvas: HTMLCanvasElement) => {
            const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, i) => i % 4 === 3 && value > 0).length > 500;
          };
          return {
            charts: [...document.querySelectorAll("figure > div")].map(({ id }) => id),
            inked: [...document.querySelectorAll("canvas")].map(inked),
            back: getComputedStyle(document.body).backgroundColor,
            excess: document.documentElement.scrollWidth - innerWidth,
            text: document.querySelector("main")?.textContent,
          };
        });
        expect(noise).toEqual([`file://${path}`]);
        expect(seen.charts).toEqual(["calls", "layers", "rss", "clock", "heat", "power"]);
        expect(seen.inked).toEqual(seen.charts.map(() => true));
        expect(seen.back).toBe(colorScheme === "dark" ? "rgb(19, 20, 22)" : "rgb(251, 251, 250)");
        expect(seen.excess).toBeLessThanOrEqual(0);
        // Markup in what the user and the board say stays text.
        expect(seen.text).toContain(subject.request);
        expect(seen.text).toContain("Board <b>1</b>");
        await tab.emulateMedia({ colorScheme: colorScheme === "dark" ? "light" : "dark" });
        expect(await tab.locator("canvas").count()).toBe(seen.charts.length);
        expect(noise).toHaveLength(1);
        await tab.close();
      }
    } finally {
      await browser.close();
    }
  },
);
