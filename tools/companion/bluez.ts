/** Watches by BlueZ on a Linux board: node-ble, which the user installs beside thimble, as Web Bluetooth. */
import type { EventEmitter } from "node:events";
import { connect } from "node:net";
import type { BluetoothDeviceLike, BluetoothLike } from "../../runtime/companion.ts";

/** What is asked of node-ble. Source: its documentation, 1.13. */
export interface NodeBle {
  createBluetooth(): {
    bluetooth: { defaultAdapter(): Promise<Adapter>; dbus?: EventEmitter };
    destroy(): void;
  };
}
interface Adapter {
  isPowered(): Promise<boolean>;
  isDiscovering(): Promise<boolean>;
  startDiscovery(): Promise<void>;
  devices(): Promise<string[]>;
  getDevice(address: string): Promise<Device>;
}
interface Device extends EventEmitter {
  getName(): Promise<string>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  gatt(): Promise<{ getPrimaryService(uuid: string): Promise<{ getCharacteristic(uuid: string): Promise<Gatt> }> }>;
}
interface Gatt extends EventEmitter {
  writeValueWithoutResponse(bytes: Buffer): Promise<void>;
  startNotifications(): Promise<void>;
}

const usualBus = "unix:path=/var/run/dbus/system_bus_socket";
const scanMs = 2000;

/**
 * Bluetooth whose `requestDevice` waits for the next device with a name that is asked for.
 * Throws: Error where node-ble, the system bus, BlueZ or a powered adapter is missing.
 */
export async function openBluez(log: (line: string) => void, load = installed): Promise<BluetoothLike> {
  const { createBluetooth } = await load();
  await reachable(process.env.DBUS_SYSTEM_BUS_ADDRESS ?? usualBus);
  const { bluetooth } = createBluetooth();
  // An error without a listener would end the process.
  bluetooth.dbus?.on("error", (error: Error) => log(`--bluetooth: the system bus is gone: ${error.message}`));
  const adapter = await bluetooth.defaultAdapter().catch((error: Error) => {
    const remedy = "systemctl start bluetooth, and see bluetoothctl list";
    throw new Error(`--bluetooth: expected BlueZ with an adapter, got ${error.message}; ${remedy}`);
  });
  if (!(await adapter.isPowered()))
    throw new Error("--bluetooth: expected an adapter that is on, got one that is off; bluetoothctl power on");
  if (!(await adapter.isDiscovering())) await adapter.startDiscovery();

  const given = new Set<string>();
  return {
    async requestDevice({ filters }) {
      const prefixes = filters.flatMap((filter) => ("namePrefix" in filter ? [filter.namePrefix] : []));
      for (;;) {
        for (const address of await adapter.devices()) {
          if (given.has(address)) continue;
          try {
            const device = await adapter.getDevice(address);
            // Devices without a name have none to ask for.
            const name = await device.getName().catch(() => "");
            if (!prefixes.some((prefix) => name.startsWith(prefix))) continue;
            given.add(address);
            return deviceOf(device, name, () => void setTimeout(() => given.delete(address), scanMs));
          } catch (error) {
            log(`--bluetooth: ${address}: ${(error as Error).message}`);
          }
        }
        await new Promise((resolve) => setTimeout(resolve, scanMs));
      }
    },
  };
}

async function installed(): Promise<NodeBle> {
  // A name that is not written here: the package is the user's to install.
  const name = "node-ble";
  try {
    const module = await import(name);
    return module.default ?? module;
  } catch {
    throw new Error("--bluetooth: expected the package node-ble, got none; npm install node-ble");
  }
}

/** Tries the bus: node-ble would end the process where there is none. */
function reachable(address: string): Promise<void> {
  const path = /^unix:path=([^,;]+)/.exec(address)?.[1];
  return new Promise((resolve, reject) => {
    const fail = (got: string) => {
      const remedy = "on Linux install dbus and bluez, and start them; or DBUS_SYSTEM_BUS_ADDRESS names it";
      reject(new Error(`--bluetooth: expected the system bus at ${address}, got ${got}; ${remedy}`));
    };
    if (!path) return fail("no path of a socket");
    const socket = connect(path);
    socket.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

/** `failed` is told when it is let go before it was heard once: it may be asked for again. */
function deviceOf(device: Device, name: string, failed: () => void): BluetoothDeviceLike {
  let isConnected = false;
  const gone = () => {
    if (!isConnected) return;
    isConnected = false;
    device.removeAllListeners("disconnect");
    seen.dispatchEvent(new Event("gattserverdisconnected"));
  };
  let isHeard = false;
  const heard = () => {
    isHeard = true;
  };
  const seen: BluetoothDeviceLike = Object.assign(new EventTarget(), {
    name,
    gatt: {
      async connect() {
        try {
          device.once("disconnect", gone);
          await device.connect();
          isConnected = true;
          const server = await device.gatt();
          return {
            async getPrimaryService(uuid: string) {
              const service = await server.getPrimaryService(uuid);
              return {
                getCharacteristic: async (id: string) => new Characteristic(await service.getCharacteristic(id), heard),
              };
            },
          };
        } catch (error) {
          isConnected = false;
          device.removeAllListeners("disconnect");
          throw error;
        }
      },
      disconnect() {
        if (!isHeard) failed();
        gone();
        device.disconnect().catch(() => {});
      },
    },
  });
  return seen;
}

class Characteristic extends EventTarget {
  value?: DataView;

  constructor(
    private readonly gatt: Gatt,
    heard: () => void,
  ) {
    super();
    gatt.on("valuechanged", ({ buffer, byteOffset, length }: Buffer) => {
      heard();
      this.value = new DataView(buffer, byteOffset, length);
      this.dispatchEvent(new Event("characteristicvaluechanged"));
    });
  }

  writeValueWithoutResponse(bytes: Uint8Array): Promise<void> {
    return this.gatt.writeValueWithoutResponse(Buffer.from(bytes));
  }

  startNotifications(): Promise<void> {
    return this.gatt.startNotifications();
  }
}
