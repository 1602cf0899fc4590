"""A Keras layer compiled once: called eagerly, Keras compiles the loop of a recurrent layer for every call anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["compiled"]


def compiled(layer: Any) -> Callable[..., Any]:
    """The layer as a function of its inputs, which takes the weights as they are when it is called."""
    import jax

    run = jax.jit(lambda weights, inputs, settings: layer.stateless_call(*weights, *inputs, **settings)[0])

    def call(*inputs: Any, **settings: Any) -> Any:
        kinds = (layer.trainable_variables, layer.non_trainable_variables)
        return run([[variable.value for variable in kind] for kind in kinds], inputs, settings)

    return call
