"""Floor 5: what is chosen, what was computed for it, and the settings of the panes, as traits that panes observe."""

from .explorer import CLIPS, ExplorerState, HeatmapState, HistogramState, Status, TableState
from .looks import Overlay, Pictures, Table
from .selection import Pick, Selection

__all__ = [
    "CLIPS",
    "ExplorerState",
    "HeatmapState",
    "HistogramState",
    "Overlay",
    "Pick",
    "Pictures",
    "Selection",
    "Status",
    "Table",
    "TableState",
]
