"""`compare` and the `WeightExplorer`, which puts the panes together and owns nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, overload

import ipywidgets as widgets

from .errors import InputError
from .panes import plain
from .panes.compare import ComparePane
from .panes.export import ExportMenu
from .panes.findings import FindingsPane
from .panes.heatmap import HeatmapPane
from .panes.histogram import HistogramPane
from .panes.overview import OverviewPane
from .panes.pane import Pane, Root
from .panes.parts import PartsPane
from .panes.pickers import LayerChooser, ModelChooser
from .panes.scatter import ScatterPane
from .panes.shell import Shell
from .panes.shown import CLOSED
from .panes.spectrum import SpectrumPane
from .panes.status import StatusLine
from .panes.style import Models
from .panes.table import TablePane
from .panes.toggles import Hideable, toggles
from .panes.verdicts import VerdictPane
from .picker import CheckpointPicker
from .reading.checkpoint import Checkpoint
from .reading.sources import File, Source
from .state import (
    Alignments,
    CompareState,
    ExplorerState,
    FindingsState,
    HeatmapState,
    HistogramState,
    Kept,
    OverviewState,
    PartsState,
    ScatterState,
    Selection,
    SpectrumState,
    TableState,
    Verdicts,
    kept,
    read_kept,
    restore,
)

__all__ = ["WeightExplorer", "compare", "demo"]

EXAMPLES = {
    "baseline": "digits_baseline.h5",
    "fine-tuned": "digits_finetuned.h5",
    "dropout": "digits_dropout.h5",
    "high rate": "digits_dead.h5",
}


# Columns of the overview for which a narrow place is wide enough.
FEW = 3


class WeightExplorer(Root):
    """The live explorer of several checkpoints. `compare` makes one.

    Attributes
    ----------
    selection : Selection
        What is chosen; set its attributes to move the explorer: ``explorer.selection.layer = "lstm_1"``.
    histogram : HistogramState
        Settings of the histogram pane: ``bins``, ``clip``, ``log``, ``density``, ``initial``.
    heatmap : HeatmapState
        Settings of the heatmap pane: ``way``, ``position``, ``by_norm``, ``limit``, ``window``.
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
    overview : OverviewState
        Settings of the overview: ``shown``, ``measure``.
    table : TableState
        ``scope`` of the table pane.
    state : dict
        All of this as JSON can hold it; setting one that was kept restores it.
    """

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection)
        self.add_class("weight-widgets")

    def build(self, state: ExplorerState, models: Models) -> list[widgets.Widget]:
        """The same panes as in a layout of the user's own, each with a button that shows and hides it."""
        selection = state.selection

        def place(title: str, hint: str, pane: type[Pane]) -> Hideable:
            return Hideable(getattr(state, pane.key), title, hint, lambda: pane(selection, alone=False))

        # What reads files comes first.
        first = [
            place("Histogram", "The ticked models on shared edges", HistogramPane),
            place("Heatmap", "A, B and B − A as pictures", HeatmapPane),
        ]
        table = place("Table", "All measures", TablePane)
        further = [
            place("Compare", "Model B against Model A, tensor by tensor", ComparePane),
            place("Scatter", "A's weights against B's", ScatterPane),
            place("Parts", "A histogram for each gate, head, filter or unit", PartsPane),
            place("Spectrum", "Singular values, ranks and norms, on request", SpectrumPane),
            place("Findings", "What is dead, sparse, unstable or untrained, and what that rests on", FindingsPane),
        ]
        panes = plain.Box(first, classes="ww-panes")
        overview = place("Overview", "Every layer of every model on one screen", OverviewPane)
        overview.add_class("ww-side")
        if len(models) > FEW:
            overview.add_class("ww-wide")
        shown_by = toggles([overview, *first, table, *further])
        main = plain.VBox([LayerChooser(selection, alone=False), shown_by, panes, *further, table], classes="ww-main")
        body = plain.Box([overview, main], classes="ww-body")
        self._menu = ExportMenu(lambda: self, state)
        top = plain.Box([ModelChooser(selection, alone=False), self._menu], classes="ww-top")
        return [
            Shell(),
            top,
            VerdictPane(selection, alone=False),
            body,
            StatusLine(selection, alone=False),
        ]

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
        """Settings and result of the heatmap pane."""
        return self._state.heatmap

    @property
    def parts(self) -> PartsState:
        """Settings and result of the parts pane; ``explorer.parts.shown = True`` shows it."""
        return self._state.parts

    @property
    def comparison(self) -> CompareState:
        """Settings of the comparison pane; ``explorer.comparison.shown = True`` shows it."""
        return self._state.comparison

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
    def overview(self) -> OverviewState:
        """Settings and result of the overview: ``explorer.overview.measure = "std"``."""
        return self._state.overview

    @property
    def table(self) -> TableState:
        """Settings and result of the table pane."""
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
    def state(self) -> dict[str, Any]:
        """What is chosen, how the panes are set and which tensors were paired by hand, as JSON can hold it.

        Setting one that was kept restores it, in another explorer too: what it names is found by label and name, what
        it leaves out stays, and what does not exist is told in the status line. One that is malformed is an
        `InputError`, and changes nothing.
        """
        return kept(self._state)

    @state.setter
    def state(self, found: Kept) -> None:
        restore(self._state, found)

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

    def export(self, name: str, path: str | PathLike[str]) -> None:
        """Write what a pane shows now as a file: all that is chosen, zoomed, filtered and sorted there.

        Parameters
        ----------
        name : str
            ``"histogram"``, ``"heatmap"``, ``"parts"``, ``"comparison"``, ``"scatter"``, ``"spectrum"``,
            ``"findings"``, ``"table"`` or ``"overview"``; a pane that is shown.
        path : str or os.PathLike
            Its suffix chooses the format: ``.svg`` or ``.png`` for figures, ``.csv``, ``.md`` or ``.tex`` for tables.
            A file that is there is replaced. An image in pixels is painted by the page that shows the explorer: the
            file is there once the status line says so, after the cell has ended; where no page has answered within ten
            seconds it says that, until one does. All other formats are written at once, and need no page.

        Raises
        ------
        InputError
            No such format, no pane that is shown offers it, or the explorer is closed.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> explorer.export("heatmap", "figure.svg")    # doctest: +SKIP
        >>> explorer.export("table", "table.tex")       # doctest: +SKIP
        """
        if self.comm is None:
            raise InputError(CLOSED)
        self._state.wait_for_panes(60.0)
        self._menu.export(name, Path(path))


@overload
def compare() -> CheckpointPicker: ...
@overload
def compare(*checkpoints: Source, reference: str | None = None, state: Kept | File | None = None) -> WeightExplorer: ...
def compare(
    *checkpoints: Source, reference: str | None = None, state: Kept | File | None = None
) -> WeightExplorer | CheckpointPicker:
    """Explore the weights of several checkpoints side by side in a notebook.

    Parameters
    ----------
    *checkpoints : str, os.PathLike, Checkpoint, keras.Model or mapping
        Paths, globs (``"epochs/*.h5"``, in the order of their numbers), opened checkpoints, live Keras models, or
        ``{label: any of these}``; a label may also stand for a mapping of arrays. Labels come from the names of files
        and models where none are given. Without any, the model files under the current folder are offered.
    reference : str, optional
        Label of Model A, which the others are compared with; the first by default, or the one that `state` names.
    state : mapping, str or os.PathLike, optional
        What `WeightExplorer.state` gave, or a JSON file of it.

    Returns
    -------
    WeightExplorer or CheckpointPicker
        A widget; the last line of a cell shows it. A checkpoint that cannot be opened is a line in its status, and the
        others work. Of the files offered by a picker, those that are picked are explored in its place, and are its
        ``explorer`` then.

    Raises
    ------
    InputError
        An empty mapping, a label given twice, a reference that is none of the labels, or a malformed state.
    WeightWidgetsError
        None of the checkpoints can be opened: the error of the first (`MissingFileError`, `NotKerasError`, …).

    Examples
    --------
    >>> import weight_widgets as ww
    >>> explorer = ww.compare("baseline.h5", "dropout.h5")    # doctest: +SKIP
    >>> explorer.selection.layer = "lstm_1"                   # doctest: +SKIP
    """
    if not checkpoints and reference is None and state is None:
        return CheckpointPicker(Path.cwd(), compare, demo)
    wanted = read_kept(state) if isinstance(state, str | PathLike) else state
    selection = Selection(*checkpoints, reference=reference)
    if wanted is not None:
        # Before there are panes: these begin with what is wanted.
        restore(ExplorerState.of(selection), wanted, reference=reference is None)
    return WeightExplorer(selection)


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
