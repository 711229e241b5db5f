"""Questions about films."""

from __future__ import annotations

from random import Random

from talk.references import reference
from talk.words import Rounds, an, in_chinese, label, listed, pick
from world import Film

_MOTIONS = {"left": "to the left", "right": "to the right", "up": "up", "down": "down"}


def what_moves(random: Random, film: Film) -> Rounds:
    question = pick(random, "What moves?", "What is moving?", "What happens in the video?", "What moves, and in which direction?",
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
    words = reference(random, film.scene, thing)
    moves = film.mover is not None and film.scene.things[film.mover] == thing
    form = pick(random, "In which direction does the {} move?", "Where does the {} move?", "Which way does the {} move?",
                "What is the {} doing?", "In what direction does the {} move?")
    return [(form.format(words), f"The {words} moves {_MOTIONS[film.direction]}." if moves else f"The {words} does not move.")]


def does_it_move(random: Random, film: Film) -> Rounds:
    index = random.randrange(len(film.scene.things))
    words = reference(random, film.scene, film.scene.things[index])
    if index == film.mover:
        return [(f"Does the {words} move?", f"Yes, the {words} moves {_MOTIONS[film.direction]}.")]
    return [(f"Does the {words} move?", f"No, the {words} does not move.")]


def describe_film(random: Random, film: Film) -> Rounds:
    question = pick(random, "Describe this video in detail.", "Describe this video in detail.", "Describe the video.",
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
