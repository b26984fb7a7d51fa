/**
 * The command for WASI: a host in C, compiled by Debian's clang 14 into host.wasm, which is committed; and the kernels, merged
 * into it at every build. `bun wasm/wasi/build.ts` compiles the host anew.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Of firmware/mcu, what a host with kernels of its own does without. */
const apart = ["engine.c", "attend.c", "caches.c", "kernels.c", "kernels_dsp.c", "kernels_mve.c", "host.c"];

const compile = [
  ...["--target=wasm32-wasi", "--sysroot=/usr", "-c", "-std=c11", "-Oz", "-flto", "-Wall", "-Wextra", "-Werror"],
  ...["-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint", "-ffp-contract=off", "-fno-math-errno"],
  ...["-fno-strict-aliasing", "-I", `${root}firmware/mcu`],
];
/** A function is written into another only where that takes fewer bytes. */
const inline = ["-mllvm", "-inline-threshold=-25"];
/** Memory ends at 2 GiB: the kernels compare addresses as signed numbers. */
const link = ["--no-entry", "--export=_start", "--allow-undefined", "--max-memory=2147483648", "--strip-all"];
/** Calls whose effects are known leave more to take away; what is called most has the shortest number. */
const known = "--generate-global-effects";
const shrink = [
  "--flatten",
  "--rereloop",
  "-Oz",
  known,
  "-Oz",
  "--converge",
  "--reorder-functions",
  "--reorder-locals",
];

/** Nothing lies in the first KiB of memory, so that what is added to an address may stand in the access. */
const fold = ["--low-memory-unused", "--optimize-added-constants"];

/** What the host and the kernels use beyond WebAssembly 1.0. */
const features = ["simd", "bulk-memory", "sign-ext", "nontrapping-float-to-int", "mutable-globals"];
const enabled = features.map((feature) => `--enable-${feature}`);

const binaryen = `${root}node_modules/binaryen/bin`;

/** Compiles host.wasm to a path. Throws: Error where clang, lld or wasi-libc is missing. */
export function compileHost(out: string): void {
  const engine = readdirSync(`${root}firmware/mcu`).filter((file) => file.endsWith(".c") && !apart.includes(file));
  const sources = [...engine.sort().map((file) => `firmware/mcu/${file}`), ...["engine", "main", "text"].map(own)];
  const folder = mkdtempSync(join(tmpdir(), "thimble-wasi-"));
  try {
    const objects = sources.map((source, i) => {
      const object = join(folder, `${i}.o`);
      execFileSync("clang", [...compile, ...inline, "-o", object, source], { cwd: root, stdio: "inherit" });
      return object;
    });
    // Linked by hand: clang would run a wasm-opt that it finds on the path.
    execFileSync("wasm-ld", [...link, ...inline, "-o", out, ...objects], { stdio: "inherit" });
    execFileSync(process.execPath, [`${binaryen}/wasm-opt`, out, ...shrink, "-o", out, ...enabled]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const own = (name: string) => `wasm/wasi/${name}.c`;

/** Merges the committed host with a build of the kernels into one command. */
export function mergeHost(kernels: string, out: string): void {
  const merged = [`${root}wasm/wasi/host.wasm`, "thimble", kernels, "kernels", "-o", out, ...enabled];
  execFileSync(process.execPath, [`${binaryen}/wasm-merge`, ...merged]);
  // The kernels' exports, and what nothing calls, go.
  execFileSync(process.execPath, [
    `${binaryen}/wasm-metadce`,
    out,
    "-f",
    `${root}wasm/wasi/exports.json`,
    "-o",
    out,
    ...enabled,
  ]);
  execFileSync(process.execPath, [`${binaryen}/wasm-opt`, out, ...fold, "-Oz", "-o", out, ...enabled]);
}

if (import.meta.main) compileHost(`${root}wasm/wasi/host.wasm`);
