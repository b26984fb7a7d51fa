/** Picks the fastest build of the kernel module that the host can run, and starts it on a memory. */
import { type BuildName, buildNames, type Kernels, memoryImport } from "../../wasm/abi.ts";
import { kernelBytes } from "../../wasm/built/bytes.ts";

/** Bytes of one build; `shared`: for a shared memory, which the module's import must then declare. */
export function kernelModule(build: BuildName, shared = false): Uint8Array<ArrayBuffer> {
  const binary = atob(kernelBytes[build]);
  const fitting = shared ? binary.replace(`${memoryBytes}\x01`, `${memoryBytes}\x03`) : binary;
  const bytes = new Uint8Array(fitting.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = fitting.charCodeAt(i);
  return bytes;
}

/** The import as the binary format has it: names, each after its length, and kind 2; then flags: 1 bounded, 2 shared. */
const memoryBytes = `${[memoryImport.module, memoryImport.base].map((name) => String.fromCharCode(name.length) + name).join("")}\x02`;

/** The first of relaxed, simd, scalar that this host validates. */
export function detectBuild(): BuildName {
  return buildNames.find((name) => WebAssembly.validate(kernelModule(name))) ?? "scalar";
}

/**
 * Compiles a build for a memory, which may be shared.
 * Throws: TypeError for a name that is no build, Error for one that this host cannot run.
 */
export async function compileKernels(build: BuildName, memory: WebAssembly.Memory): Promise<WebAssembly.Module> {
  if (!buildNames.includes(build))
    throw new TypeError(`kernels: expected one of ${buildNames.join(", ")}, got ${build}`);
  const bytes = kernelModule(build, !(memory.buffer instanceof ArrayBuffer));
  return WebAssembly.compile(bytes).catch((error) => {
    // A page's policy may forbid what the host could run.
    if (WebAssembly.validate(bytes)) throw error;
    throw new Error(`kernels: expected a build that this host runs, got ${build}; ${detectBuild()} runs here`);
  });
}

/** What the module imports. @internal */
export function kernelImports(memory: WebAssembly.Memory): WebAssembly.Imports {
  return { [memoryImport.module]: { [memoryImport.base]: memory } };
}

/** Compiles and starts a build. Throws: as `compileKernels`. */
export async function startKernels(build: BuildName, memory: WebAssembly.Memory): Promise<Kernels> {
  const module = await compileKernels(build, memory);
  return (await WebAssembly.instantiate(module, kernelImports(memory))).exports as unknown as Kernels;
}
