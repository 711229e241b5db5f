"""Makes java/core/src/test/resources/image: small picture files and what Pillow reads from them.

usage: python3 make_image_goldens.py OUTPUT_FOLDER      (Pillow 12.3.0 and NumPy; cjpeg of libjpeg-turbo)

goldens.tsv: file, width, height and SHA-256 of the bytes of Image.open(file).convert("RGB"), then the same three of
ImageOps.exif_transpose of it. resize.tsv: width, height, new width, new height and SHA-256 of Image.resize's bytes, with its
default filter, and resize-bilinear.tsv with the other; for the picture whose byte i is the third byte of
1103515245 * (i + 97 * width + height) + 12345 modulo 2^32.
"""
import hashlib
import os
import random
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(2026)
random.seed(2026)


def path(name):
    return os.path.join(out, name)


def picture(width, height, channels=3):
    """Half smooth, half noise."""
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([(x * (3 + k) + y * (5 - k)) % 256 for k in range(channels)], -1)
    noise = rng.integers(0, 256, (height, width, channels))
    return np.where((x > width // 2)[..., None], noise, smooth).astype(np.uint8)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(name, width, height, depth, kind, interlaced, palette=None):
    """A PNG of any colour type and depth, every row with another filter."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    values = rng.integers(0, 1 << depth, (height, width, channels))
    distance = max(1, channels * depth // 8)
    raw = bytearray()
    for x0, y0, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        rows = values[y0::dy, x0::dx]
        if rows.size == 0:
            continue
        above = None
        for number, row in enumerate(rows):
            flat = row.reshape(-1)
            if depth == 16:
                line = flat.astype(">u2").tobytes()
            elif depth == 8:
                line = flat.astype(np.uint8).tobytes()
            else:
                bits = np.unpackbits(flat.astype(np.uint8)[:, None], axis=1)[:, 8 - depth:]
                line = np.packbits(bits.reshape(-1)).tobytes()
            above = above or bytes(len(line))
            raw.append(number % 5)
            for i, value in enumerate(line):
                left = line[i - distance] if i >= distance else 0
                corner = above[i - distance] if i >= distance else 0
                estimate = left + above[i] - corner
                nearest = min((left, above[i], corner), key=lambda v: abs(estimate - v))
                raw.append((value - [0, left, above[i], (left + above[i]) // 2, nearest][number % 5]) & 255)
            above = line
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
    if palette is not None:
        data += chunk(b"PLTE", palette) + chunk(b"tRNS", bytes([0, 128, 255]))
    packed = zlib.compress(bytes(raw))
    for i in range(0, len(packed), 100):
        data += chunk(b"IDAT", packed[i:i + 100])
    open(path(name), "wb").write(data + chunk(b"IEND", b""))


def bmp(name, width, height, bits, palette=b"", compression=0, masks=b"", top_down=False, os2=False, data=None):
    stride = (width * bits + 31) // 32 * 4
    data = rng.bytes(stride * height) if data is None else data
    if os2:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIiiII", 40, width, -height if top_down else height, 1, bits, compression,
                             len(data), 2835, 2835, 0, 0) + masks
    offset = 14 + len(header) + len(palette)
    open(path(name), "wb").write(b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + palette + data)


def colors(count, entry=3):
    return bytes(rng.integers(0, 256, entry * count, dtype=np.uint8))


# JPEG: subsamplings, progressive, restarts, gray, RGB, CMYK, YCCK, no JFIF marker
Image.fromarray(picture(37, 29)).save("/tmp/golden.ppm")
for sampling in ["1x1", "2x1", "1x2", "2x2", "4x1"]:
    subprocess.run(["cjpeg", "-quality", "80", "-sample", sampling, "-outfile", path(f"ycc-{sampling}.jpg"),
                    "/tmp/golden.ppm"], check=True)
subprocess.run(["cjpeg", "-quality", "80", "-progressive", "-outfile", path("progressive.jpg"), "/tmp/golden.ppm"],
               check=True)
subprocess.run(["cjpeg", "-quality", "80", "-restart", "1", "-outfile", path("restart.jpg"), "/tmp/golden.ppm"],
               check=True)
subprocess.run(["cjpeg", "-rgb", "-quality", "80", "-outfile", path("rgb.jpg"), "/tmp/golden.ppm"], check=True)
Image.fromarray(picture(31, 23)[..., 0]).save(path("gray.jpg"))
cmyk = Image.fromarray(picture(33, 21, 4), "CMYK")
cmyk.save(path("cmyk.jpg"), quality=90)
stored = open(path("cmyk.jpg"), "rb").read()
at = stored.index(b"Adobe")
open(path("ycck.jpg"), "wb").write(stored[:at + 11] + b"\x02" + stored[at + 12:])
stored = open(path("ycc-1x1.jpg"), "rb").read()
open(path("no-jfif.jpg"), "wb").write(stored[:2] + stored[20:])

# PNG: every colour type and depth, both interlacings
for kind, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
    for depth in depths:
        for interlaced in (0, 1):
            few = colors(max(2, (1 << depth) - 2)) if kind == 3 else None
            png(f"type{kind}-{depth}{'-adam7' if interlaced else ''}.png", 13, 11, depth, kind, interlaced, few)
png("one-pixel.png", 1, 1, 8, 2, 0)
Image.fromarray(np.zeros((10, 30000), np.uint8) + (np.arange(30000) % 251).astype(np.uint8)).save(path("wide.png"))

# GIF, BMP, WebP
palette = Image.fromarray(picture(40, 30)).quantize(64)
palette.save(path("plain.gif"))
palette.save(path("interlaced.gif"), interlace=True)
palette.save(path("transparent.gif"), transparency=3)
Image.fromarray(picture(20, 20)[..., 0]).save(path("gray.gif"))
palette.save(path("animated.gif"), save_all=True, append_images=[palette.rotate(90)])
plain = open(path("plain.gif"), "rb").read()
descriptor = plain.index(b",", 13 + 3 * 64)
open(path("offset.gif"), "wb").write(plain[:6] + struct.pack("<HH", 50, 45) + plain[10:descriptor + 1]
                                     + struct.pack("<HH", 7, 5) + plain[descriptor + 5:])
for bits in (1, 4, 8):
    bmp(f"index{bits}.bmp", 19, 7, bits, colors(1 << bits, 4))
    bmp(f"index{bits}-os2.bmp", 19, 7, bits, colors(1 << bits, 3), os2=True)
for bits in (16, 24, 32):
    bmp(f"direct{bits}.bmp", 19, 7, bits, top_down=bits == 24)
bmp("565.bmp", 19, 7, 16, compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
bmp("xbgr.bmp", 19, 7, 32, compression=3, masks=struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00))
runs = b"".join(b"\x05" + bytes([i]) + b"\x00\x06abcdef" + b"\x08\x20\x00\x00" for i in range(7)) + b"\x00\x01"
bmp("rle8.bmp", 19, 7, 8, colors(256, 4), compression=1, data=runs)
runs = b"".join(b"\x05" + bytes([i * 16 + 3]) + b"\x00\x04ab" + b"\x0a\x21\x00\x00" for i in range(7)) + b"\x00\x01"
bmp("rle4.bmp", 19, 7, 4, colors(16, 4), compression=2, data=runs)
Image.fromarray(picture(41, 33)).save(path("lossy.webp"), quality=60)
Image.fromarray(picture(21, 13)).save(path("lossless.webp"), lossless=True)
Image.fromarray(picture(41, 33, 4)).save(path("lossy-alpha.webp"), quality=60)
Image.fromarray(picture(21, 13, 4)).save(path("lossless-alpha.webp"), lossless=True, exact=True)
frames = [Image.fromarray(picture(30, 20, 4)) for _ in range(2)]
frames[0].save(path("animated.webp"), save_all=True, append_images=frames[1:], quality=60)

# orientations
small = Image.fromarray(picture(7, 5))
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    small.save(path(f"orientation{orientation}.jpg"), exif=exif, quality=90)
exif = Image.Exif()
exif[0x0112] = 6
small.save(path("orientation6.png"), exif=exif)
small.save(path("orientation6.webp"), exif=exif, lossless=True)


def digest(image):
    return f"{image.width}\t{image.height}\t{hashlib.sha256(image.tobytes()).hexdigest()}"


with open(path("goldens.tsv"), "w") as table:
    for name in sorted(os.listdir(out)):
        if not name.endswith(".tsv"):
            image = Image.open(path(name))
            upright = ImageOps.exif_transpose(image).convert("RGB")
            table.write(f"{name}\t{digest(image.convert('RGB'))}\t{digest(upright)}\n")

def write_resized(name, sizes, resample):
    with open(path(name), "w") as table:
        for width, height, new_width, new_height in sizes:
            i = np.arange(3 * width * height, dtype=np.uint32) + np.uint32(97 * width + height)
            values = ((np.uint32(1103515245) * i + np.uint32(12345)) >> np.uint32(16)).astype(np.uint8)
            resized = Image.fromarray(values.reshape(height, width, 3)).resize((new_width, new_height), resample)
            table.write(
                f"{width}\t{height}\t{new_width}\t{new_height}\t{hashlib.sha256(resized.tobytes()).hexdigest()}\n")


SIZES = [
    (1, 1, 56, 56), (1, 300, 56, 56), (3, 301, 56, 40), (4, 400, 40, 40), (300, 1, 56, 56), (56, 90, 56, 56),
    (90, 56, 56, 56), (56, 56, 56, 56), (2, 2, 1, 1), (997, 613, 448, 448), (200, 150, 448, 448)]
SIZES += [tuple(random.randrange(1, 200) for _ in range(4)) for _ in range(60)]
write_resized("resize.tsv", SIZES, None)
write_resized("resize-bilinear.tsv", SIZES + [(151, 97, 302, 194), (448, 301, 896, 602)], Image.Resampling.BILINEAR)
