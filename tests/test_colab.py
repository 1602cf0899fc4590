"""`examples/colab.ipynb` in a kernel with a stand-in for Colab; scripts/legs.py does the same with Colab's packages."""

from __future__ import annotations

from pathlib import Path

import colab_notebook
import pytest


@pytest.mark.slow
# The kernel's client opens sockets of its own, and closes them when it is collected.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_every_cell_shows_what_it_should(tmp_path: Path) -> None:
    # The package is installed, so the notebook asks for no wheel.
    colab_notebook.check([colab_notebook.models()], tmp_path)
