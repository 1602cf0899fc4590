"""Quantised layers: the names of their variables, how codes are packed, and the weights that they stand for."""
