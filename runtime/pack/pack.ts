/**
 * The model file: geometry, tokenizer and provenance in a header, then sections in the order inference needs them.
 *
 *   0   8  magic "thimble\0"
 *   8   4  version, 2; in files of 1, which are read too, groups have float32 scales (renew.ts)
 *  12   4  header bytes H (msgpack)
 *  16   4  XXH32 of bytes 24 … first section
 *  20   4  zero
 *  24   H  header: a map, see `PackHeader` and `fileKeys`; then zeros up to a multiple of 64
 *  ..      sections, each at a multiple of 64 and already in the kernels' layout, zeros between
 *
 * Each section's XXH32 covers its bytes and the zeros after it, so that every byte of a file is checked.
 */
import { embeddingBytes, groupSize, matrixBytes, mostInputs, outputTile, pad } from "../../wasm/abi.ts";
import { FormatError } from "../errors.ts";
import { isObject } from "../json.ts";
import { MsgpackReader, type Packable, writeMsgpack } from "../msgpack.ts";
import { type Calibration, checkCalibration } from "./calibration.ts";
import { xxh32 } from "./xxh32.ts";

export const magic = "thimble\0";
/** Of a file of kept tools (kept/file.ts), which is taken for a pack now and then. */
export const keptMagic = "thimblkv";
export const packVersion = 2;
export const prefixBytes = 24;
const alignment = 64;

/** Some 50,000 pieces; 8,192 take 100 KB. */
const mostHeaderBytes = 1 << 20;

/** Sizes of a Needle. headDim = dModel / nHeads; contrastiveHidden 0 means that the model has no contrastive head. */
export interface Geometry {
  vocabSize: number;
  dModel: number;
  nHeads: number;
  nKvHeads: number;
  nEncoderLayers: number;
  nDecoderLayers: number;
  ropeTheta: number;
  contrastiveHidden: number;
  contrastiveDim: number;
}

/** int4: projections group-wise int4, embedding int8 per row. float32: all wide, for the reference kernels only. */
export type WeightFormat = "int4" | "float32";

export interface SectionEntry {
  name: string;
  offsetBytes: number;
  /** With the zeros up to the next section. */
  bytes: number;
  checksum: number;
}

export interface PackHeader {
  /** Of the file's format, as its prefix says. */
  version: number;
  geometry: Geometry;
  format: WeightFormat;
  /** Pieces by id. Scores fall with the id, so the id is the merge rank. */
  pieces: string[];
  licence: string;
  /** Where the weights came from, in words. */
  provenance: Record<string, string>;
  /** How the model was trained to see tools: with the request in one prompt (absent too), or each apart (spec/apart). */
  prompt?: "joint" | "apart";
  /** Position of the first token of every tool read apart. */
  toolAt?: number;
  /** The model was trained to write free strings as they stand in the request. */
  copies?: boolean;
  /** When to act, confirm or ask with this model; absent where nobody calibrated it. */
  calibration?: Calibration;
  /** Of a tuning, a pack of a decoder alone, without pieces: the `modelId` of the model whose decoder it stands in for. */
  tunes?: number;
  /** Of a tuning, the names of the tools that its decoder learned; absent where it is to answer everything. */
  taught?: string[];
  sections: SectionEntry[];
  /** Length of the whole file. */
  fileBytes: number;
}

/** One tensor's place within its section. */
export interface Field {
  name: string;
  offsetBytes: number;
  bytes: number;
  /** Of a matrix: outputs and inputs. */
  shape?: [out: number, inputs: number];
}

export interface SectionLayout {
  name: string;
  bytes: number;
  fields: Field[];
}

/** Bytes of so many rows of the embedding. */
export function tableBytes(rows: number, dModel: number, format: WeightFormat): number {
  return format === "float32" ? rows * dModel * 4 : embeddingBytes(rows, dModel);
}

/** Bytes of a matrix in a file of version 1: blocks of 8 outputs × 32 inputs, nibbles as now, then 8 scales as f32. */
export const firstBlockBytes = 160;
function firstMatrixBytes(out: number, inputs: number): number {
  return (pad(out, outputTile) / outputTile) * (pad(inputs, groupSize) / groupSize) * firstBlockBytes;
}

/** Sections and their fields, in file order; a fact of geometry and version alone. Fields start at multiples of 16. */
export function sectionLayouts(geometry: Geometry, format: WeightFormat, version = packVersion): SectionLayout[] {
  const { vocabSize, dModel, nHeads, nKvHeads, nEncoderLayers, nDecoderLayers } = geometry;
  const headDim = dModel / nHeads;
  const wide = format === "float32";
  const int4Bytes = version === 1 ? firstMatrixBytes : matrixBytes;
  const matrix = (out: number, inputs: number): Size => ({
    bytes: wide ? out * inputs * 4 : int4Bytes(out, inputs),
    shape: [out, inputs],
  });
  const floats = (n: number): Size => ({ bytes: n * 4 });
  const kv = nKvHeads * headDim;
  const keysAndValues = { kNorm: floats(headDim), wk: matrix(kv, dModel), wv: matrix(kv, dModel) };
  const queries = { norm: floats(dModel), gate: floats(1), qNorm: floats(headDim), wq: matrix(dModel, dModel) };
  const block = { ...queries, ...keysAndValues, wo: matrix(dModel, dModel) };
  const prefixed = (prefix: string, sizes: Record<string, Size>) =>
    Object.fromEntries(Object.entries(sizes).map(([name, bytes]) => [prefix + name, bytes]));

  const sections: [string, Record<string, Size>][] = [
    ["embedding", { table: { bytes: tableBytes(vocabSize, dModel, format) } }],
  ];
  for (let i = 0; i < nEncoderLayers; i++) sections.push([`encoder.${i}`, block]);
  // Both final norms are small, and the encoder's is needed before the cross-attention's keys and values.
  sections.push(["norms", { encoderNorm: floats(dModel), decoderNorm: floats(dModel) }]);
  for (let i = 0; i < nDecoderLayers; i++) sections.push([`cross.${i}`, keysAndValues]);
  for (let i = 0; i < nDecoderLayers; i++) {
    const cross = { ...queries, wo: matrix(dModel, dModel) };
    sections.push([`decoder.${i}`, { ...prefixed("self.", block), ...prefixed("cross.", cross) }]);
  }
  const { contrastiveHidden: hidden, contrastiveDim: dim } = geometry;
  if (hidden)
    sections.push(["contrastive", { hidden: matrix(hidden, dModel), bias: floats(hidden), proj: matrix(dim, hidden) }]);

  return sections.map(([name, sizes]) => {
    let offsetBytes = 0;
    const fields = Object.entries(sizes).map(([field, size]) => {
      const at = offsetBytes;
      offsetBytes += pad(size.bytes, 16);
      return { name: field, offsetBytes: at, ...size };
    });
    return { name, bytes: pad(offsetBytes, alignment), fields };
  });
}

type Size = Pick<Field, "bytes" | "shape">;

/** The sections of a file, of this version unless said; of a tuning those alone that hold what the decoder does not share. */
export function layoutsOf(header: Pick<PackHeader, "geometry" | "format" | "tunes"> & { version?: number }) {
  const { geometry, format, tunes, version } = header;
  const layouts = sectionLayouts(geometry, format, version);
  return tunes === undefined ? layouts : layouts.filter(({ name }) => name === "norms" || name.startsWith("decoder."));
}

/** What a file that belongs to a model says of it: equal ones compute the same. */
export function modelId({ geometry, toolAt, pieces, sections }: PackHeader): number {
  const facts = [Object.entries(geometry).sort(), toolAt, pieces, sections.map(({ checksum }) => checksum)];
  return xxh32(new TextEncoder().encode(JSON.stringify(facts)));
}

/**
 * Writes a pack of this version, whatever that of a header which is given again. `field(section, name)` gives a field's bytes in
 * the kernels' layout.
 * Throws: Error if a field has another length than the geometry says.
 */
export function writePack(
  head: Pick<
    PackHeader,
    | "geometry"
    | "format"
    | "pieces"
    | "licence"
    | "provenance"
    | "prompt"
    | "toolAt"
    | "copies"
    | "calibration"
    | "tunes"
    | "taught"
  >,
  field: (section: string, name: string) => Uint8Array,
): Uint8Array {
  const { version: _, ...facts } = head as Partial<PackHeader> & typeof head;
  const layouts = layoutsOf(facts);
  const body = new Uint8Array(layouts.reduce((sum, layout) => sum + layout.bytes, 0));
  let at = 0;
  const sections: SectionEntry[] = layouts.map((layout) => {
    for (const { name, offsetBytes, bytes } of layout.fields) {
      const data = field(layout.name, name);
      if (data.length !== bytes) {
        throw new Error(`pack ${layout.name}.${name}: expected ${bytes} bytes, got ${data.length}`);
      }
      body.set(data, at + offsetBytes);
    }
    const checksum = xxh32(body.subarray(at, at + layout.bytes));
    at += layout.bytes;
    return { name: layout.name, offsetBytes: 0, bytes: layout.bytes, checksum };
  });

  // Offsets stand in the header and depend on its length: fixed-width placeholders first, then the real ones.
  const render = (start: number) => {
    let offsetBytes = start;
    const placed = sections.map((section) => {
      const entry = { ...section, offsetBytes };
      offsetBytes += section.bytes;
      return entry;
    });
    const map: Omit<PackHeader, "version"> = { ...facts, sections: placed, fileBytes: offsetBytes };
    return writeMsgpack(renamed(map, fileKeys) as Packable);
  };
  let start = 0;
  let header = render(start);
  while (pad(prefixBytes + header.length, alignment) !== start) {
    start = pad(prefixBytes + header.length, alignment);
    header = render(start);
  }
  const file = new Uint8Array(start + body.length);
  file.set(new TextEncoder().encode(magic), 0);
  file.set(header, prefixBytes);
  file.set(body, start);
  const view = new DataView(file.buffer);
  view.setUint32(8, packVersion, true);
  view.setUint32(12, header.length, true);
  view.setUint32(16, xxh32(file.subarray(prefixBytes, start)), true);
  return file;
}

/** Reads the 24-byte prefix. Throws: FormatError for foreign or newer files. */
export function readPrefix(bytes: Uint8Array): {
  version: number;
  headerBytes: number;
  bodyOffset: number;
  checksum: number;
} {
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, 8));
  if (text !== magic) {
    throw new FormatError(
      "magic",
      0,
      text === keptMagic
        ? "expected a thimble pack, got what a model made of tools; give that to prepare"
        : `expected a thimble pack, got ${JSON.stringify(text)}; convert with \`thimble build\``,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const version = view.getUint32(8, true);
  if (version < 1 || version > packVersion) {
    const remedy = version > packVersion ? "update thimble" : "rebuild the pack";
    throw new FormatError("version", 8, `expected 1 or ${packVersion}, got ${version}; ${remedy}`);
  }
  const headerBytes = view.getUint32(12, true);
  if (headerBytes > mostHeaderBytes) {
    throw new FormatError("header", 12, `expected at most ${mostHeaderBytes} bytes, got ${headerBytes}`);
  }
  if (view.getUint32(20, true) !== 0) throw new FormatError("reserved", 20, "expected zero");
  return {
    version,
    headerBytes,
    bodyOffset: pad(prefixBytes + headerBytes, alignment),
    checksum: view.getUint32(16, true),
  };
}

/**
 * Reads and checks a header: bytes 24 … first section.
 * Throws: FormatError naming the part that is wrong.
 */
export function readHeader(bytes: Uint8Array, prefix: ReturnType<typeof readPrefix>): PackHeader {
  if (xxh32(bytes) !== prefix.checksum) {
    throw new FormatError("header", prefixBytes, "checksum does not match; the file is damaged, fetch it again");
  }
  let header: PackHeader;
  try {
    header = { ...readMap(bytes.subarray(0, prefix.headerBytes)), version: prefix.version };
    checkGeometry(header.geometry, header.format);
    if (header.format !== "int4" && header.format !== "float32") {
      throw new FormatError(
        "header.weights",
        prefixBytes,
        `expected int4 or float32, got ${JSON.stringify(header.format)}`,
      );
    }
    if (header.tunes !== undefined && !Number.isInteger(header.tunes))
      throw new FormatError("header.tunes", prefixBytes, "expected the number of a model");
    const names = header.taught ?? [];
    if (!Array.isArray(names) || !names.every(isShown) || (names.length > 0 && header.tunes === undefined))
      throw new FormatError("header.taught", prefixBytes, "expected names of tools in a tuning");
    const pieces = header.tunes === undefined ? header.geometry.vocabSize : 0;
    if (
      !Array.isArray(header.pieces) ||
      !header.pieces.every((piece) => typeof piece === "string") ||
      header.pieces.length !== pieces
    ) {
      const { length } = header.pieces ?? [];
      throw new FormatError("header.pieces", prefixBytes, `expected ${pieces} pieces, got ${length}`);
    }
    if (!isShown(header.licence)) throw new FormatError("header.licence", prefixBytes, "expected a line of text");
    if (!isObject(header.provenance) || !Object.entries(header.provenance).flat().every(isShown))
      throw new FormatError("header.provenance", prefixBytes, "expected lines of text by name");
    if (header.copies !== undefined && typeof header.copies !== "boolean")
      throw new FormatError("header.copies", prefixBytes, "expected true or false");
    checkPrompt(header);
    if (header.calibration !== undefined) header.calibration = checkCalibration(header.calibration);
    let offset = prefix.bodyOffset;
    const layouts = layoutsOf(header);
    for (const [i, layout] of layouts.entries()) {
      const entry = header.sections[i];
      if (entry?.name !== layout.name || entry.bytes !== layout.bytes || entry.offsetBytes !== offset) {
        const wanted = `${layout.name} of ${layout.bytes} bytes at ${offset}`;
        throw new FormatError(`header.sections[${i}]`, prefixBytes, `expected ${wanted}, got ${JSON.stringify(entry)}`);
      }
      offset += layout.bytes;
    }
    if (header.sections.length !== layouts.length || header.fileBytes !== offset) {
      throw new FormatError("header.fileBytes", prefixBytes, `expected ${offset}, got ${header.fileBytes}`);
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(
      "header",
      prefixBytes,
      `expected the map that \`thimble build\` writes, got ${String(error)}`,
    );
  }
  return header;
}

/** What a terminal shows may not steer it. */
const isShown = (text: unknown) => typeof text === "string" && !/\p{Cc}/u.test(text);

/** Throws: FormatError for a way of showing tools that is none of ours. */
function checkPrompt({ prompt, toolAt }: PackHeader): void {
  const wrong = (name: string, expected: string, got: unknown) => {
    throw new FormatError(`header.${name}`, prefixBytes, `expected ${expected}, got ${JSON.stringify(got)}`);
  };
  if (prompt !== undefined && prompt !== "joint" && prompt !== "apart") wrong("prompt", '"joint" or "apart"', prompt);
  const isPlace = Number.isInteger(toolAt) && (toolAt as number) >= 1 && (toolAt as number) <= mostToolAt;
  if (prompt === "apart" ? !isPlace : toolAt !== undefined)
    wrong("toolAt", prompt === "apart" ? `an integer from 1 to ${mostToolAt}` : "none in a joint pack", toolAt);
}

const mostToolAt = 4096;

/** What the file calls parts of the header that have a better name here. */
const fileKeys: Readonly<Record<string, string>> = { format: "weights", calibration: "profile" };
const headerKeys = Object.fromEntries(Object.entries(fileKeys).map(([ours, files]) => [files, ours]));

function renamed(map: object, names: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [Object.hasOwn(names, key) ? names[key] : key, value]),
  );
}

/** Throws: FormatError for what is no map in msgpack. */
function readMap(bytes: Uint8Array): PackHeader {
  const reader = new MsgpackReader(bytes, true);
  const map = reader.value();
  if (isObject(map) && reader.isDone) return renamed(map, headerKeys) as unknown as PackHeader;
  throw new FormatError("header", prefixBytes, "expected the map that `thimble build` writes, got something else");
}

/** Throws: FormatError if a section's bytes have another checksum than the header says. */
export function checkSection({ name, offsetBytes, checksum }: Omit<SectionEntry, "bytes">, got: number): void {
  if (got === checksum) return;
  throw new FormatError(name, offsetBytes, "checksum does not match; the file is damaged, fetch it again");
}

/** The header of a whole file in memory. Throws: FormatError if any byte of it is not right. */
export function checkFile(bytes: Uint8Array): PackHeader {
  if (bytes.length < prefixBytes)
    throw new FormatError(
      "prefix",
      bytes.length,
      `expected ${prefixBytes} bytes, got ${bytes.length}: the file is cut short`,
    );
  const prefix = readPrefix(bytes);
  if (bytes.length < prefix.bodyOffset)
    throw new FormatError(
      "header",
      bytes.length,
      `expected ${prefix.bodyOffset} bytes, got ${bytes.length}: the file is cut short`,
    );
  const header = readHeader(bytes.subarray(prefixBytes, prefix.bodyOffset), prefix);
  checkLength(header, bytes.length);
  for (const section of header.sections)
    checkSection(section, xxh32(bytes.subarray(section.offsetBytes, section.offsetBytes + section.bytes)));
  return header;
}

/** Throws: FormatError for a file of another length than the header says; names the section where a cut one ends. */
export function checkLength({ sections, fileBytes }: PackHeader, got: number): void {
  if (got === fileBytes) return;
  const cut = sections.findLast(({ offsetBytes }) => offsetBytes <= got) ?? { name: "header" };
  const [path, offset] = got > fileBytes ? ["end", fileBytes] : [cut.name, got];
  const what = got > fileBytes ? "more follows its last section" : "it is cut short";
  throw new FormatError(path, offset, `expected ${fileBytes} bytes in the file, got ${got}: ${what}`);
}

/** Throws: FormatError for a geometry that the kernels cannot run. */
export function checkGeometry(geometry: Geometry, format: WeightFormat): void {
  const wrong = (name: string, expected: string, got: unknown) => {
    throw new FormatError(`geometry.${name}`, prefixBytes, `expected ${expected}, got ${JSON.stringify(got)}`);
  };
  const limits: [keyof Geometry, number, number][] = [
    ["vocabSize", 8, 1 << 20],
    ["dModel", 8, 1 << 14],
    ["nHeads", 1, 256],
    ["nKvHeads", 1, 256],
    ["nEncoderLayers", 1, 256],
    ["nDecoderLayers", 1, 256],
    ["contrastiveHidden", 0, 1 << 14],
    ["contrastiveDim", 0, 1 << 14],
  ];
  for (const [name, least, most] of limits) {
    const value = geometry?.[name];
    if (!Number.isInteger(value) || value < least || value > most)
      wrong(name, `an integer from ${least} to ${most}`, value);
  }
  const { dModel, nHeads, nKvHeads, ropeTheta, contrastiveHidden, contrastiveDim } = geometry;
  if (dModel % nHeads || nHeads % nKvHeads)
    wrong("nHeads", "heads that divide dModel, and KV heads that divide heads", nHeads);
  if (!Number.isFinite(ropeTheta) || ropeTheta < 1) wrong("ropeTheta", "a finite number from 1", ropeTheta);
  if (!contrastiveHidden !== !contrastiveDim)
    wrong("contrastiveDim", "both contrastive sizes or neither", contrastiveDim);
  if (format === "float32") return;
  if (dModel % groupSize || dModel > 512) {
    // Sums of dModel products of int16 and int8 must fit in 32 bits.
    wrong("dModel", `a multiple of ${groupSize} up to 512, as the int4 kernels need`, dModel);
  }
  if (contrastiveHidden > mostInputs)
    wrong("contrastiveHidden", `at most ${mostInputs}, as the int4 kernels need`, contrastiveHidden);
  if ((dModel / nHeads) % 8) wrong("headDim", "a multiple of 8, as the int4 kernels need", dModel / nHeads);
}
