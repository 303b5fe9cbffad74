"""One cohort against its comparison between two periods: the building block of Callaway and Sant'Anna.

Each function gives the effect and every unit's influence on it, scaled so that the influences' sum of squares is the
variance. Notation follows Sant'Anna and Zhao (2020): treated d, change y, propensity score, weights.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from evalkit.errors import EstimationError
from evalkit.regression import glm

MOST_LIKELY = 0.995


def plain(change: np.ndarray, treated: np.ndarray, weights: np.ndarray | None) -> tuple[float, np.ndarray]:
    """The difference of mean changes."""
    if weights is None:
        share = np.where(treated, 1 / treated.sum(), -1 / (~treated).sum())
        mean_treated, mean_control = change[treated].mean(), change[~treated].mean()
    else:
        share = np.where(treated, weights / weights[treated].sum(), -weights / weights[~treated].sum())
        mean_treated = np.average(change[treated], weights=weights[treated])
        mean_control = np.average(change[~treated], weights=weights[~treated])
    influence = share * (change - np.where(treated, mean_treated, mean_control))
    return float(mean_treated - mean_control), influence


def adjusted(
    change: np.ndarray, treated: np.ndarray, x: np.ndarray, weights: np.ndarray | None, adjustment: str
) -> tuple[float, np.ndarray]:
    """The effect adjusted for covariates (x has a constant first): `reg`, `ipw` or doubly robust `dr`."""
    w = np.ones(len(change)) if weights is None else weights / weights.mean()
    if adjustment == "reg":
        return _regression(change, treated, x, w)
    score, ps_influence = _propensity(treated, x, w)
    if adjustment == "ipw":
        return _weighting(change, treated, x, w, score, ps_influence)
    return _doubly_robust(change, treated, x, w, score, ps_influence)


def _outcome_model(
    change: np.ndarray, treated: np.ndarray, x: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fitted changes from the controls' least squares, and each unit's influence on its coefficients (times n)."""
    below = np.where(treated, 0.0, w)
    gram = (x * below[:, None]).T @ x
    if np.linalg.cond(gram) > 1e14:
        raise EstimationError(
            "the covariates determine each other among the comparison units", do="Leave one of them out"
        )
    inverse = linalg.inv(gram)
    beta = inverse @ (x.T @ (below * change))
    fitted = x @ beta
    return fitted, (below * (change - fitted))[:, None] * x @ inverse * len(change)


def _propensity(treated: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    fit = glm(treated.astype(float), x, [str(k) for k in range(x.shape[1])], family="binomial", weights=w)
    score = np.minimum(fit.fitted, 1 - 1e-6)
    influence = (w * (treated - score))[:, None] * fit.design @ fit.bread * len(w)
    return score, influence


def _odds(treated: np.ndarray, w: np.ndarray, score: np.ndarray) -> np.ndarray:
    usable = ~treated & (score < MOST_LIKELY)
    if not usable.any():
        raise EstimationError(
            "no comparison unit resembles the treated ones on the covariates", do="Use fewer covariates"
        )
    return np.where(usable, w * score / (1 - score), 0.0)


def _regression(
    change: np.ndarray, treated: np.ndarray, x: np.ndarray, w: np.ndarray
) -> tuple[float, np.ndarray]:
    n = len(change)
    fitted, ols = _outcome_model(change, treated, x, w)
    mass = np.where(treated, w, 0.0)
    share = mass / mass.mean()
    effect = float(np.mean(share * (change - fitted)))
    influence = share * (change - fitted - effect) - ols @ (share @ x / n)
    return effect, influence / n


def _weighting(
    change: np.ndarray, treated: np.ndarray, x: np.ndarray, w: np.ndarray, score: np.ndarray, ps: np.ndarray
) -> tuple[float, np.ndarray]:
    n = len(change)
    top, odds = np.where(treated, w, 0.0), _odds(treated, w, score)
    top, odds = top / top.mean(), odds / odds.mean()
    first, second = np.mean(top * change), np.mean(odds * change)
    move = ps @ ((odds * (change - second)) @ x / n)
    influence = top * (change - first) - odds * (change - second) - move
    return float(first - second), influence / n


def _doubly_robust(
    change: np.ndarray, treated: np.ndarray, x: np.ndarray, w: np.ndarray, score: np.ndarray, ps: np.ndarray
) -> tuple[float, np.ndarray]:
    n = len(change)
    fitted, ols = _outcome_model(change, treated, x, w)
    rest = change - fitted
    top, odds = np.where(treated, w, 0.0), _odds(treated, w, score)
    top, odds = top / top.mean(), odds / odds.mean()
    first, second = np.mean(top * rest), np.mean(odds * rest)
    from_ols = ols @ ((top - odds) @ x / n)
    from_ps = ps @ ((odds * (rest - second)) @ x / n)
    influence = top * (rest - first) - odds * (rest - second) - from_ols - from_ps
    return float(first - second), influence / n


def ratio(
    counts: tuple[np.ndarray, np.ndarray], exposures: tuple[np.ndarray, np.ndarray], treated: np.ndarray
) -> tuple[float, np.ndarray]:
    """The log ratio of rate ratios: after over before, treated over control."""
    effect, influence = 0.0, np.zeros(len(treated))
    for arm, sign in ((treated, 1.0), (~treated, -1.0)):
        for y, e, when in ((counts[1], exposures[1], 1.0), (counts[0], exposures[0], -1.0)):
            total, size = y[arm].sum(), e[arm].sum()
            if total <= 0:
                raise EstimationError("a count is zero, so the ratio does not exist", do="Use longer periods")
            effect += sign * when * np.log(total / size)
            influence[arm] += sign * when * (y[arm] - total / size * e[arm]) / total
    return float(effect), influence
