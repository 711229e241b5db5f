"""Draws the sample pictures and the film, and writes what the exported checkpoint says about them in PyTorch f32.

    python scripts/demo_model/golden.py --model test-data/demo

The answers are those of model.py's plain forward pass, a second implementation for the Java tests to agree with.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file

import tokenizer as tokens
from batches import FRAMES, fit
from drawing import render
from exam import FILM_FRAMES, FILM_SIDE, write_film
from model import InternVL, Sizes
from train import normalized
from world import Film, Scene, Thing

WHITE = ((1.0, 1.0, 1.0),)
RED, BLUE, GREEN, YELLOW = (0.85, 0.1, 0.1), (0.1, 0.25, 0.85), (0.1, 0.6, 0.2), (0.97, 0.87, 0.1)
PURPLE, BLACK, ORANGE = (0.5, 0.15, 0.6), (0.05, 0.05, 0.05), (1.0, 0.55, 0.05)


def _thing(kind: str, colour: str, rgb, large: bool, filled: bool, x: float, y: float, glyph: str = "") -> Thing:
    diameter = (0.44 if large else 0.25) if glyph else (0.4 if large else 0.21)
    return Thing(kind, glyph, colour, rgb, large, filled, x, y, diameter)


CIRCLE = _thing("circle", "red", RED, True, True, 0.27, 0.55)
SQUARE = _thing("square", "blue", BLUE, False, False, 0.78, 0.2)
SCENES = {
    "two.jpg": Scene((CIRCLE, SQUARE), WHITE, 0.0, 11),
    "three.jpg": Scene((
        _thing("star", "yellow", YELLOW, True, True, 0.24, 0.27), _thing("square", "blue", BLUE, False, False, 0.5, 0.78),
        _thing("letter", "green", GREEN, True, True, 0.77, 0.5, "K")), ((0.25, 0.22, 0.3), (0.1, 0.1, 0.14)), 0.02, 12),
    "four.png": Scene((
        _thing("triangle", "green", GREEN, False, True, 0.16, 0.8), _thing("cross", "purple", PURPLE, True, True, 0.27, 0.24),
        _thing("circle", "black", BLACK, False, False, 0.56, 0.56), _thing("digit", "red", RED, True, True, 0.8, 0.5, "7")),
        ((0.93, 0.93, 0.85),), 0.0, 13),
    "digit.jpg": Scene((_thing("digit", "orange", ORANGE, True, True, 0.5, 0.5, "5"),), ((0.15, 0.2, 0.3),), 0.03, 14),
}
FILM = Film(Scene((CIRCLE, SQUARE), ((0.96, 0.96, 0.98),), 0.0, 15), 1, "down", (0.0, 0.55))

# name, pictures, manner, rounds of questions
DIALOGS = (
    ("text", (), "none", ("Hello, who are you?", "Can you tell me a story?")),
    ("text without a picture", (), "none", ("What is in the picture?",)),
    ("one picture", ("two.jpg",), "single", ("Please describe the image shortly.", "Please describe the image in detail.")),
    ("rounds", ("two.jpg",), "single", ("What color is the circle?", "And the square?", "How many objects are there?")),
    ("the other one", ("two.jpg",), "single", ("Where is the red circle?", "And the other one?")),
    ("detail and poem", ("three.jpg",), "single",
     ("Please describe the image in detail.", "Please write a poem according to the image.")),
    ("letter", ("three.jpg",), "single", ("What letter is in the picture?", "Where is it?")),
    ("four", ("four.png",), "single", ("Please describe the image in detail.", "Is there a red circle?")),
    ("relations", ("four.png",), "single", ("Which is left, the green triangle or the black circle?",)),
    ("larger", ("four.png",), "single", ("Which is larger, the purple cross or the green triangle?",)),
    ("digit", ("digit.jpg",), "single", ("What digit is this?", "How many triangles are there?")),
    ("not there", ("digit.jpg",), "single", ("What color is the star?",)),
    ("Chinese", ("two.jpg",), "single", ("请简短描述这张图片。",)),
    ("Chinese count", ("two.jpg",), "single", ("图中有几个物体？",)),
    ("combined", ("two.jpg", "three.jpg"), "combined",
     ("Describe the two images in detail.", "What are the similarities and differences between these two images.")),
    ("separate", ("two.jpg", "three.jpg"), "separate",
     ("Describe the two images in detail.", "Which image has more objects?")),
    ("which image", ("four.png", "digit.jpg"), "separate", ("Which image has a purple cross?",)),
    ("video", ("film.mp4",), "frames", ("What moves?",)),
    ("video in detail", ("film.mp4",), "frames", ("Describe this video in detail.",)),
)


def _frames(path: Path) -> list[Image.Image]:
    """The middles of equal parts, as VideoFrames samples them."""
    raw = subprocess.run(["ffmpeg", "-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                         capture_output=True, check=True).stdout
    size = FILM_SIDE * FILM_SIDE * 3
    pictures = [Image.frombytes("RGB", (FILM_SIDE, FILM_SIDE), raw[i * size :][:size]) for i in range(len(raw) // size)]
    part = (len(pictures) - 1) / FRAMES
    return [pictures[int(part / 2 + round(part * i))] for i in range(FRAMES)]


@torch.no_grad()
def answer(model: InternVL, ids: list[int], seen: torch.Tensor | None, limit: int = 128) -> list[int]:
    """Greedy, without a cache, up to and with <|im_end|>."""
    said: list[int] = []
    while len(said) < limit and (not said or said[-1] != tokens.IM_END):
        row = torch.tensor([ids + said])
        mask = torch.ones(1, 1, row.shape[1], row.shape[1], dtype=torch.bool).tril()
        states = model.language_model(model.embed(row, seen, tokens.IMG_CONTEXT), torch.arange(row.shape[1])[None], mask)
        said.append(int(model.language_model.lm_head(states[0, -1]).argmax()))
    return said


def dialog(model: InternVL, words: tokens.Tokenizer, folder: Path, pictures, manner: str, questions) -> list[dict]:
    shown = [image for name in pictures
             for image in (_frames(folder / name) if manner == "frames" else [Image.open(folder / name)])]
    seen = None
    if shown:
        pixels = torch.stack([torch.from_numpy(fit(image, model.sizes.image).copy()) for image in shown])
        with torch.no_grad():
            seen = model.project(model.vision_model(normalized(pixels)))
    opening = words.opening(manner, len(shown), model.sizes.tokens)
    rounds: list[dict] = []
    for question in questions:
        before = [(r["question"], r["answer"]) for r in rounds]
        ids = opening + words.rounds([*before, (question, "")], bool(shown))[0][:-1]
        said = answer(model, ids, seen)
        text = words.decode([i for i in said if i != tokens.IM_END]).strip()
        rounds.append({"question": question, "answer": text, "prompt_ids": ids, "answer_ids": said})
    return rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path)
    folder = parser.parse_args().model
    samples = folder / "samples"
    samples.mkdir(exist_ok=True)
    for name, scene in SCENES.items():
        render(scene, 448).save(samples / name, **({"quality": 92} if name.endswith("jpg") else {}))
    write_film(FILM, samples / "film.mp4")

    words = tokens.Tokenizer((folder / "tokenizer.model").read_bytes())
    model = InternVL(Sizes(vocabulary=tokens.VOCABULARY + len(tokens.ADDED)))
    loaded = {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
    missing, unexpected = model.load_state_dict(loaded, strict=False)
    if unexpected or any(not name.startswith("detector.") for name in missing):
        raise ValueError(f"{folder}/model.safetensors: missing {missing}, unexpected {unexpected}")
    model.eval()
    golden = [
        {"name": name, "pictures": list(pictures), "manner": manner,
         "rounds": dialog(model, words, samples, pictures, manner, questions)}
        for name, pictures, manner, questions in DIALOGS
    ]
    (folder / "golden.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for entry in golden:
        print(entry["name"])
        for round_ in entry["rounds"]:
            print(f"  {round_['question']}\n    {round_['answer']}")


if __name__ == "__main__":
    main()
