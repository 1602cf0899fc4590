"""Figures and tables as files: which there are, and how each is written."""

from .exports import FORMATS, Export, exporting, exports_of
from .menu import ExportMenu
from .plates import Key, Plate
from .plots import Plot
from .tables import MAX_CELL

__all__ = ["FORMATS", "MAX_CELL", "Export", "ExportMenu", "Key", "Plate", "Plot", "exporting", "exports_of"]
