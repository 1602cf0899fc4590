"""The distributions that initializers draw from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

__all__ = ["Coordinate", "Distribution", "Mixture", "Normal", "Point", "TruncatedNormal", "Uniform", "expected_counts"]


class Distribution(Protocol):
    """Mean, standard deviation, support (infinite where it has no end) and ``cdf(x)``, the chance of x or less."""

    @property
    def mean(self) -> float: ...
    @property
    def std(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    def cdf(self, x: np.ndarray) -> np.ndarray: ...


# Imported when they are first needed: scipy costs more time than all the rest of the explorer's state.
def _ndtr(x: np.ndarray | float) -> Any:
    from scipy.special import ndtr

    return ndtr(x)


def _betainc(a: float, b: float, x: np.ndarray) -> Any:
    from scipy.special import betainc

    return betainc(a, b, x)


@dataclass(frozen=True)
class Point:
    """Always the same value."""

    mean: float
    std = 0.0

    @property
    def low(self) -> float:
        return self.mean

    @property
    def high(self) -> float:
        return self.mean

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return np.where(np.asarray(x, np.float64) >= self.mean, 1.0, 0.0)


@dataclass(frozen=True)
class Uniform:
    low: float
    high: float

    @property
    def mean(self) -> float:
        return (self.low + self.high) / 2

    @property
    def std(self) -> float:
        return (self.high - self.low) / math.sqrt(12)

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return np.clip(_standard(x, self.low, self.high - self.low), 0.0, 1.0)


@dataclass(frozen=True)
class Normal:
    mean: float
    std: float
    low = -math.inf
    high = math.inf

    def cdf(self, x: np.ndarray) -> np.ndarray:
        return _ndtr(_standard(x, self.mean, self.std))


# Of a normal distribution: what lies within two standard deviations, and the standard deviation of that.
WITHIN_TWO = math.erf(math.sqrt(2))
STD_WITHIN_TWO = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / WITHIN_TWO)


@dataclass(frozen=True)
class TruncatedNormal:
    """A normal distribution of standard deviation `scale`, drawn again beyond two of them, as Keras does."""

    mean: float
    scale: float

    @property
    def std(self) -> float:
        return self.scale * STD_WITHIN_TWO

    @property
    def low(self) -> float:
        return self.mean - 2 * self.scale

    @property
    def high(self) -> float:
        return self.mean + 2 * self.scale

    def cdf(self, x: np.ndarray) -> np.ndarray:
        steps = np.clip(_standard(x, self.mean, self.scale), -2.0, 2.0)
        return (_ndtr(steps) - _ndtr(-2.0)) / WITHIN_TWO


@dataclass(frozen=True)
class Coordinate:
    """One coordinate of a point that lies anywhere on a sphere in `dimension` (two or more) dimensions.

    Such are the entries of a random orthogonal matrix. The square over that of the radius has the beta distribution
    with parameters ½ and (dimension − 1)/2.
    """

    radius: float
    dimension: int
    mean = 0.0

    @property
    def std(self) -> float:
        return self.radius / math.sqrt(self.dimension)

    @property
    def low(self) -> float:
        return -self.radius

    @property
    def high(self) -> float:
        return self.radius

    def cdf(self, x: np.ndarray) -> np.ndarray:
        steps = np.clip(_standard(x, 0.0, self.radius), -1.0, 1.0)
        return 0.5 + 0.5 * np.sign(steps) * _betainc(0.5, (self.dimension - 1) / 2, steps**2)


@dataclass(frozen=True)
class Mixture:
    """Several distributions, each with its share of the values; the shares add up to one."""

    parts: tuple[tuple[float, Distribution], ...]

    @property
    def mean(self) -> float:
        return math.fsum(share * part.mean for share, part in self.parts)

    @property
    def std(self) -> float:
        mean = self.mean
        return math.sqrt(math.fsum(share * (part.std**2 + (part.mean - mean) ** 2) for share, part in self.parts))

    @property
    def low(self) -> float:
        return min(part.low for _, part in self.parts)

    @property
    def high(self) -> float:
        return max(part.high for _, part in self.parts)

    def cdf(self, x: np.ndarray) -> np.ndarray:
        total = np.zeros(np.shape(x))
        for share, part in self.parts:
            total += share * part.cdf(x)
        return total


def expected_counts(distribution: Distribution, edges: np.ndarray, n: int) -> np.ndarray:
    """How many of `n` values are expected between the edges, with the bins of ``numpy.histogram``.

    Those hold their left edge and not their right one, except the last, which holds both.
    """
    edges = np.asarray(edges, np.float64)
    below = np.nextafter(edges, -np.inf)
    below[-1:] = edges[-1:]
    return n * np.diff(distribution.cdf(below))


def _standard(x: np.ndarray, origin: float, scale: float) -> np.ndarray:
    # What is beyond all numbers is beyond the support too.
    with np.errstate(over="ignore"):
        return (np.asarray(x, np.float64) - origin) / scale
