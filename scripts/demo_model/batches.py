"""Training batches, each made from its step's number alone: the same in every run, whatever the number of workers.

A conversation about one subject is a tree: the system message and the pictures are its trunk, and many dialogs branch off
from it. Each branch sees the trunk and itself, and its positions go on where the trunk ends, so to the model each is a
dialog of its own, while the trunk is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

import talk
from drawing import frames, photograph
from model import Sizes
from tokenizer import Tokenizer
from world import COLOURS, DIGITS, LETTERS, SHAPES, Scene, draw_film, draw_pair, draw_scene

FRAMES = 8
KINDS = (*SHAPES, "digit", "letter")
GLYPHS = DIGITS + LETTERS
NOTHING = -100  # the target that counts for nothing


@dataclass
class Group:
    """Conversations of equal shape: (conversations, length) each."""

    ids: Tensor
    branch: Tensor  # 0 the trunk, from 1 the branches, -1 padding
    positions: Tensor
    targets: Tensor  # the id to say after this one, or NOTHING
    kinds: list[list[str]]  # of each branch


@dataclass
class Batch:
    pixels: Tensor  # (pictures, 3, side, side), bytes, in the order of the groups
    truth: dict[str, Tensor]  # what the detector should say, (pictures, patches)
    places: Tensor  # (pictures, patches, 2), NaN where no thing is
    groups: dict[str, Group] = field(default_factory=dict)


# name -> conversations, length, branches at most
SHARES = {"single": (32, 240, 8), "pair": (18, 272, 5), "film": (10, 312, 4), "text": (8, 208, 3)}


def fit(image: Image.Image, side: int) -> np.ndarray:
    """As the preprocessor does it: Pillow's bicubic."""
    return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)).transpose(2, 0, 1)


def _patches(scenes: list[Scene], grid: int) -> tuple[dict[str, Tensor], Tensor]:
    """What the detector should say of grid x grid patches: NOTHING where a patch is neither clearly in a thing nor out."""
    shape = (len(scenes), grid, grid)
    truth = {name: np.full(shape, NOTHING, np.int64) for name in ("glyph", "colour", "large", "filled", "zone")}
    truth |= {"kind": np.zeros(shape, np.int64), "centre": np.zeros(shape, np.int64)}
    places = np.full((*shape, 2), np.nan, np.float32)
    middles = (np.arange(grid) + 0.5) / grid
    for n, scene in enumerate(scenes):
        for thing in scene.things:
            distance = np.hypot(middles[None, :] - thing.x, middles[:, None] - thing.y)
            row, column = int(thing.y * grid), int(thing.x * grid)
            inside = distance < 0.36 * thing.diameter
            inside[row, column] = True
            unclear = (distance < 0.62 * thing.diameter) & ~inside
            truth["kind"][n][unclear] = NOTHING
            truth["centre"][n][distance < 1 / grid] = NOTHING
            truth["centre"][n, row, column] = 1
            column_zone, row_zone = thing.zone
            values = {
                "kind": 1 + KINDS.index(thing.kind), "glyph": 1 + GLYPHS.index(thing.glyph) if thing.glyph else 0,
                "colour": COLOURS.index(thing.colour), "large": int(thing.large), "filled": int(thing.filled),
                "zone": 3 * row_zone + column_zone,
            }
            for name, value in values.items():
                truth[name][n][inside] = value
            places[n][inside] = thing.x, thing.y
    flat = {name: torch.from_numpy(values.reshape(len(scenes), -1)) for name, values in truth.items()}
    return flat, torch.from_numpy(places.reshape(len(scenes), -1, 2))


def _batch(pictures: list[np.ndarray], scenes: list[Scene], sizes: Sizes) -> Batch:
    truth, places = _patches(scenes, sizes.grid)
    return Batch(torch.from_numpy(np.stack(pictures)), truth, places)


@dataclass
class _Subject:
    pictures: list[Image.Image]
    scenes: list[Scene]
    manner: str
    kinds: dict
    value: object


def _subject(random: Random, group: str) -> _Subject:
    if group == "single":
        scene = draw_scene(random)
        return _Subject([photograph(scene)], [scene], "single", talk.ONE_PICTURE, scene)
    if group == "pair":
        pair = draw_pair(random)
        manner = random.choice(("combined", "separate"))
        return _Subject([photograph(scene) for scene in pair], list(pair), manner, talk.TWO_PICTURES, pair)
    if group == "film":
        film = draw_film(random)
        scenes = [film.frame((i + 0.5) / FRAMES) for i in range(FRAMES)]
        return _Subject(frames(film, FRAMES), scenes, "frames", talk.VIDEO, film)
    return _Subject([], [], "none", talk.TEXT_ONLY, draw_scene(random))


# What takes longest to learn, and is often not askable of a scene, is asked more often once the rest is there.
_HARD_FROM = 1100
_HARD = {"relation": 8.0, "larger": 4.0, "outermost": 2.0, "describe in detail": 2.0, "compare": 10.0, "compare in Chinese": 10.0,
         "which has": 2.0, "the other one": 3.0, "it": 2.0, "and where": 1.5}


def _dialog(random: Random, subject: _Subject, step: int) -> tuple[str, talk.Rounds]:
    weights = _HARD if step >= _HARD_FROM else None
    if subject.manner == "single" and random.random() < 0.35:
        return talk.ask(random, talk.SECOND_ROUND, subject.value, weights)
    return talk.ask(random, subject.kinds, subject.value, weights)


class Talks(Dataset):
    """The batch of each step: pictures and dialogs."""

    def __init__(self, seed: int, tokenizer: Tokenizer, sizes: Sizes):
        self.seed, self.tokenizer, self.sizes = seed, tokenizer, sizes

    def __getitem__(self, step: int) -> Batch:
        random = Random(f"talk {self.seed} {step}")
        pictures: list[np.ndarray] = []
        scenes: list[Scene] = []
        groups: dict[str, Group] = {}
        for name, (count, length, most) in SHARES.items():
            trees = []
            for _ in range(count):
                subject = _subject(random, name)
                pictures += [fit(picture, self.sizes.image) for picture in subject.pictures]
                scenes += subject.scenes
                trees.append(self._tree(random, subject, step, length, most))
            arrays = (torch.from_numpy(np.stack(part)) for part in list(zip(*trees))[:4])
            groups[name] = Group(*arrays, [tree[4] for tree in trees])
        batch = _batch(pictures, scenes, self.sizes)
        batch.groups = groups
        return batch

    def _tree(self, random: Random, subject: _Subject, step: int, length: int, most: int):
        trunk = self.tokenizer.opening(subject.manner, len(subject.pictures), self.sizes.tokens)
        ids = np.zeros(length, np.int64)
        branch = np.full(length, -1, np.int64)
        positions = np.zeros(length, np.int64)
        targets = np.full(length, NOTHING, np.int64)
        at = len(trunk)
        ids[:at], branch[:at], positions[:at] = trunk, 0, np.arange(at)
        kinds: list[str] = []
        while len(kinds) < most:
            kind, rounds = _dialog(random, subject, step)
            new, said = self.tokenizer.rounds(rounds, bool(subject.pictures))
            end = at + len(new)
            if end > length:
                break
            kinds.append(kind)
            ids[at:end], branch[at:end] = new, len(kinds)
            positions[at:end] = np.arange(len(trunk), len(trunk) + len(new))
            targets[at : end - 1] = np.where(said[1:], new[1:], NOTHING)
            at = end
        return ids, branch, positions, targets, kinds


class Looks(Dataset):
    """The batch of each step: pictures only."""

    def __init__(self, seed: int, count: int, sizes: Sizes):
        self.seed, self.count, self.sizes = seed, count, sizes

    def __getitem__(self, step: int) -> Batch:
        random = Random(f"look {self.seed} {step}")
        scenes = [draw_scene(random) for _ in range(self.count)]
        return _batch([fit(photograph(scene), self.sizes.image) for scene in scenes], scenes, self.sizes)
