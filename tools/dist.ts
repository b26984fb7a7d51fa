/**
 * Makes dist/ anew: what the compiler emits, the kernels, the default model, the example tools, the charts' library, and the
 * command line as one file, so that `thimble run` opens two and not fifty.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

rmSync("dist", { recursive: true, force: true });
execFileSync("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
// Nobody imports the tools.
for (const types of new Bun.Glob("**/*.d.ts").scanSync("dist/tools")) rmSync(`dist/tools/${types}`);
// Comments stay in the types, where editors show them; the runtime keeps its lines, for traces.
for (const [folder, minify] of [
  ["tools", true],
  ["{runtime,wasm}", false],
] as const) {
  const entrypoints = [...new Bun.Glob(`dist/${folder}/**/*.js`).scanSync(".")];
  await Bun.build({ entrypoints, root: "dist", outdir: "dist", target: "node", external: ["*"], minify });
}
cpSync("wasm/built", "dist/wasm/built", { recursive: true, filter: (from) => !from.endsWith(".ts") });
cpSync("runtime/model", "dist/runtime/model", { recursive: true });
cpSync("tools/watch.json", "dist/tools/watch.json");
for (const file of ["thimble.js", "thimble.tools.js", "actions.js", "spoken.js"])
  cpSync(`firmware/espruino/${file}`, `dist/firmware/espruino/${file}`);
cpSync("firmware/companion", "dist/firmware/companion", { recursive: true, filter: (from) => !from.endsWith(".md") });
for (const file of ["LICENSE", "dist/uPlot.iife.min.js", "dist/uPlot.min.css"])
  cpSync(`node_modules/uplot/${file}`, `dist/tools/profile/uplot/${basename(file)}`);

/** `run` travels within cli.js; the other commands stay files of their own, loaded when asked for. */
const apart = /^\.\/(?!run)[a-z]+\.ts$/;
const { success, logs } = await Bun.build({
  entrypoints: ["tools/cli.ts"],
  outdir: "dist/tools",
  target: "node",
  minify: true,
  plugins: [
    {
      name: "one file for run",
      setup(build) {
        build.onResolve({ filter: apart }, ({ path, kind, importer }) =>
          kind === "dynamic-import" && /\/tools\/\w+\.ts$/.test(importer)
            ? { path: path.replace(/ts$/, "js"), external: true }
            : undefined,
        );
        // What a module finds beside itself, it finds from here by its own place.
        build.onLoad({ filter: /\/(runtime|wasm)\/.*\.ts$/ }, async ({ path }) => {
          const place = relative("dist/tools", join("dist", dirname(relative(".", path)), basename(path, ".ts")));
          const contents = await Bun.file(path).text();
          const from = `new URL(${JSON.stringify(`${place}.js`)}, import.meta.url).href`;
          return { contents: contents.replaceAll("import.meta.url", from), loader: "ts" };
        });
      },
    },
  ],
});
if (!success) throw new AggregateError(logs, "dist: expected cli.js to bundle");
chmodSync("dist/tools/cli.js", 0o755);
