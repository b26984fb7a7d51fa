/** firmware/mcu on emulated boards: the same tokens as on this machine, and how many instructions they take. */
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultModel, load } from "../runtime/index.ts";
import { boards, buildFor, runOn, sizeOf } from "./mcu/board.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "thimble-boards-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const wanted = {
  "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi",
  "qemu-system-arm": "qemu-system-arm",
  cc: "gcc",
};
const absent = Object.entries(wanted).find(([program]) => !Bun.which(program));
if (absent) console.warn(`skipped tests: ${absent[0]} is missing; apt-get install ${absent[1]}`);
const onBoards = absent ? test.skip : test;

const limits = { requestTokens: 32, answerTokens: 64, cacheBits: 8 } as const;
const requests = [
  "wake me at 7:15 tomorrow",
  "text anna I am running late",
  "set a timer for ten minutes",
  "play some jazz",
  "what is the weather in Paris",
  "turn off the lights in the bedroom",
  "start a run",
  "tell mum that dinner is ready",
  "set a timer for ten minutes and play some jazz",
  "who was the first man on the moon",
];
const pack = fileURLToPath(defaultModel());
const tools = join(folder, "tools.kv");

const source = join(root, "firmware/mcu");
const engine = readdirSync(source).flatMap((file) => (/(?<!host)\.c$/.test(file) ? [join(source, file)] : []));

/** Compiles a program with the engine for this machine, and returns what it says of some lines. */
function here(main: string, input: readonly string[], more: readonly string[] = []): string[] {
  const out = join(folder, "here");
  const flags = ["-std=c99", "-O2", "-fno-math-errno", "-fno-strict-aliasing", "-ffp-contract=off", `-I${source}`];
  Bun.spawnSync(["cc", ...flags, ...more, "-o", out, ...engine, join(root, main), "-lm"]);
  const { stdout } = Bun.spawnSync([out, pack, tools, "32", "64", "8"], {
    stdin: Buffer.from(`${input.join("\n")}\n`),
  });
  return stdout.toString().trim().split("\n");
}

/** Instructions in millions that a call takes at most, over the ten requests, with seven tools. */
const most: Record<string, number> = { "Cortex-M4": 125, "Cortex-M33": 125, "Cortex-M55": 60 };

for (const board of boards) {
  onBoards(
    `${board.name}: ten requests in 64 KiB, the host's tokens and states to the bit, ${most[board.name]} million instructions a call`,
    async () => {
      const model = await load();
      writeFileSync(
        tools,
        await model.readTools(readFileSync(join(root, "tools/watch.json"), "utf8"), { device: true }),
      );
      model.close();
      const elf = buildFor(board, limits, folder);
      const answers = runOn(board, elf, pack, tools, requests);
      const host = here("firmware/mcu/host.c", requests);
      expect(answers.map(({ tokens }) => tokens)).toEqual(host.map((line) => JSON.parse(line).tokens));
      const asked = requests.map((request) => `a ${Buffer.from(request).toString("hex")}`);
      const states = here("test/mcu/laws.c", asked, ["-Wl,--wrap=engine_pick"]);
      expect(answers.map(({ states }) => states)).toEqual(
        states.map((line) => Number.parseInt(line.trim().split(" ").at(-1) as string, 16)),
      );
      const mean = answers.reduce((sum, { all }) => sum + all, 0) / answers.length / 1e6;
      expect(mean).toBeLessThan(most[board.name]);
      expect(answers[0].arena).toBeLessThanOrEqual(64 * 1024);
      expect(sizeOf(elf).flash).toBeLessThan(80 * 1024);
    },
    300_000,
  );
}
