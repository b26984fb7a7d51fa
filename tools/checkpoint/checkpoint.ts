/**
 * Reads any published Needle v1 weight file into one record, laid out as the forward pass reads it.
 * Formats: names.ts. Files: safetensors.ts, needle-rs.ts, pickle.ts with numpy.ts and published.ts. Bytes: tensor.ts.
 */
import { FormatError } from "../../runtime/errors.ts";
import { type AttentionNames, type Format, NEEDLE_RS, ORIGINAL, SAFETENSORS } from "./names.ts";
import { GROUP_SIZE, readInt4 } from "./needle-rs.ts";
import { readPublished } from "./published.ts";
import { readSafetensors } from "./safetensors.ts";
import { gather, type Tensor } from "./tensor.ts";

export interface Config {
  vocabSize: number;
  dModel: number;
  nHeads: number;
  nKvHeads: number;
  nEncoderLayers: number;
  nDecoderLayers: number;
  ropeTheta: number;
  /** Width of the retrieval vector; 0 where the file has no contrastive head. */
  contrastiveDim: number;
}

export interface Matrix {
  out: number;
  in: number;
  /** (out, in) */
  data: Float32Array;
  /** Where the file holds int4 already: nibbles (out, in) in -8..7, scales (out, in/32). `data` is their product. */
  q4?: { nibbles: Int8Array; scales: Float32Array };
}

export interface Attention {
  q: Matrix;
  k: Matrix;
  v: Matrix;
  o: Matrix;
  /** (headDim) */
  qNorm: Float32Array;
  kNorm: Float32Array;
  /** (dModel), applied before the block */
  norm: Float32Array;
  /** Before the sigmoid. */
  gate: number;
}

export interface Checkpoint {
  config: Config;
  /** (vocabSize, dModel) */
  embedding: Matrix;
  encoder: Attention[];
  encoderNorm: Float32Array;
  decoder: { self: Attention; cross: Attention }[];
  decoderNorm: Float32Array;
  contrastive?: { hidden: Matrix; bias: Float32Array; proj: Matrix };
  /** What else the file says of itself: licence, note, tokenizer. */
  metadata: Record<string, string>;
}

/** An opened file: arrays by name, what it states about its geometry, what else it says. */
interface OpenFile {
  path: string;
  format: Format;
  tensors: Map<string, Tensor>;
  stated: Record<string, unknown>;
  metadata: Record<string, string>;
}

/** What files call each config field; the first is the original's. */
const CONFIG_KEYS: Readonly<Record<keyof Config, readonly string[]>> = {
  vocabSize: ["vocab_size"],
  dModel: ["d_model", "hidden_size"],
  nHeads: ["num_heads", "n_heads", "num_attention_heads"],
  nKvHeads: ["num_kv_heads", "n_kv_heads", "num_key_value_heads"],
  nEncoderLayers: ["num_encoder_layers", "n_encoder_layers"],
  nDecoderLayers: ["num_decoder_layers", "n_decoder_layers"],
  ropeTheta: ["rope_theta"],
  contrastiveDim: ["contrastive_dim"],
};

/** The original's default, for files that do not state it: TransformerConfig, cactus-compute/needle at 1807b1d. */
const ROPE_THETA = 10000;

const HINT = "is this a Needle v1 checkpoint?";

/** Files people mistake for weights, by how they begin. */
const MISTAKEN: readonly (readonly [string, string])[] = [
  ["PK", "a zip archive (.npz or a PyTorch .pt); convert it to safetensors"],
  ["version https://git-lfs", "a Git LFS pointer; download the file it stands for"],
  ["<", "a web page; download the file itself"],
  ["GGUF", "GGUF; convert it to safetensors"],
];

/** Tells the format by content, never by name. A safetensors header is JSON behind a length whose upper half is 0. */
function open(bytes: Uint8Array, path: string): OpenFile {
  if (bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0)) {
    const { tensors, metadata } = readSafetensors(bytes, path);
    const { config, ...rest } = metadata;
    const format = tensors.has(NEEDLE_RS.names.embedding) ? NEEDLE_RS : SAFETENSORS;
    return { path, format, tensors, stated: config === undefined ? metadata : parseConfig(config), metadata: rest };
  }
  // Protocols 2 to 5 announce themselves; 0 and 1 begin with the dict they hold, as MARK or EMPTY_DICT.
  if (bytes[0] === 0x80 || bytes[0] === 0x28 || bytes[0] === 0x7d) {
    const { tensors, config, metadata } = readPublished(bytes, path);
    return { path, format: ORIGINAL, tensors, stated: config, metadata };
  }
  const start = String.fromCharCode(...bytes.subarray(0, 32));
  const mistaken = MISTAKEN.find(([prefix]) => start.startsWith(prefix))?.[1] ?? JSON.stringify(start.slice(0, 8));
  throw new FormatError(path, 0, `expected safetensors or a pickle, got ${mistaken}`);
}

function parseConfig(text: string): Record<string, unknown> {
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null) return { ...config };
  } catch {
    // Reported below, like any other value that is no object.
  }
  throw new FormatError("__metadata__.config", -1, "expected a JSON object, got something else");
}

/** Names the array of one layer; stacked formats keep all layers under one name. */
const nameOf = (name: string, layer = 0) => name.replace("#", String(layer));

/** Finds an array. Throws: FormatError where the file lacks it. */
function find({ path, tensors }: OpenFile, name: string): Tensor {
  const tensor = tensors.get(name);
  if (!tensor) throw new FormatError(name, -1, `expected this tensor in ${path}, got none; ${HINT}`);
  return tensor;
}

/** Finds an array of exactly this shape: the one shape check. Throws: FormatError naming both shapes. */
function expectShape(source: OpenFile, name: string, shape: number[]): Tensor {
  const tensor = find(source, name);
  if (tensor.shape.length !== shape.length || shape.some((size, axis) => size !== tensor.shape[axis]))
    throw new FormatError(
      name,
      tensor.offset,
      `expected shape [${shape.join(", ")}], got [${tensor.shape.join(", ")}]; ${HINT}`,
    );
  return tensor;
}

/**
 * Settles the geometry: what the file states, else what its shapes say; every array is then held against it.
 * Throws: FormatError for a missing first array, or numbers that make no attention geometry.
 */
function readConfig(source: OpenFile): Config {
  const { format, tensors, stated } = source;
  const { names, transposed, stacked } = format;
  const size = (name: string, axis: number) => find(source, nameOf(name)).shape.at(axis) ?? 0;
  const count = (name: string) => {
    if (stacked) return size(name, 0);
    let layers = 0;
    while (tensors.has(nameOf(name, layers))) layers++;
    return layers;
  };
  const state = (field: keyof Config, inferred: () => number): number => {
    const key = CONFIG_KEYS[field].find((name) => stated[name] !== undefined);
    const value = key === undefined ? inferred() : Number(stated[key]);
    if (value > 0 && (field === "ropeTheta" ? Number.isFinite(value) : Number.isSafeInteger(value))) return value;
    const wanted = field === "ropeTheta" ? "a number above 0" : "a whole number from 1";
    throw new FormatError(
      `config.${CONFIG_KEYS[field][0]}`,
      -1,
      `expected ${wanted}, got ${key ? JSON.stringify(stated[key]) : value}; ${HINT}`,
    );
  };

  const dModel = state("dModel", () => size(names.embedding, 1));
  const nHeads = state("nHeads", () => dModel / size(names.encoder.qNorm, -1));
  const headDim = dModel / nHeads;
  const config: Config = {
    vocabSize: state("vocabSize", () => size(names.embedding, 0)),
    dModel,
    nHeads,
    nKvHeads: state("nKvHeads", () => size(names.encoder.k, transposed ? -1 : 0) / headDim),
    nEncoderLayers: state("nEncoderLayers", () => count(names.encoder.norm)),
    nDecoderLayers: state("nDecoderLayers", () => count(names.self.norm)),
    ropeTheta: state("ropeTheta", () => ROPE_THETA),
    // The original's config always states a width; published conversions lack the head all the same.
    contrastiveDim: tensors.has(names.proj) ? state("contrastiveDim", () => size(names.proj, transposed ? -1 : 0)) : 0,
  };
  if (headDim % 2 !== 0 || nHeads % config.nKvHeads !== 0)
    throw new FormatError(
      "config.num_heads",
      -1,
      `expected an even dModel / nHeads and nHeads a multiple of nKvHeads, got ${dModel}, ${nHeads}, ${config.nKvHeads}`,
    );
  return config;
}

/**
 * Reads a weight file: the original pickle, safetensors in the names of (2), or the int4 safetensors of needle-rs.
 * `name` stands for the file in errors. A rope theta told only by a separate config.json is not seen: 10000 is taken.
 * Throws: FormatError for any other content, a missing or misshapen array, or one that Needle v1 does not know.
 * Source: spec/needle-v1.md, "Published weight files to read".
 */
export function readCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  // A plain Uint8Array, as Node's Buffer redefines slice.
  const source = open(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), name);
  const { format, tensors } = source;
  const { names } = format;
  const config = readConfig(source);
  const { dModel, nEncoderLayers, nDecoderLayers } = config;
  const headDim = dModel / config.nHeads;
  const used = new Set<string>(format.ignored);

  const take = (name: string, shape: number[]) => {
    used.add(name);
    return expectShape(source, name, shape);
  };
  /** Reads (rows, cols) of an array, or of its layer, that lies in that order or the other. */
  const table = (
    name: string,
    rows: number,
    cols: number,
    transposed: boolean,
    layer?: number,
    layers = 0,
  ): Float32Array => {
    const shape = transposed ? [cols, rows] : [rows, cols];
    const stacked = format.stacked && layer !== undefined;
    const tensor = take(nameOf(name, layer), stacked ? [layers, ...shape] : shape);
    const [rowStride, colStride] = transposed ? tensor.strides.slice(-2).reverse() : tensor.strides.slice(-2);
    return gather(tensor, stacked ? layer * tensor.strides[0] : 0, rows, cols, rowStride, colStride);
  };
  const matrix = (name: string, out: number, width: number, layer?: number, layers = 0): Matrix => {
    const stored = nameOf(name, layer);
    const scaleName = `${stored}.scale`;
    if (format !== NEEDLE_RS || !tensors.has(scaleName))
      return { out, in: width, data: table(name, out, width, format.transposed, layer, layers) };
    const scale = take(scaleName, [width / GROUP_SIZE, out]);
    return readInt4(take(stored, [width / 2, out]), scale, out, width);
  };
  const vector = (name: string, length: number, layer?: number, layers = 0): Float32Array => {
    const stacked = format.stacked && layer !== undefined;
    const tensor = take(nameOf(name, layer), stacked ? [layers, length] : [length]);
    return gather(tensor, stacked ? layer * tensor.strides[0] : 0, 1, length, 0, tensor.strides.at(-1) ?? 1);
  };
  const scalar = (name: string, layer: number, layers: number): number => {
    // One per layer on axis 0; else a scalar, which some writers store as [] and some as [1].
    const isRankless = !format.stacked && find(source, nameOf(name, layer)).shape.length === 0;
    const tensor = take(nameOf(name, layer), format.stacked ? [layers] : isRankless ? [] : [1]);
    return gather(tensor, format.stacked ? layer * tensor.strides[0] : 0, 1, 1, 0, 0)[0];
  };
  const attention = (of: AttentionNames, layer: number, layers: number): Attention => ({
    q: matrix(of.q, dModel, dModel, layer, layers),
    k: matrix(of.k, config.nKvHeads * headDim, dModel, layer, layers),
    v: matrix(of.v, config.nKvHeads * headDim, dModel, layer, layers),
    o: matrix(of.o, dModel, dModel, layer, layers),
    qNorm: vector(of.qNorm, headDim, layer, layers),
    kNorm: vector(of.kNorm, headDim, layer, layers),
    norm: vector(of.norm, dModel, layer, layers),
    gate: scalar(of.gate, layer, layers),
  });
  const head = () => {
    const hiddenDim = find(source, names.bias).shape.at(-1) ?? 0;
    return {
      hidden: matrix(names.hidden, hiddenDim, dModel),
      bias: vector(names.bias, hiddenDim),
      proj: matrix(names.proj, config.contrastiveDim, hiddenDim),
    };
  };

  const layers = <T>(count: number, read: (layer: number) => T): T[] => {
    const made: T[] = [];
    // Not Array.from: a false count must end at the first missing array, not at an allocation.
    for (let layer = 0; layer < count; layer++) made.push(read(layer));
    return made;
  };
  const checkpoint: Checkpoint = {
    config,
    embedding: {
      out: config.vocabSize,
      in: dModel,
      data: table(names.embedding, config.vocabSize, dModel, false),
    },
    encoder: layers(nEncoderLayers, (i) => attention(names.encoder, i, nEncoderLayers)),
    encoderNorm: vector(names.encoderNorm, dModel),
    decoder: layers(nDecoderLayers, (i) => ({
      self: attention(names.self, i, nDecoderLayers),
      cross: attention(names.cross, i, nDecoderLayers),
    })),
    decoderNorm: vector(names.decoderNorm, dModel),
    ...(config.contrastiveDim > 0 && { contrastive: head() }),
    metadata: source.metadata,
  };

  // A network with more parts than these (feed-forward blocks, further layers) would run, and run wrong.
  for (const tensor of tensors.values())
    if (!used.has(tensor.name))
      throw new FormatError(
        tensor.name,
        tensor.offset,
        `expected only the tensors of Needle v1, got this one besides; ${HINT}`,
      );
  return checkpoint;
}
