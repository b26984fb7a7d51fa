"""Requests as they come from a small keyboard or a microphone in the wind: a slip in a word or two, with the answers that follow from it.

    python3 slips.py examples.jsonl slipped.jsonl

"Set teh timer four an hour": typing errors, words that sound like others, fillers, words said twice, a first letter that was cut off. Numbers and
negations stay as they are. A value that is copied is copied with its slip; an enum's is meant all the same.
"""
import argparse
import json
import random
import re

WORD = re.compile(r"[A-Za-z][A-Za-z']*")

# Words that the recogniser took for others, and the spellings of hurried thumbs.
ALIKE = {word: others.split() for word, _, others in (row.partition(" ") for row in """for four fore 4|to two too 2|weather whether wether|buy by bye|by buy bye|there their|their there
your you're ur|you u ya|please plz pls pleas|at add ad|the da teh de th|an a|set sat said sit|send sent sand|call coal col|text tex texts|start stard star|stop stopp shop
turn torn tern|play plate pley|show shoe sho|find fined fine|read red reed|write right|mail male|wake week weak|remind remine|what's whats what|whats what|alarm allarm alarms
timer timmer timers|is iz his|in an inn|and end an n|my mine mai|me mi|lights lites light|light lite|hour our|tickets tickits|ticket tickit|open oppen
close clothes|how howe|many meny|road rode|new knew|know no|check czech chek|tell tel sell|are r or|from form frum|want wont wanna|need knead|going goin gonna|can ken
message massage mesage|schedule shedule scedule|reminder remainder|add ad at|low lo|would wood|room rome|here hear|hear here|heat heed|cell sell|bright brite
night nite|tonight tonite|tomorrow tomorow tmrw tommorow|today 2day|minute minuet|calendar calender|restaurant resturant restaurent|temperature temprature|music musik|song sung
kitchen kichen|list least|meeting meating|appointment apointment|definitely definately|address adress|through thru|because cuz|okay ok|great grate|whole hole|some sum
been bin|be b|see sea c|where were wear|wait weight|way weigh|which witch|plane plain|flour flower|meet meat|piece peace|tail tale|main mane|mute moot|dim dime|lock look
unlock unlook|flights flites|flight flite|book brook buck|cancel cansel|delete deleet|house hause|phone fone|picture pitcher|photo foto|walk work|run ron|ride write|track truck
log lock|water whatter|sleep slip|heart hart|rate raid|pause paws|skip skib|next nex|last lust|volume volumn|louder lauder|brightness britness|noise nose""".replace("\n", "|").split("|"))}
BESIDE = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wa qes wrd etf ryg tuh yij uok ipl ol qsz adwx sfec dgrv fhtb gjyn hkum jli kop xas zcsd xvdf cbfg vngh bmhj njk".split()))
FILLERS = "uh um like er so well hmm ah".split()
SMALL = set("the an please my can you could is".split())

# Nothing is as it was without these, and the runtime reads numbers by their words.
KEPT = re.compile(r"\d|^(zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|half|quarter"
                  r"|third|first|second|\w+th|double|twice|once|dozen|couple|a\.?m|p\.?m|o'clock|past|no|not|never|without|except|\w+n't|dont|off|on|up|down)$", re.I)
LEAST_LETTERS = 2  # of a word that has room for a slip


def leaves(value):
    """The texts of a value."""
    if isinstance(value, str):
        yield value
    for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from leaves(inner)


def listed(schema):
    """The texts that enums of a schema list."""
    if isinstance(schema, dict):
        yield from (one for one in schema.get("enum") or () if isinstance(one, str))
    for inner in schema if isinstance(schema, list) else schema.values() if isinstance(schema, dict) else ():
        yield from listed(inner)


def changed(value, old, new):
    """A value with one text in another's place."""
    if isinstance(value, list):
        return [changed(one, old, new) for one in value]
    if isinstance(value, dict):
        return {key: changed(one, old, new) for key, one in value.items()}
    return new if value == old else value


def typed(rng, word):
    """A word as a hurried thumb types it."""
    at = rng.randrange(1, len(word))
    kind = rng.random()
    if kind < 0.3:
        return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    if kind < 0.55:
        return word[:at] + word[at + 1 :]
    if kind < 0.75:
        return word[:at] + word[at] + word[at:]
    return word[:at] + rng.choice(BESIDE.get(word[at].lower(), word[at])) + word[at + 1 :]


def edit(rng, request, word, place):
    """What comes in a word's place; None where this slip cannot happen to it. `place`: "free", "copied" or "listed"."""
    text, kind = word.group(), rng.random()
    if kind < 0.4 and place != "listed":
        others = ALIKE.get(text.lower())
        # "to forty" heard as "two forty" is another number.
        other = others and rng.choice(others)
        near = request[: word.start()].split()[-1:] + request[word.end() :].split()[:1]
        return None if not other or (KEPT.search(other) and any(KEPT.search(one) for one in near)) else other
    if kind < 0.8:
        return typed(rng, text) if len(text) > 3 else None
    if place != "free":
        return None
    if kind < 0.88:
        return f"{rng.choice(FILLERS)} {text}"
    if kind < 0.93:
        return f"{text} {text}"
    if kind < 0.97:
        return "" if text.lower() in SMALL and word.start() else None
    return text[1:] if word.start() == 0 and len(text) > 2 else None


def slipped(rng, request, answers, tools):
    """A request with one slip, or two, and its answers, [{"name", "arguments"}]; as they were where none was found to make. Some have no capitals."""
    enums = set(listed(tools))
    if rng.random() < 0.2:
        small = request.lower()
        for text in [text for text in leaves([answer["arguments"] for answer in answers]) if text in request and text not in enums]:
            answers = [{**answer, "arguments": changed(answer["arguments"], text, text.lower())} for answer in answers]
        request = small
    for _ in range(2 if rng.random() < 0.25 else 1):
        request, answers = once(rng, request, answers, enums)
    return request, answers


def once(rng, request, answers, enums):
    """The same with one slip at most. `enums`: the texts that the tools list."""
    low = request.lower()
    values = [text for text in dict.fromkeys(leaves([answer["arguments"] for answer in answers])) if text]
    spans = [(at, at + len(text), text) for text in values for at in [low.find(text.lower())] if at >= 0]
    words = list(WORD.finditer(request))
    for word in rng.sample(words, min(len(words), 6)):
        before = request[: word.start()].split()[-1:]
        # What a number counts is read with it.
        if KEPT.search(word.group()) or len(word.group()) < LEAST_LETTERS or (before and KEPT.search(before[0])):
            continue
        around = [span for span in spans if span[0] < word.end() and span[1] > word.start()]
        if any(start > word.start() or end < word.end() or low.count(text.lower()) > 1 for start, end, text in around):
            continue
        copied = [span for span in around if span[2] not in enums]
        if copied and (len(copied) < len(around) or any(request[start:end] != text for start, end, text in copied)):
            continue
        new = edit(rng, request, word, "copied" if copied else "listed" if around else "free")
        if new is None or new == word.group():
            continue
        for start, _, text in copied:
            with_slip = text[: word.start() - start] + new + text[word.end() - start :]
            answers = [{**answer, "arguments": changed(answer["arguments"], text, with_slip)} for answer in answers]
        return re.sub(r"  +", " ", request[: word.start()] + new + request[word.end() :]), answers
    return request, answers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", help="JSONL of {query, tools, answers}")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=33)
    options = parser.parse_args()
    rng, count = random.Random(options.seed), 0
    with open(options.source) as source, open(options.out, "w") as out:
        for line in source:
            example = json.loads(line)
            query, answers = slipped(rng, example["query"], example["answers"], example["tools"])
            if query != example["query"]:
                count += 1
                out.write(json.dumps({**example, "query": query, "answers": answers}) + "\n")
    print(f"{options.out}: {count} requests with a slip")


if __name__ == "__main__":
    main()
