"""Groups of one analysis: their sizes add up to everybody's, and what compares them rests on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evalkit.disclosure.attack import Cell, Sum
from evalkit.disclosure.estimates import stripped
from evalkit.disclosure.policy import Policy
from evalkit.disclosure.sums import protect
from evalkit.disclosure.tables import Setting
from evalkit.results import Check, Estimate

ARMS = ("n_treated", "n_control")
BETWEEN_GROUPS = "subgroup_interaction"


def without_differences(
    raw: Sequence[Estimate], printed: Sequence[Estimate], setting: Setting
) -> list[Estimate]:
    """The estimates less the sizes of groups that would give a small one away: everybody less the other groups."""
    closed = {arm: _closed(raw, arm, setting.policy) for arm in ARMS}
    out = []
    for each in printed:
        gone = {arm: None for arm in ARMS if each.group in closed[arm] and getattr(each, arm) is not None}
        setting.record.secondary += len(gone)
        out.append(replace(each, **gone))
    return out


def without_interaction(
    checks: Sequence[Check], printed: Sequence[Estimate], setting: Setting
) -> list[Check]:
    """The checks; where a group's estimate is withheld, the test of all groups could be solved for it."""
    if not any(each.group is not None and each.estimate is None for each in printed):
        return list(checks)
    return [stripped(each, setting) if each.name == BETWEEN_GROUPS else each for each in checks]


def _closed(raw: Sequence[Estimate], arm: str, policy: Policy) -> set[str]:
    """The groups whose size in this arm may not be printed."""
    sizes = {each.group: getattr(each, arm) for each in raw if getattr(each, arm) is not None}
    groups = [name for name in sizes if name is not None]
    # That a group is listed says that it has somebody: nought is no secret of its size.
    policy = replace(policy, hide_zeros=False)
    small = {name for name in groups if policy.small(sizes[name])}
    if not small or None not in sizes or sum(sizes[name] for name in groups) != sizes[None]:
        return small
    cells = {name: Cell(value=sizes[name], cost=sizes[name], plain=True) for name in groups}
    cells["everybody"] = Cell(value=sizes[None], open=True, plain=True)
    return protect(cells, [Sum(whole="everybody", parts=tuple(groups))], small, policy)
