"""Questions about one picture."""

from __future__ import annotations

from random import Random

from talk.references import absent_key, absent_kind, one, reference, two_of, unique
from talk.words import (
    CHINESE, CHINESE_NUMBERS, NUMBERS, PLACES, Rounds, an, colour_word, counted, in_chinese, in_full, label, listed,
    pick, plural, sentence, things_listed,
)
from world import COLOURS, SHAPES, Scene


def describe_shortly(random: Random, scene: Scene) -> Rounds:
    question = pick(
        random, "Please describe the image shortly.", "Please describe the image shortly.", "Describe the image shortly.",
        "What is in the picture?", "What do you see?", "What can you see in this image?", "Describe the picture.",
        "What is in the image?", "What is this?", "Please describe the picture.", "What does the image show?",
        "What can you see?",
    )
    return [(question, sentence(things_listed(scene.things)) + ".")]


def describe_in_detail(random: Random, scene: Scene) -> Rounds:
    question = pick(
        random, "Please describe the image in detail.", "Please describe the image in detail.",
        "Describe the image in detail.", "Describe the picture in detail.", "Please describe the picture in detail.",
    )
    count = len(scene.things)
    head = f"The image shows {NUMBERS[count]} object{'s' if count > 1 else ''}: "
    return [(question, head + listed([an(in_full(thing)) for thing in scene.things]) + ".")]


def count_all(random: Random, scene: Scene) -> Rounds:
    question = pick(
        random, "How many objects are there?", "How many objects are in the picture?", "How many things do you see?",
        "How many objects can you see in the image?", "Count the objects.", "How many shapes are there?",
    )
    if question == "How many shapes are there?" and any(thing.glyph for thing in scene.things):
        question = "How many objects are there?"
    return [(question, counted(len(scene.things), "object"))]


def count_some(random: Random, scene: Scene) -> Rounds:
    if random.random() < 0.5:
        colours = [thing.colour for thing in scene.things]
        colour = random.choice(colours) if random.random() < 0.75 else random.choice(COLOURS)
        words, count = f"{colour} object", colours.count(colour)
    else:
        kinds = [thing.kind for thing in scene.things if not thing.glyph]
        kind = random.choice(kinds) if kinds and random.random() < 0.75 else random.choice(SHAPES)
        words, count = kind, kinds.count(kind)
    question = pick(
        random, "How many {} are there?", "How many {} are in the picture?", "How many {} do you see?", "Count the {}.",
    )
    return [(question.format(plural(words)), counted(count, words))]


def colour_of(random: Random, scene: Scene) -> Rounds | None:
    form = pick(
        random, "What {c} is the {t}?", "What is the {c} of the {t}?", "Which {c} is the {t}?", "What {c} does the {t} have?",
    )
    if random.random() < 0.15:
        kind = absent_kind(random, scene)
        return kind and [(form.format(c=colour_word(random), t=kind), f"There is no {kind} in the picture.")]
    thing = one(random, unique(scene, lambda t: t.kind))
    if thing is None:
        return None
    name = thing.kind if thing.glyph and random.random() < 0.5 else thing.name
    return [(form.format(c=colour_word(random), t=name), f"The {name} is {thing.colour}.")]


def kind_of(random: Random, scene: Scene) -> Rounds | None:
    form = pick(random, "What is the {} object?", "What shape is the {} object?", "Which object is {}?", "What is {}?")
    if random.random() < 0.15:
        colour = random.choice([c for c in COLOURS if all(thing.colour != c for thing in scene.things)])
        return [(form.format(colour), f"There is no {colour} object in the picture.")]
    thing = one(random, unique(scene, lambda t: t.colour))
    if thing is None:
        return None
    return [(form.format(thing.colour), f"The {thing.colour} object is {an(thing.name)}." if not thing.glyph
             else f"The {thing.colour} object is the {thing.name}.")]


def is_there(random: Random, scene: Scene) -> Rounds:
    key = random.choice(scene.things).key if random.random() < 0.5 else absent_key(random, scene)
    words = label(key)
    if random.random() < 0.3:
        kinds = [thing.kind for thing in scene.things if not thing.glyph]
        words = random.choice(kinds) if kinds and random.random() < 0.5 else random.choice(SHAPES)
        found = words in kinds
    else:
        found = any(thing.key == key for thing in scene.things)
    question = pick(
        random, "Is there {a}?", "Is there {a} in the picture?", "Do you see {a}?", "Is there {a} in the image?",
        "Can you see {a}?", "Does the picture show {a}?",
    ).format(a=an(words))
    return [(question, f"Yes, there is {an(words)}." if found else f"No, there is no {words}.")]


def where_is(random: Random, scene: Scene) -> Rounds | None:
    form = pick(random, "Where is the {}?", "Where is the {} in the picture?", "Where do you see the {}?")
    if random.random() < 0.12:
        key = absent_key(random, scene)
        return [(form.format(label(key)), f"There is no {label(key)} in the picture.")]
    thing = one(random, unique(scene, lambda t: t.key))
    if thing is None:
        return None
    words = reference(random, scene, thing)
    return [(form.format(words), f"The {words} is {PLACES[thing.zone]}.")]


def size_of(random: Random, scene: Scene) -> Rounds | None:
    thing = one(random, unique(scene, lambda t: t.key))
    if thing is None:
        return None
    words = reference(random, scene, thing)
    form = pick(random, "Is the {} large or small?", "Is the {} small or large?", "How large is the {}?", "How big is the {}?")
    return [(form.format(words), f"The {words} is {'large' if thing.large else 'small'}.")]


def fill_of(random: Random, scene: Scene) -> Rounds | None:
    thing = one(random, [t for t in unique(scene, lambda t: t.key) if not t.glyph])
    if thing is None:
        return None
    words = reference(random, scene, thing)
    form = pick(random, "Is the {} filled or outlined?", "Is the {} outlined or filled?")
    return [(form.format(words), f"The {words} is {'filled' if thing.filled else 'outlined'}.")]


def read_glyph(random: Random, scene: Scene) -> Rounds:
    asked = random.choice(("digit", "letter"))
    there = [thing for thing in scene.things if thing.glyph]
    if there and random.random() < 0.8:
        asked = there[0].kind
    question = pick(
        random, "What {} is in the picture?", "Which {} do you see?", "What {} is this?", "What {} is it?",
        "Which {} is in the image?", "Read the {}.", "What is the {}?",
    ).format(asked)
    answer = f"It is the {there[0].name}." if there and there[0].kind == asked else f"There is no {asked} in the picture."
    return [(question, answer)]


_SIDES = {
    "left of": ("right of", lambda a, b: b.x - a.x), "right of": ("left of", lambda a, b: a.x - b.x),
    "above": ("below", lambda a, b: b.y - a.y), "below": ("above", lambda a, b: a.y - b.y),
}


def relation(random: Random, scene: Scene) -> Rounds | None:
    pair = two_of(random, scene)
    if pair is None:
        return None
    side = random.choice(tuple(_SIDES))
    opposite, by = _SIDES[side]
    a, b = pair
    if abs(by(a, b)) < 0.1:
        return None
    x, y = reference(random, scene, a), reference(random, scene, b)
    if random.random() < 0.12:
        key = absent_key(random, scene)
        form = f"Is the {label(key)} {side} the {y}?" if random.random() < 0.5 else f"Is the {y} {side} the {label(key)}?"
        return [(form, f"There is no {label(key)} in the picture.")]
    if random.random() < 0.5:
        answer = f"Yes, the {x} is {side} the {y}." if by(a, b) > 0 else f"No, the {x} is {opposite} the {y}."
        return [(f"Is the {x} {side} the {y}?", answer)]
    plain = {"left of": "left", "right of": "right"}.get(side, side)
    if by(a, b) < 0:
        first, second = y, x
    else:
        first, second = x, y
    question = pick(random, f"Which is {plain}, the {x} or the {y}?", f"What is {plain}, the {x} or the {y}?",
                    f"Which one is {side} the other, the {x} or the {y}?")
    return [(question, f"The {first} is {side} the {second}.")]


def larger(random: Random, scene: Scene) -> Rounds | None:
    pair = two_of(random, scene)
    if pair is None or pair[0].large == pair[1].large:
        return None
    word = random.choice(("larger", "smaller", "bigger"))
    x, y = (reference(random, scene, thing) for thing in pair)
    first_wins = pair[0].large != (word == "smaller")
    winner = x if first_wins else y
    loser = y if first_wins else x
    return [(f"Which is {word}, the {x} or the {y}?", f"The {winner} is {word} than the {loser}.")]


def outermost(random: Random, scene: Scene) -> Rounds | None:
    if len(scene.things) < 2:
        return None
    where, key = random.choice((
        ("furthest left", lambda t: t.x), ("furthest right", lambda t: -t.x), ("at the very top", lambda t: t.y),
        ("at the very bottom", lambda t: -t.y),
    ))
    ordered = sorted(scene.things, key=key)
    if abs(key(ordered[0]) - key(ordered[1])) < 0.06:
        return None
    form = pick(random, "Which object is {}?", "What is {}?", "Which thing is {}?")
    return [(form.format(where), f"The {label(ordered[0].key)} is {where}.")]


def poem(random: Random, scene: Scene) -> Rounds:
    names = listed(["the " + label(thing.key) for thing in scene.things])
    first = describe_shortly(random, scene)
    form = pick(random, "Please write a poem according to the image.", "Write a poem about the picture.")
    song = "sings its song" if len(scene.things) == 1 else "sing their song"
    return first[: random.randrange(2)] + [(form, f"So still, so bright, the whole day long: {names} {song}.")]


def in_chinese_rounds(random: Random, scene: Scene) -> Rounds | None:
    kind = random.randrange(6)
    if kind == 0:
        form = pick(random, "请简短描述这张图片。", "图片里有什么？", "请描述这张图片。", "你看到了什么？")
        return [(form, "和".join("一个" + in_chinese(thing.key) for thing in scene.things) + "。")]
    if kind == 1:
        form = pick(random, "图中有几个物体？", "有多少个物体？", "图片里有几个物体？")
        return [(form, f"有{'一' if len(scene.things) == 1 else CHINESE_NUMBERS[len(scene.things)]}个物体。")]
    if kind == 2:
        thing = one(random, unique(scene, lambda t: t.kind))
        if thing is None:
            return None
        words = CHINESE[thing.kind]
        return [(f"{words}是什么颜色？", f"{words}是{CHINESE[thing.colour]}的。")]
    if kind == 3:
        key = random.choice(scene.things).key if random.random() < 0.5 else absent_key(random, scene)
        found = any(thing.key == key for thing in scene.things)
        form = pick(random, "有没有{}？", "图中有{}吗？", "有{}吗？")
        return [(form.format(in_chinese(key)), ("有" if found else "没有") + in_chinese(key) + "。")]
    if kind == 4:
        there = [thing for thing in scene.things if thing.glyph]
        asked = there[0].kind if there and random.random() < 0.8 else random.choice(("digit", "letter"))
        form = pick(random, "这是什么{}？", "图中是什么{}？").format(CHINESE[asked])
        if there and there[0].kind == asked:
            return [(form, f"是{CHINESE[asked]}{there[0].glyph}。")]
        return [(form, f"图中没有{CHINESE[asked]}。")]
    pair = two_of(random, scene)
    if pair is None or pair[0].large == pair[1].large:
        return None
    x, y = (in_chinese(thing.key) for thing in pair)
    return [(f"{x}和{y}，哪个更大？", f"{x if pair[0].large else y}更大。")]


ONE_PICTURE = {
    "describe shortly": describe_shortly, "describe in detail": describe_in_detail, "count": count_all,
    "count some": count_some, "colour": colour_of, "shape": kind_of, "is there": is_there, "where": where_is,
    "large or small": size_of, "filled or outlined": fill_of, "digit or letter": read_glyph, "relation": relation,
    "larger": larger, "outermost": outermost, "poem": poem, "Chinese": in_chinese_rounds,
}
