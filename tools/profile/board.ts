/** Which machine this is, in facts that a table of boards can show. `root` as in system.ts. */
import { arch, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { list, number, text } from "./system.ts";

export interface Board {
  /** From the device tree or the firmware's tables. */
  name: string | null;
  /** "4 × Cortex-A76". */
  cpu: string;
  arch: string;
  memoryBytes: number;
  /** Operating system and its version. */
  system: string;
  /** JavaScript host. */
  host: string;
  clocks: Clock[];
}

/** CPUs of the same limits and governor, from cpufreq. */
export interface Clock {
  cpus: string;
  leastMHz: number;
  mostMHz: number;
  governor: string | null;
}

export function describeBoard(root = "/"): Board {
  return {
    name: boardName(root),
    cpu: cpuName(text(join(root, "proc"), "cpuinfo") ?? ""),
    arch: arch(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    host: process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`,
    clocks: clocks(root),
  };
}

/** One line for a table: board, cores, memory, host. */
export function boardLine({ name, cpu, memoryBytes, host }: Board): string {
  return [name, cpu, `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`, host].filter(Boolean).join(", ");
}

function boardName(root: string): string | null {
  const tree =
    text(join(root, "proc/device-tree"), "model") ?? text(join(root, "sys/firmware/devicetree/base"), "model");
  if (tree) return tree;
  const table = join(root, "sys/class/dmi/id");
  return [text(table, "sys_vendor"), text(table, "product_name")].filter(Boolean).join(" ") || null;
}

/** Counts the cores of each kind in /proc/cpuinfo. Where there is none, asks the host. */
function cpuName(cpuinfo: string): string {
  const cores = cpuinfo.split(/\n\s*\n/).flatMap((block) => {
    const field = (name: string) => block.match(new RegExp(`^${name}\\s*:\\s*(.+)$`, "mi"))?.[1].trim();
    if (!field("processor")) return [];
    const [implementer, part] = [field("CPU implementer"), field("CPU part")];
    if (!part) return [field("model name") ?? "unknown CPU"];
    return [(implementer === "0x41" && armCores[part.toLowerCase()]) || `CPU ${implementer} ${part}`];
  });
  const names = cores.length ? cores : cpus().map(({ model }) => model.trim() || "unknown CPU");
  return [...new Set(names)].map((name) => `${names.filter((other) => other === name).length} × ${name}`).join(", ");
}

/** Part numbers of implementer 0x41, Arm. Source: Linux, arch/arm64/include/asm/cputype.h. */
const armCores: Record<string, string> = {
  "0xb76": "ARM1176",
  "0xc07": "Cortex-A7",
  "0xc08": "Cortex-A8",
  "0xc09": "Cortex-A9",
  "0xc0f": "Cortex-A15",
  "0xd03": "Cortex-A53",
  "0xd04": "Cortex-A35",
  "0xd05": "Cortex-A55",
  "0xd07": "Cortex-A57",
  "0xd08": "Cortex-A72",
  "0xd09": "Cortex-A73",
  "0xd0a": "Cortex-A75",
  "0xd0b": "Cortex-A76",
  "0xd0c": "Neoverse N1",
  "0xd0d": "Cortex-A77",
  "0xd40": "Neoverse V1",
  "0xd41": "Cortex-A78",
  "0xd42": "Cortex-A78AE",
  "0xd44": "Cortex-X1",
  "0xd46": "Cortex-A510",
  "0xd47": "Cortex-A710",
  "0xd48": "Cortex-X2",
  "0xd49": "Neoverse N2",
  "0xd4d": "Cortex-A715",
  "0xd4e": "Cortex-X3",
  "0xd80": "Cortex-A520",
  "0xd81": "Cortex-A720",
  "0xd82": "Cortex-X4",
};

function clocks(root: string): Clock[] {
  const folder = join(root, "sys/devices/system/cpu");
  const alike = new Map<string, { clock: Omit<Clock, "cpus">; cpus: number[] }>();
  for (const name of list(folder)) {
    const cpu = name.match(/^cpu(\d+)$/)?.[1];
    const policy = join(folder, name, "cpufreq");
    const [least, most] = [number(join(policy, "cpuinfo_min_freq")), number(join(policy, "cpuinfo_max_freq"))];
    if (cpu === undefined || least === null || most === null) continue;
    const clock = { leastMHz: least / 1000, mostMHz: most / 1000, governor: text(policy, "scaling_governor") };
    const key = JSON.stringify(clock);
    const same = alike.get(key) ?? { clock, cpus: [] };
    same.cpus.push(Number(cpu));
    alike.set(key, same);
  }
  return [...alike.values()].map(({ clock, cpus }) => ({ cpus: ranges(cpus), ...clock }));
}

/** [0, 1, 2, 3, 7] → "0-3,7". */
function ranges(cpus: number[]): string {
  const runs: [number, number][] = [];
  for (const cpu of cpus) {
    const last = runs.at(-1);
    if (last && cpu === last[1] + 1) last[1] = cpu;
    else runs.push([cpu, cpu]);
  }
  return runs.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(",");
}
