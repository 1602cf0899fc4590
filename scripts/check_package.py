"""Build the sdist and from it the wheel, check what both hold, and install and test them away from the checkout.

The same once more from git, as `pip install git+https://…` does it, without Node.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
NAME = "weight_widgets"
# The public names are loaded lazily, so each one is asked for.
IMPORT = "import weight_widgets as ww; [getattr(ww, name) for name in ww.__all__]; print(ww.__version__)"
# Besides, a wheel has its metadata. No tests, no sources of JavaScript, no maps.
HELD = re.compile(rf"{NAME}/(([a-z0-9_]+/)*[a-z0-9_]+\.py|py\.typed|static/[a-z_]+\.(js|css)|models/[a-z_]+\.h5)")
METADATA = {"METADATA", "RECORD", "WHEEL", "top_level.txt", "licenses/LICENSE"}
# A file of Keras' is read, measured, tabled and shown, and the child process that lists HDF5 starts.
SMOKE = [f"tests/test_{name}.py" for name in ("display", "hdf5_service", "shown", "sources", "tables")]


def main() -> None:
    with TemporaryDirectory(prefix="weight-widgets-") as name:
        folder = Path(name)
        # As `build` does it, the wheel comes from the sdist: what the sdist lacks, the wheel lacks too.
        build = [sys.executable, "-m", "build", "--outdir", folder / "dist", ROOT]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = (folder / "dist").glob("*.whl")
        (sdist,) = (folder / "dist").glob("*.tar.gz")
        check_content(wheel)
        environment, empty = folder / "venv", folder / "empty"
        empty.mkdir()
        venv.create(environment, with_pip=True)
        version = wheel.name.split("-")[1]
        packages = {wheel.name: f"{wheel}[legs]", sdist.name: str(sdist)}
        if (ROOT / ".git").exists():
            packages["git"] = f"git+file://{ROOT}"
        for said, package in packages.items():
            imported = installed(environment, package, empty, once=package.endswith("]"))
            if imported != version:
                sys.exit(f"{said} says that it is version {imported}, not {version}")
            print(f"{said}: installs without Node and imports", flush=True)
        installed(environment, str(wheel), empty, once=False)
        test(environment, sdist, empty)


def check_content(wheel: Path) -> None:
    """The wheel holds every file of the package in the checkout, and nothing else but its metadata."""
    wanted = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / NAME).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    metadata = {name.partition(".dist-info/")[2] for name in names if ".dist-info/" in name}
    held = {name for name in names if ".dist-info/" not in name}
    if held != wanted:
        sys.exit(f"{wheel.name} lacks {sorted(wanted - held)} and should not hold {sorted(held - wanted)}")
    odd = {name for name in held if not HELD.fullmatch(name)} | (metadata ^ METADATA)
    if odd:
        sys.exit(f"{wheel.name}: what is {sorted(odd)} there for, or why is it missing?")
    print(f"{wheel.name}: {len(held)} files, {wheel.stat().st_size // 1024} KB", flush=True)


def installed(environment: Path, package: str, empty: Path, once: bool) -> str:
    """Install it, with all that it needs at first, and import every public name; the version that it says it is."""
    python = environment / "bin" / "python"
    again = [] if once else ["--force-reinstall", "--no-deps"]
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *again, package]
    subprocess.run(command, check=True, cwd=empty, env=without_node(empty.parent))
    return subprocess.run([python, "-c", IMPORT], check=True, cwd=empty, text=True, capture_output=True).stdout.strip()


def without_node(folder: Path) -> dict[str, str]:
    """This environment with git as the only program that can be found."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    git = shutil.which("git")
    if git and not (programs / "git").exists():
        (programs / "git").symlink_to(git)
    return {**os.environ, "PATH": str(programs)}


def test(environment: Path, sdist: Path, empty: Path) -> None:
    """Some of the tests that the sdist brings, in a folder that holds nothing else."""
    with tarfile.open(sdist) as archive:
        wanted = [member for member in archive if re.match(r"[^/]+/(tests|scripts|examples|pyproject)", member.name)]
        archive.extractall(empty, wanted, filter="data")
    (unpacked,) = empty.iterdir()
    pytest = [environment / "bin" / "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *SMOKE]
    subprocess.run(pytest, check=True, cwd=unpacked)


if __name__ == "__main__":
    main()
