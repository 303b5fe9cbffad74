"""What can be asked of a pooled effect: how many studies, how unlike, how fragile, and whether small ones differ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.pooling.bias import egger
from evalkit.pooling.gather import Studies
from evalkit.pooling.heterogeneity import Heterogeneity, moment_i2
from evalkit.pooling.measures import LOG_OF
from evalkit.pooling.pooling import Pooled, pool
from evalkit.results import Check

if TYPE_CHECKING:
    from evalkit.pooling.method import MetaOptions

KINDS = {"hartung_knapp": "Hartung and Knapp", "normal": "the normal distribution"}
FEW, FOR_EGGER, STRONG = 5, 10, 3
I2_HIGH, Q_ALPHA, EGGER_ALPHA, ALPHA = 50.0, 0.1, 0.1, 0.05


def checks_of(
    studies: Studies, y: np.ndarray, v: np.ndarray, fit: Pooled, spread: Heterogeneity, left: pd.DataFrame,
    options: MetaOptions,
) -> tuple[Check, ...]:  # fmt: skip
    """Every check of a pooled effect; `y`, `v` are the effects and variances that were pooled."""
    made = [_heterogeneity(spread, fit, options), _few(len(y)), _small_study(y, v, options)]
    made += [_disagree(y, v, fit, options), _fragile(left, fit, options)]
    if studies.dropped or (studies.rules == "half added").any():
        made.append(_zero_cells(studies))
    if "level" in studies.table:
        made.append(_levels(studies.table["level"]))
    return tuple(made)


def _heterogeneity(spread: Heterogeneity, fit: Pooled, options: MetaOptions) -> Check:
    i2 = moment_i2(spread.q, spread.df) if options.estimator == "fixed" else spread.i2
    alike = i2 <= I2_HIGH and spread.p_value >= Q_ALPHA
    test = f"Q = {spread.q:.1f}, p = {spread.p_value:.3f}"
    reading = f"{i2:.0f}% of the variation between studies is more than chance ({test})."
    if options.estimator != "fixed":
        low, high = fit.prediction(level=options.level)
        reading += f" A new study's {_between(low, high, options)}."
    return Check(
        name="heterogeneity",
        null="the studies share one effect",
        statistic=i2,
        threshold=I2_HIGH,
        passed=alike,
        reading=reading,
        next_step=""
        if alike
        else "Ask how the studies differ; read the prediction interval, not only the mean.",
    )


def _between(low: float, high: float, options: MetaOptions) -> str:
    """Two ends in words; of a logarithm those of the ratio, which is what readers think in."""
    if options.measure not in LOG_OF:
        return f"effect would lie between {low:.3g} and {high:.3g}"
    ratio = LOG_OF[options.measure].replace("_", " ")
    return f"{ratio} would lie between {math.exp(low):.2f} and {math.exp(high):.2f}"


def _few(number: int) -> Check:
    return Check(
        name="few_studies",
        null="there are enough studies to say how far they differ",
        statistic=number,
        threshold=FEW,
        passed=number >= FEW,
        reading=f"{number} studies are pooled.",
        next_step=""
        if number >= FEW
        else "With so few studies their differences are hardly known: read each one too.",
    )


def _small_study(y: np.ndarray, v: np.ndarray, options: MetaOptions) -> Check:
    null = "small studies find what large ones find"
    if len(y) < FOR_EGGER or np.ptp(v) == 0:
        return Check(
            name="small_study",
            null=null,
            reading=f"Not tested: Egger's test needs {FOR_EGGER} studies of different sizes, and there are {len(y)}.",
            next_step="Ask whether studies with dull results would have been published.",
        )
    errors = np.sqrt(v)
    slope = egger(y, errors, estimator=options.estimator).slope
    classical = egger(y, errors, estimator=None).slope
    quiet = min(slope.p_value, classical.p_value) >= EGGER_ALPHA
    return Check(
        name="small_study",
        null=null,
        statistic=slope.statistic,
        threshold=EGGER_ALPHA,
        passed=quiet,
        reading=f"Egger's test: p = {slope.p_value:.3f} (mixed effects), p = {classical.p_value:.3f} (classical).",
        next_step=""
        if quiet
        else "Small studies differ from large ones: unpublished results are one explanation.",
    )


def _disagree(y: np.ndarray, v: np.ndarray, fit: Pooled, options: MetaOptions) -> Check:
    """The same mean under the other interval: do both lie on one side of 0.05?"""
    other_kind = "normal" if fit.df else "hartung_knapp"
    other = pool(y, v, estimator=options.estimator, interval=other_kind)
    p, p_other = (each.interval(level=options.level).p_value for each in (fit, other))
    agree = p is None or p_other is None or (p < ALPHA) == (p_other < ALPHA)
    both = (
        ""
        if p is None or p_other is None
        else f"p = {p:.3f} by {KINDS[options.kind]}, {p_other:.3f} by {KINDS[other_kind]}."
    )
    return Check(
        name="tests_disagree",
        null="the choice of interval does not decide",
        statistic=p_other,
        threshold=ALPHA,
        passed=agree,
        reading=both,
        next_step="" if agree else "Treat the pooled effect as not clear-cut.",
    )


def _fragile(left: pd.DataFrame, fit: Pooled, options: MetaOptions) -> Check:
    def clear(low: float, high: float) -> bool:
        return low > 0 or high < 0

    found = fit.interval(level=options.level)
    whole = found.low is not None and found.high is not None and clear(found.low, found.high)
    turned = [
        row.study
        for row in left.itertuples()
        if row.conf_low is not None and clear(row.conf_low, row.conf_high) != whole
    ]
    low, high = left["estimate"].min(), left["estimate"].max()
    reading = f"With one study left out at a time, the pooled {_between(low, high, options)}."
    if turned:
        reading += f" Whether its interval includes no effect hangs on {len(turned)} of the studies."
    return Check(
        name="leave_one_out",
        null="no single study decides",
        statistic=len(turned),
        threshold=0,
        passed=not turned,
        reading=reading,
        next_step="Say which study the finding hangs on." if turned else "",
    )


def _zero_cells(studies: Studies) -> Check:
    halved = int((studies.rules == "half added").sum())
    words = [
        f"In {halved} studies a group had no events or only events: half an event was added to each cell."
    ] * bool(halved)
    if studies.dropped:
        words.append(f"Left out, because they say nothing about this measure: {', '.join(studies.dropped)}.")
    return Check(
        name="zero_cells",
        null="every group has some events",
        statistic=halved + len(studies.dropped),
        threshold=0,
        reading=" ".join(words),
        next_step="Compare with `measure: risk_difference`, which needs no such rule.",
    )


def _levels(levels: pd.Series) -> Check:
    strong = int((pd.to_numeric(levels, errors="coerce") >= 4).sum())
    return Check(
        name="evidence_levels",
        null="the pooled effect rests on strong studies",
        statistic=strong,
        threshold=STRONG,
        passed=strong >= STRONG,
        reading=f"{strong} of {len(levels)} studies are at level 4 or 5.",
        next_step=""
        if strong >= STRONG
        else "Report the studies side by side; the mean is no stronger than they are.",
    )
