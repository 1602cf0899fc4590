"""Sentences about what is dead, sparse, unstable or untrained in checkpoints: each with its rule and its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import astuple, fields, replace

import numpy as np
import pandas as pd

from ....errors import InputError, WeightWidgetsError
from ....reading.checkpoint import Checkpoint
from ....reading.sources import Source
from ....reading.tensors import Layer
from ...passes import Check
from ...tables import TEXT, open_every
from ..finding import Finding, Thresholds
from .channels import of_channels
from .context import Context, Subject, context_of
from .series import over_checkpoints
from .training import of_optimizer, of_state
from .untrained import of_untrained
from .weights import of_values, spectral

__all__ = ["Finding", "Thresholds", "findings", "gather"]

COLUMNS = {field.name: np.float64 if field.name in ("value", "threshold") else TEXT for field in fields(Finding)}
DEFAULTS = Thresholds()


def findings(*checkpoints: Source, thresholds: Thresholds = DEFAULTS, spectra: bool = False) -> pd.DataFrame:
    """What is dead, sparse, unstable or untrained in one or several checkpoints, a row each.

    Parameters
    ----------
    *checkpoints : str, os.PathLike, Checkpoint, keras.Model or mapping
        As `compare` takes them. Several are taken for a run in the order given: what jumps and what does not move is
        told of layers of the same name and shape.
    thresholds : Thresholds
        Where the rules draw their lines.
    spectra : bool
        Look for collapsed ranks too, which takes all singular values of every kernel.

    Returns
    -------
    pandas.DataFrame
        Columns ``checkpoint layer tensor part rule severity value threshold message evidence``; all but ``value`` and
        ``threshold`` are strings, ``""`` where a row is about the whole. Severity is ``"warning"`` for what is to be
        looked at, ``"note"`` for what may well be meant, and ``"n/a"`` where the file does not hold what a rule needs.
        docs/findings.md tells of each rule what it rests on and what it cannot see.

    Raises
    ------
    InputError
        No checkpoint is given, or one is given twice.
    MissingFileError, NotKerasError, DamagedFileError, …
        A checkpoint cannot be opened.

    Examples
    --------
    >>> import weight_widgets as ww
    >>> found = ww.findings("run/*.weights.h5")    # doctest: +SKIP
    >>> found[found.severity == "warning"]    # doctest: +SKIP
    """
    if not isinstance(thresholds, Thresholds):
        raise InputError(f"thresholds is a {type(thresholds).__name__}; give Thresholds(dead=1e-5).")
    rows = gather(open_every(checkpoints, "findings"), thresholds, spectra=spectra)
    table = pd.DataFrame([astuple(row) for row in rows], columns=[*COLUMNS])
    return table.astype(COLUMNS)


def gather(
    opened: Mapping[str, Checkpoint],
    thresholds: Thresholds = DEFAULTS,
    *,
    spectra: bool = False,
    check: Check = lambda share=None: None,
) -> tuple[Finding, ...]:
    """As `findings`, of opened checkpoints by label; warnings come first, then notes.

    `check` is called between steps; whatever it raises ends the work.
    """
    contexts = [context_of(label, checkpoint, thresholds, check) for label, checkpoint in opened.items()]
    # A run is read a second time, step by step.
    todo = sum(tensor.size for one in opened.values() for tensor in one.tensors.values()) * min(len(opened), 2) or 1
    done = 0
    found: list[Finding] = []
    for context in contexts:
        found += of_state(context)
        for layer in context.checkpoint.values():
            check(done / todo)
            found += _of_layer(context, layer, spectra)
            done += sum(tensor.size for tensor in layer.values())
    found += over_checkpoints(contexts, lambda share: check((done + share * (todo - done)) / todo))
    order = ("warning", "note", "n/a")
    return tuple(sorted(_once(found, len(contexts)), key=lambda finding: order.index(finding.severity)))


def _once(found: list[Finding], count: int) -> list[Finding]:
    """What is missing in every checkpoint alike is said once, of all."""
    alike = Counter(replace(finding, checkpoint="", value=0, threshold=0) for finding in found)
    told: dict[Finding, Finding] = {}
    for finding in found:
        general = replace(finding, checkpoint="", value=0, threshold=0)
        everywhere = finding.severity == "n/a" and alike[general] == count > 1
        told.setdefault(general if everywhere else finding, replace(finding, checkpoint="") if everywhere else finding)
    return [*told.values()]


def _of_layer(context: Context, layer: Layer, spectra: bool) -> Iterator[Finding]:
    values: dict[str, np.ndarray] = {}
    for name, tensor in layer.items():
        try:
            values[name] = tensor.read()
        except WeightWidgetsError as error:
            yield context.missing("not-finite", f"It cannot be read: {error}", layer.name, name)
            continue
        subject = Subject(context, layer, tensor, values[name])
        for rule, ask in (("not-finite", of_values), ("dead-units", of_optimizer)):
            try:
                yield from ask(subject)
            except WeightWidgetsError as error:
                yield subject.missing(rule, f"What stands beside it cannot be read: {error}")
        if spectra:
            yield from spectral(subject)
    yield from of_channels(context, layer)
    yield from of_untrained(context, layer, values)
