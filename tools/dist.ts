/** Makes dist/ anew: what the compiler emits, the kernels, the default model, the example tools. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
execFileSync("node", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
cpSync("wasm/built", "dist/wasm/built", { recursive: true, filter: (from) => !from.endsWith(".ts") });
cpSync("runtime/model", "dist/runtime/model", { recursive: true });
cpSync("tools/watch.json", "dist/tools/watch.json");
chmodSync("dist/tools/cli.js", 0o755);
