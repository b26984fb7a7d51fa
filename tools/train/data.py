"""Examples -> batches: reading, balancing, redressing, tokenizing and bucketing by length.

An example is one JSON line: `query`, `tools` (flat form) and `answers` (`[{name, arguments}]`; `[]` where nothing fits), the last two as values or
as JSON in strings, and optionally `source`. Everything random is drawn from (seed, rank, block), so a run that resumes sees what it would have seen.
"""
import gzip
import json
import random
import re

import numpy as np

from model import EOS, PAD, TOOL_CALL, TOOLS

BLOCK = 384  # examples sorted by length together
MAX_ENCODER, MAX_DECODER, MAX_TOOL = 480, 110, 128  # longer examples are skipped, longer tools (contrastive head only) cut


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def read_examples(path):
    """Reads a JSONL file, plain or .gz, into (query, tools, answers)."""
    with gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                e = json.loads(line)
                tools, answers = (json.loads(v) if isinstance(v, str) else v for v in (e["tools"], e["answers"]))
                yield e["query"], tools, answers
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}:{number}: expected query, tools and answers, got {error!r}; see data.py") from error


def words(tool):
    """The words by which one tool resembles another: those of its name and description, without the common ones."""
    text = re.sub(r'"[^"]*"', "", tool["name"].replace("_", " ") + " " + tool.get("description", "")).lower()
    return {re.sub(r"(ing|s|e)$", "", w) for w in re.findall(r"[a-z]{3,}", text)} - COMMON


COMMON = {re.sub(r"(ing|s|e)$", "", w) for w in "the and for with from set get make new one its out into user given current a an of to in on or by at is that what which".split()}


class Redresser:
    """Shows an example with other tools beside it, in another order, under other names: so that the schema must be read, not remembered."""

    def __init__(self, sources, r):
        names = {}
        for examples in sources:
            for _, tools, _ in examples:
                for tool in tools:
                    names.setdefault(tool["name"], []).append(tool)
        self.pool = [r.choice(dresses) for dresses in names.values() for _ in range(min(4, len(dresses)))]
        self.pool = [(tool, words(tool)) for tool in self.pool]
        self.words = sorted({w for _, ws in self.pool for w in ws if len(w) > 3})

    def __call__(self, example, r):
        query, tools, answers = example
        wanted = {call["name"] for call in answers}
        right = [t for t in tools if t["name"] in wanted]
        rest = [t for t in tools if t["name"] not in wanted]
        r.shuffle(rest)
        if answers and r.random() < 0.35:  # strangers from anywhere, unless they look like a right tool
            near, taken = set().union(*map(words, right)), {t["name"] for t in tools}
            for tool, ws in r.sample(self.pool, 6):
                if not ws & near and tool["name"] not in taken:
                    taken.add(tool["name"])
                    rest.insert(r.randint(0, len(rest)), tool)
        if len(answers) == 1 and rest and r.random() < 0.06:  # none fits: the right tool is gone
            right, answers = [], []
        keep = right + rest[: r.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7))] if answers else rest[: r.choice((1, 2, 3, 3, 4, 5, 6))]
        r.shuffle(keep)
        if r.random() < 0.10:  # names alone must do
            keep = [{k: v for k, v in t.items() if k != "description"} for t in keep]
        if r.random() < 0.06:
            keep = [{**t, "parameters": {k: {a: b for a, b in p.items() if a != "description"} for k, p in t["parameters"].items()}} for t in keep]
        if r.random() < 0.20:  # descriptions alone must do: invented names, the answer follows
            keep, answers = self.rename(keep, answers, r)
        return query, keep, answers

    def rename(self, tools, answers, r):
        def invent(taken):
            while True:
                name = "_".join(r.sample(self.words, r.choice((1, 1, 2))))
                if name not in taken:
                    taken.add(name)
                    return name

        taken, result = {t["name"] for t in tools}, []
        for tool in tools:
            calls = [c for c in answers if c["name"] == tool["name"]]
            name = invent(taken) if "description" in tool and r.random() < 0.5 else tool["name"]
            used = set(tool["parameters"])
            keys = {k: invent(used) if "description" in p and r.random() < 0.35 else k for k, p in tool["parameters"].items()}
            result.append({**tool, "name": name, "parameters": {keys[k]: p for k, p in tool["parameters"].items()}})
            renamed = [{"name": name, "arguments": {keys.get(k, k): v for k, v in c["arguments"].items()}} for c in calls]
            answers = [renamed[calls.index(c)] if c in calls else c for c in answers]
        return result, answers


def classes(answers, weights):
    """The answer's text and, for each byte of it, the loss weight of its class: (structure, name, key, value)."""
    structure, name, key, value = weights
    text, weight = bytearray(), []

    def put(s, w):
        data = s.encode()
        text.extend(data)
        weight.extend([w] * len(data))

    put("[", structure)
    if not answers:
        put("]", name)  # whether to call at all is decided here
    for i, call in enumerate(answers):
        put(',{"name":"' if i else '{"name":"', structure)
        put(call["name"], name)
        put('","arguments":{', structure)
        for j, (k, v) in enumerate(call["arguments"].items()):
            put(("," if j else "") + '"', structure)
            put(compact(k)[1:-1], key)
            put('":', structure)
            put(compact(v), value)
        put("}}", structure)
    if answers:
        put("]", structure)
    return text.decode(), weight


class Tokenizer:
    def __init__(self, path):
        import sentencepiece

        self.sp = sentencepiece.SentencePieceProcessor()
        self.sp.Load(path)
        self.encode = self.sp.EncodeAsIds
        pieces = (self.sp.IdToPiece(i) for i in range(self.sp.GetPieceSize()))
        self.bytes = [1 if self.sp.IsByte(i) else len(p.replace("▁", " ").encode()) for i, p in enumerate(pieces)]

    def weigh(self, ids, weight):
        """The heaviest weight of each token's bytes. One space stands before the text; where runs of spaces were collapsed, all weigh the same."""
        weight = [0, *weight]
        if sum(self.bytes[i] for i in ids) != len(weight):
            return [1.0] * len(ids)
        result, at = [], 0
        for i in ids:
            result.append(max(weight[at : at + self.bytes[i]]))
            at += self.bytes[i]
        return result


def encode(example, tokenizer, weights=(1, 1, 1, 1)):
    """(encoder ids, answer ids, their loss weights, contrastive pair or None)."""
    query, tools, answers = example
    text, weight = classes(answers, weights)
    q, a = tokenizer.encode(query), tokenizer.encode(text)
    pair = None
    if len(answers) == 1:
        tool = next((t for t in tools if t["name"] == answers[0]["name"]), None)
        pair = tool and (q, tokenizer.encode(compact(tool))[:MAX_TOOL])
    return q + [TOOLS] + tokenizer.encode(compact(tools)), [TOOL_CALL] + a, [weights[0]] + tokenizer.weigh(a, weight), pair


def pad(rows, value=PAD, dtype=np.int64):
    width = max(map(len, rows), default=1)
    return np.array([row + [value] * (width - len(row)) for row in rows], dtype).reshape(len(rows), width)


def batches(paths, synthetic, share, tokenizer, batch_tokens, weights, seed, rank=0, block=0):
    """Yields (block, last of its block?, arrays) for ever: encoder ids, decoder input, decoder target, loss weights, contrastive queries and tools.

    A source is one file; sources are drawn by the root of their size, so that small ones count without being repeated too often.
    `share` of the examples come from the files in `synthetic`.
    """
    real, made = ([list(read_examples(p)) for p in group] for group in (paths, synthetic))
    redress = Redresser(real + made, random.Random(f"{seed}/pool"))
    share = share if real and made else float(bool(made))
    while True:
        r = random.Random(f"{seed}/{rank}/{block}")
        examples = []
        while len(examples) < BLOCK:
            group = made if r.random() < share else real
            source = r.choices(group, [len(s) ** 0.5 for s in group])[0]
            e = encode(redress(r.choice(source), r), tokenizer, weights)
            if len(e[0]) <= MAX_ENCODER and len(e[1]) < MAX_DECODER:
                examples.append(e)
        examples.sort(key=lambda e: len(e[0]))
        groups, group = [], []
        for e in examples:
            if group and (len(group) + 1) * len(e[0]) > batch_tokens:
                groups.append(group)
                group = []
            group.append(e)
        groups.append(group)
        r.shuffle(groups)
        for i, group in enumerate(groups):
            pairs = list({tuple(p[1]): p for *_, p in group if p}.values())
            yield block, i + 1 == len(groups), (
                pad([e for e, *_ in group]),
                pad([[EOS] + d for _, d, *_ in group]),
                pad([d + [EOS] for _, d, *_ in group]),
                pad([w + [weights[0]] for _, _, w, _ in group], 0, np.float32),
                pad([q for q, _ in pairs]),
                pad([t for _, t in pairs]),
            )
        block += 1
