/** The readers of /sys, on trees laid out as the kernels of real boards lay theirs: class folders hold links to devices. */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describeBoard } from "../tools/profile/board.ts";
import { findSensors, runningCpu, type Sensors } from "../tools/profile/system.ts";

const trees: string[] = [];
afterAll(() => {
  for (const tree of trees) rmSync(tree, { recursive: true });
});

type Files = Record<string, string | number>;

/** A root folder; a value that starts with "→" is a link. */
function tree(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), "thimble-sys-"));
  trees.push(root);
  lay(root, files);
  return root;
}

function lay(root: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    if (String(content).startsWith("→")) symlinkSync(String(content).slice(1), path);
    else writeFileSync(path, `${content}\n`);
  }
}

/** Files of a device, and its link in a class folder. */
function device(className: string, name: string, home: string, files: Files): Files {
  const entries = Object.entries(files).map(([file, content]) => [`sys/devices/${home}/${name}/${file}`, content]);
  return { ...Object.fromEntries(entries), [`sys/class/${className}/${name}`]: `→../../devices/${home}/${name}` };
}

/** /proc/self/stat of a process on a CPU; its name holds what a parser trips over. */
const stat = (cpu: number) => `42 (a) S 1 b) S ${Array.from({ length: 35 }, (_, i) => i).join(" ")} ${cpu} 0 0 0 0`;

const values = (list: Sensors["powerW"], nowMs: number) =>
  Object.fromEntries(list.map((channel) => [channel.name, channel.read(nowMs)]));

const cpuinfo = (blocks: string[]) => blocks.map((block, i) => `processor\t: ${i}\n${block}`).join("\n\n");
const arm = (part: string) => `CPU implementer\t: 0x41\nCPU part\t: ${part}`;

test("a Raspberry Pi: one temperature, though hwmon mirrors the zone; clock of the running CPU; no power", () => {
  const policy = { scaling_cur_freq: 1800000, cpuinfo_min_freq: 1500000, cpuinfo_max_freq: 2400000 };
  const root = tree({
    ...device("thermal", "thermal_zone0", "virtual/thermal", { type: "cpu-thermal", temp: 48312 }),
    ...device("hwmon", "hwmon0", "virtual/thermal/thermal_zone0", { name: "cpu_thermal", temp1_input: 48312 }),
    ...device("hwmon", "hwmon1", "platform/soc/soc:firmware/raspberrypi-hwmon", {
      name: "rpi_volt",
      in0_lcrit_alarm: 0,
    }),
    ...Object.fromEntries(
      Object.entries(policy).map(([file, value]) => [`sys/devices/system/cpu/cpufreq/policy0/${file}`, value]),
    ),
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "ondemand",
    ...Object.fromEntries([0, 1, 2, 3].map((n) => [`sys/devices/system/cpu/cpu${n}/cpufreq`, "→../cpufreq/policy0"])),
    "proc/self/stat": stat(3),
    "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
    "proc/cpuinfo": cpuinfo([1, 2, 3, 4].map(() => arm("0xd0b"))),
  });
  const sensors = findSensors(root);
  expect(values(sensors.temperatureC, 0)).toEqual({ "cpu-thermal": expect.closeTo(48.312) });
  expect(sensors.cpu()).toBe(3);
  expect(sensors.frequencyMHz(3)).toBe(1800);
  const power = "found no hwmon power or energy input, powercap zone or battery";
  expect(sensors.unavailable).toEqual({ temperature: null, frequency: null, power });
  expect(describeBoard(root)).toMatchObject({
    name: "Raspberry Pi 5 Model B Rev 1.0",
    cpu: "4 × Cortex-A76",
    clocks: [{ cpus: "0-3", leastMHz: 1500, mostMHz: 2400, governor: "ondemand" }],
  });
});

test("a Jetson: power of each rail as volts times amperes, not of the shunt's voltages; a zone that is off is left out", () => {
  const rails = ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"];
  const root = tree({
    ...device("hwmon", "hwmon3", "platform/bus@0/c240000.i2c/i2c-1/1-0040/hwmon", {
      name: "ina3221",
      ...Object.fromEntries(rails.map((rail, i) => [`in${i + 1}_label`, rail])),
      ...Object.fromEntries([4912, 4904, 4896].map((millivolts, i) => [`in${i + 1}_input`, millivolts])),
      ...Object.fromEntries([1200, 320, 280].map((milliamperes, i) => [`curr${i + 1}_input`, milliamperes])),
      in4_input: 6,
      curr4_input: 1800,
      in7_label: "sum of shunt voltages",
    }),
    ...device("thermal", "thermal_zone0", "virtual/thermal", { type: "cpu-thermal", temp: 51062 }),
    ...device("thermal", "thermal_zone1", "virtual/thermal", { type: "gpu-thermal", temp: 50000 }),
    ...device("thermal", "thermal_zone2", "virtual/thermal", { type: "cv0-thermal" }),
    ...device("thermal", "thermal_zone10", "virtual/thermal", { type: "tj-thermal", temp: 51625 }),
    ...device("thermal", "cooling_device0", "virtual/thermal", { type: "pwm-fan", cur_state: 1 }),
  });
  const sensors = findSensors(root);
  expect(values(sensors.powerW, 0)).toEqual({
    "ina3221 VDD_IN": expect.closeTo(4.912 * 1.2),
    "ina3221 VDD_CPU_GPU_CV": expect.closeTo(4.904 * 0.32),
    "ina3221 VDD_SOC": expect.closeTo(4.896 * 0.28),
  });
  expect(sensors.temperatureC.map(({ name }) => name)).toEqual(["cpu-thermal", "gpu-thermal", "tj-thermal"]);
  expect(sensors.unavailable.frequency).toBe("found no cpufreq for the CPU that runs this");
});

const phone = {
  ...device("power_supply", "battery", "platform/soc/charger", {
    ...{ type: "Battery", status: "Discharging", voltage_now: 3871000, current_now: -412000, temp: 312 },
  }),
  ...device("power_supply", "usb", "platform/soc/charger", { type: "USB", online: 0 }),
  ...device("power_supply", "hid-mouse", "virtual/hid", {
    type: "Battery",
    scope: "Device",
    status: "Discharging",
    power_now: 9,
  }),
  "proc/cpuinfo": cpuinfo([
    ...[1, 2, 3, 4].map(() => arm("0xd46")),
    ...[5, 6, 7].map(() => arm("0xd4d")),
    arm("0xd4e"),
  ]),
};

test("a phone: what its battery gives while it discharges, null as soon as it charges; cores of three kinds", () => {
  const mostKilohertz = [1700000, 1700000, 2300000, 1700000];
  const clocks = mostKilohertz.flatMap((most, cpu) =>
    Object.entries({ cpuinfo_min_freq: 300000, cpuinfo_max_freq: most }).map(([file, value]) => [
      `sys/devices/system/cpu/cpu${cpu}/cpufreq/${file}`,
      value,
    ]),
  );
  const root = tree({ ...phone, ...Object.fromEntries(clocks) });
  const sensors = findSensors(root);
  expect(values(sensors.powerW, 0)).toEqual({ battery: expect.closeTo(3.871 * 0.412) });
  expect(values(sensors.temperatureC, 0)).toEqual({ battery: expect.closeTo(31.2) });
  lay(root, { "sys/devices/platform/soc/charger/battery/status": "Charging" });
  expect(values(sensors.powerW, 1)).toEqual({ battery: null });
  expect(findSensors(root).unavailable.power).toBe("battery is Charging, not discharging");
  expect(describeBoard(root)).toMatchObject({
    cpu: "4 × Cortex-A510, 3 × Cortex-A715, 1 × Cortex-X3",
    clocks: [
      { cpus: "0-1,3", leastMHz: 300, mostMHz: 1700, governor: null },
      { cpus: "2", mostMHz: 2300 },
    ],
  });
});

test("a PC: power from RAPL's counters, across their wrap, each zone once; the chip's sensors by label", () => {
  const zone = (name: string, energy: number) => ({ name, energy_uj: energy, max_energy_range_uj: 262143328850 });
  const root = tree({
    ...device("powercap", "intel-rapl", "virtual/powercap", { enabled: 1 }),
    ...device("powercap", "intel-rapl:0", "virtual/powercap/intel-rapl", zone("package-0", 262143000000)),
    ...device("powercap", "intel-rapl:0:0", "virtual/powercap/intel-rapl/intel-rapl:0", zone("core", 5000000)),
    ...device("powercap", "intel-rapl-mmio:0", "virtual/powercap/intel-rapl-mmio", zone("package-0", 1)),
    ...device("hwmon", "hwmon2", "platform/coretemp.0/hwmon", {
      ...{ name: "coretemp", temp1_label: "Package id 0", temp1_input: 45000, temp1_max: 100000, temp2_input: 44000 },
    }),
    ...device("power_supply", "BAT0", "LNXSYSTM:00/PNP0C0A:00", {
      ...{ type: "Battery", status: "Discharging", power_now: 8200000, voltage_now: 11400000 },
    }),
    ...device("dmi", "id", "virtual/dmi", { sys_vendor: "LENOVO", product_name: "20XW" }),
    "proc/cpuinfo": cpuinfo(["model name\t: 11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz"]),
  });
  const sensors = findSensors(root);
  expect(values(sensors.powerW, 1000)).toEqual({
    "package-0": null,
    "package-0 core": null,
    BAT0: expect.closeTo(8.2),
  });
  lay(root, {
    // 7.5 J in half a second, of which the first 328,850 µJ lead to the wrap.
    "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj": 7500000 - 328850,
    "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/intel-rapl:0:0/energy_uj": 9000000,
    "sys/devices/LNXSYSTM:00/PNP0C0A:00/BAT0/status": "Not charging",
  });
  expect(values(sensors.powerW, 1500)).toEqual({
    "package-0": expect.closeTo(15),
    "package-0 core": expect.closeTo(8),
    BAT0: null,
  });
  expect(values(sensors.temperatureC, 0)).toEqual({ "coretemp Package id 0": 45, "coretemp temp2": 44 });
  expect(describeBoard(root)).toMatchObject({
    name: "LENOVO 20XW",
    cpu: "1 × 11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz",
  });
});

test("other meters: hwmon's power, average power and energy inputs; equal names are told apart", () => {
  const root = tree({
    ...device("hwmon", "hwmon0", "i2c-1/1-0040/hwmon", {
      name: "ina226",
      power1_input: 2500000,
      in1_input: 5000,
      curr1_input: 500,
    }),
    ...device("hwmon", "hwmon1", "i2c-1/1-0041/hwmon", { name: "ina226", power1_input: 1250000 }),
    ...device("hwmon", "hwmon2", "pci0/hwmon", { name: "amdgpu", power1_average: 4000000, power1_label: "PPT" }),
    ...device("hwmon", "hwmon3", "platform/scmi/hwmon", { name: "scmi_sensors", energy1_input: 100 }),
  });
  const { powerW } = findSensors(root);
  expect(values(powerW, 0)).toEqual({
    "ina226 power1": 2.5,
    "ina226 power1 #2": 1.25,
    "amdgpu PPT": 4,
    "scmi_sensors energy1": null,
  });
});

test("files that are missing, refused, empty or words give a reason, never an error", () => {
  const bare = findSensors(tree({ "proc/self/stat": "" }));
  expect([bare.temperatureC, bare.powerW, bare.cpu(), bare.frequencyMHz(null)]).toEqual([[], [], null, null]);
  expect(Object.values(bare.unavailable)).toEqual([
    "found no thermal zone, hwmon temperature or battery temperature",
    "found no cpufreq for the CPU that runs this",
    "found no hwmon power or energy input, powercap zone or battery",
  ]);
  const reasonFor = (files: Files) => findSensors(tree(files)).unavailable.temperature;
  const zone = "sys/class/thermal/thermal_zone0";
  // A folder where a file should be fails to be read even for root.
  expect(reasonFor({ [`${zone}/temp/x`]: 1 })).toEndWith("thermal_zone0/temp cannot be read (EISDIR)");
  expect(reasonFor({ [`${zone}/temp`]: "" })).toEndWith("temp holds no number");
  expect(reasonFor({ [`${zone}/temp`]: "hot" })).toEndWith("temp holds no number");
  expect(reasonFor({ [zone]: "→nowhere" })).toEndWith("temp cannot be read (ENOENT)");
  expect(() => describeBoard(tree({ "proc/cpuinfo/x": 1 }))).not.toThrow();
});

test("a counter that only root may read says so", () => {
  const zone = { name: "package-0", energy_uj: 1, max_energy_range_uj: 262143328850 };
  const root = tree(device("powercap", "intel-rapl:0", "virtual/powercap/intel-rapl", zone));
  const counter = join(root, "sys/class/powercap/intel-rapl:0/energy_uj");
  chmodSync(root, 0o755);
  chmodSync(counter, 0o400);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  else chmodSync(counter, 0);
  try {
    expect(findSensors(root).unavailable.power).toBe(`${counter} is for root only; run with sudo`);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test("a sensor that falls silent during a run reads null", () => {
  const root = tree(device("thermal", "thermal_zone0", "virtual/thermal", { type: "cpu", temp: 40000 }));
  const [channel] = findSensors(root).temperatureC;
  expect(channel.read(0)).toBe(40);
  rmSync(join(root, "sys/devices/virtual/thermal/thermal_zone0/temp"));
  expect(channel.read(1)).toBeNull();
});

test("the running CPU is field 39 of /proc/self/stat, whatever the process is called", () => {
  expect(runningCpu(stat(7))).toBe(7);
  expect(runningCpu("1 (x) S 1")).toBeNull();
  expect(runningCpu(null)).toBeNull();
});
