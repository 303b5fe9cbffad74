"""Every cohort-by-period effect with each cluster's influence on it (Callaway and Sant'Anna 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evalkit.errors import DataError, EstimationError
from evalkit.impact.did.aggregate import Cells
from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.comparison import adjusted, plain, ratio
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupTime:
    """Effects of each cell and the influence of each member (a unit, or a row of repeated cross-sections).

    `base` is the step that each cell is compared with; `counts` the treated and control members of each cell.
    """

    cells: Cells
    effects: np.ndarray
    influence: np.ndarray
    base: np.ndarray
    counts: np.ndarray
    cohort: np.ndarray
    unit_weight: np.ndarray
    cluster: np.ndarray
    missing: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Members:
    """A wide panel: one row per unit, one column per period. For cross-sections `values` is one column per row."""

    values: np.ndarray
    exposure: np.ndarray | None
    weights: np.ndarray | None
    covariates: np.ndarray | None
    cohort: np.ndarray
    cluster: np.ndarray
    period: np.ndarray | None


def group_time(panel: Panel, options: DidOptions, *, base_period: str, pre_only: bool = False) -> GroupTime:
    """All cells that the comparison group allows; cells whose ratio does not exist are left out and counted."""
    members = _members(panel, options)
    _check_comparison(members, options)
    found, effects, columns, bases, counts, missing = [], [], [], [], [], 0
    steps = panel.calendar.steps
    for g, k, b in _pairs(panel, options, base_period):
        if pre_only and steps[k] >= g - options.anticipation:
            continue
        cell = _cell(members, g, k, b, steps, options)
        if cell is None:
            missing += 1
            continue
        found.append((g, steps[k]))
        effects.append(cell[0])
        columns.append(cell[1])
        bases.append(steps[b])
        counts.append(cell[2])
    if not found and not pre_only:
        raise EstimationError("no cohort has both a base period and a comparison", do="Add earlier periods")
    mass = np.ones(len(members.cohort)) if members.weights is None else members.weights
    mass = mass / mass.sum()
    cohort, step = (np.array([each[i] for each in found], dtype=int) for i in (0, 1))
    share = np.array([mass[members.cohort == g].sum() for g in cohort])
    size = (len(members.cohort), len(found))
    return GroupTime(
        cells=Cells(cohort=cohort, step=step, share=share), effects=np.array(effects),
        influence=np.array(columns).T if columns else np.zeros(size), base=np.array(bases, dtype=int),
        counts=np.array(counts).reshape(-1, 2), cohort=members.cohort, unit_weight=mass,
        cluster=members.cluster, missing=missing,
    )  # fmt: skip


def _pairs(panel: Panel, options: DidOptions, base_period: str) -> Iterator[tuple[int, int, int]]:
    """Cohort step, period index and base index of every cell.

    Before treatment the varying base is the period before; from treatment (less anticipation) on, and for the
    universal base always, it is the last period before anticipation.
    """
    steps = panel.calendar.steps
    for g in panel.cohorts:
        before = np.flatnonzero(steps + options.anticipation < g)
        if not len(before):
            continue
        last = int(before[-1])
        for k in range(len(steps)):
            if base_period == "universal" or k > last:
                if k != last:
                    yield int(g), k, last
            elif k > 0:
                yield int(g), k, k - 1


def _members(panel: Panel, options: DidOptions) -> _Members:
    if panel.grid is not None:
        grid = panel.grid
        first = panel.first_rows

        def wide(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values.reshape(grid)

        covariates = panel.covariates
        return _Members(
            values=wide(panel.outcome), exposure=wide(panel.exposure), cohort=first(panel.cohort),
            weights=None if panel.weights is None else first(panel.weights),
            covariates=None if covariates is None else covariates.reshape(*grid, -1),
            cluster=first(panel.cluster), period=None,
        )  # fmt: skip
    if options.covariates:
        raise DataError(
            "covariates with repeated cross-sections are not supported",
            where="did",
            do="Leave `unbalanced: complete`, or leave out `covariates`",
        )
    return _Members(
        values=panel.outcome, exposure=panel.exposure, weights=panel.weights, covariates=None,
        cohort=panel.cohort, cluster=panel.cluster, period=panel.period,
    )  # fmt: skip


def _check_comparison(members: _Members, options: DidOptions) -> None:
    if options.control_group == "never_treated" and not (members.cohort == NEVER).any():
        raise DataError(
            "there is no never-treated unit to compare with",
            where="column of first treatment",
            do="Use `control_group: not_yet_treated`, or add units with a blank or 0",
        )


def _cell(
    members: _Members, g: int, k: int, b: int, steps: np.ndarray, options: DidOptions
) -> tuple[float, np.ndarray, tuple[int, int]] | None:
    treated = members.cohort == g
    control = members.cohort == NEVER
    if options.control_group == "not_yet_treated":
        control |= members.cohort > max(steps[k], steps[b]) + options.anticipation
        control &= ~treated
    used = treated | control
    if members.period is not None:
        used &= (members.period == k) | (members.period == b)
    rows = np.flatnonzero(used)
    if not control.any() or not treated[rows].any():
        return None
    influence = np.zeros(len(members.cohort))
    if members.period is not None:
        answer = _cross_section(members, rows, treated[rows], members.period[rows] == k, options)
    else:
        answer = _panel_cell(members, rows, treated[rows], k, b, options)
    if answer is None:
        return None
    influence[rows] = answer[1]
    return answer[0], influence, (int(treated[rows].sum()), int(control[rows].sum()))


def _panel_cell(
    members: _Members, rows: np.ndarray, treated: np.ndarray, k: int, b: int, options: DidOptions
) -> tuple[float, np.ndarray] | None:
    weights = None if members.weights is None else members.weights[rows]
    now, then = members.values[rows, k], members.values[rows, b]
    if options.family == "poisson":
        exposure = np.ones_like(members.values) if members.exposure is None else members.exposure
        mass = 1.0 if weights is None else weights
        pairs = (then * mass, now * mass), (exposure[rows, b] * mass, exposure[rows, k] * mass)
        try:
            return ratio(*pairs, treated)
        except EstimationError:
            return None
    if members.covariates is None:
        return plain(now - then, treated, weights)
    base = members.covariates[rows, min(b, k)]
    x = np.column_stack([np.ones(len(rows)), base])
    return adjusted(now - then, treated, x, weights, options.adjustment)


def _cross_section(
    members: _Members, rows: np.ndarray, treated: np.ndarray, now: np.ndarray, options: DidOptions
) -> tuple[float, np.ndarray] | None:
    """Four means of rows: each arm's change is a difference of two groups."""
    y = members.values[rows]
    weights = None if members.weights is None else members.weights[rows]
    if any(not (treated == a)[now == w].any() for a in (True, False) for w in (True, False)):
        return None
    if options.family == "poisson":
        e = np.ones_like(y) if members.exposure is None else members.exposure[rows]
        mass = 1.0 if weights is None else weights
        zero = np.zeros_like(y)
        counts = np.where(now, zero, y * mass), np.where(now, y * mass, zero)
        try:
            return ratio(counts, (np.where(now, 0, e * mass), np.where(now, e * mass, 0)), treated)
        except EstimationError:
            return None
    effect, influence = 0.0, np.zeros(len(rows))
    for arm, sign in ((treated, 1.0), (~treated, -1.0)):
        value, part = plain(y[arm], now[arm], None if weights is None else weights[arm])
        effect += sign * value
        influence[arm] = sign * part
    return effect, influence
