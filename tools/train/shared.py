"""Batches whose examples share tools, for tools read apart: several requests of one dress of a tool, strangers from the same batch.

A list of tools costs the rows of the tools that no other list of the batch holds, so lists are filled from the batch for nothing. What is drawn by example, not by
group of requests: the share of generated ones, and of those where nothing fits.
"""
import random
from dataclasses import dataclass

import numpy as np
import torch

import data
from apart import TOOL_AT
from model import BLOCKED, EOS, PAD, TOOL_CALL, TOOLS

MAX_TOOL, MAX_REQUEST, MAX_ANSWER, MAX_LIST = 200, 110, 110, 560  # ids; longer examples are skipped, lists are filled up to MAX_LIST
SIZES = (1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 10, 12)  # tools in a list
OWN = (0, 1, 1, 1, 2, 2, 3, 4)  # of them from the example's own list, beside the right ones
NONE = 0.11  # examples where nothing fits
POOL = 8  # batches sorted together


@dataclass
class Member:
    """One example of a batch."""

    request: list  # ids
    answer: list  # ids
    weight: list  # of each answer id in the loss
    tools: list  # its own
    near: set  # stems no stranger may share; None where strangers could fit
    meant: str  # compact JSON of the one tool that is called, or None
    kind: tuple  # ("real" or "made", calls: 0, 1 or 2 for more)
    index: int = 0


class SharedBatches:
    """batches(block) -> list of Batch. Sources are drawn by the root of their size, as in data.Batches; everything random comes from (seed, block)."""

    def __init__(self, real, synthetic, share, tokenizer, per_batch, weights, seed, redress=1.0, mates=4):
        self.real, self.made = ([list(data.read_examples(p)) for p in group] for group in (real, synthetic))
        if not self.real + self.made:
            raise ValueError("--real, --synthetic: expected at least one file, got none; check the globs")
        self.share = share if self.real and self.made else float(bool(self.made))
        self.tokenizer, self.weights, self.seed, self.per_batch, self.mates = tokenizer, weights, seed, per_batch, mates
        self.redress = data.Redresser(self.real, self.made, random.Random(f"{seed}/pool"), redress)
        self.calling = {id(s): ([e for e in s if e[2]], [e for e in s if not e[2]]) for s in self.real + self.made}
        self.kin = {id(s): self.by_tools(s) for s in self.real}
        self.none = tokenizer.encode("[]")[0]
        self.cache = {}

    @staticmethod
    def by_tools(source):
        """{the called tools as shown: examples}: requests that can share them."""
        kin = {}
        for example in source:
            if example[2]:
                kin.setdefault(right_key(example), []).append(example)
        return kin

    def ids(self, tool):
        """(compact JSON, ids) of a tool."""
        key = data.compact(tool)
        ids = self.cache.get(key)
        if ids is None:
            if len(self.cache) > 200000:
                self.cache.clear()
            ids = self.cache[key] = [TOOLS] + self.tokenizer.encode(key)
        return key, ids

    def group(self, r, made, none):
        """Draws requests that share tools -> list of (request, answers, own tools, near)."""
        red, chance = self.redress, lambda p: r.random() < p * self.redress.strength
        pool = self.made if made else self.real
        source = r.choices(pool, [len(s) ** 0.5 for s in pool])[0]
        calling, nothing = self.calling[id(source)]
        natural = none and nothing and (not calling or r.random() < (0.3 if made else 0.5))  # else the right tool is taken away
        some = nothing if natural else calling
        if not some:
            return []
        anchor = query, tools, answers = r.choice(some)
        if none and len(answers) > 1:
            return []
        wanted = {c["name"] for c in answers}
        right, rest = [t for t in tools if t["name"] in wanted], [t for t in tools if t["name"] not in wanted]
        r.shuffle(rest)
        rest = rest[: r.randint(1, 8) if natural else r.choice(OWN)]
        members = [anchor]
        if answers and not none and not made:
            kin = self.kin[id(source)][right_key(anchor)]
            members += [e for e in r.sample(kin, min(len(kin), self.mates - 1)) if e[0] != query]
        members = [red.swap_values(q, right + rest, a, r) if chance(0.4) else (q, a) for q, _, a in members]
        keep = right + rest
        if chance(0.20):
            keep, renamed = red.rename(keep, [c for _, a in members for c in a], r)
            renamed = iter(renamed)
            members = [(q, [next(renamed) for _ in a]) for q, a in members]
        elif chance(0.12):  # names alone must do
            keep = [{k: v for k, v in t.items() if k != "description"} for t in keep]
        elif chance(0.06):
            keep = [{**t, "parameters": {k: {a: b for a, b in p.items() if a != "description"} for k, p in t["parameters"].items()}} for t in keep]
        near = None if natural else set().union(*map(data.words, right + keep))
        own, others = keep[: len(right)], keep[len(right) :]
        if none:
            return [(q, [], others, near) for q, _ in members]
        return [(q, a, own + (r.sample(others, r.randint(0, len(others))) if len(members) > 1 else others), near) for q, a in members]

    def members(self, r, made, none):
        """A group as Members, without those that are too long."""
        result = []
        for q, answers, own, near in self.group(r, made, none):
            text, weight = data.classes(answers, self.weights)
            ids, request = self.tokenizer.encode(text), self.tokenizer.encode(q)
            if len(ids) < MAX_ANSWER and len(request) < MAX_REQUEST and all(len(self.ids(t)[1]) < MAX_TOOL for t in own):
                meant = next((self.ids(t)[0] for t in own if t["name"] == answers[0]["name"]), None) if len(answers) == 1 else None
                weight = [self.weights[0]] + self.tokenizer.weigh(ids, weight)
                result.append(Member(request, [TOOL_CALL] + ids, weight, own, near, meant, ("made" if made else "real", min(len(answers), 2))))
        return result

    def __call__(self, block):
        r = random.Random(f"{self.seed}/{block}")
        groups, count, made, none = [], 0, 0, 0
        while count < POOL * self.per_batch:
            is_made, is_none = made <= self.share * count, none <= NONE * count
            group = self.members(r, is_made, is_none)
            if group:
                groups.append(group)
                count += len(group)
                made += len(group) * is_made
                none += len(group) * is_none
        groups.sort(key=lambda g: sum(len(m.answer) + len(m.request) for m in g) / len(g))
        batches = [[]]
        for group in groups:
            if len(batches[-1]) >= self.per_batch:
                batches.append([])
            batches[-1] += group
        r.shuffle(batches)
        return [self.batch(members, r) for members in batches]

    def batch(self, members, r):
        """Fills the members' lists with strangers of the batch and lays all rows out."""
        tools, stems, names, number = [], [], [], {}
        for m in members:
            for tool in m.tools:
                key, ids = self.ids(tool)
                if key not in number:
                    number[key] = len(tools)
                    tools.append(ids)
                    stems.append(data.words(tool))
                    names.append(tool["name"])
        lists = []
        for m in members:
            mine, size = [number[self.ids(t)[0]] for t in m.tools], r.choice(SIZES)
            taken, rows = {names[i] for i in mine}, sum(len(tools[i]) for i in mine)
            for i in r.sample(range(len(tools)), min(len(tools), 3 * size)) if m.near is not None else ():
                if len(mine) < size and names[i] not in taken and not stems[i] & m.near and rows + len(tools[i]) < MAX_LIST:
                    mine.append(i)
                    taken.add(names[i])
                    rows += len(tools[i])
            lists.append(mine)
        return lay_out(members, tools or [[TOOLS]], lists, [number.get(m.meant, -1) for m in members], self)


def right_key(example):
    """The called tools of an example, as shown."""
    _, tools, answers = example
    wanted = {c["name"] for c in answers}
    return tuple(sorted(data.compact(t) for t in tools if t["name"] in wanted))
@dataclass
class Group:
    """Examples of a batch whose lists are about as wide: n requests of up to T ids and their answers."""

    shape: tuple  # (n, T)
    rows: object  # (n·T) each request's rows, counted from the first request's
    back: object  # the real ones among them, in order
    own: object  # (n, 1, 1, T) hides padding of `rows`
    seen: object  # (n·S) the rows a request and its answer see, of all
    bias: object  # (n, 1, 1, S) hides padding of `seen`
    at: int  # first answer row
    length: int  # answer rows of each


@dataclass
class Batch:
    """What apart.py reads: see lay_out. Arrays are int64, float32 or bool."""

    ids: object  # (rows) tools, padded block by block, then requests without padding
    positions: object
    request_at: int
    tools: list  # (first row, tools, rows of each, bias (tools, 1, 1, rows))
    tool_row: object  # the tool of each row before request_at; tool_count for padding
    tool_count: int
    request_row: object  # the example of each row from request_at on
    groups: list
    given: object  # (answer rows) decoder input, padded group by group
    answer_positions: object
    real: object  # the answer rows that are no padding; what follows has one entry for each
    wanted: object
    weight: object
    answer_row: object  # its example
    naming: object  # whether it is part of a name, or of the decision to call nothing
    deciding: object  # whether it is the first of the calls
    none: int  # the id that opens an empty list
    asked: object  # examples that call one tool
    meant: object  # that tool
    size: int  # examples
    kinds: list  # of each example: (source, calls, tools in its list)

    def to(self, device, dtype):
        """The same with tensors for arrays; masks in `dtype`."""
        return convert(self, device, dtype)


def convert(value, device, dtype):
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value).to(device, dtype if value.ndim == 4 else None)
    if isinstance(value, (Batch, Group)):
        return type(value)(*(convert(v, device, dtype) for v in vars(value).values()))
    if isinstance(value, (list, tuple)):
        return type(value)(convert(v, device, dtype) for v in value)
    return value


def buckets(lengths, spread=1.2):
    """Indices by length, split where the longest would be `spread` times the shortest."""
    result = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not result or lengths[i] > spread * lengths[result[-1][0]] + 2:
            result.append([])
        result[-1].append(i)
    return result


def hide(lengths, width):
    """(n, 1, 1, width): BLOCKED from each length on."""
    return np.where(np.arange(width) < np.array(lengths)[:, None], 0, BLOCKED).astype(np.float32)[:, None, None]


def lay_out(members, tools, lists, meant, of, groups=4):
    """members, tools (ids), lists (tools each member offers), meant (the one each calls, or -1) -> Batch. of: the weights and the id of no call."""
    ids, positions, tool_row, blocks, start = [], [], [], [], {}
    for bucket in buckets([len(t) for t in tools]):
        width = max(len(tools[i]) for i in bucket)
        blocks.append((len(ids), len(bucket), width, hide([len(tools[i]) for i in bucket], width)))
        for i in bucket:
            start[i] = len(ids)
            more = width - len(tools[i])
            ids += tools[i] + [PAD] * more
            tool_row += [i] * len(tools[i]) + [len(tools)] * more
        positions += list(range(TOOL_AT, TOOL_AT + width)) * len(bucket)
    request_at = len(ids)
    width_of = lambda j: len(members[j].request) + sum(len(tools[i]) for i in lists[j])
    order = sorted(range(len(members)), key=width_of)
    laid, given, answer_positions, real, wanted, weight, answer_row, request_row, deciding = [], [], [], [], [], [], [], [], []
    for part in np.array_split(order, min(groups, len(order))):
        long, answers = max(len(members[j].request) for j in part), max(len(members[j].answer) for j in part) + 1
        at, rows, back, seen = len(given), [], [], []
        for n, j in enumerate(part):
            m, first = members[j], len(ids) - request_at
            size = len(m.request)
            ids += m.request
            positions += range(size)
            request_row += [j] * size
            rows += list(range(first, first + size)) + [first] * (long - size)
            back += range(n * long, n * long + size)
            seen.append([*range(request_at + first, request_at + first + size)] + [row for i in lists[j] for row in range(start[i], start[i] + len(tools[i]))])
            real += range(len(given), len(given) + len(m.answer) + 1)
            given += [EOS] + m.answer + [PAD] * (answers - len(m.answer) - 1)
            answer_positions += range(answers)
            wanted += m.answer + [EOS]
            weight += m.weight + [of.weights[0]]
            answer_row += [j] * (len(m.answer) + 1)
            deciding += [False, True] + [False] * (len(m.answer) - 1)
        sizes, width = [len(s) for s in seen], max(map(len, seen))
        seen = np.array([s + [0] * (width - len(s)) for s in seen], np.int64).ravel()
        own = hide([len(members[j].request) for j in part], long)
        laid.append(Group((len(part), long), integers(rows), integers(back), own, seen, hide(sizes, width), at, answers))
    weight = np.array(weight, np.float32)
    asked = [j for j, tool in enumerate(meant) if tool >= 0]
    return Batch(integers(ids), integers(positions), request_at, blocks, integers(tool_row), len(tools), integers(request_row), laid, integers(given),
                 integers(answer_positions), integers(real), integers(wanted), weight, integers(answer_row), weight == np.float32(of.weights[1]),
                 np.array(deciding), of.none, integers(asked), integers([meant[j] for j in asked]), len(members),
                 [(*m.kind, len(own)) for m, own in zip(members, lists)])


def integers(values):
    return np.array(values, np.int64)
