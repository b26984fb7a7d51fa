"""The network of apart.py by the C of fused.c: a CPU's way, without padding between a request and what it sees. Products are in float32, or in bf16 where a CPU
has instructions for them; all else is float32.

A step takes half the time of PyTorch's kernels (README.md, "What is done, and why"). fused.c is compiled at each start, in two seconds; where there is no compiler
`Fused.of` says so and gives None.
"""
import ctypes
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch.autograd import Function

from apart import Apart, Rows

TILE = 16  # floats: a head is so many, or a multiple
C = None  # fused.c, compiled for the products' type of the network made last


def compiled(dtype):
    """-> fused.c, with products in dtype, as a library, or None with a line that says why."""
    with tempfile.TemporaryDirectory() as folder:
        source, path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fused.c"), f"{folder}/fused.so"
        try:
            subprocess.run([os.environ.get("CC", "cc"), *(["-DBF16"] if dtype == torch.bfloat16 else []), "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-o", path, source, "-lm"], check=True, capture_output=True, text=True)
            return ctypes.CDLL(path)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"fused.c: not compiled, a step takes twice as long: {getattr(error, 'stderr', '') or error}; install a C compiler, or name one by CC", file=sys.stderr)


def call(function, *arguments):
    """Calls a function of fused.c. Tensors go by their address, which must be that of all of their numbers in order; numbers are 64 bits wide."""

    def plain(a):
        if isinstance(a, torch.Tensor):
            assert a.is_contiguous(), "expected a contiguous tensor"
            return ctypes.c_void_p(a.data_ptr())
        if isinstance(a, ctypes.Structure):
            return ctypes.byref(a)
        return a if a is None else ctypes.c_longlong(a)

    return getattr(C, function)(*map(plain, arguments))


class Norm(Function):
    """x (N, d), gain (d) -> (1 + gain) x / sqrt(mean(x²) + 1e-6)."""

    @staticmethod
    def forward(ctx, x, gain):
        ctx.save_for_backward(x, gain)
        y = torch.empty_like(x)
        call("norm_forward", *x.shape, x, gain, y)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, gain = ctx.saved_tensors
        dx, dgain = torch.empty_like(x), torch.zeros_like(gain)
        call("norm_backward", *x.shape, x, gain, dy.contiguous(), dx, dgain)
        return dx, dgain


class Product(Function):
    """x (N, in) in float32 times w (out, in) in a narrower type -> (N, out) in float32; every product is made in w's type."""

    @staticmethod
    def forward(ctx, x, w):
        x = x.to(w.dtype)
        ctx.save_for_backward(x, w)
        return torch.nn.functional.linear(x, w).float()

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        dy = dy.to(w.dtype)
        return (dy @ w).float(), dy.t() @ x


def product(x, w):
    return torch.nn.functional.linear(x, w) if w.dtype == x.dtype else Product.apply(x, w)


class Heads(Function):
    """y (N, w): `first` heads normed by the first gain of gains (2, c), `second` by the other, all of these turned by rope; the rest as it is."""

    @staticmethod
    def forward(ctx, y, gains, first, second, rope=(None, None)):
        ctx.save_for_backward(y, gains, *rope)
        ctx.numbers = *y.shape, gains.shape[1], first, second
        out = torch.empty_like(y)
        call("heads_forward", *ctx.numbers, y, gains, *rope, out)
        return out

    @staticmethod
    def backward(ctx, dout):
        y, gains, cos, sin = ctx.saved_tensors
        dy, dgains = torch.empty_like(y), torch.zeros_like(gains)
        call("heads_backward", *ctx.numbers, y, gains, cos, sin, dout.contiguous(), dy, dgains)
        return dy, dgains, None, None, None


class Parts:
    """Which rows attend to which: of each part the numbers of its query rows and of its key rows."""

    def __init__(self, parts, causal=False):
        """parts: pairs of (query rows (n, T), which of them are real (n, T)) and the same of key rows (n, S)."""
        self.queries, self.keys = (self.flat([p[side] for p in parts]) for side in (0, 1))
        self.causal = causal

    @staticmethod
    def flat(sides):
        """-> rows (int32), where each part's begin (int32, with the end)."""
        rows = [rows[real] for rows, real in sides]
        sizes = [real.sum(1) for _, real in sides]
        return np.concatenate(rows).astype(np.int32), np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int32)


class Attention(ctypes.Structure):
    """As in fused.c."""

    _fields_ = [(name, ctypes.c_longlong) for name in ("parts", "kv_heads", "r", "c", "causal")]
    _fields_ += [(name, ctypes.c_void_p) for name in ("query", "query_from", "key", "key_from", "q", "kv")]
    _fields_ += [(name, ctypes.c_longlong) for name in ("q_width", "q_at", "kv_width", "k_at")]


class Attend(Function):
    """q (N, w), heads first, and kv (M, 2·K·c), or None where keys and values stand behind q's heads -> (N, H·c), zero where no part asks."""

    @staticmethod
    def forward(ctx, q, kv, parts, heads, kv_heads, c):
        out, lse = q.new_zeros(len(q), heads * c), q.new_empty(len(q), heads)
        ctx.parts, ctx.numbers = parts, (heads, kv_heads, c)
        Attend.call("attend_forward", Attend.facts(q, kv, *ctx.numbers, parts), out, out.shape[1], lse)
        ctx.save_for_backward(q, kv, out, lse)
        return out

    @staticmethod
    def backward(ctx, dout):
        q, kv, out, lse = ctx.saved_tensors
        dq = torch.zeros_like(q)
        dkv = None if kv is None else torch.zeros_like(kv)
        Attend.call("attend_backward", Attend.facts(q, kv, *ctx.numbers, ctx.parts), out, lse, dout.contiguous(), out.shape[1], dq, dq if kv is None else dkv)
        return dq, dkv, None, None, None, None

    @staticmethod
    def call(function, *arguments):
        if call(function, *arguments):
            raise MemoryError(f"{function}: no memory for one request and the tools it sees")

    @staticmethod
    def facts(q, kv, heads, kv_heads, c, parts):
        arrays = [a.ctypes.data for side in (parts.queries, parts.keys) for a in side]
        keys, at = (q, heads * c) if kv is None else (kv, 0)
        assert q.is_contiguous() and keys.is_contiguous()
        return Attention(len(parts.keys[1]) - 1, kv_heads, heads // kv_heads, c, parts.causal, *arrays, q.data_ptr(), keys.data_ptr(), q.shape[1], 0, keys.shape[1], at)


class Entropy(Function):
    """logits (N, size), wanted (N) -> their logsumexp, the cross-entropies, the likeliest ids, each (N). The gradient takes the logits' place."""

    @staticmethod
    def forward(ctx, logits, wanted):
        total, cost, best = (logits.new_empty(len(logits), dtype=t) for t in (torch.float32, torch.float32, torch.int64))
        call("entropy_forward", *logits.shape, logits, wanted, total, cost, best)
        ctx.save_for_backward(logits, wanted, total)
        ctx.mark_non_differentiable(best)
        return total, cost, best

    @staticmethod
    def backward(ctx, dtotal, dcost, _):
        logits, wanted, total = ctx.saved_tensors
        call("entropy_backward", *logits.shape, logits, wanted, total, dtotal.contiguous(), dcost.contiguous())
        return logits, None


class Fused(Apart):
    """Apart on a CPU: same batches, same figures up to summation order."""

    @staticmethod
    def of(model, dtype=torch.float32):
        """-> the network of a model by fused.c with products in dtype, one type a process at a time; or None where that cannot be compiled or does not fit the geometry."""
        global C
        if model.config.d_model // model.config.num_heads % TILE:
            return None
        C = compiled(dtype)
        return C and Fused(model, dtype)

    def rope(self, positions):
        """-> cos and sin (N, c / 2) of each position."""
        return tuple(t[:, 0].contiguous() for t in super().rope(positions))

    def encode(self, batch, weights, alone=False):
        w, embedding = weights
        start, parts = batch.request_at if alone else 0, [] if alone else self.tools(batch)
        for g in batch.groups:
            asked = g.rows.numpy().reshape(g.shape) + (0 if alone else batch.request_at), (g.own == 0).numpy().reshape(g.shape)
            parts.append((asked, asked if alone else self.seen(g)))
        parts = Parts(parts)
        rope = self.rope(batch.positions[start:])
        x = Rows.apply(embedding * self.config.d_model**0.5, batch.ids[start:])
        for layer in self.model.model.encoder.layers:
            x = self.self_attention(x, layer.self_attn, layer.input_layernorm, layer.attn_gate, w, rope, parts)
        return Norm.apply(x, self.model.model.encoder.final_norm.weight)

    @staticmethod
    def tools(batch):
        """Each tool's rows see that tool."""
        start, result = 0, []
        for n, length, bias in batch.tools:
            rows = np.arange(start, start + n * length).reshape(n, length), (bias == 0).numpy().reshape(n, length)
            start += n * length
            result.append((rows, rows))
        return result

    @staticmethod
    def seen(group):
        n = len(group.bias)
        return group.seen.numpy().reshape(n, -1), (group.bias == 0).numpy().reshape(n, -1)

    def self_attention(self, x, a, before, gate, w, rope, parts):
        weight = torch.cat([w[id(p.weight)] for p in (a.q_proj, a.k_proj, a.v_proj)])
        y = product(Norm.apply(x, before.weight), weight)
        y = Heads.apply(y, torch.stack((a.q_norm.weight, a.k_norm.weight)), self.config.num_heads, self.kv_heads, rope)
        return self.add(x, self.attend(y, None, parts), w[id(a.out_proj.weight)], gate)

    def attend(self, q, kv, parts):
        return Attend.apply(q, kv, parts, self.config.num_heads, self.kv_heads, self.head)

    @staticmethod
    def add(x, y, w, gate):
        """x + sigmoid(gate) · y w, the gate taken into the matrix."""
        w = torch.sigmoid(gate).to(w.dtype) * w
        return torch.addmm(x, y, w.t()) if w.dtype == x.dtype else x + product(y, w)

    def memory(self, states, weights):
        w, result = weights[0], []
        for layer in self.model.model.decoder.layers:
            a = layer.encoder_attn
            both = product(states, torch.cat((w[id(a.k_proj.weight)], w[id(a.v_proj.weight)])))
            result.append(Heads.apply(both, a.k_norm.weight[None], self.kv_heads, 0))
        return result

    def answered(self, batch, memory, weights, real):
        w, embedding = weights
        own, cross, start, number = [], [], 0, np.full(len(batch.given), -1)
        number[real.numpy()] = np.arange(len(real))
        for g in batch.groups:
            n = len(g.bias)
            rows = number[start : start + n * g.length].reshape(n, g.length)
            rows = rows, rows >= 0
            start += n * g.length
            own.append((rows, rows))
            cross.append((rows, self.seen(g)))
        own, cross = Parts(own, causal=True), Parts(cross)
        rope = self.rope(batch.answer_positions[real])
        x = Rows.apply(embedding * self.config.d_model**0.5, batch.given[real])
        for layer, both in zip(self.model.model.decoder.layers, memory):
            x = self.self_attention(x, layer.self_attn, layer.input_layernorm, layer.self_attn_gate, w, rope, own)
            a = layer.encoder_attn
            q = product(Norm.apply(x, layer.encoder_attn_layer_norm.weight), w[id(a.q_proj.weight)])
            q = Heads.apply(q, a.q_norm.weight[None], self.config.num_heads, 0)
            x = self.add(x, self.attend(q, both, cross), w[id(a.out_proj.weight)], layer.cross_attn_gate)
        return Norm.apply(x, self.model.model.decoder.norm.weight)

    @staticmethod
    def entropies(logits, wanted):
        return Entropy.apply(logits, wanted)
