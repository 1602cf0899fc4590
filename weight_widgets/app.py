"""`compare` and the `WeightExplorer`, which puts the panes together and owns nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

import ipywidgets as widgets
from IPython.display import display

from .errors import InputError
from .panes.compare import compare_pane
from .panes.findings import findings_pane
from .panes.heatmap import heatmap_pane
from .panes.histogram import histogram_pane
from .panes.parts import parts_pane
from .panes.pickers import layer_pickers, model_pickers
from .panes.scatter import scatter_pane
from .panes.shell import Shell
from .panes.spectrum import spectrum_pane
from .panes.status import status_line
from .panes.style import models_by_label
from .panes.table import table_pane
from .panes.toggles import Hideable, Holding, toggles
from .panes.verdicts import verdict_lines
from .picker import CheckpointPicker
from .reading.checkpoint import Checkpoint
from .reading.sources import Source, labelled, open_all
from .state import (
    Alignments,
    CompareState,
    ExplorerState,
    FindingsState,
    HeatmapState,
    HistogramState,
    PartsState,
    ScatterState,
    Selection,
    SpectrumState,
    TableState,
    Verdicts,
)

__all__ = ["WeightExplorer", "compare", "demo"]

# Seconds that showing an explorer may wait for its first pictures.
FIRST_LOOK = 1.0
EXAMPLES = {
    "baseline": "digits_baseline.h5",
    "fine-tuned": "digits_finetuned.h5",
    "dropout": "digits_dropout.h5",
    "high rate": "digits_dead.h5",
}


class WeightExplorer(widgets.VBox):
    """The live explorer of several checkpoints. `compare` makes one.

    Attributes
    ----------
    selection : Selection
        What is chosen; set its attributes to move the explorer: ``explorer.selection.layer = "lstm_1"``.
    histogram : HistogramState
        Settings of the histogram pane: ``bins``, ``clip``, ``log``, ``density``, ``initial``.
    heatmap : HeatmapState
        Settings of the heatmap pane: ``way``, ``position``, ``by_norm``.
    parts : PartsState
        Settings of the parts pane: ``shown``, ``bins``, ``page``.
    comparison : CompareState
        Settings of the comparison pane: ``shown``, ``status``.
    alignment : mapping of str to Alignment
        Of each other model with the reference; setting one moves the explorer.
    verdicts : mapping of str to Verdict
        Of each other model, once it is known.
    scatter : ScatterState
        ``shown``, and the ``result`` of the scatter pane.
    spectrum : SpectrumState
        ``shown``, and the ``result`` of `compute_spectrum`.
    findings : FindingsState
        ``shown``, and the ``result`` of the findings pane.
    table : TableState
        ``scope`` of the table pane.
    """

    def __init__(self, state: ExplorerState) -> None:
        # First, because ipywidgets calls close() on a widget whose __init__ failed.
        self._state = state
        models = models_by_label(state.opened)
        panes = widgets.Box([histogram_pane(state.histogram, models), heatmap_pane(state.heatmap, models)])
        panes.add_class("ww-panes")
        hideable = [
            Hideable(
                state.compare,
                "Compare",
                "Model B against Model A, tensor by tensor",
                lambda: compare_pane(state, models),
            ),
            Hideable(
                state.scatter,
                "Scatter",
                "A's weights against B's",
                lambda: scatter_pane(state.scatter, models),
            ),
            Hideable(
                state.parts,
                "Parts",
                "A histogram for each gate, head, filter or unit",
                lambda: parts_pane(state.parts, models),
            ),
            Hideable(
                state.spectrum,
                "Spectrum",
                "Singular values, ranks and norms, on request",
                lambda: spectrum_pane(state.spectrum, models),
            ),
            Hideable(
                state.findings,
                "Findings",
                "What is dead, sparse, unstable or untrained, and what that rests on",
                lambda: findings_pane(state.findings, state.selection, models),
            ),
        ]
        super().__init__(
            [
                Shell(),
                model_pickers(state.selection, models),
                verdict_lines(state.comparisons, models),
                layer_pickers(state.selection, models),
                toggles(hideable),
                panes,
                *hideable,
                table_pane(state.table, state.selection, models),
                status_line(state, models),
            ]
        )
        self.add_class("weight-widgets")

    @property
    def selection(self) -> Selection:
        """What is chosen; set its attributes to move the explorer."""
        return self._state.selection

    @property
    def histogram(self) -> HistogramState:
        """Settings and result of the histogram pane."""
        return self._state.histogram

    @property
    def heatmap(self) -> HeatmapState:
        """Result of the heatmap pane."""
        return self._state.heatmap

    @property
    def parts(self) -> PartsState:
        """Settings and result of the parts pane; ``explorer.parts.shown = True`` shows it."""
        return self._state.parts

    @property
    def comparison(self) -> CompareState:
        """Settings of the comparison pane; ``explorer.comparison.shown = True`` shows it."""
        return self._state.compare

    @property
    def scatter(self) -> ScatterState:
        """Result of the scatter pane; ``explorer.scatter.shown = True`` shows it."""
        return self._state.scatter

    @property
    def spectrum(self) -> SpectrumState:
        """Result of the spectrum pane; ``explorer.spectrum.shown = True`` shows it."""
        return self._state.spectrum

    def compute_spectrum(self) -> None:
        """Find the spectra of what is chosen, in the background; the pane's own button does the same."""
        self._state.spectrum.begin()

    @property
    def findings(self) -> FindingsState:
        """Result of the findings pane; ``explorer.findings.shown = True`` shows it."""
        return self._state.findings

    @property
    def table(self) -> TableState:
        """Result of the table pane."""
        return self._state.table

    @property
    def alignment(self) -> Alignments:
        """By label of each other model, which of its tensors stands opposite which of the reference.

        Setting one moves the explorer: ``explorer.alignment["b"] = explorer.alignment["b"].pair("dense_3", "head")``.
        """
        return Alignments(self._state.comparisons)

    @property
    def verdicts(self) -> Verdicts:
        """By label of each other model, how it is related to the reference; empty until that is known: see `wait`."""
        return Verdicts(self._state.comparisons)

    @property
    def checkpoints(self) -> Mapping[str, Checkpoint]:
        """The opened checkpoints by label."""
        return self._state.opened

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until what is chosen is computed and handed to the panes, and the models are compared.

        Parameters
        ----------
        timeout : float
            Seconds.

        Returns
        -------
        bool
            False when the time ran out first.
        """
        return self._state.wait(timeout)

    def close(self) -> None:
        """Remove the explorer from the page and end its background work."""
        self._state.close()
        for part in _parts(self):
            if part is not self:
                part.close()
        super().close()

    # Under ipywidgets 8 a widget that ends a cell leaves as the cell's result, which Colab's hook never sees.
    def _ipython_display_(self, **kwargs: Any) -> None:
        # Small files are read by then: the page gets pictures at once, and a notebook that is only saved has them too.
        self._state.wait_for_panes(FIRST_LOOK)
        if hasattr(super(), "_ipython_display_"):
            super()._ipython_display_(**kwargs)
        else:
            display(self._repr_mimebundle_(**kwargs), raw=True)  # type: ignore[no-untyped-call]


@overload
def compare() -> CheckpointPicker: ...
@overload
def compare(*checkpoints: Source, reference: str | None = None) -> WeightExplorer: ...
def compare(*checkpoints: Source, reference: str | None = None) -> WeightExplorer | CheckpointPicker:
    """Explore the weights of several checkpoints side by side in a notebook.

    Parameters
    ----------
    *checkpoints : str, os.PathLike, Checkpoint, keras.Model or mapping
        Paths, globs (``"epochs/*.h5"``, in the order of their numbers), opened checkpoints, live Keras models, or
        ``{label: any of these}``; a label may also stand for a mapping of arrays. Labels come from the names of files
        and models where none are given. Without any, the model files under the current folder are offered.
    reference : str, optional
        Label of Model A, which the others are compared with; the first by default.

    Returns
    -------
    WeightExplorer or CheckpointPicker
        A widget; the last line of a cell shows it. A checkpoint that cannot be opened is a line in its status, and the
        others work. Of the files offered by a picker, those that are picked are explored in its place, and are its
        ``explorer`` then.

    Raises
    ------
    InputError
        An empty mapping, a label given twice, or a reference that is none of the labels.
    WeightWidgetsError
        None of the checkpoints can be opened: the error of the first (`MissingFileError`, `NotKerasError`, …).

    Examples
    --------
    >>> import weight_widgets as ww
    >>> explorer = ww.compare("baseline.h5", "dropout.h5")    # doctest: +SKIP
    >>> explorer.selection.layer = "lstm_1"                   # doctest: +SKIP
    """
    if not checkpoints and reference is None:
        return CheckpointPicker(Path.cwd(), compare, demo)
    sources = labelled(checkpoints)
    if not sources:
        raise InputError('there is no checkpoint to compare: ww.compare("a.h5", "b.h5"), or ww.compare() to pick some.')
    if reference is not None and reference not in sources:
        raise InputError(f"reference={reference!r} is none of the labels: {', '.join(map(repr, sources))}.")
    results = open_all(sources)
    opened = {label: found for label, found in results.items() if isinstance(found, Checkpoint)}
    failures = [found for found in results.values() if not isinstance(found, Checkpoint)]
    if not opened:
        raise failures[0]
    first = reference if reference in opened else next(iter(opened))
    return WeightExplorer(ExplorerState(opened, first, [str(error) for error in failures]))


def demo() -> WeightExplorer:
    """Explore the small models that come with the package.

    They tell handwritten digits of 8 × 8 pixels apart: a convolutional network, the same with dropout, the first one
    trained further on other data, and one with a learning rate so high that units died.

    Returns
    -------
    WeightExplorer

    Examples
    --------
    >>> import weight_widgets as ww
    >>> ww.demo()    # doctest: +SKIP
    """
    folder = Path(__file__).with_name("models")
    return compare({label: folder / name for label, name in EXAMPLES.items()})


def _parts(widget: widgets.Widget) -> set[widgets.Widget]:
    """The widget and all that it holds: children, figures, marks, scales, axes, layouts."""
    found: set[widgets.Widget] = set()
    waiting: list[Any] = [widget]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
        elif isinstance(item, widgets.Widget) and item not in found:
            found.add(item)
            if isinstance(item, Hideable | Holding):
                waiting.extend(item.held)
            waiting.extend(getattr(item, name) for name in item.keys)
    return found
