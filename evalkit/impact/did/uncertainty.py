"""How sure: the interval by the method asked for, and when there are too few clusters for any."""

from __future__ import annotations

import numpy as np

from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.inference import (
    Interval,
    WildPieces,
    cr2,
    wald,
    wild_interval,
    wild_p_value,
    wild_pieces,
    wild_signs,
)
from evalkit.regression import Fit, cluster_covariance
from evalkit.results import Check

FEWEST_CLUSTERS = 6
FEWEST_TREATED = 3
FEWEST_COMPARISON = 3
MANY_CLUSTERS = 40
# Estimators whose comparison holds units that are treated later.
USES_LATER = ("twfe", "event_study", "imputation")
UNKNOWN = Interval(std_error=None, statistic=None, df=None, p_value=None, low=None, high=None)


def cluster_checks(panel: Panel, options: DidOptions) -> tuple[Check, Check]:
    """`few_treated_clusters` and `few_clusters`: where either fails no error, p-value or interval is given."""
    treated, _ = panel.arm_clusters
    enough = treated >= FEWEST_TREATED
    first = Check(
        name="few_treated_clusters",
        null="there are enough treated clusters for a standard error",
        statistic=treated,
        threshold=FEWEST_TREATED,
        passed=enough,
        reading=f"{treated} treated of {panel.clusters} clusters."
        + (
            ""
            if enough
            else " A standard error from one or two treated clusters cannot be trusted: none is given."
        ),
        next_step="" if enough else "Use `inference: randomisation` and read its rank against its floor",
    )
    return first, _few_clusters(panel, options, enough)


def _few_clusters(panel: Panel, options: DidOptions, enough_treated: bool) -> Check:
    beside = comparison_clusters(panel, options)
    alone = beside < FEWEST_COMPARISON <= FEWEST_CLUSTERS <= panel.clusters
    few = alone or panel.clusters < FEWEST_CLUSTERS
    some = panel.clusters < MANY_CLUSTERS
    words = ""
    if alone:
        held = "is a comparison" if beside == 1 else "are comparisons"
        words = f" Only {beside} of them {held}, too few to show how comparisons vary: no error is given."
    elif few:
        words = " Too few for any error: none is given."
    elif some:
        words = " Plain cluster-robust errors tend to be too small below about 40."
    other = "Compare `inference: cr2` and `wild_bootstrap`" if some and enough_treated and not few else ""
    return Check(
        name="few_clusters",
        null="there are enough clusters for cluster-robust errors",
        statistic=beside if alone else panel.clusters,
        threshold=FEWEST_COMPARISON if alone else FEWEST_CLUSTERS,
        passed=False if few else None if some else True,
        reading=f"{panel.clusters} clusters.{words}",
        next_step="Find more places to compare with, or use `inference: randomisation`" if alone else other,
    )


def comparison_clusters(panel: Panel, options: DidOptions) -> int:
    """How many clusters the treated are compared with: the never treated, and for some estimators those treated later.

    Where none is never treated the last cohort stands in for them.
    """
    starts = panel.unit_cohort
    never = panel.arm_clusters[1]
    later = options.estimator in USES_LATER or options.control_group == "not_yet_treated"
    if never and not later:
        return never
    compared = starts > starts.min() if later else starts == starts.max()
    return len(np.unique(panel.unit_cluster[compared]))


def too_few(panel: Panel, options: DidOptions) -> bool:
    """True where no standard error can be given: one or two clusters of an arm say nothing of how clusters vary."""
    return (
        panel.arm_clusters[0] < FEWEST_TREATED
        or panel.clusters < FEWEST_CLUSTERS
        or comparison_clusters(panel, options) < FEWEST_COMPARISON
    )


def from_variance(estimate: float, variance: float, panel: Panel, options: DidOptions) -> Interval:
    """Wald with t(G-1) from a cluster-robust variance; nothing where there are too few clusters."""
    if too_few(panel, options):
        return UNKNOWN
    return wald(estimate, float(np.sqrt(max(variance, 0))), df=panel.clusters - 1, level=options.level)


def corrected(fit: Fit, name: str, panel: Panel, options: DidOptions) -> Interval:
    """The interval of one coefficient by `cr2` or `wild_bootstrap`, from a fit whose effects clusters contain."""
    if too_few(panel, options):
        return UNKNOWN
    position = fit.position(name)
    estimate = float(fit.coefficients[position])
    if options.inference == "cr2":
        errors, freedom = cr2(fit, panel.cluster, panel.clusters)
        return wald(estimate, float(errors[position]), df=float(freedom[position]), level=options.level)
    nested = (True,) * len(fit.effects)
    variance = cluster_covariance(fit, panel.cluster, nested=nested)[position, position]
    pieces = wild_pieces(fit, position, panel.cluster, panel.clusters)
    return wild(pieces, estimate, float(np.sqrt(variance)), panel, options)


def wild(
    pieces: WildPieces, estimate: float, std_error: float, panel: Panel, options: DidOptions
) -> Interval:
    """p-value of no effect and interval by inversion, from the restricted wild cluster bootstrap."""
    if too_few(panel, options):
        return UNKNOWN
    signs, exact = wild_signs(panel.clusters, options.draws, options.seed)
    low, high = wild_interval(pieces, std_error, signs, exact, options.level)
    return Interval(
        std_error=std_error, statistic=estimate / std_error, df=None,
        p_value=wild_p_value(pieces, 0.0, signs, exact), low=low, high=high,
    )  # fmt: skip
