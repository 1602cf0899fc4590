"""Floors 3 and 4: arrays to numbers, small sketches and comparisons. Knows no file and imports no Jupyter package."""
