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
    from .analysis.alignment import Alignment, align
    from .analysis.cache import clear_cache
    from .analysis.comparing import compare_table
    from .analysis.findings.compose import findings
    from .analysis.findings.finding import Thresholds
    from .analysis.spectrum import Spectrum, spectrum
    from .analysis.tables import weights_table
    from .analysis.units import unit_norms
    from .analysis.verdict import Verdict, verdict
    from .app import WeightExplorer, compare, demo
    from .panes.compare import ComparePane
    from .panes.findings import FindingsPane
    from .panes.heatmap import HeatmapPane
    from .panes.histogram import HistogramPane
    from .panes.overview import OverviewPane
    from .panes.parts import PartsPane
    from .panes.pickers import LayerChooser, ModelChooser
    from .panes.scatter import ScatterPane
    from .panes.spectrum import SpectrumPane
    from .panes.status import StatusLine
    from .panes.table import TablePane
    from .panes.verdicts import VerdictPane
    from .picker import CheckpointPicker
    from .reading.checkpoint import Checkpoint, open_checkpoint
    from .reading.tensors import Layer, Tensor
    from .state import Selection

__all__ = [
    "Alignment",
    "Checkpoint",
    "CheckpointPicker",
    "ComparePane",
    "FindingsPane",
    "HeatmapPane",
    "HistogramPane",
    "Layer",
    "LayerChooser",
    "ModelChooser",
    "OverviewPane",
    "PartsPane",
    "ScatterPane",
    "Selection",
    "Spectrum",
    "SpectrumPane",
    "StatusLine",
    "TablePane",
    "Tensor",
    "Thresholds",
    "Verdict",
    "VerdictPane",
    "WeightExplorer",
    "WeightWidgetsError",
    "align",
    "clear_cache",
    "compare",
    "compare_table",
    "demo",
    "findings",
    "open_checkpoint",
    "spectrum",
    "unit_norms",
    "verdict",
    "weights_table",
]
__version__ = version("weight-widgets")

# Loaded when first asked for (PEP 562): bqplot alone costs more time than all the rest.
_HOMES = {
    "Alignment": "analysis.alignment",
    "Checkpoint": "reading.checkpoint",
    "CheckpointPicker": "picker",
    "ComparePane": "panes.compare",
    "FindingsPane": "panes.findings",
    "HeatmapPane": "panes.heatmap",
    "HistogramPane": "panes.histogram",
    "Layer": "reading.tensors",
    "LayerChooser": "panes.pickers",
    "ModelChooser": "panes.pickers",
    "OverviewPane": "panes.overview",
    "PartsPane": "panes.parts",
    "ScatterPane": "panes.scatter",
    "Selection": "state",
    "Spectrum": "analysis.spectrum",
    "SpectrumPane": "panes.spectrum",
    "StatusLine": "panes.status",
    "TablePane": "panes.table",
    "Tensor": "reading.tensors",
    "Thresholds": "analysis.findings.finding",
    "Verdict": "analysis.verdict",
    "VerdictPane": "panes.verdicts",
    "WeightExplorer": "app",
    "align": "analysis.alignment",
    "clear_cache": "analysis.cache",
    "compare": "app",
    "compare_table": "analysis.comparing",
    "demo": "app",
    "findings": "analysis.findings.compose",
    "open_checkpoint": "reading.checkpoint",
    "spectrum": "analysis.spectrum",
    "unit_norms": "analysis.units",
    "verdict": "analysis.verdict",
    "weights_table": "analysis.tables",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
