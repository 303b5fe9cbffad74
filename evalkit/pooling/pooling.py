"""Pooling: the between-study variance by five estimators, weighted least squares, and the interval of what it gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError
from evalkit.inference import Interval, critical_value, wald

ESTIMATORS = ("reml", "dl", "pm", "ml", "fixed")
INTERVALS = ("hartung_knapp", "normal")
GRID = (1e-6, 1e4, 81)  # in units of the scale of the variances
HALVINGS = 200


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """Weighted least squares at a between-study variance: coefficients, their covariance, degrees of freedom (None:
    normal), tau2, weights, and the weighted residual sum of squares at that tau2."""

    coefficients: np.ndarray
    covariance: np.ndarray
    df: int | None
    tau2: float
    weights: np.ndarray
    spread: float

    def interval(self, which: int = 0, *, level: float = 0.95) -> Interval:
        """Error, test and limits of one coefficient."""
        error = math.sqrt(self.covariance[which, which])
        return wald(float(self.coefficients[which]), error, df=self.df, level=level)

    def prediction(self, *, level: float = 0.95) -> tuple[float, float]:
        """Where the effect of a new study of the same kind would lie: mean ± t √(SE² + tau²)."""
        half = critical_value(level, self.df) * math.sqrt(self.covariance[0, 0] + self.tau2)
        return float(self.coefficients[0] - half), float(self.coefficients[0] + half)


def pool(
    effects: np.ndarray,
    variances: np.ndarray,
    design: np.ndarray | None = None,
    *,
    estimator: str = "reml",
    interval: str = "hartung_knapp",
) -> Pooled:
    """The mean effect, or its regression on study characteristics, weighted by 1 / (variance + tau²).

    `design` has one row per study; without it a column of ones. Under `hartung_knapp` the covariance is scaled by
    the weighted residual mean square and referred to t (Knapp and Hartung 2003).

    References
    ----------
    DerSimonian and Laird (1986); Paule and Mandel (1982); Viechtbauer (2005); Hartung and Knapp (2001).
    """
    y, v = np.asarray(effects, float), np.asarray(variances, float)
    x = np.ones((len(y), 1)) if design is None else np.asarray(design, float)
    tau2 = between_variance(y, v, x, estimator)
    weights = 1 / (v + tau2)
    bread = np.linalg.inv(x.T @ (weights[:, None] * x))
    coefficients = bread @ (x.T @ (weights * y))
    spread = float(weights @ (y - x @ coefficients) ** 2)
    freedom = len(y) - x.shape[1]
    scaled = interval == "hartung_knapp" and freedom > 0
    return Pooled(
        coefficients=coefficients, covariance=bread * (spread / freedom if scaled else 1.0),
        df=freedom if scaled else None, tau2=tau2, weights=weights, spread=spread,
    )  # fmt: skip


def between_variance(y: np.ndarray, v: np.ndarray, x: np.ndarray, estimator: str) -> float:
    """The variance of true effects between studies, about the line that `x` gives; never below 0."""
    if estimator == "fixed" or len(y) <= x.shape[1]:
        return 0.0
    if estimator == "dl":
        return _moments(y, v, x)
    if estimator == "pm":
        return root_of(lambda tau2: spread_at(y, v, x, tau2) - (len(y) - x.shape[1]), scale=scale_of(y, v))
    return _likelihood(y, v, x, restricted=estimator == "reml")


def spread_at(y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: float) -> float:
    """Generalised Q: the weighted residual sum of squares at a given tau²."""
    weights = 1 / (v + tau2)
    root = np.sqrt(weights)
    coefficients, *_ = np.linalg.lstsq(root[:, None] * x, root * y, rcond=None)
    return float(weights @ (y - x @ coefficients) ** 2)


def root_of(falling: Callable[[float], float], *, scale: float) -> float:
    """Where a falling function of tau² crosses 0, by bisection; 0 where it is below 0 from the start."""
    if falling(0.0) <= 0:
        return 0.0
    low, high = 0.0, scale
    while falling(high) > 0:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def projection(v: np.ndarray, x: np.ndarray, tau2: float) -> np.ndarray:
    """W − WX(X′WX)⁻¹X′W, at weights 1 / (variance + tau²)."""
    weights = 1 / (v + tau2)
    wx = weights[:, None] * x
    return np.diag(weights) - wx @ np.linalg.inv(x.T @ wx) @ wx.T


def scale_of(y: np.ndarray, v: np.ndarray) -> float:
    """The order of magnitude of a variance in these studies, where a search begins."""
    return float(max(np.var(y), v.mean()))


def _moments(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> float:
    p = projection(v, x, 0.0)
    return max(0.0, float((y @ p @ y - (len(y) - x.shape[1])) / np.trace(p)))


def _likelihood(y: np.ndarray, v: np.ndarray, x: np.ndarray, *, restricted: bool) -> float:
    """The maximum of the (restricted) likelihood: the best point of a grid, then bisection on its slope.

    Scoring from one start can circle between two values, or settle on the lower of two peaks.
    """
    grid = np.concatenate([[0.0], scale_of(y, v) * np.geomspace(*GRID)])
    best = int(np.argmax(_likelihoods(y, v, x, grid, restricted=restricted)[0]))
    if best == len(grid) - 1:
        raise EstimationError(
            "the between-study variance has no maximum", where="meta", do="Use `estimator: dl`"
        )
    low, high = grid[max(best - 1, 0)], grid[best + 1]

    def slope(above: float) -> float:
        return float(_likelihoods(y, v, x, np.array([low + above]), restricted=restricted)[1][0])

    return float(low + root_of(slope, scale=high - low))


def _likelihoods(
    y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: np.ndarray, *, restricted: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood at each tau², but for a constant, and its slope there."""
    weights = 1 / (v + tau2[:, None])
    gram = np.einsum("tk,ki,kj->tij", weights, x, x)
    coefficients = np.linalg.solve(gram, np.einsum("tk,ki,k->ti", weights, x, y)[..., None])[..., 0]
    residuals = y - coefficients @ x.T
    value = np.log(weights).sum(axis=1) - (weights * residuals**2).sum(axis=1)
    slope = (weights**2 * residuals**2).sum(axis=1) - weights.sum(axis=1)
    if restricted:
        squared = np.einsum("tk,ki,kj->tij", weights**2, x, x)
        value -= np.linalg.slogdet(gram)[1]
        slope += np.trace(np.linalg.solve(gram, squared), axis1=1, axis2=2)
    return value / 2, slope / 2
