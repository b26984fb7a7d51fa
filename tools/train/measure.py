"""Measures a model.safetensors on JSONL sets: greedy, no grammar, weights as deployed, float32, tools shown as the model was trained to see them.

    python3 measure.py model.safetensors nano.model 'data/*.dev.jsonl.gz' [--count 60] [--oracle oracle.json]

A quick check while training; `thimble eval` measures what users get (the packed model in the runtime, with the grammar). `--oracle` also writes, for
five examples of each set, the prompt's ids, the greedy ids, the gap between best and second logit at every step and the text: fixtures for a runtime.
"""
import argparse
import glob
import json
from collections import Counter
from dataclasses import replace

import torch

import data
import export
import layout
from apart import Apart
from model import EOS, TOOL_CALL, TOOLS

MAX_NEW = 120


def answer(step, count):
    """step(ids so far of every answer, indices of the live ones) -> the live ones' logits. -> ids up to EOS and the gaps of every answer, greedy."""
    ids, gaps, live = [[EOS] for _ in range(count)], [[] for _ in range(count)], list(range(count))
    for _ in range(MAX_NEW):
        best = step([ids[i] for i in live], live).topk(2)
        for i, token, (first, second) in zip(live, best.indices[:, 0].tolist(), best.values.tolist()):
            ids[i].append(token)
            gaps[i].append(round(first - second, 4))
        live = [i for i in live if ids[i][-1] != EOS]
        if not live:
            break
    return [i[1:] for i in ids], gaps


@torch.no_grad()
def greedy_joint(model, prompts):
    """prompts (lists of ids) -> what `answer` gives. Recomputes the prefix: plain, and quick enough."""
    embedding = model.embedding()
    source = torch.from_numpy(data.pad(prompts))
    states, bias = model.encode(source, embedding)
    bias = bias.view(len(prompts), -1, 1, source.shape[1])

    def step(ids, live):
        return model.decode(torch.tensor(ids), states[live], bias[live].flatten(0, 1), embedding)[:, -1] @ embedding.t()

    return answer(step, len(prompts))


@torch.no_grad()
def greedy_apart(model, prompts):
    """prompts (lists of request ids and lists of tool ids) -> what `answer` gives."""
    net = Apart(model)
    number = {}
    lists = [[number.setdefault(tuple(tool), len(number)) for tool in tools] for _, tools in prompts]
    requests = [request for request, _ in prompts]
    batch = layout.convert(layout.lay_out(requests, [list(tool) for tool in number] or [[TOOLS]], lists), "cpu", net.dtype)
    weights = net.weights()
    memory = net.memory(net.encode(batch, weights), weights)
    (group,) = batch.groups
    seen = group.seen.view(len(prompts), -1)
    place = {example: row for row, example in enumerate(group.order.tolist())}

    def step(ids, live):
        rows, length = [place[i] for i in live], len(ids[0])
        now = replace(group, seen=seen[rows].flatten(), bias=group.bias[rows], length=length)
        given = replace(batch, groups=[now], given=torch.tensor(ids).flatten(), answer_positions=torch.arange(length).repeat(len(live)))
        return net.decode(given, memory, weights).view(len(live), length, -1)[:, -1] @ weights[1].t()

    return answer(step, len(prompts))


def calls_of(text):
    """The answer's calls as hashable texts, or None where it does not parse."""
    try:
        return [(c["name"], json.dumps(c["arguments"], sort_keys=True)) for c in json.loads(text)]
    except (ValueError, KeyError, TypeError):
        return None


def f1(pairs):
    """Micro F1 over (wanted, got) lists."""
    hits = sum(sum((Counter(w) & Counter(g)).values()) for w, g in pairs)
    total = sum(len(w) + len(g) for w, g in pairs)
    return 2 * hits / total if total else 1.0


def score(pairs):
    """pairs of (wanted calls, got calls or None) -> the figures."""
    n, safe = len(pairs), [(w, g or []) for w, g in pairs]
    none, some = [g for w, g in pairs if not w], [g for w, g in pairs if w]
    names = [([c[0] for c in w], [c[0] for c in g]) for w, g in safe]
    return {
        "exact": sum(g is not None and Counter(w) == Counter(g) for w, g in pairs) / n,
        "names": sum(Counter(w) == Counter(g) for w, g in names) / n,
        "call_f1": f1(safe),
        "name_f1": f1(names),
        "parsed": sum(g is not None for _, g in pairs) / n,
        "none_recall": sum(g == [] for g in none) / len(none) if none else None,
        "false_refusals": sum(g == [] for g in some) / len(some) if some else None,
        "none": len(none),
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("tokenizer")
    p.add_argument("sets", help="glob")
    p.add_argument("--count", type=int, default=60, help="examples of each set")
    p.add_argument("--spread", action="store_true", help="take them from all over the set, not from its start")
    p.add_argument("--prompt", choices=("apart", "joint"), help="how tools are shown, where the file does not say")
    p.add_argument("--json", help="where to write the figures")
    p.add_argument("--oracle", help="where to write fixtures")
    a = p.parse_args()
    torch.set_num_threads(1)
    model, tokenizer, figures, cases, everything = export.load(a.model).eval(), data.Tokenizer(a.tokenizer), {}, [], []
    apart = a.prompt == "apart" if a.prompt else export.prompt_of(a.model) == "apart"
    print(f"{'set':16s} exact names call_f1 name_f1 parsed none_recall false_refusals")
    for path in sorted(glob.glob(a.sets)):
        name = path.split("/")[-1].split(".")[0]
        examples = list(data.read_examples(path))
        examples = examples[:: max(1, len(examples) // a.count) if a.spread else 1][: a.count]
        if apart:
            prompts = [(tokenizer.encode(query), [[TOOLS] + tokenizer.encode(data.compact(tool)) for tool in tools]) for query, tools, _ in examples]
        else:
            prompts = [data.encode(e, tokenizer)[0] for e in examples]
        results = []
        for i in range(0, len(prompts), 30):
            results += zip(*(greedy_apart if apart else greedy_joint)(model, prompts[i : i + 30]))
        texts = [tokenizer.sp.DecodeIds([t for t in ids if t not in (TOOL_CALL, EOS)]) for ids, _ in results]
        pairs = [(calls_of(json.dumps(answers)), calls_of(text)) for (_, _, answers), text in zip(examples, texts)]
        everything += pairs
        figures[name] = score(pairs)
        print(f"{name:16s} " + " ".join("  -  " if v is None else f"{v:.3f}" for v in list(figures[name].values())[:-1]), flush=True)
        for (query, tools, answers), prompt, (ids, gaps), text in list(zip(examples, prompts, results, texts))[:5]:
            shown = dict(zip(("query_ids", "tool_ids"), prompt)) if apart else {"encoder_ids": prompt}
            cases.append({"query": query, "tools": tools, "answers": answers, "source": name, **shown, "int4": {"ids": ids, "gaps": gaps, "text": text}})
    figures["all"] = score(everything)
    print(f"{'all':16s} " + " ".join(f"{v:.3f}" for v in list(figures["all"].values())[:-1]))
    inside = [f["call_f1"] for name, f in figures.items() if name not in ("all", "unseen")]
    print(f"mean call F1 of the {len(inside)} in-domain sets: {sum(inside) / len(inside):.3f}")
    if a.json:
        json.dump(figures, open(a.json, "w"), indent=1)
    if a.oracle:
        about = "Greedy decoding without a grammar by tools/train/measure.py (PyTorch, float32): projections fake-int4 (groups of 32 along the input, " \
                "float32 scales), embedding int8 per row (max/127, round half to even). gaps: top-1 minus top-2 logit."
        json.dump({"about": about, "cases": cases}, open(a.oracle, "w"))


if __name__ == "__main__":
    main()
