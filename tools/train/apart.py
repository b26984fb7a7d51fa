"""The network with its tools read apart (runtime/README.md, "Tools"): the same weights as in model.py, other masks and positions.

A tool's rows see that tool alone and stand at TOOL_AT, TOOL_AT + 1, …; a request's rows stand at 0, 1, … and see the request and every tool of its
list; the decoder sees the same rows. So a batch holds every tool once, whoever offers it, and all rows lie flat: (rows, d), tools first. Only
attention works on padded blocks: slices for tools of like length, gathered rows for requests and answers.
"""
import math

import torch
import torch.nn.functional as F

from model import BLOCKED, GROUP, NormFunction, RotateFunction, fake_int4


class Rows(torch.autograd.Function):
    """table (N, w), index (n) -> (n, w); the gradient is summed by rows. On a GPU PyTorch's own indexing sorts, and waits for its sizes.

    With `by_row`, what the function of that name gives, the sum reads each row's gradients in turn, where the default adds them atomically.
    """

    @staticmethod
    def forward(ctx, table, index, by_row=None):
        ctx.save_for_backward(*(by_row or (index,)))
        ctx.n = len(table)
        return table.index_select(0, index)

    @staticmethod
    def backward(ctx, dy):
        index, *counts = ctx.saved_tensors
        if counts:
            return torch.segment_reduce(dy.index_select(0, index), "sum", lengths=counts[0], axis=0, unsafe=True), None, None
        return dy.new_zeros(ctx.n, dy.shape[1]).index_add_(0, index, dy), None, None


def by_row(index, padding, n):
    """index (m) of rows below n, padding (m), whose gradient is zero -> (entries in the order of what they name, padding last; how many name each row (n))."""
    index = index.masked_fill(padding, n)
    counts = torch.zeros(n + 1, dtype=torch.long, device=index.device).index_add_(0, index, torch.ones_like(index))
    return index.argsort(), counts[:n].contiguous()


def norm(x, gain):
    if x.is_cuda:
        return F.rms_norm(x.float(), gain.shape, 1 + gain, 1e-6)  # one kernel
    return NormFunction.apply(x, gain)


def project(x, gain, w):
    """x (N, d) -> norm, product (N, out) in w's type."""
    return F.linear(norm(x, gain).to(w.dtype), w)


def heads(x, gain, rope=None):
    """x (N, h·c) -> its heads, normed and turned by rope, (N, h·c) in x's type."""
    y = norm(x.reshape(len(x), -1, len(gain)), gain)
    return (RotateFunction.apply(y, *rope) if rope else y).to(x.dtype).view(x.shape)


def add_gated(x, y, w, gate):
    """x (N, d) + sigmoid(gate) · y w."""
    return torch.addcmul(x, F.linear(y, w).float(), torch.sigmoid(gate))


def attend(q, keys, bias, kv_heads, fused=False):
    """q (B, T, H·c), keys with values behind (B, S, 2·K·c), bias (B or 1, 1, 1 or r·T, S) in their type -> (B·T, H·c).

    The r query heads of one KV head are rows of one product. `fused` takes PyTorch's own kernel: the faster one on a GPU, the slower one on a CPU.
    """
    B, T, d = q.shape
    S, K = keys.shape[1], kv_heads
    c = keys.shape[2] // (2 * K)
    r = d // (K * c)
    q = q.view(B, T, K, r, c).permute(0, 2, 3, 1, 4)
    k, v = keys.view(B, S, 2, K, c).permute(2, 0, 3, 1, 4).unbind(0)
    if fused:
        out = F.scaled_dot_product_attention(q.reshape(B, K, r * T, c), k, v, attn_mask=bias.expand(B, K, r * T, S))
        return out.reshape(B, K, r, T, c).permute(0, 3, 1, 2, 4).reshape(B * T, d)
    q, k, v = q.reshape(B * K, r * T, c), k.reshape(B * K, S, c), v.reshape(B * K, S, c)
    bias = bias.expand(B, K, *bias.shape[2:]).reshape(B * K, -1, S) if len(bias) > 1 else bias[0]
    w = torch.baddbmm(bias, q, k.transpose(1, 2), alpha=1 / math.sqrt(c)).softmax(-1)
    return torch.bmm(w, v).view(B, K, r, T, c).permute(0, 3, 1, 2, 4).reshape(B * T, d)


class Apart:
    """The two halves of a Needle over flat rows, in `dtype` products. Batches are those of layout.py, as tensors."""

    def __init__(self, model, dtype=torch.float32, fused=False):
        self.model, self.config, self.dtype, self.fused = model, model.config, dtype, fused
        c = self.config
        self.kv_heads, self.head = c.num_kv_heads, c.d_model // c.num_heads
        self.kv = self.kv_heads * self.head
        self.by_row = {}  # of the batch at hand, where sums by row pay: on a GPU

    def weights(self):
        """-> {parameter: matrix as deployed, in the products' type} of all attention matrices, rounded in one go, and the embedding."""
        matrices = self.model.attention_matrices()
        flat = torch.cat([p.reshape(-1, GROUP) for p in matrices])
        flat = (fake_int4(flat) if self.model.quantised else flat).to(self.dtype)
        parts = flat.split([p.numel() // GROUP for p in matrices])
        return {id(p): part.view_as(p) for p, part in zip(matrices, parts)}, self.model.embedding()

    def rope(self, positions):
        c = self.head
        angle = positions.float()[:, None, None] * self.config.rope_theta ** (-torch.arange(0, c, 2, device=positions.device).float() / c)
        return angle.cos(), angle.sin()

    def encode(self, batch, weights, alone=False):
        """-> final states (rows, d). With `alone`, of the requests' rows only, as if no tool were offered."""
        w, embedding = weights
        start = batch.request_at if alone else 0
        cos, sin = self.rope(batch.positions[start:])
        x = Rows.apply(embedding, batch.ids[start:]) * math.sqrt(self.config.d_model)
        sizes = [] if alone else [n * length for n, length, _ in batch.tools]
        if self.fused and not alone:
            self.by_row = {g.seen: by_row(g.seen, g.bias.flatten() < 0, len(x)) for g in batch.groups}
        for layer in self.model.model.encoder.layers:
            a = layer.self_attn
            q, k, v = self.own(a, layer.input_layernorm, x, w, (cos, sin))
            both = torch.cat((k, v), -1)
            *parts, asked = q.split(sizes + [len(q) - sum(sizes)])
            kept = both.split(sizes + [len(q) - sum(sizes)])
            outs = []
            for (n, length, bias), rows, keys in zip(() if alone else batch.tools, parts, kept):
                outs.append(attend(rows.view(n, length, -1), keys.view(n, length, -1), bias, self.kv_heads, self.fused))
            for g in batch.groups:
                seen, bias = (g.rows, g.own) if alone else (g.seen, g.bias)
                keys = self.gather(both, seen, (g.shape[0], -1), self.by_row.get(seen))
                out = attend(self.gather(asked, g.rows, g.shape), keys, bias, self.kv_heads, self.fused)
                outs.append(Rows.apply(out, g.back))
            x = add_gated(x, torch.cat(outs), w[id(a.out_proj.weight)], layer.attn_gate)
        return norm(x, self.model.model.encoder.final_norm.weight)

    def own(self, a, before, x, w, rope):
        """Self-attention's q, k and v of x (N, d), flat, normed and turned."""
        weight = torch.cat([w[id(p.weight)] for p in (a.q_proj, a.k_proj, a.v_proj)])
        q, k, v = project(x, before.weight, weight).split((self.config.d_model, self.kv, self.kv), -1)
        return heads(q, a.q_norm.weight, rope), heads(k, a.k_norm.weight, rope), v

    def memory(self, states, weights):
        """-> for each decoder layer, the keys and values (rows, 2·K·c) of the encoder's states."""
        w, result = weights[0], []
        for layer in self.model.model.decoder.layers:
            a = layer.encoder_attn
            k, v = F.linear(states.to(self.dtype), torch.cat((w[id(a.k_proj.weight)], w[id(a.v_proj.weight)]))).split((self.kv, self.kv), -1)
            result.append(torch.cat((heads(k, a.k_norm.weight), v), -1))
        return result

    def decode(self, batch, memory, weights):
        """-> hidden states (answer rows, d), answers padded to their group's longest; logits are these times the embedding."""
        w, embedding = weights
        cos, sin = self.rope(batch.answer_positions)
        x = Rows.apply(embedding, batch.given) * math.sqrt(self.config.d_model)
        repeat = self.config.num_heads // self.kv_heads
        causal = [torch.full((g.length, g.length), BLOCKED, device=x.device, dtype=self.dtype).triu_(1).repeat(repeat, 1)[None, None] for g in batch.groups]
        sizes = [len(g.bias) * g.length for g in batch.groups]
        for layer, both in zip(self.model.model.decoder.layers, memory):
            a = layer.self_attn
            q, k, v = self.own(a, layer.input_layernorm, x, w, (cos, sin))
            parts = zip(batch.groups, causal, q.split(sizes), torch.cat((k, v), -1).split(sizes))
            outs = [attend(rows.view(len(g.bias), g.length, -1), keys.view(len(g.bias), g.length, -1), mask, self.kv_heads, self.fused) for g, mask, rows, keys in parts]
            x = add_gated(x, torch.cat(outs), w[id(a.out_proj.weight)], layer.self_attn_gate)
            a = layer.encoder_attn
            q = heads(project(x, layer.encoder_attn_layer_norm.weight, w[id(a.q_proj.weight)]), a.q_norm.weight)
            parts = zip(batch.groups, q.split(sizes))
            outs = [attend(rows.view(len(g.bias), g.length, -1), self.gather(both, g.seen, (len(g.bias), -1), self.by_row.get(g.seen)), g.bias, self.kv_heads, self.fused) for g, rows in parts]
            x = add_gated(x, torch.cat(outs), w[id(a.out_proj.weight)], layer.cross_attn_gate)
        return norm(x, self.model.model.decoder.norm.weight)

    def answered(self, batch, memory, weights, real):
        """decode's rows that are no padding, those of the numbers `real`."""
        return Rows.apply(self.decode(batch, memory, weights), real)

    @staticmethod
    def gather(table, index, shape, by_row=None):
        return Rows.apply(table, index, by_row).view(*shape, table.shape[1])

    @staticmethod
    def entropies(logits, wanted):
        """logits (N, vocab), wanted (N) -> their logsumexp, the cross-entropies, the likeliest ids, each (N)."""
        total = logits.logsumexp(-1)
        return total, total - logits.gather(1, wanted[:, None])[:, 0], logits.detach().argmax(-1)

    def vectors(self, states, row, count):
        """Contrastive head over means: states (rows, d), row (rows): the vector each belongs to, or `count` for none -> unit vectors (count, contrastive)."""
        m = self.model
        summed = states.new_zeros(count + 1, states.shape[1]).index_add(0, row, states)[:count]
        mean = summed / states.new_zeros(count + 1).index_add_(0, row, states.new_ones(len(row)))[:count, None]
        hidden, proj = (fake_int4(p.weight) if m.quantised else p.weight for p in (m.contrastive_hidden, m.contrastive_proj))
        z = F.linear(torch.relu(F.linear(mean, hidden, m.contrastive_hidden.bias)), proj)
        return z / torch.sqrt((z * z).sum(-1, keepdim=True) + 1e-12)


def logits_of(net, batch, targets, states, weights):
    """-> logits (answers' ids that are no padding, vocab) of the encoder's states."""
    hidden = net.answered(batch, net.memory(states, weights), weights, targets.real)
    return F.linear(hidden.to(net.dtype), weights[1].to(net.dtype)).float()


def losses(net, batch, targets, contrastive, teacher=None):
    """-> (loss to descend, mean cross-entropy, (answers, 3): whole?, names right?, calls none?; teacher-forced). All stay on the device.

    With a `teacher`, another net, the cross-entropy is that against its distribution in the place of the one right id.
    """
    weights = net.weights()
    states = net.encode(batch, weights)
    logits, w = logits_of(net, batch, targets, states, weights), targets.weight
    if teacher:
        with torch.no_grad():
            known = teacher.weights()
            likely = logits_of(teacher, batch, targets, teacher.encode(batch, known), known).softmax(-1)
            best = logits.argmax(-1)
        total = logits.logsumexp(-1)
        entropy = total - (likely * logits).sum(-1)
    else:
        total, entropy, best = net.entropies(logits, targets.wanted)
    loss = (entropy * w).sum() / w.sum() + 1e-4 * (total * total).mean()
    if contrastive and len(targets.asked) > 4:
        queries = net.vectors(net.encode(batch, weights, alone=True), batch.request_row, targets.size)[targets.asked]
        tools = net.vectors(states[: batch.request_at], batch.tool_row, batch.tool_count)
        loss = loss + 0.2 * F.cross_entropy(queries @ tools.t() * net.model.log_temp.clamp(max=4.6).exp(), targets.meant)
    with torch.no_grad():
        wrong, none = best != targets.wanted, best == targets.none
        some = lambda flag: torch.zeros(targets.size, device=flag.device).index_add_(0, targets.answer_row, flag.float()) > 0
        figures = ~some(wrong), ~some(wrong & targets.naming), some(none & targets.deciding)
    return loss, entropy.detach().mean(), torch.stack(figures, 1)
