/**
 * Group-wise int4 and per-row int8: scale and pack. Layouts: wasm/abi.ts. Source: spec, "int4 weights".
 *
 * Scales stay float32, as in training: rounding them first would change the weights that the model was trained with,
 * and float16 would save 1.5% of a pack.
 */
import {
  blockBytes,
  embeddingBlockBytes,
  embeddingByte,
  embeddingBytes,
  groupSize,
  matrixBytes,
  nibbleInputs,
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

/** Writes a matrix in the kernels' layout (`matrixBytes`); padding is zero weights with zero scales. */
export function packMatrix(matrix: Matrix): Uint8Array {
  const { nibbles, scales } = matrix.q4 ?? quantizeMatrix(matrix.data, matrix.out, matrix.in);
  const bytes = new Uint8Array(matrixBytes(matrix.out, matrix.in));
  const view = new DataView(bytes.buffer);
  const groups = pad(matrix.in, groupSize) / groupSize;
  const nibble = (o: number, j: number) => (o < matrix.out && j < matrix.in ? nibbles[o * matrix.in + j] : 0) + 8;
  for (let block = 0; block * blockBytes < bytes.length; block++) {
    const output = Math.floor(block / groups) * outputTile;
    const group = block % groups;
    for (let at = 0; at < 4 * runBytes; at++) {
      const row = output + ((at % runBytes) >> 2);
      const input = group * groupSize + Math.floor(at / runBytes) * 8;
      const [low, high] = nibbleInputs[at & 3];
      bytes[block * blockBytes + at] = nibble(row, input + low) | (nibble(row, input + high) << 4);
    }
    for (let row = 0; row < outputTile; row++) {
      const scale = output + row < matrix.out ? scales[(output + row) * groups + group] : 0;
      view.setFloat32(block * blockBytes + 4 * runBytes + row * 4, scale, true);
    }
  }
  return bytes;
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
