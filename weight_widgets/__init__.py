"""weight-widgets: compare the weights of saved Keras models in a notebook.

>>> import weight_widgets as ww
>>> ww.compare("baseline.h5", "dropout.h5")    # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from .errors import WeightWidgetsError

if TYPE_CHECKING:
    from .analysis.cache import clear_cache
    from .analysis.spectrum import Spectrum, spectrum
    from .analysis.tables import weights_table
    from .analysis.units import unit_norms
    from .app import WeightExplorer, compare
    from .reading.checkpoint import Checkpoint, open_checkpoint
    from .reading.tensors import Layer, Tensor
    from .state import Selection

__all__ = [
    "Checkpoint",
    "Layer",
    "Selection",
    "Spectrum",
    "Tensor",
    "WeightExplorer",
    "WeightWidgetsError",
    "clear_cache",
    "compare",
    "open_checkpoint",
    "spectrum",
    "unit_norms",
    "weights_table",
]
__version__ = version("weight-widgets")

# Loaded when first asked for (PEP 562): bqplot alone costs more time than all the rest.
_HOMES = {
    "Checkpoint": "reading.checkpoint",
    "Layer": "reading.tensors",
    "Selection": "state",
    "Spectrum": "analysis.spectrum",
    "Tensor": "reading.tensors",
    "WeightExplorer": "app",
    "clear_cache": "analysis.cache",
    "compare": "app",
    "open_checkpoint": "reading.checkpoint",
    "spectrum": "analysis.spectrum",
    "unit_norms": "analysis.units",
    "weights_table": "analysis.tables",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
