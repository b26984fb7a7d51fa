/** A watch within a page: what `navigator.bluetooth` would reach, with the watch's own library behind it. */
import { crcInPage } from "./incrc.ts";

/** In the page before its own scripts: a watch, and a navigator.bluetooth whose peer it is. */
export function radio(files: Record<string, string>): string {
  return `
    ${crcInPage}
    const modules = {};
    const told = [];
    const files = ${JSON.stringify(files)};
    const globalOf = { E: { CRC32: crc32 }, told };
    const require = (name) => {
      if (!modules[name]) {
        const exports = {};
        new Function("exports", "require", "E", "Bangle", "NRF", "Bluetooth", "global", files[name])(
          exports, require, globalOf.E, Bangle, NRF, Bluetooth, {});
        modules[name] = exports;
      }
      return modules[name];
    };
    modules.Storage = { readJSON: () => undefined, writeJSON() {}, open: () => ({ write() {}, erase: () => told.push("erased") }) };
    modules.sched = { setAlarm: (id, alarm) => told.push(alarm.timer || alarm.t), reload() {} };
    const Bangle = { getHealthStatus: () => ({ steps: 4321 }), setLCDBrightness: (x) => told.push(x) };
    const NRF = { getSecurityStatus: () => ({ connected: true }) };
    const Bluetooth = { println: (line) => setTimeout(() => notify.tell(line + "\\r\\n"), 1) };
    class Characteristic extends EventTarget {
      async writeValueWithoutResponse(bytes) {
        typed += String.fromCharCode(...bytes);
        const lines = typed.split("\\n");
        typed = lines.pop();
        for (const line of lines) {
          const frame = /TB\\("([^"]*)"\\)/.exec(line);
          if (frame) bus.take(atob(frame[1]));
        }
      }
      async startNotifications() {}
      tell(line) {
        for (let at = 0; at < line.length; at += 20) {
          const bytes = Uint8Array.from(line.slice(at, at + 20), (c) => c.charCodeAt(0));
          this.value = new DataView(bytes.buffer);
          this.dispatchEvent(new Event("characteristicvaluechanged"));
        }
      }
    }
    let typed = "";
    const [write, notify] = [new Characteristic(), new Characteristic()];
    globalOf.E.prompts = [];
    const bus = require("thimble").start({
      name: "Bangle.js 1234",
      set: require("thimble.tools"),
      run: require("thimble.actions"),
      prompt: (text, buttons, then) => { told.push("asked: " + text); setTimeout(() => then(1), 10); return () => {}; },
    });
    const device = Object.assign(new EventTarget(), {
      name: "Bangle.js 1234",
      gatt: {
        connect: async () => ({
          getPrimaryService: async () => ({
            getCharacteristic: async (uuid) => (uuid.startsWith("6e400002") ? write : notify),
          }),
        }),
        disconnect: () => device.dispatchEvent(new Event("gattserverdisconnected")),
      },
    });
    Object.defineProperty(navigator, "bluetooth", { value: { requestDevice: async () => device }, configurable: true });
    globalThis.watchSaw = told;`;
}
