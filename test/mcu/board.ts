/** Emulated boards: the engine built for each core, and what it answers there in how many instructions. */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Board {
  /** The core, and QEMU's board that has it. */
  name: string;
  machine: string;
  flags: string[];
  /** Code, memory, and where files lie: flash on a real one. */
  code: number;
  memory: number;
  files: number;
}

export const boards: Board[] = [
  {
    name: "Cortex-M4",
    machine: "mps2-an386",
    flags: ["-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16"],
    code: 0,
    memory: 0x20000000,
    files: 0x21000000,
  },
  {
    name: "Cortex-M33",
    machine: "mps2-an505",
    flags: ["-mcpu=cortex-m33"],
    code: 0x10000000,
    memory: 0x38000000,
    files: 0x80000000,
  },
  {
    name: "Cortex-M55",
    machine: "mps3-an547",
    flags: ["-mcpu=cortex-m55"],
    code: 0,
    memory: 0x21000000,
    files: 0x60000000,
  },
];

export interface BoardLimits {
  requestTokens: number;
  answerTokens: number;
  cacheBits: 8 | 16;
}

/** What a board says of a request: calls, tokens, and instructions by stage. */
export interface BoardAnswer {
  calls: { name: string; arguments: object }[] | null;
  error: string;
  tokens: number[];
  rows: number;
  decisions: number;
  prefill: number;
  decode: number;
  pick: number;
  all: number;
  /** A sum over the bits of the states that ids were decided from. */
  states: number;
  arena: number;
}

const stages = ["engine_prefill", "engine_decode", "engine_pick"];
const placeOf = { pack: 0, tools: 0x400000, requests: 0x800000, sizes: 0x900000 };

/** Builds the engine for a board into a folder; `more` are flags on top. Throws: Error for what gcc says. */
export function buildFor(
  board: Board,
  limits: BoardLimits,
  folder: string,
  arenaBytes = 64 * 1024,
  more: readonly string[] = [],
): string {
  const source = join(root, "firmware/mcu");
  const files = readdirSync(source).filter((file) => file.endsWith(".c") && file !== "host.c");
  const out = join(folder, `${board.machine}.elf`);
  const places = {
    PACK: board.files + placeOf.pack,
    TOOLS: board.files + placeOf.tools,
    REQUESTS: board.files + placeOf.requests,
    SIZES: board.files + placeOf.sizes,
    ARENA: arenaBytes,
    REQUEST_TOKENS: limits.requestTokens,
    ANSWER_TOKENS: limits.answerTokens,
    CACHE_BITS: limits.cacheBits,
  };
  const own = [join(root, "test/mcu/board.c"), ...files.map((file) => join(source, file))];
  compileFor(board, out, places, [`-I${source}`, ...stages.map((stage) => `-Wl,--wrap=${stage}`), ...more, ...own]);
  return out;
}

/** Compiles a program for a board, with names of numbers, flags and sources. Throws: Error for what gcc says. */
export function compileFor(board: Board, out: string, names: Record<string, number>, rest: readonly string[]): void {
  run([
    ...[
      "arm-none-eabi-gcc",
      "-std=gnu99",
      "-O2",
      "-mthumb",
      "-mfloat-abi=hard",
      "-ffunction-sections",
      "-nostartfiles",
    ],
    ...["--specs=nosys.specs", "-fno-math-errno", "-fno-strict-aliasing", "-ffp-contract=off", "-fno-builtin-malloc"],
    ...["-Wall", "-Wextra", ...board.flags, ...Object.entries(names).map(([name, value]) => `-D${name}=${value}u`)],
    ...["-Wl,--gc-sections", "-T", join(root, "test/mcu/board.ld")],
    ...[`-Wl,--defsym=CODE_AT=${board.code}`, `-Wl,--defsym=RAM_AT=${board.memory}`, "-o", out, ...rest],
  ]);
}

/** Runs a program on a board over files in its memory, by their places; returns what it says. */
export function emulate(board: Board, elf: string, loads: Record<number, string>): string {
  return run([
    ...["qemu-system-arm", "-M", board.machine, "-display", "none", "-monitor", "none", "-serial", "none"],
    ...["-icount", "shift=0", "-semihosting-config", "enable=on,target=native", "-kernel", elf],
    ...Object.entries(loads).flatMap(([at, path]) => ["-device", `loader,file=${path},addr=${at},force-raw=on`]),
  ]);
}

/** Runs a build over files and requests. Throws: Error where the board says anything but answers. */
export function runOn(
  board: Board,
  elf: string,
  pack: string,
  tools: string,
  requests: readonly string[],
): BoardAnswer[] {
  const text = Buffer.from(`${requests.join("\n")}\n`);
  const sizes = Buffer.alloc(12);
  for (const [i, size] of [statSync(pack).size, statSync(tools).size, text.length].entries())
    sizes.writeUInt32LE(size, 4 * i);
  const [requestsPath, sizesPath] = [`${elf}.requests`, `${elf}.sizes`];
  writeFileSync(requestsPath, text);
  writeFileSync(sizesPath, sizes);
  const loads = { pack, tools, requests: requestsPath, sizes: sizesPath };
  const said = emulate(
    board,
    elf,
    Object.fromEntries(
      Object.entries(loads).map(([name, path]) => [board.files + placeOf[name as keyof typeof placeOf], path]),
    ),
  );
  return said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Bytes of flash and of memory beside the arena that a build takes. */
export function sizeOf(elf: string): { flash: number; data: number } {
  const [text, data] = run(["arm-none-eabi-size", elf]).split("\n")[1].trim().split(/\s+/).map(Number);
  return { flash: text + data, data };
}

function run(command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdout: "pipe", stderr: "pipe", stdin: "ignore" });
  // QEMU writes what semihosting says to standard error.
  if (exitCode !== 0) throw new Error(`${command.slice(0, 3).join(" ")}: exit code ${exitCode}: ${stderr}${stdout}`);
  return stdout.toString() || stderr.toString();
}
