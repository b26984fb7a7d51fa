/** The page's code for browsers: bundled, but for the runtime, whose files the package has already. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { brotliCompressSync } from "node:zlib";

const source = "tools/playground/web";

/** Writes the page into a folder, each file packed, with the licences of what is bundled. Throws: AggregateError for what does not bundle. */
export async function buildPage(folder: string): Promise<void> {
  /** Whose code is in the page. */
  const packages = new Set<string>();
  const { success, logs } = await Bun.build({
    entrypoints: [`${source}/main.tsx`, `${source}/worker.ts`],
    outdir: folder,
    target: "browser",
    splitting: true,
    jsx: { runtime: "automatic", importSource: "preact", development: false },
    minify: true,
    naming: { chunk: "[name]-[hash].[ext]" },
    plugins: [
      {
        name: "the runtime stays where it is",
        setup(build) {
          build.onLoad({ filter: /\/node_modules\// }, ({ path }) => {
            const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
            if (name) packages.add(name);
            return undefined;
          });
          build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer }) => {
            const from = relative(".", new URL(path, `file://${importer}`).pathname);
            // Its doors alone are files in the package.
            const isDoor = /^runtime\/(index|companion)\.ts$/.test(from);
            return isDoor ? { path: `./${from.replace(/ts$/, "js")}`, external: true } : undefined;
          });
        },
      },
    ],
  });
  if (!success) throw new AggregateError(logs, "playground: expected the page to bundle");
  for (const name of ["index.html", "style.css"]) cpSync(`${source}/${name}`, `${folder}/${name}`);
  const licences = [...packages]
    .sort()
    .map((name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8")}`);
  writeFileSync(`${folder}/licences.txt`, licences.join("\n\n"));
  // Packed, so that whoever installs thimble for its runtime does not carry an editor unpacked.
  for (const name of readdirSync(folder)) {
    writeFileSync(`${folder}/${name}.br`, brotliCompressSync(readFileSync(`${folder}/${name}`)));
    rmSync(`${folder}/${name}`);
  }
}
