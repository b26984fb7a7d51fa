/**
 * Group-wise int4 and per-row int8: scale and pack. Layouts: wasm/abi.ts. Source: spec, "int4 weights".
 *
 * Weights are quantised with float32 scales, as in training; a group's scale is then rounded to 8 bits against the greatest
 * of its output, 0.1% in the median, and an embedding's stays as it is.
 */
import {
  blockBytes,
  embeddingBlockBytes,
  embeddingByte,
  embeddingBytes,
  groupSize,
  matrixBytes,
  mostScale,
  nibbleInputs,
  octetBytes,
  outputTile,
  pad,
  runBytes,
} from "../../wasm/abi.ts";

/** A matrix (out, in), either wide or already quantised: q −8…7 (out, in), scales (out, in / 32). */
export interface Matrix {
  out: number;
  in: number;
  data: Float32Array;
  q4?: { nibbles: Int8Array; scales: Float32Array };
}

/**
 * Quantises in groups of 32 along the input: scale = max|w| / 7, q = round(w / scale), ties to even, clipped to −8…7.
 * Float32 arithmetic throughout, so that the integers equal those of training. A last group may be shorter.
 */
export function quantizeMatrix(data: Float32Array, out: number, inputs: number): NonNullable<Matrix["q4"]> {
  const groups = Math.ceil(inputs / groupSize);
  const nibbles = new Int8Array(out * inputs);
  const scales = new Float32Array(out * groups);
  for (let o = 0; o < out; o++) {
    for (let g = 0; g < groups; g++) {
      const start = o * inputs + g * groupSize;
      const end = o * inputs + Math.min(inputs, (g + 1) * groupSize);
      let most = 0;
      for (let j = start; j < end; j++) most = Math.max(most, Math.abs(data[j]));
      const scale = Math.max(Math.fround(most / 7), Math.fround(1e-8));
      scales[o * groups + g] = scale;
      for (let j = start; j < end; j++) {
        nibbles[j] = Math.max(-8, Math.min(7, roundHalfEven(Math.fround(data[j] / scale))));
      }
    }
  }
  return { nibbles, scales };
}

/**
 * Writes a matrix in the kernels' layout (`matrixBytes`); padding is zero weights with zero scales. A scale becomes a multiple
 * of its output's unit, the greatest of the output's / 255; nibbles stay as they are, so that a weight moves by |q| · unit/2 at most.
 */
export function packMatrix(matrix: Matrix): Uint8Array {
  const { nibbles, scales } = matrix.q4 ?? quantizeMatrix(matrix.data, matrix.out, matrix.in);
  const bytes = new Uint8Array(matrixBytes(matrix.out, matrix.in));
  const groups = pad(matrix.in, groupSize) / groupSize;
  const nibble = (o: number, j: number) => (o < matrix.out && j < matrix.in ? nibbles[o * matrix.in + j] : 0) + 8;
  for (let output = 0, octet = 0; output < matrix.out; output += outputTile, octet += octetBytes(matrix.in)) {
    for (let group = 0; group < groups; group++) {
      for (let at = 0; at < 4 * runBytes; at++) {
        const row = output + ((at % runBytes) >> 2);
        const input = group * groupSize + Math.floor(at / runBytes) * 8;
        const [low, high] = nibbleInputs[at & 3];
        bytes[octet + group * blockBytes + at] = nibble(row, input + low) | (nibble(row, input + high) << 4);
      }
    }
    packScales(scales.subarray(output * groups, (output + outputTile) * groups), groups, bytes, octet);
  }
  return bytes;
}

/** Writes the scales of up to 8 outputs, f32 (outputs, groups), into the octet that begins at `octet`. */
export function packScales(scales: Float32Array, groups: number, bytes: Uint8Array, octet: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + octet);
  for (let row = 0; row * groups < scales.length; row++) {
    const own = scales.subarray(row * groups, (row + 1) * groups);
    const unit = Math.fround(own.reduce((most, scale) => Math.max(most, scale), 0) / mostScale);
    view.setFloat32(groups * blockBytes + 4 * row, unit, true);
    for (const [group, scale] of own.entries())
      view.setUint8(group * blockBytes + 4 * runBytes + row, unit && Math.min(mostScale, Math.round(scale / unit)));
  }
}

/** Writes an embedding table in the kernels' layout: scale = max|row| / 127, int8 rounded half to even. */
export function packEmbedding(data: Float32Array, vocabSize: number, dModel: number): Uint8Array {
  const bytes = new Uint8Array(embeddingBytes(vocabSize, dModel));
  const view = new DataView(bytes.buffer);
  for (let id = 0; id < vocabSize; id++) {
    const block = (id >> 2) * embeddingBlockBytes(dModel);
    let most = 0;
    for (let j = 0; j < dModel; j++) most = Math.max(most, Math.abs(data[id * dModel + j]));
    const scale = Math.max(Math.fround(most / 127), Math.fround(1e-8));
    view.setFloat32(block + (id & 3) * 4, scale, true);
    for (let j = 0; j < dModel; j++) {
      const q = roundHalfEven(Math.fround(data[id * dModel + j] / scale));
      view.setInt8(block + embeddingByte(id & 3, j), Math.max(-127, Math.min(127, q)));
    }
  }
  return bytes;
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
