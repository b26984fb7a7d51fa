/** Glasses of Brilliant Labs: a real Lua with a stub of `frame`; what is written to it runs, or reaches its receive callback. */
import { type LuaEngine, LuaFactory } from "wasmoon";

/** Strings of Lua are bytes and those of wasmoon are text: they meet in hexadecimal. */
const stub = `
  local files, drawn, receive, tap = {}, {}, nil, nil
  local function hex(s) return (s:gsub(".", function(c) return string.format("%02x", c:byte()) end)) end
  local function bytes(h) return (h:gsub("%x%x", function(c) return string.char(tonumber(c, 16)) end)) end
  frame = {
    display = {
      text = function(text, x, y) drawn[#drawn + 1] = text end,
      show = function() lens(hex(table.concat(drawn, "\\n"))); drawn = {} end,
    },
    bluetooth = {
      receive_callback = function(f) receive = f end,
      send = function(data) notify(hex("\\1" .. data)) end,
      max_length = function() return max_length end,
    },
    imu = { tap_callback = function(f) tap = f end },
    file = {
      open = function(name)
        files[name] = ""
        return {
          write = function(_, text) files[name] = files[name] .. text end,
          close = function() package.preload[name:sub(1, -5)] = load(files[name], name) end,
        }
      end,
    },
  }
  print = function(value) notify(hex(tostring(value))) end
  function written(h) local f = assert(load(bytes(h))); f() end
  function received(h) receive(bytes(h)) end
  function tapped() tap() end`;

export class Lens {
  /** What stood on it, the last at the end. */
  readonly shown: string[] = [];
  /** Gets what it notifies its host of. */
  notify: (bytes: Uint8Array) => void = () => {};
  /** Sizes of what was written to it. */
  readonly writes: number[] = [];

  private constructor(private readonly lua: LuaEngine) {}

  static async start(maxLength = 100): Promise<Lens> {
    const lua = await new LuaFactory().createEngine();
    const lens = new Lens(lua);
    lua.global.set("max_length", maxLength);
    lua.global.set("lens", (hex: string) => void lens.shown.push(Buffer.from(hex, "hex").toString()));
    lua.global.set("notify", (hex: string) => void setTimeout(() => lens.notify(Buffer.from(hex, "hex")), 1));
    await lua.doString(stub);
    return lens;
  }

  /** Takes what the host writes, as the firmware does. */
  write(bytes: Uint8Array): void {
    this.writes.push(bytes.length);
    if (bytes[0] === 3) return;
    const hex = Buffer.from(bytes[0] === 1 ? bytes.subarray(1) : bytes).toString("hex");
    this.lua.global.get(bytes[0] === 1 ? "received" : "written")(hex);
  }

  tap(): void {
    this.lua.global.get("tapped")();
  }

  close(): void {
    this.lua.global.close();
  }
}
