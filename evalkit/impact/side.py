"""What stands beside the headline of a two-group comparison: subgroups, compliers, and bounds for those
lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from evalkit.impact.attrition import extreme_cases, lee_bounds
from evalkit.impact.measures import BINARY, RATIOS, Means, contrast, estimate_from, spread, weighted_means
from evalkit.impact.sample import Sample
from evalkit.inference import adjust, romano_wolf
from evalkit.intervals import chi_square_p
from evalkit.results import Check, Estimate

WEAK, ROMANO_WOLF_DRAWS = 10.0, 9999
One = Callable[[Sample, Any], tuple[Estimate, Means, tuple[Check, ...]]]


def subgroups(sample: Sample, options: Any, one_estimate: One) -> tuple[list[Estimate], Check]:
    """One estimate per group, and the test that they are all the same; a group without both arms has none."""
    labels = sample.frame[options.subgroup].astype(str).to_numpy()
    found = []
    for name in np.unique(labels):
        rows = labels == name
        if sample.treated[rows].any() and (~sample.treated[rows]).any():
            found.append(replace(one_estimate(sample.rows(rows), options)[0], group=str(name)))
    return found, interaction(found)


def adjusted_over(estimates: list[Estimate], options: Any) -> list[Estimate]:
    """The groups' estimates with p-values adjusted for their number, where `p_adjust` asks for it.

    Romano and Wolf's draws are independent normal ones, since no person is in two groups.
    """
    known = [number for number, each in enumerate(estimates) if each.p_value is not None]
    if options.p_adjust is None or len(known) < 2:
        return estimates
    if options.p_adjust == "romano_wolf":
        size = -special.ndtri(np.array([estimates[number].p_value for number in known]) / 2)
        draws = np.random.default_rng(options.seed).standard_normal((ROMANO_WOLF_DRAWS, len(known)))
        adjusted = romano_wolf(size, draws)
    else:
        adjusted = adjust(np.array([estimates[number].p_value for number in known]), options.p_adjust)
    out = list(estimates)
    for number, p in zip(known, adjusted, strict=True):
        out[number] = replace(out[number], p_adjusted=float(p))
    return out


def interaction(estimates: list[Estimate]) -> Check:
    """Whether independent groups' effects differ: the weighted squares about their mean, as chi-square."""
    known = [each for each in estimates if each.std_error]
    if len(known) < 2:
        return Check(
            name="subgroup_interaction",
            null="the effect is the same in every group",
            reading="Fewer than two groups have an estimate with an error, so they are not compared.",
        )
    ratios = (*RATIOS, "hazard_ratio")
    values = np.array([math.log(e.estimate) if e.measure in ratios else e.estimate for e in known])
    weights = 1 / np.array([e.std_error for e in known]) ** 2
    statistic = float((weights * (values - (weights @ values) / weights.sum()) ** 2).sum())
    p = chi_square_p(statistic, len(known) - 1)
    return Check(
        name="subgroup_interaction",
        null="the effect is the same in every group",
        statistic=statistic,
        passed=None,
        reading=f"Difference between the groups: chi-square {statistic:.2f} on {len(known) - 1} "
        f"degrees of freedom, p = {p:.3f}.",
        next_step="Compare groups by this test only, never by which of them has an interval clear of no effect.",
    )


def cace(sample: Sample, means: Means, options: Any) -> tuple[Estimate, Check]:
    """The effect on those who take the programme up because it is offered: the difference over that in
    uptake."""
    taken = replace(sample, outcome=sample.frame[options.compliance].to_numpy(float), exposure=None)
    uptake_means = weighted_means(taken)
    uptake, taking = contrast(uptake_means, "mean_difference")
    effect, moving = contrast(means, options.measure)
    noise = spread(taking, sample, 2).variance  # nought where everybody did as their arm was offered
    strength = (uptake**2 / noise if noise else math.inf) if uptake else 0.0
    check = Check(
        name="compliance_difference",
        null="the arms differ enough in uptake for a complier average to be estimated",
        statistic=strength if math.isfinite(strength) else None,
        threshold=WEAK,
        passed=strength > WEAK,
        reading=f"Uptake is {uptake_means.treated:.0%} in the treated and {uptake_means.control:.0%} in the "
        "control arm.",
        next_step="" if strength > WEAK else "Leave the complier average out: it divides by too little.",
    )
    if strength <= 0:
        return Estimate(term="cace", measure=options.measure, estimate=None, level=options.level), check
    value = effect / uptake
    influence = (moving - value * taking) / uptake
    found = spread(influence, sample, means.parameters)
    return estimate_from("cace", options.measure, value, found, sample, options.level), check


def bounds_for_lost(sample: Sample, options: Any) -> list[Estimate]:
    """Extreme cases and Lee's bounds for people whose outcome is missing; nothing where all are known."""
    if sample.lost is None or options.measure not in ("risk_difference", "mean_difference"):
        return []
    gone = sample.lost["no_outcome"].to_numpy()
    if not gone.sum():
        return []
    known = [sample.outcome[sample.treated], sample.outcome[~sample.treated]]
    scale = 100.0 if options.measure == "risk_difference" else 1.0
    terms = dict(zip(("lee_lower", "lee_upper"), lee_bounds(*known, *gone), strict=True))
    if options.measure in BINARY:
        low, high = extreme_cases(*known, *gone)
        best_is_low = options.better != "higher"
        terms |= {"best_case": low if best_is_low else high, "worst_case": high if best_is_low else low}
    unit = "percentage points" if options.measure == "risk_difference" else None
    return [
        Estimate(
            term=term, measure=options.measure, estimate=scale * value, level=options.level, unit=unit,
            n_treated=len(known[0]), n_control=len(known[1]),
        )
        for term, value in terms.items()
    ]  # fmt: skip
