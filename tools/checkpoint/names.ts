/**
 * What each published format calls the same thirty-odd arrays, one table each; `#` stands for the layer number.
 * Sources: spec/needle-v1.md, "Published weight files to read"; for (3) tools/export.py of needle-rs at 23a638b.
 */

/** The arrays of one attention block: four kernels, the two per-head norms, the norm before it, the gate after it. */
export interface AttentionNames {
  q: string;
  k: string;
  v: string;
  o: string;
  qNorm: string;
  kNorm: string;
  norm: string;
  gate: string;
}

export interface Names {
  embedding: string;
  encoder: AttentionNames;
  encoderNorm: string;
  self: AttentionNames;
  cross: AttentionNames;
  decoderNorm: string;
  /** The contrastive head: Dense with bias, then Dense. */
  hidden: string;
  bias: string;
  proj: string;
}

export interface Format {
  names: Names;
  /** Layers lie on axis 0 of one array; else each layer has arrays of its own. */
  stacked: boolean;
  /** Kernels lie [in, out]; else [out, in]. The embedding is [vocab, dModel] in every format. */
  transposed: boolean;
  /** Arrays we know and do not need: a copy of the embedding, the training temperature. */
  ignored: readonly string[];
}

/** (1) The original checkpoint: a JAX parameter tree in a pickle, its keys joined with dots. */
export const ORIGINAL: Format = {
  stacked: true,
  transposed: true,
  ignored: ["log_temp"],
  names: {
    embedding: "embedding.embedding",
    encoder: {
      q: "encoder.layers.EncoderBlock_0.self_attn.q_proj.kernel",
      k: "encoder.layers.EncoderBlock_0.self_attn.k_proj.kernel",
      v: "encoder.layers.EncoderBlock_0.self_attn.v_proj.kernel",
      o: "encoder.layers.EncoderBlock_0.self_attn.out_proj.kernel",
      qNorm: "encoder.layers.EncoderBlock_0.self_attn.q_norm.scale",
      kNorm: "encoder.layers.EncoderBlock_0.self_attn.k_norm.scale",
      norm: "encoder.layers.EncoderBlock_0.ZCRMSNorm_0.scale",
      gate: "encoder.layers.EncoderBlock_0.attn_gate",
    },
    encoderNorm: "encoder.final_norm.scale",
    self: {
      q: "decoder.layers.DecoderBlock_0.self_attn.q_proj.kernel",
      k: "decoder.layers.DecoderBlock_0.self_attn.k_proj.kernel",
      v: "decoder.layers.DecoderBlock_0.self_attn.v_proj.kernel",
      o: "decoder.layers.DecoderBlock_0.self_attn.out_proj.kernel",
      qNorm: "decoder.layers.DecoderBlock_0.self_attn.q_norm.scale",
      kNorm: "decoder.layers.DecoderBlock_0.self_attn.k_norm.scale",
      norm: "decoder.layers.DecoderBlock_0.ZCRMSNorm_0.scale",
      gate: "decoder.layers.DecoderBlock_0.self_attn_gate",
    },
    cross: {
      q: "decoder.layers.DecoderBlock_0.cross_attn.q_proj.kernel",
      k: "decoder.layers.DecoderBlock_0.cross_attn.k_proj.kernel",
      v: "decoder.layers.DecoderBlock_0.cross_attn.v_proj.kernel",
      o: "decoder.layers.DecoderBlock_0.cross_attn.out_proj.kernel",
      qNorm: "decoder.layers.DecoderBlock_0.cross_attn.q_norm.scale",
      kNorm: "decoder.layers.DecoderBlock_0.cross_attn.k_norm.scale",
      norm: "decoder.layers.DecoderBlock_0.ZCRMSNorm_1.scale",
      gate: "decoder.layers.DecoderBlock_0.cross_attn_gate",
    },
    decoderNorm: "decoder.ZCRMSNorm_0.scale",
    hidden: "contrastive_hidden.kernel",
    bias: "contrastive_hidden.bias",
    proj: "contrastive_proj.kernel",
  },
};

/** (2) `model.safetensors`; our own files use these names too. */
export const SAFETENSORS: Format = {
  stacked: false,
  transposed: false,
  ignored: ["lm_head.weight", "log_temp"],
  names: {
    embedding: "model.embed_tokens.weight",
    encoder: {
      q: "model.encoder.layers.#.self_attn.q_proj.weight",
      k: "model.encoder.layers.#.self_attn.k_proj.weight",
      v: "model.encoder.layers.#.self_attn.v_proj.weight",
      o: "model.encoder.layers.#.self_attn.out_proj.weight",
      qNorm: "model.encoder.layers.#.self_attn.q_norm.weight",
      kNorm: "model.encoder.layers.#.self_attn.k_norm.weight",
      norm: "model.encoder.layers.#.input_layernorm.weight",
      gate: "model.encoder.layers.#.attn_gate",
    },
    encoderNorm: "model.encoder.final_norm.weight",
    self: {
      q: "model.decoder.layers.#.self_attn.q_proj.weight",
      k: "model.decoder.layers.#.self_attn.k_proj.weight",
      v: "model.decoder.layers.#.self_attn.v_proj.weight",
      o: "model.decoder.layers.#.self_attn.out_proj.weight",
      qNorm: "model.decoder.layers.#.self_attn.q_norm.weight",
      kNorm: "model.decoder.layers.#.self_attn.k_norm.weight",
      norm: "model.decoder.layers.#.input_layernorm.weight",
      gate: "model.decoder.layers.#.self_attn_gate",
    },
    cross: {
      q: "model.decoder.layers.#.encoder_attn.q_proj.weight",
      k: "model.decoder.layers.#.encoder_attn.k_proj.weight",
      v: "model.decoder.layers.#.encoder_attn.v_proj.weight",
      o: "model.decoder.layers.#.encoder_attn.out_proj.weight",
      qNorm: "model.decoder.layers.#.encoder_attn.q_norm.weight",
      kNorm: "model.decoder.layers.#.encoder_attn.k_norm.weight",
      norm: "model.decoder.layers.#.encoder_attn_layer_norm.weight",
      gate: "model.decoder.layers.#.cross_attn_gate",
    },
    decoderNorm: "model.decoder.norm.weight",
    hidden: "contrastive_hidden.weight",
    bias: "contrastive_hidden.bias",
    proj: "contrastive_proj.weight",
  },
};

/** (3) The int4 safetensors of needle-rs; each attention kernel has a sister array `NAME.scale`. */
export const NEEDLE_RS: Format = {
  stacked: false,
  transposed: true,
  ignored: ["log_temp"],
  names: {
    embedding: "embedding",
    encoder: {
      q: "encoder.#.self_attn.wq",
      k: "encoder.#.self_attn.wk",
      v: "encoder.#.self_attn.wv",
      o: "encoder.#.self_attn.wo",
      qNorm: "encoder.#.self_attn.q_norm",
      kNorm: "encoder.#.self_attn.k_norm",
      norm: "encoder.#.norm",
      gate: "encoder.#.self_attn_gate",
    },
    encoderNorm: "encoder_final_norm",
    self: {
      q: "decoder.#.self_attn.wq",
      k: "decoder.#.self_attn.wk",
      v: "decoder.#.self_attn.wv",
      o: "decoder.#.self_attn.wo",
      qNorm: "decoder.#.self_attn.q_norm",
      kNorm: "decoder.#.self_attn.k_norm",
      norm: "decoder.#.self_attn_norm",
      gate: "decoder.#.self_attn_gate",
    },
    cross: {
      q: "decoder.#.cross_attn.wq",
      k: "decoder.#.cross_attn.wk",
      v: "decoder.#.cross_attn.wv",
      o: "decoder.#.cross_attn.wo",
      qNorm: "decoder.#.cross_attn.q_norm",
      kNorm: "decoder.#.cross_attn.k_norm",
      norm: "decoder.#.cross_attn_norm",
      gate: "decoder.#.cross_attn_gate",
    },
    decoderNorm: "decoder_final_norm",
    hidden: "contrastive_hidden_kernel",
    bias: "contrastive_hidden_bias",
    proj: "contrastive_proj_kernel",
  },
};
