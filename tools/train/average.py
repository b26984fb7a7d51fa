"""Averages the weights of two models that come from one another: often better than either, and it costs no training.

    python3 average.py nano.safetensors model.safetensors 0.45 averaged.safetensors        (0.45 of the second)
"""
import json
import sys

import export

if __name__ == "__main__":
    first, second, share, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
    (a, about_a), (b, about) = export.read_safetensors(first), export.read_safetensors(second)
    if json.loads(about_a["config"]) != json.loads(about["config"]):
        raise SystemExit(f"{second}: expected the geometry of {first}, got {about['config']}")
    about["note"] = f"{share} of {about.get('note', 'the second')}, {1 - share:g} of {about_a.get('note', 'the first')}"
    export.write_safetensors(out, {name: (1 - share) * a[name] + share * b[name] for name in b}, about)
