"""An exam of new dialogs, which the command line's `evaluate` asks and marks. Its `batch` takes the requests, too.

    python scripts/demo_model/exam.py --out ROOT/demo [--count 1000] [--seed 77]
    scripts/internvl4j evaluate --model test-data/demo --data ROOT --out RUN --benchmarks demo

Kinds: one image; the same questions with the images swapped among those of one kind; second turn (the first answer given
as it should be); two images; video (MP4 files, by ffmpeg); text only; images drawn as SVG and rasterised by rsvg-convert.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import defaultdict
from pathlib import Path
from random import Random

import talk
from drawing import photograph, render
from svg import as_svg
from world import Film, Scene, draw_film, draw_pair, draw_scene

FILM_FRAMES, FILM_RATE, FILM_SIDE = 24, 12, 224


class Exam:
    def __init__(self, folder: Path):
        self.folder = folder
        self.requests: list[dict] = []
        self.key: list[dict] = []
        self.pictures = 0
        (folder / "files").mkdir(parents=True, exist_ok=True)

    def add(self, group: str, kind: str, rounds: talk.Rounds, opening: str = "<image>\n", **inputs) -> None:
        """opening: the pictures' places, which the first question of several must hold."""
        number = len(self.requests)
        *before, (question, answer) = rounds
        request = {"id": number, "prompt": question, **inputs}
        if before:
            history = [list(round_) for round_ in before]
            history[0][0] = opening + history[0][0]
            request["history"] = history
        elif opening != "<image>\n":
            request["prompt"] = opening + question
        self.requests.append(request)
        self.key.append({"id": number, "group": group, "kind": kind, "question": question, "answer": answer})

    def picture(self, scene: Scene) -> str:
        self.pictures += 1
        name = f"files/{self.pictures}.png"
        photograph(scene).save(self.folder / name)
        return name

    def film(self, film: Film) -> str:
        name = f"files/{len(self.requests)}.mp4"
        write_film(film, self.folder / name)
        return name

    def write(self) -> None:
        for name, lines in (("requests.jsonl", self.requests), ("key.jsonl", self.key)):
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (self.folder / name).write_text(text, encoding="utf-8")


def write_film(film: Film, path: Path) -> None:
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
               "-s", f"{FILM_SIDE}x{FILM_SIDE}", "-r", str(FILM_RATE), "-i", "-", "-c:v", "libx264", "-preset", "veryfast",
               "-threads", "1", "-pix_fmt", "yuv420p", "-crf", "20", str(path)]
    pictures = (render(film.frame(i / (FILM_FRAMES - 1)), FILM_SIDE) for i in range(FILM_FRAMES))
    subprocess.run(command, input=b"".join(picture.tobytes() for picture in pictures), check=True)


def one_picture(exam: Exam, random: Random, count: int) -> None:
    asked = defaultdict(list)
    for _ in range(count):
        scene = draw_scene(random)
        kind, rounds = talk.ask(random, talk.ONE_PICTURE, scene)
        picture = exam.picture(scene)
        exam.add("one image", kind, rounds, images=[picture])
        asked[kind].append((picture, rounds))
    for kind, dialogs in asked.items():
        for i, (_, rounds) in enumerate(dialogs):
            exam.add("one image, swapped", kind, rounds, images=[dialogs[i - 1][0]])


def second_round(exam: Exam, random: Random, count: int) -> None:
    for _ in range(count):
        scene = draw_scene(random)
        kind, rounds = talk.ask(random, talk.SECOND_ROUND, scene)
        exam.add("second turn", kind, rounds, images=[exam.picture(scene)])


def two_pictures(exam: Exam, random: Random, count: int) -> None:
    for _ in range(count):
        pair = draw_pair(random)
        kind, rounds = talk.ask(random, talk.TWO_PICTURES, pair)
        pictures = [exam.picture(scene) for scene in pair]
        if random.random() < 0.5:
            exam.add("two images", kind, rounds, images=pictures, combine=True)
        else:
            exam.add("two images", kind, rounds, "Image-1: <image>\nImage-2: <image>\n", images=pictures)


def video(exam: Exam, random: Random, count: int) -> None:
    for _ in range(count):
        film = draw_film(random)
        kind, rounds = talk.ask(random, talk.VIDEO, film)
        exam.add("video", kind, rounds[-1:], video=exam.film(film), frames=8)


def text_only(exam: Exam, random: Random, count: int) -> None:
    for _ in range(count):
        kind, rounds = talk.ask(random, talk.TEXT_ONLY, draw_scene(random))
        exam.add("text only", kind, rounds, opening="")


def other_program(exam: Exam, random: Random, count: int) -> None:
    for number in range(count):
        scene = draw_scene(random)
        kind, rounds = talk.ask(random, talk.ONE_PICTURE, scene)
        source, name = exam.folder / f"files/svg-{number}.svg", f"files/svg-{number}.png"
        source.write_text(as_svg(scene, random), encoding="utf-8")
        size = str(random.choice((200, 320, 448, 640)))
        subprocess.run(["rsvg-convert", "-w", size, "-h", size, source, "-o", exam.folder / name], check=True)
        exam.add("SVG", kind, rounds, images=[name])


def make(options: argparse.Namespace) -> None:
    exam = Exam(options.folder)
    for part in (one_picture, second_round, two_pictures, video, text_only):
        part(exam, Random(f"exam {options.seed} {part.__name__}"), options.count)
    other_program(exam, Random(f"exam {options.seed} svg"), max(1, options.count // 10))
    exam.write()
    print(f"{len(exam.requests)} requests in {options.folder}/requests.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", dest="folder", required=True, type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=77)
    make(parser.parse_args())


if __name__ == "__main__":
    main()
