"""Three renderers of a scene (filled polygons, distance fields, a wavering brush) and what happens to pictures on their way:
rescaling, blur, noise, JPEG.

More than one renderer, so that the model learns the shapes and not one program's edges.
"""

from __future__ import annotations

import functools
import io
import math
import os
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from strokes import STROKES
from world import Film, Scene, Thing

# Debian's fonts-dejavu and fonts-liberation. A missing one is an error: with fewer fonts it would be another training.
_FONT_FOLDER = "/usr/share/fonts/truetype"
_FONTS = (
    "dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf", "dejavu/DejaVuSerif.ttf", "dejavu/DejaVuSerif-Bold.ttf",
    "dejavu/DejaVuSansMono.ttf", "dejavu/DejaVuSans-Oblique.ttf", "liberation/LiberationSans-Regular.ttf",
    "liberation/LiberationSans-Bold.ttf", "liberation/LiberationSerif-Regular.ttf", "liberation/LiberationSerif-Bold.ttf",
    "liberation/LiberationMono-Regular.ttf", "liberation/LiberationSans-Italic.ttf",
)

Points = list[tuple[float, float]]


@functools.lru_cache(maxsize=None)
def _font(index: int) -> ImageFont.FreeTypeFont:
    if index == len(_FONTS):
        return ImageFont.load_default(100)
    path = os.path.join(_FONT_FOLDER, _FONTS[index])
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} is missing: apt-get install fonts-dejavu fonts-liberation")
    return ImageFont.truetype(path, 100)


# ---- outlines, on a circle of radius 1 -------------------------------------------------------------------------------


def _circle(random: Random) -> Points:
    return [(math.cos(2 * math.pi * i / 40), math.sin(2 * math.pi * i / 40)) for i in range(40)]


def _square(random: Random) -> Points:
    s, aspect = math.sqrt(0.5), random.uniform(0.9, 1.1)
    return [(-s * aspect, -s / aspect), (s * aspect, -s / aspect), (s * aspect, s / aspect), (-s * aspect, s / aspect)]


def _triangle(random: Random) -> Points:
    lean = random.uniform(-0.35, 0.35) if random.random() < 0.4 else 0.0
    width = random.uniform(0.8, 1.0)
    return [(lean, -1.0), (width, 0.75), (-width, 0.75)]


def _star(random: Random) -> Points:
    inner = random.uniform(0.36, 0.52)
    radius = (1.0, inner)
    return [(radius[i % 2] * math.sin(math.pi * i / 5), -radius[i % 2] * math.cos(math.pi * i / 5)) for i in range(10)]


def _cross(random: Random, filled: bool) -> Points:
    a = random.uniform(0.13, 0.4) if filled else random.uniform(0.28, 0.4)
    corners = [(-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a), (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a)]
    return [(0.94 * x, 0.94 * y) for x, y in corners]


_TILT = {"circle": 3.2, "square": 0.2, "triangle": 0.3, "star": 3.2, "cross": 0.16}


def _outline(random: Random, thing: Thing) -> Points:
    """The thing's outline around (0, 0), in fractions of the picture's side."""
    points = _cross(random, thing.filled) if thing.kind == "cross" else globals()["_" + thing.kind](random)
    angle = random.uniform(-1, 1) * _TILT[thing.kind] if random.random() < 0.6 else 0.0
    if thing.kind == "triangle" and random.random() < 0.15:
        angle += math.pi
    c, s = math.cos(angle) * thing.diameter / 2, math.sin(angle) * thing.diameter / 2
    return [(x * c - y * s, x * s + y * c) for x, y in points]


def _wavering(random: Random, points: Points, amount: float) -> Points:
    """The same closed line by an unsure hand: more points, each moved a little, neighbours alike."""
    result: Points = []
    dx = dy = 0.0
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
        steps = max(1, round(math.dist((x0, y0), (x1, y1)) / (6 * amount)))
        for i in range(steps):
            dx = 0.7 * dx + random.gauss(0, amount * 0.5)
            dy = 0.7 * dy + random.gauss(0, amount * 0.5)
            result.append((x0 + (x1 - x0) * i / steps + dx, y0 + (y1 - y0) * i / steps + dy))
    return result


# ---- renderers: each draws one thing on an RGB image or array of `size` pixels --------------------------------------------


def _colour(thing: Thing) -> tuple[int, int, int]:
    return tuple(round(255 * part) for part in thing.rgb)


def _line_width(random: Random, thing: Thing) -> float:
    """Of outlines, in fractions of the side: thin to thick, but a hole stays."""
    return random.uniform(0.02, 0.12 * thing.diameter + 0.01)


def _draw_polygon(draw: ImageDraw.ImageDraw, random: Random, thing: Thing, size: int, stretch: float, waver: float) -> None:
    points = _outline(random, thing)
    if waver > 0:
        points = _wavering(random, points, waver * thing.diameter)
    at = [((thing.x + x * stretch) * size, (thing.y + y / stretch) * size) for x, y in points]
    if thing.filled:
        draw.polygon(at, fill=_colour(thing))
        return
    width = max(1, round(_line_width(random, thing) * size))
    draw.line(at + at[:2], fill=_colour(thing), width=width, joint="curve")


def _draw_strokes(draw: ImageDraw.ImageDraw, random: Random, thing: Thing, size: int, stretch: float) -> None:
    """A digit or letter by hand: a round brush along its strokes."""
    height, width = 0.86 * thing.diameter, random.uniform(0.5, 0.72) * thing.diameter
    slant, angle = random.uniform(-0.2, 0.3), random.gauss(0, 0.07)
    brush = max(1.0, random.uniform(0.08, 0.15) * thing.diameter * size)
    for stroke in random.choice(STROKES[thing.glyph]):
        at = []
        for x, y in stroke:
            x, y = x - 0.5 + random.gauss(0, 0.02), y - 0.5 + random.gauss(0, 0.02)
            x, y = (x - slant * y) * width * stretch, y * height / stretch
            x, y = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
            at.append(((thing.x + x) * size, (thing.y + y) * size))
        draw.line(at, fill=_colour(thing), width=max(1, round(brush)), joint="curve")
        for x, y in (at[0], at[-1]):
            draw.ellipse((x - brush / 2, y - brush / 2, x + brush / 2, y + brush / 2), fill=_colour(thing))


@functools.lru_cache(maxsize=512)
def _glyph_mask(font: int, glyph: str) -> Image.Image:
    left, top, right, bottom = _font(font).getbbox(glyph)
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).text((-left, -top), glyph, fill=255, font=_font(font))
    return mask


def _draw_printed(image: Image.Image, random: Random, thing: Thing, size: int, stretch: float, smooth: bool) -> None:
    mask = _glyph_mask(random.randrange(len(_FONTS) + 1), thing.glyph)
    angle = random.gauss(0, 4)
    if random.random() < 0.5:
        mask = mask.rotate(angle, Image.Resampling.BILINEAR, expand=True)
    # The larger side of a glyph is 0.86 of its diameter.
    scale = 0.86 * thing.diameter * size / max(mask.size)
    width, height = max(2, round(mask.width * scale * stretch)), max(3, round(mask.height * scale / stretch))
    mask = mask.resize((width, height), Image.Resampling.BOX if smooth else Image.Resampling.NEAREST)
    image.paste(_colour(thing), (round(thing.x * size - width / 2), round(thing.y * size - height / 2)), mask)


def _draw_field(pixels: np.ndarray, random: Random, thing: Thing, stretch: float, softness: float) -> None:
    """Blends the thing by its distance field: inside where the signed distance to the outline is negative."""
    size = pixels.shape[0]
    reach = thing.diameter * 0.66
    x0, x1 = max(0, int((thing.x - reach) * size)), min(size, int((thing.x + reach) * size) + 1)
    y0, y1 = max(0, int((thing.y - reach) * size)), min(size, int((thing.y + reach) * size) + 1)
    x = ((np.arange(x0, x1, dtype=np.float32) + 0.5) / size - thing.x) / stretch
    y = ((np.arange(y0, y1, dtype=np.float32) + 0.5) / size - thing.y) * stretch
    distance = _signed_distance(random, thing, x[None, :], y[:, None])
    if not thing.filled:
        width = _line_width(random, thing)
        distance = np.abs(distance + width / 2) - width / 2
    cover = np.clip(0.5 - distance * size / softness, 0, 1)[..., None]
    part = pixels[y0:y1, x0:x1]
    part += cover * (np.array(thing.rgb, np.float32) - part)


def _signed_distance(random: Random, thing: Thing, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if thing.kind == "circle":
        return np.hypot(x, y) - thing.diameter / 2
    points = np.array(_outline(random, thing), np.float32)
    nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
    inside = np.zeros(nearest.shape, bool)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0)):
        ex, ey, px, py = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (px - along * ex) ** 2 + (py - along * ey) ** 2)
        if ay != by:
            crossing = ((ay > y) != (by > y)) & (x < (y - ay) * ex / ey + ax)
            inside ^= crossing
    distance = np.sqrt(nearest)
    return np.where(inside, -distance, distance)


# ---- pictures --------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def _noise_tile() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1024, 1024, 3), np.float32)


def _ground(random: Random, scene: Scene, size: int) -> np.ndarray:
    first = np.array(scene.background[0], np.float32)
    if len(scene.background) == 1:
        ground = np.broadcast_to(first, (size, size, 3)).copy()
    else:
        angle = random.uniform(0, 2 * math.pi)
        axis = np.linspace(-0.5, 0.5, size, dtype=np.float32)
        ramp = np.clip(axis[None, :] * math.cos(angle) + axis[:, None] * math.sin(angle) + 0.5, 0, 1)[..., None]
        ground = first + ramp * (np.array(scene.background[1], np.float32) - first)
    if scene.noise > 0:
        coarse = random.choice((1, 1, 2, 4))
        need = -(-size // coarse)
        x, y = random.randrange(1024 - need), random.randrange(1024 - need)
        tile = _noise_tile()[y : y + need, x : x + need]
        if random.random() < 0.5:
            tile = tile[..., :1]
        tile = tile.repeat(coarse, 0).repeat(coarse, 1)[:size, :size]
        ground = ground + scene.noise * tile
    return ground


def _to_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))


def render(scene: Scene, size: int) -> Image.Image:
    """The scene as a picture of size x size pixels, by the renderer its style names."""
    random = Random(scene.style)
    renderer = random.choices(("polygons", "fields", "brush"), (0.5, 0.2, 0.3))[0]
    stretch = random.uniform(0.86, 1.16) if random.random() < 0.4 else 1.0
    over = 1 if renderer == "fields" else random.choice((1, 2, 2))
    waver = random.uniform(0.01, 0.022) if renderer == "brush" else 0.0
    canvas = _ground(random, scene, size * over)
    if renderer == "fields":
        for index, thing in enumerate(scene.things):
            if not thing.glyph:
                _draw_field(canvas, Random(scene.style + index), thing, stretch, random.choice((1.0, 1.5, 2.5)))
    image = _to_image(canvas)
    draw = ImageDraw.Draw(image)
    for index, thing in enumerate(scene.things):
        own = Random(scene.style + 1 + index)  # of the thing's own, so that it looks the same in every frame of a film
        if thing.glyph:
            if renderer == "brush" or own.random() < 0.2:
                _draw_strokes(draw, own, thing, size * over, stretch)
            else:
                _draw_printed(image, own, thing, size * over, stretch, renderer == "fields" or over > 1)
        elif renderer != "fields":
            _draw_polygon(draw, own, thing, size * over, stretch, waver)
    return image if over == 1 else image.resize((size, size), Image.Resampling.BOX)


def _jpeg(random: Random, image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=random.randrange(65, 96), subsampling=random.choice((0, 2)))
    return Image.open(file).convert("RGB")


def photograph(scene: Scene, side: int | None = None) -> Image.Image:
    """A picture as users have it: drawn at some size, perhaps blurred, rescaled and JPEG-compressed."""
    random = Random(scene.style ^ 0x5EED)
    image = render(scene, side or random.choice((112, 128, 150, 168, 200, 224, 224, 280)))
    if random.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 0.9) * image.width / 200))
    if random.random() < 0.25:
        other = random.randrange(110, 300)
        image = image.resize((other, other), random.choice((Image.Resampling.BILINEAR, Image.Resampling.LANCZOS)))
    return _jpeg(random, image) if random.random() < 0.6 else image


def frames(film: Film, count: int, side: int = 144) -> list[Image.Image]:
    """The middles of `count` equal parts of the film, each compressed by itself."""
    random = Random(film.scene.style ^ 0xF11)
    pictures = [render(film.frame((i + 0.5) / count), side) for i in range(count)]
    if random.random() < 0.7:
        quality = random.randrange(65, 96)
        pictures = [_recompress(picture, quality) for picture in pictures]
    return pictures


def _recompress(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")
