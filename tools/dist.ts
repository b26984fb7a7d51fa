/** Makes dist/ anew: what the compiler emits, the kernels, the default model, the example tools, the charts' library. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";
import { basename } from "node:path";

rmSync("dist", { recursive: true, force: true });
execFileSync("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
cpSync("wasm/built", "dist/wasm/built", { recursive: true, filter: (from) => !from.endsWith(".ts") });
cpSync("runtime/model", "dist/runtime/model", { recursive: true });
cpSync("tools/watch.json", "dist/tools/watch.json");
for (const file of ["thimble.js", "thimble.tools.js", "actions.js", "spoken.js"])
  cpSync(`firmware/espruino/${file}`, `dist/firmware/espruino/${file}`);
cpSync("firmware/companion", "dist/firmware/companion", { recursive: true, filter: (from) => !from.endsWith(".md") });
for (const file of ["LICENSE", "dist/uPlot.iife.min.js", "dist/uPlot.min.css"])
  cpSync(`node_modules/uplot/${file}`, `dist/tools/profile/uplot/${basename(file)}`);
chmodSync("dist/tools/cli.js", 0o755);
