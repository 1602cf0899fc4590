"""Initial distributions against what real Keras layers draw, against scipy, and on hostile configurations."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from weight_widgets.analysis.distributions import (
    Coordinate,
    Distribution,
    Mixture,
    Normal,
    Point,
    TruncatedNormal,
    Uniform,
    expected_counts,
)
from weight_widgets.analysis.initial import FIXED, OTHERS, Initial, initial_state
from weight_widgets.analysis.initializers import MAKERS, compute_fans
from weight_widgets.analysis.settings import WORDS

ATTENTION_PLACES = {"attention_output": "output"}


def drawn(layer: Any, *shape: int | None) -> tuple[str, dict[str, Any], dict[str, np.ndarray]]:
    """Class, configuration as a file has it, and the weights of a layer that was built for an input."""
    if type(layer).__name__ in ("MultiHeadAttention", "GroupedQueryAttention"):
        layer.build(shape, shape)
    else:
        layer.build(shape)
    weights = {}
    for weight in layer.weights:
        *_, place, role = weight.path.split("/")
        place = ATTENTION_PLACES.get(place, place)
        name = f"{place}/{role}" if place in ("query", "key", "value", "output", "gate") else role
        weights[name] = np.asarray(weight.value)
    return type(layer).__name__, json.loads(json.dumps(layer.get_config())), weights


def assert_drawn_from(initial: Initial, values: np.ndarray) -> None:
    """The values agree with the distribution within five standard errors, and stay inside of its support."""
    values = np.sort(values.astype(np.float64), axis=None)
    n, scale = values.size, max(abs(initial.mean), initial.std)
    assert values.mean() == pytest.approx(initial.mean, abs=5 * initial.std / math.sqrt(n) + 1e-6 * scale)
    assert values.std() == pytest.approx(initial.std, rel=5 / math.sqrt(2 * n) + 1e-6, abs=1e-6 * scale)
    rounding = 1e-6 * np.abs(values) + 1e-12
    assert (values >= initial.low - rounding).all()
    assert (values <= initial.high + rounding).all()
    # The distance of Kolmogorov and Smirnov, with float32 taken into account where there are steps.
    up_to = np.searchsorted(values, values, "right") / n
    below = np.searchsorted(values, values, "left") / n
    distance = max(
        np.abs(initial.cdf(values + rounding) - up_to).max(), np.abs(initial.cdf(values - rounding) - below).max()
    )
    assert distance < 2.3 / math.sqrt(n)


def assert_all_drawn(layer: Any, *shape: int | None, source: str = "config") -> dict[str, Initial]:
    class_name, config, weights = drawn(layer, *shape)
    found = {}
    for name, values in weights.items():
        initial = initial_state(class_name, config, name, values.shape)
        assert initial is not None, name
        assert initial.source == source
        assert_drawn_from(initial, values)
        found[name] = initial
    return found


INITIALIZERS: dict[str, Callable[[Any], Any]] = {
    "Zeros": lambda made: made.Zeros(),
    "Ones": lambda made: made.Ones(),
    "Constant": lambda made: made.Constant(-0.1),
    "RandomUniform": lambda made: made.RandomUniform(-0.2, 0.7, seed=1),
    "RandomNormal": lambda made: made.RandomNormal(0.3, 0.2, seed=1),
    "TruncatedNormal": lambda made: made.TruncatedNormal(-0.3, 0.2, seed=1),
    **{
        name: (lambda made, name=name: getattr(made, name)(seed=1))
        for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal")
    },
    **{
        f"VarianceScaling {mode} {law}": (
            lambda made, mode=mode, law=law: made.VarianceScaling(0.7, mode=mode, distribution=law, seed=1)
        )
        for mode in ("fan_in", "fan_out", "fan_avg")
        for law in ("uniform", "truncated_normal", "untruncated_normal")
    },
    "Orthogonal": lambda made: made.Orthogonal(1.5, seed=1),
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_what_a_dense_layer_draws(keras: ModuleType, name: str) -> None:
    layer = keras.layers.Dense(150, kernel_initializer=INITIALIZERS[name](keras.initializers))
    found = assert_all_drawn(layer, None, 400)
    assert found["kernel"].kind == name.split()[0]
    assert found["kernel"].fans == ((400, 150) if "Scaling" in name or name[:2] in ("Gl", "He", "Le") else None)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_what_a_convolution_draws(keras: ModuleType, name: str) -> None:
    layer = keras.layers.Conv2D(64, (3, 5), kernel_initializer=INITIALIZERS[name](keras.initializers))
    assert_all_drawn(layer, None, 40, 40, 48)


LAYERS: dict[str, tuple[Callable[[Any], Any], tuple[int | None, ...]]] = {
    "transposed": (lambda made: made.Conv2DTranspose(40, 3, kernel_initializer="he_normal"), (None, 20, 20, 80)),
    "grouped": (lambda made: made.Conv1D(80, 7, groups=4, kernel_initializer="he_uniform"), (None, 20, 160)),
    "depthwise": (lambda made: made.DepthwiseConv2D(5, depth_multiplier=3), (None, 20, 20, 200)),
    "separable": (
        lambda made: made.SeparableConv2D(90, 5, depth_multiplier=2, pointwise_initializer="lecun_normal"),
        (None, 20, 20, 80),
    ),
    "simple": (lambda made: made.SimpleRNN(120), (None, 5, 90)),
    "LSTM": (lambda made: made.LSTM(120), (None, 5, 90)),
    "LSTM without": (lambda made: made.LSTM(60, unit_forget_bias=False), (None, 5, 90)),
    "LSTM with noise": (
        lambda made: made.LSTM(500, bias_initializer="he_uniform"),
        (None, 5, 2),
    ),
    "GRU": (lambda made: made.GRU(120, bias_initializer="lecun_uniform"), (None, 5, 90)),
    "ConvLSTM": (lambda made: made.ConvLSTM2D(30, 3), (None, 5, 20, 20, 16)),
    "embedding": (lambda made: made.Embedding(700, 90), (None, 5)),
    "batch": (lambda made: made.BatchNormalization(), (None, 30)),
    "layer": (lambda made: made.LayerNormalization(gamma_initializer="random_normal"), (None, 9000)),
    "group": (lambda made: made.GroupNormalization(5), (None, 30)),
    "prelu": (lambda made: made.PReLU(alpha_initializer="uniform"), (None, 9000)),
    "einsum": (
        lambda made: made.EinsumDense("abc,dce->abde", (20, 60, 50), kernel_initializer="he_normal"),
        (None, 20, 70),
    ),
    "heads": (lambda made: made.MultiHeadAttention(6, 25, value_dim=40), (None, 9, 120)),
    "heads by rows": (lambda made: made.MultiHeadAttention(6, 25, kernel_initializer="he_normal"), (None, 9, 120)),
    "grouped heads": (lambda made: made.GroupQueryAttention(20, 12, 6), (None, 9, 120)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYERS)
def test_what_layers_draw(keras: ModuleType, name: str) -> None:
    make, shape = LAYERS[name]
    keras.utils.set_random_seed(20)
    assert_all_drawn(make(keras.layers), *shape)


def test_weights_without_a_setting(keras: ModuleType) -> None:
    layer = keras.layers.Attention(use_scale=True, score_mode="concat")
    layer.build([(None, 3, 4), (None, 3, 4)])
    for weight in layer.weights:
        found = initial_state("Attention", layer.get_config(), weight.name, ())
        assert found is not None
        assert found.distribution == Point(float(weight.value))
    layer = keras.layers.AdditiveAttention()
    layer.build([(None, 3, 5000), (None, 3, 5000)])
    found = initial_state("AdditiveAttention", layer.get_config(), "scale", (5000,))
    assert found is not None
    assert_drawn_from(found, np.asarray(layer.scale.value))


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (5, 5), (1, 1)])
def test_an_identity(keras: ModuleType, shape: tuple[int, int]) -> None:
    config = {"kernel_initializer": {"class_name": "Identity", "config": {"gain": 0.5}}}
    values = np.asarray(keras.initializers.Identity(0.5)(shape))
    found = initial_state("Dense", config, "kernel", shape)
    assert found is not None
    assert (found.mean, found.std) == pytest.approx((values.mean(), values.std()))
    edges = np.linspace(0, 1, 5)
    np.testing.assert_allclose(found.expected_counts(edges, values.size), np.histogram(values, edges)[0], atol=1e-9)
    # Which is how Keras 3 writes it.
    config = {"kernel_initializer": keras.saving.serialize_keras_object(keras.initializers.Identity(0.5))}
    assert initial_state("Dense", config, "kernel", shape) is None


@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (5, 3, 4), (2, 3, 4, 5), (2, 3, 4, 5, 6), (0, 3)])
def test_fans_are_those_of_keras(keras: ModuleType, shape: tuple[int, ...]) -> None:
    from keras.src.initializers.random_initializers import compute_fans as of_keras

    assert compute_fans(shape) == of_keras(shape)


@pytest.mark.parametrize("name", LAYERS)
def test_defaults_are_those_of_keras(keras: ModuleType, name: str) -> None:
    """The same distribution when the configuration names the initializer, and when it is left out."""
    make, shape = LAYERS[name]
    layer = make(keras.layers)
    plain = {key: value for key, value in layer.get_config().items() if not key.endswith("_initializer")}
    class_name, config, weights = drawn(type(layer).from_config(plain), *shape)
    for role, values in weights.items():
        named = initial_state(class_name, config, role, values.shape)
        left_out = initial_state(class_name, plain, role, values.shape)
        assert named is not None
        if left_out is None:
            # What an einsum takes for inputs depends on the version.
            assert role.endswith("kernel")
            assert named.fans != compute_fans(values.shape)
        else:
            assert left_out.distribution == named.distribution
            assert (left_out.kind, left_out.source) == (named.kind, "default")


GLOROT = {"class_name": "GlorotUniform", "config": {"seed": None}}


@pytest.mark.parametrize(
    "initializer",
    [
        GLOROT,
        GLOROT | {"module": "keras.initializers", "registered_name": None},
        {"class_name": "glorot_uniform", "config": {}},
        {"class_name": "GlorotUniformV2", "config": {"seed": None, "dtype": "float32"}},
        {"class_name": "VarianceScaling", "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform"}},
        "glorot_uniform",
        "GlorotUniform",
    ],
)
def test_the_forms_of_a_setting(initializer: Any) -> None:
    found = initial_state("Dense", {"kernel_initializer": initializer}, "kernel", (30, 20))
    assert found is not None
    assert found.distribution == Uniform(pytest.approx(-math.sqrt(6 / 50)), pytest.approx(math.sqrt(6 / 50)))
    assert (found.source, found.fans) == ("config", (30, 20))


@pytest.mark.parametrize(
    "initializer",
    [
        None,
        "mine",
        GLOROT | {"module": "mine", "registered_name": "GlorotUniform"},
        GLOROT | {"module": None, "registered_name": "mine>GlorotUniform"},
        {"class_name": "RandomNormal", "config": {"stddev": -1.0}},
        {"class_name": "RandomNormal", "config": {"stddev": math.nan}},
        {"class_name": "RandomUniform", "config": {"minval": 2, "maxval": 1}},
        {"class_name": "Constant", "config": {"value": [1, 2]}},
        {"class_name": "VarianceScaling", "config": {"scale": 0.0}},
        {"class_name": "VarianceScaling", "config": {"mode": "fan"}},
        {"class_name": "VarianceScaling", "config": {"distribution": ["uniform"]}},
        {"class_name": "Orthogonal", "config": {"gain": 10**400}},
        {"class_name": "STFT", "config": {}},
    ],
)
def test_what_keras_would_not_take_or_does_not_know(initializer: Any) -> None:
    assert initial_state("Dense", {"kernel_initializer": initializer}, "kernel", (30, 20)) is None


def test_weights_of_which_nothing_is_known() -> None:
    config = {"kernel_initializer": "glorot_uniform"}
    assert initial_state("Mine", config, "kernel", (3, 4)) is None
    assert initial_state("Dense", config, "weight 0", (3, 4)) is None
    assert initial_state("Normalization", {}, "mean", (3,)) is None
    # Keras 1 drew `glorot_normal` without cutting it off, and each gate apart.
    assert initial_state("LSTM", {"init": "glorot_normal"}, "kernel", (3, 8)) is None
    assert initial_state("Dense", {"kernel_initializer": "orthogonal"}, "kernel", (3,)) is None


def test_kernels_of_heads_are_counted_as_the_version_does() -> None:
    """Keras before 3.15 took a kernel of three axes for a convolution, and does not write of axes."""
    new = {"class_name": "HeNormal", "config": {"seed": None, "input_axes": None, "output_axes": None}}
    old = {"class_name": "HeNormal", "config": {"seed": None}}
    shape = (100, 4, 8)

    def fans(class_name: str, config: dict[str, Any], name: str) -> object:
        found = initial_state(class_name, config, name, shape)
        return found and found.fans

    assert fans("MultiHeadAttention", {"kernel_initializer": new}, "query/kernel") == (100, 32)
    assert fans("MultiHeadAttention", {"kernel_initializer": new}, "output/kernel") == (400, 8)
    assert fans("MultiHeadAttention", {"kernel_initializer": old}, "query/kernel") == (400, 800)
    assert fans("MultiHeadAttention", {"kernel_initializer": "he_normal"}, "query/kernel") is None
    assert fans("EinsumDense", {"kernel_initializer": new, "equation": "ab,cbd->acd"}, "kernel") == (4, 800)
    assert fans("EinsumDense", {"kernel_initializer": old, "equation": "ab,cbd->acd"}, "kernel") == (400, 800)
    assert fans("EinsumDense", {"kernel_initializer": new, "equation": "nonsense"}, "kernel") is None
    # Given axes hold for every layer.
    given = {"class_name": "HeNormal", "config": {"input_axes": [1, -1], "output_axes": [0]}}
    assert fans("Conv1D", {"kernel_initializer": given}, "kernel") == (32, 100)


def test_the_gates_of_an_lstm_bias() -> None:
    config = {"bias_initializer": {"class_name": "Constant", "config": {"value": 0.5}}}
    gates = {gate: initial_state("LSTM", config, "bias", (12,), gate) for gate in ("input", "forget", "cell", "output")}
    assert {gate: found and found.distribution for gate, found in gates.items()} == {
        gate: Point(1.0 if gate == "forget" else 0.5) for gate in gates
    }
    whole = initial_state("LSTM", config, "bias", (12,))
    assert whole is not None
    np.testing.assert_array_equal(whole.expected_counts(np.array([0.0, 0.5, 1.0]), 12), [0, 12])
    np.testing.assert_array_equal(whole.expected_counts(np.array([0.0, 0.6, 1.0, 1.2]), 12), [9, 0, 3])
    assert initial_state("LSTM", config | {"unit_forget_bias": False}, "bias", (12,), "forget") == gates["input"]
    assert initial_state("LSTM", config, "bias", (13,)) is None
    # A gate of a kernel is drawn with the whole.
    kernel = initial_state("LSTM", {}, "kernel", (5, 12))
    assert kernel is not None
    assert initial_state("LSTM", {}, "kernel", (5, 12), "forget") == kernel
    # Where the ones of an identity fall, differs from gate to gate.
    assert initial_state("LSTM", {"kernel_initializer": "identity"}, "kernel", (5, 12), "forget") is None


def test_renormalisation_starts_at_the_root() -> None:
    config = {"moving_variance_initializer": {"class_name": "Constant", "config": {"value": 4.0}}}
    assert initial_state("BatchNormalization", config, "renorm_stddev", (3,)).distribution == Point(2.0)
    assert initial_state("BatchNormalization", {}, "renorm_mean", (3,)).distribution == Point(0.0)
    config = {"moving_variance_initializer": "random_uniform"}
    assert initial_state("BatchNormalization", config, "moving_stddev", (3,)) is None


REFERENCES: list[tuple[Distribution, Any]] = [
    (Uniform(-0.3, 1.2), scipy.stats.uniform(-0.3, 1.5)),
    (Normal(0.4, 2.5), scipy.stats.norm(0.4, 2.5)),
    (TruncatedNormal(0.4, 2.5), scipy.stats.truncnorm(-2, 2, 0.4, 2.5)),
    # x = 2b − 1 of a symmetric beta distribution is the coordinate of a point on a sphere.
    *((Coordinate(1.7, n), scipy.stats.beta((n - 1) / 2, (n - 1) / 2, -1.7, 3.4)) for n in (2, 3, 4, 50, 2048)),
]


@pytest.mark.parametrize(("ours", "reference"), REFERENCES, ids=lambda made: type(made).__name__)
def test_distributions_are_those_of_scipy(ours: Distribution, reference: Any) -> None:
    x = np.linspace(-8, 8, 401)
    np.testing.assert_allclose(ours.cdf(x), reference.cdf(x), rtol=1e-10, atol=1e-13)
    assert ours.mean == pytest.approx(reference.mean(), abs=1e-12)
    assert ours.std == pytest.approx(reference.std(), rel=1e-10)
    assert (ours.low, ours.high) == pytest.approx(reference.support())


def test_moments_of_a_mixture() -> None:
    parts = Mixture(((0.25, Point(1.0)), (0.75, Uniform(-2.0, 0.0))))
    values = np.concatenate([np.ones(10_000), np.linspace(-2, 0, 30_000)])
    assert (parts.mean, parts.std) == pytest.approx((values.mean(), values.std()), rel=1e-3)
    assert (parts.low, parts.high) == (-2.0, 1.0)


points = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])


@given(st.lists(points, min_size=1, max_size=20), st.sets(points, min_size=2))
def test_counts_of_constants_fall_into_the_bins_of_numpy(values: list[float], cuts: set[float]) -> None:
    edges = np.array(sorted(cuts))
    mixture = Mixture(tuple((1 / len(values), Point(value)) for value in values))
    expected = np.histogram(values, edges)[0]
    np.testing.assert_allclose(expected_counts(mixture, edges, len(values)), expected, atol=1e-9)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
arguments = st.dictionaries(
    st.sampled_from(
        [
            "value",
            "minval",
            "maxval",
            "mean",
            "stddev",
            "scale",
            "mode",
            "distribution",
            "gain",
            "input_axes",
            "output_axes",
        ]
    ),
    anything | st.lists(st.integers(-3, 3), max_size=3) | st.sampled_from(["fan_in", "fan_avg", "uniform", "normal"]),
)
settings = anything | st.fixed_dictionaries(
    {"class_name": st.sampled_from([*MAKERS]) | anything, "config": arguments | anything},
    optional={"module": st.just("keras.initializers") | anything, "registered_name": anything},
)
WEIGHTS = sorted({(kind, role) for kind, roles in WORDS.items() for role in roles} | {*FIXED} | {*OTHERS})
configs = st.dictionaries(
    st.sampled_from(sorted({f"{word}_initializer" for words in WORDS.values() for word in words.values()})), settings
)
others = st.dictionaries(st.sampled_from(["unit_forget_bias", "equation", "init", "output_shape"]), anything)
shapes = st.lists(st.integers(0, 9) | st.just(2**40), max_size=5).map(tuple)


@given(
    st.sampled_from(WEIGHTS), st.sampled_from(["", "query/", "output/"]), configs, others, shapes, st.text(max_size=6)
)
def test_nothing_in_a_configuration_raises(
    weight: tuple[str, str], place: str, config: dict[str, Any], more: dict[str, Any], shape: tuple[int, ...], part: str
) -> None:
    found = initial_state(weight[0], config | more, place + weight[1], shape, part)
    if found is None:
        return
    assert math.isfinite(found.mean)
    assert math.isfinite(found.std)
    assert found.std >= 0
    assert found.low <= found.mean <= found.high
    edges = np.array([-1e308, -1.0, 0.0, 0.5, 1e308])
    counts = found.expected_counts(edges, 1000)
    assert (counts >= -1e-9).all()
    assert counts.sum() == pytest.approx(1000)
