import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const readme = await Bun.file(`${root}README.md`).text();

const examples = ["README.md", "runtime/README.md"].flatMap((page) =>
  [...readFileSync(`${root}${page}`, "utf8").matchAll(/```ts\n([\s\S]*?)```(?:\n```\n([\s\S]*?)```)?/g)].map(
    ([, code, output], i) => [`${page}, example ${i + 1}`, code, output] as const,
  ),
);

test.each(examples)("%s runs on Node as it stands and prints what it says", (_, code, output) => {
  const { stdout, stderr } = Bun.spawnSync(["node", "--input-type=module", "--eval", code], { cwd: root });
  expect(stderr.toString()).toBe("");
  expect(stdout.toString()).toBe(output);
});

test("the pages have the examples", () => {
  expect(examples.length).toBeGreaterThan(9);
});

test("its pictures are there, and its transcripts as many as it says", () => {
  const pictures = [...readme.matchAll(/(?:!\[[^\]]+\]\(|<img src=")([^)"]+\.png)/g)].map(([, path]) => path);
  expect(pictures.length).toBe(5);
  for (const path of pictures) expect(readFileSync(`${root}${path}`).subarray(1, 4).toString()).toBe("PNG");
  const lines = readFileSync(`${root}test/fixtures/transcripts.jsonl`, "utf8").trimEnd().split("\n");
  expect(readme).toContain(`Of [${lines.length} scripted transcripts]`);
});

test("the README's first command prints what its comment says", () => {
  const [, request, output] = readme.match(/npx thimble run "(.*?)" +# (.*)/) ?? [];
  const { stdout } = Bun.spawnSync(["node", "dist/tools/cli.js", "run", request], { cwd: root });
  expect(stdout.toString()).toBe(`${output}\n`);
});

test("the file map names every source file, and only files that exist", async () => {
  const map = readme.slice(readme.indexOf("## File map"));
  for (const [folder, place] of [
    ["runtime", "**/*.ts"],
    ["wasm", "*.ts"],
  ]) {
    const names = [...new Bun.Glob(place).scanSync(`${root}${folder}`)].map((path) => basename(path));
    for (const name of names) expect(map).toContain(name);
    const named = map.match(new RegExp(`^${folder}/[\\s\\S]*?(?=^\\w|\`\`\`)`, "m"))?.[0] ?? "";
    for (const [, name] of named.matchAll(/(\w+\.ts)/g)) expect(names).toContain(name);
  }
  for (const name of new Bun.Glob("*.ts").scanSync(`${root}tools`)) expect(map).toContain(name.replace(".ts", ""));
});

test("the README's sizes are those of what is built", () => {
  const size = (path: string) => readFileSync(`${root}${path}`).length;
  const sizes = ["relaxed", "dot", "simd", "scalar"].map((name) => {
    const bytes = size(`wasm/built/${name}.wasm`).toLocaleString("en");
    return `${name} ${bytes}${name === "relaxed" ? " bytes" : ""}`;
  });
  expect(readme).toContain(`Kernel modules: ${sizes.join(", ")};`);
  const pack = `${(size("runtime/model/default.thimble") / 2 ** 20).toFixed(1)} MiB`;
  expect(readme.replace(/ +/g, " ")).toContain(`| pack | ${pack} |`);
});

test("the README's table of the siege says what test/fixtures/siege.json says", async () => {
  const { attacks, soak, hours } = await Bun.file(`${root}test/fixtures/siege.json`).json();
  const number = (n: number) => n.toLocaleString("en");
  for (const [name, { tried, survived, ended }] of Object.entries<Record<string, never>>(attacks)) {
    const ways = Object.entries<number>(ended).sort(([a], [b]) => (a < b ? -1 : 1));
    const told = ways.map(([way, count]) => `${number(count)} ${way}`).join(", ");
    expect(readme).toContain(`| ${name} | ${number(tried)} | ${number(survived)}: ${told} |`);
  }
  const percent = ({ growth }: { growth: number }) => `${growth < 0 ? "" : "+"}${(100 * growth).toFixed(1)}%`;
  for (const [about, run] of [
    ["calls", soak],
    ...hours.map((run: typeof soak) => [
      `calls for ${run.hours} hours${run.full ? ", all vectors kept that may be," : ""}`,
      run,
    ]),
  ]) {
    const grew = `heap ${percent(run.heap)}, linear memory ${percent(run.linear)}, RSS ${percent(run.rss)}`;
    const over = `${number(run.sets)} tool sets and ${number(run.sessions)} sessions of random limits`;
    expect(readme).toContain(`| ${about} over ${over} | ${number(run.calls)} | second half: ${grew} |`);
  }
});

test("the README's table of boards says what the submissions in test/bench say", async () => {
  const rows = [...new Bun.Glob("board-*.json").scanSync(`${root}test/bench`)].sort().map(async (name) => {
    const { board, reports, command, date } = await Bun.file(`${root}test/bench/${name}`).json();
    const [{ isa, threads, prefill, decode, callMs, peakRssBytes }] = reports;
    const at271 = prefill.find(({ promptTokens }: { promptTokens: number }) => promptTokens === 271).tokensPerSecond;
    return [
      [board.name, board.cpu, `${(board.memoryBytes / 2 ** 30).toFixed(1)} GiB`].filter(Boolean).join(", "),
      `${board.host}, ${isa}, ${threads}`,
      `${callMs.toFixed(1)} ms`,
      `${at271} tokens/s`,
      `${decode.free} / ${decode.grammar} tokens/s`,
      `${(peakRssBytes / 2 ** 20).toFixed(0)} MiB`,
      `\`${command}\`, ${date.slice(0, 10)}`,
    ].join(" | ");
  });
  for (const row of await Promise.all(rows)) expect(readme).toContain(`| ${row} |`);
  expect(rows.length).toBeGreaterThan(0);
});
