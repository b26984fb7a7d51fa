/** Bun on ARM: npm's aarch64 build under QEMU's user emulation. Its speed means nothing, its sameness does. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missing } from "./support.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const qemu = "/usr/bin/qemu-aarch64-static";
const sysroot = "/usr/aarch64-linux-gnu";
const absent = missing(qemu, "qemu-user-static") || missing(`${sysroot}/lib/libstdc++.so.6`, "libstdc++6-arm64-cross");
const onArm = absent ? test.skip : test;

function run(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: root, stdout: "pipe", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: exit code ${exitCode}: ${stdout}${stderr}`);
  return stdout.toString();
}

/**
 * Returns the path of the lock file's Bun for ARM, which npm fetches once, into node_modules/.cache.
 * Throws: Error for an archive other than the one that the lock file names.
 */
function bunForArm(): string {
  const name = "@oven/bun-linux-aarch64";
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { version, integrity } = lock.packages[`node_modules/${name}`];
  const cache = join(root, "node_modules/.cache");
  const home = join(cache, `bun-linux-aarch64-${version}`);
  const bun = join(home, "bin/bun");
  if (existsSync(bun)) return bun;

  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(`${home}-`);
  try {
    const packed = run("npm", "pack", "--silent", "--pack-destination", folder, `${name}@${version}`).trim();
    const archive = join(folder, packed);
    const got = `sha512-${Bun.SHA512.hash(readFileSync(archive), "base64")}`;
    if (got !== integrity) throw new Error(`${packed}: expected ${integrity}, as in package-lock.json, got ${got}`);
    run("tar", "-xzf", archive, "-C", folder);
    renameSync(join(folder, "package"), home);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return bun;
}

const bunOnArm = (...args: string[]) => run(qemu, "-L", sysroot, bunForArm(), ...args);
const timeoutMs = 600_000;

onArm(
  "on ARM every build answers with the tokens and text of this machine; scalar and simd leave the same bytes in memory and in files of kept tools",
  () => {
    const here = JSON.parse(run(process.execPath, "test/calls.ts"));
    const there = JSON.parse(bunOnArm("test/calls.ts"));
    expect(there.arch).toBe("arm64");
    // Relaxed SIMD may round a × b + c once or twice: ARM does once.
    for (const call of [...here.calls, ...there.calls]) if (["dot", "relaxed"].includes(call.build)) delete call.memory;
    expect(there.calls).toEqual(here.calls);
  },
  timeoutMs,
);

onArm(
  "dot and relaxed kernels on ARM, where they round in their own way, keep within the bounds of kernels.test.ts",
  () => {
    // Without the longest prompt, whose reference takes as long as all the rest.
    const names = "^(inner kernels of )?(dot|relaxed) (?!.*longest)";
    bunOnArm("test", "--timeout", `${timeoutMs}`, "--test-name-pattern", names, "test/kernels.test.ts");
  },
  timeoutMs,
);
