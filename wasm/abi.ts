/**
 * What the kernel module and its hosts agree on: exports, argument order, records and data layouts.
 *
 * All numbers are little-endian. Pointers are byte offsets into the one imported memory, and every region
 * starts on a multiple of 16. The module holds no model facts: dimensions reach it through records.
 */

/** Inputs per group of the group-wise int4 quantisation (spec: "int4 weights"). */
export const groupSize = 32;

/** Rows (tokens) that one pass over the weights serves at most; row buffers are padded to it. */
export const tileRows = 4;

/** Numbers of rows that have a variant of the row kernels. */
export const rowVariants = [1, 2, tileRows] as const;

/** Outputs that one inner loop writes at most; the outputs of a matrix are padded to it with zero rows. */
export const outputTile = 8;

/** Import names of the memory. */
export const memoryImport = { module: "thimble", base: "memory" } as const;

/**
 * The four builds of the one source. `dot` is the fastest where four products of bytes are one instruction, ARM's sdot and
 * x86's vpdpbusd; elsewhere it is slower than `relaxed`. The others go from the fastest to the most portable.
 */
export const buildNames = ["dot", "relaxed", "simd", "scalar"] as const;
export type BuildName = (typeof buildNames)[number];

/** A record is a run of u32 fields in linear memory; its first field stands at the record's pointer. */
export type RecordOf<Fields extends readonly string[]> = Record<Fields[number], number>;

/**
 * Dimensions of a model and the working buffers of one session.
 * rope: f32 (positions, headDim), a row holds headDim/2 cosines, then headDim/2 sines.
 * Buffers for one tile of R rows (one of `rowVariants`). "each" values stand for every lane: builds with vectors write them
 * four times, the scalar build once.
 *   y       f32 (R, yWidth)              projections before and after the head norms
 *   a       R rows of yWidth as int8     inputs of a projection: `inputBytes`
 *   q       i16 (nHeads, headDim/2, R, each 2), qScale f32 (nHeads, R)
 *   scores  f32 (R, keyCapacity)         one head
 *   p       i16 (keyCapacity/2, R, each 2), pScale f32 (R): one head's softmax weights times the value scales
 *   vScale  f32 (keyCapacity)            value scales of several caches side by side
 *   att     f32 (R, yWidth)              heads' outputs side by side
 */
export const sessionRecord = [
  "dModel",
  "nHeads",
  "nKvHeads",
  "headDim",
  "vocabSize",
  "rope",
  "yWidth",
  "y",
  "a",
  "q",
  "qScale",
  "keyCapacity",
  "scores",
  "p",
  "pScale",
  "vScale",
  "att",
] as const;

/** Bytes from the session record of one thread to that of the next: rope is common, the buffers for a tile are not. */
export const sessionRecordBytes = pad(4 * sessionRecord.length, 64);

/**
 * Bytes at most of R rows of int8 inputs, padded to groups of 32, as `matmul` reads them; values are "each":
 *
 *   scales f32 of row 0, 1, …, then for each group
 *     start: i32 −8 · Σ a of row 0, 1, …      takes back that nibbles are unsigned; mod 2¹⁶ for the relaxed build
 *     run 0, step 0: inputs of row 0, 1, …    the 4 bytes that meet the low nibbles of a run (`matrixBytes`): 0 4 1 5
 *     run 0, step 1: likewise                 those that meet the high ones: 2 6 3 7
 *     runs 1–3 likewise.
 *
 * Without the relaxed instructions inputs are pairs of i16, and a run has four steps: inputs 0 1, 2 3, 4 5, 6 7.
 * Such a scratch layout is a build's own affair: hosts only reserve its room.
 */
export function inputBytes(rows: number, inputs: number): number {
  return 16 * rows * (1 + (pad(inputs, groupSize) / groupSize) * (1 + 4 * 4));
}

/** Pointers to one attention block's weights: norm f32 (dModel), gate f32 (1), qNorm kNorm f32 (headDim), matrices. */
export const blockRecord = ["norm", "gate", "qNorm", "kNorm", "wq", "wk", "wv", "wo"] as const;

/**
 * Keys and values of one layer, `capacity` positions (a multiple of 8), int16 with a scale per position and KV head.
 *   k       (nKvHeads, capacity/4, headDim/2, 4 positions, 2 dims)      kScale f32 (nKvHeads, capacity)
 *   v       (nKvHeads, headDim/4, capacity/2, 4 dims, 2 positions)      vScale f32 (nKvHeads, capacity)
 * A key is scaled by 32767/‖k‖₂, so that no product of a query and a key leaves 31 bits (Cauchy-Schwarz);
 * a value by 2047/max|v|, so that a row of weights with Σ|p| ≤ 2²⁰ does not either (Hölder).
 * keys: positions that hold something, where others attend to the cache as one of their runs.
 * most: what keys and values are scaled by instead, most/max|k| and most/max|v|, for integers of fewer bits; 0 for the above.
 */
export const cacheRecord = ["k", "v", "kScale", "vScale", "capacity", "keys", "most"] as const;

/**
 * Runs: further caches that rows attend to beside their own, under one softmax, in this order.
 *   0  4     number of caches
 *   4  4 ·   their records, whose scales are finite up to the next multiple of 8 positions
 */
export function runsBytes(count: number): number {
  return 4 * (1 + count);
}

/** Contrastive head: matrices hidden (hiddenDim, dModel) and proj (outDim, hiddenDim), bias f32 (hiddenDim). */
export const headRecord = ["hidden", "bias", "proj", "hiddenDim", "outDim"] as const;

/**
 * Bytes of a group-wise int4 matrix (out, in), outputs and inputs padded with zeros to 8 and 32.
 * A block is 8 outputs × 32 inputs, 136 bytes; blocks of one octet of outputs follow each other along the input, and 8 units
 * as f32 follow them, so that the kernels read a matrix as one ascending stream.
 *
 *   run 0: inputs 0–7, 32 bytes         output 0      output 1      …  output 7
 *                                       b0 b1 b2 b3   b0 b1 b2 b3      b0 b1 b2 b3
 *                   low nibble, input:   0  4  1  5
 *                  high nibble, input:   2  6  3  7
 *   runs 1–3: inputs 8–31 likewise, then 8 scales as u8.
 *
 * A nibble n stands for w = (n − 8) · scale · unit: an output's groups have integer scales against one unit, the greatest
 * scale / 255. As 16-bit lanes, nibble s of each lane holds inputs 2s and 2s+1 of its output: the order that the pairwise
 * dot product wants.
 */
export function matrixBytes(out: number, inputs: number): number {
  return (pad(out, outputTile) / outputTile) * octetBytes(inputs);
}
/** Bytes of 8 outputs. */
export function octetBytes(inputs: number): number {
  return (pad(inputs, groupSize) / groupSize) * blockBytes + unitsBytes;
}
export const runBytes = 4 * outputTile;
export const blockBytes = 4 * runBytes + outputTile;
export const unitsBytes = 4 * outputTile;

/** Greatest scale of a group against its output's unit. */
export const mostScale = 255;

/** Inputs of a matrix at most: Σ scale · |n − 8| · |a| ≤ 255 · 8 · 127 each stays below 2³¹. */
export const mostInputs = 8192;

/** Input (0–7) of each nibble of a 4-byte run, `[byte][low, high]`: the figure above as a table. */
export const nibbleInputs = [
  [0, 2],
  [4, 6],
  [1, 3],
  [5, 7],
] as const;

/**
 * Bytes of an int8 embedding table (vocabSize, dModel), rows padded to a multiple of 4.
 * A block is 4 rows: 4 scales as f32, then 16 bytes for every 4 dims:
 *   row 0: dims 0 1, row 1: dims 0 1, row 2: dims 0 1, row 3: dims 0 1, then dims 2 3 likewise.
 */
export function embeddingBytes(vocabSize: number, dModel: number): number {
  return (pad(vocabSize, 4) / 4) * embeddingBlockBytes(dModel);
}
export function embeddingBlockBytes(dModel: number): number {
  return 16 + 4 * dModel;
}

/** Byte of (row within the block, dim) in a block of the embedding table, after the scales. */
export function embeddingByte(row: number, dim: number): number {
  return 16 + (dim >> 2) * 16 + ((dim >> 1) & 1) * 8 + row * 2 + (dim & 1);
}

/** Rounds up to a multiple. */
export function pad(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/**
 * The exports. x: f32 (rows, dModel), room for rows padded to tileRows; ids: u32; pointers unless said.
 * A session's calls share its buffers; two sessions share only weights, so they may interleave between calls.
 * encoder_kv, encoder_attend and cross_kv may run at once over disjoint rows, each with another thread's session record;
 * ranges that start at multiples of tileRows give the floats of one range over all.
 */
export interface Kernels {
  /** Keys and values stay outside linear memory, as wide as they are computed: there is nothing to keep or restore. */
  readonly wide?: boolean;
  /** Fills `rope` for `positions` positions with cos and sin of position / theta^(2i/headDim); error ≤ 1e-6. */
  rope_table(session: number, positions: number, theta: number): void;
  /** x[t] = E[ids[t]] · √dModel for t < n. An id outside the vocabulary traps. */
  embed(session: number, table: number, ids: number, n: number, x: number): void;
  /** Stores K and V of an encoder layer for the n rows x at positions pos …: first for all rows, then `encoder_attend`. */
  encoder_kv(session: number, block: number, cache: number, x: number, pos: number, n: number): void;
  /**
   * x += sigmoid(gate) · SelfAttention(Norm(x)) for the n rows x at positions pos …, in place, over `keys` positions and
   * the `runs` (0: none).
   */
  encoder_attend(
    session: number,
    block: number,
    cache: number,
    x: number,
    pos: number,
    n: number,
    keys: number,
    runs: number,
  ): void;
  /** x[t] = ZCRMSNorm(x[t]) for t < n, in place. */
  final_norm(session: number, norm: number, x: number, n: number): void;
  /** Stores K and V of the n encoder states x at positions pos … for a decoder layer's cross-attention. */
  cross_kv(session: number, block: number, cache: number, x: number, pos: number, n: number): void;
  /**
   * One decoder layer over positions pos … pos+n−1, in place; `keys` is the number of encoder states in the crossCache,
   * `runs` more of them (0: none). Rows before `from`, which is below n, leave K and V alone: of the last layer's rows
   * only the last is wanted.
   */
  decoder_layer(
    session: number,
    self: number,
    selfCache: number,
    cross: number,
    crossCache: number,
    x: number,
    pos: number,
    n: number,
    keys: number,
    from: number,
    runs: number,
  ): void;
  /** out[i] = h · E[i] for rows allowed by `mask` (u32 bitset, 0 = all rows), −Infinity elsewhere; out: f32 (pad(vocabSize, 4)). */
  logits(session: number, table: number, h: number, mask: number, out: number): void;
  /**
   * Index of the greatest of n floats, the first of equals; n is a multiple of 4. Writes 16 bytes to `summary`: greatest
   * and second greatest as f32, index of the second as u32, Σ e^(value − greatest) as f32.
   */
  argmax(values: number, n: number, summary: number): number;
  /** out: f32 (outDim), the L2-normalised projection of the mean of n encoder states. */
  contrastive(session: number, head: number, x: number, n: number, out: number): void;
  /** Takes whole stripes of 16 bytes into the four u32 sums of XXH32 at `lanes`; kernels without it leave that to the host. */
  xxh32_stripes?(at: number, bytes: number, lanes: number): void;
}

export const exportNames = [
  "rope_table",
  "embed",
  "encoder_kv",
  "encoder_attend",
  "final_norm",
  "cross_kv",
  "decoder_layer",
  "logits",
  "argmax",
  "contrastive",
  "xxh32_stripes",
] as const satisfies readonly Exclude<keyof Kernels, "wide">[];
