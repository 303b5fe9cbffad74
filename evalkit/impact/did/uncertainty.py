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
MANY_CLUSTERS = 40
UNKNOWN = Interval(std_error=None, statistic=None, df=None, p_value=None, low=None, high=None)


def cluster_checks(panel: Panel) -> tuple[Check, Check]:
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
    few = panel.clusters < FEWEST_CLUSTERS
    some = panel.clusters < MANY_CLUSTERS
    second = Check(
        name="few_clusters",
        null="there are enough clusters for cluster-robust errors",
        statistic=panel.clusters,
        threshold=FEWEST_CLUSTERS,
        passed=False if few else None if some else True,
        reading=f"{panel.clusters} clusters."
        + (" Too few for any error: none is given." if few else "")
        + (" Plain cluster-robust errors tend to be too small below about 40." if some and not few else ""),
        next_step="Compare `inference: cr2` and `wild_bootstrap`" if some and enough and not few else "",
    )  # fmt: skip
    return first, second


def too_few(panel: Panel) -> bool:
    """True where no standard error can be given."""
    return panel.arm_clusters[0] < FEWEST_TREATED or panel.clusters < FEWEST_CLUSTERS


def from_variance(estimate: float, variance: float, panel: Panel, options: DidOptions) -> Interval:
    """Wald with t(G-1) from a cluster-robust variance; nothing where there are too few clusters."""
    if too_few(panel):
        return UNKNOWN
    return wald(estimate, float(np.sqrt(max(variance, 0))), df=panel.clusters - 1, level=options.level)


def corrected(fit: Fit, name: str, panel: Panel, options: DidOptions) -> Interval:
    """The interval of one coefficient by `cr2` or `wild_bootstrap`, from a fit whose effects clusters contain."""
    if too_few(panel):
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
    if too_few(panel):
        return UNKNOWN
    signs, exact = wild_signs(panel.clusters, options.draws, options.seed)
    low, high = wild_interval(pieces, std_error, signs, exact, options.level)
    return Interval(
        std_error=std_error, statistic=estimate / std_error, df=None,
        p_value=wild_p_value(pieces, 0.0, signs, exact), low=low, high=high,
    )  # fmt: skip
