/**
 * The generated kernels by another way: wasm2c makes C of them, which goes through a recorded call here and on an emulated
 * Cortex-M4. What "equal" is for firmware/mcu, wasm2c says.
 */
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { boards, compileFor, emulate } from "./mcu/board.ts";
import { kernelCases, type Recording, record } from "./mcu/replay.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-replay-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** A test that says aloud what is missing. */
function withPrograms(programs: Record<string, string>) {
  const absent = Object.entries(programs).find(([program]) => !Bun.which(program));
  if (absent) console.warn(`skipped tests: ${absent[0]} is missing; apt-get install ${absent[1]}`);
  return absent ? test.skip : test;
}
const timeoutMs = 600_000;
const [image, trace] = [join(folder, "image"), join(folder, "trace")];

let recorded: Recording | undefined;
/** A call of two tools, recorded once, and the kernels as C. */
async function prepare(): Promise<Recording> {
  if (recorded) return recorded;
  const tools = JSON.stringify(JSON.parse(readFileSync(join(root, "tools/watch.json"), "utf8")).slice(0, 2));
  recorded = await record("wake me at 7:15 tomorrow", tools);
  writeFileSync(image, recorded.before);
  writeFileSync(trace, new Uint8Array(recorded.trace.buffer));
  const kernels = join(root, "wasm/built/scalar.wasm");
  const { exitCode, stderr } = Bun.spawnSync(["wasm2c", kernels, "-n", "thimble", "-o", join(folder, "scalar.c")]);
  if (exitCode !== 0) throw new Error(`wasm2c: ${stderr}`);
  writeFileSync(join(folder, "kernels.inc"), kernelCases(join(folder, "scalar.h"), recorded.names));
  return recorded;
}

/** Memory is as large as the call needs: no access is checked. */
const unchecked = ["-DWASM_RT_MEMCHECK_SIGNAL_HANDLER=1", "-DWASM_RT_SKIP_SIGNAL_RECOVERY=1"];
const sources = [`-I${folder}`, join(root, "test/mcu/replay.c"), join(folder, "scalar.c")];

withPrograms({ wasm2c: "wabt", cc: "gcc libc6-dev" })(
  "a recorded call, translated to C: every result, and memory at the end to the bit",
  async () => {
    const { after, calls } = await prepare();
    expect(calls).toBeGreaterThan(50);
    const [program, out] = [join(folder, "replay"), join(folder, "out")];
    const flags = ["-O2", "-ffp-contract=off", "-fno-strict-aliasing", "-w", ...unchecked];
    const { exitCode, stderr } = Bun.spawnSync(["cc", ...flags, "-o", program, ...sources, "-lm"]);
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    expect(Bun.spawnSync([program, image, trace, out]).stdout.toString()).toBe("equal\n");
    expect(readFileSync(out).equals(after)).toBe(true);
  },
  timeoutMs,
);

withPrograms({
  wasm2c: "wabt",
  "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
  "qemu-system-arm": "qemu-system-arm",
})(
  "the same on an emulated Cortex-M4",
  async () => {
    const { before } = await prepare();
    const [board] = boards;
    const traceAt = 0xc00000;
    expect(before.length).toBeLessThanOrEqual(traceAt);
    const places = { IMAGE: board.files, TRACE: board.files + traceAt, PAGES: before.length / 65536 };
    const elf = join(folder, "replay.elf");
    // The one header of wasm2c's that a cross-compiler does not see.
    writeFileSync(join(folder, "wasm-rt.h"), readFileSync("/usr/include/wasm-rt.h"));
    compileFor(board, elf, places, ["-w", ...unchecked, ...sources, "-lm"]);
    expect(emulate(board, elf, { [places.IMAGE]: image, [places.TRACE]: trace })).toBe("equal");
  },
  timeoutMs,
);
