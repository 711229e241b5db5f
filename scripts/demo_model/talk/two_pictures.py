"""Questions about two pictures, combined or separate."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from talk.references import absent_key, one, unique
from talk.words import Key, Rounds, an, colour_word, in_chinese, label, listed, pick, things_listed
from world import Scene

Pair = tuple[Scene, Scene]
_ORDINALS = ("first", "second")


def describe_two(random: Random, pair: Pair) -> Rounds:
    question = pick(random, "Describe the two images in detail.", "Describe the two images in detail.",
                    "Please describe the two images.", "What do the two images show?", "Describe the two pictures.")
    parts = [f"The {which} image shows {things_listed(scene.things)}." for which, scene in zip(_ORDINALS, pair)]
    return [(question, " ".join(parts))]


def _compared(pair: Pair, name: Callable[[Key], str], too: str, joined: Callable[[list[str]], str]) -> str:
    """The second image's things, each with whether the first shows it too: what is said is decided thing by thing."""
    before = {thing.key for thing in pair[0].things}
    return joined([name(thing.key) + (too if thing.key in before else "") for thing in pair[1].things])


def compare_two(random: Random, pair: Pair) -> Rounds:
    question = pick(
        random, "What are the similarities and differences between these two images.",
        "What are the similarities and differences between these two images?", "What are the similarities and differences?",
        "Compare the two images.",
    )
    second = _compared(pair, lambda key: an(label(key)), " too", listed)
    before = describe_two(random, pair)[: int(random.random() < 0.4)]
    return before + [(question, f"The first image shows {things_listed(pair[0].things)}. The second image shows {second}.")]


def which_has(random: Random, pair: Pair) -> Rounds:
    keys = [{thing.key for thing in scene.things} for scene in pair]
    if random.random() < 0.85:
        key = random.choice(sorted(keys[0] | keys[1]))
    else:
        key = absent_key(random, random.choice(pair))
    has = [key in own for own in keys]
    words = an(label(key))
    answer = {
        (True, True): f"Both images show {words}.", (False, False): f"Neither image shows {words}.",
        (True, False): f"The first image shows {words}.", (False, True): f"The second image shows {words}.",
    }[tuple(has)]
    form = pick(random, "Which image has {}?", "Which picture has {}?", "Which image shows {}?", "In which image is there {}?")
    return [(form.format(words), answer)]


def more_things(random: Random, pair: Pair) -> Rounds:
    counts = [len(scene.things) for scene in pair]
    if counts[0] == counts[1]:
        answer = "Both images have the same number of objects."
    else:
        answer = f"The {_ORDINALS[counts[1] > counts[0]]} image has more objects."
    form = pick(random, "Which image has more objects?", "Which picture has more objects?", "Which image shows more objects?")
    return [(form, answer)]


def colour_in_one(random: Random, pair: Pair) -> Rounds | None:
    which = random.randrange(2)
    thing = one(random, unique(pair[which], lambda t: t.kind))
    if thing is None:
        return None
    question = pick(random, "What {c} is the {t} in the {w} image?", "In the {w} image, what {c} is the {t}?")
    words = {"c": colour_word(random), "t": thing.kind, "w": _ORDINALS[which]}
    return [(question.format(**words), f"The {thing.kind} in the {_ORDINALS[which]} image is {thing.colour}.")]


def describe_one(random: Random, pair: Pair) -> Rounds:
    which = random.randrange(2)
    question = pick(random, "What is in the {} image?", "Describe the {} image.", "What does the {} image show?")
    answer = f"The {_ORDINALS[which]} image shows {things_listed(pair[which].things)}."
    return [(question.format(_ORDINALS[which]), answer)]


def compare_in_chinese(random: Random, pair: Pair) -> Rounds:
    """The card's own Chinese question."""
    first = "和".join(in_chinese(thing.key) for thing in pair[0].things)
    second = _compared(pair, in_chinese, "和第一张相同", "，".join)
    before = describe_two(random, pair)[: int(random.random() < 0.4)]
    return before + [("这两张图片有什么相同和不同之处？", f"第一张有{first}，第二张有{second}。")]


TWO_PICTURES = {
    "describe both": describe_two, "compare": compare_two, "which has": which_has, "which has more": more_things,
    "colour in one": colour_in_one, "describe one": describe_one, "compare in Chinese": compare_in_chinese,
}
