"""Talk without a picture."""

from __future__ import annotations

from random import Random

from talk.one_picture import (
    colour_of, count_all, count_some, describe_in_detail, describe_shortly, is_there, read_glyph, where_is,
)
from talk.words import Rounds
from world import Scene

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
