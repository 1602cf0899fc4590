"""Train the models of the examples with Keras and write them, with a README, into models/ beside this script.

    pip install keras jax scikit-learn
    python make_models.py [--out FOLDER]

It takes a few minutes on a CPU and downloads nothing: the digits come with scikit-learn, the sequences are made here.
Every run is seeded, so running it again on the same machine with the same versions gives the same weights.
"""

import argparse
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SPLIT_SEED = 0
EPOCH_FILES = "epochs/digits_{epoch:02d}-{val_accuracy:.2f}.weights.h5"
DIVERGING_FILES = "diverging/digits_{epoch:02d}.weights.h5"
# What ww.demo() shows.
BUNDLED = ("digits_baseline.h5", "digits_finetuned.h5", "digits_dropout.h5", "digits_dead.h5")
README = """\
# Models of the examples

Written by `make_models.py`, this page too: do not edit it by hand.

| files | size (kB) | what it is | epochs | learning rate | seed | validation accuracy | dead ReLU units |
|---|---:|---|---:|---:|---:|---:|---|
{rows}

- `.h5` is the whole model with its optimizer's state (Adam); `.keras` and `.weights.h5` hold the same in the formats
  of Keras 3.
- `NAME.csv` is the run's history, an epoch a row, from `CSVLogger`.
- `epochs/` holds the ten epochs of `digits_baseline`, saved by `ModelCheckpoint` as
  `{epoch_files}`.
- `diverging/` holds the eight epochs of `digits_diverging`, saved as `{diverging_files}`.
- The digits are scikit-learn's, 8 × 8 pixels, a quarter of them for validation. `digits_finetuned` splits them anew, so
  that most of what validates it was in baseline's training: do not compare its accuracy with the others'.
- The sequences are made up: among 20 tokens, the class is the one that follows a marker; a second marker is a decoy.
- A dead unit gives 0 for every input, training and validation together; a dead filter at every place of every image.
- Two seeds: the first for the initial weights, the second for the order of the data.

Made with {versions}, on {machine}, CPU only.
Running it again there gives the same weights; only the `.keras` files differ, by the date inside. Another machine may
round differently.
"""


@dataclass(frozen=True)
class Split:
    """Arrays to train on and to validate with."""

    inputs: np.ndarray
    labels: np.ndarray
    val_inputs: np.ndarray
    val_labels: np.ndarray


@dataclass(frozen=True)
class Run:
    """One training run: what is trained, on what, and how."""

    name: str
    about: str
    build: Callable[[], keras.Model]
    data: Split
    seed: int
    shuffle_seed: int | None = None  # None: training goes on from the state that building the model left
    epochs: int = 10
    learning_rate: float = 1e-3
    twins: bool = False
    callbacks: Sequence[keras.callbacks.Callback] = ()


@dataclass(frozen=True)
class Result:
    """What the table says about a run."""

    run: Run
    val_accuracy: float
    dead_units: str
    files: list[str]


def digits_split(seed: int) -> Split:
    """Scikit-learn's 1797 digits of 8 x 8 pixels, a quarter of them for validation."""
    digits = load_digits()
    images = (digits.images[..., np.newaxis] / 16).astype("float32")
    train, val, train_labels, val_labels = train_test_split(
        images, digits.target, test_size=0.25, random_state=seed, stratify=digits.target
    )
    return Split(train, train_labels, val, val_labels)


def sequence_split(seed: int) -> Split:
    """Sequences of 20 tokens; the class (0 to 7) is the token that follows the marker, less one.

    Tokens 1 to 8 fill the sequence, 9 is the marker, 10 a decoy; 0 never occurs, so its embedding row is never trained.
    """
    length, classes, marker, decoy, count, held_out = 20, 8, 9, 10, 3000, 1000
    rng = np.random.default_rng(seed)
    tokens = rng.integers(1, classes + 1, size=(count, length))
    rows = np.arange(count)
    # Even places leave each marker a token of its own to the right.
    places = 2 * rng.permuted(np.tile(np.arange(length // 2), (count, 1)), axis=1)[:, :2]
    tokens[rows, places[:, 0]] = marker
    tokens[rows, places[:, 1]] = decoy
    labels = tokens[rows, places[:, 0] + 1] - 1
    return Split(tokens[held_out:], labels[held_out:], tokens[:held_out], labels[:held_out])


def digits_cnn(hidden: int = 64, dropout: float = 0.0) -> keras.Model:
    """Build the small CNN that all comparable digit models share."""
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu", name="conv_1"),
            layers.BatchNormalization(momentum=0.9, name="norm_1"),
            layers.MaxPooling2D(name="pool_1"),
            layers.Conv2D(24, 3, padding="same", activation="relu", name="conv_2"),
            layers.BatchNormalization(momentum=0.9, name="norm_2"),
            layers.MaxPooling2D(name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(hidden, activation="relu", name="dense_1"),
            *([layers.Dropout(dropout, name="dropout")] if dropout else []),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="digits",
    )


def digits_mlp() -> keras.Model:
    """Build the second architecture: no convolutions."""
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense_1"),
            layers.Dense(32, activation="relu", name="dense_2"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="digits_mlp",
    )


def digits_small() -> keras.Model:
    """Build the smallest of them, of which every epoch is kept."""
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            layers.Flatten(name="flatten"),
            layers.Dense(12, activation="relu", name="dense_1"),
            layers.Dense(10, activation="softmax", name="output"),
        ],
        name="digits_small",
    )


def finetuned_from(path: Path) -> keras.Model:
    """Load a saved model and freeze its first convolution and the normalization after it."""
    model = keras.saving.load_model(path, compile=False)
    for name in ("conv_1", "norm_1"):
        model.get_layer(name).trainable = False
    return model


def sequence_model(recurrent: Callable[[], keras.Layer]) -> keras.Model:
    """Build a member of the recurrent family; only its recurrent layer differs from the others."""
    return keras.Sequential(
        [
            keras.Input(shape=(20,), dtype="int32"),
            layers.Embedding(11, 12, name="embedding"),
            layers.Conv1D(24, 2, activation="relu", name="conv_1"),
            recurrent(),
            layers.Dense(8, activation="softmax", name="output"),
        ],
        name="sequence",
    )


def lstm(dropout: float = 0.0) -> keras.Layer:
    return layers.LSTM(24, dropout=dropout, name="lstm_1")


def gru() -> keras.Layer:
    return layers.GRU(24, name="gru_1")


def bidirectional_lstm() -> keras.Layer:
    return layers.Bidirectional(layers.LSTM(16, name="lstm"), name="bidirectional_1")


def attention_model() -> keras.Model:
    """Build the member of the family that attends instead of remembering; its Dense layer is held in check."""
    tokens = keras.Input(shape=(20,), dtype="int32")
    pairs = layers.Conv1D(24, 2, activation="relu", name="conv_1")(layers.Embedding(11, 12, name="embedding")(tokens))
    attended = layers.MultiHeadAttention(4, 6, name="attention_1")(pairs, pairs)
    normed = layers.LayerNormalization(name="norm_1")(layers.Add(name="add_1")([pairs, attended]))
    hidden = layers.Dense(
        32,
        activation="relu",
        kernel_regularizer=keras.regularizers.L2(1e-3),
        kernel_constraint=keras.constraints.MaxNorm(1.5),
        name="dense_1",
    )(layers.GlobalAveragePooling1D(name="pool_1")(normed))
    classes = layers.Dense(8, activation="softmax", name="output")(hidden)
    return keras.Model(tokens, classes, name="sequence_attention")


def digits_runs(out: Path) -> list[Run]:
    data, other_data = digits_split(SPLIT_SEED), digits_split(SPLIT_SEED + 1)
    baseline = out / "digits_baseline.h5"
    every_epoch = keras.callbacks.ModelCheckpoint(str(out / EPOCH_FILES), save_weights_only=True)
    return [
        Run(
            "digits_baseline",
            "small CNN; `epochs/` holds each epoch of this run",
            digits_cnn,
            data,
            seed=1,
            twins=True,
            callbacks=[every_epoch],
        ),
        Run(
            "digits_dropout",
            "baseline with 40 % dropout after `dense_1`",
            lambda: digits_cnn(dropout=0.4),
            data,
            seed=2,
        ),
        Run(
            "digits_wide",
            "baseline with 96 units instead of 64 in `dense_1`",
            lambda: digits_cnn(hidden=96),
            data,
            seed=3,
        ),
        Run(
            "digits_dead",
            "baseline with a learning rate 100 times as high",
            digits_cnn,
            data,
            seed=4,
            learning_rate=0.1,
        ),
        Run(
            "digits_finetuned",
            "baseline, trained further on another split with `conv_1` and `norm_1` frozen",
            lambda: finetuned_from(baseline),
            other_data,
            seed=5,
            epochs=5,
            learning_rate=3e-4,
        ),
        Run(
            "digits_twin_init",
            "baseline's initial weights, trained with its own order of the data",
            digits_cnn,
            data,
            seed=1,
            shuffle_seed=6,
        ),
        Run("digits_mlp", "another architecture: Dense layers only", digits_mlp, data, seed=7, epochs=20),
        Run(
            "digits_diverging",
            "one small Dense layer; from the sixth epoch on the learning rate is 0.3",
            digits_small,
            data,
            seed=8,
            epochs=8,
            learning_rate=3e-3,
            callbacks=[
                keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.3 if epoch >= 5 else rate),
                keras.callbacks.ModelCheckpoint(str(out / DIVERGING_FILES), save_weights_only=True),
            ],
        ),
    ]


def sequence_runs() -> list[Run]:
    data = sequence_split(SPLIT_SEED)
    about = "Embedding, Conv1D, "
    return [
        Run("sequence_lstm", about + "LSTM", lambda: sequence_model(lstm), data, seed=11, twins=True),
        Run(
            "sequence_lstm_dropout",
            about + "LSTM with 10 % dropout",
            lambda: sequence_model(lambda: lstm(0.1)),
            data,
            seed=12,
            epochs=20,
        ),
        Run("sequence_gru", about + "GRU", lambda: sequence_model(gru), data, seed=13),
        Run(
            "sequence_bidirectional",
            about + "Bidirectional(LSTM)",
            lambda: sequence_model(bidirectional_lstm),
            data,
            seed=14,
        ),
        Run(
            "sequence_attention",
            about + "MultiHeadAttention with 4 heads, Dense with an L2 penalty and a norm of at most 1.5",
            attention_model,
            data,
            seed=15,
            epochs=20,
            learning_rate=3e-3,
        ),
    ]


def train(run: Run, out: Path) -> Result:
    keras.utils.clear_session()  # else Keras numbers the optimizers, and a file depends on the runs before its own
    keras.utils.set_random_seed(run.seed)
    model = run.build()
    if run.shuffle_seed is not None:
        keras.utils.set_random_seed(run.shuffle_seed)
    data = run.data
    model.compile(
        keras.optimizers.Adam(run.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = keras.callbacks.CSVLogger(str(out / f"{run.name}.csv"))
    fitted = model.fit(
        data.inputs,
        data.labels,
        validation_data=(data.val_inputs, data.val_labels),
        batch_size=32,
        epochs=run.epochs,
        callbacks=[history, *run.callbacks],
        verbose=0,
    )
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise RuntimeError(f"{run.name}: training ended with NaN or Inf in the weights")
    return Result(run, fitted.history["val_accuracy"][-1], dead_units(model, data), save(model, run, out))


def dead_units(model: keras.Model, data: Split) -> str:
    """Count, per ReLU layer, the units or filters that stay 0 for every input, training and validation together."""
    inputs = np.concatenate([data.inputs, data.val_inputs])
    watched = [layer for layer in model.layers if getattr(layer, "activation", None) is keras.activations.relu]
    outputs = keras.Model(model.inputs, [layer.output for layer in watched]).predict(inputs, verbose=0)
    counts = []
    for layer, activations in zip(watched, outputs if isinstance(outputs, list) else [outputs], strict=True):
        peaks = activations.reshape(-1, activations.shape[-1]).max(axis=0)
        counts.append(f"{layer.name} {(peaks == 0).sum()} of {peaks.size}")
    return ", ".join(counts)


def save(model: keras.Model, run: Run, out: Path) -> list[str]:
    names = [f"{run.name}.h5"]
    if run.twins:
        names += [f"{run.name}.keras", f"{run.name}.weights.h5"]
    for name in names:
        if name.endswith(".weights.h5"):
            model.save_weights(out / name)
        else:
            model.save(out / name)
    return names


def readme(results: list[Result], out: Path) -> str:
    rows = []
    for result in results:
        run = result.run
        files = "<br>".join(f"`{name}`" for name in result.files)
        sizes = "<br>".join(f"{(out / name).stat().st_size / 1000:.0f}" for name in result.files)
        seed = run.seed if run.shuffle_seed is None else f"{run.seed}, then {run.shuffle_seed}"
        accuracy = f"{result.val_accuracy:.3f}"
        cells = (files, sizes, run.about, run.epochs, run.learning_rate, seed, accuracy, result.dead_units)
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    packages = ("keras", "jax", "h5py", "numpy", "scikit-learn")
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)])
    return README.format(
        rows="\n".join(rows),
        epoch_files=EPOCH_FILES,
        diverging_files=DIVERGING_FILES,
        versions=versions,
        machine=f"{platform.system()} {platform.machine()}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).resolve().parent
    parser.add_argument("--out", type=Path, default=here / "models", help="folder to write into")
    parser.add_argument(
        "--bundled", type=Path, default=here.parent / "weight_widgets" / "models", help="folder for those of ww.demo()"
    )
    arguments = parser.parse_args()
    out = arguments.out
    for files in (EPOCH_FILES, DIVERGING_FILES):
        (out / files).parent.mkdir(parents=True, exist_ok=True)
        # Names that carry the accuracy: those of an earlier run would stay beside the new ones.
        for old in (out / files).parent.glob("*.weights.h5"):
            old.unlink()
    results = [train(run, out) for run in [*digits_runs(out), *sequence_runs()]]
    for name in BUNDLED:
        shutil.copy(out / name, arguments.bundled)
    table = readme(results, out)
    (out / "README.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
