"""What is left over: rows, bands and sentences that are differences between cells, or that say where one lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from evalkit.disclosure.estimates import stripped, withheld
from evalkit.disclosure.policy import WITHHELD, Policy
from evalkit.disclosure.sums import numeric
from evalkit.disclosure.tables import Setting
from evalkit.results import Check, Result

KEPT_ACCOUNTS = ("entered", "closed or stopped there")
# Checks of a design whose number is a share of people.
SHARE_CHECKS = ("overlap", "attrition")


def without_remainders(raw: Result, printed: Result, setting: Setting) -> Result:
    """The result as printed, less what its withheld cells could be worked out from."""
    if raw.method == "funnel":
        return _funnel(printed, setting)
    return _criteria(raw, printed, setting) if raw.method == "progression" else printed


def without_hidden_row(
    results: Sequence[Result],
    checks: Sequence[Check],
    raw: pd.DataFrame | None,
    printed: pd.DataFrame | None,
    setting: Setting,
) -> tuple[tuple[Result, ...], tuple[Check, ...]]:
    """The check of balance, wherever it stands, without its number where the covariate that it names is withheld."""
    if raw is None or printed is None or not {"covariate", "smd_after"} <= set(raw.columns):
        return tuple(results), tuple(checks)
    gone = (printed["smd_after"] == WITHHELD).to_numpy()
    hidden = np.abs(numeric(raw["smd_after"]))[gone]

    def without(check: Check) -> Check:
        found = check.statistic
        if check.name != "balance" or found is None or not np.any(np.isclose(hidden, abs(float(found)))):
            return check
        return replace(stripped(check, setting), passed=check.passed, next_step=check.next_step)

    kept = tuple(replace(each, checks=tuple(without(check) for check in each.checks)) for each in results)
    return kept, tuple(without(each) for each in checks)


def design_check(check: Check, printed: Check, setting: Setting) -> Check:
    """A check of the design as printed; one on a share of so few people that they could be counted has no number."""
    share, people = check.statistic, setting.people
    if check.name not in SHARE_CHECKS or share is None or not people or not 0 <= share <= 1:
        return printed
    few = bool(setting.policy.small(share * people, people)) and share not in (0, 1)
    return replace(stripped(check, setting), passed=check.passed) if few else printed


def _funnel(funnel: Result, setting: Setting) -> Result:
    """A funnel with a withheld stage keeps of its accounts only who entered and who was closed: the other rows, and
    the sentences about them, are differences between stages."""
    stages, accounts = funnel.detail.get("stages"), funnel.detail.get("accounts")
    if stages is None or not (stages["reached"] == WITHHELD).any():
        return funnel
    checks = tuple(stripped(each, setting) for each in funnel.checks)
    detail = dict(funnel.detail)
    if accounts is not None:
        kept = accounts["status"].isin(KEPT_ACCOUNTS)
        setting.record.secondary += int((~kept & (accounts["count"] != WITHHELD)).sum())
        detail["accounts"] = accounts.assign(count=accounts["count"].where(kept, WITHHELD))
    return replace(funnel, checks=checks, detail=detail)


def _criteria(raw: Result, printed: Result, setting: Setting) -> Result:
    """A pilot's criteria: where the band of a withheld count leaves too few numbers, the band goes, and with it how
    many criteria were met, from which it could be had."""
    before, after = raw.detail.get("criteria"), printed.detail.get("criteria")
    if before is None or after is None or not (after["successes"] == WITHHELD).any():
        return printed
    closed = after["successes"] == WITHHELD
    told = pd.Series(
        [shut and not _hides(row, setting.policy) for shut, row in zip(closed, _rows(before), strict=True)]
    )
    frame = after.assign(
        band=after["band"].mask(told, WITHHELD), certain=after["certain"].mask(closed, WITHHELD)
    )
    setting.record.withheld += int(told.sum() + closed.sum())
    estimates = printed.estimates
    if told.any():
        estimates = tuple(withheld(each, setting.policy) for each in estimates)
    checks = tuple(stripped(each, setting) for each in printed.checks)
    return replace(printed, estimates=estimates, checks=checks, detail={**printed.detail, "criteria": frame})


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    numbers = {name: numeric(frame[name]) for name in ("successes", "trials", "green", "amber")}
    return [{name: values[row] for name, values in numbers.items()} for row in range(len(frame))]


def _hides(row: dict[str, float], policy: Policy) -> bool:
    """Whether the band says no more than that the count is small, or leaves enough small counts on either side."""
    n, x = int(row["trials"]), int(row["successes"])

    def band(count: int) -> int:
        sign = 1 if row["amber"] <= row["green"] else -1  # amber above green: lower is better
        return sum(sign * count >= sign * row[mark] * n for mark in ("green", "amber"))

    alike = [count for count in range(n + 1) if policy.small(count, n) and (2 * count > n) == (2 * x > n)]
    fits = [count for count in alike if band(count) == band(x)]
    if fits == alike:
        return True
    floor = 0 if policy.hide_zeros else 1
    return x - min(fits) >= min(policy.protection, max(x - floor, 0)) and max(fits) - x >= min(
        policy.protection, max(n - floor - x, 0)
    )
