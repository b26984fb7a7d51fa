"""Thins a folder of lists (data.read_list) to what a model has not learned: a request that it has right already teaches little.

    python3 hard.py default.safetensors nano.model hand hard

Each request is answered teacher-forced, beside its whole list. Kept are those whose answer is wrong anywhere, three of four whose worst token cost
more than 0.3 nats, one of four others. Some 500 requests a second on two cores for two processes, each with a part of the lists (--part 0/2, 1/2).
"""
import argparse
import glob
import json
import os
import random

import torch
import torch.nn.functional as F

import data
import export
import fused
import layout
from apart import Apart
from model import EOS, TOOL_CALL, TOOLS
from shared import MAX_REQUEST, MAX_TOOL

AT_ONCE = 96
UNSURE, KEEP_UNSURE, KEEP_SURE = 0.3, 0.75, 0.25


def answered(net, weights, tokenizer, tools, examples):
    """tools (ids), examples of one list -> for each (whole?, the worst token's cross-entropy)."""
    answers = [[TOOL_CALL] + tokenizer.encode(data.classes(calls, (1, 1, 1, 1))[0]) for _, _, calls in examples]
    requests = [tokenizer.encode(query) for query, _, _ in examples]
    batch = layout.lay_out(requests, tools, [list(range(len(tools)))] * len(examples), answers, groups=4)
    real, wanted, row, at = [], [], [], 0
    for group in batch.groups:
        for j in group.order.tolist():
            n = len(answers[j]) + 1
            real += range(at, at + n)
            wanted += answers[j] + [EOS]
            row += [j] * n
            at += group.length
    batch, wanted = layout.convert(batch, "cpu", net.dtype), torch.tensor(wanted)
    hidden = net.answered(batch, net.memory(net.encode(batch, weights), weights), weights, torch.tensor(real))
    logits = (hidden @ weights[1].t()).float()
    figures = [[True, 0.0] for _ in examples]
    for j, right, cost in zip(row, (logits.argmax(-1) == wanted).tolist(), F.cross_entropy(logits, wanted, reduction="none").tolist()):
        figures[j] = [figures[j][0] and right, max(figures[j][1], cost)]
    return figures


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("tokenizer")
    p.add_argument("lists", help="folder")
    p.add_argument("out", help="folder")
    p.add_argument("--part", default="0/1", help="which lists of how many parts, for several processes")
    a = p.parse_args()
    torch.set_num_threads(1)
    part, parts = map(int, a.part.split("/"))
    model, tokenizer = export.load(a.model).eval(), data.Tokenizer(a.tokenizer)
    net = fused.Fused.of(model, torch.float32) or Apart(model)
    os.makedirs(a.out, exist_ok=True)
    total = kept = 0
    with torch.no_grad():
        weights = net.weights()
        for path in sorted(glob.glob(os.path.join(a.lists, "*.json")))[part::parts]:
            with open(path, encoding="utf-8") as file:
                whole = json.load(file)
            examples = list(data.read_list(path))
            tools = [ids for t in examples[0][1] if len(ids := [TOOLS] + tokenizer.encode(data.compact(t))) <= MAX_TOOL] or [[TOOLS]]
            r, keep = random.Random(os.path.basename(path)), []
            for start in range(0, len(examples), AT_ONCE):
                some = [i for i in range(start, min(start + AT_ONCE, len(examples))) if len(tokenizer.encode(examples[i][0])) < MAX_REQUEST]
                for i, (right, worst) in zip(some, answered(net, weights, tokenizer, tools, [examples[i] for i in some])):
                    if not right or r.random() < (KEEP_UNSURE if worst > UNSURE else KEEP_SURE):
                        keep.append(whole["requests"][i])
            total, kept = total + len(examples), kept + len(keep)
            if len(keep) > 1:
                with open(os.path.join(a.out, os.path.basename(path)), "w", encoding="utf-8") as file:
                    json.dump({"tools": whole["tools"], "requests": keep}, file, ensure_ascii=False)
    print(f"{kept} of {total} requests kept")


if __name__ == "__main__":
    main()
