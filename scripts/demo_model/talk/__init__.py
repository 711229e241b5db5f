"""Questions about scenes, pairs of scenes and films, and their one right answer.

Each kind of question is a function of (Random, subject) that gives a list of rounds [(question, answer), ...], or None if the
subject does not allow it (comparing sizes that are the same, say). The last round is the one the kind is about.
"""

from __future__ import annotations

from random import Random

from talk.one_picture import ONE_PICTURE
from talk.second_round import SECOND_ROUND
from talk.text_only import TEXT_ONLY
from talk.two_pictures import TWO_PICTURES
from talk.video import VIDEO
from talk.words import Rounds
from world import DIGITS, LETTERS, draw_film, draw_pair, draw_scene


def ask(random: Random, kinds: dict, subject, weights: dict[str, float] | None = None) -> tuple[str, Rounds]:
    """A kind by lot, among those the subject allows; those in `weights` so many times as often as the others."""
    names = tuple(kinds)
    while True:
        if weights is None:
            kind = random.choice(names)
        else:
            kind = random.choices(names, [weights.get(name, 1.0) for name in names])[0]
        rounds = kinds[kind](random, subject)
        if rounds:
            return kind, rounds


def every_text(seed: int, count: int):
    """Questions and answers for training the tokenizer, with every word the talk has."""
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
