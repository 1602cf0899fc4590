"""Palettes and model colours as people see them, trichromats and dichromats, by models of colour vision."""

from __future__ import annotations

import numpy as np
import pytest
from colorspacious import cspace_convert

from weight_widgets.panes.shades import (
    DENSITY,
    DIVERGING,
    DIVERGING_DARK,
    PALETTES,
    SEQUENTIAL,
    SEQUENTIAL_DARK,
)
from weight_widgets.panes.style import MODEL_COLOURS, NEUTRAL

DICHROMATS = ("protanomaly", "deuteranomaly", "tritanomaly")
ALL = {**PALETTES, "density": DENSITY}
# JupyterLab's grounds, and Colab's older dark one.
WHITE, DARK, GREYISH = (255, 255, 255), (17, 17, 17), (56, 56, 56)
MISSING = (128, 128, 128)
EVERYONE = ("", *DICHROMATS)
# A colour and the one so many places on can just be told apart side by side; rounding to bytes spoils single steps.
STEP = 8


def seen(colours: np.ndarray, eye: str) -> np.ndarray:
    """Places in CAM02-UCS, where a distance of 1 can just be noticed; as a dichromat sees the colours (Machado)."""
    shown = np.asarray(colours, float) / 255
    if eye:
        space = {"name": "sRGB1+CVD", "cvd_type": eye, "severity": 100}
        shown = np.clip(cspace_convert(shown, space, "sRGB1"), 0, 1)
    return np.asarray(cspace_convert(shown, "sRGB1", "CAM02-UCS"))


def distances(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(places[:, None] - others, axis=2))


def contrast(colours: np.ndarray, ground: tuple[int, int, int]) -> np.ndarray:
    """As WCAG 2.2 defines it."""
    one, other = (cspace_convert(np.atleast_2d(found), "sRGB255", "XYZ100")[:, 1] / 100 for found in (colours, ground))
    return np.asarray((np.maximum(one, other) + 0.05) / (np.minimum(one, other) + 0.05))


def colours(names: tuple[str, ...]) -> np.ndarray:
    return np.array([[*bytes.fromhex(name[1:])] for name in names])


@pytest.mark.parametrize("name", ALL)
def test_equal_steps_look_equal(name: str) -> None:
    palette = ALL[name]
    assert palette.shape == (255, 3)
    assert palette.dtype == np.uint8
    places = seen(palette, "")
    steps = np.linalg.norm(places[STEP:] - places[:-STEP], axis=1)
    assert steps.min() > 0.78 * steps.mean()
    assert steps.max() < 1.25 * steps.mean()


@pytest.mark.parametrize("eye", EVERYONE)
@pytest.mark.parametrize("name", ALL)
def test_every_eye_tells_neighbours_apart(name: str, eye: str) -> None:
    places = seen(ALL[name], eye)
    assert np.linalg.norm(places[STEP:] - places[:-STEP], axis=1).min() > 1.0


@pytest.mark.parametrize(
    ("palette", "falls"),
    [(SEQUENTIAL, True), (SEQUENTIAL_DARK, False), (DENSITY, True)],
    ids=["light", "dark", "density"],
)
def test_magnitudes_are_told_by_lightness_alone(palette: np.ndarray, falls: bool) -> None:
    for eye in EVERYONE:
        lightness = seen(palette, eye)[:, 0]
        assert (np.diff(lightness[::STEP]) < 0).all() if falls else (np.diff(lightness[::STEP]) > 0).all()


@pytest.mark.parametrize("eye", EVERYONE)
@pytest.mark.parametrize("palette", [DIVERGING, DIVERGING_DARK], ids=["light", "dark"])
def test_zero_is_neutral_and_signs_differ_to_every_eye(palette: np.ndarray, eye: str) -> None:
    assert np.ptp(palette[127].astype(int)) <= 1
    places = seen(palette, eye)
    away = np.abs(places[:, 0] - places[127, 0])
    np.testing.assert_allclose(away, away[::-1], atol=10)
    assert (np.diff(away[127::STEP]) > 0).all()
    # An eighth of the way to the ends is far enough to say which sign it is.
    assert np.linalg.norm(places[:112] - places[:142:-1], axis=1).min() > 7


@pytest.mark.parametrize("eye", EVERYONE)
def test_what_is_missing_is_no_value(eye: str) -> None:
    assert distances(seen(DIVERGING, eye), seen(np.array(MISSING), eye)).min() > 8


@pytest.mark.parametrize("ground", [WHITE, DARK, GREYISH], ids=["light", "dark", "Colab"])
def test_a_single_pair_is_seen_on_every_ground(ground: tuple[int, int, int]) -> None:
    for eye in EVERYONE:
        assert distances(seen(DENSITY, eye), seen(np.array(ground), eye)).min() > 18


def test_models_are_told_apart_the_first_of_them_best() -> None:
    for eye in EVERYONE:
        places = seen(colours(MODEL_COLOURS), eye)
        apart = distances(places, places) + 100 * np.eye(len(places))
        for many, least in ((2, 30), (3, 20), (4, 15), (6, 12), (8, 9)):
            assert apart[:many, :many].min() > least, (eye, many)
        assert distances(places, seen(colours((NEUTRAL,)), eye)).min() > 4.5, eye


@pytest.mark.parametrize("ground", [WHITE, DARK], ids=["light", "dark"])
def test_lines_and_swatches_stand_out_from_the_ground(ground: tuple[int, int, int]) -> None:
    assert contrast(colours((*MODEL_COLOURS, NEUTRAL)), ground).min() >= 3
