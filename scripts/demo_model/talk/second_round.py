"""Second rounds: questions that make sense only after the first."""

from __future__ import annotations

from random import Random

from talk.one_picture import (
    colour_of, count_all, describe_in_detail, describe_shortly, is_there, kind_of, larger, outermost, poem, read_glyph,
    relation, where_is,
)
from talk.references import absent_key, reference, two_of, unique
from talk.words import PLACES, Rounds, an, colour_word, counted, label, pick, plural
from world import SHAPES, Scene


def _again(words: str, random: Random) -> str:
    return pick(random, f"And the {words}?", f"And what about the {words}?", f"What about the {words}?")


def and_colour(random: Random, scene: Scene) -> Rounds | None:
    first = colour_of(random, scene)
    others = first and [t for t in unique(scene, lambda t: t.kind) if t.name not in first[0][0] and t.kind not in first[0][0]]
    if not others:
        return None
    other = random.choice(others)
    return first + [(_again(other.name, random), f"The {other.name} is {other.colour}.")]


def and_where(random: Random, scene: Scene) -> Rounds | None:
    pair = two_of(random, scene)
    if pair is None:
        return None
    x, y = (reference(random, scene, thing) for thing in pair)
    form = pick(random, "Where is the {}?", "Where is the {} in the picture?")
    second = f"The {y} is {PLACES[pair[1].zone]}."
    return [(form.format(x), f"The {x} is {PLACES[pair[0].zone]}."), (_again(y, random), second)]


def and_size(random: Random, scene: Scene) -> Rounds | None:
    pair = two_of(random, scene)
    if pair is None:
        return None
    x, y = (reference(random, scene, thing) for thing in pair)
    said = ["large" if thing.large else "small" for thing in pair]
    return [(f"Is the {x} large or small?", f"The {x} is {said[0]}."), (_again(y, random), f"The {y} is {said[1]}.")]


def and_the_other(random: Random, scene: Scene) -> Rounds | None:
    if len(scene.things) != 2 or scene.things[0].key == scene.things[1].key:
        return None
    first, other = random.sample(scene.things, 2)
    words = reference(random, scene, first)
    opening = random.choice((
        (f"Where is the {words}?", f"The {words} is {PLACES[first.zone]}.", f"The other one is {PLACES[other.zone]}."),
        (f"Is the {words} large or small?", f"The {words} is {'large' if first.large else 'small'}.",
         f"The other one is {'large' if other.large else 'small'}."),
        (f"Is there {an(label(first.key))}?", f"Yes, there is {an(label(first.key))}.",
         f"The other one is {an(label(other.key))}."),
    ))
    form = pick(random, "And the other one?", "And the other one?", "What about the other one?", "And the other object?")
    return [opening[:2], (form, opening[2])]


def and_is_there(random: Random, scene: Scene) -> Rounds:
    keys = [random.choice(scene.things).key if random.random() < 0.5 else absent_key(random, scene) for _ in range(2)]
    answers = [
        f"Yes, there is {an(label(key))}." if any(t.key == key for t in scene.things) else f"No, there is no {label(key)}."
        for key in keys
    ]
    form = pick(random, "And {}?", "What about {}?").format(an(label(keys[1])))
    return [(f"Is there {an(label(keys[0]))}?", answers[0]), (form, answers[1])]


def and_count(random: Random, scene: Scene) -> Rounds:
    kinds = random.sample(SHAPES, 2)
    counts = [sum(thing.kind == kind for thing in scene.things) for kind in kinds]
    form = pick(random, "And {}?", "And how many {}?", "What about {}?").format(plural(kinds[1]))
    return [(f"How many {plural(kinds[0])} are there?", counted(counts[0], kinds[0])), (form, counted(counts[1], kinds[1]))]


def about_it(random: Random, scene: Scene) -> Rounds | None:
    """"It" is what the first answer named."""
    first = random.choice((kind_of, outermost))(random, scene)
    if first is None or "no " in first[0][1]:
        return None
    named = [t for t in unique(scene, lambda t: t.key)
             if label(t.key) in first[0][1] or t.colour in first[0][1].split()]
    if len(named) != 1:
        return None
    thing = named[0]
    choices = [
        (pick(random, "Where is it?", "Where is it in the picture?"), f"It is {PLACES[thing.zone]}."),
        (pick(random, "Is it large or small?", "How large is it?"), f"It is {'large' if thing.large else 'small'}."),
        (f"What {colour_word(random)} is it?", f"It is {thing.colour}."),
    ]
    if not thing.glyph:
        choices.append(("Is it filled or outlined?", f"It is {'filled' if thing.filled else 'outlined'}."))
    return first + [random.choice(choices)]


def after_description(random: Random, scene: Scene) -> Rounds | None:
    first = random.choice((describe_shortly, describe_in_detail))(random, scene)
    ask = random.choice((count_all, colour_of, where_is, is_there, relation, larger, read_glyph, describe_in_detail, poem))
    second = ask(random, scene)
    return second and first + second[-1:]


SECOND_ROUND = {
    "and its colour": and_colour, "and where": and_where, "and how large": and_size, "the other one": and_the_other,
    "and is there": and_is_there, "and how many": and_count, "it": about_it, "after a description": after_description,
}
