import { expect, test } from "bun:test";
import { kernelModule } from "../runtime/engine/kernels.ts";
import { buildNames, exportNames, memoryImport } from "../wasm/abi.ts";
import { assemble, emit, emitTrial } from "../wasm/build.ts";
import { trialBytes } from "../wasm/built/bytes.ts";
import { trainBytes } from "../wasm/built/train.ts";
import { trainExports } from "../wasm/train/abi.ts";
import { assembleTrain } from "../wasm/train/build.ts";

const mostBytes = 16 * 1024;

test.each(buildNames)("%s: rebuilt bytes equal shipped bytes, twice", (name) => {
  const first = emit(assemble(name));
  expect(emit(assemble(name))).toEqual(first);
  expect(kernelModule(name)).toEqual(first);
});

test.each(buildNames)(
  "%s: at most 16 KiB, imports only the memory, exports only the ABI, allocates nothing",
  async (name) => {
    const bytes = kernelModule(name);
    expect(bytes.length).toBeLessThanOrEqual(mostBytes);
    const module = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(module)).toEqual([
      { ...{ module: memoryImport.module, name: memoryImport.base }, kind: "memory" },
    ] as never);
    expect(
      WebAssembly.Module.exports(module)
        .map((e) => e.name)
        .sort(),
    ).toEqual([...exportNames].sort());
    const { default: binaryen } = await import("binaryen");
    expect(binaryen.readBinary(bytes).emitText()).not.toContain("memory.grow");
  },
);

test("the trial: rebuilt bytes equal shipped bytes, at most 600, and nothing comes in", () => {
  const bytes = Uint8Array.from(Buffer.from(trialBytes, "base64"));
  expect(emitTrial()).toEqual(bytes);
  expect(bytes.length).toBeLessThanOrEqual(600);
  expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([]);
});

test("scalar has no vector type and simd no relaxed instruction, so that hosts without them take them; only dot takes four products at once", async () => {
  const { default: binaryen } = await import("binaryen");
  const text = (name: (typeof buildNames)[number]) => binaryen.readBinary(kernelModule(name)).emitText();
  expect(text("scalar")).not.toContain("v128");
  expect(text("simd")).toContain("i32x4.dot_i16x8_s");
  expect(text("simd")).not.toContain("relaxed");
  expect(text("relaxed")).toContain("f32x4.relaxed_madd");
  const four = "i32x4.relaxed_dot_i8x16_i7x16_add_s";
  expect(buildNames.filter((name) => text(name).includes(four))).toEqual(["dot"]);
  expect(text("dot")).not.toContain("i16x8.relaxed_dot_i8x16_i7x16_s");
});

test("an invalid module is an error, not a printed warning", () => {
  const asm = assemble("scalar");
  asm.func("wrong", {}, (f) => f.emit(f.m.i32.add(f.m.i32.const(1), f.m.f32.const(1))));
  expect(() => emit(asm)).toThrow("not a valid module");
});

test("the training module: rebuilt bytes equal shipped bytes; only the memory comes in, only its ABI goes out; no relaxed instruction", async () => {
  const bytes = Uint8Array.from(Buffer.from(trainBytes, "base64"));
  expect(emit(assembleTrain())).toEqual(bytes);
  const module = new WebAssembly.Module(bytes);
  expect(WebAssembly.Module.imports(module)).toHaveLength(1);
  const names = WebAssembly.Module.exports(module).map((e) => e.name);
  expect(names.sort()).toEqual([...trainExports].sort());
  const { default: binaryen } = await import("binaryen");
  expect(binaryen.readBinary(bytes).emitText()).not.toContain("relaxed");
});
