"""Means of arms that come without their counts, weighted or adjusted: times the people of an arm they are a count."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evalkit.disclosure.policy import WITHHELD
from evalkit.disclosure.sums import numeric
from evalkit.disclosure.tables import Setting
from evalkit.results import Result

NUMBERS = ("value", "conf_low", "conf_high")


def may_be_shares(result: Result, setting: Setting) -> bool:
    """Whether the means of the arms are of noughts and ones; where that is not known, whether they lie from 0 to 1."""
    arms = result.detail.get("arms")
    if arms is None or "value" not in arms.columns:
        return False
    if setting.greatest is not None:
        return setting.greatest.get(result.analysis, np.inf) <= 1
    value = numeric(arms["value"])
    return bool(len(value) and np.all((value >= 0) & (value <= 1)))


def few_in_means(result: Result, setting: Setting) -> np.ndarray:
    """By arm, whether its mean is of few events, or of noughts and ones leaves few people without."""
    arms = result.detail.get("arms")
    if arms is None or not {"n", "value", "events"} <= set(arms.columns) or arms["events"].notna().any():
        return np.zeros(0, dtype=bool)
    if setting.greatest is not None and result.analysis not in setting.greatest:
        return np.zeros(0, dtype=bool)
    n, value = numeric(arms["n"]), numeric(arms["value"])
    whole = n if may_be_shares(result, setting) else None
    with np.errstate(invalid="ignore"):
        return setting.policy.small(np.round(n * value, 6), whole) & (value >= 0)


def without_few_in_means(
    raw: Result, printed: Mapping[str, pd.DataFrame], setting: Setting
) -> dict[str, pd.DataFrame]:
    """The frames; an arm whose mean gives a small count has neither mean nor limits."""
    few, detail = few_in_means(raw, setting), dict(printed)
    if not few.any():
        return detail
    columns = [name for name in NUMBERS if name in detail["arms"].columns]
    arms = detail["arms"].astype(object)
    arms.loc[few, columns] = WITHHELD
    detail["arms"] = arms
    setting.record.withheld += len(columns) * int(few.sum())
    return detail
