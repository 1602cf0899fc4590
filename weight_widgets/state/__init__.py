"""Floor 5: what is chosen, what was computed for it, and the settings of the panes, as traits that panes observe."""

from .aligned import paired_name
from .comparisons import Comparisons
from .explorer import ExplorerState
from .files import FilesState, FoundFile
from .findings import FindingsState
from .heatmap import HeatmapState
from .keeping import Kept, kept, read_kept, restore
from .looks import (
    MEASURES,
    SCOPES,
    Detail,
    FindingsLook,
    Glance,
    Measure,
    Overlay,
    PartsLook,
    Pictures,
    Relation,
    Scatter,
    Sketch,
    Spectra,
    Table,
    Window,
)
from .observed import following
from .overview import OverviewState
from .quiet import Quiet
from .related import Alignments, Verdicts
from .selection import Pick, Selection
from .settings import (
    CLIPS,
    CompareState,
    HistogramState,
    PaneState,
    PartsState,
    ScatterState,
    TableState,
)
from .spectrum import SpectrumState
from .status import Status

__all__ = [
    "CLIPS",
    "MEASURES",
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
    "Glance",
    "HeatmapState",
    "HistogramState",
    "Kept",
    "Measure",
    "Overlay",
    "OverviewState",
    "PaneState",
    "PartsLook",
    "PartsState",
    "Pick",
    "Pictures",
    "Quiet",
    "Relation",
    "Scatter",
    "ScatterState",
    "Selection",
    "Sketch",
    "Spectra",
    "SpectrumState",
    "Status",
    "Table",
    "TableState",
    "Verdicts",
    "Window",
    "following",
    "kept",
    "paired_name",
    "read_kept",
    "restore",
]
