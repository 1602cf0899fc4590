"""Build the sdist and the wheel, check what the wheel holds, and import each one from an empty folder."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
NAME = "weight_widgets"
# The public names are loaded lazily, so each one is asked for.
IMPORT = "import weight_widgets as ww; [getattr(ww, name) for name in ww.__all__]; print(ww.__version__)"


def main() -> None:
    with TemporaryDirectory(prefix="weight-widgets-") as folder:
        built = Path(folder) / "dist"
        # As `build` does it, the wheel comes from the sdist: what the sdist lacks, the wheel lacks too.
        subprocess.run([sys.executable, "-m", "build", "--outdir", built, ROOT], check=True, stdout=subprocess.DEVNULL)
        (wheel,) = built.glob("*.whl")
        (sdist,) = built.glob("*.tar.gz")
        check_content(wheel)
        version = wheel.name.split("-")[1]
        for package in (wheel, sdist):
            imported = import_from_empty_folder(package, Path(folder) / package.suffix.lstrip("."))
            if imported != version:
                sys.exit(f"{package.name} says that it is version {imported}, not {version}")
            print(f"{package.name}: {package.stat().st_size // 1024} KB, installs and imports")


def check_content(wheel: Path) -> None:
    """The wheel holds every file of the package in the checkout, and nothing else but its metadata."""
    wanted = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / NAME).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    if held != wanted:
        sys.exit(f"{wheel.name} lacks {sorted(wanted - held)} and should not hold {sorted(held - wanted)}")


def import_from_empty_folder(package: Path, folder: Path) -> str:
    environment = folder / "venv"
    empty = folder / "empty"
    empty.mkdir(parents=True)
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True, cwd=empty)
    return subprocess.run([python, "-c", IMPORT], check=True, cwd=empty, text=True, capture_output=True).stdout.strip()


if __name__ == "__main__":
    main()
