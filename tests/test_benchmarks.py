"""The benchmarks run, small: every row is there, and says what it was held against."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parent.parent / "benchmarks" / "run.py"
# How a line of each row begins, and the words of what it is held against or its bound.
ROWS = {
    "layer names": "visititems",
    "… and every tensor's shape": "visititems",
    "open `.keras`": ".weights.h5",
    "pick fc1": "floor",
    "first picture of fc1": "floor",
    "fc1 again: other bins": "≤ 5 ms",
    "pick a tensor of": "np.histogram",
    "two models of": "cmp",
    "overview of": "one by one",
    "scan of": "floor",
    "… again, unchanged": "floor",
    "`import weight_widgets`": "import numpy",
    "open a model that Keras saved": "load_model",
    "extra memory: pick fc1": "≤ 64 MiB",
    "to the browser: another layer": "≤ 300 kB",
    "overview of 600 rows × 8 models: a frame": "≤ 20 ms",
    "run of the cell, 30 layers × 8 models → first rows": " ms ",
    "names known, 600 rows × 8 models → first rows": "≤ 1000 ms",
    "another layer → panes redrawn": "≤ 250 ms",
    "end of a pan → sharp picture": "≤ 200 ms",
}


def run(*arguments: str) -> str:
    return subprocess.run([sys.executable, RUN, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_smoke() -> None:
    lines = [line for line in run("--smoke").splitlines() if line.startswith("| ")]
    for start, against in ROWS.items():
        assert any(line.startswith(f"| {start}") and against in line for line in lines), start
    assert len({line.count(" | ") for line in lines}) == 1


@pytest.mark.slow
def test_growth(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run("--smoke", "--growth", str(tmp_path))
    drawn = {path.stem.removeprefix("growth-") for path in tmp_path.glob("*.svg")}
    assert drawn == {"elements", "layers", "models", "pairs", "spectra"}
