"""The demo's tokenizer: SentencePiece BPE in Yi's settings, and a conversation as token ids."""

from __future__ import annotations

import functools
import io
import json
from pathlib import Path

import sentencepiece

import talk

VOCABULARY = 832
IM_START, IM_END = 6, 7
ADDED = ("<img>", "</img>", "<IMG_CONTEXT>", "<quad>", "</quad>", "<ref>", "</ref>", "<box>", "</box>")
IMG, IMG_END, IMG_CONTEXT = VOCABULARY, VOCABULARY + 1, VOCABULARY + 2
# The template's own default.
SYSTEM = "你是由上海人工智能实验室联合商汤科技开发的书生多模态大模型，英文名叫InternVL, 是一个有用无害的人工智能助手。"


def train() -> bytes:
    """The tokenizer.model. Lines hold no newline, so no piece does: a prompt's tokens never depend on its answer."""
    frame = [f"Frame{i}: " for i in range(1, 17)] + [f"Image-{i}: " for i in range(1, 5)]
    words = ["system", "user", "assistant", SYSTEM] + frame
    lines = list(talk.every_text(20261123, 3000)) + words * 400
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, model_type="bpe", vocab_size=VOCABULARY, byte_fallback=True,
        normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False, split_digits=True,
        character_coverage=1.0, allow_whitespace_only_pieces=True, num_threads=1, minloglevel=2,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, unk_piece="<unk>", bos_piece="<|startoftext|>", eos_piece="<|endoftext|>",
        control_symbols=["<|Human|>", "<|Assistant|>", "<|System|>"],
        user_defined_symbols=["<|im_start|>", "<|im_end|>", "<|im_sep|>"],
    )
    return model.getvalue()


class Tokenizer:
    def __init__(self, model: bytes):
        self._pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.encode = functools.lru_cache(maxsize=200_000)(lambda text: tuple(self._pieces.encode(text)))
        self._system = [IM_START, *self.encode("system\n" + SYSTEM), IM_END]

    def decode(self, ids: list[int]) -> str:
        return self._pieces.decode([i for i in ids if i < VOCABULARY])

    def opening(self, pictures: str, count: int, tokens: int) -> list[int]:
        """Everything up to the first question's own words.

        pictures: "none", "single", "combined" (one place for all), "separate" or "frames" (a labelled line for each).
        """
        ids = self._system + [IM_START]
        if pictures == "none":
            return ids  # "user\n" is encoded together with the question
        if pictures in ("single", "combined"):
            return ids + [*self.encode("user\n"), IMG, *[IMG_CONTEXT] * (tokens * count), IMG_END]
        text = "user\n"
        for i in range(count):
            text += f"Image-{i + 1}: " if pictures == "separate" else f"Frame{i + 1}: "
            ids += [*self.encode(text), IMG, *[IMG_CONTEXT] * tokens, IMG_END]
            text = "\n"
        return ids

    def rounds(self, rounds: list[tuple[str, str]], after_pictures: bool) -> tuple[list[int], list[bool]]:
        """The ids after `opening`, and which of them the model has to say itself."""
        ids: list[int] = []
        said: list[bool] = []
        for index, (question, answer) in enumerate(rounds):
            if index == 0:
                asked = [*self.encode("\n" + question if after_pictures else "user\n" + question), IM_END]
            else:
                asked = [IM_START, *self.encode("user\n" + question), IM_END]
            asked += [IM_START, *self.encode("assistant\n")]
            answered = [*self.encode(answer), IM_END]
            ids += asked + answered
            said += [False] * len(asked) + [True] * len(answered)
        return ids, said


def _added_token(content: str) -> dict:
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}


def save(model: bytes, folder: Path) -> None:
    """tokenizer.model and the JSON files that transformers' LlamaTokenizer reads beside it."""
    (folder / "tokenizer.model").write_bytes(model)
    named = {0: "<unk>", 1: "<|startoftext|>", 2: "<|endoftext|>", IM_START: "<|im_start|>", IM_END: "<|im_end|>"}
    named |= {VOCABULARY + i: token for i, token in enumerate(ADDED)}
    roles = {"bos_token": named[1], "eos_token": named[IM_END], "pad_token": named[0], "unk_token": named[0]}
    files = {
        "added_tokens.json": {token: VOCABULARY + i for i, token in enumerate(ADDED)},
        "special_tokens_map.json": {
            "additional_special_tokens": [_added_token(token) for token in ADDED],
            **{role: _added_token(token) for role, token in roles.items()},
        },
        "tokenizer_config.json": {
            "add_bos_token": False, "add_eos_token": False,
            "added_tokens_decoder": {
                str(i): {**_added_token(token), "special": i != IM_START} for i, token in sorted(named.items())
            },
            "additional_special_tokens": list(ADDED), **roles, "clean_up_tokenization_spaces": False, "legacy": True,
            "model_max_length": 4096, "sp_model_kwargs": {}, "spaces_between_special_tokens": False,
            "tokenizer_class": "LlamaTokenizer", "use_default_system_prompt": False,
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
