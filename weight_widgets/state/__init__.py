"""Floor 5: what is chosen, what was computed for it, and the settings of the panes, as traits that panes observe."""

from .explorer import ExplorerState, Status
from .looks import SCOPES, Detail, Overlay, PartsLook, Pictures, Spectra, Table, Window
from .selection import Pick, Selection
from .settings import CLIPS, HeatmapState, HistogramState, PaneState, PartsState, SpectrumState, TableState

__all__ = [
    "CLIPS",
    "SCOPES",
    "Detail",
    "ExplorerState",
    "HeatmapState",
    "HistogramState",
    "Overlay",
    "PaneState",
    "PartsLook",
    "PartsState",
    "Pick",
    "Pictures",
    "Selection",
    "Spectra",
    "SpectrumState",
    "Status",
    "Table",
    "TableState",
    "Window",
]
