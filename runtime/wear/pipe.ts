/** What carries bytes between a device and its companion. */

/** Bytes there and back. A pipe may lose, repeat, reorder and cut what it carries; whole frames travel best. */
export interface Pipe {
  /** Takes bytes; a rejection counts as bytes lost. */
  send(bytes: Uint8Array): void | Promise<void>;
  /** Names, once, who takes what arrives, and whom to tell that nothing will any more. */
  receive(take: (bytes: Uint8Array) => void, closed: (reason?: Error) => void): void;
  /** The longest write that arrives in one piece; 20 unless it says more. */
  readonly mtu?: number;
  close?(): void;
}

const mostLineCharacters = 1024;
/** A frame as the companion says it to Espruino's interpreter, and as the watch prints it for Gadgetbridge. */
const inLine = /(?:TB\(|"f":)"([A-Za-z0-9+/]+=*)"/;

/**
 * A pipe that carries lines of text: each frame in base64 within a line, whatever else passes between them.
 * `wrap` writes the line; Espruino runs it as JavaScript.
 */
export function overLines(
  pipe: Pipe,
  wrap: (frame: string) => string = (frame) => `\x10TB("${frame}")\n`,
  lineBytes = 128,
): Pipe {
  let kept = "";
  const ascii = new TextDecoder("latin1");
  return {
    mtu: lineBytes,
    send: (bytes) => pipe.send(new TextEncoder().encode(wrap(btoa(String.fromCharCode(...bytes))))),
    receive(take, closed) {
      pipe.receive((bytes) => {
        const lines = (kept + ascii.decode(bytes)).split("\n");
        kept = (lines.pop() as string).slice(-mostLineCharacters);
        for (const line of lines) {
          const frame = inLine.exec(line)?.[1];
          if (frame && frame.length <= mostLineCharacters) take(fromBase64(frame));
        }
      }, closed);
    },
    close: () => pipe.close?.(),
  };
}

function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}
