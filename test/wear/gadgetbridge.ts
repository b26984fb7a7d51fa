/** Gadgetbridge as its Bangle.js side behaves: lines of the watch to broadcasts, a broadcast's line to the watch in packets of 20 bytes. */
import type { Intent, Intents } from "../../runtime/companion.ts";
import type { Pipe } from "../../runtime/wear/pipe.ts";
import type { Bangle } from "./bangle.ts";

const packetBytes = 20;

export class Gadgetbridge implements Intents {
  /** Lines that it could not use. */
  readonly dropped: string[] = [];
  private readonly receivers = new Map<string, (intent: Intent) => void>();
  private readonly watch: Pipe;
  private kept = "";

  constructor(
    bangle: Bangle,
    private readonly allowsIntents = true,
  ) {
    // The watch's own Gadgetbridge app: what GB gets is an event.
    Object.assign(bangle.evaluate("global") as object, { GB: (e: unknown) => bangle.emit("GB", e) });
    this.watch = bangle.connect();
    this.watch.receive(
      (bytes) => {
        const lines = (this.kept + Buffer.from(bytes).toString("latin1")).split("\n");
        this.kept = lines.pop() as string;
        // Whatever stands before the line's end is cut: the CR, it hopes.
        for (const line of lines) this.line(line.slice(0, -1));
      },
      () => {},
    );
    this.write(" \x03");
  }

  send({ action, extra }: Intent): void {
    if (!this.allowsIntents || action !== "com.banglejs.uart.tx") return;
    this.write(extra.line.endsWith("\n") ? extra.line : `${extra.line}\n`);
  }

  receive(action: string, take: (intent: Intent) => void): void {
    this.receivers.set(action, take);
  }

  private line(line: string): void {
    if (!line.startsWith("{")) return;
    try {
      const { t, target = "broadcastreceiver", action, extra } = JSON.parse(line);
      if (t !== "intent" || target !== "broadcastreceiver" || !this.allowsIntents) throw new Error(t);
      for (const value of Object.values(extra)) if (typeof value !== "string") throw new Error("no text");
      this.receivers.get(action)?.({ action, extra });
    } catch {
      this.dropped.push(line);
    }
  }

  private write(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    for (let at = 0; at < bytes.length; at += packetBytes) void this.watch.send(bytes.subarray(at, at + packetBytes));
  }
}
