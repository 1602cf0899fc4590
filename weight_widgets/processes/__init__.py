"""Processes of our own beside the notebook's, for work that must be possible to kill: their start, talk and limits."""
