"""The errors that weight-widgets raises.

::

    WeightWidgetsError
    ├── InputError          (also a ValueError)         an argument makes no sense
    ├── MissingFileError    (also a FileNotFoundError)  nothing there to open
    ├── NotKerasError       a readable file that holds no Keras weights
    ├── UnsafeFileError     a file made to harm its reader; it is not read
    ├── DamagedFileError    a Keras file that cannot be read as it claims to be
    ├── UnsupportedFileError  a Keras file of a kind that is not read yet
    └── ChangedFileError    the file was rewritten after it was opened
"""

from __future__ import annotations

from .display import visible

__all__ = [
    "ChangedFileError",
    "DamagedFileError",
    "InputError",
    "MissingFileError",
    "NotKerasError",
    "UnsafeFileError",
    "UnsupportedFileError",
    "WeightWidgetsError",
]

MAX_MESSAGE = 600


class WeightWidgetsError(Exception):
    """The root of every error that weight-widgets raises."""

    # Messages name files and what is in them, and end in terminals, which obey escape sequences.
    def __str__(self) -> str:
        return visible(str(self.args[0]) if self.args else "", MAX_MESSAGE)


class InputError(WeightWidgetsError, ValueError):
    """An argument makes no sense: a label given twice, a reference that is not among the checkpoints."""


class MissingFileError(WeightWidgetsError, FileNotFoundError):
    """No file at this path or none that may be opened, or a glob that matches none."""


class NotKerasError(WeightWidgetsError):
    """The file can be read, but holds no Keras weights."""


class UnsafeFileError(WeightWidgetsError):
    """The file does what only a hostile one does: it inflates without bound, lies about sizes, hides what it holds."""


class DamagedFileError(WeightWidgetsError):
    """The file is of a Keras format, but a part of it is cut off, corrupt or contradicts the rest."""


class UnsupportedFileError(WeightWidgetsError):
    """A Keras file of a kind that is not read yet."""


class ChangedFileError(WeightWidgetsError):
    """The file was rewritten after it was opened; open it again to see the new weights."""
