"""The rows of a batch whose tools are read apart: every tool once, every request with what it sees. What apart.py computes on."""
from dataclasses import dataclass, fields

import numpy as np
import torch

from model import BLOCKED, EOS, PAD, TOOL_AT


@dataclass
class Group:
    """Examples of a batch whose lists are about as wide: n requests of up to T ids, and their answers."""

    order: object  # (n) the examples
    shape: tuple  # (n, T)
    rows: object  # (n·T) each request's rows, counted from the first request's
    back: object  # the real ones among them, in order
    own: object  # (n, 1, 1, T) whether one of `rows` is padding
    seen: object  # (n·S) the rows, of all, that a request and its answer see
    bias: object  # (n, 1, 1, S) whether one of `seen` is padding
    length: int  # rows of each answer


@dataclass
class Batch:
    """Arrays are int32 or, masks, bool with four axes."""

    ids: object  # (rows) tools, padded block by block, then requests without padding
    positions: object  # (rows)
    request_at: int  # row of the first request
    tools: list  # blocks of tools of like length: (tools, rows of each, bias (tools, 1, 1, rows))
    tool_row: object  # the tool of each row before request_at; tool_count for padding
    tool_count: int
    request_row: object  # the example of each row from request_at on
    groups: list
    given: object  # (answer rows) decoder input, padded group by group
    answer_positions: object  # (answer rows)


def each(value, change):
    """value with every array or tensor in it, its lists and its dataclasses changed."""
    if isinstance(value, (np.ndarray, torch.Tensor, Place)):
        return change(value)
    if isinstance(value, (list, tuple)):
        return type(value)(each(v, change) for v in value)
    if hasattr(value, "__dataclass_fields__"):
        return type(value)(*(each(getattr(value, f.name), change) for f in fields(value)))
    return value


class Place:
    """Where an array of a batch lies in its buffer."""

    def __init__(self, array, at):
        self.dtype, self.shape, self.at, self.bytes = str(array.dtype), array.shape, at, array.nbytes


def flatten(value):
    """-> (bytes, value with a Place for each array): what a process hands over and a GPU takes in one copy."""
    arrays, end = [], 0

    def take(array):
        nonlocal end
        place = Place(array, end)
        arrays.append((array, end))
        end += -(-array.nbytes // 16) * 16
        return place

    shape = each(value, take)
    flat = np.zeros(end, np.uint8)
    for array, at in arrays:
        flat[at : at + array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return flat, shape


def unflatten(flat, shape):
    """The arrays of `flatten`, as views of a tensor of its bytes, on any device."""
    return each(shape, lambda p: flat[p.at : p.at + p.bytes].view(getattr(torch, p.dtype)).view(p.shape))


def convert(value, device, dtype):
    """The arrays as tensors on the device: int64, float32, and masks as what they add to a score, in `dtype`."""

    def move(array):
        tensor = torch.as_tensor(array).to(device, non_blocking=True)
        if tensor.dtype == torch.bool and tensor.dim() == 4:
            return torch.zeros(tensor.shape, dtype=dtype, device=device).masked_fill_(tensor, BLOCKED)
        return tensor.long() if tensor.dtype == torch.int32 else tensor

    return each(value, move)


def integers(values):
    return np.array(values, np.int32)


def hide(lengths, width):
    """(n, 1, 1, width): True from each length on."""
    return (np.arange(width) >= np.array(lengths)[:, None])[:, None, None]


def buckets(lengths, spread):
    """Indices by length, split where the longest would be `spread` times the shortest."""
    result = []
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not result or lengths[i] > spread * lengths[result[-1][0]] + 2:
            result.append([])
        result[-1].append(i)
    return result


def lay_out(requests, tools, lists, answers=None, groups=1, spread=1.2):
    """requests, tools, answers (ids), lists (the tools that each request offers) -> Batch. At least one tool, offered or not."""
    answers = answers or [[] for _ in requests]
    ids, positions, tool_row, blocks, start = [], [], [], [], {}
    for bucket in buckets([len(tool) for tool in tools], spread):
        width = len(tools[bucket[-1]])
        blocks.append((len(bucket), width, hide([len(tools[i]) for i in bucket], width)))
        for i in bucket:
            start[i] = len(ids)
            more = width - len(tools[i])
            ids += tools[i] + [PAD] * more
            tool_row += [i] * len(tools[i]) + [len(tools)] * more
        positions += list(range(TOOL_AT, TOOL_AT + width)) * len(bucket)
    request_at = len(ids)
    order = sorted(range(len(requests)), key=lambda j: len(requests[j]) + sum(len(tools[i]) for i in lists[j]))
    laid, request_row, given, answer_positions = [], [], [], []
    for part in np.array_split(order, min(groups, len(order))):
        long, length = max(len(requests[j]) for j in part), max(len(answers[j]) for j in part) + 1
        rows, back, seen = [], [], []
        for n, j in enumerate(part):
            first, size = len(ids) - request_at, len(requests[j])
            ids += requests[j]
            positions += range(size)
            request_row += [j] * size
            rows += list(range(first, first + size)) + [first] * (long - size)
            back += range(n * long, n * long + size)
            seen.append([*range(request_at + first, len(ids))] + [row for i in lists[j] for row in range(start[i], start[i] + len(tools[i]))])
            given += [EOS] + answers[j] + [PAD] * (length - len(answers[j]) - 1)
            answer_positions += range(length)
        sizes = [len(s) for s in seen]
        width = -(-max(sizes) // 8) * 8  # what a GPU's attention reads without a copy
        seen = integers([s + [0] * (width - len(s)) for s in seen]).ravel()
        own = hide([len(requests[j]) for j in part], long)
        laid.append(Group(integers(part), (len(part), long), integers(rows), integers(back), own, seen, hide(sizes, width), length))
    return Batch(integers(ids), integers(positions), request_at, blocks, integers(tool_row), len(tools), integers(request_row), laid,
                 integers(given), integers(answer_positions))
