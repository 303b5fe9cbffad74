"""The checks of a design: overlap, balance, extreme weights, effective sample size and ties."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.design.balance import JUSTICE_DATA_LAB
from evalkit.design.weighting import effective_sample_size, largest_relative_weight
from evalkit.results import Check

MOST_WITHOUT_CONTROL = 0.05
HIGH_SCORE = 0.9  # Crump, Hotz, Imbens and Mitnik 2009: fewer than one control for nine treated
MOST_RELATIVE_WEIGHT = 10.0
FEWEST_EFFECTIVE = 30.0


def overlap_check(without: np.ndarray, treated: np.ndarray) -> Check:
    """How many treated people have nobody like them; `without` marks them."""
    share = float(without[treated].mean())
    poor = share > MOST_WITHOUT_CONTROL
    return Check(
        name="overlap",
        null="every treated person has controls like them",
        statistic=share,
        threshold=MOST_WITHOUT_CONTROL,
        passed=not poor,
        reading=(
            f"{share:.1%} of treated people have no control like them (left out, matched from further than the "
            f"caliper or 0.2 standard deviations, or with a score above {HIGH_SCORE})."
        ),
        next_step="Say whom the result speaks of; use a caliper, other controls or overlap weights."
        if poor
        else "",
    )


def balance_check(table: pd.DataFrame, estimand: str) -> Check:
    """The largest standardised difference left. In a randomised comparison differences are chance: it informs only."""
    sizes = table["smd_after"].abs()
    worst = float(sizes.max()) if sizes.notna().any() else None
    poor = None if worst is None or estimand == "itt" else worst > JUSTICE_DATA_LAB.reasonable
    where = "" if worst is None else str(table["covariate"][sizes.idxmax()])
    return Check(
        name="balance",
        null="the two arms have the same mean of every covariate",
        statistic=worst,
        threshold=JUSTICE_DATA_LAB.reasonable,
        passed=None if poor is None else not poor,
        reading="" if worst is None else f"Largest standardised difference left: {worst:.3f} ({where}).",
        next_step="Match exactly on it, tighten the caliper, or adjust for it in the analysis."
        if poor
        else "",
    )


def weight_checks(weights: np.ndarray, treated: np.ndarray) -> tuple[Check, Check]:
    """Whether a few people carry the comparison, and how many equally weighted ones it is worth."""
    largest = max(largest_relative_weight(weights[arm]) for arm in (treated, ~treated))
    heavy = largest > MOST_RELATIVE_WEIGHT
    worth = min(effective_sample_size(weights[arm]) for arm in (treated, ~treated))
    extreme = Check(
        name="extreme_weights",
        null="nobody counts for many times the average person of the arm",
        statistic=largest,
        threshold=MOST_RELATIVE_WEIGHT,
        passed=not heavy,
        reading=f"The largest weight is {largest:.1f} times the average of its arm."
        if largest > 1.05
        else "Nobody counts for much more than anybody else in the same arm.",
        next_step="Look at overlap; trim by rule, or use overlap weights." if heavy else "",
    )
    effective = Check(
        name="effective_sample_size",
        statistic=worth,
        threshold=FEWEST_EFFECTIVE,
        reading=f"The smaller arm is worth {worth:.1f} equally weighted people.",
        next_step="Expect wide intervals; small groups are published with care."
        if worth < FEWEST_EFFECTIVE
        else "",
    )
    return extreme, effective


def ties_check(ties: int) -> Check:
    """How many matches were decided by the rule for equal distances."""
    return Check(
        name="ties",
        statistic=float(ties),
        reading=f"{ties} matches had another free control at the same distance; the earlier row was taken.",
        next_step="Report the estimate over random tie orders." if ties else "",
    )


def aliased_check(names: tuple[str, ...]) -> Check:
    """Columns that other columns already give."""
    return Check(
        name="aliased_covariates",
        statistic=float(len(names)),
        reading="Left out of the score because other covariates already give them: " + ", ".join(names) + ".",
    )
