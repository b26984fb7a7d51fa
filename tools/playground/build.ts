/** The page's code for browsers: bundled, but for the runtime, whose files the package has already. */
import { cpSync } from "node:fs";
import { relative } from "node:path";

const source = "tools/playground/web";

/** Writes the page into a folder. Throws: AggregateError for what does not bundle. */
export async function buildPage(folder: string): Promise<void> {
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
}
