"""Trains five steps on twenty examples, tools shown either way, and checks that the loss falls, that a resumed run gives the same log, that the export
reads back, that an example costs the same loss alone as in company and by fused.c, whose gradients are PyTorch's, that requests which came by the list stand beside its tools, that joined requests
have both their tools, that other names in a request come from its own source and stand in the answer, that rounding with care moves products less and is what is deployed, and that two processes step as one.

    python3 smoke.py        (some fifteen seconds on one core; needs PyTorch, numpy and sentencepiece)
"""
import copy
import json
import os
import random
import subprocess
import sys
import tempfile

import torch
import torch.distributed as dist
from torch import multiprocessing

import data
import export
import joins
import layout
import rounding
import shared
import slips
import vocab
from apart import Apart, losses
from fused import Fused
from model import TOOL_CALL, TOOLS, Config, Needle, fake_int4
from train import Optimizer, bf16_pays, share_gradients

HERE = os.path.dirname(os.path.abspath(__file__))
LIST = [
    {"name": "set_timer", "description": "Start a countdown timer.", "parameters": {"minutes": {"type": "integer", "description": "Duration in minutes.", "required": True}}},
    {"name": "call_contact", "description": "Call someone.", "parameters": {"contact": {"type": "string", "description": "Whom to call.", "required": True}}},
]


def write_examples(path):
    r = random.Random(1)
    with open(path, "w") as file:
        for i in range(20):
            minutes, contact = r.randint(1, 60), r.choice(("Anna", "Ben", "my brother", "Zoë"))
            query, name, arguments = [(f"timer {minutes} minutes", "set_timer", {"minutes": minutes}), (f"call {contact}", "call_contact", {"contact": contact})][i % 2]
            answers = [{"name": name, "arguments": arguments}]
            if i < 10:  # values
                line = {"query": query, "tools": LIST, "answers": answers}
            else:  # or JSON in strings, as published
                line = {"query": query, "tools": json.dumps(LIST), "answers": json.dumps(answers)}
            print(json.dumps(line), file=file)


def train(folder, out, *more):
    """Runs train.py and returns its log without the times."""
    command = [sys.executable, f"{HERE}/train.py", "--out", f"{folder}/{out}", "--tokenizer", f"{folder}/v.model", "--real", f"{folder}/data.jsonl",
               "--geometry", "360,64,4,2,2,2", "--steps", "5", "--warm", "1", "--batch-tokens", "8192", "--batch", "20", "--every", "1", *more]
    subprocess.run(command, check=True)
    with open(f"{folder}/{out}/log.jsonl") as file:
        return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in file]


def company(folder):
    """-> the mean cross-entropies of three requests about two tools: one batch each, all in one, by fused.c, and by PyTorch's own attention; and how far apart
    the gradients of fused.c are, as a share of their size: in float32, in bf16; and the sizes of those by its own weights as teacher, unrounded and rounded."""
    tokenizer = data.Tokenizer(f"{folder}/v.model")
    torch.manual_seed(0)
    model = Needle(Config(360, 64, 4, 2, 2, 2))
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.1)
    tools = [[TOOLS] + tokenizer.encode(data.compact(tool)) for tool in LIST] + [[TOOLS, 9, 8, 7]]
    requests = [tokenizer.encode(text) for text in ("call Anna", "timer 5", "call my brother about the timer")]
    answers = [[TOOL_CALL] + tokenizer.encode(text) for text in ('[{"name":"call_contact"', "[]", '[{"name":"set_timer"}]' * 5)]  # the last is longer than a block of fused.c
    lists = [[1], [0, 2], [0, 1]]

    def cost(of, net=None, teacher=None):
        rows = layout.lay_out([requests[i] for i in of], tools, [lists[i] for i in of], [answers[i] for i in of], groups=2)
        members = [shared.Member(requests[i], answers[i], [1.0] * len(answers[i]), [], set(), None, ("real", 1)) for i in of]
        targets = shared.Targets.of(rows, members, lists, [-1] * len(of), (1, 1.5), -1)
        loss, entropy, _ = losses(net or Apart(model), *layout.convert((rows, targets), "cpu", torch.float32), False, teacher)
        model.zero_grad()
        loss.backward()
        return entropy * len(targets.real), len(targets.real)

    def gradient():
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])

    alone, together = [cost([i]) for i in range(3)], [cost([0, 1, 2])]
    more, apart, wanted = [], {torch.float32: 0.0, torch.bfloat16: 0.0}, gradient()
    for dtype in apart:
        if dtype == torch.bfloat16 and not bf16_pays(torch.device("cpu")):
            print("skipped: bf16 by fused.c: PyTorch emulates it on this CPU, and nothing trains in it")
            continue
        native = Fused.of(model, dtype)
        if native:
            costs = [cost([0, 1, 2], native)]
            more += [costs] if dtype == torch.float32 else []
            apart[dtype] = ((gradient() - wanted).norm() / wanted.norm()).item()
    if hasattr(torch.nn.functional, "scaled_dot_product_attention"):
        more.append([cost([0, 1, 2], Apart(model, fused=True))])
    sizes, teacher = [], copy.deepcopy(model)
    teacher.quantised = False
    for model.quantised in (False, True):  # beside the same weights as they are: the same net, and one that is rounded
        cost([0, 1, 2], teacher=Apart(teacher))
        sizes.append((gradient().norm() / wanted.norm()).item())
    return [sum(c for c, _ in costs) / sum(n for _, n in costs) for costs in (alone, together, *more)], *apart.values(), sizes


def by_the_list(folder):
    """Draws groups of requests from a folder with one list and checks which tools stand beside them."""
    stop = {"name": "stop_timer", "description": "End a countdown.", "parameters": {}}
    requests = [[f"timer {n} minutes", [["set_timer", {"minutes": n}]]] for n in range(1, 9)] + [["what a day", []]]
    os.mkdir(f"{folder}/lists")
    with open(f"{folder}/lists/one.json", "w") as file:
        json.dump({"tools": [*LIST, stop], "requests": requests}, file)
    batches = shared.SharedBatches([f"{folder}/lists"], [], 0, data.Tokenizer(f"{folder}/v.model"), 8, (1, 1.5, 1.25, 2), 1, redress=0)
    r, seen = random.Random(1), set()
    for _ in range(60):
        for query, answers, own, near in batches.group(r, False, False):
            names = sorted(t["name"] for t in own)
            case = "none" if query == "what a day" else "called" if answers else "away"
            seen.add((case, len(names)))
            assert case != "called" or "set_timer" in names, f"expected the tool that is called, got {names}"
            assert case != "away" or set(names) <= {"call_contact"}, f"expected no tool like the one that was taken away, got {names}"
            assert case != "none" or near is None, "expected no stranger where nothing of the list fits"
    assert {("called", 3), ("called", 1), ("away", 1), ("none", 3)} <= seen, f"expected whole lists and parts of them, got {sorted(seen)}"


def in_one_breath(folder):
    """Joins requests and checks what is said, that both tools are there, that the same seed says the same, and that one tool is refused."""
    assert joins.said("Lights off.", "Call Bo", " and ") == "Lights off and call Bo" and joins.said("stop", "I am out", ", then ") == "stop, then I am out"
    for out in ("once", "again"):
        subprocess.run([sys.executable, f"{HERE}/joins.py", "30", "1", f"{folder}/{out}.jsonl", f"{folder}/data.jsonl"], check=True)
    once, again = (list(data.read_examples(f"{folder}/{out}.jsonl")) for out in ("once", "again"))
    assert len(once) == 30 and once == again, "expected 30 joined requests, the same for the same seed"
    for query, tools, answers in once:
        called = {a["name"] for a in answers}
        assert len(called) == 2 and called <= {t["name"] for t in tools}, f"expected two calls of tools that are shown, got {query!r}: {answers}"
    with open(f"{folder}/data.jsonl") as file, open(f"{folder}/timers.jsonl", "w") as timers:
        timers.writelines(line for line in file if "timer" in json.loads(line)["query"])
    alone = subprocess.run([sys.executable, f"{HERE}/joins.py", "1", "1", f"{folder}/once.jsonl", f"{folder}/timers.jsonl"], capture_output=True, text=True, timeout=60)
    assert alone.returncode == 1 and "got 10 for 1" in alone.stderr, f"expected requests of one tool to be refused, got {alone.stderr!r}"


def names_of_its_own():
    """Puts other names into requests of one of two sources; a time, which is said again and again, stays."""
    when = {**LIST[1], "parameters": {**LIST[1]["parameters"], "at": {"type": "string"}}}
    crowds = [[(f"call {c}{i} at noon", [when], [{"name": "call_contact", "arguments": {"contact": f"{c}{i}", "at": "noon"}}]) for i in range(30)] for c in ("Ann", "Bo")]
    r = random.Random(1)
    redress = data.Redresser(crowds, [], r)
    swapped = [redress.swap_values(q, t, a, r, redress.own[id(crowds[0])]) for q, t, a in crowds[0]]
    named = [a[0]["arguments"]["contact"] for _, a in swapped]
    assert all(q == f"call {n} at noon" and n.startswith("Ann") for (q, _), n in zip(swapped, named)), f"expected names of the source, got {swapped}"
    assert sum(n != f"Ann{i}" for i, n in enumerate(named)) > 20, "expected other names in most requests"


def with_slips():
    """Slips in requests: what is copied is copied with its slip; numbers, negations and what an enum lists stay as meant."""
    tool = {"name": "send_text", "parameters": {"to": {"type": "string"}, "room": {"type": "string", "enum": ["kitchen", "bedroom"]}, "count": {"type": "integer"}}}
    answers = [{"name": "send_text", "arguments": {"to": "Margaret Miller", "room": "kitchen", "count": 12}}]
    request, r = "send Margaret Miller not the kitchen message for 12 times", random.Random(1)
    made = [slips.slipped(r, request, answers, [tool]) for _ in range(200)]
    assert any(text.islower() and a["arguments"]["to"].islower() for text, [a] in made), "expected some without capitals"
    for text, [answer] in made:
        given = answer["arguments"]
        assert given["to"] in text and given["room"] == "kitchen" and given["count"] == 12, f"expected values as the request has them, got {text!r}: {given}"
        assert " not " in text and "12 times" in text, f"expected numbers and negations to stay, got {text!r}"
    assert len({text for text, _ in made}) > 60 and any(a["arguments"]["to"] != "Margaret Miller" for _, [a] in made), f"expected slips, got {made[:9]}"
    assert any("kitchen" not in text for text, _ in made), "expected slips in what an enum lists"
    assert slips.slipped(r, "12 34", [], []) == ("12 34", []), "expected a request without words to stay"


def rounded_with_care(folder):
    """Rounds a model so that its products move least, and checks that they move less than by plain rounding, and that rounding it again changes nothing."""
    torch.manual_seed(0)
    model = export.load(f"{folder}/model.safetensors")
    share = rounding.round_model(model, shared.SharedBatches([f"{folder}/data.jsonl"], [], 0, data.Tokenizer(f"{folder}/v.model"), 8, (1, 1, 1, 1), 1, redress=0)(0))
    assert share < 0.7, f"expected products to move by less than plain rounding moves them, got {share} of it"
    for p in model.attention_matrices():
        again = (fake_int4(p) - p).abs().max().item() / p.abs().max().item()
        assert again < 1e-6, f"expected weights that are rounded to be what int4 stores, got them to move by {again}"


def shared_step(rank, world, folder):
    """One step of Muon and AdamW on gradients that the processes share; every process writes what it has then."""
    if world > 1:
        dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)
    torch.manual_seed(0)
    model = Needle(Config(360, 64, 4, 2, 2, 2))
    optimizer = Optimizer(model, 1e-2, 1e-2, torch.float32, rank, world)
    for p in model.parameters():
        p.grad = torch.randn_like(p) / world
    share_gradients(list(model.parameters()), world)
    optimizer.step(1.0)
    torch.save(model.state_dict(), f"{folder}/{rank}-of-{world}.pt")
    if world > 1:
        dist.barrier()  # a process that leaves takes the other's connection away
        dist.destroy_process_group()


def data_that_is_not_there(folder):
    """A glob that finds nothing, beside one that does, and an empty request end in what says where."""

    def says(act):
        try:
            return act()
        except (SystemExit, ValueError) as error:
            return str(error)

    empty = f"{folder}/empty.jsonl"
    with open(empty, "w") as file:
        file.write('{"query": " ", "tools": [], "answers": []}\n')
    missing = says(lambda: data.files_of("--real", f"{folder}/*.jsonl {folder}/none/*.gz"))
    assert "--real" in missing and f"{folder}/none/*.gz" in missing, f"expected the glob that finds nothing, got {missing}"
    said = says(lambda: list(data.read_examples(empty)))
    assert f"{empty}:1" in said, f"expected the line with the empty request, got {said}"


def arguments_in_order():
    """However an example has its arguments, they are learned in the order of the tool's parameters; what the tool does not have comes last."""
    tools = [{"name": "book_ferry", "parameters": {"from": {}, "to": {}, "day": {}}}]
    (call,) = data.in_order(tools, [{"name": "bookFerry", "arguments": {"else": 1, "day": "Friday", "to": "Mull", "from": "Oban"}}])
    got = call["name"], list(call["arguments"])
    assert got == ("book_ferry", ["from", "to", "day", "else"]), f"expected the tool's own order, got {got}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        write_examples(f"{folder}/data.jsonl")
        vocab.train(f"{folder}/v", 360, [f"{folder}/data.jsonl"])
        joint = train(folder, "joint", "--prompt", "joint")
        whole = train(folder, "whole", "--mean", "2")
        first = train(folder, "parts", "--mean", "2", "--halt", "3")
        parts = train(folder, "parts", "--mean", "2")
        means = [torch.load(f"{folder}/{name}/last.pt")["mean"] for name in ("whole", "parts")]
        apart_by = max((one - other).abs().max().item() for one, other in zip(*(m.values() for m in means)))
        assert apart_by < 1e-6, f"expected the running mean of a resumed run to be that of the whole one, got them {apart_by} apart"
        subprocess.run([sys.executable, f"{HERE}/export.py", f"{folder}/whole/last.pt", f"{folder}/model.safetensors"], check=True)
        subprocess.run([sys.executable, f"{HERE}/grow.py", f"{folder}/model.safetensors", f"{folder}/grown.safetensors"], check=True)
        before, after = (export.load(f"{folder}/{name}.safetensors") for name in ("model", "grown"))
        assert after.config.num_encoder_layers == before.config.num_encoder_layers + 1, "expected one encoder layer more"
        states, same = (model.encode(torch.arange(8, 24)[None], model.embedding())[0] for model in (before, after))
        changed = ((same - states).norm() / states.norm()).item()
        assert changed < 0.02, f"expected the layer more to change next to nothing, got encoder states {changed} apart"
        assert export.prompt_of(f"{folder}/model.safetensors") == "apart", "expected the export to say how tools were shown"
        train(folder, "taught", "--init", f"{folder}/model.safetensors", "--teacher", f"{folder}/model.safetensors", "--float")
        costs, apart, narrowed, taught = company(folder)
        by_the_list(folder)
        in_one_breath(folder)
        names_of_its_own()
        with_slips()
        data_that_is_not_there(folder)
        arguments_in_order()
        rounded_with_care(folder)
        shared_step(0, 1, folder)
        multiprocessing.spawn(shared_step, (2, folder), 2)
        alone, *together = (torch.load(f"{folder}/{name}.pt") for name in ("0-of-1", "0-of-2", "1-of-2"))
    for way, log in ("joint", joint), ("apart", whole):
        falls = [line["loss"] for line in log]
        print(way, "loss", *falls)
        assert len(falls) == 5 and falls[-1] < falls[0] - 0.1, f"expected the {way} loss to fall over 5 steps, got {falls}"
    assert max(costs) - min(costs) < 1e-4, f"expected examples to cost the same alone, in company, by fused.c and by PyTorch's own attention, got {costs}"
    assert apart < 1e-4, f"expected the gradients of fused.c to be PyTorch's, got them {apart} apart"
    assert narrowed < 0.007, f"expected the gradients of fused.c to be nearly PyTorch's in bf16, got them {narrowed} apart"
    assert taught[0] < 0.01 and taught[1] > 5 * taught[0], f"expected a net to learn nothing of itself and something once it is rounded, got gradients of {taught}"
    assert len(first) == 3 and parts == whole, f"expected the resumed log to equal the whole one, got {parts} and {whole}"
    for shared in together:
        worst = max((shared[name] - p).abs().max().item() for name, p in alone.items())
        assert worst < 1e-5, f"expected two processes to take the step of one, got {worst} apart"
    print("smoke: loss falls, resumed log is the same, export reads back, company changes nothing, lists stay whole, two processes step as one")


if __name__ == "__main__":  # a spawned process reads this file again
    main()
