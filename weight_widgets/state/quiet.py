"""`Quiet`: what one side brings to the other is no news from there."""

from __future__ import annotations

__all__ = ["Quiet"]


class Quiet:
    """True within its ``with`` blocks: observers that ask it tell what they are brought from what somebody did."""

    def __init__(self) -> None:
        self._blocks = 0

    def __bool__(self) -> bool:
        return self._blocks > 0

    def __enter__(self) -> None:
        self._blocks += 1

    def __exit__(self, *_: object) -> None:
        self._blocks -= 1
