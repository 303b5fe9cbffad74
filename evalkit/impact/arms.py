"""The frame `arms`: each arm's people, events and mean, with an interval of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from evalkit.impact.measures import BINARY, Means, spread
from evalkit.impact.sample import Sample
from evalkit.inference import wald
from evalkit.intervals import poisson_exact, wilson

COLUMNS = ["arm", "n", "events", "value", "conf_low", "conf_high"]


def arms_frame(sample: Sample, means: Means, options: Any) -> pd.DataFrame:
    """One row per arm: arm, n, events (their sum of the outcome, unweighted), value, conf_low, conf_high.

    Wilson's interval for risks of plain rows, exact Poisson's for counts that are each 0 or 1 per
    exposure, and otherwise a Wald interval from the influences, kept between 0 and 1 for a risk by
    Wilson's form with the number of independent people that would be as precise.
    """
    rows = []
    for column, (name, flag) in enumerate((("treated", True), ("control", False))):
        value = means.treated if flag else means.control
        outcome = sample.outcome[sample.treated == flag]
        events = None if options.measure == "mean_difference" else float(outcome.sum())
        low, high = _limits(sample, means, column, value, options)
        rows.append((name, len(outcome), events, value, low, high))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    whole = frame["events"].notna().all() and (frame["events"] == frame["events"].round()).all()
    return frame.astype({"events": "int64"}) if whole else frame


def _limits(
    sample: Sample, means: Means, column: int, value: float, options: Any
) -> tuple[float | None, float | None]:
    flag = column == 0
    n = int((sample.treated == flag).sum())
    simple = sample.plain and not options.adjust
    if options.measure in BINARY and simple:
        return wilson(round(value * n), n, options.level)
    found = spread(means.influence[:, column], sample, min(means.parameters, len(sample.outcome) - 1))
    if not found.trusted:
        return None, None
    if options.measure in BINARY:
        size = value * (1 - value) / found.variance if found.variance > 0 else n
        return wilson(value * size, size, options.level) if size > 0 else (None, None)
    if options.measure == "rate_ratio" and value == 0:
        exposure = n if sample.exposure is None else float(sample.exposure[sample.treated == flag].sum())
        return poisson_exact(0, exposure, options.level)
    if options.measure == "rate_ratio":
        limits = wald(math.log(value), math.sqrt(found.variance) / value, df=found.df, level=options.level)
        return (None, None) if limits.low is None else (float(np.exp(limits.low)), float(np.exp(limits.high)))
    limits = wald(value, math.sqrt(found.variance), df=found.df, level=options.level)
    return limits.low, limits.high
