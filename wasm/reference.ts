/**
 * The kernel module's exports in plain TypeScript, in float64: the oracle of the kernels.
 *
 * Reads and writes the same records and rows as the module, but multiplies weights as they are restored and keeps keys
 * and values wide, outside linear memory. With "float32" weights it also runs packs that were never quantised.
 * Source: spec, "Forward pass".
 */

import {
  blockBytes,
  blockRecord,
  cacheRecord,
  embeddingBlockBytes,
  embeddingByte,
  groupSize,
  headRecord,
  type Kernels,
  nibbleInputs,
  octetBytes,
  outputTile,
  pad,
  type RecordOf,
  runBytes,
  sessionRecord,
} from "./abi.ts";

type Row = Float64Array;

/** Keys and values of one cache: a row (nKvHeads · headDim) a position. */
interface Cache {
  k: Row[];
  v: Row[];
}

/** Starts reference kernels on a memory. */
export function startReference(memory: WebAssembly.Memory, format: "int4" | "float32"): Kernels {
  const caches = new Map<number, Cache>();
  const matrices = new Map<string, Row[]>();

  const floats = (at: number, n: number) => new Float32Array(memory.buffer, at, n);
  const record = <F extends readonly string[]>(fields: F, at: number): RecordOf<F> => {
    const words = new Uint32Array(memory.buffer, at, fields.length);
    return Object.fromEntries(fields.map((name, i) => [name, words[i]])) as RecordOf<F>;
  };
  const cacheAt = (at: number): Cache => {
    const found = caches.get(at) ?? { k: [], v: [] };
    caches.set(at, found);
    return found;
  };

  /** Rows (out) of a matrix (out, in); weights never change, so each is restored once. */
  function matrix(at: number, out: number, inputs: number): Row[] {
    const key = `${at}`;
    let rows = matrices.get(key);
    if (!rows) {
      const bytes = new Uint8Array(memory.buffer, at);
      const data = format === "float32" ? floats(at, out * inputs) : unpackMatrix(bytes, out, inputs);
      rows = split(Float64Array.from(data), out);
      matrices.set(key, rows);
    }
    return rows;
  }
  function embedding(table: number, id: number, dModel: number): Row {
    if (format === "float32") return Float64Array.from(floats(table + id * dModel * 4, dModel));
    return Float64Array.from(unpackEmbeddingRow(new Uint8Array(memory.buffer, table), id, dModel));
  }

  /** Head norm, then RoPE where `pos` is given: one head (headDim). */
  function head(x: Row, norm: number, session: RecordOf<typeof sessionRecord>, pos: number | null): Row {
    const { headDim, rope } = session;
    const y = rmsNorm(x, floats(norm, headDim));
    if (pos === null) return y;
    const half = headDim / 2;
    const row = floats(rope + pos * headDim * 4, headDim);
    return y.map((_, i) =>
      i < half ? y[i] * row[i] - y[i + half] * row[i + half] : y[i] * row[i - half] + y[i - half] * row[i],
    );
  }

  function projectKv(
    sessionAt: number,
    blockAt: number,
    cacheAtBytes: number,
    x: Row[],
    pos: number,
    rotate: boolean,
  ): void {
    const session = record(sessionRecord, sessionAt);
    const { dModel, nKvHeads, headDim } = session;
    const block = record(blockRecord, blockAt);
    const cache = cacheAt(cacheAtBytes);
    const width = nKvHeads * headDim;
    for (const [t, row] of x.entries()) {
      const k = split(multiply(matrix(block.wk, width, dModel), row), nKvHeads);
      cache.k[pos + t] = join(k.map((y) => head(y, block.kNorm, session, rotate ? pos + t : null)));
      cache.v[pos + t] = multiply(matrix(block.wv, width, dModel), row);
    }
  }

  function attend(
    sessionAt: number,
    blockAt: number,
    cacheAtBytes: number,
    xAt: number,
    n: number,
    keysOf: (t: number) => number,
    pos: number | null,
    runs = 0,
  ): void {
    const session = record(sessionRecord, sessionAt);
    const { dModel, nHeads, nKvHeads, headDim } = session;
    const block = record(blockRecord, blockAt);
    const cache = cacheAt(cacheAtBytes);
    const gate = 1 / (1 + Math.exp(-floats(block.gate, 1)[0]));
    const further = runRecords(runs).map((at) => {
      const { k, v } = cacheAt(at);
      const { keys } = record(cacheRecord, at);
      return { k: k.slice(0, keys), v: v.slice(0, keys) };
    });
    for (let t = 0; t < n; t++) {
      const x = floats(xAt + t * dModel * 4, dModel);
      const normed = rmsNorm(Float64Array.from(x), floats(block.norm, dModel));
      const queries = split(multiply(matrix(block.wq, nHeads * headDim, dModel), normed), nHeads);
      const heads = queries.map((y, h) => {
        const q = head(y, block.qNorm, session, pos === null ? null : pos + t);
        const start = Math.floor((h * nKvHeads) / nHeads) * headDim;
        const own = { k: cache.k.slice(0, keysOf(t)), v: cache.v.slice(0, keysOf(t)) };
        const [k, v] = (["k", "v"] as const).map((name) => [own, ...further].flatMap((each) => each[name]));
        const scores = Float64Array.from(k, (key) => {
          return dot(q, key.subarray(start, start + headDim)) / Math.sqrt(headDim);
        });
        const most = scores.reduce((a, b) => Math.max(a, b));
        const e = scores.map((s) => Math.exp(s - most));
        const sum = e.reduce((a, b) => a + b);
        return q.map((_, i) => e.reduce((acc, w, j) => acc + (w / sum) * v[j][start + i], 0));
      });
      const out = multiply(matrix(block.wo, dModel, nHeads * headDim), join(heads));
      for (let i = 0; i < dModel; i++) x[i] += gate * out[i];
    }
  }

  function runRecords(runs: number): number[] {
    if (!runs) return [];
    const [count] = new Uint32Array(memory.buffer, runs, 1);
    return [...new Uint32Array(memory.buffer, runs + 4, count)];
  }

  /** Rows of x after a norm, or as they are. */
  function rows(xAt: number, n: number, dModel: number, norm: number): Row[] {
    return Array.from({ length: n }, (_, t) => {
      const x = Float64Array.from(floats(xAt + t * dModel * 4, dModel));
      return norm ? rmsNorm(x, floats(norm, dModel)) : x;
    });
  }

  return {
    wide: true,
    rope_table(sessionAt, positions, theta) {
      const { rope, headDim } = record(sessionRecord, sessionAt);
      const half = headDim / 2;
      const table = floats(rope, positions * headDim);
      for (let pos = 0; pos < positions; pos++) {
        for (let i = 0; i < half; i++) {
          const angle = pos / theta ** ((2 * i) / headDim);
          table[pos * headDim + i] = Math.cos(angle);
          table[pos * headDim + half + i] = Math.sin(angle);
        }
      }
    },
    embed(sessionAt, table, ids, n, x) {
      const { dModel, vocabSize } = record(sessionRecord, sessionAt);
      for (const [t, id] of new Uint32Array(memory.buffer, ids, n).entries()) {
        if (id >= vocabSize) throw new RangeError(`embed: expected an id below ${vocabSize}, got ${id}`);
        floats(x + t * dModel * 4, dModel).set(embedding(table, id, dModel).map((e) => e * Math.sqrt(dModel)));
      }
    },
    encoder_kv(session, block, cache, x, pos, n) {
      const { dModel } = record(sessionRecord, session);
      projectKv(session, block, cache, rows(x, n, dModel, record(blockRecord, block).norm), pos, true);
    },
    encoder_attend(session, block, cache, x, pos, n, keys, runs) {
      attend(session, block, cache, x, n, () => keys, pos, runs);
    },
    final_norm(session, norm, x, n) {
      const { dModel } = record(sessionRecord, session);
      for (const [t, row] of rows(x, n, dModel, norm).entries()) floats(x + t * dModel * 4, dModel).set(row);
    },
    cross_kv(session, block, cache, x, pos, n) {
      const { dModel } = record(sessionRecord, session);
      projectKv(session, block, cache, rows(x, n, dModel, 0), pos, false);
    },
    decoder_layer(session, self, selfCache, cross, crossCache, x, pos, n, keys, from, runs) {
      const { dModel } = record(sessionRecord, session);
      projectKv(session, self, selfCache, rows(x, n, dModel, record(blockRecord, self).norm), pos, true);
      const [last, start] = [x + 4 * from * dModel, pos + from];
      attend(session, self, selfCache, last, n - from, (t) => start + t + 1, start);
      attend(session, cross, crossCache, last, n - from, () => keys, null, runs);
    },
    logits(session, table, h, mask, out) {
      const { dModel, vocabSize } = record(sessionRecord, session);
      const [row] = rows(h, 1, dModel, 0);
      const result = floats(out, pad(vocabSize, 4)).fill(Number.NEGATIVE_INFINITY);
      const bits = mask ? new Uint32Array(memory.buffer, mask, pad(vocabSize, 32) / 32) : null;
      for (let id = 0; id < vocabSize; id++) {
        if (!bits || (bits[id >> 5] >>> (id & 31)) & 1) result[id] = dot(row, embedding(table, id, dModel));
      }
    },
    argmax(values, n, summary) {
      const row = floats(values, n);
      const order = Array.from(row.keys()).sort((a, b) => row[b] - row[a] || a - b);
      const [best, second] = order;
      const sum = row.reduce((total, value) => total + Math.exp(value - row[best]), 0);
      const view = new DataView(memory.buffer, summary, 16);
      view.setFloat32(0, row[best], true);
      view.setFloat32(4, row[second], true);
      view.setUint32(8, second, true);
      view.setFloat32(12, sum, true);
      return best;
    },
    contrastive(sessionAt, headAt, x, n, out) {
      const { dModel } = record(sessionRecord, sessionAt);
      const { hidden, bias, proj, hiddenDim, outDim } = record(headRecord, headAt);
      const states = rows(x, n, dModel, 0);
      const mean = states[0].map((_, i) => states.reduce((sum, state) => sum + state[i], 0) / n);
      const bias32 = floats(bias, hiddenDim);
      const h = multiply(matrix(hidden, hiddenDim, dModel), mean).map((v, i) => Math.max(0, v + bias32[i]));
      const y = multiply(matrix(proj, outDim, hiddenDim), h);
      floats(out, outDim).set(y.map((v) => v / Math.sqrt(dot(y, y) + 1e-12)));
    },
  };
}

/** Restores w = (nibble − 8) · scale · unit of a packed matrix: f32 (out, in). */
export function unpackMatrix(bytes: Uint8Array, out: number, inputs: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = pad(inputs, groupSize) / groupSize;
  const data = new Float32Array(out * inputs);
  for (let o = 0; o < out; o++) {
    for (let j = 0; j < inputs; j++) {
      const octet = Math.floor(o / outputTile) * octetBytes(inputs);
      const block = octet + Math.floor(j / groupSize) * blockBytes;
      const row = o % outputTile;
      const b = nibbleInputs.findIndex((pair) => (pair as readonly number[]).includes(j % 8));
      const byte = bytes[block + ((j % groupSize) >> 3) * runBytes + row * 4 + b];
      const n = nibbleInputs[b][0] === j % 8 ? byte & 15 : byte >> 4;
      const unit = view.getFloat32(octet + groups * blockBytes + 4 * row, true);
      data[o * inputs + j] = (n - 8) * bytes[block + 4 * runBytes + row] * unit;
    }
  }
  return data;
}

/** Restores one row of a packed embedding table: f32 (dModel). */
export function unpackEmbeddingRow(bytes: Uint8Array, id: number, dModel: number): Float32Array {
  const block = (id >> 2) * embeddingBlockBytes(dModel);
  const view = new DataView(bytes.buffer, bytes.byteOffset + block);
  const scale = view.getFloat32((id & 3) * 4, true);
  return Float32Array.from({ length: dModel }, (_, j) => view.getInt8(embeddingByte(id & 3, j)) * scale);
}

/** y = (1 + g) · x / √(mean(x²) + 1e-6). */
export function rmsNorm(x: Row, g: Float32Array): Row {
  const inverse = 1 / Math.sqrt(dot(x, x) / x.length + 1e-6);
  return x.map((v, i) => v * inverse * (1 + g[i]));
}

function dot(a: Row, b: Row): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function multiply(matrix: Row[], x: Row): Row {
  return Float64Array.from(matrix, (row) => dot(row, x));
}

function split(x: Row, parts: number): Row[] {
  const size = x.length / parts;
  return Array.from({ length: parts }, (_, i) => x.subarray(i * size, (i + 1) * size));
}

function join(rows: Row[]): Row {
  return Float64Array.from(rows.flatMap((row) => [...row]));
}
