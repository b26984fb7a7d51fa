/**
 * Frames by way of Gadgetbridge, the Android app that holds the watch's Bluetooth: it passes a watch's intent lines on as
 * broadcasts, and runs lines that a broadcast brings. "Allow Intents" must be on in the device's settings there.
 */
import { overLines, type Pipe } from "./pipe.ts";

/** A broadcast of Android, as far as Gadgetbridge's are concerned: texts by name. */
export interface Intent {
  action: string;
  extra: Record<string, string>;
}

/** What sends and gets broadcasts: the two functions that an app has to bring. */
export interface Intents {
  send(intent: Intent): void | Promise<void>;
  /** Registers for an action. */
  receive(action: string, take: (intent: Intent) => void): void;
}

export const gadgetbridge = {
  /** What a watch's line is broadcast as. */
  fromWatch: "thimble.frame",
  /** What has Gadgetbridge write its extra `line` to the watch, which runs it. */
  toWatch: "com.banglejs.uart.tx",
} as const;

/** A pipe through Gadgetbridge to the watch that it is connected to. It never closes: nobody says when the watch is gone. */
export function gadgetbridgePipe(intents: Intents): Pipe {
  const lines: Pipe = {
    send: (bytes) => intents.send({ action: gadgetbridge.toWatch, extra: { line: new TextDecoder().decode(bytes) } }),
    receive(take) {
      intents.receive(gadgetbridge.fromWatch, ({ extra }) => {
        if (typeof extra?.f === "string") take(new TextEncoder().encode(`{"f":"${extra.f}"}\n`));
      });
    },
  };
  // To the watch it is JavaScript, whose function GB its Gadgetbridge app has.
  return overLines(lines, (frame) => `\x10GB({t:"thimble",f:"${frame}"})\n`);
}
