"""Makes a small folder for test-data from the full record of a checkpoint and what the original computes on it.

usage: python3 trim_oracle.py FULL_FOLDER TRIMMED_FOLDER      (NumPy)

The tests read both kinds of folder. Copied as they are: weights, configuration, tokenizer, expected.json. Trimmed:

images/: those that a dialog of expected.json shows.
pixel_values.safetensors: of those pictures, without loss. A picture's values stand as bytes (U8), its tensor `levels` (3, 256)
    in f32 holds what a byte of each channel stands for. (A full one holds the values themselves, and no `levels`.)
activations.safetensors: of the dialog that is compared step by step (images-separate.0), ROWS rows of each tensor: row i is the
    full one's row i * (rows - 1) // (ROWS - 1). Of every dialog's greedy_logits the rows behind the first TOKENS tokens.
"""
import argparse
import json
import os
import shutil
import struct

import numpy as np

COMPARED = "images-separate.0/"
ROWS = 8
TOKENS = 4


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    header.pop("__metadata__", None)
    assert all(entry["dtype"] == "F32" for entry in header.values()), path
    return {name: np.frombuffer(data[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
            for name, entry in header.items()}


def write(path, tensors):
    """Those of four bytes a number first, which keeps all of them aligned."""
    names = {np.dtype(np.float32): "F32", np.dtype(np.uint8): "U8"}
    header, parts, at = {}, [], 0
    for name, values in sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0])):
        parts.append(np.ascontiguousarray(values).tobytes())
        header[name] = {"dtype": names[values.dtype], "shape": list(values.shape), "data_offsets": [at, at + len(parts[-1])]}
        at += len(parts[-1])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def packed(pictures):
    """The pictures (tiles, 3, S, S) as bytes, and the values (3, 256) that they stand for."""
    levels = np.zeros((3, 256), np.float32)
    out = {name: np.empty(values.shape, np.uint8) for name, values in pictures.items()}
    for channel in range(3):
        found = np.unique(np.concatenate([values[:, channel].ravel() for values in pictures.values()]))
        levels[channel, :len(found)] = found
        for name, values in pictures.items():
            out[name][:, channel] = np.searchsorted(found, values[:, channel])
            assert np.array_equal(found[out[name][:, channel]], values[:, channel]), name
    return {**out, "levels": levels}


def trimmed(name, values):
    rows = values.reshape(-1, values.shape[-1])
    if name.endswith("/greedy_logits"):
        return rows[:TOKENS]
    kept = min(ROWS, len(rows))
    return rows[[i * (len(rows) - 1) // max(kept - 1, 1) for i in range(kept)]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("full")
    parser.add_argument("trimmed")
    options = parser.parse_args()

    def full(name):
        return os.path.join(options.full, name)

    def small(name):
        return os.path.join(options.trimmed, name)

    with open(full("expected.json")) as file:
        shown = {picture for dialog in json.load(file)["dialogs"] for picture in dialog["images"]}
    os.makedirs(small("images"))
    for picture in sorted(shown):
        shutil.copyfile(full(f"images/{picture}"), small(f"images/{picture}"))
    for file in os.listdir(options.full):
        if os.path.isfile(full(file)) and file not in ("pixel_values.safetensors", "activations.safetensors"):
            shutil.copyfile(full(file), small(file))
    pixels = read(full("pixel_values.safetensors"))
    write(small("pixel_values.safetensors"), packed({name: pixels[name] for name in shown}))
    activations = read(full("activations.safetensors"))
    write(small("activations.safetensors"), {name: trimmed(name, values) for name, values in activations.items()
                                             if name.startswith(COMPARED) or name.endswith("/greedy_logits")})


if __name__ == "__main__":
    main()
