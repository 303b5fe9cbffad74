"""Panels whose units are people: one row per person and period, compared as places are, and protected as people are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.disclosure.estimates import UNREAD, coarse_text, from_model, too_few, withheld
from evalkit.disclosure.policy import Policy
from evalkit.disclosure.sums import numeric
from evalkit.disclosure.tables import Setting, figures, on_grid, release_frame
from evalkit.results import Check, Result

# Columns that name one unit, which here is one person.
OF_ONE = frozenset({"left_out", "unit", "unit_name", "place", "area", "donor", "study"})
# What they say rests on one person at a time.
ONE_AT_A_TIME = frozenset({"leave_one_out", "donor_pool", "placebo_places"})


def release_panel(result: Result, setting: Setting) -> Result:
    """The result as it may be printed: its means on a grid, no frame that names a person, no estimate of a few events.

    Where one period of one arm has few events (or few without), every frame goes: from the means of the other periods
    and the estimate it could be worked out.
    """
    policy, means = setting.policy, result.detail.get("means")
    setting = replace(setting, places=False)
    pooled, single = (True, True) if means is None else (_few(_pooled(means), policy), _few(means, policy))
    estimates = tuple(
        withheld(each, policy)
        if pooled or too_few(each, policy) or (single and each.group is not None)
        else from_model(each, policy, places=False)
        for each in result.estimates
    )
    setting.record.withheld += sum(each.estimate is None for each in estimates)
    checks = tuple(_check(each, closed=pooled or single, policy=policy) for each in result.checks)
    detail = {} if pooled or single else _detail(result, setting)
    if len(detail) < len(result.detail):
        setting.record.note(
            f"Tables of `{result.analysis}` were withheld: its units are people, and they rest on one or a few of them."
        )
    return replace(result, estimates=estimates, checks=checks, detail=detail, influence=None)


def _few(cells: pd.DataFrame, policy: Policy) -> bool:
    """Whether some cell is of few people, or its total (of noughts and ones also what is left of it) is small."""
    n, total = numeric(cells["n"]), numeric(cells["n"]) * numeric(cells["mean"])
    if np.any(policy.small(n)):
        return True
    whole = n if np.all((total >= 0) & (total <= n)) else None
    return bool(np.any(policy.small(np.where(total < 0, np.inf, np.round(total, 6)), whole)))


def _pooled(means: pd.DataFrame) -> pd.DataFrame:
    """Each arm before and after, its periods together."""
    n, mean = numeric(means["n"]), numeric(means["mean"])
    summed = means.assign(n=n, total=n * mean).groupby(["arm", "post"], sort=False)[["n", "total"]].sum()
    return summed.assign(mean=summed["total"] / summed["n"])


def _detail(result: Result, setting: Setting) -> dict[str, pd.DataFrame]:
    kept = {name: each for name, each in result.detail.items() if not OF_ONE & set(each.columns)}
    return {
        name: _means(each, setting) if name == "means" else release_frame(name, each, setting)
        for name, each in kept.items()
    }


def _means(means: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """Shares on the grid of the preset, other means to the figures of its standard errors."""
    policy, mean, n = setting.policy, numeric(means["mean"]), numeric(means["n"])
    share = bool(np.all((mean >= 0) & (mean <= 1)))
    shown = [
        on_grid(each, policy.grid(people)) if share else figures(each, policy.figures)
        for each, people in zip(mean, n, strict=True)
    ]
    return release_frame("means", means.drop(columns="mean"), setting).assign(mean=shown)[list(means.columns)]


def _check(check: Check, *, closed: bool, policy: Policy) -> Check:
    """Passed or not stays, unless the counts are few; numbers of units are numbers of people."""
    if closed or check.name in ONE_AT_A_TIME:
        return replace(check, statistic=None, passed=None, reading=UNREAD, next_step="")
    words = {
        name: coarse_text(getattr(check, name), check.threshold, policy, keep=1)
        for name in ("null", "reading", "next_step")
    }
    value = check.statistic
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = float(value).is_integer() and abs(value) >= policy.threshold
        value = policy.rounded(value) if whole else figures(float(value), 1)
    return replace(check, statistic=value, **words)
