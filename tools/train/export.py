"""Reads and writes `model.safetensors` under the published names, and exports a checkpoint.

    python3 export.py run/last.pt model.safetensors [--mean]      the weights, or their running mean where the run kept one

The file: 8 bytes, the header's length (little-endian); the header, JSON of {name: {dtype, shape, data_offsets}, "__metadata__": {text: text}};
then the tensors, row-major. The geometry is JSON in `__metadata__.config`, with `prompt` and `tool_at`: how the model was trained to see tools.
"""
import json
import struct
import sys

import numpy as np
import torch

from model import TOOL_AT, Config, Needle

DTYPES = {"F16": np.float16, "F32": np.float32}


def read_safetensors(path):
    """path -> ({name: float32 tensor}, metadata)."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        if entry["dtype"] not in DTYPES:
            raise ValueError(f"{path}: {name}: expected F16 or F32, got {entry['dtype']}; convert the file first")
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[start:end], DTYPES[entry["dtype"]]).astype(np.float32)
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors, metadata


def write_safetensors(path, tensors, metadata):
    """Writes tensors as F16."""
    header, chunks, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        chunk = tensor.detach().cpu().half().numpy().tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(chunk)]}
        chunks.append(chunk)
        offset += len(chunk)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def load(path):
    """Builds the network a safetensors file holds."""
    tensors, metadata = read_safetensors(path)
    config = json.loads(metadata["config"])
    model = Needle(Config(**{key: value for key, value in config.items() if key not in ("prompt", "tool_at")}))
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if unexpected or set(missing) - {"log_temp"}:
        raise ValueError(f"{path}: expected the published names, got {unexpected or 'none'} more and {missing} fewer; see export.py")
    return model


def check_finite(path, tensors):
    """Ends the program where a file's tensors hold NaN or infinities: nothing that is made of them is worth anything."""
    spoiled = [name for name, t in tensors.items() if not t.isfinite().all()]
    if spoiled:
        raise SystemExit(f"{path}: expected finite weights, got NaN or infinity in {spoiled[0]} and {len(spoiled) - 1} more; the training run diverged")


def read_back(path):
    """Says how many parameters the network in a safetensors file has; `log_temp` is not in it."""
    print(f"{path}: {sum(p.numel() for p in load(path).parameters()) - 1} parameters, read back")


def prompt_of(path):
    """How the model in a safetensors file was trained to see tools: "apart", or "joint" where the file says nothing."""
    return json.loads(read_safetensors(path)[1]["config"]).get("prompt", "joint")


def save(path, state, config, tokenizer, note=""):
    """Writes a state dict. `log_temp` belongs to training and stays out."""
    metadata = {"config": json.dumps(config), "tokenizer": tokenizer, "licence": "Apache-2.0", "note": note}
    write_safetensors(path, {name: t for name, t in state.items() if name != "log_temp"}, metadata)


if __name__ == "__main__":
    source, target = sys.argv[1:3]
    checkpoint = torch.load(source, map_location="cpu")
    prompt = {"prompt": "apart", "tool_at": TOOL_AT} if checkpoint.get("prompt") == "apart" else {}
    which = "mean" if sys.argv[3:] == ["--mean"] else "model"
    if which not in checkpoint:
        raise SystemExit(f"{source}: expected a running mean, got none; train with --mean STEPS, or leave --mean out")
    state = checkpoint[which]
    save(target, state, {**checkpoint["config"], **prompt}, checkpoint["tokenizer"], f"step {checkpoint['step']}")
    read_back(target)
