"""Commands of a folder of lists -> statements beside the same tools, which call nothing: others did it, or do so every day.

    python3 told.py hand told

"Set a timer for five minutes" comes out as "she set a timer for five minutes", "did Tom ever set …?", "I usually set …". Beside tools that note
what people did, nothing is made of the verbs of such deeds, nor of the speaker's own. Half of the lists also get two of what people say to one
another ("ok", "good night everyone"), unless one of their tools might take it.
"""
import argparse
import glob
import json
import os
import random
import re

MOST_WORDS = 12

# Past, third person and -ing of verbs that do not go by the rules.
ODD = """set set sets setting|stop stopped stops stopping|send sent sends sending|tell told tells telling|put put puts putting|take took takes taking
|find found finds finding|make made makes making|wake woke wakes waking|read read reads reading|skip skipped skips skipping|get got gets getting
|give gave gives giving|bring brought brings bringing|buy bought buys buying|write wrote writes writing|snap snapped snaps snapping
|drop dropped drops dropping|begin began begins beginning|run ran runs running|drive drove drives driving|pay paid pays paying|feed fed feeds feeding
|scan scanned scans scanning|reset reset resets resetting|shut shut shuts shutting|draw drew draws drawing|swap swapped swaps swapping
|pin pinned pins pinning|keep kept keeps keeping|leave left leaves leaving|transfer transferred transfers transferring|light lit lights lighting
|ring rang rings ringing|hold held holds holding|show showed shows showing|dim dimmed dims dimming|log logged logs logging"""
REGULAR = """turn start play add remind text call open close switch raise lower increase decrease book order cancel delete remove check pause resume
record mark move create schedule change navigate track lock unlock mute save share translate message email note warm heat cool charge end rent reserve
pull push fill water clean print search look ask restart roll shift assign register report count measure weigh tune rename post repeat pick pack spray
rinse brew bake cook rate enter file attach invite block follow bump extend shorten walk queue stream download upload"""


def forms(verb):
    """A regular verb -> its past, third person and -ing."""
    stem = verb[:-1] if verb.endswith("e") else verb
    third = verb + ("es" if verb.endswith(("sh", "ch", "x", "ss")) else "s")
    return stem + "ed", third, stem + "ing"


VERBS = {verb: forms(verb) for verb in REGULAR.split()}
VERBS.update({verb: tuple(others) for verb, *others in (row.split() for row in ODD.split("|"))})

# What may be noted of others: "Ida fed the cat" calls a tool that keeps a diary.
DEEDS = set("water feed clean measure weigh walk run drive cook take read pay bake brew play call change give fill get count leave rate charge pick enter mark".split())
NOTES = re.compile(r"\b(log|track|record|note|diary|journal|report|attendance|score|habit|history)", re.I)

ONE = """she|he|someone|my brother|my sister|my mom|mum|dad|my boss|my wife|my husband|a friend of mine|the guy next door|grandma|my roommate|our teacher
|the nurse|anna|Tom|Priya|Lukas|Mei|Omar|the other team|the cleaner|my uncle|my colleague""".replace("\n", "").split("|")
MANY = "they|the neighbours|the kids|people here".split("|")

# More than one clause, or the speaker's own part in it, may be a command after all.
JOINED = re.compile(r"[.,;:!?]|\b(and|then|also|but|if|when|no|not|sorry|actually|i|i'm|me|my|we|us|our|please)\b", re.I)

SMALL_TALK = """ok|okay|yes|yeah|yep|sure|thanks|thank you|thanks a lot|great|cool|nice|lol|haha|hmm|hm|wow|right|alright|fine|got it|i see|good morning
|hello|hi there|hey|you're welcome|see you later|bye|good night everyone|sorry|oops|no|nope|no thanks|what|really|oh|uh|um|exactly|true|same here
|not bad|how are you|what's up|who are you|good job|well done|i know|me too|maybe|perhaps|whatever|anyway|so|and|yes please do it|do it|go on|go ahead
|that one|this one|the second one|again please|one moment|wait a second|just kidding|i don't know|no idea|i'm bored|i'm hungry|i'm tired|it's raining
|what a day|look at that|that's funny|long time no see|happy birthday|congratulations|is this on|can you hear me|testing|one two three""".replace("\n", "").split("|")
TAKES_TALK = re.compile(r"\b(yes|confirm|answer|reply|greet|thank|undo|stop|cancel|repeat|again|chat|say|help|mood|feeling|translate|message|text|note|search|ask|weather)", re.I)


def statement(rng, verb, rest, own):
    """`own`: also of the speaker."""
    past, third, ing = VERBS[verb]
    many = rng.random() < len(MANY) / (len(MANY) + len(ONE))
    who = rng.choice(MANY if many else ONE)
    now, then, do, does = ("are", "were", verb, "do") if many else ("is", "was", third, "does")
    kinds = [
        (0.42, ["{who} {past} {rest}", "{who} {past} {rest}", "{who} just {past} {rest}", "{who} already {past} {rest}", "yesterday {who} {past} {rest}",
                "{who} {past} {rest} again", "apparently {who} {past} {rest}"]),
        (0.14, ["{who} always {do} {rest}", "{who} usually {do} {rest}", "{who} never {do} {rest}", "{who} {do} {rest} every day"]),
        (0.12, ["{who} {now} {ing} {rest}", "{who} {then} {ing} {rest}", "{who} {now} {ing} {rest}" if many else "{who}'s {ing} {rest}"]),
        (0.10, ["did {who} {verb} {rest}", "{does} {who} ever {verb} {rest}", "why did {who} {verb} {rest}", "when did {who} {verb} {rest}"]),
        (0.06, ["{who} wanted to {verb} {rest}", "{who} would never {verb} {rest}", "{who} said you can {verb} {rest}", "{who} forgot to {verb} {rest}",
                "{who} used to {verb} {rest}"]),
        (0.16, ["i usually {verb} {rest}", "i always {verb} {rest}", "i never {verb} {rest}", "i used to {verb} {rest}", "we {verb} {rest} every weekend",
                "i was going to {verb} {rest}", "i would {verb} {rest} if i could", "i was {ing} {rest} when you called", "last week i {past} {rest}"]
         if own else ["{who} {past} {rest}"]),
    ]
    forms = rng.choices([forms for _, forms in kinds], [share for share, _ in kinds])[0]
    return rng.choice(forms).format(**locals())


def spelled(rng, text, is_capital):
    if is_capital and rng.random() < 0.8:
        text = text[0].upper() + text[1:]
    if text[0] == "I" or rng.random() < 0.5:
        text = re.sub(r"\bi\b", "I", text)
    if re.match(r"(did|does|do|why|when) ", text, re.I):
        return text + "?" * (rng.random() < 0.7)
    return text + "." * (rng.random() < 0.35)


def told(rng, tools, requests, most):
    """Requests of one list, [text, calls] -> at most so many of what calls nothing."""
    notes = any(NOTES.search(json.dumps([tool["name"], tool.get("description", "")])) for tool in tools)
    made = []
    for text, calls in (request[:2] for request in rng.sample(requests, len(requests))):
        found = len(made) < most and calls and len(calls) == 1 and re.match(r"(?:please )?([a-z]+) (.+?)(?:,? please)?[.!]?$", text, re.I)
        if not found:
            continue
        verb, rest = found[1].lower(), found[2]
        if verb not in VERBS or (notes and verb in DEEDS) or JOINED.search(rest) or len(rest.split()) > MOST_WORDS:
            continue
        made.append([spelled(rng, statement(rng, verb, rest, not notes), text[0].isupper()), []])
    if made and not TAKES_TALK.search(json.dumps(tools)) and rng.random() < 0.5:
        made += [[spelled(rng, talk, rng.random() < 0.4), []] for talk in rng.sample(SMALL_TALK, 2)]
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", help="a folder of lists")
    parser.add_argument("out", help="a folder, made if it is not there")
    parser.add_argument("--most", type=int, default=12, help="statements a list")
    parser.add_argument("--seed", type=int, default=32)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    os.makedirs(options.out, exist_ok=True)
    count = 0
    for path in sorted(glob.glob(os.path.join(options.source, "*.json"))):
        with open(path) as file:
            known = json.load(file)
        made = told(rng, known["tools"], known["requests"], options.most)
        count += len(made)
        if made:
            with open(os.path.join(options.out, os.path.basename(path)), "w") as file:
                json.dump({"tools": known["tools"], "requests": made}, file)
    print(f"{options.out}: {count} statements")


if __name__ == "__main__":
    main()
