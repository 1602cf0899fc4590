"""Pairs of checkpoints whose relation is known, and what `weight_widgets.verdict` says of them.

    python scripts/verdict_pairs.py            # prints every pair and the confusion table
    python scripts/verdict_pairs.py --write    # also writes the tables into docs/verdict.md

It needs Keras and JAX for the pairs that are trained here, which takes some minutes. Every run is seeded.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np

import weight_widgets as ww

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "examples" / "models"
FIXTURES = ROOT / "tests" / "fixtures"
MARKS = "<!-- pairs -->\n", "<!-- end of pairs -->\n"
WEIGHTS = ("identical", "renamed", "recast", "permuted", "shared origin", "no trace of one", "undetermined")

Source = Path | Mapping[str, Any] | ww.Checkpoint
Arrays = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Pair:
    """Two checkpoints, and what is known of them."""

    group: str
    about: str
    a: Source
    b: Source
    architecture: str
    weights: str


def all_pairs(folder: Path) -> Iterator[Pair]:
    yield from example_pairs()
    yield from fixture_pairs()
    yield from edited_pairs()
    yield from hard_pairs()
    yield from drawn_pairs()
    yield from trained_pairs(folder)
    yield from held_out_pairs()


def example_pairs() -> Iterator[Pair]:
    """The models of the examples; `examples/models/README.md` says how each was trained."""

    def pair(about: str, a: str, b: str, architecture: str, weights: str) -> Pair:
        return Pair("example models", about, MODELS / a, MODELS / b, architecture, weights)

    for name in ("digits_baseline", "sequence_lstm"):
        ends = (".h5", ".keras", ".weights.h5")
        for a, b in itertools.combinations(ends, 2):
            yield pair(f"{name}: {a} and {b}", name + a, name + b, "same", "identical")
    yield pair("a file and itself", "digits_wide.h5", "digits_wide.h5", "same", "identical")
    baseline = "digits_baseline.h5"
    for name, about in (("dropout", "other seed, dropout"), ("dead", "other seed, 100 × the learning rate")):
        yield pair(about, baseline, f"digits_{name}.h5", "same", "no trace of one")
    yield pair("dropout and dead", "digits_dropout.h5", "digits_dead.h5", "same", "no trace of one")
    yield pair("other seed, wider", baseline, "digits_wide.h5", "overlapping", "no trace of one")
    yield pair("other architecture", baseline, "digits_mlp.h5", "different", "undetermined")
    yield pair("fine-tuned, frozen trunk", baseline, "digits_finetuned.h5", "same", "shared origin")
    yield pair("shared initial weights only", baseline, "digits_twin_init.h5", "same", "shared origin")
    yield pair(
        "fine-tuned, and shared initial weights", "digits_finetuned.h5", "digits_twin_init.h5", "same", "shared origin"
    )
    yield pair("fine-tuned, and other seed", "digits_finetuned.h5", "digits_dropout.h5", "same", "no trace of one")
    lstm = "sequence_lstm.h5"
    yield pair("LSTM: other seed, dropout", lstm, "sequence_lstm_dropout.h5", "same", "no trace of one")
    yield pair("LSTM and GRU", lstm, "sequence_gru.h5", "overlapping", "no trace of one")
    yield pair("LSTM and Bidirectional", lstm, "sequence_bidirectional.h5", "overlapping", "no trace of one")
    yield pair("LSTM and attention", lstm, "sequence_attention.h5", "overlapping", "no trace of one")
    yield pair(
        "GRU and Bidirectional", "sequence_gru.h5", "sequence_bidirectional.h5", "overlapping", "no trace of one"
    )
    yield pair("digits and sequences", baseline, lstm, "different", "undetermined")
    epochs = sorted(path.relative_to(MODELS).as_posix() for path in (MODELS / "epochs").glob("*.weights.h5"))
    for a, b in ((0, 1), (0, 9), (4, 5), (2, 7), (8, 9)):
        yield pair(f"epochs {a + 1} and {b + 1}", epochs[a], epochs[b], "same", "shared origin")
    yield pair("last epoch, and the model saved after it", epochs[9], baseline, "same", "identical")
    yield pair("epoch 3, and shared initial weights", epochs[2], "digits_twin_init.h5", "same", "shared origin")
    yield pair("epoch 10, and other seed", epochs[9], "digits_dropout.h5", "same", "no trace of one")


def fixture_pairs() -> Iterator[Pair]:
    """Files that Keras 2 and 3 wrote of models with the same weights; `tests/fixtures/README.md`."""

    def pair(about: str, a: str, b: str, weights: str) -> Pair:
        return Pair("files of Keras 2 and 3", about, FIXTURES / a, FIXTURES / b, "same", weights)

    for b in ("nested.npz.keras", "nested.unzipped", "nested.weights.json", "nested.weights.h5", "nested.legacy.h5"):
        yield pair(f"nested.h5 and {b}", "keras3/nested.h5", f"keras3/{b}", "identical")
    for name in ("nested", "recurrent", "bidirectional", "convolution"):
        yield pair(
            f"{name}.h5 of Keras 2 and {name}.keras of Keras 3",
            f"keras2/{name}.h5",
            f"keras3/{name}.keras",
            "identical",
        )
    # Keras 2 and Keras 3 before 3.6 give the layers other names in this format.
    for name in ("nested", "recurrent", "convolution"):
        yield pair(
            f"{name}: full model, weights without names", f"keras2/{name}.h5", f"keras2/{name}.weights.h5", "renamed"
        )
    yield pair(
        "convolution: Keras 3.3 without names, Keras 3.15",
        "keras3_3/convolution.weights.h5",
        "keras3/convolution.keras",
        "renamed",
    )


def values_of(source: Source) -> Arrays:
    checkpoint = ww.open_checkpoint(source)
    return {layer: {name: tensor.read() for name, tensor in tensors.items()} for layer, tensors in checkpoint.items()}


def changed(arrays: Arrays, change: Callable[[np.ndarray], np.ndarray], kernels_only: bool = True) -> Arrays:
    return {
        layer: {n: change(v) if v.ndim > 1 or not kernels_only else v.copy() for n, v in tensors.items()}
        for layer, tensors in arrays.items()
    }


def bfloat16(values: np.ndarray, truncate: bool = False) -> np.ndarray:
    bits = values.astype(np.float32).view(np.uint32)
    bits = bits if truncate else bits + np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def edited_pairs() -> Iterator[Pair]:
    """A trained model, and what was made of it."""
    rng = np.random.default_rng(4)
    for name in ("digits_baseline", "sequence_lstm", "sequence_attention"):
        original = values_of(MODELS / f"{name}.h5")
        last, first = [*original][-1], next(iter(original))

        def pair(
            about: str,
            b: Mapping[str, Any],
            weights: str,
            architecture: str = "same",
            a: Arrays = original,
            name: str = name,
        ) -> Pair:
            return Pair("edited", f"{name}: {about}", a, b, architecture, weights)

        yield pair("layers in another order", dict(reversed(original.items())), "identical")
        yield pair("one weight moved by one ulp", _one_ulp(original), "shared origin")
        yield pair("half of the weights pruned", changed(original, lambda v: _pruned(v, 50)), "shared origin")
        yield pair("90 % of the weights pruned", changed(original, lambda v: _pruned(v, 90)), "shared origin")
        yield pair("float16", changed(original, lambda v: v.astype(np.float16), False), "recast")
        yield pair(
            "through float16", changed(original, lambda v: v.astype(np.float16).astype(np.float32), False), "recast"
        )
        yield pair("through bfloat16", changed(original, bfloat16, False), "recast")
        yield pair("through bfloat16, cut off", changed(original, lambda v: bfloat16(v, True)), "recast")
        yield pair("float64", changed(original, lambda v: v.astype(np.float64), False), "recast")
        yield pair("layers renamed", {f"other {n}": v for n, v in enumerate(original.values())}, "renamed")
        yield pair("layers prefixed", {f"student/{n}": v for n, v in original.items()}, "renamed")
        yield pair("10 % noise", changed(original, lambda v: _noisy(v, 0.1, rng)), "shared origin")
        yield pair("as much noise as signal", changed(original, lambda v: _noisy(v, 1.0, rng)), "shared origin")
        yield pair("negated", changed(original, lambda v: -v), "shared origin")
        yield pair(
            "new head", original | {last: _drawn_anew(original[last], rng, wider=3)}, "shared origin", "overlapping"
        )
        yield pair("first layer drawn anew", original | {first: _drawn_anew(original[first], rng)}, "shared origin")
        yield pair(
            "every kernel shuffled",
            changed(original, lambda v: rng.permutation(v.ravel()).reshape(v.shape)),
            "no trace of one",
        )
        yield pair(
            "NaN in every kernel",
            changed(original, lambda v: np.where(rng.random(v.shape) < 0.5, np.nan, v)),
            "undetermined",
        )


def _one_ulp(arrays: Arrays) -> Arrays:
    found = changed(arrays, np.copy)
    kernel = max((v for tensors in found.values() for v in tensors.values()), key=lambda v: v.size)
    kernel.flat[7] = np.nextafter(kernel.flat[7], np.float32(9))
    return found


def _pruned(values: np.ndarray, percent: float) -> np.ndarray:
    return np.where(np.abs(values) < np.percentile(np.abs(values), percent), 0, values).astype(values.dtype)


def _noisy(values: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    return values + (share * values.std() * rng.normal(size=values.shape)).astype(values.dtype)


def _drawn_anew(tensors: Mapping[str, np.ndarray], rng: np.random.Generator, wider: int = 0) -> dict[str, np.ndarray]:
    shapes = {name: (*values.shape[:-1], values.shape[-1] + wider) for name, values in tensors.items()}
    return {name: rng.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()}


def hard_pairs() -> Iterator[Pair]:
    """Pairs of which a simple rule says too much: what is shared is no origin, or is no rounding."""

    def pair(about: str, a: Mapping[str, Any], b: Mapping[str, Any], weights: str) -> Pair:
        return Pair("hard", about, a, b, "same", weights)

    one, other = values_of(MODELS / "digits_baseline.h5"), values_of(MODELS / "digits_dropout.h5")

    def pruned(arrays: Arrays) -> Arrays:
        return changed(arrays, lambda v: _pruned(v, 80))

    yield pair("independent, both 80 % zeros", pruned(one), pruned(other), "no trace of one")
    yield pair(
        "independent, both through bfloat16", changed(one, bfloat16), changed(other, bfloat16), "no trace of one"
    )
    narrow = changed(one, bfloat16)
    moved = changed(narrow, np.copy)
    moved["conv_2"]["kernel"].view(np.uint32).flat[5] += 1 << 16
    yield pair("one weight moved by one ulp of bfloat16", narrow, moved, "shared origin")
    doubled = changed(one, lambda v: 2 * v)
    yield pair("twice as large", one, doubled, "shared origin")
    biases = {layer: {n: v if v.ndim > 1 else v + 1 for n, v in tensors.items()} for layer, tensors in one.items()}
    yield pair("biases and statistics alone changed", one, biases, "shared origin")
    statistics = {
        layer: {n: other[layer][n] if v.ndim > 1 else v for n, v in tensors.items()} for layer, tensors in one.items()
    }
    yield pair("biases and statistics alone shared", one, statistics, "no trace of one")
    lost = changed(one, np.copy)
    lost["dense_1"]["kernel"][3, 4] = np.nan
    yield pair("one weight is NaN", one, lost, "shared origin")
    yield pair("the same with one NaN, and itself", lost, changed(lost, np.copy), "identical")
    swapped = {
        n: one[m] for n, m in zip(one, ["conv_1", "norm_1", "conv_2", "norm_2", "dense_1", "output"], strict=True)
    }
    yield pair("the same in new objects", one, swapped, "identical")


def drawn_pairs() -> Iterator[Pair]:
    """Weights drawn here, as of models that nobody trained."""

    def stack(seed: int, scales: bool = False) -> Arrays:
        rng = np.random.default_rng(seed)
        shared = np.random.default_rng(0)
        sizes = (40, 64, 64, 64, 10)
        found = {}
        for number, (inputs, units) in enumerate(itertools.pairwise(sizes)):
            rows = np.exp(shared.normal(size=(inputs, 1))) if scales else np.ones((inputs, 1))
            offsets = shared.normal(size=(inputs, 1)) if scales else 0.0
            kernel = rows * (rng.normal(size=(inputs, units)) + offsets)
            found[f"dense_{number}"] = {"kernel": kernel.astype("f4"), "bias": np.zeros(units, "f4")}
        return found

    def pair(about: str, a: Mapping[str, Any], b: Mapping[str, Any], weights: str, architecture: str = "same") -> Pair:
        return Pair("drawn", about, a, b, architecture, weights)

    yield pair("independent", stack(1), stack(2), "no trace of one")
    yield pair("independent, rows of shared scale and mean", stack(1, True), stack(2, True), "no trace of one")
    shifted = {f"dense_{4 + number}": tensors for number, tensors in enumerate(stack(1).values())}
    yield pair("the same, siblings numbered on", stack(1), shifted, "renamed")
    rng = np.random.default_rng(3)
    inserted = [*stack(1).values()]
    inserted.insert(2, {"kernel": rng.normal(size=(64, 64)).astype("f4"), "bias": np.zeros(64, "f4")})
    numbered = {f"dense_{number}": tensors for number, tensors in enumerate(inserted)}
    yield pair("a layer inserted among its siblings", stack(1), numbered, "shared origin", "overlapping")
    yield pair("units in another order", stack(1), _permuted(stack(1), rng), "permuted")
    small = [{"dense": {"kernel": np.random.default_rng(n).normal(size=(2, 3)), "bias": np.zeros(3)}} for n in (1, 2)]
    yield pair("six weights", small[0], small[1], "undetermined")
    zeros = {name: {n: np.zeros_like(v) for n, v in tensors.items()} for name, tensors in stack(1).items()}
    ones = {name: {n: np.ones_like(v) for n, v in tensors.items()} for name, tensors in stack(1).items()}
    yield pair("constants", ones, zeros, "undetermined")
    yield pair(
        "one tensor of biases",
        {"a": {"bias": rng.normal(size=90)}},
        {"a": {"bias": rng.normal(size=90)}},
        "undetermined",
        "same",
    )


def _permuted(arrays: Arrays, rng: np.random.Generator) -> Arrays:
    found: Arrays = {}
    before = None
    for number, (name, tensors) in enumerate(arrays.items()):
        kernel = tensors["kernel"] if before is None else tensors["kernel"][before]
        units = kernel.shape[1]
        before = rng.permutation(units) if number < len(arrays) - 1 else np.arange(units)
        found[name] = {"kernel": kernel[:, before], "bias": tensors["bias"][before]}
    return found


def trained_pairs(folder: Path) -> Iterator[Pair]:
    """Small models that Keras trains here."""
    import keras
    from keras import layers

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 12)).astype("f4")
    teacher = rng.normal(size=(12, 24)), rng.normal(size=(24, 5))
    y = np.argmax(np.tanh(x @ teacher[0]) @ teacher[1], axis=1)

    def mlp(seed: int, names: str = "", hidden: int = 2, classes: int = 5) -> Any:
        keras.utils.set_random_seed(seed)
        named = (lambda n: {"name": f"{names}{n}"}) if names else (lambda n: {})
        stack = [layers.Dense(32, activation="relu", **named(n)) for n in range(hidden)]
        return keras.Sequential([keras.Input((12,)), *stack, layers.Dense(classes, **named("head"))])

    def fitted(
        model: Any, epochs: int = 20, seed: int = 0, rate: float = 3e-3, share: slice = slice(None), target: Any = y
    ) -> Any:
        keras.utils.set_random_seed(seed)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(rate), loss)
        model.fit(x[share], target[share], batch_size=64, epochs=epochs, verbose=0)
        return model

    def saved(name: str, model: Any, end: str = ".keras") -> Path:
        path = folder / f"{name}{end}"
        model.save_weights(path) if end == ".weights.h5" else model.save(path)
        return path

    def pair(about: str, a: Path, b: Path, weights: str, architecture: str = "same") -> Pair:
        return Pair("trained with Keras", about, a, b, architecture, weights)

    base = fitted(mlp(1, "fc_"))
    path = saved("base", base)
    yield pair("other seed", path, saved("seed", fitted(mlp(2, "fc_"), seed=2)), "no trace of one")
    yield pair(
        "other seed, from a teacher's labels",
        path,
        saved("student", fitted(mlp(3, "fc_"), target=np.argmax(base.predict(x, verbose=0), 1))),
        "no trace of one",
    )
    yield pair(
        "before training, other seeds", saved("raw_1", mlp(5, "fc_")), saved("raw_2", mlp(6, "fc_")), "no trace of one"
    )
    yield pair("before and after training", saved("raw", mlp(1, "fc_")), path, "shared origin")
    yield pair(
        "shared initial weights, other order", path, saved("twin", fitted(mlp(1, "fc_"), seed=9)), "shared origin"
    )
    yield pair(
        "shared initial weights, disjoint data",
        saved("half_1", fitted(mlp(4, "fc_"), share=slice(0, 1000))),
        saved("half_2", fitted(mlp(4, "fc_"), share=slice(1000, None))),
        "shared origin",
    )
    yield pair(
        "shared initial weights, other labels",
        path,
        saved("labels", fitted(mlp(1, "fc_"), target=(y + 1) % 5)),
        "shared origin",
    )
    yield pair("trained on", path, saved("on", fitted(keras.models.load_model(path), 10, 3)), "shared origin")

    frozen = keras.models.load_model(path)
    for layer in frozen.layers[:-1]:
        layer.trainable = False
    yield pair("head alone trained on", path, saved("frozen", fitted(frozen, 5, 4)), "shared origin")
    head = keras.Sequential([*keras.models.load_model(path).layers[:-1], layers.Dense(7, name="fc_head")])
    head.layers[0].trainable = False
    yield pair("new head, one layer frozen", path, saved("head", fitted(head, 5, 5)), "shared origin", "overlapping")
    yield pair(
        "one layer more, other seed",
        path,
        saved("deeper", fitted(mlp(7, "fc_", hidden=3))),
        "no trace of one",
        "overlapping",
    )

    keras.utils.clear_session()
    first = fitted(mlp(11))
    second = mlp(12)
    second.set_weights(first.get_weights())
    yield pair("the same, numbered on in one session", saved("auto_1", first), saved("auto_2", second), "renamed")
    fitted(second, 5, 6)
    yield pair("trained on, numbered on", folder / "auto_1.keras", saved("auto_3", second), "shared origin")
    yield pair("numbered on, weights file", folder / "auto_1.keras", saved("auto_4", first, ".weights.h5"), "identical")

    pruned = keras.models.load_model(path)
    pruned.set_weights([_pruned(values, 70) if values.ndim > 1 else values for values in pruned.get_weights()])
    yield pair("pruned, then trained on", path, saved("pruned", fitted(pruned, 5, 7)), "shared origin")

    for mode in ("int8", "int4"):
        quantised = keras.models.load_model(path)
        quantised.quantize(mode)
        yield pair(f"quantised to {mode}", path, saved(mode, quantised), "recast")
    yield pair("quantised to int8 and to int4", folder / "int8.keras", folder / "int4.keras", "recast")
    other = keras.models.load_model(folder / "seed.keras")
    other.quantize("int8")
    yield pair("other seed, quantised", path, saved("seed_int8", other), "no trace of one")
    on = keras.models.load_model(folder / "on.keras")
    on.quantize("int8")
    yield pair("trained on, then quantised", path, saved("on_int8", on), "shared origin")

    for kind in ("float16", "bfloat16"):
        keras.config.set_dtype_policy(kind)
        narrow = mlp(1, "fc_")
        keras.config.set_dtype_policy("float32")
        narrow.set_weights(base.get_weights())
        yield pair(f"saved in {kind}", path, saved(kind, narrow), "recast")

    def linear(seed: int) -> Any:
        keras.utils.set_random_seed(seed)
        model = keras.Sequential([keras.Input((12,)), layers.Dense(5, name="only", kernel_initializer="random_normal")])
        return fitted(model, 60, seed, 1e-2)

    def identity(seed: int) -> Any:
        keras.utils.set_random_seed(seed)
        cell = layers.SimpleRNN(24, activation="relu", recurrent_initializer="identity", name="memory")
        model = keras.Sequential([keras.Input((4, 3)), cell, layers.Dense(5, name="head")])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(3e-3), loss)
        model.fit(x.reshape(-1, 4, 3), y, batch_size=64, epochs=10, verbose=0)
        return model

    yield pair(
        "recurrent kernels that start as the identity",
        saved("rnn_1", identity(1)),
        saved("rnn_2", identity(2)),
        "no trace of one",
    )
    long = [saved(f"long_{seed}", fitted(mlp(8, "fc_"), 150, seed, 1e-2)) for seed in (1, 2)]
    yield pair("shared initial weights, trained for long", *long, "shared origin")
    # Both come near the one best solution: no origin in common.
    yield pair(
        "one layer alone, other seeds", saved("linear_1", linear(1)), saved("linear_2", linear(2)), "undetermined"
    )


def held_out_pairs() -> Iterator[Pair]:
    """Models of other kinds, trained after the thresholds were set: three seeds each, and one start trained twice."""
    import keras
    from keras import layers

    rng = np.random.default_rng(77)
    y = rng.integers(0, 10, 1500)
    blocks = rng.normal(size=(10, 4, 4))[y] + 0.8 * rng.normal(size=(1500, 4, 4))
    x = (blocks.repeat(2, 1).repeat(2, 2) + 0.3 * rng.normal(size=(1500, 8, 8))).clip(0).astype("f4")

    def attention(inputs: Any) -> Any:
        tokens = layers.Dense(16, name="embed")(inputs)
        mixed = layers.MultiHeadAttention(2, 8, name="attention")(tokens, tokens)
        return layers.Flatten()(layers.LayerNormalization(name="norm")(tokens + mixed))

    def convolutions(inputs: Any) -> Any:
        hidden = layers.Conv2D(8, 3, activation="relu", name="conv")(layers.Reshape((8, 8, 1))(inputs))
        hidden = layers.DepthwiseConv2D(3, name="depthwise")(hidden)
        return layers.Flatten()(layers.SeparableConv2D(12, 3, activation="relu", name="separable")(hidden))

    bodies: dict[str, Callable[[Any], Any]] = {
        "convolutions": convolutions,
        "Bidirectional(GRU)": lambda inputs: layers.Bidirectional(layers.GRU(20), name="memory")(inputs),
        "attention": attention,
        "400 units": lambda inputs: layers.Dense(400, "tanh", name="wide")(layers.Flatten()(inputs)),
        "5 units": lambda inputs: layers.Dense(5, "relu", name="narrow")(layers.Flatten()(inputs)),
    }

    def trained(body: Callable[[Any], Any], start: int, seed: int) -> ww.Checkpoint:
        keras.utils.set_random_seed(start)
        inputs = keras.Input((8, 8))
        model = keras.Model(inputs, layers.Dense(10, name="head")(body(inputs)))
        keras.utils.set_random_seed(seed)
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, y, batch_size=64, epochs=12, verbose=0)
        return ww.open_checkpoint(model)

    for name, body in bodies.items():
        models = [trained(body, seed, seed) for seed in (20, 21, 22)]
        for (i, a), (j, b) in itertools.combinations(enumerate(models), 2):
            yield Pair("held out", f"{name}: seeds {i} and {j}", a, b, "same", "no trace of one")
        twin = trained(body, 20, 90)
        yield Pair("held out", f"{name}: shared initial weights", models[0], twin, "same", "shared origin")


def table(pairs: list[tuple[Pair, ww.Verdict]]) -> str:
    """The confusion table, and all pairs by group, in Markdown."""
    counts = Counter((pair.weights, found.weights) for pair, found in pairs)
    lines = ["| known \\ said | " + " | ".join(WEIGHTS) + " |", "|---" * (len(WEIGHTS) + 1) + "|"]
    for known in WEIGHTS:
        cells = [str(counts[known, said] or "·") for said in WEIGHTS]
        lines.append(f"| **{known}** | " + " | ".join(cells) + " |")
    right = sum(pair.architecture == found.architecture for pair, found in pairs)
    lines += ["", f"{len(pairs)} pairs; the architecture is told rightly of {right}.", ""]
    lines += ["| group | pair | known | said |", "|---|---|---|---|"]
    for pair, found in pairs:
        known, said = (f"{one.architecture}, {one.weights}" for one in (pair, found))
        lines.append(f"| {pair.group} | {pair.about} | {known} | {said if said != known else '✓'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/verdict.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [(pair, ww.verdict(pair.a, pair.b)) for pair in all_pairs(Path(folder))]
    for pair, verdict in found:
        if (pair.architecture, pair.weights) != (verdict.architecture, verdict.weights):
            print(
                "WRONG", pair.group, pair.about, pair.architecture, pair.weights, verdict.architecture, verdict.sentence
            )
            for line in verdict.evidence:
                print("     ", line)
    text = table(found)
    print(text)
    if arguments.write:
        page = ROOT / "docs" / "verdict.md"
        before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        page.write_text(f"{before}{MARKS[0]}{text}{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
