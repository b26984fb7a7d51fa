/** Picks the fastest build of the kernel module that the host can run, and starts it on a memory. */
import { type BuildName, buildNames, type Kernels, memoryImport } from "../wasm/abi.ts";
import { kernelBytes } from "../wasm/built/bytes.ts";

/** Bytes of one build. */
export function kernelModule(build: BuildName): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(kernelBytes[build]), (c) => c.charCodeAt(0));
}

/** The first of relaxed, simd, scalar that this host validates. */
export function detectBuild(): BuildName {
  return buildNames.find((name) => WebAssembly.validate(kernelModule(name))) ?? "scalar";
}

/** Throws: TypeError for a name that is no build, Error for one that this host cannot run. */
export async function startKernels(build: BuildName, memory: WebAssembly.Memory): Promise<Kernels> {
  if (!buildNames.includes(build))
    throw new TypeError(`kernels: expected one of ${buildNames.join(", ")}, got ${build}`);
  const bytes = kernelModule(build);
  if (!WebAssembly.validate(bytes))
    throw new Error(`kernels: expected a build that this host runs, got ${build}; ${detectBuild()} runs here`);
  const imports = { [memoryImport.module]: { [memoryImport.base]: memory } };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  return instance.exports as unknown as Kernels;
}
