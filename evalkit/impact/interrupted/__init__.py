"""Interrupted time series: did the level or the slope of a series change when the programme began?"""

from __future__ import annotations

import pandas as pd

from evalkit.errors import EstimationError
from evalkit.impact.interrupted.checks import basic_checks, certain
from evalkit.impact.interrupted.estimates import estimates, path
from evalkit.impact.interrupted.history import (
    arima_checks,
    placebo_check,
    placebo_starts,
    regression_to_the_mean,
)
from evalkit.impact.interrupted.model import fit_series
from evalkit.impact.interrupted.options import InterruptedOptions
from evalkit.impact.interrupted.series import Series, read_series
from evalkit.inference import margin_check
from evalkit.options import takes
from evalkit.results import Result

__all__ = ["InterruptedOptions", "interrupted"]
REFERENCES = {
    "newey_west": ("newey1987",),
    "prais_winsten": ("prais1954",),
    "none": (),
}


@takes(InterruptedOptions)
def interrupted(frame: pd.DataFrame, options: InterruptedOptions) -> Result:
    """Change in level and in slope of a series at a known start, against the course it was on before.

    Parameters
    ----------
    frame
        One row per period; with `unit`, one row per series and period.
    outcome
        Column of the counts (whole numbers), or of any number where `family` is `gaussian`.
    period
        Column of the periods: whole numbers, or dates of one step. Gaps, repeats and blanks are refused.
    starts
        The first period with the programme, on the scale of `period`. A date inside a period counts the whole
        of that period as after (Check `start_inside_window`).
    family
        `quasi_poisson` (default), `poisson`, `negative_binomial` (variance mean + alpha mean²), `gaussian`.
    autocorrelation
        `none` (default), `newey_west` (Bartlett weights, n / (n − k)), `prais_winsten` (gaussian only).
    season, season_length, harmonics
        `none`; a whole number of periods in a cycle, such as 12 or 4, or `month`: a term for each of them; `quarter`:
        a term for each quarter of the year, of monthly or quarterly figures; `harmonic`: that many sine and cosine
        pairs, default 2. A cycle has `season_length` periods (default: a year of months or quarters, a week of days).
    exposure
        Column of the people or the time at risk: its log is an offset.
    unit, comparison
        Column that names each series, and the name, or names, of the comparison series, which are added up.
    breaks
        Periods from which recording changed: a step of its own at each.
    chosen_when_high
        True where the place was chosen because its figures were high.
    margin, better
        The largest change of level that would not matter (a ratio for counts: 1.1 is ten per cent; otherwise in the
        outcome's unit), and which way is better (`lower`, `higher`; left out: equivalence both ways): adds Check
        `margin`.
    lags
        Lags of the Newey-West covariance (default: whole part of 4 (n / 100)^(2/9)).
    diagnostics
        False leaves out the false starts and the model with autoregressive errors.
    level
        Of the intervals.

    Returns
    -------
    Result
        Terms `level_change` (at the start: a ratio for counts), `slope_change` (per period), `average_change`
        (all periods after), and for counts `total_difference` (events more or fewer). For ratios `std_error` is
        of the log. Detail frames: `series` (group, period, post, observed, fitted, counterfactual, conf_low,
        conf_high: the interval of the counterfactual mean), `placebo_starts` (period, estimate, std_error,
        conf_low, conf_high, p_value).

    Raises
    ------
    StudyError, DataError, EstimationError
        A combination that is not supported; gaps, repeats, blanks, negative or fractional counts; too few
        periods for the terms; only noughts before or after the start.

    Assumes
    -------
    Without the programme the series would have kept its course: nothing else happened at the start (Checks
    `series_break`, `placebo_start`, `regression_to_the_mean`). Errors are as the options say (Checks
    `overdispersion`, `autocorrelation`, `arima_errors`): Newey-West ranges are too narrow in series shorter than
    about a hundred periods. With fewer than eight periods before the start the
    estimate has no error, interval or p-value.

    Notes
    -----
    log E[y] = log exposure + b0 + b1 (t − s) + b2 [t ≥ s] + b3 (t − s) [t ≥ s] + breaks + season: exp(b2) is the
    level change, exp(b3) the slope change. With a comparison b2 and b3 are differences from its own changes.

    References
    ----------
    Bernal, Cummins and Gasparrini (2017); Newey and West (1987); Prais and Winsten (1954).

    Examples
    --------
    >>> months = pd.DataFrame({"month": range(24), "thefts": [20, 22, 19, 21] * 3 + [10, 11, 9, 10] * 3})
    >>> found = interrupted(months, outcome="thefts", period="month", starts=12, diagnostics=False)
    >>> round(found.headline.estimate, 2)
    0.49
    """
    series = read_series(frame, options)
    _refuse_noughts(series, options)
    model = fit_series(series, options)
    sure = certain(series)
    found = estimates(series, model, options, certain=sure)
    checks = [*basic_checks(series, model, options), regression_to_the_mean(series, options)]
    if options.margin is not None:
        sides = "levels before and after the start"
        checks.append(
            margin_check(found[0], options.margin, options.better, ratio=options.counts, sides=sides)
        )
    detail = {"series": path(series, model, options, certain=sure)}
    if options.diagnostics:
        placebos = placebo_starts(series, options)
        checks += [placebo_check(placebos), *arima_checks(series, options, found[0])]
        if len(placebos):
            detail["placebo_starts"] = placebos
    return Result(
        method="interrupted", estimand="att", outcome=options.outcome, estimates=tuple(found),
        checks=tuple(checks), detail=detail, references=("bernal2017", *REFERENCES[options.autocorrelation]),
    )  # fmt: skip


def readable(frame: pd.DataFrame, options: InterruptedOptions) -> None:
    """Refuse what `interrupted` could not use, without estimating anything."""
    _refuse_noughts(read_series(frame, options), options)


def _refuse_noughts(series: Series, options: InterruptedOptions) -> None:
    if not options.counts:
        return
    for words, part in (
        ("before", series.observed[: series.start]),
        ("after", series.observed[series.start :]),
    ):
        if (part.sum(axis=0) == 0).any():
            raise EstimationError(
                f"every period {words} the start holds nought, so no ratio of levels exists",
                where="interrupted",
                do="Use method `counts`, whose interval is exact",
            )
