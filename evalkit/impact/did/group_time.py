"""Every cohort-by-period effect with each cluster's influence on it (Callaway and Sant'Anna 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evalkit.errors import DataError, EstimationError
from evalkit.impact.did.aggregate import Cells
from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.comparison import Covariates, adjusted, covariates, plain, ratio
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
    """A wide panel: one row of `values` per period, one column per unit. For cross-sections one value per row.

    `moving` is true where a covariate changes within a unit.
    """

    values: np.ndarray
    exposure: np.ndarray | None
    weights: np.ndarray | None
    covariates: np.ndarray | None
    cohort: np.ndarray
    cluster: np.ndarray
    period: np.ndarray | None
    moving: bool = False


def group_time(panel: Panel, options: DidOptions, *, base_period: str, pre_only: bool = False) -> GroupTime:
    """All cells that the comparison group allows; cells whose ratio does not exist are left out and counted."""
    members = _members(panel, options)
    _check_comparison(members, options)
    steps, shared = panel.calendar.steps, _Shared(rows={}, models={})
    pairs = [
        each for each in _pairs(panel, options, base_period)
        if not (pre_only and steps[each[1]] >= each[0] - options.anticipation)
    ]  # fmt: skip
    influence = np.zeros((len(members.cohort), len(pairs)), order="F")
    found, effects, counts = [], [], []
    for g, k, b in pairs:
        cell = _cell(members, shared, (g, k, b), steps, options)
        if cell is not None:
            influence[cell[2], len(found)] = cell[1]
            found.append((g, int(steps[k]), int(steps[b])))
            effects.append(cell[0])
            counts.append(cell[3])
    if not found and not pre_only:
        raise EstimationError("no cohort has both a base period and a comparison", do="Add earlier periods")
    mass = np.ones(len(members.cohort)) if members.weights is None else members.weights
    mass = mass / mass.sum()
    cohort, step, base = np.array(found, dtype=int).reshape(-1, 3).T
    levels, at = np.unique(members.cohort, return_inverse=True)
    share = np.bincount(at, weights=mass)[np.searchsorted(levels, cohort)]
    return GroupTime(
        cells=Cells(cohort=cohort, step=step, share=share), effects=np.array(effects),
        influence=influence[:, : len(found)], base=base, counts=np.array(counts, dtype=int).reshape(-1, 2),
        cohort=members.cohort, unit_weight=mass, cluster=members.cluster, missing=len(pairs) - len(found),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shared:
    """What cells share: who is compared, by cohort and comparison; covariate fits, by the same and the base."""

    rows: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]
    models: dict[tuple[int, int, int], Covariates]


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
            return None if values is None else np.ascontiguousarray(values.reshape(grid).T)

        x = None if panel.covariates is None else panel.covariates.reshape(*grid, -1)
        return _Members(
            values=wide(panel.outcome), exposure=wide(panel.exposure), cohort=first(panel.cohort),
            weights=None if panel.weights is None else first(panel.weights),
            covariates=x, cluster=first(panel.cluster), period=None,
            moving=x is not None and bool((x != x[:, :1]).any()),
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
    members: _Members, shared: _Shared, cell: tuple[int, int, int], steps: np.ndarray, options: DidOptions
) -> tuple[float, np.ndarray, np.ndarray, tuple[int, int]] | None:
    """Effect, influence, the rows that it belongs to, and how many treated and control members there are."""
    g, k, b = cell
    wait = NEVER - 1
    if options.control_group == "not_yet_treated":
        wait = int(max(steps[k], steps[b]) + options.anticipation)
    if (g, wait) not in shared.rows:
        treated = members.cohort == g
        used = np.flatnonzero(treated | (members.cohort > wait))
        shared.rows[g, wait] = used, treated[used]
    rows, treated = shared.rows[g, wait]
    if members.period is not None:
        near = (members.period[rows] == k) | (members.period[rows] == b)
        rows, treated = rows[near], treated[near]
    n_treated = int(np.count_nonzero(treated))
    if n_treated in (0, len(rows)):
        return None
    if members.period is not None:
        answer = _cross_section(members, rows, treated, members.period[rows] == k, options)
    else:
        answer = _panel_cell(members, shared, (rows, treated), (g, wait, k, b), options)
    return None if answer is None else (*answer, rows, (n_treated, len(rows) - n_treated))


def _panel_cell(
    members: _Members,
    shared: _Shared,
    who: tuple[np.ndarray, np.ndarray],
    cell: tuple[int, int, int, int],
    options: DidOptions,
) -> tuple[float, np.ndarray] | None:
    (rows, treated), (g, wait, k, b) = who, cell
    weights = None if members.weights is None else members.weights[rows]
    now, then = members.values[k][rows], members.values[b][rows]
    if options.family == "poisson":
        return _ratio_cell(members, (rows, treated), (k, b), (now, then))
    if members.covariates is None:
        return plain(now - then, treated, weights)
    when = min(b, k) if members.moving else 0
    if (g, wait, when) not in shared.models:
        x = np.column_stack([np.ones(len(rows)), members.covariates[rows, when]])
        shared.models[g, wait, when] = covariates(x, treated, weights, options.adjustment)
    return adjusted(now - then, shared.models[g, wait, when], options.adjustment)


def _ratio_cell(
    members: _Members,
    who: tuple[np.ndarray, np.ndarray],
    when: tuple[int, int],
    counts: tuple[np.ndarray, np.ndarray],
) -> tuple[float, np.ndarray] | None:
    (rows, treated), (k, b), (now, then) = who, when, counts
    mass = np.ones(len(rows)) if members.weights is None else members.weights[rows]
    now_size, then_size = mass, mass
    if members.exposure is not None:
        now_size, then_size = mass * members.exposure[k][rows], mass * members.exposure[b][rows]
    try:
        return ratio((then * mass, now * mass), (then_size, now_size), treated)
    except EstimationError:
        return None


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
