"""Batches whose examples share tools, for tools read apart: several requests of one dress of a tool, strangers from the same batch.

A list of tools costs the rows of the tools that no other list of the batch holds, so lists are filled from the batch for nothing. What is drawn by example, not by
group of requests: the share of generated ones and, among these and among the others, of those where nothing fits.
"""
import random
from dataclasses import dataclass

import numpy as np

import data
import layout
from model import EOS, TOOL_CALL, TOOLS
from slips import slipped

MAX_TOOL, MAX_REQUEST, MAX_ANSWER, MAX_LIST = 320, 110, 110, 560  # ids; longer examples are skipped, lists are filled up to MAX_LIST
MAX_OWN = 1000  # ids of a list that came as one, with its requests
SIZES = (1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 10, 12)  # tools in a list
LONG = (16, 20, 24, 30)  # and in --long of them
ROOM = 50  # ids a tool up to which those lists are filled
MATES_OF_LIST = 20  # requests of a list that came as one
OWN = (0, 1, 1, 1, 2, 2, 3, 4)  # of them from the example's own list, beside the right ones
NONE = 0.11  # examples where nothing fits
FRUITLESS = 10000  # draws in a row without an example, after which there are none
POOL = 8  # batches sorted together
NARROW, BROAD = {"groups": 4, "spread": 1.2}, {"groups": 6, "spread": 1.5}  # blocks of a batch: a CPU minds padding, a GPU with large batches the number of kernels


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


@dataclass
class Targets:
    """What the answers of a layout.Batch should be. `real` lists the answer rows that are no padding; the next five have one entry for each."""

    real: object
    wanted: object  # the id to predict
    weight: object  # in the loss
    answer_row: object  # its example
    naming: object  # bool: part of a name, or of the decision to call nothing
    deciding: object  # bool: the first of the calls
    none: int  # the id that opens an empty list
    asked: object  # examples that call one tool
    meant: object  # that tool
    size: int  # examples
    kinds: list  # of each example: (source, calls, tools in its list)

    @staticmethod
    def of(rows, members, lists, meant, weights, none):
        """rows (layout.Batch of the members), their lists of tools, the tool each means or -1."""
        real, wanted, weight, answer_row, deciding, at = [], [], [], [], [], 0
        for group in rows.groups:
            for j in group.order.tolist():
                m = members[j]
                n = len(m.answer) + 1
                real += range(at, at + n)
                wanted += m.answer + [EOS]
                weight += m.weight + [weights[0]]
                answer_row += [j] * n
                deciding += [i == 1 for i in range(n)]
                at += group.length
        ints, weight, asked = layout.integers, np.array(weight, np.float32), [j for j, tool in enumerate(meant) if tool >= 0]
        kinds = [(*m.kind, len(own)) for m, own in zip(members, lists)]
        return Targets(ints(real), ints(wanted), weight, ints(answer_row), weight == np.float32(weights[1]), np.array(deciding), none,
                       ints(asked), ints([meant[j] for j in asked]), len(members), kinds)


class SharedBatches:
    """batches(block) -> list of (layout.Batch, Targets). Sources are drawn by the root of their size, as in data.Batches; everything random comes from (seed, block)."""

    def __init__(self, real, synthetic, share, tokenizer, per_batch, weights, seed, redress=1.0, mates=4, long=0.0, world=1, swap=0.0, slip=0.0):
        """`world` processes step together, each by every world-th block: what they take at one time is of like length, so that none waits."""
        self.real, self.made = data.read_sources(real, synthetic)
        if not self.real + self.made:
            raise ValueError("--real, --synthetic: expected at least one file, got none; check the globs")
        self.share = share if self.real and self.made else float(bool(self.made))
        self.tokenizer, self.weights, self.seed, self.per_batch, self.mates, self.long, self.world, self.swap, self.slip = tokenizer, weights, seed, per_batch, mates, long, world, swap, slip
        self.redress = data.Redresser(self.real, self.made, random.Random(f"{seed}/pool"), redress)
        self.calling = {id(s): ([e for e in s if e[2]], [e for e in s if not e[2]]) for s in self.real + self.made}
        self.lists = {id(s): self.by_list(s) for s in self.real}
        self.kin = {id(s): self.by_tools(s) for s in self.real if not self.lists[id(s)]}
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

    @staticmethod
    def by_list(source):
        """{list: examples} where requests came by the list (data.read_list): its tools are the near misses that a person thought of."""
        lists = {}
        for example in source:
            lists.setdefault(id(example[1]), []).append(example)
        return lists if len(lists) < len(source) else {}

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
        pool = self.made if made else self.real
        source = r.choices(pool, [len(s) ** 0.5 for s in pool])[0]
        if not made and self.lists[id(source)]:
            return self.listed(r, self.lists[id(source)][id(r.choice(source)[1])])
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
        if not made:
            members = [self.with_values(r, e, self.redress.own[id(source)]) if r.random() < self.swap else e for e in members]
        keep, members = self.dressed(r, right + rest, members)
        near = None if natural else set().union(*map(data.words, right + keep))
        own, others = keep[: len(right)], keep[len(right) :]
        if none:
            return [(q, [], others, near) for q, _ in members]
        return [(q, a, own + (r.sample(others, r.randint(0, len(others))) if len(members) > 1 else others), near) for q, a in members]

    def with_values(self, r, example, values):
        """An example with other values that its source has under the same keys."""
        query, tools, answers = example
        query, answers = self.redress.swap_values(query, tools, answers, r, values)
        return query, tools, answers

    def dressed(self, r, keep, examples):
        """Tools under other names, or with fewer descriptions, and (request, answers) of the examples, which follow, some with other values."""
        chance = lambda p: r.random() < p * self.redress.strength
        members = [self.redress.swap_values(q, keep, a, r) if chance(0.4) else (q, a) for q, _, a in examples]
        if chance(0.20):
            keep, renamed = self.redress.rename(keep, [c for _, a in members for c in a], r)
            renamed = iter(renamed)
            members = [(q, [next(renamed) for _ in a]) for q, a in members]
        elif chance(0.12):  # names alone must do
            keep = [{k: v for k, v in t.items() if k != "description"} for t in keep]
        elif chance(0.06):
            keep = [{**t, "parameters": {k: {a: b for a, b in p.items() if a != "description"} for k, p in t["parameters"].items()}} for t in keep]
        return keep, members

    def listed(self, r, examples):
        """Requests of one list, beside all of its tools or, in half of the groups, some: what they call, some others and strangers."""
        some, whole = r.sample(examples, min(len(examples), MATES_OF_LIST)), r.random() < 0.5
        keep, members = self.dressed(r, examples[0][1], some)
        stems, result = {t["name"]: data.words(t) for t in keep}, []
        every = set().union(*stems.values())
        order = r.sample(keep, len(keep))
        called = {c["name"] for _, a in members for c in a}
        if not whole:
            order = [t for t in order if t["name"] in called or r.random() < 0.3]
        for q, a in members:
            wanted = {c["name"] for c in a}
            away = len(a) == 1 and r.random() < 0.06
            if away:  # and all that resembles it
                near = stems[a[0]["name"]]
                own, a = [t for t in order if not stems[t["name"]] & near], []
            else:
                right, others = [t for t in order if t["name"] in wanted], [t for t in order if t["name"] not in wanted]
                own = right + (others if whole else others[: r.choice(SIZES)])
            room, kept = MAX_OWN, []
            for tool in own:
                room -= len(self.ids(tool)[1])
                if room >= 0:
                    kept.append(tool)
            r.shuffle(kept)
            result.append((q, a, kept, None if whole or not wanted else every))
        return result

    def members(self, r, made, none):
        """A group as Members, without those that are too long."""
        result = []
        for q, answers, own, near in self.group(r, made, none):
            if r.random() < self.slip:
                q, answers = slipped(r, q, answers, own)
            text, weight = data.classes(answers, self.weights)
            ids, request = self.tokenizer.encode(text), self.tokenizer.encode(q)
            if len(ids) < MAX_ANSWER and len(request) < MAX_REQUEST and all(len(self.ids(t)[1]) < MAX_TOOL for t in own):
                meant = next((self.ids(t)[0] for t in own if t["name"] == answers[0]["name"]), None) if len(answers) == 1 else None
                weight = [self.weights[0]] + self.tokenizer.weigh(ids, weight)
                result.append(Member(request, [TOOL_CALL] + ids, weight, own, near, meant, ("made" if made else "real", min(len(answers), 2))))
        return result

    def __call__(self, block):
        r = random.Random(f"{self.seed}/{block}")
        groups, count, none, fruitless = [], [0, 0], [0, 0], 0  # examples so far, and those where nothing fits: real, made
        while sum(count) < POOL * self.per_batch:
            made = not self.real or count[1] < self.share * sum(count)
            nothing = none[made] < NONE * count[made]
            group = self.members(r, made, nothing)
            fruitless = 0 if group else fruitless + 1
            if fruitless == FRUITLESS:
                raise ValueError(f"examples: expected some that call a tool and are not too long, got none in {FRUITLESS} draws; check --real and --synthetic")
            if group:
                groups.append(group)
                count[made] += len(group)
                none[made] += sum(m.kind[1] == 0 for m in group)
        groups.sort(key=lambda g: sum(len(m.answer) + len(m.request) for m in g) / len(g))
        batches, done = [[] for _ in range(POOL)], 0
        for group in groups:
            batches[done * POOL // sum(count)] += group
            done += len(group)
        random.Random(f"{self.seed}/{block // self.world}/order").shuffle(batches)
        return [self.batch(members, r) for members in batches if members]

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
            mine, size = [number[self.ids(t)[0]] for t in m.tools], r.choice(LONG if r.random() < self.long else SIZES)
            taken, rows = {names[i] for i in mine}, sum(len(tools[i]) for i in mine)
            for i in r.sample(range(len(tools)), min(len(tools), 3 * size)) if m.near is not None else ():
                if len(mine) < size and names[i] not in taken and not stems[i] & m.near and rows + len(tools[i]) < (ROOM * size if size > SIZES[-1] else MAX_LIST):
                    mine.append(i)
                    taken.add(names[i])
                    rows += len(tools[i])
            lists.append(mine)
        rows = layout.lay_out([m.request for m in members], tools or [[TOOLS]], lists, [m.answer for m in members], **(BROAD if self.per_batch >= 512 else NARROW))
        meant = [number.get(m.meant, -1) for m in members]
        return rows, Targets.of(rows, members, lists, meant, self.weights, self.none)


def right_key(example):
    """The called tools of an example, as shown."""
    _, tools, answers = example
    wanted = {c["name"] for c in answers}
    return tuple(sorted(data.compact(t) for t in tools if t["name"] in wanted))
