"""What runs in the page: built from js/, committed under static/."""

from __future__ import annotations

from pathlib import Path

__all__ = ["bundle"]

STATIC = Path(__file__).parent.parent / "static"


def bundle(name: str) -> str:
    """As text: given a path, anywidget keeps every widget of the class alive for ever, and all that it holds."""
    return (STATIC / name).read_text("utf-8")
