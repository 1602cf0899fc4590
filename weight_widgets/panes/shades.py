"""Palettes whose steps look alike: straight lines where equal distances are seen as equal.

A picture that the kernel makes is the same in every theme: the kernel does not know the theme, and saved and exported
figures outlive it. So it has `DIVERGING`, light around 0 wherever it is shown, or `DENSITY`, which is seen on both
grounds. What the page colours itself takes the palette that is made for its ground.
"""

from __future__ import annotations

import numpy as np

__all__ = ["DENSITY", "DIVERGING", "DIVERGING_DARK", "PALETTES", "SEQUENTIAL", "SEQUENTIAL_DARK"]

# From OKLab to the roots of what the three kinds of cones answer, and from these to linear sRGB.
# Source: Björn Ottosson, "A perceptual color space for image processing" (2020).
_TO_CONES = np.array(
    [[1.0, 0.3963377774, 0.2158037573], [1.0, -0.1055613458, -0.0638541728], [1.0, -0.0894841775, -1.2914855480]]
)
_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
COLOURS = 255
# Hues in degrees. Blue and orange-red stay apart for every common kind of colour blindness.
BLUE, RED = 257.0, 38.0
SKY, PLUM = 220.0, 320.0

Lch = tuple[float, float, float]


def _shades(first: Lch, last: Lch, count: int = COLOURS) -> np.ndarray:
    """Colours in equal steps between two, given as lightness, chroma and hue: shape (count, 3), uint8."""
    ends = [
        (light, chroma * np.cos(np.deg2rad(hue)), chroma * np.sin(np.deg2rad(hue)))
        for light, chroma, hue in (first, last)
    ]
    start, end = np.array(ends)
    lab = np.linspace(start, end, count)
    linear = np.clip((lab @ _TO_CONES.T) ** 3 @ _TO_LINEAR.T, 0.0, 1.0)
    # The transfer function of sRGB (IEC 61966-2-1).
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray((255 * encoded).round().astype(np.uint8))


def _around(middle: float, ends: tuple[float, float]) -> np.ndarray:
    """From blue over a middle without colour to red, given a lightness, and a lightness and chroma."""
    low, high = (_shades((middle, 0.0, hue), (*ends, hue), COLOURS // 2 + 1) for hue in (BLUE, RED))
    return np.concatenate([low[::-1], high[1:]])


# From little to much, in light and on a dark ground.
SEQUENTIAL = _shades((0.955, 0.008, BLUE), (0.45, 0.165, BLUE))
SEQUENTIAL_DARK = _shades((0.27, 0.012, BLUE), (0.76, 0.13, BLUE))
# From negative to positive.
DIVERGING = _around(0.97, (0.42, 0.14))
DIVERGING_DARK = _around(0.27, (0.74, 0.14))
# From few to many, each told from a light and from a dark ground.
DENSITY = _shades((0.8, 0.12, SKY), (0.42, 0.14, PLUM))

PALETTES = {
    "sequential": SEQUENTIAL,
    "sequential-dark": SEQUENTIAL_DARK,
    "diverging": DIVERGING,
    "diverging-dark": DIVERGING_DARK,
}
