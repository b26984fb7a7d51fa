/**
 * What a device needs beside a pack's weights and kept tools to answer from them: the vocabulary in an order to search, the
 * RoPE table, the grammar. Read by firmware/mcu. All numbers little-endian, u32 unless said.
 *
 *    0   4  XXH32 of the checksums of the pack's sections, 4 bytes each in their order: the weights that it goes with
 *    4   4  V, pieces
 *    8   4  T, pieces that have bytes: all but `<pad>` … `<tools>`
 *   12   4  most bytes of a piece
 *   16   4  P, positions of the RoPE table
 *   20   4  1 where the model copies free strings from the request
 *   24   8  f64, what a unit of the contrastive head's score of a tool counts in the choice of the first call, in logits
 *   32   8  f64, the same of calling none; both 0 where the pack's calibration has no `lean` (answer/lean.ts)
 *   40   8  f64, the same of a unit of the score of a tool's words
 *   48   8  f64, what a number costs that the request does not say (answer/figures.ts), and half of it an enum (answer/enums.ts)
 *   56 8·16  offset from here and bytes of each part, which stands at a multiple of 8:
 *      starts     (V + 1)  where each piece's bytes begin among all, and their end
 *      pieces     bytes of all pieces by id, as they stand in an answer: a space for ▁
 *      order      u16 (T)  ids by their bytes, then by themselves
 *      shared     u8 (T)   bytes that each in this order has in common with the one before
 *      byteIds    u16 (256) ids of the pieces that stand for a byte
 *      rope       f32 (P, headDim), as in wasm/abi.ts
 *      words      words.ts
 *      the grammar's tables (grammar/table.ts), in their order
 *      trust      what a call's certainty is worth: f64 weights of `features` in their order, `act`, `confirm`
 *                 (pack/calibration.ts); then a byte a tool, its risk: 0 safe, 1 confirm, 2 danger
 */
import { pad, sessionRecord } from "../../wasm/abi.ts";
import { startKernels } from "../engine/kernels.ts";
import { FormatError } from "../errors.ts";
import { compileGrammar, tableNames } from "../grammar/table.ts";
import { type Calibration, features, genericCalibration, signedWeight } from "../pack/calibration.ts";
import type { PackHeader } from "../pack/pack.ts";
import { xxh32 } from "../pack/xxh32.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { risks, type ToolSet } from "../tools/tools.ts";
import { writeWords } from "./words.ts";

const partNames = ["starts", "pieces", "order", "shared", "byteIds", "rope", "words", ...tableNames, "trust"] as const;
const partsAt = 56;
const headBytes = partsAt + 8 * partNames.length;

/** Positions that a request or an answer on a device has at most, and the one that starts the decoder. */
const positions = 129;

/** Throws: ToolError for tools whose grammar has no tables, FormatError for a vocabulary beyond 16 bits. */
export async function writeDevice(header: PackHeader, tokenizer: Tokenizer, set: ToolSet): Promise<Uint8Array> {
  const { vocabSize } = tokenizer;
  if (vocabSize > 0xffff) throw new FormatError("header.pieces", 0, `expected at most 65535 pieces for a device`);
  const words = Array.from({ length: vocabSize }, (_, id) => tokenizer.bytesOf(id));
  const order = [...words.keys()].filter((id) => words[id].length).sort((a, b) => compare(words[a], words[b]) || a - b);
  const starts = [0];
  for (const word of words) starts.push(starts[starts.length - 1] + word.length);
  const parts: Record<(typeof partNames)[number], Uint8Array> = {
    starts: bytesOf(Uint32Array.from(starts)),
    pieces: Uint8Array.from(words.flatMap((word) => [...word])),
    order: bytesOf(Uint16Array.from(order)),
    shared: Uint8Array.from(order, (id, i) => (i ? sharedBytes(words[order[i - 1]], words[id]) : 0)),
    byteIds: bytesOf(Uint16Array.from({ length: 256 }, (_, byte) => tokenizer.byteId(byte))),
    rope: await ropeTable(header),
    words: writeWords(set),
    ...compileGrammar(set),
    trust: trustOf(header.calibration ?? genericCalibration, set),
  };
  let end = headBytes;
  const places = partNames.map((name) => {
    const at = end;
    end = pad(end + parts[name].length, 8);
    return at;
  });
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  const longest = words.reduce((most, word) => Math.max(most, word.length), 0);
  const head = [weightsId(header), vocabSize, order.length, longest, positions, Number(header.copies ?? false)];
  for (const [i, word] of head.entries()) view.setUint32(4 * i, word, true);
  const { tool, none, word = 0, number = 0 } = header.calibration?.lean ?? { tool: 0, none: 0 };
  for (const [i, weight] of [tool, none, word, number].entries()) view.setFloat64(24 + 8 * i, weight, true);
  for (const [i, name] of partNames.entries()) {
    view.setUint32(partsAt + 8 * i, places[i], true);
    view.setUint32(partsAt + 4 + 8 * i, parts[name].length, true);
    bytes.set(parts[name], places[i]);
  }
  return bytes;
}

function trustOf({ weights, act, confirm }: Calibration, set: ToolSet): Uint8Array {
  const numbers = [...features.map((name) => signedWeight(name, weights[name])), act, confirm];
  return Uint8Array.from([
    ...new Uint8Array(Float64Array.from(numbers).buffer),
    ...set.tools.map(({ risk }) => risks.indexOf(risk)),
  ]);
}

function weightsId({ sections }: PackHeader): number {
  return xxh32(bytesOf(Uint32Array.from(sections, ({ checksum }) => checksum)));
}

/** As the kernels compute it, in a memory of its own. */
async function ropeTable({ geometry }: PackHeader): Promise<Uint8Array> {
  const headDim = geometry.dModel / geometry.nHeads;
  const at = pad(4 * sessionRecord.length, 16);
  const bytes = 4 * positions * headDim;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((at + bytes) / 65536), maximum: 65536 });
  const record = new Uint32Array(memory.buffer, 0, sessionRecord.length);
  record[sessionRecord.indexOf("headDim")] = headDim;
  record[sessionRecord.indexOf("rope")] = at;
  const kernels = await startKernels("scalar", memory);
  kernels.rope_table(0, positions, geometry.ropeTheta);
  return new Uint8Array(memory.buffer, at, bytes).slice();
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = sharedBytes(a, b);
  return at < a.length && at < b.length ? a[at] - b[at] : a.length - b.length;
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

/** Bytes of numbers, on a little-endian host, as the kernels need it anyway. */
function bytesOf(numbers: Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
