"""Makes java/core/src/test/resources/video: frame numbers as the model card computes them, and two small films.

usage: python3 make_video_goldens.py OUTPUT_FOLDER      (NumPy; PyAV with libx264 and libx265)

frame-sampling.tsv: start and end in seconds (or - for the whole film), frames a second, last frame, first frame, number
of segments, and the card's get_index of them, separated by commas. The films have 48 frames, B-frames and open groups of
pictures; frame i shows the bits of i, lowest first, as white blocks of 8x8 pixels in a row at (4 + 8 * bit, 4).
"""
import os
import random
import sys

import av
import numpy as np

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
random.seed(2026)


def get_index(bound, fps, max_frame, first_idx=0, num_segments=32):
    """As in the model card."""
    if bound:
        start, end = bound[0], bound[1]
    else:
        start, end = -100000, 100000
    start_idx = max(first_idx, round(start * fps))
    end_idx = min(round(end * fps), max_frame)
    seg_size = float(end_idx - start_idx) / num_segments
    return np.array([int(start_idx + (seg_size / 2) + np.round(seg_size * idx)) for idx in range(num_segments)])


with open(os.path.join(out, "frame-sampling.tsv"), "w") as table:
    for case in range(400):
        fps = random.choice([25.0, 30.0, 24.0, 1.0, 0.5, 2.5, 30000 / 1001, 24000 / 1001, 60.0, random.uniform(0.1, 120)])
        last = random.choice([0, 1, 2, 3, 7, 10, 99, 299, 1000, 123456, random.randrange(5000)])
        segments = random.choice([1, 2, 3, 4, 5, 7, 8, 16, 17, 32])
        first = random.choice([0, 0, 0, 3])
        bound = None
        if case % 3:
            start = random.choice([0, 0.5, 1.5, 2.5, -3.0, random.uniform(0, 20)])
            bound = [start, start + random.choice([0.5, 1, 2.5, 10, 100000, random.uniform(0, 30)])]
        indices = get_index(bound, fps, last, first, segments)
        times = "-\t-" if bound is None else f"{float(bound[0])!r}\t{float(bound[1])!r}"
        table.write(f"{times}\t{fps!r}\t{last}\t{first}\t{segments}\t{','.join(map(str, indices))}\n")


def film(name, codec, options):
    container = av.open(os.path.join(out, name), "w")
    stream = container.add_stream(codec, rate=25, options=options)
    stream.width, stream.height, stream.pix_fmt = 80, 16, "yuv420p"
    for i in range(48):
        pixels = np.zeros((16, 80, 3), np.uint8)
        for bit in range(8):
            pixels[4:12, 4 + 8 * bit:12 + 8 * bit] = 255 * (i >> bit & 1)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = i
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
    container.close()


film("h264-bframes.mp4", "libx264", {"x264-params": "keyint=12:bframes=3:b-pyramid=2", "crf": "25"})
film("hevc-open-gop.mkv", "libx265", {"x265-params": "keyint=10:bframes=4:open-gop=1:log-level=none", "crf": "25"})
