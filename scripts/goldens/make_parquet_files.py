"""Parquet files as other programs write them, for java/evaluate's ParquetFileTest, which computes the same rows.

    pip install pyarrow && python scripts/goldens/make_parquet_files.py FOLDER [ROWS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
SCHEMA = pa.schema([("id", pa.string()), ("question", pa.string()), ("number", pa.int64()), ("real", pa.float64()),
                    ("choices", pa.list_(pa.string())), ("image", PICTURE),
                    ("metadata", pa.struct([("skills", pa.list_(pa.string())), ("height", pa.int32())]))])
SMALL = dict(row_group_size=16, data_page_size=64, write_batch_size=4)


def row(i: int) -> dict:
    picture = {"bytes": f"picture {i}".encode(), "path": None if i % 2 else f"{i}.png"}
    return {"id": f"r{i}", "question": f"q{i % 5} é", "number": i, "real": i / 3 if i % 3 else None,
            "choices": None if i % 7 == 0 else [f"c{j}" for j in range(i % 4)],
            "image": None if i % 11 == 0 else picture,
            "metadata": {"skills": ["a", "b"][: i % 3], "height": i % 9}}


def main() -> None:
    folder, rows = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([row(i) for i in range(rows)], schema=SCHEMA)
    for codec, version, dictionary in (("snappy", "1.0", True), ("snappy", "2.0", False), ("zstd", "2.0", True),
                                       ("gzip", "1.0", False), ("lz4", "2.0", True), ("none", "2.0", False)):
        name = f"{codec}-{version}-{'dictionary' if dictionary else 'plain'}.parquet"
        pq.write_table(table, folder / name, compression=codec, data_page_version=version, use_dictionary=dictionary, **SMALL)
    deltas = {"id": "DELTA_BYTE_ARRAY", "question": "DELTA_LENGTH_BYTE_ARRAY", "number": "DELTA_BINARY_PACKED",
              "real": "BYTE_STREAM_SPLIT"}
    pq.write_table(table, folder / "deltas.parquet", compression="zstd", use_dictionary=False, column_encoding=deltas)
    pq.write_table(table.slice(0, 3), folder / "brotli.parquet", compression="brotli")


if __name__ == "__main__":
    main()
