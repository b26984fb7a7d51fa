/** `thimble run --wasi`: the command without a JavaScript runtime (wasm/wasi), in a host for WASI that JavaScript has. */
import { readFileSync } from "node:fs";
import { defaultModel } from "../runtime/default.ts";
import type { Json } from "../runtime/json.ts";
import { bytesOf, type Source } from "../runtime/load/source.ts";
import { load } from "../runtime/thimble.ts";
import type { ToolSet } from "../runtime/tools/tools.ts";

/** What a run of the command came to. */
export interface WasiRun {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command over a pack's bytes and a file of kept tools. Throws: Error where @wasmer/wasi is not installed. */
export async function runCommand(pack: Uint8Array, tools: Uint8Array, input: string): Promise<WasiRun> {
  const { init, MemFS, WASI } = await import("@wasmer/wasi").catch(() => {
    throw new Error("wasi: expected the package @wasmer/wasi, got none; npm install @wasmer/wasi");
  });
  await init();
  const fs = new MemFS();
  for (const [name, bytes] of [
    ["model.thimble", pack],
    ["tools.kv", tools],
  ] as const) {
    const file = fs.open(`/${name}`, { read: true, write: true, create: true });
    file.write(bytes);
    file.seek(0);
  }
  const args = ["thimble", "model.thimble", "tools.kv"];
  const wasi = new WASI({ env: {}, args, fs, preopens: { "/": "/" } });
  const command = readFileSync(new URL("../wasm/built/thimble.wasi.wasm", import.meta.url));
  wasi.instantiate(await WebAssembly.compile(command), {});
  wasi.setStdinBuffer(new TextEncoder().encode(input));
  const code = wasi.start();
  return { code, stdout: wasi.getStdoutString(), stderr: wasi.getStderrString() };
}

/** A line's calls, or what is wrong with its request. */
export type WasiAnswer = { name: string; arguments: Record<string, Json> }[] | { error: string };

/** Answers requests, a line each: the runtime reads the tools, the command does the rest. */
export async function answerByWasi(
  source: Source | undefined,
  set: ToolSet,
  requests: readonly string[],
): Promise<WasiAnswer[]> {
  const pack = await bytesOf(source ?? defaultModel());
  const model = await load(pack);
  const tools = await model.readTools(set, { device: true });
  model.close();
  const lines = requests.map((request) => request.replaceAll(/[\r\n]+/g, " "));
  const { code, stdout, stderr } = await runCommand(pack, tools, `${lines.join("\n")}\n`);
  const answers = stdout.split("\n").slice(0, -1);
  if (answers.length !== requests.length) throw new Error(`wasi: expected answers, got exit code ${code}: ${stderr}`);
  return answers.map((line) =>
    line.startsWith("error: ") ? { error: line.slice("error: ".length) } : (JSON.parse(line) as WasiAnswer),
  );
}
