/**
 * What a Linux kernel tells of clock, heat and power while a run goes on. Files that are missing, refused or silent are
 * "not available" with the reason, never an error. `root` stands for /, so that a test can lay out a board's tree.
 *
 *   sys/class/thermal/thermal_zone<n>/{type,temp}                    m°C   Documentation/ABI/testing/sysfs-class-thermal
 *   sys/class/hwmon/hwmon<n>/{name,temp<n>_input,temp<n>_label}      m°C   Documentation/hwmon/sysfs-interface.rst
 *   …                       /{power<n>_input|_average,energy<n>_input} µW, µJ
 *   …                       /{in<n>_input,curr<n>_input}             mV, mA  of an INA3221, Documentation/hwmon/ina3221.rst
 *   sys/class/powercap/<zone>/{name,energy_uj,max_energy_range_uj}   µJ    Documentation/power/powercap/powercap.rst
 *   sys/class/power_supply/<name>/{type,scope,status,power_now}      µW    Documentation/ABI/testing/sysfs-class-power
 *   …                            /{voltage_now,current_now,temp}     µV, µA, 0.1 °C
 *   sys/devices/system/cpu/cpu<n>/cpufreq/scaling_cur_freq           kHz   Documentation/admin-guide/pm/cpufreq.rst
 *   proc/self/stat                                                   field 39, the CPU that the reader runs on
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One number that the system tells; null at a moment when it tells none. */
export interface Channel {
  name: string;
  /** `nowMs`: a clock that only rises; counters of energy become power between two reads. */
  read(nowMs: number): number | null;
}

export interface Sensors {
  temperatureC: Channel[];
  powerW: Channel[];
  /** The CPU that the caller runs on and its clock. */
  cpu(): number | null;
  frequencyMHz(cpu: number | null): number | null;
  /** Why a quantity has no channel; null where it has one. */
  unavailable: { temperature: string | null; frequency: string | null; power: string | null };
}

/** Finds the channels that answer now. */
export function findSensors(root = "/"): Sensors {
  const at = (...path: string[]) => join(root, ...path);
  const folders = (path: string) => list(at(path)).map((name) => ({ name, path: at(path, name) }));
  const zones = folders("sys/class/thermal").filter(({ name }) => name.startsWith("thermal_zone"));
  const monitors = folders("sys/class/hwmon").map(({ name, path }) => ({ name: text(path, "name") ?? name, path }));
  const batteries = folders("sys/class/power_supply").filter(
    // A mouse's battery is of scope Device.
    ({ path }) => text(path, "type") === "Battery" && text(path, "scope") !== "Device",
  );

  const heat = new Found("thermal zone, hwmon temperature or battery temperature");
  const zoneTypes = new Set<string>();
  for (const { name, path } of zones) {
    const type = text(path, "type") ?? name;
    zoneTypes.add(type.replaceAll("-", "_"));
    heat.add(type, join(path, "temp"), 1e-3);
  }
  for (const { name, path } of monitors) {
    // The kernel mirrors most zones as hwmon devices of the same name (drivers/thermal/thermal_hwmon.c).
    if (zoneTypes.has(name)) continue;
    for (const input of inputs(path, "temp")) heat.add(labelled(name, path, input), join(path, `${input}_input`), 1e-3);
  }
  for (const { name, path } of batteries) heat.add(name, join(path, "temp"), 0.1);

  const power = new Found("hwmon power or energy input, powercap zone or battery");
  for (const { name, path } of monitors) {
    for (const input of inputs(path, "power")) {
      const file = ["input", "average"].map((kind) => join(path, `${input}_${kind}`)).find(existsSync);
      if (file) power.add(labelled(name, path, input), file, 1e-6);
    }
    for (const input of inputs(path, "energy"))
      power.addCounter(labelled(name, path, input), join(path, `${input}_input`), null);
    // Its inputs from 4 on are shunt voltages and their sum.
    if (name === "ina3221") {
      for (const n of [1, 2, 3]) {
        const [volts, amperes] = [join(path, `in${n}_input`), join(path, `curr${n}_input`)];
        if (existsSync(volts)) power.addProduct(labelled(name, path, `in${n}`), volts, amperes, 1e-6);
      }
    }
  }
  for (const { name, path } of folders("sys/class/powercap")) {
    // The same counter as intel-rapl, by another way.
    if (name.startsWith("intel-rapl-mmio")) continue;
    const parent = text(at("sys/class/powercap", name.replace(/:\d+$/, "")), "name");
    const label = [/:\d+:/.test(name) ? parent : null, text(path, "name") ?? name].filter(Boolean).join(" ");
    const energy = join(path, "energy_uj");
    if (existsSync(energy)) power.addCounter(label, energy, number(join(path, "max_energy_range_uj")));
  }
  for (const { name, path } of batteries) {
    // While it charges, its current is not what the board draws.
    const discharging = () => text(path, "status") === "Discharging";
    const file = (leaf: string) => join(path, leaf);
    if (!discharging()) power.refuse(`${name} is ${text(path, "status") ?? "silent"}, not discharging`);
    else if (existsSync(file("power_now"))) power.add(name, file("power_now"), 1e-6, discharging);
    else power.addProduct(name, file("voltage_now"), file("current_now"), 1e-12, discharging);
  }

  const clock = (cpu: number | null) => {
    const folder = at(`sys/devices/system/cpu/cpu${cpu}/cpufreq`);
    const kilohertz = number(join(folder, "scaling_cur_freq")) ?? number(join(folder, "cpuinfo_cur_freq"));
    return kilohertz === null ? null : kilohertz / 1000;
  };
  const cpu = () => runningCpu(text(at("proc/self"), "stat"));
  return {
    temperatureC: heat.channels,
    powerW: power.channels,
    cpu,
    frequencyMHz: clock,
    unavailable: {
      temperature: heat.reason,
      frequency: clock(cpu()) === null ? "found no cpufreq for the CPU that runs this" : null,
      power: power.reason,
    },
  };
}

/** Channels of one quantity, and why others are none. */
class Found {
  readonly channels: Channel[] = [];
  private readonly reasons: string[] = [];
  constructor(private readonly wanted: string) {}

  get reason(): string | null {
    if (this.channels.length) return null;
    return this.reasons[0] ?? `found no ${this.wanted}`;
  }

  refuse(reason: string): void {
    this.reasons.push(reason);
  }

  add(name: string, file: string, unit: number, valid = () => true): void {
    this.push(name, [file], () => (valid() ? scaled(number(file), unit) : null));
  }

  /** Power as volts times amperes; a sign only tells the direction. */
  addProduct(name: string, volts: string, amperes: string, unit: number, valid = () => true): void {
    this.push(name, [volts, amperes], () => {
      const [u, i] = [number(volts), number(amperes)];
      return u === null || i === null || !valid() ? null : Math.abs(u * i) * unit;
    });
  }

  /** Power from a counter of µJ that starts again from 0 after `range`. */
  addCounter(name: string, file: string, range: number | null): void {
    let last: { energy: number; nowMs: number } | null = null;
    this.push(name, [file], (nowMs) => {
      const energy = number(file);
      const before = last;
      last = energy === null ? null : { energy, nowMs };
      if (energy === null || !before || nowMs <= before.nowMs) return null;
      const spent = energy - before.energy;
      if (spent < 0 && range === null) return null;
      return (spent < 0 ? spent + (range as number) : spent) / (nowMs - before.nowMs) / 1000;
    });
  }

  private push(name: string, files: string[], read: Channel["read"]): void {
    const failure = files.map(failureOf).find((reason) => reason !== null);
    if (failure) {
      this.refuse(failure);
      return;
    }
    const same = this.channels.filter((channel) => channel.name.replace(/ #\d+$/, "") === name).length;
    this.channels.push({ name: same ? `${name} #${same + 1}` : name, read });
  }
}

function failureOf(file: string): string | null {
  try {
    const content = readFileSync(file, "utf8").trim();
    return content !== "" && Number.isFinite(Number(content)) ? null : `${file} holds no number`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" ? `${file} is for root only; run with sudo` : `${file} cannot be read (${code})`;
  }
}

/** The CPU of a /proc/<pid>/stat line, whose second field, a name in parentheses, may hold anything. */
export function runningCpu(stat: string | null): number | null {
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpu = Number(fields?.[36] ?? Number.NaN);
  return Number.isInteger(cpu) ? cpu : null;
}

/** `temp1` … of a hwmon folder, in order. */
function inputs(folder: string, kind: string): string[] {
  const found = list(folder).flatMap((name) => name.match(new RegExp(`^${kind}\\d+(?=_(input|average)$)`))?.[0] ?? []);
  return [...new Set(found)];
}

function labelled(device: string, folder: string, input: string): string {
  return `${device} ${text(folder, `${input}_label`) ?? input}`;
}

function scaled(value: number | null, unit: number): number | null {
  return value === null ? null : value * unit;
}

/** Names in a folder, thermal_zone2 before thermal_zone10; none of a folder that cannot be read. */
export function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort(new Intl.Collator("en", { numeric: true }).compare);
  } catch {
    return [];
  }
}

/** A file's trimmed text; null if it cannot be read or is empty. Device tree strings end with a zero byte. */
export function text(folder: string, file: string): string | null {
  try {
    return readFileSync(join(folder, file), "utf8").replaceAll("\0", "").trim() || null;
  } catch {
    return null;
  }
}

export function number(file: string): number | null {
  const value = Number(text(file, "") ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}
