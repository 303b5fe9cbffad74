"""Standard errors that a planned study would have, on the scale of its test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from evalkit.design.power_options import PowerOptions

MEASURES = ("risk_difference", "risk_ratio", "odds_ratio", "mean_difference", "rate_ratio", "hazard_ratio")
# Tested as a difference of two proportions, whatever the scale that they are printed on.
PROPORTIONS = ("risk_difference", "risk_ratio", "odds_ratio")
UNITS = {
    "risk_difference": "percentage points",
    "risk_ratio": "ratio",
    "odds_ratio": "ratio",
    "mean_difference": "units of the outcome",
    "rate_ratio": "ratio",
    "hazard_ratio": "ratio",
}
LARGEST_LOG_RATIO = 5.0


def on_test_scale(effect: float, options: PowerOptions) -> tuple[float, int]:
    """Size and sign of an effect where the test works: proportions, units, or logarithms of ratios."""
    if options.measure in PROPORTIONS:
        effect = reached_with(effect, options.measure, options.baseline) - options.baseline
    elif options.measure != "mean_difference":
        effect = math.log(effect)
    return abs(effect), -1 if effect < 0 else 1


def reached_with(effect: float, measure: str, baseline: float) -> float:
    """The proportion that a difference in points, a risk ratio or an odds ratio makes of the baseline."""
    if measure == "risk_difference":
        return baseline + effect / 100
    if measure == "risk_ratio":
        return baseline * effect
    odds = effect * baseline / (1 - baseline)
    return odds / (1 + odds)


def transformed(size: float, options: PowerOptions) -> float:
    """A size on the scale of the test as the measure prints it."""
    if options.measure == "risk_difference":
        return 100 * size
    if options.measure in PROPORTIONS:
        reached = options.baseline + (-size if options.direction == "lower" else size)
        ratio = reached / options.baseline
        return ratio if options.measure == "risk_ratio" else ratio * (1 - options.baseline) / (1 - reached)
    if options.measure == "mean_difference":
        return size
    return math.exp(-size if options.direction == "lower" else size)


def largest(options: PowerOptions) -> float:
    """The largest effect that could be true, on the scale of the test."""
    if options.measure in PROPORTIONS:
        return options.baseline if options.direction == "lower" else 1 - options.baseline
    if options.measure == "mean_difference":
        return 20 * sum(standard_errors(0.0, options))
    return LARGEST_LOG_RATIO


def standard_errors(
    effect: float, options: PowerOptions, *, n_control: float | None = None
) -> tuple[float, float]:
    """Standard errors of the estimate without an effect and with it, after attrition and clustering."""
    inflated = design_effect(options)
    whole = 1 - options.attrition
    treated = whole * options.n_treated / inflated
    control = whole * (options.n_control if n_control is None else n_control)
    control /= inflated if options.clustered == "both" else 1.0
    if options.measure in PROPORTIONS:
        null, alternative = _proportions(effect, options.baseline, treated, control)
    elif options.measure == "mean_difference":
        null = alternative = options.sd * math.sqrt(panel_factor(options) * (1 / treated + 1 / control))
    elif options.measure == "rate_ratio":
        null = alternative = _rates(effect, options, treated, control)
    else:
        null = alternative = _survival(effect, options.baseline, treated, control)
    unexplained = math.sqrt(1 - options.r_squared)
    return null * unexplained, alternative * unexplained


def design_effect(options: PowerOptions) -> float:
    """1 + ((1 + cv²)m − 1)·icc: how clusters of mean size m, unequal by cv, multiply a variance."""
    if options.cluster_size is None:
        return 1.0
    return 1 + ((1 + options.cluster_cv**2) * options.cluster_size - 1) * options.icc


def panel_factor(options: PowerOptions) -> float:
    """Variance of (mean after − mean before) over that of one observation, errors AR(1); 1 without a panel."""
    before, after = options.periods_before, options.periods_after
    if not before:
        return 1.0
    period = np.arange(before + after)
    correlation = options.autocorrelation ** np.abs(period[:, None] - period[None, :]).astype(float)
    contrast = np.where(period < before, -1 / before, 1 / after)
    return float(contrast @ correlation @ contrast)


def _proportions(effect: float, baseline: float, treated: float, control: float) -> tuple[float, float]:
    reached = min(max(baseline + effect, 0.0), 1.0)
    pooled = (treated * reached + control * baseline) / (treated + control)
    null = math.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / control))
    return null, math.sqrt(reached * (1 - reached) / treated + baseline * (1 - baseline) / control)


def _rates(effect: float, options: PowerOptions, treated: float, control: float) -> float:
    events = options.baseline * options.follow_up
    return math.sqrt(
        options.dispersion * (1 / (treated * events * math.exp(effect)) + 1 / (control * events))
    )


def _survival(effect: float, baseline: float, treated: float, control: float) -> float:
    events = treated * (1 - (1 - baseline) ** math.exp(effect)) + control * baseline
    share = treated / (treated + control)
    return 1 / math.sqrt(share * (1 - share) * events)
