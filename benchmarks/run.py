"""How near the goals of speed are, as ratios to a floor and to peers that ran in turn with ours: `make bench`.

Milliseconds depend on the machine and on what else it does; a ratio of two that ran in turn much less so.

    python benchmarks/run.py                    all rows; takes some minutes and some gigabytes in the temporary folder
    python benchmarks/run.py --only pick        one row, or several
    python benchmarks/run.py --smoke            seconds, small files: does it run at all? The ratios mean nothing
    python benchmarks/run.py --growth FOLDER    plots of how times grow with size, layers and models
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from explorers import browser, memory, opening, scroll, wire
from goals import FULL, ROWS, SMOKE, Bench
from peers import absent
from rows import HEAD, NOISE, Race, lines_of_race

ALL = {**ROWS, "memory": memory, "wire": wire, "scroll": scroll, "opening": opening, "browser": browser}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="small files and two repeats")
    parser.add_argument("--only", nargs="+", choices=ALL, default=[*ALL], metavar="ROW", help=", ".join(ALL))
    parser.add_argument("--growth", type=Path, metavar="FOLDER", help="plot growth into this folder instead")
    given = parser.parse_args()
    size = SMOKE if given.smoke else FULL
    with TemporaryDirectory(prefix="weight-widgets-bench-") as folder:
        # What is kept of files of this run is nobody else's business.
        os.environ["WEIGHT_WIDGETS_CACHE"] = str(Path(folder, "cache"))
        bench = Bench(Path(folder), size)
        if given.growth:
            from growth import plot_growth

            plot_growth(bench, given.growth, given.smoke)
        else:
            print_table(bench, given.only)


def print_table(bench: Bench, names: list[str]) -> None:
    started = time.monotonic()
    print(f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, files in the page cache.")
    print(
        f"Median of at most {bench.size.repeats} rounds, and of the ratios of their pairs; in brackets the ratio of the"
    )
    print(f"shortest times. ✓ meets the goal, ✓ within {NOISE} × could be noise, ✗ misses it.\n")
    print(HEAD, flush=True)
    for name in names:
        for found in ALL[name](bench):
            lines = lines_of_race(found, bench.size.repeats) if isinstance(found, Race) else [found.line]
            print(*lines, sep="\n", flush=True)
    if absent:
        print(f"\nNot here, so not measured: {', '.join(absent)}.")
    print(f"\nTook {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()
