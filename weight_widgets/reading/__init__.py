"""Floors 1 and 2: from the bytes of a file to a `Checkpoint` of layers and tensors. Imports no Jupyter package."""
