#!/usr/bin/env python3
"""Writes the activations of the ORIGINAL model, for `internvl4j compare`.

    python3 scripts/dump_reference.py --model DIR --prompt "Please describe the image." --image F --out original.safetensors
    scripts/internvl4j dump           --model DIR --prompt "Please describe the image." --image F --out ours.safetensors
    scripts/internvl4j compare ours.safetensors original.safetensors

Needs torch, transformers, safetensors, sentencepiece, pillow, and what the checkpoint's own code imports (timm, einops).
The model, its prompt and its tokenizer are the checkpoint's own (trust_remote_code); this script only listens: forward hooks
take each layer's output of the prompt's pass as f32. --code names a folder with the original's Python files for a checkpoint
without them. --tokens N also writes N greedy tokens, and the prompt's ids, into OUT with the ending .json.
"""
from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable

import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer, CLIPImageProcessor, PretrainedConfig

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
AUTO_MAP = {
    "AutoConfig": "configuration_internvl_chat.InternVLChatConfig",
    "AutoModel": "modeling_internvl_chat.InternVLChatModel",
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, type=Path, help="checkpoint folder")
    parser.add_argument("--code", type=Path, help="the original's Python files, if the checkpoint has none")
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--image", action="append", default=[], type=Path)
    parser.add_argument("--combine", action="store_true", help="the images are one entry")
    parser.add_argument("--history", type=Path, help="JSON list of [question, answer]")
    parser.add_argument("--system", help="system message")
    parser.add_argument("--precision", choices=DTYPES, default="f32")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, or auto for several GPUs")
    parser.add_argument("--tokens", type=int, default=0, help="greedy tokens to generate as well")
    parser.add_argument("--out", required=True, type=Path)
    return parser.parse_args()


def with_code(checkpoint: Path, code: Path, into: Path) -> Path:
    """The checkpoint as published: its files, the code beside them, and a config.json that names the code."""
    for file in checkpoint.iterdir():
        if file.is_file() and file.name != "config.json":
            (into / file.name).symlink_to(file.resolve())
    for file in code.glob("*.py"):
        shutil.copy(file, into / file.name)
    config = json.loads((checkpoint / "config.json").read_text())
    config["auto_map"] = AUTO_MAP
    (into / "config.json").write_text(json.dumps(config))
    return into


# Newer versions of transformers print a configuration as its difference to a default one, which the original's class
# cannot make.
PretrainedConfig.has_no_defaults_at_init = True


def load(folder: Path, dtype: torch.dtype, device: str) -> tuple[Any, Any]:
    options: dict[str, Any] = {"torch_dtype": dtype, "trust_remote_code": True, "use_flash_attn": device != "cpu"}
    if device == "auto":
        options["device_map"] = "auto"
    model = AutoModel.from_pretrained(str(folder), **options).eval()
    if device not in ("auto", "cpu"):
        model = model.to(device)
    tokenizer = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=True, use_fast=False)
    return model, tokenizer


def read_pixels(folder: Path, files: list[Path], size: int) -> torch.Tensor | None:
    """As the model card: Pillow's resize to the model's square, then the checkpoint's image processor."""
    if not files:
        return None
    processor = CLIPImageProcessor.from_pretrained(str(folder))
    images = [Image.open(file).convert("RGB").resize((size, size)) for file in files]
    return torch.cat([processor(images=image, return_tensors="pt").pixel_values for image in images])


class Recorder:
    """The first pass of each module: a later one is a generated token."""

    def __init__(self) -> None:
        self.activations: dict[str, torch.Tensor] = {}

    def keep(self, name: str, value: Any) -> None:
        tensor = value[0] if isinstance(value, tuple) else value
        if name not in self.activations:
            self.activations[name] = tensor.detach().float().cpu().contiguous().clone()

    def output(self, name: str) -> Callable[..., None]:
        return lambda module, inputs, output: self.keep(name, output)

    def listen(self, model: Any) -> None:
        vision, decoder = model.vision_model, model.language_model.model
        vision.embeddings.register_forward_hook(self.output("vision.embeddings"))
        for i, layer in enumerate(vision.encoder.layers):
            layer.register_forward_hook(self.output(f"vision.layers.{i}"))
        model.mlp1.register_forward_pre_hook(lambda module, inputs: self.keep("vision.pixel_shuffle", inputs[0]))
        model.mlp1.register_forward_hook(self.output("projector"))
        decoder.layers[0].register_forward_pre_hook(self.decoder_input, with_kwargs=True)
        for i, layer in enumerate(decoder.layers):
            layer.register_forward_hook(self.output(f"decoder.layers.{i}"))
        # generate() asks for the last position's logits only, so the head is applied to all of them here.
        decoder.norm.register_forward_hook(lambda module, inputs, output: self.finish(model, output))

    def decoder_input(self, module: Any, inputs: tuple, keywords: dict) -> None:
        self.keep("decoder.embeddings", inputs[0] if inputs else keywords["hidden_states"])

    def finish(self, model: Any, normed: torch.Tensor) -> None:
        if "logits" not in self.activations:
            self.keep("decoder.norm", normed)
            head = model.language_model.lm_head
            self.keep("logits", torch.nn.functional.linear(normed.to(head.weight.device), head.weight))


def run(model: Any, tokenizer: Any, pixels: torch.Tensor | None, entries: list[int], arguments: argparse.Namespace) -> dict:
    """One answer by the original's own chat(); returns the ids that passed through its generate()."""
    history = json.loads(arguments.history.read_text()) if arguments.history else None
    question = arguments.prompt
    if history is None and "<image>" not in question:
        question = "<image>\n" * len(entries) + question
    if arguments.system is not None:
        model.system_message = arguments.system
    seen: dict[str, Any] = {}
    generate = model.generate

    def listening(*positional: Any, **keywords: Any) -> Any:
        output = generate(*positional, **keywords)
        seen["input_ids"], seen["tokens"] = keywords["input_ids"][0].tolist(), output[0].tolist()
        return output

    model.generate = listening
    with torch.no_grad():
        seen["text"] = model.chat(
            tokenizer,
            pixels,
            question,
            {"max_new_tokens": max(1, arguments.tokens), "do_sample": False},
            num_patches_list=entries,
            history=[tuple(round_) for round_ in history] if history else None,
        )
    return seen


def main() -> int:
    arguments = parse_arguments()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        folder = with_code(arguments.model, arguments.code, Path(temporary)) if arguments.code else arguments.model
        dtype = DTYPES[arguments.precision]
        model, tokenizer = load(folder, dtype, arguments.device)
        size = model.config.force_image_size or model.config.vision_config.image_size
        pixels = read_pixels(folder, arguments.image, size)
        if pixels is not None:
            pixels = pixels.to(model.device, dtype)
        count = len(arguments.image)
        entries = [count] if arguments.combine and count else [1] * count
        recorder = Recorder()
        recorder.listen(model)
        seen = run(model, tokenizer, pixels, entries, arguments)
    save_file(recorder.activations, str(arguments.out))
    if arguments.tokens:
        arguments.out.with_suffix(".json").write_text(json.dumps(seen, ensure_ascii=False) + "\n")
    print(f"{len(recorder.activations)} activations of {len(seen['input_ids'])} tokens in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
