"""Floor 5: what is chosen, what was computed for it, and the settings of the panes, as traits that panes observe."""

from .explorer import ExplorerState, Status
from .looks import SCOPES, Overlay, PartsLook, Pictures, Table
from .selection import Pick, Selection
from .settings import CLIPS, HeatmapState, HistogramState, PaneState, PartsState, TableState

__all__ = [
    "CLIPS",
    "SCOPES",
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
    "Status",
    "Table",
    "TableState",
]
