"""Makes vectors.json: what transformers does with the checkpoints of test-data and the tokenizers beside this folder if their
tokenizer_config.json says something else.

usage: PYTHONPATH=FOLDER python make.py      (transformers 4.57.6, sentencepiece 0.2.2; FOLDER has the file tokenization_internlm2.py
of a published checkpoint with InternLM2)

"config" is merged into tokenizer_config.json; null takes a field away.
"""
import json, os, random, shutil, tempfile
from tokenization_internlm2 import InternLM2Tokenizer
from transformers import AutoTokenizer, LlamaTokenizer, Qwen2Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(HERE + "/../../../../../../../../../..")
R = random.Random(1)
TEXTS = ["Hello , world ' s", " a <img> b", "\n\n x .", " I 've 你好 é", "e\u0301", "▁x ▁", " ", "\t", "abc", " .", "'s"]


def added(**tokens):
    return {"added_tokens_decoder": {i.lstrip("_"): dict(content=c, lstrip=False, rstrip=False, single_word=False, normalized=False, special=True) | f
                                     for i, (c, f) in tokens.items()}}


STRIP = added(_722=("<img>", dict(lstrip=True, rstrip=True)), _729=("<box>", dict(single_word=True)))
CASES = [
    ("qwen2-tied", Qwen2Tokenizer, {"clean_up_tokenization_spaces": True}),
    ("qwen2-tied", Qwen2Tokenizer, {"added_tokens_decoder": None}),
    ("qwen2-tied", Qwen2Tokenizer, {"add_bos_token": True, "bos_token": "<|im_start|>"}),
    ("qwen2-tied", Qwen2Tokenizer, {"extra_special_tokens": {"a": "<img>", "b": "<new>"}}),
    ("qwen2-tied", Qwen2Tokenizer, {"additional_special_tokens": ["<|im_start|>", "<new>"]}),
    ("qwen2-tied", Qwen2Tokenizer, STRIP),
    ("qwen2-tied", Qwen2Tokenizer, added(_300=("<renamed>", {}))),
    ("internlm2-tiles", InternLM2Tokenizer, {"added_tokens_decoder": None}),
    ("internlm2-tiles", InternLM2Tokenizer, {"clean_up_tokenization_spaces": True}),
    ("internlm2-tiles", InternLM2Tokenizer, {"add_bos_token": False, "add_eos_token": True}),
    ("internlm2-tiles", InternLM2Tokenizer, {"additional_special_tokens": ["<|im_start|>", "<img>"]}),
    ("phi3", LlamaTokenizer, {"add_prefix_space": False}),
    ("phi3", LlamaTokenizer, {"legacy": True}),
    ("phi3", LlamaTokenizer, {"clean_up_tokenization_spaces": True, "add_eos_token": True}),
    ("llama2-zh", LlamaTokenizer, {"legacy": False}),
    ("llama2-zh", LlamaTokenizer, {"legacy": False, "add_prefix_space": False}),
    ("qwen2-hf", AutoTokenizer, {"added_tokens_decoder": None}),
    ("qwen2-hf", AutoTokenizer, STRIP),
    ("qwen2-hf", AutoTokenizer, {"additional_special_tokens": ["<tool_call>", "<new>"], "clean_up_tokenization_spaces": True}),
    ("llama3-bpe", AutoTokenizer, {"clean_up_tokenization_spaces": False}),
]


def merge(value, change):
    for key, new in change.items():
        if new is None:
            value.pop(key, None)
        elif isinstance(new, dict):
            merge(value.setdefault(key, {}), new)
        else:
            value[key] = new


def vectors(base, kind, config):
    source = f"{ROOT}/test-data/{base}"
    source = source if os.path.isdir(source) else f"{HERE}/../tokenizers/{base}"
    with tempfile.TemporaryDirectory() as folder:
        for file in os.listdir(source):
            if os.path.isfile(f"{source}/{file}") and not file.endswith(".safetensors"):
                shutil.copyfile(f"{source}/{file}", f"{folder}/{file}")
        settings = json.load(open(f"{folder}/tokenizer_config.json"))
        merge(settings, config)
        json.dump(settings, open(f"{folder}/tokenizer_config.json", "w"))
        t = kind.from_pretrained(folder)
    marks = list(t.get_added_vocab())
    for n in range(40):
        vector = {}
        if n % 2:
            vector["text"] = "".join(R.choice(R.choice((TEXTS, marks, TEXTS))) for _ in range(R.randint(1, 6)))
            ids = t.encode(vector["text"])
        else:
            ids = [t.convert_tokens_to_ids(R.choice(marks)) if R.random() < .4 else R.randrange(len(t)) for _ in range(R.randint(1, 9))]
        try:
            yield vector | {"ids": ids, "decoded": t.decode(ids), "decoded_skip_special": t.decode(ids, skip_special_tokens=True)}
        except (KeyError, TypeError):
            pass  # a number without a token, or a token that this class cannot decode


with open(f"{HERE}/vectors.json", "w") as f:
    made = [{"base": base, "config": config, "vectors": list(vectors(base, kind, config))} for base, kind, config in CASES]
    f.write("[" + ",\n".join(json.dumps(case) for case in made) + "]\n")
