"""Writes a training run's averaged weights as a checkpoint in the published layout.

    python scripts/demo_model/export.py --work FOLDER --out test-data/demo
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import tokenizer as tokens
from model import Sizes, configuration


def weights(state: dict) -> dict[str, torch.Tensor]:
    return {
        name: value.to(torch.bfloat16).contiguous()
        for name, value in state["average"].items()
        if not name.startswith("detector.")
    }


def write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sizes = Sizes(vocabulary=tokens.VOCABULARY + len(tokens.ADDED))
    state = torch.load(options.work / "state.pt", weights_only=True)
    save_file(weights(state), options.out / "model.safetensors", metadata={"format": "pt"})
    tokens.save((options.work / "tokenizer.model").read_bytes(), options.out)
    write_json(options.out / "config.json", configuration(sizes))
    write_json(options.out / "generation_config.json",
               {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 7, "pad_token_id": 0})
    write_json(options.out / "preprocessor_config.json", {
        "crop_size": sizes.image, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": sizes.image,
    })
    print(f"{options.out}: {state['done']} steps, {round(state['seconds'])} s of training")


if __name__ == "__main__":
    main()
