"""One line about each control but buttons, by its class; buttons have theirs as `tooltip`.

ipywidgets shows the hints of some kinds of controls only, and not the same kinds in every version: the shell does it.
"""

from __future__ import annotations

__all__ = ["HINTS"]

HINTS = {
    "ww-chip": "Whether this model is drawn over the others",
    "ww-choose-reference": "The model that the others are compared with",
    "ww-choose-other": "The model that is shown beside Model A",
    "ww-choose-layer": "By its name in Model A",
    "ww-choose-tensor": "One of the layer's weights",
    "ww-choose-part": "A gate, filter, head or unit; all for the whole tensor",
    "ww-part-number": "Go to the part of this number",
    "ww-choose-opposite": "What of Model B stands opposite this one",
    "ww-set-bins": "How many bins",
    "ww-set-clip": "How much of the values is in the range",
    "ww-set-density": "Counts, or shares of each model by width",
    "ww-set-log": "A logarithmic axis for counts",
    "ww-set-initial": "What the layer's initializer gives, dashed",
    "ww-set-way": "How the tensor is laid out as a picture",
    "ww-set-position": "Which slice",
    "ww-set-by_norm": "The largest norm first, in place of the stored order",
    "ww-set-colours": "End the colours at the largest weight in sight, or where you want",
    "ww-set-limit": "The colours run from minus to plus this",
    "ww-set-status": "Only rows of this status",
    "ww-set-scope": "What the rows are about",
    "ww-set-whole": "All weights of the layer at once",
    "ww-set-page": "Which page of the parts",
    "ww-search-files": "Words in the names",
}
