"""What the worker computes: from a pick and the opened checkpoints to one immutable result for each pane."""

from .findings import FindingsLook, look_at_findings
from .histograms import Curve, Overlay, look_at_histograms
from .parts import PartsLook, look_at_parts
from .pictures import Pictures, look_at_pictures
from .relations import Relation, look_at_relation
from .scatters import Scatter, look_at_scatter
from .spectra import Spectra, look_at_spectra
from .tables import SCOPES, Table, look_at_table
from .windows import Detail, Window, look_closely

__all__ = [
    "SCOPES",
    "Curve",
    "Detail",
    "FindingsLook",
    "Overlay",
    "PartsLook",
    "Pictures",
    "Relation",
    "Scatter",
    "Spectra",
    "Table",
    "Window",
    "look_at_findings",
    "look_at_histograms",
    "look_at_parts",
    "look_at_pictures",
    "look_at_relation",
    "look_at_scatter",
    "look_at_spectra",
    "look_at_table",
    "look_closely",
]
