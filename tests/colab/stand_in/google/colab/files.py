"""What somebody would pick in the browser: each call takes the next folder under `COLAB_UPLOADS`."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

_calls = itertools.count()


def upload() -> dict[str, bytes]:
    """Put files into the current folder, and give them by name."""
    folder = sorted(Path(os.environ["COLAB_UPLOADS"]).iterdir())[next(_calls)]
    picked = sorted(folder.iterdir())
    for path in picked:
        shutil.copy(path, path.name)
    return {path.name: path.read_bytes() for path in picked}
