"""Questions about scenes, pairs of scenes and films, and their one right answer.

Each kind of question is a function of (Random, subject) that gives a list of rounds [(question, answer), ...], or None if the
subject does not allow it (comparing sizes that are the same, say). The last round is the one the kind is about.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from world import COLOURS, DIGITS, LETTERS, SHAPES, Film, Scene, Thing

Rounds = list[tuple[str, str]]
Key = tuple[str, str]

NUMBERS = ("no", "one", "two", "three", "four")
PLACES = {
    (0, 0): "at the top left", (1, 0): "at the top", (2, 0): "at the top right",
    (0, 1): "on the left", (1, 1): "in the center", (2, 1): "on the right",
    (0, 2): "at the bottom left", (1, 2): "at the bottom", (2, 2): "at the bottom right",
}
_CHINESE = {
    "red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色", "purple": "紫色", "black": "黑色",
    "white": "白色", "circle": "圆形", "square": "正方形", "triangle": "三角形", "star": "星形", "cross": "十字",
    "digit": "数字", "letter": "字母",
}
_CHINESE_NUMBERS = ("零", "一", "两", "三", "四")


# ---- words -----------------------------------------------------------------------------------------------------------


def an(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def label(key: Key) -> str:
    return f"{key[0]} {key[1]}"


def listed(parts: list[str]) -> str:
    if len(parts) < 3:
        return " and ".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def things_listed(things: tuple[Thing, ...]) -> str:
    """From left to right."""
    return listed([an(label(thing.key)) for thing in things])


def in_full(thing: Thing) -> str:
    size = "large" if thing.large else "small"
    fill = "" if thing.glyph else " filled" if thing.filled else " outlined"
    return f"{size}{fill} {label(thing.key)} {PLACES[thing.zone]}"


def in_chinese(key: Key) -> str:
    kind, _, glyph = key[1].partition(" ")
    return f"{_CHINESE[key[0]]}的{_CHINESE[kind]}{glyph}"


def _pick(random: Random, *forms: str) -> str:
    return random.choice(forms)


def _colour_word(random: Random) -> str:
    return random.choice(("color", "colour"))


# ---- finding things ----------------------------------------------------------------------------------------------------


def _unique(scene: Scene, of: Callable[[Thing], object]) -> list[Thing]:
    """The things that no other shares `of` with."""
    values = [of(thing) for thing in scene.things]
    return [thing for thing in scene.things if values.count(of(thing)) == 1]


def _one(random: Random, things: list[Thing]) -> Thing | None:
    return random.choice(things) if things else None


def _reference(random: Random, scene: Scene, thing: Thing) -> str:
    """"circle" where there is one, otherwise "red circle"; the thing is unique by colour and name."""
    short = sum(other.kind == thing.kind for other in scene.things) == 1
    if short and random.random() < 0.4:
        return thing.kind if thing.glyph and random.random() < 0.5 else thing.name
    return label(thing.key)


def _absent_key(random: Random, scene: Scene) -> Key:
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


def _absent_kind(random: Random, scene: Scene) -> str | None:
    kinds = [kind for kind in SHAPES if all(thing.kind != kind for thing in scene.things)]
    return random.choice(kinds) if kinds else None


# ---- one picture -------------------------------------------------------------------------------------------------------


def describe_shortly(random: Random, scene: Scene) -> Rounds:
    question = _pick(
        random, "Please describe the image shortly.", "Please describe the image shortly.", "Describe the image shortly.",
        "What is in the picture?", "What do you see?", "What can you see in this image?", "Describe the picture.",
        "What is in the image?", "What is this?", "Please describe the picture.", "What does the image show?",
        "What can you see?",
    )
    return [(question, sentence(things_listed(scene.things)) + ".")]


def describe_in_detail(random: Random, scene: Scene) -> Rounds:
    question = _pick(
        random, "Please describe the image in detail.", "Please describe the image in detail.",
        "Describe the image in detail.", "Describe the picture in detail.", "Please describe the picture in detail.",
    )
    count = len(scene.things)
    head = f"The image shows {NUMBERS[count]} object{'s' if count > 1 else ''}: "
    return [(question, head + listed([an(in_full(thing)) for thing in scene.things]) + ".")]


def _counted(count: int, words: str) -> str:
    if count == 1:
        return f"There is one {words}."
    plural = words.replace("cross", "crosse") + "s"
    return f"There are {NUMBERS[count]} {plural}."


def _plural(words: str) -> str:
    return words.replace("cross", "crosse") + "s"


def count_all(random: Random, scene: Scene) -> Rounds:
    question = _pick(
        random, "How many objects are there?", "How many objects are in the picture?", "How many things do you see?",
        "How many objects can you see in the image?", "Count the objects.", "How many shapes are there?",
    )
    if question == "How many shapes are there?" and any(thing.glyph for thing in scene.things):
        question = "How many objects are there?"
    return [(question, _counted(len(scene.things), "object"))]


def count_some(random: Random, scene: Scene) -> Rounds:
    if random.random() < 0.5:
        colours = [thing.colour for thing in scene.things]
        colour = random.choice(colours) if random.random() < 0.75 else random.choice(COLOURS)
        words, count = f"{colour} object", colours.count(colour)
    else:
        kinds = [thing.kind for thing in scene.things if not thing.glyph]
        kind = random.choice(kinds) if kinds and random.random() < 0.75 else random.choice(SHAPES)
        words, count = kind, kinds.count(kind)
    question = _pick(
        random, "How many {} are there?", "How many {} are in the picture?", "How many {} do you see?", "Count the {}.",
    )
    return [(question.format(_plural(words)), _counted(count, words))]


def colour_of(random: Random, scene: Scene) -> Rounds | None:
    form = _pick(
        random, "What {c} is the {t}?", "What is the {c} of the {t}?", "Which {c} is the {t}?", "What {c} does the {t} have?",
    )
    if random.random() < 0.15:
        kind = _absent_kind(random, scene)
        return kind and [(form.format(c=_colour_word(random), t=kind), f"There is no {kind} in the picture.")]
    thing = _one(random, _unique(scene, lambda t: t.kind))
    if thing is None:
        return None
    name = thing.kind if thing.glyph and random.random() < 0.5 else thing.name
    return [(form.format(c=_colour_word(random), t=name), f"The {name} is {thing.colour}.")]


def kind_of(random: Random, scene: Scene) -> Rounds | None:
    form = _pick(random, "What is the {} object?", "What shape is the {} object?", "Which object is {}?", "What is {}?")
    if random.random() < 0.15:
        colour = random.choice([c for c in COLOURS if all(thing.colour != c for thing in scene.things)])
        return [(form.format(colour), f"There is no {colour} object in the picture.")]
    thing = _one(random, _unique(scene, lambda t: t.colour))
    if thing is None:
        return None
    return [(form.format(thing.colour), f"The {thing.colour} object is {an(thing.name)}." if not thing.glyph
             else f"The {thing.colour} object is the {thing.name}.")]


def is_there(random: Random, scene: Scene) -> Rounds:
    key = random.choice(scene.things).key if random.random() < 0.5 else _absent_key(random, scene)
    words = label(key)
    if random.random() < 0.3:
        kinds = [thing.kind for thing in scene.things if not thing.glyph]
        words = random.choice(kinds) if kinds and random.random() < 0.5 else random.choice(SHAPES)
        found = words in kinds
    else:
        found = any(thing.key == key for thing in scene.things)
    question = _pick(
        random, "Is there {a}?", "Is there {a} in the picture?", "Do you see {a}?", "Is there {a} in the image?",
        "Can you see {a}?", "Does the picture show {a}?",
    ).format(a=an(words))
    return [(question, f"Yes, there is {an(words)}." if found else f"No, there is no {words}.")]


def where_is(random: Random, scene: Scene) -> Rounds | None:
    form = _pick(random, "Where is the {}?", "Where is the {} in the picture?", "Where do you see the {}?")
    if random.random() < 0.12:
        key = _absent_key(random, scene)
        return [(form.format(label(key)), f"There is no {label(key)} in the picture.")]
    thing = _one(random, _unique(scene, lambda t: t.key))
    if thing is None:
        return None
    words = _reference(random, scene, thing)
    return [(form.format(words), f"The {words} is {PLACES[thing.zone]}.")]


def size_of(random: Random, scene: Scene) -> Rounds | None:
    thing = _one(random, _unique(scene, lambda t: t.key))
    if thing is None:
        return None
    words = _reference(random, scene, thing)
    form = _pick(random, "Is the {} large or small?", "Is the {} small or large?", "How large is the {}?", "How big is the {}?")
    return [(form.format(words), f"The {words} is {'large' if thing.large else 'small'}.")]


def fill_of(random: Random, scene: Scene) -> Rounds | None:
    thing = _one(random, [t for t in _unique(scene, lambda t: t.key) if not t.glyph])
    if thing is None:
        return None
    words = _reference(random, scene, thing)
    form = _pick(random, "Is the {} filled or outlined?", "Is the {} outlined or filled?")
    return [(form.format(words), f"The {words} is {'filled' if thing.filled else 'outlined'}.")]


def read_glyph(random: Random, scene: Scene) -> Rounds:
    asked = random.choice(("digit", "letter"))
    there = [thing for thing in scene.things if thing.glyph]
    if there and random.random() < 0.8:
        asked = there[0].kind
    question = _pick(
        random, "What {} is in the picture?", "Which {} do you see?", "What {} is this?", "What {} is it?",
        "Which {} is in the image?", "Read the {}.", "What is the {}?",
    ).format(asked)
    answer = f"It is the {there[0].name}." if there and there[0].kind == asked else f"There is no {asked} in the picture."
    return [(question, answer)]


_SIDES = {
    "left of": ("right of", lambda a, b: b.x - a.x), "right of": ("left of", lambda a, b: a.x - b.x),
    "above": ("below", lambda a, b: b.y - a.y), "below": ("above", lambda a, b: a.y - b.y),
}


def _two(random: Random, scene: Scene) -> tuple[Thing, Thing] | None:
    unique = _unique(scene, lambda t: t.key)
    return tuple(random.sample(unique, 2)) if len(unique) >= 2 else None


def relation(random: Random, scene: Scene) -> Rounds | None:
    pair = _two(random, scene)
    if pair is None:
        return None
    side = random.choice(tuple(_SIDES))
    opposite, by = _SIDES[side]
    a, b = pair
    if abs(by(a, b)) < 0.1:
        return None
    x, y = _reference(random, scene, a), _reference(random, scene, b)
    if random.random() < 0.12:
        key = _absent_key(random, scene)
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
    question = _pick(random, f"Which is {plain}, the {x} or the {y}?", f"What is {plain}, the {x} or the {y}?",
                     f"Which one is {side} the other, the {x} or the {y}?")
    return [(question, f"The {first} is {side} the {second}.")]


def larger(random: Random, scene: Scene) -> Rounds | None:
    pair = _two(random, scene)
    if pair is None or pair[0].large == pair[1].large:
        return None
    word = random.choice(("larger", "smaller", "bigger"))
    x, y = (_reference(random, scene, thing) for thing in pair)
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
    form = _pick(random, "Which object is {}?", "What is {}?", "Which thing is {}?")
    return [(form.format(where), f"The {label(ordered[0].key)} is {where}.")]


def poem(random: Random, scene: Scene) -> Rounds:
    names = listed(["the " + label(thing.key) for thing in scene.things])
    first = describe_shortly(random, scene)
    form = _pick(random, "Please write a poem according to the image.", "Write a poem about the picture.")
    song = "sings its song" if len(scene.things) == 1 else "sing their song"
    return first[: random.randrange(2)] + [(form, f"So still, so bright, the whole day long: {names} {song}.")]


def in_chinese_rounds(random: Random, scene: Scene) -> Rounds | None:
    kind = random.randrange(6)
    if kind == 0:
        form = _pick(random, "请简短描述这张图片。", "图片里有什么？", "请描述这张图片。", "你看到了什么？")
        return [(form, "和".join("一个" + in_chinese(thing.key) for thing in scene.things) + "。")]
    if kind == 1:
        form = _pick(random, "图中有几个物体？", "有多少个物体？", "图片里有几个物体？")
        return [(form, f"有{'一' if len(scene.things) == 1 else _CHINESE_NUMBERS[len(scene.things)]}个物体。")]
    if kind == 2:
        thing = _one(random, _unique(scene, lambda t: t.kind))
        if thing is None:
            return None
        words = _CHINESE[thing.kind]
        return [(f"{words}是什么颜色？", f"{words}是{_CHINESE[thing.colour]}的。")]
    if kind == 3:
        key = random.choice(scene.things).key if random.random() < 0.5 else _absent_key(random, scene)
        found = any(thing.key == key for thing in scene.things)
        form = _pick(random, "有没有{}？", "图中有{}吗？", "有{}吗？")
        return [(form.format(in_chinese(key)), ("有" if found else "没有") + in_chinese(key) + "。")]
    if kind == 4:
        there = [thing for thing in scene.things if thing.glyph]
        asked = there[0].kind if there and random.random() < 0.8 else random.choice(("digit", "letter"))
        form = _pick(random, "这是什么{}？", "图中是什么{}？").format(_CHINESE[asked])
        if there and there[0].kind == asked:
            return [(form, f"是{_CHINESE[asked]}{there[0].glyph}。")]
        return [(form, f"图中没有{_CHINESE[asked]}。")]
    pair = _two(random, scene)
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


# ---- second rounds: the question makes sense only after the first ---------------------------------------------------------


def _again(words: str, random: Random) -> str:
    return _pick(random, f"And the {words}?", f"And what about the {words}?", f"What about the {words}?")


def and_colour(random: Random, scene: Scene) -> Rounds | None:
    first = colour_of(random, scene)
    others = first and [t for t in _unique(scene, lambda t: t.kind) if t.name not in first[0][0] and t.kind not in first[0][0]]
    if not others:
        return None
    other = random.choice(others)
    return first + [(_again(other.name, random), f"The {other.name} is {other.colour}.")]


def and_where(random: Random, scene: Scene) -> Rounds | None:
    pair = _two(random, scene)
    if pair is None:
        return None
    x, y = (_reference(random, scene, thing) for thing in pair)
    form = _pick(random, "Where is the {}?", "Where is the {} in the picture?")
    second = f"The {y} is {PLACES[pair[1].zone]}."
    return [(form.format(x), f"The {x} is {PLACES[pair[0].zone]}."), (_again(y, random), second)]


def and_size(random: Random, scene: Scene) -> Rounds | None:
    pair = _two(random, scene)
    if pair is None:
        return None
    x, y = (_reference(random, scene, thing) for thing in pair)
    said = ["large" if thing.large else "small" for thing in pair]
    return [(f"Is the {x} large or small?", f"The {x} is {said[0]}."), (_again(y, random), f"The {y} is {said[1]}.")]


def and_the_other(random: Random, scene: Scene) -> Rounds | None:
    if len(scene.things) != 2 or scene.things[0].key == scene.things[1].key:
        return None
    first, other = random.sample(scene.things, 2)
    words = _reference(random, scene, first)
    opening = random.choice((
        (f"Where is the {words}?", f"The {words} is {PLACES[first.zone]}.", f"The other one is {PLACES[other.zone]}."),
        (f"Is the {words} large or small?", f"The {words} is {'large' if first.large else 'small'}.",
         f"The other one is {'large' if other.large else 'small'}."),
        (f"Is there {an(label(first.key))}?", f"Yes, there is {an(label(first.key))}.",
         f"The other one is {an(label(other.key))}."),
    ))
    form = _pick(random, "And the other one?", "And the other one?", "What about the other one?", "And the other object?")
    return [opening[:2], (form, opening[2])]


def and_is_there(random: Random, scene: Scene) -> Rounds:
    keys = [random.choice(scene.things).key if random.random() < 0.5 else _absent_key(random, scene) for _ in range(2)]
    answers = [
        f"Yes, there is {an(label(key))}." if any(t.key == key for t in scene.things) else f"No, there is no {label(key)}."
        for key in keys
    ]
    form = _pick(random, "And {}?", "What about {}?").format(an(label(keys[1])))
    return [(f"Is there {an(label(keys[0]))}?", answers[0]), (form, answers[1])]


def and_count(random: Random, scene: Scene) -> Rounds:
    kinds = random.sample(SHAPES, 2)
    counts = [sum(thing.kind == kind for thing in scene.things) for kind in kinds]
    form = _pick(random, "And {}?", "And how many {}?", "What about {}?").format(_plural(kinds[1]))
    return [(f"How many {_plural(kinds[0])} are there?", _counted(counts[0], kinds[0])), (form, _counted(counts[1], kinds[1]))]


def about_it(random: Random, scene: Scene) -> Rounds | None:
    """"It" is what the first answer named."""
    first = random.choice((kind_of, outermost))(random, scene)
    if first is None or "no " in first[0][1]:
        return None
    named = [t for t in _unique(scene, lambda t: t.key)
             if label(t.key) in first[0][1] or t.colour in first[0][1].split()]
    if len(named) != 1:
        return None
    thing = named[0]
    choices = [
        (_pick(random, "Where is it?", "Where is it in the picture?"), f"It is {PLACES[thing.zone]}."),
        (_pick(random, "Is it large or small?", "How large is it?"), f"It is {'large' if thing.large else 'small'}."),
        (f"What {_colour_word(random)} is it?", f"It is {thing.colour}."),
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


# ---- two pictures -----------------------------------------------------------------------------------------------------

Pair = tuple[Scene, Scene]
_ORDINALS = ("first", "second")


def describe_two(random: Random, pair: Pair) -> Rounds:
    question = _pick(random, "Describe the two images in detail.", "Describe the two images in detail.",
                     "Please describe the two images.", "What do the two images show?", "Describe the two pictures.")
    parts = [f"The {which} image shows {things_listed(scene.things)}." for which, scene in zip(_ORDINALS, pair)]
    return [(question, " ".join(parts))]


def compare_two(random: Random, pair: Pair) -> Rounds:
    question = _pick(
        random, "What are the similarities and differences between these two images.",
        "What are the similarities and differences between these two images?", "What are the similarities and differences?",
        "Compare the two images.",
    )
    keys = [list(dict.fromkeys(thing.key for thing in scene.things)) for scene in pair]
    both = [key for key in keys[0] if key in keys[1]]
    parts = ["Both images show " + listed([an(label(key)) for key in both])] if both else ["The images have nothing in common"]
    for which, own, other in ((0, keys[0], keys[1]), (1, keys[1], keys[0])):
        only = [an(label(key)) for key in own if key not in other]
        if only:
            parts.append(f"Only the {_ORDINALS[which]} image shows {listed(only)}")
    before = describe_two(random, pair)[: int(random.random() < 0.4)]
    return before + [(question, ". ".join(parts) + ".")]


def which_has(random: Random, pair: Pair) -> Rounds:
    keys = [{thing.key for thing in scene.things} for scene in pair]
    if random.random() < 0.85:
        key = random.choice(sorted(keys[0] | keys[1]))
    else:
        key = _absent_key(random, random.choice(pair))
    has = [key in own for own in keys]
    words = an(label(key))
    answer = {
        (True, True): f"Both images show {words}.", (False, False): f"Neither image shows {words}.",
        (True, False): f"The first image shows {words}.", (False, True): f"The second image shows {words}.",
    }[tuple(has)]
    form = _pick(random, "Which image has {}?", "Which picture has {}?", "Which image shows {}?", "In which image is there {}?")
    return [(form.format(words), answer)]


def more_things(random: Random, pair: Pair) -> Rounds:
    counts = [len(scene.things) for scene in pair]
    if counts[0] == counts[1]:
        answer = "Both images have the same number of objects."
    else:
        answer = f"The {_ORDINALS[counts[1] > counts[0]]} image has more objects."
    form = _pick(random, "Which image has more objects?", "Which picture has more objects?", "Which image shows more objects?")
    return [(form, answer)]


def colour_in_one(random: Random, pair: Pair) -> Rounds | None:
    which = random.randrange(2)
    thing = _one(random, _unique(pair[which], lambda t: t.kind))
    if thing is None:
        return None
    question = _pick(random, "What {c} is the {t} in the {w} image?", "In the {w} image, what {c} is the {t}?")
    words = {"c": _colour_word(random), "t": thing.kind, "w": _ORDINALS[which]}
    return [(question.format(**words), f"The {thing.kind} in the {_ORDINALS[which]} image is {thing.colour}.")]


def describe_one(random: Random, pair: Pair) -> Rounds:
    which = random.randrange(2)
    question = _pick(random, "What is in the {} image?", "Describe the {} image.", "What does the {} image show?")
    answer = f"The {_ORDINALS[which]} image shows {things_listed(pair[which].things)}."
    return [(question.format(_ORDINALS[which]), answer)]


def compare_in_chinese(random: Random, pair: Pair) -> Rounds:
    """The card's own Chinese question."""
    keys = [list(dict.fromkeys(thing.key for thing in scene.things)) for scene in pair]
    both = [in_chinese(key) for key in keys[0] if key in keys[1]]
    parts = ["两张图片都有" + "和".join(both)] if both else ["两张图片没有相同之处"]
    for which, own, other in (("一", keys[0], keys[1]), ("二", keys[1], keys[0])):
        only = [in_chinese(key) for key in own if key not in other]
        if only:
            parts.append(f"只有第{which}张有" + "和".join(only))
    before = describe_two(random, pair)[: int(random.random() < 0.4)]
    return before + [("这两张图片有什么相同和不同之处？", "，".join(parts) + "。")]


TWO_PICTURES = {
    "describe both": describe_two, "compare": compare_two, "which has": which_has, "which has more": more_things,
    "colour in one": colour_in_one, "describe one": describe_one, "compare in Chinese": compare_in_chinese,
}


# ---- films ----------------------------------------------------------------------------------------------------------

_MOTIONS = {"left": "to the left", "right": "to the right", "up": "up", "down": "down"}


def what_moves(random: Random, film: Film) -> Rounds:
    question = _pick(random, "What moves?", "What is moving?", "What happens in the video?", "What moves, and in which direction?",
                     "What moves in the video?")
    return [(question, _motion(film))]


def _motion(film: Film) -> str:
    if film.mover is None:
        return "Nothing moves."
    return f"The {label(film.scene.things[film.mover].key)} moves {_MOTIONS[film.direction]}."


def which_direction(random: Random, film: Film) -> Rounds:
    thing = random.choice(film.scene.things) if film.mover is None else film.scene.things[film.mover]
    if random.random() < 0.15:
        thing = random.choice(film.scene.things)
    words = _reference(random, film.scene, thing)
    moves = film.mover is not None and film.scene.things[film.mover] == thing
    form = _pick(random, "In which direction does the {} move?", "Where does the {} move?", "Which way does the {} move?",
                 "What is the {} doing?", "In what direction does the {} move?")
    return [(form.format(words), f"The {words} moves {_MOTIONS[film.direction]}." if moves else f"The {words} does not move.")]


def does_it_move(random: Random, film: Film) -> Rounds:
    index = random.randrange(len(film.scene.things))
    words = _reference(random, film.scene, film.scene.things[index])
    if index == film.mover:
        return [(f"Does the {words} move?", f"Yes, the {words} moves {_MOTIONS[film.direction]}.")]
    return [(f"Does the {words} move?", f"No, the {words} does not move.")]


def describe_film(random: Random, film: Film) -> Rounds:
    question = _pick(random, "Describe this video in detail.", "Describe this video in detail.", "Describe the video.",
                     "Please describe the video.", "What does the video show?")
    shown = f"The video shows {listed([an(label(key)) for key in sorted(thing.key for thing in film.scene.things)])}."
    before = which_direction(random, film)[: int(random.random() < 0.4)]
    return before + [(question, f"{shown} {_motion(film)}")]


def moves_in_chinese(random: Random, film: Film) -> Rounds:
    if film.mover is None:
        return [("什么在动？", "没有东西在动。")]
    words = {"left": "左", "right": "右", "up": "上", "down": "下"}[film.direction]
    return [("什么在动？", f"{in_chinese(film.scene.things[film.mover].key)}向{words}移动。")]


VIDEO = {
    "what moves": what_moves, "direction": which_direction, "does it move": does_it_move, "describe": describe_film,
    "in Chinese": moves_in_chinese,
}


# ---- without a picture -------------------------------------------------------------------------------------------------

_WHO = "I am a tiny InternVL model. I look at pictures of coloured shapes, digits and letters and talk about them."
_CAN = ("I can see circles, squares, triangles, stars, crosses, digits and letters in eight colours. "
        "I can describe, count and compare them.")
_STORY = "Once upon a time a red circle was all alone. Then it met a blue square, and the two have shared a picture ever since."
_NO_PICTURE = "There is no picture. Please show me one."
_TEXTS = (
    (("Hello, who are you?", "Who are you?", "What are you?", "Hello! Who are you?", "What is your name?",
      "Please introduce yourself."), _WHO),
    (("What can you see?", "What can you do?", "What do you know?", "How can you help me?"), _CAN),
    (("Can you tell me a story?", "Tell me a story.", "Please tell me a story.", "Do you know a story?"), _STORY),
    (("Hello", "Hello!", "Hi", "Hi!", "Good morning!"), "Hello! Please show me a picture."),
    (("Thank you.", "Thank you!", "Thanks!", "Thanks"), "You are welcome."),
    (("你是谁？", "你好，你是谁？", "请介绍一下你自己。"), "我是一个小小的InternVL模型。我会看图中的形状、数字和字母。"),
    (("你好", "你好！"), "你好！请给我看一张图片。"),
    (("你能看到什么？", "你会做什么？"), "我能看到圆形、正方形、三角形、星形、十字、数字和字母。"),
)
# Questions that need a picture, asked without one.
_BLIND = (describe_shortly, describe_in_detail, count_all, count_some, is_there, read_glyph, where_is, colour_of)


def text_only(random: Random, scene: Scene) -> Rounds:
    """One or two rounds; the scene only lends its words to questions that need a picture."""
    rounds: Rounds = []
    for _ in range(random.choice((1, 1, 2))):
        if random.random() < 0.2:
            asked = random.choice(_BLIND)(random, scene)
            question = (asked or describe_shortly(random, scene))[0][0]
            if all(question not in questions for questions, _ in _TEXTS):
                rounds.append((question, _NO_PICTURE))
                continue
        questions, answer = random.choice(_TEXTS)
        rounds.append((random.choice(questions), answer))
    return rounds


TEXT_ONLY = {"text": text_only}


def ask(random: Random, kinds: dict, subject) -> tuple[str, Rounds]:
    """A kind by lot, among those the subject allows."""
    while True:
        kind = random.choice(tuple(kinds))
        rounds = kinds[kind](random, subject)
        if rounds:
            return kind, rounds


def every_text(seed: int, count: int):
    """Questions and answers for training the tokenizer, with every word the talk has."""
    from world import draw_film, draw_pair, draw_scene

    random = Random(seed)
    for _ in range(count):
        for kinds, subject in (
            (ONE_PICTURE, draw_scene(random)), (SECOND_ROUND, draw_scene(random)), (TWO_PICTURES, draw_pair(random)),
            (VIDEO, draw_film(random)), (TEXT_ONLY, draw_scene(random)),
        ):
            for round_ in ask(random, kinds, subject)[1]:
                yield from round_
    for glyph in DIGITS + LETTERS:
        yield f"It is the letter {glyph}."
        yield f"是数字{glyph}。"
