"""The spectrum of a weight against WeightWatcher, scipy and matrices whose singular values are known."""

from __future__ import annotations

import json
import math
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import weight_widgets as ww
from weight_widgets.analysis import spectrum as spectrum_module
from weight_widgets.analysis.decomposition import SingularValues
from weight_widgets.analysis.spectrum import Spectrum, spectrum
from weight_widgets.reading.structure import generic
from weight_widgets.reading.tensors import Tensor

FOLDER = Path(__file__).parent
MATRICES = json.loads((FOLDER / "spectra" / "weightwatcher.json").read_text(encoding="utf-8"))["matrices"]
make_matrix = runpy.run_path(str(FOLDER / "spectra" / "make_weightwatcher.py"))["make_matrix"]

DTYPES = [np.float16, np.float32, np.float64, np.longdouble, np.int8, np.uint64, np.bool_]
LAW = ("alpha", "alpha_se", "xmin", "distance")


@pytest.fixture(scope="class")
def in_this_process() -> Iterator[None]:
    """A process for each of hundreds of examples would take minutes."""

    def found(matrix: np.ndarray, check: object, progress: object) -> SingularValues:
        values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
        return SingularValues(values, 0.0, float(np.linalg.norm(matrix.astype(np.float64))), "exact")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spectrum_module, "singular_values", found)
        yield


def gaussian(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def orthogonal(size: int) -> np.ndarray:
    return np.linalg.qr(gaussian(size, size))[0]


def assert_law_makes_no_sense(found: Spectrum, why: str) -> None:
    assert why in found.note
    assert np.isnan([getattr(found, name) for name in LAW]).all()
    assert found.tail == 0


def assert_nothing_makes_sense(found: Spectrum, why: str) -> None:
    assert_law_makes_no_sense(found, why)
    assert np.isnan([found.spectral_norm, found.frobenius_norm, found.stable_rank, found.effective_rank]).all()
    assert (found.singular_values.size, found.method) == (0, "")


def assert_as_scipy(found: Spectrum, matrix: np.ndarray) -> None:
    """Norms and ranks of a matrix that is not all 0."""
    matrix = matrix.astype(np.float64)
    values = scipy.linalg.svdvals(matrix)
    assert found.shape == matrix.shape
    assert (found.method, found.error, found.singular_values.dtype) == ("exact", 0.0, np.float64)
    np.testing.assert_allclose(found.singular_values, values, rtol=0, atol=1e-12 * values[0])
    assert found.spectral_norm == pytest.approx(np.linalg.norm(matrix, 2), rel=1e-12)
    assert found.frobenius_norm == pytest.approx(np.linalg.norm(matrix, "fro"), rel=1e-12)
    assert found.stable_rank == pytest.approx((np.linalg.norm(matrix, "fro") / np.linalg.norm(matrix, 2)) ** 2)
    assert found.effective_rank == pytest.approx(math.exp(scipy.stats.entropy(values)), rel=1e-9)
    assert 1 - 1e-9 <= found.stable_rank <= np.linalg.matrix_rank(matrix) + 1e-9


@pytest.mark.parametrize("name", MATRICES)
def test_weightwatcher(name: str, models: Path) -> None:
    """A kernel as it is opened, a random matrix as an array; all of it through the process."""
    recipe, theirs = MATRICES[name]["recipe"], MATRICES[name]["weightwatcher"]
    matrix = make_matrix(recipe)
    file = recipe.get("file")
    found = ww.spectrum(ww.open_checkpoint(models / file)[recipe["layer"]]["kernel"] if file else matrix)
    assert found.note == ""
    assert_as_scipy(found, matrix)
    # What they call the spectral norm is the largest eigenvalue; the norm is the sum of all.
    assert found.spectral_norm**2 == pytest.approx(theirs["spectral_norm"], rel=1e-10)
    assert found.frobenius_norm**2 == pytest.approx(theirs["norm"], rel=1e-10)
    assert found.stable_rank == pytest.approx(theirs["stable_rank"], rel=1e-10)
    assert len(found.singular_values) == theirs["num_evals"]
    assert found.alpha == pytest.approx(theirs["alpha"], rel=1e-9)
    assert found.alpha_se == pytest.approx(theirs["sigma"], rel=1e-9)
    assert found.distance == pytest.approx(theirs["D"], rel=1e-9)
    assert found.xmin == pytest.approx(theirs["xmin"], rel=1e-9)
    assert found.tail == theirs["num_pl_spikes"]
    # Their entropy takes shares of σ², where Roy and Vetterli's effective rank takes shares of σ.
    entropy = scipy.stats.entropy(found.singular_values**2) / math.log(theirs["matrix_rank"])
    assert entropy == pytest.approx(theirs["entropy"], rel=1e-6)


# By hand: the columns are what one filter, one unit or one dimension of a head sees.
COLUMNS: dict[tuple[str, str, str], Callable[[np.ndarray], list[np.ndarray]]] = {
    ("convolutions", "causal", "kernel"): lambda k: [k[:, :, f] for f in range(3)],
    ("convolutions", "filters", "kernel"): lambda k: [k[:, :, :, f] for f in range(6)],
    ("convolutions", "volume", "kernel"): lambda k: [k[:, :, :, :, f] for f in range(3)],
    ("convolutions", "up_1d", "kernel"): lambda k: [k[:, f, :] for f in range(3)],
    ("convolutions", "up_2d", "kernel"): lambda k: [k[:, :, f, :] for f in range(3)],
    ("convolutions", "depthwise_2d", "kernel"): lambda k: [k[:, :, c, m] for c in range(4) for m in range(2)],
    ("convolutions", "separable_2d", "pointwise_kernel"): lambda k: [k[0, 0, :, f] for f in range(5)],
    ("attentions", "bare_heads", "value/kernel"): lambda k: [k[:, h, d] for h in range(2) for d in range(4)],
    ("attentions", "bare_heads", "output/kernel"): lambda k: [k[:, :, u] for u in range(5)],
}


@pytest.mark.parametrize("address", COLUMNS, ids="|".join)
@pytest.mark.usefixtures("in_this_process")
def test_what_runs_down_and_what_across(address: tuple[str, str, str]) -> None:
    model, layer, name = address
    with np.load(FOLDER / "fixtures" / "keras3" / f"{model}.npz") as truth:
        columns = COLUMNS[address](truth[f"{layer}|{name}"])
    tensor = ww.open_checkpoint(FOLDER / "fixtures" / "keras3" / f"{model}.keras")[layer][name]
    assert_as_scipy(spectrum(tensor), np.stack([column.ravel() for column in columns], axis=1))


@pytest.mark.usefixtures("in_this_process")
class TestWhatIsNotKnown:
    KERNEL = gaussian(3, 3, 4, 4)

    def test_an_undecided_layout_is_said(self) -> None:
        tensor = ww.open_checkpoint({"layer/kernel": self.KERNEL})["layer"]["kernel"]
        found = spectrum(tensor)
        assert_as_scipy(found, self.KERNEL.reshape(36, 4))
        assert found.assumed.startswith("The last axis is taken for the columns: names and shapes do not tell")

    def test_an_assumed_layout_is_said(self) -> None:
        arrays = {"layer/kernel": self.KERNEL[..., :3], "layer/bias": np.zeros(3)}
        assert "assumed from names and shapes" in spectrum(ww.open_checkpoint(arrays)["layer"]["kernel"]).assumed

    def test_a_turned_matrix_has_the_same_values(self, models: Path) -> None:
        assert spectrum(ww.open_checkpoint({"layer/odd": gaussian(5, 4)})["layer"]["odd"]).assumed == ""
        assert spectrum(ww.open_checkpoint(models / "digits_mlp.h5")["dense_1"]["kernel"]).assumed == ""

    def test_a_path_is_no_tensor(self) -> None:
        with pytest.raises(ww.WeightWidgetsError, match=r"not str: spectrum\(open_checkpoint"):
            spectrum("model.h5")  # type: ignore[arg-type]

    def test_a_name_alone_says_nothing(self) -> None:
        """Of a layer of somebody's own; Keras' scale acts on each element."""
        matrix = gaussian(6, 5)
        assert_as_scipy(spectrum(ww.open_checkpoint({"layer/scale": matrix})["layer"]["scale"]), matrix)

    def test_a_matrix_for_each_position_is_not_one(self, keras: ModuleType, tmp_path: Path) -> None:
        layer = keras.layers.EinsumDense("abc,bcd->abd", output_shape=(4, 7), name="layer")
        keras.Sequential([keras.Input((4, 6)), layer]).save(tmp_path / "m.keras")
        found = spectrum(ww.open_checkpoint(tmp_path / "m.keras")["layer"]["kernel"])
        assert_nothing_makes_sense(found, "a matrix for each position of shared b")


@pytest.mark.usefixtures("in_this_process")
def test_of_a_part(models: Path) -> None:
    kernel = ww.open_checkpoint(models / "sequence_lstm.h5")["lstm_1"]["kernel"]
    forget = kernel.read()[:, 24:48]
    assert_as_scipy(spectrum(kernel.parts["forget"]), forget)


@pytest.mark.usefixtures("in_this_process")
@given(st.data())
def test_any_array(data: st.DataObject) -> None:
    """Of an array of more dimensions all but the last run down."""
    shape = data.draw(array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=6))
    elements = st.integers(0, 1) if data.draw(st.booleans()) else st.integers(-100, 100)
    values = data.draw(arrays(np.int8, shape, elements=elements)).astype(data.draw(st.sampled_from(DTYPES)))
    values = values[..., ::-1] if data.draw(st.booleans()) else np.asfortranarray(values)
    found = spectrum(values)
    if values.any():
        assert_as_scipy(found, values.reshape(-1, shape[-1]))
    assert_law_makes_no_sense(found, "alpha needs 50 singular values" if values.any() else "all values are 0")


@pytest.mark.usefixtures("in_this_process")
class TestWhereItMakesNoSense:
    @pytest.mark.parametrize("values", [np.ones(80), np.float32(3), np.empty(0)], ids=["1-D", "scalar", "empty"])
    def test_no_matrix(self, values: np.ndarray) -> None:
        assert_nothing_makes_sense(spectrum(values), "one dimension or none")

    @pytest.mark.parametrize("shape", [(0, 5), (5, 0), (3, 0, 5), (0, 0)])
    def test_empty(self, shape: tuple[int, ...]) -> None:
        assert_nothing_makes_sense(spectrum(np.empty(shape)), "no values")

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_not_finite(self, bad: float) -> None:
        values = gaussian(60, 70)
        values[30, 40] = bad
        assert_nothing_makes_sense(spectrum(values), "NaN or Inf")

    @pytest.mark.parametrize("dtype", ["complex64", "datetime64[s]", "object", "U3"])
    def test_no_real_numbers(self, dtype: str) -> None:
        assert_nothing_makes_sense(spectrum(np.ones((60, 70), np.int8).astype(dtype)), "no real numbers")

    def test_a_bias_of_two_dimensions(self) -> None:
        bias = ww.open_checkpoint(FOLDER / "fixtures" / "keras3" / "attentions.keras")["grouped"]["query/bias"]
        assert bias.shape == (4, 3)
        assert_nothing_makes_sense(spectrum(bias), "no matrix")

    def test_zeros(self) -> None:
        found = spectrum(np.zeros((60, 70)))
        assert_law_makes_no_sense(found, "all values are 0")
        assert (found.spectral_norm, found.frobenius_norm) == (0, 0)
        assert (found.singular_values == np.zeros(60)).all()
        assert np.isnan([found.stable_rank, found.effective_rank]).all()

    @pytest.mark.parametrize("matrix", [np.full((60, 70), -0.5), np.outer(gaussian(60), gaussian(70))])
    def test_rank_1(self, matrix: np.ndarray) -> None:
        """One direction: both ranks are 1, and of one value no law can be told."""
        found = spectrum(matrix)
        assert found.stable_rank == pytest.approx(1)
        assert found.effective_rank == pytest.approx(1, rel=1e-9)
        assert_law_makes_no_sense(found, "50 different singular values")

    def test_fewer_than_50(self) -> None:
        assert_law_makes_no_sense(spectrum(gaussian(49, 300)), "there are 49")
        assert spectrum(gaussian(50, 300)).note == ""

    def test_a_rank_below_50(self) -> None:
        """What is beyond the rank is rounding, and no singular value to fit anything to."""
        assert_law_makes_no_sense(spectrum(gaussian(80, 49) @ gaussian(49, 90)), "50 different singular values")
        assert spectrum(gaussian(80, 50) @ gaussian(50, 90)).tail <= 50

    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
    @pytest.mark.parametrize("matrix", [np.eye(64), orthogonal(64), 0.1 * orthogonal(64)])
    def test_all_directions_alike(self, matrix: np.ndarray, dtype: type) -> None:
        """Recurrent kernels begin so: what the singular values differ by is rounding."""
        found = spectrum(matrix.astype(dtype))
        assert found.effective_rank == pytest.approx(64, rel=1e-4)
        assert found.stable_rank == pytest.approx(64, rel=1e-2)
        assert_law_makes_no_sense(found, "50 different singular values")

    def test_all_directions_alike_in_bfloat16(self) -> None:
        """Read as float32, whose last 16 bits such a file does not have."""
        matrix = (orthogonal(64).astype(np.float32).view(np.uint32) & 0xFFFF0000).view(np.float32)
        tensor = Tensor("kernel", matrix.dtype, generic(matrix.shape), lambda index: matrix[index], "bfloat16")
        assert_law_makes_no_sense(spectrum(tensor), "50 different singular values")


@pytest.mark.parametrize("matrix", [gaussian(60, 90), gaussian(60, 90).astype(np.float16)])
def test_wide_is_tall_turned(matrix: np.ndarray) -> None:
    wide, tall = spectrum(matrix), spectrum(np.asfortranarray(matrix).T)
    np.testing.assert_allclose(wide.singular_values, tall.singular_values, rtol=1e-12)
    for name in ("spectral_norm", "frobenius_norm", "stable_rank", "effective_rank", *LAW):
        assert getattr(wide, name) == pytest.approx(getattr(tall, name), rel=1e-9), name
    assert wide.tail == tall.tail


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("shape", [(60, 90), (5000, 60)])
def test_few_digits_are_enough(shape: tuple[int, int], dtype: type) -> None:
    """Long columns round no more than short ones: the errors of their entries cancel."""
    found, exact = spectrum(gaussian(*shape).astype(dtype)), spectrum(gaussian(*shape))
    for name in ("spectral_norm", "frobenius_norm", "stable_rank", "effective_rank", "alpha", "xmin"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), rel=5 * float(np.finfo(dtype).eps)), name


@pytest.mark.parametrize("power", [-600, -400, 400])
def test_scale_changes_neither_ranks_nor_the_exponent(power: int) -> None:
    found, scaled = spectrum(gaussian(60, 90)), spectrum(gaussian(60, 90) * 2.0**power)
    for name in ("stable_rank", "effective_rank", "alpha", "alpha_se", "distance"):
        assert getattr(scaled, name) == pytest.approx(getattr(found, name), rel=1e-9), name
    assert scaled.frobenius_norm == pytest.approx(found.frobenius_norm * 2.0**power, rel=1e-12)
    # Below the smallest number there is 0.
    assert scaled.xmin == pytest.approx(found.xmin * 2.0**power * 2.0**power, rel=1e-9)


def test_norms_beyond_the_largest_number() -> None:
    assert_nothing_makes_sense(spectrum(np.full((60, 70), np.finfo(np.float64).max)), "too large for float64")
