"""Prints the share of lines that were run, for each folder of native/src: gcov_table.py ROOT BUILD, after the tests were run there."""

import collections
import json
import os
import subprocess
import sys


def counts(build):
    """Yields (source, line, times run) of every object that wrote counts."""
    data = [os.path.join(folder, name) for folder, _, names in os.walk(build) for name in names if name.endswith(".gcda")]
    for file in data:
        out = subprocess.run(["gcov", "--stdout", "--json-format", file], cwd=build, capture_output=True, check=True).stdout
        for line in out.splitlines():
            for source in json.loads(line)["files"]:
                for counted in source["lines"]:
                    yield os.path.realpath(os.path.join(build, source["file"])), counted["line_number"], counted["count"]


def main():
    root, build = (os.path.realpath(path) for path in sys.argv[1:])
    sources = os.path.join(root, "native", "src") + os.sep
    run = collections.defaultdict(bool)
    for source, line, times in counts(build):
        if not source.startswith(sources):  # -ffile-prefix-map writes paths from the root
            source = os.path.join(root, os.path.relpath(source, build))
        if source.startswith(sources):
            run[source, line] |= times > 0
    folders = collections.defaultdict(lambda: [0, 0])
    for (source, _), was_run in run.items():
        for folder in (os.path.relpath(os.path.dirname(source), root), "native/src"):
            folders[folder][0] += was_run
            folders[folder][1] += 1
    for folder, (lines_run, lines) in sorted(folders.items()):
        indent = "" if folder == "native/src" else "  "
        print(f"{indent + folder:46} {100 * lines_run / lines:5.1f}% of {lines} lines")


main()
