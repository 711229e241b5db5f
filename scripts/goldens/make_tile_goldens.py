"""Makes tiles.tsv and resize-torchvision.tsv in java/core/src/test/resources/image.

usage: python3 make_tile_goldens.py OUTPUT_FOLDER      (PyTorch 2.13 and NumPy)

tiles.tsv: width, height, tile size, least and most tiles, then columns and rows by the original's dynamic_preprocess,
with its grids in the order of transformers. resize-torchvision.tsv: as resize.tsv of make_image_goldens.py, by the
function that torchvision's resize calls for 8-bit tensors.
"""
import hashlib
import os
import random
import sys

import numpy as np
import torch

out = sys.argv[1]
random.seed(2026)


def closest(width, height, size, least, most):
    """find_closest_aspect_ratio over the grids of dynamic_preprocess."""
    grids = sorted({(i, j) for n in range(least, most + 1) for i in range(1, n + 1) for j in range(1, n + 1)
                    if least <= i * j <= most}, key=lambda grid: (grid[0] * grid[1], grid[0]))
    best_difference, best = float("inf"), (1, 1)
    for grid in grids:
        difference = abs(width / height - grid[0] / grid[1])
        if difference < best_difference:
            best_difference, best = difference, grid
        elif difference == best_difference and width * height > 0.5 * size * size * grid[0] * grid[1]:
            best = grid
    return best


with open(os.path.join(out, "tiles.tsv"), "w") as table:
    cases = [(448, 448, 448), (449, 449, 448), (633, 633, 448), (634, 634, 448), (640, 640, 448), (800, 800, 448),
             (800, 300, 56), (300, 800, 56), (1500, 1000, 84), (50, 40, 448), (1, 30000, 448), (30000, 1, 448),
             (1, 1, 448), (65535, 65535, 448), (4000, 3000, 448)]
    cases = [case + limits for case in cases for limits in [(1, 12), (1, 1), (1, 6)]]
    cases += [(5, 4, 448, 2, 2), (500, 400, 448, 2, 2), (1, 1, 8, 3, 7), (100, 100, 8, 3, 7)]
    # Ties: shapes that lie between two grids or on one, around the area that decides.
    for _ in range(150):
        size, most = random.choice([56, 84, 448]), random.choice([2, 4, 6, 12, 24, 40])
        i, j = random.randint(1, 6), random.randint(1, 6)
        side = int((0.5 * size * size * random.randint(1, most) / (i * j)) ** 0.5) + random.choice([0, 1])
        cases.append((max(1, i * side), max(1, j * side), size, random.choice([1, 1, 1, 2]), most))
    for _ in range(150):
        most = random.randint(1, 40)
        width, height = (int(10 ** random.uniform(0, 4.5)) for _ in range(2))
        cases.append((width, height, random.choice([56, 448]), random.randint(1, min(3, most)), most))
    for case in cases:
        table.write("\t".join(map(str, case + closest(*case))) + "\n")

with open(os.path.join(out, "resize-torchvision.tsv"), "w") as table:
    sizes = [(1, 1, 56, 56), (1, 300, 56, 56), (3, 301, 56, 40), (4, 400, 40, 40), (300, 1, 56, 56), (56, 90, 56, 56),
             (90, 56, 56, 56), (56, 56, 56, 56), (2, 2, 1, 2), (997, 613, 448, 448), (640, 200, 1344, 448)]
    sizes += [tuple(random.randrange(2, 200) for _ in range(4)) for _ in range(int(os.environ.get("SIZES", 80)))]
    for width, height, new_width, new_height in sizes:
        i = np.arange(3 * width * height, dtype=np.uint32) + np.uint32(97 * width + height)
        values = ((np.uint32(1103515245) * i + np.uint32(12345)) >> np.uint32(16)).astype(np.uint8)
        tensor = torch.from_numpy(values.reshape(1, height, width, 3)).permute(0, 3, 1, 2).contiguous()
        resized = torch.nn.functional.interpolate(
            tensor, (new_height, new_width), mode="bicubic", align_corners=False, antialias=True)
        digest = hashlib.sha256(resized[0].permute(1, 2, 0).contiguous().numpy().tobytes()).hexdigest()
        table.write(f"{width}\t{height}\t{new_width}\t{new_height}\t{digest}\n")
