"""Digits and capital letters as pen strokes in the unit square: for each, one or two ways a hand writes it.

Numbers are tenths of the width and height, y downwards; "~" before a stroke makes it a smooth curve through its points.
"""

from __future__ import annotations

_WRITTEN = {
    "0": ["~5,0 1,2 0,5 1,8 5,10 9,8 10,5 9,2 5,0"],
    "1": ["2,3 6,0 6,10", "5,0 5,10"],
    "2": ["~0,3 2,0 7,0 9,3 6,6 0,10|0,10 10,10"],
    "3": ["~0,1 5,0 9,2 8,4 4,5|~4,5 9,6 10,8 6,10 0,9", "0,0 9,0 5,4|~5,4 10,6 9,9 4,10 0,9"],
    "4": ["7,10 7,0 0,7 10,7", "1,0 0,6 9,6|7,1 7,10"],
    "5": ["9,0 1,0 1,4|~1,4 6,4 10,7 7,10 0,9"],
    "6": ["~8,0 3,2 0,7 3,10 8,9 9,6 6,5 1,6"],
    "7": ["0,0 10,0 4,10", "0,0 10,0 4,10|2,5 9,5"],
    "8": ["~5,5 1,3 2,0 8,0 9,3 5,5 0,7 2,10 8,10 10,7 5,5"],
    "9": ["~9,3 7,0 2,0 0,3 3,5 8,4 9,2|~9,2 9,6 7,10"],
    "A": ["0,10 5,0 10,10|2,6 8,6"],
    "B": ["0,0 0,10|~0,0 6,0 9,2 6,5 0,5|~0,5 7,5 10,8 7,10 0,10"],
    "C": ["~10,2 6,0 1,2 0,5 1,8 6,10 10,8"],
    "D": ["0,0 0,10|~0,0 6,0 10,4 9,8 5,10 0,10"],
    "E": ["10,0 0,0 0,10 10,10|0,5 8,5"],
    "F": ["10,0 0,0 0,10|0,5 8,5"],
    "G": ["~10,2 6,0 1,2 0,5 1,8 5,10 10,8|10,9 10,5 6,5"],
    "H": ["0,0 0,10|10,0 10,10|0,5 10,5"],
    "J": ["~8,0 8,5 7,9 4,10 1,9 0,7", "4,0 10,0|~8,0 8,5 7,9 4,10 1,9 0,7"],
    "K": ["0,0 0,10|9,0 0,6|3,4 10,10"],
    "L": ["0,0 0,10 9,10"],
    "M": ["0,10 0,0 5,6 10,0 10,10", "0,10 2,0 5,7 8,0 10,10"],
    "N": ["0,10 0,0 10,10 10,0"],
    "P": ["0,0 0,10|~0,0 7,0 10,3 7,5 0,5"],
    "Q": ["~5,0 1,2 0,5 1,8 5,10 9,8 10,5 9,2 5,0|6,7 10,10"],
    "R": ["0,0 0,10|~0,0 7,0 10,3 7,5 0,5|4,5 10,10"],
    "S": ["~9,1 5,0 1,1 1,4 8,6 10,8 6,10 0,9"],
    "T": ["0,0 10,0|5,0 5,10"],
    "U": ["~0,0 0,6 2,9 5,10 8,9 10,6 10,0"],
    "V": ["0,0 5,10 10,0"],
    "W": ["0,0 3,10 5,3 8,10 10,0"],
    "X": ["0,0 10,10|10,0 0,10"],
    "Y": ["0,0 5,5 10,0|5,5 5,10"],
    "Z": ["0,0 10,0 0,10 10,10", "0,0 10,0 0,10 10,10|2,5 8,5"],
}


def _smooth(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Chaikin's corner cutting, twice, with the ends kept."""
    for _ in range(2):
        cut = [points[0]]
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            cut += [(0.75 * x0 + 0.25 * x1, 0.75 * y0 + 0.25 * y1), (0.25 * x0 + 0.75 * x1, 0.25 * y0 + 0.75 * y1)]
        points = cut + [points[-1]]
    return points


def _stroke(text: str) -> list[tuple[float, float]]:
    points = [tuple(int(part) / 10 for part in pair.split(",")) for pair in text.lstrip("~").split()]
    return _smooth(points) if text.startswith("~") else points


# glyph -> ways of writing -> strokes -> points
STROKES = {glyph: [[_stroke(part) for part in way.split("|")] for way in ways] for glyph, ways in _WRITTEN.items()}
