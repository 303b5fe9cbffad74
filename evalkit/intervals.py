"""Closed-form intervals for proportions, counts and their comparisons: numbers in, limits out."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from evalkit.inference import critical_value

Limits = tuple[float, float]


def chi_square_p(statistic: float, df: float) -> float:
    """Upper-tail p-value of a chi-square statistic."""
    return float(special.chdtrc(df, statistic))


def wilson(successes: float, trials: float, level: float = 0.95) -> Limits:
    """Wilson (1927) score interval of a proportion. Takes effective, not only whole, numbers."""
    z, p = critical_value(level), successes / trials
    centre = p + z**2 / (2 * trials)
    half = z * math.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    scale = 1 + z**2 / trials
    low = 0.0 if successes <= 0 else (centre - half) / scale
    high = 1.0 if successes >= trials else (centre + half) / scale
    return low, high


def clopper_pearson(successes: float, trials: float, level: float = 0.95) -> Limits:
    """Exact (conservative) interval of a proportion: Clopper and Pearson (1934)."""
    tail = (1 - level) / 2
    low = 0.0 if successes <= 0 else float(special.betaincinv(successes, trials - successes + 1, tail))
    high = (
        1.0 if successes >= trials else float(special.betaincinv(successes + 1, trials - successes, 1 - tail))
    )
    return low, high


def jeffreys(successes: float, trials: float, level: float = 0.95) -> Limits:
    """Equal-tailed interval under Jeffreys' prior, with the ends set to 0 or 1 where nobody or everybody
    succeeds."""
    tail, failures = (1 - level) / 2, trials - successes
    low = 0.0 if successes <= 0 else float(special.betaincinv(successes + 0.5, failures + 0.5, tail))
    high = 1.0 if failures <= 0 else float(special.betaincinv(successes + 0.5, failures + 0.5, 1 - tail))
    return low, high


PROPORTION_INTERVALS = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}


def newcombe(successes_1: float, n_1: float, successes_0: float, n_0: float, level: float = 0.95) -> Limits:
    """Difference of two independent proportions (1 minus 0) by Newcombe (1998), method 10, without
    correction."""
    p_1, p_0 = successes_1 / n_1, successes_0 / n_0
    low_1, high_1 = wilson(successes_1, n_1, level)
    low_0, high_0 = wilson(successes_0, n_0, level)
    difference = p_1 - p_0
    return (
        difference - math.hypot(p_1 - low_1, high_0 - p_0),
        difference + math.hypot(high_1 - p_1, p_0 - low_0),
    )


def score_test(successes_1: float, n_1: float, successes_0: float, n_0: float) -> tuple[float, float]:
    """Pearson's chi-square without correction for two proportions, and its p-value (the score test of no
    difference)."""
    total, events = n_1 + n_0, successes_1 + successes_0
    if events in (0, total):
        return 0.0, 1.0
    cross = successes_1 * (n_0 - successes_0) - successes_0 * (n_1 - successes_1)
    statistic = total * cross**2 / (n_1 * n_0 * events * (total - events))
    return statistic, chi_square_p(statistic, 1)


def fisher_exact(successes_1: int, n_1: int, successes_0: int, n_0: int) -> float:
    """Two-sided p-value of Fisher's exact test: tables no more probable than the one seen."""
    events, total = successes_1 + successes_0, n_1 + n_0
    first, last = max(0, events - n_0), min(n_1, events)
    possible = np.arange(first, last + 1)
    log_p = _log_choose(n_1, possible) + _log_choose(n_0, events - possible) - _log_choose(total, events)
    seen = log_p[int(successes_1) - first]
    return float(min(1.0, np.exp(log_p[log_p <= seen + 1e-7]).sum()))


def poisson_exact(count: float, exposure: float = 1.0, level: float = 0.95) -> Limits:
    """Exact (Garwood 1936) interval of a Poisson rate per unit of exposure."""
    tail = (1 - level) / 2
    low = 0.0 if count <= 0 else float(special.gammaincinv(count, tail))
    return low / exposure, float(special.gammaincinv(count + 1, 1 - tail)) / exposure


def rate_ratio_exact(
    after: float,
    before: float,
    exposure_after: float = 1.0,
    exposure_before: float = 1.0,
    level: float = 0.95,
) -> Limits:
    """Ratio of two Poisson rates, after over before, exact given their sum (conditional binomial).

    The upper limit is infinite where nothing was counted before.
    """
    scale = exposure_before / exposure_after
    low, high = clopper_pearson(after, after + before, level)
    return scale * low / (1 - low), math.inf if high >= 1 else scale * high / (1 - high)


def rate_ratio_p(
    after: float, before: float, exposure_after: float = 1.0, exposure_before: float = 1.0
) -> float:
    """Two-sided p-value of equal rates, twice the smaller binomial tail, so that it agrees with
    `rate_ratio_exact`."""
    total, share = after + before, exposure_after / (exposure_after + exposure_before)
    if total == 0:
        return 1.0
    lower = float(special.bdtr(after, int(total), share))
    upper = float(special.bdtrc(after - 1, int(total), share)) if after > 0 else 1.0
    return min(1.0, 2 * min(lower, upper))


def _log_choose(n: float, k: np.ndarray | float) -> np.ndarray:
    return special.gammaln(n + 1) - special.gammaln(np.add(k, 1)) - special.gammaln(n - np.asarray(k) + 1)
