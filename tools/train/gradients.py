"""Writes the fixture that `thimble finetune`'s gradients are tested against: python3 gradients.py > ../../test/fixtures/gradients.json

A tiny decoder with seeded numbers meets seeded keys and values (in place of an encoder's), once with its weights as they are and once rounded; the
loss is that of apart.py. Gradients are float32 in base64, parameter after parameter as tools/finetune/parameters.ts orders them.
"""
import base64
import json
from types import SimpleNamespace

import numpy as np
import torch

import layout
from apart import Apart, losses
from model import EOS, Config, Needle

SEED = 7
CONFIG = Config(vocab_size=45, d_model=32, num_heads=4, num_kv_heads=2, num_encoder_layers=1, num_decoder_layers=2, contrastive_dim=8)
REQUESTS = [[9, 10, 11], [12, 13], [14, 15, 16, 17, 18]]
TOOLS = [[5, 20, 21, 22], [5, 23, 24], [5, 25, 26, 27, 28, 29]]
LISTS = [[0, 1], [2], [0, 1, 2]]
ANSWERS = [[4, 30, 31, 32, 33], [4, 30], [4, 30, 34, 35, 36, 37, 38, 39]]


def uniform(seed):
    """Numbers in [0, 1). Source: mulberry32, Tommy Ettinger; test/support.ts has the same."""
    state, mask = seed, 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & mask
        t = (state ^ (state >> 15)) * (state | 1) & mask
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & mask)) & mask
        yield ((t ^ (t >> 14)) & mask) / 2**32


def parameters(model):
    """In the order of tools/finetune/parameters.ts."""
    for layer in model.model.decoder.layers:
        a = layer.self_attn
        yield from (layer.input_layernorm.weight, layer.self_attn_gate, a.q_norm.weight, a.q_proj.weight, a.out_proj.weight)
        yield from (a.k_norm.weight, a.k_proj.weight, a.v_proj.weight)
        a = layer.encoder_attn
        yield from (layer.encoder_attn_layer_norm.weight, layer.cross_attn_gate, a.q_norm.weight, a.q_proj.weight, a.out_proj.weight)
    yield model.model.decoder.norm.weight


def main():
    draw = uniform(SEED)
    fill = lambda *shape, size: torch.from_numpy(np.array([size * (next(draw) - 0.5) for _ in range(int(np.prod(shape)))], np.float32).reshape(shape))
    model = Needle(CONFIG)
    trained = list(parameters(model))
    with torch.no_grad():
        for p in trained:
            p.copy_(fill(*p.shape, size=0.35 if p.ndim == 2 else 0.8))
        model.model.embed_tokens.weight.copy_(fill(*model.model.embed_tokens.weight.shape, size=0.5))
    model.embedding = lambda: model.model.embed_tokens.weight  # as it is: the fixture is about the decoder

    batch = layout.convert(layout.lay_out(REQUESTS, TOOLS, LISTS, ANSWERS, groups=2), "cpu", torch.float32)
    kv = CONFIG.num_kv_heads * CONFIG.d_model // CONFIG.num_heads
    memory = [fill(len(batch.ids), 2 * kv, size=1.5) for _ in range(CONFIG.num_decoder_layers)]
    real, wanted, weight, samples, at = [], [], [], {}, 0
    for group in batch.groups:
        width = len(group.seen) // len(group.order)
        for n, j in enumerate(group.order.tolist()):
            answer = ANSWERS[j] + [EOS]
            weights = [1 + 0.25 * (i % 5) for i in range(len(answer))]
            real += range(at, at + len(answer))
            wanted, weight = wanted + answer, weight + weights
            count = int((group.bias[n].flatten() == 0).sum())
            seen = group.seen[n * width : n * width + count].tolist()
            samples[j] = {"given": [EOS] + ANSWERS[j], "wanted": answer, "weights": weights, "seen": seen}
            at += group.length
    targets = SimpleNamespace(real=torch.tensor(real), wanted=torch.tensor(wanted), weight=torch.tensor(weight), asked=[], size=len(ANSWERS),
                              naming=torch.zeros(len(real), dtype=torch.bool), deciding=torch.zeros(len(real), dtype=torch.bool), none=0,
                              answer_row=torch.zeros(len(real), dtype=torch.int64))

    class Given(Apart):
        """The decoder alone: its keys and values are given."""

        def memory(self, states, weights):
            return memory

    def run(quantised):
        model.quantised = quantised
        for p in trained:
            p.grad = None
        loss, entropy, _ = losses(Given(model), batch, targets, False)
        loss.backward()
        flat = np.concatenate([p.grad.numpy().ravel() for p in trained]).astype("<f4")
        return {"entropy": entropy, "gradient": base64.b64encode(flat.tobytes()).decode()}

    facts = {"vocabSize": CONFIG.vocab_size, "dModel": CONFIG.d_model, "nHeads": CONFIG.num_heads, "nKvHeads": CONFIG.num_kv_heads,
             "nEncoderLayers": 1, "nDecoderLayers": CONFIG.num_decoder_layers, "ropeTheta": CONFIG.rope_theta, "contrastiveHidden": 0, "contrastiveDim": 0}
    print(json.dumps({"about": "tools/train/gradients.py", "seed": SEED, "geometry": facts, "keys": len(batch.ids), "samples": [samples[j] for j in range(len(ANSWERS))],
                      "plain": run(False), "rounded": run(True)}))


main()
