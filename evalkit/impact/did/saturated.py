"""Regressions with a dummy for every cohort and event time: Sun and Abraham, and Wooldridge's saturated Poisson."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evalkit.impact.did.aggregate import Averages, Cells, averages
from evalkit.impact.did.bands import normal_critical
from evalkit.impact.did.calendar import NEVER
from evalkit.impact.did.found import EventPath, Found
from evalkit.impact.did.frames import cell_frame, event_frame, row_frame
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.twfe import cohort_levels, two_way
from evalkit.impact.did.uncertainty import from_variance


@dataclass(frozen=True, kw_only=True, eq=False)
class CellFit:
    """Cohort-by-period effects with their covariance, and how many treated and control units each rests on.

    `influence` has one row per cluster, whose names `units` are.
    """

    cells: Cells
    effects: np.ndarray
    covariance: np.ndarray
    counts: np.ndarray
    influence: np.ndarray
    units: np.ndarray


def against_last_cohort(panel: Panel) -> Panel:
    """Where no unit is never treated, the last cohort serves as comparison until its own start."""
    if not panel.treated.all():
        return panel
    last = panel.cohort.max()
    shorter = panel.keep(panel.step < last)
    return replace(shorter, cohort=np.where(shorter.cohort == last, NEVER, shorter.cohort))


def cell_effects(panel: Panel, options: DidOptions, reference: int | None) -> CellFit:
    """One dummy per cohort and event time except the reference; with no reference, per treated cell only."""
    levels = cohort_levels(panel)
    steps = panel.calendar.steps
    wanted = [
        (c, k)
        for c, g in enumerate(levels)
        for k, t in enumerate(steps)
        if g != NEVER and (t >= g - options.anticipation if reference is None else t - g != reference)
    ]
    columns = np.zeros((len(levels), len(steps), len(wanted)))
    for column, (c, k) in enumerate(wanted):
        columns[c, k, column] = 1.0
    names = [f"{c}:{k}" for c, k in wanted]
    found = two_way(panel, columns, names, options)
    kept = [i for i, name in enumerate(found.names) if not name.startswith("covariate")]
    cohort, period = (np.array([int(found.names[i].split(":")[j]) for i in kept], dtype=int) for j in (0, 1))
    size = np.bincount(np.searchsorted(levels, panel.first_rows(panel.cohort)), minlength=len(levels))
    never = size[levels == NEVER].sum()
    mass = None if panel.weights is None else panel.first_rows(panel.weights)
    share = np.bincount(
        np.searchsorted(levels, panel.first_rows(panel.cohort)), weights=mass, minlength=len(levels)
    )
    return CellFit(
        cells=Cells(cohort=levels[cohort], step=steps[period], share=share[cohort] / share.sum()),
        effects=found.coefficients[kept],
        covariance=found.covariance[np.ix_(kept, kept)],
        counts=np.column_stack([size[cohort], np.full(len(kept), never)]),
        influence=found.influence[:, kept],
        units=found.units,
    )


def averaged(
    fit: CellFit, panel: Panel, options: DidOptions, reference: int | None, names: tuple[str, ...]
) -> Found:
    """The result of a saturated regression; cohort shares are taken as known."""
    overall = _average(fit, averages(fit.cells, options.overall))
    weight = overall[0].overall
    estimate, variance = float(weight @ overall[1]), float(weight @ overall[2] @ weight)
    dynamic = _average(fit, averages(fit.cells, "dynamic"))
    path = EventPath(
        times=dynamic[0].keys, estimates=dynamic[1], covariance=dynamic[2], reference=reference,
        n_clusters=panel.clusters,
    )  # fmt: skip
    return Found(
        estimate=estimate,
        interval=from_variance(estimate, variance, panel, options),
        interval_name="cluster",
        n_clusters=panel.clusters,
        detail=_frames(fit, path, panel, options),
        references=names,
        path=path,
        long_path=path if reference is not None else None,
        influence=fit.influence @ (overall[0].weights.T @ weight),
        units=fit.units,
    )


def _average(fit: CellFit, made: Averages) -> tuple[Averages, np.ndarray, np.ndarray]:
    return made, made.weights @ fit.effects, made.weights @ fit.covariance @ made.weights.T


def _frames(fit: CellFit, path: EventPath, panel: Panel, options: DidOptions) -> dict[str, pd.DataFrame]:
    draws, seed = options.draws, options.seed
    band = normal_critical(path.covariance, options.level, draws=draws, seed=seed)
    cell_band = normal_critical(fit.covariance, options.level, draws=draws, seed=seed)
    frames = {
        "event_study": event_frame(
            path.times, path.estimates, np.diag(path.covariance), band, path.reference, panel, options
        ),
        "group_time": cell_frame(
            fit.cells, fit.effects, np.diag(fit.covariance), cell_band, fit.counts, panel, options
        ),
    }
    for kind, name in (("group", "cohort"), ("calendar", "period")):
        made, values, covariance = _average(fit, averages(fit.cells, kind))
        labels = [panel.calendar.label(int(key)) for key in made.keys]
        frames[kind] = row_frame(name, labels, values, np.diag(covariance), panel, options)
    return frames
