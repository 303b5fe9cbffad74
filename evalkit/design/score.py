"""The propensity score: a plain logistic regression by Newton's method, with separation found and explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from evalkit.design.covariates import Column
from evalkit.errors import DesignError

BLOCK = 8_192  # a block of rows and its weighted copy stay in cache
FIRST_LOOK = 100_000
MOST_STEPS = 40
SMALL_STEP = 1e-6  # Newton doubles its digits: a last step this small leaves an error near 1e-12
ALIASED = 1e-10


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Score:
    """The fitted score: log-odds per person, coefficients per column (raw units), and the columns it left out."""

    logit: np.ndarray
    coefficients: dict[str, float]
    aliased: tuple[str, ...]

    @property
    def probability(self) -> np.ndarray:
        return expit(self.logit)


def logistic_score(columns: Sequence[Column], treated: np.ndarray, *, where: str = "design") -> Score:
    """Probability of being treated given covariates, by unpenalised maximum likelihood.

    Parameters
    ----------
    columns : covariate columns without missing values; the reference level of a category is left out.
    treated : True for the treated, one value per person.

    Returns
    -------
    Score, whose `logit` is the fitted log-odds. Two people with equal covariates have exactly equal scores.

    Raises
    ------
    DesignError : the arms are separated by the covariates, so that no finite score exists.

    Notes
    -----
    Newton's method on standardised columns with step halving. A column that is a sum of earlier ones is left out,
    which changes no score. Where likelihood keeps rising the step never shrinks: that is separation
    (Albert and Anderson 1984).
    """
    used = [column for column in columns if not column.reference]
    matrix, spread = _standardised(used)
    keep = independent_columns(matrix.T @ matrix / len(matrix))
    if len(keep) < len(used):
        matrix = np.asfortranarray(matrix[:, keep])
    beta = _fit(matrix, treated)
    if beta is None:
        raise _separated(used, treated, where)
    logit = np.full(len(treated), beta[0])
    for j in range(len(keep)):  # column by column, not by BLAS: equal people must get equal bits
        logit += beta[1 + j] * matrix[:, j]
    slopes = beta[1:] / spread[keep]
    return Score(
        logit=logit,
        coefficients={
            used[position].name: float(slope) for position, slope in zip(keep, slopes, strict=True)
        },
        aliased=tuple(used[position].name for position in range(len(used)) if position not in set(keep)),
    )


def independent_columns(gram: np.ndarray) -> list[int]:
    """Positions of the columns that are no combination of earlier ones, from their scaled cross-products."""
    left = gram.copy()
    scale = np.diag(gram).copy()
    keep = []
    for position in range(len(gram)):
        if left[position, position] <= ALIASED * max(scale[position], 1e-300):
            continue
        keep.append(position)
        left -= np.outer(left[:, position], left[position]) / left[position, position]
    return keep


def _standardised(columns: Sequence[Column]) -> tuple[np.ndarray, np.ndarray]:
    n = len(columns[0].values)
    matrix = np.empty((n, len(columns)), order="F")
    spread = np.empty(len(columns))
    for j, column in enumerate(columns):
        np.subtract(column.values, column.values.mean(), out=matrix[:, j])
        spread[j] = np.sqrt(matrix[:, j] @ matrix[:, j] / n) or 1.0
        matrix[:, j] /= spread[j]
    return matrix, spread


def _fit(matrix: np.ndarray, treated: np.ndarray) -> np.ndarray | None:
    start = np.zeros(matrix.shape[1] + 1)
    start[0] = np.log(treated.sum() / (~treated).sum())
    every = len(matrix) // FIRST_LOOK
    if every > 1:
        # A first fit on evenly spaced rows saves most passes over all of them and does not move the answer.
        sample = np.asfortranarray(matrix[::every])
        if 0 < treated[::every].sum() < len(sample):
            near = _newton(sample, treated[::every], start)
            start = start if near is None else near
    return _newton(matrix, treated, start)


def _newton(matrix: np.ndarray, treated: np.ndarray, start: np.ndarray) -> np.ndarray | None:
    beta = start
    likelihood, gradient, information = _derivatives(matrix, treated, beta)
    for _ in range(MOST_STEPS):
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return None
        if np.abs(step).max() < SMALL_STEP:
            return beta + step
        for _ in range(30):
            tried = _derivatives(matrix, treated, beta + step)
            if tried[0] >= likelihood - 1e-9 * abs(likelihood):
                break
            step = step / 2
        beta = beta + step
        likelihood, gradient, information = tried
    return None


def _derivatives(
    matrix: np.ndarray, treated: np.ndarray, beta: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    p = matrix.shape[1] + 1
    likelihood, gradient, information = 0.0, np.zeros(p), np.zeros((p, p))
    for first in range(0, len(matrix), BLOCK):
        rows, arm = matrix[first : first + BLOCK], treated[first : first + BLOCK]
        fitted = expit(rows @ beta[1:] + beta[0])
        likelihood += np.log(np.maximum(np.where(arm, fitted, 1 - fitted), 1e-300)).sum()
        residual = arm - fitted
        weight = fitted * (1 - fitted)
        weighted = rows * weight[:, None]
        gradient[0] += residual.sum()
        gradient[1:] += residual @ rows
        information[0, 0] += weight.sum()
        information[0, 1:] += weighted.sum(axis=0)
        information[1:, 1:] += rows.T @ weighted
    information[1:, 0] = information[0, 1:]
    return likelihood, gradient, information


def _separated(columns: Sequence[Column], treated: np.ndarray, where: str) -> DesignError:
    alone = []
    for column in columns:
        inside, outside = column.values[treated], column.values[~treated]
        if inside.min() >= outside.max() or inside.max() <= outside.min():
            alone.append(column.name)
    if alone:
        culprit = f"`{alone[0]}` alone tells the arms apart"
        advice = f"Take `{alone[0]}` out if it only says who was offered the programme; otherwise find other controls"
    else:
        culprit = "a combination of the covariates tells the arms apart"
        advice = "Use fewer covariates, group rare categories, or find controls who could have been treated"
    return DesignError(
        f"there is no overlap (perfect separation): {culprit}, so there is nobody to compare with",
        where=where,
        do=advice,
    )
