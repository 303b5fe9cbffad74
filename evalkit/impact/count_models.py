"""Model-based errors of a rate ratio, printed beside the robust one: quasi-Poisson and negative binomial."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln

from evalkit.errors import EstimationError
from evalkit.impact.measures import Spread, estimate_from
from evalkit.impact.sample import Sample
from evalkit.results import Estimate

SMALLEST_DISPERSION, LARGEST_DISPERSION = 1e-8, 1e4
NEWTON_STEPS = 60


def count_models(sample: Sample, level: float) -> list[Estimate]:
    """Terms `quasi_poisson` and `negative_binomial` (NB2, maximum likelihood); none where an arm has no
    event."""
    y, treated = sample.outcome, sample.treated
    exposure = np.ones(len(y)) if sample.exposure is None else sample.exposure
    if y[treated].sum() == 0 or y[~treated].sum() == 0 or len(y) < 3:
        return []
    estimates = [_quasi_poisson(sample, exposure, level)]
    log_ratio, variance, _ = negative_binomial(y, treated, exposure)
    found = Spread(variance=variance)
    estimates.append(
        estimate_from("negative_binomial", "rate_ratio", log_ratio, found, sample, level, interval="wald")
    )
    return estimates


def _quasi_poisson(sample: Sample, exposure: np.ndarray, level: float) -> Estimate:
    y, treated = sample.outcome, sample.treated
    rate = {flag: y[treated == flag].sum() / exposure[treated == flag].sum() for flag in (True, False)}
    mean = exposure * np.where(treated, rate[True], rate[False])
    dispersion = float(((y - mean) ** 2 / mean).sum() / (len(y) - 2))
    variance = dispersion * (1 / y[treated].sum() + 1 / y[~treated].sum())
    value = math.log(rate[True] / rate[False])
    found = Spread(variance=float(variance))
    return estimate_from("quasi_poisson", "rate_ratio", value, found, sample, level)


def negative_binomial(y: np.ndarray, treated: np.ndarray, exposure: np.ndarray) -> tuple[float, float, float]:
    """Log rate ratio, its variance (expected information) and the dispersion, by maximum likelihood."""
    from scipy.optimize import minimize_scalar

    def profile(log_alpha: float) -> float:
        alpha = math.exp(log_alpha)
        mean = exposure * _arm_rates(y, treated, exposure, alpha)
        return -_log_likelihood(y, mean, alpha)

    limits = (math.log(SMALLEST_DISPERSION), math.log(LARGEST_DISPERSION))
    found = minimize_scalar(profile, bounds=limits, method="bounded", options={"xatol": 1e-9})
    alpha = math.exp(found.x)
    mean = exposure * _arm_rates(y, treated, exposure, alpha)
    information = mean / (1 + alpha * mean)
    variance = 1 / information[treated].sum() + 1 / information[~treated].sum()
    one, nought = (float((mean / exposure)[treated == flag][0]) for flag in (True, False))
    return math.log(one / nought), float(variance), alpha


def _arm_rates(y: np.ndarray, treated: np.ndarray, exposure: np.ndarray, alpha: float) -> np.ndarray:
    out = np.empty(len(y))
    for flag in (True, False):
        rows = treated == flag
        out[rows] = _rate(y[rows], exposure[rows], alpha)
    return out


def _rate(y: np.ndarray, exposure: np.ndarray, alpha: float) -> float:
    """The rate that solves one arm's score equation; its plain rate where exposures are equal."""
    line = math.log(y.sum() / exposure.sum())
    if np.ptp(exposure) == 0:
        return math.exp(line)
    for _ in range(NEWTON_STEPS):
        mean = exposure * math.exp(line)
        step = ((y - mean) / (1 + alpha * mean)).sum() / (mean / (1 + alpha * mean)).sum()
        line += step
        if abs(step) < 1e-12:
            return math.exp(line)
    raise EstimationError("the negative binomial rate did not settle", where="rates")


def _log_likelihood(y: np.ndarray, mean: np.ndarray, alpha: float) -> float:
    size = 1 / alpha
    terms = gammaln(y + size) - gammaln(size) - gammaln(y + 1)
    terms += y * np.log(alpha * mean) - (y + size) * np.log1p(alpha * mean)
    return float(terms.sum())
