"""Makes the tokenizers of this folder, and what transformers does with them (vectors.json each).

usage: python make.py [NAME...]      (transformers 4.57.6, sentencepiece 0.2.2, protobuf)

Each is a small SentencePiece BPE model with other flags than the published one, to hold the reading of the flags in place. Those in
GIVEN are small ones in the layouts of Phi-3, LLaMA2 and Llama 3, made elsewhere. With names, only their vectors are made.
"""
import json, os, random, sys
import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb
from transformers import PreTrainedTokenizerFast
from transformers.models.llama.tokenization_llama import LlamaTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
GIVEN = ["phi3", "llama2-zh", "llama3-bpe"]
R = random.Random(20240101)
LINES = ["Привет, как дела?", "こんにちは、世界。", "你好，世界！请描述图片。", "مرحبا بالعالم", "नमस्ते", "สวัสดีชาวโลก", "안녕하세요",
         "Ça va très bien, où êtes-vous?", "Größe, Straße", "👨‍👩‍👧‍👦 family 🏳️‍🌈", "🦊🐼🐸", "ﬀ ½ ² ™", "e\u0301 n\u0303", "a\u00a0b\u3000c\u2028d",
         "𝕳𝖊𝖑𝖑𝖔 𠀀", "▁underline▁ ▁▁x", "<0x41><0xE4> <s> </s> <unk>", "it 's a dog , is n't it ? I 've seen \" ' x ' \" .", "foo foobar foo bar ab abab xyz"]
SYLLABLES = "the an ing er on at or is al de ti ra to be st co re wi ta pre tion ment ab xyz foo bar and".split()
words = ["".join(R.choice(SYLLABLES) for _ in range(R.randint(1, 3))) for _ in range(400)]
corpus = LINES * 4 + ["  " * R.randint(0, 2) + " ".join(R.choice(words) for _ in range(8)) + R.choice(". ? ! 12 345".split()) for _ in range(1500)]


def folder(name):
    os.makedirs(f"{HERE}/{name}", exist_ok=True)
    return f"{HERE}/{name}"


def train(name, **flags):
    with open("/tmp/corpus.txt", "w") as f:
        f.write("\n".join(corpus))
    spm.SentencePieceTrainer.train(**(dict(
        input="/tmp/corpus.txt", model_prefix="/tmp/model", model_type="bpe", normalization_rule_name="identity",
        character_coverage=0.98, hard_vocab_limit=False, num_threads=1, minloglevel=2) | flags))
    os.replace("/tmp/model.model", folder(name) + "/tokenizer.model")


def edit(name, source, change):
    model = pb.ModelProto.FromString(open(f"{HERE}/{source}/tokenizer.model", "rb").read())
    change(model)
    open(folder(name) + "/tokenizer.model", "wb").write(model.SerializeToString())


def files(name, config=None, special=None, added=None):
    for file, value in (("tokenizer_config", config), ("special_tokens_map", special), ("added_tokens", added)):
        if value is not None:
            json.dump(value, open(f"{HERE}/{name}/{file}.json", "w"), indent=1)


def token(content, **flags):
    return dict(content=content, lstrip=False, rstrip=False, single_word=False, normalized=False, special=True) | flags


def size(name):
    return len(pb.ModelProto.FromString(open(f"{HERE}/{name}/tokenizer.model", "rb").read()).pieces)


def unused(model):
    for piece in model.pieces:
        if piece.type == 1 and R.random() < .3:
            piece.type = 5


def ties(model):
    for piece in model.pieces:
        if piece.type == 1:
            piece.score = float(R.randint(-5, 0))


def suffix(model):
    model.trainer_spec.treat_whitespace_as_suffix = True


def no_escape(model):
    model.normalizer_spec.escape_whitespaces = False
    model.normalizer_spec.remove_extra_whitespaces = True
    model.trainer_spec.unk_surface = "?!"



def make_all():
    train("defaults", byte_fallback=True, vocab_size=600)
    train("dummy-prefix", remove_extra_whitespaces=False, vocab_size=300)
    files("dummy-prefix", {"add_bos_token": False, "clean_up_tokenization_spaces": True})
    train("trimmed", add_dummy_prefix=False, vocab_size=300, control_symbols=["<ctl>"],
          user_defined_symbols=["<sep>", "foo bar", "  ", "ab", "<|mark|>", "▁▁▁", "é"])
    files("trimmed", {"add_bos_token": True, "add_eos_token": True, "legacy": True, "tokenizer_class": "LlamaTokenizer"})
    train("added", add_dummy_prefix=False, remove_extra_whitespaces=False, byte_fallback=True, vocab_size=550,
          user_defined_symbols=["<sep>", "foo", "foobar", "\n", "   ", "🦊"])
    n = size("added")
    files("added", {
        "add_bos_token": False, "clean_up_tokenization_spaces": True, "bos_token": "<s>", "pad_token": "<pad>",
        "eos_token": {"__type": "AddedToken"} | token("</s>"), "additional_special_tokens": ["<L>", "<W>", "<new>"],
        "added_tokens_decoder": {
            str(n): token("<L>", lstrip=True), str(n + 1): token("<R>", rstrip=True, special=False),
            str(n + 2): token("<W>", single_word=True), str(n + 3): token("<LR>", lstrip=True, rstrip=True),
            str(n + 4): token("and", single_word=True, special=False), "5": token("xyz"), str(n + 6): token("<Lx>")}})
    edit("unused", "added", unused)
    files("unused", None, {"bos_token": "<s>", "eos_token": token("</s>"),
                           "additional_special_tokens": ["<img>", token("<box>", rstrip=True)]},
          {"<img>": n, "<box>": n + 1, "<other>": n + 2})
    edit("suffix", "defaults", suffix)
    files("suffix", {"add_bos_token": False, "add_prefix_space": False})
    edit("no-escape", "dummy-prefix", no_escape)
    files("no-escape", {"add_bos_token": False})
    edit("ties", "defaults", ties)
    files("ties", {"add_bos_token": False}, None, {"ab": 1, "abcd": 900, "bc": 901})


if not sys.argv[1:]:
    make_all()
made = sorted(d for d in os.listdir(HERE) if os.path.isdir(f"{HERE}/{d}") and d not in GIVEN)
for name in sys.argv[1:] or made + GIVEN:
    fast = os.path.exists(f"{HERE}/{name}/tokenizer.json")
    t = (PreTrainedTokenizerFast if fast else LlamaTokenizer).from_pretrained(f"{HERE}/{name}")
    added = {token.content: i for i, token in t.added_tokens_decoder.items()}
    marks = list(added) + ["<sep>", "foo bar", "<|mark|>", "<ctl>", "foobar"]
    ids = sorted(set(range(t.vocab_size)) | set(added.values()))
    spaces = [" ", "  ", "   ", "\n", "\t", "\u00a0", "▁", "\0", " .", " n't", " , ", " ' "]

    def part():
        return R.choice([lambda: R.choice(LINES), lambda: R.choice(words), lambda: R.choice(marks), lambda: R.choice(spaces),
                         lambda: R.choice(marks)[:3], lambda: "".join(R.choice("abcdxyz<>▁ ") for _ in range(6))])()

    vectors = []
    for _ in range(70):
        text = "".join(part() for _ in range(R.randint(1, 7)))
        encoded = t.encode(text)
        vectors.append({"text": text, "ids": encoded, "decoded": t.decode(encoded),
                        "decoded_skip_special": t.decode(encoded, skip_special_tokens=True)})
        chosen = [R.choice(ids if R.random() < .7 else list(added.values())) for _ in range(R.randint(1, 9))]
        vectors.append({"ids": chosen, "decoded": t.decode(chosen),
                        "decoded_skip_special": t.decode(chosen, skip_special_tokens=True)})
    with open(f"{HERE}/{name}/vectors.json", "w") as f:
        f.write("[" + ",\n".join(json.dumps(v, ensure_ascii=True) for v in vectors) + "]\n")
