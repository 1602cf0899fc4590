"""`weights_table` against h5py, numpy, scipy and pandas alone."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import weight_widgets as ww
from weight_widgets.analysis.tables import weights_table
from weight_widgets.errors import InputError, MissingFileError, NotKerasError
from weight_widgets.reading.tensors import Tensor

FIXTURES = Path(__file__).parent / "fixtures"
MODELS = Path(__file__).parent.parent / "examples" / "models"
KEY = ["checkpoint", "layer", "tensor", "part"]
PERCENTS = (0.1, 1, 5, 25, 50, 75, 95, 99, 99.9)
QUANTILES = [f"q{percent}" for percent in PERCENTS]
RNG = np.random.default_rng(5)


def numbers(values: np.ndarray, near_zero: float = 1e-3) -> dict[str, Any]:
    """The measures by their definitions."""
    with np.errstate(over="ignore"):
        flat = values.ravel().astype(np.float64)
    finite = flat[np.isfinite(flat)]
    rms = np.sqrt(np.mean(finite**2))
    varies = finite.std() > 1e-15 * abs(finite.mean())
    return {
        "shape": values.shape,
        "size": flat.size,
        "mean": finite.mean(),
        "std": finite.std(),
        "min": finite.min(),
        "max": finite.max(),
        **dict(zip(QUANTILES, np.percentile(finite, PERCENTS), strict=True)),
        "l1": np.linalg.norm(finite, 1),
        "l2": np.linalg.norm(finite),
        "rms": rms,
        "zeros": (finite == 0).sum(),
        "sparsity": np.mean(flat == 0),
        "near_zeros": ((np.abs(finite) < near_zero * rms) | (finite == 0)).sum(),
        "near_zero_threshold": near_zero * rms,
        "nan": np.isnan(flat).sum(),
        "inf": np.isinf(flat).sum(),
        "skew": stats.skew(finite) if varies else np.nan,
        "kurtosis": stats.kurtosis(finite) if varies else np.nan,
    }


def frame_of(arrays: Mapping[tuple[str, ...], np.ndarray], near_zero: float = 1e-3) -> pd.DataFrame:
    return pd.DataFrame([dict(zip(KEY, key, strict=True)) | numbers(a, near_zero) for key, a in arrays.items()])


def assert_same(table: pd.DataFrame, expected: pd.DataFrame) -> None:
    """The same rows in any order, and the same numbers."""
    found = table.set_index(KEY)
    wanted = expected.set_index(KEY)
    assert found.index.is_unique
    assert set(found.index) == set(wanted.index)
    found = found.loc[wanted.index]
    for name in wanted:
        values, truth = found[name].to_list(), wanted[name].to_list()
        if name == "shape":
            assert values == truth
        else:
            atol = 1e-9 if name in ("skew", "kurtosis") else 1e-12
            np.testing.assert_allclose(np.array(values, float), np.array(truth, float), 1e-10, atol, err_msg=name)


def arrays_of(path: Path) -> dict[tuple[str, str], np.ndarray]:
    """The weights of a legacy file by layer and name, with h5py alone."""
    found: dict[tuple[str, str], np.ndarray] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found[name.split("/")[0], name.split("/")[-1].removesuffix(":0")] = item[()]

    with h5py.File(path) as file:
        file["model_weights"].visititems(visit)
    return found


class TestNumbers:
    def test_of_several_files(self) -> None:
        names = ("digits_baseline", "digits_dead", "sequence_lstm", "sequence_gru")
        expected = {
            (name, layer, tensor, ""): values
            for name in names
            for (layer, tensor), values in arrays_of(MODELS / f"{name}.h5").items()
        }
        table = weights_table(*(MODELS / f"{name}.h5" for name in names))
        assert_same(table, frame_of(expected))
        assert table["checkpoint"].unique().tolist() == list(names)

    def test_of_gates(self) -> None:
        expected = {}
        for (layer, tensor), values in arrays_of(MODELS / "sequence_lstm.h5").items():
            if layer == "lstm_1":
                gates = np.split(values, 4, axis=-1)
                expected["lstm", layer, tensor, ""] = values
                for gate, part in zip(("input", "forget", "cell", "output"), gates, strict=True):
                    expected["lstm", layer, tensor, gate] = part
        table = weights_table({"lstm": MODELS / "sequence_lstm.h5"}, parts=True)
        assert_same(table[table["layer"] == "lstm_1"], frame_of(expected))

    def test_of_filters(self) -> None:
        kernel = arrays_of(MODELS / "digits_baseline.h5")["conv_2", "kernel"]
        expected = {("b", "conv_2", "kernel", f"filter {i}"): kernel[..., i] for i in range(kernel.shape[-1])}
        table = weights_table({"b": MODELS / "digits_baseline.h5"}, parts=True)
        chosen = table[(table["layer"] == "conv_2") & (table["tensor"] == "kernel") & (table["part"] != "")]
        assert_same(chosen, frame_of(expected))

    @pytest.mark.parametrize("name", ["attentions", "recurrences", "features", "precisions", "convolutions", "nested"])
    def test_of_every_tensor_and_part_of_a_fixture(self, name: str) -> None:
        path = FIXTURES / "keras3" / f"{name}.keras"
        with np.load(FIXTURES / "keras3" / f"{name}.npz") as truth:
            whole = {(*key.rpartition("|")[::2], ""): truth[key] for key in truth}
        checkpoint = ww.open_checkpoint(path)
        parts = {
            (layer, tensor, part): values.read()
            for (layer, tensor), found in checkpoint.tensors.items()
            for part, values in found.parts.items()
        }
        assert parts
        # scipy says so where values differ in their last digits only.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            expected = frame_of({(name, *key): values for key, values in (whole | parts).items()})
        assert_same(weights_table(checkpoint, parts=True), expected)

    def test_of_values_that_are_not_finite_and_of_none(self) -> None:
        kernel = np.array([[1.0, np.nan, 0.0], [np.inf, -np.inf, 3.0]], np.float32)
        table = weights_table({"a": {"l/kernel": kernel, "l/none": np.empty((0, 2)), "l/lost": np.full(3, np.nan)}})
        assert_same(table[table["tensor"] == "kernel"], frame_of({("a", "l", "kernel", ""): kernel}))
        none, lost = (table[table["tensor"] == name].iloc[0] for name in ("none", "lost"))
        assert (none["size"], none["zeros"], none["nan"], lost["size"], lost["nan"]) == (0, 0, 0, 3, 3)
        for name in ("mean", "std", "min", "max", *QUANTILES, "l1", "l2", "rms", "skew", "kurtosis"):
            assert np.isnan(none[name])
            assert np.isnan(lost[name])

    def test_near_zero_is_a_parameter(self) -> None:
        arrays = arrays_of(MODELS / "digits_baseline.h5")
        expected = {("b", layer, tensor, ""): values for (layer, tensor), values in arrays.items()}
        table = weights_table({"b": MODELS / "digits_baseline.h5"}, near_zero=0.25)
        assert table["near_zeros"].sum() > 1000
        assert_same(table, frame_of(expected, 0.25))

    def test_nothing_is_rounded(self) -> None:
        values = RNG.normal(size=100)
        table = weights_table({"a": {"layer/kernel": values}})
        assert table["max"][0] == values.max()
        assert table["mean"][0] != np.float32(table["mean"][0])


class TestColumns:
    STRINGS = (
        *("checkpoint", "layer", "class_name", "tensor", "part", "role", "dtype", "stored"),
        *("initializer", "regularizer", "constraint"),
    )
    COUNTS = ("zeros", "near_zeros", "nan", "inf")
    FLOATS = (
        *("mean", "std", "min", *QUANTILES, "max", "l1", "l2", "rms"),
        *("sparsity", "near_zero_threshold", "skew", "kurtosis"),
    )
    # What there is only where the configuration names it.
    SETTINGS = ("initial_std", "std_ratio", "penalty", "constraint_measured")

    def assert_types(self, table: pd.DataFrame) -> None:
        expected = {
            **dict.fromkeys(self.STRINGS, pd.StringDtype("python")),
            **dict.fromkeys(("class_assumed", "assumed", "dequantised"), np.dtype(bool)),
            "shape": np.dtype(object),
            "size": np.dtype(np.int64),
            **dict.fromkeys(self.COUNTS, pd.Int64Dtype()),
            **dict.fromkeys((*self.FLOATS, *self.SETTINGS), np.dtype(np.float64)),
            "constraint_met": pd.BooleanDtype(),
        }
        assert dict(table.dtypes) == expected
        assert table.index.equals(pd.RangeIndex(len(table)))
        assert all(isinstance(shape, tuple) for shape in table["shape"])

    @pytest.mark.parametrize("parts", [False, True])
    def test_types(self, parts: bool) -> None:
        self.assert_types(weights_table(MODELS / "digits_dead.h5", MODELS / "sequence_lstm.keras", parts=parts))

    def test_types_where_nothing_is_known(self, tmp_path: Path) -> None:
        self.assert_types(weights_table({"a": {"layer/kernel": np.empty((0, 2))}}))
        checkpoint = ww.open_checkpoint(MODELS / "digits_mlp.h5")
        checkpoint.close()
        with pytest.warns(UserWarning, match="was closed"):
            self.assert_types(weights_table(checkpoint, parts=True))

    def test_are_all_documented(self) -> None:
        text = weights_table.__doc__ or ""
        for name in weights_table(MODELS / "digits_mlp.h5"):
            assert name in QUANTILES[1:-1] or f"``{name}``" in text

    def test_what_the_files_hold(self) -> None:
        table = weights_table(FIXTURES / "keras3" / "precisions.keras", FIXTURES / "keras3" / "int8.keras")
        kernels = table[table["tensor"] == "kernel"].set_index(["checkpoint", "layer"])
        types = kernels[["dtype", "stored", "dequantised"]].apply(tuple, axis=1)
        assert types["precisions", "brain"] == ("float32", "bfloat16", False)
        assert types["precisions", "half"] == ("float16", "", False)
        assert types["int8", "mix"] == ("float32", "int8", True)

    def test_roles_and_classes(self) -> None:
        table = weights_table(MODELS / "sequence_bidirectional.h5").set_index(["layer", "tensor"])
        rows = table[table["class_name"] == "Bidirectional"]
        assert {"forward/kernel", "backward/bias"} <= set(rows.index.get_level_values("tensor"))
        assert all(tensor.endswith(f"/{role}") for (_, tensor), role in rows["role"].items())
        assert not rows["class_assumed"].any()
        assert not rows["assumed"].any()

    def test_what_is_inferred_is_marked(self) -> None:
        units = 5
        lstm = {"kernel": np.ones((3, 4 * units)), "recurrent_kernel": np.ones((units, 4 * units))}
        table = weights_table({"a": {"rnn": lstm | {"bias": np.ones(4 * units)}}})
        assert set(table["class_name"]) == {"LSTM"}
        assert table["class_assumed"].all()
        assert table["assumed"].all()

    def test_what_a_tensor_means_can_be_unknown_where_the_class_is_assumed(self) -> None:
        table = weights_table(FIXTURES / "keras3" / "convolution.weights.h5").set_index(["layer", "tensor"])
        assert table["class_assumed"].all()
        assert table["role"]["batch_norm", "weight 0"] == "weight 0"
        assert table["assumed"].to_dict() == {
            **{("batch_norm", f"weight {number}"): False for number in range(3)},
            **dict.fromkeys([("filters", "kernel"), ("filters", "bias"), ("dense", "kernel")], True),
        }

    def test_names_find_what_was_measured(self) -> None:
        """Whatever the names hold: what cannot be encoded, and what a page would obey."""
        arrays = {"bad \udcff": {"kernel": np.ones(2)}, "<b>\x1b[31m": {"kernel": np.ones(3)}}
        checkpoint = ww.open_checkpoint(arrays, "run \udc80")
        table = weights_table(checkpoint)
        assert table["checkpoint"].tolist() == ["run \udc80"] * 2
        for row in table.to_dict("records"):
            assert checkpoint[row["layer"]][row["tensor"]].shape == row["shape"]


class TestReading:
    def test_each_tensor_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read, reads = Tensor.read, []

        def counted(tensor: Tensor) -> np.ndarray:
            reads.append(tensor)
            return read(tensor)

        checkpoint = ww.open_checkpoint(MODELS / "sequence_lstm.h5")
        monkeypatch.setattr(Tensor, "read", counted)
        weights_table(checkpoint, parts=True)
        assert reads == list(checkpoint.tensors.values())

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Path:
        """Two layers; the recurrent kernel of one does not inflate."""
        path = tmp_path / "damaged.h5"
        lstm = {"kernel": (3, 8), "recurrent_kernel": (2, 8), "bias": (8,)}
        layers = {"lstm": lstm, "dense": {"kernel": (2, 3), "bias": (3,)}}
        with h5py.File(path, "w") as file:
            file.attrs["layer_names"] = [name.encode() for name in layers]
            for layer, weights in layers.items():
                group = file.create_group(layer)
                group.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in weights]
                for name, shape in weights.items():
                    made = group.create_dataset(f"{layer}/{name}:0", shape, "f4", compression="gzip", chunks=shape)
                    made[...] = RNG.normal(size=shape)
                    if name == "recurrent_kernel":
                        made.id.write_direct_chunk((0, 0), b"no zlib stream")
        return path

    def test_what_cannot_be_read_has_its_rows_and_a_warning(self, damaged: Path) -> None:
        with pytest.warns(UserWarning, match=r"damaged: lstm/recurrent_kernel cannot be read.*chunk") as told:
            table = weights_table(damaged, parts=True)
        assert len(told) == 1
        assert told[0].filename == __file__
        lost = table[table["tensor"] == "recurrent_kernel"]
        assert lost["part"].tolist() == ["", "input", "forget", "cell", "output"]
        assert lost["shape"].tolist() == [(2, 8), *[(2, 2)] * 4]
        assert lost["size"].tolist() == [16, 4, 4, 4, 4]
        measured = [*TestColumns.COUNTS, *TestColumns.FLOATS]
        assert lost[measured].isna().all(axis=None)
        assert not table.drop(lost.index)[["mean", "l2", *TestColumns.COUNTS]].isna().any(axis=None)
        assert (table["layer"] == "lstm").sum() == 3 * 5


class TestSources:
    def test_are_those_of_compare(self) -> None:
        checkpoint = ww.open_checkpoint(MODELS / "digits_mlp.h5", "opened")
        arrays = {"layer": {"kernel": np.ones((2, 2))}}
        table = weights_table(str(MODELS / "sequence_[gl]*m.h5"), checkpoint, {"labelled": MODELS / "digits_wide.h5"})
        assert table["checkpoint"].unique().tolist() == ["sequence_lstm", "opened", "labelled"]
        assert weights_table({"mine": arrays})["shape"].tolist() == [(2, 2)]

    @pytest.mark.parametrize("nothing", [(), ({},)], ids=["no argument", "empty mapping"])
    def test_nothing(self, nothing: tuple[Any, ...]) -> None:
        with pytest.raises(InputError, match="no checkpoint"):
            weights_table(*nothing)

    @pytest.mark.parametrize("share", [-1e-3, np.nan, np.inf, "small"])
    def test_no_share(self, share: Any) -> None:
        with pytest.raises(InputError, match="near_zero"):
            weights_table(MODELS / "digits_mlp.h5", near_zero=share)

    def test_one_that_cannot_be_opened(self, tmp_path: Path) -> None:
        (tmp_path / "text.h5").write_text("no weights")
        with pytest.raises(NotKerasError, match=r"text\.h5"):
            weights_table(MODELS / "digits_mlp.h5", tmp_path / "text.h5")
        with pytest.raises(MissingFileError, match="nowhere"):
            weights_table(MODELS / "digits_mlp.h5", tmp_path / "nowhere.h5")

    def test_one_given_twice(self) -> None:
        with pytest.raises(InputError, match="two checkpoints are called"):
            weights_table(MODELS / "digits_mlp.h5", MODELS / "digits_mlp.h5")
