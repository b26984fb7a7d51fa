"""joins.py COUNT SEED OUT.jsonl SOURCE...: two requests of the sources (JSONL files and folders of lists) said in one breath, with the tools of both and up to four strangers."""

import json
import random
import sys

from data import read_examples, words

JOINTS = [" and ", " and also ", " and then ", " then ", ", and ", ", then ", ". Also, ", ". Then "]


def said(first, second, joint):
    """"Lights off." and "Call Bo" -> "Lights off and call Bo"; an "I" and what is all capitals stay as they are."""
    first = first.rstrip(" .!?,;")
    word = second.split(" ")[0]
    return first + joint + (second if word == "I" or word.isupper() and len(word) > 1 else second[0].lower() + second[1:])


def main():
    count, seed, out, *sources = sys.argv[1:]
    r = random.Random(seed)
    singles = [
        (query, tools, answers[0])
        for s in sources
        for query, tools, answers in read_examples(s)
        if len(answers) == 1 and len(query) < 90
    ]
    called = {answer["name"] for _, _, answer in singles}
    if len(called) < 2:
        raise SystemExit(f"{' '.join(sources)}: expected requests of one call for two tools or more, got {len(singles)} for {len(called)}; name more sources")
    with open(out, "w") as f:
        for _ in range(int(count)):
            while True:
                (first, _, one), (second, _, two) = pair = r.sample(singles, 2)
                if one["name"] != two["name"]:
                    break
            tools = [next(t for t in tools if t["name"] == answer["name"]) for _, tools, answer in pair]
            for _, others, _ in r.choices(singles, k=r.randint(0, 4)):
                stranger = r.choice(others)
                if not any(words(stranger) & words(t) for t in tools):
                    tools.append(stranger)
            r.shuffle(tools)
            f.write(json.dumps({"query": said(first, second, r.choice(JOINTS)), "tools": tools, "answers": [one, two]}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
