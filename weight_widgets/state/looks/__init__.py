"""What the worker computes: from a pick and the opened checkpoints to one immutable result for each pane."""

from .badges import Badge, badges_of
from .findings import FindingsLook, look_at_findings
from .glances import ABSENT, EQUAL, UNKNOWN, Changes, Glance, Sketch, changes_of
from .histograms import Curve, Overlay, look_at_histograms
from .measures import MEASURES, Measure
from .outlines import Outline, look_at_outline, most_rows, page_rows
from .parts import PartsLook, look_at_parts
from .pictures import Pictures, look_at_pictures
from .relations import Relation, look_at_relation
from .scatters import Scatter, look_at_scatter
from .spectra import Spectra, look_at_spectra
from .tables import SCOPES, Table, look_at_table
from .windows import Detail, Window, look_closely

__all__ = [
    "ABSENT",
    "EQUAL",
    "MEASURES",
    "SCOPES",
    "UNKNOWN",
    "Badge",
    "Changes",
    "Curve",
    "Detail",
    "FindingsLook",
    "Glance",
    "Measure",
    "Outline",
    "Overlay",
    "PartsLook",
    "Pictures",
    "Relation",
    "Scatter",
    "Sketch",
    "Spectra",
    "Table",
    "Window",
    "badges_of",
    "changes_of",
    "look_at_findings",
    "look_at_histograms",
    "look_at_outline",
    "look_at_parts",
    "look_at_pictures",
    "look_at_relation",
    "look_at_scatter",
    "look_at_spectra",
    "look_at_table",
    "look_closely",
    "most_rows",
    "page_rows",
]
