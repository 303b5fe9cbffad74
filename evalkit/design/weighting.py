"""Weights that make the arms alike: inverse probability, overlap, entropy balancing; and what weights cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.design.covariates import Column
from evalkit.design.score import independent_columns
from evalkit.errors import DesignError

MOST_STEPS = 200
BALANCED = 1e-11  # largest difference of means left, in standard deviations


def inverse_probability(
    logit: np.ndarray, treated: np.ndarray, *, estimand: str = "att", stabilised: bool = False
) -> np.ndarray:
    """Weights from the score e: `att` treated 1, controls e/(1−e); `ate` 1/e and 1/(1−e).

    Normalised to average one within each arm. `stabilised` multiplies by the share of the arm instead (Robins,
    Hernán and Brumback 2000), so that weights average about one; within an arm the two are proportional.
    """
    share = treated.mean()
    odds = np.exp(logit)
    if estimand == "att":
        weights = np.where(treated, 1.0, odds)
        factor = np.where(treated, 1.0, (1 - share) / share)
    else:
        weights = np.where(treated, 1 + 1 / odds, 1 + odds)
        factor = np.where(treated, share, 1 - share)
    return weights * factor if stabilised else normalised(weights, treated)


def overlap_weights(probability: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Treated 1−e, controls e (Li, Morgan and Zaslavsky 2018), averaging one within each arm."""
    return normalised(np.where(treated, 1 - probability, probability), treated)


def normalised(weights: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """The same weights, rescaled to average one over those used in each arm."""
    out = weights.astype(float)
    for arm in (treated, ~treated):
        used = arm & (out > 0)
        if used.any():
            out[used] *= used.sum() / out[used].sum()
    return out


def entropy_balance(
    columns: Sequence[Column],
    treated: np.ndarray,
    *,
    estimand: str = "att",
    moments: int = 1,
    where: str = "design",
) -> np.ndarray:
    """Weights closest to equal whose covariate means are exactly those of the treated (att) or of everybody (ate).

    Notes
    -----
    Minimises the convex dual log Σ exp(λ'(x − target)) by damped Newton (Hainmueller 2012). `moments` 2 balances
    squares of the numeric columns too, hence variances.

    Raises
    ------
    DesignError : no weights reach the target, because it lies outside the range of the covariates in an arm.
    """
    matrix = _moments(columns, moments)
    target = matrix[treated].mean(axis=0) if estimand == "att" else matrix.mean(axis=0)
    weights = np.ones(len(treated))
    for arm in (~treated,) if estimand == "att" else (treated, ~treated):
        weights[arm] = _tilt(matrix[arm] - target, where) * arm.sum()
    return weights


def effective_sample_size(weights: np.ndarray) -> float:
    """(Σw)²/Σw²: the number of equally weighted people that would be as precise (Kish 1965)."""
    square = float((weights**2).sum())
    return float(weights.sum()) ** 2 / square if square else 0.0


def largest_relative_weight(weights: np.ndarray) -> float:
    """The largest weight over the average of those used."""
    used = weights[weights > 0]
    return float(used.max() / used.mean()) if len(used) else 0.0


def _moments(columns: Sequence[Column], moments: int) -> np.ndarray:
    used = [column for column in columns if not column.reference]
    parts = [column.values.astype(float) for column in used]
    if moments == 2:
        parts += [(c.values - c.values.mean()) ** 2 for c in used if not c.binary]
    matrix = np.column_stack(parts)
    spread = matrix.std(axis=0)
    return (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _tilt(gaps: np.ndarray, where: str) -> np.ndarray:
    full = np.column_stack([np.ones(len(gaps)), gaps])
    keep = [each - 1 for each in independent_columns(full.T @ full / len(full)) if each > 0]
    used = gaps[:, keep]
    tilt = np.zeros(len(keep))
    value, weights = _dual(used, tilt)
    for _ in range(MOST_STEPS):
        gradient = weights @ used
        if np.abs(gradient).max(initial=0.0) < BALANCED:
            break
        curvature = (used * weights[:, None]).T @ used - np.outer(gradient, gradient)
        tilt, value, weights = _step(
            used, tilt, value, np.linalg.lstsq(curvature, -gradient, rcond=None)[0], gradient
        )
    if np.abs(weights @ gaps).max(initial=0.0) > 1e-8 or not np.isfinite(weights).all():
        raise DesignError(
            "no weights can balance these covariates: the target means lie outside what people in the other arm have",
            where=where,
            do="Use fewer covariates or coarser categories, or match with a caliper and report who was left out",
        )
    return weights


def _dual(gaps: np.ndarray, tilt: np.ndarray) -> tuple[float, np.ndarray]:
    exponent = gaps @ tilt
    top = exponent.max()
    raised = np.exp(exponent - top)
    total = raised.sum()
    return float(top + np.log(total)), raised / total


def _step(
    gaps: np.ndarray, tilt: np.ndarray, value: float, move: np.ndarray, gradient: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    for halving in range(40):
        trial = tilt + move * 0.5**halving
        reached, weights = _dual(gaps, trial)
        if reached <= value + 1e-4 * 0.5**halving * float(gradient @ move) + 1e-14 * abs(value):
            return trial, reached, weights
    return tilt, value, _dual(gaps, tilt)[1]
