"""Draws a training log as an SVG picture: exact answers of each kind of dialog, and the loss.

    python scripts/demo_model/curve.py FOLDER/log.jsonl > curve.svg

Every batch is new, so the share of exact answers in training is also the share on pictures never seen before.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 340, 48, 20, 150, 36
GROUPS = {"single": ("one image", "#1f77b4"), "pair": ("two images", "#d62728"), "film": ("video", "#2ca02c"),
          "text": ("text only", "#7f7f7f")}


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def series(lines: list[dict]) -> dict[str, tuple[str, list[tuple[float, float]]]]:
    """label -> colour, points of (hours, share)."""
    result = {"all found (look)": ("#9467bd", [(l["seconds"] / 3600, l["found"]) for l in lines if "found" in l])}
    talking = [line for line in lines if line["phase"] == "talk"]
    for group, (label, colour) in GROUPS.items():
        points = []
        for line in talking:
            shares = [value for name, value in line.items() if name.startswith(group + ": ")]
            if shares:
                points.append((line["seconds"] / 3600, mean(shares)))
        result[label] = (colour, points)
    most = max((line["loss"] for line in talking), default=1.0)
    result[f"loss / {most:.1f}"] = ("#000000", [(l["seconds"] / 3600, l["loss"] / most) for l in talking])
    return result


def draw(lines: list[dict]) -> str:
    hours = max(line["seconds"] for line in lines) / 3600
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at(x: float, y: float) -> str:
        return f"{LEFT + x / hours * across:.1f},{TOP + (1 - y) * down:.1f}"

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for tick in range(0, 11, 2):
        y = TOP + (1 - tick / 10) * down
        parts.append(f'<path d="M{LEFT} {y:.1f}h{across}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick * 10}%</text>')
    for tick in range(int(hours * 4) + 1):
        x = LEFT + tick / 4 / hours * across
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{tick / 4:g} h</text>')
    for i, (label, (colour, points)) in enumerate(series(lines).items()):
        path = " ".join(at(x, y) for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        y = TOP + 14 + 20 * i
        parts.append(f'<path d="M{WIDTH - RIGHT + 12} {y - 4}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 36}" y="{y}">{label}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
            f'font-size="12">\n' + "\n".join(parts) + "\n</svg>")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: curve.py LOG.jsonl")
    print(draw([json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]))
