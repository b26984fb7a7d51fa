/**
 * The tool bus's frames: bytes that a reader finds again in whatever a pipe makes of them. firmware/PROTOCOL.md draws them.
 *
 *   frame ::= a0 + kind, length, n, payload (length bytes), CRC-32 over all that and over a tail that is not sent
 */

export const kind = {
  /** A piece of a message, and its last piece. */
  part: 0,
  end: 1,
  /** n: the frame that is expected next. */
  ack: 2,
  /** The companion asks for a session; the device says which one it has. */
  open: 3,
  here: 4,
} as const;

const firstByte = 0xa0;
const headBytes = 3;
export const frameBytes = 7;
export const mostPayload = 255;
/** The payload of `open` and `here`, with which a frame is the 20 bytes that every Bluetooth packet holds. */
export const openingBytes = 13;

export interface Frame {
  kind: number;
  /** The low byte of a number of 24 bits; the tail holds the others. */
  low: number;
  payload: Uint8Array;
  bytes: Uint8Array;
}

export function writeFrame(kind: number, n: number, payload: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + frameBytes);
  bytes.set([firstByte + kind, payload.length, n & 255]);
  bytes.set(payload, headBytes);
  const end = headBytes + payload.length;
  new DataView(bytes.buffer).setUint32(end, crc32(tail, crc32(bytes.subarray(0, end))));
  return bytes;
}

/** Whether a frame is whole, and was written for this tail. */
export function isIntact({ bytes }: Frame, tail: Uint8Array): boolean {
  const end = bytes.length - 4;
  const sum = crc32(tail, crc32(bytes.subarray(0, end)));
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(end) === sum;
}

/** Finds frames in pieces of a stream; keeps at most one frame's bytes. */
export class Scanner {
  private kept: Uint8Array = new Uint8Array(0);

  /**
   * Offers each frame that may begin somewhere to `take`, which says whether it is one.
   * A piece that begins with a frame starts anew: what was kept then waited for bytes that never came.
   */
  feed(piece: Uint8Array, take: (frame: Frame) => boolean): void {
    let bytes = piece;
    let at = 0;
    if (this.kept.length) {
      const first = frameAt(piece, 0);
      if (first && first !== "cut" && take(first)) at = first.bytes.length;
      else bytes = joined(this.kept, piece);
    }
    this.kept = new Uint8Array(0);
    while (at < bytes.length) {
      const frame = frameAt(bytes, at);
      if (frame === "cut") break;
      at += frame && take(frame) ? frame.bytes.length : 1;
    }
    // A copy: a piece may be a Buffer that its pipe fills again, whose `slice` is none.
    this.kept = joined(bytes.subarray(at));
  }
}

/** null where none can begin, "cut" where its end is missing. */
function frameAt(bytes: Uint8Array, at: number): Frame | "cut" | null {
  const found = bytes[at] - firstByte;
  if (found < 0 || found > kind.here) return null;
  const end = at + headBytes + bytes[at + 1] + 4;
  if (!(end <= bytes.length)) return "cut";
  return {
    kind: found,
    low: bytes[at + 2],
    payload: joined(bytes.subarray(at + headBytes, end - 4)),
    bytes: joined(bytes.subarray(at, end)),
  };
}

export function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

/** CRC-32 of ISO 3309, as zlib and Espruino's E.CRC32 have it; goes on from the sum of what stands before. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let c = ~before;
  for (const byte of bytes) c = crcTable[(c ^ byte) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

/** What both ends of a link tell each other: 13 bytes, numbers big-endian. */
export interface Opening {
  /** open: the least version spoken × 16 + the newest; here: the one chosen. */
  versions: number;
  /** The session's name: one half of 24 bits by either end, 0 for none. */
  companion: number;
  device: number;
  /** The frame that is expected next. */
  next: number;
  /** Longest payload, most frames not yet acknowledged, and longest message in bytes, that this end takes. */
  payload: number;
  window: number;
  limit: number;
}

export const bytesAUnit = 256;

export function writeOpening({ versions, companion, device, next, payload, window, limit }: Opening): Uint8Array {
  const numbers = [companion, device, next].flatMap((value) => [value >> 16, (value >> 8) & 255, value & 255]);
  return Uint8Array.from([versions, ...numbers, payload, window, limit / bytesAUnit - 1]);
}

/** null for bytes that say none. */
export function readOpening(bytes: Uint8Array): Opening | null {
  if (bytes.length < openingBytes) return null;
  const number = (at: number) => (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
  const [payload, window, units] = bytes.subarray(10);
  if (!payload || !window) return null;
  const limit = (units + 1) * bytesAUnit;
  return { versions: bytes[0], companion: number(1), device: number(4), next: number(7), payload, window, limit };
}

/** What the checksums of a session's frames hold beside the frame: whose it is, and the rest of its number. */
export function tailOf(companion: number, device: number, n = 0): Uint8Array {
  const bytes = [companion, device].flatMap((value) => [value >> 16, (value >> 8) & 255, value & 255]);
  return Uint8Array.from([...bytes, (n >> 16) & 255, (n >> 8) & 255]);
}
