"""What widgets send to the page, caught where ipywidgets hands it over: 8 asks `comm`, 7 asks `ipykernel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest
import traitlets

__all__ = ["catch"]

Take = Callable[[str, Any, Any], None]


def catch(monkeypatch: pytest.MonkeyPatch, take: Take) -> None:
    """Call ``take(kind, data, buffers)`` for every message, in place of sending it."""
    if ipywidgets.__version__.startswith("7."):
        monkeypatch.setattr("ipywidgets.widgets.widget.Comm", _comm_of_ipykernel(take))
    else:
        monkeypatch.setattr("comm.create_comm", _comm(take))


def _comm(take: Take) -> type:
    from comm.base_comm import BaseComm

    class Caught(BaseComm):
        def publish_msg(
            self, msg_type: str, data: object = None, metadata: object = None, buffers: Any = None, **keys: Any
        ) -> None:
            take(msg_type, data, buffers)

    return Caught


def _comm_of_ipykernel(take: Take) -> type:
    from ipykernel.comm import Comm

    class Comms:
        def register_comm(self, comm: object) -> None: ...
        def unregister_comm(self, comm: object) -> None: ...

    class Kernel:
        comm_manager = Comms()

    class Caught(Comm):
        # Without one nothing is sent at all.
        kernel = traitlets.Any(Kernel())

        def _publish_msg(
            self, msg_type: str, data: object = None, metadata: object = None, buffers: Any = None, **keys: Any
        ) -> None:
            take(msg_type, data, buffers)

        # Of ipykernel 6.18 and later.
        publish_msg = _publish_msg

    return Caught
