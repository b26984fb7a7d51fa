"""Trains the SentencePiece vocabulary: BPE, byte fallback, no normalisation, the special ids of the original.

    python3 vocab.py nano 4096 data.train.jsonl.gz synthetic.jsonl …

Writes nano.model (for training and `thimble build`) and nano.vocab.txt (id, piece, score). The corpus is what the model will read and write: the
queries, the tools as prompts show them, the answers.
"""
import sys

import data


def corpus(paths):
    for path in paths:
        for query, tools, answers in data.read_examples(path):
            yield query.replace("\n", " ")
            yield data.compact(tools)
            yield data.compact(answers, escape=False)


def train(prefix, size, paths):
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=corpus(paths), model_prefix=prefix, vocab_size=size, model_type="bpe", byte_fallback=True, character_coverage=0.9999,
        normalization_rule_name="identity", pad_id=0, eos_id=1, bos_id=2, unk_id=3, user_defined_symbols=["<tool_call>", "<tools>"],
        max_sentence_length=8192, num_threads=1, minloglevel=1,
    )
    sp = sentencepiece.SentencePieceProcessor()
    sp.Load(prefix + ".model")
    with open(prefix + ".vocab.txt", "w", encoding="utf-8") as file:
        for i in range(sp.GetPieceSize()):
            file.write(f"{i}\t{sp.IdToPiece(i)}\t{sp.GetScore(i):g}\n")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    train(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
