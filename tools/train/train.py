"""Trains a Needle: one process on a CPU, one GPU, or several by torchrun.

    python3 train.py --tokenizer nano.model --real 'data/*.train.jsonl.gz' --synthetic 'synth/*.jsonl' --minutes 100 --out run
    torchrun --nproc_per_node 8 train.py --device cuda --batch-tokens 131072 --geometry 8192,512,8,4,12,8 …

Muon on the attention projections, AdamW on the rest; cross-entropy weighted by token class, a small z-loss, and every fourth step the contrastive
loss. The rate warms up, then falls linearly to zero over --steps, over --minutes of *process time* (a run that was paused loses nothing), or until
the clock says --until (it ends in time whatever else the machine does; a resumed run spreads what is left of the schedule over the time that is left). `out/last.pt` is written every five minutes and continues with the same
command; `out/log.jsonl` has a line each --every steps. Weights are rounded as deployed from the first step on (README.md says why).
"""
import argparse
import contextlib
import itertools
import json
import os
import signal
import time
from dataclasses import fields
from datetime import datetime, timezone

import torch
import torch.distributed as dist
import torch.nn.functional as F

import apart
import data
import export
import fused
import layout
import shared
from model import PAD, Config, Needle


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", default="run", help="folder of checkpoint and log")
    p.add_argument("--tokenizer", required=True, help="SentencePiece model")
    p.add_argument("--real", default="", help="globs, parted by spaces, of JSONL files and of folders of lists, balanced by the root of their size")
    p.add_argument("--synthetic", default="", help="glob of JSONL files that make up --share of the examples")
    p.add_argument("--share", type=float, default=0.3)
    p.add_argument("--init", help="model.safetensors to start from")
    p.add_argument("--teacher", help="apart: model.safetensors whose answers, by its weights as they are, are learned in the place of the data's: recovers what rounding a mean costs")
    p.add_argument("--float", action="store_true", help="weights as they are, not rounded as deployed")
    p.add_argument("--geometry", default="", help="vocab,d,heads,kvHeads,encoderLayers,decoderLayers; default: nano")
    p.add_argument("--steps", type=int, help="length of the schedule in steps")
    p.add_argument("--halt", type=int, help="save and stop at this step, whatever the schedule says")
    p.add_argument("--minutes", type=float, default=60, help="or in minutes of process time (on a GPU, where that says little, use --steps)")
    p.add_argument("--until", type=clock, help="or until this time, UTC, as 2026-11-27T05:05")
    p.add_argument("--device", default="cpu")
    p.add_argument("--prompt", choices=("apart", "joint"), default="apart", help="how tools are shown: each on its own, or as one list with the request")
    p.add_argument("--batch", type=int, default=48, help="apart: examples a step and process")
    p.add_argument("--batch-tokens", type=int, default=13312, help="joint: padded encoder tokens a step and process")
    p.add_argument("--adam", type=float, default=1.5e-3)
    p.add_argument("--muon", type=float, default=0.015)
    p.add_argument("--warm", type=int, default=100, help="steps of warm-up")
    p.add_argument("--mean", type=int, default=0, help="steps over which a running mean of the weights goes, kept beside them for export.py --mean; 0: none")
    p.add_argument("--weights", default="1,1.5,1.25,2", help="loss weights: structure, names, keys, values")
    p.add_argument("--redress", type=float, default=1, help="strength of redressing; less towards a run's end brings examples as people said them")
    p.add_argument("--float32", action="store_true", help="nothing in bf16, as on a CPU that has no instructions for it")
    p.add_argument("--swap", type=float, default=0.0, help="apart: share of a corpus's examples with other names and titles of the same corpus")
    p.add_argument("--slip", type=float, default=0.0, help="apart: share of requests with a slip of the thumb or of the ear (slips.py)")
    p.add_argument("--long", type=float, default=0.0, help="apart: share of lists of 16 to 30 tools")
    p.add_argument("--workers", type=int, default=0, help="processes that make batches; a GPU needs some")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--every", type=int, default=50, help="steps a log line")
    p.add_argument("--save-seconds", type=float, default=300)
    return p.parse_args()


def clock(text):
    """2026-11-27T05:05, UTC -> seconds since 1970."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


def bf16_pays(device):
    """Whether products in bf16 are the faster ones: on a GPU, and on a CPU with instructions for them (avx512_bf16, amx_bf16, bf16)."""
    if device.type != "cpu":
        return True
    try:
        with open("/proc/cpuinfo") as file:
            return "bf16" in file.read()
    except OSError:
        return False


def orthogonal(g, dtype):
    """Muon's five Newton-Schulz steps towards the nearest orthogonal matrix, for each of g (n, out, in), computed in `dtype`."""
    x = g / (g.norm(dim=(1, 2), keepdim=True) + 1e-7)
    tall = x.shape[1] > x.shape[2]
    x = (x.mT if tall else x).to(dtype)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x.mT if tall else x).float()


class Optimizer:
    """Muon on the attention projections, AdamW on everything else."""

    def __init__(self, model, adam, muon, dtype, rank=0, world=1):
        self.matrices, self.rate, self.dtype = model.attention_matrices(), muon, dtype
        self.rank, self.world = rank, world
        chosen = set(map(id, self.matrices))
        self.rest = [p for p in model.parameters() if id(p) not in chosen]
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        self.mine = {}  # this process's share of the updates, by shape: a GPU makes those of one shape at once
        for i in range(rank, len(self.matrices), world):
            self.mine.setdefault(self.matrices[i].shape, []).append(i)
        self.adam = torch.optim.AdamW(self.rest, lr=adam, betas=(0.9, 0.98), weight_decay=0)
        self.adam_rate = adam

    @torch.no_grad()
    def step(self, factor):
        torch.nn.utils.clip_grad_norm_(self.rest, 1.0)
        for group in self.adam.param_groups:
            group["lr"] = self.adam_rate * factor
        self.adam.step()
        rate = self.rate * factor
        gradients = [p.grad for p in self.matrices]
        torch._foreach_mul_(self.momenta, 0.95)
        torch._foreach_add_(self.momenta, gradients)
        wanted = torch._foreach_add(gradients, self.momenta, alpha=0.95)
        torch._foreach_zero_(gradients)
        for some in self.mine.values():
            for i, update in zip(some, orthogonal(torch.stack([wanted[i] for i in some]), self.dtype)):
                self.matrices[i].grad = update
        share_gradients(self.matrices, self.world)
        for p in self.matrices:
            p.mul_(1 - 0.01 * rate).add_(p.grad, alpha=-rate * max(1, p.shape[0] / p.shape[1]) ** 0.5)

    def state(self):
        return {"adam": self.adam.state_dict(), "momenta": self.momenta}

    def restore(self, state):
        self.adam.load_state_dict(state["adam"])
        for m, saved in zip(self.momenta, state["momenta"]):
            m.copy_(saved)


def losses(model, batch, contrastive):
    """batch of data.Batches -> (loss to descend, mean cross-entropy, (answers, 1): whole?, teacher-forced). All stay on the device."""
    source, given, wanted, weight, queries, tools = batch
    embedding = model.embedding()
    states, bias = model.encode(source, embedding)
    real = wanted != PAD
    logits = (model.decode(given, states, bias, embedding)[real] @ embedding.t()).float()
    entropy = F.cross_entropy(logits, wanted[real], reduction="none")
    w = weight[real]
    loss = (entropy * w).sum() / w.sum() + 1e-4 * (logits.logsumexp(-1) ** 2).mean()
    if contrastive and len(queries) > 4:
        similarity = model.retrieve(queries, embedding) @ model.retrieve(tools, embedding).t() * model.log_temp.clamp(max=4.6).exp()
        own = torch.arange(len(queries), device=similarity.device)
        loss = loss + 0.05 * (F.cross_entropy(similarity, own) + F.cross_entropy(similarity.t(), own))
    right = torch.ones_like(real)
    right[real] = logits.argmax(-1) == wanted[real]
    return loss, entropy.detach().mean(), right.all(1, keepdim=True)


def build(a):
    """The network to train: that of --init, or a new one of --geometry."""
    if a.init:
        return export.load(a.init)
    values = map(int, a.geometry.split(",")) if a.geometry else ()
    return Needle(Config(**{f.name: v for f, v in zip(fields(Config), values)}))


def share_gradients(parameters, world):
    """Sums `.grad` over the processes, in place."""
    if world == 1:
        return
    flat = torch.cat([p.grad.reshape(-1) for p in parameters])
    dist.all_reduce(flat)
    for p, g in zip(parameters, flat.split([p.numel() for p in parameters])):
        p.grad.copy_(g.view_as(p))


def open_log(path, step):
    """Opens the log to append, without the lines of steps after the checkpoint: those steps are done again."""
    lines = []
    if os.path.exists(path):
        with open(path) as file:
            lines = [line for line in file if json.loads(line)["step"] <= step]
    file = open(path, "w")
    file.writelines(lines)
    # A run that is killed before its next line keeps these.
    file.flush()
    return file


def by_kind(rows):
    """rows of (kind, [whole, names right, refused]) -> {kind: [examples, share whole, …]}, by source and calls, and by length of list."""
    table = {}
    for (source, calls, tools), figures in rows:
        calls = ("none", "one", "more")[calls]
        size = "1-3" if tools < 4 else "4-7" if tools < 8 else "8+"
        for key in (source, f"{source} {calls}", f"{size} tools {'none' if calls == 'none' else 'some'}"):
            table.setdefault(key, []).append(figures)
    return {key: [len(some), *(round(sum(column) / len(some), 3) for column in zip(*some))] for key, some in sorted(table.items())}


def on_gpu(made, device):
    """Copies each batch, as flattened, by a stream of its own: on that of the kernels it would wait for them.

    No thread and no pinned memory: both were tried, neither was what made steps slow (README.md, run 12), and this needs neither.
    """
    side = torch.cuda.Stream(device)
    for block, ends, (flat, shape) in made:
        with torch.cuda.stream(side):
            there = torch.from_numpy(flat).to(device)
        now = torch.cuda.current_stream(device)
        now.wait_stream(side)
        there.record_stream(now)
        yield block, ends, layout.unflatten(there, shape)


def reserve(device, share=0.3):
    """Takes a share of the GPU's memory at once, for PyTorch to hand out: each batch has shapes of its own, and memory taken bit by bit is slow to come by."""
    torch.empty(int(torch.cuda.mem_get_info(device)[0] * share), dtype=torch.uint8, device=device)


class Trained:
    """The network with its batches, one way of showing tools or the other."""

    def __init__(self, a, model, tokenizer, dtype, device, world=1):
        self.model, self.dtype, self.device, self.apart = model, dtype, device, a.prompt == "apart"
        self.args, self.tokenizer, self.world = a, tokenizer, world
        self.real, self.synthetic = data.files_of("--real", a.real), data.files_of("--synthetic", a.synthetic)
        native = fused.Fused.of(model, dtype) if device.type == "cpu" and self.apart else None
        self.net = native or apart.Apart(model, dtype, fused=device.type == "cuda")
        self.teacher = self.taught_by(a.teacher) if a.teacher else None
        self.amp = contextlib.nullcontext if dtype == torch.float32 else lambda: torch.autocast(device.type, dtype)

    def taught_by(self, path):
        """-> the net of a file, with its weights as they are."""
        model = export.load(path).to(self.device).requires_grad_(False)
        export.check_finite(path, model.state_dict())
        ways = self.args.prompt, export.prompt_of(path)
        if ways != ("apart", "apart") or model.config.vocab_size != self.model.config.vocab_size:
            raise SystemExit(f"--teacher: expected {path} and the run to read tools apart by one vocabulary, got {ways[1]} and {ways[0]}, {model.config.vocab_size} and {self.model.config.vocab_size} pieces")
        model.quantised = False
        return type(self.net)(model, self.dtype, self.net.fused)

    def batches(self, worker=0, workers=1):
        """Reads the data and says how a block of it is made: all of it, or the part of one of several workers, who share the generated files."""
        a = self.args
        synthetic = self.synthetic[worker::workers] or self.synthetic[worker % max(1, len(self.synthetic)) :][:1]
        common = self.real, synthetic, a.share, self.tokenizer
        rest = tuple(map(float, a.weights.split(","))), a.seed, a.redress
        if self.apart:
            return shared.SharedBatches(*common, a.batch, *rest, long=a.long, world=self.world, swap=a.swap, slip=a.slip)
        return data.Batches(*common, a.batch_tokens, *rest)

    def stream(self, blocks, skip):
        """Yields (block, last of its block?, batch)."""
        if self.device.type != "cuda":
            return data.stream(self.batches, blocks, skip, self.args.workers)

        def flat_batches(*part):
            batches = self.batches(*part)
            return lambda block: [layout.flatten(batch) for batch in batches(block)]

        return on_gpu(data.stream(flat_batches, blocks, skip, self.args.workers), self.device)

    def losses(self, batch, contrastive):
        """-> (loss, mean cross-entropy, figures of each example, their kinds or None)."""
        if self.apart:
            return *apart.losses(self.net, *layout.convert(batch, self.device, self.dtype), contrastive, self.teacher), batch[1].kinds
        with self.amp():
            return *losses(self.model, layout.convert(batch, self.device, self.dtype), contrastive), None


def main():
    a = arguments()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    device = torch.device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if a.device == "cuda" else a.device)
    if device.type == "cuda":
        torch.cuda.set_device(device)
        reserve(device)
        torch.backends.cuda.enable_cudnn_sdp(False)  # it plans each new shape for tens of milliseconds, and every batch has new shapes
    else:
        torch.set_num_threads(1)  # two threads were slower than one, measured on 2 cores
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    torch.manual_seed(a.seed)
    os.makedirs(a.out, exist_ok=True)
    last = os.path.join(a.out, "last.pt")

    dtype = torch.float32 if a.float32 or not bf16_pays(device) else torch.bfloat16
    model = build(a).to(device)
    model.quantised = not a.float
    optimizer = Optimizer(model, a.adam, a.muon, dtype, rank, world)
    tokenizer = data.tokenizer_of(a.tokenizer, model.config.vocab_size)

    learned = {"teacher": a.teacher, "float": a.float}  # a resumed run's loss would be of another kind without a word

    # Where the run stands. A process takes every world-th block; `seconds` are of process time, those of earlier processes included.
    at = {"step": 0, "block": 0, "done_in_block": 0, "seconds": 0.0, "sums": [], "done": 0.0}
    if os.path.exists(last):
        saved = torch.load(last, map_location=device)
        if saved.get("learned", learned) != learned:
            raise SystemExit(f"{last}: expected to go on as it began, with {saved['learned']}, got {learned}; pass the same options, or another --out")
        model.load_state_dict(saved["model"])
        optimizer.restore(saved)
        at = {key: saved.get(key, value) for key, value in at.items()}
        if rank == 0:
            print(f"resumed {last} at step {at['step']}", flush=True)
    if world > 1:
        for p in model.parameters():
            dist.broadcast(p.data, 0)
    mean = {name: p.detach().clone() for name, p in model.named_parameters()} if a.mean and rank == 0 else {}
    for name, m in mean.items() if at["step"] else ():
        m.copy_(saved.get("mean", saved["model"])[name])
    log = open_log(os.path.join(a.out, "log.jsonl"), at["step"]) if rank == 0 else None

    def save():
        state = {"model": model.state_dict(), **optimizer.state(), "config": model.config.to_dict(), "prompt": a.prompt, "tokenizer": os.path.basename(a.tokenizer), "learned": learned, **at}
        if mean:
            state["mean"] = {**state["model"], **mean}
        torch.save(state, last + ".new")
        os.replace(last + ".new", last)

    for p in model.parameters():  # those that a step does not use have a gradient too
        p.grad = torch.zeros_like(p)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    trained = Trained(a, model, tokenizer, dtype, device, world)
    stream = trained.stream(itertools.count(at["block"] + rank, world), at["done_in_block"])
    began, saved_at = at["seconds"] - time.process_time(), time.time()
    done_before, started = at["done"], time.time()

    while True:
        at["seconds"] = began + time.process_time()
        halt = stopped or at["step"] == a.halt
        at["done"] = at["step"] / a.steps if a.steps else at["seconds"] / (60 * a.minutes)
        if a.until:
            at["done"] = done_before + (1 - done_before) * (time.time() - started) / (a.until - started)
        progress = 1.0 if halt else at["done"]
        if world > 1:
            told = torch.tensor([progress], device=device)
            dist.broadcast(told, 0)
            progress = told.item()
        if progress >= 1:
            break
        factor = min(1, (at["step"] + 1) / a.warm) * (1 - progress)
        block, ends, batch = next(stream)
        model.zero_grad(set_to_none=False)
        loss, entropy, figures, kinds = trained.losses(batch, at["step"] % 2 == 0)
        (loss / world).backward()
        share_gradients(list(model.parameters()), world)
        optimizer.step(factor)
        for name, p in model.named_parameters() if mean else ():
            mean[name].lerp_(p.detach(), 1 / min(at["step"] + 1, a.mean))

        at["step"] += 1
        at["block"], at["done_in_block"] = (block + world, 0) if ends else (block, at["done_in_block"] + 1)
        at["sums"].append((entropy, figures, kinds))
        if rank == 0 and at["step"] % a.every == 0:
            entropies, every, kinds = zip(*at["sums"])
            at["sums"] = []
            entropies, rows = torch.stack(entropies).tolist(), torch.cat(every).tolist()
            line = {"step": at["step"], "loss": round(sum(entropies) / len(entropies), 4), "exact": round(sum(row[0] for row in rows) / len(rows), 4),
                    "examples": len(rows), "rate": round(factor, 4), "seconds": round(at["seconds"])}
            if trained.apart:
                line["kinds"] = by_kind(zip(itertools.chain(*kinds), rows))
            print(json.dumps(line), file=log, flush=True)
        if rank == 0 and time.time() - saved_at > a.save_seconds:
            save()
            saved_at = time.time()
    if rank == 0:
        save()
        print(f"{'stopped' if halt else 'done'} at step {at['step']} after {at['seconds']:.0f} s of process time", flush=True)


if __name__ == "__main__":
    main()
