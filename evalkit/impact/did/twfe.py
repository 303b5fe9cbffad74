"""Two-way fixed effects: unit and period effects and columns that depend on cohort and period alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.errors import EstimationError, StudyError
from evalkit.impact.did.found import Found
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.uncertainty import corrected, from_variance, wild
from evalkit.inference import WildPieces
from evalkit.regression import (
    Fit,
    absorb,
    cluster_scores,
    counted_parameters,
    factorize,
    glm,
    group_sums,
    independent,
    informative,
    least_squares,
    sandwich,
)

TREATED = "treated"


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoWay:
    """Coefficients on cohort-by-period columns, their cluster-robust covariance, and each cluster's influence.

    `units` are the names of those clusters.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    covariance: np.ndarray
    influence: np.ndarray
    units: np.ndarray
    dropped: tuple[str, ...] = ()


def twfe(panel: Panel, options: DidOptions) -> Found:
    """The coefficient of `treated by now` beside unit and period effects; a log rate ratio for counts."""
    from evalkit.impact.did.randomisation import randomised

    if options.family == "poisson" and len(panel.cohorts) > 1:
        raise StudyError(
            "plain two-way Poisson is refused with staggered starts: later starters would serve as comparison for "
            "earlier ones",
            where="did",
            do="Use `estimator: callaway_santanna` (one cohort at a time) or `imputation` (the saturated form)",
        )
    panel = without_anticipation(panel, options)
    if options.inference == "randomisation":
        return randomised(panel, options, effect(panel, options), lambda drawn: effect(drawn, options))
    found = two_way(panel, treated_now(panel), [TREATED], options)
    k = position(found, TREATED)
    estimate, variance = float(found.coefficients[k]), float(found.covariance[k, k])
    if options.inference == "cluster":
        interval = from_variance(estimate, variance, panel, options)
    elif options.inference == "wild_bootstrap" and _closed(panel):
        interval = wild(_wild_pieces(panel), estimate, float(np.sqrt(variance)), panel, options)
    else:
        interval = corrected(dense_fit(panel), TREATED, panel, options)
    return Found(
        estimate=estimate,
        interval=interval,
        interval_name=options.inference,
        n_clusters=panel.clusters,
        references=("angrist2009",) if options.family == "gaussian" else ("wooldridge1999",),
        influence=found.influence[:, k],
        units=found.units,
    )


def position(found: TwoWay, name: str) -> int:
    """Where a coefficient stands; refused where the effects determine its column."""
    if name not in found.names:
        raise EstimationError(
            "the effect does not exist in these data: unit and period effects explain who is treated when",
            do="A comparison needs units that are not treated while others are",
        )
    return found.names.index(name)


def without_anticipation(panel: Panel, options: DidOptions) -> Panel:
    """Rows of treated units in the periods of anticipation are left out: neither before nor after."""
    if not options.anticipation:
        return panel
    waiting = (panel.step >= panel.cohort - options.anticipation) & ~panel.post
    return panel.keep(~waiting, "seen only while effects may be anticipated")


def cohort_levels(panel: Panel) -> np.ndarray:
    """The cohorts' steps in order, NEVER last where present."""
    return np.unique(panel.first_rows(panel.cohort))


def treated_now(panel: Panel) -> np.ndarray:
    """Shape (cohorts, periods, 1): 1 where the cohort is treated by the period."""
    levels = cohort_levels(panel)
    return (panel.calendar.steps[None, :] >= levels[:, None]).astype(float)[:, :, None]


def effect(panel: Panel, options: DidOptions) -> float:
    """The coefficient alone, for re-assigned treatments."""
    found = two_way(panel, treated_now(panel), [TREATED], options)
    return float(found.coefficients[position(found, TREATED)])


def two_way(panel: Panel, columns: np.ndarray, names: Sequence[str], options: DidOptions) -> TwoWay:
    """Unit and period effects and the given (cohorts, periods, k) columns, with cluster-robust errors."""
    if options.family == "poisson":
        return _from_fit(*_poisson(panel, columns, names, options))
    if _closed(panel):
        return _balanced(panel, columns, names)
    design, labels = _rows(panel, columns, names)
    fit = least_squares(
        panel.outcome,
        design,
        labels,
        effects=(panel.unit, panel.period),
        weights=panel.weights,
        grid=panel.grid,
    )
    return _from_fit(panel, fit)


def _closed(panel: Panel) -> bool:
    """True where the panel is a complete grid, unweighted and without covariates."""
    return panel.grid is not None and panel.weights is None and panel.covariates is None


def _wild_pieces(panel: Panel) -> WildPieces:
    """As `inference.wild_pieces` on a complete grid: what is left to estimate in each draw are period effects."""
    n_units, n_periods = panel.grid
    both = np.column_stack([panel.outcome, panel.post.astype(float)])
    y, d = absorb(both, (panel.unit, panel.period), grid=panel.grid).T
    cell, size = panel.cluster * n_periods + panel.period, panel.clusters * n_periods
    wy, wd = (np.bincount(cell, weights=v, minlength=size).reshape(-1, n_periods) for v in (y, d))
    return WildPieces(
        dy=group_sums(d * y, panel.cluster, panel.clusters),
        dd=group_sums(d * d, panel.cluster, panel.clusters),
        wy=wy,
        wd=wd,
        inverse=(np.eye(n_periods) - 1 / n_periods) / n_units,
    )


def _rows(panel: Panel, columns: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    cohort = np.searchsorted(cohort_levels(panel), panel.first_rows(panel.cohort))
    design = columns[cohort[panel.unit], panel.period]
    labels = list(names)
    if panel.covariates is not None:
        design = np.column_stack([design, panel.covariates])
        labels += [f"covariate {k + 1}" for k in range(panel.covariates.shape[1])]
    return design, labels


def _from_fit(panel: Panel, fit: Fit) -> TwoWay:
    scores = cluster_scores(fit, panel.cluster, panel.clusters)
    parameters = counted_parameters(fit, (True, False))
    return TwoWay(
        names=fit.names,
        coefficients=fit.coefficients,
        covariance=sandwich(fit.bread, scores, n=fit.n, parameters=parameters),
        influence=scores @ fit.bread,
        units=panel.cluster_names,
        dropped=fit.dropped,
    )


def _poisson(
    panel: Panel, columns: np.ndarray, names: Sequence[str], options: DidOptions
) -> tuple[Panel, Fit]:
    """Conditional fixed-effects Poisson; units and periods whose counts are all zero say nothing."""
    useful = informative(panel.outcome, (panel.unit, panel.period))
    if not useful.all():
        cohorts, kept = cohort_levels(panel), panel.keep(useful, "no event in any period")
        columns = columns[np.isin(cohorts, np.unique(kept.cohort))]
        columns = columns[:, np.isin(panel.calendar.steps, kept.calendar.steps)]
        panel = kept
    design, labels = _rows(panel, columns, names)
    for k, name in enumerate(names):
        if (design[:, k] != 0).any() and not panel.outcome[design[:, k] != 0].any():
            raise EstimationError(
                "no event was counted where the effect is measured, so the ratio does not exist",
                found=name,
                do="Use longer periods or larger areas",
            )
    offset = None if panel.exposure is None else np.log(panel.exposure)
    fit = glm(
        panel.outcome, design, labels, family="poisson", offset=offset,
        effects=(panel.unit, panel.period), weights=panel.weights,
    )  # fmt: skip
    return panel, fit


def _balanced(panel: Panel, columns: np.ndarray, names: Sequence[str]) -> TwoWay:
    """The complete grid: the design lives on cohort-period cells, so only cohort sums and unit scores are needed."""
    n_units, n_periods = panel.grid
    cohort, levels = factorize(panel.first_rows(panel.cohort))
    share = np.bincount(cohort) / n_units
    x = columns - columns.mean(axis=1, keepdims=True)
    x = x - np.einsum("c,ctk->tk", share, x)[None]
    y = panel.outcome.reshape(panel.grid)
    y = y - y.mean(axis=0)
    grams = np.einsum("ctk,ctl->ckl", x, x)
    gram = n_units * np.einsum("c,ckl->kl", share, grams)
    kept = independent(gram)
    projected = np.empty((n_units, len(kept)))
    for c in range(len(levels)):
        rows = cohort == c
        projected[rows] = y[rows] @ x[c][:, kept]
    bread = np.linalg.inv(gram[np.ix_(kept, kept)])
    coefficients = bread @ projected.sum(axis=0)
    fitted = np.einsum("ckl,l->ck", grams[:, kept][:, :, kept], coefficients)
    by_unit = projected - fitted[cohort]
    scores = (
        by_unit
        if panel.clusters == n_units
        else group_sums(by_unit, panel.first_rows(panel.cluster), panel.clusters)
    )
    parameters = len(kept) + n_periods
    return TwoWay(
        names=tuple(names[k] for k in kept),
        coefficients=coefficients,
        covariance=sandwich(bread, scores, n=n_units * n_periods, parameters=parameters),
        influence=scores @ bread,
        units=panel.cluster_names,
        dropped=tuple(name for k, name in enumerate(names) if k not in kept),
    )


def dense_fit(panel: Panel) -> Fit:
    """The same regression with a column for each period, as CR2 and the wild bootstrap need: only units absorbed."""
    design, names = _rows(panel, treated_now(panel), [TREATED])
    dummies = (panel.period[:, None] == np.arange(1, len(panel.calendar.labels))).astype(float)
    labels = [*names, *(f"period {k}" for k in range(1, dummies.shape[1] + 1))]
    return least_squares(
        panel.outcome,
        np.column_stack([design, dummies]),
        labels,
        effects=(panel.unit,),
        weights=panel.weights,
    )
