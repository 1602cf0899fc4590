"""Run a notebook in JupyterLab and write pictures of it, light and dark, at several widths.

.venv/bin/python scripts/screenshot.py examples/compare.ipynb --out pictures --selector .weight-widgets
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))

from lab import THEMES, open_lab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--out", type=Path, default=Path("screenshots"), help="folder for NAME-THEME-WIDTH.png")
    parser.add_argument("--widths", type=int, nargs="+", default=[1360, 700], help="of the page, in CSS pixels")
    parser.add_argument("--selector", help="picture the first element that matches this CSS selector, not the page")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    with TemporaryDirectory(prefix="weight-widgets-") as folder, open_lab(Path(folder)) as lab:
        lab.open_notebook(arguments.notebook)
        lab.run_all()
        for theme in THEMES:
            lab.set_theme(theme)
            for width in arguments.widths:
                lab.fit_viewport(width)
                picture = arguments.out / f"{arguments.notebook.stem}-{theme}-{width}.png"
                lab.screenshot(picture, arguments.selector)
                print(picture)
        for error in lab.errors:
            print(f"console: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
