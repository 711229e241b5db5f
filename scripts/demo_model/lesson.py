"""Dialogs that teach what the demo checkpoint is weakest at, which of two things is where, in the format of the original's training data:

    python scripts/demo_model/lesson.py --out FOLDER [--count 5000] [--seed 5]

Every second dialog asks that; the others ask anything about one image, so that nothing else is forgotten.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import talk
from drawing import photograph
from world import draw_scene

SHARE = 0.5
NAME = "lesson"


def dialog(random: Random) -> tuple:
    """A scene, and a question about it with its answer."""
    about_sides = random.random() < SHARE
    while True:
        scene = draw_scene(random)
        rounds = talk.ONE_PICTURE["relation"](random, scene) if about_sides else talk.ask(random, talk.ONE_PICTURE, scene)[1]
        if rounds:
            return scene, rounds


def line(number: int, image: str, rounds: talk.Rounds) -> dict:
    turns = []
    for question, answer in rounds:
        turns += [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    turns[0]["value"] = "<image>\n" + turns[0]["value"]
    return {"id": number, "image": image, "conversations": turns}


def write(folder: Path, count: int, seed: int) -> None:
    random = Random(f"lesson {seed}")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    with open(folder / "lesson.jsonl", "w", encoding="utf-8") as lines:
        for number in range(count):
            scene, rounds = dialog(random)
            photograph(scene).save(folder / "images" / f"{number}.png")
            lines.write(json.dumps(line(number, f"{number}.png", rounds), ensure_ascii=False) + "\n")
    meta = {NAME: {"root": "images/", "annotation": "lesson.jsonl", "data_augment": False, "repeat_time": 1, "length": count}}
    (folder / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    write(options.out, options.count, options.seed)


if __name__ == "__main__":
    main()
