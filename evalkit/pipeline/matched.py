"""What matching adds to an estimate: how far it depends on ties, and errors where controls are used again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from evalkit.contract import Outcome
from evalkit.options import read_options
from evalkit.pipeline.compose import Cohort, design_values
from evalkit.pipeline.gather import Gathered, used_outcomes
from evalkit.pipeline.harm import weights_of
from evalkit.results import Check, Design, Result
from evalkit.study import Study

ORDERS = 20
NO_MATTER = "which of several equally good matches is taken makes no difference"


def tie_samples(study: Study, cohort: Cohort, gathered: Gathered) -> list[pd.DataFrame]:
    """The people of as many designs, each with its ties broken in another random order; none where nothing tied."""
    design = cohort.design
    tied = next((each for each in design.checks if each.name == "ties"), None) if design is not None else None
    if design is None or design.method != "nearest" or tied is None or not tied.statistic:
        return []
    from evalkit.design import DesignOptions, tie_orders

    options = read_options(DesignOptions, design_values(study), where="study.yml, design")
    everyone = _measured(cohort.candidates, gathered, used_outcomes(study), study)
    orders = tie_orders(cohort.candidates, options, n=ORDERS, seed=study.seed)
    return [_sample(everyone, order.weights, order.subclass) for order in orders]


def tie_check(
    samples: Sequence[pd.DataFrame], function: Callable[..., Result], options: Any, taken: Result
) -> Check:
    """The range of the headline over the orders, beside the estimate that was taken."""
    found = [function(sample, options).headline.estimate for sample in samples]
    known = [each for each in found if each is not None]
    if not known:
        return _no_range(len(found))
    low, high, unit = min(known), max(known), taken.headline.unit or ""
    unit = "" if unit == "ratio" else unit
    return Check(
        name="tie_orders",
        null=NO_MATTER,
        statistic=high - low,
        reading=f"Over {len(known)} random orders of ties the estimate ran from {low:.3g} to {high:.3g} {unit}".rstrip()
        + ".",
        next_step="Where the range is wide beside the interval, match on more detail or use weighting.",
    )


def _no_range(orders: int) -> Check:
    return Check(
        name="tie_orders",
        null=NO_MATTER,
        reading=f"In none of {orders} random orders of ties does the estimate exist.",
        next_step="Read the counts of each arm: an outcome that nobody has gives no ratio.",
    )


def _measured(
    people: pd.DataFrame, gathered: Gathered, outcomes: list[Outcome], study: Study
) -> pd.DataFrame:
    from evalkit.outcomes import measure_outcomes

    weights = weights_of(study, gathered.frames)
    return measure_outcomes(people, gathered.offences, outcomes, study.observed_until, weights)


def _sample(everyone: pd.DataFrame, weights: pd.Series, subclass: pd.Series | None) -> pd.DataFrame:
    columns = {"weight": weights} if subclass is None else {"weight": weights, "subclass": subclass}
    people = everyone.assign(**columns)
    return people[people["weight"] > 0]


def with_replacement(
    study: Study, design: Design | None, people: pd.DataFrame, options: Any, result: Result
) -> Result:
    """The errors that belong to matching with replacement, where a control may stand for several treated people.

    They exist for plain differences; any other result is returned as it is.
    """
    reused = design is not None and design.method == "nearest" and bool(study.design.options.get("replace"))
    plain = (
        options.measure in ("risk_difference", "mean_difference")
        and not options.adjust
        and options.cluster is None
    )
    if not (reused and plain) or options.subgroup:
        return result
    from evalkit.impact.replacement import abadie_imbens

    found = abadie_imbens(
        people, design.pairs, outcome=options.outcome, distance=design.distance.loc[people.index],
        measure=options.measure, level=options.level,
    ).headline  # fmt: skip
    names = ("std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
    head = replace(
        result.headline, **{name: getattr(found, name) for name in names}, interval="abadie_imbens"
    )
    # What each person adds to the error under matching with replacement is not the influence of a weighted mean.
    return replace(result, estimates=(head, *result.estimates[1:]), influence=None)
