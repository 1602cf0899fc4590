"""The tests that touch other packages and the language, with several Pythons and sets of packages: a leg for each pair.

A set is `colab` (what Colab has preinstalled, scripts/colab_set.txt), `latest`, or `lowest` (the oldest releases that
pyproject.toml allows). Where a Python is missing its legs are skipped. The wheel is that of `make .venv/.installed`.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv" / "legs"
COLAB_SET = ROOT / "scripts" / "colab_set.txt"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
USUAL = ("colab-3.12", "colab-3.13", "latest-3.13", "lowest-3.10")
# Each waits for the network at first, and then keeps one core busy.
AT_ONCE = 2
EVERY = (*(f"{kind}-{version}" for version in PYTHONS for kind in ("colab", "latest")), "lowest-3.10")
# What meets other packages, starts threads and processes, and (closing) builds every pane.
SUBSET = (
    *("shown", "panes", "grid", "picker", "closing", "state", "worker"),
    *("import", "display", "reading", "tables", "hdf5_service", "storage"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("legs", nargs="*", metavar="LEG", help=f"SET-PYTHON; {' '.join(USUAL)} by default")
    parser.add_argument("--every", action="store_true", help=" ".join(EVERY))
    parser.add_argument("--whole", action="store_true", help="all unit tests, with Keras: ten minutes a leg")
    asked = parser.parse_args()
    names = asked.legs or (EVERY if asked.every else USUAL)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip(names, pool.map(partial(leg, whole=asked.whole), names), strict=True))
    print("\n" + "\n".join(f"{name}: {result}" for name, result in results.items()))
    if any(result.startswith("failed") for result in results.values()):
        sys.exit(1)


def leg(name: str, whole: bool) -> str:
    """Make an environment, test in it, and tell in a few words what came of it."""
    kind, _, version = name.partition("-")
    interpreter = find_python(version)
    if interpreter is None:
        return f"skipped, there is no Python {version} here"
    print(f"{name}: installing", flush=True)
    begun = time.monotonic()
    folder = FOLDER / name
    subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
    install(kind, folder, "test" if whole else "legs")
    prepared = time.monotonic()
    files = [f"tests/test_{each}.py" for each in SUBSET] if not whole else ["tests"]
    options = ["-q", "-p", "no:cacheprovider", "-m", "not browser and not network" + ("" if whole else " and not slow")]
    command = [folder / "bin" / "pytest", *options, *files]
    tested = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(f"\n== {name}\n{tested.stdout}", flush=True)
    shutil.rmtree(folder)
    said = "failed" if tested.returncode else "passed"
    return f"{said}; {prepared - begun:.0f} s to install, {time.monotonic() - prepared:.0f} s to test"


def find_python(version: str) -> str | None:
    """One that starts and can make environments: on the path, or of pyenv."""
    pyenv = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    for candidate in filter(None, [shutil.which(f"python{version}"), *map(str, sorted(pyenv))]):
        code = "import ensurepip, sys; print('%d.%d' % sys.version_info[:2])"
        said = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False).stdout
        if said.strip() == version:
            return candidate
    return None


def install(kind: str, folder: Path, extra: str) -> None:
    """The set, the wheel, and what its tests need."""
    (wheel,) = (ROOT / ".venv" / "wheel").glob("*.whl")
    pinned = []
    if kind == "colab":
        try_in_colab(folder, wheel)
        constraints = folder / "constraints.txt"
        held = {name: version for name, version in versions(folder).items() if name != "weight-widgets"}
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in held.items()), encoding="utf-8")
        pinned = ["--constraint", constraints]
    elif kind == "lowest":
        pinned = [*lowest()]
    pip(folder, f"{wheel}[{extra}]", *pinned)


def try_in_colab(folder: Path, wheel: Path) -> None:
    """Let the notebook for Colab install the wheel among what Colab has, and see that it leaves that as it is."""
    pip(folder, "--no-deps", "--requirement", COLAB_SET)
    before = versions(folder)
    subprocess.run([folder / "bin" / "python", ROOT / "tests" / "colab" / "colab_notebook.py", wheel], check=True)
    after = versions(folder)
    replaced = {name for name in before if before[name] != after.get(name)}
    added = after.keys() - before.keys()
    if replaced or "weight-widgets" not in added:
        sys.exit(f"Installing weight-widgets replaces {sorted(replaced)} of Colab's, and adds {sorted(added)}")
    print(f"The notebook ran, and installed {', '.join(sorted(added))} beside the {len(before)} packages of Colab.")


def versions(folder: Path) -> dict[str, str]:
    command = [folder / "bin" / "python", "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {each["name"].lower().replace("_", "-"): each["version"] for each in listed}


def lowest() -> Iterator[str]:
    """The oldest release of each requirement."""
    for requirement in requires("weight-widgets") or ():
        found = re.match(r"([\w-]+)[^;]*>=([\d.]+)[^;]*$", requirement)
        if found:
            yield f"{found[1]}=={found[2]}"


def pip(folder: Path, *arguments: object) -> None:
    command = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
