"""The columns of everything that is measured."""

from __future__ import annotations

from ..analysis.measures import QUANTILES
from .sheet import Column
from .style import count, number, percent

__all__ = ["COLUMNS"]


def _signed(value: float) -> str:
    return number(value, sign=True)


COLUMNS = (
    Column("model", "model"),
    Column("weight", "weight", "The tensor, with its layer or part where rows are of several"),
    Column("shape", "shape"),
    Column("type", "dtype", "As the file holds it"),
    Column("size", "parameters", "Number of elements", count),
    Column("mean", "mean", "Of the finite elements, like all that follows", _signed),
    Column("std", "std", "Standard deviation of the population", number),
    Column("min", "min", "", _signed),
    Column("max", "max", "", _signed),
    Column("l2", "L2 norm", "√Σw²", number),
    Column("sparsity", "sparsity", "Share of exact zeros", percent),
    Column("nan", "NaN", "Elements that are not a number", count),
    Column("inf", "Inf", "Infinite elements", count),
    Column("near_zeros", "near zeros", "Elements with |w| < 0.001 × RMS, exact zeros included", count, visible=False),
    Column("near_zero_threshold", "near-zero below", "0.001 × RMS", number, visible=False),
    Column("zeros", "zeros", "Exact zeros", count, visible=False),
    Column("l1", "L1 norm", "Σ|w|", number, visible=False),
    Column("rms", "RMS", "√(Σw²/n)", number, visible=False),
    *(
        Column(f"q{percent_:g}", f"{percent_:g} %", f"{percent_:g} % of the elements are below", _signed, visible=False)
        for percent_ in QUANTILES
    ),
    Column("skew", "skew", "0 for a symmetric distribution", _signed, visible=False),
    Column("kurtosis", "kurtosis", "Excess: 0 for a normal distribution", _signed, visible=False),
    Column("initializer", "initializer", "From the configuration, or the layer's default", visible=False),
    Column("initial_std", "initial std", "What the initializer gives", number, visible=False),
    Column("std_ratio", "std / initial", "How far the standard deviation has moved", number, visible=False),
    Column("regularizer", "regulariser", "Named by the configuration", visible=False),
    Column("penalty", "penalty", "What the regulariser adds to the loss", number, visible=False),
    Column("constraint", "constraint", "Named by the configuration", visible=False),
    Column("constraint_met", "met", "Whether the constraint is met", visible=False),
)
