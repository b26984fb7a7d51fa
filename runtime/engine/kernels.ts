/** Picks the fastest build of the kernel module that the host can run, and starts it on a memory. */
import { type BuildName, buildNames, type Kernels, memoryImport } from "../../wasm/abi.ts";
import { kernelBytes, trialBytes } from "../../wasm/built/bytes.ts";
import { foursAreFaster } from "./trial.ts";

/** Bytes of one build; `shared`: for a shared memory, which the module's import must then declare. */
export function kernelModule(build: BuildName, shared = false): Uint8Array<ArrayBuffer> {
  const bytes = decoded(build).slice();
  if (shared) bytes[flagsAt(bytes)] = 3;
  return bytes;
}

const decodedBuilds = new Map<BuildName, Uint8Array<ArrayBuffer>>();

function decoded(build: BuildName): Uint8Array<ArrayBuffer> {
  const bytes = decodedBuilds.get(build) ?? fromBase64(kernelBytes[build]);
  decodedBuilds.set(build, bytes);
  return bytes;
}

/** By the host's own means, where it has some: a loop over characters takes a fresh process a millisecond or two. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const own = Uint8Array as { fromBase64?(text: string): Uint8Array<ArrayBuffer> };
  if (own.fromBase64) return own.fromBase64(text);
  const { Buffer } = globalThis as { Buffer?: { from(text: string, encoding: "base64"): Uint8Array } };
  if (Buffer) return new Uint8Array(Buffer.from(text, "base64"));
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Where the import of the memory has its flags, 1 bounded and 2 shared: after both names, each after its length, and kind 2. */
function flagsAt(bytes: Uint8Array): number {
  const names = [memoryImport.module, memoryImport.base].map((name) => String.fromCharCode(name.length) + name);
  const before = `${names.join("")}\x02`;
  return new TextDecoder("latin1").decode(bytes).indexOf(before) + before.length;
}

let detected: BuildName | undefined;

/** `validBuild`, or dot, where a trial of a millisecond finds that faster than relaxed. */
export function detectBuild(): BuildName {
  detected ??= validBuild() === "relaxed" && foursAreFaster(fromBase64(trialBytes)) ? "dot" : validBuild();
  return detected;
}

let valid: BuildName | undefined;

/** The first of relaxed, simd, scalar that this host validates. */
export function validBuild(): BuildName {
  // The trial has both relaxed products, and is soon looked through.
  valid ??= WebAssembly.validate(fromBase64(trialBytes)) ? "relaxed" : undefined;
  valid ??= buildNames.slice(1).find((name) => WebAssembly.validate(decoded(name))) ?? "scalar";
  return valid;
}

/**
 * Compiles a build for a memory, which may be shared.
 * Throws: TypeError for a name that is no build, Error for one that this host cannot run.
 */
export async function compileKernels(build: BuildName, memory: WebAssembly.Memory): Promise<WebAssembly.Module> {
  if (!buildNames.includes(build))
    throw new TypeError(`kernels: expected one of ${buildNames.join(", ")}, got ${build}`);
  const bytes = memory.buffer instanceof ArrayBuffer ? decoded(build) : kernelModule(build, true);
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
