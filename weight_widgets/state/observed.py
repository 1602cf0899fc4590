"""Traits whose observers can be let go together, when the pane that they belong to is closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from traitlets import All, HasTraits

__all__ = ["Observed", "following"]

_following: ContextVar[ExitStack | None] = ContextVar("following", default=None)


class Observed(HasTraits):
    """What panes observe, directly or by a link."""

    def observe(self, handler: Callable[..., Any], names: Any = All, type: Any = "change") -> None:
        """Call the handler at every change, until it is let go."""
        super().observe(handler, names, type)
        if (stack := _following.get()) is not None:
            stack.callback(partial(self.unobserve, handler, names, type))


@contextmanager
def following() -> Iterator[ExitStack]:
    """Whatever is observed meanwhile is let go when what this gives is closed: no helper need be told who asks."""
    stack = ExitStack()
    token = _following.set(stack)
    try:
        yield stack
    finally:
        _following.reset(token)
