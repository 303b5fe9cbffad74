"""The last look: what is about to leave, read as an outsider reads it, against what went in. Fail closed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.disclosure.columns import kind_of, total_of
from evalkit.disclosure.comparisons import measure_of, pairs_of
from evalkit.disclosure.plan import Plan
from evalkit.disclosure.policy import Policy
from evalkit.errors import Refused
from evalkit.results import Estimate, Result

if TYPE_CHECKING:
    from evalkit.disclosure.gate import Released


def verify(
    released: Released, raw: Sequence[Result], plan: Plan, policy: Policy, about_people: Collection[str]
) -> None:
    """Refuse a release in which a small count is printed, or a comparison finer than was planned for it."""
    for before, after in zip(raw, released.results, strict=True):
        if before.analysis in about_people:
            for name, frame in after.detail.items():
                _no_small_count(f"{after.analysis}.{name}", frame, policy)
            _as_planned(before, after, plan, policy)
    for name, frame in (("flow", released.flow), ("balance", released.balance), *released.other.items()):
        if frame is not None:
            _no_small_count(name, frame, policy)


def _no_small_count(name: str, frame: pd.DataFrame, policy: Policy) -> None:
    names = [str(each) for each in frame.columns]
    for column in names:
        if kind_of(column) != "count":
            continue
        total = total_of(column, names)
        for row, value in enumerate(frame[column]):
            if not _is_number(value) or (column == "lost" and value == 0):
                continue
            whole = None if total is None else frame[total].iloc[row]
            top = whole if _is_number(whole) and whole > value else None
            if (
                value % policy.rounding
                or policy.small(value)
                or (top is not None and policy.rounding == 1 and policy.small(value, top))
            ):
                raise Refused(
                    f"column `{column}` would print a small or unrounded count",
                    where=f"disclosure, table `{name}`",
                    do="Merge its small groups, and report this: the gate should have withheld it",
                )


def _as_planned(before: Result, after: Result, plan: Plan, policy: Policy) -> None:
    pairs = pairs_of(before)
    named = {(each.term, each.group, each.measure): each for each in before.estimates}
    for now in after.estimates:
        was = named[now.term, now.group, now.measure]
        if now.estimate is None or measure_of(was) is None or was.group not in pairs:
            continue
        if plan.printings[pairs[was.group]].step is None or not _ordered(now):
            raise Refused(
                f"`{now.term}` would be printed finer than is safe",
                where=f"disclosure, analyses.{after.analysis}",
                do="Leave this analysis out, and report this: the gate should have coarsened it",
            )


def _ordered(estimate: Estimate) -> bool:
    """The printed interval holds the printed estimate."""
    if None in (estimate.estimate, estimate.conf_low, estimate.conf_high):
        return True
    return estimate.conf_low <= estimate.estimate <= estimate.conf_high  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
