"""A scene as SVG: another program's edges, curves and fonts, never used in training."""

from __future__ import annotations

import math
from random import Random

from world import Scene, Thing


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def _points(radii: tuple[float, ...], count: int) -> str:
    corners = ((radii[i % len(radii)], 2 * math.pi * i / count) for i in range(count))
    return " ".join(f"{r * math.sin(a):.4f},{-r * math.cos(a):.4f}" for r, a in corners)


def _element(thing: Thing, random: Random) -> str:
    r = thing.diameter / 2
    line = random.uniform(0.018, 0.1 * thing.diameter)
    paint = f'fill="{_hex(thing.rgb)}"'
    if not thing.filled:
        paint = f'fill="none" stroke="{_hex(thing.rgb)}" stroke-width="{line:.4f}" stroke-linejoin="round"'
    if thing.kind == "circle":
        return f'<circle r="{r:.4f}" {paint}/>'
    if thing.kind == "square":
        side = r * math.sqrt(2)
        return f'<rect x="{-side / 2:.4f}" y="{-side / 2:.4f}" width="{side:.4f}" height="{side:.4f}" {paint}/>'
    if thing.kind == "triangle":
        return f'<polygon points="{_points((r,), 3)}" {paint}/>'
    if thing.kind == "star":
        return f'<polygon points="{_points((r, 0.42 * r), 10)}" {paint}/>'
    if thing.kind == "cross":
        a, b = 0.3 * r, 0.94 * r
        path = f"M{-a} {-b}H{a}V{-a}H{b}V{a}H{a}V{b}H{-a}V{a}H{-b}V{-a}H{-a}Z"
        return f'<path d="{path}" {paint}/>'
    font = random.choice(("sans-serif", "serif", "monospace"))
    weight = random.choice(("normal", "bold"))
    size = 1.18 * thing.diameter  # so that capitals are 0.86 of the diameter high
    return (f'<text y="{0.43 * thing.diameter:.4f}" font-family="{font}" font-weight="{weight}" '
            f'font-size="{size:.4f}" text-anchor="middle" {paint}>{thing.glyph}</text>')


def as_svg(scene: Scene, random: Random) -> str:
    colours = [_hex(colour) for colour in scene.background]
    stops = "".join(f'<stop offset="{i / max(1, len(colours) - 1)}" stop-color="{c}"/>' for i, c in enumerate(colours))
    parts = [f'<defs><linearGradient id="g" x2="1" y2="{random.random():.2f}">{stops}</linearGradient></defs>',
             '<rect width="1" height="1" fill="url(#g)"/>']
    for thing in scene.things:
        turn = 0.0 if thing.glyph else random.uniform(-8, 8)
        parts.append(f'<g transform="translate({thing.x:.4f} {thing.y:.4f}) rotate({turn:.1f})">{_element(thing, random)}</g>')
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" width="448" height="448">{"".join(parts)}</svg>\n'
