"""Numbers and histograms of all tensors of a checkpoint, against plain numpy on each of them."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from seen import write_model

import weight_widgets as ww
from weight_widgets.analysis import cache, overview, passes
from weight_widgets.analysis.digests import Digests
from weight_widgets.analysis.overview import BINS, scan
from weight_widgets.errors import ChangedFileError, WeightWidgetsError
from weight_widgets.reading import files
from weight_widgets.reading.together import read_rows
from weight_widgets.worker import Superseded

RNG = np.random.default_rng(61)
NORMAL = RNG.standard_normal(3000)
KINDS = {
    "float32": NORMAL.astype(np.float32),
    "float64": NORMAL,
    "float16": NORMAL.astype(np.float16),
    "big-endian": NORMAL.astype(">f4"),
    "int8": np.clip(NORMAL * 40, -127, 127).astype(np.int8),
    "int64": (NORMAL * 2**60).astype(np.int64),
    "bool": NORMAL > 1,
    "gammas": (1 + 1e-4 * NORMAL).astype(np.float32),
    "far from zero": (1e4 + NORMAL).astype(np.float32),
    "near a value": 1 + 1e-12 * NORMAL,
    "positive": np.exp(NORMAL).astype(np.float32),
    "constant": np.full(3000, 0.1, np.float32),
    "zeros": np.zeros(3000, np.float32),
    "two values": np.where(NORMAL > 0, 1.0, -1.0).astype(np.float32),
    "half zeros": np.where(NORMAL > 0, NORMAL, -0.0).astype(np.float32),
    "quarters": (np.round(NORMAL * 4) / 4).astype(np.float32),
    "denormal": (NORMAL * 1e-41).astype(np.float32),
    "large in float32": (NORMAL * 1e37).astype(np.float32),
    "beyond float32": NORMAL * 1e300,
    "wider than float64": np.where(NORMAL > 0, 1.7e308, -1.7e308),
    "one far away": np.append(1e-5 * NORMAL[1:], 1e6).astype(np.float32),
    "NaN and Inf": np.where(NORMAL > 1, np.nan, np.where(NORMAL < -1, np.inf, NORMAL)).astype(np.float32),
    "only NaN": np.full(3000, np.nan, np.float32),
    "only infinities": np.where(NORMAL > 0, np.inf, -np.inf),
}


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHT_WIDGETS_CACHE", str(tmp_path / "cache"))
    cache._memory.clear()


@pytest.fixture(params=["small", "large", "large, three threads"])
def _handled_as(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors of 3000 elements as small ones, in tables of one and a half of them; or as large ones, piece by piece."""
    monkeypatch.setattr(overview, "BATCH", 4500)
    if request.param != "small":
        monkeypatch.setattr(overview, "RUN", 1000)
        monkeypatch.setattr(overview, "PIECE", 700 * 4)
        monkeypatch.setattr(overview, "TOGETHER", 9500)
    if "threads" in request.param:
        monkeypatch.setattr(passes, "THREAD_SIZE", 100)
        monkeypatch.setattr(passes, "THREADS", 3)
        monkeypatch.setattr(overview, "THREAD_SIZE", 100)
        monkeypatch.setattr(overview, "THREADS", 3)


def never(share: float | None = None) -> None:
    """Nobody cancels."""


def agrees(found: Digests, place: int, values: np.ndarray) -> None:
    """The numbers are those of numpy, as near as float32 tells them."""
    wide = values.astype(np.float64).reshape(-1)
    finite = wide[np.isfinite(wide)]
    counts = (found.size[place], found.nan[place], found.inf[place], found.zeros[place])
    assert counts == (values.size, np.isnan(wide).sum(), np.isinf(wide).sum(), (wide == 0).sum())
    numbers = found.minimum[place], found.maximum[place], found.mean[place], found.std[place]
    if not finite.size:
        assert np.isnan(numbers).all()
        return
    assert numbers[:2] == (finite.min(), finite.max())
    unit = np.abs(finite).max() or 1.0
    rms = np.sqrt(np.mean((finite / unit) ** 2)) * unit
    assert numbers[2] == pytest.approx((finite / unit).mean() * unit, abs=1e-6 * rms)
    assert numbers[3] == pytest.approx((finite / unit).std() * unit, rel=2e-6, abs=1e-15 * rms)
    assert found.l2[place] == pytest.approx(math.sqrt(finite.size) * float(rms), rel=2e-6)


@pytest.mark.usefixtures("_handled_as")
class TestWholeCheckpoint:
    def test_numbers_are_numpys(self, tmp_path: Path) -> None:
        with ww.open_checkpoint(write_model(tmp_path / "a.h5", KINDS)) as opened:
            assert len(opened) == len(KINDS)
            seen, scanned = overview.overview(opened, never), scan([opened], never)[0]
            for place, (layer, _) in enumerate(opened.tensors):
                agrees(seen.digests, place, KINDS[layer])
                agrees(scanned, place, KINDS[layer])

    def test_cancel(self, tmp_path: Path) -> None:
        def cancel(share: float | None = None) -> None:
            raise Superseded

        opened = ww.open_checkpoint(write_model(tmp_path / "a.h5", KINDS))
        with pytest.raises(Superseded):
            overview.overview(opened, cancel)
        with pytest.raises(Superseded):
            scan([opened], cancel)


def histogram_of(values: np.ndarray) -> np.ndarray | None:
    """As numpy counts in float64."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not finite.size or np.ptp(finite / 4) > 1e307:
        return None
    low, high = finite.min(), finite.max()
    if high - low < 1e-11 * np.abs([low, high]).max():
        # Numpy's own bins of such values are no wider than its rounding.
        return None
    return np.histogram(finite, BINS, (low, high))[0]


@pytest.mark.parametrize("name", KINDS)
def test_histograms_are_numpys(name: str) -> None:
    opened = ww.open_checkpoint({"layer/kernel": KINDS[name]})
    found, expected = overview.overview(opened, never).histogram(0), histogram_of(KINDS[name])
    if expected is not None:
        assert found is not None
        assert found.counts.tolist() == expected.tolist()
        assert found.uncertain == 0
    elif found is not None:
        finite = KINDS[name][np.isfinite(KINDS[name])].astype(np.float64)
        assert found.counts.sum() == finite.size
        assert found.edges[0] <= finite.min() <= finite.max() <= found.edges[-1]
        filled = np.flatnonzero(found.counts)
        assert found.edges[filled[0]] <= finite.min()
        assert finite.max() <= found.edges[filled[-1] + 1]


def test_large_tensors_have_histograms_that_say_how_near_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "RUN", 1000)
    monkeypatch.setattr("weight_widgets.analysis.summary.RUN", 1000)
    monkeypatch.setattr("weight_widgets.analysis.summary.EXACT_SIZE", 1000)
    values = RNG.standard_normal((300, 200)).astype(np.float32)
    found = overview.overview(ww.open_checkpoint({"layer/kernel": values}), never).histogram(0)
    assert found is not None
    off = np.abs(found.counts - np.histogram(values, BINS)[0]).sum() / 2 / values.size
    assert 0 < off <= found.uncertain < 0.2


ELEMENTS = st.floats(width=32) | st.sampled_from([0.0, -0.0, 1.0, np.nan, np.inf, -np.inf, 1e-45, 3e38])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        arrays(
            st.sampled_from([np.float16, np.float32, np.float64]),
            array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
            elements=st.floats(width=16) | st.sampled_from([0.0, -0.0, 1.0]),
        )
        | arrays(st.sampled_from([np.int8, np.uint8, np.int32, np.bool_]), array_shapes(min_dims=0, max_dims=2)),
        min_size=1,
        max_size=12,
    )
)
def test_any_tensors(tensors: list[np.ndarray]) -> None:
    opened = ww.open_checkpoint({f"layer_{number}/kernel": values for number, values in enumerate(tensors)})
    seen = overview.overview(opened, never)
    for place, values in enumerate(tensors):
        agrees(seen.digests, place, values)
        expected = histogram_of(values)
        if expected is not None and values.size:
            assert seen.counts[place].tolist() == expected.tolist()


@settings(max_examples=150, deadline=None)
@given(
    arrays(np.float32, st.integers(1, 60), elements=ELEMENTS.map(lambda value: float(np.float32(value)))),
    st.integers(1, 9),
)
def test_pieces_of_any_size(values: np.ndarray, size: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(overview, "RUN", 0)
        monkeypatch.setattr(overview, "PIECE", 4 * size)
        agrees(scan([ww.open_checkpoint({"layer/kernel": values})], never)[0], 0, values)


def test_many_layers(tmp_path: Path) -> None:
    """More small tensors of one size than are looked at together."""
    values = RNG.standard_normal((1500, 3)).astype(np.float32)
    path = write_model(tmp_path / "a.h5", {f"layer_{number}": row for number, row in enumerate(values)})
    seen = overview.overview(ww.open_checkpoint(path), never)
    assert np.array_equal(seen.digests.minimum, values.min(axis=1))
    assert seen.counts.tolist() == [np.histogram(row.astype(np.float64), BINS)[0].tolist() for row in values]


@pytest.mark.usefixtures("_handled_as")
def test_scan_of_many(tmp_path: Path) -> None:
    """Side by side, in their order; one that was rewritten meanwhile ends all of it."""
    scales = [1.0 + number for number in range(7)]
    paths = [write_model(tmp_path / f"{scale}.h5", {"a": scale * NORMAL, "b": NORMAL[:5]}) for scale in scales]
    opened = [ww.open_checkpoint(path) for path in paths]
    shares: list[float | None] = []
    for scale, found in zip(scales, scan(opened, lambda share=None: shares.append(share)), strict=True):
        agrees(found, 0, scale * NORMAL)
        agrees(found, 1, NORMAL[:5])
    assert 0.0 in shares
    write_model(paths[3], {"a": NORMAL})
    with pytest.raises(ChangedFileError):
        scan(opened, never)


@pytest.mark.usefixtures("_handled_as")
def test_scan_of_some_that_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SETTLING", -1)
    paths = [write_model(tmp_path / f"{number}.h5", {"a": number * NORMAL}) for number in range(7)]
    opened = [ww.open_checkpoint(path) for path in paths]
    for number in (1, 4, 6):
        scan([opened[number]], never)
    cache._memory.clear()
    asked: list[int] = []
    of_each = overview._digests
    monkeypatch.setattr(overview, "_digests", lambda groups, check: asked.append(len(groups)) or of_each(groups, check))
    for number, found in enumerate(scan(opened, never)):
        agrees(found, 0, number * NORMAL)
    assert sum(asked) == 4
    scan(opened, never)
    assert sum(asked) == 4


def test_nothing_at_all(tmp_path: Path) -> None:
    seen = overview.overview(ww.open_checkpoint({"a/kernel": np.zeros((0, 4), np.float32)}), never)
    assert (len(seen), seen.digests.size.tolist(), seen.counts.sum()) == (1, [0], 0)
    assert seen.histogram(0) is None
    assert np.isnan(seen.digests.mean).all()
    assert scan([], never) == []


class TestReading:
    def test_rows_are_the_values(self, tmp_path: Path) -> None:
        """Whether they lie in the file as they are or not."""
        alike = {
            f"layer_{number}": RNG.standard_normal((4, 5)).astype(">f4" if number % 2 else "<f4") for number in range(7)
        }
        opened = ww.open_checkpoint(write_model(tmp_path / "a.h5", alike))
        tensors = [opened[name]["kernel"] for name in reversed(alike)]
        tensors[2] = ww.open_checkpoint({"layer_4/kernel": alike["layer_4"]})["layer_4"]["kernel"]
        assert np.array_equal(read_rows(tensors), [alike[name].reshape(-1) for name in reversed(alike)])

    def test_parts(self, tmp_path: Path) -> None:
        values = np.arange(24, dtype=np.float32).reshape(2, 12)
        tensor = ww.open_checkpoint(
            {"lstm/kernel": values, "lstm/recurrent_kernel": np.zeros((3, 12), "f4"), "lstm/bias": np.zeros(12, "f4")}
        )["lstm"]["kernel"]
        parts = [*tensor.parts.values()]
        assert parts
        assert np.array_equal(read_rows(parts), [part.read().reshape(-1) for part in parts])

    def test_closed(self, tmp_path: Path) -> None:
        opened = ww.open_checkpoint(write_model(tmp_path / "a.h5", {"layer": NORMAL}))
        opened.close()
        with pytest.raises(WeightWidgetsError, match="closed"):
            read_rows([*opened.tensors.values()])

    def test_rewrite_model(self, tmp_path: Path) -> None:
        path = write_model(tmp_path / "a.h5", {"layer": NORMAL})
        opened = ww.open_checkpoint(path)
        write_model(path, {"layer": NORMAL, "other": NORMAL})
        with pytest.raises(ChangedFileError):
            overview.overview(opened, never)
        with pytest.raises(ChangedFileError):
            scan([opened], never)


@pytest.mark.parametrize(
    "look", [lambda opened: overview.overview(opened, never), lambda opened: scan([opened], never)]
)
def test_found_again_by_another_kernel(look: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From one entry on disk; a rewritten file is looked at anew."""
    monkeypatch.setattr(files, "SETTLING", -1)
    reads = []
    monkeypatch.setattr(overview, "read_rows", lambda tensors: reads.append(len(tensors)) or read_rows(tensors))
    path = write_model(tmp_path / "a.h5", {"one": NORMAL, "two": 2 * NORMAL})

    def stds() -> list[float]:
        cache._memory.clear()
        found = look(ww.open_checkpoint(path))
        digests = found[0] if isinstance(found, list) else found.digests
        return digests.std.tolist()

    first = stds()
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert sum(reads) == 2
    assert stds() == first
    assert sum(reads) == 2
    write_model(path, {"one": 3 * NORMAL, "two": 2 * NORMAL})
    os.utime(path, (1, 1))
    assert stds()[0] == pytest.approx(3 * first[0])
