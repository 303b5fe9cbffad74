"""Uniform bands: one critical value for a whole path."""

from __future__ import annotations

import numpy as np

from evalkit.inference import critical_value


def normal_critical(covariance: np.ndarray, level: float, *, draws: int, seed: int) -> float:
    """The critical value of the largest |t| of estimates with this covariance.

    With the covariance of influences this is the multiplier bootstrap with normal multipliers: given the data, sums
    of influences times normal multipliers are exactly normal with that covariance, so they are drawn as such.
    """
    spread = np.sqrt(np.diag(covariance))
    live = spread > 0
    if not live.any() or not np.isfinite(covariance).all():
        return float("nan")
    correlation = covariance[np.ix_(live, live)] / np.outer(spread[live], spread[live])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = np.random.default_rng(seed).standard_normal((draws, len(root))) @ root.T
    found = float(np.quantile(np.abs(drawn).max(axis=1), level, method="higher"))
    return max(found, critical_value(level))
