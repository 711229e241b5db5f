"""The words of the talk: colours, places, numbers and lists, in English and Chinese."""

from __future__ import annotations

from random import Random

from world import Thing

Rounds = list[tuple[str, str]]
Key = tuple[str, str]

NUMBERS = ("no", "one", "two", "three", "four")
PLACES = {
    (0, 0): "at the top left", (1, 0): "at the top", (2, 0): "at the top right",
    (0, 1): "on the left", (1, 1): "in the center", (2, 1): "on the right",
    (0, 2): "at the bottom left", (1, 2): "at the bottom", (2, 2): "at the bottom right",
}
CHINESE = {
    "red": "红色", "orange": "橙色", "yellow": "黄色", "green": "绿色", "blue": "蓝色", "purple": "紫色", "black": "黑色",
    "white": "白色", "circle": "圆形", "square": "正方形", "triangle": "三角形", "star": "星形", "cross": "十字",
    "digit": "数字", "letter": "字母",
}
CHINESE_NUMBERS = ("零", "一", "两", "三", "四")


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
    return f"{CHINESE[key[0]]}的{CHINESE[kind]}{glyph}"


def pick(random: Random, *forms: str) -> str:
    return random.choice(forms)


def colour_word(random: Random) -> str:
    return random.choice(("color", "colour"))


def counted(count: int, words: str) -> str:
    if count == 1:
        return f"There is one {words}."
    return f"There are {NUMBERS[count]} {plural(words)}."


def plural(words: str) -> str:
    return words.replace("cross", "crosse") + "s"
