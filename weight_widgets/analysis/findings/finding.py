"""What a rule says, and the numbers that it draws its lines at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Severity", "Thresholds"]

Severity = Literal["warning", "note", "n/a"]


@dataclass(frozen=True)
class Finding:
    """A sentence about a tensor or a part of it, with its rule and what it rests on.

    Attributes
    ----------
    checkpoint, layer, tensor, part : str
        What it is about; ``""`` where it is about all of them.
    rule : str
        ``"dead-units"``, …: the names of docs/findings.md.
    severity : {"warning", "note", "n/a"}
        A warning is something to look at; a note is worth knowing and may well be meant. ``"n/a"`` says that the file
        does not hold what the rule needs.
    value, threshold : float
        What was measured, and the line that it is beyond; NaN where there is none.
    message : str
    evidence : str
        What it rests on.
    """

    checkpoint: str
    layer: str
    tensor: str
    part: str
    rule: str
    severity: Severity
    value: float
    threshold: float
    message: str
    evidence: str


@dataclass(frozen=True)
class Thresholds:
    """Where the rules draw their lines. docs/findings.md says where each default comes from.

    Parameters
    ----------
    dead : float
        A unit whose second moment is below this share of its layer's median gets no gradient; and its first moment is
        below this share of the root of the second.
    min_steps : int
        Steps of the optimizer before that is a warning.
    firing_rate : float
        A channel that is expected to pass a ReLU less often than this is dead.
    small_gamma : float
        A gamma below this share of its layer's median is near zero.
    sparsity : float
        Share of exact zeros.
    near_zeros : float
        Share of values below a thousandth of the root mean square.
    small_unit : float
        A unit whose norm is below this share of its layer's median is near zero.
    outlier : float
        Robust standard deviations. Ten times as many are a warning.
    norm_ratio : float
        Root mean square by the initializer's. Ten times as much is a warning.
    orthogonality : float
        Largest element of QᵀQ − I.
    duplicate : float
        Distance of two units, or of one and the other's negative, by the norm of the larger.
    rank : float
        Effective rank by the full one.
    jump : float
        Relative step of an epoch by the run's median.
    update : float
        Relative step of one update.
    """

    dead: float = 1e-6
    min_steps: int = 100
    firing_rate: float = 1e-6
    small_gamma: float = 1e-3
    sparsity: float = 0.1
    near_zeros: float = 0.1
    small_unit: float = 0.01
    outlier: float = 50.0
    norm_ratio: float = 30.0
    orthogonality: float = 1e-5
    duplicate: float = 1e-3
    rank: float = 0.1
    jump: float = 4.0
    update: float = 0.1
