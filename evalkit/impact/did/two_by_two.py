"""The comparison of four means: treated and control, before and after."""

from __future__ import annotations

import numpy as np

from evalkit.errors import EstimationError, StudyError
from evalkit.impact.did.found import Found
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.uncertainty import UNKNOWN, corrected, too_few
from evalkit.inference import Interval, wald
from evalkit.regression import Fit, cluster_factor, cluster_scores, glm, least_squares

CONTRAST = np.array([1.0, -1.0, -1.0, 1.0])
CELLS = ("control before", "control after", "treated before", "treated after")


def two_by_two(panel: Panel, options: DidOptions) -> Found:
    """(treated after - treated before) - (control after - control before); the same of logs for counts."""
    from evalkit.impact.did.randomisation import randomised

    panel = four_cells(panel, options)
    estimate, influence, parameters = _estimate(panel, options)
    factor = cluster_factor(panel.clusters, len(panel.outcome), parameters)
    single = panel.clusters == len(panel.outcome)
    if options.inference == "randomisation":
        return randomised(panel, options, estimate, lambda drawn: _estimate(drawn, options)[0])
    if options.inference in ("cr2", "wild_bootstrap"):
        interval = corrected(_linear(panel), "treated after", panel, options)
    else:
        interval = _wald(estimate, factor, influence, panel, options, parameters if single else None)
    return Found(
        estimate=estimate,
        interval=interval,
        interval_name="hc1" if single and options.inference == "cluster" else options.inference,
        n_clusters=panel.clusters,
        references=("angrist2009",),
        influence=influence,
        units=panel.cluster_names,
    )


def _wald(
    estimate: float, factor: float, influence: np.ndarray, panel: Panel, options: DidOptions, hc1: int | None
) -> Interval:
    if too_few(panel, options):
        return UNKNOWN
    df = panel.clusters - (1 if hc1 is None else hc1)
    return wald(estimate, float(np.sqrt(factor * (influence @ influence))), df=df, level=options.level)


def four_cells(panel: Panel, options: DidOptions) -> Panel:
    """The rows that the four means are made of; periods of anticipation are left out."""
    starts = panel.cohorts
    if len(starts) > 1:
        raise StudyError(
            "`two_by_two` needs one starting period",
            where="did",
            found=f"{len(starts)} starting periods",
            do="Use callaway_santanna, sun_abraham or imputation for staggered starts",
        )
    start = int(starts[0])
    if options.anticipation:
        waiting = (panel.step >= start - options.anticipation) & (panel.step < start)
        panel = panel.keep(~waiting, "seen only while effects may be anticipated")
    filled = _filled(panel)
    if (filled == 0).any():
        raise EstimationError(
            "one of the four groups is empty", found=CELLS[int(np.argmin(filled))],
            do="Each arm needs rows before and after the start",
        )  # fmt: skip
    return panel


def _cell(panel: Panel) -> np.ndarray:
    return 2 * panel.treated + _after(panel)[panel.period]


def _after(panel: Panel) -> np.ndarray:
    """For each period, 1 from the start on."""
    return (panel.calendar.steps >= panel.unit_cohort.min()).astype(np.int64)


def _filled(panel: Panel) -> np.ndarray:
    """The rows in each cell."""
    if panel.grid is None:
        return np.bincount(_cell(panel), minlength=4)
    treated, never = panel.unit_counts()
    return np.outer([never, treated], np.bincount(_after(panel), minlength=2)).ravel()


def _sums(panel: Panel, values: np.ndarray | None) -> np.ndarray:
    """Sums of values (rows where None) in each cluster and cell, shape (clusters, 4)."""
    if panel.grid is None or panel.grid[1] != 2:
        joint = panel.cluster * 4 + _cell(panel)
        found = np.bincount(joint, weights=values, minlength=4 * panel.clusters)
        return found.astype(float).reshape(-1, 4)
    # Every unit once before and once after: each period by itself, in the same order of rows.
    if values is None:
        return np.repeat(panel.arm_units, 2, axis=1).astype(float)
    arm = panel.unit_cluster * 2 + panel.unit_treated
    periods = [
        np.bincount(arm, weights=each, minlength=2 * panel.clusters) for each in values.reshape(panel.grid).T
    ]
    return np.stack(periods, axis=1).reshape(-1, 4)


def _estimate(panel: Panel, options: DidOptions) -> tuple[float, np.ndarray, int]:
    """The effect, each cluster's influence on it and K; logs for counts."""
    if options.covariates:
        return _regression(panel, options)
    poisson, weight, exposure = options.family == "poisson", panel.weights, panel.exposure
    top = panel.outcome if weight is None else panel.outcome * weight
    below = weight if exposure is None else exposure if weight is None else exposure * weight
    above, under = _sums(panel, top), _sums(panel, below)
    total, size = above.sum(axis=0), under.sum(axis=0)
    if poisson and (total <= 0).any():
        raise EstimationError(
            "one of the four counts is zero, so the ratio does not exist", do="Use longer periods"
        )
    mean = total / size
    scores = (above - under * mean) / (total if poisson else size)
    value = np.log(mean) if poisson else mean
    return float(CONTRAST @ value), scores @ CONTRAST, 4


def _columns(panel: Panel) -> tuple[np.ndarray, list[str]]:
    cell = _cell(panel)
    design = np.column_stack([np.ones(len(cell)), cell >= 2, cell % 2, cell == 3]).astype(float)
    names = ["constant", "treated", "after", "treated after"]
    if panel.covariates is not None:
        design = np.column_stack([design, panel.covariates])
        names += [f"covariate {k + 1}" for k in range(panel.covariates.shape[1])]
    return design, names


def _linear(panel: Panel) -> Fit:
    design, names = _columns(panel)
    return least_squares(panel.outcome, design, names, weights=panel.weights)


def _regression(panel: Panel, options: DidOptions) -> tuple[float, np.ndarray, int]:
    if options.family == "poisson":
        design, names = _columns(panel)
        offset = None if panel.exposure is None else np.log(panel.exposure)
        fit = glm(panel.outcome, design, names, family="poisson", offset=offset, weights=panel.weights)
    else:
        fit = _linear(panel)
    k = fit.position("treated after")
    scores = cluster_scores(fit, panel.cluster, panel.clusters)
    return float(fit.coefficients[k]), scores @ fit.bread[:, k], len(fit.coefficients)
