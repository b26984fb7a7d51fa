/** BlueZ on a board: what is missing is said, and a double of node-ble carries a watch. */
import { afterAll, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Companion, connectBluetooth, overLines, type Pipe } from "../runtime/companion.ts";
import { ToolSet } from "../runtime/tools/tools.ts";
import type { Wearable } from "../runtime/wear/wearable.ts";
import { type NodeBle, openBluez } from "../tools/companion/bluez.ts";
import { thimble } from "./support.ts";
import { startWatch } from "./wear/watch.ts";

const folder = mkdtempSync(join(tmpdir(), "thimble-bus-"));
afterAll(() => rmSync(folder, { recursive: true }));
const ignore = () => {};

/** A bus that takes connections and says nothing. */
async function withBus<T>(work: () => Promise<T>): Promise<T> {
  const path = join(folder, `bus-${Math.random()}`);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const before = process.env.DBUS_SYSTEM_BUS_ADDRESS;
  process.env.DBUS_SYSTEM_BUS_ADDRESS = `unix:path=${path}`;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
    else process.env.DBUS_SYSTEM_BUS_ADDRESS = before;
    server.close();
  }
}

/** node-ble as its documentation has it, with one device in reach, and another without a name. */
function radio({ powered = true, packetBytes = 20 } = {}) {
  const bus = new EventEmitter();
  const [write, notify] = [new EventEmitter(), new EventEmitter()];
  let heard: (bytes: Uint8Array) => void = ignore;
  /** When each connection was asked for. */
  const tries: number[] = [];
  const server = {
    getPrimaryService: async () => ({
      getCharacteristic: async (uuid: string) =>
        Object.assign(uuid.startsWith("6e400002") ? write : notify, {
          writeValueWithoutResponse: async (bytes: Buffer) => {
            if (!Buffer.isBuffer(bytes) || bytes.length > packetBytes) throw new Error("Only buffers can be wrote");
            heard(bytes);
          },
          startNotifications: async () => {
            if (tries.length === 2) throw new Error("Operation failed with ATT error: 0x0e");
          },
        }),
    }),
  };
  const device = Object.assign(new EventEmitter(), {
    getName: async () => "Bangle.js 1234",
    connect: async () => {
      if (tries.push(performance.now()) === 1) throw new Error("le-connection-abort-by-local");
    },
    disconnect: async () => void device.emit("disconnect", { connected: false }),
    gatt: async () => server,
  });
  const nameless = Object.assign(new EventEmitter(), {
    ...{ getName: async () => Promise.reject(new Error("no such property")), gatt: async () => server },
    ...{ connect: async () => {}, disconnect: async () => {} },
  });
  const adapter = {
    ...{ isPowered: async () => powered, isDiscovering: async () => false, startDiscovery: async () => {} },
    devices: async () => ["00:11", "12:34"],
    getDevice: async (address: string) => (address === "12:34" ? device : nameless),
  };
  const module: NodeBle = {
    createBluetooth: () => ({ bluetooth: { defaultAdapter: async () => adapter, dbus: bus }, destroy: ignore }),
  };
  const pipe: Pipe = {
    send: (bytes) => {
      for (let at = 0; at < bytes.length; at += packetBytes)
        notify.emit("valuechanged", Buffer.from(bytes.subarray(at, at + packetBytes)));
    },
    receive: (take) => {
      heard = take;
    },
  };
  return { module, pipe, device, bus, tries };
}

test("a watch in reach is served, a scan after each connection that failed, and again after a break", async () => {
  const { module, pipe, device, bus, tries } = radio();
  const log: string[] = [];
  const bluetooth = await withBus(() =>
    openBluez(
      (line) => void log.push(line),
      async () => module,
    ),
  );
  bus.emit("error", new Error("EPIPE"));
  const found: Wearable[] = [];
  const companion = new Companion({ onDevice: (one) => void found.push(one) });
  const clock = {
    set: (run: () => void, ms: number) => setTimeout(run, ms / 20),
    clear: (timer: unknown) => clearTimeout(timer as number),
  };
  const tools = ToolSet.from([{ name: "say", parameters: { n: { type: "integer" } } }]);
  const run = { say: ({ n }: Record<string, unknown>) => n };
  const watch = startWatch({ name: "Bangle.js", tools, clock, random: Math.random, run, prompt: () => () => {} });
  watch.attach(overLines(pipe, (frame) => `{"t":"thimble","f":"${frame}"}\r\n`));
  await expect(connectBluetooth(companion, bluetooth)).rejects.toThrow("le-connection-abort");
  await expect(connectBluetooth(companion, bluetooth)).rejects.toThrow("ATT error");
  const served = await connectBluetooth(companion, bluetooth);
  expect(tries.every((at, i) => !i || at - tries[i - 1] > 1900)).toBe(true);
  while (!found.length) await Bun.sleep(5);
  expect(await found[0].call({ name: "say", arguments: { n: 3 } })).toEqual({ ending: "done", value: 3 });
  device.emit("disconnect", { connected: false });
  device.emit("disconnect", { connected: false });
  expect(await found[0].call({ name: "say", arguments: { n: 4 } })).toEqual({ ending: "done", value: 4 });
  expect([tries.length, found.length]).toEqual([4, 1]);
  // A watch that is served is not found again.
  const another = connectBluetooth(companion, bluetooth).then(() => "another");
  expect(await Promise.race([another, Bun.sleep(50).then(() => "none")])).toBe("none");
  expect(log).toEqual(["--bluetooth: the system bus is gone: EPIPE"]);
  served.close();
});

test("no package, no bus, no adapter, one that is off: each is said, with what to do", async () => {
  const { err, code } = await thimble(["companion", "--bluetooth"]);
  expect([err, code]).toEqual([
    "thimble: --bluetooth: expected the package node-ble, got none; npm install node-ble\n",
    1,
  ]);
  const { module } = radio();
  process.env.DBUS_SYSTEM_BUS_ADDRESS = `unix:path=${join(folder, "none")}`;
  await expect(openBluez(ignore, async () => module)).rejects.toThrow(
    /expected the system bus at unix:path=.*, got ENOENT; on Linux install/,
  );
  process.env.DBUS_SYSTEM_BUS_ADDRESS = "tcp:host=there";
  await expect(openBluez(ignore, async () => module)).rejects.toThrow("got no path of a socket");
  delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
  const none: NodeBle = {
    createBluetooth: () => ({
      bluetooth: { defaultAdapter: () => Promise.reject(new Error("No available adapters found")) },
      destroy: ignore,
    }),
  };
  await expect(withBus(() => openBluez(ignore, async () => none))).rejects.toThrow(
    "--bluetooth: expected BlueZ with an adapter, got No available adapters found; systemctl start bluetooth",
  );
  const off = radio({ powered: false });
  await expect(withBus(() => openBluez(ignore, async () => off.module))).rejects.toThrow("bluetoothctl power on");
});
