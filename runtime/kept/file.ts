/**
 * Kept tools as a file, for whoever reads them next: a process, a page, a watch's flash. All numbers little-endian, u32
 * unless said.
 *
 *   0     8  magic "thimblkv"
 *   8     4  version, 5
 *  12     4  number of tools, N
 *  16     4  the model that read them: `modelId`
 *  20     4  position of their first token (spec/apart: toolAt)
 *  24     4  numbers of a vector, D; 0 for a model without the contrastive head
 *  28     4  XXH32 of the head and the table, with zero here
 *  32     4  offset of what a device needs beside (device.ts), 0 for none; reading the file here does without
 *  36     4  bytes of it
 *  40     4  XXH32 of it
 *  44     4  zero
 *  48  20·N  table, a row a tool: offset of its section, bytes of it, bytes of its text, rows, XXH32 of the section
 *  ..        sections, each at a multiple of 16:
 *              text     UTF-8, as the prompt has it; zeros up to a multiple of 4
 *              vector   f32 (D)
 *              keys and values, 8 bits (form.ts)
 *
 * A tool's rows are those of `<tools>` and its text's tokens.
 */
import { pad } from "../../wasm/abi.ts";
import { FormatError } from "../errors.ts";
import { type Geometry, keptMagic, modelId, type PackHeader } from "../pack/pack.ts";
import { xxh32 } from "../pack/xxh32.ts";
import { formBytes } from "./form.ts";
import type { KeptEntry } from "./kept.ts";

const version = 5;
const headBytes = 48;
const rowBytes = 20;
const alignment = 16;

/** Writes tools of a model, and what a device needs beside them. */
export function writeKept(header: PackHeader, entries: readonly KeptEntry[], device?: Uint8Array | null): Uint8Array {
  const dim = header.geometry.contrastiveDim;
  const texts = entries.map(({ text }) => utf8.encode(text));
  let end = pad(headBytes + rowBytes * entries.length, alignment);
  const places = entries.map(({ form }, i) => {
    const place = { at: end, bytes: pad(texts[i].length, 4) + 4 * dim + form.length };
    end = pad(end + place.bytes, alignment);
    return place;
  });
  const deviceAt = end;
  const file = new Uint8Array(end + (device?.length ?? 0));
  const view = new DataView(file.buffer);
  file.set(utf8.encode(keptMagic), 0);
  const head = [version, entries.length, modelId(header), header.toolAt ?? 0, dim];
  for (const [i, word] of head.entries()) view.setUint32(8 + 4 * i, word, true);
  for (const [i, { known, form }] of entries.entries()) {
    const { at, bytes } = places[i];
    file.set(texts[i], at);
    const vectorAt = at + pad(texts[i].length, 4);
    for (const [j, x] of (known.vector ?? []).entries()) view.setFloat32(vectorAt + 4 * j, x, true);
    file.set(form, vectorAt + 4 * dim);
    const row = [at, bytes, texts[i].length, known.rows, xxh32(file.subarray(at, at + bytes))];
    for (const [j, word] of row.entries()) view.setUint32(headBytes + rowBytes * i + 4 * j, word, true);
  }
  if (device) {
    file.set(device, deviceAt);
    for (const [i, word] of [deviceAt, device.length, xxh32(device)].entries()) view.setUint32(32 + 4 * i, word, true);
  }
  view.setUint32(28, headSum(file, entries.length), true);
  return file;
}

/**
 * Reads all tools of a file; `rowsOf` says how many rows a text takes.
 * Throws: FormatError for a file that is damaged, newer, or of another model.
 */
export function readKept(header: PackHeader, bytes: Uint8Array, rowsOf: (text: string) => number): KeptEntry[] {
  const wrong = (path: string, offset: number, message: string): never => {
    throw new FormatError(path, offset, message);
  };
  const found = new TextDecoder("latin1").decode(bytes.subarray(0, 8));
  if (found !== keptMagic)
    wrong(
      "magic",
      0,
      `expected a file of kept tools, got ${JSON.stringify(found)}; make one with \`thimble tools read\``,
    );
  if (bytes.length < headBytes) wrong("head", 0, `expected at least ${headBytes} bytes, got ${bytes.length}`);
  // A copy, so that what stands in it is aligned wherever the bytes came from.
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  const [got, count, model, toolAt, dim] = [0, 1, 2, 3, 4].map((i) => view.getUint32(8 + 4 * i, true));
  if (got !== version) wrong("version", 8, `expected ${version}, got ${got}; read the tools again with this thimble`);
  const tableEnd = headBytes + rowBytes * count;
  if (tableEnd > file.length) wrong("count", 12, `expected tools for ${file.length} bytes, got ${count}`);
  if (view.getUint32(28, true) !== headSum(file, count))
    wrong("table", 28, "checksum does not match; the file is damaged, read the tools again");
  const [deviceAt, deviceBytes, deviceSum] = [0, 1, 2].map((i) => view.getUint32(32 + 4 * i, true));
  const isWithin = deviceAt % 4 === 0 && deviceAt + deviceBytes <= file.length && view.getUint32(44, true) === 0;
  if (!isWithin || (deviceAt && xxh32(file.subarray(deviceAt, deviceAt + deviceBytes)) !== deviceSum))
    wrong("device", 32, "checksum does not match; the file is damaged, read the tools again");
  const { geometry } = header;
  if (model !== modelId(header) || toolAt !== header.toolAt || dim !== geometry.contrastiveDim)
    wrong("model", 16, "expected tools read by this model, got another's; read them again with `thimble tools read`");
  return Array.from({ length: count }, (_, i) => {
    const entry = readEntry(file, view, i, geometry, wrong);
    const rows = rowsOf(entry.text);
    if (entry.known.rows !== rows)
      wrong(`tools[${i}].rows`, headBytes + rowBytes * i + 12, `expected ${rows}, got ${entry.known.rows}`);
    return entry;
  });
}

function readEntry(
  file: Uint8Array,
  view: DataView,
  i: number,
  geometry: Geometry,
  wrong: (path: string, offset: number, message: string) => never,
): KeptEntry {
  const row = headBytes + rowBytes * i;
  const [at, length, textBytes, rows, checksum] = [0, 1, 2, 3, 4].map((j) => view.getUint32(row + 4 * j, true));
  const dim = geometry.contrastiveDim;
  const vectorAt = at + pad(textBytes, 4);
  const whole = pad(textBytes, 4) + 4 * dim + formBytes(geometry, rows);
  if (at % alignment || length !== whole || at + length > file.length)
    wrong(
      `tools[${i}]`,
      row,
      `expected ${whole} bytes within the file's ${file.length}, got ${length} at ${at}; read the tools again`,
    );
  if (xxh32(file.subarray(at, at + length)) !== checksum)
    wrong(`tools[${i}]`, at, "checksum does not match; the file is damaged, read the tools again");
  const vector = dim ? new Float32Array(file.buffer, vectorAt, dim).slice() : null;
  const form = file.subarray(vectorAt + 4 * dim, at + length);
  return { text: new TextDecoder().decode(file.subarray(at, at + textBytes)), known: { rows, vector }, form };
}

function headSum(file: Uint8Array, count: number): number {
  return xxh32(file.slice(0, headBytes + rowBytes * count).fill(0, 28, 32));
}

const utf8 = new TextEncoder();
