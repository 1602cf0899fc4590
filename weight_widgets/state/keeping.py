"""The state of an explorer as plain values, which JSON can hold, and back: what is chosen, how the panes are set."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, fields, replace
from pathlib import Path
from typing import Any

from traitlets import TraitError

from ..analysis.alignment import Alignment
from ..display import visible
from ..errors import InputError, MissingFileError
from .explorer import RESTORED, ExplorerState
from .looks import Window
from .selection import Pick
from .settings import PaneState

__all__ = ["Kept", "kept", "read_kept", "restore"]

Kept = Mapping[str, Any]

VERSION = 1
SECTIONS = ("selection", "panes", "alignments")


def kept(state: ExplorerState) -> dict[str, Any]:
    """What `restore` takes: dicts, lists, texts, numbers and None.

    Returns
    -------
    dict
        ``version``; ``selection``, by the names of its attributes; ``panes``, by pane and setting; ``alignments``, by
        label, those with pairs made by hand.
    """
    edited = {
        label: json.loads(alignment.to_json())
        for label, alignment in state.comparisons.alignments.items()
        if any(row.reason == "user" for row in alignment)
    }
    panes = {
        key: {name: _plain(getattr(pane, name)) for name in settings}
        for key, pane in state.panes.items()
        if (settings := pane.traits(kept=True))
    }
    chosen = {name: _plain(value) for name, value in asdict(state.selection.pick).items()}
    return {"version": VERSION, "selection": chosen, "panes": panes, "alignments": edited}


def read_kept(path: str | os.PathLike[str]) -> Any:
    """What is in a JSON file."""
    try:
        return json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no state in {path}: no such file.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} holds no state as JSON: {error}.") from error


def restore(state: ExplorerState, found: object, *, reference: bool = True) -> None:
    """Choose and set what a kept state says. What it leaves out stays; what does not exist here is told in the status.

    Parameters
    ----------
    state : ExplorerState
    found : object
        What `kept` gave, maybe through JSON.
    reference : bool
        Whether Model A is chosen, too; otherwise the present one stays.

    Raises
    ------
    InputError
        It is no kept state, or a setting has a value that it cannot have. Nothing is changed then.
    """
    wanted = _checked(state, found)
    before = _drawn(state)
    lost = [*_choose(state, wanted["selection"], wanted["alignments"], reference)]
    for key, settings in wanted["panes"].items():
        if key in state.panes:
            lost += _set(key, state.panes[key], settings)
        else:
            lost.append(f"there is no pane {visible(key)!r} here")
    if "window" in (heatmap := wanted["panes"].get("heatmap", {})):
        try:
            state.heatmap.expect(heatmap["window"], known=before is not None and before == _drawn(state))
        except TraitError as error:
            lost.append(str(error))
    state.note(RESTORED, tuple(f"not restored: {what}" for what in lost))


def _drawn(state: ExplorerState) -> tuple[Any, ...] | None:
    """What the heatmap's pictures are of; None while they are of something else."""
    heatmap = state.heatmap
    if state.result_of("heatmap") is None:
        return None
    return replace(state.selection.pick, checkpoints=()), heatmap.way, heatmap.position, heatmap.by_norm


def _plain(value: Any) -> Any:
    if isinstance(value, Window):
        return list(astuple(value))
    return list(value) if isinstance(value, tuple) else value


def _checked(state: ExplorerState, found: object) -> dict[str, dict[str, Any]]:
    """Its sections, every value of the right kind."""
    whole = _mapping(found, "a state")
    if whole.get("version") != VERSION:
        version = visible(repr(whole.get("version")), 80)
        raise InputError(f"this state has the version {version}; {VERSION} is known here.")
    if unknown := [name for name in whole if name not in ("version", *SECTIONS)]:
        raise InputError(f"a state has no {visible(unknown[0])!r}, but {', '.join(SECTIONS)}.")
    chosen, panes, alignments = (_mapping(whole.get(name, {}), f"state[{name!r}]") for name in SECTIONS)
    for name, value in chosen.items():
        _check_choice(name, value)
    return {
        "selection": chosen,
        "panes": {
            key: _settings(state.panes.get(key), _mapping(settings, where), where)
            for key, settings in panes.items()
            for where in [f"state['panes'][{visible(key)!r}]"]
        },
        "alignments": {label: _alignment(label, rows) for label, rows in alignments.items()},
    }


def _mapping(found: object, what: str) -> dict[str, Any]:
    if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
        raise InputError(f"{what} is a mapping of names to values, not {visible(repr(found), 80)}.")
    return dict(found)


def _alignment(label: str, rows: object) -> Alignment:
    try:
        text = json.dumps(rows)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"state['alignments'][{visible(label)!r}] is nothing that JSON can hold: {error}.") from error
    return Alignment.from_json(text)


def _check_choice(name: str, value: object) -> None:
    many = name == "checkpoints"
    if name not in [field.name for field in fields(Pick)]:
        raise InputError(f"state['selection'] has no {visible(name)!r}.")
    texts = value if many and isinstance(value, list | tuple) else [value]
    if (many and texts is not value) or not all(isinstance(one, str) for one in texts):
        kind = "a list of labels" if many else "a name"
        raise InputError(f"state['selection'][{name!r}] is {kind}, not {visible(repr(value), 80)}.")


def _settings(pane: PaneState | None, settings: dict[str, Any], where: str) -> dict[str, Any]:
    """Each as its trait takes it; what this version has not is left for `_set` to tell."""
    traits = pane.traits(kept=True) if pane is not None else {}
    for name, value in settings.items():
        if name in traits and not (value is None and traits[name].allow_none):
            try:
                settings[name] = traits[name].validate(pane, value)  # type: ignore[attr-defined]
            except TraitError as error:
                raise InputError(f"{where}[{name!r}] cannot be {visible(repr(value), 80)}: {error}") from error
    return settings


def _choose(state: ExplorerState, wanted: Kept, alignments: Mapping[str, Alignment], reference: bool) -> Iterator[str]:
    """Choose what there is of it, and name what there is not."""
    selection, opened = state.selection, state.opened
    for name in ("reference", "other"):
        if not reference and (name == "reference" or wanted.get(name) == selection.reference):
            # What the kept state compared with another Model A is compared with this one, but not with itself.
            pass
        elif wanted.get(name, selection.reference) not in opened:
            yield f"there is no model {visible(wanted[name])!r} here"
        elif name in wanted:
            setattr(selection, name, wanted[name])
        if name == "reference":
            # Before anything is chosen by name: under other pairs it may be called otherwise.
            yield from _align(state, wanted, alignments)
    if "checkpoints" in wanted:
        missing = [label for label in wanted["checkpoints"] if label not in opened]
        yield from (f"there is no model {visible(label)!r} to overlay" for label in missing)
        known = tuple(label for label in wanted["checkpoints"] if label in opened)
        # Where all of them are gone nothing would be drawn: what is overlaid stays.
        if known or not missing:
            selection.checkpoints = known
    for name in ("layer", "tensor", "part"):
        try:
            if name in wanted:
                setattr(selection, name, wanted[name])
        except TraitError as error:
            # What is inside of it is not there either.
            yield str(error)
            return


def _align(state: ExplorerState, wanted: Kept, alignments: Mapping[str, Alignment]) -> Iterator[str]:
    for label, alignment in alignments.items():
        try:
            if wanted.get("reference", state.selection.reference) != state.selection.reference:
                raise InputError("it is with another reference")
            if label not in state.comparisons.others:
                raise InputError("there is no such model to compare")
            state.comparisons.put(label, alignment)
        except InputError as error:
            yield f"the alignment of {visible(label)!r}: {error}"


def _set(key: str, pane: PaneState, settings: Mapping[str, Any]) -> Iterator[str]:
    """Set what there is of it, and name what there is not. It is shown last: then all is as it should be."""
    for name in sorted(settings, key="shown".__eq__):
        if name not in pane.traits(kept=True):
            yield f"the pane {key!r} has no setting {visible(name)!r}"
        elif name != "window":
            try:
                setattr(pane, name, settings[name])
            except TraitError as error:
                yield f"{key}: {error}"
