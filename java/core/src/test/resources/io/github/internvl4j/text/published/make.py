"""Makes hashes.txt: what transformers does with 100,000 texts and a published vocabulary, slow and fast, 1,000 texts a line.

usage: python make.py FOLDER      (transformers 4.57.6, tokenizers 0.22.2; FOLDER holds tokenizer.json and tokenizer_config.json as
scripts/published-tokenizer fetches them)

The texts are not stored: PublishedVocabularyTest makes the same ones, from lines.json and a small generator.
"""
import hashlib, json, os, sys, tempfile
from multiprocessing import Pool

HERE = os.path.dirname(os.path.abspath(__file__))
LINES = json.load(open(f"{HERE}/lines.json"))
ODD = [" ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u2581", "\0", " .", " n't", "'s", "'\u017f", "\u0085", "\x1c", "\u200b", "\u3000", " \n ", "e\u0301", "\u212a"]
RANGES = [(0x20, 0x7f), (0xa0, 0x250), (0x300, 0x370), (0x370, 0x3000), (0x3000, 0xd800), (0xe000, 0x10000), (0x10000, 0x20000), (0x20000, 0x32000), (0, 0xd800)]
# Marks that Unicode got later than Java 17 or Python 3.11: what they compose with depends on the version.
LATER = [(0x897, 0x89f), (0x8ca, 0x8d2), (0xc3c, 0xc3c), (0x1715, 0x1715), (0x1ac1, 0x1aff), (0x1dfa, 0x1dfa), (0x105c0, 0x105ff),
         (0x10d60, 0x10d6f), (0x10ef0, 0x10eff), (0x10f82, 0x10f85), (0x11070, 0x11070), (0x11380, 0x113ff), (0x11f41, 0x11f42),
         (0x16100, 0x1613f), (0x16d40, 0x16d7f), (0x1e2ae, 0x1e2ae), (0x1e4ec, 0x1e4ef), (0x1e5ee, 0x1e5ef)]
TEXTS, BLOCK = 100_000, 1000


class Numbers:
    """splitmix64"""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = self.state + 0x9E3779B97F4A7C15 & 2**64 - 1
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & 2**64 - 1
        z = (z ^ z >> 27) * 0x94D049BB133111EB & 2**64 - 1
        return ((z ^ z >> 31) >> 33) % bound


def character(r):
    low, high = RANGES[r.below(len(RANGES))]
    c = low + r.below(high - low)
    return "?" if any(a <= c <= b for a, b in LATER) else chr(c)


def part(r, marks):
    kind = r.below(10)
    if kind < 4:
        return LINES[r.below(len(LINES))]
    if kind < 6:
        line = LINES[r.below(len(LINES))]
        start = r.below(len(line))
        return line[start:start + 1 + r.below(12)]
    if kind == 6:
        return "".join(character(r) for _ in range(1 + r.below(6)))
    if kind == 7:
        return marks[r.below(len(marks))]
    if kind == 8:
        return ODD[r.below(len(ODD))]
    return "".join("abcxyzAB<>|_'.,019 \n"[r.below(20)] for _ in range(1 + r.below(10)))


def text(i, marks):
    r = Numbers(i)
    return "".join(part(r, marks) for _ in range(1 + r.below(7)))


def chosen(i, size, marks):
    r = Numbers(i + 2**40)
    return [size - 1 - r.below(marks) if r.below(4) == 0 else r.below(256) if r.below(3) == 0 else r.below(size)
            for _ in range(1 + r.below(12))]


def load(path):
    global T
    from transformers import Qwen2Tokenizer, Qwen2TokenizerFast
    T = (Qwen2TokenizerFast if path.endswith("fast") else Qwen2Tokenizer).from_pretrained(path)
    if not T.is_fast:  # the same lists, not made anew for every token

        class Cached(Qwen2Tokenizer):
            all_special_tokens, all_special_tokens_extended = T.all_special_tokens, T.all_special_tokens_extended

        T.__class__ = Cached


def block(b):
    marks = [T.added_tokens_decoder[i].content for i in sorted(T.added_tokens_decoder)]
    size = len(T)
    digest = hashlib.sha256()
    for i in range(b * BLOCK, (b + 1) * BLOCK):
        ids = T.encode(text(i, marks))
        digest.update((",".join(map(str, ids)) + "\n").encode())
        for some in ids, chosen(i, size, len(marks)):
            digest.update((T.decode(some) + "\n" + T.decode(some, skip_special_tokens=True) + "\n").encode())
    return digest.hexdigest()[:16]


if __name__ == "__main__":
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        model = json.load(open(f"{sys.argv[1]}/tokenizer.json"))["model"]
        for kind in "slow", "fast":
            os.mkdir(f"{folder}/{kind}")
            os.symlink(os.path.abspath(f"{sys.argv[1]}/tokenizer_config.json"), f"{folder}/{kind}/tokenizer_config.json")
        json.dump(model["vocab"], open(f"{folder}/slow/vocab.json", "w"))
        with open(f"{folder}/slow/merges.txt", "w") as f:
            f.write("#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in model["merges"]))
        os.symlink(os.path.abspath(f"{sys.argv[1]}/tokenizer.json"), f"{folder}/fast/tokenizer.json")
        for kind in "slow", "fast":
            with Pool(initializer=load, initargs=(f"{folder}/{kind}",)) as pool:
                columns.append(pool.map(block, range(TEXTS // BLOCK), 1))
    with open(f"{HERE}/hashes.txt", "w") as f:
        f.writelines(f"{slow} {fast}\n" for slow, fast in zip(*columns))
