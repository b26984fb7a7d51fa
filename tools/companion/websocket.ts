/**
 * The server's half of WebSocket for binary messages, over node:http: what Node and Bun have alike.
 * Source: RFC 6455; left out: extensions, subprotocols, text.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Duplex } from "node:stream";
import { frameBytes, mostPayload } from "../../runtime/wear/frame.ts";
import type { Pipe } from "../../runtime/wear/pipe.ts";

const opcode = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const closing = { protocol: 1002, unsupported: 1003, tooBig: 1009 } as const;
const mostMessageBytes = 1 << 16;
/** Of one message: empty ones have no bytes to be counted by. */
const mostPieces = 1024;
const lingerMs = 2000;
/** What may wait in a socket that takes nothing; more is lost, and the link sends it again. */
const mostWaitingBytes = 1 << 20;

export interface SocketOptions {
  port: number;
  host: string;
  /** The one origin whose pages may connect, or * for all; any site that a browser shows may try. */
  cors?: string;
}

/** Listens, and gives a pipe for each device that connects. Throws: Error if the port is taken. */
export function serveSockets({ port, host, cors }: SocketOptions, onPipe: (pipe: Pipe) => void): Promise<Server> {
  // A device that vanishes hangs up never: the system asks after it.
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: 30_000 }, (_, response) => {
    response.writeHead(426, { "content-type": "text/plain", upgrade: "websocket" });
    response.end("thimble companion: expected a WebSocket\n");
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The server listens to this socket's errors no longer: one that breaks must end nobody else.
    socket.on("error", () => {});
    // Browsers always say whose page connects, and let any; what is no browser says nothing.
    const { origin } = request.headers;
    if (origin !== undefined && cors !== "*" && cors !== origin) {
      const text = `origin: expected none of a page, got ${JSON.stringify(origin)}; serve with --cors ${origin}\n`;
      const head = `content-type: text/plain\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close`;
      socket.end(`HTTP/1.1 403 Forbidden\r\n${head}\r\n\r\n${text}`);
      return;
    }
    const key = request.headers["sec-websocket-key"];
    if (typeof key !== "string" || request.headers["sec-websocket-version"] !== "13") {
      socket.end("HTTP/1.1 400 Bad Request\r\nsec-websocket-version: 13\r\n\r\n");
      return;
    }
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    onPipe(pipeOf(socket, head));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

function pipeOf(socket: Duplex, head: Buffer): Pipe {
  let kept = head;
  let message: Buffer[] = [];
  let messageBytes = 0;
  let pieces = 0;
  let isOver = false;
  let take: (bytes: Uint8Array) => void = () => {};
  const write = (code: number, body: Uint8Array) => {
    if (socket.writable && socket.writableLength < mostWaitingBytes) socket.write(frameOf(code, body));
  };
  const end = (code: number) => {
    const body = Buffer.alloc(2);
    body.writeUInt16BE(code);
    write(opcode.close, body);
    isOver = true;
    kept = Buffer.alloc(0);
    message = [];
    // Whoever does not hang up by then is not waited for.
    socket.end();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  };
  const hear = (piece: Buffer) => {
    if (isOver) return;
    kept = Buffer.concat([kept, piece]);
    for (;;) {
      const frame = readFrame(kept);
      if (frame === null) return;
      if (typeof frame === "number") return end(frame);
      kept = kept.subarray(frame.bytes);
      if (frame.code === opcode.close) return end(1000);
      if (frame.code === opcode.ping) write(opcode.pong, frame.body);
      if (frame.code >= opcode.close) continue;
      if (frame.code === opcode.text) return end(closing.unsupported);
      messageBytes += frame.body.length;
      if (messageBytes > mostMessageBytes || pieces >= mostPieces) return end(closing.tooBig);
      if ((frame.code === opcode.more) !== pieces > 0) return end(closing.protocol);
      pieces++;
      message.push(frame.body);
      if (!frame.isLast) continue;
      const whole = Buffer.concat(message);
      message = [];
      messageBytes = 0;
      pieces = 0;
      take(whole);
    }
  };
  return {
    mtu: mostPayload + frameBytes,
    send: (bytes) => write(opcode.binary, bytes),
    receive(taker, closed) {
      take = taker;
      socket.on("data", hear);
      // The socket of an upgrade stays half open: it closes only when both ends have hung up.
      socket.on("end", () => end(1000));
      socket.on("close", () => closed());
      hear(Buffer.alloc(0));
    },
    close: () => end(1000),
  };
}

/** The first frame, null if it is not all there, or the code to close with. Clients mask what they send. */
function readFrame(bytes: Buffer): { code: number; isLast: boolean; body: Buffer; bytes: number } | number | null {
  if (bytes.length < 2) return null;
  const [first, second] = bytes;
  const code = first & 15;
  if (first & 0x70 || !(second & 0x80) || !Object.values<number>(opcode).includes(code)) return closing.protocol;
  let length = second & 0x7f;
  let at = 2;
  if (length === 127) return closing.tooBig;
  if (length === 126) {
    if (bytes.length < 4) return null;
    length = bytes.readUInt16BE(2);
    at = 4;
  }
  if (bytes.length < at + 4 + length) return null;
  const mask = bytes.subarray(at, at + 4);
  const body = Buffer.from(bytes.subarray(at + 4, at + 4 + length));
  for (let i = 0; i < length; i++) body[i] ^= mask[i & 3];
  return { code, isLast: first >> 7 === 1, body, bytes: at + 4 + length };
}

function frameOf(code: number, body: Uint8Array): Buffer {
  const size = body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 255];
  return Buffer.concat([Uint8Array.from([0x80 + code, ...size]), body]);
}
