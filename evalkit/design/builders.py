"""What each method decides for the eligible people: a weight each, their sets, and who has nobody like them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.design import diagnostics, matching, weighting
from evalkit.design.choices import WHERE, DesignOptions
from evalkit.design.eligible import Eligible
from evalkit.errors import DesignError

CLOSE = 0.2  # standard deviations of the logit: Austin 2011
AMONG_KEPT = "{} among those with scores inside {:g} and {:g}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Built:
    """What a method decided for the eligible people, by position among them.

    `why` says, for those of weight 0, why a treated person and why a control was left out; `without` marks treated
    people who have nobody like them.
    """

    weights: np.ndarray
    why: tuple[str, str] = ("", "")
    subclass: np.ndarray | None = None
    matches: matching.Matches | None = None
    without: np.ndarray | None = None
    estimand: str | None = None


def nearest(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    """One or more controls for each treated person, the nearest first; `rank` says who of several equal ones."""
    n_treated, n_control = int(found.treated.sum()), int((~found.treated).sum())
    if not options.replace and n_treated > n_control:
        raise DesignError(
            "there are more treated people than controls, so matching without replacement must leave some out",
            where=WHERE,
            found=f"{n_treated} treated, {n_control} controls",
            do="Use `replace: true`, `method: entropy` or `method: overlap`, or find more controls",
        )
    width = found.width(options.caliper)
    matches = matching.nearest(
        found.logit,
        matching.processing_order(found.logit, found.treated, options.order, rank, options.seed),
        np.flatnonzero(~found.treated),
        rank=rank,
        strata=found.strata,
        width=width,
        ratio=options.ratio,
        replace=options.replace,
    )
    weights = matching.pair_weights(matches, found.size)
    far = np.zeros(found.size, dtype=bool)
    far[matches.treated[matches.distance > (width or found.width(CLOSE))]] = True
    return Built(
        weights=weights,
        why=(_why_unmatched(options), "not chosen as a match"),
        subclass=None if options.replace else _set_numbers(matches, found.size),
        matches=matches,
        without=far | _high_score(found) | (found.treated & (weights == 0)),
    )


def _radius(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    weights = matching.radius_weights(
        found.logit, found.treated, width=found.width(options.caliper), strata=found.strata
    )
    return Built(
        weights=weighting.normalised(weights, found.treated),
        why=(_why_unmatched(options), "no treated person within the caliper"),
        without=_high_score(found) | (found.treated & (weights == 0)),
    )


def _exact(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    return _stratified(found, found.strata, options, "with the same values")


def _subclass(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    strata = matching.subclass_of_score(found.probability, found.treated, options.subclasses)
    return _stratified(found, strata, options, "in the subclass")


def _stratified(found: Eligible, strata: np.ndarray, options: DesignOptions, which: str) -> Built:
    weights = matching.stratum_weights(strata, found.treated, options.estimand)
    used = weights > 0
    number = np.where(used, strata, -1)
    number[used] = np.unique(strata[used], return_inverse=True)[1] + 1
    return Built(
        weights=weights,
        why=(f"no control {which}", f"no treated person {which}"),
        subclass=number,
        without=found.treated & ~used,
        estimand=None if options.estimand == "att" or used.all() else f"{options.estimand} among the matched",
    )


def _inverse_probability(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    kept = np.ones(found.size, dtype=bool)
    if options.trim is not None:
        kept = (found.probability >= options.trim) & (found.probability <= 1 - options.trim)
        if not found.treated[kept].any() or found.treated[kept].all():
            raise DesignError("trimming leaves an arm empty", where=WHERE, do="Choose a smaller `trim`")
    weights = np.zeros(found.size)
    weights[kept] = weighting.inverse_probability(
        found.logit[kept], found.treated[kept], estimand=options.estimand, stabilised=options.stabilised
    )
    why = "" if kept.all() else f"score outside {options.trim:g} to {1 - options.trim:g}"
    trimmed = None if kept.all() else AMONG_KEPT.format(options.estimand, options.trim, 1 - options.trim)
    return Built(weights=weights, why=(why, why), without=_high_score(found), estimand=trimmed)


def _overlap(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    return Built(
        weights=weighting.overlap_weights(found.probability, found.treated), without=_high_score(found)
    )


def _entropy(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    weights = weighting.entropy_balance(
        found.columns, found.treated, estimand=options.estimand, moments=options.moments, where=WHERE
    )
    return Built(weights=weights, without=_high_score(found))


def _none(found: Eligible, options: DesignOptions, rank: np.ndarray) -> Built:
    return Built(weights=np.ones(found.size))


BUILDERS = {
    "nearest": nearest,
    "exact": _exact,
    "subclass": _subclass,
    "radius": _radius,
    "inverse_probability": _inverse_probability,
    "entropy": _entropy,
    "overlap": _overlap,
    "none": _none,
}


def _why_unmatched(options: DesignOptions) -> str:
    limits = [f"caliper of {options.caliper:g} standard deviations"] if options.caliper else []
    limits += [f"same {', '.join(options.exact)}"] if options.exact else []
    return "no free control left" + (f" ({'; '.join(limits)})" if limits else "")


def _high_score(found: Eligible) -> np.ndarray:
    beyond = found.logit > found.logit[~found.treated].max() + found.width(CLOSE)
    return found.treated & ((found.probability > diagnostics.HIGH_SCORE) | beyond)


def _set_numbers(matches: matching.Matches, n: int) -> np.ndarray:
    number = np.full(n, -1)
    number[matches.treated] = np.unique(matches.treated, return_inverse=True)[1] + 1
    number[matches.control] = number[matches.treated]
    return number
