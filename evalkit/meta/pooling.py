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
STEPS, STILL = 1000, 1e-13
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
    start = _moments(y, v, x)
    if estimator == "dl":
        return start
    if estimator == "pm":
        return root_of(lambda tau2: spread_at(y, v, x, tau2) - (len(y) - x.shape[1]), scale=scale_of(y, v))
    return _likelihood(y, v, x, restricted=estimator == "reml", start=start)


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


def _likelihood(y: np.ndarray, v: np.ndarray, x: np.ndarray, *, restricted: bool, start: float) -> float:
    """Fisher scoring, halving a step that would pass below 0 until it does not, or rests there."""
    tau2 = start
    for _ in range(STEPS):
        step = _scoring_step(y, v, x, tau2, restricted=restricted)
        if tau2 == 0 and step <= 0:
            return 0.0
        while tau2 + step < 0:
            step /= 2
            if tau2 + step < STILL * scale_of(y, v):
                return 0.0
        tau2 += step
        if abs(step) <= STILL * (tau2 + scale_of(y, v)):
            return float(tau2)
    raise EstimationError(
        "the between-study variance did not settle", where="meta", do="Use `estimator: pm` or `dl`"
    )


def _scoring_step(y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: float, *, restricted: bool) -> float:
    p = projection(v, x, tau2)
    fitted = p @ y
    if restricted:
        return float((fitted @ fitted - np.trace(p)) / np.sum(p * p))
    weights = 1 / (v + tau2)
    return float((fitted @ fitted - weights.sum()) / (weights @ weights))
