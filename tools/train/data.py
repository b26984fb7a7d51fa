"""Examples -> batches: reading, balancing, redressing, tokenizing and bucketing by length.

An example is one JSON line: `query`, `tools` (flat form) and `answers` (`[{name, arguments}]`; `[]` where nothing fits), the last two as values or
as JSON in strings, and optionally `source`. Everything random is drawn from (seed, block), so a run that resumes sees what it would have seen.
"""
import glob
import gzip
import itertools
import json
import lzma
import multiprocessing
import os
import random
import re
import signal

import numpy as np

from model import EOS, PAD, TOOL_CALL, TOOLS

BLOCK = 384  # examples sorted by length together
MAX_ENCODER, MAX_DECODER, MAX_TOOL = 480, 110, 128  # longer examples are skipped, longer tools (contrastive head only) cut


def compact(value, escape=True):
    """Compact JSON. In tools non-ASCII is escaped, as in the original; in answers it stands as in the query, from where it is copied."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=escape)


def snake_case(name):
    """A tool's name as prompts show it (the spec's rule)."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name))
    return re.sub(r"_+", "_", name).lower().strip("_")


def shown(tool):
    """A tool as the trainer holds it: its name as prompts show it, and parameters although it takes none."""
    return {**tool, "name": snake_case(tool["name"]), "parameters": tool.get("parameters", {})}


def files_of(option, globs):
    """What globs, parted by spaces, find, by name; what is named twice comes twice. Ends the program where one of them finds nothing: a run without a part of its data would say nothing of it."""
    found = [(one, glob.glob(one)) for one in globs.split()]
    missing = [one for one, paths in found if not paths]
    if missing:
        raise SystemExit(f"{option}: expected files or folders of lists, found nothing at {' '.join(missing)}; mend the path or leave it out")
    return sorted(path for _, paths in found for path in paths)


def in_order(tools, calls):
    """Calls as the trainer holds them: names as prompts show them, arguments in the order of the tool's parameters, so that none has to guess which comes next."""
    result = []
    for call in calls:
        name = snake_case(call["name"])
        place = {key: i for i, key in enumerate(next((t["parameters"] for t in tools if t["name"] == name), ()))}
        result.append({"name": name, "arguments": dict(sorted(call["arguments"].items(), key=lambda one: place.get(one[0], len(place))))})
    return result


def read_list(path):
    """Reads a list with its requests, {"tools": […], "requests": [[query, [[name, arguments], …]], …]} in JSON, into (query, tools, answers)."""
    with open(path, encoding="utf-8") as file:
        of = json.load(file)
    tools = [shown(t) for t in of["tools"]]
    for number, (query, calls) in enumerate(of["requests"], 1):
        if not query.strip():
            raise ValueError(f"{path}: request {number}: expected a text, got an empty one; take it out")
        yield query, tools, in_order(tools, [{"name": name, "arguments": arguments} for name, arguments in calls])


def read_examples(path):
    """Reads a file of JSONL, plain, .gz or .xz, or a folder of lists (read_list) as one source, into (query, tools, answers)."""
    if os.path.isdir(path):
        for name in sorted(os.listdir(path)):
            yield from read_list(os.path.join(path, name))
        return
    opener = gzip.open if path.endswith(".gz") else lzma.open if path.endswith(".xz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                e = json.loads(line)
                tools, answers = (json.loads(v) if isinstance(v, str) else v for v in (e["tools"], e["answers"]))
                if not e["query"].strip():
                    raise ValueError("an empty query")
                tools = [shown(t) for t in tools]
                yield e["query"], tools, in_order(tools, answers)
            except (ValueError, KeyError, AttributeError, TypeError) as error:
                raise ValueError(f"{path}:{number}: expected query, tools and answers, got {error!r}; see data.py") from error


def read_sources(*groups):
    """Groups of paths -> the same of lists of examples. What is named twice is one list: it is drawn twice as often and held once."""
    read = {path: list(read_examples(path)) for path in {path for group in groups for path in group}}
    return [[read[path] for path in group] for group in groups]


def plain_words(text):
    """The words of a name or a description, without its quoted examples and the common ones."""
    return [w for w in re.findall(r"[a-z]{3,}", re.sub(r'"[^"]*"', "", text).lower()) if w not in COMMON]


COMMON = set("the and for with from set get make new one its out into user given current that what which its this".split())


def words(tool):
    """What one tool resembles another by: the stems in its name and description."""
    return {re.sub(r"(ing|s|e)$", "", w) for w in plain_words(tool["name"].replace("_", " ") + " " + tool.get("description", ""))}


def once(value, query):
    """The match of value in query where it stands there exactly once, as whole words."""
    found = list(re.finditer(r"(?<!\w)" + re.escape(value) + r"(?!\w)", query))
    return found[0] if len(found) == 1 else None


class Redresser:
    """Shows an example with other values, beside other tools, in another order, under other names: so that query and schema must be read, not
    remembered. Values and strangers come from the real sources where there are any; all chances below were set by judgement, not tuned.
    """

    def __init__(self, real, made, r, strength=1.0):
        """strength scales the chances of all but leaving the right tool out; towards 0 examples stay as people said them."""
        self.strength = strength
        dresses, self.values, self.queries, self.own = {}, {}, [], {}
        for examples in real or made:
            own = self.own[id(examples)] = {}
            for query, tools, answers in examples:
                self.queries.append(query)
                for tool in tools:
                    dresses.setdefault(tool["name"], []).append(tool)
                for call in answers:
                    for key, value in call["arguments"].items():
                        if isinstance(value, str) and once(value, query):
                            self.values.setdefault(key, []).append(value)
                            own.setdefault(key, []).append(value)
        self.pool = [(tool, words(tool)) for some in dresses.values() for tool in r.choices(some, k=4)]
        self.vocabulary = sorted({w for tool, _ in self.pool for w in plain_words(tool.get("description", ""))} | {"thing"})
        # keys whose values hardly repeat (titles, messages, names) also take a few words out of any query
        self.open = {key for key, values in self.values.items() if len(set(values)) > 0.6 * len(values) > 12}
        # names and titles of one crowd, which it puts alike, no days and times
        self.own = {source: {k: v for k, v in own.items() if len(v) > 20 and len(set(v)) > 0.3 * len(v)} for source, own in self.own.items()}

    def __call__(self, example, r):
        query, tools, answers = example
        chance = lambda p: r.random() < p * self.strength
        if chance(0.4):
            query, answers = self.swap_values(query, tools, answers, r)
        wanted = {call["name"] for call in answers}
        right = [t for t in tools if t["name"] in wanted]
        rest = [t for t in tools if t["name"] not in wanted]
        r.shuffle(rest)
        if answers and chance(0.35):  # strangers from anywhere, unless they look like a right tool
            near, taken = set().union(*map(words, right)), {t["name"] for t in tools}
            for tool, stems in r.sample(self.pool, min(6, len(self.pool))):
                if not stems & near and tool["name"] not in taken:
                    taken.add(tool["name"])
                    rest.insert(r.randint(0, len(rest)), tool)
        if len(answers) == 1 and rest and r.random() < 0.06:  # none fits: the right tool is gone
            right, answers = [], []
        keep = right + rest[: r.choice((0, 0, 1, 1, 1, 2, 2, 3, 3, 5, 7))] if answers else rest[: r.choice((1, 2, 3, 3, 4, 5, 6))]
        r.shuffle(keep)
        if chance(0.20):
            keep, answers = self.rename(keep, answers, r)
        elif chance(0.12):  # names alone must do
            keep = [{k: v for k, v in t.items() if k != "description"} for t in keep]
        elif chance(0.06):
            keep = [{**t, "parameters": {k: {a: b for a, b in p.items() if a != "description"} for k, p in t["parameters"].items()}} for t in keep]
        return query, keep, answers

    def swap_values(self, query, tools, answers, r, own=None):
        """Puts other values of the same key in the place of values that stand in the query word for word; `own`: those of its source alone."""
        fixed = {key for t in tools for key, p in t["parameters"].items() if "enum" in p}
        spans, calls = [], []
        for call in answers:
            arguments = dict(call["arguments"])
            calls.append({"name": call["name"], "arguments": arguments})
            for key, value in arguments.items():
                found = isinstance(value, str) and key not in fixed and once(value, query)
                if found:
                    spans.append((found.start(), found.end(), key, arguments))
        spans.sort(key=lambda s: s[:2], reverse=True)
        if any(left[1] > right[0] for right, left in zip(spans, spans[1:])):  # two values share words
            return query, answers
        for start, end, key, arguments in spans:
            if own is not None or r.random() < 0.6:
                value = r.choice((self.values if own is None else own).get(key, (arguments[key],)))
                if own is not None:
                    pass  # as its crowd says it
                elif key in self.open and r.random() < 0.4:
                    some = r.choice(self.queries).split()
                    n, at = r.randint(1, 6), r.randrange(len(some) or 1)
                    value = " ".join(some[at : at + n]).strip(" .,?!:;'\"") or value
                elif r.random() < 0.04:  # as speech recognition writes letters: "u. s. d.", "b b c"
                    letters, form = r.choices("abcdefghijklmnopqrstuvwxyz", k=r.randint(2, 4)), r.choice(("{}. ", "{}.", "{} "))
                    value = "".join(map(form.format, letters)).strip()
                query, arguments[key] = query[:start] + value + query[end:], value
        return query, calls

    def rename(self, tools, answers, r):
        """Gives tools and arguments other names, mostly out of their own descriptions; the answer follows."""

        def invent(description, taken):
            own = plain_words(description)
            while True:
                some = own if own and r.random() < 0.7 else self.vocabulary
                name = "_".join(r.sample(some, min(len(some), r.choice((1, 2, 2, 3)))))
                if name not in taken:
                    taken.add(name)
                    return name

        taken, result, to = {t["name"] for t in tools}, [], {}
        for tool in tools:
            name = invent(tool["description"], taken) if "description" in tool and r.random() < 0.6 else tool["name"]
            used = set(tool["parameters"])
            keys = {k: invent(p["description"], used) if "description" in p and r.random() < 0.35 else k for k, p in tool["parameters"].items()}
            result.append({**tool, "name": name, "parameters": {keys[k]: p for k, p in tool["parameters"].items()}})
            to[tool["name"]] = name, keys
        renamed = []
        for call in answers:
            name, keys = to[call["name"]]
            renamed.append({"name": name, "arguments": {keys.get(k, k): v for k, v in call["arguments"].items()}})
        return result, renamed


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
            put(compact(k, escape=False)[1:-1], key)
            put('":', structure)
            put(compact(v, escape=False), value)
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


def tokenizer_of(path, pieces):
    """The tokenizer of a file. Ends the program where it has not as many pieces as the model that it is for."""
    tokenizer = Tokenizer(path)
    if tokenizer.sp.GetPieceSize() != pieces:
        raise SystemExit(f"{path}: expected {pieces} pieces, got {tokenizer.sp.GetPieceSize()}; pass the model's own vocabulary")
    return tokenizer


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


class Batches:
    """Makes the batches of one block at a time: batches(block) -> list of arrays (encoder ids, decoder input, decoder target, loss weights,
    contrastive queries, contrastive tools).

    A source is one file; sources are drawn by the root of their size, so that small ones count without being repeated too often.
    `share` of the examples come from the files in `synthetic`.
    """

    def __init__(self, real, synthetic, share, tokenizer, batch_tokens, weights, seed, redress=1.0):
        self.real, self.made = read_sources(real, synthetic)
        if not self.real + self.made:
            raise ValueError("--real, --synthetic: expected at least one file, got none; check the globs")
        self.share = share if self.real and self.made else float(bool(self.made))
        self.tokenizer, self.batch_tokens, self.weights, self.seed = tokenizer, batch_tokens, weights, seed
        self.redress = Redresser(self.real, self.made, random.Random(f"{seed}/pool"), redress)

    def __call__(self, block):
        r = random.Random(f"{self.seed}/{block}")
        examples = []
        while len(examples) < BLOCK:
            group = self.made if r.random() < self.share else self.real
            source = r.choices(group, [len(s) ** 0.5 for s in group])[0]
            e = encode(self.redress(r.choice(source), r), self.tokenizer, self.weights)
            if len(e[0]) <= MAX_ENCODER and len(e[1]) < MAX_DECODER:
                examples.append(e)
        examples.sort(key=lambda e: len(e[0]))
        groups = [[]]
        for e in examples:
            if groups[-1] and (len(groups[-1]) + 1) * len(e[0]) > self.batch_tokens:
                groups.append([])
            groups[-1].append(e)
        r.shuffle(groups)
        return [self.arrays(group) for group in groups]

    def arrays(self, group):
        pairs = list({tuple(pair[1]): pair for *_, pair in group if pair}.values())
        return (
            pad([e for e, *_ in group]),
            pad([[EOS] + d for _, d, *_ in group]),
            pad([d + [EOS] for _, d, *_ in group]),
            pad([w + [self.weights[0]] for _, _, w, _ in group], 0, np.float32),
            pad([q for q, _ in pairs]),
            pad([t for _, t in pairs]),
        )


def stream(open_batches, blocks, skip=0, workers=0):
    """Yields (block, last of its block?, arrays) for the blocks of an endless iterator, leaving out the first `skip` batches.

    `open_batches(worker, workers)` reads the data. A GPU outruns one process: with workers, worker w makes every workers-th block ahead of time.
    """
    if workers:
        made = made_ahead(open_batches, blocks, workers)
    else:
        batches = open_batches()
        made = ((block, batches(block)) for block in blocks)
    for block, some in made:
        for i, arrays in enumerate(some):
            if i >= skip:
                yield block, i + 1 == len(some), arrays
        skip = 0


def made_ahead(open_batches, blocks, workers):
    queues = [multiprocessing.Queue(4) for _ in range(workers)]

    def work(worker, queue, mine):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent's handler would keep this process alive
        batches = open_batches(worker, workers)
        for block in mine:
            queue.put((block, batches(block)))

    for worker, (queue, some) in enumerate(zip(queues, itertools.tee(blocks, workers))):
        mine = itertools.islice(some, worker, None, workers)
        multiprocessing.Process(target=work, args=(worker, queue, mine), daemon=True).start()
    for queue in itertools.cycle(queues):
        yield queue.get()
