/**
 * Changes a source file in one small way at a time and says which changes no test notices.
 *
 *   bun test/mutate.ts runtime/answer/copy.ts --tests copy,repeat --count 20 --seed 1
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { seeded } from "./support.ts";

const text = { type: "string" } as const;
const { values, positionals } = parseArgs({
  options: { tests: text, count: { ...text, default: "20" }, seed: { ...text, default: "1" } },
  allowPositionals: true,
});
const root = fileURLToPath(new URL("../", import.meta.url));
const copy = mkdtempSync(join(tmpdir(), "thimble-mutate-"));
for (const name of ["runtime", "wasm", "tools", "test", "firmware", "package.json", "README.md", "tsconfig.json"])
  cpSync(join(root, name), join(copy, name), { recursive: true, filter: (path) => !path.endsWith("node_modules") });
for (const name of ["node_modules", "dist"]) symlinkSync(join(root, name), join(copy, name));

/** What is put in the place of what. */
const swaps: [RegExp, (found: string) => string][] = [
  [
    / (<=?|>=?|===|!==) /g,
    (found) =>
      ({ " < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > " })[found] ??
      (found === " === " ? " !== " : " === "),
  ],
  [/ (&&|\|\|) /g, (found) => (found === " && " ? " || " : " && ")],
  [/ [-+] (?=\d|[a-z])/g, (found) => (found === " + " ? " - " : " + ")],
  [/\b(true|false)\b/g, (found) => String(found !== "true")],
  [/(?<=[[( ])(0|1|2)(?=[\]), ;])/g, (found) => String(Number(found) + 1)],
  [/\bif \(!?(?=[a-z])/g, (found) => (found.endsWith("!") ? "if (" : "if (!")],
  [/^ {4,}(?!(const|let|return|case|import|export)\b)[\w.]+(\(.*\)| [-+&|?]*= .*);$/gm, () => ""],
];

const path = positionals[0];
const source = readFileSync(join(root, path), "utf8");
const isCode = (at: number) =>
  !/^\s*(\*|\/\/|\/\*|import|export type)/.test(source.slice(source.lastIndexOf("\n", at - 1) + 1));
const places = swaps.flatMap(([pattern, swap]) =>
  [...source.matchAll(pattern)]
    .filter(({ index }) => isCode(index))
    .map(({ 0: found, index }) => ({ index, found, into: swap(found) })),
);
const random = seeded(Number(values.seed));
const chosen = places
  .map((place) => ({ place, key: random() }))
  .sort((a, b) => a.key - b.key)
  .slice(0, Number(values.count));
const tests = (values.tests ?? "").split(",").map((name) => `test/${name}.test.ts`);
let survived = 0;
for (const {
  place: { index, found, into },
} of chosen) {
  writeFileSync(join(copy, path), source.slice(0, index) + into + source.slice(index + found.length));
  const { exitCode } = Bun.spawnSync([process.execPath, "test", "--timeout", "60000", "--bail", ...tests], {
    cwd: copy,
    timeout: 120_000,
  });
  const line = source.slice(0, index).split("\n").length;
  if (exitCode === 0)
    console.log(
      `survived: ${path}:${line}: ${JSON.stringify(found.trim())} -> ${JSON.stringify(into.trim())}`,
      ++survived && "",
    );
}
console.log(`${path}: ${chosen.length} changed of ${places.length} places, ${survived} survived`);
rmSync(copy, { recursive: true });
