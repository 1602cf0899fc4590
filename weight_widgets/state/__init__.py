"""Floor 5: what is chosen, what was computed for it, and the settings of the panes, as traits that panes observe."""

from .comparisons import Comparisons
from .explorer import ExplorerState, Status
from .files import FilesState, FoundFile
from .findings import FindingsState
from .looks import SCOPES, Detail, FindingsLook, Overlay, PartsLook, Pictures, Relation, Scatter, Spectra, Table, Window
from .observed import following
from .related import Alignments, Verdicts
from .selection import Pick, Selection
from .settings import (
    CLIPS,
    CompareState,
    HeatmapState,
    HistogramState,
    PaneState,
    PartsState,
    ScatterState,
    TableState,
)
from .spectrum import SpectrumState

__all__ = [
    "CLIPS",
    "SCOPES",
    "Alignments",
    "CompareState",
    "Comparisons",
    "Detail",
    "ExplorerState",
    "FilesState",
    "FindingsLook",
    "FindingsState",
    "FoundFile",
    "HeatmapState",
    "HistogramState",
    "Overlay",
    "PaneState",
    "PartsLook",
    "PartsState",
    "Pick",
    "Pictures",
    "Relation",
    "Scatter",
    "ScatterState",
    "Selection",
    "Spectra",
    "SpectrumState",
    "Status",
    "Table",
    "TableState",
    "Verdicts",
    "Window",
    "following",
]
