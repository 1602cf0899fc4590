"""Runs `examples/colab.ipynb` in a kernel that has the stand-in for Colab, and checks what its cells show."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VIEW = "application/vnd.jupyter.widget-view+json"
MODELS = ("digits_baseline.h5", "digits_dropout.h5")


def check(uploads: Sequence[Sequence[Path]], folder: Path) -> None:
    """Every explorer comes with Colab's word on the widget manager, and with a picture that tells the verdict."""
    cells = run(uploads, folder)
    outputs = [output for cell in cells for output in cell.outputs]
    # What pip has to say of a machine's settings is no matter of ours.
    heard = [output for cell in cells if "%pip" not in cell.source for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output.text for output in heard if output.get("name") == "stderr"]
    shown = [output for output in outputs if VIEW in output.get("data", {})]
    assert len(shown) >= 3, [output.get("data", output) for output in outputs]
    for output in shown:
        assert output.metadata[VIEW]["colab"]["custom_widget_manager"], output.metadata
        picture = output.data["text/html"]
        assert len(picture.encode()) <= 100_000
        assert "<img" in picture
    assert all("digits_baseline" in output.data["text/html"] for output in shown[1:])
    assert all("No trace of a shared origin" in output.data["text/html"] for output in shown)


def run(uploads: Sequence[Sequence[Path]], folder: Path) -> list[nbformat.NotebookNode]:
    """The code cells, with what each call of `files.upload` picks."""
    for place, paths in enumerate(uploads):
        (folder / "uploads" / str(place)).mkdir(parents=True)
        for path in paths:
            shutil.copy(path, folder / "uploads" / str(place))
    (folder / "drive" / "models").mkdir(parents=True)
    for path in models():
        shutil.copy(path, folder / "drive" / "models")
    content = folder / "content"
    content.mkdir()
    notebook = nbformat.read(ROOT / "examples" / "colab.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs for cell in code), "the committed notebook carries outputs"
    for cell in code:
        cell.source = cell.source.replace("/content", str(content))
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE / "stand_in"),
        "COLAB_UPLOADS": str(folder / "uploads"),
        "COLAB_DRIVE": str(folder / "drive"),
    }
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        extra_arguments=["--InteractiveShellApp.extensions=google.colab"],
        resources={"metadata": {"path": str(content)}},
    )
    client.execute(env=environment)
    return code


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path, help="what the first cell installs")
    wheel = parser.parse_args().wheel
    with TemporaryDirectory(prefix="weight-widgets-colab-") as folder:
        check([[wheel], models()], Path(folder))


def models() -> list[Path]:
    return [ROOT / "examples" / "models" / name for name in MODELS]


if __name__ == "__main__":
    main()
