"""The Simple Attention Network of Needle v1, for training: an encoder-decoder of attention layers without any feed-forward block.

Follows the original (Needle v1, May 2026, MIT). Modules carry the names of the published `model.safetensors`, so that the state dict *is* the file
(plus `log_temp`, which only training needs). Where a CPU gains by it, the arithmetic is arranged differently: q, k and v of one input are one
product, query heads are grouped by the KV head they share, and the norm and the rotation have hand-written gradients.

Shapes: B batch, T queries, S keys, d model, H heads, K KV heads, c = d / H, r = H / K. Matrices are (out, in).
"""
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

PAD, EOS, TOOL_CALL, TOOLS = 0, 1, 4, 5  # special ids of the vocabulary
TOOL_AT = 128  # position of a tool's first row where tools are read apart
GROUP = 32  # int4 group along the input
BLOCKED = -1e9  # added to the score of a key that may not be seen


@dataclass
class Config:
    """Geometry of a checkpoint, under the keys of `__metadata__.config`."""

    vocab_size: int = 4096
    d_model: int = 256
    num_heads: int = 4
    num_kv_heads: int = 2
    num_encoder_layers: int = 4
    num_decoder_layers: int = 3
    rope_theta: float = 10000.0
    contrastive_dim: int = 128

    to_dict = asdict


def fake_int4(w):
    """Rounds w (out, in) to what int4 stores: groups of 32 along the input, scale max/7, halves to even. The gradient passes straight through.

    A matrix whose input is no multiple of 32 stays as it is (the contrastive projection of tiny test geometries).
    """
    if w.shape[1] % GROUP:
        return w
    groups = w.detach().view(w.shape[0], -1, GROUP)
    scale = (groups.abs().amax(-1, keepdim=True) / 7).clamp_min(1e-8)
    return w + ((groups / scale).round().clamp(-8, 7) * scale).view_as(w) - w.detach()


def fake_int8_rows(w):
    """Rounds every row of w (rows, d) to int8 with the scale max/127: how the embedding is deployed. The gradient passes straight through."""
    x = w.detach()
    scale = (x.abs().amax(-1, keepdim=True) / 127).clamp_min(1e-8)
    return w + (x / scale).round().clamp(-127, 127) * scale - x


class NormFunction(torch.autograd.Function):
    """(1 + g) x / sqrt(mean(x²) + 1e-6) over the last axis, in float32."""

    @staticmethod
    def forward(ctx, x, g):
        x = x.float()
        r = torch.rsqrt(torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().mul_(1.0 / x.shape[-1]).add_(1e-6))
        n = x * r
        ctx.save_for_backward(n, r, g)
        return n * (1 + g)

    @staticmethod
    def backward(ctx, dy):
        n, r, g = ctx.saved_tensors
        dg = (dy * n).flatten(0, -2).sum(0)
        dn = dy * (1 + g)
        return dn.addcmul_(n, (dn * n).mean(-1, keepdim=True), value=-1).mul_(r), dg


class Norm(nn.Module):
    """ZCRMSNorm: the gain is stored as its distance from one."""

    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size))

    def forward(self, x):
        return NormFunction.apply(x, self.weight)


def rotation(length, size, theta, device=None):
    """cos and sin of pos / theta^(2i/size), each (length, 1, size / 2)."""
    angle = torch.outer(torch.arange(length).float(), theta ** (-torch.arange(0, size, 2).float() / size))[:, None]
    return angle.cos().to(device), angle.sin().to(device)


class RotateFunction(torch.autograd.Function):
    """RoPE in split halves on x (B, T, heads, c); the gradient is the rotation back."""

    @staticmethod
    def turn(x, cos, sin, sign):
        half = x.shape[-1] // 2
        a, b, out = x[..., :half], x[..., half:], torch.empty_like(x)
        torch.mul(a, cos, out=out[..., :half])
        out[..., :half].addcmul_(b, sin, value=-sign)
        torch.mul(b, cos, out=out[..., half:])
        out[..., half:].addcmul_(a, sin, value=sign)
        return out

    @staticmethod
    def forward(ctx, x, cos, sin):
        ctx.save_for_backward(cos, sin)
        return RotateFunction.turn(x, cos, sin, 1)

    @staticmethod
    def backward(ctx, dy):
        return RotateFunction.turn(dy, *ctx.saved_tensors, -1), None, None


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        d, self.heads, self.kv_heads = config.d_model, config.num_heads, config.num_kv_heads
        self.head_dim = d // self.heads
        kv = self.kv_heads * self.head_dim
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d, n, bias=False) for n in (d, kv, kv, d))
        self.q_norm, self.k_norm = Norm(self.head_dim), Norm(self.head_dim)

    def forward(self, x, memory, bias, rope=None, quantise=None):
        """x (B, T, d) attends to memory (B, S, d), or to itself where memory is None. bias is added to the scores (B·K, r·T, S)."""
        w = [p.weight for p in (self.q_proj, self.k_proj, self.v_proj, self.out_proj)]
        if quantise:
            w = [quantise(p) for p in w]
        d, kv = w[0].shape[0], w[1].shape[0]
        if memory is None:
            q, k, v = F.linear(x, torch.cat(w[:3])).split((d, kv, kv), -1)
        else:
            q = F.linear(x, w[0])
            k, v = F.linear(memory, torch.cat(w[1:3])).split((kv, kv), -1)
        (B, T), S, K, r, c = x.shape[:2], k.shape[1], self.kv_heads, self.heads // self.kv_heads, self.head_dim
        q, k = self.q_norm(q.reshape(B, T, K * r, c)), self.k_norm(k.reshape(B, S, K, c))
        if rope is not None:
            cos, sin = rope
            q, k = RotateFunction.apply(q, cos[:T], sin[:T]), RotateFunction.apply(k, cos[:S], sin[:S])
        q, k, v = q.to(v.dtype).view(B, T, K, r, c), k.to(v.dtype), v.reshape(B, S, K, c)
        q = q.permute(0, 2, 3, 1, 4).reshape(B * K, r * T, c)
        k = k.permute(0, 2, 3, 1).reshape(B * K, c, S)
        v = v.permute(0, 2, 1, 3).reshape(B * K, S, c)
        weights = torch.baddbmm(bias.to(v.dtype), q, k, alpha=1 / math.sqrt(c)).softmax(-1)
        out = torch.bmm(weights.to(v.dtype), v).view(B, K, r, T, c).permute(0, 3, 1, 2, 4).reshape(B, T, d)
        return F.linear(out, w[3])


class EncoderLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.input_layernorm, self.self_attn = Norm(config.d_model), Attention(config)
        self.attn_gate = nn.Parameter(torch.zeros(1))

    def forward(self, x, bias, rope, quantise):
        return torch.addcmul(x, self.self_attn(self.input_layernorm(x), None, bias, rope, quantise).float(), torch.sigmoid(self.attn_gate))


class DecoderLayer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.input_layernorm, self.self_attn = Norm(config.d_model), Attention(config)
        self.encoder_attn_layer_norm, self.encoder_attn = Norm(config.d_model), Attention(config)
        self.self_attn_gate, self.cross_attn_gate = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x, states, causal, bias, rope, quantise):
        x = torch.addcmul(x, self.self_attn(self.input_layernorm(x), None, causal, rope, quantise).float(), torch.sigmoid(self.self_attn_gate))
        return torch.addcmul(x, self.encoder_attn(self.encoder_attn_layer_norm(x), states, bias, None, quantise).float(), torch.sigmoid(self.cross_attn_gate))


class Needle(nn.Module):
    """The whole network. With `quantised` set it computes with the weights a thimble pack holds (int4 projections, int8 embedding)."""

    def __init__(self, config):
        super().__init__()
        self.config, self.quantised = config, True
        d = config.d_model
        model = self.model = nn.Module()
        model.embed_tokens = nn.Embedding(config.vocab_size, d)
        model.encoder, model.decoder = nn.Module(), nn.Module()
        model.encoder.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_encoder_layers))
        model.encoder.final_norm = Norm(d)
        model.decoder.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_decoder_layers))
        model.decoder.norm = Norm(d)
        self.contrastive_hidden, self.contrastive_proj = nn.Linear(d, d // 4), nn.Linear(d // 4, config.contrastive_dim, bias=False)
        self.log_temp = nn.Parameter(torch.tensor(2.3))
        layers = config.num_encoder_layers + config.num_decoder_layers
        for name, p in self.named_parameters():
            if p.ndim == 2:  # what writes to the residual stream starts smaller, the more of it there is
                nn.init.normal_(p, std=0.02 / (math.sqrt(2 * layers) if "out_proj" in name else 1))
        nn.init.zeros_(self.contrastive_hidden.bias)

    def attention_matrices(self):
        """The matrices that are int4 when deployed and that Muon trains."""
        return [p for name, p in self.named_parameters() if p.ndim == 2 and "_attn." in name]

    def embedding(self):
        """The embedding (vocab, d) as deployed. Rounding it costs, so callers compute it once a step."""
        e = self.model.embed_tokens.weight
        return fake_int8_rows(e) if self.quantised else e

    def _rope(self, ids):
        return rotation(ids.shape[1], self.config.d_model // self.config.num_heads, self.config.rope_theta, ids.device)

    def encode(self, ids, embedding):
        """Prefill: ids (B, S) -> states (B, S, d) and the bias (B·K, 1, S) that hides padding."""
        K, quantise = self.config.num_kv_heads, fake_int4 if self.quantised else None
        bias = torch.zeros(ids.shape, device=ids.device).masked_fill_(ids == PAD, BLOCKED)
        bias = bias[:, None].expand(-1, K, -1).reshape(-1, 1, ids.shape[1])
        x, rope = F.embedding(ids, embedding) * math.sqrt(self.config.d_model), self._rope(ids)
        for layer in self.model.encoder.layers:
            x = layer(x, bias, rope, quantise)
        return self.model.encoder.final_norm(x), bias

    def decode(self, ids, states, bias, embedding):
        """ids (B, T), states and bias of encode -> hidden states (B, T, d); logits are these times the embedding."""
        T, quantise = ids.shape[1], fake_int4 if self.quantised else None
        causal = torch.full((T, T), BLOCKED, device=ids.device).triu_(1).repeat(self.config.num_heads // self.config.num_kv_heads, 1)[None]
        x, rope = F.embedding(ids, embedding) * math.sqrt(self.config.d_model), self._rope(ids)
        for layer in self.model.decoder.layers:
            x = layer(x, states, causal, bias, rope, quantise)
        return self.model.decoder.norm(x)

    def retrieve(self, ids, embedding):
        """Contrastive head: ids (B, S) -> unit vectors (B, contrastive_dim), for a query or for one tool's text."""
        states, _ = self.encode(ids, embedding)
        real = (ids != PAD)[..., None]
        mean = (states * real).sum(1) / real.sum(1).clamp_min(1)
        hidden, proj = self.contrastive_hidden.weight, self.contrastive_proj.weight
        if self.quantised:
            hidden, proj = fake_int4(hidden), fake_int4(proj)
        z = F.linear(torch.relu(F.linear(mean, hidden, self.contrastive_hidden.bias)), proj).float()
        return z / torch.sqrt((z * z).sum(-1, keepdim=True) + 1e-12)
