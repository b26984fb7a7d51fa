/**
 * The host's end of Frame and Halo over Web Bluetooth. A write is Lua to run, or after 01 data for its receive callback; a
 * notification is what Lua printed, or after 01 data that it sent. Source: Brilliant Labs' public documentation and SDK.
 */
const service = "7a230001-5475-a6a4-654c-8431f6ad49c4";
const [write, notify] = ["7a230002", "7a230003"].map((head) => head + service.slice(8));
const breakOff = Uint8Array.of(3);
/** Packets are numbered from 0 to 127, so that an answer that comes late is none to another. */
const numbers = 128;

export async function connectGlasses(onData, bluetooth = navigator.bluetooth, patienceMs = 5000) {
  if (!bluetooth)
    throw new Error("bluetooth: expected a browser with Web Bluetooth, got one without; use Chrome or Edge");
  const device = await bluetooth.requestDevice({ filters: [{ services: [service] }] });
  const server = await device.gatt.connect();
  const found = await server.getPrimaryService(service);
  const [tx, rx] = [await found.getCharacteristic(write), await found.getCharacteristic(notify)];
  let printed = () => {};
  let acknowledged = () => {};
  rx.addEventListener("characteristicvaluechanged", ({ target: { value } }) => {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (bytes[0] !== 1) printed(new TextDecoder().decode(bytes));
    else if (bytes[1] === 0) acknowledged(bytes[2], bytes[3]);
    else onData(new TextDecoder().decode(bytes.subarray(1)));
  });
  await rx.startNotifications();

  /** Writes, and waits for what comes back. */
  const exchange = (bytes, hear) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`glasses: expected an answer within ${patienceMs / 1000} s`)),
        patienceMs,
      );
      hear((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      tx.writeValueWithoutResponse(bytes).catch(reject);
    });
  /** Runs Lua that prints; gives what it prints. */
  const run = (lua) =>
    exchange(new TextEncoder().encode(lua), (resolve) => {
      printed = resolve;
    });

  await tx.writeValueWithoutResponse(breakOff);
  const most = Number(await run("print(frame.bluetooth.max_length())"));
  let sending = Promise.resolve();
  let latest = null;
  let number = 0;
  return {
    run,
    /** Puts a script on the device and starts it. */
    async upload(name, source) {
      await run(`f=frame.file.open("${name}.lua","w");print(0)`);
      for (const piece of pieces(source, most - 20)) await run(`f:write("${piece}");print(0)`);
      await run(`f:close();require("${name}");start();print(0)`);
    },
    /** Shows a text, unless another has come before its turn. */
    show(text) {
      latest = text;
      sending = sending.then(async () => {
        if (latest === null) return;
        const bytes = new TextEncoder().encode(latest);
        latest = null;
        for (const packet of packets(bytes, most - 1)) {
          number = (number + 1) % numbers;
          packet[1] += number;
          const wrong = await exchange(packet, (resolve) => {
            acknowledged = (status, n) => n === number && resolve(status);
          });
          if (wrong) throw new Error("glasses: expected a message to be taken, got it refused; connect again");
        }
      });
      const sent = sending;
      sending = sent.catch(() => {});
      return sent;
    },
  };
}

/** Text as parts of a Lua string, no longer than they may be, and never cut within an escape or a character. */
function pieces(text, mostBytes) {
  const escapes = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r" };
  const list = [""];
  for (const character of text) {
    const next = escapes[character] ?? character;
    const size = new TextEncoder().encode(list.at(-1) + next).length;
    if (size > mostBytes) list.push(next);
    else list[list.length - 1] += next;
  }
  return list;
}

/** [01, 128, length hi, length lo, bytes], then [01, 0, bytes]. */
function packets(bytes, most) {
  const list = [];
  for (let at = 0; at < bytes.length || !at; ) {
    const head = at ? [1, 0] : [1, numbers, bytes.length >> 8, bytes.length & 255];
    const size = Math.max(1, Math.min(bytes.length - at, most + 1 - head.length));
    list.push(Uint8Array.of(...head, ...bytes.subarray(at, at + size)));
    at += size;
  }
  return list;
}
