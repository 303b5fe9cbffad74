"""Least squares with absorbed effects, and Poisson and logistic regression, as frozen fits.

A fit carries what a covariance needs and no more: the inverse of the information (`bread`) and, for each row, a
design row and a residual whose product is the row's score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg
from scipy.special import expit

from evalkit.errors import EstimationError, StudyError
from evalkit.regression.absorption import CONVERGED, absorb, effect_ranks

COLLINEAR = 1e-9
MOST_STEPS = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A fitted regression. Columns of the design that the others determine are left out and named in `dropped`.

    `design` and `residuals` multiply to the scores; for weighted fits the weight is inside `residuals`.
    `effects` counts the parameters of absorbed effects, one entry per effect, the first with its mean.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    bread: np.ndarray
    design: np.ndarray
    residuals: np.ndarray
    n: int
    effects: tuple[int, ...] = ()
    weights: np.ndarray | None = None
    dropped: tuple[str, ...] = ()
    fitted: np.ndarray | None = None

    def position(self, name: str) -> int:
        """Where a coefficient stands; refused where the column was left out."""
        if name not in self.names:
            raise EstimationError(
                f"the effect of `{name}` does not exist in these data",
                do="Its column is determined by the others, so no comparison is left",
            )
        return self.names.index(name)


def independent(gram: np.ndarray) -> np.ndarray:
    """Positions of columns, in order, that earlier columns do not determine, from their cross-products."""
    size = len(gram)
    scale = np.sqrt(np.maximum(np.diag(gram), 0))
    safe = np.where(scale > 0, scale, 1)
    work = gram / np.outer(safe, safe)
    kept = []
    for k in range(size):
        if scale[k] > 0 and work[k, k] > COLLINEAR:
            kept.append(k)
            work = work - np.outer(work[:, k], work[k]) / work[k, k]
    return np.array(kept, dtype=int)


def least_squares(
    outcome: np.ndarray,
    design: np.ndarray,
    names: Sequence[str],
    *,
    effects: Sequence[np.ndarray] = (),
    weights: np.ndarray | None = None,
    grid: tuple[int, int] | None = None,
    ranks: tuple[int, ...] | None = None,
) -> Fit:
    """Least squares of the outcome on the design after absorbing up to two sets of effects."""
    both = absorb(np.column_stack([outcome, design]), effects, weights, grid)
    y, x = both[:, 0], both[:, 1:]
    # Demeaning leaves rounding behind where an effect determines a column: measure against the column itself.
    spread = np.einsum("ij,ij->j", x, x) <= COLLINEAR**2 * np.einsum("ij,ij->j", design, design)
    x = np.where(spread[None, :], 0.0, x) if spread.any() else x
    weighted = x if weights is None else x * weights[:, None]
    gram = weighted.T @ x
    kept = independent(gram)
    dropped = tuple(name for k, name in enumerate(names) if k not in set(kept.tolist()))
    if dropped:
        x, weighted, gram = x[:, kept], weighted[:, kept], gram[np.ix_(kept, kept)]
    bread = linalg.pinvh(gram) if len(kept) else np.zeros((0, 0))
    coefficients = bread @ (weighted.T @ y)
    rest = y - x @ coefficients
    return Fit(
        names=tuple(names[k] for k in kept),
        coefficients=coefficients,
        bread=bread,
        design=x,
        residuals=rest if weights is None else rest * weights,
        n=len(y),
        effects=effect_ranks(effects) if ranks is None else ranks,
        weights=weights,
        dropped=dropped,
        fitted=outcome - rest,
    )


def glm(
    outcome: np.ndarray,
    design: np.ndarray,
    names: Sequence[str],
    *,
    family: str,
    offset: np.ndarray | None = None,
    effects: Sequence[np.ndarray] = (),
    weights: np.ndarray | None = None,
) -> Fit:
    """Poisson (log link) or binomial (logit) regression by iteratively weighted least squares.

    With effects and the Poisson family this is conditional fixed-effects Poisson: the estimates and scores are
    those of the model with a dummy for every level. Rows of levels whose outcome is zero throughout say nothing
    and must be left out before (`informative`).
    """
    if family not in ("poisson", "binomial"):
        raise StudyError(f"`{family}` is not a family here", found=family)
    shift = np.zeros(len(outcome)) if offset is None else offset
    prior = np.ones(len(outcome)) if weights is None else weights
    mean = (outcome + outcome.mean()) / 2 if family == "poisson" else (outcome + 0.5) / 2
    line = np.log(mean) if family == "poisson" else np.log(mean / (1 - mean))
    before = np.inf
    ranks = effect_ranks(effects)
    for _ in range(MOST_STEPS):
        variance = mean if family == "poisson" else mean * (1 - mean)
        working = line - shift + (outcome - mean) / variance
        fit = least_squares(working, design, names, effects=effects, weights=prior * variance, ranks=ranks)
        line = fit.fitted + shift
        mean = np.exp(np.clip(line, -700, 700)) if family == "poisson" else expit(line)
        mean = np.clip(mean, 1e-12, None if family == "poisson" else 1 - 1e-12)
        deviance = _deviance(outcome, mean, prior, family)
        if abs(before - deviance) <= CONVERGED * (abs(deviance) + 0.1):
            return _final(fit, outcome, mean, prior)
        before = deviance
    raise EstimationError(
        "the regression did not settle",
        do="A group may hold only zeros, or a covariate may separate the outcomes; look at the counts by group",
    )


def _deviance(outcome: np.ndarray, mean: np.ndarray, prior: np.ndarray, family: str) -> float:
    if family == "poisson":
        log = np.log(np.where(outcome > 0, outcome / mean, 1))
        return float(2 * np.sum(prior * (outcome * log - (outcome - mean))))
    log = outcome * np.log(mean) + (1 - outcome) * np.log1p(-mean)
    return float(-2 * np.sum(prior * log))


def _final(fit: Fit, outcome: np.ndarray, mean: np.ndarray, prior: np.ndarray) -> Fit:
    return replace(fit, residuals=prior * (outcome - mean), fitted=mean)


def informative(outcome: np.ndarray, effects: Sequence[np.ndarray]) -> np.ndarray:
    """Rows that a Poisson model with these effects can learn from: no level whose outcome is zero throughout."""
    kept = np.ones(len(outcome), bool)
    while True:
        before = kept.sum()
        for each in effects:
            total = np.bincount(each, weights=np.where(kept, outcome, 0))
            kept &= total[each] > 0
        if kept.sum() == before:
            return kept
