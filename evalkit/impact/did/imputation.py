"""Imputation (Borusyak, Jaravel and Spiess 2024): what treated units would have seen, from untreated rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from evalkit.errors import EstimationError
from evalkit.impact.did.aggregate import Cells, averages
from evalkit.impact.did.bands import normal_critical
from evalkit.impact.did.event_study import event_columns, path_of
from evalkit.impact.did.found import EventPath, Found
from evalkit.impact.did.frames import cell_frame, event_frame, row_frame
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.saturated import averaged, cell_effects
from evalkit.impact.did.twfe import two_way
from evalkit.impact.did.uncertainty import from_variance
from evalkit.regression import absorb, factorize, group_sums, two_effects
from evalkit.results import Check

Solver = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Model:
    """The untreated model, and each treated row's effect. `cell` codes cohort and period of `treated` rows."""

    panel: Panel
    untreated: np.ndarray
    treated: np.ndarray
    solve: Solver
    residuals: np.ndarray
    effects: np.ndarray
    cell: np.ndarray
    cells: Cells
    counts: np.ndarray
    own: np.ndarray
    x: tuple[np.ndarray, np.ndarray, np.ndarray] | None


def imputation(panel: Panel, options: DidOptions) -> Found:
    """Treated rows less the unit and period effects that untreated rows give, averaged.

    With `family: poisson` this is Wooldridge's (2023) saturated form: an effect for every treated cohort and period
    beside unit and period effects, averaged as logarithms.
    """
    if options.family == "poisson":
        return averaged(cell_effects(panel, options, None), panel, options, None, ("wooldridge2023",))
    model = _fit(panel, options)
    made = {kind: averages(model.cells, kind) for kind in {"dynamic", "group", "calendar", options.overall}}
    cell_mean = group_sums(model.own * model.effects, model.cell, len(model.cells.cohort))
    influence = {kind: _influence(model, rows.weights) for kind, rows in made.items()}
    overall = made[options.overall]
    estimate = float(overall.overall @ overall.weights @ cell_mean)
    spread = influence[options.overall] @ overall.overall
    early = _before(panel, model, options)
    path = EventPath(
        times=made["dynamic"].keys, estimates=made["dynamic"].weights @ cell_mean, reference=None,
        covariance=influence["dynamic"].T @ influence["dynamic"], n_clusters=panel.clusters, universal=False,
    )  # fmt: skip
    return Found(
        estimate=estimate,
        interval=from_variance(estimate, float(spread @ spread), panel, options),
        interval_name="imputation",
        n_clusters=panel.clusters,
        detail=_frames(model, made, influence, cell_mean, path, early, options),
        checks=_unreached(panel, model),
        references=("borusyak2024",),
        path=_joined(early, path),
        influence=spread,
        units=panel.cluster_names,
    )


def _fit(panel: Panel, options: DidOptions) -> _Model:
    untreated = np.flatnonzero(panel.step < panel.cohort - options.anticipation)
    treated = np.flatnonzero(panel.post)
    sizes = (len(panel.units), len(panel.calendar.labels))
    treated = treated[_reached(panel, untreated, treated, sizes)]
    if not len(treated):
        raise EstimationError(
            "no treated row has an untreated row in both its unit and its period",
            do="Add units that are treated later or never",
        )
    weights = None if panel.weights is None else panel.weights[untreated]
    unit, period = panel.unit[untreated], panel.period[untreated]
    solve = two_effects(unit, period, weights, sizes)
    y, x = panel.outcome, None
    if panel.covariates is not None:
        x = _covariates(panel, untreated, treated, solve, weights)
        y = y - panel.covariates @ x[2]
    a, b = solve(*_sums(y[untreated, None], unit, period, weights, sizes))
    rest = y - a[panel.unit, 0] - b[panel.period, 0]
    cell, cells, counts, own = _cells(panel, treated)
    return _Model(
        panel=panel, untreated=untreated, treated=treated, solve=solve, residuals=rest[untreated],
        effects=rest[treated], cell=cell, cells=cells, counts=counts, own=own, x=x,
    )  # fmt: skip


def _sums(
    values: np.ndarray,
    unit: np.ndarray,
    period: np.ndarray,
    weights: np.ndarray | None,
    sizes: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    weighted = values if weights is None else values * weights[:, None]
    return group_sums(weighted, unit, sizes[0]), group_sums(weighted, period, sizes[1])


def _reached(panel: Panel, untreated: np.ndarray, treated: np.ndarray, sizes: tuple[int, int]) -> np.ndarray:
    """Treated rows whose unit and period are both tied to each other by untreated rows."""
    links = sparse.coo_matrix(
        (np.ones(len(untreated), bool), (panel.unit[untreated], panel.period[untreated])), shape=sizes
    )
    graph = sparse.bmat([[None, links], [links.T, None]])
    part = sparse.csgraph.connected_components(graph, directed=False)[1]
    return part[panel.unit[treated]] == part[sizes[0] + panel.period[treated]]


def _covariates(
    panel: Panel, untreated: np.ndarray, treated: np.ndarray, solve: Solver, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Covariates less their untreated unit and period effects, in untreated and treated rows, and the slopes."""
    sizes = (len(panel.units), len(panel.calendar.labels))
    unit, period = panel.unit[untreated], panel.period[untreated]
    a, b = solve(*_sums(panel.covariates[untreated], unit, period, weights, sizes))
    rest = panel.covariates - a[panel.unit] - b[panel.period]
    # A covariate that the effects determine leaves only rounding: it must not pass for a regressor.
    size = np.sum(panel.covariates[untreated] ** 2, axis=0)
    rest[:, np.sum(rest[untreated] ** 2, axis=0) <= 1e-18 * size] = 0.0
    outcome = absorb(panel.outcome[untreated], (unit, period), weights)
    scaled = rest[untreated] if weights is None else rest[untreated] * weights[:, None]
    inverse = np.linalg.pinv(scaled.T @ rest[untreated], rcond=1e-10)
    return scaled @ inverse, rest[treated], inverse @ (scaled.T @ outcome)


def _cells(panel: Panel, treated: np.ndarray) -> tuple[np.ndarray, Cells, np.ndarray, np.ndarray]:
    """Cells of treated rows, their counts, and each row's weight in the mean of its cell.

    The share of a cell is the weight of its rows, so that averages over cells are averages over rows.
    """
    steps = panel.calendar.steps
    cohort, levels = factorize(panel.cohort[treated])
    cell, found = factorize(cohort * len(steps) + panel.period[treated])
    weight = np.ones(len(treated)) if panel.weights is None else panel.weights[treated]
    mass = np.bincount(cell, weights=weight)
    control = np.bincount(panel.period[~panel.post], minlength=len(steps))
    period = found % len(steps)
    cells = Cells(cohort=levels[found // len(steps)], step=steps[period], share=mass / mass.sum())
    return cell, cells, np.column_stack([np.bincount(cell), control[period]]), weight / mass[cell]


def _influence(model: _Model, rows: np.ndarray) -> np.ndarray:
    """Each cluster's influence on the averages whose weights on cells are given, one column per average.

    v are the weights with which the average is linear in the outcomes (BJS eq. 6); in treated rows the residual is
    the effect less the mean effect of its cohort and period, weighted by v² (their conservative variance).
    """
    panel, unit, period = model.panel, model.panel.unit, model.panel.period
    sizes = (len(panel.units), len(panel.calendar.labels))
    own = rows.T[model.cell] * model.own[:, None]
    treated, untreated = model.treated, model.untreated
    a, b = model.solve(group_sums(own, unit[treated], sizes[0]), group_sums(own, period[treated], sizes[1]))
    v = -(a[unit[untreated]] + b[period[untreated]])
    if panel.weights is not None:
        v = v * panel.weights[untreated, None]
    if model.x is not None:
        v = v - model.x[0] @ (model.x[1].T @ own)
    squares = model.own**2
    mean = group_sums(squares * model.effects, model.cell, len(rows.T)) / np.bincount(
        model.cell, weights=squares
    )
    spread = own * (model.effects - mean[model.cell])[:, None]
    return group_sums(spread, panel.cluster[treated], panel.clusters) + group_sums(
        v * model.residuals[:, None], panel.cluster[untreated], panel.clusters
    )


def _before(panel: Panel, model: _Model, options: DidOptions) -> EventPath | None:
    """Leads beside the last period before treatment, from untreated rows alone (BJS section 4.3)."""
    rows = np.zeros(len(panel.outcome), bool)
    rows[model.untreated] = True
    early = panel.keep(rows)
    plain = replace(options, leads=None, lags=None)
    columns, times = event_columns(early, plain, -1 - options.anticipation)
    if not times:
        return None
    found = two_way(early, columns, [str(each) for each in times], options)
    return path_of(found, early, -1 - options.anticipation)


def _joined(early: EventPath | None, late: EventPath) -> EventPath:
    """One path for tests of the leads; leads and effects come from different rows, so no honest bounds from it."""
    if early is None:
        return late
    size = len(early.times) + len(late.times)
    covariance = np.zeros((size, size))
    covariance[: len(early.times), : len(early.times)] = early.covariance
    covariance[len(early.times) :, len(early.times) :] = late.covariance
    return replace(
        late,
        times=np.concatenate([early.times, late.times]),
        estimates=np.concatenate([early.estimates, late.estimates]),
        covariance=covariance,
        reference=early.reference,
    )


def _frames(
    model: _Model,
    made: dict,
    influence: dict[str, np.ndarray],
    cell_mean: np.ndarray,
    path: EventPath,
    early: EventPath | None,
    options: DidOptions,
) -> dict[str, pd.DataFrame]:
    panel, draws = model.panel, {"draws": options.draws, "seed": options.seed}
    whole = _joined(early, path)
    band = normal_critical(path.covariance, options.level, **draws)
    each = _influence(model, np.eye(len(cell_mean)))
    covariance = each.T @ each
    cell_band = normal_critical(covariance, options.level, **draws)
    frames = {
        "event_study": event_frame(
            whole.times, whole.estimates, np.diag(whole.covariance), band, whole.reference, panel, options
        ),
        "group_time": cell_frame(
            model.cells, cell_mean, np.diag(covariance), cell_band, model.counts, panel, options
        ),
    }
    for kind, name in (("group", "cohort"), ("calendar", "period")):
        labels = [panel.calendar.label(int(key)) for key in made[kind].keys]
        spread = np.einsum("ij,ij->j", influence[kind], influence[kind])
        frames[kind] = row_frame(name, labels, made[kind].weights @ cell_mean, spread, panel, options)
    return frames


def _unreached(panel: Panel, model: _Model) -> tuple[Check, ...]:
    lost = int(panel.post.sum()) - len(model.treated)
    if not lost:
        return ()
    return (
        Check(
            name="missing_cells",
            null="every treated unit-period has an untreated counterpart",
            statistic=lost,
            passed=None,
            reading=f"{lost} treated unit-periods have no untreated unit in their period, and are not used.",
            next_step="Add never-treated units, or read the effect as that of the earlier periods",
        ),
    )
