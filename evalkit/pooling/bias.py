"""Whether small studies differ from large ones, and what each study, and each year, does to the pooled effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.inference import Interval
from evalkit.pooling.heterogeneity import heterogeneity
from evalkit.pooling.pooling import Pooled, pool

ROWS = ["study", "studies", "estimate", "std_error", "conf_low", "conf_high", "tau2", "i2"]


@dataclass(frozen=True, kw_only=True)
class Asymmetry:
    """The slope of effects on their standard errors with its test, and the effect where the error would be 0."""

    slope: Interval
    limit: Interval


def egger(
    effects: np.ndarray, std_errors: np.ndarray, *, estimator: str | None = "reml", level: float = 0.95
) -> Asymmetry:
    """Egger's regression test: effects on their standard errors.

    `estimator` names the between-study variance of a mixed-effects regression with a normal test; None gives the
    classical test: weights 1 / SE², residual variance free, t with k − 2 degrees of freedom (Egger and others 1997).
    """
    errors = np.asarray(std_errors, float)
    design = np.column_stack([np.ones(len(errors)), errors])
    if estimator is None:
        fit = pool(effects, errors**2, design, estimator="fixed", interval="hartung_knapp")
    else:
        fit = pool(effects, errors**2, design, estimator=estimator, interval="normal")
    return Asymmetry(slope=fit.interval(1, level=level), limit=fit.interval(0, level=level))


def leave_one_out(
    names: Sequence[str],
    effects: np.ndarray,
    variances: np.ndarray,
    *,
    estimator: str,
    interval: str,
    level: float,
) -> pd.DataFrame:
    """The pooled effect without each study in turn, in the order given."""
    kept = ~np.eye(len(names), dtype=bool)
    return _over(names, effects, variances, kept, estimator=estimator, interval=interval, level=level)


def cumulative(
    names: Sequence[str],
    effects: np.ndarray,
    variances: np.ndarray,
    *,
    estimator: str,
    interval: str,
    level: float,
) -> pd.DataFrame:
    """The pooled effect as studies are added in the order given; the first stands alone."""
    kept = np.tri(len(names), dtype=bool)
    return _over(names, effects, variances, kept, estimator=estimator, interval=interval, level=level)


def _over(
    names: Sequence[str], effects: np.ndarray, variances: np.ndarray, kept: np.ndarray, *, estimator: str,
    interval: str, level: float,
) -> pd.DataFrame:  # fmt: skip
    """One pooled effect for each row of `kept`, which says of every study whether it is in."""
    rows = []
    for name, inside in zip(names, kept, strict=True):
        y, v = effects[inside], variances[inside]
        rows.append(_row(name, y, v, pool(y, v, estimator=estimator, interval=interval), level))
    return pd.DataFrame(rows, columns=ROWS)


def _row(name: str, y: np.ndarray, v: np.ndarray, fit: Pooled, level: float) -> tuple:
    found = fit.interval(level=level)
    i2 = heterogeneity(y, v, fit.tau2, level=level).i2 if len(y) > 1 else None
    return (
        name, len(y), float(fit.coefficients[0]), found.std_error, found.low, found.high,
        fit.tau2 if len(y) > 1 else None, i2,
    )  # fmt: skip
