"""Penalties and constraints against real Keras, in every form that a configuration has had."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from weight_widgets.analysis import penalties
from weight_widgets.analysis.constraints import CONSTRAINTS, Constraint, constraint_of
from weight_widgets.analysis.penalties import REGULARIZERS, Penalty, penalty_of
from weight_widgets.analysis.settings import WORDS

RANDOM = np.random.default_rng(5)
KERNEL = RANDOM.normal(size=(7, 5)).astype(np.float32)
FILTERS = RANDOM.normal(size=(3, 3, 4, 6)).astype(np.float32)


def penalty(setting: object, values: np.ndarray) -> Penalty:
    found = penalty_of("Dense", {"kernel_regularizer": setting}, "kernel", values)
    assert found is not None
    return found


def constraint(setting: object, values: np.ndarray, stored: str = "") -> Constraint:
    found = constraint_of("Dense", {"kernel_constraint": setting}, "kernel", values, stored)
    assert found is not None
    return found


def test_norms_of_values_computed_from_codes_are_measured_and_not_judged() -> None:
    """Keras projects before it rounds to codes: a norm of 1.004 says nothing against it."""
    config = {"kernel_constraint": "unit_norm"}
    found = constraint_of("Dense", config, "kernel", np.full((4, 3), 0.502), dequantised=True)
    assert found is not None
    assert found.met is None
    assert found.measured == pytest.approx(1.004)
    assert found.text == "largest norm 1.004 > 1, after rounding to codes"
    # Codes keep the sign.
    judged = constraint_of("Dense", {"kernel_constraint": "non_neg"}, "kernel", KERNEL, dequantised=True)
    assert judged == constraint("non_neg", KERNEL)
    assert judged.met is False


def as_saved(keras: ModuleType, made: object) -> Any:
    return json.loads(json.dumps(keras.saving.serialize_keras_object(made)))


OF_KERAS: dict[str, Callable[[Any], Any]] = {
    "L1(l1=0.3)": lambda made: made.L1(0.3),
    "L2(l2=1e-05)": lambda made: made.L2(1e-5),
    "L1L2(l1=0.1, l2=0.02)": lambda made: made.L1L2(0.1, 0.02),
    "L1L2(l1=0, l2=0.02)": lambda made: made.L1L2(l2=0.02),
    "OrthogonalRegularizer(factor=0.5, mode='rows')": lambda made: made.OrthogonalRegularizer(0.5),
    "OrthogonalRegularizer(factor=0.01, mode='columns')": lambda made: made.OrthogonalRegularizer(mode="columns"),
}


@pytest.mark.parametrize("written", OF_KERAS)
@pytest.mark.parametrize("values", [KERNEL, KERNEL * [0, 1, 2, 1e-9, 5], KERNEL[:0], FILTERS], ids=str)
def test_penalties_are_those_of_keras(keras: ModuleType, written: str, values: np.ndarray) -> None:
    regularizer = OF_KERAS[written](keras.regularizers)
    found = penalty(as_saved(keras, regularizer), values)
    assert (found.name, found.setting) == (type(regularizer).__name__, written)
    if values.ndim > 2 and "Orthogonal" in written:
        # Keras refuses it too.
        assert found.value is None
        return
    expected = float(regularizer(keras.ops.convert_to_tensor(values, "float32")))
    assert found.value == pytest.approx(expected, rel=1e-6, nan_ok=True)


def test_the_products_of_many_rows_are_taken_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = {"class_name": "OrthogonalRegularizer", "config": {"factor": 1.0, "mode": "rows"}}
    values = RANDOM.normal(size=(40, 3))
    whole = penalty(setting, values).value
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    assert whole == pytest.approx(np.abs(unit @ unit.T)[~np.eye(40, dtype=bool)].mean())
    monkeypatch.setattr(penalties, "BLOCK", 120)
    assert penalty(setting, values).value == pytest.approx(whole, rel=1e-12)
    assert penalty("l1", values).value == pytest.approx(0.01 * np.abs(values).sum(), rel=1e-12)
    monkeypatch.setattr(penalties, "MAX_PRODUCTS", 40 * 40 * 3 - 1)
    assert penalty(setting, values) == Penalty(
        "OrthogonalRegularizer",
        "OrthogonalRegularizer(factor=1, mode='rows')",
        None,
        "a matrix is needed, and one that is not too large",
    )


@pytest.mark.parametrize(
    ("setting", "written"),
    [
        ("l1", "L1(l1=0.01)"),
        ("L2", "L2(l2=0.01)"),
        ("l1_l2", "L1L2(l1=0.01, l2=0.01)"),
        ({"class_name": "L1L2", "config": {"l1": None, "l2": 0.1}}, "L1L2(l1=0, l2=0.1)"),
        ({"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.1}, "L1L2(l1=0, l2=0.1)"),
        ({"name": "WeightRegularizer", "l1": 0.0, "l2": 0.1}, "L1L2(l1=0, l2=0.1)"),
    ],
)
def test_the_forms_of_a_regulariser(setting: object, written: str) -> None:
    found = penalty(setting, KERNEL)
    assert found.setting == written
    numbers = [float(part.split("=")[1].rstrip(")")) for part in written.split(", ")]
    numbers = numbers if len(numbers) == 2 else [0.0, *numbers] if "l2" in written else [*numbers, 0.0]
    absolute, square = np.abs(KERNEL.astype(float)).sum(), (KERNEL.astype(float) ** 2).sum()
    assert found.value == pytest.approx(numbers[0] * absolute + numbers[1] * square)


@pytest.mark.parametrize(
    "setting",
    [
        {"class_name": "L2", "config": {"l2": 0.1}, "module": "mine", "registered_name": "L2"},
        {"class_name": "L2", "config": {"l2": 0.1}, "module": None, "registered_name": "mine>L2"},
        "L2 of mine",
        7,
    ],
)
def test_an_authors_own_is_named_and_not_computed(setting: object) -> None:
    found = penalty(setting, KERNEL)
    assert (found.value, found.text) == (None, "not one of Keras' own: not computed")
    checked = constraint(setting, KERNEL)
    assert (checked.met, checked.text) == (None, "not one of Keras' own: not checked")
    name = setting["class_name"] if isinstance(setting, dict) else setting if isinstance(setting, str) else ""
    assert found.name == checked.name == name


def test_what_keras_would_not_take() -> None:
    for arguments in ({"l2": -1.0}, {"l2": math.nan}, {"l2": "0.1"}, {"l2": True}, {"l2": 10**400}):
        assert penalty({"class_name": "L2", "config": arguments}, KERNEL).value is None
    assert penalty({"class_name": "OrthogonalRegularizer", "config": {"mode": "both"}}, KERNEL).value is None
    for axis in (2, -3, [0, 0], [0, -2], [], True, None, "0", 0.0):
        found = constraint({"class_name": "UnitNorm", "config": {"axis": axis}}, KERNEL)
        # Without an axis, Keras takes the first.
        assert (found.met is None) == (axis is not None)


def test_which_weight_a_setting_is_about() -> None:
    l2 = {"class_name": "L2", "config": {"l2": 1.0}}
    ones = np.ones(3)
    words = {"depthwise_kernel": "depthwise", "pointwise_kernel": "pointwise", "bias": "bias"}
    for name, word in words.items():
        config = {f"{word}_regularizer": l2}
        assert [bool(penalty_of("SeparableConv2D", config, each, ones)) for each in words] == [
            each == name for each in words
        ]
    assert penalty_of("LSTM", {"recurrent_regularizer": l2}, "recurrent_kernel", ones) is not None
    assert penalty_of("LSTM", {"U_regularizer": l2}, "recurrent_kernel", ones) is not None
    assert penalty_of("Embedding", {"embeddings_regularizer": l2}, "embeddings", ones) is not None
    assert penalty_of("ReversibleEmbedding", {"embeddings_regularizer": l2}, "reverse_embeddings", ones) is None
    assert penalty_of("MultiHeadAttention", {"kernel_regularizer": l2}, "query/kernel", ones) is not None
    assert penalty_of("Dense", {"activity_regularizer": l2}, "kernel", ones) is None
    assert penalty_of("Mine", {"kernel_regularizer": l2}, "kernel", ones) is None
    assert constraint_of("PReLU", {"alpha_constraint": "NonNeg"}, "alpha", ones) is not None
    assert constraint_of("Dense", {"kernel_constraint": None}, "kernel", ones) is None


# With the way in which weights that just meet it must grow, to break it.
CONSTRAINTS_OF_KERAS: dict[str, tuple[Callable[[Any], Any], np.ndarray, int]] = {
    "MaxNorm(max_value=1.5, axis=0)": (lambda made: made.MaxNorm(1.5), KERNEL, 1),
    "MaxNorm(max_value=1.5, axis=-1)": (lambda made: made.MaxNorm(1.5, axis=-1), KERNEL, 1),
    "MaxNorm(max_value=2, axis=[0, 1, 2])": (lambda made: made.MaxNorm(2, axis=[0, 1, 2]), FILTERS, 1),
    "NonNeg()": (lambda made: made.NonNeg(), KERNEL, 0),
    "UnitNorm(axis=1)": (lambda made: made.UnitNorm(axis=1), KERNEL, 1),
    "UnitNorm(axis=[0, 1, 2])": (lambda made: made.UnitNorm(axis=[0, 1, 2]), FILTERS, 1),
    "MinMaxNorm(min_value=3, max_value=4, rate=1, axis=0)": (lambda made: made.MinMaxNorm(3, 4), KERNEL, -1),
    "MinMaxNorm(min_value=0.1, max_value=0.2, rate=1, axis=[1, 2])": (
        lambda made: made.MinMaxNorm(0.1, 0.2, axis=[1, 2]),
        FILTERS,
        1,
    ),
}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("written", CONSTRAINTS_OF_KERAS)
def test_weights_meet_a_constraint_once_keras_has_applied_it(keras: ModuleType, written: str, dtype: str) -> None:
    make, values, way = CONSTRAINTS_OF_KERAS[written]
    applied = make(keras.constraints)
    setting = as_saved(keras, applied)
    random = constraint(setting, values)
    assert (random.name, random.setting, random.met) == (type(applied).__name__, written, False)
    projected = np.asarray(applied(keras.ops.convert_to_tensor(values, dtype)))
    assert constraint(setting, projected).met is True
    # As it is read from a file: in a type that numpy has.
    wide = constraint(setting, projected.astype(np.float32), stored=dtype)
    assert wide.met is True
    if way:
        far = projected.astype(np.float32) * {"float32": 1.001, "float16": 1.02, "bfloat16": 1.2}[dtype] ** way
        assert constraint(setting, far, stored=dtype).met is False


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(40_000, 10), (9, 30_000)])
def test_long_vectors_meet_their_norm(keras: ModuleType, shape: tuple[int, int]) -> None:
    values = RANDOM.normal(size=shape).astype(np.float32)
    for dtype in ("float32", "bfloat16"):
        projected = np.asarray(keras.constraints.UnitNorm()(keras.ops.convert_to_tensor(values, dtype)))
        assert constraint("unit_norm", projected).met is True


def test_what_was_measured() -> None:
    values = np.array([[3.0, 0.5], [4.0, 0.0]])
    at_most = {"class_name": "MaxNorm", "config": {"max_value": 3, "axis": 0}}
    assert constraint(at_most, values) == Constraint(
        "MaxNorm", "MaxNorm(max_value=3, axis=0)", False, 5.0, "largest norm 5 > 3"
    )
    assert constraint(at_most, values / 1.68).text == "largest norm 2.98 ≤ 3"
    assert constraint(at_most, values * 0.60002).text == "largest norm 3.0001 ≈ 3"
    assert constraint(at_most, values * 0.6004).text == "largest norm 3.002 > 3"
    assert constraint("NonNeg", -values).text == "smallest value −4 < 0"
    assert constraint("nonneg", values).text == "smallest value 0 ≥ 0"
    assert constraint("UnitNorm", values / 5).text == "smallest norm 0.1 < 1"
    between = {"class_name": "MinMaxNorm", "config": {"min_value": 1.0, "max_value": 9.0}}
    assert (constraint(between, values).measured, constraint(between, values).met) == (0.5, False)
    # What is out by more counts, in units of what is forgiven.
    tight = {"class_name": "MinMaxNorm", "config": {"min_value": 1.0, "max_value": 100.0}}
    assert constraint(tight, np.array([[0.9995, 100.001]])).met is False
    assert constraint({"name": "MaxNorm", "m": 6, "axis": 0}, values).text == "largest norm 5 ≤ 6"


def test_nan_and_nothing() -> None:
    values = np.array([[0.5, math.nan], [0.1, 1.0]])
    assert constraint("MaxNorm", values).met is None
    assert constraint("MaxNorm", values).text == "largest norm 0.51 ≤ 2, and there is NaN"
    assert constraint("MaxNorm", values * 9).met is False
    assert constraint("NonNeg", np.full(3, math.nan)).met is None
    assert constraint("MaxNorm", np.array([[math.inf]])).met is False
    assert constraint("MaxNorm", np.zeros((0, 3))).met is True
    assert math.isnan(penalty("l2", values).value or 0)


def test_norms_of_axes_that_keras_1_kept_elsewhere() -> None:
    config = {"W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0}, "dim_ordering": "th"}
    found = constraint_of("Conv2D", config, "kernel", FILTERS)
    assert found is not None
    assert found.met is None
    found = constraint_of("Conv2D", config | {"dim_ordering": "tf"}, "kernel", FILTERS)
    assert found is not None
    assert found.measured == pytest.approx(np.linalg.norm(FILTERS, axis=0).max())


@given(arrays(np.float32, array_shapes(max_dims=4), elements=st.floats(width=32)), st.data())
def test_norms_are_those_of_numpy(values: np.ndarray, data: st.DataObject) -> None:
    axes = data.draw(st.sets(st.integers(0, values.ndim - 1), min_size=1).map(sorted))
    found = constraint({"class_name": "MaxNorm", "config": {"max_value": 1e9, "axis": axes}}, values)
    with np.errstate(all="ignore"):
        norms = np.sqrt(np.sum(values.astype(np.float64) ** 2, axis=tuple(axes)))
    if np.isnan(norms).all():
        assert math.isnan(found.measured)
    else:
        assert found.measured == pytest.approx(np.nanmax(norms))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ARGUMENTS = sorted(
    {key for defaults, _ in REGULARIZERS.values() for key in defaults} | {"m", *CONSTRAINTS["MinMaxNorm"]}
)
settings = anything | st.fixed_dictionaries(
    {
        "class_name": st.sampled_from([*REGULARIZERS, *CONSTRAINTS]) | anything,
        "config": st.dictionaries(st.sampled_from(ARGUMENTS), anything | st.lists(st.integers(-3, 3))) | anything,
    },
    optional={"module": anything, "registered_name": anything},
)
KEYS = sorted(
    {f"{word}_{kind}" for words in WORDS.values() for word in words.values() for kind in ("regularizer", "constraint")}
)
WEIGHTS = sorted({(kind, role) for kind, roles in WORDS.items() for role in roles})
VALUES = st.sampled_from([np.float16, np.float32, np.float64, np.int8, ml_dtypes.bfloat16]).flatmap(
    lambda dtype: arrays(np.float16, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)).map(
        lambda values: np.nan_to_num(values).astype(dtype) if dtype is np.int8 else values.astype(dtype)
    )
)


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@given(st.sampled_from(WEIGHTS), st.dictionaries(st.sampled_from(KEYS), settings), VALUES)
def test_nothing_in_a_configuration_raises(weight: tuple[str, str], config: dict[str, Any], values: np.ndarray) -> None:
    added = penalty_of(weight[0], config, weight[1], values)
    assert added is None or added.value is None or isinstance(added.value, float)
    checked = constraint_of(weight[0], config, weight[1], values)
    assert checked is None or checked.met in (True, False, None)
