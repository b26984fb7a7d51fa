import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
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
  expect(examples.length).toBe(7);
});

test("the README's first command prints what its comment says", () => {
  const [, request, output] = readme.match(/npx thimble run "(.*?)" +# (.*)/) ?? [];
  const { stdout } = Bun.spawnSync(["node", "dist/tools/cli.js", "run", request], { cwd: root });
  expect(stdout.toString()).toBe(`${output}\n`);
});

test("the file map names every source file, and only files that exist", async () => {
  const map = readme.slice(readme.indexOf("## File map"));
  for (const folder of ["runtime", "wasm"]) {
    for (const name of new Bun.Glob("*.ts").scanSync(`${root}${folder}`)) expect(map).toContain(name);
    const named = map.match(new RegExp(`^${folder}/[\\s\\S]*?(?=^\\w|\`\`\`)`, "m"))?.[0] ?? "";
    for (const [, name] of named.matchAll(/^ {2}(\w+\.ts)/gm))
      expect(existsSync(`${root}${folder}/${name}`)).toBe(true);
  }
  for (const name of new Bun.Glob("*.ts").scanSync(`${root}tools`)) expect(map).toContain(name.replace(".ts", ""));
});
