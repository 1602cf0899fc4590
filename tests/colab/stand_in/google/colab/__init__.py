"""A stand-in for what Colab has in its kernels: loaded as an extension of IPython, so it is there before any cell."""

from . import drive, files, output

__all__ = ["drive", "files", "load_ipython_extension", "output"]


def load_ipython_extension(shell: object) -> None:
    """Nothing more than being imported is asked of it."""
