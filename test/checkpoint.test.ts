/**
 * The checkpoint reader: three published formats give one record, and no input makes it run code, hang or lie.
 * Fixtures: fixtures/tiny.safetensors (format 2) and fixtures/checkpoint/*.pkl, written by Python (make.py there).
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { FormatError } from "../runtime/errors.ts";
import { type Attention, type Checkpoint, type Matrix, readCheckpoint } from "../tools/checkpoint/checkpoint.ts";
import { readPickle } from "../tools/checkpoint/pickle.ts";
import { readSafetensors } from "../tools/checkpoint/safetensors.ts";
import { ELEMENT } from "../tools/checkpoint/tensor.ts";

const FIXTURES = new URL("./fixtures/", import.meta.url);
const load = (name: string) => new Uint8Array(readFileSync(new URL(name, FIXTURES)));
const ascii = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

interface Stored {
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

/** Writes a safetensors file: the oracle's own few lines, so that the reader is not tested against itself. */
function writeSafetensors(tensors: Record<string, Stored>, metadata?: Record<string, string>): Uint8Array {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  return withHeader(JSON.stringify(header), ...Object.values(tensors).map(({ bytes }) => bytes));
}

function withHeader(json: string, ...data: Uint8Array[]): Uint8Array {
  const header = new TextEncoder().encode(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return new Uint8Array(Buffer.concat([length, header, ...data]));
}

const bytesOf = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
const f32 = (shape: number[], data: ArrayLike<number>): Stored => ({
  dtype: "F32",
  shape,
  bytes: bytesOf(Float32Array.from(data)),
});

/** Splits tiny.safetensors, all F32, by its own header. */
function tinyTensors(): Record<string, Stored> {
  const file = load("tiny.safetensors");
  const start = 8 + new DataView(file.buffer).getUint32(0, true);
  const { __metadata__: _, ...entries } = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
  return Object.fromEntries(
    Object.entries(entries as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => [name, { dtype, shape, bytes: file.slice(start + begin, start + end) }],
    ),
  );
}

const floats = ({ bytes }: Stored) => new Float32Array(bytes.slice().buffer);
const TINY = tinyTensors();
const TINY_CONFIG = {
  vocabSize: 96,
  dModel: 64,
  nHeads: 4,
  nKvHeads: 2,
  nEncoderLayers: 2,
  nDecoderLayers: 2,
  ropeTheta: 10000,
  contrastiveDim: 16,
};
const tiny = () => readCheckpoint(load("tiny.safetensors"), "tiny.safetensors");

const blocks = ({ encoder, decoder }: Checkpoint): Attention[] => [
  ...encoder,
  ...decoder.flatMap(({ self, cross }) => [self, cross]),
];
const kernels = (checkpoint: Checkpoint): Matrix[] => blocks(checkpoint).flatMap(({ q, k, v, o }) => [q, k, v, o]);

/** Reads and returns the FormatError that must come. */
function refusal(read: () => unknown): FormatError {
  try {
    read();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error("expected a FormatError, got none");
}

describe("a number", () => {
  const read = (dtype: "F16" | "BF16", bits: number) => ELEMENT[dtype](new DataView(Uint16Array.of(bits).buffer), 0);

  test("a half is exactly what IEEE 754 says, at ±0, subnormals, the largest, ∞ and NaN", () => {
    const halves: [number, number][] = [
      [0x0000, 0],
      [0x8000, -0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0xbc00, -1],
      [0x7bff, 65504],
      [0xfc00, -Infinity],
      [0x7e00, NaN],
    ];
    for (const [bits, value] of halves) expect(read("F16", bits)).toBe(value);
  });

  test("a bfloat16 is the upper half of a float32", () => {
    for (const bits of [0, 0x8000, 0x3f80, 0xc049, 0x0001, 0x7f7f, 0xff80])
      expect(read("BF16", bits)).toBe(new Float32Array(Uint32Array.of(bits << 16).buffer)[0]);
  });
});

describe("safetensors", () => {
  test("tiny.safetensors reads with its geometry and every array in its place", () => {
    const { config, embedding, encoder, decoder, encoderNorm, decoderNorm, contrastive, metadata } = tiny();
    expect(config).toEqual(TINY_CONFIG);
    expect(metadata).toEqual({ note: "random weights, made for conformance tests" });
    const places: [string, ArrayLike<number>][] = [
      ["model.embed_tokens.weight", embedding.data],
      ["model.encoder.final_norm.weight", encoderNorm],
      ["model.decoder.norm.weight", decoderNorm],
      ["contrastive_hidden.weight", contrastive!.hidden.data],
      ["contrastive_hidden.bias", contrastive!.bias],
      ["contrastive_proj.weight", contrastive!.proj.data],
    ];
    const block = (layer: string, attention: string, norm: string, gate: string, of: Attention) => {
      for (const p of ["q", "k", "v"] as const) places.push([`${layer}.${attention}.${p}_proj.weight`, of[p].data]);
      places.push([`${layer}.${attention}.out_proj.weight`, of.o.data], [`${layer}.${norm}.weight`, of.norm]);
      places.push([`${layer}.${attention}.q_norm.weight`, of.qNorm], [`${layer}.${attention}.k_norm.weight`, of.kNorm]);
      places.push([`${layer}.${gate}`, [of.gate]]);
    };
    for (const i of [0, 1]) {
      block(`model.encoder.layers.${i}`, "self_attn", "input_layernorm", "attn_gate", encoder[i]);
      block(`model.decoder.layers.${i}`, "self_attn", "input_layernorm", "self_attn_gate", decoder[i].self);
      block(
        `model.decoder.layers.${i}`,
        "encoder_attn",
        "encoder_attn_layer_norm",
        "cross_attn_gate",
        decoder[i].cross,
      );
    }
    expect(places.map(([name]) => name).sort()).toEqual(Object.keys(TINY).sort());
    for (const [name, data] of places) expect(Array.from(data)).toEqual(Array.from(floats(TINY[name])));
    expect([encoder[0].k.out, encoder[0].k.in]).toEqual([32, 64]);
  });

  /** Rounds to nearest, ties to even, as the halves of the file would be written. */
  const narrow = {
    BF16: (value: number) => {
      const bits = new Uint32Array(Float32Array.of(value).buffer)[0];
      return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
    },
    F16: (value: number) => {
      const size = Math.abs(value);
      const exponent = Math.max(Math.floor(Math.log2(size || 2 ** -30)), -14);
      const steps = size / 2 ** (exponent - 10);
      const even = Math.round(steps) - (steps % 1 === 0.5 && Math.round(steps) % 2 ? 1 : 0);
      return (value < 0 ? 0x8000 : 0) | ((exponent + 14) * 1024 + even);
    },
  };

  test.each([
    ["BF16", 2 ** -8],
    ["F16", 2 ** -11],
  ] as const)("a %s file of the tiny network gives its floats within %d of their size", (dtype, bound) => {
    const file = writeSafetensors(
      Object.fromEntries(
        Object.entries(TINY).map(([name, tensor]) => [
          name,
          { dtype, shape: tensor.shape, bytes: bytesOf(Uint16Array.from(floats(tensor), narrow[dtype])) },
        ]),
      ),
    );
    const read = readCheckpoint(file, "narrow.safetensors");
    const wanted = kernels(tiny());
    kernels(read).forEach(({ data }, i) => {
      data.forEach((value, j) => {
        const exact = wanted[i].data[j];
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.max(bound * Math.abs(exact), 2 ** -25));
      });
    });
  });

  test("without a config in the metadata, the shapes give the whole geometry", () => {
    const { config } = readCheckpoint(writeSafetensors(TINY, { format: "pt" }), "model.safetensors");
    expect(config).toEqual(TINY_CONFIG);
  });

  test("a Buffer at an odd address reads as a fresh Uint8Array does", () => {
    const padded = Buffer.concat([Buffer.alloc(3), readFileSync(new URL("tiny.safetensors", FIXTURES))]);
    expect(readCheckpoint(padded.subarray(3), "tiny.safetensors")).toEqual(tiny());
  });

  test("lm_head and log_temp are dropped; a tensor that Needle v1 does not know is refused", () => {
    const known = { ...TINY, "lm_head.weight": TINY["model.embed_tokens.weight"], log_temp: f32([], [0]) };
    expect(readCheckpoint(writeSafetensors(known), "a").embedding).toEqual(tiny().embedding);
    const feedForward = { ...TINY, "model.encoder.layers.0.fc1.weight": f32([1], [0]) };
    expect(refusal(() => readCheckpoint(writeSafetensors(feedForward), "a")).path).toBe(
      "model.encoder.layers.0.fc1.weight",
    );
  });

  test("a file without the contrastive head has contrastiveDim 0, whatever its config says", () => {
    const rest = Object.fromEntries(Object.entries(TINY).filter(([name]) => !name.startsWith("contrastive")));
    const read = readCheckpoint(writeSafetensors(rest, { config: '{"contrastive_dim":128}' }), "a");
    expect(read.config.contrastiveDim).toBe(0);
    expect(read.contrastive).toBeUndefined();
  });

  test("a misshapen tensor, a missing one and a false config are named, with what was expected", () => {
    const q = "model.decoder.layers.1.self_attn.q_proj.weight";
    const misshapen = { ...TINY, [q]: f32([64, 32], new Float32Array(64 * 32)) };
    expect(refusal(() => readCheckpoint(writeSafetensors(misshapen), "a")).message).toStartWith(
      `${q}: expected shape [64, 64], got [64, 32]; is this a Needle v1 checkpoint?`,
    );
    const { [q]: _, ...without } = TINY;
    expect(refusal(() => readCheckpoint(writeSafetensors(without), "w.safetensors")).message).toBe(
      `${q}: expected this tensor in w.safetensors, got none; is this a Needle v1 checkpoint?`,
    );
    const configs: [string, string][] = [
      [
        '{"d_model":"wide"}',
        'config.d_model: expected a whole number from 1, got "wide"; is this a Needle v1 checkpoint?',
      ],
      [
        '{"num_encoder_layers":3}',
        "model.encoder.layers.2.self_attn.q_proj.weight: expected this tensor in a, got none",
      ],
      [
        '{"num_encoder_layers":1}',
        "model.encoder.layers.1.input_layernorm.weight: expected only the tensors of Needle v1",
      ],
      ['{"num_kv_heads":3}', "config.num_heads: expected an even dModel / nHeads and nHeads a multiple of nKvHeads"],
      ['{"vocab_size":1e15}', "model.embed_tokens.weight: expected shape [1000000000000000, 64], got [96, 64]"],
      ["[", "__metadata__.config: expected a JSON object"],
    ];
    for (const [config, message] of configs)
      expect(refusal(() => readCheckpoint(writeSafetensors(TINY, { config }), "a")).message).toStartWith(message);
  });

  const entry = (dtype: string, shape: string, begin: number, end: number) =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

  test.each([
    ["no JSON", '{"a":', "expected a JSON object as header"],
    ["a header nested without end", `{"a":${"[".repeat(300_000)}`, "expected a JSON object as header"],
    ["an unknown dtype", `{"a":${entry("Q9", "[2]", 0, 8)}}`, "a: expected a dtype of"],
    ["a dtype from the prototype", `{"a":${entry("toString", "[2]", 0, 8)}}`, "a: expected a dtype of"],
    ["a range out of the file", `{"a":${entry("F32", "[4]", 0, 16)}}`, "a: expected data_offsets within 8 bytes"],
    ["a range backwards", `{"a":${entry("F32", "[0]", 8, 0)}}`, "a: expected data_offsets"],
    ["a negative offset", `{"a":${entry("F32", "[2]", -8, 0)}}`, "a: expected two data_offsets"],
    ["a fractional size", `{"a":${entry("F32", "[0.5]", 0, 2)}}`, "a: expected shape to list sizes"],
    ["a volume beyond 2^53", `{"a":${entry("F32", "[4294967296,4294967296,0]", 0, 8)}}`, "a: expected"],
    ["too few bytes", `{"a":${entry("F32", "[3]", 0, 8)}}`, "a: expected 12 bytes for F32 [3], got 8"],
    [
      "an overlap",
      `{"a":${entry("F32", "[2]", 0, 8)},"b":${entry("F32", "[1]", 4, 8)}}`,
      "b: expected data to begin at 8",
    ],
    ["a hole", `{"a":${entry("F32", "[1]", 4, 8)}}`, "a: expected data to begin at 0, got 4"],
    ["bytes nobody owns", `{"a":${entry("F32", "[1]", 0, 4)}}`, "f: expected 4 bytes of tensors, got 8"],
    ["metadata of numbers", '{"__metadata__":{"a":1}}', "f: expected __metadata__ to map strings to strings"],
  ])("a header with %s is refused", (_, json, message) => {
    expect(refusal(() => readSafetensors(withHeader(json, new Uint8Array(8)), "f")).message).toContain(message);
  });

  test("a header length beyond the file is refused before anything is allocated", () => {
    for (const high of [0, 0xff]) {
      const file = withHeader("{}");
      file.set([0xff, 0xff, 0xff, 0xff, high, high, high, high]);
      expect(() => readSafetensors(file, "f")).toThrow(FormatError);
    }
  });

  test("every cut of a safetensors file is refused, at each byte of the header and after", () => {
    const file = load("tiny.safetensors");
    const header = 8 + new DataView(file.buffer).getUint32(0, true);
    for (let cut = 0; cut < header + 8; cut++) refusal(() => readCheckpoint(file.subarray(0, cut), "cut"));
    for (let cut = header; cut < file.length; cut += 4099) refusal(() => readCheckpoint(file.subarray(0, cut), "cut"));
  });

  test("other files are told apart by content, and named", () => {
    const files: [string, string][] = [
      ["PK\x03\x04rest of a zip", "a zip archive"],
      ["version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"],
      ["<!DOCTYPE html>", "a web page"],
      ["", '""'],
    ];
    for (const [text, name] of files)
      expect(refusal(() => readCheckpoint(ascii(text), "model.safetensors")).message).toContain(name);
  });
});

describe("needle-rs int4", () => {
  /** Quantises a kernel (out, in) as needle-rs writes it: packed (in/2, out), scale (in/32, out). */
  function quantise(data: Float32Array, out: number, width: number) {
    const scale = new Float32Array((width / 32) * out);
    const q = new Int8Array(out * width);
    for (let o = 0; o < out; o++)
      for (let g = 0; g < width / 32; g++) {
        const group = data.subarray(o * width + g * 32, o * width + g * 32 + 32);
        scale[g * out + o] = Math.max(...group.map(Math.abs)) / 7;
        group.forEach((w, i) => {
          q[o * width + g * 32 + i] = Math.max(-8, Math.min(7, Math.round(w / scale[g * out + o])));
        });
      }
    const packed = Uint8Array.from({ length: (width / 2) * out }, (_, at) => {
      const from = (at % out) * width + 2 * Math.floor(at / out);
      return (q[from] & 15) | ((q[from + 1] & 15) << 4);
    });
    return { scale, q, packed };
  }

  /** Writes a checkpoint under the names of needle-rs. */
  function write(from: Checkpoint, dtype: string, metadata: Record<string, string>): Uint8Array {
    const tensors: Record<string, Stored> = {};
    const vector = (name: string, data: ArrayLike<number>) => {
      tensors[name] = f32([data.length], data);
    };
    const transposed = (name: string, { data, out, in: width }: Matrix) => {
      tensors[name] = f32(
        [width, out],
        Float32Array.from(data, (_, at) => data[(at % out) * width + Math.floor(at / out)]),
      );
    };
    const attention = (name: string, norm: string, gate: string, of: Attention) => {
      for (const p of ["q", "k", "v", "o"] as const) {
        const { out, in: width, data } = of[p];
        const { scale, packed } = quantise(data, out, width);
        tensors[`${name}.w${p}`] = { dtype, shape: [width / 2, out], bytes: packed };
        tensors[`${name}.w${p}.scale`] = f32([width / 32, out], scale);
      }
      vector(`${name}.q_norm`, of.qNorm);
      vector(`${name}.k_norm`, of.kNorm);
      vector(norm, of.norm);
      vector(gate, [of.gate]);
    };
    tensors.embedding = f32([from.embedding.out, from.embedding.in], from.embedding.data);
    from.encoder.forEach((of, i) => {
      attention(`encoder.${i}.self_attn`, `encoder.${i}.norm`, `encoder.${i}.self_attn_gate`, of);
    });
    from.decoder.forEach(({ self, cross }, i) => {
      attention(`decoder.${i}.self_attn`, `decoder.${i}.self_attn_norm`, `decoder.${i}.self_attn_gate`, self);
      attention(`decoder.${i}.cross_attn`, `decoder.${i}.cross_attn_norm`, `decoder.${i}.cross_attn_gate`, cross);
    });
    vector("encoder_final_norm", from.encoderNorm);
    vector("decoder_final_norm", from.decoderNorm);
    if (from.contrastive) {
      transposed("contrastive_hidden_kernel", from.contrastive.hidden);
      vector("contrastive_hidden_bias", from.contrastive.bias);
      transposed("contrastive_proj_kernel", from.contrastive.proj);
    }
    return writeSafetensors(tensors, metadata);
  }

  // The keys and the Python spelling of the values are those of tools/export.py.
  const METADATA = {
    d_model: "64",
    num_heads: "4",
    num_kv_heads: "2",
    num_encoder_layers: "2",
    num_decoder_layers: "2",
    vocab_size: "96",
    no_feedforward: "True",
    rope_theta: "10000.0",
  };

  test.each(["I4", "U8"])("the tiny network in %s keeps its nibbles and stays within half a scale", (dtype) => {
    const wanted = tiny();
    const read = readCheckpoint(write(wanted, dtype, METADATA), "needle.safetensors");
    expect(read.config).toEqual(TINY_CONFIG);
    expect(read.embedding).toEqual(wanted.embedding);
    expect(read.contrastive).toEqual(wanted.contrastive);
    expect([read.encoderNorm, read.decoderNorm]).toEqual([wanted.encoderNorm, wanted.decoderNorm]);
    const rest = (checkpoint: Checkpoint) =>
      blocks(checkpoint).map(({ qNorm, kNorm, norm, gate }) => [qNorm, kNorm, norm, gate]);
    expect(rest(read)).toEqual(rest(wanted));
    kernels(read).forEach(({ data, out, in: width, q4 }, n) => {
      const exact = kernels(wanted)[n].data;
      const { q, scale } = quantise(exact, out, width);
      expect(q4!.nibbles).toEqual(q);
      data.forEach((w, at) => {
        const group = Math.floor((at % width) / 32);
        const size = q4!.scales[Math.floor(at / width) * (width / 32) + group];
        expect(size).toBe(scale[group * out + Math.floor(at / width)]);
        expect(w).toBe(Math.fround(q[at] * size));
        expect(Math.abs(w - exact[at])).toBeLessThanOrEqual(0.5001 * size);
      });
    });
  });

  test.each([-0.5, Number.NaN])("a scale of %p is refused, naming its tensor", (size) => {
    const file = write(tiny(), "I4", METADATA);
    const { tensors } = readSafetensors(file, "f");
    const { bytes } = tensors.get("encoder.0.self_attn.wq.scale")!;
    new DataView(bytes.buffer, bytes.byteOffset).setFloat32(0, size, true);
    expect(() => readCheckpoint(file, "f")).toThrow(
      `encoder.0.self_attn.wq.scale: expected finite scales of at least 0, got ${size}; quantise the checkpoint again`,
    );
  });

  test("the low nibble is the even input row, the high one the odd, both two’s complement", () => {
    const file = write(tiny(), "I4", METADATA);
    const { tensors } = readSafetensors(file, "f");
    tensors.get("encoder.0.self_attn.wq")!.bytes[0] = 0x7f; // row 0: 15 is -1; row 1: 7
    tensors.get("encoder.0.self_attn.wq")!.bytes[64] = 0x98; // row 2: 8 is -8; row 3: 9 is -7
    const { nibbles } = readCheckpoint(file, "f").encoder[0].q.q4!;
    expect(Array.from(nibbles.subarray(0, 4))).toEqual([-1, 7, -8, -7]);
  });

  test("without metadata or contrastive head the shapes give the geometry", () => {
    const { contrastive: _, ...headless } = tiny();
    const { config } = readCheckpoint(write(headless, "I4", {}), "needle.safetensors");
    expect(config).toEqual({ ...TINY_CONFIG, contrastiveDim: 0 });
  });

  test("n_heads and n_kv_heads are understood as aliases", () => {
    const { num_heads, num_kv_heads, ...rest } = METADATA;
    const aliased = { ...rest, n_heads: num_heads, n_kv_heads: num_kv_heads };
    expect(readCheckpoint(write(tiny(), "I4", aliased), "needle.safetensors").config).toEqual(TINY_CONFIG);
  });

  test("a kernel that lost its scale, or has the wrong type beside it, is named", () => {
    const file = (change: (tensors: Record<string, Stored>) => void) => {
      const { tensors } = readSafetensors(write(tiny(), "I4", METADATA), "f");
      const kept: Record<string, Stored> = Object.fromEntries(tensors);
      change(kept);
      return writeSafetensors(kept, METADATA);
    };
    const lost = file((tensors) => delete tensors["decoder.1.cross_attn.wv.scale"]);
    expect(refusal(() => readCheckpoint(lost, "f")).path).toBe("decoder.1.cross_attn.wv");
    const wide = file((tensors) => {
      tensors["encoder.0.self_attn.wq"] = f32([32, 64], new Float32Array(32 * 64));
    });
    expect(refusal(() => readCheckpoint(wide, "f")).message).toStartWith(
      "encoder.0.self_attn.wq: expected I4 or U8 beside encoder.0.self_attn.wq.scale, got F32",
    );
  });
});

describe("pickle", () => {
  const PICKLES = readdirSync(new URL("checkpoint/", FIXTURES)).filter((name) => /^p\d.*\.pkl$/.test(name));
  const {
    config: CONFIG,
    denominator,
    arrays,
  } = JSON.parse(readFileSync(new URL("checkpoint/expected.json", FIXTURES), "utf8")) as {
    config: Record<string, number>;
    denominator: number;
    arrays: Record<string, { shape: number[]; int8: string }>;
  };

  /** One layer of an expected array, flat; kernels turned from [in, out] to [out, in]. */
  function expected(name: string, layer?: number): Float32Array {
    const { shape, int8 } = arrays[name];
    const all = Float32Array.from(new Int8Array(Buffer.from(int8, "base64")), (value) => value / denominator);
    const one =
      layer === undefined ? all : all.subarray((layer * all.length) / shape[0], ((layer + 1) * all.length) / shape[0]);
    if (!name.endsWith(".kernel")) return one.slice();
    const [width, out] = shape.slice(-2);
    return one.map((_, at) => one[(at % width) * out + Math.floor(at / width)]);
  }

  function expectedAttention(root: string, part: string, norm: string, gate: string, layer: number) {
    const { d_model: d, num_heads, num_kv_heads } = CONFIG;
    const kernel = (name: string, out: number) => ({
      out,
      in: d,
      data: expected(`${root}.${part}.${name}.kernel`, layer),
    });
    return {
      q: kernel("q_proj", d),
      k: kernel("k_proj", (d / num_heads) * num_kv_heads),
      v: kernel("v_proj", (d / num_heads) * num_kv_heads),
      o: kernel("out_proj", d),
      qNorm: expected(`${root}.${part}.q_norm.scale`, layer),
      kNorm: expected(`${root}.${part}.k_norm.scale`, layer),
      norm: expected(`${root}.${norm}.scale`, layer),
      gate: expected(`${root}.${gate}`, layer)[0],
    };
  }

  function expectedCheckpoint(): Omit<Checkpoint, "metadata"> {
    const enc = "encoder.layers.EncoderBlock_0";
    const dec = "decoder.layers.DecoderBlock_0";
    const range = (count: number) => Array.from({ length: count }, (_, i) => i);
    return {
      config: {
        vocabSize: CONFIG.vocab_size,
        dModel: CONFIG.d_model,
        nHeads: CONFIG.num_heads,
        nKvHeads: CONFIG.num_kv_heads,
        nEncoderLayers: CONFIG.num_encoder_layers,
        nDecoderLayers: CONFIG.num_decoder_layers,
        ropeTheta: 10000,
        contrastiveDim: 16,
      },
      embedding: { out: CONFIG.vocab_size, in: CONFIG.d_model, data: expected("embedding.embedding") },
      encoder: range(CONFIG.num_encoder_layers).map((i) =>
        expectedAttention(enc, "self_attn", "ZCRMSNorm_0", "attn_gate", i),
      ),
      encoderNorm: expected("encoder.final_norm.scale"),
      decoder: range(CONFIG.num_decoder_layers).map((i) => ({
        self: expectedAttention(dec, "self_attn", "ZCRMSNorm_0", "self_attn_gate", i),
        cross: expectedAttention(dec, "cross_attn", "ZCRMSNorm_1", "cross_attn_gate", i),
      })),
      decoderNorm: expected("decoder.ZCRMSNorm_0.scale"),
      contrastive: {
        hidden: { out: 8, in: CONFIG.d_model, data: expected("contrastive_hidden.kernel") },
        bias: expected("contrastive_hidden.bias"),
        proj: { out: 16, in: 8, data: expected("contrastive_proj.kernel") },
      },
    };
  }

  test("every writer is among the fixtures: protocols 0, 2, 4, 5, numpy 1 and 2, JAX, each order", () => {
    expect(PICKLES.length).toBe(9);
  });

  test.each(PICKLES)("%s gives exactly the weights that Python wrote", (name) => {
    const { metadata, ...read } = readCheckpoint(load(`checkpoint/${name}`), name);
    expect(read).toEqual(expectedCheckpoint());
    expect(metadata).toEqual(name.includes("numpy1") ? { pretrain_step: "7" } : ({} as typeof metadata));
  });

  const MARKER = "/tmp/thimble-pickle-ran";
  test.each([
    ["os.system, protocol 0", `cos\nsystem\n(Vtouch ${MARKER}\ntR.`, "os.system", 0],
    ["posix.system, protocol 4", `\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.`, "posix.system", 17],
    ["builtins.eval", "\x80\x02cbuiltins\neval\n.", "builtins.eval", 2],
    ["numpy beyond the list", "\x80\x02cnumpy.f2py\ncompile\n.", "numpy.f2py.compile", 2],
    ["an instance", "(ios\nsystem\n.", "os.system", 1],
  ])("%s is refused by name and offset, and nothing runs", (_, pickle, name, offset) => {
    const error = refusal(() => readPickle(ascii(pickle), "bad.pkl"));
    expect(error.message).toContain(name);
    expect(error.message).toContain("this reader executes nothing");
    expect(error.offset).toBe(offset);
    // As the first bytes of a file, both inside a dict and not.
    expect(() => readCheckpoint(ascii(`(${pickle}`), "bad.pkl")).toThrow(FormatError);
    expect(existsSync(MARKER)).toBe(false);
  });

  test.each([
    ["a call of a plain value", ")K\x01)R.", "a call of something else"],
    ["an out-of-band buffer", "\x80\x05\x97.", "save it without buffer_callback"],
    ["a later protocol", "\x80\x06.", "pickle protocol 0 to 5, got 6"],
    ["persistent ids", "Pid\n.", "opcode 0x50"],
    ["a pop below the mark", "]N(a.", "expected a value on the stack"],
    ["a memo never set", "h\x07.", "expected memo 7 to be set"],
    ["a tuple without mark", "Nt.", "expected a MARK"],
    ["pairs out of step", "}(Nu.", "pairs of key and value"],
    ["state for nothing", "N)b.", "expected state for an array"],
    ["bytes of 2^63", "\x80\x04\x8e\x00\x00\x00\x00\x00\x00\x00\x80.", "more bytes, got 1"],
    ["text of 2 GB", "X\x00\x00\x00\x80.", "more bytes, got 1"],
    ["a number of 2^31 bytes", "\x8b\x00\x00\x00\x80.", "a number of at most 8 bytes"],
    ["text that is no UTF-8", "\x8c\x01\xff.", "expected text in UTF-8"],
    ["big-endian numbers", "cnumpy\ndtype\n(Vf4\ntR(K\x03V>\ntb.", "expected little-endian numbers, got order >"],
    ["an array of strings", "cnumpy\ndtype\n(VU8\ntR.", "expected a dtype of"],
  ])("%s is refused", (_, pickle, message) => {
    expect(refusal(() => readPickle(ascii(pickle), "bad.pkl")).message).toContain(message);
  });

  /** A checkpoint whose params are made by `opcodes`. */
  const withParams = (opcodes: string) => ascii(`}(Vparams\n${opcodes}Vconfig\n}u.`);

  test("a dict that holds itself, or four times each of eleven others, ends in an error", () => {
    const loop = withParams("}q\x00Va\nh\x00s");
    expect(refusal(() => readCheckpoint(loop, "loop.pkl")).message).toContain("12 deep, got more");
    // Dict i, memo i, maps a to d to dict i - 1: 4^11 leaves in 300 bytes. POP leaves the last one on the stack.
    const memo = (i: number) => String.fromCharCode(i);
    const dicts = Array.from(
      { length: 11 },
      (_, i) => `0}q${memo(i + 1)}(${[..."abcd"].map((key) => `V${key}\nh${memo(i)}`).join("")}u`,
    );
    expect(refusal(() => readCheckpoint(withParams(`}q\x00${dicts.join("")}`), "wide.pkl")).message).toContain(
      "got more",
    );
  });

  test("lists that hold each other twice over are never printed, wherever a name or a number belongs", () => {
    const memo = (i: number) => String.fromCharCode(i);
    const lists = `]q\x00${Array.from({ length: 60 }, (_, i) => `0]q${memo(i + 1)}(h${memo(i)}h${memo(i)}e`).join("")}`;
    const asKey = withParams(`}${lists}Ns`);
    const asConfigKey = ascii(`}(Vparams\n}Vconfig\n}${lists}K\x01su.`);
    for (const file of [asKey, asConfigKey]) refusal(() => readCheckpoint(file, "wide.pkl"));
    refusal(() => readPickle(ascii(`cnumpy\ndtype\n(${lists}tR.`), "wide.pkl"));
    const float = "cnumpy\ndtype\n(Vf4\ntR";
    refusal(() => readPickle(ascii(`${float}(K\x03${lists}tb.`), "wide.pkl"));
    refusal(() =>
      readPickle(ascii(`cnumpy.core.numeric\n_frombuffer\n(C\x04aaaa${float}(${lists}tVC\ntR.`), "wide.pkl"),
    );
  });

  test("a text encoded over and over is refused before memory fills", () => {
    const once = `c_codecs\nencode\nq\x00X\x00\x00\x01\x00${"a".repeat(65536)}q\x01Vlatin1\nq\x02\x86R`;
    const again = "0h\x00h\x01h\x02\x86R".repeat(1000);
    expect(refusal(() => readPickle(ascii(`${once}${again}.`), "bomb.pkl")).message).toContain("decoded over and over");
  });

  test("an array whose bytes do not fill its shape is refused", () => {
    const file = load("checkpoint/p4-f16.pkl");
    const at = Buffer.from(file).indexOf(Uint8Array.of(0x4b, 24, 0x4b, 32, 0x86)); // BININT1 24, BININT1 32, TUPLE2
    file[at + 1] = 25;
    expect(refusal(() => readCheckpoint(file, "p4.pkl")).message).toContain(
      "expected 1600 bytes for F16 [25, 32], got 1536",
    );
  });

  test.each(["small-p0.pkl", "small-p2.pkl", "small-p4.pkl", "small-p5.pkl"])("every cut of %s is refused", (name) => {
    const file = load(`checkpoint/${name}`);
    expect(readPickle(file, name)).toBeInstanceOf(Map);
    for (let cut = 0; cut < file.length; cut++) refusal(() => readPickle(file.subarray(0, cut), "cut.pkl"));
  });

  test("a whole checkpoint cut anywhere is refused, tried every 61 bytes", () => {
    const file = load("checkpoint/p4-f16.pkl");
    for (let cut = 0; cut < file.length; cut += 61) refusal(() => readCheckpoint(file.subarray(0, cut), "cut.pkl"));
  });
});

describe("damage", () => {
  /** xorshift32, so that a failure can be repeated. */
  function random(seed: number) {
    let state = seed;
    return (below: number) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % below;
    };
  }

  test.each([
    "tiny.safetensors",
    "checkpoint/p0-f16.pkl",
    "checkpoint/p2-f16-fortran.pkl",
    "checkpoint/p4-bf16-jax.pkl",
    "checkpoint/p5-mixed.pkl",
  ])("flipped bytes in %s never hang, and throw nothing but FormatError or RangeError", (name) => {
    const file = load(name);
    const pick = random(2026);
    // Flips in the numbers change only numbers: aim most of them at the header, or at the opcodes between arrays.
    const reach = name.endsWith(".safetensors") ? 6500 : file.length;
    for (let round = 0; round < 400; round++) {
      const damaged = file.slice();
      for (let flips = 1 + pick(4); flips > 0; flips--) damaged[pick(pick(4) ? reach : file.length)] ^= 1 << pick(8);
      try {
        readCheckpoint(damaged, name);
      } catch (error) {
        if (!(error instanceof FormatError || error instanceof RangeError)) throw error;
      }
    }
  });
});
