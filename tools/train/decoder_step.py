"""Times one training step of the decoder alone, as `thimble bench --finetune` trains it: python3 decoder_step.py [batch] [rows] [keys]

Keys and values of the cross-attention are given and frozen, as are the embedding and all before it; one thread, float32, weights rounded. Prints the
median of examples a second of process time, forward, backward and AdamW.
"""
import sys
import time

import torch
import torch.nn.functional as F

from model import BLOCKED, Config, Needle, fake_int4, rotation
from apart import add_gated, attend, heads, project


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    batch, rows, keys = (int(v) for v in (sys.argv[1:] + ["8", "28", "280"][len(sys.argv) - 1 :]))
    config = Config()
    model = Needle(config)
    d, H, K = config.d_model, config.num_heads, config.num_kv_heads
    kv = K * d // H
    trained = [p for layer in model.model.decoder.layers for name, p in layer.named_parameters() if not name.startswith(("encoder_attn.k", "encoder_attn.v"))]
    trained.append(model.model.decoder.norm.weight)
    optimizer = torch.optim.AdamW(trained, 1e-3, betas=(0.9, 0.98), weight_decay=0)
    memory = [torch.randn(batch, keys, 2 * kv) for _ in model.model.decoder.layers]
    embedding = model.model.embed_tokens.weight.detach()
    ids = torch.randint(6, config.vocab_size, (batch, rows))
    causal = torch.full((rows, rows), BLOCKED).triu_(1).repeat(H // K, 1)[None, None]
    rope = [x.repeat(batch, 1, 1) for x in rotation(rows, d // H, config.rope_theta)]
    times = []
    for _ in range(12):
        start = time.process_time()
        x = F.embedding(ids, embedding).view(batch * rows, d) * d**0.5
        for layer, both in zip(model.model.decoder.layers, memory):
            a = layer.self_attn
            w = torch.cat([fake_int4(p.weight) for p in (a.q_proj, a.k_proj, a.v_proj)])
            q, k, v = project(x, layer.input_layernorm.weight, w).split((d, kv, kv), -1)
            own = torch.cat((heads(k, a.k_norm.weight, rope), v), -1).view(batch, rows, -1)
            out = attend(heads(q, a.q_norm.weight, rope).view(batch, rows, -1), own, causal, K)
            x = add_gated(x, out, fake_int4(a.out_proj.weight), layer.self_attn_gate)
            a = layer.encoder_attn
            q = heads(project(x, layer.encoder_attn_layer_norm.weight, fake_int4(a.q_proj.weight)), a.q_norm.weight)
            out = attend(q.view(batch, rows, -1), both, torch.zeros(1, 1, 1, keys), K)
            x = add_gated(x, out, fake_int4(a.out_proj.weight), layer.cross_attn_gate)
        loss = F.cross_entropy(F.linear(model.model.decoder.norm(x), embedding), ids.view(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.process_time() - start)
    print(f"{batch / sorted(times)[len(times) // 2]:.1f} examples/s of process time")


main()
