"""Difference-in-differences: one door, `did`, for every estimator of the family."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module

import pandas as pd

from evalkit.impact.did.checks import comparison_checks
from evalkit.impact.did.diagnose import diagnose
from evalkit.impact.did.found import Found
from evalkit.impact.did.means import means_frame
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel, read_panel
from evalkit.impact.did.uncertainty import cluster_checks
from evalkit.options import takes
from evalkit.results import Estimate, Result

__all__ = ["DidOptions", "did"]


@takes(DidOptions)
def did(panel: pd.DataFrame, options: DidOptions) -> Result:
    """The average effect on the treated, from changes in treated units beside changes in others."""
    arrays = read_panel(panel, options)
    shared = comparison_checks(arrays, options)
    found = _estimator(options.estimator)(arrays, options)
    checks, frames = diagnose(arrays, options, found) if options.diagnostics else ([], {})
    return Result(
        method="did",
        estimand="att",
        outcome=options.outcome,
        estimates=(_estimate(found, arrays, options),),
        checks=(*cluster_checks(arrays), *shared, *found.checks, *checks),
        detail={"means": means_frame(arrays), **found.detail, **frames},
        references=found.references,
        influence=found.influence,
    )


def _estimator(name: str) -> Callable[[Panel, DidOptions], Found]:
    """The estimator's own module holds a function of its name; each is imported when it is used."""
    return getattr(import_module(f"evalkit.impact.did.{name}"), name)


def _estimate(found: Found, panel: Panel, options: DidOptions) -> Estimate:
    ratio = options.family == "poisson"
    interval = found.interval
    treated, control = panel.unit_counts()

    def shown(value: float | None) -> float | None:
        return math.exp(value) if ratio and value is not None else value

    return Estimate(
        term="att",
        measure="rate_ratio" if ratio else "mean_difference",
        estimate=shown(found.estimate),
        std_error=interval.std_error,
        statistic=interval.statistic,
        df=interval.df,
        p_value=interval.p_value,
        conf_low=shown(interval.low),
        conf_high=shown(interval.high),
        level=options.level,
        interval=None if interval.low is None else found.interval_name,
        n_treated=treated if found.n_treated is None else found.n_treated,
        n_control=control if found.n_control is None else found.n_control,
        n_clusters=found.n_clusters,
    )
