"""Gives a model one encoder layer more, the last: it starts as a copy of the one before the last whose output is nearly nothing, so that what the model knew stays.

    python3 grow.py default.safetensors grown.safetensors
"""
import json
import sys

import torch

import export

NEARLY_NOTHING = 0.002  # of an output projection's weights; those of a trained one are some .05


def grown(tensors, config):
    """(tensors under the published names, config) -> the same of the larger model."""
    layers = config["num_encoder_layers"]
    if layers < 2:
        raise ValueError(f"expected two encoder layers or more to grow from, got {layers}")
    copied, added, generator = f"model.encoder.layers.{layers - 2}.", f"model.encoder.layers.{layers}.", torch.Generator().manual_seed(0)
    more = {added + name[len(copied) :]: tensor.clone() for name, tensor in tensors.items() if name.startswith(copied)}
    out = f"{added}self_attn.out_proj.weight"
    more[out] = NEARLY_NOTHING * torch.randn(more[out].shape, generator=generator)
    return {**tensors, **more}, {**config, "num_encoder_layers": layers + 1}


if __name__ == "__main__":
    source, target = sys.argv[1:3]
    tensors, metadata = export.read_safetensors(source)
    tensors, config = grown(tensors, json.loads(metadata["config"]))
    export.write_safetensors(target, tensors, {**metadata, "config": json.dumps(config), "note": f"{metadata.get('note', source)}, one encoder layer more"})
    export.read_back(target)
