"""Accounts of costs and benefits that value an analysis: worked out of what is printed of it, and of nothing finer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
from scipy import special

from evalkit.disclosure.columns import kind_of
from evalkit.disclosure.estimates import stripped, withheld
from evalkit.disclosure.policy import WITHHELD
from evalkit.disclosure.tables import Setting, release_frame
from evalkit.results import Estimate, Result

# Frames of what was entered, which no estimate goes into.
ENTERED = frozenset({"parameters"})
POSITIONS = frozenset({"year", "quantile"})
# Words that depend on the size of an impact.
TELLING = frozenset({"possible", "status", "met", "certain", "rating"})


def as_valued(printed: Result) -> Result | None:
    """A printed result that an account may value, its error from its printed interval; None where it is withheld.

    A ratio is valued at the printed rate of the comparison arm, so that must have been printed too.
    """
    head = printed.headline
    if head.estimate is None or (head.measure.endswith("ratio") and _arm_withheld(printed)):
        return None
    return replace(printed, estimates=(_with_error(head), *printed.estimates[1:]))


def release_closed(account: Result, sources: Sequence[str], setting: Setting) -> Result:
    """The account without its numbers: the estimate of an analysis that it values could be solved out of them."""
    named = ", ".join(f"`{name}`" for name in sources)
    setting.record.note(
        f"`{account.analysis}` was withheld: it values {named}, of which no estimate may be printed. Value another "
        "analysis, or enter an impact from another source."
    )
    setting.record.withheld += len(account.estimates)
    checks = tuple(stripped(each, setting) for each in account.checks)
    estimates = tuple(withheld(each, setting.policy) for each in account.estimates)
    detail = {name: _without_amounts(name, frame, setting) for name, frame in account.detail.items()}
    return replace(account, estimates=estimates, checks=checks, detail=detail, influence=None)


def _without_amounts(name: str, frame: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """The frame with its words, years and unit costs, in an order that says nothing of its amounts."""
    if name in ENTERED:
        return release_frame(name, frame, setting)
    kept = [
        each for each in frame if each in POSITIONS or (kind_of(str(each)) == "label" and each not in TELLING)
    ]
    closed = frame.astype(object)
    closed[[each for each in frame if each not in kept]] = WITHHELD
    setting.record.withheld += int((closed == WITHHELD).to_numpy().sum())
    keyed = closed[kept].astype(str).agg("|".join, axis=1) if kept else closed.index
    return closed.assign(_order=keyed).sort_values("_order", kind="stable").drop(columns="_order")


def closed_sources(sources: Sequence[str], printed: Mapping[str, Result]) -> list[str]:
    """Of the analyses that an account values, those of which too little is printed."""
    return [name for name in sources if name in printed and as_valued(printed[name]) is None]


def _arm_withheld(result: Result) -> bool:
    arms = result.detail.get("arms")
    return arms is not None and "value" in arms.columns and bool((arms["value"] == WITHHELD).any())


def _with_error(estimate: Estimate) -> Estimate:
    """The standard error that the printed interval gives, where none was printed."""
    low, high = estimate.conf_low, estimate.conf_high
    if estimate.std_error is not None or low is None or high is None:
        return estimate
    z = float(special.ndtri(0.5 + estimate.level / 2))
    if estimate.measure.endswith("ratio"):
        width = math.log(high / low) if low > 0 else math.nan
    else:
        width = high - low
    return replace(estimate, std_error=width / (2 * z) if math.isfinite(width) and width > 0 else None)
