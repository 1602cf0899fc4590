"""The hostile corpus. ``python tests/hostile/corpus.py FOLDER [WORD…]`` makes the files whose names hold all words."""

from __future__ import annotations

import re
import sys
from pathlib import Path

# Each of these adds its cases when it is imported.
import corpus_hdf5  # noqa: F401
import corpus_loops  # noqa: F401
import corpus_npz  # noqa: F401
import corpus_other  # noqa: F401
import corpus_sizes  # noqa: F401
import corpus_text  # noqa: F401
import corpus_zip  # noqa: F401
from cases import CASES, Place, make_secrets


def main(folder: Path, words: list[str]) -> None:
    secrets = make_secrets(folder / "secrets")
    for name, case in CASES.items():
        if all(word in name for word in words):
            home = folder / re.sub(r"[^\w.]+", "-", name)
            home.mkdir()
            print(f"{name}: {str(case.make(Place(home, secrets)))!r}")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    main(target, sys.argv[2:])
