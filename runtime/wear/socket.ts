/** A WebSocket as a pipe: a frame a message, in bytes. */
import { frameBytes, mostPayload } from "./frame.ts";
import type { Pipe } from "./pipe.ts";

/** What browsers, Bun, Node 22 and ws have in common. */
export interface SocketLike {
  readonly readyState: number;
  binaryType: string;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
}

const isOpen = 1;

/** What is sent before the socket opens is lost, and sent again by the link. */
export function socketPipe(socket: SocketLike): Pipe {
  socket.binaryType = "arraybuffer";
  return {
    mtu: mostPayload + frameBytes,
    send: (bytes) => {
      if (socket.readyState === isOpen) socket.send(bytes as Uint8Array<ArrayBuffer>);
    },
    receive(take, closed) {
      socket.addEventListener("message", (event) => {
        const { data } = event as MessageEvent<unknown>;
        if (data instanceof ArrayBuffer) take(new Uint8Array(data));
        else if (ArrayBuffer.isView(data)) take(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      });
      socket.addEventListener("close", () => closed());
      socket.addEventListener("error", () => closed());
    },
    close: () => socket.close(),
  };
}
