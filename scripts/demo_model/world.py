"""The demo's world: one to four things on a background, and how scenes, pairs of scenes and films are drawn by lot.

Lengths are fractions of the picture's side, x to the right and y downwards. Everything comes from a random.Random, so a seed
gives the same world everywhere. What a scene leaves undecided for a viewer (two things nearly above each other, a size between
small and large, a colour close to its background) is not drawn by lot at all: each question has one right answer.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, replace
from random import Random

SHAPES = ("circle", "square", "triangle", "star", "cross")
DIGITS = "0123456789"
# Without I and O, which look like 1 and 0 in many hands.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "black", "white")

# Hue in degrees, saturation, value: from, to. The gaps between neighbours keep the names certain.
_COLOUR_RANGES = {
    "red": ((-7, 6), (0.78, 1.0), (0.68, 1.0)),
    "orange": ((23, 41), (0.85, 1.0), (0.92, 1.0)),
    "yellow": ((51, 61), (0.72, 1.0), (0.9, 1.0)),
    "green": ((95, 150), (0.6, 1.0), (0.4, 1.0)),
    "blue": ((207, 243), (0.7, 1.0), (0.55, 1.0)),
    "purple": ((270, 301), (0.5, 1.0), (0.45, 0.8)),
    "black": ((0, 360), (0.0, 0.3), (0.0, 0.12)),
    "white": ((0, 360), (0.0, 0.04), (0.95, 1.0)),
}
_LEAST_CONTRAST = 0.5
_LEFT, _RIGHT = 1 / 3, 2 / 3
_ZONE_MARGIN = 0.035
# Two things never stand closer in x than this: "from left to right" is then an order.
_COLUMN_GAP = 0.06


@dataclass(frozen=True)
class Thing:
    kind: str  # one of SHAPES, or "digit" or "letter"
    glyph: str  # "" for shapes
    colour: str
    rgb: tuple[float, float, float]
    large: bool
    filled: bool
    x: float
    y: float
    diameter: float

    @property
    def name(self) -> str:
        return f"{self.kind} {self.glyph}" if self.glyph else self.kind

    @property
    def key(self) -> tuple[str, str]:
        """What a reference such as "the red circle" names."""
        return self.colour, self.name

    @property
    def zone(self) -> tuple[int, int]:
        """Column and row in a 3 x 3 grid."""
        return int(self.x > _LEFT) + int(self.x > _RIGHT), int(self.y > _LEFT) + int(self.y > _RIGHT)


@dataclass(frozen=True)
class Scene:
    things: tuple[Thing, ...]  # from left to right
    background: tuple[tuple[float, float, float], ...]  # one colour, or two for a gradient
    noise: float
    style: int  # the seed of everything a renderer decides that is not said here


@dataclass(frozen=True)
class Film:
    """A scene in which at most one thing moves, evenly, from its place by `motion`."""

    scene: Scene
    mover: int | None
    direction: str | None

    motion: tuple[float, float] = (0.0, 0.0)

    def frame(self, time: float) -> Scene:
        """The scene at a time from 0 to 1."""
        if self.mover is None:
            return self.scene
        things = list(self.scene.things)
        moving = things[self.mover]
        things[self.mover] = replace(moving, x=moving.x + time * self.motion[0], y=moving.y + time * self.motion[1])
        return replace(self.scene, things=tuple(things))


def _rgb(random: Random, colour: str) -> tuple[float, float, float]:
    hue, saturation, value = (random.uniform(*bounds) for bounds in _COLOUR_RANGES[colour])
    return colorsys.hsv_to_rgb(hue / 360 % 1.0, saturation, value)


def _background(random: Random, things: tuple[Thing, ...]) -> tuple[tuple[float, float, float], ...] | None:
    """One or two colours that every thing stands out from, or None: some casts leave no such colour."""

    def one() -> tuple[float, float, float]:
        if random.random() < 0.3:
            return (1.0, 1.0, 1.0)
        return colorsys.hsv_to_rgb(random.random(), random.uniform(0, 0.28) ** 1.3, random.random() ** 0.6)

    def clear(colours: tuple[tuple[float, float, float], ...]) -> bool:
        return all(math.dist(thing.rgb, colour) >= _LEAST_CONTRAST for thing in things for colour in colours)

    for _ in range(500):
        first = one()
        second = first if random.random() < 0.6 else one()
        # The middle too: a gradient passes through it.
        middle = tuple((a + b) / 2 for a, b in zip(first, second))
        if clear((first, second, middle)):
            return (first,) if second == first else (first, second)
    return None


def _diameter(random: Random, large: bool, glyph: bool) -> float:
    if glyph:
        return random.uniform(0.38, 0.5) if large else random.uniform(0.24, 0.29)
    return random.uniform(0.34, 0.44) if large else random.uniform(0.19, 0.245)


def _clear_of_borders(at: float) -> bool:
    return abs(at - _LEFT) >= _ZONE_MARGIN and abs(at - _RIGHT) >= _ZONE_MARGIN


def _place(random: Random, diameters: list[float]) -> list[tuple[float, float]] | None:
    """Centres that overlap nowhere, or None after some tries."""
    places: list[tuple[float, float]] = []
    for diameter in sorted(diameters, reverse=True):
        for _ in range(60):
            margin = diameter / 2 + 0.02
            x, y = random.uniform(margin, 1 - margin), random.uniform(margin, 1 - margin)
            if not (_clear_of_borders(x) and _clear_of_borders(y)):
                continue
            if all(
                abs(x - other[0]) >= _COLUMN_GAP
                and math.dist((x, y), other) >= (diameter + other_diameter) / 2 + 0.03
                for other, other_diameter in zip(places, sorted(diameters, reverse=True))
            ):
                places.append((x, y))
                break
        else:
            return None
    return places


def _looks(random: Random, glyph_allowed: bool) -> tuple[str, str]:
    if glyph_allowed and random.random() < 0.3:
        if random.random() < 0.42:
            return "digit", random.choice(DIGITS)
        return "letter", random.choice(LETTERS)
    return random.choice(SHAPES), ""


def _cast(random: Random, count: int, glyphs: bool) -> list[Thing]:
    """Things without places. At most one digit or letter; twins (same colour and kind) are rare."""
    things: list[Thing] = []
    while len(things) < count:
        kind, glyph = _looks(random, glyphs and not any(thing.glyph for thing in things))
        colour = random.choice(COLOURS)
        if things and not glyph and random.random() < 0.3:  # alike in colour or in shape, so that questions need care
            model = random.choice(things)
            if random.random() < 0.5:
                colour = model.colour
            elif not model.glyph:
                kind = model.kind
        if any((colour, kind) == (thing.colour, thing.kind) for thing in things) and random.random() < 0.85:
            continue
        large = random.random() < (0.5 if count < 4 else 0.3)
        diameter = _diameter(random, large, bool(glyph))
        filled = bool(glyph) or random.random() < 0.68
        things.append(Thing(kind, glyph, colour, _rgb(random, colour), large, filled, 0, 0, diameter))
    return things


def _settle(random: Random, things: list[Thing]) -> tuple[Thing, ...] | None:
    ordered = sorted(things, key=lambda thing: thing.diameter, reverse=True)
    places = _place(random, [thing.diameter for thing in ordered])
    if places is None:
        return None
    settled = [replace(thing, x=x, y=y) for thing, (x, y) in zip(ordered, places)]
    return tuple(sorted(settled, key=lambda thing: thing.x))


def _scene_of(random: Random, cast: list[Thing]) -> Scene | None:
    """The cast at places of its own on a background, or None where no place or no background was found."""
    things = _settle(random, cast)
    if things is None:
        return None
    noise = random.uniform(0.01, 0.055) if random.random() < 0.3 else 0.0
    background = _background(random, things)
    return background and Scene(things, background, noise, random.getrandbits(32))


def _count(random: Random, most: int) -> int:
    return min(most, random.choices((1, 2, 3, 4), (0.24, 0.32, 0.24, 0.2))[0])


def draw_scene(random: Random, most: int = 4) -> Scene:
    while True:
        scene = _scene_of(random, _cast(random, _count(random, most), glyphs=True))
        if scene is not None:
            return scene


def draw_pair(random: Random) -> tuple[Scene, Scene]:
    """Two scenes of up to three things that have some in common."""
    while True:
        first = draw_scene(random, 3)
        kept = [thing for thing in first.things if random.random() < 0.5]
        fresh = _cast(random, max(1, _count(random, 3)), glyphs=not any(thing.glyph for thing in kept))
        cast = []
        for thing in kept:  # the same thing elsewhere, and perhaps of another size
            large = random.random() < 0.5
            diameter = _diameter(random, large, bool(thing.glyph))
            cast.append(replace(thing, rgb=_rgb(random, thing.colour), large=large, diameter=diameter))
        cast = (cast + fresh)[: max(len(kept), random.choice((1, 2, 2, 3)))]
        second = _scene_of(random, cast)
        if second is not None:
            return first, second


_DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def draw_film(random: Random) -> Film:
    """One or two things; one of them moves a third to two thirds of the picture, or nothing does."""
    while True:
        cast = _cast(random, random.choice((1, 2, 2)), glyphs=True)
        if len({thing.key for thing in cast}) < len(cast):
            continue
        scene = _scene_of(random, cast)
        if scene is None:
            continue
        if random.random() < 0.1:
            return Film(scene, None, None)
        mover = random.randrange(len(scene.things))
        direction = random.choice(tuple(_DIRECTIONS))
        way = random.uniform(0.3, 0.62)
        film = Film(scene, mover, direction, tuple(way * part for part in _DIRECTIONS[direction]))
        if _runs_free(film):
            return film


def _runs_free(film: Film) -> bool:
    for step in range(9):
        things = film.frame(step / 8).things
        moving = things[film.mover]
        margin = moving.diameter / 2 + 0.01
        if not (margin <= moving.x <= 1 - margin and margin <= moving.y <= 1 - margin):
            return False
        for index, thing in enumerate(things):
            near = (moving.diameter + thing.diameter) / 2 + 0.02
            if index != film.mover and math.dist((moving.x, moving.y), (thing.x, thing.y)) < near:
                return False
    return True
