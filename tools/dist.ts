/** Copies what the compiler does not emit into dist/: the kernels, the default model, the example tools. */
import { chmodSync, cpSync } from "node:fs";

const copies = [
  ["wasm/built", /\.wasm$/],
  ["runtime/model", /./],
  ["tools/watch.json", /./],
] as const;
for (const [path, wanted] of copies) {
  cpSync(path, `dist/${path}`, { recursive: true, filter: (from) => !/\.\w+$/.test(from) || wanted.test(from) });
}
chmodSync("dist/tools/cli.js", 0o755);
