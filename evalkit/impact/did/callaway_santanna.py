"""Callaway and Sant'Anna (2021): cohort-by-period effects from clean comparisons, then their aggregations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evalkit.impact.did.aggregate import Averages, Cells, averages, share_influence
from evalkit.impact.did.bands import normal_critical
from evalkit.impact.did.found import EventPath, Found
from evalkit.impact.did.frames import cell_frame, event_frame, row_frame
from evalkit.impact.did.group_time import GroupTime, group_time
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.uncertainty import from_variance
from evalkit.regression import group_sums
from evalkit.results import Check


def callaway_santanna(panel: Panel, options: DidOptions) -> Found:
    """Effects of each cohort in each period beside units not treated by then, averaged as `aggregate` says."""
    found = group_time(panel, options, base_period=options.base_period)
    clustered = _by_cluster(found.influence, found, panel)
    covariance = clustered.T @ clustered
    rows = {
        kind: _rows(found, clustered, panel, kind)
        for kind in {"dynamic", options.overall, "group", "calendar"}
    }
    _, estimates, influence, overall, overall_influence = rows[options.overall]
    interval = from_variance(overall, float(overall_influence @ overall_influence), panel, options)
    detail = {
        "event_study": _event_study(rows["dynamic"], found, panel, options),
        "group_time": _group_time_frame(found, covariance, panel, options),
        "group": row_frame("cohort", *_labelled(rows["group"], panel), panel, options),
        "calendar": row_frame("period", *_labelled(rows["calendar"], panel), panel, options),
    }
    treated, control = panel.unit_counts()
    return Found(
        estimate=overall,
        interval=interval,
        interval_name="influence_function",
        n_clusters=panel.clusters,
        detail=detail,
        checks=_missing_check(found),
        references=("callaway2021", "santanna2020"),
        path=_path(rows["dynamic"], found, panel, options.base_period == "universal", options),
        pre_path=_cell_path(found, covariance, panel, options),
        long_path=_long_path(found, clustered, panel, options) if options.diagnostics else None,
        influence=overall_influence,
        units=panel.cluster_names,
        n_treated=treated,
        n_control=control,
    )


def _by_cluster(influence: np.ndarray, found: GroupTime, panel: Panel) -> np.ndarray:
    if len(influence) == panel.clusters and panel.cluster is panel.unit:
        return influence
    if len(influence) == panel.clusters and np.array_equal(found.cluster, np.arange(len(influence))):
        return influence
    return group_sums(influence, found.cluster, panel.clusters)


def _rows(
    found: GroupTime, clustered: np.ndarray, panel: Panel, kind: str
) -> tuple[Averages, np.ndarray, np.ndarray, float, np.ndarray]:
    """An aggregation: its rows, their values and influences by cluster, the overall value and its influence."""
    made = averages(found.cells, kind)
    values = made.weights @ found.effects
    share, overall_share = share_influence(found.cells, made, found.effects, found.cohort, found.unit_weight)
    influence = clustered @ made.weights.T + _by_cluster(share, found, panel)
    overall_extra = _by_cluster(overall_share[:, None], found, panel)[:, 0]
    overall = influence @ made.overall + overall_extra
    return made, values, influence, float(made.overall @ values), overall


def _labelled(
    rows: tuple[Averages, np.ndarray, np.ndarray, float, np.ndarray], panel: Panel
) -> tuple[list[object], np.ndarray, np.ndarray]:
    made, values, influence = rows[:3]
    return (
        [panel.calendar.label(int(k)) for k in made.keys],
        values,
        np.einsum("ij,ij->j", influence, influence),
    )


def _event_study(
    rows: tuple[Averages, np.ndarray, np.ndarray, float, np.ndarray],
    found: GroupTime,
    panel: Panel,
    options: DidOptions,
) -> pd.DataFrame:
    made, values, influence = rows[:3]
    covariance = influence.T @ influence
    critical = normal_critical(covariance, options.level, draws=options.draws, seed=options.seed)
    variance = np.diag(covariance)
    reference = -1 - options.anticipation if options.base_period == "universal" else None
    return event_frame(made.keys, values, variance, critical, reference, panel, options)


def _group_time_frame(
    found: GroupTime, covariance: np.ndarray, panel: Panel, options: DidOptions
) -> pd.DataFrame:
    critical = normal_critical(covariance, options.level, draws=options.draws, seed=options.seed)
    variance = np.diag(covariance)
    # One or two treated members have no spread of their own to learn from.
    variance = np.where(found.counts[:, 0] < 3, np.nan, variance)
    return cell_frame(found.cells, found.effects, variance, critical, found.counts, panel, options)


def _path(
    rows: tuple[Averages, np.ndarray, np.ndarray, float, np.ndarray],
    found: GroupTime,
    panel: Panel,
    universal: bool,
    options: DidOptions,
) -> EventPath:
    made, values, influence = rows[:3]
    return EventPath(
        times=made.keys, estimates=values, covariance=influence.T @ influence, n_clusters=panel.clusters,
        reference=-1 - options.anticipation if universal else None, universal=universal,
    )  # fmt: skip


def _cell_path(found: GroupTime, covariance: np.ndarray, panel: Panel, options: DidOptions) -> EventPath:
    """Every cohort-by-period effect, so that the joint test of those before treatment is that of the paper."""
    return EventPath(
        times=found.cells.event, estimates=found.effects, covariance=covariance,
        reference=-options.anticipation, n_clusters=panel.clusters, universal=options.base_period == "universal",
    )  # fmt: skip


def _long_path(found: GroupTime, clustered: np.ndarray, panel: Panel, options: DidOptions) -> EventPath:
    """The event path on the universal base, whatever the display base, for honest bounds."""
    if options.base_period == "universal":
        return _path(_rows(found, clustered, panel, "dynamic"), found, panel, True, options)
    early = group_time(panel, options, base_period="universal", pre_only=True)
    late = found.cells.step >= found.cells.cohort - options.anticipation
    joined = replace(
        found,
        cells=Cells(
            cohort=np.concatenate([early.cells.cohort, found.cells.cohort[late]]),
            step=np.concatenate([early.cells.step, found.cells.step[late]]),
            share=np.concatenate([early.cells.share, found.cells.share[late]]),
        ),
        effects=np.concatenate([early.effects, found.effects[late]]),
        influence=np.hstack([early.influence, found.influence[:, late]]),
    )
    whole = np.hstack([_by_cluster(early.influence, early, panel), clustered[:, late]])
    return _path(_rows(joined, whole, panel, "dynamic"), joined, panel, True, options)


def _missing_check(found: GroupTime) -> tuple[Check, ...]:
    if not found.missing:
        return ()
    return (
        Check(
            name="missing_cells",
            null="every cohort can be compared in every period",
            statistic=found.missing,
            passed=None,
            reading=f"{found.missing} cohort-periods have no comparison left, or no events, and are not used.",
        ),
    )
