"""Which things of a scene a question may speak of, and by which words."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from talk.words import Key, label
from world import COLOURS, SHAPES, Scene, Thing


def unique(scene: Scene, of: Callable[[Thing], object]) -> list[Thing]:
    """The things that no other shares `of` with."""
    values = [of(thing) for thing in scene.things]
    return [thing for thing in scene.things if values.count(of(thing)) == 1]


def one(random: Random, things: list[Thing]) -> Thing | None:
    return random.choice(things) if things else None


def reference(random: Random, scene: Scene, thing: Thing) -> str:
    """"circle" where there is one, otherwise "red circle"; the thing is unique by colour and name."""
    short = sum(other.kind == thing.kind for other in scene.things) == 1
    if short and random.random() < 0.4:
        return thing.kind if thing.glyph and random.random() < 0.5 else thing.name
    return label(thing.key)


def absent_key(random: Random, scene: Scene) -> Key:
    """Like something that is there in colour or kind, half of the time."""
    present = {thing.key for thing in scene.things}
    while True:
        kind = random.choice(SHAPES)
        colour = random.choice(COLOURS)
        if random.random() < 0.6:
            model = random.choice(scene.things)
            if random.random() < 0.5:
                colour = model.colour
            elif not model.glyph:
                kind = model.kind
        if (colour, kind) not in present:
            return colour, kind


def absent_kind(random: Random, scene: Scene) -> str | None:
    kinds = [kind for kind in SHAPES if all(thing.kind != kind for thing in scene.things)]
    return random.choice(kinds) if kinds else None


def two_of(random: Random, scene: Scene) -> tuple[Thing, Thing] | None:
    things = unique(scene, lambda t: t.key)
    return tuple(random.sample(things, 2)) if len(things) >= 2 else None
