// node example.mjs thimble.wasi.wasm model.thimble tools.kv < requests.txt > calls.txt
import { readFileSync } from "node:fs";
import { init, MemFS, WASI } from "@wasmer/wasi";

const [module, ...files] = process.argv.slice(2, 5).map((path) => readFileSync(path));
await init();
const fs = new MemFS();
for (const i of [0, 1]) fs.open(`/${i}`, { read: true, write: true, create: true }).write(files[i]);
const wasi = new WASI({ env: {}, args: ["thimble", "0", "1"], fs, preopens: { "/": "/" } });
wasi.instantiate(new WebAssembly.Module(module), {});
wasi.setStdinBuffer(readFileSync(0));
process.exitCode = wasi.start();
process.stdout.write(wasi.getStdoutString() + wasi.getStderrString());
