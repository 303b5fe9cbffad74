"""One cohort against its comparison between two periods: the building block of Callaway and Sant'Anna.

Each function gives the effect and every unit's influence on it, scaled so that the influences' sum of squares is the
variance. Notation follows Sant'Anna and Zhao (2020): treated d, change y, propensity score, weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Covariates:
    """What every period of a cohort and its comparison shares: weights, design and, unless `reg`, the score.

    `inverse` is that of the controls' weighted cross-products; `score_bread` that of the score's information.
    """

    x: np.ndarray
    w: np.ndarray
    treated: np.ndarray
    inverse: np.ndarray | None
    score: np.ndarray | None
    score_bread: np.ndarray | None


def covariates(x: np.ndarray, treated: np.ndarray, weights: np.ndarray | None, adjustment: str) -> Covariates:
    """Fit what does not depend on the outcome (x has a constant first)."""
    w = np.ones(len(x)) if weights is None else weights / weights.mean()
    inverse = score = bread = None
    if adjustment != "ipw":
        gram = (x * np.where(treated, 0.0, w)[:, None]).T @ x
        if np.linalg.cond(gram) > 1e14:
            raise EstimationError(
                "the covariates determine each other among the comparison units", do="Leave one of them out"
            )
        inverse = np.linalg.inv(gram)
    if adjustment != "reg":
        names = [str(k) for k in range(x.shape[1])]
        fit = glm(treated.astype(float), x, names, family="binomial", weights=w)
        score, bread = np.minimum(fit.fitted, 1 - 1e-6), fit.bread
        if fit.dropped:
            raise EstimationError("the covariates determine each other", do="Leave one of them out")
    return Covariates(x=x, w=w, treated=treated, inverse=inverse, score=score, score_bread=bread)


def adjusted(change: np.ndarray, c: Covariates, adjustment: str) -> tuple[float, np.ndarray]:
    """The effect adjusted for covariates: outcome regression, inverse probability, or doubly robust.

    Sant'Anna and Zhao (2020), the estimators without their efficiency refinements, as in package did.
    """
    n = len(change)
    rest, from_ols = (change, None) if adjustment == "ipw" else _outcome_model(change, c)
    top = np.where(c.treated, c.w, 0.0)
    top = top / top.mean()
    if adjustment == "reg":
        effect = float(np.mean(top * rest))
        return effect, (top * (rest - effect) - from_ols(top @ c.x)) / n
    odds = _odds(c)
    first, second = np.mean(top * rest), np.mean(odds * rest)
    influence = top * (rest - first) - odds * (rest - second)
    push = c.x @ (c.score_bread @ ((odds * (rest - second)) @ c.x))
    influence = influence - c.w * (c.treated - c.score) * push
    if from_ols is not None:
        influence = influence - from_ols((top - odds) @ c.x)
    return float(first - second), influence / n


def _outcome_model(
    change: np.ndarray, c: Covariates
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Changes less the controls' fitted ones, and the influence of the fit on a direction of its coefficients."""
    below = np.where(c.treated, 0.0, c.w)
    rest = change - c.x @ (c.inverse @ (c.x.T @ (below * change)))
    return rest, lambda direction: below * rest * (c.x @ (c.inverse @ direction))


def _odds(c: Covariates) -> np.ndarray:
    usable = ~c.treated & (c.score < MOST_LIKELY)
    if not usable.any():
        raise EstimationError(
            "no comparison unit resembles the treated ones on the covariates", do="Use fewer covariates"
        )
    odds = np.where(usable, c.w * c.score / (1 - c.score), 0.0)
    return odds / odds.mean()


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
