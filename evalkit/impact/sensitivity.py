"""What was not measured, and what a small study does to an estimate: closed forms, numbers in and out."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from evalkit.errors import StudyError
from evalkit.inference import critical_value

LARGEST_GAMMA = 20.0


def e_value(ratio: float, limit: float | None = None) -> tuple[float, float | None]:
    """VanderWeele and Ding's (2017) E-value of a risk ratio, and of the confidence limit nearer to 1.

    The least strength, as a risk ratio with both treatment and outcome, that something unmeasured would
    need in order to explain the ratio away.

    Parameters
    ----------
    ratio
        A risk ratio, above or below 1. An odds or hazard ratio stands for it only where the outcome is rare.
    limit
        The confidence limit nearer to 1.

    Returns
    -------
    tuple of float
        The E-value of the ratio, and that of the limit: 1 where the interval holds 1, None where none is given.

    Raises
    ------
    StudyError
        A ratio that is not above 0.

    Assumes
    -------
    One unmeasured cause; the worst case of how it is spread over the arms.

    Notes
    -----
    R + √(R (R − 1)), with 1/R in place of a ratio below 1.

    References
    ----------
    VanderWeele and Ding (2017).

    Examples
    --------
    >>> round(e_value(2.0)[0], 3)
    3.414
    """
    if not ratio > 0:
        raise StudyError("an E-value needs a risk ratio above 0", found=ratio)
    if limit is None:
        return _e_value(ratio), None
    crossed = limit >= 1 if ratio < 1 else limit <= 1
    return _e_value(ratio), 1.0 if crossed else _e_value(limit)


def type_s_and_m(effect: float, std_error: float, *, alpha: float = 0.05) -> tuple[float, float, float]:
    """Power, type S error and exaggeration (type M) if `effect` were true: Gelman and Carlin (2014).

    Type S: the chance that a significant estimate has the wrong sign. Type M: how many times too large a
    significant estimate is on average. Both in closed form for a normal estimate.
    """
    if effect == 0 or std_error <= 0:
        raise StudyError("type S and M errors need an effect other than 0 and an error above 0")
    size = abs(effect) / std_error
    z = critical_value(1 - alpha)
    above, below = float(special.ndtr(size - z)), float(special.ndtr(-size - z))
    power = above + below
    # E|X| over the two tails of a normal with mean `size` and unit variance.
    tails = size * (above - below) + _density(z - size) + _density(z + size)
    return power, below / power, tails / (size * power)


def rosenbaum_binary(only_treated: int, only_control: int, *, alpha: float = 0.05) -> float:
    """The hidden bias Gamma up to which McNemar's one-sided test stays below `alpha` in matched pairs.

    `only_treated` and `only_control` count the pairs in which only that person had the outcome. 1 where
    the test without hidden bias is not below `alpha`; at most 20.
    """
    larger, total = max(only_treated, only_control), only_treated + only_control
    if total == 0:
        return 1.0

    def worst_p(gamma: float) -> float:
        return float(special.bdtrc(larger - 1, total, gamma / (1 + gamma))) if larger > 0 else 1.0

    if worst_p(1.0) >= alpha:
        return 1.0
    if worst_p(LARGEST_GAMMA) < alpha:
        return LARGEST_GAMMA
    low, high = 1.0, LARGEST_GAMMA
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if worst_p(middle) < alpha else (low, middle)
    return low


def rosenbaum_signed_rank(differences: np.ndarray, *, alpha: float = 0.05) -> float:
    """The same for Wilcoxon's signed-rank test of paired differences, by its normal bound (Rosenbaum
    2002)."""
    known = differences[differences != 0]
    if not len(known):
        return 1.0
    ranks = _average_ranks(np.abs(known))
    positive = float(ranks[known > 0].sum())
    statistic = max(positive, float(ranks.sum()) - positive)

    def worst_p(gamma: float) -> float:
        share = gamma / (1 + gamma)
        error = math.sqrt(share * (1 - share) * float((ranks**2).sum()))
        return float(special.ndtr(-(statistic - share * float(ranks.sum())) / error))

    if worst_p(1.0) >= alpha:
        return 1.0
    low, high = 1.0, LARGEST_GAMMA
    if worst_p(high) < alpha:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if worst_p(middle) < alpha else (low, middle)
    return low


def number_needed(
    difference: float, spread_treated: float, spread_control: float, ratio: float
) -> float | None:
    """People needed in the treated arm for the present difference to be significant at 5%; None where it
    is nought.

    `spread_*` are the arms' variances per person and `ratio` control people per treated person.
    """
    if difference == 0:
        return None
    z = critical_value(0.95)
    return math.ceil(z**2 * (spread_treated + spread_control / ratio) / difference**2)


def _e_value(ratio: float) -> float:
    above = ratio if ratio >= 1 else 1 / ratio
    return above + math.sqrt(above * (above - 1))


def _density(x: float) -> float:
    return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _average_ranks(values: np.ndarray) -> np.ndarray:
    _, found, size = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(size)
    return (last - (size - 1) / 2)[found]
