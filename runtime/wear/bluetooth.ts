/** Web Bluetooth's Nordic UART, which on a watch with Espruino is its interpreter: frames travel in lines. */
import type { Companion } from "./companion.ts";
import { overLines, type Pipe } from "./pipe.ts";

export const uart = {
  service: "6e400001-b5a3-f393-e0a9-e50e24dcca9e",
  write: "6e400002-b5a3-f393-e0a9-e50e24dcca9e",
  notify: "6e400003-b5a3-f393-e0a9-e50e24dcca9e",
} as const;

/** What is asked of the browser's navigator.bluetooth, or of a library that offers the same. */
export interface BluetoothLike {
  requestDevice(options: {
    filters: ({ namePrefix: string } | { services: string[] })[];
    optionalServices: string[];
  }): Promise<BluetoothDeviceLike>;
}
export interface BluetoothDeviceLike extends EventTarget {
  name?: string;
  gatt?: {
    connect(): Promise<{
      getPrimaryService(
        uuid: string,
      ): Promise<{ getCharacteristic(uuid: string): Promise<BluetoothCharacteristicLike> }>;
    }>;
    disconnect(): void;
  };
}
export interface BluetoothCharacteristicLike extends EventTarget {
  value?: DataView;
  writeValueWithoutResponse(bytes: Uint8Array): Promise<void>;
  startNotifications(): Promise<unknown>;
}

const leastPacketBytes = 20;
const mostWaiting = 64;
const firstRetryMs = 1000;
const mostRetryMs = 30_000;

/**
 * Lets the user pick a watch, serves it, and connects again whenever it comes back into reach. Call it from a click.
 * Throws: Error where there is no Web Bluetooth, and what the browser says when the user picks none.
 */
export async function connectBluetooth(
  companion: Companion,
  bluetooth: BluetoothLike | undefined = (globalThis.navigator as { bluetooth?: BluetoothLike } | undefined)?.bluetooth,
): Promise<{ close(): void }> {
  if (!bluetooth) {
    const remedy = "use Chrome or Edge on https or localhost, or on Linux start it with --enable-features=WebBluetooth";
    throw new Error(`bluetooth: expected a browser with Web Bluetooth, got one without; ${remedy}`);
  }
  const filters = [{ namePrefix: "Bangle.js" }, { namePrefix: "Puck.js" }, { services: [uart.service] }];
  const device = await bluetooth.requestDevice({ filters, optionalServices: [uart.service] });
  let isOver = false;
  let isTrying = true;
  let drop = () => {};
  let retryMs = firstRetryMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const attempt = async () => {
    let isLost = false;
    // A host may wait for ever for what a lost link had to bring.
    const dropped = new Promise<never>((_, reject) => {
      drop = () => {
        isLost = true;
        reject(new Error(`${device.name ?? "bluetooth"}: expected a link that stays, got one that dropped at once`));
      };
    });
    const pipe = await Promise.race([gattPipe(device), dropped]);
    // Of this link no event comes any more.
    if (isLost) await dropped;
    isTrying = false;
    retryMs = firstRetryMs;
    companion.connect(overLines(pipe));
  };
  const again = async () => {
    isTrying = true;
    try {
      await attempt();
    } catch {
      device.gatt?.disconnect();
      if (isOver) return;
      timer = setTimeout(again, retryMs);
      retryMs = Math.min(2 * retryMs, mostRetryMs);
    }
  };
  const lost = () => {
    if (isTrying) drop();
    else again();
  };
  device.addEventListener("gattserverdisconnected", lost);
  const close = () => {
    isOver = true;
    drop();
    clearTimeout(timer);
    device.removeEventListener("gattserverdisconnected", lost);
    device.gatt?.disconnect();
  };
  try {
    await attempt();
  } catch (error) {
    close();
    throw error;
  }
  return { close };
}

/** The UART of a device that was picked. Packets are of 20 bytes until the device has sent a longer one. */
export async function gattPipe(device: BluetoothDeviceLike): Promise<Pipe> {
  if (!device.gatt) throw new Error(`${device.name ?? "bluetooth"}: expected a device with GATT, got one without`);
  const server = await device.gatt.connect();
  const service = await server.getPrimaryService(uart.service);
  const [write, notify] = await Promise.all([
    service.getCharacteristic(uart.write),
    service.getCharacteristic(uart.notify),
  ]);
  await notify.startNotifications();
  let packetBytes = leastPacketBytes;
  let writing: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    async send(bytes) {
      // GATT does one thing at a time; what cannot be written soon is lost and sent again by the link.
      if (waiting >= mostWaiting) return;
      waiting++;
      const turn = writing.then(async () => {
        for (let at = 0; at < bytes.length; at += packetBytes)
          await write.writeValueWithoutResponse(bytes.slice(at, at + packetBytes));
      });
      writing = turn.catch(() => {}).then(() => void waiting--);
      await turn;
    },
    receive(take, closed) {
      notify.addEventListener("characteristicvaluechanged", () => {
        const { value } = notify;
        if (!value) return;
        packetBytes = Math.max(packetBytes, value.byteLength);
        take(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
      });
      device.addEventListener("gattserverdisconnected", () => closed(), { once: true });
    },
    close: () => device.gatt?.disconnect(),
  };
}
