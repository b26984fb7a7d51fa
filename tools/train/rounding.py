"""Rounds a model's matrices to what int4 stores, so that its answers change least: what a mean of weights (average.py) loses by plain rounding.

    python3 rounding.py averaged.safetensors nano.model 'data/*.train.jsonl.gz hand' default.safetensors

A group's scale is the one of SCALES that moves the products of real inputs least; then each weight is rounded in turn, those with the greatest inputs
first, and what that moves the products by is made up for by the weights that are still to come (Frantar et al. 2022, arXiv:2210.17323). The inputs are those of a pass over
batches of examples as in training. The file's weights are already rounded, as F16: `thimble build` finds the same integers. One core does it in some two minutes.
"""
import argparse

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

import data
import export
import layout
import shared
from apart import Apart
from model import GROUP, PAD, fake_int4

SCALES = (1, 0.97, 0.94, 0.91, 0.88, 0.85, 0.8)  # of the greatest weight / 7: a few weights cut off may cost less than all others coarser
DAMPING = 0.01  # of the inputs' mean square, so that directions in which nothing was seen are not taken for free


class Inputs(TorchFunctionMode):
    """Sums of xᵀx (in, in) over the inputs x of each product, in the order in which a pass makes them. Rows that are not `real` are padding."""

    def __init__(self):
        super().__init__()
        self.sums, self.at, self.real = {}, 0, None

    def __torch_function__(self, function, types, arguments=(), named=None):
        if function is F.linear:
            x = arguments[0][self.real]
            self.sums[self.at] = self.sums.get(self.at, 0) + x.t() @ x
            self.at += 1
        return function(*arguments, **(named or {}))


def products(model):
    """-> the matrices of each product of a pass, in its order: Apart.encode, memory, decode, vectors."""
    own = lambda a: ([a.q_proj.weight, a.k_proj.weight, a.v_proj.weight], [a.out_proj.weight])
    encoder, decoder = model.model.encoder.layers, model.model.decoder.layers
    cross = [layer.encoder_attn for layer in decoder]
    passes = [part for layer in encoder for part in own(layer.self_attn)] + [[a.k_proj.weight, a.v_proj.weight] for a in cross]
    for layer, a in zip(decoder, cross):
        passes += [*own(layer.self_attn), [a.q_proj.weight], [a.out_proj.weight]]
    return passes + [[model.contrastive_hidden.weight], [model.contrastive_proj.weight]]


@torch.no_grad()
def inputs(model, batches):
    """batches of shared.SharedBatches -> for each of `products`, xᵀx (in, in), by the weights as they are."""
    net, seen = Apart(model), Inputs()
    weights = net.weights()
    for rows, targets in batches:
        batch = layout.convert(rows, "cpu", torch.float32)
        alone = net.encode(batch, weights, alone=True)
        with seen:
            seen.at, seen.real = 0, batch.ids != PAD
            states = net.encode(batch, weights)
            memory = net.memory(states, weights)
            seen.real = batch.given != PAD
            net.decode(batch, memory, weights)
            head, seen.real = seen.at, slice(None)
            net.vectors(states[: batch.request_at], batch.tool_row, batch.tool_count)
            seen.at = head
            net.vectors(alone, batch.request_row, targets.size)
    return [seen.sums[i] for i in range(seen.at)]


def scales(w, h):
    """w (out, in), h (in, in) -> the scale of each weight (out, in), one a group, and which weight of its group is the greatest, whose integer is ±7 whatever comes."""
    groups, cost = w.view(len(w), -1, GROUP), h.diag().view(1, -1, GROUP)
    most = (groups.abs().amax(-1, keepdim=True) / 7).clamp_min(1e-8)
    tried = [most * share for share in SCALES]
    moved = torch.stack([(((groups / s).round().clamp(-7, 7) * s - groups) ** 2 * cost).sum(-1, keepdim=True) for s in tried])
    best = torch.stack(tried).gather(0, moved.argmin(0, keepdim=True))[0]
    greatest = torch.zeros_like(groups, dtype=torch.bool).scatter_(2, groups.abs().argmax(-1, keepdim=True), True)
    return best.expand_as(groups).reshape(w.shape), greatest.view(w.shape)


def rounded(w, h):
    """w (out, in), h = xᵀx (in, in) of its inputs -> w as int4 stores it."""
    w, h = w.double(), h.double()
    h = h + (DAMPING * h.diag().mean()).clamp_min(1e-12) * torch.eye(len(h), dtype=h.dtype)  # some checkpoints' heads see nothing
    order = h.diag().argsort(descending=True)
    scale, greatest = (t[:, order] for t in scales(w, h))
    w, result = w[:, order], torch.empty_like(w)
    to_come = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h[order][:, order]))).t()
    for j in range(w.shape[1]):
        now, unit = w[:, j], scale[:, j]
        integer = torch.where(greatest[:, j], 7 * now.sign(), (now / unit).round().clamp(-7, 7))
        result[:, order[j]] = stored = integer * unit
        w = w - ((now - stored) / to_come[j, j])[:, None] * to_come[j]
    return result.float()


@torch.no_grad()
def round_model(model, batches):
    """Rounds its matrices in place. -> the square of what the products move by, as a share of that by plain rounding; both summed over all."""
    model.quantised = False
    moved = lambda w, new, h: (((w - new) @ h) * (w - new)).sum().item()
    done = plain = 0.0
    for matrices, h in zip(products(model), inputs(model, batches)):
        for p in matrices if len(h) % GROUP == 0 else ():  # others are not rounded
            new = rounded(p, h)
            done, plain = done + moved(p, new, h), plain + moved(p, fake_int4(p), h)
            p.copy_(new)
    model.quantised = True
    return done / plain


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", help="safetensors")
    p.add_argument("tokenizer", help="SentencePiece model")
    p.add_argument("real", help="examples as for train.py --real")
    p.add_argument("out", help="safetensors to write")
    p.add_argument("--batches", type=int, default=50, help="of 64 examples")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    model, (tensors, about) = export.load(a.model).eval(), export.read_safetensors(a.model)
    real = data.files_of("examples", a.real)
    if not real:
        raise SystemExit("examples: expected files or folders of lists, found nothing at an empty text")
    if a.batches < 1:
        raise SystemExit(f"--batches: expected at least 1, got {a.batches}")
    if model.config.d_model % GROUP:
        raise SystemExit(f"{a.model}: expected a width that is a multiple of {GROUP}, got {model.config.d_model}")
    export.check_finite(a.model, tensors)
    if export.prompt_of(a.model) != "apart":
        raise SystemExit(f"{a.model}: expected a model that reads its tools apart, got one with them in its prompt")
    tokenizer = data.tokenizer_of(a.tokenizer, model.config.vocab_size)
    source = shared.SharedBatches(real, [], 0, tokenizer, 64, (1, 1, 1, 1), a.seed, redress=0)
    batches, block = [], 0
    while len(batches) < a.batches:
        batches, block = batches + source(block), block + 1
    share = round_model(model, batches[: a.batches])
    about["note"] = f"{about.get('note', a.model)}, rounded by rounding.py"
    export.write_safetensors(a.out, {name: model.state_dict()[name] for name in tensors}, about)
    print(f"products move by {share:.2f} of what they do by plain rounding (squares)")


if __name__ == "__main__":
    main()
