"""Checks that the area's own history allows: return to its usual level, false starts, another model of its errors."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.errors import EvalkitError
from evalkit.impact.count_checks import regression_to_the_mean as chosen
from evalkit.impact.interrupted.checks import ALPHA, FEWEST_AFTER, FEWEST_BEFORE, certain
from evalkit.impact.interrupted.estimates import estimates
from evalkit.impact.interrupted.model import LEVEL, columns, fit_series
from evalkit.impact.interrupted.options import InterruptedOptions
from evalkit.impact.interrupted.series import Series, season_length
from evalkit.inference import critical_value
from evalkit.results import Check, Estimate

FEWEST_BLOCKS, SHORTEST_BLOCK = 3, 4
SHARE_OF_PLACEBOS, FEWEST_PLACEBOS = 0.1, 5


def expected_return(series: Series, options: InterruptedOptions) -> tuple[float, float, int] | None:
    """The change to expect by itself after the last stretch, its reliability, and how many stretches there were.

    The periods before the start are cut into stretches of a year (a third of them where that is shorter). A
    stretch differs from the mean of all for good reasons and by chance; the reliability is the share of the
    variance between stretches that chance, as seen within them, does not explain. The next stretch is expected at
    mean + reliability × (last − mean): a ratio to the last for counts, a difference otherwise. None where there
    are fewer than three stretches of at least four periods.
    """
    own = series.observed[: series.start, 0]
    length = season_length(series.calendar, options) or 0
    if not length or series.start < FEWEST_BLOCKS * length or length < SHORTEST_BLOCK:
        length = series.start // FEWEST_BLOCKS
    number = series.start // length if length >= SHORTEST_BLOCK else 0
    if number < FEWEST_BLOCKS:
        return None
    used = slice(series.start - number * length, series.start)
    rates = (own / series.exposure[: series.start, 0])[used].reshape(number, length)
    means = rates.mean(axis=1)
    # Seasons lie within every stretch alike, so they are taken out before chance is measured.
    inside = rates - means[:, None] - rates.mean(axis=0) + rates.mean()
    chance = (inside**2).sum() / ((number - 1) * (length - 1)) / length
    between = means.var(ddof=1)
    reliability = float(np.clip(1 - chance / between, 0, 1)) if between > 0 else 0.0
    expected = means.mean() + reliability * (means[-1] - means.mean())
    if options.counts:
        return (float(expected / means[-1]) if means[-1] > 0 else 1.0), reliability, number
    return float(expected - means[-1]), reliability, number


def regression_to_the_mean(series: Series, options: InterruptedOptions) -> Check:
    """Whether the place was chosen at a high point, and how far its own history says it would have come down."""
    if options.chosen_when_high is None:
        base = Check(
            name="regression_to_the_mean",
            null="the choice of area or people did not depend on a high count",
            reading="It is not said whether the place was chosen because its figures were high.",
            next_step="Say so under `assignment: {chosen_when_high: true}` or `false`",
        )
    else:
        base = chosen(options.chosen_when_high)
    found = expected_return(series, options)
    if found is None:
        words = " How far it would have come down by itself is unknown: the history is too short."
    else:
        change, reliability, number = found
        size = f"{100 * (change - 1):+.1f}%" if options.counts else f"{change:+.3g}"
        words = (
            f" From its own history ({number} stretches, reliability {reliability:.2f}), the expected change "
            f"after the last of them is {size} without any programme."
        )
    return Check(
        name=base.name, null=base.null, statistic=None if found is None else found[0], passed=base.passed,
        reading=base.reading + (words if options.chosen_when_high else ""), next_step=base.next_step,
    )  # fmt: skip


def placebo_starts(series: Series, options: InterruptedOptions) -> pd.DataFrame:
    """The level change at every false start with eight periods before it and four between it and the real one.

    Columns period, estimate, std_error, conf_low, conf_high, p_value.
    """
    rows = []
    for false in range(FEWEST_BEFORE, series.start - FEWEST_AFTER + 1):
        earlier = series.until(series.start, false)
        if not certain(earlier):
            continue
        try:
            found = estimates(earlier, fit_series(earlier, options), options, certain=True)[0]
        except EvalkitError:
            continue
        if found.p_value is not None:
            rows.append((series.labels[false], found.estimate, found.std_error, found.conf_low,
                         found.conf_high, found.p_value))  # fmt: skip
    return pd.DataFrame(rows, columns=["period", "estimate", "std_error", "conf_low", "conf_high", "p_value"])


def placebo_check(placebos: pd.DataFrame) -> Check:
    """How many false starts look like an effect."""
    number, hits = len(placebos), int((placebos["p_value"] < ALPHA).sum())
    enough = number >= FEWEST_PLACEBOS
    share = hits / number if number else None
    return Check(
        name="placebo_start",
        null="a false start before the real one shows no change",
        statistic=share,
        threshold=SHARE_OF_PLACEBOS,
        passed=share <= SHARE_OF_PLACEBOS if enough else None,
        reading=f"{hits} of {number} false starts before the real one show a change at p below 0.05."
        if number
        else "The series before the start is too short for a false start.",
        next_step="Model the season or the autocorrelation; the series moves like this by itself"
        if enough and share > SHARE_OF_PLACEBOS
        else "",
    )


def arima_checks(series: Series, options: InterruptedOptions, head: Estimate) -> list[Check]:
    """The level change with first-order autoregressive errors by maximum likelihood, beside the headline.

    Counts enter as the log of their rate, so that a series with a nought cannot be checked this way.
    """
    if head.p_value is None or LEVEL not in columns(series, options)[0]:
        return []
    values = series.observed / series.exposure
    if options.counts and (values <= 0).any():
        return []
    values = np.log(values) if options.counts else values
    target = values[:, 0] if series.series == 1 else values[:, 0] - values[:, 1]
    found = _arima(target, series, options)
    if found is None:
        return []
    low, high = found[0] - found[1], found[0] + found[1]
    shown = np.exp if options.counts else float
    agree = (low > 0 or high < 0) == (head.p_value < 1 - options.level)
    words = f"{shown(found[0]):.4g} ({shown(low):.4g} to {shown(high):.4g})"
    return [
        Check(
            name="arima_errors",
            null="another model of the errors gives the same answer",
            statistic=float(shown(found[0])),
            reading=f"With autoregressive errors (maximum likelihood) the level change is {words}.",
        ),
        Check(
            name="tests_disagree",
            null="reasonable tests of the level change agree about 0.05",
            passed=agree,
            reading="A model with autoregressive errors agrees about the level change."
            if agree
            else f"A model with autoregressive errors comes to the other answer: {words}.",
            next_step="" if agree else "Say that the answer depends on the model of the errors",
        ),
    ]  # fmt: skip


def _arima(target: np.ndarray, series: Series, options: InterruptedOptions) -> tuple[float, float] | None:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    alone = series if series.series == 1 else _alone(series)
    names, design, _ = columns(alone, options)
    keep = [k for k in range(len(names)) if np.ptp(design[:, k]) > 0 or names[k] == "constant"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = SARIMAX(target, exog=design[:, keep], order=(1, 0, 0)).fit(disp=False, method="lbfgs")
        except (ValueError, np.linalg.LinAlgError):
            return None
    at = keep.index(names.index(LEVEL))
    half = critical_value(options.level) * float(fit.bse[at])
    return (float(fit.params[at]), half) if np.isfinite(half) else None


def _alone(series: Series) -> Series:
    return replace(series, observed=series.observed[:, :1], exposure=series.exposure[:, :1])
