"""From a fitted series to its estimates and its printed path."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.impact.interrupted.model import LEVEL, SLOPE, Model
from evalkit.impact.interrupted.options import InterruptedOptions
from evalkit.impact.interrupted.series import Series
from evalkit.inference import critical_value, wald
from evalkit.results import Estimate

STEPS = {"month": {1: "month", 3: "quarter", 12: "year"}, "day": {1: "day", 7: "week"}}


def estimates(series: Series, model: Model, options: InterruptedOptions, *, certain: bool) -> list[Estimate]:
    """Level and slope change first; then the average change and, for counts, the difference in events.

    `certain` is False where no error can be given: too few periods before, or a recording break at the start.
    """
    step = STEPS.get(series.calendar.unit, {}).get(series.calendar.size, "period")
    found = [
        _coefficient(series, model, options, LEVEL, _unit(options), certain),
        _coefficient(series, model, options, SLOPE, f"{_unit(options)} per {step}", certain),
        _average(series, model, options, certain),
    ]
    if options.counts:
        found.append(_total(series, model, options, certain))
    if series.series == 1:
        return found
    # Series, not people: one place beside so many others.
    return [replace(each, n_treated=1, n_control=len(options.compared)) for each in found]


def _coefficient(
    series: Series, model: Model, options: InterruptedOptions, term: str, unit: str | None, certain: bool
) -> Estimate:
    if term not in model.fit.names:
        return Estimate(
            term=term, measure=_measure(series, options), estimate=None, level=options.level, unit=unit
        )
    contrast = np.zeros(len(model.fit.names))
    contrast[model.fit.position(term)] = 1.0
    value = float(model.fit.coefficients[model.fit.position(term)])
    return _estimate(series, model, options, term, value, contrast, unit, certain)


def _average(series: Series, model: Model, options: InterruptedOptions, certain: bool) -> Estimate:
    """All periods after the start: fitted over expected, as a ratio of sums; the mean difference if not counts."""
    rows = np.arange(series.start, series.periods)
    fitted, expected = model.fitted[rows], model.counterfactual[rows]
    with_it, without = model.design[rows], model.unchanged[rows]
    if options.counts:
        value = float(np.log(fitted.sum() / expected.sum()))
        contrast = fitted @ with_it / fitted.sum() - expected @ without / expected.sum()
    else:
        value, contrast = float((fitted - expected).mean()), (with_it - without).mean(axis=0)
    return _estimate(series, model, options, "average_change", value, contrast, _unit(options), certain)


def _unit(options: InterruptedOptions) -> str:
    """A change of a count is a ratio; of anything else it is in what the outcome's column counts."""
    return "ratio" if options.counts else options.outcome.replace("_", " ")


def _total(series: Series, model: Model, options: InterruptedOptions, certain: bool) -> Estimate:
    rows = np.arange(series.start, series.periods)
    fitted, expected = model.fitted[rows], model.counterfactual[rows]
    value = float((fitted - expected).sum())
    contrast = fitted @ model.design[rows] - expected @ model.unchanged[rows]
    error = float(np.sqrt(contrast @ model.covariance @ contrast)) if certain else np.nan
    found = wald(value, error, df=model.df, level=options.level)
    return Estimate(
        term="total_difference", measure="count_difference", estimate=value, std_error=found.std_error,
        statistic=found.statistic, df=found.df, p_value=found.p_value, conf_low=found.low, conf_high=found.high,
        level=options.level, interval=_interval(options) if certain else None, unit="events",
    )  # fmt: skip


def _estimate(
    series: Series, model: Model, options: InterruptedOptions, term: str, value: float, contrast: np.ndarray,
    unit: str | None, certain: bool,
) -> Estimate:  # fmt: skip
    error = float(np.sqrt(max(contrast @ model.covariance @ contrast, 0))) if certain else np.nan
    found = wald(value, error, df=model.df, level=options.level)
    shown = np.exp if options.counts else float
    ends = [None if each is None else float(shown(each)) for each in (found.low, found.high)]
    return Estimate(
        term=term, measure=_measure(series, options), estimate=float(shown(value)), std_error=found.std_error,
        statistic=found.statistic, df=found.df if certain else None, p_value=found.p_value, conf_low=ends[0],
        conf_high=ends[1], level=options.level, interval=_interval(options) if certain else None, unit=unit,
    )  # fmt: skip


def _measure(series: Series, options: InterruptedOptions) -> str:
    if not options.counts:
        return "mean_difference"
    return "rate_ratio" if series.series == 1 else "ratio_of_rate_ratios"


def _interval(options: InterruptedOptions) -> str:
    if options.autocorrelation != "none":
        return options.autocorrelation
    return "quasi_poisson" if options.family == "quasi_poisson" else "wald"


def path(series: Series, model: Model, options: InterruptedOptions, *, certain: bool) -> pd.DataFrame:
    """One row per period and series: observed, fitted, and what was expected without the programme."""
    n = series.periods
    frames = []
    for k, group in enumerate(("treated", "comparison")[: series.series]):
        rows = slice(k * n, (k + 1) * n)
        low, high = _band(model, options, rows) if certain and k == 0 else (np.nan, np.nan)
        frame = {
            "group": group,
            "period": list(series.labels),
            "post": (np.arange(n) >= series.start).astype(int),
            "observed": series.observed[:, k],
            "fitted": model.fitted[rows],
            "counterfactual": model.counterfactual[rows],
            "conf_low": low,
            "conf_high": high,
        }
        frames.append(pd.DataFrame(frame))
    return pd.concat(frames, ignore_index=True)


def _band(model: Model, options: InterruptedOptions, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise interval of the expected value without the programme (its mean, not a single month's count)."""
    design, middle = model.unchanged[rows], model.counterfactual[rows]
    error = np.sqrt(np.einsum("ij,jk,ik->i", design, model.covariance, design))
    half = critical_value(options.level, model.df) * error
    if options.counts:
        return middle * np.exp(-half), middle * np.exp(half)
    return middle - half, middle + half
